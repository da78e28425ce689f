/* tests/sim/promotion_test.c: a small promotion day: replayed byte for byte, readable by programs, and worth it. */
#include "base/json.h"
#include "simulation/simulation.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char *run_day(int64_t orders, uint64_t seed)
{
    char *text = NULL;
    size_t size = 0;
    struct arena *arena = arena_new((size_t)1 << 30);
    struct promotion promotion = { .orders = orders, .seed = seed, .url = "sqlite::memory:", .out = open_memstream(&text, &size) };
    const char *error = "";
    if (promotion_run(&promotion, arena, &error) != PROMOTION_DONE)
        fail_msg("%s", error);
    fclose(promotion.out);
    arena_free(arena);
    return text;
}

/* The last line, which must be the whole of it after the table. */
static char *last_line(char *text)
{
    size_t size = strlen(text);
    assert_true(size > 0 && text[size - 1] == '\n');
    text[size - 1] = '\0';
    char *before = strrchr(text, '\n');
    return before == NULL ? text : before + 1;
}

static int64_t figure(const char *line, const char *run, const char *name)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", run);
    const char *at = strstr(line, quoted);
    assert_non_null(at);
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    at = strstr(at, quoted);
    assert_non_null(at);
    return strtoll(at + strlen(quoted), NULL, 10);
}

/* A row of the table: apart and millrace. */
struct row {
    int64_t apart, millrace;
};
static struct row row(const char *text, const char *said)
{
    const char *at = strstr(text, said);
    char *end;
    assert_non_null(at);
    int64_t apart = strtoll(at + strlen(said), &end, 10);
    return (struct row){ apart, strtoll(end, NULL, 10) };
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
    (void)state;
    char *first = run_day(500, 1), *second = run_day(500, 1), *other = run_day(500, 2);
    assert_string_equal(first, second);
    assert_string_not_equal(first, other);
    free(first);
    free(second);
    free(other);
}

static void the_last_line_is_json(void **state)
{
    (void)state;
    char *text = run_day(500, 3), *line = last_line(text);
    struct arena *arena = arena_new((size_t)1 << 20);
    struct json_reader json;
    json_open(&json, arena, line, strlen(line));
    assert_true(json_skip(&json));
    assert_int_equal(json_next(&json), JSON_END);
    arena_free(arena);
    free(text);
}

/* With enough orders that the count finds units which parcels were to hold: their recall is in the run. */
static void one_set_of_books_oversells_less(void **state)
{
    (void)state;
    static const char *const better[] = { "oversold_units", "cancelled_orders", "lost_sales_units" };
    static const int64_t orders[] = { 500, 3000 };
    for (size_t i = 0; i < COUNT(orders); i++) {
        char *text = run_day(orders[i], 1), *line = last_line(text);
        for (size_t k = 0; k < COUNT(better); k++)
            if (figure(line, "millrace", better[k]) >= figure(line, "apart", better[k]))
                fail_msg("%s of %ld orders: %s", better[k], (long)orders[i], line);
        free(text);
    }
}

/* A channel that asks with each order is never promised what is not there; the marketplace's page may be old. */
static void own_channels_never_oversell(void **state)
{
    (void)state;
    char *text = run_day(3000, 1);
    struct row own = row(text, "by web store, B2B portal and social shop"), market = row(text, "by the marketplace, from a page that was old");
    struct row counted = row(text, "found missing by a count after they were sold"), all = row(text, "units oversold: sold, and not there");
    assert_int_equal(own.millrace, 0);
    assert_true(own.apart > 0);
    assert_int_equal(all.apart, own.apart + market.apart + counted.apart);
    assert_int_equal(all.millrace, own.millrace + market.millrace + counted.millrace);
    free(text);
}

/* The same measure on both sides: nobody hides what he did not deliver. */
static void every_wanted_unit_is_accounted_for(void **state)
{
    (void)state;
    static const uint64_t seeds[] = { 1, 2, 7 };
    for (size_t i = 0; i < COUNT(seeds); i++) {
        char *text = run_day(2000, seeds[i]);
        const char *at = strstr(text, "orders of ");
        assert_non_null(at);
        int64_t wanted = strtoll(at + strlen("orders of "), NULL, 10);
        struct row lost = row(text, "units lost: wanted, and not to be had"), given_up = row(text, "units given up by customers, or never paid");
        struct row shipped = row(text, "units shipped"), open = row(text, "orders taken, neither shipped nor cancelled");
        assert_int_equal(open.apart + open.millrace, 0);
        assert_int_equal(lost.apart + given_up.apart + shipped.apart, wanted);
        assert_int_equal(lost.millrace + given_up.millrace + shipped.millrace, wanted);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bytes), cmocka_unit_test(the_last_line_is_json),
        cmocka_unit_test(one_set_of_books_oversells_less),    cmocka_unit_test(own_channels_never_oversell),
        cmocka_unit_test(every_wanted_unit_is_accounted_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
