/* src/orders/try.h: POST /v1/routing/try. */
#ifndef MILLRACE_ORDERS_TRY_H
#define MILLRACE_ORDERS_TRY_H

#include "base/fields.h"

extern const struct field_table tried_fields;

#endif
