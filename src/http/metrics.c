/* src/http/metrics.c: counters and histograms by route template, never by path: what clients choose must not become
 * time series. Seconds, cumulative buckets, _total on counters: what promtool asks. */
#include "http/metrics.h"
#include "engine/engine.h"

static const int64_t bounds_us[] = { 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000 };

struct route_metrics {
    int64_t answered[6];            /* by the status' first digit */
    int64_t took[COUNT(bounds_us)]; /* not cumulative yet */
    int64_t count, sum_us;
};

struct metrics {
    const struct router *router;
    struct route_metrics *routes; /* one more than there are routes */
};

struct metrics *metrics_new(const struct router *router, struct arena *arena)
{
    struct metrics *metrics = ARENA_NEW(arena, struct metrics);
    metrics->router = router;
    metrics->routes = ARENA_ARRAY(arena, struct route_metrics, router_route_count(router) + 1);
    return metrics;
}

void metrics_answered(struct metrics *metrics, size_t route_number, int status, int64_t took_us)
{
    struct route_metrics *route = &metrics->routes[route_number];
    size_t bucket = 0;
    route->answered[status / 100 % 6]++;
    route->count++;
    route->sum_us += took_us;
    while (bucket < COUNT(bounds_us) && took_us > bounds_us[bucket])
        bucket++;
    if (bucket < COUNT(bounds_us))
        route->took[bucket]++;
}

static void seconds(struct buffer *out, int64_t us)
{
    buffer_printf(out, "%lld.%06lld", (long long)(us / 1000000), (long long)(us % 1000000));
}

static void labels(struct buffer *out, const struct metrics *metrics, size_t number)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
    if (number == router_route_count(metrics->router))
        buffer_text(out, "route=\"none\",method=\"any\"");
    else {
        const struct route *route = router_route(metrics->router, number);
        buffer_printf(out, "route=\"%s\",method=\"%s\"", route->path, methods[route->method]);
    }
}

static void header(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void requests_write(const struct metrics *metrics, struct buffer *out)
{
    header(out, "millrace_http_requests_total", "counter", "Requests answered, by route, method and class of status.");
    for (size_t i = 0; i <= router_route_count(metrics->router); i++)
        for (int class = 1; class < 6; class ++) {
            if (metrics->routes[i].answered[class] == 0)
                continue;
            buffer_text(out, "millrace_http_requests_total{");
            labels(out, metrics, i);
            buffer_printf(out, ",status=\"%dxx\"} %lld\n", class, (long long)metrics->routes[i].answered[class]);
        }
}

static void latencies_write(const struct metrics *metrics, struct buffer *out)
{
    header(out, "millrace_http_request_seconds", "histogram", "From a request's first byte to its answer, by route and method.");
    for (size_t i = 0; i <= router_route_count(metrics->router); i++) {
        const struct route_metrics *route = &metrics->routes[i];
        int64_t below = 0;
        if (route->count == 0)
            continue;
        for (size_t bucket = 0; bucket <= COUNT(bounds_us); bucket++) {
            bool last = bucket == COUNT(bounds_us);
            below = last ? route->count : below + route->took[bucket];
            buffer_text(out, "millrace_http_request_seconds_bucket{");
            labels(out, metrics, i);
            buffer_text(out, ",le=\"");
            if (last)
                buffer_text(out, "+Inf");
            else
                seconds(out, bounds_us[bucket]);
            buffer_printf(out, "\"} %lld\n", (long long)below);
        }
        buffer_text(out, "millrace_http_request_seconds_sum{");
        labels(out, metrics, i);
        buffer_text(out, "} ");
        seconds(out, route->sum_us);
        buffer_text(out, "\nmillrace_http_request_seconds_count{");
        labels(out, metrics, i);
        buffer_printf(out, "} %lld\n", (long long)route->count);
    }
}

static void one(struct buffer *out, const char *name, const char *type, const char *help, int64_t value)
{
    header(out, name, type, help);
    buffer_printf(out, "%s %lld\n", name, (long long)value);
}

static void engine_write(struct engine *engine, struct buffer *out)
{
    struct engine_stats stats;
    engine_stats(engine, &stats);
    one(out, "millrace_engine_batches_total", "counter", "Batches committed.", stats.batches);
    one(out, "millrace_engine_commands_total", "counter", "Commands decided.", stats.commands);
    one(out, "millrace_engine_refused_total", "counter", "Commands refused.", stats.refused);
    one(out, "millrace_engine_retried_total", "counter", "Batches tried again.", stats.retried);
    one(out, "millrace_engine_needs_total", "counter", "Attempts undone to load a row that no hint had named.", stats.needs);
    one(out, "millrace_engine_queued", "gauge", "Commands that wait.", stats.queued);
    one(out, "millrace_engine_queued_bytes", "gauge", "Bytes of commands that wait.", stats.queue_bytes);
    const struct {
        const char *phase;
        int64_t us;
    } phases[] = { { "take", stats.take_us },
                   { "prefetch", stats.prefetch_us },
                   { "decide", stats.decide_us },
                   { "write", stats.write_us },
                   { "commit", stats.commit_us } };
    header(out, "millrace_engine_phase_seconds_total", "counter", "Time of the writer, by phase of the batch.");
    for (size_t i = 0; i < COUNT(phases); i++) {
        buffer_printf(out, "millrace_engine_phase_seconds_total{phase=\"%s\"} ", phases[i].phase);
        seconds(out, phases[i].us);
        buffer_text(out, "\n");
    }
    header(out, "millrace_engine_sync_seconds_total", "counter", "Time in which the disk made batches durable, beside the writer.");
    buffer_text(out, "millrace_engine_sync_seconds_total ");
    seconds(out, stats.sync_us);
    buffer_text(out, "\n");
}

void metrics_write(const struct metrics *metrics, const struct metrics_now *now, struct buffer *out)
{
    requests_write(metrics, out);
    latencies_write(metrics, out);
    one(out, "millrace_http_connections", "gauge", "Open connections.", (int64_t)now->connections);
    one(out, "millrace_http_streams", "gauge", "Clients that follow events live.", (int64_t)now->streams);
    one(out, "millrace_http_reads_queued", "gauge", "Reads that wait for a reader.", (int64_t)now->reads_queued);
    if (now->engine != NULL)
        engine_write(now->engine, out);
}
