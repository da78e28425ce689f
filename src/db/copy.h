/* src/db/copy.h: a whole store as one stream of bytes, taken while servers write, and put back into an empty place.
 * SQLite: the pages of the file, as a file. PostgreSQL: what pg_dump makes of it (its custom format). The projections' store is
 * left out, since it follows from the events, and on PostgreSQL the master key in millrace_secret, which must not lie beside what it
 * opens. Neither holds a writer up: no read transaction on SQLite is older than 2 s. Design: docs/design/backup.md. */
#ifndef MILLRACE_DB_COPY_H
#define MILLRACE_DB_COPY_H

#include "db/db.h"

struct db_copy {
    const char *url; /* of the store that is copied, or filled */
    int file;        /* open for reading and writing; its bytes from `at` on are the copy's */
    int64_t at;
    int64_t bytes; /* of the copy: told by db_copy_out, asked for by db_copy_in */
    /* Out: called once, inside a transaction that sees exactly what the copy has; anything but DB_OK ends it. NULL: nobody looks. */
    enum db_result (*look)(void *context, struct db *db);
    /* How many bytes are done, of how many; 0: nobody knows. May be NULL. */
    void (*progress)(void *context, int64_t done, int64_t of);
    void *context;
};

/* Copies what is committed when it is called, and perhaps later commits, each whole. Not synced: that is the caller's. `db` is a connection
 * to copy->url without a transaction, and of no further use after an error, which db_last_error says:
 *   DB_BUSY    more was written all the time than could be copied; or a lock of the store was not to be had
 *   DB_FULL    no room for the copy
 *   DB_IO      the copy or the store could not be read or written; pg_dump is not there, or failed: it has said why on standard error
 *   others     of the store */
enum db_result db_copy_out(struct db *db, struct db_copy *copy);

/* Fills the empty PostgreSQL database copy->url: all of it or, on any error, nothing; *error is then a sentence in the arena. (A copy of
 * SQLite is a file already.) DB_IO: pg_restore is not there, or failed: it has said why on standard error. */
enum db_result db_copy_in(const struct db_copy *copy, struct arena *arena, const char **error);

/* What such a copy does not keep and plans rest on: statistics, and the order in which indexes were made (db/spell.h). SQLite: nothing. */
enum db_result db_copy_settle(struct db *db);

#endif
