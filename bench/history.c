/* bench/history.c: a past for the database: orders through the engine's own write path, in large batches and without
 * syncing, and the projections behind them. All are of three lines, uniform over the SKUs, and stay `reserved`: no claim is
 * closed, so that the tables of open work are as large as they can be. */
#include "bench.h"
#include "base/when.h"
#include "insight/insight.h"
#include <stdio.h>
#include <unistd.h>

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

static void fill(struct inside *inside, uint64_t sku_count, uint64_t orders)
{
    static struct command *commands[BATCH];
    struct arena *arena = arena_new((size_t)1 << 30);
    int64_t began = when_monotonic_us(), wal_bytes;
    for (uint64_t at = 0; at < orders;) {
        size_t n = 0;
        for (; n < BATCH && at < orders; n++)
            commands[n] = make_order(inside, arena, sku_count, ++at);
        engine_run(inside->engine, commands, n);
        for (size_t i = 0; i < n; i++)
            if (commands[i]->state != COMMAND_ACCEPTED)
                die("history refused: %s", commands[i]->faults.count > 0 ? commands[i]->faults.items[0].detail : "?");
        arena_reset(arena);
        (void)db_checkpoint(engine_db(inside->engine), true, &wal_bytes);
        if (at / ROUND != (at - n) / ROUND || at == orders)
            fprintf(stderr, "history: %lu of %lu, %.0f orders/s\n", (unsigned long)at, (unsigned long)orders,
                    (double)at * 1e6 / (double)(when_monotonic_us() - began));
    }
    arena_free(arena);
}

static bool trim(void *context, int64_t unit, int64_t seq)
{
    int64_t wal_bytes;
    (void)db_checkpoint(context, true, &wal_bytes);
    return true;
}

void projections_follow(struct inside *inside, const char *url)
{
    struct db *read = NULL;
    const char *error = "";
    struct db_options options = { .url = url, .create = true, .projection = true, .no_sync = true, .cache_kib = 1 << 20 };
    if (db_open(&read, &options, inside->arena, &error) != DB_OK || db_migrate(read, true, inside->arena, &error) != MIGRATE_DONE)
        die("no projections: %s", error);
    struct follower follower = { .store = engine_db(inside->engine), .read = read, .vault = inside->vault, .arena = arena_new((size_t)256 << 20),
                                 .context = read, .reached = trim };
    if (projection_round(&follower) != DB_OK)
        die("the projections stopped: %s", db_last_error(read));
    arena_free(follower.arena);
    db_close(read);
}

void history_fill(struct inside *inside, const char *url, uint64_t sku_count, uint64_t orders)
{
    int64_t began = when_monotonic_us();
    fill(inside, sku_count, orders);
    int64_t filled = when_monotonic_us();
    projections_follow(inside, url);
    int64_t followed = when_monotonic_us();
    printf("history: %lu orders in %.0f s (%.0f a second), projections %.0f s\n", (unsigned long)orders, (double)(filled - began) / 1e6,
           (double)orders * 1e6 / (double)(filled - began), (double)(followed - filled) / 1e6);
}
