/* tests/unit/orders/coming_test.c: what one who waits is given of what comes, where his channel sells from. */
#include "orders/dates.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define LEJ 1001
#define HAM 1002

static void what_comes_first_is_given_first(void **state)
{
    /* 2 are late at LEJ, 3 come on 110 to HAM, 4 on 120 to LEJ */
    static const struct {
        const char *says;
        int64_t nodes[2];
        size_t node_count;
        int64_t units, at, left[4]; /* left: of the 1 that is there, too */
    } cases[] = {
        { "it is there", { LEJ }, 1, 1, 0, { 0, 2, 3, 4 } },
        { "who gets what is late has no date", { LEJ }, 1, 2, NULL_INT, { 0, 1, 3, 4 } },
        { "nor has who needs some of it", { LEJ }, 1, 5, NULL_INT, { 0, 0, 3, 2 } },
        { "another node's are not his", { HAM }, 1, 3, 110, { 1, 2, 0, 4 } },
        { "and he waits on where they are not enough", { HAM }, 1, 4, NULL_INT, { 1, 2, 0, 4 } },
        { "from both, the earliest", { LEJ, HAM }, 2, 6, NULL_INT, { 0, 0, 0, 4 } },
        { "all", { LEJ, HAM }, 2, 10, NULL_INT, { 0, 0, 0, 0 } },
        { "a channel without a node", { 0 }, 0, 1, NULL_INT, { 1, 2, 3, 4 } },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct coming coming[] = { { 0, LEJ, 1, false }, { 90, LEJ, 2, true }, { 110, HAM, 3, false }, { 120, LEJ, 4, false } };
        int64_t at = coming_take(coming, COUNT(coming), cases[i].nodes, cases[i].node_count, cases[i].units);
        if (at != cases[i].at)
            fail_msg("%s: %ld", cases[i].says, (long)at);
        for (size_t c = 0; c < COUNT(coming); c++)
            if (coming[c].units != cases[i].left[c])
                fail_msg("%s: %ld are left at %ld", cases[i].says, (long)coming[c].units, (long)coming[c].at);
    }
}

static void who_comes_next_is_given_the_rest(void **state)
{
    struct coming coming[] = { { 110, HAM, 3, false }, { 120, LEJ, 4, false } };
    const int64_t both[] = { LEJ, HAM };
    (void)state;
    assert_int_equal(coming_take(coming, 2, both, 2, 2), 110);
    assert_int_equal(coming_take(coming, 2, both, 2, 2), 120); /* one each */
    assert_int_equal(coming_take(coming, 2, both, 2, 3), 120);
    assert_int_equal(coming_take(coming, 2, both, 2, 1), NULL_INT);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_comes_first_is_given_first), cmocka_unit_test(who_comes_next_is_given_the_rest) };
    return cmocka_run_group_tests_name("coming", tests, NULL, NULL);
}
