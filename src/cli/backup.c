/* src/cli/backup.c: millrace backup: all of a company in one file, while servers run. */
#include "cli/backup_file.h"
#include "base/when.h"
#include "cli/cli.h"
#include "cli/part.h"
#include "db/copy.h"
#include "engine/vault.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct backup {
    const char *url, *path;
    bool replace;
    struct arena *arena;
    struct db *db;
    struct part part;
    struct backup_manifest manifest;
    struct progress progress;
};

static enum db_result look(void *context, struct db *db)
{
    struct backup *backup = context;
    return backup_look(db, backup->arena, &backup->manifest);
}

static void progressed(void *context, int64_t done, int64_t of)
{
    progress_tell(&((struct backup *)context)->progress, done, of);
}

static int copy_out(struct backup *backup)
{
    struct db_copy copy = {
        .url = backup->url, .file = backup->part.file, .at = BACKUP_CONTENT_AT, .look = look, .progress = progressed, .context = backup
    };
    progress_begin(&backup->progress, "copied");
    backup->manifest.taken_at = when_now_us();
    enum db_result result = db_copy_out(backup->db, &copy);
    progress_end(&backup->progress);
    backup->manifest.content_bytes = copy.bytes;
    return result == DB_OK ? 0 : fail_with("no backup was made (%s): %s", db_result_name(result), db_last_error(backup->db));
}

/* The hash is of what the file gives when it is read again, and so is the manifest. */
static int seal(struct backup *backup)
{
    char *hex = arena_alloc(backup->arena, 65);
    const char *error = "";
    struct backup_manifest again;
    progress_begin(&backup->progress, "hashed");
    bool read = backup_hash(backup->part.file, backup->manifest.content_bytes, hex, &backup->progress);
    progress_end(&backup->progress);
    backup->manifest.content_sha256 = hex;
    if (!read || !backup_write_rest(backup->part.file, &backup->manifest, backup->arena))
        return fail_with("%s cannot be %s: %s", backup->part.name, read ? "written" : "read again", strerror(errno));
    const char *wrong = backup_read_rest(backup->part.file, &again, backup->arena);
    if (wrong != NULL)
        return fail_with("no backup was made: what was written %s", wrong);
    return part_finish(&backup->part, backup->replace, backup->arena, &error) ? 0 : fail_with("%s", error);
}

static void report(const struct backup *backup)
{
    char at[32];
    int64_t events = 0;
    const struct backup_manifest *manifest = &backup->manifest;
    const struct backup_unit *units = manifest->units.items;
    for (size_t i = 0; i < manifest->units.count; i++)
        events += units[i].events;
    when_format(manifest->taken_at / 1000000 * 1000000, at);
    printf("%s: %" PRId64 " bytes, company %s, %" PRId64 " events of %zu units, with all that was answered before %s\n", backup->path,
           manifest->content_bytes, manifest->company, events, manifest->units.count - 1, at);
    printf("The master key is not in it%s: keep a copy elsewhere (millrace key save). Without it the people in it cannot be read, and no server\n"
           "starts on what is restored.\n",
           manifest->master_key == NULL ? ", and was not at hand" : "");
}

static void mark_key(struct backup *backup)
{
    const char *error;
    struct vault *vault = vault_open(backup->url, backup->db, false, backup->arena, &error);
    backup->manifest.master_key = vault == NULL ? NULL : vault_mark(vault, backup->arena);
    vault_close(vault);
}

/* An older schema is saved too: after an update the backup comes before millrace migrate. */
static bool schema_is_known(struct backup *backup, const char **error)
{
    struct db_rows applied;
    enum db_result result = db_schema_applied(backup->db, backup->arena, &applied);
    if (result == DB_OK && applied.count > 0)
        return db_schema_judge(&applied, backup->arena, error) == MIGRATE_DONE;
    *error = result == DB_OK ? "the database is empty: there is nothing to save" : db_last_error(backup->db);
    return false;
}

static int make(struct backup *backup)
{
    const char *error = "";
    if (!schema_is_known(backup, &error) || !part_open(&backup->part, backup->path, backup->arena, &error))
        return fail_with("%s", error);
    mark_key(backup);
    int code = copy_out(backup);
    if (code == 0)
        code = seal(backup);
    part_close(&backup->part);
    if (code == 0)
        report(backup);
    return code;
}

/* FILE, then flags; --force is the only one without a value. */
static bool read_words(const struct flags *words, struct flags *rest, struct backup *backup)
{
    *rest = (struct flags){ .words = ARENA_ARRAY(words->arena, char *, (size_t)words->count + 1), .arena = words->arena };
    if (words->count == 0 || strncmp(words->words[0], "--", 2) == 0) {
        fail_with("which file? millrace backup FILE --db URL");
        return false;
    }
    backup->path = words->words[0];
    for (int i = 1; i < words->count; i++)
        if (strcmp(words->words[i], "--force") == 0)
            backup->replace = true;
        else
            rest->words[rest->count++] = words->words[i];
    return flags_known(rest, (const char *const[]){ "db", NULL });
}

int run_backup(const struct flags *words)
{
    struct flags rest;
    struct backup backup = { .arena = words->arena, .part = { .file = -1 }, .manifest = { .release = MILLRACE_VERSION } };
    if (!read_words(words, &rest, &backup))
        return 2;
    bool is_there = access(backup.path, F_OK) == 0;
    if (is_there && !backup.replace)
        return fail_with("%s is there already: name another file, or say --force to replace it", backup.path);
    if (is_there && !backup_begins(backup.path)) /* the database itself, by a slip of the hand */
        return fail_with("%s is no backup, and is not replaced: name another file", backup.path);
    backup.db = open_store(&rest, false, false);
    if (backup.db == NULL)
        return 2;
    backup.url = flag(&rest, "db", "");
    backup.manifest.store = db_is_sqlite(backup.db) ? "sqlite" : "postgres";
    int code = make(&backup);
    db_close(backup.db);
    return code == 0 && fflush(stdout) != 0 ? fail_with("the backup was made, but standard output is closed") : code;
}
