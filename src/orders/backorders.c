/* src/orders/backorders.c: what waits, by rank. Supply fills the queue of its SKU from the top in the command that
 * brought it; a fact that broke claims puts their units back into the queue at the rank they always had. */
#include "orders/commands.h"
#include "orders/orders.h"
#include <stdio.h>

/* Units that wait at one demand. */
static struct waiting_row waiting_key(const struct order *order, const struct demand_row *demand)
{
    struct holder rank = demand_holder(order, demand);
    return (struct waiting_row){ .unit = demand->unit, .sku = demand->sku, .priority = rank.priority, .promise = rank.promise, .ord = demand->ord,
                                 .line = demand->line, .part = demand->part, .channel = order->row->channel };
}

static const struct waiting_row *waiting_find(struct ws *ws, const struct waiting_row *k)
{
    return ws_get(ws, &waiting_table, WS_KEY(k->unit, k->sku, k->priority, k->promise, k->ord, k->line, k->part));
}

void demand_waits(struct order *order, const struct demand_row *demand)
{
    struct waiting_row row = waiting_key(order, demand);
    const struct waiting_row *there = waiting_find(order->ws, &row);
    if (demand->backordered > 0 && there == NULL && demand->sku != 0)
        ws_insert(order->ws, &waiting_table, &row);
    else if (demand->backordered == 0 && there != NULL)
        ws_delete(order->ws, there);
}

static bool fill_demand(struct stock *stock, struct order *order, size_t i, const struct outlet *outlet)
{
    int64_t before = order->demands[i]->backordered;
    struct demand_row *demand = demand_edit(order, i);
    struct holder holder = demand_holder(order, demand);
    for (size_t n = 0; n < outlet->node_count && demand->backordered > 0; n++) {
        int64_t units = min_i64(outlet_stock(stock->ws, outlet, n, demand->sku), demand->backordered);
        outlet_take(stock, outlet, n, demand->sku, &holder, units);
        demand->backordered -= units;
        demand->reserved += units;
    }
    demand->oversold = min_i64(demand->oversold, demand->backordered);
    demand_waits(order, demand);
    return demand->backordered < before;
}

/* The whole line is looked at: a bundle's other components may have been there all the time. */
static bool fill_line(struct ws *ws, const struct waiting_row *waiting)
{
    struct order order;
    struct outlet outlet;
    (void)order_open(ws, waiting->ord, &order);
    outlet_open(ws, ws_get(ws, &channel_table, WS_KEY(ws_unit(ws), waiting->channel)), &outlet);
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_ORDER, order.row->id });
    bool filled = false, waits = false;
    int64_t line = waiting->line;
    for (size_t i = 0; i < order.demand_count; i++) {
        if (order.demands[i]->line == line && order.demands[i]->backordered > 0 && order.demands[i]->sku != 0)
            filled = fill_demand(&stock, &order, i, &outlet) || filled;
        waits = waits || order.demands[i]->backordered > 0;
    }
    stock_end(&stock);
    if (!filled)
        return false;
    if (!waits)
        exceptions_close_of_order(&order);
    int64_t told = order.last_seq;
    order_advance(&order, false);
    if (order.last_seq == told) /* a part came, the stage did not change */
        order_event(&order, EVENT_ORDER_RESERVED, NULL_INT);
    return true;
}

void backorders_fill(struct ws *ws, int64_t node, int64_t sku)
{
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(sku) };
    const struct position_row *position = position_find(ws, node, sku, 0);
    struct ws_cursor cursor = ws_scan(ws, &waiting_by_rank, prefix, 64);
    const struct waiting_row *waiting;
    while (position != NULL && (position->available > 0 || position->fenced > 0) && (waiting = ws_next(ws, &cursor)) != NULL) {
        (void)fill_line(ws, waiting);
        position = position_find(ws, node, sku, 0);
    }
}

static const char *cause_of(struct ws *ws, const struct broken *broken)
{
    return arena_printf(ws_arena(ws), "broken/%ld/%ld", (long)broken->holder, (long)broken->sku);
}

/* All at once: a count may break the claims of thousands of orders. */
static void want_orders(struct ws *ws, const struct broken *broken)
{
    const struct db_path *const paths[] = { &line_of_order, &demand_of_order, &fulfilment_of_order, &claim_of_holder };
    const int64_t unit = ws_unit(ws);
    for (; broken != NULL; broken = broken->next) {
        if (broken->kind != CLAIM_ORDER)
            continue;
        const char *cause = cause_of(ws, broken);
        ws_want(ws, &orders_table, WS_KEY(unit, broken->holder));
        ws_want_path(ws, &exception_open_by_cause, WS_PREFIX(db_int(unit), db_text(cause)), 0);
        for (size_t i = 0; i < COUNT(paths); i++)
            ws_want_path(ws, paths[i], WS_PREFIX(db_int(unit), db_int(broken->holder)), 0);
    }
    ws_settle(ws);
}

void orders_claims_broken(struct ws *ws, const struct broken *broken, const char *why)
{
    want_orders(ws, broken);
    for (; broken != NULL; broken = broken->next) {
        if (broken->kind != CLAIM_ORDER)
            continue;
        struct order order;
        (void)order_open(ws, broken->holder, &order);
        for (size_t i = 0; i < order.demand_count; i++) {
            if (order.demands[i]->line != broken->line || order.demands[i]->part != broken->part)
                continue;
            struct demand_row *demand = demand_edit(&order, i);
            *(broken->hard ? &demand->allocated : &demand->reserved) -= broken->quantity;
            if (broken->hard) /* the node no longer has to ship them */
                fulfilment_gives_up(&order, broken->node, broken->line, broken->part, broken->quantity);
            demand->backordered += broken->quantity;
            demand_waits(&order, demand);
        }
        ws_event(ws, (struct event_row){ .type = EVENT_CLAIM_BROKEN, .subject_kind = SUBJECT_ORDER, .subject = broken->holder, .about = broken->holder,
                                         .sku = broken->sku, .available = NULL_INT, .reserved = NULL_INT, .allocated = NULL_INT,
                                         .quarantined = NULL_INT, .quantity = broken->quantity, .class = 0, .amount = NULL_INT, .unit_cost = NULL_INT });
        exception_open(ws, EXCEPTION_BROKEN_CLAIM, cause_of(ws, broken), broken->holder, broken->sku, broken->quantity, why);
        order_advance(&order, false);
    }
}

const struct stock_followers stock_followers = { .supply = backorders_fill, .claims_broken = orders_claims_broken };
