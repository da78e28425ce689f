/* src/check/orders.c: each demand adds up and is claimed; the stage is what the facts say; no two orders are one. */
#include "check/check.h"
#include "check_sql.h"
#include "orders/orders.h"
#include <string.h>

/* A range of orders with all that hangs on it, read at one moment. */
struct range {
    struct check_orders_result *orders;
    struct check_demands_result *demands;
    struct check_claims_of_orders_result *claims;
    struct check_fulfilments_result *fulfilments;
    struct check_holds_result *holds;
    size_t order_count, demand_count, claim_count, fulfilment_count, hold_count;
    size_t d, c, f, h; /* where the next order's begin */
};

static enum db_result read_range(struct check *check, int64_t unit, int64_t after, struct range *r)
{
    struct db *db = check->db;
    struct arena *arena = check->arena;
    *r = (struct range){ 0 };
    enum db_result result = db_begin_read(db);
    if (result == DB_OK)
        result = check_orders(db, arena, unit, after, CHECK_RANGE, &r->orders, &r->order_count);
    int64_t upto = r->order_count == 0 ? after : r->orders[r->order_count - 1].id;
    if (result == DB_OK)
        result = check_demands(db, arena, unit, after, upto, &r->demands, &r->demand_count);
    if (result == DB_OK)
        result = check_claims_of_orders(db, arena, unit, after, upto, &r->claims, &r->claim_count);
    if (result == DB_OK)
        result = check_fulfilments(db, arena, unit, after, upto, &r->fulfilments, &r->fulfilment_count);
    if (result == DB_OK)
        result = check_holds(db, arena, unit, after, upto, &r->holds, &r->hold_count);
    (void)db_rollback(db);
    return result;
}

static void check_demand(struct check *check, int64_t unit, struct range *r, const struct check_demands_result *d, struct order_facts *facts)
{
    const char *key = arena_printf(check->arena, "unit %ld order %ld line %ld part %ld", (long)unit, (long)d->ord, (long)d->line, (long)d->part);
    int64_t sum = d->cancelled + d->backordered + d->reserved + d->allocated + d->shipped, soft = 0, hard = 0;
    if (sum != d->ordered)
        check_found(check, "demand_equation", "ordered = cancelled + backordered + reserved + allocated + shipped", key, d->ordered, sum);
    while (r->c < r->claim_count && r->claims[r->c].holder < d->ord)
        r->c++;
    for (size_t i = r->c; i < r->claim_count && r->claims[i].holder == d->ord; i++) {
        if (r->claims[i].line != d->line || r->claims[i].part != d->part)
            continue;
        soft += r->claims[i].soft;
        hard += r->claims[i].hard;
    }
    if (soft != d->reserved)
        check_found(check, "demand_reserved", "a demand's reserved is the sum of its soft claims", key, soft, d->reserved);
    if (hard != d->allocated)
        check_found(check, "demand_allocated", "a demand's allocated is the sum of its hard claims", key, hard, d->allocated);
    facts->open += d->ordered - d->cancelled;
    facts->backordered += d->backordered;
    facts->reserved += d->reserved;
    facts->allocated += d->allocated;
    facts->shipped += d->shipped;
    facts->cancelled += d->cancelled;
}

static void check_order(struct check *check, int64_t unit, struct range *r, const struct check_orders_result *o)
{
    struct order_facts facts = { 0 };
    int64_t holds = 0;
    bool delivered = true;
    for (; r->d < r->demand_count && r->demands[r->d].ord <= o->id; r->d++)
        check_demand(check, unit, r, &r->demands[r->d], &facts);
    for (; r->f < r->fulfilment_count && r->fulfilments[r->f].ord <= o->id; r->f++)
        delivered = delivered && (r->fulfilments[r->f].state == FULFILMENT_DELIVERED || r->fulfilments[r->f].state == FULFILMENT_CANCELLED);
    for (; r->h < r->hold_count && r->holds[r->h].ord <= o->id; r->h++)
        holds += r->holds[r->h].cleared_seq == 0;
    facts.delivered = delivered ? facts.shipped : 0;
    const char *key = arena_printf(check->arena, "unit %ld order %ld", (long)unit, (long)o->id);
    if ((int64_t)stage_of(&facts) != o->stage)
        check_found(check, "order_stage", "the stage is the function of the facts", key, stage_of(&facts), o->stage);
    if (holds != o->holds)
        check_found(check, "order_holds", "holds counts the holds that stand", key, holds, o->holds);
}

/* References stay in the unit: what an order names is there, under the same unit. */
static enum db_result check_references(struct check *check, int64_t unit, const struct range *r)
{
    struct db_rows channels, people, skus;
    int64_t *c = ARENA_ARRAY(check->arena, int64_t, 2 * r->order_count + 2), *p = ARENA_ARRAY(check->arena, int64_t, 2 * r->order_count + 2);
    int64_t *s = ARENA_ARRAY(check->arena, int64_t, 2 * r->demand_count + 2);
    for (size_t i = 0; i < r->order_count; i++) {
        c[2 * i] = p[2 * i] = unit;
        c[2 * i + 1] = r->orders[i].channel;
        p[2 * i + 1] = r->orders[i].person;
    }
    for (size_t i = 0; i < r->demand_count; i++) {
        s[2 * i] = unit;
        s[2 * i + 1] = r->demands[i].sku;
    }
    enum db_result result = db_load(check->db, check->arena, &channel_table, c, r->order_count, &channels);
    if (result == DB_OK)
        result = db_load(check->db, check->arena, &person_table, p, r->order_count, &people);
    if (result == DB_OK)
        result = db_load(check->db, check->arena, &sku_table, s, r->demand_count, &skus);
    for (size_t i = 0; result == DB_OK && i < r->order_count; i++) {
        bool found = false;
        for (size_t k = 0; k < channels.count && !found; k++)
            found = ((const struct channel_row *)db_row(&channels, k))->id == r->orders[i].channel;
        if (!found)
            check_found(check, "reference_unit", "no reference leaves its unit",
                        arena_printf(check->arena, "unit %ld order %ld channel", (long)unit, (long)r->orders[i].id), r->orders[i].channel, 0);
    }
    for (size_t i = 0, k = 0; result == DB_OK && i < r->order_count; i++) {
        while (k < people.count && ((const struct person_row *)db_row(&people, k))->id < r->orders[i].person)
            k++;
        if (k == people.count || ((const struct person_row *)db_row(&people, k))->id != r->orders[i].person)
            check_found(check, "reference_unit", "no reference leaves its unit",
                        arena_printf(check->arena, "unit %ld order %ld person", (long)unit, (long)r->orders[i].id), r->orders[i].person, 0);
    }
    for (size_t i = 0; result == DB_OK && i < r->demand_count; i++) {
        size_t low = 0, high = skus.count; /* by key */
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (((const struct sku_row *)db_row(&skus, middle))->id < r->demands[i].sku)
                low = middle + 1;
            else
                high = middle;
        }
        if (r->demands[i].sku != 0 && (low == skus.count || ((const struct sku_row *)db_row(&skus, low))->id != r->demands[i].sku))
            check_found(check, "reference_unit", "no reference leaves its unit",
                        arena_printf(check->arena, "unit %ld order %ld sku", (long)unit, (long)r->demands[i].ord), r->demands[i].sku, 0);
    }
    return result;
}

/* Keys come sorted by hash: two orders with one hash are compared by what they are. */
static enum db_result check_same_hash(struct check *check, int64_t unit, int64_t one, int64_t other)
{
    struct db_rows rows;
    int64_t keys[] = { unit, one, unit, other };
    enum db_result result = db_load(check->db, check->arena, &orders_table, keys, 2, &rows);
    if (result != DB_OK || rows.count != 2)
        return result;
    const struct orders_row *a = db_row(&rows, 0), *b = db_row(&rows, 1);
    if (a->channel == b->channel && text_equal(a->channel_order_id, b->channel_order_id))
        check_found(check, "order_twice", "one order per channel order id",
                    arena_printf(check->arena, "unit %ld channel %ld id %s", (long)unit, (long)a->channel, a->channel_order_id), a->id, b->id);
    return result;
}

static enum db_result check_keys_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t from = INT64_MIN + 1; /* INT64_MIN is NULL_INT */
    for (size_t count = CHECK_RANGE; count == CHECK_RANGE && result == DB_OK;) {
        struct check_keys_result *keys;
        result = check_keys(check->db, check->arena, unit, 1, from, CHECK_RANGE, &keys, &count);
        for (size_t i = 1; i < count && result == DB_OK; i++)
            if (keys[i].hash == keys[i - 1].hash)
                result = check_same_hash(check, unit, keys[i - 1].ord, keys[i].ord);
        if (count == CHECK_RANGE) /* the last hash is read again: the page may have cut its keys apart */
            from = keys[count - 1].hash > from ? keys[count - 1].hash : from + 1;
        arena_reset(check->arena);
    }
    return result;
}

enum db_result check_orders_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    struct range range = { .order_count = 1 };
    for (int64_t after = 0; range.order_count > 0 && result == DB_OK;) {
        result = read_range(check, unit, after, &range);
        for (size_t i = 0; result == DB_OK && i < range.order_count; i++) {
            check_order(check, unit, &range, &range.orders[i]);
            after = range.orders[i].id;
        }
        if (result == DB_OK && range.order_count > 0)
            result = check_references(check, unit, &range);
        arena_reset(check->arena);
    }
    return result == DB_OK ? check_keys_of(check, unit) : result;
}
