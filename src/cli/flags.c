/* src/cli/flags.c: what a subcommand is told: flags over MILLRACE_* variables over the configuration file.
 * The file's rows become variables where none is set, so that whoever asks for a variable (the vault) sees them too. */
#include "cli/cli.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the file may set; a row that is none of these is refused, since a misspelt one would be missed silently. */
static const char *const settings[] = { "db", "listen", "company", "master-key-file", "black-box", "webhooks" };

static const char *variable_of(const char *name, char out[64])
{
    size_t at = (size_t)snprintf(out, 64, "MILLRACE_");
    for (size_t i = 0; name[i] != '\0' && at + 1 < 64; i++, at++)
        out[at] = (char)(name[i] == '-' ? '_' : toupper((unsigned char)name[i]));
    out[at] = '\0';
    return out;
}

/* ---- the file ---- */

static char *trimmed(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        text[--size] = '\0';
    return text;
}

/* NULL when the row was taken, else what is wrong with it. */
static const char *take_row(char *row)
{
    char variable[64], *value = strchr(row, '='), *name;
    if (*trimmed(row) == '\0' || *trimmed(row) == '#')
        return NULL;
    if (value == NULL)
        return "wants NAME=VALUE";
    *value++ = '\0';
    name = trimmed(row);
    for (size_t i = 0; i < COUNT(settings); i++)
        if (strcmp(settings[i], name) == 0)
            return setenv(variable_of(name, variable), trimmed(value), 0) == 0 ? NULL : "no memory";
    return "sets nothing that there is: db, listen, company, master-key-file, black-box, webhooks";
}

bool config_read(void)
{
    const char *named = getenv("MILLRACE_CONFIG"), *path = named == NULL ? "millrace.conf" : named, *wrong = NULL;
    char row[4096];
    int number = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL && named == NULL && errno == ENOENT)
        return true;
    if (file == NULL) {
        fail_with("%s: %s", path, strerror(errno));
        return false;
    }
    while (wrong == NULL && fgets(row, sizeof row, file) != NULL) {
        number++;
        wrong = strlen(row) + 1 == sizeof row ? "is longer than 4094 bytes" : take_row(row);
    }
    if (wrong == NULL && ferror(file))
        wrong = "cannot be read to its end";
    fclose(file);
    if (wrong != NULL)
        fail_with("%s, row %d: %s", path, number, wrong);
    return wrong == NULL;
}

/* ---- flags ---- */

/* What follows --name in a word: its value, "" with *next where that is the next word, NULL where the word is another. */
static const char *value_in(const char *word, const char *name, bool *next)
{
    size_t size = strlen(name);
    *next = false;
    if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, name, size) != 0)
        return NULL;
    *next = word[2 + size] == '\0';
    return word[2 + size] == '=' ? word + 3 + size : *next ? "" : NULL;
}

bool flags_known(const struct flags *flags, const char *const *known)
{
    for (int i = 0; i < flags->count; i++) {
        const char *value = NULL, *word = flags->words[i];
        bool next = false;
        for (size_t k = 0; known[k] != NULL && value == NULL; k++)
            value = value_in(word, known[k], &next);
        if (value == NULL)
            fail_with("there is no %s%s here; see millrace --help", strncmp(word, "--", 2) == 0 ? "flag " : "", word);
        else if (next && i + 1 == flags->count)
            fail_with("%s wants a value", word);
        else {
            i += next;
            continue;
        }
        return false;
    }
    return true;
}

const char *flag_again(const struct flags *flags, const char *name, size_t n)
{
    for (int i = 0; i < flags->count; i++) {
        bool next, equals = strchr(flags->words[i], '=') != NULL;
        const char *value = value_in(flags->words[i], name, &next);
        if (value != NULL && n-- == 0)
            return next ? flags->words[i + 1] : value;
        i += !equals; /* a value is never taken for a flag */
    }
    return NULL;
}

const char *flag(const struct flags *flags, const char *name, const char *preset)
{
    char variable[64];
    const char *value = flag_again(flags, name, 0);
    if (value == NULL)
        value = getenv(variable_of(name, variable));
    return value == NULL ? preset : value;
}
