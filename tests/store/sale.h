/* tests/store/sale.h: an order that is sold and released, and what nodes report of it, in few words. Texts live in the shop's arena. */
#ifndef MILLRACE_TESTS_STORE_SALE_H
#define MILLRACE_TESTS_STORE_SALE_H

#include "store/shop.h"

const char *line_of(struct shop *shop, const char *sku, int quantity); /* as JSON, at 10.00 a piece */
/* The id of a new order; it is paid on account, so it is released at once. */
const char *order_lines(struct shop *shop, const char *channel, const char *lines);
const char *buys(struct shop *shop, const char *channel, const char *sku, int quantity);
const char *order_text(struct shop *shop, const char *id);
/* The order's fulfilment order number `which`, from 0. */
const char *work_of(struct shop *shop, const char *id, int which);
int works(struct shop *shop, const char *id); /* how many it has */
int count_of(const char *text, const char *what);

/* A report with this body; NULL: what a verb says when all is as usual. The verb "miss" is a pick of nothing. */
struct reply report(struct shop *shop, const char *work, const char *verb, const char *body);
/* Verbs with blanks between, one after the other, each as usual; each must be done. The last answer. */
const char *reports(struct shop *shop, const char *work, const char *verbs);

#endif
