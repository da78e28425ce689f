/* src/engine/forget.h: what is kept for a time only. */
#ifndef MILLRACE_ENGINE_FORGET_H
#define MILLRACE_ENGINE_FORGET_H

#include "engine/command.h"

/* Deletes idempotency rows that no key finds any more, and batch rows older than a day: at most a thousand of each, the
 * oldest first. For a unit, and for the company. Without input. */
extern const struct command_type engine_forget, company_forget;

/* The first day (since 1970, UTC) whose idempotency rows are still looked for at this time; microseconds. */
int64_t idempotency_first_day(int64_t now_us);
/* Batch rows before this time are of no use: who lost a connection looked long ago. */
int64_t batch_first_time(int64_t now_us);

#endif
