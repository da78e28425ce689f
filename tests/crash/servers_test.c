/* tests/crash/servers_test.c: two servers on one PostgreSQL database take turns on one unit, and run beside each other on two;
 * so does one server; when one is killed, the other goes on and knows what was acknowledged. */
#include "crash/load.h"
#include "db/db.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define WAIT_MS 20000
#define TURNS 60 /* commands, by each server */
#define BESIDE 5 /* orders of one unit while the other is held */

static struct load load, other;
static struct server servers[2];

static void two_servers(struct site *site)
{
    site_make(site, NULL, site_postgres());
    for (int i = 0; i < 2; i++) {
        servers[i] = (struct server){ 0 };
        server_start(&servers[i], site);
    }
    load = (struct load){ .round = 0 };
    load_sell(&load, site, servers[0].port);
}

static void ends_well(struct site *site)
{
    for (int i = 0; i < 2; i++)
        if (servers[i].pid > 0)
            server_stop(&servers[i]);
    int code = site_check(site);
    site_delete(site);
    assert_int_equal(code, 0);
}

/* Threads go to the servers in turn: even ones to the first. */
static size_t acknowledged_by(int server)
{
    size_t count = 0;
    for (int i = server; i < LOAD_THREADS; i += 2)
        for (size_t s = 0; s < load.senders[i].count; s++)
            count += load.senders[i].sent[s].status != 0;
    return count;
}

static void they_take_turns_on_one_unit(void **state)
{
    struct site site;
    struct load *const loads[] = { &load };
    if (site_postgres() == NULL)
        skip();
    two_servers(&site);
    load_start(&load, &site, servers, 2);
    for (int64_t until = now_ms() + WAIT_MS; atomic_load(&load.acknowledged) < (size_t)2 * TURNS && now_ms() < until;)
        usleep(1000);
    load_stop(&load);
    assert_true(load_wait(&load));
    print_message("%zu commands by the first, %zu by the second\n", acknowledged_by(0), acknowledged_by(1));
    assert_true(acknowledged_by(0) > TURNS / 4 && acknowledged_by(1) > TURNS / 4);
    const struct server swapped[] = { servers[1], servers[0] };
    assert_true(load_again(&load, &site, swapped, 2)); /* a key is known to the server that never saw it */
    assert_true(load_look(loads, 1, &site, servers[1].port));
    ends_well(&site);
}

static void one_is_killed_and_the_other_goes_on(void **state)
{
    struct site site;
    struct load *const loads[] = { &load };
    if (site_postgres() == NULL)
        skip();
    two_servers(&site);
    load_start(&load, &site, servers, 2);
    usleep(300000);
    server_kill(&servers[1]);
    size_t before = atomic_load(&load.acknowledged);
    for (int64_t until = now_ms() + WAIT_MS; atomic_load(&load.acknowledged) < before + 50 && now_ms() < until;)
        usleep(1000);
    bool goes_on = atomic_load(&load.acknowledged) >= before + 50;
    load_stop(&load);
    assert_true(load_wait(&load));
    assert_true(goes_on);
    assert_int_equal(site_check(&site), 0);
    assert_true(load_again(&load, &site, servers, 1));
    assert_true(load_look(loads, 1, &site, servers[0].port));
    ends_well(&site);
}

struct single {
    pthread_t thread;
    struct client client;
    atomic_int status; /* -1: not answered yet */
};

static int one_order(struct client *client, const char *of, int number)
{
    char body[500], key[40];
    snprintf(key, sizeof key, "single%s-%d", of, number);
    snprintf(
        body, sizeof body,
        "{\"channel\":\"web%s\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":"
        "\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP%s\",\"quantity\":1,\"unit_price\":{\"amount\":\"10.00\","
        "\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\"}}",
        of, key, of);
    return client_call(client, "POST", "/v1/orders", key, body);
}

static void *order_of_the_held_unit(void *context)
{
    struct single *single = context;
    atomic_store(&single->status, one_order(&single->client, "", 0));
    return NULL;
}

/* Holds the clock row of the first unit, as a batch of another server would; ends with its connection. */
static struct db *hold_first_unit(const struct site *site, struct arena *arena)
{
    static const struct db_statement hold = { .name = "hold", .postgres = "UPDATE unit_clock SET batch_id = batch_id WHERE unit = 1" };
    struct db *db = NULL;
    const char *error = "";
    int64_t changed = 0;
    if (db_open(&db, &(struct db_options){ .url = site->url }, arena, &error) != DB_OK)
        fail_msg("%s", error);
    assert_int_equal(db_begin(db), DB_OK);
    assert_int_equal(db_execute(db, &hold, NULL, &changed), DB_OK);
    assert_int_equal(changed, 1);
    return db;
}

/* The second unit's orders come to this server, whose first unit is held or not. */
static void two_units(const struct server *second)
{
    static struct single held;
    static struct client beside;
    struct site site;
    two_servers(&site);
    other = (struct load){ .unit = "2" };
    load_sell(&other, &site, servers[1].port);
    struct arena *arena = arena_new((size_t)1 << 24);
    struct db *db = hold_first_unit(&site, arena);
    atomic_store(&held.status, -1);
    client_open(&held.client, servers[0].port, site.key);
    assert_int_equal(pthread_create(&held.thread, NULL, order_of_the_held_unit, &held), 0);
    client_open(&beside, second->port, site.key);
    for (int i = 0; i < BESIDE; i++)
        assert_int_equal(one_order(&beside, "2", i), 201);
    assert_int_equal(atomic_load(&held.status), -1);
    db_rollback(db);
    db_close(db);
    pthread_join(held.thread, NULL);
    assert_int_equal(atomic_load(&held.status), 201);
    client_close(&held.client);
    client_close(&beside);
    arena_free(arena);
    ends_well(&site);
}

static void they_run_beside_each_other_on_two_units(void **state)
{
    if (site_postgres() == NULL)
        skip();
    two_units(&servers[1]);
}

static void one_server_writes_two_units_at_the_same_time(void **state)
{
    if (site_postgres() == NULL)
        skip();
    two_units(&servers[0]);
}

static void under_load_on_two_units(void **state)
{
    struct site site;
    struct load *const loads[] = { &load, &other };
    if (site_postgres() == NULL)
        skip();
    two_servers(&site);
    other = (struct load){ .unit = "2" };
    load_sell(&other, &site, servers[1].port);
    for (int i = 0; i < 2; i++)
        load_start(loads[i], &site, &servers[i], 1);
    for (int64_t until = now_ms() + WAIT_MS;
         (atomic_load(&load.acknowledged) < TURNS || atomic_load(&other.acknowledged) < TURNS) && now_ms() < until;)
        usleep(1000);
    for (int i = 0; i < 2; i++)
        load_stop(loads[i]);
    for (int i = 0; i < 2; i++)
        assert_true(load_wait(loads[i]));
    assert_true(load.all_acknowledged >= TURNS && other.all_acknowledged >= TURNS);
    for (int i = 0; i < 2; i++)
        assert_true(load_again(loads[i], &site, &servers[1 - i], 1));
    assert_true(load_look(loads, 2, &site, servers[0].port));
    ends_well(&site);
}

static int kill_both(void **state)
{
    for (int i = 0; i < 2; i++)
        server_kill(&servers[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(they_take_turns_on_one_unit, kill_both),
        cmocka_unit_test_teardown(one_is_killed_and_the_other_goes_on, kill_both),
        cmocka_unit_test_teardown(they_run_beside_each_other_on_two_units, kill_both),
        cmocka_unit_test_teardown(one_server_writes_two_units_at_the_same_time, kill_both),
        cmocka_unit_test_teardown(under_load_on_two_units, kill_both),
    };
    return cmocka_run_group_tests_name("servers", tests, NULL, NULL);
}
