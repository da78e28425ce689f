/* src/orders/promise.c: plan first on a copy of the stock, then take.
 * The copy is a table of nodes by SKUs, filled once for an order: what a policy's rules keep a node from shipping stands in it as nothing. What
 * was granted becomes items and routing/route.c finds the nodes; each claim is taken where its plan says. */
#include "orders/promise.h"
#include "base/text.h"
#include "inventory/availability.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct plan {
    const struct outlet *outlet;
    const struct wish *wishes;
    int64_t *skus; /* distinct, ascending */
    size_t sku_count;
    size_t **columns; /* [wish][component]: which of the SKUs it is; looked for once, asked for in every set of nodes */
    int64_t *left;    /* [node * sku_count + column] */
    /* Where a policy stands: */
    const struct sku_row **rows; /* [column] */
    struct ships *ships;         /* [node] */
    size_t *barred;              /* [node * sku_count + column]: by which rule */
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

/* What the policy says of each node: it gives nothing of what a rule forbids it, and nothing at all where its carrier does not go. */
static void plan_by_policy(struct ws *ws, struct plan *plan)
{
    const struct outlet *outlet = plan->outlet;
    const struct routing *routing = outlet->routing;
    plan->rows = ARENA_ARRAY(ws_arena(ws), const struct sku_row *, plan->sku_count + 1);
    plan->ships = ARENA_ARRAY(ws_arena(ws), struct ships, outlet->node_count + 1);
    plan->barred = ARENA_ARRAY(ws_arena(ws), size_t, outlet->node_count * plan->sku_count + 1);
    for (size_t s = 0; s < plan->sku_count; s++)
        ws_want(ws, &sku_table, WS_KEY(ws_unit(ws), plan->skus[s]));
    ws_settle(ws);
    for (size_t s = 0; s < plan->sku_count; s++)
        plan->rows[s] = ws_get(ws, &sku_table, WS_KEY(ws_unit(ws), plan->skus[s]));
    for (size_t n = 0; n < outlet->node_count; n++) {
        routing_ships(routing, outlet->nodes[n], &plan->ships[n]);
        for (size_t s = 0; s < plan->sku_count; s++) {
            size_t *rule = &plan->barred[n * plan->sku_count + s];
            *rule = routing_forbids(routing, outlet->nodes[n], plan->rows[s]);
            if (*rule != 0 || plan->ships[n].unserved)
                plan->left[n * plan->sku_count + s] = 0;
        }
    }
}

/* What the order may have from there: a node that missed units of the SKU for it is asked for no others. */
static int64_t with_what_it_holds(struct ws *ws, const struct holding *holding, int64_t node, int64_t sku, int64_t units)
{
    if (short_pick_stands(ws, node, sku, holding->order))
        units = 0;
    for (size_t i = 0; i < holding->count; i++)
        if (holding->held[i].node == node && holding->held[i].sku == sku)
            units += holding->held[i].units;
    return units;
}

static struct plan plan_new(struct ws *ws, const struct outlet *outlet, const struct wish *wishes, size_t count, const struct holding *holding)
{
    struct plan plan = { .outlet = outlet, .wishes = wishes };
    plan_columns(ws, &plan, count);
    outlet_want(ws, outlet, plan.skus, plan.sku_count);
    plan.left = ARENA_ARRAY(ws_arena(ws), int64_t, outlet->node_count * plan.sku_count);
    for (size_t n = 0; n < outlet->node_count; n++)
        for (size_t s = 0; s < plan.sku_count; s++)
            plan.left[n * plan.sku_count + s] = outlet_stock(ws, outlet, n, plan.skus[s]);
    for (size_t s = 0; s < plan.sku_count && holding != NULL; s++)
        short_picks_want(ws, 0, plan.skus[s]);
    ws_settle(ws);
    for (size_t n = 0; n < outlet->node_count && holding != NULL; n++)
        for (size_t s = 0; s < plan.sku_count; s++) {
            int64_t *left = &plan.left[n * plan.sku_count + s];
            *left = with_what_it_holds(ws, holding, outlet->nodes[n]->id, plan.skus[s], *left);
        }
    if (outlet->routing != NULL)
        plan_by_policy(ws, &plan);
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
    struct plan plan = plan_new(ws, outlet, wishes, count, NULL);
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

/* ---- choosing ---- */

#define PIECE_WEIGHT_MAX INT64_C(1000000000) /* a thousand tons: sums stay far below 63 bits */

/* Of a piece of an item, where its SKUs have weights. */
static int64_t weight_of(const struct plan *plan, const struct route_part *parts, size_t count)
{
    int64_t weight = 0;
    for (size_t i = 0; i < count && plan->rows != NULL; i++) {
        int64_t each = plan->rows[parts[i].column]->weight_g;
        if (each != NULL_INT && each > 0)
            weight = parts[i].units > (PIECE_WEIGHT_MAX - weight) / each ? PIECE_WEIGHT_MAX : weight + each * parts[i].units;
    }
    return weight;
}

/* What was granted of each wish: one item of whole pieces where they stay together, else one for each component, in units. */
static void items_of(struct arena *arena, const struct plan *plan, size_t count, struct route_problem *problem, size_t *first_item)
{
    size_t room = 0;
    for (size_t i = 0; i < count; i++)
        room += plan->wishes[i].component_count;
    struct route_item *items = ARENA_ARRAY(arena, struct route_item, room + 1);
    struct route_part *parts = ARENA_ARRAY(arena, struct route_part, room + 1);
    for (size_t i = 0; i < count; i++) {
        const struct wish *wish = &plan->wishes[i];
        const bool together = stays_together(plan, wish);
        first_item[i] = problem->item_count;
        for (size_t c = 0; c < wish->component_count; c++)
            parts[c] = (struct route_part){ column_of(plan, wish, c), together ? wish->components[c].quantity : 1 };
        for (size_t c = 0; c < (together ? 1 : wish->component_count); c++)
            items[problem->item_count++] = (struct route_item){ .parts = parts + c,
                                                                .part_count = together ? wish->component_count : 1,
                                                                .pieces = wish->granted * (together ? 1 : wish->components[c].quantity),
                                                                .weight_g = weight_of(plan, parts + c, together ? wish->component_count : 1) };
        parts += wish->component_count;
    }
    problem->items = items;
}

static struct route_problem problem_of(struct arena *arena, const struct plan *plan, size_t count, const struct spread *spread, size_t *first_item)
{
    const bool *used = spread->used;
    const struct outlet *outlet = plan->outlet;
    struct route_node *nodes = ARENA_ARRAY(arena, struct route_node, outlet->node_count + 1);
    struct route_problem problem = { .nodes = nodes, .node_count = outlet->node_count, .column_count = plan->sku_count, .stock = plan->left };
    for (size_t n = 0; n < outlet->node_count; n++) {
        if (plan->ships != NULL)
            nodes[n] = plan->ships[n].node;
        nodes[n].priority = outlet->nodes[n]->priority;
        nodes[n].used = used != NULL && used[n];
    }
    if (outlet->routing != NULL) {
        problem.cost_first = routing_cost_first(outlet->routing);
        problem.split_penalty = routing_split_penalty(outlet->routing);
        problem.late_per_day = routing_late_per_day(outlet->routing);
    }
    problem.bounded = spread->more != INT64_MAX;
    problem.shipments_max = spread->more;
    items_of(arena, plan, count, &problem, first_item);
    return problem;
}

/* Of a plan of that node alone: which term speaks against it. */
static enum ruled_out by_term(enum route_term term)
{
    static const enum ruled_out by[ROUTE_TERM_COUNT + 1] = { [ROUTE_shipments] = RULED_OUT_SHIPMENTS, [ROUTE_cost] = RULED_OUT_COST,
                                                             [ROUTE_late_us] = RULED_OUT_LATER,       [ROUTE_arrives_at] = RULED_OUT_LATER,
                                                             [ROUTE_full] = RULED_OUT_CAPACITY,       [ROUTE_priority] = RULED_OUT_PRIORITY,
                                                             [ROUTE_stock] = RULED_OUT_LESS_STOCK,    [ROUTE_TERM_COUNT] = RULED_OUT_LESS_STOCK };
    return by[term];
}

/* Why it cannot ship all alone: the first rule that forbids it something that was granted, its carrier, or its stock. */
static enum ruled_out by_lack(const struct plan *plan, size_t node, const struct wish *wishes, size_t count, size_t *rule)
{
    if (plan->ships == NULL)
        return RULED_OUT_STOCK;
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < wishes[i].component_count && wishes[i].granted > 0; c++) {
            *rule = plan->barred[node * plan->sku_count + column_of(plan, &wishes[i], c)];
            if (*rule != 0)
                return RULED_OUT_RULE;
        }
    return plan->ships[node].unserved ? RULED_OUT_UNSERVED : RULED_OUT_STOCK;
}

/* What speaks against a node alone; of the chosen ones nobody asks. */
static void rule_out(struct arena *arena, const struct plan *plan, const struct route_problem *problem, size_t node, size_t count,
                     struct choice *choice)
{
    struct route_plan alone;
    bool better;
    for (size_t i = 0; i < count; i++)
        choice->others[node].lines += plan->wishes[i].granted > 0 && buildable(plan, plan->left, &plan->wishes[i], node) >= plan->wishes[i].granted;
    choice->others[node].ships = route_alone(arena, problem, node, &alone);
    choice->others[node].terms = alone.terms;
    choice->others[node].ruled_out = choice->others[node].ships ? by_term(route_compare(problem, &choice->plan.terms, &alone.terms, &better))
                                                                : by_lack(plan, node, plan->wishes, count, &choice->others[node].rule);
}

/* ---- where only so many parcels may go ---- */

#define SETS_MAX 3000 /* sets of nodes looked at for what ships most */

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

/* Pieces that the nodes ship of what was granted; of each wish in `each`. */
static int64_t pieces_shipped(struct plan *plan, const int64_t *stock, const size_t *nodes, size_t node_count, size_t count, int64_t *each)
{
    int64_t sum = 0;
    for (size_t n = 0; n < node_count; n++)
        memcpy(plan->left + nodes[n] * plan->sku_count, stock + nodes[n] * plan->sku_count, plan->sku_count * sizeof *stock);
    for (size_t i = 0; i < count; i++) {
        each[i] = plan->wishes[i].granted == 0 ? 0 : take_pieces(plan, nodes, node_count, &plan->wishes[i], plan->wishes[i].granted);
        sum += each[i];
    }
    return sum;
}

/* Takes off the grants what no `spread->more` nodes can ship beside those that ship anyway: those that ship most are looked for, the first by
 * priority among equals. Returns the pieces that are kept. */
static int64_t keep_what_is_too_much(struct arena *arena, struct plan *plan, struct wish *wishes, size_t count, const struct spread *spread)
{
    const size_t node_count = plan->outlet->node_count, cells = node_count * plan->sku_count;
    size_t nodes[CHANNEL_NODES_MAX] = { 0 }, others[CHANNEL_NODES_MAX] = { 0 }, set[CHANNEL_NODES_MAX] = { 0 }, anyway = 0, other_count = 0,
           looked = 0;
    int64_t *stock = ARENA_ARRAY(arena, int64_t, cells + 1), *each = ARENA_ARRAY(arena, int64_t, count + 1);
    int64_t *best = ARENA_ARRAY(arena, int64_t, count + 1), most = 0, kept = 0;
    memcpy(stock, plan->left, cells * sizeof *stock);
    for (size_t n = 0; n < node_count; n++)
        if (spread->used != NULL && spread->used[n])
            nodes[anyway++] = n;
        else
            others[other_count++] = n;
    const size_t size = (size_t)min_i64(spread->more, (int64_t)other_count);
    for (size_t i = 0; i < size; i++)
        set[i] = i;
    do {
        for (size_t i = 0; i < size; i++)
            nodes[anyway + i] = others[set[i]];
        int64_t ships = pieces_shipped(plan, stock, nodes, anyway + size, count, each);
        if (ships > most) {
            most = ships;
            memcpy(best, each, count * sizeof *best);
        }
    } while (next_set(set, size, other_count) && ++looked < SETS_MAX);
    memcpy(plan->left, stock, cells * sizeof *stock);
    for (size_t i = 0; i < count; i++) {
        wishes[i].kept = wishes[i].granted - best[i];
        wishes[i].granted = best[i];
        kept += wishes[i].kept;
    }
    return kept;
}

/* ---- the whole ---- */

/* wishes NULL: no grant may be taken off. */
static void choose(struct ws *ws, struct plan *plan, struct wish *wishes, size_t count, const struct spread *spread, struct choice *choice)
{
    size_t *first_item = ARENA_ARRAY(ws_arena(ws), size_t, count + 1);
    const struct outlet *outlet = plan->outlet;
    *choice = (struct choice){ .ships = plan->ships, .wishes = plan->wishes, .wish_count = count, .first_item = first_item };
    choice->problem = problem_of(ws_arena(ws), plan, count, spread, first_item);
    bool found = route_choose(ws_arena(ws), &choice->problem, &choice->plan);
    if (!found && wishes != NULL) {
        assert(choice->problem.bounded); /* else what was granted is there: promise_grant has taken it from this table */
        choice->kept = keep_what_is_too_much(ws_arena(ws), plan, wishes, count, spread);
        choice->problem = problem_of(ws_arena(ws), plan, count, spread, first_item);
        (void)route_choose(ws_arena(ws), &choice->problem, &choice->plan);
    }
    choice->count = choice->plan.count;
    memcpy(choice->nodes, choice->plan.nodes, choice->count * sizeof *choice->nodes);
    for (size_t n = 0, at = 0; n < outlet->node_count && choice->count > 0; n++) {
        if (at < choice->count && choice->nodes[at] == n)
            at++;
        else
            rule_out(ws_arena(ws), plan, &choice->problem, n, count, choice);
    }
}

void promise_choose(struct ws *ws, const struct outlet *outlet, struct wish *wishes, size_t count, const struct spread *spread, struct choice *choice)
{
    struct plan plan = plan_new(ws, outlet, wishes, count, NULL);
    choose(ws, &plan, wishes, count, spread, choice);
}

void promise_choose_again(struct ws *ws, const struct outlet *outlet, const struct wish *wishes, size_t count, const struct holding *holding,
                          struct choice *choice)
{
    struct plan plan = plan_new(ws, outlet, wishes, count, holding);
    choose(ws, &plan, NULL, count, &(struct spread){ .more = INT64_MAX }, choice);
}

void promise_take(struct stock *stock, const struct outlet *outlet, const struct choice *choice, const struct wish *wish, struct holder holder)
{
    const bool together = outlet_keeps_together(outlet, wish->component_count);
    const size_t first = choice->first_item[wish - choice->wishes];
    for (size_t item = 0; item < (together ? 1 : wish->component_count); item++)
        for (size_t n = 0; n < outlet->node_count; n++) {
            int64_t pieces = choice->plan.pieces[(first + item) * outlet->node_count + n];
            for (size_t c = together ? 0 : item; pieces > 0 && c < (together ? wish->component_count : item + 1); c++) {
                holder.part = (int64_t)c + 1;
                outlet_take(stock, outlet, n, wish->components[c].sku, &holder, pieces * (together ? wish->components[c].quantity : 1));
            }
        }
}
