/* src/cli/scheduler.c: one command at a time: the next is submitted when the one before is answered, so a busy engine is
 * not made busier. */
#include "cli/scheduler.h"
#include "base/thread.h"
#include "base/when.h"
#include "cli_sql.h"
#include "engine/forget.h"
#include "engine/jobs.h"
#include "fulfilment/parcels.h"
#include "inventory/count_classes.h"
#include "inventory/reservations.h"
#include "inventory/supply.h"
#include "orders/told.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define PERIOD_NS 1000000000L

/* Which of a unit's open jobs have had their step: those up to here. */
struct turn {
    int64_t unit, after;
};

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
    struct turn *turns;
    size_t turn_count, turn_room;
};

static void answered(struct command *command)
{
    struct scheduler *scheduler = command->owner;
    pthread_mutex_lock(&scheduler->lock);
    scheduler->answered = true;
    pthread_cond_signal(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
}

/* False: it was refused, as by a queue that is full. */
static bool submit(struct scheduler *scheduler, const struct command_type *type, int64_t unit, const void *input)
{
    struct command *command = ARENA_NEW(scheduler->arena, struct command);
    *command = (struct command){ .type = type, .arena = scheduler->arena, .input = input, .unit = unit, .done = answered, .owner = scheduler };
    command->faults.arena = scheduler->arena;
    scheduler->answered = false;
    engine_submit(scheduler->engine, command);
    pthread_mutex_lock(&scheduler->lock);
    while (!scheduler->answered)
        pthread_cond_wait(&scheduler->changed, &scheduler->lock);
    pthread_mutex_unlock(&scheduler->lock);
    return command->state == COMMAND_ACCEPTED;
}

/* NULL: the machine has no memory left. */
static struct turn *turn_of(struct scheduler *scheduler, int64_t unit)
{
    for (size_t i = 0; i < scheduler->turn_count; i++)
        if (scheduler->turns[i].unit == unit)
            return &scheduler->turns[i];
    if (scheduler->turn_count == scheduler->turn_room) {
        size_t room = scheduler->turn_room == 0 ? 16 : 2 * scheduler->turn_room;
        struct turn *turns = realloc(scheduler->turns, room * sizeof *turns);
        if (turns == NULL)
            return NULL;
        scheduler->turns = turns;
        scheduler->turn_room = room;
    }
    struct turn *turn = &scheduler->turns[scheduler->turn_count++];
    *turn = (struct turn){ .unit = unit };
    return turn;
}

/* A step of each of a unit's open jobs, JOBS_AT_ONCE of them in turn, so that other units and what is due are looked at in between. Between
 * two steps the queue goes on. */
static enum db_result advance_jobs(struct scheduler *scheduler, int64_t unit, bool *open)
{
    int64_t ids[JOBS_AT_ONCE];
    size_t count = 0;
    struct turn *turn = turn_of(scheduler, unit);
    if (turn == NULL)
        return DB_BUSY;
    enum db_result result = jobs_turn_of(scheduler->db, scheduler->arena, unit, &turn->after, ids, &count);
    for (size_t i = 0; result == DB_OK && i < count; i++)
        if (submit(scheduler, unit == 0 ? &company_job_step : &job_step, unit, &(struct job_input){ ids[i] }))
            *open = true;
    return result;
}

/* Who waits is told of another date. *open: there may be more. */
static enum db_result tell_promises(struct scheduler *scheduler, int64_t unit, bool *open)
{
    const struct tell_input *inputs = NULL;
    size_t count;
    enum db_result result = promises_look(scheduler->db, scheduler->arena, unit, &inputs, &count);
    for (size_t i = 0; result == DB_OK && i < count; i++)
        if (!submit(scheduler, &promise_tell, unit, &inputs[i]))
            return DB_OK; /* the queue is full: another look comes */
    *open = *open || (result == DB_OK && count > 0);
    return result;
}

/* Checkouts that have expired end, supplies whose date has passed are late, classes are decided anew: some of each at a tick. */
static enum db_result look_at_dates(struct scheduler *scheduler, int64_t unit)
{
    struct reservation_first_due_result *expired;
    struct supply_first_due_result *late;
    struct parcel_first_due_result *parcels;
    struct classing_first_due_result *classing;
    size_t expired_count = 0, late_count = 0, parcel_count = 0, classing_count = 0;
    const int64_t now_us = when_now_us();
    enum db_result result = reservation_first_due(scheduler->db, scheduler->arena, unit, now_us, &expired, &expired_count);
    if (result == DB_OK)
        result = supply_first_due(scheduler->db, scheduler->arena, unit, now_us, &late, &late_count);
    if (result == DB_OK)
        result = parcel_first_due(scheduler->db, scheduler->arena, unit, now_us, &parcels, &parcel_count);
    if (result == DB_OK)
        result = classing_first_due(scheduler->db, scheduler->arena, unit, now_us, &classing, &classing_count);
    if (result == DB_OK && classing_count > 0)
        (void)submit(scheduler, &count_classes_due, unit, NULL);
    if (result == DB_OK && expired_count > 0)
        (void)submit(scheduler, &reservation_expire, unit, NULL);
    if (result == DB_OK && late_count > 0)
        (void)submit(scheduler, &supply_overdue, unit, NULL);
    if (result == DB_OK && parcel_count > 0)
        (void)submit(scheduler, &fulfilment_assume, unit, NULL);
    return result;
}

/* What has been kept long enough goes, the oldest first; *open: there may be more. */
static enum db_result forget_old(struct scheduler *scheduler, int64_t unit, bool *open)
{
    struct idempotency_oldest_result key;
    struct batch_oldest_result batch;
    bool has_key = false, has_batch = false;
    const int64_t now_us = when_now_us();
    enum db_result result = idempotency_oldest(scheduler->db, scheduler->arena, unit, &key, &has_key);
    if (result == DB_OK)
        result = batch_oldest(scheduler->db, scheduler->arena, unit, &batch, &has_batch);
    if (result != DB_OK)
        return result;
    bool due = (has_key && key.day < idempotency_first_day(now_us)) || (has_batch && batch.at < batch_first_time(now_us));
    if (due && submit(scheduler, unit == 0 ? &company_forget : &engine_forget, unit, NULL))
        *open = true;
    return DB_OK;
}

/* A store that does not answer is asked again at the next tick. True while jobs are open: the next look is due at once. */
static bool look(struct scheduler *scheduler)
{
    bool open = false;
    struct scheduler_units_result *units;
    size_t unit_count = 0;
    const char *error;
    if (scheduler->db == NULL && db_open(&scheduler->db, &scheduler->store, scheduler->arena, &error) != DB_OK)
        return false;
    enum db_result result = scheduler_units(scheduler->db, scheduler->arena, 0, &units, &unit_count);
    for (size_t i = 0; result == DB_OK && i < unit_count; i++) {
        const struct arena_mark mark = arena_mark(scheduler->arena);
        result = look_at_dates(scheduler, units[i].id);
        if (result == DB_OK)
            result = advance_jobs(scheduler, units[i].id, &open);
        if (result == DB_OK)
            result = tell_promises(scheduler, units[i].id, &open);
        if (result == DB_OK)
            result = forget_old(scheduler, units[i].id, &open);
        arena_rewind(scheduler->arena, mark); /* what one unit has to tell takes no memory from the next */
    }
    if (result == DB_OK)
        result = advance_jobs(scheduler, 0, &open);
    if (result == DB_OK)
        result = forget_old(scheduler, 0, &open);
    if (result != DB_OK) {
        db_close(scheduler->db);
        scheduler->db = NULL;
    }
    return result == DB_OK && open;
}

static bool look_safely(struct scheduler *scheduler)
{
    struct arena_door full;
    volatile bool open = false;
    arena_set_door(scheduler->arena, &full);
    if (setjmp(full.where) == 0)
        open = look(scheduler);
    else { /* it may be amid a read, or hold a snapshot */
        db_close(scheduler->db);
        scheduler->db = NULL;
    }
    arena_reset(scheduler->arena);
    return open;
}

static bool wait_for_tick(struct scheduler *scheduler, bool at_once)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PERIOD_NS / 1000000000L;
    pthread_mutex_lock(&scheduler->lock);
    while (!at_once && !scheduler->stopping && pthread_cond_timedwait(&scheduler->changed, &scheduler->lock, &until) == 0)
        continue;
    bool goes_on = !scheduler->stopping;
    pthread_mutex_unlock(&scheduler->lock);
    return goes_on;
}

static void *work(void *context)
{
    struct scheduler *scheduler = context;
    thread_begin("scheduler", 0, 0);
    for (bool open = false; wait_for_tick(scheduler, open);) {
        open = look_safely(scheduler);
        scheduler->tick(scheduler->context);
    }
    return NULL;
}

static void discard(struct scheduler *scheduler)
{
    db_close(scheduler->db);
    arena_free(scheduler->arena);
    free(scheduler->turns);
    free(scheduler);
}

struct scheduler *scheduler_start(const struct db_options *store, struct engine *engine, void (*tick)(void *context), void *context,
                                  struct arena *arena, const char **error)
{
    struct scheduler *scheduler = calloc(1, sizeof *scheduler);
    *error = "no memory for the scheduler";
    if (scheduler == NULL)
        return NULL;
    *scheduler = (struct scheduler){ .store = *store, .engine = engine, .tick = tick, .context = context, .arena = arena_new((size_t)16 << 20) };
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
