/* src/inventory/count_sheets.h: the cycle-count programme. A sheet names SKUs to be counted at a node; each line is counted once where it is as
 * expected within the node's tolerance, else again by somebody else, and a third time where the two differ. Only then stock is corrected. Design:
 * docs/design/inventory.md. */
#ifndef MILLRACE_INVENTORY_COUNT_SHEETS_H
#define MILLRACE_INVENTORY_COUNT_SHEETS_H

#include "inventory/inventory.h"
#include <stdio.h>

#define SHEET_LINES_MAX 500
#define LINES_A_COMMAND 100

enum sheet_state { SHEET_OPEN = 1, SHEET_CLOSED, SHEET_CANCELLED };
extern const char *const sheet_states[]; /* from the first, ends in NULL */
enum count_line_state { LINE_OPEN = 1, LINE_RECOUNT, LINE_THIRD, LINE_BOOKED, LINE_CANCELLED };
extern const char *const count_line_states[]; /* the same */
enum count_line_event { LINE_WITHIN, LINE_AGREES, LINE_DIFFERS, LINE_CANCEL, LINE_EVENT_COUNT };
enum abc { ABC_A = 1, ABC_B, ABC_C };
extern const char *const abc_names[]; /* from A, ends in NULL */

/* Where an event leads; 0: the machine does not list it. */
enum count_line_state count_line_next(enum count_line_state from, enum count_line_event event);
/* Both machines in markdown: docs/machines.md is made of it. */
void count_machines_print(FILE *out);

/* How a node counts; what is preset where nobody has said. */
struct count_rule_row count_rule_of(struct ws *ws, int64_t node);
struct count_rule_row count_rule_preset(int64_t unit, int64_t node);
const char *count_rule_json(struct arena *arena, const struct count_rule_row *rule, size_t *bytes);
int64_t count_days(const struct count_rule_row *rule, int64_t abc); /* between two counts */
/* Whether a difference is booked without a second look. */
bool count_within(const struct count_sheet_row *sheet, int64_t expected, int64_t delta);

/* A sheet with its lines, changed in place through the working set. */
struct sheet {
    struct ws *ws;
    const struct count_sheet_row *row;
    const struct count_line_row **lines; /* by line */
    size_t line_count, room;
};
bool sheet_open(struct ws *ws, int64_t id, struct sheet *sheet); /* false: there is none */
/* Tells the sheet with these of its lines, and why; who asks again gets that text. Returns the seq. */
int64_t sheet_tell(struct sheet *sheet, const struct count_line_row **lines, size_t count);
void sheet_write(const struct sheet *sheet, const struct count_line_row **lines, size_t count, struct json_writer *json);
/* What a blind sheet does not show stays hidden until the line is booked. */
extern const struct field_table sheet_fields;

/* ---- what the API asks ---- */

/* count.open     NODE_UNKNOWN, SKU_UNKNOWN, HOLDS_NO_STOCK, INVALID (named twice), all at once; STATE_CONFLICT where nothing is due.
 * count.lines    NOT_FOUND, SKU_UNKNOWN (not on the sheet), OUT_OF_RANGE and TOO_LONG_AGO of an as_of; STATE_CONFLICT (what is booked, a sheet that
 * has ended, a recount by who counted before), STOCK_CONFLICT. count.acknowledge, count.cancel   NOT_FOUND, STATE_CONFLICT. count_rule.put NOT_FOUND,
 * PRECONDITION_FAILED. */
extern const struct command_type count_open, count_lines, count_acknowledge, count_cancel, count_rule_put;
extern const struct field_table count_rule_fields, accuracy_fields, due_fields;

void get_count(struct reading *reading, const struct request *request, struct answer *answer);
void list_counts(struct reading *reading, const struct request *request, struct answer *answer);
void list_due(struct reading *reading, const struct request *request, struct answer *answer);
void list_accuracy(struct reading *reading, const struct request *request, struct answer *answer);
void get_count_rule(struct reading *reading, const struct request *request, struct answer *answer);

/* SKUs that are due at a node, of one class or of all (0), the longest overdue first of the first 10,000 positions, at most *count. */
struct due {
    int64_t sku, abc;
    int64_t last_at; /* 0: never counted */
    int64_t due_at;  /* 0: at once */
};
enum db_result due_find(const struct reading *reading, int64_t unit, int64_t node, int64_t abc, int64_t now_us, struct due *due, size_t *count);

extern const struct route_table count_routes;

#endif
