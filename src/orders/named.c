/* src/orders/named.c: lines name a SKU by our code or by the channel's listing; an order that comes and one that is edited look them up alike. */
#include "orders/named.h"
#include "inventory/availability.h"

void named_fault(const struct named *named, enum fault_code code, size_t i, const char *field, const char *detail)
{
    fault_add(named->faults, code, arena_printf(named->faults->arena, "/%s/%zu/%s", named->list, i, field), "%s", detail);
}

static const struct sku_row *sku_of(const struct named *named, size_t i)
{
    const char *code = named->lines[i].sku;
    return code == NULL ? NULL : ws_find(named->ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(named->ws)), db_text(code)));
}

static const struct listing_row *listing_of(const struct named *named, size_t i)
{
    const char *code = named->lines[i].channel_sku;
    if (code == NULL || named->channel == NULL)
        return NULL;
    return ws_find(named->ws, &listing_by_code, WS_PREFIX(db_int(ws_unit(named->ws)), db_int(named->channel->id), db_text(code)));
}

static void want_names(const struct named *named, size_t most)
{
    const int64_t unit = ws_unit(named->ws);
    for (size_t i = 0; i < named->count && i < most; i++) {
        const struct line_io *line = &named->lines[i];
        if (line->sku != NULL)
            ws_want_path(named->ws, &sku_by_code, WS_PREFIX(db_int(unit), db_text(line->sku)), 0);
        if (line->channel_sku != NULL && named->channel != NULL)
            ws_want_path(named->ws, &listing_by_code, WS_PREFIX(db_int(unit), db_int(named->channel->id), db_text(line->channel_sku)), 0);
    }
    ws_settle(named->ws);
}

void named_unknown(const struct named *named, size_t i)
{
    struct arena *arena = named->faults->arena;
    const struct line_io *line = &named->lines[i];
    if (line->sku != NULL)
        named_fault(named, FAULT_SKU_UNKNOWN, i, "sku", arena_printf(arena, "there is no SKU %s", line->sku));
    else
        named_fault(named, FAULT_LISTING_UNKNOWN, i, "channel_sku",
                    arena_printf(arena, "%s has no listing %s", named->channel->code, line->channel_sku));
}

void named_look_up(const struct named *named, size_t most)
{
    want_names(named, most);
    for (size_t i = 0; i < named->count && i < most; i++) {
        const struct line_io *line = &named->lines[i];
        const bool by_sku = line->sku != NULL, by_listing = !by_sku && line->channel_sku != NULL && named->channel != NULL;
        if ((by_sku && sku_of(named, i) == NULL) || (by_listing && listing_of(named, i) == NULL))
            named_unknown(named, i);
    }
}

void named_want(const struct named *named)
{
    const int64_t unit = ws_unit(named->ws);
    int64_t *bundles = ARENA_ARRAY(ws_arena(named->ws), int64_t, named->count + 1);
    size_t count = 0;
    want_names(named, named->count);
    for (size_t i = 0; i < named->count; i++) {
        const struct sku_row *sku = sku_of(named, i);
        const struct listing_row *listing = named->lines[i].sku != NULL ? NULL : listing_of(named, i);
        if (listing != NULL)
            ws_want(named->ws, &sku_table, WS_KEY(unit, listing->sku));
        if (sku != NULL && named->channel->listings > 0)
            ws_want_path(named->ws, &listing_of_sku, WS_PREFIX(db_int(unit), db_int(named->channel->id), db_int(sku->id)), 0);
        const struct sku_row *listed = listing == NULL ? sku : ws_known_row(named->ws, &sku_table, WS_KEY(unit, listing->sku));
        if (listed != NULL && listed->bundle)
            bundles[count++] = listed->id;
    }
    ws_settle(named->ws); /* from here all SKUs are known, and whether they are bundles */
    bundles_want(named->ws, bundles, count);
}

void named_find(const struct named *named, size_t i, struct wish *wish)
{
    wish->quantity = named->lines[i].quantity;
    wish->sku = sku_of(named, i);
    if (wish->sku != NULL) {
        wish->listing = only_listing(named->ws, named->channel, wish->sku->id);
    } else if (named->lines[i].sku == NULL) {
        wish->listing = listing_of(named, i);
        if (wish->listing != NULL)
            wish->sku = ws_get(named->ws, &sku_table, WS_KEY(ws_unit(named->ws), wish->listing->sku));
    }
}
