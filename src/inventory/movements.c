/* src/inventory/movements.c: GET /v1/inventory/movements: what moved, in the order in which it did, of a SKU, of a node, of both,
 * or all. A SKU's come from the projection that follows them; else movements are looked through by their ids, a bounded
 * number a page: `next` goes on. */
#include "base/id.h"
#include "inventory/inventory.h"
#include "inventory/reads.h"
#include "inventory_sql.h"
#include <stdlib.h>
#include <string.h>

enum { QUERY_SKU, QUERY_NODE, QUERY_AFTER, QUERY_LIMIT, QUERY_CURSOR };

#define PIECE 500
#define LOOKED_AT_MAX 10000

struct search {
    struct reading *reading;
    struct arena *arena;
    int64_t sku, node;   /* 0: any */
    int64_t unit, after; /* where it stands */
    int64_t limit, looked;
    bool more;
    struct json_writer json;
};

/* Keys of a table, each once, in order; the rows found. */
struct named {
    const struct db_table *table;
    int64_t *ids;
    size_t count;
    struct db_rows rows;
};

static enum db_result named_load(struct search *s, int64_t unit, struct named *named)
{
    size_t distinct = 0;
    int64_t *keys = ARENA_ARRAY(s->arena, int64_t, 2 * named->count + 2);
    qsort(named->ids, named->count, sizeof *named->ids, by_number);
    for (size_t i = 0; i < named->count; i++)
        if (named->ids[i] > 0 && (i == 0 || named->ids[i] != named->ids[i - 1])) {
            keys[2 * distinct] = unit;
            keys[2 * distinct++ + 1] = named->ids[i];
        }
    return distinct == 0 ? DB_OK : db_load(s->reading->db, s->arena, named->table, keys, distinct, &named->rows);
}

static int row_is(const void *key, const void *row)
{
    const int64_t id = *(const int64_t *)key, *columns = row; /* all these tables begin with unit and id */
    return id < columns[1] ? -1 : id > columns[1];
}

static const void *named_find(const struct named *named, int64_t id)
{
    return named->rows.count == 0 ? NULL : bsearch(&id, named->rows.at, named->rows.count, named->rows.stride, row_is);
}

enum { NODES, SKUS, CLASSES, CHANNELS, ACTORS, NAMED_COUNT };

static const char *node_code(const struct named *names, int64_t node)
{
    const struct node_row *row = named_find(&names[NODES], node);
    return place_name(node) != NULL ? place_name(node) : row == NULL ? NULL : row->code;
}

static void write_end(struct search *s, const char *key, const char *place, int64_t bucket)
{
    json_key(&s->json, key);
    json_object(&s->json);
    json_key(&s->json, "place");
    json_text(&s->json, place);
    json_key(&s->json, "bucket");
    json_text(&s->json, bucket == BUCKET_NONE ? NULL : bucket_names[bucket]);
    json_object_end(&s->json);
}

/* A fence is known outside by its path. */
static const char *cause_id(struct search *s, const struct named *names, const struct movement_row *m, const char *sku)
{
    const struct channel_row *channel = named_find(&names[CHANNELS], m->cause);
    if (m->cause_kind == CAUSE_FENCE)
        return arena_printf(s->arena, "%s/%s/%s", channel == NULL ? "" : channel->code, node_code(names, m->to_node), sku);
    return id_text(s->arena, cause_prefix(m->cause_kind), m->unit, m->cause);
}

static void write_movement(struct search *s, const struct named *names, const struct movement_row *m)
{
    struct json_writer *json = &s->json;
    const struct sku_row *sku = named_find(&names[SKUS], m->sku);
    const struct goods_class_row *class = named_find(&names[CLASSES], m->class);
    const struct api_key_row *actor = named_find(&names[ACTORS], m->actor);
    char id[32];
    id_format("mov", m->unit, m->id, id);
    json_object(json);
    json_key(json, "id");
    json_text(json, id);
    json_key(json, "sku");
    json_text(json, sku == NULL ? NULL : sku->code);
    if (class != NULL) {
        json_key(json, "class");
        json_text(json, class->code);
    }
    json_key(json, "quantity");
    json_int(json, m->quantity);
    write_end(s, "from", node_code(names, m->from_node), m->from_bucket);
    write_end(s, "to", node_code(names, m->to_node), m->to_bucket);
    json_key(json, "cause");
    json_object(json);
    json_key(json, "kind");
    json_text(json, cause_names[m->cause_kind]);
    json_key(json, "id");
    json_text(json, cause_id(s, names, m, sku == NULL ? "" : sku->code));
    json_object_end(json);
    json_key(json, "actor");
    json_text(json, actor == NULL ? "millrace" : actor->name);
    json_key(json, "at");
    json_time(json, m->at);
    json_object_end(json);
}

static enum db_result write_movements(struct search *s, const int64_t *ids, size_t count)
{
    struct db_rows rows = { 0 };
    struct named names[NAMED_COUNT] = { [NODES] = { &node_table },
                                        [SKUS] = { &sku_table },
                                        [CLASSES] = { &goods_class_table },
                                        [CHANNELS] = { &channel_table },
                                        [ACTORS] = { &api_key_table } };
    int64_t *keys = ARENA_ARRAY(s->arena, int64_t, 2 * count + 2);
    for (size_t i = 0; i < count; i++) {
        keys[2 * i] = s->unit;
        keys[2 * i + 1] = ids[i];
    }
    enum db_result result = count == 0 ? DB_OK : db_load(s->reading->db, s->arena, &movement_table, keys, count, &rows);
    for (size_t n = 0; n < NAMED_COUNT; n++)
        names[n].ids = ARENA_ARRAY(s->arena, int64_t, 2 * rows.count + 1);
    for (size_t i = 0; i < rows.count; i++) {
        const struct movement_row *m = db_row(&rows, i);
        names[NODES].ids[names[NODES].count++] = m->from_node;
        names[NODES].ids[names[NODES].count++] = m->to_node;
        names[SKUS].ids[names[SKUS].count++] = m->sku;
        names[CLASSES].ids[names[CLASSES].count++] = m->class;
        names[CHANNELS].ids[names[CHANNELS].count++] = m->cause_kind == CAUSE_FENCE ? m->cause : 0;
        names[ACTORS].ids[names[ACTORS].count++] = m->actor;
    }
    for (size_t n = 0; result == DB_OK && n < NAMED_COUNT; n++)
        result = named_load(s, n == ACTORS ? 0 : s->unit, &names[n]);
    for (size_t i = 0; result == DB_OK && i < rows.count; i++)
        write_movement(s, names, db_row(&rows, i));
    return result;
}

/* The next movements, those of the SKU where the projection can say so. */
static enum db_result look(struct search *s, int64_t most, struct movements_page_result **rows, size_t *count)
{
    struct movements_of_sku_result *of_sku;
    if (s->sku == 0 || s->reading->projection == NULL)
        return movements_page(s->reading->db, s->arena, s->unit, s->after, most, rows, count);
    enum db_result result = movements_of_sku(s->reading->projection, s->arena, s->unit, s->sku, s->after, most, &of_sku, count);
    *rows = ARENA_ARRAY(s->arena, struct movements_page_result, *count + 1);
    for (size_t i = 0; result == DB_OK && i < *count; i++)
        (*rows)[i] = (struct movements_page_result){ of_sku[i].id, s->sku, of_sku[i].node, of_sku[i].other_node };
    return result;
}

static enum db_result search_unit(struct search *s)
{
    enum db_result result = DB_OK;
    s->more = true;
    while (result == DB_OK && s->more && s->limit > 0 && s->looked < LOOKED_AT_MAX) {
        struct movements_page_result *rows;
        size_t count, found = 0, i = 0;
        int64_t *ids = ARENA_ARRAY(s->arena, int64_t, PIECE);
        result = look(s, PIECE + 1, &rows, &count);
        if (result != DB_OK)
            break;
        for (; i < count && i < PIECE && s->limit > 0; i++) {
            s->after = rows[i].id;
            if ((s->sku != 0 && rows[i].sku != s->sku) || (s->node != 0 && rows[i].from_node != s->node && rows[i].to_node != s->node))
                continue;
            ids[found++] = rows[i].id;
            s->limit--;
        }
        s->looked += (int64_t)i;
        s->more = i < count;
        result = write_movements(s, ids, found);
    }
    return result;
}

/* Codes to ids; what is unknown never moved: *known is false. A node says the unit. */
static enum db_result resolve(struct search *s, const struct request *request, int64_t *only_unit, bool *known)
{
    struct master_node_result node;
    struct master_sku_result sku;
    bool found = true;
    enum db_result result = DB_OK;
    *known = true;
    *only_unit = 0;
    if (request->query_text[QUERY_NODE] != NULL) {
        result = master_node(s->reading->db, s->arena, 0, request->query_text[QUERY_NODE], &node, &found);
        *known = found;
        if (result == DB_OK && found)
            *only_unit = node.owner, s->node = node.id;
    }
    if (result == DB_OK && request->query_text[QUERY_SKU] != NULL) {
        result = master_sku(s->reading->db, s->arena, 0, request->query_text[QUERY_SKU], &sku, &found);
        *known = *known && found;
        if (result == DB_OK && found)
            s->sku = sku.id;
    }
    return result;
}

static enum db_result search(struct search *s, int64_t only_unit)
{
    struct inventory_units_result *units;
    size_t count;
    int64_t from_unit = s->unit;
    enum db_result result = inventory_units(s->reading->db, s->arena, 0, &units, &count);
    for (size_t i = 0; result == DB_OK && i < count && !s->more; i++) {
        if (units[i].id < from_unit || (only_unit != 0 && units[i].id != only_unit))
            continue;
        if (s->limit == 0) { /* the page is full: the next unit is behind it */
            s->more = true;
            break;
        }
        if (units[i].id != from_unit)
            s->after = 0;
        s->unit = units[i].id;
        result = search_unit(s);
    }
    return result;
}

void list_movements(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct search s = { .reading = reading, .arena = request->arena, .limit = request->query_number[QUERY_LIMIT] };
    const char *from = request->query_text[QUERY_CURSOR] != NULL ? request->query_text[QUERY_CURSOR] : request->query_text[QUERY_AFTER];
    int64_t only_unit;
    bool known;
    if (from != NULL && !id_parse(from, strlen(from), "mov", &s.unit, &s.after)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "after and cursor are ids of movements");
        return;
    }
    list_begin(&s.json, request->arena);
    enum db_result result = resolve(&s, request, &only_unit, &known);
    if (result == DB_OK && known)
        result = search(&s, only_unit);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    char next[32];
    id_format("mov", s.unit, s.after, next);
    list_end(&s.json, s.more ? next : NULL, answer);
}

/* ---- what it looks like, for /openapi.json ---- */

struct movement_io {
    struct field_presence presence;
    const char *id, *sku, *class;
    int64_t quantity;
    void *from, *to, *cause;
    const char *actor;
    int64_t at;
};
struct end_io {
    struct field_presence presence;
    const char *place;
    int64_t bucket;
};
struct cause_io {
    struct field_presence presence;
    int64_t kind;
    const char *id;
};
static const struct field end_rows[] = {
    { "place", FIELD_TEXT, offsetof(struct end_io, place), .read_only = true,
      .doc = "a node's code, or supplier, customer, adjustment, scrap, in_transit" },
    { "bucket", FIELD_ENUM, offsetof(struct end_io, bucket), .read_only = true, .nullable = true, .names = bucket_names + 1,
      .doc = "null where it is no node" },
};
static const struct field_table end_fields = { "MovementEnd", end_rows, COUNT(end_rows), sizeof(struct end_io) };
static const struct field cause_rows[] = {
    { "kind", FIELD_ENUM, offsetof(struct cause_io, kind), .read_only = true, .names = cause_names + 1 },
    { "id", FIELD_TEXT, offsetof(struct cause_io, id), .read_only = true, .doc = "of what caused it; of a fence CHANNEL/NODE/SKU" },
};
static const struct field_table cause_fields = { "MovementCause", cause_rows, COUNT(cause_rows), sizeof(struct cause_io) };
static const struct field movement_rows[] = {
    { "id", FIELD_TEXT, offsetof(struct movement_io, id), .read_only = true, .doc = "ours; also a cursor" },
    { "sku", FIELD_CODE, offsetof(struct movement_io, sku), .read_only = true },
    { "class", FIELD_CODE, offsetof(struct movement_io, class), .read_only = true, .hide_absent = true, .doc = "absent: own, new, saleable" },
    { "quantity", FIELD_INT, offsetof(struct movement_io, quantity), .read_only = true, .doc = "units, above 0" },
    { "from", FIELD_OBJECT, offsetof(struct movement_io, from), .read_only = true, .of = &end_fields },
    { "to", FIELD_OBJECT, offsetof(struct movement_io, to), .read_only = true, .of = &end_fields },
    { "cause", FIELD_OBJECT, offsetof(struct movement_io, cause), .read_only = true, .of = &cause_fields },
    { "actor", FIELD_TEXT, offsetof(struct movement_io, actor), .read_only = true, .doc = "the name of the key, or millrace" },
    { "at", FIELD_TIME, offsetof(struct movement_io, at), .read_only = true },
};
const struct field_table movement_fields = { "Movement", movement_rows, COUNT(movement_rows), sizeof(struct movement_io) };
