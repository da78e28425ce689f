/* src/catalog/api.c: /v1/units, nodes, skus, bundles, channels and their listings: PUT, PATCH and GET of each. */
#include "catalog/catalog.h"
#include <string.h>

#define WRITERS (SCOPE_ADMIN | SCOPE_INVENTORY)
#define READERS (SCOPE_READ | SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN)

/* Each kind's two commands and its read. */
#define KIND(NAME, COMPANY, EDGE)                                                                                                           \
    static void NAME##_put(struct ws *ws, struct command *command)                                                                    \
    {                                                                                                                                 \
        master_put(ws, command, &NAME##_master);                                                                                      \
    }                                                                                                                                 \
    static void NAME##_patch(struct ws *ws, struct command *command)                                                                  \
    {                                                                                                                                 \
        master_patch(ws, command, &NAME##_master);                                                                                    \
    }                                                                                                                                 \
    static void NAME##_get(struct reading *reading, const struct request *request, struct answer *answer)                             \
    {                                                                                                                                 \
        master_get(reading, request, answer, &NAME##_master);                                                                         \
    }                                                                                                                                 \
    static const struct command_type NAME##_put_type = { .name = #NAME ".put", .input = &NAME##_fields, .mode = FIELDS_PUT,           \
                                                         .queue = QUEUE_PEOPLE, .company = COMPANY, .edge = EDGE,              \
                                                         .decide = NAME##_put, .inverse = #NAME ".put of the version before" };       \
    static const struct command_type NAME##_patch_type = { .name = #NAME ".patch", .input = &NAME##_fields, .mode = FIELDS_PATCH,     \
                                                           .queue = QUEUE_PEOPLE, .company = COMPANY, .edge = EDGE,            \
                                                           .decide = NAME##_patch, .inverse = #NAME ".put of the version before" }
KIND(unit, true, unit_edge);
KIND(node, true, master_edge);
KIND(sku, true, master_edge);
KIND(bundle, true, master_edge);
KIND(channel, true, master_edge);
KIND(listing, false, master_edge);

#define ROUTES(NAME, PATH, ONE)                                                                                                        \
    { .method = METHOD_PUT, .path = PATH, .scopes = WRITERS, .command = &NAME##_put_type, .answer_of = &NAME##_fields, .summary = "Make or replace a " ONE }, \
        { .method = METHOD_PATCH, .path = PATH, .scopes = WRITERS, .command = &NAME##_patch_type, .answer_of = &NAME##_fields, .summary = "Change a " ONE },    \
    {                                                                                                                                  \
        .method = METHOD_GET, .path = PATH, .scopes = READERS, .read = NAME##_get, .answer_of = &NAME##_fields, .summary = "A " ONE   \
    }

static const struct route routes[] = {
    ROUTES(unit, "/v1/units/{code}", "unit"),          ROUTES(node, "/v1/nodes/{code}", "node"),
    ROUTES(sku, "/v1/skus/{code}", "SKU"),             ROUTES(bundle, "/v1/bundles/{code}", "bundle"),
    ROUTES(channel, "/v1/channels/{code}", "channel"), ROUTES(listing, "/v1/channels/{code}/listings/{channel_sku}", "listing"),
};
const struct route_table catalog_routes = { "catalog", routes, COUNT(routes) };
