/* tests/store/db/shop.c: makes, fills and removes the stores of the cases. */
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void make_sqlite(struct shop *shop)
{
    snprintf(shop->folder, sizeof(shop->folder), "/tmp/millrace-db.XXXXXX");
    assert_non_null(mkdtemp(shop->folder));
    snprintf(shop->url, sizeof(shop->url), "sqlite:%s/shop.db", shop->folder);
}

static void with_server(struct shop *shop, const char *format)
{
    char sql[128];
    const char *error = NULL;
    struct db *server;
    snprintf(sql, sizeof(sql), format, shop->database);
    assert_ok(NULL, db_open(&server, &(struct db_options){ .url = getenv("MILLRACE_TEST_POSTGRES") }, shop->arena, &error));
    assert_ok(server, db_script(server, sql));
    db_close(server);
}

/* A database of the case's own, so that test programs may run beside each other. */
static void make_postgres(struct shop *shop)
{
    const char *server = getenv("MILLRACE_TEST_POSTGRES"), *options = strchr(server, '?');
    const char *scheme_end = strstr(server, "://"), *name = scheme_end != NULL ? strchr(scheme_end + 3, '/') : NULL;
    if (name == NULL)
        fail_msg("MILLRACE_TEST_POSTGRES is not of the form postgres://HOST/DATABASE?...");
    snprintf(shop->database, sizeof(shop->database), "millrace_test_%d_%x", (int)getpid(), (unsigned)(uintptr_t)shop);
    with_server(shop, "CREATE DATABASE %s");
    snprintf(shop->url, sizeof(shop->url), "%.*s/%s%s", (int)(name - server), server, shop->database, options != NULL ? options : "");
}

struct db *shop_connect(struct shop *shop, bool projection)
{
    struct db *db = NULL;
    const char *error = NULL;
    enum db_result result = db_open(&db, &(struct db_options){ .url = shop->url, .create = true, .projection = projection }, shop->arena, &error);
    if (result != DB_OK)
        fail_msg("%s: %s", shop->url, error);
    return db;
}

static int open_shop(void **state)
{
    struct shop *shop = calloc(1, sizeof(*shop));
    const char *error = NULL;
    shop->sqlite = strcmp(*state, "sqlite") == 0;
    shop->arena = arena_new((size_t)256 << 20);
    if (shop->sqlite)
        make_sqlite(shop);
    else
        make_postgres(shop);
    shop->db = shop_connect(shop, false);
    if (db_migrate(shop->db, false, shop->arena, &error) != MIGRATE_DONE)
        fail_msg("migrate: %s", error);
    *state = shop;
    return 0;
}

static int close_shop(void **state)
{
    struct shop *shop = *state;
    char command[128];
    db_close(shop->db);
    if (shop->sqlite) {
        snprintf(command, sizeof(command), "rm -rf '%s'", shop->folder);
        if (system(command) != 0)
            print_error("%s could not be removed\n", shop->folder);
    } else {
        with_server(shop, "DROP DATABASE %s WITH (FORCE)");
    }
    arena_free(shop->arena);
    free(shop);
    return 0;
}

int play_on_both(const struct scene *scenes, size_t count)
{
    static const char *const stores[] = { "sqlite", "postgres" };
    char(*names)[128] = calloc(64, sizeof(*names));
    struct CMUnitTest tests[64];
    size_t stores_used = getenv("MILLRACE_TEST_POSTGRES") != NULL ? 2 : 1, used = 0;
    if (stores_used == 1)
        print_error("SKIPPED: %zu cases on PostgreSQL. Run: scripts/postgres-private run COMMAND\n", count);
    for (size_t store = 0; store < stores_used; store++)
        for (size_t i = 0; i < count && used < COUNT(tests); i++, used++) {
            snprintf(names[used], sizeof(*names), "%s, %s", scenes[i].name, stores[store]);
            tests[used] = (struct CMUnitTest){ names[used], scenes[i].play, open_shop, close_shop, (void *)(uintptr_t)stores[store] };
        }
    int failed = _cmocka_run_group_tests("db", tests, used, NULL, NULL);
    free(names);
    return failed;
}

struct thing_row thing(int64_t id, const char *code)
{
    return (struct thing_row){ .unit = 1, .id = id, .code = code, .amount = NULL_INT, .stage = id % 3 };
}

void shop_fill(struct shop *shop, int64_t count)
{
    struct thing_row *things = ARENA_ARRAY(shop->arena, struct thing_row, (size_t)count);
    const void **rows = ARENA_ARRAY(shop->arena, const void *, (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        things[i] = thing(i + 1, arena_printf(shop->arena, "c%lld", (long long)i + 1));
        rows[i] = &things[i];
    }
    assert_ok(shop->db, db_insert(shop->db, &thing_table, rows, (size_t)count));
}
