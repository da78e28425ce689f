/* src/inventory/stock.c: units move between buckets, places and the world.
 * A unit goes available -> reserved -> allocated -> shipped. Invariants, here and as CHECKs in 0003_inventory.sql: the
 * buckets are disjoint and none is below zero; a position is the sum of its movements; its reserved and allocated are
 * the sums of its claims. Callers have refused before they come here: nothing below may fail. */
#include "inventory/stock.h"
#include <assert.h>

const char *const bucket_names[] = { "none", "available", "reserved", "allocated", "quarantined", NULL };
const char *const cause_names[] = { "none",       "adjustment", "order",  "fulfilment", "reservation", "fence", "transfer",
                                    "inspection", "supply",     "recall", "snapshot",   "return",      NULL };
static const char *const cause_prefixes[] = { NULL, "adj", "ord", "ful", "rsv", "chn", "trf", "ins", "sup", "rec", "snp", "rtn" };
static const char *const place_names[] = { NULL, "supplier", "customer", "adjustment", "scrap", "in_transit" };

const char *place_name(int64_t node)
{
    return node > 0 && node < (int64_t)COUNT(place_names) ? place_names[node] : NULL;
}

const char *cause_prefix(int64_t cause_kind)
{
    return cause_prefixes[cause_kind];
}

const struct position_row *position_find(struct ws *ws, int64_t node, int64_t sku, int64_t class)
{
    return ws_get_listed(ws, &position_table, WS_KEY(ws_unit(ws), sku, node, class), &position_of_sku, WS_PREFIX(db_int(ws_unit(ws)), db_int(sku)));
}

int64_t position_on_hand(const struct position_row *position)
{
    return position == NULL ? 0 : position->available + position->reserved + position->allocated + position->quarantined;
}

struct stock stock_begin(struct ws *ws, struct cause cause)
{
    return (struct stock){ .ws = ws, .cause = cause };
}

static void touch(struct stock *stock, const struct position_row *position)
{
    for (size_t i = stock->count; i > 0 && i + 64 > stock->count; i--)
        if (stock->touched[i - 1] == position)
            return;
    stock->touched = arena_room(ws_arena(stock->ws), stock->touched, stock->count, &stock->room, 8, sizeof *stock->touched);
    stock->touched[stock->count++] = position;
}

void stock_end(struct stock *stock)
{
    for (size_t i = 0; i < stock->count; i++) {
        const struct position_row *position = stock->touched[i];
        bool told = false;
        for (size_t k = 0; k < i && stock->count > 64; k++)
            told = told || stock->touched[k] == position;
        if (told)
            continue;
        struct event_row event = event_of(EVENT_POSITION_CHANGED, SUBJECT_POSITION, 0);
        event.node = position->node;
        event.sku = position->sku;
        event.available = position->available;
        event.reserved = position->reserved;
        event.allocated = position->allocated;
        event.quarantined = position->quarantined;
        event.class = position->class;
        const int64_t owed = stock_owed(stock->ws, position);
        if (owed > 0) /* the buckets hold more than is there, and a count of the past must know by how much */
            event.quantity = owed;
        ws_event(stock->ws, event);
    }
    stock->count = 0;
}

struct position_row *position_edit(struct stock *stock, int64_t node, int64_t sku, int64_t class)
{
    const struct position_row *position = position_find(stock->ws, node, sku, class);
    struct position_row empty = { .unit = ws_unit(stock->ws), .node = node, .sku = sku, .class = class };
    struct position_row *edited = position != NULL ? ws_edit(stock->ws, position) : ws_insert(stock->ws, &position_table, &empty);
    touch(stock, edited);
    return edited;
}

int64_t *bucket_of(struct position_row *position, enum bucket bucket)
{
    int64_t *const buckets[] = { NULL, &position->available, &position->reserved, &position->allocated, &position->quarantined };
    return buckets[bucket];
}

void stock_move(struct stock *stock, const struct move *move)
{
    if (move->quantity == 0)
        return;
    assert(move->quantity > 0);
    const enum bucket to = recall_keeps(stock, move) ? BUCKET_QUARANTINED : move->to;
    if (move->from != BUCKET_NONE) {
        int64_t *from = bucket_of(position_edit(stock, move->from_node, move->sku, move->class), move->from);
        *from -= move->quantity;
        assert(*from >= 0);
    }
    if (to != BUCKET_NONE)
        *bucket_of(position_edit(stock, move->to_node, move->sku, move->class), to) += move->quantity;
    struct movement_row movement = { .unit = ws_unit(stock->ws),
                                     .id = ws_next_id(stock->ws),
                                     .sku = move->sku,
                                     .class = move->class,
                                     .quantity = move->quantity,
                                     .from_node = move->from_node,
                                     .from_bucket = move->from,
                                     .to_node = move->to_node,
                                     .to_bucket = to,
                                     .cause_kind = stock->cause.kind,
                                     .cause = stock->cause.id,
                                     .actor = ws_actor(stock->ws),
                                     .at = ws_now_us(stock->ws),
                                     .unit_cost = move->unit_cost,
                                     .document = move->document };
    ws_insert(stock->ws, &movement_table, &movement);
}
