/* src/cli/import.c: millrace import orders: invoice lines from files into a running server. */
#include "importer/importer.h"
#include "cli/table.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_MAX 64
#define ARENA_BYTES ((size_t)16 << 30) /* a limit, not a reservation */

static int usage(void)
{
    fputs("usage: millrace import units|nodes|skus|bundles|classes|channels|listings|stock|open-orders --file FILE [--file ...] --key KEY [FLAGS]\n\n"
          "Sends the rows of tables to a running server. In CSV the first row names the columns as the API calls its fields (ship_to.city, or city\n"
          "where only one field ends so); a bundle has a row for each component, an order one for each line, and what is said once may stand\n"
          "in the first of them. In JSON lines each line is what the API takes. What export writes can be sent as it is.\n"
          "All that can be done is done; the same file sent again changes nothing.\n\n"
          "  --file FILE           again for more; - is standard input; may be gzipped\n"
          "  --format csv|jsonl    by the name of the file (.jsonl, .ndjson), if not told\n"
          "  --dry-run             says what would happen, and changes nothing\n"
          "  --errors FILE         gets the rows that were left out, and why in a column \"error\": mend them there and send that file\n"
          "  --channel CODE        of listings\n"
          "  --url, --key, --connections   as below (4 connections)\n\n"
          "The last line on standard output is JSON: rows, entries, made, there (before: changed or not), rows_left_out.\n\n"
          "  millrace import skus --file skus.csv --errors mend.csv\n\n\n"
          "usage: millrace import orders --file FILE [--file ...] --key KEY [FLAGS]\n\n"
          "Plays invoice lines (CSV, may be gzipped) into a running server, in time order: products, weekly deliveries, every invoice an\n"
          "order, every cancellation (C...) what it undoes, write-offs as facts, and shipping. A second run changes nothing.\n"
          "The first row names the columns InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country.\n\n"
          "  --file FILE           again for a file that follows it in time\n"
          "  --url URL             of the server (http://127.0.0.1:8080)\n"
          "  --key KEY             with scope admin, or inventory and orders; better in the variable MILLRACE_KEY, which ps does not show\n"
          "  --rows FILE           where each remark about a row goes: FILE:LINE: kind: reason. Without it, the first few of those left out\n"
          "                        stand on standard error\n"
          "  --unit, --node, --channel CODE   where it goes (UK, MAIN, web); made where missing, else left as they are\n"
          "  --currency CODE       of UnitPrice (GBP)\n"
          "  --ship-after DAYS     what is released leaves so many days after its order (2), or never\n"
          "  --connections N       requests in flight where their order does not matter (8)\n\n"
          "The report stands on standard output, its last line is JSON.\n"
          "Exit code 0: done; 1: done, and rows that were left out are named; 2: not done, and why stands on standard error.\n",
          stdout);
    return 0;
}

static bool read_days(const char *text, int64_t most, int64_t *days)
{
    char *end = NULL;
    errno = 0;
    *days = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *days >= 0 && *days <= most;
}

/* They stand in targets, bodies and file names: no more is asked of a code here. */
static bool is_plain(const char *code)
{
    size_t size = strlen(code);
    return size > 0 && size <= 64 && strspn(code, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.") == size;
}

static int read_import(const struct flags *flags, struct import *import, const char *files[FILES_MAX])
{
    int64_t connections;
    const char *ship = flag(flags, "ship-after", "2"), *names[] = { "unit", "node", "channel" };
    while (import->file_count < FILES_MAX && (files[import->file_count] = flag_again(flags, "file", import->file_count)) != NULL)
        import->file_count++;
    *import = (struct import){ .files = files,
                               .file_count = import->file_count,
                               .url = flag(flags, "url", "http://127.0.0.1:8080"),
                               .key = flag(flags, "key", NULL),
                               .unit = flag(flags, "unit", "UK"),
                               .node = flag(flags, "node", "MAIN"),
                               .channel = flag(flags, "channel", "web"),
                               .currency = flag(flags, "currency", "GBP"),
                               .out = stdout,
                               .progress = isatty(STDERR_FILENO) == 1 };
    if (import->file_count == 0)
        return fail_with("--file FILE is missing; see millrace import --help");
    if (import->key == NULL)
        return fail_with("--key KEY (or the variable MILLRACE_KEY) is missing: millrace key add prints one");
    const char *codes[] = { import->unit, import->node, import->channel };
    for (size_t i = 0; i < COUNT(codes); i++)
        if (!is_plain(codes[i]))
            return fail_with("--%s is made of letters, digits, '-', '_' and '.'", names[i]);
    if (strlen(import->currency) != 3)
        return fail_with("--currency is three letters");
    import->ship_after_days = IMPORT_SHIP_NEVER;
    if (strcmp(ship, "never") != 0 && !read_days(ship, 3650, &import->ship_after_days))
        return fail_with("--ship-after is a number of days, or never");
    if (!read_days(flag(flags, "connections", "8"), 64, &connections) || connections == 0)
        return fail_with("--connections is a number from 1 to 64");
    import->connections = (size_t)connections;
    return 0;
}

static int run(struct import *import, const char *rows)
{
    const char *error = "no memory";
    struct arena *arena = arena_new(ARENA_BYTES);
    if (rows != NULL && (import->rows = fopen(rows, "w")) == NULL) {
        arena_free(arena);
        return fail_with("%s: %s", rows, strerror(errno));
    }
    enum import_result result = arena == NULL ? IMPORT_FAILED : import_run(import, arena, &error);
    int code = result == IMPORT_FAILED ? fail_with("%s", error) : result == IMPORT_ROWS_LEFT ? 1 : 0;
    if (import->rows != NULL && fclose(import->rows) != 0)
        code = fail_with("%s: %s", rows, strerror(errno));
    if (fflush(stdout) != 0)
        code = fail_with("the report could not be written: %s", strerror(errno));
    arena_free(arena);
    return code;
}

int run_import(const struct flags *flags)
{
    const char *files[FILES_MAX];
    for (int i = 0; i < flags->count; i++)
        if (strcmp(flags->words[i], "--help") == 0 || strcmp(flags->words[i], "-h") == 0)
            return usage();
    if (flags->count > 0 && is_table(flags->words[0]))
        return run_import_table(flags);
    if (flags->count == 0 || strcmp(flags->words[0], "orders") != 0)
        return fail_with(
            "what? Tables are units, nodes, skus, bundles, classes, channels, listings, stock and open-orders; orders are invoice lines. See millrace "
            "import --help");
    struct flags rest = { .count = flags->count - 1, .words = flags->words + 1, .arena = flags->arena };
    if (!flags_known(&rest,
                     (const char *const[]){ "file", "url", "key", "rows", "unit", "node", "channel", "currency", "ship-after", "connections", NULL }))
        return 2;
    struct import import = { 0 };
    int code = read_import(&rest, &import, files);
    return code != 0 ? code : run(&import, flag_again(&rest, "rows", 0));
}
