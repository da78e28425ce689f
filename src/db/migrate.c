/* src/db/migrate.c: brings a store to the schema that is compiled in.
 * Each migration is a transaction of its own and leaves a row with its checksum; several servers that start at once
 * take turns (PostgreSQL: an advisory lock, SQLite: the one writer), and who comes second finds the row. */
#include "db/spell.h"
#include "db/store.h"

#include <inttypes.h>
#include <string.h>

struct number {
    int64_t number;
};
static const struct db_column applied_columns[] = { { "number", DB_INT, false, offsetof(struct db_applied, number) },
                                                    { "checksum", DB_INT, false, offsetof(struct db_applied, checksum) } };
static const struct db_column number_columns[] = { { "number", DB_INT, false, offsetof(struct number, number) } };
static const enum db_type row_parameters[] = { DB_INT, DB_TEXT, DB_INT };

#define GIVES_NUMBER .columns = number_columns, .column_count = 1, .row_size = sizeof(struct number)
#define BOTH(text) .sqlite = text, .postgres = text

static const struct db_statement table_exists = {
    .name = "schema_migration_exists",
    .sqlite = "SELECT count(*) AS number FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migration'",
    .postgres = "SELECT CAST(CASE WHEN to_regclass('schema_migration') IS NULL THEN 0 ELSE 1 END AS bigint) AS number",
    GIVES_NUMBER,
};
static const struct db_statement tables_of_anybody = {
    .name = "tables_of_anybody",
    .sqlite = "SELECT count(*) AS number FROM sqlite_schema WHERE type = 'table'",
    .postgres = "SELECT count(*) AS number FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
                "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'read') "
                "AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'",
    GIVES_NUMBER,
};
static const struct db_statement tables_of_projection = {
    .name = "tables_of_projection",
    .sqlite = "SELECT count(*) AS number FROM sqlite_schema WHERE type = 'table'",
    .postgres = "SELECT count(*) AS number FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
                "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = 'read'",
    GIVES_NUMBER,
};
static const struct db_statement latest_number = {
    .name = "schema_version",
    BOTH("SELECT coalesce(max(number), 0) AS number FROM schema_migration"),
    GIVES_NUMBER,
};
static const struct db_statement all_applied = {
    .name = "schema_migration_load",
    BOTH("SELECT number, checksum FROM schema_migration ORDER BY number"),
    .columns = applied_columns,
    .column_count = 2,
    .row_size = sizeof(struct db_applied),
};
static const struct db_statement take_turn = {
    .name = "schema_migration_turn",
    .sqlite = "SELECT 0 AS number",
    .postgres = "SELECT CAST(0 AS bigint) AS number FROM pg_advisory_xact_lock(7304801122)",
    GIVES_NUMBER,
};
static const struct db_statement note_applied = {
    .name = "schema_migration_add",
    .sqlite = "INSERT INTO schema_migration (number, name, checksum) VALUES (?1, ?2, ?3)",
    .postgres = "INSERT INTO schema_migration (number, name, checksum) VALUES ($1, $2, $3)",
    .parameters = row_parameters,
    .parameter_count = 3,
};

static enum db_result ask_number(struct db *db, const struct db_statement *statement, int64_t *number)
{
    struct arena *arena = arena_new((size_t)1 << 20);
    struct db_rows rows;
    *number = 0;
    if (arena == NULL)
        return db_say(db, DB_BUSY, NO_MEMORY);
    enum db_result result = db_query(db, arena, statement, NULL, &rows);
    if (result == DB_OK)
        *number = ((const struct number *)db_row(&rows, 0))->number;
    arena_free(arena);
    return result;
}

enum db_result db_schema_version(struct db *db, int64_t *version)
{
    enum db_result result = ask_number(db, &table_exists, version);
    return result == DB_OK && *version > 0 ? ask_number(db, &latest_number, version) : result;
}

int64_t db_schema_latest(bool projection)
{
    size_t count = projection ? db_read_migration_count : db_migration_count;
    return count == 0 ? 0 : (projection ? db_read_migrations : db_migrations)[count - 1].number;
}

bool db_is_empty(struct db *db, enum db_result *result)
{
    int64_t tables = 0;
    *result = ask_number(db, db->projection ? &tables_of_projection : &tables_of_anybody, &tables);
    return *result == DB_OK && tables == 0;
}

/* The table of what was applied, and on PostgreSQL the projections' schema. */
static enum db_result make_table(struct db *db)
{
    if (db_is_sqlite(db))
        return db_script(db, "CREATE TABLE IF NOT EXISTS schema_migration (number INTEGER NOT NULL, name TEXT NOT NULL, checksum INTEGER NOT NULL, "
                             "PRIMARY KEY (number)) STRICT, WITHOUT ROWID");
    enum db_result result = db->projection ? db_script(db, "CREATE SCHEMA IF NOT EXISTS \"read\"") : DB_OK;
    if (result != DB_OK)
        return result;
    return db_script(db, "SET LOCAL statement_timeout = 0;" /* an index over a large table takes its time */
                         "CREATE TABLE IF NOT EXISTS schema_migration (number bigint NOT NULL, name text COLLATE \"C\" NOT NULL, "
                         "checksum bigint NOT NULL, PRIMARY KEY (number))");
}

struct plan {
    struct db *db;
    struct arena *arena;
    const struct db_migration *migrations;
    size_t count;
    const char **error;
};

static const struct db_migration *migration_numbered(const struct plan *plan, int64_t number)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->migrations[i].number == number)
            return &plan->migrations[i];
    return NULL;
}

/* Compares what was applied with what is compiled in, and gives the first that is still to do; NULL for none. */
static enum migrate_result compare(const struct plan *plan, const struct db_rows *rows, const struct db_migration **next)
{
    int64_t latest = plan->count == 0 ? 0 : plan->migrations[plan->count - 1].number;
    *next = NULL;
    for (size_t i = 0; i < rows->count; i++) {
        const struct db_applied *applied = db_row(rows, i);
        const struct db_migration *migration = migration_numbered(plan, applied->number);
        if (applied->number > latest) {
            *plan->error =
                arena_printf(plan->arena, "the database has migration %" PRId64 ", this release knows %" PRId64 ": start the newer release",
                             applied->number, latest);
            return MIGRATE_NEWER;
        }
        if (migration == NULL || migration->checksum != applied->checksum) {
            *plan->error = arena_printf(
                plan->arena, "migration %" PRId64 " was applied with another text: put the text back and write a new migration", applied->number);
            return MIGRATE_CHANGED;
        }
    }
    for (size_t i = 0, k = 0; i < plan->count && *next == NULL; i++) {
        bool done = k < rows->count && ((const struct db_applied *)db_row(rows, k))->number == plan->migrations[i].number;
        k += done;
        if (!done)
            *next = &plan->migrations[i];
    }
    return MIGRATE_DONE;
}

enum db_result db_schema_applied(struct db *db, struct arena *arena, struct db_rows *rows)
{
    int64_t there = 0;
    *rows = (struct db_rows){ 0 };
    enum db_result result = ask_number(db, &table_exists, &there);
    return result == DB_OK && there > 0 ? db_query(db, arena, &all_applied, NULL, rows) : result;
}

enum migrate_result db_schema_judge(const struct db_rows *applied, struct arena *arena, const char **error)
{
    const struct db_migration *next;
    struct plan plan = { .arena = arena, .migrations = db_migrations, .count = db_migration_count, .error = error };
    return compare(&plan, applied, &next);
}

static enum db_result apply(struct db *db, const struct db_migration *migration)
{
    enum db_result result = db_script(db, db_is_sqlite(db) ? migration->sqlite : migration->postgres);
    if (result == DB_OK && !db_is_sqlite(db))
        result = db_script(db, postgres_keys_last);
    const struct db_value values[] = { db_int(migration->number), db_text(migration->name), db_int(migration->checksum) };
    return result == DB_OK ? db_execute(db, &note_applied, values, NULL) : result;
}

/* One transaction: looks, and applies what comes next. *again: something was applied. */
static enum migrate_result step(const struct plan *plan, bool *again)
{
    struct db *db = plan->db;
    struct db_rows rows = { 0 };
    const struct db_migration *next = NULL;
    enum migrate_result outcome = MIGRATE_DONE;
    int64_t nothing;
    *again = false;
    enum db_result result = db_begin(db);
    if (result == DB_OK)
        result = ask_number(db, &take_turn, &nothing);
    if (result == DB_OK)
        result = make_table(db);
    if (result == DB_OK)
        result = db_query(db, plan->arena, &all_applied, NULL, &rows);
    if (result == DB_OK)
        outcome = compare(plan, &rows, &next);
    if (result == DB_OK && outcome == MIGRATE_DONE && next != NULL)
        result = apply(db, next);
    if (result == DB_OK && outcome == MIGRATE_DONE)
        result = db_commit(db);
    if (result == DB_OK && outcome == MIGRATE_DONE) {
        *again = next != NULL;
        return MIGRATE_DONE;
    }
    if (result != DB_OK) {
        *plan->error = arena_printf(plan->arena, "%s: %s", next != NULL ? next->name : "migrations", db_last_error(db));
        outcome = MIGRATE_FAILED;
    }
    db_rollback(db);
    return outcome;
}

enum migrate_result db_migrate(struct db *db, bool projection, struct arena *arena, const char **error)
{
    struct plan plan = { .db = db,
                         .arena = arena,
                         .migrations = projection ? db_read_migrations : db_migrations,
                         .count = projection ? db_read_migration_count : db_migration_count,
                         .error = error };
    enum migrate_result outcome = MIGRATE_DONE;
    for (bool again = true; again && outcome == MIGRATE_DONE;)
        outcome = step(&plan, &again);
    return outcome;
}
