/* src/check/check.h: millrace check proves what must hold, by key ranges in short reads, while servers run. */
#ifndef MILLRACE_CHECK_CHECK_H
#define MILLRACE_CHECK_CHECK_H

#include "db/db.h"

/* Called for each violation: the rule's id, what it says, the keys, what was expected and what found. */
struct violation {
    const char *id, *what, *keys, *expected, *found;
};
struct check {
    struct db *db;
    struct arena *arena; /* of one range: reset after each */
    void (*tell)(void *context, const struct violation *violation);
    void *context;
    int64_t violations;
};

/* All rules over all units. DB_OK: it ran, see violations. */
enum db_result check_all(struct check *check);

/* Its parts, each for one unit. */
enum db_result check_stock(struct check *check, int64_t unit);
enum db_result check_orders_of(struct check *check, int64_t unit);
enum db_result check_events_of(struct check *check, int64_t unit);

#define CHECK_RANGE 5000

void check_found(struct check *check, const char *id, const char *what, const char *keys, int64_t expected, int64_t found);

#endif
