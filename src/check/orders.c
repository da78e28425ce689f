/* src/check/orders.c: what hangs on an order, by ranges of orders read at one moment: each demand adds up, waits in its
 * queue, is claimed, and is with the nodes as it says; a line that names nothing waits for its word; the stage is what the
 * facts say; what waits, and nothing else, is work for people; each claim has its holder; nothing hangs on an order that is not there. */
#include "check/check.h"
#include "check_sql.h"
#include "inventory/reservations.h"
#include "inventory/transfers.h"
#include "orders/orders.h"
#include "schema.h"
#include <string.h>

/* A range of orders with all that hangs on it; the last one reaches to the end of ids. */
struct range {
    int64_t unit, after, upto;
    struct check_orders_result *orders;
    struct check_lines_result *lines;
    struct check_unmapped_result *words;
    struct check_demands_result *demands;
    struct check_claims_of_orders_result *claims;
    struct check_fulfilments_result *fulfilments;
    struct check_work_result *work;
    struct check_holds_result *holds;
    struct check_payments_result *payments;
    struct check_decisions_result *decisions;
    struct check_persons_result *persons;
    struct check_persons_before_result *befores;
    struct check_open_exceptions_result *exceptions;
    struct db_rows reservations, fences, transfers, moved, waiting, used; /* those that claims, demands and, used, orders name; moved: lines */
    int64_t *queued;                                                      /* keys of the waiting rows that there should be */
    size_t queued_count;
    size_t order_count, line_count, word_count, demand_count, claim_count, fulfilment_count, work_count, hold_count, payment_count, decision_count,
        person_count, before_count, exception_count;
    size_t l, u, d, c, f, w, h, x; /* where the next order's begin; u: its words */
    size_t k;                      /* and where its key is in check->keyed */
};

static int64_t promise_of(const struct check_orders_result *o)
{
    return o->promise_by == NULL_INT ? INT64_MAX : o->promise_by;
}

/* Holders that are no orders: checkouts and transfers by their id, fences by channel, node and SKU. */
static enum db_result read_holders(struct check *check, struct range *r)
{
    int64_t *checkouts = ARENA_ARRAY(check->arena, int64_t, 2 * r->claim_count + 2),
            *fences = ARENA_ARRAY(check->arena, int64_t, 4 * r->claim_count + 4),
            *transfers = ARENA_ARRAY(check->arena, int64_t, 2 * r->claim_count + 2),
            *moved = ARENA_ARRAY(check->arena, int64_t, 3 * r->claim_count + 3);
    size_t c = 0, f = 0, t = 0, m = 0;
    for (size_t i = 0; i < r->claim_count; i++) {
        const struct check_claims_of_orders_result *claim = &r->claims[i];
        if (claim->kind == CLAIM_RESERVATION && (c == 0 || checkouts[2 * c - 1] != claim->holder))
            memcpy(checkouts + 2 * c++, (const int64_t[]){ r->unit, claim->holder }, 2 * sizeof *checkouts);
        if (claim->kind == CLAIM_FENCE)
            memcpy(fences + 4 * f++, (const int64_t[]){ r->unit, claim->holder, claim->node, claim->sku }, 4 * sizeof *fences);
        if (claim->kind != CLAIM_TRANSFER)
            continue;
        memcpy(moved + 3 * m++, (const int64_t[]){ r->unit, claim->holder, claim->line }, 3 * sizeof *moved);
        if (t == 0 || transfers[2 * t - 1] != claim->holder)
            memcpy(transfers + 2 * t++, (const int64_t[]){ r->unit, claim->holder }, 2 * sizeof *transfers);
    }
    enum db_result result = c == 0 ? DB_OK : db_load(check->db, check->arena, &reservation_table, checkouts, c, &r->reservations);
    if (result == DB_OK && t > 0)
        result = db_load(check->db, check->arena, &transfer_table, transfers, t, &r->transfers);
    if (result == DB_OK && t > 0)
        result = db_load(check->db, check->arena, &transfer_line_table, moved, m, &r->moved);
    return result != DB_OK || f == 0 ? result : db_load(check->db, check->arena, &fence_table, fences, f, &r->fences);
}

/* The checkouts that orders have used. */
static enum db_result read_used(struct check *check, struct range *r)
{
    int64_t *keys = ARENA_ARRAY(check->arena, int64_t, 2 * r->order_count + 2);
    size_t n = 0;
    for (size_t i = 0; i < r->order_count; i++)
        if (r->orders[i].reservation != 0)
            memcpy(keys + 2 * n++, (const int64_t[]){ r->unit, r->orders[i].reservation }, 2 * sizeof *keys);
    return n == 0 ? DB_OK : db_load(check->db, check->arena, &reservation_table, keys, n, &r->used);
}

static enum db_result read_waiting(struct check *check, struct range *r)
{
    r->queued = ARENA_ARRAY(check->arena, int64_t, 7 * r->demand_count + 7);
    for (size_t i = 0, o = 0; i < r->demand_count; i++) {
        const struct check_demands_result *d = &r->demands[i];
        while (o < r->order_count && r->orders[o].id < d->ord)
            o++;
        if (d->backordered > 0 && d->sku != 0 && o < r->order_count && r->orders[o].id == d->ord)
            memcpy(r->queued + 7 * r->queued_count++,
                   (const int64_t[]){ r->unit, d->sku, r->orders[o].priority, promise_of(&r->orders[o]), d->ord, d->line, d->part },
                   7 * sizeof *r->queued);
    }
    return r->queued_count == 0 ? DB_OK : db_load(check->db, check->arena, &waiting_table, r->queued, r->queued_count, &r->waiting);
}

static enum db_result read_range(struct check *check, struct range *r)
{
    struct db *db = check->db;
    struct arena *arena = check->arena;
    enum db_result result = db_begin_read(db);
#define READ(NAME, ROWS) \
    if (result == DB_OK) \
    result = check_##NAME(db, arena, r->unit, r->after, r->upto, &r->ROWS##s, &r->ROWS##_count)
    if (result == DB_OK)
        result = check_orders(db, arena, r->unit, r->after, CHECK_RANGE, &r->orders, &r->order_count);
    r->upto = r->order_count == CHECK_RANGE ? r->orders[r->order_count - 1].id : INT64_MAX;
    READ(lines, line);
    READ(unmapped, word);
    READ(demands, demand);
    READ(claims_of_orders, claim);
    READ(fulfilments, fulfilment);
    READ(holds, hold);
    READ(payments, payment);
    READ(decisions, decision);
    READ(persons, person);
    READ(persons_before, before);
    READ(open_exceptions, exception);
#undef READ
    if (result == DB_OK)
        result = check_work(db, arena, r->unit, r->after, r->upto, &r->work, &r->work_count);
    if (result == DB_OK)
        result = read_holders(check, r);
    if (result == DB_OK)
        result = read_used(check, r);
    if (result == DB_OK)
        result = read_waiting(check, r);
    (void)db_rollback(db);
    return result;
}

/* ---- one order ---- */

static const char *demand_key(struct check *check, const struct range *r, const struct check_demands_result *d)
{
    return arena_printf(check->arena, "unit %ld order %ld line %ld part %ld", (long)r->unit, (long)d->ord, (long)d->line, (long)d->part);
}

static void check_claimed(struct check *check, const struct range *r, const struct check_demands_result *d)
{
    int64_t soft = 0, hard = 0, to_ship = 0, gone = 0;
    for (size_t i = r->c; i < r->claim_count && r->claims[i].holder == d->ord; i++) {
        if (r->claims[i].kind != CLAIM_ORDER || r->claims[i].line != d->line || r->claims[i].part != d->part)
            continue;
        soft += r->claims[i].soft;
        hard += r->claims[i].hard;
    }
    for (size_t i = r->w; i < r->work_count && r->work[i].ord == d->ord; i++)
        if (r->work[i].line == d->line && r->work[i].part == d->part && r->work[i].sku == d->sku)
            *(r->work[i].state < FULFILMENT_SHIPPED || r->work[i].state == FULFILMENT_CANCEL_REQUESTED ? &to_ship : &gone) +=
                r->work[i].quantity - r->work[i].cancelled;
    if (soft != d->reserved)
        check_found(check, "demand_reserved", "a demand's reserved is the sum of its soft claims", demand_key(check, r, d), soft, d->reserved);
    if (hard != d->allocated)
        check_found(check, "demand_allocated", "a demand's allocated is the sum of its hard claims", demand_key(check, r, d), hard, d->allocated);
    if (to_ship != d->allocated || gone != d->shipped)
        check_found(check, "fulfilment_units", "what nodes have and have shipped is what the demand says", demand_key(check, r, d),
                    d->allocated + d->shipped, to_ship + gone);
}

static void check_demand(struct check *check, struct range *r, const struct check_demands_result *d, struct order_facts *facts)
{
    int64_t sum = d->cancelled + d->backordered + d->reserved + d->allocated + d->shipped;
    if (sum != d->ordered)
        check_found(check, "demand_equation", "ordered = cancelled + backordered + reserved + allocated + shipped", demand_key(check, r, d),
                    d->ordered, sum);
    check_claimed(check, r, d);
    if (d->sku != 0 && !known_has(check, &check->skus, d->sku))
        check_found(check, "reference_unit", "no reference leaves its unit",
                    arena_printf(check->arena, "unit %ld order %ld sku", (long)r->unit, (long)d->ord), d->sku, 0);
    facts->open += d->ordered - d->cancelled;
    facts->backordered += d->backordered;
    facts->reserved += d->reserved;
    facts->allocated += d->allocated;
    facts->shipped += d->shipped;
    facts->cancelled += d->cancelled;
}

static void found_orphan(struct check *check, const struct range *r, const char *table, int64_t order)
{
    check_found(check, "orphan", "no row hangs on one that is not there",
                arena_printf(check->arena, "unit %ld %s of order %ld", (long)r->unit, table, (long)order), order, 0);
}

/* Whether the line's row in `unmapped_line` is as it must be; word NULL: it has none. `waits`: the line stands for nothing, and is not
 * cancelled whole. */
static bool word_is_right(const struct check_orders_result *o, const struct check_lines_result *line, bool waits,
                          const struct check_unmapped_result *word)
{
    if (word == NULL && line->sku != 0)
        return line->said == NULL || line->said_by_listing; /* else it was mapped, and its row must say since when */
    if (word == NULL)
        return !waits;
    return (line->sku != 0 || waits) && (line->sku != 0) == (word->mapped_seq != 0) && word->channel == o->channel &&
           word->by_listing == line->said_by_listing && text_equal(word->word, line->said);
}

/* A line waits for the word that it came with, until it is mapped or cancelled: a listing or SKU that is made looks nowhere else. */
static void check_word(struct check *check, struct range *r, const struct check_orders_result *o, const struct check_lines_result *line,
                       size_t demand)
{
    bool waits = false;
    for (; line->sku == 0 && demand < r->demand_count && r->demands[demand].ord == o->id && r->demands[demand].line <= line->line; demand++)
        waits = waits || (r->demands[demand].line == line->line && r->demands[demand].cancelled < r->demands[demand].ordered);
    for (; r->u < r->word_count && r->words[r->u].ord == o->id && r->words[r->u].line < line->line; r->u++)
        found_orphan(check, r, "unmapped line", o->id);
    bool there = r->u < r->word_count && r->words[r->u].ord == o->id && r->words[r->u].line == line->line;
    if (!word_is_right(o, line, waits, there ? &r->words[r->u] : NULL))
        check_found(check, "unmapped_line", "a line that names nothing waits for its word, and no other does",
                    arena_printf(check->arena, "unit %ld order %ld line %ld", (long)r->unit, (long)o->id, (long)line->line), waits, there);
    must_be_told(check, r->unit, "event that mapped a line of order", o->id, there ? r->words[r->u].mapped_seq : 0);
    r->u += there;
}

static void found_alone(struct check *check, const struct range *r, int64_t order, int64_t line, int64_t found)
{
    check_found(check, "demand_line", "each line has its demands, each demand its line",
                arena_printf(check->arena, "unit %ld order %ld line %ld", (long)r->unit, (long)order, (long)line), 1 - found, found);
}

/* A line's demands, from `d` on; returns where the next line's begin. */
static size_t check_line(struct check *check, const struct range *r, const struct check_lines_result *line, size_t d)
{
    size_t of_line = 0;
    for (; d < r->demand_count && r->demands[d].ord == line->ord && r->demands[d].line <= line->line; d++) {
        const struct check_demands_result *demand = &r->demands[d];
        bool fits = demand->need > 0 && demand->ordered % demand->need == 0 && demand->ordered / demand->need == line->quantity;
        if (demand->line != line->line)
            found_alone(check, r, line->ord, demand->line, 1);
        else if (!fits)
            check_found(check, "demand_need", "a demand is what its line needs: quantity x need", demand_key(check, r, demand), line->quantity,
                        demand->ordered);
        of_line += demand->line == line->line;
    }
    if (of_line == 0)
        found_alone(check, r, line->ord, line->line, 0);
    return d;
}

/* What was ordered, at its prices, with its shares of what was said for the whole line. */
static void check_total(struct check *check, const struct range *r, const struct check_orders_result *o)
{
    const struct orders_row order = { .shipping = o->shipping, .prices_include_tax = o->prices_include_tax };
    size_t count = 0;
    while (r->l + count < r->line_count && r->lines[r->l + count].ord == o->id)
        count++;
    struct order_line_row *rows = ARENA_ARRAY(check->arena, struct order_line_row, count + 1);
    const struct order_line_row **lines = ARENA_ARRAY(check->arena, const struct order_line_row *, count + 1);
    int64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        const struct check_lines_result *line = &r->lines[r->l + i];
        lines[i] = &rows[i];
        rows[i] = (struct order_line_row){
            .quantity = line->quantity, .unit_price = line->unit_price, .discount = line->discount, .tax = line->tax, .priced = line->priced
        };
        if (line->quantity < 1 || (line->priced != NULL_INT && line->priced < 1))
            return; /* another rule's: it has no demands of such a quantity */
    }
    if (count > 0 && (!order_total(&order, lines, count, &total) || total != o->total)) /* without lines: that is told */
        check_found(check, "order_total", "an order's total is what its lines and shipping cost",
                    arena_printf(check->arena, "unit %ld order %ld", (long)r->unit, (long)o->id), total, o->total);
}

/* Lines and demands go together: none without the other. */
static void check_lines_of(struct check *check, struct range *r, const struct check_orders_result *o)
{
    size_t d = r->d;
    check_total(check, r, o);
    for (; r->l < r->line_count && r->lines[r->l].ord == o->id; r->l++) {
        check_word(check, r, o, &r->lines[r->l], d);
        d = check_line(check, r, &r->lines[r->l], d);
        if (r->lines[r->l].replaces != NULL_INT && (r->lines[r->l].replaces < 1 || r->lines[r->l].replaces >= r->lines[r->l].line))
            check_found(check, "line_replaces", "a line stands in for one that came before it",
                        arena_printf(check->arena, "unit %ld order %ld line %ld", (long)r->unit, (long)o->id, (long)r->lines[r->l].line),
                        r->lines[r->l].line - 1, r->lines[r->l].replaces);
        if (r->lines[r->l].sku != 0)
            must_know(check, &check->skus, r->unit, "sku of a line of order", o->id, r->lines[r->l].sku);
    }
    for (; d < r->demand_count && r->demands[d].ord == o->id; d++)
        found_alone(check, r, o->id, r->demands[d].line, 1);
}

/* A claim of an order is of one of its demands, at the order's rank, on that demand's SKU. */
static void check_claim(struct check *check, const struct range *r, size_t first_demand, const struct check_orders_result *o,
                        const struct check_claims_of_orders_result *claim)
{
    bool held = false;
    for (size_t i = first_demand; o != NULL && i < r->demand_count && r->demands[i].ord == o->id && !held; i++)
        held = r->demands[i].line == claim->line && r->demands[i].part == claim->part && r->demands[i].sku == claim->sku &&
               claim->priority == o->priority && claim->promise == promise_of(o);
    if (!held)
        check_found(check, "claim_holder", "each claim has its holder",
                    arena_printf(check->arena, "unit %ld order %ld line %ld part %ld node %ld", (long)r->unit, (long)claim->holder, (long)claim->line,
                                 (long)claim->part, (long)claim->node),
                    claim->soft + claim->hard, 0);
}

static void found_key(struct check *check, const struct range *r, int64_t order, int64_t expected, int64_t found)
{
    check_found(check, "order_key", "each order stands under its channel order id, each key for its order",
                arena_printf(check->arena, "unit %ld order %ld", (long)r->unit, (long)order), expected, found);
}

/* Keys of orders that are not there. */
static void check_keys_upto(struct check *check, struct range *r, int64_t order)
{
    for (; r->k < check->keyed.count && check->keyed.ids[r->k] < order; r->k++)
        found_key(check, r, check->keyed.ids[r->k], 0, 1);
}

/* What waits is work for people, of its SKU where the exception names one; and no work is left of what does not wait any more. */
static void check_work_for_people(struct check *check, struct range *r, size_t demand, const struct check_orders_result *o)
{
    enum { KNOWN, UNKNOWN };
    bool waits[2] = { false, false }, told[2] = { false, false };
    const size_t end = r->d;
    for (size_t i = demand; i < end; i++)
        waits[r->demands[i].sku == 0 ? UNKNOWN : KNOWN] |= r->demands[i].backordered > 0;
    while (r->x < r->exception_count && r->exceptions[r->x].about < o->id)
        r->x++; /* about no order: another rule's */
    for (; r->x < r->exception_count && r->exceptions[r->x].about == o->id; r->x++) {
        const struct check_open_exceptions_result *e = &r->exceptions[r->x];
        if (e->type == EXCEPTION_LOST_PARCEL)
            continue; /* another rule's */
        const int what = e->type == EXCEPTION_UNMAPPED ? UNKNOWN : KNOWN;
        bool stands = e->sku == 0 && waits[what];
        for (size_t i = demand; i < end && e->sku != 0 && !stands; i++)
            stands = r->demands[i].sku == e->sku && r->demands[i].backordered > 0;
        told[what] = true;
        if (!stands)
            check_found(check, "exception_cause", "an exception stands while its cause does",
                        arena_printf(check->arena, "unit %ld order %ld exception %ld", (long)r->unit, (long)o->id, (long)e->id), 0, 1);
    }
    for (int what = KNOWN; what <= UNKNOWN; what++)
        if (waits[what] && !told[what])
            check_found(check, "exception_cause", "an exception stands while its cause does",
                        arena_printf(check->arena, "unit %ld order %ld", (long)r->unit, (long)o->id), 1, 0);
}

/* The order names the checkout that it used, and is named by it. */
static void check_used(struct check *check, const struct range *r, const struct check_orders_result *o)
{
    const struct reservation_row *row = o->reservation == 0 ? NULL : check_row(&r->used, (const int64_t[]){ r->unit, o->reservation }, 2);
    if (o->reservation != 0 && (row == NULL || row->ord != o->id))
        check_found(check, "reference_unit", "no reference leaves its unit",
                    arena_printf(check->arena, "unit %ld reservation of order %ld", (long)r->unit, (long)o->id), o->reservation,
                    row == NULL ? 0 : row->ord);
}

/* No more parcels than it may come apart into: what nodes have and have sent, and what is reserved at each. */
static void check_shipments(struct check *check, const struct range *r, const struct check_orders_result *o, size_t claim, size_t fulfilment)
{
    int64_t count = 0;
    for (size_t i = claim; i < r->claim_count && r->claims[i].holder == o->id; i++) {
        bool first = r->claims[i].kind == CLAIM_ORDER && r->claims[i].soft > 0;
        for (size_t k = claim; k < i && first; k++)
            first = r->claims[k].kind != CLAIM_ORDER || r->claims[k].soft == 0 || r->claims[k].node != r->claims[i].node;
        count += first;
    }
    for (size_t i = fulfilment; i < r->fulfilment_count && r->fulfilments[i].ord == o->id; i++)
        count += fulfilment_is_a_shipment(r->fulfilments[i].state);
    if (count > o->max_shipments)
        check_found(check, "order_shipments", "an order comes apart into no more parcels than it may",
                    arena_printf(check->arena, "unit %ld order %ld", (long)r->unit, (long)o->id), o->max_shipments, count);
}

static void check_order(struct check *check, struct range *r, const struct check_orders_result *o)
{
    struct order_facts facts = { 0 };
    int64_t holds = 0;
    bool delivered = true;
    size_t first = r->d;
    if (o->max_shipments != NULL_INT)
        check_shipments(check, r, o, r->c, r->f);
    check_lines_of(check, r, o);
    while (r->w < r->work_count && r->work[r->w].ord < o->id)
        r->w++;
    for (; r->d < r->demand_count && r->demands[r->d].ord == o->id; r->d++)
        check_demand(check, r, &r->demands[r->d], &facts);
    check_work_for_people(check, r, first, o);
    for (; r->c < r->claim_count && r->claims[r->c].holder == o->id; r->c++)
        if (r->claims[r->c].kind == CLAIM_ORDER)
            check_claim(check, r, first, o, &r->claims[r->c]);
    for (; r->f < r->fulfilment_count && r->fulfilments[r->f].ord == o->id; r->f++) {
        delivered = delivered && fulfilment_has_ended(r->fulfilments[r->f].state);
        if (!known_has(check, &check->nodes, r->fulfilments[r->f].node))
            check_found(check, "reference_unit", "no reference leaves its unit",
                        arena_printf(check->arena, "unit %ld fulfilment %ld node", (long)r->unit, (long)r->fulfilments[r->f].id),
                        r->fulfilments[r->f].node, 0);
    }
    for (; r->h < r->hold_count && r->holds[r->h].ord == o->id; r->h++) {
        holds += r->holds[r->h].cleared_seq == 0;
        must_be_told(check, r->unit, "event of a hold of order", o->id, max_i64(r->holds[r->h].set_seq, r->holds[r->h].cleared_seq));
    }
    facts.delivered = delivered ? facts.shipped : 0;
    const char *key = arena_printf(check->arena, "unit %ld order %ld", (long)r->unit, (long)o->id);
    if ((int64_t)stage_of(&facts) != o->stage)
        check_found(check, "order_stage", "the stage is the function of the facts", key, stage_of(&facts), o->stage);
    if (holds != o->holds)
        check_found(check, "order_holds", "holds counts the holds that stand", key, holds, o->holds);
    if (!known_has(check, &check->channels, o->channel))
        check_found(check, "reference_unit", "no reference leaves its unit", arena_printf(check->arena, "%s channel", key), o->channel, 0);
    check_used(check, r, o);
    check_keys_upto(check, r, o->id);
    if (r->k < check->keyed.count && check->keyed.ids[r->k] == o->id)
        r->k++;
    else if (o->id < check->keyed.below)
        found_key(check, r, o->id, 1, 0);
}

/* ---- the range ---- */

/* What hangs on nothing: rows before the next order's. */
static void skip_orphans(struct check *check, struct range *r, int64_t order)
{
    for (; r->l < r->line_count && r->lines[r->l].ord < order; r->l++)
        found_orphan(check, r, "line", r->lines[r->l].ord);
    for (; r->u < r->word_count && r->words[r->u].ord < order; r->u++)
        found_orphan(check, r, "unmapped line", r->words[r->u].ord);
    for (; r->d < r->demand_count && r->demands[r->d].ord < order; r->d++)
        found_orphan(check, r, "demand", r->demands[r->d].ord);
    for (; r->f < r->fulfilment_count && r->fulfilments[r->f].ord < order; r->f++)
        found_orphan(check, r, "fulfilment", r->fulfilments[r->f].ord);
    for (; r->h < r->hold_count && r->holds[r->h].ord < order; r->h++)
        found_orphan(check, r, "hold", r->holds[r->h].ord);
    for (; r->c < r->claim_count && r->claims[r->c].holder < order; r->c++)
        if (r->claims[r->c].kind == CLAIM_ORDER)
            check_claim(check, r, r->demand_count, NULL, &r->claims[r->c]);
}

/* Payments, decisions and people of each order. */
static void check_other_rows(struct check *check, const struct range *r)
{
    size_t p = 0, d = 0, s = 0, b = 0;
    for (size_t i = 0; i <= r->order_count; i++) {
        int64_t order = i < r->order_count ? r->orders[i].id : INT64_MAX;
        for (; p < r->payment_count && r->payments[p].ord < order; p++)
            found_orphan(check, r, "payment", r->payments[p].ord);
        for (; d < r->decision_count && r->decisions[d].ord < order; d++)
            found_orphan(check, r, "decision", r->decisions[d].ord);
        for (; b < r->before_count && r->befores[b].id < order; b++)
            found_orphan(check, r, "earlier address", r->befores[b].id);
        for (; b < r->before_count && r->befores[b].id == order; b++)
            must_be_told(check, r->unit, "event of another address of order", order, r->befores[b].seq);
        while (p < r->payment_count && r->payments[p].ord == order)
            p++;
        while (d < r->decision_count && r->decisions[d].ord == order)
            d++;
        while (s < r->person_count && r->persons[s].id < order)
            s++;
        if (i < r->order_count && (r->orders[i].person != order || s == r->person_count || r->persons[s].id != order))
            check_found(check, "reference_unit", "no reference leaves its unit",
                        arena_printf(check->arena, "unit %ld order %ld person", (long)r->unit, (long)order), order, 0);
    }
}

static bool reservation_is_open(const struct range *r, int64_t id)
{
    for (size_t i = 0; i < r->reservations.count; i++) {
        const struct reservation_row *row = db_row(&r->reservations, i);
        if (row->id == id)
            return row->state == RESERVATION_OPEN;
    }
    return false;
}

static bool fence_is_there(const struct range *r, const struct check_claims_of_orders_result *claim)
{
    for (size_t i = 0; i < r->fences.count; i++) {
        const struct fence_row *row = db_row(&r->fences, i);
        if (row->channel == claim->holder && row->node == claim->node && row->sku == claim->sku)
            return true;
    }
    return false;
}

/* It is requested, and the line is of that SKU, from that node, and for as much. */
static bool transfer_may_claim(const struct range *r, const struct check_claims_of_orders_result *claim)
{
    const struct transfer_row *transfer = check_row(&r->transfers, (const int64_t[]){ r->unit, claim->holder }, 2);
    const struct transfer_line_row *line = check_row(&r->moved, (const int64_t[]){ r->unit, claim->holder, claim->line }, 3);
    return transfer != NULL && line != NULL && transfer->state == TRANSFER_REQUESTED && transfer->from_node == claim->node &&
           line->sku == claim->sku && claim->hard == 0 && claim->soft <= line->quantity;
}

/* Checkouts that are open, transfers that are requested, fences that stand; what a broken rule repeats is looked for once a holder. */
static void check_holders(struct check *check, const struct range *r)
{
    int64_t last = 0;
    bool open = true;
    for (size_t i = 0; i < r->claim_count; i++) {
        const struct check_claims_of_orders_result *claim = &r->claims[i];
        if (claim->kind == CLAIM_ORDER)
            continue;
        if (claim->kind != CLAIM_RESERVATION || claim->holder != last)
            open = claim->kind == CLAIM_RESERVATION ? reservation_is_open(r, claim->holder)
                   : claim->kind == CLAIM_TRANSFER  ? transfer_may_claim(r, claim)
                                                    : claim->kind == CLAIM_FENCE && fence_is_there(r, claim);
        last = claim->kind == CLAIM_RESERVATION ? claim->holder : 0;
        if (!open)
            check_found(check, "claim_holder", "each claim has its holder",
                        arena_printf(check->arena, "unit %ld %s %ld node %ld sku %ld", (long)r->unit,
                                     claim_kind_names[claim->kind < CLAIM_ORDER && claim->kind > 0 ? claim->kind : 0], (long)claim->holder,
                                     (long)claim->node, (long)claim->sku),
                        claim->soft + claim->hard, 0);
    }
}

/* Each demand that waits stands in its queue. */
static void check_queued(struct check *check, const struct range *r)
{
    for (size_t i = 0; r->waiting.count < r->queued_count && i < r->queued_count; i++) {
        bool found = false;
        for (size_t k = 0; k < r->waiting.count && !found; k++)
            found = memcmp(db_row(&r->waiting, k), r->queued + 7 * i, 7 * sizeof *r->queued) == 0; /* the key's columns come first */
        if (!found)
            check_found(check, "waiting_demand", "what waits stands in its queue by rank, and nothing else",
                        arena_printf(check->arena, "unit %ld order %ld line %ld part %ld", (long)r->unit, (long)r->queued[7 * i + 4],
                                     (long)r->queued[7 * i + 5], (long)r->queued[7 * i + 6]),
                        1, 0);
    }
}

enum db_result check_orders_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    struct range r = { .upto = 0 };
    for (bool more = true; more && result == DB_OK; more = r.upto < INT64_MAX) {
        r = (struct range){ .unit = unit, .after = r.upto, .k = r.k };
        result = read_range(check, &r);
        for (size_t i = 0; result == DB_OK && i < r.order_count; i++) {
            skip_orphans(check, &r, r.orders[i].id);
            check_order(check, &r, &r.orders[i]);
        }
        if (result == DB_OK) {
            skip_orphans(check, &r, INT64_MAX);
            if (r.upto == INT64_MAX)
                check_keys_upto(check, &r, INT64_MAX);
            check_other_rows(check, &r);
            check_holders(check, &r);
            check_queued(check, &r);
            result = check_numbers(check, unit, r.orders, r.order_count);
        }
        arena_reset(check->arena);
    }
    return result;
}
