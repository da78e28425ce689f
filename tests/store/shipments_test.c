/* tests/store/shipments_test.c: an order may come apart into so many parcels only. What they cannot take waits, and says why; what is filled, edited
 * or sent again later keeps to it too. Each scene runs on both stores and ends in a company in which `millrace check` finds nothing. */
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define LINE(SKU, QUANTITY) "{\"sku\":\"" SKU "\",\"quantity\":" QUANTITY ",\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}"
#define ONE ",\"max_shipments\":1"
#define TWO ",\"max_shipments\":2"

static struct reply sends(struct shop *shop, const char *channel, const char *lines, const char *more)
{
    static int number;
    return shop_call(
        shop, "POST", "/v1/orders",
        "{\"channel\":\"%s\",\"channel_order_id\":\"S-%d\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"
        "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[%s],\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}%s}",
        channel, ++number, lines, more);
}

static const char *takes(struct shop *shop, const char *channel, const char *lines, const char *more)
{
    char id[32];
    struct reply made = sends(shop, channel, lines, more);
    if (made.status != 201)
        fail_msg("%d %s", made.status, made.body);
    text_in(made.body, NULL, "id", id, sizeof id);
    return arena_text(shop->arena, id);
}

static const char *shows(struct shop *shop, const char *id)
{
    return shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", id), NULL).body;
}

static void says(const char *text, const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("no %s in %s", what, text);
}

/* Of a line, from 1. */
static void line_is(const char *order, int line, int64_t reserved, int64_t allocated, int64_t backordered)
{
    const char *after = line == 1 ? "{\"line\":1," : "{\"line\":2,";
    const int64_t is[] = { number_in(order, after, "reserved"), number_in(order, after, "allocated"), number_in(order, after, "backordered") };
    if (is[0] != reserved || is[1] != allocated || is[2] != backordered)
        fail_msg("line %d: reserved %ld, allocated %ld, backordered %ld", line, (long)is[0], (long)is[1], (long)is[2]);
}

static int parcels(const char *order)
{
    int count = 0;
    for (; (order = strstr(order, "\"id\":\"ful_")) != NULL; order++)
        count++;
    return count;
}

static void report(struct shop *shop, const char *order, const char *verb, const char *body)
{
    char work[32];
    text_in(strstr(shows(shop, order), "\"fulfilments\":"), NULL, "id", work, sizeof work);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/%s", work, verb), "%s", body);
}

/* ---- scenes ---- */

static void what_one_parcel_cannot_take_waits(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    receive(shop, "HAM", "LAMP", 3);
    const char *id = takes(shop, "web", LINE("LAMP", "5"), ONE), *now = shows(shop, id);
    line_is(now, 1, 3, 0, 2); /* of the node that ships most of it */
    says(now, "\"max_shipments\":1");
    const char *why = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s/decisions", id), NULL).body;
    says(why, "\"nodes\":[\"HAM\"]");
    says(why, "\"kept_waiting\":2");
    says(shop_must(shop, 200, "GET", "/v1/exceptions?type=shortage&state=open", NULL).body, "it may have no more shipments");
    receive(shop, "HAM", "LAMP", 2);
    now = shows(shop, id);
    line_is(now, 1, 0, 5, 0);
    assert_int_equal(parcels(now), 1);
    assert_int_equal(parcels(shows(shop, takes(shop, "web", LINE("LAMP", "2"), ONE))), 1); /* what it left alone is there for others */
}

static void it_is_refused_where_all_or_nothing_is_due(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    receive(shop, "HAM", "LAMP", 2);
    shop_must(shop, 200, "PATCH", "/v1/channels/b2b", "{\"nodes\":[\"LEJ\",\"HAM\"],\"max_shipments\":1}");
    struct reply refused = sends(shop, "b2b", LINE("LAMP", "3"), "");
    assert_int_equal(refused.status, 409);
    says(refused.body, "asked 3 of LAMP, 2 can be promised in as many shipments as it may have");
    assert_int_equal(sends(shop, "b2b", LINE("LAMP", "3"), TWO).status, 201); /* the order says otherwise */
}

static void the_channels_bound_holds_for_orders_that_come(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    receive(shop, "HAM", "BULB", 1);
    const char *before = takes(shop, "web", LINE("LAMP", "1") "," LINE("SHADE", "1"), "");
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"max_shipments\":1}");
    says(shop_must(shop, 200, "GET", "/v1/channels/web", NULL).body, "\"max_shipments\":1");
    const char *id = takes(shop, "web", LINE("BULB", "1") "," LINE("SHADE", "1"), "");
    says(shows(shop, id), "\"max_shipments\":1");
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"max_shipments\":null}");
    says(shows(shop, id), "\"max_shipments\":1"); /* an order keeps what held when it came */
    assert_null(strstr(shows(shop, before), "max_shipments"));
    receive(shop, "LEJ", "SHADE", 2);
    line_is(shows(shop, before), 2, 0, 1, 0);
    line_is(shows(shop, id), 2, 0, 0, 1); /* its bulb is at the other node */
    receive(shop, "HAM", "SHADE", 1);
    assert_int_equal(parcels(shows(shop, id)), 1);
}

/* Who may not have a parcel from there is passed over, and keeps its place. */
static void others_are_not_kept_waiting_by_it(struct shop *shop)
{
    receive(shop, "LEJ", "BULB", 1);
    const char *first = takes(shop, "web", LINE("BULB", "1") "," LINE("LAMP", "1"), ONE);
    const char *second = takes(shop, "web", LINE("LAMP", "1"), "");
    receive(shop, "HAM", "LAMP", 1);
    line_is(shows(shop, first), 2, 0, 0, 1);
    line_is(shows(shop, second), 1, 0, 1, 0);
    const char *third = takes(shop, "web", LINE("LAMP", "1"), "");
    receive(shop, "LEJ", "LAMP", 1);
    line_is(shows(shop, first), 2, 0, 1, 0);
    line_is(shows(shop, third), 1, 0, 0, 1);
}

/* A part may go before the rest, but the last parcel takes all that is left. */
static void the_last_parcel_waits_for_the_rest(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    const char *partial = ",\"on_shortage\":\"partial\",\"max_shipments\":2", *id = takes(shop, "web", LINE("LAMP", "3"), partial);
    line_is(shows(shop, id), 1, 0, 1, 2);
    receive(shop, "HAM", "LAMP", 1);
    line_is(shows(shop, id), 1, 1, 1, 1); /* gone, it could not come after */
    receive(shop, "LEJ", "LAMP", 1);
    line_is(shows(shop, id), 1, 1, 1, 1); /* a third parcel it may not have */
    receive(shop, "HAM", "LAMP", 1);
    assert_int_equal(parcels(shows(shop, id)), 2);
    line_is(shows(shop, id), 1, 0, 3, 0);
    const char *one = takes(shop, "web", LINE("LAMP", "3"), ",\"on_shortage\":\"partial\",\"max_shipments\":1");
    line_is(shows(shop, one), 1, 1, 0, 2);
}

static void more_of_it_goes_along_or_waits(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    receive(shop, "HAM", "LAMP", 9);
    receive(shop, "HAM", "BULB", 9);
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"release\":\"manual\"}");
    const char *id = takes(shop, "web", LINE("LAMP", "2"), ONE), *edit = arena_printf(shop->arena, "/v1/orders/%s/edit", id);
    line_is(shop_must(shop, 200, "POST", edit, "{\"set\":[{\"line\":1,\"quantity\":3}]}").body, 1, 2, 0, 1);
    receive(shop, "LEJ", "LAMP", 1);
    line_is(shows(shop, id), 1, 3, 0, 0);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/release", id), NULL);
    line_is(shop_must(shop, 200, "POST", edit, "{\"set\":[{\"line\":1,\"quantity\":4}]}").body, 1, 0, 3, 1); /* its parcel is with the node */
}

/* A parcel that was given up counts no more. */
static void another_node_may_send_what_one_gave_up(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    const char *id = takes(shop, "web", LINE("LAMP", "2"), ONE);
    receive(shop, "HAM", "LAMP", 2);
    report(shop, id, "pick", "{\"lines\":[{\"line\":1,\"quantity\":0}]}");
    line_is(shows(shop, id), 1, 0, 2, 0);
    assert_int_equal(parcels(shows(shop, id)), 2);
    const char *other = takes(shop, "web", LINE("LAMP", "1"), ONE);
    line_is(shows(shop, other), 1, 0, 0, 1);
}

static void bundles_that_stay_together_keep_to_it(struct shop *shop)
{
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"split\":false}");
    receive(shop, "LEJ", "BULB", 2), receive(shop, "LEJ", "SHADE", 1);
    receive(shop, "HAM", "BULB", 2), receive(shop, "HAM", "SHADE", 1);
    const char *id = takes(shop, "web", LINE("KIT", "2"), ONE);
    line_is(shows(shop, id), 1, 1, 0, 1);
    receive(shop, "HAM", "BULB", 2), receive(shop, "HAM", "SHADE", 1);
    line_is(shows(shop, id), 1, 1, 0, 1);
    receive(shop, "LEJ", "BULB", 2), receive(shop, "LEJ", "SHADE", 1);
    line_is(shows(shop, id), 1, 0, 2, 0);
    assert_int_equal(parcels(shows(shop, id)), 1);
}

/* What a person may do about an order that waits for one node: let another parcel go. */
static void the_bound_is_another_one_later(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    receive(shop, "HAM", "LAMP", 3);
    const char *id = takes(shop, "web", LINE("LAMP", "5"), ONE), *edit = arena_printf(shop->arena, "/v1/orders/%s/edit", id);
    line_is(shows(shop, id), 1, 3, 0, 2);
    struct command *command = local_command(shop->local, shop->arena, "POST", edit, "{\"max_shipments\":2}", "more");
    engine_run(shop->engine, &command, 1);
    assert_int_equal(command->answer.status, 200);
    const char *first = arena_text(shop->arena, command->answer.body);
    says(first, "\"max_shipments\":2");
    says(first, "edited: another bound of shipments");
    const char *now = shows(shop, id);
    line_is(now, 1, 0, 5, 0);
    assert_int_equal(parcels(now), 2);
    says(shop_must(shop, 409, "POST", edit, "{\"max_shipments\":1}").body, "it has 2 shipments already");
    shop_must(shop, 200, "POST", edit, "{\"max_shipments\":null}");
    assert_null(strstr(shows(shop, id), "max_shipments"));
    command = local_command(shop->local, shop->arena, "POST", edit, "{\"max_shipments\":2}", "more");
    engine_run(shop->engine, &command, 1);
    assert_string_equal(command->answer.body, first);
    says(shop_must(shop, 422, "POST", edit, "{\"max_shipments\":0}").body, "\"pointer\":\"/max_shipments\"");
}

static void what_a_marketplace_has_sold_has_no_bound(struct shop *shop)
{
    struct reply refused = sends(shop, "market", LINE("LAMP", "1"), ONE);
    assert_int_equal(refused.status, 422);
    says(refused.body, "\"pointer\":\"/max_shipments\",\"code\":\"invalid\"");
    says(shop_must(shop, 422, "PATCH", "/v1/channels/market", "{\"max_shipments\":2}").body, "\"pointer\":\"/max_shipments\"");
    says(shop_must(shop, 422, "PATCH", "/v1/channels/web", "{\"max_shipments\":0}").body, "\"pointer\":\"/max_shipments\"");
    refused = sends(shop, "web", LINE("LAMP", "1"), ",\"max_shipments\":65");
    says(refused.body, "\"pointer\":\"/max_shipments\",\"code\":\"out_of_range\"");
}

int main(void)
{
    static const struct shop_scene scenes[] = {
        SCENE(what_one_parcel_cannot_take_waits),
        SCENE(it_is_refused_where_all_or_nothing_is_due),
        SCENE(the_channels_bound_holds_for_orders_that_come),
        SCENE(others_are_not_kept_waiting_by_it),
        SCENE(the_last_parcel_waits_for_the_rest),
        SCENE(more_of_it_goes_along_or_waits),
        SCENE(another_node_may_send_what_one_gave_up),
        SCENE(bundles_that_stay_together_keep_to_it),
        SCENE(the_bound_is_another_one_later),
        SCENE(what_a_marketplace_has_sold_has_no_bound),
    };
    return scenes_play("shipments", scenes, COUNT(scenes));
}
