/* src/inventory/supply_reads.c: GET /v1/supplies, in the order in which they were announced: of a state, of a node, or those
 * that still expect a SKU; and one of them. */
#include "base/text.h"
#include "inventory/listed.h"
#include "inventory/reads.h"
#include "inventory/supply.h"
#include "inventory_sql.h"
#include <stdlib.h>
#include <string.h>

static bool write(struct ws *ws, int64_t id, struct json_writer *json, int64_t *version)
{
    struct supply supply;
    if (!supply_open(ws, id, &supply))
        return false;
    supply_write(&supply, json);
    *version = supply.row->version;
    return true;
}

/* Of each supply once: several of its lines may expect the SKU. */
static enum db_result find_expecting(struct listed_page *page)
{
    struct supplies_expecting_result *rows;
    size_t found = 0;
    enum db_result result =
        supplies_expecting(page->reading->db, page->reading->arena, page->unit, page->sku, page->after, page->most, &rows, &found);
    page->more = (int64_t)found == page->most;
    for (size_t i = 0; result == DB_OK && i < found; i++) {
        page->looked_upto = rows[i].supply;
        if ((page->node == 0 || rows[i].node == page->node) && (page->count == 0 || page->ids[page->count - 1] != rows[i].supply))
            page->ids[page->count++] = rows[i].supply;
    }
    return result;
}

static enum db_result find_of_node(struct listed_page *page)
{
    static const int64_t states[] = { SUPPLY_OPEN, SUPPLY_SHORT, SUPPLY_COMPLETE, SUPPLY_CLOSED };
    enum db_result result = DB_OK;
    struct arena *arena = page->reading->arena;
    size_t all = 0;
    int64_t *found = ARENA_ARRAY(arena, int64_t, COUNT(states) * (size_t)page->most);
    for (size_t s = 0; s < COUNT(states) && result == DB_OK; s++) { /* each state's next, laid together */
        struct supplies_of_node_result *rows;
        size_t n = 0;
        if (page->state != 0 && page->state != states[s])
            continue;
        result = supplies_of_node(page->reading->db, arena, page->unit, page->node, states[s], page->after, page->most, &rows, &n);
        for (size_t i = 0; result == DB_OK && i < n; i++)
            found[all++] = rows[i].id;
    }
    if (all > 1)
        qsort(found, all, sizeof *found, by_number);
    page->count = (size_t)min_i64((int64_t)all, page->most);
    memcpy(page->ids, found, page->count * sizeof *found);
    return result;
}

static enum db_result find_any(struct listed_page *page)
{
    struct supplies_in_state_result *in_state;
    struct supplies_page_result *any;
    struct db *db = page->reading->db;
    struct arena *arena = page->reading->arena;
    const int64_t state = page->state; /* 0: any */
    enum db_result result = state != 0 ? supplies_in_state(db, arena, page->unit, state, page->after, page->most, &in_state, &page->count)
                                       : supplies_page(db, arena, page->unit, page->after, page->most, &any, &page->count);
    for (size_t i = 0; result == DB_OK && i < page->count; i++)
        page->ids[i] = state != 0 ? in_state[i].id : any[i].id;
    return result;
}

static enum db_result find(struct listed_page *page)
{
    if (page->sku != 0 && page->state != 0 && page->state != SUPPLY_OPEN)
        return DB_OK; /* only what is open expects anything */
    return page->sku != 0 ? find_expecting(page) : page->node != 0 ? find_of_node(page) : find_any(page);
}

static const struct listed listed = { .prefix = "sup", .thing = "supply", .table = &supply_table, .write = write, .find = find, .filtered = true };

void get_supply(struct reading *reading, const struct request *request, struct answer *answer)
{
    listed_get(reading, request, answer, &listed);
}

void list_supplies(struct reading *reading, const struct request *request, struct answer *answer)
{
    listed_all(reading, request, answer, &listed);
}
