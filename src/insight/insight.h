/* src/insight/insight.h: what others may see of what has happened: events as a list and live, and what follows them in
 * bulk (search tokens, movements by SKU) in a store of its own that can be dropped and rebuilt.
 * Events are numbered in commit order without a gap, so a cursor is a number. Design: docs/design/engine.md. */
#ifndef MILLRACE_INSIGHT_INSIGHT_H
#define MILLRACE_INSIGHT_INSIGHT_H

#include "engine/api.h"
#include "engine/event.h"
#include "engine/vault.h"
#include "schema.h"

/* ---- events ---- */

#define EVENTS_LOOKED_AT_MAX 10000 /* by one request with type= */

/* Where events are read from, and which. */
struct event_source {
    struct db *db; /* the main store */
    struct arena *arena;
    int64_t unit;
    const char *unit_code; /* "company" for unit 0 */
    int64_t type;          /* 0: all */
    int64_t upto;          /* no event behind this is looked at; 0: no bound */
};
struct event_page {
    const struct event_row *events;
    size_t count;
    int64_t looked; /* the last number that was looked at: where the next page goes on */
    bool more;      /* there are more behind it */
};
/* The unit that a query names; a text of NULL: the only one. False, with a sentence in *wrong, for anything else; *result
 * tells of the store. */
bool event_source_find(struct event_source *source, const char *unit_code, enum db_result *result, const char **wrong);
/* Numbers of all units, the company's (0) first. */
enum db_result event_units_all(const struct event_source *source, int64_t **units, size_t *count);
/* The next events after `after`, at most `most` of them. */
enum db_result event_page_read(const struct event_source *source, int64_t after, size_t most, struct event_page *page);

/* Codes of what the events of a page are about. */
struct event_names;
enum db_result event_names_load(const struct event_source *source, const struct event_page *page, struct event_names **out);
/* An item of GET /v1/events. */
void event_write(const struct event_source *source, const struct event_names *names, const struct event_row *event, struct json_writer *json);

extern const struct route_table insight_routes, exception_routes, job_routes;

/* A client that follows events live; it begins as seq -1. It goes on from Last-Event-ID, else from the query's `after`. */
struct event_stream {
    const struct request *request; /* of the route above */
    const char *last_event_id;     /* "UNIT:SEQ", NULL: none */
    int64_t unit, seq;
};
/* Adds the events after the cursor to `out` as text/event-stream, about bytes_max of them, and moves the cursor; ids are
 * UNIT:SEQ. *more: there is more already. False: the store does not answer, which *result says, or with DB_OK in it there is no such
 * place to go on from. */
bool events_fill(struct reading *reading, struct event_stream *stream, struct buffer *out, size_t bytes_max, bool *more, enum db_result *result);

/* ---- projections ---- */

struct projection;

/* Opens both stores, brings the projections' schema up to date and starts the thread that follows. NULL with *error, a
 * sentence in the arena. The vault must outlive it. */
struct projection *projection_start(const struct db_options *store, struct vault *vault, struct arena *arena, const char **error);
void projection_stop(struct projection *projection); /* NULL is allowed */

/* There are new events: after every commit. From any thread; cheap. */
void projection_wake(struct projection *projection);
/* Waits until the unit's events up to seq are followed, at most until deadline_us (when_monotonic_us). */
bool projection_wait(struct projection *projection, int64_t unit, int64_t seq, int64_t deadline_us);
/* The same for all units and for what other servers committed: a round that begins after the mark was taken sees all that
 * was answered before. For http_options.projected; the context is the projection. */
int64_t projection_mark(void *context);
bool projection_caught_up(void *context, int64_t mark, int64_t deadline_us);

/* One round without a thread, over all units: for tests, simulations and the CLI. `read` is the projections' store. What
 * was done stays done when it fails: each page is a transaction with its cursor. */
struct follower {
    struct db *store, *read; /* what is followed is durable first: a power cut takes back what is not */
    struct vault *vault;
    struct arena *arena; /* reset for each page */
    int64_t wal_pages;   /* of the projections, since their WAL was written back */
    int64_t forget_rows; /* of one transaction, where a unit is followed anew; 0: 10,000 */
    int ledger_pages;    /* of the ledger, which comes last, for a unit in one round: others wait for its end. 0: all there are */
    bool ledger_behind;  /* after a round: there are more */
    void *context;
    bool (*reached)(void *context, int64_t unit, int64_t seq); /* after each page; false: stop here. NULL: none asks */
};
enum db_result projection_round(struct follower *follower);

#endif
