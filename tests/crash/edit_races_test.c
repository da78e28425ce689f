/* tests/crash/edit_races_test.c: many clients change one order at the same moment: while it is paid for, and while a node picks, packs and ships it.
 * Whatever comes first: nothing is released that was not paid for then, nothing leaves that is not wanted, all units are somewhere, and each
 * command is answered 200 or refused by name. One server on SQLite, two on one PostgreSQL database. MILLRACE_RACE_TRIALS sets how many
 * orders of each kind (8). */
#include "crash/client.h"
#include "crash/site.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CLIENTS 50
#define PAYERS 25 /* of 1.00 each: two lamps of 10.00 are paid for, a third is not */
#define PAID_FOR 2
#define ADDED 10 /* clients who add a line of one lamp */
#define UNITS 100000

struct racer {
    pthread_t thread;
    struct client client;
    unsigned seed;
    int number;
    const char *order, *work;
    bool done; /* 200 */
    char said[300];
};
static struct racer racers[CLIENTS];
static pthread_barrier_t gate;
static int orders_taken;

static void refused(struct racer *r, const char *what)
{
    snprintf(r->said, sizeof r->said, "%s: %d %.220s", what, r->client.status, r->client.body);
}

/* 200, or 409 with one of these codes. */
static void ask(struct racer *r, const char *target, const char *body, const char *may_be)
{
    int status = client_call(&r->client, "POST", target, NULL, body);
    char code[40] = "";
    r->done = status == 200;
    if (status == 409)
        text_after(r->client.body, "code", code, sizeof code);
    if (status != 200 && (code[0] == '\0' || strstr(may_be, code) == NULL))
        refused(r, target);
}

static void edit(struct racer *r, const char *body, const char *may_be)
{
    char target[80];
    snprintf(target, sizeof target, "/v1/orders/%s/edit", r->order);
    ask(r, target, body, may_be);
}

static void set_line(struct racer *r, int most, const char *may_be)
{
    char body[80];
    snprintf(body, sizeof body, "{\"set\":[{\"line\":1,\"quantity\":%d}]}", 1 + rand_r(&r->seed) % most);
    edit(r, body, may_be);
}

static void *pay_or_edit(void *context)
{
    struct racer *r = context;
    char target[80], body[160];
    pthread_barrier_wait(&gate);
    snprintf(target, sizeof target, "/v1/orders/%s/payments", r->order);
    snprintf(body, sizeof body, "{\"kind\":\"captured\",\"amount\":{\"amount\":\"1.00\",\"currency\":\"EUR\"},\"reference\":\"r-%d\"}", r->number);
    if (r->number < PAYERS)
        ask(r, target, body, "");
    else
        set_line(r, 6, "");
    client_close(&r->client);
    return NULL;
}

static void *ship_or_edit(void *context)
{
    static const char *const steps[][2] = { { "pick", "{}" },
                                            { "pack", "{\"packages\":[{\"weight_g\":500}]}" },
                                            { "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}" } };
    struct racer *r = context;
    char target[80];
    pthread_barrier_wait(&gate);
    for (int step = 0; step < 3; step++) {
        snprintf(target, sizeof target, "/v1/fulfilments/%s/%s", r->work, steps[step][0]);
        if (r->number % 5 == 0)
            ask(r, target, steps[step][1], "state_conflict");
        else if (r->number % 5 == 1 && step == 0)
            edit(r, "{\"add\":[{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}]}", "too_late");
        else if (r->number % 5 > 1)
            set_line(r, 8, "too_late");
    }
    client_close(&r->client);
    return NULL;
}

static const char *shows(struct client *client, const char *order)
{
    char target[80];
    snprintf(target, sizeof target, "/v1/orders/%s", order);
    if (client_call(client, "GET", target, NULL, NULL) != 200)
        fail_msg("%s: %d %s", target, client->status, client->body);
    return client->body;
}

static void take(struct client *client, const char *term, int quantity, char id[40])
{
    char body[600];
    snprintf(
        body, sizeof body,
        "{\"channel\":\"web\",\"channel_order_id\":\"R-%d\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"
        "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":%d,\"unit_price\":{\"amount\":\"10.00\",\"currency\":"
        "\"EUR\"}}],\"payment\":{\"term\":\"%s\",\"status\":\"pending\"}}",
        ++orders_taken, quantity, term);
    if (client_call(client, "POST", "/v1/orders", NULL, body) != 201)
        fail_msg("%d %s", client->status, client->body);
    text_after(client->body, "id", id, 40);
}

static void race(void *(*run)(void *), const struct site *site, const struct server *servers, int server_count, const char *order, const char *work)
{
    pthread_barrier_init(&gate, NULL, CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
        racers[i].number = i;
        racers[i].seed = (unsigned)(orders_taken * CLIENTS + i);
        racers[i].order = order;
        racers[i].work = work;
        racers[i].said[0] = '\0';
        client_open(&racers[i].client, servers[i % server_count].port, site->key);
    }
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&racers[i].thread, NULL, run, &racers[i]), 0);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(racers[i].thread, NULL);
    pthread_barrier_destroy(&gate);
    for (int i = 0; i < CLIENTS; i++)
        if (racers[i].said[0] != '\0')
            fail_msg("%s", racers[i].said);
}

/* Of the line, from 1. */
static int64_t figure(const char *order, int line, const char *name)
{
    char after[48];
    snprintf(after, sizeof after, "{\"line\":%d,\"sku\"", line);
    const char *at = strstr(order, after);
    return at == NULL ? -1 : number_after(at, name);
}

static void edit_against_pay(struct client *client, const struct site *site, const struct server *servers, int server_count)
{
    char id[40];
    take(client, "prepaid", 3, id);
    race(pay_or_edit, site, servers, server_count, id, NULL);
    const char *now = shows(client, id);
    int64_t wanted = figure(now, 1, "quantity") - figure(now, 1, "cancelled"), allocated = figure(now, 1, "allocated");
    if (allocated > PAID_FOR || (wanted <= PAID_FOR && allocated != wanted) || figure(now, 1, "reserved") + allocated != wanted)
        fail_msg("of %ld pieces %ld are with the node, and %d are paid for: %s", (long)wanted, (long)allocated, PAID_FOR, now);
    assert_int_equal(figure(now, 1, "backordered"), 0);
}

static void edit_against_pick(struct client *client, const struct site *site, const struct server *servers, int server_count)
{
    char id[40], work[40];
    int added = 0;
    int64_t lines = 0;
    take(client, "on_account", 5, id);
    text_after(strstr(client->body, "\"fulfilments\""), "id", work, sizeof work);
    race(ship_or_edit, site, servers, server_count, id, work);
    for (int i = 0; i < CLIENTS; i++)
        added += i % 5 == 1 && racers[i].done;
    const char *now = shows(client, id);
    for (int line = 1; figure(now, line, "quantity") > 0; line++, lines++) {
        int64_t wanted = figure(now, line, "quantity") - figure(now, line, "cancelled"), shipped = figure(now, line, "shipped");
        if (shipped > wanted || shipped + figure(now, line, "allocated") != wanted)
            fail_msg("of line %d %ld are wanted, %ld have left: %s", line, (long)wanted, (long)shipped, now);
    }
    assert_int_equal(lines, 1 + added); /* each that was told so has come, once */
}

static void furnish(struct client *client)
{
    client_must(client, "PUT", "/v1/units/DE", "{\"name\":\"Germany\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}");
    client_must(client, "PUT", "/v1/nodes/LEJ",
                "{\"unit\":\"DE\",\"name\":\"Leipzig\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"04103\",\"priority\":1}");
    client_must(client, "PUT", "/v1/skus/LAMP", "{\"name\":\"Lamp\"}");
    client_must(client, "PUT", "/v1/channels/web",
                "{\"unit\":\"DE\",\"name\":\"Web\",\"kind\":\"store\",\"priority\":1,\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\"}");
    client_must(client, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":100000,\"reason\":\"receipt\"}");
}

static void races(const char *postgres, int server_count)
{
    struct site site;
    struct server servers[2] = { { 0 }, { 0 } };
    static struct client client;
    site_make(&site, NULL, postgres);
    for (int i = 0; i < server_count; i++)
        server_start(&servers[i], &site);
    client_open(&client, servers[0].port, site.key);
    furnish(&client);
    for (size_t trial = 0; trial < setting("MILLRACE_RACE_TRIALS", 8); trial++) {
        edit_against_pay(&client, &site, servers, server_count);
        edit_against_pick(&client, &site, servers, server_count);
    }
    client_close(&client);
    for (int i = 0; i < server_count; i++)
        server_stop(&servers[i]);
    int code = site_check(&site);
    site_delete(&site);
    assert_int_equal(code, 0);
}

static void an_order_is_changed_by_many_on_sqlite(void **state)
{
    races(NULL, 1);
}

static void an_order_is_changed_by_many_on_two_servers_of_postgresql(void **state)
{
    const char *postgres = site_postgres();
    if (postgres == NULL)
        skip();
    races(postgres, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_changed_by_many_on_sqlite),
        cmocka_unit_test(an_order_is_changed_by_many_on_two_servers_of_postgresql),
    };
    return cmocka_run_group_tests_name("edit_races", tests, NULL, NULL);
}
