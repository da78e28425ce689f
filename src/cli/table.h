/* src/cli/table.h: what import and export of tables share. */
#ifndef MILLRACE_CLI_TABLE_H
#define MILLRACE_CLI_TABLE_H

#include "bulk/bulk.h"
#include "cli/cli.h"

bool is_table(const char *name); /* that millrace import takes */
int run_import_table(const struct flags *words);

/* --format, else what the file is called; --url, --key and --connections. False, and said. */
bool format_of(const struct flags *flags, const char *path, enum format *format);
bool server_of(const struct flags *flags, struct bulk_server *server);
/* A line on a terminal; context: what it is called. */
void rows_progress(void *context, int64_t rows);

#endif
