/* src/orders/commands.h: commands about one order, named by the path's first part. */
#ifndef MILLRACE_ORDERS_COMMANDS_H
#define MILLRACE_ORDERS_COMMANDS_H

#include "orders/orders.h"

extern const struct command_type order_cancel, order_edit_lines, order_substitute, order_hold, order_hold_clear, order_pay, order_release,
    order_refusal_clear, order_replan, routing_try;

bool order_command_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults);
void order_command_prefetch(struct ws *ws, const struct command *command);
void order_command_want(struct ws *ws, const struct command *command, const struct db_path *const *paths, size_t count); /* of the order */
/* Opens the order of the path; false: a fault was added (404, or 412 by If-Match). */
bool order_of_command(struct ws *ws, struct command *command, struct order *order);
/* Answers with the order as the command leaves it. */
void order_answer_changed(struct order *order, struct command *command);
/* Takes units off what a node has of the order and has not shipped; a fulfilment order whose lines are all gone is cancelled. Returns how
 * many: by a fact all, else none of what needs the node's word. */
int64_t fulfilment_gives_up(struct order *order, int64_t node, int64_t line, int64_t part, int64_t units, bool by_fact);
/* Puts a demand into the queue of its SKU while it waits, and takes it out when it does not. */
void demand_waits(struct order *order, const struct demand_row *demand);
void demand_waits_want(const struct order *order, const struct demand_row *demand);        /* the row that it may put there or take out */
struct waiting_row waiting_of(const struct order *order, const struct demand_row *demand); /* as it stands in its queue, at its rank */
/* Somebody waits for these SKUs: a change of masters will look at them. */
void waiting_skus_note(struct ws *ws, const int64_t *skus, size_t count);
/* Gives those who wait for these SKUs what stands anywhere and may be had, as far as one command may; see backorders_fill. */
void backorders_fill_skus(struct ws *ws, const int64_t *skus, size_t count);

/* One of the commands that people send about an order. */
#define ORDER_COMMAND(NAME, TEXT, INPUT, PREFETCH, DECIDE, INVERSE) \
    const struct command_type NAME = {                              \
        .name = TEXT,                                               \
        .input = INPUT,                                             \
        .mode = FIELDS_POST,                                        \
        .queue = QUEUE_PEOPLE,                                      \
        .edge = order_command_edge,                                 \
        .prefetch = PREFETCH,                                       \
        .decide = DECIDE,                                           \
        .again = order_again,                                       \
        .inverse = INVERSE,                                         \
    }

#endif
