/* src/http/guard.c: refuses what could be read in two ways.
 * First the bytes: lines end in CR LF and nowhere else, no control characters, no folded lines, no blank before a
 * colon, exactly two blanks in the request line. Then the fields: one Host, one framing, a length of digits only. */
#include "http/guard.h"
#include <string.h>
#include <strings.h>

static enum fault_code refused(const char **why, enum fault_code code, const char *sentence)
{
    *why = sentence;
    return code;
}

static const char *line_fault(struct guard *guard, unsigned char c)
{
    bool blank = c == ' ' || c == '\t';
    if ((c < 0x20 && c != '\t') || c == 0x7f)
        return "a control character in the head";
    if (guard->lines == 0) {
        if (c == '\t' || c >= 0x80)
            return "the request line holds what is neither visible nor a blank";
        if (c == ' ' && (guard->column == 0 || guard->last == ' ' || ++guard->blanks > 2))
            return "the request line is METHOD TARGET VERSION with one blank between";
    } else if (guard->column == 0 && (blank || c == ':')) {
        return "a header line begins with its name; folded lines are not taken";
    } else if (!guard->colon && blank) {
        return "a blank in or after a header's name";
    }
    guard->colon |= c == ':';
    return NULL;
}

/* The line ended. An empty one ends the head; before the request line it is passed over (RFC 9112, 2.2). */
static const char *line_end_fault(struct guard *guard)
{
    if (guard->column == 0)
        guard->ended = guard->lines > 0;
    else if (guard->lines == 0 ? guard->blanks != 2 : !guard->colon)
        return guard->lines == 0 ? "the request line is METHOD TARGET VERSION" : "a header line without a colon";
    else
        guard->lines++;
    guard->column = 0;
    guard->colon = false;
    return NULL;
}

enum fault_code guard_bytes(struct guard *guard, const struct parser_limits *limits, const char *at, size_t bytes, size_t *used, const char **why)
{
    size_t i = 0;
    for (; i < bytes && !guard->ended; i++) {
        unsigned char c = (unsigned char)at[i];
        const char *fault = NULL;
        if (++guard->head_bytes > limits->head_bytes)
            return refused(why, FAULT_HEADERS_TOO_LARGE, "the head is larger than 32 KiB");
        if ((guard->last == '\r') != (c == '\n'))
            fault = "CR and LF end a line together and stand nowhere else";
        else if (c == '\n')
            fault = line_end_fault(guard);
        else if (c != '\r') {
            fault = line_fault(guard, c);
            if (++guard->column > limits->target_bytes && guard->lines == 0)
                return refused(why, FAULT_URI_TOO_LONG, "the request line is longer than 8 KiB");
        }
        if (fault != NULL)
            return refused(why, FAULT_MALFORMED_REQUEST, fault);
        guard->last = c;
    }
    *used = i;
    return FAULT_NONE;
}

/* host [":" port], as far as its bytes go: what a URI's authority may hold, without user names. */
static bool host_is_one(const char *host)
{
    return host[0] != '\0' && strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+,;=:[]") == strlen(host);
}

enum fault_code guard_message(const struct message *message, const struct parser_limits *limits, const char **why)
{
    const char *length = message_header(message, HEADER_CONTENT_LENGTH), *coding = message_header(message, HEADER_TRANSFER_ENCODING);
    const char *expect = message_header(message, HEADER_EXPECT), *host = message_header(message, HEADER_HOST);
    if (message->major != 1 || message->minor > 1)
        return refused(why, FAULT_HTTP_VERSION, "HTTP/1.1 is spoken here");
    for (int i = 0; i < HEADER_COUNT; i++)
        if (message->times[i] > 1 && i != HEADER_ACCEPT)
            return refused(why, FAULT_MALFORMED_REQUEST, "a header that may come once came twice");
    if (host == NULL ? message->minor == 1 : !host_is_one(host))
        return refused(why, FAULT_MALFORMED_REQUEST, "exactly one Host is due, with a name or an address");
    if (coding != NULL && (length != NULL || message->minor == 0))
        return refused(why, FAULT_MALFORMED_REQUEST, "a body has one framing: Content-Length or, in HTTP/1.1, Transfer-Encoding");
    if (coding != NULL && strcasecmp(coding, "chunked") != 0)
        return refused(why, FAULT_NOT_IMPLEMENTED, "chunked is the only transfer coding that is taken");
    if (length != NULL && (length[0] == '\0' || strspn(length, "0123456789") != strlen(length)))
        return refused(why, FAULT_MALFORMED_REQUEST, "Content-Length is a number");
    if (length != NULL && (strlen(length) > 18 || message->content_length > limits->body_bytes))
        return refused(why, FAULT_BODY_TOO_LARGE, "the body is larger than 8 MiB");
    if (expect != NULL && message->minor == 1 && strcasecmp(expect, "100-continue") != 0)
        return refused(why, FAULT_EXPECTATION_FAILED, "100-continue is the only expectation that is met");
    return FAULT_NONE;
}
