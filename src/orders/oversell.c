/* src/orders/oversell.c: a marketplace has sold what is not there: why? One cause an order, of its first line that is short, so that what goes
 * wrong most can be counted and mended. Only what the rows show is asked; of those who hold the units the four that a position's row names. */
#include "orders/oversell.h"
#include "engine/jobs.h"

static const struct position_row *position_at(const struct oversold *o, size_t node, size_t component)
{
    return position_find(o->ws, o->outlet->nodes[node]->id, o->wish->components[component].sku, 0);
}

static bool is_being_counted_away(struct oversold *o)
{
    for (size_t n = 0; n < o->outlet->node_count; n++)
        for (size_t c = 0; c < o->wish->component_count; c++) {
            const struct position_row *position = position_at(o, n, c);
            if (position != NULL && position->blocked != 0 &&
                ((const struct job_row *)ws_get(o->ws, &job_table, WS_KEY(ws_unit(o->ws), position->blocked)))->kind == JOB_GIVE_WAY)
                return true;
        }
    return false;
}

/* All that is missing of some component stands there and may not be sold. */
static bool stands_in_quarantine(struct oversold *o)
{
    for (size_t c = 0; c < o->wish->component_count; c++) {
        int64_t units = 0;
        for (size_t n = 0; n < o->outlet->node_count; n++)
            units += position_at(o, n, c) == NULL ? 0 : position_at(o, n, c)->quarantined;
        if (units >= o->short_of * o->wish->components[c].quantity)
            return true;
    }
    return false;
}

#define EXPECTED_LOOKED_AT 64 /* of a SKU, by date: those whose date has passed come first */

static void expected_want(struct oversold *o)
{
    for (size_t c = 0; c < o->wish->component_count; c++)
        ws_want_path(o->ws, &expected_of_sku, WS_PREFIX(db_int(ws_unit(o->ws)), db_int(o->wish->components[c].sku)), EXPECTED_LOOKED_AT);
}

/* All that is missing of some component should have come by now, to where the channel sells from. */
static bool should_be_here(struct oversold *o)
{
    for (size_t c = 0; c < o->wish->component_count; c++) {
        const struct db_value prefix[] = { db_int(ws_unit(o->ws)), db_int(o->wish->components[c].sku) };
        const struct expected_row *expected;
        int64_t units = 0;
        struct ws_cursor cursor = ws_scan(o->ws, &expected_of_sku, prefix, EXPECTED_LOOKED_AT);
        for (size_t i = 0; i < EXPECTED_LOOKED_AT && (expected = ws_next(o->ws, &cursor)) != NULL && expected->at < ws_now_us(o->ws); i++)
            for (size_t n = 0; n < o->outlet->node_count; n++)
                units += o->outlet->nodes[n]->id == expected->node ? expected->units : 0;
        if (units >= o->short_of * o->wish->components[c].quantity)
            return true;
    }
    return false;
}

static bool was_claimed_since(struct oversold *o)
{
    return o->claimed_since;
}

static bool is_in_bundles(struct oversold *o)
{
    return o->in_bundles || o->wish->sku->bundle;
}

static bool else_it_was_stale(struct oversold *o)
{
    return true;
}

static const struct {
    const char *name;
    bool (*holds)(struct oversold *oversold); /* NULL: only where a fact breaks a claim, or not yet */
    const char *says;
} causes[] = {
    { "count_error", is_being_counted_away,
      "our books said that it is there: a count, damage, loss or short pick took it from the order after it was promised, or is taking it" },
    { "uninspected_return", stands_in_quarantine, "as many units as are missing stand in quarantine at the channel's nodes" },
    { "late_receipt", should_be_here, "as many units as are missing should have come by now to the channel's nodes (exception `supply_late`)" },
    { "race", was_claimed_since, "another order got the units after the customer had bought, and before the marketplace told us" },
    { "bundle", is_in_bundles, "what was sold is a bundle, or its units are held as parts of one: they share components" },
    { "stale_channel", else_it_was_stale, "the channel sold by a figure older than what had happened here" },
    { "manual_override", NULL, "somebody published more than there is; not before publishing is there" },
};

static void holder_want(struct oversold *o, int64_t holder)
{
    const struct db_value prefix[] = { db_int(ws_unit(o->ws)), db_int(holder) };
    ws_want(o->ws, &orders_table, WS_KEY(ws_unit(o->ws), holder));
    ws_want_path(o->ws, &line_of_order, prefix, 0);
    ws_want_path(o->ws, &claim_of_holder, prefix, 0);
}

static void holder_look(struct oversold *o, int64_t holder, int64_t sku)
{
    const struct db_value prefix[] = { db_int(ws_unit(o->ws)), db_int(holder) };
    const struct orders_row *order = ws_get(o->ws, &orders_table, WS_KEY(ws_unit(o->ws), holder));
    const struct claim_row *claim;
    if (order == NULL)
        return; /* a checkout */
    o->claimed_since = o->claimed_since || order->captured_at > o->order->placed_at;
    for (struct ws_cursor cursor = ws_scan(o->ws, &claim_of_holder, prefix, 0); (claim = ws_next(o->ws, &cursor)) != NULL;) {
        const int64_t key[] = { order->unit, order->id, claim->line };
        const struct order_line_row *line = ws_get_listed(o->ws, &order_line_table, key, &line_of_order, prefix);
        o->in_bundles = o->in_bundles || (claim->kind == CLAIM_ORDER && claim->sku == sku && line->bundle);
    }
}

/* Those who hold what is missing: loaded in one go, then looked at. */
static void look_at_holders(struct oversold *o)
{
    expected_want(o);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < o->outlet->node_count * o->wish->component_count; i++) {
            const struct position_row *p = position_at(o, i / o->wish->component_count, i % o->wish->component_count);
            const int64_t holders[] = { p == NULL ? 0 : p->claimant1, p == NULL ? 0 : p->claimant2, p == NULL ? 0 : p->claimant3,
                                        p == NULL ? 0 : p->claimant4 };
            for (size_t k = 0; k < COUNT(holders); k++) {
                if (holders[k] == 0 || holders[k] == o->order->id)
                    continue;
                if (round == 0)
                    holder_want(o, holders[k]);
                else
                    holder_look(o, holders[k], p->sku);
            }
        }
        ws_settle(o->ws);
    }
}

const char *oversell_cause(struct oversold *oversold)
{
    size_t i = 0;
    look_at_holders(oversold);
    while (causes[i].holds == NULL || !causes[i].holds(oversold))
        i++; /* the last one always holds */
    return causes[i].name;
}

bool shortage_tell(struct order *order, const struct outlet *outlet, const struct wish *wishes, size_t count)
{
    struct arena *arena = ws_arena(order->ws);
    const bool sold = outlet->channel->kind == CHANNEL_MARKETPLACE;
    struct line_units *lines = ARENA_ARRAY(arena, struct line_units, count + 1);
    const struct wish *first = NULL;
    struct exception e = {
        .type = sold ? EXCEPTION_OVERSELL : EXCEPTION_SHORTAGE, .order = order->row->id, .detail = "waits for supply", .lines = lines
    };
    for (size_t i = 0; i < count; i++) {
        const struct wish *wish = &wishes[i];
        if (wish->sku == NULL || wish->granted == wish->quantity)
            continue;
        first = first == NULL ? wish : first;
        lines[e.line_count++] = (struct line_units){ wish->line, wish->quantity - wish->granted };
        for (size_t c = 0; c < wish->component_count; c++)
            e.quantity += (wish->quantity - wish->granted) * wish->components[c].quantity;
    }
    if (first == NULL)
        return false;
    if (first->kept > 0)
        e.detail = "waits: it may have no more shipments";
    if (sold)
        e.detail = oversell_cause(&(struct oversold){
            .ws = order->ws, .order = order->row, .outlet = outlet, .wish = first, .short_of = first->quantity - first->granted });
    e.cause = arena_printf(arena, "%s/%ld", exception_names[e.type - 1], (long)e.order);
    exception_open(order->ws, &e);
    return true;
}

const char *oversell_cause_of_fact(void)
{
    return causes[0].name;
}

void oversell_causes_print(FILE *out)
{
    fputs("| cause | when |\n| --- | --- |\n", out);
    for (size_t i = 0; i < COUNT(causes); i++)
        fprintf(out, "| %s | %s |\n", causes[i].name, causes[i].says);
}
