/* src/importer/importer.h: plays files of invoice lines into a running server, through its public API and in time order:
 * products, weekly deliveries, every invoice an order, every cancellation what it undoes, write-offs as facts, and shipping some
 * days later. What is asked for is a function of the files alone and carries natural keys, so that a second run changes nothing and
 * a run that was cut off can be run again. Knows the server by HTTP only. Design: docs/design/import.md. */
#ifndef MILLRACE_IMPORTER_IMPORTER_H
#define MILLRACE_IMPORTER_IMPORTER_H

#include "base/arena.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define IMPORT_SHIP_NEVER (-1)

struct import {
    const char *const *files; /* read one behind the other; may be gzipped */
    size_t file_count;
    const char *url, *key;
    const char *unit, *node, *channel; /* made where they are missing, else taken as they are */
    const char *currency;
    size_t connections;
    int64_t ship_after_days; /* or IMPORT_SHIP_NEVER */
    bool progress;           /* a bar on standard error */
    FILE *out;               /* the report; its last line is JSON */
    FILE *rows;              /* each remark about a row; NULL: the first few of each kind on standard error */
};

enum import_result {
    IMPORT_DONE,
    IMPORT_ROWS_LEFT, /* done, but rows that are named could not be taken */
    IMPORT_FAILED     /* *error says why; what was done stands, and a run again goes on */
};

/* Everything lives in the arena, of which the files take about 300 bytes a row. */
enum import_result import_run(const struct import *import, struct arena *arena, const char **error);

#endif
