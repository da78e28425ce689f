/* src/http/metrics.h: what /metrics tells, in the text format of Prometheus. Counted on the HTTP thread alone. */
#ifndef MILLRACE_HTTP_METRICS_H
#define MILLRACE_HTTP_METRICS_H

#include "base/text.h"
#include "http/router.h"

struct engine;
struct metrics;

/* Counters for each route of the router; they live in the arena. */
struct metrics *metrics_new(const struct router *router, struct arena *arena);

/* One answer was made. route_number = router_route_count: no route was found. */
void metrics_answered(struct metrics *metrics, size_t route_number, int status, int64_t took_us);

struct metrics_now {
    size_t connections, streams, reads_queued;
    struct engine *engine; /* NULL: none */
};
void metrics_write(const struct metrics *metrics, const struct metrics_now *now, struct buffer *out);

#endif
