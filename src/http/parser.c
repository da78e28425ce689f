/* src/http/parser.c: the guard reads the head's bytes first, llhttp takes them apart, and what matters is copied into
 * the message, since spans come in pieces and the read buffer is everybody's. Invariants: a refused message stays
 * refused; trailers are read over; body bytes held are counted in the server's budget and given back. */
#include "http/parser.h"
#include "http/guard.h"
#include <llhttp/llhttp.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES_MAX 32        /* longer names are none of ours */
#define BODY_KEPT_BYTES 65536u   /* a larger buffer is given back after its request */
#define CHUNK_SLACK_BYTES 32768u /* framing and trailers that come with a chunked body */

struct parser {
    llhttp_t llhttp; /* first: the callbacks get its address */
    const struct parser_limits *limits;
    struct guard guard;
    struct message message;
    char name[NAME_BYTES_MAX];
    size_t name_bytes;
    size_t value;     /* offset of the value that is being read */
    size_t raw_bytes; /* of the message after its head */
    bool begun, done;
};

static int refuse(struct parser *parser, enum fault_code code, const char *why)
{
    if (parser->message.refused == FAULT_NONE) {
        parser->message.refused = code;
        parser->message.why = why;
    }
    return -1;
}

/* Appends to the head's texts; the guard has bounded what can come. */
static bool head_add(struct parser *parser, const char *at, size_t bytes)
{
    struct message *message = &parser->message;
    if (message->head_bytes + bytes > message->head_room) {
        size_t room = message->head_room * 2 + bytes + 512;
        char *head = realloc(message->head, room);
        if (head == NULL)
            return refuse(parser, FAULT_BUSY, "no memory for the head") == 0;
        message->head = head;
        message->head_room = room;
    }
    memcpy(message->head + message->head_bytes, at, bytes);
    message->head_bytes += bytes;
    return true;
}

static int on_method(llhttp_t *llhttp, const char *at, size_t bytes)
{
    struct parser *parser = (struct parser *)llhttp;
    if (parser->message.method == 0) {
        if (parser->message.head_bytes == 0 && !head_add(parser, "", 1)) /* so that no text has offset 0 */
            return -1;
        parser->message.method = parser->message.head_bytes;
    }
    return head_add(parser, at, bytes) ? 0 : -1;
}

static int on_text_complete(llhttp_t *llhttp)
{
    return head_add((struct parser *)llhttp, "", 1) ? 0 : -1;
}

static int on_url(llhttp_t *llhttp, const char *at, size_t bytes)
{
    struct parser *parser = (struct parser *)llhttp;
    if (parser->message.target == 0)
        parser->message.target = parser->message.head_bytes;
    return head_add(parser, at, bytes) ? 0 : -1;
}

static int on_header_field(llhttp_t *llhttp, const char *at, size_t bytes)
{
    struct parser *parser = (struct parser *)llhttp;
    for (size_t i = 0; i < bytes && parser->name_bytes < NAME_BYTES_MAX; i++) {
        char c = at[i];
        parser->name[parser->name_bytes++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    parser->value = parser->message.head_bytes;
    return 0;
}

static int on_header_value(llhttp_t *llhttp, const char *at, size_t bytes)
{
    struct parser *parser = (struct parser *)llhttp;
    return parser->message.has_head || head_add(parser, at, bytes) ? 0 : -1;
}

/* Keeps the value when the name is one of ours, else takes it back. */
static int on_header_value_complete(llhttp_t *llhttp)
{
    static const struct {
        const char *name;
        size_t bytes;
    } headers[] = {
#define HEADER_NAME(name, text) { text, sizeof(text) - 1 },
        HEADERS(HEADER_NAME)
#undef HEADER_NAME
    };
    struct parser *parser = (struct parser *)llhttp;
    struct message *message = &parser->message;
    size_t name_bytes = parser->name_bytes;
    parser->name_bytes = 0;
    if (message->has_head)
        return 0; /* a trailer */
    for (size_t i = 0; i < HEADER_COUNT; i++) {
        if (headers[i].bytes != name_bytes || memcmp(headers[i].name, parser->name, name_bytes) != 0)
            continue;
        while (message->head_bytes > parser->value && strchr(" \t", message->head[message->head_bytes - 1]) != NULL)
            message->head_bytes--;
        if (message->times[i] < UINT8_MAX)
            message->times[i]++;
        if (message->header[i] == 0)
            message->header[i] = parser->value;
        return head_add(parser, "", 1) ? 0 : -1;
    }
    message->head_bytes = parser->value;
    return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
    struct parser *parser = (struct parser *)llhttp;
    struct message *message = &parser->message;
    message->major = llhttp->http_major;
    message->minor = llhttp->http_minor;
    message->content_length = llhttp->content_length;
    message->keep_alive = llhttp_should_keep_alive(llhttp) != 0;
    enum fault_code fault = guard_message(message, parser->limits, &message->why);
    if (fault != FAULT_NONE)
        return refuse(parser, fault, message->why);
    if (llhttp->method == HTTP_CONNECT)
        return refuse(parser, FAULT_NOT_IMPLEMENTED, "no tunnels are dug here");
    llhttp->upgrade = 0; /* an upgrade is an offer, and we decline it by going on in HTTP/1.1 (RFC 9110, 7.8) */
    message->expects_continue = message_header(message, HEADER_EXPECT) != NULL && message->minor == 1;
    message->has_head = true;
    return 0;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t bytes)
{
    struct parser *parser = (struct parser *)llhttp;
    struct message *message = &parser->message;
    if (message->body_bytes + bytes > parser->limits->body_bytes)
        return refuse(parser, FAULT_BODY_TOO_LARGE, "the body is larger than 8 MiB");
    if (message->body_bytes + bytes > message->body_room) {
        /* Grows by what came, not by what Content-Length promises: a promise costs its sender nothing. */
        size_t room = message->body_bytes * 2 + bytes + 1024;
        struct body_budget *budget = parser->limits->budget;
        if (budget->used - message->body_room + room > budget->limit)
            return refuse(parser, FAULT_BUSY, "too many large bodies at once");
        char *body = realloc(message->body, room);
        if (body == NULL)
            return refuse(parser, FAULT_BUSY, "no memory for the body");
        budget->used += room - message->body_room;
        message->body = body;
        message->body_room = room;
    }
    memcpy(message->body + message->body_bytes, at, bytes);
    message->body_bytes += bytes;
    return 0;
}

static int on_message_complete(llhttp_t *llhttp)
{
    struct parser *parser = (struct parser *)llhttp;
    parser->done = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_method = on_method,
    .on_method_complete = on_text_complete,
    .on_url = on_url,
    .on_url_complete = on_text_complete,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

struct parser *parser_new(const struct parser_limits *limits)
{
    struct parser *parser = calloc(1, sizeof *parser);
    if (parser != NULL) {
        parser->limits = limits;
        llhttp_init(&parser->llhttp, HTTP_REQUEST, &settings);
    }
    return parser;
}

static void body_give_back(struct parser *parser)
{
    parser->limits->budget->used -= parser->message.body_room;
    free(parser->message.body);
    parser->message.body = NULL;
    parser->message.body_room = 0;
}

void parser_free(struct parser *parser)
{
    if (parser == NULL)
        return;
    body_give_back(parser);
    free(parser->message.head);
    free(parser);
}

void parser_next(struct parser *parser)
{
    struct message *message = &parser->message;
    if (message->body_room > BODY_KEPT_BYTES)
        body_give_back(parser);
    *message = (struct message){ .head = message->head, .head_room = message->head_room, .body = message->body, .body_room = message->body_room };
    parser->guard = (struct guard){ 0 };
    parser->name_bytes = parser->raw_bytes = 0;
    parser->begun = parser->done = false;
    llhttp_init(&parser->llhttp, HTTP_REQUEST, &settings);
}

const struct message *parser_message(const struct parser *parser)
{
    return &parser->message;
}

bool parser_is_fresh(const struct parser *parser)
{
    return !parser->begun;
}

/* Gives bytes to llhttp and says how many it took. */
static enum parse_state execute(struct parser *parser, const char *at, size_t bytes, size_t *used)
{
    struct message *message = &parser->message;
    llhttp_errno_t result = llhttp_execute(&parser->llhttp, at, bytes);
    *used = bytes;
    if (parser->done) {
        *used = (size_t)(llhttp_get_error_pos(&parser->llhttp) - at);
        return PARSE_DONE;
    }
    if (result == HPE_OK)
        return PARSE_MORE;
    if (result == HPE_INVALID_METHOD)
        refuse(parser, FAULT_NOT_IMPLEMENTED, "an unknown method");
    else if (result == HPE_INVALID_VERSION)
        refuse(parser, FAULT_HTTP_VERSION, "HTTP/1.1 is spoken here");
    else
        refuse(parser, FAULT_MALFORMED_REQUEST, llhttp_get_error_reason(&parser->llhttp));
    if (message->why == NULL || message->why[0] == '\0')
        message->why = "this is not HTTP/1.1";
    return PARSE_REFUSED;
}

enum parse_state parser_feed(struct parser *parser, const char *at, size_t bytes, size_t *used)
{
    enum parse_state state = PARSE_MORE;
    size_t head = 0, taken = 0;
    parser->begun |= bytes > 0;
    if (!parser->guard.ended) {
        enum fault_code fault = guard_bytes(&parser->guard, parser->limits, at, bytes, &head, &parser->message.why);
        if (fault != FAULT_NONE) {
            refuse(parser, fault, parser->message.why);
            return PARSE_REFUSED;
        }
        state = execute(parser, at, head, &taken);
        if (state == PARSE_DONE)
            taken = head; /* no body: the head's end is the request's end, wherever llhttp paused before its last byte */
    }
    if (state == PARSE_MORE && head < bytes) {
        state = execute(parser, at + head, bytes - head, &taken);
        parser->raw_bytes += taken;
        taken += head;
        if (state == PARSE_MORE && parser->raw_bytes > CHUNK_SLACK_BYTES + 8 * parser->message.body_bytes) {
            refuse(parser, FAULT_MALFORMED_REQUEST, "more framing than body");
            state = PARSE_REFUSED;
        }
    }
    *used = taken;
    return state;
}
