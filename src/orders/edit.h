/* src/orders/edit.h: what an order shall be changed to, however it was asked for. */
#ifndef MILLRACE_ORDERS_EDIT_H
#define MILLRACE_ORDERS_EDIT_H

#include "orders/order_io.h"
#include "orders/orders.h"

struct set_io {
    struct field_presence presence;
    int64_t line, quantity;
};
struct edit_io {
    struct field_presence presence;
    struct field_list set, add; /* of set_io, line_io */
    struct person_io *ship_to;  /* NULL: as it is */
    int64_t max_shipments;      /* where it came; NULL_INT: no bound */
    const char *reason;         /* NULL: none */
    int64_t replaces;           /* not 0: the line that comes takes the place of pieces of this one, and must be there whole, whatever the policy */
};

/* Changes the order and answers, or refuses and leaves it as it is; in->set and in->add say what a caller of the API may say. */
void edit_carry_out(struct ws *ws, struct command *command, const struct order *order, const struct edit_io *in);

#endif
