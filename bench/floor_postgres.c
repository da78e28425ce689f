/* bench/floor_postgres.c: the bare loop on PostgreSQL: BEGIN, one statement a table over arrays, COMMIT, all in one
 * pipeline and one sync. */
#include "bench.h"
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

/* Changes of a table that are written alike: its inserts, or its updates by the same deltas. */
static bool alike(const struct change *a, const struct change *b)
{
    if (a->table != b->table || (a->was == NULL) != (b->was == NULL))
        return false;
    for (size_t c = a->table->key_count; a->was != NULL && c < a->table->column_count; c++)
        if (a->table->columns[c].type == DB_INT && shape_delta(a, c) != shape_delta(b, c))
            return false;
    return true;
}

static const char *spell(struct arena *arena, const struct change *change)
{
    static const char *const types[] = { "bigint", "text", "bytea" };
    const struct db_table *table = change->table;
    struct buffer sql = { .arena = arena }, names = { .arena = arena }, arrays = { .arena = arena };
    size_t columns = change->was == NULL ? table->column_count : table->key_count;
    bool first = true;
    for (size_t c = 0; c < columns; c++) {
        buffer_printf(&names, "%s%s", c == 0 ? "" : ", ", table->columns[c].name);
        buffer_printf(&arrays, "%s$%zu::%s[]", c == 0 ? "" : ", ", c + 1, types[table->columns[c].type]);
    }
    if (change->was == NULL) {
        buffer_printf(&sql, "INSERT INTO %s (%s) SELECT * FROM unnest(%s)", table->name, names.at, arrays.at);
        return sql.at;
    }
    buffer_printf(&sql, "UPDATE %s AS t SET ", table->name);
    for (size_t c = table->key_count; c < table->column_count; c++)
        if (table->columns[c].type == DB_INT && shape_delta(change, c) != 0) {
            buffer_printf(&sql, "%s%s = t.%s + %ld", first ? "" : ", ", table->columns[c].name, table->columns[c].name, (long)shape_delta(change, c));
            first = false;
        }
    buffer_printf(&sql, " FROM unnest(%s) AS k(%s) WHERE true", arrays.at, names.at);
    for (size_t c = 0; c < table->key_count; c++)
        buffer_printf(&sql, " AND t.%s = k.%s", table->columns[c].name, table->columns[c].name);
    return sql.at;
}

void *floor_postgres_open(const struct shape *shape, const char *url)
{
    PGconn *pg = PQconnectdb(url);
    char name[32];
    if (PQstatus(pg) != CONNECTION_OK)
        die("floor: %s", PQerrorMessage(pg));
    for (size_t i = 0; i < shape->count; i++) {
        snprintf(name, sizeof name, "f%zu", i);
        PGresult *result = PQprepare(pg, name, spell(shape->arena, &shape->changes[i]), 0, NULL);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            die("floor: %s", PQerrorMessage(pg));
        PQclear(result);
    }
    PQclear(PQexec(pg, "SET plan_cache_mode = force_generic_plan"));
    PQclear(PQexec(pg, "SET enable_seqscan = off"));
    if (PQenterPipelineMode(pg) != 1)
        die("floor: no pipeline");
    return pg;
}

static void add_value(struct buffer *out, struct db_value value)
{
    if ((value.type == DB_INT && value.number == NULL_INT) || (value.type == DB_TEXT && value.text == NULL) ||
        (value.type == DB_BLOB && value.blob.at == NULL)) {
        buffer_text(out, "NULL");
    } else if (value.type == DB_INT) {
        buffer_printf(out, "%ld", (long)value.number);
    } else if (value.type == DB_BLOB) {
        buffer_text(out, "\"\\\\x");
        for (size_t i = 0; i < value.blob.size; i++)
            buffer_printf(out, "%02x", value.blob.at[i]);
        buffer_text(out, "\"");
    } else {
        buffer_text(out, "\"");
        for (const char *at = value.text; *at != '\0'; at++)
            buffer_printf(out, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
        buffer_text(out, "\"");
    }
}

static void send_group(struct floor *bare, const struct floor_place *drawn, size_t batch, size_t from, size_t to)
{
    const struct change *change = &bare->shape->changes[from];
    struct arena *arena = bare->shape->arena;
    size_t columns = change->was == NULL ? change->table->column_count : change->table->key_count;
    const char *arrays[64];
    char name[32], text[64];
    for (size_t c = 0; c < columns; c++) {
        struct buffer out = { .arena = arena };
        buffer_text(&out, "{");
        for (size_t k = 0; k < (change->per_batch ? 1 : batch); k++)
            for (size_t i = from; i < to; i++) {
                buffer_text(&out, k == 0 && i == from ? "" : ",");
                add_value(&out, shape_value(bare->shape, &drawn[k], &bare->shape->changes[i], c, text));
            }
        buffer_text(&out, "}");
        arrays[c] = out.at;
    }
    snprintf(name, sizeof name, "f%zu", from);
    if (PQsendQueryPrepared(bare->store, name, (int)columns, arrays, NULL, NULL, 0) != 1)
        die("floor: %s", PQerrorMessage(bare->store));
}

void floor_postgres_batch(struct floor *bare, size_t batch)
{
    PGconn *pg = bare->store;
    const struct shape *shape = bare->shape;
    struct floor_place *drawn = arena_alloc_array(shape->arena, batch, sizeof *drawn);
    for (size_t k = 0; k < batch; k++) {
        drawn[k] = bare->place;
        floor_next_order(bare);
        memcpy(drawn[k].skus, bare->place.skus, sizeof drawn[k].skus);
    }
    PQsendQueryParams(pg, "BEGIN", 0, NULL, NULL, NULL, NULL, 0);
    for (size_t from = 0, to; from < shape->count; from = to) {
        for (to = from; to < shape->count && alike(&shape->changes[from], &shape->changes[to]);)
            to++;
        send_group(bare, drawn, batch, from, to);
    }
    PQsendQueryParams(pg, "COMMIT", 0, NULL, NULL, NULL, NULL, 0);
    PQpipelineSync(pg);
    for (bool done = false; !done;) {
        PGresult *result = PQgetResult(pg);
        ExecStatusType status = result == NULL ? PGRES_COMMAND_OK : PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED)
            die("floor: %s", PQresultErrorMessage(result));
        done = status == PGRES_PIPELINE_SYNC;
        PQclear(result);
    }
}

void floor_postgres_close(void *store)
{
    PQfinish(store);
}
