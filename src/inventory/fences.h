/* src/inventory/fences.h: PUT and GET /v1/channels/{code}/fences/{node}/{sku}. */
#ifndef MILLRACE_INVENTORY_FENCES_H
#define MILLRACE_INVENTORY_FENCES_H

#include "engine/command.h"

extern const struct field_table fence_fields;
extern const struct command_type fence_put, fence_patch;
void get_fence(struct reading *reading, const struct request *request, struct answer *answer);

#endif
