/* src/http/undo.h: taking back. An undo becomes the request that takes back what an event tells (insight/undo.h) before it is submitted: it is
 * looked at, decided and answered as that request. By an Idempotency-Key it is all that came with it, the last entry first. */
#ifndef MILLRACE_HTTP_UNDO_H
#define MILLRACE_HTTP_UNDO_H

#include "engine/api.h"

extern const struct route_table undo_routes;

#endif
