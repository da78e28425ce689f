/* src/inventory/reads.h: the reads behind the routes in api.c. */
#ifndef MILLRACE_INVENTORY_READS_H
#define MILLRACE_INVENTORY_READS_H

#include "engine/api.h"

void get_availability(struct reading *reading, const struct request *request, struct answer *answer); /* channel, sku, limit, cursor */
void list_inventory(struct reading *reading, const struct request *request, struct answer *answer);   /* sku, node, limit, cursor */
void list_movements(struct reading *reading, const struct request *request, struct answer *answer);   /* sku, node, after, limit, cursor */
void list_transfers(struct reading *reading, const struct request *request, struct answer *answer);   /* state, limit, cursor */
void get_transfer(struct reading *reading, const struct request *request, struct answer *answer);

extern const struct field_table position_fields, movement_fields, availability_fields; /* for openapi */

#endif
