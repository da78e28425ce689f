/* src/importer/replay.h: one run of an import, for the files of this folder. */
#ifndef MILLRACE_IMPORTER_REPLAY_H
#define MILLRACE_IMPORTER_REPLAY_H

#include "importer/asker.h"
#include "importer/importer.h"
#include "importer/names.h"
#include "importer/sales.h"

#define BATCH_ORDERS_MAX 100
#define BATCH_LINES_MAX 1000
#define BATCH_ADJUSTMENTS_MAX 250 /* each may fill a queue of what waits */

/* What the time goes to. */
enum activity { ACTIVITY_PRODUCTS, ACTIVITY_ORDERS, ACTIVITY_CANCELLATIONS, ACTIVITY_STOCK, ACTIVITY_DELIVERIES, ACTIVITY_SHIPPING, ACTIVITY_COUNT };

/* Entries of one kind, made and known before. */
struct tally {
    int64_t fresh, known, refused;
};

struct replay {
    const struct import *import;
    struct sales sales;
    struct remarks remarks;
    struct asker *asker;
    struct arena *arena, *scratch; /* the whole run; one exchange */
    struct names orders;           /* the server's id to invoice */
    struct tally made[ACTIVITY_COUNT];
    int64_t spent_us[ACTIVITY_COUNT], began_us, shown_us;
    int64_t units_cancelled, units_returned, units_delivered;
    uint32_t batch[BATCH_ORDERS_MAX]; /* invoices that are not sent yet */
    size_t batch_count, batch_lines;
    int64_t week, day; /* that is being played */
    const char *error;
};

/* One exchange: all calls in flight together, answers in scratch. False, with error, when the server is lost, or answers with
 * what no row can be blamed for. */
bool replay_ask(struct replay *replay, enum activity activity, struct call *calls, size_t count);
/* Waits until the server has no job left: what a command has set going is done, so that what comes next meets the same state on any
 * store and at any load. */
bool replay_settle(struct replay *replay, enum activity activity);
/* A call that replay_ask has not made yet; `body` NULL for none. */
struct call replay_call(const char *method, const char *target, const char *body);
/* Text as it stands in a path or query. */
const char *replay_percent(struct arena *arena, const char *text);
/* Gives false, with the error put together. */
bool replay_fail(struct replay *replay, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One line of a batch of adjustments; `line` NULL where no row of a file asks for it. */
struct adjustment {
    const char *sku, *reason, *bucket, *document;
    int64_t delta;
    const struct sale_line *line;
};
bool replay_adjust(struct replay *replay, enum activity activity, const struct adjustment *adjustments, size_t count);

/* supply.c: what comes in on the Monday of `week`. */
bool supply_week(struct replay *replay, int64_t week);
void supply_sold(struct product *product, int64_t units);
void supply_cancelled(struct product *product, int64_t units);
/* Units that must be booked as found so that `units` can surely be written off. */
int64_t supply_written_off(struct product *product, int64_t units);
void supply_found(struct product *product, int64_t units);

/* shipping.c: what is released by the end of `day`, and was ordered early enough, leaves. */
bool ship_day(struct replay *replay, int64_t day);

/* outcome.c: reads what stands now, and reports. */
bool outcome_report(struct replay *replay);

#endif
