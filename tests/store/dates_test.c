/* tests/store/dates_test.c: when those who wait are promised their units, and what is free by which date. What is promised is what comes true: an
 * oracle lets the goods come, day by day, and sees who gets them. Reads have the clock of the machine, so what is to come, comes in 2036. */
#include "inventory/supply.h"
#include "orders/told.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static const char *id_of(struct shop *shop, struct reply reply)
{
    char *id = arena_alloc(shop->arena, 40);
    text_in(reply.body, NULL, "id", id, 40);
    return id;
}

static const char *announced(struct shop *shop, const char *node, const char *sku, int64_t quantity, const char *day)
{
    return id_of(shop,
                 shop_must(shop, 201, "POST", "/v1/supplies",
                           "{\"node\":\"%s\",\"kind\":\"purchase\",\"lines\":[{\"sku\":\"%s\",\"quantity\":%ld,\"expected_at\":\"%sT08:00:00Z\"}]}",
                           node, sku, (long)quantity, day));
}

static void came(struct shop *shop, const char *supply, const char *sku, int64_t quantity)
{
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/supplies/%s/receive", supply), "{\"lines\":[{\"sku\":\"%s\",\"quantity\":%ld}]}", sku,
              (long)quantity);
}

static const char *waits(struct shop *shop, const char *channel, const char *number, const char *sku, int64_t quantity)
{
    return id_of(shop, order(shop, channel, number, sku, quantity));
}

/* The day that the order's first line is promised: "2036-01-05"; "null": nobody knows; "": it does not wait. */
static const char *promised(struct shop *shop, const char *order)
{
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", order), NULL).body;
    const char *at = strstr(body, "\"promised_at\":");
    if (at == NULL)
        return "";
    at += strlen("\"promised_at\":");
    return *at == '"' ? arena_text_n(shop->arena, at + 1, 10) : "null";
}

static void assert_promised(struct shop *shop, const char *order, const char *day)
{
    const char *is = promised(shop, order);
    if (strcmp(is, day) != 0)
        fail_msg("order %s is promised \"%s\", not \"%s\"", order, is, day);
}

/* What the channel may sell by a day. */
static int64_t free_by(struct shop *shop, const char *channel, const char *sku, const char *day)
{
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/availability/dates?channel=%s&sku=%s", channel, sku), NULL).body;
    int64_t units = number_in(body, NULL, "available");
    for (const char *at = strstr(body, "\"dates\""); (at = strstr(at, "\"from\":\"")) != NULL && strncmp(at + 8, day, 10) <= 0; at += 8)
        units = number_in(at, NULL, "available");
    return units;
}

static void channel(struct shop *shop, const char *code, int64_t priority, const char *nodes)
{
    (void)shop_call(shop, "PUT", arena_printf(shop->arena, "/v1/channels/%s", code),
                    "{\"unit\":\"DE\",\"name\":\"C\",\"kind\":\"store\",\"priority\":%ld,\"nodes\":[%s],\"shortage\":\"backorder\"}", (long)priority,
                    nodes);
}

/* ---- scenes ---- */

static void the_promise_follows_what_is_announced(struct shop *shop)
{
    const char *first = waits(shop, "web", "1", "LAMP", 3), *second = waits(shop, "web", "2", "LAMP", 2);
    assert_promised(shop, first, "null");
    const char *supply = announced(shop, "LEJ", "LAMP", 4, "2036-01-05");
    assert_promised(shop, first, "2036-01-05");
    assert_promised(shop, second, "null"); /* one of its two is there by then */
    announced(shop, "HAM", "LAMP", 1, "2036-02-01");
    assert_promised(shop, second, "2036-02-01");
    const char *change = arena_printf(shop->arena, "/v1/supplies/%s/change", supply);
    shop_must(shop, 200, "POST", change, "{\"lines\":[{\"line\":1,\"expected_at\":\"2036-03-01T08:00:00Z\"}]}"); /* later than the other */
    assert_promised(shop, first, "2036-03-01");
    assert_promised(shop, second, "2036-03-01");
    shop_must(shop, 200, "POST", change, "{\"lines\":[{\"line\":1,\"quantity\":3}]}"); /* fewer */
    assert_promised(shop, first, "2036-03-01");
    assert_promised(shop, second, "null");
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", first), "{\"reason\":\"changed mind\"}");
    assert_promised(shop, second, "2036-03-01");
    came(shop, supply, "LAMP", 2);
    assert_promised(shop, second, ""); /* it waits no more */
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-1,\"reason\":\"damage\"}");
    assert_promised(shop, second, "2036-02-01"); /* and again */
}

static void who_ranks_first_is_promised_first(struct shop *shop)
{
    channel(shop, "first", 1, "\"LEJ\"");
    channel(shop, "last", 9, "\"LEJ\",\"HAM\"");
    const char *low = waits(shop, "last", "1", "LAMP", 2), *high = waits(shop, "first", "1", "LAMP", 2);
    announced(shop, "LEJ", "LAMP", 2, "2036-01-05");
    announced(shop, "LEJ", "LAMP", 1, "2036-01-06");
    assert_promised(shop, high, "2036-01-05");
    assert_promised(shop, low, "null");
    announced(shop, "HAM", "LAMP", 2, "2036-01-01"); /* where the first channel sells nothing from */
    assert_promised(shop, high, "2036-01-05");
    assert_promised(shop, low, "2036-01-01");
}

static void a_bundle_is_promised_when_all_of_it_is_there(struct shop *shop)
{
    receive(shop, "LEJ", "BULB", 1);
    const char *kit = waits(shop, "web", "1", "KIT", 1); /* two BULBs and a SHADE */
    announced(shop, "LEJ", "SHADE", 1, "2036-01-05");
    assert_promised(shop, kit, "null");
    announced(shop, "LEJ", "BULB", 1, "2036-01-09"); /* the other one is there all the time */
    assert_promised(shop, kit, "2036-01-09");
    announced(shop, "LEJ", "BULB", 4, "2036-01-10");
    assert_int_equal(free_by(shop, "web", "KIT", "2036-12-31"), 0);
    announced(shop, "LEJ", "SHADE", 9, "2036-02-01");
    assert_int_equal(free_by(shop, "web", "KIT", "2036-01-31"), 0);
    assert_int_equal(free_by(shop, "web", "KIT", "2036-02-01"), 2); /* of four BULBs */
    receive(shop, "LEJ", "SHADE", 1);
    assert_promised(shop, kit, "2036-01-09"); /* a BULB still misses */
    receive(shop, "LEJ", "BULB", 1);
    assert_promised(shop, kit, "");
}

static void what_is_late_is_no_promise(struct shop *shop)
{
    const char *first = waits(shop, "web", "1", "LAMP", 1), *second = waits(shop, "web", "2", "LAMP", 1);
    announced(shop, "LEJ", "LAMP", 1, "2025-01-05");
    announced(shop, "LEJ", "LAMP", 2, "2036-01-05");
    assert_promised(shop, first, "null"); /* it has the one that should be here */
    assert_promised(shop, second, "2036-01-05");
    assert_int_equal(free_by(shop, "web", "LAMP", "2036-01-05"), 1);
}

static void a_channel_sees_what_it_may_sell_by_date(struct shop *shop)
{
    channel(shop, "first", 1, "\"LEJ\"");
    channel(shop, "last", 9, "\"LEJ\",\"HAM\"");
    announced(shop, "LEJ", "LAMP", 5, "2036-01-05");
    assert_int_equal(free_by(shop, "first", "LAMP", "2036-01-04"), 0);
    assert_int_equal(free_by(shop, "first", "LAMP", "2036-01-05"), 5);
    waits(shop, "last", "1", "LAMP", 2);
    assert_int_equal(free_by(shop, "first", "LAMP", "2036-01-05"), 5); /* a new order of it ranks before that */
    assert_int_equal(free_by(shop, "last", "LAMP", "2036-01-05"), 3);
    announced(shop, "HAM", "LAMP", 4, "2036-01-03");
    assert_int_equal(free_by(shop, "first", "LAMP", "2036-01-05"), 5);
    assert_int_equal(free_by(shop, "last", "LAMP", "2036-01-03"), 2);
    assert_int_equal(free_by(shop, "last", "LAMP", "2036-01-05"), 7);
    shop_must(shop, 201, "PUT", "/v1/channels/last/listings/L", "{\"sku\":\"LAMP\",\"buffer\":3}");
    assert_int_equal(free_by(shop, "last", "LAMP", "2036-01-05"), 4);
    shop_must(shop, 200, "PUT", "/v1/channels/last/listings/L", "{\"sku\":\"LAMP\",\"cap\":1}");
    assert_int_equal(free_by(shop, "last", "LAMP", "2036-01-05"), 1);
    shop_must(shop, 400, "GET", "/v1/availability/dates?channel=last", NULL);
    shop_must(shop, 400, "GET", "/v1/availability/dates?channel=last&sku=NONE", NULL);
    shop_must(shop, 400, "GET", "/v1/availability/dates?channel=NONE&sku=LAMP", NULL);
}

static int64_t number_asked(struct shop *shop, const char *sql)
{
    static const struct db_column column = { "n", DB_INT, false, 0 };
    const struct db_statement statement = { .name = "number", .sqlite = sql, .postgres = sql, .columns = &column, .column_count = 1, .row_size = 8 };
    struct db_rows rows;
    assert_int_equal(db_query(engine_db(shop->engine), shop->arena, &statement, NULL, &rows), DB_OK);
    return *(const int64_t *)db_row(&rows, 0);
}

/* The events that tell of another date, from the last one asked for on: "1: null > 2036-01-05 by supply", one behind the other. */
static const char *told(struct shop *shop, int64_t *after)
{
    struct buffer out = { .arena = shop->arena };
    shop_promises(shop, 1);
    const char *body = shop_must(shop, 200, "GET",
                                 arena_printf(shop->arena, "/v1/events?unit=DE&type=order.promise_changed&limit=100&after=%ld", (long)*after), NULL)
                           .body;
    buffer_text(&out, "");
    for (const char *at = body; (at = strstr(at, "\"was\":")) != NULL; at++) {
        const char *was = at + 6, *now = strstr(at, "\"now\":") + 6, *cause = strstr(at, "\"cause\":\"") + 9;
        buffer_printf(&out, "%s%.*s > %.*s by %.*s", out.size == 0 ? "" : ", ", *was == '"' ? 10 : 4, *was == '"' ? was + 1 : was,
                      *now == '"' ? 10 : 4, *now == '"' ? now + 1 : now, *cause == 's' ? 6 : 5, cause);
    }
    *after = number_asked(shop, "SELECT event_seq AS n FROM unit_clock WHERE unit = 1");
    return out.at;
}

static void assert_told(struct shop *shop, int64_t *after, const char *says)
{
    const char *is = told(shop, after);
    if (strcmp(is, says) != 0)
        fail_msg("told: \"%s\", not \"%s\"", is, says);
    shop_check(shop); /* and what was told is what is read */
}

static void who_waits_is_told_of_another_date(struct shop *shop)
{
    int64_t after = 0;
    const char *first = waits(shop, "web", "1", "LAMP", 3);
    waits(shop, "web", "2", "LAMP", 2);
    assert_told(shop, &after, "");
    const char *supply = announced(shop, "LEJ", "LAMP", 5, "2036-01-05");
    assert_told(shop, &after, "null > 2036-01-05 by supply, null > 2036-01-05 by supply");
    const char *change = arena_printf(shop->arena, "/v1/supplies/%s/change", supply);
    shop_must(shop, 200, "POST", change, "{\"lines\":[{\"line\":1,\"expected_at\":\"2036-03-01T08:00:00Z\"}]}");
    shop_must(shop, 200, "POST", change, "{\"lines\":[{\"line\":1,\"expected_at\":\"2036-01-05T08:00:00Z\"}]}");
    assert_told(shop, &after, ""); /* it was put right before anybody looked */
    shop_must(shop, 200, "POST", change, "{\"lines\":[{\"line\":1,\"expected_at\":\"2036-02-01T08:00:00Z\",\"quantity\":3}]}");
    assert_told(shop, &after, "2036-01-05 > 2036-02-01 by supply, 2036-01-05 > null by supply");
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", first), "{\"reason\":\"changed mind\"}");
    assert_told(shop, &after, "null > 2036-02-01 by queue");
    const char *says = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", first), NULL).body;
    assert_non_null(strstr(says, "line 1 is expected on 2036-02-01, no longer on 2036-01-05"));
    channel(shop, "web", 5, "\"HAM\"");
    shop_jobs(shop, 1);
    assert_told(shop, &after, "2036-02-01 > null by queue"); /* its channel sells nothing from there */
    announced(shop, "HAM", "LAMP", 1, "2036-02-07");
    channel(shop, "web", 5, "\"HAM\",\"LEJ\"");
    shop_jobs(shop, 1);
    assert_told(shop, &after, "null > 2036-02-01 by supply");
    came(shop, supply, "LAMP", 3);
    assert_told(shop, &after, ""); /* that it is there tells another event */
}

static void tells(struct shop *shop, const struct tell_input *look, bool places, bool last)
{
    struct tell_input part = *look;
    part.count = places ? part.count : 0;
    part.last = last;
    assert_int_equal(shop_command(shop, &promise_tell, 1, &part), COMMAND_ACCEPTED);
}

/* Two servers look, and a date moves between their looks: the older one tells what is no longer so amid what the newer one tells. */
static void an_older_look_comes_between(struct shop *shop)
{
    int64_t after = 0;
    const struct tell_input *old, *new;
    size_t count;
    waits(shop, "web", "1", "LAMP", 1);
    const char *change = arena_printf(shop->arena, "/v1/supplies/%s/change", announced(shop, "LEJ", "LAMP", 1, "2036-01-05"));
    assert_int_equal(promises_look(engine_db(shop->engine), shop->arena, 1, &old, &count), DB_OK);
    assert_int_equal(count, 1);
    shop_must(shop, 200, "POST", change, "{\"lines\":[{\"line\":1,\"expected_at\":\"2036-02-01T08:00:00Z\"}]}");
    assert_int_equal(promises_look(engine_db(shop->engine), shop->arena, 1, &new, &count), DB_OK);
    assert_int_equal(count, 1);
    tells(shop, new, true, false);
    tells(shop, old, true, false);
    tells(shop, new, false, true);
    assert_told(shop, &after, "null > 2036-02-01 by supply, 2036-02-01 > 2036-01-05 by supply, 2036-01-05 > 2036-02-01 by supply");
}

static void time_passes(struct shop *shop)
{
    struct command overdue = { .type = &supply_overdue, .arena = shop->arena, .unit = 1, .faults = { .arena = shop->arena } }, *command = &overdue;
    engine_run(shop->engine, &command, 1);
}

static void who_waits_is_told_when_it_is_late(struct shop *shop)
{
    int64_t after = 0;
    waits(shop, "web", "1", "LAMP", 1);
    announced(shop, "LEJ", "LAMP", 1, "2036-01-05");
    assert_told(shop, &after, "null > 2036-01-05 by supply");
    shop->now_us = INT64_C(2083000000000000); /* 2036-01-03 */
    time_passes(shop);
    assert_told(shop, &after, "");
    shop->now_us = INT64_C(2083500000000000); /* 2036-01-09 */
    assert_told(shop, &after, "");            /* nobody has noticed yet */
    time_passes(shop);
    assert_told(shop, &after, "2036-01-05 > null by supply");
}

static void a_bundle_has_one_date(struct shop *shop)
{
    int64_t after = 0;
    waits(shop, "web", "1", "KIT", 1); /* two BULBs and a SHADE */
    const char *shade = announced(shop, "LEJ", "SHADE", 1, "2036-01-09");
    assert_told(shop, &after, "");
    announced(shop, "LEJ", "BULB", 2, "2036-01-05");
    assert_told(shop, &after, "null > 2036-01-09 by supply");
    came(shop, shade, "SHADE", 1);
    assert_told(shop, &after, "2036-01-09 > 2036-01-05 by queue"); /* what was last of it is there */
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"SHADE\",\"delta\":-1,\"reason\":\"damage\"}");
    assert_told(shop, &after, "2036-01-05 > null by queue"); /* and is not there any more, and nobody knows when another comes */
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* MILLRACE_DATES_QUEUE: how many wait; what it takes is said. */
static void a_queue_is_longer_than_a_page(struct shop *shop)
{
    const char *given = getenv("MILLRACE_DATES_QUEUE");
    const long count = given == NULL ? 4500 : atol(given);
    struct many many = { .shop = shop };
    for (long i = 0; i < count; i++)
        many_add(&many, "POST", "/v1/orders",
                 arena_printf(shop->arena,
                              "{\"channel\":\"web\",\"channel_order_id\":\"%ld\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                              "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\","
                              "\"quantity\":1,\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}],"
                              "\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}",
                              i));
    many_run(&many);
    const char *last = waits(shop, "web", "last", "LAMP", 1), *behind = waits(shop, "web", "behind", "LAMP", 1);
    announced(shop, "LEJ", "LAMP", count / 2, "2036-01-05");
    const char *second = announced(shop, "HAM", "LAMP", count - count / 2 + 1, "2036-01-06");
    double begun = seconds();
    assert_promised(shop, last, "2036-01-06");
    double read = seconds();
    assert_promised(shop, behind, "null");
    assert_int_equal(free_by(shop, "web", "LAMP", "2036-12-31"), 0);
    double changes = seconds();
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/supplies/%s/change", second),
              "{\"lines\":[{\"line\":1,\"quantity\":%ld,\"expected_at\":\"2036-01-04T08:00:00Z\"}]}", count - count / 2 + 3);
    double changed = seconds();
    assert_promised(shop, last, "2036-01-05");
    assert_promised(shop, behind, "2036-01-05");
    assert_int_equal(free_by(shop, "web", "LAMP", "2036-12-31"), 1);
    double telling = seconds();
    const size_t looks = shop_promises(shop, 1);
    double all_told = seconds();
    assert_int_equal(
        number_asked(shop, arena_printf(shop->arena, "SELECT CAST(count(*) AS bigint) AS n FROM event WHERE type = %d", EVENT_ORDER_PROMISE_CHANGED)),
        count + 2);
    assert_int_equal(looks, (count + 2) / TELL_A_LOOK + 1);
    if (given == NULL)
        return;
    printf("%ld are told in %.1f s\n", count + 2, all_told - telling);
    printf("%ld wait: the last one read in %.1f ms, a date changed in %.1f ms\n", count, 1000 * (read - begun), 1000 * (changed - changes));
}

/* ---- the oracle ---- */

#define ORDERS 7
#define SUPPLIES 5

static uint64_t draw(uint64_t *random, uint64_t below)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*random >> 33) % below;
}

/* One SKU, some who wait for it, some deliveries; then they come. */
static void play_case(struct shop *shop, uint64_t seed)
{
    static const char *const channels[] = { "here", "there", "both" }, *const nodes[] = { "LEJ", "HAM" };
    uint64_t random = seed * 77 + 5;
    const char *sku = arena_printf(shop->arena, "S%lu", (unsigned long)seed), *orders[ORDERS], *says[ORDERS], *supplies[SUPPLIES];
    int64_t units[SUPPLIES], free[SUPPLIES];
    shop_must(shop, 201, "PUT", arena_printf(shop->arena, "/v1/skus/%s", sku), "{\"name\":\"S\"}");
    channel(shop, "here", 1 + (int64_t)draw(&random, 2), "\"LEJ\"");
    channel(shop, "there", 1 + (int64_t)draw(&random, 2), "\"HAM\"");
    channel(shop, "both", 2, "\"LEJ\",\"HAM\"");
    for (size_t i = 0; i < ORDERS; i++)
        orders[i] = waits(shop, channels[draw(&random, 3)], arena_printf(shop->arena, "%s-%zu", sku, i), sku, 1 + (int64_t)draw(&random, 4));
    for (size_t i = 0; i < SUPPLIES; i++) {
        units[i] = 1 + (int64_t)draw(&random, 6);
        supplies[i] = announced(shop, nodes[draw(&random, 2)], sku, units[i], arena_printf(shop->arena, "2036-01-0%zu", i + 1));
    }
    for (size_t i = 0; i < ORDERS; i++)
        says[i] = promised(shop, orders[i]);
    for (size_t i = 0; i < SUPPLIES; i++)
        free[i] = free_by(shop, "both", sku, arena_printf(shop->arena, "2036-01-0%zu", i + 1)); /* none ranks behind it */
    for (size_t s = 0; s < SUPPLIES; s++) {
        came(shop, supplies[s], sku, units[s]);
        if (s % 2 == 0)
            shop_promises(shop, 1); /* check compares at the end of all */
        const char *day = arena_printf(shop->arena, "2036-01-0%zu", s + 1);
        for (size_t i = 0; i < ORDERS; i++) {
            const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", orders[i]), NULL).body;
            const bool waits_on = number_in(body, "\"lines\"", "backordered") > 0;
            if (waits_on == (strcmp(says[i], "null") != 0 && strcmp(says[i], day) <= 0))
                fail_msg("seed %lu, order %zu: promised %s, on %s it %s", (unsigned long)seed, i, says[i], day, waits_on ? "waits" : "has it");
        }
        int64_t is = number_in(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/availability?channel=both&sku=%s", sku), NULL).body, NULL,
                               "available");
        if (is != free[s])
            fail_msg("seed %lu: by %s %ld were to be free, %ld are", (unsigned long)seed, day, (long)free[s], (long)is);
    }
}

static void what_is_promised_comes_true(struct shop *shop)
{
    for (uint64_t seed = 1; seed <= 60; seed++)
        play_case(shop, seed);
}

static const struct shop_scene scenes[] = {
    SCENE(the_promise_follows_what_is_announced),
    SCENE(who_ranks_first_is_promised_first),
    SCENE(a_bundle_is_promised_when_all_of_it_is_there),
    SCENE(what_is_late_is_no_promise),
    SCENE(a_channel_sees_what_it_may_sell_by_date),
    SCENE(who_waits_is_told_of_another_date),
    SCENE(who_waits_is_told_when_it_is_late),
    SCENE(an_older_look_comes_between),
    SCENE(a_bundle_has_one_date),
    SCENE(a_queue_is_longer_than_a_page),
    SCENE(what_is_promised_comes_true),
};

int main(void)
{
    return scenes_play("dates", scenes, COUNT(scenes));
}
