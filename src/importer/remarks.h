/* src/importer/remarks.h: what is to be said about rows of the files: each with its file, line and reason. */
#ifndef MILLRACE_IMPORTER_REMARKS_H
#define MILLRACE_IMPORTER_REMARKS_H

#include "base/text.h"
#include <stdio.h>

/* One row a reason: name in the report's JSON, whether the row was taken all the same, and what the report calls it. */
#define REMARKS(X)                                                                                                      \
    X(FORM, "malformed", false, "are no CSV, or lack a column")                                                         \
    X(VALUE, "bad_value", false, "hold a value that cannot be right")                                                   \
    X(DEBT, "bad_debt", false, "write off a debt: no order")                                                            \
    X(NO_GOODS, "no_goods", false, "are charges of an invoice without goods: no order")                                 \
    X(CREDIT, "credit", false, "take back charges, no goods")                                                           \
    X(NO_CUSTOMER, "unmatched_no_customer", false, "cancel for a customer that is not named: unmatched")                \
    X(NO_SALE, "unmatched_no_sale", false, "cancel what was not sold to that customer here: unmatched")                 \
    X(MORE_THAN_SOLD, "unmatched_in_part", false, "cancel more than was sold to that customer here: unmatched in part") \
    X(REFUSED, "refused", false, "were refused by the server")                                                          \
    X(TWICE, "twice", true, "stand twice in their invoice: both taken")                                                 \
    X(SPELLING, "spelling", true, "spell their stock code in small letters: taken as in capitals")                      \
    X(COUNTRY, "country", true, "name no country of ISO 3166-1: taken as the shop's")                                   \
    X(RETURNED, "returned", true, "cancel what has shipped: taken into quarantine as returned")                         \
    X(FOUND_FIRST, "found_first", true, "write off more than was surely there: the rest booked as found first")

enum remark {
#define X(NAME, KEY, TAKEN, SAYS) REMARK_##NAME,
    REMARKS(X)
#undef X
        REMARK_COUNT
};

/* Where a row stands. */
struct place_in_file {
    const char *file;
    size_t line;
};

struct remarks {
    FILE *rows; /* each remark as it comes; NULL: the first few go to standard error */
    size_t counts[REMARK_COUNT], said[REMARK_COUNT];
};

void remark(struct remarks *remarks, enum remark kind, struct place_in_file place, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Rows that were not taken as they stand. */
size_t remarks_left_out(const struct remarks *remarks);
bool remark_is_taken(enum remark kind);
const char *remark_key(enum remark kind);
const char *remark_says(enum remark kind);

#endif
