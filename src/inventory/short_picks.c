/* src/inventory/short_picks.c: a node was to ship units and did not find them. Nobody knows yet whether they are gone: they stand in quarantine,
 * a row for each order that missed some, until a count of the SKU at the node decides. Invariants: the rows of a position are no more than
 * it has in quarantine; while there are any, one exception tells somebody to count. */
#include "engine/exceptions.h"
#include "inventory/inventory.h"

#define ORDERS_REMEMBERED 200 /* at one position, or a count would end thousands of rows at once; then all may be sent there again */

static const char *cause_of(struct ws *ws, int64_t node, int64_t sku)
{
    return arena_printf(ws_arena(ws), "%s/%ld/%ld", exception_names[EXCEPTION_SHORT_PICK - 1], (long)node, (long)sku);
}

/* The next row of the node, or NULL. */
static const struct short_pick_row *next_at(struct ws *ws, struct ws_cursor *cursor, int64_t node)
{
    const struct short_pick_row *row = ws_next(ws, cursor);
    while (row != NULL && row->node != node)
        row = ws_next(ws, cursor);
    return row;
}

static struct ws_cursor rows_of(struct ws *ws, int64_t sku)
{
    return ws_scan(ws, &short_pick_of_sku, WS_PREFIX(db_int(ws_unit(ws)), db_int(sku)), 0);
}

void short_picks_want(struct ws *ws, int64_t node, int64_t sku)
{
    ws_want_path(ws, &short_pick_of_sku, WS_PREFIX(db_int(ws_unit(ws)), db_int(sku)), 0);
    if (node != 0)
        exception_want(ws, cause_of(ws, node, sku));
}

static const struct short_pick_row *find(struct ws *ws, int64_t node, int64_t sku, int64_t order)
{
    return ws_get_listed(ws, &short_pick_table, WS_KEY(ws_unit(ws), sku, node, order), &short_pick_of_sku,
                         WS_PREFIX(db_int(ws_unit(ws)), db_int(sku)));
}

bool short_pick_stands(struct ws *ws, int64_t node, int64_t sku, int64_t order)
{
    return find(ws, node, sku, order) != NULL;
}

int64_t short_picked(struct ws *ws, int64_t node, int64_t sku, int64_t upto)
{
    int64_t units = 0;
    const struct short_pick_row *row;
    for (struct ws_cursor cursor = rows_of(ws, sku); (row = next_at(ws, &cursor, node)) != NULL;)
        units += row->noted_seq <= upto ? row->quantity : 0;
    return units;
}

static void add(struct ws *ws, const struct short_pick_row *more)
{
    const struct short_pick_row *row = find(ws, more->node, more->sku, more->ord);
    if (row == NULL) {
        ws_insert(ws, &short_pick_table, more);
        return;
    }
    struct short_pick_row *edited = ws_edit(ws, row);
    edited->quantity += more->quantity;
    edited->noted_seq = max_i64(edited->noted_seq, more->noted_seq);
}

static void open_to_all(struct ws *ws, int64_t node, int64_t sku)
{
    struct short_pick_row all = { .unit = ws_unit(ws), .sku = sku, .node = node };
    const struct short_pick_row *row;
    for (struct ws_cursor cursor = rows_of(ws, sku); (row = next_at(ws, &cursor, node)) != NULL;) {
        if (row->ord == 0)
            continue;
        all.quantity += row->quantity;
        all.noted_seq = max_i64(all.noted_seq, row->noted_seq);
        ws_delete(ws, row);
    }
    if (all.quantity > 0)
        add(ws, &all);
}

void short_picks_open(struct ws *ws, const struct freed *places, size_t count)
{
    for (size_t i = 0; i < count; i++)
        short_picks_want(ws, 0, places[i].sku);
    ws_settle(ws);
    for (size_t i = 0; i < count; i++)
        if (places[i].units > 0)
            open_to_all(ws, places[i].node, places[i].sku);
}

void short_pick_note(struct ws *ws, const struct short_pick *pick)
{
    size_t orders = 0;
    for (struct ws_cursor cursor = rows_of(ws, pick->sku); next_at(ws, &cursor, pick->node) != NULL;)
        orders++;
    if (orders >= ORDERS_REMEMBERED)
        open_to_all(ws, pick->node, pick->sku);
    add(ws, &(struct short_pick_row){ .unit = ws_unit(ws),
                                      .sku = pick->sku,
                                      .node = pick->node,
                                      .ord = pick->order,
                                      .quantity = pick->missing,
                                      .noted_seq = ws_clock(ws)->event_seq });
    exception_open(ws, &(struct exception){ .type = EXCEPTION_SHORT_PICK,
                                            .cause = cause_of(ws, pick->node, pick->sku),
                                            .subject_kind = SUBJECT_POSITION,
                                            .node = pick->node,
                                            .sku = pick->sku,
                                            .quantity = pick->missing,
                                            .detail = "units that should be there were not found: count them" });
}

void short_picks_settle(struct ws *ws, int64_t node, int64_t sku, int64_t counted_upto)
{
    const struct position_row *position = position_find(ws, node, sku, 0);
    int64_t left = position == NULL ? 0 : position->quarantined;
    bool any = false, none_left = true;
    const struct short_pick_row *row;
    for (struct ws_cursor cursor = rows_of(ws, sku); (row = next_at(ws, &cursor, node)) != NULL;) {
        const int64_t stands = row->noted_seq <= counted_upto ? 0 : min_i64(row->quantity, left);
        any = true;
        none_left = none_left && stands == 0;
        left -= stands;
        if (stands == 0)
            ws_delete(ws, row);
        else if (stands < row->quantity)
            ((struct short_pick_row *)ws_edit(ws, row))->quantity = stands;
    }
    if (any && none_left)
        (void)exception_close(ws, exception_find(ws, cause_of(ws, node, sku)));
}
