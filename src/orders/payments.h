/* src/orders/payments.h: what an order's payment facts come to: the word that it shows, and whether its term is met.
 * Amounts are minor units of the order's currency, 0 .. INT64_MAX. Pure. Design: docs/design/orders.md. */
#ifndef MILLRACE_ORDERS_PAYMENTS_H
#define MILLRACE_ORDERS_PAYMENTS_H

#include "orders/orders.h"

/* Sums of all facts of a kind; a failed payment moved nothing and is in none. */
struct payment_sums {
    int64_t authorised, captured, voided, refunded;
};
struct payment_sums payment_sums_of(const struct orders_row *row);

/* Where the money is now. */
struct payment_standing {
    int64_t paid; /* captured and not given back */
    int64_t open; /* authorised, and neither captured nor voided: may still be taken */
};
/* Never below zero: a refund or void of what we were never told of takes back what we know, and no more. */
struct payment_standing payment_standing(const struct payment_sums *sums);

/* The word in an order's `payment.status`. */
enum payment_word { PAYMENT_PENDING, PAYMENT_IS_AUTHORISED, PAYMENT_IS_CAPTURED };
enum payment_word payment_word(const struct payment_standing *standing);
extern const char *const payment_words[];
/* Its rules in markdown: docs/machines.md is made of them. */
void payment_words_print(FILE *out);

/* Tells a payment in an event: kind, reference and method, where they came (NULL: not). */
void payment_tell(struct json_writer *json, enum payment_kind kind, const char *reference, const char *method);

/* Whether the term lets what costs `due` go out. */
bool payment_meets(enum payment_term term, const struct payment_standing *standing, int64_t due);

#endif
