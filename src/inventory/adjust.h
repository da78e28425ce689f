/* src/inventory/adjust.h: POST /v1/inventory/adjustments. */
#ifndef MILLRACE_INVENTORY_ADJUST_H
#define MILLRACE_INVENTORY_ADJUST_H

#include "engine/command.h"

extern const struct field_table adjust_fields, adjusted_fields;
extern const struct command_type stock_adjust;

#endif
