/* tests/crash/client.c: see client.h. */
#include "crash/client.h"
#include "db/db.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t number_after(const char *text, const char *name)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *at = strstr(text, quoted);
    return at == NULL ? -1 : strtoll(at + strlen(quoted), NULL, 10);
}

/* ---- the company ---- */

static const char *binary(void)
{
    const char *path = getenv("MILLRACE_BINARY");
    if (path == NULL)
        fail_msg("MILLRACE_BINARY names no millrace");
    return path;
}

bool site_has_postgres(void)
{
    if (getenv("MILLRACE_TEST_POSTGRES") != NULL)
        return true;
    print_message("SKIPPED on PostgreSQL: MILLRACE_TEST_POSTGRES names no server\n");
    return false;
}

/* Runs millrace; gives its exit code and, in `said`, what it said on standard output. */
static int run(char *said, size_t room, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int run(char *said, size_t room, const char *format, ...)
{
    char words[1024], line[1400];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    snprintf(line, sizeof line, "timeout 300 '%s' %s", binary(), words);
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
    if (db_open(&db, &(struct db_options){ .url = getenv("MILLRACE_TEST_POSTGRES") }, arena, &error) != DB_OK)
        fail_msg("%s", error);
    if (db_script(db, arena_printf(arena, "%s DATABASE \"%s\"%s", verb, site->database, verb[0] == 'D' ? " WITH (FORCE)" : "")) != DB_OK)
        fail_msg("%s %s: %s", verb, site->database, db_last_error(db));
    db_close(db);
    arena_free(arena);
}

static void name_database(struct site *site)
{
    const char *server = getenv("MILLRACE_TEST_POSTGRES"), *query = strchr(server, '?'), *name = NULL;
    for (const char *at = server; (at = strstr(at, "/postgres")) != NULL; at++)
        name = at; /* the last one: the database, not the scheme */
    assert_non_null(name);
    snprintf(site->database, sizeof site->database, "crash_%d_%s", (int)getpid(), strrchr(site->folder, '.') + 1);
    snprintf(site->url, sizeof site->url, "%.*s/%s%s", (int)(name - server), server, site->database, query == NULL ? "" : query);
    on_postgres(site, "CREATE");
}

void site_make(struct site *site, bool postgres)
{
    char said[1024];
    *site = (struct site){ .folder = "/tmp/millrace-crash.XXXXXX" };
    signal(SIGPIPE, SIG_IGN);
    assert_non_null(mkdtemp(site->folder));
    snprintf(site->url, sizeof site->url, "sqlite:%s/shop.db", site->folder);
    if (postgres)
        name_database(site);
    if (run(said, sizeof said, "init --db '%s' --company Shop 2>&1", site->url) != 0)
        fail_msg("millrace init: %s", said);
    if (run(said, sizeof said, "key add --db '%s' --name test --scope admin --scope orders --scope inventory --scope read", site->url) != 0)
        fail_msg("millrace key add: %s", said);
    snprintf(site->key, sizeof site->key, "%.*s", (int)strcspn(said, "\n"), said);
}

void site_delete(struct site *site)
{
    char line[100];
    if (site->database[0] != '\0')
        on_postgres(site, "DROP");
    snprintf(line, sizeof line, "rm -rf '%s'", site->folder);
    assert_int_equal(system(line), 0);
}

int site_check(const struct site *site)
{
    char said[4096];
    int code = run(said, sizeof said, "check --db '%s' 2>&1", site->url);
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
    execl(binary(), "millrace", "serve", "--db", site->url, "--listen", listen, (char *)NULL);
    _exit(127);
}

int64_t server_start(struct server *server, const struct site *site)
{
    int64_t from = now_ms();
    int out[2];
    char said[200];
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
    for (int64_t until = now_ms() + CLIENT_TIMEOUT_S * 1000; waitpid(server->pid, &status, WNOHANG) == 0; usleep(2000))
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

/* ---- a client ---- */

void client_open(struct client *client, uint16_t port, const char *api_key)
{
    client->port = port;
    client->api_key = api_key;
    client->fd = -1;
}

void client_close(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}

static bool reach(struct client *client)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(client->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval limit = { .tv_sec = CLIENT_TIMEOUT_S };
    int on = 1;
    if (client->fd >= 0)
        return true;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return false;
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(client->fd, (const struct sockaddr *)(const void *)&to, sizeof to) == 0)
        return true;
    client_close(client);
    return false;
}

static bool say(const struct client *client, const char *text, size_t bytes)
{
    while (bytes > 0) {
        ssize_t sent = send(client->fd, text, bytes, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        text += sent;
        bytes -= (size_t)sent;
    }
    return true;
}

/* The head and the body of one answer, Content-Length only. */
static bool hear(struct client *client)
{
    char in[sizeof client->body + 4096];
    size_t bytes = 0, head = 0, length = 0;
    while (head == 0 || bytes < head + length) {
        ssize_t got = bytes == sizeof in - 1 ? 0 : recv(client->fd, in + bytes, sizeof in - 1 - bytes, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += (size_t)got;
        in[bytes] = '\0';
        const char *blank = head == 0 ? strstr(in, "\r\n\r\n") : NULL;
        if (blank == NULL)
            continue;
        head = (size_t)(blank - in) + 4;
        const char *says = strcasestr(in, "\r\nContent-Length:");
        length = says == NULL || says > blank ? 0 : strtoul(says + 17, NULL, 10);
        if (length >= sizeof client->body)
            return false;
    }
    client->status = (int)strtol(in + sizeof "HTTP/1.1", NULL, 10);
    client->body_bytes = length;
    memcpy(client->body, in + head, length);
    client->body[length] = '\0';
    if (strcasestr(in, "\r\nConnection: close") != NULL)
        client_close(client);
    return true;
}

int client_call(struct client *client, const char *method, const char *target, const char *key, const char *body)
{
    char out[8192];
    int bytes = snprintf(out, sizeof out, "%s %s HTTP/1.1\r\nHost: millrace\r\nAuthorization: Bearer %s\r\n%s%s%s", method, target, client->api_key,
                         key == NULL ? "" : "Idempotency-Key: ", key == NULL ? "" : key, key == NULL ? "" : "\r\n");
    if (body == NULL)
        bytes += snprintf(out + bytes, sizeof out - (size_t)bytes, "\r\n");
    else
        bytes += snprintf(out + bytes, sizeof out - (size_t)bytes, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    client->status = 0;
    client->body[0] = '\0';
    client->body_bytes = 0;
    if ((size_t)bytes >= sizeof out || !reach(client))
        return 0;
    if (!say(client, out, (size_t)bytes) || !hear(client))
        client_close(client);
    return client->status;
}
