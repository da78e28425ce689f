/* src/orders/wake.c: a decision about masters lets queues go on: a channel got a node, less is held back, a fence stands open
 * to another group. No unit became available anywhere, so nobody says where to look: all that somebody waits for is looked at,
 * a part of the SKUs after the other, and whatever stands where it may be had goes to the queue's top, as a receipt would.
 * What is more than one command may look at is a job's; the unit's own commands wait (503) for it, for none of them could
 * know whom it overtakes. That takes thousands of SKUs with queues; filling a long queue is another job, with its own
 * barrier at one position, and keeps nobody else off. */
#include "engine/jobs.h"
#include "inventory/availability.h"
#include "orders/commands.h"
#include "orders/mapping.h"
#include "orders/orders.h"

#define WAKE_PLACES 500 /* at which a queue is filled by one command; a job is opened at each that was not emptied */
#define WAKE_SKUS 2000  /* that one command looks at, or one part of them where that is more */

void waiting_skus_note(struct ws *ws, const int64_t *skus, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ws_want(ws, &waiting_sku_table, WS_KEY(ws_unit(ws), skus[i] % WAITING_PARTS, skus[i]));
    ws_settle(ws);
    for (size_t i = 0; i < count; i++) {
        struct waiting_sku_row row = { .unit = ws_unit(ws), .part = skus[i] % WAITING_PARTS, .sku = skus[i] };
        if (ws_get(ws, &waiting_sku_table, WS_KEY(row.unit, row.part, row.sku)) == NULL)
            ws_insert(ws, &waiting_sku_table, &row);
        promises_change(ws, row.sku, 0);
    }
}

struct places {
    struct freed *at;
    size_t count, room;
};

static const struct waiting_row *first_waiting(struct ws *ws, int64_t sku)
{
    struct ws_cursor cursor = ws_scan(ws, &waiting_by_rank, WS_PREFIX(db_int(ws_unit(ws)), db_int(sku)), 1);
    return ws_next(ws, &cursor);
}

/* Where units of these SKUs stand that somebody might have. */
static void places_of(struct ws *ws, const int64_t *skus, size_t count, struct places *places)
{
    const int64_t unit = ws_unit(ws);
    const struct position_row *position;
    for (size_t i = 0; i < count; i++) {
        ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(unit), db_int(skus[i])), 0);
        ws_want_path(ws, &waiting_by_rank, WS_PREFIX(db_int(unit), db_int(skus[i])), 1);
    }
    ws_settle(ws);
    for (size_t i = 0; i < count; i++) {
        if (first_waiting(ws, skus[i]) == NULL)
            continue;
        struct ws_cursor cursor = ws_scan(ws, &position_of_sku, WS_PREFIX(db_int(unit), db_int(skus[i])), 0);
        while ((position = ws_next(ws, &cursor)) != NULL) {
            if (position->class != 0 || position->available + position->fenced == 0)
                continue;
            places->at = arena_room(ws_arena(ws), places->at, places->count, &places->room, 64, sizeof *places->at);
            places->at[places->count++] = (struct freed){ .node = position->node, .sku = position->sku };
        }
    }
}

void backorders_fill_skus(struct ws *ws, const int64_t *skus, size_t count)
{
    struct places places = { 0 };
    places_of(ws, skus, count, &places);
    backorders_fill(ws, places.at, places.count);
}

/* The SKUs of some parts. */
static size_t skus_of(struct ws *ws, int64_t part, int64_t upto, int64_t **skus)
{
    size_t count = 0, room = 0;
    const struct waiting_sku_row *row;
    *skus = NULL;
    for (int64_t p = part; p < upto; p++)
        ws_want_path(ws, &waiting_sku_of_part, WS_PREFIX(db_int(ws_unit(ws)), db_int(p)), 0);
    ws_settle(ws);
    for (int64_t p = part; p < upto; p++) {
        struct ws_cursor cursor = ws_scan(ws, &waiting_sku_of_part, WS_PREFIX(db_int(ws_unit(ws)), db_int(p)), 0);
        while ((row = ws_next(ws, &cursor)) != NULL) {
            *skus = arena_room(ws_arena(ws), *skus, count, &room, 64, sizeof **skus);
            (*skus)[count++] = row->sku;
        }
    }
    return count;
}

/* Queues that have emptied since need not be looked at again. */
static void forget_empty(struct ws *ws, const int64_t *skus, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (first_waiting(ws, skus[i]) == NULL)
            ws_delete(ws, ws_get(ws, &waiting_sku_table, WS_KEY(ws_unit(ws), skus[i] % WAITING_PARTS, skus[i])));
}

/* Looks at the parts from this one on, as far as one command may; returns the first that it did not look at. */
static int64_t wake_from(struct ws *ws, int64_t part)
{
    struct places places = { 0 };
    size_t looked = 0;
    for (int64_t parts = 1; part < WAITING_PARTS && places.count < WAKE_PLACES && looked < WAKE_SKUS; parts *= 2) {
        int64_t *skus, upto = min_i64(part + (looked > WAKE_SKUS / 16 ? 1 : parts), WAITING_PARTS);
        size_t count = skus_of(ws, part, upto, &skus);
        places_of(ws, skus, count, &places);
        forget_empty(ws, skus, count);
        looked += count;
        part = upto;
    }
    backorders_fill(ws, places.at, places.count);
    return part;
}

static void channels_eased(struct ws *ws)
{
    struct unit_clock_row *clock = ws_clock(ws);
    if (clock->blocked != 0) { /* a new unit has no queues; one that is being woken begins again */
        const struct job_row *open = ws_get(ws, &job_table, WS_KEY(ws_unit(ws), clock->blocked));
        if (open != NULL && open->kind == JOB_WAKE)
            ((struct job_row *)ws_edit(ws, open))->progress = 0;
        return;
    }
    int64_t part = wake_from(ws, 0);
    if (part == WAITING_PARTS)
        return;
    struct job_row *job = job_open(ws, JOB_WAKE, 0, 0);
    job->progress = part;
    clock->blocked = job->id;
}

static bool wake_step(struct ws *ws, struct job_row *job)
{
    job->progress = wake_from(ws, job->progress);
    if (job->progress == WAITING_PARTS)
        ws_clock(ws)->blocked = 0;
    return job->progress < WAITING_PARTS;
}

const struct job_work wake_job = { wake_step };

/* ---- a channel sells from other nodes ---- */

/* Each SKU that somebody waits for is due to be looked at: told.c. */
static bool promise_step(struct ws *ws, struct job_row *job)
{
    int64_t *skus, looked = 0;
    for (int64_t parts = 1; job->progress < WAITING_PARTS && looked < WAKE_SKUS; parts *= 2) {
        const int64_t upto = min_i64(job->progress + (looked > WAKE_SKUS / 16 ? 1 : parts), WAITING_PARTS);
        const size_t count = skus_of(ws, job->progress, upto, &skus);
        for (size_t i = 0; i < count; i++)
            promises_change(ws, skus[i], 0);
        looked += (int64_t)count;
        job->progress = upto;
    }
    return job->progress < WAITING_PARTS;
}

const struct job_work promise_job = { promise_step };

static void channel_moved(struct ws *ws)
{
    (void)job_open(ws, JOB_PROMISE, 0, 0);
}

static void sku_eased(struct ws *ws, int64_t id)
{
    struct component *parts;
    size_t count = recipe_of(ws, ws_get(ws, &sku_table, WS_KEY(ws_unit(ws), id)), &parts);
    int64_t *skus = ARENA_ARRAY(ws_arena(ws), int64_t, count + 1);
    for (size_t i = 0; i < count; i++)
        skus[i] = parts[i].sku;
    backorders_fill_skus(ws, skus, count);
}

const struct catalog_followers catalog_followers = {
    .channels_eased = channels_eased,
    .channel_moved = channel_moved,
    .sku_eased = sku_eased,
    .listed = mapping_listed,
    .sku_made = mapping_sku_made,
};
