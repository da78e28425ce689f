/* tests/fuzz/http_fuzz.c: bytes of a connection through guard, llhttp, router and query. Whatever comes: the parser takes
 * what it says it takes, the same bytes in other pieces give the same requests, and what is routed has codes for parts.
 *   clang -fsanitize=fuzzer,address,undefined ...; the first byte is the size of the pieces. */
#include "http/parser.h"
#include "http/router.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const stages[] = { "open", "closed", NULL };
static void nothing(struct reading *reading, const struct request *request, struct answer *answer)
{
    *answer = (struct answer){ .status = 200 };
}
static const struct route routes[] = {
    { METHOD_GET, "/v1/orders", SCOPE_READ, .read = nothing,
      .query = { { "limit", FIELD_INT, 1, 1000, 100 },
                 { "stage", FIELD_ENUM, .names = stages },
                 { "q", FIELD_TEXT },
                 { "sku", FIELD_CODE },
                 { "at", FIELD_TIME } } },
    { METHOD_POST, "/v1/orders", SCOPE_ORDERS, .read = nothing },
    { METHOD_GET, "/v1/orders/{id}", SCOPE_READ, .read = nothing },
    { METHOD_POST, "/v1/orders/{id}/holds/{kind}/clear", SCOPE_ORDERS, .read = nothing },
    { METHOD_PUT, "/v1/channels/{code}/fences/{node}/{sku}", SCOPE_ADMIN, .read = nothing },
    { METHOD_GET, "/healthz", SCOPE_NONE, .read = nothing },
};
static const struct route_table table = { "fuzz", routes, COUNT(routes) };
static const struct route_table *const tables[] = { &table, NULL };

/* What one way of cutting the bytes came to. */
struct outcome {
    size_t requests;
    uint64_t digest;
    enum fault_code refused;
};

static void route_it(const struct message *message, struct arena *arena, struct outcome *outcome)
{
    const char *error = NULL;
    struct router *router = router_new(tables, arena, &error);
    struct routed routed = router_find(router, arena, message->head + message->method, message->head + message->target);
    assert((routed.route == NULL) == (routed.fault != FAULT_NONE));
    outcome->digest = hash_bytes(message->body, message->body_bytes, hash_u64(outcome->digest + routed.number + (uint64_t)routed.fault));
    if (routed.route == NULL)
        return;
    struct request request = { .arena = arena };
    struct faults faults = { .arena = arena };
    assert(query_read(&request, routed.route, routed.query, &faults) == (faults.count == 0));
    for (size_t i = 0; i < PATH_PARTS_MAX && routed.path[i] != NULL; i++)
        assert(text_is_code(routed.path[i], strlen(routed.path[i]), 64));
}

static struct outcome parse(const char *at, size_t bytes, size_t piece)
{
    struct body_budget budget = { .limit = 1 << 20 };
    struct parser_limits limits = { .target_bytes = 8192, .head_bytes = 32768, .body_bytes = 1 << 16, .budget = &budget };
    struct parser *parser = parser_new(&limits);
    struct outcome outcome = { 0 };
    enum parse_state state = PARSE_MORE;
    while (bytes > 0 && state != PARSE_REFUSED) {
        size_t given = piece < bytes ? piece : bytes, used = 0;
        char *copy = malloc(given); /* of its own, so that reading past it is seen */
        memcpy(copy, at, given);
        state = parser_feed(parser, copy, given, &used);
        free(copy);
        assert(state == PARSE_REFUSED || (used <= given && (state == PARSE_DONE || used == given)));
        if (state == PARSE_DONE) {
            struct arena *arena = arena_new(16 << 20);
            assert(parser_message(parser)->body_bytes <= limits.body_bytes && used > 0);
            outcome.requests++;
            route_it(parser_message(parser), arena, &outcome);
            arena_free(arena);
            parser_next(parser);
        }
        at += used;
        bytes -= used;
    }
    outcome.refused = parser_message(parser)->refused;
    parser_free(parser);
    assert(budget.used == 0);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct outcome whole = parse((const char *)data + 1, size - 1, size),
                   pieces = parse((const char *)data + 1, size - 1, (size_t)(data[0] % 64) + 1);
    assert(whole.requests == pieces.requests && whole.digest == pieces.digest);
    assert((whole.refused == FAULT_NONE) == (pieces.refused == FAULT_NONE));
    return 0;
}
