/* src/connect/connect.h: what leaves the house: webhooks, which are told what has happened. A webhook is a master of the company; for each unit that
 * it follows it has a subscription there: a cursor on the unit's events, and the few behind it that still wait. Sending is a thread's
 * (connect/sender.h); what came of it is reported by a command of the unit. Design: docs/design/webhooks.md. */
#ifndef MILLRACE_CONNECT_CONNECT_H
#define MILLRACE_CONNECT_CONNECT_H

#include "catalog/catalog.h"
#include "engine/event.h"
#include "engine/lease.h"

#define WEBHOOK_LOG 1000                      /* attempts that are kept of a subscription: the last ones */
#define WEBHOOK_WAITING_MAX 1000              /* events behind its cursor; more than that, and the cursor stands still */
#define WEBHOOK_REPORT_MAX 256                /* attempts in one report */
#define WEBHOOK_FAILING 3                     /* attempts in a row that failed: from then on it is an exception */
#define WEBHOOK_DEAD_US INT64_C(259200000000) /* nothing succeeded for three days: nothing more is sent */

extern const struct master_kind webhook_master;
extern const struct field_table webhook_fields;
extern const struct command_type webhook_put, webhook_patch, webhook_rotate, webhook_replay, webhook_test;

/* In the company's working set; NULL: there is none. */
const struct webhook_row *webhook_named(struct ws *ws, const char *code);

/* Whether a webhook with these rows' texts wants events of this type, and of the unit with this code ("company" for unit 0). */
bool webhook_wants(const char *events, enum event_type type);
bool webhook_follows(const char *units, const char *unit_code);

/* The key under which events come in order: those of an order and its parts are one, else each thing that an event is about is one. */
int64_t event_order_key(int64_t about, enum subject_kind kind, int64_t subject, int64_t node, int64_t sku);

/* How long after the attempt number `attempts` (1: the first) the next is due; 0: that was the last. Each time a little longer than the table says,
 * by up to a fifth, as `seed` says: what failed together does not come back together. Pure. */
int64_t webhook_wait_us(int64_t attempts, uint64_t seed);

/* ---- what came of it: commands that the sender submits ---- */

enum waiting_kind { WAITING_EVENT, WAITING_REPLAY, WAITING_TEST };

enum sent_outcome {
    SENT_HELD,      /* nothing was sent: it waits behind one of its key */
    SENT_DELIVERED, /* answered 2xx */
    SENT_FAILED,    /* another answer, or none: it comes again */
    SENT_GIVEN_UP,  /* the same, and that was the last time: the key goes on without it */
    SENT_OUTCOME_COUNT
};
extern const char *const sent_outcome_names[SENT_OUTCOME_COUNT + 1];

struct webhook_sent {
    int64_t seq;
    enum waiting_kind kind;
    int64_t key;
    enum sent_outcome outcome;
    int64_t at, took_us;
    int64_t status;     /* of HTTP; 0: no answer came */
    const char *detail; /* why not, NULL: delivered */
};
struct webhook_report {
    struct lease_claim claim;
    int64_t webhook, epoch;
    const char *code;
    int64_t seq; /* the cursor: all up to here is delivered, not wanted, given up or reported as waiting, now or before */
    const struct webhook_sent *sent;
    size_t count; /* at most WEBHOOK_REPORT_MAX */
    bool gone;    /* answered 410: it is over, and that is work for a person at once */
};
/* input: a struct webhook_report. Refused with STATE_CONFLICT, and nothing is kept of it, when another process holds the lease since, or the
 * cursor was set anew: the sender reads it anew then. */
extern const struct command_type webhook_report, company_webhook_report;

/* A webhook that follows all units meets one that is newer than itself: its subscription begins with the unit's first event. input: a
 * struct webhook_start. Of the unit; accepted also where there is one. */
struct webhook_start {
    int64_t webhook;
};
extern const struct command_type webhook_start;

/* Nothing more is sent until a person changes the webhook. Of the company. input: a struct webhook_stop. */
struct webhook_stop {
    int64_t webhook;
    const char *why;
};
extern const struct command_type webhook_stop;

extern const struct route_table webhook_routes;
void webhook_deliveries(struct reading *reading, const struct request *request, struct answer *answer);
void webhook_subscriptions(struct reading *reading, const struct request *request, struct answer *answer);

/* The exception's cause. */
const char *webhook_cause(struct ws *ws, int64_t webhook);

/* The whole resource, of a webhook's row; texts in the arena. */
struct webhook_io {
    struct field_presence presence;
    const char *code;
    int64_t version;
    const char *url, *description;
    struct field_list events, units;
    bool active;
    const char *disabled, *secret;
    /* Not of the resource: what the secrets of a new one are derived from, sealed at the edge, where there is randomness. */
    struct bytes seed_key, seed;
};

#endif
