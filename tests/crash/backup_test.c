/* tests/crash/backup_test.c: a company is saved while it sells, and restored elsewhere: what was acknowledged before is there, the
 * check finds nothing, and the restored company goes on. What is damaged, foreign or in the way is refused and touches nothing; a
 * backup that is killed leaves nothing that looks whole. On both stores; and docs/operating.md to the word. */
#include "crash/load.h"
#include "db/db.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define WAIT_MS 20000
#define BEFORE 150 /* commands before the backup begins */
#define BESIDE 60  /* and while it runs, at least, before and behind it */
#define KILLS 14

struct scene {
    const char *postgres; /* NULL: on SQLite */
    struct site site;
    struct site again; /* where it is restored: a place of the same folder or server */
    char file[140], said[8192];
    int places;
    struct server server;
};

static struct load before, beside, after;

/* ---- places ---- */

static void on_postgres(const struct scene *scene, const char *verb, const char *database)
{
    struct arena *arena = arena_new((size_t)1 << 24);
    struct db *db = NULL;
    const char *error = "";
    if (db_open(&db, &(struct db_options){ .url = scene->postgres }, arena, &error) != DB_OK)
        fail_msg("%s", error);
    if (db_script(db, arena_printf(arena, verb, database)) != DB_OK)
        fail_msg("%s", db_last_error(db));
    db_close(db);
    arena_free(arena);
}

/* A new place with the master key at hand, for a restore. On PostgreSQL an empty database, whose name the site forgets: see drop. */
static void new_place(struct scene *scene)
{
    char line[400];
    scene->again = scene->site;
    scene->places++;
    if (scene->postgres == NULL) {
        snprintf(scene->again.url, sizeof scene->again.url, "sqlite:%s/again%d.db", scene->site.folder, scene->places);
        snprintf(line, sizeof line, "cp '%s/shop.db.key' '%s/again%d.db.key'", scene->site.folder, scene->site.folder, scene->places);
        assert_int_equal(system(line), 0);
        return;
    }
    snprintf(scene->again.database, sizeof scene->again.database, "%.40s_%d", scene->site.database, scene->places);
    on_postgres(scene, "CREATE DATABASE \"%s\"", scene->again.database);
    url_with_database(scene->again.url, sizeof scene->again.url, scene->postgres, scene->again.database);
}

static int set_up(void **state, const char *postgres)
{
    struct scene *scene = calloc(1, sizeof *scene);
    scene->postgres = postgres;
    unsetenv("MILLRACE_MASTER_KEY_FILE");
    site_make(&scene->site, NULL, postgres);
    snprintf(scene->file, sizeof scene->file, "%s/shop.backup", scene->site.folder);
    if (postgres != NULL) { /* init put the key into the database: kept apart, as the operator is told to */
        char path[140];
        snprintf(path, sizeof path, "%s/shop.masterkey", scene->site.folder);
        assert_int_equal(site_run(&scene->site, scene->said, sizeof scene->said, "key save --db '%s' --file '%s'", scene->site.url, path), 0);
        setenv("MILLRACE_MASTER_KEY_FILE", path, 1);
    }
    *state = scene;
    return 0;
}

static int on_sqlite(void **state)
{
    return set_up(state, NULL);
}

static int on_postgresql(void **state)
{
    return set_up(state, site_postgres());
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    server_kill(&scene->server);
    for (int i = 1; scene->postgres != NULL && i <= scene->places; i++) {
        char name[64];
        snprintf(name, sizeof name, "%.40s_%d", scene->site.database, i);
        on_postgres(scene, "DROP DATABASE \"%s\" WITH (FORCE)", name);
    }
    site_delete(&scene->site);
    unsetenv("MILLRACE_MASTER_KEY_FILE");
    free(scene);
    return 0;
}

/* ---- commands ---- */

static int backup(struct scene *scene, const char *more)
{
    return site_run(&scene->site, scene->said, sizeof scene->said, "backup '%s' --db '%s' %s 2>&1", scene->file, scene->site.url, more);
}

static int restore_of(struct scene *scene, const char *file)
{
    return site_run(&scene->site, scene->said, sizeof scene->said, "restore '%s' --into '%s' 2>&1", file, scene->again.url);
}

static void says(const struct scene *scene, const char *what)
{
    if (strstr(scene->said, what) == NULL)
        fail_msg("it said \"%s\", not \"%s\"", scene->said, what);
}

static void must(const struct scene *scene, int code)
{
    if (code != 0)
        fail_msg("%d: %s", code, scene->said);
}

/* Nothing at all is there: no file (but its key), no table. */
static bool is_untouched(const struct scene *scene)
{
    char path[160];
    enum db_result result;
    if (scene->postgres == NULL) {
        static const char *const beside_it[] = { "", ".part", "-wal", "-shm", ".read", ".part-wal" };
        for (size_t i = 0; i < COUNT(beside_it); i++) {
            snprintf(path, sizeof path, "%.120s%s", scene->again.url + strlen("sqlite:"), beside_it[i]);
            if (access(path, F_OK) == 0)
                return false;
        }
        return true;
    }
    struct arena *arena = arena_new((size_t)1 << 24);
    struct db *db = NULL;
    const char *error = "";
    if (db_open(&db, &(struct db_options){ .url = scene->again.url }, arena, &error) != DB_OK)
        fail_msg("%s", error);
    bool empty = db_is_empty(db, &result);
    db_close(db);
    arena_free(arena);
    return empty;
}

static void script(const struct site *site, const char *text)
{
    struct arena *arena = arena_new((size_t)1 << 24);
    struct db *db = NULL;
    const char *error = "";
    if (db_open(&db, &(struct db_options){ .url = site->url }, arena, &error) != DB_OK)
        fail_msg("%s", error);
    if (db_script(db, text) != DB_OK)
        fail_msg("%s: %s", text, db_last_error(db));
    db_close(db);
    arena_free(arena);
}

/* Events of all units, by their clocks. */
static int64_t events_of(const struct site *site)
{
    static const struct db_column columns[] = { { "n", DB_INT, false, 0 } };
    static const struct db_statement sum = {
        .name = "events",
        .sqlite = "SELECT sum(event_seq) AS n FROM unit_clock",
        .postgres = "SELECT CAST(sum(event_seq) AS bigint) AS n FROM unit_clock",
        .columns = columns,
        .column_count = 1,
        .row_size = sizeof(int64_t),
    };
    struct arena *arena = arena_new((size_t)1 << 24);
    struct db *db = NULL;
    struct db_rows rows;
    const char *error = "";
    int64_t events;
    if (db_open(&db, &(struct db_options){ .url = site->url }, arena, &error) != DB_OK)
        fail_msg("%s", error);
    assert_int_equal(db_query(db, arena, &sum, NULL, &rows), DB_OK);
    memcpy(&events, db_row(&rows, 0), sizeof events);
    db_close(db);
    arena_free(arena);
    return events;
}

/* ---- while it sells ---- */

static void wait_for(struct load *load, size_t acknowledged)
{
    for (int64_t until = now_ms() + WAIT_MS; atomic_load(&load->acknowledged) < acknowledged && now_ms() < until;)
        usleep(1000);
    assert_true(atomic_load(&load->acknowledged) >= acknowledged);
}

/* `before` has sold all that it will when the backup begins, so all of it must be in it; `beside` sells all the time. */
static void save_while_it_sells(struct scene *scene)
{
    server_start(&scene->server, &scene->site);
    before = (struct load){ .round = 0 };
    beside = (struct load){ .unit = "2" };
    load_sell(&before, &scene->site, scene->server.port);
    load_sell(&beside, &scene->site, scene->server.port);
    load_start(&before, &scene->site, &scene->server, 1);
    load_start(&beside, &scene->site, &scene->server, 1);
    wait_for(&before, BEFORE);
    load_stop(&before);
    assert_true(load_wait(&before));
    assert_int_equal(before.all_open, 0);
    wait_for(&beside, BESIDE);
    int64_t at_least = events_of(&scene->site);
    must(scene, backup(scene, ""));
    says(scene, "company Shop");
    says(scene, "The master key is not in it");
    wait_for(&beside, atomic_load(&beside.acknowledged) + BESIDE);
    load_stop(&beside);
    assert_true(load_wait(&beside));
    int64_t at_most = events_of(&scene->site);
    server_stop(&scene->server);
    new_place(scene);
    must(scene, restore_of(scene, scene->file));
    says(scene, "millrace check finds nothing\n");
    int64_t events = events_of(&scene->again);
    print_message("%ld events in the backup, %ld when it began, %ld in the end\n", (long)events, (long)at_least, (long)at_most);
    assert_true(events >= at_least && events <= at_most && at_most > at_least);
}

/* Keys and ids are known where they were; new orders get new numbers; events have no gap; and it can be saved again. */
static void it_is_saved_while_it_sells_and_goes_on_elsewhere(void **state)
{
    struct scene *scene = *state;
    save_while_it_sells(scene);
    int64_t events = events_of(&scene->again);
    server_start(&scene->server, &scene->again);
    assert_true(load_again(&before, &scene->again, &scene->server, 1)); /* every answer, to the byte */
    assert_int_equal(events_of(&scene->again), events);
    after = (struct load){ .round = 7 };
    load_start(&after, &scene->again, &scene->server, 1);
    wait_for(&after, BEFORE);
    load_stop(&after);
    assert_true(load_wait(&after));
    assert_true(load_again(&after, &scene->again, &scene->server, 1));
    assert_true(events_of(&scene->again) > events);
    server_stop(&scene->server);
    assert_int_equal(site_check(&scene->again), 0);
    scene->site.url[0] = '\0'; /* of the restored: saved and restored once more */
    snprintf(scene->site.url, sizeof scene->site.url, "%s", scene->again.url);
    must(scene, backup(scene, "--force"));
    new_place(scene);
    must(scene, restore_of(scene, scene->file));
    assert_int_equal(events_of(&scene->again), events_of(&scene->site));
}

/* ---- killed ---- */

/* Kills `millrace backup --force` after so long; 0: lets it end. Gives the microseconds that it lived. */
static int64_t killed_backup(const struct scene *scene, int64_t after_us)
{
    int64_t from = now_ms();
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        execl(scene->site.binary, "millrace", "backup", scene->file, "--force", "--db", scene->site.url, (char *)NULL);
        _exit(127);
    }
    if (after_us > 0) {
        usleep((useconds_t)after_us);
        kill(child, SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(after_us > 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    return (now_ms() - from) * 1000;
}

static void a_killed_backup_leaves_nothing_that_looks_whole(void **state)
{
    struct scene *scene = *state;
    char part[160];
    int halves = 0;
    snprintf(part, sizeof part, "%s.part", scene->file);
    server_start(&scene->server, &scene->site);
    before = (struct load){ .round = 0 };
    load_sell(&before, &scene->site, scene->server.port);
    load_start(&before, &scene->site, &scene->server, 1);
    wait_for(&before, BESIDE);
    int64_t whole_us = killed_backup(scene, 0);
    new_place(scene);
    for (int i = 1; i <= KILLS; i++) {
        killed_backup(scene, whole_us * i / (KILLS + 1) + 1);
        if (access(part, F_OK) != 0)
            continue;
        if (restore_of(scene, part) == 0) { /* killed between its last line and its name: it is whole, and so is what came of it */
            assert_int_equal(site_check(&scene->again), 0);
            new_place(scene);
            continue;
        }
        halves++;
        says(scene, part);
        assert_true(is_untouched(scene));
    }
    load_stop(&before);
    assert_true(load_wait(&before));
    server_stop(&scene->server);
    print_message("%d of %d were killed while they wrote\n", halves, KILLS);
    assert_true(halves > 0);
    must(scene, restore_of(scene, scene->file)); /* that was whole all the time */
    must(scene, backup(scene, "--force"));       /* and what is left of the killed is in nobody's way */
    assert_int_not_equal(access(part, F_OK), 0);
}

/* ---- refused ---- */

static void write_at(const char *path, int64_t at, const void *bytes, size_t size)
{
    int file = open(path, O_WRONLY);
    assert_int_equal(pwrite(file, bytes, size, at), size);
    close(file);
}

/* One byte changed at each place of the file, and the file cut at each: the whole is never taken for a backup. */
static void a_damaged_backup_is_named_and_touches_nothing(void **state)
{
    struct scene *scene = *state;
    char hurt[160], line[400], byte;
    struct stat status;
    must(scene, backup(scene, ""));
    new_place(scene);
    snprintf(hurt, sizeof hurt, "%s/hurt.backup", scene->site.folder);
    snprintf(line, sizeof line, "cp '%s' '%s'", scene->file, hurt);
    assert_int_equal(stat(scene->file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    const int64_t size = status.st_size;
    const struct {
        int64_t at;
        const char *says;
    } flips[] = { { 0, "is no backup of Millrace" },
                  { 16, "in another format" },
                  { 100, "its manifest was changed" }, /* the block before the content */
                  { 4096, "its content is not what was saved" },
                  { size / 2, "its content is not what was saved" },
                  { size - 300, "its manifest was changed" },
                  { size - 100, "cut short" },
                  { size - 70, "its last line was changed" },
                  { size - 1, "its manifest was changed" } };
    for (size_t i = 0; i < COUNT(flips); i++) {
        assert_int_equal(system(line), 0);
        int file = open(hurt, O_RDONLY);
        assert_int_equal(pread(file, &byte, 1, flips[i].at), 1);
        close(file);
        byte ^= 0x11;
        write_at(hurt, flips[i].at, &byte, 1);
        if (restore_of(scene, hurt) != 2 || strstr(scene->said, flips[i].says) == NULL)
            fail_msg("changed at %ld of %ld it says \"%s\", not \"%s\"", (long)flips[i].at, (long)size, scene->said, flips[i].says);
        says(scene, hurt);
        assert_true(is_untouched(scene));
    }
    const int64_t cuts[] = { size - 1, size - 101, size / 2, 5000, 4096, 30, 17, 5, 0 };
    for (size_t i = 0; i < COUNT(cuts); i++) {
        assert_int_equal(system(line), 0);
        assert_int_equal(truncate(hurt, cuts[i]), 0);
        assert_int_equal(restore_of(scene, hurt), 2);
        says(scene, cuts[i] > 17 ? "cut short" : "is no backup of Millrace");
        assert_true(is_untouched(scene));
    }
    assert_int_equal(restore_of(scene, scene->site.binary), 2);
    says(scene, "is no backup of Millrace");
    assert_int_equal(restore_of(scene, scene->site.folder), 2);
    says(scene, "is no file");
    assert_int_equal(restore_of(scene, "nowhere.backup"), 2);
    says(scene, "nowhere.backup: No such file");
    assert_true(is_untouched(scene));
    must(scene, restore_of(scene, scene->file)); /* and the whole one goes there */
}

static void what_is_there_is_not_overwritten(void **state)
{
    struct scene *scene = *state;
    char other[200];
    must(scene, backup(scene, ""));
    assert_int_equal(backup(scene, ""), 2);
    says(scene, "is there already");
    must(scene, backup(scene, "--force"));
    new_place(scene);
    must(scene, restore_of(scene, scene->file));
    assert_int_equal(restore_of(scene, scene->file), 2);
    says(scene, scene->postgres == NULL ? "is there already" : "the database is not empty");
    server_start(&scene->server, &scene->again);
    assert_int_equal(restore_of(scene, scene->file), 2);
    says(scene, scene->postgres == NULL ? "a server runs on" : "the database is not empty");
    server_stop(&scene->server);
    assert_int_equal(site_check(&scene->again), 0);
    snprintf(other, sizeof other, "%s", scene->postgres == NULL ? "postgres://localhost/nowhere" : "sqlite:nowhere.db");
    snprintf(scene->again.url, sizeof scene->again.url, "%s", other);
    assert_int_equal(restore_of(scene, scene->file), 2);
    says(scene, "of a store of the other kind");
}

/* --force is for backups: not for the database, nor for what else the name may be of. */
static void what_is_no_backup_is_not_replaced(void **state)
{
    struct scene *scene = *state;
    int64_t events = events_of(&scene->site);
    snprintf(scene->file, sizeof scene->file, "%s/shop.db", scene->site.folder);
    if (scene->postgres != NULL)
        close(open(scene->file, O_WRONLY | O_CREAT, 0600));
    assert_int_equal(backup(scene, "--force"), 2);
    says(scene, "is no backup, and is not replaced");
    assert_int_equal(events_of(&scene->site), events);
    assert_int_equal(site_check(&scene->site), 0);
}

/* A file may have so many blocks of 512 bytes, as on a disk that is nearly full. */
static void without_room_nothing_is_left(void **state)
{
    struct scene *scene = *state;
    char line[1600], part[160];
    const int blocks = scene->postgres == NULL ? 80 : 8; /* SQLite has files of its own */
    snprintf(part, sizeof part, "%s.part", scene->file);
    snprintf(line, sizeof line, "trap '' XFSZ; ulimit -f %d; '%s' backup '%s' --db '%s' 2>&1 | grep -q 'cannot be written: File too large'", blocks,
             scene->site.binary, scene->file, scene->site.url);
    assert_int_equal(system(line), 0);
    assert_true(access(scene->file, F_OK) != 0 && access(part, F_OK) != 0);
    must(scene, backup(scene, ""));
    new_place(scene);
    if (scene->postgres != NULL)
        return; /* where it is restored is not ours to fill */
    snprintf(line, sizeof line, "trap '' XFSZ; ulimit -f %d; '%s' restore '%s' --into '%s' 2>&1 | grep -q 'cannot be written: File too large'",
             blocks, scene->site.binary, scene->file, scene->again.url);
    assert_int_equal(system(line), 0);
    assert_true(is_untouched(scene));
    must(scene, restore_of(scene, scene->file));
}

static void another_master_key_is_refused(void **state)
{
    struct scene *scene = *state;
    char path[160];
    must(scene, backup(scene, ""));
    new_place(scene);
    snprintf(path, sizeof path, "%s/other.masterkey", scene->site.folder);
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(file, "01234567890123456789012345678901", 32), 32);
    close(file);
    const char *named = getenv("MILLRACE_MASTER_KEY_FILE") == NULL ? NULL : strdup(getenv("MILLRACE_MASTER_KEY_FILE"));
    setenv("MILLRACE_MASTER_KEY_FILE", path, 1);
    assert_int_equal(restore_of(scene, scene->file), 2);
    says(scene, "the master key that is at hand is not the one of this backup");
    assert_true(is_untouched(scene));
    setenv("MILLRACE_MASTER_KEY_FILE", "/nowhere/masterkey", 1); /* none at hand: said, and no hindrance */
    must(scene, restore_of(scene, scene->file));
    says(scene, "The master key is not at hand, and no server starts without it");
    if (named == NULL)
        unsetenv("MILLRACE_MASTER_KEY_FILE");
    else
        setenv("MILLRACE_MASTER_KEY_FILE", named, 1);
    free((void *)named);
}

/* Says something else in the manifest, under a hash that is right. */
static void forge(const char *file, const char *from, const char *to)
{
    struct stat status = { 0 };
    uint8_t hash[crypto_hash_sha256_BYTES];
    char hex[65], *at;
    int opened = open(file, O_RDWR);
    assert_int_equal(fstat(opened, &status), 0);
    char *bytes = malloc((size_t)status.st_size + 1), *last = bytes + status.st_size - 100;
    assert_int_equal(pread(opened, bytes, (size_t)status.st_size, 0), status.st_size);
    size_t size = strtoul(last + 18, NULL, 10);
    at = memmem(last - size, size, from, strlen(from));
    assert_non_null(at);
    const bool same = memcmp(at, to, strlen(to)) == 0; /* a number may begin with that digit already */
    memcpy(at, to, strlen(to));
    at[strlen(to) - 1] = (char)(at[strlen(to) - 1] + same);
    crypto_hash_sha256(hash, (const uint8_t *)last - size, size);
    memcpy(last + 35, sodium_bin2hex(hex, sizeof hex, hash, sizeof hash), 64);
    assert_int_equal(pwrite(opened, bytes, (size_t)status.st_size, 0), status.st_size);
    close(opened);
    free(bytes);
}

static void another_schema_is_refused(void **state)
{
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        { "\"number\":10,", "\"number\":99,", "is of another schema: the database has migration 99" },
        { "\"number\":10,\"checksum\":5", "\"number\":10,\"checksum\":6", "is of another schema: migration 10 was applied with another text" },
        { "\"release\"", "\"relaese\"", "has a manifest that this release cannot read: /re" },
        { "\"company\":\"Shop\"", "\"company\":\"Sh\"p\"", "has a manifest that this release cannot read" },
        { "\"content_bytes\":", "\"content_bytes\":1", "is damaged: it was cut short" },
        { "\"events\":0}", "\"events\":9}", "what was restored is not what was saved: it has unit company with 0 events" },
    };
    struct scene *scene = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        must(scene, backup(scene, "--force"));
        forge(scene->file, cases[i].from, cases[i].to);
        new_place(scene);
        assert_int_equal(restore_of(scene, scene->file), 2);
        says(scene, cases[i].says);
        assert_true(is_untouched(scene) || (i == COUNT(cases) - 1 && scene->postgres != NULL)); /* found in the database itself */
    }
    script(&scene->site, "UPDATE schema_migration SET checksum = 5 WHERE number = 1");
    assert_int_equal(backup(scene, "--force"), 2);
    says(scene, "migration 1 was applied with another text");
    script(&scene->site, "UPDATE schema_migration SET number = 9999 WHERE number = 1");
    assert_int_equal(backup(scene, "--force"), 2);
    says(scene, "start the newer release");
}

/* As it was before migration 10. */
static void an_older_schema_is_brought_to_this_one(void **state)
{
    struct scene *scene = *state;
    script(&scene->site, "ALTER TABLE orders DROP COLUMN shipping_came; DELETE FROM schema_migration WHERE number = 10");
    must(scene, backup(scene, ""));
    new_place(scene);
    must(scene, restore_of(scene, scene->file));
    assert_int_equal(site_check(&scene->again), 0);
    server_start(&scene->server, &scene->again);
    server_stop(&scene->server);
}

/* What the check finds in what was restored is told, and no reason to keep it from anybody. */
static void what_was_wrong_is_restored_and_named(void **state)
{
    struct scene *scene = *state;
    script(&scene->site, "UPDATE unit_clock SET event_seq = 3 WHERE unit = 0");
    must(scene, backup(scene, ""));
    new_place(scene);
    assert_int_equal(restore_of(scene, scene->file), 1);
    says(scene, "{\"id\":\"event_gap\"");
    says(scene, "millrace check found what stands above");
    assert_int_equal(events_of(&scene->again), 3);
}

static void the_words_are_read_with_care(void **state)
{
    static const struct {
        const char *words, *says;
    } cases[] = {
        { "backup", "which file?" },
        { "backup --db sqlite:a.db", "which file?" },
        { "backup a.backup", "--db URL is missing" },
        { "backup a.backup --db sqlite:/nowhere/a.db", "cannot be opened" },
        { "backup a.backup --db sqlite::memory:", "there is nothing to save" },
        { "backup a.backup --into sqlite:a.db", "there is no flag --into" },
        { "backup a.backup b.backup --db sqlite:a.db", "there is no b.backup" },
        { "restore", "which file?" },
        { "restore a.backup", "--into URL is missing" },
        { "restore a.backup --db sqlite:a.db", "there is no flag --db" },
        { "restore a.backup --into sqlite:a.db --force", "there is no flag --force" },
        { "key save --db sqlite:a.db", "--file FILE is missing" },
        { "key", "key save" },
    };
    struct scene *scene = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(site_run(&scene->site, scene->said, sizeof scene->said, "%s 2>&1", cases[i].words), 2);
        says(scene, cases[i].says);
    }
    snprintf(scene->file, sizeof scene->file, "/nowhere/a.backup");
    assert_int_equal(backup(scene, ""), 2);
    says(scene, "/nowhere/a.backup.part cannot be made");
    snprintf(scene->file, sizeof scene->file, "/dev/full");
    assert_int_equal(backup(scene, ""), 2); /* is there already, as any file */
    new_place(scene);
    assert_int_equal(restore_of(scene, "/dev/null"), 2);
    says(scene, "is no file");
    assert_int_equal(
        site_run(&scene->site, scene->said, sizeof scene->said, "key save --db '%s' --file '%s/k' 2>&1", scene->site.url, scene->site.folder), 0);
    assert_int_equal(
        site_run(&scene->site, scene->said, sizeof scene->said, "key save --db '%s' --file '%s/k' 2>&1", scene->site.url, scene->site.folder), 2);
    says(scene, "File exists");
}

/* ---- the operator's page ---- */

/* Lines that begin with four blanks, up to `until`, as one script. */
static void run_page(struct scene *scene, FILE *page, const char *until)
{
    char line[1000], path[200], name[96];
    snprintf(path, sizeof path, "%s/page.sh", scene->site.folder);
    FILE *out = fopen(path, "w");
    fprintf(out, "set -e\ncd '%s'\nmkdir -p page\ncd page\nmillrace() { '%s' \"$@\"; }\n", scene->site.folder, scene->site.binary);
    int commands = 0;
    while (fgets(line, sizeof line, page) != NULL && (until == NULL || strncmp(line, until, strlen(until)) != 0)) {
        static const char server[] = "postgres://user@host/";
        const char *at = strstr(line, server);
        if (strncmp(line, "    ", 4) != 0)
            continue;
        commands++;
        if (at == NULL) {
            fputs(line + 4, out);
            continue;
        }
        char url[600];
        size_t size = strcspn(at + sizeof server - 1, " \n");
        snprintf(name, sizeof name, "%.*s", (int)size, at + sizeof server - 1);
        url_with_database(url, sizeof url, scene->postgres, name);
        fprintf(out, "%.*s'%s'%s", (int)(at - line - 4), line + 4, url, at + sizeof server - 1 + size);
    }
    fclose(out);
    assert_true(commands > 0);
    snprintf(line, sizeof line, "sh '%s' > '%s/page.said' 2>&1 || { cat '%s/page.said'; exit 1; }", path, scene->site.folder, scene->site.folder);
    assert_int_equal(system(line), 0);
}

static void the_operators_page_works_to_the_word(void **state)
{
    struct scene *scene = *state;
    FILE *page = fopen("docs/operating.md", "r");
    assert_non_null(page);
    if (scene->postgres == NULL) {
        run_page(scene, page, "## On PostgreSQL");
    } else {
        char line[1000] = "";
        while (strncmp(line, "## On PostgreSQL", 16) != 0)
            assert_non_null(fgets(line, sizeof line, page));
        unsetenv("MILLRACE_MASTER_KEY_FILE");
        run_page(scene, page, NULL);
        on_postgres(scene, "DROP DATABASE \"%s\"", "shop");
        on_postgres(scene, "DROP DATABASE \"%s\"", "again");
    }
    fclose(page);
}

#define SCENE(test, store)                                     \
    {                                                          \
#test " on " #store, test, on_##store, tear_down, NULL \
    }
#define SCENES(store)                                                                                                                             \
    SCENE(it_is_saved_while_it_sells_and_goes_on_elsewhere, store), SCENE(a_killed_backup_leaves_nothing_that_looks_whole, store),                \
        SCENE(a_damaged_backup_is_named_and_touches_nothing, store), SCENE(what_is_there_is_not_overwritten, store),                              \
        SCENE(what_is_no_backup_is_not_replaced, store), SCENE(without_room_nothing_is_left, store), SCENE(another_master_key_is_refused, store), \
        SCENE(another_schema_is_refused, store), SCENE(an_older_schema_is_brought_to_this_one, store),                                            \
        SCENE(what_was_wrong_is_restored_and_named, store), SCENE(the_operators_page_works_to_the_word, store)

int main(void)
{
    const struct CMUnitTest sqlite[] = { SCENES(sqlite), SCENE(the_words_are_read_with_care, sqlite) };
    const struct CMUnitTest postgres[] = { SCENES(postgresql) };
    unsetenv("MILLRACE_DB");
    int failed = cmocka_run_group_tests_name("backups on SQLite", sqlite, NULL, NULL);
    return site_postgres() == NULL ? failed : failed + cmocka_run_group_tests_name("backups on PostgreSQL", postgres, NULL, NULL);
}
