/* tests/store/orders_test.c: what happens to stock and orders, as an operations team would tell it. */
#include "base/id.h"
#include "inventory/reservations.h"
#include "schema.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct stock_is {
    const char *node, *sku;
    int64_t available, reserved, allocated;
};

static void assert_stock(struct shop *shop, struct stock_is want)
{
    char target[128];
    snprintf(target, sizeof target, "/v1/inventory?sku=%s&node=%s", want.sku, want.node);
    const char *body = shop_must(shop, 200, "GET", target, NULL).body;
    if (number_in(body, NULL, "available") != want.available || number_in(body, NULL, "reserved") != want.reserved ||
        number_in(body, NULL, "allocated") != want.allocated)
        fail_msg("%s at %s: want %ld available, %ld reserved, %ld allocated: %s", want.sku, want.node, (long)want.available, (long)want.reserved,
                 (long)want.allocated, body);
}

static void assert_order(struct reply reply, int status, const char *stage, int64_t reserved, int64_t backordered)
{
    char is[32];
    text_in(reply.body, "\"tags\"", "stage", is, sizeof is);
    text_in(reply.body, NULL, "stage", is, sizeof is);
    if (reply.status != status || strcmp(is, stage) != 0 || number_in(reply.body, NULL, "reserved") != reserved ||
        number_in(reply.body, NULL, "backordered") != backordered)
        fail_msg("want %d %s, %ld reserved, %ld waiting: %d %s", status, stage, (long)reserved, (long)backordered, reply.status, reply.body);
}

static void two_channels_want_the_last_unit(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    assert_order(order(shop, "web", "1", "LAMP", 1), 201, "reserved", 1, 0);
    struct reply refused = order(shop, "b2b", "1", "LAMP", 1);
    assert_int_equal(refused.status, 409);
    assert_non_null(strstr(refused.body, "\"code\":\"shortage\""));
    assert_non_null(strstr(refused.body, "/lines/0/quantity"));
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 0, 1, 0 });
}

static void a_bundle_and_a_single_share_a_component(struct shop *shop)
{
    receive(shop, "LEJ", "BULB", 3);
    receive(shop, "HAM", "SHADE", 5);
    assert_order(order(shop, "web", "1", "KIT", 1), 201, "reserved", 1, 0);
    assert_stock(shop, (struct stock_is){ "LEJ", "BULB", 1, 2, 0 });
    assert_int_equal(order(shop, "b2b", "1", "BULB", 2).status, 409);
    assert_int_equal(order(shop, "b2b", "2", "BULB", 1).status, 201);
    assert_int_equal(order(shop, "b2b", "3", "KIT", 1).status, 409);
}

static void a_receipt_fills_what_waits_by_rank(struct shop *shop)
{
    struct reply first = order(shop, "web", "1", "LAMP", 2), market = order(shop, "market", "1", "LAMP", 1);
    char web[32];
    assert_order(first, 201, "captured", 0, 2);
    assert_order(market, 201, "captured", 0, 1);
    assert_int_equal(number_in(market.body, NULL, "oversold"), 1);
    receive(shop, "LEJ", "LAMP", 2); /* web ranks before the marketplace */
    text_in(first.body, NULL, "id", web, sizeof web);
    char target[64];
    snprintf(target, sizeof target, "/v1/orders/%s", web);
    assert_order(shop_must(shop, 200, "GET", target, NULL), 200, "reserved", 2, 0);
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 0, 2, 0 });
}

static const char *exceptions_of(struct shop *shop, const char *type)
{
    return shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/exceptions?state=open&type=%s", type), NULL).body;
}

/* What the marketplace sold and is not there has one cause each, and the exception says which. */
static void an_oversell_says_why(struct shop *shop)
{
#define SAYS(cause) assert_non_null(strstr(exceptions_of(shop, "oversell"), "\"detail\":\"" cause "\""))
    assert_int_equal(number_in(order(shop, "market", "1", "LAMP", 1).body, NULL, "oversold"), 1);
    SAYS("stale_channel");
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments",
              "{\"node\":\"LEJ\",\"sku\":\"SHADE\",\"delta\":2,\"reason\":\"receipt\",\"bucket\":\"quarantined\"}");
    order(shop, "market", "2", "SHADE", 2);
    SAYS("uninspected_return");
    receive(shop, "LEJ", "SHADE", 2);
    shop->now_us += INT64_C(366) * 86400 * 1000000; /* past the time at which customers buy */
    receive(shop, "LEJ", "LAMP", 2);
    order(shop, "web", "3", "LAMP", 1);
    assert_null(strstr(exceptions_of(shop, "oversell"), "race"));
    order(shop, "market", "4", "LAMP", 1);
    SAYS("race");
}

static void an_oversell_of_a_bundle_and_of_what_bundles_hold(struct shop *shop)
{
    order(shop, "market", "1", "KIT", 1);
    SAYS("bundle");
    receive(shop, "LEJ", "BULB", 2);
    receive(shop, "LEJ", "SHADE", 1); /* now it holds them */
    assert_null(strstr(exceptions_of(shop, "oversell"), "bundle"));
    order(shop, "market", "2", "BULB", 1);
    SAYS("bundle");
}

static void a_count_that_breaks_what_a_marketplace_sold(struct shop *shop)
{
    char id[32];
    receive(shop, "LEJ", "LAMP", 3);
    text_in(order(shop, "market", "1", "LAMP", 3).body, NULL, "id", id, sizeof id);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":1,\"reason\":\"count\"}");
    const char *target = arena_printf(shop->arena, "/v1/orders/%s", id), *body = shop_must(shop, 200, "GET", target, NULL).body;
    assert_int_equal(number_in(body, "\"lines\"", "backordered"), 2);
    assert_int_equal(number_in(body, "\"lines\"", "oversold"), 2);
    SAYS("count_error");
    assert_null(strstr(exceptions_of(shop, "broken_claim"), "exc_")); /* one exception for one cause */
    receive(shop, "LEJ", "LAMP", 2);
    assert_int_equal(number_in(shop_must(shop, 200, "GET", target, NULL).body, "\"lines\"", "oversold"), 0);
    assert_null(strstr(exceptions_of(shop, "oversell"), "exc_"));
#undef SAYS
}

/* An exception is work for a person: with its cause it goes, also where the order still has others. */
static void what_waited_is_cancelled_and_its_exception_with_it(struct shop *shop)
{
    char id[32];
    receive(shop, "LEJ", "LAMP", 1);
    receive(shop, "LEJ", "SHADE", 3);
    text_in(order(shop, "market", "1", "LAMP", 3).body, NULL, "id", id, sizeof id);
    assert_non_null(strstr(exceptions_of(shop, "oversell"), id));
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"x\",\"lines\":[{\"line\":1,\"quantity\":1}]}");
    assert_non_null(strstr(exceptions_of(shop, "oversell"), id)); /* one still waits */
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"x\",\"lines\":[{\"line\":1,\"quantity\":1}]}");
    assert_null(strstr(exceptions_of(shop, "oversell"), id));

    text_in(order(shop, "web", "2", "SHADE", 3).body, NULL, "id", id, sizeof id);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"SHADE\",\"set\":1,\"reason\":\"count\"}");
    assert_non_null(strstr(exceptions_of(shop, "broken_claim"), id));
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"x\",\"lines\":[{\"line\":1,\"quantity\":2}]}");
    assert_null(strstr(exceptions_of(shop, "broken_claim"), id));
}

static void a_cancel_gives_back_and_the_next_one_gets_it(struct shop *shop)
{
    char id[32], target[80];
    receive(shop, "LEJ", "LAMP", 3);
    text_in(order(shop, "web", "1", "LAMP", 3).body, NULL, "id", id, sizeof id);
    struct reply waits = order(shop, "web", "2", "LAMP", 2);
    assert_order(waits, 201, "captured", 0, 2);
    snprintf(target, sizeof target, "/v1/orders/%s/cancel", id);
    shop_must(shop, 422, "POST", target, "{\"reason\":\"x\",\"lines\":[{\"line\":2,\"quantity\":1}]}");
    shop_must(shop, 409, "POST", target, "{\"reason\":\"x\",\"lines\":[{\"line\":1,\"quantity\":4}]}");
    struct reply cancelled = shop_must(shop, 200, "POST", target, "{\"reason\":\"x\"}");
    assert_non_null(strstr(cancelled.body, "\"stage\":\"cancelled\""));
    shop_must(shop, 409, "POST", target, "{\"reason\":\"x\"}");
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 1, 2, 0 });
}

static void a_damage_breaks_the_lowest_rank_first(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    assert_order(order(shop, "b2b", "1", "LAMP", 1), 201, "reserved", 1, 0);
    struct reply web = order(shop, "web", "1", "LAMP", 1);
    char id[32];
    text_in(web.body, NULL, "id", id, sizeof id);
    shop_must(shop, 409, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-1,\"reason\":\"correction\"}");
    struct reply damage =
        shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-1,\"reason\":\"damage\"}");
    assert_non_null(strstr(damage.body, id));
    assert_null(strstr(damage.body, "\"kind\":\"fence\""));
    char target[64];
    snprintf(target, sizeof target, "/v1/orders/%s", id);
    assert_order(shop_must(shop, 200, "GET", target, NULL), 200, "captured", 0, 1);
    shop_must(shop, 409, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-2,\"reason\":\"damage\"}");
}

/* More than a position's row names, some of them gone again: one unit after the other is lost. */
static void many_claims_give_way_by_rank(struct shop *shop)
{
    enum { ORDERS = 14 };
    char ids[ORDERS][32], target[80], number[16];
    receive(shop, "LEJ", "LAMP", ORDERS);
    for (int i = 0; i < ORDERS; i++) { /* b2b ranks before web */
        snprintf(number, sizeof number, "%d", i);
        text_in(order(shop, i % 2 == 0 ? "b2b" : "web", number, "LAMP", 1).body, NULL, "id", ids[i], sizeof ids[i]);
        if (i != 5 && i != 9)
            continue;
        snprintf(target, sizeof target, "/v1/orders/%s/cancel", ids[i - 4]); /* 1 from the row, 5 from the table */
        shop_must(shop, 200, "POST", target, "{\"reason\":\"x\"}");
    }
    const int released[] = { 3, 11 };
    for (size_t i = 0; i < COUNT(released); i++) {
        snprintf(target, sizeof target, "/v1/orders/%s/payments", ids[released[i]]);
        shop_must(shop, 200, "POST", target, "{\"kind\":\"captured\",\"amount\":{\"amount\":\"10.00\",\"currency\":\"EUR\"},\"reference\":\"p\"}");
    }
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-2,\"reason\":\"damage\"}");
    const int expected[] = { 13, 9, 7, 12, 10, 8, 6, 4, 2, 0, 11, 3 };
    for (size_t i = 0; i < COUNT(expected); i++) {
        struct reply lost =
            shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-1,\"reason\":\"damage\"}");
        char holder[32];
        text_in(lost.body, "\"broken\"", "id", holder, sizeof holder);
        assert_string_equal(holder, ids[expected[i]]);
    }
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 0, 0, 0 });
}

static void a_payment_releases_and_a_hold_stops_it(struct shop *shop)
{
    char id[32], target[80];
    receive(shop, "LEJ", "LAMP", 1);
    text_in(order(shop, "web", "1", "LAMP", 1).body, NULL, "id", id, sizeof id);
    snprintf(target, sizeof target, "/v1/orders/%s/holds", id);
    shop_must(shop, 200, "POST", target, "{\"kind\":\"fraud\",\"reason\":\"look\"}");
    snprintf(target, sizeof target, "/v1/orders/%s/payments", id);
    struct reply paid =
        shop_must(shop, 200, "POST", target, "{\"kind\":\"captured\",\"amount\":{\"amount\":\"10.00\",\"currency\":\"EUR\"},\"reference\":\"p1\"}");
    assert_non_null(strstr(paid.body, "\"stage\":\"reserved\""));
    snprintf(target, sizeof target, "/v1/orders/%s/holds/fraud/clear", id);
    struct reply cleared = shop_must(shop, 200, "POST", target, "{\"reason\":\"fine\"}");
    assert_non_null(strstr(cleared.body, "\"stage\":\"released\""));
    assert_non_null(strstr(cleared.body, "\"state\":\"released\""));
    shop_must(shop, 409, "POST", target, "{\"reason\":\"fine\"}");
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 0, 0, 1 });
}

static struct reply pays(struct shop *shop, int status, const char *id, const char *kind, const char *amount, const char *reference)
{
    return shop_must(shop, status, "POST", arena_printf(shop->arena, "/v1/orders/%s/payments", id),
                     "{\"kind\":\"%s\",\"amount\":{\"amount\":\"%s\",\"currency\":\"EUR\"},\"reference\":\"%s\"}", kind, amount, reference);
}

static void the_payment_word_follows_the_facts(struct shop *shop)
{
    static const struct {
        const char *kind, *amount, *word;
    } facts[] = {
        { "failed", "20.00", "pending" },       { "authorised", "20.00", "authorised" }, { "voided", "20.00", "pending" },
        { "authorised", "8.00", "authorised" }, { "captured", "5.00", "captured" },      { "refunded", "5.00", "authorised" },
        { "voided", "3.00", "pending" },        { "captured", "6.00", "captured" },      { "refunded", "2.00", "captured" },
    };
    char id[32], word[32];
    text_in(order(shop, "web", "1", "LAMP", 2).body, NULL, "id", id, sizeof id);
    for (size_t i = 0; i < COUNT(facts); i++) {
        struct reply paid = pays(shop, 200, id, facts[i].kind, facts[i].amount, arena_printf(shop->arena, "p%zu", i));
        text_in(paid.body, "\"payment\"", "status", word, sizeof word);
        if (strcmp(word, facts[i].word) != 0)
            fail_msg("%zu: %s %s: %s", i, facts[i].kind, facts[i].amount, word);
    }
}

/* Half of what is due, told twice: it is one half. */
static void a_payment_is_told_twice(struct shop *shop)
{
    char id[32];
    receive(shop, "LEJ", "LAMP", 2);
    text_in(order(shop, "web", "1", "LAMP", 2).body, NULL, "id", id, sizeof id);
    struct reply first = pays(shop, 200, id, "captured", "10.00", "p1"), again = pays(shop, 200, id, "captured", "10.00", "p1");
    assert_string_equal(again.body, first.body);
    assert_non_null(strstr(again.body, "\"stage\":\"reserved\""));
    struct reply other = pays(shop, 409, id, "captured", "10.50", "p1");
    assert_non_null(strstr(other.body, "\"code\":\"payment_conflict\""));
    assert_non_null(strstr(other.body, "captured with reference p1 is known with 10.00 EUR"));
    assert_non_null(strstr(pays(shop, 200, id, "failed", "10.00", "p1").body, "\"stage\":\"reserved\"")); /* another kind is another fact */
    assert_non_null(strstr(pays(shop, 200, id, "captured", "10.00", "p2").body, "\"stage\":\"released\""));
}

static void the_payment_that_an_order_came_with_is_told_again(struct shop *shop)
{
    char id[32];
    struct reply came =
        shop_must(shop, 201, "POST", "/v1/orders",
                  "{\"channel\":\"web\",\"channel_order_id\":\"1\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":"
                  "{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2,\"unit_price\":"
                  "{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":\"captured\",\"method\":\"card\","
                  "\"amount\":{\"amount\":\"15.00\",\"currency\":\"EUR\"},\"reference\":\"p1\"}}");
    text_in(came.body, NULL, "id", id, sizeof id);
    int64_t version = number_in(came.body, NULL, "version");
    assert_int_equal(number_in(pays(shop, 200, id, "captured", "15.00", "p1").body, NULL, "version"), version);
    pays(shop, 409, id, "captured", "5.00", "p1");
    assert_true(number_in(pays(shop, 200, id, "captured", "5.00", "p2").body, NULL, "version") > version);
    version = number_in(pays(shop, 200, id, "authorised", "15.00", "p1").body, NULL, "version"); /* another kind */
    assert_int_equal(number_in(pays(shop, 200, id, "captured", "15.00", "p1").body, NULL, "version"), version);
}

/* Books are built from events alone. */
static void payments_can_be_read_from_their_events(struct shop *shop)
{
    char id[32];
    text_in(shop_must(shop, 201, "POST", "/v1/orders",
                      "{\"channel\":\"web\",\"channel_order_id\":\"1\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":"
                      "{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":9,\"unit_price\":"
                      "{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":\"captured\",\"method\":\"card\","
                      "\"amount\":{\"amount\":\"15.00\",\"currency\":\"EUR\"},\"reference\":\"p0\"}}")
                .body,
            NULL, "id", id, sizeof id);
    pays(shop, 200, id, "failed", "30.00", "p1");
    pays(shop, 200, id, "captured", "30.00", "p2");
    static const char *const said[] = {
        "\"payment\":{\"kind\":\"captured\",\"reference\":\"p0\",\"method\":\"card\",\"amount\":{\"amount\":\"15.00\",\"currency\":\"EUR\"}}",
        "\"amount\":{\"amount\":\"30.00\",\"currency\":\"EUR\"},\"kind\":\"failed\",\"reference\":\"p1\",\"method\":\"card\"",
        "\"amount\":{\"amount\":\"30.00\",\"currency\":\"EUR\"},\"kind\":\"captured\",\"reference\":\"p2\",\"method\":\"card\"",
    };
    const char *events = shop_must(shop, 200, "GET", "/v1/events?unit=DE", NULL).body;
    for (size_t i = 0; i < COUNT(said); i++)
        if (strstr(events, said[i]) == NULL)
            fail_msg("no %s in %s", said[i], events);
}

/* Each of these stands in the text behind the one before it. */
static void assert_in_order(const char *text, const char *const *parts, size_t count)
{
    const char *at = text;
    for (size_t i = 0; i < count; i++) {
        const char *found = strstr(at, parts[i]);
        if (found == NULL)
            fail_msg("no %s behind the others in %s", parts[i], text);
        at = found + strlen(parts[i]);
    }
}

static struct reply sent_with_key(struct shop *shop, const char *target, const char *body, const char *key)
{
    struct command *command = local_command(shop->local, shop->arena, "POST", target, body, key);
    engine_run(shop->engine, &command, 1);
    return (struct reply){ .status = command->answer.status, .body = arena_text(shop->arena, command->answer.body) };
}

/* What is left is paid: the cancel stands before the release that it causes, with its reason; and so does the end of an order
 * before that of its exception. */
static void a_cancel_stands_before_what_follows_of_it(struct shop *shop)
{
    char id[32];
    receive(shop, "LEJ", "LAMP", 2);
    text_in(order(shop, "web", "1", "LAMP", 2).body, NULL, "id", id, sizeof id);
    pays(shop, 200, id, "captured", "10.00", "p1");
    const char *target = arena_printf(shop->arena, "/v1/orders/%s/cancel", id);
    const char *one = "{\"reason\":\"changed \\\"mind\\\"\",\"lines\":[{\"line\":1,\"quantity\":1}]}";
    struct reply first = sent_with_key(shop, target, one, "k1");
    assert_non_null(strstr(first.body, "\"stage\":\"released\""));
    text_in(order(shop, "web", "2", "LAMP", 5).body, NULL, "id", id, sizeof id);
    const char *waits = arena_printf(shop->arena, "/v1/orders/%s/cancel", id);
    struct reply whole = sent_with_key(shop, waits, "{\"reason\":\"too slow\"}", "k2");
    assert_string_equal(sent_with_key(shop, target, one, "k1").body, first.body);
    assert_string_equal(sent_with_key(shop, waits, "{\"reason\":\"too slow\"}", "k2").body, whole.body);
    static const char *const told[] = {
        "\"order.payment\"",
        "\"order.cancelled\"",
        "\"reason\":\"changed \\\"mind\\\"\",\"lines\":[{\"line\":1,\"quantity\":1}]",
        "\"order.released\"",
        "\"exception.opened\"",
        "\"type\":\"shortage\",\"detail\":\"waits for supply\",\"lines\":[{\"line\":1,\"quantity\":4}]",
        "\"order.cancelled\"",
        "\"reason\":\"too slow\",\"lines\":[{\"line\":1,\"quantity\":5}]",
        "\"exception.closed\"",
        "\"type\":\"shortage\"",
    };
    assert_in_order(shop_must(shop, 200, "GET", "/v1/events?unit=DE&limit=1000", NULL).body, told, COUNT(told));
}

static struct reply tells(struct shop *shop, const char *kind, const char *id, const char *verb, const char *body)
{
    return shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/%s/%s/%s", kind, id, verb), "%s", body);
}

/* What a service agent reads of an order that had everything happen to it. */
static void a_timeline_is_read(struct shop *shop)
{
    char id[32], work[32];
    receive(shop, "LEJ", "LAMP", 2);
    receive(shop, "HAM", "LAMP", 1);
    struct reply came = order(shop, "web", "1", "LAMP", 5);
    text_in(came.body, NULL, "id", id, sizeof id);
    pays(shop, 200, id, "failed", "30.00", "p1");
    tells(shop, "orders", id, "holds", "{\"kind\":\"fraud\",\"reason\":\"address unknown\"}");
    pays(shop, 200, id, "captured", "40.00", "p2");
    tells(shop, "orders", id, "cancel", "{\"reason\":\"one too many\",\"lines\":[{\"line\":1,\"quantity\":1}]}");
    receive(shop, "HAM", "LAMP", 1);
    struct reply cleared = tells(shop, "orders", id, "holds/fraud/clear", "{\"reason\":\"called back\"}");
    text_in(cleared.body, "\"fulfilments\"", "id", work, sizeof work);
    tells(shop, "fulfilments", work, "pick", "{}");
    tells(shop, "fulfilments", work, "pack", "{\"packages\":[{\"weight_g\":900}]}");
    tells(shop, "fulfilments", work, "ship", "{\"carrier\":\"DHL\",\"tracking\":\"0034\"}");
    tells(shop, "fulfilments", work, "deliver", "{}");
    const char *ful = arena_printf(shop->arena, " fulfilment %s", work);
#define WHAT(text) "\"what\":\"" text
    const char *const said[] = {
        WHAT("captured: total 50.00 EUR\""),
        WHAT("shortage: line 1 lacks 2\""),
        WHAT("reserved 3, waits for 2\""),
        WHAT("payment failed: 30.00 EUR (ref p1)\""),
        WHAT("held: fraud (address unknown)\""),
        WHAT("payment of 40.00 EUR captured (ref p2)\""),
        WHAT("line 1: 1 cancelled (one too many)\""),
        WHAT("shortage closed\""),
        WHAT("reserved 4\""),
        WHAT("hold fraud cleared: called back\""),
        WHAT("LEJ is to ship"),
        ful,
        WHAT("HAM is to ship"),
        WHAT("released to LEJ and HAM\""),
        WHAT("LEJ picked"),
        ful,
        WHAT("LEJ packed"),
        ful,
        WHAT("LEJ shipped"),
        ful,
        " with DHL, tracking 0034\"",
        WHAT("LEJ delivered"),
        ful,
    };
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", id), NULL).body;
    assert_in_order(strstr(body, "\"timeline\""), said, COUNT(said));
}

static void a_timeline_tells_of_what_was_lost(struct shop *shop)
{
    char id[32];
    receive(shop, "LEJ", "LAMP", 3);
    text_in(shop_must(shop, 201, "POST", "/v1/orders",
                      "{\"channel\":\"market\",\"channel_order_id\":\"1\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":"
                      "{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":3,\"unit_price\":"
                      "{\"amount\":\"10.00\",\"currency\":\"EUR\"}},{\"sku\":\"WHO\",\"quantity\":1,\"unit_price\":{\"amount\":\"1.00\",\"currency\":"
                      "\"EUR\"}}],\"payment\":{\"term\":\"authorised\",\"status\":\"authorised\",\"reference\":\"a1\"}}")
                .body,
            NULL, "id", id, sizeof id);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-1,\"reason\":\"damage\"}");
    struct reply gone = tells(shop, "orders", id, "cancel", "{\"reason\":\"no longer wanted\"}");
    static const char *const said[] = {
        WHAT("captured: total 31.00 EUR, payment of 31.00 EUR authorised (ref a1)\""),
        WHAT("unknown SKU: line 2 (map the listing)\""),
        WHAT("held: unmapped (a line names no SKU that is known)\""),
        WHAT("lost its claim to 1 LAMP at LEJ\""),
        WHAT("oversell: line 1 lacks 1 (count_error)\""),
        WHAT("reserved 2, waits for 2\""),
        WHAT("order cancelled (no longer wanted)\""),
        WHAT("unknown SKU closed\""),
        WHAT("oversell closed\""),
    };
    assert_in_order(strstr(gone.body, "\"timeline\""), said, COUNT(said));
}

static void the_same_channel_order_comes_twice(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    assert_int_equal(order(shop, "web", "1", "LAMP", 1).status, 201);
    assert_int_equal(order(shop, "web", "1", "LAMP", 1).status, 200);
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 4, 1, 0 });
}

static void all_faults_are_told_at_once(struct shop *shop)
{
    struct reply reply = shop_call(shop, "POST", "/v1/orders",
                                   "{\"channel\":\"web\",\"placed_at\":\"yesterday\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":0}],\"x\":1}");
    assert_int_equal(reply.status, 422);
    static const char *const pointers[] = { "/channel_order_id", "/placed_at", "/lines/0/quantity", "/lines/0/unit_price", "/x",
                                            "/customer",         "/payment" };
    for (size_t i = 0; i < COUNT(pointers); i++)
        if (strstr(reply.body, pointers[i]) == NULL)
            fail_msg("%s is not told: %s", pointers[i], reply.body);
    reply =
        shop_call(shop, "POST", "/v1/orders",
                  "{\"channel\":\"web\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"-1.00\",\"currency\":\"EUR\"}}]}");
    assert_non_null(strstr(reply.body, "/lines/0/unit_price/amount"));
    assert_null(strstr(reply.body, "/lines/0/discount")); /* none came */
}

/* What is wrong in form and what is not known are told in one answer, each in its place; then nothing was done. */
static void faults_of_form_and_of_what_is_named_are_told_together(struct shop *shop)
{
#define MONEY(amount, currency) "{\"amount\":\"" amount "\",\"currency\":\"" currency "\"}"
#define LINE(sku, quantity, currency) "{\"sku\":\"" sku "\",\"quantity\":" quantity ",\"unit_price\":" MONEY("10.00", currency) "}"
#define ORDER(channel, lines)                                                                                                    \
    "{\"channel\":\"" channel                                                                                                    \
    "\",\"channel_order_id\":\"F\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"Ann\"}," \
    "\"ship_to\":{\"name\":\"Ann\",\"country\":\"DE\"},\"payment\":{\"term\":\"none\",\"status\":\"pending\"},\"lines\":[" lines "]}"
    static const struct {
        const char *method, *target, *body, *told[4];
    } cases[] = {
        { "POST", "/v1/orders", ORDER("nope", LINE("LAMP", "0", "EUR")), { "/lines/0/quantity", "/channel" } },
        { "POST", "/v1/orders", ORDER("web", LINE("NOPE", "1", "EUR") "," LINE("LAMP", "0", "EUR")), { "/lines/1/quantity", "/lines/0/sku" } },
        { "POST",
          "/v1/orders",
          ORDER("nope", LINE("NOPE", "0", "USD")),
          { "/lines/0/quantity", "/lines/0/unit_price/currency", "/channel", "/lines/0/sku" } },
        { "POST", "/v1/orders", ORDER("nope", LINE("LAMP", "1", "USD")), { "/lines/0/unit_price/currency", "/channel" } },
        { "POST", "/v1/orders", ORDER("market", LINE("NOPE", "0", "EUR")), { "/lines/0/quantity" } },
        { "POST",
          "/v1/orders",
          ORDER("web", "{\"channel_sku\":\"NO\",\"quantity\":0,\"unit_price\":" MONEY("1.00", "EUR") "},7"),
          { "/lines/0/quantity", "/lines/1", "/lines/0/channel_sku" } },
        { "POST",
          "/v1/reservations",
          "{\"channel\":\"nope\",\"lines\":[{\"sku\":\"NOPE\",\"quantity\":1}],\"ttl_s\":9}",
          { "/channel", "/lines/0/sku" } },
        { "POST",
          "/v1/reservations",
          "{\"channel\":\"web\",\"lines\":[{\"sku\":\"NOPE\",\"quantity\":0},{}],\"ttl_s\":0}",
          { "/lines/0/quantity", "/lines/1/sku", "/ttl_s", "/lines/0/sku" } },
        { "POST", "/v1/inventory/adjustments", "{\"node\":\"NO\",\"sku\":\"NOPE\",\"delta\":0,\"reason\":\"found\"}", { "/delta", "/node", "/sku" } },
        { "POST", "/v1/inventory/adjustments", "{\"node\":\"NO\",\"sku\":\"KIT\",\"delta\":\"x\"}", { "/delta", "/reason", "/node", "/sku" } },
        { "POST", "/v1/inventory/adjustments", "{\"node\":\"NO\",\"sku\":\"LAMP\",\"delta\":0,\"reason\":\"x\"}", { "/reason", "/delta", "/node" } },
        { "POST",
          "/v1/inventory/adjustments",
          "{\"node\":\"LEJ\",\"sku\":\"NOPE\",\"delta\":-1,\"from\":\"available\",\"bucket\":\"x\",\"reason\":\"found\"}",
          { "/bucket", "/from", "/sku" } },
        { "POST",
          "/v1/inventory/adjustments",
          "{\"node\":\"NO\",\"sku\":\"LAMP\",\"delta\":1,\"from\":\"available\",\"bucket\":\"x\",\"reason\":\"found\"}",
          { "/bucket", "/node" } }, /* into which bucket it was to go is not known: it may be another one */
        { "PUT",
          "/v1/bundles/SET",
          "{\"components\":[{\"sku\":\"LAMP\",\"quantity\":0},{\"sku\":\"NOPE\",\"quantity\":1}]}",
          { "/components/0/quantity", "/name", "/components/1/sku" } },
        { "PATCH", "/v1/bundles/KIT", "{\"name\":\"\",\"components\":[{\"sku\":\"NOPE\",\"quantity\":1}]}", { "/name", "/components/0/sku" } },
        { "PUT", "/v1/channels/web/listings/L", "{\"sku\":\"NOPE\",\"buffer\":-1}", { "/buffer", "/sku" } },
        { "PUT",
          "/v1/channels/new",
          "{\"unit\":\"NO\",\"name\":\"\",\"kind\":\"b2b\",\"priority\":1,\"nodes\":[\"NO\",\"\"],\"shortage\":\"reject\"}",
          { "/name", "/nodes/1", "/unit", "/nodes/0" } },
        { "PUT", "/v1/nodes/NEW", "{\"unit\":\"NO\",\"kind\":\"store\",\"country\":\"DE\",\"postal_code\":\"1\"}", { "/name", "/unit" } },
    };
    receive(shop, "LEJ", "LAMP", 5);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *body = shop_must(shop, 422, cases[i].method, cases[i].target, "%s", cases[i].body).body, *at = body;
        for (size_t k = 0; k < COUNT(cases[i].told) && cases[i].told[k] != NULL; k++)
            if (strstr(body, arena_printf(shop->arena, "\"pointer\":\"%s\"", cases[i].told[k])) == NULL)
                fail_msg("%s: %s is not told: %s", cases[i].body, cases[i].told[k], body);
        size_t told = 0, expected = 0;
        while ((at = strstr(at, "\"pointer\"")) != NULL && *at++ != '\0')
            told++;
        while (expected < COUNT(cases[i].told) && cases[i].told[expected] != NULL)
            expected++;
        if (told < expected || (told > expected && expected < COUNT(cases[i].told)))
            fail_msg("%s: %zu faults, not %zu: %s", cases[i].body, told, expected, body);
    }
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 5, 0, 0 });
}

static void what_is_short_comes_while_a_word_is_unknown(struct shop *shop)
{
    char id[32];
    text_in(shop_must(shop, 201, "POST", "/v1/orders", ORDER("market", LINE("LAMP", "2", "EUR") "," LINE("NO-7", "1", "EUR"))).body, NULL, "id", id,
            sizeof id);
    assert_non_null(strstr(exceptions_of(shop, "oversell"), id));
    receive(shop, "LEJ", "LAMP", 2);
    assert_null(strstr(exceptions_of(shop, "oversell"), id));
    assert_non_null(strstr(exceptions_of(shop, "unmapped"), id));
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"x\",\"lines\":[{\"line\":2,\"quantity\":1}]}");
    assert_null(strstr(shop_must(shop, 200, "GET", "/v1/exceptions?state=open", NULL).body, id));
}

/* What a node has was released before: the order is now, since nothing else is wanted. */
static void what_waited_is_cancelled_and_the_rest_is_with_a_node(struct shop *shop)
{
    char id[32];
    const char *body = ORDER("web", LINE("LAMP", "3", "EUR"));
    receive(shop, "LEJ", "LAMP", 1);
    text_in(shop_must(shop, 201, "POST", "/v1/orders", "%.*s,\"on_shortage\":\"partial\"}", (int)strlen(body) - 1, body).body, NULL, "id", id,
            sizeof id);
    struct reply left = tells(shop, "orders", id, "cancel", "{\"reason\":\"too late\",\"lines\":[{\"line\":1,\"quantity\":2}]}");
    static const char *const said[] = {
        WHAT("shortage: line 1 lacks 2\""),       WHAT("released to LEJ\""), WHAT("line 1: 2 cancelled (too late)\""), WHAT("shortage closed\""),
        WHAT("what is left is with the nodes\""),
    };
    assert_in_order(strstr(left.body, "\"timeline\""), said, COUNT(said));
}

/* A refusal says what is in the way. */
static void a_release_is_refused_with_figures(struct shop *shop)
{
    char id[32];
    receive(shop, "LEJ", "LAMP", 2);
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"release\":\"manual\"}");
    text_in(order(shop, "web", "1", "LAMP", 2).body, NULL, "id", id, sizeof id);
    const char *release = arena_printf(shop->arena, "/v1/orders/%s/release", id), *holds = arena_printf(shop->arena, "/v1/orders/%s/holds", id);
    const char *payments = arena_printf(shop->arena, "/v1/orders/%s/payments", id);
    shop_must(shop, 200, "POST", payments, "{\"kind\":\"captured\",\"amount\":" MONEY("15.50", "EUR") ",\"reference\":\"a\"}");
    assert_non_null(strstr(shop_must(shop, 409, "POST", release, NULL).body, "20.00 EUR are due, 15.50 EUR are paid"));
    shop_must(shop, 200, "POST", payments, "{\"kind\":\"captured\",\"amount\":" MONEY("4.50", "EUR") ",\"reference\":\"b\"}");
    shop_must(shop, 200, "POST", holds, "{\"kind\":\"fraud\",\"reason\":\"look\"}");
    assert_non_null(strstr(shop_must(shop, 409, "POST", release, NULL).body, "holds that stand: 1"));
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "%s/fraud/clear", holds), "{\"reason\":\"fine\"}");
    shop_must(shop, 200, "POST", release, NULL);
    assert_non_null(strstr(shop_must(shop, 409, "POST", release, NULL).body, "the order is released, and none of its units is reserved"));
}

static void an_unknown_sku_is_refused_or_unmapped(struct shop *shop)
{
    assert_int_equal(order(shop, "web", "1", "NONE", 1).status, 422);
    struct reply market = order(shop, "market", "1", "NONE", 1);
    assert_int_equal(market.status, 201);
    assert_non_null(strstr(market.body, "\"kind\":\"unmapped\""));
}

static void fences_keep_units_for_their_group(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 3);
    shop_must(shop, 409, "PUT", "/v1/channels/b2b/fences/LEJ/LAMP", "{\"quantity\":4}");
    shop_must(shop, 201, "PUT", "/v1/channels/b2b/fences/LEJ/LAMP", "{\"quantity\":2}");
    assert_order(order(shop, "web", "1", "LAMP", 2), 201, "captured", 1, 1);
    assert_int_equal(order(shop, "b2b", "1", "LAMP", 2).status, 201); /* its own fence */
    const char *fence = shop_must(shop, 200, "GET", "/v1/channels/b2b/fences/LEJ/LAMP", NULL).body;
    assert_int_equal(number_in(fence, NULL, "held"), 0);
    receive(shop, "LEJ", "LAMP", 5);
    fence = shop_must(shop, 200, "PATCH", "/v1/channels/b2b/fences/LEJ/LAMP", "{}").body; /* asks for nothing: what was used stays used */
    assert_int_equal(number_in(fence, NULL, "held"), 0);
    assert_int_equal(number_in(fence, NULL, "version"), 1);
}

static void a_count_that_takes_what_a_fence_keeps(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 3);
    shop_must(shop, 201, "PUT", "/v1/channels/web/fences/LEJ/LAMP", "{\"quantity\":3}");
    struct reply count =
        shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":1,\"reason\":\"count\"}");
    assert_non_null(strstr(count.body, "\"broken\":[{\"kind\":\"fence\",\"id\":\"web/LEJ/LAMP\",\"sku\":\"LAMP\",\"quantity\":2}]"));
    const char *events = shop_must(shop, 200, "GET", "/v1/events?type=claim.broken", NULL).body;
    assert_non_null(strstr(events, "\"subject\":{\"kind\":\"fence\",\"id\":\"web/LEJ/LAMP\"}")); /* the same name */
}

static void a_reservation_is_used_by_its_order(struct shop *shop)
{
    char id[32];
    receive(shop, "LEJ", "LAMP", 1);
    text_in(shop_must(shop, 201, "POST", "/v1/reservations", "{\"channel\":\"b2b\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}],\"ttl_s\":60}").body,
            NULL, "id", id, sizeof id);
    assert_int_equal(order(shop, "b2b", "1", "LAMP", 1).status, 409);
    const char *body =
        "{\"channel\":\"b2b\",\"channel_order_id\":\"2\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"
        "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"1.00\","
        "\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"},\"reservation\":\"%s\"}";
    char text[900];
    snprintf(text, sizeof text, body, id);
    struct reply used = shop_must(shop, 201, "POST", "/v1/orders", "%s", text);
    assert_non_null(strstr(used.body, "\"stage\":\"released\""));
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 0, 0, 1 });
}

static void an_order_goes_from_pick_to_delivery(struct shop *shop)
{
    static const struct {
        const char *verb, *body, *stage;
    } steps[] = { { "pick", "{}", "released" },
                  { "pack", "{\"packages\":[{\"weight_g\":500}]}", "released" },
                  { "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T1\"}", "shipped" },
                  { "deliver", "{}", "delivered" } };
    char id[32], ful[32], target[96];
    receive(shop, "LEJ", "LAMP", 1);
    struct reply made = order(shop, "web", "1", "LAMP", 1);
    text_in(made.body, NULL, "id", id, sizeof id);
    snprintf(target, sizeof target, "/v1/orders/%s/payments", id);
    struct reply paid =
        shop_must(shop, 200, "POST", target, "{\"kind\":\"captured\",\"amount\":{\"amount\":\"10.00\",\"currency\":\"EUR\"},\"reference\":\"p\"}");
    text_in(paid.body, "\"fulfilments\"", "id", ful, sizeof ful);
    snprintf(target, sizeof target, "/v1/fulfilments/%s/ship", ful);
    shop_must(shop, 409, "POST", target, "{\"carrier\":\"DHL\",\"tracking\":\"T1\"}");
    for (size_t i = 0; i < COUNT(steps); i++) {
        snprintf(target, sizeof target, "/v1/fulfilments/%s/%s", ful, steps[i].verb);
        shop_must(shop, 200, "POST", target, "%s", steps[i].body);
        char stage[32];
        snprintf(target, sizeof target, "/v1/orders/%s", id);
        text_in(shop_must(shop, 200, "GET", target, NULL).body, NULL, "stage", stage, sizeof stage);
        assert_string_equal(stage, steps[i].stage);
    }
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 0, 0, 0 });
    snprintf(target, sizeof target, "/v1/orders/%s/cancel", id);
    shop_must(shop, 409, "POST", target, "{\"reason\":\"late\"}");
}

static void a_count_takes_what_a_node_was_to_ship(struct shop *shop)
{
    char id[32], ful[32], target[96];
    receive(shop, "LEJ", "LAMP", 2);
    text_in(order(shop, "web", "1", "LAMP", 2).body, NULL, "id", id, sizeof id);
    snprintf(target, sizeof target, "/v1/orders/%s/payments", id);
    struct reply paid =
        shop_must(shop, 200, "POST", target, "{\"kind\":\"captured\",\"amount\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},\"reference\":\"p\"}");
    text_in(paid.body, "\"fulfilments\"", "id", ful, sizeof ful);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":1,\"reason\":\"count\"}");
    static const char *const steps[][2] = { { "pick", "{}" },
                                            { "pack", "{\"packages\":[{\"weight_g\":1}]}" },
                                            { "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}" } };
    for (size_t i = 0; i < COUNT(steps); i++) {
        snprintf(target, sizeof target, "/v1/fulfilments/%s/%s", ful, steps[i][0]);
        shop_must(shop, 200, "POST", target, "%s", steps[i][1]);
    }
    snprintf(target, sizeof target, "/v1/orders/%s", id);
    const char *body = shop_must(shop, 200, "GET", target, NULL).body;
    assert_int_equal(number_in(body, NULL, "shipped"), 1);
    assert_int_equal(number_in(body, NULL, "backordered"), 1);
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 0, 0, 0 });
}

/* The bulbs are in Leipzig, the shade in Hamburg: one of the two nodes ships first. */
static void half_a_bundle_that_is_gone_cannot_be_cancelled(struct shop *shop)
{
    char id[32], ful[32], target[96];
    receive(shop, "LEJ", "BULB", 2);
    receive(shop, "HAM", "SHADE", 1);
    text_in(order(shop, "web", "1", "KIT", 1).body, NULL, "id", id, sizeof id);
    snprintf(target, sizeof target, "/v1/orders/%s/payments", id);
    struct reply paid =
        shop_must(shop, 200, "POST", target, "{\"kind\":\"captured\",\"amount\":{\"amount\":\"10.00\",\"currency\":\"EUR\"},\"reference\":\"p\"}");
    text_in(paid.body, "\"fulfilments\"", "id", ful, sizeof ful);
    static const char *const steps[][2] = { { "pick", "{}" },
                                            { "pack", "{\"packages\":[{\"weight_g\":1}]}" },
                                            { "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}" } };
    for (size_t i = 0; i < COUNT(steps); i++) {
        snprintf(target, sizeof target, "/v1/fulfilments/%s/%s", ful, steps[i][0]);
        shop_must(shop, 200, "POST", target, "%s", steps[i][1]);
    }
    snprintf(target, sizeof target, "/v1/orders/%s/cancel", id);
    shop_must(shop, 409, "POST", target, "{\"reason\":\"late\"}");
}

static void an_id_of_no_unit_is_not_found(struct shop *shop)
{
    char id[32], target[64];
    for (int64_t unit = 2; unit < 200; unit += 3) {
        id_format("ord", unit, 1005, id);
        snprintf(target, sizeof target, "/v1/orders/%s/cancel", id);
        shop_must(shop, 404, "POST", target, "{\"reason\":\"x\"}");
    }
    assert_int_equal(order(shop, "web", "1", "LAMP", 1).status, 201);
}

/* 100 to a page, the preset: each has a fulfilment, whose lines are other rows. */
static void a_page_of_released_orders(struct shop *shop)
{
    size_t listed = 0;
    receive(shop, "LEJ", "LAMP", 100);
    for (int i = 0; i < 100; i++) {
        char id[64], number[16];
        snprintf(number, sizeof number, "%d", i);
        text_in(order(shop, "web", number, "LAMP", 1).body, NULL, "id", id, sizeof id);
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/payments", id),
                  "{\"kind\":\"captured\",\"amount\":{\"amount\":\"10.00\",\"currency\":\"EUR\"},\"reference\":\"p%d\"}", i);
    }
    const char *body = shop_must(shop, 200, "GET", "/v1/orders", NULL).body;
    for (const char *at = body; (at = strstr(at, "\"stage\":\"released\"")) != NULL; at++)
        listed++;
    assert_int_equal(listed, 100);
}

/* The key that took an order is sent again after its cancel: the answer is what it was, the fulfilment's lines, too. */
static void a_key_comes_again_after_a_cancel(struct shop *shop)
{
    char id[64];
    receive(shop, "LEJ", "LAMP", 5);
    text_in(order(shop, "web", "1", "LAMP", 3).body, NULL, "id", id, sizeof id);
    const char *pay = arena_printf(shop->arena, "/v1/orders/%s/payments", id), *cancel = arena_printf(shop->arena, "/v1/orders/%s/cancel", id);
    const char *paid = "{\"kind\":\"captured\",\"amount\":{\"amount\":\"30.00\",\"currency\":\"EUR\"},\"reference\":\"p\"}";
    const char *one = "{\"reason\":\"x\",\"lines\":[{\"line\":1,\"quantity\":1}]}", *rest = "{\"reason\":\"x\"}";
    const char *const sent[][2] = { { pay, paid }, { cancel, one }, { cancel, rest } };
    const char *first[COUNT(sent)];
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < COUNT(sent); i++) {
            struct command *command = local_command(shop->local, shop->arena, "POST", sent[i][0], sent[i][1], arena_printf(shop->arena, "k%zu", i));
            engine_run(shop->engine, &command, 1);
            assert_int_equal(command->answer.status, 200);
            if (round == 0)
                first[i] = arena_text(shop->arena, command->answer.body);
            else
                assert_string_equal(command->answer.body, first[i]);
        }
    assert_int_equal(number_in(first[0], "\"fulfilments\"", "quantity"), 3);
    assert_int_equal(number_in(first[1], "\"fulfilments\"", "quantity"), 2);
}

static struct command *send_keyed(struct shop *shop, const char *target, const char *body, const char *key)
{
    struct command *command = local_command(shop->local, shop->arena, "POST", target, body, key);
    engine_run(shop->engine, &command, 1);
    return command;
}

/* Sent again it is answered as it was, and another body under its key is refused. */
static void assert_kept(struct shop *shop, const char *target, const char *body, const char *other, const struct command *first)
{
    const char *key = arena_printf(shop->arena, "key of %s", target);
    struct command *again = send_keyed(shop, target, body, key), *mismatch = send_keyed(shop, target, other, key);
    assert_int_equal(again->answer.status, first->answer.status);
    assert_string_equal(again->answer.body, first->answer.body);
    assert_int_equal(mismatch->answer.status, 422);
    assert_non_null(strstr(mismatch->answer.body, "idempotency_mismatch"));
}

/* A hold that stands, a document and an order that are known: 200, and nothing was changed. The key is remembered all the same. */
static void a_key_comes_again_that_changed_nothing(struct shop *shop)
{
    char id[64], ful[32];
    const char *receipt = "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":5,\"reason\":\"receipt\",\"document\":\"D-1\"}";
    const char *known =
        "{\"channel\":\"web\",\"channel_order_id\":\"1\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"
        "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":%d,\"unit_price\":{\"amount\":\"10.00\",\"currency\":"
        "\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\"}}";
    const char *hold = "{\"kind\":\"fraud\",\"reason\":\"look\",\"source\":\"a\"}",
               *other_hold = "{\"kind\":\"fraud\",\"reason\":\"look\",\"source\":\"b\"}";
    const char *order_body = arena_printf(shop->arena, known, 2), *adjust = "/v1/inventory/adjustments";
    shop_must(shop, 201, "POST", adjust, "%s", receipt);
    text_in(shop_must(shop, 201, "POST", "/v1/orders", "%s", order_body).body, NULL, "id", id, sizeof id);
    const char *holds = arena_printf(shop->arena, "/v1/orders/%s/holds", id);
    const char *paid = shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/payments", id), "%s",
                                 "{\"kind\":\"captured\",\"amount\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},\"reference\":\"p\"}")
                           .body;
    text_in(paid, "\"fulfilments\"", "id", ful, sizeof ful);
    shop_must(shop, 200, "POST", holds, "%s", hold);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/pick", ful), "{}"); /* no event of the order tells of it */
    struct command *held = send_keyed(shop, holds, hold, arena_printf(shop->arena, "key of %s", holds));
    struct command *booked = send_keyed(shop, adjust, receipt, arena_printf(shop->arena, "key of %s", adjust));
    struct command *ordered = send_keyed(shop, "/v1/orders", order_body, "key of /v1/orders");
    assert_true(held->answer.status == 200 && booked->answer.status == 200 && ordered->answer.status == 200);
    assert_non_null(strstr(held->answer.body, "\"state\":\"picking\""));
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "%s/fraud/clear", holds), "{\"reason\":\"fine\"}");
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"x\"}");
    assert_kept(shop, holds, hold, other_hold, held);
    assert_kept(shop, adjust, receipt, "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":5,\"reason\":\"receipt\",\"document\":\"D-2\"}", booked);
    assert_kept(shop, "/v1/orders", order_body, arena_printf(shop->arena, known, 3), ordered);
    assert_non_null(strstr(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", id), NULL).body, "\"holds\":[]"));
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 5, 0, 0 });
}

/* Of any reason, in one batch or in two: what was booked by a document is not booked by it again. */
static void a_document_is_booked_once(struct shop *shop)
{
    static const char *const reasons[] = { "opening", "receipt", "found", "count", "damage", "loss", "correction" };
    receive(shop, "LEJ", "LAMP", 100);
    int64_t units = 100;
    for (size_t i = 0; i < COUNT(reasons); i++) {
        struct command *sent[3];
        for (size_t k = 0; k < COUNT(sent); k++)
            sent[k] = local_command(
                shop->local, shop->arena, "POST", "/v1/inventory/adjustments",
                arena_printf(shop->arena, "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-1,\"reason\":\"%s\",\"document\":\"D\"}", reasons[i]), NULL);
        engine_run(shop->engine, sent, 2);
        engine_run(shop->engine, &sent[2], 1);
        assert_int_equal(sent[0]->answer.status, 201);
        for (size_t k = 1; k < COUNT(sent); k++) {
            if (sent[k]->answer.status != 200)
                fail_msg("%s, sent again: %d %s", reasons[i], sent[k]->answer.status, sent[k]->answer.body);
            assert_string_equal(sent[k]->answer.body, sent[0]->answer.body);
        }
        assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", --units, 0, 0 });
    }
}

/* Whoever hears of a receipt must not sell what those who waited got of it: the answer has the figures that a read has. */
static void a_receipt_is_told_with_what_waited(struct shop *shop)
{
    const char *adjust = "/v1/inventory/adjustments", *want = "\"on_hand\":5,\"available\":3,\"reserved\":2,\"allocated\":0,\"quarantined\":0";
    const char *body = "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":5,\"reason\":\"receipt\",\"document\":\"D-1\"}";
    assert_order(order(shop, "web", "1", "LAMP", 2), 201, "captured", 0, 2);
    const char *told = shop_must(shop, 201, "POST", adjust, "%s", body).body, *again = shop_must(shop, 200, "POST", adjust, "%s", body).body;
    if (strstr(told, want) == NULL)
        fail_msg("%s is due in %s", want, told);
    assert_string_equal(again, told);
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/inventory?sku=LAMP", NULL).body, want));
}

/* A reservation promises no more than the order that uses it may have: its terms are those of the SKU's only listing. */
static void a_reservation_is_tested_with_the_listing(struct shop *shop)
{
    const char *body = "{\"channel\":\"web\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":%d}],\"ttl_s\":600}";
    receive(shop, "LEJ", "LAMP", 5);
    shop_must(shop, 201, "PUT", "/v1/channels/web/listings/W-LAMP", "{\"sku\":\"LAMP\",\"buffer\":3}");
    assert_non_null(strstr(shop_must(shop, 409, "POST", "/v1/reservations", body, 3).body, "2 can be promised"));
    shop_must(shop, 201, "POST", "/v1/reservations", body, 2);
}

/* A part of the order is with a node while the rest waits; then a count takes what the node was to ship, and money comes in.
 * Each answer comes again as it was: its fulfilments, their units, the payment's status. */
static void keys_come_again_where_an_order_went_in_part(struct shop *shop)
{
    const char *capture =
        "{\"channel\":\"web\",\"channel_order_id\":\"1\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
        "\"on_shortage\":\"partial\",\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\","
        "\"quantity\":3,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],"
        "\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}";
    const char *count = "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":1,\"reason\":\"count\"}";
    const char *paid = "{\"kind\":\"captured\",\"amount\":{\"amount\":\"30.00\",\"currency\":\"EUR\"},\"reference\":\"p\"}";
    struct {
        const char *target, *body, *first;
    } sent[] = { { "/v1/orders", capture, NULL },
                 { "holds", "{\"kind\":\"fraud\",\"reason\":\"x\",\"source\":\"a\"}", NULL },
                 { "/v1/inventory/adjustments", count, NULL },
                 { "holds", "{\"kind\":\"fraud\",\"reason\":\"x\",\"source\":\"b\"}", NULL },
                 { "payments", paid, NULL } };
    receive(shop, "LEJ", "LAMP", 2);
    char id[64] = "";
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < COUNT(sent); i++) {
            const char *target = sent[i].target[0] == '/' ? sent[i].target : arena_printf(shop->arena, "/v1/orders/%s/%s", id, sent[i].target);
            struct command *command = local_command(shop->local, shop->arena, "POST", target, sent[i].body, arena_printf(shop->arena, "k%zu", i));
            engine_run(shop->engine, &command, 1);
            assert_in_range(command->answer.status, 200, 201);
            if (round > 0) {
                assert_string_equal(command->answer.body, sent[i].first);
                continue;
            }
            sent[i].first = arena_text(shop->arena, command->answer.body);
            if (i == 0)
                text_in(sent[i].first, NULL, "id", id, sizeof id);
        }
    assert_int_equal(number_in(sent[0].first, "\"fulfilments\"", "quantity"), 2);
    assert_int_equal(number_in(sent[1].first, "\"fulfilments\"", "quantity"), 2);
    assert_int_equal(number_in(sent[3].first, "\"fulfilments\"", "quantity"), 1);
    assert_non_null(strstr(sent[0].first, "\"status\":\"pending\""));
    assert_non_null(strstr(sent[4].first, "\"status\":\"captured\""));
}

/* The second delete finds nothing to do, and leaves no trace. */
static void a_reservation_is_given_back_once(struct shop *shop)
{
    char id[64];
    receive(shop, "LEJ", "LAMP", 1);
    struct reply made =
        shop_must(shop, 201, "POST", "/v1/reservations", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}],\"ttl_s\":600}");
    text_in(made.body, NULL, "id", id, sizeof id);
    const char *target = arena_printf(shop->arena, "/v1/reservations/%s", id);
    shop_must(shop, 204, "DELETE", target, NULL);
    const char *before = shop_dump(shop, shop->arena);
    shop_must(shop, 204, "DELETE", target, NULL);
    assert_string_equal(shop_dump(shop, shop->arena), before);
}

/* Whether a checkout became an order is told with its end. */
static void a_checkout_says_how_it_ended(struct shop *shop)
{
    static const char *const ends[] = { "used", "given_back", "expired" };
    char id[3][32];
    receive(shop, "LEJ", "LAMP", 3);
    for (size_t i = 0; i < COUNT(ends); i++)
        text_in(
            shop_must(shop, 201, "POST", "/v1/reservations", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}],\"ttl_s\":60}").body,
            NULL, "id", id[i], sizeof id[i]);
    const char *body = ORDER("web", LINE("LAMP", "1", "EUR"));
    shop_must(shop, 201, "POST", "/v1/orders", "%.*s,\"reservation\":\"%s\"}", (int)strlen(body) - 1, body, id[0]);
    shop_must(shop, 204, "DELETE", arena_printf(shop->arena, "/v1/reservations/%s", id[1]), NULL);
    shop->now_us += INT64_C(61) * 1000000;
    struct command expire = { .type = &reservation_expire, .unit = 1, .arena = shop->arena, .faults = { .arena = shop->arena } };
    struct command *commands[] = { &expire };
    engine_run(shop->engine, commands, 1);
    const char *at = shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=reservation.ended", NULL).body;
    for (size_t i = 0; i < COUNT(ends); i++) {
        at = strstr(at, id[i]);
        assert_non_null(at);
        at = strstr(at, "\"data\":");
        const char *data = arena_printf(shop->arena, "\"data\":{\"why\":\"%s\"}", ends[i]);
        if (strncmp(at, data, strlen(data)) != 0)
            fail_msg("want %s: %.80s", data, at);
    }
}

static void a_unit_begins_with_the_key_that_made_it(struct shop *shop)
{
    const int64_t first[] = { 2, 1 };
    struct db_rows rows;
    struct command *command = local_command(shop->local, shop->arena, "PUT", "/v1/units/FR",
                                            "{\"name\":\"France\",\"currency\":\"EUR\",\"country\":\"FR\",\"time_zone\":\"Europe/Paris\"}", NULL);
    command->actor.key = 77;
    engine_run(shop->engine, &command, 1);
    assert_int_equal(command->answer.status, 201);
    assert_int_equal(db_load(engine_db(shop->engine), shop->arena, &event_table, first, 1, &rows), DB_OK);
    assert_int_equal(rows.count, 1);
    assert_int_equal(((const struct event_row *)db_row(&rows, 0))->actor, 77);
}

static const struct shop_scene scenes[] = {
    SCENE(two_channels_want_the_last_unit),
    SCENE(a_bundle_and_a_single_share_a_component),
    SCENE(a_receipt_fills_what_waits_by_rank),
    SCENE(a_cancel_gives_back_and_the_next_one_gets_it),
    SCENE(a_damage_breaks_the_lowest_rank_first),
    SCENE(a_payment_releases_and_a_hold_stops_it),
    SCENE(what_waited_is_cancelled_and_the_rest_is_with_a_node),
    SCENE(a_release_is_refused_with_figures),
    SCENE(the_same_channel_order_comes_twice),
    SCENE(all_faults_are_told_at_once),
    SCENE(faults_of_form_and_of_what_is_named_are_told_together),
    SCENE(an_unknown_sku_is_refused_or_unmapped),
    SCENE(an_oversell_says_why),
    SCENE(an_oversell_of_a_bundle_and_of_what_bundles_hold),
    SCENE(a_count_that_breaks_what_a_marketplace_sold),
    SCENE(what_waited_is_cancelled_and_its_exception_with_it),
    SCENE(what_is_short_comes_while_a_word_is_unknown),
    SCENE(fences_keep_units_for_their_group),
    SCENE(a_count_that_takes_what_a_fence_keeps),
    SCENE(a_reservation_is_used_by_its_order),
    SCENE(an_order_goes_from_pick_to_delivery),
    SCENE(an_id_of_no_unit_is_not_found),
    SCENE(a_count_takes_what_a_node_was_to_ship),
    SCENE(half_a_bundle_that_is_gone_cannot_be_cancelled),
    SCENE(a_page_of_released_orders),
    SCENE(a_key_comes_again_after_a_cancel),
    SCENE(keys_come_again_where_an_order_went_in_part),
    SCENE(many_claims_give_way_by_rank),
    SCENE(the_payment_word_follows_the_facts),
    SCENE(a_key_comes_again_that_changed_nothing),
    SCENE(a_document_is_booked_once),
    SCENE(a_receipt_is_told_with_what_waited),
    SCENE(a_payment_is_told_twice),
    SCENE(the_payment_that_an_order_came_with_is_told_again),
    SCENE(payments_can_be_read_from_their_events),
    SCENE(a_cancel_stands_before_what_follows_of_it),
    SCENE(a_unit_begins_with_the_key_that_made_it),
    SCENE(a_reservation_is_given_back_once),
    SCENE(a_checkout_says_how_it_ended),
    SCENE(a_reservation_is_tested_with_the_listing),
    SCENE(a_timeline_is_read),
    SCENE(a_timeline_tells_of_what_was_lost),
};

int main(void)
{
    return scenes_play("orders", scenes, COUNT(scenes));
}
