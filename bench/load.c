/* bench/load.c: an epoll client: n keep-alive connections, one request in flight on each. In an open loop a request is
 * timed from when it should have been sent, whether a connection was free then or not. What is sent is orders, or what
 * load->work makes. */
#include "bench.h"
#include "base/when.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_ROOM ((size_t)128 << 10)
#define ANSWER_ROOM ((size_t)16 << 10) /* at first */

struct connection {
    int socket;
    int64_t due_us;
    uint64_t number;
    size_t got, room;
    char *in;
};

struct client {
    const struct load *load;
    struct load_result *result;
    struct connection *connections;
    size_t *idle, idle_count, busy;
    int epoll;
    bool ended; /* there is no more to send */
    char *request;
    int64_t began_us;
    uint64_t next; /* number of the next request */
};

int dial(uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    if (made < 0 || connect(made, (struct sockaddr *)&at, sizeof at) != 0)
        die("connect: %m");
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return made;
}

size_t request_text(char *out, size_t room, const char *method, const char *target, const char *key, const char *headers, const char *body)
{
    int bytes = snprintf(out, room,
                         "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n%sContent-Length: "
                         "%zu\r\n\r\n%s",
                         method, target, key, headers, strlen(body), body);
    if (bytes < 0 || (size_t)bytes >= room)
        die("%s %s: there is no room for such a body", method, target);
    return (size_t)bytes;
}

static size_t make_order(const struct load *load, char *out, size_t room)
{
    static atomic_ullong number; /* from the clock: a kept world may have orders of earlier runs */
    unsigned long long none = 0;
    atomic_compare_exchange_strong(&number, &none, (unsigned long long)when_now_us());
    uint64_t skus[LINES];
    char body[4096];
    draw_skus(load->sku_count, load->demand, skus);
    order_body(body, sizeof body, atomic_fetch_add(&number, 1), skus);
    return request_text(out, room, "POST", "/v1/orders", load->key, "", body);
}

/* False when there is no more to send. */
static bool send_next(struct client *client, int64_t due_us)
{
    const struct load *load = client->load;
    const struct work *work = load->work;
    size_t i = client->idle[client->idle_count - 1];
    struct connection *connection = &client->connections[i];
    size_t bytes = work == NULL || work->make == NULL ? make_order(load, client->request, REQUEST_ROOM)
                                                      : work->make(work->context, client->next, client->request, REQUEST_ROOM);
    if (bytes == 0)
        return false;
    client->idle_count--;
    connection->due_us = due_us;
    connection->got = 0;
    connection->number = client->next++;
    if (send(connection->socket, client->request, bytes, MSG_NOSIGNAL) != (ssize_t)bytes)
        die("send: %m");
    client->busy++;
    return true;
}

bool answer_is_whole(const char *in, size_t got)
{
    const char *end = strstr(in, "\r\n\r\n"), *length = strcasestr(in, "\r\nContent-Length:");
    if (end == NULL)
        return false;
    if (length == NULL || length > end) /* 204 */
        return strncmp(in, "HTTP/1.1 204", 12) == 0;
    return got >= (size_t)(end + 4 - in) + strtoul(length + 17, NULL, 10);
}

/* True when the whole answer is there. */
static bool receive_some(struct client *client, struct connection *connection)
{
    if (connection->got + 1 >= connection->room) {
        connection->room = connection->room == 0 ? ANSWER_ROOM : connection->room * 2;
        connection->in = realloc(connection->in, connection->room);
        if (connection->in == NULL)
            die("no memory");
    }
    ssize_t got = recv(connection->socket, connection->in + connection->got, connection->room - 1 - connection->got, 0);
    if (got <= 0)
        die("recv: %s", got == 0 ? "the server hung up" : strerror(errno));
    connection->got += (size_t)got;
    connection->in[connection->got] = '\0';
    if (!answer_is_whole(connection->in, connection->got))
        return false;
    const struct work *work = client->load->work;
    bool good = work == NULL || work->answered == NULL ? strncmp(connection->in, "HTTP/1.1 201", 12) == 0
                                                       : work->answered(work->context, connection->number, connection->in);
    if (!good) {
        if (client->result->faults++ == 0)
            fprintf(stderr, "first fault: %.300s\n", connection->in);
    } else
        client->result->orders++;
    return true;
}

static int64_t due_of(const struct client *client, uint64_t number)
{
    return client->began_us + (int64_t)((double)number * 1e6 / client->load->rate);
}

static void send_what_is_due(struct client *client, int64_t end_us)
{
    while (!client->ended && client->idle_count > 0) {
        int64_t now = when_monotonic_us(), due = client->load->rate == 0 ? now : due_of(client, client->next);
        if (now >= end_us || due >= end_us || due > now)
            break;
        client->ended = !send_next(client, due);
    }
}

static void wait_for_answers(struct client *client, int64_t end_us)
{
    struct epoll_event events[256];
    struct timespec wait = { .tv_nsec = 100000000 };
    if (client->load->rate > 0 && client->idle_count > 0 && due_of(client, client->next) < end_us) {
        int64_t us = due_of(client, client->next) - when_monotonic_us();
        wait.tv_sec = us > 0 ? us / 1000000 : 0;
        wait.tv_nsec = us > 0 ? us % 1000000 * 1000 : 0;
    }
    int count = epoll_pwait2(client->epoll, events, COUNT(events), &wait, NULL);
    int64_t now = when_monotonic_us();
    for (int e = 0; e < count; e++) {
        size_t i = events[e].data.u64;
        if (!receive_some(client, &client->connections[i]))
            continue;
        times_add(&client->result->took, now - client->connections[i].due_us);
        client->idle[client->idle_count++] = i;
        client->busy--;
    }
}

static double cpu_s(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

void load_take(const struct load *load, struct load_result *result)
{
    struct client client = { .load = load, .result = result, .epoll = epoll_create1(EPOLL_CLOEXEC) };
    client.connections = calloc(load->connections, sizeof *client.connections);
    client.idle = calloc(load->connections, sizeof *client.idle);
    if (client.connections == NULL || client.idle == NULL)
        die("no memory");
    *result = (struct load_result){ 0 };
    client.request = malloc(REQUEST_ROOM);
    if (client.request == NULL)
        die("no memory");
    for (size_t i = 0; i < load->connections; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u64 = i };
        client.connections[i].socket = dial(load->ports[i % load->port_count]);
        epoll_ctl(client.epoll, EPOLL_CTL_ADD, client.connections[i].socket, &event);
        client.idle[client.idle_count++] = i;
    }
    double cpu = cpu_s();
    client.began_us = when_monotonic_us();
    int64_t end_us = client.began_us + (int64_t)(load->seconds * 1e6);
    do {
        send_what_is_due(&client, end_us);
        wait_for_answers(&client, end_us);
        client.ended = client.ended || (load->over != NULL && atomic_load(load->over));
    } while (client.busy > 0 || (!client.ended && (load->rate > 0 ? due_of(&client, client.next) : when_monotonic_us()) < end_us));
    result->seconds = (double)(when_monotonic_us() - client.began_us) / 1e6;
    result->client_cpu = (cpu_s() - cpu) / result->seconds;
    for (size_t i = 0; i < load->connections; i++) {
        close(client.connections[i].socket);
        free(client.connections[i].in);
    }
    close(client.epoll);
    free(client.request);
    free(client.idle);
    free(client.connections);
}

void load_run(const struct load *load, struct load_result *result)
{
    load_take(load, result);
    result->p50_ms = times_ms(&result->took, 50);
    result->p99_ms = times_ms(&result->took, 99);
    times_free(&result->took);
}

const char *http_ask(struct arena *arena, uint16_t port, const char *key, const char *method, const char *target, const char *body)
{
    struct buffer out = { .arena = arena };
    char *request = arena_alloc(arena, REQUEST_ROOM), in[4096];
    int socket_now = dial(port);
    size_t bytes = request_text(request, REQUEST_ROOM, method, target, key, "Connection: close\r\n", body);
    if (send(socket_now, request, bytes, MSG_NOSIGNAL) != (ssize_t)bytes)
        die("send: %m");
    buffer_text(&out, "");
    for (ssize_t got; (got = recv(socket_now, in, sizeof in, 0)) > 0;)
        buffer_printf(&out, "%.*s", (int)got, in);
    close(socket_now);
    return out.at;
}

const char *http_get(struct arena *arena, uint16_t port, const char *key, const char *target)
{
    return http_ask(arena, port, key, "GET", target, "");
}
