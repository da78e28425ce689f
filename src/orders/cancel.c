/* src/orders/cancel.c: what is no longer wanted goes back exactly as it was held: first what only waits, then what is
 * reserved, then what a node has but has not shipped. Of a node that others run, which has been told to ship, it is asked for: that is
 * cancelled when the node says so. */
#include "orders/cancel.h"
#include "orders/asked.h"
#include "orders/commands.h"
#include "orders/mapping.h"
#include "orders/orders.h"
#include "orders/state.h"
#include <assert.h>
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

static struct ws_cursor fulfilments_of(const struct order *order)
{
    return ws_scan(order->ws, &fulfilment_of_order, WS_PREFIX(db_int(ws_unit(order->ws)), db_int(order->row->id)), 0);
}

/* The line of a fulfilment order of which something is due, or NULL. */
static const struct fulfilment_line_row *due_line(struct ws *ws, const struct fulfilment_row *fulfilment, int64_t line, int64_t part)
{
    const struct fulfilment_line_row *mine = ws_get_listed(ws, &fulfilment_line_table, WS_KEY(ws_unit(ws), fulfilment->id, line, part),
                                                           &line_of_fulfilment, WS_PREFIX(db_int(ws_unit(ws)), db_int(fulfilment->id)));
    return mine == NULL || mine->quantity == mine->cancelled ? NULL : mine;
}

static bool anything_is_due(struct ws *ws, const struct fulfilment_row *fulfilment)
{
    const struct fulfilment_line_row *each;
    struct ws_cursor lines = ws_scan(ws, &line_of_fulfilment, WS_PREFIX(db_int(ws_unit(ws)), db_int(fulfilment->id)), 0);
    while ((each = ws_next(ws, &lines)) != NULL)
        if (each->quantity > each->cancelled)
            return true;
    return false;
}

/* Less is due of a line: of what the node is asked to give back no more than that stays asked for. */
static const struct fulfilment_row *fulfilment_shrinks(struct ws *ws, const struct fulfilment_row *fulfilment, const struct fulfilment_line_row *line)
{
    const int64_t asked = asked_of(ws, fulfilment, line->line, line->part), over = max_i64(0, asked - (line->quantity - line->cancelled));
    const bool requested = fulfilment->state == FULFILMENT_CANCEL_REQUESTED, due = anything_is_due(ws, fulfilment),
               answered = requested && asked_in_all(ws, fulfilment) == over;
    if (requested && !answered)
        (void)asked_take(ws, fulfilment, line->line, line->part, over);
    fulfilment = fulfilment_step(ws, fulfilment, !due ? DO_CANCEL : answered ? DO_GO_ON : DO_REDUCE);
    if (requested && fulfilment->state != FULFILMENT_CANCEL_REQUESTED)
        asked_forget(ws, fulfilment);
    return fulfilment;
}

int64_t fulfilment_gives_up(struct order *order, int64_t node, int64_t line, int64_t part, int64_t units, bool by_fact)
{
    struct ws *ws = order->ws;
    struct ws_cursor cursor = fulfilments_of(order);
    const struct fulfilment_row *fulfilment;
    int64_t given = 0;
    while (given < units && (fulfilment = ws_next(ws, &cursor)) != NULL) {
        if (fulfilment->node != node || fulfilment_transition((enum fulfilment_state)fulfilment->state, DO_CANCEL) == NULL ||
            (!by_fact && node_must_agree(ws, fulfilment)))
            continue;
        const struct fulfilment_line_row *mine = due_line(ws, fulfilment, line, part); /* another node's has none: that is known, too */
        if (mine == NULL)
            continue;
        int64_t gives = min_i64(mine->quantity - mine->cancelled, units - given);
        struct fulfilment_line_row *edited_line = ws_edit(ws, mine);
        edited_line->cancelled += gives;
        given += gives;
        const struct fulfilment_row *edited = fulfilment_shrinks(ws, fulfilment, edited_line);
        struct event_row event = event_of(EVENT_FULFILMENT_CHANGED, SUBJECT_FULFILMENT, edited->id);
        event.about = order->row->id;
        event.node = node;
        event.quantity = gives;
        event.data = edited->state == FULFILMENT_CANCELLED ? FULFILMENT_WORD("cancelled") : FULFILMENT_WORD("reduced");
        ws_event(ws, event);
    }
    return given;
}

/* ---- what needs a node's word ---- */

/* Units that are asked for in this command. */
struct asking {
    int64_t *units;                   /* of each of the order's demands */
    const struct fulfilment_row **of; /* asked, each once */
    size_t count;
};

/* Asks the nodes for so many of demand i; they are due there. */
static void ask(struct order *order, struct asking *asking, size_t i, int64_t units)
{
    struct ws *ws = order->ws;
    const struct demand_row *demand = order->demands[i];
    struct ws_cursor cursor = fulfilments_of(order);
    const struct fulfilment_row *fulfilment;
    while (units > 0 && (fulfilment = ws_next(ws, &cursor)) != NULL) {
        const struct fulfilment_line_row *mine = node_must_agree(ws, fulfilment) ? due_line(ws, fulfilment, demand->line, demand->part) : NULL;
        const int64_t may = mine == NULL ? 0 : mine->quantity - mine->cancelled - asked_of(ws, fulfilment, demand->line, demand->part);
        const int64_t asks = min_i64(may, units);
        size_t k = 0;
        if (asks == 0)
            continue;
        asked_add(ws, fulfilment, demand->line, demand->part, asks);
        while (k < asking->count && asking->of[k]->id != fulfilment->id)
            k++;
        if (k == asking->count)
            asking->of[asking->count++] = fulfilment_step(ws, fulfilment, DO_ASK);
        asking->units[i] += asks;
        units -= asks;
    }
}

/* Whole pieces of each line that an ask covers in part: they are cancelled when the nodes say so. */
static const int64_t *asked_pieces(const struct order *order, const int64_t *units)
{
    int64_t *pieces = ARENA_ARRAY(ws_arena(order->ws), int64_t, order->line_count);
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct demand_row *d = order->demands[i];
        pieces[d->line - 1] = max_i64(pieces[d->line - 1], (units[i] + d->need - 1) / d->need);
    }
    return pieces;
}

static void tell_lines(const struct order *order, const char *reason, const int64_t *pieces, struct json_writer *json)
{
    struct line_units *lines = ARENA_ARRAY(ws_arena(order->ws), struct line_units, order->line_count);
    size_t count = 0;
    for (size_t i = 0; i < order->line_count; i++)
        if (pieces[i] > 0)
            lines[count++] = (struct line_units){ (int64_t)i + 1, pieces[i] };
    json_key(json, "reason");
    json_text(json, reason);
    line_units_tell(json, "lines", lines, count);
}

/* Each node by its fulfilment order, then the order. */
static void tell_asked(struct order *order, const char *reason, const struct asking *asking)
{
    struct json_writer json;
    for (size_t i = 0; i < asking->count; i++) {
        json_begin(&json, ws_arena(order->ws));
        json_object(&json);
        fulfilment_report_write(order->ws, asking->of[i], &json);
        json_key(&json, "reason");
        json_text(&json, reason);
        json_object_end(&json);
        struct event_row event = event_of(EVENT_FULFILMENT_CHANGED, SUBJECT_FULFILMENT, asking->of[i]->id);
        event.about = order->row->id;
        event.node = asking->of[i]->node;
        event.data = json.out.at;
        ws_event(order->ws, event);
    }
    order_event_begin(order, &json);
    tell_lines(order, reason, asked_pieces(order, asking->units), &json);
    (void)order_event_end(order, &json, EVENT_ORDER_CANCEL_REQUESTED, NULL_INT);
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

/* Gives back `units` of a demand, or asks for them; demands come in their order. */
static void demand_cancel(struct stock *stock, struct order *order, struct held *held, struct asking *asking, size_t i, int64_t units)
{
    struct demand_row *demand = demand_edit(order, i);
    const int64_t all = units;
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
            if (hard)
                gives = fulfilment_gives_up(order, claim->node, claim->line, claim->part, gives, false);
            if (gives == 0)
                continue;
            claim_give_back(stock, claim, hard ? 0 : gives, hard ? gives : 0);
            *(hard ? &demand->allocated : &demand->reserved) -= gives;
            units -= gives;
        }
    }
    demand->cancelled += all - units;
    ask(order, asking, i, units);
}

/* Units of each demand that nodes are asked for already; those that only a node's word takes off. */
struct bound {
    int64_t *asked, *told;
};

static struct bound bound_of(const struct order *order)
{
    struct ws *ws = order->ws;
    struct bound bound = { ARENA_ARRAY(ws_arena(ws), int64_t, order->demand_count), ARENA_ARRAY(ws_arena(ws), int64_t, order->demand_count) };
    const struct fulfilment_row *fulfilment;
    for (struct ws_cursor cursor = fulfilments_of(order); (fulfilment = ws_next(ws, &cursor)) != NULL;) {
        const bool agrees = node_must_agree(ws, fulfilment);
        for (size_t i = 0; i < order->demand_count && agrees; i++) {
            const struct fulfilment_line_row *mine = due_line(ws, fulfilment, order->demands[i]->line, order->demands[i]->part);
            bound.told[i] += mine == NULL ? 0 : mine->quantity - mine->cancelled;
            bound.asked[i] += asked_of(ws, fulfilment, order->demands[i]->line, order->demands[i]->part);
        }
    }
    return bound;
}

static const int64_t *pieces_without(const struct order *order, const int64_t *bound)
{
    int64_t *pieces = ARENA_ARRAY(ws_arena(order->ws), int64_t, order->line_count);
    for (size_t i = 0; i < order->line_count; i++)
        pieces[i] = order->lines[i]->quantity;
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct demand_row *d = order->demands[i];
        pieces[d->line - 1] = min_i64(pieces[d->line - 1], (d->ordered - d->cancelled - d->shipped - bound[i]) / d->need);
    }
    return pieces;
}

const int64_t *order_cancellable(const struct order *order)
{
    return pieces_without(order, bound_of(order).told);
}

/* Units of each demand that make no whole piece with the others of its line any more, for those were given up as lost: nobody is waiting for
 * the rest of a bundle of which a part was refunded. Of pieces that can still become whole, what has begun to leave is not among them. */
static const int64_t *left_over(const struct order *order, const int64_t *asked)
{
    int64_t *whole = ARENA_ARRAY(ws_arena(order->ws), int64_t, order->line_count);
    int64_t *units = ARENA_ARRAY(ws_arena(order->ws), int64_t, order->demand_count);
    for (size_t i = 0; i < order->line_count; i++)
        whole[i] = order->lines[i]->quantity;
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct demand_row *d = order->demands[i];
        whole[d->line - 1] = min_i64(whole[d->line - 1], (d->ordered - d->cancelled) / d->need);
    }
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct demand_row *d = order->demands[i];
        const int64_t open = d->ordered - d->cancelled - d->shipped - asked[i];
        units[i] = max_i64(0, open - max_i64(0, whole[d->line - 1] * d->need - d->shipped));
    }
    return units;
}

static int64_t *units_of(const struct order *order, const int64_t *pieces)
{
    int64_t *units = ARENA_ARRAY(ws_arena(order->ws), int64_t, order->demand_count);
    for (size_t i = 0; i < order->demand_count; i++)
        units[i] = pieces[order->demands[i]->line - 1] * order->demands[i]->need;
    return units;
}

/* How much of each line goes, and of each demand; NULL: refused. Nothing may go where all that is left is asked for. */
static const int64_t *wanted(const struct order *order, const struct cancel_io *in, int64_t *pieces, struct faults *faults)
{
    const struct cancel_line_io *lines = in->lines.items;
    const struct bound bound = bound_of(order);
    const int64_t *cancellable = pieces_without(order, bound.asked), *over = left_over(order, bound.asked);
    int64_t any = 0;
    for (size_t i = 0; i < order->demand_count && in->lines.count == 0; i++)
        any += bound.asked[i] + over[i];
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
    int64_t *units = units_of(order, pieces);
    for (size_t i = 0; i < order->demand_count && in->lines.count == 0; i++) {
        const struct demand_row *d = order->demands[i];
        units[i] = min_i64(d->ordered - d->cancelled - d->shipped - bound.asked[i], units[i] + over[i]);
    }
    return faults->count == 0 ? units : NULL;
}

/* All rows that giving back may touch, in one go: each that is asked for alone is the whole command anew, and an order may have a
 * thousand lines. */
static void want_held(const struct order *order, const int64_t *units)
{
    struct ws *ws = order->ws;
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(order->row->id) };
    const struct claim_row *claim;
    const struct fulfilment_row *fulfilment;
    bool *goes = ARENA_ARRAY(ws_arena(ws), bool, order->line_count);
    ws_want_path(ws, &exception_open_of_order, prefix, 0);
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct demand_row *demand = order->demands[i];
        goes[demand->line - 1] = goes[demand->line - 1] || units[i] > 0;
        if (demand->sku == 0)
            ws_want_path(ws, &unmapped_of_order, prefix, 0);
        else if (units[i] > 0)
            demand_waits_want(order, demand);
    }
    for (struct ws_cursor cursor = ws_scan(ws, &claim_of_holder, prefix, 0); (claim = ws_next(ws, &cursor)) != NULL;)
        if (claim->kind == CLAIM_ORDER && goes[claim->line - 1])
            ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(claim->unit), db_int(claim->sku)), 0);
    for (struct ws_cursor cursor = ws_scan(ws, &fulfilment_of_order, prefix, 0); (fulfilment = ws_next(ws, &cursor)) != NULL;) {
        ws_want_path(ws, &line_of_fulfilment, WS_PREFIX(db_int(fulfilment->unit), db_int(fulfilment->id)), 0);
        ws_want(ws, &node_table, WS_KEY(fulfilment->unit, fulfilment->node));
    }
    ws_settle(ws);
}

/* As much as may go at once, and what needs a node's word is asked for. */
static void give_back_or_ask(struct order *order, const int64_t *units, struct stock *stock, struct asking *asking)
{
    struct ws *ws = order->ws;
    want_held(order, units);
    struct held held = held_of(order);
    asking->units = ARENA_ARRAY(ws_arena(ws), int64_t, order->demand_count);
    asking->of = ARENA_ARRAY(ws_arena(ws), const struct fulfilment_row *,
                             ws_count(ws, &fulfilment_of_order, WS_PREFIX(db_int(ws_unit(ws)), db_int(order->row->id))) + 1);
    for (size_t i = 0; i < order->demand_count; i++)
        if (units[i] > 0)
            demand_cancel(stock, order, &held, asking, i, units[i]);
}

void order_give_back(struct order *order, const int64_t *pieces, struct stock *stock)
{
    struct asking asking = { .count = 0 };
    give_back_or_ask(order, units_of(order, pieces), stock, &asking);
    assert(asking.count == 0);
}

/* The cancel is told before what follows of it: a release by what is due now comes after its cause. */
void order_gave_up(struct order *order, const char *reason, const int64_t *pieces)
{
    bool all_gone = true;
    for (size_t i = 0; i < order->demand_count; i++)
        all_gone = all_gone && order->demands[i]->cancelled == order->demands[i]->ordered;
    if (all_gone)
        (void)order_restage(order);
    struct json_writer json;
    order_event_begin(order, &json);
    tell_lines(order, reason, pieces, &json);
    (void)order_event_end(order, &json, EVENT_ORDER_CANCELLED, NULL_INT);
    exceptions_settle(order);
    mapping_settle(order);
    order_advance(order, false);
}

/* What went at once is told, then what is asked for; nothing where all that was left is asked for already. What of a bundle went is told without
 * a line, where no piece went with it. */
static void tell(struct order *order, const char *reason, int64_t *pieces, const int64_t *units, const struct asking *asking)
{
    const int64_t *asked = asked_pieces(order, asking->units);
    bool any = false;
    for (size_t i = 0; i < order->demand_count && asking->count == 0; i++)
        any = any || units[i] > 0;
    for (size_t i = 0; i < order->line_count; i++) {
        pieces[i] -= asked[i];
        any = any || pieces[i] > 0;
    }
    if (any)
        order_gave_up(order, reason, pieces);
    if (asking->count == 0)
        return;
    if (!any) /* of a bundle no piece has gone, and a part that waited is no longer wanted all the same */
        (void)order_restage(order);
    tell_asked(order, reason, asking);
    exceptions_settle(order);
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
    const int64_t *units = wanted(&order, in, pieces, &command->faults);
    if (units == NULL)
        return;
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_ORDER, order.row->id });
    struct asking asking = { .count = 0 };
    give_back_or_ask(&order, units, &stock, &asking);
    tell(&order, in->reason, pieces, units, &asking);
    stock_end(&stock);
    order_answer_changed(&order, command);
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
