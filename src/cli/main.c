/* src/cli/main.c: millrace SUBCOMMAND. A subcommand is a row here and a file beside. */
#include "cli/cli.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(const struct flags *flags);
    const char *flags, *what;
} subcommands[] = {
    { "init", run_init, "--db URL [--company NAME]", "makes the schema and the company in an empty database" },
    { "migrate", run_migrate, "--db URL", "brings the schema to this release" },
    { "key", run_key, "add --db URL --name N --scope admin|orders|inventory|read [--scope ...]", "prints a new API key, once" },
    { "serve", run_serve, "--db URL [--listen HOST:PORT]", "answers HTTP until SIGTERM; 127.0.0.1:8080 if not told" },
    { "check", run_check, "--db URL", "proves what must hold, while servers run; one JSON line a violation" },
    { "import", run_import, "orders --file FILE [--url URL] --key KEY [...]", "plays invoice lines into a running server; import --help says more" },
    { "simulate", run_simulate, "promotion [--orders N] [--seed S] [--db URL]", "runs a promotion day twice: as apps apart, and here; a JSON line last" },
};

static int usage(FILE *out)
{
    fputs("usage: millrace SUBCOMMAND [FLAGS]\n\n", out);
    for (size_t i = 0; i < COUNT(subcommands); i++)
        fprintf(out, "  %s %s\n      %s\n", subcommands[i].name, subcommands[i].flags, subcommands[i].what);
    fputs("\nURL is sqlite:PATH or postgres://...\n"
          "A flag --some-thing may be a variable MILLRACE_SOME_THING instead, or a row some-thing=VALUE of the file that\n"
          "MILLRACE_CONFIG names (else millrace.conf here): flags go before variables, variables before the file.\n"
          "Exit code 0: done; check: 1, something is violated; 2: it could not be done, and why stands on standard error.\n",
          out);
    return out == stdout ? 0 : 2;
}

int fail_with(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("millrace: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return 2;
}

struct db *open_store(const struct flags *flags, bool create, bool projection)
{
    const char *url = flag(flags, "db", NULL), *error = "";
    struct db *db = NULL;
    struct db_options options = { .url = url, .create = create, .projection = projection };
    if (url == NULL)
        fail_with("--db URL is missing: sqlite:PATH or postgres://...");
    else if (db_open(&db, &options, flags->arena, &error) != DB_OK)
        fail_with("%s", error);
    else
        return db;
    return NULL;
}

static bool asks_for_help(int count, char **words)
{
    /* A subcommand with a help of its own is asked for it. */
    bool own = count > 1 && (strcmp(words[1], "import") == 0 || strcmp(words[1], "simulate") == 0);
    for (int i = 1; i < count && !own; i++)
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
            return true;
    return count > 1 && strcmp(words[1], "help") == 0;
}

int main(int count, char **words)
{
    if (count < 2 || asks_for_help(count, words))
        return usage(count < 2 ? stderr : stdout);
    if (strcmp(words[1], "--version") == 0)
        return puts("millrace " MILLRACE_VERSION) < 0;
    size_t at = 0;
    while (at < COUNT(subcommands) && strcmp(words[1], subcommands[at].name) != 0)
        at++;
    if (at == COUNT(subcommands)) {
        fail_with("there is no subcommand %s", words[1]);
        return usage(stderr);
    }
    struct flags flags = { .count = count - 2, .words = words + 2, .arena = arena_new((size_t)256 << 20) };
    int code = flags.arena == NULL ? fail_with("no memory") : config_read() ? subcommands[at].run(&flags) : 2;
    arena_free(flags.arena);
    return code;
}
