/* src/catalog/catalog.h: masters: units, nodes, SKUs, bundles, channels, listings. The company decides on them (unit 0)
 * and writes each unit's copy in the same batch; a unit's commands read their copy by what stands here. */
#ifndef MILLRACE_CATALOG_CATALOG_H
#define MILLRACE_CATALOG_CATALOG_H

#include "engine/event.h"
#include "engine/ws.h"

#define CHANNEL_NODES_MAX 64 /* that may ship a channel's orders */
#define ORDER_LINES_MAX 1000 /* of an order, and of a checkout, which an order may name */
#define CLASSES_MAX 100      /* of goods, in a company: a new unit gets all at once */
#define COMPONENTS_MAX 1500  /* of a bundle, and of all that an order or a checkout wants: nested bundles multiplied out */

enum shortage { SHORTAGE_REJECT, SHORTAGE_BACKORDER, SHORTAGE_PARTIAL };
extern const char *const shortage_names[];
enum authority { AUTHORITY_GOVERNED, AUTHORITY_MIRRORED }; /* whose count of a node is the truth: ours, theirs */
enum channel_kind { CHANNEL_STORE, CHANNEL_MARKETPLACE, CHANNEL_B2B, CHANNEL_RETAIL, CHANNEL_SOCIAL };
extern const char *const channel_kind_names[];
extern const char *const node_kind_names[];

enum node_kind { NODE_WAREHOUSE, NODE_THIRD_PARTY, NODE_STORE, NODE_MARKETPLACE, NODE_SUPPLIER };
/* Whether others run it for us: what it has been told is taken back with its word only. */
static inline bool node_is_run_by_others(const struct node_row *node)
{
    return node->kind == NODE_THIRD_PARTY || node->kind == NODE_MARKETPLACE || node->kind == NODE_SUPPLIER;
}

#define SUBSTITUTES_MAX 20 /* of a SKU */

/* Units of a SKU in one piece of something. */
struct component {
    int64_t sku, quantity;
};

/* The recipe of a bundle: nested bundles multiplied out, equal SKUs summed, in order of first appearance. Returns how many
 * there are, room + 1 where there are more than `room` or a quantity passes 10^9. */
size_t bundle_flatten(struct ws *ws, int64_t bundle, struct component *out, size_t room);
/* Asks for all rows that bundle_flatten will need of so many bundles: a level of all of them in one go, where each alone would be one. */
void bundles_want(struct ws *ws, const int64_t *bundles, size_t count);

/* Codes of what may stand in for it, in the order in which it is tried; in the arena. Returns how many. */
size_t sku_substitutes(struct arena *arena, const struct sku_row *sku, const char ***codes);

/* What each kind's struct begins with. */
struct master_io {
    struct field_presence presence;
    const char *code; /* read only: of the path */
    int64_t version;
};

struct master_key {
    int64_t id;
    const char *code;
};

/* One kind of master: how it is read, checked and written. */
struct master;
struct master_kind {
    enum subject_kind subject;
    const struct field_table *fields;
    bool of_channel; /* lives in a channel's unit, under its path; else the company's */
    /* Finds the row of the path and fills `io` (sized by fields); false: there is none. */
    bool (*load)(struct master *master, void *io);
    /* Names the rows that load will ask for, of the master with this id; called twice, like a command's prefetch. In a list of
     * listings master->owner is the channel's id. */
    void (*want)(struct master *master, int64_t id);
    /* Fills in what did not come and follows from other fields, so that equal resources compare equal. May be NULL. */
    void (*complete)(struct master *master, void *io);
    /* Checks `io` against other rows; adds faults. Where the form is faulty texts may be NULL. */
    void (*check)(struct master *master, const void *io);
    /* Writes rows and copies. */
    void (*store)(struct master *master, const void *io);
    /* What follows in other modules, once the change is told; see catalog_followers. May be NULL. */
    void (*follow)(struct master *master, const void *io);
    /* Keys behind `after`, at most `most`, in the order of their ids, for the list of all; unit 0: the company's. NULL: catalog knows the kind. */
    enum db_result (*page)(struct reading *reading, int64_t unit, int64_t after, int64_t most, struct master_key *keys, size_t *count);
};
struct master {
    struct ws *ws;
    struct command *command; /* NULL in reads */
    struct faults *faults;
    const char *code, *outer; /* of the path; outer: the channel of a listing */
    int64_t id, version;      /* of what was loaded; 0: it is new */
    int64_t owner;            /* the unit that it belongs to, 0: all */
    bool moved;               /* by store: a channel sells from other nodes than before */
    bool eased;               /* by store: channels may have stock that they could not have before */
    bool listed;              /* by store: a listing stands for a SKU that it did not stand for before */
};

/* What masters tell the modules above, which catalog does not know: defined by orders. ws is a unit's. */
struct catalog_followers {
    void (*channels_eased)(struct ws *ws);         /* some channel of the unit may have more than before, of whatever SKU */
    void (*channel_moved)(struct ws *ws);          /* some channel of the unit sells from other nodes: dates that were told may be others */
    void (*sku_eased)(struct ws *ws, int64_t sku); /* ... of this SKU or bundle */
    void (*listed)(struct ws *ws, int64_t channel, const char *channel_sku, int64_t sku); /* a listing was made, or moved to this SKU */
    void (*sku_made)(struct ws *ws, const char *code, int64_t sku);                       /* a SKU or bundle was made */
};
extern const struct catalog_followers catalog_followers;

extern const struct field_table unit_fields, node_fields, sku_fields, bundle_fields, class_fields, channel_fields, listing_fields;
extern const struct master_kind unit_master, node_master, sku_master, bundle_master, class_master, channel_master, listing_master;

/* Commands of PUT and PATCH, and reads of one, by kind. */
void master_put(struct ws *ws, struct command *command, const struct master_kind *kind);
/* Of an entry of a batch: its event has the whole resource. What was equal is not kept: it changes nothing whenever it comes. */
void master_put_again(struct ws *ws, struct command *command, int64_t seq);
void master_patch(struct ws *ws, struct command *command, const struct master_kind *kind);
void master_look_up(struct ws *ws, struct command *command, const struct master_kind *kind); /* what else is wrong with a faulty form */
bool zone_is_installed(struct arena *arena, const char *zone); /* as far as can be seen: true where tzdata cannot be read */
bool unit_edge(struct edge *edge, const struct request *request, struct command *command,
               struct faults *faults); /* and the time zone must be installed */
bool master_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults);
void master_get(struct reading *reading, const struct request *request, struct answer *answer, const struct master_kind *kind);

/* A page of all masters of a kind, and of what one was after each change: the query has limit and cursor in the places 0 and 1, and
 * unit in 2 where the kind has one. */
void master_list(struct reading *reading, const struct request *request, struct answer *answer, const struct master_kind *kind);
void master_history_of(struct reading *reading, const struct request *request, struct answer *answer, const struct master_kind *kind);
void master_history(struct reading *reading, const struct request *request, struct answer *answer, int64_t unit, enum subject_kind kind,
                    int64_t subject);
/* The unit and id of a channel; id 0: there is none. */
enum db_result channel_place(struct reading *reading, const char *code, int64_t *unit, int64_t *id);
/* {"items":[ ... ],"next":...}; one that is longer ends early, and `next` goes on. */
#define LIST_BYTES_MAX ((size_t)1 << 20)
/* How many things with very many rows are read at once, and how many where memory did not do for `piece` of them; at least 1. */
#define LIST_PIECE 50
size_t list_smaller_piece(size_t piece);
void list_begin(struct json_writer *json, struct arena *arena);
void list_end(struct json_writer *json, const char *next, struct answer *answer);

/* An entry of a history; the table of its schema is made for each kind by CHANGE_FIELDS. */
struct change_io {
    struct field_presence presence;
    int64_t version, at;
    const char *actor;
    struct field_list changed;
    void *resource;
};
#define CHANGE_FIELDS(VARIABLE, NAME, OF)                                                                                                      \
    static const struct field VARIABLE##_rows[] = {                                                                                            \
        { "version", FIELD_INT, offsetof(struct change_io, version), .read_only = true },                                                      \
        { "at", FIELD_TIME, offsetof(struct change_io, at), .read_only = true },                                                               \
        { "actor", FIELD_TEXT, offsetof(struct change_io, actor), .read_only = true, .doc = "the name of the key, or millrace" },              \
        { "changed", FIELD_CODES, offsetof(struct change_io, changed), .read_only = true, .doc = "fields that are otherwise than before" },    \
        { "resource", FIELD_OBJECT, offsetof(struct change_io, resource), .read_only = true, .of = &OF, .doc = "as it was after the change" }, \
    };                                                                                                                                         \
    static const struct field_table VARIABLE = { NAME, VARIABLE##_rows, COUNT(VARIABLE##_rows), sizeof(struct change_io) }
#define LIST_QUERY                                                                                        \
    { .name = "limit", .type = FIELD_INT, .min = 1, .max = 1000, .preset = 100, .doc = "items at most" }, \
    {                                                                                                     \
        .name = "cursor", .type = FIELD_TEXT, .max = 100, .doc = "next of the page before"                \
    }

extern const struct route_table catalog_routes;

#endif
