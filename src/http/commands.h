/* src/http/commands.h: GET /v1/commands: what there is to send, made from the routes that run. */
#ifndef MILLRACE_HTTP_COMMANDS_H
#define MILLRACE_HTTP_COMMANDS_H

#include "http/router.h"

extern const struct field_table command_fields; /* of one item, for openapi */

/* Answers with one item for each route that changes something. Its texts live as long as the router; the body is in the arena. */
void commands_write(const struct router *router, struct arena *arena, struct answer *answer);

#endif
