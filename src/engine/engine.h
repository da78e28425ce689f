/* src/engine/engine.h: one door, one batch at a time per unit. Everything that writes is a command; what waits is taken,
 * decided in order over a working set, written once, set-based, and committed as one transaction; answers go out only
 * after the commit is durable. Design: docs/design/engine.md. */
#ifndef MILLRACE_ENGINE_ENGINE_H
#define MILLRACE_ENGINE_ENGINE_H

#include "engine/command.h"

struct engine;

/* The clock that the engine reads once a batch; simulations hand in their own. */
struct engine_clock {
    int64_t (*now_us)(void *context);
    void *context;
};

#define ENGINE_LANES_MAX 8

struct engine_options {
    const char *url;
    struct db_options db;
    struct vault *vault;
    struct engine_clock clock; /* now_us NULL: the wall clock */
    size_t batch_rows;         /* 0: 4000 */
    int64_t batch_us;          /* deciding at most; 0: 10000. Negative: no limit (replayable cuts) */
    size_t batch_commands;     /* 0: 512 */
    size_t queue_bytes;        /* 0: 64 MiB, then 503 */
    size_t lanes;              /* writers, each with a connection and the units that are its own; 0: one, as SQLite needs; at most ENGINE_LANES_MAX */
    const char *black_box;     /* path of the page in engine/black_box.h; NULL: none */
    void (*committed)(void *context); /* after batches that may have made events, when they are durable; NULL: nobody asks */
    void *committed_context;
};

/* Without threads: opens a connection; engine_run decides and commits `count` commands of one unit in order as one
 * batch (cut where a bound says so) and answers each. For the CLI, simulations and tests. NULL with *error. */
struct engine *engine_open(const struct engine_options *options, struct arena *arena, const char **error);
void engine_run(struct engine *engine, struct command **commands, size_t count);
void engine_close(struct engine *engine);
struct db *engine_db(struct engine *engine);

/* With threads, one for each lane. submit never blocks: it answers through command->done, with
 * 503 `busy` at once when the queues are full. What stands behind command->with goes with its first: it is not submitted. */
enum db_result engine_start(struct engine *engine);
void engine_submit(struct engine *engine, struct command *command);
void engine_stop(struct engine *engine); /* drains: what was taken is answered */

/* From any thread, as of each lane's last batch: whoever was answered is counted. */

/* The newest event number committed in the unit, as far as this process knows. */
int64_t engine_event_seq(struct engine *engine, int64_t unit);

struct engine_stats { /* since start; microseconds of the writer */
    int64_t batches, commands, refused, retried, needs;
    int64_t take_us, prefetch_us, decide_us, write_us, commit_us, sync_us;
    int64_t queued, queue_bytes;
};
void engine_stats(struct engine *engine, struct engine_stats *stats);

#endif
