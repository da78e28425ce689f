/* src/inventory/recalls.h: goods called back: at some places all units of a SKU that could be sold are kept back, and whoever claims some loses
 * them, in steps of one job for each place. Until the recall is ended nothing is promised from there. Design: docs/design/inventory.md. */
#ifndef MILLRACE_INVENTORY_RECALLS_H
#define MILLRACE_INVENTORY_RECALLS_H

#include "inventory/inventory.h"

enum recall_state { RECALL_RUNNING = 1, RECALL_HOLDING, RECALL_ENDED };
extern const char *const recall_states[]; /* from the first, ends in NULL */

extern const struct field_table recall_fields;
/* As the API shows it; recall is one that is there. Its strings live in ws_arena. */
void recall_write(struct ws *ws, int64_t recall, struct json_writer *json);

/* recall.start    POST: UNIT_UNKNOWN, NODE_UNKNOWN, SKU_UNKNOWN, HOLDS_NO_STOCK, CLASS_UNKNOWN, INVALID (a node named twice), all at once; then
 * STATE_CONFLICT where another recall stands at one of the places. recall.end    NOT_FOUND, PRECONDITION_FAILED, STATE_CONFLICT once it has ended. */
extern const struct command_type recall_start, recall_end;

#endif
