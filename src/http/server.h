/* src/http/server.h: what the files of this folder share: the server, its connections and their exchanges. Who may
 * touch what: connections and the server's lists belong to the HTTP thread. An exchange belongs to one thread at a
 * time: to the HTTP thread, then to the engine or a reader, who gives it back through server_done. */
#ifndef MILLRACE_HTTP_SERVER_H
#define MILLRACE_HTTP_SERVER_H

#include "engine/command.h"
#include "http/http.h"
#include "http/metrics.h"
#include "http/parser.h"
#include "http/pool.h"
#include "http/router.h"
#include <pthread.h>
#include <stdatomic.h>

struct connection;
struct rates;
struct readers;

/* What an exchange waits for while another thread has it. */
enum exchange_work {
    WORK_NONE,
    WORK_COMMANDS, /* the engine */
    WORK_READ,     /* a reader: route->read */
    WORK_EDGE,     /* a reader: parse a large body and submit it */
    WORK_PAST,     /* a reader: what commands must know of the past, then submit them */
    WORK_KEYS,     /* a reader: look for the key in the store */
    WORK_STREAM,   /* a reader: the next page of events */
};

/* One request and its answer. A connection has one at a time: pipelined requests are answered in order. */
struct exchange {
    struct exchange *next;
    struct connection *connection;
    struct http_server *server;
    const struct message *message;
    struct arena *arena; /* of this request; everything below lives there */
    struct request request;
    const struct route *route;
    size_t route_number; /* for the metrics; router_route_count: no route */
    struct answer answer;
    const char *allow; /* of a 405 */
    enum exchange_work work;
    bool keys_reloaded, keys_unread, is_head, is_stream;
    int64_t started_us; /* monotonic: its first byte */
    bool is_projected;  /* it waits for the projection */
    int64_t mark;       /* of the projection at its arrival */
    struct command *commands;
    size_t command_count;
    bool is_preview;     /* of a batch as a whole */
    const void *made_of; /* route->maker: its input; the commands are made on a reader's thread */
    atomic_size_t commands_left;
    /* A live stream. */
    struct stream stream;
    struct arena_mark stream_mark; /* pages are forgotten back to here */
    struct buffer page;
    bool more, ended;
};

struct http_server {
    struct http_options options;
    struct arena *arena; /* of the server's whole life */
    struct router *router;
    struct metrics *metrics;
    struct rates *rates; /* of keys; the HTTP thread's */
    struct arena_pool pool;
    struct readers *readers;
    struct parser_limits limits;
    struct body_budget budget;
    int listener, epoll, wake;
    uint16_t port;
    char *input; /* what the HTTP thread reads into */
    struct connection *connections, *graves, *ready;
    size_t connection_count;
    int64_t now_us, next_sweep_us, sweep_us, drain_until_us;
    bool draining, listener_rests;
    const char *openapi;
    size_t openapi_bytes;
    const char *docs, *docs_policy;
    size_t docs_bytes;
    _Atomic(struct exchange *) done; /* what other threads gave back, the last one first */
    atomic_bool stopping, streams_woken;
    atomic_int abroad; /* exchanges that another thread has */
    pthread_t thread;
};

/* Says 503 to a client for whom there is no memory, without needing any, and closes. */
void server_refuse(int fd);

/* Gives an exchange back to the HTTP thread. One write of the eventfd for all that gathers before it looks. */
void server_done(struct exchange *exchange);

/* The request is complete: finds its route and its key, and answers, or hands it to the engine or a reader. True: the
 * answer is there. */
bool dispatch(struct exchange *exchange);

/* It came back from another thread: makes the answer. False: it went off again. */
bool dispatch_returned(struct exchange *exchange);

/* Answers what could not even be parsed. */
void dispatch_refused(struct exchange *exchange, enum fault_code code, const char *detail);

/* Gives back what the exchange holds; it may begin anew. */
void exchange_release(struct exchange *exchange);

#endif
