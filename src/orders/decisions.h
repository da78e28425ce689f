/* src/orders/decisions.h: why each automatic decision about an order was made. */
#ifndef MILLRACE_ORDERS_DECISIONS_H
#define MILLRACE_ORDERS_DECISIONS_H

#include "orders/orders.h"
#include "orders/promise.h"

/* decision.data of the choice of nodes, in ws_arena: the ids of the chosen ones; then of each other node of the channel (the first
 * DECISION_NODES_MAX) its id, what ruled it out, and of how many lines it could have shipped what was promised, alone;
 * then the pieces that the bound of shipments keeps back.
 *     1005;1006p2;1007l2;1008s1!3       data of earlier releases is an object and tells the chosen nodes only */
const char *decision_of_choice(struct ws *ws, const struct outlet *outlet, const struct choice *choice);

extern const struct field_table decision_fields;
void get_decisions(struct reading *reading, const struct request *request, struct answer *answer);

#endif
