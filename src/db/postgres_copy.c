/* src/db/postgres_copy.c: a copy of a PostgreSQL database, made and put back by PostgreSQL's own pg_dump and pg_restore.
 * They know every kind of thing that a database holds, of any release, also what a later release of ours adds; a copy of our own would
 * have to keep up. Both are run without a shell, with what they are told as a vector, and a password stands in their environment, where
 * ps does not show it. pg_dump reads the snapshot that this connection exports, so that what is told about the copy is told of it. */
#include "db/spell.h"
#include "db/store.h"
#include "base/when.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)256 << 10)
#define PACE_BYTES ((int64_t)8 << 20)
#define ALIVE_MS 1000 /* a snapshot lasts as long as its transaction, which PostgreSQL ends when it is idle for 10 s */
#define WORDS_MOST 16

/* ---- a program at the other end of a pipe ---- */

struct program {
    pid_t pid;
    int pipe; /* of ours: its output, or its input */
};

/* The URL as pg_dump may be told it: what ps shows has no password. NULL: the URL is none, or no memory. */
static const char *told_url(struct arena *arena, const char *url)
{
    struct buffer told = { .arena = arena };
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++) {
        if (option->val == NULL)
            continue;
        if (strcmp(option->keyword, "password") == 0) {
            if (setenv("PGPASSWORD", option->val, 1) != 0)
                break;
            continue;
        }
        buffer_printf(&told, "%s='", option->keyword);
        for (const char *at = option->val; *at != '\0'; at++)
            buffer_printf(&told, *at == '\'' || *at == '\\' ? "\\%c" : "%c", *at);
        buffer_text(&told, "' ");
    }
    PQconninfoFree(options);
    return told.at;
}

/* Starts it with `end` (of the standard files) at a pipe. 0, or what went wrong. */
static int start(struct program *program, char *const words[], int end)
{
    int ends[2];
    sigset_t ends_it;
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    if (pipe(ends) != 0)
        return errno;
    const int ours = end == STDIN_FILENO ? 1 : 0;
    sigemptyset(&ends_it);
    sigaddset(&ends_it, SIGPIPE); /* we ignore it; it is to end when we are gone */
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, ends[1 - ours], end);
    posix_spawn_file_actions_addclose(&files, ends[0]);
    posix_spawn_file_actions_addclose(&files, ends[1]);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &ends_it);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int code = posix_spawnp(&program->pid, words[0], &files, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    close(ends[1 - ours]);
    program->pipe = ends[ours];
    if (code != 0)
        close(program->pipe);
    return code;
}

/* True: it has done all that it was asked. */
static bool ended_well(const struct program *program)
{
    int status = 0;
    close(program->pipe);
    while (waitpid(program->pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- out ---- */

struct snapshot {
    const char *name;
};
static const struct db_column snapshot_columns[] = { { "name", DB_TEXT, false, offsetof(struct snapshot, name) } };
static const struct db_statement export_snapshot = {
    .name = "export_snapshot",
    .postgres = "SELECT pg_export_snapshot() AS name",
    .columns = snapshot_columns,
    .column_count = 1,
    .row_size = sizeof(struct snapshot),
};

static enum db_result stay_alive(struct db *db, struct arena *arena)
{
    static const struct db_statement alive = {
        .name = "alive", .postgres = "SELECT '' AS name", .columns = snapshot_columns, .column_count = 1, .row_size = sizeof(struct snapshot)
    };
    struct db_rows rows;
    return db_query(db, arena, &alive, NULL, &rows);
}

static enum db_result take_piece(struct db *db, struct db_copy *copy, int from, void *piece, bool *more)
{
    ssize_t got = read(from, piece, PIECE_BYTES);
    if (got < 0 && errno != EINTR)
        return db_say(db, DB_IO, "the output of pg_dump cannot be read: %m");
    *more = got != 0;
    if (got > 0 && !copy_write(copy, piece, (size_t)got, copy->bytes))
        return db_say(db, errno == ENOSPC || errno == EDQUOT ? DB_FULL : DB_IO, "the copy cannot be written: %m");
    copy->bytes += got > 0 ? got : 0;
    if (got > 0 && copy->bytes / PACE_BYTES != (copy->bytes - got) / PACE_BYTES)
        copy_pace(copy);
    if (copy->progress != NULL)
        copy->progress(copy->context, copy->bytes, 0);
    return DB_OK;
}

/* Once something comes, pg_dump has the snapshot, and we need it no more. */
static enum db_result take_all(struct db *db, struct db_copy *copy, int from, struct arena *arena)
{
    void *piece = arena_alloc(arena, PIECE_BYTES);
    enum db_result result = DB_OK;
    for (bool more = true; more && result == DB_OK;) {
        struct pollfd waits = { .fd = from, .events = POLLIN };
        if (db->state == DB_IDLE || poll(&waits, 1, ALIVE_MS) != 0)
            result = take_piece(db, copy, from, piece, &more);
        else
            result = stay_alive(db, arena);
        if (result == DB_OK && db->state != DB_IDLE && copy->bytes > 0)
            result = db_commit(db);
    }
    return result;
}

static enum db_result dump(struct db *db, struct db_copy *copy, const char *snapshot, struct arena *arena)
{
    const char *url = told_url(arena, copy->url);
    struct program program = { .pipe = -1 };
    const char *words[WORDS_MOST] = { "pg_dump",
                                      "--format=custom",
                                      "--compress=1",
                                      "--no-owner",
                                      "--no-privileges",
                                      "--exclude-schema=read",
                                      "--exclude-table-data=millrace_secret",
                                      "--lock-wait-timeout=60000",
                                      arena_printf(arena, "--snapshot=%s", snapshot),
                                      arena_printf(arena, "--dbname=%s", url == NULL ? "" : url) };
    if (url == NULL)
        return db_say(db, DB_BUG, "\"%s\" is no URL of PostgreSQL", copy->url);
    int code = start(&program, (char *const *)words, STDOUT_FILENO);
    if (code != 0)
        return db_say(db, DB_IO, "pg_dump cannot be started (%s): install PostgreSQL's client programs, of the server's release or newer",
                      strerror(code));
    enum db_result result = take_all(db, copy, program.pipe, arena);
    if (result != DB_OK)
        kill(program.pid, SIGTERM);
    bool well = ended_well(&program);
    return result == DB_OK && !well ? db_say(db, DB_IO, "pg_dump failed, for the reason that it gave") : result;
}

enum db_result postgres_copy_out(struct db *db, struct db_copy *copy)
{
    struct arena *arena = arena_new((size_t)16 << 20);
    struct db_rows rows = { 0 };
    if (arena == NULL)
        return db_say(db, DB_BUSY, NO_MEMORY);
    copy->bytes = 0;
    enum db_result result = db_begin_read(db);
    if (result == DB_OK)
        result = db_query(db, arena, &export_snapshot, NULL, &rows);
    if (result == DB_OK && copy->look != NULL)
        result = copy->look(copy->context, db);
    if (result == DB_OK)
        result = dump(db, copy, ((const struct snapshot *)db_row(&rows, 0))->name, arena);
    copy_end(db);
    arena_free(arena);
    return result;
}

/* ---- in ---- */

/* False: it does not read on, and its exit code tells more; or errno does (*unreadable: of the copy). */
static bool give_all(const struct db_copy *copy, int to, char *piece, bool *unreadable)
{
    for (int64_t done = 0; done < copy->bytes;) {
        ssize_t got = pread(copy->file, piece, (size_t)min_i64((int64_t)PIECE_BYTES, copy->bytes - done), copy->at + done);
        *unreadable = got <= 0;
        if (got <= 0)
            return false;
        for (ssize_t given = 0; given < got;) {
            ssize_t now = write(to, piece + given, (size_t)(got - given));
            if (now < 0 && errno != EINTR)
                return false;
            given += now > 0 ? now : 0;
        }
        done += got;
        if (copy->progress != NULL)
            copy->progress(copy->context, done, copy->bytes);
    }
    return true;
}

enum db_result db_copy_in(const struct db_copy *copy, struct arena *arena, const char **error)
{
    const char *url = told_url(arena, copy->url);
    struct program program = { .pipe = -1 };
    bool unreadable = false;
    const char *words[WORDS_MOST] = { "pg_restore", "--single-transaction", "--exit-on-error",
                                      "--no-owner", "--no-privileges",      arena_printf(arena, "--dbname=%s", url == NULL ? "" : url) };
    *error = arena_printf(arena, "\"%s\" is no URL of PostgreSQL", copy->url);
    if (url == NULL)
        return DB_BUG;
    signal(SIGPIPE, SIG_IGN);
    int code = start(&program, (char *const *)words, STDIN_FILENO);
    if (code != 0) {
        *error = arena_printf(arena, "pg_restore cannot be started (%s): install PostgreSQL's client programs", strerror(code));
        return DB_IO;
    }
    bool given = give_all(copy, program.pipe, arena_alloc(arena, PIECE_BYTES), &unreadable);
    if (!given)
        kill(program.pid, SIGTERM); /* before its input ends: it must not take half for the whole */
    bool well = ended_well(&program);
    *error = unreadable ? "the file could be read no more" : "pg_restore failed, for the reason that it gave; the database is as empty as it was";
    return given && well ? DB_OK : DB_IO;
}
