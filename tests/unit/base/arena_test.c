/* tests/unit/base/arena_test.c: memory of one request. */
#include "fixture.h"
#include <string.h>

static void what_is_handed_out_is_zeroed_aligned_and_apart(void **state)
{
    struct arena *arena = *state;
    unsigned char *pieces[200];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT(pieces); i++) {
            pieces[i] = arena_alloc(arena, i * 37);
            assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
            for (size_t k = 0; k < i * 37; k++)
                assert_int_equal(pieces[i][k], 0);
            memset(pieces[i], (int)i + 1, i * 37);
        }
        for (size_t i = 0; i < COUNT(pieces); i++)
            for (size_t k = 0; k < i * 37; k++)
                assert_int_equal(pieces[i][k], (unsigned char)(i + 1));
        arena_reset(arena); /* the next round is given the same bytes, zeroed */
        assert_int_equal(arena_used(arena), 0);
    }
}

/* True when `bytes` more are handed out; false when the arena left by its door. */
static bool fits(struct arena *arena, size_t bytes)
{
    struct arena_door door;
    volatile bool done = false;
    if (setjmp(door.where) == 0) {
        arena_set_door(arena, &door);
        memset(arena_alloc(arena, bytes), 1, bytes);
        done = true;
    }
    arena_set_door(arena, NULL);
    return done;
}

static void past_its_limit_it_leaves_by_the_door(void **state)
{
    (void)state;
    struct arena *arena = arena_new(100000);
    assert_false(fits(arena, 100000));
    assert_false(fits(arena, SIZE_MAX));
    assert_false(fits(arena, SIZE_MAX - 8));
    assert_true(fits(arena, 90000)); /* a refusal takes nothing */
    assert_false(fits(arena, 20000));
    assert_true(fits(arena, 1000)); /* what is left can still be used */
    arena_reset(arena);
    assert_true(fits(arena, 90000));
    arena_free(arena);
    arena_free(NULL);
}

static void a_table_too_large_to_count_leaves_by_the_door(void **state)
{
    struct arena *arena = *state;
    struct arena_door door;
    volatile bool left = false;
    if (setjmp(door.where) == 0) {
        arena_set_door(arena, &door);
        arena_alloc_array(arena, SIZE_MAX / 8, 16);
    } else {
        left = true;
    }
    arena_set_door(arena, NULL);
    assert_true(left);
}

static void doors_nest(void **state)
{
    struct arena_door outer, inner;
    assert_null(arena_set_door(*state, &outer));
    assert_ptr_equal(arena_set_door(*state, &inner), &outer);
    assert_ptr_equal(arena_set_door(*state, NULL), &inner);
}

static void read_within(size_t limit)
{
    static const char order[] = "{\"a\":\"\\u00e9\",\"b\":[1,{\"c\":\"d\\n\"}],\"e\":{\"f\":{},\"g\":[[]]}}";
    struct arena *arena = arena_new(limit);
    struct arena_door door;
    arena_set_door(arena, &door);
    if (setjmp(door.where) == 0) {
        struct json_reader json;
        json_open(&json, arena, order, strlen(order));
        while (json_next(&json) != JSON_END)
            assert_null(json.error);
    }
    arena_reset(arena);
    arena_free(arena);
}

/* However small the limit, and so wherever in the work memory ends, the arena survives. */
static void any_allocation_may_be_the_one_that_fails(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 12000; limit += 16)
        read_within(limit);
}

static void a_rewind_forgets_what_came_after_the_mark(void **state)
{
    struct arena *arena = *state;
    struct arena_mark empty = arena_mark(arena);
    char *kept = arena_text(arena, "kept");
    for (int i = 0; i < 50; i++) {
        struct arena_mark mark = arena_mark(arena);
        size_t used = arena_used(arena);
        for (size_t k = 0; k < 30; k++)
            memset(arena_alloc(arena, k * 1000), 0xFF, k * 1000);
        arena_rewind(arena, mark);
        assert_int_equal(arena_used(arena), used);
        assert_string_equal(kept, "kept");
        assert_int_equal(*(char *)arena_alloc(arena, 1), 0);
    }
    arena_rewind(arena, empty);
    assert_int_equal(arena_used(arena), 0);
    assert_string_equal(arena_text(arena, "again"), "again");
}

static void the_last_allocation_can_grow_where_it_is(void **state)
{
    struct arena *arena = *state;
    char *last = arena_alloc(arena, 10);
    memset(last, 'x', 10);
    assert_true(arena_extend(arena, last, 10, 500));
    assert_int_equal(last[9], 'x');
    assert_int_equal(last[499], 0);
    assert_false(arena_extend(arena, last, 500, 1 << 20)); /* the block ends */
    char *next = arena_alloc(arena, 1);
    assert_true(next >= last + 500);
    assert_false(arena_extend(arena, last, 500, 501)); /* no longer the last */
}

static void texts_are_copied_and_made(void **state)
{
    struct arena *arena = *state;
    assert_null(arena_text(arena, NULL));
    assert_null(arena_text_n(arena, NULL, 3));
    assert_string_equal(arena_text_n(arena, "LAMPS", 4), "LAMP");
    assert_string_equal(arena_printf(arena, "%d of %s", 2, "LAMP"), "2 of LAMP");
    assert_int_equal(strlen(arena_printf(arena, "%09000d", 7)), 9000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_handed_out_is_zeroed_aligned_and_apart), CASE(past_its_limit_it_leaves_by_the_door),
        CASE(a_table_too_large_to_count_leaves_by_the_door),  CASE(doors_nest),
        CASE(any_allocation_may_be_the_one_that_fails),       CASE(a_rewind_forgets_what_came_after_the_mark),
        CASE(the_last_allocation_can_grow_where_it_is),       CASE(texts_are_copied_and_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
