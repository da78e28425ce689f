/* src/inventory/count_classes.h: which SKUs are counted often. What left a node within a window is valued at the last cost that was told; the SKUs
 * that make up the first share of that value (80 %) are of class A, those of the next (15 %) of B, all else of C. It is the distribution by value of
 * inventory texts: H. Ford Dickie, "ABC Inventory Analysis Shoots for Dollars, Not Pennies" (1951); Silver, Pyke and Thomas, "Inventory and
 * Production Management in Supply Chains" (2017). Values are minor units of the unit's currency. Design: docs/design/inventory.md. */
#ifndef MILLRACE_INVENTORY_COUNT_CLASSES_H
#define MILLRACE_INVENTORY_COUNT_CLASSES_H

#include "inventory/count_sheets.h"

#define COUNT_VALUE_MAX INT64_C(1000000000000) /* of one SKU at a node; what is more counts as this: a million of them can be summed */
#define COUNT_PHASE_IDLE 1                     /* of count_classing: no run goes on */

/* The class of a SKU that moved `value`, where those before it moved `above` of `total`; shares in parts per million. A SKU is of the class in which
 * its value begins, so the most valuable is always of A; what moved no value is of C. Pure. */
enum abc count_abc(int64_t value, int64_t above, int64_t total, int64_t share_a, int64_t share_b);
/* 0 .. COUNT_VALUE_MAX; a cost of NULL_INT (never told) is 0. */
int64_t count_value(int64_t units, int64_t unit_cost);

/* count_classes.start   UNIT_UNKNOWN; STATE_CONFLICT while a run goes on. count_classing.put   NOT_FOUND, PRECONDITION_FAILED; INVALID where the
 * shares are more than the whole. */
extern const struct command_type count_classes_start, count_classing_put;
/* The scheduler's, once a unit's due_at has passed. */
extern const struct command_type count_classes_due;

struct count_classing_row count_classing_preset(int64_t unit);
const char *count_classing_json(struct arena *arena, const struct count_classing_row *row, size_t *bytes);
extern const struct field_table count_classing_fields, count_class_fields;

void get_count_classing(struct reading *reading, const struct request *request, struct answer *answer);
void list_count_classes(struct reading *reading, const struct request *request, struct answer *answer);

#endif
