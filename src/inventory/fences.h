/* src/inventory/fences.h: /v1/channels/{code}/fences/{node}/{sku}, its history, and the list of a channel's. */
#ifndef MILLRACE_INVENTORY_FENCES_H
#define MILLRACE_INVENTORY_FENCES_H

#include "engine/command.h"

extern const struct field_table fence_fields, fence_item_fields;
extern const struct command_type fence_put, fence_patch;
void get_fence(struct reading *reading, const struct request *request, struct answer *answer);
void get_fence_history(struct reading *reading, const struct request *request, struct answer *answer); /* limit, cursor */
void list_fences(struct reading *reading, const struct request *request, struct answer *answer);       /* limit, cursor */

#endif
