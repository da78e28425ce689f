/* src/orders/named.h: what the lines of a request name: a SKU, or a listing of the channel. */
#ifndef MILLRACE_ORDERS_NAMED_H
#define MILLRACE_ORDERS_NAMED_H

#include "orders/order_io.h"
#include "orders/promise.h"

/* Lines as they came, of an order or of an edit; those of a faulty form may name nothing. */
struct named {
    struct ws *ws;
    const struct channel_row *channel; /* NULL: it is not known; then listings are not looked for */
    const struct line_io *lines;
    size_t count;
    const char *list; /* "lines": in the faults' pointers */
    struct faults *faults;
};
/* A fault at a field of line `i`. */
void named_fault(const struct named *named, enum fault_code code, size_t i, const char *field, const char *detail);
/* Tells what is not there, of the first `most` lines: SKU_UNKNOWN, LISTING_UNKNOWN. */
void named_look_up(const struct named *named, size_t most);
/* All rows that named_find() and recipe_of() will need, in a few goes: each that is asked for alone is the whole command anew, and there may
 * be a thousand. */
void named_want(const struct named *named);
/* SKU, terms and quantity of line `i`; wish->sku is NULL where nothing has that name. */
void named_find(const struct named *named, size_t i, struct wish *wish);
void named_unknown(const struct named *named, size_t i); /* tells so */

#endif
