/* tests/unit/orders/order_key_test.c: ids that a shop counts up lie side by side, and others do not meet. */
#include "orders/order_key.h"
#include "base/fields.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct vault *vault;
static struct arena *arena;

static int64_t key(const char *channel, const char *id)
{
    return order_key_of(vault, arena, channel, id);
}

static void ids_that_follow_are_neighbours(void **state)
{
    static const char *const first[] = { "1001", "#1001", "WEB-000000099", "2026-11-27/7", "12", "x999999999998" };
    static const char *const next[] = { "1002", "#1002", "WEB-000000100", "2026-11-27/8", "13", "x999999999999" };
    for (size_t i = 0; i < COUNT(first); i++)
        assert_int_equal(key("web", next[i]) - key("web", first[i]), 1);
}

static void other_ids_lie_elsewhere(void **state)
{
    static const char *const apart[][2] = { { "A-1", "B-1" }, { "1a", "2a" }, { "", "0" }, { "1000000000001", "2000000000001" }, { "-1", "1" } };
    for (size_t i = 0; i < COUNT(apart); i++) {
        int64_t one = key("web", apart[i][0]), other = key("web", apart[i][1]);
        assert_true(one / 2 - other / 2 > 1000000 || one / 2 - other / 2 < -1000000); /* the halves' distance fits in 64 bits */
    }
    assert_int_not_equal(key("web", "1001") >> 40, key("b2b", "1001") >> 40);
    assert_int_equal(key("web", "7"), key("web", "007")); /* the ids decide */
    assert_int_not_equal(key("web", "\xc3\xbc"), key("web", "\xc3\xb6"));
}

/* As many of 24 bits meet as chance has it, and none is no value. */
static void prefixes_are_spread(void **state)
{
    enum { IDS = 4096 };
    static unsigned char seen[1 << 24];
    size_t met = 0;
    for (int i = 0; i < IDS; i++) {
        char id[32];
        snprintf(id, sizeof id, "%x-1", i);
        int64_t at = key("web", id);
        assert_int_not_equal(at, NULL_INT);
        unsigned char *place = &seen[(uint64_t)at >> 40];
        met += *place;
        *place = 1;
    }
    assert_true(met <= 5); /* expected: 0.5 */
}

static int set_up(void **state)
{
    arena = arena_new((size_t)1 << 24);
    vault = vault_seeded(7);
    return 0;
}

static int tear_down(void **state)
{
    vault_close(vault);
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_that_follow_are_neighbours),
        cmocka_unit_test(other_ids_lie_elsewhere),
        cmocka_unit_test(prefixes_are_spread),
    };
    return cmocka_run_group_tests_name("order_key", tests, set_up, tear_down);
}
