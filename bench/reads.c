/* bench/reads.c: what a person waits for while orders come in as fast as they are taken: an order, a list by stage, an
 * availability, asked in turn on a connection of its own by a thread of its own. */
#include "bench.h"
#include "base/when.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KINDS 3
#define PAUSE_US 1000
#define WRITERS 64

struct reader {
    const struct world *world;
    const struct server *server;
    int socket;
    const char *ids[256]; /* of orders */
    size_t id_count;
    struct times took[KINDS];
    atomic_bool stopping;
    pthread_t thread;
};
static const char *const kinds[KINDS] = { "GET order", "list by stage", "availability" };

static void ask(struct reader *reader, const char *target)
{
    char request[600];
    static _Thread_local char in[1 << 20];
    size_t got = 0;
    int bytes =
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", target, reader->world->key);
    if (send(reader->socket, request, (size_t)bytes, MSG_NOSIGNAL) != bytes)
        die("send: %m");
    for (;;) {
        ssize_t more = recv(reader->socket, in + got, sizeof in - 1 - got, 0);
        if (more <= 0)
            die("GET %s: the server hung up", target);
        in[got += (size_t)more] = '\0';
        const char *end = strstr(in, "\r\n\r\n"), *length = strcasestr(in, "\r\nContent-Length:");
        if (end != NULL && length != NULL && got >= (size_t)(end + 4 - in) + strtoul(length + 17, NULL, 10))
            break;
    }
    if (strncmp(in, "HTTP/1.1 200", 12) != 0)
        die("GET %s: %.200s", target, in);
}

static void *read_on(void *context)
{
    struct reader *reader = context;
    char target[256];
    while (!reader->stopping)
        for (size_t kind = 0; kind < KINDS; kind++) {
            if (kind == 0)
                snprintf(target, sizeof target, "/v1/orders/%s", reader->ids[chance(reader->id_count)]);
            else if (kind == 1)
                snprintf(target, sizeof target, "/v1/orders?stage=reserved&limit=50");
            else
                snprintf(target, sizeof target, "/v1/availability?channel=web&sku=S%06lu", (unsigned long)chance(reader->world->sku_count));
            int64_t at = when_monotonic_us();
            ask(reader, target);
            times_add(&reader->took[kind], when_monotonic_us() - at);
            usleep(PAUSE_US);
        }
    return NULL;
}

/* Ids of orders, from a page of the list. */
static void find_ids(struct reader *reader)
{
    const char *page = http_get(reader->world->arena, reader->server->port, reader->world->key, "/v1/orders?stage=reserved&limit=100"), *at = page;
    while (reader->id_count < COUNT(reader->ids) && (at = strstr(at, "\"id\":\"ord_")) != NULL) {
        at += strlen("\"id\":\"");
        reader->ids[reader->id_count++] = arena_text_n(reader->world->arena, at, strcspn(at, "\""));
    }
    if (reader->id_count == 0)
        die("there is no order to read: %.300s", page);
}

static void run_once(struct reader *reader, double seconds, bool writing)
{
    struct load load = { .ports = { reader->server->port },
                         .port_count = 1,
                         .key = reader->world->key,
                         .connections = WRITERS,
                         .sku_count = reader->world->sku_count,
                         .seconds = seconds };
    struct load_result result = { 0 };
    reader->stopping = false;
    if (pthread_create(&reader->thread, NULL, read_on, reader) != 0)
        die("no thread");
    if (writing)
        load_run(&load, &result);
    else
        usleep((useconds_t)(seconds * 1e6));
    reader->stopping = true;
    pthread_join(reader->thread, NULL);
    printf("reads beside %.0f orders/s:", writing ? (double)result.orders / result.seconds : 0.0);
    for (size_t kind = 0; kind < KINDS; kind++) {
        struct times *took = &reader->took[kind];
        printf("%s %s p50 %.2f p99 %.2f ms of %zu", kind == 0 ? "" : ",", kinds[kind], times_ms(took, 50), times_ms(took, 99), took->count);
    }
    printf("\n");
    for (size_t kind = 0; kind < KINDS; kind++) {
        double p99 = times_ms(&reader->took[kind], 99);
        if (writing)
            printf("target: %s p99 beside writes: %.2f ms, under 10: %s\n", kinds[kind], p99, p99 < 10 ? "good" : "MISSED");
        times_free(&reader->took[kind]);
    }
}

void reads_run(const struct world *world, const struct server *server, double seconds)
{
    struct reader reader = { .world = world, .server = server, .socket = dial(server->port) };
    find_ids(&reader);
    run_once(&reader, seconds / 2, false);
    run_once(&reader, seconds, true);
    close(reader.socket);
    fflush(stdout);
}
