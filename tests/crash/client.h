/* tests/crash/client.h: clients that speak to millrace over sockets. Nothing here waits longer than CLIENT_TIMEOUT_S. */
#ifndef MILLRACE_TESTS_CRASH_CLIENT_H
#define MILLRACE_TESTS_CRASH_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#define CLIENT_TIMEOUT_S 15
#define CLIENT_BODY_BYTES ((size_t)512 << 10)

/* One keep-alive connection; reconnects by itself for the next call. One thread. */
struct client {
    uint16_t port;
    const char *api_key;
    const char *headers; /* further lines of each request, each with its CRLF; NULL: none */
    int fd;              /* -1: none */
    int status;          /* of the last answer, 0: none came */
    size_t body_bytes;
    char body[CLIENT_BODY_BYTES];
};
void client_open(struct client *client, uint16_t port, const char *api_key);
void client_close(struct client *client);
/* The status, 0 when no whole answer came. `key`: Idempotency-Key, may be NULL; `body` may be NULL. */
int client_call(struct client *client, const char *method, const char *target, const char *key, const char *body);
/* The same for a body of any bytes and any content type, of any length. */
int client_send(struct client *client, const char *method, const char *target, const char *type, const void *body, size_t bytes);
/* A call that must be done (2xx), else the test fails. */
void client_must(struct client *client, const char *method, const char *target, const char *body);

int64_t number_after(const char *text, const char *name);                    /* "name":N, -1 where there is none */
void text_after(const char *text, const char *name, char *out, size_t room); /* "name":"...", "" where there is none */
int64_t now_ms(void);
size_t setting(const char *name, size_t preset); /* of the environment */

#endif
