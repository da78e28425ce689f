/* src/base/fault.h: everything that can be wrong with a request, one row a code. The enum, the names in the API, the
 * HTTP status and docs/errors.md are made from FAULT_CODES; a code is never renamed or reused. */
#ifndef MILLRACE_BASE_FAULT_H
#define MILLRACE_BASE_FAULT_H

#include "base/arena.h"
#include <stdbool.h>

/* clang-format off */
#define FAULT_CODES(X) /* name, code in the API, HTTP, may the same request succeed later, title, what to do */                              \
    X(MALFORMED_JSON, "malformed_json", 400, false, "The body is not JSON", "mend the JSON at the line and column that is named")          \
    X(MALFORMED_QUERY, "malformed_query", 400, false, "A query parameter is wrong", "see /docs for the parameters of this call")             \
    X(MALFORMED_REQUEST, "malformed_request", 400, false, "The request is not HTTP", "send HTTP/1.1 as RFC 9112 describes it")               \
    X(UNAUTHENTICATED, "unauthenticated", 401, false, "No valid key", "send Authorization: Bearer KEY with a key that is known here")        \
    X(FORBIDDEN, "forbidden", 403, false, "The key may not do this", "use a key with the scope that is named")                               \
    X(NOT_FOUND, "not_found", 404, false, "There is no such thing", "look at the path and the id")                                           \
    X(METHOD_NOT_ALLOWED, "method_not_allowed", 405, false, "Not with this method", "use a method that Allow names")                         \
    X(REQUEST_TIMEOUT, "request_timeout", 408, true, "The request came too slowly", "send the whole request without a pause")                \
    X(SHORTAGE, "shortage", 409, true, "Not enough stock", "lower the quantity, or send on_shortage \"backorder\"")                        \
    X(STOCK_CONFLICT, "stock_conflict", 409, true, "The stock does not allow it", "look at the buckets of the position")                     \
    X(TOO_LATE, "too_late", 409, false, "Too late", "nothing that could be changed is left")                                                 \
    X(STATE_CONFLICT, "state_conflict", 409, true, "Not in this state", "see the state machine in the documentation")                        \
    X(NO_INVERSE, "no_inverse", 409, false, "Nothing takes this back", "do what the detail says instead")                                    \
    X(NO_SUCH_HOLD, "no_such_hold", 409, false, "There is no such hold", "look at the order's holds")                                        \
    X(HOLD_LEFT, "hold_left", 409, true, "The order is held", "clear the holds that the order still has")                                    \
    X(PAYMENT_OPEN, "payment_open", 409, true, "The payment term is not met", "record the payment first")                                    \
    X(PAYMENT_CONFLICT, "payment_conflict", 409, false, "The payment is known with another amount", "send each fact under a reference of its own") \
    X(IN_USE, "in_use", 409, false, "Something else depends on it", "change what depends on it first")                                       \
    X(RESERVATION_GONE, "reservation_gone", 409, false, "The reservation is gone", "it expired or was used; order without it")               \
    X(PRECONDITION_FAILED, "precondition_failed", 412, true, "It has changed meanwhile", "read it again and send its ETag in If-Match")      \
    X(BODY_TOO_LARGE, "body_too_large", 413, false, "The body is too large", "send at most 8 MiB")                                           \
    X(URI_TOO_LONG, "uri_too_long", 414, false, "The path is too long", "shorten the path or query")                                         \
    X(UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", 415, false, "Not this content type", "send application/json")                        \
    X(EXPECTATION_FAILED, "expectation_failed", 417, false, "Unknown expectation", "send Expect: 100-continue or none")                      \
    X(INVALID, "invalid", 422, false, "The request cannot be taken", "mend the fields that are named")                                       \
    X(REQUIRED, "required", 422, false, "A field is missing", "send the field")                                                              \
    X(UNKNOWN_FIELD, "unknown_field", 422, false, "An unknown field", "leave it out, or look at its spelling")                               \
    X(READ_ONLY_FIELD, "read_only_field", 422, false, "A field that only we write", "leave it out")                                          \
    X(WRONG_TYPE, "wrong_type", 422, false, "A value of another type", "send the type that is named")                                        \
    X(OUT_OF_RANGE, "out_of_range", 422, false, "A value out of range", "send a value within the range that is named")                       \
    X(BAD_FORMAT, "bad_format", 422, false, "A value in the wrong form", "send the form that is named")                                      \
    X(EITHER_OR, "either_or", 422, false, "Exactly one of several fields", "send exactly one of the fields that are named")                  \
    X(NOT_AVAILABLE, "not_available", 422, false, "Not available yet", "leave the field out; this release does not know it")                 \
    X(UNIT_UNKNOWN, "unit_unknown", 422, false, "No such unit", "create the unit first")                                                     \
    X(NODE_UNKNOWN, "node_unknown", 422, false, "No such node", "create the node first")                                                     \
    X(SKU_UNKNOWN, "sku_unknown", 422, false, "No such SKU", "create the SKU first, or map the listing")                                     \
    X(CLASS_UNKNOWN, "class_unknown", 422, false, "No such class", "create the class first, or leave it out")                                \
    X(CHANNEL_UNKNOWN, "channel_unknown", 422, false, "No such channel", "create the channel first")                                         \
    X(LISTING_UNKNOWN, "listing_unknown", 422, false, "No such listing", "create the listing on this channel first")                         \
    X(LINE_UNKNOWN, "line_unknown", 422, false, "No such line", "use the line numbers that the order shows")                                 \
    X(CURRENCY_MISMATCH, "currency_mismatch", 422, false, "Another currency", "use the currency of the order; of a unit cost the unit's")              \
    X(WRONG_UNIT, "wrong_unit", 422, false, "Of another unit", "name things of one unit only")                                               \
    X(BUNDLE_CYCLE, "bundle_cycle", 422, false, "A bundle that contains itself", "take the bundle out of its own components")                \
    X(HOLDS_NO_STOCK, "holds_no_stock", 422, false, "A bundle holds no stock", "name its components")                                        \
    X(TOO_LONG_AGO, "too_long_ago", 422, false, "Too much has happened since", "count again, and send the number of a later event")          \
    X(BATCH_TOO_LARGE, "batch_too_large", 422, false, "Too many entries", "send at most 1000 entries a call")                                \
    X(ORDER_TOO_LARGE, "order_too_large", 422, false, "The order is too large", "split it: at most 1000 lines, 1500 components")             \
    X(IDEMPOTENCY_MISMATCH, "idempotency_mismatch", 422, false, "The key stands for another request", "use a new Idempotency-Key")            \
    X(RATE_LIMITED, "rate_limited", 429, true, "The key asks too often", "send it again after Retry-After, or ask for a key with a higher rate") \
    X(HEADERS_TOO_LARGE, "headers_too_large", 431, false, "The headers are too large", "send at most 32 KiB of headers")                     \
    X(CULPRIT, "culprit", 500, false, "This command ended the process before", "do not send it again; tell support")                         \
    X(INTERNAL, "internal", 500, true, "A fault of ours", "tell support; nothing was changed")                                               \
    X(NOT_IMPLEMENTED, "not_implemented", 501, false, "Not part of HTTP here", "use another method or coding")                               \
    X(BUSY, "busy", 503, true, "Busy", "send it again after Retry-After")                                                                    \
    X(STORE_LOST, "store_lost", 503, true, "The store does not answer", "send it again after Retry-After, with its Idempotency-Key")         \
    X(HTTP_VERSION, "http_version_not_supported", 505, false, "Another version of HTTP", "send HTTP/1.1")                                    \
    X(STORE_FULL, "store_full", 507, true, "The disk is full", "make room; nothing was changed")
/* clang-format on */

enum fault_code {
    FAULT_NONE,
#define FAULT_ENUM(name, code, http, again, title, way_out) FAULT_##name,
    FAULT_CODES(FAULT_ENUM)
#undef FAULT_ENUM
        FAULT_CODE_COUNT
};

struct fault_info {
    const char *code; /* as the API names it */
    int http;
    bool again;
    const char *title, *way_out;
};
/* The row of a code, for ever; FAULT_NONE gives code "none", 200. */
const struct fault_info *fault_info(enum fault_code code);

struct fault {
    enum fault_code code;
    const char *pointer; /* JSON pointer (RFC 6901) into the body, "" for the whole, NULL where there is no body */
    const char *detail;  /* this case with its values: "asked 3, LEJ has 2 of LAMP" */
};

#define FAULTS_MAX 100

/* The faults of one request, in the order found. All that is found at a stage is collected and answered together, up to
 * FAULTS_MAX: a hostile body does not make an endless answer. Begin with { .arena = arena }. */
struct faults {
    struct arena *arena;
    struct fault *items;
    size_t count, room;
};
/* Appends one; pointer and detail are copied into the arena. Past FAULTS_MAX it is dropped in silence. */
void fault_add(struct faults *faults, enum fault_code code, const char *pointer, const char *detail_format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
