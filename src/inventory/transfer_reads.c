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

static enum db_result find(const struct reading *reading, int64_t unit, int64_t state, int64_t after, int64_t most, int64_t *ids, size_t *count)
{
    struct transfers_in_state_result *in_state;
    struct transfers_page_result *any;
    enum db_result result = state != 0 ? transfers_in_state(reading->db, reading->arena, unit, state, after, most, &in_state, count)
                                       : transfers_page(reading->db, reading->arena, unit, after, most, &any, count);
    for (size_t i = 0; result == DB_OK && i < *count; i++)
        ids[i] = state != 0 ? in_state[i].id : any[i].id;
    return result;
}

static const struct listed listed = { "trf", "transfer", &transfer_table, write, find };

void get_transfer(struct reading *reading, const struct request *request, struct answer *answer)
{
    listed_get(reading, request, answer, &listed);
}

void list_transfers(struct reading *reading, const struct request *request, struct answer *answer)
{
    listed_all(reading, request, answer, &listed);
}
