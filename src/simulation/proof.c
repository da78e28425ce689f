/* src/simulation/proof.c: how the day ends, and what must hold then. What is there is counted twice: by the store in its positions, and by
 * the people of the day, who added up what they saw come and go. Whatever was lost or done twice by anybody's fault makes the two differ. */
#include "base/id.h"
#include "check/check.h"
#include "engine/exceptions.h"
#include "orders/orders.h"
#include "schema.h"
#include "simulation/day.h"

enum { CLOSING_ROUNDS = 6 };

/* ---- the end ---- */

static void buy(struct day *day, struct deed *deed, const struct demand_row *row)
{
    const int channel = day->script->orders[deed->which].channel, sku = sku_of(day, row->sku);
    char code[16];
    int node = 0;
    while (!sellers[channel].ships[node])
        node++;
    ask(day, deed, 1, "/v1/inventory/adjustments",
        arena_printf(day->step, "{\"node\":\"%s\",\"sku\":\"%s\",\"delta\":%ld,\"reason\":\"receipt\"}", depots[node].code, item_code(sku, code),
                     (long)row->backordered));
    day->there[node][sku] += row->backordered;
}

/* Nobody has it yet: it is cancelled. Else what is missing of it is bought, and nodes that refused it are asked again. */
static void close_go(struct day *day, struct deed *deed)
{
    struct sale *sale = &day->sales[deed->which];
    if (deed->step == 0 && sale->shipped == 0) {
        ask(day, deed, 0, target_of(day, "/v1/orders", "ord", sale->id, "cancel"), "{\"reason\":\"shortage\"}");
        return;
    }
    struct db_rows rows = day_rows(day, &demand_of_order, sale->id);
    refusals_clear(day, deed, deed->which);
    for (size_t i = 0; i < rows.count; i++) {
        const struct demand_row *row = db_row(&rows, i);
        if (row->backordered > 0)
            buy(day, deed, row);
    }
    tally(day, TALLY_LAST_BOUGHT);
}

static void close_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    const bool done = heard(day, request);
    if (request->step == 0 && done)
        day->sales[deed->which].disturbed = true;
    if (request->step == 1 && !done)
        day_fail(day, "%s %s: %d %s", request->target, request->body, request->status, request->answer);
}

static const struct deed_kind close_deed = { "the end", close_go, close_hear };

void day_close(struct day *day)
{
    for (int round = 0; round < CLOSING_ROUNDS && day_is_well(day); round++) {
        bool open = false;
        for (size_t i = 0; i < day->script->order_count; i++) {
            if (day->sales[i].waiting + day->sales[i].working == 0)
                continue;
            struct deed *deed = deed_new(day, &close_deed, day->company->now_us + HOUR_US);
            deed->which = (int64_t)i;
            open = true;
        }
        if (!open)
            return;
        day_go_on(day);
    }
}

/* ---- the proof ---- */

static const char *name_of(struct day *day, size_t which)
{
    return arena_printf(day->step, "order %s", id_text(day->step, "ord", day->company->unit, day->sales[which].id));
}

static void prove_order(struct day *day, size_t which)
{
    const struct sale *sale = &day->sales[which];
    sale_follow(day, (int64_t)which);
    if (sale->waiting + sale->working > 0)
        day_fail(day, "%s has not ended: %ld units wait, %ld are claimed", name_of(day, which), (long)sale->waiting, (long)sale->working);
    else if (sale->shipped != sale->left)
        day_fail(day, "%s: %ld units shipped, and %ld left in parcels and are with the customer", name_of(day, which), (long)sale->shipped,
                 (long)sale->left);
    else if (!sale->disturbed && sale->ordered - sale->cancelled != sale->wanted)
        day_fail(day, "%s: %ld units wanted, and %ld ordered less cancelled", name_of(day, which), (long)sale->wanted,
                 (long)(sale->ordered - sale->cancelled));
}

static void prove_sku(struct day *day, int sku)
{
    struct db_rows rows = day_rows(day, &position_of_sku, day->company->sku_ids[sku]);
    int64_t booked[PLACES] = { 0 };
    char code[16];
    for (size_t i = 0; i < rows.count; i++) {
        const struct position_row *row = db_row(&rows, i);
        booked[node_of(day, row->node)] += row->available + row->reserved + row->allocated + row->quarantined;
    }
    for (int place = 0; place < PLACES && day_is_well(day); place++)
        if (booked[place] != day->there[place][sku])
            day_fail(day, "%s %s: %ld are booked, and %ld came and did not go", place == BETWEEN ? "under way" : depots[place].code,
                     item_code(sku, code), (long)booked[place], (long)day->there[place][sku]);
}

struct found {
    struct day *day;
    const char *first;
};

static void keep_first(void *context, const struct violation *v)
{
    struct found *found = context;
    if (found->first == NULL)
        found->first = arena_printf(found->day->arena, "%s: %s (%s): expected %s, found %s", v->id, v->what, v->keys, v->expected, v->found);
}

static void prove_rules(struct day *day)
{
    struct found found = { .day = day };
    struct check check = {
        .db = day_db(day), .read = day->company->read, .vault = day->company->vault, .arena = day->step, .tell = keep_first, .context = &found
    };
    if (day_is_well(day) && check_all(&check) != DB_OK)
        day_fail(day, "the check did not run to its end: %s", db_last_error(check.db));
    else if (check.violations > 0)
        day_fail(day, "%ld violations; the first is %s", (long)check.violations, found.first);
}

/* All orders, supplies, transfers and recalls have ended, what was missing is counted, and who had to know knows: no cause is left. */
static void prove_exceptions(struct day *day)
{
    for (enum exception_type type = EXCEPTION_NONE + 1; type < EXCEPTION_TYPE_COUNT && day_is_well(day); type++) {
        struct db_rows rows = day_rows(day, &exception_open_of_type, type);
        const struct exception_item_row *row = rows.count > 0 ? db_row(&rows, 0) : NULL;
        if (row != NULL)
            day_fail(day, "%zu exceptions %s are open at the end, the first of cause %s", rows.count, exception_names[type - 1], row->cause);
    }
}

void day_prove(struct day *day)
{
    for (size_t i = 0; i < day->script->order_count && day_is_well(day); i++)
        if (day->sales[i].id != 0)
            prove_order(day, i);
    for (int sku = 0; sku < SKUS && day_is_well(day); sku++)
        prove_sku(day, sku);
    if (day_is_well(day))
        prove_exceptions(day);
    if (day_is_well(day))
        (void)company_book(day->company, day->arena, day->error);
    if (day_is_well(day))
        prove_rules(day);
}
