/* src/inventory/listed.c: pages of things that have lines of their own: keys by one statement a page, then a piece of them at a time, fewer where
 * they are long. */
#include "inventory/listed.h"
#include "base/id.h"
#include "base/when.h"
#include "catalog/catalog.h"
#include "inventory_sql.h"
#include <string.h>

enum { QUERY_STATE, QUERY_NODE, QUERY_SKU, QUERY_LIMIT, QUERY_CURSOR, FILTERS = QUERY_LIMIT - QUERY_NODE };

/* A piece of a page, bounded as lists of orders are: fewer where they have many lines, to where the answer grows long. */
struct piece {
    const struct listed *listed;
    const int64_t *ids;
    size_t count, shown;
    bool begun;      /* the store answers: what may be short is memory */
    int64_t version; /* of the last shown */
    struct json_writer *json;
};

/* An attempt that lacks a row is thrown away with its arena; only a whole piece goes into the answer. */
static void read_piece(struct ws *ws, void *context)
{
    struct piece *piece = context;
    piece->begun = true;
    for (size_t i = 0; i < piece->count; i++)
        ws_want(ws, piece->listed->table, WS_KEY(ws_unit(ws), piece->ids[i]));
    if (piece->listed->want != NULL)
        piece->listed->want(ws, piece->ids, piece->count);
    ws_settle(ws);
    struct json_writer attempt;
    json_begin(&attempt, ws_arena(ws));
    size_t shown = 0;
    for (size_t i = 0; i < piece->count; i++)
        shown += piece->listed->write(ws, piece->ids[i], &attempt, &piece->version);
    struct json_writer longer = *piece->json;
    if (shown > 0)
        json_raw(&longer, attempt.out.at, attempt.out.size);
    *piece->json = longer;
    piece->shown = shown;
}

void listed_get(struct reading *reading, const struct request *request, struct answer *answer, const struct listed *listed)
{
    struct json_writer json;
    int64_t unit, id;
    struct piece piece = { .listed = listed, .ids = &id, .count = 1, .json = &json };
    json_begin(&json, request->arena);
    enum db_result result = DB_OK;
    if (id_parse(request->path[0], strlen(request->path[0]), listed->prefix, &unit, &id))
        result = ws_read(reading, unit, when_now_us(), read_piece, &piece);
    if (result != DB_OK)
        answer_store(answer, request->arena, result);
    else if (piece.shown == 0)
        answer_fault(answer, request->arena, FAULT_NOT_FOUND, NULL,
                     arena_printf(request->arena, "there is no %s %s", listed->thing, request->path[0]));
    else
        *answer = (struct answer){
            .status = 200, .body = json.out.at, .body_bytes = json.out.size, .etag = arena_printf(request->arena, "%ld", (long)piece.version)
        };
}

enum db_result listed_write(struct reading *reading, const struct listed *listed, int64_t unit, const int64_t *ids, size_t count,
                            struct json_writer *json, size_t *done)
{
    enum db_result result = DB_OK;
    size_t most = LIST_PIECE;
    for (*done = 0; result == DB_OK && *done < count && json->out.size < LIST_BYTES_MAX;) {
        struct piece piece = { .listed = listed, .ids = ids + *done, .count = count - *done < most ? count - *done : most, .json = json };
        result = ws_read(reading, unit, when_now_us(), read_piece, &piece);
        if (result == DB_OK)
            *done += piece.count;
        if (result != DB_BUSY || !piece.begun || piece.count == 1)
            continue;
        most = list_smaller_piece(piece.count);
        result = DB_OK;
    }
    return result;
}

struct list {
    struct reading *reading;
    const struct listed *listed;
    int64_t state, node, sku; /* 0: any */
    int64_t unit, after;      /* where it stands */
    size_t limit;
    bool more;
    struct json_writer json;
};

static enum db_result write_unit(struct list *list)
{
    struct listed_page page = { .reading = list->reading,
                                .unit = list->unit,
                                .state = list->state,
                                .node = list->node,
                                .sku = list->sku,
                                .after = list->after,
                                .most = (int64_t)list->limit + 1,
                                .ids = ARENA_ARRAY(list->reading->arena, int64_t, list->limit + 1) };
    size_t done = 0;
    enum db_result result = list->listed->find(&page);
    const bool cut = page.count > list->limit;
    page.count = cut ? list->limit : page.count;
    if (result == DB_OK)
        result = listed_write(list->reading, list->listed, list->unit, page.ids, page.count, &list->json, &done);
    if (done > 0)
        list->after = page.ids[done - 1];
    if (!cut && done == page.count)
        list->after = max_i64(list->after, page.looked_upto);
    list->more = cut || page.more || done < page.count;
    list->limit -= done;
    return result;
}

/* Codes to ids; of what is unknown there is nothing: *known is false. */
static enum db_result resolve(struct list *list, const struct request *request, bool *known)
{
    struct reading *r = list->reading;
    const char *node_code = request->query_text[QUERY_NODE], *sku_code = request->query_text[QUERY_SKU];
    struct master_node_result node = { 0 };
    struct master_sku_result sku = { 0 };
    bool found = true;
    enum db_result result = DB_OK;
    *known = true;
    if (!list->listed->filtered)
        return DB_OK;
    if (node_code != NULL) {
        result = master_node(r->db, r->arena, 0, node_code, &node, &found);
        *known = found;
        list->node = node.id;
    }
    if (result == DB_OK && sku_code != NULL) {
        result = master_sku(r->db, r->arena, 0, sku_code, &sku, &found);
        *known = *known && found;
        list->sku = sku.id;
    }
    return result;
}

void listed_all(struct reading *reading, const struct request *request, struct answer *answer, const struct listed *listed)
{
    const size_t less = listed->filtered ? 0 : FILTERS;
    struct list list = { .reading = reading, .listed = listed, .limit = (size_t)request->query_number[QUERY_LIMIT - less] };
    const char *cursor = request->query_text[QUERY_CURSOR - less];
    struct inventory_units_result *units;
    size_t count;
    bool known;
    list.state = request->query_text[QUERY_STATE] == NULL ? 0 : request->query_number[QUERY_STATE] + 1;
    if (cursor != NULL && !id_parse(cursor, strlen(cursor), listed->prefix, &list.unit, &list.after)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that this list has given");
        return;
    }
    const int64_t first = list.unit;
    list_begin(&list.json, request->arena);
    enum db_result result = resolve(&list, request, &known);
    if (result == DB_OK)
        result = inventory_units(reading->db, reading->arena, 0, &units, &count);
    for (size_t u = 0; result == DB_OK && known && u < count && !list.more; u++) {
        if (units[u].id < first)
            continue;
        list.more = list.limit == 0; /* the page is full: the next unit is behind it */
        if (list.more)
            break;
        if (units[u].id != first)
            list.unit = units[u].id, list.after = 0;
        result = write_unit(&list);
    }
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    char next[32];
    id_format(listed->prefix, list.unit, list.after, next);
    list_end(&list.json, list.more ? next : NULL, answer);
}
