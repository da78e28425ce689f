/* src/orders/capture.c: an order comes in: known already, or every fault at once, or promised and written.
 * Refusals come first; from write_order() on nothing may fail. */
#include "orders/capture.h"
#include "engine/vault.h"
#include "base/id.h"
#include "inventory/availability.h"
#include "inventory/reservations.h"
#include "orders/commands.h"
#include "orders/decisions.h"
#include "orders/named.h"
#include "orders/order_io.h"
#include "orders/order_key.h"
#include "orders/oversell.h"
#include "orders/payments.h"
#include "orders/promise.h"
#include <stdio.h>
#include <string.h>

/* What one attempt works on. */
struct capture {
    struct ws *ws;
    struct command *command;
    const struct order_io *in;
    const struct channel_row *channel;
    struct outlet outlet;
    struct wish *wishes;
    size_t demand_count;
    int64_t total, shipping;
    int64_t reservation;
    struct freed *freed; /* what the reservation held */
    size_t freed_count;
    struct choice choice;
    enum shortage shortage;
    int64_t max_shipments; /* NULL_INT: no bound */
    bool marketplace;
};

static void fault_at(struct capture *c, enum fault_code code, const char *detail, const char *field, size_t line)
{
    struct arena *arena = c->command->arena;
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/lines/%zu/%s", line, field);
    fault_add(&c->command->faults, code, arena_text(arena, pointer), "%s", detail);
}

/* ---- at the edge ---- */

static void check_currency(struct command *command, const struct order_io *in, struct money money, const char *pointer, size_t line,
                           struct faults *faults)
{
    if (money.currency[0] != '\0' && in->currency[0] != '\0' && strcmp(money.currency, in->currency) != 0)
        fault_add(faults, FAULT_CURRENCY_MISMATCH, arena_printf(command->arena, pointer, line), "%s in an order in %s", money.currency, in->currency);
}

static void check_currencies(struct command *command, const struct order_io *in, struct faults *faults)
{
    const struct line_io *lines = in->lines.items;
    for (size_t i = 0; i < in->lines.count; i++) {
        check_currency(command, in, lines[i].unit_price, "/lines/%zu/unit_price/currency", i, faults);
        check_currency(command, in, lines[i].discount, "/lines/%zu/discount/currency", i, faults);
        check_currency(command, in, lines[i].tax, "/lines/%zu/tax/currency", i, faults);
    }
    if (in->shipping != NULL)
        check_currency(command, in, in->shipping->price, "/shipping/price/currency", 0, faults);
    if (in->payment != NULL)
        check_currency(command, in, in->payment->amount, "/payment/amount/currency", 0, faults);
}

static bool order_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    struct order_io *in = (struct order_io *)(uintptr_t)command->input;
    if (in->lines.count > ORDER_LINES_MAX)
        fault_add(faults, FAULT_ORDER_TOO_LARGE, "/lines", "%zu lines, at most %d", in->lines.count, ORDER_LINES_MAX);
    check_currencies(command, in, faults);
    command->of_channel = in->channel;
    if (faults->count > 0)
        return false;
    struct people_io people = { .customer = in->customer, .ship_to = in->ship_to, .bill_to = in->bill_to };
    if (in->bill_to != NULL)
        field_set(&people_fields, &people, "bill_to");
    struct json_writer json;
    json_begin(&json, command->arena);
    fields_write(&json, &people_fields, &people);
    vault_seal(edge->vault, command->arena, (struct bytes){ (const uint8_t *)json.out.at, json.out.size }, &in->wrapped_key, &in->sealed);
    in->key = order_key_of(edge->vault, command->arena, in->channel, in->channel_order_id);
    return true;
}

/* ---- rows that it will probably need ---- */

/* The second round: where the SKU may come from, and on what terms. */
static void want_positions(struct ws *ws, const struct channel_row *channel, const struct sku_row *sku)
{
    const int64_t unit = ws_unit(ws);
    if (channel == NULL || sku == NULL)
        return;
    ws_want_path(ws, &node_of_channel, WS_PREFIX(db_int(unit), db_int(channel->id)), 0);
    if (channel->listings > 0)
        ws_want_path(ws, &listing_of_sku, WS_PREFIX(db_int(unit), db_int(channel->id), db_int(sku->id)), 0);
    if (sku->bundle)
        ws_want_path(ws, &component_of_bundle, WS_PREFIX(db_int(unit), db_int(sku->id)), 0);
    else
        ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(unit), db_int(sku->id)), 0);
}

static void order_prefetch(struct ws *ws, const struct command *command)
{
    const struct order_io *in = command->input;
    const struct line_io *lines = in->lines.items;
    int64_t unit = ws_unit(ws);
    ws_want_path(ws, &channel_by_code, WS_PREFIX(db_int(unit), db_text(in->channel)), 0);
    ws_want_path(ws, &order_key_by_number, WS_PREFIX(db_int(unit), db_int(in->key)), 0);
    routing_want(ws);
    const struct channel_row *channel = ws_known(ws, &channel_by_code, WS_PREFIX(db_int(unit), db_text(in->channel)));
    for (size_t i = 0; i < in->lines.count; i++) {
        if (lines[i].channel_sku != NULL && channel != NULL)
            ws_want_path(ws, &listing_by_code, WS_PREFIX(db_int(unit), db_int(channel->id), db_text(lines[i].channel_sku)), 0);
        if (lines[i].sku == NULL)
            continue;
        ws_want_path(ws, &sku_by_code, WS_PREFIX(db_int(unit), db_text(lines[i].sku)), 0);
        want_positions(ws, channel, ws_known(ws, &sku_by_code, WS_PREFIX(db_int(unit), db_text(lines[i].sku))));
    }
}

/* ---- decide ---- */

static const struct orders_row *known_order(struct capture *c)
{
    const struct db_value prefix[] = { db_int(ws_unit(c->ws)), db_int(c->in->key) };
    const struct order_key_row *key;
    for (struct ws_cursor cursor = ws_scan(c->ws, &order_key_by_number, prefix, 0); (key = ws_next(c->ws, &cursor)) != NULL;) {
        const struct orders_row *row = ws_get(c->ws, &orders_table, WS_KEY(ws_unit(c->ws), key->ord));
        if (row != NULL && row->channel == c->channel->id && text_equal(row->channel_order_id, c->in->channel_order_id))
            return row; /* two ids may share a number: the ids decide */
    }
    return NULL;
}

static struct named named_of(struct capture *c)
{
    return (struct named){
        .ws = c->ws, .channel = c->channel, .lines = c->in->lines.items, .count = c->in->lines.count, .list = "lines", .faults = &c->command->faults
    };
}

static void resolve_line(struct capture *c, const struct named *named, size_t i)
{
    struct wish *wish = &c->wishes[i];
    wish->line = (int64_t)i + 1;
    named_find(named, i, wish);
    if (wish->sku == NULL && !c->marketplace)
        named_unknown(named, i);
    if (wish->sku != NULL &&
        c->demand_count <= COMPONENTS_MAX) /* else it is refused, and a thousand large bundles would be multiplied out for that */
        wish->component_count = recipe_of(c->ws, wish->sku, &wish->components);
    c->demand_count += wish->sku == NULL ? 1 : wish->component_count;
}

static void resolve_total(struct capture *c)
{
    const struct line_io *lines = c->in->lines.items;
    bool fits = true;
    c->shipping = c->in->shipping == NULL ? 0 : c->in->shipping->price.minor;
    c->total = c->shipping;
    for (size_t i = 0; i < c->in->lines.count && fits; i++) {
        int64_t amount = 0;
        fits = money_multiply(lines[i].quantity, lines[i].unit_price.minor, &amount) && money_add(c->total, amount, &c->total) &&
               money_add(c->total, -lines[i].discount.minor, &c->total) &&
               (c->in->prices_include_tax || money_add(c->total, lines[i].tax.minor, &c->total));
        if (fits && lines[i].quantity > 0 && lines[i].unit_price.currency[0] != '\0' && lines[i].discount.minor > max_i64(0, amount))
            fault_at(c, FAULT_OUT_OF_RANGE, "the discount is more than the line", "discount", i);
    }
    if (!fits)
        fault_add(&c->command->faults, FAULT_OUT_OF_RANGE, "/lines", "the total does not fit");
}

/* A reservation is named: it must be open and of this channel. */
static void resolve_reservation(struct capture *c)
{
    int64_t unit, id;
    if (c->in->reservation == NULL)
        return;
    const struct reservation_row *row = NULL;
    if (id_parse(c->in->reservation, strlen(c->in->reservation), subject_prefix(SUBJECT_RESERVATION), &unit, &id) && unit == ws_unit(c->ws))
        row = ws_get(c->ws, &reservation_table, WS_KEY(unit, id));
    if (row == NULL || row->channel != c->channel->id)
        fault_add(&c->command->faults, FAULT_INVALID, "/reservation", "no such reservation on this channel");
    else if (row->state != RESERVATION_OPEN || row->expires_at <= ws_now_us(c->ws))
        fault_add(&c->command->faults, FAULT_RESERVATION_GONE, "/reservation", "it expired or was used");
    else
        c->reservation = row->id;
}

static bool resolve(struct capture *c)
{
    c->wishes = ARENA_ARRAY(ws_arena(c->ws), struct wish, c->in->lines.count);
    const struct named named = named_of(c);
    named_want(&named);
    for (size_t i = 0; i < c->in->lines.count; i++)
        resolve_line(c, &named, i);
    resolve_total(c);
    resolve_reservation(c);
    if (c->marketplace && c->max_shipments != NULL_INT)
        fault_add(&c->command->faults, FAULT_INVALID, "/max_shipments", "what a marketplace has sold ships from wherever it stands");
    if (c->demand_count > COMPONENTS_MAX)
        fault_add(&c->command->faults, FAULT_ORDER_TOO_LARGE, "/lines", "more than %d components", COMPONENTS_MAX);
    return c->command->faults.count == 0;
}

/* The first line that is short: a refusal is kept by its key as one fault, so that the key gives the same answer again. */
static bool refuse_shortage(struct capture *c)
{
    for (size_t i = 0; c->shortage == SHORTAGE_REJECT && i < c->in->lines.count; i++) {
        const struct wish *wish = &c->wishes[i];
        if (wish->granted == wish->quantity)
            continue;
        fault_at(c, FAULT_SHORTAGE,
                 arena_printf(c->command->arena, "asked %ld of %s, %ld can be promised%s", (long)wish->quantity, wish->sku->code, (long)wish->granted,
                              wish->kept > 0 ? " in as many shipments as it may have" : ""),
                 "quantity", i);
        return true;
    }
    return false;
}

static struct orders_row order_row(struct capture *c, int64_t id)
{
    const struct order_io *in = c->in;
    const struct payment_io *payment = in->payment;
    int64_t amount = field_came(&order_fields, in, "payment") && payment->amount.currency[0] != '\0' ? payment->amount.minor : c->total;
    struct json_writer tags;
    json_begin(&tags, ws_arena(c->ws));
    json_array(&tags);
    for (size_t i = 0; i < in->tags.count; i++)
        json_text(&tags, ((const char *const *)in->tags.items)[i]);
    json_array_end(&tags);
    return (struct orders_row){ .unit = ws_unit(c->ws),
                                .id = id,
                                .channel = c->channel->id,
                                .channel_order_id = in->channel_order_id,
                                .stage = STAGE_CAPTURED,
                                .placed_at = in->placed_at,
                                .captured_at = ws_now_us(c->ws),
                                .currency = in->currency,
                                .prices_include_tax = in->prices_include_tax,
                                .total = c->total,
                                .shipping = c->shipping,
                                .shipping_came = in->shipping != NULL,
                                .service = in->shipping == NULL ? NULL : in->shipping->service,
                                .promise_by = in->shipping == NULL || in->shipping->promise_by == 0 ? NULL_INT : in->shipping->promise_by,
                                .priority = c->channel->priority,
                                .shortage = c->shortage,
                                .max_shipments = c->max_shipments,
                                .term = payment->term,
                                .payment_status = payment->status,
                                .method = payment->method,
                                .authorised = payment->status == PAYMENT_IS_AUTHORISED ? amount : 0,
                                .captured = payment->status == PAYMENT_IS_CAPTURED ? amount : 0,
                                .payment_amount = payment->amount.currency[0] == '\0' ? NULL_INT : payment->amount.minor,
                                .payment_reference = payment->reference,
                                .person = id,
                                .tags = in->tags.count == 0 ? NULL : tags.out.at,
                                .reservation = c->reservation,
                                .requested_at = NULL_INT,
                                .origin_kind = NULL_INT,
                                .origin = NULL_INT,
                                .party = NULL_INT };
}

/* A new order's lists are known: there is nothing to load. */
static void know_lists(struct capture *c, int64_t id)
{
    const struct db_path *const paths[] = { &line_of_order,     &demand_of_order, &hold_of_order,  &payment_of_order,       &fulfilment_of_order,
                                            &decision_of_order, &claim_of_holder, &event_of_order, &exception_open_of_order };
    for (size_t i = 0; i < COUNT(paths); i++)
        ws_fresh(c->ws, paths[i], WS_PREFIX(db_int(ws_unit(c->ws)), db_int(id)));
}

static void write_line(struct capture *c, int64_t id, size_t i)
{
    const struct line_io *in = (const struct line_io *)c->in->lines.items + i;
    const struct wish *wish = &c->wishes[i];
    struct order_line_row line = { .unit = ws_unit(c->ws),
                                   .ord = id,
                                   .line = (int64_t)i + 1,
                                   .sku = wish->sku == NULL ? 0 : wish->sku->id,
                                   .said = in->channel_sku != NULL ? in->channel_sku
                                           : wish->sku == NULL     ? in->sku
                                                                   : NULL,
                                   .said_by_listing = in->channel_sku != NULL,
                                   .bundle = wish->sku != NULL && wish->sku->bundle,
                                   .quantity = in->quantity,
                                   .unit_price = in->unit_price.minor,
                                   .discount = in->discount.currency[0] == '\0' ? NULL_INT : in->discount.minor,
                                   .tax = in->tax.currency[0] == '\0' ? NULL_INT : in->tax.minor,
                                   .priced = NULL_INT,
                                   .replaces = NULL_INT,
                                   .told = NULL_INT };
    ws_insert(c->ws, &order_line_table, &line);
    struct unmapped_line_row word = {
        .unit = line.unit, .ord = id, .line = line.line, .channel = c->channel->id, .by_listing = line.said_by_listing, .word = line.said
    };
    if (wish->sku == NULL)
        ws_insert(c->ws, &unmapped_line_table, &word);
    static const struct component unmapped = { 0, 1 };
    size_t parts = wish->sku == NULL ? 1 : wish->component_count;
    for (size_t p = 0; p < parts; p++) {
        struct component component = wish->sku == NULL ? unmapped : wish->components[p];
        int64_t short_of = (wish->quantity - wish->granted) * component.quantity;
        struct demand_row demand = { .unit = line.unit,
                                     .ord = id,
                                     .line = line.line,
                                     .part = (int64_t)p + 1,
                                     .sku = component.sku,
                                     .need = component.quantity,
                                     .ordered = wish->quantity * component.quantity,
                                     .backordered = short_of,
                                     .reserved = wish->granted * component.quantity,
                                     .oversold = c->marketplace ? short_of : 0 };
        ws_insert(c->ws, &demand_table, &demand);
    }
}

static void write_waiting(struct capture *c, const struct order *order)
{
    int64_t *skus = ARENA_ARRAY(ws_arena(c->ws), int64_t, order->demand_count);
    size_t count = 0;
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct demand_row *demand = order->demands[i];
        if (demand->backordered == 0 || demand->sku == 0)
            continue;
        struct waiting_row row = waiting_of(order, demand);
        ws_insert(c->ws, &waiting_table, &row);
        skus[count++] = demand->sku;
    }
    if (count > 0)
        waiting_skus_note(c->ws, skus, count);
}

static void write_decision(struct capture *c, int64_t id)
{
    struct decision_row row = { .unit = ws_unit(c->ws),
                                .ord = id,
                                .number = 1,
                                .kind = 1,
                                .policy_version = ws_config_version(c->ws),
                                .at = ws_now_us(c->ws),
                                .data = decision_of_choice(c->ws, &c->outlet, &c->choice) };
    ws_insert(c->ws, &decision_table, &row);
}

/* The lines whose SKU nobody knows. */
static void tell_unmapped(struct capture *c, struct order *order)
{
    struct line_units *lines = ARENA_ARRAY(ws_arena(c->ws), struct line_units, c->in->lines.count);
    size_t count = 0;
    for (size_t i = 0; i < c->in->lines.count; i++)
        if (c->wishes[i].sku == NULL)
            lines[count++] = (struct line_units){ (int64_t)i + 1, c->wishes[i].quantity };
    if (count == 0)
        return;
    exception_open(c->ws, &(struct exception){ .type = EXCEPTION_UNMAPPED,
                                               .cause = arena_printf(ws_arena(c->ws), "unmapped/%ld", (long)order->row->id),
                                               .order = order->row->id,
                                               .detail = "map the listing",
                                               .lines = lines,
                                               .line_count = count });
    hold_add(order, "unmapped", "millrace", "a line names no SKU that is known");
}

/* A payment that came with the order is told with it: the books have no other event of it. */
static void tell_created(struct capture *c, struct order *order)
{
    const struct orders_row *row = order->row;
    struct json_writer json;
    order_event_begin(order, &json);
    if (row->payment_status != PAYMENT_PENDING) {
        struct money amount = { .minor = row->authorised + row->captured }; /* one of them is 0 */
        snprintf(amount.currency, sizeof amount.currency, "%.3s", row->currency);
        json_key(&json, "payment");
        json_object(&json);
        payment_tell(&json, row->payment_status == PAYMENT_IS_CAPTURED ? PAYMENT_CAPTURED : PAYMENT_AUTHORISED, row->payment_reference, row->method);
        json_key(&json, "amount");
        json_money(&json, amount);
        json_object_end(&json);
    }
    (void)order_event_end(order, &json, EVENT_ORDER_CREATED, c->total);
}

static void write_order(struct capture *c)
{
    struct ws *ws = c->ws;
    int64_t id = ws_next_id(ws);
    know_lists(c, id);
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_ORDER, id });
    struct orders_row row = order_row(c, id);
    struct person_row person = { .unit = row.unit, .id = id, .wrapped_key = c->in->wrapped_key, .sealed = c->in->sealed };
    struct order_key_row key = { .unit = row.unit, .number = c->in->key, .ord = id };
    ws_insert(ws, &orders_table, &row);
    ws_insert(ws, &person_table, &person);
    ws_insert(ws, &order_key_table, &key);
    for (size_t i = 0; i < c->in->lines.count; i++)
        write_line(c, id, i);
    struct order order;
    (void)order_open(ws, id, &order);
    for (size_t i = 0; i < c->in->lines.count; i++)
        if (c->wishes[i].granted > 0)
            promise_take(&stock, &c->outlet, &c->choice, &c->wishes[i], demand_holder(&order, &(struct demand_row){ .line = (int64_t)i + 1 }));
    write_waiting(c, &order);
    write_decision(c, id);
    tell_created(c, &order);
    stock_end(&stock);
    bool waits = shortage_tell(&order, &c->outlet, c->wishes, c->in->lines.count);
    tell_unmapped(c, &order);
    if (waits) /* the order's last event stands for the answer, timeline and all: it comes after them */
        order_event(&order, EVENT_ORDER_BACKORDERED, NULL_INT);
    order_advance(&order, false);
    c->command->event_seq = order.last_seq;
    order_answer(&order, c->command, 201);
    if (c->reservation != 0) { /* what the order did not take of it goes to those who wait */
        reservation_used_by(ws, c->reservation, id);
        backorders_fill(ws, c->freed, c->freed_count);
    }
}

/* What a refused order had given back must come back too: the reservation ends only when the order is taken. */
static bool promise(struct capture *c)
{
    struct stock stock = stock_begin(c->ws, (struct cause){ CAUSE_RESERVATION, c->reservation });
    if (c->reservation != 0)
        reservation_end(&stock, c->reservation, RESERVATION_USED);
    stock_end(&stock);
    c->outlet.own = c->freed = stock.freed;
    c->outlet.own_count = c->freed_count = stock.freed_count;
    promise_grant(c->ws, &c->outlet, c->wishes, c->in->lines.count, c->marketplace);
    const struct spread spread = { .more = c->max_shipments == NULL_INT ? INT64_MAX : c->max_shipments };
    promise_choose(c->ws, &c->outlet, c->wishes, c->in->lines.count, &spread, &c->choice);
    return !refuse_shortage(c); /* the engine undoes all of a refused command */
}

static const struct channel_row *find_channel(struct ws *ws, const struct order_io *in)
{
    const struct channel_row *channel =
        in->channel == NULL ? NULL : ws_find(ws, &channel_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(in->channel)));
    return channel == NULL || channel->owner != ws_unit(ws) ? NULL : channel;
}

/* The order is refused already; what else is wrong with it is told with that, as far as it could be read. */
static void order_look_up(struct ws *ws, struct command *command)
{
    struct capture c = { .ws = ws, .command = command, .in = command->input };
    c.channel = find_channel(ws, c.in);
    if (c.channel == NULL && c.in->channel != NULL)
        fault_add(&command->faults, FAULT_CHANNEL_UNKNOWN, "/channel", "there is no channel %s", c.in->channel);
    const struct named named = named_of(&c);
    if (c.channel == NULL || c.channel->kind != CHANNEL_MARKETPLACE)
        named_look_up(&named, ORDER_LINES_MAX);
    resolve_total(&c);
    if (c.channel != NULL)
        resolve_reservation(&c);
}

const struct routing *order_routing(struct ws *ws, const struct channel_row *channel, const struct order_io *in)
{
    const struct route_facts facts = { .country = in->ship_to->country,
                                       .postal_code = in->ship_to->postal_code,
                                       .email = in->customer == NULL ? NULL : in->customer->email,
                                       .tags = in->tags,
                                       .promise_by = in->shipping == NULL || in->shipping->promise_by == 0 ? NULL_INT : in->shipping->promise_by };
    return routing_open(ws, channel, &facts);
}

static void order_decide(struct ws *ws, struct command *command)
{
    struct capture c = { .ws = ws, .command = command, .in = command->input };
    c.channel = find_channel(ws, c.in);
    if (c.channel == NULL) {
        order_look_up(ws, command);
        return;
    }
    const struct orders_row *known = known_order(&c);
    if (known != NULL) {
        struct order order;
        (void)order_open(ws, known->id, &order);
        command->existing = true;
        command->event_seq = order_told(&order);
        order_answer(&order, command, 200);
        return;
    }
    c.marketplace = c.channel->kind == CHANNEL_MARKETPLACE;
    c.shortage = c.marketplace                                    ? SHORTAGE_BACKORDER
                 : field_came(&order_fields, c.in, "on_shortage") ? (enum shortage)c.in->on_shortage
                                                                  : (enum shortage)c.channel->shortage;
    c.max_shipments = field_came(&order_fields, c.in, "max_shipments") ? c.in->max_shipments : c.channel->max_shipments;
    outlet_open(ws, c.channel, &c.outlet);
    c.outlet.routing = order_routing(ws, c.channel, c.in);
    if (resolve(&c) && promise(&c))
        write_order(&c);
}

const struct command_type order_create = {
    .name = "order.create",
    .input = &order_fields,
    .mode = FIELDS_POST,
    .queue = QUEUE_CHANNELS,
    .edge = order_edge,
    .prefetch = order_prefetch,
    .look_up = order_look_up,
    .decide = order_decide,
    .again = order_again,
    .inverse = "order.cancel",
};
