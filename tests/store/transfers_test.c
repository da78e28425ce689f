/* tests/store/transfers_test.c: goods go from one node to another, whole, short, over, late or not at all. */
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- a transfer, as the API shows it ---- */

static const char *requested(struct shop *shop, const char *lines)
{
    struct reply reply = shop_must(shop, 201, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[%s]}", lines);
    char *id = arena_alloc(shop->arena, 40);
    assert_non_null(strstr(reply.body, "\"state\":\"requested\""));
    text_in(reply.body, NULL, "id", id, 40);
    return id;
}

#define LAMPS(N) "{\"sku\":\"LAMP\",\"quantity\":" N "}"
#define BULBS(N) "{\"sku\":\"BULB\",\"quantity\":" N "}"

static struct reply tell(struct shop *shop, int status, const char *id, const char *what, const char *body)
{
    return shop_must(shop, status, "POST", arena_printf(shop->arena, "/v1/transfers/%s/%s", id, what), "%s", body);
}

static struct reply receive_lines(struct shop *shop, int status, const char *id, const char *lines)
{
    return tell(shop, status, id, "receive", arena_printf(shop->arena, "{\"lines\":[%s]}", lines));
}

static void assert_line(const char *body, const char *sku, int64_t claimed, int64_t shipped, int64_t received, int64_t missing)
{
    char line[80];
    snprintf(line, sizeof line, "\"sku\":\"%s\"", sku);
    if (strstr(body, line) == NULL || number_in(body, line, "claimed") != claimed || number_in(body, line, "shipped") != shipped ||
        number_in(body, line, "received") != received || number_in(body, line, "missing") != missing)
        fail_msg("%s: want %ld claimed, %ld shipped, %ld received, %ld missing: %s", sku, (long)claimed, (long)shipped, (long)received, (long)missing,
                 body);
}

static void assert_state(struct reply reply, const char *state)
{
    char is[32];
    text_in(reply.body, NULL, "state", is, sizeof is);
    if (strcmp(is, state) != 0)
        fail_msg("want %s: %s", state, reply.body);
}

struct stock_is {
    const char *node, *sku;
    int64_t available, reserved, in_transit;
};

static void assert_stock(struct shop *shop, struct stock_is want)
{
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/inventory?sku=%s&node=%s", want.sku, want.node), NULL).body;
    if (number_in(body, NULL, "available") != want.available || number_in(body, NULL, "reserved") != want.reserved ||
        number_in(body, NULL, "in_transit") != want.in_transit)
        fail_msg("%s at %s: want %ld available, %ld reserved, %ld in transit: %s", want.sku, want.node, (long)want.available, (long)want.reserved,
                 (long)want.in_transit, body);
}

static void refused(struct reply reply, int status, const char *code, const char *pointer)
{
    if (reply.status != status || strstr(reply.body, code) == NULL || (pointer != NULL && strstr(reply.body, pointer) == NULL))
        fail_msg("want %d %s %s: %d %s", status, code, pointer == NULL ? "" : pointer, reply.status, reply.body);
}

/* ---- scenes ---- */

static void goods_go_to_another_node(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    receive(shop, "LEJ", "BULB", 3);
    const char *id = requested(shop, LAMPS("4") "," BULBS("1"));
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 1, 4, 0 });
    struct reply shipped = tell(shop, 200, id, "ship", "");
    assert_state(shipped, "shipped");
    assert_line(shipped.body, "LAMP", 0, 4, 0, 0);
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 1, 0, 0 });
    assert_stock(shop, (struct stock_is){ "HAM", "LAMP", 0, 0, 4 });
    struct reply received = receive_lines(shop, 200, id, LAMPS("4") "," BULBS("1"));
    assert_state(received, "received");
    assert_line(received.body, "LAMP", 0, 4, 4, 0);
    assert_stock(shop, (struct stock_is){ "HAM", "LAMP", 4, 0, 0 });
    assert_stock(shop, (struct stock_is){ "HAM", "BULB", 1, 0, 0 });
    const char *moved = shop_must(shop, 200, "GET", "/v1/inventory/movements?sku=LAMP", NULL).body;
    assert_non_null(strstr(moved, "\"to\":{\"place\":\"in_transit\",\"bucket\":null},\"cause\":{\"kind\":\"transfer\",\"id\":\"trf_"));
    const char *told = shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=transfer.changed", NULL).body;
    assert_non_null(strstr(told, "\"subject\":{\"kind\":\"transfer\",\"id\":\"trf_"));
    assert_non_null(strstr(told, "\"state\":\"received\""));
}

/* What came short is nowhere that we know of; what comes later, or is more than left, is found. */
static void goods_come_short_and_late_and_over(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    receive(shop, "LEJ", "BULB", 5);
    const char *id = requested(shop, LAMPS("5") "," BULBS("5"));
    tell(shop, 200, id, "ship", "");
    struct reply came = receive_lines(shop, 200, id, LAMPS("3"));
    assert_line(came.body, "LAMP", 0, 5, 3, 2);
    assert_line(came.body, "BULB", 0, 5, 0, 5);
    const char *open = shop_must(shop, 200, "GET", "/v1/exceptions?state=open&type=transfer_short", NULL).body;
    assert_non_null(strstr(open, arena_printf(shop->arena, "\"transfer\":\"%s\"", id)));
    assert_int_equal(number_in(open, NULL, "quantity"), 7);
    receive_lines(shop, 200, id, LAMPS("1"));
    assert_int_equal(number_in(shop_must(shop, 200, "GET", "/v1/exceptions?state=open&type=transfer_short", NULL).body, NULL, "quantity"), 6);
    assert_stock(shop, (struct stock_is){ "HAM", "LAMP", 4, 0, 0 });
    assert_stock(shop, (struct stock_is){ "HAM", "BULB", 0, 0, 0 });
    came = receive_lines(shop, 200, id, LAMPS("0") "," BULBS("6") "," LAMPS("1") ",{\"sku\":\"SHADE\",\"quantity\":2}");
    assert_line(came.body, "LAMP", 0, 5, 5, 0);
    assert_line(came.body, "BULB", 0, 5, 6, 0);
    assert_line(came.body, "SHADE", 0, 0, 2, 0);
    assert_stock(shop, (struct stock_is){ "HAM", "LAMP", 5, 0, 0 });
    assert_stock(shop, (struct stock_is){ "HAM", "SHADE", 2, 0, 0 });
    assert_null(strstr(shop_must(shop, 200, "GET", "/v1/exceptions?state=open", NULL).body, "transfer_short"));
    refused(tell(shop, 409, id, "settle", "{\"reason\":\"gone\"}"), 409, "state_conflict", NULL);
}

static void what_is_missing_is_given_up(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    const char *id = requested(shop, LAMPS("2"));
    tell(shop, 200, id, "ship", "");
    receive_lines(shop, 200, id, "");
    struct reply settled = tell(shop, 200, id, "settle", "{\"reason\":\"the carrier lost it\"}");
    assert_non_null(strstr(settled.body, "\"settled\":\"the carrier lost it\""));
    assert_null(strstr(shop_must(shop, 200, "GET", "/v1/exceptions?state=open", NULL).body, "transfer_short"));
    refused(tell(shop, 409, id, "settle", "{\"reason\":\"again\"}"), 409, "state_conflict", NULL);
    assert_line(receive_lines(shop, 200, id, LAMPS("2")).body, "LAMP", 0, 2, 2, 0); /* a fact all the same */
    assert_stock(shop, (struct stock_is){ "HAM", "LAMP", 2, 0, 0 });
}

static void a_transfer_is_a_choice(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 3);
    shop_must(shop, 201, "PUT", "/v1/channels/web/fences/LEJ/LAMP", "{\"quantity\":2}");
    struct reply reply = shop_call(shop, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[%s,%s]}", LAMPS("2"), BULBS("1"));
    refused(reply, 409, "shortage", "/lines/0/quantity");
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 1, 2, 0 });
}

/* A count takes the units of a transfer before those of orders, the youngest first; what is left ships. */
static void a_count_takes_what_a_transfer_claims(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 6);
    assert_int_equal(order(shop, "web", "1", "LAMP", 1).status, 201);
    const char *first = requested(shop, LAMPS("2")), *second = requested(shop, LAMPS("3"));
    const char *body =
        shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":2,\"reason\":\"count\"}").body;
    const char *broken = strstr(body, "\"broken\"");
    assert_non_null(strstr(broken, arena_printf(shop->arena, "{\"kind\":\"transfer\",\"id\":\"%s\",\"sku\":\"LAMP\",\"quantity\":3}", second)));
    assert_non_null(strstr(broken, arena_printf(shop->arena, "{\"kind\":\"transfer\",\"id\":\"%s\",\"sku\":\"LAMP\",\"quantity\":1}", first)));
    assert_null(strstr(broken, "\"order\""));
    refused(tell(shop, 409, second, "ship", ""), 409, "stock_conflict", NULL);
    tell(shop, 200, second, "cancel", "");
    struct reply shipped = tell(shop, 200, first, "ship", "");
    assert_line(shipped.body, "LAMP", 0, 1, 0, 0);
    assert_int_equal(number_in(shipped.body, NULL, "version"), 3);
    const char *told = shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=claim.broken", NULL).body;
    assert_non_null(strstr(told, arena_printf(shop->arena, "{\"kind\":\"transfer\",\"id\":\"%s\"}", second)));
}

static void a_cancelled_transfer_fills_who_waits(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    const char *id = requested(shop, LAMPS("2"));
    assert_int_equal(number_in(order(shop, "web", "1", "LAMP", 2).body, NULL, "backordered"), 2);
    assert_state(tell(shop, 200, id, "cancel", ""), "cancelled");
    assert_stock(shop, (struct stock_is){ "LEJ", "LAMP", 0, 2, 0 });
    refused(tell(shop, 409, id, "cancel", ""), 409, "state_conflict", NULL);
    refused(tell(shop, 409, id, "ship", ""), 409, "state_conflict", NULL);
}

static void what_comes_fills_who_waits(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    const char *id = requested(shop, LAMPS("2"));
    tell(shop, 200, id, "ship", "");
    refused(tell(shop, 409, id, "cancel", ""), 409, "state_conflict", NULL);
    assert_int_equal(number_in(order(shop, "web", "1", "LAMP", 1).body, NULL, "backordered"), 1);
    receive_lines(shop, 200, id, LAMPS("2"));
    assert_stock(shop, (struct stock_is){ "HAM", "LAMP", 1, 1, 0 });
}

static void all_faults_are_told_at_once(struct shop *shop)
{
    struct reply reply = shop_call(shop, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"NOWHERE\",\"lines\":[%s,%s,%s]}", LAMPS("1"),
                                   "{\"sku\":\"KIT\",\"quantity\":1}", "{\"sku\":\"NONE\",\"quantity\":1}");
    refused(reply, 422, "node_unknown", "/to");
    refused(reply, 422, "holds_no_stock", "/lines/1/sku");
    refused(reply, 422, "sku_unknown", "/lines/2/sku");
    reply = shop_call(shop, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"LEJ\",\"lines\":[%s,%s]}", LAMPS("1"), LAMPS("0"));
    refused(reply, 422, "invalid", "/to");
    refused(reply, 422, "invalid", "/lines/1/sku");
    refused(reply, 422, "out_of_range", "/lines/1/quantity");
    refused(shop_call(shop, "POST", "/v1/transfers/trf_1_999999/ship", NULL), 404, "not_found", NULL);
    refused(shop_call(shop, "POST", "/v1/transfers/nonsense/ship", NULL), 404, "not_found", NULL);
    receive(shop, "LEJ", "LAMP", 1);
    const char *id = requested(shop, LAMPS("1"));
    refused(receive_lines(shop, 409, id, LAMPS("1")), 409, "state_conflict", NULL);
    tell(shop, 200, id, "ship", "");
    refused(receive_lines(shop, 422, id, "{\"sku\":\"KIT\",\"quantity\":1},{\"sku\":\"NONE\",\"quantity\":1}"), 422, "holds_no_stock",
            "/lines/0/sku");
    shop_must(shop, 201, "PUT", "/v1/units/AT", "{\"name\":\"Austria\",\"currency\":\"EUR\",\"country\":\"AT\",\"time_zone\":\"Europe/Vienna\"}");
    shop_must(shop, 201, "PUT", "/v1/nodes/VIE",
              "{\"unit\":\"AT\",\"name\":\"Vienna\",\"kind\":\"warehouse\",\"country\":\"AT\",\"postal_code\":\"1010\",\"priority\":1}");
    refused(shop_call(shop, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"VIE\",\"lines\":[%s]}", LAMPS("1")), 422, "node_unknown", "/to");
}

static void transfers_are_listed(struct shop *shop)
{
    const char *ids[3];
    receive(shop, "LEJ", "LAMP", 3);
    for (size_t i = 0; i < COUNT(ids); i++)
        ids[i] = requested(shop, LAMPS("1"));
    tell(shop, 200, ids[1], "ship", "");
    const char *body = shop_must(shop, 200, "GET", "/v1/transfers?state=requested", NULL).body;
    assert_non_null(strstr(body, ids[0]));
    assert_null(strstr(body, ids[1]));
    body = shop_must(shop, 200, "GET", "/v1/transfers?limit=2", NULL).body;
    assert_null(strstr(body, ids[2]));
    char next[64];
    text_in(body, "\"items\"", "next", next, sizeof next);
    body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/transfers?limit=2&cursor=%s", next), NULL).body;
    assert_non_null(strstr(body, ids[2]));
    assert_non_null(strstr(body, "\"next\":null"));
    assert_state(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/transfers/%s", ids[1]), NULL), "shipped");
    refused(shop_call(shop, "GET", "/v1/transfers/trf_1_1", NULL), 404, "not_found", NULL);
    refused(shop_call(shop, "GET", "/v1/transfers?cursor=x", NULL), 400, "malformed_query", NULL);
}

static const struct shop_scene scenes[] = {
    SCENE(goods_go_to_another_node),   SCENE(goods_come_short_and_late_and_over),   SCENE(what_is_missing_is_given_up),
    SCENE(a_transfer_is_a_choice),     SCENE(a_count_takes_what_a_transfer_claims), SCENE(a_cancelled_transfer_fills_who_waits),
    SCENE(what_comes_fills_who_waits), SCENE(all_faults_are_told_at_once),          SCENE(transfers_are_listed),
};

int main(void)
{
    return scenes_play("transfers", scenes, COUNT(scenes));
}
