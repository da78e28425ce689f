/* src/catalog/goods.c: what is sold: SKUs, and bundles, which are SKUs that hold no stock and are made of components. */
#include "base/id.h"
#include "catalog/catalog.h"
#include <stdio.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
#define DEPTH_MAX 8
#define PIECE_UNITS_MAX INT64_C(1000000000)
#define BUNDLES_OF_LEVEL_MAX 300
#define ABOVE_MAX 1000                     /* bundles that one may stand in, at any depth */
#define FLATTEN_WORK_MAX INT64_C(4000000)  /* of one bundle: comparisons, some milliseconds */
#define RECHECK_WORK_MAX INT64_C(20000000) /* of all bundles that contain a changed one */

static const struct sku_row *sku_find(struct ws *ws, const char *code)
{
    return ws_find(ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(code)));
}

/* The company's row and every unit's copy. */
static void sku_write(struct master *master, struct sku_row row)
{
    for (size_t i = 0; i <= ws_unit_count(master->ws); i++) {
        struct ws *ws = i == 0 ? master->ws : ws_unit_at(master->ws, i - 1);
        row.unit = ws_unit(ws);
        const struct sku_row *there = ws_get(ws, &sku_table, WS_KEY(row.unit, row.id));
        if (there != NULL)
            *(struct sku_row *)ws_edit(ws, there) = row;
        else
            ws_insert(ws, &sku_table, &row);
    }
}

static void sku_follow(struct master *master, const void *io)
{
    for (size_t i = 0; master->version == 1 && i < ws_unit_count(master->ws); i++)
        catalog_followers.sku_made(ws_unit_at(master->ws, i), master->code, master->id);
}

/* ---- SKUs ---- */

struct sku_io {
    struct field_presence presence;
    const char *code;
    int64_t version;
    const char *name, *gtin;
    int64_t weight_g, length_mm, width_mm, height_mm;
    struct field_list substitutes;
    bool hazmat;
    const char *goods;
};
#define MEASURE(member, text)                                                                                                     \
    {                                                                                                                             \
#member, FIELD_INT, AT(sku_io, member), .min = 0, .max = 1000000000, .preset = NULL_INT, .hide_absent = true, .doc = text \
    }
static const struct field sku_rows[] = {
    { "code", FIELD_CODE, AT(sku_io, code), .read_only = true, .doc = "of the path" },
    { "version", FIELD_INT, AT(sku_io, version), .read_only = true, .doc = "rises with every change; the ETag" },
    { "name", FIELD_TEXT, AT(sku_io, name), .required = true, .min = 1, .max = 255 },
    { "gtin", FIELD_TEXT, AT(sku_io, gtin), .max = 14, .hide_absent = true, .doc = "GTIN-8, -12, -13 or -14 with its check digit" },
    MEASURE(weight_g, "grams"),
    MEASURE(length_mm, "millimetres"),
    MEASURE(width_mm, "millimetres"),
    MEASURE(height_mm, "millimetres"),
    { "substitutes", FIELD_CODES, AT(sku_io, substitutes), .max = SUBSTITUTES_MAX, .hide_absent = true,
      .doc = "SKUs and bundles that may stand in for it, tried in this order" },
    { "hazmat", FIELD_BOOL, AT(sku_io, hazmat), .hide_absent = true, .doc = "dangerous goods: rules of routing may ask for it" },
    { "goods", FIELD_CODE, AT(sku_io, goods), .hide_absent = true, .doc = "a kind of goods of your own, for rules of routing: oversize, chilled" },
};
const struct field_table sku_fields = { "Sku", sku_rows, COUNT(sku_rows), sizeof(struct sku_io) };

size_t sku_substitutes(struct arena *arena, const struct sku_row *sku, const char ***codes)
{
    struct json_reader json;
    size_t count = 0;
    *codes = ARENA_ARRAY(arena, const char *, SUBSTITUTES_MAX);
    if (sku->substitutes == NULL)
        return 0;
    json_open(&json, arena, sku->substitutes, strlen(sku->substitutes));
    for (enum json_token token = json_next(&json); token != JSON_END && token != JSON_ERROR && count < SUBSTITUTES_MAX; token = json_next(&json))
        if (token == JSON_STRING)
            (*codes)[count++] = arena_text_n(arena, json.text, json.bytes);
    return count;
}

/* As the row keeps them; NULL: none. */
static const char *substitutes_text(struct arena *arena, const struct field_list *codes)
{
    struct json_writer json;
    json_begin(&json, arena);
    json_array(&json);
    for (size_t i = 0; i < codes->count; i++)
        json_text(&json, ((const char *const *)codes->items)[i]);
    json_array_end(&json);
    return codes->count == 0 ? NULL : json.out.at;
}

static bool sku_load(struct master *master, void *out)
{
    struct sku_io *io = out;
    const struct sku_row *row = sku_find(master->ws, master->code);
    if (row == NULL || row->bundle)
        return false;
    *io = (struct sku_io){ .code = row->code,
                           .version = row->version,
                           .name = row->name,
                           .gtin = row->gtin,
                           .weight_g = row->weight_g,
                           .length_mm = row->length_mm,
                           .width_mm = row->width_mm,
                           .height_mm = row->height_mm,
                           .hazmat = row->hazmat != 0,
                           .goods = row->goods };
    const struct {
        const char *name;
        bool there;
    } optional[] = { { "gtin", row->gtin != NULL },
                     { "weight_g", row->weight_g != NULL_INT },
                     { "length_mm", row->length_mm != NULL_INT },
                     { "width_mm", row->width_mm != NULL_INT },
                     { "height_mm", row->height_mm != NULL_INT },
                     { "hazmat", row->hazmat != 0 },
                     { "goods", row->goods != NULL } };
    for (size_t i = 0; i < COUNT(optional); i++)
        if (optional[i].there)
            field_set(&sku_fields, io, optional[i].name);
    const char **codes;
    io->substitutes.count = sku_substitutes(ws_arena(master->ws), row, &codes);
    io->substitutes.items = codes;
    if (io->substitutes.count > 0)
        field_set(&sku_fields, io, "substitutes");
    master->id = row->id;
    master->version = row->version;
    return true;
}

static void sku_want(struct master *master, int64_t id)
{
    ws_want_path(master->ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(master->ws)), db_text(master->code)), 0);
}

static void check_other_kind(struct master *master, bool bundle)
{
    const struct sku_row *row = sku_find(master->ws, master->code);
    if (row != NULL && (row->bundle != 0) != bundle)
        fault_add(master->faults, FAULT_IN_USE, NULL, "%s is a %s", master->code, bundle ? "SKU that holds stock" : "bundle");
}

static void check_substitutes(struct master *master, const struct field_list *list)
{
    const char *const *codes = list->items;
    for (size_t i = 0; i < list->count; i++) {
        const char *at = arena_printf(master->faults->arena, "/substitutes/%zu", i);
        bool twice = false;
        for (size_t k = 0; codes[i] != NULL && k < i; k++)
            twice = twice || text_equal(codes[k], codes[i]);
        if (codes[i] == NULL)
            continue; /* its form is faulty, and that is told */
        if (twice)
            fault_add(master->faults, FAULT_INVALID, at, "%s stands in the list twice", codes[i]);
        else if (strcmp(codes[i], master->code) == 0)
            fault_add(master->faults, FAULT_INVALID, at, "%s cannot stand in for itself", codes[i]);
        else if (sku_find(master->ws, codes[i]) == NULL)
            fault_add(master->faults, FAULT_SKU_UNKNOWN, at, "there is no SKU %s", codes[i]);
    }
}

static void sku_check(struct master *master, const void *in)
{
    const struct sku_io *io = in;
    check_other_kind(master, false);
    if (io->gtin != NULL && !gtin_valid(io->gtin, strlen(io->gtin)))
        fault_add(master->faults, FAULT_BAD_FORMAT, "/gtin", "%s has not 8, 12, 13 or 14 digits with the right check digit", io->gtin);
    check_substitutes(master, &io->substitutes);
}

static void sku_store(struct master *master, const void *in)
{
    const struct sku_io *io = in;
    sku_write(master, (struct sku_row){ .id = master->id,
                                        .code = master->code,
                                        .name = io->name,
                                        .gtin = io->gtin,
                                        .weight_g = io->weight_g,
                                        .length_mm = io->length_mm,
                                        .width_mm = io->width_mm,
                                        .height_mm = io->height_mm,
                                        .substitutes = substitutes_text(ws_arena(master->ws), &io->substitutes),
                                        .hazmat = io->hazmat,
                                        .goods = io->goods,
                                        .version = master->version });
}

/* An empty list is none. */
static void sku_complete(struct master *master, void *whole)
{
    struct sku_io *io = whole;
    for (size_t i = 0; io->substitutes.count == 0 && i < sku_fields.count; i++)
        if (sku_fields.fields[i].offset == AT(sku_io, substitutes))
            field_reset(&sku_fields, i, io);
    for (size_t i = 0; i < sku_fields.count; i++) /* no hazmat and hazmat false are the same: GET shows neither */
        if (sku_fields.fields[i].offset == AT(sku_io, hazmat) && !io->hazmat)
            io->presence.came &= ~(UINT64_C(1) << i);
}

const struct master_kind sku_master = { .subject = SUBJECT_SKU,
                                        .fields = &sku_fields,
                                        .load = sku_load,
                                        .want = sku_want,
                                        .complete = sku_complete,
                                        .check = sku_check,
                                        .store = sku_store,
                                        .follow = sku_follow };

/* ---- bundles ---- */

struct part_io {
    struct field_presence presence;
    const char *sku;
    int64_t quantity;
};
struct bundle_io {
    struct field_presence presence;
    const char *code;
    int64_t version;
    const char *name;
    struct field_list components;
};
static const struct field part_rows[] = {
    { "sku", FIELD_CODE, AT(part_io, sku), .required = true, .doc = "a SKU or another bundle" },
    { "quantity", FIELD_INT, AT(part_io, quantity), .required = true, .min = 1, .max = 1000000, .doc = "in one bundle" },
};
static const struct field_table part_fields = { "BundleComponent", part_rows, COUNT(part_rows), sizeof(struct part_io) };
static const struct field bundle_rows[] = {
    { "code", FIELD_CODE, AT(bundle_io, code), .read_only = true, .doc = "of the path" },
    { "version", FIELD_INT, AT(bundle_io, version), .read_only = true, .doc = "rises with every change; the ETag" },
    { "name", FIELD_TEXT, AT(bundle_io, name), .required = true, .min = 1, .max = 255 },
    { "components", FIELD_LIST, AT(bundle_io, components), .required = true, .min = 1, .max = 200, .of = &part_fields },
};
const struct field_table bundle_fields = { "Bundle", bundle_rows, COUNT(bundle_rows), sizeof(struct bundle_io) };

static struct ws_cursor parts_of(struct ws *ws, int64_t bundle)
{
    return ws_scan(ws, &component_of_bundle, WS_PREFIX(db_int(ws_unit(ws)), db_int(bundle)), 0);
}

static bool bundle_load(struct master *master, void *out)
{
    struct bundle_io *io = out;
    const struct sku_row *row = sku_find(master->ws, master->code);
    if (row == NULL || !row->bundle)
        return false;
    *io = (struct bundle_io){ .code = row->code, .version = row->version, .name = row->name };
    const int64_t unit = ws_unit(master->ws);
    struct part_io *parts =
        ARENA_ARRAY(ws_arena(master->ws), struct part_io, ws_count(master->ws, &component_of_bundle, WS_PREFIX(db_int(unit), db_int(row->id))));
    const struct bundle_component_row *part;
    for (struct ws_cursor cursor = parts_of(master->ws, row->id); (part = ws_next(master->ws, &cursor)) != NULL;) {
        const struct sku_row *sku = ws_get(master->ws, &sku_table, WS_KEY(unit, part->sku));
        parts[io->components.count++] = (struct part_io){ .sku = sku->code, .quantity = part->quantity };
    }
    io->components.items = parts;
    master->id = row->id;
    master->version = row->version;
    return true;
}

static void bundle_want(struct master *master, int64_t id)
{
    const int64_t unit = ws_unit(master->ws);
    const struct bundle_component_row *part;
    sku_want(master, id);
    ws_want_path(master->ws, &component_of_bundle, WS_PREFIX(db_int(unit), db_int(id)), 0);
    struct ws_cursor cursor = ws_known_rows(master->ws, &component_of_bundle, WS_PREFIX(db_int(unit), db_int(id)));
    while ((part = ws_next(master->ws, &cursor)) != NULL)
        ws_want(master->ws, &sku_table, WS_KEY(unit, part->sku));
}

/* ---- what a bundle comes to ---- */

/* What one bundle shall be made of, in place of its rows; a check asks before it is written. */
struct recipe {
    int64_t bundle;
    const struct component *parts;
    size_t count;
};

/* Multiplying out goes level by level, and a bundle that is reached in several ways stands once in a level: the work grows
 * with the parts, not with the ways to them. `work` counts comparisons and ends what would take too long. */
struct flattening {
    struct ws *ws;
    const struct recipe *instead; /* NULL: none */
    struct component *out;        /* SKUs that hold stock, in order of first appearance */
    size_t room, count;
    struct component levels[2][BUNDLES_OF_LEVEL_MAX]; /* not in the arena: an order may have a thousand bundles */
    struct component *level, *next;                   /* of these: bundles that are still to be multiplied out */
    size_t level_count, next_count;
    int64_t *work;
};

static bool add_units(struct component *list, size_t room, size_t *count, int64_t sku, int64_t units, int64_t *work)
{
    size_t i = 0;
    while (i < *count && list[i].sku != sku)
        i++;
    *work -= (int64_t)i + 1;
    if (i == room || *work < 0)
        return false;
    if (i == *count)
        list[(*count)++] = (struct component){ .sku = sku };
    list[i].quantity += units;
    return list[i].quantity <= PIECE_UNITS_MAX;
}

/* All rows of a level are asked for at once. */
static void level_want(struct ws *ws, const struct component *level, size_t count)
{
    const int64_t unit = ws_unit(ws);
    const struct bundle_component_row *part;
    for (size_t i = 0; i < count; i++)
        ws_want_path(ws, &component_of_bundle, WS_PREFIX(db_int(unit), db_int(level[i].sku)), 0);
    ws_settle(ws);
    for (size_t i = 0; i < count; i++)
        for (struct ws_cursor cursor = parts_of(ws, level[i].sku); (part = ws_next(ws, &cursor)) != NULL;)
            ws_want(ws, &sku_table, WS_KEY(unit, part->sku));
    ws_settle(ws);
}

/* Those of a level's parts that are bundles, each once; no more than COMPONENTS_MAX of them. */
static size_t level_below(struct ws *ws, const struct component *level, size_t count, struct component *below)
{
    size_t found = 0;
    int64_t work = FLATTEN_WORK_MAX;
    const struct bundle_component_row *part;
    for (size_t i = 0; i < count; i++) {
        for (struct ws_cursor cursor = parts_of(ws, level[i].sku); (part = ws_next(ws, &cursor)) != NULL;) {
            const struct sku_row *row = ws_get(ws, &sku_table, WS_KEY(part->unit, part->sku));
            if (row->bundle && !add_units(below, COMPONENTS_MAX, &found, part->sku, 1, &work))
                return found; /* the others are asked for when they are multiplied out */
        }
    }
    return found;
}

void bundles_want(struct ws *ws, const int64_t *bundles, size_t count)
{
    struct component *level = ARENA_ARRAY(ws_arena(ws), struct component, count + 1);
    for (size_t i = 0; i < count; i++)
        level[i].sku = bundles[i];
    for (int depth = 0; depth < DEPTH_MAX && count > 0; depth++) {
        struct component *below = ARENA_ARRAY(ws_arena(ws), struct component, COMPONENTS_MAX);
        level_want(ws, level, count);
        count = level_below(ws, level, count, below);
        level = below;
    }
}

static bool part_add(struct flattening *f, int64_t sku, int64_t units)
{
    const struct sku_row *row = ws_get(f->ws, &sku_table, WS_KEY(ws_unit(f->ws), sku));
    return row->bundle ? add_units(f->next, BUNDLES_OF_LEVEL_MAX, &f->next_count, sku, units, f->work)
                       : add_units(f->out, f->room, &f->count, sku, units, f->work);
}

static bool bundle_add(struct flattening *f, const struct component *bundle)
{
    const struct bundle_component_row *part;
    bool fits = true;
    if (f->instead != NULL && f->instead->bundle == bundle->sku) {
        for (size_t i = 0; fits && i < f->instead->count; i++)
            fits = part_add(f, f->instead->parts[i].sku, f->instead->parts[i].quantity * bundle->quantity);
        return fits;
    }
    for (struct ws_cursor cursor = parts_of(f->ws, bundle->sku); fits && (part = ws_next(f->ws, &cursor)) != NULL;)
        fits = part_add(f, part->sku, part->quantity * bundle->quantity);
    return fits;
}

/* False: too deep, too many, too large, too much work. */
static bool flatten(struct flattening *f, int64_t bundle)
{
    bool fits = true;
    memset(f->levels, 0, sizeof f->levels);
    f->level = f->levels[0];
    f->next = f->levels[1];
    f->level[0] = (struct component){ .sku = bundle, .quantity = 1 };
    f->level_count = 1;
    f->count = 0;
    for (int depth = 0; fits && f->level_count > 0; depth++) {
        struct component *done = f->level;
        fits = depth < DEPTH_MAX;
        f->next_count = 0;
        level_want(f->ws, f->level, f->level_count);
        for (size_t i = 0; fits && i < f->level_count; i++)
            fits = bundle_add(f, &f->level[i]);
        f->level = f->next;
        f->level_count = f->next_count;
        f->next = memset(done, 0, BUNDLES_OF_LEVEL_MAX * sizeof *done);
    }
    return fits;
}

size_t bundle_flatten(struct ws *ws, int64_t bundle, struct component *out, size_t room)
{
    int64_t work = FLATTEN_WORK_MAX;
    struct flattening f = { .ws = ws, .out = memset(out, 0, room * sizeof *out), .room = room, .work = &work };
    return flatten(&f, bundle) ? f.count : room + 1;
}

/* ---- what a bundle may be made of ---- */

/* A bundle and all that it is part of, at any depth, each once. */
struct above {
    int64_t bundles[ABOVE_MAX + 1]; /* [0]: itself */
    size_t count;
};

static bool above_add(struct above *above, int64_t bundle)
{
    for (size_t i = 0; i < above->count; i++)
        if (above->bundles[i] == bundle)
            return true;
    if (above->count == COUNT(above->bundles))
        return false;
    above->bundles[above->count++] = bundle;
    return true;
}

/* False: there are more than ABOVE_MAX. */
static bool bundles_above(struct ws *ws, int64_t bundle, struct above *above)
{
    const int64_t unit = ws_unit(ws);
    const struct bundle_component_row *row;
    above->count = 0;
    (void)above_add(above, bundle);
    for (size_t from = 0, upto; from < above->count; from = upto) {
        upto = above->count;
        for (size_t i = from; i < upto; i++)
            ws_want_path(ws, &bundle_of_component, WS_PREFIX(db_int(unit), db_int(above->bundles[i])), ABOVE_MAX + 1);
        ws_settle(ws);
        for (size_t i = from; i < upto; i++) {
            struct ws_cursor cursor = ws_scan(ws, &bundle_of_component, WS_PREFIX(db_int(unit), db_int(above->bundles[i])), ABOVE_MAX + 1);
            while ((row = ws_next(ws, &cursor)) != NULL)
                if (!above_add(above, row->bundle))
                    return false;
        }
    }
    return true;
}

static void check_part(struct master *master, const struct part_io *parts, size_t i, const struct above *above)
{
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/components/%zu/sku", i);
    const char *at = arena_text(master->faults->arena, pointer);
    if (parts[i].sku == NULL)
        return;
    const struct sku_row *sku = sku_find(master->ws, parts[i].sku);
    bool cycle = strcmp(parts[i].sku, master->code) == 0;
    for (size_t k = 0; k < i; k++)
        if (text_equal(parts[k].sku, parts[i].sku)) {
            fault_add(master->faults, FAULT_INVALID, at, "%s stands in the list twice: add up its quantity", parts[i].sku);
            return;
        }
    for (size_t k = 0; sku != NULL && k < above->count; k++)
        cycle = cycle || above->bundles[k] == sku->id;
    if (cycle)
        fault_add(master->faults, FAULT_BUNDLE_CYCLE, at, "%s would contain itself", master->code);
    else if (sku == NULL)
        fault_add(master->faults, FAULT_SKU_UNKNOWN, at, "there is no SKU %s", parts[i].sku);
}

static bool same_parts(struct master *master, const struct recipe *recipe)
{
    const struct bundle_component_row *part;
    size_t i = 0;
    for (struct ws_cursor cursor = parts_of(master->ws, master->id); (part = ws_next(master->ws, &cursor)) != NULL; i++)
        if (i >= recipe->count || recipe->parts[i].sku != part->sku || recipe->parts[i].quantity != part->quantity)
            return false;
    return i == recipe->count;
}

/* What the bundle comes to, and then every bundle that contains it. */
static void check_sums(struct master *master, const struct recipe *recipe, const struct above *above)
{
    int64_t work = FLATTEN_WORK_MAX;
    struct flattening f = { .ws = master->ws, .instead = recipe, .room = COMPONENTS_MAX, .work = &work };
    f.out = ARENA_ARRAY(ws_arena(master->ws), struct component, COMPONENTS_MAX);
    if (!flatten(&f, recipe->bundle)) {
        fault_add(master->faults, FAULT_OUT_OF_RANGE, "/components", "at most %d different SKUs, %d levels, 10^9 units of one", COMPONENTS_MAX,
                  DEPTH_MAX);
        return;
    }
    int64_t left = RECHECK_WORK_MAX;
    for (size_t i = 1; i < above->count; i++) {
        const int64_t most = min_i64(left, FLATTEN_WORK_MAX); /* an order of it would end there */
        work = most;
        memset(f.out, 0, COMPONENTS_MAX * sizeof *f.out);
        if (flatten(&f, above->bundles[i])) {
            left -= most - work;
            continue;
        }
        const struct sku_row *container = ws_get(master->ws, &sku_table, WS_KEY(ws_unit(master->ws), above->bundles[i]));
        if (work < 0 && most < FLATTEN_WORK_MAX)
            fault_add(master->faults, FAULT_IN_USE, "/components", "it is part of too many bundles to check them all: make another one");
        else
            fault_add(master->faults, FAULT_OUT_OF_RANGE, "/components",
                      "%s contains it, and has at most %d different SKUs, %d levels, 10^9 units of one", container->code, COMPONENTS_MAX, DEPTH_MAX);
        return;
    }
}

static void bundle_check(struct master *master, const void *in)
{
    const struct bundle_io *io = in;
    const struct part_io *parts = io->components.items;
    struct above *above = ARENA_NEW(ws_arena(master->ws), struct above);
    check_other_kind(master, true);
    bool few = master->id == 0 || bundles_above(master->ws, master->id, above);
    for (size_t i = 0; i < io->components.count; i++)
        check_part(master, parts, i, above);
    if (master->faults->count > 0)
        return;
    struct component *wanted = ARENA_ARRAY(ws_arena(master->ws), struct component, io->components.count);
    for (size_t i = 0; i < io->components.count; i++)
        wanted[i] = (struct component){ sku_find(master->ws, parts[i].sku)->id, parts[i].quantity };
    struct recipe recipe = { .bundle = master->id, .parts = wanted, .count = io->components.count };
    if (master->id != 0 && same_parts(master, &recipe))
        return;
    if (!few)
        fault_add(master->faults, FAULT_IN_USE, "/components", "it is part of more than %d bundles: make another one", ABOVE_MAX);
    else
        check_sums(master, &recipe, above);
}

static void parts_write(struct master *master, struct ws *ws, const struct bundle_io *io)
{
    const struct part_io *parts = io->components.items;
    const struct bundle_component_row *old;
    for (struct ws_cursor cursor = parts_of(ws, master->id); (old = ws_next(ws, &cursor)) != NULL;)
        ws_delete(ws, old);
    for (size_t i = 0; i < io->components.count; i++) {
        struct bundle_component_row row = { .unit = ws_unit(ws),
                                            .bundle = master->id,
                                            .part = (int64_t)i + 1,
                                            .sku = sku_find(master->ws, parts[i].sku)->id,
                                            .quantity = parts[i].quantity };
        ws_insert(ws, &bundle_component_table, &row);
    }
}

static void bundle_store(struct master *master, const void *in)
{
    const struct bundle_io *io = in;
    sku_write(master, (struct sku_row){ .id = master->id,
                                        .code = master->code,
                                        .name = io->name,
                                        .bundle = true,
                                        .weight_g = NULL_INT,
                                        .length_mm = NULL_INT,
                                        .width_mm = NULL_INT,
                                        .height_mm = NULL_INT,
                                        .version = master->version });
    parts_write(master, master->ws, io);
    for (size_t i = 0; i < ws_unit_count(master->ws); i++)
        parts_write(master, ws_unit_at(master->ws, i), io);
}

const struct master_kind bundle_master = { .subject = SUBJECT_BUNDLE,
                                           .fields = &bundle_fields,
                                           .load = bundle_load,
                                           .want = bundle_want,
                                           .check = bundle_check,
                                           .store = bundle_store,
                                           .follow = sku_follow };
