/* src/orders/losses.c: what was lost or damaged on its way, by line of the fulfilment order that it left with. Until somebody decides, the units
 * count as shipped. Then they are sent once more (they wait again), or cancelled; or they have arrived after all, and nothing was lost.
 * Invariant: of a line no more is undecided than it still counts as shipped. */
#include "orders/losses.h"

const char *const loss_names[LOSS_KIND_COUNT] = { NULL, "lost", "damaged" };
const char *const loss_end_names[] = { "ship_again", "refund", "arrived", NULL };

static struct ws_cursor rows_of(struct ws *ws, int64_t order)
{
    return ws_scan(ws, &loss_of_order, WS_PREFIX(db_int(ws_unit(ws)), db_int(order)), 0);
}

static const struct parcel_loss_row *find(struct ws *ws, const struct fulfilment_row *row, int64_t line, int64_t part, enum loss_kind kind)
{
    return ws_get_listed(ws, &parcel_loss_table, WS_KEY(ws_unit(ws), row->ord, row->id, line, part, kind), &loss_of_order,
                         WS_PREFIX(db_int(ws_unit(ws)), db_int(row->ord)));
}

static int64_t undecided(const struct parcel_loss_row *loss)
{
    return loss == NULL ? 0 : loss->quantity - loss->again - loss->refunded;
}

int64_t loss_undecided(struct ws *ws, const struct fulfilment_row *row, int64_t line, int64_t part, enum loss_kind kind)
{
    int64_t units = 0;
    for (int each = LOSS_LOST; each < LOSS_KIND_COUNT; each++)
        units += kind == 0 || (int)kind == each ? undecided(find(ws, row, line, part, (enum loss_kind)each)) : 0;
    return units;
}

int64_t losses_undecided(struct ws *ws, const struct fulfilment_row *row)
{
    int64_t units = 0;
    const struct parcel_loss_row *loss;
    for (struct ws_cursor cursor = rows_of(ws, row->ord); (loss = ws_next(ws, &cursor)) != NULL;)
        units += loss->fulfilment == row->id ? undecided(loss) : 0;
    return units;
}

void loss_add(struct ws *ws, const struct fulfilment_row *row, int64_t line, int64_t part, enum loss_kind kind, int64_t units)
{
    const struct parcel_loss_row *there = find(ws, row, line, part, kind);
    struct parcel_loss_row fresh = {
        .unit = ws_unit(ws), .ord = row->ord, .fulfilment = row->id, .line = line, .part = part, .kind = kind, .quantity = units
    };
    if (there != NULL)
        ((struct parcel_loss_row *)ws_edit(ws, there))->quantity += units;
    else
        ws_insert(ws, &parcel_loss_table, &fresh);
}

void loss_decide(struct ws *ws, const struct fulfilment_row *row, int64_t line, int64_t part, enum loss_kind kind, enum loss_end end, int64_t units)
{
    struct parcel_loss_row *loss = ws_edit(ws, find(ws, row, line, part, kind));
    if (end == LOSS_SHIP_AGAIN)
        loss->again += units;
    else if (end == LOSS_REFUND)
        loss->refunded += units;
    else
        loss->quantity -= units;
    if (loss->quantity == 0)
        ws_delete(ws, loss);
}

int64_t *losses_of(const struct order *order)
{
    struct ws *ws = order->ws;
    int64_t *units = NULL;
    const struct parcel_loss_row *loss;
    for (struct ws_cursor cursor = rows_of(ws, order->row->id); (loss = ws_next(ws, &cursor)) != NULL;) {
        units = units == NULL ? ARENA_ARRAY(ws_arena(ws), int64_t, order->demand_count) : units;
        for (size_t i = 0; i < order->demand_count; i++)
            units[i] += order->demands[i]->line == loss->line && order->demands[i]->part == loss->part ? loss->quantity : 0;
    }
    return units;
}
