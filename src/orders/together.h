/* src/orders/together.h: a line of bundles on a channel whose bundles must not come apart (`split` false): every piece comes from one
 * node, also when it waited. Pure over the working set but for standing_take; nothing here can fail. */
#ifndef MILLRACE_ORDERS_TOGETHER_H
#define MILLRACE_ORDERS_TOGETHER_H

#include "orders/orders.h"

/* How the line stands at each node. `soft` units may still be moved; `fixed` ones are a node's work already, or have left from there. */
struct standing {
    struct order *order;
    const struct outlet *outlet;
    size_t first, parts; /* the line's demands in order->demands */
    int64_t *nodes;      /* ids: the outlet's in its order, then others where the line holds units */
    size_t node_count;
    int64_t *soft, *fixed; /* [node * parts + part] */
    int64_t *whole, *kept; /* [node]: pieces that are whole there; those, or that must become so. What they are is asked for every part */
};

/* Whether its pieces have several parts, and the outlet's channel keeps them together. */
bool line_stays_together(const struct order *order, int64_t line, const struct outlet *outlet);
/* Lies in the arena: a megabyte for a thousand parts on 64 nodes. */
struct standing standing_of(struct arena *arena, struct order *order, int64_t line, const struct outlet *outlet);
/* Whole pieces that the line could have more from a node of the outlet, with what it holds there. A piece of which units are fixed
 * at a node is completed there and nowhere else. */
int64_t standing_may(const struct standing *standing, size_t node);
/* Whether one piece more there takes units of the part from stock. */
bool standing_needs(const struct standing *standing, size_t node, size_t part);
/* A node does not have so many units of each part that it was told to ship: what it has of the others for nothing, as no piece would be
 * whole with them. Of a piece that has left in part all is kept. */
void standing_without(struct standing *standing, int64_t node, const int64_t *missing, int64_t *useless);
/* Takes as many pieces there, at most standing_may(). What the line holds of them at other nodes, as part of no whole piece, is
 * given back: see stock->freed. */
void standing_take(struct standing *standing, struct stock *stock, size_t node, int64_t pieces);

#endif
