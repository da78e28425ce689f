/* src/inventory/claims.c: rights to units of a position: taken, made hard, used up, given back, and broken by facts.
 * Invariants: a position's reserved and allocated are the sums of its claims; whoever claims units of it, and is no fence,
 * stands once among its claimants: in its row, or in their table (docs/design/inventory.md). */
#include "inventory/stock.h"
#include <string.h>

const char *const claim_kind_names[] = { "none", "fence", "reservation", "transfer", "order", NULL };

/* ---- who claims a position ---- */

static int64_t *seat(struct position_row *position, size_t i)
{
    int64_t *const seats[SEATS] = { &position->claimant1, &position->claimant2, &position->claimant3, &position->claimant4 };
    return seats[i];
}

static bool is_seated(const struct position_row *position, int64_t holder)
{
    return position->claimant1 == holder || position->claimant2 == holder || position->claimant3 == holder || position->claimant4 == holder;
}

size_t seated_claimants(const struct position_row *position, int64_t holders[SEATS])
{
    struct position_row copy = *position;
    size_t count = 0;
    while (count < SEATS && *seat(&copy, count) != 0) {
        holders[count] = *seat(&copy, count);
        count++;
    }
    return count;
}

struct ws_cursor claims_of(struct ws *ws, int64_t holder)
{
    return ws_scan(ws, &claim_of_holder, WS_PREFIX(db_int(ws_unit(ws)), db_int(holder)), 0);
}

bool claim_is_at(const struct claim_row *claim, const struct position_row *position)
{
    return claim->kind != CLAIM_FENCE && claim->sku == position->sku && claim->node == position->node && claim->class == position->class;
}

/* By another claim than this one. */
static bool holds_more(struct ws *ws, const struct claim_row *claim, const struct position_row *position)
{
    const struct claim_row *other;
    for (struct ws_cursor cursor = claims_of(ws, claim->holder); (other = ws_next(ws, &cursor)) != NULL;)
        if (other != claim && claim_is_at(other, position))
            return true;
    return false;
}

static const int64_t *claimant_key(const struct claim_row *c, int64_t key[8])
{
    memcpy(key, WS_KEY(c->unit, c->sku, c->node, c->class, c->kind, c->priority, c->promise, c->holder), 8 * sizeof *key);
    return key;
}

/* In the position's row, which is written anyway; in the table when that is full. */
static void claimant_add(struct stock *stock, const struct claim_row *claim)
{
    struct position_row *position = position_edit(stock, claim->node, claim->sku, claim->class);
    if (is_seated(position, claim->holder) || holds_more(stock->ws, claim, position))
        return;
    size_t free = 0;
    while (free < SEATS && *seat(position, free) != 0)
        free++;
    struct claimant_row row = { .unit = claim->unit,
                                .sku = claim->sku,
                                .node = claim->node,
                                .class = claim->class,
                                .kind = claim->kind,
                                .priority = claim->priority,
                                .promise = claim->promise,
                                .holder = claim->holder };
    if (free < SEATS)
        *seat(position, free) = claim->holder;
    else
        ws_insert(stock->ws, &claimant_table, &row);
}

/* The rows of all positions that the holder has claims on: one load for an order that ends, not one a line. */
static void want_claimants(struct ws *ws, int64_t holder)
{
    const struct claim_row *claim;
    int64_t key[8];
    for (struct ws_cursor cursor = claims_of(ws, holder); (claim = ws_next(ws, &cursor)) != NULL;) {
        const struct position_row *position = position_find(ws, claim->node, claim->sku, claim->class);
        if (claim->kind != CLAIM_FENCE && !is_seated(position, holder))
            ws_want(ws, &claimant_table, claimant_key(claim, key));
    }
    ws_settle(ws);
}

static void claimant_remove(struct stock *stock, const struct claim_row *claim)
{
    struct position_row *position = position_edit(stock, claim->node, claim->sku, claim->class);
    if (holds_more(stock->ws, claim, position))
        return;
    size_t at = 0;
    while (at < SEATS && *seat(position, at) != claim->holder)
        at++;
    int64_t key[8];
    if (at == SEATS && ws_known_row(stock->ws, &claimant_table, claimant_key(claim, key)) == NULL)
        want_claimants(stock->ws, claim->holder);
    if (at == SEATS)
        ws_delete(stock->ws, ws_get(stock->ws, &claimant_table, claimant_key(claim, key)));
    for (; at < SEATS; at++)
        *seat(position, at) = at + 1 < SEATS ? *seat(position, at + 1) : 0;
}

/* ---- claims ---- */

static void move_within(struct stock *stock, const struct claim_row *claim, enum bucket from, enum bucket to, int64_t quantity)
{
    stock_move(stock, &(struct move){ .sku = claim->sku,
                                      .class = claim->class,
                                      .quantity = quantity,
                                      .from_node = claim->node,
                                      .from = from,
                                      .to_node = claim->node,
                                      .to = to,
                                      .unit_cost = NULL_INT });
}

static const int64_t *claim_key(struct ws *ws, int64_t node, int64_t sku, const struct holder *h, int64_t key[8])
{
    memcpy(key, WS_KEY(ws_unit(ws), h->id, h->kind, h->line, h->part, node, sku, 0), 8 * sizeof *key);
    return key;
}

void claim_want(struct ws *ws, int64_t node, int64_t sku, const struct holder *holder)
{
    int64_t key[8];
    ws_want(ws, &claim_table, claim_key(ws, node, sku, holder, key));
}

void claims_want(struct ws *ws, const int64_t *holders, size_t count)
{
    const struct claim_row *claim;
    for (size_t i = 0; i < count; i++)
        ws_want_path(ws, &claim_of_holder, WS_PREFIX(db_int(ws_unit(ws)), db_int(holders[i])), 0);
    ws_settle(ws);
    for (size_t i = 0; i < count; i++)
        for (struct ws_cursor cursor = claims_of(ws, holders[i]); (claim = ws_next(ws, &cursor)) != NULL;)
            ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(claim->unit), db_int(claim->sku)), 0);
    ws_settle(ws);
}

const struct claim_row *claim_find(struct ws *ws, int64_t node, int64_t sku, const struct holder *holder)
{
    int64_t key[8];
    return ws_get_listed(ws, &claim_table, claim_key(ws, node, sku, holder, key), &claim_of_holder,
                         WS_PREFIX(db_int(ws_unit(ws)), db_int(holder->id)));
}

void claim_change(struct stock *stock, const struct claim_row *claim, int64_t soft, int64_t hard)
{
    struct claim_row *edited = ws_edit(stock->ws, claim);
    edited->soft += soft;
    edited->hard += hard;
    if (edited->kind == CLAIM_FENCE)
        position_edit(stock, claim->node, claim->sku, claim->class)->fenced += soft;
    if (edited->soft + edited->hard > 0)
        return;
    if (edited->kind != CLAIM_FENCE)
        claimant_remove(stock, edited);
    ws_delete(stock->ws, edited);
}

static void claim_add(struct stock *stock, int64_t node, int64_t sku, const struct holder *holder, int64_t quantity)
{
    const struct claim_row *claim = claim_find(stock->ws, node, sku, holder);
    struct claim_row fresh = { .unit = ws_unit(stock->ws),
                               .node = node,
                               .sku = sku,
                               .kind = holder->kind,
                               .priority = holder->priority,
                               .promise = holder->promise,
                               .holder = holder->id,
                               .line = holder->line,
                               .part = holder->part };
    if (claim == NULL) {
        claim = ws_insert(stock->ws, &claim_table, &fresh);
        if (claim->kind != CLAIM_FENCE)
            claimant_add(stock, claim);
    }
    claim_change(stock, claim, quantity, 0);
}

void claim_take(struct stock *stock, int64_t node, int64_t sku, const struct holder *holder, int64_t quantity)
{
    if (quantity == 0)
        return;
    stock_move(stock, &(struct move){ .sku = sku,
                                      .quantity = quantity,
                                      .from_node = node,
                                      .from = BUCKET_AVAILABLE,
                                      .to_node = node,
                                      .to = BUCKET_RESERVED,
                                      .unit_cost = NULL_INT });
    claim_add(stock, node, sku, holder, quantity);
}

static void note_freed(struct stock *stock, int64_t node, int64_t sku, int64_t units)
{
    size_t i = 0;
    while (i < stock->freed_count && (stock->freed[i].node != node || stock->freed[i].sku != sku))
        i++;
    if (i == stock->freed_count) {
        stock->freed = arena_room(ws_arena(stock->ws), stock->freed, i, &stock->freed_room, 8, sizeof *stock->freed);
        stock->freed[stock->freed_count++] = (struct freed){ .node = node, .sku = sku };
    }
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

void claim_set_aside(struct stock *stock, const struct claim_row *claim, int64_t quantity)
{
    move_within(stock, claim, BUCKET_ALLOCATED, BUCKET_QUARANTINED, quantity);
    claim_change(stock, claim, 0, -quantity);
}

void claim_ship(struct stock *stock, const struct claim_row *claim, int64_t quantity)
{
    stock_move(stock, &(struct move){ .sku = claim->sku,
                                      .class = claim->class,
                                      .quantity = quantity,
                                      .from_node = claim->node,
                                      .from = BUCKET_ALLOCATED,
                                      .to_node = PLACE_CUSTOMER,
                                      .unit_cost = NULL_INT });
    claim_change(stock, claim, 0, -quantity);
}

void claim_send(struct stock *stock, const struct claim_row *claim, int64_t quantity)
{
    stock_move(stock, &(struct move){ .sku = claim->sku,
                                      .class = claim->class,
                                      .quantity = quantity,
                                      .from_node = claim->node,
                                      .from = BUCKET_RESERVED,
                                      .to_node = PLACE_TRANSIT,
                                      .unit_cost = NULL_INT });
    claim_change(stock, claim, -quantity, 0);
}

void claim_pass_on(struct stock *stock, const struct claim_row *fence, const struct holder *to, int64_t quantity)
{
    int64_t node = fence->node, sku = fence->sku;
    move_within(stock, fence, BUCKET_RESERVED, BUCKET_RESERVED, quantity);
    claim_change(stock, fence, -quantity, 0);
    claim_add(stock, node, sku, to, quantity);
}

/* ---- fences ---- */

void fence_claims_want(struct ws *ws, int64_t node, int64_t sku)
{
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(sku) };
    const struct fence_row *fence;
    ws_want_path(ws, &fence_of_sku, prefix, 0);
    for (struct ws_cursor cursor = ws_known_rows(ws, &fence_of_sku, prefix); (fence = ws_next(ws, &cursor)) != NULL;)
        if (fence->node == node)
            claim_want(ws, node, sku, &(struct holder){ .kind = CLAIM_FENCE, .id = fence->channel });
}

size_t fence_claims(struct ws *ws, int64_t node, int64_t sku, const struct claim_row ***claims)
{
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(sku) };
    *claims = ARENA_ARRAY(ws_arena(ws), const struct claim_row *, ws_count(ws, &fence_of_sku, prefix));
    fence_claims_want(ws, node, sku);
    ws_settle(ws);
    size_t count = 0;
    const struct fence_row *fence;
    for (struct ws_cursor cursor = ws_scan(ws, &fence_of_sku, prefix, 0); (fence = ws_next(ws, &cursor)) != NULL;) {
        const struct claim_row *claim =
            fence->node != node ? NULL : claim_find(ws, node, sku, &(struct holder){ .kind = CLAIM_FENCE, .id = fence->channel });
        if (claim != NULL)
            (*claims)[count++] = claim;
    }
    return count;
}
