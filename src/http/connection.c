/* src/http/connection.c: the life of a connection: READING, RUNNING, WRITING, and round again.
 * The socket is edge-triggered and registered once: `readable` and `writable` remember what epoll said until the socket
 * says no. While a request is answered nothing is read, so a client that pipelines fills its own socket buffer, not our
 * memory. Invariants: one exchange at a time; a connection whose exchange is abroad is not freed before it is back. */
#include "http/connection.h"
#include "base/when.h"
#include "http/readers.h"
#include "http/reply.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define LINGER_US 2000000
#define TURNS_MAX 64 /* then others have their turn */
#define STREAM_OUT_BYTES ((size_t)2 * STREAM_PAGE_BYTES)

struct connection *connection_new(struct http_server *server, int fd)
{
    struct connection *connection = calloc(1, sizeof *connection);
    struct parser *parser = parser_new(&server->limits);
    if (connection == NULL || parser == NULL) {
        free(connection);
        parser_free(parser);
        return NULL;
    }
    connection->server = server;
    connection->fd = fd;
    connection->parser = parser;
    connection->writable = true;
    connection->deadline_us = server->now_us + server->options.idle_us;
    connection->exchange.connection = connection;
    connection->exchange.server = server;
    connection->exchange.message = parser_message(parser);
    connection->next = server->connections;
    if (connection->next != NULL)
        connection->next->previous = connection;
    server->connections = connection;
    server->connection_count++;
    return connection;
}

void connection_free(struct connection *connection)
{
    struct http_server *server = connection->server;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    server->connection_count--;
    exchange_release(&connection->exchange);
    parser_free(connection->parser);
    free(connection->ahead);
    free(connection->out);
    free(connection);
}

/* The socket closes now; the memory waits for the exchange and for the end of the round, since epoll may have named
 * the connection once more. */
static void connection_close(struct connection *connection)
{
    struct http_server *server = connection->server;
    if (connection->fd >= 0)
        close(connection->fd);
    connection->fd = -1;
    connection->state = CLOSED;
    if (!connection->abroad && !connection->is_ready && !connection->is_grave) {
        connection->is_grave = true;
        connection->queue_next = server->graves;
        server->graves = connection;
    }
}

static void connection_linger(struct connection *connection)
{
    shutdown(connection->fd, SHUT_WR);
    connection->state = LINGERING;
    connection->deadline_us = connection->server->now_us + LINGER_US;
}

static bool would_wait(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* ---- reading ---- */

static void answer_ready(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;
    connection->closes |= connection->server->draining || !exchange->message->keep_alive;
    connection->head_bytes = reply_head(exchange, connection->closes, connection->head, sizeof connection->head);
    connection->sent = 0;
    connection->state = WRITING;
    connection->deadline_us = connection->server->now_us + connection->server->options.request_us;
    metrics_answered(connection->server->metrics, exchange->route_number, exchange->answer.status, when_monotonic_us() - exchange->started_us);
}

/* An exchange needs an arena; without memory for one there is nothing left but to say so and to close. */
static bool exchange_begin(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;
    exchange->arena = pool_take(&connection->server->pool, exchange->message->body_bytes);
    exchange->route_number = router_route_count(connection->server->router);
    if (exchange->arena != NULL)
        return true;
    server_refuse(connection->fd);
    connection->fd = -1;
    connection_close(connection);
    return false;
}

static void request_refused(struct connection *connection, enum fault_code code, const char *why)
{
    if (!exchange_begin(connection))
        return;
    connection->closes = true;
    dispatch_refused(&connection->exchange, code, why);
    answer_ready(connection);
}

static void request_complete(struct connection *connection)
{
    if (!exchange_begin(connection))
        return;
    connection->state = RUNNING;
    connection->abroad = true; /* before it may be: once dispatched it can be back at any time */
    if (dispatch(&connection->exchange)) {
        connection->abroad = false;
        answer_ready(connection);
    }
}

static bool send_continue(struct connection *connection)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    connection->continued = true;
    return send(connection->fd, interim, strlen(interim), MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)strlen(interim);
}

/* Gives bytes to the parser. Returns how many it took. */
static size_t feed(struct connection *connection, const char *at, size_t bytes)
{
    size_t used = bytes;
    const struct message *message = parser_message(connection->parser);
    if (parser_is_fresh(connection->parser)) {
        connection->exchange.started_us = connection->server->now_us;
        connection->deadline_us = connection->server->now_us + connection->server->options.request_us;
    }
    switch (parser_feed(connection->parser, at, bytes, &used)) {
    case PARSE_MORE:
        if (message->expects_continue && message->body_bytes == 0 && !connection->continued && !send_continue(connection))
            connection_close(connection);
        break;
    case PARSE_DONE:
        request_complete(connection);
        break;
    case PARSE_REFUSED:
        request_refused(connection, message->refused, message->why);
        break;
    }
    return used;
}

/* What came behind the request waits for its turn. */
static void keep_ahead(struct connection *connection, const char *at, size_t bytes)
{
    connection->ahead = malloc(bytes);
    if (connection->ahead == NULL) {
        connection->closes = true;
        return;
    }
    memcpy(connection->ahead, at, bytes);
    connection->ahead_at = 0;
    connection->ahead_bytes = bytes;
}

static void feed_ahead(struct connection *connection)
{
    connection->ahead_at += feed(connection, connection->ahead + connection->ahead_at, connection->ahead_bytes - connection->ahead_at);
    if (connection->ahead_at == connection->ahead_bytes) {
        free(connection->ahead);
        connection->ahead = NULL;
    }
}

/* Receives once. False: there is nothing now. */
static bool receive(struct connection *connection, ssize_t *bytes)
{
    if (!connection->readable)
        return false;
    *bytes = recv(connection->fd, connection->server->input, INPUT_BYTES, 0);
    if (would_wait(*bytes)) {
        connection->readable = false;
        return false;
    }
    /* Less than asked for: the socket is empty, and the next byte makes a new edge. A hang-up's edge has been already. */
    if (*bytes > 0 && (size_t)*bytes < INPUT_BYTES && !connection->hung_up)
        connection->readable = false;
    return true;
}

static bool read_request(struct connection *connection)
{
    ssize_t bytes = 0;
    if (connection->ahead != NULL) {
        feed_ahead(connection);
        return true;
    }
    if (!receive(connection, &bytes))
        return false;
    if (bytes <= 0) {
        connection_close(connection);
        return true;
    }
    size_t used = feed(connection, connection->server->input, (size_t)bytes);
    if (used < (size_t)bytes && connection->state != CLOSED && !connection->closes)
        keep_ahead(connection, connection->server->input + used, (size_t)bytes - used);
    return true;
}

/* Reads and forgets. False: there is nothing now. */
static bool read_off(struct connection *connection)
{
    ssize_t bytes = 0;
    if (!receive(connection, &bytes))
        return false;
    if (bytes <= 0)
        connection_close(connection);
    return true;
}

/* ---- writing ---- */

/* Sends from `parts`, of which `*sent` bytes are gone already. False: the socket takes no more now, or is closed. */
static bool send_parts(struct connection *connection, const struct iovec *parts, size_t *sent, size_t total)
{
    while (*sent < total) {
        struct iovec left[2];
        int count = 0;
        size_t skip = *sent;
        for (int i = 0; i < 2; i++) {
            if (parts[i].iov_len > skip)
                left[count++] = (struct iovec){ (char *)parts[i].iov_base + skip, parts[i].iov_len - skip };
            skip -= skip < parts[i].iov_len ? skip : parts[i].iov_len;
        }
        struct msghdr message = { .msg_iov = left, .msg_iovlen = (size_t)count };
        ssize_t result = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
        if (would_wait(result)) {
            connection->writable = false;
            return false;
        }
        if (result < 0 && errno == EINTR)
            continue;
        if (result < 0) {
            connection_close(connection);
            return false;
        }
        *sent += (size_t)result;
        connection->deadline_us = connection->server->now_us + connection->server->options.request_us;
    }
    return true;
}

static bool write_answer(struct connection *connection)
{
    const struct exchange *exchange = &connection->exchange;
    size_t body_bytes = exchange->answer.body != NULL && reply_has_body(exchange) ? exchange->answer.body_bytes : 0;
    struct iovec parts[2] = { { connection->head, connection->head_bytes }, { (void *)(uintptr_t)exchange->answer.body, body_bytes } };
    if (!connection->writable || !send_parts(connection, parts, &connection->sent, connection->head_bytes + body_bytes))
        return connection->state == CLOSED;
    exchange_release(&connection->exchange);
    parser_next(connection->parser);
    connection->continued = false;
    if (connection->closes)
        connection_linger(connection);
    else {
        connection->state = READING;
        connection->deadline_us = connection->server->now_us + connection->server->options.idle_us;
    }
    return true;
}

/* ---- events, live ---- */

static bool out_add(struct connection *connection, const char *text, size_t bytes)
{
    if (connection->out_at > 0) {
        memmove(connection->out, connection->out + connection->out_at, connection->out_bytes - connection->out_at);
        connection->out_bytes -= connection->out_at;
        connection->out_at = 0;
    }
    if (connection->out_bytes + bytes > connection->out_room) {
        char *out = realloc(connection->out, connection->out_bytes + bytes);
        if (out == NULL)
            return false;
        connection->out = out;
        connection->out_room = connection->out_bytes + bytes;
    }
    memcpy(connection->out + connection->out_bytes, text, bytes);
    connection->out_bytes += bytes;
    return true;
}

/* Sends what is there; when there is room for a page and news to read, a reader reads the next one. A client that does
 * not keep up so gets its pages later, from the store, and never more than two of them are in memory. */
static bool stream_pump(struct connection *connection)
{
    struct iovec parts[2] = { { connection->out, connection->out_bytes }, { NULL, 0 } };
    while (connection->state != CLOSED && read_off(connection))
        continue;
    if (connection->state == CLOSED)
        return true;
    if (connection->writable && connection->out_at < connection->out_bytes)
        send_parts(connection, parts, &connection->out_at, connection->out_bytes);
    if (connection->state == CLOSED)
        return true;
    bool room = connection->out_bytes - connection->out_at + STREAM_PAGE_BYTES <= STREAM_OUT_BYTES;
    if (!connection->abroad && connection->stream_woken && room) {
        connection->stream_woken = false;
        connection->abroad = true;
        connection->exchange.work = WORK_STREAM;
        atomic_fetch_add(&connection->server->abroad, 1);
        readers_take(connection->server->readers, &connection->exchange);
    }
    return false;
}

static void stream_begin(struct connection *connection)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Content-Type-Options: nosniff\r\n"
                               "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\nConnection: close\r\n\r\n";
    connection->state = STREAMING;
    connection->closes = true;
    connection->comment_us = connection->server->now_us + connection->server->options.stream_comment_us;
    metrics_answered(connection->server->metrics, connection->exchange.route_number, 200, when_monotonic_us() - connection->exchange.started_us);
    if (!out_add(connection, head, strlen(head)))
        connection_close(connection);
}

/* A page came. The first one decides whether there is a stream at all. */
static void stream_returned(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;
    if (exchange->ended && connection->state != STREAMING) {
        exchange->is_stream = false;
        answer_ready(connection);
        return;
    }
    if (exchange->ended) {
        connection_close(connection);
        return;
    }
    if (connection->state != STREAMING)
        stream_begin(connection);
    if (connection->state == STREAMING && exchange->page.size > 0) {
        connection->comment_us = connection->server->now_us + connection->server->options.stream_comment_us;
        if (!out_add(connection, exchange->page.at, exchange->page.size))
            connection_close(connection);
    }
    connection->stream_woken |= exchange->more;
}

/* ---- the round ---- */

void connection_advance(struct connection *connection)
{
    bool goes_on = true;
    for (int turn = 0; goes_on; turn++) {
        if (turn == TURNS_MAX && connection->state != CLOSED) {
            if (!connection->is_ready) {
                connection->is_ready = true;
                connection->queue_next = connection->server->ready;
                connection->server->ready = connection;
            }
            return;
        }
        switch (connection->state) {
        case READING:
            goes_on = read_request(connection);
            break;
        case WRITING:
            goes_on = write_answer(connection);
            break;
        case STREAMING:
            goes_on = stream_pump(connection);
            break;
        case LINGERING:
            goes_on = read_off(connection);
            break;
        case RUNNING:
            return;
        case CLOSED:
            connection_close(connection); /* if nothing holds its memory any more */
            return;
        }
    }
}

void connection_returned(struct connection *connection)
{
    connection->abroad = false;
    if (connection->state == CLOSED) {
        connection_close(connection); /* the client left meanwhile; now its memory may go */
        return;
    }
    connection->abroad = true;
    if (!dispatch_returned(&connection->exchange))
        return;
    connection->abroad = false;
    if (connection->exchange.is_stream)
        stream_returned(connection);
    else
        answer_ready(connection);
    connection_advance(connection);
}

void connection_sweep(struct connection *connection)
{
    int64_t now_us = connection->server->now_us;
    if (connection->state == STREAMING && now_us >= connection->comment_us && connection->out_at == connection->out_bytes) {
        /* A comment shows both ends that the other is there; and a wake that was missed costs no more than this. */
        connection->comment_us = now_us + connection->server->options.stream_comment_us;
        connection->deadline_us = now_us + connection->server->options.request_us;
        connection->stream_woken = true;
        if (!out_add(connection, ":\n\n", 3))
            connection_close(connection);
        connection_advance(connection);
    }
    if (now_us < connection->deadline_us || connection->state == RUNNING || connection->state == CLOSED)
        return;
    if (connection->state == STREAMING && connection->out_at == connection->out_bytes)
        return;
    if (connection->state == READING && !parser_is_fresh(connection->parser)) {
        request_refused(connection, FAULT_REQUEST_TIMEOUT, NULL);
        connection_advance(connection);
    } else
        connection_close(connection);
}

void connection_drain(struct connection *connection, bool at_once)
{
    bool idle = connection->state == READING && connection->ahead == NULL && parser_is_fresh(connection->parser) && !connection->readable;
    if (at_once ? connection->state != RUNNING && connection->state != CLOSED : idle || connection->state == STREAMING)
        connection_close(connection);
}
