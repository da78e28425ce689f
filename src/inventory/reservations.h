/* src/inventory/reservations.h: units held for a checkout until it ends, is used by an order, or expires. */
#ifndef MILLRACE_INVENTORY_RESERVATIONS_H
#define MILLRACE_INVENTORY_RESERVATIONS_H

#include "inventory/inventory.h"

enum reservation_state { RESERVATION_OPEN = 1, RESERVATION_USED, RESERVATION_GIVEN_BACK, RESERVATION_EXPIRED };

/* Gives all its claims back to available and closes it. It must be open. Supply is
 * not told: stock->freed says of what, once whoever uses it has taken its units. */
void reservation_end(struct stock *stock, int64_t reservation_id, enum reservation_state state);
/* Notes the order that has used it. */
void reservation_used_by(struct ws *ws, int64_t reservation_id, int64_t order);

/* reservation.create  POST: CHANNEL_UNKNOWN, SKU_UNKNOWN; SHORTAGE where the channel may sell less than a line asks.
 * reservation.delete  gives back what is open; NOT_FOUND. One that is used, expired or given back stays as it is: 204, too.
 * reservation.expire  the scheduler's: ends some of those that are due, and existing where none is. */
extern const struct field_table reserved_fields; /* what a made one is answered with */
extern const struct command_type reservation_create, reservation_delete, reservation_expire;

#endif
