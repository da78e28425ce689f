/* tests/store/db/db_faults_test.c: what goes wrong is told once, in one of our words, and leaves nothing behind. */
#include "shop.h"

#include "base/when.h"
#include "db/wal.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t things(struct shop *shop, struct db *db)
{
    struct thing_count_result count;
    bool found;
    assert_ok(db, thing_count(db, shop->arena, &count, &found));
    return count.things;
}

static void broken_constraints_roll_the_whole_back(void **state)
{
    struct shop *shop = *state;
    static const struct {
        const char *says;
        int64_t id, amount;
        const char *code;
    } cases[] = {
        { "the key is taken", 1, 1, "new" },
        { "the code is taken", 9, 1, "c1" },
        { "a CHECK", 9, -1, "new" },
        { "not null", 9, 1, NULL },
    };
    shop_fill(shop, 2);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct thing_row good = thing(50, "good"), bad = thing(cases[i].id, cases[i].code);
        bad.amount = cases[i].amount;
        assert_ok(shop->db, db_begin(shop->db));
        assert_ok(shop->db, INSERT(shop->db, &thing_table, &good));
        enum db_result result = INSERT(shop->db, &thing_table, &bad);
        if (result == DB_OK)
            result = db_commit(shop->db);
        if (result != DB_CONSTRAINT)
            fail_msg("%s: %s", cases[i].says, db_result_name(result));
        assert_ok(shop->db, db_rollback(shop->db));
        assert_int_equal(things(shop, shop->db), 2);
    }
}

static void after_an_error_nothing_reaches_the_store(void **state)
{
    struct shop *shop = *state;
    struct thing_row one = thing(1, "c1"), two = thing(2, "c2");
    struct db_rows rows;
    const int64_t key[] = { 1, 2 };
    assert_ok(shop->db, INSERT(shop->db, &thing_table, &one));
    assert_ok(shop->db, db_begin(shop->db));
    INSERT(shop->db, &thing_table, &one);
    assert_int_equal(db_load(shop->db, shop->arena, &thing_table, key, 1, &rows), DB_CONSTRAINT); /* at the latest */
    assert_int_equal(INSERT(shop->db, &thing_table, &two), DB_CONSTRAINT);
    assert_int_equal(db_commit(shop->db), DB_CONSTRAINT);
    assert_int_equal(db_begin(shop->db), DB_CONSTRAINT);
    assert_ok(shop->db, db_rollback(shop->db));
    assert_ok(shop->db, db_begin(shop->db));
    assert_ok(shop->db, INSERT(shop->db, &thing_table, &two));
    assert_ok(shop->db, db_commit(shop->db));
    assert_int_equal(things(shop, shop->db), 2);
}

static void transactions_are_begun_and_ended_in_turn(void **state)
{
    struct shop *shop = *state;
    struct thing_row one = thing(1, "c1");
    assert_int_equal(db_commit(shop->db), DB_BUG);
    assert_ok(shop->db, db_rollback(shop->db)); /* of nothing */
    assert_ok(shop->db, db_begin(shop->db));
    assert_int_equal(db_begin(shop->db), DB_BUG);
    assert_ok(shop->db, db_rollback(shop->db));
    assert_ok(shop->db, db_begin_read(shop->db));
    assert_int_equal(INSERT(shop->db, &thing_table, &one), DB_BUG);
    assert_ok(shop->db, db_rollback(shop->db));
    assert_int_equal(things(shop, shop->db), 0);
}

/* Several statements in one text are not blamed for what failed before them. */
static void a_script_tells_its_own_failure(void **state)
{
    struct shop *shop = *state;
    struct thing_row one = thing(1, "c1");
    shop_fill(shop, 1);
    assert_ok(shop->db, db_begin(shop->db));
    enum db_result result = INSERT(shop->db, &thing_table, &one);
    assert_int_equal(result == DB_OK ? db_commit(shop->db) : result, DB_CONSTRAINT);
    assert_ok(shop->db, db_rollback(shop->db));
    assert_ok(shop->db, db_script(shop->db, "CREATE TABLE scripted(id BIGINT); DROP TABLE scripted"));
    assert_int_equal(db_script(shop->db, "DROP TABLE scripted"), DB_BUG);
    assert_ok(shop->db, db_script(shop->db, "CREATE TABLE scripted(id BIGINT)"));
    assert_int_equal(things(shop, shop->db), 1);
}

static void a_reader_sees_one_snapshot(void **state)
{
    struct shop *shop = *state;
    struct db *writer = shop_connect(shop, false);
    struct thing_row one = thing(1, "c1");
    assert_ok(shop->db, db_begin_read(shop->db));
    assert_int_equal(things(shop, shop->db), 0);
    assert_ok(writer, INSERT(writer, &thing_table, &one));
    assert_int_equal(things(shop, shop->db), 0);
    assert_ok(shop->db, db_commit(shop->db));
    assert_int_equal(things(shop, shop->db), 1);
    db_close(writer);
}

static void a_failure_can_be_ordered(void **state)
{
    struct shop *shop = *state;
    static const enum db_result results[] = { DB_BUSY, DB_CONSTRAINT, DB_FULL, DB_IO };
    for (size_t i = 0; i < COUNT(results); i++)
        for (int64_t at = 1; at <= 4; at++) {
            struct thing_row one = thing(1, "c1"), two = thing(2, "c2");
            db_fail_at(shop->db, at, results[i], false);
            enum db_result result = db_begin(shop->db);
            if (result == DB_OK)
                result = INSERT(shop->db, &thing_table, &one);
            if (result == DB_OK)
                result = INSERT(shop->db, &thing_table, &two);
            if (result == DB_OK)
                result = db_commit(shop->db);
            assert_int_equal(result, results[i]);
            assert_ok(shop->db, db_rollback(shop->db));
            assert_int_equal(things(shop, shop->db), 0);
        }
}

static void a_commit_can_be_lost_after_it_was_carried_out(void **state)
{
    struct shop *shop = *state;
    struct thing_row one = thing(1, "c1");
    db_fail_at(shop->db, 1, DB_LOST, true);
    assert_ok(shop->db, db_begin(shop->db));
    assert_ok(shop->db, INSERT(shop->db, &thing_table, &one));
    assert_int_equal(db_commit(shop->db), DB_LOST);
    assert_true(db_is_lost(shop->db));
    assert_int_equal(db_begin(shop->db), DB_LOST);
    assert_int_equal(db_rollback(shop->db), DB_LOST);
    db_close(shop->db);
    shop->db = shop_connect(shop, false);
    assert_int_equal(things(shop, shop->db), 1);
}

static void a_connection_lost_midway_leaves_nothing(void **state)
{
    struct shop *shop = *state;
    struct thing_row one = thing(1, "c1");
    struct db *other = shop_connect(shop, false);
    assert_ok(shop->db, db_begin(shop->db));
    assert_ok(shop->db, INSERT(shop->db, &thing_table, &one));
    if (shop->sqlite) {
        db_fail_at(shop->db, 1, DB_LOST, false);
    } else {
        assert_ok(other, db_script(other, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                          "WHERE pid <> pg_backend_pid() AND datname = current_database()"));
    }
    assert_int_equal(db_commit(shop->db), DB_LOST);
    assert_true(db_is_lost(shop->db));
    assert_int_equal(db_rollback(shop->db), DB_LOST);
    assert_int_equal(things(shop, other), 0);
    assert_ok(other, INSERT(other, &thing_table, &one)); /* no lock is left behind */
    db_close(other);
}

static void who_waits_too_long_is_told_busy(void **state)
{
    struct shop *shop = *state;
    struct db *other = shop_connect(shop, false);
    struct thing_row one = thing(1, "c1");
    assert_ok(shop->db, INSERT(shop->db, &thing_table, &one));
    assert_ok(other, db_begin(other));
    assert_ok(other, UPDATE(other, &thing_table, &one));
    assert_int_equal(things(shop, other), 1); /* PostgreSQL has carried it out */
    enum db_result result = db_begin(shop->db);
    if (result == DB_OK)
        result = UPDATE(shop->db, &thing_table, &one);
    if (result == DB_OK)
        result = db_commit(shop->db);
    assert_int_equal(result, DB_BUSY);
    assert_ok(shop->db, db_rollback(shop->db));
    assert_ok(other, db_rollback(other));
    db_close(other);
}

static void *lock_and_read(void *context)
{
    struct shop *shop = context;
    struct db *other = shop_connect(shop, false);
    const int64_t first[] = { 1, 1 }, second[] = { 1, 2 };
    static struct db_read reads[2];
    reads[0] = (struct db_read){ .table = &thing_table, .keys = first, .count = 1, .lock = true };
    reads[1] = (struct db_read){ .table = &thing_table, .keys = second, .count = 1 };
    struct arena *arena = arena_new((size_t)1 << 20);
    int64_t *seen = calloc(2, sizeof *seen);
    enum db_result result = db_begin(other);
    if (result == DB_OK)
        result = db_read_all(other, arena, reads, COUNT(reads));
    for (size_t i = 0; i < COUNT(reads) && result == DB_OK && reads[i].rows.count == 1; i++)
        seen[i] = ((const struct thing_row *)db_row(&reads[i].rows, 0))->amount;
    db_rollback(other);
    db_close(other);
    arena_free(arena);
    return seen;
}

static void what_was_waited_for_is_seen(void **state)
{
    struct shop *shop = *state;
    struct thing_row one = thing(1, "c1"), two = thing(2, "c2");
    pthread_t waiter;
    shop_fill(shop, 2);
    one.amount = two.amount = 77;
    assert_ok(shop->db, db_begin(shop->db));
    assert_ok(shop->db, UPDATE(shop->db, &thing_table, &one));
    assert_int_equal(things(shop, shop->db), 2); /* PostgreSQL has carried it out */
    assert_int_equal(pthread_create(&waiter, NULL, lock_and_read, shop), 0);
    usleep(200000);
    assert_ok(shop->db, UPDATE(shop->db, &thing_table, &two));
    assert_ok(shop->db, db_commit(shop->db));
    void *seen = NULL;
    assert_int_equal(pthread_join(waiter, &seen), 0);
    assert_int_equal(((const int64_t *)seen)[0], 77); /* the row that was locked, and one that was read behind it */
    assert_int_equal(((const int64_t *)seen)[1], 77);
    free(seen);
}

static void the_first_of_several_errors_is_told(void **state)
{
    struct shop *shop = *state;
    struct thing_row taken = thing(1, "c1");
    const int64_t key[] = { 1, 1 };
    struct db_statement wrong = { .name = "wrong", .sqlite = "SELECT nothing FROM nowhere", .postgres = "SELECT nothing FROM nowhere" };
    struct db_read reads[] = { { .table = &thing_table, .keys = key, .count = 1 },
                               { .statement = &wrong },
                               { .table = &thing_table, .keys = key, .count = 1 } };
    shop_fill(shop, 1);
    assert_ok(shop->db, db_begin(shop->db));
    assert_int_equal(db_read_all(shop->db, shop->arena, reads, COUNT(reads)), DB_BUG);
    assert_non_null(strstr(db_last_error(shop->db), "nowhere"));
    assert_ok(shop->db, db_rollback(shop->db));
    assert_ok(shop->db, db_begin(shop->db));
    enum db_result result = INSERT(shop->db, &thing_table, &taken);
    assert_int_equal(result == DB_OK ? db_read_all(shop->db, shop->arena, reads, COUNT(reads)) : result, DB_CONSTRAINT);
    assert_ok(shop->db, db_rollback(shop->db));
    assert_ok(shop->db, db_read_all(shop->db, shop->arena, reads, 1));
    assert_int_equal(reads[0].rows.count, 1);
    for (int64_t n = 1; n <= 3; n++) { /* a test may have each of them fail */
        assert_ok(shop->db, db_begin(shop->db));
        reads[1] = reads[2];
        db_fail_at(shop->db, n, DB_IO, false);
        assert_int_equal(db_read_all(shop->db, shop->arena, reads, COUNT(reads)), DB_IO);
        assert_ok(shop->db, db_rollback(shop->db));
    }
}

static void migrations_are_carried_out_once(void **state)
{
    struct shop *shop = *state;
    const char *error = NULL;
    int64_t version = 0;
    enum db_result result;
    assert_int_equal(db_schema_latest(false), 2);
    assert_ok(shop->db, db_schema_version(shop->db, &version));
    assert_int_equal(version, 2);
    assert_false(db_is_empty(shop->db, &result));
    assert_int_equal(db_migrate(shop->db, false, shop->arena, &error), MIGRATE_DONE);
    const int64_t key[] = { 0, 1 };
    struct db_rows rows;
    assert_ok(shop->db, db_load(shop->db, shop->arena, &page_table, key, 1, &rows));
    assert_string_equal(((struct page_row *)db_row(&rows, 0))->body, "it's; a \"page\"");
    assert_ok(shop->db, db_script(shop->db, "DELETE FROM schema_migration WHERE number = 2; ALTER TABLE part DROP COLUMN colour; "
                                            "DROP INDEX part_quantity; DELETE FROM page"));
    assert_int_equal(db_migrate(shop->db, false, shop->arena, &error), MIGRATE_DONE);
    assert_ok(shop->db, db_schema_version(shop->db, &version));
    assert_int_equal(version, 2);
}

static void a_failed_migration_leaves_no_half(void **state)
{
    struct shop *shop = *state;
    const char *error = NULL;
    assert_ok(shop->db, db_script(shop->db, "DELETE FROM schema_migration WHERE number = 2; ALTER TABLE part DROP COLUMN colour"));
    assert_int_equal(db_migrate(shop->db, false, shop->arena, &error), MIGRATE_FAILED); /* the index is there */
    assert_non_null(strstr(error, "0002_colour"));
    struct db_statement names_colour = { .name = "names_colour",
                                         .sqlite = "DELETE FROM part WHERE colour = 'x'",
                                         .postgres = "DELETE FROM part WHERE colour = 'x'" };
    assert_int_equal(db_execute(shop->db, &names_colour, NULL, NULL), DB_BUG);
}

static void other_migrations_are_refused(void **state)
{
    struct shop *shop = *state;
    const char *error = NULL;
    assert_ok(shop->db, db_script(shop->db, "UPDATE schema_migration SET checksum = checksum + 1 WHERE number = 1"));
    assert_int_equal(db_migrate(shop->db, false, shop->arena, &error), MIGRATE_CHANGED);
    assert_ok(shop->db, db_script(shop->db, "UPDATE schema_migration SET checksum = checksum - 1 WHERE number = 1"));
    assert_int_equal(db_migrate(shop->db, false, shop->arena, &error), MIGRATE_DONE);
    assert_ok(shop->db, db_script(shop->db, "INSERT INTO schema_migration (number, name, checksum) VALUES (3, 'x', 1)"));
    assert_int_equal(db_migrate(shop->db, false, shop->arena, &error), MIGRATE_NEWER);
}

static void one_process_has_the_file(void **state)
{
    struct shop *shop = *state;
    struct db *other = shop_connect(shop, false);
    assert_ok(shop->db, db_lock_file(shop->db));
    assert_ok(shop->db, db_lock_file(shop->db));
    assert_int_equal(db_lock_file(other), shop->sqlite ? DB_BUSY : DB_OK);
    db_close(shop->db);
    shop->db = shop_connect(shop, false);
    assert_ok(other, db_lock_file(other));
    db_close(other);
}

static void the_wal_is_measured_and_finished(void **state)
{
    struct shop *shop = *state;
    struct db_wal_use use;
    int64_t before = 0, after = 0;
    assert_ok(shop->db, db_wal_use(shop->db, &use));
    shop_fill(shop, 1000);
    assert_ok(shop->db, db_wal_use(shop->db, &use));
    assert_true(use.records > 10 && use.bytes > 20000);
    assert_ok(shop->db, db_wal_use(shop->db, &use));
    assert_true(use.bytes < 5000);
    assert_ok(shop->db, db_checkpoint(shop->db, 0, &before));
    assert_ok(shop->db, db_checkpoint(shop->db, CHECKPOINT_WAITS_US, &after));
    assert_true(after == 0 && (before > 20000 || !shop->sqlite));
}

/* Whoever has read from the WAL for long must not stop the writer: it asks again later. */
static void a_reader_keeps_the_writer_no_longer_than_it_may(void **state)
{
    struct shop *shop = *state;
    int64_t left, began_us;
    struct db *reader = shop_connect(shop, false);
    shop_fill(shop, 10);
    assert_ok(reader, db_begin_read(reader));
    assert_int_equal(things(shop, reader), 10);
    began_us = when_monotonic_us();
    assert_int_equal(db_checkpoint(shop->db, 1000, &left), shop->sqlite ? DB_BUSY : DB_OK);
    assert_in_range(when_monotonic_us() - began_us, 0, 1000000); /* a second for a slow machine; it was five */
    assert_ok(reader, db_commit(reader));
    assert_ok(shop->db, db_checkpoint(shop->db, 1000, &left));
    assert_int_equal(left, 0);
    db_close(reader);
}

static enum db_result try_thing(struct db *db, int64_t id)
{
    char code[24];
    snprintf(code, sizeof code, "c%ld", (long)id);
    struct thing_row row = thing(id, code);
    enum db_result result = db_begin(db);
    if (result == DB_OK)
        result = INSERT(db, &thing_table, &row);
    return result == DB_OK ? db_commit(db) : result;
}

static void put_thing(struct db *db, int64_t id)
{
    assert_ok(db, try_thing(db, id));
}

/* The checkpoint's connection comes and goes, and so does the writer's: what was committed is synced all the same. */
static void a_commit_is_synced_whoever_closes(void **state)
{
    struct shop *shop = *state;
    struct db *writer, *beside;
    struct db_wal *wal = db_wal_new();
    const char *error = NULL;
    struct db_options options = { .url = shop->url, .wal = wal, .sync_later = true };
    assert_non_null(wal);
    assert_ok(NULL, db_open(&writer, &options, shop->arena, &error));
    assert_ok(NULL, db_open(&beside, &options, shop->arena, &error));
    assert_int_equal(things(shop, beside), 0);
    db_close(beside);
    put_thing(writer, 1);
    assert_int_equal(db_wal_sync(wal), DB_OK);
    put_thing(writer, 2);
    db_close(writer);
    assert_int_equal(db_wal_sync(wal), DB_OK);
    db_wal_free(wal);
    assert_int_equal(things(shop, shop->db), 2);
}

struct late {
    struct db_wal *wal;
    atomic_bool synced;
};

static void *sync_late(void *context)
{
    struct late *late = context;
    usleep(50000);
    atomic_store(&late->synced, true);
    assert_int_equal(db_wal_sync(late->wal), DB_OK);
    return NULL;
}

/* Who has read waits for what he saw, not for what came while he read. */
static void what_was_read_is_durable_when_it_is_told(void **state)
{
    struct shop *shop = *state;
    struct db *writer, *reader;
    struct late late = { .wal = db_wal_new() };
    const char *error = NULL;
    pthread_t thread;
    assert_non_null(late.wal);
    struct db_options options = { .url = shop->url, .wal = shop->sqlite ? late.wal : NULL, .sync_later = shop->sqlite }, reads = options;
    reads.sync_later = false;
    reads.read_only = true;
    assert_ok(NULL, db_open(&writer, &options, shop->arena, &error));
    assert_ok(NULL, db_open(&reader, &reads, shop->arena, &error));
    put_thing(writer, 1);
    assert_int_equal(db_wal_sync(late.wal), DB_OK);
    assert_ok(reader, db_begin_read(reader));
    assert_int_equal(things(shop, reader), 1);
    put_thing(writer, 2); /* not synced */
    assert_int_equal(things(shop, reader), 1);
    assert_ok(reader, db_settle(reader)); /* busy after 5 s, if it waited for that one */
    assert_ok(reader, db_commit(reader));
    assert_int_equal(pthread_create(&thread, NULL, sync_late, &late), 0);
    assert_int_equal(things(shop, reader), 2);
    assert_ok(reader, db_settle(reader));
    assert_true(atomic_load(&late.synced) || !shop->sqlite);
    pthread_join(thread, NULL);
    db_close(reader);
    db_close(writer);
    db_wal_free(late.wal);
}

/* A snapshot that was taken ahead never lacks what was answered, and who tells what is not durable waits. */
static void a_snapshot_ahead_lacks_nothing_that_was_answered(void **state)
{
    struct shop *shop = *state;
    struct db *writer, *reader, *spare;
    struct db_wal *wal = db_wal_new();
    const char *error = NULL;
    int64_t wal_bytes;
    assert_non_null(wal);
    struct db_options options = { .url = shop->url, .wal = shop->sqlite ? wal : NULL, .sync_later = shop->sqlite }, reads = options;
    reads.sync_later = false;
    reads.read_only = true;
    assert_ok(NULL, db_open(&writer, &options, shop->arena, &error));
    assert_ok(NULL, db_open(&reader, &reads, shop->arena, &error));
    assert_ok(NULL, db_open(&spare, &reads, shop->arena, &error));
    const enum db_ahead waits = shop->sqlite ? DB_AHEAD_WAITS : DB_AHEAD_NOT, durable = shop->sqlite ? DB_AHEAD_DURABLE : DB_AHEAD_NOT;
    put_thing(writer, 1);
    assert_int_equal(db_look_ahead(reader, NULL), shop->sqlite);
    assert_int_equal(db_ahead(reader), waits);
    assert_false(db_look_ahead(spare, reader)); /* the same */
    assert_int_equal(db_wal_sync(wal), DB_OK);
    assert_int_equal(db_ahead(reader), durable);
    put_thing(writer, 2);
    assert_int_equal(db_look_ahead(spare, reader), shop->sqlite);
    assert_int_equal(db_ahead(spare), waits);
    assert_int_equal(things(shop, reader), shop->sqlite ? 1 : 2);
    assert_ok(reader, db_begin_read(reader));
    assert_int_equal(things(shop, reader), shop->sqlite ? 1 : 2);
    assert_ok(reader, db_settle(reader)); /* busy after 5 s, if it waited for the second */
    assert_ok(reader, db_rollback(reader));
    assert_int_equal(db_wal_sync(wal), DB_OK); /* now the second may be answered */
    assert_int_equal(db_ahead(reader), DB_AHEAD_NOT);
    assert_int_equal(db_ahead(spare), durable);
    assert_int_equal(things(shop, reader), 2);
    assert_int_equal(things(shop, spare), 2);
    assert_int_equal(db_checkpoint(writer, 1000, &wal_bytes), shop->sqlite ? DB_BUSY : DB_OK); /* somebody reads from the WAL */
    db_wal_begin_anew(wal, true);
    assert_int_equal(db_ahead(spare), DB_AHEAD_NOT);
    assert_false(db_look_ahead(reader, spare));
    assert_false(db_look_ahead(spare, reader));
    assert_int_equal(db_checkpoint(writer, 1000, &wal_bytes), DB_OK);
    db_wal_begin_anew(wal, false);
    assert_int_equal(db_look_ahead(reader, spare), shop->sqlite);
    usleep(150000);
    assert_int_equal(db_ahead(reader), DB_AHEAD_NOT); /* who else has the file may have written */
    assert_int_equal(db_look_ahead(reader, spare), shop->sqlite);
    db_let_go(reader);
    put_thing(writer, 3);
    assert_int_equal(things(shop, reader), 3);
    db_close(reader);
    db_close(spare);
    db_close(writer);
    db_wal_free(wal);
}

static int index_error;

static ssize_t index_does_not_grow(int fd, const void *from, size_t bytes, off_t at)
{
    char opened[40], file[160];
    snprintf(opened, sizeof opened, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(opened, file, sizeof file);
    if (size < 4 || memcmp(file + size - 4, "-shm", 4) != 0)
        return pwrite(fd, from, bytes, at);
    errno = index_error;
    return -1;
}

static int64_t things_in_a_copy(struct shop *shop)
{
    char command[400], url[128];
    struct db *db;
    const char *error = NULL;
    snprintf(command, sizeof command, "cp '%s/shop.db' '%s/copy.db' && cp '%s/shop.db-wal' '%s/copy.db-wal'", shop->folder, shop->folder,
             shop->folder, shop->folder);
    assert_int_equal(system(command), 0);
    snprintf(url, sizeof url, "sqlite:%s/copy.db", shop->folder);
    assert_ok(NULL, db_open(&db, &(struct db_options){ .url = url }, shop->arena, &error));
    int64_t count = things(shop, db);
    db_close(db);
    return count;
}

#define COMMITS_MAX 5000 /* of a frame or more each */

/* SQLite's index of the WAL grows every 4,096 frames, and there may be no room for it: what is refused then does not come back after a restart. */
static void grow_until(struct shop *shop, int error_code, enum db_result expected)
{
    struct db *writer;
    struct db_wal *wal = db_wal_new();
    const char *error = NULL;
    sqlite3_vfs *files = sqlite3_vfs_find(NULL);
    int64_t before = things(shop, shop->db), put = before;
    assert_non_null(wal);
    index_error = error_code;
    assert_ok(NULL, db_open(&writer, &(struct db_options){ .url = shop->url, .wal = wal, .sync_later = true }, shop->arena, &error));
    sqlite3_syscall_ptr usual = files->xGetSystemCall(files, "pwrite64"), usual_write = files->xGetSystemCall(files, "pwrite");
    files->xSetSystemCall(files, "pwrite64", (sqlite3_syscall_ptr)index_does_not_grow);
    files->xSetSystemCall(files, "pwrite", (sqlite3_syscall_ptr)index_does_not_grow);
    enum db_result result;
    while ((result = try_thing(writer, put + 1)) == DB_OK && put < before + COMMITS_MAX)
        put++;
    files->xSetSystemCall(files, "pwrite64", usual);
    files->xSetSystemCall(files, "pwrite", usual_write);
    assert_int_equal(result, expected);
    assert_ok(writer, db_rollback(writer));
    assert_int_equal(things(shop, shop->db), put);
    assert_int_equal(things_in_a_copy(shop), put);
    put_thing(writer, put + 1);
    assert_int_equal(things(shop, shop->db), put + 1);
    db_close(writer);
    db_wal_free(wal);
}

static void a_commit_whose_index_does_not_grow_leaves_nothing(void **state)
{
    struct shop *shop = *state;
    if (!shop->sqlite)
        skip(); /* PostgreSQL has no such file of ours */
    grow_until(shop, ENOSPC, DB_FULL);
    int64_t left;
    assert_ok(shop->db, db_checkpoint(shop->db, CHECKPOINT_WAITS_US, &left)); /* the WAL and its index begin anew */
    grow_until(shop, EIO, DB_IO);
}

static void what_cannot_be_opened_says_what_to_do(void **state)
{
    struct shop *shop = *state;
    struct db *db;
    const char *error = NULL;
    assert_int_equal(db_open(&db, &(struct db_options){ .url = "mysql://x" }, shop->arena, &error), DB_BUG);
    assert_non_null(strstr(error, "write sqlite:PATH"));
    assert_int_equal(db_open(&db, &(struct db_options){ .url = "sqlite:/nowhere/x.db" }, shop->arena, &error), DB_IO);
    assert_non_null(strstr(error, "/nowhere/x.db"));
    assert_int_equal(db_open(&db, &(struct db_options){ .url = "postgres:///x?host=/nowhere" }, shop->arena, &error), DB_LOST);
    assert_null(db);
    char path[128];
    snprintf(path, sizeof(path), "%s/noise", shop->sqlite ? shop->folder : "/tmp");
    if (!shop->sqlite)
        return;
    FILE *noise = fopen(path, "wb");
    for (int i = 0; i < 8192; i++)
        fputc('x', noise);
    fclose(noise);
    char url[160];
    snprintf(url, sizeof(url), "sqlite:%s", path);
    assert_int_equal(db_open(&db, &(struct db_options){ .url = url }, shop->arena, &error), DB_CORRUPT);
}

int main(void)
{
    static const struct scene scenes[] = {
        { "broken constraints roll the whole back", broken_constraints_roll_the_whole_back },
        { "after an error nothing reaches the store", after_an_error_nothing_reaches_the_store },
        { "transactions are begun and ended in turn", transactions_are_begun_and_ended_in_turn },
        { "a script tells its own failure", a_script_tells_its_own_failure },
        { "a reader sees one snapshot", a_reader_sees_one_snapshot },
        { "a failure can be ordered", a_failure_can_be_ordered },
        { "a commit can be lost after it was carried out", a_commit_can_be_lost_after_it_was_carried_out },
        { "a connection lost midway leaves nothing", a_connection_lost_midway_leaves_nothing },
        { "who waits too long is told busy", who_waits_too_long_is_told_busy },
        { "what was waited for is seen", what_was_waited_for_is_seen },
        { "the first of several errors is told", the_first_of_several_errors_is_told },
        { "migrations are carried out once", migrations_are_carried_out_once },
        { "a failed migration leaves no half", a_failed_migration_leaves_no_half },
        { "other migrations are refused", other_migrations_are_refused },
        { "one process has the file", one_process_has_the_file },
        { "the WAL is measured and finished", the_wal_is_measured_and_finished },
        { "a reader keeps the writer no longer than it may", a_reader_keeps_the_writer_no_longer_than_it_may },
        { "what was read is durable when it is told", what_was_read_is_durable_when_it_is_told },
        { "a snapshot ahead lacks nothing that was answered", a_snapshot_ahead_lacks_nothing_that_was_answered },
        { "a commit is synced, whoever closes", a_commit_is_synced_whoever_closes },
        { "a commit whose index does not grow leaves nothing", a_commit_whose_index_does_not_grow_leaves_nothing },
        { "what cannot be opened says what to do", what_cannot_be_opened_says_what_to_do },
    };
    return play_on_both(scenes, COUNT(scenes));
}
