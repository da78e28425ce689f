/* src/inventory/reservations.c: a checkout claims units for a while. All lines or nothing, tested as an order's are. */
#include "inventory/reservations.h"
#include "base/id.h"
#include "inventory/availability.h"
#include "inventory/stock.h"
#include <stdio.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
#define EXPIRE_AT_ONCE 100
#define EXPIRE_LOADED 10  /* checkouts whose claims are loaded together */
#define EXPIRE_PLACES 500 /* positions of one command: checkouts may be large */

struct reserve_line_io {
    struct field_presence presence;
    const char *sku;
    int64_t quantity;
};
struct reserve_io {
    struct field_presence presence;
    const char *channel;
    struct field_list lines;
    int64_t ttl_s;
};
static const struct field line_rows[] = {
    { "sku", FIELD_CODE, AT(reserve_line_io, sku), .required = true, .doc = "a SKU or a bundle" },
    { "quantity", FIELD_INT, AT(reserve_line_io, quantity), .required = true, .min = 1, .max = 1000000 },
};
static const struct field_table line_fields = { "ReservationLine", line_rows, COUNT(line_rows), sizeof(struct reserve_line_io) };
static const struct field reserve_rows[] = {
    { "channel", FIELD_CODE, AT(reserve_io, channel), .required = true },
    { "lines", FIELD_LIST, AT(reserve_io, lines), .required = true, .min = 1, .max = ORDER_LINES_MAX, .of = &line_fields },
    { "ttl_s", FIELD_INT, AT(reserve_io, ttl_s), .required = true, .min = 1, .max = 86400, .doc = "seconds until it expires" },
};
static const struct field_table reserve_fields = { "ReservationIn", reserve_rows, COUNT(reserve_rows), sizeof(struct reserve_io) };

/* The answer, as openapi tells it. */
struct reserved_io {
    struct field_presence presence;
    const char *id;
    int64_t expires_at;
};
static const struct field reserved_rows[] = {
    { "id", FIELD_TEXT, AT(reserved_io, id), .required = true, .read_only = true, .doc = "to be named by the order" },
    { "expires_at", FIELD_TIME, AT(reserved_io, expires_at), .required = true, .read_only = true },
};
const struct field_table reserved_fields = { "Reservation", reserved_rows, COUNT(reserved_rows), sizeof(struct reserved_io) };

/* What a checkout holds, for whoever keeps count of it: in the words of the request. */
static const char *held(struct ws *ws, const struct reserve_io *in, int64_t expires_at)
{
    const struct reserve_line_io *lines = in->lines.items;
    struct json_writer json;
    json_begin(&json, ws_arena(ws));
    json_object(&json);
    json_key(&json, "channel");
    json_text(&json, in->channel);
    json_key(&json, "lines");
    json_array(&json);
    for (size_t i = 0; i < in->lines.count; i++) {
        json_object(&json);
        json_key(&json, "sku");
        json_text(&json, lines[i].sku);
        json_key(&json, "quantity");
        json_int(&json, lines[i].quantity);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_key(&json, "expires_at");
    json_time(&json, expires_at);
    json_object_end(&json);
    return json.out.at;
}

static void tell(struct ws *ws, enum event_type type, int64_t id, const char *data, struct command *command)
{
    struct event_row event = event_of(type, SUBJECT_RESERVATION, id);
    event.data = data;
    int64_t seq = ws_event(ws, event);
    if (command != NULL)
        command->event_seq = seq;
}

/* What became of it: whoever follows abandoned checkouts asks. */
static const char *const end_said[] = {
    [RESERVATION_USED] = "{\"why\":\"used\"}",
    [RESERVATION_GIVEN_BACK] = "{\"why\":\"given_back\"}",
    [RESERVATION_EXPIRED] = "{\"why\":\"expired\"}",
};

void reservation_end(struct stock *stock, int64_t reservation_id, enum reservation_state state)
{
    struct ws *ws = stock->ws;
    struct reservation_row *row = ws_edit(ws, ws_get(ws, &reservation_table, WS_KEY(ws_unit(ws), reservation_id)));
    row->state = state;
    claims_want(ws, &reservation_id, 1);
    const struct claim_row *claim;
    for (struct ws_cursor cursor = claims_of(ws, reservation_id); (claim = ws_next(ws, &cursor)) != NULL;)
        if (claim->kind == CLAIM_RESERVATION) /* a fence's holder may have the same number: channels are numbered by the company */
            claim_give_back(stock, claim, claim->soft, claim->hard);
    tell(ws, EVENT_RESERVATION_ENDED, reservation_id, end_said[state], NULL);
}

void reservation_used_by(struct ws *ws, int64_t reservation_id, int64_t order)
{
    ((struct reservation_row *)ws_edit(ws, ws_get(ws, &reservation_table, WS_KEY(ws_unit(ws), reservation_id))))->ord = order;
}

/* Ends it and lets those who wait have the units. */
static void reservation_free(struct ws *ws, int64_t id, enum reservation_state state)
{
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_RESERVATION, id });
    reservation_end(&stock, id, state);
    stock_end(&stock);
    stock_followers.supply(ws, stock.freed, stock.freed_count);
}

/* ---- make ---- */

static bool reserve_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    command->of_channel = ((const struct reserve_io *)command->input)->channel;
    return true;
}

static void fault_at(struct command *command, enum fault_code code, size_t line, const char *field, const char *detail)
{
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/lines/%zu/%s", line, field);
    fault_add(&command->faults, code, arena_text(command->arena, pointer), "%s", detail);
}

static const struct channel_row *find_channel(struct ws *ws, const struct reserve_io *in)
{
    const struct channel_row *channel =
        in->channel == NULL ? NULL : ws_find(ws, &channel_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(in->channel)));
    return channel == NULL || channel->owner != ws_unit(ws) ? NULL : channel;
}

/* Faults of look-up are all told, before any of stock. */
static void look_up(struct ws *ws, struct command *command)
{
    const struct reserve_io *in = command->input;
    const struct reserve_line_io *lines = in->lines.items;
    if (in->channel != NULL && find_channel(ws, in) == NULL)
        fault_add(&command->faults, FAULT_CHANNEL_UNKNOWN, "/channel", "there is no channel %s", in->channel);
    for (size_t i = 0; i < in->lines.count; i++)
        if (lines[i].sku != NULL)
            ws_want_path(ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(lines[i].sku)), 0);
    ws_settle(ws);
    for (size_t i = 0; i < in->lines.count; i++)
        if (lines[i].sku != NULL && ws_find(ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(lines[i].sku))) == NULL)
            fault_at(command, FAULT_SKU_UNKNOWN, i, "sku", arena_printf(command->arena, "there is no SKU %s", lines[i].sku));
}

/* What all lines will ask of stock, in a few goes. False: a fault was added, it is more than one command may claim. */
static bool want_lines(struct ws *ws, struct command *command, const struct outlet *outlet)
{
    const struct reserve_io *in = command->input;
    const struct reserve_line_io *lines = in->lines.items;
    const int64_t unit = ws_unit(ws), channel = outlet->channel->id;
    int64_t *bundles = ARENA_ARRAY(ws_arena(ws), int64_t, in->lines.count), *skus = NULL;
    size_t bundle_count = 0, count = 0, room = 0;
    for (size_t i = 0; i < in->lines.count; i++) {
        const struct sku_row *sku = ws_find(ws, &sku_by_code, WS_PREFIX(db_int(unit), db_text(lines[i].sku)));
        if (sku->bundle)
            bundles[bundle_count++] = sku->id;
        if (outlet->channel->listings > 0)
            ws_want_path(ws, &listing_of_sku, WS_PREFIX(db_int(unit), db_int(channel), db_int(sku->id)), 0);
    }
    ws_settle(ws);
    bundles_want(ws, bundles, bundle_count);
    for (size_t i = 0; i < in->lines.count; i++) {
        struct component *parts;
        const size_t part_count = recipe_of(ws, ws_find(ws, &sku_by_code, WS_PREFIX(db_int(unit), db_text(lines[i].sku))), &parts);
        for (size_t p = 0; p < part_count; p++) {
            skus = arena_room(ws_arena(ws), skus, count, &room, 64, sizeof *skus);
            skus[count++] = parts[p].sku;
        }
        if (count <= COMPONENTS_MAX)
            continue;
        fault_add(&command->faults, FAULT_ORDER_TOO_LARGE, "/lines", "more than %d components", COMPONENTS_MAX);
        return false;
    }
    outlet_want(ws, outlet, skus, count);
    return true;
}

static void reserve_line(struct stock *stock, struct command *command, const struct outlet *outlet, size_t i, struct holder holder)
{
    struct ws *ws = stock->ws;
    const struct reserve_line_io *line = (const struct reserve_line_io *)((const struct reserve_io *)command->input)->lines.items + i;
    const struct sku_row *sku = ws_find(ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(line->sku)));
    struct component *components;
    size_t count = recipe_of(ws, sku, &components);
    struct atp_terms terms = availability_terms(ws, outlet, only_listing(ws, outlet->channel, sku->id), components, count);
    if (atp_sell(&terms) < line->quantity) {
        fault_at(command, FAULT_SHORTAGE, i, "quantity",
                 arena_printf(command->arena, "asked %ld of %s, %ld can be promised", (long)line->quantity, line->sku, (long)atp_sell(&terms)));
        return;
    }
    size_t nodes[CHANNEL_NODES_MAX];
    for (size_t n = 0; n < outlet->node_count; n++)
        nodes[n] = n;
    outlet_take_pieces(stock, outlet, &(struct pieces){ nodes, outlet->node_count, components, count, line->quantity }, holder);
}

static void answer_reservation(struct ws *ws, struct command *command, int64_t id, int64_t expires_at)
{
    char text[32];
    struct json_writer json;
    id_format("rsv", ws_unit(ws), id, text);
    json_begin(&json, command->arena);
    json_object(&json);
    json_key(&json, "id");
    json_text(&json, text);
    json_key(&json, "expires_at");
    json_time(&json, expires_at);
    json_object_end(&json);
    command->answer = (struct answer){ .status = 201, .body = json.out.at, .body_bytes = json.out.size };
}

static void reserve_decide(struct ws *ws, struct command *command)
{
    const struct reserve_io *in = command->input;
    const struct channel_row *channel = find_channel(ws, in);
    struct outlet outlet;
    look_up(ws, command);
    if (command->faults.count > 0)
        return;
    outlet_open(ws, channel, &outlet);
    if (!want_lines(ws, command, &outlet))
        return;
    struct reservation_row row = { .unit = ws_unit(ws),
                                   .id = ws_next_id(ws),
                                   .channel = channel->id,
                                   .state = RESERVATION_OPEN,
                                   .expires_at = ws_now_us(ws) + in->ttl_s * 1000000 };
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_RESERVATION, row.id });
    for (size_t i = 0; i < in->lines.count && command->faults.count == 0; i++)
        reserve_line(&stock, command, &outlet, i,
                     (struct holder){
                         .kind = CLAIM_RESERVATION, .priority = channel->priority, .promise = row.expires_at, .id = row.id, .line = (int64_t)i + 1 });
    if (command->faults.count > 0)
        return; /* what was taken is undone with the command */
    ws_insert(ws, &reservation_table, &row);
    stock_end(&stock);
    tell(ws, EVENT_RESERVATION_MADE, row.id, held(ws, in, row.expires_at), command);
    answer_reservation(ws, command, row.id, row.expires_at);
}

static void reserve_again(struct ws *ws, struct command *command, int64_t seq)
{
    const struct event_row *event = ws_get(ws, &event_table, WS_KEY(ws_unit(ws), seq));
    const struct reservation_row *row = ws_get(ws, &reservation_table, WS_KEY(ws_unit(ws), event->subject));
    answer_reservation(ws, command, row->id, row->expires_at);
}

/* ---- give back, expire ---- */

static bool delete_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    return command_names(command, request, "rsv", "reservation", faults);
}

static void delete_decide(struct ws *ws, struct command *command)
{
    const int64_t id = command_id(command, "rsv");
    const struct reservation_row *row = ws_get(ws, &reservation_table, WS_KEY(ws_unit(ws), id));
    command->answer.status = 204;
    if (row == NULL)
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no reservation %s", command->path[0]);
    else if (row->state == RESERVATION_OPEN)
        reservation_free(ws, id, RESERVATION_GIVEN_BACK);
    else
        command->existing = true; /* used, expired or given back before */
}

/* The scheduler's: ends those that are due, some at a time. All give back first, so that the units of one do not go to the
 * queue in as many helpings as there were checkouts. */
static void expire_decide(struct ws *ws, struct command *command)
{
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_RESERVATION, 0 });
    struct ws_cursor cursor = ws_scan(ws, &reservation_due, WS_PREFIX(db_int(ws_unit(ws)), db_int(RESERVATION_OPEN)), EXPIRE_AT_ONCE);
    const struct reservation_row *row;
    int64_t ended = 0, due[EXPIRE_AT_ONCE];
    size_t due_count = 0;
    for (struct ws_cursor first = cursor; due_count < EXPIRE_AT_ONCE && (row = ws_next(ws, &first)) != NULL && row->expires_at <= ws_now_us(ws);)
        due[due_count++] = row->id;
    while (ended < EXPIRE_AT_ONCE && stock.freed_count < EXPIRE_PLACES && (row = ws_next(ws, &cursor)) != NULL && row->expires_at <= ws_now_us(ws)) {
        if (ended % EXPIRE_LOADED == 0)
            claims_want(ws, due + ended, (size_t)min_i64(EXPIRE_LOADED, (int64_t)due_count - ended));
        stock.cause.id = row->id;
        reservation_end(&stock, row->id, RESERVATION_EXPIRED);
        ended++;
    }
    stock_end(&stock);
    stock_followers.supply(ws, stock.freed, stock.freed_count);
    command->existing = ended == 0;
    command->answer.status = 200;
}

const struct command_type reservation_create = { .name = "reservation.create",
                                                 .input = &reserve_fields,
                                                 .mode = FIELDS_POST,
                                                 .queue = QUEUE_CHANNELS,
                                                 .edge = reserve_edge,
                                                 .look_up = look_up,
                                                 .decide = reserve_decide,
                                                 .again = reserve_again,
                                                 .inverse = "reservation.delete" };
const struct command_type reservation_delete = {
    .name = "reservation.delete", .queue = QUEUE_CHANNELS, .edge = delete_edge, .decide = delete_decide, .inverse = "reservation.create"
};
const struct command_type reservation_expire = {
    .name = "reservation.expire", .queue = QUEUE_BULK, .decide = expire_decide, .inverse = "none: time has passed"
};
