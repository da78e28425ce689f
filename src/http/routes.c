/* src/http/routes.c: the tables of all modules. A module is reachable once its line stands here. */
#include "http/router.h"
#include "http/own.h"

const struct route_table *const http_routes[] = {
    &own_routes,
    NULL,
};
