/* src/orders/capture.h: an order comes in. */
#ifndef MILLRACE_ORDERS_CAPTURE_H
#define MILLRACE_ORDERS_CAPTURE_H

#include "orders/order_io.h"
#include "routing/routing.h"

/* What routing knows of an order as it comes in; NULL: no policy stands for the channel. */
const struct routing *order_routing(struct ws *ws, const struct channel_row *channel, const struct order_io *in);

extern const struct command_type order_create;

#endif
