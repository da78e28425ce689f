/* src/cli/init.c: millrace init and millrace migrate: what stands in a database before the first server. */
#include "base/when.h"
#include "cli/cli.h"
#include "engine/vault.h"
#include "schema.h"
#include <stdio.h>

static int make_company(const struct flags *flags, struct db *db)
{
    static const uint8_t head[32];
    struct unit_clock_row clock = { .next_id = 1000, .config_version = 1, .audit_head = { head, sizeof head } };
    struct company_row company = { .name = flag(flags, "company", "Company"), .made_at = when_now_us() };
    const void *rows[] = { &clock, &company };
    if (db_begin(db) == DB_OK && db_insert(db, &unit_clock_table, &rows[0], 1) == DB_OK && db_insert(db, &company_table, &rows[1], 1) == DB_OK &&
        db_commit(db) == DB_OK)
        return 0;
    int code = fail_with("the company could not be written: %s", db_last_error(db));
    db_rollback(db);
    return code;
}

/* An init that died has left the schema, and no company: it is taken up again. */
static bool is_half_made(const struct flags *flags, struct db *db)
{
    int64_t version = 0, no_unit = 0;
    struct db_rows clocks;
    return db_schema_version(db, &version) == DB_OK && version == db_schema_latest(false) &&
           db_load(db, flags->arena, &unit_clock_table, &no_unit, 1, &clocks) == DB_OK && clocks.count == 0;
}

static int migrate(const struct flags *flags, struct db *db, bool projection)
{
    const char *error = "";
    enum db_result result = DB_OK;
    if (!projection && !db_is_empty(db, &result) && !is_half_made(flags, db))
        return result == DB_OK ? fail_with("the database is not empty: init makes a company in an empty one") : fail_with("%s", db_last_error(db));
    return db_migrate(db, projection, flags->arena, &error) == MIGRATE_DONE ? 0 : fail_with("%s", error);
}

int run_init(const struct flags *flags)
{
    const char *error = "";
    if (!flags_known(flags, (const char *const[]){ "db", "company", NULL }))
        return 2;
    struct db *db = open_store(flags, true, false), *projection = NULL;
    int code = db == NULL ? 2 : migrate(flags, db, false);
    struct vault *vault = code == 0 ? vault_open(flag(flags, "db", ""), db, true, flags->arena, &error) : NULL;
    if (code == 0 && vault == NULL)
        code = fail_with("%s", error);
    if (code == 0)
        projection = open_store(flags, true, true);
    if (code == 0)
        code = projection == NULL ? 2 : migrate(flags, projection, true);
    if (code == 0)
        code = make_company(flags, db);
    if (code == 0 && !db_is_sqlite(db) && flag(flags, "master-key-file", NULL) == NULL)
        fputs("millrace: the master key stands in the table millrace_secret of the database that it protects; "
              "set MILLRACE_MASTER_KEY_FILE before init to keep it apart\n",
              stderr);
    vault_close(vault);
    db_close(projection);
    db_close(db);
    return code;
}

/* Instant steps only, which add and take nothing away: servers of the release before go on meanwhile. */
int run_migrate(const struct flags *flags)
{
    if (!flags_known(flags, (const char *const[]){ "db", NULL }))
        return 2;
    struct db *db = open_store(flags, false, false), *projection = NULL;
    const char *error = "";
    int64_t version = 0;
    int code = db == NULL ? 2 : 0;
    if (code == 0 && db_schema_version(db, &version) != DB_OK)
        code = fail_with("%s", db_last_error(db));
    if (code == 0 && version == 0)
        code = fail_with("the database is empty: run millrace init first");
    if (code == 0 && db_migrate(db, false, flags->arena, &error) != MIGRATE_DONE)
        code = fail_with("%s", error);
    if (code == 0)
        projection = open_store(flags, true, true);
    if (code == 0 && (projection == NULL || db_migrate(projection, true, flags->arena, &error) != MIGRATE_DONE))
        code = projection == NULL ? 2 : fail_with("%s", error);
    db_close(projection);
    db_close(db);
    return code;
}
