/* src/inventory/stock.c: units move, and claims on them come and go.
 * A unit goes available -> reserved -> allocated -> shipped. Invariants, here and as CHECKs in 0003_inventory.sql: the
 * buckets are disjoint and none is below zero; a position is the sum of its movements; its reserved and allocated are
 * the sums of its claims. Callers have refused before they come here: nothing below may fail. */
#include "inventory/inventory.h"
#include <assert.h>
#include <string.h>

const char *const bucket_names[] = { "none", "available", "reserved", "allocated", "quarantined", NULL };
const char *const cause_names[] = { "none", "adjustment", "order", "fulfilment", "reservation", "fence", "transfer", NULL };
const char *const claim_kind_names[] = { "none", "fence", "reservation", "transfer", "order", NULL };
static const char *const cause_prefixes[] = { NULL, "adj", "ord", "ful", "rsv", "chn", "trf" };
static const char *const place_names[] = { NULL, "supplier", "customer", "adjustment", "scrap" };

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
    if (stock->count == stock->room) {
        size_t room = stock->room == 0 ? 8 : stock->room * 2;
        const struct position_row **grown = ARENA_ARRAY(ws_arena(stock->ws), const struct position_row *, room);
        if (stock->count > 0)
            memcpy(grown, stock->touched, stock->count * sizeof *grown);
        stock->touched = grown;
        stock->room = room;
    }
    stock->touched[stock->count++] = position;
}

void stock_end(struct stock *stock)
{
    for (size_t i = 0; i < stock->count; i++) {
        const struct position_row *position = stock->touched[i];
        bool told = false;
        for (size_t k = 0; k < i && stock->count > 64; k++)
            told = told || stock->touched[k] == position;
        if (!told)
            ws_event(stock->ws, (struct event_row){ .type = EVENT_POSITION_CHANGED, .subject_kind = SUBJECT_POSITION, .node = position->node,
                                                    .sku = position->sku, .available = position->available, .reserved = position->reserved,
                                                    .allocated = position->allocated, .quarantined = position->quarantined,
                                                    .quantity = NULL_INT, .class = position->class, .amount = NULL_INT, .unit_cost = NULL_INT });
    }
    stock->count = 0;
}

static struct position_row *position_edit(struct stock *stock, int64_t node, int64_t sku, int64_t class)
{
    const struct position_row *position = position_find(stock->ws, node, sku, class);
    struct position_row empty = { .unit = ws_unit(stock->ws), .node = node, .sku = sku, .class = class };
    struct position_row *edited = position != NULL ? ws_edit(stock->ws, position) : ws_insert(stock->ws, &position_table, &empty);
    touch(stock, edited);
    return edited;
}

static int64_t *bucket_of(struct position_row *position, enum bucket bucket)
{
    int64_t *const buckets[] = { NULL, &position->available, &position->reserved, &position->allocated, &position->quarantined };
    return buckets[bucket];
}

void stock_move(struct stock *stock, const struct move *move)
{
    if (move->quantity == 0)
        return;
    assert(move->quantity > 0);
    if (move->from != BUCKET_NONE) {
        int64_t *from = bucket_of(position_edit(stock, move->from_node, move->sku, move->class), move->from);
        *from -= move->quantity;
        assert(*from >= 0);
    }
    if (move->to != BUCKET_NONE)
        *bucket_of(position_edit(stock, move->to_node, move->sku, move->class), move->to) += move->quantity;
    struct movement_row movement = { .unit = ws_unit(stock->ws), .id = ws_next_id(stock->ws), .sku = move->sku, .class = move->class,
                                     .quantity = move->quantity, .from_node = move->from_node, .from_bucket = move->from, .to_node = move->to_node,
                                     .to_bucket = move->to, .cause_kind = stock->cause.kind, .cause = stock->cause.id, .actor = ws_actor(stock->ws),
                                     .at = ws_now_us(stock->ws), .unit_cost = move->unit_cost, .document = move->document };
    ws_insert(stock->ws, &movement_table, &movement);
}

static void move_within(struct stock *stock, const struct claim_row *claim, enum bucket from, enum bucket to, int64_t quantity)
{
    stock_move(stock, &(struct move){ .sku = claim->sku, .class = claim->class, .quantity = quantity, .from_node = claim->node, .from = from,
                                      .to_node = claim->node, .to = to, .unit_cost = NULL_INT });
}

static const int64_t *claim_key(struct ws *ws, int64_t node, int64_t sku, const struct holder *h, int64_t key[10])
{
    memcpy(key, WS_KEY(ws_unit(ws), node, sku, 0, h->kind, h->priority, h->promise, h->id, h->line, h->part), 10 * sizeof *key);
    return key;
}

const struct claim_row *claim_find(struct ws *ws, int64_t node, int64_t sku, const struct holder *holder)
{
    int64_t key[10];
    return ws_get_listed(ws, &claim_table, claim_key(ws, node, sku, holder, key), &claim_of_holder, WS_PREFIX(db_int(ws_unit(ws)), db_int(holder->id)));
}

void claim_change(struct stock *stock, const struct claim_row *claim, int64_t soft, int64_t hard)
{
    struct claim_row *edited = ws_edit(stock->ws, claim);
    edited->soft += soft;
    edited->hard += hard;
    if (edited->kind == CLAIM_FENCE)
        position_edit(stock, claim->node, claim->sku, claim->class)->fenced += soft;
    if (edited->soft + edited->hard == 0)
        ws_delete(stock->ws, edited);
}

static void claim_add(struct stock *stock, int64_t node, int64_t sku, const struct holder *holder, int64_t quantity)
{
    const struct claim_row *claim = claim_find(stock->ws, node, sku, holder);
    struct claim_row fresh = { .unit = ws_unit(stock->ws), .node = node, .sku = sku, .kind = holder->kind, .priority = holder->priority,
                               .promise = holder->promise, .holder = holder->id, .line = holder->line, .part = holder->part };
    if (claim == NULL)
        claim = ws_insert(stock->ws, &claim_table, &fresh);
    claim_change(stock, claim, quantity, 0);
}

void claim_take(struct stock *stock, int64_t node, int64_t sku, const struct holder *holder, int64_t quantity)
{
    if (quantity == 0)
        return;
    stock_move(stock, &(struct move){ .sku = sku, .quantity = quantity, .from_node = node, .from = BUCKET_AVAILABLE, .to_node = node,
                                      .to = BUCKET_RESERVED, .unit_cost = NULL_INT });
    claim_add(stock, node, sku, holder, quantity);
}

static void note_freed(struct stock *stock, int64_t node, int64_t sku, int64_t units)
{
    size_t i = 0;
    while (i < stock->freed_count && (stock->freed[i].node != node || stock->freed[i].sku != sku))
        i++;
    if (i == stock->freed_room) {
        stock->freed_room = stock->freed_room == 0 ? 8 : stock->freed_room * 2;
        struct freed *grown = ARENA_ARRAY(ws_arena(stock->ws), struct freed, stock->freed_room);
        if (i > 0)
            memcpy(grown, stock->freed, i * sizeof *grown);
        stock->freed = grown;
    }
    if (i == stock->freed_count)
        stock->freed[stock->freed_count++] = (struct freed){ .node = node, .sku = sku };
    stock->freed[i].units += units;
}

void claim_give_back(struct stock *stock, const struct claim_row *claim, int64_t soft, int64_t hard)
{
    note_freed(stock, claim->node, claim->sku, soft + hard);
    move_within(stock, claim, BUCKET_RESERVED, BUCKET_AVAILABLE, soft);
    move_within(stock, claim, BUCKET_ALLOCATED, BUCKET_AVAILABLE, hard);
    claim_change(stock, claim, -soft, -hard);
}

void claim_harden(struct stock *stock, const struct claim_row *claim, int64_t quantity)
{
    move_within(stock, claim, BUCKET_RESERVED, BUCKET_ALLOCATED, quantity);
    claim_change(stock, claim, -quantity, quantity);
}

void claim_ship(struct stock *stock, const struct claim_row *claim, int64_t quantity)
{
    stock_move(stock, &(struct move){ .sku = claim->sku, .class = claim->class, .quantity = quantity, .from_node = claim->node,
                                      .from = BUCKET_ALLOCATED, .to_node = PLACE_CUSTOMER, .unit_cost = NULL_INT });
    claim_change(stock, claim, 0, -quantity);
}

void claim_pass_on(struct stock *stock, const struct claim_row *fence, const struct holder *to, int64_t quantity)
{
    int64_t node = fence->node, sku = fence->sku;
    move_within(stock, fence, BUCKET_RESERVED, BUCKET_RESERVED, quantity);
    claim_change(stock, fence, -quantity, 0);
    claim_add(stock, node, sku, to, quantity);
}
