/* src/base/money.h: amounts in minor units of an ISO 4217 currency; products go through 128 bits and what does not fit
 * int64 is refused, never wrapped. */
#ifndef MILLRACE_BASE_MONEY_H
#define MILLRACE_BASE_MONEY_H

#include "base/arena.h"
#include <stdbool.h>

struct money {
    int64_t minor;
    char currency[4]; /* "" where there is none */
};

/* Digits after the point (0..4) of an ISO 4217 code in use or withdrawn since 2023; -1 for any other, for codes without a
 * minor unit (XAU, XXX) and for NULL. */
int currency_exponent(const char *currency);

enum rounding { ROUND_HALF_UP /* half away from zero */, ROUND_HALF_EVEN, ROUND_DOWN /* toward zero */ };

/* a + b, a - b, a * b, a * ppm / 1000000; false, and out untouched, where the result does not fit. */
bool money_add(int64_t a, int64_t b, int64_t *out);
bool money_multiply(int64_t a, int64_t b, int64_t *out);
bool money_rate(int64_t minor, int64_t rate_ppm, enum rounding rounding, int64_t *out);

/* The tax inside a gross amount: net = gross * 1000000 / (1000000 + rate) rounded half up, tax = gross - net. False for a
 * negative rate. */
bool money_tax_inside(int64_t gross, int64_t rate_ppm, int64_t *tax);

/* Splits total by weights (all >= 0, 0 < sum <= INT64_MAX) by largest remainder, ties to the earlier; the parts add up to
 * total, and a negative total gives the mirror image. False, with parts untouched, for other weights. Keeps nothing;
 * weights and parts must not overlap. */
bool money_allocate(int64_t total, const int64_t *weights, int64_t *parts, size_t count);

/* "19.99" to 1999 for an exponent of 2: optional '-', digits without superfluous zeros in front, a point followed by
 * 1 to exponent digits. False for anything else: spaces, exponents, minus zero, and what does not fit int64. */
bool money_parse(const char *text, size_t bytes, int exponent, int64_t *minor);
/* 1999 to "19.99", always with all digits of the exponent. out needs 32 bytes. */
void money_format(int64_t minor, int exponent, char out[32]);
/* "19.99 EUR", for people. The currency is one with an exponent. */
const char *money_text(struct arena *arena, int64_t minor, const char *currency);

#endif
