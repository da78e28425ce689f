/* src/cli/backup_file.c: see backup_file.h. */
#include "cli/backup_file.h"
#include "cli/cli.h"
#include "cli_sql.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "MILLRACE BACKUP 1"
#define MAGIC_OF_ANY "MILLRACE BACKUP "
#define LAST_BYTES ((int64_t)(sizeof MAGIC + 16 + 1 + 64 + 1)) /* MAGIC, a blank, digits, a blank, hex, a line's end */
#define MANIFEST_MOST ((int64_t)64 << 20)
#define PIECE_BYTES ((size_t)1 << 20)
#define NAME_MOST (1 << 20) /* of a company: the database keeps any */

/* ---- the manifest ---- */

static const struct field migration_fields[] = {
    { "number", FIELD_INT, FIELD_AT(struct backup_migration, number), .required = true },
    { "checksum", FIELD_INT, FIELD_AT(struct backup_migration, checksum), .required = true },
};
static const struct field_table migration_table = { "Migration", migration_fields, COUNT(migration_fields), sizeof(struct backup_migration) };
static const struct field unit_fields[] = {
    { "unit", FIELD_CODE, FIELD_AT(struct backup_unit, unit), .required = true },
    { "events", FIELD_INT, FIELD_AT(struct backup_unit, events), .required = true, .min = 0, .max = INT64_MAX },
};
static const struct field_table unit_table = { "Unit", unit_fields, COUNT(unit_fields), sizeof(struct backup_unit) };
static const struct field manifest_fields[] = {
    { "store", FIELD_TEXT, FIELD_AT(struct backup_manifest, store), .required = true },
    { "release", FIELD_TEXT, FIELD_AT(struct backup_manifest, release), .required = true },
    { "company", FIELD_TEXT, FIELD_AT(struct backup_manifest, company), .required = true, .max = NAME_MOST },
    { "taken_at", FIELD_TIME, FIELD_AT(struct backup_manifest, taken_at), .required = true },
    { "master_key", FIELD_TEXT, FIELD_AT(struct backup_manifest, master_key), .nullable = true },
    { "schema", FIELD_LIST, FIELD_AT(struct backup_manifest, schema), .required = true, .of = &migration_table },
    { "units", FIELD_LIST, FIELD_AT(struct backup_manifest, units), .required = true, .of = &unit_table },
    { "content_bytes", FIELD_INT, FIELD_AT(struct backup_manifest, content_bytes), .required = true, .min = 0, .max = INT64_MAX },
    { "content_sha256", FIELD_TEXT, FIELD_AT(struct backup_manifest, content_sha256), .required = true, .min = 64, .max = 64 },
};
static const struct field_table manifest_table = { "Manifest", manifest_fields, COUNT(manifest_fields), sizeof(struct backup_manifest) };

static enum db_result look_at_schema(struct db *db, struct arena *arena, struct backup_manifest *manifest)
{
    struct db_rows rows;
    enum db_result result = db_schema_applied(db, arena, &rows);
    struct backup_migration *schema = ARENA_ARRAY(arena, struct backup_migration, rows.count);
    for (size_t i = 0; result == DB_OK && i < rows.count; i++) {
        const struct db_applied *applied = db_row(&rows, i);
        schema[i] = (struct backup_migration){ .number = applied->number, .checksum = applied->checksum };
    }
    manifest->schema = (struct field_list){ schema, rows.count };
    return result;
}

/* The clock row of each unit tells how many events it has; the company's comes first. */
static enum db_result look_at_units(struct db *db, struct arena *arena, struct backup_manifest *manifest)
{
    struct backup_units_result *rows;
    size_t count = 0;
    enum db_result result = backup_units(db, arena, 0, &rows, &count);
    struct backup_unit *units = ARENA_ARRAY(arena, struct backup_unit, count + 1);
    for (size_t i = 0; result == DB_OK && i <= count; i++) {
        struct backup_events_result clock = { 0 };
        bool found;
        result = backup_events(db, arena, i == 0 ? 0 : rows[i - 1].id, &clock, &found);
        units[i] = (struct backup_unit){ .unit = i == 0 ? "company" : rows[i - 1].code, .events = clock.event_seq };
    }
    manifest->units = (struct field_list){ units, count + 1 };
    return result;
}

enum db_result backup_look(struct db *db, struct arena *arena, struct backup_manifest *manifest)
{
    struct backup_company_result company;
    bool found = false;
    enum db_result result = backup_company(db, arena, 0, &company, &found);
    manifest->company = found ? company.name : "";
    if (result == DB_OK)
        result = look_at_schema(db, arena, manifest);
    return result == DB_OK ? look_at_units(db, arena, manifest) : result;
}

const char *backup_units_differ(const struct backup_manifest *a, const struct backup_manifest *b, struct arena *arena)
{
    const struct backup_unit *of_a = a->units.items, *of_b = b->units.items;
    if (a->units.count != b->units.count)
        return arena_printf(arena, "%zu units, not %zu", b->units.count, a->units.count);
    for (size_t i = 0; i < a->units.count; i++)
        if (strcmp(of_a[i].unit, of_b[i].unit) != 0 || of_a[i].events != of_b[i].events)
            return arena_printf(arena, "unit %s with %" PRId64 " events, not %s with %" PRId64, of_b[i].unit, of_b[i].events, of_a[i].unit,
                                of_a[i].events);
    return NULL;
}

enum migrate_result backup_judge_schema(const struct backup_manifest *manifest, struct arena *arena, const char **error)
{
    const struct backup_migration *schema = manifest->schema.items;
    struct db_applied *applied = ARENA_ARRAY(arena, struct db_applied, manifest->schema.count);
    for (size_t i = 0; i < manifest->schema.count; i++)
        applied[i] = (struct db_applied){ schema[i].number, schema[i].checksum };
    const struct db_rows rows = { (char *)applied, manifest->schema.count, sizeof *applied };
    return db_schema_judge(&rows, arena, error);
}

/* ---- the file ---- */

static bool read_all(int file, void *to, size_t bytes, int64_t at)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got = pread(file, (char *)to + done, bytes - done, at + (int64_t)done);
        if (got == 0)
            errno = 0;
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool write_all(int file, const void *from, size_t bytes, int64_t at)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t now = pwrite(file, (const char *)from + done, bytes - done, at + (int64_t)done);
        if (now < 0 && errno != EINTR)
            return false;
        done += now > 0 ? (size_t)now : 0;
    }
    return true;
}

bool backup_hash(int file, int64_t bytes, char hex[65], struct progress *progress)
{
    crypto_hash_sha256_state state;
    uint8_t hash[crypto_hash_sha256_BYTES], *piece = malloc(PIECE_BYTES);
    bool whole = piece != NULL;
    crypto_hash_sha256_init(&state);
    for (int64_t done = 0; whole && done < bytes;) {
        size_t now = (size_t)min_i64((int64_t)PIECE_BYTES, bytes - done);
        whole = read_all(file, piece, now, BACKUP_CONTENT_AT + done);
        crypto_hash_sha256_update(&state, piece, whole ? now : 0);
        done += (int64_t)now;
        progress_tell(progress, done, bytes);
    }
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(hex, 65, hash, sizeof hash);
    free(piece);
    return whole;
}

static void last_line(char line[LAST_BYTES + 1], const char *manifest, size_t bytes)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char hex[65];
    crypto_hash_sha256(hash, (const uint8_t *)manifest, bytes);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    snprintf(line, (size_t)LAST_BYTES + 1, MAGIC " %016zu %s\n", bytes, hex);
}

bool backup_write_rest(int file, const struct backup_manifest *manifest, struct arena *arena)
{
    char head[BACKUP_CONTENT_AT] = MAGIC "\n", last[LAST_BYTES + 1];
    struct json_writer json;
    json_begin(&json, arena);
    buffer_text(&json.out, "\n"); /* a line of its own for who looks into the file */
    fields_write(&json, &manifest_table, manifest);
    buffer_text(&json.out, "\n");
    last_line(last, json.out.at, json.out.size);
    int64_t at = BACKUP_CONTENT_AT + manifest->content_bytes;
    /* All of it is on the disk before the line that says so. */
    return write_all(file, head, sizeof head, 0) && write_all(file, json.out.at, json.out.size, at) && fdatasync(file) == 0 &&
           write_all(file, last, (size_t)LAST_BYTES, at + (int64_t)json.out.size);
}

bool backup_begins(const char *path)
{
    char head[sizeof MAGIC_OF_ANY];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool begins = file >= 0 && read_all(file, head, sizeof MAGIC_OF_ANY - 1, 0) && memcmp(head, MAGIC_OF_ANY, sizeof MAGIC_OF_ANY - 1) == 0;
    if (file >= 0)
        close(file);
    return begins;
}

static const char *read_manifest(const char *text, size_t bytes, struct backup_manifest *manifest, struct arena *arena)
{
    struct faults faults = { .arena = arena };
    memset(manifest, 0, sizeof *manifest);
    if (fields_read_text(arena, text, bytes, &manifest_table, FIELDS_KEPT, manifest, &faults))
        return NULL;
    return arena_printf(arena, "has a manifest that this release cannot read: %s %s", faults.items[0].pointer, faults.items[0].detail);
}

const char *backup_read_rest(int file, struct backup_manifest *manifest, struct arena *arena)
{
    static const char cut[] = "is damaged: it was cut short, or never finished", head[BACKUP_CONTENT_AT] = MAGIC "\n";
    char block[BACKUP_CONTENT_AT], last[LAST_BYTES + 1] = "", expected[LAST_BYTES + 1];
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
        return "is no file";
    if (!read_all(file, block, sizeof MAGIC, 0) || memcmp(block, MAGIC_OF_ANY, sizeof MAGIC_OF_ANY - 1) != 0)
        return "is no backup of Millrace";
    if (memcmp(block, MAGIC "\n", sizeof MAGIC) != 0)
        return "is a backup in another format: restore it with a newer release";
    if (status.st_size < BACKUP_CONTENT_AT + LAST_BYTES || !read_all(file, last, (size_t)LAST_BYTES, status.st_size - LAST_BYTES) ||
        memcmp(last, MAGIC " ", sizeof MAGIC) != 0)
        return cut;
    int64_t bytes = strtoll(last + sizeof MAGIC, NULL, 10), at = status.st_size - LAST_BYTES - bytes;
    if (bytes <= 0 || bytes > MANIFEST_MOST || at < BACKUP_CONTENT_AT)
        return "is damaged: its last line was changed";
    char *text = arena_alloc(arena, (size_t)bytes + 1);
    if (!read_all(file, text, (size_t)bytes, at) || !read_all(file, block, sizeof block, 0))
        return cut;
    last_line(expected, text, (size_t)bytes);
    if (memcmp(expected, last, (size_t)LAST_BYTES) != 0 || memcmp(block, head, sizeof head) != 0)
        return "is damaged: its manifest was changed";
    const char *wrong = read_manifest(text, (size_t)bytes, manifest, arena);
    return wrong == NULL && manifest->content_bytes != at - BACKUP_CONTENT_AT ? cut : wrong;
}
