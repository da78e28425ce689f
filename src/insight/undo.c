/* src/insight/undo.c: one row for each type of event: who makes the request, or why there is none. A rule reads rows that the event has fixed, and
 * where it reads what may change (the lines of an order) the request is all or nothing on what was read. */
#include "insight/undo.h"
#include "base/id.h"
#include "base/when.h"
#include "catalog/catalog.h"
#include "engine/vault.h"
#include "orders/order_io.h"
#include "orders/state.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct undoing {
    struct ws *ws;
    struct arena *arena;
    int64_t unit, seq;
    const char *reason;
    const struct event_row *event;
    bool found;
    struct master_change_row before; /* of a master: the version that is put again */
    struct undo *undo;
};

/* ---- what an event says ---- */

/* A member of its text, text or number; NULL: there is none. */
static const char *told(const struct undoing *u, const char *name)
{
    struct json_reader json;
    if (u->event->data == NULL)
        return NULL;
    json_open(&json, u->arena, u->event->data, strlen(u->event->data));
    if (json_next(&json) != JSON_OBJECT)
        return NULL;
    while (json_next(&json) == JSON_KEY) {
        if (json.bytes != strlen(name) || memcmp(json.text, name, json.bytes) != 0) {
            (void)json_skip(&json);
            continue;
        }
        const enum json_token token = json_next(&json);
        return token == JSON_STRING || token == JSON_NUMBER ? arena_text_n(u->arena, json.text, json.bytes) : NULL;
    }
    return NULL;
}

static int64_t told_number(const struct undoing *u, const char *name)
{
    const char *digits = told(u, name);
    return digits == NULL ? 0 : strtoll(digits, NULL, 10);
}

static const char *percent(struct arena *arena, const char *text)
{
    struct buffer out = { .arena = arena };
    buffer_text(&out, "");
    for (; *text != '\0'; text++)
        if (strchr("-._~", *text) != NULL || (*text >= '0' && *text <= '9') || (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z'))
            buffer_add(&out, text, 1);
        else
            buffer_printf(&out, "%%%02X", (unsigned)(unsigned char)*text);
    return out.at;
}

static const char *subject(const struct undoing *u)
{
    return id_text(u->arena, subject_prefix((enum subject_kind)u->event->subject_kind), u->unit, u->event->subject);
}

static const char *node_code(const struct undoing *u, int64_t node)
{
    return ((const struct node_row *)ws_get(u->ws, &node_table, WS_KEY(u->unit, node)))->code;
}

static const char *sku_code(const struct undoing *u, int64_t sku)
{
    return ((const struct sku_row *)ws_get(u->ws, &sku_table, WS_KEY(u->unit, sku)))->code;
}

/* ---- the request ---- */

static void cannot(struct undoing *u, const char *why)
{
    *u->undo = (struct undo){ .why = why };
}

static struct json_writer begin(struct undoing *u)
{
    struct json_writer json;
    json_begin(&json, u->arena);
    json_object(&json);
    return json;
}

static void text(struct json_writer *json, const char *key, const char *value)
{
    if (value == NULL)
        return;
    json_key(json, key);
    json_text(json, value);
}

static void number(struct json_writer *json, const char *key, int64_t value)
{
    json_key(json, key);
    json_int(json, value);
}

static void post(struct undoing *u, const char *target, struct json_writer *json)
{
    json_object_end(json);
    *u->undo = (struct undo){ .method = METHOD_POST, .target = target, .body = json->out.at };
}

/* ---- orders ---- */

/* Whole, as it was ordered: what has left does not come back by this. */
static void cancel_order(struct undoing *u)
{
    struct order order;
    struct json_writer json = begin(u);
    bool left = false;
    if (!order_open(u->ws, u->event->subject, &order)) {
        cannot(u, "the order is not there any more");
        return;
    }
    text(&json, "reason", u->reason);
    json_key(&json, "lines");
    json_array(&json);
    for (size_t i = 0, at = 0; i < order.line_count; i++) {
        size_t count = 0;
        while (at + count < order.demand_count && order.demands[at + count]->line == order.lines[i]->line)
            count++;
        const struct figures figures = line_figures(order.lines[i], order.demands + at, count);
        at += count;
        if (figures.cancelled == order.lines[i]->quantity)
            continue;
        left = true;
        json_object(&json);
        number(&json, "line", order.lines[i]->line);
        number(&json, "quantity", order.lines[i]->quantity - figures.cancelled);
        json_object_end(&json);
    }
    json_array_end(&json);
    if (left)
        post(u, arena_printf(u->arena, "/v1/orders/%s/cancel", subject(u)), &json);
    else
        cannot(u, "the order is cancelled already");
}

static void clear_hold(struct undoing *u)
{
    struct json_writer json = begin(u);
    text(&json, "reason", u->reason);
    text(&json, "source", told(u, "source"));
    post(u, arena_printf(u->arena, "/v1/orders/%s/holds/%s/clear", subject(u), percent(u->arena, told(u, "kind"))), &json);
}

static void hold_again(struct undoing *u)
{
    struct json_writer json = begin(u);
    if (told(u, "source") == NULL) {
        cannot(u, "it cleared all holds of its kind: hold the order again for each source");
        return;
    }
    text(&json, "kind", told(u, "kind"));
    text(&json, "source", told(u, "source"));
    text(&json, "reason", u->reason);
    post(u, arena_printf(u->arena, "/v1/orders/%s/holds", subject(u)), &json);
}

/* What was wanted of each line, at the last event before the edit that says so. False: there is none. */
static bool wanted_before(struct undoing *u, const struct order *now, int64_t *pieces)
{
    const struct event_row *event, *before = NULL;
    struct order_state state;
    struct order then = *now;
    struct ws_cursor cursor = ws_scan(u->ws, &event_of_order, WS_PREFIX(db_int(u->unit), db_int(now->row->id)), 0);
    while ((event = ws_next(u->ws, &cursor)) != NULL && event->seq < u->seq) {
        struct order_state read;
        if (event->subject_kind == SUBJECT_ORDER && order_state_read(u->arena, event, &read)) {
            before = event;
            state = read;
        }
    }
    if (before == NULL)
        return false;
    (void)demands_then(u->arena, &then, before, &state);
    for (size_t i = 0; i < then.demand_count; i++)
        pieces[then.demands[i]->line - 1] = (then.demands[i]->ordered - then.demands[i]->cancelled) / then.demands[i]->need;
    return true;
}

/* Where the order went before: what was sealed until this event. False: its people were erased. */
static bool address_before(struct undoing *u, const struct order *order, struct json_writer *json)
{
    const struct person_row *person = ws_get(u->ws, &person_table, WS_KEY(u->unit, order->row->person));
    const struct person_before_row *before = ws_get(u->ws, &person_before_table, WS_KEY(u->unit, order->row->person, u->seq));
    struct people_io *people = ARENA_NEW(u->arena, struct people_io);
    struct faults faults = { .arena = u->arena };
    struct bytes plain;
    if (before == NULL)
        return true; /* it changed no address */
    if (person == NULL || !vault_unseal(ws_vault(u->ws), u->arena, person->wrapped_key, before->sealed, &plain) ||
        !fields_read_text(u->arena, (const char *)plain.at, plain.size, &people_fields, FIELDS_KEPT, people, &faults))
        return false;
    json_key(json, "ship_to");
    fields_write(json, &order_address_fields, people->ship_to);
    return true;
}

static void edit_back(struct undoing *u)
{
    struct order order;
    struct json_writer json = begin(u);
    if (!order_open(u->ws, u->event->subject, &order)) {
        cannot(u, "the order is not there any more");
        return;
    }
    int64_t *pieces = ARENA_ARRAY(u->arena, int64_t, order.line_count + 1);
    if (!wanted_before(u, &order, pieces) || !address_before(u, &order, &json)) {
        cannot(u, "how the order was before it is not known any more");
        return;
    }
    text(&json, "reason", u->reason);
    json_key(&json, "set");
    json_array(&json);
    for (size_t i = 0; i < order.line_count; i++) {
        json_object(&json);
        number(&json, "line", order.lines[i]->line);
        number(&json, "quantity", pieces[i]);
        json_object_end(&json);
    }
    json_array_end(&json);
    post(u, arena_printf(u->arena, "/v1/orders/%s/edit", subject(u)), &json);
}

/* ---- stock ---- */

/* Where, what and how much, as an adjustment or an inspection names it. */
static void goods(struct undoing *u, struct json_writer *json, int64_t class)
{
    text(json, "node", node_code(u, u->event->node));
    text(json, "sku", sku_code(u, u->event->sku));
    if (class > 0)
        text(json, "class", ((const struct goods_class_row *)ws_get(u->ws, &goods_class_table, WS_KEY(u->unit, class)))->code);
}

/* The movement that the adjustment made first: its id was drawn next. NULL: it moved nothing. */
static const struct movement_row *movement_of(const struct undoing *u)
{
    const struct movement_row *movement = ws_get(u->ws, &movement_table, WS_KEY(u->unit, u->event->subject + 1));
    return movement != NULL && movement->cause_kind == CAUSE_ADJUSTMENT && movement->cause == u->event->subject ? movement : NULL;
}

static void adjust_back(struct undoing *u)
{
    const struct adjustment_row *row = ws_get(u->ws, &adjustment_table, WS_KEY(u->unit, u->event->subject));
    const struct movement_row *movement = movement_of(u);
    static const char *const buckets[] = { "available", "quarantined" };
    if (row->delta == 0 || movement == NULL) {
        cannot(u, "it moved nothing");
        return;
    }
    struct json_writer json = begin(u);
    const bool between = movement->from_node == movement->to_node;
    goods(u, &json, row->class);
    text(&json, "reason", "correction");
    text(&json, "document", arena_printf(u->arena, "undo %ld of %s", (long)u->seq, id_text(u->arena, "adj", u->unit, row->id)));
    text(&json, "bucket", between ? bucket_names[movement->from_bucket] : buckets[row->bucket]);
    if (between)
        text(&json, "from", buckets[row->bucket]);
    number(&json, "delta", between ? row->delta : -row->delta);
    if (u->event->unit_cost != NULL_INT) {
        struct money cost = { .minor = u->event->unit_cost };
        snprintf(cost.currency, sizeof cost.currency, "%.3s", u->event->currency);
        json_key(&json, "unit_cost");
        json_money(&json, cost);
    }
    post(u, "/v1/inventory/adjustments", &json);
}

/* Kept back and free, each takes back the other. */
static void release_back(struct undoing *u)
{
    struct json_writer json = begin(u);
    goods(u, &json, u->event->class);
    number(&json, "quantity", u->event->quantity);
    text(&json, "note", u->reason);
    post(u, "/v1/inventory/release", &json);
}

static void quarantine_back(struct undoing *u)
{
    struct json_writer json = begin(u);
    goods(u, &json, u->event->class);
    number(&json, "quantity", u->event->quantity);
    text(&json, "reason", "other");
    text(&json, "note", u->reason);
    post(u, "/v1/inventory/quarantine", &json);
}

static void regrade_back(struct undoing *u)
{
    struct json_writer json = begin(u);
    const char *class = told(u, "to_class"), *bucket = told(u, "bucket");
    goods(u, &json, 0);
    text(&json, "class", class);
    if (u->event->class > 0)
        text(&json, "to_class", ((const struct goods_class_row *)ws_get(u->ws, &goods_class_table, WS_KEY(u->unit, u->event->class)))->code);
    text(&json, "bucket", bucket);
    number(&json, "quantity", u->event->quantity);
    text(&json, "note", u->reason);
    post(u, "/v1/inventory/regrade", &json);
}

static void end_reservation(struct undoing *u)
{
    *u->undo = (struct undo){ .method = METHOD_DELETE, .target = arena_printf(u->arena, "/v1/reservations/%s", subject(u)) };
}

static void cancel_transfer(struct undoing *u)
{
    struct json_writer json = begin(u);
    if (!text_equal(told(u, "state"), "requested"))
        cannot(u, "goods that have left come back by a transfer of their own");
    else
        post(u, arena_printf(u->arena, "/v1/transfers/%s/cancel", subject(u)), &json);
}

static void close_supply(struct undoing *u)
{
    const struct supply_row *row = ws_get(u->ws, &supply_table, WS_KEY(u->unit, u->event->subject));
    struct json_writer json = begin(u);
    text(&json, "reason", u->reason);
    if (row == NULL || row->event_seq != u->seq) /* that of its last change: the first, where it was never changed */
        cannot(u, "the supply has changed since: change it to what is expected now, or close it");
    else
        post(u, arena_printf(u->arena, "/v1/supplies/%s/close", subject(u)), &json);
}

static void end_recall(struct undoing *u)
{
    struct json_writer json = begin(u);
    json_key(&json, "release");
    json_bool(&json, true);
    text(&json, "reason", u->reason);
    if (text_equal(told(u, "state"), "ended"))
        cannot(u, "what it kept back is free or waits for an inspection: call it back again");
    else
        post(u, arena_printf(u->arena, "/v1/recalls/%s/end", subject(u)), &json);
}

/* ---- masters ---- */

/* Those that are called by their code, under it; of a channel and of a fence the path has more parts. */
static const char *const lists[SUBJECT_KIND_COUNT] = { [SUBJECT_UNIT] = "units",     [SUBJECT_NODE] = "nodes",    [SUBJECT_SKU] = "skus",
                                                       [SUBJECT_BUNDLE] = "bundles", [SUBJECT_CLASS] = "classes", [SUBJECT_CHANNEL] = "channels" };

static const char *channel_code(struct undoing *u, int64_t channel)
{
    return percent(u->arena, ((const struct channel_row *)ws_get(u->ws, &channel_table, WS_KEY(u->unit, channel)))->code);
}

/* Where it is put, and whose history it has: of the company, but for what is a channel's. */
static const char *master_path(struct undoing *u, struct master_change_row *change)
{
    const struct event_row *event = u->event;
    *change = (struct master_change_row){ .kind = event->subject_kind, .subject = event->subject };
    if (event->subject_kind == SUBJECT_LISTING) {
        const struct listing_row *listing = ws_get(u->ws, &listing_table, WS_KEY(u->unit, event->subject));
        change->unit = u->unit;
        return arena_printf(u->arena, "/v1/channels/%s/listings/%s", channel_code(u, listing->channel), percent(u->arena, listing->channel_sku));
    }
    if (event->subject_kind == SUBJECT_FENCE) {
        const struct fence_row *fence = ws_get(u->ws, &fence_table, WS_KEY(u->unit, event->subject, event->node, event->sku));
        change->unit = u->unit;
        change->subject = fence->id;
        return arena_printf(u->arena, "/v1/channels/%s/fences/%s/%s", channel_code(u, event->subject), percent(u->arena, node_code(u, event->node)),
                            percent(u->arena, sku_code(u, event->sku)));
    }
    const char *list = lists[event->subject_kind], *code = told(u, "code");
    return list == NULL || code == NULL ? NULL : arena_printf(u->arena, "/v1/%s/%s", list, percent(u->arena, code));
}

static void put_back(struct undoing *u)
{
    const int64_t version = told_number(u, "version");
    *u->undo = (struct undo){ .method = METHOD_PUT, .target = master_path(u, &u->before), .if_match = arena_printf(u->arena, "%ld", (long)version) };
    u->before.version = version - 1;
    if (u->undo->target == NULL)
        cannot(u, "put it as it was");
    else if (version <= 1)
        cannot(u, "it made what there is, and masters are not taken away: too much hangs on them");
}

/* ---- which ---- */

#define FOLLOWS "it follows from what another event tells: take that back"
static const struct {
    void (*make)(struct undoing *u);
    const char *why;
} rules[EVENT_TYPE_COUNT] = {
    [EVENT_ORDER_CREATED] = { .make = cancel_order },
    [EVENT_ORDER_RESERVED] = { .why = FOLLOWS },
    [EVENT_ORDER_RELEASED] = { .why = "the nodes have their work: cancel what is not to be sent" },
    [EVENT_ORDER_SHIPPED] = { .why = "the goods have left" },
    [EVENT_ORDER_DELIVERED] = { .why = "a fact" },
    [EVENT_ORDER_CANCELLED] = { .why = "its units are promised to others: order again" },
    [EVENT_ORDER_EDITED] = { .make = edit_back },
    [EVENT_ORDER_BACKORDERED] = { .why = FOLLOWS },
    [EVENT_ORDER_HELD] = { .make = clear_hold },
    [EVENT_ORDER_HOLD_CLEARED] = { .make = hold_again },
    [EVENT_ORDER_PAYMENT] = { .why = "a fact: tell what came after it, a refund or a void" },
    [EVENT_FULFILMENT_CHANGED] = { .why = "a node's report is a fact" },
    [EVENT_POSITION_CHANGED] = { .why = FOLLOWS },
    [EVENT_CLAIM_BROKEN] = { .why = FOLLOWS },
    [EVENT_EXCEPTION_OPENED] = { .why = FOLLOWS },
    [EVENT_EXCEPTION_CLOSED] = { .why = FOLLOWS },
    [EVENT_MASTER_CHANGED] = { .make = put_back },
    [EVENT_RESERVATION_MADE] = { .make = end_reservation },
    [EVENT_RESERVATION_ENDED] = { .why = "its units are promised to others: reserve again" },
    [EVENT_STOCK_ADJUSTED] = { .make = adjust_back },
    [EVENT_ORDER_MAPPED] = { .why = FOLLOWS },
    [EVENT_TRANSFER_CHANGED] = { .make = cancel_transfer },
    [EVENT_STOCK_QUARANTINED] = { .make = release_back },
    [EVENT_STOCK_RELEASED] = { .make = quarantine_back },
    [EVENT_STOCK_REGRADED] = { .make = regrade_back },
    [EVENT_STOCK_INSPECTED] = { .why = "what left the node is gone: quarantine what was restocked" },
    [EVENT_STOCK_DISPOSED] = { .why = FOLLOWS },
    [EVENT_SUPPLY_CHANGED] = { .make = close_supply },
    [EVENT_ORDER_CANCEL_REQUESTED] = { .why = "the node has been asked: its word is waited for" },
    [EVENT_ORDER_CANCEL_REFUSED] = { .why = "a node's word is a fact" },
    [EVENT_ORDER_REFUSAL_CLEARED] = { .why = "the node may be asked again: it will say so once more if it must" },
    [EVENT_WEBHOOK_CHANGED] = { .why = "put the endpoint as it was: its secret is told to nobody" },
    [EVENT_RECALL_CHANGED] = { .make = end_recall },
    [EVENT_SNAPSHOT_TAKEN] = { .why = "a fact" },
    [EVENT_COUNT_CLASSES_CHANGED] = { .why = "classes follow from what moved: change the shares or the window, and class again" },
    [EVENT_COUNT_CHANGED] = { .why = "what was counted is a fact: cancel a count that goes on, or count again" },
    [EVENT_RETURN_CHANGED] = { .why = "cancel what is only expected; what came back is a fact" },
    [EVENT_ORDER_PARCEL_LOST] = { .why = "a fact: tell that the parcel has arrived after all" },
    [EVENT_ORDER_PARCEL_FOUND] = { .why = "a fact" },
    [EVENT_ORDER_REROUTED] = { .why = "it was moved to where it goes better: replan it again when that has changed" },
    [EVENT_ORDER_PROMISE_CHANGED] = { .why = FOLLOWS },
    [EVENT_SUPPLY_RECEIVED] = { .why = "a fact: correct the stock" },
};

bool undo_is_decided(enum event_type type)
{
    return rules[type].make != NULL || rules[type].why != NULL;
}

static void read_event(struct ws *ws, void *context)
{
    struct undoing *u = context;
    u->ws = ws;
    u->event = ws_get(ws, &event_table, WS_KEY(u->unit, u->seq));
    u->found = u->event != NULL;
    if (!u->found)
        return;
    if (rules[u->event->type].make == NULL)
        cannot(u, rules[u->event->type].why);
    else
        rules[u->event->type].make(u);
}

static void read_before(struct ws *ws, void *context)
{
    struct undoing *u = context;
    const struct master_change_row *key = &u->before;
    const struct master_change_row *row = ws_get(ws, &master_change_table, WS_KEY(key->unit, key->kind, key->subject, key->version));
    u->undo->body = row == NULL ? NULL : arena_text(u->arena, row->body);
}

enum db_result undo_of(const struct reading *reading, int64_t unit, int64_t seq, const char *reason, bool *found, struct undo *undo)
{
    struct undoing u = { .arena = reading->arena, .unit = unit, .seq = seq, .reason = reason, .undo = undo };
    if (reason == NULL)
        u.reason = arena_printf(u.arena, "event %ld is taken back", (long)seq);
    *undo = (struct undo){ 0 };
    enum db_result result = ws_read(reading, unit, when_now_us(), read_event, &u);
    if (result == DB_OK && u.found && undo->why == NULL && undo->method == METHOD_PUT) {
        result = ws_read(reading, u.before.unit, when_now_us(), read_before, &u);
        if (result == DB_OK && undo->body == NULL)
            cannot(&u, "what it was before is not known any more");
    }
    *found = u.found;
    return result;
}
