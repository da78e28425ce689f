/* src/simulation/together.c: the same day as commands through the real routes and the real engine.
 * Own channels ask the engine with each order; the marketplace sells what it was last told, and is told every two minutes.
 * Web store and B2B portal take an order that must wait where receipts of all its goods are announced. Each parcel is picked, packed
 * and shipped by commands when its node's pickers come to it. What is measured is read from the events that the engine
 * wrote and from the demand rows of the orders that they are about. */
#include "base/fault.h"
#include "base/id.h"
#include "base/when.h"
#include "engine/event.h"
#include "engine/jobs.h"
#include "orders/orders.h"
#include "schema.h"
#include "simulation/agenda.h"
#include "simulation/runs.h"
#include "simulation/wording.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Commands of half a minute share a batch: less than the shortest time between an order and its payment, so that a batch
 * never needs an id that it draws itself. */
enum { BATCH_MAX = 128, WINDOW_SECONDS = 30, STEPS = 3, PUBLISH_MINUTES = 2, SKU_ID_MAX = 65536, JOB_ROUNDS_MAX = 100000, ACCOUNT_PAGE = 1000 };

struct kept_order {
    int64_t id;                           /* 0: was not taken */
    bool ended, may_wait, recalled, left; /* left: a parcel of it has */
    bool by_shortage;                     /* cancelled by it */
    int64_t short_units, short_since;
    int64_t last_parcel; /* the newest fulfilment that has gone to the pickers */
    int64_t touched;     /* the batch that last listed it */
};
struct list {
    int64_t *at;
    size_t count, room;
};
struct doing {
    struct due due;
    struct command *command;
};
struct together {
    const struct script *script;
    struct company *company;
    struct arena *arena, *batch;
    struct agenda agenda;
    struct pickers pickers;
    struct kept_order *orders;
    struct list which_of_id; /* script order + 1 by the store's id of it, or of a parcel of it; 0: neither */
    int16_t *sku_of_id;      /* SKU + 1 by the store's id */
    struct page page;        /* the marketplace's */
    struct doing doing[BATCH_MAX * STEPS];
    size_t doing_count;
    int64_t batches;
    struct list touched, released; /* of this batch */
    struct outcome *out;
    const char **error;
};

static bool fail(struct together *t, const char *what, int status, const char *body)
{
    *t->error = arena_printf(t->arena, "%s: %d %s", what, status, body == NULL ? "" : body);
    return false;
}

static bool store_failed(struct together *t, enum db_result result)
{
    if (result != DB_OK)
        fail(t, db_result_name(result), 0, db_last_error(engine_db(t->company->engine)));
    return result != DB_OK;
}

static void list_room(struct list *list, struct arena *arena, size_t needed)
{
    if (needed <= list->room)
        return;
    size_t room = list->room == 0 ? 1024 : list->room;
    while (room < needed)
        room *= 2;
    int64_t *grown = ARENA_ARRAY(arena, int64_t, room);
    if (list->room > 0)
        memcpy(grown, list->at, list->room * sizeof *grown);
    list->at = grown;
    list->room = room;
}

static void list_add(struct list *list, struct arena *arena, int64_t value)
{
    list_room(list, arena, list->count + 1);
    list->at[list->count++] = value;
}

static struct kept_order *order_of_id(struct together *t, int64_t id, int64_t *which)
{
    *which = id > 0 && (size_t)id < t->which_of_id.room ? t->which_of_id.at[id] - 1 : -1;
    return *which < 0 ? NULL : &t->orders[*which];
}

/* ---- what is sent ---- */

static void send_command(struct together *t, const struct due *due, const char *target, const char *body)
{
    struct command *command = local_command(t->company->local, t->batch, "POST", target, body, NULL);
    command->wants_answer = false;
    t->doing[t->doing_count++] = (struct doing){ *due, command };
}

static void send_order(struct together *t, const struct due *due)
{
    const struct script_order *order = &t->script->orders[due->which];
    if (order->channel == SELLER_MARKET && !page_sells(&t->page, order)) {
        t->out->refused_units += wanted_units(order);
        return;
    }
    bool waits = waits_for_supply(t->script, order);
    t->orders[due->which].may_wait = waits || order->channel == SELLER_MARKET;
    send_command(t, due, "/v1/orders", order_body(t->batch, order, "", waits));
}

static const char *order_target(struct together *t, int64_t which, const char *verb)
{
    char id[32];
    id_format("ord", t->company->unit, t->orders[which].id, id);
    return arena_printf(t->batch, "/v1/orders/%s/%s", id, verb);
}

static void send_payment(struct together *t, const struct due *due)
{
    const struct script_order *order = &t->script->orders[due->which];
    if (t->orders[due->which].id == 0 || t->orders[due->which].ended)
        return;
    send_command(t, due, order_target(t, due->which, "payments"), payment_body(t->batch, order));
}

static void send_cancel(struct together *t, const struct due *due)
{
    const struct kept_order *order = &t->orders[due->which];
    /* Nobody gives up what is half on its way; and of a bundle the engine cannot cancel the half that is not (409). */
    if (order->left && (due->kind == DUE_GIVE_UP || has_bundle(&t->script->orders[due->which])))
        return;
    if (order->id == 0 || order->ended || (due->kind == DUE_PATIENCE && order->short_units == 0))
        return;
    send_command(t, due, order_target(t, due->which, "cancel"), due->kind == DUE_GIVE_UP ? "{\"reason\":\"customer\"}" : "{\"reason\":\"shortage\"}");
}

static void send_receipt(struct together *t, const struct due *due)
{
    send_command(t, due, "/v1/inventory/adjustments", receipt_body(t->batch, &t->script->receipts[due->which], "", due->which));
}

static void send_parcel(struct together *t, const struct due *due)
{
    char id[32];
    int64_t which;
    struct kept_order *order = order_of_id(t, due->which, &which);
    if (order->recalled || order->ended)
        return;
    order->left = true;
    id_format("ful", t->company->unit, due->which, id);
    send_command(t, due, arena_printf(t->batch, "/v1/fulfilments/%s/pick", id), "{}");
    send_command(t, due, arena_printf(t->batch, "/v1/fulfilments/%s/pack", id), "{\"packages\":[{\"weight_g\":500}]}");
    send_command(t, due, arena_printf(t->batch, "/v1/fulfilments/%s/ship", id),
                 arena_printf(t->batch, "{\"carrier\":\"DHL\",\"tracking\":\"T%ld\"}", (long)due->which));
}

/* ---- what came of it ---- */

/* Refusals that the day may bring: short stock; and 409 where what is asked for has just ended (cancelled, shipped). */
static bool settle(struct together *t, const struct doing *doing)
{
    const struct command *command = doing->command;
    if (command->state == COMMAND_ACCEPTED) {
        bool by_shortage = doing->due.kind == DUE_PATIENCE || doing->due.kind == DUE_RECALL;
        t->out->cancelled_orders += by_shortage;
        if (by_shortage)
            t->orders[doing->due.which].by_shortage = true;
        return true;
    }
    bool is_short = command->faults.count > 0 && command->faults.items[0].code == FAULT_SHORTAGE;
    if (doing->due.kind == DUE_ORDER && is_short)
        t->out->refused_units += wanted_units(&t->script->orders[doing->due.which]);
    else if (command->answer.status != 409 || doing->due.kind == DUE_ORDER || doing->due.kind == DUE_RECEIPT || doing->due.kind == DUE_MISCOUNT)
        return fail(t,
                    arena_printf(t->arena, "%s, %ld s into the day (%s %ld)", command->type->name, (long)((doing->due.at - DAY_START_US) / SECOND_US),
                                 doing->due.kind == DUE_MISCOUNT ? "count" : "due", (long)doing->due.which),
                    command->answer.status, command->answer.body);
    return true;
}

static void touch(struct together *t, int64_t which)
{
    if (t->orders[which].touched == t->batches)
        return;
    t->orders[which].touched = t->batches;
    list_add(&t->touched, t->arena, which);
}

static void learn_order(struct together *t, const struct doing *doing, const struct event_row *event)
{
    list_room(&t->which_of_id, t->arena, (size_t)event->about + 1);
    t->which_of_id.at[event->about] = doing->due.which + 1;
    t->orders[doing->due.which].id = event->about;
}

/* A count took units that a parcel was to hold, before anybody came to pick them: whoever runs the node recalls the order; one that no
 * node had yet waits for supply. No picker of the day finds less than his parcel is to hold: its mistakes are counts, on both sides. */
static void lose_claim(struct together *t, struct kept_order *order, int64_t which, int64_t quantity)
{
    t->out->missing_units += quantity;
    if (order->last_parcel > 0 && !order->recalled)
        agenda_put(&t->agenda, t->company->now_us, DUE_RECALL, which);
    order->recalled = order->last_parcel > 0;
}

static void follow_order(struct together *t, const struct event_row *event)
{
    int64_t which;
    struct kept_order *order = order_of_id(t, event->about, &which);
    if (order == NULL)
        return;
    if (order->short_units > 0 || event->type == EVENT_ORDER_CREATED || event->type == EVENT_CLAIM_BROKEN)
        touch(t, which);
    if (event->type == EVENT_CLAIM_BROKEN)
        lose_claim(t, order, which, event->quantity);
    if (event->type == EVENT_ORDER_RELEASED)
        list_add(&t->released, t->arena, which);
    if (event->type == EVENT_ORDER_SHIPPED && !order->ended) {
        t->out->cycle_us += t->company->now_us - t->script->orders[which].at;
        t->out->shipped++;
    }
    if (event->type == EVENT_ORDER_CANCELLED || event->type == EVENT_ORDER_SHIPPED)
        order->ended = true;
}

static void follow_position(struct together *t, const struct event_row *event)
{
    int sku = event->sku > 0 && event->sku < SKU_ID_MAX ? t->sku_of_id[event->sku] - 1 : -1;
    if (sku >= 0)
        t->page.changed[sku] = true;
}

static bool follow_events(struct together *t)
{
    struct company *company = t->company;
    int64_t newest = engine_event_seq(company->engine, company->unit), first = company->seq + 1;
    size_t count = (size_t)(newest - company->seq);
    int64_t *keys = ARENA_ARRAY(t->batch, int64_t, 2 * count);
    struct db_rows rows = { 0 };
    for (size_t i = 0; i < count; i++) {
        keys[2 * i] = company->unit;
        keys[2 * i + 1] = first + (int64_t)i;
    }
    if (count > 0 && store_failed(t, db_load(engine_db(company->engine), t->batch, &event_table, keys, count, &rows)))
        return false;
    if (rows.count != count)
        return fail(t, "events are missing", 0, NULL);
    company->seq = newest;
    for (size_t i = 0; i < t->doing_count; i++)
        if (t->doing[i].due.kind == DUE_ORDER && t->doing[i].command->state == COMMAND_ACCEPTED)
            learn_order(t, &t->doing[i], db_row(&rows, (size_t)(t->doing[i].command->event_seq - first)));
    for (size_t i = 0; i < count; i++) {
        const struct event_row *event = db_row(&rows, i);
        if (event->subject_kind == SUBJECT_ORDER)
            follow_order(t, event);
        else if (event->type == EVENT_POSITION_CHANGED)
            follow_position(t, event);
    }
    return true;
}

static struct db_value *order_prefixes(struct together *t, const struct list *list)
{
    struct db_value *prefixes = ARENA_ARRAY(t->batch, struct db_value, 2 * list->count);
    for (size_t i = 0; i < list->count; i++) {
        prefixes[2 * i] = db_int(t->company->unit);
        prefixes[2 * i + 1] = db_int(t->orders[list->at[i]].id);
    }
    return prefixes;
}

/* What is oversold is asked once, of an order that has just come: later its receipt hides it. */
static void measure_short(struct together *t, int64_t which, int64_t short_units, int64_t oversold)
{
    struct kept_order *order = &t->orders[which];
    int64_t now = t->company->now_us;
    if (order->short_since == 0) {
        t->out->beyond_market_units += oversold;
        t->out->beyond_own_units += order->may_wait ? 0 : short_units;
    }
    if (order->short_units == 0 && short_units > 0)
        agenda_put(&t->agenda, max_i64(now, t->script->orders[which].at + PATIENCE_US), DUE_PATIENCE, which);
    t->out->waiting_us += order->short_units * (now - order->short_since);
    order->short_units = short_units;
    order->short_since = now;
}

static bool follow_touched(struct together *t)
{
    struct db_rows rows = { 0 };
    if (t->touched.count > 0 && store_failed(t, db_load_path(engine_db(t->company->engine), t->batch, &demand_of_order,
                                                             order_prefixes(t, &t->touched), t->touched.count, 0, &rows)))
        return false;
    for (size_t i = 0; i < rows.count;) {
        const struct demand_row *first = db_row(&rows, i);
        int64_t which, short_units = 0, oversold = 0;
        (void)order_of_id(t, first->ord, &which);
        for (const struct demand_row *row; i < rows.count && (row = db_row(&rows, i))->ord == first->ord; i++) {
            short_units += row->backordered;
            oversold += row->oversold;
        }
        measure_short(t, which, short_units, oversold);
    }
    t->touched.count = 0;
    return true;
}

static bool follow_released(struct together *t)
{
    struct db_rows rows = { 0 };
    if (t->released.count > 0 && store_failed(t, db_load_path(engine_db(t->company->engine), t->batch, &fulfilment_of_order,
                                                              order_prefixes(t, &t->released), t->released.count, 0, &rows)))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const struct fulfilment_row *parcel = db_row(&rows, i);
        int64_t which;
        struct kept_order *order = order_of_id(t, parcel->ord, &which);
        int node = 0;
        while (node < NODES - 1 && t->company->node_ids[node] != parcel->node)
            node++;
        if (parcel->id <= order->last_parcel || parcel->state != FULFILMENT_RELEASED)
            continue;
        order->last_parcel = parcel->id;
        list_room(&t->which_of_id, t->arena, (size_t)parcel->id + 1);
        t->which_of_id.at[parcel->id] = which + 1;
        agenda_put(&t->agenda, pickers_give(&t->pickers, t->script, node, t->company->now_us), DUE_SHIP, parcel->id);
    }
    t->released.count = 0;
    return true;
}

/* ---- the day ---- */

/* What a command left for later is done before the clock goes on: the server's scheduler needs no minute for it either. */
static bool run_jobs(struct together *t)
{
    bool open = true;
    for (int round = 0; open && round < JOB_ROUNDS_MAX; round++)
        if (store_failed(t, jobs_advance(t->company->engine, t->batch, t->company->unit, &open)))
            return false;
    return !open || fail(t, "a job does not come to its end", 0, NULL);
}

static bool run_batch(struct together *t)
{
    struct command *commands[BATCH_MAX * STEPS];
    bool good = true;
    for (size_t i = 0; i < t->doing_count; i++)
        commands[i] = t->doing[i].command;
    t->batches++;
    for (size_t i = 0; i < t->doing_count && good; i++)
        if (commands[i]->state == COMMAND_REFUSED) /* by the edge: nothing of the script is malformed */
            good = fail(t, commands[i]->type->name, commands[i]->answer.status, commands[i]->answer.body);
    if (good)
        engine_run(t->company->engine, commands, t->doing_count);
    for (size_t i = 0; i < t->doing_count && good; i++)
        good = settle(t, &t->doing[i]);
    good = good && run_jobs(t) && follow_events(t) && follow_touched(t) && follow_released(t);
    t->doing_count = 0;
    arena_reset(t->batch);
    return good;
}

static bool number_of(const char *body, const char *name, int64_t *number)
{
    const char *at = strstr(body, name);
    if (at != NULL)
        *number = strtoll(at + strlen(name), NULL, 10);
    return at != NULL;
}

/* The marketplace is told what it may show of all that changed. */
static bool publish(struct together *t)
{
    for (int item = 0; item < ITEMS; item++) {
        char code[16];
        if (!page_is_old(&t->page, item))
            continue;
        const char *target = arena_printf(t->batch, "/v1/availability?channel=%s&sku=%s", sellers[SELLER_MARKET].code, item_code(item, code));
        struct reply reply = local_call(t->company->local, t->batch, "GET", target, NULL);
        if (reply.status != 200 || !number_of(reply.body, "\"available\":", &t->page.shown[item]))
            return fail(t, target, reply.status, reply.body);
    }
    memset(t->page.changed, 0, sizeof t->page.changed);
    arena_reset(t->batch);
    return true;
}

/* Counted is what the books say less what is missing; alone in its batch, so that the books stand still meanwhile. */
static bool count_stock(struct together *t, const struct due *due)
{
    const struct stock_news *news = &t->script->miscounts[due->which];
    char code[16];
    int64_t on_hand = 0;
    const char *target = arena_printf(t->batch, "/v1/inventory?sku=%s&node=%s", item_code(news->sku, code), depots[news->node].code);
    struct reply reply = local_call(t->company->local, t->batch, "GET", target, NULL);
    if (reply.status != 200 || !number_of(reply.body, "\"on_hand\":", &on_hand))
        return fail(t, target, reply.status, reply.body);
    if (on_hand == 0)
        return true;
    send_command(t, due, "/v1/inventory/adjustments", count_body(t->batch, news, on_hand));
    return run_batch(t);
}

static void send_due(struct together *t, const struct due *due)
{
    switch (due->kind) {
    case DUE_ORDER:
        send_order(t, due);
        break;
    case DUE_PAYMENT:
        send_payment(t, due);
        break;
    case DUE_GIVE_UP:
    case DUE_PATIENCE:
    case DUE_RECALL:
        send_cancel(t, due);
        break;
    case DUE_RECEIPT:
        send_receipt(t, due);
        break;
    case DUE_SHIP:
        send_parcel(t, due);
        break;
    case DUE_MISCOUNT:
    case DUE_SYNC:
    case DUE_DEED:
        break; /* not in a batch with others */
    }
}

static bool is_alone(const struct due *due)
{
    return due->kind == DUE_MISCOUNT || due->kind == DUE_SYNC;
}

static bool run_next(struct together *t)
{
    const struct due *next = agenda_next(&t->agenda);
    int64_t until = next->at + WINDOW_SECONDS * SECOND_US;
    if (is_alone(next)) {
        struct due due = agenda_take(&t->agenda);
        t->company->now_us = due.at;
        if (due.kind == DUE_MISCOUNT)
            return count_stock(t, &due);
        if (due.at < t->script->orders[t->script->order_count - 1].at) /* nobody looks after the last order */
            agenda_put(&t->agenda, due.at + PUBLISH_MINUTES * MINUTE_US, DUE_SYNC, 0);
        return publish(t);
    }
    for (int taken = 0; taken < BATCH_MAX && (next = agenda_next(&t->agenda)) != NULL && next->at < until && !is_alone(next); taken++) {
        struct due due = agenda_take(&t->agenda);
        t->company->now_us = due.at;
        send_due(t, &due);
    }
    return t->doing_count == 0 || run_batch(t);
}

static void settle_order(struct together *t, const struct demand_row *demand)
{
    int64_t which;
    const struct kept_order *order = order_of_id(t, demand->ord, &which);
    t->out->shipped_units += demand->shipped;
    *(order->by_shortage ? &t->out->cancelled_units : &t->out->given_up_units) += demand->cancelled;
}

/* What became of each unit that was taken, as the demand rows have it in the end. */
static bool settle_accounts(struct together *t)
{
    const size_t count = t->script->order_count;
    for (size_t first = 0; first < count;) {
        struct list some = { 0 };
        struct db_rows rows = { 0 };
        for (; first < count && some.count < ACCOUNT_PAGE; first++) {
            const struct kept_order *order = &t->orders[first];
            if (order->id == 0)
                continue;
            list_add(&some, t->batch, (int64_t)first);
            t->out->unfinished += !order->ended;
            t->out->waiting_us += order->short_units * (t->company->now_us - order->short_since);
        }
        if (some.count > 0 &&
            store_failed(t, db_load_path(engine_db(t->company->engine), t->batch, &demand_of_order, order_prefixes(t, &some), some.count, 0, &rows)))
            return false;
        for (size_t i = 0; i < rows.count; i++)
            settle_order(t, db_row(&rows, i));
        arena_reset(t->batch);
    }
    return true;
}

bool together_run(const struct script *script, struct company *company, struct arena *arena, struct outcome *out, const char **error)
{
    struct together *t = ARENA_NEW(arena, struct together);
    *t = (struct together){ .script = script, .company = company, .arena = arena, .batch = arena_new((size_t)1 << 30), .out = out, .error = error };
    *error = "no memory";
    if (t->batch == NULL)
        return false;
    t->orders = ARENA_ARRAY(arena, struct kept_order, script->order_count);
    t->sku_of_id = ARENA_ARRAY(arena, int16_t, SKU_ID_MAX);
    bool good = true;
    for (int sku = 0; sku < SKUS; sku++) {
        if (company->sku_ids[sku] <= 0 || company->sku_ids[sku] >= SKU_ID_MAX)
            good = fail(t, "a SKU's id is out of range", 0, NULL);
        else
            t->sku_of_id[company->sku_ids[sku]] = (int16_t)(sku + 1);
        t->page.changed[sku] = true;
    }
    agenda_begin(&t->agenda, arena, script);
    agenda_put(&t->agenda, DAY_START_US + PUBLISH_MINUTES * MINUTE_US, DUE_SYNC, 0);
    good = good && publish(t);
    for (int64_t book_at = company->now_us; good && agenda_next(&t->agenda) != NULL;) {
        good = run_next(t);
        if (!good || company->now_us < book_at)
            continue;
        good = company_book(company, arena, error); /* hour by hour, as long as orders come */
        book_at = company->now_us + HOUR_US;
    }
    good = good && settle_accounts(t) && company_book(company, arena, error);
    arena_free(t->batch);
    return good;
}
