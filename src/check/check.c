/* src/check/check.c: the rules in order, and events without a gap. */
#include "check/check.h"
#include "check_sql.h"
#include "engine/jobs.h"
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

/* What an event is about; the company's name masters only, which their kind tells. */
static void check_named(struct check *check, int64_t unit, const struct check_events_result *event)
{
    const struct {
        const struct known *known;
        const char *what;
        int64_t id;
    } named[] = { { &check->keyed, "order of event", event->about },
                  { &check->nodes, "node of event", event->node },
                  { &check->skus, "sku of event", event->sku } };
    for (size_t i = 0; i < COUNT(named) && unit != 0; i++)
        if (named[i].id != 0)
            must_know(check, named[i].known, unit, named[i].what, event->seq, named[i].id);
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
            check_named(check, unit, &events[i]);
            seq = events[i].seq;
            at = events[i].at;
        }
        arena_reset(check->arena);
    }
    if (result == DB_OK && seq < clock.event_seq)
        check_found(check, "event_gap", "events are numbered without a gap", arena_printf(check->arena, "unit %ld", (long)unit), clock.event_seq,
                    seq);
    check->told = seq;
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
    static const struct db_table *const projections[] = { &cursor_of_unit_table, &movement_by_sku_table, &order_token_table, &ledger_cursor_table,
                                                          &ledger_day_table,     &ledger_posting_table,  &ledger_stock_table };
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

/* Each unit of the company has its clock: without one it would not be looked at. Units come with their clocks, in one transaction. */
static enum db_result check_clocks(struct check *check)
{
    struct check_business_units_result *units;
    struct check_clock_result clock;
    size_t count = 0;
    bool found;
    enum db_result result = check_business_units(check->db, check->arena, 0, &units, &count);
    for (size_t i = 0; i < count && result == DB_OK; i++) {
        result = check_clock(check->db, check->arena, units[i].id, &clock, &found);
        if (result == DB_OK && !found)
            check_found(check, "unit_clock", "each unit has its clock", arena_printf(check->arena, "unit %ld", (long)units[i].id), 1, 0);
    }
    arena_reset(check->arena);
    return result;
}

/* A unit's commands wait for an open job only, or they would wait for ever. */
static enum db_result check_blocked(struct check *check, int64_t unit)
{
    struct check_clock_result clock;
    struct db_rows jobs = { 0 };
    bool found = false;
    enum db_result result = db_begin_read(check->db);
    if (result == DB_OK)
        result = check_clock(check->db, check->arena, unit, &clock, &found);
    if (result == DB_OK && found && clock.blocked != 0)
        result = db_load(check->db, check->arena, &job_table, (const int64_t[]){ unit, clock.blocked }, 1, &jobs);
    (void)db_rollback(check->db);
    if (result == DB_OK && found && clock.blocked != 0 && (jobs.count == 0 || ((const struct job_row *)db_row(&jobs, 0))->state != JOB_OPEN))
        check_found(check, "unit_blocked", "a unit is blocked by an open job only", arena_printf(check->arena, "unit %ld", (long)unit), 0,
                    clock.blocked);
    arena_reset(check->arena);
    return result;
}

enum db_result check_all(struct check *check)
{
    static enum db_result (*const parts[])(struct check *, int64_t) = {
        known_load,           check_keys_of,     check_events_of,   check_blocked,          check_stock,        check_claims_of,
        check_orders_of,      check_waiting_of,  check_promises_of, check_transfers_of,     check_recalls_of,   check_returns_of,
        check_short_picks_of, check_supplies_of, check_counts_of,   check_count_classes_of, check_handshake_of, check_webhooks_of,
        check_parcels_of,     check_routing_of,  check_references,  check_ledger_of
    };
    struct check_units_result *units;
    size_t count = 0;
    enum db_result result = check_schema(check);
    if (result != DB_OK || check->violations > 0)
        return result; /* what follows needs the tables */
    result = check_clocks(check);
    if (result == DB_OK)
        result = check_units(check->db, check->arena, &units, &count);
    int64_t *ids = calloc(count + 1, sizeof *ids);
    if (ids == NULL)
        return DB_BUSY;
    for (size_t i = 0; result == DB_OK && i < count; i++)
        ids[i] = units[i].unit;
    arena_reset(check->arena);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        if (ids[i] == 0)
            result = check_events_of(check, 0);
        if (result == DB_OK && ids[i] == 0)
            result = check_webhooks_of(check, 0);
        for (size_t part = 0; result == DB_OK && ids[i] != 0 && part < COUNT(parts); part++)
            result = parts[part](check, ids[i]);
    }
    free(ids);
    free(check->skus.ids);
    free(check->nodes.ids);
    free(check->classes.ids);
    free(check->channels.ids);
    free(check->keyed.ids);
    check->skus = check->nodes = check->channels = check->keyed = (struct known){ 0 };
    return result;
}
