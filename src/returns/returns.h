/* src/returns/returns.h: goods that customers send back: expected from an order's line, received into quarantine as they come, inspected unit by
 * unit. Stock and its value only: what the customer gets for it comes later. Design: docs/design/returns.md. */
#ifndef MILLRACE_RETURNS_RETURNS_H
#define MILLRACE_RETURNS_RETURNS_H

#include "inventory/inventory.h"
#include <stdio.h>

enum return_state { RETURN_EXPECTED = 1, RETURN_RECEIVED, RETURN_INSPECTED, RETURN_CANCELLED };
extern const char *const return_states[]; /* from the first, ends in NULL */

enum return_event { RETURN_RECEIVE, RETURN_INSPECT, RETURN_CANCEL, RETURN_EVENT_COUNT };

/* A return with its lines, changed in place through the working set. */
struct goods_return {
    struct ws *ws;
    const struct goods_return_row *row;
    const struct return_line_row **lines; /* by line */
    size_t line_count, room;
    /* What came with the event. */
    const struct return_part *parts;
    size_t part_count;
    const char *document;
};
/* Units of a line that came, or that were inspected into a disposition. */
struct return_part {
    int64_t line; /* 0: of no line as yet: a SKU that nobody expected */
    int64_t sku, quantity;
    int64_t disposition, class; /* of an inspection: enum disposition; class: what they become by restock_as */
    const char *pointer;        /* into the body */
};

/* False: there is none. */
bool return_open(struct ws *ws, int64_t id, struct goods_return *back);
/* Carries the event out and tells it: STATE_CONFLICT where the machine does not list it, STOCK_CONFLICT where more is inspected than came or stands
 * in quarantine, or more would come than a position may hold. Returns the event's seq, 0: refused, nothing was changed. */
int64_t return_move(struct goods_return *back, enum return_event event, struct faults *faults);
int64_t return_tell(struct goods_return *back); /* as it stands; returns the seq */

extern const struct field_table return_fields;
void return_write(const struct goods_return *back, struct json_writer *json);
void return_machine_print(FILE *out); /* in markdown: docs/machines.md is made of it */

/* return.announce    INVALID (no such order, a line and SKU named twice), LINE_UNKNOWN, SKU_UNKNOWN, NODE_UNKNOWN, all at once; then STATE_CONFLICT
 * where less was shipped than would come back. return.receive, .inspect, .cancel    NOT_FOUND, PRECONDITION_FAILED, LINE_UNKNOWN, SKU_UNKNOWN,
 * HOLDS_NO_STOCK, CLASS_UNKNOWN, INVALID; then what return_move refuses. */
extern const struct command_type return_announce, return_receive, return_inspect, return_cancel;
extern const struct route_table return_routes;

#endif
