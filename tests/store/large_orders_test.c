/* tests/store/large_orders_test.c: commands about orders and checkouts of many lines ask the store a few times, not once a line:
 * each time is the whole command anew and keeps its memory, so that a thousand lines took seconds, or ended with 503. Nor does what they
 * decide take time by the square of what they have. */
#include "engine/engine.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define LINES 80
#define ASKED_MAX 40 /* by one command on a server that knows nothing yet: masters, some of them one by one */

static const char *lines_of(struct shop *shop, const char *member, const char *word, int quantity)
{
    struct buffer lines = { .arena = shop->arena };
    for (int i = 0; i < LINES; i++)
        buffer_printf(&lines, "%s{\"%s\":\"%s%d\",\"quantity\":%d,\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}", i == 0 ? "" : ",",
                      member, word, i, quantity);
    return lines.at;
}

static const char *order_of(struct shop *shop, const char *channel, const char *id, const char *lines, const char *term)
{
    return arena_printf(shop->arena,
                        "{\"channel\":\"%s\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                        "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[%s],"
                        "\"payment\":{\"term\":\"%s\",\"status\":\"pending\"}}",
                        channel, id, lines, term);
}

static void make(struct shop *shop, const char *format, const char *body)
{
    for (int i = 0; i < LINES; i++)
        shop_must(shop, 201, "PUT", arena_printf(shop->arena, "%s%d", format, i), "%s", body);
}

/* Of each S0, S1, ... so many at the node. */
static void receive_all(struct shop *shop, const char *node, int quantity)
{
    for (int i = 0; i < LINES; i++)
        receive(shop, node, arena_printf(shop->arena, "S%d", i), quantity);
}

/* By a server that was just started. */
static struct reply asks_little(struct shop *shop, int status, const char *method, const char *target, const char *body)
{
    struct engine_stats before, after;
    shop_open_again(shop);
    engine_stats(shop->engine, &before);
    struct reply reply = shop_must(shop, status, method, target, "%s", body);
    engine_stats(shop->engine, &after);
    if (after.needs - before.needs > ASKED_MAX)
        fail_msg("%s %s: %ld times a row was not known for %d lines", method, target, (long)(after.needs - before.needs), LINES);
    return reply;
}

static const char *path_of(struct shop *shop, const char *format, struct reply reply)
{
    char id[32];
    text_in(reply.body, NULL, "id", id, sizeof id);
    return arena_printf(shop->arena, format, id);
}

static void cancel(struct shop *shop, struct reply order)
{
    asks_little(shop, 200, "POST", path_of(shop, "/v1/orders/%s/cancel", order), "{\"reason\":\"the customer called\"}");
}

static void an_order_that_waits_is_cancelled(struct shop *shop)
{
    cancel(shop, asks_little(shop, 201, "POST", "/v1/orders", order_of(shop, "web", "waits", lines_of(shop, "sku", "S", 2), "prepaid")));
}

static void an_order_that_holds_units_at_two_nodes_is_cancelled(struct shop *shop)
{
    receive_all(shop, "LEJ", 1);
    receive_all(shop, "HAM", 1);
    cancel(shop, asks_little(shop, 201, "POST", "/v1/orders", order_of(shop, "web", "held", lines_of(shop, "sku", "S", 2), "prepaid")));
    struct reply sent = asks_little(shop, 201, "POST", "/v1/orders", order_of(shop, "web", "sent", lines_of(shop, "sku", "S", 2), "on_account"));
    assert_non_null(strstr(sent.body, "\"stage\":\"released\""));
    cancel(shop, sent);
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/inventory?sku=S7&node=HAM", NULL).body, "\"available\":1,"));
}

/* Each line set to so many, or as many lines that come. */
static const char *edit_of(struct shop *shop, const char *what, int quantity)
{
    struct buffer body = { .arena = shop->arena };
    if (what != NULL)
        return arena_printf(shop->arena, "{\"add\":[%s]}", lines_of(shop, what, "S", quantity));
    buffer_text(&body, "{\"set\":[");
    for (int i = 0; i < LINES; i++)
        buffer_printf(&body, "%s{\"line\":%d,\"quantity\":%d}", i == 0 ? "" : ",", i + 1, quantity);
    buffer_text(&body, "]}");
    return body.at;
}

static void an_order_is_edited(struct shop *shop)
{
    static const struct {
        const char *what;
        int quantity;
    } edits[] = { { NULL, 1 }, { NULL, 2 }, { NULL, 7 }, { NULL, 1 }, { "sku", 1 }, { "sku", 9 }, { "channel_sku", 1 } };
    receive_all(shop, "LEJ", 3);
    receive_all(shop, "HAM", 1);
    make(shop, "/v1/channels/web/listings/S", "{\"sku\":\"LAMP\"}");
    struct reply taken = asks_little(shop, 201, "POST", "/v1/orders", order_of(shop, "web", "edited", lines_of(shop, "sku", "S", 2), "on_account"));
    for (size_t i = 0; i < COUNT(edits); i++)
        asks_little(shop, 200, "POST", path_of(shop, "/v1/orders/%s/edit", taken), edit_of(shop, edits[i].what, edits[i].quantity));
}

static void lines_that_name_nothing_are_cancelled(struct shop *shop)
{
    cancel(shop, asks_little(shop, 201, "POST", "/v1/orders", order_of(shop, "market", "what", lines_of(shop, "sku", "NOTHING", 1), "collected")));
}

static void a_payment_releases_an_order(struct shop *shop)
{
    receive_all(shop, "LEJ", 2);
    struct reply taken = asks_little(shop, 201, "POST", "/v1/orders", order_of(shop, "web", "paid", lines_of(shop, "sku", "S", 2), "prepaid"));
    const char *amount =
        arena_printf(shop->arena, "{\"kind\":\"captured\",\"reference\":\"p\",\"amount\":{\"amount\":\"%d.00\",\"currency\":\"EUR\"}}", 2 * LINES);
    struct reply paid = asks_little(shop, 200, "POST", path_of(shop, "/v1/orders/%s/payments", taken), amount);
    assert_non_null(strstr(paid.body, "\"stage\":\"released\""));
}

static void an_order_names_bundles_and_listings(struct shop *shop)
{
    receive_all(shop, "LEJ", 9);
    for (int i = 0; i < LINES; i++) {
        shop_must(shop, 201, "PUT", arena_printf(shop->arena, "/v1/bundles/INNER%d", i),
                  "{\"name\":\"b\",\"components\":[{\"sku\":\"S%d\",\"quantity\":1}]}", i);
        shop_must(shop, 201, "PUT", arena_printf(shop->arena, "/v1/bundles/B%d", i),
                  "{\"name\":\"b\",\"components\":[{\"sku\":\"INNER%d\",\"quantity\":1},{\"sku\":\"S%d\",\"quantity\":1}]}", i, (i + 1) % LINES);
        shop_must(shop, 201, "PUT", arena_printf(shop->arena, "/v1/channels/web/listings/W%d", i), "{\"sku\":\"B%d\"}", i);
    }
    asks_little(shop, 201, "POST", "/v1/orders", order_of(shop, "web", "bundles", lines_of(shop, "sku", "B", 1), "on_account"));
    asks_little(shop, 201, "POST", "/v1/orders", order_of(shop, "web", "listings", lines_of(shop, "channel_sku", "W", 1), "on_account"));
}

static void an_order_takes_what_fences_hold(struct shop *shop)
{
    receive_all(shop, "LEJ", 2);
    make(shop, "/v1/channels/b2b/fences/LEJ/S", "{\"quantity\":1}");
    make(shop, "/v1/channels/web/fences/LEJ/S", "{\"quantity\":1}");
    asks_little(shop, 201, "POST", "/v1/orders", order_of(shop, "b2b", "fenced", lines_of(shop, "sku", "S", 2), "on_account"));
}

static void a_checkout_is_made_and_given_back(struct shop *shop)
{
    struct buffer lines = { .arena = shop->arena };
    receive_all(shop, "HAM", 1);
    for (int i = 0; i < LINES; i++)
        buffer_printf(&lines, "%s{\"sku\":\"S%d\",\"quantity\":1}", i == 0 ? "" : ",", i);
    const char *body = arena_printf(shop->arena, "{\"channel\":\"b2b\",\"ttl_s\":60,\"lines\":[%s]}", lines.at);
    struct reply made = asks_little(shop, 201, "POST", "/v1/reservations", body);
    asks_little(shop, 204, "DELETE", path_of(shop, "/v1/reservations/%s", made), "");
}

/* As an order: a thousand lines, 1,500 components. */
static void a_checkout_is_as_large_as_an_order(struct shop *shop)
{
    struct buffer lines = { .arena = shop->arena }, parts = { .arena = shop->arena };
    receive(shop, "LEJ", "LAMP", 1001);
    for (int i = 0; i < 1000; i++)
        buffer_printf(&lines, "%s{\"sku\":\"LAMP\",\"quantity\":1}", i == 0 ? "" : ",");
    shop_must(shop, 201, "POST", "/v1/reservations", "{\"channel\":\"b2b\",\"ttl_s\":60,\"lines\":[%s]}", lines.at);
    buffer_printf(&lines, ",{\"sku\":\"LAMP\",\"quantity\":1}");
    shop_must(shop, 422, "POST", "/v1/reservations", "{\"channel\":\"b2b\",\"ttl_s\":60,\"lines\":[%s]}", lines.at);
    for (int i = 0; i < LINES; i++)
        buffer_printf(&parts, "%s{\"sku\":\"S%d\",\"quantity\":1}", i == 0 ? "" : ",", i);
    shop_must(shop, 201, "PUT", "/v1/bundles/ALL", "{\"name\":\"b\",\"components\":[%s]}", parts.at);
    struct buffer many = { .arena = shop->arena };
    for (int i = 0; i <= 1500 / LINES; i++)
        buffer_printf(&many, "%s{\"sku\":\"ALL\",\"quantity\":1}", i == 0 ? "" : ",");
    struct reply large = shop_must(shop, 422, "POST", "/v1/reservations", "{\"channel\":\"b2b\",\"ttl_s\":60,\"lines\":[%s]}", many.at);
    assert_non_null(strstr(large.body, "order_too_large"));
}

enum { PARTS = 1000, NODES = 64, STOCKED = 8 };

/* A bundle ALL of P0 .. P999, and a channel of so many nodes whose bundles must not come apart. */
static void make_bundle_of_many(struct shop *shop)
{
    struct many many = { .shop = shop };
    struct buffer nodes = { .arena = shop->arena }, parts = { .arena = shop->arena }, bundles = { .arena = shop->arena };
    for (int i = 0; i < PARTS; i++)
        many_add(&many, "PUT", arena_printf(shop->arena, "/v1/skus/P%d", i), "{\"name\":\"P\"}");
    many_run(&many);
    for (int i = 0; i < PARTS; i++) {
        buffer_printf(&parts, "%s{\"sku\":\"P%d\",\"quantity\":1}", i % 200 == 0 ? "" : ",", i);
        if (i % 200 != 199)
            continue;
        shop_must(shop, 201, "PUT", arena_printf(shop->arena, "/v1/bundles/PART%d", i / 200), "{\"name\":\"b\",\"components\":[%s]}", parts.at);
        buffer_printf(&bundles, "%s{\"sku\":\"PART%d\",\"quantity\":1}", i == 199 ? "" : ",", i / 200);
        parts = (struct buffer){ .arena = shop->arena };
    }
    shop_must(shop, 201, "PUT", "/v1/bundles/ALL", "{\"name\":\"b\",\"components\":[%s]}", bundles.at);
    for (int n = 0; n < NODES; n++) {
        shop_must(shop, 201, "PUT", arena_printf(shop->arena, "/v1/nodes/N%d", n),
                  "{\"unit\":\"DE\",\"name\":\"n\",\"kind\":\"store\",\"country\":\"DE\",\"postal_code\":\"1\"}");
        buffer_printf(&nodes, "%s\"N%d\"", n == 0 ? "" : ",", n);
    }
    shop_must(shop, 201, "PUT", "/v1/channels/whole",
              "{\"unit\":\"DE\",\"name\":\"w\",\"kind\":\"store\",\"nodes\":[%s],\"shortage\":\"backorder\",\"split\":false}", nodes.at);
}

static void a_bundle_of_a_thousand_parts_waits_for_its_last(struct shop *shop)
{
    struct many many = { .shop = shop };
    make_bundle_of_many(shop);
    for (int i = 0; i < STOCKED * PARTS; i++)
        if (i % PARTS != PARTS - 1)
            many_add(&many, "POST", "/v1/inventory/adjustments",
                     arena_printf(shop->arena, "{\"node\":\"N%d\",\"sku\":\"P%d\",\"delta\":1,\"reason\":\"receipt\"}", i / PARTS, i % PARTS));
    many_run(&many);
    const char *line = "{\"sku\":\"ALL\",\"quantity\":1,\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}";
    shop_must(shop, 201, "POST", "/v1/orders", "%s", order_of(shop, "whole", "all", line, "on_account"));
    receive(shop, "N63", "P0", 1); /* of no use yet */
    receive(shop, "N7", "P999", 1);
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/orders?channel=whole", NULL).body, "\"stage\":\"released\""));
}

static void (*const scenes[])(struct shop *shop) = {
    an_order_that_waits_is_cancelled,
    an_order_that_holds_units_at_two_nodes_is_cancelled,
    an_order_is_edited,
    lines_that_name_nothing_are_cancelled,
    a_payment_releases_an_order,
    an_order_names_bundles_and_listings,
    an_order_takes_what_fences_hold,
    a_checkout_is_made_and_given_back,
    a_checkout_is_as_large_as_an_order,
    a_bundle_of_a_thousand_parts_waits_for_its_last,
};

static void run(enum store store)
{
    char folder[] = "/tmp/millrace-large.XXXXXX";
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < COUNT(scenes); i++) {
        struct shop *shop = shop_open(store);
        shop_furnish(shop);
        make(shop, "/v1/skus/S", "{\"name\":\"S\"}");
        if (store == STORE_SQLITE)
            shop_in_file(shop, arena_printf(shop->arena, "%s/%zu.db", folder, i));
        scenes[i](shop);
        shop_close(shop);
    }
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

static void large_orders_on_sqlite(void **state)
{
    (void)state;
    run(STORE_SQLITE);
}

static void large_orders_on_postgresql(void **state)
{
    (void)state;
    if (!store_is_there(STORE_POSTGRES))
        skip();
    run(STORE_POSTGRES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_orders_on_sqlite),
        cmocka_unit_test(large_orders_on_postgresql),
    };
    return cmocka_run_group_tests_name("large orders", tests, NULL, NULL);
}
