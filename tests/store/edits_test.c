/* tests/store/edits_test.c: an order is changed after it came, and what follows of that for stock, promise, money, nodes and people. Each scene
 * runs on both stores and ends in a company in which `millrace check` finds nothing. */
#include "engine/event.h"
#include "schema.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- what is done ---- */

#define ON_ACCOUNT "{\"term\":\"on_account\",\"status\":\"pending\"}"
#define PREPAID "{\"term\":\"prepaid\",\"status\":\"captured\"}"
#define PEOPLE                                                                                                                       \
    "\"customer\":{\"name\":\"Ada Brown\",\"email\":\"ada@example.org\"},\"ship_to\":{\"name\":\"Ada Brown\",\"street\":\"Old Lane " \
    "1\",\"city\":\"Leipzig\",\"country\":\"DE\"},\"bill_to\":{\"name\":\"Brown Ltd\",\"country\":\"DE\"}"
#define LINE(SKU, QUANTITY, PRICE) "{\"sku\":\"" SKU "\",\"quantity\":" QUANTITY ",\"unit_price\":{\"amount\":\"" PRICE "\",\"currency\":\"EUR\"}}"

static const char *takes(struct shop *shop, const char *channel, const char *payment, const char *lines)
{
    static int number;
    char id[32];
    struct reply made =
        shop_must(shop, 201, "POST", "/v1/orders",
                  "{\"channel\":\"%s\",\"channel_order_id\":\"D-%d\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\"," PEOPLE
                  ",\"lines\":[%s],\"payment\":%s}",
                  channel, ++number, lines, payment);
    text_in(made.body, NULL, "id", id, sizeof id);
    return arena_text(shop->arena, id);
}

static struct reply edit(struct shop *shop, const char *id, const char *body)
{
    return shop_call(shop, "POST", arena_printf(shop->arena, "/v1/orders/%s/edit", id), "%s", body);
}

static const char *edits(struct shop *shop, const char *id, const char *body)
{
    struct reply reply = edit(shop, id, body);
    if (reply.status != 200)
        fail_msg("%s: %d %s", body, reply.status, reply.body);
    return reply.body;
}

static const char *shows(struct shop *shop, const char *id)
{
    return shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", id), NULL).body;
}

static void refuses(struct shop *shop, const char *id, const char *body, int status, const char *code, const char *pointer)
{
    const char *before = shows(shop, id);
    struct reply reply = edit(shop, id, body);
    if (reply.status != status || strstr(reply.body, arena_printf(shop->arena, "\"code\":\"%s\"", code)) == NULL ||
        (pointer != NULL && strstr(reply.body, arena_printf(shop->arena, "\"pointer\":\"%s\"", pointer)) == NULL))
        fail_msg("%s: not %d %s at %s: %d %s", body, status, code, pointer == NULL ? "the order" : pointer, reply.status, reply.body);
    assert_string_equal(shows(shop, id), before); /* all or nothing */
}

static struct reply report(struct shop *shop, const char *order, int which, const char *verb, const char *body)
{
    char work[32] = "";
    const char *at = strstr(shows(shop, order), "\"fulfilments\":");
    for (int i = 0; at != NULL && i <= which; i++) {
        at = strstr(at + 1, "\"id\":\"ful_");
        if (at != NULL)
            text_in(at, NULL, "id", work, sizeof work);
    }
    assert_non_null(at);
    return shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/%s", work, verb), "%s", body);
}

#define PICK "pick", "{}"
#define PACK "pack", "{\"packages\":[{\"weight_g\":500}]}"
#define SHIP "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}"

static void pays(struct shop *shop, const char *id, const char *amount)
{
    static int number;
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/payments", id),
              "{\"kind\":\"captured\",\"amount\":{\"amount\":\"%s\",\"currency\":\"EUR\"},\"reference\":\"p-%d\"}", amount, ++number);
}

/* ---- what is seen ---- */

/* Of a line, from 1. */
static int64_t figure(const char *order, int line, const char *name)
{
    char after[32];
    snprintf(after, sizeof after, "{\"line\":%d,", line);
    return number_in(order, after, name);
}

static void line_is(const char *order, int line, int64_t quantity, int64_t reserved, int64_t allocated, int64_t backordered, int64_t cancelled)
{
    const int64_t is[] = { figure(order, line, "quantity"), figure(order, line, "reserved"), figure(order, line, "allocated"),
                           figure(order, line, "backordered"), figure(order, line, "cancelled") };
    const int64_t due[] = { quantity, reserved, allocated, backordered, cancelled };
    if (memcmp(is, due, sizeof is) != 0)
        fail_msg("line %d: quantity %ld, reserved %ld, allocated %ld, backordered %ld, cancelled %ld", line, (long)is[0], (long)is[1], (long)is[2],
                 (long)is[3], (long)is[4]);
}

static void says(const char *text, const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("no %s in %s", what, text);
}

static void total_is(const char *order, const char *amount)
{
    char is[32];
    text_in(order, "\"total\"", "amount", is, sizeof is);
    assert_string_equal(is, amount);
}

static int64_t stock(struct shop *shop, const char *node, const char *sku, const char *bucket)
{
    return number_in(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/inventory?sku=%s&node=%s", sku, node), NULL).body, "\"items\"",
                     bucket);
}

static int count_of(const char *text, const char *what)
{
    int count = 0;
    for (; (text = strstr(text, what)) != NULL; text++)
        count++;
    return count;
}

static int open_exceptions(struct shop *shop, const char *type)
{
    return count_of(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/exceptions?type=%s&state=open", type), NULL).body, "\"id\"");
}

/* ---- scenes: less ---- */

static void fewer_of_a_line_go_back_to_stock(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    const char *id = takes(shop, "web", PREPAID, LINE("LAMP", "5", "10.00"));
    const char *now = edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":3}],\"add\":[],\"reason\":\"two are enough too many\"}");
    line_is(now, 1, 5, 0, 3, 0, 2); /* quantity stays, cancelled rises */
    says(now, "edited: line 1: 3 (two are enough too many)");
    total_is(now, "50.00"); /* of what was ordered */
    assert_int_equal(stock(shop, "LEJ", "LAMP", "available"), 2);
    assert_string_equal(shows(shop, id), now);
}

static void what_goes_back_goes_to_who_waits(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    const char *first = takes(shop, "web", ON_ACCOUNT, LINE("LAMP", "2", "10.00"));
    const char *second = takes(shop, "web", ON_ACCOUNT, LINE("LAMP", "1", "10.00"));
    line_is(shows(shop, second), 1, 1, 0, 0, 1, 0);
    edits(shop, first, "{\"set\":[{\"line\":1,\"quantity\":1}]}");
    line_is(shows(shop, second), 1, 1, 0, 1, 0, 0);
    assert_int_equal(open_exceptions(shop, "shortage"), 0);
}

static void all_lines_set_to_nothing_is_a_cancel(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    const char *id = takes(shop, "web", ON_ACCOUNT, LINE("LAMP", "2", "10.00"));
    const char *now = edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":0}]}");
    says(now, "\"stage\":\"cancelled\"");
    says(now, "\"state\":\"cancelled\"");
    assert_int_equal(stock(shop, "LEJ", "LAMP", "available"), 2);
    refuses(shop, id, "{\"set\":[{\"line\":1,\"quantity\":1}]}", 409, "too_late", NULL);
    refuses(shop, id, "{\"add\":[" LINE("LAMP", "1", "1.00") "]}", 409, "too_late", NULL);
}

static void what_has_left_stays(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    receive(shop, "LEJ", "SHADE", 1);
    const char *id = takes(shop, "web", "{\"term\":\"on_account\",\"status\":\"pending\"},\"on_shortage\":\"partial\"", LINE("LAMP", "3", "10.00"));
    report(shop, id, 0, PICK), report(shop, id, 0, PACK), report(shop, id, 0, SHIP);
    refuses(shop, id, "{\"set\":[{\"line\":1,\"quantity\":1}]}", 409, "too_late", "/set/0/quantity");
    refuses(shop, id, "{\"set\":[{\"line\":1,\"quantity\":2}],\"ship_to\":{\"name\":\"B\",\"country\":\"DE\"}}", 409, "too_late", "/ship_to");
    line_is(edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":2}]}"), 1, 3, 0, 0, 0, 1);
    refuses(shop, id, "{\"set\":[{\"line\":1,\"quantity\":3}]}", 409, "too_late", NULL); /* all of it has left: another order */
}

static void a_node_that_packs_gives_up_what_is_not_wanted(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    receive(shop, "LEJ", "SHADE", 1);
    const char *id = takes(shop, "web", ON_ACCOUNT, LINE("LAMP", "2", "10.00") "," LINE("SHADE", "1", "5.00"));
    report(shop, id, 0, PICK), report(shop, id, 0, PACK);
    const char *now = edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":1},{\"line\":2,\"quantity\":0}]}");
    line_is(now, 1, 2, 0, 1, 0, 1);
    line_is(now, 2, 1, 0, 0, 0, 1);
    report(shop, id, 0, SHIP);
    says(shows(shop, id), "\"stage\":\"shipped\"");
}

/* ---- more ---- */

static void more_of_a_line_is_promised_and_sent_by_itself(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    const char *id = takes(shop, "web", ON_ACCOUNT, LINE("LAMP", "2", "10.00"));
    const char *now = edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":5}]}");
    line_is(now, 1, 5, 0, 5, 0, 0);
    total_is(now, "50.00");
    assert_int_equal(count_of(now, "\"id\":\"ful_"), 2); /* what a node was told is not changed under its hands */
    says(now, "\"stage\":\"released\"");
    assert_int_equal(stock(shop, "LEJ", "LAMP", "allocated"), 5);
}

static void more_goes_from_the_node_that_ships_anyway(struct shop *shop)
{
    receive(shop, "HAM", "LAMP", 9);
    const char *id = takes(shop, "web", PREPAID ",\"on_shortage\":\"backorder\"", LINE("LAMP", "2", "10.00"));
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/holds", id), "{\"kind\":\"fraud\",\"reason\":\"look\"}");
    receive(shop, "LEJ", "LAMP", 9); /* before HAM by priority */
    edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":3}]}");
    assert_int_equal(stock(shop, "HAM", "LAMP", "reserved") + stock(shop, "HAM", "LAMP", "allocated"), 3);
    assert_int_equal(count_of(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s/decisions", id), NULL).body, "\"kind\":\"route\""),
                     2);
}

static void more_than_there_is_is_refused_or_waits(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 3);
    const char *strict = takes(shop, "b2b", ON_ACCOUNT, LINE("LAMP", "1", "10.00"));
    refuses(shop, strict, "{\"set\":[{\"line\":1,\"quantity\":4}]}", 409, "shortage", "/set/0/quantity");
    refuses(shop, strict, "{\"set\":[{\"line\":1,\"quantity\":0}],\"add\":[" LINE("LAMP", "4", "9.00") "]}", 409, "shortage", "/add/0/quantity");
    line_is(edits(shop, strict, "{\"set\":[{\"line\":1,\"quantity\":2}]}"), 1, 2, 0, 2, 0, 0);
    const char *patient = takes(shop, "web", PREPAID, LINE("LAMP", "1", "10.00"));
    pays(shop, patient, "90.00");
    const char *now = edits(shop, patient, "{\"set\":[{\"line\":1,\"quantity\":3}]}");
    line_is(now, 1, 3, 0, 1, 2, 0);
    says(now, "\"stage\":\"captured\"");
    says(now, "shortage: line 1 lacks 2");
    assert_int_equal(open_exceptions(shop, "shortage"), 1);
    receive(shop, "LEJ", "LAMP", 2);
    line_is(shows(shop, patient), 1, 3, 0, 3, 0, 0);
    assert_int_equal(open_exceptions(shop, "shortage"), 0);
}

static void what_a_marketplace_has_sold_more_is_oversold(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    const char *id = takes(shop, "market", ON_ACCOUNT, LINE("LAMP", "1", "10.00"));
    const char *now = edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":3}]}");
    line_is(now, 1, 3, 0, 1, 2, 0);
    assert_int_equal(figure(now, 1, "oversold"), 2);
    assert_int_equal(open_exceptions(shop, "oversell"), 1);
}

/* What the order gives back it may use again: the last lamp changes its line. */
static void one_line_takes_what_another_gives_back(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    const char *id = takes(shop, "b2b", ON_ACCOUNT, LINE("LAMP", "2", "10.00"));
    const char *now = edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":1}],\"add\":[" LINE("LAMP", "1", "7.00") "]}");
    line_is(now, 1, 2, 0, 1, 0, 1);
    line_is(now, 2, 1, 0, 1, 0, 0);
    says(now, "edited: line 1: 1, added line 2: 1");
    total_is(now, "27.00");
}

static void a_bundle_keeps_the_recipe_that_it_was_sold_with(struct shop *shop)
{
    receive(shop, "LEJ", "BULB", 6);
    receive(shop, "LEJ", "SHADE", 3);
    const char *id = takes(shop, "web", ON_ACCOUNT, LINE("KIT", "1", "20.00"));
    shop_must(shop, 200, "PUT", "/v1/bundles/KIT", "{\"name\":\"Kit\",\"components\":[{\"sku\":\"BULB\",\"quantity\":9}]}");
    line_is(edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":3}]}"), 1, 3, 0, 3, 0, 0);
    assert_int_equal(stock(shop, "LEJ", "BULB", "allocated"), 6);
    assert_int_equal(stock(shop, "LEJ", "SHADE", "allocated"), 3);
    const char *now = edits(shop, id, "{\"add\":[" LINE("KIT", "1", "20.00") "]}"); /* a new line has the new one */
    assert_int_equal(figure(now, 2, "backordered"), 1);
    says(now, "\"components\":[{\"sku\":\"BULB\",\"quantity\":9}]");
}

static void a_line_comes_by_its_listing(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    shop_must(shop, 201, "PUT", "/v1/channels/web/listings/W-LAMP", "{\"sku\":\"LAMP\"}");
    const char *id = takes(shop, "web", ON_ACCOUNT, LINE("LAMP", "1", "10.00"));
    const char *now =
        edits(shop, id, "{\"add\":[{\"channel_sku\":\"W-LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"8.00\",\"currency\":\"EUR\"}}]}");
    says(now, "{\"line\":2,\"sku\":\"LAMP\",\"channel_sku\":\"W-LAMP\"");
    line_is(edits(shop, id, "{\"set\":[{\"line\":2,\"quantity\":3}]}"), 2, 3, 0, 1, 2, 0);
}

/* ---- money ---- */

#define DEARER                                                                                                                                    \
    "{\"sku\":\"LAMP\",\"quantity\":2,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"},\"discount\":{\"amount\":\"0.01\",\"currency\":" \
    "\"EUR\"},\"tax\":{\"amount\":\"3.80\",\"currency\":\"EUR\"}}"

static void discount_and_tax_follow_the_pieces(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 9);
    const char *id = takes(shop, "web", ON_ACCOUNT, DEARER);
    total_is(shows(shop, id), "23.79");
    const char *now = edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":3}]}");
    total_is(now, "35.68"); /* 30.00 - 0.02 (0.015, for the customer) + 5.70 */
    says(now, "\"discount\":{\"amount\":\"0.02\"");
    says(now, "\"tax\":{\"amount\":\"5.70\"");
    now = edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":2}]}");
    line_is(now, 1, 3, 0, 2, 0, 1);
    now = edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":4}]}");
    line_is(now, 1, 5, 0, 4, 0, 1); /* what was cancelled stays so */
    total_is(now, "59.47");
}

/* There and back again costs what it cost, to the cent. */
static void the_way_back_costs_what_it_cost(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 9);
    const char *id = takes(shop, "web", "{\"term\":\"prepaid\",\"status\":\"pending\"}", DEARER);
    edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":3}]}");
    edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":2}]}");
    pays(shop, id, "23.78");
    says(shows(shop, id), "\"stage\":\"reserved\"");
    pays(shop, id, "0.01");
    says(shows(shop, id), "\"stage\":\"released\"");
}

/* Shares of what ships add up to what is due, whatever was edited between two parcels. */
static void amounts_of_parcels_add_up(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    const char *id = takes(shop, "web", ON_ACCOUNT ",\"on_shortage\":\"partial\"", DEARER);
    report(shop, id, 0, PICK), report(shop, id, 0, PACK), report(shop, id, 0, SHIP);
    edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":3}]}");
    receive(shop, "LEJ", "LAMP", 2);
    report(shop, id, 1, PICK), report(shop, id, 1, PACK), report(shop, id, 1, SHIP);
    int64_t sum = 0;
    const struct db_rows events = shop_table(shop, shop->arena, &event_table);
    for (size_t i = 0; i < events.count; i++) {
        const struct event_row *event = db_row(&events, i);
        sum += event->type == EVENT_FULFILMENT_CHANGED && event->amount != NULL_INT ? event->amount : 0;
    }
    assert_int_equal(sum, 2998); /* 30.00 less the discount of 0.02 */
}

static void what_is_not_paid_for_goes_no_further(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    const char *id = takes(shop, "web", PREPAID, LINE("LAMP", "2", "10.00"));
    const char *now = edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":3}]}");
    line_is(now, 1, 3, 1, 2, 0, 0); /* the third waits for the money, what is with the node goes on */
    says(now, "\"stage\":\"reserved\"");
    pays(shop, id, "10.00");
    line_is(shows(shop, id), 1, 3, 0, 3, 0, 0);
    const char *other = takes(shop, "web", "{\"term\":\"prepaid\",\"status\":\"pending\"}", LINE("LAMP", "2", "10.00"));
    pays(shop, other, "10.00");
    now = edits(shop, other, "{\"set\":[{\"line\":1,\"quantity\":1}]}"); /* less is due: it goes */
    line_is(now, 1, 2, 0, 1, 0, 1);
}

/* ---- people ---- */

static void another_address_leaves_the_others_alone(struct shop *shop)
{
    const char *id = takes(shop, "web", ON_ACCOUNT, LINE("LAMP", "1", "10.00"));
    const char *now = edits(shop, id, "{\"ship_to\":{\"name\":\"Carl Green\",\"street\":\"New Road 2\",\"city\":\"Graz\",\"country\":\"AT\"}}");
    says(now, "\"ship_to\":{\"name\":\"Carl Green\",\"street\":\"New Road 2\",\"city\":\"Graz\",\"country\":\"AT\"}");
    says(now, "\"customer\":{\"name\":\"Ada Brown\",\"email\":\"ada@example.org\"}");
    says(now, "\"bill_to\":{\"name\":\"Brown Ltd\",\"country\":\"DE\"}");
    says(now, "edited: another address");
    const struct db_rows events = shop_table(shop, shop->arena, &event_table);
    for (size_t i = 0; i < events.count; i++) {
        const struct event_row *event = db_row(&events, i);
        if (event->data != NULL)
            assert_null(strstr(event->data, "Graz")); /* people stand in no event */
    }
    const char *again = edits(shop, id, "{\"ship_to\":{\"name\":\"Carl Green\",\"street\":\"New Road 2\",\"city\":\"Graz\",\"country\":\"AT\"}}");
    assert_string_equal(again, now);                                               /* the same address changes nothing */
    now = edits(shop, id, "{\"ship_to\":{\"name\":\"Dora\",\"country\":\"DE\"}}"); /* the whole address */
    says(now, "\"ship_to\":{\"name\":\"Dora\",\"country\":\"DE\"}");
}

static void a_parcel_that_is_packed_has_its_address(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    const char *id = takes(shop, "web", ON_ACCOUNT, LINE("LAMP", "1", "10.00"));
    report(shop, id, 0, PICK);
    edits(shop, id, "{\"ship_to\":{\"name\":\"B\",\"country\":\"DE\"}}");
    report(shop, id, 0, PACK);
    refuses(shop, id, "{\"ship_to\":{\"name\":\"C\",\"country\":\"DE\"}}", 409, "too_late", "/ship_to");
}

/* ---- faults ---- */

static void every_fault_is_told_with_its_place(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    const char *id = takes(shop, "web", ON_ACCOUNT, LINE("LAMP", "2", "10.00"));
    static const struct {
        const char *body, *code, *pointer;
    } cases[] = {
        { "{}", "required", "" },
        { "{\"set\":[{\"line\":2,\"quantity\":1}]}", "line_unknown", "/set/0/line" },
        { "{\"set\":[{\"line\":1,\"quantity\":1},{\"line\":1,\"quantity\":1}]}", "invalid", "/set/1/line" },
        { "{\"set\":[{\"line\":0,\"quantity\":1}]}", "out_of_range", "/set/0/line" },
        { "{\"set\":[{\"line\":1,\"quantity\":-1}]}", "out_of_range", "/set/0/quantity" },
        { "{\"set\":[{\"line\":1,\"quantity\":1000001}]}", "out_of_range", "/set/0/quantity" },
        { "{\"set\":[{\"line\":1}]}", "required", "/set/0/quantity" },
        { "{\"set\":{}}", "wrong_type", "/set" },
        { "{\"add\":[" LINE("NOPE", "1", "1.00") "]}", "sku_unknown", "/add/0/sku" },
        { "{\"add\":[{\"channel_sku\":\"NO\",\"quantity\":1,\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}]}", "listing_unknown",
          "/add/0/channel_sku" },
        { "{\"add\":[{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"USD\"}}]}", "currency_mismatch",
          "/add/0/unit_price/currency" },
        { "{\"add\":[{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"},\"discount\":{\"amount\":\"1.01\","
          "\"currency\":\"EUR\"}}]}",
          "out_of_range", "/add/0/discount" },
        { "{\"add\":[" LINE("LAMP", "0", "1.00") "]}", "out_of_range", "/add/0/quantity" },
        { "{\"add\":[{\"quantity\":1,\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}]}", "either_or", "/add/0" },
        { "{\"add\":[{\"sku\":\"LAMP\",\"line\":7,\"quantity\":1,\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}]}", "read_only_field",
          "/add/0/line" },
        { "{\"ship_to\":{\"name\":\"A\",\"country\":\"ZZ\"}}", "bad_format", "/ship_to/country" },
        { "{\"lines\":[]}", "unknown_field", "/lines" },
        /* of form and of look-up, together */
        { "{\"set\":[{\"line\":9,\"quantity\":1},{\"line\":1}],\"add\":[" LINE("NOPE", "1", "1.00") "]}", "line_unknown", "/set/0/line" },
        { "{\"set\":[{\"line\":9,\"quantity\":1},{\"line\":1}],\"add\":[" LINE("NOPE", "1", "1.00") "]}", "sku_unknown", "/add/0/sku" },
        { "{\"set\":[{\"line\":9,\"quantity\":1},{\"line\":1}],\"add\":[" LINE("NOPE", "1", "1.00") "]}", "required", "/set/1/quantity" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        refuses(shop, id, cases[i].body, 422, cases[i].code, cases[i].pointer);
    assert_int_equal(edit(shop, "ord_0", "{\"set\":[]}").status, 404);
    const char *before = shows(shop, id);
    assert_string_equal(edits(shop, id, "{\"set\":[],\"add\":[]}"), before); /* nothing is asked, and nothing changes */
    assert_string_equal(edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":2}]}"), before);
}

static void a_line_that_names_nothing_is_not_raised(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    const char *id = takes(shop, "market", ON_ACCOUNT, LINE("GHOST", "2", "10.00") "," LINE("LAMP", "1", "5.00"));
    refuses(shop, id, "{\"set\":[{\"line\":1,\"quantity\":3}]}", 422, "sku_unknown", "/set/0/line");
    line_is(edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":1}]}"), 1, 2, 0, 0, 1, 1);
    const char *now = edits(shop, id, "{\"set\":[{\"line\":1,\"quantity\":0}],\"add\":[" LINE("LAMP", "1", "5.00") "]}");
    says(now, "\"holds\":[]"); /* no line is left that names nothing */
    assert_int_equal(open_exceptions(shop, "unmapped"), 0);
    line_is(now, 3, 1, 0, 1, 0, 0);
}

/* 1,000 lines and 1,500 components hold after an edit, too. */
static void an_order_does_not_grow_past_its_bounds(struct shop *shop)
{
    struct buffer lines = { .arena = shop->arena }, body = { .arena = shop->arena };
    for (int i = 0; i < 999; i++)
        buffer_printf(&lines, "%s%s", i == 0 ? "" : ",", LINE("LAMP", "1", "1.00"));
    const char *id = takes(shop, "web", ON_ACCOUNT, lines.at);
    refuses(shop, id, "{\"add\":[" LINE("LAMP", "1", "1.00") "," LINE("LAMP", "1", "1.00") "]}", 422, "order_too_large", "/add");
    edits(shop, id, "{\"add\":[" LINE("LAMP", "1", "1.00") "]}");
    const char *kits = takes(shop, "web", ON_ACCOUNT, LINE("KIT", "1", "1.00"));
    buffer_printf(&body, "{\"add\":[%s", LINE("KIT", "1", "1.00"));
    for (int i = 1; i < 750; i++)
        buffer_printf(&body, ",%s", LINE("KIT", "1", "1.00"));
    buffer_text(&body, "]}");
    refuses(shop, kits, body.at, 422, "order_too_large", "/add");
}

/* ---- substitutes ---- */

static struct reply substitute(struct shop *shop, const char *id, const char *body)
{
    return shop_call(shop, "POST", arena_printf(shop->arena, "/v1/orders/%s/substitute", id), "%s", body);
}

static const char *substitutes(struct shop *shop, const char *id, const char *body)
{
    struct reply reply = substitute(shop, id, body);
    if (reply.status != 200)
        fail_msg("%s: %d %s", body, reply.status, reply.body);
    return reply.body;
}

static void does_not_substitute(struct shop *shop, const char *id, const char *body, int status, const char *code, const char *pointer)
{
    const char *before = shows(shop, id);
    struct reply reply = substitute(shop, id, body);
    if (reply.status != status || strstr(reply.body, arena_printf(shop->arena, "\"pointer\":\"%s\",\"code\":\"%s\"", pointer, code)) == NULL)
        fail_msg("%s: not %d %s at %s: %d %s", body, status, code, pointer, reply.status, reply.body);
    assert_string_equal(shows(shop, id), before);
}

static void another_sku_takes_the_place_at_the_same_price(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    receive(shop, "LEJ", "SHADE", 5);
    const char *id = takes(shop, "web", "{\"term\":\"prepaid\",\"status\":\"captured\"}", DEARER); /* 2 for 23.79, one is there */
    const char *now = substitutes(shop, id, "{\"line\":1,\"sku\":\"SHADE\",\"quantity\":1,\"reason\":\"sold out\"}");
    line_is(now, 1, 2, 0, 1, 0, 1);
    line_is(now, 2, 1, 0, 1, 0, 0);
    says(now, "\"replaced_by\":2");
    says(now, "\"replaces\":1");
    says(now, "added line 2: 1 in place of line 1 (sold out)");
    says(now, "\"stage\":\"released\""); /* it costs what it cost, to the cent: what was paid is enough */
    assert_int_equal(open_exceptions(shop, "shortage"), 0);
    const char *all = substitutes(shop, id, "{\"line\":1,\"sku\":\"SHADE\",\"unit_price\":{\"amount\":\"9.00\",\"currency\":\"EUR\"}}");
    line_is(all, 1, 2, 0, 0, 0, 2);
    line_is(all, 3, 1, 0, 1, 0, 0);
    says(all, "\"replaced_by\":3");
    assert_int_equal(stock(shop, "LEJ", "LAMP", "available"), 1);
    substitutes(shop, id, "{\"line\":3,\"sku\":\"LAMP\"}"); /* and back again */
    assert_int_equal(stock(shop, "LEJ", "LAMP", "allocated"), 1);
}

static void the_first_of_its_substitutes_that_is_there_whole(struct shop *shop)
{
    shop_must(shop, 201, "PUT", "/v1/skus/CANDLE", "{\"name\":\"Candle\"}");
    const char *put = "{\"name\":\"Lamp\",\"substitutes\":[\"SHADE\",\"KIT\",\"CANDLE\"]}";
    says(shop_must(shop, 200, "PUT", "/v1/skus/LAMP", "%s", put).body, "\"substitutes\":[\"SHADE\",\"KIT\",\"CANDLE\"]");
    says(shop_must(shop, 200, "PUT", "/v1/skus/LAMP", "%s", put).body, "\"version\":2"); /* the same again changes nothing */
    receive(shop, "LEJ", "SHADE", 1);
    receive(shop, "LEJ", "CANDLE", 4);
    const char *id = takes(shop, "web", ON_ACCOUNT, LINE("LAMP", "2", "10.00") "," LINE("BULB", "1", "1.00"));
    const char *now = substitutes(shop, id, "{\"line\":1}"); /* of shades there is one, of kits none */
    says(now, "{\"line\":3,\"sku\":\"CANDLE\",\"quantity\":2");
    line_is(now, 1, 2, 0, 0, 0, 2);
    const char *other = takes(shop, "web", ON_ACCOUNT, LINE("LAMP", "3", "10.00"));
    does_not_substitute(shop, other, "{\"line\":1}", 409, "shortage", "/line");
    does_not_substitute(shop, other, "{\"line\":1,\"sku\":\"CANDLE\"}", 409, "shortage", "/sku"); /* whatever the channel's policy is */
    says(substitutes(shop, other, "{\"line\":1,\"quantity\":1}"), "{\"line\":2,\"sku\":\"SHADE\",\"quantity\":1");
    does_not_substitute(shop, id, "{\"line\":2}", 422, "required", "/sku"); /* a bulb names none */
    says(shop_must(shop, 200, "PATCH", "/v1/skus/LAMP", "{\"substitutes\":[]}").body, "\"name\":\"Lamp\"}");
    says(shop_must(shop, 200, "PATCH", "/v1/skus/LAMP", "{\"substitutes\":null}").body, "\"version\":3"); /* none is none */
}

static void a_substitution_is_refused_with_its_place(struct shop *shop)
{
    static const struct {
        const char *body;
        int status;
        const char *code, *pointer;
    } cases[] = {
        { "{\"sku\":\"SHADE\"}", 422, "required", "/line" },
        { "{\"line\":7,\"sku\":\"NOPE\"}", 422, "line_unknown", "/line" },
        { "{\"line\":7,\"sku\":\"NOPE\"}", 422, "sku_unknown", "/sku" },
        { "{\"line\":1,\"sku\":\"LAMP\"}", 422, "invalid", "/sku" },
        { "{\"line\":1,\"sku\":\"NOPE\",\"quantity\":0}", 422, "sku_unknown", "/sku" },
        { "{\"line\":1,\"sku\":\"NOPE\",\"quantity\":0}", 422, "out_of_range", "/quantity" },
        { "{\"line\":1,\"sku\":\"SHADE\",\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"USD\"}}", 422, "currency_mismatch",
          "/unit_price/currency" },
        { "{\"line\":1,\"sku\":\"SHADE\",\"quantity\":3}", 409, "too_late", "/quantity" },
        { "{\"line\":2,\"sku\":\"LAMP\"}", 409, "too_late", "/line" },
    };
    receive(shop, "LEJ", "LAMP", 2);
    receive(shop, "LEJ", "SHADE", 9);
    const char *id = takes(shop, "web", ON_ACCOUNT, LINE("LAMP", "2", "10.00") "," LINE("SHADE", "1", "1.00"));
    edits(shop, id, "{\"set\":[{\"line\":2,\"quantity\":0}]}");
    for (size_t i = 0; i < COUNT(cases); i++)
        does_not_substitute(shop, id, cases[i].body, cases[i].status, cases[i].code, cases[i].pointer);
    report(shop, id, 0, PICK), report(shop, id, 0, PACK), report(shop, id, 0, SHIP);
    does_not_substitute(shop, id, "{\"line\":1,\"sku\":\"SHADE\"}", 409, "too_late", "/line");
    static const struct {
        const char *body, *code, *pointer;
    } masters[] = {
        { "{\"substitutes\":[\"LAMP\"]}", "invalid", "/substitutes/0" },
        { "{\"substitutes\":[\"SHADE\",\"SHADE\"]}", "invalid", "/substitutes/1" },
        { "{\"substitutes\":[\"SHADE\",\"NOPE\"]}", "sku_unknown", "/substitutes/1" },
    };
    for (size_t i = 0; i < COUNT(masters); i++)
        says(shop_must(shop, 422, "PATCH", "/v1/skus/LAMP", "%s", masters[i].body).body,
             arena_printf(shop->arena, "\"pointer\":\"%s\",\"code\":\"%s\"", masters[i].pointer, masters[i].code));
}

/* A line that names nothing may be replaced by what it meant: then nothing is left that nobody knows. */
static void a_person_knows_what_was_meant(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    const char *id = takes(shop, "market", ON_ACCOUNT, LINE("GHOST", "2", "10.00"));
    const char *now = substitutes(shop, id, "{\"line\":1,\"sku\":\"LAMP\"}");
    line_is(now, 2, 2, 0, 2, 0, 0);
    says(now, "\"holds\":[]");
    assert_int_equal(open_exceptions(shop, "unmapped"), 0);
}

/* ---- answers ---- */

/* A key tells what it told, whatever was edited since: figures, lines, total and address of then. */
static void a_key_answers_as_it_did(struct shop *shop)
{
    static const char *const bodies[] = {
        "{\"set\":[{\"line\":1,\"quantity\":4}],\"ship_to\":{\"name\":\"B\",\"country\":\"AT\"}}",
        "{\"set\":[{\"line\":1,\"quantity\":1}],\"add\":[" LINE("SHADE", "2", "3.00") "],\"ship_to\":{\"name\":\"C\",\"country\":\"CH\"}}",
        "{\"set\":[{\"line\":2,\"quantity\":3}]}", "{\"set\":[{\"line\":1,\"quantity\":1}]}", /* nothing changes */
    };
    const char *answers[COUNT(bodies)];
    receive(shop, "LEJ", "LAMP", 3);
    receive(shop, "HAM", "SHADE", 9);
    const char *id = takes(shop, "web", PREPAID, DEARER), *target = arena_printf(shop->arena, "/v1/orders/%s/edit", id);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < COUNT(bodies); i++) {
            struct command *command = local_command(shop->local, shop->arena, "POST", target, bodies[i], arena_printf(shop->arena, "key-%zu", i));
            engine_run(shop->engine, &command, 1);
            assert_int_equal(command->answer.status, 200);
            if (round == 0)
                answers[i] = arena_text(shop->arena, command->answer.body);
            else
                assert_string_equal(command->answer.body, answers[i]);
        }
    says(answers[0], "\"name\":\"B\",\"country\":\"AT\"");
    says(shows(shop, id), "\"name\":\"C\",\"country\":\"CH\"");
}

int main(void)
{
    static const struct shop_scene scenes[] = {
        SCENE(fewer_of_a_line_go_back_to_stock),
        SCENE(what_goes_back_goes_to_who_waits),
        SCENE(all_lines_set_to_nothing_is_a_cancel),
        SCENE(what_has_left_stays),
        SCENE(a_node_that_packs_gives_up_what_is_not_wanted),
        SCENE(more_of_a_line_is_promised_and_sent_by_itself),
        SCENE(more_goes_from_the_node_that_ships_anyway),
        SCENE(more_than_there_is_is_refused_or_waits),
        SCENE(what_a_marketplace_has_sold_more_is_oversold),
        SCENE(one_line_takes_what_another_gives_back),
        SCENE(a_bundle_keeps_the_recipe_that_it_was_sold_with),
        SCENE(a_line_comes_by_its_listing),
        SCENE(discount_and_tax_follow_the_pieces),
        SCENE(the_way_back_costs_what_it_cost),
        SCENE(amounts_of_parcels_add_up),
        SCENE(what_is_not_paid_for_goes_no_further),
        SCENE(another_address_leaves_the_others_alone),
        SCENE(a_parcel_that_is_packed_has_its_address),
        SCENE(every_fault_is_told_with_its_place),
        SCENE(a_line_that_names_nothing_is_not_raised),
        SCENE(an_order_does_not_grow_past_its_bounds),
        SCENE(another_sku_takes_the_place_at_the_same_price),
        SCENE(the_first_of_its_substitutes_that_is_there_whole),
        SCENE(a_substitution_is_refused_with_its_place),
        SCENE(a_person_knows_what_was_meant),
        SCENE(a_key_answers_as_it_did),
    };
    return scenes_play("edits", scenes, COUNT(scenes));
}
