/* src/simulation/script.c: the day is drawn: demand first, then the supply that a forecast of it would have bought.
 * Every forecast errs; some goods arrive only in the afternoon or evening; one count takes units away in the spike. */
#include "simulation/script.h"
#include "simulation/chance.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { PALLET = 200, BIN = 100 };

const struct depot depots[NODES] = {
    { "BER", "warehouse", "Berlin", "DE", "10115", 45, 40 },
    { "MUC", "warehouse", "Munich", "DE", "80331", 25, 25 },
    { "RTM-3PL", "third_party", "3PL Rotterdam", "NL", "3011 AA", 18, 20 },
    { "WAW-3PL", "third_party", "3PL Warsaw", "PL", "00-001", 12, 15 },
};

const struct seller sellers[CHANNELS] = {
    { "web", "store", "Web store", 2, { true, true, true, true }, "reject", "prepaid", "pending", true, true },
    { "market", "marketplace", "Marketplace", 3, { true, false, true, false }, "backorder", "collected", "captured", false, false },
    { "b2b", "b2b", "B2B portal", 1, { true, true, false, false }, "reject", "on_account", "pending", false, true },
    { "social", "social", "Social shop", 4, { false, true, false, true }, "reject", "prepaid", "pending", true, false },
};

const struct part bundle_parts[PARTS] = { { 0, 1 }, { 1, 1 }, { 2, 2 } };

/* ---- items ---- */

int item_parts(int item, struct part parts[PARTS])
{
    if (item != BUNDLE) {
        parts[0] = (struct part){ item, 1 };
        return 1;
    }
    for (int i = 0; i < PARTS; i++)
        parts[i] = bundle_parts[i];
    return PARTS;
}

int64_t wanted_units(const struct script_order *order)
{
    int64_t units = 0;
    struct part parts[PARTS];
    for (int l = 0; l < order->line_count; l++)
        for (int p = item_parts(order->lines[l].item, parts); p > 0; p--)
            units += parts[p - 1].need * order->lines[l].quantity;
    return units;
}

int64_t item_price(int item)
{
    return item == BUNDLE ? 79900 : 999 + (int64_t)item * 137;
}

const char *item_code(int item, char out[16])
{
    if (item == BUNDLE)
        snprintf(out, 16, "PROMO-KIT");
    else
        snprintf(out, 16, "SKU-%03d", item);
    return out;
}

/* ---- demand ---- */

static bool in_spike(int64_t since)
{
    return since >= 12 * HOUR_US && since < 14 * HOUR_US;
}

/* A quarter of the day's orders falls into the two hours of the spike; the others thicken toward noon. */
static int64_t draw_time(struct chance *chance)
{
    if (percent(chance, 25))
        return 12 * HOUR_US + draw_below(chance, 2 * HOUR_US);
    return (draw_below(chance, 24 * HOUR_US) + draw_below(chance, 24 * HOUR_US)) / 2;
}

static int draw_item(struct chance *chance, int64_t since)
{
    if (percent(chance, in_spike(since) ? 50 : 4))
        return BUNDLE;
    int64_t first = draw_below(chance, SKUS), second = draw_below(chance, SKUS);
    return (int)(first * second / SKUS); /* few sell much, many sell little */
}

static int draw_channel(struct chance *chance)
{
    int64_t at = draw_below(chance, 100);
    return at < 45 ? SELLER_WEB : at < 75 ? SELLER_MARKET : at < 85 ? SELLER_B2B : SELLER_SOCIAL;
}

static void draw_lines(struct chance *chance, struct script_order *order, int64_t since)
{
    int64_t at = draw_below(chance, 100);
    order->line_count = 0;
    for (int wanted = at < 75 ? 1 : at < 95 ? 2 : 3; wanted > 0; wanted--) {
        struct wish wish = { draw_item(chance, since), order->channel == SELLER_B2B ? draw_from(chance, 4, 12) : percent(chance, 85) ? 1 : 2 };
        bool twice = false;
        for (int l = 0; l < order->line_count; l++)
            twice = twice || order->lines[l].item == wish.item;
        if (!twice)
            order->lines[order->line_count++] = wish;
    }
}

static void draw_order(struct chance *chance, struct script_order *order)
{
    int64_t since = draw_time(chance);
    *order = (struct script_order){ .at = DAY_START_US + since, .channel = draw_channel(chance) };
    draw_lines(chance, order, since);
    if (sellers[order->channel].pays_later) {
        order->pay_at = order->at + draw_from(chance, 60, 600) * SECOND_US;
        order->pay_fails = percent(chance, 4);
    }
    if (order->pay_fails)
        order->give_up_at = order->pay_at + 30 * MINUTE_US;
    else if (percent(chance, 2))
        order->give_up_at = order->at + draw_from(chance, 15, 180) * MINUTE_US;
}

static int by_time(const void *a, const void *b)
{
    const struct script_order *x = a, *y = b;
    return x->at != y->at ? (x->at > y->at) - (x->at < y->at) : (x->number > y->number) - (x->number < y->number);
}

static void draw_orders(struct chance *chance, struct script *script)
{
    for (size_t i = 0; i < script->order_count; i++) {
        draw_order(chance, &script->orders[i]);
        script->orders[i].number = (int64_t)i; /* times may be equal, and qsort is not stable */
    }
    qsort(script->orders, script->order_count, sizeof *script->orders, by_time);
    for (size_t i = 0; i < script->order_count; i++)
        script->orders[i].number = (int64_t)i + 1;
}

/* ---- supply ---- */

static void count_demand(const struct script *script, int64_t wanted[SKUS])
{
    struct part parts[PARTS];
    for (size_t i = 0; i < script->order_count; i++)
        for (int l = 0; l < script->orders[i].line_count; l++)
            for (int p = item_parts(script->orders[i].lines[l].item, parts); p > 0; p--)
                wanted[parts[p - 1].sku] += parts[p - 1].need * script->orders[i].lines[l].quantity;
}

/* Every fifth SKU, and all that the bundle is made of, was bought in two parts: the second comes in the afternoon. */
static bool arrives_late(int sku)
{
    return sku % 5 == 0 || sku < PARTS;
}

/* A delivery is booked pallet by pallet, as it comes off the ramp. */
static void draw_delivery(struct chance *chance, struct script *script, int sku, int64_t quantity)
{
    int64_t at = DAY_START_US + draw_from(chance, (int64_t)15 * 60, (int64_t)21 * 60) * MINUTE_US;
    int node = (int)draw_below(chance, 3);
    for (; quantity > 0; quantity -= PALLET, at += 30 * SECOND_US) {
        script->receipts[script->receipt_count++] = (struct stock_news){ at, node, sku, min_i64(quantity, PALLET) };
        script->last_receipt[sku] = at;
        script->receipt_node[sku] = node;
    }
}

static void draw_supply(struct chance *chance, struct script *script, const int64_t wanted[SKUS])
{
    for (int sku = 0; sku < SKUS; sku++) {
        int64_t bought = max_i64(NODES, wanted[sku] * draw_from(chance, 80, 125) / 100), later = 0;
        if (arrives_late(sku)) {
            later = bought * draw_from(chance, 30, 45) / 100;
            draw_delivery(chance, script, sku, later);
        }
        for (int node = 0; node < NODES; node++)
            script->opening[node][sku] = max_i64(1, (bought - later) * depots[node].supply_percent / 100);
    }
}

/* In the middle of the spike, of what the bundle is made of, at the node that ships most. It is counted bin by bin. */
static void draw_count(struct chance *chance, struct script *script, struct arena *arena)
{
    int64_t missing[PARTS], bins = 0;
    for (int p = 0; p < PARTS; p++) {
        missing[p] = max_i64(2, script->opening[0][bundle_parts[p].sku] * draw_from(chance, 8, 15) / 100);
        bins += missing[p] / BIN + 1;
    }
    script->miscounts = ARENA_ARRAY(arena, struct stock_news, (size_t)bins);
    for (int p = 0; p < PARTS; p++)
        for (int64_t at = DAY_START_US + 12 * HOUR_US + (40 + p) * MINUTE_US; missing[p] > 0; missing[p] -= BIN, at += 20 * SECOND_US)
            script->miscounts[script->miscount_count++] = (struct stock_news){ at, 0, bundle_parts[p].sku, min_i64(missing[p], BIN) };
}

struct script *script_make(struct arena *arena, uint64_t seed, int64_t orders)
{
    assert(orders > 0);
    struct chance chance = { hash_u64(seed ^ 0x6d696c6c72616365u) };
    struct script *script = ARENA_NEW(arena, struct script);
    int64_t wanted[SKUS] = { 0 }, all = 0;
    script->order_count = (size_t)orders;
    script->orders = ARENA_ARRAY(arena, struct script_order, script->order_count);
    draw_orders(&chance, script);
    count_demand(script, wanted);
    for (int sku = 0; sku < SKUS; sku++)
        all += wanted[sku];
    script->receipts = ARENA_ARRAY(arena, struct stock_news, (size_t)(all / PALLET + SKUS)); /* less than half comes late */
    draw_supply(&chance, script, wanted);
    draw_count(&chance, script, arena);
    /* A fifth more than the day's parcels need if they came evenly, so the spike queues and the evening clears it. */
    for (int node = 0; node < NODES; node++)
        script->pick_us[node] = max_i64(1, 24 * HOUR_US * 100 / (orders * depots[node].pick_percent * 12 / 10));
    return script;
}
