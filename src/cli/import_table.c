/* src/cli/import_table.c: millrace import skus|...: rows of a file into a running server. */
#include "cli/table.h"
#include "engine/command.h"
#include "http/router.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_MAX 64
#define ARENA_BYTES ((size_t)4 << 30) /* a limit, not a reservation */

/* What can be sent as a table: where to, and the columns that say what a row is about. */
static const struct table {
    const char *name, *target;
    const char *key[3];
    bool in_order, of_channel;
} tables[] = {
    { .name = "units", .target = "/v1/units", .key = { "code" } },
    { .name = "nodes", .target = "/v1/nodes", .key = { "code" } },
    { .name = "skus", .target = "/v1/skus", .key = { "code" } },
    { .name = "bundles", .target = "/v1/bundles", .key = { "code" }, .in_order = true }, /* one may be made of those before it */
    { .name = "classes", .target = "/v1/classes", .key = { "code" } },
    { .name = "channels", .target = "/v1/channels", .key = { "code" } },
    { .name = "listings", .target = "/v1/channels/%s/listings", .key = { "channel_sku" }, .of_channel = true },
    { .name = "stock", .target = "/v1/inventory/adjustments/batch", .key = { "node", "sku" } },
    { .name = "open-orders", .target = "/v1/orders/batch", .key = { "channel", "channel_order_id" } },
};

static const struct table *table_named(const char *name)
{
    for (size_t i = 0; i < COUNT(tables); i++)
        if (strcmp(tables[i].name, name) == 0)
            return &tables[i];
    return NULL;
}

bool is_table(const char *name)
{
    return table_named(name) != NULL;
}

bool format_of(const struct flags *flags, const char *path, enum format *format)
{
    const char *said = flag(flags, "format", NULL);
    if (said == NULL)
        *format = path != NULL && (strstr(path, ".jsonl") != NULL || strstr(path, ".ndjson") != NULL) ? FORMAT_JSONL : FORMAT_CSV;
    else if (strcmp(said, "csv") == 0 || strcmp(said, "jsonl") == 0)
        *format = strcmp(said, "csv") == 0 ? FORMAT_CSV : FORMAT_JSONL;
    else
        return fail_with("--format is csv or jsonl") == 0;
    return true;
}

bool server_of(const struct flags *flags, struct bulk_server *server)
{
    char *end;
    const char *connections = flag(flags, "connections", "4");
    const long number = strtol(connections, &end, 10);
    *server = (struct bulk_server){ .url = flag(flags, "url", "http://127.0.0.1:8080"), .key = flag(flags, "key", NULL) };
    if (server->key == NULL)
        return fail_with("--key KEY (or the variable MILLRACE_KEY) is missing: millrace key add prints one") == 0;
    if (*end != '\0' || number < 1 || number > 64)
        return fail_with("--connections is a number from 1 to 64") == 0;
    server->connections = (size_t)number;
    return true;
}

void rows_progress(void *context, int64_t rows)
{
    if (isatty(STDERR_FILENO) == 1)
        fprintf(stderr, "\r%s: %" PRId64 " rows\033[K", (const char *)context, rows);
}

/* "--yes" stands alone: it is taken out of the words. */
static bool word_taken(struct flags *flags, const char *word)
{
    int kept = 0;
    for (int i = 0; i < flags->count; i++)
        if (strcmp(flags->words[i], word) != 0)
            flags->words[kept++] = flags->words[i];
    const bool found = kept < flags->count;
    flags->count = kept;
    return found;
}

static int report(const struct bulk_import *import, const struct bulk_counts *counts)
{
    if (isatty(STDERR_FILENO) == 1)
        fputs("\r\033[K", stderr);
    printf("{\"rows\":%" PRId64 ",\"entries\":%" PRId64 ",\"made\":%" PRId64 ",\"there\":%" PRId64 ",\"rows_left_out\":%" PRId64 ",\"dry_run\":%s}\n",
           counts->rows, counts->entries, counts->made, counts->kept, counts->failed, import->dry_run ? "true" : "false");
    return fflush(stdout) == 0 ? 0 : fail_with("the report could not be written: %s", strerror(errno));
}

static int play(struct bulk_import *import, const char *errors, struct arena *arena)
{
    struct bulk_counts counts;
    const char *error;
    if (errors != NULL && (import->errors = fopen(errors, "w")) == NULL)
        return fail_with("%s: %s", errors, strerror(errno));
    enum bulk_result result = bulk_import(import, arena, &counts, &error);
    int code = result == BULK_FAILED && counts.entries == 0 ? 0 : report(import, &counts);
    if (import->errors != NULL && fclose(import->errors) != 0)
        code = fail_with("%s: %s", errors, strerror(errno));
    else if (import->errors != NULL && counts.failed == 0)
        (void)unlink(errors); /* there is nothing to mend */
    if (result == BULK_FAILED)
        return fail_with("%s%s", error, counts.entries > 0 ? "; what was done stands, and the same files may be sent again" : "");
    return code != 0 ? code : result == BULK_ROWS_LEFT ? 1 : 0;
}

static int read_table(const struct flags *flags, const struct table *table, struct bulk_import *import, struct arena *arena)
{
    const char *channel = flag(flags, "channel", NULL), *error;
    if (table->of_channel != (channel != NULL))
        return fail_with(table->of_channel ? "--channel CODE is missing: listings are of a channel" : "--channel is for listings");
    import->target = table->of_channel ? arena_printf(arena, table->target, channel) : table->target;
    const struct router *router = router_new(http_routes, arena, &error);
    struct routed routed = { 0 };
    if (router != NULL)
        routed = router_find(router, arena, "POST", import->target);
    if (routed.route == NULL || routed.route->batch_of == NULL)
        return fail_with("%s is no table", import->target);
    import->list = routed.route->batch_name;
    import->part = routed.route->batch_part;
    import->input = routed.route->batch_of->input;
    import->key = table->key;
    import->in_order = table->in_order;
    return 0;
}

int run_import_table(const struct flags *words)
{
    const char *files[FILES_MAX];
    const struct table *table = table_named(words->words[0]);
    struct flags rest = { .count = words->count - 1, .words = words->words + 1, .arena = words->arena };
    struct bulk_import import = { .files = files, .told = stderr, .dry_run = word_taken(&rest, "--dry-run") };
    if (!flags_known(&rest, (const char *const[]){ "file", "url", "key", "errors", "format", "channel", "connections", NULL }))
        return 2;
    while (import.file_count < FILES_MAX && (files[import.file_count] = flag_again(&rest, "file", import.file_count)) != NULL)
        import.file_count++;
    if (import.file_count == 0)
        return fail_with("--file FILE is missing (- is standard input); see millrace import --help");
    if (!server_of(&rest, &import.server) || !format_of(&rest, files[0], &import.format))
        return 2;
    import.server.progress = rows_progress;
    import.server.context = (void *)(uintptr_t)table->name;
    struct arena *arena = arena_new(ARENA_BYTES);
    if (arena == NULL)
        return fail_with("no memory");
    int code = read_table(&rest, table, &import, arena);
    if (code == 0)
        code = play(&import, flag(&rest, "errors", NULL), arena);
    arena_free(arena);
    return code;
}
