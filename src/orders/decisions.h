/* src/orders/decisions.h: why each automatic decision about an order was made. */
#ifndef MILLRACE_ORDERS_DECISIONS_H
#define MILLRACE_ORDERS_DECISIONS_H

#include "orders/orders.h"
#include "orders/promise.h"

enum decision_kind { DECISION_ROUTE = 1, DECISION_REPLAN, DECISION_RELEASE };

/* decision.data of the choice of nodes, in ws_arena: the ids of the chosen ones; then of each other node of the channel (the first
 * DECISION_NODES_MAX) its id, what ruled it out, and of how many lines it could have shipped what was promised, alone;
 * then the pieces that the bound of shipments keeps back.
 *     1005;1006p2;1007l2;1008s1!3       data of earlier releases is an object and tells the chosen nodes only
 * At the end ~ where the search was cut short, and, where a policy stands, $ with what the plan costs in minor units of the unit's currency. Where
 * calendars tell when its parcels arrive: @ with the number of the last event before, and of each line when the last of it does, in seconds:
 *     1005;1006p2~$490@1234,1:1764288000,2:1764288000 */
const char *decision_of_choice(struct ws *ws, const struct outlet *outlet, const struct choice *choice);

/* When the last of each line arrives, as the newest decision told it that was made before this event; 0: nobody knows. Of lines 1 .. count, in
 * ws_arena. NULL where the unit has no policy: nothing is read then. */
const int64_t *promised_at(struct ws *ws, int64_t order, int64_t before_seq, size_t count);

extern const struct field_table decision_fields;
extern const char *const ruled_out_names[]; /* by enum ruled_out; ends in NULL */
void get_decisions(struct reading *reading, const struct request *request, struct answer *answer);

#endif
