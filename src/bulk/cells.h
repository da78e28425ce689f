/* src/bulk/cells.h: one thing of the API as rows of cells, and back. A cell is text; NULL is an empty one, which says nothing. */
#ifndef MILLRACE_BULK_CELLS_H
#define MILLRACE_BULK_CELLS_H

#include "bulk/columns.h"

/* Cells by column: so many as there are columns. */
struct cells {
    const char **at;
};

/* The JSON that the API takes for these rows, in the arena. Fields that only the server writes are left out, but for `part` (NULL: none), by
 * which a batch names what an entry is about. A cell that is no number where one is due is sent as text: the server says what is wrong with it. */
const char *entry_of_rows(struct arena *arena, const struct columns *columns, const char *part, const struct cells *rows, size_t count,
                          size_t *bytes);

/* The rows of one item of an answer; at least one. What stands beside the list stands in each, but for other lists. False: the text is no JSON
 * object. */
bool rows_of_item(struct arena *arena, const struct columns *columns, const char *text, size_t bytes, struct cells **rows, size_t *count);

/* Spreadsheets take text that begins like a formula for one, and run it. Text that does (also behind blanks, in wide letters, or with a tab) gets
 * an apostrophe in front, and so does text that begins with one, so that cell_plain gives exactly what stood there. A plain number is none.
 * Source: OWASP, CSV Injection. */
const char *cell_safe(struct arena *arena, const char *text);
const char *cell_plain(const char *cell);

#endif
