/* src/inventory/count_reads.c: what of the cycle-count programme can be read: sheets, what is due, how right the books were, how a node counts.
 * What is due is asked of positions, a bounded number a page, not kept: a day makes thousands due at once, and a count takes one away. */
#include "base/id.h"
#include "base/when.h"
#include "inventory/count_sheets.h"
#include "inventory_sql.h"
#include <stdlib.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
#define PIECE 500
#define LOOKED_AT_MAX 10000
#define DAY_US INT64_C(86400000000)

/* ---- one sheet, and all ---- */

struct sheets {
    const int64_t *ids;
    size_t count, shown;
    bool whole;      /* with its lines */
    int64_t version; /* of the last shown */
    struct json_writer *json;
};

/* An attempt that lacks a row is thrown away with its arena. */
static void read_sheets(struct ws *ws, void *context)
{
    struct sheets *sheets = context;
    struct json_writer attempt, longer = *sheets->json;
    json_begin(&attempt, ws_arena(ws));
    size_t shown = 0;
    for (size_t i = 0; i < sheets->count; i++)
        ws_want(ws, &count_sheet_table, WS_KEY(ws_unit(ws), sheets->ids[i]));
    ws_settle(ws);
    for (size_t i = 0; i < sheets->count; i++) {
        struct sheet sheet = { .ws = ws, .row = ws_get(ws, &count_sheet_table, WS_KEY(ws_unit(ws), sheets->ids[i])) };
        if (sheet.row == NULL || (sheets->whole && !sheet_open(ws, sheets->ids[i], &sheet)))
            continue;
        sheet_write(&sheet, sheet.lines, sheet.line_count, &attempt);
        sheets->version = sheet.row->version;
        shown++;
    }
    if (shown > 0)
        json_raw(&longer, attempt.out.at, attempt.out.size);
    *sheets->json = longer;
    sheets->shown = shown;
}

void get_count(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct json_writer json;
    int64_t unit, id;
    struct sheets sheets = { .ids = &id, .count = 1, .whole = true, .json = &json };
    enum db_result result = DB_OK;
    json_begin(&json, request->arena);
    if (id_parse(request->path[0], strlen(request->path[0]), "cnt", &unit, &id))
        result = ws_read(reading, unit, when_now_us(), read_sheets, &sheets);
    if (result != DB_OK)
        answer_store(answer, request->arena, result);
    else if (sheets.shown == 0)
        answer_fault(answer, request->arena, FAULT_NOT_FOUND, NULL, arena_printf(request->arena, "there is no count %s", request->path[0]));
    else
        *answer = (struct answer){
            .status = 200, .body = json.out.at, .body_bytes = json.out.size, .etag = arena_printf(request->arena, "%ld", (long)sheets.version)
        };
}

enum { SHEETS_STATE, SHEETS_LIMIT, SHEETS_CURSOR };

static enum db_result find_sheets(struct reading *reading, int64_t unit, int64_t state, int64_t after, int64_t most, int64_t *ids, size_t *count)
{
    struct count_sheets_in_state_result *in_state;
    struct count_sheets_page_result *any;
    enum db_result result = state != 0 ? count_sheets_in_state(reading->db, reading->arena, unit, state, after, most, &in_state, count)
                                       : count_sheets_page(reading->db, reading->arena, unit, after, most, &any, count);
    for (size_t i = 0; result == DB_OK && i < *count; i++)
        ids[i] = state != 0 ? in_state[i].id : any[i].id;
    return result;
}

void list_counts(struct reading *reading, const struct request *request, struct answer *answer)
{
    const char *cursor = request->query_text[SHEETS_CURSOR];
    const int64_t state = request->query_text[SHEETS_STATE] == NULL ? 0 : request->query_number[SHEETS_STATE] + 1;
    int64_t first = 0, after = 0, last_unit = 0, left = request->query_number[SHEETS_LIMIT];
    struct inventory_units_result *units;
    struct json_writer json;
    size_t unit_count = 0;
    bool more = false;
    if (cursor != NULL && !id_parse(cursor, strlen(cursor), "cnt", &first, &after)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that this list has given");
        return;
    }
    list_begin(&json, request->arena);
    enum db_result result = inventory_units(reading->db, reading->arena, 0, &units, &unit_count);
    for (size_t u = 0; result == DB_OK && u < unit_count && !more; u++) {
        if (units[u].id < first)
            continue;
        int64_t *ids = ARENA_ARRAY(reading->arena, int64_t, (size_t)left + 1);
        size_t count = 0;
        result = find_sheets(reading, units[u].id, state, units[u].id == first ? after : 0, left + 1, ids, &count);
        more = result == DB_OK && count > (size_t)left;
        count = more ? (size_t)left : count;
        struct sheets sheets = { .ids = ids, .count = count, .json = &json };
        if (result == DB_OK && count > 0)
            result = ws_read(reading, units[u].id, when_now_us(), read_sheets, &sheets);
        if (result == DB_OK && count > 0) {
            last_unit = units[u].id, after = ids[count - 1];
            left -= (int64_t)count;
        }
    }
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    char next[32];
    id_format("cnt", last_unit, after, next);
    list_end(&json, more ? next : NULL, answer);
}

/* ---- what is due ---- */

struct scan {
    const struct reading *reading;
    int64_t unit, node, abc, now_us;
    int64_t after, looked; /* SKU; positions */
    bool over;
    struct count_rule_row rule;
    struct due *due; /* room for LOOKED_AT_MAX + PIECE */
    size_t count;
};

static enum db_result load_rule(const struct reading *reading, int64_t unit, int64_t node, struct count_rule_row *rule)
{
    const int64_t key[] = { unit, node };
    struct db_rows rows = { 0 };
    enum db_result result = db_load(reading->db, reading->arena, &count_rule_table, key, 1, &rows);
    *rule = rows.count == 1 ? *(const struct count_rule_row *)db_row(&rows, 0) : count_rule_preset(unit, node);
    return result;
}

static const struct count_class_row *class_of(const struct db_rows *classes, int64_t sku)
{
    for (size_t i = 0; i < classes->count; i++)
        if (((const struct count_class_row *)db_row(classes, i))->sku == sku)
            return db_row(classes, i);
    return NULL;
}

static int64_t last_of(const struct db_rows *facts, int64_t sku)
{
    for (size_t i = 0; i < facts->count; i++)
        if (((const struct count_fact_row *)db_row(facts, i))->sku == sku)
            return ((const struct count_fact_row *)db_row(facts, i))->at;
    return 0;
}

/* The next positions of the node; those that are due are added. */
static enum db_result scan_piece(struct scan *scan)
{
    struct positions_of_node_result *rows;
    struct db_rows classes = { 0 }, facts = { 0 };
    struct db *db = scan->reading->db;
    struct arena *arena = scan->reading->arena;
    size_t count = 0, own = 0;
    enum db_result result = positions_of_node(db, arena, scan->unit, scan->node, scan->after, INT64_MAX, PIECE, &rows, &count);
    int64_t *keys = ARENA_ARRAY(arena, int64_t, (size_t)3 * PIECE);
    struct db_value *prefixes = ARENA_ARRAY(arena, struct db_value, (size_t)4 * PIECE);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        scan->after = rows[i].sku;
        if (rows[i].class != 0)
            continue;
        memcpy(keys + 3 * own, (const int64_t[]){ scan->unit, scan->node, rows[i].sku }, 3 * sizeof *keys);
        const struct db_value prefix[] = { db_int(scan->unit), db_int(rows[i].sku), db_int(scan->node), db_int(0) };
        memcpy(prefixes + 4 * own++, prefix, sizeof prefix);
    }
    if (result == DB_OK && own > 0)
        result = db_load(db, arena, &count_class_table, keys, own, &classes);
    if (result == DB_OK && own > 0)
        result = db_load_path(db, arena, &count_of_position, prefixes, own, 1, &facts);
    for (size_t i = 0; result == DB_OK && i < own; i++) {
        const struct count_class_row *class = class_of(&classes, keys[3 * i + 2]);
        struct due due = { keys[3 * i + 2], class == NULL ? ABC_C : class->abc, last_of(&facts, keys[3 * i + 2]), 0 };
        due.due_at = due.last_at == 0 ? 0 : due.last_at + count_days(&scan->rule, due.abc) * DAY_US;
        if (due.due_at <= scan->now_us && (scan->abc == 0 || scan->abc == due.abc))
            scan->due[scan->count++] = due;
    }
    scan->looked += (int64_t)count;
    scan->over = count < PIECE;
    return result;
}

static enum db_result scan_begin(struct scan *scan)
{
    scan->due = ARENA_ARRAY(scan->reading->arena, struct due, LOOKED_AT_MAX + PIECE);
    return load_rule(scan->reading, scan->unit, scan->node, &scan->rule);
}

static int by_due(const void *a, const void *b)
{
    const struct due *left = a, *right = b;
    const int64_t l[] = { left->due_at, left->abc, left->sku }, r[] = { right->due_at, right->abc, right->sku };
    size_t i = 0;
    while (i < 2 && l[i] == r[i])
        i++;
    return l[i] < r[i] ? -1 : l[i] > r[i];
}

enum db_result due_find(const struct reading *reading, int64_t unit, int64_t node, int64_t abc, int64_t now_us, struct due *due, size_t *count)
{
    struct scan scan = { .reading = reading, .unit = unit, .node = node, .abc = abc, .now_us = now_us };
    enum db_result result = scan_begin(&scan);
    while (result == DB_OK && !scan.over && scan.looked < LOOKED_AT_MAX)
        result = scan_piece(&scan);
    qsort(scan.due, scan.count, sizeof *scan.due, by_due);
    *count = scan.count < *count ? scan.count : *count;
    memcpy(due, scan.due, *count * sizeof *due);
    return result;
}

struct due_io {
    struct field_presence presence;
    const char *node, *sku;
    int64_t class, last_counted_at, due_at;
};
static const struct field due_rows[] = {
    { "node", FIELD_CODE, AT(due_io, node), .required = true, .read_only = true },
    { "sku", FIELD_CODE, AT(due_io, sku), .required = true, .read_only = true },
    { "class", FIELD_ENUM, AT(due_io, class), .required = true, .read_only = true, .names = abc_names },
    { "last_counted_at", FIELD_TIME, AT(due_io, last_counted_at), .read_only = true, .hide_absent = true, .doc = "absent: never" },
    { "due_at", FIELD_TIME, AT(due_io, due_at), .read_only = true, .hide_absent = true, .doc = "absent: since it came" },
};
const struct field_table due_fields = { "CountDue", due_rows, COUNT(due_rows), sizeof(struct due_io) };

static enum db_result write_due(const struct scan *scan, const char *node, size_t count, struct json_writer *json)
{
    struct arena *arena = scan->reading->arena;
    int64_t *keys = ARENA_ARRAY(arena, int64_t, 2 * count + 2);
    struct db_rows skus = { 0 };
    for (size_t i = 0; i < count; i++)
        keys[2 * i] = scan->unit, keys[2 * i + 1] = scan->due[i].sku;
    enum db_result result = count == 0 ? DB_OK : db_load(scan->reading->db, arena, &sku_table, keys, count, &skus);
    for (size_t i = 0, s = 0; result == DB_OK && i < count; i++) {
        const struct due *due = &scan->due[i];
        while (s < skus.count && ((const struct sku_row *)db_row(&skus, s))->id < due->sku)
            s++; /* both in the order of SKUs */
        if (s == skus.count || ((const struct sku_row *)db_row(&skus, s))->id != due->sku)
            continue;
        struct due_io out = { .node = node,
                              .sku = ((const struct sku_row *)db_row(&skus, s))->code,
                              .class = due->abc - 1,
                              .last_counted_at = due->last_at,
                              .due_at = due->due_at };
        if (due->last_at != 0) {
            field_set(&due_fields, &out, "last_counted_at");
            field_set(&due_fields, &out, "due_at");
        }
        fields_write(json, &due_fields, &out);
    }
    return result;
}

enum { DUE_NODE, DUE_CLASS, DUE_LIMIT, DUE_CURSOR };

static enum db_result node_named(struct reading *reading, const char *code, struct master_node_result *node, bool *known)
{
    *known = false;
    return master_node(reading->db, reading->arena, 0, code, node, known);
}

void list_due(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct scan scan = { .reading = reading, .now_us = when_now_us() };
    const char *cursor = request->query_text[DUE_CURSOR], *code = request->query_text[DUE_NODE];
    const size_t limit = (size_t)request->query_number[DUE_LIMIT];
    struct master_node_result node;
    struct json_writer json;
    bool known, more = false;
    int64_t unit;
    if (cursor != NULL && !id_parse(cursor, strlen(cursor), "sku", &unit, &scan.after)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that this list has given");
        return;
    }
    scan.abc = request->query_text[DUE_CLASS] == NULL ? 0 : request->query_number[DUE_CLASS] + 1;
    list_begin(&json, request->arena);
    enum db_result result = node_named(reading, code, &node, &known);
    if (result == DB_OK && known) {
        scan.unit = node.owner, scan.node = node.id;
        result = scan_begin(&scan);
        while (result == DB_OK && !scan.over && scan.count <= limit && scan.looked < LOOKED_AT_MAX)
            result = scan_piece(&scan);
        more = scan.count > limit || !scan.over;
        if (scan.count > limit)
            scan.count = limit, scan.after = scan.due[limit - 1].sku;
        if (result == DB_OK)
            result = write_due(&scan, code, scan.count, &json);
    }
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    char next[32];
    id_format("sku", scan.unit, scan.after, next);
    list_end(&json, more ? next : NULL, answer);
}

/* ---- how right the books were ---- */

struct accuracy_io {
    struct field_presence presence;
    const char *node;
    int64_t class, lines, lines_right, units, units_right;
};
static const struct field accuracy_rows[] = {
    { "node", FIELD_CODE, AT(accuracy_io, node), .required = true, .read_only = true },
    { "class", FIELD_ENUM, AT(accuracy_io, class), .required = true, .read_only = true, .names = abc_names },
    { "lines", FIELD_INT, AT(accuracy_io, lines), .required = true, .read_only = true, .doc = "that sheets have booked" },
    { "lines_right", FIELD_INT, AT(accuracy_io, lines_right), .required = true, .read_only = true, .doc = "of those: within tolerance" },
    { "units", FIELD_INT, AT(accuracy_io, units), .required = true, .read_only = true, .doc = "that were expected" },
    { "units_right", FIELD_INT, AT(accuracy_io, units_right), .required = true, .read_only = true, .doc = "of those: without what was wrong" },
};
const struct field_table accuracy_fields = { "CountAccuracy", accuracy_rows, COUNT(accuracy_rows), sizeof(struct accuracy_io) };

void list_accuracy(struct reading *reading, const struct request *request, struct answer *answer)
{
    const char *code = request->query_text[0];
    struct count_accuracies_result *rows;
    struct master_node_result node;
    struct json_writer json;
    bool known;
    size_t count = 0;
    list_begin(&json, request->arena);
    enum db_result result = node_named(reading, code, &node, &known);
    if (result == DB_OK && known)
        result = count_accuracies(reading->db, reading->arena, node.owner, node.id, &rows, &count);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        struct accuracy_io out = { .node = code,
                                   .class = rows[i].abc - 1,
                                   .lines = rows[i].lines,
                                   .lines_right = rows[i].lines_right,
                                   .units = rows[i].units,
                                   .units_right = rows[i].units - rows[i].units_off };
        fields_write(&json, &accuracy_fields, &out);
    }
    if (result != DB_OK)
        answer_store(answer, request->arena, result);
    else
        list_end(&json, NULL, answer);
}

/* ---- how a node counts ---- */

void get_count_rule(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct master_node_result node;
    struct count_rule_row rule;
    bool known;
    enum db_result result = node_named(reading, request->path[0], &node, &known);
    if (result == DB_OK && !known) {
        answer_fault(answer, request->arena, FAULT_NOT_FOUND, NULL, arena_printf(request->arena, "there is no node %s", request->path[0]));
        return;
    }
    if (result == DB_OK)
        result = load_rule(reading, node.owner, node.id, &rule);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    *answer = (struct answer){ .status = 200, .etag = arena_printf(request->arena, "%ld", (long)rule.version) };
    answer->body = count_rule_json(request->arena, &rule, &answer->body_bytes);
}
