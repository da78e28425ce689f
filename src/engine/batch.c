/* src/engine/batch.c: one batch from the clock row to the answers.
 * The clock row first, then rows that the commands will probably need, then the commands in queue order, each seeing
 * those before it; then every dirty row once; then COMMIT. A refusal is undone to its mark, and so is a preview. An error
 * in writing is never skipped: all is rolled back, and what failed by a constraint is halved until the culprit stands alone. */
#include "engine/batch.h"
#include "base/when.h"
#include "engine/idempotency.h"
#include "engine_sql.h"
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTCOME_WAIT_US INT64_C(5000000)
#define OUTCOME_PAUSE_US 100000
#define NEEDS_MAX 10000                /* rounds of one command: more is a decide that asks for ever */
#define AHEAD_MAX 64                   /* commands that are tried behind one that needs rows */
#define AHEAD_BYTES ((size_t)64 << 20) /* of the batch's memory: beyond it nobody is tried ahead */
#define AHEAD_BEST 32
#define AHEAD_MISS 8            /* one that needed rows all the same weighs as much as so many that did not */
#define AHEAD_PAUSE 64          /* commands that need rows, until it is tried again */
#define PREVIEW_ROWS_MAX 200000 /* that one preview may have changed: the others of the batch wait, and share its memory */

/* A unit's sets in this batch: one, or the company's and all units'. */
struct batch {
    struct writer *writer;
    size_t first, count; /* sets[first .. first + count) */
    struct command **commands;
    size_t taken, decided;
    enum tried { TRIED_NOT, TRIED, TRIED_FOUND } * tried; /* of each command, ahead of its turn; found: it needed nothing more */
    size_t known;                                         /* sets[known ..] are of units that this batch makes */
    int64_t now_us;
    struct arena_door *full;  /* where its memory ends */
    struct command *deciding; /* whose memory has a door of ours */
    struct arena_door *outer; /* ... and the one before it */
    int64_t loading_us;       /* spent in decide on rows that were not known: the bound is on deciding */
    bool outcome_is_open;     /* COMMIT was sent, and the store does not say what became of it */
    bool writes;              /* something was decided that is no preview */
};

static int64_t since(int64_t *at_us)
{
    int64_t now = when_monotonic_us(), spent = now - *at_us;
    *at_us = now;
    return spent;
}

static struct ws *set_make(struct writer *writer, int64_t unit)
{
    if (writer->set_count == COUNT(writer->sets))
        return NULL;
    struct ws *ws = ws_new(&(struct ws_options){ .unit = unit, .vault = writer->vault });
    if (ws == NULL)
        return NULL;
    writer->last_batch[writer->set_count] = -1;
    writer->seq[writer->set_count] = 0;
    writer->knows_culprits[writer->set_count] = false;
    writer->sets[writer->set_count++] = ws;
    return ws;
}

static size_t set_index(struct writer *writer, int64_t unit)
{
    for (size_t i = 0; i < writer->set_count; i++)
        if (ws_unit(writer->sets[i]) == unit)
            return i;
    return set_make(writer, unit) != NULL ? writer->set_count - 1 : SIZE_MAX;
}

/* A unit that a company command makes: its set exists from here, its clock row with the commit. */
static struct ws *set_of_new_unit(void *context, int64_t unit)
{
    struct batch *batch = context;
    if (batch->writer->set_count == COUNT(batch->writer->sets))
        return NULL;
    struct ws *ws = set_make(batch->writer, unit);
    if (ws == NULL)
        longjmp(batch->full->where, 1);
    ws_set_door(ws, batch->full);
    static const uint8_t no_head[32];
    struct unit_clock_row clock = { .unit = unit, .next_id = 1000, .config_version = 1, .audit_head = { no_head, sizeof no_head } };
    ws_batch_begin(ws, &clock, batch->now_us, false);
    ws_clock_is_new(ws);
    batch->count = batch->writer->set_count;
    return ws;
}

static struct db_read clock_read(const int64_t *unit)
{
    return (struct db_read){ .table = &unit_clock_table, .keys = unit, .count = 1, .lock = true };
}

/* The clock row is ours from here on, and so is the unit. What its set wants already is loaded behind it in the same go. */
static enum db_result set_begin(struct batch *batch, size_t i, bool *same)
{
    struct writer *writer = batch->writer;
    struct ws *ws = writer->sets[i];
    const int64_t unit = ws_unit(ws);
    struct db_read clock = clock_read(&unit);
    ws_set_door(ws, batch->full);
    enum db_result result = ws_feed(ws, writer->db, &clock);
    if (result != DB_OK || clock.rows.count == 0)
        return result == DB_OK ? DB_BUG : result;
    const struct unit_clock_row *taken = db_row(&clock.rows, 0);
    *same = writer->last_batch[i] < 0 || taken->batch_id == writer->last_batch[i]; /* never: nothing was kept that could be old */
    ws_batch_begin(ws, taken, batch->now_us, *same);
    return DB_OK;
}

static enum db_result company_begin(struct batch *batch)
{
    struct writer *writer = batch->writer;
    struct unit_clock_units_result *units;
    size_t count;
    bool same;
    enum db_result result = set_begin(batch, 0, &same);
    if (result == DB_OK)
        result = unit_clock_units(writer->db, writer->arena, &units, &count);
    for (size_t i = 1; result == DB_OK && i < count; i++) { /* ascending: two company batches cannot deadlock */
        size_t at = set_index(writer, units[i].unit);
        result = at == SIZE_MAX ? DB_BUSY : set_begin(batch, at, &same);
    }
    batch->known = batch->count = writer->set_count;
    ws_set_peers(writer->sets[0], writer->sets, &writer->set_count, set_of_new_unit, batch);
    return result;
}

static enum db_result feed(struct batch *batch)
{
    enum db_result result = DB_OK;
    for (size_t i = batch->first; i < batch->first + batch->count && result == DB_OK; i++)
        if (ws_wants_something(batch->writer->sets[i]))
            result = ws_feed(batch->writer->sets[i], batch->writer->db, NULL);
    return result;
}

static void prefetch(struct batch *batch, struct command *const *commands, size_t count)
{
    struct ws *ws = batch->writer->sets[batch->first];
    for (size_t i = 0; i < count; i++) {
        for (const struct command *command = commands[i]; command != NULL; command = command->with) {
            if (command->form.count > 0)
                continue; /* its keys are not all there */
            idempotency_want(ws, command);
            if (command->type->prefetch != NULL)
                command->type->prefetch(ws, command);
        }
    }
}

/* A unit's batch: what its commands name is asked for with the clock row. Where another process wrote meanwhile the rows
 * that were kept are not what they name, and all is asked again. */
static enum db_result unit_begin(struct batch *batch, size_t count)
{
    bool same = false;
    ws_batch_expect(batch->writer->sets[batch->first], batch->now_us);
    prefetch(batch, batch->commands, count);
    enum db_result result = set_begin(batch, batch->first, &same);
    if (result != DB_OK || same)
        return result;
    prefetch(batch, batch->commands, count);
    return feed(batch);
}

static enum db_result company_begin_and_feed(struct batch *batch, size_t count)
{
    enum db_result result = company_begin(batch);
    if (result != DB_OK)
        return result;
    prefetch(batch, batch->commands, count);
    return feed(batch);
}

static void decide(struct ws *ws, struct command *command)
{
    command->faults = (struct faults){ .arena = command->arena };
    command->answer = (struct answer){ 0 };
    command->event_seq = 0;
    command->existing = false;
    bool blocked = ws_clock(ws)->blocked != 0 && !command->type->passes_barrier;
    for (size_t i = 0; i < command->form.count; i++)
        fault_add(&command->faults, command->form.items[i].code, command->form.items[i].pointer, "%s", command->form.items[i].detail);
    if (command->form.count > 0 && !blocked)
        command->type->look_up(ws, command);
    else if (command->form.count > 0)
        return; /* what it names may not be here yet */
    else if (blocked)
        fault_add(&command->faults, FAULT_BUSY, NULL, "a job makes the unit ready; nothing was changed");
    else if (!idempotency_answers(ws, command))
        command->type->decide(ws, command);
}

enum attempt { ATTEMPT_DONE, ATTEMPT_NEEDS /* a row was not known */, ATTEMPT_FULL /* the request's memory ran out */ };

static void door_back(struct batch *batch)
{
    if (batch->deciding != NULL)
        arena_set_door(batch->deciding->arena, batch->outer);
    batch->deciding = NULL;
}

static enum attempt attempt(struct batch *batch, struct ws *ws, struct command *command, struct arena_door *need)
{
    struct arena_door full;
    batch->outer = arena_set_door(command->arena, &full);
    batch->deciding = command;
    volatile enum attempt became = ATTEMPT_FULL;
    if (setjmp(full.where) == 0) {
        became = ATTEMPT_NEEDS;
        if (setjmp(need->where) == 0) {
            decide(ws, command);
            became = ATTEMPT_DONE;
        }
    } else {
        became = ATTEMPT_FULL;
    }
    door_back(batch);
    return became;
}

/* Lets go of the sets of units that were made behind the first `count`. */
static void drop_sets(struct batch *batch, size_t count)
{
    struct writer *writer = batch->writer;
    while (batch->first == 0 && batch->count > count) {
        ws_free(writer->sets[--writer->set_count]);
        batch->count = writer->set_count;
    }
}

static void undo_sets(struct batch *batch, const struct ws_mark *marks, size_t count)
{
    struct writer *writer = batch->writer;
    drop_sets(batch, count);
    for (size_t i = 0; i < count; i++)
        ws_undo(writer->sets[batch->first + i], &marks[i]);
}

static void set_doors(struct batch *batch, struct arena_door *door)
{
    for (size_t i = batch->first; i < batch->first + batch->count; i++)
        ws_need_door(batch->writer->sets[i], door);
}

/* Every accepted command is folded into the unit's audit chain. */
static void fold_audit(struct ws *ws, const struct command *command)
{
    struct bytes *head = &ws_clock(ws)->audit_head;
    uint8_t *next = arena_alloc(ws_arena(ws), 32);
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    crypto_generichash_update(&state, head->at, head->size);
    crypto_generichash_update(&state, (const uint8_t *)command->type->name, strlen(command->type->name));
    crypto_generichash_update(&state, (const uint8_t *)&command->actor.key, sizeof command->actor.key);
    crypto_generichash_update(&state, (const uint8_t *)command->body_hash, sizeof command->body_hash);
    crypto_generichash_update(&state, (const uint8_t *)&ws_clock(ws)->event_seq, sizeof(int64_t));
    crypto_generichash_final(&state, next, 32);
    *head = (struct bytes){ next, 32 };
}

static void refuse_culprit(struct command *command)
{
    command->state = COMMAND_REFUSED;
    command->is_culprit = true;
    answer_fault(&command->answer, command->arena, FAULT_CULPRIT, NULL, "nothing was changed");
}

/* Alone: the others of the batch have memory of their own. Its key is not remembered: later it may be done. */
static void refuse_full(struct command *command)
{
    command->state = COMMAND_REFUSED;
    answer_fault(&command->answer, command->arena, FAULT_BUSY, NULL, "no memory is left for this request; nothing was changed");
}

static void mark_sets(const struct batch *batch, const struct command *command, struct ws_mark *marks)
{
    for (size_t i = 0; i < batch->count; i++)
        marks[i] = ws_mark(batch->writer->sets[batch->first + i], &command->actor);
}

/* One of those behind: as far as it gets, and undone. What it wanted is noted. */
static void try_ahead(struct batch *batch, size_t i)
{
    struct ws_mark marks[UNITS_MAX + 1];
    const size_t count = batch->count;
    struct command *command = batch->commands[i];
    struct arena_door need;
    if (!black_box_enter(batch->writer->box, command)) {
        batch->tried[i] = TRIED_FOUND;
        return;
    }
    mark_sets(batch, command, marks);
    set_doors(batch, &need);
    batch->tried[i] = attempt(batch, batch->writer->sets[batch->first], command, &need) == ATTEMPT_NEEDS ? TRIED : TRIED_FOUND;
    undo_sets(batch, marks, count);
    black_box_leave(batch->writer->box);
}

static struct ahead *ahead_of(struct writer *writer, const struct command_type *type)
{
    for (size_t i = 0; i < AHEAD_TYPES; i++)
        if (writer->ahead[i].type == type)
            return &writer->ahead[i];
    struct ahead *ahead = &writer->ahead[writer->ahead_next++ % AHEAD_TYPES];
    *ahead = (struct ahead){ .type = type };
    return ahead;
}

/* Whether a command that was tried ahead had its rows at its turn. Where it had not, those of its kind are left alone for a while. */
static void ahead_learn(struct batch *batch, const struct command *command, bool needed)
{
    if (batch->tried[batch->decided] == TRIED_NOT)
        return;
    struct ahead *ahead = ahead_of(batch->writer, command->type);
    ahead->score = needed ? (ahead->score > 0 ? ahead->score - AHEAD_MISS : -AHEAD_PAUSE) : ahead->score + (ahead->score < AHEAD_BEST);
    batch->tried[batch->decided] = TRIED_NOT; /* once */
}

/* A command needs rows, so those of its kind behind it do: each is tried as far as it gets, so that what all of them need is read at once. A
 * read on PostgreSQL is a round trip with the unit's clock row in hand; on SQLite it is a call, and nobody is tried. A try ends where the
 * command's own first one would have, so it costs nothing twice, but for the last, which finds all. */
static void look_ahead(struct batch *batch, const struct command *command)
{
    struct ahead *ahead = ahead_of(batch->writer, command->type);
    size_t tries = 0;
    if (ahead->score < 0) {
        ahead->score++;
        return;
    }
    for (size_t i = batch->decided + 1; i < batch->taken && tries < AHEAD_MAX && arena_used(batch->writer->arena) < AHEAD_BYTES; i++) {
        const struct command *other = batch->commands[i];
        if (other->type != command->type || other->dry_run || other->form.count > 0 || batch->tried[i] == TRIED_FOUND)
            continue;
        try_ahead(batch, i);
        tries++;
    }
}

static enum db_result decide_one(struct batch *batch, struct command *command)
{
    struct ws_mark marks[UNITS_MAX + 1];
    size_t count = batch->count;
    struct ws *ws = batch->writer->sets[batch->first];
    struct arena_door need;
    enum db_result result = DB_OK;
    enum attempt became = ATTEMPT_NEEDS;
    mark_sets(batch, command, marks);
    set_doors(batch, &need);
    for (size_t round = 0; result == DB_OK; round++) {
        assert(round < NEEDS_MAX);
        if ((became = attempt(batch, ws, command, &need)) == ATTEMPT_DONE)
            break;
        undo_sets(batch, marks, count);
        if (became == ATTEMPT_FULL) {
            refuse_full(command);
            return DB_OK;
        }
        int64_t at_us = when_monotonic_us();
        ahead_learn(batch, command, true);
        if (!command->dry_run && !db_is_sqlite(batch->writer->db)) {
            black_box_leave(batch->writer->box);
            look_ahead(batch, command);
            (void)black_box_enter(batch->writer->box, command); /* it was no culprit before */
            mark_sets(batch, command, marks);
            set_doors(batch, &need);
        }
        result = feed(batch);
        batch->loading_us += since(&at_us);
        batch->writer->stats.needs++;
    }
    if (result != DB_OK)
        return result;
    ahead_learn(batch, command, false);
    bool refused = command->faults.count > 0;
    command->state = refused ? COMMAND_REFUSED : COMMAND_ACCEPTED;
    if (refused) {
        undo_sets(batch, marks, count);
        answer_faults(&command->answer, command->arena, &command->faults);
        command->answer.retry_after_s = command->answer.status == 503;
        batch->writer->stats.refused++;
    } else if (!command->existing && !command->dry_run) {
        fold_audit(ws, command);
    }
    idempotency_keep(ws, command);
    return DB_OK;
}

static enum db_result decide_guarded(struct batch *batch, struct command *command)
{
    if (!black_box_enter(batch->writer->box, command)) {
        refuse_culprit(command);
        return DB_OK;
    }
    enum db_result result = decide_one(batch, command);
    black_box_leave(batch->writer->box);
    return result;
}

static size_t dirty_rows(const struct batch *batch)
{
    size_t dirty = 0;
    for (size_t s = batch->first; s < batch->first + batch->count; s++)
        dirty += ws_dirty_rows(batch->writer->sets[s]);
    return dirty;
}

static void refuse_long(struct command *command)
{
    command->state = COMMAND_REFUSED;
    answer_fault(&command->answer, command->arena, FAULT_BATCH_TOO_LARGE, NULL,
                 "what stands before it in this preview would change too much: preview fewer at once");
}

/* All of one preview, each command on what those before it left; then nobody did anything. */
static enum db_result preview(struct batch *batch, struct command *first)
{
    struct ws_mark marks[UNITS_MAX + 1];
    const size_t count = batch->count;
    enum db_result result = DB_OK;
    for (size_t i = 0; i < count; i++)
        marks[i] = ws_mark(batch->writer->sets[batch->first + i], &first->actor);
    for (struct command *command = first; command != NULL && result == DB_OK; command = command->with) {
        if (command != first && dirty_rows(batch) > PREVIEW_ROWS_MAX)
            refuse_long(command);
        else
            result = decide_guarded(batch, command);
    }
    undo_sets(batch, marks, count);
    return result;
}

static enum db_result decide_all(struct batch *batch, size_t count)
{
    enum db_result result = DB_OK;
    int64_t began = when_monotonic_us();
    batch->taken = count;
    batch->tried = ARENA_ARRAY(batch->writer->arena, enum tried, count);
    for (size_t i = 0; i < count && result == DB_OK; i++) {
        struct command *command = batch->commands[i];
        result = command->dry_run ? preview(batch, command) : decide_guarded(batch, command);
        batch->writes = batch->writes || !command->dry_run;
        batch->decided = i + 1;
        bool late = batch->writer->batch_us >= 0 && when_monotonic_us() - began - batch->loading_us > batch->writer->batch_us;
        if (dirty_rows(batch) >= batch->writer->batch_rows || late)
            break;
    }
    return result;
}

static enum db_result write_all(struct batch *batch)
{
    struct writer *writer = batch->writer;
    enum db_result result = DB_OK;
    for (size_t i = batch->first; i < batch->first + batch->count && result == DB_OK; i++) {
        struct ws *ws = writer->sets[i];
        struct unit_clock_row *clock = ws_clock(ws);
        clock->batch_id++;
        struct batch_row row = { .unit = ws_unit(ws), .batch_id = clock->batch_id, .writer = writer->random, .at = ws_now_us(ws) };
        const void *rows = &row;
        result = db_insert(writer->db, &batch_table, &rows, 1);
        if (result == DB_OK)
            result = ws_write(ws, writer->db);
    }
    return result;
}

static void end_all(struct batch *batch, bool committed)
{
    struct writer *writer = batch->writer;
    if (!committed && batch->known > 0)
        drop_sets(batch, batch->known); /* those units do not exist */
    for (size_t i = batch->first; i < batch->first + batch->count; i++) {
        writer->last_batch[i] = committed ? ws_clock(writer->sets[i])->batch_id : -1;
        if (committed)
            writer->seq[i] = ws_clock(writer->sets[i])->event_seq;
        ws_batch_end(writer->sets[i], committed);
        ws_set_door(writer->sets[i], NULL);
    }
    arena_set_door(writer->arena, NULL);
    arena_reset(writer->arena);
}

/* The clock row first: a COMMIT that is still under way holds it, and only who has the row after it sees what became of it. */
static enum db_result writer_of_batch(struct batch *batch, int64_t batch_id, bool *ours)
{
    struct writer *writer = batch->writer;
    int64_t unit = ws_unit(writer->sets[batch->first]);
    struct db_read clock = clock_read(&unit);
    struct batch_writer_result row;
    bool found = false;
    enum db_result result = db_begin(writer->db);
    if (result == DB_OK)
        result = db_read_all(writer->db, writer->arena, &clock, 1);
    if (result == DB_OK)
        result = batch_writer(writer->db, writer->arena, unit, batch_id, &row, &found);
    *ours = found && row.writer == writer->random;
    enum db_result ended = db_rollback(writer->db);
    return result == DB_OK ? ended : result;
}

/* Without memory to look the outcome stays open, as where the store does not answer. */
static enum db_result batch_is_ours(struct batch *batch, int64_t batch_id, bool *ours)
{
    struct arena_door full, *outer = arena_set_door(batch->writer->arena, &full);
    volatile enum db_result result = DB_BUSY;
    if (setjmp(full.where) == 0)
        result = writer_of_batch(batch, batch_id, ours);
    else
        db_rollback(batch->writer->db);
    arena_set_door(batch->writer->arena, outer);
    return result;
}

/* COMMIT was sent and the connection lost: our own batch row says whether it was carried out. While the store does not
 * come back the outcome is open: then the batch must not run again, and nobody may be told that nothing was changed. */
static enum db_result find_outcome(struct batch *batch, int64_t batch_id)
{
    struct writer *writer = batch->writer;
    batch->outcome_is_open = true;
    for (int64_t until = when_monotonic_us() + OUTCOME_WAIT_US; when_monotonic_us() < until; usleep(OUTCOME_PAUSE_US)) {
        const char *error;
        bool ours;
        db_close(writer->db);
        writer->db = NULL;
        if (db_open(&writer->db, &writer->options, writer->arena, &error) != DB_OK || batch_is_ours(batch, batch_id, &ours) != DB_OK)
            continue;
        batch->outcome_is_open = false;
        return ours ? DB_OK : DB_LOST;
    }
    return DB_LOST;
}

/* From the clock row to the commit. Where memory runs out it leaves by the batch's door. */
static enum db_result run_through(struct batch *batch, size_t count)
{
    struct writer *writer = batch->writer;
    struct engine_stats *stats = &writer->stats;
    int64_t at_us = when_monotonic_us();
    enum db_result result = db_begin(writer->db);
    if (result == DB_OK)
        result = batch->first == 0 ? company_begin_and_feed(batch, count) : unit_begin(batch, count);
    stats->take_us += since(&at_us);
    if (result == DB_OK) { /* the second round: what those rows name */
        prefetch(batch, batch->commands, count);
        result = feed(batch);
    }
    stats->prefetch_us += since(&at_us);
    if (result == DB_OK)
        result = decide_all(batch, count);
    stats->decide_us += since(&at_us);
    if (result == DB_OK && batch->writes)
        result = write_all(batch);
    stats->write_us += since(&at_us);
    const bool asked = result == DB_OK, sent = asked && batch->writes; /* of previews alone there is nothing to commit, nor to be lost */
    if (asked)
        result = db_commit(writer->db);
    if (result == DB_IO && sent)
        abort(); /* a failed fsync may have lost what others were told: only a restart reads the truth */
    if (result == DB_LOST && sent)
        result = find_outcome(batch, ws_clock(writer->sets[batch->first])->batch_id);
    else if (result != DB_OK)
        db_rollback(writer->db);
    stats->commit_us += since(&at_us);
    return result;
}

static enum db_result run(struct batch *batch, size_t count)
{
    struct writer *writer = batch->writer;
    struct arena_door full;
    batch->full = &full;
    arena_set_door(writer->arena, &full);
    ws_set_door(writer->sets[batch->first], &full); /* the others get theirs when they begin */
    /* NOLINTBEGIN(clang-analyzer-core.StackAddressEscape): the next run() has a door of its own before anything is asked of memory */
    if (setjmp(full.where) == 0)
        return run_through(batch, count);
    door_back(batch);
    black_box_leave(writer->box);
    db_rollback(writer->db);
    return DB_BUSY; /* no memory for this batch: nothing was changed */
    /* NOLINTEND(clang-analyzer-core.StackAddressEscape) */
}

static void refuse_one(struct command *command, enum db_result result)
{
    static const enum fault_code codes[] = {
        [DB_BUSY] = FAULT_BUSY,           [DB_LOST] = FAULT_STORE_LOST,  [DB_FULL] = FAULT_STORE_FULL, [DB_IO] = FAULT_STORE_LOST,
        [DB_CONSTRAINT] = FAULT_INTERNAL, [DB_CORRUPT] = FAULT_INTERNAL, [DB_BUG] = FAULT_INTERNAL
    };
    command->state = COMMAND_REFUSED;
    answer_fault(&command->answer, command->arena, codes[result], NULL, "nothing was changed");
    if (fault_info(codes[result])->http != 500)
        command->answer.retry_after_s = 1;
}

void batch_refuse(struct command *command, enum db_result result)
{
    for (; command != NULL; command = command->with)
        refuse_one(command, result);
}

static void refuse_open(struct command *command)
{
    if (command->dry_run) { /* whatever became of the others */
        batch_refuse(command, DB_LOST);
        return;
    }
    command->state = COMMAND_REFUSED;
    answer_fault(&command->answer, command->arena, FAULT_STORE_LOST, NULL, "it may have been carried out: send it again with its Idempotency-Key");
    command->answer.retry_after_s = 1;
}

enum db_result writer_ready(struct writer *writer)
{
    const char *error;
    if (writer->db != NULL && !db_is_lost(writer->db))
        return DB_OK;
    db_close(writer->db);
    writer->db = NULL;
    return db_open(&writer->db, &writer->options, writer->arena, &error);
}

/* Ids come from outside, so a unit that they name may not exist: sets are made for those that have a clock. */
static enum db_result find_set(struct writer *writer, int64_t unit, size_t *index)
{
    for (*index = 0; *index < writer->set_count; ++*index)
        if (ws_unit(writer->sets[*index]) == unit)
            return DB_OK;
    struct unit_clock_units_result *units;
    size_t count = 0;
    bool there = false;
    enum db_result result = unit_clock_units(writer->db, writer->arena, &units, &count);
    for (size_t i = 0; i < count; i++)
        there = there || units[i].unit == unit;
    *index = SIZE_MAX;
    if (result != DB_OK || !there || writer->set_count == COUNT(writer->sets))
        return result;
    if (set_make(writer, unit) == NULL)
        return DB_BUSY; /* no memory: that is not to say that there is no unit */
    *index = writer->set_count - 1;
    return DB_OK;
}

/* The connection, and the unit's set; *index SIZE_MAX: there is no such unit. */
static enum db_result writer_prepare(struct writer *writer, int64_t unit, size_t *index)
{
    struct arena_door full;
    volatile enum db_result result = DB_BUSY;
    *index = SIZE_MAX;
    arena_set_door(writer->arena, &full);
    if (setjmp(full.where) == 0) {
        result = writer_ready(writer);
        if (result == DB_OK)
            result = find_set(writer, unit, index);
        if (result == DB_OK && *index != SIZE_MAX && !writer->knows_culprits[*index]) {
            result = culprits_load(&writer->culprits, writer->db, writer->arena, unit);
            writer->knows_culprits[*index] = result == DB_OK;
        }
    }
    arena_set_door(writer->arena, NULL);
    arena_reset(writer->arena);
    return result;
}

static void answer_no_unit(struct command *command)
{
    for (; command != NULL; command = command->with) {
        command->state = COMMAND_REFUSED;
        answer_fault(&command->answer, command->arena, FAULT_NOT_FOUND, NULL, "there is nothing with this id");
    }
}

/* In a batch of its own, behind the one that did not bear it or that did it. Nothing is lost where it fails: the command sent again tells it again.
 */
static void tell_culprit(struct writer *writer, int64_t unit, const struct command *command, const char *cause, bool is_done)
{
    char detail[200];
    snprintf(detail, sizeof detail, "%s: refused, and nothing of it done; tell support", command->type->name);
    const struct culprit_report said = { .cause = cause, .detail = detail, .is_done = is_done };
    struct command report = {
        .type = &culprit_report, .input = &said, .arena = command->arena, .actor = command->actor, .unit = unit, .faults = { .arena = command->arena }
    };
    (void)batch_run(writer, unit, (struct command *[]){ &report }, 1);
    struct culprit *known = culprit_find(&writer->culprits, unit, cause);
    if (report.state != COMMAND_ACCEPTED)
        return;
    if (!is_done)
        culprit_add(&writer->culprits, unit, cause);
    else if (known != NULL)
        culprit_remove(&writer->culprits, known);
}

/* What was refused as one, and what was one and is done now. */
static void tell_culprits(struct writer *writer, int64_t unit, struct command **commands, size_t count)
{
    char cause[CULPRIT_CAUSE_BYTES];
    if (unit == 0) /* exceptions are of units: what is of the whole company is told to its first */
        unit = writer->set_count > 1 ? ws_unit(writer->sets[1]) : 0;
    for (size_t i = 0; i < count && unit != 0; i++) {
        if (commands[i]->type == &culprit_report || commands[i]->dry_run)
            continue;
        const bool is_done = commands[i]->state == COMMAND_ACCEPTED && writer->culprits.count > 0;
        if (!is_done && !commands[i]->is_culprit)
            continue;
        culprit_cause(commands[i], cause);
        if (commands[i]->is_culprit || culprit_find(&writer->culprits, unit, cause) != NULL)
            tell_culprit(writer, unit, commands[i], cause, is_done);
    }
}

size_t batch_run(struct writer *writer, int64_t unit, struct command **commands, size_t count)
{
    size_t index, take = count;
    enum db_result result = writer_prepare(writer, unit, &index);
    if (result == DB_OK && index == SIZE_MAX) {
        for (size_t i = 0; i < count; i++)
            answer_no_unit(commands[i]);
        return count;
    }
    for (int tries = 0; index != SIZE_MAX; tries++) {
        struct batch batch = {
            .writer = writer, .first = index, .count = 1, .commands = commands, .now_us = writer->clock.now_us(writer->clock.context)
        };
        result = run(&batch, take);
        end_all(&batch, result == DB_OK);
        if (result == DB_OK) {
            writer->stats.batches++;
            writer->stats.commands += (int64_t)batch.decided;
            tell_culprits(writer, unit, commands, batch.decided);
            return batch.decided;
        }
        writer->stats.retried++;
        if (result == DB_CONSTRAINT || result == DB_BUG || result == DB_CORRUPT)
            fprintf(stderr, "millrace: unit %ld, batch of %zu from %s: %s\n", (long)unit, take, commands[0]->type->name, db_last_error(writer->db));
        if (batch.outcome_is_open) {
            for (size_t i = 0; i < batch.decided; i++)
                refuse_open(commands[i]);
            return batch.decided;
        }
        if (result == DB_CONSTRAINT && take > 1)
            take /= 2; /* until the culprit stands alone */
        else if (result != DB_LOST || tries > 1 || (result = writer_ready(writer)) != DB_OK)
            break;
    }
    for (size_t i = 0; i < take; i++)
        batch_refuse(commands[i], result);
    commands[0]->is_culprit = take == 1 && (result == DB_CONSTRAINT || result == DB_BUG);
    tell_culprits(writer, unit, commands, take);
    return take;
}
