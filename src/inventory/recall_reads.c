/* src/inventory/recall_reads.c: GET /v1/recalls, in the order in which they were started, and one of them. */
#include "inventory/listed.h"
#include "inventory/reads.h"
#include "inventory/recalls.h"
#include "inventory_sql.h"

static bool write(struct ws *ws, int64_t id, struct json_writer *json, int64_t *version)
{
    const struct recall_row *row = ws_get(ws, &recall_table, WS_KEY(ws_unit(ws), id));
    if (row == NULL)
        return false;
    recall_write(ws, id, json);
    *version = row->version;
    return true;
}

static enum db_result find(struct listed_page *page)
{
    struct recalls_in_state_result *in_state;
    struct recalls_page_result *any;
    struct db *db = page->reading->db;
    struct arena *arena = page->reading->arena;
    const int64_t state = page->state; /* 0: any */
    enum db_result result = state != 0 ? recalls_in_state(db, arena, page->unit, state, page->after, page->most, &in_state, &page->count)
                                       : recalls_page(db, arena, page->unit, page->after, page->most, &any, &page->count);
    for (size_t i = 0; result == DB_OK && i < page->count; i++)
        page->ids[i] = state != 0 ? in_state[i].id : any[i].id;
    return result;
}

static const struct listed listed = { .prefix = "rec", .thing = "recall", .table = &recall_table, .write = write, .find = find };

void get_recall(struct reading *reading, const struct request *request, struct answer *answer)
{
    listed_get(reading, request, answer, &listed);
}

void list_recalls(struct reading *reading, const struct request *request, struct answer *answer)
{
    listed_all(reading, request, answer, &listed);
}
