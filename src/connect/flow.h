/* src/connect/flow.h: one subscription in memory: the events that are to be sent, in what order, and what became of them since the last report.
 * Pure: nothing here reads a clock, a store or the network. An event's key says with which others it must keep its order; one of a key is under
 * way at a time, and the next of the key only after it was answered 2xx or given up. Other keys go on. */
#ifndef MILLRACE_CONNECT_FLOW_H
#define MILLRACE_CONNECT_FLOW_H

#include "connect/connect.h"

#define FLOW_FRESH_MAX 256 /* events that were read and not tried yet */
#define FLOW_AT_ONCE 4     /* under way, while all is well */

struct flow_item {
    int64_t seq, key;
    enum waiting_kind kind;
    int64_t attempts, due_us;
    bool kept;      /* a row of webhook_waiting has it, or the next report makes one: the cursor may pass it */
    bool is_flying; /* under way */
};

struct flow {
    int64_t unit, webhook, epoch, fresh_at; /* as the row had them */
    int64_t seq;                            /* the cursor as it was reported last */
    int64_t read;                           /* events up to here were looked at */
    struct flow_item *items;                /* by seq; malloc'd */
    size_t count, room, flying;
    int64_t failing, failing_since_us, pause_us;  /* nothing is tried before pause_us */
    int64_t asked_us;                             /* nor before this: the receiver asked for it (Retry-After) */
    int64_t hasten;                               /* waits are divided by it: tests. 0: 1 */
    bool is_gone;                                 /* answered 410 */
    struct webhook_sent sent[WEBHOOK_REPORT_MAX]; /* since the last report */
    size_t sent_count;
    bool is_full; /* no memory for an item: the next round tries again */
};

/* Begins anew on what the rows say. False: no memory. */
bool flow_load(struct flow *flow, const struct webhook_subscription_row *row, const struct webhook_waiting_row *waiting, size_t count);
void flow_free(struct flow *flow);

/* How many events more it may take now. */
size_t flow_room(const struct flow *flow);
/* An event behind all that were read; `wanted` false: it is only noted that it was looked at. False: no memory, read on later. */
bool flow_read(struct flow *flow, int64_t seq, int64_t key, bool wanted);

/* What may be sent now, the oldest first, at most `most`: each is under way from here on. Events behind one of their key that waits are noted as
 * held. Returns how many; out: their numbers. */
size_t flow_take(struct flow *flow, int64_t now_us, size_t most, int64_t *out);
/* It could not be begun: as if it had not been taken. */
void flow_put_back(struct flow *flow, int64_t seq);

/* What came of one that was taken. */
struct flow_answer {
    int64_t seq, at, took_us, status;
    int64_t retry_after_s; /* of one that was not delivered: it asks for so long a pause; 0: it does not */
    bool delivered, gone;
    const char *detail; /* kept as it is */
};
void flow_answered(struct flow *flow, const struct flow_answer *answer, int64_t now_us);

/* The cursor that a report with all of flow->sent may name. */
int64_t flow_cursor(const struct flow *flow);
/* The first `count` of flow->sent stand in a report that was accepted. */
void flow_reported(struct flow *flow, int64_t seq, size_t count);
/* Nothing succeeded for so long that nothing more should be sent. */
bool flow_is_dead(const struct flow *flow, int64_t now_us);

#endif
