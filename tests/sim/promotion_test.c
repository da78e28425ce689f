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
    static const int64_t orders[] = { 500, 3000 };
    for (size_t i = 0; i < COUNT(orders); i++) {
        char *text = run_day(orders[i], 1), *line = last_line(text);
        assert_true(figure(line, "millrace", "oversold_units") < figure(line, "apart", "oversold_units"));
        assert_true(figure(line, "millrace", "cancelled_orders") < figure(line, "apart", "cancelled_orders"));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(the_last_line_is_json),
        cmocka_unit_test(one_set_of_books_oversells_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
