/* src/catalog/api.c: /v1/units, nodes, skus, bundles, classes, channels and their listings: PUT, PATCH and GET of each, its
 * history, the list of all, and many at once. */
#include "catalog/kinds.h"

MASTER_KIND(unit, "Unit", true, unit_edge);
MASTER_KIND(node, "Node", true, master_edge);
MASTER_KIND(sku, "Sku", true, master_edge);
MASTER_KIND(bundle, "Bundle", true, master_edge);
MASTER_KIND(class, "Class", true, master_edge);
MASTER_KIND(channel, "Channel", true, master_edge);
MASTER_KIND(listing, "Listing", false, master_edge);

static const struct route routes[] = {
    MASTER_ROUTES(unit, "/v1/units", "/{code}", "code", "units", "unit", "Units"),
    MASTER_ROUTES(node, "/v1/nodes", "/{code}", "code", "nodes", "node", "Nodes", MASTERS_BY_UNIT),
    MASTER_ROUTES(sku, "/v1/skus", "/{code}", "code", "skus", "SKU", "SKUs without the bundles"),
    MASTER_ROUTES(bundle, "/v1/bundles", "/{code}", "code", "bundles", "bundle", "Bundles"),
    MASTER_ROUTES(class, "/v1/classes", "/{code}", "code", "classes", "class", "Classes of goods"),
    MASTER_ROUTES(channel, "/v1/channels", "/{code}", "code", "channels", "channel", "Channels", MASTERS_BY_UNIT),
    MASTER_ROUTES(listing, "/v1/channels/{code}/listings", "/{channel_sku}", "channel_sku", "listings", "listing", "Listings of a channel"),
};
const struct route_table catalog_routes = { "catalog", routes, COUNT(routes) };
