/* src/inventory/reads.c: GET /v1/inventory: positions as they stand, of a SKU, of a node, or of both. */
#include "inventory/reads.h"
#include "base/id.h"
#include "inventory/inventory.h"
#include "inventory_sql.h"
#include <string.h>

enum { QUERY_SKU, QUERY_NODE, QUERY_LIMIT, QUERY_CURSOR };

/* What is asked for, in ids; unit 0: of every unit (a SKU's positions). */
struct wanted {
    int64_t unit, node, sku, limit;
    int64_t from_unit, after; /* of the cursor */
    const char *sku_code;
};

struct list {
    struct reading *reading;
    struct json_writer json;
    int64_t left, unit, last; /* entries that still fit; where it stopped */
};

static void write_position(struct list *list, const char *node, const char *sku, const int64_t units[4])
{
    static const char *const names[] = { "on_hand", "available", "reserved", "allocated", "quarantined", "in_transit" };
    const int64_t figures[] = { units[0] + units[1] + units[2] + units[3], units[0], units[1], units[2], units[3], 0 };
    json_object(&list->json);
    json_key(&list->json, "node");
    json_text(&list->json, node);
    json_key(&list->json, "sku");
    json_text(&list->json, sku);
    for (size_t i = 0; i < COUNT(names); i++) {
        json_key(&list->json, names[i]);
        json_int(&list->json, figures[i]);
    }
    json_object_end(&list->json);
    list->left--;
}

static const char *code_of_node(const struct node_codes_result *nodes, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (nodes[i].id == id)
            return nodes[i].code;
    return NULL;
}

static enum db_result list_sku(struct list *list, const struct wanted *w, int64_t unit, int64_t after)
{
    struct reading *r = list->reading;
    struct node_codes_result *nodes;
    struct positions_of_sku_result *rows;
    size_t node_count, count = 0;
    enum db_result result = node_codes(r->db, r->arena, unit, 0, &nodes, &node_count);
    if (result == DB_OK)
        result = positions_of_sku(r->db, r->arena, unit, w->sku, after, list->left + 1, &rows, &count);
    for (size_t i = 0; result == DB_OK && i < count && list->left >= 0; i++) {
        if (list->left == 0) {
            list->left = -1; /* there is more */
            break;
        }
        write_position(list, code_of_node(nodes, node_count, rows[i].node), w->sku_code,
                       (const int64_t[]){ rows[i].available, rows[i].reserved, rows[i].allocated, rows[i].quarantined });
        list->unit = unit;
        list->last = rows[i].node;
    }
    return result;
}

static enum db_result list_node(struct list *list, const struct wanted *w, const char *node_code)
{
    struct reading *r = list->reading;
    struct positions_of_node_result *rows;
    size_t count = 0;
    enum db_result result = positions_of_node(r->db, r->arena, w->unit, w->node, w->after, list->left + 1, &rows, &count);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        struct sku_code_of_result sku;
        bool found;
        if (list->left == 0) {
            list->left = -1;
            break;
        }
        result = sku_code_of(r->db, r->arena, w->unit, rows[i].sku, &sku, &found);
        write_position(list, node_code, found ? sku.code : NULL,
                       (const int64_t[]){ rows[i].available, rows[i].reserved, rows[i].allocated, rows[i].quarantined });
        list->unit = w->unit;
        list->last = rows[i].sku;
    }
    return result;
}

static enum db_result list_both(struct list *list, const struct wanted *w, const char *node_code)
{
    struct reading *r = list->reading;
    struct position_of_both_result *rows;
    size_t count = 0;
    enum db_result result = position_of_both(r->db, r->arena, w->unit, w->node, w->sku, &rows, &count);
    for (size_t i = 0; result == DB_OK && i < count; i++)
        write_position(list, node_code, w->sku_code, (const int64_t[]){ rows[i].available, rows[i].reserved, rows[i].allocated, rows[i].quarantined });
    return result;
}

/* Codes to ids; what is unknown has no stock, so the list is empty: *known is false. */
static enum db_result resolve(struct reading *r, const struct request *request, struct wanted *w, bool *known)
{
    struct master_node_result node;
    struct master_sku_result sku;
    bool found = true;
    enum db_result result = DB_OK;
    *known = true;
    if (request->query_text[QUERY_NODE] != NULL) {
        result = master_node(r->db, r->arena, 0, request->query_text[QUERY_NODE], &node, &found);
        *known = found;
        if (result == DB_OK && found)
            w->unit = node.owner, w->node = node.id;
    }
    if (result == DB_OK && request->query_text[QUERY_SKU] != NULL) {
        result = master_sku(r->db, r->arena, 0, request->query_text[QUERY_SKU], &sku, &found);
        *known = *known && found;
        if (result == DB_OK && found)
            w->sku = sku.id, w->sku_code = request->query_text[QUERY_SKU];
    }
    return result;
}

static enum db_result list_units(struct list *list, const struct wanted *w)
{
    struct inventory_units_result *units;
    size_t count;
    enum db_result result = inventory_units(list->reading->db, list->reading->arena, 0, &units, &count);
    for (size_t i = 0; result == DB_OK && i < count && list->left >= 0; i++)
        if (units[i].id >= w->from_unit)
            result = list_sku(list, w, units[i].id, units[i].id == w->from_unit ? w->after : 0);
    return result;
}

void list_inventory(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct wanted w = { 0 };
    struct list list = { .reading = reading, .left = request->query_number[QUERY_LIMIT] };
    const char *cursor = request->query_text[QUERY_CURSOR], *node = request->query_text[QUERY_NODE];
    bool known;
    if (cursor != NULL && !id_parse(cursor, strlen(cursor), "pos", &w.from_unit, &w.after)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that a list has given");
        return;
    }
    if (node == NULL && request->query_text[QUERY_SKU] == NULL) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "name a sku, a node, or both");
        return;
    }
    enum db_result result = resolve(reading, request, &w, &known);
    json_begin(&list.json, request->arena);
    json_object(&list.json);
    json_key(&list.json, "items");
    json_array(&list.json);
    if (result == DB_OK && known)
        result = w.node == 0 ? list_units(&list, &w) : w.sku == 0 ? list_node(&list, &w, node) : list_both(&list, &w, node);
    if (result != DB_OK) {
        answer_fault(answer, request->arena, FAULT_BUSY, NULL, "the store did not answer in time");
        return;
    }
    json_array_end(&list.json);
    json_key(&list.json, "next");
    char next[32];
    id_format("pos", list.unit, list.last, next);
    json_text(&list.json, list.left < 0 ? next : NULL);
    json_object_end(&list.json);
    *answer = (struct answer){ .status = 200, .body = list.json.out.at, .body_bytes = list.json.out.size };
}
