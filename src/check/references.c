/* src/check/references.c: no reference leaves its unit. The unit's SKUs, nodes and channels are read first, as sorted ids;
 * what the company has made since then is not counted against a row. */
#include "check/check.h"
#include "check_sql.h"
#include "inventory/inventory.h"
#include "schema.h"
#include <stdlib.h>
#include <string.h>

/* ---- sets of ids ---- */

bool known_add(struct known *known, int64_t id)
{
    if (known->count == known->room) {
        size_t room = known->room == 0 ? 4096 : known->room * 2;
        int64_t *grown = realloc(known->ids, room * sizeof *grown);
        if (grown == NULL)
            return false;
        known->ids = grown;
        known->room = room;
    }
    known->ids[known->count++] = id;
    return true;
}

int64_t known_sort(struct known *known)
{
    size_t kept = 0;
    int64_t twice = 0;
    if (known->count > 1)
        qsort(known->ids, known->count, sizeof *known->ids, by_number);
    for (size_t i = 0; i < known->count; i++)
        if (i == 0 || known->ids[i] != known->ids[kept - 1])
            known->ids[kept++] = known->ids[i];
        else
            twice = known->ids[i];
    known->count = kept;
    return twice;
}

bool known_has(struct check *check, const struct known *known, int64_t id)
{
    struct db_rows rows = { 0 };
    if (id < known->below)
        return known->count > 0 && bsearch(&id, known->ids, known->count, sizeof id, by_number) != NULL;
    return known->table == NULL || db_load(check->db, check->arena, known->table, (const int64_t[]){ known->unit, id }, 1, &rows) != DB_OK ||
           rows.count == 1;
}

enum db_result known_load(struct check *check, int64_t unit)
{
    struct check_clock_result clock;
    bool found;
    enum db_result result = check_clock(check->db, check->arena, 0, &clock, &found);
    int64_t after;
    struct known *const sets[] = { &check->skus, &check->nodes, &check->classes, &check->channels };
    const struct db_table *const tables[] = { &sku_table, &node_table, &goods_class_table, &channel_table };
    for (size_t i = 0; i < COUNT(sets); i++) {
        sets[i]->count = 0;
        sets[i]->below = clock.next_id;
        sets[i]->table = tables[i];
        sets[i]->unit = unit;
    }
#define LOAD(NAME, SET)                                                                  \
    after = 0;                                                                           \
    for (size_t count = CHECK_RANGE; count == CHECK_RANGE && result == DB_OK;) {         \
        struct NAME##_result *rows;                                                      \
        result = NAME(check->db, check->arena, unit, after, CHECK_RANGE, &rows, &count); \
        for (size_t i = 0; result == DB_OK && i < count; i++)                            \
            result = known_add(&check->SET, after = rows[i].id) ? DB_OK : DB_BUSY;       \
        arena_reset(check->arena);                                                       \
    }
    LOAD(check_skus, skus)
    LOAD(check_classes, classes)
    LOAD(check_channels, channels)
#undef LOAD
    struct check_nodes_result *nodes;
    size_t count = 0;
    if (result == DB_OK)
        result = check_nodes(check->db, check->arena, unit, 0, &nodes, &count);
    for (size_t i = 0; result == DB_OK && i < count; i++)
        result = known_add(&check->nodes, nodes[i].id) ? DB_OK : DB_BUSY;
    arena_reset(check->arena);
    return result;
}

/* ---- rows that name masters ---- */

void must_know(struct check *check, const struct known *known, int64_t unit, const char *what, int64_t row, int64_t id)
{
    if (!known_has(check, known, id))
        check_found(check, "reference_unit", "no reference leaves its unit",
                    arena_printf(check->arena, "unit %ld %s %ld", (long)unit, what, (long)row), id, 0);
}

void must_be_told(struct check *check, int64_t unit, const char *what, int64_t row, int64_t seq)
{
    struct check_clock_result clock;
    bool found;
    if (seq > check->told && check_clock(check->db, check->arena, unit, &clock, &found) == DB_OK && found)
        check->told = clock.event_seq; /* servers run: events came since it was read */
    if (seq < 0 || seq > check->told)
        check_found(check, "reference_unit", "no reference leaves its unit",
                    arena_printf(check->arena, "unit %ld %s %ld", (long)unit, what, (long)row), seq, 0);
}

static void must_know_if_any(struct check *check, const struct known *known, int64_t unit, const char *what, int64_t row, int64_t id)
{
    if (id != 0)
        must_know(check, known, unit, what, row, id);
}

#define PAGES(NAME, EACH)                                                                \
    after = 0;                                                                           \
    for (size_t count = CHECK_RANGE; count == CHECK_RANGE && result == DB_OK;) {         \
        struct NAME##_result *rows;                                                      \
        result = NAME(check->db, check->arena, unit, after, CHECK_RANGE, &rows, &count); \
        for (size_t i = 0; result == DB_OK && i < count; i++) {                          \
            const struct NAME##_result *row = &rows[i];                                  \
            after = row->id;                                                             \
            EACH                                                                         \
        }                                                                                \
        arena_reset(check->arena);                                                       \
    }

static enum db_result check_rows_with_id(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after;
    PAGES(check_listings, must_know(check, &check->channels, unit, "channel of listing", row->id, row->channel);
          must_know(check, &check->skus, unit, "sku of listing", row->id, row->sku);)
    PAGES(check_reservations, must_know(check, &check->channels, unit, "channel of reservation", row->id, row->channel);
          must_know_if_any(check, &check->keyed, unit, "order of reservation", row->id, row->ord);)
    PAGES(check_adjustments, must_know(check, &check->nodes, unit, "node of adjustment", row->id, row->node);
          must_know(check, &check->skus, unit, "sku of adjustment", row->id, row->sku);
          must_know_if_any(check, &check->classes, unit, "class of adjustment", row->id, row->class);
          must_be_told(check, unit, "event of adjustment", row->id, row->event_seq);)
    PAGES(check_inspections, must_know(check, &check->nodes, unit, "node of inspection", row->id, row->node);
          must_know(check, &check->skus, unit, "sku of inspection", row->id, row->sku);
          must_know_if_any(check, &check->classes, unit, "class of inspection", row->id, row->class);
          must_be_told(check, unit, "event of inspection", row->id, row->event_seq);)
    PAGES(check_snapshots, must_know(check, &check->nodes, unit, "node of snapshot", row->id, row->node);
          must_be_told(check, unit, "event of snapshot", row->id, row->event_seq);)
    PAGES(check_exceptions, must_know_if_any(check, &check->keyed, unit, "order of exception", row->id, row->about);
          must_know_if_any(check, &check->nodes, unit, "node of exception", row->id, row->node);
          must_know_if_any(check, &check->skus, unit, "sku of exception", row->id, row->sku);)
    return result;
}

/* Each part of a snapshot was told, and has it. */
static enum db_result check_parts_of_snapshots(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t snapshot = 0, part = 0;
    for (size_t count = CHECK_RANGE; count == CHECK_RANGE && result == DB_OK;) {
        struct check_snapshot_parts_result *rows;
        struct db_rows there = { 0 };
        result = check_snapshot_parts(check->db, check->arena, unit, snapshot, part, CHECK_RANGE, &rows, &count);
        int64_t *keys = ARENA_ARRAY(check->arena, int64_t, 2 * count + 2);
        size_t distinct = 0;
        for (size_t i = 0; result == DB_OK && i < count; i++)
            if (i == 0 || rows[i].snapshot != rows[i - 1].snapshot)
                memcpy(keys + 2 * distinct++, (const int64_t[]){ unit, rows[i].snapshot }, 2 * sizeof *keys);
        if (result == DB_OK && distinct > 0)
            result = db_load(check->db, check->arena, &snapshot_table, keys, distinct, &there);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            snapshot = rows[i].snapshot, part = rows[i].part;
            must_be_told(check, unit, "event of part of snapshot", snapshot, rows[i].event_seq);
            if (check_row(&there, (const int64_t[]){ unit, snapshot }, 2) == NULL)
                check_found(check, "orphan", "no row hangs on one that is not there",
                            arena_printf(check->arena, "unit %ld snapshot %ld part %ld", (long)unit, (long)snapshot, (long)part), 1, 0);
        }
        arena_reset(check->arena);
    }
    return result;
}

/* SKUs keep by code what may stand in for them. */
static enum db_result check_substitutes_of(struct check *check, int64_t unit, int64_t after, int64_t upto)
{
    struct check_substitutes_result *skus;
    size_t count = 0;
    enum db_result result = check_substitutes(check->db, check->arena, unit, after, upto, &skus, &count);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        const struct sku_row sku = { .substitutes = skus[i].substitutes };
        const char **codes;
        const size_t named = sku_substitutes(check->arena, &sku, &codes);
        for (size_t k = 0; k < named && result == DB_OK; k++) {
            struct check_sku_named_result row = { 0 };
            bool found = false;
            result = check_sku_named(check->db, check->arena, unit, codes[k], &row, &found);
            must_know(check, &check->skus, unit, "substitute of sku", skus[i].id, found ? row.id : -1);
        }
    }
    return result;
}

/* Rows that have no id of their own, by ranges of what they hang on. */
static enum db_result check_parts(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    for (size_t at = 0; at < check->skus.count && result == DB_OK; at += CHECK_RANGE) {
        struct check_components_result *parts;
        size_t count, last = at + CHECK_RANGE < check->skus.count ? at + CHECK_RANGE : check->skus.count;
        const int64_t after = at == 0 ? 0 : check->skus.ids[at - 1], upto = last == check->skus.count ? INT64_MAX : check->skus.ids[last - 1];
        result = check_components(check->db, check->arena, unit, after, upto, &parts, &count);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            must_know(check, &check->skus, unit, "bundle of component", parts[i].bundle, parts[i].bundle);
            must_know(check, &check->skus, unit, "sku of bundle", parts[i].bundle, parts[i].sku);
        }
        if (result == DB_OK)
            result = check_substitutes_of(check, unit, after, upto);
        arena_reset(check->arena);
    }
    struct check_channel_nodes_result *nodes;
    struct check_fences_result *fences;
    size_t node_count = 0, fence_count = 0;
    if (result == DB_OK)
        result = check_channel_nodes(check->db, check->arena, unit, 0, INT64_MAX, &nodes, &node_count);
    if (result == DB_OK)
        result = check_fences(check->db, check->arena, unit, 0, INT64_MAX, &fences, &fence_count);
    for (size_t i = 0; result == DB_OK && i < node_count; i++) {
        must_know(check, &check->channels, unit, "channel that names a node", nodes[i].channel, nodes[i].channel);
        must_know(check, &check->nodes, unit, "node of channel", nodes[i].channel, nodes[i].node);
    }
    for (size_t i = 0; result == DB_OK && i < fence_count; i++) {
        must_know(check, &check->channels, unit, "channel of fence", fences[i].channel, fences[i].channel);
        must_know(check, &check->nodes, unit, "node of fence of channel", fences[i].channel, fences[i].node);
        must_know(check, &check->skus, unit, "sku of fence of channel", fences[i].channel, fences[i].sku);
    }
    arena_reset(check->arena);
    return result;
}

/* Lines and packages of fulfilment orders that are not there. */
static enum db_result check_work_rows(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    for (int64_t after = 0, upto = 0; upto < INT64_MAX && result == DB_OK; after = upto) {
        struct check_fulfilment_ids_result *ids;
        struct check_fulfilment_lines_result *lines;
        struct check_packages_result *packages;
        size_t count = 0, line_count = 0, package_count = 0, l = 0, p = 0;
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = check_fulfilment_ids(check->db, check->arena, unit, after, CHECK_RANGE, &ids, &count);
        upto = count == CHECK_RANGE ? ids[count - 1].id : INT64_MAX;
        if (result == DB_OK)
            result = check_fulfilment_lines(check->db, check->arena, unit, after, upto, &lines, &line_count);
        if (result == DB_OK)
            result = check_packages(check->db, check->arena, unit, after, upto, &packages, &package_count);
        (void)db_rollback(check->db);
        for (size_t i = 0; result == DB_OK && i <= count; i++) {
            int64_t id = i < count ? ids[i].id : INT64_MAX;
            for (; l < line_count && lines[l].fulfilment <= id; l++)
                if (lines[l].fulfilment < id)
                    check_found(check, "orphan", "no row hangs on one that is not there",
                                arena_printf(check->arena, "unit %ld line of fulfilment %ld", (long)unit, (long)lines[l].fulfilment),
                                lines[l].fulfilment, 0);
            for (; p < package_count && packages[p].fulfilment <= id; p++)
                if (packages[p].fulfilment < id)
                    check_found(check, "orphan", "no row hangs on one that is not there",
                                arena_printf(check->arena, "unit %ld package of fulfilment %ld", (long)unit, (long)packages[p].fulfilment),
                                packages[p].fulfilment, 0);
        }
        arena_reset(check->arena);
    }
    return result;
}

enum db_result check_references(struct check *check, int64_t unit)
{
    enum db_result result = check_rows_with_id(check, unit);
    if (result == DB_OK)
        result = check_parts(check, unit);
    if (result == DB_OK)
        result = check_parts_of_snapshots(check, unit);
    return result == DB_OK ? check_work_rows(check, unit) : result;
}
