/* tests/crash/cancel_race_test.c: 50 clients at once cancel, pick, pack, ship, send, accept, decline and answer for the same orders, of a node of
 * our own and of one that others run. Whoever comes late is told so (409); no unit is both cancelled and on its way: what ships were answered is what
 * the orders say has shipped, what was received is what is there and what has left, and `millrace check` finds nothing. One server on SQLite, two on
 * one PostgreSQL database. MILLRACE_RACE_ORDERS sets how many orders (120). */
#include "crash/client.h"
#include "crash/site.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CLIENTS 50
#define ORDERS_MAX 2000
#define UNITS 4 /* of each order */
#define ROUND 6 /* orders that all look at, at a time */

static const struct {
    const char *path, *verb, *body;
    bool of_order;
} deeds[] = {
    { "/v1/orders/", "cancel", "{\"reason\":\"changed mind\"}", true },
    { "/v1/orders/", "cancel", "{\"reason\":\"one less\",\"lines\":[{\"line\":1,\"quantity\":1}]}", true },
    { "/v1/orders/", "cancel", "{\"reason\":\"one less\",\"lines\":[{\"line\":1,\"quantity\":1}]}", true },
    { "/v1/fulfilments/", "send", "{}", false },
    { "/v1/fulfilments/", "accept", "{}", false },
    { "/v1/fulfilments/", "pick", "{}", false },
    { "/v1/fulfilments/", "pick", "{}", false },
    { "/v1/fulfilments/", "pick", "{\"lines\":[{\"line\":1,\"quantity\":2}]}", false },
    { "/v1/fulfilments/", "pack", "{\"packages\":[{\"weight_g\":500}]}", false },
    { "/v1/fulfilments/", "pack", "{\"packages\":[{\"weight_g\":500}]}", false },
    { "/v1/fulfilments/", "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}", false },
    { "/v1/fulfilments/", "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}", false },
    { "/v1/fulfilments/", "cancel", "{}", false },
    { "/v1/fulfilments/", "reject_cancel", "{\"reason\":\"on the belt\"}", false },
    { "/v1/fulfilments/", "decline", "{\"reason\":\"no cartons\"}", false },
};
#define DEEDS (sizeof deeds / sizeof deeds[0])

struct racer {
    pthread_t thread;
    struct client client;
    unsigned seed;
    size_t done, late, wrong, shipped; /* shipped: units of answered ships */
    char said[400];
};
static struct racer racers[CLIENTS];
static char orders[ORDERS_MAX][40], works[ORDERS_MAX][40];
static size_t order_count;
static atomic_size_t turns;

static size_t units_of_lines(const char *body)
{
    size_t units = 0;
    const char *end = strstr(body, "\"packages\"");
    for (const char *at = strstr(body, "\"lines\""); at != NULL && at < end; at = strstr(at + 1, "\"quantity\":"))
        units += at[1] == 'q' ? (size_t)strtoul(at + 11, NULL, 10) : 0;
    return units;
}

/* Each turn is one deed on one of a few orders, which move on as turns pass: so all meet at the same ones. */
static void *race(void *context)
{
    struct racer *racer = context;
    const size_t each = 4 * CLIENTS / ROUND, all = order_count * each;
    for (size_t turn; (turn = atomic_fetch_add(&turns, 1)) < all;) {
        const size_t order = (turn / each + (size_t)rand_r(&racer->seed) % ROUND) % order_count, deed = (size_t)rand_r(&racer->seed) % DEEDS;
        char target[120];
        snprintf(target, sizeof target, "%s%s/%s", deeds[deed].path, deeds[deed].of_order ? orders[order] : works[order], deeds[deed].verb);
        const int status = client_call(&racer->client, "POST", target, NULL, deeds[deed].body);
        racer->done += status == 200;
        racer->late += status == 409 || status == 422; /* fewer are due than were picked */
        if (status == 200 && strcmp(deeds[deed].verb, "ship") == 0)
            racer->shipped += units_of_lines(racer->client.body);
        if (status != 200 && status != 409 && (status != 422 || strcmp(deeds[deed].verb, "pick") != 0)) {
            racer->wrong++;
            snprintf(racer->said, sizeof racer->said, "%s: %d %.250s", target, status, racer->client.body);
        }
    }
    client_close(&racer->client);
    return NULL;
}

static void furnish(struct client *client)
{
    static const char *const masters[][2] = {
        { "/v1/units/DE", "{\"name\":\"Germany\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}" },
        { "/v1/nodes/LEJ", "{\"unit\":\"DE\",\"name\":\"L\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"04103\"}" },
        { "/v1/nodes/FBA", "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"third_party\",\"country\":\"DE\",\"postal_code\":\"04103\"}" },
        { "/v1/skus/OURS", "{\"name\":\"O\"}" },
        { "/v1/skus/THEIRS", "{\"name\":\"T\"}" },
        { "/v1/channels/web", "{\"unit\":\"DE\",\"name\":\"W\",\"kind\":\"store\",\"nodes\":[\"LEJ\",\"FBA\"],\"shortage\":\"backorder\"}" },
    };
    static const char *const stock[][2] = { { "LEJ", "OURS" }, { "FBA", "THEIRS" } };
    char body[200];
    for (size_t i = 0; i < sizeof masters / sizeof masters[0]; i++)
        client_must(client, "PUT", masters[i][0], masters[i][1]);
    for (size_t i = 0; i < 2; i++) {
        snprintf(body, sizeof body, "{\"node\":\"%s\",\"sku\":\"%s\",\"delta\":%zu,\"reason\":\"receipt\"}", stock[i][0], stock[i][1],
                 order_count * UNITS);
        client_must(client, "POST", "/v1/inventory/adjustments", body);
    }
}

static void place(struct client *client, size_t i)
{
    char body[600];
    snprintf(
        body, sizeof body,
        "{\"channel\":\"web\",\"channel_order_id\":\"R-%zu\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"
        "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s\",\"quantity\":%d,\"unit_price\":{\"amount\":\"10.00\","
        "\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}",
        i, i % 2 == 0 ? "OURS" : "THEIRS", UNITS);
    client_must(client, "POST", "/v1/orders", body);
    text_after(client->body, "id", orders[i], sizeof orders[i]);
    const char *at = strstr(client->body, "\"fulfilments\":");
    text_after(at == NULL ? "" : at, "id", works[i], sizeof works[i]);
    assert_true(works[i][0] == 'f');
}

/* Each line adds up; gives what all say has shipped. */
static size_t shipped_of_orders(struct client *client)
{
    static const char *const figures[] = { "reserved", "allocated", "shipped", "backordered", "cancelled" };
    size_t shipped = 0;
    for (size_t i = 0; i < order_count; i++) {
        char target[80];
        int64_t sum = 0;
        snprintf(target, sizeof target, "/v1/orders/%s", orders[i]);
        if (client_call(client, "GET", target, NULL, NULL) != 200)
            fail_msg("%s: %d %s", target, client->status, client->body);
        const char *line = strstr(client->body, "\"lines\":");
        for (size_t k = 0; k < sizeof figures / sizeof figures[0]; k++)
            sum += number_after(line, figures[k]);
        if (sum != UNITS)
            fail_msg("%s: its line adds up to %ld", target, (long)sum);
        shipped += (size_t)number_after(line, "shipped");
    }
    return shipped;
}

static size_t on_hand(struct client *client)
{
    static const char *const targets[] = { "/v1/inventory?sku=OURS&node=LEJ", "/v1/inventory?sku=THEIRS&node=FBA" };
    size_t units = 0;
    for (size_t i = 0; i < 2; i++) {
        if (client_call(client, "GET", targets[i], NULL, NULL) != 200)
            fail_msg("%s: %d %s", targets[i], client->status, client->body);
        units += (size_t)number_after(client->body, "on_hand");
    }
    return units;
}

static void all_meet(const struct server *servers, int server_count, const struct site *site, size_t *shipped)
{
    size_t done = 0, late = 0, wrongs = 0;
    const char *said = "";
    atomic_store(&turns, 0);
    for (int i = 0; i < CLIENTS; i++) {
        racers[i] = (struct racer){ .seed = (unsigned)i + 1 };
        client_open(&racers[i].client, servers[i % server_count].port, site->key);
    }
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(racers[i].thread, NULL);
        done += racers[i].done;
        late += racers[i].late;
        *shipped += racers[i].shipped;
        wrongs += racers[i].wrong;
        said = racers[i].wrong > 0 ? racers[i].said : said;
    }
    print_message("%zu done, %zu too late, %zu units shipped\n", done, late, *shipped);
    if (wrongs > 0)
        fail_msg("%zu answers that nobody expects, such as %s", wrongs, said);
    assert_true(done > order_count && late > order_count && *shipped > 0);
}

static void race_on(const char *postgres, int server_count)
{
    static struct client client;
    struct site site;
    struct server servers[2] = { { 0 }, { 0 } };
    size_t shipped = 0;
    order_count = setting("MILLRACE_RACE_ORDERS", 120);
    assert_true(order_count > 0 && order_count <= ORDERS_MAX);
    site_make(&site, NULL, postgres);
    for (int i = 0; i < server_count; i++)
        server_start(&servers[i], &site);
    client_open(&client, servers[0].port, site.key);
    furnish(&client);
    for (size_t i = 0; i < order_count; i++)
        place(&client, i);
    all_meet(servers, server_count, &site, &shipped);
    const size_t of_orders = shipped_of_orders(&client), there = on_hand(&client);
    if (of_orders != shipped || there + shipped != 2 * order_count * UNITS)
        fail_msg("%zu units were shipped, orders say %zu, and %zu are there of %zu", shipped, of_orders, there, 2 * order_count * UNITS);
    client_close(&client);
    for (int i = 0; i < server_count; i++)
        server_stop(&servers[i]);
    int code = site_check(&site);
    site_delete(&site);
    assert_int_equal(code, 0);
}

static void nothing_is_cancelled_and_shipped_on_sqlite(void **state)
{
    race_on(NULL, 1);
}

static void nothing_is_cancelled_and_shipped_by_two_servers_on_postgresql(void **state)
{
    const char *postgres = site_postgres();
    if (postgres == NULL)
        skip();
    race_on(postgres, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_cancelled_and_shipped_on_sqlite),
        cmocka_unit_test(nothing_is_cancelled_and_shipped_by_two_servers_on_postgresql),
    };
    return cmocka_run_group_tests_name("cancel_race", tests, NULL, NULL);
}
