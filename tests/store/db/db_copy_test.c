/* tests/store/db/db_copy_test.c: a copy of an SQLite file is one moment of it, whatever its writer does meanwhile: commits, rows that
 * come and go, checkpoints of every kind, a VACUUM that makes it smaller. (Copies of PostgreSQL: tests/crash/backup_test.c.) */
#include "db/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ROWS 10000L /* of a page each: more than a round takes */
#define COPIES 5
#define AT 4096 /* where the copy begins in its file */

struct scene {
    char folder[64], path[128], copied[128], url[140];
    struct arena *arena;
    struct db *db;
    pthread_t writer;
    bool writes;
    atomic_bool stop;
    atomic_long ticks; /* committed */
    atomic_int checkpoints, vacuums;
};

/* ---- the database: amounts that add up to nothing, and a count of its transactions ---- */

static void must(sqlite3 *handle, const char *sql)
{
    char *why = NULL;
    if (sqlite3_exec(handle, sql, NULL, NULL, &why) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", sql, why);
        abort(); /* also on the writer's thread, where cmocka cannot fail */
    }
}

static sqlite3 *open_as_writer(const struct scene *scene)
{
    sqlite3 *handle = NULL;
    if (sqlite3_open(scene->path, &handle) != SQLITE_OK)
        abort();
    sqlite3_busy_timeout(handle, 20000);
    must(handle, "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0");
    return handle;
}

static void fill(const struct scene *scene)
{
    char sql[400];
    sqlite3 *handle = open_as_writer(scene);
    snprintf(sql, sizeof sql,
             "CREATE TABLE amount (id INTEGER PRIMARY KEY, value INTEGER, pad BLOB); CREATE TABLE tick (n INTEGER); INSERT INTO tick VALUES (0);"
             "INSERT INTO amount WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %ld) SELECT i, 0, zeroblob(3500) FROM n",
             ROWS);
    must(handle, sql);
    must(handle, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_close(handle);
}

/* Every transaction leaves the sum at 0 and the number of rows even. */
static void one_transaction(sqlite3 *handle, long tick)
{
    char sql[600];
    long from = (tick * 7919) % ROWS + 1, to = (tick * 104729) % ROWS + 1;
    snprintf(
        sql, sizeof sql,
        "BEGIN; UPDATE tick SET n = n + 1; UPDATE amount SET value = value - 3 WHERE id = %ld; UPDATE amount SET value = value + 3 WHERE id = %ld;"
        "INSERT INTO amount VALUES (%ld, 5, zeroblob(3500)), (%ld, -5, zeroblob(3500)); DELETE FROM amount WHERE id BETWEEN %ld AND %ld; COMMIT",
        from, to, ROWS + 2 * tick + 1, ROWS + 2 * tick + 2, ROWS + 2 * (tick - 40) + 1, ROWS + 2 * (tick - 40) + 2 - (tick < 40 ? 4 : 0));
    must(handle, sql);
}

/* What a checkpoint does to the WAL is told by how it ends; a reader may keep it from that, and then it comes later. */
static void *write_on(void *context)
{
    static const int kinds[] = { SQLITE_CHECKPOINT_PASSIVE, SQLITE_CHECKPOINT_RESTART, SQLITE_CHECKPOINT_PASSIVE,
                                 SQLITE_CHECKPOINT_RESTART, SQLITE_CHECKPOINT_RESTART, SQLITE_CHECKPOINT_TRUNCATE };
    struct scene *scene = context;
    sqlite3 *handle = open_as_writer(scene);
    for (long tick = 0; !atomic_load(&scene->stop); tick++) {
        one_transaction(handle, tick);
        atomic_store(&scene->ticks, tick + 1);
        if (tick % 50 == 49 && sqlite3_wal_checkpoint_v2(handle, "main", kinds[tick / 50 % 6], NULL, NULL) == SQLITE_OK)
            atomic_fetch_add(&scene->checkpoints, 1);
        if (tick % 2000 == 1999) {
            must(handle, "VACUUM");
            atomic_fetch_add(&scene->vacuums, 1);
        }
    }
    sqlite3_close(handle);
    return NULL;
}

/* ---- copies ---- */

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    const char *error = "";
    *state = scene;
    snprintf(scene->folder, sizeof scene->folder, "/tmp/millrace-copy.XXXXXX");
    if (mkdtemp(scene->folder) == NULL || (scene->arena = arena_new((size_t)1 << 24)) == NULL)
        return -1;
    snprintf(scene->path, sizeof scene->path, "%s/shop.db", scene->folder);
    snprintf(scene->copied, sizeof scene->copied, "%s/copy.db", scene->folder);
    snprintf(scene->url, sizeof scene->url, "sqlite:%s", scene->path);
    fill(scene);
    return db_open(&scene->db, &(struct db_options){ .url = scene->url }, scene->arena, &error) == DB_OK ? 0 : -1;
}

static void stop_writer(struct scene *scene)
{
    atomic_store(&scene->stop, true);
    if (scene->writes)
        pthread_join(scene->writer, NULL);
    scene->writes = false;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    char line[100];
    stop_writer(scene);
    db_close(scene->db);
    arena_free(scene->arena);
    snprintf(line, sizeof line, "rm -rf '%s'", scene->folder);
    free(scene);
    return system(line);
}

static int64_t number(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t is = -1;
    if (sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        is = sqlite3_column_int64(statement, 0);
    else
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    sqlite3_finalize(statement);
    return is;
}

struct told {
    int64_t looked, done, of;
    enum db_result answer;
};
static enum db_result look(void *context, struct db *db)
{
    static const struct db_column columns[] = { { "n", DB_INT, false, 0 } };
    static const struct db_statement ticks = {
        .name = "ticks", .sqlite = "SELECT n FROM tick", .columns = columns, .column_count = 1, .row_size = 8
    };
    struct told *told = context;
    struct arena *arena = arena_new((size_t)1 << 20);
    struct db_rows rows;
    enum db_result result = db_query(db, arena, &ticks, NULL, &rows);
    if (result == DB_OK)
        memcpy(&told->looked, db_row(&rows, 0), sizeof told->looked);
    arena_free(arena);
    return result != DB_OK ? result : told->answer;
}

static void progressed(void *context, int64_t done, int64_t of)
{
    struct told *told = context;
    told->done = done;
    told->of = of;
}

/* The bytes behind AT, as a file of their own. */
static void move_to_front(const struct db_copy *copy)
{
    char *bytes = malloc((size_t)copy->bytes);
    assert_int_equal(lseek(copy->file, 0, SEEK_END), AT + copy->bytes);
    assert_int_equal(pread(copy->file, bytes, (size_t)copy->bytes, AT), copy->bytes);
    assert_int_equal(pwrite(copy->file, bytes, (size_t)copy->bytes, 0), copy->bytes);
    assert_int_equal(ftruncate(copy->file, copy->bytes), 0);
    free(bytes);
    close(copy->file);
}

static int64_t copy_and_look(struct scene *scene)
{
    struct told told = { 0 };
    struct db_copy copy = { .url = scene->url, .at = AT, .look = look, .progress = progressed, .context = &told };
    sqlite3 *handle = NULL;
    copy.file = open(scene->copied, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum db_result result = db_copy_out(scene->db, &copy);
    if (result != DB_OK)
        fail_msg("%s: %s", db_result_name(result), db_last_error(scene->db));
    assert_true(told.done == told.of && told.of == copy.bytes);
    move_to_front(&copy);
    assert_int_equal(sqlite3_open(scene->copied, &handle), SQLITE_OK);
    assert_int_equal(number(handle, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    assert_int_equal(number(handle, "SELECT sum(value) FROM amount"), 0);
    int64_t ticks = number(handle, "SELECT n FROM tick");
    assert_int_equal(ticks, told.looked); /* what was looked at is what was copied */
    assert_int_equal(number(handle, "SELECT count(*) FROM amount"), ROWS + 2 * (ticks < 40 ? ticks : 40));
    sqlite3_close(handle);
    return ticks;
}

static void a_copy_is_one_moment_beside_a_writer(void **state)
{
    struct scene *scene = *state;
    int64_t last = -1;
    assert_int_equal(pthread_create(&scene->writer, NULL, write_on, scene), 0);
    scene->writes = true;
    for (int i = 0; i < COPIES; i++) {
        int64_t before = atomic_load(&scene->ticks), ticks = copy_and_look(scene);
        print_message("copy %d: %ld transactions, of %ld when it began and %ld now\n", i, (long)ticks, (long)before, atomic_load(&scene->ticks));
        assert_true(ticks >= before && ticks >= last);
        last = ticks;
    }
    stop_writer(scene);
    print_message("%d checkpoints, %d times a VACUUM\n", atomic_load(&scene->checkpoints), atomic_load(&scene->vacuums));
    assert_true(atomic_load(&scene->checkpoints) > COPIES && last > 0);
    assert_int_equal(copy_and_look(scene), atomic_load(&scene->ticks));
}

/* All in the file and no frame; all in the file, and its frames still in the WAL; some in the WAL only; and after a VACUUM. */
static void a_copy_of_a_database_at_rest(void **state)
{
    static const char *const before[] = { "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA wal_checkpoint(PASSIVE)", "PRAGMA optimize", "VACUUM" };
    struct scene *scene = *state;
    sqlite3 *writer = open_as_writer(scene);
    for (long i = 0; i < (long)COUNT(before); i++) {
        one_transaction(writer, 2 * i);
        must(writer, before[i]);
        assert_int_equal(copy_and_look(scene), 2 * i + 1);
        one_transaction(writer, 2 * i + 1);
        assert_int_equal(copy_and_look(scene), 2 * i + 2);
    }
    sqlite3_close(writer);
}

static void what_fails_is_told_and_leaves_nothing_open(void **state)
{
    struct scene *scene = *state;
    struct told told = { .answer = DB_CONSTRAINT };
    struct db_copy copy = { .url = scene->url, .at = AT, .look = look, .context = &told };
    copy.file = open("/dev/full", O_RDWR | O_CLOEXEC);
    assert_int_equal(db_copy_out(scene->db, &copy), DB_FULL);
    assert_non_null(strstr(db_last_error(scene->db), "the copy cannot be written: No space left"));
    close(copy.file);
    copy.file = open(scene->copied, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(db_copy_out(scene->db, &copy), DB_CONSTRAINT); /* who looks may refuse */
    close(copy.file);
    copy.file = open(scene->copied, O_RDONLY | O_CLOEXEC);
    assert_int_equal(db_copy_out(scene->db, &copy), DB_IO);
    close(copy.file);
    assert_int_equal(db_begin(scene->db), DB_OK);
    assert_int_equal(db_copy_out(scene->db, &copy), DB_BUG);
    assert_int_equal(db_rollback(scene->db), DB_OK);
    copy_and_look(scene); /* the connection is as good as before */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_is_one_moment_beside_a_writer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy_of_a_database_at_rest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_fails_is_told_and_leaves_nothing_open, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("copies", tests, NULL, NULL);
}
