/* tests/store/db/db_bench.c: rows a second through src/db against a bare loop over sqlite3_bind and sqlite3_step, and
 * against statements of eight rows. Batches of 6,400 rows (256 orders of 25 rows), synchronous=OFF: what is compared is
 * the processor's work. Run it by hand: db_bench [postgres://...]; best of five. */
#include "base/when.h"
#include "db/spell.h"
#include "shop.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 6400, BATCHES = 20, EIGHT = 8 };

static void fill(struct thing_row *row, int64_t id)
{
    static char codes[BATCH][24];
    char *code = codes[id % BATCH];
    snprintf(code, sizeof(codes[0]), "code-%lld", (long long)id);
    *row = (struct thing_row){ 1, id, code, "a note of some words", id * 7, id & 1, { NULL, 0 }, 3 };
}

static void check(int code, sqlite3 *handle)
{
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) {
        fprintf(stderr, "SQLite %d: %s\n", code, sqlite3_errmsg(handle));
        exit(1);
    }
}

static sqlite3 *bare_open(const char *path)
{
    sqlite3 *handle;
    unlink(path);
    check(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL), handle);
    check(sqlite3_exec(
              handle, "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-65536",
              NULL, NULL, NULL),
          handle);
    check(sqlite3_exec(
              handle,
              "CREATE TABLE thing (unit INTEGER NOT NULL, id INTEGER NOT NULL, code TEXT NOT NULL, note TEXT, amount INTEGER CHECK (amount >= 0), "
              "open INTEGER NOT NULL, raw BLOB, stage INTEGER NOT NULL, PRIMARY KEY (unit, id)) STRICT, WITHOUT ROWID;"
              "CREATE UNIQUE INDEX thing_code ON thing (unit, code);"
              "CREATE INDEX thing_stage ON thing (unit, stage, id) WHERE stage < 3",
              NULL, NULL, NULL),
          handle);
    return handle;
}

static void bare_bind(sqlite3_stmt *insert, int at, const struct thing_row *row)
{
    sqlite3_bind_int64(insert, at + 1, row->unit);
    sqlite3_bind_int64(insert, at + 2, row->id);
    sqlite3_bind_text(insert, at + 3, row->code, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, at + 4, row->note, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, at + 5, row->amount);
    sqlite3_bind_int64(insert, at + 6, row->open);
    sqlite3_bind_null(insert, at + 7);
    sqlite3_bind_int64(insert, at + 8, row->stage);
}

/* `rows` rows a statement: 1 is the bare loop. */
static double bare_insert(const char *path, int rows)
{
    sqlite3 *handle = bare_open(path);
    sqlite3_stmt *insert;
    char sql[1024] = "INSERT INTO thing VALUES ";
    size_t used = strlen(sql);
    for (int i = 0; i < rows; i++)
        used += (size_t)snprintf(sql + used, sizeof sql - used, "%s(?,?,?,?,?,?,?,?)", i == 0 ? "" : ",");
    check(sqlite3_prepare_v3(handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &insert, NULL), handle);
    struct thing_row *things = calloc(BATCH, sizeof(*things));
    int64_t spent = 0, id = 0;
    for (int batch = 0; batch < BATCHES; batch++) {
        for (int i = 0; i < BATCH; i++)
            fill(&things[i], ++id);
        int64_t from = when_monotonic_us();
        check(sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL), handle);
        for (int i = 0; i < BATCH; i += rows) {
            for (int k = 0; k < rows; k++)
                bare_bind(insert, k * 8, &things[i + k]);
            check(sqlite3_step(insert), handle);
            sqlite3_reset(insert);
        }
        check(sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL), handle);
        spent += when_monotonic_us() - from;
    }
    sqlite3_finalize(insert);
    sqlite3_close(handle);
    free(things);
    return (double)BATCH * BATCHES * 1e6 / (double)spent;
}

static double bare_update(const char *path)
{
    sqlite3 *handle;
    sqlite3_stmt *update;
    check(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), handle);
    check(sqlite3_exec(handle, "PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-65536", NULL, NULL, NULL), handle);
    check(sqlite3_prepare_v3(handle, "UPDATE thing SET note = ?4, amount = ?5, open = ?6, raw = ?7 WHERE unit = ?1 AND id = ?2", -1,
                             SQLITE_PREPARE_PERSISTENT, &update, NULL),
          handle);
    struct thing_row row;
    int64_t from = when_monotonic_us(), id = 0;
    for (int batch = 0; batch < BATCHES; batch++) {
        check(sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL), handle);
        for (int i = 0; i < BATCH; i++) {
            fill(&row, ++id);
            bare_bind(update, 0, &row);
            check(sqlite3_step(update), handle);
            sqlite3_reset(update);
        }
        check(sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL), handle);
    }
    int64_t spent = when_monotonic_us() - from;
    sqlite3_finalize(update);
    sqlite3_close(handle);
    return (double)BATCH * BATCHES * 1e6 / (double)spent;
}

static double bare_load(const char *path)
{
    sqlite3 *handle;
    sqlite3_stmt *load;
    int64_t sum = 0;
    check(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), handle);
    check(sqlite3_exec(handle, "PRAGMA cache_size=-65536", NULL, NULL, NULL), handle);
    check(sqlite3_prepare_v3(handle, "SELECT unit, id, code, note, amount, open, raw, stage FROM thing WHERE unit = ?1 AND id = ?2", -1,
                             SQLITE_PREPARE_PERSISTENT, &load, NULL),
          handle);
    int64_t from = when_monotonic_us(), id = 0;
    for (int batch = 0; batch < BATCHES; batch++) {
        check(sqlite3_exec(handle, "BEGIN", NULL, NULL, NULL), handle);
        for (int i = 0; i < BATCH; i++) {
            sqlite3_bind_int64(load, 1, 1);
            sqlite3_bind_int64(load, 2, ++id);
            check(sqlite3_step(load), handle);
            for (int k = 0; k < 8; k++)
                sum += k == 2 || k == 3 ? sqlite3_column_text(load, k)[0] : sqlite3_column_int64(load, k);
            sqlite3_step(load);
            sqlite3_reset(load);
        }
        check(sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL), handle);
    }
    int64_t spent = when_monotonic_us() - from;
    sqlite3_finalize(load);
    sqlite3_close(handle);
    return sum == 0 ? 0 : (double)BATCH * BATCHES * 1e6 / (double)spent;
}

enum work { WORK_INSERT, WORK_UPDATE, WORK_LOAD, WORK_DELETE, WORK_COUNT };

static void must(struct db *db, enum db_result result)
{
    if (result == DB_OK)
        return;
    fprintf(stderr, "%s: %s\n", db_result_name(result), db_last_error(db));
    exit(1);
}

static void ours(struct db *db, struct arena *arena, double per_second[WORK_COUNT])
{
    struct thing_row *things = calloc(BATCH, sizeof(*things));
    const void **rows = calloc(BATCH, sizeof(*rows));
    int64_t *keys = calloc((size_t)BATCH * 2, sizeof(*keys));
    for (enum work work = WORK_INSERT; work < WORK_COUNT; work++) {
        int64_t spent = 0, id = 0;
        for (int batch = 0; batch < BATCHES; batch++) {
            struct db_rows found;
            for (int i = 0; i < BATCH; i++) {
                fill(&things[i], ++id);
                rows[i] = &things[i];
                keys[2 * (size_t)i] = 1;
                keys[i * 2 + 1] = id;
            }
            int64_t from = when_monotonic_us();
            must(db, db_begin(db));
            must(db, work == WORK_INSERT   ? db_insert(db, &thing_table, rows, BATCH)
                     : work == WORK_UPDATE ? db_update(db, &thing_table, rows, BATCH)
                     : work == WORK_DELETE ? db_delete(db, &thing_table, rows, BATCH)
                                           : db_load(db, arena, &thing_table, keys, BATCH, &found));
            must(db, db_commit(db));
            spent += when_monotonic_us() - from;
            arena_reset(arena);
        }
        double rate = (double)BATCH * BATCHES * 1e6 / (double)spent;
        if (rate > per_second[work])
            per_second[work] = rate;
    }
    free(things);
    free(rows);
    free(keys);
}

int main(int argc, char **argv)
{
    static const char path[] = "/tmp/millrace-bench.db", bare[] = "/tmp/millrace-bench-bare.db";
    const char *url = argc > 1 ? argv[1] : "sqlite:/tmp/millrace-bench.db", *error = "";
    struct arena *arena = arena_new((size_t)64 << 20);
    double rate[WORK_COUNT] = { 0 }, one = 0, eight = 0, update = 0, load = 0;
    for (int i = 0; i < 5; i++) {
        struct db *db;
        unlink(path);
        if (db_open(&db, &(struct db_options){ .url = url, .create = true, .no_sync = true }, arena, &error) != DB_OK ||
            db_migrate(db, false, arena, &error) != MIGRATE_DONE) {
            fprintf(stderr, "%s\n", error);
            return 1;
        }
        ours(db, arena, rate);
        db_close(db);
        double now;
        one = (now = bare_insert(bare, 1)) > one ? now : one;
        update = (now = bare_update(bare)) > update ? now : update;
        load = (now = bare_load(bare)) > load ? now : load;
        eight = (now = bare_insert(bare, EIGHT)) > eight ? now : eight;
    }
    printf("rows/s           ours      bare loop  ours takes\n");
    printf("insert     %10.0f     %10.0f  %.2f of it (bare, eight rows a statement: %.0f)\n", rate[WORK_INSERT], one, one / rate[WORK_INSERT], eight);
    printf("update     %10.0f     %10.0f  %.2f\n", rate[WORK_UPDATE], update, update / rate[WORK_UPDATE]);
    printf("load       %10.0f     %10.0f  %.2f\n", rate[WORK_LOAD], load, load / rate[WORK_LOAD]);
    printf("delete     %10.0f\n", rate[WORK_DELETE]);
    unlink(path);
    unlink(bare);
    arena_free(arena);
    return 0;
}
