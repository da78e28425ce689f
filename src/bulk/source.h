/* src/bulk/source.h: a file of rows, CSV (RFC 4180) or JSON lines, perhaps gzipped, read in bounded memory. */
#ifndef MILLRACE_BULK_SOURCE_H
#define MILLRACE_BULK_SOURCE_H

#include "importer/csv.h"

#define JSON_LINE_BYTES_MAX ((size_t)8 << 20)

enum format { FORMAT_CSV, FORMAT_JSONL };

struct row {
    size_t line;
    const char **cells; /* CSV: so many as the first row has; NULL: empty */
    const char *text;   /* JSON lines: the line */
    size_t bytes;
    const char *error; /* it could not be read: why */
};

struct source; /* owned by the arena it was opened in */

/* "-" is standard input. NULL with *error, a sentence in the arena. */
struct source *source_open(struct arena *arena, const char *path, enum format format, const char **error);
void source_close(struct source *source); /* NULL: nothing */
/* Of CSV: the first row; those of source_next have as many cells. */
const char *const *source_names(const struct source *source, size_t *count);

enum source_result { SOURCE_ROW, SOURCE_BAD, SOURCE_END, SOURCE_FAILED };
/* The next row that is not empty, in this arena. SOURCE_BAD: row->line and row->error; reading goes on with the next call. */
enum source_result source_next(struct source *source, struct arena *arena, struct row *row);
const char *source_error(const struct source *source); /* after SOURCE_FAILED */

#endif
