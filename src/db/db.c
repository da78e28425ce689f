/* src/db/db.c: the face over both drivers.
 * It keeps what callers rely on whatever the store does: after an error inside a transaction nothing reaches the store
 * but a rollback (SQLite rolls back by itself when the disk is full, and the next statement would commit alone), rows
 * are written in the order of their keys, and an arena that is full leaves no foreign handle open. */
#include "db/store.h"
#include "base/when.h"
#include "db/wal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_BYTES ((size_t)64 << 20)
#define AHEAD_US_MAX 100000 /* age of a snapshot that was taken ahead */

const char *db_result_name(enum db_result result)
{
    static const char *const names[] = { "ok", "busy", "constraint", "lost", "full", "io", "corrupt", "bug" };
    return names[result];
}

enum db_result db_say(struct db *db, enum db_result result, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(db->error, sizeof(db->error), format, args);
    va_end(args);
    if (result == DB_LOST)
        db->lost = true;
    return result;
}

/* ---- opening and closing ---- */

static const struct db_driver *driver_of(const char *url)
{
    if (strncmp(url, "sqlite:", 7) == 0)
        return &sqlite_driver;
    if (strncmp(url, "postgres://", 11) == 0 || strncmp(url, "postgresql://", 13) == 0)
        return &postgres_driver;
    return NULL;
}

/* A failure is told also where there is no memory to say why. */
static const char *said_in(struct arena *arena, const char *error)
{
    const char *volatile said = NO_MEMORY;
    struct arena_door full, *outer = arena_set_door(arena, &full);
    if (setjmp(full.where) == 0)
        said = arena_text(arena, error);
    arena_set_door(arena, outer);
    return said;
}

enum db_result db_open(struct db **out, const struct db_options *options, struct arena *arena, const char **error)
{
    const struct db_driver *driver = driver_of(options->url);
    *out = NULL;
    if (driver == NULL) {
        *error = arena_printf(arena, "\"%s\" names no store: write sqlite:PATH or postgres://HOST/NAME", options->url);
        return DB_BUG;
    }
    struct db *db = driver->make();
    if (db != NULL)
        db->texts = arena_new(TEXTS_BYTES);
    if (db == NULL || db->texts == NULL) {
        free(db);
        *error = NO_MEMORY;
        return DB_BUSY;
    }
    db->driver = driver;
    db->projection = options->projection;
    db->wal = options->projection ? NULL : options->wal;
    enum db_result result = driver->open(db, options);
    if (result != DB_OK) {
        *error = said_in(arena, db->error);
        db_close(db);
        return result;
    }
    *out = db;
    return DB_OK;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    db->driver->close(db);
    arena_free(db->texts);
    free(db->order);
    free(db);
}

bool db_is_sqlite(const struct db *db)
{
    return db->driver == &sqlite_driver;
}

bool db_is_lost(const struct db *db)
{
    return db->lost;
}

const char *db_last_error(const struct db *db)
{
    return db->error;
}

/* ---- what stands before and behind each call ---- */

/* True when the failure that a test has ordered is due now. */
static bool fail_is_due(struct db *db, bool commits)
{
    if (db->fail.countdown == 0)
        return false;
    if (db->fail.countdown > 1) {
        db->fail.countdown--;
        return false;
    }
    if (db->fail.after_commit && !commits)
        return false; /* waits for the next commit */
    db->fail.countdown = 0;
    return true;
}

static enum db_result leave(struct db *db, enum db_result result)
{
    if (result == DB_LOST)
        db->lost = true;
    if (result != DB_OK && db->state != DB_IDLE) {
        db->state = DB_FAILED;
        db->failure = result;
    }
    return result;
}

static enum db_result enter(struct db *db)
{
    if (db->lost)
        return DB_LOST;
    if (db->state == DB_FAILED)
        return db->failure;
    if (db->fail.after_commit || !fail_is_due(db, false))
        return DB_OK;
    enum db_result result = db_say(db, db->fail.result, "a test ordered: %s", db_result_name(db->fail.result));
    if (db->state != DB_IDLE && (result == DB_LOST || result == DB_FULL || result == DB_IO))
        db->driver->rollback(db); /* as the stores do by themselves */
    return leave(db, result);
}

bool db_fail_at(struct db *db, int64_t n, enum db_result result, bool after_commit)
{
    const bool waited = db->fail.countdown > 0;
    db->fail.countdown = n;
    db->fail.result = result;
    db->fail.after_commit = after_commit;
    return waited;
}

/* ---- transactions ---- */

enum db_ahead db_ahead(const struct db *db)
{
    if (!db->ahead || wal_begins_anew(db->wal) || when_monotonic_us() - db->ahead_at_us > AHEAD_US_MAX)
        return DB_AHEAD_NOT;
    const int64_t synced = wal_synced(db->wal);
    return synced > db->ahead_has ? DB_AHEAD_NOT : synced < db->ahead_has ? DB_AHEAD_WAITS : DB_AHEAD_DURABLE;
}

void db_let_go(struct db *db)
{
    if (!db->ahead)
        return;
    db->ahead = false;
    (void)leave(db, db->driver->rollback(db));
}

bool db_look_ahead(struct db *db, const struct db *beside)
{
    if (db->wal == NULL || db->driver->look == NULL || db->lost || db->state != DB_IDLE)
        return false;
    if (db_ahead(db) != DB_AHEAD_NOT)
        return true;
    db_let_go(db);
    const int64_t shown = wal_shown(db->wal);
    const bool is_there = beside != NULL && beside->ahead && beside->ahead_has == shown;
    if (db->lost || is_there || wal_begins_anew(db->wal) || wal_sent(db->wal) > shown)
        return false;
    db->ahead = true;
    db->ahead_has = db->seen = shown;
    db->ahead_at_us = when_monotonic_us();
    if (db->driver->begin(db, DB_READING) != DB_OK || db->driver->look(db) != DB_OK || wal_sent(db->wal) > shown)
        db_let_go(db); /* a commit came meanwhile: it may show that one or not */
    return db->ahead;
}

static enum db_result begin(struct db *db, enum db_state state)
{
    enum db_result result = enter(db);
    if (result != DB_OK)
        return result;
    if (db->state != DB_IDLE)
        return leave(db, db_say(db, DB_BUG, "a transaction is open already"));
    if (state == DB_READING && db_ahead(db) != DB_AHEAD_NOT) {
        db->state = state;
        return DB_OK;
    }
    db_let_go(db);
    if (db->lost)
        return DB_LOST;
    db->snapshot_noted = false;
    result = db->driver->begin(db, state);
    if (result == DB_OK)
        db->state = state;
    return leave(db, result);
}

enum db_result db_begin(struct db *db)
{
    return begin(db, DB_WRITING);
}

enum db_result db_begin_read(struct db *db)
{
    return begin(db, DB_READING);
}

enum db_result db_commit(struct db *db)
{
    enum db_result result = enter(db);
    if (result != DB_OK)
        return result;
    if (db->state == DB_IDLE)
        return db_say(db, DB_BUG, "there is no transaction to commit");
    if (db->ahead) {
        db->state = DB_IDLE;
        return DB_OK;
    }
    bool then_lost = db->fail.after_commit && fail_is_due(db, true);
    result = leave(db, db->driver->commit(db));
    if (result != DB_OK)
        return result;
    db->state = DB_IDLE;
    return then_lost ? db_say(db, DB_LOST, "a test ordered: lost after the commit") : DB_OK;
}

enum db_result db_rollback(struct db *db)
{
    enum db_result result = DB_OK;
    if (db->ahead && !db->lost && db->state != DB_FAILED) {
        db->state = DB_IDLE;
        return DB_OK;
    }
    if (db->lost)
        result = DB_LOST; /* the server has rolled back, or will when it sees the connection gone */
    else
        result = db->driver->rollback(db);
    db->ahead = false;
    db->state = DB_IDLE;
    return leave(db, result);
}

/* ---- the driver's calls: an arena may be full in the midst of them, the caller's or the one of the statements' texts ---- */

typedef enum db_result write_call(struct db *db, const struct db_table *table, const void *const *rows, size_t count);

struct call {
    enum { CALL_READ, CALL_WRITE, CALL_EXECUTE } what;
    struct db_read *reads;
    size_t count; /* of reads, or of rows */
    write_call *write;
    const struct db_table *table;
    const void *const *rows;
    const struct db_statement *statement;
    const struct db_value *values;
    int64_t *changed;
};

static enum db_result call_now(struct db *db, struct arena *arena, const struct call *call)
{
    switch (call->what) {
    case CALL_READ:
        return db->driver->read(db, arena, call->reads, call->count);
    case CALL_WRITE:
        return call->write(db, call->table, call->rows, call->count);
    case CALL_EXECUTE:
        return db->driver->execute(db, call->statement, call->values, call->changed);
    }
    return DB_BUG;
}

/* Without memory for a statement's text the call fails. Without memory for the caller's rows it leaves by his door, or
 * fails, too, where he has set none. */
static enum db_result call_guarded(struct db *db, struct arena *arena, const struct call *call)
{
    struct arena_door ours, texts, *outer = arena == NULL ? NULL : arena_set_door(arena, &ours);
    volatile bool rows_full = false;
    arena_set_door(db->texts, &texts);
    if (setjmp(texts.where) == 0) {
        if (setjmp(ours.where) == 0) {
            enum db_result result = leave(db, call_now(db, arena, call));
            arena_set_door(db->texts, NULL);
            if (arena != NULL)
                arena_set_door(arena, outer);
            return result;
        }
        rows_full = true;
    }
    arena_set_door(db->texts, NULL);
    if (arena != NULL)
        arena_set_door(arena, outer);
    db->driver->abandon(db);
    if (rows_full && outer != NULL)
        arena_leave_again(&ours, outer);
    return leave(db, db_say(db, DB_BUSY, NO_MEMORY));
}

static bool asks_nothing(const struct db_read *read)
{
    return read->statement == NULL && read->count == 0;
}

void db_note_snapshot(struct db *db)
{
    if (db->wal == NULL || db->ahead || (db->state == DB_READING && db->snapshot_noted))
        return;
    db->seen = wal_sent(db->wal);
    db->snapshot_noted = true;
}

enum db_result db_settle(struct db *db)
{
    return db->wal == NULL ? DB_OK : wal_settle(db->wal, db->seen);
}

static enum db_result read_guarded(struct db *db, struct arena *arena, struct db_read *reads, size_t count)
{
    enum db_result result = DB_OK;
    for (size_t i = 0; i < count && result == DB_OK; i++) /* each is a statement that a test may have fail */
        result = asks_nothing(&reads[i]) ? DB_OK : enter(db);
    const struct call call = { .what = CALL_READ, .reads = reads, .count = count };
    return result != DB_OK ? result : call_guarded(db, arena, &call);
}

static int compare_keys(const int64_t *a, const int64_t *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

static int compare_keys_for_qsort(const void *a, const void *b, void *key_count)
{
    return compare_keys(a, b, *(const size_t *)key_count);
}

/* The keys ascending and each once: the store walks its pages in order, and no row comes twice. */
static const int64_t *keys_in_order(struct arena *arena, const int64_t *keys, size_t key_count, size_t *count)
{
    size_t i = 1;
    while (i < *count && compare_keys(keys + (i - 1) * key_count, keys + i * key_count, key_count) < 0)
        i++;
    if (i >= *count)
        return keys;
    int64_t *sorted = ARENA_ARRAY(arena, int64_t, *count * key_count);
    size_t bytes = key_count * sizeof(int64_t), kept = 1;
    memcpy(sorted, keys, *count * bytes);
    qsort_r(sorted, *count, bytes, compare_keys_for_qsort, &key_count);
    for (i = 1; i < *count; i++)
        if (compare_keys(sorted + (kept - 1) * key_count, sorted + i * key_count, key_count) != 0)
            memmove(sorted + kept++ * key_count, sorted + i * key_count, bytes);
    *count = kept;
    return sorted;
}

/* Makes a read ready for the driver. */
static enum db_result read_check(struct db *db, struct arena *arena, struct db_read *read)
{
    const struct db_table *table = read->table;
    assert(read->statement != NULL || read->path != NULL || table != NULL);
    size_t stride = read->statement != NULL ? read->statement->row_size : read->path != NULL ? read->path->table->row_size : table->row_size;
    read->rows = (struct db_rows){ .stride = stride };
    if (read->statement != NULL || read->path != NULL)
        return DB_OK;
    if (table->key_count == 0)
        return leave(db, db_say(db, DB_BUG, "%s has no key of numbers: load it by a path", table->name));
    if (read->lock && db->state != DB_WRITING && db->state != DB_FAILED)
        return leave(db, db_say(db, DB_BUG, "%s is locked in no transaction that writes", table->name));
    if (read->count > 0)
        read->keys = keys_in_order(arena, read->keys, table->key_count, &read->count);
    return DB_OK;
}

enum db_result db_read_all(struct db *db, struct arena *arena, struct db_read *reads, size_t count)
{
    enum db_result result = DB_OK;
    bool something = false;
    for (size_t i = 0; i < count && result == DB_OK; i++) {
        result = read_check(db, arena, &reads[i]);
        something = something || !asks_nothing(&reads[i]);
    }
    if (db->state == DB_IDLE && db_ahead(db) == DB_AHEAD_NOT)
        db_let_go(db);
    return result == DB_OK && something ? read_guarded(db, arena, reads, count) : result;
}

static enum db_result read_one(struct db *db, struct arena *arena, struct db_read *read, struct db_rows *rows)
{
    enum db_result result = db_read_all(db, arena, read, 1);
    *rows = read->rows;
    return result;
}

enum db_result db_load(struct db *db, struct arena *arena, const struct db_table *table, const int64_t *keys, size_t count, struct db_rows *rows)
{
    return read_one(db, arena, &(struct db_read){ .table = table, .keys = keys, .count = count }, rows);
}

enum db_result db_load_path(struct db *db, struct arena *arena, const struct db_path *path, const struct db_value *prefixes, size_t count,
                            size_t limit, struct db_rows *rows)
{
    return read_one(db, arena, &(struct db_read){ .path = path, .prefixes = prefixes, .count = count, .limit = limit }, rows);
}

enum db_result db_query(struct db *db, struct arena *arena, const struct db_statement *statement, const struct db_value *values, struct db_rows *rows)
{
    return read_one(db, arena, &(struct db_read){ .statement = statement, .prefixes = values }, rows);
}

void *db_rows_add(struct arena *arena, struct db_rows *rows, size_t *room)
{
    if (rows->count == *room) {
        size_t more = *room == 0 ? 8 : *room * 2;
        char *at = arena_alloc_array(arena, more, rows->stride);
        if (rows->count > 0)
            memcpy(at, rows->at, rows->count * rows->stride);
        rows->at = at;
        *room = more;
    }
    return rows->at + rows->count++ * rows->stride;
}

/* ---- writes ---- */

static int compare_rows(const void *a, const void *b, const struct db_table *table)
{
    for (size_t i = 0; i < table->key_count; i++) {
        int64_t x, y;
        memcpy(&x, (const char *)a + table->columns[i].offset, sizeof(x));
        memcpy(&y, (const char *)b + table->columns[i].offset, sizeof(y));
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

static int compare_rows_for_qsort(const void *a, const void *b, void *table)
{
    return compare_rows(*(const void *const *)a, *(const void *const *)b, table);
}

/* The rows ascending by key: neighbours fall on one page, which is then split and searched once. */
static const void *const *rows_in_order(struct db *db, const struct db_table *table, const void *const *rows, size_t count)
{
    size_t i = 1;
    while (i < count && compare_rows(rows[i - 1], rows[i], table) <= 0)
        i++;
    if (i >= count)
        return rows;
    if (count > db->order_room) {
        const void **order = realloc(db->order, count * sizeof(*order));
        if (order == NULL)
            return rows; /* slower, not wrong */
        db->order = order;
        db->order_room = count;
    }
    memcpy(db->order, rows, count * sizeof(*rows));
    qsort_r(db->order, count, sizeof(*rows), compare_rows_for_qsort, (void *)(uintptr_t)table);
    return db->order;
}

/* Outside a transaction a call is one of its own. */
static enum db_result write(struct db *db, const struct db_table *table, const void *const *rows, size_t count, write_call *call)
{
    if (count == 0)
        return DB_OK;
    bool alone = db->state == DB_IDLE;
    enum db_result result = alone ? begin(db, DB_WRITING) : enter(db);
    if (result != DB_OK)
        return result;
    const struct call writes = { .what = CALL_WRITE, .table = table, .write = call, .rows = rows_in_order(db, table, rows, count), .count = count };
    if (db->state != DB_WRITING)
        result = leave(db, db_say(db, DB_BUG, "%s is written in a transaction that only reads", table->name));
    else
        result = call_guarded(db, NULL, &writes);
    if (alone && result == DB_OK)
        result = db_commit(db);
    if (alone && result != DB_OK)
        db_rollback(db);
    return result;
}

enum db_result db_insert(struct db *db, const struct db_table *table, const void *const *rows, size_t count)
{
    return write(db, table, rows, count, db->driver->insert);
}

enum db_result db_update(struct db *db, const struct db_table *table, const void *const *rows, size_t count)
{
    if (table->key_count == 0)
        return leave(db, db_say(db, DB_BUG, "%s has no key of numbers: write a statement", table->name));
    return write(db, table, rows, count, db->driver->update);
}

enum db_result db_delete(struct db *db, const struct db_table *table, const void *const *rows, size_t count)
{
    if (table->key_count == 0)
        return leave(db, db_say(db, DB_BUG, "%s has no key of numbers: write a statement", table->name));
    return write(db, table, rows, count, db->driver->remove);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the driver writes to it */
enum db_result db_execute(struct db *db, const struct db_statement *statement, const struct db_value *values, int64_t *changed)
{
    enum db_result result = enter(db);
    if (result != DB_OK)
        return result;
    if (db->state == DB_READING)
        return leave(db, db_say(db, DB_BUG, "%s is carried out in a transaction that only reads", statement->name));
    const struct call executes = { .what = CALL_EXECUTE, .statement = statement, .values = values, .changed = changed };
    return call_guarded(db, NULL, &executes);
}

enum db_result db_script(struct db *db, const char *sql)
{
    enum db_result result = enter(db);
    if (result != DB_OK)
        return result;
    return leave(db, db->driver->script(db, sql));
}

/* ---- statements by address ---- */

static struct db_slot *slot_of(struct db_slots *slots, const void *key)
{
    size_t i = hash_u64((uintptr_t)key) & (slots->room - 1);
    while (slots->slots[i].key != NULL && slots->slots[i].key != key)
        i = (i + 1) & (slots->room - 1);
    return &slots->slots[i];
}

static bool slots_grow(struct db_slots *slots)
{
    struct db_slots more = { .count = slots->count, .room = slots->room == 0 ? 64 : slots->room * 2 };
    more.slots = calloc(more.room, sizeof(*more.slots));
    if (more.slots == NULL)
        return false;
    for (size_t i = 0; i < slots->room; i++)
        if (slots->slots[i].key != NULL)
            *slot_of(&more, slots->slots[i].key) = slots->slots[i];
    free(slots->slots);
    *slots = more;
    return true;
}

void **db_slot(struct db_slots *slots, const void *key)
{
    if (slots->count * 2 >= slots->room && !slots_grow(slots))
        return NULL;
    struct db_slot *slot = slot_of(slots, key);
    if (slot->key == NULL) {
        slot->key = key;
        slots->count++;
    }
    return &slot->prepared;
}

/* ---- the rest ---- */

enum db_result db_checkpoint(struct db *db, int64_t finish_us, int64_t *wal_bytes)
{
    *wal_bytes = 0;
    if (db->lost)
        return DB_LOST;
    if (db->state != DB_IDLE)
        return leave(db, db_say(db, DB_BUG, "a checkpoint stands between two transactions"));
    return db->driver->checkpoint(db, finish_us, wal_bytes);
}

enum db_result db_wal_use(struct db *db, struct db_wal_use *use)
{
    *use = (struct db_wal_use){ 0 };
    return db->lost ? DB_LOST : db->driver->wal_use(db, use);
}

enum db_result db_lock_file(struct db *db)
{
    return db->driver->lock_file(db);
}
