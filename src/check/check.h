/* src/check/check.h: millrace check proves what must hold, by key ranges in short reads, while servers run. */
#ifndef MILLRACE_CHECK_CHECK_H
#define MILLRACE_CHECK_CHECK_H

#include "engine/vault.h"
#include "db/db.h"

/* Called for each violation: the rule's id, what it says, the keys, what was expected and what found. */
struct violation {
    const char *id, *what, *keys, *expected, *found;
};
/* Ids that a unit knows, ascending. */
struct known {
    int64_t *ids;
    size_t count, room;
    int64_t below;                /* from here on ids were given out after the set was read: they are looked for one by one */
    const struct db_table *table; /* where; NULL: they are taken for known */
    int64_t unit;
};
bool known_add(struct known *known, int64_t id); /* false: no memory */
int64_t known_sort(struct known *known);         /* each once; gives one that came twice, 0 where none did */

struct check {
    struct db *db;
    struct db *read;           /* the projections' store; NULL: what stands in the ledger is not compared, all else is */
    struct arena *arena;       /* of one range: reset after each */
    const struct vault *vault; /* the numbers of order keys are proved with it; NULL: they are not, the caller says so */
    void (*tell)(void *context, const struct violation *violation);
    void *context;
    int64_t violations;
    int64_t told;                                       /* the unit's events that are known to be there: 1 .. told */
    struct known skus, nodes, classes, channels, keyed; /* of the unit at work; keyed: orders that have a key */
};

bool known_has(struct check *check, const struct known *known, int64_t id);
/* A row names something of its unit; what: "sku of listing". */
void must_know(struct check *check, const struct known *known, int64_t unit, const char *what, int64_t row, int64_t id);
/* A row names an event of its unit; 0: it names none. */
void must_be_told(struct check *check, int64_t unit, const char *what, int64_t row, int64_t seq);

/* All rules over all units. DB_OK: it ran, see violations. */
enum db_result check_all(struct check *check);

/* Its parts, each for one unit. */
enum db_result check_stock(struct check *check, int64_t unit);
enum db_result check_orders_of(struct check *check, int64_t unit);
enum db_result check_claims_of(struct check *check, int64_t unit);
enum db_result check_events_of(struct check *check, int64_t unit);
enum db_result check_keys_of(struct check *check, int64_t unit); /* before check_orders_of */
struct check_orders_result;
enum db_result check_numbers(struct check *check, int64_t unit, const struct check_orders_result *orders, size_t count); /* of a range of orders */
enum db_result check_supplies_of(struct check *check, int64_t unit);
enum db_result check_transfers_of(struct check *check, int64_t unit);
enum db_result check_recalls_of(struct check *check, int64_t unit);
enum db_result check_returns_of(struct check *check, int64_t unit);
enum db_result check_waiting_of(struct check *check, int64_t unit);
enum db_result check_promises_of(struct check *check, int64_t unit);
enum db_result check_handshake_of(struct check *check, int64_t unit);
enum db_result check_parcels_of(struct check *check, int64_t unit);
enum db_result check_short_picks_of(struct check *check, int64_t unit);
enum db_result check_counts_of(struct check *check, int64_t unit);
enum db_result check_count_classes_of(struct check *check, int64_t unit);
enum db_result check_webhooks_of(struct check *check, int64_t unit); /* of the company, too */
enum db_result check_routing_of(struct check *check, int64_t unit);
enum db_result check_references(struct check *check, int64_t unit);
enum db_result check_ledger_of(struct check *check, int64_t unit); /* behind check_events_of */
enum db_result known_load(struct check *check, int64_t unit);      /* before all others */

#define CHECK_RANGE 5000

/* The row with this key of `width` numbers, or NULL: db_load gives rows in the order of their keys. */
const void *check_row(const struct db_rows *rows, const int64_t *key, size_t width);

void check_found(struct check *check, const char *id, const char *what, const char *keys, int64_t expected, int64_t found);

#endif
