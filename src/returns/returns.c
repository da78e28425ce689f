/* src/returns/returns.c: how a return moves: one table, and one function that sets its state. What comes stands in quarantine until somebody says
 * what became of it. Each receipt is a row with what of it is not inspected; an inspection takes from the oldest, and each taking is a row with both
 * times: so the clock from the dock to its end is kept for every unit. Invariants (millrace check): a line's received is the sum of its receipts, its
 * inspected the sum of its outcomes, what waits is the difference; states are as the lines say. */
#include "returns/returns.h"
#include "base/id.h"
#include "inventory/inspections.h"
#include <assert.h>

const char *const return_states[] = { "expected", "received", "inspected", "cancelled", NULL };

/* ---- rows ---- */

static void add_line(struct goods_return *back, const struct return_line_row *line)
{
    back->lines = arena_room(ws_arena(back->ws), back->lines, back->line_count, &back->room, 8, sizeof *back->lines);
    back->lines[back->line_count++] = line;
}

bool return_open(struct ws *ws, int64_t id, struct goods_return *back)
{
    const int64_t unit = ws_unit(ws);
    const struct db_value prefix[] = { db_int(unit), db_int(id) };
    *back = (struct goods_return){ .ws = ws, .row = ws_get(ws, &goods_return_table, WS_KEY(unit, id)) };
    if (back->row == NULL)
        return false;
    ws_want(ws, &node_table, WS_KEY(unit, back->row->node));
    ws_want_path(ws, &line_of_return, prefix, 0);
    ws_want_path(ws, &receipt_of_return, prefix, 0);
    ws_want_path(ws, &outcome_of_return, prefix, 0);
    ws_settle(ws);
    const struct return_line_row *line;
    for (struct ws_cursor cursor = ws_scan(ws, &line_of_return, prefix, 0); (line = ws_next(ws, &cursor)) != NULL;) {
        add_line(back, line);
        ws_want(ws, &sku_table, WS_KEY(unit, line->sku));
        ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(unit), db_int(line->sku)), 0);
        short_picks_want(ws, 0, line->sku);
    }
    ws_settle(ws);
    return true;
}

static struct return_line_row *edit_line(struct goods_return *back, const struct return_part *part)
{
    for (size_t i = 0; i < back->line_count; i++)
        if (part->line != 0 ? back->lines[i]->line == part->line : back->lines[i]->sku == part->sku)
            return ws_edit(back->ws, back->lines[i]);
    struct return_line_row row = {
        .unit = ws_unit(back->ws), .goods_return = back->row->id, .line = (int64_t)back->line_count + 1, .sku = part->sku
    };
    struct return_line_row *line = ws_insert(back->ws, &return_line_table, &row);
    add_line(back, line);
    return line;
}

static const struct return_line_row *line_of(const struct goods_return *back, const struct return_part *part)
{
    for (size_t i = 0; i < back->line_count; i++)
        if (part->line != 0 ? back->lines[i]->line == part->line : back->lines[i]->sku == part->sku)
            return back->lines[i];
    return NULL;
}

static struct stock begin(const struct goods_return *back)
{
    return stock_begin(back->ws, (struct cause){ CAUSE_RETURN, back->row->id });
}

/* ---- guards ---- */

static bool guard_has_room(struct goods_return *back, struct faults *faults)
{
    for (size_t i = 0; i < back->part_count; i++) {
        const struct return_part *part = &back->parts[i];
        const struct return_line_row *line = line_of(back, part);
        const int64_t there = position_on_hand(position_find(back->ws, back->row->node, line == NULL ? part->sku : line->sku, 0));
        if (there + part->quantity <= QUANTITY_MAX)
            continue;
        fault_add(faults, FAULT_STOCK_CONFLICT, part->pointer, "%ld more would be over %ld, the largest stock of a SKU at a node: it has %ld",
                  (long)part->quantity, (long)QUANTITY_MAX, (long)there);
        return false;
    }
    return true;
}

/* Of a line no more than came, of a SKU no more than stands in quarantine: a return may have two lines of one. */
static bool guard_came(struct goods_return *back, struct faults *faults)
{
    for (size_t i = 0; i < back->part_count; i++) {
        const struct return_line_row *line = line_of(back, &back->parts[i]);
        const struct position_row *p = position_find(back->ws, back->row->node, line->sku, 0);
        int64_t of_line = 0, of_sku = 0;
        for (size_t k = 0; k < back->part_count; k++) {
            of_line += back->parts[k].line == line->line ? back->parts[k].quantity : 0;
            of_sku += line_of(back, &back->parts[k])->sku == line->sku ? back->parts[k].quantity : 0;
        }
        if (of_line > line->received - line->inspected)
            fault_add(faults, FAULT_STOCK_CONFLICT, back->parts[i].pointer, "of line %ld wait %ld for inspection, not %ld", (long)line->line,
                      (long)(line->received - line->inspected), (long)of_line);
        else if (of_sku > (p == NULL ? 0 : p->quarantined))
            fault_add(faults, FAULT_STOCK_CONFLICT, back->parts[i].pointer, "%ld stand in quarantine there, not %ld",
                      p == NULL ? 0L : (long)p->quarantined, (long)of_sku);
        else
            continue;
        return false;
    }
    return true;
}

static bool guard_waits(struct goods_return *back, struct faults *faults)
{
    for (size_t i = 0; i < back->line_count; i++)
        if (back->lines[i]->expected > back->lines[i]->received)
            return true;
    fault_add(faults, FAULT_STATE_CONFLICT, NULL, "all that was expected has come");
    return false;
}

/* ---- effects ---- */

static void effect_take_in(struct goods_return *back)
{
    struct stock stock = begin(back);
    const struct db_value prefix[] = { db_int(ws_unit(back->ws)), db_int(back->row->id) };
    for (size_t i = 0; i < back->part_count; i++) {
        if (back->parts[i].quantity == 0)
            continue;
        struct return_line_row *line = edit_line(back, &back->parts[i]);
        struct return_receipt_row receipt = { .unit = line->unit,
                                              .goods_return = line->goods_return,
                                              .receipt = (int64_t)ws_count(back->ws, &receipt_of_return, prefix) + 1,
                                              .line = line->line,
                                              .quantity = back->parts[i].quantity,
                                              .waiting = back->parts[i].quantity,
                                              .at = ws_now_us(back->ws) };
        ws_insert(back->ws, &return_receipt_table, &receipt);
        line->received += receipt.quantity;
        stock_move(&stock, &(struct move){ .sku = line->sku,
                                           .quantity = receipt.quantity,
                                           .from_node = PLACE_CUSTOMER,
                                           .to_node = back->row->node,
                                           .to = BUCKET_QUARANTINED,
                                           .unit_cost = NULL_INT,
                                           .document = back->document });
    }
    stock_end(&stock);
}

/* From the oldest receipt on: each with the time for which it stood there. */
static void note_outcomes(struct goods_return *back, struct return_line_row *line, const struct return_part *part)
{
    const struct db_value prefix[] = { db_int(line->unit), db_int(line->goods_return) };
    const struct return_receipt_row *receipt;
    int64_t left = part->quantity, outcome = (int64_t)ws_count(back->ws, &outcome_of_return, prefix);
    for (struct ws_cursor cursor = ws_scan(back->ws, &receipt_of_return, prefix, 0); left > 0 && (receipt = ws_next(back->ws, &cursor)) != NULL;) {
        const int64_t takes = min_i64(left, receipt->line == line->line ? receipt->waiting : 0);
        if (takes == 0)
            continue;
        struct return_outcome_row row = { .unit = line->unit,
                                          .goods_return = line->goods_return,
                                          .outcome = outcome + 1,
                                          .line = line->line,
                                          .receipt = receipt->receipt,
                                          .disposition = part->disposition,
                                          .class = part->class,
                                          .quantity = takes,
                                          .received_at = receipt->at,
                                          .at = ws_now_us(back->ws) };
        ws_insert(back->ws, &return_outcome_table, &row);
        ((struct return_receipt_row *)ws_edit(back->ws, receipt))->waiting -= takes;
        left -= takes;
        outcome++;
    }
    assert(left == 0); /* the guard has looked */
    line->inspected += part->quantity;
}

static void tell_part(struct goods_return *back, const struct return_line_row *line, const struct return_part *part)
{
    struct event_row event = event_of(EVENT_STOCK_DISPOSED, SUBJECT_RETURN, back->row->id);
    struct json_writer json;
    json_begin(&json, ws_arena(back->ws));
    json_object(&json);
    json_key(&json, "disposition");
    json_text(&json, disposition_names[part->disposition]);
    json_key(&json, "to_class");
    json_text(&json, class_code(back->ws, part->class));
    json_object_end(&json);
    event.node = back->row->node;
    event.sku = line->sku;
    event.class = 0;
    event.quantity = part->quantity;
    event.document = back->document;
    event.data = json.out.at;
    ws_event(back->ws, event);
}

static void effect_dispose(struct goods_return *back)
{
    struct stock stock = begin(back);
    struct freed *freed = ARENA_ARRAY(ws_arena(back->ws), struct freed, back->part_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < back->part_count; i++) {
        const struct return_part *part = &back->parts[i];
        struct return_line_row *line = edit_line(back, part);
        disposition_move(&stock, &(struct disposal){ .node = back->row->node,
                                                     .sku = line->sku,
                                                     .quantity = part->quantity,
                                                     .disposition = (enum disposition)part->disposition,
                                                     .to_class = part->class,
                                                     .document = back->document });
        if (part->disposition == RESTOCK)
            freed[count++] = (struct freed){ back->row->node, line->sku, part->quantity };
        if (part->disposition != REFURBISH) /* these are inspected again */
            note_outcomes(back, line, part);
    }
    stock_end(&stock);
    for (size_t i = 0; i < back->part_count; i++) {
        const struct return_line_row *line = line_of(back, &back->parts[i]);
        tell_part(back, line, &back->parts[i]);
        short_picks_settle(back->ws, back->row->node, line->sku, NOT_COUNTED);
    }
    short_picks_open(back->ws, freed, count);
    stock_followers.supply(back->ws, freed, count);
}

/* What has not come will not. */
static void effect_give_up(struct goods_return *back)
{
    for (size_t i = 0; i < back->line_count; i++)
        if (back->lines[i]->expected > back->lines[i]->received)
            ((struct return_line_row *)ws_edit(back->ws, back->lines[i]))->expected = back->lines[i]->received;
}

/* ---- the machine ---- */

static const struct {
    enum return_state from;
    enum return_event event;
    const char *guard_name;
    bool (*guard)(struct goods_return *back, struct faults *faults);
    const char *effect_name;
    void (*effect)(struct goods_return *back);
} machine[] = {
    { RETURN_EXPECTED, RETURN_RECEIVE, "there is room", guard_has_room, "what came stands in quarantine", effect_take_in },
    { RETURN_EXPECTED, RETURN_CANCEL, NULL, NULL, "nothing is expected any more", effect_give_up },
    { RETURN_RECEIVED, RETURN_RECEIVE, "there is room", guard_has_room, "what came stands in quarantine", effect_take_in },
    { RETURN_RECEIVED, RETURN_INSPECT, "as many wait", guard_came, "each goes where it is said", effect_dispose },
    { RETURN_RECEIVED, RETURN_CANCEL, "something has not come", guard_waits, "what has not come is given up", effect_give_up },
    { RETURN_INSPECTED, RETURN_RECEIVE, "there is room", guard_has_room, "what came later stands in quarantine", effect_take_in },
};
static const char *const event_names[RETURN_EVENT_COUNT] = { "receive", "inspect", "cancel" };

/* What the lines say: inspected once nothing waits, and nothing more is expected. */
static enum return_state state_of(const struct goods_return *back)
{
    bool came = false, waits = false, expects = false;
    for (size_t i = 0; i < back->line_count; i++) {
        const struct return_line_row *line = back->lines[i];
        came = came || line->received > 0;
        waits = waits || line->received > line->inspected;
        expects = expects || line->expected > line->received;
    }
    return !came ? (expects ? RETURN_EXPECTED : RETURN_CANCELLED) : waits || expects ? RETURN_RECEIVED : RETURN_INSPECTED;
}

void return_machine_print(FILE *out)
{
    fputs("| in | event | guard | effect |\n| --- | --- | --- | --- |\n", out);
    for (size_t i = 0; i < COUNT(machine); i++)
        fprintf(out, "| %s | %s | %s | %s |\n", return_states[machine[i].from - 1], event_names[machine[i].event],
                machine[i].guard_name == NULL ? "" : machine[i].guard_name, machine[i].effect_name);
}

int64_t return_tell(struct goods_return *back)
{
    struct event_row event = event_of(EVENT_RETURN_CHANGED, SUBJECT_RETURN, back->row->id);
    struct json_writer json;
    json_begin(&json, ws_arena(back->ws));
    return_write(back, &json);
    event.node = back->row->node;
    event.data = json.out.at;
    return ws_event(back->ws, event);
}

int64_t return_move(struct goods_return *back, enum return_event event, struct faults *faults)
{
    const enum return_state from = (enum return_state)back->row->state;
    size_t i = 0;
    while (i < COUNT(machine) && (machine[i].from != from || machine[i].event != event))
        i++;
    if (i == COUNT(machine)) {
        fault_add(faults, FAULT_STATE_CONFLICT, NULL, "it is %s: %s is not possible", return_states[from - 1], event_names[event]);
        return 0;
    }
    if (machine[i].guard != NULL && !machine[i].guard(back, faults))
        return 0;
    machine[i].effect(back);
    struct goods_return_row *row = ws_edit(back->ws, back->row);
    row->state = state_of(back);
    row->version++;
    return return_tell(back);
}

/* ---- as the API shows it ---- */

#define AT(type, member) offsetof(struct type, member)

struct line_io {
    struct field_presence presence;
    const char *sku;
    int64_t line, order_line, asked, expected, received, inspected;
};
static const struct field line_rows[] = {
    { "line", FIELD_INT, AT(line_io, line), .required = true, .read_only = true },
    { "order_line", FIELD_INT, AT(line_io, order_line), .read_only = true, .nullable = true, .doc = "null: nobody expected it" },
    { "sku", FIELD_CODE, AT(line_io, sku), .required = true, .read_only = true },
    { "asked", FIELD_INT, AT(line_io, asked), .required = true, .read_only = true, .doc = "units that were announced" },
    { "expected", FIELD_INT, AT(line_io, expected), .required = true, .read_only = true, .doc = "less, once what did not come was given up" },
    { "received", FIELD_INT, AT(line_io, received), .required = true, .read_only = true, .doc = "units that came, perhaps more" },
    { "inspected", FIELD_INT, AT(line_io, inspected), .required = true, .read_only = true },
};
static const struct field_table line_fields = { "ReturnLine", line_rows, COUNT(line_rows), sizeof(struct line_io) };
struct outcome_io {
    struct field_presence presence;
    const char *class;
    int64_t line, disposition, quantity, received_at, inspected_at, waited_s;
};
static const struct field outcome_rows[] = {
    { "line", FIELD_INT, AT(outcome_io, line), .required = true, .read_only = true },
    { "disposition", FIELD_ENUM, AT(outcome_io, disposition), .required = true, .read_only = true, .names = disposition_names },
    { "class", FIELD_CODE, AT(outcome_io, class), .read_only = true, .hide_absent = true, .doc = "that they were restocked as" },
    { "quantity", FIELD_INT, AT(outcome_io, quantity), .required = true, .read_only = true },
    { "received_at", FIELD_TIME, AT(outcome_io, received_at), .required = true, .read_only = true },
    { "inspected_at", FIELD_TIME, AT(outcome_io, inspected_at), .required = true, .read_only = true },
    { "waited_s", FIELD_INT, AT(outcome_io, waited_s), .required = true, .read_only = true, .doc = "from the dock to there, in seconds" },
};
static const struct field_table outcome_fields = { "ReturnOutcome", outcome_rows, COUNT(outcome_rows), sizeof(struct outcome_io) };
struct return_io {
    struct field_presence presence;
    const char *id, *order, *node, *reason;
    int64_t state, version, announced_at;
    struct field_list lines, outcomes;
};
static const struct field return_rows[] = {
    { "id", FIELD_TEXT, AT(return_io, id), .required = true, .read_only = true },
    { "state", FIELD_ENUM, AT(return_io, state), .required = true, .read_only = true, .names = return_states,
      .doc = "inspected: nothing waits, and nothing more is expected" },
    { "version", FIELD_INT, AT(return_io, version), .required = true, .read_only = true, .doc = "the ETag" },
    { "order", FIELD_TEXT, AT(return_io, order), .required = true, .read_only = true },
    { "node", FIELD_CODE, AT(return_io, node), .required = true, .read_only = true, .doc = "where it comes to" },
    { "reason", FIELD_TEXT, AT(return_io, reason), .read_only = true, .hide_absent = true },
    { "announced_at", FIELD_TIME, AT(return_io, announced_at), .required = true, .read_only = true },
    { "lines", FIELD_LIST, AT(return_io, lines), .required = true, .read_only = true, .of = &line_fields },
    { "outcomes", FIELD_LIST, AT(return_io, outcomes), .required = true, .read_only = true, .of = &outcome_fields,
      .doc = "what became of units, those that came first at first" },
};
const struct field_table return_fields = { "Return", return_rows, COUNT(return_rows), sizeof(struct return_io) };

static struct field_list show_outcomes(const struct goods_return *back)
{
    const struct db_value prefix[] = { db_int(back->row->unit), db_int(back->row->id) };
    struct outcome_io *outcomes = ARENA_ARRAY(ws_arena(back->ws), struct outcome_io, ws_count(back->ws, &outcome_of_return, prefix) + 1);
    const struct return_outcome_row *row;
    size_t count = 0;
    for (struct ws_cursor cursor = ws_scan(back->ws, &outcome_of_return, prefix, 0); (row = ws_next(back->ws, &cursor)) != NULL; count++) {
        outcomes[count] = (struct outcome_io){ .class = class_code(back->ws, row->class),
                                               .line = row->line,
                                               .disposition = row->disposition,
                                               .quantity = row->quantity,
                                               .received_at = row->received_at,
                                               .inspected_at = row->at,
                                               .waited_s = (row->at - row->received_at) / 1000000 };
        if (row->disposition == RESTOCK_AS)
            field_set(&outcome_fields, &outcomes[count], "class");
    }
    return (struct field_list){ outcomes, count };
}

void return_write(const struct goods_return *back, struct json_writer *json)
{
    const struct goods_return_row *row = back->row;
    struct line_io *lines = ARENA_ARRAY(ws_arena(back->ws), struct line_io, back->line_count + 1);
    for (size_t i = 0; i < back->line_count; i++) {
        const struct return_line_row *line = back->lines[i];
        lines[i] = (struct line_io){ .sku = ((const struct sku_row *)ws_get(back->ws, &sku_table, WS_KEY(row->unit, line->sku)))->code,
                                     .line = line->line,
                                     .order_line = line->ord_line == 0 ? NULL_INT : line->ord_line,
                                     .asked = line->asked,
                                     .expected = line->expected,
                                     .received = line->received,
                                     .inspected = line->inspected };
    }
    struct return_io out = { .id = id_text(ws_arena(back->ws), "rtn", row->unit, row->id),
                             .order = id_text(ws_arena(back->ws), "ord", row->unit, row->ord),
                             .node = ((const struct node_row *)ws_get(back->ws, &node_table, WS_KEY(row->unit, row->node)))->code,
                             .reason = row->reason,
                             .state = row->state - 1,
                             .version = row->version,
                             .announced_at = row->announced_at,
                             .lines = { lines, back->line_count },
                             .outcomes = show_outcomes(back) };
    if (row->reason != NULL)
        field_set(&return_fields, &out, "reason");
    fields_write(json, &return_fields, &out);
}
