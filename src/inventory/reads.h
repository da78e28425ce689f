/* src/inventory/reads.h: the reads behind the routes in api.c. */
#ifndef MILLRACE_INVENTORY_READS_H
#define MILLRACE_INVENTORY_READS_H

#include "engine/api.h"
#include "engine/ws.h"

void get_availability(struct reading *reading, const struct request *request, struct answer *answer); /* channel, sku, limit, cursor */
void list_inventory(struct reading *reading, const struct request *request, struct answer *answer);   /* sku, node, limit, cursor */
void list_movements(struct reading *reading, const struct request *request, struct answer *answer);   /* sku, node, after, limit, cursor */
void list_transfers(struct reading *reading, const struct request *request, struct answer *answer);   /* state, limit, cursor */
void list_supplies(struct reading *reading, const struct request *request, struct answer *answer);    /* state, node, sku, limit, cursor */
void get_supply(struct reading *reading, const struct request *request, struct answer *answer);
void get_transfer(struct reading *reading, const struct request *request, struct answer *answer);

void list_recalls(struct reading *reading, const struct request *request, struct answer *answer); /* state, limit, cursor */
void get_recall(struct reading *reading, const struct request *request, struct answer *answer);

/* A position in an answer, as openapi tells it. */
struct position_io {
    struct field_presence presence;
    const char *node, *sku, *class;
    int64_t units[6]; /* on hand, available, reserved, allocated, quarantined, in transit */
};
/* As it stands: 0 where nothing ever was. Its strings are the rows'. */
void position_show(struct ws *ws, const struct node_row *node, const struct sku_row *sku, int64_t class, struct position_io *out);

extern const struct field_table position_fields, movement_fields, availability_fields; /* for openapi */

#endif
