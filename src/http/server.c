/* src/http/server.c: one thread, one epoll. A round: what the sockets say, what came back from the engine and the
 * readers, what was woken, what is overdue; then the dead are buried. Other threads only ever push an exchange onto
 * `done` and write the eventfd when it was empty: a batch's thousand answers cost one write. */
#include "http/server.h"
#include "base/thread.h"
#include "base/when.h"
#include "http/connection.h"
#include "http/docs.h"
#include "http/openapi.h"
#include "http/rates.h"
#include "http/readers.h"
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_A_ROUND 256
#define ACCEPTS_A_ROUND 128
#define BACKLOG 1024

static void wake(struct http_server *server)
{
    uint64_t one = 1;
    ssize_t written = write(server->wake, &one, sizeof one);
    (void)written; /* full means: it will wake anyway */
}

void server_done(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    struct exchange *before = atomic_load_explicit(&server->done, memory_order_relaxed);
    do
        exchange->next = before;
    while (!atomic_compare_exchange_weak_explicit(&server->done, &before, exchange, memory_order_release, memory_order_relaxed));
    if (before == NULL)
        wake(server);
}

void http_wake_streams(struct http_server *server)
{
    if (!atomic_exchange(&server->streams_woken, true))
        wake(server);
}

/* ---- the round ---- */

void server_refuse(int fd)
{
    static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nContent-Length: 85\r\n"
                               "Retry-After: 1\r\nConnection: close\r\n\r\n"
                               "{\"type\":\"/docs#busy\",\"title\":\"Busy\",\"status\":503,\"code\":\"busy\",\"detail\":\"come later\"}";
    char unread[4096];
    if (send(fd, busy, strlen(busy), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) { /* else it is gone already */
        shutdown(fd, SHUT_WR);
        (void)!recv(fd, unread, sizeof unread, MSG_DONTWAIT); /* what is unread when we close would become a reset */
    }
    close(fd);
}

static void accept_one(struct http_server *server, int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* slower without; nothing else */
    if (server->connection_count >= server->options.connections_max) {
        server_refuse(fd);
        return;
    }
    struct connection *connection = connection_new(server, fd);
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = connection };
    if (connection == NULL)
        server_refuse(fd);
    else if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        connection_free(connection);
        close(fd);
    }
}

static void listen_for(struct http_server *server, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = &server->listener };
    int failed = epoll_ctl(server->epoll, EPOLL_CTL_MOD, server->listener, &event);
    assert(failed == 0); /* both are ours and known to each other */
}

static void accept_some(struct http_server *server)
{
    for (int i = 0; i < ACCEPTS_A_ROUND; i++) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            accept_one(server, fd);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            server->listener_rests = true; /* until the next sweep: asking at once would only burn the processor */
            listen_for(server, 0);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

static void take_done(struct http_server *server)
{
    struct exchange *list = NULL;
    for (struct exchange *exchange = atomic_exchange_explicit(&server->done, NULL, memory_order_acquire); exchange != NULL;) {
        struct exchange *next = exchange->next;
        exchange->next = list; /* turned round: the first given back is the first answered */
        list = exchange;
        exchange = next;
    }
    while (list != NULL) {
        struct exchange *exchange = list;
        list = exchange->next;
        atomic_fetch_sub(&server->abroad, 1);
        connection_returned(exchange->connection);
    }
}

static void take_streams(struct http_server *server)
{
    if (!atomic_exchange(&server->streams_woken, false))
        return;
    for (struct connection *connection = server->connections; connection != NULL; connection = connection->next)
        if (connection->state == STREAMING || connection->exchange.is_stream) {
            connection->stream_woken = true;
            connection_advance(connection);
        }
}

static void take_ready(struct http_server *server)
{
    struct connection *list = server->ready;
    server->ready = NULL;
    while (list != NULL) {
        struct connection *connection = list;
        list = connection->queue_next;
        connection->is_ready = false;
        connection_advance(connection);
    }
}

static void sweep(struct http_server *server)
{
    if (server->now_us < server->next_sweep_us)
        return;
    server->next_sweep_us = server->now_us + server->sweep_us;
    if (server->listener_rests && !server->draining) {
        server->listener_rests = false;
        listen_for(server, EPOLLIN);
    }
    for (struct connection *connection = server->connections; connection != NULL; connection = connection->next)
        connection_sweep(connection);
}

static void bury(struct http_server *server)
{
    while (server->graves != NULL) {
        struct connection *connection = server->graves;
        server->graves = connection->queue_next;
        connection_free(connection);
    }
}

static void drain(struct http_server *server)
{
    if (!server->draining && atomic_load(&server->stopping)) {
        server->draining = true;
        server->drain_until_us = server->now_us + server->options.drain_us;
        close(server->listener);
        server->listener = -1;
    }
    if (server->draining)
        for (struct connection *connection = server->connections; connection != NULL; connection = connection->next)
            connection_drain(connection, server->now_us >= server->drain_until_us);
}

static void take_event(struct http_server *server, const struct epoll_event *event)
{
    if (event->data.ptr == &server->listener)
        accept_some(server);
    else if (event->data.ptr == &server->wake) {
        uint64_t count;
        ssize_t got = read(server->wake, &count, sizeof count);
        (void)got;
    } else {
        struct connection *connection = event->data.ptr;
        connection->readable |= (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        connection->writable |= (event->events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
        connection->hung_up |= (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        connection_advance(connection);
    }
}

static void *server_main(void *context)
{
    struct http_server *server = context;
    struct epoll_event events[EVENTS_A_ROUND];
    thread_begin("http", 0, THREAD_ANSWERS_US);
    while (!server->draining || server->connections != NULL || atomic_load(&server->abroad) > 0) {
        int64_t wait_us = server->ready != NULL ? 0 : max_i64(0, server->next_sweep_us - when_monotonic_us());
        int count = epoll_wait(server->epoll, events, EVENTS_A_ROUND, (int)((wait_us + 999) / 1000));
        server->now_us = when_monotonic_us();
        for (int i = 0; i < count; i++)
            take_event(server, &events[i]);
        take_done(server);
        take_streams(server);
        take_ready(server);
        sweep(server);
        drain(server);
        bury(server);
    }
    return NULL;
}

/* ---- start and stop ---- */

static bool listen_at(struct http_server *server, const char *host, uint16_t port, struct arena *arena, const char **error)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found = NULL;
    char service[8];
    int on = 1;
    snprintf(service, sizeof service, "%u", port);
    int failed = getaddrinfo(host, service, &hints, &found);
    if (failed != 0) {
        *error = arena_printf(arena, "cannot listen at %s: %s", host, gai_strerror(failed));
        return false;
    }
    server->listener = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool ok = server->listener >= 0 && setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              bind(server->listener, found->ai_addr, found->ai_addrlen) == 0 && listen(server->listener, BACKLOG) == 0;
    freeaddrinfo(found);
    struct sockaddr_in6 bound = { 0 };
    socklen_t bytes = sizeof bound;
    ok = ok && getsockname(server->listener, (struct sockaddr *)&bound, &bytes) == 0;
    if (!ok) {
        *error = arena_printf(arena, "cannot listen at %s port %u: %s", host, port, strerror(errno));
        return false;
    }
    static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port), "the port of both kinds");
    server->port = ntohs(bound.sin6_port);
    return true;
}

static bool watch(struct http_server *server)
{
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event listener = { .events = EPOLLIN, .data.ptr = &server->listener }, waker = { .events = EPOLLIN, .data.ptr = &server->wake };
    return server->epoll >= 0 && server->wake >= 0 && epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &listener) == 0 &&
           epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->wake, &waker) == 0;
}

static int64_t or_else(int64_t value, int64_t preset)
{
    return value != 0 ? value : preset;
}

static void options_fill(struct http_server *server)
{
    struct http_options *options = &server->options;
    options->host = options->host != NULL ? options->host : "127.0.0.1";
    options->version = options->version != NULL ? options->version : "0";
    options->readers = options->readers > 0 ? options->readers : 2;
    options->connections_max = (size_t)or_else((int64_t)options->connections_max, 4096);
    options->body_bytes_held_max = (size_t)or_else((int64_t)options->body_bytes_held_max, 512 << 20);
    options->request_us = or_else(options->request_us, 30000000);
    options->idle_us = or_else(options->idle_us, 75000000);
    options->drain_us = or_else(options->drain_us, 10000000);
    options->stream_comment_us = or_else(options->stream_comment_us, 15000000);
    int64_t shortest_us = min_i64(min_i64(options->request_us, options->idle_us), min_i64(options->drain_us, options->stream_comment_us));
    server->sweep_us = max_i64(10000, min_i64(1000000, shortest_us / 4));
    server->budget.limit = options->body_bytes_held_max;
    server->limits = (struct parser_limits){ .target_bytes = 8192, .head_bytes = 32768, .body_bytes = 8u << 20, .budget = &server->budget };
}

static void server_free(struct http_server *server)
{
    readers_stop(server->readers);
    if (server->listener >= 0)
        close(server->listener);
    if (server->epoll >= 0)
        close(server->epoll);
    if (server->wake >= 0)
        close(server->wake);
    free(server->input);
    rates_free(server->rates);
    pool_end(&server->pool);
    arena_free(server->arena);
    free(server);
}

static bool server_prepare(struct http_server *server, struct arena *arena, const char **error)
{
    *error = "no memory for the HTTP server";
    server->arena = arena_new(64u << 20);
    server->input = malloc(INPUT_BYTES);
    server->rates = rates_new();
    if (server->arena == NULL || server->input == NULL || server->rates == NULL)
        return false;
    server->router = router_new(server->options.routes, server->arena, error);
    if (server->router == NULL) {
        *error = arena_text(arena, *error);
        return false;
    }
    server->metrics = metrics_new(server->router, server->arena);
    server->openapi = openapi_make(server->router, server->options.version, server->arena, &server->openapi_bytes);
    server->docs = docs_make(server->arena, &server->docs_bytes, &server->docs_policy);
    if (!listen_at(server, server->options.host, server->options.port, arena, error))
        return false;
    *error = "cannot watch sockets or start threads: look at the limits of the process";
    server->readers = watch(server) ? readers_start(server, server->options.readers) : NULL;
    return server->readers != NULL;
}

struct http_server *http_start(const struct http_options *options, struct arena *arena, const char **error)
{
    struct http_server *server = calloc(1, sizeof *server);
    *error = "no memory for the HTTP server";
    if (server == NULL)
        return NULL;
    server->options = *options;
    server->listener = server->epoll = server->wake = -1;
    pool_init(&server->pool);
    options_fill(server);
    server->now_us = when_monotonic_us();
    if (!server_prepare(server, arena, error) || pthread_create(&server->thread, NULL, server_main, server) != 0) {
        server_free(server);
        return NULL;
    }
    return server;
}

uint16_t http_port(const struct http_server *server)
{
    return server->port;
}

void http_stop(struct http_server *server)
{
    if (server == NULL)
        return;
    atomic_store(&server->stopping, true);
    wake(server);
    pthread_join(server->thread, NULL);
    server_free(server);
}
