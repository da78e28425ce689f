/* src/orders/together.c: bundles that must not come apart, while they wait.
 * At capture such a line gets whole pieces, each from one node (promise.c), and waits with whole ones. A fact may take one part of a
 * piece, and a channel may be told to keep together what it had let come apart: then a line holds units that belong to no whole piece.
 * They stay where they are until the piece is whole there, or until another node has it whole: then they are given back. */
#include "orders/together.h"
#include "orders/asked.h"
#include "orders/commands.h"
#include <assert.h>
#include <string.h>

static size_t parts_of(const struct order *order, int64_t line, size_t *first)
{
    size_t count = 0;
    for (size_t i = 0; i < order->demand_count; i++) {
        if (order->demands[i]->line != line)
            continue;
        *first = count == 0 ? i : *first; /* by line and part: they lie side by side */
        count++;
    }
    return count;
}

bool line_stays_together(const struct order *order, int64_t line, const struct outlet *outlet)
{
    size_t first;
    return !outlet->channel->split && parts_of(order, line, &first) > 1;
}

/* ---- how it stands ---- */

static const struct demand_row *demand_at(const struct standing *s, size_t part)
{
    return s->order->demands[s->first + part];
}

static int64_t held(const struct standing *s, size_t node, size_t part)
{
    return s->soft[node * s->parts + part] + s->fixed[node * s->parts + part];
}

/* Anew where units came. What is of no whole piece may go without: that makes none less whole. */
static void count_pieces(struct standing *s, size_t node)
{
    int64_t whole = INT64_MAX, begun = 0;
    for (size_t p = 0; p < s->parts; p++) {
        const int64_t need = demand_at(s, p)->need;
        whole = min_i64(whole, held(s, node, p) / need);
        begun = max_i64(begun, (s->fixed[node * s->parts + p] + need - 1) / need);
    }
    s->whole[node] = whole;
    s->kept[node] = max_i64(whole, begun);
}

/* Pieces that no node has begun. */
static int64_t not_begun(const struct standing *s)
{
    int64_t pieces = INT64_MAX;
    for (size_t p = 0; p < s->parts; p++)
        pieces = min_i64(pieces, (demand_at(s, p)->ordered - demand_at(s, p)->cancelled) / demand_at(s, p)->need);
    for (size_t n = 0; n < s->node_count; n++)
        pieces -= s->kept[n];
    return max_i64(0, pieces);
}

static void add(struct standing *s, int64_t *units, int64_t node, int64_t part, int64_t quantity)
{
    size_t n = 0;
    while (n < s->node_count && s->nodes[n] != node)
        n++;
    if (n == s->node_count)
        s->nodes[s->node_count++] = node;
    for (size_t p = 0; p < s->parts; p++)
        units[n * s->parts + p] += demand_at(s, p)->part == part ? quantity : 0;
}

/* What has left stands in no claim. */
static void add_shipped(struct standing *s, int64_t line)
{
    struct ws *ws = s->order->ws;
    const struct fulfilment_row *row;
    const struct fulfilment_line_row *each;
    struct ws_cursor all = ws_scan(ws, &fulfilment_of_order, WS_PREFIX(db_int(ws_unit(ws)), db_int(s->order->row->id)), 0);
    while ((row = ws_next(ws, &all)) != NULL) {
        if (row->state != FULFILMENT_SHIPPED && row->state != FULFILMENT_DELIVERED)
            continue;
        struct ws_cursor lines = ws_scan(ws, &line_of_fulfilment, WS_PREFIX(db_int(ws_unit(ws)), db_int(row->id)), 0);
        while ((each = ws_next(ws, &lines)) != NULL)
            if (each->line == line)
                add(s, s->fixed, row->node, each->part, each->quantity - each->cancelled);
    }
}

struct standing standing_of(struct arena *arena, struct order *order, int64_t line, const struct outlet *outlet)
{
    struct ws *ws = order->ws;
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(order->row->id) };
    struct standing s = { .order = order, .outlet = outlet };
    s.parts = parts_of(order, line, &s.first);
    size_t room = outlet->node_count + ws_count(ws, &claim_of_holder, prefix) + ws_count(ws, &fulfilment_of_order, prefix);
    s.nodes = ARENA_ARRAY(arena, int64_t, room + 1);
    s.soft = ARENA_ARRAY(arena, int64_t, room * s.parts + 1);
    s.fixed = ARENA_ARRAY(arena, int64_t, room * s.parts + 1);
    s.whole = ARENA_ARRAY(arena, int64_t, room + 1);
    s.kept = ARENA_ARRAY(arena, int64_t, room + 1);
    for (size_t n = 0; n < outlet->node_count; n++)
        s.nodes[s.node_count++] = outlet->nodes[n]->id;
    const struct claim_row *claim;
    for (struct ws_cursor cursor = ws_scan(ws, &claim_of_holder, prefix, 0); (claim = ws_next(ws, &cursor)) != NULL;) {
        if (claim->kind != CLAIM_ORDER || claim->line != line)
            continue; /* a fence's holder may have the same number */
        add(&s, s.soft, claim->node, claim->part, claim->soft);
        add(&s, s.fixed, claim->node, claim->part, claim->hard);
    }
    bool shipped = false;
    for (size_t p = 0; p < s.parts; p++)
        shipped = shipped || demand_at(&s, p)->shipped > 0;
    if (shipped)
        add_shipped(&s, line);
    for (size_t n = 0; n < s.node_count; n++)
        count_pieces(&s, n);
    return s;
}

/* Soft units of the part that belong to no whole piece at that node. */
static int64_t loose(const struct standing *s, size_t node, size_t part)
{
    return max_i64(0, min_i64(s->soft[node * s->parts + part], held(s, node, part) - s->kept[node] * demand_at(s, part)->need));
}

/* Units of the part that the line may take at the node: those that wait, and those it would give back for them elsewhere. */
static int64_t wanted(const struct standing *s, size_t node, size_t part)
{
    int64_t units = demand_at(s, part)->backordered;
    for (size_t n = 0; n < s->node_count; n++)
        units += n == node ? 0 : loose(s, n, part);
    return units;
}

int64_t standing_may(const struct standing *s, size_t node)
{
    int64_t pieces = INT64_MAX, stands = s->whole[node];
    for (size_t p = 0; p < s->parts; p++) {
        const struct demand_row *demand = demand_at(s, p);
        int64_t units = min_i64(wanted(s, node, p), outlet_stock(s->order->ws, s->outlet, node, demand->sku));
        if (units > 0 && (short_pick_stands(s->order->ws, s->nodes[node], demand->sku, s->order->row->id) ||
                          node_refuses(s->order->ws, s->order->row->id, s->nodes[node])))
            units = 0; /* it has looked for them in vain, or does not want the order */
        pieces = min_i64(pieces, (held(s, node, p) + units) / demand->need - stands);
        if (pieces == 0)
            return 0;
    }
    return min_i64(pieces, s->kept[node] - stands + not_begun(s));
}

bool standing_needs(const struct standing *s, size_t node, size_t part)
{
    return held(s, node, part) < (s->whole[node] + 1) * demand_at(s, part)->need;
}

void standing_without(struct standing *s, int64_t node, const int64_t *missing, int64_t *useless)
{
    size_t n = 0;
    int64_t kept = 0, whole = INT64_MAX;
    while (s->nodes[n] != node)
        n++; /* it has units of the line */
    for (size_t p = 0; p < s->parts; p++) {
        const struct demand_row *demand = demand_at(s, p);
        struct holder holder = demand_holder(s->order, demand);
        const struct claim_row *claim = claim_find(s->order->ws, node, demand->sku, &holder);
        const int64_t shipped = s->fixed[n * s->parts + p] - (claim == NULL ? 0 : claim->hard);
        kept = max_i64(kept, (shipped + demand->need - 1) / demand->need);
        whole = min_i64(whole, (held(s, n, p) - missing[p]) / demand->need);
    }
    kept = max_i64(kept, whole); /* a piece of which a part has left is completed */
    for (size_t p = 0; p < s->parts; p++)
        useless[p] = max_i64(0, s->fixed[n * s->parts + p] - missing[p] - kept * demand_at(s, p)->need);
}

/* ---- taking ---- */

/* The line would hold more than it needs of the part: what is of no whole piece elsewhere goes. */
static void give_back(struct standing *s, struct stock *stock, size_t node, size_t part, int64_t units)
{
    struct demand_row *demand = demand_edit(s->order, s->first + part);
    struct holder holder = demand_holder(s->order, demand);
    for (size_t n = 0; n < s->node_count && units > 0; n++) {
        int64_t gives = n == node ? 0 : min_i64(loose(s, n, part), units);
        if (gives == 0)
            continue;
        claim_give_back(stock, claim_find(s->order->ws, s->nodes[n], demand->sku, &holder), gives, 0);
        s->soft[n * s->parts + part] -= gives;
        demand->reserved -= gives;
        demand->backordered += gives;
        units -= gives;
    }
    assert(units == 0); /* standing_may() has counted them */
}

void standing_take(struct standing *s, struct stock *stock, size_t node, int64_t pieces)
{
    const int64_t to = s->whole[node] + pieces;
    for (size_t p = 0; p < s->parts; p++) {
        struct demand_row *demand = demand_edit(s->order, s->first + p);
        int64_t units = to * demand->need - held(s, node, p);
        if (units <= 0)
            continue;
        if (units > demand->backordered)
            give_back(s, stock, node, p, units - demand->backordered);
        struct holder holder = demand_holder(s->order, demand);
        outlet_take(stock, s->outlet, node, demand->sku, &holder, units);
        s->soft[node * s->parts + p] += units;
        demand->backordered -= units;
        demand->reserved += units;
        demand->oversold = min_i64(demand->oversold, demand->backordered);
        demand_waits(s->order, demand);
    }
    count_pieces(s, node);
}
