/* src/catalog/api.c: /v1/units, nodes, skus, bundles, classes, channels and their listings: PUT, PATCH and GET of each, its
 * history, the list of all, and many at once. */
#include "catalog/catalog.h"
#include <string.h>

#define WRITERS (SCOPE_ADMIN | SCOPE_INVENTORY)
#define READERS (SCOPE_READ | SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN)

/* Each kind's two commands and its three reads. */
#define KIND(NAME, TITLE, COMPANY, EDGE)                                                                      \
    static void NAME##_put(struct ws *ws, struct command *command)                                            \
    {                                                                                                         \
        master_put(ws, command, &NAME##_master);                                                              \
    }                                                                                                         \
    static void NAME##_patch(struct ws *ws, struct command *command)                                          \
    {                                                                                                         \
        master_patch(ws, command, &NAME##_master);                                                            \
    }                                                                                                         \
    static void NAME##_look_up(struct ws *ws, struct command *command)                                        \
    {                                                                                                         \
        master_look_up(ws, command, &NAME##_master);                                                          \
    }                                                                                                         \
    static void NAME##_get(struct reading *reading, const struct request *request, struct answer *answer)     \
    {                                                                                                         \
        master_get(reading, request, answer, &NAME##_master);                                                 \
    }                                                                                                         \
    static void NAME##_list(struct reading *reading, const struct request *request, struct answer *answer)    \
    {                                                                                                         \
        master_list(reading, request, answer, &NAME##_master);                                                \
    }                                                                                                         \
    static void NAME##_history(struct reading *reading, const struct request *request, struct answer *answer) \
    {                                                                                                         \
        master_history_of(reading, request, answer, &NAME##_master);                                          \
    }                                                                                                         \
    CHANGE_FIELDS(NAME##_change, TITLE "Change", NAME##_fields);                                              \
    static const struct command_type NAME##_put_type = { .name = #NAME ".put",                                \
                                                         .input = &NAME##_fields,                             \
                                                         .mode = FIELDS_PUT,                                  \
                                                         .queue = QUEUE_PEOPLE,                               \
                                                         .company = COMPANY,                                  \
                                                         .edge = EDGE,                                        \
                                                         .look_up = NAME##_look_up,                           \
                                                         .decide = NAME##_put,                                \
                                                         .again = master_put_again,                           \
                                                         .inverse = #NAME ".put: the version before" };       \
    static const struct command_type NAME##_patch_type = { .name = #NAME ".patch",                            \
                                                           .input = &NAME##_fields,                           \
                                                           .mode = FIELDS_PATCH,                              \
                                                           .queue = QUEUE_PEOPLE,                             \
                                                           .company = COMPANY,                                \
                                                           .edge = EDGE,                                      \
                                                           .look_up = NAME##_look_up,                         \
                                                           .decide = NAME##_patch,                            \
                                                           .inverse = #NAME ".put: the version before" }
KIND(unit, "Unit", true, unit_edge);
KIND(node, "Node", true, master_edge);
KIND(sku, "Sku", true, master_edge);
KIND(bundle, "Bundle", true, master_edge);
KIND(class, "Class", true, master_edge);
KIND(channel, "Channel", true, master_edge);
KIND(listing, "Listing", false, master_edge);

#define BY_UNIT                                                         \
    {                                                                   \
        .name = "unit", .type = FIELD_CODE, .doc = "those of this unit" \
    }
#define ROUTES(NAME, LIST, PART, MEMBER, PLURAL, ONE, MANY, ...)                                                                              \
    { .method = METHOD_PUT,                                                                                                                   \
      .path = LIST PART,                                                                                                                      \
      .scopes = WRITERS,                                                                                                                      \
      .command = &NAME##_put_type,                                                                                                            \
      .answer_of = &NAME##_fields,                                                                                                            \
      .summary = "Make or replace a " ONE },                                                                                                  \
        { .method = METHOD_PATCH,                                                                                                             \
          .path = LIST PART,                                                                                                                  \
          .scopes = WRITERS,                                                                                                                  \
          .command = &NAME##_patch_type,                                                                                                      \
          .answer_of = &NAME##_fields,                                                                                                        \
          .summary = "Change a " ONE },                                                                                                       \
        { .method = METHOD_POST,                                                                                                              \
          .path = LIST,                                                                                                                       \
          .scopes = WRITERS,                                                                                                                  \
          .batch_of = &NAME##_put_type,                                                                                                       \
          .batch_name = PLURAL,                                                                                                               \
          .batch_part = MEMBER,                                                                                                               \
          .result_name = #NAME,                                                                                                               \
          .answer_of = &NAME##_fields,                                                                                                        \
          .summary = "Make or replace up to a thousand at once, each entry as its PUT takes it and with its " MEMBER ", each alone" },        \
        { .method = METHOD_GET, .path = LIST PART, .scopes = READERS, .read = NAME##_get, .answer_of = &NAME##_fields, .summary = "A " ONE }, \
        { .method = METHOD_GET,                                                                                                               \
          .path = LIST PART "/history",                                                                                                       \
          .scopes = READERS,                                                                                                                  \
          .read = NAME##_history,                                                                                                             \
          .answer_of = &NAME##_change,                                                                                                        \
          .list = true,                                                                                                                       \
          .summary = "Who changed what of a " ONE,                                                                                            \
          .query = { LIST_QUERY } },                                                                                                          \
    {                                                                                                                                         \
        .method = METHOD_GET, .path = LIST, .scopes = READERS, .read = NAME##_list, .answer_of = &NAME##_fields, .list = true,                \
        .summary = MANY ", in the order in which they were made", .query = {                                                                  \
            LIST_QUERY,                                                                                                                       \
            __VA_ARGS__                                                                                                                       \
        }                                                                                                                                     \
    }

static const struct route routes[] = {
    ROUTES(unit, "/v1/units", "/{code}", "code", "units", "unit", "Units"),
    ROUTES(node, "/v1/nodes", "/{code}", "code", "nodes", "node", "Nodes", BY_UNIT),
    ROUTES(sku, "/v1/skus", "/{code}", "code", "skus", "SKU", "SKUs without the bundles"),
    ROUTES(bundle, "/v1/bundles", "/{code}", "code", "bundles", "bundle", "Bundles"),
    ROUTES(class, "/v1/classes", "/{code}", "code", "classes", "class", "Classes of goods"),
    ROUTES(channel, "/v1/channels", "/{code}", "code", "channels", "channel", "Channels", BY_UNIT),
    ROUTES(listing, "/v1/channels/{code}/listings", "/{channel_sku}", "channel_sku", "listings", "listing", "Listings of a channel"),
};
const struct route_table catalog_routes = { "catalog", routes, COUNT(routes) };
