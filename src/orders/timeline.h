/* src/orders/timeline.h: what happened to an order, in sentences for whoever has the customer on the telephone. */
#ifndef MILLRACE_ORDERS_TIMELINE_H
#define MILLRACE_ORDERS_TIMELINE_H

#include "engine/event.h"
#include "orders/orders.h"

/* Goes through the events about one order, from the first. */
struct timeline {
    struct order *order;
    int64_t told_fulfilment; /* up to this id, nodes were named in a release */
};
/* The sentence of the next event, in English, made of what the event itself says, so that it is the same whenever it is
 * read; never of persons. Lives in the arena of the working set. What an event of an older release does not say is left out. */
const char *timeline_sentence(struct timeline *timeline, const struct event_row *event);
/* One such, for docs/events.md; NULL: the type has no sentence of its own, event_said() does. */
const char *timeline_sample(enum event_type type);

#endif
