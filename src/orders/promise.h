/* src/orders/promise.h: what of an order is promised, and from which nodes. */
#ifndef MILLRACE_ORDERS_PROMISE_H
#define MILLRACE_ORDERS_PROMISE_H

#include "orders/orders.h"
#include "routing/routing.h"

/* One line, resolved: what it needs, and what it gets. */
struct wish {
    int64_t line;                      /* of the order */
    const struct sku_row *sku;         /* NULL: unmapped */
    const struct listing_row *listing; /* the terms it is tested with; NULL: the channel's */
    struct component *components;      /* of one piece: the SKU itself, or the bundle's recipe */
    size_t component_count;
    int64_t quantity;
    int64_t granted; /* pieces promised from stock */
    int64_t kept;    /* that stock would give, and the bound of shipments does not */
};

/* Grants each wish what the channel may sell: per SKU or bundle, its lines summed, by the ATP without cap and share
 * (already_sold: stock alone decides), and all lines together against the stock of components, in the order of lines. */
void promise_grant(struct ws *ws, const struct outlet *outlet, struct wish *wishes, size_t count, bool already_sold);

/* Where the granted pieces come from (routing/route.h): fewest shipments, then, where a policy stands, cost, dates and capacity, then node
 * priority, then stock. */
enum ruled_out {
    RULED_OUT_STOCK,
    RULED_OUT_PRIORITY,
    RULED_OUT_LESS_STOCK,
    RULED_OUT_SHIPMENTS,
    RULED_OUT_COST,
    RULED_OUT_LATER,
    RULED_OUT_CAPACITY,
    RULED_OUT_RULE,
    RULED_OUT_UNSERVED
};
struct choice {
    size_t nodes[CHANNEL_NODES_MAX]; /* indexes into the outlet's, by priority */
    size_t count;
    struct {
        enum ruled_out ruled_out; /* of a node that was not chosen, taken alone */
        size_t lines;             /* whose granted pieces it could ship, each line alone */
        size_t rule;              /* of the policy, from 1 */
        bool ships;               /* it could ship all alone: then at these terms */
        struct route_terms terms;
    } others[CHANNEL_NODES_MAX];
    struct route_problem problem;
    struct route_plan plan;    /* its nodes are those above */
    const struct ships *ships; /* of each node; NULL: no policy stands */
    const struct wish *wishes;
    size_t wish_count;
    int64_t kept;             /* pieces, of all wishes */
    const size_t *first_item; /* of each wish in plan.pieces */
};
/* What the order may use: of each of the outlet's nodes (NULL: of none) whether it ships for it anyway and costs no shipment more; and how many
 * others may, INT64_MAX: all. Where those cannot ship all that was granted, the ones that ship most are taken, and the rest is taken off the
 * grants (wish->kept). */
struct spread {
    const bool *used;
    int64_t more;
};
void promise_choose(struct ws *ws, const struct outlet *outlet, struct wish *wishes, size_t count, const struct spread *spread,
                    struct choice *choice);
/* The same for what an order holds already: its own claims count as stock, and what it was sent to in vain does not. */
struct holding {
    int64_t order;
    const struct freed *held; /* units of its soft claims, by node and SKU */
    size_t count;
};
void promise_choose_again(struct ws *ws, const struct outlet *outlet, const struct wish *wishes, size_t count, const struct holding *holding,
                          struct choice *choice);

/* Claims the granted units of wish `line` for the demands of its line. */
void promise_take(struct stock *stock, const struct outlet *outlet, const struct choice *choice, const struct wish *wish, struct holder holder);

#endif
