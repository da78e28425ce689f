/* src/orders/shipments.c: an order that may come apart into so many parcels only. A parcel is a fulfilment order that was not given up, or the units
 * that are reserved at a node: they become one at release. Asked of orders that have a bound; all others go as before. */
#include "orders/shipments.h"

static struct ws_cursor of_order(const struct order *order, const struct db_path *path)
{
    return ws_scan(order->ws, path, WS_PREFIX(db_int(ws_unit(order->ws)), db_int(order->row->id)), 0);
}

/* Nodes where units are reserved, or (`told`) have been released too. Claims of one node stand at several places of the list: each node
 * counts once. Returns how many there are. */
static size_t nodes_of(const struct order *order, bool told, int64_t *nodes, size_t room)
{
    size_t count = 0;
    const struct claim_row *claim;
    for (struct ws_cursor cursor = of_order(order, &claim_of_holder); (claim = ws_next(order->ws, &cursor)) != NULL;) {
        size_t i = 0;
        if (claim->kind != CLAIM_ORDER || (claim->soft == 0 && !told))
            continue;
        while (i < count && nodes[i] != claim->node)
            i++;
        if (i == count && count < room)
            nodes[count++] = claim->node;
    }
    return count;
}

#define NODES_RESERVED_MAX 256 /* a channel has 64; those that it had before may hold units too */

int64_t order_shipments(const struct order *order)
{
    int64_t nodes[NODES_RESERVED_MAX], count = (int64_t)nodes_of(order, false, nodes, COUNT(nodes));
    const struct fulfilment_row *row;
    for (struct ws_cursor cursor = of_order(order, &fulfilment_of_order); (row = ws_next(order->ws, &cursor)) != NULL;)
        count += fulfilment_is_a_shipment(row->state);
    return count;
}

bool order_may_ship_from(const struct order *order, int64_t node)
{
    int64_t nodes[NODES_RESERVED_MAX];
    if (order->row->max_shipments == NULL_INT)
        return true;
    for (size_t i = 0, count = nodes_of(order, false, nodes, COUNT(nodes)); i < count; i++)
        if (nodes[i] == node)
            return true;
    return order_shipments(order) < order->row->max_shipments;
}

struct spread order_spread(const struct order *order, const struct outlet *outlet)
{
    int64_t nodes[NODES_RESERVED_MAX];
    const int64_t most = order->row->max_shipments;
    bool *used = ARENA_ARRAY(ws_arena(order->ws), bool, CHANNEL_NODES_MAX);
    for (size_t i = 0, count = nodes_of(order, most == NULL_INT, nodes, COUNT(nodes)); i < count; i++)
        for (size_t n = 0; n < outlet->node_count; n++)
            used[n] = used[n] || outlet->nodes[n]->id == nodes[i];
    return (struct spread){ .used = used, .more = most == NULL_INT ? INT64_MAX : max_i64(0, most - order_shipments(order)) };
}

bool order_keeps_its_last_shipment(const struct order *order, bool waits)
{
    return waits && order->row->max_shipments != NULL_INT && order_shipments(order) >= order->row->max_shipments;
}
