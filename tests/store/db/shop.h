/* tests/store/db/shop.h: a store for each case, of either kind. PostgreSQL comes from MILLRACE_TEST_POSTGRES (see
 * scripts/postgres-private); without it its cases are skipped, loudly. */
#ifndef MILLRACE_TESTS_DB_SHOP_H
#define MILLRACE_TESTS_DB_SHOP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/db.h"
#include "example_sql.h"
#include "schema.h"

struct shop {
    bool sqlite;
    char url[512], folder[64], database[64];
    struct arena *arena;
    struct db *db;
};

struct scene {
    const char *name;
    CMUnitTestFunction play;
};

/* Plays each scene on both stores; gives the number that failed. */
int play_on_both(const struct scene *scenes, size_t count);

struct db *shop_connect(struct shop *shop, bool projection);
struct thing_row thing(int64_t id, const char *code);
/* Inserts things 1 .. count of unit 1 with codes "c1" ..., stage id % 3. */
void shop_fill(struct shop *shop, int64_t count);

#define INSERT(db, table, ...) \
    db_insert(db, table, (const void *const[]){ __VA_ARGS__ }, sizeof((const void *const[]){ __VA_ARGS__ }) / sizeof(void *))
#define UPDATE(db, table, ...) \
    db_update(db, table, (const void *const[]){ __VA_ARGS__ }, sizeof((const void *const[]){ __VA_ARGS__ }) / sizeof(void *))
#define DELETE(db, table, ...) \
    db_delete(db, table, (const void *const[]){ __VA_ARGS__ }, sizeof((const void *const[]){ __VA_ARGS__ }) / sizeof(void *))
#define assert_ok(db, call)                                                                                \
    do {                                                                                                   \
        enum db_result result_ = (call);                                                                   \
        if (result_ != DB_OK)                                                                              \
            fail_msg("%s: %s: %s", #call, db_result_name(result_), (db) != NULL ? db_last_error(db) : ""); \
    } while (0)

#endif
