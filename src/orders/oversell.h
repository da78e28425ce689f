/* src/orders/oversell.h: why a marketplace has sold what is not there. */
#ifndef MILLRACE_ORDERS_OVERSELL_H
#define MILLRACE_ORDERS_OVERSELL_H

#include "orders/promise.h"

/* A line that is short, of an order whose claims are taken already. */
struct oversold {
    struct ws *ws;
    const struct orders_row *order;
    const struct outlet *outlet;
    const struct wish *wish;
    int64_t short_of; /* pieces */
    /* of those who hold its units at the outlet's nodes, as far as the positions' rows name them */
    bool claimed_since; /* one came after the customer had bought */
    bool in_bundles;    /* one holds them as part of a bundle */
};
/* The first cause that holds; the word that the exception carries. */
const char *oversell_cause(struct oversold *oversold);
/* The word where a fact took what was sold: our books had said that it is there. */
const char *oversell_cause_of_fact(void);
/* What the order was not granted of its wishes is work for people: an oversell with its cause, on a marketplace, else a shortage. The demands are
 * written already. True when units wait. */
bool shortage_tell(struct order *order, const struct outlet *outlet, const struct wish *wishes, size_t count);
/* The causes in markdown: docs/machines.md is made of them. */
void oversell_causes_print(FILE *out);

#endif
