/* src/orders/dates.h: when those who wait will have units, and how many are free by which date. Both are one walk: down the queue of a SKU by rank,
 * each line takes what is expected earliest at a node that its channel may have it from. Nothing of it is stored: who ranks first has the right to
 * what comes first, so that another date, or a delivery, changes 100,000 promises by changing one row. Design: docs/design/supply.md. */
#ifndef MILLRACE_ORDERS_DATES_H
#define MILLRACE_ORDERS_DATES_H

#include "engine/api.h"
#include "engine/ws.h"

/* Units that are expected, and what the walk has left of them. In the order of dates; first those that are there, at 0. */
struct coming {
    int64_t at, node, units;
    bool late; /* its date has passed: nobody knows when it will come */
};

/* Gives a line its units: the earliest at these nodes that are left. Returns the date of the last of them, NULL_INT where there is none for some, or
 * some of them are late. Pure. */
int64_t coming_take(struct coming *coming, size_t count, const int64_t *nodes, size_t node_count, int64_t units);

/* When a line's units that wait will have come, as far as supply is known. */
struct line_date {
    int64_t line, at; /* NULL_INT: nobody knows */
};
/* Of each line of the order that waits, by line; none where nothing waits. A request looks at 200,000 places of queues at most: behind them nobody
 * knows. For reads: it asks the store itself. */
enum db_result order_dates(struct reading *reading, int64_t unit, int64_t order, const struct line_date **dates, size_t *count);

/* A place of a queue, what was told of it, and the date that follows for it now: 0: its units stand somewhere, NULL_INT: nobody knows. */
struct queue_place {
    int64_t priority, promise, ord, line, part, told;
};
typedef bool queue_visitor(void *context, const struct queue_place *place, int64_t at); /* false: it has seen enough */
/* Goes down the whole queue of a SKU, of its first QUEUE_PLACES places. Late is what people were told is late, not what the clock says, so that the
 * dates are a function of what is stored. *stands: units of it stand free while somebody waits. Within one snapshot: db_begin_read before. */
#define QUEUE_PLACES 1000000
enum db_result queue_dates(struct reading *reading, int64_t unit, int64_t sku, queue_visitor *visit, void *context, bool *stands);

/* GET /v1/availability/dates: what a channel may sell of a SKU or bundle now, and from each date on on which more comes than those need who rank
 * before a new order of the channel. */
void get_availability_dates(struct reading *reading, const struct request *request, struct answer *answer);
extern const struct field_table availability_dates_fields;

#endif
