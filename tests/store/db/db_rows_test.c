/* tests/store/db/db_rows_test.c: rows go in and come out the same in both stores. */
#include "shop.h"

#include <string.h>

static void all_types_and_nulls_come_back(void **state)
{
    struct shop *shop = *state;
    static const uint8_t bytes[] = { 0, 255, 'x', 0 };
    struct thing_row full = { 1, 7, "Größe \xe2\x98\x83", "", INT64_C(0x7fffffffffffffff), 1, { bytes, sizeof(bytes) }, -5 };
    struct thing_row empty = { 1, 8, "e", NULL, NULL_INT, 0, { NULL, 0 }, 0 };
    struct thing_row no_bytes = { INT64_MAX, -8, "", "n", 0, 0, { bytes, 0 }, INT64_MIN + 1 };
    struct db_rows rows;
    assert_ok(shop->db, db_begin(shop->db));
    assert_ok(shop->db, INSERT(shop->db, &thing_table, &full, &empty, &no_bytes));
    assert_ok(shop->db, db_commit(shop->db));
    const int64_t keys[] = { 1, 8, 1, 7, INT64_MAX, -8 };
    assert_ok(shop->db, db_load(shop->db, shop->arena, &thing_table, keys, 3, &rows));
    assert_int_equal(rows.count, 3);
    const struct thing_row *got = db_row(&rows, 0);
    assert_string_equal(got->code, full.code);
    assert_string_equal(got->note, "");
    assert_true(got->amount == full.amount && got->open == 1 && got->stage == -5);
    assert_int_equal(got->raw.size, sizeof(bytes));
    assert_memory_equal(got->raw.at, bytes, sizeof(bytes));
    got = db_row(&rows, 1);
    assert_true(got->note == NULL && got->amount == NULL_INT && got->raw.at == NULL && got->raw.size == 0);
    got = db_row(&rows, 2);
    assert_true(got->unit == INT64_MAX && got->id == -8 && got->raw.at != NULL && got->raw.size == 0 && got->stage == INT64_MIN + 1);
    assert_string_equal(got->code, "");
}

static void load_gives_each_row_once_in_order(void **state)
{
    struct shop *shop = *state;
    const int64_t keys[] = { 1, 9, 1, 2, 1, 400, 1, 9, 2, 9, 1, 1 };
    struct db_rows rows;
    shop_fill(shop, 20);
    assert_ok(shop->db, db_load(shop->db, shop->arena, &thing_table, keys, 6, &rows));
    assert_int_equal(rows.count, 3);
    static const int64_t ids[] = { 1, 2, 9 };
    for (size_t i = 0; i < COUNT(ids); i++)
        assert_int_equal(((struct thing_row *)db_row(&rows, i))->id, ids[i]);
    assert_ok(shop->db, db_load(shop->db, shop->arena, &thing_table, keys, 0, &rows));
    assert_int_equal(rows.count, 0);
    assert_int_equal(db_load(shop->db, shop->arena, &word_table, keys, 1, &rows), DB_BUG); /* its key holds text */
}

static void paths_keep_order_limit_and_condition(void **state)
{
    struct shop *shop = *state;
    struct db_rows rows;
    shop_fill(shop, 30);
    struct thing_row closed = thing(31, "closed");
    closed.stage = 3;
    assert_ok(shop->db, INSERT(shop->db, &thing_table, &closed));
    const struct db_value prefixes[] = { db_int(1), db_int(2), db_int(1), db_int(3), db_int(1), db_int(0), db_int(9), db_int(0) };
    assert_ok(shop->db, db_load_path(shop->db, shop->arena, &thing_open, prefixes, 4, 3, &rows));
    static const int64_t ids[] = { 29, 26, 23, 30, 27, 24 }; /* stage 2, nothing of stage 3, stage 0; nothing of unit 9 */
    assert_int_equal(rows.count, COUNT(ids));
    for (size_t i = 0; i < COUNT(ids); i++)
        assert_int_equal(((struct thing_row *)db_row(&rows, i))->id, ids[i]);
    assert_ok(shop->db, db_load_path(shop->db, shop->arena, &thing_open, prefixes, 1, 0, &rows));
    assert_int_equal(rows.count, 10);
    const struct db_value codes[] = { db_int(1), db_text("c7"), db_int(1), db_text("none"), db_int(1), db_text("c7"), db_int(1), db_text(NULL) };
    assert_ok(shop->db, db_load_path(shop->db, shop->arena, &thing_by_code, codes, 4, 0, &rows));
    assert_int_equal(rows.count, 2);
    assert_int_equal(((struct thing_row *)db_row(&rows, 1))->id, 7);
}

static void a_path_that_is_not_unique_is_in_order_of_the_key(void **state)
{
    struct shop *shop = *state;
    struct part_row parts[6];
    struct db_rows rows;
    for (int i = 0; i < 6; i++)
        parts[i] = (struct part_row){ 1, 6 - i, i, i % 2, i == 3 ? "red" : NULL };
    assert_ok(shop->db, INSERT(shop->db, &part_table, &parts[0], &parts[1], &parts[2], &parts[3], &parts[4], &parts[5]));
    const struct db_value prefix[] = { db_int(1), db_int(1) };
    assert_ok(shop->db, db_load_path(shop->db, shop->arena, &part_by_quantity, prefix, 1, 0, &rows));
    assert_int_equal(rows.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(((struct part_row *)db_row(&rows, i))->thing, 1 + (int64_t)i * 2);
    assert_string_equal(((struct part_row *)db_row(&rows, 1))->colour, "red");
}

static void many_rows_are_written_and_found(void **state)
{
    struct shop *shop = *state;
    enum { MANY = 5000 };
    struct pair_row *pairs = ARENA_ARRAY(shop->arena, struct pair_row, MANY);
    const void **rows = ARENA_ARRAY(shop->arena, const void *, MANY);
    int64_t *keys = ARENA_ARRAY(shop->arena, int64_t, (size_t)MANY * 2);
    struct db_rows found;
    for (int64_t i = 0; i < MANY; i++) {
        pairs[i] = (struct pair_row){ 1, (i * 7919) % MANY };
        rows[i] = &pairs[i];
        keys[i * 2] = 1;
        keys[i * 2 + 1] = i;
    }
    assert_ok(shop->db, db_begin(shop->db));
    assert_ok(shop->db, db_insert(shop->db, &pair_table, rows, MANY));
    assert_ok(shop->db, db_update(shop->db, &pair_table, rows, MANY)); /* nothing but a key: a test that they are there */
    assert_ok(shop->db, db_load(shop->db, shop->arena, &pair_table, keys, MANY, &found));
    assert_int_equal(found.count, MANY);
    assert_ok(shop->db, db_delete(shop->db, &pair_table, rows, MANY));
    assert_ok(shop->db, db_load(shop->db, shop->arena, &pair_table, keys, MANY, &found));
    assert_int_equal(found.count, 0);
    assert_ok(shop->db, db_commit(shop->db));
}

static void updates_set_whole_rows(void **state)
{
    struct shop *shop = *state;
    struct db_rows rows;
    shop_fill(shop, 3);
    struct thing_row one = thing(1, "c1"), two = thing(2, "two"), three = thing(3, "c3");
    one.note = "kept its code";
    two.amount = 5;
    three.stage = 7;
    assert_ok(shop->db, UPDATE(shop->db, &thing_table, &three, &one, &two));
    const int64_t keys[] = { 1, 1, 1, 2, 1, 3 };
    assert_ok(shop->db, db_load(shop->db, shop->arena, &thing_table, keys, 3, &rows));
    assert_string_equal(((struct thing_row *)db_row(&rows, 0))->note, "kept its code");
    assert_string_equal(((struct thing_row *)db_row(&rows, 1))->code, "two");
    assert_int_equal(((struct thing_row *)db_row(&rows, 1))->amount, 5);
    assert_int_equal(((struct thing_row *)db_row(&rows, 2))->stage, 7);
    const struct db_value code[] = { db_int(1), db_text("c2") };
    assert_ok(shop->db, db_load_path(shop->db, shop->arena, &thing_by_code, code, 1, 0, &rows));
    assert_int_equal(rows.count, 0); /* the index follows */
}

static void a_missing_row_is_a_bug(void **state)
{
    struct shop *shop = *state;
    shop_fill(shop, 2);
    struct thing_row there = thing(1, "c1"), missing = thing(40, "x");
    assert_int_equal(UPDATE(shop->db, &thing_table, &there, &missing), DB_BUG);
    assert_int_equal(DELETE(shop->db, &thing_table, &there, &missing), DB_BUG);
    struct pair_row pairs[40]; /* one among many */
    const void *rows[COUNT(pairs)];
    for (size_t i = 0; i < COUNT(pairs); i++)
        rows[i] = memcpy(&pairs[i], &(struct pair_row){ 1, (int64_t)i }, sizeof(struct pair_row));
    assert_ok(shop->db, db_insert(shop->db, &pair_table, rows, COUNT(pairs)));
    pairs[17].id = 1000;
    assert_int_equal(db_update(shop->db, &pair_table, rows, COUNT(pairs)), DB_BUG);
    assert_int_equal(db_delete(shop->db, &pair_table, rows, COUNT(pairs)), DB_BUG);
    struct thing_count_result count;
    bool found;
    assert_ok(shop->db, thing_count(shop->db, shop->arena, &count, &found));
    assert_int_equal(count.things, 2);
}

static void a_full_arena_leaves_the_connection_whole(void **state)
{
    struct shop *shop = *state;
    struct arena *small = arena_new(16384);
    struct arena_door door;
    struct db_rows rows;
    shop_fill(shop, 3000);
    const struct db_value prefix[] = { db_int(1), db_int(1) };
    arena_set_door(small, &door);
    if (setjmp(door.where) == 0) {
        db_load_path(shop->db, small, &thing_open, prefix, 1, 0, &rows);
        fail_msg("a thousand rows do not fit 16 KiB");
    }
    arena_free(small);
    assert_ok(shop->db, db_begin(shop->db));
    assert_ok(shop->db, db_load_path(shop->db, shop->arena, &thing_open, prefix, 1, 0, &rows));
    assert_int_equal(rows.count, 1000);
    assert_ok(shop->db, db_commit(shop->db));
}

static void several_reads_are_one(void **state)
{
    struct shop *shop = *state;
    shop_fill(shop, 9);
    struct thing_row tenth = thing(10, "c10");
    const int64_t twice[] = { 1, 7, 1, 2, 1, 7 }, tens[] = { 1, 10 };
    const struct db_value open[] = { db_int(1), db_int(1) }, code[] = { db_int(1), db_text("c3") };
    struct db_read reads[] = {
        { .table = &thing_table, .keys = twice, .count = 3 },
        { .path = &thing_open, .prefixes = open, .count = 1, .limit = 2 },
        { .table = &thing_table },
        { .path = &thing_by_code, .prefixes = code, .count = 1 },
        { .table = &thing_table, .keys = tens, .count = 1, .lock = true },
    };
    static const struct {
        size_t count;
        int64_t first;
    } came[] = { { 2, 2 }, { 2, 10 }, { 0, 0 }, { 1, 3 }, { 1, 10 } };
    assert_int_equal(db_read_all(shop->db, shop->arena, reads, COUNT(reads)), DB_BUG); /* nothing is locked outside a transaction */
    assert_ok(shop->db, db_begin(shop->db));
    assert_ok(shop->db, INSERT(shop->db, &thing_table, &tenth));
    assert_ok(shop->db, db_read_all(shop->db, shop->arena, reads, COUNT(reads)));
    assert_ok(shop->db, db_commit(shop->db));
    for (size_t i = 0; i < COUNT(reads); i++) {
        const struct thing_row *first = db_row(&reads[i].rows, 0);
        if (reads[i].rows.count != came[i].count || (came[i].count > 0 && first->id != came[i].first))
            fail_msg("read %zu: %zu rows", i, reads[i].rows.count);
    }
    assert_ok(shop->db, db_read_all(shop->db, shop->arena, reads, 0));
}

/* The arena is full at the second of three. */
static void overflow(struct shop *shop)
{
    const int64_t key[] = { 1, 5 };
    const struct db_value prefix[] = { db_int(1), db_int(1) };
    struct db_read reads[] = { { .table = &thing_table, .keys = key, .count = 1 },
                               { .path = &thing_open, .prefixes = prefix, .count = 1 },
                               { .table = &thing_table, .keys = key, .count = 1 } };
    struct arena *small = arena_new(16384);
    struct arena_door door;
    arena_set_door(small, &door);
    if (setjmp(door.where) == 0) {
        db_read_all(shop->db, small, reads, COUNT(reads));
        fail_msg("a thousand rows do not fit 16 KiB");
    }
    arena_free(small);
}

static void a_full_arena_among_several_reads_leaves_the_connection_whole(void **state)
{
    struct shop *shop = *state;
    struct db_rows rows;
    const struct db_value prefix[] = { db_int(1), db_int(1) };
    shop_fill(shop, 3000);
    overflow(shop);
    assert_ok(shop->db, db_load_path(shop->db, shop->arena, &thing_open, prefix, 1, 0, &rows));
    assert_int_equal(rows.count, 1000);
    assert_ok(shop->db, db_begin(shop->db));
    struct thing_row lost = thing(4000, "lost");
    assert_ok(shop->db, INSERT(shop->db, &thing_table, &lost));
    overflow(shop);
    assert_ok(shop->db, db_rollback(shop->db));
    assert_ok(shop->db, db_load(shop->db, shop->arena, &thing_table, (const int64_t[]){ 1, 4000 }, 1, &rows));
    assert_int_equal(rows.count, 0);
}

static void statements_are_bound_by_number(void **state)
{
    struct shop *shop = *state;
    shop_fill(shop, 10);
    struct part_row a = { 1, 4, 1, 3, "red" }, b = { 1, 4, 2, 4, NULL };
    assert_ok(shop->db, INSERT(shop->db, &part_table, &a, &b));
    struct thing_list_result *things;
    size_t count;
    assert_ok(shop->db, thing_list(shop->db, shop->arena, 1, 8, &things, &count));
    assert_int_equal(count, 2);
    assert_string_equal(things[1].code, "c10");
    struct thing_find_result one;
    bool found;
    assert_ok(shop->db, thing_find(shop->db, shop->arena, 1, "c4", &one, &found));
    assert_true(found && one.id == 4 && one.note == NULL && one.amount == NULL_INT && one.raw.at == NULL);
    assert_ok(shop->db, thing_find(shop->db, shop->arena, 1, "nobody", &one, &found));
    assert_true(!found && one.id == 0);
    struct part_sum_result sum;
    assert_ok(shop->db, part_sum(shop->db, shop->arena, 1, 4, &sum, &found));
    assert_int_equal(sum.total, 7);
    assert_string_equal(sum.colours, "red");
    struct part_of_open_result *open;
    assert_ok(shop->db, part_of_open(shop->db, shop->arena, 1, 1, &open, &count));
    assert_int_equal(count, 2);
    int64_t changed = -1;
    assert_ok(shop->db, thing_close(shop->db, 1, 2, "done", (struct bytes){ (const uint8_t *)"z", 1 }, true, &changed));
    assert_int_equal(changed, 3);
    assert_ok(shop->db, thing_find(shop->db, shop->arena, 1, "c5", &one, &found));
    assert_true(one.open == 1 && one.raw.size == 1 && strcmp(one.note, "done") == 0);
}

static void projections_have_a_store_of_their_own(void **state)
{
    struct shop *shop = *state;
    const char *error = NULL;
    enum db_result result;
    struct db *read = shop_connect(shop, true);
    assert_true(db_is_empty(read, &result));
    assert_int_equal(db_migrate(read, true, shop->arena, &error), MIGRATE_DONE);
    assert_false(db_is_empty(read, &result));
    struct word_row words[] = { { 1, "lamp", 3 }, { 1, "lamp", 1 }, { 1, "red", 1 } };
    assert_ok(read, INSERT(read, &word_table, &words[0], &words[1], &words[2]));
    struct word_list_result *list;
    size_t count;
    assert_ok(read, word_list(read, shop->arena, 1, "lamp", &list, &count));
    assert_true(count == 2 && list[0].thing == 1 && list[1].thing == 3);
    struct db_rows rows;
    const struct db_value prefix[] = { db_int(1), db_text("red") };
    assert_ok(read, db_load_path(read, shop->arena, &thing_of_word, prefix, 1, 0, &rows));
    assert_int_equal(rows.count, 1);
    db_close(read);
}

int main(void)
{
    static const struct scene scenes[] = {
        { "all types and nulls come back", all_types_and_nulls_come_back },
        { "load gives each row once, in order", load_gives_each_row_once_in_order },
        { "paths keep order, limit and condition", paths_keep_order_limit_and_condition },
        { "a path that is not unique is in order of the key", a_path_that_is_not_unique_is_in_order_of_the_key },
        { "many rows are written and found", many_rows_are_written_and_found },
        { "updates set whole rows", updates_set_whole_rows },
        { "a missing row is a bug", a_missing_row_is_a_bug },
        { "a full arena leaves the connection whole", a_full_arena_leaves_the_connection_whole },
        { "several reads are one", several_reads_are_one },
        { "a full arena among several reads leaves the connection whole", a_full_arena_among_several_reads_leaves_the_connection_whole },
        { "statements are bound by number", statements_are_bound_by_number },
        { "projections have a store of their own", projections_have_a_store_of_their_own },
    };
    return play_on_both(scenes, COUNT(scenes));
}
