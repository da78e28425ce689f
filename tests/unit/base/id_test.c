/* tests/unit/base/id_test.c: ids as they are told outside, and the check digit of a GTIN. */
#include "fixture.h"
#include "base/id.h"
#include <string.h>

static void ids_come_back(void **state)
{
    (void)state;
    static const struct {
        int64_t unit, counter;
        const char *text;
    } cases[] = {
        { 0, 0, "ord_0000000000000" },
        { 0, 1, "ord_0000000000001" },
        { 0, 31, "ord_000000000000Z" },
        { 1, 327, "ord_00080000000A7" },
        { ID_UNIT_MAX, ID_COUNTER_MAX, "ord_7ZZZZZZZZZZZZ" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[32];
        int64_t unit = -1, counter = -1;
        id_format("ord", cases[i].unit, cases[i].counter, text);
        assert_string_equal(text, cases[i].text);
        assert_true(id_parse(text, strlen(text), "ord", &unit, &counter));
        assert_int_equal(unit, cases[i].unit);
        assert_int_equal(counter, cases[i].counter);
    }
}

static void what_is_no_id_of_ours(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "ord_",
        "ord_000000000000",
        "ord_00000000000000",
        "ORD_0000000000000",
        "ful_0000000000000",
        "ord-0000000000000",
        "ord_000000000000a",
        "ord_000000000000I",
        "ord_000000000000L",
        "ord_000000000000O",
        "ord_000000000000U",
        "ord_8000000000000",
        "ord_ZZZZZZZZZZZZZ",
        "ord_ 000000000000",
        "0000000000000",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t unit = -1, counter = -1;
        if (id_parse(cases[i], strlen(cases[i]), "ord", &unit, &counter) || unit != -1 || counter != -1)
            fail_msg("\"%s\" was taken", cases[i]);
    }
    int64_t unit, counter;
    assert_false(id_parse("ord_00000000\00000", 17, "ord", &unit, &counter));
}

static void ids_sort_as_they_were_drawn(void **state)
{
    (void)state;
    char last[32], next[32];
    id_format("ord", 3, 0, last);
    for (int64_t counter = 1; counter < ID_COUNTER_MAX / 3; counter = counter * 3 + 1) {
        id_format("ord", 3, counter, next);
        assert_true(strcmp(last, next) < 0);
        memcpy(last, next, sizeof last);
    }
}

static void gtins(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        { "4006381333931", true },  /* a pen, GTIN-13 */
        { "036000291452", true },   /* GTIN-12 */
        { "96385074", true },       /* GTIN-8 */
        { "10614141000415", true }, /* GTIN-14 */
        { "4006381333932", false }, /* wrong digit */
        { "4006381339331", false }, /* two digits changed places */
        { "400638133393", false },  /* cut: then it would be a GTIN-12 */
        { "40063813339310", false }, { "400638133393 ", false }, { "400638133393X", false }, { "", false }, { "0", false },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (gtin_valid(cases[i].text, strlen(cases[i].text)) != cases[i].good)
            fail_msg("%s", cases[i].text);
}

static void a_cursor_comes_back_as_it_was_written(void **state)
{
    static const char *const wrong[] = { "",           "pos",        "pos_",
                                         "pos_1",      "pos_1.2",    "pos_1.2.3.4",
                                         "pos_1.2.",   "pos_01.2.3", "pos_1..3",
                                         "pos_1.2.-3", "pos_1.2.+3", "pos_1.2.3 ",
                                         "POS_1.2.3",  "mov_1.2.3",  "pos_1.2.1234567890123456789",
                                         "pos_1,2,3",  "pos_0x1.2.3" };
    const int64_t most[CURSOR_PLACES_MAX] = { 999999999999999999, 999999999999999999, 999999999999999999, 999999999999999999 };
    int64_t places[CURSOR_PLACES_MAX] = { 7, 7, 7, 7 };
    char text[CURSOR_BYTES_MAX];
    cursor_format("pos", (const int64_t[]){ 1, 0, 2003 }, 3, text);
    assert_string_equal(text, "pos_1.0.2003");
    assert_true(cursor_parse(text, "pos", places, 3));
    assert_int_equal(places[0], 1);
    assert_int_equal(places[1], 0);
    assert_int_equal(places[2], 2003);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (cursor_parse(wrong[i], "pos", places, 3) || places[0] != 1)
            fail_msg("%s was taken", wrong[i]);
    cursor_format("a_long_prefix", most, CURSOR_PLACES_MAX, text);
    assert_true(cursor_parse(text, "a_long_prefix", places, CURSOR_PLACES_MAX));
    assert_int_equal(places[3], most[3]);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = { CASE(ids_come_back), CASE(what_is_no_id_of_ours), CASE(ids_sort_as_they_were_drawn),
                                        CASE(a_cursor_comes_back_as_it_was_written), CASE(gtins) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
