/* src/http/reply.c: the head of an answer. A value that holds a control character is left out whole, so that nothing
 * which a client chose can become a header. */
#include "http/reply.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define END "\r\n"

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 204, "No Content" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 417, "Expectation Failed" },
        { 422, "Unprocessable Content" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
        { 507, "Insufficient Storage" },
    };
    for (size_t i = 0; i < COUNT(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Answer";
}

struct head {
    char *at;
    size_t bytes, room;
};

/* All or nothing; room for the final line stays. */
static void add(struct head *head, const char *text, size_t bytes)
{
    if (head->bytes + bytes + strlen(END) <= head->room) {
        memcpy(head->at + head->bytes, text, bytes);
        head->bytes += bytes;
    }
}

static void add_header(struct head *head, const char *name, const char *before, const char *value, const char *after)
{
    const char *parts[] = { name, ": ", before, value, after, END };
    size_t bytes = 0;
    for (size_t i = 0; i < COUNT(parts); i++)
        bytes += strlen(parts[i]);
    for (const char *c = value; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return;
    if (head->bytes + bytes + strlen(END) > head->room)
        return;
    for (size_t i = 0; i < COUNT(parts); i++)
        add(head, parts[i], strlen(parts[i]));
}

static void add_number(struct head *head, const char *name, size_t number)
{
    char digits[24];
    char *at = digits + sizeof digits - 1;
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    add_header(head, name, "", at, "");
}

bool reply_has_body(const struct exchange *exchange)
{
    return exchange->answer.status != 204 && !exchange->is_head;
}

size_t reply_head(const struct exchange *exchange, bool closes, char *out, size_t room)
{
    static const char fixed[] = "X-Content-Type-Options: nosniff" END "Cache-Control: no-store" END;
    const struct answer *answer = &exchange->answer;
    const char *type = answer->content_type != NULL ? answer->content_type : "application/json";
    struct head head = { .at = out, .room = room };
    char line[64];
    int line_bytes = snprintf(line, sizeof line, "HTTP/1.1 %d %s" END, answer->status, reason(answer->status));
    add(&head, line, (size_t)line_bytes);
    if (answer->status != 204) {
        add_header(&head, "Content-Type", "", type, "");
        add_number(&head, "Content-Length", answer->body == NULL ? 0 : answer->body_bytes);
    }
    add(&head, fixed, strlen(fixed));
    if (answer->etag != NULL)
        add_header(&head, "ETag", "\"", answer->etag, "\"");
    if (answer->location != NULL)
        add_header(&head, "Location", "", answer->location, "");
    if (answer->retry_after_s > 0)
        add_number(&head, "Retry-After", (size_t)answer->retry_after_s);
    if (answer->status == 401)
        add_header(&head, "WWW-Authenticate", "", "Bearer realm=\"millrace\"", "");
    if (answer->status == 405 && exchange->allow != NULL)
        add_header(&head, "Allow", "", exchange->allow, "");
    if (strncmp(type, "text/html", 9) == 0)
        add_header(&head, "Content-Security-Policy", "", exchange->server->docs_policy, "");
    if (closes)
        add_header(&head, "Connection", "", "close", "");
    else if (exchange->message->minor == 0)
        add_header(&head, "Connection", "", "keep-alive", "");
    memcpy(out + head.bytes, END, strlen(END));
    return head.bytes + strlen(END);
}
