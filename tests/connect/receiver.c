/* tests/connect/receiver.c: a thread for each connection; blocking, and each with an end. */
#include "connect/receiver.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOM 65536
#define REQUEST_BYTES ((size_t)1 << 20)
#define HANGS_MS 60000

struct receiver {
    int listener;
    uint16_t port;
    pthread_t thread;
    atomic_bool stopping, down;
    atomic_int connections;
    pthread_mutex_t lock;
    char poison[64];
    struct received *received;
    size_t count;
};
struct connection {
    struct receiver *receiver;
    int fd;
};

static bool say(int fd, const char *text)
{
    size_t bytes = strlen(text);
    return send(fd, text, bytes, MSG_NOSIGNAL) == (ssize_t)bytes;
}

/* The whole request in `text`; its body begins at *body. False: the client is gone. */
static bool take_request(struct connection *c, char *text, size_t *body, size_t *bytes)
{
    size_t size = 0, wanted = 0;
    *body = 0;
    while (*body == 0 || size < wanted) {
        ssize_t got = size + 1 < REQUEST_BYTES ? recv(c->fd, text + size, REQUEST_BYTES - 1 - size, 0) : 0;
        if (got <= 0)
            return false;
        size += (size_t)got;
        text[size] = '\0';
        char *end = *body == 0 ? strstr(text, "\r\n\r\n") : NULL;
        if (end == NULL)
            continue;
        const char *length = strcasestr(text, "\r\ncontent-length:");
        *body = (size_t)(end + 4 - text);
        wanted = *body + (length == NULL ? 0 : strtoul(length + 17, NULL, 10));
    }
    *bytes = size - *body;
    return true;
}

static void header(const char *text, const char *name, char *out, size_t room)
{
    char line[80];
    snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *at = strcasestr(text, line);
    out[0] = '\0';
    if (at != NULL)
        snprintf(out, room, "%.*s", (int)strcspn(at + strlen(line), "\r"), at + strlen(line));
}

static enum receiver_path path_of(const char *path)
{
    static const char *const paths[] = {
#define RECEIVER_NAME(name, text) text,
        RECEIVER_PATHS(RECEIVER_NAME)
#undef RECEIVER_NAME
    };
    enum receiver_path i = RECEIVE_OK;
    while (i < RECEIVE_COUNT && strcmp(paths[i], path) != 0)
        i++;
    return i;
}

static int status_of(struct receiver *receiver, enum receiver_path path, const char *body)
{
    pthread_mutex_lock(&receiver->lock);
    bool poisoned = receiver->poison[0] != '\0' && strstr(body, receiver->poison) != NULL;
    pthread_mutex_unlock(&receiver->lock);
    switch (path) {
    case RECEIVE_DOWN:
        return receiver->down ? 503 : 200;
    case RECEIVE_POISON:
        return poisoned ? 500 : 200;
    case RECEIVE_REDIRECT:
        return 307;
    case RECEIVE_GONE:
        return 410;
    case RECEIVE_BUSY:
        return 429;
    case RECEIVE_OK:
    case RECEIVE_FLOOD:
        return 200;
    case RECEIVE_HANG:
    case RECEIVE_CLOSE:
    case RECEIVE_SLOW:
    case RECEIVE_HEADERS:
    case RECEIVE_GARBAGE:
        return 0;
    case RECEIVE_COUNT:
        break;
    }
    return 404;
}

static void remember(struct receiver *receiver, const char *text, const char *path, const char *body, size_t bytes, int status)
{
    pthread_mutex_lock(&receiver->lock);
    if (receiver->count < ROOM) {
        struct received *r = &receiver->received[receiver->count++];
        *r = (struct received){ .status = status, .body = malloc(bytes + 1), .body_bytes = bytes };
        snprintf(r->path, sizeof r->path, "%s", path);
        header(text, "webhook-id", r->id, sizeof r->id);
        header(text, "webhook-timestamp", r->timestamp, sizeof r->timestamp);
        header(text, "webhook-signature", r->signature, sizeof r->signature);
        memcpy(r->body, body, bytes);
        r->body[bytes] = '\0';
    }
    pthread_mutex_unlock(&receiver->lock);
}

static void pause_ms(struct receiver *receiver, int ms)
{
    for (int i = 0; i < ms / 10 && !receiver->stopping; i++)
        usleep(10000);
}

static void without_end(struct connection *c, const char *line)
{
    while (!c->receiver->stopping && say(c->fd, line))
        continue;
}

/* False: the connection ends. */
static bool answer(struct connection *c, enum receiver_path path, int status)
{
    char text[256];
    if (path == RECEIVE_HANG)
        pause_ms(c->receiver, HANGS_MS);
    if (path == RECEIVE_HANG || path == RECEIVE_CLOSE)
        return false;
    if (path == RECEIVE_SLOW) {
        for (const char *at = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"; *at != '\0'; at++) {
            if (send(c->fd, at, 1, MSG_NOSIGNAL) != 1)
                return false;
            pause_ms(c->receiver, 100);
        }
        return false;
    }
    if (path == RECEIVE_GARBAGE)
        return say(c->fd, "hello\r\n\r\n") && false;
    if (path == RECEIVE_HEADERS && say(c->fd, "HTTP/1.1 200 OK\r\n"))
        without_end(c, "x-more: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n");
    if (path == RECEIVE_FLOOD && say(c->fd, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"))
        without_end(c, "40\r\n0123456789012345678901234567890123456789012345678901234567890123\r\n");
    if (path == RECEIVE_HEADERS || path == RECEIVE_FLOOD)
        return false;
    snprintf(text, sizeof text, "HTTP/1.1 %d X\r\n%scontent-length: 2\r\n\r\nok", status,
             status == 307   ? "location: /redirected\r\n"
             : status == 429 ? "retry-after: 120\r\n"
                             : "");
    return say(c->fd, text);
}

static void *serve(void *context)
{
    struct connection *c = context;
    struct receiver *receiver = c->receiver;
    char *text = malloc(REQUEST_BYTES), path[64];
    size_t body, bytes;
    while (text != NULL && !receiver->stopping && take_request(c, text, &body, &bytes)) {
        const char *from = strchr(text, ' ');
        snprintf(path, sizeof path, "%.*s", (int)strcspn(from + 1, " ?"), from + 1);
        enum receiver_path which = path_of(path);
        int status = status_of(receiver, which, text + body);
        remember(receiver, text, path, text + body, bytes, status);
        if (!answer(c, which, status))
            break;
    }
    free(text);
    close(c->fd);
    free(c);
    receiver->connections--;
    return NULL;
}

static void *listen_on(void *context)
{
    struct receiver *receiver = context;
    for (int fd; (fd = accept(receiver->listener, NULL, NULL)) >= 0;) {
        struct connection *c = malloc(sizeof *c);
        pthread_t thread;
        const struct timeval patience = { .tv_sec = 1 };
        if (c == NULL || receiver->stopping) {
            free(c);
            close(fd);
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        *c = (struct connection){ receiver, fd };
        receiver->connections++;
        if (pthread_create(&thread, NULL, serve, c) == 0)
            pthread_detach(thread);
    }
    return NULL;
}

struct receiver *receiver_start(void)
{
    struct receiver *receiver = calloc(1, sizeof *receiver);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof to;
    if (receiver == NULL || (receiver->received = calloc(ROOM, sizeof *receiver->received)) == NULL)
        abort();
    pthread_mutex_init(&receiver->lock, NULL);
    receiver->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(receiver->listener, (struct sockaddr *)&to, sizeof to) != 0 || listen(receiver->listener, 128) != 0 ||
        getsockname(receiver->listener, (struct sockaddr *)&to, &size) != 0 || pthread_create(&receiver->thread, NULL, listen_on, receiver) != 0)
        abort();
    receiver->port = ntohs(to.sin_port);
    return receiver;
}

void receiver_stop(struct receiver *receiver)
{
    receiver->stopping = true;
    shutdown(receiver->listener, SHUT_RDWR);
    close(receiver->listener);
    pthread_join(receiver->thread, NULL);
    for (int i = 0; i < 300 && receiver->connections > 0; i++)
        usleep(10000);
    if (receiver->connections > 0)
        return; /* a client that stays: its thread still looks at this */
    for (size_t i = 0; i < receiver->count; i++)
        free(receiver->received[i].body);
    free(receiver->received);
    free(receiver);
}

uint16_t receiver_port(const struct receiver *receiver)
{
    return receiver->port;
}

void receiver_down(struct receiver *receiver, bool down)
{
    receiver->down = down;
}

void receiver_poison(struct receiver *receiver, const char *word)
{
    pthread_mutex_lock(&receiver->lock);
    snprintf(receiver->poison, sizeof receiver->poison, "%s", word);
    pthread_mutex_unlock(&receiver->lock);
}

size_t receiver_count(struct receiver *receiver)
{
    pthread_mutex_lock(&receiver->lock);
    size_t count = receiver->count;
    pthread_mutex_unlock(&receiver->lock);
    return count;
}

struct received receiver_at(struct receiver *receiver, size_t i)
{
    pthread_mutex_lock(&receiver->lock);
    struct received received = receiver->received[i];
    pthread_mutex_unlock(&receiver->lock);
    return received;
}

size_t receiver_count_of(struct receiver *receiver, const char *path, bool good)
{
    size_t count = 0, all = receiver_count(receiver);
    for (size_t i = 0; i < all; i++) {
        struct received received = receiver_at(receiver, i);
        count += strcmp(received.path, path) == 0 && (!good || (received.status >= 200 && received.status < 300));
    }
    return count;
}
