/* src/fulfilment/api.c: /v1/fulfilments: one, the open work of a node, and what the node reports. */
#include "base/id.h"
#include "catalog/catalog.h"
#include "fulfilment/fulfilment.h"
#include "fulfilment_sql.h"
#include "inventory/listed.h"
#include <string.h>

enum { QUERY_NODE, QUERY_STATE, QUERY_LIMIT, QUERY_CURSOR };

/* Open work: the states of the index, in its order; their numbers are those of enum fulfilment_state. */
static const char *const work_names[] = { "open", "released", "sent", "accepted", "declined", "picking", "packed", "cancel_requested", NULL };
enum { WORK_ASKED = FULFILMENT_SHIPPED }; /* its place among the names: it has an index of its own */
_Static_assert(COUNT(work_names) - 2 == FULFILMENT_SHIPPED, "what has shipped is no open work");

static void want(struct ws *ws, const int64_t *ids, size_t count)
{
    const int64_t unit = ws_unit(ws);
    for (size_t i = 0; i < count; i++) {
        ws_want_path(ws, &line_of_fulfilment, WS_PREFIX(db_int(unit), db_int(ids[i])), 0);
        ws_want_path(ws, &package_of_fulfilment, WS_PREFIX(db_int(unit), db_int(ids[i])), 0);
    }
    ws_settle(ws);
    for (size_t i = 0; i < count; i++) {
        struct ws_cursor cursor = ws_scan(ws, &line_of_fulfilment, WS_PREFIX(db_int(unit), db_int(ids[i])), 0);
        for (const struct fulfilment_line_row *line; (line = ws_next(ws, &cursor)) != NULL;)
            ws_want(ws, &sku_table, WS_KEY(unit, line->sku));
    }
}

static bool write(struct ws *ws, int64_t id, struct json_writer *json, int64_t *version)
{
    const struct fulfilment_row *row = ws_get(ws, &fulfilment_table, WS_KEY(ws_unit(ws), id));
    if (row == NULL)
        return false;
    fulfilment_write(ws, row, NULL, json);
    *version = row->version;
    return true;
}

static const struct listed listed = { .prefix = "ful", .thing = "fulfilment order", .table = &fulfilment_table, .write = write, .want = want };

static void get_fulfilment(struct reading *reading, const struct request *request, struct answer *answer)
{
    listed_get(reading, request, answer, &listed);
}

/* ---- the open work of a node ---- */

struct work {
    int64_t unit, node, after;
};

static bool read_query(struct reading *r, const struct request *request, struct work *work, struct answer *answer)
{
    const char *code = request->query_text[QUERY_NODE], *cursor = request->query_text[QUERY_CURSOR];
    struct fulfilment_node_result node;
    bool found = false;
    enum db_result result = fulfilment_node(r->db, r->arena, 0, code, &node, &found);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return false;
    }
    if (!found) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, arena_printf(request->arena, "there is no node %s", code));
        return false;
    }
    *work = (struct work){ .unit = node.owner, .node = node.id };
    int64_t unit;
    if (cursor == NULL || (id_parse(cursor, strlen(cursor), "ful", &unit, &work->after) && unit == node.owner))
        return true;
    answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that this list has given");
    return false;
}

/* Ids of a page and one more, into room for as many. */
static enum db_result read_ids(struct reading *r, const struct work *work, int64_t state, size_t most, int64_t *ids, size_t *count)
{
    struct fulfilment_work_page_result *rows;
    struct fulfilment_asked_page_result *asked;
    enum db_result result = DB_OK;
    if (state == WORK_ASKED)
        result = fulfilment_asked_page(r->db, r->arena, work->unit, work->node, work->after, (int64_t)most, &asked, count);
    else
        result = fulfilment_work_page(r->db, r->arena, work->unit, work->node, state, work->after, (int64_t)most, &rows, count);
    for (size_t i = 0; result == DB_OK && i < *count; i++)
        ids[i] = state == WORK_ASKED ? asked[i].id : rows[i].id;
    return result;
}

static void list_work(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct work work;
    if (!read_query(reading, request, &work, answer))
        return;
    size_t count = 0, limit = (size_t)request->query_number[QUERY_LIMIT];
    int64_t *ids = ARENA_ARRAY(reading->arena, int64_t, limit + 1);
    enum db_result result = read_ids(reading, &work, request->query_number[QUERY_STATE], limit + 1, ids, &count);
    struct json_writer json;
    size_t done = 0;
    list_begin(&json, request->arena);
    if (result == DB_OK)
        result = listed_write(reading, &listed, work.unit, ids, count < limit ? count : limit, &json, &done);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    char next[32];
    id_format("ful", work.unit, done > 0 ? ids[done - 1] : 0, next);
    list_end(&json, done < count ? next : NULL, answer);
}

#define WORK_SCOPES (SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN)
#define READ_SCOPES (SCOPE_READ | SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN)
#define REPORT(PATH, COMMAND, SUMMARY)                                                                                                              \
    {                                                                                                                                               \
        .method = METHOD_POST, .path = "/v1/fulfilments/{id}" PATH, .scopes = WORK_SCOPES, .command = COMMAND, .answer_of = &fulfilment_out_fields, \
        .summary = SUMMARY                                                                                                                          \
    }

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/fulfilments",
      .scopes = READ_SCOPES,
      .read = list_work,
      .answer_of = &fulfilment_out_fields,
      .list = true,
      .summary = "The open work of a node, oldest first",
      .query = { [QUERY_NODE] = { .name = "node", .type = FIELD_CODE, .required = true, .doc = "the node's code" },
                 [QUERY_STATE] = { .name = "state",
                                   .type = FIELD_ENUM,
                                   .names = work_names,
                                   .required = true,
                                   .doc = "what is to be done next follows from it" },
                 [QUERY_LIMIT] = { .name = "limit", .type = FIELD_INT, .min = 1, .max = 1000, .preset = 100, .doc = "items at most" },
                 [QUERY_CURSOR] = { .name = "cursor", .type = FIELD_TEXT, .max = 64, .doc = "next of the page before" } } },
    { .method = METHOD_GET,
      .path = "/v1/fulfilments/{id}",
      .scopes = READ_SCOPES,
      .read = get_fulfilment,
      .answer_of = &fulfilment_out_fields,
      .summary = "A fulfilment order" },
    REPORT("/send", &fulfilment_send, "Sent to a node that others run: from now on a cancel needs its word"),
    REPORT("/accept", &fulfilment_accept, "The node takes it on"),
    REPORT("/decline", &fulfilment_decline, "The node does not take it on: another one ships it, or it waits"),
    REPORT("/fail", &fulfilment_fail, "The node cannot ship it any more: another one does, or it waits"),
    REPORT("/cancel", &fulfilment_cancel, "The node gives back what it was asked for"),
    REPORT("/reject_cancel", &fulfilment_reject_cancel, "The node does not give back what it was asked for, and goes on"),
    REPORT("/pick", &fulfilment_pick, "Picked; fewer than are due is a short pick: what is missing waits for a count, and for another node"),
    REPORT("/pack", &fulfilment_pack, "Packed into packages"),
    REPORT("/ship", &fulfilment_ship, "Handed to the carrier: the units leave, or some of them"),
    REPORT("/deliver", &fulfilment_deliver, "Delivered; also where that was only taken for granted"),
    REPORT("/lost", &fulfilment_lost, "Units were lost on their way"),
    REPORT("/damaged", &fulfilment_damaged, "Units came damaged, and are of no use"),
    REPORT("/settle", &fulfilment_settle,
           "What becomes of lost or damaged units: another one is sent, or it is cancelled; or they arrived after all"),
};
const struct route_table fulfilment_routes = { "fulfilment", routes, COUNT(routes) };
