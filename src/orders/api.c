/* src/orders/api.c: /v1/orders, and /v1/availability/dates, which needs to know who waits. */
#include "base/id.h"
#include "base/when.h"
#include "engine/vault.h"
#include "orders/capture.h"
#include "orders/commands.h"
#include "orders/dates.h"
#include "orders/decisions.h"
#include "orders/try.h"
#include "orders/order_io.h"
#include "orders/words.h"
#include "orders_sql.h"
#include <string.h>

enum { QUERY_STAGE, QUERY_CHANNEL, QUERY_HOLD, QUERY_Q, QUERY_LIMIT, QUERY_CURSOR };

/* ---- one order ---- */

struct one {
    int64_t id, version;
    bool found;
    const struct line_date *dates;
    size_t date_count;
    struct json_writer json;
};

static void read_one(struct ws *ws, void *context)
{
    struct one *one = context;
    struct order order;
    size_t size = one->json.out.size;
    bool comma = one->json.comma;
    one->found = order_open(ws, one->id, &order);
    if (!one->found)
        return;
    struct json_writer attempt;
    json_begin(&attempt, ws_arena(ws)); /* an attempt that lacks a row is thrown away with its arena */
    order.dates = one->dates;
    order.date_count = one->date_count;
    order_write(&order, NULL, &attempt);
    one->json.out.size = size;
    one->json.comma = comma;
    json_raw(&one->json, attempt.out.at, attempt.out.size);
    one->version = order.row->version;
}

static void get_order(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct one one = { 0 };
    int64_t unit;
    if (id_parse(request->path[0], strlen(request->path[0]), "ord", &unit, &one.id)) {
        json_begin(&one.json, request->arena);
        enum db_result result = order_dates(reading, unit, one.id, &one.dates, &one.date_count);
        if (result == DB_OK)
            result = ws_read(reading, unit, when_now_us(), read_one, &one);
        if (result != DB_OK) {
            answer_store(answer, request->arena, result);
            return;
        }
    }
    if (!one.found) {
        answer_fault(answer, request->arena, FAULT_NOT_FOUND, NULL, arena_printf(request->arena, "there is no order %s", request->path[0]));
        return;
    }
    *answer = (struct answer){
        .status = 200, .body = one.json.out.at, .body_bytes = one.json.out.size, .etag = arena_printf(request->arena, "%ld", (long)one.version)
    };
}

/* ---- lists ---- */

/* Where a list goes on: after this order of this unit. Outside: its id. */
struct list_place {
    int64_t unit, id;
};

struct filter {
    int64_t stage; /* -1: none */
    int64_t channel;
    const char *hold;
    struct words words;
    size_t reads_left;      /* of the search for them */
    struct list_place only; /* q= is the id of one order; id 0: it is not */
    bool nothing;           /* q= holds no word: no order has it */
};

/* At most `most` candidates of a unit; the narrowest condition finds them. One more is asked for, to know whether it is the end. */
static enum db_result candidates_of(struct reading *r, struct filter *f, int64_t unit, int64_t after, int64_t most, struct candidates *out)
{
    enum db_result result = DB_OK;
    *out = (struct candidates){ .ids = ARENA_ARRAY(r->arena, int64_t, (size_t)most + 1), .upto = after };
#define TAKE(NAME, CALL, MEMBER)                          \
    {                                                     \
        struct NAME##_result *rows;                       \
        size_t n = 0;                                     \
        result = CALL;                                    \
        for (size_t i = 0; result == DB_OK && i < n; i++) \
            out->ids[out->count++] = rows[i].MEMBER;      \
        out->ended = (int64_t)n <= most;                  \
    }
    if (f->only.id != 0 && f->only.unit == unit && f->only.id > after)
        out->ids[out->count++] = f->only.id;
    if (f->only.id != 0 || f->nothing)
        out->ended = true;
    else if (f->words.count > 0)
        result = orders_with_words(r, &f->words, unit, after, most, out);
    else if (f->hold != NULL)
        TAKE(orders_page_by_hold, orders_page_by_hold(r->db, r->arena, unit, f->hold, after, most + 1, &rows, &n), ord)
    else if (f->stage >= 0)
        TAKE(orders_page_by_stage, orders_page_by_stage(r->db, r->arena, unit, f->stage, after, most + 1, &rows, &n), id)
    else if (f->channel != 0)
        TAKE(orders_page_by_channel, orders_page_by_channel(r->db, r->arena, unit, f->channel, after, most + 1, &rows, &n), id)
    else
        TAKE(orders_page, orders_page(r->db, r->arena, unit, after, most + 1, &rows, &n), id)
#undef TAKE
    bool one_more = (int64_t)out->count > most;
    out->count = one_more ? (size_t)most : out->count;
    if (out->count > 0 && (one_more || !out->tired))
        out->upto = out->ids[out->count - 1];
    return result;
}

struct listing_of_orders {
    const struct filter *filter;
    const int64_t *ids;
    size_t id_count, next, shown;
    bool begun; /* the store answers: what may be short is memory */
    struct json_writer *json;
};

static bool meets(struct ws *ws, const struct filter *filter, const struct order *order)
{
    if ((filter->stage >= 0 && order->row->stage != filter->stage) || (filter->channel != 0 && order->row->channel != filter->channel))
        return false;
    if (filter->hold == NULL)
        return true;
    const struct order_hold_row *hold;
    struct ws_cursor cursor = ws_scan(ws, &hold_of_order, WS_PREFIX(db_int(ws_unit(ws)), db_int(order->row->id)), 0);
    while ((hold = ws_next(ws, &cursor)) != NULL)
        if (hold->cleared_seq == 0 && text_equal(hold->kind, filter->hold))
            return true;
    return false;
}

/* What order_write will ask for, in two rounds: without them each order would be read again for each of its rows. */
static void want_page(struct ws *ws, const struct listing_of_orders *page)
{
    const struct db_path *const paths[] = { &line_of_order, &demand_of_order, &hold_of_order, &fulfilment_of_order, &event_of_order };
    const struct db_path *const of_fulfilment[] = { &line_of_fulfilment, &package_of_fulfilment };
    const struct db_value unit = db_int(ws_unit(ws));
    routing_want(ws);
    for (size_t i = page->next; i < page->id_count; i++) {
        ws_want(ws, &orders_table, WS_KEY(ws_unit(ws), page->ids[i]));
        for (size_t p = 0; p < COUNT(paths); p++)
            ws_want_path(ws, paths[p], WS_PREFIX(unit, db_int(page->ids[i])), 0);
    }
    ws_settle(ws);
    for (size_t i = page->next; i < page->id_count; i++) {
        if (routing_known(ws))
            ws_want_path(ws, &decision_of_order, WS_PREFIX(unit, db_int(page->ids[i])), 0);
        const struct orders_row *order = ws_get(ws, &orders_table, WS_KEY(ws_unit(ws), page->ids[i]));
        const struct fulfilment_row *fulfilment;
        struct ws_cursor cursor = ws_scan(ws, &fulfilment_of_order, WS_PREFIX(unit, db_int(page->ids[i])), 0);
        if (order != NULL)
            ws_want(ws, &person_table, WS_KEY(ws_unit(ws), order->person));
        const struct order_line_row *line;
        struct ws_cursor lines = ws_scan(ws, &line_of_order, WS_PREFIX(unit, db_int(page->ids[i])), 0);
        while ((line = ws_next(ws, &lines)) != NULL)
            ws_want(ws, &sku_table, WS_KEY(ws_unit(ws), line->sku));
        while ((fulfilment = ws_next(ws, &cursor)) != NULL)
            for (size_t p = 0; p < COUNT(of_fulfilment); p++)
                ws_want_path(ws, of_fulfilment[p], WS_PREFIX(unit, db_int(fulfilment->id)), 0);
    }
    ws_settle(ws);
}

/* Bounded: a page looks at no more than this many orders, a piece at a time, and ends where the answer grows long; what is
 * left is behind `next`. */
#define LOOKED_AT_MAX 2000

/* An order that is written is done with: an attempt that lacks a row goes on where the one before ended. */
static void read_page(struct ws *ws, void *context)
{
    struct listing_of_orders *page = context;
    page->begun = true;
    want_page(ws, page);
    for (; page->next < page->id_count && page->json->out.size < LIST_BYTES_MAX; page->next++) {
        struct order order;
        if (order_open(ws, page->ids[page->next], &order) && meets(ws, page->filter, &order)) {
            struct json_writer one, longer = *page->json; /* whole orders only, also where memory ends */
            json_begin(&one, ws_arena(ws));
            order_write(&order, NULL, &one);
            json_raw(&longer, one.out.at, one.out.size);
            *page->json = longer;
            page->shown++;
        }
    }
}

struct orders_list {
    struct reading *reading;
    struct filter *filter;
    struct list_place from; /* where it stands */
    int64_t limit, piece;   /* orders that still fit; those that are read at once */
    size_t looked;
    struct json_writer *json;
    bool more;
    const char *too_common; /* of the words: see candidates */
};

static bool is_full(const struct orders_list *list)
{
    return list->limit == 0 || list->looked >= LOOKED_AT_MAX || list->json->out.size >= LIST_BYTES_MAX;
}

/* What a piece came to, also where memory ended before it did: orders of a thousand lines are read a few at a time. */
static enum db_result piece_done(struct orders_list *list, const struct listing_of_orders *page, const struct candidates *candidates,
                                 enum db_result result)
{
    const bool whole = page->next == page->id_count;
    list->limit -= (int64_t)page->shown;
    list->looked += page->next;
    if (whole)
        list->from.id = candidates->upto;
    else if (page->next > 0)
        list->from.id = page->ids[page->next - 1];
    list->more = (!whole || !candidates->ended) && ((whole && candidates->tired) || is_full(list));
    if (result != DB_BUSY || !page->begun || page->id_count <= 1)
        return result;
    list->piece = (int64_t)list_smaller_piece(page->id_count);
    return DB_OK;
}

static enum db_result list_unit(struct orders_list *list)
{
    struct reading *r = list->reading;
    for (;;) {
        struct candidates candidates;
        enum db_result result = candidates_of(r, list->filter, list->from.unit, list->from.id, min_i64(list->limit, list->piece), &candidates);
        list->too_common = candidates.too_common;
        struct listing_of_orders page = { .filter = list->filter, .ids = candidates.ids, .id_count = candidates.count, .json = list->json };
        if (result == DB_OK && candidates.count > 0)
            result = ws_read(r, list->from.unit, when_now_us(), read_page, &page);
        result = piece_done(list, &page, &candidates, result);
        if (result != DB_OK || list->more || (page.next == page.id_count && candidates.ended))
            return result;
    }
}

static enum db_result list_units(struct orders_list *list)
{
    struct order_units_result *units;
    size_t count;
    const int64_t first = list->from.unit;
    enum db_result result = order_units(list->reading->db, list->reading->arena, 0, &units, &count);
    for (size_t u = 0; result == DB_OK && u < count && !list->more && list->too_common == NULL; u++) {
        if (units[u].id < first)
            continue;
        if (units[u].id != first)
            list->from = (struct list_place){ units[u].id, 0 };
        list->more = is_full(list); /* the next unit is behind it */
        if (!list->more)
            result = list_unit(list);
    }
    return result;
}

/* *id 0: there is no such channel. */
static enum db_result channel_id_of(struct db *db, struct arena *arena, const char *code, int64_t *id)
{
    struct channel_by_code_id_result row;
    bool found = false;
    enum db_result result = channel_by_code_id(db, arena, 0, code, &row, &found);
    *id = result == DB_OK && found ? row.id : 0;
    return result;
}

static bool read_filter(struct reading *r, const struct request *request, struct filter *filter, struct list_place *from, struct answer *answer)
{
    *filter = (struct filter){ .stage = request->query_text[QUERY_STAGE] == NULL ? -1 : request->query_number[QUERY_STAGE],
                               .hold = request->query_text[QUERY_HOLD] };
    const char *cursor = request->query_text[QUERY_CURSOR], *code = request->query_text[QUERY_CHANNEL], *q = request->query_text[QUERY_Q];
    *from = (struct list_place){ 0 };
    if (cursor != NULL && !id_parse(cursor, strlen(cursor), "ord", &from->unit, &from->id)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that a list has given");
        return false;
    }
    enum db_result result = code == NULL ? DB_OK : channel_id_of(r->db, r->arena, code, &filter->channel);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return false;
    }
    if (code != NULL && filter->channel == 0) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, arena_printf(request->arena, "there is no channel %s", code));
        return false;
    }
    struct list_place named;
    if (q != NULL && id_parse(q, strlen(q), "ord", &named.unit, &named.id)) {
        filter->only = named;
        filter->nothing = named.id == 0;
        return true;
    }
    if (q != NULL && r->projection == NULL) {
        answer_fault(answer, request->arena, FAULT_NOT_AVAILABLE, NULL, "this server keeps no index of words: search by stage, channel or hold");
        return false;
    }
    if (q != NULL && !words_of(request->arena, q, &filter->words)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, arena_printf(request->arena, "q holds more than %d words", WORDS_MAX));
        return false;
    }
    filter->nothing = q != NULL && filter->words.count == 0;
    return true;
}

static void list_orders(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct filter filter;
    struct json_writer json;
    struct orders_list list = {
        .reading = reading, .filter = &filter, .limit = request->query_number[QUERY_LIMIT], .piece = LIST_PIECE, .json = &json
    };
    if (!read_filter(reading, request, &filter, &list.from, answer))
        return;
    list_begin(&json, request->arena);
    enum db_result result = list_units(&list);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    if (list.too_common != NULL) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL,
                     arena_printf(request->arena, "more than %d words begin with %s: write more of it", FORMS_MAX, list.too_common));
        return;
    }
    char next[32];
    id_format("ord", list.from.unit, list.from.id, next);
    list_end(&json, list.more ? next : NULL, answer);
}

#define ORDERS_SCOPES (SCOPE_ORDERS | SCOPE_ADMIN)
#define READ_SCOPES (SCOPE_READ | SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN)
#define ABOUT(PATH, COMMAND, SUMMARY)                                                                                                   \
    {                                                                                                                                   \
        .method = METHOD_POST, .path = "/v1/orders/{id}" PATH, .scopes = ORDERS_SCOPES, .command = COMMAND, .answer_of = &order_fields, \
        .summary = SUMMARY                                                                                                              \
    }

static const struct route routes[] = {
    { .method = METHOD_POST,
      .path = "/v1/orders",
      .scopes = ORDERS_SCOPES,
      .command = &order_create,
      .answer_of = &order_fields,
      .summary = "Take an order" },
    { .method = METHOD_POST,
      .path = "/v1/orders/batch",
      .scopes = ORDERS_SCOPES,
      .batch_of = &order_create,
      .batch_name = "orders",
      .result_name = "order",
      .answer_of = &order_fields,
      .summary = "Take many orders, each alone" },
    { .method = METHOD_GET,
      .path = "/v1/orders",
      .scopes = READ_SCOPES,
      .read = list_orders,
      .answer_of = &order_fields,
      .list = true,
      .summary = "Orders by stage, channel, hold or word",
      .query = { [QUERY_STAGE] = { .name = "stage", .type = FIELD_ENUM, .names = stage_names, .doc = "orders in this stage" },
                 [QUERY_CHANNEL] = { .name = "channel", .type = FIELD_CODE, .doc = "orders of this channel" },
                 [QUERY_HOLD] = { .name = "hold", .type = FIELD_CODE, .doc = "orders with a hold of this kind" },
                 [QUERY_Q] = { .name = "q",
                               .type = FIELD_TEXT,
                               .max = 200,
                               .projected = true,
                               .doc =
                                   "an order's own id; or words of number, channel order id, names, e-mail addresses and cities: orders that have all of them; a word that ends in * stands for all that begin so, of which a unit may have 50" },
                 [QUERY_LIMIT] = { .name = "limit", .type = FIELD_INT, .min = 1, .max = 1000, .preset = 100, .doc = "items at most" },
                 [QUERY_CURSOR] = { .name = "cursor", .type = FIELD_TEXT, .max = 64, .doc = "next of the page before" } } },
    { .method = METHOD_GET, .path = "/v1/orders/{id}", .scopes = READ_SCOPES, .read = get_order, .answer_of = &order_fields, .summary = "An order" },
    { .method = METHOD_GET,
      .path = "/v1/availability/dates",
      .scopes = READ_SCOPES,
      .read = get_availability_dates,
      .answer_of = &availability_dates_fields,
      .summary = "What a channel may sell of a SKU now, and by which date more",
      .query = { { .name = "channel", .type = FIELD_CODE, .required = true, .doc = "the channel" },
                 { .name = "sku", .type = FIELD_CODE, .required = true, .doc = "a SKU or a bundle" } } },
    { .method = METHOD_GET,
      .path = "/v1/orders/{id}/decisions",
      .scopes = READ_SCOPES,
      .read = get_decisions,
      .answer_of = &decision_fields,
      .list = true,
      .summary = "Why it was decided so: what was chosen, and what ruled the alternatives out" },
    ABOUT("/cancel", &order_cancel, "Cancel what has not shipped"),
    ABOUT("/edit", &order_edit_lines, "Change what is wanted: fewer or more of a line, another line, another address; all or nothing"),
    ABOUT("/substitute", &order_substitute, "Replace what has not left of a line by another SKU that is there"),
    ABOUT("/holds", &order_hold, "Hold an order"),
    ABOUT("/holds/{kind}/clear", &order_hold_clear, "Clear a hold"),
    ABOUT("/payments", &order_pay, "Record a payment fact"),
    ABOUT("/refusals/{node}/clear", &order_refusal_clear, "Let a node that declined the order, or failed with it, be given it again"),
    ABOUT("/release", &order_release, "Release an order of a channel that releases by hand"),
    ABOUT("/replan", &order_replan, "Choose the nodes of what is reserved anew, and move where that is clearly better"),
    { .method = METHOD_POST,
      .path = "/v1/routing/try",
      .scopes = ORDERS_SCOPES,
      .command = &routing_try,
      .answer_of = &tried_fields,
      .summary = "What routing would choose and why, without doing anything" },
};
const struct route_table orders_routes = { "orders", routes, COUNT(routes) };
