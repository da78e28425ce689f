/* src/http/parser.h: bytes of a connection in, one request at a time out. The only file that knows llhttp is parser.c.
 * A parser belongs to one connection and one thread. Messages come one by one: after PARSE_DONE the parser takes
 * nothing more until parser_next, so that pipelined requests are answered in order. */
#ifndef MILLRACE_HTTP_PARSER_H
#define MILLRACE_HTTP_PARSER_H

#include "base/fault.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The headers that mean something to us; all others are read over. */
#define HEADERS(X)                            \
    X(HOST, "host")                           \
    X(CONTENT_LENGTH, "content-length")       \
    X(TRANSFER_ENCODING, "transfer-encoding") \
    X(EXPECT, "expect")                       \
    X(CONTENT_TYPE, "content-type")           \
    X(CONTENT_ENCODING, "content-encoding")   \
    X(AUTHORIZATION, "authorization")         \
    X(IDEMPOTENCY_KEY, "idempotency-key")     \
    X(IF_MATCH, "if-match")                   \
    X(IF_NONE_MATCH, "if-none-match")         \
    X(PRIORITY, "priority")                   \
    X(ACCEPT, "accept")                       \
    X(LAST_EVENT_ID, "last-event-id")

enum header {
#define HEADER_ENUM(name, text) HEADER_##name,
    HEADERS(HEADER_ENUM)
#undef HEADER_ENUM
        HEADER_COUNT
};

/* Bytes of bodies that all connections of a server hold together: 503 past it. */
struct body_budget {
    size_t used, limit;
};

struct parser_limits {
    size_t target_bytes, head_bytes, body_bytes;
    struct body_budget *budget;
};

/* A request as it came. Texts end in NUL and live until parser_next. */
struct message {
    char *head; /* the texts: method, target, values, each at its offset; offset 0 is no text */
    size_t head_bytes, head_room;
    size_t method, target, header[HEADER_COUNT];
    uint8_t times[HEADER_COUNT]; /* how often it came */
    unsigned major, minor;
    uint64_t content_length;
    char *body;
    size_t body_bytes, body_room;
    bool has_head;         /* the head is read, what comes is body */
    bool expects_continue; /* waits for 100 before it sends the body */
    bool keep_alive;
    enum fault_code refused; /* PARSE_REFUSED: why; the connection is of no use after it */
    const char *why;
};

static inline const char *message_header(const struct message *message, enum header header)
{
    return message->header[header] == 0 ? NULL : message->head + message->header[header];
}

enum parse_state { PARSE_MORE, PARSE_DONE, PARSE_REFUSED };

struct parser *parser_new(const struct parser_limits *limits); /* NULL: no memory; limits must outlive it */
void parser_free(struct parser *parser);

/* Reads on. *used is what was taken: all of it on PARSE_MORE, up to the request's end on PARSE_DONE. */
enum parse_state parser_feed(struct parser *parser, const char *at, size_t bytes, size_t *used);
const struct message *parser_message(const struct parser *parser);
bool parser_is_fresh(const struct parser *parser); /* nothing of the next request has come yet */

/* Forgets the message and reads the next one. */
void parser_next(struct parser *parser);

#endif
