/* src/db/sqlite_copy.c: a copy of an SQLite file beside its writer, in short reads.
 * One long read would be simpler (SQLite's backup API, VACUUM INTO), but who reads keeps the WAL from beginning anew, and a writer whose
 * WAL is long waits for him after every batch; and the backup API in steps begins again with each commit of another process. So the
 * pages are copied as a running machine is moved to another: all of them once, in rounds of some milliseconds, while a set keeps those
 * that were written since; then those, and so on, until a round leaves none. That round's snapshot is the copy.
 *
 * What was written stands in the WAL: each round reads the heads of the frames that have come. Where the WAL began anew since the
 * round before, the frames of its last generation behind those that are known still lie there, for the new ones lie before them; where
 * that cannot be told, all pages count as written.
 * Inside a round a read transaction holds both files still: pages that the current generation has are read from its frames, all others
 * from the file. A reader for whom all is in the file does not keep the WAL from beginning anew, though; a round in which it did counts for nothing.
 * Formats: sqlite.org/walformat.html. */
#include "db/store.h"
#include "db/wal.h"
#include "base/when.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_BYTES 4096
#define WAL_HEADER_BYTES 32
#define FRAME_HEAD_BYTES 24
#define INDEX_PAGE_BYTES 32768
#define ROUND_PAGES 2048     /* at most */
#define ROUND_US 20000       /* less than the writer waits for a reader when its WAL is at its longest (engine.c) */
#define ROUND_US_MAX 1000000 /* where rounds so short never end it */
#define PAUSE_US 1000        /* between two rounds: the WAL may begin anew */
#define LATE_ROUNDS 64       /* so many rounds behind the first pass, and they may take twice as long */
#define LATE_MOST 12         /* so often; then it is given up */
#define TRIES_MOST 10000     /* to take a snapshot between two commits */

/* The header of the WAL's index: bytes in the order of the machine, and what of them is used here. */
#define HEADER_BYTES 48
enum header_at { AT_IS_INIT = 12, AT_FRAMES = 16, AT_PAGES = 20, AT_SALT = 32, AT_SUM = 40 };

struct index_header {
    uint8_t bytes[HEADER_BYTES];
    uint32_t frames, pages; /* that are committed; of the database then */
    uint8_t salt[8];        /* of the generation, as it stands in each of its frames */
};

struct page {
    uint32_t frame; /* the last of the generation that has it; 0: none has */
    bool written;   /* since it was copied, or never copied */
};

struct pages {
    struct db *db;
    struct db_copy *copy;
    sqlite3_file *file, *wal;
    struct page *at; /* by number, from 1 */
    size_t room, count, written, next;
    bool has_seen;            /* something of the WAL */
    struct index_header seen; /* up to where */
    uint32_t round[ROUND_PAGES];
    size_t round_count;
    bool looked_back; /* this round read the end of the generation before */
};

static enum db_result unreadable(struct pages *pages, int code)
{
    return db_say(pages->db, DB_IO, "the database cannot be read (SQLite %d)", code);
}

/* What lies behind the end of a file is zeros. */
static enum db_result read_file(struct pages *pages, sqlite3_file *file, void *to, int size, int64_t at)
{
    assert(file->pMethods != NULL); /* sqlite_copy_out looked */
    int code = file->pMethods->xRead(file, to, size, at);
    return code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ ? DB_OK : unreadable(pages, code);
}

/* ---- the index's header ---- */

static bool header_is_whole(const uint8_t *bytes)
{
    uint32_t words[AT_SUM / 4], sum[2], a = 0, b = 0;
    memcpy(words, bytes, sizeof words);
    memcpy(sum, bytes + AT_SUM, sizeof sum);
    for (size_t i = 0; i < COUNT(words); i += 2) {
        a += words[i] + b;
        b += words[i + 1] + a;
    }
    return bytes[AT_IS_INIT] == 1 && sum[0] == a && sum[1] == b;
}

/* It is there twice, and written one behind the other. */
static enum db_result read_header(struct pages *pages, struct index_header *header)
{
    volatile void *mapped = NULL;
    uint8_t second[HEADER_BYTES];
    int code = pages->file->pMethods->xShmMap(pages->file, 0, INDEX_PAGE_BYTES, 0, &mapped);
    if (code != SQLITE_OK || mapped == NULL)
        return unreadable(pages, code);
    for (int i = 0; i < TRIES_MOST; i++) {
        memcpy(header->bytes, (const void *)mapped, HEADER_BYTES);
        pages->file->pMethods->xShmBarrier(pages->file);
        memcpy(second, (const uint8_t *)(const void *)mapped + HEADER_BYTES, HEADER_BYTES);
        if (memcmp(header->bytes, second, HEADER_BYTES) == 0 && header_is_whole(second)) {
            memcpy(&header->frames, second + AT_FRAMES, sizeof header->frames);
            memcpy(&header->pages, second + AT_PAGES, sizeof header->pages);
            memcpy(header->salt, second + AT_SALT, sizeof header->salt);
            return DB_OK;
        }
        usleep(100);
    }
    return db_say(pages->db, DB_BUSY, "the index of the WAL was never at rest");
}

/* The first page says it: without frames the index does not. It never changes in a database that has a WAL. */
static enum db_result judge_page_bytes(struct pages *pages)
{
    uint16_t bytes = 0;
    enum db_result result = read_file(pages, pages->file, &bytes, sizeof bytes, 16);
    return result != DB_OK || be16toh(bytes) == PAGE_BYTES ? result : db_say(pages->db, DB_CORRUPT, "its pages are not of %d bytes", PAGE_BYTES);
}

/* Begins a read that sees exactly what `header` says: where a commit came in between, once more. */
static enum db_result take_snapshot(struct pages *pages, struct index_header *header)
{
    struct index_header before;
    for (int i = 0; i < TRIES_MOST; i++) {
        enum db_result result = read_header(pages, &before);
        if (result == DB_OK)
            result = db_begin_read(pages->db);
        if (result == DB_OK)
            result = pages->db->driver->look(pages->db);
        if (result == DB_OK)
            result = read_header(pages, header);
        if (result != DB_OK || memcmp(before.bytes, header->bytes, HEADER_BYTES) == 0)
            return result;
        if ((result = db_commit(pages->db)) != DB_OK)
            return result;
    }
    return db_say(pages->db, DB_BUSY, "there was no moment between two commits");
}

/* ---- which pages were written ---- */

static void note_written(struct pages *pages, size_t number)
{
    if (number > pages->count || pages->at[number].written)
        return;
    pages->at[number].written = true;
    pages->written++;
}

static void note_all(struct pages *pages)
{
    for (size_t i = 1; i <= pages->count; i++)
        note_written(pages, i);
}

static bool make_room(struct pages *pages, size_t number)
{
    if (number < pages->room)
        return true;
    size_t room = number + number / 2 + 1024;
    struct page *at = realloc(pages->at, room * sizeof *at);
    if (at == NULL)
        return false;
    memset(at + pages->room, 0, (room - pages->room) * sizeof *at);
    pages->at = at;
    pages->room = room;
    return true;
}

/* The database has so many pages now: new ones were never copied, those that went are nobody's. */
static enum db_result resize(struct pages *pages, const struct index_header *header)
{
    sqlite3_int64 bytes = 0;
    int code = pages->file->pMethods->xFileSize(pages->file, &bytes);
    if (code != SQLITE_OK)
        return unreadable(pages, code);
    size_t count = header->frames > 0 ? header->pages : (size_t)(bytes / PAGE_BYTES), before = pages->count;
    if (!make_room(pages, count))
        return db_say(pages->db, DB_BUSY, NO_MEMORY);
    for (size_t i = count + 1; i <= before; i++) {
        pages->written -= pages->at[i].written;
        pages->at[i].written = false;
    }
    pages->count = count;
    for (size_t i = before + 1; i <= count; i++)
        note_written(pages, i);
    return DB_OK;
}

struct frame_head {
    uint32_t page;
    uint8_t salt[8];
};

static enum db_result read_head(struct pages *pages, uint32_t frame, struct frame_head *head)
{
    uint8_t bytes[FRAME_HEAD_BYTES];
    enum db_result result = read_file(pages, pages->wal, bytes, FRAME_HEAD_BYTES, WAL_HEADER_BYTES + (int64_t)(frame - 1) * WAL_FRAME_BYTES);
    memcpy(&head->page, bytes, sizeof head->page);
    head->page = be32toh(head->page);
    memcpy(head->salt, bytes + 8, sizeof head->salt);
    return result;
}

static uint32_t generation(const uint8_t salt[8])
{
    uint32_t number;
    memcpy(&number, salt, sizeof number);
    return be32toh(number);
}

static bool is_of(const struct frame_head *head, const uint8_t salt[8])
{
    return memcmp(head->salt, salt, sizeof head->salt) == 0;
}

/* The generation before: its frames behind those that were seen. *told: all of them were still there. That is so where the last one seen
 * is (a WAL that was cut to nothing has it no more, nor one that has grown to there again), and behind the last one stands an older one,
 * or the file ends. Where none was seen yet, nothing tells a file that ends from one that was cut. */
static enum db_result look_back(struct pages *pages, bool *told)
{
    struct frame_head head = { 0 };
    const uint8_t *salt = pages->seen.salt;
    uint32_t frame = pages->seen.frames;
    enum db_result result = frame == 0 ? DB_OK : read_head(pages, frame, &head);
    *told = false;
    pages->looked_back = true;
    if (result != DB_OK || (frame > 0 && !is_of(&head, salt)))
        return result;
    while ((result = read_head(pages, ++frame, &head)) == DB_OK && is_of(&head, salt))
        note_written(pages, head.page);
    bool ends = head.page == 0; /* no page has this number */
    *told = result == DB_OK && (ends ? frame > 1 : (int32_t)(generation(head.salt) - generation(salt)) < 0);
    return result;
}

static enum db_result begin_generation(struct pages *pages, const struct index_header *header)
{
    bool told = false;
    enum db_result result = DB_OK;
    if (pages->has_seen && generation(header->salt) == generation(pages->seen.salt) + 1)
        result = look_back(pages, &told);
    if (!told)
        note_all(pages);
    for (size_t i = 0; i < pages->room; i++)
        pages->at[i].frame = 0;
    pages->has_seen = true;
    pages->seen = *header;
    pages->seen.frames = 0;
    return result;
}

/* All that was written up to the snapshot. */
static enum db_result read_wal(struct pages *pages, const struct index_header *header)
{
    enum db_result result = DB_OK;
    if (!pages->has_seen || memcmp(pages->seen.salt, header->salt, sizeof header->salt) != 0)
        result = begin_generation(pages, header);
    while (result == DB_OK && pages->seen.frames < header->frames) {
        struct frame_head head;
        uint32_t frame = pages->seen.frames + 1;
        result = read_head(pages, frame, &head);
        if (result != DB_OK || !is_of(&head, header->salt))
            return result; /* overwritten: the WAL has begun anew, as the end of the round will see */
        if (!make_room(pages, head.page))
            return db_say(pages->db, DB_BUSY, NO_MEMORY);
        pages->at[head.page].frame = frame;
        note_written(pages, head.page);
        pages->seen.frames = frame;
    }
    return result;
}

/* ---- rounds ---- */

static enum db_result copy_page(struct pages *pages, size_t number)
{
    char bytes[PAGE_BYTES];
    uint32_t frame = pages->at[number].frame;
    enum db_result result =
        frame == 0 ? read_file(pages, pages->file, bytes, PAGE_BYTES, (int64_t)(number - 1) * PAGE_BYTES)
                   : read_file(pages, pages->wal, bytes, PAGE_BYTES, WAL_HEADER_BYTES + (int64_t)(frame - 1) * WAL_FRAME_BYTES + FRAME_HEAD_BYTES);
    if (result == DB_OK && !copy_write(pages->copy, bytes, PAGE_BYTES, (int64_t)(number - 1) * PAGE_BYTES))
        return db_say(pages->db, errno == ENOSPC || errno == EDQUOT ? DB_FULL : DB_IO, "the copy cannot be written: %m");
    pages->at[number].written = false;
    pages->written--;
    pages->round[pages->round_count++] = (uint32_t)number;
    return result;
}

static enum db_result copy_pages(struct pages *pages, int64_t until_us)
{
    enum db_result result = DB_OK;
    while (result == DB_OK && pages->written > 0 && pages->round_count < ROUND_PAGES && when_monotonic_us() < until_us) {
        while (pages->next > pages->count || !pages->at[pages->next].written)
            pages->next = pages->next >= pages->count ? 1 : pages->next + 1;
        result = copy_page(pages, pages->next);
    }
    return result;
}

/* Where the WAL began anew under the round, its frames may have been overwritten as they were read. */
static enum db_result round_counts(struct pages *pages, const struct index_header *header, bool *counts)
{
    struct index_header after;
    enum db_result result = read_header(pages, &after);
    *counts = result == DB_OK && memcmp(after.salt, header->salt, sizeof after.salt) == 0;
    for (size_t i = 0; i < pages->round_count && !*counts; i++)
        note_written(pages, pages->round[i]);
    if (!*counts && pages->looked_back)
        note_all(pages);
    return result;
}

static enum db_result one_round(struct pages *pages, int64_t limit_us, bool *whole)
{
    struct index_header header = { .frames = 0 };
    struct db_copy *copy = pages->copy;
    pages->round_count = 0;
    pages->looked_back = *whole = false;
    enum db_result result = take_snapshot(pages, &header);
    int64_t until_us = when_monotonic_us() + limit_us;
    if (result == DB_OK)
        result = resize(pages, &header);
    if (result == DB_OK)
        result = read_wal(pages, &header);
    if (result == DB_OK)
        result = copy_pages(pages, until_us);
    bool last = result == DB_OK && pages->written == 0;
    if (last && copy->look != NULL)
        result = copy->look(copy->context, pages->db);
    if (result == DB_OK)
        result = round_counts(pages, &header, whole);
    *whole = *whole && last;
    return result == DB_OK ? db_commit(pages->db) : result;
}

static enum db_result all_rounds(struct pages *pages)
{
    bool whole = false, passed = false;
    enum db_result result = DB_OK;
    for (int64_t late = 0; result == DB_OK && !whole; late += passed) {
        if (late > (int64_t)LATE_ROUNDS * LATE_MOST)
            return db_say(pages->db, DB_BUSY, "more is written all the time than can be copied");
        size_t from = pages->next;
        result = one_round(pages, min_i64((int64_t)ROUND_US << late / LATE_ROUNDS, ROUND_US_MAX), &whole);
        passed = passed || pages->next < from || pages->written == 0;
        if (result == DB_OK && pages->copy->progress != NULL)
            pages->copy->progress(pages->copy->context, (int64_t)(pages->count - pages->written) * PAGE_BYTES, (int64_t)pages->count * PAGE_BYTES);
        copy_pace(pages->copy);
        if (!whole)
            usleep(PAUSE_US);
    }
    return result;
}

enum db_result sqlite_copy_out(struct db *db, struct db_copy *copy)
{
    struct pages *pages = calloc(1, sizeof *pages);
    if (pages == NULL)
        return db_say(db, DB_BUSY, NO_MEMORY);
    *pages = (struct pages){ .db = db, .copy = copy, .next = 1 };
    enum db_result result = DB_OK;
    /* The driver's own files: whoever opened them once more and closed them would take the process's locks on them away. */
    if (sqlite3_file_control(sqlite_handle(db), "main", SQLITE_FCNTL_FILE_POINTER, &pages->file) != SQLITE_OK || pages->file->pMethods == NULL ||
        pages->file->pMethods->iVersion < 2 ||
        sqlite3_file_control(sqlite_handle(db), "main", SQLITE_FCNTL_JOURNAL_POINTER, &pages->wal) != SQLITE_OK || pages->wal->pMethods == NULL)
        result = db_say(db, DB_BUG, "the database has no WAL: it is in memory, or of another program");
    if (result == DB_OK)
        result = judge_page_bytes(pages);
    if (result == DB_OK)
        result = all_rounds(pages);
    copy_end(db);
    copy->bytes = (int64_t)pages->count * PAGE_BYTES;
    if (result == DB_OK && ftruncate(copy->file, copy->at + copy->bytes) != 0)
        result = db_say(db, DB_IO, "the copy cannot be cut to its length: %m");
    free(pages->at);
    free(pages);
    return result;
}
