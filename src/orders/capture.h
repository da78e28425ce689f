/* src/orders/capture.h: an order comes in. */
#ifndef MILLRACE_ORDERS_CAPTURE_H
#define MILLRACE_ORDERS_CAPTURE_H

#include "engine/command.h"

extern const struct command_type order_create;

#endif
