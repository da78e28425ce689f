/* tests/store/scheduler_test.c: every open job has its step in turn, however many there are and whatever the oldest do; and what is due is seen. */
#include "base/when.h"
#include "cli/scheduler.h"
#include "cli_sql.h"
#include "engine/jobs.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define WAIT_US INT64_C(30000000)
#define STUCK JOBS_AT_ONCE /* as many as one turn takes; the one behind them is well */

static const struct {
    const char *sticks, *gets_loose;
} by_store[] = {
    [STORE_SQLITE] = { "CREATE TRIGGER stuck BEFORE UPDATE ON job WHEN OLD.id <= 64 BEGIN SELECT RAISE(ABORT, 'stuck'); END", "DROP TRIGGER stuck" },
    [STORE_POSTGRES] = { "CREATE FUNCTION stuck() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stuck' USING ERRCODE = '23514'; END $$;"
                         "CREATE TRIGGER stuck BEFORE UPDATE ON job FOR EACH ROW WHEN (OLD.id <= 64) EXECUTE FUNCTION stuck()",
                         "DROP TRIGGER stuck ON job" },
};
_Static_assert(STUCK == 64, "the triggers name the last that is stuck");

static void must(struct db *db, const char *sql)
{
    if (db_script(db, sql) != DB_OK)
        fail_msg("%s: %s", sql, db_last_error(db));
}

/* Nobody waits for LAMP, so each is done by its first step. */
static void open_jobs(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    for (int id = 1; id <= STUCK + 1; id++)
        must(engine_db(shop->engine),
             arena_printf(
                 shop->arena,
                 "INSERT INTO job (unit, id, kind, state, progress, subject, started_at, node, head) SELECT 1, %d, %d, %d, 0, s.id, 0, n.id, 0 "
                 "FROM sku AS s CROSS JOIN node AS n WHERE s.unit = 1 AND s.code = 'LAMP' AND n.unit = 1 AND n.code = 'LEJ'",
                 id, JOB_FILL, JOB_OPEN));
}

static void nothing(void *context)
{
    (void)context;
}

static bool so_many_are_open(struct db *db, struct arena *arena, size_t open)
{
    int64_t ids[JOBS_AT_ONCE];
    size_t first = 0, behind = 0;
    assert_int_equal(jobs_open_of(db, arena, 1, 0, ids, &first), DB_OK);
    assert_int_equal(jobs_open_of(db, arena, 1, STUCK, ids, &behind), DB_OK);
    return (first < JOBS_AT_ONCE ? first : first + behind) == open;
}

static bool no_date_has_passed(struct db *db, struct arena *arena, size_t unused)
{
    (void)unused;
    struct supply_first_due_result *late;
    size_t count = 0;
    assert_int_equal(supply_first_due(db, arena, 1, when_now_us(), &late, &count), DB_OK);
    return count == 0;
}

static bool no_parcel_is_due(struct db *db, struct arena *arena, size_t unused)
{
    (void)unused;
    struct parcel_first_due_result *due;
    size_t count = 0;
    assert_int_equal(parcel_first_due(db, arena, 1, when_now_us(), &due, &count), DB_OK);
    return count == 0;
}

/* Runs engine and scheduler until it is so. */
static void run_until(struct shop *shop, bool (*is)(struct db *db, struct arena *arena, size_t open), size_t open)
{
    const char *error = "";
    struct db *db = NULL;
    bool done = false;
    const struct db_options store = { .url = shop->url };
    assert_int_equal(engine_start(shop->engine), DB_OK);
    struct scheduler *scheduler = scheduler_start(&store, shop->engine, nothing, NULL, shop->arena, &error);
    if (scheduler == NULL || db_open(&db, &store, shop->arena, &error) != DB_OK)
        fail_msg("%s", error);
    for (int64_t until_us = when_monotonic_us() + WAIT_US; !done && when_monotonic_us() < until_us; usleep(20000))
        done = is(db, shop->arena, open);
    scheduler_stop(scheduler);
    engine_stop(shop->engine);
    db_close(db);
    if (!done)
        fail_msg("it is not so after half a minute");
}

/* A shop that the scheduler has a connection of its own to; folder: of its file. */
static struct shop *shop_on(enum store store, char *folder)
{
    if (!store_is_there(store))
        skip();
    struct shop *shop = shop_open(store);
    shop_furnish(shop);
    if (store == STORE_SQLITE) {
        assert_non_null(mkdtemp(folder));
        shop_in_file(shop, arena_printf(shop->arena, "%s/shop.db", folder));
    }
    return shop;
}

static void shop_off(struct shop *shop, enum store store, const char *folder)
{
    shop_close(shop);
    if (store == STORE_SQLITE) {
        char command[100];
        snprintf(command, sizeof command, "rm -rf '%s'", folder);
        assert_int_equal(system(command), 0);
    }
}

static void the_oldest_hold_up_nobody(enum store store)
{
    char folder[] = "/tmp/millrace-scheduler.XXXXXX";
    struct shop *shop = shop_on(store, folder);
    open_jobs(shop);
    must(engine_db(shop->engine), by_store[store].sticks);
    run_until(shop, so_many_are_open, STUCK);
    must(engine_db(shop->engine), by_store[store].gets_loose);
    shop_jobs(shop, 1);
    shop_off(shop, store, folder);
}

/* Announced in time; then it is the day after, and nobody says anything. */
static void what_did_not_come_is_late(enum store store)
{
    char folder[] = "/tmp/millrace-scheduler.XXXXXX", day[32];
    struct shop *shop = shop_on(store, folder);
    shop->now_us = when_now_us() - INT64_C(172800000000);
    when_format(shop->now_us + INT64_C(86400000000), day);
    for (int i = 0; i < 60; i++) /* more than one command looks at */
        shop_must(shop, 201, "POST", "/v1/supplies",
                  "{\"node\":\"LEJ\",\"kind\":\"purchase\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":5,\"expected_at\":\"%s\"}]}", day);
    shop->now_us = when_now_us();
    run_until(shop, no_date_has_passed, 0);
    const char *late = shop_must(shop, 200, "GET", "/v1/exceptions?state=open&type=supply_late", NULL).body;
    int count = 0;
    for (const char *at = late; (at = strstr(at, "\"quantity\":5")) != NULL; at++)
        count++;
    assert_int_equal(count, 60);
    shop_off(shop, store, folder);
}

/* More than one command takes, of orders that were shipped a month ago. */
static void parcels_count_as_delivered(enum store store)
{
    enum { PARCELS = 25 };
    static const char *const steps[][2] = { { "pick", "{}" },
                                            { "pack", "{\"packages\":[{\"weight_g\":1}]}" },
                                            { "ship", "{\"carrier\":\"C\",\"tracking\":\"T\"}" } };
    char folder[] = "/tmp/millrace-scheduler.XXXXXX";
    struct shop *shop = shop_on(store, folder);
    receive(shop, "LEJ", "LAMP", PARCELS);
    for (int i = 0; i < PARCELS; i++) {
        char id[32];
        text_in(order(shop, "web", arena_printf(shop->arena, "S-%d", i), "LAMP", 1).body, NULL, "id", id, sizeof id);
        struct reply paid = shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/payments", id),
                                      "{\"kind\":\"captured\",\"amount\":{\"amount\":\"99.00\",\"currency\":\"EUR\"},\"reference\":\"p\"}");
        text_in(paid.body, "\"fulfilments\"", "id", id, sizeof id);
        for (size_t step = 0; step < COUNT(steps); step++)
            shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/%s", id, steps[step][0]), "%s", steps[step][1]);
    }
    must(engine_db(shop->engine), "UPDATE parcel_due SET at = at - 2592000000000");
    run_until(shop, no_parcel_is_due, 0);
    const char *body = shop_must(shop, 200, "GET", "/v1/orders?stage=delivered&limit=100", NULL).body;
    size_t delivered = 0;
    for (const char *at = body; (at = strstr(at, "\"id\":\"ord_")) != NULL; at++)
        delivered++;
    assert_int_equal(delivered, PARCELS);
    shop_off(shop, store, folder);
}

static void parcels_count_as_delivered_on_sqlite(void **state)
{
    (void)state;
    parcels_count_as_delivered(STORE_SQLITE);
}

static void parcels_count_as_delivered_on_postgresql(void **state)
{
    (void)state;
    parcels_count_as_delivered(STORE_POSTGRES);
}

static void what_did_not_come_is_late_on_sqlite(void **state)
{
    (void)state;
    what_did_not_come_is_late(STORE_SQLITE);
}

static void what_did_not_come_is_late_on_postgresql(void **state)
{
    (void)state;
    what_did_not_come_is_late(STORE_POSTGRES);
}

static void the_oldest_hold_up_nobody_on_sqlite(void **state)
{
    (void)state;
    the_oldest_hold_up_nobody(STORE_SQLITE);
}

static void the_oldest_hold_up_nobody_on_postgresql(void **state)
{
    (void)state;
    the_oldest_hold_up_nobody(STORE_POSTGRES);
}

/* Each once, and then the oldest again, also where the last turn took the last. */
static void turns_go_round(void **state)
{
    (void)state;
    struct shop *shop = shop_open(STORE_SQLITE);
    int64_t ids[JOBS_AT_ONCE], after = 0, last = 0;
    size_t count = 0;
    shop_furnish(shop);
    open_jobs(shop);
    for (int turn = 0; turn < 2; turn++) { /* 65 are open: 64, and one */
        assert_int_equal(jobs_turn_of(engine_db(shop->engine), shop->arena, 1, &after, ids, &count), DB_OK);
        assert_int_equal(count, turn == 0 ? STUCK : 1);
        assert_int_equal(ids[0], last + 1);
        last = ids[count - 1];
    }
    assert_int_equal(after, 0);
    must(engine_db(shop->engine), "UPDATE job SET state = 2, ended_at = 1 WHERE id > 64");
    assert_int_equal(jobs_turn_of(engine_db(shop->engine), shop->arena, 1, &after, ids, &count), DB_OK);
    assert_int_equal(after, STUCK);
    assert_int_equal(jobs_turn_of(engine_db(shop->engine), shop->arena, 1, &after, ids, &count), DB_OK); /* none is behind them */
    assert_int_equal(ids[0], 1);
    assert_int_equal(count, STUCK);
    shop_jobs(shop, 1);
    shop_close(shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_go_round),
        cmocka_unit_test(the_oldest_hold_up_nobody_on_sqlite),
        cmocka_unit_test(the_oldest_hold_up_nobody_on_postgresql),
        cmocka_unit_test(what_did_not_come_is_late_on_sqlite),
        cmocka_unit_test(what_did_not_come_is_late_on_postgresql),
        cmocka_unit_test(parcels_count_as_delivered_on_sqlite),
        cmocka_unit_test(parcels_count_as_delivered_on_postgresql),
    };
    return cmocka_run_group_tests_name("scheduler", tests, NULL, NULL);
}
