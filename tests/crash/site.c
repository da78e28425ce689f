/* tests/crash/site.c: see site.h. */
#include "crash/site.h"
#include "crash/client.h"
#include "db/db.h"
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- the company ---- */

const char *site_postgres(void)
{
    const char *server = getenv("MILLRACE_TEST_POSTGRES");
    if (server == NULL)
        print_message("SKIPPED on PostgreSQL: MILLRACE_TEST_POSTGRES names no server\n");
    return server;
}

int site_run(const struct site *site, char *said, size_t room, const char *format, ...)
{
    char words[2048], line[2400];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    snprintf(line, sizeof line, "timeout 300 '%s' %s", site->binary, words);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    size_t bytes = fread(said, 1, room - 1, pipe);
    said[bytes] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void on_postgres(const struct site *site, const char *verb)
{
    struct arena *arena = arena_new((size_t)1 << 24);
    struct db *db = NULL;
    const char *error = "";
    if (db_open(&db, &(struct db_options){ .url = site->server }, arena, &error) != DB_OK)
        fail_msg("%s", error);
    if (db_script(db, arena_printf(arena, "%s DATABASE \"%s\"%s", verb, site->database, verb[0] == 'D' ? " WITH (FORCE)" : "")) != DB_OK)
        fail_msg("%s %s: %s", verb, site->database, db_last_error(db));
    db_close(db);
    arena_free(arena);
}

void url_with_database(char *out, size_t room, const char *url, const char *database)
{
    const char *query = strchr(url, '?'), *name = NULL;
    for (const char *at = url; (at = strstr(at, "/postgres")) != NULL; at++)
        name = at; /* the last one: the database, not the scheme */
    assert_non_null(name);
    snprintf(out, room, "%.*s/%s%s", (int)(name - url), url, database, query == NULL ? "" : query);
}

void site_make(struct site *site, const char *base, const char *server)
{
    char said[1024];
    *site = (struct site){ .binary = getenv("MILLRACE_BINARY"), .server = server };
    if (site->binary == NULL)
        fail_msg("MILLRACE_BINARY names no millrace");
    signal(SIGPIPE, SIG_IGN);
    snprintf(site->folder, sizeof site->folder, "%s/millrace-crash.XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(site->folder));
    snprintf(site->url, sizeof site->url, "sqlite:%s/shop.db", site->folder);
    if (server != NULL) {
        snprintf(site->database, sizeof site->database, "crash_%d_%s", (int)getpid(), strrchr(site->folder, '.') + 1);
        url_with_database(site->url, sizeof site->url, server, site->database);
        on_postgres(site, "CREATE");
    }
    if (site_run(site, said, sizeof said, "init --db '%s' --company Shop 2>&1", site->url) != 0)
        fail_msg("millrace init: %s", said);
    if (site_run(site, said, sizeof said, "key add --db '%s' --name test --scope admin --scope orders --scope inventory --scope read", site->url) !=
        0)
        fail_msg("millrace key add: %s", said);
    snprintf(site->key, sizeof site->key, "%.*s", (int)strcspn(said, "\n"), said);
}

void site_delete(struct site *site)
{
    char line[140];
    if (site->database[0] != '\0')
        on_postgres(site, "DROP");
    snprintf(line, sizeof line, "rm -rf '%s'", site->folder);
    assert_int_equal(system(line), 0);
}

int site_check(const struct site *site)
{
    char said[4096];
    int code = site_run(site, said, sizeof said, "check --db '%s' 2>&1", site->url);
    if (code != 0)
        print_message("millrace check: %d: %s\n", code, said);
    return code;
}

/* ---- the server ---- */

static void server_child(const struct server *server, const struct site *site, int out)
{
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%d", (int)server->port);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive the test */
    dup2(out, STDOUT_FILENO);
    execl(site->binary, "millrace", "serve", "--db", site->url, "--listen", listen, (char *)NULL);
    _exit(127);
}

int64_t server_start(struct server *server, const struct site *site)
{
    int64_t from = now_ms();
    int out[2];
    char said[200] = "";
    size_t bytes = 0;
    assert_int_equal(pipe(out), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0)
        server_child(server, site, out[1]);
    close(out[1]);
    while (bytes < sizeof said - 1 && memchr(said, '\n', bytes) == NULL) {
        struct pollfd waits = { .fd = out[0], .events = POLLIN };
        ssize_t got = poll(&waits, 1, CLIENT_TIMEOUT_S * 1000) == 1 ? read(out[0], said + bytes, sizeof said - 1 - bytes) : -1;
        if (got <= 0)
            break;
        bytes += (size_t)got;
    }
    said[bytes] = '\0';
    close(out[0]);
    const char *colon = strrchr(said, ':');
    if (strncmp(said, "ready http://", 13) != 0 || colon == NULL) {
        server_kill(server);
        fail_msg("the server did not get ready; it said \"%s\"", said);
    }
    server->port = (uint16_t)strtol(colon + 1, NULL, 10);
    return now_ms() - from;
}

static void end(struct server *server, int with)
{
    int status = 0;
    if (server->pid <= 0)
        return;
    kill(server->pid, with);
    for (int64_t until = now_ms() + INT64_C(1000) * CLIENT_TIMEOUT_S; waitpid(server->pid, &status, WNOHANG) == 0; usleep(2000))
        if (now_ms() > until && with != SIGKILL) {
            kill(server->pid, SIGKILL);
            waitpid(server->pid, &status, 0);
            server->pid = 0;
            fail_msg("the server did not stop in %d s", CLIENT_TIMEOUT_S);
        }
    server->pid = 0;
    if (with == SIGTERM && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        fail_msg("the server ended with status %d", status);
}

void server_kill(struct server *server)
{
    end(server, SIGKILL);
}

void server_stop(struct server *server)
{
    end(server, SIGTERM);
}

bool server_is_gone(struct server *server)
{
    if (server->pid > 0 && waitpid(server->pid, NULL, WNOHANG) == server->pid)
        server->pid = 0;
    return server->pid == 0;
}
