/* src/engine/engine.c: the queues before the writer. Commands wait in three queues, people before channels before bulk;
 * bulk gets at most a quarter of a batch while others wait. A batch is what one unit has waiting, in order. */
#include "engine/engine.h"
#include "base/when.h"
#include "engine/batch.h"
#include "engine/vault.h"
#include "engine_sql.h"
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define QUEUES 3
#define CHECKPOINT_PAGES 4096 /* 16 MiB */

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
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct queue queues[QUEUES];
    size_t queued, queued_bytes;
    bool running, stopping;
    int64_t wal_pages; /* written since the last checkpoint */
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
    writer->clock = options->clock.now_us == NULL ? (struct engine_clock){ .now_us = wall_clock } : options->clock;
    writer->batch_rows = options->batch_rows == 0 ? 4000 : options->batch_rows;
    writer->batch_us = options->batch_us == 0 ? 10000 : options->batch_us;
    writer->arena = arena_new((size_t)256 << 20);
    engine->arena = arena_new((size_t)16 << 20);
    engine->taken = calloc(engine->options.batch_commands, sizeof(struct command *));
    for (size_t i = 0; i < QUEUES; i++)
        engine->queues[i].last = &engine->queues[i].first;
    vault_random(options->vault, &writer->random, sizeof writer->random);
    writer->sets[0] = ws_new(&(struct ws_options){ .unit = 0 });
    writer->set_count = writer->sets[0] != NULL;
    writer->last_batch[0] = -1;
    bool made = writer->arena != NULL && engine->arena != NULL && engine->taken != NULL && writer->set_count == 1;
    if (!made || db_open(&writer->db, &writer->options, arena, error) != DB_OK) {
        engine_close(engine);
        return NULL;
    }
    pthread_mutex_init(&engine->lock, NULL);
    pthread_cond_init(&engine->more, NULL);
    return engine;
}

void engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    for (size_t i = 0; i < engine->writer.set_count; i++)
        ws_free(engine->writer.sets[i]);
    db_close(engine->writer.db);
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

static enum db_result look_up(struct engine *engine, const char *code, bool is_node, int64_t *unit)
{
    struct channel_owner_result channel = { 0 };
    struct node_owner_result node = { 0 };
    bool found = false;
    if (engine->directory.size > 0 && entry_of(&engine->directory, code, is_node)->code != NULL) {
        *unit = entry_of(&engine->directory, code, is_node)->unit;
        return DB_OK;
    }
    enum db_result result = writer_ready(&engine->writer);
    if (result == DB_OK && is_node)
        result = node_owner(engine->writer.db, engine->arena, 0, code, &node, &found);
    else if (result == DB_OK)
        result = channel_owner(engine->writer.db, engine->arena, 0, code, &channel, &found);
    arena_reset(engine->arena);
    *unit = is_node ? node.owner : channel.owner;
    if (result == DB_OK && found)
        remember(&engine->directory, code, is_node, *unit);
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

static void finish(struct command **commands, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (commands[i]->done != NULL)
            commands[i]->done(commands[i]);
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
        finish(commands + at, done);
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

/* A checkpoint syncs twice more, so it waits until there is something to move; past 64 MB it is finished, between two
 * batches, for otherwise the WAL never starts anew under load. */
static void tidy_wal(struct engine *engine)
{
    struct db_wal_use use;
    int64_t wal_bytes = 0;
    if (engine->writer.db == NULL || !db_is_sqlite(engine->writer.db) || db_wal_use(engine->writer.db, &use) != DB_OK)
        return;
    engine->wal_pages += use.pages;
    if (engine->wal_pages < CHECKPOINT_PAGES)
        return;
    engine->wal_pages = 0;
    if (db_checkpoint(engine->writer.db, false, &wal_bytes) == DB_OK && wal_bytes > ((int64_t)64 << 20))
        (void)db_checkpoint(engine->writer.db, true, &wal_bytes);
}

static void *work(void *context)
{
    struct engine *engine = context;
    pthread_setname_np(pthread_self(), "writer");
    for (;;) {
        pthread_mutex_lock(&engine->lock);
        while (engine->queued == 0 && !engine->stopping)
            pthread_cond_wait(&engine->more, &engine->lock);
        size_t count = take_batch(engine);
        pthread_mutex_unlock(&engine->lock);
        if (count == 0)
            return NULL; /* stopping, and all that was taken is answered */
        engine_run(engine, engine->taken, count);
        if (engine->options.committed != NULL)
            engine->options.committed(engine->options.committed_context);
        tidy_wal(engine);
    }
}

enum db_result engine_start(struct engine *engine)
{
    engine->running = pthread_create(&engine->thread, NULL, work, engine) == 0;
    return engine->running ? DB_OK : DB_BUSY;
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
    pthread_cond_signal(&engine->more);
    pthread_mutex_unlock(&engine->lock);
    if (engine->running)
        pthread_join(engine->thread, NULL);
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
    stats->queued = (int64_t)engine->queued;
    stats->queue_bytes = (int64_t)engine->queued_bytes;
    pthread_mutex_unlock(&engine->lock);
}
