/* src/inventory/count_commands.c: POST /v1/counts, what counters tell of a sheet, and how a node counts. */
#include "base/id.h"
#include "base/when.h"
#include "inventory/adjust.h"
#include "inventory/count.h"
#include "inventory/count_sheets.h"
#include "inventory/past.h"
#include "inventory_sql.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
#define EVENT_SEQ_MAX INT64_C(9007199254740991) /* what JSON is sure to keep */
#define CLAIMS_AT_ONCE 600                      /* that one call may break, as one fact */

static void answer(struct ws *ws, struct command *command, int64_t seq, int64_t version, int status)
{
    const struct event_row *event = ws_get(ws, &event_table, WS_KEY(ws_unit(ws), seq));
    command->event_seq = seq;
    command->answer.status = status;
    command->answer.body = arena_text(command->arena, event->data);
    command->answer.body_bytes = strlen(event->data);
    command->answer.etag = arena_printf(command->arena, "%ld", (long)version);
}

static const struct node_row *find_node(struct ws *ws, struct command *command, const char *code)
{
    const struct node_row *node = code == NULL ? NULL : ws_find(ws, &node_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(code)));
    if (node != NULL && node->owner == ws_unit(ws))
        return node;
    if (code != NULL)
        fault_add(&command->faults, FAULT_NODE_UNKNOWN, "/node", "there is no node %s", code);
    return NULL;
}

/* ---- a sheet is opened ---- */

struct open_io {
    struct field_presence presence;
    const char *node;
    struct field_list skus;
    int64_t class, limit;
    bool blind;
    const struct due *due; /* where no SKUs were named: what is due, found before */
    size_t due_count;
};
static const struct field open_rows[] = {
    { "node", FIELD_CODE, AT(open_io, node), .required = true },
    { "skus", FIELD_CODES, AT(open_io, skus), .min = 1, .max = SHEET_LINES_MAX, .doc = "what is to be counted; absent: what is due" },
    { "class", FIELD_ENUM, AT(open_io, class), .names = abc_names, .hide_absent = true, .doc = "only what is due of this class" },
    { "limit", FIELD_INT, AT(open_io, limit), .min = 1, .max = SHEET_LINES_MAX, .preset = 100, .doc = "lines at most, the longest overdue first" },
    { "blind", FIELD_BOOL, AT(open_io, blind), .hide_absent = true, .doc = "absent: as the node counts" },
};
static const struct field_table open_fields = { "CountIn", open_rows, COUNT(open_rows), sizeof(struct open_io) };

static bool open_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    const struct open_io *in = command->input;
    const char *const *skus = in->skus.items;
    command->of_node = in->node;
    command->looks_back = in->skus.count == 0;
    if (in->skus.count > 0 && field_came(&open_fields, in, "class"))
        fault_add(faults, FAULT_INVALID, "/class", "the SKUs say what is counted");
    for (size_t i = 1; i < in->skus.count; i++)
        for (size_t k = 0; k < i; k++)
            if (skus[k] != NULL && skus[i] != NULL && strcmp(skus[k], skus[i]) == 0) {
                fault_add(faults, FAULT_INVALID, arena_printf(command->arena, "/skus/%zu", i), "it is named before");
                break;
            }
    return faults->count == 0;
}

static enum db_result open_look_back(const struct reading *reading, struct command *command)
{
    const struct open_io *in = command->input;
    struct open_io *with_due = ARENA_NEW(command->arena, struct open_io);
    struct due *due = ARENA_ARRAY(command->arena, struct due, SHEET_LINES_MAX);
    struct master_node_result node = { 0 };
    bool known = false;
    size_t count = (size_t)in->limit;
    enum db_result result = master_node(reading->db, reading->arena, 0, in->node, &node, &known);
    if (result == DB_OK && known)
        result = due_find(reading, node.owner, node.id, field_came(&open_fields, in, "class") ? in->class + 1 : 0, when_now_us(), due, &count);
    *with_due = *in;
    with_due->due = due;
    with_due->due_count = known ? count : 0;
    command->input = with_due;
    return result;
}

static size_t find_skus(struct ws *ws, struct command *command, int64_t *skus)
{
    const struct open_io *in = command->input;
    const char *const *codes = in->skus.items;
    for (size_t i = 0; i < in->skus.count; i++)
        if (codes[i] != NULL)
            ws_want_path(ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(codes[i])), 0);
    ws_settle(ws);
    for (size_t i = 0; i < in->skus.count; i++) {
        const struct sku_row *sku = goods_sku(ws, &command->faults, codes[i], arena_printf(command->arena, "/skus/%zu", i));
        skus[i] = sku == NULL ? 0 : sku->id;
    }
    for (size_t i = 0; i < in->due_count; i++)
        skus[i] = in->due[i].sku;
    return in->skus.count > 0 ? in->skus.count : in->due_count;
}

static void open_look_up(struct ws *ws, struct command *command)
{
    int64_t *skus = ARENA_ARRAY(ws_arena(ws), int64_t, SHEET_LINES_MAX);
    (void)find_node(ws, command, ((const struct open_io *)command->input)->node);
    (void)find_skus(ws, command, skus);
}

static void write_lines(struct ws *ws, const struct count_sheet_row *sheet, const int64_t *skus, size_t count)
{
    const int64_t unit = sheet->unit;
    for (size_t i = 0; i < count; i++) {
        ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(unit), db_int(skus[i])), 0);
        ws_want(ws, &count_class_table, WS_KEY(unit, sheet->node, skus[i]));
    }
    ws_settle(ws);
    for (size_t i = 0; i < count; i++) {
        const struct count_class_row *class = ws_get(ws, &count_class_table, WS_KEY(unit, sheet->node, skus[i]));
        const struct position_row *position = position_find(ws, sheet->node, skus[i], 0);
        struct count_line_row line = { .unit = unit,
                                       .sheet = sheet->id,
                                       .line = (int64_t)i + 1,
                                       .sku = skus[i],
                                       .abc = class == NULL ? ABC_C : class->abc,
                                       .state = LINE_OPEN,
                                       .expected = max_i64(0, position_on_hand(position) - stock_owed(ws, position)),
                                       .counted = NULL_INT,
                                       .delta = NULL_INT };
        ws_insert(ws, &count_line_table, &line);
    }
}

static void open_decide(struct ws *ws, struct command *command)
{
    const struct open_io *in = command->input;
    int64_t *skus = ARENA_ARRAY(ws_arena(ws), int64_t, SHEET_LINES_MAX);
    const struct node_row *node = find_node(ws, command, in->node);
    const size_t count = find_skus(ws, command, skus);
    if (command->faults.count > 0)
        return;
    assert(node != NULL);
    if (count == 0) {
        fault_add(&command->faults, FAULT_STATE_CONFLICT, "", "nothing is due at %s", node->code);
        return;
    }
    const struct count_rule_row rule = count_rule_of(ws, node->id);
    struct count_sheet_row row = { .unit = ws_unit(ws),
                                   .id = ws_next_id(ws),
                                   .node = node->id,
                                   .state = SHEET_OPEN,
                                   .blind = field_came(&open_fields, in, "blind") ? in->blind : rule.blind,
                                   .opened_seq = ws_clock(ws)->event_seq + 1, /* its own event: nothing moves in this command */
                                   .opened_at = ws_now_us(ws),
                                   .closed_at = NULL_INT,
                                   .tolerance_units = rule.tolerance_units,
                                   .tolerance_ppm = rule.tolerance_ppm,
                                   .lines = (int64_t)count,
                                   .version = 1 };
    ws_insert(ws, &count_sheet_table, &row);
    ws_fresh(ws, &line_of_sheet, WS_PREFIX(db_int(row.unit), db_int(row.id)));
    write_lines(ws, &row, skus, count);
    struct sheet sheet;
    (void)sheet_open(ws, row.id, &sheet); /* it was just made */
    const int64_t seq = sheet_tell(&sheet, sheet.lines, sheet.line_count);
    assert(seq == row.opened_seq);
    answer(ws, command, seq, 1, 201);
}

/* ---- counters tell ---- */

struct told_io {
    struct field_presence presence;
    const char *sku;
    int64_t counted, as_of;
    int64_t was_on_hand; /* at as_of; read before it is decided */
};
struct lines_io {
    struct field_presence presence;
    const char *counter;
    struct field_list lines;
};
static const struct field told_rows[] = {
    { "sku", FIELD_CODE, AT(told_io, sku), .required = true, .doc = "one of the sheet, each once" },
    { "counted", FIELD_INT, AT(told_io, counted), .required = true, .min = 0, .max = QUANTITY_MAX, .doc = "units on hand, quarantine among them" },
    { "as_of", FIELD_INT, AT(told_io, as_of), .min = 1, .max = EVENT_SEQ_MAX, .hide_absent = true,
      .doc = "the last event that the counter saw; absent: the sheet's" },
};
static const struct field_table told_fields = { "CountTold", told_rows, COUNT(told_rows), sizeof(struct told_io) };
static const struct field lines_rows[] = {
    { "counter", FIELD_CODE, AT(lines_io, counter), .hide_absent = true, .doc = "who counted, where several use one key: a code, no name" },
    { "lines", FIELD_LIST, AT(lines_io, lines), .required = true, .min = 1, .max = LINES_A_COMMAND, .of = &told_fields },
};
static const struct field_table lines_fields = { "CountLines", lines_rows, COUNT(lines_rows), sizeof(struct lines_io) };

static bool edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    return command_names(command, request, "cnt", "count", faults);
}

static bool lines_edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    const struct lines_io *in = command->input;
    const struct told_io *lines = in->lines.items;
    bool named = edge(at, request, command, faults);
    for (size_t i = 0; i < in->lines.count; i++) {
        command->looks_back = command->looks_back || field_came(&told_fields, &lines[i], "as_of");
        for (size_t k = 0; k < i; k++)
            if (lines[k].sku != NULL && lines[i].sku != NULL && strcmp(lines[k].sku, lines[i].sku) == 0) {
                fault_add(faults, FAULT_INVALID, arena_printf(command->arena, "/lines/%zu/sku", i), "line %zu names it too", k);
                break;
            }
    }
    return named && faults->count == 0;
}

static enum db_result lines_look_back(const struct reading *reading, struct command *command)
{
    const struct lines_io *in = command->input;
    struct lines_io *copy = ARENA_NEW(command->arena, struct lines_io);
    struct told_io *lines = ARENA_ARRAY(command->arena, struct told_io, in->lines.count + 1);
    struct db_rows rows = { 0 };
    const int64_t key[] = { command->unit, command_id(command, "cnt") };
    enum db_result result = db_load(reading->db, reading->arena, &count_sheet_table, key, 1, &rows);
    memcpy(lines, in->lines.items, in->lines.count * sizeof *lines);
    for (size_t i = 0; result == DB_OK && rows.count == 1 && i < in->lines.count; i++) {
        const struct count_sheet_row *sheet = db_row(&rows, 0);
        struct past past = { .unit = sheet->unit, .node_id = sheet->node, .sku = lines[i].sku, .seq = lines[i].as_of };
        if (!field_came(&told_fields, &lines[i], "as_of"))
            continue;
        result = on_hand_at(reading, &past, &command->faults, arena_printf(command->arena, "/lines/%zu/as_of", i));
        lines[i].was_on_hand = past.on_hand;
    }
    *copy = *in;
    copy->lines.items = lines;
    command->input = copy;
    return result;
}

static void prefetch(struct ws *ws, const struct command *command)
{
    const int64_t unit = ws_unit(ws), id = command_id(command, "cnt");
    ws_want(ws, &count_sheet_table, WS_KEY(unit, id));
    ws_want_path(ws, &line_of_sheet, WS_PREFIX(db_int(unit), db_int(id)), 0);
}

/* False with a fault, also where it has ended. */
static bool open_for(struct ws *ws, struct command *command, struct sheet *sheet)
{
    if (!sheet_open(ws, command_id(command, "cnt"), sheet))
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no count %s", command->path[0]);
    else if (!if_match_holds(command->if_match, sheet->row->version) || !if_none_match_holds(command->if_none_match, sheet->row->version))
        fault_add(&command->faults, FAULT_PRECONDITION_FAILED, NULL, "it is at version %ld", (long)sheet->row->version);
    return command->faults.count == 0;
}

/* One attempt at what counters told. */
struct telling {
    struct ws *ws;
    struct command *command;
    const struct lines_io *in;
    const struct told_io *told;
    struct sheet sheet;
    const struct count_line_row **lines; /* of the sheet, one for each told */
    struct freed *freed;
    size_t freed_count;
    int64_t claims; /* that may still give way in this command */
};

static struct count_line_row *line_named(struct telling *t, size_t i)
{
    for (size_t k = 0; k < t->sheet.line_count; k++) {
        const struct sku_row *sku = ws_get(t->ws, &sku_table, WS_KEY(t->sheet.row->unit, t->sheet.lines[k]->sku));
        if (strcmp(sku->code, t->told[i].sku) == 0)
            return ws_edit(t->ws, t->sheet.lines[k]);
    }
    fault_add(&t->command->faults, FAULT_SKU_UNKNOWN, arena_printf(t->command->arena, "/lines/%zu/sku", i), "the sheet has no line of %s",
              t->told[i].sku);
    return NULL;
}

static const struct db_value *line_prefix(struct telling *t, const struct count_line_row *line)
{
    struct db_value *prefix = ARENA_ARRAY(ws_arena(t->ws), struct db_value, 3);
    prefix[0] = db_int(line->unit), prefix[1] = db_int(line->sheet), prefix[2] = db_int(line->line);
    return prefix;
}

/* All that booking a line may ask for, of all lines in one go. */
static void want_lines(struct telling *t, size_t count)
{
    const int64_t unit = ws_unit(t->ws), node = t->sheet.row->node;
    for (size_t i = 0; i < count; i++) {
        ws_want_path(t->ws, &try_of_line, line_prefix(t, t->lines[i]), 0);
        ws_want_path(t->ws, &position_of_sku, WS_PREFIX(db_int(unit), db_int(t->lines[i]->sku)), 0);
        short_picks_want(t->ws, node, t->lines[i]->sku);
        count_want(t->ws, WS_KEY(unit, t->lines[i]->sku, node, 0));
        count_difference_want(t->ws, node, t->lines[i]->sku);
        ws_want(t->ws, &count_accuracy_table, WS_KEY(unit, node, t->lines[i]->abc));
    }
    ws_settle(t->ws);
}

/* Keys tell people apart where they differ, or else the codes of counters, where both named one. */
static bool is_somebody_else(struct telling *t, const struct count_try_row *before)
{
    if (t->in->counter != NULL && before->counter != NULL)
        return strcmp(t->in->counter, before->counter) != 0;
    return before->actor != ws_actor(t->ws) || t->in->counter == NULL;
}

/* What was told of the line before: whether one found the same difference, and how many there were; false: who tells now has counted it. */
static bool compare(struct telling *t, const struct count_line_row *line, int64_t delta, bool *agrees, int64_t *number)
{
    const struct count_try_row *before;
    *agrees = false;
    *number = 0;
    for (struct ws_cursor cursor = ws_scan(t->ws, &try_of_line, line_prefix(t, line), 0); (before = ws_next(t->ws, &cursor)) != NULL;) {
        if (!is_somebody_else(t, before))
            return false;
        *agrees = *agrees || before->delta == delta;
        *number = before->number;
    }
    return true;
}

static void note_accuracy(struct telling *t, const struct count_line_row *line)
{
    const int64_t off = min_i64(line->expected, llabs(line->delta));
    struct count_sheet_row *sheet = ws_edit(t->ws, t->sheet.row);
    const struct count_accuracy_row *row = ws_get(t->ws, &count_accuracy_table, WS_KEY(sheet->unit, sheet->node, line->abc));
    struct count_accuracy_row none = { .unit = sheet->unit, .node = sheet->node, .abc = line->abc };
    struct count_accuracy_row *all = row == NULL ? ws_insert(t->ws, &count_accuracy_table, &none) : ws_edit(t->ws, row);
    sheet->lines_booked++, all->lines++;
    sheet->lines_right += line->within, all->lines_right += line->within;
    sheet->units += line->expected, all->units += line->expected;
    sheet->units_off += off, all->units_off += off;
}

static bool book(struct telling *t, struct count_line_row *line, const struct count *count)
{
    const int64_t unit = line->unit, node = t->sheet.row->node;
    struct count_booked booked;
    const struct count_booking booking = { .node = ws_get(t->ws, &node_table, WS_KEY(unit, node)),
                                           .sku = ws_get(t->ws, &sku_table, WS_KEY(unit, line->sku)),
                                           .as_of = count->as_of,
                                           .was_on_hand = count->was_on_hand,
                                           .counted = count->counted,
                                           .claims = t->claims };
    if (!adjust_book_count(t->ws, &booking, &booked, &t->command->faults))
        return false;
    t->claims = max_i64(0, t->claims - booked.broke);
    line->counted = count->counted;
    line->delta = booked.delta;
    line->adjustment = booked.adjustment;
    line->within = count_within(t->sheet.row, line->expected, booked.delta);
    note_accuracy(t, line);
    if (!line->within)
        count_differs(t->ws, node, line->sku, llabs(booked.delta));
    else if (!booked.superseded)
        (void)count_agrees(t->ws, node, line->sku);
    if (booked.freed.units > 0)
        t->freed[t->freed_count++] = booked.freed;
    return true;
}

/* False: refused. */
static bool tell_line(struct telling *t, size_t i)
{
    const struct told_io *told = &t->told[i];
    struct count_line_row *line = ws_edit(t->ws, t->lines[i]);
    const bool own = field_came(&told_fields, told, "as_of");
    struct count count = { .position = { line->unit, line->sku, t->sheet.row->node, 0 },
                           .as_of = own ? told->as_of : t->sheet.row->opened_seq,
                           .was_on_hand = own ? told->was_on_hand : line->expected,
                           .counted = told->counted };
    const int64_t delta = count_corrects(t->ws, &count);
    bool agrees;
    int64_t number;
    const bool is_else = compare(t, line, delta, &agrees, &number);
    const enum count_line_event event = count_within(t->sheet.row, line->expected, delta) ? LINE_WITHIN : agrees ? LINE_AGREES : LINE_DIFFERS;
    const enum count_line_state next = count_line_next((enum count_line_state)line->state, event);
    if (next == 0 || t->sheet.row->state != SHEET_OPEN)
        fault_add(&t->command->faults, FAULT_STATE_CONFLICT, arena_printf(t->command->arena, "/lines/%zu", i), "%s is %s: it is not counted any more",
                  told->sku, count_line_states[line->state - 1]);
    else if (!is_else)
        fault_add(&t->command->faults, FAULT_STATE_CONFLICT, arena_printf(t->command->arena, "/lines/%zu", i),
                  "%s has been counted by the same counter: a recount is somebody else's", told->sku);
    if (t->command->faults.count > 0)
        return false;
    struct count_try_row row = { .unit = line->unit,
                                 .sheet = line->sheet,
                                 .line = line->line,
                                 .number = number + 1,
                                 .counted = count.counted,
                                 .as_of = count.as_of,
                                 .delta = delta,
                                 .actor = ws_actor(t->ws),
                                 .counter = t->in->counter,
                                 .at = ws_now_us(t->ws) };
    ws_insert(t->ws, &count_try_table, &row);
    line->state = next;
    return next != LINE_BOOKED || book(t, line, &count);
}

static void close_if_done(struct telling *t)
{
    struct count_sheet_row *row = ws_edit(t->ws, t->sheet.row);
    row->version++;
    if (row->lines_booked < row->lines)
        return;
    row->state = SHEET_CLOSED;
    row->closed_at = ws_now_us(t->ws);
}

static void lines_decide(struct ws *ws, struct command *command)
{
    const struct lines_io *in = command->input;
    struct telling t = { .ws = ws, .command = command, .in = in, .told = in->lines.items, .claims = CLAIMS_AT_ONCE };
    if (!open_for(ws, command, &t.sheet))
        return;
    t.lines = ARENA_ARRAY(ws_arena(ws), const struct count_line_row *, in->lines.count + 1);
    t.freed = ARENA_ARRAY(ws_arena(ws), struct freed, in->lines.count + 1);
    for (size_t i = 0; i < in->lines.count; i++)
        t.lines[i] = line_named(&t, i);
    if (command->faults.count > 0)
        return;
    want_lines(&t, in->lines.count);
    for (size_t i = 0; i < in->lines.count; i++)
        if (!tell_line(&t, i))
            return;
    close_if_done(&t);
    const int64_t seq = sheet_tell(&t.sheet, t.lines, in->lines.count);
    short_picks_open(ws, t.freed, t.freed_count);
    stock_followers.supply(ws, t.freed, t.freed_count);
    answer(ws, command, seq, t.sheet.row->version, 200);
}

/* ---- acknowledge, cancel ---- */

struct reason_io {
    struct field_presence presence;
    const char *reason;
};
static const struct field reason_rows[] = {
    { "reason", FIELD_TEXT, AT(reason_io, reason), .required = true, .min = 1, .max = 256 },
};
static const struct field_table reason_fields = { "CountReason", reason_rows, COUNT(reason_rows), sizeof(struct reason_io) };

static void acknowledge_decide(struct ws *ws, struct command *command)
{
    struct sheet sheet;
    if (!open_for(ws, command, &sheet))
        return;
    const struct count_line_row **lines = ARENA_ARRAY(ws_arena(ws), const struct count_line_row *, sheet.line_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < sheet.line_count; i++)
        if (sheet.lines[i]->state == LINE_BOOKED && !sheet.lines[i]->within)
            count_difference_want(ws, sheet.row->node, sheet.lines[i]->sku);
    ws_settle(ws);
    for (size_t i = 0; i < sheet.line_count; i++)
        if (sheet.lines[i]->state == LINE_BOOKED && !sheet.lines[i]->within && count_agrees(ws, sheet.row->node, sheet.lines[i]->sku))
            lines[count++] = sheet.lines[i];
    if (count == 0) {
        fault_add(&command->faults, FAULT_STATE_CONFLICT, NULL, "no difference that it booked waits for anybody");
        return;
    }
    ((struct count_sheet_row *)ws_edit(ws, sheet.row))->version++;
    answer(ws, command, sheet_tell(&sheet, lines, count), sheet.row->version, 200);
}

static void cancel_decide(struct ws *ws, struct command *command)
{
    struct sheet sheet;
    if (!open_for(ws, command, &sheet))
        return;
    if (sheet.row->state != SHEET_OPEN) {
        fault_add(&command->faults, FAULT_STATE_CONFLICT, NULL, "it is %s: cancel is not possible", sheet_states[sheet.row->state - 1]);
        return;
    }
    const struct count_line_row **lines = ARENA_ARRAY(ws_arena(ws), const struct count_line_row *, sheet.line_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < sheet.line_count; i++) {
        const enum count_line_state next = count_line_next((enum count_line_state)sheet.lines[i]->state, LINE_CANCEL);
        if (next == 0)
            continue;
        ((struct count_line_row *)ws_edit(ws, sheet.lines[i]))->state = next;
        lines[count++] = sheet.lines[i];
    }
    struct count_sheet_row *row = ws_edit(ws, sheet.row);
    row->state = SHEET_CANCELLED;
    row->closed_at = ws_now_us(ws);
    row->reason = ((const struct reason_io *)command->input)->reason;
    row->version++;
    answer(ws, command, sheet_tell(&sheet, lines, count), row->version, 200);
}

/* ---- how a node counts ---- */

struct rule_io {
    struct field_presence presence;
    int64_t version, days_a, days_b, days_c, tolerance_units, tolerance_ppm;
    bool blind;
};
static const struct field rule_rows[] = {
    { "version", FIELD_INT, AT(rule_io, version), .read_only = true, .doc = "rises with every change; the ETag; 0: as preset" },
    { "days_a", FIELD_INT, AT(rule_io, days_a), .min = 1, .max = 3650, .preset = 30, .doc = "days between two counts of a SKU of class A" },
    { "days_b", FIELD_INT, AT(rule_io, days_b), .min = 1, .max = 3650, .preset = 90 },
    { "days_c", FIELD_INT, AT(rule_io, days_c), .min = 1, .max = 3650, .preset = 365 },
    { "tolerance_units", FIELD_INT, AT(rule_io, tolerance_units), .min = 0, .max = 1000000,
      .doc = "a difference of so many units, or of tolerance_ppm of what is expected, is booked without a second count" },
    { "tolerance_ppm", FIELD_INT, AT(rule_io, tolerance_ppm), .min = 0, .max = 1000000 },
    { "blind", FIELD_BOOL, AT(rule_io, blind), .preset = 1, .doc = "sheets do not show what is expected" },
};
const struct field_table count_rule_fields = { "CountRule", rule_rows, COUNT(rule_rows), sizeof(struct rule_io) };

const char *count_rule_json(struct arena *arena, const struct count_rule_row *rule, size_t *bytes)
{
    struct rule_io out = { .version = rule->version,
                           .days_a = rule->days_a,
                           .days_b = rule->days_b,
                           .days_c = rule->days_c,
                           .tolerance_units = rule->tolerance_units,
                           .tolerance_ppm = rule->tolerance_ppm,
                           .blind = rule->blind };
    struct json_writer json;
    json_begin(&json, arena);
    fields_write(&json, &count_rule_fields, &out);
    *bytes = json.out.size;
    return json.out.at;
}

static bool rule_edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    memcpy(command->path, request->path, sizeof command->path);
    command->of_node = request->path[0];
    return true;
}

static void rule_decide(struct ws *ws, struct command *command)
{
    const struct rule_io *in = command->input;
    const struct node_row *node = ws_find(ws, &node_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(command->path[0])));
    if (node == NULL || node->owner != ws_unit(ws)) {
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no node %s", command->path[0]);
        return;
    }
    const struct count_rule_row *row = ws_get(ws, &count_rule_table, WS_KEY(ws_unit(ws), node->id));
    const int64_t version = row == NULL ? 0 : row->version;
    if (!if_match_holds(command->if_match, version) || !if_none_match_holds(command->if_none_match, version)) {
        fault_add(&command->faults, FAULT_PRECONDITION_FAILED, NULL, "it is at version %ld", (long)version);
        return;
    }
    struct count_rule_row fresh = { .unit = ws_unit(ws),
                                    .node = node->id,
                                    .days_a = in->days_a,
                                    .days_b = in->days_b,
                                    .days_c = in->days_c,
                                    .tolerance_units = in->tolerance_units,
                                    .tolerance_ppm = in->tolerance_ppm,
                                    .blind = in->blind,
                                    .version = version };
    size_t bytes;
    const bool same = row != NULL && strcmp(count_rule_json(ws_arena(ws), row, &bytes), count_rule_json(ws_arena(ws), &fresh, &bytes)) == 0;
    fresh.version += !same;
    if (row == NULL)
        ws_insert(ws, &count_rule_table, &fresh);
    else if (!same)
        *(struct count_rule_row *)ws_edit(ws, row) = fresh;
    command->existing = same;
    command->answer.status = version == 0 ? 201 : 200;
    command->answer.body = count_rule_json(command->arena, &fresh, &command->answer.body_bytes);
    command->answer.etag = arena_printf(command->arena, "%ld", (long)fresh.version);
    if (same)
        return;
    struct event_row event = event_of(EVENT_COUNT_CHANGED, SUBJECT_NODE, node->id);
    event.node = node->id;
    event.data = arena_text(ws_arena(ws), command->answer.body);
    command->event_seq = ws_event(ws, event);
}

/* ---- commands ---- */

const struct command_type count_open = { .name = "count.open",
                                         .input = &open_fields,
                                         .mode = FIELDS_POST,
                                         .queue = QUEUE_PEOPLE,
                                         .edge = open_edge,
                                         .look_up = open_look_up,
                                         .look_back = open_look_back,
                                         .decide = open_decide,
                                         .again = event_again,
                                         .inverse = "count.cancel" };
const struct command_type count_lines = { .name = "count.lines",
                                          .input = &lines_fields,
                                          .mode = FIELDS_POST,
                                          .queue = QUEUE_PEOPLE,
                                          .edge = lines_edge,
                                          .prefetch = prefetch,
                                          .look_back = lines_look_back,
                                          .decide = lines_decide,
                                          .again = event_again,
                                          .inverse = "none: a fact; what was counted wrongly is counted again" };
const struct command_type count_acknowledge = { .name = "count.acknowledge",
                                                .input = &reason_fields,
                                                .mode = FIELDS_POST,
                                                .queue = QUEUE_PEOPLE,
                                                .edge = edge,
                                                .prefetch = prefetch,
                                                .decide = acknowledge_decide,
                                                .again = event_again,
                                                .inverse = "none: a person knows now" };
const struct command_type count_cancel = { .name = "count.cancel",
                                           .input = &reason_fields,
                                           .mode = FIELDS_POST,
                                           .queue = QUEUE_PEOPLE,
                                           .edge = edge,
                                           .prefetch = prefetch,
                                           .decide = cancel_decide,
                                           .again = event_again,
                                           .inverse = "count.open: the same SKUs" };
const struct command_type count_rule_put = { .name = "count_rule.put",
                                             .input = &count_rule_fields,
                                             .mode = FIELDS_PUT,
                                             .queue = QUEUE_PEOPLE,
                                             .edge = rule_edge,
                                             .decide = rule_decide,
                                             .inverse = "count_rule.put: what it was before" };
