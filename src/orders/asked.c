/* src/orders/asked.c: what a node was told to ship and is asked to give back, and which nodes refuse an order.
 * Who runs a node for us may have the goods on the belt: until he says so nothing is cancelled, the units stay due, and only
 * what has been asked is kept. What leaves his work for another reason counts as what was asked first: it must not be sent from elsewhere.
 * Invariants: a line is asked for no more than is due of it; there are rows while the state is cancel_requested, and only then. */
#include "orders/asked.h"

/* ---- asked ---- */

static struct ws_cursor asked_rows(struct ws *ws, const struct fulfilment_row *row)
{
    return ws_scan(ws, &asked_of_fulfilment, WS_PREFIX(db_int(ws_unit(ws)), db_int(row->id)), 0);
}

static const struct cancel_asked_row *asked_row(struct ws *ws, const struct fulfilment_row *row, int64_t line, int64_t part)
{
    return ws_get_listed(ws, &cancel_asked_table, WS_KEY(ws_unit(ws), row->id, line, part), &asked_of_fulfilment,
                         WS_PREFIX(db_int(ws_unit(ws)), db_int(row->id)));
}

bool node_must_agree(struct ws *ws, const struct fulfilment_row *row)
{
    static const bool told[] = { [FULFILMENT_SENT] = true,   [FULFILMENT_ACCEPTED] = true,         [FULFILMENT_PICKING] = true,
                                 [FULFILMENT_PACKED] = true, [FULFILMENT_CANCEL_REQUESTED] = true, [FULFILMENT_FAILED] = false };
    return told[row->state] && node_is_run_by_others(ws_get(ws, &node_table, WS_KEY(ws_unit(ws), row->node)));
}

int64_t asked_of(struct ws *ws, const struct fulfilment_row *row, int64_t line, int64_t part)
{
    const struct cancel_asked_row *asked = row->state == FULFILMENT_CANCEL_REQUESTED ? asked_row(ws, row, line, part) : NULL;
    return asked == NULL ? 0 : asked->quantity;
}

int64_t asked_in_all(struct ws *ws, const struct fulfilment_row *row)
{
    int64_t units = 0;
    const struct cancel_asked_row *each;
    if (row->state != FULFILMENT_CANCEL_REQUESTED)
        return 0;
    for (struct ws_cursor cursor = asked_rows(ws, row); (each = ws_next(ws, &cursor)) != NULL;)
        units += each->quantity;
    return units;
}

void asked_add(struct ws *ws, const struct fulfilment_row *row, int64_t line, int64_t part, int64_t units)
{
    const bool first = row->state != FULFILMENT_CANCEL_REQUESTED;
    const struct cancel_asked_row *there = asked_row(ws, row, line, part);
    struct cancel_asked_row fresh = { .unit = ws_unit(ws), .fulfilment = row->id, .line = line, .part = part, .quantity = units };
    fresh.was = first ? row->state : (int64_t)asked_since(ws, row);
    if (there != NULL)
        ((struct cancel_asked_row *)ws_edit(ws, there))->quantity += units;
    else
        ws_insert(ws, &cancel_asked_table, &fresh);
}

int64_t asked_take(struct ws *ws, const struct fulfilment_row *row, int64_t line, int64_t part, int64_t units)
{
    const struct cancel_asked_row *asked = asked_row(ws, row, line, part); /* whatever the state is by now */
    const int64_t taken = asked == NULL ? 0 : min_i64(units, asked->quantity);
    if (taken == 0)
        return 0;
    struct cancel_asked_row *edited = ws_edit(ws, asked);
    edited->quantity -= taken;
    if (edited->quantity == 0)
        ws_delete(ws, edited);
    return taken;
}

enum fulfilment_state asked_since(struct ws *ws, const struct fulfilment_row *row)
{
    struct ws_cursor cursor = asked_rows(ws, row);
    const struct cancel_asked_row *first = ws_next(ws, &cursor);
    return (enum fulfilment_state)first->was;
}

void asked_move(struct ws *ws, const struct fulfilment_row *row, enum fulfilment_state was)
{
    const struct cancel_asked_row *each;
    for (struct ws_cursor cursor = asked_rows(ws, row); (each = ws_next(ws, &cursor)) != NULL;)
        ((struct cancel_asked_row *)ws_edit(ws, each))->was = was;
}

void asked_forget(struct ws *ws, const struct fulfilment_row *row)
{
    const struct cancel_asked_row *each;
    for (struct ws_cursor cursor = asked_rows(ws, row); (each = ws_next(ws, &cursor)) != NULL;)
        ws_delete(ws, each);
}

/* ---- refused ---- */

void refusal_note(struct ws *ws, const struct fulfilment_row *row)
{
    struct node_refusal_row fresh = { .unit = ws_unit(ws), .ord = row->ord, .node = row->node, .fulfilment = row->id, .at = ws_now_us(ws) };
    if (!node_refuses(ws, row->ord, row->node))
        ws_insert(ws, &node_refusal_table, &fresh);
}

void refusals_want(struct ws *ws, int64_t order)
{
    ws_want_path(ws, &refusal_of_order, WS_PREFIX(db_int(ws_unit(ws)), db_int(order)), 0);
}

static const struct node_refusal_row *refusal(struct ws *ws, int64_t order, int64_t node)
{
    return ws_get_listed(ws, &node_refusal_table, WS_KEY(ws_unit(ws), order, node), &refusal_of_order, WS_PREFIX(db_int(ws_unit(ws)), db_int(order)));
}

bool node_refuses(struct ws *ws, int64_t order, int64_t node)
{
    return refusal(ws, order, node) != NULL;
}

void outlet_without_refusing(struct ws *ws, int64_t order, struct outlet *outlet)
{
    size_t kept = 0;
    for (size_t n = 0; n < outlet->node_count; n++)
        if (!node_refuses(ws, order, outlet->nodes[n]->id))
            outlet->nodes[kept++] = outlet->nodes[n];
    outlet->node_count = kept;
}

bool refusal_clear(struct ws *ws, int64_t order, int64_t node)
{
    const struct node_refusal_row *row = refusal(ws, order, node);
    if (row != NULL)
        ws_delete(ws, row);
    return row != NULL;
}
