/* tests/crash/client.c: see client.h. */
#include "crash/client.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

size_t setting(const char *name, size_t preset)
{
    const char *text = getenv(name);
    return text == NULL ? preset : strtoul(text, NULL, 10);
}

int64_t number_after(const char *text, const char *name)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *at = text == NULL ? NULL : strstr(text, quoted);
    return at == NULL ? -1 : strtoll(at + strlen(quoted), NULL, 10);
}

void text_after(const char *text, const char *name, char *out, size_t room)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
    const char *at = strstr(text, quoted);
    at = at == NULL ? "" : at + strlen(quoted);
    snprintf(out, room, "%.*s", (int)strcspn(at, "\""), at);
}

void client_open(struct client *client, uint16_t port, const char *api_key)
{
    client->port = port;
    client->api_key = api_key;
    client->headers = NULL;
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

/* The head and the body of one answer, Content-Length only. Of a body that is too long the beginning is kept. */
static bool hear(struct client *client)
{
    char in[sizeof client->body + 4096], rest[4096];
    size_t bytes = 0, head = 0, length = 0;
    while (head == 0 || bytes < head + length) {
        const bool keeps = bytes < sizeof in - 1;
        if (!keeps && head == 0)
            return false;
        ssize_t got = keeps ? recv(client->fd, in + bytes, sizeof in - 1 - bytes, 0) : recv(client->fd, rest, sizeof rest, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += (size_t)got;
        in[keeps ? bytes : sizeof in - 1] = '\0';
        const char *blank = head == 0 ? strstr(in, "\r\n\r\n") : NULL;
        if (blank == NULL)
            continue;
        head = (size_t)(blank - in) + 4;
        const char *says = strcasestr(in, "\r\nContent-Length:");
        length = says == NULL || says > blank ? 0 : strtoul(says + 17, NULL, 10);
    }
    client->status = (int)strtol(in + sizeof "HTTP/1.1", NULL, 10);
    client->body_bytes = length < sizeof client->body ? length : sizeof client->body - 1;
    memcpy(client->body, in + head, client->body_bytes);
    client->body[client->body_bytes] = '\0';
    if (strcasestr(in, "\r\nConnection: close") != NULL)
        client_close(client);
    return true;
}

int client_call(struct client *client, const char *method, const char *target, const char *key, const char *body)
{
    char out[65536];
    client->status = 0;
    client->body[0] = '\0';
    client->body_bytes = 0;
    int bytes = snprintf(out, sizeof out, "%s %s HTTP/1.1\r\nHost: millrace\r\nAuthorization: Bearer %s\r\n%s%s%s%s", method, target, client->api_key,
                         client->headers == NULL ? "" : client->headers, key == NULL ? "" : "Idempotency-Key: ", key == NULL ? "" : key,
                         key == NULL ? "" : "\r\n");
    if ((size_t)bytes >= sizeof out)
        return 0;
    if (body == NULL)
        bytes += snprintf(out + bytes, sizeof out - (size_t)bytes, "\r\n");
    else
        bytes +=
            snprintf(out + bytes, sizeof out - (size_t)bytes, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    if ((size_t)bytes >= sizeof out || !reach(client))
        return 0;
    if (!say(client, out, (size_t)bytes) || !hear(client))
        client_close(client);
    return client->status;
}

int client_send(struct client *client, const char *method, const char *target, const char *type, const void *body, size_t bytes)
{
    char head[2048];
    int length =
        snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: millrace\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                 method, target, client->api_key, type, bytes);
    client->status = 0;
    client->body[0] = '\0';
    client->body_bytes = 0;
    if ((size_t)length >= sizeof head || !reach(client))
        return 0;
    bool said = say(client, head, (size_t)length) && say(client, body, bytes); /* an answer may come before the body's end */
    if (!hear(client) || !said)
        client_close(client);
    return client->status;
}

void client_must(struct client *client, const char *method, const char *target, const char *body)
{
    if (client_call(client, method, target, NULL, body) / 100 != 2)
        fail_msg("%s %s %s: %d %.500s", method, target, body == NULL ? "" : body, client->status, client->body);
}
