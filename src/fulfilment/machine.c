/* src/fulfilment/machine.c: how a fulfilment order moves: one table, and one function that sets its state, for what nodes
 * report and for what orders do at release and cancel.
 * Until it ships, its units are hard claims of the order at the node; shipping is the moment they leave. Invariant: what
 * is due of a line that has not shipped is no more than the claim's hard units, so an effect never fails. */
#include "fulfilment/fulfilment.h"
#include "orders/asked.h"
#include "orders/losses.h"
#include "orders/state.h"
#include <assert.h>
#include <stdio.h>

static const char *fulfilment_event_done(enum fulfilment_event event);

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

static bool guard_others_run_it(const struct fulfilment *fulfilment, struct faults *faults)
{
    const struct node_row *node = ws_get(fulfilment->ws, &node_table, WS_KEY(ws_unit(fulfilment->ws), fulfilment->row->node));
    if (node_is_run_by_others(node))
        return true;
    fault_add(faults, FAULT_STATE_CONFLICT, NULL, "%s is a node of our own: its work is not sent, it is picked", node->code);
    return false;
}

/* Where it stands but for the asking. */
static const struct transition *as_it_stood(const struct fulfilment *fulfilment)
{
    return fulfilment_transition(asked_since(fulfilment->ws, fulfilment->row), fulfilment->event);
}

static bool guard_as_it_stood(const struct fulfilment *fulfilment, struct faults *faults)
{
    const struct transition *transition = as_it_stood(fulfilment);
    if (transition != NULL)
        return transition->guard == NULL || transition->guard(fulfilment, faults);
    fault_add(faults, FAULT_STATE_CONFLICT, NULL, "it was %s when it was asked back: it cannot be %s",
              fulfilment_names[asked_since(fulfilment->ws, fulfilment->row)], fulfilment_event_done(fulfilment->event));
    return false;
}

static bool guard_was_assumed(const struct fulfilment *fulfilment, struct faults *faults)
{
    if (ws_get(fulfilment->ws, &assumed_delivery_table, WS_KEY(ws_unit(fulfilment->ws), fulfilment->row->id)) != NULL)
        return true;
    fault_add(faults, FAULT_STATE_CONFLICT, NULL, "a fulfilment order in state delivered cannot be delivered");
    return false;
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

/* What was not found goes into quarantine until a count decides, what else leaves becomes available; both wait again, but for what the
 * node was asked to give back: that is cancelled. */
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
        const int64_t cancelled = asked_take(ws, fulfilment->row, line->line, line->part, missing + useless);
        size_t d = demand_of(order, line);
        struct holder holder = demand_holder(order, order->demands[d]);
        const struct claim_row *claim = claim_find(ws, fulfilment->row->node, line->sku, &holder);
        assert(claim != NULL && claim->hard >= missing + useless);
        if (useless > 0)
            claim_give_back(&stock, claim, 0, useless);
        if (missing > 0)
            claim_set_aside(&stock, claim, missing);
        struct demand_row *demand = demand_edit(order, d);
        demand->allocated -= cancelled;
        demand->cancelled += cancelled;
        if (missing + useless > cancelled)
            demand_falls_back(order, d, missing + useless - cancelled, FROM_ALLOCATED);
        fulfilment->picked[i].cancelled = cancelled;
        ((struct fulfilment_line_row *)ws_edit(ws, line))->cancelled += missing + useless;
    }
    stock_end(&stock);
    fulfilment->freed = stock.freed;
    fulfilment->freed_count = stock.freed_count;
}

/* What has left so far, in whole pieces: goods at the order's prices less their part of the line's discount, their part of its tax, and
 * whether anything has. Shares are taken of the sum so far, rounded as order_due does, so that those of all shipments add up to the line
 * exactly. */
struct left {
    int64_t goods, tax;
    bool any;
};
static struct left what_left(const struct order *order)
{
    struct left left = { 0 };
    for (size_t i = 0; i < order->line_count; i++) {
        struct line_money money;
        (void)line_money(order->lines[i], line_figures(order->lines[i], order->demands, order->demand_count).shipped, &money); /* the line fits */
        left.goods += money.goods - money.discount;
        left.tax += money.tax;
    }
    for (size_t i = 0; i < order->demand_count; i++)
        left.any = left.any || order->demands[i]->shipped > 0;
    return left;
}

/* When nobody says that it was delivered, as its channel has it now. */
static void note_due(struct fulfilment *fulfilment)
{
    struct ws *ws = fulfilment->ws;
    const struct channel_row *channel = ws_get(ws, &channel_table, WS_KEY(ws_unit(ws), fulfilment->order.row->channel));
    struct parcel_due_row due = { .unit = ws_unit(ws),
                                  .at = ws_now_us(ws) + channel->deliver_after_days * INT64_C(86400000000),
                                  .fulfilment = fulfilment->row->id };
    if (channel->deliver_after_days > 0)
        ws_insert(ws, &parcel_due_table, &due);
}

/* Units leave: hard claims to the customer. */
static void effect_ship(struct fulfilment *fulfilment)
{
    struct ws *ws = fulfilment->ws;
    struct order *order = &fulfilment->order;
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_FULFILMENT, fulfilment->row->id });
    const struct left before = what_left(order);
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
    const struct left after = what_left(order);
    fulfilment->amount = after.goods - before.goods;
    fulfilment->tax = after.tax - before.tax;
    fulfilment->shipping = before.any ? 0 : order->row->shipping;
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
    note_due(fulfilment);
}

static void effect_assume(struct fulfilment *fulfilment)
{
    struct assumed_delivery_row row = { .unit = ws_unit(fulfilment->ws), .fulfilment = fulfilment->row->id, .at = ws_now_us(fulfilment->ws) };
    ws_insert(fulfilment->ws, &assumed_delivery_table, &row);
}

static void effect_confirm(struct fulfilment *fulfilment)
{
    const void *row = ws_get(fulfilment->ws, &assumed_delivery_table, WS_KEY(ws_unit(fulfilment->ws), fulfilment->row->id));
    if (row != NULL)
        ws_delete(fulfilment->ws, row);
}

static int64_t place_of(enum loss_kind kind)
{
    return kind == LOSS_LOST ? PLACE_ADJUSTMENT : PLACE_SCRAP;
}

static void move_outside(struct stock *stock, int64_t sku, int64_t from, int64_t to, int64_t units)
{
    stock_move(stock, &(struct move){ .sku = sku, .quantity = units, .from_node = from, .to_node = to, .unit_cost = NULL_INT });
}

/* The customer has not got them: they are gone, whatever is decided. */
static void effect_lose(struct fulfilment *fulfilment)
{
    struct ws *ws = fulfilment->ws;
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_FULFILMENT, fulfilment->row->id });
    fulfilment->quantity = 0;
    for (size_t i = 0; i < fulfilment->line_count; i++) {
        const struct fulfilment_line_row *line = fulfilment->lines[i];
        const int64_t units = fulfilment->units[i];
        if (units == 0)
            continue;
        move_outside(&stock, line->sku, PLACE_CUSTOMER, place_of(fulfilment->loss), units);
        loss_add(ws, fulfilment->row, line->line, line->part, fulfilment->loss, units);
        fulfilment->quantity += units;
    }
    stock_end(&stock);
}

/* Of one line and one kind of loss. */
static void settle_units(struct fulfilment *fulfilment, struct stock *stock, size_t i, enum loss_kind kind, int64_t units)
{
    struct order *order = &fulfilment->order;
    const struct fulfilment_line_row *line = fulfilment->lines[i];
    const size_t d = demand_of(order, line);
    loss_decide(fulfilment->ws, fulfilment->row, line->line, line->part, kind, fulfilment->end, units);
    if (fulfilment->end == LOSS_ARRIVED) {
        move_outside(stock, line->sku, place_of(kind), PLACE_CUSTOMER, units);
        return;
    }
    ((struct fulfilment_line_row *)ws_edit(fulfilment->ws, line))->cancelled += units;
    if (fulfilment->end == LOSS_SHIP_AGAIN) {
        demand_falls_back(order, d, units, FROM_SHIPPED);
        return;
    }
    struct demand_row *demand = demand_edit(order, d);
    demand->shipped -= units;
    demand->cancelled += units;
}

/* What they were sold for comes off again: a replacement is sold when it ships. */
static void effect_settle(struct fulfilment *fulfilment)
{
    struct ws *ws = fulfilment->ws;
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_FULFILMENT, fulfilment->row->id });
    const struct left before = what_left(&fulfilment->order);
    fulfilment->quantity = 0;
    for (size_t i = 0; i < fulfilment->line_count; i++) {
        const struct fulfilment_line_row *line = fulfilment->lines[i];
        int64_t left = fulfilment->units[i];
        for (int kind = LOSS_LOST; kind < LOSS_KIND_COUNT && left > 0; kind++) {
            const int64_t units = min_i64(left, loss_undecided(ws, fulfilment->row, line->line, line->part, (enum loss_kind)kind));
            if (units > 0)
                settle_units(fulfilment, &stock, i, (enum loss_kind)kind, units);
            left -= units;
        }
        fulfilment->quantity += fulfilment->units[i];
    }
    stock_end(&stock);
    const struct left after = what_left(&fulfilment->order);
    if (fulfilment->end != LOSS_ARRIVED) {
        fulfilment->amount = after.goods - before.goods;
        fulfilment->tax = after.tax - before.tax;
        fulfilment->shipping = after.any ? 0 : -fulfilment->order.row->shipping; /* the next parcel is the order's first again */
    }
    if (fulfilment->row->state == FULFILMENT_FAILED)
        effect_confirm(fulfilment);
}

/* The node goes on where it stood, and is still asked; unless nothing of that is left to ask for, or its deed was the answer. */
static void effect_go_on_there(struct fulfilment *fulfilment)
{
    const struct transition *transition = as_it_stood(fulfilment);
    if (transition->effect != NULL)
        transition->effect(fulfilment);
    if (fulfilment->row->state != FULFILMENT_CANCEL_REQUESTED)
        asked_forget(fulfilment->ws, fulfilment->row);
    else if (asked_in_all(fulfilment->ws, fulfilment->row) > 0)
        asked_move(fulfilment->ws, fulfilment->row, transition->to);
    else
        ((struct fulfilment_row *)ws_edit(fulfilment->ws, fulfilment->row))->state = transition->to;
}

static void effect_answered(struct fulfilment *fulfilment)
{
    asked_forget(fulfilment->ws, fulfilment->row);
}

/* ---- the machine ---- */

#define NONE NULL, NULL
#define GUARD(name) #name, guard_##name
#define EFFECT(name) #name, effect_##name

/* At release the order makes its claims hard, at reduce and cancel it gives them back: it does so itself, before the step. Of what is
 * asked for a node reports on as before: cancel_requested stands beside where the work is. */
const struct transition fulfilment_machine[] = {
    { FULFILMENT_OPEN, DO_RELEASE, NONE, FULFILMENT_RELEASED, NONE },
    { FULFILMENT_RELEASED, DO_SEND, GUARD(others_run_it), FULFILMENT_SENT, NONE },
    { FULFILMENT_RELEASED, DO_ACCEPT, NONE, FULFILMENT_ACCEPTED, NONE },
    { FULFILMENT_SENT, DO_ACCEPT, NONE, FULFILMENT_ACCEPTED, NONE },
    { FULFILMENT_RELEASED, DO_DECLINE, NONE, FULFILMENT_DECLINED, EFFECT(let_go) },
    { FULFILMENT_SENT, DO_DECLINE, NONE, FULFILMENT_DECLINED, EFFECT(let_go) },
    { FULFILMENT_RELEASED, DO_PICK, GUARD(no_more_than_due), FULFILMENT_PICKING, EFFECT(let_go) },
    { FULFILMENT_SENT, DO_PICK, GUARD(no_more_than_due), FULFILMENT_PICKING, EFFECT(let_go) },
    { FULFILMENT_ACCEPTED, DO_PICK, GUARD(no_more_than_due), FULFILMENT_PICKING, EFFECT(let_go) },
    { FULFILMENT_RELEASED, DO_MISS, GUARD(no_more_than_due), FULFILMENT_CANCELLED, EFFECT(let_go) },
    { FULFILMENT_SENT, DO_MISS, GUARD(no_more_than_due), FULFILMENT_CANCELLED, EFFECT(let_go) },
    { FULFILMENT_ACCEPTED, DO_MISS, GUARD(no_more_than_due), FULFILMENT_CANCELLED, EFFECT(let_go) },
    { FULFILMENT_PICKING, DO_PACK, NONE, FULFILMENT_PACKED, EFFECT(make_packages) },
    { FULFILMENT_PACKED, DO_SHIP, NONE, FULFILMENT_SHIPPED, EFFECT(ship) },
    { FULFILMENT_SHIPPED, DO_DELIVER, NONE, FULFILMENT_DELIVERED, NONE },
    { FULFILMENT_SHIPPED, DO_ASSUME, NONE, FULFILMENT_DELIVERED, EFFECT(assume) },
    { FULFILMENT_DELIVERED, DO_DELIVER, GUARD(was_assumed), FULFILMENT_DELIVERED, EFFECT(confirm) },
    { FULFILMENT_SHIPPED, DO_LOSE, NONE, FULFILMENT_SHIPPED, EFFECT(lose) },
    { FULFILMENT_DELIVERED, DO_LOSE, NONE, FULFILMENT_DELIVERED, EFFECT(lose) },
    { FULFILMENT_SHIPPED, DO_SETTLE, NONE, FULFILMENT_SHIPPED, EFFECT(settle) },
    { FULFILMENT_DELIVERED, DO_SETTLE, NONE, FULFILMENT_DELIVERED, EFFECT(settle) },
    { FULFILMENT_SHIPPED, DO_WRITE_OFF, NONE, FULFILMENT_FAILED, EFFECT(settle) },
    { FULFILMENT_DELIVERED, DO_WRITE_OFF, NONE, FULFILMENT_FAILED, EFFECT(settle) },
    { FULFILMENT_RELEASED, DO_FAIL, NONE, FULFILMENT_FAILED, EFFECT(let_go) },
    { FULFILMENT_SENT, DO_FAIL, NONE, FULFILMENT_FAILED, EFFECT(let_go) },
    { FULFILMENT_ACCEPTED, DO_FAIL, NONE, FULFILMENT_FAILED, EFFECT(let_go) },
    { FULFILMENT_PICKING, DO_FAIL, NONE, FULFILMENT_FAILED, EFFECT(let_go) },
    { FULFILMENT_PACKED, DO_FAIL, NONE, FULFILMENT_FAILED, EFFECT(let_go) },
    { FULFILMENT_SENT, DO_ASK, NONE, FULFILMENT_CANCEL_REQUESTED, NONE },
    { FULFILMENT_ACCEPTED, DO_ASK, NONE, FULFILMENT_CANCEL_REQUESTED, NONE },
    { FULFILMENT_PICKING, DO_ASK, NONE, FULFILMENT_CANCEL_REQUESTED, NONE },
    { FULFILMENT_PACKED, DO_ASK, NONE, FULFILMENT_CANCEL_REQUESTED, NONE },
    { FULFILMENT_CANCEL_REQUESTED, DO_ASK, NONE, FULFILMENT_CANCEL_REQUESTED, NONE },
    { FULFILMENT_CANCEL_REQUESTED, DO_AGREE, NONE, FULFILMENT_AS_BEFORE, EFFECT(let_go) },
    { FULFILMENT_CANCEL_REQUESTED, DO_AGREE_WHOLE, NONE, FULFILMENT_CANCELLED, EFFECT(let_go) },
    { FULFILMENT_CANCEL_REQUESTED, DO_GO_ON, NONE, FULFILMENT_AS_BEFORE, EFFECT(answered) },
    { FULFILMENT_CANCEL_REQUESTED, DO_ACCEPT, GUARD(as_it_stood), FULFILMENT_CANCEL_REQUESTED, EFFECT(go_on_there) },
    { FULFILMENT_CANCEL_REQUESTED, DO_PICK, GUARD(as_it_stood), FULFILMENT_CANCEL_REQUESTED, EFFECT(go_on_there) },
    { FULFILMENT_CANCEL_REQUESTED, DO_PACK, GUARD(as_it_stood), FULFILMENT_CANCEL_REQUESTED, EFFECT(go_on_there) },
    { FULFILMENT_CANCEL_REQUESTED, DO_MISS, GUARD(as_it_stood), FULFILMENT_CANCELLED, EFFECT(go_on_there) },
    { FULFILMENT_CANCEL_REQUESTED, DO_SHIP, GUARD(as_it_stood), FULFILMENT_SHIPPED, EFFECT(go_on_there) },
    { FULFILMENT_CANCEL_REQUESTED, DO_DECLINE, GUARD(as_it_stood), FULFILMENT_DECLINED, EFFECT(go_on_there) },
    { FULFILMENT_CANCEL_REQUESTED, DO_FAIL, GUARD(as_it_stood), FULFILMENT_FAILED, EFFECT(go_on_there) },
    { FULFILMENT_RELEASED, DO_REDUCE, NONE, FULFILMENT_RELEASED, NONE },
    { FULFILMENT_SENT, DO_REDUCE, NONE, FULFILMENT_SENT, NONE },
    { FULFILMENT_ACCEPTED, DO_REDUCE, NONE, FULFILMENT_ACCEPTED, NONE },
    { FULFILMENT_PICKING, DO_REDUCE, NONE, FULFILMENT_PICKING, NONE },
    { FULFILMENT_PACKED, DO_REDUCE, NONE, FULFILMENT_PACKED, NONE },
    { FULFILMENT_CANCEL_REQUESTED, DO_REDUCE, NONE, FULFILMENT_CANCEL_REQUESTED, NONE },
    { FULFILMENT_OPEN, DO_CANCEL, NONE, FULFILMENT_CANCELLED, NONE },
    { FULFILMENT_RELEASED, DO_CANCEL, NONE, FULFILMENT_CANCELLED, NONE },
    { FULFILMENT_SENT, DO_CANCEL, NONE, FULFILMENT_CANCELLED, NONE },
    { FULFILMENT_ACCEPTED, DO_CANCEL, NONE, FULFILMENT_CANCELLED, NONE },
    { FULFILMENT_PICKING, DO_CANCEL, NONE, FULFILMENT_CANCELLED, NONE },
    { FULFILMENT_PACKED, DO_CANCEL, NONE, FULFILMENT_CANCELLED, NONE },
    { FULFILMENT_CANCEL_REQUESTED, DO_CANCEL, NONE, FULFILMENT_CANCELLED, NONE },
};
const size_t fulfilment_machine_count = COUNT(fulfilment_machine);

static const struct {
    const char *name, *done;
} events[FULFILMENT_EVENT_COUNT] = {
    [DO_RELEASE] = { "release", "released" },
    [DO_SEND] = { "send", "sent" },
    [DO_ACCEPT] = { "accept", "accepted" },
    [DO_DECLINE] = { "decline", "declined" },
    [DO_PICK] = { "pick", "picked" },
    [DO_MISS] = { "miss", "picked" },
    [DO_PACK] = { "pack", "packed" },
    [DO_SHIP] = { "ship", "shipped" },
    [DO_DELIVER] = { "deliver", "delivered" },
    [DO_FAIL] = { "fail", "failed" },
    [DO_REDUCE] = { "reduce", "reduced" },
    [DO_CANCEL] = { "cancel", "cancelled" },
    [DO_ASK] = { "ask", "asked back" },
    [DO_AGREE] = { "agree", "given back" },
    [DO_AGREE_WHOLE] = { "agree_whole", "given back" },
    [DO_GO_ON] = { "go_on", "kept" },
    [DO_ASSUME] = { "assume", "delivered" },
    [DO_LOSE] = { "lose", "lost" },
    [DO_SETTLE] = { "settle", "settled" },
    [DO_WRITE_OFF] = { "write_off", "settled" },
};

const char *fulfilment_event_name(enum fulfilment_event event)
{
    return events[event].name;
}

static const char *fulfilment_event_done(enum fulfilment_event event)
{
    return events[event].done;
}

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
                t->to == FULFILMENT_AS_BEFORE ? "*as before*" : fulfilment_names[t->to], t->effect_name == NULL ? "" : t->effect_name);
    }
}

const struct fulfilment_row *fulfilment_step(struct ws *ws, const struct fulfilment_row *row, enum fulfilment_event event)
{
    const struct transition *transition = fulfilment_transition((enum fulfilment_state)row->state, event);
    assert(transition != NULL);
    const enum fulfilment_state to = transition->to == FULFILMENT_AS_BEFORE ? asked_since(ws, row) : transition->to;
    struct fulfilment_row *moved = ws_edit(ws, row);
    moved->state = to;
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

static void tell_text(struct json_writer *json, const char *name, const char *text)
{
    if (text == NULL)
        return;
    json_key(json, name);
    json_text(json, text);
}

static void tell_money(const struct fulfilment *fulfilment, const char *name, int64_t minor, struct json_writer *json)
{
    struct money money = { .minor = minor };
    snprintf(money.currency, sizeof money.currency, "%.3s", fulfilment->order.row->currency);
    if (minor == 0)
        return;
    json_key(json, name);
    json_money(json, money);
}

/* What the books need beside the goods. */
static void tell_taxes(const struct fulfilment *fulfilment, struct json_writer *json)
{
    tell_money(fulfilment, "tax", fulfilment->tax, json);
    if (fulfilment->tax != 0 && fulfilment->order.row->prices_include_tax) {
        json_key(json, "tax_included");
        json_bool(json, true);
    }
    tell_money(fulfilment, "shipping", fulfilment->shipping, json);
}

/* What became of it on its way, by line of the order. */
static void tell_parcel(const struct fulfilment *fulfilment, struct json_writer *json)
{
    const bool lost = fulfilment->event == DO_LOSE;
    struct line_units *lines = ARENA_ARRAY(ws_arena(fulfilment->ws), struct line_units, fulfilment->line_count + 1);
    size_t count = 0;
    if (!lost && fulfilment->event != DO_SETTLE && fulfilment->event != DO_WRITE_OFF)
        return;
    for (size_t i = 0; i < fulfilment->line_count; i++) {
        const int64_t line = fulfilment->lines[i]->line;
        if (fulfilment->units[i] == 0)
            continue;
        if (count == 0 || lines[count - 1].line != line)
            lines[count++] = (struct line_units){ .line = line };
        lines[count - 1].quantity += fulfilment->units[i];
    }
    tell_text(json, "parcel", lost ? loss_names[fulfilment->loss] : loss_end_names[fulfilment->end]);
    line_units_tell(json, "lines", lines, count);
    tell_taxes(fulfilment, json);
}

static int64_t tell(const struct fulfilment *fulfilment)
{
    const struct fulfilment_row *row = fulfilment->row;
    struct json_writer json;
    json_begin(&json, ws_arena(fulfilment->ws));
    json_object(&json);
    fulfilment_report_write(fulfilment->ws, row, &json);
    tell_missing(fulfilment, &json);
    tell_parcel(fulfilment, &json);
    tell_text(&json, "answer", fulfilment->event == DO_ASSUME ? "assumed" : fulfilment->answer);
    tell_text(&json, "reason", fulfilment->reason);
    if (row->state == FULFILMENT_SHIPPED && fulfilment->ship != NULL) {
        json_key(&json, "carrier");
        json_text(&json, row->carrier);
        json_key(&json, "tracking");
        json_text(&json, row->tracking);
        tell_taxes(fulfilment, &json);
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

bool fulfilment_may(const struct fulfilment *fulfilment, enum fulfilment_event event, struct faults *faults)
{
    if (fulfilment_transition((enum fulfilment_state)fulfilment->row->state, event) != NULL)
        return true;
    fault_add(faults, FAULT_STATE_CONFLICT, NULL, "a fulfilment order in state %s cannot be %s", fulfilment_names[fulfilment->row->state],
              events[event].done);
    return false;
}

int64_t fulfilment_move(struct fulfilment *fulfilment, enum fulfilment_event event, struct faults *faults)
{
    const struct transition *transition = fulfilment_transition((enum fulfilment_state)fulfilment->row->state, event);
    if (!fulfilment_may(fulfilment, event, faults))
        return 0;
    fulfilment->event = event;
    if (transition->guard != NULL && !transition->guard(fulfilment, faults))
        return 0;
    fulfilment->row = fulfilment_step(fulfilment->ws, fulfilment->row, event);
    fulfilment->quantity = fulfilment->amount = NULL_INT;
    fulfilment->tax = fulfilment->shipping = 0;
    if (transition->effect != NULL)
        transition->effect(fulfilment);
    return tell(fulfilment);
}
