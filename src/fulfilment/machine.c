/* src/fulfilment/machine.c: how a fulfilment order moves: one table, and one function that sets its state, for what nodes
 * report and for what orders do at release and cancel.
 * Until it ships, its units are hard claims of the order at the node; shipping is the moment they leave. Invariant: what
 * is due of a line that has not shipped is no more than the claim's hard units, so an effect never fails. */
#include "fulfilment/fulfilment.h"
#include "orders/state.h"
#include <assert.h>

/* ---- guards ---- */

static bool guard_no_more_than_due(const struct fulfilment *fulfilment, struct faults *faults)
{
    size_t before = faults->count;
    for (size_t i = 0; i < fulfilment->line_count; i++) {
        int64_t due = fulfilment_due(fulfilment->lines[i]), picked = fulfilment->picked[i].quantity;
        if (picked > due)
            fault_add(faults, FAULT_OUT_OF_RANGE, fulfilment->picked[i].pointer, "%ld are due and %ld were picked", (long)due, (long)picked);
    }
    return faults->count == before;
}

/* ---- effects ---- */

static void effect_make_packages(struct fulfilment *fulfilment)
{
    const struct pack_line_io *packages = fulfilment->pack->packages.items;
    for (size_t i = 0; i < fulfilment->pack->packages.count; i++) {
        struct package_row row = {
            .unit = ws_unit(fulfilment->ws), .fulfilment = fulfilment->row->id, .number = (int64_t)i + 1, .weight_g = packages[i].weight_g
        };
        ws_insert(fulfilment->ws, &package_table, &row);
    }
}

size_t demand_of(const struct order *order, const struct fulfilment_line_row *line)
{
    size_t i = 0;
    while (order->demands[i]->line != line->line || order->demands[i]->part != line->part)
        i++; /* a fulfilment line was made of a demand: it is there */
    return i;
}

/* What was not found goes into quarantine until a count decides, what is of no use without it becomes available; both wait again. */
static void effect_let_go(struct fulfilment *fulfilment)
{
    struct ws *ws = fulfilment->ws;
    struct order *order = &fulfilment->order;
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_FULFILMENT, fulfilment->row->id });
    for (size_t i = 0; i < fulfilment->line_count; i++) {
        const struct fulfilment_line_row *line = fulfilment->lines[i];
        const int64_t missing = fulfilment->picked[i].missing, useless = fulfilment->picked[i].useless;
        if (missing + useless == 0)
            continue;
        size_t d = demand_of(order, line);
        struct holder holder = demand_holder(order, order->demands[d]);
        const struct claim_row *claim = claim_find(ws, fulfilment->row->node, line->sku, &holder);
        assert(claim != NULL && claim->hard >= missing + useless);
        if (useless > 0)
            claim_give_back(&stock, claim, 0, useless);
        if (missing > 0)
            claim_set_aside(&stock, claim, missing);
        demand_falls_back(order, d, missing + useless, true);
        ((struct fulfilment_line_row *)ws_edit(ws, line))->cancelled += missing + useless;
    }
    stock_end(&stock);
}

/* Goods in whole pieces at the order's prices, less their part of the line's discount. Shares are taken of the sum so far,
 * so that those of all shipments add up to the line exactly. */
static int64_t goods_shipped(const struct order *order)
{
    int64_t sum = 0;
    for (size_t i = 0; i < order->line_count; i++) {
        struct line_money money;
        (void)line_money(order->lines[i], line_figures(order->lines[i], order->demands, order->demand_count).shipped, &money); /* the line fits */
        sum += money.goods - money.discount;
    }
    return sum;
}

/* Units leave: hard claims to the customer. */
static void effect_ship(struct fulfilment *fulfilment)
{
    struct ws *ws = fulfilment->ws;
    struct order *order = &fulfilment->order;
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_FULFILMENT, fulfilment->row->id });
    int64_t before = goods_shipped(order);
    fulfilment->quantity = 0;
    for (size_t i = 0; i < fulfilment->line_count; i++) {
        const struct fulfilment_line_row *line = fulfilment->lines[i];
        int64_t due = fulfilment_due(line);
        if (due == 0)
            continue;
        size_t d = demand_of(order, line);
        struct holder holder = demand_holder(order, order->demands[d]);
        const struct claim_row *claim = claim_find(ws, fulfilment->row->node, line->sku, &holder);
        assert(claim != NULL && claim->hard >= due);
        claim_ship(&stock, claim, due);
        struct demand_row *demand = demand_edit(order, d);
        demand->allocated -= due;
        demand->shipped += due;
        fulfilment->quantity += due;
    }
    fulfilment->amount = goods_shipped(order) - before;
    struct fulfilment_row *row = ws_edit(ws, fulfilment->row);
    row->carrier = fulfilment->ship->carrier;
    row->tracking = fulfilment->ship->tracking;
    struct ws_cursor cursor = ws_scan(ws, &package_of_fulfilment, WS_PREFIX(db_int(ws_unit(ws)), db_int(row->id)), 0);
    for (const struct package_row *package; (package = ws_next(ws, &cursor)) != NULL;) {
        struct package_row *edited = ws_edit(ws, package);
        edited->carrier = row->carrier;
        edited->tracking = row->tracking;
    }
    stock_end(&stock);
}

/* ---- the machine ---- */

#define NONE NULL, NULL
#define GUARD(name) #name, guard_##name
#define EFFECT(name) #name, effect_##name

/* At release the order makes its claims hard, at reduce and cancel it gives them back: it does so itself, before the step. */
const struct transition fulfilment_machine[] = {
    { FULFILMENT_OPEN, DO_RELEASE, NONE, FULFILMENT_RELEASED, NONE },
    { FULFILMENT_RELEASED, DO_PICK, GUARD(no_more_than_due), FULFILMENT_PICKING, EFFECT(let_go) },
    { FULFILMENT_RELEASED, DO_MISS, GUARD(no_more_than_due), FULFILMENT_CANCELLED, EFFECT(let_go) },
    { FULFILMENT_PICKING, DO_PACK, NONE, FULFILMENT_PACKED, EFFECT(make_packages) },
    { FULFILMENT_PACKED, DO_SHIP, NONE, FULFILMENT_SHIPPED, EFFECT(ship) },
    { FULFILMENT_SHIPPED, DO_DELIVER, NONE, FULFILMENT_DELIVERED, NONE },
    { FULFILMENT_RELEASED, DO_REDUCE, NONE, FULFILMENT_RELEASED, NONE },
    { FULFILMENT_PICKING, DO_REDUCE, NONE, FULFILMENT_PICKING, NONE },
    { FULFILMENT_PACKED, DO_REDUCE, NONE, FULFILMENT_PACKED, NONE },
    { FULFILMENT_OPEN, DO_CANCEL, NONE, FULFILMENT_CANCELLED, NONE },
    { FULFILMENT_RELEASED, DO_CANCEL, NONE, FULFILMENT_CANCELLED, NONE },
    { FULFILMENT_PICKING, DO_CANCEL, NONE, FULFILMENT_CANCELLED, NONE },
    { FULFILMENT_PACKED, DO_CANCEL, NONE, FULFILMENT_CANCELLED, NONE },
};
const size_t fulfilment_machine_count = COUNT(fulfilment_machine);

static const struct {
    const char *name, *done;
} events[FULFILMENT_EVENT_COUNT] = {
    [DO_RELEASE] = { "release", "released" }, [DO_PICK] = { "pick", "picked" },        [DO_PACK] = { "pack", "packed" },
    [DO_MISS] = { "miss", "picked" },         [DO_SHIP] = { "ship", "shipped" },       [DO_DELIVER] = { "deliver", "delivered" },
    [DO_REDUCE] = { "reduce", "reduced" },    [DO_CANCEL] = { "cancel", "cancelled" },
};

const struct transition *fulfilment_transition(enum fulfilment_state from, enum fulfilment_event event)
{
    for (size_t i = 0; i < COUNT(fulfilment_machine); i++)
        if (fulfilment_machine[i].from == from && fulfilment_machine[i].event == event)
            return &fulfilment_machine[i];
    return NULL;
}

void fulfilment_machine_print(FILE *out)
{
    fputs("| from | event | guard | to | effect |\n| --- | --- | --- | --- | --- |\n", out);
    for (size_t i = 0; i < COUNT(fulfilment_machine); i++) {
        const struct transition *t = &fulfilment_machine[i];
        fprintf(out, "| %s | %s | %s | %s | %s |\n", fulfilment_names[t->from], events[t->event].name, t->guard_name == NULL ? "" : t->guard_name,
                fulfilment_names[t->to], t->effect_name == NULL ? "" : t->effect_name);
    }
}

const struct fulfilment_row *fulfilment_step(struct ws *ws, const struct fulfilment_row *row, enum fulfilment_event event)
{
    const struct transition *transition = fulfilment_transition((enum fulfilment_state)row->state, event);
    assert(transition != NULL);
    struct fulfilment_row *moved = ws_edit(ws, row);
    moved->state = transition->to;
    moved->version++;
    return moved;
}

/* Units that were not found, by line of the order; not what went back with them. */
static void tell_missing(const struct fulfilment *fulfilment, struct json_writer *json)
{
    struct line_units *lines = ARENA_ARRAY(ws_arena(fulfilment->ws), struct line_units, fulfilment->line_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < fulfilment->line_count && fulfilment->picked != NULL; i++) {
        const int64_t line = fulfilment->lines[i]->line, missing = fulfilment->picked[i].missing;
        if (missing == 0)
            continue;
        if (count == 0 || lines[count - 1].line != line)
            lines[count++] = (struct line_units){ .line = line };
        lines[count - 1].quantity += missing;
    }
    if (count > 0)
        line_units_tell(json, "missing", lines, count);
}

static int64_t tell(const struct fulfilment *fulfilment)
{
    const struct fulfilment_row *row = fulfilment->row;
    struct json_writer json;
    json_begin(&json, ws_arena(fulfilment->ws));
    json_object(&json);
    fulfilment_report_write(fulfilment->ws, row, &json);
    tell_missing(fulfilment, &json);
    if (row->state == FULFILMENT_SHIPPED) {
        json_key(&json, "carrier");
        json_text(&json, row->carrier);
        json_key(&json, "tracking");
        json_text(&json, row->tracking);
    }
    json_object_end(&json);
    bool bears = fulfilment->amount != NULL_INT;
    struct event_row event = event_of(EVENT_FULFILMENT_CHANGED, SUBJECT_FULFILMENT, row->id);
    event.about = row->ord;
    event.node = row->node;
    event.quantity = fulfilment->quantity;
    event.amount = fulfilment->amount;
    event.currency = bears ? fulfilment->order.row->currency : NULL;
    event.data = json.out.at;
    return ws_event(fulfilment->ws, event);
}

int64_t fulfilment_move(struct fulfilment *fulfilment, enum fulfilment_event event, struct faults *faults)
{
    const struct transition *transition = fulfilment_transition((enum fulfilment_state)fulfilment->row->state, event);
    if (transition == NULL) {
        fault_add(faults, FAULT_STATE_CONFLICT, NULL, "a fulfilment order in state %s cannot be %s", fulfilment_names[fulfilment->row->state],
                  events[event].done);
        return 0;
    }
    if (transition->guard != NULL && !transition->guard(fulfilment, faults))
        return 0;
    fulfilment->row = fulfilment_step(fulfilment->ws, fulfilment->row, event);
    fulfilment->quantity = fulfilment->amount = NULL_INT;
    if (transition->effect != NULL)
        transition->effect(fulfilment);
    return tell(fulfilment);
}
