/* src/inventory/reservations.h: units held for a checkout until it ends, is used by an order, or expires. */
#ifndef MILLRACE_INVENTORY_RESERVATIONS_H
#define MILLRACE_INVENTORY_RESERVATIONS_H

#include "inventory/inventory.h"

enum reservation_state { RESERVATION_OPEN = 1, RESERVATION_USED, RESERVATION_GIVEN_BACK, RESERVATION_EXPIRED };

/* Gives all its claims back to available and closes it; `order`: who used it, 0 for nobody. It must be open. Supply is
 * not told: whoever uses it takes the units at once; the others call reservation_free. */
void reservation_end(struct stock *stock, int64_t reservation_id, int64_t state, int64_t order);

extern const struct command_type reservation_create, reservation_delete, reservation_expire;

#endif
