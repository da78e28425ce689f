/* tests/store/returns_test.c: goods that customers send back: announced, received as they come, inspected into what becomes of them. */
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- words ---- */

static const char *id_in(struct shop *shop, const char *body, const char *after)
{
    char *id = arena_alloc(shop->arena, 40);
    text_in(body, after, "id", id, 40);
    return id;
}

/* An order of the web channel that has shipped from LEJ. */
static const char *shipped(struct shop *shop, const char *number, const char *sku, int quantity)
{
    receive(shop, "LEJ", "LAMP", quantity);
    receive(shop, "LEJ", "BULB", INT64_C(2) * quantity);
    receive(shop, "LEJ", "SHADE", quantity);
    const char *made =
        shop_must(shop, 201, "POST", "/v1/orders",
                  "{\"channel\":\"web\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                  "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s\",\"quantity\":%d,"
                  "\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}",
                  number, sku, quantity)
            .body;
    const char *work = id_in(shop, made, "\"fulfilments\"");
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/pick", work), "{}");
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/pack", work), "{\"packages\":[{\"weight_g\":1}]}");
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/ship", work), "{\"carrier\":\"C\",\"tracking\":\"T\"}");
    return id_in(shop, made, NULL);
}

static struct reply announce(struct shop *shop, int status, const char *order, const char *lines)
{
    return shop_must(shop, status, "POST", "/v1/returns", "{\"order\":\"%s\",\"node\":\"LEJ\",\"lines\":[%s]}", order, lines);
}

static struct reply tell(struct shop *shop, int status, const char *id, const char *what, const char *lines)
{
    return shop_must(shop, status, "POST", arena_printf(shop->arena, "/v1/returns/%s/%s", id, what), "%s",
                     lines[0] == '\0' ? "" : arena_printf(shop->arena, "{\"lines\":[%s]}", lines));
}

static void assert_return(const char *body, const char *state, int64_t expected, int64_t received, int64_t inspected)
{
    char is[32];
    text_in(body, NULL, "state", is, sizeof is);
    if (strcmp(is, state) != 0 || number_in(body, "\"lines\"", "expected") != expected || number_in(body, "\"lines\"", "received") != received ||
        number_in(body, "\"lines\"", "inspected") != inspected)
        fail_msg("want %s, %ld expected, %ld received, %ld inspected: %s", state, (long)expected, (long)received, (long)inspected, body);
}

static void assert_lamps(struct shop *shop, int64_t available, int64_t quarantined)
{
    const char *body = shop_must(shop, 200, "GET", "/v1/inventory?node=LEJ&sku=LAMP", NULL).body;
    if (number_in(body, NULL, "available") != available || number_in(body, NULL, "quarantined") != quarantined)
        fail_msg("want %ld available, %ld quarantined: %s", (long)available, (long)quarantined, body);
}

static void refused(struct reply reply, int status, const char *code, const char *pointer)
{
    if (reply.status != status || strstr(reply.body, code) == NULL || (pointer != NULL && strstr(reply.body, pointer) == NULL))
        fail_msg("want %d %s %s: %d %s", status, code, pointer == NULL ? "" : pointer, reply.status, reply.body);
}

#define LINE(N, QUANTITY) "{\"line\":" N ",\"quantity\":" QUANTITY "}"
#define ENDS(N, QUANTITY, AS) "{\"line\":" N ",\"quantity\":" QUANTITY ",\"disposition\":\"" AS "\"}"

/* ---- scenes ---- */

static void what_a_paper_tells_is_told_once(struct shop *shop)
{
    const char *order_id = shipped(shop, "1", "LAMP", 5);
    char *said = arena_printf(shop->arena, "{\"order\":\"%s\",\"node\":\"LEJ\",\"document\":\"RMA-7\",\"lines\":[%s]}", order_id, LINE("1", "2"));
    const char *first = shop_must(shop, 201, "POST", "/v1/returns", "%s", said).body, *id = id_in(shop, first, NULL);
    assert_string_equal(shop_must(shop, 200, "POST", "/v1/returns", "%s", said).body, first);
    static const char came[] = "{\"document\":\"RMA-7\",\"lines\":[" LINE("1", "1") "]}";
    const char *target = arena_printf(shop->arena, "/v1/returns/%s/receive", id);
    const char *then = shop_must(shop, 200, "POST", target, came).body;
    assert_string_equal(shop_must(shop, 200, "POST", target, came).body, then);
    assert_lamps(shop, 0, 1);
    shop_must(shop, 200, "POST", target, "{\"document\":\"RMA-7b\",\"lines\":[" LINE("1", "1") "]}"); /* the second parcel of it */
    assert_lamps(shop, 0, 2);
    static const char ends[] = "{\"document\":\"RMA-7\",\"lines\":[" ENDS("1", "1", "restock") "]}";
    target = arena_printf(shop->arena, "/v1/returns/%s/inspect", id);
    then = shop_must(shop, 200, "POST", target, ends).body;
    shop_must(shop, 200, "POST", target, "{\"lines\":[" ENDS("1", "1", "scrap") "]}");
    assert_string_equal(shop_must(shop, 200, "POST", target, ends).body, then); /* as it was then, though nothing waits now */
    assert_lamps(shop, 1, 0);
    announce(shop, 201, order_id, LINE("1", "1")); /* without a paper each is another one */
    announce(shop, 201, order_id, LINE("1", "1"));
}

/* What comes stands in quarantine, whoever waits; what is restocked goes to who waits first. */
static void goods_come_back_and_are_inspected(struct shop *shop)
{
    shop_must(shop, 201, "PUT", "/v1/classes/B", "{\"name\":\"B stock\"}");
    const char *order_id = shipped(shop, "1", "LAMP", 9);
    struct reply reply = announce(shop, 201, order_id, LINE("1", "8"));
    assert_return(reply.body, "expected", 8, 0, 0);
    const char *id = id_in(shop, reply.body, NULL);
    assert_return(tell(shop, 200, id, "receive", LINE("1", "8")).body, "received", 8, 8, 0);
    assert_lamps(shop, 0, 8);
    assert_int_equal(number_in(order(shop, "web", "2", "LAMP", 1).body, NULL, "backordered"), 1);
    shop->now_us += INT64_C(3600) * 1000000;
    const char *body =
        tell(shop, 200, id, "inspect",
             ENDS("1", "2", "restock") "," ENDS("1", "1", "refurbish") "," ENDS("1", "1", "scrap") "," ENDS("1", "1", "missing") "," ENDS(
                 "1", "1", "back_to_customer") ",{\"line\":1,\"quantity\":1,\"disposition\":\"restock_as\",\"class\":\"B\"}")
            .body;
    assert_return(body, "received", 8, 8, 6);
    assert_non_null(strstr(body, "{\"line\":1,\"disposition\":\"restock\",\"quantity\":2,\"received_at\":\""));
    assert_int_equal(number_in(body, "\"outcomes\"", "waited_s"), 3600);
    assert_non_null(strstr(body, "\"disposition\":\"restock_as\",\"class\":\"B\",\"quantity\":1"));
    assert_lamps(shop, 1, 2); /* the other that was restocked is the second order's */
    assert_return(tell(shop, 200, id, "inspect", ENDS("1", "2", "return_to_supplier")).body, "inspected", 8, 8, 8);
    const char *moved = shop_must(shop, 200, "GET", "/v1/inventory/movements?sku=LAMP", NULL).body;
    assert_non_null(
        strstr(moved, "\"from\":{\"place\":\"customer\",\"bucket\":null},\"to\":{\"place\":\"LEJ\",\"bucket\":\"quarantined\"},\"cause\":{\"kind\":"
                      "\"return\",\"id\":\"rtn_"));
    assert_non_null(strstr(moved, "\"to\":{\"place\":\"customer\",\"bucket\":null},\"cause\":{\"kind\":\"return\""));
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=return.changed", NULL).body, "\"state\":\"inspected\""));
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=stock.disposed", NULL).body, "\"kind\":\"return\""));
}

/* Short, over, something else: what came is a fact. What did not come may come later, or is given up. */
static void what_comes_is_a_fact(struct shop *shop)
{
    const char *id = id_in(shop, announce(shop, 201, shipped(shop, "1", "LAMP", 5), LINE("1", "3")).body, NULL);
    assert_return(tell(shop, 200, id, "receive", LINE("1", "1") ",{\"sku\":\"SHADE\",\"quantity\":1}").body, "received", 3, 1, 0);
    const char *body = tell(shop, 200, id, "inspect", ENDS("1", "1", "restock") "," ENDS("2", "1", "restock")).body;
    assert_return(body, "received", 3, 1, 1); /* two are expected still */
    assert_non_null(strstr(body, "{\"line\":2,\"order_line\":null,\"sku\":\"SHADE\",\"asked\":0,\"expected\":0,\"received\":1,\"inspected\":1}"));
    assert_return(tell(shop, 200, id, "cancel", "").body, "inspected", 1, 1, 1);
    refused(tell(shop, 409, id, "cancel", ""), 409, "state_conflict", NULL);
    assert_return(tell(shop, 200, id, "receive", LINE("1", "4")).body, "received", 1, 5, 1); /* it came after all, and more than that */
    refused(tell(shop, 409, id, "inspect", ENDS("1", "3", "scrap") "," ENDS("1", "2", "restock")), 409, "stock_conflict", "/lines/0/quantity");
    assert_return(tell(shop, 200, id, "inspect", ENDS("1", "4", "scrap")).body, "inspected", 1, 5, 5);
}

static void no_more_comes_back_than_was_shipped(struct shop *shop)
{
    const char *order_id = shipped(shop, "1", "LAMP", 3), *kit = shipped(shop, "2", "KIT", 1);
    refused(announce(shop, 409, order_id, LINE("1", "4")), 409, "state_conflict", "/lines/0/quantity");
    const char *id = id_in(shop, announce(shop, 201, order_id, LINE("1", "2")).body, NULL);
    refused(announce(shop, 409, order_id, LINE("1", "2")), 409, "state_conflict", "/lines/0/quantity");
    assert_return(tell(shop, 200, id, "cancel", "").body, "cancelled", 0, 0, 0);
    refused(tell(shop, 409, id, "receive", LINE("1", "1")), 409, "state_conflict", NULL);
    refused(tell(shop, 409, id, "inspect", ENDS("1", "1", "scrap")), 409, "state_conflict", NULL);
    announce(shop, 201, order_id, LINE("1", "3"));
    refused(announce(shop, 422, kit, LINE("1", "1")), 422, "required", "/lines/0/sku");
    announce(shop, 201, kit, "{\"line\":1,\"sku\":\"BULB\",\"quantity\":2}");
    const char *waits = id_in(shop, order(shop, "web", "3", "LAMP", 9).body, NULL);
    refused(announce(shop, 409, waits, LINE("1", "1")), 409, "state_conflict", NULL); /* nothing of it has shipped */
}

/* Somebody has moved what stood in quarantine: then there is less to inspect. */
static void quarantine_is_one_bucket(struct shop *shop)
{
    const char *id = id_in(shop, announce(shop, 201, shipped(shop, "1", "LAMP", 2), LINE("1", "2")).body, NULL);
    tell(shop, 200, id, "receive", LINE("1", "2"));
    shop_must(shop, 201, "POST", "/v1/inventory/release", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"quantity\":1}");
    refused(tell(shop, 409, id, "inspect", ENDS("1", "2", "scrap")), 409, "stock_conflict", "/lines/0/quantity");
    assert_return(tell(shop, 200, id, "inspect", ENDS("1", "1", "scrap")).body, "received", 2, 2, 1);
}

static void returns_are_listed(struct shop *shop)
{
    const char *order_id = shipped(shop, "1", "LAMP", 3);
    const char *first = id_in(shop, announce(shop, 201, order_id, LINE("1", "1")).body, NULL),
               *second = id_in(shop, announce(shop, 201, order_id, LINE("1", "1")).body, NULL);
    tell(shop, 200, first, "receive", LINE("1", "1"));
    const char *body = shop_must(shop, 200, "GET", "/v1/returns?state=expected", NULL).body;
    assert_null(strstr(body, first));
    assert_non_null(strstr(body, second));
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/returns?limit=1", NULL).body, first));
    assert_return(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/returns/%s", first), NULL).body, "received", 1, 1, 0);
    refused(shop_call(shop, "GET", "/v1/returns/rtn_1_1", NULL), 404, "not_found", NULL);
}

static void all_faults_are_told_at_once(struct shop *shop)
{
    const char *order_id = shipped(shop, "1", "LAMP", 3);
    struct reply reply =
        shop_call(shop, "POST", "/v1/returns", "{\"order\":\"%s\",\"node\":\"NO\",\"lines\":[%s,%s,%s,{\"line\":1,\"sku\":\"NONE\",\"quantity\":1}]}",
                  order_id, LINE("1", "1"), LINE("1", "1"), LINE("7", "1"));
    refused(reply, 422, "node_unknown", "/node");
    refused(reply, 422, "invalid", "/lines/1/line");
    refused(reply, 422, "line_unknown", "/lines/2/line");
    refused(reply, 422, "sku_unknown", "/lines/3/sku");
    refused(announce(shop, 422, "nonsense", LINE("1", "1")), 422, "invalid", "/order");
    const char *id = id_in(shop, announce(shop, 201, order_id, LINE("1", "1")).body, NULL);
    refused(tell(shop, 422, id, "receive", LINE("2", "1") ",{\"sku\":\"KIT\",\"quantity\":1}"), 422, "line_unknown", "/lines/0/line");
    tell(shop, 200, id, "receive", LINE("1", "1"));
    refused(tell(shop, 422, id, "inspect", ENDS("1", "1", "restock_as")), 422, "invalid", "/lines/0/class");
    refused(tell(shop, 422, id, "inspect", "{\"line\":1,\"quantity\":1,\"disposition\":\"restock_as\",\"class\":\"X\"}"), 422, "class_unknown",
            "/lines/0/class");
    refused(shop_call(shop, "POST", "/v1/returns/rtn_1_9/cancel", NULL), 404, "not_found", NULL);
}

static const struct shop_scene scenes[] = {
    SCENE(what_a_paper_tells_is_told_once),     SCENE(goods_come_back_and_are_inspected), SCENE(what_comes_is_a_fact),
    SCENE(no_more_comes_back_than_was_shipped), SCENE(quarantine_is_one_bucket),          SCENE(returns_are_listed),
    SCENE(all_faults_are_told_at_once),
};

int main(void)
{
    return scenes_play("returns", scenes, COUNT(scenes));
}
