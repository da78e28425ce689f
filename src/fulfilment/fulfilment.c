/* src/fulfilment/fulfilment.c: a fulfilment order as it goes out, and what a node reports about the work it was given: picked, packed.
 * Each report is a command: it opens the fulfilment order with its order, moves it by the machine, and lets the order
 * follow (order_advance), so that an order's stage is never set from here. */
#include "fulfilment/reports.h"
#include "base/id.h"
#include "orders/asked.h"
#include "orders/order_io.h"
#include "orders/state.h"
#include "orders/together.h"
#include <string.h>

#define AT(type, member) offsetof(struct type, member)

/* ---- as it goes out ---- */

struct fulfilment_out {
    struct field_presence presence;
    const char *id, *order, *node;
    int64_t state, version;
    struct field_list lines, packages;
};

static const struct field out_line_rows[] = {
    { "line", FIELD_INT, AT(fulfilment_line_io, line), .read_only = true, .doc = "of the order" },
    { "sku", FIELD_CODE, AT(fulfilment_line_io, sku), .read_only = true, .doc = "what is picked: of a bundle, the component" },
    { "quantity", FIELD_INT, AT(fulfilment_line_io, quantity), .read_only = true, .doc = "units" },
    { "cancel_requested", FIELD_INT, AT(fulfilment_line_io, cancel_requested), .read_only = true, .hide_absent = true,
      .doc = "units that the node is asked to give back; absent: none" },
};
static const struct field_table out_line_fields = { "FulfilmentUnits", out_line_rows, COUNT(out_line_rows), sizeof(struct fulfilment_line_io) };
static const struct field out_package_rows[] = {
    { "tracking", FIELD_TEXT, AT(package_io, tracking), .read_only = true, .nullable = true, .doc = "null until it ships" },
    { "carrier", FIELD_TEXT, AT(package_io, carrier), .read_only = true, .nullable = true, .doc = "null until it ships" },
    { "weight_g", FIELD_INT, AT(package_io, weight_g), .read_only = true, .doc = "grams" },
};
static const struct field_table out_package_fields = { "FulfilmentPackage", out_package_rows, COUNT(out_package_rows), sizeof(struct package_io) };
static const struct field out_rows[] = {
    { "id", FIELD_TEXT, AT(fulfilment_out, id), .read_only = true },
    { "order", FIELD_TEXT, AT(fulfilment_out, order), .read_only = true, .doc = "the order's id" },
    { "node", FIELD_CODE, AT(fulfilment_out, node), .read_only = true, .doc = "who ships it" },
    { "state", FIELD_ENUM, AT(fulfilment_out, state), .read_only = true, .names = fulfilment_names },
    { "version", FIELD_INT, AT(fulfilment_out, version), .read_only = true, .doc = "rises with every change; the ETag" },
    { "lines", FIELD_LIST, AT(fulfilment_out, lines), .read_only = true, .of = &out_line_fields, .doc = "what is due" },
    { "packages", FIELD_LIST, AT(fulfilment_out, packages), .read_only = true, .of = &out_package_fields },
};
const struct field_table fulfilment_out_fields = { "Fulfilment", out_rows, COUNT(out_rows), sizeof(struct fulfilment_out) };

/* What the event says of then; what it does not say, and without an event: now. */
static struct fulfilment_report then_of(struct ws *ws, const struct fulfilment_row *row, const struct event_row *as_of)
{
    struct fulfilment_report then;
    if (as_of != NULL && fulfilment_report_read(ws_arena(ws), as_of, &then) && then.state >= 0 && then.version != NULL_INT && then.due.at != NULL)
        return then;
    return (struct fulfilment_report){ .state = row->state, .version = row->version };
}

/* Both tables of a line have their fields in the same places, so one presence does for either. */
static void show_lines(struct ws *ws, const struct fulfilment_row *row, const struct fulfilment_report *then, struct field_list *out)
{
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(row->id) };
    struct fulfilment_line_io *lines = ARENA_ARRAY(ws_arena(ws), struct fulfilment_line_io, ws_count(ws, &line_of_fulfilment, prefix) + 1);
    const struct fulfilment_line_row *line;
    size_t told = 0;
    for (struct ws_cursor cursor = ws_scan(ws, &line_of_fulfilment, prefix, 0); (line = ws_next(ws, &cursor)) != NULL; told++) {
        const int64_t due = told < then->due.count ? then->due.at[told] : fulfilment_due(line);
        const int64_t asked = then->due.at == NULL ? asked_of(ws, row, line->line, line->part) : told < then->asked.count ? then->asked.at[told] : 0;
        if (due > 0)
            lines[out->count++] = fulfilment_line_shown(ws, line, due, asked);
    }
    out->items = lines;
}

void fulfilment_write(struct ws *ws, const struct fulfilment_row *row, const struct event_row *as_of, struct json_writer *json)
{
    struct fulfilment_report then = then_of(ws, row, as_of);
    struct fulfilment_io io;
    fulfilment_show(ws, row, then.state, &io);
    struct fulfilment_out out = {
        .id = io.id, .order = io.order, .node = io.node, .state = then.state, .version = then.version, .packages = io.packages
    };
    show_lines(ws, row, &then, &out.lines);
    fields_write(json, &fulfilment_out_fields, &out);
}

/* ---- opening ---- */

static void want_order(struct ws *ws, const struct fulfilment_row *row)
{
    const struct db_path *const of_order[] = { &line_of_order, &demand_of_order, &fulfilment_of_order, &claim_of_holder, &loss_of_order };
    const struct db_path *const of_row[] = { &line_of_fulfilment, &package_of_fulfilment };
    const int64_t unit = ws_unit(ws);
    ws_want(ws, &orders_table, WS_KEY(unit, row->ord));
    ws_want(ws, &node_table, WS_KEY(unit, row->node));
    for (size_t i = 0; i < COUNT(of_order); i++)
        ws_want_path(ws, of_order[i], WS_PREFIX(db_int(unit), db_int(row->ord)), 0);
    for (size_t i = 0; i < COUNT(of_row); i++)
        ws_want_path(ws, of_row[i], WS_PREFIX(db_int(unit), db_int(row->id)), 0);
}

void fulfilments_want(struct ws *ws, const int64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        want_order(ws, ws_get(ws, &fulfilment_table, WS_KEY(ws_unit(ws), ids[i])));
    ws_settle(ws);
}

bool fulfilment_open(struct ws *ws, int64_t id, struct fulfilment *fulfilment)
{
    const int64_t unit = ws_unit(ws);
    const struct fulfilment_row *row = ws_get(ws, &fulfilment_table, WS_KEY(unit, id));
    *fulfilment = (struct fulfilment){ .ws = ws, .row = row, .quantity = NULL_INT, .amount = NULL_INT };
    if (row == NULL)
        return false;
    want_order(ws, row);
    ws_settle(ws);
    if (!order_open(ws, row->ord, &fulfilment->order))
        return false;
    const struct db_value prefix[] = { db_int(unit), db_int(id) };
    fulfilment->lines = ARENA_ARRAY(ws_arena(ws), const struct fulfilment_line_row *, ws_count(ws, &line_of_fulfilment, prefix) + 1);
    const struct fulfilment_line_row *line;
    for (struct ws_cursor cursor = ws_scan(ws, &line_of_fulfilment, prefix, 0); (line = ws_next(ws, &cursor)) != NULL;) {
        fulfilment->lines[fulfilment->line_count++] = line;
        ws_want(ws, &sku_table, WS_KEY(unit, line->sku));
        ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(unit), db_int(line->sku)), 0);
    }
    ws_settle(ws);
    return true;
}

/* ---- commands ---- */

bool report_edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    return command_names(command, request, "ful", "fulfilment order", faults);
}

void report_prefetch(struct ws *ws, const struct command *command)
{
    const int64_t unit = ws_unit(ws), id = command_id(command, "ful");
    const struct fulfilment_row *row = ws_known_row(ws, &fulfilment_table, WS_KEY(unit, id));
    ws_want(ws, &fulfilment_table, WS_KEY(unit, id));
    ws_want_path(ws, &line_of_fulfilment, WS_PREFIX(db_int(unit), db_int(id)), 0);
    ws_want_path(ws, &package_of_fulfilment, WS_PREFIX(db_int(unit), db_int(id)), 0);
    if (row != NULL) /* the second round: the first has told which order it is of */
        want_order(ws, row);
}

bool report_open(struct ws *ws, struct command *command, struct fulfilment *fulfilment)
{
    if (!fulfilment_open(ws, command_id(command, "ful"), fulfilment)) {
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no fulfilment order %s", command->path[0]);
        return false;
    }
    if (if_match_holds(command->if_match, fulfilment->row->version) && if_none_match_holds(command->if_none_match, fulfilment->row->version))
        return true;
    fault_add(&command->faults, FAULT_PRECONDITION_FAILED, NULL, "it is at version %ld", (long)fulfilment->row->version);
    return false;
}

static void answer(struct ws *ws, struct command *command, const struct fulfilment_row *row, const struct event_row *as_of)
{
    command->answer.status = 200;
    if (command->arena == NULL || !command->wants_answer)
        return;
    struct json_writer json;
    json_begin(&json, command->arena);
    fulfilment_write(ws, row, as_of, &json);
    command->answer.body = json.out.at;
    command->answer.body_bytes = json.out.size;
    command->answer.etag = arena_printf(command->arena, "%ld", (long)then_of(ws, row, as_of).version);
}

void report_answer(struct fulfilment *fulfilment, struct command *command)
{
    answer(fulfilment->ws, command, fulfilment->row, NULL);
}

void report_move(struct fulfilment *fulfilment, struct command *command, enum fulfilment_event event)
{
    struct order *order = &fulfilment->order;
    command->event_seq = fulfilment_move(fulfilment, event, &command->faults);
    if (command->event_seq == 0)
        return;
    order_advance(order, false);
    if (order->last_seq == 0) /* no event told of the order, yet what it shows has changed */
        order_edit(order)->version++;
    report_answer(fulfilment, command);
}

void report_again(struct ws *ws, struct command *command, int64_t seq)
{
    const struct event_row *event = ws_get(ws, &event_table, WS_KEY(ws_unit(ws), seq));
    answer(ws, command, ws_get(ws, &fulfilment_table, WS_KEY(ws_unit(ws), event->subject)), event);
}

const char *report_pointer(struct faults *faults, const char *list, size_t entry, const char *member)
{
    return arena_printf(faults->arena, "/%s/%zu/%s", list, entry, member);
}

size_t report_line(const struct fulfilment *f, const char *list, const struct report_line_io *said, size_t entry, struct faults *faults)
{
    size_t found = f->line_count, of_line = 0;
    for (size_t i = 0; i < f->line_count; i++) {
        if (f->lines[i]->line != said->line)
            continue;
        const struct sku_row *sku = ws_get(f->ws, &sku_table, WS_KEY(ws_unit(f->ws), f->lines[i]->sku));
        of_line++;
        if (said->sku == NULL || text_equal(sku->code, said->sku))
            found = i;
    }
    if (of_line == 0)
        fault_add(faults, FAULT_LINE_UNKNOWN, report_pointer(faults, list, entry, "line"), "line %ld is not in this fulfilment order",
                  (long)said->line);
    else if (found == f->line_count)
        fault_add(faults, FAULT_LINE_UNKNOWN, report_pointer(faults, list, entry, "sku"), "line %ld needs no %s from this node", (long)said->line,
                  said->sku);
    else if (said->sku == NULL && of_line > 1)
        fault_add(faults, FAULT_REQUIRED, report_pointer(faults, list, entry, "sku"), "line %ld is a bundle: say which component", (long)said->line);
    else
        return found;
    return f->line_count;
}

/* ---- pick ---- */

struct pick_io {
    struct field_presence presence;
    struct field_list lines;
};
static const struct field pick_line_rows[] = { REPORT_LINE_ROWS(0, "units that were found; fewer than are due is a short pick") };
static const struct field_table pick_line_fields = { "PickLine", pick_line_rows, COUNT(pick_line_rows), sizeof(struct report_line_io) };
static const struct field pick_rows[] = {
    { "lines", FIELD_LIST, AT(pick_io, lines), .max = COMPONENTS_MAX, .of = &pick_line_fields, .doc = "a line left out was picked in full" },
};
static const struct field_table pick_fields = { "Pick", pick_rows, COUNT(pick_rows), sizeof(struct pick_io) };

/* What is said of each line; a line that is named twice was picked from two places. */
static struct picked *picked_of(const struct fulfilment *f, const struct pick_io *in, struct faults *faults)
{
    const struct report_line_io *said = in->lines.items;
    struct picked *picked = ARENA_ARRAY(ws_arena(f->ws), struct picked, f->line_count + 1);
    for (size_t i = 0; i < in->lines.count; i++) {
        size_t at = report_line(f, "lines", &said[i], i, faults);
        if (at < f->line_count && picked[at].pointer == NULL)
            picked[at].pointer = report_pointer(faults, "lines", i, "quantity");
        picked[at].quantity = min_i64(picked[at].quantity + said[i].quantity, QUANTITY_MAX);
    }
    for (size_t i = 0; i < f->line_count; i++)
        if (picked[i].pointer == NULL)
            picked[i].quantity = fulfilment_due(f->lines[i]);
    return picked;
}

/* ---- a short pick: a fact ---- */

/* What was found of a bundle that must not come apart is of no use here where the rest of it is missing. */
static void find_useless(struct fulfilment *f, size_t first, size_t end, struct picked *picked, const struct outlet *outlet)
{
    const int64_t line = f->lines[first]->line;
    struct standing standing = standing_of(ws_arena(f->ws), &f->order, line, outlet);
    int64_t *missing = ARENA_ARRAY(ws_arena(f->ws), int64_t, standing.parts), *useless = ARENA_ARRAY(ws_arena(f->ws), int64_t, standing.parts);
    const int64_t first_part = f->order.demands[standing.first]->part;
    for (size_t i = first; i < end; i++)
        missing[f->lines[i]->part - first_part] = picked[i].missing;
    standing_without(&standing, f->row->node, missing, useless);
    for (size_t i = first; i < end; i++)
        picked[i].useless = min_i64(useless[f->lines[i]->part - first_part], fulfilment_due(f->lines[i]) - picked[i].missing);
}

/* Of each line what is missing, and what goes back with it. Returns whether anything is. */
static bool find_missing(struct fulfilment *f, struct picked *picked)
{
    struct outlet outlet;
    bool any = false;
    for (size_t i = 0; i < f->line_count; i++) {
        picked[i].missing = max_i64(0, fulfilment_due(f->lines[i]) - picked[i].quantity);
        any = any || picked[i].missing > 0;
    }
    if (!any)
        return false;
    outlet_open(f->ws, ws_get(f->ws, &channel_table, WS_KEY(ws_unit(f->ws), f->order.row->channel)), &outlet);
    for (size_t first = 0, end; first < f->line_count; first = end) {
        bool short_line = false;
        for (end = first; end < f->line_count && f->lines[end]->line == f->lines[first]->line; end++)
            short_line = short_line || picked[end].missing > 0;
        if (short_line && line_stays_together(&f->order, f->lines[first]->line, &outlet))
            find_useless(f, first, end, picked, &outlet);
    }
    return true;
}

static void pick_short(struct fulfilment *f, struct command *command)
{
    int64_t goes_on = 0;
    for (size_t i = 0; i < f->line_count; i++)
        goes_on += fulfilment_due(f->lines[i]) - f->picked[i].missing - f->picked[i].useless;
    report_lets_go(f, command, goes_on > 0 ? DO_PICK : DO_MISS, EXCEPTION_BROKEN_CLAIM, "short_pick");
}

static void pick_decide(struct ws *ws, struct command *command)
{
    struct fulfilment fulfilment;
    if (!report_open(ws, command, &fulfilment))
        return;
    struct picked *picked = picked_of(&fulfilment, command->input, &command->faults);
    fulfilment.picked = picked;
    if (command->faults.count > 0)
        return;
    if (fulfilment_transition((enum fulfilment_state)fulfilment.row->state, DO_PICK) != NULL && find_missing(&fulfilment, picked))
        pick_short(&fulfilment, command);
    else
        report_move(&fulfilment, command, DO_PICK);
}

/* ---- pack ---- */

static const struct field pack_line_rows[] = {
    { "weight_g", FIELD_INT, AT(pack_line_io, weight_g), .required = true, .min = 1, .max = 100000000, .doc = "grams, as weighed" },
};
static const struct field_table pack_line_fields = { "Pack", pack_line_rows, COUNT(pack_line_rows), sizeof(struct pack_line_io) };
static const struct field pack_rows[] = {
    { "packages", FIELD_LIST, AT(pack_io, packages), .required = true, .min = 1, .max = 1000, .of = &pack_line_fields, .doc = "what will leave" },
};
static const struct field_table pack_fields = { "Packing", pack_rows, COUNT(pack_rows), sizeof(struct pack_io) };

static void pack_decide(struct ws *ws, struct command *command)
{
    struct fulfilment fulfilment;
    if (!report_open(ws, command, &fulfilment))
        return;
    fulfilment.pack = command->input;
    report_move(&fulfilment, command, DO_PACK);
}

REPORT_COMMAND(fulfilment_pick, "fulfilment.pick", &pick_fields, pick_decide,
               "order.cancel: the units go back; units that were not found: none, a count decides");
REPORT_COMMAND(fulfilment_pack, "fulfilment.pack", &pack_fields, pack_decide, "order.cancel: the units go back");
