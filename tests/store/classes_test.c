/* tests/store/classes_test.c: units that are not for sale: of a class of their own, or in quarantine until somebody says what became of them. */
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- words ---- */

static void class_b(struct shop *shop)
{
    shop_must(shop, 201, "PUT", "/v1/classes/B", "{\"name\":\"B stock\"}");
}

#define AT_LEJ "{\"node\":\"LEJ\",\"sku\":\"LAMP\","

static struct reply adjust(struct shop *shop, int status, const char *what)
{
    return shop_must(shop, status, "POST", "/v1/inventory/adjustments", AT_LEJ "%s}", what);
}

static struct reply ask(struct shop *shop, int status, const char *call, const char *what)
{
    return shop_must(shop, status, "POST", arena_printf(shop->arena, "/v1/%s", call), AT_LEJ "%s}", what);
}

/* As GET /v1/inventory says it; class NULL: of none. */
struct units {
    const char *class;
    int64_t available, reserved, quarantined;
};

static void assert_lamps(struct shop *shop, struct units want)
{
    const char *body = shop_must(shop, 200, "GET", "/v1/inventory?node=LEJ&sku=LAMP", NULL).body;
    const char *start = want.class == NULL ? "\"sku\":\"LAMP\",\"on_hand\"" : arena_printf(shop->arena, "\"class\":\"%s\"", want.class);
    const int64_t on_hand = number_in(body, start, "available") + number_in(body, start, "quarantined");
    if (strstr(body, start) == NULL || number_in(body, start, "available") != want.available || number_in(body, start, "reserved") != want.reserved ||
        number_in(body, start, "quarantined") != want.quarantined)
        fail_msg("class %s: want %ld available, %ld reserved, %ld quarantined, not %ld on hand: %s", want.class == NULL ? "none" : want.class,
                 (long)want.available, (long)want.reserved, (long)want.quarantined, (long)on_hand, body);
}

static void refused(struct reply reply, int status, const char *code, const char *pointer)
{
    if (reply.status != status || strstr(reply.body, code) == NULL || (pointer != NULL && strstr(reply.body, pointer) == NULL))
        fail_msg("want %d %s %s: %d %s", status, code, pointer == NULL ? "" : pointer, reply.status, reply.body);
}

static void assert_waits(struct shop *shop, const char *id, int64_t units)
{
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", id), NULL).body;
    if (number_in(body, "\"lines\"", "backordered") != units)
        fail_msg("want %ld that wait: %s", (long)units, body);
}

static const char *ordered(struct shop *shop, const char *id, int64_t quantity)
{
    char *made = arena_alloc(shop->arena, 32);
    text_in(order(shop, "web", id, "LAMP", quantity).body, NULL, "id", made, 32);
    return made;
}

/* ---- classes ---- */

static void a_class_keeps_its_units_apart(struct shop *shop)
{
    class_b(shop);
    adjust(shop, 201, "\"delta\":2,\"reason\":\"receipt\"");
    const char *body = adjust(shop, 201, "\"class\":\"B\",\"delta\":5,\"reason\":\"receipt\"").body;
    assert_non_null(strstr(body, "\"class\":\"B\",\"on_hand\":5"));
    const char *waits = ordered(shop, "1", 3);
    assert_waits(shop, waits, 1); /* none of class B is sold */
    assert_lamps(shop, (struct units){ NULL, 0, 2, 0 });
    assert_lamps(shop, (struct units){ "B", 5, 0, 0 });
    assert_int_equal(number_in(shop_must(shop, 200, "GET", "/v1/availability?channel=web&sku=LAMP", NULL).body, NULL, "available"), 0);
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/inventory/movements?sku=LAMP", NULL).body,
                           "\"sku\":\"LAMP\",\"class\":\"B\",\"quantity\":5,\"from\":{\"place\":\"supplier\""));
    body = shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=position.changed", NULL).body;
    assert_non_null(strstr(body, "{\"kind\":\"position\",\"id\":\"LEJ/LAMP/B\"}"));
    assert_non_null(strstr(body, "{\"kind\":\"position\",\"id\":\"LEJ/LAMP\"}"));
    refused(shop_call(shop, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}]}"), 409,
            "shortage", NULL);
}

static void a_class_is_counted_for_itself(struct shop *shop)
{
    class_b(shop);
    adjust(shop, 201, "\"delta\":2,\"reason\":\"receipt\"");
    (void)ordered(shop, "1", 2);
    adjust(shop, 201, "\"class\":\"B\",\"set\":5,\"reason\":\"count\"");
    adjust(shop, 201, "\"class\":\"B\",\"delta\":-1,\"reason\":\"damage\"");
    adjust(shop, 201, "\"class\":\"B\",\"delta\":3,\"reason\":\"correction\",\"from\":\"available\",\"bucket\":\"quarantined\"");
    assert_lamps(shop, (struct units){ "B", 1, 0, 3 });
    adjust(shop, 201, "\"class\":\"B\",\"set\":0,\"reason\":\"count\"");
    assert_lamps(shop, (struct units){ "B", 0, 0, 0 });
    assert_lamps(shop, (struct units){ NULL, 0, 2, 0 });
    refused(adjust(shop, 409, "\"class\":\"B\",\"delta\":-1,\"reason\":\"loss\""), 409, "stock_conflict", NULL);
}

/* The document of a receipt names goods of two classes: each is taken once. */
static void a_document_may_name_two_classes(struct shop *shop)
{
    class_b(shop);
    for (int i = 0; i < 2; i++) {
        adjust(shop, i == 0 ? 201 : 200, "\"delta\":2,\"reason\":\"receipt\",\"document\":\"GR-1\"");
        adjust(shop, i == 0 ? 201 : 200, "\"class\":\"B\",\"delta\":3,\"reason\":\"receipt\",\"document\":\"GR-1\"");
    }
    assert_lamps(shop, (struct units){ NULL, 2, 0, 0 });
    assert_lamps(shop, (struct units){ "B", 3, 0, 0 });
}

static void a_class_is_a_master(struct shop *shop)
{
    class_b(shop);
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/classes/B", NULL).body, "\"name\":\"B stock\",\"saleable\":false"));
    shop_must(shop, 200, "PATCH", "/v1/classes/B", "{\"name\":\"Second hand\"}");
    assert_int_equal(number_in(shop_must(shop, 200, "GET", "/v1/classes/B/history", NULL).body, "\"changed\":[\"name\"", "version"), 2);
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/classes", NULL).body, "\"code\":\"B\""));
    refused(shop_call(shop, "PUT", "/v1/classes/C", "{\"name\":\"C\",\"saleable\":true}"), 422, "not_available", "/saleable");
    for (int i = 1; i < 100; i++)
        shop_must(shop, 201, "PUT", arena_printf(shop->arena, "/v1/classes/C%d", i), "{\"name\":\"C\"}");
    refused(shop_call(shop, "PUT", "/v1/classes/C", "{\"name\":\"C\"}"), 409, "in_use", NULL);
    shop_must(shop, 201, "PUT", "/v1/units/AT", "{\"name\":\"Austria\",\"currency\":\"EUR\",\"country\":\"AT\",\"time_zone\":\"Europe/Vienna\"}");
    shop_must(shop, 201, "PUT", "/v1/nodes/VIE",
              "{\"unit\":\"AT\",\"name\":\"Vienna\",\"kind\":\"warehouse\",\"country\":\"AT\",\"postal_code\":\"1010\",\"priority\":1}");
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments",
              "{\"node\":\"VIE\",\"sku\":\"LAMP\",\"class\":\"C99\",\"delta\":1,\"reason\":\"receipt\"}");
}

/* A page may end between two classes of a SKU at a node. */
static void positions_are_listed_by_class(struct shop *shop)
{
    static const char *const lists[] = { "", "node=LEJ&", "sku=LAMP&", "node=LEJ&sku=LAMP&" };
    class_b(shop);
    shop_must(shop, 201, "PUT", "/v1/classes/C", "{\"name\":\"C\"}");
    adjust(shop, 201, "\"delta\":1,\"reason\":\"receipt\"");
    adjust(shop, 201, "\"class\":\"B\",\"delta\":2,\"reason\":\"receipt\"");
    adjust(shop, 201, "\"class\":\"C\",\"delta\":4,\"reason\":\"receipt\"");
    receive(shop, "HAM", "LAMP", 8);
    receive(shop, "LEJ", "BULB", 16);
    static const int64_t sums[] = { 31, 23, 15, 7 };
    for (size_t i = 0; i < COUNT(lists); i++) {
        char next[128] = "";
        int64_t sum = 0;
        for (int page = 0; page < 9; page++) {
            const char *cursor = page == 0 ? "" : arena_printf(shop->arena, "&cursor=%s", next);
            const char *body =
                shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/inventory?%slimit=%d%s", lists[i], i == 3 ? 9 : 1, cursor), NULL).body;
            for (const char *at = body; (at = strstr(at, "\"on_hand\":")) != NULL; at++)
                sum += strtoll(at + 10, NULL, 10);
            if (strstr(body, "\"next\":null") != NULL)
                break;
            text_in(body, NULL, "next", next, sizeof next);
        }
        if (sum != sums[i])
            fail_msg("%s: %ld units in all pages", lists[i], (long)sum);
    }
}

/* ---- graded otherwise ---- */

static void units_are_graded_otherwise(struct shop *shop)
{
    class_b(shop);
    adjust(shop, 201, "\"delta\":5,\"reason\":\"receipt\"");
    (void)ordered(shop, "1", 2);
    refused(ask(shop, 409, "inventory/regrade", "\"to_class\":\"B\",\"quantity\":4"), 409, "stock_conflict", NULL); /* two are promised */
    const char *body = ask(shop, 201, "inventory/regrade", "\"to_class\":\"B\",\"quantity\":3,\"note\":\"scratched\"").body;
    assert_non_null(strstr(body, "\"id\":\"ins_"));
    assert_non_null(
        strstr(body, "\"kind\":\"regrade\",\"node\":\"LEJ\",\"sku\":\"LAMP\",\"to_class\":\"B\",\"quantity\":3,\"bucket\":\"available\""));
    assert_lamps(shop, (struct units){ NULL, 0, 2, 0 });
    assert_lamps(shop, (struct units){ "B", 3, 0, 0 });
    const char *waits = ordered(shop, "2", 1);
    assert_waits(shop, waits, 1);
    ask(shop, 201, "inventory/regrade", "\"class\":\"B\",\"quantity\":1"); /* it was as good as new: who waits gets it */
    assert_waits(shop, waits, 0);
    assert_lamps(shop, (struct units){ "B", 2, 0, 0 });
    const char *moved = shop_must(shop, 200, "GET", "/v1/inventory/movements?sku=LAMP", NULL).body;
    assert_non_null(strstr(moved, "\"cause\":{\"kind\":\"inspection\",\"id\":\"ins_"));
    body = shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=stock.regraded", NULL).body;
    assert_non_null(strstr(body, "\"to_class\":\"B\""));
}

/* ---- kept back ---- */

static void units_are_kept_back_and_given_free(struct shop *shop)
{
    adjust(shop, 201, "\"delta\":3,\"reason\":\"receipt\"");
    (void)ordered(shop, "1", 1);
    refused(ask(shop, 409, "inventory/quarantine", "\"quantity\":3,\"reason\":\"quality\""), 409, "stock_conflict", NULL);
    const char *body = ask(shop, 201, "inventory/quarantine", "\"quantity\":2,\"reason\":\"quality\",\"note\":\"smells\"").body;
    assert_non_null(strstr(body, "\"reason\":\"quality\",\"note\":\"smells\",\"positions\":[{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"on_hand\":3"));
    assert_lamps(shop, (struct units){ NULL, 0, 1, 2 });
    const char *waits = ordered(shop, "2", 1);
    assert_waits(shop, waits, 1);
    refused(ask(shop, 409, "inventory/release", "\"quantity\":3"), 409, "stock_conflict", NULL);
    body = ask(shop, 201, "inventory/release", "\"quantity\":2").body;
    assert_int_equal(number_in(body, "\"positions\"", "available"), 1); /* the other went to who waited */
    assert_waits(shop, waits, 0);
    body = shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=stock.quarantined", NULL).body;
    assert_non_null(strstr(body, "\"quantity\":2"));
}

/* ---- inspected ---- */

static void an_inspection_says_what_became_of_each(struct shop *shop)
{
    class_b(shop);
    adjust(shop, 201, "\"delta\":10,\"reason\":\"receipt\",\"bucket\":\"quarantined\"");
    const char *waits = ordered(shop, "1", 1);
    const char *body = ask(shop, 201, "inspections",
                           "\"document\":\"QC-7\",\"lines\":[{\"disposition\":\"restock\",\"quantity\":2},"
                           "{\"disposition\":\"restock_as\",\"class\":\"B\",\"quantity\":1},{\"disposition\":\"refurbish\",\"quantity\":1},"
                           "{\"disposition\":\"return_to_supplier\",\"quantity\":1},{\"disposition\":\"scrap\",\"quantity\":2},"
                           "{\"disposition\":\"missing\",\"quantity\":1}]")
                           .body;
    assert_non_null(strstr(body, "\"quantity\":8"));
    assert_non_null(strstr(body, "\"positions\":[{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"on_hand\":5,\"available\":1,\"reserved\":1,\"allocated\":0,"
                                 "\"quarantined\":3,\"in_transit\":0},{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"class\":\"B\",\"on_hand\":1"));
    assert_waits(shop, waits, 0);
    assert_lamps(shop, (struct units){ NULL, 1, 1, 3 });
    assert_lamps(shop, (struct units){ "B", 1, 0, 0 });
    const char *again = ask(shop, 200, "inspections", "\"document\":\"QC-7\",\"lines\":[{\"disposition\":\"scrap\",\"quantity\":3}]").body;
    assert_string_equal(again, body);
    const char *told = shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=stock.disposed", NULL).body;
    assert_non_null(strstr(told, "\"quantity\":1,\"document\":\"QC-7\",\"disposition\":\"restock_as\",\"to_class\":\"B\""));
    const char *moved = shop_must(shop, 200, "GET", "/v1/inventory/movements?sku=LAMP", NULL).body;
    static const char *const ends[] = { "\"to\":{\"place\":\"supplier\",\"bucket\":null}", "\"to\":{\"place\":\"scrap\",\"bucket\":null}",
                                        "\"to\":{\"place\":\"LEJ\",\"bucket\":\"quarantined\"}" };
    for (size_t i = 0; i < COUNT(ends); i++)
        assert_non_null(strstr(moved, ends[i]));
    refused(ask(shop, 409, "inspections", "\"lines\":[{\"disposition\":\"scrap\",\"quantity\":2},{\"disposition\":\"restock\",\"quantity\":2}]"), 409,
            "stock_conflict", NULL);
}

/* Units that pickers did not find are in quarantine too: what an inspection calls missing waits for no count any more. */
static void an_inspection_settles_what_was_not_found(struct shop *shop)
{
    char work[32];
    adjust(shop, 201, "\"delta\":2,\"reason\":\"receipt\"");
    const char *made =
        shop_must(shop, 201, "POST", "/v1/orders",
                  "{\"channel\":\"web\",\"channel_order_id\":\"1\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                  "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2,"
                  "\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}")
            .body;
    text_in(made, "\"fulfilments\"", "id", work, sizeof work);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/pick", work), "{\"lines\":[{\"line\":1,\"quantity\":0}]}");
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/exceptions?state=open&type=short_pick", NULL).body, "exc_"));
    ask(shop, 201, "inspections", "\"lines\":[{\"disposition\":\"missing\",\"quantity\":1}]");
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/exceptions?state=open&type=short_pick", NULL).body, "exc_"));
    const char *body = ask(shop, 201, "inspections", "\"lines\":[{\"disposition\":\"restock\",\"quantity\":1}]").body;
    assert_null(strstr(shop_must(shop, 200, "GET", "/v1/exceptions?state=open&type=short_pick", NULL).body, "exc_"));
    assert_int_equal(number_in(body, "\"positions\"", "available"), 0);
    assert_int_equal(number_in(body, "\"positions\"", "reserved"), 1); /* it was found, and is the order's again */
}

static void all_faults_are_told_at_once(struct shop *shop)
{
    class_b(shop);
    struct reply reply = shop_call(shop, "POST", "/v1/inspections",
                                   "{\"node\":\"NOWHERE\",\"sku\":\"KIT\",\"class\":\"X\",\"lines\":[{\"disposition\":\"restock_as\",\"class\":\"Y\","
                                   "\"quantity\":1},{\"disposition\":\"eaten\",\"quantity\":0}]}");
    static const char *const faults[][2] = { { "node_unknown", "/node" },
                                             { "holds_no_stock", "/sku" },
                                             { "class_unknown", "/class" },
                                             { "class_unknown", "/lines/0/class" },
                                             { "out_of_range", "/lines/1/disposition" },
                                             { "out_of_range", "/lines/1/quantity" } };
    for (size_t i = 0; i < COUNT(faults); i++)
        refused(reply, 422, faults[i][0], faults[i][1]);
    refused(ask(shop, 422, "inspections", "\"lines\":[{\"disposition\":\"scrap\",\"class\":\"B\",\"quantity\":1}]"), 422, "invalid",
            "/lines/0/class");
    refused(ask(shop, 422, "inspections", "\"lines\":[{\"disposition\":\"restock_as\",\"quantity\":1}]"), 422, "invalid", "/lines/0/class");
    refused(ask(shop, 422, "inspections", "\"lines\":[]"), 422, "out_of_range", "/lines");
    refused(ask(shop, 422, "inventory/regrade", "\"quantity\":1"), 422, "invalid", "/to_class");
    refused(ask(shop, 422, "inventory/regrade", "\"quantity\":1,\"to_class\":\"X\""), 422, "class_unknown", "/to_class");
    refused(ask(shop, 422, "inventory/quarantine", "\"quantity\":1,\"reason\":\"mood\""), 422, "out_of_range", "/reason");
    refused(ask(shop, 422, "inventory/release", "\"quantity\":1,\"class\":\"X\""), 422, "class_unknown", "/class");
    refused(adjust(shop, 422, "\"delta\":1,\"reason\":\"found\",\"class\":\"X\""), 422, "class_unknown", "/class");
    refused(ask(shop, 409, "inventory/release", "\"quantity\":1,\"class\":\"B\""), 409, "stock_conflict", NULL); /* nothing ever was there */
}

static const struct shop_scene scenes[] = {
    SCENE(a_class_keeps_its_units_apart),
    SCENE(a_class_is_counted_for_itself),
    SCENE(a_document_may_name_two_classes),
    SCENE(a_class_is_a_master),
    SCENE(positions_are_listed_by_class),
    SCENE(units_are_graded_otherwise),
    SCENE(units_are_kept_back_and_given_free),
    SCENE(an_inspection_says_what_became_of_each),
    SCENE(an_inspection_settles_what_was_not_found),
    SCENE(all_faults_are_told_at_once),
};

int main(void)
{
    return scenes_play("classes", scenes, COUNT(scenes));
}
