/* src/http/docs.h: /docs: one page without third parties that reads /openapi.json and shows it, with every error code. */
#ifndef MILLRACE_HTTP_DOCS_H
#define MILLRACE_HTTP_DOCS_H

#include "base/text.h"

/* The page, and the Content-Security-Policy that lets its own script run and nothing else. */
const char *docs_make(struct arena *arena, size_t *bytes, const char **policy);

#endif
