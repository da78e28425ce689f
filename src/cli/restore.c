/* src/cli/restore.c: millrace restore: a company from a backup, in a place where nothing is yet.
 * All that can be refused is refused before anything is touched. Then the store is filled under another name (SQLite) or in one
 * transaction (PostgreSQL), so that what stands there in the end is the whole, or nothing. */
#include "base/when.h"
#include "cli/backup_file.h"
#include "cli/cli.h"
#include "cli/part.h"
#include "db/copy.h"
#include "engine/vault.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SQLITE_SCHEME "sqlite:"
#define PIECE_BYTES ((size_t)1 << 20)

struct restore {
    const char *from, *url;
    int file;
    struct arena *arena;
    struct backup_manifest manifest;
    struct progress progress;
    const char *key_note; /* what is to be said about the master key; NULL: it fits */
};

static bool is_sqlite(const char *url)
{
    return strncmp(url, SQLITE_SCHEME, sizeof SQLITE_SCHEME - 1) == 0;
}

/* ---- may it be restored, and there? ---- */

static int judge_file(struct restore *restore)
{
    const char *error = "", *wrong = backup_read_rest(restore->file, &restore->manifest, restore->arena);
    const char *store = is_sqlite(restore->url) ? "sqlite" : "postgres";
    if (wrong != NULL)
        return fail_with("%s %s", restore->from, wrong);
    if (strcmp(restore->manifest.store, store) != 0)
        return fail_with("%s is of a store of the other kind: it goes into %s", restore->from,
                         is_sqlite(restore->url) ? "an empty PostgreSQL database" : "a new SQLite file");
    if (backup_judge_schema(&restore->manifest, restore->arena, &error) != MIGRATE_DONE)
        return fail_with("%s is of another schema: %s", restore->from, error);
    return 0;
}

static int judge_content(struct restore *restore)
{
    char hex[65];
    progress_begin(&restore->progress, "verified");
    bool read = backup_hash(restore->file, restore->manifest.content_bytes, hex, &restore->progress);
    progress_end(&restore->progress);
    if (!read)
        return fail_with("%s cannot be read: %s", restore->from, strerror(errno));
    if (strcmp(hex, restore->manifest.content_sha256) != 0)
        return fail_with("%s is damaged: its content is not what was saved", restore->from);
    return 0;
}

static int judge_key(struct restore *restore)
{
    const char *error = "", *mark = restore->manifest.master_key;
    struct vault *vault = vault_open(restore->url, NULL, false, restore->arena, &error);
    bool fits = vault == NULL || mark == NULL || strcmp(vault_mark(vault, restore->arena), mark) == 0;
    restore->key_note = vault == NULL  ? "The master key is not at hand, and no server starts without it: "
                        : mark == NULL ? "Whether the master key that is at hand fits was not known when the backup was made; if not, "
                                       : NULL;
    vault_close(vault);
    return fits ? 0
                : fail_with("the master key that is at hand is not the one of this backup: name the right one in MILLRACE_MASTER_KEY_FILE%s",
                            is_sqlite(restore->url) ? ", or put it beside the new file as PATH.key" : "");
}

/* ---- SQLite ---- */

static bool is_locked(const char *name)
{
    int lock = open(name, O_RDWR | O_CLOEXEC);
    bool locked = lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0;
    if (lock >= 0)
        close(lock);
    return locked;
}

/* Also what an older file of that name left behind: SQLite would take its WAL for the new one's. */
static int judge_path(struct restore *restore, const char *path)
{
    static const char *const beside[] = { "", "-wal", "-shm", "-journal", ".read", ".read-wal", ".read-shm" };
    if (strcmp(path, ":memory:") == 0)
        return fail_with("--into wants a file: what is restored into memory is gone with this process");
    if (is_locked(arena_printf(restore->arena, "%s.lock", path)))
        return fail_with("a server runs on %s: restore into a new place", path);
    for (size_t i = 0; i < COUNT(beside); i++) {
        const char *name = arena_printf(restore->arena, "%s%s", path, beside[i]);
        if (access(name, F_OK) == 0)
            return fail_with("%s is there already: restore into a new place, or move it away", name);
    }
    return 0;
}

static bool copy_content(struct restore *restore, int to)
{
    char *piece = malloc(PIECE_BYTES);
    int64_t bytes = restore->manifest.content_bytes;
    bool well = piece != NULL;
    progress_begin(&restore->progress, "restored");
    for (int64_t done = 0; well && done < bytes;) {
        ssize_t got = pread(restore->file, piece, (size_t)min_i64((int64_t)PIECE_BYTES, bytes - done), BACKUP_CONTENT_AT + done);
        ssize_t given = 0, now = 1;
        for (; given < got && now > 0; given += now > 0 ? now : 0)
            now = pwrite(to, piece + given, (size_t)(got - given), done + given);
        well = got > 0 && given == got;
        done += got;
        progress_tell(&restore->progress, done, bytes);
    }
    progress_end(&restore->progress);
    free(piece);
    return well;
}

/* ---- what both have in common: brought to this release, compared with its manifest, checked ---- */

static int prove(struct restore *restore, struct db *db)
{
    const char *error = "";
    struct backup_manifest found = { .store = restore->manifest.store };
    if (db_migrate(db, false, restore->arena, &error) != MIGRATE_DONE)
        return fail_with("%s", error);
    if (db_copy_settle(db) != DB_OK || backup_look(db, restore->arena, &found) != DB_OK)
        return fail_with("what was restored cannot be read: %s", db_last_error(db));
    const char *differ = backup_units_differ(&restore->manifest, &found, restore->arena);
    if (differ != NULL)
        return fail_with("what was restored is not what was saved: it has %s", differ);
    return check_books(db, restore->url, restore->arena);
}

static int open_and_prove(struct restore *restore, const char *url)
{
    const char *error = "";
    struct db *db = NULL;
    if (db_open(&db, &(struct db_options){ .url = url }, restore->arena, &error) != DB_OK)
        return fail_with("%s", error);
    int code = prove(restore, db);
    db_close(db);
    return code;
}

/* What SQLite keeps beside the part: of a restore that died, or of this one, which failed. */
static void sweep(struct restore *restore, const struct part *part)
{
    unlink(arena_printf(restore->arena, "%s-wal", part->name));
    unlink(arena_printf(restore->arena, "%s-shm", part->name));
}

/* The part is open here as long as SQLite has it: closing it would end SQLite's locks. */
static int into_sqlite(struct restore *restore, const char *path)
{
    struct part part;
    const char *error = "";
    if (!part_open(&part, path, restore->arena, &error))
        return fail_with("%s", error);
    sweep(restore, &part);
    int code = copy_content(restore, part.file) ? open_and_prove(restore, arena_printf(restore->arena, SQLITE_SCHEME "%s", part.name))
                                                : fail_with("%s cannot be written: %s", part.name, strerror(errno));
    if (code != 2 && access(arena_printf(restore->arena, "%s-wal", part.name), F_OK) == 0)
        code = fail_with("%s could not be closed: what it was brought to is not in it yet", part.name);
    if (code != 2 && !part_finish(&part, false, restore->arena, &error))
        code = fail_with("%s", error);
    if (code == 2)
        sweep(restore, &part);
    part_close(&part);
    return code;
}

/* ---- PostgreSQL ---- */

static int judge_database(struct restore *restore)
{
    int code = 0;
    for (int projection = 0; projection < 2 && code == 0; projection++) {
        struct db *db = NULL;
        const char *error = "";
        enum db_result result;
        if (db_open(&db, &(struct db_options){ .url = restore->url, .projection = projection == 1 }, restore->arena, &error) != DB_OK)
            return fail_with("%s", error);
        if (!db_is_empty(db, &result))
            code = result != DB_OK ? fail_with("%s", db_last_error(db)) : fail_with("the database is not empty: restore into a new one (createdb)");
        db_close(db);
    }
    return code;
}

static void progressed(void *context, int64_t done, int64_t of)
{
    progress_tell(&((struct restore *)context)->progress, done, of);
}

static int into_postgres(struct restore *restore)
{
    const char *error = "";
    const struct db_copy copy = { .url = restore->url,
                                  .file = restore->file,
                                  .at = BACKUP_CONTENT_AT,
                                  .bytes = restore->manifest.content_bytes,
                                  .progress = progressed,
                                  .context = restore };
    progress_begin(&restore->progress, "restored");
    enum db_result result = db_copy_in(&copy, restore->arena, &error);
    progress_end(&restore->progress);
    return result == DB_OK ? open_and_prove(restore, restore->url) : fail_with("%s", error);
}

/* ---- the whole ---- */

static int run(struct restore *restore)
{
    const char *path = is_sqlite(restore->url) ? restore->url + sizeof SQLITE_SCHEME - 1 : NULL;
    char at[32];
    int code = judge_file(restore);
    if (code == 0)
        code = path != NULL ? judge_path(restore, path) : judge_database(restore);
    if (code == 0)
        code = judge_key(restore);
    if (code == 0)
        code = judge_content(restore);
    if (code == 0)
        code = path != NULL ? into_sqlite(restore, path) : into_postgres(restore);
    if (code == 2)
        return code;
    when_format(restore->manifest.taken_at / 1000000 * 1000000, at);
    printf("%s is restored: company %s with %zu units, as of %s; millrace check %s\n", restore->from, restore->manifest.company,
           restore->manifest.units.count - 1, at, code == 0 ? "finds nothing" : "found what stands above");
    if (restore->key_note != NULL)
        printf("%sput it %s.\n", restore->key_note,
               path != NULL ? arena_printf(restore->arena, "at %s.key, or name it in MILLRACE_MASTER_KEY_FILE", path)
                            : "into a file and name that in MILLRACE_MASTER_KEY_FILE");
    return fflush(stdout) == 0 ? code : fail_with("it is restored, but standard output is closed");
}

int run_restore(const struct flags *words)
{
    if (words->count == 0 || strncmp(words->words[0], "--", 2) == 0)
        return fail_with("which file? millrace restore FILE --into URL");
    const struct flags rest = { words->count - 1, words->words + 1, words->arena };
    if (!flags_known(&rest, (const char *const[]){ "into", NULL }))
        return 2;
    struct restore restore = { .from = words->words[0], .url = flag_again(&rest, "into", 0), .arena = words->arena };
    if (restore.url == NULL) /* never MILLRACE_DB: that names a company that is there */
        return fail_with("--into URL is missing: sqlite:PATH of a new file, or postgres://... of an empty database");
    restore.file = open(restore.from, O_RDONLY | O_CLOEXEC);
    if (restore.file < 0)
        return fail_with("%s: %s", restore.from, strerror(errno));
    int code = run(&restore);
    close(restore.file);
    return code;
}
