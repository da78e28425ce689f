/* src/http/guard.h: what llhttp alone lets through, and what two parsers in a row could read in two ways: request
 * smuggling. RFC 9112 leaves a server the choice to be lenient or to refuse; this refuses, so that a proxy in front of
 * us and we never disagree on where a request ends. Pure; keeps nothing but its state. */
#ifndef MILLRACE_HTTP_GUARD_H
#define MILLRACE_HTTP_GUARD_H

#include "http/parser.h"

/* Reads the bytes of one head as they came, before any parser. Begins zeroed. */
struct guard {
    size_t head_bytes, column, blanks; /* blanks: in the request line */
    unsigned lines;
    unsigned char last;
    bool colon, ended; /* ended: the empty line was seen, what follows is the body's */
};

/* Reads on and says in *used how many bytes belonged to the head. FAULT_NONE, or why not, with a sentence in *why. */
enum fault_code guard_bytes(struct guard *guard, const struct parser_limits *limits, const char *at, size_t bytes, size_t *used, const char **why);

/* The fields that frame a request or must not be doubled, once the whole head is known. */
enum fault_code guard_message(const struct message *message, const struct parser_limits *limits, const char **why);

#endif
