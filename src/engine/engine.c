/* src/engine/engine.c: the queues before the writers. A lane is a writer with a connection of its own and the queues before it:
 * one on SQLite, a few on PostgreSQL. A unit's commands all wait in one lane, so they keep their order and the rows that the
 * writer kept; what another process or lane wrote to the unit it notices as between servers, by the clock row. Commands wait
 * in three queues, people before channels before bulk. Bulk has batches of its own: a quarter of the writer's time while others
 * wait, and short ones as long as others come. A batch is what one unit has waiting, in order. */
#include "engine/engine.h"
#include "base/thread.h"
#include "base/when.h"
#include "db/wal.h"
#include "engine/batch.h"
#include "engine/directory.h"
#include "engine/vault.h"
#include "engine_sql.h"
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define QUEUES 3
#define THREADS_BESIDE 2 /* finisher and checkpoint */
#define BULK_SHARE 4     /* while others wait bulk has one part of so many of the writer's time */
#define BULK_ROWS 500    /* that a batch of bulk changes, while others come: who comes in its midst waits for its end */
#define BULK_US 1200
#define OTHERS_US 1000000 /* and so long after the last of them */
#define GATHER_PART 6
#define GATHER_MAX_US 3000
#define COPIES_BACK 8 /* steps back of the thread that copies the WAL: it is behind only while the WAL grows */
#define WRITER_BACK 3 /* and of the writers: a batch has milliseconds to do, a read that somebody waits for has one */
#define WRITER_SLICE_US 8000
#define COPY_PAGES 2048      /* 8 MiB: a copy begins */
#define RESTART_PAGES 10240  /* 40 MiB: the WAL begins anew as soon as little is left to copy */
#define WAL_PAGES_MAX 32768  /* 128 MiB: and now, however much is left */
#define LITTLE_PAGES 128     /* or what two batches write */
#define READERS_US 1000      /* the writer stands no longer behind who reads from the WAL; after the next batch it looks again */
#define READERS_MAX_US 50000 /* but once the WAL is that long: whoever begins to read meanwhile reads from the file */

struct queue {
    struct command *first, **last;
};

struct lane {
    struct engine *engine;
    struct writer writer;
    struct arena *arena; /* of the directory's look-ups */
    struct queue queues[QUEUES];
    size_t queued;
    bool at_work;          /* has commands besides those that are queued */
    bool bulk;             /* they are bulk */
    int64_t bulk_again_us; /* before, none are taken while others wait */
    size_t batch_rows;     /* bounds of a batch where no others come */
    int64_t batch_us;
    struct engine_stats stats; /* these and the heads as the writer's last batch left them: while it works they are its own */
    struct head {
        int64_t unit, seq;
    } heads[UNITS_MAX + 1];
    size_t head_count;
    pthread_cond_t more;
    struct command **taken;
};

struct engine {
    struct engine_options options;
    struct lane lanes[ENGINE_LANES_MAX];
    size_t lane_count;
    pthread_t threads[THREADS_BESIDE + ENGINE_LANES_MAX];
    size_t started;
    pthread_mutex_t lock; /* of all below, and of the lanes' queues */
    pthread_cond_t to_finish, to_copy;
    struct directory directory;
    size_t queued_bytes;
    int64_t others_us;        /* when commands that are not bulk were last taken, by any lane */
    struct queue decided;     /* answered when what was committed before is durable */
    size_t deciding, syncing; /* commands: in `decided`, and taken from there by the finisher */
    size_t lanes_ended;
    bool running, stopping;
    bool copying;                    /* of the WAL into the file */
    int64_t wal_pages, copied_pages; /* written since the WAL began anew; of those, when the last copy was asked for */
    bool readers_know;               /* that the WAL begins anew with one of the next batches */
    int64_t sync_us;                 /* of the finisher */
};

static int64_t wall_clock(void *context)
{
    return when_now_us();
}

static bool lane_open(struct engine *engine, struct lane *lane, const char *black_box, struct arena *arena, const char **error)
{
    const struct engine_options *options = &engine->options;
    struct writer *writer = &lane->writer;
    lane->engine = engine;
    lane->arena = arena_new((size_t)16 << 20);
    lane->taken = calloc(options->batch_commands, sizeof(struct command *));
    for (size_t i = 0; i < QUEUES; i++)
        lane->queues[i].last = &lane->queues[i].first;
    writer->vault = options->vault;
    writer->options = options->db;
    writer->options.url = options->url;
    writer->options.sync_later = options->db.wal != NULL;
    writer->clock = options->clock.now_us == NULL ? (struct engine_clock){ .now_us = wall_clock } : options->clock;
    lane->batch_rows = writer->batch_rows = options->batch_rows == 0 ? 4000 : options->batch_rows;
    lane->batch_us = writer->batch_us = options->batch_us == 0 ? 10000 : options->batch_us;
    lane->engine->others_us = -OTHERS_US;
    writer->arena = arena_new((size_t)256 << 20);
    vault_random(options->vault, &writer->random, sizeof writer->random);
    writer->sets[0] = ws_new(&(struct ws_options){ .unit = 0, .vault = writer->vault });
    writer->set_count = writer->sets[0] != NULL;
    writer->last_batch[0] = -1;
    if (black_box != NULL && (writer->box = black_box_open(black_box, arena, error)) == NULL)
        return false;
    return writer->arena != NULL && lane->arena != NULL && lane->taken != NULL && writer->set_count == 1;
}

static void lane_close(struct lane *lane)
{
    for (size_t i = 0; i < lane->writer.set_count; i++)
        ws_free(lane->writer.sets[i]);
    db_close(lane->writer.db);
    black_box_close(lane->writer.box);
    arena_free(lane->writer.arena);
    arena_free(lane->arena);
    free(lane->taken);
}

/* What was at the death of a lane is known to that lane: its unit's commands come there again. */
static const char *box_of_lane(const struct engine_options *options, struct arena *arena, size_t i)
{
    return i == 0 || options->black_box == NULL ? options->black_box : arena_printf(arena, "%s.%zu", options->black_box, i);
}

static void conditions_open(struct engine *engine)
{
    pthread_condattr_t monotonic;
    pthread_mutex_init(&engine->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    for (size_t i = 0; i < engine->lane_count; i++)
        pthread_cond_init(&engine->lanes[i].more, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&engine->to_finish, NULL);
    pthread_cond_init(&engine->to_copy, NULL);
}

struct engine *engine_open(const struct engine_options *options, struct arena *arena, const char **error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    *error = "no memory for the engine";
    if (engine == NULL)
        return NULL;
    engine->options = *options;
    if (engine->options.batch_commands == 0)
        engine->options.batch_commands = 512;
    if (engine->options.queue_bytes == 0)
        engine->options.queue_bytes = (size_t)64 << 20;
    engine->decided.last = &engine->decided.first;
    const size_t lanes = options->lanes == 0 ? 1 : options->lanes < ENGINE_LANES_MAX ? options->lanes : ENGINE_LANES_MAX;
    bool made = true;
    while (made && engine->lane_count < lanes) {
        size_t i = engine->lane_count++;
        made = lane_open(engine, &engine->lanes[i], box_of_lane(options, arena, i), arena, error);
    }
    struct writer *first = &engine->lanes[0].writer; /* the others connect when their first command comes */
    if (!made || db_open(&first->db, &first->options, arena, error) != DB_OK) {
        engine_close(engine);
        return NULL;
    }
    conditions_open(engine);
    return engine;
}

void engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    for (size_t i = 0; i < engine->lane_count; i++)
        lane_close(&engine->lanes[i]);
    directory_free(&engine->directory);
    free(engine);
}

struct db *engine_db(struct engine *engine)
{
    return engine->lanes[0].writer.db;
}

/* ---- which unit, which lane ---- */

/* The company's commands and those of nobody go to the first. */
static struct lane *lane_of(struct engine *engine, int64_t unit)
{
    return &engine->lanes[unit <= 0 ? 0 : (size_t)(unit - 1) % engine->lane_count];
}

/* Which code of a command tells its unit; NULL: none. */
static const char *code_of(const struct command *command, enum directory_kind *kind)
{
    const char *const codes[] = {
        [DIRECTORY_CHANNEL] = command->of_channel, [DIRECTORY_NODE] = command->of_node, [DIRECTORY_UNIT] = command->of_unit
    };
    *kind = DIRECTORY_CHANNEL;
    while (*kind < DIRECTORY_UNIT && codes[*kind] == NULL)
        ++*kind;
    return codes[*kind];
}

static enum db_result ask_owner(struct lane *lane, const char *code, enum directory_kind kind, int64_t *unit)
{
    struct channel_owner_result channel = { 0 };
    struct node_owner_result node = { 0 };
    struct unit_id_result named = { 0 };
    bool found = false;
    enum db_result result = writer_ready(&lane->writer);
    if (result == DB_OK && kind == DIRECTORY_NODE)
        result = node_owner(lane->writer.db, lane->arena, 0, code, &node, &found);
    else if (result == DB_OK && kind == DIRECTORY_UNIT)
        result = unit_id(lane->writer.db, lane->arena, 0, code, &named, &found);
    else if (result == DB_OK)
        result = channel_owner(lane->writer.db, lane->arena, 0, code, &channel, &found);
    *unit = kind == DIRECTORY_NODE ? node.owner : kind == DIRECTORY_UNIT ? named.id : channel.owner;
    if (result != DB_OK || !found)
        return result;
    pthread_mutex_lock(&lane->engine->lock);
    directory_add(&lane->engine->directory, code, kind, *unit);
    pthread_mutex_unlock(&lane->engine->lock);
    return result;
}

static enum db_result look_up(struct lane *lane, const char *code, enum directory_kind kind, int64_t *unit)
{
    struct arena_door full;
    volatile enum db_result result = DB_BUSY; /* no memory */
    arena_set_door(lane->arena, &full);
    if (setjmp(full.where) == 0)
        result = ask_owner(lane, code, kind, unit);
    arena_set_door(lane->arena, NULL);
    arena_reset(lane->arena);
    return result;
}

/* What needs no look in the store; the lock is held. */
static bool unit_is_known(struct engine *engine, const struct command *command, int64_t *unit)
{
    enum directory_kind kind;
    const char *code = code_of(command, &kind);
    *unit = command->type->company || command->unit < 0 ? 0 : command->unit;
    return command->type->company || command->unit >= 0 || code == NULL || directory_find(&engine->directory, code, kind, unit);
}

/* The unit that decides a command. What names nothing that is known goes to the company, where it finds its faults. */
static enum db_result unit_of(struct lane *lane, const struct command *command, int64_t *unit)
{
    pthread_mutex_lock(&lane->engine->lock);
    bool known = unit_is_known(lane->engine, command, unit);
    pthread_mutex_unlock(&lane->engine->lock);
    if (known)
        return DB_OK;
    enum directory_kind kind;
    const char *code = code_of(command, &kind);
    enum db_result result = look_up(lane, code, kind, unit);
    bool was_old = result == DB_LOST && lane->writer.db != NULL; /* the connection: a new one may know */
    return was_old ? look_up(lane, code, kind, unit) : result;
}

/* ---- running ---- */

/* Whose last command is done may be gone. */
static void answer(struct command *command)
{
    for (struct command *next; command != NULL; command = next) {
        next = command->with;
        if (command->done != NULL)
            command->done(command);
    }
}

/* Without threads every commit is durable when it returns; with them the finisher sees to that first. */
static void finish(struct engine *engine, struct command **commands, size_t count)
{
    for (size_t i = 0; !engine->running && i < count; i++)
        answer(commands[i]);
    if (!engine->running)
        return;
    pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; i < count; i++) {
        commands[i]->next = NULL;
        *engine->decided.last = commands[i];
        engine->decided.last = &commands[i]->next;
    }
    engine->deciding += count;
    pthread_cond_signal(&engine->to_finish);
    pthread_mutex_unlock(&engine->lock);
}

/* While the disk syncs, the next batch is decided as soon as it is as large as what is being synced: sooner would make
 * small batches, which write more pages an order, and later would leave the processor idle. */
static bool should_wait(const struct lane *lane)
{
    const struct engine *engine = lane->engine;
    return !engine->stopping && (lane->queued == 0 || 2 * lane->queued < engine->deciding + engine->syncing);
}

/* Who asks where a command belongs: a lane that has nothing to do, or else the first. The lock is held. */
static struct lane *idle_lane(struct engine *engine)
{
    for (size_t i = 0; i < engine->lane_count; i++)
        if (!engine->lanes[i].at_work && engine->lanes[i].queued == 0)
            return &engine->lanes[i];
    return &engine->lanes[0];
}

/* What others may ask for; before anybody is answered. */
static void lane_tell(struct lane *lane)
{
    const struct writer *writer = &lane->writer;
    pthread_mutex_lock(&lane->engine->lock);
    lane->stats = writer->stats;
    lane->head_count = writer->set_count;
    for (size_t i = 0; i < writer->set_count; i++)
        lane->heads[i] = (struct head){ ws_unit(writer->sets[i]), writer->seq[i] };
    pthread_mutex_unlock(&lane->engine->lock);
}

static size_t bytes_of(const struct command *command)
{
    size_t bytes = 0;
    for (; command != NULL; command = command->with)
        bytes += command->bytes;
    return bytes;
}

/* At the end of the queue of the lane that its unit has; the lock is held. */
static void enqueue(struct lane *lane, struct command *command)
{
    struct queue *queue = &lane->queues[command->background ? QUEUE_BULK : command->type->queue];
    command->next = NULL;
    *queue->last = command;
    queue->last = &command->next;
    lane->queued++;
    lane->engine->queued_bytes += bytes_of(command);
    if (!should_wait(lane))
        pthread_cond_signal(&lane->more);
}

/* A command whose unit was not known when it came turns out to be another lane's. Not while stopping: that lane may have ended. */
static bool passes_on(struct lane *lane, int64_t unit, struct command *command)
{
    struct engine *engine = lane->engine;
    struct lane *right = lane_of(engine, unit);
    if (right == lane || !engine->running)
        return false;
    pthread_mutex_lock(&engine->lock);
    bool passed = !engine->stopping;
    if (passed)
        enqueue(right, command);
    pthread_mutex_unlock(&engine->lock);
    return passed;
}

/* The store cannot be reached: those who still wait are told now, not each after bounded waits of his own. */
static void refuse_rest(const struct lane *lane, struct command **commands, size_t count)
{
    for (size_t i = 0; i < count; i++)
        batch_refuse(commands[i], DB_LOST);
    finish(lane->engine, commands, count);
}

/* A unit decides alone, and its clock row is all that is held: what a preview names of other units becomes a preview of its own.
 * NULL: all is of this unit. */
static struct command *of_other_units(struct lane *lane, struct command *preview, int64_t unit)
{
    struct command *others = NULL, **last = &others;
    for (struct command **at = &preview->with; *at != NULL;) {
        struct command *command = *at;
        int64_t its;
        enum db_result result = unit_of(lane, command, &its);
        if (result == DB_OK && its == unit) {
            at = &command->with;
            continue;
        }
        *at = result == DB_OK ? command->with : NULL; /* else all that is left, to be told so at once */
        if (result != DB_OK) {
            *last = command;
            break;
        }
        command->with = NULL;
        *last = command;
        last = &command->with;
    }
    return others;
}

static bool others_wait(const struct lane *lane)
{
    return lane->queues[QUEUE_PEOPLE].first != NULL || lane->queues[QUEUE_CHANNELS].first != NULL;
}

/* Others came while bulk was taken: what is left of it goes back to where it was. Not while stopping: then all that was taken is decided. */
static bool gives_way(struct lane *lane, struct command **commands, size_t count)
{
    struct engine *engine = lane->engine;
    if (!lane->bulk || !engine->running)
        return false;
    pthread_mutex_lock(&engine->lock);
    const bool gives = others_wait(lane) && !engine->stopping;
    for (size_t i = count; gives && i-- > 0;) {
        struct queue *queue = &lane->queues[QUEUE_BULK];
        commands[i]->next = queue->first;
        if (queue->first == NULL)
            queue->last = &commands[i]->next;
        queue->first = commands[i];
        engine->queued_bytes += bytes_of(commands[i]);
        lane->queued++;
    }
    pthread_mutex_unlock(&engine->lock);
    return gives;
}

static void lane_run(struct lane *lane, struct command **commands, size_t count);

static void run_other_units(struct lane *lane, struct command **commands, size_t count, int64_t unit)
{
    for (size_t i = 0; i < count; i++) {
        struct command *others = of_other_units(lane, commands[i], unit);
        if (others != NULL)
            lane_run(lane, &others, 1); /* as deep as there are units that it names */
    }
}

/* A batch of the company has masters, or what names nothing that is known: the latter behind the former is looked up anew when they
 * are decided, for its channel may be among them. */
static void lane_run(struct lane *lane, struct command **commands, size_t count)
{
    for (size_t at = 0; at < count;) {
        int64_t unit, next;
        enum db_result result = unit_of(lane, commands[at], &unit);
        size_t same = 1, done = 1;
        if (result == DB_OK && passes_on(lane, unit, commands[at])) {
            at++;
            continue;
        }
        while (result == DB_OK && at + same < count && commands[at + same]->type->company == commands[at]->type->company &&
               unit_of(lane, commands[at + same], &next) == DB_OK && next == unit)
            same++;
        if (result == DB_OK) {
            run_other_units(lane, commands + at, same, unit);
            done = batch_run(&lane->writer, unit, commands + at, same);
        } else
            batch_refuse(commands[at], result);
        lane_tell(lane);
        finish(lane->engine, commands + at, done);
        at += done;
        if (lane->writer.db == NULL) {
            refuse_rest(lane, commands + at, count - at);
            at = count;
        }
        if (at < count && gives_way(lane, commands + at, count - at))
            at = count;
    }
}

void engine_run(struct engine *engine, struct command **commands, size_t count)
{
    lane_run(&engine->lanes[0], commands, count);
}

/* Takes from the queue at most `most` commands. */
static size_t take(struct lane *lane, struct queue *queue, struct command **taken, size_t most)
{
    size_t count = 0;
    while (count < most && queue->first != NULL) {
        struct command *command = queue->first;
        queue->first = command->next;
        if (queue->first == NULL)
            queue->last = &queue->first;
        command->next = NULL;
        lane->queued--;
        lane->engine->queued_bytes -= bytes_of(command);
        taken[count++] = command;
    }
    return count;
}

/* The lock is held. */
static size_t take_batch(struct lane *lane)
{
    struct engine *engine = lane->engine;
    const size_t most = engine->options.batch_commands;
    const int64_t now_us = when_monotonic_us();
    const bool others = others_wait(lane);
    size_t count = 0;
    if (others)
        engine->others_us = now_us;
    lane->bulk = lane->queues[QUEUE_BULK].first != NULL && (!others || (!lane->bulk && now_us >= lane->bulk_again_us));
    for (size_t i = lane->bulk ? QUEUE_BULK : 0; i < (lane->bulk ? QUEUES : QUEUE_BULK); i++)
        count += take(lane, &lane->queues[i], lane->taken + count, most - count);
    const bool brief = lane->bulk && lane->batch_us >= 0 && now_us - engine->others_us < OTHERS_US;
    lane->writer.batch_rows = brief && lane->batch_rows > BULK_ROWS ? BULK_ROWS : lane->batch_rows;
    lane->writer.batch_us = brief && lane->batch_us > BULK_US ? BULK_US : lane->batch_us;
    return count;
}

/* ---- the WAL ---- */

/* A checkpoint copies beside the writer what was committed until it began. Then the writer finishes what has come since,
 * between two batches, for otherwise the WAL never starts anew under load. */
static void *copy_main(void *context)
{
    struct engine *engine = context;
    thread_begin("checkpoint", COPIES_BACK, 0);
    struct db *db = NULL;
    struct arena *arena = arena_new((size_t)1 << 20);
    const char *error;
    int64_t wal_bytes;
    pthread_mutex_lock(&engine->lock);
    while (arena != NULL && !engine->stopping) {
        if (!engine->copying) {
            pthread_cond_wait(&engine->to_copy, &engine->lock);
            continue;
        }
        pthread_mutex_unlock(&engine->lock);
        if (db != NULL || db_open(&db, &engine->options.db, arena, &error) == DB_OK)
            (void)db_checkpoint(db, 0, &wal_bytes); /* what failed is in the WAL still: the next time tries again */
        pthread_mutex_lock(&engine->lock);
        engine->copying = false;
    }
    pthread_mutex_unlock(&engine->lock);
    db_close(db);
    arena_free(arena);
    return NULL;
}

/* Between two batches. Copies of a few MiB follow each other all the time, each short enough that nobody waits long for the
 * disk; when the WAL is long they follow at once, each of what came during the one before, until so little is left that the
 * writer may stop for it. That is one copy later, so that those who look ahead in the WAL have let go of it. */
static void tidy_wal(struct lane *lane)
{
    struct db_wal_use use;
    int64_t wal_bytes;
    struct engine *engine = lane->engine;
    struct db *db = lane->writer.db;
    if (db == NULL || !db_is_sqlite(db) || db_wal_use(db, &use) != DB_OK)
        return;
    engine->wal_pages += use.pages;
    const int64_t left = engine->wal_pages - engine->copied_pages;
    if (left < COPY_PAGES && engine->wal_pages < RESTART_PAGES)
        return;
    pthread_mutex_lock(&engine->lock);
    const bool ready =
        !engine->copying && engine->wal_pages >= RESTART_PAGES && (left <= max_i64(LITTLE_PAGES, 2 * use.pages) || engine->wal_pages > WAL_PAGES_MAX);
    const bool finish = ready && engine->readers_know; /* else once more: they let go of the WAL meanwhile */
    if (!engine->copying && !finish) {
        engine->copied_pages = engine->wal_pages;
        engine->copying = true;
        pthread_cond_signal(&engine->to_copy);
    }
    pthread_mutex_unlock(&engine->lock);
    engine->readers_know = engine->readers_know || ready;
    if (finish && db_checkpoint(db, engine->wal_pages > WAL_PAGES_MAX ? READERS_MAX_US : READERS_US, &wal_bytes) == DB_OK) {
        engine->wal_pages = engine->copied_pages = 0;
        engine->readers_know = false;
    }
    db_wal_begin_anew(engine->options.db.wal, engine->readers_know);
}

/* ---- the threads ---- */

/* Where nothing is done beside a commit (PostgreSQL), those who were just answered may come again while half of all wait:
 * a batch of all costs little more than one of half. The wait is a small part of what the batch took, so that a queue
 * that does not fill loses little. The lock is held. */
static void gather(struct lane *lane, size_t expected, int64_t batch_us)
{
    int64_t until_us = when_monotonic_us() + min_i64(batch_us / GATHER_PART, GATHER_MAX_US);
    const struct timespec until = { .tv_sec = (time_t)(until_us / 1000000), .tv_nsec = (long)(until_us % 1000000) * 1000 };
    while (!lane->engine->stopping && lane->queued < expected && pthread_cond_timedwait(&lane->more, &lane->engine->lock, &until) == 0)
        continue;
}

static void *work(void *context)
{
    struct lane *lane = context;
    struct engine *engine = lane->engine;
    const bool syncs_beside = engine->options.db.wal != NULL;
    size_t expected = 0;
    int64_t batch_us = 0;
    thread_begin("writer", WRITER_BACK, WRITER_SLICE_US);
    for (size_t count = 1; count > 0;) {
        pthread_mutex_lock(&engine->lock);
        if (!syncs_beside)
            gather(lane, expected, batch_us);
        while (should_wait(lane))
            pthread_cond_wait(&lane->more, &engine->lock);
        count = take_batch(lane);
        lane->at_work = true;
        pthread_mutex_unlock(&engine->lock);
        int64_t began_us = when_monotonic_us();
        lane_run(lane, lane->taken, count);
        batch_us = when_monotonic_us() - began_us;
        if (lane->bulk)
            lane->bulk_again_us = began_us + BULK_SHARE * batch_us;
        tidy_wal(lane);
        pthread_mutex_lock(&engine->lock);
        lane->at_work = false;
        expected = (size_t)min_i64((int64_t)(count + lane->queued), (int64_t)engine->options.batch_commands);
        pthread_mutex_unlock(&engine->lock);
    }
    pthread_mutex_lock(&engine->lock);
    engine->lanes_ended++; /* stopping, and all that was taken is decided */
    pthread_cond_signal(&engine->to_finish);
    pthread_mutex_unlock(&engine->lock);
    return NULL;
}

/* All that was decided when a sync begins is answered by it: one sync serves however many batches. */
static struct command *take_decided(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->syncing = 0;
    for (size_t i = 0; i < engine->lane_count; i++)
        if (!should_wait(&engine->lanes[i]))
            pthread_cond_signal(&engine->lanes[i].more);
    while (engine->decided.first == NULL && engine->lanes_ended < engine->lane_count)
        pthread_cond_wait(&engine->to_finish, &engine->lock);
    struct command *first = engine->decided.first;
    engine->decided = (struct queue){ .last = &engine->decided.first };
    engine->syncing = engine->deciding;
    engine->deciding = 0;
    pthread_mutex_unlock(&engine->lock);
    return first;
}

static void *finish_main(void *context)
{
    struct engine *engine = context;
    thread_begin("finisher", 0, 0);
    for (struct command *at; (at = take_decided(engine)) != NULL;) {
        int64_t at_us = when_monotonic_us();
        if (db_wal_sync(engine->options.db.wal) != DB_OK)
            abort(); /* a failed fdatasync may have lost what others were told: only a restart reads the truth */
        __atomic_fetch_add(&engine->sync_us, when_monotonic_us() - at_us, __ATOMIC_RELAXED);
        for (struct command *next; at != NULL; at = next) {
            next = at->next;
            answer(at);
        }
        if (engine->options.committed != NULL)
            engine->options.committed(engine->options.committed_context);
    }
    return NULL;
}

enum db_result engine_start(struct engine *engine)
{
    void *(*const beside[THREADS_BESIDE])(void *) = { finish_main, copy_main };
    const size_t wanted = THREADS_BESIDE + engine->lane_count;
    engine->running = true;
    for (bool made = true; made && engine->started < wanted; engine->started += made) {
        size_t i = engine->started;
        void *(*main)(void *) = i < THREADS_BESIDE ? beside[i] : work;
        void *context = i < THREADS_BESIDE ? (void *)engine : &engine->lanes[i - THREADS_BESIDE];
        made = pthread_create(&engine->threads[i], NULL, main, context) == 0;
    }
    if (engine->started == wanted)
        return DB_OK;
    engine_stop(engine);
    return DB_BUSY;
}

void engine_submit(struct engine *engine, struct command *command)
{
    int64_t unit;
    pthread_mutex_lock(&engine->lock);
    bool full = engine->stopping || engine->queued_bytes + bytes_of(command) > engine->options.queue_bytes;
    if (!full)
        enqueue(unit_is_known(engine, command, &unit) ? lane_of(engine, unit) : idle_lane(engine), command);
    pthread_mutex_unlock(&engine->lock);
    if (!full)
        return;
    for (struct command *each = command; each != NULL; each = each->with) {
        each->state = COMMAND_REFUSED;
        answer_fault(&each->answer, each->arena, FAULT_BUSY, NULL, "the queue is full; nothing was changed");
        each->answer.retry_after_s = 1;
    }
    answer(command);
}

void engine_stop(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->stopping = true;
    const size_t working = engine->started > THREADS_BESIDE ? engine->started - THREADS_BESIDE : 0;
    engine->lanes_ended += engine->lane_count - working; /* those that never began */
    for (size_t i = 0; i < engine->lane_count; i++)
        pthread_cond_signal(&engine->lanes[i].more);
    pthread_cond_signal(&engine->to_finish);
    pthread_cond_signal(&engine->to_copy);
    pthread_mutex_unlock(&engine->lock);
    while (engine->started > 0) /* the lanes first: what they decide, the finisher answers */
        pthread_join(engine->threads[--engine->started], NULL);
    engine->running = false;
}

/* Of a unit its lane knows most; the company's batches, in the first lane, write to all units. */
int64_t engine_event_seq(struct engine *engine, int64_t unit)
{
    int64_t seq = 0;
    pthread_mutex_lock(&engine->lock);
    for (const struct lane *lane = engine->lanes; lane < engine->lanes + engine->lane_count; lane++)
        for (size_t i = 0; i < lane->head_count; i++)
            if (lane->heads[i].unit == unit)
                seq = max_i64(seq, lane->heads[i].seq);
    pthread_mutex_unlock(&engine->lock);
    return seq;
}

static void add_stats(struct engine_stats *sum, const struct engine_stats *one)
{
    sum->batches += one->batches;
    sum->commands += one->commands;
    sum->refused += one->refused;
    sum->retried += one->retried;
    sum->needs += one->needs;
    sum->take_us += one->take_us;
    sum->prefetch_us += one->prefetch_us;
    sum->decide_us += one->decide_us;
    sum->write_us += one->write_us;
    sum->commit_us += one->commit_us;
}

void engine_stats(struct engine *engine, struct engine_stats *stats)
{
    *stats = (struct engine_stats){ 0 };
    pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; i < engine->lane_count; i++) {
        add_stats(stats, &engine->lanes[i].stats);
        stats->queued += (int64_t)engine->lanes[i].queued;
    }
    stats->sync_us = __atomic_load_n(&engine->sync_us, __ATOMIC_RELAXED);
    stats->queue_bytes = (int64_t)engine->queued_bytes;
    pthread_mutex_unlock(&engine->lock);
}
