/* tests/store/jobs_test.c: what is too long for one command: queues, checkouts, orders and counts by the thousand, a unit
 * made when the company has many SKUs. Others go on meanwhile; who ranks behind the queue gets nothing from it. */
#include "engine/engine.h"
#include "engine/forget.h"
#include "engine/idempotency.h"
#include "engine/jobs.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *order_with(struct shop *shop, const char *channel, const char *id, const char *lines, const char *term, const char *more)
{
    return arena_printf(shop->arena,
                        "{\"channel\":\"%s\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                        "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[%s],"
                        "\"payment\":{\"term\":\"%s\",\"status\":\"pending\"}%s}",
                        channel, id, lines, term, more);
}

static const char *order_of(struct shop *shop, const char *channel, const char *id, const char *lines, const char *more)
{
    return order_with(shop, channel, id, lines, "on_account", more);
}

static const char *line_of(struct shop *shop, const char *sku, int quantity)
{
    return arena_printf(shop->arena, "{\"sku\":\"%s\",\"quantity\":%d,\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}", sku, quantity);
}

static void many_orders(struct shop *shop, const char *channel, const char *sku, size_t count)
{
    struct many many = { .shop = shop };
    for (size_t i = 0; i < count; i++)
        many_add(&many, "POST", "/v1/orders", order_of(shop, channel, arena_printf(shop->arena, "M-%zu", i), line_of(shop, sku, 1), ""));
    many_run(&many);
}

static int64_t stock_of(struct shop *shop, const char *node, const char *sku, const char *bucket)
{
    char target[128];
    snprintf(target, sizeof target, "/v1/inventory?sku=%s&node=%s", sku, node);
    return number_in(shop_must(shop, 200, "GET", target, NULL).body, NULL, bucket);
}

static size_t in_stage(struct shop *shop, const char *stage)
{
    size_t count = 0;
    char target[128];
    snprintf(target, sizeof target, "/v1/orders?limit=1000&stage=%s", stage);
    for (const char *at = shop_must(shop, 200, "GET", target, NULL).body; (at = strstr(at, "\"channel_order_id\"")) != NULL; at++)
        count++;
    return count;
}

static void a_receipt_for_a_long_queue_becomes_a_job(struct shop *shop)
{
    many_orders(shop, "web", "LAMP", 400);
    receive(shop, "LEJ", "LAMP", 300);
    size_t at_once = in_stage(shop, "released");
    if (at_once < 50 || at_once > 200)
        fail_msg("%zu lines in one command", at_once);
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "available"), 300 - (int64_t)at_once);
    shop_check(shop); /* also between two steps */

    /* Who ranks behind the head of the queue gets nothing, who ranks before it does; facts are taken. */
    assert_non_null(strstr(shop_must(shop, 201, "POST", "/v1/orders", "%s", order_of(shop, "web", "late", line_of(shop, "LAMP", 1), "")).body,
                           "\"backordered\":1"));
    shop_must(shop, 409, "POST", "/v1/reservations", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}],\"ttl_s\":60}");
    shop_must(shop, 409, "PUT", "/v1/channels/b2b/fences/LEJ/LAMP", "{\"quantity\":1}");
    shop_must(shop, 201, "POST", "/v1/orders", "%s", order_of(shop, "b2b", "first", line_of(shop, "LAMP", 1), ""));
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-2,\"reason\":\"damage\"}");
    receive(shop, "LEJ", "LAMP", 4); /* the job has them too */

    size_t rounds = shop_jobs(shop, 1);
    assert_true(rounds >= 2);
    assert_int_equal(in_stage(shop, "released"), 302); /* 301 of the queue, and the b2b order */
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "available"), 0);
    receive(shop, "LEJ", "LAMP", 200); /* the barrier is gone: the last 100 wait, then newcomers have the rest */
    shop_jobs(shop, 1);
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "available"), 100);
    shop_must(shop, 201, "POST", "/v1/reservations", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":100}],\"ttl_s\":60}");
}

static void a_checkout_keeps_its_units_while_a_queue_is_filled(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    char id[32];
    text_in(
        shop_must(shop, 201, "POST", "/v1/reservations", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":5}],\"ttl_s\":600}").body,
        NULL, "id", id, sizeof id);
    many_orders(shop, "web", "LAMP", 300);
    receive(shop, "LEJ", "LAMP", 250);
    const char *named = arena_printf(shop->arena, ",\"reservation\":\"%s\"", id);
    const char *body = shop_must(shop, 201, "POST", "/v1/orders", "%s", order_of(shop, "web", "mine", line_of(shop, "LAMP", 3), named)).body;
    assert_int_equal(number_in(body, "\"lines\"", "allocated"), 3);
    shop_jobs(shop, 1);
    assert_int_equal(in_stage(shop, "released"), 253); /* the two that it did not take went to the queue */
}

static void what_an_order_leaves_of_its_checkout_goes_to_those_who_wait(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    char id[32];
    text_in(
        shop_must(shop, 201, "POST", "/v1/reservations", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":5}],\"ttl_s\":600}").body,
        NULL, "id", id, sizeof id);
    many_orders(shop, "web", "LAMP", 4);
    const char *named = arena_printf(shop->arena, ",\"reservation\":\"%s\"", id);
    shop_must(shop, 201, "POST", "/v1/orders", "%s", order_of(shop, "web", "mine", line_of(shop, "LAMP", 2), named));
    assert_int_equal(in_stage(shop, "released"), 4);
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "available"), 0);
}

static void cancelling_a_large_order_fills_all_the_queues_it_held_up(struct shop *shop)
{
    enum { SKUS = 150 };
    struct buffer lines = { .arena = shop->arena };
    struct many many = { .shop = shop };
    for (int i = 0; i < SKUS; i++)
        many_add(&many, "PUT", arena_printf(shop->arena, "/v1/skus/S%d", i), "{\"name\":\"S\"}");
    many_run(&many);
    for (int i = 0; i < SKUS; i++) {
        many_add(&many, "POST", "/v1/inventory/adjustments",
                 arena_printf(shop->arena, "{\"node\":\"LEJ\",\"sku\":\"S%d\",\"delta\":1,\"reason\":\"receipt\"}", i));
        buffer_printf(&lines, "%s%s", i == 0 ? "" : ",", line_of(shop, arena_printf(shop->arena, "S%d", i), 1));
    }
    many_run(&many);
    char id[32];
    text_in(shop_must(shop, 201, "POST", "/v1/orders", "%s", order_of(shop, "web", "all", lines.at, "")).body, NULL, "id", id, sizeof id);
    for (int i = 0; i < SKUS; i++)
        many_add(&many, "POST", "/v1/orders",
                 order_of(shop, "web", arena_printf(shop->arena, "W-%d", i), line_of(shop, arena_printf(shop->arena, "S%d", i), 1), ""));
    many_run(&many);
    assert_int_equal(in_stage(shop, "captured"), SKUS);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"too many\"}");
    shop_jobs(shop, 1);
    assert_int_equal(in_stage(shop, "captured"), 0);
    assert_int_equal(in_stage(shop, "released"), SKUS);
}

static size_t times(const char *text, const char *what)
{
    size_t count = 0;
    for (; (text = strstr(text, what)) != NULL; text++)
        count++;
    return count;
}

/* The claims of 3,000 orders, some reserved and most allocated, are more than one command may break: it breaks what it may, a
 * job the rest. Its place gives nothing to anybody meanwhile, and further facts see what is truly there. */
static void a_count_breaks_thousands_of_claims(struct shop *shop)
{
    enum { ORDERS = 3000, UNPAID = 40, AT_ONCE = 600 };
    static const char set[] = "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":%d,\"reason\":\"count\"}";
    struct many many = { .shop = shop };
    receive(shop, "LEJ", "LAMP", ORDERS + UNPAID);
    for (int i = 0; i < UNPAID; i++)
        many_add(&many, "POST", "/v1/orders", order_with(shop, "b2b", arena_printf(shop->arena, "U-%d", i), line_of(shop, "LAMP", 1), "prepaid", ""));
    many_run(&many);
    many_orders(shop, "web", "LAMP", ORDERS);
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "reserved"), UNPAID);

    const char *body = shop_must(shop, 201, "POST", "/v1/inventory/adjustments", set, 0).body;
    assert_int_equal(times(body, "\"kind\":\"order\""), AT_ONCE);
    assert_int_equal(number_in(body, NULL, "to_break"), ORDERS + UNPAID - AT_ONCE);
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "reserved"), 0); /* soft before hard, whatever their rank */
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "on_hand"), ORDERS + UNPAID - AT_ONCE);
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/jobs", NULL).body, "\"kind\":\"give_way\""));
    shop_check(shop); /* also between two steps */

    receive(shop, "LEJ", "LAMP", 100);
    shop_must(shop, 409, "POST", "/v1/orders", "%s", order_of(shop, "b2b", "first", line_of(shop, "LAMP", 1), ""));
    shop_must(shop, 409, "POST", "/v1/reservations", "{\"channel\":\"b2b\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}],\"ttl_s\":60}");
    shop_must(shop, 409, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-1,\"reason\":\"correction\"}");
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-10,\"reason\":\"damage\"}");
    shop_must(shop, 409, "POST", "/v1/inventory/adjustments",
              "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-91,\"reason\":\"damage\"}"); /* 90 are there */
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", set, 40);

    assert_true(shop_jobs(shop, 1) > 2000 / 60);
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "on_hand"), 40);
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "allocated"), 40); /* those who stood first */
    receive(shop, "LEJ", "LAMP", ORDERS + UNPAID);                    /* found again behind the shelf */
    shop_jobs(shop, 1);
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "allocated"), ORDERS);
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "reserved"), UNPAID);
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "available"), 40);
}

/* A queue is being filled where a count finds nothing: those who got units lose them, and the next receipt fills from the top. */
static void a_count_overtakes_a_queue_that_is_filled(struct shop *shop)
{
    enum { ORDERS = 1200 };
    many_orders(shop, "web", "LAMP", ORDERS);
    receive(shop, "LEJ", "LAMP", ORDERS);
    bool open = true;
    for (int i = 0; i < 12; i++) /* until more got some than one command may take it from */
        assert_int_equal(jobs_advance(shop->engine, shop->arena, 1, &open), DB_OK);
    assert_true(open);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":0,\"reason\":\"count\"}");
    const char *body = shop_must(shop, 200, "GET", "/v1/jobs", NULL).body;
    assert_int_equal(times(body, "\"kind\":\"give_way\""), 1);
    assert_int_equal(times(body, "\"kind\":\"fill\""), 1);
    shop_jobs(shop, 1);
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "on_hand"), 0);
    assert_int_equal(in_stage(shop, "released"), 0);
    receive(shop, "LEJ", "LAMP", ORDERS);
    shop_jobs(shop, 1);
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "allocated"), ORDERS);
}

static void many_checkouts_expire_at_once(struct shop *shop)
{
    enum { CHECKOUTS = 250 };
    extern const struct command_type reservation_expire;
    struct many many = { .shop = shop };
    receive(shop, "LEJ", "LAMP", CHECKOUTS);
    for (int i = 0; i < CHECKOUTS; i++)
        many_add(&many, "POST", "/v1/reservations", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}],\"ttl_s\":60}");
    many_run(&many);
    many_orders(shop, "web", "LAMP", CHECKOUTS);
    shop->now_us += INT64_C(61000000);
    for (int i = 0; i < 3; i++) {
        struct command command = { .type = &reservation_expire, .arena = shop->arena, .unit = 1, .faults = { .arena = shop->arena } },
                       *each = &command;
        engine_run(shop->engine, &each, 1);
        assert_int_equal(command.state, COMMAND_ACCEPTED);
    }
    shop_jobs(shop, 1);
    assert_int_equal(in_stage(shop, "released"), CHECKOUTS);
}

static void a_unit_that_comes_late_gets_all_masters(struct shop *shop)
{
    enum { SKUS = 6000 };
    struct many many = { .shop = shop };
    for (int i = 0; i < SKUS; i++)
        many_add(&many, "PUT", arena_printf(shop->arena, "/v1/skus/S%d", i), "{\"name\":\"S\"}");
    many_run(&many);
    shop_must(shop, 201, "PUT", "/v1/units/FR", "{\"name\":\"France\",\"currency\":\"EUR\",\"country\":\"FR\",\"time_zone\":\"Europe/Paris\"}");
    /* Masters are made at once; what the unit itself decides waits until it knows all SKUs. */
    shop_must(shop, 201, "PUT", "/v1/nodes/LYS",
              "{\"unit\":\"FR\",\"name\":\"Lyon\",\"kind\":\"warehouse\",\"country\":\"FR\",\"postal_code\":\"69001\"}");
    shop_must(shop, 200, "PUT", "/v1/skus/S5999", "{\"name\":\"Last\"}");
    shop_must(shop, 503, "POST", "/v1/inventory/adjustments", "{\"node\":\"LYS\",\"sku\":\"S1\",\"delta\":1,\"reason\":\"receipt\"}");
    receive(shop, "LEJ", "LAMP", 1); /* other units go on */
    assert_true(shop_jobs(shop, 0) >= 1);
    receive(shop, "LYS", "S5999", 1);
    receive(shop, "LYS", "S5998", 1);
    receive(shop, "LYS", "S4500", 1);
    shop_must(shop, 422, "POST", "/v1/inventory/adjustments", "{\"node\":\"LYS\",\"sku\":\"KIT\",\"delta\":1,\"reason\":\"receipt\"}");
}

static void forget(struct shop *shop)
{
    struct command command = { .type = &engine_forget, .arena = shop->arena, .unit = 1, .faults = { .arena = shop->arena } }, *each = &command;
    engine_run(shop->engine, &each, 1);
    assert_int_equal(command.state, COMMAND_ACCEPTED);
}

/* Whether an adjustment with this key was known already. */
static bool sent_before(struct shop *shop, const char *key)
{
    struct command *command = local_command(shop->local, shop->arena, "POST", "/v1/inventory/adjustments",
                                            "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":1,\"reason\":\"receipt\"}", key);
    engine_run(shop->engine, &command, 1);
    assert_int_equal(command->answer.status, 201);
    return command->existing;
}

static size_t lines_of(struct shop *shop, const char *table)
{
    size_t count = 0;
    const char *at = strstr(shop_dump(shop, shop->arena), table);
    for (; at != NULL; at = strstr(at + 1, table))
        count++;
    return count;
}

static void keys_are_remembered_for_their_days_and_then_forgotten(struct shop *shop)
{
    enum { KEYS = 1100 };
    size_t before = lines_of(shop, "idempotency");
    for (int i = 0; i < KEYS; i++)
        assert_false(sent_before(shop, arena_printf(shop->arena, "old-%d", i)));
    shop->now_us += 2 * DAY_US;
    forget(shop);
    assert_true(sent_before(shop, "old-0")); /* 48 hours are promised */
    assert_int_equal(lines_of(shop, "idempotency"), before + KEYS);
    shop->now_us += DAY_US;
    assert_false(sent_before(shop, "young"));
    forget(shop);
    forget(shop);
    assert_int_equal(lines_of(shop, "idempotency"), before + 1);
    assert_true(sent_before(shop, "young"));
    assert_int_equal(stock_of(shop, "LEJ", "LAMP", "available"), KEYS + 1);
}

/* A look into the store for each line would read the whole command anew as often, and keep the memory of each time. */
static void a_count_breaks_the_lines_of_an_order_of_two_parcels(struct shop *shop)
{
    enum { LINES = 60 };
    struct buffer lines = { .arena = shop->arena };
    struct engine_stats before, after;
    static const char *const nodes[] = { "LEJ", "HAM" };
    for (int i = 0; i < LINES; i++)
        buffer_printf(&lines, "%s%s", i == 0 ? "" : ",", line_of(shop, "LAMP", 1));
    for (size_t i = 0; i < COUNT(nodes); i++)
        receive(shop, nodes[i], "LAMP", LINES / 2);
    const char *body = shop_must(shop, 201, "POST", "/v1/orders", "%s", order_of(shop, "web", "two", lines.at, "")).body;
    assert_non_null(strstr(body, "\"node\":\"LEJ\""));
    assert_non_null(strstr(body, "\"node\":\"HAM\""));
    for (size_t i = 0; i < COUNT(nodes); i++) {
        engine_stats(shop->engine, &before);
        shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"%s\",\"sku\":\"LAMP\",\"set\":0,\"reason\":\"count\"}", nodes[i]);
        engine_stats(shop->engine, &after);
        if (after.needs - before.needs > LINES / 4)
            fail_msg("%ld times a row was not known for %d lines at %s", (long)(after.needs - before.needs), LINES / 2, nodes[i]);
    }
}

static void run(enum store store, void (*scene)(struct shop *shop))
{
    struct shop *shop = shop_open(store);
    shop_furnish(shop);
    scene(shop);
    shop_close(shop);
}

static void (*const scenes[])(struct shop *shop) = {
    a_receipt_for_a_long_queue_becomes_a_job,
    a_checkout_keeps_its_units_while_a_queue_is_filled,
    what_an_order_leaves_of_its_checkout_goes_to_those_who_wait,
    cancelling_a_large_order_fills_all_the_queues_it_held_up,
    a_count_breaks_thousands_of_claims,
    a_count_breaks_the_lines_of_an_order_of_two_parcels,
    a_count_overtakes_a_queue_that_is_filled,
    many_checkouts_expire_at_once,
    a_unit_that_comes_late_gets_all_masters,
    keys_are_remembered_for_their_days_and_then_forgotten,
};

static void jobs_on_sqlite(void **state)
{
    for (size_t i = 0; i < COUNT(scenes); i++)
        run(STORE_SQLITE, scenes[i]);
}

static void jobs_on_postgresql(void **state)
{
    if (!store_is_there(STORE_POSTGRES))
        skip();
    for (size_t i = 0; i < COUNT(scenes); i++)
        run(STORE_POSTGRES, scenes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_on_sqlite),
        cmocka_unit_test(jobs_on_postgresql),
    };
    return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}
