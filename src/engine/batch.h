/* src/engine/batch.h: how a batch runs; between engine.c (queues and threads) and ws.c. */
#ifndef MILLRACE_ENGINE_BATCH_H
#define MILLRACE_ENGINE_BATCH_H

#include "engine/black_box.h"
#include "engine/culprits.h"
#include "engine/engine.h"
#include "engine/ws.h"

#define UNITS_MAX 64 /* of one process; more than that is more processes */

/* Whether it pays to try commands of a kind ahead (batch.c): what they then need at their turn may hang on those before them. */
struct ahead {
    const struct command_type *type;
    int score; /* below 0: not now */
};
#define AHEAD_TYPES 16

/* One connection, the working sets of its units, and what is remembered of them. */
struct writer {
    struct db *db;
    struct db_options options;
    struct engine_clock clock;
    struct vault *vault;
    struct arena *arena;               /* of one batch's statements */
    struct ws *sets[UNITS_MAX + 1];    /* sets[0] is the company's */
    int64_t last_batch[UNITS_MAX + 1]; /* as we left it; -1: never */
    size_t set_count;
    int64_t random;        /* of this process: whose batch was it? */
    struct black_box *box; /* NULL: nobody asked for one */
    size_t batch_rows;
    int64_t batch_us;
    struct engine_stats stats;
    struct ahead ahead[AHEAD_TYPES];
    size_t ahead_next;          /* which is forgotten for another */
    int64_t seq[UNITS_MAX + 1]; /* newest committed event by set */
    bool knows_culprits[UNITS_MAX + 1];
    struct culprits culprits;
};

/* Opens the connection again where it was lost. */
enum db_result writer_ready(struct writer *writer);
/* Answers a command, or all of a preview, that was not decided because the store failed. */
void batch_refuse(struct command *command, enum db_result result);
/* Decides and commits commands of one unit as one transaction, as many as its bounds allow (at least one); answers
 * those and returns how many. The commands' answers are filled; done is the caller's to call. */
size_t batch_run(struct writer *writer, int64_t unit, struct command **commands, size_t count);

#endif
