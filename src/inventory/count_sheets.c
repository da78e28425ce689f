/* src/inventory/count_sheets.c: how a sheet and its lines move, and what is shown of them.
 * A first count within tolerance is booked. One that differs asks for another pair of eyes: is the second right by the books, or does it find the
 * same difference, it is booked; else a third decides. Two counts are compared by what stock would be wrong by, not by what was there: units move
 * while people count. Invariants (millrace check): a closed sheet has booked lines only, an open one has one that is not; the figures of a sheet, and
 * of a node and class, are sums over booked lines. */
#include "inventory/count_sheets.h"
#include "base/id.h"
#include <stdlib.h>

const char *const sheet_states[] = { "open", "closed", "cancelled", NULL };
const char *const count_line_states[] = { "open", "recount", "third", "booked", "cancelled", NULL };
const char *const abc_names[] = { "A", "B", "C", NULL };

/* ---- the machines ---- */

static const struct {
    enum count_line_state from;
    enum count_line_event event;
    enum count_line_state to;
    const char *effect;
} line_machine[] = {
    { LINE_OPEN, LINE_WITHIN, LINE_BOOKED, "stock is corrected" },
    { LINE_OPEN, LINE_DIFFERS, LINE_RECOUNT, "somebody else is to count" },
    { LINE_RECOUNT, LINE_WITHIN, LINE_BOOKED, "stock is corrected by the second count" },
    { LINE_RECOUNT, LINE_AGREES, LINE_BOOKED, "stock is corrected, exception `count_difference`" },
    { LINE_RECOUNT, LINE_DIFFERS, LINE_THIRD, "a third count decides" },
    { LINE_THIRD, LINE_WITHIN, LINE_BOOKED, "stock is corrected by the third count" },
    { LINE_THIRD, LINE_AGREES, LINE_BOOKED, "stock is corrected, exception `count_difference`" },
    { LINE_THIRD, LINE_DIFFERS, LINE_BOOKED, "stock is corrected, exception `count_difference`" },
    { LINE_OPEN, LINE_CANCEL, LINE_CANCELLED, "nothing is booked" },
    { LINE_RECOUNT, LINE_CANCEL, LINE_CANCELLED, "nothing is booked" },
    { LINE_THIRD, LINE_CANCEL, LINE_CANCELLED, "nothing is booked" },
};
static const char *const line_events[LINE_EVENT_COUNT] = { "within tolerance", "as a count before", "differs", "cancel" };

enum count_line_state count_line_next(enum count_line_state from, enum count_line_event event)
{
    for (size_t i = 0; i < COUNT(line_machine); i++)
        if (line_machine[i].from == from && line_machine[i].event == event)
            return line_machine[i].to;
    return 0;
}

void count_machines_print(FILE *out)
{
    fputs("| line from | event | to | effect |\n| --- | --- | --- | --- |\n", out);
    for (size_t i = 0; i < COUNT(line_machine); i++)
        fprintf(out, "| %s | %s | %s | %s |\n", count_line_states[line_machine[i].from - 1], line_events[line_machine[i].event],
                count_line_states[line_machine[i].to - 1], line_machine[i].effect);
    fputs("\n| sheet from | event | to |\n| --- | --- | --- |\n"
          "| open | the last line is booked | closed |\n| open | cancel | cancelled |\n",
          out);
}

/* ---- rules of a node ---- */

struct count_rule_row count_rule_preset(int64_t unit, int64_t node)
{
    return (struct count_rule_row){ .unit = unit, .node = node, .days_a = 30, .days_b = 90, .days_c = 365, .blind = true };
}

struct count_rule_row count_rule_of(struct ws *ws, int64_t node)
{
    const struct count_rule_row *row = ws_get(ws, &count_rule_table, WS_KEY(ws_unit(ws), node));
    return row != NULL ? *row : count_rule_preset(ws_unit(ws), node);
}

int64_t count_days(const struct count_rule_row *rule, int64_t abc)
{
    return abc == ABC_A ? rule->days_a : abc == ABC_B ? rule->days_b : rule->days_c;
}

bool count_within(const struct count_sheet_row *sheet, int64_t expected, int64_t delta)
{
    return llabs(delta) <= max_i64(sheet->tolerance_units, expected * sheet->tolerance_ppm / 1000000);
}

/* ---- rows ---- */

bool sheet_open(struct ws *ws, int64_t id, struct sheet *sheet)
{
    const int64_t unit = ws_unit(ws);
    const struct count_line_row *line;
    ws_want_path(ws, &line_of_sheet, WS_PREFIX(db_int(unit), db_int(id)), 0);
    *sheet = (struct sheet){ .ws = ws, .row = ws_get(ws, &count_sheet_table, WS_KEY(unit, id)) };
    if (sheet->row == NULL)
        return false;
    ws_want(ws, &node_table, WS_KEY(unit, sheet->row->node));
    for (struct ws_cursor cursor = ws_scan(ws, &line_of_sheet, WS_PREFIX(db_int(unit), db_int(id)), 0); (line = ws_next(ws, &cursor)) != NULL;) {
        sheet->lines = arena_room(ws_arena(ws), sheet->lines, sheet->line_count, &sheet->room, 64, sizeof *sheet->lines);
        sheet->lines[sheet->line_count++] = line;
        ws_want(ws, &sku_table, WS_KEY(unit, line->sku));
    }
    ws_settle(ws);
    return true;
}

/* ---- as the API shows it ---- */

#define AT(type, member) offsetof(struct type, member)

struct line_io {
    struct field_presence presence;
    const char *sku, *adjustment;
    int64_t class, state, expected, counted, difference;
};
static const struct field line_rows[] = {
    { "sku", FIELD_CODE, AT(line_io, sku), .required = true, .read_only = true },
    { "class", FIELD_ENUM, AT(line_io, class), .required = true, .read_only = true, .names = abc_names, .doc = "by the value that leaves the node" },
    { "state", FIELD_ENUM, AT(line_io, state), .required = true, .read_only = true, .names = count_line_states,
      .doc = "recount: somebody else is to count; third: those two differ" },
    { "expected", FIELD_INT, AT(line_io, expected), .read_only = true, .hide_absent = true,
      .doc = "on hand when the sheet was opened; of a blind sheet once it is booked" },
    { "counted", FIELD_INT, AT(line_io, counted), .read_only = true, .hide_absent = true, .doc = "what was booked, there and then" },
    { "difference", FIELD_INT, AT(line_io, difference), .read_only = true, .hide_absent = true, .doc = "by which stock was corrected" },
    { "adjustment", FIELD_TEXT, AT(line_io, adjustment), .read_only = true, .hide_absent = true },
};
static const struct field_table line_fields = { "CountLine", line_rows, COUNT(line_rows), sizeof(struct line_io) };

struct sheet_io {
    struct field_presence presence;
    const char *id, *node, *reason;
    int64_t state, version, as_of, opened_at, closed_at, lines_total, lines_booked, lines_right, units, units_right;
    bool blind;
    struct field_list lines;
};
static const struct field rows[] = {
    { "id", FIELD_TEXT, AT(sheet_io, id), .required = true, .read_only = true },
    { "node", FIELD_CODE, AT(sheet_io, node), .required = true, .read_only = true },
    { "state", FIELD_ENUM, AT(sheet_io, state), .required = true, .read_only = true, .names = sheet_states },
    { "version", FIELD_INT, AT(sheet_io, version), .required = true, .read_only = true, .doc = "its ETag" },
    { "blind", FIELD_BOOL, AT(sheet_io, blind), .required = true, .read_only = true, .doc = "what is expected is not shown to who counts" },
    { "as_of", FIELD_INT, AT(sheet_io, as_of), .required = true, .read_only = true, .doc = "the event that it shows stock of: counts are as of it" },
    { "opened_at", FIELD_TIME, AT(sheet_io, opened_at), .required = true, .read_only = true },
    { "closed_at", FIELD_TIME, AT(sheet_io, closed_at), .read_only = true, .hide_absent = true },
    { "reason", FIELD_TEXT, AT(sheet_io, reason), .read_only = true, .hide_absent = true, .doc = "why it was cancelled" },
    { "lines_total", FIELD_INT, AT(sheet_io, lines_total), .required = true, .read_only = true },
    { "lines_booked", FIELD_INT, AT(sheet_io, lines_booked), .required = true, .read_only = true },
    { "lines_right", FIELD_INT, AT(sheet_io, lines_right), .required = true, .read_only = true, .doc = "of those booked: within tolerance" },
    { "units", FIELD_INT, AT(sheet_io, units), .required = true, .read_only = true, .doc = "of lines booked: as expected when it was opened" },
    { "units_right", FIELD_INT, AT(sheet_io, units_right), .required = true, .read_only = true, .doc = "of those: without what was wrong" },
    { "lines", FIELD_LIST, AT(sheet_io, lines), .required = true, .read_only = true, .of = &line_fields,
      .doc = "all where it was opened or is read, else those that the call was about" },
};
const struct field_table sheet_fields = { "Count", rows, COUNT(rows), sizeof(struct sheet_io) };

static void fill_line(const struct sheet *sheet, const struct count_line_row *line, struct line_io *out)
{
    struct arena *arena = ws_arena(sheet->ws);
    const struct sku_row *sku = ws_get(sheet->ws, &sku_table, WS_KEY(line->unit, line->sku));
    *out = (struct line_io){ .sku = sku->code, .class = line->abc - 1, .state = line->state - 1, .expected = line->expected };
    if (!sheet->row->blind || line->state == LINE_BOOKED)
        field_set(&line_fields, out, "expected");
    if (line->state != LINE_BOOKED)
        return;
    out->counted = line->counted;
    out->difference = line->delta;
    out->adjustment = id_text(arena, "adj", line->unit, line->adjustment);
    field_set(&line_fields, out, "counted");
    field_set(&line_fields, out, "difference");
    field_set(&line_fields, out, "adjustment");
}

void sheet_write(const struct sheet *sheet, const struct count_line_row **lines, size_t count, struct json_writer *json)
{
    const struct count_sheet_row *row = sheet->row;
    struct line_io *shown = ARENA_ARRAY(ws_arena(sheet->ws), struct line_io, count + 1);
    for (size_t i = 0; i < count; i++)
        fill_line(sheet, lines[i], &shown[i]);
    struct sheet_io out = { .id = id_text(ws_arena(sheet->ws), "cnt", row->unit, row->id),
                            .node = ((const struct node_row *)ws_get(sheet->ws, &node_table, WS_KEY(row->unit, row->node)))->code,
                            .reason = row->reason,
                            .state = row->state - 1,
                            .version = row->version,
                            .blind = row->blind,
                            .as_of = row->opened_seq,
                            .opened_at = row->opened_at,
                            .closed_at = row->closed_at,
                            .lines_total = row->lines,
                            .lines_booked = row->lines_booked,
                            .lines_right = row->lines_right,
                            .units = row->units,
                            .units_right = max_i64(0, row->units - row->units_off),
                            .lines = { shown, count } };
    if (row->closed_at != NULL_INT)
        field_set(&sheet_fields, &out, "closed_at");
    if (row->reason != NULL)
        field_set(&sheet_fields, &out, "reason");
    fields_write(json, &sheet_fields, &out);
}

int64_t sheet_tell(struct sheet *sheet, const struct count_line_row **lines, size_t count)
{
    struct event_row event = event_of(EVENT_COUNT_CHANGED, SUBJECT_COUNT, sheet->row->id);
    struct json_writer json;
    json_begin(&json, ws_arena(sheet->ws));
    sheet_write(sheet, lines, count, &json);
    event.node = sheet->row->node;
    event.data = json.out.at;
    return ws_event(sheet->ws, event);
}
