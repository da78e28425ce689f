/* src/inventory/availability.h: the terms of one channel's ATP for one SKU or bundle: what the API shows and what an
 * order is tested with are this one function. */
#ifndef MILLRACE_INVENTORY_AVAILABILITY_H
#define MILLRACE_INVENTORY_AVAILABILITY_H

#include "inventory/inventory.h"

/* listing NULL: the channel's terms. Pure over the working set; cannot fail. */
struct atp_terms availability_terms(struct ws *ws, const struct outlet *outlet, const struct listing_row *listing, const struct component *components,
                                    size_t count);

/* The listing whose terms a SKU of a channel is tested with where the client names none: its only one there. NULL: it has
 * none, or several. */
const struct listing_row *only_listing(struct ws *ws, const struct channel_row *channel, int64_t sku);

/* The recipe of one piece of a SKU: itself, or its components. Returns their number, 0 where a bundle is
 * too large to be multiplied out, which masters refuse; *out is in the batch's arena. */
size_t recipe_of(struct ws *ws, const struct sku_row *sku, struct component **out);

#endif
