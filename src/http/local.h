/* src/http/local.h: a client inside the process: the real routes, edges and engine, without sockets or threads. For the
 * simulation, the importer and tests of stores; what goes through here is what goes through HTTP. */
#ifndef MILLRACE_HTTP_LOCAL_H
#define MILLRACE_HTTP_LOCAL_H

#include "engine/engine.h"

struct local;

/* `engine` runs without threads; reads use its connection. NULL with *error. */
struct local *local_open(struct engine *engine, struct vault *vault, struct arena *arena, const char **error);
void local_close(struct local *local);
/* Reads find the projections' store here, as it stands: who calls sees to it that it has followed. NULL, as at first: there is none. */
void local_projection(struct local *local, struct db *read);

/* A command, parsed and checked at the edge, not yet run: hand an array of them to engine_run. Its memory is `arena`,
 * which must outlive it. state is COMMAND_REFUSED, and it must not be run, when the edge refused it. NULL: no route. */
struct command *local_command(struct local *local, struct arena *arena, const char *method, const char *target, const char *body,
                              const char *idempotency_key);

struct reply {
    int status;
    const char *body; /* in the arena; "" for none */
};
/* One call, answered: a command is a batch of its own. */
struct reply local_call(struct local *local, struct arena *arena, const char *method, const char *target, const char *body);

#endif
