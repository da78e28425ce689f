/* src/db/store.h: what db.c asks of a driver. Inside this folder only. */
#ifndef MILLRACE_DB_STORE_H
#define MILLRACE_DB_STORE_H

#include "db/copy.h"
#include "db/db.h"

#define NO_MEMORY "the machine has no memory left"

enum db_state { DB_IDLE, DB_READING, DB_WRITING, DB_FAILED /* until db_rollback */ };

/* One migration, compiled in by tools/sqlgen in both spellings. The checksum is over the text without comments and
 * with single spaces, so that a comment or a path may change. */
struct db_migration {
    int64_t number;
    const char *name, *sqlite, *postgres;
    int64_t checksum;
};
extern const struct db_migration db_migrations[], db_read_migrations[];
extern const size_t db_migration_count, db_read_migration_count;

/* A driver converts each foreign error once, where it arises, and leaves the sentence in db->error. After an error the
 * face calls nothing but rollback and close. `abandon` lets go of what a read held, or has asked for and not taken yet, when
 * its arena was full. */
struct db_driver {
    struct db *(*make)(void); /* NULL: the machine has no memory left */
    enum db_result (*open)(struct db *db, const struct db_options *options);
    void (*close)(struct db *db);
    enum db_result (*begin)(struct db *db, enum db_state state);
    enum db_result (*commit)(struct db *db);
    enum db_result (*rollback)(struct db *db);
    enum db_result (*look)(struct db *db); /* takes the snapshot of a transaction that reads; NULL where commits are durable at once */
    enum db_result (*read)(struct db *db, struct arena *arena, struct db_read *reads, size_t count); /* one without keys or prefixes gives nothing */
    enum db_result (*insert)(struct db *db, const struct db_table *table, const void *const *rows, size_t count);
    enum db_result (*update)(struct db *db, const struct db_table *table, const void *const *rows, size_t count);
    enum db_result (*remove)(struct db *db, const struct db_table *table, const void *const *rows, size_t count);
    enum db_result (*execute)(struct db *db, const struct db_statement *statement, const struct db_value *values, int64_t *changed);
    enum db_result (*script)(struct db *db, const char *sql);
    void (*abandon)(struct db *db);
    enum db_result (*checkpoint)(struct db *db, int64_t finish_us, int64_t *wal_bytes);
    enum db_result (*wal_use)(struct db *db, struct db_wal_use *use);
    enum db_result (*lock_file)(struct db *db);
    enum db_result (*copy_out)(struct db *db, struct db_copy *copy); /* db/copy.h */
};
extern const struct db_driver sqlite_driver, postgres_driver;

/* What both drivers have; each allocates it as the first member of its own. */
struct db {
    const struct db_driver *driver;
    enum db_state state;
    enum db_result failure; /* the first error of the transaction: every later call repeats it */
    bool lost;
    bool projection;
    struct db_wal *wal;  /* of the file, NULL: what is seen is durable */
    int64_t seen;        /* commits of it that may have been read */
    bool snapshot_noted; /* of this transaction */
    bool ahead;          /* a snapshot was taken before it is needed: a transaction of the driver is open */
    int64_t ahead_has;   /* the commits that it shows */
    int64_t ahead_at_us; /* monotonic: when it was taken */
    struct {
        int64_t countdown; /* 0: off */
        enum db_result result;
        bool after_commit;
    } fail;
    const void **order; /* scratch: rows of one call in the order of their keys */
    size_t order_room;
    struct arena *texts; /* of statements; lives as long as the connection */
    char error[512];
};
/* A driver whose commits are not durable at once calls this after each statement that reads. What a snapshot shows was committed before
 * its first; what comes while its reader goes on is none of his business. */
void db_note_snapshot(struct db *db);
enum db_result db_say(struct db *db, enum db_result result, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Copies have files of their own; the foreign handle (sqlite3 *) is for the one of SQLite. */
void *sqlite_handle(struct db *db);
enum db_result sqlite_copy_out(struct db *db, struct db_copy *copy);
enum db_result postgres_copy_out(struct db *db, struct db_copy *copy);
/* Writes all of it there; false: errno says why. */
bool copy_write(const struct db_copy *copy, const void *bytes, size_t size, int64_t at);
/* Outside a transaction: gives what was written since to the disk, and then leaves the disk alone for as long. */
void copy_pace(const struct db_copy *copy);
/* Leaves no transaction open, and the sentence that says why it was left as it is. */
void copy_end(struct db *db);

/* Statements by address: the driver's prepared statement of each. Open addressing; grows. */
struct db_slots {
    struct db_slot {
        const void *key;
        void *prepared;
    } * slots;
    size_t count, room;
};
void **db_slot(struct db_slots *slots, const void *key); /* NULL: the machine has no memory left */

/* The row array of a read while it grows; the arena is the caller's. */
void *db_rows_add(struct arena *arena, struct db_rows *rows, size_t *room);

#endif
