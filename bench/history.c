/* bench/history.c: a past for the database: orders through the engine's own write path, in large batches and without
 * syncing, and the projections behind them. All are of three lines, uniform over the SKUs, and stay `reserved`: no claim is
 * closed, so that the tables of open work are as large as they can be. */
#include "bench.h"
#include "base/when.h"
#include "insight/insight.h"
#include "schema.h"
#include <pthread.h>
#include <stdio.h>

#define BATCH 4096
#define ROUND 500000 /* orders between two words of how far it is */

static struct command *make_order(struct inside *inside, struct arena *arena, uint64_t sku_count, uint64_t number)
{
    char body[4096];
    uint64_t skus[LINES];
    draw_skus(sku_count, DEMAND_UNIFORM, skus);
    order_body(body, sizeof body, number, skus);
    struct command *command = local_command(inside->local, arena, "POST", "/v1/orders", arena_text(arena, body), NULL);
    command->wants_answer = false;
    return command;
}

/* A batch in the making: while one is run the next is parsed and sealed, by a thread of its own. */
struct making {
    struct inside *inside;
    struct arena *arena;
    struct command *commands[BATCH];
    size_t count;
    uint64_t sku_count, next, last; /* numbers of orders */
    pthread_t thread;
};

static void *make_batch(void *context)
{
    struct making *making = context;
    arena_reset(making->arena);
    for (making->count = 0; making->count < BATCH && making->next <= making->last; making->count++)
        making->commands[making->count] = make_order(making->inside, making->arena, making->sku_count, making->next++);
    return NULL;
}

static void make_beside(struct making *making, uint64_t next)
{
    making->next = next;
    if (pthread_create(&making->thread, NULL, make_batch, making) != 0)
        die("no thread");
}

static void fill(struct inside *inside, uint64_t sku_count, uint64_t first, uint64_t last)
{
    static struct making makings[2];
    int64_t began = when_monotonic_us(), wal_bytes;
    for (size_t i = 0; i < 2; i++)
        makings[i] = (struct making){ .inside = inside, .arena = arena_new((size_t)1 << 30), .sku_count = sku_count, .last = last };
    make_beside(&makings[0], first);
    for (uint64_t at = first, which = 0; at <= last; which = 1 - which) {
        struct making *now = &makings[which];
        pthread_join(now->thread, NULL);
        uint64_t next = now->next;
        if (next <= last)
            make_beside(&makings[1 - which], next);
        engine_run(inside->engine, now->commands, now->count);
        for (size_t i = 0; i < now->count; i++)
            if (now->commands[i]->state != COMMAND_ACCEPTED)
                die("history refused: %s", now->commands[i]->faults.count > 0 ? now->commands[i]->faults.items[0].detail : "?");
        (void)db_checkpoint(engine_db(inside->engine), CHECKPOINT_WAITS_US, &wal_bytes);
        if (at / ROUND != next / ROUND || next > last)
            fprintf(stderr, "history: %lu of %lu, %.0f orders/s\n", (unsigned long)next - 1, (unsigned long)last,
                    (double)(next - first) * 1e6 / (double)(when_monotonic_us() - began));
        at = next;
    }
    for (size_t i = 0; i < 2; i++)
        arena_free(makings[i].arena);
}

static bool trim(void *context, int64_t unit, int64_t seq)
{
    int64_t wal_bytes;
    (void)db_checkpoint(context, CHECKPOINT_WAITS_US, &wal_bytes);
    return true;
}

static struct db *projections_open(struct inside *inside, const char *url)
{
    struct db *read = NULL;
    const char *error = "";
    struct db_options options = { .url = url, .create = true, .projection = true, .no_sync = true, .cache_kib = 1 << 20 };
    if (db_open(&read, &options, inside->arena, &error) != DB_OK || db_migrate(read, true, inside->arena, &error) != MIGRATE_DONE)
        die("no projections: %s", error);
    return read;
}

static void follow(struct inside *inside, const char *url)
{
    struct db *read = projections_open(inside, url);
    struct follower follower = { .store = engine_db(inside->engine),
                                 .read = read,
                                 .vault = inside->vault,
                                 .arena = arena_new((size_t)256 << 20),
                                 .context = read,
                                 .reached = trim };
    if (projection_round(&follower) != DB_OK)
        die("the projections stopped: %s", db_last_error(read));
    arena_free(follower.arena);
    db_close(read);
}

/* The cursors are put where they would be: the server follows what comes from here on, and finds nothing older. */
static void skip(struct inside *inside, const char *url)
{
    struct db *read = projections_open(inside, url);
    struct db_rows clocks = whole_table(engine_db(inside->engine), inside->arena, &unit_clock_table, "");
    enum db_result result = db_script(read, "DELETE FROM cursor_of_unit");
    for (size_t i = 0; result == DB_OK && i < clocks.count; i++) {
        const struct unit_clock_row *clock = db_row(&clocks, i);
        struct cursor_of_unit_row cursor = { .unit = clock->unit, .seq = clock->event_seq, .movement_id = clock->next_id - 1 };
        const void *row = &cursor;
        result = db_begin(read);
        if (result == DB_OK)
            result = db_insert(read, &cursor_of_unit_table, &row, 1);
        if (result == DB_OK)
            result = db_commit(read);
    }
    if (result != DB_OK)
        die("no cursors: %s", db_last_error(read));
    db_close(read);
}

void history_fill(struct inside *inside, const struct world *world, uint64_t from)
{
    int64_t began = when_monotonic_us();
    fill(inside, world->sku_count, from + 1, world->history);
    int64_t filled = when_monotonic_us();
    (world->unfollowed ? skip : follow)(inside, world->url);
    printf("history: %lu orders in %.0f s (%.0f a second), projections %s in %.0f s\n", (unsigned long)(world->history - from),
           (double)(filled - began) / 1e6, (double)(world->history - from) * 1e6 / (double)(filled - began),
           world->unfollowed ? "skipped" : "followed", (double)(when_monotonic_us() - filled) / 1e6);
}
