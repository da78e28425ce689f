/* src/orders/order.c: an order with what hangs on it, and how it moves on.
 * Nothing here stores what could be derived: the stage is a function of the facts, and the events tell it when it
 * changes. order_advance is the only place that releases. */
#include "orders/orders.h"
#include "orders/payments.h"
#include "orders/shipments.h"
#include "orders/state.h"
#include "routing/routing.h"
#include <assert.h>
#include <string.h>

void order_want(struct ws *ws, int64_t id)
{
    const int64_t unit = ws_unit(ws);
    const struct db_value prefix[] = { db_int(unit), db_int(id) };
    ws_want(ws, &orders_table, WS_KEY(unit, id));
    ws_want_path(ws, &line_of_order, prefix, 0);
    ws_want_path(ws, &demand_of_order, prefix, 0);
    routing_want(ws); /* whoever shows the order asks whether its lines have promises */
}

bool order_open(struct ws *ws, int64_t id, struct order *order)
{
    const int64_t unit = ws_unit(ws);
    const struct db_value prefix[] = { db_int(unit), db_int(id) };
    order_want(ws, id);
    ws_settle(ws);
    *order = (struct order){ .ws = ws, .row = ws_get(ws, &orders_table, WS_KEY(unit, id)) };
    if (order->row == NULL)
        return false;
    order->lines = ARENA_ARRAY(ws_arena(ws), const struct order_line_row *, ws_count(ws, &line_of_order, prefix));
    order->demands = ARENA_ARRAY(ws_arena(ws), const struct demand_row *, ws_count(ws, &demand_of_order, prefix));
    const void *row;
    for (struct ws_cursor cursor = ws_scan(ws, &line_of_order, prefix, 0); (row = ws_next(ws, &cursor)) != NULL;)
        order->lines[order->line_count++] = row;
    for (struct ws_cursor cursor = ws_scan(ws, &demand_of_order, prefix, 0); (row = ws_next(ws, &cursor)) != NULL;)
        order->demands[order->demand_count++] = row;
    return true;
}

struct orders_row *order_edit(struct order *order)
{
    struct orders_row *row = ws_edit(order->ws, order->row);
    order->row = row;
    return row;
}

struct demand_row *demand_edit(struct order *order, size_t i)
{
    return ws_edit(order->ws, order->demands[i]);
}

struct holder demand_holder(const struct order *order, const struct demand_row *demand)
{
    return (struct holder){ .kind = CLAIM_ORDER,
                            .priority = order->row->priority,
                            .promise = order->row->promise_by == NULL_INT ? INT64_MAX : order->row->promise_by,
                            .id = order->row->id,
                            .line = demand->line,
                            .part = demand->part };
}

struct figures line_figures(const struct order_line_row *line, const struct demand_row *const *demands, size_t count)
{
    int64_t s = INT64_MAX, a = INT64_MAX, r = INT64_MAX, c = INT64_MAX, oversold = 0;
    for (size_t i = 0; i < count; i++) {
        const struct demand_row *d = demands[i];
        if (d->line != line->line)
            continue;
        s = min_i64(s, d->shipped / d->need);
        a = min_i64(a, (d->shipped + d->allocated) / d->need);
        r = min_i64(r, (d->shipped + d->allocated + d->reserved) / d->need);
        c = min_i64(c, (d->shipped + d->allocated + d->reserved + d->cancelled) / d->need);
        oversold = max_i64(oversold, (d->oversold + d->need - 1) / d->need);
    }
    struct figures figures = { .shipped = s, .allocated = a - s, .reserved = r - a, .cancelled = c - r, .backordered = line->quantity - c };
    figures.oversold = min_i64(oversold, figures.backordered);
    return figures;
}

bool line_money(const struct order_line_row *line, int64_t pieces, struct line_money *money)
{
    __extension__ typedef __int128 wide;
    const int64_t priced = line->priced == NULL_INT ? line->quantity : line->priced;
    const wide goods = (wide)line->unit_price * pieces;
    const wide discount = line->discount == NULL_INT ? 0 : ((wide)line->discount * pieces + priced - 1) / priced;
    const wide tax = line->tax == NULL_INT ? 0 : (wide)line->tax * pieces / priced;
    if (goods > INT64_MAX || discount > INT64_MAX || tax > INT64_MAX)
        return false;
    *money = (struct line_money){ .goods = (int64_t)goods, .discount = (int64_t)discount, .tax = (int64_t)tax };
    return true;
}

static bool add_line(const struct order_line_row *line, int64_t pieces, bool with_tax, int64_t *sum)
{
    struct line_money money;
    return line_money(line, pieces, &money) && money_add(*sum, money.goods - money.discount, sum) && (!with_tax || money_add(*sum, money.tax, sum));
}

bool order_total(const struct orders_row *order, const struct order_line_row *const *lines, size_t count, int64_t *total)
{
    bool fits = true;
    *total = order->shipping;
    for (size_t i = 0; i < count && fits; i++)
        fits = add_line(lines[i], lines[i]->quantity, !order->prices_include_tax, total);
    return fits;
}

int64_t order_due(const struct order *order)
{
    int64_t due = 0;
    bool wanted = false;
    for (size_t i = 0; i < order->line_count; i++) {
        const struct order_line_row *line = order->lines[i];
        int64_t left = line->quantity - line_figures(line, order->demands, order->demand_count).cancelled;
        (void)add_line(line, left, !order->row->prices_include_tax, &due); /* it fits: the whole line does */
        wanted = wanted || left > 0;
    }
    return wanted ? due + order->row->shipping : 0;
}

static bool all_cancelled(const struct order_facts *f)
{
    return f->open == 0;
}
static bool some_wait(const struct order_facts *f)
{
    return f->backordered > 0;
}
static bool some_are_reserved(const struct order_facts *f)
{
    return f->reserved > 0;
}
static bool some_are_allocated(const struct order_facts *f)
{
    return f->allocated > 0;
}
static bool some_are_on_their_way(const struct order_facts *f)
{
    return f->delivered < f->shipped;
}
static bool else_all(const struct order_facts *f)
{
    return f->delivered == f->shipped;
}

/* The first rule that holds gives the stage: that of the least advanced unit which is not cancelled. */
static const struct {
    enum stage stage;
    bool (*holds)(const struct order_facts *facts);
    const char *says;
} stage_rules[] = {
    { STAGE_CANCELLED, all_cancelled, "all units are cancelled" },
    { STAGE_CAPTURED, some_wait, "some units wait for supply" },
    { STAGE_RESERVED, some_are_reserved, "some units are claimed, and no node has been told to ship them" },
    { STAGE_RELEASED, some_are_allocated, "some units are with a node and have not left" },
    { STAGE_SHIPPED, some_are_on_their_way, "some units are on their way" },
    { STAGE_DELIVERED, else_all, "all units have arrived" },
};

enum stage stage_of(const struct order_facts *facts)
{
    size_t i = 0;
    while (!stage_rules[i].holds(facts))
        i++; /* nothing delivers more than was shipped: one of the last two holds */
    return stage_rules[i].stage;
}

void order_stages_print(FILE *out)
{
    fputs("| stage | when |\n| --- | --- |\n", out);
    for (size_t i = 0; i < COUNT(stage_rules); i++)
        fprintf(out, "| %s | %s |\n", stage_names[stage_rules[i].stage], stage_rules[i].says);
}

static struct ws_cursor fulfilments_of(const struct order *order)
{
    return ws_scan(order->ws, &fulfilment_of_order, WS_PREFIX(db_int(ws_unit(order->ws)), db_int(order->row->id)), 0);
}

static struct order_facts facts_of(struct order *order)
{
    struct order_facts facts = { 0 };
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct demand_row *d = order->demands[i];
        facts.open += d->ordered - d->cancelled;
        facts.backordered += d->backordered;
        facts.reserved += d->reserved;
        facts.allocated += d->allocated;
        facts.shipped += d->shipped;
        facts.cancelled += d->cancelled;
    }
    if (facts.shipped == 0)
        return facts;
    struct ws_cursor cursor = fulfilments_of(order);
    const struct fulfilment_row *fulfilment;
    bool all = true;
    while ((fulfilment = ws_next(order->ws, &cursor)) != NULL)
        all = all && fulfilment_has_ended(fulfilment->state);
    facts.delivered = all ? facts.shipped : 0;
    return facts;
}

void order_event_begin(struct order *order, struct json_writer *json)
{
    json_begin(json, ws_arena(order->ws));
    json_object(json);
}

int64_t order_event_end(struct order *order, struct json_writer *json, enum event_type type, int64_t amount)
{
    order_edit(order)->version++;
    order_state_write(order, json);
    json_object_end(json);
    struct event_row event = event_of(type, SUBJECT_ORDER, order->row->id);
    event.about = order->row->id;
    event.amount = amount;
    event.currency = amount == NULL_INT ? NULL : order->row->currency;
    event.data = json->out.at;
    order->last_seq = ws_event(order->ws, event);
    return order->last_seq;
}

int64_t order_told(const struct order *order)
{
    int64_t seq = 0;
    const struct event_row *event;
    struct ws_cursor cursor = ws_scan(order->ws, &event_of_order, WS_PREFIX(db_int(ws_unit(order->ws)), db_int(order->row->id)), 0);
    while ((event = ws_next(order->ws, &cursor)) != NULL)
        seq = event->seq;
    return seq;
}

int64_t order_event(struct order *order, enum event_type type, int64_t amount)
{
    struct json_writer json;
    order_event_begin(order, &json);
    return order_event_end(order, &json, type, amount);
}

/* ---- release ---- */

static bool has_soft_claims(const struct order *order, bool *waits)
{
    bool soft = false;
    *waits = false;
    for (size_t i = 0; i < order->demand_count; i++) {
        soft = soft || order->demands[i]->reserved > 0;
        *waits = *waits || order->demands[i]->backordered > 0;
    }
    return soft;
}

enum fault_code order_release_gate(struct order *order)
{
    const struct orders_row *row = order->row;
    const struct payment_sums sums = payment_sums_of(row);
    const struct payment_standing standing = payment_standing(&sums);
    bool waits, soft = has_soft_claims(order, &waits);
    if (!soft)
        return FAULT_STATE_CONFLICT;
    if (row->holds > 0)
        return FAULT_HOLD_LEFT;
    if (!payment_meets((enum payment_term)row->term, &standing, order_due(order)))
        return FAULT_PAYMENT_OPEN;
    return (waits && row->shortage != SHORTAGE_PARTIAL) || order_keeps_its_last_shipment(order, waits) ? FAULT_SHORTAGE : FAULT_NONE;
}

static const struct fulfilment_row *fulfilment_for(struct order *order, int64_t node, int64_t first_id)
{
    struct ws_cursor cursor = fulfilments_of(order);
    const struct fulfilment_row *fulfilment;
    while ((fulfilment = ws_next(order->ws, &cursor)) != NULL)
        if (fulfilment->node == node && fulfilment->id >= first_id) /* of this release: earlier ones are at work already */
            return fulfilment;
    struct fulfilment_row fresh = {
        .unit = ws_unit(order->ws), .id = ws_next_id(order->ws), .ord = order->row->id, .node = node, .state = FULFILMENT_OPEN
    };
    fresh.given_day = routing_given(order->ws, ws_get(order->ws, &node_table, WS_KEY(fresh.unit, node)));
    ws_fresh(order->ws, &line_of_fulfilment, WS_PREFIX(db_int(fresh.unit), db_int(fresh.id)));
    ws_fresh(order->ws, &package_of_fulfilment, WS_PREFIX(db_int(fresh.unit), db_int(fresh.id)));
    return ws_insert(order->ws, &fulfilment_table, &fresh);
}

/* The nodes have it: open becomes released in the command that made it. */
static void fulfilments_release(struct order *order, int64_t first_id)
{
    struct ws_cursor cursor = fulfilments_of(order);
    const struct fulfilment_row *fulfilment;
    while ((fulfilment = ws_next(order->ws, &cursor)) != NULL) {
        if (fulfilment->id < first_id)
            continue;
        fulfilment = fulfilment_step(order->ws, fulfilment, DO_RELEASE);
        struct event_row event = event_of(EVENT_FULFILMENT_CHANGED, SUBJECT_FULFILMENT, fulfilment->id);
        event.about = order->row->id;
        event.node = fulfilment->node;
        event.data = FULFILMENT_WORD("released");
        ws_event(order->ws, event);
    }
}

/* Soft claims become hard, a fulfilment order for each node. */
static void release(struct order *order)
{
    struct ws *ws = order->ws;
    claims_want(ws, &order->row->id, 1);
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_ORDER, order->row->id });
    int64_t first_id = ws_next_id(ws);
    struct ws_cursor cursor = ws_scan(ws, &claim_of_holder, WS_PREFIX(db_int(ws_unit(ws)), db_int(order->row->id)), 0);
    const struct claim_row *claim;
    size_t d = 0;
    while ((claim = ws_next(ws, &cursor)) != NULL) {
        int64_t quantity = claim->soft;
        if (claim->kind != CLAIM_ORDER || quantity == 0)
            continue; /* a fence's holder is a channel, numbered by the company: it may be the same number */
        while (order->demands[d]->line != claim->line || order->demands[d]->part != claim->part)
            d++;
        struct fulfilment_line_row line = { .unit = ws_unit(ws),
                                            .fulfilment = fulfilment_for(order, claim->node, first_id)->id,
                                            .line = claim->line,
                                            .part = claim->part,
                                            .sku = claim->sku,
                                            .quantity = quantity };
        ws_insert(ws, &fulfilment_line_table, &line);
        claim_harden(&stock, claim, quantity);
        struct demand_row *demand = demand_edit(order, d);
        demand->reserved -= quantity;
        demand->allocated += quantity;
    }
    stock_end(&stock);
    fulfilments_release(order, first_id);
}

bool order_restage(struct order *order)
{
    struct order_facts facts = facts_of(order);
    enum stage stage = stage_of(&facts);
    if (stage == (enum stage)order->row->stage)
        return false;
    order_edit(order)->stage = stage;
    return true;
}

static void stage_set(struct order *order)
{
    static const enum event_type told[STAGE_COUNT] = {
        [STAGE_CAPTURED] = EVENT_ORDER_BACKORDERED, [STAGE_RESERVED] = EVENT_ORDER_RESERVED,   [STAGE_RELEASED] = EVENT_ORDER_RELEASED,
        [STAGE_SHIPPED] = EVENT_ORDER_SHIPPED,      [STAGE_DELIVERED] = EVENT_ORDER_DELIVERED, [STAGE_CANCELLED] = EVENT_ORDER_CANCELLED,
    };
    if (order_restage(order))
        order_event(order, told[order->row->stage], order->row->stage == STAGE_SHIPPED ? order_due(order) : NULL_INT);
}

void order_advance(struct order *order, bool asked)
{
    stage_set(order);
    const struct channel_row *channel = ws_get(order->ws, &channel_table, WS_KEY(ws_unit(order->ws), order->row->channel));
    if (order_release_gate(order) != FAULT_NONE || (channel->manual_release && !asked))
        return;
    release(order);
    enum stage before = (enum stage)order->row->stage;
    stage_set(order);
    if ((enum stage)order->row->stage == before) /* under `partial` what can go, goes, and the order still waits */
        order_event(order, EVENT_ORDER_RELEASED, NULL_INT);
}

/* ---- holds ---- */

static int64_t hold_event(struct order *order, enum event_type type, const char *kind, const char *source, const char *reason)
{
    struct json_writer json;
    order_event_begin(order, &json);
    json_key(&json, "kind");
    json_text(&json, kind);
    json_key(&json, "source");
    json_text(&json, source);
    json_key(&json, "reason");
    json_text(&json, reason);
    return order_event_end(order, &json, type, NULL_INT);
}

void hold_add(struct order *order, const char *kind, const char *source, const char *reason)
{
    struct ws *ws = order->ws;
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(order->row->id) };
    int64_t number = 1;
    const struct order_hold_row *hold;
    for (struct ws_cursor cursor = ws_scan(ws, &hold_of_order, prefix, 0); (hold = ws_next(ws, &cursor)) != NULL;) {
        number = hold->number + 1;
        if (hold->cleared_seq == 0 && text_equal(hold->kind, kind) && text_equal(hold->source, source))
            return; /* it stands already: the same hold twice is one */
    }
    order_edit(order)->holds++;
    int64_t seq = hold_event(order, EVENT_ORDER_HELD, kind, source, reason);
    struct order_hold_row row = { .unit = ws_unit(ws),
                                  .ord = order->row->id,
                                  .number = number,
                                  .kind = kind,
                                  .source = source,
                                  .reason = reason,
                                  .since = ws_now_us(ws),
                                  .set_seq = seq };
    ws_insert(ws, &order_hold_table, &row);
}

size_t hold_clear(struct order *order, const char *kind, const char *source, const char *reason)
{
    struct ws *ws = order->ws;
    size_t cleared = 0;
    const struct order_hold_row *hold;
    struct ws_cursor cursor = ws_scan(ws, &hold_of_order, WS_PREFIX(db_int(ws_unit(ws)), db_int(order->row->id)), 0);
    while ((hold = ws_next(ws, &cursor)) != NULL) {
        if (hold->cleared_seq != 0 || !text_equal(hold->kind, kind) || (source != NULL && !text_equal(hold->source, source)))
            continue;
        order_edit(order)->holds--;
        ((struct order_hold_row *)ws_edit(ws, hold))->cleared_seq = hold_event(order, EVENT_ORDER_HOLD_CLEARED, hold->kind, hold->source, reason);
        cleared++;
    }
    return cleared;
}

/* ---- exceptions ---- */

static bool names_nothing(const struct exception_item_row *row, const struct demand_row *demand)
{
    return demand->sku == 0;
}
static bool is_of_its_sku(const struct exception_item_row *row, const struct demand_row *demand)
{
    return demand->sku != 0 && (row->sku == 0 || row->sku == demand->sku);
}

/* It stands while such a demand of the order waits. The types of other modules have no row: they close what they opened. */
static bool (*const stands_by[EXCEPTION_TYPE_COUNT])(const struct exception_item_row *row, const struct demand_row *demand) = {
    [EXCEPTION_SHORTAGE] = is_of_its_sku, [EXCEPTION_OVERSELL] = is_of_its_sku, [EXCEPTION_BROKEN_CLAIM] = is_of_its_sku,
    [EXCEPTION_UNMAPPED] = names_nothing, [EXCEPTION_DECLINED] = is_of_its_sku, [EXCEPTION_NODE_FAILED] = is_of_its_sku,
};

static bool exception_stands(const struct order *order, const struct exception_item_row *row)
{
    bool stands = stands_by[row->type] == NULL;
    for (size_t i = 0; i < order->demand_count && !stands; i++)
        stands = stands_by[row->type](row, order->demands[i]) && order->demands[i]->backordered > 0;
    return stands;
}

void exceptions_settle(struct order *order)
{
    struct ws *ws = order->ws;
    struct ws_cursor cursor = ws_scan(ws, &exception_open_of_order, WS_PREFIX(db_int(ws_unit(ws)), db_int(order->row->id)), 0);
    const struct exception_item_row *row;
    while ((row = ws_next(ws, &cursor)) != NULL)
        if (row->state == EXCEPTION_OPEN && !exception_stands(order, row))
            order->last_seq = exception_close(ws, row);
}
