/* tests/store/sale.h: an order that is sold and released, what nodes report of it and what is seen then, in few words. Texts live in the shop's
 * arena. */
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

/* Of the SKU's position there, own and new. */
int64_t stock(struct shop *shop, const char *node, const char *sku, const char *bucket);
void buckets(struct shop *shop, const char *node, const char *sku, int64_t available, int64_t allocated, int64_t quarantined);
int64_t figure(struct shop *shop, const char *id, const char *name);            /* of the order's line 1 */
bool says(struct shop *shop, const char *id, const char *what);                 /* the order shows this; if not, all of it is printed */
const char *state_of(struct shop *shop, const char *work);                      /* of a fulfilment order */
const char *exceptions(struct shop *shop, const char *type, const char *state); /* as the list's JSON */
int open_exceptions(struct shop *shop, const char *type);

#endif
