/* tests/crash/crash_test.c: the server is killed while orders come in. What it acknowledged is there, with the same answer; what
 * it did not answer is there whole or not at all; it is ready again in 2 s and the checker finds nothing.
 * MILLRACE_KILLS sets how often (10; 5 on PostgreSQL); MILLRACE_SEED names the moments. */
#include "crash/client.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define THREADS 8
#define ORDERS_MOST 4000 /* a thread and round */
#define READY_MS 2000
/* A replay of an order that waits lacks "exception opened" at its end (see faults_test.c): bodies are compared up to the
 * timeline then. 0 with the fix. */
#define BUG_TIMELINE 0

struct sent {
    int status; /* 0: not answered */
    uint64_t body;
};

/* A thread's orders of one round: number i is the order ROUND-THREAD-i. */
struct sender {
    pthread_t thread;
    struct client client;
    int round, number;
    size_t count, wrong;
    char said[300];
    struct sent sent[ORDERS_MOST];
};

static struct sender senders[THREADS];

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 1469598103934665603u;
    const char *end = BUG_TIMELINE ? strstr(text, "\"timeline\":") : NULL;
    for (; *text != '\0' && text != end; text++)
        hash = (hash ^ (uint8_t)*text) * 1099511628211u;
    return hash;
}

static int send_order(struct sender *sender, size_t i)
{
    static const char *const skus[] = { "LAMP", "KIT", "BULB" };
    char body[700], key[40];
    snprintf(key, sizeof key, "%d-%d-%zu", sender->round, sender->number, i);
    snprintf(body, sizeof body,
             "{\"channel\":\"%s\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"
             "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s\",\"quantity\":2,\"unit_price\":{\"amount\":\"10.00\",\"currency\":"
             "\"EUR\"}},{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"9.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"on_account\","
             "\"status\":\"pending\"}}",
             i % 5 == 4 ? "b2b" : "web", key, skus[i % 3]);
    return client_call(&sender->client, "POST", "/v1/orders", key, body);
}

/* Orders until the server is gone. Refusals by the store (5xx) are no acknowledgement. */
static void *send_orders(void *context)
{
    struct sender *sender = context;
    for (sender->count = 0; sender->count < ORDERS_MOST;) {
        int status = send_order(sender, sender->count);
        sender->sent[sender->count++] = (struct sent){ status >= 500 ? 0 : status, hash_of(sender->client.body) };
        if (status == 0)
            break;
        if (status != 201 && status != 409 && status < 500) {
            sender->wrong++;
            snprintf(sender->said, sizeof sender->said, "%d %.250s", status, sender->client.body);
        }
    }
    client_close(&sender->client);
    return NULL;
}

static void sell_things(const struct site *site, uint16_t port)
{
    static const char *const calls[][3] = {
        { "PUT", "/v1/units/DE", "{\"name\":\"Germany\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}" },
        { "PUT", "/v1/nodes/LEJ", "{\"unit\":\"DE\",\"name\":\"Leipzig\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"04103\",\"priority\":1}" },
        { "PUT", "/v1/skus/LAMP", "{\"name\":\"Lamp\"}" },
        { "PUT", "/v1/skus/BULB", "{\"name\":\"Bulb\"}" },
        { "PUT", "/v1/bundles/KIT", "{\"name\":\"Kit\",\"components\":[{\"sku\":\"BULB\",\"quantity\":2},{\"sku\":\"LAMP\",\"quantity\":1}]}" },
        { "PUT", "/v1/channels/web", "{\"unit\":\"DE\",\"name\":\"Web\",\"kind\":\"store\",\"priority\":2,\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\"}" },
        { "PUT", "/v1/channels/b2b", "{\"unit\":\"DE\",\"name\":\"B2B\",\"kind\":\"b2b\",\"priority\":1,\"nodes\":[\"LEJ\"],\"shortage\":\"reject\"}" },
        { "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":5000,\"reason\":\"receipt\"}" },
        { "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"BULB\",\"delta\":5000,\"reason\":\"receipt\"}" },
    };
    struct client *client = &senders[0].client;
    client_open(client, port, site->key);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (client_call(client, calls[i][0], calls[i][1], NULL, calls[i][2]) != 201)
            fail_msg("%s: %d %s", calls[i][1], client->status, client->body);
    client_close(client);
}

/* Sent again with its key. An order that was not answered is done now, or was: then it is whole, two lines of what was asked. */
static void *send_again(void *context)
{
    struct sender *sender = context;
    for (size_t i = 0; i < sender->count; i++) {
        const struct sent *sent = &sender->sent[i];
        int status = send_order(sender, i);
        bool same = sent->status == 0 ? status == 201 || status == 409 : status == sent->status && hash_of(sender->client.body) == sent->body;
        bool whole = status != 201 || (strstr(sender->client.body, "\"line\":1,") != NULL && strstr(sender->client.body, "\"line\":2,") != NULL);
        if (same && whole)
            continue;
        sender->wrong++;
        snprintf(sender->said, sizeof sender->said, "order %d-%d-%zu was answered %d, now %d: %.200s", sender->round, sender->number, i, sent->status,
                 status, sender->client.body);
    }
    client_close(&sender->client);
    return NULL;
}

static void all(void *(*work)(void *), int round, const struct server *server, const struct site *site)
{
    for (int i = 0; i < THREADS; i++) {
        struct sender *sender = &senders[i];
        client_open(&sender->client, server->port, site->key);
        sender->round = round;
        sender->number = i;
        sender->wrong = 0;
        assert_int_equal(pthread_create(&sender->thread, NULL, work, sender), 0);
    }
}

static void wait_for_all(struct server *server)
{
    size_t wrong = 0;
    const char *said = "";
    for (int i = 0; i < THREADS; i++) {
        pthread_join(senders[i].thread, NULL);
        wrong += senders[i].wrong;
        said = senders[i].wrong > 0 ? senders[i].said : said;
    }
    if (wrong == 0)
        return;
    server_kill(server);
    fail_msg("%zu are wrong, such as: %s", wrong, said);
}

static size_t setting(const char *name, size_t preset)
{
    const char *text = getenv(name);
    return text == NULL ? preset : strtoul(text, NULL, 10);
}

static void kill_and_look(bool postgres, size_t kills)
{
    struct site site;
    struct server server = { 0 };
    size_t acknowledged = 0, open = 0;
    int64_t slowest = 0;
    unsigned seed = (unsigned)setting("MILLRACE_SEED", (size_t)time(NULL));
    print_message("MILLRACE_SEED=%u\n", seed);
    site_make(&site, postgres);
    server_start(&server, &site);
    sell_things(&site, server.port);
    for (size_t k = 0; k < kills; k++) {
        all(send_orders, (int)k, &server, &site);
        usleep(20000 + (useconds_t)(rand_r(&seed) % 700000));
        server_kill(&server);
        for (int i = 0; i < THREADS; i++)
            pthread_join(senders[i].thread, NULL);
        for (int i = 0; i < THREADS; i++)
            for (size_t s = 0; s < senders[i].count; s++)
                *(senders[i].sent[s].status == 0 ? &open : &acknowledged) += 1;
        for (int i = 0; i < THREADS; i++)
            if (senders[i].wrong > 0)
                fail_msg("a refusal that nobody expects: %s", senders[i].said);
        int64_t ms = server_start(&server, &site);
        slowest = ms > slowest ? ms : slowest;
        if (site_check(&site) != 0) /* before anything is sent again */
            fail_msg("kill %zu: the checker finds something", k);
        all(send_again, (int)k, &server, &site);
        wait_for_all(&server);
    }
    server_stop(&server);
    int code = site_check(&site);
    site_delete(&site);
    print_message("%zu kills, %zu orders acknowledged, %zu not answered, ready again within %ld ms\n", kills, acknowledged, open, (long)slowest);
    assert_int_equal(code, 0);
    assert_true(slowest <= READY_MS);
    assert_true(acknowledged > 0);
}

static void nothing_acknowledged_is_lost_on_sqlite(void **state)
{
    kill_and_look(false, setting("MILLRACE_KILLS", 10));
}

static void nothing_acknowledged_is_lost_on_postgresql(void **state)
{
    if (!site_has_postgres())
        skip();
    kill_and_look(true, setting("MILLRACE_KILLS", 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_on_sqlite),
        cmocka_unit_test(nothing_acknowledged_is_lost_on_postgresql),
    };
    return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
