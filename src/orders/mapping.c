/* src/orders/mapping.c: a marketplace sold a word that nobody knew. When a listing or SKU of that word is made (or the listing moved), the lines that
 * wait for it get the needs of the SKU, join its queue at their rank, and are filled as a receipt fills; in the command that made it as far as one
 * command may, the rest by a job. It needs no barrier: a line that nobody could name stood in no queue. */
#include "orders/mapping.h"
#include "engine/jobs.h"
#include "inventory/availability.h"
#include "orders/commands.h"
#include "orders/oversell.h"
#include <assert.h>
#include <string.h>

#define MAP_ROWS 2000 /* that one command or step changes, about; at least one line */
#define ROWS_OF_LINE 20
#define ROWS_OF_COMPONENT 5

static const struct unmapped_line_row *unmapped_find(struct order *order, int64_t line)
{
    return ws_get_listed(order->ws, &unmapped_line_table, WS_KEY(ws_unit(order->ws), order->row->id, line), &unmapped_of_order,
                         WS_PREFIX(db_int(ws_unit(order->ws)), db_int(order->row->id)));
}

static void settle(struct order *order, const char *reason)
{
    exceptions_settle(order);
    (void)hold_clear(order, "unmapped", "millrace", reason);
}

static bool is_unmapped(const struct demand_row *demand)
{
    return demand->sku == 0 && demand->cancelled < demand->ordered;
}

void mapping_settle(struct order *order)
{
    bool had = false, has = false;
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct demand_row *demand = order->demands[i];
        const struct unmapped_line_row *row = demand->sku == 0 ? unmapped_find(order, demand->line) : NULL;
        had = had || demand->sku == 0;
        has = has || is_unmapped(demand);
        if (row != NULL && !is_unmapped(demand))
            ws_delete(order->ws, row);
    }
    if (had && !has)
        settle(order, "no line is left that names nothing");
}

/* ---- one line ---- */

/* What the line needs instead of the one row that stood for it. */
static void demands_write(struct order *order, const struct demand_row *was, const struct component *parts, size_t count)
{
    const struct demand_row old = *was;
    ws_delete(order->ws, was);
    for (size_t p = 0; p < count; p++) {
        struct demand_row demand = { .unit = old.unit,
                                     .ord = old.ord,
                                     .line = old.line,
                                     .part = (int64_t)p + 1,
                                     .sku = parts[p].sku,
                                     .need = parts[p].quantity,
                                     .ordered = old.ordered * parts[p].quantity,
                                     .cancelled = old.cancelled * parts[p].quantity,
                                     .backordered = old.backordered * parts[p].quantity,
                                     .oversold = old.oversold * parts[p].quantity };
        demand_waits(order, ws_insert(order->ws, &demand_table, &demand));
    }
}

/* False: the order would need too many components; then it stays as it is. */
static bool line_map(struct ws *ws, const struct unmapped_line_row *row, const struct sku_row *sku, const struct component *parts, size_t count)
{
    struct order order;
    (void)order_open(ws, row->ord, &order);
    const struct demand_row *was = NULL;
    for (size_t i = 0; i < order.demand_count; i++)
        was = order.demands[i]->line == row->line ? order.demands[i] : was;
    if (order.demand_count - 1 + count > COMPONENTS_MAX)
        return false;
    assert(was != NULL); /* a line that stands for nothing has one demand */
    struct order_line_row *line = ws_edit(ws, order.lines[row->line - 1]);
    line->sku = sku->id;
    line->bundle = sku->bundle;
    demands_write(&order, was, parts, count);
    (void)order_open(ws, row->ord, &order); /* with its new demands */
    ((struct unmapped_line_row *)ws_edit(ws, row))->mapped_seq = order_event(&order, EVENT_ORDER_MAPPED, NULL_INT);
    bool left = false;
    for (size_t i = 0; i < order.demand_count; i++)
        left = left || is_unmapped(order.demands[i]);
    if (!left)
        settle(&order, "every line stands for a SKU");
    return true;
}

/* What is still missing of a mapped line was sold and is not there. */
static void oversell_tell(struct ws *ws, int64_t id, int64_t at, const struct sku_row *sku, struct component *parts, size_t count)
{
    struct order order;
    struct outlet outlet;
    (void)order_open(ws, id, &order);
    const struct order_line_row *line = order.lines[at - 1];
    struct wish wish = { .sku = sku, .components = parts, .component_count = count, .quantity = line->quantity };
    int64_t units = 0;
    for (size_t i = 0; i < order.demand_count; i++)
        units += order.demands[i]->line == at ? order.demands[i]->backordered : 0;
    if (units > 0) {
        outlet_open(ws, ws_get(ws, &channel_table, WS_KEY(ws_unit(ws), order.row->channel)), &outlet);
        struct oversold oversold = { .ws = ws,
                                     .order = order.row,
                                     .outlet = &outlet,
                                     .wish = &wish,
                                     .short_of = line_figures(line, order.demands, order.demand_count).backordered };
        const struct line_units short_of = { at, oversold.short_of };
        exception_open(ws, &(struct exception){ .type = EXCEPTION_OVERSELL,
                                                .cause = arena_printf(ws_arena(ws), "oversell/%ld", (long)id),
                                                .order = id,
                                                .quantity = units,
                                                .detail = oversell_cause(&oversold),
                                                .lines = &short_of,
                                                .line_count = 1 });
    }
    int64_t told = order.last_seq;
    order_advance(&order, false);
    if (order.last_seq == told) /* its last event tells how it stands now */
        order_event(&order, units > 0 ? EVENT_ORDER_BACKORDERED : EVENT_ORDER_RESERVED, NULL_INT);
}

/* ---- all lines of a word ---- */

struct word {
    int64_t channel; /* 0: all */
    bool by_listing; /* lines that name a listing as well as those that name a SKU */
    const char *text;
    int64_t sku;
};

static void line_want(struct ws *ws, const struct unmapped_line_row *row)
{
    static const struct db_path *const paths[] = { &line_of_order,           &demand_of_order,     &unmapped_of_order, &hold_of_order,
                                                   &exception_open_of_order, &fulfilment_of_order, &claim_of_holder };
    ws_want(ws, &orders_table, WS_KEY(row->unit, row->ord));
    for (size_t i = 0; i < COUNT(paths); i++)
        ws_want_path(ws, paths[i], WS_PREFIX(db_int(row->unit), db_int(row->ord)), 0);
}

/* The first lines that wait for the word on a channel, at most `room`; returns how many. */
static size_t lines_of(struct ws *ws, const struct word *word, int64_t channel, const struct unmapped_line_row **lines, size_t room)
{
    size_t count = 0;
    for (int by_listing = 0; by_listing <= (word->by_listing ? 1 : 0); by_listing++) {
        const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(channel), db_int(by_listing), db_text(word->text) };
        const struct unmapped_line_row *row;
        struct ws_cursor cursor = ws_scan(ws, &unmapped_by_word, prefix, room);
        while (count < room && (row = ws_next(ws, &cursor)) != NULL)
            if (row->mapped_seq == 0)
                lines[count++] = row;
    }
    return count;
}

/* One look for all SKUs that a batch makes: such an order has its exception. */
static bool some_are_unmapped(struct ws *ws)
{
    const struct exception_item_row *open;
    struct ws_cursor cursor = ws_scan(ws, &exception_open_of_type, WS_PREFIX(db_int(ws_unit(ws)), db_int(EXCEPTION_UNMAPPED)), 8);
    while ((open = ws_next(ws, &cursor)) != NULL && open->state != 1)
        continue; /* closed in this batch */
    return open != NULL;
}

/* True: there are more. */
static bool word_map(struct ws *ws, const struct word *word)
{
    if (!some_are_unmapped(ws))
        return false;
    struct component *parts;
    const struct sku_row *sku = ws_get(ws, &sku_table, WS_KEY(ws_unit(ws), word->sku));
    const size_t count = recipe_of(ws, sku, &parts), most = (size_t)(MAP_ROWS / (ROWS_OF_LINE + ROWS_OF_COMPONENT * (int64_t)count)) + 1;
    const struct unmapped_line_row **lines = ARENA_ARRAY(ws_arena(ws), const struct unmapped_line_row *, most + 1);
    const struct channel_row *channel;
    size_t found = 0, mapped = 0;
    for (struct ws_cursor cursor = ws_scan(ws, &channel_all, WS_PREFIX(db_int(ws_unit(ws))), 0); (channel = ws_next(ws, &cursor)) != NULL;)
        if (channel->kind == CHANNEL_MARKETPLACE && (word->channel == 0 || channel->id == word->channel))
            found += lines_of(ws, word, channel->id, lines + found, most + 1 - found);
    for (size_t i = 0; i < found && i < most; i++)
        line_want(ws, lines[i]);
    ws_settle(ws);
    for (size_t i = 0; i < found && i < most; i++)
        if (line_map(ws, lines[i], sku, parts, count))
            lines[mapped++] = lines[i];
    int64_t *skus = ARENA_ARRAY(ws_arena(ws), int64_t, count + 1);
    for (size_t i = 0; i < count; i++)
        skus[i] = parts[i].sku;
    if (mapped > 0)
        backorders_fill_skus(ws, skus, count);
    for (size_t i = 0; i < mapped; i++)
        oversell_tell(ws, lines[i]->ord, lines[i]->line, sku, parts, count);
    return found > most && mapped > 0;
}

/* The listing or SKU is the job's subject; head: 1 for a listing. */
static bool map_step(struct ws *ws, struct job_row *job)
{
    struct word word;
    if (job->head == 1) {
        const struct listing_row *listing = ws_get(ws, &listing_table, WS_KEY(ws_unit(ws), job->subject));
        word = (struct word){ listing->channel, true, listing->channel_sku, listing->sku };
    } else {
        const struct sku_row *sku = ws_get(ws, &sku_table, WS_KEY(ws_unit(ws), job->subject));
        word = (struct word){ 0, false, sku->code, sku->id };
    }
    job->progress++;
    return word_map(ws, &word);
}

const struct job_work map_job = { map_step };

void mapping_listed(struct ws *ws, int64_t channel, const char *word, int64_t sku)
{
    const struct listing_row *listing = ws_find(ws, &listing_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_int(channel), db_text(word)));
    if (word_map(ws, &(struct word){ channel, true, word, sku }))
        job_open(ws, JOB_MAP, listing->id, 0)->head = 1;
}

void mapping_sku_made(struct ws *ws, const char *word, int64_t sku)
{
    if (word_map(ws, &(struct word){ 0, false, word, sku }))
        (void)job_open(ws, JOB_MAP, sku, 0);
}

/* ---- as it was ---- */

void mapping_as_of(struct arena *arena, struct order *order, int64_t seq)
{
    bool said = false;
    for (size_t i = 0; i < order->line_count; i++)
        said = said || (order->lines[i]->said != NULL && order->lines[i]->sku != 0);
    if (!said)
        return;
    const struct demand_row **demands = ARENA_ARRAY(arena, const struct demand_row *, order->demand_count);
    const struct order_line_row **lines = ARENA_ARRAY(arena, const struct order_line_row *, order->line_count);
    size_t count = 0;
    memcpy(lines, order->lines, order->line_count * sizeof *lines); /* others may hold the list as it is now */
    (void)ws_count(order->ws, &unmapped_of_order, WS_PREFIX(db_int(ws_unit(order->ws)), db_int(order->row->id)));
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct demand_row *demand = order->demands[i];
        const struct unmapped_line_row *row = unmapped_find(order, demand->line);
        if (row == NULL || row->mapped_seq <= seq) {
            demands[count++] = demand;
        } else if (demand->part == 1) {
            struct demand_row *one = ARENA_NEW(arena, struct demand_row);
            struct order_line_row *line = ARENA_NEW(arena, struct order_line_row);
            *line = *lines[demand->line - 1];
            *one = *demand;
            one->sku = line->sku = 0;
            one->need = 1;
            one->ordered = line->quantity;
            line->bundle = false;
            lines[demand->line - 1] = line;
            demands[count++] = one;
        }
    }
    order->lines = lines;
    order->demands = demands;
    order->demand_count = count;
}
