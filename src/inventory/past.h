/* src/inventory/past.h: what was on hand when a certain event had happened. */
#ifndef MILLRACE_INVENTORY_PAST_H
#define MILLRACE_INVENTORY_PAST_H

#include "engine/api.h"

/* A position at an event, by codes as they came; the node by its ids where they are known (unit not 0). */
struct past {
    int64_t unit, node_id;
    const char *node, *sku, *class; /* class NULL: own, new, saleable */
    int64_t seq;
    int64_t on_hand; /* out: whole units, 0 where nothing ever was there */
};

/* Fills past->on_hand on a reader's connections. It is of the past: nothing that is committed later changes it. A node, SKU or class that is unknown
 * has nothing, the command says so. Adds one fault at the pointer: OUT_OF_RANGE (the unit has no such event) or TOO_LONG_AGO (more than 10,000
 * movements of the SKU, or events, would have to be looked through). Waits for nothing: the projection has caught up with the request. */
enum db_result on_hand_at(const struct reading *reading, struct past *past, struct faults *faults, const char *pointer);

#endif
