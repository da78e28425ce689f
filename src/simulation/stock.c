/* src/simulation/stock.c: what moves goods besides orders: supply that comes late, short, over or never; transfers; counts, of which some find
 * what pickers missed; a node without power; a recall; units kept back, inspected, released; and what was done in error and taken back. */
#include "base/id.h"
#include "base/when.h"
#include "schema.h"
#include "simulation/day.h"
#include <string.h>

static const char *document(struct day *day, const struct deed *deed, const char *what)
{
    return arena_printf(day->step, "%s-%ld-%d", what, (long)deed->index, deed->step);
}

/* ---- supply ---- */

enum { SUPPLY_ANNOUNCE, SUPPLY_MOVE, SUPPLY_RECEIVE, SUPPLY_CLOSE };
static const struct supply_fate {
    enum day_tally tally;
    int64_t percent, later_us;
} supply_fates[] = {
    { TALLY_SUPPLY_IN_TIME, 40, 0 }, { TALLY_SUPPLY_LATE, 15, 4 * HOUR_US }, { TALLY_SUPPLY_MOVED, 10, 3 * HOUR_US },
    { TALLY_SUPPLY_SHORT, 15, 0 },   { TALLY_SUPPLY_OVER, 10, 0 },           { TALLY_SUPPLY_NEVER, 10, 20 * HOUR_US },
};

static int draw_supply_fate(struct day *day)
{
    int64_t at = draw_below(&day->chance, 100);
    int fate = 0;
    while (at >= supply_fates[fate].percent)
        at -= supply_fates[fate++].percent;
    return fate;
}

static const char *announcement(struct day *day, struct deed *deed, const struct stock_news *news)
{
    char code[16], at[32];
    when_format(news->at, at);
    deed->fate = draw_supply_fate(day);
    return arena_printf(day->step,
                        "{\"node\":\"%s\",\"kind\":\"%s\",\"reference\":\"%s\",\"supplier\":\"ACME\",\"lines\":[{\"sku\":\"%s\",\"quantity\":%ld,"
                        "\"expected_at\":\"%s\",\"unit_cost\":{\"amount\":\"%ld.50\",\"currency\":\"EUR\"}}]}",
                        depots[news->node].code, percent(&day->chance, 50) ? "asn" : "purchase", document(day, deed, "S"), item_code(news->sku, code),
                        (long)news->quantity, at, (long)(1 + item_cost_minor(news->sku) / 100));
}

static const char *arrival(struct day *day, struct deed *deed, const struct stock_news *news)
{
    const enum day_tally fate = supply_fates[deed->fate].tally;
    char code[16];
    deed->lines[0].came = fate == TALLY_SUPPLY_SHORT  ? news->quantity * draw_from(&day->chance, 30, 90) / 100
                          : fate == TALLY_SUPPLY_OVER ? news->quantity + draw_from(&day->chance, 1, 3)
                                                      : news->quantity;
    return arena_printf(day->step, "{\"lines\":[{\"sku\":\"%s\",\"quantity\":%ld}],\"document\":\"%s\"}", item_code(news->sku, code),
                        (long)deed->lines[0].came, document(day, deed, "DN"));
}

static void supply_go(struct day *day, struct deed *deed)
{
    const struct stock_news *news = &day->script->receipts[deed->which];
    static const char *const verbs[] = { NULL, "change", "receive", "close" };
    char at[32];
    if (deed->step == SUPPLY_ANNOUNCE) {
        ask(day, deed, deed->step, "/v1/supplies", announcement(day, deed, news));
        return;
    }
    when_format(news->at + supply_fates[deed->fate].later_us, at);
    const char *body = deed->step == SUPPLY_MOVE      ? arena_printf(day->step, "{\"lines\":[{\"line\":1,\"expected_at\":\"%s\"}]}", at)
                       : deed->step == SUPPLY_RECEIVE ? arrival(day, deed, news)
                                                      : "{\"reason\":\"they packed fewer\"}";
    ask(day, deed, deed->step, target_of(day, "/v1/supplies", "sup", deed->id, verbs[deed->step]), body);
}

static void supply_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    const struct stock_news *news = &day->script->receipts[deed->which];
    const struct supply_fate *fate = &supply_fates[deed->fate];
    if (!heard(day, request))
        return;
    if (request->step == SUPPLY_ANNOUNCE) {
        deed->id = id_in(day, request, "sup");
        tally(day, TALLY_ANNOUNCED);
        deed->step = fate->tally == TALLY_SUPPLY_MOVED ? SUPPLY_MOVE : fate->tally == TALLY_SUPPLY_NEVER ? SUPPLY_CLOSE : SUPPLY_RECEIVE;
        deed_later(day, deed, deed->step == SUPPLY_MOVE ? news->at - HOUR_US : news->at + fate->later_us);
    } else if (request->step == SUPPLY_MOVE) {
        deed->step = SUPPLY_RECEIVE;
        deed_later(day, deed, news->at + fate->later_us);
    } else if (request->step == SUPPLY_RECEIVE) {
        day->there[news->node][news->sku] += deed->lines[0].came;
        tally(day, fate->tally);
        deed->step = SUPPLY_CLOSE;
        if (fate->tally == TALLY_SUPPLY_SHORT)
            deed_later(day, deed, deed->at + 20 * HOUR_US);
    } else if (fate->tally == TALLY_SUPPLY_NEVER)
        tally(day, TALLY_SUPPLY_NEVER);
}

const struct deed_kind supply_deed = { "supply", supply_go, supply_hear };

/* ---- transfers ---- */

enum { TRANSFER_ASK, TRANSFER_SHIP, TRANSFER_CANCEL, TRANSFER_RECEIVE, TRANSFER_REST, TRANSFER_SETTLE };
enum { FATE_WHOLE, FATE_SHORT, FATE_OVER, FATE_COUNT };

static const char *transfer_wish(struct day *day, struct deed *deed)
{
    struct buffer lines = { .arena = day->step };
    char code[16];
    deed->node = (int)draw_below(&day->chance, NODES);
    deed->to = (deed->node + 1 + (int)draw_below(&day->chance, NODES - 1)) % NODES;
    deed->fate = (int)draw_below(&day->chance, FATE_COUNT);
    const int first = (int)draw_below(&day->chance, SKUS / 2);
    deed->line_count = (int)draw_from(&day->chance, 1, 2);
    for (int i = 0; i < deed->line_count; i++) {
        deed->lines[i] = (struct deed_line){ .sku = first + i, .units = draw_from(&day->chance, 1, 3) };
        buffer_printf(&lines, "%s{\"sku\":\"%s\",\"quantity\":%ld}", i == 0 ? "" : ",", item_code((int)deed->lines[i].sku, code),
                      (long)deed->lines[i].units);
    }
    return arena_printf(day->step, "{\"from\":\"%s\",\"to\":\"%s\",\"lines\":[%s]}", depots[deed->node].code, depots[deed->to].code, lines.at);
}

/* Of the first line one unit fewer or more than left; or that one, at last. */
static const char *transfer_arrival(struct day *day, struct deed *deed)
{
    struct buffer lines = { .arena = day->step };
    char code[16];
    for (int i = 0; i < deed->line_count; i++) {
        struct deed_line *line = &deed->lines[i];
        line->came = deed->step == TRANSFER_REST ? i == 0 : line->units;
        if (i == 0 && deed->step == TRANSFER_RECEIVE)
            line->came += deed->fate == FATE_SHORT ? -1 : deed->fate == FATE_OVER ? 1 : 0;
        if (line->came > 0)
            buffer_printf(&lines, "%s{\"sku\":\"%s\",\"quantity\":%ld}", lines.size == 0 ? "" : ",", item_code((int)line->sku, code),
                          (long)line->came);
    }
    return arena_printf(day->step, "{\"lines\":[%s]}", lines.size == 0 ? "" : lines.at);
}

static void transfer_go(struct day *day, struct deed *deed)
{
    static const char *const verbs[] = { NULL, "ship", "cancel", "receive", "receive", "settle" };
    const char *body = deed->step == TRANSFER_ASK       ? transfer_wish(day, deed)
                       : deed->step == TRANSFER_SETTLE  ? "{\"reason\":\"the pallet is gone\"}"
                       : deed->step >= TRANSFER_RECEIVE ? transfer_arrival(day, deed)
                                                        : NULL;
    if (deed->step == TRANSFER_ASK)
        ask(day, deed, deed->step, "/v1/transfers", body);
    else
        ask(day, deed, deed->step, target_of(day, "/v1/transfers", "trf", deed->id, verbs[deed->step]), body);
}

/* Less than was asked for, where a fact took some of it before. */
static void transfer_left(struct day *day, struct deed *deed)
{
    struct db_rows rows = day_rows(day, &line_of_transfer, deed->id);
    deed->line_count = 0;
    for (size_t i = 0; i < rows.count && i < DEED_LINES; i++) {
        const struct transfer_line_row *row = db_row(&rows, i);
        if (row->shipped == 0)
            continue;
        const int sku = sku_of(day, row->sku);
        deed->lines[deed->line_count++] = (struct deed_line){ .sku = sku, .units = row->shipped };
        day->there[deed->node][sku] -= row->shipped;
        day->there[BETWEEN][sku] += row->shipped;
    }
}

static void transfer_came(struct day *day, struct deed *deed)
{
    for (int i = 0; i < deed->line_count; i++) {
        struct deed_line *line = &deed->lines[i];
        const int64_t awaited = min_i64(line->units, line->came); /* what comes over was nowhere before */
        day->there[deed->to][line->sku] += line->came;
        day->there[BETWEEN][line->sku] -= awaited;
        line->units -= awaited;
    }
}

static void transfer_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    static const enum day_tally tallies[] = {
        [FATE_WHOLE] = TALLY_TRANSFER_WHOLE, [FATE_SHORT] = TALLY_TRANSFER_SHORT, [FATE_OVER] = TALLY_TRANSFER_OVER
    };
    const bool done = heard(day, request);
    if (!done && request->step == TRANSFER_SHIP) { /* facts have taken all that it claimed */
        deed->step = TRANSFER_CANCEL;
        deed_later(day, deed, deed->at + HOUR_US);
    }
    if (!done)
        return;
    if (request->step == TRANSFER_ASK) {
        deed->id = id_in(day, request, "trf");
        tally(day, TALLY_TRANSFER_ASKED);
        deed->step = percent(&day->chance, 20) ? TRANSFER_CANCEL : TRANSFER_SHIP;
    } else if (request->step == TRANSFER_SHIP) {
        transfer_left(day, deed);
        deed->step = TRANSFER_RECEIVE;
    } else if (request->step == TRANSFER_RECEIVE) {
        transfer_came(day, deed);
        tally(day, tallies[deed->fate]);
        deed->step = percent(&day->chance, 50) ? TRANSFER_REST : TRANSFER_SETTLE;
        if (deed->fate != FATE_SHORT)
            return;
    } else {
        if (request->step == TRANSFER_REST)
            transfer_came(day, deed);
        if (request->step == TRANSFER_SETTLE)
            day->there[BETWEEN][deed->lines[0].sku] -= deed->lines[0].units;
        tally(day, request->step == TRANSFER_REST     ? TALLY_TRANSFER_LATER
                   : request->step == TRANSFER_SETTLE ? TALLY_TRANSFER_SETTLED
                                                      : TALLY_TRANSFER_CANCELLED);
        return;
    }
    deed_later(day, deed, deed->at + draw_from(&day->chance, 1, 5) * HOUR_US);
}

const struct deed_kind transfer_deed = { "transfer", transfer_go, transfer_hear };

/* ---- counts ---- */

enum { COUNT_OPEN, COUNT_FIRST, COUNT_SECOND, COUNT_THIRD, COUNT_ACKNOWLEDGE, COUNT_CANCEL };

void count_soon(struct day *day, int node, int sku)
{
    struct deed *deed = deed_new(day, &count_deed, day->company->now_us + draw_from(&day->chance, 30, 240) * MINUTE_US);
    deed->node = node;
    deed->lines[0].sku = sku;
}

/* What is booked, less what is not there, and less or more by what nobody knows as yet (`part`). As of the last event, for goods go on moving. */
static const char *count_told(struct day *day, struct deed *deed)
{
    struct deed_line *line = &deed->lines[0];
    char code[16];
    line->came = day->gone[deed->node][line->sku];
    const int64_t counted = max_i64(0, on_hand(day, deed->node, (int)line->sku) - line->came + line->part);
    return arena_printf(day->step, "{\"counter\":\"%s\",\"lines\":[{\"sku\":\"%s\",\"counted\":%ld,\"as_of\":%ld}]}",
                        deed->step == COUNT_FIRST    ? "ann"
                        : deed->step == COUNT_SECOND ? "bob"
                                                     : "cy",
                        item_code((int)line->sku, code), (long)counted, (long)day->company->seq);
}

static void count_go(struct day *day, struct deed *deed)
{
    const struct deed_line *line = &deed->lines[0];
    char code[16];
    if (deed->step == COUNT_OPEN && day->counting[deed->node][line->sku]) { /* two who count the same would take each other's for their own */
        deed_later(day, deed, deed->at + HOUR_US);
        return;
    }
    if (deed->step == COUNT_OPEN) {
        day->counting[deed->node][line->sku] = true;
        ask(day, deed, deed->step, "/v1/counts",
            arena_printf(day->step, "{\"node\":\"%s\",\"skus\":[\"%s\"]}", depots[deed->node].code, item_code((int)line->sku, code)));
    } else if (deed->step == COUNT_ACKNOWLEDGE || deed->step == COUNT_CANCEL)
        ask(day, deed, deed->step, target_of(day, "/v1/counts", "cnt", deed->id, deed->step == COUNT_CANCEL ? "cancel" : "acknowledge"),
            "{\"reason\":\"so it is\"}");
    else
        ask(day, deed, deed->step, target_of(day, "/v1/counts", "cnt", deed->id, "lines"), count_told(day, deed));
}

static void count_booked(struct day *day, struct deed *deed, int64_t delta)
{
    struct deed_line *line = &deed->lines[0];
    day->there[deed->node][line->sku] += delta;
    day->gone[deed->node][line->sku] -= line->came;
    day->counting[deed->node][line->sku] = false;
    tally(day, delta == 0 ? TALLY_COUNT_RIGHT : TALLY_COUNT_WRONG);
    deed->step = COUNT_ACKNOWLEDGE;
    if (delta != 0)
        deed_later(day, deed, deed->at + 6 * HOUR_US);
}

static void count_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    const bool done = heard(day, request);
    if (!done || request->step >= COUNT_ACKNOWLEDGE) {
        if (request->step != COUNT_ACKNOWLEDGE)
            day->counting[deed->node][deed->lines[0].sku] = false;
        day->tallies->of[TALLY_COUNT_CANCELLED] += done && request->step == COUNT_CANCEL;
        return;
    }
    if (request->step == COUNT_OPEN) {
        deed->id = id_in(day, request, "cnt");
        deed->step =
            deed->lines[0].units == 0 && percent(&day->chance, 10) && day->gone[deed->node][deed->lines[0].sku] == 0 ? COUNT_CANCEL : COUNT_FIRST;
    } else {
        struct db_rows rows = day_rows(day, &line_of_sheet, deed->id);
        const struct count_line_row *line = rows.count == 1 ? db_row(&rows, 0) : NULL;
        if (line == NULL || line->delta != NULL_INT) {
            count_booked(day, deed, line == NULL ? 0 : line->delta);
            return;
        }
        deed->step++;
    }
    deed_later(day, deed, deed->at + draw_from(&day->chance, 5, 60) * MINUTE_US);
}

const struct deed_kind count_deed = { "count", count_go, count_hear };

/* The script's: bin by bin, in the middle of the spike. */
static void miscount_go(struct day *day, struct deed *deed)
{
    const struct stock_news *news = &day->script->miscounts[deed->which];
    char code[16];
    if (day->counting[news->node][news->sku]) {
        deed_later(day, deed, deed->at + HOUR_US);
        return;
    }
    const int64_t booked = on_hand(day, news->node, news->sku);
    deed->lines[0].units = min_i64(booked, news->quantity);
    day->counting[news->node][news->sku] = deed->lines[0].units > 0;
    if (deed->lines[0].units > 0)
        ask(day, deed, 0, "/v1/inventory/adjustments",
            arena_printf(day->step, "{\"node\":\"%s\",\"sku\":\"%s\",\"set\":%ld,\"reason\":\"count\",\"as_of\":%ld}", depots[news->node].code,
                         item_code(news->sku, code), (long)(booked - deed->lines[0].units), (long)day->company->seq));
}

static void miscount_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    const struct stock_news *news = &day->script->miscounts[deed->which];
    day->counting[news->node][news->sku] = false;
    if (!heard(day, request))
        return;
    day->there[news->node][news->sku] -= deed->lines[0].units;
    tally(day, TALLY_MISCOUNT);
}

const struct deed_kind miscount_deed = { "count of a bin", miscount_go, miscount_hear };

/* ---- a node without power ---- */

enum { OUTAGE_HOURS = 3 };

static void outage_go(struct day *day, struct deed *deed)
{
    if (deed->step == 0) {
        deed->node = (int)draw_below(&day->chance, NODES);
        day->out_until[deed->node] = deed->at + OUTAGE_HOURS * HOUR_US;
        deed->step = 1;
        tally(day, TALLY_OUTAGE);
        deed_later(day, deed, day->out_until[deed->node] + MINUTE_US);
        return;
    }
    for (size_t i = 0; i < day->script->order_count && day_is_well(day); i++)
        if (day->sales[i].waiting > 0)
            refusals_clear(day, deed, (int64_t)i);
}

void refusals_clear(struct day *day, struct deed *deed, int64_t which)
{
    struct db_rows rows = day_rows(day, &refusal_of_order, day->sales[which].id);
    for (size_t i = 0; i < rows.count; i++) {
        const struct node_refusal_row *row = db_row(&rows, i);
        ask(day, deed, 1,
            target_of(day, "/v1/orders", "ord", day->sales[which].id,
                      arena_printf(day->step, "refusals/%s/clear", depots[node_of(day, row->node)].code)),
            "{\"reason\":\"power is back\"}");
    }
}

static void outage_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    (void)deed;
    if (heard(day, request))
        tally(day, TALLY_OUTAGE_END);
}

const struct deed_kind outage_deed = { "outage", outage_go, outage_hear };

/* ---- a recall ---- */

static void recall_go(struct day *day, struct deed *deed)
{
    char code[16];
    if (deed->step == 0)
        ask(day, deed, 0, "/v1/recalls",
            arena_printf(day->step, "{\"sku\":\"%s\",\"unit\":\"DE\",\"reason\":\"the glass breaks\"}",
                         item_code((int)draw_below(&day->chance, SKUS / 3), code)));
    else
        ask(day, deed, 1, target_of(day, "/v1/recalls", "rec", deed->id, "end"), "{\"release\":true,\"reason\":\"only one pallet was bad\"}");
}

static void recall_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    if (!heard(day, request))
        return;
    tally(day, request->step == 0 ? TALLY_RECALLED : TALLY_RECALL_ENDED);
    if (request->step == 1)
        return;
    deed->id = id_in(day, request, "rec");
    deed->step = 1;
    deed_later(day, deed, deed->at + draw_from(&day->chance, 1, 4) * HOUR_US);
}

const struct deed_kind recall_deed = { "recall", recall_go, recall_hear };

/* ---- kept back ---- */

enum { QUARANTINE_TAKE, QUARANTINE_RELEASE, QUARANTINE_INSPECT, QUARANTINE_REGRADE, QUARANTINE_UNDO };

static const char *units_named(struct day *day, const struct deed *deed)
{
    char code[16];
    return arena_printf(day->step, "\"node\":\"%s\",\"sku\":\"%s\"", depots[deed->node].code, item_code((int)deed->lines[0].sku, code));
}

static void quarantine_go(struct day *day, struct deed *deed)
{
    struct deed_line *line = &deed->lines[0];
    static const char *const outcomes[] = { "\"restock\"", "\"restock_as\",\"class\":\"B\"", "\"scrap\"" };
    if (deed->step == QUARANTINE_TAKE) {
        deed->node = (int)draw_below(&day->chance, NODES);
        *line = (struct deed_line){ .sku = draw_below(&day->chance, SKUS), .units = 1 };
        ask(day, deed, deed->step, "/v1/inventory/quarantine",
            arena_printf(day->step, "{%s,\"quantity\":1,\"reason\":\"quality\"}", units_named(day, deed)));
    } else if (deed->step == QUARANTINE_RELEASE)
        ask(day, deed, deed->step, "/v1/inventory/release", arena_printf(day->step, "{%s,\"quantity\":1}", units_named(day, deed)));
    else if (deed->step == QUARANTINE_INSPECT) {
        deed->fate = (int)draw_below(&day->chance, COUNT(outcomes));
        ask(day, deed, deed->step, "/v1/inspections",
            arena_printf(day->step, "{%s,\"lines\":[{\"disposition\":%s,\"quantity\":1}]}", units_named(day, deed), outcomes[deed->fate]));
    } else if (deed->step == QUARANTINE_REGRADE)
        ask(day, deed, deed->step, "/v1/inventory/regrade",
            arena_printf(day->step, "{%s,\"quantity\":1,\"to_class\":\"B\",\"bucket\":\"quarantined\"}", units_named(day, deed)));
    else
        ask(day, deed, deed->step, arena_printf(day->step, "/v1/commands/DE:%ld/undo", (long)deed->id), "{\"reason\":\"the wrong shelf\"}");
}

static void quarantine_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    static const enum day_tally tallies[] = { TALLY_QUARANTINED, TALLY_UNQUARANTINED, TALLY_INSPECTED, TALLY_GRADED, TALLY_UNDONE };
    if (!heard(day, request))
        return;
    tally(day, tallies[request->step]);
    if (request->step == QUARANTINE_INSPECT && deed->fate == 2)
        day->there[deed->node][deed->lines[0].sku]--;
    if (request->step != QUARANTINE_TAKE)
        return;
    deed->id = request->event;
    deed->step = (int)draw_from(&day->chance, QUARANTINE_RELEASE, QUARANTINE_UNDO);
    if (deed->id == 0) /* an answer that came again names no event */
        deed->step = QUARANTINE_RELEASE;
    deed_later(day, deed, deed->at + draw_from(&day->chance, 1, 5) * HOUR_US);
}

const struct deed_kind quarantine_deed = { "quarantine", quarantine_go, quarantine_hear };

/* ---- booked in error ---- */

static void undo_go(struct day *day, struct deed *deed)
{
    if (deed->step == 1) {
        ask(day, deed, 1, arena_printf(day->step, "/v1/commands/DE:%ld/undo", (long)deed->id), "{\"reason\":\"the wrong shelf\"}");
        return;
    }
    deed->node = (int)draw_below(&day->chance, NODES);
    deed->lines[0] = (struct deed_line){ .sku = draw_below(&day->chance, SKUS), .units = draw_from(&day->chance, 1, 3) };
    ask(day, deed, 0, "/v1/inventory/adjustments",
        arena_printf(day->step, "{%s,\"delta\":%ld,\"reason\":\"found\"}", units_named(day, deed), (long)deed->lines[0].units));
}

static void undo_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    if (!heard(day, request)) /* what was found has been sold: nothing takes it back */
        return;
    day->there[deed->node][deed->lines[0].sku] += request->step == 0 ? deed->lines[0].units : -deed->lines[0].units;
    if (request->step == 1) {
        tally(day, TALLY_UNDONE);
        return;
    }
    deed->id = request->event;
    deed->step = 1;
    if (deed->id != 0) /* an answer that came again names none */
        deed_later(day, deed, deed->at + draw_from(&day->chance, 5, 90) * MINUTE_US);
}

const struct deed_kind undo_deed = { "booking in error", undo_go, undo_hear };

/* ---- what is to happen ---- */

static void plan_some(struct day *day, const struct deed_kind *kind, int64_t in_200_orders)
{
    const int64_t count = (day->options->orders * in_200_orders + 199) / 200;
    for (int64_t i = 0; i < count; i++)
        deed_new(day, kind, DAY_START_US + draw_below(&day->chance, 24 * HOUR_US));
}

void stock_plan(struct day *day)
{
    for (size_t i = 0; i < day->script->receipt_count; i++)
        deed_new(day, &supply_deed, DAY_START_US)->which = (int64_t)i;
    for (size_t i = 0; i < day->script->miscount_count; i++)
        deed_new(day, &miscount_deed, day->script->miscounts[i].at)->which = (int64_t)i;
    plan_some(day, &transfer_deed, 9);
    plan_some(day, &quarantine_deed, 5);
    plan_some(day, &undo_deed, 3);
    deed_new(day, &outage_deed, DAY_START_US + draw_from(&day->chance, 8, 18) * HOUR_US);
    deed_new(day, &recall_deed, DAY_START_US + draw_from(&day->chance, 6, 20) * HOUR_US);
    const int64_t counts = (day->options->orders * 4 + 199) / 200;
    for (int64_t i = 0; i < counts; i++) {
        struct deed *deed = deed_new(day, &count_deed, DAY_START_US + draw_from(&day->chance, 1, 22) * HOUR_US);
        deed->node = (int)draw_below(&day->chance, NODES);
        deed->lines[0] = (struct deed_line){ .sku = draw_below(&day->chance, SKUS), .part = draw_from(&day->chance, -1, 1) };
    }
}
