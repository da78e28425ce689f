/* src/inventory/listed.c: pages of things that have lines of their own: keys by one statement a page, then a piece of them at a time, fewer where
 * they are long. */
#include "inventory/listed.h"
#include "base/id.h"
#include "base/when.h"
#include "catalog/catalog.h"
#include "inventory_sql.h"
#include <string.h>

enum { QUERY_STATE, QUERY_LIMIT, QUERY_CURSOR };

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

struct list {
    struct reading *reading;
    const struct listed *listed;
    int64_t state;       /* 0: any */
    int64_t unit, after; /* where it stands */
    size_t limit;
    bool more;
    struct json_writer json;
};

static enum db_result write_unit(struct list *list)
{
    int64_t *ids = ARENA_ARRAY(list->reading->arena, int64_t, list->limit + 1);
    size_t count = 0, piece_most = LIST_PIECE, done = 0;
    enum db_result result = list->listed->find(list->reading, list->unit, list->state, list->after, (int64_t)list->limit + 1, ids, &count);
    list->more = count > list->limit;
    count = list->more ? list->limit : count;
    while (result == DB_OK && done < count && list->json.out.size < LIST_BYTES_MAX) {
        struct piece piece = {
            .listed = list->listed, .ids = ids + done, .count = count - done < piece_most ? count - done : piece_most, .json = &list->json
        };
        result = ws_read(list->reading, list->unit, when_now_us(), read_piece, &piece);
        if (result == DB_OK) {
            done += piece.count;
            list->after = ids[done - 1];
        } else if (result == DB_BUSY && piece.begun && piece.count > 1) {
            piece_most = list_smaller_piece(piece.count);
            result = DB_OK;
        }
    }
    list->more = list->more || done < count;
    list->limit -= done;
    return result;
}

void listed_all(struct reading *reading, const struct request *request, struct answer *answer, const struct listed *listed)
{
    struct list list = { .reading = reading, .listed = listed, .limit = (size_t)request->query_number[QUERY_LIMIT] };
    const char *cursor = request->query_text[QUERY_CURSOR];
    struct inventory_units_result *units;
    size_t count;
    list.state = request->query_text[QUERY_STATE] == NULL ? 0 : request->query_number[QUERY_STATE] + 1;
    if (cursor != NULL && !id_parse(cursor, strlen(cursor), listed->prefix, &list.unit, &list.after)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that this list has given");
        return;
    }
    const int64_t first = list.unit;
    list_begin(&list.json, request->arena);
    enum db_result result = inventory_units(reading->db, reading->arena, 0, &units, &count);
    for (size_t u = 0; result == DB_OK && u < count && !list.more; u++) {
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
