/* src/bulk/columns.h: a field table as the columns of a spreadsheet. An object's fields are named with it ("ship_to.city"), money is its amount
 * and, where the table has no currency of its own, the currency beside it ("unit_cost", "unit_cost.currency"). The list without which a thing is
 * nothing (an order's lines, a bundle's components) is not a cell: each of its elements is a row, and the thing is the rows that follow each
 * other with the same key. Every other list, and an object whose members nobody knows, is one cell: JSON. */
#ifndef MILLRACE_BULK_COLUMNS_H
#define MILLRACE_BULK_COLUMNS_H

#include "base/fields.h"

enum column_kind { COLUMN_VALUE, COLUMN_CURRENCY, COLUMN_OBJECT, COLUMN_ROWS };

struct column {
    enum column_kind kind;
    const char *name;
    const struct field *field;
    size_t span; /* of an object and of rows: so many columns behind it stand inside */
};
struct columns {
    struct column *items; /* in the order of the table */
    size_t count;
    size_t rows;       /* index of the list whose elements are rows; count: there is none */
    bool one_currency; /* all money is in the table's own currency */
};
struct columns columns_of(struct arena *arena, const struct field_table *table);

static inline bool column_is_cell(const struct column *column)
{
    return column->kind == COLUMN_VALUE || column->kind == COLUMN_CURRENCY;
}

/* Its name ends so, behind a point. */
bool column_ends(const struct column *column, const char *name);

#define COLUMN_UNKNOWN SIZE_MAX
#define COLUMN_AMBIGUOUS (SIZE_MAX - 1)
/* The cell that a file calls so: by its whole name, or by the end of it where only one ends so ("city" where there is one address). */
size_t column_named(const struct columns *columns, const char *name);

#endif
