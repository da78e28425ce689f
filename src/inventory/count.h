/* src/inventory/count.h: what a count corrects, where others have counted and units have moved meanwhile. Pure. */
#ifndef MILLRACE_INVENTORY_COUNT_H
#define MILLRACE_INVENTORY_COUNT_H

#include "engine/ws.h"

#define COUNTED_NOW INT64_MAX

struct count {
    int64_t position[4]; /* unit, SKU, node, class */
    int64_t as_of;       /* the last event that the counter saw; COUNTED_NOW: all that there is */
    int64_t was_on_hand; /* units, as the books were at that event */
    int64_t counted;     /* units that were there */
    int64_t delta;       /* out: what stock is wrong by, now as then */
    bool superseded;     /* out: a count of a later state was told before; delta is 0 */
};

/* Hints for count_corrects. */
void count_want(struct ws *ws, const int64_t position[4]);
/* Fills delta and superseded; returns delta. */
int64_t count_corrects(struct ws *ws, struct count *count);
/* Keeps it, told by the event `seq`. */
void count_note(struct ws *ws, const struct count *count, int64_t seq, int64_t adjustment);

/* ---- differences that people are told of: exception count_difference, one for each node and SKU ---- */

void count_differs(struct ws *ws, int64_t node, int64_t sku, int64_t units);
/* A count found what the books said, or a person knows: it closes, if it is open. True: it was. */
bool count_agrees(struct ws *ws, int64_t node, int64_t sku);
void count_difference_want(struct ws *ws, int64_t node, int64_t sku); /* a hint */

#endif
