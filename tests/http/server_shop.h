/* tests/http/server_shop.h: a server with a handful of routes and an engine that only echoes, and a client that talks
 * raw bytes to it. */
#ifndef MILLRACE_TESTS_HTTP_SERVER_SHOP_H
#define MILLRACE_TESTS_HTTP_SERVER_SHOP_H

#include "http/http.h"
#include <stdatomic.h>

#define ADMIN_KEY "mr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define READ_KEY "mr_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define LATE_KEY "mr_CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC" /* known after a reload only */
#define SLOW_KEY "mr_DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD" /* once a second, and once more at once */

struct shop {
    struct arena *arena;
    struct engine *engine;
    struct http_server *server;
};

/* What the shop counts; reset by shop_open. */
struct shop_counts {
    atomic_int smuggled, decided, reloads;
    int before; /* the command that is decided: in its preview */
    atomic_llong last_event;
};

/* The options' engine, auth, routes and streams are the shop's. */
struct shop *shop_open(const struct http_options *options);
void shop_close(struct shop *shop);
struct shop_counts *shop_counts(void);

/* The engine keeps what it gets until it is let go. */
void shop_hold(struct shop *shop, bool hold);

/* Each batch of the engine takes that long, as a commit does; 0 at first. */
void shop_commit_takes(struct shop *shop, unsigned us);

/* ---- the client ---- */

struct reply {
    int status;
    char *head, *body; /* NUL-terminated, until the next reply */
    size_t body_bytes;
};

struct client {
    int fd;
    char *in;
    size_t bytes, at;
    struct reply reply;
};

struct client *client_open(const struct shop *shop);
void client_close(struct client *client);
void client_send(struct client *client, const char *bytes, size_t count);
void client_text(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
void client_finish(struct client *client); /* sends no more */
/* The next answer; NULL: the connection ended first. `to_head`: an answer to HEAD has no body. Fails the test after 10 s. */
const struct reply *client_answer(struct client *client, bool to_head);
bool client_is_closed(struct client *client, int within_ms); /* the server closes, and sends no more before */
/* One request on a connection of its own; the body may be NULL. */
struct reply call(const struct shop *shop, const char *method, const char *target, const char *key, const char *headers, const char *body);
bool has(const char *text, const char *part);

#endif
