/* src/orders/mapping.h: lines of which nobody knew what they stand for, and how they come to a SKU. */
#ifndef MILLRACE_ORDERS_MAPPING_H
#define MILLRACE_ORDERS_MAPPING_H

#include "orders/orders.h"

/* When the order's last unmapped line is mapped or cancelled, its exception and Millrace's hold go. Before the event that stands for the
 * command's answer. Does nothing for an order that has no such line. */
void mapping_settle(struct order *order);
/* The order's lines and demands as they were at an event: those mapped since stand for nothing. Changes order->lines and ->demands only, which
 * live in the arena then. */
void mapping_as_of(struct arena *arena, struct order *order, int64_t seq);
/* For struct catalog_followers; ws is a unit's. A listing that was moved maps what it could not map for the SKU before. */
void mapping_listed(struct ws *ws, int64_t channel, const char *word, int64_t sku);
void mapping_sku_made(struct ws *ws, const char *word, int64_t sku);

#endif
