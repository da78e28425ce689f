/* src/orders/reroute.h: what an order holds softly may move to other nodes until it is released. */
#ifndef MILLRACE_ORDERS_REROUTE_H
#define MILLRACE_ORDERS_REROUTE_H

#include "orders/order_io.h"
#include "orders/decisions.h"
#include "orders/promise.h"

/* What routing knows of an order that is there: its people are opened for that, if a policy stands. ship_to: where it
 * goes from now on, NULL: as it is sealed. NULL: no policy stands. */
const struct routing *order_routing_of(const struct order *order, const struct channel_row *channel, const struct person_io *ship_to);

/* A line's soft units that may move: whole pieces where they must stay together, else each component's units for itself. */
struct moving {
    size_t demand, parts; /* its demands from this one on */
    bool together;
};
struct reroute {
    struct outlet outlet;
    struct wish *wishes;
    struct moving *movings; /* of each wish */
    size_t count;
    int64_t *now;             /* pieces, as in struct route_plan */
    struct route_terms terms; /* of what it holds now */
    struct choice choice;
    bool better; /* so much that it is worth moving: see order_reroute_plan */
    enum route_term by;
};
/* Plans the order's soft claims anew. Better is what needs fewer parcels; or costs less by the policy's replan_saving, at least one minor unit;
 * or is less late: in this order (cost first where the policy says so), each only where nothing before it is worse. Priority and stock move
 * nothing, so that an order does not go to and fro. False: it has no soft claims. */
bool order_reroute_plan(struct order *order, struct reroute *out);
/* Moves the claims, notes the decision, tells the order; units that became available go to those who wait. */
void order_reroute(struct order *order, struct reroute *r, int64_t kind);

/* order_advance, for the commands that may let an order go: where a policy stands it is routed once more before. What a queue has just been
 * given goes as it was given. */
void order_go(struct order *order, bool asked);
/* Whether the order's policy lets the node ship this SKU of it; true where none stands. */
bool order_may_take_from(struct ws *ws, int64_t order, const struct channel_row *channel, const struct node_row *node, int64_t sku);
void order_may_take_want(struct ws *ws, int64_t order); /* a hint: what that will open */

/* Appends a decision about the order. */
void decision_add(const struct order *order, const struct outlet *outlet, const struct choice *choice, enum decision_kind kind);

#endif
