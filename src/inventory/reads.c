/* src/inventory/reads.c: GET /v1/inventory: positions as they stand, of a SKU, of a node, of both, or all. */
#include "inventory/reads.h"
#include "base/id.h"
#include "inventory/inventory.h"
#include "inventory_sql.h"
#include <string.h>

enum { QUERY_SKU, QUERY_NODE, QUERY_LIMIT, QUERY_CURSOR };

/* A position that the page shows. */
struct found {
    int64_t unit, node, sku, class, units[5];
};
struct list {
    struct reading *reading;
    int64_t unit, node, sku; /* what is asked for; 0: any */
    int64_t at[4];           /* unit, node, SKU, class: the last one of the page before */
    struct found *found;
    size_t count, room; /* one more than the page shows: there is more */
};

static void add(struct list *list, int64_t unit, int64_t node, int64_t sku, int64_t class, const int64_t units[5])
{
    if (list->count == list->room)
        return;
    struct found *found = &list->found[list->count++];
    *found = (struct found){ .unit = unit, .node = node, .sku = sku, .class = class };
    memcpy(found->units, units, sizeof found->units);
}

/* Rows of the four statements have the same figures under the same names. */
#define UNITS_OF(row) ((const int64_t[]){ (row).available, (row).reserved, (row).allocated, (row).quarantined, (row).coming })

static int64_t room_left(const struct list *list)
{
    return (int64_t)(list->room - list->count);
}

static enum db_result find_of_sku(struct list *list, int64_t unit)
{
    struct positions_of_sku_result *rows;
    size_t count = 0;
    const bool goes_on = unit == list->at[0];
    enum db_result result = positions_of_sku(list->reading->db, list->reading->arena, unit, list->sku, goes_on ? list->at[1] : 0,
                                             goes_on ? list->at[3] : 0, room_left(list), &rows, &count);
    for (size_t i = 0; result == DB_OK && i < count; i++)
        add(list, unit, rows[i].node, list->sku, rows[i].class, UNITS_OF(rows[i]));
    return result;
}

static enum db_result find_of_node(struct list *list, int64_t unit, int64_t node)
{
    struct positions_of_node_result *rows;
    size_t count = 0;
    enum db_result result =
        positions_of_node(list->reading->db, list->reading->arena, unit, node, list->at[2], list->at[3], room_left(list), &rows, &count);
    for (size_t i = 0; result == DB_OK && i < count; i++)
        add(list, unit, node, rows[i].sku, rows[i].class, UNITS_OF(rows[i]));
    return result;
}

static enum db_result find_of_both(struct list *list)
{
    struct position_of_both_result *rows;
    size_t count = 0;
    enum db_result result = position_of_both(list->reading->db, list->reading->arena, list->unit, list->node, list->sku, &rows, &count);
    for (size_t i = 0; result == DB_OK && i < count; i++)
        add(list, list->unit, list->node, list->sku, rows[i].class, UNITS_OF(rows[i]));
    return result;
}

/* What is left of the node where the page before ended, then the nodes behind it. */
static enum db_result find_all(struct list *list, int64_t unit)
{
    struct positions_page_result *rows;
    size_t count = 0;
    int64_t node = unit == list->at[0] ? list->at[1] : 0;
    enum db_result result = node == 0 ? DB_OK : find_of_node(list, unit, node);
    if (result == DB_OK && room_left(list) > 0)
        result = positions_page(list->reading->db, list->reading->arena, unit, node, room_left(list), &rows, &count);
    for (size_t i = 0; result == DB_OK && i < count; i++)
        add(list, unit, rows[i].node, rows[i].sku, rows[i].class, UNITS_OF(rows[i]));
    return result;
}

static enum db_result find(struct list *list)
{
    struct inventory_units_result *units;
    size_t count;
    if (list->node != 0)
        return list->sku != 0 ? find_of_both(list) : find_of_node(list, list->unit, list->node);
    enum db_result result = inventory_units(list->reading->db, list->reading->arena, 0, &units, &count);
    for (size_t i = 0; result == DB_OK && i < count && room_left(list) > 0; i++)
        if (units[i].id >= list->at[0])
            result = list->sku != 0 ? find_of_sku(list, units[i].id) : find_all(list, units[i].id);
    return result;
}

/* ---- what is written ---- */

/* Codes of nodes, SKUs or classes of one unit's part of the page. */
static enum db_result codes_load(struct reading *reading, const struct db_table *table, const struct found *found, size_t count, struct db_rows *rows)
{
    int64_t *keys = ARENA_ARRAY(reading->arena, int64_t, 2 * count);
    for (size_t i = 0; i < count; i++) {
        keys[2 * i] = found[i].unit;
        keys[2 * i + 1] = table == &node_table ? found[i].node : table == &sku_table ? found[i].sku : found[i].class;
    }
    return db_load(reading->db, reading->arena, table, keys, count, rows);
}

static const char *node_code(const struct db_rows *rows, const struct found *found)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct node_row *row = db_row(rows, i);
        if (row->unit == found->unit && row->id == found->node)
            return row->code;
    }
    return NULL;
}

/* The rows come in the order of their keys. */
static const char *sku_code(const struct db_rows *rows, const struct found *found)
{
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct sku_row *row = db_row(rows, middle);
        if (row->unit == found->unit && row->id == found->sku)
            return row->code;
        if (row->unit < found->unit || (row->unit == found->unit && row->id < found->sku))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* NULL where it has none. */
static const char *class_of(const struct db_rows *rows, const struct found *found)
{
    for (size_t i = 0; i < rows->count && found->class != 0; i++) {
        const struct goods_class_row *row = db_row(rows, i);
        if (row->unit == found->unit && row->id == found->class)
            return row->code;
    }
    return NULL;
}

static void write_position(struct json_writer *json, const char *node, const char *sku, const char *class, const int64_t units[5])
{
    static const char *const names[] = { "on_hand", "available", "reserved", "allocated", "quarantined", "in_transit" };
    const int64_t figures[] = { units[0] + units[1] + units[2] + units[3], units[0], units[1], units[2], units[3], units[4] };
    json_object(json);
    json_key(json, "node");
    json_text(json, node);
    json_key(json, "sku");
    json_text(json, sku);
    if (class != NULL) {
        json_key(json, "class");
        json_text(json, class);
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        json_key(json, names[i]);
        json_int(json, figures[i]);
    }
    json_object_end(json);
}

static enum db_result write_positions(struct list *list, size_t count, struct json_writer *json)
{
    struct db_rows nodes = { 0 }, skus = { 0 }, classes = { 0 };
    enum db_result result = count == 0 ? DB_OK : codes_load(list->reading, &node_table, list->found, count, &nodes);
    if (result == DB_OK && count > 0)
        result = codes_load(list->reading, &sku_table, list->found, count, &skus);
    bool classed = false; /* few positions are of a class */
    for (size_t i = 0; i < count; i++)
        classed = classed || list->found[i].class != 0;
    if (result == DB_OK && classed)
        result = codes_load(list->reading, &goods_class_table, list->found, count, &classes);
    for (size_t i = 0; result == DB_OK && i < count; i++)
        write_position(json, node_code(&nodes, &list->found[i]), sku_code(&skus, &list->found[i]), class_of(&classes, &list->found[i]),
                       list->found[i].units);
    return result;
}

/* Codes to ids; what is unknown has no stock, so the list is empty: *known is false. */
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
        if (result == DB_OK && found)
            list->unit = node.owner, list->node = node.id;
    }
    if (result == DB_OK && request->query_text[QUERY_SKU] != NULL) {
        result = master_sku(r->db, r->arena, 0, request->query_text[QUERY_SKU], &sku, &found);
        *known = *known && found;
        if (result == DB_OK && found)
            list->sku = sku.id;
    }
    return result;
}

void list_inventory(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct list list = { .reading = reading, .room = (size_t)request->query_number[QUERY_LIMIT] + 1 };
    const char *cursor = request->query_text[QUERY_CURSOR];
    bool known;
    if (cursor != NULL && !cursor_parse(cursor, "pos", list.at, COUNT(list.at))) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that a list has given");
        return;
    }
    list.found = ARENA_ARRAY(request->arena, struct found, list.room);
    enum db_result result = resolve(&list, request, &known);
    if (result == DB_OK && known)
        result = find(&list);
    struct json_writer json;
    list_begin(&json, request->arena);
    bool more = list.count == list.room;
    size_t count = more ? list.count - 1 : list.count;
    if (result == DB_OK)
        result = write_positions(&list, count, &json);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    char next[CURSOR_BYTES_MAX];
    if (more)
        cursor_format(
            "pos",
            (const int64_t[]){ list.found[count - 1].unit, list.found[count - 1].node, list.found[count - 1].sku, list.found[count - 1].class },
            COUNT(list.at), next);
    list_end(&json, more ? next : NULL, answer);
}

/* ---- what it looks like, for /openapi.json ---- */

#define FIGURE(NAME, PLACE, TEXT)                                                                                      \
    {                                                                                                                  \
        NAME, FIELD_INT, offsetof(struct position_io, units) + PLACE * sizeof(int64_t), .read_only = true, .doc = TEXT \
    }
static const struct field position_rows[] = {
    { "node", FIELD_CODE, offsetof(struct position_io, node), .read_only = true },
    { "sku", FIELD_CODE, offsetof(struct position_io, sku), .read_only = true },
    { "class", FIELD_CODE, offsetof(struct position_io, class), .read_only = true, .hide_absent = true, .doc = "absent: own, new, saleable" },
    FIGURE("on_hand", 0, "the sum of the four"),
    FIGURE("available", 1, "may be promised"),
    FIGURE("reserved", 2, "promised, not released"),
    FIGURE("allocated", 3, "released, not shipped"),
    FIGURE("quarantined", 4, "not to be sold as yet"),
    FIGURE("in_transit", 5, "on the way here"),
};
const struct field_table position_fields = { "Position", position_rows, COUNT(position_rows), sizeof(struct position_io) };

void position_show(struct ws *ws, const struct node_row *node, const struct sku_row *sku, int64_t class, struct position_io *out)
{
    const struct position_row none = { 0 }, *there = position_find(ws, node->id, sku->id, class), *p = there == NULL ? &none : there;
    *out = (struct position_io){
        .node = node->code,
        .sku = sku->code,
        .class = class_code(ws, class),
        .units = { position_on_hand(p), p->available, p->reserved, p->allocated, p->quarantined, p->coming },
    };
    if (class != 0)
        field_set(&position_fields, out, "class");
}
