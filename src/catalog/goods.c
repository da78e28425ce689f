/* src/catalog/goods.c: what is sold: SKUs, and bundles, which are SKUs that hold no stock and are made of components. */
#include "base/id.h"
#include "catalog/catalog.h"
#include <stdio.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
#define COMPONENTS_MAX 1500
#define DEPTH_MAX 8
#define PIECE_UNITS_MAX INT64_C(1000000000)

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

/* ---- SKUs ---- */

struct sku_io {
    struct field_presence presence;
    const char *code;
    int64_t version;
    const char *name, *gtin;
    int64_t weight_g, length_mm, width_mm, height_mm;
};
#define MEASURE(member, text) \
    { #member, FIELD_INT, AT(sku_io, member), .min = 0, .max = 1000000000, .preset = NULL_INT, .hide_absent = true, .doc = text }
static const struct field sku_rows[] = {
    { "code", FIELD_CODE, AT(sku_io, code), .read_only = true, .doc = "of the path" },
    { "version", FIELD_INT, AT(sku_io, version), .read_only = true, .doc = "rises with every change; the ETag" },
    { "name", FIELD_TEXT, AT(sku_io, name), .required = true, .min = 1, .max = 255 },
    { "gtin", FIELD_TEXT, AT(sku_io, gtin), .max = 14, .hide_absent = true, .doc = "GTIN-8, -12, -13 or -14 with its check digit" },
    MEASURE(weight_g, "grams"), MEASURE(length_mm, "millimetres"), MEASURE(width_mm, "millimetres"), MEASURE(height_mm, "millimetres"),
};
const struct field_table sku_fields = { "Sku", sku_rows, COUNT(sku_rows), sizeof(struct sku_io) };

static bool sku_load(struct master *master, void *out)
{
    struct sku_io *io = out;
    const struct sku_row *row = sku_find(master->ws, master->code);
    if (row == NULL || row->bundle)
        return false;
    *io = (struct sku_io){ .code = row->code, .version = row->version, .name = row->name, .gtin = row->gtin, .weight_g = row->weight_g,
                           .length_mm = row->length_mm, .width_mm = row->width_mm, .height_mm = row->height_mm };
    const struct {
        const char *name;
        bool there;
    } optional[] = { { "gtin", row->gtin != NULL },           { "weight_g", row->weight_g != NULL_INT },   { "length_mm", row->length_mm != NULL_INT },
                     { "width_mm", row->width_mm != NULL_INT }, { "height_mm", row->height_mm != NULL_INT } };
    for (size_t i = 0; i < COUNT(optional); i++)
        if (optional[i].there)
            master_has(&sku_fields, io, optional[i].name);
    master->id = row->id;
    master->version = row->version;
    return true;
}

static void check_other_kind(struct master *master, bool bundle)
{
    const struct sku_row *row = sku_find(master->ws, master->code);
    if (row != NULL && (row->bundle != 0) != bundle)
        fault_add(master->faults, FAULT_IN_USE, NULL, "%s is a %s", master->code, bundle ? "SKU that holds stock" : "bundle");
}

static void sku_check(struct master *master, const void *in)
{
    const struct sku_io *io = in;
    check_other_kind(master, false);
    if (io->gtin != NULL && !gtin_valid(io->gtin, strlen(io->gtin)))
        fault_add(master->faults, FAULT_BAD_FORMAT, "/gtin", "%s has not 8, 12, 13 or 14 digits with the right check digit", io->gtin);
}

static void sku_store(struct master *master, const void *in)
{
    const struct sku_io *io = in;
    sku_write(master, (struct sku_row){ .id = master->id, .code = master->code, .name = io->name, .gtin = io->gtin, .weight_g = io->weight_g,
                                        .length_mm = io->length_mm, .width_mm = io->width_mm, .height_mm = io->height_mm,
                                        .version = master->version });
}

const struct master_kind sku_master = { SUBJECT_SKU, &sku_fields, false, sku_load, sku_check, sku_store };

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
    struct part_io *parts = ARENA_ARRAY(ws_arena(master->ws), struct part_io,
                                        ws_count(master->ws, &component_of_bundle, WS_PREFIX(db_int(unit), db_int(row->id))));
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

/* Adds what one piece of `sku` is made of, `times`; false: too deep, too many, too large. */
static bool flatten(struct ws *ws, int64_t sku, int64_t times, int depth, struct component *out, size_t room, size_t *count)
{
    const struct sku_row *row = ws_get(ws, &sku_table, WS_KEY(ws_unit(ws), sku));
    if (depth > DEPTH_MAX || times > PIECE_UNITS_MAX)
        return false;
    if (!row->bundle) {
        size_t i = 0;
        while (i < *count && out[i].sku != sku)
            i++;
        if (i == room)
            return false;
        if (i == *count)
            out[(*count)++] = (struct component){ .sku = sku };
        out[i].quantity += times;
        return out[i].quantity <= PIECE_UNITS_MAX;
    }
    const struct bundle_component_row *part;
    for (struct ws_cursor cursor = parts_of(ws, sku); (part = ws_next(ws, &cursor)) != NULL;)
        if (!flatten(ws, part->sku, times * part->quantity, depth + 1, out, room, count))
            return false;
    return true;
}

size_t bundle_flatten(struct ws *ws, int64_t bundle, struct component *out, size_t room)
{
    size_t count = 0;
    memset(out, 0, room * sizeof *out);
    return flatten(ws, bundle, 1, 0, out, room, &count) ? count : room + 1;
}

/* Whether `sku` is made of `bundle`, at any depth. */
static bool contains(struct ws *ws, int64_t sku, int64_t bundle, int depth)
{
    if (sku == bundle || depth > DEPTH_MAX)
        return sku == bundle;
    const struct bundle_component_row *part;
    for (struct ws_cursor cursor = parts_of(ws, sku); (part = ws_next(ws, &cursor)) != NULL;)
        if (contains(ws, part->sku, bundle, depth + 1))
            return true;
    return false;
}

static void check_part(struct master *master, const struct part_io *parts, size_t i)
{
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/components/%zu/sku", i);
    const char *at = arena_text(master->faults->arena, pointer);
    const struct sku_row *sku = sku_find(master->ws, parts[i].sku);
    for (size_t k = 0; k < i; k++)
        if (strcmp(parts[k].sku, parts[i].sku) == 0) {
            fault_add(master->faults, FAULT_INVALID, at, "%s stands in the list twice: add up its quantity", parts[i].sku);
            return;
        }
    if (strcmp(parts[i].sku, master->code) == 0 || (sku != NULL && master->id != 0 && contains(master->ws, sku->id, master->id, 0)))
        fault_add(master->faults, FAULT_BUNDLE_CYCLE, at, "%s would contain itself", master->code);
    else if (sku == NULL)
        fault_add(master->faults, FAULT_SKU_UNKNOWN, at, "there is no SKU %s", parts[i].sku);
}

static void bundle_check(struct master *master, const void *in)
{
    const struct bundle_io *io = in;
    const struct part_io *parts = io->components.items;
    check_other_kind(master, true);
    for (size_t i = 0; i < io->components.count; i++)
        check_part(master, parts, i);
    if (master->faults->count > 0)
        return;
    struct component *flat = ARENA_ARRAY(ws_arena(master->ws), struct component, COMPONENTS_MAX);
    size_t count = 0;
    for (size_t i = 0; i < io->components.count; i++)
        if (!flatten(master->ws, sku_find(master->ws, parts[i].sku)->id, parts[i].quantity, 1, flat, COMPONENTS_MAX, &count)) {
            fault_add(master->faults, FAULT_OUT_OF_RANGE, "/components", "at most %d different SKUs, %d levels, 10^9 units of one", COMPONENTS_MAX, DEPTH_MAX);
            return;
        }
}

static void parts_write(struct master *master, struct ws *ws, const struct bundle_io *io)
{
    const struct part_io *parts = io->components.items;
    const struct bundle_component_row *old;
    for (struct ws_cursor cursor = parts_of(ws, master->id); (old = ws_next(ws, &cursor)) != NULL;)
        ws_delete(ws, old);
    for (size_t i = 0; i < io->components.count; i++) {
        struct bundle_component_row row = { .unit = ws_unit(ws), .bundle = master->id, .part = (int64_t)i + 1,
                                            .sku = sku_find(master->ws, parts[i].sku)->id, .quantity = parts[i].quantity };
        ws_insert(ws, &bundle_component_table, &row);
    }
}

static void bundle_store(struct master *master, const void *in)
{
    const struct bundle_io *io = in;
    sku_write(master, (struct sku_row){ .id = master->id, .code = master->code, .name = io->name, .bundle = true, .weight_g = NULL_INT,
                                        .length_mm = NULL_INT, .width_mm = NULL_INT, .height_mm = NULL_INT, .version = master->version });
    parts_write(master, master->ws, io);
    for (size_t i = 0; i < ws_unit_count(master->ws); i++)
        parts_write(master, ws_unit_at(master->ws, i), io);
}

const struct master_kind bundle_master = { SUBJECT_BUNDLE, &bundle_fields, false, bundle_load, bundle_check, bundle_store };
