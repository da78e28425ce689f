/* src/cli/scheduler.c: one command at a time: the next is submitted when the one before is answered, so a busy engine is
 * not made busier. */
#include "cli/scheduler.h"
#include "base/when.h"
#include "cli_sql.h"
#include "inventory/reservations.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define PERIOD_NS 1000000000L

struct scheduler {
    struct db_options store;
    struct db *db;
    struct engine *engine;
    void (*tick)(void *context);
    void *context;
    struct arena *arena;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping, answered;
};

static void answered(struct command *command)
{
    struct scheduler *scheduler = command->owner;
    pthread_mutex_lock(&scheduler->lock);
    scheduler->answered = true;
    pthread_cond_signal(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
}

static void submit(struct scheduler *scheduler, const struct command_type *type, int64_t unit)
{
    struct command *command = ARENA_NEW(scheduler->arena, struct command);
    *command = (struct command) { .type = type, .arena = scheduler->arena, .source = "scheduler", .unit = unit, .done = answered, .owner = scheduler };
    command->faults.arena = scheduler->arena;
    scheduler->answered = false;
    engine_submit(scheduler->engine, command);
    pthread_mutex_lock(&scheduler->lock);
    while (!scheduler->answered)
        pthread_cond_wait(&scheduler->changed, &scheduler->lock);
    pthread_mutex_unlock(&scheduler->lock);
}

/* A store that does not answer is asked again at the next tick. */
static void look(struct scheduler *scheduler)
{
    struct scheduler_units_result *units;
    size_t unit_count = 0, due_count = 0;
    const char *error;
    if (scheduler->db == NULL && db_open(&scheduler->db, &scheduler->store, scheduler->arena, &error) != DB_OK)
        return;
    enum db_result result = scheduler_units(scheduler->db, scheduler->arena, 0, &units, &unit_count);
    for (size_t i = 0; result == DB_OK && i < unit_count; i++) {
        struct reservation_first_due_result *due;
        result = reservation_first_due(scheduler->db, scheduler->arena, units[i].id, when_now_us(), &due, &due_count);
        if (result == DB_OK && due_count > 0)
            submit(scheduler, &reservation_expire, units[i].id);
    }
    if (result != DB_OK) {
        db_close(scheduler->db);
        scheduler->db = NULL;
    }
}

static void look_safely(struct scheduler *scheduler)
{
    struct arena_door full;
    arena_set_door(scheduler->arena, &full);
    if (setjmp(full.where) == 0)
        look(scheduler);
    arena_reset(scheduler->arena);
}

static bool wait_for_tick(struct scheduler *scheduler)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PERIOD_NS / 1000000000L;
    pthread_mutex_lock(&scheduler->lock);
    while (!scheduler->stopping && pthread_cond_timedwait(&scheduler->changed, &scheduler->lock, &until) == 0)
        continue;
    bool goes_on = !scheduler->stopping;
    pthread_mutex_unlock(&scheduler->lock);
    return goes_on;
}

static void *work(void *context)
{
    struct scheduler *scheduler = context;
    pthread_setname_np(pthread_self(), "scheduler");
    while (wait_for_tick(scheduler)) {
        look_safely(scheduler);
        scheduler->tick(scheduler->context);
    }
    return NULL;
}

static void discard(struct scheduler *scheduler)
{
    db_close(scheduler->db);
    arena_free(scheduler->arena);
    free(scheduler);
}

struct scheduler *scheduler_start(const struct db_options *store, struct engine *engine, void (*tick)(void *context), void *context,
                                  struct arena *arena, const char **error)
{
    struct scheduler *scheduler = calloc(1, sizeof *scheduler);
    *error = "no memory for the scheduler";
    if (scheduler == NULL)
        return NULL;
    *scheduler = (struct scheduler) { .store = *store, .engine = engine, .tick = tick, .context = context, .arena = arena_new((size_t)16 << 20) };
    pthread_condattr_t monotonic;
    pthread_mutex_init(&scheduler->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&scheduler->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (scheduler->arena == NULL || db_open(&scheduler->db, store, arena, error) != DB_OK ||
        pthread_create(&scheduler->thread, NULL, work, scheduler) != 0) {
        discard(scheduler);
        return NULL;
    }
    return scheduler;
}

void scheduler_stop(struct scheduler *scheduler)
{
    if (scheduler == NULL)
        return;
    pthread_mutex_lock(&scheduler->lock);
    scheduler->stopping = true;
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
    pthread_join(scheduler->thread, NULL);
    discard(scheduler);
}
