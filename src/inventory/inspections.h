/* src/inventory/inspections.h: what people decide of units that are there: kept back (quarantine), given free again (release), graded otherwise
 * (regrade), or inspected, each into what became of it. Each is a choice: what is claimed stays. Design: docs/design/inventory.md. */
#ifndef MILLRACE_INVENTORY_INSPECTIONS_H
#define MILLRACE_INVENTORY_INSPECTIONS_H

#include "engine/command.h"
#include "inventory/inventory.h"

/* The number is what the row keeps. */
enum inspection_kind { INSPECTION_QUARANTINE = 1, INSPECTION_RELEASE, INSPECTION_REGRADE, INSPECTION_INSPECT };

/* All: NODE_UNKNOWN, SKU_UNKNOWN, HOLDS_NO_STOCK, CLASS_UNKNOWN, at the edge INVALID for what says nothing, all at once; then STOCK_CONFLICT where
 * the bucket has not so many, or a position would have more than it may. A document that is known answers with the first result. */
extern const struct command_type stock_quarantine, stock_release, stock_regrade, stock_inspect;
extern const struct field_table inspection_fields; /* the answer */

/* What became of units that stood in quarantine, as inspections and returns say it. The number is what rows of returns keep: new ones at the end. */
enum disposition { RESTOCK, RESTOCK_AS, REFURBISH, RETURN_TO_SUPPLIER, SCRAP, MISSING, BACK_TO_CUSTOMER };
extern const char *const disposition_names[]; /* ends in NULL */
struct disposal {
    int64_t node, sku, class, quantity;
    enum disposition disposition;
    int64_t to_class; /* of RESTOCK_AS */
    const char *document;
};
/* Moves them out of quarantine to where they are now; there must be as many. */
void disposition_move(struct stock *stock, const struct disposal *disposal);

#endif
