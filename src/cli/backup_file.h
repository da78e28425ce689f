/* src/cli/backup_file.h: what a backup is as a file, and what it says about itself.
 *   a block of 4096 bytes   "MILLRACE BACKUP 1\n", then zeros
 *   the content             as db/copy.h makes it
 *   the manifest            a line of JSON, between two ends of lines
 *   the last line           "MILLRACE BACKUP 1 ", bytes of the manifest as 16 digits, " ", its SHA-256, "\n"
 * The last line is written last, so a file that was not finished, or was cut, has none. Every byte is under a hash or compared. */
#ifndef MILLRACE_CLI_BACKUP_FILE_H
#define MILLRACE_CLI_BACKUP_FILE_H

#include "base/fields.h"
#include "db/db.h"

#define BACKUP_CONTENT_AT 4096

struct backup_migration {
    struct field_presence presence;
    int64_t number, checksum;
};
/* The company is a unit too: "company". */
struct backup_unit {
    struct field_presence presence;
    const char *unit;
    int64_t events; /* numbered 1 to this */
};
struct backup_manifest {
    struct field_presence presence;
    const char *store; /* "sqlite", "postgres" */
    const char *release, *company;
    int64_t taken_at;         /* it has all that was answered before */
    const char *master_key;   /* vault_mark of the key that people are sealed under; NULL: it was not at hand */
    struct field_list schema; /* struct backup_migration, by number */
    struct field_list units;  /* struct backup_unit, by id */
    int64_t content_bytes;
    const char *content_sha256;
};

/* Fills company, schema and units, of a database of this release or an older one, in the arena. */
enum db_result backup_look(struct db *db, struct arena *arena, struct backup_manifest *manifest);
/* What differs of the two's units, a sentence in the arena; NULL: nothing. */
const char *backup_units_differ(const struct backup_manifest *a, const struct backup_manifest *b, struct arena *arena);
/* What this release makes of its schema; *error is a sentence when not MIGRATE_DONE. */
enum migrate_result backup_judge_schema(const struct backup_manifest *manifest, struct arena *arena, const char **error);

struct progress; /* cli/cli.h */
/* SHA-256 of the content as it lies in the file, in hex. False: errno says why it could not be read; 0: it ends too early. */
bool backup_hash(int file, int64_t bytes, char hex[65], struct progress *progress);
/* Writes all that stands around the content. False: errno says why. */
bool backup_write_rest(int file, const struct backup_manifest *manifest, struct arena *arena);
/* The file begins as a backup does, whole or not. */
bool backup_begins(const char *path);
/* Reads all but the content. NULL, or what the file is instead: the end of a sentence that begins with its name. */
const char *backup_read_rest(int file, struct backup_manifest *manifest, struct arena *arena);

#endif
