/* src/catalog/channels.c: where demand comes from, and what each channel calls our SKUs. */
#include "catalog/catalog.h"
#include <stdio.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)

const char *const shortage_names[] = { "reject", "backorder", "partial", NULL };
const char *const channel_kind_names[] = { "store", "marketplace", "b2b", "retail", "social", NULL };
static const char *const release_names[] = { "auto", "manual", NULL };

struct channel_io {
    struct field_presence presence;
    const char *code;
    int64_t version;
    const char *unit, *name;
    int64_t kind, priority;
    struct field_list nodes;
    int64_t shortage, buffer, release;
    bool split;
    int64_t deliver_after_days;
    int64_t max_shipments;
    const char *group;
};
static const struct field channel_rows[] = {
    { "code", FIELD_CODE, AT(channel_io, code), .read_only = true, .doc = "of the path" },
    { "version", FIELD_INT, AT(channel_io, version), .read_only = true, .doc = "rises with every change; the ETag" },
    { "unit", FIELD_CODE, AT(channel_io, unit), .required = true, .doc = "never changes" },
    { "name", FIELD_TEXT, AT(channel_io, name), .required = true, .min = 1, .max = 255 },
    { "kind", FIELD_ENUM, AT(channel_io, kind), .required = true, .names = channel_kind_names, .doc = "a marketplace's orders are always accepted" },
    { "priority", FIELD_INT, AT(channel_io, priority), .min = 1, .max = 1000, .preset = 1,
      .doc = "1 is served first; an order keeps the rank that it came with" },
    { "nodes", FIELD_CODES, AT(channel_io, nodes), .required = true, .min = 1, .max = CHANNEL_NODES_MAX, .doc = "that may ship its orders" },
    { "shortage", FIELD_ENUM, AT(channel_io, shortage), .required = true, .names = shortage_names, .doc = "what happens to what is short" },
    { "buffer", FIELD_INT, AT(channel_io, buffer), .min = 0, .max = INT64_C(1000000000), .doc = "units held back of each SKU" },
    { "release", FIELD_ENUM, AT(channel_io, release), .names = release_names, .doc = "auto: as soon as nothing is in the way" },
    { "split", FIELD_BOOL, AT(channel_io, split), .preset = 1, .doc = "a bundle's components may come from several nodes" },
    { "deliver_after_days", FIELD_INT, AT(channel_io, deliver_after_days), .min = 1, .max = 3650, .nullable = true, .preset = 30,
      .doc = "a parcel counts as delivered so long after it was shipped, where nobody said so; null: never. Parcels keep what held when they left" },
    { "max_shipments", FIELD_INT, AT(channel_io, max_shipments), .min = 1, .max = CHANNEL_NODES_MAX, .nullable = true, .preset = NULL_INT,
      .doc = "an order comes apart into so many parcels at most, what they cannot take waits; null: no bound" },
    { "group", FIELD_CODE, AT(channel_io, group), .doc = "shares fences with the channels of the same group; default: its own" },
};
const struct field_table channel_fields = { "Channel", channel_rows, COUNT(channel_rows), sizeof(struct channel_io) };

static const struct channel_row *channel_find(struct ws *ws, const char *code)
{
    return ws_find(ws, &channel_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(code)));
}

static struct ws_cursor nodes_of(struct ws *ws, int64_t channel)
{
    return ws_scan(ws, &node_of_channel, WS_PREFIX(db_int(ws_unit(ws)), db_int(channel)), 0);
}

static bool channel_load(struct master *master, void *out)
{
    struct ws *ws = master->ws;
    struct channel_io *io = out;
    const struct channel_row *row = channel_find(ws, master->code);
    if (row == NULL)
        return false;
    const struct business_unit_row *unit = ws_get(ws, &business_unit_table, WS_KEY(ws_unit(ws), row->owner));
    *io = (struct channel_io){ .code = row->code,
                               .version = row->version,
                               .unit = unit->code,
                               .name = row->name,
                               .kind = row->kind,
                               .priority = row->priority,
                               .shortage = row->shortage,
                               .buffer = row->buffer,
                               .release = row->manual_release,
                               .split = row->split != 0,
                               .deliver_after_days = row->deliver_after_days == 0 ? NULL_INT : row->deliver_after_days,
                               .max_shipments = row->max_shipments,
                               .group = row->channel_group };
    const char **codes = ARENA_ARRAY(ws_arena(ws), const char *, CHANNEL_NODES_MAX);
    const struct channel_node_row *each;
    for (struct ws_cursor cursor = nodes_of(ws, row->id); (each = ws_next(ws, &cursor)) != NULL;)
        codes[io->nodes.count++] = ((const struct node_row *)ws_get(ws, &node_table, WS_KEY(ws_unit(ws), each->node)))->code;
    io->nodes.items = codes;
    master->id = row->id;
    master->version = row->version;
    master->owner = row->owner;
    return true;
}

static void channel_want(struct master *master, int64_t id)
{
    const int64_t unit = ws_unit(master->ws);
    const struct channel_node_row *each;
    ws_want_path(master->ws, &channel_by_code, WS_PREFIX(db_int(unit), db_text(master->code)), 0);
    ws_want_path(master->ws, &node_of_channel, WS_PREFIX(db_int(unit), db_int(id)), 0);
    struct ws_cursor cursor = ws_known_rows(master->ws, &node_of_channel, WS_PREFIX(db_int(unit), db_int(id)));
    while ((each = ws_next(master->ws, &cursor)) != NULL)
        ws_want(master->ws, &node_table, WS_KEY(unit, each->node));
}

static void channel_complete(struct master *master, void *whole)
{
    struct channel_io *io = whole;
    if (io->group == NULL)
        io->group = master->code;
}

static const struct node_row *node_find(struct ws *ws, const char *code)
{
    return ws_find(ws, &node_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(code)));
}

static void check_node(struct master *master, const char *const *codes, size_t i)
{
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/nodes/%zu", i);
    const char *at = arena_text(master->faults->arena, pointer);
    if (codes[i] == NULL)
        return;
    const struct node_row *node = node_find(master->ws, codes[i]);
    for (size_t k = 0; k < i; k++)
        if (text_equal(codes[k], codes[i]))
            fault_add(master->faults, FAULT_INVALID, at, "%s stands in the list twice", codes[i]);
    if (node == NULL)
        fault_add(master->faults, FAULT_NODE_UNKNOWN, at, "there is no node %s", codes[i]);
    else if (master->owner != 0 && node->owner != master->owner)
        fault_add(master->faults, FAULT_WRONG_UNIT, at, "%s is a node of another unit", codes[i]);
}

static void channel_check(struct master *master, const void *in)
{
    const struct channel_io *io = in;
    const struct business_unit_row *unit =
        io->unit == NULL ? NULL : ws_find(master->ws, &business_unit_by_code, WS_PREFIX(db_int(0), db_text(io->unit)));
    if (unit == NULL && io->unit != NULL)
        fault_add(master->faults, FAULT_UNIT_UNKNOWN, "/unit", "there is no unit %s", io->unit);
    else if (unit != NULL && master->id != 0 && master->owner != unit->id)
        fault_add(master->faults, FAULT_WRONG_UNIT, "/unit", "a channel stays in its unit");
    if (io->unit != NULL)
        master->owner = unit == NULL ? 0 : unit->id;
    for (size_t i = 0; i < io->nodes.count; i++)
        check_node(master, io->nodes.items, i);
    if (io->kind == CHANNEL_MARKETPLACE && io->max_shipments != NULL_INT)
        fault_add(master->faults, FAULT_INVALID, "/max_shipments", "what a marketplace has sold ships from wherever it stands");
}

static void nodes_write(struct master *master, struct ws *ws, const struct channel_io *io)
{
    const struct channel_node_row *old;
    for (struct ws_cursor cursor = nodes_of(ws, master->id); (old = ws_next(ws, &cursor)) != NULL;)
        ws_delete(ws, old);
    for (size_t i = 0; i < io->nodes.count; i++) {
        struct channel_node_row row = { .unit = ws_unit(ws),
                                        .channel = master->id,
                                        .part = (int64_t)i + 1,
                                        .node = node_find(master->ws, ((const char *const *)io->nodes.items)[i])->id };
        ws_insert(ws, &channel_node_table, &row);
    }
}

static bool serves(struct ws *ws, int64_t channel, int64_t node)
{
    const struct channel_node_row *each;
    for (struct ws_cursor cursor = nodes_of(ws, channel); (each = ws_next(ws, &cursor)) != NULL;)
        if (each->node == node)
            return true;
    return false;
}

/* Whether this channel, or by the rank of its group another one, may have more than before: asked before anything is written. A
 * new one may join a group and raise it. What listings show (cap, share) keeps nothing from who waits. */
static bool eases(struct master *master, struct ws *ws, const struct channel_row *row, const struct channel_io *io)
{
    if (row == NULL)
        return true;
    bool eased =
        io->buffer < row->buffer || (io->split && !row->split) || io->priority != row->priority || !text_equal(io->group, row->channel_group);
    for (size_t i = 0; i < io->nodes.count && !eased; i++)
        eased = !serves(ws, row->id, node_find(master->ws, ((const char *const *)io->nodes.items)[i])->id);
    return eased;
}

/* Whether it sells from other nodes than before: asked before anything is written. */
static bool moves(struct master *master, struct ws *ws, const struct channel_row *row, const struct channel_io *io)
{
    size_t had = 0;
    bool moved = false;
    if (row == NULL)
        return false; /* nobody waits there yet */
    for (struct ws_cursor cursor = nodes_of(ws, row->id); ws_next(ws, &cursor) != NULL;)
        had++;
    for (size_t i = 0; i < io->nodes.count && !moved; i++)
        moved = !serves(ws, row->id, node_find(master->ws, ((const char *const *)io->nodes.items)[i])->id);
    return moved || had != io->nodes.count;
}

static void channel_store(struct master *master, const void *in)
{
    const struct channel_io *io = in;
    struct channel_row row = { .id = master->id,
                               .owner = master->owner,
                               .code = master->code,
                               .name = io->name,
                               .kind = io->kind,
                               .priority = io->priority,
                               .shortage = io->shortage,
                               .buffer = io->buffer,
                               .manual_release = io->release,
                               .split = io->split,
                               .deliver_after_days = io->deliver_after_days == NULL_INT ? 0 : io->deliver_after_days,
                               .max_shipments = io->max_shipments,
                               .channel_group = io->group,
                               .version = master->version };
    struct ws *const sets[] = { master->ws, ws_of_unit(master->ws, master->owner) };
    for (size_t i = 0; i < COUNT(sets); i++) {
        row.unit = ws_unit(sets[i]);
        const struct channel_row *there = ws_get(sets[i], &channel_table, WS_KEY(row.unit, row.id));
        row.listings = there == NULL ? 0 : there->listings;
        master->eased = eases(master, sets[i], there, io);
        master->moved = moves(master, sets[i], there, io);
        if (there != NULL)
            *(struct channel_row *)ws_edit(sets[i], there) = row;
        else
            ws_insert(sets[i], &channel_table, &row);
        nodes_write(master, sets[i], io);
    }
}

static void channel_follow(struct master *master, const void *io)
{
    if (master->eased)
        catalog_followers.channels_eased(ws_of_unit(master->ws, master->owner));
    if (master->moved)
        catalog_followers.channel_moved(ws_of_unit(master->ws, master->owner));
}

const struct master_kind channel_master = { .subject = SUBJECT_CHANNEL,
                                            .fields = &channel_fields,
                                            .load = channel_load,
                                            .want = channel_want,
                                            .complete = channel_complete,
                                            .check = channel_check,
                                            .store = channel_store,
                                            .follow = channel_follow };

/* ---- listings: one SKU as one channel knows it; of the channel's unit ---- */

struct listing_io {
    struct field_presence presence;
    const char *code;
    int64_t version;
    const char *sku;
    int64_t buffer, cap, share_ppm;
};
static const struct field listing_rows[] = {
    { "channel_sku", FIELD_CODE, AT(listing_io, code), .read_only = true, .doc = "of the path" },
    { "version", FIELD_INT, AT(listing_io, version), .read_only = true, .doc = "rises with every change; the ETag" },
    { "sku", FIELD_CODE, AT(listing_io, sku), .required = true, .doc = "ours; a SKU or a bundle" },
    { "buffer", FIELD_INT, AT(listing_io, buffer), .min = 0, .max = INT64_C(1000000000), .doc = "the larger of this and the channel's counts" },
    { "cap", FIELD_INT, AT(listing_io, cap), .min = 0, .max = INT64_C(1000000000), .nullable = true, .preset = NULL_INT,
      .doc = "shown at most; null: no cap" },
    { "share_ppm", FIELD_INT, AT(listing_io, share_ppm), .min = 0, .max = 1000000, .preset = 1000000, .doc = "of the pool that is shown" },
};
const struct field_table listing_fields = { "Listing", listing_rows, COUNT(listing_rows), sizeof(struct listing_io) };

static bool listing_load(struct master *master, void *out)
{
    struct ws *ws = master->ws;
    struct listing_io *io = out;
    const struct channel_row *channel = channel_find(ws, master->outer);
    if (channel == NULL || channel->owner != ws_unit(ws)) {
        fault_add(master->faults, FAULT_NOT_FOUND, NULL, "there is no channel %s", master->outer);
        return false;
    }
    const struct listing_row *row = ws_find(ws, &listing_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_int(channel->id), db_text(master->code)));
    if (row == NULL)
        return false;
    const struct sku_row *sku = ws_get(ws, &sku_table, WS_KEY(ws_unit(ws), row->sku));
    *io = (struct listing_io){
        .code = row->channel_sku, .version = row->version, .sku = sku->code, .buffer = row->buffer, .cap = row->cap, .share_ppm = row->share_ppm
    };
    master->id = row->id;
    master->version = row->version;
    return true;
}

static void listing_want(struct master *master, int64_t id)
{
    const struct db_value prefix[] = { db_int(ws_unit(master->ws)), db_int(master->owner), db_text(master->code) };
    ws_want_path(master->ws, &listing_by_code, prefix, 0);
    const struct listing_row *row = ws_known(master->ws, &listing_by_code, prefix);
    if (row != NULL)
        ws_want(master->ws, &sku_table, WS_KEY(row->unit, row->sku));
}

static const struct sku_row *listed_sku(struct master *master, const struct listing_io *io)
{
    return ws_find(master->ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(master->ws)), db_text(io->sku)));
}

static void listing_check(struct master *master, const void *in)
{
    const struct listing_io *io = in;
    if (io->sku != NULL && listed_sku(master, io) == NULL)
        fault_add(master->faults, FAULT_SKU_UNKNOWN, "/sku", "there is no SKU %s", io->sku);
}

static void listing_store(struct master *master, const void *in)
{
    const struct listing_io *io = in;
    struct ws *ws = master->ws;
    const struct channel_row *channel = channel_find(ws, master->outer);
    struct listing_row row = { .unit = ws_unit(ws),
                               .id = master->id,
                               .channel = channel->id,
                               .channel_sku = master->code,
                               .sku = listed_sku(master, io)->id,
                               .buffer = io->buffer,
                               .cap = io->cap,
                               .share_ppm = io->share_ppm,
                               .quota = NULL_INT,
                               .shortage = NULL_INT,
                               .version = master->version };
    const struct listing_row *there = ws_get(ws, &listing_table, WS_KEY(row.unit, row.id));
    master->listed = there == NULL || there->sku != row.sku;
    master->eased = !master->listed && there->buffer > row.buffer;
    if (!master->listed) {
        *(struct listing_row *)ws_edit(ws, there) = row;
        return;
    }
    if (there != NULL) { /* from now on it stands for another SKU: lines that have one keep theirs. A path is never edited */
        ws_delete(ws, there);
        ws_insert(ws, &listing_table, &row);
        return;
    }
    ws_insert(ws, &listing_table, &row);
    ((struct channel_row *)ws_edit(ws, channel))->listings++;
}

static void listing_follow(struct master *master, const void *io)
{
    if (master->eased)
        catalog_followers.sku_eased(master->ws, listed_sku(master, io)->id);
    if (master->listed)
        catalog_followers.listed(master->ws, channel_find(master->ws, master->outer)->id, master->code, listed_sku(master, io)->id);
}

const struct master_kind listing_master = { .subject = SUBJECT_LISTING,
                                            .fields = &listing_fields,
                                            .of_channel = true,
                                            .load = listing_load,
                                            .want = listing_want,
                                            .check = listing_check,
                                            .store = listing_store,
                                            .follow = listing_follow };
