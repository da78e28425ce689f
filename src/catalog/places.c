/* src/catalog/places.c: where a business is: its units, and the nodes that hold its stock. */
#include "base/id.h"
#include "catalog/catalog.h"
#include "engine/jobs.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define AT(type, member) offsetof(struct type, member)
#define MASTER_FIELDS(type)                                                                                    \
    { "code", FIELD_CODE, AT(type, code), .read_only = true, .doc = "of the path" },                           \
    {                                                                                                          \
        "version", FIELD_INT, AT(type, version), .read_only = true, .doc = "rises with every change; the ETag" \
    }

static const void *find_by_code(struct ws *ws, const struct db_path *path, const char *code)
{
    return ws_find(ws, path, WS_PREFIX(db_int(ws_unit(ws)), db_text(code)));
}

/* ---- units ---- */

struct unit_io {
    struct field_presence presence;
    const char *code;
    int64_t version;
    const char *name;
    char currency[4], country[3];
    const char *time_zone;
};
static const struct field unit_rows[] = {
    MASTER_FIELDS(unit_io),
    { "name", FIELD_TEXT, AT(unit_io, name), .required = true, .min = 1, .max = 255 },
    { "currency", FIELD_CURRENCY, AT(unit_io, currency), .required = true, .doc = "of its books" },
    { "country", FIELD_COUNTRY, AT(unit_io, country), .required = true },
    { "time_zone", FIELD_TEXT, AT(unit_io, time_zone), .required = true, .min = 1, .max = 64, .doc = "IANA name" },
};
const struct field_table unit_fields = { "Unit", unit_rows, COUNT(unit_rows), sizeof(struct unit_io) };

static bool unit_load(struct master *master, void *out)
{
    struct unit_io *io = out;
    const struct business_unit_row *row = find_by_code(master->ws, &business_unit_by_code, master->code);
    if (row == NULL)
        return false;
    *io = (struct unit_io){ .code = row->code, .version = row->version, .name = row->name, .time_zone = row->time_zone };
    memcpy(io->currency, row->currency, 4);
    memcpy(io->country, row->country, 3);
    master->id = row->id;
    master->version = row->version;
    return true;
}

static bool zone_is_name(const char *zone)
{
    for (const char *at = zone; *at != '\0'; at++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/", *at))
            return false;
    return zone[0] != '/' && strstr(zone, "..") == NULL;
}

/* tzdata's folder also holds tables, this machine's own zone, and all zones again under posix/ and right/. */
#define ZONES "/usr/share/zoneinfo/"
bool zone_is_installed(struct arena *arena, const char *zone)
{
    static const char *const not_names[] = { "posix/", "right/", "localtime", "posixrules" };
    char magic[4] = "";
    if (!zone_is_name(zone))
        return false;
    for (size_t i = 0; i < COUNT(not_names); i++)
        if (strncmp(zone, not_names[i], strlen(not_names[i])) == 0)
            return false;
    if (access(ZONES "UTC", R_OK) != 0)
        return true; /* no tzdata here: the form must do */
    int file = open(arena_printf(arena, ZONES "%s", zone), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno != ENOENT && errno != ENOTDIR; /* nor where it cannot be looked for */
    ssize_t bytes = read(file, magic, sizeof magic);
    bool is_unread = bytes < 0 && errno != EISDIR;
    close(file);
    return is_unread || (bytes == (ssize_t)sizeof magic && memcmp(magic, "TZif", sizeof magic) == 0);
}

/* Files are read here, never in decide: there only the form is looked at. */
bool unit_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    const struct unit_io *io = command->input;
    if (io->time_zone != NULL && zone_is_name(io->time_zone) && !zone_is_installed(command->arena, io->time_zone))
        fault_add(faults, FAULT_BAD_FORMAT, "/time_zone", "%s is no IANA time zone", io->time_zone);
    return master_edge(edge, request, command, faults) && faults->count == 0;
}

static void unit_want(struct master *master, int64_t id)
{
    ws_want_path(master->ws, &business_unit_by_code, WS_PREFIX(db_int(ws_unit(master->ws)), db_text(master->code)), 0);
}

static void unit_check(struct master *master, const void *in)
{
    const struct unit_io *io = in;
    if (master->id == 0 && strcmp(master->code, "company") == 0) /* /v1/events?unit=company: no event of such a unit could be read */
        fault_add(master->faults, FAULT_INVALID, NULL, "company stands for what all units share, no unit can be called so");
    if (io->time_zone != NULL && !zone_is_name(io->time_zone))
        fault_add(master->faults, FAULT_BAD_FORMAT, "/time_zone", "%s is no IANA time zone", io->time_zone);
    const struct unit_io *before = NULL;
    struct unit_io there;
    if (master->id != 0 && unit_load(master, &there))
        before = &there;
    if (before != NULL && io->currency[0] != '\0' && strcmp(before->currency, io->currency) != 0)
        fault_add(master->faults, FAULT_IN_USE, "/currency", "the books of %s are in %s", master->code, before->currency);
}

/* ---- a new unit's copies of SKUs and bundles: the company's masters are everybody's ---- */

#define COPY_WINDOW 1000 /* ids that are loaded at once */
#define COPY_ROWS 4000   /* after so many a command ends: the rest is a job's */

/* Returns how many rows it wrote. */
static int64_t copy_sku(struct ws *company, struct ws *unit, const struct sku_row *row, bool is_new)
{
    struct sku_row copy = *row;
    copy.unit = ws_unit(unit);
    if (!is_new && ws_get(unit, &sku_table, WS_KEY(copy.unit, copy.id)) != NULL)
        return 0; /* made or changed since the unit is there: that command has written the copy */
    ws_insert(unit, &sku_table, &copy);
    int64_t rows = 1;
    if (!row->bundle)
        return rows;
    struct ws_cursor parts = ws_scan(company, &component_of_bundle, WS_PREFIX(db_int(0), db_int(row->id)), 0);
    for (const struct bundle_component_row *part; (part = ws_next(company, &parts)) != NULL;) {
        struct bundle_component_row part_copy = *part;
        part_copy.unit = copy.unit;
        ws_insert(unit, &bundle_component_table, &part_copy);
        rows++;
    }
    return rows;
}

static void want_copies(struct ws *company, struct ws *unit, int64_t from, int64_t upto, bool is_new)
{
    for (int64_t id = from; id <= upto; id++) {
        ws_want(company, &sku_table, WS_KEY(0, id));
        if (!is_new)
            ws_want(unit, &sku_table, WS_KEY(ws_unit(unit), id));
    }
    ws_settle(company);
    for (int64_t id = from; id <= upto; id++) {
        const struct sku_row *row = ws_get(company, &sku_table, WS_KEY(0, id));
        if (row != NULL && row->bundle)
            ws_want_path(company, &component_of_bundle, WS_PREFIX(db_int(0), db_int(id)), 0);
    }
    ws_settle(company);
    if (!is_new)
        ws_settle(unit);
}

/* Copies those whose id is past `done`; returns how far it came. False in *more: that is all. is_new: the unit is made by
 * this command, so nothing of it is in the store. */
static int64_t copy_some(struct ws *company, struct ws *unit, int64_t done, bool is_new, bool *more)
{
    const int64_t last = ws_clock(company)->next_id - 1;
    int64_t wanted = done;
    for (int64_t rows = 0; done < last && rows < COPY_ROWS;) {
        if (done == wanted)
            want_copies(company, unit, done + 1, wanted = min_i64(done + COPY_WINDOW, last), is_new);
        const struct sku_row *row = ws_get(company, &sku_table, WS_KEY(0, ++done));
        if (row != NULL)
            rows += copy_sku(company, unit, row, is_new);
    }
    *more = done < last;
    return done;
}

static void copy_classes(struct ws *company, struct ws *unit)
{
    struct ws_cursor cursor = ws_scan(company, &goods_class_all, WS_PREFIX(db_int(0)), 0);
    for (const struct goods_class_row *row; (row = ws_next(company, &cursor)) != NULL;) {
        struct goods_class_row copy = *row;
        copy.unit = ws_unit(unit);
        ws_insert(unit, &goods_class_table, &copy);
    }
}

/* The unit's own commands wait until it knows all SKUs. */
static void copy_masters(struct master *master, struct ws *unit)
{
    bool more;
    int64_t done = copy_some(master->ws, unit, 0, true, &more);
    if (!more)
        return;
    struct job_row *job = job_open(master->ws, JOB_COPY_MASTERS, ws_unit(unit), 0);
    job->progress = done;
    ws_clock(unit)->blocked = job->id;
}

static bool copy_step(struct ws *company, struct job_row *job)
{
    bool more;
    struct ws *unit = ws_of_unit(company, job->subject);
    job->progress = copy_some(company, unit, job->progress, false, &more);
    if (!more)
        ws_clock(unit)->blocked = 0;
    return more;
}

const struct job_work copy_masters_job = { copy_step };

static void unit_store(struct master *master, const void *in)
{
    const struct unit_io *io = in;
    struct business_unit_row row = { .unit = 0,
                                     .code = master->code,
                                     .name = io->name,
                                     .currency = io->currency,
                                     .country = io->country,
                                     .time_zone = io->time_zone,
                                     .version = master->version };
    const struct business_unit_row *there = find_by_code(master->ws, &business_unit_by_code, master->code);
    struct ws *unit;
    if (there != NULL) {
        row.id = there->id;
        *(struct business_unit_row *)ws_edit(master->ws, there) = row;
        unit = ws_of_unit(master->ws, row.id);
        row.unit = row.id;
        *(struct business_unit_row *)ws_edit(unit, ws_get(unit, &business_unit_table, WS_KEY(row.id, row.id))) = row;
    } else {
        row.id = (int64_t)ws_unit_count(master->ws) + 1; /* units are never deleted: the next number is free */
        unit = ws_new_unit(master->ws, row.id);
        if (unit == NULL) {
            fault_add(master->faults, FAULT_IN_USE, NULL, "this process serves no more units");
            return;
        }
        ws_insert(master->ws, &business_unit_table, &row);
        row.unit = row.id;
        ws_insert(unit, &business_unit_table, &row);
        copy_classes(master->ws, unit);
        copy_masters(master, unit);
    }
    master->id = row.id;
    master->owner = row.id;
}

const struct master_kind unit_master = {
    .subject = SUBJECT_UNIT, .fields = &unit_fields, .load = unit_load, .want = unit_want, .check = unit_check, .store = unit_store
};

/* ---- nodes ---- */

const char *const node_kind_names[] = { "warehouse", "third_party", "store", "marketplace", "supplier", NULL };
static const char *const authority_names[] = { "governed", "mirrored", NULL };

struct node_io {
    struct field_presence presence;
    const char *code;
    int64_t version;
    const char *unit, *name;
    int64_t kind, authority;
    char country[3];
    const char *postal_code;
    int64_t priority, capacity_per_day;
};
static const struct field node_rows[] = {
    MASTER_FIELDS(node_io),
    { "unit", FIELD_CODE, AT(node_io, unit), .required = true, .doc = "never changes" },
    { "name", FIELD_TEXT, AT(node_io, name), .required = true, .min = 1, .max = 255 },
    { "kind", FIELD_ENUM, AT(node_io, kind), .required = true, .names = node_kind_names },
    { "authority", FIELD_ENUM, AT(node_io, authority), .names = authority_names, .doc = "governed: our count is the truth; mirrored: theirs" },
    { "country", FIELD_COUNTRY, AT(node_io, country), .required = true },
    { "postal_code", FIELD_TEXT, AT(node_io, postal_code), .required = true, .min = 1, .max = 32 },
    { "priority", FIELD_INT, AT(node_io, priority), .min = 1, .max = 1000, .preset = 1, .doc = "1 ships first" },
    { "capacity_per_day", FIELD_INT, AT(node_io, capacity_per_day), .min = 0, .max = 1000000000, .nullable = true, .preset = NULL_INT,
      .doc = "orders; null: no limit" },
};
const struct field_table node_fields = { "Node", node_rows, COUNT(node_rows), sizeof(struct node_io) };

static const char *unit_code(struct ws *ws, int64_t owner)
{
    const struct business_unit_row *row = ws_get(ws, &business_unit_table, WS_KEY(ws_unit(ws), owner));
    return row->code;
}

static bool node_load(struct master *master, void *out)
{
    struct node_io *io = out;
    const struct node_row *row = find_by_code(master->ws, &node_by_code, master->code);
    if (row == NULL)
        return false;
    *io = (struct node_io){ .code = row->code,
                            .version = row->version,
                            .unit = unit_code(master->ws, row->owner),
                            .name = row->name,
                            .kind = row->kind,
                            .authority = row->authority,
                            .postal_code = row->postal_code,
                            .priority = row->priority,
                            .capacity_per_day = row->capacity_per_day };
    memcpy(io->country, row->country, 3);
    master->id = row->id;
    master->version = row->version;
    master->owner = row->owner;
    return true;
}

static void node_want(struct master *master, int64_t id)
{
    ws_want_path(master->ws, &node_by_code, WS_PREFIX(db_int(ws_unit(master->ws)), db_text(master->code)), 0);
}

static void node_check(struct master *master, const void *in)
{
    static const char *const taken[] = { "supplier", "customer", "adjustment", "scrap", "in_transit" };
    const struct node_io *io = in;
    for (size_t i = 0; i < COUNT(taken); i++)
        if (strcmp(master->code, taken[i]) == 0)
            fault_add(master->faults, FAULT_INVALID, NULL, "%s is a place that is no node, none can be called so", master->code);
    if (io->unit == NULL)
        return;
    const struct business_unit_row *unit = find_by_code(master->ws, &business_unit_by_code, io->unit);
    if (unit == NULL)
        fault_add(master->faults, FAULT_UNIT_UNKNOWN, "/unit", "there is no unit %s", io->unit);
    else if (master->id != 0 && master->owner != unit->id)
        fault_add(master->faults, FAULT_WRONG_UNIT, "/unit", "a node stays in its unit");
    else
        master->owner = unit->id;
}

static void node_store(struct master *master, const void *in)
{
    const struct node_io *io = in;
    struct node_row row = { .id = master->id,
                            .owner = master->owner,
                            .code = master->code,
                            .name = io->name,
                            .kind = io->kind,
                            .authority = io->authority,
                            .country = io->country,
                            .postal_code = io->postal_code,
                            .priority = io->priority,
                            .capacity_per_day = io->capacity_per_day,
                            .version = master->version };
    struct ws *const sets[] = { master->ws, ws_of_unit(master->ws, master->owner) };
    for (size_t i = 0; i < COUNT(sets); i++) {
        row.unit = ws_unit(sets[i]);
        const struct node_row *there = ws_get(sets[i], &node_table, WS_KEY(row.unit, row.id));
        if (there != NULL)
            *(struct node_row *)ws_edit(sets[i], there) = row;
        else
            ws_insert(sets[i], &node_table, &row);
    }
}

const struct master_kind node_master = {
    .subject = SUBJECT_NODE, .fields = &node_fields, .load = node_load, .want = node_want, .check = node_check, .store = node_store
};
