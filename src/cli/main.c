/* src/cli/main.c: millrace SUBCOMMAND. */
#include "cli/cli.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(const struct flags *flags);
    const char *use;
} subcommands[] = {
    { "init", run_init, "--db URL [--company NAME]                        makes the schema and the company in an empty database" },
    { "key", run_key, "add --db URL --name N --scope admin|orders|inventory|read [--scope ...]   prints a new API key, once" },
    { "serve", run_serve, "--db URL --listen HOST:PORT                      answers HTTP until SIGTERM" },
    { "check", run_check, "--db URL                                         proves the invariants; one JSON line a violation" },
};

static int usage(FILE *out)
{
    fputs("usage: millrace SUBCOMMAND [FLAGS]\n\n", out);
    for (size_t i = 0; i < COUNT(subcommands); i++)
        fprintf(out, "  %-6s %s\n", subcommands[i].name, subcommands[i].use);
    fputs("\nURL is sqlite:PATH or postgres://...; each --flag may be a variable MILLRACE_FLAG instead.\n", out);
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

/* What follows --name in a word: "" where the value is the next word, NULL where the word is another. */
static const char *value_in(const char *word, const char *name)
{
    size_t size = strlen(name);
    if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, name, size) != 0)
        return NULL;
    return word[2 + size] == '=' ? word + 3 + size : word[2 + size] == '\0' ? "" : NULL;
}

const char *flag_again(const struct flags *flags, const char *name, size_t n)
{
    for (int i = 0; i < flags->count; i++) {
        const char *value = value_in(flags->words[i], name);
        if (value == NULL || n-- > 0)
            continue;
        return *value != '\0' ? value : i + 1 < flags->count ? flags->words[i + 1] : NULL;
    }
    return NULL;
}

const char *flag(const struct flags *flags, const char *name, const char *preset)
{
    char variable[64] = "MILLRACE_";
    for (size_t i = 0, at = strlen(variable); name[i] != '\0' && at + 1 < sizeof variable; i++, at++)
        variable[at] = (char)(name[i] == '-' ? '_' : toupper((unsigned char)name[i]));
    const char *value = flag_again(flags, name, 0);
    if (value == NULL)
        value = getenv(variable);
    return value == NULL ? preset : value;
}

bool flags_known(const struct flags *flags, const char *const *known)
{
    for (int i = 0; i < flags->count; i++) {
        bool found = strncmp(flags->words[i], "--", 2) != 0;
        for (size_t k = 0; known[k] != NULL && !found; k++)
            found = value_in(flags->words[i], known[k]) != NULL;
        if (!found) {
            fail_with("there is no flag %s here; see millrace --help", flags->words[i]);
            return false;
        }
    }
    return true;
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

int main(int count, char **words)
{
    if (count < 2 || strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0)
        return usage(count < 2 ? stderr : stdout);
    struct flags flags = { .count = count - 2, .words = words + 2, .arena = arena_new((size_t)256 << 20) };
    if (flags.arena == NULL)
        return fail_with("no memory");
    int code = -1;
    for (size_t i = 0; i < COUNT(subcommands) && code < 0; i++)
        if (strcmp(words[1], subcommands[i].name) == 0)
            code = subcommands[i].run(&flags);
    arena_free(flags.arena);
    return code < 0 ? usage(stderr) : code;
}
