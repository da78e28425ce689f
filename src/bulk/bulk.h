/* src/bulk/bulk.h: tables in files, into a running server and out of it, by its public API. Design: docs/design/bulk.md. */
#ifndef MILLRACE_BULK_BULK_H
#define MILLRACE_BULK_BULK_H

#include "base/fields.h"
#include "bulk/source.h"
#include <stdio.h>

/* How the server is reached, and a word about how far it is. */
struct bulk_server {
    const char *url, *key;
    size_t connections;
    void (*progress)(void *context, int64_t rows);
    void *context;
};

struct bulk_import {
    struct bulk_server server;
    const char *const *files;
    size_t file_count;
    enum format format;
    const char *target, *list;       /* of the batch: "/v1/skus", and its member, "skus" */
    const struct field_table *input; /* of an entry */
    const char *part;                /* the member that says what an entry is about, NULL: none */
    const char *const *key;          /* columns whose values name a thing, NULL at the end: two entries of one thing keep their order */
    bool in_order;                   /* entries may build on those before them: one batch after the other */
    bool dry_run;
    FILE *errors; /* rows that were left out, with what is wrong, to be mended and sent again; NULL: only the first few are told */
    FILE *told;   /* what is wrong, a line for each of the first few rows */
};
struct bulk_counts {
    int64_t rows, entries, made, kept, failed; /* kept: was there, changed or not */
};
enum bulk_result {
    BULK_DONE,
    BULK_ROWS_LEFT, /* done, but rows were left out */
    BULK_FAILED,    /* *error says why; what was done stands, and sending the files again goes on */
};
/* What the files say is sent in batches that the server takes behind people's and channels' commands. What has no name of its own (`part`) carries an
 * idempotency key made of the batch, so that the same files may be sent again within two days and change nothing twice. */
enum bulk_result bulk_import(const struct bulk_import *import, struct arena *arena, struct bulk_counts *counts, const char **error);

struct bulk_export {
    struct bulk_server server;
    const char *target, *query;     /* "/v1/orders"; "channel=web" or "" */
    const char *cursor;             /* the query's member that asks for the next page; NULL: there is one page only */
    const struct field_table *item; /* NULL: JSON lines only */
    enum format format;
    FILE *out;
};
/* A page after the other. BULK_FAILED with *error; what was written so far is no whole export. */
enum bulk_result bulk_export(const struct bulk_export *export, struct arena *arena, int64_t *items, const char **error);

/* A row of CSV (RFC 4180, but for its line end: LF). Cells with a separator of any locale, a quote or a line end are quoted; NULL is empty. */
void csv_write(FILE *out, const char *const *cells, size_t count);

#endif
