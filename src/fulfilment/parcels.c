/* src/fulfilment/parcels.c: what leaves a node, and what becomes of it: shipped, whole or in part; delivered, or taken for it when its time has
 * passed and nobody said so; lost or damaged on its way, and what is decided then.
 * A loss is a fact: units that count as shipped are gone, and a movement says where to. They stay shipped until somebody decides: another one is
 * sent, which waits at the order's rank, or they are cancelled. What a parcel took off the books as sold comes back with the decision, so that a
 * replacement is sold once. */
#include "base/id.h"
#include "fulfilment/parcels.h"
#include "fulfilment/reports.h"
#include "orders/asked.h"
#include "orders/commands.h"
#include "orders/losses.h"
#include "orders/state.h"

#define AT(type, member) offsetof(struct type, member)

/* ---- shipped ---- */

struct left_package_io {
    struct field_presence presence;
    int64_t number;
};
static const struct field leaving_line_rows[] = { REPORT_LINE_ROWS(1, "units that leave") };
static const struct field_table leaving_line_fields = { "LeavingUnits", leaving_line_rows, COUNT(leaving_line_rows), sizeof(struct report_line_io) };
static const struct field left_package_rows[] = {
    { "number", FIELD_INT, AT(left_package_io, number), .required = true, .min = 1, .max = 1000, .doc = "1 is the first of the fulfilment order" },
};
static const struct field_table left_package_fields = { "LeavingPackage", left_package_rows, COUNT(left_package_rows),
                                                        sizeof(struct left_package_io) };
static const struct field ship_rows[] = {
    { "carrier", FIELD_TEXT, AT(ship_io, carrier), .required = true, .min = 1, .max = 64, .doc = "who takes the packages" },
    { "tracking", FIELD_TEXT, AT(ship_io, tracking), .required = true, .min = 1, .max = 128, .doc = "the carrier's number" },
    { "lines", FIELD_LIST, AT(ship_io, lines), .min = 1, .max = COMPONENTS_MAX, .of = &leaving_line_fields,
      .doc = "what leaves, where it is not all: the rest stays, as a fulfilment order of its own" },
    { "packages", FIELD_LIST, AT(ship_io, packages), .min = 1, .max = 1000, .of = &left_package_fields,
      .doc = "with lines: which packages leave; without: all, and what stays is packed anew" },
};
static const struct field_table ship_fields = { "Shipment", ship_rows, COUNT(ship_rows), sizeof(struct ship_io) };

/* What stays of a shipment. */
struct rest {
    int64_t *units; /* of each line */
    bool *packages; /* by number, from 1 */
    size_t package_count;
    bool any, any_package;
};

static void read_packages(const struct fulfilment *f, struct rest *rest, struct faults *faults)
{
    const struct left_package_io *said = f->ship->packages.items;
    const size_t count = f->ship->packages.count;
    size_t left = count == 0 ? rest->package_count : 0;
    for (size_t i = 1; i <= rest->package_count; i++)
        rest->packages[i] = count > 0;
    for (size_t i = 0; i < count; i++) {
        const bool known = said[i].number <= (int64_t)rest->package_count;
        if (!known)
            fault_add(faults, FAULT_OUT_OF_RANGE, report_pointer(faults, "packages", i, "number"), "there are %zu packages", rest->package_count);
        else if (!rest->packages[said[i].number])
            fault_add(faults, FAULT_INVALID, report_pointer(faults, "packages", i, "number"), "package %ld stands in the list twice",
                      (long)said[i].number);
        if (known)
            rest->packages[said[i].number] = false;
        left += known;
    }
    rest->any_package = left < rest->package_count;
    if (rest->any_package && !rest->any && faults->count == 0)
        fault_add(faults, FAULT_INVALID, "/packages", "all units leave: so do all %zu packages", rest->package_count);
}

/* What leaves is said; the rest stays. */
static struct rest rest_of(const struct fulfilment *f, struct faults *faults)
{
    const struct report_line_io *said = f->ship->lines.items;
    struct arena *arena = ws_arena(f->ws);
    struct rest rest = { .units = ARENA_ARRAY(arena, int64_t, f->line_count + 1) };
    rest.package_count = ws_count(f->ws, &package_of_fulfilment, WS_PREFIX(db_int(f->row->unit), db_int(f->row->id)));
    rest.packages = ARENA_ARRAY(arena, bool, rest.package_count + 1);
    int64_t *leaves = ARENA_ARRAY(arena, int64_t, f->line_count + 1);
    for (size_t i = 0; i < f->ship->lines.count; i++) {
        const size_t at = report_line(f, "lines", &said[i], i, faults);
        if (at == f->line_count)
            continue;
        leaves[at] = min_i64(leaves[at] + said[i].quantity, QUANTITY_MAX);
        if (leaves[at] > fulfilment_due(f->lines[at]))
            fault_add(faults, FAULT_OUT_OF_RANGE, report_pointer(faults, "lines", i, "quantity"), "%ld are due and %ld would leave",
                      (long)fulfilment_due(f->lines[at]), (long)leaves[at]);
    }
    for (size_t i = 0; i < f->line_count && f->ship->lines.count > 0; i++) {
        rest.units[i] = max_i64(0, fulfilment_due(f->lines[i]) - leaves[i]);
        rest.any = rest.any || rest.units[i] > 0;
    }
    read_packages(f, &rest, faults);
    return rest;
}

/* What is asked for and stays is asked for of the rest. */
static int64_t *take_asked(struct fulfilment *f, const struct rest *rest)
{
    int64_t *asked = ARENA_ARRAY(ws_arena(f->ws), int64_t, f->line_count + 1), all = 0;
    for (size_t i = 0; i < f->line_count; i++)
        all += asked[i] = min_i64(rest->units[i], asked_of(f->ws, f->row, f->lines[i]->line, f->lines[i]->part));
    if (all > 0 && all == asked_in_all(f->ws, f->row))
        f->row = fulfilment_step(f->ws, f->row, DO_GO_ON);
    for (size_t i = 0; i < f->line_count; i++)
        (void)asked_take(f->ws, f->row, f->lines[i]->line, f->lines[i]->part, asked[i]);
    return all > 0 ? asked : NULL;
}

static void move_packages(struct fulfilment *f, const struct rest *rest, int64_t to)
{
    const struct package_row *package;
    int64_t number = 0;
    struct ws_cursor cursor = ws_scan(f->ws, &package_of_fulfilment, WS_PREFIX(db_int(f->row->unit), db_int(f->row->id)), 0);
    while ((package = ws_next(f->ws, &cursor)) != NULL) {
        if (!rest->packages[package->number])
            continue;
        struct package_row moved = *package;
        moved.fulfilment = to;
        moved.number = ++number;
        ws_delete(f->ws, package);
        ws_insert(f->ws, &package_table, &moved);
    }
}

static void tell_rest(struct ws *ws, const struct fulfilment_row *rest)
{
    struct json_writer json;
    json_begin(&json, ws_arena(ws));
    json_object(&json);
    fulfilment_report_write(ws, rest, &json);
    json_key(&json, "answer");
    json_text(&json, "left_over");
    json_object_end(&json);
    struct event_row event = event_of(EVENT_FULFILMENT_CHANGED, SUBJECT_FULFILMENT, rest->id);
    event.about = rest->ord;
    event.node = rest->node;
    event.data = json.out.at;
    ws_event(ws, event);
}

/* Another fulfilment order of the node's, as far as this one: packed where packages were left for it. The claims stay: both are the order's. */
static const struct fulfilment_row *leave_over(struct fulfilment *f, const struct rest *rest)
{
    struct ws *ws = f->ws;
    const int64_t *asked = take_asked(f, rest);
    const struct fulfilment_row fresh = { .unit = f->row->unit,
                                          .id = ws_next_id(ws),
                                          .ord = f->row->ord,
                                          .node = f->row->node,
                                          .given_day = NULL_INT, /* with the one that it is the rest of */
                                          .state = rest->any_package ? FULFILMENT_PACKED : FULFILMENT_PICKING,
                                          .version = 1 };
    const struct db_value prefix[] = { db_int(fresh.unit), db_int(fresh.id) };
    ws_fresh(ws, &line_of_fulfilment, prefix);
    ws_fresh(ws, &package_of_fulfilment, prefix);
    ws_fresh(ws, &asked_of_fulfilment, prefix);
    const struct fulfilment_row *row = ws_insert(ws, &fulfilment_table, &fresh);
    for (size_t i = 0; i < f->line_count; i++) {
        struct fulfilment_line_row stays = *f->lines[i];
        if (rest->units[i] == 0)
            continue;
        stays.fulfilment = fresh.id;
        stays.quantity = rest->units[i];
        stays.cancelled = 0;
        struct fulfilment_line_row *left = ws_edit(ws, f->lines[i]);
        left->cancelled += rest->units[i];
        f->lines[i] = left;
        ws_insert(ws, &fulfilment_line_table, &stays);
    }
    move_packages(f, rest, fresh.id);
    for (size_t i = 0; asked != NULL && i < f->line_count; i++)
        if (asked[i] > 0) {
            asked_add(ws, row, f->lines[i]->line, f->lines[i]->part, asked[i]);
            row = fulfilment_step(ws, row, DO_ASK);
        }
    return row;
}

static void ship_decide(struct ws *ws, struct command *command)
{
    struct fulfilment f;
    if (!report_open(ws, command, &f))
        return;
    f.ship = command->input;
    const struct rest rest = rest_of(&f, &command->faults);
    if (command->faults.count > 0)
        return;
    if (!rest.any || !fulfilment_may(&f, DO_SHIP, &command->faults)) {
        if (command->faults.count == 0)
            report_move(&f, command, DO_SHIP);
        return;
    }
    const struct fulfilment_row *row = leave_over(&f, &rest);
    command->event_seq = fulfilment_move(&f, DO_SHIP, &command->faults);
    if (command->event_seq == 0)
        return;
    tell_rest(ws, row);
    order_advance(&f.order, false);
    if (f.order.last_seq == 0) /* it shows another fulfilment order */
        (void)order_event(&f.order, EVENT_ORDER_RELEASED, NULL_INT);
    report_answer(&f, command);
}

/* ---- delivered ---- */

static void deliver_decide(struct ws *ws, struct command *command)
{
    struct fulfilment fulfilment;
    if (report_open(ws, command, &fulfilment))
        report_move(&fulfilment, command, DO_DELIVER);
}

#define DUE_LOOKED_AT 200  /* most were delivered long since: only their row goes */
#define ASSUMED_AT_ONCE 20 /* an order each, with all its lines */
#define DAY_US INT64_C(86400000000)

/* Nobody decided yet what becomes of a loss: it is looked at again a day later. */
static void put_off(struct ws *ws, const struct parcel_due_row *due)
{
    struct parcel_due_row later = *due;
    later.at = ws_now_us(ws) + DAY_US;
    ws_delete(ws, due);
    ws_insert(ws, &parcel_due_table, &later);
}

static void assume(struct ws *ws, const struct parcel_due_row *due)
{
    struct fulfilment f;
    struct faults faults = { .arena = ws_arena(ws) };
    (void)fulfilment_open(ws, due->fulfilment, &f);
    if (losses_undecided(ws, f.row) > 0) {
        put_off(ws, due);
        return;
    }
    (void)fulfilment_move(&f, DO_ASSUME, &faults);
    order_advance(&f.order, false);
    if (f.order.last_seq == 0)
        order_edit(&f.order)->version++;
    ws_delete(ws, due);
}

/* The scheduler's: the oldest whose time has passed, some at a time. */
static void assume_decide(struct ws *ws, struct command *command)
{
    const struct parcel_due_row *rows[DUE_LOOKED_AT], *due;
    int64_t open[ASSUMED_AT_ONCE];
    size_t count = 0, open_count = 0;
    struct ws_cursor cursor = ws_scan(ws, &parcel_due_in_order, WS_PREFIX(db_int(ws_unit(ws))), DUE_LOOKED_AT);
    while (count < DUE_LOOKED_AT && (due = ws_next(ws, &cursor)) != NULL && due->at <= ws_now_us(ws)) {
        rows[count++] = due;
        ws_want(ws, &fulfilment_table, WS_KEY(due->unit, due->fulfilment));
    }
    ws_settle(ws);
    size_t end = 0;
    for (; end < count; end++) {
        const struct fulfilment_row *row = ws_get(ws, &fulfilment_table, WS_KEY(rows[end]->unit, rows[end]->fulfilment));
        if (row->state != FULFILMENT_SHIPPED)
            continue;
        if (open_count == ASSUMED_AT_ONCE)
            break;
        open[open_count++] = row->id;
    }
    fulfilments_want(ws, open, open_count);
    for (size_t i = 0, k = 0; i < end; i++)
        if (k < open_count && rows[i]->fulfilment == open[k]) {
            assume(ws, rows[i]);
            k++;
        } else {
            ws_delete(ws, rows[i]);
        }
    command->existing = end == 0;
    command->answer.status = 200;
}

/* ---- lost, damaged ---- */

struct loss_io {
    struct field_presence presence;
    const char *reason;
    struct field_list lines; /* of report_line_io */
    int64_t then;            /* enum loss_end */
};
static const struct field loss_line_rows[] = { REPORT_LINE_ROWS(1, "units") };
static const struct field_table loss_line_fields = { "LossUnits", loss_line_rows, COUNT(loss_line_rows), sizeof(struct report_line_io) };
static const char *const then_names[] = { "ship_again", "refund", NULL };
static const struct field loss_rows[] = {
    { "reason", FIELD_TEXT, AT(loss_io, reason), .lines = true, .required = true, .min = 1, .max = 255, .doc = "why, for the timeline" },
    { "lines", FIELD_LIST, AT(loss_io, lines), .min = 1, .max = COMPONENTS_MAX, .of = &loss_line_fields, .doc = "without: all that left with it" },
    { "then", FIELD_ENUM, AT(loss_io, then), .names = then_names,
      .doc = "what is done about it, where that is known already: another one is sent, or it is cancelled, and is the customer's money" },
};
static const struct field_table loss_fields = { "ParcelLoss", loss_rows, COUNT(loss_rows), sizeof(struct loss_io) };
static const struct field settle_rows[] = {
    { "then", FIELD_ENUM, AT(loss_io, then), .required = true, .names = loss_end_names,
      .doc = "another one is sent; it is cancelled, and is the customer's money; or it arrived after all" },
    { "lines", FIELD_LIST, AT(loss_io, lines), .min = 1, .max = COMPONENTS_MAX, .of = &loss_line_fields,
      .doc = "without: all that is lost or damaged and not decided" },
    { "reason", FIELD_TEXT, AT(loss_io, reason), .lines = true, .min = 1, .max = 255, .doc = "why, for the timeline" },
};
static const struct field_table settle_fields = { "ParcelSettlement", settle_rows, COUNT(settle_rows), sizeof(struct loss_io) };

/* Units of each line that are meant, at most `most`; NULL with a fault. */
static int64_t *meant(struct fulfilment *f, const struct loss_io *in, const int64_t *most, const char *what, struct faults *faults)
{
    const struct report_line_io *said = in->lines.items;
    int64_t *units = ARENA_ARRAY(ws_arena(f->ws), int64_t, f->line_count + 1), all = 0;
    for (size_t i = 0; i < in->lines.count; i++) {
        const size_t at = report_line(f, "lines", &said[i], i, faults);
        if (at == f->line_count)
            continue;
        units[at] = min_i64(units[at] + said[i].quantity, QUANTITY_MAX);
        if (units[at] > most[at])
            fault_add(faults, FAULT_OUT_OF_RANGE, report_pointer(faults, "lines", i, "quantity"), "%ld are %s, %ld are meant", (long)most[at], what,
                      (long)units[at]);
    }
    for (size_t i = 0; i < f->line_count; i++)
        all += units[i] = in->lines.count == 0 ? most[i] : units[i];
    if (all == 0 && faults->count == 0)
        fault_add(faults, FAULT_STATE_CONFLICT, NULL, "of this fulfilment order nothing is %s", what);
    return faults->count > 0 ? NULL : units;
}

static const char *cause_of(struct ws *ws, const struct fulfilment_row *row)
{
    return arena_printf(ws_arena(ws), "%s/%ld", exception_names[EXCEPTION_LOST_PARCEL - 1], (long)row->id);
}

static int64_t sum_of(const int64_t *units, size_t count)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += units[i];
    return sum;
}

/* Somebody is to decide: one exception for each fulfilment order, while anything of it is undecided. */
static void tell_people(struct fulfilment *f, int64_t units)
{
    const char *cause = cause_of(f->ws, f->row);
    const struct exception_item_row *open = exception_find(f->ws, cause);
    if (losses_undecided(f->ws, f->row) == 0) {
        if (open != NULL)
            (void)exception_close(f->ws, open);
    } else if (units > 0)
        exception_open(f->ws, &(struct exception){ .type = EXCEPTION_LOST_PARCEL,
                                                   .cause = cause,
                                                   .subject_kind = SUBJECT_FULFILMENT,
                                                   .subject = f->row->id,
                                                   .order = f->row->ord,
                                                   .node = f->row->node,
                                                   .quantity = units,
                                                   .detail = loss_names[f->loss] });
}

static void tell_order(struct fulfilment *f, enum event_type type)
{
    (void)order_event(&f->order, type, NULL_INT);
}

/* What fell back, by line; pieces that were cancelled, as whole bundles where a part of one was. */
static void follow(struct fulfilment *f, const char *why)
{
    struct order *order = &f->order;
    struct fallen *fallen = ARENA_ARRAY(ws_arena(f->ws), struct fallen, f->line_count + 1);
    int64_t *pieces = ARENA_ARRAY(ws_arena(f->ws), int64_t, order->line_count);
    size_t count = 0;
    for (size_t i = 0; i < f->line_count; i++) {
        const int64_t need = order->demands[demand_of(order, f->lines[i])]->need;
        if (f->units[i] == 0)
            continue;
        fallen[count++] = (struct fallen){ f->lines[i]->line, f->lines[i]->sku, f->units[i] };
        pieces[f->lines[i]->line - 1] = max_i64(pieces[f->lines[i]->line - 1], (f->units[i] + need - 1) / need);
    }
    if (f->end == LOSS_SHIP_AGAIN)
        order_falls_back(order, fallen, count, EXCEPTION_BROKEN_CLAIM, "lost_parcel");
    else if (f->end == LOSS_REFUND)
        order_gave_up(order, why, pieces);
    else
        tell_order(f, EVENT_ORDER_PARCEL_FOUND);
}

/* Decides on so many units of each line. Returns the seq of the event, 0 with a fault. */
static int64_t settle(struct fulfilment *f, const int64_t *units, enum loss_end end, struct faults *faults)
{
    int64_t left = 0;
    f->units = units;
    f->end = end;
    for (size_t i = 0; i < f->line_count; i++) {
        left += fulfilment_due(f->lines[i]) - (end == LOSS_ARRIVED ? 0 : units[i]);
        if (units[i] > 0)
            demand_waits_want(&f->order, f->order.demands[demand_of(&f->order, f->lines[i])]);
    }
    exception_want(f->ws, cause_of(f->ws, f->row));
    ws_settle(f->ws);
    const int64_t seq = fulfilment_move(f, left > 0 ? DO_SETTLE : DO_WRITE_OFF, faults);
    if (seq == 0)
        return 0;
    tell_people(f, 0);
    follow(f, f->reason == NULL ? "lost_parcel" : f->reason);
    return seq;
}

static void want_losses(struct fulfilment *f)
{
    ws_want_path(f->ws, &loss_of_order, WS_PREFIX(db_int(f->row->unit), db_int(f->row->ord)), 0);
    ws_want_path(f->ws, &exception_open_of_order, WS_PREFIX(db_int(f->row->unit), db_int(f->row->ord)), 0);
    exception_want(f->ws, cause_of(f->ws, f->row));
    ws_settle(f->ws);
}

static int64_t *undecided_of(struct fulfilment *f)
{
    int64_t *units = ARENA_ARRAY(ws_arena(f->ws), int64_t, f->line_count + 1);
    for (size_t i = 0; i < f->line_count; i++)
        units[i] = loss_undecided(f->ws, f->row, f->lines[i]->line, f->lines[i]->part, 0);
    return units;
}

static void lose(struct ws *ws, struct command *command, enum loss_kind kind)
{
    struct fulfilment f;
    const struct loss_io *in = command->input;
    if (!report_open(ws, command, &f) || !fulfilment_may(&f, DO_LOSE, &command->faults))
        return;
    want_losses(&f);
    int64_t *left = undecided_of(&f);
    for (size_t i = 0; i < f.line_count; i++)
        left[i] = fulfilment_due(f.lines[i]) - left[i];
    const int64_t *units = meant(&f, in, left, "on their way or delivered", &command->faults);
    if (units == NULL)
        return;
    f.units = units;
    f.loss = kind;
    f.reason = in->reason;
    command->event_seq = fulfilment_move(&f, DO_LOSE, &command->faults);
    if (command->event_seq == 0)
        return;
    tell_order(&f, EVENT_ORDER_PARCEL_LOST);
    if (field_came(&loss_fields, in, "then"))
        command->event_seq = settle(&f, units, (enum loss_end)in->then, &command->faults);
    else
        tell_people(&f, sum_of(units, f.line_count));
    report_answer(&f, command);
}

static void lost_decide(struct ws *ws, struct command *command)
{
    lose(ws, command, LOSS_LOST);
}

static void damaged_decide(struct ws *ws, struct command *command)
{
    lose(ws, command, LOSS_DAMAGED);
}

static void settle_decide(struct ws *ws, struct command *command)
{
    struct fulfilment f;
    const struct loss_io *in = command->input;
    if (!report_open(ws, command, &f) || !fulfilment_may(&f, DO_SETTLE, &command->faults))
        return;
    want_losses(&f);
    const int64_t *units = meant(&f, in, undecided_of(&f), "lost or damaged and not decided", &command->faults);
    if (units == NULL)
        return;
    f.reason = in->reason;
    command->event_seq = settle(&f, units, (enum loss_end)in->then, &command->faults);
    report_answer(&f, command);
}

REPORT_COMMAND(fulfilment_ship, "fulfilment.ship", &ship_fields, ship_decide, "none: what has left comes back as a return");
REPORT_COMMAND(fulfilment_deliver, "fulfilment.deliver", NULL, deliver_decide, "none: a fact");
REPORT_COMMAND(fulfilment_lost, "fulfilment.lost", &loss_fields, lost_decide, "fulfilment.settle: {\"then\":\"arrived\"}, until it is decided");
REPORT_COMMAND(fulfilment_damaged, "fulfilment.damaged", &loss_fields, damaged_decide,
               "fulfilment.settle: {\"then\":\"arrived\"}, until it is decided");
REPORT_COMMAND(fulfilment_settle, "fulfilment.settle", &settle_fields, settle_decide, "none: what is sent again is cancelled by order.cancel");
const struct command_type fulfilment_assume = {
    .name = "fulfilment.assume", .queue = QUEUE_BULK, .decide = assume_decide, .inverse = "none: time has passed"
};
