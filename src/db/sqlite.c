/* src/db/sqlite.c: the driver for SQLite.
 * Every statement is prepared once a connection and then bound, stepped and reset; an insert takes eight rows at a time
 * (tests/store/db/db_bench.c: 1.4 times a loop over one row, sixteen gain nothing more). Text and blobs are bound without
 * a copy, so a row must stay where it is until its step has ended; each call here returns after that. */
#include "db/spell.h"
#include "db/store.h"
#include "db/wal.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define BUSY_US 5000000
#define NAP_US 200 /* between two looks whether a lock is free: SQLite's own naps grow to 100 ms, and a writer may stand behind */
#define SEVERAL 8  /* rows an insert */
#define UPDATES 4  /* sets of indexed columns that change together, kept prepared for each table */

struct sqlite_update {
    uint64_t set;
    sqlite3_stmt *statement;
};

struct sqlite_table {
    sqlite3_stmt *load, *insert, *insert_several, *remove, *indexed;
    struct sqlite_update updates[UPDATES];
};

/* In memory, and there as long as any connection of this process has it: simulations throw one away in the midst of the day. */
#define NAMED_MEMORY ":memory:/"

struct sqlite {
    struct db db;
    sqlite3 *handle;
    sqlite3_stmt *running; /* a read in whose midst the arena may be full */
    sqlite3_stmt *begin, *begin_read, *commit, *rollback, *look;
    struct sqlite_table *tables; /* by table->number */
    sqlite3_stmt **paths;        /* by path->number */
    struct db_slots statements;
    char *path;         /* of the file, NULL in memory */
    struct db_wal *wal; /* NULL: a commit is durable when it returns */
    int lock;
    int64_t patience_us; /* with who holds what is asked for */
};

static struct sqlite *of(struct db *db)
{
    return (struct sqlite *)(void *)db;
}

/* SQLite counts the bytes of all connections under one lock: a thread that has stepped back and loses its processor while it holds it
 * keeps everyone who allocates. Nobody asks for the sum. */
void db_begin_process(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* refused once SQLite is in use: then it counts */
}

static struct db *sqlite_make(void)
{
    struct sqlite *sqlite = calloc(1, sizeof(*sqlite));
    if (sqlite == NULL)
        return NULL;
    sqlite->lock = -1;
    return &sqlite->db;
}

/* ---- errors ---- */

static enum db_result result_of(int code)
{
    if (code == SQLITE_IOERR_NOMEM) /* nothing is wrong with the disk */
        return DB_BUSY;
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return DB_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
        return DB_BUSY;
    case SQLITE_CONSTRAINT:
        return DB_CONSTRAINT;
    case SQLITE_FULL:
        return DB_FULL;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return DB_IO;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return DB_CORRUPT;
    default:
        return DB_BUG;
    }
}

static enum db_result failed(struct sqlite *sqlite, int code, const char *doing)
{
    return db_say(&sqlite->db, result_of(code), "%s: %s (SQLite %d)", doing, sqlite3_errmsg(sqlite->handle), code);
}

static enum db_result no_memory(struct sqlite *sqlite)
{
    return db_say(&sqlite->db, DB_BUSY, NO_MEMORY);
}

void *sqlite_handle(struct db *db)
{
    return of(db)->handle;
}

/* ---- opening ---- */

static enum db_result pragma(struct sqlite *sqlite, const char *sql)
{
    int code = sqlite3_exec(sqlite->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? DB_OK : failed(sqlite, code, sql);
}

static enum db_result set_up(struct sqlite *sqlite, const struct db_options *options)
{
    char cache[64];
    snprintf(cache, sizeof(cache), "PRAGMA cache_size=-%d", options->cache_kib > 0 ? options->cache_kib : 64 * 1024);
    const bool scrap = options->no_rollback && sqlite->path == NULL;
    const char *const pragmas[] = {
        options->read_only ? "PRAGMA query_only=ON"
        : scrap            ? "PRAGMA page_size=32768" /* few pages: at most commits SQLite walks the table of all that it holds */
                           : "PRAGMA page_size=4096",            /* before the file has its first page */
        options->read_only ? "PRAGMA query_only=ON"
        : scrap            ? "PRAGMA journal_mode=OFF" /* memory has no WAL: a copy of each page, for nothing */
                           : "PRAGMA journal_mode=WAL",
        options->no_sync       ? "PRAGMA synchronous=OFF"
        : options->sync_normal ? "PRAGMA synchronous=NORMAL"
                               : "PRAGMA synchronous=FULL",
        "PRAGMA wal_autocheckpoint=0",
        "PRAGMA foreign_keys=OFF",
        "PRAGMA mmap_size=0", /* an I/O error in mapped memory is a signal, not a result */
        "PRAGMA cell_size_check=ON",
        "PRAGMA temp_store=MEMORY",
        "PRAGMA trusted_schema=OFF",
        cache,
    };
    enum db_result result = DB_OK;
    for (size_t i = 0; result == DB_OK && i < COUNT(pragmas); i++)
        result = pragma(sqlite, pragmas[i]);
    return result;
}

/* SQLite asks again as long as this says 1; `naps`: how often it has asked for the same lock. */
static int nap(void *context, int naps)
{
    const struct sqlite *sqlite = context;
    return (int64_t)naps * NAP_US < sqlite->patience_us && usleep(NAP_US) == 0;
}

static enum db_result sqlite_open(struct db *db, const struct db_options *options)
{
    struct sqlite *sqlite = of(db);
    const char *path = options->url + strlen("sqlite:");
    const bool named = strncmp(path, NAMED_MEMORY, strlen(NAMED_MEMORY)) == 0, in_file = strcmp(path, ":memory:") != 0;
    path += named ? strlen(":memory:") : 0;
    if (in_file)
        sqlite->path = sqlite3_mprintf("%s%s", path, options->projection ? ".read" : "");
    if (in_file && sqlite->path == NULL) /* never a database in memory instead: it would be empty, and forgotten */
        return no_memory(sqlite);
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |= options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (options->create || sqlite->path == NULL)
        flags |= SQLITE_OPEN_CREATE;
    if (sqlite->path == NULL)
        flags = (flags & ~SQLITE_OPEN_READONLY) | SQLITE_OPEN_READWRITE;
    const char *name = sqlite->path != NULL ? sqlite->path : ":memory:";
    if (sqlite->path != NULL && options->sync_later)
        sqlite->wal = options->wal;
    int code = sqlite3_open_v2(name, &sqlite->handle, flags, named ? "memdb" : wal_vfs_name(sqlite->wal));
    if (code != SQLITE_OK)
        return db_say(db, result_of(code), "%s cannot be opened: %s. See that it exists and that this user may read and write it and its folder",
                      name, sqlite->handle != NULL ? sqlite3_errmsg(sqlite->handle) : "no memory");
    sqlite->patience_us = BUSY_US;
    sqlite3_busy_handler(sqlite->handle, nap, sqlite);
    sqlite->tables = calloc(db_table_count + 1, sizeof(*sqlite->tables));
    sqlite->paths = calloc(db_path_count + 1, sizeof(*sqlite->paths));
    if (sqlite->tables == NULL || sqlite->paths == NULL)
        return no_memory(sqlite);
    return set_up(sqlite, options);
}

static void sqlite_close(struct db *db)
{
    struct sqlite *sqlite = of(db);
    for (sqlite3_stmt *s = NULL; sqlite->handle != NULL && (s = sqlite3_next_stmt(sqlite->handle, NULL)) != NULL;)
        sqlite3_finalize(s);
    sqlite3_close(sqlite->handle);
    if (sqlite->lock >= 0)
        close(sqlite->lock);
    free(sqlite->tables);
    free(sqlite->paths);
    free(sqlite->statements.slots);
    sqlite3_free(sqlite->path);
}

/* ---- statements ---- */

static enum db_result prepare(struct sqlite *sqlite, const char *sql, sqlite3_stmt **statement)
{
    int code = sqlite3_prepare_v3(sqlite->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    return code == SQLITE_OK ? DB_OK : failed(sqlite, code, sql);
}

typedef const char *spell_table(struct arena *arena, const struct db_table *table);

static enum db_result prepare_for(struct sqlite *sqlite, const struct db_table *table, spell_table *spell, sqlite3_stmt **statement)
{
    return *statement != NULL ? DB_OK : prepare(sqlite, spell(sqlite->db.texts, table), statement);
}

/* Steps a statement that gives no rows, and makes it ready for the next. */
static inline enum db_result run(struct sqlite *sqlite, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) {
        sqlite3_reset(statement);
        return DB_OK;
    }
    enum db_result result = failed(sqlite, code, sqlite3_sql(statement));
    sqlite3_reset(statement);
    return code == SQLITE_ROW ? db_say(&sqlite->db, DB_BUG, "%s: gives rows", sqlite3_sql(statement)) : result;
}

static inline int bind_int(sqlite3_stmt *statement, int at, int64_t number)
{
    return number == NULL_INT ? sqlite3_bind_null(statement, at) : sqlite3_bind_int64(statement, at, number);
}

static int bind_column(sqlite3_stmt *statement, int at, const struct db_column *column, const char *row)
{
    const char *member = row + column->offset;
    if (column->type == DB_INT) {
        int64_t number;
        memcpy(&number, member, sizeof(number));
        return bind_int(statement, at, number);
    }
    if (column->type == DB_TEXT) {
        const char *text;
        memcpy(&text, member, sizeof(text));
        return sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC); /* NULL binds NULL */
    }
    struct bytes blob;
    memcpy(&blob, member, sizeof(blob));
    return blob.at == NULL ? sqlite3_bind_null(statement, at) : sqlite3_bind_blob64(statement, at, blob.at, blob.size, SQLITE_STATIC);
}

/* The first `count` columns of a row, from parameter `at` on. */
static int bind_row(sqlite3_stmt *statement, int at, const struct db_table *table, size_t count, const void *row)
{
    int code = SQLITE_OK;
    for (size_t i = 0; i < count && code == SQLITE_OK; i++)
        code = bind_column(statement, at + (int)i, &table->columns[i], row);
    return code;
}

static int bind_value(sqlite3_stmt *statement, int at, const struct db_value *value)
{
    switch (value->type) {
    case DB_INT:
        return bind_int(statement, at, value->number);
    case DB_TEXT:
        return sqlite3_bind_text(statement, at, value->text, -1, SQLITE_STATIC);
    case DB_BLOB:
        if (value->blob.at == NULL)
            return sqlite3_bind_null(statement, at);
        return sqlite3_bind_blob64(statement, at, value->blob.at, value->blob.size, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

/* Of a connection that one thread uses (SQLITE_OPEN_NOMUTEX), so that the value may be read where it lies. */
static void read_column(sqlite3_value *value, const struct db_column *column, struct arena *arena, char *row)
{
    char *member = row + column->offset;
    const bool null = sqlite3_value_type(value) == SQLITE_NULL;
    if (column->type == DB_INT) {
        int64_t number = null ? NULL_INT : sqlite3_value_int64(value);
        memcpy(member, &number, sizeof(number));
    } else if (column->type == DB_TEXT) {
        const char *text = null ? NULL : (const char *)sqlite3_value_text(value);
        if (text != NULL)
            text = arena_text_n(arena, text, (size_t)sqlite3_value_bytes(value));
        memcpy(member, &text, sizeof(text));
    } else {
        struct bytes blob = { NULL, 0 };
        if (!null) {
            const void *at_bytes = sqlite3_value_blob(value);
            blob.size = (size_t)sqlite3_value_bytes(value);
            uint8_t *copy = arena_alloc(arena, blob.size + 1); /* an empty blob is not NULL */
            if (blob.size > 0)
                memcpy(copy, at_bytes, blob.size);
            blob.at = copy;
        }
        memcpy(member, &blob, sizeof(blob));
    }
}

/* Takes all rows of a bound statement, and makes it ready for the next. */
static enum db_result take_rows(struct sqlite *sqlite, sqlite3_stmt *statement, const struct db_column *columns, size_t column_count,
                                struct arena *arena, struct db_rows *rows, size_t *room)
{
    int code;
    sqlite->running = statement;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        char *row = db_rows_add(arena, rows, room);
        for (size_t i = 0; i < column_count; i++)
            read_column(sqlite3_column_value(statement, (int)i), &columns[i], arena, row);
    }
    enum db_result result = code == SQLITE_DONE ? DB_OK : failed(sqlite, code, sqlite3_sql(statement));
    sqlite3_reset(statement);
    sqlite->running = NULL;
    return result;
}

static void sqlite_abandon(struct db *db)
{
    struct sqlite *sqlite = of(db);
    if (sqlite->running != NULL)
        sqlite3_reset(sqlite->running); /* else its read transaction keeps the WAL from being restarted */
    sqlite->running = NULL;
}

/* ---- transactions ---- */

static enum db_result run_text(struct sqlite *sqlite, const char *sql, sqlite3_stmt **statement)
{
    enum db_result result = *statement != NULL ? DB_OK : prepare(sqlite, sql, statement);
    return result == DB_OK ? run(sqlite, *statement) : result;
}

static enum db_result sqlite_begin(struct db *db, enum db_state state)
{
    struct sqlite *sqlite = of(db);
    return state == DB_WRITING ? run_text(sqlite, "BEGIN IMMEDIATE", &sqlite->begin) : run_text(sqlite, "BEGIN", &sqlite->begin_read);
}

static enum db_result sqlite_commit(struct db *db)
{
    struct db_wal *wal = of(db)->wal;
    int64_t sent = wal_sent(wal);
    wal_committing(wal, true);
    enum db_result result = run_text(of(db), "COMMIT", &of(db)->commit);
    wal_committing(wal, false);
    if (result == DB_OK)
        wal_committed(wal);
    return result == DB_OK || wal_sent(wal) == sent ? result : DB_IO; /* all of it is in the file, and a restart would find it */
}

/* SQLite takes a snapshot with the first read only. */
static enum db_result sqlite_look(struct db *db)
{
    return run_text(of(db), "SELECT 1 FROM sqlite_schema WHERE rowid < 0", &of(db)->look);
}

/* Runs ROLLBACK whatever sqlite3_get_autocommit says: after some errors SQLite has rolled back by itself, and then the
 * statement fails, which is what we want. */
static enum db_result sqlite_rollback(struct db *db)
{
    struct sqlite *sqlite = of(db);
    for (sqlite3_stmt *s = sqlite3_next_stmt(sqlite->handle, NULL); s != NULL; s = sqlite3_next_stmt(sqlite->handle, s))
        if (sqlite3_stmt_busy(s))
            sqlite3_reset(s);
    sqlite->running = NULL;
    char said[sizeof(db->error)];
    memcpy(said, db->error, sizeof(said));
    enum db_result result = run_text(sqlite, "ROLLBACK", &sqlite->rollback);
    if (sqlite3_get_autocommit(sqlite->handle) == 0) /* the connection is of no use any more: to be opened again */
        return db_say(db, DB_LOST, "a transaction could not be ended (%s): %.300s", db_result_name(result), said);
    memcpy(db->error, said, sizeof(said)); /* why there was a rollback is what the log wants */
    return DB_OK;
}

/* ---- rows ---- */

static enum db_result sqlite_load(struct db *db, struct arena *arena, const struct db_table *table, const int64_t *keys, size_t count,
                                  struct db_rows *rows)
{
    struct sqlite *sqlite = of(db);
    sqlite3_stmt **statement = &sqlite->tables[table->number].load;
    enum db_result result = prepare_for(sqlite, table, spell_sqlite_load, statement);
    size_t room = count;
    if (result == DB_OK)
        rows->at = arena_alloc_array(arena, count, rows->stride);
    for (size_t i = 0; i < count && result == DB_OK; i++) {
        for (size_t k = 0; k < table->key_count; k++)
            sqlite3_bind_int64(*statement, (int)k + 1, *keys++);
        result = take_rows(sqlite, *statement, table->columns, table->column_count, arena, rows, &room);
    }
    return result;
}

static enum db_result sqlite_load_path(struct db *db, struct arena *arena, const struct db_path *path, const struct db_value *prefixes, size_t count,
                                       size_t limit, struct db_rows *rows)
{
    struct sqlite *sqlite = of(db);
    sqlite3_stmt **statement = &sqlite->paths[path->number];
    enum db_result result = *statement != NULL ? DB_OK : prepare(sqlite, spell_sqlite_path(db->texts, path), statement);
    size_t room = 0;
    for (size_t i = 0; i < count && result == DB_OK; i++) {
        for (size_t k = 0; k < path->prefix_count; k++)
            bind_value(*statement, (int)k + 1, prefixes++);
        sqlite3_bind_int64(*statement, (int)path->prefix_count + 1, limit == 0 ? -1 : (int64_t)limit);
        result = take_rows(sqlite, *statement, path->table->columns, path->table->column_count, arena, rows, &room);
    }
    return result;
}

static enum db_result prepare_insert(struct sqlite *sqlite, const struct db_table *table, size_t rows, sqlite3_stmt **statement)
{
    return *statement != NULL ? DB_OK : prepare(sqlite, spell_sqlite_insert(sqlite->db.texts, table, rows), statement);
}

static enum db_result insert_rows(struct sqlite *sqlite, const struct db_table *table, sqlite3_stmt *statement, const void *const *rows, size_t count)
{
    int code = SQLITE_OK;
    for (size_t i = 0; i < count && code == SQLITE_OK; i++)
        code = bind_row(statement, (int)(i * table->column_count) + 1, table, table->column_count, rows[i]);
    return code == SQLITE_OK ? run(sqlite, statement) : failed(sqlite, code, sqlite3_sql(statement));
}

static enum db_result sqlite_insert(struct db *db, const struct db_table *table, const void *const *rows, size_t count)
{
    struct sqlite *sqlite = of(db);
    struct sqlite_table *own = &sqlite->tables[table->number];
    enum db_result result = prepare_insert(sqlite, table, 1, &own->insert);
    if (result == DB_OK && count >= SEVERAL)
        result = prepare_insert(sqlite, table, SEVERAL, &own->insert_several);
    while (count > 0 && result == DB_OK) {
        size_t now = count >= SEVERAL ? SEVERAL : 1;
        result = insert_rows(sqlite, table, now == 1 ? own->insert : own->insert_several, rows, now);
        rows += now;
        count -= now;
    }
    return result;
}

static enum db_result must_have_changed(struct sqlite *sqlite, const struct db_table *table, const void *row)
{
    if (sqlite3_changes(sqlite->handle) == 1)
        return DB_OK;
    int64_t key[2] = { 0, 0 };
    for (size_t i = 0; i < table->key_count && i < COUNT(key); i++)
        memcpy(&key[i], (const char *)row + table->columns[i].offset, sizeof(key[i]));
    return db_say(&sqlite->db, DB_BUG, "%s: the row (%lld, %lld, ..) is not there", table->name, (long long)key[0], (long long)key[1]);
}

static bool column_is(sqlite3_stmt *statement, int at, const struct db_column *column, const char *row)
{
    const char *member = row + column->offset;
    bool null = sqlite3_column_type(statement, at) == SQLITE_NULL;
    if (column->type == DB_INT) {
        int64_t number;
        memcpy(&number, member, sizeof(number));
        return number == (null ? NULL_INT : sqlite3_column_int64(statement, at));
    }
    if (column->type == DB_TEXT) {
        const char *text;
        memcpy(&text, member, sizeof(text));
        return text_equal(text, null ? NULL : (const char *)sqlite3_column_text(statement, at));
    }
    return false; /* nobody indexes a blob that changes */
}

/* The columns to set: all that stand in no index, and those of the indexed that change. */
static enum db_result columns_to_set(struct sqlite *sqlite, const struct db_table *table, const void *row, uint64_t *set)
{
    *set = ~UINT64_C(0);
    if (table->indexed == 0)
        return DB_OK;
    sqlite3_stmt **statement = &sqlite->tables[table->number].indexed;
    enum db_result result = prepare_for(sqlite, table, spell_sqlite_indexed, statement);
    if (result != DB_OK)
        return result;
    bind_row(*statement, 1, table, table->key_count, row);
    int code = sqlite3_step(*statement);
    if (code == SQLITE_ROW) {
        int at = 0;
        *set = ~table->indexed;
        for (size_t i = 0; i < table->column_count; i++)
            if ((table->indexed >> i & 1) != 0 && !column_is(*statement, at++, &table->columns[i], row))
                *set |= UINT64_C(1) << i;
    }
    result = code == SQLITE_ROW || code == SQLITE_DONE ? DB_OK : failed(sqlite, code, sqlite3_sql(*statement));
    sqlite3_reset(*statement);
    return result;
}

/* The statement for a set of columns; past UPDATES sets, the one that sets all. */
static enum db_result update_for(struct sqlite *sqlite, const struct db_table *table, uint64_t set, sqlite3_stmt **statement)
{
    struct sqlite_update *updates = sqlite->tables[table->number].updates;
    size_t i = 0;
    while (i < UPDATES - 1 && updates[i].statement != NULL && updates[i].set != set)
        i++;
    if (i == UPDATES - 1)
        set = ~UINT64_C(0);
    updates[i].set = set;
    enum db_result result = DB_OK;
    if (updates[i].statement == NULL)
        result = prepare(sqlite, spell_sqlite_update(sqlite->db.texts, table, set), &updates[i].statement);
    *statement = updates[i].statement;
    return result;
}

static enum db_result update_row(struct sqlite *sqlite, const struct db_table *table, const void *row)
{
    uint64_t set;
    sqlite3_stmt *statement;
    enum db_result result = columns_to_set(sqlite, table, row, &set);
    if (result == DB_OK)
        result = update_for(sqlite, table, set, &statement);
    if (result != DB_OK)
        return result;
    int parameters = sqlite3_bind_parameter_count(statement), code = SQLITE_OK;
    for (int i = 0; i < parameters && code == SQLITE_OK; i++) /* those that the statement does not use are bound for nothing */
        code = bind_column(statement, i + 1, &table->columns[i], row);
    result = code == SQLITE_OK ? run(sqlite, statement) : failed(sqlite, code, sqlite3_sql(statement));
    return result == DB_OK ? must_have_changed(sqlite, table, row) : result;
}

static enum db_result sqlite_update(struct db *db, const struct db_table *table, const void *const *rows, size_t count)
{
    enum db_result result = DB_OK;
    for (size_t i = 0; i < count && result == DB_OK; i++)
        result = update_row(of(db), table, rows[i]);
    return result;
}

static enum db_result sqlite_remove(struct db *db, const struct db_table *table, const void *const *rows, size_t count)
{
    struct sqlite *sqlite = of(db);
    sqlite3_stmt **statement = &sqlite->tables[table->number].remove;
    enum db_result result = prepare_for(sqlite, table, spell_sqlite_delete, statement);
    for (size_t i = 0; i < count && result == DB_OK; i++) {
        bind_row(*statement, 1, table, table->key_count, rows[i]);
        result = run(sqlite, *statement);
        if (result == DB_OK)
            result = must_have_changed(sqlite, table, rows[i]);
    }
    return result;
}

/* ---- statements of .sql files ---- */

static enum db_result bound(struct sqlite *sqlite, const struct db_statement *statement, const struct db_value *values, sqlite3_stmt **out)
{
    void **slot = db_slot(&sqlite->statements, statement);
    if (slot == NULL)
        return no_memory(sqlite);
    enum db_result result = *slot != NULL ? DB_OK : prepare(sqlite, statement->sqlite, (sqlite3_stmt **)slot);
    *out = *slot;
    for (size_t i = 0; i < statement->parameter_count && result == DB_OK; i++) {
        int code = bind_value(*out, (int)i + 1, &values[i]);
        if (code != SQLITE_OK)
            result = failed(sqlite, code, statement->name);
    }
    return result;
}

static enum db_result sqlite_query(struct db *db, struct arena *arena, const struct db_statement *statement, const struct db_value *values,
                                   struct db_rows *rows)
{
    sqlite3_stmt *prepared = NULL;
    size_t room = 0;
    enum db_result result = bound(of(db), statement, values, &prepared);
    if (result != DB_OK)
        return result;
    return take_rows(of(db), prepared, statement->columns, statement->column_count, arena, rows, &room);
}

static enum db_result sqlite_read(struct db *db, struct arena *arena, struct db_read *reads, size_t count)
{
    enum db_result result = DB_OK;
    for (struct db_read *read = reads; read < reads + count && result == DB_OK; read++) {
        if (read->statement != NULL)
            result = sqlite_query(db, arena, read->statement, read->prefixes, &read->rows);
        else if (read->path != NULL)
            result = sqlite_load_path(db, arena, read->path, read->prefixes, read->count, read->limit, &read->rows);
        else /* BEGIN IMMEDIATE has locked all rows */
            result = sqlite_load(db, arena, read->table, read->keys, read->count, &read->rows);
        db_note_snapshot(db);
    }
    return result;
}

static enum db_result sqlite_execute(struct db *db, const struct db_statement *statement, const struct db_value *values, int64_t *changed)
{
    sqlite3_stmt *prepared = NULL;
    enum db_result result = bound(of(db), statement, values, &prepared);
    if (result == DB_OK)
        result = run(of(db), prepared);
    if (result == DB_OK && changed != NULL)
        *changed = sqlite3_changes64(of(db)->handle);
    return result;
}

static enum db_result sqlite_script(struct db *db, const char *sql)
{
    int code = sqlite3_exec(of(db)->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? DB_OK : failed(of(db), code, "script");
}

/* ---- the WAL, and the lock ---- */

/* The copied pages go to the disk now. SQLite syncs them when nothing is left to copy, which under load is only once the
 * writer waits: then 40 MiB of scattered pages, tens of milliseconds. */
static int sync_copied(struct sqlite *sqlite)
{
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(sqlite->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK || file->pMethods == NULL)
        return code;
    return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

static enum db_result sqlite_checkpoint(struct db *db, int64_t finish_us, int64_t *wal_bytes)
{
    const bool finish = finish_us > 0;
    int frames = 0, copied = 0;
    of(db)->patience_us = finish_us;
    int code = sqlite3_wal_checkpoint_v2(of(db)->handle, "main", finish ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
    of(db)->patience_us = BUSY_US;
    if (code == SQLITE_OK && !finish)
        code = sync_copied(of(db));
    if (code != SQLITE_OK)
        return failed(of(db), code, "checkpoint");
    /* After RESTART the frames still lie in the file, but the next write begins at its start. */
    *wal_bytes = finish || frames < 0 ? 0 : (int64_t)frames * WAL_FRAME_BYTES;
    return DB_OK;
}

/* What the pager wrote: in WAL mode that is frames, spilled ones too; a checkpoint's copies are not counted. */
static enum db_result sqlite_wal_use(struct db *db, struct db_wal_use *use)
{
    int now = 0, highest = 0;
    int code = sqlite3_db_status(of(db)->handle, SQLITE_DBSTATUS_CACHE_WRITE, &now, &highest, 1);
    if (code != SQLITE_OK)
        return failed(of(db), code, "sqlite3_db_status");
    *use = (struct db_wal_use){ .pages = now, .records = now, .bytes = (int64_t)now * WAL_FRAME_BYTES };
    return DB_OK;
}

static enum db_result sqlite_lock_file(struct db *db)
{
    struct sqlite *sqlite = of(db);
    if (sqlite->path == NULL || sqlite->lock >= 0)
        return DB_OK;
    char *name = sqlite3_mprintf("%s.lock", sqlite->path);
    if (name == NULL)
        return no_memory(sqlite);
    enum db_result result = DB_OK;
    int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock < 0)
        result = db_say(db, DB_IO, "%s cannot be made: %m. See that this user may write its folder", name);
    else if (flock(lock, LOCK_EX | LOCK_NB) != 0)
        result = db_say(db, DB_BUSY, "another process has %s: stop it first", name);
    if (result == DB_OK)
        sqlite->lock = lock;
    else if (lock >= 0)
        close(lock);
    sqlite3_free(name);
    return result;
}

const struct db_driver sqlite_driver = {
    .make = sqlite_make,
    .open = sqlite_open,
    .close = sqlite_close,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .look = sqlite_look,
    .read = sqlite_read,
    .insert = sqlite_insert,
    .update = sqlite_update,
    .remove = sqlite_remove,
    .execute = sqlite_execute,
    .script = sqlite_script,
    .abandon = sqlite_abandon,
    .checkpoint = sqlite_checkpoint,
    .wal_use = sqlite_wal_use,
    .lock_file = sqlite_lock_file,
    .copy_out = sqlite_copy_out,
};
