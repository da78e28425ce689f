/* src/routing/route.h: from which nodes an order ships. Pure: what each node could give and what a parcel from there costs comes in, a plan
 * goes out. Quantities are pieces and units, weights grams, prices minor units of the unit's currency, times microseconds.
 * Design: docs/design/routing.md. */
#ifndef MILLRACE_ROUTING_ROUTE_H
#define MILLRACE_ROUTING_ROUTE_H

#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Units of one column of the stock in one piece of an item. */
struct route_part {
    size_t column;
    int64_t units;
};
/* What must be shipped: pieces that each come from one node as a whole. What may come apart is an item for each of its parts. */
struct route_item {
    const struct route_part *parts;
    size_t part_count;
    int64_t pieces;   /* 0: nothing is asked */
    int64_t weight_g; /* of a piece */
};

/* What a parcel costs up to a weight; above the last step it is several parcels of that weight and one of the rest. */
struct route_step {
    int64_t up_to_g, price; /* ascending, from 1 g */
};
struct route_node {
    int64_t priority; /* the smaller the better */
    int64_t handling; /* of a parcel from there */
    const struct route_step *steps;
    size_t step_count;  /* 0: carriage costs nothing */
    int64_t late_us;    /* by how much a parcel from there comes after the promised day */
    int64_t arrives_at; /* 0: nobody knows */
    bool full;          /* it has no capacity left today */
    bool used;          /* it ships for the order anyway: no parcel more, no handling, and it gives first */
};

struct route_problem {
    const struct route_node *nodes;
    size_t node_count;
    size_t column_count;
    const int64_t *stock; /* [node * column_count + column]: what the node could give; 0 where a rule forbids it */
    const struct route_item *items;
    size_t item_count;
    int64_t split_penalty; /* of each parcel after the first */
    int64_t late_per_day;  /* of each day begun that the last parcel is late */
    bool cost_first;       /* before the number of parcels, which comes first otherwise */
    bool bounded;          /* no more than shipments_max parcels may go, without those that go anyway */
    int64_t shipments_max;
    int64_t steps; /* that may be looked at; 0: ROUTE_STEPS */
};
#define ROUTE_STEPS 100000 /* about a millisecond */

/* What plans are compared by, in this order; with cost_first cost and shipments change places. Less is better, of stock more. */
#define ROUTE_TERMS(X)                                                      \
    X(shipments)  /* parcels, without those that go anyway */               \
    X(cost)       /* carriage, handling, split penalty, lateness */         \
    X(late_us)    /* of the last parcel */                                  \
    X(arrives_at) /* the last parcel, of those that anything is known of */ \
    X(full)       /* nodes without capacity left today */                   \
    X(priority)   /* of the nodes, summed */                                \
    X(stock)      /* what the nodes have of all that is asked, summed: who has more gives */
enum route_term {
#define ROUTE_ENUM(name) ROUTE_##name,
    ROUTE_TERMS(ROUTE_ENUM)
#undef ROUTE_ENUM
        ROUTE_TERM_COUNT
};
struct route_terms {
#define ROUTE_MEMBER(name) int64_t name;
    ROUTE_TERMS(ROUTE_MEMBER)
#undef ROUTE_MEMBER
    int64_t carriage, handling, split, lateness; /* what cost is made of */
};

struct route_plan {
    size_t *nodes; /* that give anything, ascending */
    size_t count;
    int64_t *pieces; /* [item * node_count + node] */
    struct route_terms terms;
    bool exact; /* nothing better exists; else the best of what `steps` let it look at */
};

/* Finds the best plan; of equal ones that of the first nodes, which give the most of the first items. False: all nodes together cannot give
 * what is asked (pieces are looked for greedily then), and the plan is empty. Memory of `arena`. */
bool route_choose(struct arena *arena, const struct route_problem *problem, struct route_plan *plan);

/* The plan of one node alone; false: it cannot give all. */
bool route_alone(struct arena *arena, const struct route_problem *problem, size_t node, struct route_plan *plan);

/* What a plan comes to that somebody has made: pieces as in struct route_plan. */
struct route_terms route_evaluate(struct arena *arena, const struct route_problem *problem, const int64_t *pieces);

/* Which term tells two plans apart, and whether the left one is better; ROUTE_TERM_COUNT: they are equal. */
enum route_term route_compare(const struct route_problem *problem, const struct route_terms *left, const struct route_terms *right, bool *better);

/* What a parcel of this weight costs by the node's steps. */
int64_t route_price(const struct route_node *node, int64_t weight_g);

#endif
