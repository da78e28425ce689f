/* tests/store/recalls_test.c: goods are called back: whoever has a right to them loses it, and nobody gets one until it is over. */
#include "engine/jobs.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- words ---- */

static struct reply recall(struct shop *shop, int status, const char *what)
{
    return shop_must(shop, status, "POST", "/v1/recalls", "{\"sku\":\"LAMP\",\"reason\":\"catches fire\",%s}", what);
}

static const char *id_of(struct shop *shop, struct reply reply)
{
    char *id = arena_alloc(shop->arena, 40);
    text_in(reply.body, NULL, "id", id, 40);
    return id;
}

static const char *recalled(struct shop *shop, const char *what)
{
    return id_of(shop, recall(shop, 201, what));
}

static struct reply end(struct shop *shop, int status, const char *id, bool release)
{
    return shop_must(shop, status, "POST", arena_printf(shop->arena, "/v1/recalls/%s/end", id), "{\"release\":%s,\"reason\":\"it was the cable\"}",
                     release ? "true" : "false");
}

static const char *shown(struct shop *shop, const char *id)
{
    return shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/recalls/%s", id), NULL).body;
}

static void assert_recall(const char *body, const char *state, int64_t taken, int64_t to_take)
{
    char is[32];
    text_in(body, NULL, "state", is, sizeof is);
    if (strcmp(is, state) != 0 || number_in(body, NULL, "taken") != taken || number_in(body, NULL, "to_take") != to_take)
        fail_msg("want %s, %ld taken, %ld to take: %s", state, (long)taken, (long)to_take, body);
}

struct units {
    int64_t available, reserved, allocated, quarantined;
};

static void assert_at(struct shop *shop, const char *node, struct units want)
{
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/inventory?node=%s&sku=LAMP", node), NULL).body;
    if (number_in(body, NULL, "available") != want.available || number_in(body, NULL, "reserved") != want.reserved ||
        number_in(body, NULL, "allocated") != want.allocated || number_in(body, NULL, "quarantined") != want.quarantined)
        fail_msg("%s: want %ld available, %ld reserved, %ld allocated, %ld quarantined: %s", node, (long)want.available, (long)want.reserved,
                 (long)want.allocated, (long)want.quarantined, body);
}

static void refused(struct reply reply, int status, const char *code, const char *pointer)
{
    if (reply.status != status || strstr(reply.body, code) == NULL || (pointer != NULL && strstr(reply.body, pointer) == NULL))
        fail_msg("want %d %s %s: %d %s", status, code, pointer == NULL ? "" : pointer, reply.status, reply.body);
}

static const char *open_recalls(struct shop *shop)
{
    return shop_must(shop, 200, "GET", "/v1/exceptions?state=open&type=recall", NULL).body;
}

/* An order whose units are allocated at once. */
static struct reply due(struct shop *shop, const char *id, int quantity)
{
    return shop_must(shop, 201, "POST", "/v1/orders",
                     "{\"channel\":\"web\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                     "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":%d,"
                     "\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}",
                     id, quantity);
}

static int64_t waits(struct shop *shop, const char *order)
{
    return number_in(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", order), NULL).body, "\"lines\"", "backordered");
}

#define LEJ "\"nodes\":[\"LEJ\"]"
#define EVERYWHERE "\"unit\":\"DE\""

/* ---- scenes ---- */

static void whoever_has_a_right_to_them_loses_it(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    shop_must(shop, 201, "PUT", "/v1/channels/b2b/fences/LEJ/LAMP", "{\"quantity\":2}");
    shop_must(shop, 201, "POST", "/v1/reservations", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}],\"ttl_s\":600}");
    shop_must(shop, 201, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}]}");
    const char *soft = id_of(shop, order(shop, "web", "1", "LAMP", 3)), *hard = id_of(shop, due(shop, "2", 2));
    assert_at(shop, "LEJ", (struct units){ 1, 7, 2, 0 });
    struct reply reply = recall(shop, 201, LEJ);
    assert_recall(reply.body, "running", 0, 10);
    const char *id = id_of(shop, reply);
    assert_int_equal(number_in(open_recalls(shop), NULL, "quantity"), 10);
    shop_jobs(shop, 1);
    assert_at(shop, "LEJ", (struct units){ 0, 0, 0, 10 });
    const char *body = shown(shop, id);
    assert_recall(body, "holding", 10, 0);
    assert_int_equal(number_in(body, NULL, "broken"), 5);
    assert_int_equal(waits(shop, soft), 3);
    assert_int_equal(waits(shop, hard), 2);
    body = shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=claim.broken", NULL).body;
    static const char *const holders[] = { "\"kind\":\"fence\"", "\"kind\":\"reservation\"", "\"kind\":\"transfer\"", "\"kind\":\"order\"" };
    for (size_t i = 0; i < COUNT(holders); i++)
        assert_non_null(strstr(body, holders[i]));
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/exceptions?state=open&type=broken_claim", NULL).body, "\"detail\":\"recall\""));
    assert_non_null(
        strstr(shop_must(shop, 200, "GET", "/v1/inventory/movements?sku=LAMP", NULL).body, "\"cause\":{\"kind\":\"recall\",\"id\":\"rec_"));
    assert_recall(end(shop, 200, id, true).body, "ended", 10, 0);
    assert_null(strstr(open_recalls(shop), "exc_"));
    assert_int_equal(waits(shop, soft), 0); /* they were filled again by rank, before anybody else */
    assert_int_equal(waits(shop, hard), 0);
    assert_at(shop, "LEJ", (struct units){ 5, 3, 2, 0 });
}

/* The jobs have not begun, and nobody gets a unit there all the same. */
static void nothing_more_is_promised_from_there(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 6);
    receive(shop, "HAM", "LAMP", 2);
    shop_must(shop, 201, "PUT", "/v1/channels/web/fences/LEJ/LAMP", "{\"quantity\":2}");
    char checkout[40];
    text_in(
        shop_must(shop, 201, "POST", "/v1/reservations", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}],\"ttl_s\":600}").body,
        NULL, "id", checkout, sizeof checkout);
    const char *id = recalled(shop, LEJ);
    assert_int_equal(number_in(shop_must(shop, 200, "GET", "/v1/availability?channel=web&sku=LAMP", NULL).body, NULL, "available"), 2);
    refused(shop_call(shop, "PUT", "/v1/channels/web/fences/LEJ/LAMP", "{\"quantity\":3}"), 409, "shortage", NULL);
    refused(shop_call(shop, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}]}"), 409,
            "shortage", NULL);
    assert_int_equal(waits(shop, id_of(shop, order(shop, "web", "1", "LAMP", 4))), 2);
    char *ordered =
        arena_printf(shop->arena,
                     "{\"channel\":\"web\",\"channel_order_id\":\"2\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"reservation\":"
                     "\"%s\",\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\","
                     "\"quantity\":1,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"on_account\",\"status\":"
                     "\"pending\"}}",
                     checkout);
    assert_int_equal(waits(shop, id_of(shop, shop_must(shop, 201, "POST", "/v1/orders", "%s", ordered))), 1);
    receive(shop, "LEJ", "LAMP", 3); /* what comes meanwhile is kept back with the rest */
    shop_jobs(shop, 1);
    assert_recall(shown(shop, id), "holding", 6, 0);
    assert_at(shop, "LEJ", (struct units){ 0, 0, 0, 9 });
    receive(shop, "LEJ", "LAMP", 1);
    assert_int_equal(number_in(shown(shop, id), NULL, "came"), 4);
    end(shop, 200, id, false);
    assert_at(shop, "LEJ", (struct units){ 0, 0, 0, 10 });
}

/* By whatever way: it stays in quarantine, and the end gives it free with the rest. */
static void what_comes_meanwhile_is_kept_back(struct shop *shop)
{
    char id[40];
    receive(shop, "HAM", "LAMP", 2);
    receive(shop, "LEJ", "LAMP", 1);
    text_in(shop_must(shop, 201, "POST", "/v1/transfers", "{\"from\":\"HAM\",\"to\":\"LEJ\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2}]}").body,
            NULL, "id", id, sizeof id);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/transfers/%s/ship", id), NULL);
    const char *recall_id = recalled(shop, LEJ);
    shop_jobs(shop, 1);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/transfers/%s/receive", id), "{\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2}]}");
    assert_at(shop, "LEJ", (struct units){ 0, 0, 0, 3 });
    text_in(shop_must(shop, 201, "POST", "/v1/supplies",
                      "{\"node\":\"LEJ\",\"kind\":\"asn\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":3,\"expected_at\":\"2030-01-01T00:00:00Z\"}]}")
                .body,
            NULL, "id", id, sizeof id);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/supplies/%s/receive", id), "{\"lines\":[{\"sku\":\"LAMP\",\"quantity\":3}]}");
    assert_at(shop, "LEJ", (struct units){ 0, 0, 0, 6 });
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":1,\"reason\":\"found\"}");
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":8,\"reason\":\"count\"}");
    assert_at(shop, "LEJ", (struct units){ 0, 0, 0, 8 });
    const char *order_id = id_of(shop, order(shop, "web", "1", "LAMP", 5));
    refused(shop_call(shop, "POST", "/v1/inventory/release", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"quantity\":1}"), 409, "state_conflict", recall_id);
    refused(shop_call(shop, "POST", "/v1/inventory/adjustments",
                      "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":1,\"reason\":\"correction\",\"from\":\"quarantined\"}"),
            409, "state_conflict", recall_id);
    assert_int_equal(number_in(shown(shop, recall_id), NULL, "came"), 7);
    assert_int_equal(waits(shop, order_id), 5);
    end(shop, 200, recall_id, true);
    assert_int_equal(waits(shop, order_id), 0);
    assert_at(shop, "LEJ", (struct units){ 3, 5, 0, 0 });
}

/* A recall of every class is one of a class that comes later, and of what is graded into it. */
static void a_class_that_comes_later_is_called_back_too(struct shop *shop)
{
    shop_must(shop, 201, "PUT", "/v1/classes/B", "{\"name\":\"B stock\"}");
    shop_must(shop, 201, "PUT", "/v1/classes/K", "{\"name\":\"K\"}");
    receive(shop, "LEJ", "LAMP", 2);
    const char *id = recalled(shop, LEJ);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments",
              "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"class\":\"B\",\"delta\":4,\"reason\":\"receipt\"}");
    shop_jobs(shop, 1);
    shop_must(shop, 201, "POST", "/v1/inspections",
              "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"lines\":[{\"disposition\":\"restock_as\",\"class\":\"K\",\"quantity\":1}]}");
    const char *body = shown(shop, id);
    assert_non_null(strstr(body, "{\"node\":\"LEJ\",\"class\":\"B\",\"taken\":0,\"to_take\":0,\"broken\":0,\"came\":4}"));
    assert_non_null(strstr(body, "{\"node\":\"LEJ\",\"class\":\"K\",\"taken\":0,\"to_take\":0,\"broken\":0,\"came\":1}"));
    end(shop, 200, id, true);
    body = shop_must(shop, 200, "GET", "/v1/inventory?node=LEJ&sku=LAMP", NULL).body;
    assert_int_equal(number_in(body, "\"class\":\"B\"", "available"), 4);
    assert_int_equal(number_in(body, "\"class\":\"K\"", "available"), 1);
    id = recalled(shop, "\"class\":\"B\"," LEJ); /* and one of a class of no other */
    shop_jobs(shop, 1);
    receive(shop, "LEJ", "LAMP", 1);
    assert_at(shop, "LEJ", (struct units){ 2, 0, 0, 0 });
    end(shop, 200, id, true);
}

/* What is being picked is called back too, and another node ships it. */
static void what_is_being_picked_is_called_back(struct shop *shop)
{
    char work[40];
    receive(shop, "LEJ", "LAMP", 2);
    const char *made = due(shop, "1", 2).body;
    text_in(made, "\"fulfilments\"", "id", work, sizeof work);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/pick", work), "{}");
    receive(shop, "HAM", "LAMP", 2);
    recalled(shop, LEJ);
    shop_jobs(shop, 1);
    assert_at(shop, "LEJ", (struct units){ 0, 0, 0, 2 });
    assert_at(shop, "HAM", (struct units){ 0, 0, 2, 0 });
    assert_non_null(strstr(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/fulfilments/%s", work), NULL).body, "\"state\":\"cancelled\""));
}

static void a_recall_is_of_every_class_or_of_one(struct shop *shop)
{
    shop_must(shop, 201, "PUT", "/v1/classes/B", "{\"name\":\"B stock\"}");
    receive(shop, "LEJ", "LAMP", 3);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments",
              "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"class\":\"B\",\"delta\":4,\"reason\":\"receipt\"}");
    const char *id = recalled(shop, EVERYWHERE);
    shop_jobs(shop, 1);
    const char *body = shown(shop, id);
    assert_recall(body, "holding", 7, 0);
    assert_non_null(strstr(body, "{\"node\":\"LEJ\",\"class\":\"B\",\"taken\":4,\"to_take\":0,\"broken\":0,\"came\":0}"));
    assert_non_null(strstr(body, "{\"node\":\"HAM\",\"taken\":0,\"to_take\":0,\"broken\":0,\"came\":0}"));
    receive(shop, "HAM", "LAMP", 1); /* where there was none it is barred too */
    assert_int_equal(waits(shop, id_of(shop, order(shop, "web", "1", "LAMP", 1))), 1);
    end(shop, 200, id, true);
    id = recalled(shop, "\"class\":\"B\"," LEJ);
    shop_jobs(shop, 1);
    body = shown(shop, id);
    assert_recall(body, "holding", 4, 0);
    assert_non_null(strstr(body, "\"class\":\"B\",\"reason\""));
    refused(recall(shop, 409, EVERYWHERE), 409, "state_conflict", id);
    end(shop, 200, id, true);
}

static void a_recall_that_was_an_error_is_ended_at_once(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    const char *order_id = id_of(shop, order(shop, "web", "1", "LAMP", 2)), *id = recalled(shop, LEJ);
    refused(shop_call(shop, "POST", arena_printf(shop->arena, "/v1/recalls/%s/end", id), "{\"reason\":\"x\"}"), 422, "required", "/release");
    assert_recall(end(shop, 200, id, true).body, "ended", 0, 0);
    shop_jobs(shop, 1);
    assert_int_equal(waits(shop, order_id), 0);
    refused(end(shop, 409, id, true), 409, "state_conflict", NULL);
    refused(shop_call(shop, "POST", "/v1/recalls/rec_1_99/end", "{\"release\":true,\"reason\":\"x\"}"), 404, "not_found", NULL);
}

/* A count in the midst of it takes units away, of quarantine at last. */
static void a_count_goes_before_a_recall(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    const char *order_id = id_of(shop, order(shop, "web", "1", "LAMP", 3)), *id = recalled(shop, LEJ);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":4,\"reason\":\"count\"}");
    shop_jobs(shop, 1);
    assert_recall(shown(shop, id), "holding", 4, 0);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":1,\"reason\":\"count\"}");
    end(shop, 200, id, true); /* one is left to be given free */
    assert_at(shop, "LEJ", (struct units){ 0, 1, 0, 0 });
    assert_int_equal(waits(shop, order_id), 2);
}

/* Inspected while they are called back: what is restocked is kept back until the end, and goes as that says. */
static void called_back_units_are_inspected(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 4);
    const char *order_id = id_of(shop, order(shop, "web", "1", "LAMP", 1)), *id = recalled(shop, LEJ);
    shop_jobs(shop, 1);
    shop_must(
        shop, 201, "POST", "/v1/inspections",
        "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"lines\":[{\"disposition\":\"restock\",\"quantity\":2},{\"disposition\":\"scrap\",\"quantity\":1}]}");
    assert_int_equal(waits(shop, order_id), 1);
    end(shop, 200, id, true);
    assert_int_equal(waits(shop, order_id), 0);
    assert_at(shop, "LEJ", (struct units){ 2, 1, 0, 0 });
}

/* Claims are broken a bounded number a step, while others are served; who asks a count for what is owed meanwhile is told the truth. */
static void hundreds_of_claims_give_way_in_steps(struct shop *shop)
{
    struct many orders = { .shop = shop };
    receive(shop, "LEJ", "LAMP", 500);
    for (int i = 0; i < 500; i++)
        many_add(&orders, "POST", "/v1/orders",
                 arena_printf(
                     shop->arena,
                     "{\"channel\":\"web\",\"channel_order_id\":\"M-%d\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{"
                     "\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":{"
                     "\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"%s\",\"status\":\"pending\"}}",
                     i, i % 2 == 0 ? "prepaid" : "on_account"));
    many_run(&orders);
    const char *id = recalled(shop, LEJ);
    bool open = true;
    assert_int_equal(jobs_advance(shop->engine, shop->arena, 1, &open), DB_OK);
    assert_recall(shown(shop, id), "running", 60, 440);
    shop_check(shop);
    assert_int_equal(waits(shop, id_of(shop, order(shop, "web", "NEW", "LAMP", 1))), 1);
    assert_in_range(shop_jobs(shop, 1), 8, 10);
    const char *body = shown(shop, id);
    assert_recall(body, "holding", 500, 0);
    assert_int_equal(number_in(body, NULL, "broken"), 500);
    end(shop, 200, id, true);
    shop_jobs(shop, 1);
    assert_at(shop, "LEJ", (struct units){ 0, 250, 250, 0 }); /* the oldest 500 of 501 */
}

static void recalls_are_listed(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    receive(shop, "HAM", "LAMP", 1);
    const char *first = recalled(shop, LEJ), *second = recalled(shop, "\"nodes\":[\"HAM\"]");
    end(shop, 200, first, false);
    const char *body = shop_must(shop, 200, "GET", "/v1/recalls?limit=1", NULL).body;
    assert_non_null(strstr(body, first));
    assert_null(strstr(body, second));
    body = shop_must(shop, 200, "GET", "/v1/recalls?state=running", NULL).body;
    assert_null(strstr(body, first));
    assert_non_null(strstr(body, second));
    shop_jobs(shop, 1);
    refused(shop_call(shop, "GET", "/v1/recalls/rec_1_1", NULL), 404, "not_found", NULL);
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=recall.changed", NULL).body, "\"state\":\"holding\""));
}

static void all_faults_are_told_at_once(struct shop *shop)
{
    struct reply reply =
        shop_call(shop, "POST", "/v1/recalls", "{\"sku\":\"NONE\",\"class\":\"X\",\"nodes\":[\"LEJ\",\"LEJ\",\"NO\"],\"reason\":\"x\"}");
    refused(reply, 422, "sku_unknown", "/sku");
    refused(reply, 422, "class_unknown", "/class");
    refused(reply, 422, "invalid", "/nodes/1");
    refused(reply, 422, "node_unknown", "/nodes/2");
    refused(recall(shop, 422, "\"unit\":\"NO\""), 422, "unit_unknown", "/unit");
    refused(recall(shop, 422, LEJ "," EVERYWHERE), 422, "either_or", NULL);
}

static const struct shop_scene scenes[] = {
    SCENE(whoever_has_a_right_to_them_loses_it),
    SCENE(nothing_more_is_promised_from_there),
    SCENE(what_is_being_picked_is_called_back),
    SCENE(a_recall_is_of_every_class_or_of_one),
    SCENE(a_recall_that_was_an_error_is_ended_at_once),
    SCENE(a_count_goes_before_a_recall),
    SCENE(called_back_units_are_inspected),
    SCENE(hundreds_of_claims_give_way_in_steps),
    SCENE(recalls_are_listed),
    SCENE(all_faults_are_told_at_once),
    SCENE(what_comes_meanwhile_is_kept_back),
    SCENE(a_class_that_comes_later_is_called_back_too),
};

int main(void)
{
    return scenes_play("recalls", scenes, COUNT(scenes));
}
