/* src/simulation/wording.c: JSON of what the script wants. */
#include "simulation/wording.h"
#include "base/when.h"

/* ---- masters ---- */

static bool put_channel(const struct carrier *carrier, struct arena *arena, const struct seller *seller)
{
    struct buffer nodes = { .arena = arena };
    for (int node = 0; node < NODES; node++)
        if (seller->ships[node])
            buffer_printf(&nodes, "%s\"%s\"", nodes.size == 0 ? "" : ",", depots[node].code);
    return carrier->put(carrier->context, arena_printf(arena, "/v1/channels/%s", seller->code),
                        arena_printf(arena, "{\"unit\":\"DE\",\"name\":\"%s\",\"kind\":\"%s\",\"priority\":%d,\"nodes\":[%s],\"shortage\":\"%s\"}",
                                     seller->name, seller->kind, seller->rank, nodes.at, seller->shortage));
}

static bool put_bundle(const struct carrier *carrier, struct arena *arena)
{
    char code[16];
    struct buffer parts = { .arena = arena };
    for (int p = 0; p < PARTS; p++)
        buffer_printf(&parts, "%s{\"sku\":\"%s\",\"quantity\":%ld}", p == 0 ? "" : ",", item_code(bundle_parts[p].sku, code),
                      (long)bundle_parts[p].need);
    return carrier->put(carrier->context, arena_printf(arena, "/v1/bundles/%s", item_code(BUNDLE, code)),
                        arena_printf(arena, "{\"name\":\"The promotion\",\"components\":[%s]}", parts.at));
}

bool masters_put(const struct carrier *carrier, struct arena *arena)
{
    char code[16];
    bool good = carrier->put(carrier->context, "/v1/units/DE",
                             "{\"name\":\"Germany\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}");
    for (int node = 0; node < NODES && good; node++)
        good = carrier->put(
            carrier->context, arena_printf(arena, "/v1/nodes/%s", depots[node].code),
            arena_printf(arena, "{\"unit\":\"DE\",\"name\":\"%s\",\"kind\":\"%s\",\"country\":\"%s\",\"postal_code\":\"%s\",\"priority\":%d}",
                         depots[node].name, depots[node].kind, depots[node].country, depots[node].postal_code, node + 1));
    for (int sku = 0; sku < SKUS && good; sku++)
        good = carrier->put(carrier->context, arena_printf(arena, "/v1/skus/%s", item_code(sku, code)),
                            arena_printf(arena, "{\"name\":\"Article %d\"}", sku));
    good = good && put_bundle(carrier, arena);
    for (int channel = 0; channel < CHANNELS && good; channel++)
        good = put_channel(carrier, arena, &sellers[channel]);
    return good;
}

/* ---- what happens ---- */

static const char *money(struct arena *arena, int64_t minor)
{
    return arena_printf(arena, "{\"amount\":\"%ld.%02ld\",\"currency\":\"EUR\"}", (long)(minor / 100), (long)(minor % 100));
}

const char *order_body(struct arena *arena, const struct script_order *order, const char *day, bool waits)
{
    const struct seller *seller = &sellers[order->channel];
    struct buffer lines = { .arena = arena };
    char at[32], code[16];
    for (int l = 0; l < order->line_count; l++)
        buffer_printf(&lines, "%s{\"sku\":\"%s\",\"quantity\":%ld,\"unit_price\":%s}", l == 0 ? "" : ",", item_code(order->lines[l].item, code),
                      (long)order->lines[l].quantity, money(arena, item_price(order->lines[l].item)));
    when_format(order->at, at);
    return arena_printf(arena,
                        "{\"channel\":\"%s\",\"channel_order_id\":\"%s%ld\",\"placed_at\":\"%s\",\"currency\":\"EUR\",\"prices_include_tax\":true,"
                        "\"customer\":{\"name\":\"Customer %ld\"},\"ship_to\":{\"name\":\"Customer %ld\",\"country\":\"DE\"},\"lines\":[%s],"
                        "\"payment\":{\"term\":\"%s\",\"status\":\"%s\"},\"on_shortage\":\"%s\"}",
                        seller->code, day, (long)order->number, at, (long)order->number, (long)order->number, lines.at, seller->term, seller->status,
                        waits ? "backorder" : seller->shortage);
}

const char *payment_body(struct arena *arena, const struct script_order *order)
{
    int64_t total = 0;
    for (int l = 0; l < order->line_count; l++)
        total += item_price(order->lines[l].item) * order->lines[l].quantity;
    return arena_printf(arena, "{\"kind\":\"%s\",\"amount\":%s,\"reference\":\"pay-%ld\"}", order->pay_fails ? "failed" : "captured",
                        money(arena, total), (long)order->number);
}

const char *receipt_body(struct arena *arena, const struct stock_news *news, const char *day, int64_t number)
{
    char code[16];
    return arena_printf(arena, "{\"node\":\"%s\",\"sku\":\"%s\",\"delta\":%ld,\"reason\":\"receipt\",\"document\":\"%sasn-%ld\",\"unit_cost\":%s}",
                        depots[news->node].code, item_code(news->sku, code), (long)news->quantity, day, (long)number,
                        money(arena, item_cost_minor(news->sku) + number % 97)); /* suppliers' prices move */
}

int64_t item_cost_minor(int sku)
{
    return 137 + sku * INT64_C(61) % 4000;
}

const char *opening_body(struct arena *arena, int node, int sku, int64_t units)
{
    char code[16];
    return arena_printf(arena, "{\"node\":\"%s\",\"sku\":\"%s\",\"set\":%ld,\"reason\":\"opening\",\"unit_cost\":%s}", depots[node].code,
                        item_code(sku, code), (long)units, money(arena, item_cost_minor(sku)));
}

const char *count_body(struct arena *arena, const struct stock_news *news, int64_t on_hand)
{
    char code[16];
    return arena_printf(arena, "{\"node\":\"%s\",\"sku\":\"%s\",\"set\":%ld,\"reason\":\"count\"}", depots[news->node].code,
                        item_code(news->sku, code), (long)max_i64(0, on_hand - news->quantity));
}

bool waits_for_supply(const struct script *script, const struct script_order *order)
{
    const struct seller *seller = &sellers[order->channel];
    struct part parts[PARTS];
    for (int l = 0; l < order->line_count; l++)
        for (int p = item_parts(order->lines[l].item, parts); p > 0; p--)
            if (script->last_receipt[parts[p - 1].sku] <= order->at || !seller->ships[script->receipt_node[parts[p - 1].sku]])
                return false;
    return seller->customers_wait;
}

bool has_bundle(const struct script_order *order)
{
    for (int l = 0; l < order->line_count; l++)
        if (order->lines[l].item == BUNDLE)
            return true;
    return false;
}

/* ---- the marketplace's page ---- */

bool page_sells(struct page *page, const struct script_order *order)
{
    for (int l = 0; l < order->line_count; l++)
        if (page->shown[order->lines[l].item] < order->lines[l].quantity)
            return false;
    for (int l = 0; l < order->line_count; l++)
        page->shown[order->lines[l].item] -= order->lines[l].quantity;
    return true;
}

void page_touch(struct page *page, const struct script_order *order)
{
    struct part parts[PARTS];
    for (int l = 0; l < order->line_count; l++)
        for (int p = item_parts(order->lines[l].item, parts); p > 0; p--)
            page->changed[parts[p - 1].sku] = true;
}

bool page_is_old(const struct page *page, int item)
{
    struct part parts[PARTS];
    bool changed = false;
    for (int p = item_parts(item, parts); p > 0; p--)
        changed = changed || page->changed[parts[p - 1].sku];
    return changed;
}
