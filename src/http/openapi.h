/* src/http/openapi.h: /openapi.json (OpenAPI 3.1), made from the route tables and the field tables: it cannot say what
 * the server does not do. */
#ifndef MILLRACE_HTTP_OPENAPI_H
#define MILLRACE_HTTP_OPENAPI_H

#include "http/router.h"

const char *openapi_make(const struct router *router, const char *version, struct arena *arena, size_t *bytes);

#endif
