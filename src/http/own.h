/* src/http/own.h: the server's own routes: /healthz, /readyz, /metrics, /openapi.json, /docs, /v1/commands. */
#ifndef MILLRACE_HTTP_OWN_H
#define MILLRACE_HTTP_OWN_H

#include "http/server.h"

extern const struct route_table own_routes;

/* Answers on the HTTP thread what needs no store. False: not one of those. */
bool own_answers(struct exchange *exchange);

#endif
