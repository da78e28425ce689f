/* src/cli/cli.h: the subcommands and what they share. A subcommand gives the process's exit code. */
#ifndef MILLRACE_CLI_CLI_H
#define MILLRACE_CLI_CLI_H

#include "db/db.h"

#define MILLRACE_VERSION "0.1.0"

/* The words after the subcommand: --name VALUE or --name=VALUE. */
struct flags {
    int count;
    char **words;
    struct arena *arena;
};

/* False, and said on stderr, when a word is no flag of `known` (NULL at the end), or has no value. To be asked first. */
bool flags_known(const struct flags *flags, const char *const *known);
/* The flag's value, else that of MILLRACE_NAME, else `preset`. */
const char *flag(const struct flags *flags, const char *name, const char *preset);
/* The n-th value of a flag that may come several times, NULL after the last. */
const char *flag_again(const struct flags *flags, const char *name, size_t n);

/* Rows NAME=VALUE of the file that MILLRACE_CONFIG names, else of millrace.conf where there is one, become variables unless
 * they are set. False, and said, when the file cannot be read or a row sets nothing that there is. */
bool config_read(void);

/* Says why on stderr; gives the exit code 2. */
int fail_with(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line on standard error that says how far something long is, where that is a terminal. */
struct progress {
    const char *what;
    bool seen, told;
    int64_t next_us;
};
void progress_begin(struct progress *progress, const char *what);
void progress_tell(struct progress *progress, int64_t done_bytes, int64_t of_bytes); /* of 0: nobody knows */
void progress_end(struct progress *progress);                                        /* takes the line away */

int run_init(const struct flags *flags);
int run_migrate(const struct flags *flags);
int run_key(const struct flags *words);
int run_serve(const struct flags *flags);
int run_check(const struct flags *flags);
int run_export(const struct flags *words);
int run_import(const struct flags *flags);
int run_simulate(const struct flags *flags);
int run_backup(const struct flags *words);
int run_restore(const struct flags *words);

/* The store that --db names. NULL, and said, when it cannot be opened. */
struct db *open_store(const struct flags *flags, bool create, bool projection);
/* millrace check of `db`, with the master key that belongs to `url`: a line on standard output for each violation. The exit code; 2, and
 * said, when it did not run to its end. */
int check_books(struct db *db, const char *url, struct arena *arena);

#endif
