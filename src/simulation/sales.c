/* src/simulation/sales.c: orders of the day in full and what becomes of them: they are paid, edited, held, planned anew and given up; their
 * parcels are sent to nodes of others, declined, picked short, shipped in part, lost, damaged and delivered; some goods come back. */
#include "base/id.h"
#include "orders/orders.h"
#include "schema.h"
#include "simulation/day.h"
#include <string.h>

static struct script_order const *wish_of(const struct day *day, const struct deed *deed)
{
    return &day->script->orders[deed->which];
}

static struct sale *sale_of(struct day *day, const struct deed *deed)
{
    return &day->sales[deed->which];
}

/* It was taken, and something of it is not with its customer or given up. */
static bool is_open(const struct sale *sale)
{
    return sale->id != 0 && sale->waiting + sale->working > 0;
}

static int64_t units_of(int item)
{
    struct part parts[PARTS];
    int64_t units = 0;
    for (int p = item_parts(item, parts); p > 0; p--)
        units += parts[p - 1].need;
    return units;
}

/* ---- an order, from a checkout or not ---- */

enum { ORDER_PLACED, ORDER_CHECKOUT, ORDER_GIVEN_BACK };
enum { CHECKOUT_PERCENT = 6, CHECKOUT_LEFT_PERCENT = 30, CHECKOUT_SECONDS = 900 };

static void place(struct day *day, const struct deed *deed, const char *reservation)
{
    const struct script_order *order = wish_of(day, deed);
    const char *body = order_body(day->step, order, "", waits_for_supply(day->script, order));
    if (reservation != NULL)
        body = arena_printf(day->step, "%.*s,\"reservation\":\"%s\"}", (int)strlen(body) - 1, body, reservation);
    ask(day, deed, ORDER_PLACED, "/v1/orders", body);
}

static void order_go(struct day *day, struct deed *deed)
{
    const struct script_order *order = wish_of(day, deed);
    struct buffer lines = { .arena = day->step };
    char code[16];
    if (deed->step == ORDER_CHECKOUT) {
        place(day, deed, id_text(day->step, "rsv", day->company->unit, deed->id));
        return;
    }
    if (order->channel == SELLER_MARKET && !page_sells(&day->page, order)) {
        tally(day, TALLY_UNSEEN);
        return;
    }
    if (order->channel == SELLER_MARKET || order->channel == SELLER_B2B || !percent(&day->chance, CHECKOUT_PERCENT)) {
        place(day, deed, NULL);
        return;
    }
    for (int l = 0; l < order->line_count; l++)
        buffer_printf(&lines, "%s{\"sku\":\"%s\",\"quantity\":%ld}", l == 0 ? "" : ",", item_code(order->lines[l].item, code),
                      (long)order->lines[l].quantity);
    ask(day, deed, ORDER_CHECKOUT, "/v1/reservations",
        arena_printf(day->step, "{\"channel\":\"%s\",\"ttl_s\":%d,\"lines\":[%s]}", sellers[order->channel].code, CHECKOUT_SECONDS, lines.at));
}

static void learn_sale(struct day *day, struct deed *deed, const struct asked *request)
{
    struct sale *sale = sale_of(day, deed);
    sale->id = id_in(day, request, "ord");
    sale->wanted = wanted_units(wish_of(day, deed));
    if (!day_is_well(day))
        return;
    const size_t needed = (size_t)sale->id + 1;
    if (needed > day->sale_of_id_room) {
        int64_t *grown = ARENA_ARRAY(day->arena, int64_t, 2 * needed);
        if (day->sale_of_id_room > 0)
            memcpy(grown, day->sale_of_id, day->sale_of_id_room * sizeof *grown);
        day->sale_of_id = grown;
        day->sale_of_id_room = 2 * needed;
    }
    day->sale_of_id[sale->id] = deed->which + 1;
    page_touch(&day->page, wish_of(day, deed));
    tally(day, TALLY_TAKEN);
}

static void order_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    const bool done = heard(day, request);
    if (request->step == ORDER_PLACED) {
        if (done)
            learn_sale(day, deed, request);
        else
            tally(day, TALLY_REFUSED);
        return;
    }
    if (request->step == ORDER_GIVEN_BACK || !done) {
        day->tallies->of[TALLY_REFUSED] += request->step == ORDER_CHECKOUT;
        return;
    }
    tally(day, TALLY_CHECKOUT);
    deed->id = id_in(day, request, "rsv");
    deed->step = ORDER_CHECKOUT;
    if (!percent(&day->chance, CHECKOUT_LEFT_PERCENT)) {
        deed_later(day, deed, deed->at + draw_from(&day->chance, 1, CHECKOUT_SECONDS / 2) * SECOND_US);
        return;
    }
    tally(day, TALLY_CHECKOUT_LEFT); /* half of them tell, the others' goods are held until it expires */
    if (percent(&day->chance, 50))
        ask_by(day, deed, ORDER_GIVEN_BACK, "DELETE", target_of(day, "/v1/reservations", "rsv", deed->id, NULL), NULL);
}

const struct deed_kind order_deed = { "order", order_go, order_hear };

/* ---- payment, and the end of patience ---- */

static void payment_go(struct day *day, struct deed *deed)
{
    if (is_open(sale_of(day, deed)))
        ask(day, deed, 0, target_of(day, "/v1/orders", "ord", sale_of(day, deed)->id, "payments"), payment_body(day->step, wish_of(day, deed)));
}

static void payment_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    if (heard(day, request))
        tally(day, wish_of(day, deed)->pay_fails ? TALLY_UNPAID : TALLY_PAID);
}

static void give_up_go(struct day *day, struct deed *deed)
{
    if (is_open(sale_of(day, deed)))
        ask(day, deed, 0, target_of(day, "/v1/orders", "ord", sale_of(day, deed)->id, "cancel"), "{\"reason\":\"customer\"}");
}

static void give_up_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    if (!heard(day, request))
        return;
    sale_of(day, deed)->disturbed = true;
    tally(day, TALLY_CANCELLED);
}

enum { IMPATIENCE_BEGIN, IMPATIENCE_SUBSTITUTE, IMPATIENCE_CANCEL, SUBSTITUTE_PERCENT = 40 };

/* Some are content with the next article in place of the first line's; of the others, and where that is not there either, the order is cancelled. */
static void impatience_go(struct day *day, struct deed *deed)
{
    const struct sale *sale = sale_of(day, deed);
    const int item = wish_of(day, deed)->lines[0].item;
    char code[16];
    if (sale->waiting == 0)
        return;
    if (deed->step == IMPATIENCE_BEGIN && item != BUNDLE && percent(&day->chance, SUBSTITUTE_PERCENT))
        ask(day, deed, IMPATIENCE_SUBSTITUTE, target_of(day, "/v1/orders", "ord", sale->id, "substitute"),
            arena_printf(day->step, "{\"line\":1,\"sku\":\"%s\"}", item_code((item + 1) % SKUS, code)));
    else
        ask(day, deed, IMPATIENCE_CANCEL, target_of(day, "/v1/orders", "ord", sale->id, "cancel"), "{\"reason\":\"shortage\"}");
}

static void impatience_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    const bool done = heard(day, request);
    if (request->step == IMPATIENCE_SUBSTITUTE) { /* another line may wait, too */
        day->tallies->of[TALLY_SUBSTITUTED] += done;
        deed->step = IMPATIENCE_CANCEL;
        deed_later(day, deed, deed->at + HOUR_US);
    } else if (done) {
        sale_of(day, deed)->disturbed = true;
        tally(day, TALLY_IMPATIENT);
    }
}

const struct deed_kind payment_deed = { "payment", payment_go, payment_hear };
const struct deed_kind give_up_deed = { "cancel", give_up_go, give_up_hear };
const struct deed_kind impatience_deed = { "cancel for want of stock", impatience_go, impatience_hear };

/* ---- edits, holds, plans ---- */

/* What customers call for, of their first line; `units` says how much more or less of the article is wanted. A day edits an order once. */
static const char *edit_wish(struct day *day, const struct wish *first, enum day_tally what, struct deed_line *line)
{
    char code[16];
    *line = (struct deed_line){ .sku = first->item };
    if (what == TALLY_EDITED_ADDRESS)
        return "{\"ship_to\":{\"name\":\"Customer at work\",\"city\":\"Graz\",\"country\":\"AT\"}}";
    if (what == TALLY_EDITED_ADD) {
        *line = (struct deed_line){ .sku = draw_below(&day->chance, ITEMS), .units = 1 };
        return arena_printf(day->step, "{\"add\":[{\"sku\":\"%s\",\"quantity\":1,\"unit_price\":{\"amount\":\"4.00\",\"currency\":\"EUR\"}}]}",
                            item_code((int)line->sku, code));
    }
    line->units = what == TALLY_EDITED_MORE ? draw_from(&day->chance, 1, 2) : what == TALLY_EDITED_LESS ? -1 : -first->quantity;
    return arena_printf(day->step, "{\"set\":[{\"line\":1,\"quantity\":%ld}],\"reason\":\"called\"}", (long)(first->quantity + line->units));
}

static void edit_go(struct day *day, struct deed *deed)
{
    const struct sale *sale = sale_of(day, deed);
    const struct wish *first = &wish_of(day, deed)->lines[0];
    if (!is_open(sale))
        return;
    enum day_tally what = (enum day_tally)draw_from(&day->chance, TALLY_EDITED_MORE, TALLY_EDITED_ADDRESS);
    if (what == TALLY_EDITED_LESS && first->quantity == 1)
        what = TALLY_EDITED_REMOVE;
    deed->fate = (int)what;
    ask(day, deed, 0, target_of(day, "/v1/orders", "ord", sale->id, "edit"), edit_wish(day, first, what, &deed->lines[0]));
}

static void edit_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    struct sale *sale = sale_of(day, deed);
    if (!heard(day, request)) {
        tally(day, TALLY_EDIT_REFUSED);
        return;
    }
    if (request->step == 1)
        return;
    tally(day, (enum day_tally)deed->fate);
    const struct script_order *order = wish_of(day, deed);
    if (deed->lines[0].units > 0 && order->pay_at > 0 && !order->pay_fails)
        ask(day, deed, 1, target_of(day, "/v1/orders", "ord", sale->id, "payments"),
            arena_printf(day->step, "{\"kind\":\"captured\",\"amount\":{\"amount\":\"1600.00\",\"currency\":\"EUR\"},\"reference\":\"more-%ld\"}",
                         (long)order->number));
    sale->wanted += deed->lines[0].units * units_of((int)deed->lines[0].sku);
}

static void hold_go(struct day *day, struct deed *deed)
{
    const struct sale *sale = sale_of(day, deed);
    if (deed->step == 0 && !is_open(sale))
        return;
    ask(day, deed, deed->step, target_of(day, "/v1/orders", "ord", sale->id, deed->step == 0 ? "holds" : "holds/fraud/clear"),
        deed->step == 0 ? "{\"kind\":\"fraud\",\"reason\":\"the address looks odd\"}" : "{\"reason\":\"called: it is right\"}");
}

static void hold_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    if (!heard(day, request))
        return;
    if (request->step == 1) {
        tally(day, TALLY_HELD);
        return;
    }
    deed->step = 1;
    deed_later(day, deed, deed->at + draw_from(&day->chance, 10, 90) * MINUTE_US);
}

static void replan_go(struct day *day, struct deed *deed)
{
    if (is_open(sale_of(day, deed)))
        ask(day, deed, 0, target_of(day, "/v1/orders", "ord", sale_of(day, deed)->id, "replan"), "{}");
}

static void replan_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    (void)deed;
    if (heard(day, request))
        tally(day, TALLY_REPLANNED);
}

const struct deed_kind edit_deed = { "edit", edit_go, edit_hear };
const struct deed_kind hold_deed = { "hold", hold_go, hold_hear };
const struct deed_kind replan_deed = { "replan", replan_go, replan_hear };

/* ---- a parcel ---- */

enum {
    PARCEL_BEGIN, /* its pickers come to it */
    PARCEL_SEND,
    PARCEL_ACCEPT,
    PARCEL_DECLINE,
    PARCEL_FAIL,
    PARCEL_PICK,
    PARCEL_PACK,
    PARCEL_SHIP,
    PARCEL_AGREE,
    PARCEL_GO_ON,
    PARCEL_DELIVER,
    PARCEL_LOSE,
    PARCEL_DAMAGE,
    PARCEL_SETTLE
};
static const char *const parcel_verbs[] = {
    [PARCEL_SEND] = "send",       [PARCEL_ACCEPT] = "accept",       [PARCEL_DECLINE] = "decline", [PARCEL_FAIL] = "fail", [PARCEL_PICK] = "pick",
    [PARCEL_PACK] = "pack",       [PARCEL_SHIP] = "ship",           [PARCEL_AGREE] = "cancel",    [PARCEL_LOSE] = "lost", [PARCEL_DAMAGE] = "damaged",
    [PARCEL_DELIVER] = "deliver", [PARCEL_GO_ON] = "reject_cancel", [PARCEL_SETTLE] = "settle",
};
enum { SHORT_PERCENT = 5, SPLIT_PERCENT = 5, DECLINE_PERCENT = 8, LOSE_PERCENT = 4, DAMAGE_PERCENT = 4, DELIVER_PERCENT = 60, RETURN_PERCENT = 25 };

static void parcel_ask(struct day *day, const struct deed *deed, int step, const char *body)
{
    ask(day, deed, step, target_of(day, "/v1/fulfilments", "ful", deed->id, parcel_verbs[step]), body);
}

static const struct fulfilment_row *parcel_row(struct day *day, const struct deed *deed)
{
    struct db_rows rows = { 0 };
    const int64_t key[] = { day->company->unit, deed->id };
    struct db *db = day_db(day);
    if (day_is_well(day) && db_load(db, day->step, &fulfilment_table, key, 1, &rows) == DB_OK && rows.count == 1)
        return db_row(&rows, 0);
    day_fail(day, "parcel %ld is not there", (long)deed->id);
    return NULL;
}

static int64_t due_of(const struct fulfilment_line_row *line)
{
    return line->quantity - line->cancelled;
}

/* What of it a picker does not find: a line's units less one, often the only one; NULL: all is there. */
static const char *pick_short(struct day *day, struct deed *deed)
{
    struct db_rows rows = day_rows(day, &line_of_fulfilment, deed->id);
    char code[16];
    for (size_t i = 0; i < rows.count; i++) {
        const struct fulfilment_line_row *line = db_row(&rows, i);
        const int sku = sku_of(day, line->sku);
        if (due_of(line) == 0 || sku < 0)
            continue;
        const int64_t found = draw_below(&day->chance, due_of(line));
        deed->lines[0] = (struct deed_line){ .sku = sku, .units = due_of(line) - found };
        return arena_printf(day->step, "{\"lines\":[{\"line\":%ld,\"sku\":\"%s\",\"quantity\":%ld}]}", (long)line->line, item_code(sku, code),
                            (long)found);
    }
    return NULL;
}

static void parcel_pick(struct day *day, struct deed *deed)
{
    deed->lines[0] = (struct deed_line){ 0 };
    const char *body = percent(&day->chance, SHORT_PERCENT) ? pick_short(day, deed) : NULL;
    parcel_ask(day, deed, PARCEL_PICK, body == NULL ? "{}" : body);
}

/* A part of its first line with more than one unit leaves, the rest later. */
static const char *ship_part(struct day *day, const struct deed *deed)
{
    struct db_rows rows = day_rows(day, &line_of_fulfilment, deed->id);
    for (size_t i = 0; i < rows.count; i++) {
        const struct fulfilment_line_row *line = db_row(&rows, i);
        char code[16];
        const int sku = sku_of(day, line->sku);
        if (due_of(line) > 1 && sku >= 0)
            return arena_printf(day->step, ",\"lines\":[{\"line\":%ld,\"sku\":\"%s\",\"quantity\":1}]", (long)line->line, item_code(sku, code));
    }
    return NULL;
}

static void parcel_ship(struct day *day, struct deed *deed)
{
    const char *part = percent(&day->chance, SPLIT_PERCENT) ? ship_part(day, deed) : NULL;
    deed->fate = part != NULL;
    parcel_ask(day, deed, PARCEL_SHIP,
               arena_printf(day->step, "{\"carrier\":\"DHL\",\"tracking\":\"T%ld\"%s}", (long)deed->id, part == NULL ? "" : part));
}

/* Nothing leaves a node that is out. What it finds ruined it names: that stands in quarantine until it is counted. */
static void parcel_fail(struct day *day, struct deed *deed)
{
    struct db_rows rows = day_rows(day, &line_of_fulfilment, deed->id);
    const struct fulfilment_line_row *line = rows.count > 0 ? db_row(&rows, 0) : NULL;
    const int sku = line == NULL || due_of(line) == 0 ? -1 : sku_of(day, line->sku);
    char code[16];
    deed->lines[0] = (struct deed_line){ 0 };
    if (sku >= 0 && percent(&day->chance, 30))
        deed->lines[0] = (struct deed_line){ .sku = sku, .units = 1 };
    parcel_ask(day, deed, PARCEL_FAIL,
               deed->lines[0].units == 0 ? "{\"reason\":\"no power\"}"
                                         : arena_printf(day->step, "{\"reason\":\"water\",\"lost\":[{\"line\":%ld,\"sku\":\"%s\",\"quantity\":1}]}",
                                                        (long)line->line, item_code(sku, code)));
}

static bool others_run(int node)
{
    return strcmp(depots[node].kind, "third_party") == 0;
}

static void parcel_work(struct day *day, struct deed *deed, const struct fulfilment_row *row)
{
    const bool out = day->out_until[deed->node] > deed->at;
    if (row->state == FULFILMENT_PICKING || row->state == FULFILMENT_PACKED) /* also what stayed of a shipment */
        deed->step = row->state == FULFILMENT_PICKING ? PARCEL_PACK : PARCEL_SHIP;
    if (row->state == FULFILMENT_CANCEL_REQUESTED) {
        const bool agrees = percent(&day->chance, 60);
        parcel_ask(day, deed, agrees ? PARCEL_AGREE : PARCEL_GO_ON, agrees ? NULL : "{\"reason\":\"it is on the belt\"}");
        return;
    }
    if (out && (row->state == FULFILMENT_RELEASED || row->state == FULFILMENT_SENT) && percent(&day->chance, 40))
        parcel_ask(day, deed, PARCEL_DECLINE, "{\"reason\":\"no power\"}");
    else if (out)
        parcel_fail(day, deed);
    else if (deed->step == PARCEL_BEGIN && others_run(deed->node))
        parcel_ask(day, deed, PARCEL_SEND, NULL);
    else if (deed->step == PARCEL_ACCEPT && percent(&day->chance, DECLINE_PERCENT))
        parcel_ask(day, deed, PARCEL_DECLINE, "{\"reason\":\"no cartons\"}");
    else if (deed->step == PARCEL_ACCEPT)
        parcel_ask(day, deed, PARCEL_ACCEPT, NULL);
    else if (deed->step == PARCEL_PACK)
        parcel_ask(day, deed, PARCEL_PACK, "{\"packages\":[{\"weight_g\":500}]}");
    else if (deed->step == PARCEL_SHIP)
        parcel_ship(day, deed);
    else
        parcel_pick(day, deed);
}

static void parcel_go(struct day *day, struct deed *deed)
{
    static const char *const then[] = { "ship_again", "refund", "arrived" };
    const struct fulfilment_row *row = parcel_row(day, deed);
    if (row == NULL)
        return;
    if (deed->step == PARCEL_SETTLE) {
        deed->fate = (int)draw_below(&day->chance, COUNT(then));
        parcel_ask(day, deed, PARCEL_SETTLE, arena_printf(day->step, "{\"then\":\"%s\"}", then[deed->fate]));
    } else if (deed->step == PARCEL_LOSE || deed->step == PARCEL_DAMAGE)
        parcel_ask(day, deed, deed->step, deed->step == PARCEL_LOSE ? "{\"reason\":\"the van burnt\"}" : "{\"reason\":\"it is wet\"}");
    else if (deed->step == PARCEL_DELIVER)
        parcel_ask(day, deed, PARCEL_DELIVER, NULL);
    else if (row->state <= FULFILMENT_ACCEPTED || row->state == FULFILMENT_PICKING || row->state == FULFILMENT_PACKED ||
             row->state == FULFILMENT_CANCEL_REQUESTED)
        parcel_work(day, deed, row);
}

/* ---- what came of it ---- */

static void parcel_next(struct day *day, struct deed *deed, int step, int64_t least_minutes, int64_t most_minutes)
{
    deed->step = step;
    deed_later(day, deed, deed->at + draw_from(&day->chance, least_minutes, most_minutes) * MINUTE_US);
}

static void parcel_left(struct day *day, struct deed *deed)
{
    struct sale *sale = sale_of(day, deed);
    struct db_rows rows = day_rows(day, &line_of_fulfilment, deed->id);
    for (size_t i = 0; i < rows.count; i++) {
        const struct fulfilment_line_row *line = db_row(&rows, i);
        day->there[deed->node][sku_of(day, line->sku)] -= due_of(line);
        sale->left += due_of(line);
        deed->lines[0].units += due_of(line);
    }
    tally(day, TALLY_LEFT);
    const int64_t fate = draw_below(&day->chance, 100);
    if (fate < LOSE_PERCENT + DAMAGE_PERCENT)
        parcel_next(day, deed, fate < LOSE_PERCENT ? PARCEL_LOSE : PARCEL_DAMAGE, 360, 1800);
    else if (fate < LOSE_PERCENT + DAMAGE_PERCENT + DELIVER_PERCENT)
        parcel_next(day, deed, PARCEL_DELIVER, 720, 2880); /* of the others nobody says anything */
}

static void parcel_settled(struct day *day, struct deed *deed)
{
    static const enum day_tally tallies[] = { TALLY_AGAIN, TALLY_REFUNDED, TALLY_ARRIVED };
    struct sale *sale = sale_of(day, deed);
    tally(day, tallies[deed->fate]);
    if (tallies[deed->fate] != TALLY_ARRIVED)
        sale->left -= deed->lines[0].units;
    sale->disturbed = sale->disturbed || tallies[deed->fate] == TALLY_REFUNDED;
}

static void units_gone(struct day *day, struct deed *deed)
{
    const struct deed_line *line = &deed->lines[0];
    if (line->units == 0)
        return;
    day->gone[deed->node][line->sku] += line->units;
    count_soon(day, deed->node, (int)line->sku);
}

static void parcel_ended(struct day *day, struct deed *deed, const struct asked *request)
{
    switch (request->step) {
    case PARCEL_DECLINE:
        tally(day, TALLY_DECLINED);
        break;
    case PARCEL_FAIL:
        tally(day, TALLY_FAILED);
        units_gone(day, deed);
        break;
    case PARCEL_DELIVER: {
        tally(day, TALLY_DELIVERED);
        if (!percent(&day->chance, RETURN_PERCENT))
            break;
        struct deed *back = deed_new(day, &return_deed, deed->at + draw_from(&day->chance, 1, 36) * HOUR_US);
        back->which = deed->which;
        break;
    }
    case PARCEL_SETTLE:
        parcel_settled(day, deed);
        break;
    }
}

/* What the node named was no longer due when it told: an edit or a cancel came before it. It looks again. */
static bool is_overtaken(const struct asked *request)
{
    return request->status == 422 && strstr(request->answer, "\"code\":\"out_of_range\"") != NULL;
}

static void parcel_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    if (is_overtaken(request)) {
        parcel_next(day, deed, deed->step, 1, 5);
        return;
    }
    if (!heard(day, request))
        return; /* given up, or taken by a fact, meanwhile */
    switch (request->step) {
    case PARCEL_SEND:
        tally(day, TALLY_SENT);
        parcel_next(day, deed, PARCEL_ACCEPT, 1, 20);
        break;
    case PARCEL_ACCEPT:
        tally(day, TALLY_ACCEPTED);
        parcel_next(day, deed, PARCEL_PICK, 1, 20);
        break;
    case PARCEL_PICK:
        if (deed->lines[0].units > 0)
            tally(day, TALLY_SHORT_PICK);
        units_gone(day, deed);
        deed->lines[0] = (struct deed_line){ 0 };
        parcel_next(day, deed, PARCEL_PACK, 1, 10);
        break;
    case PARCEL_PACK:
        parcel_next(day, deed, PARCEL_SHIP, 1, 60);
        break;
    case PARCEL_SHIP:
        day->tallies->of[TALLY_SPLIT] += deed->fate;
        parcel_left(day, deed);
        break;
    case PARCEL_AGREE:
    case PARCEL_GO_ON:
        parcel_next(day, deed, deed->step, 1, 5);
        break;
    case PARCEL_LOSE:
    case PARCEL_DAMAGE:
        tally(day, request->step == PARCEL_LOSE ? TALLY_LOST : TALLY_DAMAGED);
        parcel_next(day, deed, PARCEL_SETTLE, 60, 1440);
        break;
    default:
        parcel_ended(day, deed, request);
    }
}

const struct deed_kind parcel_deed = { "parcel", parcel_go, parcel_hear };

/* ---- a return ---- */

enum { RETURN_ANNOUNCE, RETURN_RECEIVE, RETURN_INSPECT, RETURN_CANCEL, RETURN_TRIES = 6 };
static const struct disposition {
    const char *text;
    enum day_tally tally;
    bool leaves; /* the node's stock */
} dispositions[] = {
    { "\"restock\"", TALLY_RESTOCKED, false },
    { "\"restock_as\",\"class\":\"B\"", TALLY_REGRADED, false },
    { "\"scrap\"", TALLY_SCRAPPED, true },
    { "\"return_to_supplier\"", TALLY_TO_SUPPLIER, true },
    { "\"back_to_customer\"", TALLY_TO_CUSTOMER, true },
    { "\"missing\"", TALLY_NOT_THERE, true },
};

/* One unit of the first line; of a bundle one of its parts. */
static const char *announced(struct day *day, struct deed *deed)
{
    const bool is_bundle = wish_of(day, deed)->lines[0].item == BUNDLE;
    char code[16];
    deed->node = (int)draw_below(&day->chance, 2);
    (void)item_code(bundle_parts[draw_below(&day->chance, PARTS)].sku, code);
    return arena_printf(day->step, "{\"order\":\"%s\",\"node\":\"%s\",\"reason\":\"too bright\",\"lines\":[{\"line\":1%s%s%s,\"quantity\":1}]}",
                        id_text(day->step, "ord", day->company->unit, sale_of(day, deed)->id), depots[deed->node].code,
                        is_bundle ? ",\"sku\":\"" : "", is_bundle ? code : "", is_bundle ? "\"" : "");
}

static const char *came_back(struct day *day, struct deed *deed)
{
    struct db_rows rows = day_rows(day, &line_of_return, deed->id);
    struct buffer lines = { .arena = day->step };
    char code[16];
    deed->line_count = 0;
    for (size_t i = 0; i < rows.count && deed->line_count < DEED_LINES; i++) {
        const struct return_line_row *row = db_row(&rows, i);
        struct deed_line *line = &deed->lines[deed->line_count++];
        *line = (struct deed_line){ .line = row->line, .sku = sku_of(day, row->sku), .units = row->expected };
        buffer_printf(&lines, "%s{\"line\":%ld,\"quantity\":%ld}", lines.size == 0 ? "" : ",", (long)row->line, (long)row->expected);
    }
    deed->fate = deed->line_count < DEED_LINES && percent(&day->chance, 15);
    if (deed->fate == 1) {
        struct deed_line *line = &deed->lines[deed->line_count++];
        *line = (struct deed_line){ .sku = draw_from(&day->chance, SKUS / 2, SKUS - 1), .units = 1 };
        buffer_printf(&lines, ",{\"sku\":\"%s\",\"quantity\":1}", item_code((int)line->sku, code));
    }
    return arena_printf(day->step, "{\"lines\":[%s]}", lines.at);
}

/* Unit by unit; what is not inspected stays, and is the next time. */
static const char *inspected(struct day *day, struct deed *deed)
{
    struct db_rows rows = day_rows(day, &line_of_return, deed->id);
    struct buffer lines = { .arena = day->step };
    deed->line_count = 0;
    for (size_t i = 0; i < rows.count && deed->line_count < DEED_LINES; i++) {
        const struct return_line_row *row = db_row(&rows, i);
        if (row->received == row->inspected)
            continue;
        struct deed_line *line = &deed->lines[deed->line_count++];
        *line = (struct deed_line){ .sku = sku_of(day, row->sku), .units = 1, .part = draw_below(&day->chance, COUNT(dispositions)) };
        buffer_printf(&lines, "%s{\"line\":%ld,\"quantity\":1,\"disposition\":%s}", lines.size == 0 ? "" : ",", (long)row->line,
                      dispositions[line->part].text);
    }
    return deed->line_count == 0 ? NULL : arena_printf(day->step, "{\"lines\":[%s]}", lines.at);
}

static void return_go(struct day *day, struct deed *deed)
{
    static const char *const verbs[] = { NULL, "receive", "inspect", "cancel" };
    const char *body = deed->step == RETURN_ANNOUNCE  ? announced(day, deed)
                       : deed->step == RETURN_RECEIVE ? came_back(day, deed)
                       : deed->step == RETURN_INSPECT ? inspected(day, deed)
                                                      : NULL;
    if (deed->step == RETURN_ANNOUNCE)
        ask(day, deed, deed->step, "/v1/returns", body);
    else if (body != NULL || deed->step == RETURN_CANCEL)
        ask(day, deed, deed->step, target_of(day, "/v1/returns", "rtn", deed->id, verbs[deed->step]), body);
}

static void return_hear(struct day *day, struct deed *deed, const struct asked *request)
{
    const bool done = heard(day, request);
    if (!done && request->step == RETURN_INSPECT && deed->to++ < RETURN_TRIES) /* somebody has released them from quarantine */
        deed_later(day, deed, deed->at + 6 * HOUR_US);
    if (!done)
        return;
    if (request->step == RETURN_ANNOUNCE) {
        deed->id = id_in(day, request, "rtn");
        tally(day, TALLY_RETURN_EXPECTED);
        deed->step = percent(&day->chance, 15) ? RETURN_CANCEL : RETURN_RECEIVE;
    } else if (request->step == RETURN_RECEIVE) {
        tally(day, TALLY_RETURN_CAME);
        day->tallies->of[TALLY_RETURN_MORE] += deed->fate;
        for (int i = 0; i < deed->line_count; i++)
            day->there[deed->node][deed->lines[i].sku] += deed->lines[i].units;
        deed->step = RETURN_INSPECT;
    } else if (request->step == RETURN_INSPECT) {
        for (int i = 0; i < deed->line_count; i++) {
            const struct disposition *disposition = &dispositions[deed->lines[i].part];
            tally(day, disposition->tally);
            day->there[deed->node][deed->lines[i].sku] -= disposition->leaves ? deed->lines[i].units : 0;
        }
    } else {
        tally(day, TALLY_RETURN_NEVER);
        return;
    }
    deed_later(day, deed, deed->at + draw_from(&day->chance, 2, 30) * HOUR_US);
}

const struct deed_kind return_deed = { "return", return_go, return_hear };

/* ---- what its rows say ---- */

static void follow_parcel(struct day *day, int64_t which, const struct fulfilment_row *row)
{
    struct sale *sale = &day->sales[which];
    if (row->id <= sale->newest_parcel)
        return;
    sale->newest_parcel = row->id;
    if (row->state > FULFILMENT_PACKED && row->state != FULFILMENT_CANCEL_REQUESTED)
        return;
    const int node = node_of(day, row->node);
    struct deed *deed = deed_new(day, &parcel_deed, pickers_give(&day->pickers, day->script, node, day->company->now_us));
    deed->which = which;
    deed->id = row->id;
    deed->node = node;
    deed->step = PARCEL_BEGIN;
}

void sale_follow(struct day *day, int64_t which)
{
    struct sale *sale = &day->sales[which];
    struct db_rows demands = day_rows(day, &demand_of_order, sale->id), parcels = day_rows(day, &fulfilment_of_order, sale->id);
    sale->ordered = sale->cancelled = sale->waiting = sale->working = sale->shipped = 0;
    for (size_t i = 0; i < demands.count; i++) {
        const struct demand_row *row = db_row(&demands, i);
        sale->ordered += row->ordered;
        sale->cancelled += row->cancelled;
        sale->waiting += row->backordered;
        sale->working += row->reserved + row->allocated;
        sale->shipped += row->shipped;
    }
    for (size_t i = 0; i < parcels.count; i++)
        follow_parcel(day, which, db_row(&parcels, i));
    if (sale->waiting > 0 && !sale->patient) {
        struct deed *deed = deed_new(day, &impatience_deed, max_i64(day->company->now_us, day->script->orders[which].at + PATIENCE_US));
        deed->which = which;
        sale->patient = true;
    }
}

/* ---- what is to happen ---- */

static void plan_order(struct day *day, const struct deed_kind *kind, int64_t which, int64_t at)
{
    deed_new(day, kind, at)->which = which;
}

void sales_plan(struct day *day)
{
    for (size_t i = 0; i < day->script->order_count; i++) {
        const struct script_order *order = &day->script->orders[i];
        plan_order(day, &order_deed, (int64_t)i, order->at);
        if (order->pay_at > 0)
            plan_order(day, &payment_deed, (int64_t)i, order->pay_at);
        if (order->give_up_at > 0)
            plan_order(day, &give_up_deed, (int64_t)i, order->give_up_at);
        if (percent(&day->chance, 12))
            plan_order(day, &edit_deed, (int64_t)i, order->at + draw_from(&day->chance, 1, 120) * MINUTE_US);
        if (percent(&day->chance, 4))
            plan_order(day, &hold_deed, (int64_t)i, order->at + draw_from(&day->chance, 1, 5) * MINUTE_US);
        if (percent(&day->chance, 4))
            plan_order(day, &replan_deed, (int64_t)i, order->at + draw_from(&day->chance, 1, 9) * MINUTE_US);
    }
}
