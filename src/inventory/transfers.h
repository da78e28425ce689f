/* src/inventory/transfers.h: goods that go from one node of a unit to another: requested, shipped, received. Its units are claims until they
 * leave; then they are in transit, and come to the other node in as many as it says. Design: docs/design/inventory.md. */
#ifndef MILLRACE_INVENTORY_TRANSFERS_H
#define MILLRACE_INVENTORY_TRANSFERS_H

#include "inventory/inventory.h"
#include <stdio.h>

enum transfer_state { TRANSFER_REQUESTED = 1, TRANSFER_SHIPPED, TRANSFER_RECEIVED, TRANSFER_CANCELLED };
extern const char *const transfer_states[]; /* from the first, ends in NULL */

enum transfer_event { TRANSFER_SHIP, TRANSFER_RECEIVE, TRANSFER_SETTLE, TRANSFER_CANCEL, TRANSFER_EVENT_COUNT };

/* A transfer with its lines, changed in place through the working set. */
struct transfer {
    struct ws *ws;
    const struct transfer_row *row;
    const struct transfer_line_row **lines; /* by line */
    size_t line_count, room;
    /* What came with the event. */
    const struct arrival *arrivals; /* for TRANSFER_RECEIVE: each SKU once */
    size_t arrival_count;
    const char *settled; /* for TRANSFER_SETTLE: why */
};
struct arrival {
    int64_t sku, quantity;
    const char *pointer; /* into the body */
};

/* False: there is none. Loads what its claims and lines will ask for, in one go. */
bool transfer_open(struct ws *ws, int64_t id, struct transfer *transfer);
/* Claims the units of a row and lines that were just made, line by line, at the first node; they must be available. */
void transfer_claim(struct transfer *transfer);
/* Carries the event out and tells it. STATE_CONFLICT where the machine does not list it, or its guard says no; STOCK_CONFLICT where more
 * would come than a position may hold. Returns the event's seq, 0: refused, nothing was changed. */
int64_t transfer_move(struct transfer *transfer, enum transfer_event event, struct faults *faults);
/* Tells the transfer as it stands; who asks again for what made it so gets that text. Returns the seq. */
int64_t transfer_tell(struct transfer *transfer);
/* Units of a line that left and did not come. */
static inline int64_t transfer_missing(const struct transfer_line_row *line)
{
    return max_i64(0, line->shipped - line->received);
}
/* A fact took units that it claims: its version changes. */
void transfer_lost_claim(struct ws *ws, int64_t id);

/* As the API shows it. Pure but for the loads of names. */
extern const struct field_table transfer_fields;
void transfer_write(const struct transfer *transfer, struct json_writer *json);

/* The machine in markdown: docs/machines.md is made of it. */
void transfer_machine_print(FILE *out);

/* transfer.create    POST: NODE_UNKNOWN (of the unit of the first), SKU_UNKNOWN, HOLDS_NO_STOCK, INVALID (one node for both ends, a SKU named twice),
 * all at once; then SHORTAGE for the first line of which less is available: it is a choice, no claim gives way. transfer.ship, .receive, .settle,
 * .cancel    NOT_FOUND, PRECONDITION_FAILED, what transfer_move refuses; .receive SKU_UNKNOWN and HOLDS_NO_STOCK besides. */
extern const struct command_type transfer_create, transfer_ship, transfer_receive, transfer_settle, transfer_cancel;

#endif
