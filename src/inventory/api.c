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
    { .method = METHOD_POST, .path = "/v1/inventory/adjustments", .scopes = WRITERS, .command = &stock_adjust, .answer_of = &adjusted_fields,
      .summary = "Tell stock to be otherwise" },
    { .method = METHOD_POST, .path = "/v1/inventory/adjustments/batch", .scopes = WRITERS, .batch_of = &stock_adjust, .batch_name = "adjustments",
      .result_name = "adjustment", .answer_of = &adjusted_fields, .summary = "Many adjustments, each alone" },
    { .method = METHOD_GET, .path = "/v1/inventory", .scopes = READERS, .read = list_inventory, .answer_of = &position_fields, .list = true,
      .summary = "Positions of a SKU, a node, both, or all",
      .query = { { .name = "sku", .type = FIELD_CODE, .doc = "positions of this SKU" },
                 { .name = "node", .type = FIELD_CODE, .doc = "positions at this node" },
                 LIST_QUERY } },
    { .method = METHOD_GET, .path = "/v1/inventory/movements", .scopes = READERS, .read = list_movements, .answer_of = &movement_fields, .list = true,
      .summary = "What moved, in order: of a SKU, a node, both, or all",
      .query = { { .name = "sku", .type = FIELD_CODE, .projected = true, .doc = "movements of this SKU" },
                 { .name = "node", .type = FIELD_CODE, .doc = "movements to or from this node: at most 10,000 movements are looked at" },
                 { .name = "after", .type = FIELD_TEXT, .max = 64, .doc = "movements after the one with this id" },
                 LIST_QUERY } },
    { .method = METHOD_GET, .path = "/v1/availability", .scopes = READERS, .read = get_availability, .answer_of = &availability_fields, .list = true,
      .summary = "What a channel may sell, and why: one for each listing, or one with null where the SKU has none on the channel",
      .query = { { .name = "channel", .type = FIELD_CODE, .doc = "the channel; alone: all SKUs on it" },
                 { .name = "sku", .type = FIELD_CODE, .doc = "a SKU or a bundle; alone: on all channels" },
                 LIST_QUERY } },
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
    { .method = METHOD_POST, .path = "/v1/reservations", .scopes = CHECKOUT, .command = &reservation_create, .answer_of = &reserved_fields,
      .summary = "Reserve for a checkout" },
    { .method = METHOD_DELETE, .path = "/v1/reservations/{id}", .scopes = CHECKOUT, .command = &reservation_delete, .summary = "Give a reservation back" },
};
const struct route_table inventory_routes = { "inventory", routes, COUNT(routes) };
