/* tests/store/count_classes_test.c: which goods are counted often: classes by the value that left a node, and what is due by them. Each scene runs on
 * both stores and ends in a company in which `millrace check` finds nothing. */
#include "base/when.h"
#include "inventory/count_classes.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DAY_US INT64_C(86400000000)

static void says(const char *body, const char *text)
{
    if (strstr(body, text) == NULL)
        fail_msg("want %s: %s", text, body);
}

static const char *get(struct shop *shop, const char *target)
{
    return shop_must(shop, 200, "GET", target, NULL).body;
}

static void buy(struct shop *shop, const char *sku, int units, const char *cost)
{
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"%s\",\"delta\":%d,\"reason\":\"receipt\"%s}", sku, units,
              cost == NULL ? "" : arena_printf(shop->arena, ",\"unit_cost\":{\"amount\":\"%s\",\"currency\":\"EUR\"}", cost));
}

/* To Hamburg: demand of LEJ. */
static void leaves(struct shop *shop, const char *sku, int units)
{
    char id[40];
    text_in(
        shop_must(shop, 201, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"%s\",\"quantity\":%d}]}", sku, units)
            .body,
        NULL, "id", id, sizeof id);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/transfers/%s/ship", id), NULL);
}

static void run(struct shop *shop)
{
    shop_must(shop, 201, "POST", "/v1/counts/classes", "{\"unit\":\"DE\"}");
    shop_jobs(shop, 1);
}

static const char *class_of(struct shop *shop, const char *sku)
{
    return get(shop, arena_printf(shop->arena, "/v1/counts/classes?node=LEJ&sku=%s", sku));
}

/* ---- the rule ---- */

static void where_a_value_begins(struct shop *shop)
{
    static const struct {
        const char *says;
        int64_t value, above, total;
        enum abc abc;
    } cases[] = {
        { "the most valuable, however small the share", 1, 0, 1, ABC_A },
        { "it begins below 80 %", 30, 79, 109, ABC_A },
        { "it begins at 80 %", 10, 80, 100, ABC_B },
        { "it begins below 95 %", 6, 94, 100, ABC_B },
        { "it begins at 95 %", 5, 95, 100, ABC_C },
        { "nothing of it moved", 0, 0, 100, ABC_C },
        { "sums that multiply beyond 64 bits", 1, INT64_C(799999999999999999), INT64_C(1000000000000000000), ABC_A },
        { "the same at 80 %", 1, INT64_C(800000000000000000), INT64_C(1000000000000000000), ABC_B },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (count_abc(cases[i].value, cases[i].above, cases[i].total, 800000, 150000) != cases[i].abc)
            fail_msg("%s", cases[i].says);
    assert_int_equal(count_value(3, 250), 750);
    assert_int_equal(count_value(3, NULL_INT), 0);
    assert_int_equal(count_value(QUANTITY_MAX, INT64_MAX), COUNT_VALUE_MAX);
    (void)shop;
}

/* ---- runs ---- */

static void what_moves_most_value_is_class_a(struct shop *shop)
{
    buy(shop, "LAMP", 100, "10.00");
    buy(shop, "BULB", 100, "1.00");
    buy(shop, "SHADE", 100, NULL);
    leaves(shop, "LAMP", 81);
    leaves(shop, "BULB", 90);
    leaves(shop, "SHADE", 99);
    says(get(shop, "/v1/units/DE/counting"), "\"version\":0,\"window_days\":90,\"share_a_ppm\":800000,\"share_b_ppm\":150000,\"every_days\":7");
    run(shop);
    says(class_of(shop, "LAMP"), "\"class\":\"A\",\"units\":81,\"unit_cost\":{\"amount\":\"10.00\",\"currency\":\"EUR\"},"
                                 "\"value\":{\"amount\":\"810.00\",\"currency\":\"EUR\"},\"above\":{\"amount\":\"0.00\",\"currency\":\"EUR\"},"
                                 "\"total\":{\"amount\":\"900.00\",\"currency\":\"EUR\"}");
    says(class_of(shop, "BULB"), "\"class\":\"B\",\"units\":90");
    says(class_of(shop, "SHADE"), "\"class\":\"C\",\"units\":99,\"value\":{\"amount\":\"0.00\"");
    says(get(shop, "/v1/units/DE/counting"), "\"state\":\"idle\"");
    says(get(shop, "/v1/units/DE/counting"), "\"classed\":3,\"changed\":2,\"without_cost\":1");
    says(get(shop, "/v1/events?unit=DE&type=count.classes_changed&limit=10"), "{\"sku\":\"LAMP\",\"from\":\"C\",\"to\":\"A\"}");
    says(get(shop, "/v1/counts/classes?node=LEJ&class=B"), "\"sku\":\"BULB\"");
    says(get(shop, "/v1/counts/classes?node=HAM"), "\"items\":[]");
    const char *page = get(shop, "/v1/counts/classes?node=LEJ&limit=2");
    char next[40];
    text_in(page, NULL, "next", next, sizeof next);
    says(get(shop, arena_printf(shop->arena, "/v1/counts/classes?node=LEJ&limit=2&cursor=%s", next)), "\"next\":null");
}

/* A's interval is a day, C's a year: the lamps are due, and a sheet of what is due has them. */
static void what_is_due_follows_the_class(struct shop *shop)
{
    shop->now_us = when_now_us() - 3 * DAY_US;
    shop_must(shop, 201, "PUT", "/v1/nodes/LEJ/counting", "{\"days_a\":1}");
    buy(shop, "LAMP", 10, "10.00");
    buy(shop, "BULB", 10, "1.00");
    leaves(shop, "LAMP", 8);
    leaves(shop, "BULB", 1);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":2,\"reason\":\"count\"}");
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"BULB\",\"set\":9,\"reason\":\"count\"}");
    assert_null(strstr(get(shop, "/v1/counts/due?node=LEJ"), "LAMP"));
    run(shop);
    shop->now_us += 3 * DAY_US;
    const char *due = get(shop, "/v1/counts/due?node=LEJ");
    says(due, "\"sku\":\"LAMP\",\"class\":\"A\"");
    assert_null(strstr(due, "BULB"));
}

static void what_moves_no_more_is_class_c_again(struct shop *shop)
{
    shop_must(shop, 201, "PUT", "/v1/units/DE/counting", "{\"window_days\":10,\"every_days\":0}");
    buy(shop, "LAMP", 20, "10.00");
    buy(shop, "BULB", 20, "1.00");
    leaves(shop, "LAMP", 8);
    run(shop);
    says(class_of(shop, "LAMP"), "\"class\":\"A\",\"units\":8");
    shop->now_us += 6 * DAY_US;
    leaves(shop, "LAMP", 2);
    leaves(shop, "BULB", 3);
    run(shop);
    says(class_of(shop, "LAMP"), "\"class\":\"A\",\"units\":10");
    says(class_of(shop, "BULB"), "\"units\":3");
    shop->now_us += 6 * DAY_US; /* the first have left the window, their cost is known still */
    run(shop);
    says(class_of(shop, "LAMP"), "\"class\":\"A\",\"units\":2");
    shop_must(shop, 200, "PUT", "/v1/units/DE/counting", "{\"window_days\":30,\"every_days\":0}"); /* and are back in a longer one */
    run(shop);
    says(class_of(shop, "LAMP"), "\"class\":\"A\",\"units\":10");
    shop->now_us += 40 * DAY_US;
    run(shop);
    says(get(shop, "/v1/counts/classes?node=LEJ"), "\"items\":[]");
    says(get(shop, "/v1/events?unit=DE&type=count.classes_changed&limit=50"), "{\"sku\":\"LAMP\",\"from\":\"A\",\"to\":\"C\"}");
    run(shop); /* with nothing to class */
}

static void a_cost_is_the_last_that_was_told(struct shop *shop)
{
    buy(shop, "LAMP", 10, "10.00");
    buy(shop, "LAMP", 10, "12.50");
    leaves(shop, "LAMP", 2);
    run(shop);
    says(class_of(shop, "LAMP"), "\"unit_cost\":{\"amount\":\"12.50\"");
    buy(shop, "LAMP", 10, "9.00");
    run(shop);
    says(class_of(shop, "LAMP"), "\"unit_cost\":{\"amount\":\"9.00\"");
}

static void what_cannot_be_asked(struct shop *shop)
{
    says(shop_must(shop, 422, "POST", "/v1/counts/classes", "{\"unit\":\"NOPE\"}").body, "unit_unknown");
    shop_must(shop, 404, "PUT", "/v1/units/NOPE/counting", "{}");
    shop_must(shop, 404, "GET", "/v1/units/NOPE/counting", NULL);
    says(shop_must(shop, 422, "PUT", "/v1/units/DE/counting", "{\"share_a_ppm\":900000}").body, "/share_b_ppm");
    says(shop_must(shop, 422, "PUT", "/v1/units/DE/counting", "{\"window_days\":0}").body, "out_of_range");
    shop_must(shop, 201, "POST", "/v1/counts/classes", "{\"unit\":\"DE\",\"dry_run\":true}");
    says(get(shop, "/v1/units/DE/counting"), "\"version\":0");
    shop_must(shop, 201, "POST", "/v1/counts/classes", "{\"unit\":\"DE\"}");
    says(get(shop, "/v1/units/DE/counting"), "\"state\":\"running\"");
    says(get(shop, "/v1/jobs"), "\"kind\":\"class\"");
    says(shop_must(shop, 409, "POST", "/v1/counts/classes", "{\"unit\":\"DE\"}").body, "state_conflict");
    shop_check(shop); /* while it runs */
    shop_jobs(shop, 1);
}

/* Once a run was asked for they follow by themselves; the scheduler's command does nothing before. */
static void runs_follow_by_themselves(struct shop *shop)
{
    buy(shop, "LAMP", 10, "10.00");
    leaves(shop, "LAMP", 2);
    shop_command(shop, &count_classes_due, 1, NULL);
    says(get(shop, "/v1/units/DE/counting"), "\"version\":0");
    run(shop);
    const int64_t version = number_in(get(shop, "/v1/units/DE/counting"), NULL, "version");
    shop->now_us += 6 * DAY_US;
    shop_command(shop, &count_classes_due, 1, NULL);
    assert_int_equal(number_in(get(shop, "/v1/units/DE/counting"), NULL, "version"), version);
    shop->now_us += 2 * DAY_US;
    shop_command(shop, &count_classes_due, 1, NULL);
    says(get(shop, "/v1/units/DE/counting"), "\"state\":\"running\"");
    shop_jobs(shop, 1);
    shop_must(shop, 200, "PUT", "/v1/units/DE/counting", "{\"every_days\":0}");
    assert_null(strstr(get(shop, "/v1/units/DE/counting"), "due_at"));
}

/* More than a step may do of each: thousands of numbers, hundreds of ranks and classes. */
static void a_run_takes_many_steps(struct shop *shop)
{
    struct many many = { .shop = shop };
    for (int i = 0; i < 700; i++)
        many_add(&many, "PUT", arena_printf(shop->arena, "/v1/skus/S%d", i), "{\"name\":\"S\"}");
    for (int i = 0; i < 700; i++)
        many_add(&many, "POST", "/v1/inventory/adjustments",
                 arena_printf(shop->arena,
                              "{\"node\":\"LEJ\",\"sku\":\"S%d\",\"delta\":2,\"reason\":\"receipt\",\"unit_cost\":{\"amount\":\"%d.00\","
                              "\"currency\":\"EUR\"}}",
                              i, 1 + i % 50));
    many_run(&many);
    for (int part = 0; part < 7; part++) {
        struct buffer lines = { .arena = shop->arena };
        char id[40];
        for (int i = 0; i < 100; i++)
            buffer_text(&lines, arena_printf(shop->arena, "%s{\"sku\":\"S%d\",\"quantity\":1}", i == 0 ? "" : ",", 100 * part + i));
        text_in(shop_must(shop, 201, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[%s]}", lines.at).body, NULL, "id", id,
                sizeof id);
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/transfers/%s/ship", id), NULL);
    }
    shop_must(shop, 201, "POST", "/v1/counts/classes", "{\"unit\":\"DE\"}");
    assert_in_range(shop_jobs(shop, 1), 3, 100);
    says(get(shop, "/v1/units/DE/counting"), "\"classed\":700");
    says(class_of(shop, "S49"), "\"class\":\"A\"");
    says(class_of(shop, "S50"), "\"class\":\"C\"");
    shop->now_us += 100 * DAY_US;
    run(shop);
    says(get(shop, "/v1/counts/classes?node=LEJ"), "\"items\":[]");
}

int main(void)
{
    static const struct shop_scene scenes[] = {
        SCENE(where_a_value_begins),
        SCENE(what_moves_most_value_is_class_a),
        SCENE(what_is_due_follows_the_class),
        SCENE(what_moves_no_more_is_class_c_again),
        SCENE(a_cost_is_the_last_that_was_told),
        SCENE(what_cannot_be_asked),
        SCENE(runs_follow_by_themselves),
        SCENE(a_run_takes_many_steps),
    };
    return scenes_play("count classes", scenes, COUNT(scenes));
}
