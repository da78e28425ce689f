/* src/orders/order_key.h: under which number (channel, channel order id) is looked for. */
#ifndef MILLRACE_ORDERS_ORDER_KEY_H
#define MILLRACE_ORDERS_ORDER_KEY_H

#include "engine/vault.h"

/* Shops number their orders: ids that differ in their last digits only get neighbouring numbers, so that the rows of new
 * orders lie together on the disk. The upper 24 bits are a keyed hash of the channel and what stands before the last digits
 * (at most 12), the lower 40 bits those digits; an id that does not end in digits is hashed whole, and lies anywhere.
 * Different ids may share a number (`7` and `07`, a collision): the ids themselves decide. Never NULL_INT. */
int64_t order_key_of(const struct vault *vault, struct arena *arena, const char *channel, const char *channel_order_id);

#endif
