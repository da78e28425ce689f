/* src/fulfilment/fulfilment.h: the part of an order that one node will ship: sent, accepted, picked, packed, shipped, delivered; or
 * declined, failed, given back. It comes into being at release (orders), and moves by one table. Design: docs/design/fulfilment.md. */
#ifndef MILLRACE_FULFILMENT_FULFILMENT_H
#define MILLRACE_FULFILMENT_FULFILMENT_H

#include "orders/losses.h"
#include "orders/orders.h"
#include <stdio.h>

struct pack_line_io {
    struct field_presence presence;
    int64_t weight_g;
};
struct pack_io {
    struct field_presence presence;
    struct field_list packages; /* of pack_line_io */
};
struct ship_io {
    struct field_presence presence;
    const char *carrier, *tracking;
    struct field_list lines, packages; /* what leaves, where it is not all */
};

/* A fulfilment order with its order, edited in place through the working set. */
struct fulfilment {
    struct ws *ws;
    const struct fulfilment_row *row;
    const struct fulfilment_line_row **lines; /* by line, part */
    size_t line_count;
    struct order order;
    enum fulfilment_event event; /* that moves it */
    /* What came with the event. */
    struct picked *picked; /* of each line, for an event by which units leave the node's work */
    const struct pack_io *pack;
    const struct ship_io *ship;
    const int64_t *units; /* of each line: lost or damaged, or decided on */
    enum loss_kind loss;
    enum loss_end end;
    const char *reason, *answer; /* why; what a node says to a cancel: "agreed", "refused". NULL: it does not say */
    /* Where units became available. */
    const struct freed *freed;
    size_t freed_count;
    /* What the event bears: NULL_INT where nothing left. amount: goods at the order's prices; tax: on or in it; shipping: once an order. */
    int64_t quantity, amount, tax, shipping;
};
struct picked {
    int64_t quantity;
    const char *pointer; /* into the body; NULL: not named, so picked in full */
    int64_t missing;     /* due and not found */
    int64_t useless;     /* not missing, and goes back: it is of a bundle that must stay together and is not whole, or the node will not ship it */
    int64_t cancelled;   /* by the effect: of both, what was to be cancelled anyway */
};

/* Units of a line that are still wanted from this node. */
static inline int64_t fulfilment_due(const struct fulfilment_line_row *line)
{
    return line->quantity - line->cancelled;
}

/* Which of its order's demands a line was made of. */
size_t demand_of(const struct order *order, const struct fulfilment_line_row *line);

/* The machine: what stands here may happen, all else is refused (409 state_conflict). Docs are made from it. */
struct transition {
    enum fulfilment_state from;
    enum fulfilment_event event;
    const char *guard_name;                                                    /* NULL: none */
    bool (*guard)(const struct fulfilment *fulfilment, struct faults *faults); /* refuses by a fault, changes nothing */
    enum fulfilment_state to;
    const char *effect_name;                       /* NULL: none */
    void (*effect)(struct fulfilment *fulfilment); /* may not fail */
};
extern const struct transition fulfilment_machine[];
extern const size_t fulfilment_machine_count;

const char *fulfilment_event_name(enum fulfilment_event event); /* "pick" */

/* The table in markdown: docs/machines.md is made of it. */
void fulfilment_machine_print(FILE *out);

/* By id, with lines and order; false: there is none in this unit. */
bool fulfilment_open(struct ws *ws, int64_t id, struct fulfilment *fulfilment);

/* Whether the machine lists it; else a fault. A guard may still refuse. */
bool fulfilment_may(const struct fulfilment *fulfilment, enum fulfilment_event event, struct faults *faults);

/* A node's report moves a fulfilment order: guard, state, effect, event. Returns the event's seq, or 0 with a fault
 * and nothing changed. The order is the caller's to advance. */
int64_t fulfilment_move(struct fulfilment *fulfilment, enum fulfilment_event event, struct faults *faults);

/* Writes it as JSON: as it stands, or as it was at one of its events (as_of not NULL). */
void fulfilment_write(struct ws *ws, const struct fulfilment_row *row, const struct event_row *as_of, struct json_writer *json);

extern const struct field_table fulfilment_out_fields;
extern const struct command_type fulfilment_pick, fulfilment_pack, fulfilment_ship, fulfilment_deliver;
extern const struct command_type fulfilment_send, fulfilment_accept, fulfilment_decline, fulfilment_fail, fulfilment_cancel, fulfilment_reject_cancel;
extern const struct command_type fulfilment_lost, fulfilment_damaged, fulfilment_settle;
extern const struct route_table fulfilment_routes;

#endif
