/* src/http/connection.h: one client's socket: bytes in, one request at a time, its answer out, again. */
#ifndef MILLRACE_HTTP_CONNECTION_H
#define MILLRACE_HTTP_CONNECTION_H

#include "http/server.h"

#define ANSWER_HEAD_BYTES 2048
#define INPUT_BYTES 65536u

enum connection_state {
    READING,   /* waits for a request, or for the rest of one */
    RUNNING,   /* the engine or a reader has the exchange */
    WRITING,   /* the answer goes out */
    STREAMING, /* events go out until the client leaves */
    LINGERING, /* we have said all; reads off what the client still sends, so that no reset destroys our answer */
    CLOSED,
};

struct connection {
    struct connection *next, *previous; /* of all */
    struct connection *queue_next;      /* of those that are ready, or dead */
    struct http_server *server;
    int fd;
    enum connection_state state;
    bool readable, writable, hung_up, is_ready, is_grave;
    bool abroad;    /* another thread has the exchange */
    bool closes;    /* after this answer */
    bool continued; /* 100 was sent */
    bool stream_woken;
    struct parser *parser;
    struct exchange exchange;
    char *ahead; /* came after the request that is being answered */
    size_t ahead_at, ahead_bytes;
    int64_t deadline_us, comment_us;
    char head[ANSWER_HEAD_BYTES];
    size_t head_bytes, sent;
    char *out; /* of a stream: what is not sent yet */
    size_t out_at, out_bytes, out_room;
};

/* Takes over the socket. NULL: no memory; the socket is the caller's still. */
struct connection *connection_new(struct http_server *server, int fd);
void connection_free(struct connection *connection);

/* Does all that can be done now. */
void connection_advance(struct connection *connection);

/* Its exchange came back from another thread. */
void connection_returned(struct connection *connection);

/* Time has passed: ends what takes too long, comments on quiet streams. */
void connection_sweep(struct connection *connection);

/* The server stops: idle ones and streams end now, the others after their answer. */
void connection_drain(struct connection *connection, bool at_once);

#endif
