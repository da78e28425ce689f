/* src/inventory/adjust.h: POST /v1/inventory/adjustments. */
#ifndef MILLRACE_INVENTORY_ADJUST_H
#define MILLRACE_INVENTORY_ADJUST_H

#include "engine/command.h"

/* A fact (a count, damage, loss: what is there is there, and claims give way) or a choice (what is claimed stays). Refuses
 * NODE_UNKNOWN, SKU_UNKNOWN, HOLDS_NO_STOCK (a bundle), CURRENCY_MISMATCH, all at once; then STOCK_CONFLICT where there is not so
 * much to take. At the edge INVALID and OUT_OF_RANGE, for a move or a delta that says nothing. */
extern const struct field_table adjust_fields, adjusted_fields;
extern const struct command_type stock_adjust;

#endif
