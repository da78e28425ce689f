/* src/orders/asked.h: units that a node is asked to give back, and nodes that refuse an order. */
#ifndef MILLRACE_ORDERS_ASKED_H
#define MILLRACE_ORDERS_ASKED_H

#include "orders/orders.h"

/* Whether a cancel needs the node's word: others run it, and it has been told to ship. */
bool node_must_agree(struct ws *ws, const struct fulfilment_row *row);
/* Units of a line that the node is asked to give back; 0 where nothing is asked. */
int64_t asked_of(struct ws *ws, const struct fulfilment_row *row, int64_t line, int64_t part);
int64_t asked_in_all(struct ws *ws, const struct fulfilment_row *row);
/* Asks for so many more; the caller has made sure that they are due. The state is the caller's to set (DO_ASK). */
void asked_add(struct ws *ws, const struct fulfilment_row *row, int64_t line, int64_t part, int64_t units);
/* So many units leave the node's work for another reason: those that are asked for are counted among them first. Returns how many were. */
int64_t asked_take(struct ws *ws, const struct fulfilment_row *row, int64_t line, int64_t part, int64_t units);
/* The state in which it stands but for the asking: there must be units that are asked for. */
enum fulfilment_state asked_since(struct ws *ws, const struct fulfilment_row *row);
void asked_move(struct ws *ws, const struct fulfilment_row *row, enum fulfilment_state was);
void asked_forget(struct ws *ws, const struct fulfilment_row *row); /* it is answered */

/* The node declined the order, or failed with it: whoever fills passes it over for this order until a person clears it. */
void refusal_note(struct ws *ws, const struct fulfilment_row *row);
void refusals_want(struct ws *ws, int64_t order); /* a hint */
bool node_refuses(struct ws *ws, int64_t order, int64_t node);
/* Takes nodes that refuse the order out of the outlet: none of them is promised from. */
void outlet_without_refusing(struct ws *ws, int64_t order, struct outlet *outlet);
bool refusal_clear(struct ws *ws, int64_t order, int64_t node); /* false: it does not refuse */

#endif
