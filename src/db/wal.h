/* src/db/wal.h: commits that are visible at once and durable a moment later, so that the next batch is decided while the
 * disk syncs the one before. SQLite only; with PostgreSQL, or without one of these, every commit is durable when it returns. */
#ifndef MILLRACE_DB_WAL_H
#define MILLRACE_DB_WAL_H

#include "db/db.h"

#define WAL_FRAME_BYTES (4096 + 24) /* a page, and what stands before it */

struct db_wal;

/* One for each database file, shared by the connections of a process through db_options.wal and outliving them.
 * NULL: no memory. */
struct db_wal *db_wal_new(void);
void db_wal_free(struct db_wal *wal); /* NULL is allowed */

/* Makes all that was committed before the call durable; on one thread at a time, any thread. DB_IO: the disk failed to,
 * and nothing may be believed: end the process. */
enum db_result db_wal_sync(struct db_wal *wal);

/* Whom to tell, on the thread that says so, when more is committed or durable, or db_wal_begin_anew has changed something; NULL: nobody any more, and
 * no call is under way when this returns. One at a time; `wal` may be NULL. */
void db_wal_watch(struct db_wal *wal, void (*told)(void *context), void *context);

/* Whether the WAL is to begin anew soon, for which nobody may read from it any more: db_look_ahead takes no snapshot meanwhile. */
void db_wal_begin_anew(struct db_wal *wal, bool soon);

/* Inside this folder: the name under which SQLite opens a file through it, the mark around a COMMIT and behind one that
 * went well; the commits that some may see by now, those that all do who look now, and those that are durable; and waiting until so many are
 * (DB_BUSY after 5 s). */
const char *wal_vfs_name(const struct db_wal *wal);
void wal_committing(struct db_wal *wal, bool committing);
void wal_committed(struct db_wal *wal);
bool wal_begins_anew(struct db_wal *wal);
int64_t wal_sent(struct db_wal *wal); /* NULL: 0 */
int64_t wal_shown(struct db_wal *wal);
int64_t wal_synced(struct db_wal *wal);
enum db_result wal_settle(struct db_wal *wal, int64_t sent);

#endif
