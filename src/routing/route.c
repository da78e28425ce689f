/* src/routing/route.c: how the nodes of an order are chosen.
 * A set of nodes is good when it can give all that is asked. The sets are looked through by size: at each step some column of the stock is
 * still short, so one of the nodes that have it must be in the set; a node that was tried stays out of what is tried after it, so each set
 * is met once. What a set costs at least, by its nodes' cheapest parcels, ends a branch that cannot be better than the best so far. Inside a set
 * the pieces are shared out from the first node on, as much as it has; where carriage depends on weight the other ways are tried too.
 * Every look at a column or a node is a step. When they are used up the best so far counts, improved by dropping and exchanging nodes,
 * and the plan says that it is not proved. Integers only, nothing is kept, no clock: the same question gets the same answer. */
#include "routing/route.h"
#include "base/text.h"
#include <string.h>

#define DAY_US INT64_C(86400000000)
#define COST_MAX INT64_C(1000000000000000) /* sums stay far below 63 bits */
#define SHARE_DEPTH_MAX 600                /* items times nodes of a set whose pieces are shared out in more than one way */
#define SHARE_STEPS 3000                   /* of one set */
#define SETS_OF_COST_MAX 12                /* candidates of which every set is tried where cost goes before parcels */

struct search {
    const struct route_problem *p;
    struct arena *arena;
    int64_t *need;      /* [column] */
    int64_t *most;      /* [column]: what the best single candidate has of it, no more than need */
    int64_t *least;     /* [node]: what a parcel from there costs at least */
    size_t *candidates; /* nodes that have anything of what is asked */
    size_t candidate_count;
    bool *banned;  /* [node] */
    int64_t *have; /* [column]: of the set */
    int64_t steps;
    size_t *tried; /* banned nodes, the last ones first to be let in again */
    size_t *from;  /* what is improved */
    size_t tried_count;
    bool plain;       /* carriage does not depend on weight: any way to share out will do */
    bool at_a_glance; /* only the first way to share out is tried: a good plan, before all ways are */
    bool unproved;    /* some set was not tried in all ways */

    size_t *set;              /* unordered while it grows */
    size_t count, size, base; /* the first `base` ship anyway: they stay in it */
    size_t *sorted, *used;    /* the set, ascending behind those that ship anyway; those of it that give anything */
    int64_t *left;            /* [place in sorted * column_count + column] while pieces are shared out */
    int64_t *share;           /* [item * count + place] */
    int64_t *weight, *given;  /* [place] */
    int64_t share_steps;
    bool shared;

    bool found;
    struct route_terms terms;
    size_t *best;
    size_t best_count;
    int64_t *best_share; /* [item * best_count + place] */
};

/* ---- prices ---- */

static int64_t bounded(__int128 value)
{
    return value > COST_MAX ? COST_MAX : (int64_t)value;
}

static size_t step_of(const struct route_node *node, int64_t weight_g)
{
    size_t i = 0;
    while (i + 1 < node->step_count && weight_g > node->steps[i].up_to_g)
        i++;
    return i;
}

int64_t route_price(const struct route_node *node, int64_t weight_g)
{
    if (node->step_count == 0)
        return 0;
    const struct route_step *last = &node->steps[node->step_count - 1];
    if (weight_g <= last->up_to_g)
        return node->steps[step_of(node, weight_g)].price;
    int64_t rest = weight_g % last->up_to_g;
    return bounded((__int128)(weight_g / last->up_to_g) * last->price + (rest == 0 ? 0 : node->steps[step_of(node, rest)].price));
}

/* No parcel from there that weighs as much or more is cheaper. */
static int64_t least_of_weight(const struct search *s, size_t node, int64_t weight_g)
{
    const struct route_node *n = &s->p->nodes[node];
    if (n->step_count == 0)
        return 0;
    const struct route_step *last = &n->steps[n->step_count - 1];
    int64_t least = INT64_MAX;
    int64_t rest = weight_g <= last->up_to_g ? weight_g : weight_g % last->up_to_g;
    for (size_t i = step_of(n, rest); i < n->step_count; i++)
        least = min_i64(least, n->steps[i].price);
    if (weight_g <= last->up_to_g)
        return least;
    return bounded((__int128)(weight_g / last->up_to_g) * last->price + (rest == 0 ? 0 : least));
}

/* ---- comparing ---- */

static int64_t term_of(const struct route_terms *terms, size_t i)
{
    const int64_t all[ROUTE_TERM_COUNT] = {
#define ROUTE_VALUE(name) [ROUTE_##name] = terms->name,
        ROUTE_TERMS(ROUTE_VALUE)
#undef ROUTE_VALUE
    };
    return i == ROUTE_stock ? -all[i] : all[i];
}

enum route_term route_compare(const struct route_problem *problem, const struct route_terms *left, const struct route_terms *right, bool *better)
{
    for (size_t i = 0; i < ROUTE_TERM_COUNT; i++) {
        size_t term = problem->cost_first && i <= ROUTE_cost ? ROUTE_cost - i : i;
        int64_t a = term_of(left, term), b = term_of(right, term);
        if (a == b)
            continue;
        *better = a < b;
        return (enum route_term)term;
    }
    *better = false;
    return ROUTE_TERM_COUNT;
}

/* Of equal plans the one of the first nodes. */
static bool set_comes_first(const size_t *left, size_t left_count, const size_t *right, size_t right_count)
{
    for (size_t i = 0; i < left_count && i < right_count; i++)
        if (left[i] != right[i])
            return left[i] < right[i];
    return left_count < right_count;
}

/* ---- what a plan comes to ---- */

static int64_t stock_at(const struct search *s, size_t node, size_t column)
{
    return s->p->stock[node * s->p->column_count + column];
}

/* Where some node ships anyway, no parcel is the first. */
static __int128 split_of(const struct route_problem *p, int64_t shipments)
{
    bool anyway = false;
    for (size_t n = 0; n < p->node_count && p->split_penalty > 0 && !anyway; n++)
        anyway = p->nodes[n].used;
    return (__int128)p->split_penalty * max_i64(0, shipments - !anyway);
}

/* Of the places that give something; weights stand in s->weight. */
static struct route_terms terms_of(const struct search *s)
{
    const struct route_problem *p = s->p;
    struct route_terms t = { 0 };
    for (size_t i = 0; i < s->count; i++) {
        const struct route_node *node = &p->nodes[s->sorted[i]];
        if (s->given[i] == 0)
            continue;
        t.shipments += !node->used;
        t.carriage = bounded((__int128)t.carriage + route_price(node, s->weight[i]));
        t.handling = bounded((__int128)t.handling + (node->used ? 0 : node->handling));
        t.late_us = max_i64(t.late_us, node->late_us);
        t.arrives_at = max_i64(t.arrives_at, node->arrives_at);
        t.full += node->full;
        t.priority += node->used ? 0 : node->priority;
        for (size_t c = 0; c < p->column_count && !node->used; c++)
            t.stock += stock_at(s, s->sorted[i], c);
    }
    t.split = bounded(split_of(p, t.shipments));
    t.lateness = bounded((__int128)p->late_per_day * ((t.late_us + DAY_US - 1) / DAY_US));
    t.cost = bounded((__int128)t.carriage + t.handling + t.split + t.lateness);
    return t;
}

static void keep_if_better(struct search *s)
{
    struct route_terms terms = terms_of(s);
    size_t count = 0;
    if (s->p->bounded && terms.shipments > s->p->shipments_max)
        return;
    for (size_t i = 0; i < s->count; i++)
        if (s->given[i] > 0)
            s->used[count++] = s->sorted[i];
    bool better = !s->found;
    if (s->found && route_compare(s->p, &terms, &s->terms, &better) == ROUTE_TERM_COUNT)
        better = set_comes_first(s->used, count, s->best, s->best_count);
    if (!better)
        return;
    s->found = true;
    s->terms = terms;
    s->best_count = count;
    memcpy(s->best, s->used, count * sizeof *s->used);
    for (size_t i = 0; i < s->p->item_count; i++)
        for (size_t k = 0, place = 0; k < s->count; k++)
            if (s->given[k] > 0)
                s->best_share[i * count + place++] = s->share[i * s->count + k];
}

/* ---- sharing out inside a set ---- */

static int64_t buildable(const struct search *s, const struct route_item *item, size_t place)
{
    int64_t pieces = item->pieces;
    for (size_t i = 0; i < item->part_count; i++)
        pieces = min_i64(pieces, s->left[place * s->p->column_count + item->parts[i].column] / item->parts[i].units);
    return pieces;
}

static void put(struct search *s, size_t item, size_t place, int64_t pieces)
{
    const struct route_item *it = &s->p->items[item];
    for (size_t i = 0; i < it->part_count; i++)
        s->left[place * s->p->column_count + it->parts[i].column] -= pieces * it->parts[i].units;
    s->share[item * s->count + place] += pieces;
    s->given[place] += pieces;
    s->weight[place] = (int64_t)((__int128)s->weight[place] + (__int128)pieces * it->weight_g);
}

/* No way to share out the rest costs less than that. */
static bool can_be_better(const struct search *s)
{
    const struct route_problem *p = s->p;
    __int128 cost = 0;
    int64_t shipments = 0, late_us = 0;
    if (!s->found)
        return true;
    for (size_t i = 0; i < s->count; i++) {
        const struct route_node *node = &p->nodes[s->sorted[i]];
        if (s->given[i] == 0)
            continue;
        shipments += !node->used;
        late_us = max_i64(late_us, node->late_us);
        cost += least_of_weight(s, s->sorted[i], s->weight[i]) + (node->used ? 0 : node->handling);
    }
    cost += split_of(p, shipments) + (__int128)p->late_per_day * ((late_us + DAY_US - 1) / DAY_US);
    if (!p->cost_first && shipments != s->terms.shipments)
        return shipments < s->terms.shipments;
    return cost <= s->terms.cost;
}

/* The rest of an item from this place on, then the next items. */
static void share_out(struct search *s, size_t item, size_t place, int64_t rest)
{
    const struct route_problem *p = s->p;
    while (item < p->item_count && rest == 0) {
        item++;
        place = 0;
        rest = item < p->item_count ? p->items[item].pieces : 0;
    }
    if (item == p->item_count) {
        s->shared = true;
        keep_if_better(s);
        return;
    }
    if (place == s->count)
        return;
    int64_t most = min_i64(rest, buildable(s, &p->items[item], place)), after = 0;
    for (size_t k = place + 1; k < s->count && after < rest; k++)
        after += buildable(s, &p->items[item], k);
    for (int64_t pieces = most; pieces >= 0 && pieces + after >= rest && s->share_steps > 0 && s->steps > 0; pieces--) {
        s->share_steps--;
        s->steps -= 4 + 2 * (int64_t)s->count;
        put(s, item, place, pieces);
        if (can_be_better(s))
            share_out(s, item, place + 1, rest - pieces);
        put(s, item, place, -pieces);
        if (s->plain && s->shared)
            return;
    }
}

/* From the first node on as much as it has. False: it does not come out even, though another way might. */
static bool share_greedily(struct search *s)
{
    const struct route_problem *p = s->p;
    for (size_t i = 0; i < p->item_count; i++) {
        int64_t rest = p->items[i].pieces;
        for (size_t k = 0; k < s->count && rest > 0; k++) {
            int64_t here = min_i64(rest, buildable(s, &p->items[i], k));
            put(s, i, k, here);
            rest -= here;
        }
        if (rest > 0)
            return false;
    }
    return true;
}

static void share_begin(struct search *s)
{
    const struct route_problem *p = s->p;
    for (size_t i = 0; i < s->count; i++) { /* few: sorted as they come; who ships anyway gives first */
        size_t k = i;
        for (; k > (i < s->base ? 0 : s->base) && s->sorted[k - 1] > s->set[i]; k--)
            s->sorted[k] = s->sorted[k - 1];
        s->sorted[k] = s->set[i];
    }
    for (size_t k = 0; k < s->count; k++)
        memcpy(s->left + k * p->column_count, p->stock + s->sorted[k] * p->column_count, p->column_count * sizeof *p->stock);
    memset(s->share, 0, p->item_count * s->count * sizeof *s->share);
    memset(s->given, 0, s->count * sizeof *s->given);
    memset(s->weight, 0, s->count * sizeof *s->weight);
    s->steps -= (int64_t)(s->count * (p->column_count + p->item_count)) / 2 + 8;
}

/* Whether the set can give all; what is best of it is kept. */
static bool try_set(struct search *s)
{
    share_begin(s);
    s->shared = share_greedily(s);
    if (s->shared)
        keep_if_better(s);
    if ((s->plain && s->shared) || s->count == 1)
        return s->shared;
    bool greedily = s->shared;
    if (s->at_a_glance)
        return greedily;
    if (s->count * s->p->item_count > SHARE_DEPTH_MAX) {
        s->unproved = true;
        return greedily;
    }
    share_begin(s);
    s->share_steps = SHARE_STEPS;
    s->shared = false;
    share_out(s, 0, 0, s->p->items[0].pieces);
    s->unproved = s->unproved || s->share_steps <= 0;
    return greedily || s->shared;
}

/* ---- looking through sets ---- */

static void add(struct search *s, size_t node)
{
    s->set[s->count++] = node;
    s->steps -= (int64_t)s->p->column_count / 4 + 1;
    for (size_t c = 0; c < s->p->column_count; c++)
        s->have[c] += min_i64(stock_at(s, node, c), s->need[c]);
}

static void take_back(struct search *s)
{
    size_t node = s->set[--s->count];
    for (size_t c = 0; c < s->p->column_count; c++)
        s->have[c] -= min_i64(stock_at(s, node, c), s->need[c]);
}

static bool covers(const struct search *s)
{
    for (size_t c = 0; c < s->p->column_count; c++)
        if (s->have[c] < s->need[c])
            return false;
    return true;
}

static bool covers_with(const struct search *s, size_t node)
{
    for (size_t c = 0; c < s->p->column_count; c++)
        if (s->have[c] + min_i64(stock_at(s, node, c), s->need[c]) < s->need[c])
            return false;
    return true;
}

/* Whether so many more nodes could give what is short, were each the best of all. */
static bool is_in_reach(struct search *s, size_t more)
{
    for (size_t c = 0; c < s->p->column_count; c++)
        if (s->have[c] < s->need[c] && (__int128)s->most[c] * (int64_t)more < s->need[c] - s->have[c])
            return false;
    s->steps -= (int64_t)s->p->column_count / 4 + 1;
    return true;
}

/* Sets of this size cost at least so much: the chosen nodes' cheapest parcels. */
static bool is_worth_it(const struct search *s)
{
    __int128 cost = 0;
    int64_t late_us = 0;
    for (size_t i = s->base; i < s->count; i++) {
        cost += s->least[s->set[i]];
        late_us = max_i64(late_us, s->p->nodes[s->set[i]].late_us);
    }
    cost += split_of(s->p, (int64_t)(s->count - s->base)) + (__int128)s->p->late_per_day * ((late_us + DAY_US - 1) / DAY_US);
    return !s->found || cost <= s->terms.cost;
}

/* The column that is short and that the fewest nodes have; NULL columns: none is short. */
static size_t scarcest(struct search *s)
{
    size_t best = s->p->column_count, fewest = SIZE_MAX;
    for (size_t c = 0; c < s->p->column_count; c++) {
        size_t count = 0;
        if (s->have[c] >= s->need[c])
            continue;
        for (size_t i = 0; i < s->candidate_count; i++)
            count += !s->banned[s->candidates[i]] && stock_at(s, s->candidates[i], c) > 0;
        s->steps -= (int64_t)s->candidate_count / 8 + 1;
        if (count < fewest) {
            fewest = count;
            best = c;
        }
    }
    return best;
}

/* All sets of s->size nodes that hold what was chosen so far and nothing that is banned. */
static void sets_of_size(struct search *s)
{
    if (s->steps <= 0 || !is_worth_it(s) || !is_in_reach(s, s->size - s->count))
        return;
    if (s->count > 0 && covers(s) && try_set(s) && !s->p->cost_first)
        return; /* more nodes than that do not come into it */
    if (s->count == s->size)
        return;
    const bool last = s->count + 1 == s->size; /* most sets end here, at the first column that stays short */
    const size_t column = last ? s->p->column_count : scarcest(s);
    const size_t before = s->tried_count;
    for (size_t i = 0; i < s->candidate_count && s->steps > 0; i++) {
        size_t node = s->candidates[i];
        if (s->banned[node] || (column < s->p->column_count && stock_at(s, node, column) == 0))
            continue;
        s->banned[node] = true;
        s->tried[s->tried_count++] = node;
        s->steps--;
        if (last && !covers_with(s, node))
            continue;
        add(s, node);
        sets_of_size(s);
        take_back(s);
    }
    while (s->tried_count > before)
        s->banned[s->tried[--s->tried_count]] = false;
}

/* Where cost goes first, more parcels may be cheaper: every set of few candidates. */
static void every_set(struct search *s, size_t from)
{
    for (size_t i = from; i < s->candidate_count && s->steps > 0; i++) {
        if (s->banned[s->candidates[i]])
            continue;
        add(s, s->candidates[i]);
        if (is_worth_it(s)) {
            if (covers(s))
                (void)try_set(s);
            every_set(s, i + 1);
        }
        take_back(s);
    }
}

/* ---- too many to look through ---- */

/* How much of what is short a node would give: parts per million of each column, summed. */
static int64_t gain_of(struct search *s, size_t node)
{
    int64_t gain = 0;
    for (size_t c = 0; c < s->p->column_count; c++)
        if (s->have[c] < s->need[c]) {
            int64_t missing = s->need[c] - s->have[c];
            gain += (int64_t)((__int128)min_i64(stock_at(s, node, c), missing) * 1000000 / missing);
        }
    return gain;
}

static bool is_in_set(const struct search *s, size_t node)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->set[i] == node)
            return true;
    return false;
}

/* Where no column is short and the set still cannot: any node more. */
static bool add_best(struct search *s)
{
    int64_t best_gain = -1;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < s->candidate_count; i++) {
        size_t node = s->candidates[i];
        if (is_in_set(s, node))
            continue;
        int64_t gain = gain_of(s, node);
        s->steps -= (int64_t)s->p->column_count / 2 + 1;
        if (best == SIZE_MAX || gain > best_gain || (gain == best_gain && s->least[node] < s->least[best])) {
            best_gain = gain;
            best = node;
        }
    }
    if (best != SIZE_MAX)
        add(s, best);
    return best != SIZE_MAX;
}

/* No time to choose any more. */
static bool add_all(struct search *s)
{
    const size_t before = s->count;
    for (size_t i = 0; i < s->candidate_count; i++)
        if (!is_in_set(s, s->candidates[i]))
            add(s, s->candidates[i]);
    return s->count > before;
}

static void set_clear(struct search *s)
{
    while (s->count > s->base)
        take_back(s);
}

static void cover_greedily(struct search *s)
{
    set_clear(s);
    bool done = s->base > 0 && covers(s) && try_set(s);
    while (!done && (s->steps > 0 ? add_best(s) : add_all(s)))
        done = covers(s) && try_set(s);
    set_clear(s);
}

/* The best without each of its nodes, and with each exchanged for another one, until nothing gets better. */
static void improve(struct search *s)
{
    for (bool better = true; better && s->steps > 0;) {
        struct route_terms before = s->terms;
        size_t *from = s->from, count = 0;
        for (size_t i = 0; i < s->best_count; i++)
            if (!s->p->nodes[s->best[i]].used)
                from[count++] = s->best[i];
        for (size_t out = 0; out <= count && s->steps > 0; out++) { /* the last time none goes */
            for (size_t i = 0; i <= s->candidate_count && s->steps > 0; i++) {
                set_clear(s);
                for (size_t k = 0; k < count; k++)
                    if (k != out)
                        add(s, from[k]);
                if (i > 0 && is_in_set(s, s->candidates[i - 1]))
                    continue;
                if (i > 0)
                    add(s, s->candidates[i - 1]);
                s->steps -= (int64_t)(s->p->column_count * count) / 4 + 1;
                if (s->count > 0 && covers(s) && is_worth_it(s))
                    (void)try_set(s);
            }
        }
        set_clear(s);
        (void)route_compare(s->p, &s->terms, &before, &better);
    }
}

/* ---- the whole ---- */

static bool is_plain(const struct route_problem *p)
{
    for (size_t n = 0; n < p->node_count; n++)
        if (p->nodes[n].step_count > 1 || (p->nodes[n].step_count == 1 && p->nodes[n].steps[0].price > 0))
            return false;
    for (size_t n = 0; n < p->node_count; n++) /* of those that ship anyway some may give nothing, and which matters then */
        if (p->nodes[n].used && (p->nodes[n].late_us > 0 || p->nodes[n].arrives_at > 0 || p->nodes[n].full))
            return false;
    return !p->cost_first;
}

/* Sums what is asked; false: nothing is. */
static bool search_begin(struct search *s)
{
    const struct route_problem *p = s->p;
    bool asked = false;
    s->need = ARENA_ARRAY(s->arena, int64_t, p->column_count + 1);
    s->most = ARENA_ARRAY(s->arena, int64_t, p->column_count + 1);
    s->have = ARENA_ARRAY(s->arena, int64_t, p->column_count + 1);
    s->least = ARENA_ARRAY(s->arena, int64_t, p->node_count + 1);
    s->candidates = ARENA_ARRAY(s->arena, size_t, p->node_count + 1);
    s->banned = ARENA_ARRAY(s->arena, bool, p->node_count + 1);
    s->set = ARENA_ARRAY(s->arena, size_t, p->node_count + 1);
    s->sorted = ARENA_ARRAY(s->arena, size_t, p->node_count + 1);
    s->used = ARENA_ARRAY(s->arena, size_t, p->node_count + 1);
    s->tried = ARENA_ARRAY(s->arena, size_t, p->node_count + 1);
    s->from = ARENA_ARRAY(s->arena, size_t, p->node_count + 1);
    s->best = ARENA_ARRAY(s->arena, size_t, p->node_count + 1);
    s->weight = ARENA_ARRAY(s->arena, int64_t, p->node_count + 1);
    s->given = ARENA_ARRAY(s->arena, int64_t, p->node_count + 1);
    s->plain = is_plain(p);
    s->steps = p->steps == 0 ? ROUTE_STEPS : p->steps;
    for (size_t i = 0; i < p->item_count; i++) {
        asked = asked || p->items[i].pieces > 0;
        for (size_t k = 0; k < p->items[i].part_count; k++)
            s->need[p->items[i].parts[k].column] += p->items[i].pieces * p->items[i].parts[k].units;
    }
    for (size_t n = 0; n < p->node_count; n++) {
        bool has = false;
        for (size_t c = 0; c < p->column_count; c++) {
            int64_t units = min_i64(stock_at(s, n, c), s->need[c]);
            s->most[c] = max_i64(s->most[c], units);
            has = has || units > 0;
        }
        s->least[n] = p->nodes[n].handling + least_of_weight(s, n, 0);
        if (has)
            s->candidates[s->candidate_count++] = n;
    }
    s->left = ARENA_ARRAY(s->arena, int64_t, s->candidate_count * p->column_count + 1);
    s->share = ARENA_ARRAY(s->arena, int64_t, s->candidate_count * p->item_count + 1);
    s->best_share = ARENA_ARRAY(s->arena, int64_t, s->candidate_count * p->item_count + 1);
    return asked;
}

static void plan_of(struct search *s, struct route_plan *plan)
{
    const struct route_problem *p = s->p;
    plan->nodes = s->used;
    plan->terms = s->terms;
    plan->exact = s->steps > 0 && !s->unproved;
    plan->pieces = ARENA_ARRAY(s->arena, int64_t, p->item_count * p->node_count + 1);
    for (size_t i = 0; i < p->item_count; i++)
        for (size_t k = 0; k < s->best_count; k++)
            plan->pieces[i * p->node_count + s->best[k]] = s->best_share[i * s->best_count + k];
    for (size_t n = 0; n < p->node_count; n++) {
        bool gives = false;
        for (size_t i = 0; i < p->item_count && !gives; i++)
            gives = plan->pieces[i * p->node_count + n] > 0;
        if (gives)
            plan->nodes[plan->count++] = n;
    }
}

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool may_be_so_large(const struct search *s)
{
    return !s->p->bounded || (int64_t)(s->size - s->base) <= s->p->shipments_max;
}

bool route_choose(struct arena *arena, const struct route_problem *problem, struct route_plan *plan)
{
    struct search s = { .p = problem, .arena = arena };
    *plan = (struct route_plan){ .exact = true };
    if (!search_begin(&s)) {
        plan_of(&s, plan);
        return true;
    }
    for (size_t i = 0; i < s.candidate_count; i++)
        if (problem->nodes[s.candidates[i]].used) {
            s.banned[s.candidates[i]] = true;
            add(&s, s.candidates[i]);
        }
    s.base = s.count;
    if (problem->cost_first && s.candidate_count <= SETS_OF_COST_MAX) {
        if (s.base > 0 && covers(&s))
            (void)try_set(&s);
        every_set(&s, 0);
    } else
        for (s.size = max_size(s.base, 1); s.size <= s.candidate_count && may_be_so_large(&s) && s.steps > 0 && !s.found; s.size++) {
            s.at_a_glance = !s.plain && s.size > 1;
            if (s.at_a_glance)
                sets_of_size(&s);
            s.at_a_glance = false;
            sets_of_size(&s);
        }
    if (s.steps <= 0 || (problem->cost_first && s.candidate_count > SETS_OF_COST_MAX)) {
        s.steps = (problem->steps == 0 ? ROUTE_STEPS : problem->steps) / 2;
        s.at_a_glance = false;
        cover_greedily(&s);
        improve(&s);
        s.steps = 0;
    }
    plan_of(&s, plan);
    return s.found;
}

bool route_alone(struct arena *arena, const struct route_problem *problem, size_t node, struct route_plan *plan)
{
    struct search s = { .p = problem, .arena = arena };
    *plan = (struct route_plan){ .exact = true };
    (void)search_begin(&s);
    add(&s, node);
    if (s.candidate_count > 0 && covers(&s))
        (void)try_set(&s);
    plan_of(&s, plan);
    return s.found;
}

struct route_terms route_evaluate(struct arena *arena, const struct route_problem *problem, const int64_t *pieces)
{
    struct search s = { .p = problem, .arena = arena };
    (void)search_begin(&s);
    for (size_t n = 0; n < problem->node_count; n++) {
        s.sorted[n] = n;
        for (size_t i = 0; i < problem->item_count; i++) {
            s.given[n] += pieces[i * problem->node_count + n];
            s.weight[n] += pieces[i * problem->node_count + n] * problem->items[i].weight_g;
        }
    }
    s.count = problem->node_count;
    return terms_of(&s);
}
