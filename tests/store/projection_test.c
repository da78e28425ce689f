/* tests/store/projection_test.c: the projections follow the store that is there: also one that was restored from a copy. */
#include "insight/insight.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct followed {
    struct shop *shop;
    struct follower follower;
};

static void must(enum db_result result)
{
    if (result != DB_OK)
        fail_msg("%s", db_result_name(result));
}

static void follow(struct followed *followed)
{
    must(projection_round(&followed->follower));
}

static int64_t number(struct followed *followed, const char *sql)
{
    static const struct db_column column = { .name = "n", .type = DB_INT };
    struct db_statement *statement = ARENA_NEW(followed->shop->arena, struct db_statement); /* prepared by its address */
    struct db_rows rows;
    *statement = (struct db_statement){ .name = "number", .sqlite = sql, .postgres = sql, .columns = &column, .column_count = 1, .row_size = 8 };
    must(db_query(followed->follower.read, followed->shop->arena, statement, NULL, &rows));
    assert_int_equal(rows.count, 1);
    return *(const int64_t *)db_row(&rows, 0);
}

static void run_sql(struct db *db, const char *sql)
{
    must(db_script(db, sql));
}

static void open_followed(struct followed *followed, enum store store)
{
    const char *error = "";
    struct shop *shop = followed->shop = shop_open(store);
    shop_furnish(shop);
    followed->follower = (struct follower){ .store = engine_db(shop->engine), .vault = shop->vault, .arena = arena_new((size_t)64 << 20) };
    if (db_open(&followed->follower.read, &(struct db_options){ .url = shop->url, .projection = true, .create = true }, shop->arena, &error) !=
            DB_OK ||
        db_migrate(followed->follower.read, true, shop->arena, &error) != MIGRATE_DONE)
        fail_msg("%s", error);
    receive(shop, "LEJ", "LAMP", 5);
    for (int i = 0; i < 3; i++)
        order(shop, "web", arena_printf(shop->arena, "W-%d", i), "LAMP", 1);
    follow(followed);
}

static void close_followed(struct followed *followed)
{
    db_close(followed->follower.read);
    arena_free(followed->follower.arena);
    shop_close(followed->shop);
}

#define TOKENS "SELECT COUNT(*) FROM order_token"
#define MOVEMENTS "SELECT COUNT(*) FROM movement_by_sku"
#define GHOSTS "SELECT COUNT(*) FROM order_token WHERE token = 'ghost'"

/* A past that is not ours leaves a word and a cursor; the round after that finds ours and nothing else. */
static void another_past(enum store store, const char *in_read, const char *in_store)
{
    struct followed followed;
    if (!store_is_there(store))
        skip();
    open_followed(&followed, store);
    int64_t tokens = number(&followed, TOKENS), movements = number(&followed, MOVEMENTS);
    assert_true(tokens > 0 && movements > 0);
    run_sql(followed.follower.read, "INSERT INTO order_token (unit, token, ord) VALUES (1, 'ghost', 5)");
    follow(&followed);
    assert_int_equal(number(&followed, GHOSTS), 1); /* the same past is not followed twice */
    if (in_read != NULL)
        run_sql(followed.follower.read, in_read);
    followed.shop->broken = in_store != NULL;
    if (in_store != NULL)
        run_sql(followed.follower.store, in_store);
    follow(&followed);
    assert_int_equal(number(&followed, GHOSTS), 0);
    assert_int_equal(number(&followed, TOKENS), tokens);
    assert_int_equal(number(&followed, MOVEMENTS), movements);
    close_followed(&followed);
}

/* This round has read its clocks, and another server follows what came behind them before it takes the cursor: nothing is forgotten. */
static void another_server_is_further(enum store store)
{
    struct followed followed;
    if (!store_is_there(store))
        skip();
    open_followed(&followed, store);
    run_sql(followed.follower.read, "INSERT INTO order_token (unit, token, ord) VALUES (1, 'ghost', 5)");
    followed.shop->broken = true;
    run_sql(followed.follower.store, "UPDATE unit_clock SET event_seq = event_seq - 2, next_id = next_id - 3 WHERE unit = 1");
    follow(&followed);
    assert_int_equal(number(&followed, GHOSTS), 1);
    run_sql(followed.follower.store, "UPDATE unit_clock SET event_seq = event_seq + 2, next_id = next_id + 3 WHERE unit = 1");
    follow(&followed);
    assert_int_equal(number(&followed, GHOSTS), 1);
    close_followed(&followed);
}

static void another_server_is_further_on_sqlite(void **state)
{
    another_server_is_further(STORE_SQLITE);
}

static void another_server_is_further_on_postgresql(void **state)
{
    another_server_is_further(STORE_POSTGRES);
}

static const char *const events_went_back = "UPDATE cursor_of_unit SET seq = seq + 100 WHERE unit = 1";
static const char *const another_event = "UPDATE event SET at = at - 1 WHERE unit = 1 AND seq = (SELECT MAX(e.seq) FROM event AS e WHERE e.unit = 1)";

static void an_older_copy_on_sqlite(void **state)
{
    another_past(STORE_SQLITE, events_went_back, NULL);
}

static void a_copy_that_went_another_way_on_sqlite(void **state)
{
    another_past(STORE_SQLITE, NULL, another_event);
}

static void an_older_copy_on_postgresql(void **state)
{
    another_past(STORE_POSTGRES, events_went_back, NULL);
}

static void a_copy_that_went_another_way_on_postgresql(void **state)
{
    another_past(STORE_POSTGRES, NULL, another_event);
}

/* ---- in pieces ---- */

#define PIECE 3
#define IN_A_PIECE 11 /* statements of a round: two cursors are loaded, one is marked in four, then this is the fifth of six */
#define CURSOR "SELECT CAST(COALESCE(MAX(seq), 0) AS BIGINT) FROM cursor_of_unit WHERE unit = 1"

/* The process ends here, as it were. */
static bool dies(void *context, int64_t unit, int64_t seq)
{
    (void)context;
    return unit != 1;
}

static int64_t rows_of(struct followed *followed)
{
    return number(followed, TOKENS) + number(followed, MOVEMENTS);
}

/* The unit's own words are found again only when those of the other past are gone: whoever takes it up dies after a piece, or the
 * store fails in the midst of one. */
static void forgotten_in_pieces(enum store store)
{
    struct followed followed;
    int64_t deaths = 0;
    if (!store_is_there(store))
        skip();
    open_followed(&followed, store);
    struct db *read = followed.follower.read;
    const int64_t all = rows_of(&followed);
    run_sql(
        read,
        "INSERT INTO order_token (unit, token, ord) VALUES (1, '!first', 5); INSERT INTO order_token (unit, token, ord) VALUES (1, 'zz last', 5)");
    run_sql(read, events_went_back);
    followed.follower.forget_rows = PIECE;
    followed.follower.reached = dies;
    for (int64_t left = all + 2; left > 0; deaths++) {
        db_fail_at(read, IN_A_PIECE, DB_BUSY, false);
        assert_int_equal(projection_round(&followed.follower), DB_BUSY);
        assert_int_equal(rows_of(&followed), left);
        assert_int_equal(number(&followed, CURSOR), -1);
        follow(&followed);
        int64_t now = rows_of(&followed);
        assert_in_range(left - now, now == 0 ? 0 : PIECE, 2 * PIECE); /* the last words, and the first movements */
        assert_int_equal(number(&followed, CURSOR), now == 0 ? 0 : -1);
        left = now;
    }
    assert_true(deaths >= all / PIECE - 1);
    followed.follower.reached = NULL;
    follow(&followed);
    assert_int_equal(rows_of(&followed), all);
    close_followed(&followed);
}

static void forgotten_in_pieces_on_sqlite(void **state)
{
    forgotten_in_pieces(STORE_SQLITE);
}

static void forgotten_in_pieces_on_postgresql(void **state)
{
    forgotten_in_pieces(STORE_POSTGRES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_server_is_further_on_sqlite),
        cmocka_unit_test(another_server_is_further_on_postgresql),
        cmocka_unit_test(an_older_copy_on_sqlite),
        cmocka_unit_test(a_copy_that_went_another_way_on_sqlite),
        cmocka_unit_test(an_older_copy_on_postgresql),
        cmocka_unit_test(a_copy_that_went_another_way_on_postgresql),
        cmocka_unit_test(forgotten_in_pieces_on_sqlite),
        cmocka_unit_test(forgotten_in_pieces_on_postgresql),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
