/* src/orders/orders.h: an order from capture to delivery, whatever its channel. Facts drive it: what is claimed, paid,
 * held, shipped; the stage follows from them by one function. Design: docs/design/orders.md. */
#ifndef MILLRACE_ORDERS_ORDERS_H
#define MILLRACE_ORDERS_ORDERS_H

#include "catalog/catalog.h"
#include "engine/exceptions.h"
#include "inventory/inventory.h"
#include <stdio.h>

enum stage { STAGE_CAPTURED, STAGE_RESERVED, STAGE_RELEASED, STAGE_SHIPPED, STAGE_DELIVERED, STAGE_SETTLED, STAGE_CANCELLED, STAGE_COUNT };
extern const char *const stage_names[];
enum payment_term { TERM_PREPAID, TERM_AUTHORISED, TERM_ON_ACCOUNT, TERM_COLLECTED, TERM_NONE };
extern const char *const term_names[];
enum payment_kind { PAYMENT_AUTHORISED, PAYMENT_CAPTURED, PAYMENT_FAILED, PAYMENT_VOIDED, PAYMENT_REFUNDED };
extern const char *const payment_names[];
enum fulfilment_state {
    FULFILMENT_OPEN,
    FULFILMENT_RELEASED,
    FULFILMENT_SENT,
    FULFILMENT_ACCEPTED,
    FULFILMENT_DECLINED,
    FULFILMENT_PICKING,
    FULFILMENT_PACKED,
    FULFILMENT_SHIPPED,
    FULFILMENT_DELIVERED,
    FULFILMENT_CANCEL_REQUESTED,
    FULFILMENT_CANCELLED,
    FULFILMENT_FAILED,
    FULFILMENT_AS_BEFORE /* in the machine only: the state in which it was when its node was asked */
};
extern const char *const fulfilment_names[];

/* What can happen to a fulfilment order, and the one function that sets its state: defined by src/fulfilment/machine.c,
 * which orders does not know. reduce: less is due of it than before; miss: nothing was found of it that could be sent; ask: its node is to say
 * whether it gives back; agree, agree_whole: it does, and something or nothing is left; go_on: it does not, or need not;
 * assume: nobody said that it was delivered, and its time has passed; settle, write_off: it is decided what becomes of lost units, and something or
 * nothing is left of it. */
enum fulfilment_event {
    DO_RELEASE,
    DO_SEND,
    DO_ACCEPT,
    DO_DECLINE,
    DO_PICK,
    DO_MISS,
    DO_PACK,
    DO_SHIP,
    DO_DELIVER,
    DO_FAIL,
    DO_REDUCE,
    DO_CANCEL,
    DO_ASK,
    DO_AGREE,
    DO_AGREE_WHOLE,
    DO_GO_ON,
    DO_ASSUME,
    DO_LOSE,
    DO_SETTLE,
    DO_WRITE_OFF,
    FULFILMENT_EVENT_COUNT
};
/* NULL: the machine does not list it. Pure. */
const struct transition *fulfilment_transition(enum fulfilment_state from, enum fulfilment_event event);
/* Sets state and version by the machine, which must list the pair; guard, effect and event are the caller's. */
const struct fulfilment_row *fulfilment_step(struct ws *ws, const struct fulfilment_row *row, enum fulfilment_event event);

/* An order with what hangs on it, edited in place through the working set. */
struct order {
    struct ws *ws;
    const struct orders_row *row;
    const struct order_line_row **lines;
    size_t line_count;
    const struct demand_row **demands; /* by line, part */
    size_t demand_count;
    int64_t last_seq;              /* of the last event about it in this command */
    const struct line_date *dates; /* of lines that wait, by line (orders/dates.h), for a read that shows them; NULL: it does not */
    size_t date_count;
};
void order_want(struct ws *ws, int64_t id); /* a hint, before several are opened */
/* By id; false: there is none in this unit. */
bool order_open(struct ws *ws, int64_t id, struct order *order);
struct orders_row *order_edit(struct order *order);
struct demand_row *demand_edit(struct order *order, size_t i);
struct holder demand_holder(const struct order *order, const struct demand_row *demand);

/* A line's units, whole bundles for a bundle: cumulative minima over its components, which always add up to quantity. */
struct figures {
    int64_t shipped, allocated, reserved, cancelled, backordered, oversold;
};
struct figures line_figures(const struct order_line_row *line, const struct demand_row *const *demands, size_t count);

/* What so many pieces of a line cost, in minor units. Discount and tax were said for the whole line and are shared by piece, rounded in the
 * customer's favour; shares of a sum so far are differences of this, so that they add up exactly, also after the line got more pieces. */
struct line_money {
    int64_t goods, discount, tax;
};
/* False: it does not fit. Pure. */
bool line_money(const struct order_line_row *line, int64_t pieces, struct line_money *money);
/* What was ordered, whatever of it was cancelled since: the order's `total`. False: it does not fit. Pure. */
bool order_total(const struct orders_row *order, const struct order_line_row *const *lines, size_t count, int64_t *total);
/* What is due for what is not cancelled, in minor units. */
int64_t order_due(const struct order *order);

/* The stage that the facts give: the least advanced open quantity. Pure. */
struct order_facts {
    int64_t open, backordered, reserved, allocated, shipped, delivered, cancelled; /* units */
};
enum stage stage_of(const struct order_facts *facts);
/* Whether nothing more will come of a fulfilment order in this state. */
static inline bool fulfilment_has_ended(int64_t state)
{
    return state == FULFILMENT_DELIVERED || state == FULFILMENT_CANCELLED || state == FULFILMENT_DECLINED || state == FULFILMENT_FAILED;
}
/* Whether it is one, or may become one. */
static inline bool fulfilment_is_a_shipment(int64_t state)
{
    return state != FULFILMENT_CANCELLED && state != FULFILMENT_DECLINED && state != FULFILMENT_FAILED;
}
/* Its rules in markdown: docs/machines.md is made of them. */
void order_stages_print(FILE *out);

/* Moves the order on as far as its facts allow (reserve is done before): releases when claims stand, the term is met
 * and no hold is left, and the channel releases by itself (or `asked`); writes the stage and its events. Returns the
 * seq of the last event about the order. */
void order_advance(struct order *order, bool asked);
/* Sets the stage that the facts give; false: it was that already. For a command whose own event tells the change. */
bool order_restage(struct order *order);
/* Why it is not released: FAULT_NONE when nothing is in the way. */
enum fault_code order_release_gate(struct order *order);

/* Gives units that became available to those who wait for them, by rank, the moment they appear: as many lines as one
 * command may fill; for a queue that is longer a job is opened, and the position is its alone until it has ended. */
void backorders_fill(struct ws *ws, const struct freed *places, size_t count);
/* Units of demand i lose their claim, which is gone already, and wait again at the order's rank; what a marketplace has sold is oversold then. */
enum fallen_from { FROM_RESERVED, FROM_ALLOCATED, FROM_SHIPPED };
void demand_falls_back(struct order *order, size_t i, int64_t units, enum fallen_from from);
/* What fell back of an order, for a reason that lies at one node: the order tells how it stands, those who wait for these SKUs get what
 * stands elsewhere, and what still waits of it then is work for people. type, why: of the exception; a broken claim of a marketplace is an oversell.
 */
struct fallen {
    int64_t line, sku, units;
};
void order_falls_back(struct order *order, const struct fallen *fallen, size_t count, enum exception_type type, const char *why);
/* Units were cancelled, so many pieces of each line: the order tells so, and follows. */
void order_gave_up(struct order *order, const char *reason, const int64_t *pieces);
/* Order lines that lost claims to a fact fall back into backorders, with an exception each; broken: of kind order. */
void orders_claims_broken(struct ws *ws, const struct broken *first, const char *why);

/* A hold is (kind, source). */
void hold_add(struct order *order, const char *kind, const char *source, const char *reason);
size_t hold_clear(struct order *order, const char *kind, const char *source, const char *reason); /* source NULL: all of the kind */

/* Tells the order's state in an event; every command about an order ends with one. amount NULL_INT: bears none. */
int64_t order_event(struct order *order, enum event_type type, int64_t amount);
/* The seq of the newest event about the order, its fulfilments' reports and exceptions too: what it shows now is as of it. */
int64_t order_told(const struct order *order);
/* The same with more to tell: its members are written between the two, none named as one of the state's (order_state_member). They
 * stand before the state. Never personal data. */
void order_event_begin(struct order *order, struct json_writer *json);
int64_t order_event_end(struct order *order, struct json_writer *json, enum event_type type, int64_t amount);

/* Closes those of the order whose cause is gone: what was short is there or no longer wanted, each line stands for a SKU. */
void exceptions_settle(struct order *order);

/* The order as the API shows it, from the rows of the working set. */
void order_answer(struct order *order, struct command *command, int status);

/* Writes the order as JSON: as it stands, or as it was at one of its events (as_of not NULL; order->demands become those).
 * Returns the version that it shows. */
int64_t order_write(struct order *order, const struct event_row *as_of, struct json_writer *json);
struct fulfilment_io;
void fulfilment_show(struct ws *ws, const struct fulfilment_row *row, int64_t state, struct fulfilment_io *out);
struct fulfilment_line_io fulfilment_line_shown(struct ws *ws, const struct fulfilment_line_row *line, int64_t quantity, int64_t asked);
void tags_read(struct arena *arena, const char *text, struct field_list *tags);

/* Renders what an event stood for once more: the order as it was then. */
void order_again(struct ws *ws, struct command *command, int64_t seq);

extern const struct route_table orders_routes;

#endif
