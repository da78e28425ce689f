/* src/http/routes.c: the tables of all modules. A module is reachable once its line stands here. */
#include "http/router.h"
#include "http/own.h"
#include "http/undo.h"
#include "catalog/catalog.h"
#include "finance/finance.h"
#include "connect/connect.h"
#include "fulfilment/fulfilment.h"
#include "insight/insight.h"
#include "inventory/count_sheets.h"
#include "inventory/inventory.h"
#include "orders/orders.h"
#include "routing/routing.h"
#include "returns/returns.h"

const struct route_table *const http_routes[] = {
    &own_routes,     &undo_routes,      &catalog_routes,    &inventory_routes, &count_routes,
    &orders_routes,  &routing_routes,   &fulfilment_routes, &return_routes,    &finance_routes,
    &insight_routes, &exception_routes, &job_routes,        &webhook_routes,   NULL,
};
