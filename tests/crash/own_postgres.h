/* tests/crash/own_postgres.h: a PostgreSQL that the test may kill: with fsync, in a folder of its own. Stop it in a teardown. */
#ifndef MILLRACE_TESTS_CRASH_OWN_POSTGRES_H
#define MILLRACE_TESTS_CRASH_OWN_POSTGRES_H

struct own_postgres {
    char url[200], folder[150];
};
void own_postgres_start(struct own_postgres *postgres, const char *base); /* in a new folder of `base` (NULL: TMPDIR or /tmp) */
void own_postgres_kill(struct own_postgres *postgres);                    /* kill -9 of the postmaster and all its children */
void own_postgres_again(struct own_postgres *postgres);                   /* and until it takes connections */
void own_postgres_stop(struct own_postgres *postgres);                    /* nothing when it was never started */

#endif
