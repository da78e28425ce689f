/* src/simulation/agenda.h: what is still to happen, by time; equal times in the order in which they were put. */
#ifndef MILLRACE_SIMULATION_AGENDA_H
#define MILLRACE_SIMULATION_AGENDA_H

#include "simulation/script.h"

enum due_kind {
    DUE_ORDER,
    DUE_PAYMENT,
    DUE_GIVE_UP,
    DUE_PATIENCE,
    DUE_RECALL,
    DUE_RECEIPT,
    DUE_MISCOUNT,
    DUE_SHIP,
    DUE_SYNC,
    DUE_DEED /* of the day in full only: one of its deeds */
};

struct due {
    int64_t at, turn; /* turn is the agenda's */
    enum due_kind kind;
    int64_t which; /* the order, receipt or count of the script; what the run gave a shipment */
};
struct agenda {
    struct arena *arena;
    struct due *heap;
    size_t count, room;
    int64_t turns;
};

/* With all that the script knows: orders, payments, cancels, receipts, counts. */
void agenda_begin(struct agenda *agenda, struct arena *arena, const struct script *script);
void agenda_put(struct agenda *agenda, int64_t at, enum due_kind kind, int64_t which);
const struct due *agenda_next(const struct agenda *agenda); /* NULL: nothing is left */
struct due agenda_take(struct agenda *agenda);              /* there must be one */

/* A node picks one parcel after the other, always equally fast: the same for both runs. */
struct pickers {
    int64_t free_at[NODES];
};
/* When a parcel that is released now leaves. */
int64_t pickers_give(struct pickers *pickers, const struct script *script, int node, int64_t now);

#endif
