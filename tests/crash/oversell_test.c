/* tests/crash/oversell_test.c: many clients at once want more than there is, singles and bundles that share components, with
 * cancels in between: in the end all units are promised, none twice.
 * MILLRACE_OVERSELL_ORDERS sets how many orders (10000); of each SKU there is a hundredth of that. */
#include "crash/race.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BUYERS 64
#define SKUS 10
#define LAST 10    /* units, which RACERS want one of, */
#define TRIALS 100 /* times */

static atomic_size_t next_order, cancelled;
static size_t orders;
static const char *last; /* the SKU of a rush */

/* A second line, of one unit, where `second` is a SKU. */
static int place(struct client *client, const char *channel, const char *id, const char *sku, int quantity, const char *second)
{
    char body[900], line[160];
    order_body(body, sizeof body, channel, id, "prepaid", sku, quantity);
    if (second != NULL) {
        char *at = strstr(body, "],\"payment\""), rest[100];
        snprintf(rest, sizeof rest, "%s", at);
        snprintf(line, sizeof line, ",{\"sku\":\"%s\",\"quantity\":1,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}", second);
        snprintf(at, sizeof body - (size_t)(at - body), "%s%s", line, rest);
    }
    return client_call(client, "POST", "/v1/orders", id, body);
}

static bool cancel(struct racer *buyer)
{
    char id[40], target[80];
    text_after(buyer->client.body, "id", id, sizeof id);
    snprintf(target, sizeof target, "/v1/orders/%s/cancel", id);
    return client_call(&buyer->client, "POST", target, NULL, "{\"reason\":\"changed mind\"}") == 200;
}

static void buy(struct racer *buyer)
{
    for (size_t i; (i = atomic_fetch_add(&next_order, 1)) < orders;) {
        char id[32], sku[16], second[16];
        bool bundle = rand_r(&buyer->seed) % 4 == 0, backorder = rand_r(&buyer->seed) % 3 != 0, two = rand_r(&buyer->seed) % 3 == 0;
        snprintf(id, sizeof id, "O-%zu", i);
        snprintf(sku, sizeof sku, "%s%d", bundle ? "KIT" : "SKU", rand_r(&buyer->seed) % (bundle ? SKUS - 1 : SKUS));
        snprintf(second, sizeof second, "SKU%d", rand_r(&buyer->seed) % SKUS);
        int status = place(&buyer->client, backorder ? "web" : "b2b", id, sku, 1 + rand_r(&buyer->seed) % 2, two ? second : NULL);
        if (status != 201 && (status != 409 || backorder))
            racer_is_wrong(buyer, id);
        buyer->done += status == 201;
        if (status == 201 && rand_r(&buyer->seed) % 5 == 0) {
            if (cancel(buyer))
                atomic_fetch_add(&cancelled, 1);
            else
                racer_is_wrong(buyer, "a cancel");
        }
    }
}

/* SKU0 to SKU9; KITn is SKUn and two SKUn+1; LAST0.. for the rushes. */
static void furnish(struct race *race, size_t units)
{
    char target[64], sku[16];
    for (int i = 0; i < SKUS + TRIALS; i++) {
        snprintf(sku, sizeof sku, i < SKUS ? "SKU%d" : "LAST%d", i < SKUS ? i : i - SKUS);
        snprintf(target, sizeof target, "/v1/skus/%s", sku);
        race_must(race, "PUT", target, "{\"name\":\"%s\"}", sku);
        race_receives(race, "LEJ", sku, i < SKUS ? units : LAST);
    }
    for (int i = 0; i < SKUS - 1; i++) {
        snprintf(target, sizeof target, "/v1/bundles/KIT%d", i);
        race_must(race, "PUT", target, "{\"name\":\"Kit\",\"components\":[{\"sku\":\"SKU%d\",\"quantity\":1},{\"sku\":\"SKU%d\",\"quantity\":2}]}", i,
                  i + 1);
    }
    race_must(race, "PUT", "/v1/channels/web",
              "{\"unit\":\"DE\",\"name\":\"Web\",\"kind\":\"store\",\"priority\":2,\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\"}");
    race_must(race, "PUT", "/v1/channels/b2b",
              "{\"unit\":\"DE\",\"name\":\"B2B\",\"kind\":\"b2b\",\"priority\":1,\"nodes\":[\"LEJ\"],\"shortage\":\"reject\"}");
}

/* They go to the servers in turn. */
static void all_have_sold(const struct race *race)
{
    size_t all = 0;
    for (int s = 0; s < race->server_count; s++) {
        size_t placed = 0;
        for (int i = s; i < BUYERS; i += race->server_count)
            placed += race->racers[i].done;
        if (placed < orders / (size_t)race->server_count / 10)
            fail_msg("server %d took %zu of %zu orders", s, placed, orders);
        all += placed;
    }
    print_message("%zu of %zu orders taken, %zu of them cancelled\n", all, orders, atomic_load(&cancelled));
}

/* What was received is still there, promised to the last unit: 40 times as much was asked for. */
static void all_is_promised_once(struct race *race, size_t units)
{
    for (int i = 0; i < SKUS; i++) {
        char sku[16];
        snprintf(sku, sizeof sku, "SKU%d", i);
        const int64_t available = race_stock(race, "LEJ", sku, "available"), reserved = race_stock(race, "LEJ", sku, "reserved"),
                      allocated = race_stock(race, "LEJ", sku, "allocated");
        if (available + reserved + allocated != (int64_t)units || available != 0)
            fail_msg("%s: of %zu units %ld are available, %ld reserved, %ld allocated", sku, units, (long)available, (long)reserved, (long)allocated);
    }
}

static void rush(struct racer *buyer)
{
    char id[32];
    snprintf(id, sizeof id, "%s-%d", last, buyer->number);
    const int status = place(&buyer->client, "b2b", id, last, 1, NULL);
    buyer->done += status == 201;
    if (status != 201 && status != 409)
        racer_is_wrong(buyer, id);
}

static void the_last_ten(struct race *race)
{
    for (int trial = 0; trial < TRIALS; trial++) {
        char sku[16];
        size_t taken = 0;
        snprintf(sku, sizeof sku, "LAST%d", trial);
        last = sku;
        race_run(race, RACERS, rush);
        for (int i = 0; i < RACERS; i++)
            taken += race->racers[i].done;
        if (taken != LAST)
            fail_msg("trial %d: %zu orders got one of the last %d", trial, taken, LAST);
    }
}

static void nothing_is_sold_twice(struct race *race)
{
    orders = setting("MILLRACE_OVERSELL_ORDERS", 10000);
    atomic_store(&next_order, 0);
    atomic_store(&cancelled, 0);
    const size_t units = orders / 100;
    furnish(race, units);
    client_close(&race->client); /* the server may do so: 100,000 orders take longer than an idle connection may */
    int64_t from = now_ms();
    race_run(race, BUYERS, buy);
    print_message("%ld ms\n", (long)(now_ms() - from));
    all_have_sold(race);
    all_is_promised_once(race, units);
    client_close(&race->client);
    the_last_ten(race);
}

int main(void)
{
    static const struct race_scene scenes[] = { { "nothing is sold twice", nothing_is_sold_twice } };
    return races_run("oversell", scenes, 1);
}
