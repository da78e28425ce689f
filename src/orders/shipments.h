/* src/orders/shipments.h: into how many shipments an order comes apart, and may (`max_shipments`, NULL_INT: into as many as it takes). */
#ifndef MILLRACE_ORDERS_SHIPMENTS_H
#define MILLRACE_ORDERS_SHIPMENTS_H

#include "orders/promise.h"

/* Those that nodes have or have sent, and those that its reserved units will be: one for each node. */
int64_t order_shipments(const struct order *order);
/* Whether more units may be promised from there: units that are reserved there go along, or it may have a shipment more. */
bool order_may_ship_from(const struct order *order, int64_t node);
/* For the choice of nodes: where units are reserved already (without a bound: or released), and how many nodes more it may have. In ws_arena. */
struct spread order_spread(const struct order *order, const struct outlet *outlet);
/* Something waits, and with what is reserved all its shipments are used up: it goes when all is there. */
bool order_keeps_its_last_shipment(const struct order *order, bool waits);

#endif
