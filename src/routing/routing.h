/* src/routing/routing.h: what a unit's policy, rate tables and calendars say about one order: which nodes may ship what, what a parcel from each
 * costs, when it arrives. Pure over the working set. Where no policy stands for the channel there is nothing to ask, and nothing is read. */
#ifndef MILLRACE_ROUTING_ROUTING_H
#define MILLRACE_ROUTING_ROUTING_H

#include "catalog/catalog.h"
#include "routing/route.h"

/* What of an order the rules may ask. NULL or 0: it is not known, and no condition on it holds. */
struct route_facts {
    const char *country, *postal_code;
    const char *email; /* the customer's */
    struct field_list tags;
    int64_t promise_by; /* NULL_INT: none */
};
struct routing;

/* A hint for prefetch. */
void routing_want(struct ws *ws);
bool routing_known(struct ws *ws); /* whether the unit is known to have a policy */
/* Of a channel's orders: its policy, or the unit's. NULL: neither stands. */
struct routing *routing_open(struct ws *ws, const struct channel_row *channel, const struct route_facts *routed);
const struct routing_master_row *routing_policy(const struct routing *routing);
int64_t routing_replan_saving(const struct routing *routing);
bool routing_cost_first(const struct routing *routing);
int64_t routing_split_penalty(const struct routing *routing);
int64_t routing_late_per_day(const struct routing *routing);

/* The rule, from 1, that keeps the node from shipping this SKU; 0: none. `sku` may be NULL: what forbids all. */
size_t routing_forbids(const struct routing *routing, const struct node_row *node, const struct sku_row *sku);
const char *routing_rule_name(const struct routing *routing, size_t rule);

/* What shipping from a node means. */
struct ships {
    struct route_node node;
    bool unserved;                         /* its rates have no zone for the destination: it does not ship there */
    int64_t leaves_day, zone, given_today; /* zone: the number of the rate table's, from 1; given_today of the node's capacity */
};
void routing_ships(const struct routing *routing, const struct node_row *node, struct ships *out);

/* A fulfilment order is given to a node: counted where it has a capacity. Returns the day on which, NULL_INT: it is not counted. */
int64_t routing_given(struct ws *ws, const struct node_row *node);

extern const struct route_table routing_routes;

#endif
