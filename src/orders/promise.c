/* src/orders/promise.c: plan first on a copy of the stock, then take.
 * The copy is a table of nodes by SKUs, filled once for an order: every set of nodes is tried on it without touching
 * a row. A set of nodes is good when it can ship all that was granted; the smallest good set wins, the first in order
 * of priority among equals, and the one with more stock among those. */
#include "orders/promise.h"
#include "base/text.h"
#include "inventory/availability.h"
#include <stdlib.h>
#include <string.h>

#define SETS_MAX 3000 /* sets of nodes looked at: bounds the work of one order; beyond it the best so far ships, or all nodes may */

struct plan {
    struct arena *arena;
    const struct outlet *outlet;
    const struct wish *wishes;
    int64_t *skus; /* distinct, ascending */
    size_t sku_count;
    size_t **columns; /* [wish][component]: which of the SKUs it is; looked for once, asked for in every set of nodes */
    int64_t *left;    /* [node * sku_count + column] */
};

static size_t column_of(const struct plan *plan, const struct wish *wish, size_t component)
{
    return plan->columns[wish - plan->wishes][component];
}

/* The table's columns: the distinct SKUs of all components. */
static void plan_columns(struct ws *ws, struct plan *plan, size_t count)
{
    size_t room = 0, all = 0;
    for (size_t i = 0; i < count; i++)
        room += plan->wishes[i].component_count;
    plan->skus = ARENA_ARRAY(ws_arena(ws), int64_t, room);
    plan->columns = ARENA_ARRAY(ws_arena(ws), size_t *, count);
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < plan->wishes[i].component_count; c++)
            plan->skus[all++] = plan->wishes[i].components[c].sku;
    qsort(plan->skus, all, sizeof *plan->skus, by_number);
    for (size_t i = 0; i < all; i++)
        if (i == 0 || plan->skus[i] != plan->skus[plan->sku_count - 1])
            plan->skus[plan->sku_count++] = plan->skus[i];
    for (size_t i = 0; i < count; i++) {
        const struct wish *wish = &plan->wishes[i];
        plan->columns[i] = ARENA_ARRAY(ws_arena(ws), size_t, wish->component_count);
        for (size_t c = 0; c < wish->component_count; c++) {
            const int64_t *sku = bsearch(&wish->components[c].sku, plan->skus, plan->sku_count, sizeof *sku, by_number);
            plan->columns[i][c] = (size_t)(sku - plan->skus);
        }
    }
}

static struct plan plan_new(struct ws *ws, const struct outlet *outlet, const struct wish *wishes, size_t count)
{
    struct plan plan = { .arena = ws_arena(ws), .outlet = outlet, .wishes = wishes };
    plan_columns(ws, &plan, count);
    outlet_want(ws, outlet, plan.skus, plan.sku_count);
    plan.left = ARENA_ARRAY(ws_arena(ws), int64_t, outlet->node_count * plan.sku_count);
    for (size_t n = 0; n < outlet->node_count; n++)
        for (size_t s = 0; s < plan.sku_count; s++)
            plan.left[n * plan.sku_count + s] = outlet_stock(ws, outlet, n, plan.skus[s]);
    return plan;
}

/* Whether a wish's pieces must each come from one node. */
static bool stays_together(const struct plan *plan, const struct wish *wish)
{
    return outlet_keeps_together(plan->outlet, wish->component_count);
}

static void take_units(struct plan *plan, const size_t *nodes, size_t node_count, size_t column, int64_t units)
{
    for (size_t n = 0; n < node_count && units > 0; n++) {
        int64_t *left = &plan->left[nodes[n] * plan->sku_count + column];
        int64_t taken = min_i64(*left, units);
        *left -= taken;
        units -= taken;
    }
}

/* Whole pieces that one node can build from what is left there. */
static int64_t buildable(const struct plan *plan, const int64_t *left, const struct wish *wish, size_t node)
{
    int64_t pieces = QUANTITY_MAX;
    for (size_t c = 0; c < wish->component_count; c++)
        pieces = min_i64(pieces, left[node * plan->sku_count + column_of(plan, wish, c)] / wish->components[c].quantity);
    return pieces;
}

/* Takes up to `pieces` of a wish from these nodes; returns how many it got. */
static int64_t take_pieces(struct plan *plan, const size_t *nodes, size_t node_count, const struct wish *wish, int64_t pieces)
{
    int64_t got = stays_together(plan, wish) ? 0 : pieces;
    for (size_t n = 0; stays_together(plan, wish) && n < node_count && got < pieces; n++) {
        int64_t here = min_i64(buildable(plan, plan->left, wish, nodes[n]), pieces - got);
        for (size_t c = 0; c < wish->component_count; c++)
            plan->left[nodes[n] * plan->sku_count + column_of(plan, wish, c)] -= here * wish->components[c].quantity;
        got += here;
    }
    if (stays_together(plan, wish))
        return got;
    for (size_t c = 0; c < wish->component_count; c++) {
        int64_t pooled = 0;
        for (size_t n = 0; n < node_count; n++)
            pooled += plan->left[nodes[n] * plan->sku_count + column_of(plan, wish, c)];
        got = min_i64(got, pooled / wish->components[c].quantity);
    }
    for (size_t c = 0; c < wish->component_count; c++)
        take_units(plan, nodes, node_count, column_of(plan, wish, c), got * wish->components[c].quantity);
    return got;
}

static void all_nodes(const struct outlet *outlet, struct choice *choice)
{
    choice->count = outlet->node_count;
    for (size_t n = 0; n < outlet->node_count; n++)
        choice->nodes[n] = n;
}

void promise_grant(struct ws *ws, const struct outlet *outlet, struct wish *wishes, size_t count, bool already_sold)
{
    struct plan plan = plan_new(ws, outlet, wishes, count);
    struct choice all = { 0 };
    all_nodes(outlet, &all);
    for (size_t i = 0; i < count; i++) {
        struct wish *wish = &wishes[i];
        if (wish->sku == NULL)
            continue;
        int64_t may = wish->quantity;
        if (!already_sold) {
            struct atp_terms terms = availability_terms(ws, outlet, wish->listing, wish->components, wish->component_count);
            may = atp_sell(&terms);
            for (size_t k = 0; k < i; k++) /* its lines summed: the earlier ones had theirs */
                may -= wishes[k].sku == wish->sku ? wishes[k].granted : 0;
        }
        wish->granted = take_pieces(&plan, all.nodes, all.count, wish, max_i64(0, min_i64(may, wish->quantity)));
    }
}

static bool ships_all(struct plan *plan, const int64_t *stock, const size_t *nodes, size_t node_count, const struct wish *wishes, size_t count)
{
    for (size_t n = 0; n < node_count; n++) { /* the others' stock nobody asks for: with 64 nodes it would be most of the work */
        const size_t row = nodes[n] * plan->sku_count;
        memcpy(plan->left + row, stock + row, plan->sku_count * sizeof *stock);
    }
    for (size_t i = 0; i < count; i++)
        if (wishes[i].granted > 0 && take_pieces(plan, nodes, node_count, &wishes[i], wishes[i].granted) < wishes[i].granted)
            return false;
    return true;
}

/* The next set of `size` nodes out of `n` in lexical order. */
static bool next_set(size_t *set, size_t size, size_t n)
{
    for (size_t i = size; i > 0; i--) {
        if (set[i - 1] < n - size + i - 1) {
            set[i - 1]++;
            for (size_t k = i; k < size; k++)
                set[k] = set[k - 1] + 1;
            return true;
        }
    }
    return false;
}

static int64_t set_stock(const struct plan *plan, const int64_t *stock, const struct choice *choice)
{
    int64_t sum = 0;
    for (size_t i = 0; i < choice->count; i++)
        for (size_t s = 0; s < plan->sku_count; s++)
            sum += stock[choice->nodes[i] * plan->sku_count + s];
    return sum;
}

static int64_t set_priority(const struct plan *plan, const struct choice *choice)
{
    int64_t sum = 0;
    for (size_t i = 0; i < choice->count; i++)
        sum += plan->outlet->nodes[choice->nodes[i]]->priority;
    return sum;
}

static bool is_better(const struct plan *plan, const int64_t *stock, const struct choice *a, const struct choice *b)
{
    int64_t left = set_priority(plan, a), right = set_priority(plan, b);
    return left != right ? left < right : set_stock(plan, stock, a) > set_stock(plan, stock, b);
}

/* What speaks against a node alone; of the chosen ones nobody asks. */
static void rule_out(struct plan *plan, const int64_t *stock, size_t node, const struct wish *wishes, size_t count, struct choice *choice)
{
    const struct choice alone = { .nodes = { node }, .count = 1 };
    bool ships = ships_all(plan, stock, &node, 1, wishes, count);
    for (size_t i = 0; i < count; i++)
        choice->others[node].lines += wishes[i].granted > 0 && buildable(plan, stock, &wishes[i], node) >= wishes[i].granted;
    choice->others[node].ruled_out = !ships                                                    ? RULED_OUT_STOCK
                                     : choice->count > 1                                       ? RULED_OUT_SHIPMENTS
                                     : set_priority(plan, &alone) > set_priority(plan, choice) ? RULED_OUT_PRIORITY
                                                                                               : RULED_OUT_LESS_STOCK;
}

/* Nodes that ship anyway, and others to be added to them. */
struct sets {
    size_t anyway[CHANNEL_NODES_MAX], others[CHANNEL_NODES_MAX];
    size_t anyway_count, other_count, looked;
};

static struct sets sets_of(const struct outlet *outlet, const bool *used)
{
    struct sets sets = { 0 };
    for (size_t n = 0; n < outlet->node_count; n++)
        if (used != NULL && used[n])
            sets.anyway[sets.anyway_count++] = n;
        else
            sets.others[sets.other_count++] = n;
    return sets;
}

/* Pieces that the nodes ship of what was granted; of each wish in `each`, where it is not NULL. */
static int64_t pieces_shipped(struct plan *plan, const int64_t *stock, const struct choice *choice, size_t count, int64_t *each)
{
    int64_t sum = 0;
    for (size_t n = 0; n < choice->count; n++) {
        const size_t row = choice->nodes[n] * plan->sku_count;
        memcpy(plan->left + row, stock + row, plan->sku_count * sizeof *stock);
    }
    for (size_t i = 0; i < count; i++) {
        const int64_t ships =
            plan->wishes[i].granted == 0 ? 0 : take_pieces(plan, choice->nodes, choice->count, &plan->wishes[i], plan->wishes[i].granted);
        sum += ships;
        if (each != NULL)
            each[i] = ships;
    }
    return sum;
}

/* The best set with `size` others: of those that ship all, or, with `most` not NULL, of those that ship most. False: none was found. */
static bool best_of_size(struct plan *plan, const int64_t *stock, size_t count, struct sets *sets, size_t size, int64_t *most, struct choice *choice)
{
    struct choice next = { .count = sets->anyway_count + size };
    size_t set[CHANNEL_NODES_MAX];
    bool found = false;
    memcpy(next.nodes, sets->anyway, sets->anyway_count * sizeof *next.nodes);
    for (size_t i = 0; i < size; i++)
        set[i] = i;
    do {
        for (size_t i = 0; i < size; i++)
            next.nodes[sets->anyway_count + i] = sets->others[set[i]];
        const int64_t ships = most == NULL ? 0 : pieces_shipped(plan, stock, &next, count, NULL);
        const bool good = most == NULL ? ships_all(plan, stock, next.nodes, next.count, plan->wishes, count) : ships >= *most;
        if (!good || (found && (most == NULL || ships == *most) && !is_better(plan, stock, &next, choice)))
            continue;
        *choice = next;
        found = true;
        if (most != NULL)
            *most = ships;
    } while (next_set(set, size, sets->other_count) && ++sets->looked < SETS_MAX);
    return found;
}

/* The smallest sets that ship all come first. Where none may be large enough, that which ships most. */
static void choose(struct plan *plan, const int64_t *stock, struct wish *wishes, size_t count, const struct spread *spread, struct choice *choice)
{
    struct sets sets = sets_of(plan->outlet, spread->used);
    const size_t room = (size_t)min_i64(spread->more, (int64_t)sets.other_count);
    bool found = false;
    for (size_t size = sets.anyway_count == 0 ? 1 : 0; size < sets.other_count && size <= room && !found && sets.looked < SETS_MAX; size++)
        found = best_of_size(plan, stock, count, &sets, size, NULL, choice);
    if (!found && room == sets.other_count) {
        all_nodes(plan->outlet, choice);
        return;
    }
    if (found)
        return;
    int64_t *each = ARENA_ARRAY(plan->arena, int64_t, count + 1), most = 0;
    sets.looked = 0;
    (void)best_of_size(plan, stock, count, &sets, room, &most, choice);
    (void)pieces_shipped(plan, stock, choice, count, each);
    for (size_t i = 0; i < count; i++) {
        wishes[i].kept = wishes[i].granted - each[i];
        wishes[i].granted = each[i];
        choice->kept += wishes[i].kept;
    }
}

void promise_choose(struct ws *ws, const struct outlet *outlet, struct wish *wishes, size_t count, const struct spread *spread, struct choice *choice)
{
    struct plan plan = plan_new(ws, outlet, wishes, count);
    size_t cells = outlet->node_count * plan.sku_count;
    int64_t *stock = ARENA_ARRAY(ws_arena(ws), int64_t, cells + 1);
    memcpy(stock, plan.left, cells * sizeof *stock);
    *choice = (struct choice){ 0 };
    bool wanted = false;
    for (size_t i = 0; i < count; i++)
        wanted = wanted || wishes[i].granted > 0;
    if (wanted)
        choose(&plan, stock, wishes, count, spread, choice);
    for (size_t n = 0; n < outlet->node_count && wanted; n++)
        rule_out(&plan, stock, n, wishes, count, choice);
}

void promise_take(struct stock *stock, const struct outlet *outlet, const struct choice *choice, const struct wish *wish, struct holder holder)
{
    outlet_take_pieces(stock, outlet,
                       &(struct pieces){ .nodes = choice->nodes,
                                         .node_count = choice->count,
                                         .components = wish->components,
                                         .count = wish->component_count,
                                         .quantity = wish->granted },
                       holder);
}
