/* src/check/stock.c: positions are the sums of their movements; what is reserved and allocated is claimed.
 * A range of positions is read together with its claims and the clock in one short read, so all three are of one
 * moment: movements whose id the clock had not given out by then are not counted against it. */
#include "check/claims.h"
#include "engine/jobs.h"
#include "inventory/inventory.h"
#include "schema.h"
#include <stdlib.h>
#include <string.h>

#define POSITION_RANGE 1000 /* each may have many claims */

struct entry {
    int64_t node, sku, class, next_id;
    int64_t units[BUCKET_COUNT]; /* as the position says, less what movements brought: 0 when all are counted */
    bool used;
};
/* Open addressing; grows by doubling. */
struct ledger {
    struct entry *entries;
    size_t size, count;
};

static struct entry *slot(struct ledger *ledger, int64_t node, int64_t sku, int64_t class)
{
    uint64_t hash = hash_u64(hash_u64((uint64_t)node + 1) + hash_u64((uint64_t)sku + 2) + (uint64_t) class);
    size_t at = hash & (ledger->size - 1);
    while (ledger->entries[at].used && (ledger->entries[at].node != node || ledger->entries[at].sku != sku || ledger->entries[at].class != class))
        at = (at + 1) & (ledger->size - 1);
    return &ledger->entries[at];
}

static bool grow(struct ledger *ledger)
{
    struct ledger larger = { .size = ledger->size == 0 ? 4096 : ledger->size * 2, .count = ledger->count };
    if (ledger->count * 2 < ledger->size)
        return true;
    larger.entries = calloc(larger.size, sizeof *larger.entries);
    if (larger.entries == NULL)
        return false;
    for (size_t i = 0; i < ledger->size; i++)
        if (ledger->entries[i].used)
            *slot(&larger, ledger->entries[i].node, ledger->entries[i].sku, ledger->entries[i].class) = ledger->entries[i];
    free(ledger->entries);
    *ledger = larger;
    return true;
}

static const char *position_key(struct check *check, int64_t unit, int64_t node, int64_t sku, int64_t class)
{
    return arena_printf(check->arena, "unit %ld node %ld sku %ld class %ld", (long)unit, (long)node, (long)sku, (long)class);
}

static void compare_claims(struct check *check, const char *key, const struct check_positions_result *p, const struct claim_sums *sums)
{
    if (sums->soft != p->reserved)
        check_found(check, "reserved_claims", "reserved is the sum of soft claims", key, sums->soft, p->reserved);
    if (sums->hard != p->allocated)
        check_found(check, "allocated_claims", "allocated is the sum of hard claims", key, sums->hard, p->allocated);
    if (sums->fenced != p->fenced)
        check_found(check, "fenced_claims", "fenced is the sum of fence claims", key, sums->fenced, p->fenced);
}

/* The jobs that block positions of this range. */
static enum db_result read_jobs(struct check *check, int64_t unit, const struct check_positions_result *positions, size_t count, struct db_rows *jobs)
{
    int64_t *keys = ARENA_ARRAY(check->arena, int64_t, 2 * count + 2);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (positions[i].blocked != 0)
            memcpy(keys + 2 * n++, (const int64_t[]){ unit, positions[i].blocked }, 2 * sizeof *keys);
    return n == 0 ? DB_OK : db_load(check->db, check->arena, &job_table, keys, n, jobs);
}

static bool may_block(const struct db_rows *jobs, int64_t id, int64_t node, int64_t sku)
{
    for (size_t i = 0; i < jobs->count; i++) {
        const struct job_row *job = db_row(jobs, i);
        if (job->id == id)
            return job->node == node && job->subject == sku &&
                   (job->kind == JOB_RECALL ? job->state != JOB_DONE
                                            : (job->kind == JOB_FILL || job->kind == JOB_GIVE_WAY) && job->state == JOB_OPEN);
    }
    return false;
}

static enum db_result enter(struct check *check, struct ledger *ledger, int64_t unit, const struct check_positions_result *p, int64_t next_id)
{
    const char *key = position_key(check, unit, p->node, p->sku, p->class);
    const int64_t least = min_i64(min_i64(p->available, p->reserved), min_i64(p->allocated, p->quarantined));
    if (least < 0)
        check_found(check, "bucket_negative", "no bucket is below zero", key, 0, least);
    if (!known_has(check, &check->skus, p->sku))
        check_found(check, "reference_unit", "no reference leaves its unit", key, p->sku, 0);
    if (!known_has(check, &check->nodes, p->node))
        check_found(check, "reference_unit", "no reference leaves its unit", key, p->node, 0);
    if (p->class != 0 && !known_has(check, &check->classes, p->class))
        check_found(check, "reference_unit", "no reference leaves its unit", key, p->class, 0);
    if (p->class != 0 && p->reserved + p->allocated + p->fenced > 0)
        check_found(check, "class_claimed", "nobody claims units of a class", key, 0, p->reserved + p->allocated);
    if (!grow(ledger))
        return DB_BUSY;
    *slot(ledger, p->node, p->sku, p->class) = (struct entry){ .node = p->node,
                                                               .sku = p->sku,
                                                               .class = p->class,
                                                               .next_id = next_id,
                                                               .used = true,
                                                               .units = { 0, p->available, p->reserved, p->allocated, p->quarantined } };
    ledger->count++;
    return DB_OK;
}

/* Positions of whole SKUs: the last, which a full page may have cut apart, is left to the next. */
static enum db_result read_skus(struct check *check, int64_t unit, int64_t after, struct check_positions_result **positions, size_t *count,
                                bool *more)
{
    enum db_result result = DB_OK;
    *count = 0;
    for (size_t limit = POSITION_RANGE; *count == 0 && result == DB_OK; limit *= 2) { /* one SKU alone may fill a page */
        result = check_positions(check->db, check->arena, unit, after, (int64_t)limit, positions, count);
        *more = *count == limit;
        if (!*more)
            break;
        for (int64_t last = (*positions)[limit - 1].sku; *count > 0 && (*positions)[*count - 1].sku == last;)
            (*count)--;
    }
    return result;
}

static enum db_result read_range(struct check *check, struct ledger *ledger, int64_t unit, int64_t *after, bool *more)
{
    struct check_positions_result *positions;
    struct claim_sums *sums;
    struct check_clock_result clock;
    size_t count = 0;
    bool found;
    struct db_rows jobs = { 0 };
    enum db_result result = db_begin_read(check->db);
    if (result == DB_OK)
        result = check_clock(check->db, check->arena, unit, &clock, &found);
    if (result == DB_OK)
        result = read_skus(check, unit, *after, &positions, &count, more);
    int64_t upto = result == DB_OK && *more ? positions[count - 1].sku : INT64_MAX;
    if (result == DB_OK)
        result = claims_of_positions(check, unit, positions, count, *after, upto, &sums);
    if (result == DB_OK)
        result = read_jobs(check, unit, positions, count, &jobs);
    (void)db_rollback(check->db);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        const struct check_positions_result *p = &positions[i];
        const char *key = position_key(check, unit, p->node, p->sku, p->class);
        compare_claims(check, key, p, &sums[i]);
        if (p->blocked != 0 && !may_block(&jobs, p->blocked, p->node, p->sku))
            check_found(check, "position_blocked", "a position is blocked by an open job only", key, 0, p->blocked);
        result = enter(check, ledger, unit, p, clock.next_id);
    }
    *after = upto;
    arena_reset(check->arena);
    return result;
}

static enum db_result read_positions(struct check *check, struct ledger *ledger, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (bool more = true; more && result == DB_OK;)
        result = read_range(check, ledger, unit, &after, &more);
    return result;
}

static void count_side(struct check *check, struct ledger *ledger, int64_t unit, int64_t node, int64_t bucket, const struct check_movements_result *m,
                       int64_t sign)
{
    if (bucket == BUCKET_NONE)
        return;
    struct entry *entry = slot(ledger, node, m->sku, m->class);
    if (!entry->used)
        check_found(check, "position_movements", "a position is the sum of its movements", position_key(check, unit, node, m->sku, m->class),
                    m->quantity, 0);
    else if (m->id < entry->next_id)
        entry->units[bucket] -= sign * m->quantity;
}

static void no_cause(struct check *check, int64_t unit, int64_t kind, int64_t id)
{
    check_found(check, "movement_cause", "every movement has its cause",
                arena_printf(check->arena, "unit %ld %s %ld", (long)unit, cause_names[kind < CAUSE_KIND_COUNT && kind > 0 ? kind : 0], (long)id), 1,
                0);
}

static int by_second_number(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;
    return left[1] < right[1] ? -1 : left[1] > right[1];
}

/* The rows of one kind that the movements name; keys are (unit, id) pairs. */
static enum db_result check_causes_of(struct check *check, const struct db_table *table, int64_t kind, int64_t *keys, size_t count)
{
    struct db_rows rows = { 0 };
    enum db_result result = count == 0 ? DB_OK : db_load(check->db, check->arena, table, keys, count, &rows);
    if (result != DB_OK || count == 0)
        return result;
    qsort(keys, count, 2 * sizeof *keys, by_second_number);
    size_t r = 0;
    for (size_t i = 0; i < count; i++) {
        while (r < rows.count && ((const int64_t *)db_row(&rows, r))[1] < keys[2 * i + 1])
            r++;
        if (r == rows.count || ((const int64_t *)db_row(&rows, r))[1] != keys[2 * i + 1])
            no_cause(check, keys[0], kind, keys[2 * i + 1]);
    }
    return result;
}

/* Every movement has its cause: the row that it names is there. Orders, by far the most, are known by their keys. */
static enum db_result check_causes(struct check *check, int64_t unit, const struct check_movements_result *m, size_t count)
{
    static const struct db_table *const tables[CAUSE_KIND_COUNT] = { NULL,
                                                                     &adjustment_table,
                                                                     NULL,
                                                                     &fulfilment_table,
                                                                     &reservation_table,
                                                                     &channel_table,
                                                                     &transfer_table,
                                                                     &inspection_table,
                                                                     &supply_table,
                                                                     &recall_table,
                                                                     &snapshot_table,
                                                                     &goods_return_table };
    int64_t *keys = ARENA_ARRAY(check->arena, int64_t, 2 * count + 2);
    enum db_result result = DB_OK;
    for (size_t i = 0; i < count; i++)
        if (m[i].cause_kind < 1 || m[i].cause_kind >= (int64_t)COUNT(tables))
            no_cause(check, unit, m[i].cause_kind, m[i].cause);
    for (int64_t kind = 1; kind < (int64_t)COUNT(tables) && result == DB_OK; kind++) {
        size_t n = 0;
        int64_t last = 0;
        for (size_t i = 0; i < count; i++) {
            if (m[i].cause_kind != kind || m[i].cause == last)
                continue;
            last = m[i].cause;
            if (kind != CAUSE_ORDER)
                memcpy(keys + 2 * n++, (const int64_t[]){ unit, last }, 2 * sizeof *keys);
            else if (!known_has(check, &check->keyed, last))
                no_cause(check, unit, kind, last);
        }
        if (kind != CAUSE_ORDER)
            result = check_causes_of(check, tables[kind], kind, keys, n);
    }
    return result;
}

static enum db_result count_movements(struct check *check, struct ledger *ledger, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (size_t count = CHECK_RANGE; count == CHECK_RANGE && result == DB_OK;) {
        struct check_movements_result *m;
        result = db_begin_read(check->db); /* one, or SQLite locks the file for each cause that is looked for */
        if (result == DB_OK)
            result = check_movements(check->db, check->arena, unit, after, CHECK_RANGE, &m, &count);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            count_side(check, ledger, unit, m[i].from_node, m[i].from_bucket, &m[i], -1);
            count_side(check, ledger, unit, m[i].to_node, m[i].to_bucket, &m[i], 1);
            after = m[i].id;
        }
        if (result == DB_OK)
            result = check_causes(check, unit, m, count);
        (void)db_rollback(check->db);
        arena_reset(check->arena);
    }
    return result;
}

enum db_result check_stock(struct check *check, int64_t unit)
{
    struct ledger ledger = { 0 };
    if (!grow(&ledger))
        return DB_BUSY;
    enum db_result result = read_positions(check, &ledger, unit);
    if (result == DB_OK)
        result = count_movements(check, &ledger, unit);
    for (size_t i = 0; result == DB_OK && i < ledger.size; i++) {
        const struct entry *e = &ledger.entries[i];
        for (int bucket = BUCKET_AVAILABLE; e->used && bucket < BUCKET_COUNT; bucket++)
            if (e->units[bucket] != 0)
                check_found(check, "position_movements", "a position is the sum of its movements",
                            arena_printf(check->arena, "unit %ld node %ld sku %ld class %ld bucket %s", (long)unit, (long)e->node, (long)e->sku,
                                         (long)e->class, bucket_names[bucket]),
                            0, e->units[bucket]);
    }
    free(ledger.entries);
    arena_reset(check->arena);
    return result;
}
