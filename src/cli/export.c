/* src/cli/export.c: millrace export LIST: a list of the API as a file. */
#include "cli/part.h"
#include "cli/table.h"
#include "http/router.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)4 << 30) /* a limit, not a reservation */

static int usage(void)
{
    fputs("usage: millrace export LIST --key KEY [--out FILE] [--format csv|jsonl] [--query Q] [--url URL]\n\n"
          "Writes a list of a running server, a page after the other: LIST is what follows /v1/ in its path, as orders, skus, inventory,\n"
          "inventory/movements, channels/web/listings. CSV has a column for each field; an order's lines, a bundle's components are rows\n"
          "of their own. Text that a spreadsheet would take for a formula gets an apostrophe in front, which import takes away again.\n\n"
          "  --out FILE    appears when it is whole; without it, to standard output\n"
          "  --format      csv, or jsonl: an item a line, as the API gives it (by the name of FILE, else csv)\n"
          "  --query Q     what GET takes: channel=web&stage=released\n"
          "  --key KEY     with scope read; better in the variable MILLRACE_KEY, which ps does not show\n"
          "  --url URL     of the server (http://127.0.0.1:8080)\n\n"
          "  millrace export inventory --query node=BER --out stock.csv\n",
          stdout);
    return 0;
}

static const char *cursor_of(const struct route *route)
{
    for (size_t i = 0; i < QUERY_MAX && route->query[i].name != NULL; i++)
        if (strcmp(route->query[i].name, "cursor") == 0 || strcmp(route->query[i].name, "after") == 0)
            return route->query[i].name;
    return NULL;
}

static int read_list(const char *list, struct bulk_export *export, struct arena *arena)
{
    const char *error;
    export->target = arena_printf(arena, "/v1/%s", list);
    const struct router *router = router_new(http_routes, arena, &error);
    struct routed routed = { 0 };
    if (router != NULL)
        routed = router_find(router, arena, "GET", export->target);
    if (routed.route == NULL || !routed.route->list)
        return fail_with("there is no list %s; openapi.json of the server names all", export->target);
    export->cursor = cursor_of(routed.route);
    export->item = routed.route->answer_of;
    if (export->format == FORMAT_CSV && export->item == NULL)
        return fail_with("%s has no columns: use --format jsonl", export->target);
    return 0;
}

static int write_out(struct bulk_export *export, struct arena *arena)
{
    int64_t items;
    const char *error;
    enum bulk_result result = bulk_export(export, arena, &items, &error);
    if (isatty(STDERR_FILENO) == 1)
        fputs("\r\033[K", stderr);
    if (result != BULK_DONE)
        return fail_with("%s", error);
    return fflush(export->out) == 0 ? 0 : fail_with("it could not be written: %s", strerror(errno));
}

static int write_file(struct bulk_export *export, const char *path, struct arena *arena)
{
    struct part part;
    const char *error;
    if (!part_open(&part, path, arena, &error))
        return fail_with("%s", error);
    export->out = fdopen(dup(part.file), "w");
    int code = export->out == NULL ? fail_with("%s: %s", path, strerror(errno)) : write_out(export, arena);
    if (export->out != NULL && fclose(export->out) != 0 && code == 0)
        code = fail_with("%s: %s", path, strerror(errno));
    if (code == 0 && !part_finish(&part, true, arena, &error))
        code = fail_with("%s", error);
    part_close(&part);
    return code;
}

int run_export(const struct flags *words)
{
    for (int i = 0; i < words->count; i++)
        if (strcmp(words->words[i], "--help") == 0 || strcmp(words->words[i], "-h") == 0)
            return usage();
    if (words->count == 0 || words->words[0][0] == '-')
        return fail_with("which list? See millrace export --help");
    struct flags rest = { .count = words->count - 1, .words = words->words + 1, .arena = words->arena };
    struct bulk_export export = { .query = flag(&rest, "query", ""), .out = stdout };
    const char *path = flag(&rest, "out", NULL);
    if (!flags_known(&rest, (const char *const[]){ "url", "key", "out", "format", "query", "connections", NULL }) ||
        !server_of(&rest, &export.server) || !format_of(&rest, path, &export.format))
        return 2;
    struct arena *arena = arena_new(ARENA_BYTES);
    if (arena == NULL)
        return fail_with("no memory");
    export.server.progress = rows_progress;
    export.server.context = (void *)(uintptr_t)words->words[0];
    int code = read_list(words->words[0], &export, arena);
    if (code == 0)
        code = path == NULL ? write_out(&export, arena) : write_file(&export, path, arena);
    arena_free(arena);
    return code;
}
