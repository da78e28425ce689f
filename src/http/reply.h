/* src/http/reply.h: the head of an answer. */
#ifndef MILLRACE_HTTP_REPLY_H
#define MILLRACE_HTTP_REPLY_H

#include "http/server.h"

/* Writes status line and headers. Returns their bytes, at most `room`; headers that do not fit are left out. */
size_t reply_head(const struct exchange *exchange, bool closes, char *out, size_t room);

bool reply_has_body(const struct exchange *exchange);

#endif
