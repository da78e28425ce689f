/* src/inventory/inventory.h: stock in buckets, and what a channel may promise of it.
 * Quantities are whole units, 0 .. QUANTITY_MAX. Nothing declared here does I/O or reads a clock: the engine loads,
 * these functions decide, the engine writes. Design: docs/design/inventory.md. */
#ifndef MILLRACE_INVENTORY_INVENTORY_H
#define MILLRACE_INVENTORY_INVENTORY_H

#include "catalog/catalog.h"
#include "engine/event.h"
#include "engine/ws.h"

#define QUANTITY_MAX INT64_C(1000000000000)

enum bucket { BUCKET_NONE, BUCKET_AVAILABLE, BUCKET_RESERVED, BUCKET_ALLOCATED, BUCKET_QUARANTINED, BUCKET_COUNT };
extern const char *const bucket_names[]; /* NULL for none; ends in NULL after quarantined */

/* The places outside, and where goods between two nodes are: units come from there and go there; as node ids in movements. */
enum place { PLACE_SUPPLIER = 1, PLACE_CUSTOMER, PLACE_ADJUSTMENT, PLACE_SCRAP, PLACE_TRANSIT, PLACE_NODES = 1000 /* first id of a node */ };
const char *place_name(int64_t node); /* NULL: it is a node */

/* What a movement was for. */
enum cause_kind {
    CAUSE_ADJUSTMENT = 1,
    CAUSE_ORDER,
    CAUSE_FULFILMENT,
    CAUSE_RESERVATION,
    CAUSE_FENCE,
    CAUSE_TRANSFER,
    CAUSE_INSPECTION,
    CAUSE_SUPPLY,
    CAUSE_RECALL,
    CAUSE_SNAPSHOT,
    CAUSE_RETURN,
    CAUSE_KIND_COUNT
};
extern const char *const cause_names[]; /* by cause_kind, ends in NULL */
const char *cause_prefix(int64_t cause_kind);
struct cause {
    enum cause_kind kind;
    int64_t id;
};

/* Whether an adjustment's reason says that its goods were ours before we kept count: their other side is no supplier. */
bool adjustment_opens(int64_t reason);

enum claim_kind { CLAIM_FENCE = 1, CLAIM_RESERVATION, CLAIM_TRANSFER, CLAIM_ORDER };
extern const char *const claim_kind_names[];

/* ---- changes of one command ---- */

/* Where units became available again, and how many. */
struct freed {
    int64_t node, sku, units;
};

/* The positions that a command touches; stock_end tells each once. */
struct stock {
    struct ws *ws;
    struct cause cause;
    const struct position_row **touched;
    size_t count, room;
    struct freed *freed; /* where units became available, for supply() */
    size_t freed_count, freed_room;
};
struct stock stock_begin(struct ws *ws, struct cause cause);
void stock_end(struct stock *stock); /* a position.changed event for each position that was touched */

struct move {
    int64_t sku, class, quantity;
    int64_t from_node;
    enum bucket from;
    int64_t to_node;
    enum bucket to;
    int64_t unit_cost; /* minor units of the unit's currency, NULL_INT: unknown */
    const char *document;
};
/* Moves units and writes the movement; the caller has made sure that they are there. Makes a position at first use. What would become available where
 * a recall stands is quarantined instead. */
void stock_move(struct stock *stock, const struct move *move);

/* NULL where nothing ever was. */
const struct position_row *position_find(struct ws *ws, int64_t node, int64_t sku, int64_t class);
int64_t position_on_hand(const struct position_row *position); /* NULL: 0 */

/* What a command on stock names. The texts are NULL where they could not be read. */
struct goods_named {
    const char *node, *sku, *class;
};
struct goods {
    const struct node_row *node;
    const struct sku_row *sku;
    int64_t class;
};
/* NODE_UNKNOWN, SKU_UNKNOWN, HOLDS_NO_STOCK (a bundle), CLASS_UNKNOWN, all at once, at /node, /sku and /class; true: each is there. */
bool goods_find(struct ws *ws, struct faults *faults, const struct goods_named *named, struct goods *out);
void goods_want(struct ws *ws, const struct goods_named *named); /* a hint, for prefetch: those rows, and all positions of the SKU */
/* A SKU that holds stock; NULL for NULL, and with SKU_UNKNOWN or HOLDS_NO_STOCK (a bundle) at the pointer. */
const struct sku_row *goods_sku(struct ws *ws, struct faults *faults, const char *code, const char *pointer);
/* The number of a class, 0 for NULL; CLASS_UNKNOWN and -1 where there is none. */
int64_t class_named(struct ws *ws, struct faults *faults, const char *code, const char *pointer);
const char *class_code(struct ws *ws, int64_t class); /* NULL for 0 */

/* Who claims: an order line's demand, a checkout, a transfer, a fence. */
struct holder {
    enum claim_kind kind;
    int64_t priority, promise, id, line, part;
};
/* Asks for the positions of all that these claim, in one go, before it is hardened or given back; each alone would be one. */
void claims_want(struct ws *ws, const int64_t *holders, size_t count);
const struct claim_row *claim_find(struct ws *ws, int64_t node, int64_t sku, const struct holder *holder);
void claim_take(struct stock *stock, int64_t node, int64_t sku, const struct holder *holder, int64_t quantity); /* available to soft */
void claim_give_back(struct stock *stock, const struct claim_row *claim, int64_t soft, int64_t hard);           /* to available */
void claim_harden(struct stock *stock, const struct claim_row *claim, int64_t quantity);                        /* soft to hard */
void claim_set_aside(struct stock *stock, const struct claim_row *claim, int64_t quantity);                     /* hard to quarantined */
void claim_ship(struct stock *stock, const struct claim_row *claim, int64_t quantity);                          /* hard to the customer */
void claim_send(struct stock *stock, const struct claim_row *claim, int64_t quantity);                          /* soft to in transit */
void claim_change(struct stock *stock, const struct claim_row *claim, int64_t soft, int64_t hard);              /* the row alone; used up, it goes */
/* Units of a fence change hands: they stay reserved. */
void claim_pass_on(struct stock *stock, const struct claim_row *fence, const struct holder *to, int64_t quantity);

/* ---- what a channel may promise ---- */

/* The terms of one channel's ATP, kept whole in the answer so that API and console show the sum, not redo it. */
struct atp_terms {
    int64_t pool;       /* over the channel's nodes: available, and what fences of its and of lower groups hold */
    int64_t buffer;     /* held back against late news from the channel */
    int64_t quota_left; /* of what may be sold in this window; QUANTITY_MAX where no quota is set */
    int64_t cap;        /* QUANTITY_MAX where the listing sets none */
    int64_t share_ppm;  /* this channel's part of the pool, 0 .. 1000000 */
};

/* Units that an order may take: max(0, min(quota_left, pool - buffer)). Pure; cannot fail. */
int64_t atp_sell(const struct atp_terms *terms);
/* Units that the channel is shown: atp_sell, and no more than cap and share of the pool. The share is rounded down:
 * two channels at 50 % may both be told 0 of a last unit, never both 1. Pure; cannot fail. */
int64_t atp_show(const struct atp_terms *terms);

/* A channel as the pool sees it. */
struct outlet {
    const struct channel_row *channel;
    const struct node_row *nodes[CHANNEL_NODES_MAX]; /* by priority, then id */
    size_t node_count;
    /* Where a job fills a queue (position.blocked), only that job and who ranks before its head take available units, and
     * where claims are giving way to a fact nobody does; an order has what its checkout held there besides. */
    int64_t job;
    struct freed *own;
    size_t own_count;
    const struct routing *routing; /* the order's (routing/routing.h), for those who choose nodes; NULL: no policy stands */
};
void outlet_open(struct ws *ws, const struct channel_row *channel, struct outlet *outlet);

/* Asks for all that outlet_stock will need of so many SKUs, in one go; each alone would be one. */
void outlet_want(struct ws *ws, const struct outlet *outlet, const int64_t *skus, size_t count);
/* What the outlet's channel may take of a SKU at one node: available, its group's fences, fences of lower groups. Where a
 * job fills the queue, available is 0 but for those that struct outlet names. */
int64_t outlet_stock(struct ws *ws, const struct outlet *outlet, size_t node, int64_t sku);
/* Takes units at a node for a holder, in that order. There must be as many. */
void outlet_take(struct stock *stock, const struct outlet *outlet, size_t node, int64_t sku, const struct holder *holder, int64_t quantity);

/* Whether a piece of so many components must come from one node of the channel. */
static inline bool outlet_keeps_together(const struct outlet *outlet, size_t components)
{
    return components > 1 && !outlet->channel->split;
}
/* Takes so many pieces for a holder, its parts numbered from 1: from these nodes, in their order, which must have as many. */
struct pieces {
    const size_t *nodes; /* indexes into the outlet's */
    size_t node_count;
    const struct component *components;
    size_t count;
    int64_t quantity;
};
void outlet_take_pieces(struct stock *stock, const struct outlet *outlet, const struct pieces *pieces, struct holder holder);

/* The pool of a SKU (one component of quantity 1) or bundle, in whole pieces. */
/* The same with so many more units: of component c at the outlet's node n more[n * count + c]. */
int64_t outlet_pool_with(struct ws *ws, const struct outlet *outlet, const struct component *components, size_t count, const int64_t *more);
int64_t outlet_pool(struct ws *ws, const struct outlet *outlet, const struct component *components, size_t count);

/* A claim that gave way to a fact. */
struct broken {
    enum claim_kind kind;
    int64_t holder, line, part, node, sku, quantity;
    bool hard; /* it was allocated, not only reserved */
    struct broken *next;
};
struct fact {
    int64_t node, sku, class, quantity; /* at most on hand; nobody claims units of a class but 0 */
    enum bucket named;
    int64_t to_node; /* where the units go */
    enum bucket to;  /* none: to_node is a place outside */
    int64_t claims;  /* that may be broken at once */
};
struct given {
    struct broken *first, *last; /* in the order in which they gave way */
    int64_t count, left;         /* units that no claim has given up yet */
};
/* Takes units out of a position for a fact: the named bucket, then available, then claims (fences, checkouts, transfers,
 * then order lines from the lowest rank, soft before hard), then quarantined. */
struct given stock_take_by_fact(struct stock *stock, const struct fact *fact);
/* Tells who lost a claim; orders fall back into their backorders. */
void claims_tell_broken(struct ws *ws, const struct broken *first, const char *why);
/* What was left becomes a job (JOB_GIVE_WAY); its cause is the adjustment. Each step takes by fact, tells who lost a claim,
 * and lowers job->head; with nothing left it calls give_way_ended. */
void give_way_later(struct ws *ws, int64_t node, int64_t sku, int64_t units, int64_t adjustment);
void give_way_ended(struct ws *ws, struct job_row *job);
/* Units that facts have taken from this position and its buckets still hold. */
int64_t stock_owed(struct ws *ws, const struct position_row *position);

/* ---- units that a node did not find ---- */

/* An order's units that were to be shipped and stand in quarantine now: noted, and somebody is told to count (exception short_pick). */
struct short_pick {
    int64_t node, sku, order, missing;
};
void short_pick_note(struct ws *ws, const struct short_pick *pick);
void short_picks_want(struct ws *ws, int64_t node, int64_t sku); /* a hint; node 0: only whose picks they were */
/* Whether the node has missed units of the SKU for this order, and nobody has counted since: it is not asked again. */
bool short_pick_stands(struct ws *ws, int64_t node, int64_t sku, int64_t order);
/* Units that wait for a count there, of picks that were noted when the last event was at most `upto`: a count of the past decides about these. */
int64_t short_picked(struct ws *ws, int64_t node, int64_t sku, int64_t upto);
/* After each change of what is in quarantine: what is there no more waits for no count. A count has told the truth as of the event
 * `counted_upto`: of the picks up to there none does. With the last the exception closes. */
#define NOT_COUNTED INT64_C(-1)
void short_picks_settle(struct ws *ws, int64_t node, int64_t sku, int64_t counted_upto);
/* Units came to these places: each may be asked again, for all. The units that were missed still wait for a count. Before supply(). */
void short_picks_open(struct ws *ws, const struct freed *places, size_t count);

/* SKUs that somebody waits for stand in `waiting_sku`, in as many parts. */
#define WAITING_PARTS 64
/* Something happened that may change when those who wait for the SKU are promised their units: orders/told.c looks at its queue soon. supply: by
 * which, 0: none. Nothing where nobody waits. The row is wanted before, in one go for all that a command changes. */
void promises_change(struct ws *ws, int64_t sku, int64_t supply);
void promises_change_want(struct ws *ws, int64_t sku);

/* What stock tells the modules above it, which inventory does not know: defined by orders. */
struct stock_followers {
    /* Units became available at these places: those who wait there get them, by rank; what is more than one command may
     * do becomes a job. */
    void (*supply)(struct ws *ws, const struct freed *places, size_t count);
    void (*claims_broken)(struct ws *ws, const struct broken *broken, const char *why); /* of order lines */
};
extern const struct stock_followers stock_followers;

extern const struct route_table inventory_routes;

#endif
