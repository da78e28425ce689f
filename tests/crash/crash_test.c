/* tests/crash/crash_test.c: the server is killed while commands come in, and on PostgreSQL the database, too, in turn. What was
 * acknowledged is there once, with the same answer; what was not answered is there whole or not at all, and its key finds it or
 * does it; it is ready again in 2 s and the checker finds nothing.
 * MILLRACE_KILLS sets how often (10), MILLRACE_KILLS_POSTGRES on PostgreSQL (10); MILLRACE_SEED names the moments. */
#include "crash/load.h"
#include "crash/own_postgres.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define READY_MS 2000
#define GOES_ON_US 100000 /* under load, once the database is back */

static struct load load;
static struct own_postgres postgres;

/* The first moment at which an order is taken again, from now on: the server finds its database by itself. */
static int64_t taken_again_ms(const struct site *site, const struct server *server, size_t kill)
{
    static struct client client;
    int64_t from = now_ms();
    char key[40];
    client_open(&client, server->port, site->key);
    for (int i = 0; now_ms() - from < INT64_C(1000) * CLIENT_TIMEOUT_S; i++, usleep(5000)) {
        snprintf(key, sizeof key, "probe-%zu-%d", kill, i);
        if (client_call(&client, "POST", "/v1/inventory/adjustments", key,
                        "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":1,\"reason\":\"receipt\"}") == 201)
            break;
    }
    client_close(&client);
    return now_ms() - from;
}

static int64_t kill_the_server(const struct site *site, struct server *server)
{
    server_kill(server);
    if (!load_wait(&load))
        fail();
    return server_start(server, site);
}

static int64_t kill_the_database(const struct site *site, struct server *server, size_t kill)
{
    own_postgres_kill(&postgres);
    own_postgres_again(&postgres);
    int64_t ms = taken_again_ms(site, server, kill);
    usleep(GOES_ON_US);
    load_stop(&load);
    if (!load_wait(&load))
        fail();
    if (server_is_gone(server))
        fail_msg("kill %zu: the server ended with its database", kill);
    return ms;
}

/* A server that has never seen its keys, because the database is gone, does not call them unknown. */
static void keys_that_cannot_be_read(const struct site *site, struct server *server)
{
    static struct client client;
    server_kill(server);
    server_start(server, site);
    own_postgres_kill(&postgres);
    client_open(&client, server->port, site->key);
    if (client_call(&client, "GET", "/v1/inventory?sku=LAMP&node=LEJ", NULL, NULL) != 503)
        fail_msg("without a database a key is answered %d %s", client.status, client.body);
    own_postgres_again(&postgres);
    for (int64_t until = now_ms() + READY_MS; client_call(&client, "GET", "/v1/inventory?sku=LAMP&node=LEJ", NULL, NULL) != 200;)
        if (now_ms() > until)
            fail_msg("with the database back a key is answered %d %s", client.status, client.body);
    client_close(&client);
}

static void kill_and_look(const char *url, size_t kills)
{
    struct site site;
    struct server server = { 0 };
    int64_t slowest = 0;
    unsigned seed = (unsigned)setting("MILLRACE_SEED", (size_t)time(NULL));
    print_message("MILLRACE_SEED=%u\n", seed);
    load = (struct load){ .round = 0 };
    site_make(&site, NULL, url);
    server_start(&server, &site);
    load_sell(&load, &site, server.port);
    for (size_t k = 0; k < kills; k++) {
        load_start(&load, &site, &server, 1);
        usleep(20000 + (useconds_t)(rand_r(&seed) % 700000));
        int64_t ms = url != NULL && k % 2 == 1 ? kill_the_database(&site, &server, k) : kill_the_server(&site, &server);
        slowest = ms > slowest ? ms : slowest;
        if (site_check(&site) != 0) /* before anything is sent again */
            fail_msg("kill %zu: the checker finds something", k);
        if (!load_again(&load, &site, &server, 1))
            fail_msg("kill %zu lost something", k);
    }
    struct load *const loads[] = { &load };
    if (url != NULL)
        keys_that_cannot_be_read(&site, &server);
    bool right = load_look(loads, 1, &site, server.port);
    server_stop(&server);
    int code = site_check(&site);
    site_delete(&site);
    print_message("%zu kills, %zu commands acknowledged, %zu not answered, ready again within %ld ms\n", kills, load.all_acknowledged, load.all_open,
                  (long)slowest);
    assert_int_equal(code, 0);
    assert_true(right);
    assert_true(slowest <= READY_MS);
    assert_true(load.all_acknowledged > 0);
    assert_true(load.all_open > 0);
}

static void nothing_acknowledged_is_lost_on_sqlite(void **state)
{
    kill_and_look(NULL, setting("MILLRACE_KILLS", 10));
}

static void nothing_acknowledged_is_lost_on_postgresql(void **state)
{
    if (site_postgres() == NULL)
        skip();
    own_postgres_start(&postgres, NULL);
    kill_and_look(postgres.url, setting("MILLRACE_KILLS_POSTGRES", 10));
}

static int stop_postgres(void **state)
{
    own_postgres_stop(&postgres);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_on_sqlite),
        cmocka_unit_test_teardown(nothing_acknowledged_is_lost_on_postgresql, stop_postgres),
    };
    return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
