/* src/http/http.h: the HTTP server: one thread that talks to all connections, a few that read from the store, and the
 * engine behind. Start here. Commands go to the engine and are answered when it says so; reads go to a reader's thread;
 * live events are pages that a reader's thread fills. A server has no mutable globals: a process may hold several. */
#ifndef MILLRACE_HTTP_HTTP_H
#define MILLRACE_HTTP_HTTP_H

#include "engine/api.h"
#include "engine/engine.h"
#include "engine/vault.h"
#include "http/auth.h"

/* Reads that a projection serves wait until it has reached the moment of the request's arrival. */
struct projection_hook {
    void *context;
    int64_t (*mark)(void *context); /* now: what the projection must have reached; called on the HTTP thread, must not wait */
    /* Waits on a reader's thread, at most until `deadline_us` (when_monotonic_us). NULL: projections are always caught up. */
    bool (*caught_up)(void *context, int64_t mark, int64_t deadline_us);
};

/* One client that follows events live. The cursor is the module's; it begins as unit -1, seq -1. */
struct stream {
    const struct request *request; /* its query rows say what is wanted */
    const char *last_event_id;     /* the header's text, NULL: none */
    int64_t unit, seq;
};
struct stream_source {
    void *context;
    /* On a reader's thread: adds the events after the cursor to `out`, as text/event-stream, about `bytes_max` at most,
     * and moves the cursor. *more: there is more already. False: the stream ends, for what *result
     * says of the store, or with DB_OK in it for an unknown cursor. */
    bool (*fill)(void *context, struct reading *reading, struct stream *stream, struct buffer *out, size_t bytes_max, bool *more,
                 enum db_result *result);
};

/* Figures of another part of the process; called on the HTTP thread, must not wait. write NULL: none. */
struct figures_hook {
    void *context;
    void (*write)(void *context, struct buffer *out);
};

struct http_options {
    const char *host; /* NULL: 127.0.0.1 */
    uint16_t port;    /* 0: one that is free, see http_port */
    struct engine *engine;
    struct vault *vault;
    struct auth_source auth;
    const struct db_options *store;          /* of the readers' connections; NULL: reads run without a store */
    bool projection;                         /* readers open the projections' store as well */
    const struct route_table *const *routes; /* ends in NULL; http_routes (router.h) are those of all modules */
    struct projection_hook projected;
    struct stream_source streams;
    struct figures_hook figures; /* what others have to say in /metrics */
    bool private_targets;        /* see struct edge */
    const void *context;         /* handed to reads */
    const char *version;         /* for /openapi.json */
    int readers;                 /* threads; 0: 2 */
    /* Bounds; 0 stands for the value behind it. */
    size_t connections_max;                                   /* 4096 */
    size_t body_bytes_held_max;                               /* 512 MiB: of all connections together */
    int64_t request_us, idle_us, drain_us, stream_comment_us; /* 30 s, 75 s, 10 s, 15 s */
};

struct http_server;

/* Listens and starts the threads. NULL with *error, a sentence in the arena. What the options point to must outlive the
 * server; the options themselves are copied. */
struct http_server *http_start(const struct http_options *options, struct arena *arena, const char **error);
uint16_t http_port(const struct http_server *server);

/* Takes no more connections, answers what was taken (with Connection: close), ends live streams, stops. The engine must
 * still run: commands in flight are waited for. */
void http_stop(struct http_server *server);

/* There are new events: streams look for them. From any thread; cheap, and many calls may become one. */
void http_wake_streams(struct http_server *server);

#endif
