/* src/orders/losses.h: units that have left and did not arrive as they should. */
#ifndef MILLRACE_ORDERS_LOSSES_H
#define MILLRACE_ORDERS_LOSSES_H

#include "orders/orders.h"

enum loss_kind { LOSS_LOST = 1, LOSS_DAMAGED, LOSS_KIND_COUNT };
extern const char *const loss_names[LOSS_KIND_COUNT]; /* "lost" */
/* What becomes of them: another one is sent; they are cancelled, and are the customer's money; they arrived after all. */
enum loss_end { LOSS_SHIP_AGAIN, LOSS_REFUND, LOSS_ARRIVED };
extern const char *const loss_end_names[]; /* NULL ends them */

/* Units of a line of a fulfilment order that nobody has decided on; kind 0: of both. */
int64_t loss_undecided(struct ws *ws, const struct fulfilment_row *row, int64_t line, int64_t part, enum loss_kind kind);
/* Of all its lines. */
int64_t losses_undecided(struct ws *ws, const struct fulfilment_row *row);
/* So many more are lost or damaged: undecided. */
void loss_add(struct ws *ws, const struct fulfilment_row *row, int64_t line, int64_t part, enum loss_kind kind, int64_t units);
/* Decides on so many of those that are undecided. */
void loss_decide(struct ws *ws, const struct fulfilment_row *row, int64_t line, int64_t part, enum loss_kind kind, enum loss_end end, int64_t units);
/* Units that were lost or damaged on their way, of each of the order's demands; NULL: none ever was. */
int64_t *losses_of(const struct order *order);

#endif
