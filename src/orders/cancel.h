/* src/orders/cancel.h: giving back pieces of an order's lines that have not shipped, for whoever no longer wants them. */
#ifndef MILLRACE_ORDERS_CANCEL_H
#define MILLRACE_ORDERS_CANCEL_H

#include "orders/orders.h"

/* Of each line the whole pieces that may be given back at once: nothing of them has shipped (a bundle whose first component is on its way
 * cannot come back), and no node that others run has been told to ship them. */
const int64_t *order_cancellable(const struct order *order);
/* Cancels so many pieces of each line, at most as many as that: they go back exactly as they were held, see stock->freed. Tells what nodes
 * give up, and nothing about the order itself; loads what it touches. */
void order_give_back(struct order *order, const int64_t *pieces, struct stock *stock);

#endif
