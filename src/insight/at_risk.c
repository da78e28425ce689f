/* src/insight/at_risk.c: pieces of an order's lines that wait, or were lost, at the price of the line; goods that are missing, at what goods of
 * their SKU cost on average (src/finance). Work that is about neither, such as a webhook that fails, has no money at risk. */
#include "insight/at_risk.h"
#include "engine/exceptions.h"
#include "finance/finance.h"
#include "insight_sql.h"
#include "inventory/supply.h"
#include "inventory/transfers.h"
#include "orders/losses.h"
#include "orders/orders.h"
#include <stdio.h>

/* Pieces of the line that were lost or damaged with the fulfilment order, and nobody has decided on. */
static int64_t pieces_lost(const struct order *order, const struct order_line_row *line, const struct fulfilment_row *row)
{
    int64_t pieces = 0;
    for (size_t i = 0; row != NULL && i < order->demand_count; i++) {
        const struct demand_row *d = order->demands[i];
        if (d->line == line->line)
            pieces = max_i64(pieces, (loss_undecided(order->ws, row, d->line, d->part, 0) + d->need - 1) / d->need);
    }
    return pieces;
}

static int64_t pieces_of(const struct order *order, const struct order_line_row *line, const struct exception_item_row *row)
{
    const int64_t fulfilment = row->subject_kind == SUBJECT_FULFILMENT ? row->subject : 0;
    const struct figures f = line_figures(line, order->demands, order->demand_count);
    if (row->type == EXCEPTION_UNMAPPED)
        return line->sku == 0 ? line->quantity - f.cancelled : 0;
    if (row->type == EXCEPTION_LOST_PARCEL)
        return pieces_lost(order, line, ws_get(order->ws, &fulfilment_table, WS_KEY(ws_unit(order->ws), fulfilment)));
    return f.backordered;
}

static struct at_risk of_order(struct ws *ws, const struct exception_item_row *row)
{
    struct at_risk risk = { 0 };
    struct order order;
    if (!order_open(ws, row->about, &order))
        return risk;
    risk.has_money = true;
    snprintf(risk.currency, sizeof risk.currency, "%.3s", order.row->currency);
    for (size_t i = 0; i < order.line_count; i++) {
        const struct order_line_row *line = order.lines[i];
        struct line_money money;
        const int64_t pieces = pieces_of(&order, line, row);
        if (pieces <= 0 || !line_money(line, pieces, &money))
            continue;
        risk.promises++;
        risk.minor += money.goods - money.discount + (order.row->prices_include_tax ? 0 : money.tax);
    }
    return risk;
}

static void add_goods(struct at_risk *risk, int64_t sku, int64_t units)
{
    if (units > 0)
        risk->goods[risk->goods_count++] = (struct goods_at_risk){ sku, units };
}

/* What has not come by its date, or with the last delivery. Its lines are enough: opening it would read all that a receipt needs. */
static void of_supply(struct ws *ws, struct arena *arena, const struct exception_item_row *row, struct at_risk *risk)
{
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(row->subject) };
    const struct supply_line_row *line;
    struct ws_cursor cursor = ws_scan(ws, &line_of_supply, prefix, 0);
    risk->goods = ARENA_ARRAY(arena, struct goods_at_risk, ws_count(ws, &line_of_supply, prefix) + 1);
    while ((line = ws_next(ws, &cursor)) != NULL)
        if (row->type == EXCEPTION_SUPPLY_SHORT || line->expected_at < ws_now_us(ws))
            add_goods(risk, line->sku, supply_rest(line));
}

static void of_transfer(struct ws *ws, struct arena *arena, const struct exception_item_row *row, struct at_risk *risk)
{
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(row->subject) };
    const struct transfer_line_row *line;
    struct ws_cursor cursor = ws_scan(ws, &line_of_transfer, prefix, 0);
    risk->goods = ARENA_ARRAY(arena, struct goods_at_risk, ws_count(ws, &line_of_transfer, prefix) + 1);
    while ((line = ws_next(ws, &cursor)) != NULL)
        add_goods(risk, line->sku, transfer_missing(line));
}

void at_risk_want(struct ws *ws, const struct exception_item_row *row)
{
    const int64_t unit = ws_unit(ws);
    if (row->state != EXCEPTION_OPEN)
        return;
    if (row->about > 0)
        order_want(ws, row->about);
    if (row->about > 0 && row->type == EXCEPTION_LOST_PARCEL) {
        ws_want(ws, &fulfilment_table, WS_KEY(unit, row->subject_kind == SUBJECT_FULFILMENT ? row->subject : 0));
        ws_want_path(ws, &loss_of_order, WS_PREFIX(db_int(unit), db_int(row->about)), 0);
    }
    if (row->subject_kind == SUBJECT_SUPPLY)
        ws_want_path(ws, &line_of_supply, WS_PREFIX(db_int(unit), db_int(row->subject)), 0);
    if (row->subject_kind == SUBJECT_TRANSFER)
        ws_want_path(ws, &line_of_transfer, WS_PREFIX(db_int(unit), db_int(row->subject)), 0);
    ws_want(ws, &business_unit_table, WS_KEY(unit, unit));
}

struct at_risk at_risk_of(struct ws *ws, struct arena *arena, const struct exception_item_row *row)
{
    struct at_risk risk = { 0 };
    if (row->state != EXCEPTION_OPEN)
        return risk;
    if (row->about > 0)
        return of_order(ws, row);
    if (row->subject_kind == SUBJECT_SUPPLY)
        of_supply(ws, arena, row, &risk);
    else if (row->subject_kind == SUBJECT_TRANSFER)
        of_transfer(ws, arena, row, &risk);
    else if (row->sku != 0) {
        risk.goods = ARENA_ARRAY(arena, struct goods_at_risk, 1);
        add_goods(&risk, row->sku, row->quantity);
    }
    const struct business_unit_row *unit = risk.goods_count == 0 ? NULL : ws_get(ws, &business_unit_table, WS_KEY(ws_unit(ws), ws_unit(ws)));
    if (unit != NULL)
        snprintf(risk.currency, sizeof risk.currency, "%.3s", unit->currency);
    return risk;
}

enum db_result at_risk_price(const struct reading *reading, struct arena *arena, int64_t unit, struct at_risk *risk)
{
    enum db_result result = DB_OK;
    for (size_t i = 0; i < risk->goods_count && result == DB_OK; i++) {
        const struct goods_at_risk *goods = &risk->goods[i];
        const struct arena_mark mark = arena_mark(arena); /* there may be thousands */
        struct waiting_for_result *lines;
        size_t count = 0;
        int64_t worth = NULL_INT;
        result = waiting_for(reading->db, arena, unit, goods->sku, AT_RISK_WAITING_MAX, &lines, &count);
        if (result == DB_OK && reading->projection != NULL)
            result = ledger_worth(reading, arena, unit, goods->sku, goods->units, &worth);
        arena_rewind(arena, mark);
        if (result != DB_OK)
            return result;
        risk->promises += (int64_t)count;
        if (worth != NULL_INT && money_add(risk->minor, worth, &risk->minor))
            risk->has_money = true;
    }
    return result;
}
