/* src/insight/projection.c: the thread that follows, and those who wait for it.
 * It works in rounds. A round reads all clocks and follows up to them, so whoever waits for a round that begins after his
 * request came sees all that was answered before, also by other servers. Rounds gather: many commits, or many waiting
 * reads, are one round. */
#include "insight/insight.h"
#include "base/thread.h"
#include "base/when.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define ARENA_BYTES ((size_t)256 << 20)
#define GATHER_US 20000 /* after a commit, while nobody waits */
#define IDLE_US 250000  /* what other servers committed is followed without being told */
#define AFTER_FAULT_US 500000
#define LEDGER_PAGES 50 /* of a round, for a unit: about a fifth of a second; a ledger that is made anew keeps nobody from finding an order */
#define STEPS_BACK 10   /* a word found some milliseconds later against an order that waits */

struct reached {
    int64_t unit, seq;
};
struct projection {
    struct db_options store_options, read_options;
    struct follower follower;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    bool news, asked, stopping;
    int64_t begun, ended; /* rounds: of the last one begun, and of the last one that was whole */
    struct reached *units;
    size_t unit_count, unit_room;
};

static struct timespec at_us(int64_t us)
{
    return (struct timespec){ .tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000 };
}

/* Waits on `cond` for a change, at most until `deadline_us`. False: it is past. The lock is held. */
static bool wait_until(struct projection *p, pthread_cond_t *cond, int64_t deadline_us)
{
    struct timespec deadline = at_us(deadline_us);
    return pthread_cond_timedwait(cond, &p->lock, &deadline) == 0;
}

/* ---- the thread ---- */

static struct reached *unit_find(struct projection *p, int64_t unit)
{
    for (size_t i = 0; i < p->unit_count; i++)
        if (p->units[i].unit == unit)
            return &p->units[i];
    return NULL;
}

static bool page_reached(void *context, int64_t unit, int64_t seq)
{
    struct projection *p = context;
    pthread_mutex_lock(&p->lock);
    struct reached *at = unit_find(p, unit);
    if (at == NULL && p->unit_count == p->unit_room) {
        size_t room = p->unit_room == 0 ? 16 : 2 * p->unit_room;
        struct reached *grown = realloc(p->units, room * sizeof *grown);
        if (grown != NULL) { /* without memory those who wait for the unit wait in vain, and are told so in time */
            p->units = grown;
            p->unit_room = room;
        }
    }
    if (at == NULL && p->unit_count < p->unit_room) {
        at = &p->units[p->unit_count++];
        at->unit = unit;
    }
    if (at != NULL)
        at->seq = seq;
    pthread_cond_broadcast(&p->done);
    bool goes_on = !p->stopping;
    pthread_mutex_unlock(&p->lock);
    return goes_on;
}

static bool stores_open(struct projection *p)
{
    const char *error;
    struct follower *f = &p->follower;
    struct db **const stores[] = { &f->store, &f->read };
    const struct db_options *const options[] = { &p->store_options, &p->read_options };
    bool all = true;
    for (size_t i = 0; i < COUNT(stores); i++) {
        if (*stores[i] != NULL && !db_is_lost(*stores[i]))
            continue;
        db_close(*stores[i]);
        *stores[i] = NULL;
        all = db_open(stores[i], options[i], f->arena, &error) == DB_OK && all;
    }
    return all;
}

/* Waits until there is something to do. False: it is time to stop. The lock is held. */
static bool work_wait(struct projection *p, int64_t idle_us)
{
    int64_t until_us = when_monotonic_us() + idle_us;
    while (!p->stopping && !p->asked && !p->news && wait_until(p, &p->work, until_us))
        continue;
    until_us = when_monotonic_us() + GATHER_US;
    while (!p->stopping && !p->asked && p->news && wait_until(p, &p->work, until_us))
        continue;
    p->news = p->asked = false;
    return !p->stopping;
}

static void *follow_main(void *context)
{
    struct projection *p = context;
    thread_begin("projection", STEPS_BACK, 0);
    pthread_mutex_lock(&p->lock);
    while (work_wait(p, IDLE_US)) {
        int64_t round = ++p->begun;
        pthread_mutex_unlock(&p->lock);
        arena_reset(p->follower.arena);
        bool whole = stores_open(p) && projection_round(&p->follower) == DB_OK;
        pthread_mutex_lock(&p->lock);
        if (whole && !p->stopping)
            p->ended = round;
        pthread_cond_broadcast(&p->done);
        int64_t until_us = when_monotonic_us() + AFTER_FAULT_US;
        while (!whole && !p->stopping && wait_until(p, &p->work, until_us))
            continue;
        p->asked = p->asked || !whole; /* who asked still waits */
        p->news = p->news || (whole && p->follower.ledger_behind);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- from outside ---- */

void projection_wake(struct projection *projection)
{
    pthread_mutex_lock(&projection->lock);
    if (!projection->news)
        pthread_cond_signal(&projection->work);
    projection->news = true;
    pthread_mutex_unlock(&projection->lock);
}

static void ask(struct projection *p)
{
    p->asked = true;
    pthread_cond_signal(&p->work);
}

bool projection_wait(struct projection *projection, int64_t unit, int64_t seq, int64_t deadline_us)
{
    struct projection *p = projection;
    pthread_mutex_lock(&p->lock);
    const struct reached *at = unit_find(p, unit);
    bool in_time = true;
    if (at == NULL || at->seq < seq)
        ask(p);
    while (((at = unit_find(p, unit)) == NULL || at->seq < seq) && in_time && !p->stopping)
        in_time = wait_until(p, &p->done, deadline_us);
    bool there = at != NULL && at->seq >= seq;
    pthread_mutex_unlock(&p->lock);
    return there;
}

int64_t projection_mark(void *context)
{
    struct projection *p = context;
    pthread_mutex_lock(&p->lock);
    int64_t mark = p->begun + 1; /* the next round to begin: the one at work may have read its clocks already */
    pthread_mutex_unlock(&p->lock);
    return mark;
}

bool projection_caught_up(void *context, int64_t mark, int64_t deadline_us)
{
    struct projection *p = context;
    bool in_time = true;
    pthread_mutex_lock(&p->lock);
    if (p->begun < mark)
        ask(p);
    while (p->ended < mark && in_time && !p->stopping)
        in_time = wait_until(p, &p->done, deadline_us);
    bool there = p->ended >= mark;
    pthread_mutex_unlock(&p->lock);
    return there;
}

static void projection_free(struct projection *p)
{
    db_close(p->follower.store);
    db_close(p->follower.read);
    arena_free(p->follower.arena);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->lock);
    free(p->units);
    free(p);
}

/* Both stores, and the projections' schema at its newest. */
static bool prepare(struct projection *p, struct arena *arena, const char **error)
{
    struct follower *f = &p->follower;
    *error = "no memory for the projections";
    if (f->arena == NULL)
        return false;
    return db_open(&f->store, &p->store_options, arena, error) == DB_OK && db_open(&f->read, &p->read_options, arena, error) == DB_OK &&
           db_migrate(f->read, true, arena, error) == MIGRATE_DONE;
}

struct projection *projection_start(const struct db_options *store, struct vault *vault, struct arena *arena, const char **error)
{
    struct projection *p = calloc(1, sizeof *p);
    *error = "no memory for the projections";
    if (p == NULL)
        return NULL;
    p->store_options = p->read_options = *store;
    p->store_options.read_only = true;
    p->store_options.create = false;
    p->read_options.projection = p->read_options.create = p->read_options.no_sync = true; /* what a crash takes is followed once more */
    p->read_options.read_only = false;
    p->follower =
        (struct follower){ .vault = vault, .arena = arena_new(ARENA_BYTES), .context = p, .reached = page_reached, .ledger_pages = LEDGER_PAGES };
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, &attributes);
    pthread_cond_init(&p->done, &attributes);
    pthread_condattr_destroy(&attributes);
    if (!prepare(p, arena, error) || pthread_create(&p->thread, NULL, follow_main, p) != 0) {
        projection_free(p);
        return NULL;
    }
    return p;
}

void projection_stop(struct projection *projection)
{
    if (projection == NULL)
        return;
    pthread_mutex_lock(&projection->lock);
    projection->stopping = true;
    pthread_cond_broadcast(&projection->work);
    pthread_cond_broadcast(&projection->done);
    pthread_mutex_unlock(&projection->lock);
    pthread_join(projection->thread, NULL);
    projection_free(projection);
}
