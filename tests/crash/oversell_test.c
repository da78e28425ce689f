/* tests/crash/oversell_test.c: many clients at once want more than there is, singles and bundles that share components, with
 * cancels in between: in the end all units are promised, none twice. One server on SQLite, two on one PostgreSQL database.
 * MILLRACE_OVERSELL_ORDERS sets how many orders (10000); of each SKU there is a hundredth of that. */
#include "crash/client.h"
#include "crash/site.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define THREADS 64
#define SKUS 10
#define RUSH 50    /* want one of the last */
#define LAST 10    /* units, */
#define TRIALS 100 /* times */

struct buyer {
    pthread_t thread;
    struct client client;
    unsigned seed;
    const char *sku; /* of the rush */
    int number, status;
    size_t placed, cancelled, wrong;
    char said[300];
};
static struct buyer buyers[THREADS];
static atomic_size_t next_order;
static size_t orders;

static int place(struct client *client, const char *channel, const char *id, const char *sku, int quantity, const char *second)
{
    char body[700], line[160] = "";
    if (second != NULL)
        snprintf(line, sizeof line, ",{\"sku\":\"%s\",\"quantity\":1,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}", second);
    snprintf(
        body, sizeof body,
        "{\"channel\":\"%s\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"
        "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s\",\"quantity\":%d,\"unit_price\":{\"amount\":\"10.00\","
        "\"currency\":"
        "\"EUR\"}}%s],\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\"}}",
        channel, id, sku, quantity, line);
    return client_call(client, "POST", "/v1/orders", id, body);
}

static void wrong(struct buyer *buyer, const char *what)
{
    buyer->wrong++;
    snprintf(buyer->said, sizeof buyer->said, "%s: %d %.220s", what, buyer->client.status, buyer->client.body);
}

static bool cancel(struct buyer *buyer)
{
    char id[40], target[80];
    const char *at = strstr(buyer->client.body, "\"id\":\"");
    snprintf(id, sizeof id, "%.*s", at == NULL ? 0 : (int)strcspn(at + 6, "\""), at == NULL ? "" : at + 6);
    snprintf(target, sizeof target, "/v1/orders/%s/cancel", id);
    return client_call(&buyer->client, "POST", target, NULL, "{\"reason\":\"changed mind\"}") == 200;
}

static void *buy(void *context)
{
    struct buyer *buyer = context;
    for (size_t i; (i = atomic_fetch_add(&next_order, 1)) < orders;) {
        char id[32], sku[16], second[16];
        bool bundle = rand_r(&buyer->seed) % 4 == 0, backorder = rand_r(&buyer->seed) % 3 != 0, two = rand_r(&buyer->seed) % 3 == 0;
        snprintf(id, sizeof id, "O-%zu", i);
        snprintf(sku, sizeof sku, "%s%d", bundle ? "KIT" : "SKU", rand_r(&buyer->seed) % (bundle ? SKUS - 1 : SKUS));
        snprintf(second, sizeof second, "SKU%d", rand_r(&buyer->seed) % SKUS);
        int status = place(&buyer->client, backorder ? "web" : "b2b", id, sku, 1 + rand_r(&buyer->seed) % 2, two ? second : NULL);
        if (status != 201 && (status != 409 || backorder))
            wrong(buyer, id);
        buyer->placed += status == 201;
        if (status == 201 && rand_r(&buyer->seed) % 5 == 0) {
            if (cancel(buyer))
                buyer->cancelled++;
            else
                wrong(buyer, "a cancel");
        }
    }
    client_close(&buyer->client);
    return NULL;
}

static void must(struct client *client, const char *method, const char *target, const char *format, ...) __attribute__((format(printf, 4, 5)));
static void must(struct client *client, const char *method, const char *target, const char *format, ...)
{
    char body[600];
    va_list args;
    va_start(args, format);
    vsnprintf(body, sizeof body, format, args);
    va_end(args);
    if (client_call(client, method, target, NULL, body) / 100 != 2)
        fail_msg("%s %s: %d %s", target, body, client->status, client->body);
}

static void receive(struct client *client, const char *sku, size_t units)
{
    must(client, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"%s\",\"delta\":%zu,\"reason\":\"receipt\"}", sku, units);
}

/* SKU0 to SKU9; KITn is SKUn and two SKUn+1; LAST0.. for the rushes. */
static void furnish(struct client *client, size_t units)
{
    char target[64], sku[16];
    must(client, "PUT", "/v1/units/DE", "{\"name\":\"Germany\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}");
    must(client, "PUT", "/v1/nodes/LEJ",
         "{\"unit\":\"DE\",\"name\":\"Leipzig\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"04103\",\"priority\":1}");
    for (int i = 0; i < SKUS + TRIALS; i++) {
        snprintf(sku, sizeof sku, i < SKUS ? "SKU%d" : "LAST%d", i < SKUS ? i : i - SKUS);
        snprintf(target, sizeof target, "/v1/skus/%s", sku);
        must(client, "PUT", target, "{\"name\":\"%s\"}", sku);
        receive(client, sku, i < SKUS ? units : LAST);
    }
    for (int i = 0; i < SKUS - 1; i++) {
        snprintf(target, sizeof target, "/v1/bundles/KIT%d", i);
        must(client, "PUT", target, "{\"name\":\"Kit\",\"components\":[{\"sku\":\"SKU%d\",\"quantity\":1},{\"sku\":\"SKU%d\",\"quantity\":2}]}", i,
             i + 1);
    }
    must(client, "PUT", "/v1/channels/web",
         "{\"unit\":\"DE\",\"name\":\"Web\",\"kind\":\"store\",\"priority\":2,\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\"}");
    must(client, "PUT", "/v1/channels/b2b",
         "{\"unit\":\"DE\",\"name\":\"B2B\",\"kind\":\"b2b\",\"priority\":1,\"nodes\":[\"LEJ\"],\"shortage\":\"reject\"}");
}

static void wait_for(int count)
{
    size_t wrongs = 0, placed = 0, cancelled = 0;
    const char *said = "";
    for (int i = 0; i < count; i++) {
        pthread_join(buyers[i].thread, NULL);
        placed += buyers[i].placed;
        cancelled += buyers[i].cancelled;
        wrongs += buyers[i].wrong;
        said = buyers[i].wrong > 0 ? buyers[i].said : said;
    }
    if (placed > 0)
        print_message("%zu of %zu orders taken, %zu of them cancelled\n", placed, orders, cancelled);
    if (wrongs > 0)
        fail_msg("%zu answers that nobody expects, such as %s", wrongs, said);
}

static void start(int count, void *(*work)(void *), const struct server *servers, int server_count, const struct site *site)
{
    for (int i = 0; i < count; i++) {
        buyers[i].placed = buyers[i].cancelled = buyers[i].wrong = 0;
        buyers[i].number = i;
        buyers[i].seed = (unsigned)i + 1;
        client_open(&buyers[i].client, servers[i % server_count].port, site->key);
    }
    for (int i = 0; i < count; i++)
        assert_int_equal(pthread_create(&buyers[i].thread, NULL, work, &buyers[i]), 0);
}

/* Threads go to the servers in turn. */
static void all_have_sold(int server_count)
{
    for (int s = 0; s < server_count; s++) {
        size_t placed = 0;
        for (int i = s; i < THREADS; i += server_count)
            placed += buyers[i].placed;
        if (placed < orders / (size_t)server_count / 10)
            fail_msg("server %d took %zu of %zu orders", s, placed, orders);
    }
}

/* What was received is still there, promised to the last unit: 40 times as much was asked for. */
static void all_is_promised_once(struct client *client, size_t units)
{
    for (int i = 0; i < SKUS; i++) {
        char target[64];
        snprintf(target, sizeof target, "/v1/inventory?sku=SKU%d&node=LEJ", i);
        if (client_call(client, "GET", target, NULL, NULL) != 200)
            fail_msg("%s: %d %s", target, client->status, client->body);
        int64_t available = number_after(client->body, "available"), reserved = number_after(client->body, "reserved"),
                allocated = number_after(client->body, "allocated");
        if (available + reserved + allocated != (int64_t)units || available != 0)
            fail_msg("SKU%d: of %zu units %ld are available, %ld reserved, %ld allocated", i, units, (long)available, (long)reserved,
                     (long)allocated);
    }
}

static pthread_barrier_t gate;

static void *rush(void *context)
{
    struct buyer *buyer = context;
    char id[32];
    snprintf(id, sizeof id, "%s-%d", buyer->sku, buyer->number);
    pthread_barrier_wait(&gate);
    buyer->status = place(&buyer->client, "b2b", id, buyer->sku, 1, NULL);
    if (buyer->status != 201 && buyer->status != 409)
        wrong(buyer, id);
    client_close(&buyer->client);
    return NULL;
}

static void the_last_ten(const struct server *servers, int server_count, const struct site *site)
{
    for (int trial = 0; trial < TRIALS; trial++) {
        char sku[16];
        int taken = 0;
        snprintf(sku, sizeof sku, "LAST%d", trial);
        for (int i = 0; i < RUSH; i++)
            buyers[i].sku = sku;
        pthread_barrier_init(&gate, NULL, RUSH);
        start(RUSH, rush, servers, server_count, site);
        wait_for(RUSH);
        pthread_barrier_destroy(&gate);
        for (int i = 0; i < RUSH; i++)
            taken += buyers[i].status == 201;
        if (taken != LAST)
            fail_msg("trial %d: %d orders got one of the last %d", trial, taken, LAST);
    }
}

static void sell_out(const char *postgres, int server_count)
{
    struct site site;
    struct server servers[2] = { { 0 }, { 0 } };
    static struct client client;
    orders = setting("MILLRACE_OVERSELL_ORDERS", 10000);
    atomic_store(&next_order, 0);
    size_t units = orders / 100;
    site_make(&site, NULL, postgres);
    for (int i = 0; i < server_count; i++)
        server_start(&servers[i], &site);
    client_open(&client, servers[0].port, site.key);
    furnish(&client, units);
    int64_t from = now_ms();
    start(THREADS, buy, servers, server_count, &site);
    wait_for(THREADS);
    print_message("%ld ms\n", (long)(now_ms() - from));
    all_have_sold(server_count);
    client_close(&client); /* the server may have done so: 100,000 orders take longer than an idle connection may */
    all_is_promised_once(&client, units);
    the_last_ten(servers, server_count, &site);
    client_close(&client);
    for (int i = 0; i < server_count; i++)
        server_stop(&servers[i]);
    int code = site_check(&site);
    site_delete(&site);
    assert_int_equal(code, 0);
}

static void nothing_is_sold_twice_on_sqlite(void **state)
{
    sell_out(NULL, 1);
}

static void nothing_is_sold_twice_by_two_servers_on_postgresql(void **state)
{
    const char *postgres = site_postgres();
    if (postgres == NULL)
        skip();
    sell_out(postgres, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_sold_twice_on_sqlite),
        cmocka_unit_test(nothing_is_sold_twice_by_two_servers_on_postgresql),
    };
    return cmocka_run_group_tests_name("oversell", tests, NULL, NULL);
}
