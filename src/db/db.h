/* src/db/db.h: one face over two stores, SQLite and PostgreSQL. A connection belongs to one thread. Rows are plain
 * structs described by the descriptors that tools/sqlgen makes from migrations; nothing above this folder knows which
 * store it is, and no foreign error number leaves it. */
#ifndef MILLRACE_DB_DB_H
#define MILLRACE_DB_DB_H

#include "base/fields.h" /* NULL_INT */
#include "base/text.h"

/* What a caller acts on. Everything but DB_OK inside a transaction means: db_rollback, whatever the driver believes. */
enum db_result {
    DB_OK,
    DB_BUSY,       /* a bounded wait (5 s) ended, or the machine has no memory left: it may be done later */
    DB_CONSTRAINT, /* a CHECK, a unique key, a foreign key */
    DB_LOST,       /* the connection is gone; after COMMIT was sent its outcome is open */
    DB_FULL,       /* no room on the disk */
    DB_IO,         /* reading or writing failed; after fdatasync or commit I/O nothing may be believed */
    DB_CORRUPT,    /* the file is not what it should be */
    DB_BUG,        /* the statement is wrong: a fault of ours */
};
const char *db_result_name(enum db_result result);

enum db_type { DB_INT /* int64_t; ID, INT, BOOL in DDL */, DB_TEXT /* const char * */, DB_BLOB /* struct bytes */ };

/* A column that is NULL reads as NULL_INT, NULL, {NULL, 0}, and those write NULL. */
struct db_column {
    const char *name;
    enum db_type type;
    bool nullable;
    size_t offset;
};

/* A way to find rows: the first `prefix_count` columns are matched, the rows come in the order of the rest. Made from
 * `-- path` lines in the migrations (see tools/sqlgen/README.md). */
struct db_table;
struct db_path {
    const char *name;
    const struct db_table *table;
    const uint8_t *columns; /* indexes into table->columns */
    size_t prefix_count, column_count;
    bool descending;
    const char *where;       /* the condition of a partial index, NULL for none */
    uint32_t prefix_above_0; /* bit i: the condition wants column i of the prefix to be above 0 */
    size_t number;           /* dense, 0 .. db_path_count - 1 */
    /* SQLite: the index that serves it, NULL for the primary key, and `where` with each term as likelihood(term, 0.9999):
     * without statistics SQLite takes "unit = ?" for ten rows and "about > 0" for a quarter of them, and then walks the
     * unit, or the range, rather than match both columns. */
    const char *index, *likely;
};

struct db_table {
    const char *name;
    const struct db_column *columns;
    size_t column_count;
    size_t key_count; /* the first columns are the primary key, all DB_INT; 0 where a key holds text: insert and paths only */
    size_t row_size;
    const struct db_path *const *paths;
    size_t path_count;
    size_t number; /* dense, 0 .. db_table_count - 1 */
    /* Bit i: column i, not of the key, stands in an index or its condition. SQLite writes an index again for each column
     * that is set, changed or not, so an update sets only those of them that changed. */
    uint64_t indexed;
};

struct db_value {
    enum db_type type;
    int64_t number;
    const char *text;
    struct bytes blob;
};
static inline struct db_value db_int(int64_t number)
{
    return (struct db_value){ .type = DB_INT, .number = number };
}
static inline struct db_value db_text(const char *text)
{
    return (struct db_value){ .type = DB_TEXT, .text = text };
}

struct db;
struct db_wal; /* db/wal.h */

struct db_options {
    const char *url; /* sqlite:PATH, sqlite::memory:, sqlite::memory:/NAME (while one has it), postgres://... */
    bool create;     /* SQLite: make the file */
    bool read_only;
    bool projection;    /* the projections' store beside it: PATH.read, or the schema "read" */
    int cache_kib;      /* SQLite page cache; 0: 64 MiB */
    bool no_sync;       /* synchronous=OFF: projections and simulations */
    bool no_rollback;   /* SQLite in memory: no journal, so after an error the database is scrap: simulations that then end */
    bool sync_normal;   /* synchronous=NORMAL: only the power-cut test, which must see loss with it */
    struct db_wal *wal; /* of the process's connections to this file; NULL: every commit is durable when it returns */
    bool sync_later;    /* the one connection whose commits db_wal_sync makes durable */
};
/* Before a process has its first connection or db_wal. Without it all works, but threads wait for each other more. */
void db_begin_process(void);

/* Opens a connection. On failure *error is a sentence in the arena that says what to do. SQLite: WAL, 4 KiB pages,
 * synchronous=FULL, foreign_keys off (the checker proves them), automatic checkpoints off. */
enum db_result db_open(struct db **out, const struct db_options *options, struct arena *arena, const char **error);
void db_close(struct db *db); /* NULL is allowed */
bool db_is_sqlite(const struct db *db);
bool db_is_lost(const struct db *db);           /* reopen it */
const char *db_last_error(const struct db *db); /* for the log; never for clients */

/* SQLite: BEGIN IMMEDIATE. PostgreSQL: BEGIN at READ COMMITTED, sent with what follows in one pipeline. */
enum db_result db_begin(struct db *db);
enum db_result db_begin_read(struct db *db); /* a snapshot for several reads; at most 2 s */
enum db_result db_commit(struct db *db);     /* durable when DB_OK, but for sync_later */
enum db_result db_rollback(struct db *db);   /* always leaves no transaction open */

struct db_rows {
    char *at; /* count rows of `stride` bytes each, strings and blobs in the arena */
    size_t count, stride;
};
static inline void *db_row(const struct db_rows *rows, size_t i)
{
    return rows->at + i * rows->stride;
}

/* Rows by primary key: `keys` is count x key_count numbers; a key without a row gives no row; order by key. */
enum db_result db_load(struct db *db, struct arena *arena, const struct db_table *table, const int64_t *keys, size_t count, struct db_rows *rows);

/* Rows by path: `prefixes` is count x prefix_count values; at most `limit` rows for each prefix (0: all), for each
 * prefix in the path's order. */
enum db_result db_load_path(struct db *db, struct arena *arena, const struct db_path *path, const struct db_value *prefixes, size_t count,
                            size_t limit, struct db_rows *rows);

/* One read of several: by primary key (table, keys), by path (path, prefixes, limit) or by statement (statement, prefixes
 * are its values). `lock`, by key inside db_begin: nobody else may change or lock these rows until the transaction ends; on
 * PostgreSQL the wait for whoever has them is part of the read, and the rows are those that he left. */
struct db_statement;
struct db_read {
    const struct db_table *table;
    const int64_t *keys;
    const struct db_path *path;
    const struct db_statement *statement;
    const struct db_value *prefixes;
    size_t count, limit;
    bool lock;
    struct db_rows rows; /* what came */
};
/* All of them, in their order and on what those before saw or waited for. PostgreSQL is asked for all at once and answers in
 * one go: where the wait for an answer is what a read costs, several cost as much as one. */
enum db_result db_read_all(struct db *db, struct arena *arena, struct db_read *reads, size_t count);

/* Whole rows, set-based. Update and delete find them by primary key and are DB_BUG when one is not there. On PostgreSQL
 * they are queued into the pipeline; an error may come with a later call, at the latest from db_commit. */
enum db_result db_insert(struct db *db, const struct db_table *table, const void *const *rows, size_t count);
enum db_result db_update(struct db *db, const struct db_table *table, const void *const *rows, size_t count);
enum db_result db_delete(struct db *db, const struct db_table *table, const void *const *rows, size_t count);

/* The statements of .sql files: what sqlgen's functions call. Text in neutral spelling is made into the store's when
 * it is prepared for the first time on this connection. */
struct db_statement {
    const char *name, *sqlite, *postgres;
    const enum db_type *parameters;
    size_t parameter_count;
    const struct db_column *columns; /* of the result struct */
    size_t column_count, row_size;
};
enum db_result db_query(struct db *db, struct arena *arena, const struct db_statement *statement, const struct db_value *values,
                        struct db_rows *rows);
enum db_result db_execute(struct db *db, const struct db_statement *statement, const struct db_value *values, int64_t *changed);
/* A script of DDL, several statements; migrations and tests only. */
enum db_result db_script(struct db *db, const char *sql);

/* Migrations: those compiled in, each with a checksum, in `schema_migration`. */
enum migrate_result {
    MIGRATE_DONE,
    MIGRATE_NEWER /* the database is of a newer release */,
    MIGRATE_CHANGED /* a checksum differs */,
    MIGRATE_FAILED
};
enum migrate_result db_migrate(struct db *db, bool projection, struct arena *arena, const char **error);
enum db_result db_schema_version(struct db *db, int64_t *version); /* 0: an empty database */
int64_t db_schema_latest(bool projection);
/* The migrations that were applied, by number, as rows of struct db_applied; DB_OK and none in an empty database. */
struct db_applied {
    int64_t number, checksum;
};
enum db_result db_schema_applied(struct db *db, struct arena *arena, struct db_rows *rows);
/* What this release makes of such rows: MIGRATE_DONE (all are known; later ones may be missing), MIGRATE_NEWER, MIGRATE_CHANGED with *error. */
enum migrate_result db_schema_judge(const struct db_rows *applied, struct arena *arena, const char **error);
/* The first table or index of the migrations that is not there, by name; NULL: all are. */
enum db_result db_schema_missing(struct db *db, struct arena *arena, const char **missing);
bool db_is_empty(struct db *db, enum db_result *result); /* no table of anybody's */

/* Waits until all that was read on this connection is durable. Whoever tells the outside what he read calls this in between: a power
 * cut may take back what is only visible (db/wal.h). DB_BUSY after 5 s. */
enum db_result db_settle(struct db *db);

/* SQLite, for a connection that only reads, between two transactions: takes a snapshot before it is needed, of all that is committed by
 * now, unless it has one that is of use, or `beside` (NULL: nobody) has the same. Reads use it for a tenth of a second at most, and as long
 * as it shows all that is durable when they begin, for this process told nobody of more (another one's commits are seen when it is let
 * go); where it shows no more than that they need not wait in db_settle. True: there is one. Until db_let_go, or a read that needs a newer
 * one, it keeps the WAL from beginning anew: who looks ahead looks at db_ahead before each request, and lets go of what is of no use. */
bool db_look_ahead(struct db *db, const struct db *beside);
/* Whether the next read uses it, and then waits. */
enum db_ahead { DB_AHEAD_NOT, DB_AHEAD_WAITS, DB_AHEAD_DURABLE };
enum db_ahead db_ahead(const struct db *db);
void db_let_go(struct db *db);

/* SQLite only (PostgreSQL: no-op): copies what was committed until now and syncs the copy, beside a writer. finish_us > 0, by the writer
 * itself: copies the rest, so that the next write begins the WAL anew; who still reads from the WAL is waited for so long, then DB_BUSY
 * (all that could be copied is). *wal_bytes: what still lies in the WAL. */
enum db_result db_checkpoint(struct db *db, int64_t finish_us, int64_t *wal_bytes);
#define CHECKPOINT_WAITS_US 5000000 /* for who has nothing else to do */
/* Pages (SQLite: WAL frames; PostgreSQL: WAL records and bytes without full-page images) written since the last call. */
struct db_wal_use {
    int64_t pages, records, bytes;
};
enum db_result db_wal_use(struct db *db, struct db_wal_use *use);

/* Tests and simulations: the n-th statement from now on (1: the next) fails with `result`, once; 0 turns it off. `after_commit`: it is
 * a commit that is carried out, and DB_LOST is returned. True: what was ordered before has not come yet, and will not. */
bool db_fail_at(struct db *db, int64_t n, enum db_result result, bool after_commit);

/* A lock that only one process may have: SQLite only, a flock on PATH.lock, held as long as the connection; DB_BUSY when another has it. */
enum db_result db_lock_file(struct db *db);

extern const struct db_table *const db_tables[]; /* generated, main and projection */
extern const size_t db_table_count, db_path_count;

#endif
