/* src/cli/cli.h: the subcommands and what they share. */
#ifndef MILLRACE_CLI_CLI_H
#define MILLRACE_CLI_CLI_H

#include "db/db.h"

/* Flags as they came, over MILLRACE_* variables. */
struct flags {
    int count;
    char **words; /* after the subcommand */
    struct arena *arena;
};

/* The value of --name VALUE or --name=VALUE, else of MILLRACE_NAME, else `preset`. */
const char *flag(const struct flags *flags, const char *name, const char *preset);
/* The n-th value of a flag that may come several times, NULL after the last. */
const char *flag_again(const struct flags *flags, const char *name, size_t n);
/* False, and said on stderr, when a flag is none of `known` (NULL at the end). */
bool flags_known(const struct flags *flags, const char *const *known);

/* Says why on stderr; gives the exit code 2. */
int fail_with(const char *format, ...) __attribute__((format(printf, 1, 2)));

int run_init(const struct flags *flags);
int run_key(const struct flags *flags);
int run_serve(const struct flags *flags);
int run_check(const struct flags *flags);

/* The store that --db names. NULL, and said, when it cannot be opened. */
struct db *open_store(const struct flags *flags, bool create, bool projection);

#endif
