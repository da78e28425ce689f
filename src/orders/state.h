/* src/orders/state.h: what an event keeps of the order, or of the fulfilment order, that it is about, so that an answer given again
 * shows it as it was. The one place that knows the shape: JSON in event.data, as state.c writes and reads it. */
#ifndef MILLRACE_ORDERS_STATE_H
#define MILLRACE_ORDERS_STATE_H

#include "orders/orders.h"

/* Numbers of a list, those of lists in it too, one behind the other. */
struct numbers {
    int64_t *at; /* NULL: the event does not say */
    size_t count;
};
/* Reads the value that the next token begins; true at its end. It lives in the reader's arena. False: it is no list of whole numbers. */
bool numbers_read(struct json_reader *json, struct numbers *out);

/* All that the answer about an order shows and that may change later. */
struct order_state {
    int64_t stage, version, payment_status; /* a stage that we do not know: -1 */
    int64_t max_shipments;                  /* NULL_INT: no bound */
    struct numbers demands;                 /* see demands_then() */
    struct numbers given_up;                /* fulfilment, line, part, units of each line that gave something up */
    struct numbers fulfilments;             /* id, state of each */
    struct numbers lost;                    /* units of each demand that were lost or damaged on their way; nothing: none were */
    struct numbers asked;                   /* fulfilment, line, part, units of each line that a node is asked to give back */
};
/* Its members, into an object that is open. */
void order_state_write(struct order *order, struct json_writer *json);
/* False: the event bears none. It lives in the arena. */
bool order_state_read(struct arena *arena, const struct event_row *event, struct order_state *state);
/* Units lost or damaged on their way, of each of its demands; NULL: none. What has not left is not asked for. */
int64_t *order_losses(struct order *order);
/* Which part of an order's event is the state: events that outsiders read say what is shown. */
enum state_member { STATE_NONE, STATE_SHOWN, STATE_INNER };
enum state_member order_state_member(const char *key, size_t bytes);
/* The order's lines and demands as they were at an event that bears the state: changes order->lines, ->demands and their counts only. Returns
 * the demands that order->demands point to then, to be changed further. They live in the arena. */
struct demand_row *demands_then(struct arena *arena, struct order *order, const struct event_row *event, const struct order_state *state);

/* The same of a fulfilment order. */
struct fulfilment_report {
    int64_t state, version; /* -1: no state of the machine ("reduced"); NULL_INT: the event does not say */
    struct numbers due;     /* units of each line, by line and part */
    struct numbers asked;   /* of those, what the node is asked to give back; nothing where it is asked for nothing */
};
void fulfilment_report_write(struct ws *ws, const struct fulfilment_row *row, struct json_writer *json);
/* False: the event is not about a fulfilment order, or says no state. It lives in the arena. */
bool fulfilment_report_read(struct arena *arena, const struct event_row *event, struct fulfilment_report *state);
/* The data of an event that tells a word only: of what the order did to its fulfilment order no answer is given again. */
#define FULFILMENT_WORD(word) "{\"state\":\"" word "\"}"

#endif
