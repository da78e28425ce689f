/* tests/crash/cut_test.c: the connection to PostgreSQL is cut before a COMMIT, after it, while it is under way, and at any message.
 * The engine finds out what became of it: what it answers is true, also for a receipt without a key, which a batch that is run
 * twice would count twice. MILLRACE_CUTS sets how often (10 of each). And it is there and says nothing any more: whoever waits
 * is told so in bounded time, and the server goes on when the store does. */
#include "crash/load.h"
#include "crash/proxy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define WAIT_MS 20000
#define GOES_ON_US 100000
#define LAMPS 5000 /* that load_sell received */

static struct load load;
static struct proxy proxy;
static struct server server;

/* Receives a lamp at a time, without a key. */
struct receiver {
    pthread_t thread;
    struct client client;
    atomic_bool stop;
    int64_t received, open; /* 201; told that it may have been done, or nothing */
    int64_t lied;           /* an answer that nobody expects */
    char said[300];
};
static struct receiver receiver;

static void *receive(void *context)
{
    struct receiver *r = context;
    while (!atomic_load(&r->stop)) {
        int status = client_call(&r->client, "POST", "/v1/inventory/adjustments", NULL,
                                 "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":1,\"reason\":\"receipt\"}");
        r->received += status == 201;
        if (status == 0 || strstr(r->client.body, "may have been carried out") != NULL)
            r->open++;
        else if (status != 201 && status != 503) {
            r->lied++;
            snprintf(r->said, sizeof r->said, "%d %.200s", status, r->client.body);
        }
    }
    client_close(&r->client);
    return NULL;
}

static int64_t lamps(const struct site *site)
{
    static struct client client;
    client_open(&client, server.port, site->key);
    client_must(&client, "GET", "/v1/inventory?sku=LAMP&node=LEJ", NULL);
    client_close(&client);
    return number_after(client.body, "available") + number_after(client.body, "reserved") + number_after(client.body, "allocated");
}

static void cut_once(const struct site *site, enum proxy_cut how, int n)
{
    size_t cuts = atomic_load(&proxy.cuts);
    load_start(&load, site, &server, 1);
    atomic_store(&receiver.stop, false);
    client_open(&receiver.client, server.port, site->key);
    assert_int_equal(pthread_create(&receiver.thread, NULL, receive, &receiver), 0);
    usleep(GOES_ON_US);
    proxy_cut_at(&proxy, how, n);
    for (int64_t until = now_ms() + WAIT_MS; atomic_load(&proxy.cuts) == cuts && now_ms() < until;)
        usleep(1000);
    usleep(GOES_ON_US);
    load_stop(&load);
    atomic_store(&receiver.stop, true);
    pthread_join(receiver.thread, NULL);
    bool fair = load_wait(&load);
    assert_int_equal(atomic_load(&proxy.cuts), cuts + 1);
    assert_true(fair && !server_is_gone(&server));
    if (receiver.lied > 0)
        fail_msg("a receipt is answered %s", receiver.said);
    int64_t more = lamps(site) - LAMPS - receiver.received;
    if (more < 0 || more > receiver.open)
        fail_msg("cut %d at %d: of %ld receipts that were acknowledged and %ld open ones %ld are there", (int)how, n, (long)receiver.received,
                 (long)receiver.open, (long)(receiver.received + more));
    if (site_check(site) != 0) /* before anything is sent again */
        fail_msg("cut %d at %d: the checker finds something", (int)how, n);
    if (!load_again(&load, site, &server, 1))
        fail_msg("cut %d at %d lost something", (int)how, n);
}

static void a_cut_connection_leaves_true_answers(void **state)
{
    static const struct {
        enum proxy_cut how;
        int most; /* the last COMMIT, or message, at which it is cut */
    } kinds[] = { { PROXY_BEFORE, 3 }, { PROXY_AFTER, 3 }, { PROXY_LATE, 3 }, { PROXY_MESSAGE, 60 } };
    const char *url = site_postgres();
    struct site site, by_proxy;
    size_t cuts = setting("MILLRACE_CUTS", 10);
    unsigned seed = (unsigned)setting("MILLRACE_SEED", (size_t)time(NULL));
    struct load *const loads[] = { &load };
    if (url == NULL)
        skip();
    print_message("MILLRACE_SEED=%u\n", seed);
    site_make(&site, NULL, url);
    proxy_start(&proxy, url);
    by_proxy = site;
    proxy_url(&proxy, site.url, by_proxy.url, sizeof by_proxy.url);
    server_start(&server, &by_proxy);
    load = (struct load){ .round = 0 };
    load_sell(&load, &site, server.port);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (size_t i = 0; i < cuts; i++)
            cut_once(&site, kinds[k].how, 1 + rand_r(&seed) % kinds[k].most);
    bool right = load_look(loads, 1, &site, server.port);
    server_stop(&server);
    int code = site_check(&site);
    print_message("%zu cuts, %zu commands acknowledged, %zu not, %ld receipts without a key and %ld open ones\n", atomic_load(&proxy.cuts),
                  load.all_acknowledged, load.all_open, (long)receiver.received, (long)receiver.open);
    site_delete(&site);
    assert_int_equal(code, 0);
    assert_true(right);
    assert_int_equal(receiver.open, 0); /* the store was there all the time: the engine can know, so it must */
}

static int receipt(struct client *client, int number)
{
    char key[40];
    snprintf(key, sizeof key, "mute-%d", number);
    return client_call(client, "POST", "/v1/inventory/adjustments", key, "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":1,\"reason\":\"receipt\"}");
}

static void falls_silent(const struct site *site, enum proxy_mute how)
{
    static struct client client;
    client_open(&client, server.port, site->key);
    assert_int_equal(receipt(&client, -1 - 2 * (int)how), 201);
    proxy_mute(&proxy, how);
    int64_t began = now_ms();
    int status = receipt(&client, 2 * (int)how);
    int64_t told = now_ms() - began;
    if (status != 503 || strstr(client.body, "\"store_lost\"") == NULL)
        fail_msg("silence %d: after %ld ms %d %.200s", (int)how, (long)told, status, client.body);
    proxy_mute(&proxy, PROXY_SPEAKS);
    began = now_ms();
    while ((status = receipt(&client, 2 * (int)how)) != 201 && now_ms() < began + WAIT_MS)
        usleep(100000);
    if (status != 201)
        fail_msg("silence %d: the store is there, and the server still says %d %.200s", (int)how, status, client.body);
    print_message("silence %d: told in %ld ms, back in %ld ms\n", (int)how, (long)told, (long)(now_ms() - began));
    client_close(&client);
    assert_false(server_is_gone(&server));
}

static void a_store_that_says_nothing_holds_nobody(void **state)
{
    const char *url = site_postgres();
    struct site site, by_proxy;
    if (url == NULL)
        skip();
    site_make(&site, NULL, url);
    proxy_start(&proxy, url);
    by_proxy = site;
    proxy_url(&proxy, site.url, by_proxy.url, sizeof by_proxy.url);
    server = (struct server){ 0 };
    server_start(&server, &by_proxy);
    load = (struct load){ .round = 0 };
    load_sell(&load, &site, server.port);
    falls_silent(&site, PROXY_GREETS);
    falls_silent(&site, PROXY_SILENT);
    int64_t counted = lamps(&site) - LAMPS;
    server_stop(&server);
    int code = site_check(&site);
    site_delete(&site);
    assert_int_equal(code, 0);
    assert_int_equal(counted, 4); /* what was told to come again was counted once */
}

static int end_all(void **state)
{
    server_kill(&server);
    proxy_stop(&proxy);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_cut_connection_leaves_true_answers, end_all),
        cmocka_unit_test_teardown(a_store_that_says_nothing_holds_nobody, end_all),
    };
    return cmocka_run_group_tests_name("cut", tests, NULL, NULL);
}
