/* src/importer/asker.c: a lane is a connection and what happens on it: dial, send, hear, and again. Sockets are opened when
 * they are first needed and kept; poll() says which lane may go on. llhttp takes the answers apart, as it does the server's
 * requests. */
#include "importer/asker.h"
#include "base/when.h"
#include <errno.h>
#include <fcntl.h>
#include <llhttp/llhttp.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SILENCE_US 120000000      /* a server that says nothing for so long is taken for gone */
#define PATIENCE_US 180000000     /* for one call, all its tries together */
#define FIRST_PATIENCE_US 3000000 /* before anything was ever answered: a wrong URL is told at once */
#define PAUSE_US 200000           /* before a try again */
#define ANSWER_BYTES_MAX (256u << 20)

/* Bytes that the C library owns: kept from call to call. */
struct heap {
    char *at;
    size_t size, room;
};

struct lane {
    llhttp_t parser;   /* first: the callbacks get its address */
    int fd;            /* -1: none */
    struct call *call; /* NULL: idle */
    struct heap out, in;
    size_t sent;
    bool used, whole, failed;           /* used: an answer has come on this connection before */
    int64_t began_us, heard_us, due_us; /* due_us: not to be tried before */
};

struct asker {
    struct addrinfo *address;
    char host[256], key[256], error[400];
    size_t lane_count;
    bool answered;   /* something was, by whatever lane */
    bool background; /* what is asked can wait */
    llhttp_settings_t settings;
    struct lane lanes[ASKER_CONNECTIONS_MAX];
};

static bool heap_add(struct heap *heap, const char *at, size_t bytes)
{
    if (heap->size + bytes > heap->room) {
        size_t room = heap->room * 2 + bytes + 4096;
        char *grown = realloc(heap->at, room);
        if (grown == NULL)
            return false;
        heap->at = grown;
        heap->room = room;
    }
    if (bytes > 0)
        memcpy(heap->at + heap->size, at, bytes);
    heap->size += bytes;
    return true;
}

static int on_body(llhttp_t *parser, const char *at, size_t bytes)
{
    struct lane *lane = (struct lane *)parser;
    return lane->in.size + bytes <= ANSWER_BYTES_MAX && heap_add(&lane->in, at, bytes) ? 0 : -1;
}

static int on_complete(llhttp_t *parser)
{
    ((struct lane *)parser)->whole = true;
    return HPE_PAUSED;
}

/* ---- open and close ---- */

static bool read_url(struct asker *asker, const char *url, char *port, size_t room)
{
    if (strncmp(url, "http://", 7) != 0)
        return false;
    const char *host = url + 7, *end = host + strcspn(host, "/"), *colon = memchr(host, ':', (size_t)(end - host));
    if (end[0] == '/' && end[1] != '\0')
        return false;
    size_t host_bytes = (size_t)((colon == NULL ? end : colon) - host), port_bytes = colon == NULL ? 0 : (size_t)(end - colon - 1);
    if (host_bytes == 0 || host_bytes >= sizeof asker->host || port_bytes >= room || (colon != NULL && port_bytes == 0))
        return false;
    memcpy(asker->host, host, host_bytes);
    snprintf(port, room, "%.*s", colon == NULL ? 2 : (int)port_bytes, colon == NULL ? "80" : colon + 1);
    return true;
}

struct asker *asker_open(const char *url, const char *key, size_t connections, struct arena *arena, const char **error)
{
    char port[8];
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    struct asker *asker = calloc(1, sizeof *asker);
    *error = "no memory";
    if (asker == NULL)
        return NULL;
    llhttp_settings_init(&asker->settings);
    asker->settings.on_body = on_body;
    asker->settings.on_message_complete = on_complete;
    asker->lane_count = connections < 1 ? 1 : connections > ASKER_CONNECTIONS_MAX ? ASKER_CONNECTIONS_MAX : connections;
    for (size_t i = 0; i < ASKER_CONNECTIONS_MAX; i++)
        asker->lanes[i].fd = -1;
    int failed;
    if (strlen(key) >= sizeof asker->key || strpbrk(key, "\r\n") != NULL)
        *error = "the key is none that millrace key add has printed";
    else if (!read_url(asker, url, port, sizeof port))
        *error = arena_printf(arena, "%s is not http://HOST:PORT", url);
    else if ((failed = getaddrinfo(asker->host, port, &hints, &asker->address)) != 0)
        *error = arena_printf(arena, "%s: %s", url, gai_strerror(failed));
    else {
        snprintf(asker->key, sizeof asker->key, "%s", key);
        return asker;
    }
    free(asker);
    return NULL;
}

static void hang_up(struct lane *lane)
{
    if (lane->fd >= 0)
        close(lane->fd);
    lane->fd = -1;
    lane->used = false;
}

void asker_close(struct asker *asker)
{
    if (asker == NULL)
        return;
    for (size_t i = 0; i < ASKER_CONNECTIONS_MAX; i++) {
        hang_up(&asker->lanes[i]);
        free(asker->lanes[i].out.at);
        free(asker->lanes[i].in.at);
    }
    freeaddrinfo(asker->address);
    free(asker);
}

const char *asker_error(const struct asker *asker)
{
    return asker->error;
}

void asker_in_background(struct asker *asker)
{
    asker->background = true;
}

/* ---- one lane ---- */

static bool dial(const struct asker *asker, struct lane *lane)
{
    int yes = 1;
    for (const struct addrinfo *at = asker->address; at != NULL && lane->fd < 0; at = at->ai_next) {
        lane->fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (lane->fd >= 0 && connect(lane->fd, at->ai_addr, at->ai_addrlen) != 0) {
            int why = errno;
            hang_up(lane);
            errno = why;
        }
    }
    if (lane->fd < 0)
        return false;
    (void)setsockopt(lane->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fcntl(lane->fd, F_SETFL, O_NONBLOCK) == 0;
}

static bool compose(const struct asker *asker, struct lane *lane)
{
    char head[2048];
    const struct call *call = lane->call;
    const char *key = call->idempotency_key;
    int size = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n%s%s%s%s", call->method, call->target,
                        asker->host, asker->key, asker->background ? "Priority: u=7\r\n" : "",
                        key == NULL ? "" : "Idempotency-Key: ", key == NULL ? "" : key, key == NULL ? "" : "\r\n");
    lane->out.size = 0;
    if (size < 0 || (size_t)size >= sizeof head || !heap_add(&lane->out, head, (size_t)size))
        return false;
    size = call->body == NULL ? snprintf(head, sizeof head, "\r\n")
                              : snprintf(head, sizeof head, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", call->body_bytes);
    return heap_add(&lane->out, head, (size_t)size) && heap_add(&lane->out, call->body, call->body == NULL ? 0 : call->body_bytes);
}

/* From the beginning: a request that was sent in part or whole is sent again. */
static void begin(struct asker *asker, struct lane *lane)
{
    lane->sent = lane->in.size = 0;
    lane->whole = false;
    lane->heard_us = when_monotonic_us();
    llhttp_init(&lane->parser, HTTP_RESPONSE, &asker->settings);
    if (lane->fd < 0 && !dial(asker, lane))
        snprintf(asker->error, sizeof asker->error, "%s does not answer: %s", asker->host, strerror(errno));
}

/* Later, or never: false when the patience for this call is at its end. */
static bool again(struct asker *asker, struct lane *lane, const char *why)
{
    int64_t now = when_monotonic_us();
    bool stale = lane->used && lane->in.size == 0; /* an idle connection that the server has closed meanwhile: at once */
    if (why != NULL)
        snprintf(asker->error, sizeof asker->error, "%s: %s", asker->host, why);
    hang_up(lane);
    lane->due_us = stale ? now : now + PAUSE_US;
    return now - lane->began_us < (asker->answered ? PATIENCE_US : FIRST_PATIENCE_US);
}

static bool push(struct lane *lane)
{
    while (lane->sent < lane->out.size) {
        ssize_t sent = send(lane->fd, lane->out.at + lane->sent, lane->out.size - lane->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        lane->sent += (size_t)sent;
    }
    return true;
}

/* What has come; false when the connection is of no more use and the answer is not whole. */
static bool hear(struct lane *lane)
{
    char some[65536];
    while (!lane->whole) {
        ssize_t got = recv(lane->fd, some, sizeof some, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        if (got == 0) {
            (void)llhttp_finish(&lane->parser);
            return lane->whole;
        }
        lane->heard_us = when_monotonic_us();
        llhttp_errno_t result = llhttp_execute(&lane->parser, some, (size_t)got);
        if (result != HPE_OK && result != HPE_PAUSED)
            return false;
    }
    return true;
}

static void finish(struct lane *lane, struct arena *arena)
{
    struct call *call = lane->call;
    call->status = llhttp_get_status_code(&lane->parser);
    call->answer = arena_text_n(arena, lane->in.size == 0 ? "" : lane->in.at, lane->in.size);
    call->answer_bytes = lane->in.size;
    lane->call = NULL;
    lane->used = true;
    if (!llhttp_should_keep_alive(&lane->parser))
        hang_up(lane);
}

/* One step of a lane whose socket may be ready. False: give up. */
static bool step(struct asker *asker, struct lane *lane, struct arena *arena)
{
    int64_t now = when_monotonic_us();
    if (lane->fd < 0) {
        if (now < lane->due_us)
            return true;
        begin(asker, lane);
        if (lane->fd < 0)
            return again(asker, lane, NULL);
    }
    if (!push(lane) || !hear(lane))
        return again(asker, lane, "the connection was lost");
    if (!lane->whole)
        return now - lane->heard_us < SILENCE_US || again(asker, lane, "no answer");
    const int status = llhttp_get_status_code(&lane->parser);
    if (status == 503 || status == 429)
        return again(asker, lane, status == 503 ? "the server is busy (503)" : "the key's rate is spent (429)");
    finish(lane, arena);
    asker->answered = true;
    return true;
}

/* ---- all of them ---- */

static bool take_call(struct asker *asker, struct lane *lane, struct call *call)
{
    lane->call = call;
    lane->began_us = when_monotonic_us();
    lane->due_us = 0;
    if (!compose(asker, lane)) {
        snprintf(asker->error, sizeof asker->error, "%s: no memory, or a target that is too long", call->target);
        return false;
    }
    if (lane->fd >= 0)
        begin(asker, lane);
    return true;
}

static void wait_for_any(struct asker *asker)
{
    struct pollfd polled[ASKER_CONNECTIONS_MAX];
    nfds_t count = 0;
    for (size_t i = 0; i < asker->lane_count; i++) {
        const struct lane *lane = &asker->lanes[i];
        if (lane->call != NULL && lane->fd >= 0)
            polled[count++] = (struct pollfd){ .fd = lane->fd, .events = (short)(lane->sent < lane->out.size ? POLLIN | POLLOUT : POLLIN) };
    }
    (void)poll(polled, count, 100);
}

bool asker_run(struct asker *asker, struct arena *arena, struct call *calls, size_t count)
{
    size_t next = 0, busy = 0;
    bool good = true;
    while (good && (next < count || busy > 0)) {
        busy = 0;
        for (size_t i = 0; i < asker->lane_count && good; i++) {
            struct lane *lane = &asker->lanes[i];
            if (lane->call == NULL && next < count)
                good = take_call(asker, lane, &calls[next++]);
            if (lane->call != NULL && good)
                good = step(asker, lane, arena);
            busy += lane->call != NULL;
        }
        if (good && busy > 0)
            wait_for_any(asker);
    }
    for (size_t i = 0; i < asker->lane_count && !good; i++) { /* what was on its way is not waited for */
        asker->lanes[i].call = NULL;
        hang_up(&asker->lanes[i]);
    }
    return good;
}
