/* src/engine/idempotency.h: a command sent again with its key is answered again, not done again. Rows live in one
 * generation a day; three are looked at, so a key is remembered for at least 48 hours. 2xx and 409 are remembered, a 2xx
 * also where it changed nothing: its row names the event as of which the answer was. */
#ifndef MILLRACE_ENGINE_IDEMPOTENCY_H
#define MILLRACE_ENGINE_IDEMPOTENCY_H

#include "engine/ws.h"

#define DAY_US INT64_C(86400000000)
#define IDEMPOTENCY_DAYS 3 /* generations that are looked at */

void idempotency_want(struct ws *ws, const struct command *command);
/* True when the key is known: the command is answered (again, or by 422 idempotency_mismatch). */
bool idempotency_answers(struct ws *ws, struct command *command);
/* Remembers the outcome of a command that was decided. */
void idempotency_keep(struct ws *ws, const struct command *command);

/* What a key stands for, for who asks afterwards. */
struct idempotency_entry {
    int64_t key_hash[2];
    int64_t unit, event_seq, status; /* of a 2xx; event_seq 0: nothing is remembered of it */
};
/* Fills in those that this unit remembers. */
enum db_result idempotency_events(const struct reading *reading, int64_t unit, struct idempotency_entry *entries, size_t count);

#endif
