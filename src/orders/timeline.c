/* src/orders/timeline.c: one table of writers, by the type of event. An event that lacks what its writer needs (it is of an
 * older release, or says no more) is said by its type's words in engine/event.h. */
#include "orders/timeline.h"
#include "base/id.h"
#include "orders/state.h"
#include <stdlib.h>
#include <string.h>

/* ---- what an event says ---- */

static struct arena *arena_of(const struct timeline *t)
{
    return ws_arena(t->order->ws);
}

/* Stands before the value of a member of the event's object; false: it has none. */
static bool find_member(const struct timeline *t, const struct event_row *event, const char *name, struct json_reader *json)
{
    if (event->data == NULL)
        return false;
    json_open(json, arena_of(t), event->data, strlen(event->data));
    if (json_next(json) != JSON_OBJECT)
        return false;
    while (json_next(json) == JSON_KEY) {
        if (json->bytes == strlen(name) && memcmp(json->text, name, json->bytes) == 0)
            return true;
        bool said = event->subject_kind != SUBJECT_ORDER || order_state_member(json->text, json->bytes) == STATE_NONE;
        if (!said || !json_skip(json))
            return false; /* what a command said of an order stands before the order's state */
    }
    return false;
}

/* NULL: it does not say. */
static const char *text_of(const struct timeline *t, const struct event_row *event, const char *name)
{
    struct json_reader json;
    if (!find_member(t, event, name, &json) || json_next(&json) != JSON_STRING)
        return NULL;
    return arena_text_n(arena_of(t), json.text, json.bytes);
}

static size_t word_at(const char *const *names, size_t count, const char *word)
{
    size_t i = 0;
    while (i < count && (word == NULL || strcmp(names[i], word) != 0))
        i++;
    return i;
}

#define LINES_SAID_MAX 10

/* "line 1: 2, line 3: 1" of the event's list; `between` stands between line and quantity, NULL: no quantity is said.
 * NULL: the event names none. */
static const char *lines_of(const struct timeline *t, const struct event_row *event, const char *member, const char *between)
{
    struct json_reader json;
    struct buffer out = { .arena = arena_of(t) };
    size_t count = 0;
    if (!find_member(t, event, member, &json) || json_next(&json) != JSON_ARRAY)
        return NULL;
    while (json_next(&json) == JSON_OBJECT) {
        int64_t figures[2] = { 0 }; /* line, quantity, as line_units_tell() writes them */
        for (size_t i = 0; i < COUNT(figures) && json_next(&json) == JSON_KEY; i++)
            if (json_next(&json) == JSON_NUMBER)
                figures[i] = strtoll(arena_text_n(arena_of(t), json.text, json.bytes), NULL, 10);
        (void)json_next(&json); /* the object's end */
        if (count++ >= LINES_SAID_MAX)
            continue;
        buffer_printf(&out, "%sline %ld", count == 1 ? "" : ", ", (long)figures[0]);
        if (between != NULL)
            buffer_printf(&out, "%s%ld", between, (long)figures[1]);
    }
    if (count > LINES_SAID_MAX)
        buffer_printf(&out, " and %zu more lines", count - LINES_SAID_MAX);
    return out.at;
}

static const char *money_of(const struct timeline *t, const struct event_row *event)
{
    return event->amount == NULL_INT || event->currency == NULL ? NULL : money_text(arena_of(t), event->amount, event->currency);
}

static const char *node_code(const struct timeline *t, int64_t node)
{
    return ((const struct node_row *)ws_get(t->order->ws, &node_table, WS_KEY(ws_unit(t->order->ws), node)))->code;
}

/* " (ref p-1)", " (the customer called)"; "" where there is nothing to say. */
static const char *aside(const struct timeline *t, const char *before, const char *text)
{
    return text == NULL ? "" : arena_printf(arena_of(t), " (%s%s)", before, text);
}

/* ---- payments ---- */

/* "payment of 30.00 EUR captured (ref p-1)"; of what failed nothing was paid. */
static const char *payment_said(const struct timeline *t, const char *kind, const char *amount, const char *reference)
{
    const char *ref = aside(t, "ref ", reference);
    if (strcmp(kind, payment_names[PAYMENT_FAILED]) == 0)
        return arena_printf(arena_of(t), "payment failed: %s%s", amount, ref);
    return arena_printf(arena_of(t), "payment of %s %s%s", amount, kind, ref);
}

static const char *say_payment(struct timeline *t, const struct event_row *event)
{
    const char *kind = text_of(t, event, "kind"), *amount = money_of(t, event);
    return kind == NULL || amount == NULL ? NULL : payment_said(t, kind, amount, text_of(t, event, "reference"));
}

/* ---- promises: from the state that each order event carries, see state.h ---- */

static const char *say_created(struct timeline *t, const struct event_row *event)
{
    const char *total = money_of(t, event);
    struct json_reader json;
    const char *kind = "", *reference = NULL, *amount = "", *currency = "";
    if (total == NULL || !find_member(t, event, "payment", &json)) /* few orders were paid before they came */
        return total == NULL ? NULL : arena_printf(arena_of(t), "captured: total %s", total);
    for (enum json_token token = json_next(&json); token == JSON_OBJECT || token == JSON_KEY; token = json_next(&json)) {
        const char *key = token == JSON_KEY ? arena_text_n(arena_of(t), json.text, json.bytes) : "";
        if (token == JSON_OBJECT || json_next(&json) != JSON_STRING)
            continue; /* the amount's object is gone into: its members are told apart by their names */
        const char *value = arena_text_n(arena_of(t), json.text, json.bytes);
        kind = strcmp(key, "kind") == 0 ? value : kind;
        reference = strcmp(key, "reference") == 0 ? value : reference;
        amount = strcmp(key, "amount") == 0 ? value : amount;
        currency = strcmp(key, "currency") == 0 ? value : currency;
    }
    return arena_printf(arena_of(t), "captured: total %s, %s", total,
                        payment_said(t, kind, arena_printf(arena_of(t), "%s %s", amount, currency), reference));
}

/* Whole pieces of all lines, as each line shows its own. */
static bool promised(const struct timeline *t, const struct event_row *event, struct figures *sum)
{
    struct order order = *t->order;
    struct order_state state;
    struct arena *scratch = ws_scratch(order.ws); /* 200 KB of an order of a thousand lines, which has as many events */
    *sum = (struct figures){ 0 };
    if (!order_state_read(scratch, event, &state))
        return false;
    (void)demands_then(scratch, &order, event, &state);
    for (size_t i = 0, first = 0; i < order.line_count; i++) {
        size_t count = 0;
        while (first + count < order.demand_count && order.demands[first + count]->line == order.lines[i]->line)
            count++; /* by line: a line's demands lie side by side */
        struct figures f = line_figures(order.lines[i], order.demands + first, count);
        sum->reserved += f.reserved;
        sum->backordered += f.backordered;
        first += count;
    }
    return true;
}

static const char *say_promised(struct timeline *t, const struct event_row *event)
{
    struct figures f;
    if (!promised(t, event, &f) || f.reserved + f.backordered == 0)
        return NULL;
    if (f.backordered == 0)
        return arena_printf(arena_of(t), "reserved %ld", (long)f.reserved);
    if (f.reserved == 0)
        return arena_printf(arena_of(t), "waits for %ld", (long)f.backordered);
    return arena_printf(arena_of(t), "reserved %ld, waits for %ld", (long)f.reserved, (long)f.backordered);
}

/* ---- with the nodes ---- */

/* Those that this release gave work to: fulfilment orders that no release before it has named. */
static const char *say_released(struct timeline *t, const struct event_row *event)
{
    struct ws *ws = t->order->ws;
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(t->order->row->id) };
    struct buffer out = { .arena = arena_of(t) };
    const char *next = NULL;
    const int64_t told = t->told_fulfilment;
    struct order_state state;
    (void)order_state_read(ws_scratch(ws), event, &state); /* none: there are no fulfilment orders in it */
    for (size_t i = 0; i + 2 <= state.fulfilments.count; i += 2) {
        const int64_t id = state.fulfilments.at[i];
        if (id <= told)
            continue;
        const struct fulfilment_row *row = ws_get_listed(ws, &fulfilment_table, WS_KEY(ws_unit(ws), id), &fulfilment_of_order, prefix);
        if (next != NULL)
            buffer_printf(&out, "%s%s", out.size == 0 ? "" : ", ", next);
        next = node_code(t, row->node);
        t->told_fulfilment = max_i64(t->told_fulfilment, id);
    }
    if (next == NULL) /* no new work: what waited is no longer wanted, say */
        return told > 0 ? "what is left is with the nodes" : NULL;
    return out.size == 0 ? arena_printf(arena_of(t), "released to %s", next) : arena_printf(arena_of(t), "released to %s and %s", out.at, next);
}

/* What became of it on its way. */
static const char *say_parcel(const struct timeline *t, const struct event_row *event, const char *id, const char *parcel)
{
    static const struct {
        const char *parcel, *says;
    } words[] = { { "lost", "was lost" },
                  { "damaged", "came damaged" },
                  { "ship_again", "is sent once more" },
                  { "refund", "is not sent again" },
                  { "arrived", "arrived after all" } };
    size_t i = 0;
    while (i + 1 < COUNT(words) && strcmp(words[i].parcel, parcel) != 0)
        i++;
    const char *lines = lines_of(t, event, "lines", ": ");
    return arena_printf(arena_of(t), "of fulfilment %s of %s %s %s%s", id, node_code(t, event->node), lines == NULL ? "something" : lines,
                        words[i].says, aside(t, "", text_of(t, event, "reason")));
}

/* The state says what a node did, but where it answers: then the answer does. */
static const char *say_fulfilment(struct timeline *t, const struct event_row *event)
{
    static const struct {
        const char *state, *does;
    } verbs[] = {
        { "released", "is to ship" },
        { "sent", "was sent" },
        { "accepted", "accepted" },
        { "declined", "declined" },
        { "picking", "picked" },
        { "packed", "packed" },
        { "shipped", "shipped" },
        { "delivered", "delivered" },
        { "cancel_requested", "is asked to give back" },
        { "cancelled", "gave back" },
        { "reduced", "gave back" },
        { "failed", "failed with" },
        { "agreed", "gave back what was asked of" },
        { "refused", "does not give back" },
        { "left_over", "has still to ship" },
    };
    const char *answer = text_of(t, event, "answer"), *state = answer != NULL ? answer : text_of(t, event, "state");
    const char *parcel = text_of(t, event, "parcel");
    size_t i = 0;
    while (i < COUNT(verbs) && (state == NULL || strcmp(verbs[i].state, state) != 0))
        i++;
    if (i == COUNT(verbs) && parcel == NULL && !text_equal(answer, "assumed"))
        return NULL;
    char id[32];
    id_format(subject_prefix(SUBJECT_FULFILMENT), event->unit, event->subject, id);
    if (parcel != NULL)
        return say_parcel(t, event, id, parcel);
    if (text_equal(answer, "assumed"))
        return arena_printf(arena_of(t), "fulfilment %s of %s counts as delivered: nobody said anything else in time", id, node_code(t, event->node));
    const char *carrier = text_of(t, event, "carrier"), *tracking = text_of(t, event, "tracking");
    const char *with = carrier == NULL || tracking == NULL ? "" : arena_printf(arena_of(t), " with %s, tracking %s", carrier, tracking);
    const char *part = strcmp(state, "reduced") == 0 ? arena_printf(arena_of(t), " %ld of", (long)event->quantity) : "";
    const char *missing = lines_of(t, event, "missing", " lacks ");
    if (missing != NULL && strcmp(state, "failed") == 0)
        return arena_printf(arena_of(t), "%s failed with fulfilment %s: %s%s", node_code(t, event->node), id, missing,
                            aside(t, "", text_of(t, event, "reason")));
    if (missing != NULL) /* a short pick; with nothing left to send it is cancelled */
        return arena_printf(arena_of(t), "%s %s fulfilment %s: %s", node_code(t, event->node),
                            strcmp(state, "cancelled") == 0 ? "could not pick" : "picked short", id, missing);
    return arena_printf(arena_of(t), "%s %s%s fulfilment %s%s%s", node_code(t, event->node), verbs[i].does, part, id, with,
                        aside(t, "", text_of(t, event, "reason")));
}

/* ---- what people did, and what stands in the way ---- */

static const char *say_cancelled(struct timeline *t, const struct event_row *event)
{
    const char *reason = aside(t, "", text_of(t, event, "reason")), *stage = text_of(t, event, "stage"), *lines = lines_of(t, event, "lines", ": ");
    if (lines == NULL || text_equal(stage, stage_names[STAGE_CANCELLED]))
        return arena_printf(arena_of(t), "order cancelled%s", reason);
    return arena_printf(arena_of(t), "%s cancelled%s", lines, reason);
}

/* "line 1: 3, added line 2: 1, another address (the customer called)". */
static const char *say_edited(struct timeline *t, const struct event_row *event)
{
    const char *set = lines_of(t, event, "set", ": "), *added = lines_of(t, event, "added", ": ");
    struct json_reader json;
    if (added != NULL && find_member(t, event, "replaces", &json)) {
        (void)json_next(&json); /* its number ends where the next member begins */
        return arena_printf(arena_of(t), "added %s in place of line %ld%s", added, strtol(json.text, NULL, 10),
                            aside(t, "", text_of(t, event, "reason")));
    }
    struct buffer out = { .arena = arena_of(t) };
    const char *each[] = { set, added == NULL ? NULL : arena_printf(arena_of(t), "added %s", added),
                           find_member(t, event, "ship_to", &json) ? "another address" : NULL,
                           find_member(t, event, "bound", &json) ? "another bound of shipments" : NULL };
    buffer_text(&out, "edited: ");
    for (size_t i = 0, said = 0; i < COUNT(each); i++)
        if (each[i] != NULL)
            buffer_printf(&out, "%s%s", said++ == 0 ? "" : ", ", each[i]);
    buffer_text(&out, aside(t, "", text_of(t, event, "reason")));
    return out.at;
}

/* "asked to be cancelled: line 1: 2 (the customer called)" */
static const char *say_cancel_requested(struct timeline *t, const struct event_row *event)
{
    const char *lines = lines_of(t, event, "lines", ": ");
    return lines == NULL ? NULL : arena_printf(arena_of(t), "asked to be cancelled: %s%s", lines, aside(t, "", text_of(t, event, "reason")));
}

static const char *say_cancel_refused(struct timeline *t, const struct event_row *event)
{
    return arena_printf(arena_of(t), "not cancelled%s", aside(t, "", text_of(t, event, "reason")));
}

static const char *say_refusal_cleared(struct timeline *t, const struct event_row *event)
{
    const char *node = text_of(t, event, "node");
    return node == NULL ? NULL : arena_printf(arena_of(t), "may go to %s again%s", node, aside(t, "", text_of(t, event, "reason")));
}

/* "line 1 is expected on 2036-07-08, no longer on 2036-07-01" */
static const char *say_promise_changed(struct timeline *t, const struct event_row *event)
{
    const char *was = text_of(t, event, "was"), *now = text_of(t, event, "now");
    const char *no_longer = was == NULL ? "" : arena_printf(arena_of(t), ", no longer on %.10s", was);
    struct json_reader json;
    if (!find_member(t, event, "line", &json) || json_next(&json) != JSON_NUMBER)
        return NULL;
    const char *line = arena_text_n(arena_of(t), json.text, json.bytes);
    if (now == NULL)
        return arena_printf(arena_of(t), "line %s: nobody knows when it comes%s", line, no_longer);
    return arena_printf(arena_of(t), "line %s is expected on %.10s%s", line, now, no_longer);
}

static const char *say_held(struct timeline *t, const struct event_row *event)
{
    const char *kind = text_of(t, event, "kind");
    return kind == NULL ? NULL : arena_printf(arena_of(t), "held: %s%s", kind, aside(t, "", text_of(t, event, "reason")));
}

static const char *say_hold_cleared(struct timeline *t, const struct event_row *event)
{
    const char *kind = text_of(t, event, "kind"), *reason = text_of(t, event, "reason");
    return kind == NULL || reason == NULL ? NULL : arena_printf(arena_of(t), "hold %s cleared: %s", kind, reason);
}

static const char *say_claim_broken(struct timeline *t, const struct event_row *event)
{
    const struct sku_row *sku = ws_get(t->order->ws, &sku_table, WS_KEY(ws_unit(t->order->ws), event->sku));
    return arena_printf(arena_of(t), "lost its claim to %ld %s%s%s", (long)event->quantity, sku->code, event->node > 0 ? " at " : "",
                        event->node > 0 ? node_code(t, event->node) : "");
}

static const char *say_exception(struct timeline *t, const struct event_row *event)
{
    static const struct {
        const char *is, *lacks;
        bool why;
    } types[] = { { "shortage", " lacks ", false },
                  { "oversell", " lacks ", true },
                  { "broken claim", " lacks ", true },
                  { "unknown SKU", NULL, true },
                  { "short transfer", NULL, false }, /* of no order, as the next */
                  { "short pick", NULL, false },
                  { "late supply", NULL, false },
                  { "short supply", NULL, false },
                  { "declined by a node", " lacks ", true },
                  { "failed by a node", " lacks ", true },
                  { "failing webhook", NULL, false },
                  { "recall", NULL, false },
                  { "snapshot difference", NULL, false },
                  { "count difference", NULL, false },
                  { "parcel lost or damaged", NULL, true },
                  { "command that cannot be done", NULL, false } };
    _Static_assert(COUNT(types) == EXCEPTION_TYPE_COUNT - 1, "a new type is said here");
    size_t i = word_at(exception_names, COUNT(types), text_of(t, event, "type"));
    if (i == COUNT(types))
        return NULL;
    if (event->type == EVENT_EXCEPTION_CLOSED)
        return arena_printf(arena_of(t), "%s closed", types[i].is);
    const char *lines = lines_of(t, event, "lines", types[i].lacks);
    return lines == NULL ? types[i].is
                         : arena_printf(arena_of(t), "%s: %s%s", types[i].is, lines, types[i].why ? aside(t, "", text_of(t, event, "detail")) : "");
}

/* ---- the table ---- */

static const struct {
    const char *(*say)(struct timeline *timeline, const struct event_row *event); /* NULL: its type's words are all there is to say */
    const char *sample;
} writers[EVENT_TYPE_COUNT] = {
    [EVENT_ORDER_CREATED] = { say_created, "captured: total 59.97 EUR" },
    [EVENT_ORDER_RESERVED] = { say_promised, "reserved 3" },
    [EVENT_ORDER_BACKORDERED] = { say_promised, "reserved 3, waits for 2" },
    [EVENT_ORDER_RELEASED] = { say_released, "released to LEJ and HAM" },
    [EVENT_ORDER_CANCELLED] = { say_cancelled, "line 2: 1 cancelled (the customer called)" },
    [EVENT_ORDER_EDITED] = { say_edited, "edited: line 1: 3, added line 2: 1, another address (the customer called)" },
    [EVENT_ORDER_CANCEL_REQUESTED] = { say_cancel_requested, "asked to be cancelled: line 1: 2 (the customer called)" },
    [EVENT_ORDER_CANCEL_REFUSED] = { say_cancel_refused, "not cancelled (it is on the belt)" },
    [EVENT_ORDER_REFUSAL_CLEARED] = { say_refusal_cleared, "may go to FBA again (their system works again)" },
    [EVENT_ORDER_HELD] = { say_held, "held: fraud (address unknown)" },
    [EVENT_ORDER_HOLD_CLEARED] = { say_hold_cleared, "hold fraud cleared: called back" },
    [EVENT_ORDER_PAYMENT] = { say_payment, "payment of 30.00 EUR captured (ref pay-1)" },
    [EVENT_FULFILMENT_CHANGED] = { say_fulfilment, "LEJ shipped fulfilment ful_00080000000ZM with DHL, tracking 0034" },
    [EVENT_ORDER_PROMISE_CHANGED] = { say_promise_changed, "line 1 is expected on 2036-07-08, no longer on 2036-07-01" },
    [EVENT_CLAIM_BROKEN] = { say_claim_broken, "lost its claim to 2 LAMP at LEJ" },
    [EVENT_EXCEPTION_OPENED] = { say_exception, "shortage: line 1 lacks 2" },
    [EVENT_EXCEPTION_CLOSED] = { say_exception, "shortage closed" },
};

const char *timeline_sentence(struct timeline *timeline, const struct event_row *event)
{
    const char *said = writers[event->type].say == NULL ? NULL : writers[event->type].say(timeline, event);
    return said == NULL ? event_said((enum event_type)event->type) : said;
}

const char *timeline_sample(enum event_type type)
{
    return writers[type].sample;
}
