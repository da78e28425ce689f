/* src/inventory/give_way.c: a fact takes units that others have claims on.
 * Claims give way in one order, whoever asks: fences, checkouts, transfers, then order lines from the lowest rank, soft
 * before hard. A command breaks as many as it may; what is left is a job's, which stands in position.blocked and takes
 * first what becomes available meanwhile: those units have been counted away already. Until it has ended the buckets still
 * hold what it will take, so whoever asks for the truth subtracts stock_owed(). Several facts may be at it at one place. */
#include "base/id.h"
#include "engine/jobs.h"
#include "inventory/stock.h"
#include "inventory/transfers.h"
#include <assert.h>
#include <stdlib.h>

/* ---- who gives way ---- */

/* The claims of one kind on a position, from the lowest rank: those of claimants in its row, and those of the table, which are
 * loaded a chunk of holders at a time. */
struct queue {
    struct ws *ws;
    const struct position_row *position;
    struct claims {
        const struct claim_row **items;
        size_t count, at, room;
    } seated, chunk;
    struct ws_cursor cursor;
    size_t chunk_holders;
    bool drained; /* the table has no more */
};

static void push(struct ws *ws, struct claims *claims, const struct claim_row *claim)
{
    claims->items = arena_room(ws_arena(ws), claims->items, claims->count, &claims->room, 16, sizeof *claims->items);
    claims->items[claims->count++] = claim;
}

static int by_rank(const struct claim_row *a, const struct claim_row *b)
{
    const int64_t left[] = { a->priority, a->promise, a->holder, a->line, a->part },
                  right[] = { b->priority, b->promise, b->holder, b->line, b->part };
    size_t i = 0;
    while (i + 1 < COUNT(left) && left[i] == right[i])
        i++;
    return left[i] > right[i] ? -1 : left[i] < right[i];
}

static int lowest_first(const void *a, const void *b)
{
    const struct claim_row *const *left = a, *const *right = b;
    return by_rank(*left, *right);
}

static void read_claims(struct queue *queue, enum claim_kind kind, const int64_t *holders, size_t count, struct claims *claims)
{
    for (size_t i = 0; i < count; i++)
        ws_want_path(queue->ws, &claim_of_holder, WS_PREFIX(db_int(queue->position->unit), db_int(holders[i])), 0);
    ws_settle(queue->ws);
    claims->count = claims->at = 0;
    const struct claim_row *claim;
    for (size_t i = 0; i < count; i++)
        for (struct ws_cursor cursor = claims_of(queue->ws, holders[i]); (claim = ws_next(queue->ws, &cursor)) != NULL;)
            if ((enum claim_kind)claim->kind == kind && claim_is_at(claim, queue->position))
                push(queue->ws, claims, claim);
    if (claims->count > 1)
        qsort(claims->items, claims->count, sizeof *claims->items, lowest_first);
}

static void queue_open(struct queue *queue, struct ws *ws, const struct position_row *position, enum claim_kind kind, size_t chunk_holders)
{
    *queue = (struct queue){ .ws = ws, .position = position, .chunk_holders = chunk_holders };
    const struct db_value prefix[] = { db_int(position->unit), db_int(position->sku), db_int(position->node), db_int(position->class), db_int(kind) };
    queue->cursor = ws_scan(ws, &claimant_by_rank, prefix, chunk_holders);
    if (kind == CLAIM_FENCE) {
        queue->seated.count = position->fenced == 0 ? 0 : fence_claims(ws, position->node, position->sku, &queue->seated.items);
        if (queue->seated.count > 1)
            qsort(queue->seated.items, queue->seated.count, sizeof *queue->seated.items, lowest_first);
        return;
    }
    int64_t holders[SEATS];
    size_t count = seated_claimants(position, holders);
    read_claims(queue, kind, holders, count, &queue->seated);
}

/* NULL: there are no more. */
static const struct claim_row *queue_next(struct queue *queue, enum claim_kind kind)
{
    struct claims *seated = &queue->seated, *chunk = &queue->chunk;
    if (chunk->at == chunk->count && !queue->drained) {
        int64_t *holders = ARENA_ARRAY(ws_arena(queue->ws), int64_t, queue->chunk_holders);
        const struct claimant_row *row;
        size_t count = 0;
        while (count < queue->chunk_holders && (row = ws_next(queue->ws, &queue->cursor)) != NULL)
            holders[count++] = row->holder;
        queue->drained = count < queue->chunk_holders;
        read_claims(queue, kind, holders, count, chunk);
    }
    bool in_row = seated->at < seated->count, in_table = chunk->at < chunk->count;
    if (in_row && (!in_table || by_rank(seated->items[seated->at], chunk->items[chunk->at]) < 0))
        return seated->items[seated->at++];
    return in_table ? chunk->items[chunk->at++] : NULL;
}

/* Claims of one kind give way, soft ones or hard ones; returns what is still missing. */
static int64_t break_kind(struct stock *stock, const struct fact *fact, enum claim_kind kind, bool hard, int64_t missing, struct given *given)
{
    struct queue queue;
    queue_open(&queue, stock->ws, position_find(stock->ws, fact->node, fact->sku, 0), kind, (size_t)fact->claims + 1);
    const struct claim_row *claim;
    while (missing > 0 && given->count < fact->claims && (claim = queue_next(&queue, kind)) != NULL) {
        int64_t gives = min_i64(hard ? claim->hard : claim->soft, missing);
        if (gives == 0)
            continue;
        struct broken *broken = ARENA_NEW(ws_arena(stock->ws), struct broken);
        *broken = (struct broken){ .kind = kind,
                                   .holder = claim->holder,
                                   .line = claim->line,
                                   .part = claim->part,
                                   .node = fact->node,
                                   .sku = fact->sku,
                                   .quantity = gives,
                                   .hard = hard };
        *(given->last == NULL ? &given->first : &given->last->next) = broken;
        given->last = broken;
        given->count++;
        stock_move(stock, &(struct move){ .sku = fact->sku,
                                          .quantity = gives,
                                          .from_node = fact->node,
                                          .from = hard ? BUCKET_ALLOCATED : BUCKET_RESERVED,
                                          .to_node = fact->to_node,
                                          .to = fact->to,
                                          .unit_cost = NULL_INT });
        claim_change(stock, claim, hard ? 0 : -gives, hard ? -gives : 0);
        missing -= gives;
    }
    return missing;
}

/* ---- a fact ---- */

static int64_t take_from(struct stock *stock, const struct fact *fact, enum bucket bucket, int64_t there, int64_t missing)
{
    int64_t gives = min_i64(there, missing);
    stock_move(stock, &(struct move){ .sku = fact->sku,
                                      .class = fact->class,
                                      .quantity = gives,
                                      .from_node = fact->node,
                                      .from = bucket,
                                      .to_node = fact->to_node,
                                      .to = fact->to,
                                      .unit_cost = NULL_INT });
    return missing - gives;
}

struct given stock_take_by_fact(struct stock *stock, const struct fact *fact)
{
    static const struct {
        enum claim_kind kind;
        bool hard;
    } gives_way[] = {
        { CLAIM_FENCE, false }, { CLAIM_RESERVATION, false }, { CLAIM_TRANSFER, false }, { CLAIM_ORDER, false }, { CLAIM_ORDER, true }
    };
    const struct position_row *position = position_find(stock->ws, fact->node, fact->sku, fact->class);
    assert(fact->quantity <= position_on_hand(position));
    struct given given = { 0 };
    int64_t missing = fact->quantity;
    if (fact->named == BUCKET_QUARANTINED)
        missing = take_from(stock, fact, BUCKET_QUARANTINED, position->quarantined, missing);
    missing = take_from(stock, fact, BUCKET_AVAILABLE, position->available, missing);
    for (size_t i = 0; i < COUNT(gives_way) && missing > 0 && given.count < fact->claims; i++)
        if ((gives_way[i].hard ? position->allocated : position->reserved) > 0) /* else the claims of thousands of orders are walked for nothing */
            missing = break_kind(stock, fact, gives_way[i].kind, gives_way[i].hard, missing, &given);
    if (position->reserved + position->allocated == 0)
        missing = take_from(stock, fact, BUCKET_QUARANTINED, position->quarantined, missing);
    given.left = missing;
    return given;
}

/* An order's are told by whoever follows. */
void claims_tell_broken(struct ws *ws, const struct broken *first, const char *why)
{
    static const enum subject_kind subjects[] = {
        [CLAIM_FENCE] = SUBJECT_FENCE, [CLAIM_RESERVATION] = SUBJECT_RESERVATION, [CLAIM_TRANSFER] = SUBJECT_TRANSFER
    };
    for (const struct broken *b = first; b != NULL; b = b->next) {
        if (b->kind == CLAIM_ORDER)
            continue;
        struct event_row event = event_of(EVENT_CLAIM_BROKEN, subjects[b->kind], b->holder);
        if (b->kind == CLAIM_TRANSFER)
            transfer_lost_claim(ws, b->holder);
        event.node = b->node;
        event.sku = b->sku;
        event.quantity = b->quantity;
        event.class = 0;
        ws_event(ws, event);
    }
    if (first != NULL)
        stock_followers.claims_broken(ws, first, why);
}

/* ---- what is left to a job ---- */

/* The next of the open jobs that take from this place, or NULL. */
static const struct job_row *next_at(struct ws *ws, struct ws_cursor *cursor, int64_t node, int64_t sku)
{
    const struct job_row *job;
    while ((job = ws_next(ws, cursor)) != NULL)
        if (job->state == JOB_OPEN && job->kind == JOB_GIVE_WAY && job->node == node && job->subject == sku)
            return job;
    return NULL;
}

static struct ws_cursor open_jobs(struct ws *ws)
{
    return ws_scan(ws, &job_by_state, WS_PREFIX(db_int(ws_unit(ws)), db_int(JOB_OPEN)), 0);
}

int64_t stock_owed(struct ws *ws, const struct position_row *position)
{
    int64_t units = 0;
    if (position == NULL || position->blocked == 0)
        return 0;
    const struct job_row *job;
    for (struct ws_cursor cursor = open_jobs(ws); (job = next_at(ws, &cursor, position->node, position->sku)) != NULL;)
        units += job->head;
    return units;
}

/* A queue that was being filled here is filled when all have ended. */
void stock_bar(struct ws *ws, int64_t node, int64_t sku, int64_t class)
{
    struct ws_cursor cursor = open_jobs(ws);
    const struct recall_place_row *place = recall_at(ws, node, sku, class);
    const struct job_row *job = place != NULL || class != 0 ? NULL : next_at(ws, &cursor, node, sku);
    struct position_row *position = ws_edit(ws, position_find(ws, node, sku, class));
    position->blocked = place != NULL ? place->job : job == NULL ? 0 : job->id;
}

void give_way_later(struct ws *ws, int64_t node, int64_t sku, int64_t units, int64_t adjustment)
{
    struct job_row *job = job_open(ws, JOB_GIVE_WAY, sku, node);
    job->head = units;
    job->data = id_text(ws_arena(ws), "adj", ws_unit(ws), adjustment);
    stock_bar(ws, node, sku, 0);
}

void give_way_ended(struct ws *ws, struct job_row *job)
{
    job->state = JOB_DONE; /* stock_bar() looks for another */
    stock_bar(ws, job->node, job->subject, 0);
    const struct position_row *position = position_find(ws, job->node, job->subject, 0);
    if (position->blocked == 0 && position->available > 0)
        stock_followers.supply(ws, &(struct freed){ job->node, job->subject, position->available }, 1);
}
