/* src/orders/cancel.c: what is no longer wanted goes back exactly as it was held: first what only waits, then what is
 * reserved, then what a node has but has not shipped. */
#include "orders/cancel.h"
#include "orders/commands.h"
#include "orders/mapping.h"
#include "orders/orders.h"
#include "orders/state.h"
#include <stdio.h>
#include <string.h>

struct cancel_line_io {
    struct field_presence presence;
    int64_t line, quantity;
};
struct cancel_io {
    struct field_presence presence;
    const char *reason;
    struct field_list lines;
};

#define AT(type, member) offsetof(struct type, member)
static const struct field cancel_line_rows[] = {
    { "line", FIELD_INT, AT(cancel_line_io, line), .required = true, .min = 1, .max = ORDER_LINES_MAX, .doc = "as the order numbers it" },
    { "quantity", FIELD_INT, AT(cancel_line_io, quantity), .required = true, .min = 1, .max = 1000000, .doc = "units, or whole bundles" },
};
static const struct field_table cancel_line_fields = { "CancelLine", cancel_line_rows, COUNT(cancel_line_rows), sizeof(struct cancel_line_io) };
static const struct field cancel_rows[] = {
    { "reason", FIELD_TEXT, AT(cancel_io, reason), .lines = true, .required = true, .min = 1, .max = 255, .doc = "why, for the timeline" },
    { "lines", FIELD_LIST, AT(cancel_io, lines), .min = 1, .max = ORDER_LINES_MAX, .of = &cancel_line_fields,
      .doc = "without: all that has not shipped" },
};
static const struct field_table cancel_fields = { "Cancel", cancel_rows, COUNT(cancel_rows), sizeof(struct cancel_io) };

void fulfilment_gives_up(struct order *order, int64_t node, int64_t line, int64_t part, int64_t units)
{
    struct ws *ws = order->ws;
    struct ws_cursor cursor = ws_scan(ws, &fulfilment_of_order, WS_PREFIX(db_int(ws_unit(ws)), db_int(order->row->id)), 0);
    const struct fulfilment_row *fulfilment;
    while (units > 0 && (fulfilment = ws_next(ws, &cursor)) != NULL) {
        if (fulfilment->node != node || fulfilment_transition((enum fulfilment_state)fulfilment->state, DO_CANCEL) == NULL)
            continue;
        const struct db_value lines_of[] = { db_int(ws_unit(ws)), db_int(fulfilment->id) }; /* another node's has no such line: that is known, too */
        const struct fulfilment_line_row *mine =
            ws_get_listed(ws, &fulfilment_line_table, WS_KEY(ws_unit(ws), fulfilment->id, line, part), &line_of_fulfilment, lines_of);
        if (mine == NULL || mine->quantity == mine->cancelled)
            continue;
        int64_t gives = min_i64(mine->quantity - mine->cancelled, units);
        ((struct fulfilment_line_row *)ws_edit(ws, mine))->cancelled += gives;
        units -= gives;
        bool due = false;
        const struct fulfilment_line_row *each;
        struct ws_cursor lines = ws_scan(ws, &line_of_fulfilment, lines_of, 0);
        while (!due && (each = ws_next(ws, &lines)) != NULL)
            due = each->quantity > each->cancelled;
        const struct fulfilment_row *edited = fulfilment_step(ws, fulfilment, due ? DO_REDUCE : DO_CANCEL);
        struct event_row event = event_of(EVENT_FULFILMENT_CHANGED, SUBJECT_FULFILMENT, edited->id);
        event.about = order->row->id;
        event.node = node;
        event.quantity = gives;
        event.data = due ? FULFILMENT_WORD("reduced") : FULFILMENT_WORD("cancelled");
        ws_event(ws, event);
    }
}

/* An order's claims as its demands stand: by line and part. */
struct held {
    const struct claim_row **claims;
    size_t count, next; /* next: the first of the demand that is looked at */
};

static struct held held_of(struct order *order)
{
    const struct db_value prefix[] = { db_int(ws_unit(order->ws)), db_int(order->row->id) };
    struct held held = { .claims = ARENA_ARRAY(ws_arena(order->ws), const struct claim_row *, ws_count(order->ws, &claim_of_holder, prefix)) };
    const struct claim_row *claim;
    for (struct ws_cursor cursor = ws_scan(order->ws, &claim_of_holder, prefix, 0); (claim = ws_next(order->ws, &cursor)) != NULL;)
        if (claim->kind == CLAIM_ORDER) /* a fence's holder is a channel, numbered by the company: it may be the same number */
            held.claims[held.count++] = claim;
    return held;
}

static bool is_of(const struct claim_row *claim, const struct demand_row *demand)
{
    return claim->line == demand->line && claim->part == demand->part;
}

/* Gives back `units` of a demand; demands come in their order. */
static void demand_cancel(struct stock *stock, struct order *order, struct held *held, size_t i, int64_t units)
{
    struct demand_row *demand = demand_edit(order, i);
    demand->cancelled += units;
    int64_t waits = min_i64(demand->backordered, units);
    demand->backordered -= waits;
    demand->oversold = min_i64(demand->oversold, demand->backordered);
    units -= waits;
    demand_waits(order, demand);
    while (held->next < held->count && (held->claims[held->next]->line < demand->line ||
                                        (held->claims[held->next]->line == demand->line && held->claims[held->next]->part < demand->part)))
        held->next++;
    for (int hard = 0; hard <= 1 && units > 0; hard++) {
        for (size_t k = held->next; k < held->count && is_of(held->claims[k], demand) && units > 0; k++) {
            const struct claim_row *claim = held->claims[k];
            int64_t gives = min_i64(hard ? claim->hard : claim->soft, units);
            if (gives == 0)
                continue;
            if (hard)
                fulfilment_gives_up(order, claim->node, claim->line, claim->part, gives);
            claim_give_back(stock, claim, hard ? 0 : gives, hard ? gives : 0);
            *(hard ? &demand->allocated : &demand->reserved) -= gives;
            units -= gives;
        }
    }
}

const int64_t *order_cancellable(const struct order *order)
{
    int64_t *pieces = ARENA_ARRAY(ws_arena(order->ws), int64_t, order->line_count);
    for (size_t i = 0; i < order->line_count; i++)
        pieces[i] = order->lines[i]->quantity;
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct demand_row *d = order->demands[i];
        pieces[d->line - 1] = min_i64(pieces[d->line - 1], (d->ordered - d->cancelled - d->shipped) / d->need);
    }
    return pieces;
}

/* How much of each line goes; false: refused. */
static bool wanted(const struct order *order, const struct cancel_io *in, int64_t *pieces, struct faults *faults)
{
    const struct cancel_line_io *lines = in->lines.items;
    const int64_t *cancellable = order_cancellable(order);
    int64_t any = 0;
    for (size_t i = 0; i < order->line_count; i++)
        any += pieces[i] = in->lines.count == 0 ? cancellable[i] : 0;
    char pointer[64];
    for (size_t i = 0; i < in->lines.count; i++) {
        snprintf(pointer, sizeof pointer, "/lines/%zu/line", i);
        if (lines[i].line > (int64_t)order->line_count) {
            fault_add(faults, FAULT_LINE_UNKNOWN, arena_text(faults->arena, pointer), "the order has %zu lines", order->line_count);
            continue;
        }
        pieces[lines[i].line - 1] += lines[i].quantity;
        any += lines[i].quantity;
    }
    for (size_t i = 0; i < order->line_count && faults->count == 0; i++)
        if (pieces[i] > cancellable[i])
            fault_add(faults, FAULT_TOO_LATE, "/lines", "of line %zu, %ld can still be cancelled", i + 1, (long)cancellable[i]);
    if (any == 0 && faults->count == 0)
        fault_add(faults, FAULT_TOO_LATE, NULL, "nothing is left that has not shipped");
    return faults->count == 0;
}

/* All rows that giving back may touch, in one go: each that is asked for alone is the whole command anew, and an order may have a
 * thousand lines. */
static void want_held(const struct order *order, const int64_t *pieces)
{
    struct ws *ws = order->ws;
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(order->row->id) };
    const struct claim_row *claim;
    const struct fulfilment_row *fulfilment;
    ws_want_path(ws, &exception_open_of_order, prefix, 0);
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct demand_row *demand = order->demands[i];
        if (demand->sku == 0)
            ws_want_path(ws, &unmapped_of_order, prefix, 0);
        else if (pieces[demand->line - 1] > 0)
            demand_waits_want(order, demand);
    }
    for (struct ws_cursor cursor = ws_scan(ws, &claim_of_holder, prefix, 0); (claim = ws_next(ws, &cursor)) != NULL;)
        if (claim->kind == CLAIM_ORDER && pieces[claim->line - 1] > 0)
            ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(claim->unit), db_int(claim->sku)), 0);
    for (struct ws_cursor cursor = ws_scan(ws, &fulfilment_of_order, prefix, 0); (fulfilment = ws_next(ws, &cursor)) != NULL;)
        ws_want_path(ws, &line_of_fulfilment, WS_PREFIX(db_int(fulfilment->unit), db_int(fulfilment->id)), 0);
    ws_settle(ws);
}

void order_give_back(struct order *order, const int64_t *pieces, struct stock *stock)
{
    want_held(order, pieces);
    struct held held = held_of(order);
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct demand_row *demand = order->demands[i];
        if (pieces[demand->line - 1] > 0)
            demand_cancel(stock, order, &held, i, pieces[demand->line - 1] * demand->need);
    }
}

/* Before what follows of it: a release by what is due now comes after its cause. */
static void tell_cancelled(struct order *order, const char *reason, const int64_t *pieces)
{
    struct line_units *lines = ARENA_ARRAY(ws_arena(order->ws), struct line_units, order->line_count);
    size_t count = 0;
    for (size_t i = 0; i < order->line_count; i++)
        if (pieces[i] > 0)
            lines[count++] = (struct line_units){ (int64_t)i + 1, pieces[i] };
    struct json_writer json;
    order_event_begin(order, &json);
    json_key(&json, "reason");
    json_text(&json, reason);
    line_units_tell(&json, "lines", lines, count);
    (void)order_event_end(order, &json, EVENT_ORDER_CANCELLED, NULL_INT);
}

static void cancel_prefetch(struct ws *ws, const struct command *command)
{
    order_command_prefetch(ws, command);
    order_command_want(ws, command, (const struct db_path *const[]){ &exception_open_of_order }, 1);
}

static void cancel_decide(struct ws *ws, struct command *command)
{
    struct order order;
    const struct cancel_io *in = command->input;
    if (!order_of_command(ws, command, &order))
        return;
    int64_t *pieces = ARENA_ARRAY(ws_arena(ws), int64_t, order.line_count);
    if (!wanted(&order, in, pieces, &command->faults))
        return;
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_ORDER, order.row->id });
    order_give_back(&order, pieces, &stock);
    bool all_gone = true;
    for (size_t i = 0; i < order.demand_count; i++)
        all_gone = all_gone && order.demands[i]->cancelled == order.demands[i]->ordered;
    if (all_gone)
        (void)order_restage(&order);
    tell_cancelled(&order, in->reason, pieces);
    exceptions_settle(&order);
    mapping_settle(&order);
    order_advance(&order, false);
    stock_end(&stock);
    command->event_seq = order.last_seq;
    order_answer(&order, command, 200);
    backorders_fill(ws, stock.freed, stock.freed_count);
}

const struct command_type order_cancel = {
    .name = "order.cancel",
    .input = &cancel_fields,
    .mode = FIELDS_POST,
    .queue = QUEUE_PEOPLE,
    .edge = order_command_edge,
    .prefetch = cancel_prefetch,
    .decide = cancel_decide,
    .again = order_again,
    .inverse = "none: order again",
};
