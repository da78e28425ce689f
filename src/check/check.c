/* src/check/check.c: the rules in order, and events without a gap. */
#include "check/check.h"
#include "check_sql.h"
#include "schema.h"
#include <stdlib.h>

const void *check_row(const struct db_rows *rows, const int64_t *key, size_t width)
{
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t middle = (low + high) / 2, i = 0;
        const int64_t *row = db_row(rows, middle);
        while (i + 1 < width && row[i] == key[i])
            i++;
        if (row[i] == key[i])
            return row;
        if (row[i] < key[i])
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void check_found(struct check *check, const char *id, const char *what, const char *keys, int64_t expected, int64_t found)
{
    struct violation violation = { id, what, keys, arena_printf(check->arena, "%ld", (long)expected),
                                   arena_printf(check->arena, "%ld", (long)found) };
    check->violations++;
    check->tell(check->context, &violation);
}

enum db_result check_events_of(struct check *check, int64_t unit)
{
    struct check_clock_result clock;
    bool found;
    enum db_result result = check_clock(check->db, check->arena, unit, &clock, &found);
    int64_t seq = 0, at = INT64_MIN;
    for (size_t count = CHECK_RANGE; count == CHECK_RANGE && result == DB_OK;) {
        struct check_events_result *events;
        result = check_events(check->db, check->arena, unit, seq, CHECK_RANGE, &events, &count);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            const char *key = arena_printf(check->arena, "unit %ld seq %ld", (long)unit, (long)events[i].seq);
            if (events[i].seq != seq + 1)
                check_found(check, "event_gap", "events are numbered without a gap", key, seq + 1, events[i].seq);
            if (events[i].at < at)
                check_found(check, "event_time", "time never falls from event to event", key, at, events[i].at);
            seq = events[i].seq;
            at = events[i].at;
        }
        arena_reset(check->arena);
    }
    if (result == DB_OK && seq < clock.event_seq)
        check_found(check, "event_gap", "events are numbered without a gap", arena_printf(check->arena, "unit %ld", (long)unit), clock.event_seq,
                    seq);
    return result;
}

/* Whether all of a table's columns are there: a load by key names each. */
static enum db_result check_table(struct check *check, const struct db_table *table)
{
    static const int64_t none[16];
    struct db_rows rows;
    enum db_result result = db_load(check->db, check->arena, table, none, 1, &rows);
    if (result == DB_BUG)
        check_found(check, "schema", "tables and indexes are those of this release", table->name, 1, 0);
    (void)db_rollback(check->db);
    return result == DB_BUG ? DB_OK : result;
}

static enum db_result check_schema(struct check *check)
{
    static const struct db_table *const projections[] = { &cursor_of_unit_table, &movement_by_sku_table, &order_token_table };
    const char *missing;
    enum db_result result = db_schema_missing(check->db, check->arena, &missing);
    if (result == DB_OK && missing != NULL)
        check_found(check, "schema", "tables and indexes are those of this release", missing, 1, 0);
    for (size_t t = 0; t < db_table_count && result == DB_OK && missing == NULL; t++) {
        bool elsewhere = db_tables[t]->key_count == 0;
        for (size_t p = 0; p < COUNT(projections); p++)
            elsewhere = elsewhere || db_tables[t] == projections[p];
        if (!elsewhere)
            result = check_table(check, db_tables[t]);
    }
    arena_reset(check->arena);
    return result;
}

enum db_result check_all(struct check *check)
{
    static enum db_result (*const parts[])(struct check *, int64_t) = { known_load,      check_keys_of,    check_stock,     check_claims_of,
                                                                        check_orders_of, check_waiting_of, check_references };
    struct check_units_result *units;
    size_t count = 0;
    enum db_result result = check_schema(check);
    if (result != DB_OK || check->violations > 0)
        return result; /* what follows needs the tables */
    result = check_units(check->db, check->arena, &units, &count);
    int64_t *ids = calloc(count + 1, sizeof *ids);
    if (ids == NULL)
        return DB_BUSY;
    for (size_t i = 0; result == DB_OK && i < count; i++)
        ids[i] = units[i].unit;
    arena_reset(check->arena);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        result = check_events_of(check, ids[i]);
        for (size_t part = 0; result == DB_OK && ids[i] != 0 && part < COUNT(parts); part++)
            result = parts[part](check, ids[i]);
    }
    free(ids);
    free(check->skus.ids);
    free(check->nodes.ids);
    free(check->channels.ids);
    free(check->keyed.ids);
    check->skus = check->nodes = check->channels = check->keyed = (struct known){ 0 };
    return result;
}
