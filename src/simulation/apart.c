/* src/simulation/apart.c: each channel's app sells from a copy of stock; every 15 minutes the apps hand their paid orders
 * to the warehouse app and are told its stock, less what they themselves have not handed over yet. Nobody knows what the
 * other channels sold meanwhile, nor that a bundle and its components are the same units: that is where overselling comes
 * from. What the warehouse app cannot ship it has cancelled; nothing waits for supply. */
#include "simulation/agenda.h"
#include "simulation/runs.h"

enum { SYNC_MINUTES = 15, TAKES_MAX = LINES_MAX * PARTS * NODES };

enum fate { FATE_NONE, FATE_PENDING, FATE_SENT, FATE_SHIPPED, FATE_DEAD };

struct take { /* units that the warehouse app set aside */
    int node, sku;
    int64_t quantity;
    bool shipped;
};
struct apart_order {
    enum fate fate;
    bool paid;
    int take_count;
    struct take *takes;
};
struct apart {
    const struct script *script;
    struct arena *arena;
    struct agenda agenda;
    struct pickers pickers;
    struct apart_order *orders;
    int64_t *outbox; /* pending orders, as they were placed */
    size_t outbox_count;
    int64_t stock[NODES][SKUS];       /* free, as the warehouse app knows it */
    int64_t copy[CHANNELS][ITEMS];    /* what each channel shows */
    int64_t pending[CHANNELS][ITEMS]; /* sold, not handed over */
    int64_t now;
    struct outcome out;
};

/* ---- the channels' apps ---- */

static void place_order(struct apart *a, int64_t which)
{
    const struct script_order *order = &a->script->orders[which];
    int64_t *copy = a->copy[order->channel], *pending = a->pending[order->channel];
    for (int l = 0; l < order->line_count; l++)
        if (copy[order->lines[l].item] < order->lines[l].quantity) {
            a->out.refused_units += wanted_units(order);
            return;
        }
    for (int l = 0; l < order->line_count; l++) {
        copy[order->lines[l].item] -= order->lines[l].quantity;
        pending[order->lines[l].item] += order->lines[l].quantity;
    }
    a->orders[which] = (struct apart_order){ .fate = FATE_PENDING, .paid = order->pay_at == 0 };
    a->outbox[a->outbox_count++] = which;
}

static void forget_pending(struct apart *a, const struct script_order *order)
{
    for (int l = 0; l < order->line_count; l++)
        a->pending[order->channel][order->lines[l].item] -= order->lines[l].quantity;
}

/* What the warehouse app could ship for the channel; of a bundle, by its scarcest component. */
static int64_t free_of(const struct apart *a, int channel, int item)
{
    struct part parts[PARTS];
    int64_t least = INT64_MAX;
    for (int p = item_parts(item, parts); p > 0; p--) {
        int64_t sum = 0;
        for (int node = 0; node < NODES; node++)
            sum += sellers[channel].ships[node] ? a->stock[node][parts[p - 1].sku] : 0;
        least = min_i64(least, sum / parts[p - 1].need);
    }
    return least;
}

static void refresh_copies(struct apart *a)
{
    for (int channel = 0; channel < CHANNELS; channel++)
        for (int item = 0; item < ITEMS; item++)
            a->copy[channel][item] = max_i64(0, free_of(a, channel, item) - a->pending[channel][item]);
}

/* ---- the warehouse app ---- */

static int64_t set_aside(struct apart *a, struct apart_order *sent, int channel, int sku, int64_t quantity)
{
    for (int node = 0; node < NODES && quantity > 0; node++) {
        int64_t taken = sellers[channel].ships[node] ? min_i64(a->stock[node][sku], quantity) : 0;
        if (taken == 0)
            continue;
        a->stock[node][sku] -= taken;
        quantity -= taken;
        sent->takes[sent->take_count++] = (struct take){ node, sku, taken, false };
    }
    return quantity;
}

static void give_back(struct apart *a, struct apart_order *order)
{
    for (int t = 0; t < order->take_count; t++)
        if (!order->takes[t].shipped)
            a->stock[order->takes[t].node][order->takes[t].sku] += order->takes[t].quantity;
    order->fate = FATE_DEAD;
}

static int64_t gone_units(const struct apart_order *order)
{
    int64_t units = 0;
    for (int t = 0; t < order->take_count; t++)
        units += order->takes[t].shipped ? order->takes[t].quantity : 0;
    return units;
}

static void cancel_short(struct apart *a, int64_t which, int64_t short_units, int64_t since)
{
    give_back(a, &a->orders[which]);
    a->out.waiting_us += short_units * (a->now - since);
    a->out.cancelled_orders++;
    a->out.cancelled_units += wanted_units(&a->script->orders[which]) - gone_units(&a->orders[which]);
    a->out.shipped_units += gone_units(&a->orders[which]);
}

/* Units of the items that cannot be shipped whole: what the engine calls oversold. */
static int64_t set_line_aside(struct apart *a, struct apart_order *sent, int channel, const struct wish *line)
{
    struct part parts[PARTS];
    int64_t short_items = 0, units = 0;
    for (int p = item_parts(line->item, parts); p > 0; p--) {
        const struct part *part = &parts[p - 1];
        int64_t missing = set_aside(a, sent, channel, part->sku, part->need * line->quantity);
        short_items = max_i64(short_items, (missing + part->need - 1) / part->need);
        units += part->need;
    }
    return short_items * units;
}

static void send_order(struct apart *a, int64_t which)
{
    const struct script_order *order = &a->script->orders[which];
    struct apart_order *sent = &a->orders[which];
    int64_t short_units = 0;
    forget_pending(a, order);
    sent->fate = FATE_SENT;
    sent->takes = ARENA_ARRAY(a->arena, struct take, TAKES_MAX);
    for (int l = 0; l < order->line_count; l++)
        short_units += set_line_aside(a, sent, order->channel, &order->lines[l]);
    *(order->channel == SELLER_MARKET ? &a->out.beyond_market_units : &a->out.beyond_own_units) += short_units;
    if (short_units > 0) {
        cancel_short(a, which, short_units, order->at);
        return;
    }
    bool parcel[NODES] = { false };
    for (int t = 0; t < sent->take_count; t++)
        parcel[sent->takes[t].node] = true;
    for (int node = 0; node < NODES; node++)
        if (parcel[node])
            agenda_put(&a->agenda, pickers_give(&a->pickers, a->script, node, a->now), DUE_SHIP, which * NODES + node);
}

static void sync(struct apart *a)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->outbox_count; i++) {
        int64_t which = a->outbox[i];
        if (a->orders[which].fate == FATE_PENDING && a->orders[which].paid)
            send_order(a, which);
        else if (a->orders[which].fate == FATE_PENDING)
            a->outbox[kept++] = which;
    }
    a->outbox_count = kept;
    refresh_copies(a);
    if (agenda_next(&a->agenda) != NULL)
        agenda_put(&a->agenda, a->now + SYNC_MINUTES * MINUTE_US, DUE_SYNC, 0);
}

static void ship(struct apart *a, int64_t which, int node)
{
    struct apart_order *order = &a->orders[which];
    bool all = true;
    if (order->fate != FATE_SENT)
        return;
    for (int t = 0; t < order->take_count; t++) {
        order->takes[t].shipped = order->takes[t].shipped || order->takes[t].node == node;
        all = all && order->takes[t].shipped;
    }
    if (!all)
        return;
    order->fate = FATE_SHIPPED;
    a->out.cycle_us += a->now - a->script->orders[which].at;
    a->out.shipped++;
    a->out.shipped_units += gone_units(order);
}

static void give_up(struct apart *a, int64_t which)
{
    struct apart_order *order = &a->orders[which];
    for (int t = 0; t < order->take_count; t++)
        if (order->takes[t].shipped)
            return; /* nobody gives up what is half on its way */
    if (order->fate == FATE_PENDING)
        forget_pending(a, &a->script->orders[which]);
    if (order->fate != FATE_PENDING && order->fate != FATE_SENT)
        return;
    give_back(a, order);
    a->out.given_up_units += wanted_units(&a->script->orders[which]);
}

/* Free units go first; then the orders that came last lose theirs, and are cancelled. */
static void miscount(struct apart *a, const struct stock_news *news)
{
    int64_t missing = news->quantity, taken = min_i64(missing, a->stock[news->node][news->sku]);
    a->stock[news->node][news->sku] -= taken;
    missing -= taken;
    for (int64_t which = (int64_t)a->script->order_count - 1; which >= 0 && missing > 0; which--) {
        struct apart_order *order = &a->orders[which];
        int64_t lost = 0;
        for (int t = 0; t < order->take_count && order->fate == FATE_SENT; t++) {
            struct take *take = &order->takes[t];
            if (take->node != news->node || take->sku != news->sku || take->shipped)
                continue;
            int64_t gone = min_i64(take->quantity, missing - lost);
            take->quantity -= gone;
            lost += gone;
        }
        missing -= lost;
        a->out.missing_units += lost;
        if (lost > 0)
            cancel_short(a, which, lost, a->now);
    }
}

static void happen(struct apart *a, const struct due *due)
{
    switch (due->kind) {
    case DUE_ORDER:
        place_order(a, due->which);
        break;
    case DUE_PAYMENT:
        a->orders[due->which].paid = !a->script->orders[due->which].pay_fails;
        break;
    case DUE_GIVE_UP:
        give_up(a, due->which);
        break;
    case DUE_RECEIPT:
        a->stock[a->script->receipts[due->which].node][a->script->receipts[due->which].sku] += a->script->receipts[due->which].quantity;
        break;
    case DUE_MISCOUNT:
        miscount(a, &a->script->miscounts[due->which]);
        break;
    case DUE_SHIP:
        ship(a, due->which / NODES, (int)(due->which % NODES));
        break;
    case DUE_DEED:
        break; /* of the day in full */
    case DUE_SYNC:
        sync(a);
        break;
    case DUE_PATIENCE:
    case DUE_RECALL:
        break; /* nothing waits here, and a count cancels at once */
    }
}

struct outcome apart_run(const struct script *script, struct arena *arena)
{
    struct apart *a = ARENA_NEW(arena, struct apart);
    a->script = script;
    a->arena = arena;
    a->orders = ARENA_ARRAY(arena, struct apart_order, script->order_count);
    a->outbox = ARENA_ARRAY(arena, int64_t, script->order_count);
    for (int node = 0; node < NODES; node++)
        for (int sku = 0; sku < SKUS; sku++)
            a->stock[node][sku] = script->opening[node][sku];
    refresh_copies(a);
    agenda_begin(&a->agenda, arena, script);
    agenda_put(&a->agenda, DAY_START_US + SYNC_MINUTES * MINUTE_US, DUE_SYNC, 0);
    while (agenda_next(&a->agenda) != NULL) {
        struct due due = agenda_take(&a->agenda);
        a->now = due.at;
        happen(a, &due);
    }
    for (size_t i = 0; i < script->order_count; i++)
        a->out.unfinished += a->orders[i].fate == FATE_PENDING || a->orders[i].fate == FATE_SENT;
    return a->out;
}
