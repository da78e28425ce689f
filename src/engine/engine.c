/* src/engine/engine.c: the queues before the writer. Commands wait in three queues, people before channels before bulk;
 * bulk gets at most a quarter of a batch while others wait. A batch is what one unit has waiting, in order. */
#include "engine/engine.h"
#include "base/when.h"
#include "db/wal.h"
#include "engine/batch.h"
#include "engine/vault.h"
#include "engine_sql.h"
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define QUEUES 3
#define THREADS 3
#define GATHER_PART 6
#define GATHER_MAX_US 3000
#define CHECKPOINT_PAGES 6144 /* 24 MiB: a copy begins */
#define FINISH_PAGES 512      /* so few are left that the writer may stop for them */
#define WAL_PAGES_MAX 16384   /* 64 MiB: it stops for however many are left */

struct queue {
    struct command *first, **last;
};

struct engine {
    struct writer writer;
    struct engine_options options;
    struct arena *arena; /* for the directory's lookups */
    struct directory {
        struct entry {
            char *code; /* NULL: free */
            bool is_node;
            int64_t unit;
        } * entries;
        size_t size, count;
    } directory; /* units of channels and nodes, which never change; open addressing */
    pthread_t threads[THREADS];
    size_t started;
    pthread_mutex_t lock;
    pthread_cond_t more, to_finish, to_copy;
    struct queue queues[QUEUES];
    size_t queued, queued_bytes;
    struct queue decided;     /* answered when what was committed before is durable */
    size_t deciding, syncing; /* commands: in `decided`, and taken from there by the finisher */
    bool running, stopping, worker_ended;
    bool copying;                    /* of the WAL into the file */
    int64_t wal_pages, copied_pages; /* written since the WAL began anew; of those, when the last copy was asked for */
    int64_t sync_us;                 /* of the finisher */
    struct command **taken;
};

static int64_t wall_clock(void *context)
{
    return when_now_us();
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
    struct writer *writer = &engine->writer;
    writer->vault = options->vault;
    writer->options = options->db;
    writer->options.url = options->url;
    writer->options.sync_later = options->db.wal != NULL;
    writer->clock = options->clock.now_us == NULL ? (struct engine_clock) { .now_us = wall_clock } : options->clock;
    writer->batch_rows = options->batch_rows == 0 ? 4000 : options->batch_rows;
    writer->batch_us = options->batch_us == 0 ? 10000 : options->batch_us;
    writer->arena = arena_new((size_t)256 << 20);
    engine->arena = arena_new((size_t)16 << 20);
    engine->taken = calloc(engine->options.batch_commands, sizeof(struct command *));
    for (size_t i = 0; i < QUEUES; i++)
        engine->queues[i].last = &engine->queues[i].first;
    engine->decided.last = &engine->decided.first;
    vault_random(options->vault, &writer->random, sizeof writer->random);
    writer->sets[0] = ws_new(&(struct ws_options) { .unit = 0 });
    writer->set_count = writer->sets[0] != NULL;
    writer->last_batch[0] = -1;
    if (options->black_box != NULL && (writer->box = black_box_open(options->black_box, arena, error)) == NULL) {
        engine_close(engine);
        return NULL;
    }
    bool made = writer->arena != NULL && engine->arena != NULL && engine->taken != NULL && writer->set_count == 1;
    if (!made || db_open(&writer->db, &writer->options, arena, error) != DB_OK) {
        engine_close(engine);
        return NULL;
    }
    pthread_mutex_init(&engine->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&engine->more, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&engine->to_finish, NULL);
    pthread_cond_init(&engine->to_copy, NULL);
    return engine;
}

void engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    for (size_t i = 0; i < engine->writer.set_count; i++)
        ws_free(engine->writer.sets[i]);
    db_close(engine->writer.db);
    black_box_close(engine->writer.box);
    arena_free(engine->writer.arena);
    arena_free(engine->arena);
    for (size_t i = 0; i < engine->directory.size; i++)
        free(engine->directory.entries[i].code);
    free(engine->directory.entries);
    free(engine->taken);
    free(engine);
}

struct db *engine_db(struct engine *engine)
{
    return engine->writer.db;
}

static struct entry *entry_of(struct directory *directory, const char *code, bool is_node)
{
    size_t at = hash_bytes(code, strlen(code), is_node) & (directory->size - 1);
    while (directory->entries[at].code != NULL && (directory->entries[at].is_node != is_node || strcmp(directory->entries[at].code, code) != 0))
        at = (at + 1) & (directory->size - 1);
    return &directory->entries[at];
}

/* Remembering is a help only: without memory the store is asked again. */
static void remember(struct directory *directory, const char *code, bool is_node, int64_t unit)
{
    if (directory->count * 2 >= directory->size) {
        struct directory larger = { .size = directory->size == 0 ? 256 : directory->size * 2, .count = directory->count };
        larger.entries = calloc(larger.size, sizeof *larger.entries);
        if (larger.entries == NULL)
            return;
        for (size_t i = 0; i < directory->size; i++)
            if (directory->entries[i].code != NULL)
                *entry_of(&larger, directory->entries[i].code, directory->entries[i].is_node) = directory->entries[i];
        free(directory->entries);
        *directory = larger;
    }
    char *copy = strdup(code);
    if (copy == NULL)
        return;
    *entry_of(directory, code, is_node) = (struct entry) { copy, is_node, unit };
    directory->count++;
}

static enum db_result ask_owner(struct engine *engine, const char *code, bool is_node, int64_t *unit)
{
    struct channel_owner_result channel = { 0 };
    struct node_owner_result node = { 0 };
    bool found = false;
    enum db_result result = writer_ready(&engine->writer);
    if (result == DB_OK && is_node)
        result = node_owner(engine->writer.db, engine->arena, 0, code, &node, &found);
    else if (result == DB_OK)
        result = channel_owner(engine->writer.db, engine->arena, 0, code, &channel, &found);
    *unit = is_node ? node.owner : channel.owner;
    if (result == DB_OK && found)
        remember(&engine->directory, code, is_node, *unit);
    return result;
}

static enum db_result look_up(struct engine *engine, const char *code, bool is_node, int64_t *unit)
{
    if (engine->directory.size > 0 && entry_of(&engine->directory, code, is_node)->code != NULL) {
        *unit = entry_of(&engine->directory, code, is_node)->unit;
        return DB_OK;
    }
    struct arena_door full;
    volatile enum db_result result = DB_BUSY; /* no memory */
    arena_set_door(engine->arena, &full);
    if (setjmp(full.where) == 0)
        result = ask_owner(engine, code, is_node, unit);
    arena_set_door(engine->arena, NULL);
    arena_reset(engine->arena);
    return result;
}

/* The unit that decides a command. What names nothing that is known goes to the company, where it finds its faults. */
static enum db_result unit_of(struct engine *engine, const struct command *command, int64_t *unit)
{
    const char *code = command->of_channel != NULL ? command->of_channel : command->of_node;
    *unit = command->type->company || command->unit < 0 ? 0 : command->unit;
    if (command->type->company || command->unit >= 0 || code == NULL)
        return DB_OK;
    enum db_result result = look_up(engine, code, command->of_channel == NULL, unit);
    return result == DB_LOST ? look_up(engine, code, command->of_channel == NULL, unit) : result;
}

static void answer(struct command *command)
{
    if (command->done != NULL)
        command->done(command);
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

void engine_run(struct engine *engine, struct command **commands, size_t count)
{
    for (size_t at = 0; at < count;) {
        int64_t unit, next;
        enum db_result result = unit_of(engine, commands[at], &unit);
        size_t same = 1, done = 1;
        while (result == DB_OK && at + same < count && unit_of(engine, commands[at + same], &next) == DB_OK && next == unit)
            same++;
        if (result == DB_OK)
            done = batch_run(&engine->writer, unit, commands + at, same);
        else
            batch_refuse(commands[at], result);
        finish(engine, commands + at, done);
        at += done;
    }
}

/* Takes from the queue at most `most` commands. */
static size_t take(struct engine *engine, struct queue *queue, struct command **taken, size_t most)
{
    size_t count = 0;
    while (count < most && queue->first != NULL) {
        struct command *command = queue->first;
        queue->first = command->next;
        if (queue->first == NULL)
            queue->last = &queue->first;
        command->next = NULL;
        engine->queued--;
        engine->queued_bytes -= command->bytes;
        taken[count++] = command;
    }
    return count;
}

static size_t take_batch(struct engine *engine)
{
    size_t most = engine->options.batch_commands, count = 0;
    for (size_t i = 0; i < QUEUES; i++) {
        bool others_wait = i == QUEUE_BULK && count > 0;
        size_t room = most - count;
        count += take(engine, &engine->queues[i], engine->taken + count, others_wait && room > most / 4 ? most / 4 : room);
    }
    return count;
}

/* ---- the WAL ---- */

/* A checkpoint copies beside the writer what was committed until it began. Then the writer finishes what has come since,
 * between two batches, for otherwise the WAL never starts anew under load. */
static void *copy_main(void *context)
{
    struct engine *engine = context;
    pthread_setname_np(pthread_self(), "checkpoint");
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
            (void)db_checkpoint(db, false, &wal_bytes); /* what failed is in the WAL still: the next time tries again */
        pthread_mutex_lock(&engine->lock);
        engine->copying = false;
    }
    pthread_mutex_unlock(&engine->lock);
    db_close(db);
    arena_free(arena);
    return NULL;
}

/* Between two batches. Copies follow each other, each of what came during the one before, until little is left. */
static void tidy_wal(struct engine *engine)
{
    struct db_wal_use use;
    int64_t wal_bytes;
    struct db *db = engine->writer.db;
    if (db == NULL || !db_is_sqlite(db) || db_wal_use(db, &use) != DB_OK)
        return;
    engine->wal_pages += use.pages;
    if (engine->wal_pages < CHECKPOINT_PAGES)
        return;
    pthread_mutex_lock(&engine->lock);
    bool at_rest = !engine->copying, little = engine->wal_pages - engine->copied_pages < FINISH_PAGES;
    bool finish = at_rest && engine->copied_pages > 0 && (little || engine->wal_pages > WAL_PAGES_MAX);
    if (at_rest && !finish) {
        engine->copied_pages = engine->wal_pages;
        engine->copying = true;
        pthread_cond_signal(&engine->to_copy);
    }
    pthread_mutex_unlock(&engine->lock);
    if (finish && db_checkpoint(db, true, &wal_bytes) == DB_OK)
        engine->wal_pages = engine->copied_pages = 0;
}

/* ---- the threads ---- */

/* While the disk syncs, the next batch is decided as soon as it is as large as what is being synced: sooner would make
 * small batches, which write more pages an order, and later would leave the processor idle. */
static bool should_wait(const struct engine *engine)
{
    return !engine->stopping && (engine->queued == 0 || 2 * engine->queued < engine->deciding + engine->syncing);
}

/* Where nothing is done beside a commit (PostgreSQL), those who were just answered may come again while half of all wait:
 * a batch of all costs little more than one of half. The wait is a small part of what the batch took, so that a queue
 * that does not fill loses little. The lock is held. */
static void gather(struct engine *engine, size_t expected, int64_t batch_us)
{
    int64_t until_us = when_monotonic_us() + min_i64(batch_us / GATHER_PART, GATHER_MAX_US);
    const struct timespec until = { .tv_sec = (time_t)(until_us / 1000000), .tv_nsec = (long)(until_us % 1000000) * 1000 };
    while (!engine->stopping && engine->queued < expected && pthread_cond_timedwait(&engine->more, &engine->lock, &until) == 0)
        continue;
}

static void *work(void *context)
{
    struct engine *engine = context;
    const bool syncs_beside = engine->options.db.wal != NULL;
    size_t expected = 0;
    int64_t batch_us = 0;
    pthread_setname_np(pthread_self(), "writer");
    for (size_t count = 1; count > 0;) {
        pthread_mutex_lock(&engine->lock);
        if (!syncs_beside)
            gather(engine, expected, batch_us);
        while (should_wait(engine))
            pthread_cond_wait(&engine->more, &engine->lock);
        count = take_batch(engine);
        pthread_mutex_unlock(&engine->lock);
        int64_t began_us = when_monotonic_us();
        engine_run(engine, engine->taken, count);
        batch_us = when_monotonic_us() - began_us;
        tidy_wal(engine);
        pthread_mutex_lock(&engine->lock);
        expected = (size_t)min_i64((int64_t)(count + engine->queued), (int64_t)engine->options.batch_commands);
        pthread_mutex_unlock(&engine->lock);
    }
    pthread_mutex_lock(&engine->lock);
    engine->worker_ended = true; /* stopping, and all that was taken is decided */
    pthread_cond_signal(&engine->to_finish);
    pthread_mutex_unlock(&engine->lock);
    return NULL;
}

/* All that was decided when a sync begins is answered by it: one sync serves however many batches. */
static struct command *take_decided(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->syncing = 0;
    if (!should_wait(engine))
        pthread_cond_signal(&engine->more);
    while (engine->decided.first == NULL && !engine->worker_ended)
        pthread_cond_wait(&engine->to_finish, &engine->lock);
    struct command *first = engine->decided.first;
    engine->decided = (struct queue) { .last = &engine->decided.first };
    engine->syncing = engine->deciding;
    engine->deciding = 0;
    pthread_mutex_unlock(&engine->lock);
    return first;
}

static void *finish_main(void *context)
{
    struct engine *engine = context;
    pthread_setname_np(pthread_self(), "finisher");
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
    void *(*const mains[THREADS])(void *) = { finish_main, copy_main, work };
    engine->running = true;
    while (engine->started < THREADS && pthread_create(&engine->threads[engine->started], NULL, mains[engine->started], engine) == 0)
        engine->started++;
    if (engine->started == THREADS)
        return DB_OK;
    engine_stop(engine);
    return DB_BUSY;
}

void engine_submit(struct engine *engine, struct command *command)
{
    pthread_mutex_lock(&engine->lock);
    bool full = engine->stopping || engine->queued_bytes + command->bytes > engine->options.queue_bytes;
    if (!full) {
        struct queue *queue = &engine->queues[command->type->queue];
        command->next = NULL;
        *queue->last = command;
        queue->last = &command->next;
        engine->queued++;
        engine->queued_bytes += command->bytes;
        if (!should_wait(engine))
            pthread_cond_signal(&engine->more);
    }
    pthread_mutex_unlock(&engine->lock);
    if (!full)
        return;
    command->state = COMMAND_REFUSED;
    answer_fault(&command->answer, command->arena, FAULT_BUSY, NULL, "the queue is full; nothing was changed");
    command->answer.retry_after_s = 1;
    command->done(command);
}

void engine_stop(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->stopping = true;
    engine->worker_ended = engine->worker_ended || engine->started < THREADS; /* there is none */
    pthread_cond_signal(&engine->more);
    pthread_cond_signal(&engine->to_finish);
    pthread_cond_signal(&engine->to_copy);
    pthread_mutex_unlock(&engine->lock);
    while (engine->started > 0) /* the worker first: what it decides, the finisher answers */
        pthread_join(engine->threads[--engine->started], NULL);
    engine->running = false;
}

int64_t engine_event_seq(struct engine *engine, int64_t unit)
{
    for (size_t i = 0; i < engine->writer.set_count; i++)
        if (ws_unit(engine->writer.sets[i]) == unit)
            return __atomic_load_n(&engine->writer.seq[i], __ATOMIC_ACQUIRE);
    return 0;
}

void engine_stats(struct engine *engine, struct engine_stats *stats)
{
    pthread_mutex_lock(&engine->lock);
    *stats = engine->writer.stats;
    stats->sync_us = __atomic_load_n(&engine->sync_us, __ATOMIC_RELAXED);
    stats->queued = (int64_t)engine->queued;
    stats->queue_bytes = (int64_t)engine->queued_bytes;
    pthread_mutex_unlock(&engine->lock);
}
