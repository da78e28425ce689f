/* src/importer/csv.h: reads CSV (RFC 4180) from a source, a row at a time, in bounded memory.
 * Fields may be quoted, a quoted one may hold commas, line ends and "" for a quote; lines end in LF or CRLF; a byte order
 * mark in front is dropped; text is UTF-8 without U+0000. A row that is none of that is told with line and column, and
 * reading goes on after the first line end behind its beginning: one bad row does not hide the good ones behind it. */
#ifndef MILLRACE_IMPORTER_CSV_H
#define MILLRACE_IMPORTER_CSV_H

#include "base/text.h"
#include <sys/types.h>

#define CSV_ROW_BYTES_MAX 65536 /* of one row as it stands, its line ends included */
#define CSV_FIELDS_MAX 256

enum csv_result {
    CSV_ROW,    /* fields, count, line */
    CSV_BAD,    /* error, line, column: go on with the next call */
    CSV_END,    /* nothing is left */
    CSV_FAILED, /* the source could not be read to its end; every further call gives it again */
};

/* Gives up to `room` bytes, 0 at the end, -1 when it cannot be read. */
typedef ssize_t csv_source(void *context, char *at, size_t room);

struct csv; /* owned by the arena it was opened in */

struct csv_row {
    struct bytes fields[CSV_FIELDS_MAX]; /* each ends in NUL (not counted); void after the next call */
    size_t count;
    size_t line;       /* physical line, from 1, that the row (or the error) stands in */
    size_t column;     /* in bytes, from 1, of the error */
    const char *error; /* a constant sentence part */
};

/* The source is asked when its bytes are due; it outlives the reader. */
struct csv *csv_open(struct arena *arena, csv_source *source, void *context);
/* The next row that is not empty. */
enum csv_result csv_next(struct csv *csv, struct csv_row *row);

#endif
