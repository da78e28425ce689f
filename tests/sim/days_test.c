/* tests/sim/days_test.c PART PARTS: promotion days in full, with faults at every step. MILLRACE_DAYS says how many (1,000 where every build is
 * tried, 20,000 by scripts/test --long), of which this process plays its part; MILLRACE_DAYS_POSTGRES how many on PostgreSQL. A day that is not
 * sound is told with the line that plays it again. */
#include "db/db.h"
#include "simulation/days.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* From so many days on each thing must have happened. */
enum { ORDERS = 200, FAULTS = 20, ENOUGH_DAYS = 200 };

static uint64_t part = 1, parts = 1;

static uint64_t number_of(const char *variable, uint64_t preset)
{
    const char *text = getenv(variable);
    return text == NULL ? preset : strtoull(text, NULL, 10);
}

/* What the days print is the test's on failure only. */
static struct day_tallies play(uint64_t from, uint64_t count, int64_t faults)
{
    struct day_tallies tallies = { 0 };
    char *text = NULL;
    size_t size = 0;
    const char *error = "";
    const struct days days = {
        .orders = ORDERS, .faults = faults, .from = from, .count = count, .out = open_memstream(&text, &size), .tallies = &tallies
    };
    const enum days_result result = days_run(&days, &error);
    fclose(days.out);
    if (result != DAYS_DONE)
        fail_msg("%s%s", text, error);
    free(text);
    return tallies;
}

static void the_same_seed_is_the_same_day(void **state)
{
    (void)state;
    const struct day_tallies first = play(4711, 2, FAULTS), second = play(4711, 2, FAULTS), sound = play(4711, 2, 0), other = play(4712, 2, FAULTS);
    assert_memory_equal(&first, &second, sizeof first);
    assert_true(first.digest != sound.digest && first.digest != other.digest);
    for (int i = 0; i < TROUBLE_COUNT; i++)
        assert_int_equal(sound.troubles[i], 0);
}

static void every_day_is_sound_and_all_happens(void **state)
{
    (void)state;
    const uint64_t all = number_of("MILLRACE_DAYS", 20), count = all / parts + (part <= all % parts);
    const struct day_tallies tallies = play(1 + (part - 1) * (all / parts + 1), count, FAULTS);
    days_print(stdout, &tallies, count, 0);
    for (int i = 0; i < TALLY_COUNT && count >= ENOUGH_DAYS; i++)
        if (tallies.of[i] == 0)
            fail_msg("in %lu days nothing was counted of tally %d", (unsigned long)count, i);
    for (int i = 0; i < TROUBLE_COUNT && count >= ENOUGH_DAYS; i++)
        if (tallies.troubles[i] == 0)
            fail_msg("in %lu days there was no trouble %d", (unsigned long)count, i);
}

/* What is not sound is seen, whichever part of the proof it is for. */
static void the_proof_sees_what_is_spoiled(void **state)
{
    (void)state;
#define LAST_SHIPPED "WHERE ord = (SELECT MAX(ord) FROM demand WHERE shipped > 0) AND shipped > 0"
    static const struct {
        const char *sql, *found;
    } cases[] = {
        { "UPDATE position SET quarantined = quarantined + 1 WHERE node = 1001 AND class = 0 AND sku = (SELECT MIN(sku) FROM position)",
          " are booked, and " },
        { "UPDATE demand SET shipped = shipped - 1, backordered = backordered + 1 " LAST_SHIPPED, "has not ended" },
        { "UPDATE demand SET shipped = shipped - 1, cancelled = cancelled + 1 " LAST_SHIPPED, "left in parcels" },
        { "UPDATE exception_item SET state = 1 WHERE id = (SELECT MAX(id) FROM exception_item)", "open at the end" },
        { "DELETE FROM event WHERE seq = 100", "violations" },
        { "UPDATE movement SET quantity = quantity + 1 WHERE id = (SELECT MAX(id) FROM movement)", "violations" },
    };
    struct arena *arena = arena_new((size_t)1 << 30);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct day_tallies tallies = { 0 };
        const char *error = "";
        const struct day_options options = { .url = "sqlite::memory:/spoiled", .orders = 40, .seed = 1, .spoil = cases[i].sql };
        if (day_play(&options, arena, &tallies, &error) || strstr(error, cases[i].found) == NULL)
            fail_msg("%s: %s", cases[i].sql, error == NULL ? "nobody saw it" : error);
        arena_reset(arena);
    }
    arena_free(arena);
}

static void who_stops_them_is_told_where_to_go_on(void **state)
{
    (void)state;
    static volatile sig_atomic_t stop = 1;
    char *text = NULL;
    size_t size = 0;
    const char *error = "";
    const struct days days = { .orders = 20, .from = 7, .count = 5, .out = open_memstream(&text, &size), .stop = &stop };
    assert_int_equal(days_run(&days, &error), DAYS_STOPPED);
    fclose(days.out);
    assert_non_null(strstr(text, "go on with --from 7 --count 5"));
    free(text);
}

/* ---- on PostgreSQL: a database for each day ---- */

static void run_script(struct arena *arena, const char *url, const char *format, const char *name)
{
    struct db *db;
    const char *error = "";
    const struct db_options options = { .url = url };
    if (db_open(&db, &options, arena, &error) != DB_OK || db_script(db, arena_printf(arena, format, name)) != DB_OK)
        fail_msg("%s: %s", url, error);
    db_close(db);
}

static void days_on_postgres(void **state)
{
    (void)state;
    const char *admin = getenv("MILLRACE_TEST_POSTGRES"), *place = admin == NULL ? NULL : strstr(admin, "/postgres"), *error = "";
    const uint64_t count = part == 1 ? number_of("MILLRACE_DAYS_POSTGRES", 1) : 0;
    struct arena *arena = arena_new((size_t)1 << 30);
    struct day_tallies tallies = { 0 };
    for (uint64_t i = 0; i < count && place != NULL; i++) {
        const char *query = strchr(admin, '?'), *name = arena_printf(arena, "day_%d_%lu", (int)getpid(), (unsigned long)i);
        const struct day_options options = {
            .url = arena_printf(arena, "%.*s/%s%s", (int)(place - admin), admin, name, query == NULL ? "" : query),
            .orders = ORDERS,
            .faults = FAULTS,
            .seed = 1 + i,
        };
        run_script(arena, admin, "CREATE DATABASE \"%s\"", name);
        const bool good = day_play(&options, arena, &tallies, &error);
        if (!good)
            fail_msg("seed %lu on PostgreSQL: %s (its database is %s)", (unsigned long)options.seed, error, name);
        run_script(arena, admin, "DROP DATABASE \"%s\" WITH (FORCE)", name);
        arena_reset(arena);
    }
    arena_free(arena);
    if (place == NULL)
        skip();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest first[] = {
        cmocka_unit_test(the_same_seed_is_the_same_day),         cmocka_unit_test(the_proof_sees_what_is_spoiled),
        cmocka_unit_test(who_stops_them_is_told_where_to_go_on), cmocka_unit_test(days_on_postgres),
        cmocka_unit_test(every_day_is_sound_and_all_happens),
    };
    const struct CMUnitTest others[] = { cmocka_unit_test(every_day_is_sound_and_all_happens) };
    if (argc == 3) {
        part = strtoull(argv[1], NULL, 10);
        parts = strtoull(argv[2], NULL, 10);
    }
    return part == 1 ? cmocka_run_group_tests_name("days", first, NULL, NULL) : cmocka_run_group_tests_name("more days", others, NULL, NULL);
}
