/* tests/crash/site.h: a company in a folder or in a PostgreSQL database of its own, and the real millrace that serves it as a
 * process. Nothing here waits longer than CLIENT_TIMEOUT_S, but for `millrace` itself. */
#ifndef MILLRACE_TESTS_CRASH_SITE_H
#define MILLRACE_TESTS_CRASH_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Initialised, with a key that may do all that the tests do. */
struct site {
    const char *binary; /* that serves it: MILLRACE_BINARY, unless a test sets another */
    const char *server; /* PostgreSQL's URL; NULL: SQLite */
    char folder[96], url[512], key[128], database[64];
};
const char *site_postgres(void); /* MILLRACE_TEST_POSTGRES; NULL, and said aloud, when it names no server */
/* In a new folder of `base` (NULL: /tmp); `server` NULL: on SQLite there, else in a new database of that server. Both must
 * outlive the site. */
void site_make(struct site *site, const char *base, const char *server);
void site_delete(struct site *site);
/* Runs millrace; gives its exit code and, in `said`, what it said on standard output. */
int site_run(const struct site *site, char *said, size_t room, const char *format, ...) __attribute__((format(printf, 4, 5)));
int site_check(const struct site *site); /* the exit code of millrace check; what it says goes to standard output */
/* The URL of the server with this database in it, in `out`. */
void url_with_database(char *out, size_t room, const char *url, const char *database);

struct server {
    pid_t pid;
    uint16_t port;
};
/* Started and ready; gives the milliseconds that took. Port 0: any, which is then kept in `server`. */
int64_t server_start(struct server *server, const struct site *site);
void server_kill(struct server *server);    /* SIGKILL, and waited for */
void server_stop(struct server *server);    /* SIGTERM, and it must end well */
bool server_is_gone(struct server *server); /* it has ended by itself */

#endif
