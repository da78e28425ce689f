/* From which nodes an order ships: cases in words, and a brute force that tries every set of nodes and every way to share out. */
#include "routing/route.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
// after the four above
#include <cmocka.h>

#define NODES_MAX 6
#define COLUMNS_MAX 4
#define ITEMS_MAX 4
#define DAY INT64_C(86400000000)

/* A whole question in one place. */
struct question {
    struct route_node nodes[256];
    struct route_step steps[256][3];
    int64_t stock[256 * 32];
    struct route_part parts[32][COLUMNS_MAX];
    struct route_item items[32];
    struct route_problem p;
};

static void question_wire(struct question *q)
{
    q->p.nodes = q->nodes;
    q->p.stock = q->stock;
    q->p.items = q->items;
    for (size_t n = 0; n < q->p.node_count; n++)
        q->nodes[n].steps = q->steps[n];
    for (size_t i = 0; i < q->p.item_count; i++)
        q->items[i].parts = q->parts[i];
}

/* ---- brute force: every node gets every number of pieces of every item ---- */

struct brute {
    const struct route_problem *p;
    int64_t pieces[ITEMS_MAX][NODES_MAX], left[NODES_MAX * COLUMNS_MAX];
    bool found;
    struct route_terms best;
};

static int64_t price(const struct route_node *node, int64_t weight)
{
    int64_t sum = 0;
    if (node->step_count == 0)
        return 0;
    const struct route_step *last = &node->steps[node->step_count - 1];
    for (; weight > last->up_to_g; weight -= last->up_to_g)
        sum += last->price;
    for (size_t i = 0; i < node->step_count; i++)
        if (weight <= node->steps[i].up_to_g)
            return sum + node->steps[i].price;
    return -1;
}

/* The terms of what is shared out, from the words of the header only. */
static struct route_terms terms_of(const struct route_problem *p, const int64_t *pieces, size_t stride)
{
    struct route_terms t = { 0 };
    bool anyway = false;
    for (size_t n = 0; n < p->node_count; n++)
        anyway = anyway || p->nodes[n].used;
    for (size_t n = 0; n < p->node_count; n++) {
        int64_t weight = 0, count = 0;
        for (size_t i = 0; i < p->item_count; i++) {
            count += pieces[i * stride + n];
            weight += pieces[i * stride + n] * p->items[i].weight_g;
        }
        if (count == 0)
            continue;
        const struct route_node *node = &p->nodes[n];
        t.shipments += !node->used;
        t.cost += price(node, weight) + (node->used ? 0 : node->handling + (t.shipments > 1 || anyway ? p->split_penalty : 0));
        t.late_us = max_i64(t.late_us, node->late_us);
        t.arrives_at = max_i64(t.arrives_at, node->arrives_at);
        t.full += node->full;
        t.priority += node->used ? 0 : node->priority;
        for (size_t c = 0; c < p->column_count && !node->used; c++)
            t.stock += p->stock[n * p->column_count + c];
    }
    t.cost += (t.late_us + DAY - 1) / DAY * p->late_per_day;
    return t;
}

static void try_all(struct brute *b, size_t item, size_t node, int64_t rest)
{
    const struct route_problem *p = b->p;
    if (node == p->node_count) {
        if (rest > 0)
            return;
        if (item + 1 < p->item_count) {
            try_all(b, item + 1, 0, p->items[item + 1].pieces);
            return;
        }
        struct route_terms terms = terms_of(p, b->pieces[0], NODES_MAX);
        if (p->bounded && terms.shipments > p->shipments_max)
            return;
        bool better = !b->found;
        if (b->found)
            (void)route_compare(p, &terms, &b->best, &better);
        if (better)
            b->best = terms;
        b->found = true;
        return;
    }
    const struct route_item *it = &p->items[item];
    for (int64_t pieces = 0; pieces <= rest; pieces++) {
        bool fits = true;
        for (size_t k = 0; k < it->part_count; k++)
            fits = fits && b->left[node * p->column_count + it->parts[k].column] >= pieces * it->parts[k].units;
        if (!fits)
            break;
        for (size_t k = 0; k < it->part_count; k++)
            b->left[node * p->column_count + it->parts[k].column] -= pieces * it->parts[k].units;
        b->pieces[item][node] = pieces;
        try_all(b, item, node + 1, rest - pieces);
        b->pieces[item][node] = 0;
        for (size_t k = 0; k < it->part_count; k++)
            b->left[node * p->column_count + it->parts[k].column] += pieces * it->parts[k].units;
    }
}

/* What a plan says must be there, add up, and come to the terms that it tells. */
static void assert_plan_holds(struct arena *arena, const struct route_problem *p, const struct route_plan *plan)
{
    for (size_t i = 0; i < p->item_count; i++) {
        int64_t sum = 0;
        for (size_t n = 0; n < p->node_count; n++)
            sum += plan->pieces[i * p->node_count + n];
        assert_int_equal(sum, p->items[i].pieces);
    }
    for (size_t n = 0; n < p->node_count; n++)
        for (size_t c = 0; c < p->column_count; c++) {
            int64_t taken = 0;
            for (size_t i = 0; i < p->item_count; i++)
                for (size_t k = 0; k < p->items[i].part_count; k++)
                    if (p->items[i].parts[k].column == c)
                        taken += plan->pieces[i * p->node_count + n] * p->items[i].parts[k].units;
            assert_true(taken <= p->stock[n * p->column_count + c]);
        }
    struct route_terms terms = terms_of(p, plan->pieces, p->node_count);
    bool better;
    size_t parcels = 0;
    for (size_t i = 0; i < plan->count; i++)
        parcels += !p->nodes[plan->nodes[i]].used;
    assert_int_equal(terms.shipments, parcels);
    assert_int_equal(route_compare(p, &terms, &plan->terms, &better), ROUTE_TERM_COUNT);
    terms = route_evaluate(arena, p, plan->pieces);
    assert_memory_equal(&terms, &plan->terms, sizeof terms);
    assert_int_equal(plan->terms.cost, plan->terms.carriage + plan->terms.handling + plan->terms.split + plan->terms.lateness);
}

static void compare(struct arena *arena, struct question *q, const char *says, int64_t number)
{
    struct brute b = { .p = &q->p };
    struct route_plan plan;
    bool better = false, nothing = true;
    question_wire(q);
    memcpy(b.left, q->stock, q->p.node_count * q->p.column_count * sizeof *q->stock);
    for (size_t i = 0; i < q->p.item_count; i++)
        nothing = nothing && q->items[i].pieces == 0;
    try_all(&b, 0, 0, q->items[0].pieces);
    bool found = route_choose(arena, &q->p, &plan);
    if (found != (b.found || nothing))
        fail_msg("%s %ld: found %d, there is one: %d", says, (long)number, found, b.found);
    if (!found)
        return;
    assert_plan_holds(arena, &q->p, &plan);
    enum route_term term = route_compare(&q->p, &b.best, &plan.terms, &better);
    if (term != ROUTE_TERM_COUNT)
        fail_msg("%s %ld: term %d differs; %s", says, (long)number, (int)term,
                 better ? "there is a better plan" : "it says that it is better than all");
    if (!plan.exact)
        fail_msg("%s %ld: so small a question is not proved", says, (long)number);
}

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}
static int64_t up_to(uint64_t *seed, int64_t most)
{
    return (int64_t)(next(seed) >> 11) % (most + 1);
}

/* Three nodes, two SKUs: every stock of 0 to 2, every wish of 0 to 2, carriage that rises or does not, both orders of terms. */
static void all_small_cases(void **state)
{
    struct arena *arena = *state;
    static struct question q;
    int64_t cases = 0;
    for (int64_t code = 0; code < INT64_C(729) * 9 * 2 * 2; code++) {
        int64_t rest = code;
        memset(&q, 0, sizeof q);
        q.p = (struct route_problem){ .node_count = 3, .column_count = 2, .item_count = 2 };
        for (size_t i = 0; i < 6; i++, rest /= 3)
            q.stock[i] = rest % 3;
        for (size_t i = 0; i < 2; i++, rest /= 3) {
            q.parts[i][0] = (struct route_part){ i, 1 };
            q.items[i] = (struct route_item){ .part_count = 1, .pieces = rest % 3, .weight_g = 400 + 300 * (int64_t)i };
        }
        for (size_t n = 0; n < 3; n++) {
            q.nodes[n] = (struct route_node){ .priority = 1 + (int64_t)(n % 2), .step_count = rest % 2 ? 2 : 0 };
            q.steps[n][0] = (struct route_step){ 500, 300 + 100 * (int64_t)n };
            q.steps[n][1] = (struct route_step){ 1000, 800 - 150 * (int64_t)n };
        }
        q.p.cost_first = rest / 2 % 2;
        q.p.split_penalty = q.p.cost_first ? 50 : 0;
        compare(arena, &q, "small case", code);
        arena_reset(arena);
        cases++;
    }
    printf("%ld small cases\n", (long)cases);
}

/* Up to five nodes and four lines, bundles that must not come apart among them, SKUs in two lines, late and full nodes. */
static void random_cases(void **state)
{
    struct arena *arena = *state;
    static struct question q;
    for (int64_t number = 1; number <= 40000; number++) {
        uint64_t seed = (uint64_t)number * 0x9e3779b97f4a7c15u;
        memset(&q, 0, sizeof q);
        q.p = (struct route_problem){ .node_count = 2 + (size_t)up_to(&seed, 3),
                                      .column_count = 1 + (size_t)up_to(&seed, 2),
                                      .item_count = 1 + (size_t)up_to(&seed, 2),
                                      .cost_first = up_to(&seed, 2) == 0,
                                      .split_penalty = up_to(&seed, 1) * 70,
                                      .late_per_day = up_to(&seed, 1) * 40,
                                      .bounded = up_to(&seed, 3) == 0,
                                      .shipments_max = up_to(&seed, 3) };
        for (size_t i = 0; i < q.p.node_count * q.p.column_count; i++)
            q.stock[i] = max_i64(0, up_to(&seed, 6) - 2);
        for (size_t i = 0; i < q.p.item_count; i++) {
            q.items[i] = (struct route_item){ .part_count = 1, .pieces = up_to(&seed, 3), .weight_g = up_to(&seed, 900) };
            q.parts[i][0] = (struct route_part){ (size_t)up_to(&seed, (int64_t)q.p.column_count - 1), 1 + up_to(&seed, 1) };
            if (q.p.column_count > 1 && up_to(&seed, 2) == 0) {
                q.items[i].part_count = 2;
                q.parts[i][1] = (struct route_part){ (q.parts[i][0].column + 1) % q.p.column_count, 1 };
            }
        }
        for (size_t n = 0; n < q.p.node_count; n++) {
            q.nodes[n] = (struct route_node){ .priority = 1 + up_to(&seed, 2),
                                              .handling = up_to(&seed, 3) * 50,
                                              .late_us = up_to(&seed, 2) * DAY / 2,
                                              .arrives_at = up_to(&seed, 3) * DAY,
                                              .full = up_to(&seed, 3) == 0,
                                              .used = up_to(&seed, 5) == 0,
                                              .step_count = (size_t)up_to(&seed, 3) };
            int64_t up = 0;
            for (size_t i = 0; i < 3; i++)
                q.steps[n][i] = (struct route_step){ up += 1 + up_to(&seed, 1500), up_to(&seed, 9) * 60 };
        }
        compare(arena, &q, "random case", number);
        arena_reset(arena);
    }
}

/* ---- in words ---- */

enum { LEJ, MUC, HAM };

static const struct {
    const char *says;
    int64_t stock[3][2]; /* of LAMP and DESK, which are asked once each */
    struct route_node nodes[3];
    bool cost_first;
    int64_t split_penalty, late_per_day;
    size_t chosen[3], count;
} words[] = {
    { "one node has all: it ships, though another one is nearer to the front",
      { { 1, 0 }, { 1, 1 }, { 0, 1 } },
      { { 1 }, { 9 }, { 1 } },
      .chosen = { MUC },
      1 },
    { "both have all: the first by priority", { { 1, 1 }, { 1, 1 } }, { { 2 }, { 1 }, { 1 } }, .chosen = { MUC }, 1 },
    { "equal priority: who has more stock", { { 1, 1 }, { 5, 5 } }, { { 1 }, { 1 }, { 1 } }, .chosen = { MUC }, 1 },
    { "all equal: the first", { { 1, 1 }, { 1, 1 } }, { { 1 }, { 1 }, { 1 } }, .chosen = { LEJ }, 1 },
    { "cheaper handling goes before priority",
      { { 1, 1 }, { 1, 1 } },
      { { 1, .handling = 200 }, { 9, .handling = 100 }, { 1 } },
      .chosen = { MUC },
      1 },
    { "a parcel more is never cheaper where parcels come first",
      { { 1, 0 }, { 0, 1 }, { 1, 1 } },
      { { 1 }, { 1 }, { 1, .handling = 999 } },
      .chosen = { HAM },
      1 },
    { "where cost comes first it may be",
      { { 1, 0 }, { 0, 1 }, { 1, 1 } },
      { { 1 }, { 1 }, { 1, .handling = 999 } },
      .cost_first = true,
      .chosen = { LEJ, MUC },
      2 },
    { "unless a split is dear",
      { { 1, 0 }, { 0, 1 }, { 1, 1 } },
      { { 1 }, { 1 }, { 1, .handling = 999 } },
      .cost_first = true,
      .split_penalty = 1000,
      .chosen = { HAM },
      1 },
    { "who is in time goes before priority", { { 1, 1 }, { 1, 1 } }, { { 1, .late_us = 1 }, { 9 }, { 1 } }, .chosen = { MUC }, 1 },
    { "a day late costs more than the handling",
      { { 1, 1 }, { 1, 1 } },
      { { 1, .late_us = 1 }, { 1, .handling = 300 }, { 1 } },
      .late_per_day = 500,
      .chosen = { MUC },
      1 },
    { "or less", { { 1, 1 }, { 1, 1 } }, { { 1, .late_us = 1 }, { 1, .handling = 300 }, { 1 } }, .late_per_day = 200, .chosen = { LEJ }, 1 },
    { "who has no capacity left today comes after who has", { { 1, 1 }, { 1, 1 } }, { { 1, .full = true }, { 9 }, { 1 } }, .chosen = { MUC }, 1 },
    { "nobody has all of both", { { 0, 0 }, { 1, 0 } }, { { 1 }, { 1 }, { 1 } }, .count = 0 },
};

static void one_case_at_a_time(void **state)
{
    struct arena *arena = *state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        static struct question q;
        struct route_plan plan;
        memset(&q, 0, sizeof q);
        q.p = (struct route_problem){ .node_count = 3,
                                      .column_count = 2,
                                      .item_count = 2,
                                      .cost_first = words[i].cost_first,
                                      .split_penalty = words[i].split_penalty,
                                      .late_per_day = words[i].late_per_day };
        memcpy(q.nodes, words[i].nodes, sizeof words[i].nodes);
        memcpy(q.stock, words[i].stock, sizeof words[i].stock);
        for (size_t k = 0; k < 2; k++) {
            q.parts[k][0] = (struct route_part){ k, 1 };
            q.items[k] = (struct route_item){ .part_count = 1, .pieces = 1 };
        }
        question_wire(&q);
        bool found = route_choose(arena, &q.p, &plan);
        bool as_said = found == (words[i].count > 0) && plan.count == words[i].count && plan.exact;
        for (size_t k = 0; as_said && k < plan.count; k++)
            as_said = plan.nodes[k] == words[i].chosen[k];
        if (!as_said)
            fail_msg("%s: %zu nodes, the first %zu", words[i].says, plan.count, plan.count == 0 ? 9 : plan.nodes[0]);
    }
}

static void a_parcel_is_priced_by_its_weight(void **state)
{
    static const struct route_step steps[] = { { 1000, 490 }, { 5000, 690 }, { 20000, 990 } };
    static const struct {
        int64_t weight, price;
    } cases[] = { { 0, 490 },     { 1, 490 },           { 1000, 490 },   { 1001, 690 },        { 5000, 690 },
                  { 20000, 990 }, { 20001, 990 + 490 }, { 40000, 1980 }, { 46000, 1980 + 990 } };
    const struct route_node node = { .steps = steps, .step_count = 3 }, free_of_charge = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (route_price(&node, cases[i].weight) != cases[i].price)
            fail_msg("%ld g: %ld", (long)cases[i].weight, (long)route_price(&node, cases[i].weight));
    assert_int_equal(route_price(&free_of_charge, 1000), 0);
    (void)state;
}

/* 200 nodes, 20 lines: too many sets. What comes out holds, is what few steps found, and nothing is claimed to be proved. */
static void many_nodes_are_bounded(void **state)
{
    struct arena *arena = *state;
    static struct question q;
    for (int64_t number = 1; number <= 50; number++) {
        uint64_t seed = (uint64_t)number * 0x9e3779b97f4a7c15u;
        struct route_plan plan;
        memset(&q, 0, sizeof q);
        q.p = (struct route_problem){ .node_count = 200, .column_count = 20, .item_count = 20 };
        for (size_t i = 0; i < 20; i++) {
            q.parts[i][0] = (struct route_part){ i, 1 };
            q.items[i] = (struct route_item){ .part_count = 1, .pieces = 1 + up_to(&seed, 3), .weight_g = up_to(&seed, 3000) };
        }
        for (size_t n = 0; n < 200; n++) {
            q.nodes[n] = (struct route_node){ .priority = 1 + up_to(&seed, 5), .handling = up_to(&seed, 5) * 50, .step_count = 3 };
            for (size_t i = 0; i < 3; i++)
                q.steps[n][i] = (struct route_step){ 1000 + 9000 * (int64_t)i, 300 + 200 * (int64_t)i + up_to(&seed, 90) };
            for (size_t c = 0; c < 20; c++)
                q.stock[n * 20 + c] = max_i64(0, up_to(&seed, 10) - 5);
        }
        question_wire(&q);
        assert_true(route_choose(arena, &q.p, &plan));
        assert_plan_holds(arena, &q.p, &plan);
        assert_true(plan.count <= 6);
        arena_reset(arena);
    }
}

/* With few steps it is the heuristic's plan: it holds, is never better than the proved one, and is the same each time. */
static void out_of_steps_it_still_ships(void **state)
{
    struct arena *arena = *state;
    static struct question q;
    int64_t as_good = 0, all = 0;
    for (int64_t number = 1; number <= 300; number++) {
        uint64_t seed = (uint64_t)number * 0x9e3779b97f4a7c15u;
        struct route_plan plan, proved, again;
        memset(&q, 0, sizeof q);
        q.p = (struct route_problem){ .node_count = 12, .column_count = 6, .item_count = 6 };
        for (size_t i = 0; i < 6; i++) {
            q.parts[i][0] = (struct route_part){ i, 1 };
            q.items[i] = (struct route_item){ .part_count = 1, .pieces = 1 + up_to(&seed, 2) };
        }
        for (size_t n = 0; n < 12; n++)
            q.nodes[n] = (struct route_node){ .priority = 1 + up_to(&seed, 5), .handling = up_to(&seed, 5) * 50 };
        for (size_t i = 0; i < 72; i++)
            q.stock[i] = max_i64(0, up_to(&seed, 6) - 3);
        question_wire(&q);
        q.p.steps = 0;
        if (!route_choose(arena, &q.p, &proved))
            continue;
        assert_true(proved.exact);
        q.p.steps = 400;
        assert_true(route_choose(arena, &q.p, &plan));
        assert_true(route_choose(arena, &q.p, &again));
        assert_plan_holds(arena, &q.p, &plan);
        bool better = false;
        as_good += route_compare(&q.p, &plan.terms, &proved.terms, &better) == ROUTE_TERM_COUNT;
        assert_false(better);
        assert_memory_equal(plan.pieces, again.pieces, 72 * sizeof *plan.pieces);
        all++;
        arena_reset(arena);
    }
    printf("400 steps: as good as proved in %ld of %ld\n", (long)as_good, (long)all);
    assert_true(all > 100);
}

static int begin(void **state)
{
    *state = arena_new((size_t)64 << 20);
    return *state == NULL;
}
static int end(void **state)
{
    arena_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_case_at_a_time, begin, end),
        cmocka_unit_test_setup_teardown(a_parcel_is_priced_by_its_weight, begin, end),
        cmocka_unit_test_setup_teardown(all_small_cases, begin, end),
        cmocka_unit_test_setup_teardown(random_cases, begin, end),
        cmocka_unit_test_setup_teardown(many_nodes_are_bounded, begin, end),
        cmocka_unit_test_setup_teardown(out_of_steps_it_still_ships, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
