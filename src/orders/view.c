/* src/orders/view.c: the order as the API shows it: now, or as it was at one of its events. What is fixed at capture
 * comes from the rows; what changes comes from them too, or from the state that each event of the order carries. */
#include "base/id.h"
#include "engine/vault.h"
#include "orders/asked.h"
#include "orders/dates.h"
#include "orders/decisions.h"
#include "orders/order_io.h"
#include "orders/orders.h"
#include "orders/payments.h"
#include "orders/state.h"
#include "orders/timeline.h"
#include <stdio.h>
#include <string.h>

/* An event's state, and the demands of then; seq INT64_MAX, and no figures: now. */
struct as_of {
    int64_t seq;
    struct order_state state;
    struct demand_row *demands;
    const int64_t *lost; /* of each demand; NULL: none */
};

struct view {
    struct ws *ws;
    struct order *order;
    struct order_io *out;
    struct as_of at;
    const int64_t *promised_at; /* of each line; NULL: nobody knows of any */
};

static struct money money_of(const struct view *view, int64_t minor)
{
    struct money money = { .minor = minor };
    snprintf(money.currency, sizeof money.currency, "%.3s", view->order->row->currency);
    return money;
}

static const char *outside_id(struct ws *ws, const char *prefix, int64_t id)
{
    return id_text(ws_arena(ws), prefix, ws_unit(ws), id);
}

static const char *sku_code(struct ws *ws, int64_t sku)
{
    return ((const struct sku_row *)ws_get(ws, &sku_table, WS_KEY(ws_unit(ws), sku)))->code;
}

static const struct db_value *of_order(const struct view *view, struct db_value prefix[2])
{
    prefix[0] = db_int(ws_unit(view->ws));
    prefix[1] = db_int(view->order->row->id);
    return prefix;
}

/* ---- lines ---- */

/* Room for the line's own: an order of 750 bundles has as many lists. */
static void show_components(struct view *view, const struct order_line_row *line, struct line_io *out)
{
    const struct order *order = view->order;
    size_t first = 0, count = 0;
    for (size_t i = 0; i < order->demand_count; i++) {
        if (order->demands[i]->line != line->line)
            continue;
        first = count == 0 ? i : first; /* by line and part: they lie side by side */
        count++;
    }
    struct component_io *components = ARENA_ARRAY(ws_arena(view->ws), struct component_io, count);
    for (size_t i = 0; i < count; i++) {
        const struct demand_row *demand = order->demands[first + i];
        components[i] = (struct component_io){ .sku = sku_code(view->ws, demand->sku), .quantity = demand->need };
    }
    out->components = (struct field_list){ components, count };
}

/* While it waits, when what it waits for comes; else what routing promised; where no calendar says anything, what the channel promised for all. */
static void show_promise(const struct view *view, size_t i, const struct figures *f, const struct field_table *fields, struct line_io *out)
{
    const struct order *order = view->order;
    const struct order_line_row *line = order->lines[i];
    const bool accepted = f->backordered == 0 && f->cancelled < line->quantity;
    int64_t at = 0;
    for (size_t d = 0; d < order->date_count; d++)
        at = order->dates[d].line == line->line ? order->dates[d].at : at;
    if (accepted && view->promised_at != NULL && view->promised_at[i] != 0)
        at = view->promised_at[i];
    else if (accepted && at == 0 && order->row->promise_by != NULL_INT)
        at = order->row->promise_by;
    if (at == 0)
        return;
    out->promised_at = at;
    field_set(fields, out, "promised_at");
}

static void show_line(struct view *view, size_t i, const struct field_table *fields, struct line_io *out)
{
    const struct order_line_row *line = view->order->lines[i];
    struct figures f = line_figures(line, view->order->demands, view->order->demand_count);
    *out = (struct line_io){ .line = line->line,
                             .quantity = line->quantity,
                             .unit_price = money_of(view, line->unit_price),
                             .reserved = f.reserved,
                             .allocated = f.allocated,
                             .shipped = f.shipped,
                             .backordered = f.backordered,
                             .cancelled = f.cancelled,
                             .oversold = f.oversold };
    for (size_t d = 0; view->at.lost != NULL && d < view->order->demand_count; d++) {
        const struct demand_row *demand = view->order->demands[d];
        if (demand->line == line->line)
            out->lost = max_i64(out->lost, (view->at.lost[d] + demand->need - 1) / demand->need);
    }
    if (out->lost > 0)
        field_set(fields, out, "lost");
    if (line->sku != 0 || !line->said_by_listing) {
        out->sku = line->sku != 0 ? sku_code(view->ws, line->sku) : line->said;
        field_set(fields, out, "sku");
    }
    if (line->said_by_listing) {
        out->channel_sku = line->said;
        field_set(fields, out, "channel_sku");
    }
    struct line_money money;
    (void)line_money(line, line->quantity, &money); /* it fitted when it was written */
    if (line->discount != NULL_INT) {
        out->discount = money_of(view, money.discount);
        field_set(fields, out, "discount");
    }
    if (line->tax != NULL_INT) {
        out->tax = money_of(view, money.tax);
        field_set(fields, out, "tax");
    }
    show_promise(view, i, &f, fields, out);
    if (line->replaces != NULL_INT) {
        out->replaces = line->replaces;
        field_set(fields, out, "replaces");
    }
    if (line->bundle) {
        show_components(view, line, out);
        field_set(fields, out, "components");
    }
}

static const struct field_table *table_of(const char *name)
{
    for (size_t i = 0; i < order_fields.count; i++)
        if (strcmp(order_fields.fields[i].name, name) == 0)
            return order_fields.fields[i].of;
    return NULL;
}

static void show_lines(struct view *view)
{
    struct line_io *lines = ARENA_ARRAY(ws_arena(view->ws), struct line_io, view->order->line_count);
    const struct field_table *fields = table_of("lines");
    view->promised_at = promised_at(view->ws, view->order->row->id, view->at.seq, view->order->line_count);
    for (size_t i = 0; i < view->order->line_count; i++)
        ws_want(view->ws, &sku_table, WS_KEY(ws_unit(view->ws), view->order->lines[i]->sku));
    for (size_t i = 0; i < view->order->demand_count; i++)
        ws_want(view->ws, &sku_table, WS_KEY(ws_unit(view->ws), view->order->demands[i]->sku));
    ws_settle(view->ws);
    for (size_t i = 0; i < view->order->line_count; i++)
        show_line(view, i, fields, &lines[i]);
    for (size_t i = 0; i < view->order->line_count; i++) {
        const int64_t of = view->order->lines[i]->replaces;
        if (of == NULL_INT)
            continue;
        lines[of - 1].replaced_by = view->order->lines[i]->line;
        field_set(fields, &lines[of - 1], "replaced_by");
    }
    view->out->lines = (struct field_list){ lines, view->order->line_count };
}

/* ---- people, money ---- */

/* What was sealed of the person then. */
static struct bytes sealed_then(const struct view *view, const struct person_row *person)
{
    const struct person_before_row *before;
    struct ws_cursor cursor = ws_scan(view->ws, &before_of_person, WS_PREFIX(db_int(person->unit), db_int(person->id)), 0);
    while ((before = ws_next(view->ws, &cursor)) != NULL)
        if (before->seq > view->at.seq)
            return before->sealed;
    return person->sealed;
}

static void show_people(struct view *view)
{
    const struct person_row *person = ws_get(view->ws, &person_table, WS_KEY(ws_unit(view->ws), view->order->row->person));
    struct people_io *people = ARENA_NEW(ws_arena(view->ws), struct people_io);
    struct bytes plain;
    struct faults faults = { .arena = ws_arena(view->ws) };
    if (person == NULL || person->wrapped_key.at == NULL ||
        !vault_unseal(ws_vault(view->ws), ws_arena(view->ws), person->wrapped_key,
                      view->at.seq == INT64_MAX ? person->sealed : sealed_then(view, person), &plain) ||
        !fields_read_text(ws_arena(view->ws), (const char *)plain.at, plain.size, &people_fields, FIELDS_KEPT, people, &faults))
        return; /* erased: null */
    view->out->customer = people->customer;
    view->out->ship_to = people->ship_to;
    view->out->bill_to = people->bill_to;
    if (people->bill_to != NULL)
        field_set(&order_fields, view->out, "bill_to");
}

static void show_shipping(struct view *view)
{
    const struct orders_row *row = view->order->row;
    if (!row->shipping_came && row->service == NULL && row->shipping == 0 && row->promise_by == NULL_INT)
        return;
    struct shipping_io *shipping = ARENA_NEW(ws_arena(view->ws), struct shipping_io);
    const struct field_table *fields = table_of("shipping");
    *shipping = (struct shipping_io){ .service = row->service, .price = money_of(view, row->shipping), .promise_by = row->promise_by };
    if (row->service != NULL)
        field_set(fields, shipping, "service");
    field_set(fields, shipping, "price");
    if (row->promise_by != NULL_INT)
        field_set(fields, shipping, "promise_by");
    view->out->shipping = shipping;
    field_set(&order_fields, view->out, "shipping");
}

static void show_payment(struct view *view)
{
    const struct orders_row *row = view->order->row;
    struct payment_io *payment = ARENA_NEW(ws_arena(view->ws), struct payment_io);
    *payment = (struct payment_io){ .term = row->term, .status = view->at.state.payment_status, .method = row->method };
    if (row->method != NULL)
        field_set(table_of("payment"), payment, "method");
    if (row->payment_amount != NULL_INT) {
        payment->amount = money_of(view, row->payment_amount);
        field_set(table_of("payment"), payment, "amount");
    }
    if (row->payment_reference != NULL) {
        payment->reference = row->payment_reference;
        field_set(table_of("payment"), payment, "reference");
    }
    view->out->payment = payment;
}

/* ---- what happened ---- */

static const char *actor_name(struct ws *ws, int64_t actor)
{
    const struct api_key_row *key = actor == 0 ? NULL : ws_get(ws, &api_key_table, WS_KEY(0, actor));
    return key == NULL ? "millrace" : key->name;
}

static void show_timeline(struct view *view)
{
    struct db_value prefix[2];
    size_t room = ws_count(view->ws, &event_of_order, of_order(view, prefix));
    struct timeline_io *entries = ARENA_ARRAY(ws_arena(view->ws), struct timeline_io, room);
    const struct event_row *event;
    struct timeline timeline = { .order = view->order };
    struct ws_cursor cursor = ws_scan(view->ws, &event_of_order, prefix, 0);
    while ((event = ws_next(view->ws, &cursor)) != NULL && event->seq <= view->at.seq)
        entries[view->out->timeline.count++] =
            (struct timeline_io){ .at = event->at, .actor = actor_name(view->ws, event->actor), .what = timeline_sentence(&timeline, event) };
    view->out->timeline.items = entries;
}

static void show_holds(struct view *view)
{
    struct db_value prefix[2];
    size_t room = ws_count(view->ws, &hold_of_order, of_order(view, prefix));
    struct hold_io *holds = ARENA_ARRAY(ws_arena(view->ws), struct hold_io, room);
    const struct order_hold_row *hold;
    struct ws_cursor cursor = ws_scan(view->ws, &hold_of_order, prefix, 0);
    while ((hold = ws_next(view->ws, &cursor)) != NULL)
        if (hold->set_seq <= view->at.seq && (hold->cleared_seq == 0 || hold->cleared_seq > view->at.seq))
            holds[view->out->holds.count++] =
                (struct hold_io){ .kind = hold->kind, .source = hold->source, .reason = hold->reason, .since = hold->since };
    view->out->holds.items = holds;
}

/* What a line of a fulfilment had given up by then, or what was asked of it. */
static int64_t told_of(const struct numbers *told, const struct fulfilment_line_row *line)
{
    for (const int64_t *at = told->at; at != NULL && at + 4 <= told->at + told->count; at += 4)
        if (at[0] == line->fulfilment && at[1] == line->line && at[2] == line->part)
            return at[3];
    return 0;
}

struct fulfilment_line_io fulfilment_line_shown(struct ws *ws, const struct fulfilment_line_row *line, int64_t quantity, int64_t asked)
{
    struct fulfilment_line_io io = { .line = line->line, .sku = sku_code(ws, line->sku), .quantity = quantity, .cancel_requested = asked };
    if (asked > 0)
        field_set(&fulfilment_line_fields, &io, "cancel_requested");
    return io;
}

/* The lines as they were: those in the row have given up what was cancelled since. */
static void show_lines_of_then(struct view *view, const struct fulfilment_row *row, int64_t state, struct field_list *out)
{
    struct ws *ws = view->ws;
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(row->id) };
    struct fulfilment_line_io *lines = ARENA_ARRAY(ws_arena(ws), struct fulfilment_line_io, ws_count(ws, &line_of_fulfilment, prefix));
    const struct fulfilment_line_row *line;
    out->count = 0;
    for (struct ws_cursor cursor = ws_scan(ws, &line_of_fulfilment, prefix, 0); (line = ws_next(ws, &cursor)) != NULL;) {
        const int64_t quantity = line->quantity - told_of(&view->at.state.given_up, line);
        if (quantity > 0)
            lines[out->count++] =
                fulfilment_line_shown(ws, line, quantity, state == FULFILMENT_CANCEL_REQUESTED ? told_of(&view->at.state.asked, line) : 0);
    }
    out->items = lines;
}

/* Of a fulfilment order; NULL: it was not there yet. */
static int64_t *state_then(const struct view *view, int64_t fulfilment)
{
    const struct numbers *told = &view->at.state.fulfilments;
    for (size_t i = 0; i + 2 <= told->count; i += 2)
        if (told->at[i] == fulfilment)
            return &told->at[i + 1];
    return NULL;
}

static void show_fulfilments(struct view *view)
{
    struct db_value prefix[2];
    struct ws *ws = view->ws;
    size_t room = ws_count(ws, &fulfilment_of_order, of_order(view, prefix));
    struct fulfilment_io *all = ARENA_ARRAY(ws_arena(ws), struct fulfilment_io, room);
    const struct fulfilment_row *row;
    for (struct ws_cursor cursor = ws_scan(ws, &fulfilment_of_order, prefix, 0); (row = ws_next(ws, &cursor)) != NULL;) {
        int64_t state = row->state;
        if (view->at.seq != INT64_MAX) {
            const int64_t *then = state_then(view, row->id);
            if (then == NULL)
                continue;
            state = *then;
        }
        struct fulfilment_io *io = &all[view->out->fulfilments.count++];
        fulfilment_show(ws, row, state, io);
        if (view->at.seq != INT64_MAX)
            show_lines_of_then(view, row, state, &io->lines);
    }
    view->out->fulfilments.items = all;
}

void fulfilment_show(struct ws *ws, const struct fulfilment_row *row, int64_t state, struct fulfilment_io *out)
{
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(row->id) };
    struct arena *arena = ws_arena(ws);
    *out = (struct fulfilment_io){ .id = outside_id(ws, "ful", row->id), .order = outside_id(ws, "ord", row->ord), .state = state };
    out->node = ((const struct node_row *)ws_get(ws, &node_table, WS_KEY(ws_unit(ws), row->node)))->code;
    struct fulfilment_line_io *lines = ARENA_ARRAY(arena, struct fulfilment_line_io, ws_count(ws, &line_of_fulfilment, prefix));
    struct package_io *packages = ARENA_ARRAY(arena, struct package_io, ws_count(ws, &package_of_fulfilment, prefix));
    const struct fulfilment_line_row *line;
    for (struct ws_cursor cursor = ws_scan(ws, &line_of_fulfilment, prefix, 0); (line = ws_next(ws, &cursor)) != NULL;)
        if (line->quantity > line->cancelled)
            lines[out->lines.count++] = fulfilment_line_shown(ws, line, line->quantity - line->cancelled, asked_of(ws, row, line->line, line->part));
    const struct package_row *package;
    const bool shipped = state == FULFILMENT_SHIPPED || state == FULFILMENT_DELIVERED, packed = shipped || state == FULFILMENT_PACKED;
    for (struct ws_cursor cursor = ws_scan(ws, &package_of_fulfilment, prefix, 0); packed && (package = ws_next(ws, &cursor)) != NULL;)
        packages[out->packages.count++] = (struct package_io){ .weight_g = package->weight_g,
                                                               .tracking = shipped ? package->tracking : NULL,
                                                               .carrier = shipped ? package->carrier : NULL };
    out->lines.items = lines;
    out->packages.items = packages;
}

/* ---- as it was ---- */

/* An answer that changed nothing is as of the order's last event, which may be of another kind: the state is then that of
 * the last one before it that bears one. Returns that event. */
static const struct event_row *read_state(struct view *view, const struct event_row *event)
{
    struct db_value prefix[2];
    struct order_state state;
    struct arena *arena = ws_arena(view->ws);
    const struct event_row *each, *found = event;
    if (order_state_read(arena, event, &view->at.state))
        return event;
    struct ws_cursor cursor = ws_scan(view->ws, &event_of_order, of_order(view, prefix), 0);
    while ((each = ws_next(view->ws, &cursor)) != NULL && each->seq < event->seq) {
        if (order_state_read(ws_scratch(view->ws), each, &state))
            found = each;
    }
    if (found != event)
        (void)order_state_read(arena, found, &view->at.state);
    return found;
}

/* What was due of each line of the fulfilment has left. */
static void read_shipped(struct view *view, const struct event_row *event, const struct numbers *due)
{
    const struct db_value prefix[] = { db_int(ws_unit(view->ws)), db_int(event->subject) };
    const struct fulfilment_line_row *line;
    size_t told = 0;
    for (struct ws_cursor cursor = ws_scan(view->ws, &line_of_fulfilment, prefix, 0); (line = ws_next(view->ws, &cursor)) != NULL;) {
        int64_t units = told < due->count ? due->at[told++] : 0;
        for (size_t i = 0; i < view->order->demand_count; i++) {
            struct demand_row *demand = &view->at.demands[i];
            bool of_line = demand->line == line->line && demand->part == line->part;
            demand->allocated -= of_line ? units : 0;
            demand->shipped += of_line ? units : 0;
        }
    }
}

/* What nodes reported since, where no stage came of it: each report moved one fulfilment, and the order's version. */
static void read_reports(struct view *view, int64_t since)
{
    struct db_value prefix[2];
    struct fulfilment_report told;
    const struct event_row *event;
    struct ws_cursor cursor = ws_scan(view->ws, &event_of_order, of_order(view, prefix), 0);
    while (since < view->at.seq && (event = ws_next(view->ws, &cursor)) != NULL && event->seq <= view->at.seq) {
        if (event->seq <= since || !fulfilment_report_read(ws_arena(view->ws), event, &told))
            continue;
        view->at.state.version++;
        if (told.state == FULFILMENT_SHIPPED)
            read_shipped(view, event, &told.due);
        int64_t *state = state_then(view, event->subject);
        if (state != NULL && told.state >= 0)
            *state = told.state;
    }
}

/* The rows of all lines and parcels together: each that is asked for alone is the whole command anew, and there may be a thousand. */
static void want_all(const struct view *view)
{
    struct ws *ws = view->ws;
    const struct order *order = view->order;
    struct db_value prefix[2];
    const struct fulfilment_row *row;
    for (size_t i = 0; i < order->line_count; i++)
        if (order->lines[i]->sku != 0)
            ws_want(ws, &sku_table, WS_KEY(ws_unit(ws), order->lines[i]->sku));
    for (size_t i = 0; i < order->demand_count; i++)
        if (order->demands[i]->sku != 0)
            ws_want(ws, &sku_table, WS_KEY(ws_unit(ws), order->demands[i]->sku));
    for (struct ws_cursor cursor = ws_scan(ws, &fulfilment_of_order, of_order(view, prefix), 0); (row = ws_next(ws, &cursor)) != NULL;) {
        ws_want(ws, &node_table, WS_KEY(row->unit, row->node));
        ws_want_path(ws, &line_of_fulfilment, WS_PREFIX(db_int(row->unit), db_int(row->id)), 0);
        ws_want_path(ws, &package_of_fulfilment, WS_PREFIX(db_int(row->unit), db_int(row->id)), 0);
    }
    ws_settle(ws);
}

static void show(struct view *view)
{
    const struct orders_row *row = view->order->row;
    struct order_io *out = view->out;
    int64_t total = row->total;
    if (view->at.seq != INT64_MAX) /* it may have more lines and pieces since */
        (void)order_total(row, view->order->lines, view->order->line_count, &total);
    want_all(view);
    *out = (struct order_io){ .id = outside_id(view->ws, "ord", row->id),
                              .number = arena_printf(ws_arena(view->ws), "%ld", (long)row->id),
                              .version = view->at.state.version,
                              .channel_order_id = row->channel_order_id,
                              .placed_at = row->placed_at,
                              .prices_include_tax = row->prices_include_tax != 0,
                              .stage = view->at.state.stage,
                              .total = money_of(view, total) };
    memcpy(out->currency, out->total.currency, sizeof out->currency);
    out->channel = ((const struct channel_row *)ws_get(view->ws, &channel_table, WS_KEY(row->unit, row->channel)))->code;
    show_people(view);
    show_lines(view);
    show_shipping(view);
    show_payment(view);
    show_holds(view);
    show_fulfilments(view);
    show_timeline(view);
    out->on_shortage = row->shortage;
    field_set(&order_fields, out, "on_shortage");
    if (view->at.state.max_shipments != NULL_INT) {
        out->max_shipments = view->at.state.max_shipments;
        field_set(&order_fields, out, "max_shipments");
    }
    if (row->reservation != 0) {
        out->reservation = outside_id(view->ws, "rsv", row->reservation);
        field_set(&order_fields, out, "reservation");
    }
}

int64_t order_write(struct order *order, const struct event_row *as_of, struct json_writer *json)
{
    struct order_io out;
    struct view view = { .ws = order->ws, .order = order, .out = &out };
    view.at.seq = INT64_MAX;
    view.at.state = (struct order_state){ .stage = order->row->stage,
                                          .version = order->row->version,
                                          .payment_status = order->row->payment_status,
                                          .max_shipments = order->row->max_shipments };
    if (as_of == NULL)
        view.at.lost = order_losses(order);
    else {
        view.at.seq = as_of->seq;
        const struct event_row *event = read_state(&view, as_of);
        view.at.demands = demands_then(ws_arena(order->ws), order, event, &view.at.state);
        view.at.lost = view.at.state.lost.count == order->demand_count ? view.at.state.lost.at : NULL;
        read_reports(&view, event->seq);
    }
    show(&view);
    if (order->row->tags != NULL) /* kept as the JSON list that it is in the answer */
        tags_read(ws_arena(order->ws), order->row->tags, &out.tags), field_set(&order_fields, &out, "tags");
    fields_write(json, &order_fields, &out);
    return view.at.state.version;
}

void tags_read(struct arena *arena, const char *text, struct field_list *tags)
{
    struct json_reader json;
    const char **items = ARENA_ARRAY(arena, const char *, 32);
    json_open(&json, arena, text, strlen(text));
    for (enum json_token token = json_next(&json); token != JSON_END && token != JSON_ERROR; token = json_next(&json))
        if (token == JSON_STRING)
            items[tags->count++] = arena_text_n(arena, json.text, json.bytes);
    tags->items = items;
}

static void answer_with(struct order *order, const struct event_row *as_of, struct command *command, int status)
{
    struct json_writer json;
    json_begin(&json, command->arena);
    int64_t version = order_write(order, as_of, &json);
    command->answer.status = status;
    command->answer.body = json.out.at;
    command->answer.body_bytes = json.out.size;
    command->answer.etag = arena_printf(command->arena, "%ld", (long)version);
    if (status == 201)
        command->answer.location = arena_printf(command->arena, "/v1/orders/%s", outside_id(order->ws, "ord", order->row->id));
}

void order_answer(struct order *order, struct command *command, int status)
{
    if (command->arena != NULL && command->wants_answer)
        answer_with(order, NULL, command, status);
    command->answer.status = status;
}

void order_again(struct ws *ws, struct command *command, int64_t seq)
{
    const struct event_row *event = ws_get(ws, &event_table, WS_KEY(ws_unit(ws), seq));
    struct order order;
    (void)order_open(ws, event->about, &order);
    answer_with(&order, event, command, command->answer.status);
}
