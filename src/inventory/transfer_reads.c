/* src/inventory/transfer_reads.c: GET /v1/transfers, in the order in which they
 * were requested, and one of them. */
#include "inventory/listed.h"
#include "inventory/reads.h"
#include "inventory/transfers.h"
#include "inventory_sql.h"

static bool write(struct ws *ws, int64_t id, struct json_writer *json, int64_t *version)
{
    struct transfer transfer;
    if (!transfer_open(ws, id, &transfer))
        return false;
    transfer_write(&transfer, json);
    *version = transfer.row->version;
    return true;
}

static enum db_result find(struct listed_page *page)
{
    struct transfers_in_state_result *in_state;
    struct transfers_page_result *any;
    struct db *db = page->reading->db;
    struct arena *arena = page->reading->arena;
    const int64_t state = page->state; /* 0: any */
    enum db_result result = state != 0 ? transfers_in_state(db, arena, page->unit, state, page->after, page->most, &in_state, &page->count)
                                       : transfers_page(db, arena, page->unit, page->after, page->most, &any, &page->count);
    for (size_t i = 0; result == DB_OK && i < page->count; i++)
        page->ids[i] = state != 0 ? in_state[i].id : any[i].id;
    return result;
}

static const struct listed listed = { .prefix = "trf", .thing = "transfer", .table = &transfer_table, .write = write, .find = find };

void get_transfer(struct reading *reading, const struct request *request, struct answer *answer)
{
    listed_get(reading, request, answer, &listed);
}

void list_transfers(struct reading *reading, const struct request *request, struct answer *answer)
{
    listed_all(reading, request, answer, &listed);
}
