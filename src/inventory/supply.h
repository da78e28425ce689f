/* src/inventory/supply.h: units that are expected: a purchase order, a supplier's advance shipping notice (ASN), own production. Supply is no
 * stock: a receipt makes it so. What is still to come stands in `expected` by date, and those who wait are promised from there. Design:
 * docs/design/supply.md. */
#ifndef MILLRACE_INVENTORY_SUPPLY_H
#define MILLRACE_INVENTORY_SUPPLY_H

#include "inventory/inventory.h"
#include <stdio.h>

#define SUPPLY_LINES_MAX 2000 /* with those that came unannounced */

enum supply_kind { SUPPLY_PURCHASE = 1, SUPPLY_ASN, SUPPLY_PRODUCTION };
extern const char *const supply_kinds[]; /* from the first, ends in NULL */

/* A function of the facts (supply_state_of), never set by hand. */
enum supply_state { SUPPLY_OPEN = 1, SUPPLY_SHORT, SUPPLY_COMPLETE, SUPPLY_CLOSED };
extern const char *const supply_states[]; /* from the first, ends in NULL */

enum supply_event { SUPPLY_CHANGE, SUPPLY_RECEIVE, SUPPLY_CLOSE, SUPPLY_EVENT_COUNT };

/* Units of a line that have not come and that nobody has given up, nor do ASNs announce them. */
static inline int64_t supply_rest(const struct supply_line_row *line)
{
    return max_i64(0, line->quantity - line->announced - line->received - line->given_up);
}

/* What the state follows from. Pure. */
struct supply_facts {
    bool closed, ended;      /* given up; the last delivery has come */
    int64_t rest, announced; /* units, over all lines */
};
enum supply_state supply_state_of(const struct supply_facts *facts);

/* A supply with its lines, changed in place through the working set. */
struct supply {
    struct ws *ws;
    const struct supply_row *row;
    const struct supply_line_row **lines; /* by line */
    int64_t *rest, *received;             /* of each line, as the purchase order knows them */
    size_t line_count, room, rest_room, received_room;
    size_t known_lines; /* that it had when it was opened: those behind them this command has made */
    struct stock stock;
};
/* False: there is none. Loads what its lines will ask for, in one go. */
bool supply_open(struct ws *ws, int64_t id, struct supply *supply);
struct supply_line_row *supply_line_edit(struct supply *supply, size_t i);
struct supply_line_row *supply_line_add(struct supply *supply, struct supply_line_row row); /* numbers it */
/* Whether the event may happen to it as it stands; else STATE_CONFLICT. */
bool supply_may(const struct supply *supply, enum supply_event event, struct faults *faults);

/* Another date for a line. */
void supply_date(struct supply *supply, size_t i, int64_t expected_at);
struct supply_arrival {
    int64_t sku, class;
    enum bucket bucket;
    int64_t quantity, unit_cost; /* NULL_INT: as agreed */
};
/* What came goes into its bucket, in the class that it came in, at its node; whatever it came as, it was what was expected: the lines of the earliest
 * date first; what is more than was expected, or was not, too. */
void supply_take_in(struct supply *supply, const struct supply_arrival *arrivals, size_t count, const char *document);
void supply_give_up(struct supply *supply, const char *reason);
/* After each change, once: what is still to come, the state, what the purchase order of an ASN knows of it, work for people; tells the supply as
 * it stands (supply.changed), and whoever waits for what came gets it. Returns the event's seq. */
int64_t supply_end(struct supply *supply);

/* As the API shows it. Pure but for the loads of names. */
extern const struct field_table supply_fields;
void supply_write(const struct supply *supply, struct json_writer *json);

/* The machine in markdown: docs/machines.md is made of it. */
void supply_machine_print(FILE *out);

/* supply.announce  NODE_UNKNOWN, SKU_UNKNOWN, HOLDS_NO_STOCK, CURRENCY_MISMATCH, INVALID (of a purchase order that is none, or has no such line), all
 * at once. A kind, supplier and reference that are known: 200 with the supply that has them. supply.change, .receive, .close  NOT_FOUND,
 * PRECONDITION_FAILED, STATE_CONFLICT where the machine does not list it; .change INVALID (no such line, or named twice); .receive SKU_UNKNOWN,
 * CLASS_UNKNOWN, HOLDS_NO_STOCK, CURRENCY_MISMATCH, BATCH_TOO_LARGE (it would have more than SUPPLY_LINES_MAX lines), and STOCK_CONFLICT where more
 * would come than a position may hold. */
extern const struct command_type supply_announce, supply_change, supply_receive, supply_close;
/* The scheduler's: whose date has passed is late (exception supply_late). */
extern const struct command_type supply_overdue;

#endif
