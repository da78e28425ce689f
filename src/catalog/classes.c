/* src/catalog/classes.c: classes of goods: grades and owners, in which a SKU's units stand apart from those that are own, new and
 * saleable. Those have no class, which rows say as 0. */
#include "catalog/catalog.h"

#define AT(type, member) offsetof(struct type, member)

struct class_io {
    struct field_presence presence;
    const char *code;
    int64_t version;
    const char *name;
    bool saleable;
};
static const struct field class_rows[] = {
    { "code", FIELD_CODE, AT(class_io, code), .read_only = true, .doc = "of the path" },
    { "version", FIELD_INT, AT(class_io, version), .read_only = true, .doc = "rises with every change; the ETag" },
    { "name", FIELD_TEXT, AT(class_io, name), .required = true, .min = 1, .max = 255 },
    { "saleable", FIELD_BOOL, AT(class_io, saleable), .doc = "false: channels sell only goods without a class as yet" },
};
const struct field_table class_fields = { "Class", class_rows, COUNT(class_rows), sizeof(struct class_io) };

static const struct goods_class_row *class_find(struct ws *ws, const char *code)
{
    return ws_find(ws, &goods_class_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(code)));
}

static bool class_load(struct master *master, void *out)
{
    const struct goods_class_row *row = class_find(master->ws, master->code);
    if (row == NULL)
        return false;
    *(struct class_io *)out = (struct class_io){ .code = row->code, .version = row->version, .name = row->name };
    master->id = row->id;
    master->version = row->version;
    return true;
}

static void class_want(struct master *master, int64_t id)
{
    ws_want_path(master->ws, &goods_class_by_code, WS_PREFIX(db_int(ws_unit(master->ws)), db_text(master->code)), 0);
}

static void class_check(struct master *master, const void *in)
{
    const struct class_io *io = in;
    if (io->saleable)
        fault_add(master->faults, FAULT_NOT_AVAILABLE, "/saleable", "channels sell only goods without a class as yet");
    if (master->id == 0 && ws_count(master->ws, &goods_class_all, WS_PREFIX(db_int(ws_unit(master->ws)))) >= CLASSES_MAX)
        fault_add(master->faults, FAULT_IN_USE, NULL, "a company has at most %d classes", CLASSES_MAX);
}

/* The company's row and every unit's copy. */
static void class_store(struct master *master, const void *in)
{
    const struct class_io *io = in;
    struct goods_class_row row = { .id = master->id, .code = master->code, .name = io->name, .version = master->version };
    for (size_t i = 0; i <= ws_unit_count(master->ws); i++) {
        struct ws *ws = i == 0 ? master->ws : ws_unit_at(master->ws, i - 1);
        row.unit = ws_unit(ws);
        const struct goods_class_row *there = ws_get(ws, &goods_class_table, WS_KEY(row.unit, row.id));
        if (there != NULL)
            *(struct goods_class_row *)ws_edit(ws, there) = row;
        else
            ws_insert(ws, &goods_class_table, &row);
    }
}

const struct master_kind class_master = {
    .subject = SUBJECT_CLASS, .fields = &class_fields, .load = class_load, .want = class_want, .check = class_check, .store = class_store
};
