/* src/catalog/catalog.h: masters: units, nodes, SKUs, bundles, channels, listings. The company decides on them (unit 0)
 * and writes each unit's copy in the same batch; a unit's commands read their copy by what stands here. */
#ifndef MILLRACE_CATALOG_CATALOG_H
#define MILLRACE_CATALOG_CATALOG_H

#include "engine/event.h"
#include "engine/ws.h"

enum shortage { SHORTAGE_REJECT, SHORTAGE_BACKORDER, SHORTAGE_PARTIAL };
extern const char *const shortage_names[];
enum channel_kind { CHANNEL_STORE, CHANNEL_MARKETPLACE, CHANNEL_B2B, CHANNEL_RETAIL, CHANNEL_SOCIAL };
extern const char *const channel_kind_names[];

/* Units of a SKU in one piece of something. */
struct component {
    int64_t sku, quantity;
};

/* The recipe of a bundle: nested bundles multiplied out, equal SKUs summed, in order of first appearance. Returns how many
 * there are, room + 1 where there are more than `room` or a quantity passes 10^9. */
size_t bundle_flatten(struct ws *ws, int64_t bundle, struct component *out, size_t room);

/* What each kind's struct begins with. */
struct master_io {
    struct field_presence presence;
    const char *code; /* read only: of the path */
    int64_t version;
};

/* One kind of master: how it is read, checked and written. */
struct master;
struct master_kind {
    enum subject_kind subject;
    const struct field_table *fields;
    bool of_channel; /* lives in a channel's unit, under its path; else the company's */
    /* Finds the row of the path and fills `io` (sized by fields); false: there is none. */
    bool (*load)(struct master *master, void *io);
    /* Fills in what did not come and follows from other fields, so that equal resources compare equal. May be NULL. */
    void (*complete)(struct master *master, void *io);
    /* Checks `io` against other rows; adds faults. */
    void (*check)(struct master *master, const void *io);
    /* Writes rows and copies. */
    void (*store)(struct master *master, const void *io);
};
struct master {
    struct ws *ws;
    struct command *command; /* NULL in reads */
    struct faults *faults;
    const char *code, *outer; /* of the path; outer: the channel of a listing */
    int64_t id, version;      /* of what was loaded; 0: it is new */
    int64_t owner;            /* the unit that it belongs to, 0: all */
};
/* Marks an optional field of a loaded struct as there. */
void master_has(const struct field_table *table, void *io, const char *name);

extern const struct field_table unit_fields, node_fields, sku_fields, bundle_fields, channel_fields, listing_fields;
extern const struct master_kind unit_master, node_master, sku_master, bundle_master, channel_master, listing_master;

/* Commands of PUT and PATCH, and reads of one, by kind. */
void master_put(struct ws *ws, struct command *command, const struct master_kind *kind);
void master_patch(struct ws *ws, struct command *command, const struct master_kind *kind);
bool unit_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults); /* and the time zone must be installed */
bool master_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults);
void master_get(struct reading *reading, const struct request *request, struct answer *answer, const struct master_kind *kind);

extern const struct route_table catalog_routes;

#endif
