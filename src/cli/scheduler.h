/* src/cli/scheduler.h: what happens because time has passed. It looks once a second and submits commands; it changes nothing
 * itself. */
#ifndef MILLRACE_CLI_SCHEDULER_H
#define MILLRACE_CLI_SCHEDULER_H

#include "engine/engine.h"

struct scheduler;

/* `tick` is called each time on the scheduler's thread: what other servers committed is not told to this one. NULL with
 * *error, a sentence in the arena. */
struct scheduler *scheduler_start(const struct db_options *store, struct engine *engine, void (*tick)(void *context), void *context,
                                  struct arena *arena, const char **error);
void scheduler_stop(struct scheduler *scheduler); /* waits for the command that it has submitted; NULL is allowed */

#endif
