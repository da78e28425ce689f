/* src/orders/backorders.c: what waits, by rank. Supply fills the queue of its SKU from the top in the command that
 * brought it, as far as one command may; the rest is a job's, and until it has ended nobody who ranks below its head takes
 * units there. A fact that broke claims puts their units back into the queue at the rank they always had.
 * A node that did not find units of a SKU is passed over for that order until somebody has counted there (inventory/short_picks.c), one that
 * refused the order until somebody clears that (asked.c).
 * Each line that is filled takes at least a unit, so the head of the queue is all that a job must remember. Bundles that must not
 * come apart take whole pieces or nothing: a line that has no whole one in reach is passed over, and keeps its place. */
#include "engine/jobs.h"
#include "orders/asked.h"
#include "orders/commands.h"
#include "orders/orders.h"
#include "orders/oversell.h"
#include "orders/reroute.h"
#include "orders/shipments.h"
#include "orders/together.h"
#include "orders/told.h"
#include <stdio.h>
#include <string.h>

/* Units that wait at one demand. */
struct waiting_row waiting_of(const struct order *order, const struct demand_row *demand)
{
    struct holder rank = demand_holder(order, demand);
    return (struct waiting_row){ .unit = demand->unit,
                                 .sku = demand->sku,
                                 .priority = rank.priority,
                                 .promise = rank.promise,
                                 .ord = demand->ord,
                                 .line = demand->line,
                                 .part = demand->part,
                                 .channel = order->row->channel,
                                 .units = demand->backordered,
                                 .told = NULL_INT,
                                 .capped = order->row->max_shipments != NULL_INT };
}

static const struct waiting_row *waiting_find(struct ws *ws, const struct waiting_row *k)
{
    return ws_get(ws, &waiting_table, WS_KEY(k->unit, k->sku, k->priority, k->promise, k->ord, k->line, k->part));
}

void demand_waits_want(const struct order *order, const struct demand_row *demand)
{
    const struct waiting_row k = waiting_of(order, demand);
    ws_want(order->ws, &waiting_table, WS_KEY(k.unit, k.sku, k.priority, k.promise, k.ord, k.line, k.part));
    promises_change_want(order->ws, demand->sku);
}

void demand_waits(struct order *order, const struct demand_row *demand)
{
    if (demand->sku == 0) /* it names nothing yet: no queue has it */
        return;
    struct waiting_row row = waiting_of(order, demand);
    const struct waiting_row *there = waiting_find(order->ws, &row);
    if (demand->backordered > 0 && there == NULL) {
        ws_insert(order->ws, &waiting_table, &row);
        waiting_skus_note(order->ws, &demand->sku, 1);
        if (order->lines[demand->line - 1]->told != NULL_INT) /* of a bundle's other parts, and this one has no date yet: no look finds a change */
            order_line_retold(order, demand->line);
        return;
    }
    row.told = there == NULL ? NULL_INT : there->told;
    if (demand->backordered == 0 && there != NULL) {
        ws_delete(order->ws, there);
        order_line_retold(order, demand->line);
    } else if (there != NULL && (there->units != row.units || there->capped != row.capped))
        *(struct waiting_row *)ws_edit(order->ws, there) = row; /* its key is the same */
    else
        return;
    promises_change(order->ws, demand->sku, 0);
}

/* ---- a spot and its queue ---- */

/* What one command, or one step of a job, may fill, counted in rows that it probably changes. Who comes in the midst of a step waits for its end. */
#define FILL_ROWS 2000
#define STEP_ROWS 800
#define ROWS_OF_LINE 10
#define ROWS_OF_DEMAND 6

/* Units of a SKU at a node, and the channels that may have them. */
struct spot {
    struct ws *ws;
    int64_t node, sku, job; /* job: the one that fills here, 0: a command does */
    struct outlet *outlets;
    size_t *at; /* of each outlet: which of its nodes this is */
    size_t count;
    int64_t rows, filled;  /* rows that may still be changed; lines that got something */
    size_t *passed_over;   /* of each outlet: the first lines of its queue, which can take nothing here */
    bool patient, stopped; /* patient: where it is the head's turn here but not at another place, stop; it comes again */
    bool gave_back;        /* some line what it held of no whole piece */
    struct freed *others;  /* to be looked at next: where that was given back; where somebody is before a line that was passed over */
    size_t other_count, other_room;
};

static struct spot spot_open(struct ws *ws, int64_t node, int64_t sku, int64_t job, int64_t rows)
{
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(node) };
    struct spot spot = { .ws = ws, .node = node, .sku = sku, .job = job, .rows = rows };
    size_t room = ws_count(ws, &channel_of_node, prefix);
    spot.outlets = ARENA_ARRAY(ws_arena(ws), struct outlet, room + 1);
    spot.at = ARENA_ARRAY(ws_arena(ws), size_t, room + 1);
    spot.passed_over = ARENA_ARRAY(ws_arena(ws), size_t, room + 1);
    const struct channel_node_row *row;
    for (struct ws_cursor cursor = ws_scan(ws, &channel_of_node, prefix, 0); (row = ws_next(ws, &cursor)) != NULL;) {
        struct outlet *outlet = &spot.outlets[spot.count];
        outlet_open(ws, ws_get(ws, &channel_table, WS_KEY(ws_unit(ws), row->channel)), outlet);
        outlet->job = job;
        while (spot.at[spot.count] < outlet->node_count && outlet->nodes[spot.at[spot.count]]->id != node)
            spot.at[spot.count]++;
        spot.count += spot.at[spot.count] < outlet->node_count;
    }
    return spot;
}

#define QUEUE_BEGINNING 8 /* of a queue that is only asked whose turn it is */
#define PASSED_OVER_MAX (FILL_ROWS / (ROWS_OF_LINE + ROWS_OF_DEMAND) + 1)

/* As much of it as may be filled. */
static size_t queue_at_once(const struct spot *spot)
{
    return (size_t)(spot->job != 0 ? STEP_ROWS : FILL_ROWS) / (ROWS_OF_LINE + ROWS_OF_DEMAND) + 1;
}

static void queue_want(struct spot *spot, size_t outlet)
{
    const struct db_value prefix[] = { db_int(ws_unit(spot->ws)), db_int(spot->sku), db_int(spot->outlets[outlet].channel->id) };
    ws_want_path(spot->ws, &waiting_of_channel, prefix, queue_at_once(spot));
}

static struct ws_cursor queue_of(const struct spot *spot, size_t outlet)
{
    const struct db_value prefix[] = { db_int(ws_unit(spot->ws)), db_int(spot->sku), db_int(spot->outlets[outlet].channel->id) };
    return ws_scan(spot->ws, &waiting_of_channel, prefix, queue_at_once(spot));
}

static bool ranks_before(const struct waiting_row *a, const struct waiting_row *b)
{
    const int64_t left[] = { a->priority, a->promise, a->ord, a->line, a->part }, right[] = { b->priority, b->promise, b->ord, b->line, b->part };
    for (size_t i = 0; i < COUNT(left); i++)
        if (left[i] != right[i])
            return left[i] < right[i];
    return false;
}

/* The node has not missed it for this order, nor refused the order, and no rule of routing forbids it. */
static bool may_take(struct ws *ws, int64_t order, const struct outlet *outlet, size_t node, int64_t sku)
{
    return !short_pick_stands(ws, outlet->nodes[node]->id, sku, order) && !node_refuses(ws, order, outlet->nodes[node]->id) &&
           order_may_take_from(ws, order, outlet->channel, outlet->nodes[node], sku);
}

/* Whether a line that came to its turn can take anything: from here, and of a bundle that must stay together a piece, somewhere. */
static bool could_take(const struct spot *spot, const struct waiting_row *waiting, size_t i)
{
    struct order order;
    const struct outlet *outlet = &spot->outlets[i];
    if (!may_take(spot->ws, waiting->ord, outlet, spot->at[i], spot->sku))
        return false;
    if (outlet->channel->split && !waiting->capped)
        return true;
    (void)order_open(spot->ws, waiting->ord, &order);
    if (!order_may_ship_from(&order, spot->node))
        return false;
    if (!line_stays_together(&order, waiting->line, outlet))
        return true;
    struct standing standing = standing_of(ws_scratch(spot->ws), &order, waiting->line, outlet); /* asked for each part of who comes behind */
    for (size_t n = 0; n < outlet->node_count; n++)
        if (order_may_ship_from(&order, outlet->nodes[n]->id) && standing_may(&standing, n) > 0)
            return true;
    return false;
}

/* The first of an outlet's queue that can take units. Stock shrinks while a queue is filled, so none that was passed over is looked
 * at twice (what a line gives back goes to the queues anew); nor are more of them than are loaded at once. */
static const struct waiting_row *queue_head(struct spot *spot, size_t i)
{
    struct ws_cursor cursor = queue_of(spot, i);
    const struct waiting_row *head = ws_next(spot->ws, &cursor);
    for (size_t n = 0; n < spot->passed_over[i] && head != NULL; n++)
        head = ws_next(spot->ws, &cursor);
    while (head != NULL && spot->passed_over[i] < PASSED_OVER_MAX && !could_take(spot, head, i)) {
        spot->passed_over[i]++;
        head = ws_next(spot->ws, &cursor);
    }
    return spot->passed_over[i] < PASSED_OVER_MAX ? head : NULL;
}

/* Whether there is anything to give; a job that fills there goes on by itself. */
static bool spot_has_units(const struct spot *spot)
{
    const struct position_row *position = position_find(spot->ws, spot->node, spot->sku, 0);
    return position != NULL && (position->blocked == 0 || position->blocked == spot->job) && position->available + position->fenced > 0;
}

/* The first in all queues that may have units from here; NULL: nobody waits for what is left. */
static const struct waiting_row *spot_head(struct spot *spot, size_t *outlet)
{
    const struct waiting_row *best = NULL;
    for (size_t i = 0; i < spot->count && spot_has_units(spot); i++) {
        if (outlet_stock(spot->ws, &spot->outlets[i], spot->at[i], spot->sku) == 0)
            continue;
        const struct waiting_row *head = queue_head(spot, i);
        if (head == NULL || (best != NULL && !ranks_before(head, best)))
            continue;
        best = head;
        *outlet = i;
    }
    return best;
}

/* Whether anybody does at all, be it that he can take nothing there. */
static bool is_behind(struct spot *spot, const struct waiting_row *mine)
{
    for (size_t i = 0; i < spot->count && spot_has_units(spot); i++) {
        if (outlet_stock(spot->ws, &spot->outlets[i], spot->at[i], spot->sku) == 0)
            continue;
        struct ws_cursor cursor = queue_of(spot, i);
        const struct waiting_row *first = ws_next(spot->ws, &cursor);
        if (first != NULL && ranks_before(first, mine))
            return true;
    }
    return false;
}

/* Whether nobody who ranks before the line waits for these units too: several places may have got units at once, and each goes to
 * the top of its own queue. Then its turn comes at that place. */
static bool is_turn_of(const struct spot *spot, int64_t node, const struct order *order, const struct demand_row *demand)
{
    size_t outlet;
    const struct waiting_row mine = waiting_of(order, demand);
    if (node == spot->node && demand->sku == spot->sku)
        return true;
    struct spot other = spot_open(spot->ws, node, demand->sku, spot->job, 0);
    if (!is_behind(&other, &mine))
        return true;
    const struct waiting_row *head = spot_head(&other, &outlet);
    return head == NULL || (head->ord == demand->ord && head->line == demand->line) || !ranks_before(head, &mine);
}

static bool fill_demand(struct stock *stock, const struct spot *spot, struct order *order, size_t i, const struct outlet *outlet)
{
    int64_t before = order->demands[i]->backordered;
    struct demand_row *demand = demand_edit(order, i);
    struct holder holder = demand_holder(order, demand);
    for (size_t n = 0; n < outlet->node_count && demand->backordered > 0; n++) {
        int64_t units = min_i64(outlet_stock(stock->ws, outlet, n, demand->sku), demand->backordered);
        if (units == 0 || !may_take(stock->ws, order->row->id, outlet, n, demand->sku) || !order_may_ship_from(order, outlet->nodes[n]->id) ||
            !is_turn_of(spot, outlet->nodes[n]->id, order, demand))
            continue;
        outlet_take(stock, outlet, n, demand->sku, &holder, units);
        demand->backordered -= units;
        demand->reserved += units;
    }
    demand->oversold = min_i64(demand->oversold, demand->backordered);
    demand_waits(order, demand);
    return demand->backordered < before;
}

static void look_at(struct spot *spot, int64_t node, int64_t sku)
{
    spot->others = arena_room(ws_arena(spot->ws), spot->others, spot->other_count, &spot->other_room, 8, sizeof *spot->others);
    spot->others[spot->other_count++] = (struct freed){ .node = node, .sku = sku };
}

/* No rule of routing is against what a piece would take there. */
static bool may_ship_pieces(const struct standing *standing, size_t node)
{
    const struct order *order = standing->order;
    for (size_t p = 0; p < standing->parts; p++)
        if (standing_needs(standing, node, p) && !order_may_take_from(order->ws, order->row->id, standing->outlet->channel,
                                                                      standing->outlet->nodes[node], order->demands[standing->first + p]->sku))
            return false;
    return true;
}

/* Whole pieces, each from one node. */
static bool fill_together(struct stock *stock, struct spot *spot, struct order *order, int64_t line, const struct outlet *outlet)
{
    struct standing standing = standing_of(ws_arena(spot->ws), order, line, outlet);
    bool filled = false;
    for (size_t n = 0; n < outlet->node_count; n++) {
        int64_t pieces = order_may_ship_from(order, outlet->nodes[n]->id) ? standing_may(&standing, n) : 0;
        bool turn = pieces > 0 && may_ship_pieces(&standing, n);
        for (size_t p = 0; p < standing.parts && turn; p++) {
            const struct demand_row *demand = order->demands[standing.first + p];
            turn = !standing_needs(&standing, n, p) || is_turn_of(spot, outlet->nodes[n]->id, order, demand);
            if (!turn && !spot->patient)
                look_at(spot, outlet->nodes[n]->id, demand->sku); /* who is before it there may be in no queue of what came */
        }
        if (turn)
            standing_take(&standing, stock, n, pieces);
        filled = filled || turn;
    }
    return filled;
}

/* The whole line is looked at: a bundle's other components may have been there all the time. */
static bool fill_line(struct spot *spot, const struct waiting_row *waiting, const struct outlet *outlet)
{
    struct ws *ws = spot->ws;
    struct order order;
    (void)order_open(ws, waiting->ord, &order);
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_ORDER, order.row->id });
    const int64_t line = waiting->line;
    const bool together = line_stays_together(&order, line, outlet);
    bool filled = together && fill_together(&stock, spot, &order, line, outlet);
    for (size_t i = 0; i < order.demand_count; i++)
        if (!together && order.demands[i]->line == line && order.demands[i]->backordered > 0 && order.demands[i]->sku != 0)
            filled = fill_demand(&stock, spot, &order, i, outlet) || filled;
    stock_end(&stock);
    for (size_t i = 0; i < stock.freed_count; i++)
        look_at(spot, stock.freed[i].node, stock.freed[i].sku);
    spot->gave_back = spot->gave_back || stock.freed_count > 0;
    if (!filled)
        return false;
    spot->rows -= ROWS_OF_LINE + ROWS_OF_DEMAND * (int64_t)order.demand_count;
    spot->filled++;
    exceptions_settle(&order);
    int64_t told = order.last_seq;
    order_advance(&order, false);
    if (order.last_seq == told) /* a part came, the stage did not change */
        order_event(&order, EVENT_ORDER_RESERVED, NULL_INT);
    return true;
}

/* ---- loading: all at once, for what is filled is decided anew after each load ---- */

static void want_order(struct ws *ws, int64_t order)
{
    static const struct db_path *const paths[] = { &line_of_order,   &demand_of_order,         &fulfilment_of_order,
                                                   &claim_of_holder, &exception_open_of_order, &refusal_of_order };
    ws_want(ws, &orders_table, WS_KEY(ws_unit(ws), order));
    order_may_take_want(ws, order);
    for (size_t i = 0; i < COUNT(paths); i++)
        ws_want_path(ws, paths[i], WS_PREFIX(db_int(ws_unit(ws)), db_int(order)), 0);
}

/* Who else waits for another component of a line that could be filled: see is_turn_of. */
static void want_queues(struct spot *spot, int64_t sku)
{
    short_picks_want(spot->ws, 0, sku);
    for (size_t i = 0; i < spot->count; i++) {
        const struct db_value prefix[] = { db_int(ws_unit(spot->ws)), db_int(sku), db_int(spot->outlets[i].channel->id) };
        ws_want_path(spot->ws, &waiting_of_channel, prefix, spot->outlets[i].channel->split ? 1 : QUEUE_BEGINNING);
    }
}

/* What a fill may touch: stock of the line's components on the channel, and all that a release makes hard. */
static void want_stock(struct spot *spot, const struct waiting_row *waiting)
{
    struct ws *ws = spot->ws;
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(waiting->ord) };
    const struct demand_row *demand;
    for (struct ws_cursor cursor = ws_scan(ws, &demand_of_order, prefix, 0); (demand = ws_next(ws, &cursor)) != NULL;) {
        if (demand->backordered == 0 || demand->sku == 0)
            continue;
        ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(ws_unit(ws)), db_int(demand->sku)), 0);
        if (demand->line == waiting->line && demand->sku != spot->sku)
            want_queues(spot, demand->sku);
    }
    const struct claim_row *claim;
    for (struct ws_cursor cursor = ws_scan(ws, &claim_of_holder, prefix, 0); (claim = ws_next(ws, &cursor)) != NULL;)
        ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(ws_unit(ws)), db_int(claim->sku)), 0);
}

/* Wants what the first `most` lines need that units here may go to; returns how many there are. round 0: the orders, 1: their stock. */
static int64_t spot_want(struct spot *spot, int round, int64_t most)
{
    const struct waiting_row *waiting;
    int64_t longest = 0;
    for (size_t i = 0; i < spot->count; i++) {
        int64_t stock = outlet_stock(spot->ws, &spot->outlets[i], spot->at[i], spot->sku), n = 0;
        if (stock == 0)
            continue;
        int64_t lines = spot->outlets[i].channel->split && !routing_known(spot->ws) ? min_i64(most, stock) : most; /* else some may be passed over */
        struct ws_cursor cursor = queue_of(spot, i);
        for (; n < lines && (waiting = ws_next(spot->ws, &cursor)) != NULL; n++) {
            if (round == 0)
                want_order(spot->ws, waiting->ord);
            else
                want_stock(spot, waiting);
        }
        longest = max_i64(longest, n);
    }
    return longest;
}

/* Of a queue behind what may be filled now it is only asked whose turn it is. */
static void head_want(const struct spot *spot)
{
    for (size_t i = 0; i < spot->count; i++) {
        if (outlet_stock(spot->ws, &spot->outlets[i], spot->at[i], spot->sku) == 0)
            continue;
        struct ws_cursor cursor = queue_of(spot, i);
        const struct waiting_row *head = ws_next(spot->ws, &cursor);
        if (head != NULL)
            refusals_want(spot->ws, head->ord);
    }
}

static void spots_load(struct spot *spots, size_t count, int64_t rows)
{
    if (count == 0)
        return;
    for (size_t s = 0; s < count; s++)
        short_picks_want(spots->ws, 0, spots[s].sku);
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < spots[s].count; i++)
            if (outlet_stock(spots->ws, &spots[s].outlets[i], spots[s].at[i], spots[s].sku) > 0)
                queue_want(&spots[s], i);
    ws_settle(spots->ws);
    for (int round = 0; round < 2; round++) {
        int64_t most = rows / (ROWS_OF_LINE + ROWS_OF_DEMAND) + 1;
        for (size_t s = 0; s < count; s++) {
            if (most > 0)
                most -= spot_want(&spots[s], round, most);
            else if (round == 0)
                head_want(&spots[s]);
        }
        ws_settle(spots->ws);
    }
}

/* ---- filling ---- */

/* Fills from the top while there is stock and rows may be changed; then who would be next, or NULL. */
static const struct waiting_row *spot_fill(struct spot *spot)
{
    size_t outlet;
    if (spot->rows > 0 && spot_has_units(spot))
        spots_load(spot, 1, spot->rows);
    for (const struct waiting_row *head; spot->rows > 0 && (head = spot_head(spot, &outlet)) != NULL;) {
        if (fill_line(spot, head, &spot->outlets[outlet]))
            continue;
        spot->stopped = spot->patient || spot->outlets[outlet].channel->split;
        if (spot->stopped)
            return NULL;
        spot->passed_over[outlet]++; /* others are before it where the rest of its piece stands */
    }
    return spot_head(spot, &outlet);
}

static void position_block(struct ws *ws, int64_t node, int64_t sku, int64_t job)
{
    ((struct position_row *)ws_edit(ws, position_find(ws, node, sku, 0)))->blocked = job;
}

/* What is left of the queue is a job's. Returns the rows that may still be changed. */
static int64_t spot_empty(struct spot *spot, int64_t rows)
{
    spot->rows = rows;
    spot->stopped = false;
    memset(spot->passed_over, 0, spot->count * sizeof *spot->passed_over); /* one of them may have been filled elsewhere meanwhile */
    const struct waiting_row *next = spot_fill(spot);
    if (next == NULL)
        return spot->rows;
    struct job_row *job = job_open(spot->ws, JOB_FILL, spot->sku, spot->node);
    job->head = next->priority;
    job->progress = spot->filled;
    position_block(spot->ws, spot->node, spot->sku, job->id);
    return spot->rows;
}

static bool is_waited_for(struct spot *spot)
{
    for (size_t i = 0; i < spot->count; i++) {
        if (outlet_stock(spot->ws, &spot->outlets[i], spot->at[i], spot->sku) == 0)
            continue; /* its queue was not loaded */
        struct ws_cursor cursor = queue_of(spot, i);
        if (ws_next(spot->ws, &cursor) != NULL)
            return true;
    }
    return false;
}

/* A line that keeps its pieces together may have to wait until those before it have had their turn at another of the places: those
 * that stopped for one come again. Then what lines gave back goes to the queues, and those come who were before a line: each made a
 * piece whole, or ranks before the last, so that ends. Returns the rows that may still be changed. */
static int64_t places_fill(struct ws *ws, const struct freed *places, size_t count, int64_t rows)
{
    struct spot *spots = ARENA_ARRAY(ws_arena(ws), struct spot, count + 1);
    for (size_t i = 0; i < count; i++)
        ws_want_path(ws, &channel_of_node, WS_PREFIX(db_int(ws_unit(ws)), db_int(places[i].node)), 0);
    ws_settle(ws);
    for (size_t i = 0; i < count; i++)
        spots[i] = spot_open(ws, places[i].node, places[i].sku, 0, rows);
    spots_load(spots, count, rows); /* for all of them at once: what is filled is decided anew after each load */
    for (size_t i = 0; i < count; i++)
        if (is_waited_for(&spots[i]))
            promises_change_want(ws, spots[i].sku);
    ws_settle(ws);
    for (size_t i = 0; i < count; i++)
        if (is_waited_for(&spots[i])) /* what nobody can take is there for another reason, and changes what the others are promised */
            promises_change(ws, spots[i].sku, 0);
    for (size_t i = 0; i < count; i++) {
        spots[i].patient = true;
        rows = spot_empty(&spots[i], rows);
    }
    for (size_t i = 0; i < count; i++) {
        spots[i].patient = false;
        if (spots[i].stopped)
            rows = spot_empty(&spots[i], rows);
    }
    for (size_t i = 0; i < count; i++)
        if (spots[i].other_count > 0)
            rows = places_fill(ws, spots[i].others, spots[i].other_count, rows);
    return rows;
}

void backorders_fill(struct ws *ws, const struct freed *places, size_t count)
{
    (void)places_fill(ws, places, count, FILL_ROWS);
}

static bool fill_step(struct ws *ws, struct job_row *job)
{
    struct spot spot = spot_open(ws, job->node, job->subject, job->id, STEP_ROWS);
    const struct waiting_row *next = spot_fill(&spot);
    job->progress += spot.filled;
    (void)places_fill(ws, spot.others, spot.other_count, spot.rows);
    if (next != NULL)
        job->head = next->priority;
    else if (spot.gave_back) /* here, perhaps, for somebody who was passed over */
        return true;
    else if (position_find(ws, spot.node, spot.sku, 0)->blocked == job->id) /* claims give way to a fact there: that job fills afterwards */
        position_block(ws, spot.node, spot.sku, 0);
    return next != NULL;
}

const struct job_work fill_job = { fill_step };

/* ---- claims that a fact broke ---- */

/* Of a broken claim and an oversell the same: one cause is one exception. */
static const char *cause_of(struct ws *ws, enum exception_type type, int64_t order, int64_t sku)
{
    const char *kind = type == EXCEPTION_BROKEN_CLAIM ? "broken" : exception_names[type - 1];
    return arena_printf(ws_arena(ws), "%s/%ld/%ld", kind, (long)order, (long)sku);
}

/* All at once: a count may break the claims of thousands of orders. */
static void want_orders(struct ws *ws, const struct broken *broken)
{
    const int64_t unit = ws_unit(ws);
    for (const struct broken *each = broken; each != NULL; each = each->next) {
        if (each->kind != CLAIM_ORDER)
            continue;
        want_order(ws, each->holder);
        exception_want(ws, cause_of(ws, EXCEPTION_BROKEN_CLAIM, each->holder, each->sku));
    }
    ws_settle(ws);
    for (const struct broken *each = broken; each != NULL; each = each->next) {
        if (each->kind != CLAIM_ORDER)
            continue;
        const struct db_value prefix[] = { db_int(unit), db_int(each->holder) };
        const struct fulfilment_row *fulfilment;
        for (struct ws_cursor cursor = ws_scan(ws, &fulfilment_of_order, prefix, 0); (fulfilment = ws_next(ws, &cursor)) != NULL;)
            ws_want_path(ws, &line_of_fulfilment, WS_PREFIX(db_int(unit), db_int(fulfilment->id)), 0);
        const struct order order = { .ws = ws, .row = ws_get(ws, &orders_table, WS_KEY(unit, each->holder)) };
        demand_waits_want(&order,
                          &(struct demand_row){ .unit = unit, .ord = each->holder, .line = each->line, .part = each->part, .sku = each->sku });
    }
    ws_settle(ws);
}

/* What it sold is sold: units that it loses are an oversell, whoever erred. */
static bool is_marketplace(const struct order *order)
{
    return ((const struct channel_row *)ws_get(order->ws, &channel_table, WS_KEY(ws_unit(order->ws), order->row->channel)))->kind ==
           CHANNEL_MARKETPLACE;
}

void demand_falls_back(struct order *order, size_t i, int64_t units, enum fallen_from from)
{
    struct demand_row *demand = demand_edit(order, i);
    int64_t *const figures[] = { &demand->reserved, &demand->allocated, &demand->shipped };
    *figures[from] -= units;
    demand->backordered += units;
    demand->oversold += is_marketplace(order) ? units : 0;
    demand_waits(order, demand);
}

static void tell_people(struct order *order, const struct fallen *fallen, enum exception_type type, const char *why)
{
    const bool sold = type == EXCEPTION_BROKEN_CLAIM && is_marketplace(order);
    exception_open(order->ws, &(struct exception){ .type = sold ? EXCEPTION_OVERSELL : type,
                                                   .cause = cause_of(order->ws, type, order->row->id, fallen->sku),
                                                   .order = order->row->id,
                                                   .sku = fallen->sku,
                                                   .quantity = fallen->units,
                                                   .detail = sold ? oversell_cause_of_fact() : why,
                                                   .line_count = 1,
                                                   .lines = &(struct line_units){ fallen->line, fallen->units } });
}

/* Units of the line that wait, of those that fell back. */
static int64_t still_waits(const struct order *order, const struct fallen *fallen)
{
    int64_t units = 0;
    for (size_t i = 0; i < order->demand_count; i++)
        if (order->demands[i]->line == fallen->line && order->demands[i]->sku == fallen->sku)
            units += order->demands[i]->backordered;
    return min_i64(units, fallen->units);
}

void order_falls_back(struct order *order, const struct fallen *fallen, size_t count, enum exception_type type, const char *why)
{
    struct ws *ws = order->ws;
    int64_t *skus = ARENA_ARRAY(ws_arena(ws), int64_t, count + 1);
    size_t sku_count = 0;
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < sku_count && skus[k] != fallen[i].sku)
            k++;
        if (k == sku_count)
            skus[sku_count++] = fallen[i].sku;
        exception_want(ws, cause_of(ws, type, order->row->id, fallen[i].sku));
    }
    ws_settle(ws);
    const int64_t told = order->last_seq;
    order_advance(order, false);
    if (order->last_seq == told) /* less is with the nodes, the stage did not change */
        order_event(order, EVENT_ORDER_BACKORDERED, NULL_INT);
    backorders_fill_skus(ws, skus, sku_count);
    for (size_t i = 0; i < count; i++) {
        struct fallen waits = fallen[i];
        waits.units = still_waits(order, &fallen[i]);
        if (waits.units > 0)
            tell_people(order, &waits, type, why);
    }
}

/* The same SKU may stand elsewhere: who lost it here must not be overtaken there. A fact is about one SKU. */
static void fill_elsewhere(struct ws *ws, const struct broken *broken)
{
    while (broken != NULL && broken->kind != CLAIM_ORDER)
        broken = broken->next;
    if (broken != NULL)
        backorders_fill_skus(ws, &broken->sku, 1);
}

void orders_claims_broken(struct ws *ws, const struct broken *first, const char *why)
{
    want_orders(ws, first);
    for (const struct broken *broken = first; broken != NULL; broken = broken->next) {
        if (broken->kind != CLAIM_ORDER)
            continue;
        struct order order;
        (void)order_open(ws, broken->holder, &order);
        for (size_t i = 0; i < order.demand_count; i++) {
            if (order.demands[i]->line != broken->line || order.demands[i]->part != broken->part)
                continue;
            if (broken->hard) /* the node no longer has to ship them */
                (void)fulfilment_gives_up(&order, broken->node, broken->line, broken->part, broken->quantity, true);
            demand_falls_back(&order, i, broken->quantity, broken->hard ? FROM_ALLOCATED : FROM_RESERVED);
        }
        struct event_row event = event_of(EVENT_CLAIM_BROKEN, SUBJECT_ORDER, broken->holder);
        event.about = broken->holder;
        event.node = broken->node;
        event.sku = broken->sku;
        event.quantity = broken->quantity;
        event.class = 0;
        ws_event(ws, event);
        tell_people(&order, &(struct fallen){ broken->line, broken->sku, broken->quantity }, EXCEPTION_BROKEN_CLAIM, why);
        order_advance(&order, false);
        if (order.last_seq == 0) /* less is claimed, the stage did not change */
            order_event(&order, EVENT_ORDER_BACKORDERED, NULL_INT);
    }
    fill_elsewhere(ws, first);
}

const struct stock_followers stock_followers = { .supply = backorders_fill, .claims_broken = orders_claims_broken };
