/* bench/load.c: an epoll client: n keep-alive connections, one request in flight on each. In an open loop a request is
 * timed from when it should have been sent, whether a connection was free then or not. */
#include "bench.h"
#include "base/when.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
    int socket;
    int64_t due_us;
    size_t got;
    char in[16384];
};

struct client {
    const struct load *load;
    struct load_result *result;
    struct connection *connections;
    size_t *idle, idle_count, busy;
    int epoll;
    struct times took;
    int64_t began_us, next; /* next: number of the next request of an open loop */
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

static void send_order(struct client *client, size_t i, int64_t due_us)
{
    static uint64_t number; /* from the clock: a kept world may have orders of earlier runs */
    if (number == 0)
        number = (uint64_t)when_now_us();
    struct connection *connection = &client->connections[i];
    uint64_t skus[LINES];
    char body[4096], request[5120];
    draw_skus(client->load->sku_count, client->load->demand, skus);
    int size = order_body(body, sizeof body, ++number, skus);
    int bytes = snprintf(request, sizeof request,
                         "POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
                         "Content-Length: %d\r\n\r\n%s",
                         client->load->key, size, body);
    connection->due_us = due_us;
    connection->got = 0;
    if (send(connection->socket, request, (size_t)bytes, MSG_NOSIGNAL) != bytes)
        die("send: %m");
    client->busy++;
}

/* True when the whole answer is there. */
static bool receive_some(struct client *client, struct connection *connection)
{
    ssize_t got = recv(connection->socket, connection->in + connection->got, sizeof connection->in - 1 - connection->got, 0);
    if (got <= 0)
        die("recv: %s", got == 0 ? "the server hung up" : strerror(errno));
    connection->got += (size_t)got;
    connection->in[connection->got] = '\0';
    const char *end = strstr(connection->in, "\r\n\r\n"), *length = strcasestr(connection->in, "\r\nContent-Length:");
    if (end == NULL || length == NULL || connection->got < (size_t)(end + 4 - connection->in) + strtoul(length + 17, NULL, 10))
        return false;
    if (strncmp(connection->in, "HTTP/1.1 201", 12) != 0) {
        if (client->result->faults++ == 0)
            fprintf(stderr, "first fault: %.300s\n", connection->in);
    } else
        client->result->orders++;
    return true;
}

static int64_t due_of(const struct client *client, int64_t number)
{
    return client->began_us + (int64_t)((double)number * 1e6 / client->load->rate);
}

static void send_what_is_due(struct client *client, int64_t end_us)
{
    if (client->load->rate == 0) {
        while (client->idle_count > 0 && when_monotonic_us() < end_us)
            send_order(client, client->idle[--client->idle_count], when_monotonic_us());
        return;
    }
    while (client->idle_count > 0 && due_of(client, client->next) < end_us && due_of(client, client->next) <= when_monotonic_us()) {
        send_order(client, client->idle[--client->idle_count], due_of(client, client->next));
        client->next++;
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
        times_add(&client->took, now - client->connections[i].due_us);
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

void load_run(const struct load *load, struct load_result *result)
{
    struct client client = { .load = load, .result = result, .epoll = epoll_create1(EPOLL_CLOEXEC) };
    client.connections = calloc(load->connections, sizeof *client.connections);
    client.idle = calloc(load->connections, sizeof *client.idle);
    if (client.connections == NULL || client.idle == NULL)
        die("no memory");
    *result = (struct load_result){ 0 };
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
    } while (client.busy > 0 || (load->rate > 0 ? due_of(&client, client.next) : when_monotonic_us()) < end_us);
    result->seconds = (double)(when_monotonic_us() - client.began_us) / 1e6;
    result->client_cpu = (cpu_s() - cpu) / result->seconds;
    result->p50_ms = times_ms(&client.took, 50);
    result->p99_ms = times_ms(&client.took, 99);
    for (size_t i = 0; i < load->connections; i++)
        close(client.connections[i].socket);
    close(client.epoll);
    times_free(&client.took);
    free(client.idle);
    free(client.connections);
}

const char *http_get(struct arena *arena, uint16_t port, const char *key, const char *target)
{
    struct buffer out = { .arena = arena };
    char request[512], in[4096];
    int socket_now = dial(port);
    int bytes =
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n", target, key);
    if (send(socket_now, request, (size_t)bytes, MSG_NOSIGNAL) != bytes)
        die("send: %m");
    buffer_text(&out, "");
    for (ssize_t got; (got = recv(socket_now, in, sizeof in, 0)) > 0;)
        buffer_printf(&out, "%.*s", (int)got, in);
    close(socket_now);
    return out.at;
}
