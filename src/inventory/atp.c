/* src/inventory/atp.c: what a channel may promise, checked by a brute-force oracle over all small cases.
 * An order takes available stock first, then its own group's fences, then fences of lower groups from the lowest. */
#include "engine/jobs.h"
#include "inventory/stock.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int64_t atp_sell(const struct atp_terms *t)
{
    return max_i64(0, min_i64(t->quota_left, t->pool - t->buffer));
}

int64_t atp_show(const struct atp_terms *t)
{
    __extension__ typedef __int128 wide; /* a pool of 64 nodes may hold 64 * QUANTITY_MAX, and times 10^6 that passes 63 bits */
    int64_t share = (int64_t)((wide)t->pool * t->share_ppm / 1000000);
    return min_i64(atp_sell(t), min_i64(t->cap, share));
}

static int by_priority(const void *a, const void *b)
{
    const struct node_row *const *left = a, *const *right = b;
    if ((*left)->priority != (*right)->priority)
        return (*left)->priority < (*right)->priority ? -1 : 1;
    return (*left)->id < (*right)->id ? -1 : (*left)->id > (*right)->id;
}

void outlet_open(struct ws *ws, const struct channel_row *channel, struct outlet *outlet)
{
    *outlet = (struct outlet){ .channel = channel };
    struct ws_cursor cursor = ws_scan(ws, &node_of_channel, WS_PREFIX(db_int(ws_unit(ws)), db_int(channel->id)), 0);
    const struct channel_node_row *row;
    while ((row = ws_next(ws, &cursor)) != NULL && outlet->node_count < CHANNEL_NODES_MAX)
        outlet->nodes[outlet->node_count++] = ws_get(ws, &node_table, WS_KEY(ws_unit(ws), row->node));
    qsort(outlet->nodes, outlet->node_count, sizeof *outlet->nodes, by_priority);
}

/* A group ranks as its best channel: (priority, id), the smaller the better. */
struct rank {
    int64_t priority, id;
};

static struct rank group_rank(struct ws *ws, const char *group)
{
    struct rank best = { INT64_MAX, INT64_MAX };
    struct ws_cursor cursor = ws_scan(ws, &channel_all, WS_PREFIX(db_int(ws_unit(ws))), 0);
    const struct channel_row *channel;
    while ((channel = ws_next(ws, &cursor)) != NULL)
        if (text_equal(channel->channel_group, group) &&
            (channel->priority < best.priority || (channel->priority == best.priority && channel->id < best.id)))
            best = (struct rank){ channel->priority, channel->id };
    return best;
}

static bool ranks_below(struct rank a, struct rank b)
{
    return a.priority != b.priority ? a.priority > b.priority : a.id > b.id;
}

/* A fence's claim at a node that the outlet may use: its own group's (first), or a lower group's. */
struct usable {
    const struct claim_row *claim;
    struct rank rank;
    bool own;
};

static int own_then_lowest(const void *a, const void *b)
{
    const struct usable *left = a, *right = b;
    if (left->own != right->own)
        return left->own ? -1 : 1;
    if (left->rank.priority != right->rank.priority || left->rank.id != right->rank.id)
        return ranks_below(left->rank, right->rank) ? -1 : 1;
    return left->claim->holder < right->claim->holder ? -1 : 1;
}

static size_t usable_fences(struct ws *ws, const struct outlet *outlet, int64_t node, int64_t sku, struct usable **out)
{
    const struct position_row *position = position_find(ws, node, sku, 0);
    *out = NULL;
    if (position == NULL || position->fenced == 0)
        return 0;
    const struct claim_row **claims;
    size_t held = fence_claims(ws, node, sku, &claims), count = 0;
    struct usable *fences = ARENA_ARRAY(ws_arena(ws), struct usable, held);
    struct rank own = group_rank(ws, outlet->channel->channel_group);
    for (size_t i = 0; i < held; i++) {
        const struct channel_row *holder = ws_get(ws, &channel_table, WS_KEY(ws_unit(ws), claims[i]->holder));
        struct usable fence = { claims[i], group_rank(ws, holder->channel_group), text_equal(holder->channel_group, outlet->channel->channel_group) };
        if (fence.own || ranks_below(fence.rank, own))
            fences[count++] = fence;
    }
    qsort(fences, count, sizeof *fences, own_then_lowest);
    *out = fences;
    return count;
}

/* Positions, then the fences that stand in them, then what those hold. */
void outlet_want(struct ws *ws, const struct outlet *outlet, const int64_t *skus, size_t count)
{
    for (size_t s = 0; s < count; s++)
        ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(ws_unit(ws)), db_int(skus[s])), 0);
    ws_settle(ws);
    for (int round = 0; round < 2; round++) {
        for (size_t s = 0; s < count; s++)
            for (size_t n = 0; n < outlet->node_count; n++) {
                const struct position_row *position = position_find(ws, outlet->nodes[n]->id, skus[s], 0);
                if (position != NULL && position->fenced > 0)
                    fence_claims_want(ws, position->node, position->sku);
            }
        ws_settle(ws);
    }
}

static struct freed *own_of(const struct outlet *outlet, int64_t node, int64_t sku)
{
    for (size_t i = 0; i < outlet->own_count; i++)
        if (outlet->own[i].node == node && outlet->own[i].sku == sku)
            return &outlet->own[i];
    return NULL;
}

/* Goods that are called back: nobody has them, of a fence neither. */
static bool is_called_back(struct ws *ws, const struct position_row *position)
{
    return position != NULL && position->blocked != 0 &&
           ((const struct job_row *)ws_get(ws, &job_table, WS_KEY(ws_unit(ws), position->blocked)))->kind == JOB_RECALL;
}

/* What of a position's available units the outlet may take. */
static int64_t available_to(struct ws *ws, const struct outlet *outlet, const struct position_row *position)
{
    if (position == NULL || position->blocked == 0 || position->blocked == outlet->job)
        return position == NULL ? 0 : position->available;
    const struct job_row *job = ws_get(ws, &job_table, WS_KEY(ws_unit(ws), position->blocked));
    const struct freed *own = own_of(outlet, position->node, position->sku);
    if (job->kind == JOB_FILL && outlet->channel->priority < job->head)
        return position->available;
    return own == NULL ? 0 : min_i64(own->units, position->available);
}

int64_t outlet_stock(struct ws *ws, const struct outlet *outlet, size_t node, int64_t sku)
{
    const struct position_row *position = position_find(ws, outlet->nodes[node]->id, sku, 0);
    if (is_called_back(ws, position))
        return 0;
    int64_t units = available_to(ws, outlet, position);
    struct usable *fences;
    size_t count = usable_fences(ws, outlet, outlet->nodes[node]->id, sku, &fences);
    for (size_t i = 0; i < count; i++)
        units += fences[i].claim->soft;
    return units;
}

void outlet_take(struct stock *stock, const struct outlet *outlet, size_t node, int64_t sku, const struct holder *holder, int64_t quantity)
{
    int64_t at = outlet->nodes[node]->id;
    const struct position_row *position = position_find(stock->ws, at, sku, 0);
    int64_t free = min_i64(available_to(stock->ws, outlet, position), quantity);
    struct freed *own = own_of(outlet, at, sku);
    if (own != NULL)
        own->units -= min_i64(own->units, free);
    struct usable *fences;
    size_t count = usable_fences(stock->ws, outlet, at, sku, &fences);
    claim_take(stock, at, sku, holder, free);
    quantity -= free;
    for (size_t i = 0; i < count && quantity > 0; i++) {
        int64_t passed = min_i64(fences[i].claim->soft, quantity);
        claim_pass_on(stock, fences[i].claim, holder, passed);
        quantity -= passed;
    }
    assert(quantity == 0);
}

/* From each node as many whole ones as it has. */
static int64_t take_together(struct stock *stock, const struct outlet *outlet, const struct pieces *p, struct holder holder)
{
    int64_t left = p->quantity;
    for (size_t n = 0; n < p->node_count && left > 0; n++) {
        int64_t here = left;
        for (size_t c = 0; c < p->count; c++)
            here = min_i64(here, outlet_stock(stock->ws, outlet, p->nodes[n], p->components[c].sku) / p->components[c].quantity);
        for (size_t c = 0; here > 0 && c < p->count; c++) {
            holder.part = (int64_t)c + 1;
            outlet_take(stock, outlet, p->nodes[n], p->components[c].sku, &holder, here * p->components[c].quantity);
        }
        left -= here;
    }
    return left;
}

void outlet_take_pieces(struct stock *stock, const struct outlet *outlet, const struct pieces *p, struct holder holder)
{
    const bool together = outlet_keeps_together(outlet, p->count);
    int64_t left = together ? take_together(stock, outlet, p, holder) : 0;
    for (size_t c = 0; !together && c < p->count; c++) {
        int64_t units = p->quantity * p->components[c].quantity;
        holder.part = (int64_t)c + 1;
        for (size_t n = 0; n < p->node_count && units > 0; n++) {
            int64_t here = min_i64(outlet_stock(stock->ws, outlet, p->nodes[n], p->components[c].sku), units);
            outlet_take(stock, outlet, p->nodes[n], p->components[c].sku, &holder, here);
            units -= here;
        }
        left += units;
    }
    assert(left == 0);
}

int64_t outlet_pool(struct ws *ws, const struct outlet *outlet, const struct component *components, size_t count)
{
    return outlet_pool_with(ws, outlet, components, count, NULL);
}

int64_t outlet_pool_with(struct ws *ws, const struct outlet *outlet, const struct component *components, size_t count, const int64_t *more)
{
    int64_t pooled = QUANTITY_MAX, apart = 0;
    for (size_t c = 0; c < count; c++) {
        int64_t units = 0;
        for (size_t n = 0; n < outlet->node_count; n++)
            units += outlet_stock(ws, outlet, n, components[c].sku) + (more == NULL ? 0 : more[n * count + c]);
        pooled = min_i64(pooled, units / components[c].quantity);
    }
    if (outlet->channel->split)
        return count == 0 ? 0 : pooled;
    for (size_t n = 0; n < outlet->node_count; n++) { /* a bundle stays together: what each node can build alone */
        int64_t alone = count == 0 ? 0 : QUANTITY_MAX;
        for (size_t c = 0; c < count; c++)
            alone =
                min_i64(alone, (outlet_stock(ws, outlet, n, components[c].sku) + (more == NULL ? 0 : more[n * count + c])) / components[c].quantity);
        apart += alone;
    }
    return apart;
}
