/* src/routing/api.c: /v1/routing/rates, nodes, policies: PUT, PATCH and GET of each, its history, and the list of all. */
#include "routing/api.h"
#include "catalog/kinds.h"
#include "routing/masters.h"
#include "routing/routing.h"

MASTER_KIND(rates, "Rates", true, master_edge);
MASTER_KIND(ships, "Ships", true, ships_edge);
MASTER_KIND(policy, "RoutingPolicy", true, master_edge);

static const struct route routes[] = {
    MASTER_ROUTES(rates, "/v1/routing/rates", "/{code}", "code", "rates", "rate table", "Rate tables", MASTERS_BY_UNIT),
    MASTER_ROUTES(ships, "/v1/routing/nodes", "/{code}", "code", "nodes", "way in which a node ships", "How nodes ship", MASTERS_BY_UNIT),
    MASTER_ROUTES(policy, "/v1/routing/policies", "/{code}", "code", "policies", "routing policy", "Routing policies", MASTERS_BY_UNIT),
};
const struct route_table routing_routes = { "routing", routes, COUNT(routes) };
