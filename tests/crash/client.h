/* tests/crash/client.h: the real millrace as a process, and clients that speak to it over sockets. Nothing here waits longer
 * than CLIENT_TIMEOUT_S. */
#ifndef MILLRACE_TESTS_CRASH_CLIENT_H
#define MILLRACE_TESTS_CRASH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CLIENT_TIMEOUT_S 15

/* A company in a folder or in a PostgreSQL database of its own, initialised, with a key and what it sells. */
struct site {
    char folder[64], url[512], key[128], database[64];
};
bool site_has_postgres(void); /* says so aloud when MILLRACE_TEST_POSTGRES names no server */
void site_make(struct site *site, bool postgres);
void site_delete(struct site *site);
int site_check(const struct site *site); /* the exit code of millrace check; what it says goes to standard output */

struct server {
    pid_t pid;
    uint16_t port;
};
/* Started and ready; gives the milliseconds that took. Port 0: any, which is then kept in `server`. */
int64_t server_start(struct server *server, const struct site *site);
void server_kill(struct server *server); /* SIGKILL, and waited for */
void server_stop(struct server *server); /* SIGTERM */

/* One keep-alive connection; reconnects by itself for the next call. One thread. */
struct client {
    uint16_t port;
    const char *api_key;
    int fd; /* -1: none */
    int status; /* of the last answer, 0: none came */
    size_t body_bytes;
    char body[16384];
};
void client_open(struct client *client, uint16_t port, const char *api_key);
void client_close(struct client *client);
/* The status, 0 when no whole answer came. `key`: Idempotency-Key, may be NULL; `body` may be NULL. */
int client_call(struct client *client, const char *method, const char *target, const char *key, const char *body);

int64_t number_after(const char *text, const char *name); /* "name":N, -1 where there is none */
int64_t now_ms(void);

#endif
