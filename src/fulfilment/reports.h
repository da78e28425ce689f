/* src/fulfilment/reports.h: what the commands about one fulfilment order share. */
#ifndef MILLRACE_FULFILMENT_REPORTS_H
#define MILLRACE_FULFILMENT_REPORTS_H

#include "fulfilment/fulfilment.h"

bool report_edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults);
void report_prefetch(struct ws *ws, const struct command *command);
/* Opens the fulfilment order of the path; false: a fault was added (404, or 412 by If-Match). */
bool report_open(struct ws *ws, struct command *command, struct fulfilment *fulfilment);
/* Moves it, lets the order follow, and answers; or a fault was added. */
void report_move(struct fulfilment *fulfilment, struct command *command, enum fulfilment_event event);
/* The same of an event by which units leave the node's work, as `picked` says of each line: they wait again, or are cancelled where the
 * node was asked for them, and whatever stands elsewhere takes their place. type, why: of the exception for what waits then. */
void report_lets_go(struct fulfilment *fulfilment, struct command *command, enum fulfilment_event event, enum exception_type type, const char *why);
void report_answer(struct fulfilment *fulfilment, struct command *command);
void report_again(struct ws *ws, struct command *command, int64_t seq);

void fulfilments_want(struct ws *ws, const int64_t *ids, size_t count); /* rows that are known, with lines and orders: in one go */

/* Units of a line, as a report names them. */
struct report_line_io {
    struct field_presence presence;
    int64_t line;
    const char *sku;
    int64_t quantity;
};
/* Which of its lines the entry `entry` of the member `list` means; line_count with a fault. */
size_t report_line(const struct fulfilment *fulfilment, const char *list, const struct report_line_io *said, size_t entry, struct faults *faults);
const char *report_pointer(struct faults *faults, const char *list, size_t entry, const char *member);

#define REPORT_LINE_ROWS(QUANTITY_MIN, QUANTITY_DOC)                                                                                  \
    { "line",                                                                                                                         \
      FIELD_INT,                                                                                                                      \
      offsetof(struct report_line_io, line),                                                                                          \
      .required = true,                                                                                                               \
      .min = 1,                                                                                                                       \
      .max = ORDER_LINES_MAX,                                                                                                         \
      .doc = "as the fulfilment order shows it" },                                                                                    \
        { "sku", FIELD_CODE, offsetof(struct report_line_io, sku), .doc = "where the line is a bundle: the component" },              \
    {                                                                                                                                 \
        "quantity", FIELD_INT, offsetof(struct report_line_io, quantity), .required = true, .min = QUANTITY_MIN, .max = QUANTITY_MAX, \
                                                                          .doc = QUANTITY_DOC                                         \
    }

#define REPORT_COMMAND(NAME, TEXT, INPUT, DECIDE, INVERSE) \
    const struct command_type NAME = {                     \
        .name = TEXT,                                      \
        .input = INPUT,                                    \
        .mode = FIELDS_POST,                               \
        .queue = QUEUE_PEOPLE,                             \
        .edge = report_edge,                               \
        .prefetch = report_prefetch,                       \
        .decide = DECIDE,                                  \
        .again = report_again,                             \
        .inverse = INVERSE,                                \
    }

#endif
