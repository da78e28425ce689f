/* bench/floor.c: the bare loop on SQLite: prepared statements, one transaction a batch, synchronous=FULL, the WAL written
 * back at 64 MiB (counted). Nothing is read but what an update reads. */
#include "bench.h"
#include "base/when.h"
#include "schema.h"
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

struct bare {
    sqlite3 *db;
    sqlite3_stmt *statements[256];
    int wal_pages;
};

static int pages_now(void *context, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((struct bare *)context)->wal_pages = pages;
    return SQLITE_OK;
}

static void run_sql(struct bare *bare, const char *sql)
{
    if (sqlite3_exec(bare->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die("floor: %s: %s", sql, sqlite3_errmsg(bare->db));
}

/* An update adds what the order added: its parameters are the keys. */
static const char *spell(struct arena *arena, const struct change *change)
{
    const struct db_table *table = change->table;
    struct buffer sql = { .arena = arena };
    bool first = true;
    if (change->was == NULL) {
        buffer_printf(&sql, "INSERT INTO %s VALUES (?1", table->name);
        for (size_t c = 1; c < table->column_count; c++)
            buffer_printf(&sql, ", ?%zu", c + 1);
        buffer_text(&sql, ")");
        return sql.at;
    }
    buffer_printf(&sql, "UPDATE %s SET ", table->name);
    for (size_t c = table->key_count; c < table->column_count; c++)
        if (table->columns[c].type == DB_INT && shape_delta(change, c) != 0) {
            buffer_printf(&sql, "%s%s = %s + %ld", first ? "" : ", ", table->columns[c].name, table->columns[c].name, (long)shape_delta(change, c));
            first = false;
        }
    for (size_t c = 0; c < table->key_count; c++)
        buffer_printf(&sql, " %s %s = ?%zu", c == 0 ? "WHERE" : "AND", table->columns[c].name, c + 1);
    return sql.at;
}

static void place_read(struct floor *bare, const char *url)
{
    struct db *db;
    const char *error = "";
    struct arena *arena = bare->shape->arena;
    if (db_open(&db, &(struct db_options){ .url = url }, arena, &error) != DB_OK)
        die("%s: %s", url, error);
    struct db_rows clocks = whole_table(db, arena, &unit_clock_table, "WHERE unit > 0"), skus = whole_table(db, arena, &sku_table, "WHERE unit > 0");
    const struct unit_clock_row *clock = db_row(&clocks, 0);
    bare->place = (struct floor_place){ .next_id = clock->next_id, .event_seq = clock->event_seq, .batch_id = clock->batch_id };
    int64_t *ids = ARENA_ARRAY(arena, int64_t, skus.count);
    for (size_t i = 0; i < skus.count; i++)
        ids[i] = ((const struct sku_row *)db_row(&skus, i))->id;
    bare->place.sku_ids = ids;
    bare->sku_count = skus.count;
    db_close(db);
}

void floor_open(struct floor *bare, const struct shape *shape, const struct world *world)
{
    *bare = (struct floor){ .shape = shape };
    place_read(bare, world->floor_url);
    bare->postgres = world->admin_url != NULL;
    if (bare->postgres) {
        bare->store = floor_postgres_open(shape, world->floor_url);
        return;
    }
    struct bare *lite = ARENA_NEW(shape->arena, struct bare);
    bare->store = lite;
    if (sqlite3_open(world->floor_url + strlen("sqlite:"), &lite->db) != SQLITE_OK)
        die("%s: %s", world->floor_url, sqlite3_errmsg(lite->db));
    run_sql(lite, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-65536; "
                  "PRAGMA locking_mode=NORMAL; PRAGMA foreign_keys=OFF");
    sqlite3_wal_hook(lite->db, pages_now, lite);
    for (size_t i = 0; i < shape->count; i++)
        if (sqlite3_prepare_v3(lite->db, spell(shape->arena, &shape->changes[i]), -1, SQLITE_PREPARE_PERSISTENT, &lite->statements[i], NULL) !=
            SQLITE_OK)
            die("floor: %s", sqlite3_errmsg(lite->db));
}

static void step(struct floor *bare, size_t i)
{
    struct bare *lite = bare->store;
    sqlite3_stmt *statement = lite->statements[i];
    const struct change *change = &bare->shape->changes[i];
    char text[64];
    size_t columns = change->was == NULL ? change->table->column_count : change->table->key_count;
    for (size_t c = 0; c < columns; c++) {
        struct db_value value = shape_value(bare->shape, &bare->place, change, c, text);
        int at = (int)c + 1;
        if (value.type == DB_INT && value.number != NULL_INT)
            sqlite3_bind_int64(statement, at, value.number);
        else if (value.type == DB_TEXT && value.text != NULL)
            sqlite3_bind_text(statement, at, value.text, -1, SQLITE_TRANSIENT);
        else if (value.type == DB_BLOB && value.blob.at != NULL)
            sqlite3_bind_blob(statement, at, value.blob.at, (int)value.blob.size, SQLITE_STATIC);
        else
            sqlite3_bind_null(statement, at);
    }
    if (sqlite3_step(statement) != SQLITE_DONE || (change->was != NULL && sqlite3_changes(lite->db) != 1))
        die("floor: %s: %s", change->table->name, sqlite3_errmsg(lite->db));
    sqlite3_reset(statement);
}

void floor_next_order(struct floor *bare)
{
    uint64_t skus[LINES];
    bare->place.orders++;
    bare->place.next_id += bare->shape->ids;
    bare->place.event_seq += bare->shape->seqs;
    draw_skus(bare->sku_count, bare->demand, skus);
    for (size_t i = 0; i < LINES; i++)
        bare->place.skus[i] = bare->place.sku_ids[skus[i]];
}

/* Table by table, within it order by order: each table's pages are touched once, in key order where keys grow. */
static void sqlite_batch(struct floor *bare, size_t batch)
{
    struct bare *lite = bare->store;
    const struct shape *shape = bare->shape;
    struct floor_place *drawn = arena_alloc_array(shape->arena, batch, sizeof *drawn);
    run_sql(lite, "BEGIN IMMEDIATE");
    for (size_t k = 0; k < batch; k++) {
        drawn[k] = bare->place;
        floor_next_order(bare);
        memcpy(drawn[k].skus, bare->place.skus, sizeof drawn[k].skus);
    }
    struct floor_place after = bare->place;
    for (size_t from = 0, to; from < shape->count; from = to) {
        for (to = from; to < shape->count && shape->changes[to].table == shape->changes[from].table;)
            to++;
        for (size_t k = 0; k < (shape->changes[from].per_batch ? 1 : batch); k++) {
            bare->place = drawn[k];
            for (size_t i = from; i < to; i++)
                step(bare, i);
        }
    }
    bare->place = after;
    run_sql(lite, "COMMIT");
    if (lite->wal_pages > (64 << 20) / 4096) {
        sqlite3_wal_checkpoint_v2(lite->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
        lite->wal_pages = 0;
    }
}

double floor_run(struct floor *bare, size_t batch, double seconds)
{
    int64_t began = when_monotonic_us(), now = began, orders = 0;
    int pages = 0, highest;
    struct bare *lite = bare->store;
    if (!bare->postgres)
        sqlite3_db_status(lite->db, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &highest, 1);
    while ((double)(now - began) < seconds * 1e6) {
        bare->place.batch_id++;
        struct arena_mark mark = arena_mark(bare->shape->arena);
        if (bare->postgres)
            floor_postgres_batch(bare, batch);
        else
            sqlite_batch(bare, batch);
        arena_rewind(bare->shape->arena, mark);
        orders += (int64_t)batch;
        now = when_monotonic_us();
    }
    if (!bare->postgres)
        sqlite3_db_status(lite->db, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &highest, 1);
    bare->pages = (double)pages / (double)orders;
    return (double)orders * 1e6 / (double)(now - began);
}

void floor_close(struct floor *bare)
{
    struct bare *lite = bare->store;
    if (bare->postgres) {
        floor_postgres_close(bare->store);
        return;
    }
    for (size_t i = 0; i < bare->shape->count; i++)
        sqlite3_finalize(lite->statements[i]);
    sqlite3_close(lite->db);
}
