/* src/cli/main.c: millrace SUBCOMMAND. A subcommand is a row here and a file beside. */
#include "db/db.h"
#include "cli/cli.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(const struct flags *flags);
    const char *flags, *what, *more; /* more: for its own --help; NULL: it has one that it prints itself */
} subcommands[] = {
    { "init", run_init, "--db URL [--company NAME]", "makes the schema and the company in an empty database",
      "An SQLite file is made where there is none; a PostgreSQL database must be there, and empty. The key under which people are sealed\n"
      "is made too: beside the file, in MILLRACE_MASTER_KEY_FILE, or, on PostgreSQL without that, in the database itself.\n\n"
      "  millrace init --db sqlite:shop.db --company \"My shop\"\n"
      "  millrace key add --db sqlite:shop.db --name me --scope admin      what comes next\n" },
    { "migrate", run_migrate, "--db URL", "brings the schema to this release",
      "After an update, before the first server of the new release. Servers of the old one may go on meanwhile. Safe to run twice.\n" },
    { "key", run_key,
      "add --db URL --name N --scope admin|orders|inventory|read [--scope ...] [--rate N [--burst M]]\n"
      "  key save --db URL --file FILE",
      "prints a new API key, once; or keeps a copy of the master key in a new file",
      "add: the key is the only line on standard output; the database keeps its hash alone, so it cannot be shown again. Servers that run\n"
      "take it by themselves. Clients send it as: Authorization: Bearer KEY\n"
      "--rate: requests a second, on each server, and --burst more at once (as many as the rate, if not told); beyond it 429 with Retry-After.\n"
      "save: the key that people are sealed under, which is in no backup. The file has mode 0600; one that is there is left alone.\n\n"
      "  millrace key add --db sqlite:shop.db --name web --scope orders --scope read\n"
      "  millrace key save --db sqlite:shop.db --file shop.masterkey\n" },
    { "serve", run_serve, "--db URL [--listen HOST:PORT] [--black-box FILE] [--webhooks public|private|off]",
      "answers HTTP until SIGTERM; 127.0.0.1:8080 if not told",
      "Prints `ready http://HOST:PORT` when it answers (port 0: a free one). SIGTERM and Ctrl-C let what was asked be answered first.\n"
      "Several may serve one PostgreSQL database; a second on one SQLite file refuses. The API is described at /docs.\n"
      "A command that was being decided when the process died, twice in a row, is refused from then on: --black-box says where that is\n"
      "remembered (SQLite: beside the file, PATH.box; PostgreSQL: nowhere, if not told).\n"
      "Webhooks go by https to addresses of the public internet (public, if not told); private: also by http, and to this machine and its\n"
      "network; off: this server sends none.\n\n"
      "  millrace serve --db sqlite:shop.db\n" },
    { "check", run_check, "--db URL", "proves what must hold, while servers run; one JSON line a violation",
      "Nothing printed and exit code 0: the books are sound. 1: each line names a violation. 2: it could not be run to its end.\n" },
    { "backup", run_backup, "FILE --db URL [--force]", "saves all of a company in one file, while servers run",
      "The file has everything that was answered before it was begun. It is written as FILE.part and gets its name when it is whole and on\n"
      "the disk; a backup of that name is left alone unless --force is given. On PostgreSQL pg_dump does the work and must be installed.\n"
      "The master key is not in it: keep a copy of that elsewhere (millrace key save), for without it the people in the backup cannot be\n"
      "read, and no server starts on what is restored from it.\n\n"
      "  millrace backup monday.backup --db sqlite:shop.db\n" },
    { "restore", run_restore, "FILE --into URL", "makes a company of a backup in a new place, and checks it",
      "URL is an SQLite file that is not there yet, or an empty PostgreSQL database; on the store that the backup is of. Nothing is touched\n"
      "before the file is found to be whole and of a schema that this release knows. A backup of an older release is brought to this one.\n"
      "The master key is looked for where a server would: in MILLRACE_MASTER_KEY_FILE, or beside the SQLite file as PATH.key.\n"
      "Exit code 0: done, the books are sound; 1: done, and each line names what millrace check found; 2: not done.\n\n"
      "  millrace restore monday.backup --into sqlite:again.db\n" },
    { "import", run_import, "skus|nodes|stock|open-orders|... --file FILE --key KEY [...]",
      "sends tables to a running server (CSV, JSON lines), or plays invoice lines; import --help says more", NULL },
    { "export", run_export, "LIST --key KEY [--out FILE] [--format csv|jsonl] [--query Q] [--url URL]", "a list of a running server as a file",
      NULL },
    { "simulate", run_simulate, "promotion [--orders N] [--seed S] [--db URL | --against URL --key KEY]",
      "runs a promotion day twice, as apps apart and here, or plays it into a running server; simulate --help says more", NULL },
};

static void tell_settings(FILE *out)
{
    fputs("\nURL is sqlite:PATH or postgres://...\n"
          "A flag --some-thing may be a variable MILLRACE_SOME_THING instead, or a row some-thing=VALUE of the file that\n"
          "MILLRACE_CONFIG names (else millrace.conf here): flags go before variables, variables before the file.\n",
          out);
}

static int usage(FILE *out)
{
    fputs("usage: millrace SUBCOMMAND [FLAGS]\n\n", out);
    for (size_t i = 0; i < COUNT(subcommands); i++)
        fprintf(out, "  %s %s\n      %s\n", subcommands[i].name, subcommands[i].flags, subcommands[i].what);
    tell_settings(out);
    fputs("Exit code 0: done; check, restore: 1, something is violated; 2: it could not be done, and why stands on standard error.\n"
          "millrace SUBCOMMAND --help says more of one; millrace --version which release this is.\n",
          out);
    return out == stdout ? 0 : 2;
}

static int usage_of(size_t at)
{
    printf("usage: millrace %s %s\n\n%s.\n%s", subcommands[at].name, subcommands[at].flags, subcommands[at].what, subcommands[at].more);
    tell_settings(stdout);
    return 0;
}

int fail_with(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("millrace: ", stderr);
    vfprintf(stderr, format, args); /* NOLINT(clang-analyzer-valist.Uninitialized): begun two lines above */
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
    for (int i = 1; i < count; i++)
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
            return true;
    return false;
}

int main(int count, char **words)
{
    if (count < 2)
        return usage(stderr);
    if (strcmp(words[1], "--version") == 0)
        return puts("millrace " MILLRACE_VERSION) < 0;
    size_t at = 0;
    while (at < COUNT(subcommands) && strcmp(words[1], subcommands[at].name) != 0)
        at++;
    if (at == COUNT(subcommands) && (strcmp(words[1], "help") == 0 || asks_for_help(count, words)))
        return usage(stdout);
    if (at == COUNT(subcommands)) {
        fail_with("there is no subcommand %s", words[1]);
        return usage(stderr);
    }
    if (subcommands[at].more != NULL && asks_for_help(count, words))
        return usage_of(at);
    db_begin_process();
    struct flags flags = { .count = count - 2, .words = words + 2, .arena = arena_new((size_t)256 << 20) };
    int code = flags.arena == NULL ? fail_with("no memory") : config_read() ? subcommands[at].run(&flags) : 2;
    arena_free(flags.arena);
    return code;
}
