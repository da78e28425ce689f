/* src/inventory/api.c: /v1/inventory, /v1/availability, /v1/reservations, and the fences of channels. */
#include "inventory/adjust.h"
#include "inventory/fences.h"
#include "inventory/inventory.h"
#include "inventory/reads.h"
#include "inventory/reservations.h"

#define WRITERS (SCOPE_INVENTORY | SCOPE_ADMIN)
#define READERS (SCOPE_READ | SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN)
#define CHECKOUT (SCOPE_ORDERS | SCOPE_ADMIN)

CHANGE_FIELDS(fence_change, "FenceChange", fence_fields);

static const struct route routes[] = {
    { .method = METHOD_POST, .path = "/v1/inventory/adjustments", .scopes = WRITERS, .command = &stock_adjust, .answer_of = &adjust_fields,
      .summary = "Tell stock to be otherwise" },
    { .method = METHOD_POST, .path = "/v1/inventory/adjustments/batch", .scopes = WRITERS, .batch_of = &stock_adjust, .batch_name = "adjustments",
      .result_name = "adjustment", .answer_of = &adjust_fields, .summary = "Many adjustments, each alone" },
    { .method = METHOD_GET, .path = "/v1/inventory", .scopes = READERS, .read = list_inventory, .list = true, .summary = "Positions of a SKU, a node, or both",
      .query = { { .name = "sku", .type = FIELD_CODE, .doc = "positions of this SKU" },
                 { .name = "node", .type = FIELD_CODE, .doc = "positions at this node" },
                 { .name = "limit", .type = FIELD_INT, .min = 1, .max = 1000, .preset = 100, .doc = "items at most" },
                 { .name = "cursor", .type = FIELD_TEXT, .max = 64, .doc = "next of the page before" } } },
    { .method = METHOD_GET, .path = "/v1/availability", .scopes = READERS, .read = get_availability, .list = true, .summary = "What a channel may sell, and why",
      .query = { { .name = "channel", .type = FIELD_CODE, .required = true, .doc = "the channel" },
                 { .name = "sku", .type = FIELD_CODE, .required = true, .doc = "a SKU or a bundle" } } },
    { .method = METHOD_PUT, .path = "/v1/channels/{code}/fences/{node}/{sku}", .scopes = WRITERS, .command = &fence_put, .answer_of = &fence_fields,
      .summary = "Keep units for a channel's group" },
    { .method = METHOD_PATCH, .path = "/v1/channels/{code}/fences/{node}/{sku}", .scopes = WRITERS, .command = &fence_patch, .answer_of = &fence_fields,
      .summary = "Change a fence" },
    { .method = METHOD_GET, .path = "/v1/channels/{code}/fences/{node}/{sku}", .scopes = READERS, .read = get_fence, .answer_of = &fence_fields,
      .summary = "A fence" },
    { .method = METHOD_GET, .path = "/v1/channels/{code}/fences/{node}/{sku}/history", .scopes = READERS, .read = get_fence_history,
      .answer_of = &fence_change, .list = true, .summary = "Who changed what of a fence", .query = { LIST_QUERY } },
    { .method = METHOD_GET, .path = "/v1/channels/{code}/fences", .scopes = READERS, .read = list_fences, .answer_of = &fence_item_fields, .list = true,
      .summary = "Fences of a channel", .query = { LIST_QUERY } },
    { .method = METHOD_POST, .path = "/v1/reservations", .scopes = CHECKOUT, .command = &reservation_create, .summary = "Reserve for a checkout" },
    { .method = METHOD_DELETE, .path = "/v1/reservations/{id}", .scopes = CHECKOUT, .command = &reservation_delete, .summary = "Give a reservation back" },
};
const struct route_table inventory_routes = { "inventory", routes, COUNT(routes) };
