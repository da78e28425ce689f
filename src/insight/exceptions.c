/* src/insight/exceptions.c: GET /v1/exceptions: work for people. What is open is found by its type; what is closed is looked through
 * in the order of opening, a bounded number a page: `next` goes on. */
#include "base/id.h"
#include "base/when.h"
#include "insight/at_risk.h"
#include "insight/insight.h"
#include "insight_sql.h"
#include "orders/orders.h"
#include <stdlib.h>
#include <string.h>

enum { QUERY_TYPE, QUERY_TEAM, QUERY_STATE, QUERY_LIMIT, QUERY_CURSOR };

#define LOOKED_AT_MAX 5000
#define PIECE 500

/* In the order of the column `state`, from 1. */
static const char *const state_names[] = { "open", "closed", NULL };
#define TYPES (COUNT(exception_names) - 1)

struct exceptions {
    struct reading *reading;
    struct arena *arena;
    int64_t type, state, team; /* 0: any; a team counts from 1 */
    int64_t unit, after;       /* where it stands */
    int64_t limit, looked;
    bool more;
    struct json_writer json;
};

/* ---- which ---- */

static bool is_wanted(const struct exceptions *x, int64_t type)
{
    return (x->type == 0 || x->type == type) && (x->team == 0 || x->team - 1 == (int64_t)exception_teams[type]);
}

/* Open ones: each type's next, laid together. */
static enum db_result find_open(struct exceptions *x, int64_t *ids, size_t *count)
{
    size_t all = 0;
    enum db_result result = DB_OK;
    int64_t *found = ARENA_ARRAY(x->arena, int64_t, TYPES * ((size_t)x->limit + 1));
    for (int64_t type = 1; type <= (int64_t)TYPES && result == DB_OK; type++) {
        struct exceptions_open_result *rows;
        size_t n = 0;
        if (!is_wanted(x, type))
            continue;
        result = exceptions_open(x->reading->db, x->arena, x->unit, type, x->after, x->limit + 1, &rows, &n);
        for (size_t i = 0; result == DB_OK && i < n; i++)
            found[all++] = rows[i].id;
    }
    if (all > 1)
        qsort(found, all, sizeof *found, by_number);
    *count = (size_t)min_i64((int64_t)all, x->limit);
    memcpy(ids, found, *count * sizeof *ids);
    x->more = all > *count;
    x->after = *count > 0 ? ids[*count - 1] : x->after;
    return result;
}

static enum db_result find_any(struct exceptions *x, int64_t *ids, size_t *count)
{
    enum db_result result = DB_OK;
    x->more = true;
    *count = 0;
    while (result == DB_OK && x->more && (int64_t)*count < x->limit && x->looked < LOOKED_AT_MAX) {
        struct exceptions_page_result *rows;
        size_t n = 0, i = 0;
        result = exceptions_page(x->reading->db, x->arena, x->unit, x->after, PIECE + 1, &rows, &n);
        for (; result == DB_OK && i < n && i < PIECE && (int64_t)*count < x->limit; i++) {
            x->after = rows[i].id;
            if (is_wanted(x, rows[i].type) && (x->state == 0 || rows[i].state == x->state))
                ids[(*count)++] = rows[i].id;
        }
        x->looked += (int64_t)i;
        x->more = i < n;
    }
    return result;
}

/* ---- what is shown ---- */

struct item {
    struct field_presence presence;
    const char *id;
    int64_t type, team, state;
    const char *order, *transfer, *supply, *recall, *node, *sku;
    int64_t quantity, promises, repeats, opened_at, closed_at;
    struct money money;
    const char *detail;
};
#define AT(type, member) offsetof(struct type, member)
static const struct field item_rows[] = {
    { "id", FIELD_TEXT, AT(item, id), .read_only = true },
    { "type", FIELD_ENUM, AT(item, type), .read_only = true, .names = exception_names, .doc = "more may come" },
    { "team", FIELD_ENUM, AT(item, team), .read_only = true, .names = exception_team_names, .doc = "who is to look at it first; more may come" },
    { "state", FIELD_ENUM, AT(item, state), .read_only = true, .names = state_names, .doc = "it closes itself when its cause is gone" },
    { "order", FIELD_TEXT, AT(item, order), .read_only = true, .nullable = true, .doc = "the order that it is about" },
    { "transfer", FIELD_TEXT, AT(item, transfer), .read_only = true, .nullable = true, .doc = "the transfer that it is about" },
    { "supply", FIELD_TEXT, AT(item, supply), .read_only = true, .nullable = true, .doc = "the supply that it is about" },
    { "recall", FIELD_TEXT, AT(item, recall), .read_only = true, .hide_absent = true, .doc = "the recall that it is about" },
    { "node", FIELD_CODE, AT(item, node), .read_only = true, .nullable = true },
    { "sku", FIELD_CODE, AT(item, sku), .read_only = true, .nullable = true, .doc = "null: look at the order's lines" },
    { "quantity", FIELD_INT, AT(item, quantity), .read_only = true, .doc = "units at risk" },
    { "money_at_risk", FIELD_MONEY, AT(item, money), .read_only = true, .nullable = true,
      .doc = "now: of an order what is due for the pieces that wait or were lost, of goods what they cost; null: not known, or nothing is open" },
    { "promises_at_risk", FIELD_INT, AT(item, promises), .read_only = true,
      .doc = "now: the order's lines with such pieces, or lines that wait for the SKU, of which 1,000 are counted" },
    { "repeats", FIELD_INT, AT(item, repeats), .read_only = true, .doc = "how often its cause came while it was open" },
    { "opened_at", FIELD_TIME, AT(item, opened_at), .read_only = true },
    { "closed_at", FIELD_TIME, AT(item, closed_at), .read_only = true, .hide_absent = true },
    { "detail", FIELD_TEXT, AT(item, detail), .read_only = true, .nullable = true,
      .doc = "what is known of the cause; of an oversell one word: docs/machines.md" },
};
static const struct field_table item_fields = { "Exception", item_rows, COUNT(item_rows), sizeof(struct item) };

/* A piece of a page: orders may have very many lines. */
struct shown {
    struct arena *arena;
    struct arena_mark mark; /* each attempt begins there anew */
    const struct db_rows *rows;
    size_t first, count;
    struct item *items;
    struct at_risk *risks;
    bool begun;
};

/* What all of them need is read together. */
static void show(struct ws *ws, void *context)
{
    struct shown *shown = context;
    const int64_t unit = ws_unit(ws);
    shown->begun = true;
    arena_rewind(shown->arena, shown->mark);
    for (size_t i = 0; i < shown->count; i++) {
        const struct exception_item_row *row = db_row(shown->rows, shown->first + i);
        ws_want(ws, &sku_table, WS_KEY(unit, row->sku));
        ws_want(ws, &node_table, WS_KEY(unit, row->node));
        at_risk_want(ws, row);
    }
    ws_settle(ws);
    for (size_t i = 0; i < shown->count; i++) {
        const struct exception_item_row *row = db_row(shown->rows, shown->first + i);
        const struct sku_row *sku = ws_get(ws, &sku_table, WS_KEY(unit, row->sku));
        const struct node_row *node = ws_get(ws, &node_table, WS_KEY(unit, row->node));
        struct item *item = &shown->items[i];
        *item = (struct item){ .id = id_text(shown->arena, "exc", unit, row->id),
                               .type = row->type - 1,
                               .team = (int64_t)exception_teams[row->type],
                               .state = row->state - 1,
                               .order = row->about > 0 ? id_text(shown->arena, "ord", unit, row->about) : NULL,
                               .transfer = row->subject_kind == SUBJECT_TRANSFER ? id_text(shown->arena, "trf", unit, row->subject) : NULL,
                               .supply = row->subject_kind == SUBJECT_SUPPLY ? id_text(shown->arena, "sup", unit, row->subject) : NULL,
                               .recall = id_text(shown->arena, "rec", unit, row->subject),
                               .node = node == NULL ? NULL : arena_text(shown->arena, node->code),
                               .sku = sku == NULL ? NULL : arena_text(shown->arena, sku->code),
                               .quantity = row->quantity,
                               .repeats = row->repeats,
                               .opened_at = row->opened_at,
                               .closed_at = row->closed_at,
                               .detail = row->detail };
        if (row->subject_kind == SUBJECT_RECALL)
            field_set(&item_fields, item, "recall");
        if (row->closed_at != NULL_INT)
            field_set(&item_fields, item, "closed_at");
        shown->risks[i] = at_risk_of(ws, shown->arena, row);
    }
}

static enum db_result price(const struct reading *reading, struct arena *arena, int64_t unit, struct shown *shown, size_t i)
{
    struct at_risk *risk = &shown->risks[i];
    struct item *item = &shown->items[i];
    enum db_result result = at_risk_price(reading, arena, unit, risk);
    item->promises = risk->promises;
    if (risk->has_money) {
        item->money = (struct money){ .minor = risk->minor };
        memcpy(item->money.currency, risk->currency, sizeof item->money.currency);
        field_set(&item_fields, item, "money_at_risk");
    }
    return result;
}

static enum db_result write_piece(struct exceptions *x, int64_t unit, struct shown *shown)
{
    shown->items = ARENA_ARRAY(x->arena, struct item, shown->count);
    shown->risks = ARENA_ARRAY(x->arena, struct at_risk, shown->count);
    shown->mark = arena_mark(x->arena);
    shown->begun = false;
    enum db_result result = ws_read(x->reading, unit, when_now_us(), show, shown);
    for (size_t i = 0; result == DB_OK && i < shown->count; i++)
        result = price(x->reading, x->arena, unit, shown, i);
    for (size_t i = 0; result == DB_OK && i < shown->count; i++)
        fields_write(&x->json, &item_fields, &shown->items[i]);
    return result;
}

static enum db_result write_exceptions(struct exceptions *x, int64_t unit, const int64_t *ids, size_t count)
{
    struct db_rows rows = { 0 };
    struct shown shown = { .arena = x->arena, .rows = &rows };
    size_t most = LIST_PIECE;
    int64_t *keys = ARENA_ARRAY(x->arena, int64_t, 2 * count + 2);
    for (size_t i = 0; i < count; i++) {
        keys[2 * i] = unit;
        keys[2 * i + 1] = ids[i];
    }
    enum db_result result = count == 0 ? DB_OK : db_load(x->reading->db, x->arena, &exception_item_table, keys, count, &rows);
    while (result == DB_OK && shown.first < rows.count) {
        shown.count = rows.count - shown.first < most ? rows.count - shown.first : most;
        result = write_piece(x, unit, &shown);
        if (result == DB_OK)
            shown.first += shown.count;
        if (result != DB_BUSY || !shown.begun || shown.count == 1)
            continue;
        most = list_smaller_piece(shown.count);
        result = DB_OK;
    }
    return result;
}

/* ---- the routes' reads ---- */

static enum db_result list_units(struct exceptions *x)
{
    struct event_units_result *units;
    size_t count;
    const int64_t first = x->unit;
    int64_t *ids = ARENA_ARRAY(x->arena, int64_t, (size_t)x->limit);
    enum db_result result = event_units(x->reading->db, x->arena, 0, &units, &count);
    for (size_t u = 0; result == DB_OK && u < count && !x->more; u++) {
        size_t found = 0;
        if (units[u].id < first)
            continue;
        if (units[u].id != first)
            x->unit = units[u].id, x->after = 0;
        x->more = x->limit == 0; /* the next unit is behind it */
        if (x->more)
            break;
        result = x->state == 1 ? find_open(x, ids, &found) : find_any(x, ids, &found);
        x->limit -= (int64_t)found;
        if (result == DB_OK)
            result = write_exceptions(x, x->unit, ids, found);
    }
    return result;
}

static void list_exceptions(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct exceptions x = { .reading = reading, .arena = request->arena, .limit = request->query_number[QUERY_LIMIT] };
    const char *cursor = request->query_text[QUERY_CURSOR];
    x.type = request->query_text[QUERY_TYPE] == NULL ? 0 : request->query_number[QUERY_TYPE] + 1;
    x.team = request->query_text[QUERY_TEAM] == NULL ? 0 : request->query_number[QUERY_TEAM] + 1;
    x.state = request->query_text[QUERY_STATE] == NULL ? 0 : request->query_number[QUERY_STATE] + 1;
    if (cursor != NULL && !id_parse(cursor, strlen(cursor), "exc", &x.unit, &x.after)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that this list has given");
        return;
    }
    list_begin(&x.json, request->arena);
    enum db_result result = list_units(&x);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    char next[32];
    id_format("exc", x.unit, x.after, next);
    list_end(&x.json, x.more ? next : NULL, answer);
}

static void get_exception(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct exceptions x = { .reading = reading, .arena = request->arena };
    int64_t unit, id;
    enum db_result result = DB_OK;
    json_begin(&x.json, request->arena);
    if (id_parse(request->path[0], strlen(request->path[0]), "exc", &unit, &id))
        result = write_exceptions(&x, unit, &id, 1);
    if (result != DB_OK)
        answer_store(answer, request->arena, result);
    else if (x.json.out.size == 0)
        answer_fault(answer, request->arena, FAULT_NOT_FOUND, NULL, arena_printf(request->arena, "there is no exception %s", request->path[0]));
    else
        *answer = (struct answer){ .status = 200, .body = x.json.out.at, .body_bytes = x.json.out.size };
}

#define READERS (SCOPE_READ | SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN)
static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/exceptions",
      .scopes = READERS,
      .read = list_exceptions,
      .answer_of = &item_fields,
      .list = true,
      .summary = "Work for people, in the order in which it came",
      .query = { { .name = "type", .type = FIELD_ENUM, .names = exception_names, .doc = "exceptions of this type" },
                 { .name = "team", .type = FIELD_ENUM, .names = exception_team_names, .doc = "what this team is to look at first" },
                 { .name = "state", .type = FIELD_ENUM, .names = state_names, .doc = "open: what is still to be done; without: both" },
                 LIST_QUERY } },
    { .method = METHOD_GET,
      .path = "/v1/exceptions/{id}",
      .scopes = READERS,
      .read = get_exception,
      .answer_of = &item_fields,
      .summary = "An exception" },
};
const struct route_table exception_routes = { "exceptions", routes, COUNT(routes) };
