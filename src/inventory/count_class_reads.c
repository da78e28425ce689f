/* src/inventory/count_class_reads.c: GET /v1/counts/classes, each class with what it was decided on; and how a unit classes. */
#include "base/id.h"
#include "inventory/count_classes.h"
#include "inventory_sql.h"
#include <string.h>

#define AT(type, member) offsetof(struct type, member)

/* ---- classes of a node ---- */

struct class_io {
    struct field_presence presence;
    const char *node, *sku;
    int64_t class, units, share_a_ppm, share_b_ppm, from, upto;
    struct money unit_cost, value, above, total;
};
static const struct field class_rows[] = {
    { "node", FIELD_CODE, AT(class_io, node), .required = true, .read_only = true },
    { "sku", FIELD_CODE, AT(class_io, sku), .required = true, .read_only = true },
    { "class", FIELD_ENUM, AT(class_io, class), .required = true, .read_only = true, .names = abc_names },
    { "units", FIELD_INT, AT(class_io, units), .required = true, .read_only = true,
      .doc = "that left the node in the window, to customers and to other nodes" },
    { "unit_cost", FIELD_MONEY, AT(class_io, unit_cost), .read_only = true, .hide_absent = true,
      .doc = "the last that was told of goods that came in; absent: none was, so the value is 0" },
    { "value", FIELD_MONEY, AT(class_io, value), .required = true, .read_only = true, .doc = "units at that cost" },
    { "above", FIELD_MONEY, AT(class_io, above), .required = true, .read_only = true,
      .doc = "the value of all SKUs that rank before it at the node" },
    { "total", FIELD_MONEY, AT(class_io, total), .required = true, .read_only = true,
      .doc = "the value of all that left the node: a SKU is of class A while above is less than share_a_ppm of it" },
    { "share_a_ppm", FIELD_INT, AT(class_io, share_a_ppm), .required = true, .read_only = true },
    { "share_b_ppm", FIELD_INT, AT(class_io, share_b_ppm), .required = true, .read_only = true },
    { "from", FIELD_TIME, AT(class_io, from), .required = true, .read_only = true, .doc = "the window" },
    { "upto", FIELD_TIME, AT(class_io, upto), .required = true, .read_only = true },
};
const struct field_table count_class_fields = { "CountClass", class_rows, COUNT(class_rows), sizeof(struct class_io) };

enum { QUERY_NODE, QUERY_CLASS, QUERY_SKU, QUERY_LIMIT, QUERY_CURSOR };

/* A page of one node. */
struct page {
    struct reading *reading;
    const char *code;
    int64_t unit, node, abc, sku, after; /* abc, sku: 0: any */
    size_t limit;
    bool more;
    struct json_writer json;
};

static enum db_result find(struct page *page, const struct count_class_row **rows, size_t *count)
{
    struct db *db = page->reading->db;
    struct arena *arena = page->reading->arena;
    const int64_t most = (int64_t)page->limit + 1;
    struct count_classes_of_node_result *any;
    struct count_classes_of_class_result *of_class;
    size_t found = 0;
    enum db_result result = page->sku != 0 || page->abc == 0
                                ? count_classes_of_node(db, arena, page->unit, page->node, page->after, most, &any, &found)
                                : count_classes_of_class(db, arena, page->unit, page->node, page->abc, page->after, most, &of_class, &found);
    int64_t *keys = ARENA_ARRAY(arena, int64_t, 3 * found + 3);
    struct db_rows loaded = { 0 };
    *count = 0;
    for (size_t i = 0; result == DB_OK && i < found; i++) {
        const int64_t sku = page->sku != 0 || page->abc == 0 ? any[i].sku : of_class[i].sku;
        if (page->sku != 0 && sku != page->sku)
            break;
        memcpy(keys + 3 * (*count)++, (const int64_t[]){ page->unit, page->node, sku }, 3 * sizeof *keys);
    }
    page->more = *count > page->limit;
    *count = page->more ? page->limit : *count;
    if (result == DB_OK && *count > 0)
        result = db_load(db, arena, &count_class_table, keys, *count, &loaded);
    *count = loaded.count;
    *rows = loaded.count == 0 ? NULL : db_row(&loaded, 0);
    return result;
}

static void write_one(struct page *page, const struct count_class_row *row, const char *sku, const struct count_basis_row *basis,
                      const char *currency)
{
    struct class_io out = { .node = page->code,
                            .sku = sku,
                            .class = row->abc - 1,
                            .units = row->units,
                            .share_a_ppm = basis->share_a,
                            .share_b_ppm = basis->share_b,
                            .from = basis->from_at,
                            .upto = basis->upto_at };
    const struct {
        struct money *money;
        int64_t minor;
    } amounts[] = { { &out.unit_cost, row->unit_cost }, { &out.value, row->value }, { &out.above, row->above }, { &out.total, basis->total } };
    for (size_t i = 0; i < COUNT(amounts); i++) {
        amounts[i].money->minor = amounts[i].minor;
        memcpy(amounts[i].money->currency, currency, sizeof amounts[i].money->currency);
    }
    if (row->unit_cost != NULL_INT)
        field_set(&count_class_fields, &out, "unit_cost");
    fields_write(&page->json, &count_class_fields, &out);
}

static enum db_result write_page(struct page *page)
{
    struct db *db = page->reading->db;
    struct arena *arena = page->reading->arena;
    const struct count_class_row *rows;
    struct db_rows skus = { 0 }, bases = { 0 }, units = { 0 };
    size_t count = 0;
    enum db_result result = find(page, &rows, &count);
    if (result != DB_OK || count == 0)
        return result;
    int64_t *keys = ARENA_ARRAY(arena, int64_t, 2 * count);
    for (size_t i = 0; i < count; i++)
        keys[2 * i] = page->unit, keys[2 * i + 1] = rows[i].sku;
    result = db_load(db, arena, &sku_table, keys, count, &skus);
    if (result == DB_OK)
        result = db_load(db, arena, &count_basis_table, (const int64_t[]){ page->unit, page->node }, 1, &bases);
    if (result == DB_OK)
        result = db_load(db, arena, &business_unit_table, (const int64_t[]){ page->unit, page->unit }, 1, &units);
    if (result != DB_OK || bases.count == 0 || units.count == 0)
        return result;
    for (size_t i = 0, s = 0; i < count; i++) {
        while (s < skus.count && ((const struct sku_row *)db_row(&skus, s))->id < rows[i].sku)
            s++; /* both in the order of SKUs */
        if (s < skus.count)
            write_one(page, &rows[i], ((const struct sku_row *)db_row(&skus, s))->code, db_row(&bases, 0),
                      ((const struct business_unit_row *)db_row(&units, 0))->currency);
        page->after = rows[i].sku;
    }
    return DB_OK;
}

/* Codes to ids; what is unknown has no class: *known is false. */
static enum db_result resolve(struct page *page, const struct request *request, bool *known)
{
    struct reading *r = page->reading;
    struct master_node_result node = { 0 };
    struct master_sku_result sku = { 0 };
    bool found = false;
    enum db_result result = master_node(r->db, r->arena, 0, page->code, &node, &found);
    *known = found;
    page->unit = node.owner, page->node = node.id;
    if (result == DB_OK && request->query_text[QUERY_SKU] != NULL) {
        result = master_sku(r->db, r->arena, 0, request->query_text[QUERY_SKU], &sku, &found);
        *known = *known && found;
        page->sku = sku.id;
        page->after = max_i64(page->after, sku.id - 1);
    }
    return result;
}

void list_count_classes(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct page page = { .reading = reading, .code = request->query_text[QUERY_NODE], .limit = (size_t)request->query_number[QUERY_LIMIT] };
    const char *cursor = request->query_text[QUERY_CURSOR];
    int64_t unit;
    bool known = false;
    if (cursor != NULL && !id_parse(cursor, strlen(cursor), "sku", &unit, &page.after)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that this list has given");
        return;
    }
    page.abc = request->query_text[QUERY_CLASS] == NULL ? 0 : request->query_number[QUERY_CLASS] + 1;
    list_begin(&page.json, request->arena);
    enum db_result result = resolve(&page, request, &known);
    if (result == DB_OK && known)
        result = write_page(&page);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    char next[32];
    id_format("sku", page.unit, page.after, next);
    list_end(&page.json, page.more ? next : NULL, answer);
}

/* ---- how a unit classes ---- */

void get_count_classing(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct master_unit_result unit = { 0 };
    struct db_rows rows = { 0 };
    bool known = false;
    enum db_result result = master_unit(reading->db, reading->arena, 0, request->path[0], &unit, &known);
    if (result == DB_OK && !known) {
        answer_fault(answer, request->arena, FAULT_NOT_FOUND, NULL, arena_printf(request->arena, "there is no unit %s", request->path[0]));
        return;
    }
    if (result == DB_OK)
        result = db_load(reading->db, reading->arena, &count_classing_table, (const int64_t[]){ unit.id }, 1, &rows);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    const struct count_classing_row preset = count_classing_preset(unit.id), *row = rows.count == 0 ? &preset : db_row(&rows, 0);
    *answer = (struct answer){ .status = 200, .etag = arena_printf(request->arena, "%ld", (long)row->version) };
    answer->body = count_classing_json(request->arena, row, &answer->body_bytes);
}
