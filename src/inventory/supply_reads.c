/* src/inventory/supply_reads.c: GET /v1/supplies, in the order in which they were announced: of a state, of a node, or those
 * that still expect a SKU; and one of them. */
#include "base/id.h"
#include "base/text.h"
#include "base/when.h"
#include "inventory/reads.h"
#include "inventory/supply.h"
#include "inventory_sql.h"
#include <stdlib.h>
#include <string.h>

enum { QUERY_STATE, QUERY_NODE, QUERY_SKU, QUERY_LIMIT, QUERY_CURSOR };

/* A piece of a page, bounded as lists of orders are: fewer where they have many lines, to where the answer grows long. */
struct piece {
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
        ws_want(ws, &supply_table, WS_KEY(ws_unit(ws), piece->ids[i]));
    ws_settle(ws);
    struct json_writer attempt;
    json_begin(&attempt, ws_arena(ws));
    size_t shown = 0;
    for (size_t i = 0; i < piece->count; i++) {
        struct supply supply;
        if (!supply_open(ws, piece->ids[i], &supply))
            continue;
        supply_write(&supply, &attempt);
        piece->version = supply.row->version;
        shown++;
    }
    struct json_writer longer = *piece->json;
    if (shown > 0)
        json_raw(&longer, attempt.out.at, attempt.out.size);
    *piece->json = longer;
    piece->shown = shown;
}

void get_supply(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct json_writer json;
    int64_t unit, id;
    struct piece piece = { .ids = &id, .count = 1, .json = &json };
    json_begin(&json, request->arena);
    enum db_result result = DB_OK;
    if (id_parse(request->path[0], strlen(request->path[0]), "sup", &unit, &id))
        result = ws_read(reading, unit, when_now_us(), read_piece, &piece);
    if (result != DB_OK)
        answer_store(answer, request->arena, result);
    else if (piece.shown == 0)
        answer_fault(answer, request->arena, FAULT_NOT_FOUND, NULL, arena_printf(request->arena, "there is no supply %s", request->path[0]));
    else
        *answer = (struct answer){
            .status = 200, .body = json.out.at, .body_bytes = json.out.size, .etag = arena_printf(request->arena, "%ld", (long)piece.version)
        };
}

/* ---- lists ---- */

struct list {
    struct reading *reading;
    int64_t state, node, sku; /* 0: any */
    int64_t unit, after;      /* where it stands */
    size_t limit;
    bool more;
    struct json_writer json;
};

/* Of each supply once: several of its lines may expect the SKU. *last: the last that was looked at. */
static enum db_result find_expecting(struct list *list, int64_t most, int64_t *ids, size_t *count, int64_t *last)
{
    struct supplies_expecting_result *rows;
    size_t found = 0;
    enum db_result result = supplies_expecting(list->reading->db, list->reading->arena, list->unit, list->sku, list->after, most, &rows, &found);
    list->more = (int64_t)found == most;
    *count = 0;
    for (size_t i = 0; result == DB_OK && i < found; i++) {
        *last = rows[i].supply;
        if ((list->node == 0 || rows[i].node == list->node) && (*count == 0 || ids[*count - 1] != rows[i].supply))
            ids[(*count)++] = rows[i].supply;
    }
    return result;
}

static enum db_result find_of_node(struct list *list, int64_t most, int64_t *ids, size_t *count)
{
    static const int64_t states[] = { SUPPLY_OPEN, SUPPLY_SHORT, SUPPLY_COMPLETE, SUPPLY_CLOSED };
    enum db_result result = DB_OK;
    size_t all = 0;
    int64_t *found = ARENA_ARRAY(list->reading->arena, int64_t, COUNT(states) * (size_t)most);
    for (size_t s = 0; s < COUNT(states) && result == DB_OK; s++) { /* each state's next, laid together */
        struct supplies_of_node_result *rows;
        size_t n = 0;
        if (list->state != 0 && list->state != states[s])
            continue;
        result = supplies_of_node(list->reading->db, list->reading->arena, list->unit, list->node, states[s], list->after, most, &rows, &n);
        for (size_t i = 0; result == DB_OK && i < n; i++)
            found[all++] = rows[i].id;
    }
    if (all > 1)
        qsort(found, all, sizeof *found, by_number);
    *count = (size_t)min_i64((int64_t)all, most);
    memcpy(ids, found, *count * sizeof *ids);
    return result;
}

static enum db_result find(struct list *list, int64_t *ids, size_t *count, int64_t *last)
{
    const int64_t most = (int64_t)list->limit + 1;
    struct arena *arena = list->reading->arena;
    enum db_result result = DB_OK;
    if (list->sku != 0 && list->state != 0 && list->state != SUPPLY_OPEN)
        return DB_OK; /* only what is open expects anything */
    if (list->sku != 0)
        return find_expecting(list, (int64_t)list->limit, ids, count, last);
    if (list->node != 0) {
        result = find_of_node(list, most, ids, count);
    } else if (list->state != 0) {
        struct supplies_in_state_result *rows;
        result = supplies_in_state(list->reading->db, arena, list->unit, list->state, list->after, most, &rows, count);
        for (size_t i = 0; result == DB_OK && i < *count; i++)
            ids[i] = rows[i].id;
    } else {
        struct supplies_page_result *rows;
        result = supplies_page(list->reading->db, arena, list->unit, list->after, most, &rows, count);
        for (size_t i = 0; result == DB_OK && i < *count; i++)
            ids[i] = rows[i].id;
    }
    list->more = result == DB_OK && *count > list->limit;
    *count = list->more ? list->limit : *count;
    *last = *count > 0 ? ids[*count - 1] : list->after;
    return result;
}

static enum db_result write_unit(struct list *list)
{
    int64_t *ids = ARENA_ARRAY(list->reading->arena, int64_t, list->limit + 1);
    size_t count = 0, piece_most = LIST_PIECE, done = 0;
    int64_t last = list->after;
    enum db_result result = find(list, ids, &count, &last);
    while (result == DB_OK && done < count && list->json.out.size < LIST_BYTES_MAX) {
        struct piece piece = { .ids = ids + done, .count = count - done < piece_most ? count - done : piece_most, .json = &list->json };
        result = ws_read(list->reading, list->unit, when_now_us(), read_piece, &piece);
        if (result == DB_OK) {
            done += piece.count;
            list->after = ids[done - 1];
        } else if (result == DB_BUSY && piece.begun && piece.count > 1) {
            piece_most = list_smaller_piece(piece.count);
            result = DB_OK;
        }
    }
    if (result == DB_OK && done == count)
        list->after = last;
    list->more = list->more || done < count;
    list->limit -= done;
    return result;
}

/* Codes to ids; what is unknown expects nothing, so the list is empty: *known is false. */
static enum db_result resolve(struct list *list, const struct request *request, bool *known)
{
    struct reading *r = list->reading;
    struct master_node_result node;
    struct master_sku_result sku;
    bool found = true;
    enum db_result result = DB_OK;
    *known = true;
    if (request->query_text[QUERY_NODE] != NULL) {
        result = master_node(r->db, r->arena, 0, request->query_text[QUERY_NODE], &node, &found);
        *known = found;
        list->node = result == DB_OK && found ? node.id : 0;
    }
    if (result == DB_OK && request->query_text[QUERY_SKU] != NULL) {
        result = master_sku(r->db, r->arena, 0, request->query_text[QUERY_SKU], &sku, &found);
        *known = *known && found;
        list->sku = result == DB_OK && found ? sku.id : 0;
    }
    return result;
}

void list_supplies(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct list list = { .reading = reading, .limit = (size_t)request->query_number[QUERY_LIMIT] };
    const char *cursor = request->query_text[QUERY_CURSOR];
    struct inventory_units_result *units;
    size_t count;
    list.state = request->query_text[QUERY_STATE] == NULL ? 0 : request->query_number[QUERY_STATE] + 1;
    if (cursor != NULL && !id_parse(cursor, strlen(cursor), "sup", &list.unit, &list.after)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that this list has given");
        return;
    }
    const int64_t first = list.unit;
    list_begin(&list.json, request->arena);
    bool known;
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
    id_format("sup", list.unit, list.after, next);
    list_end(&list.json, list.more ? next : NULL, answer);
}
