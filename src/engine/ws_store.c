/* src/engine/ws_store.c: what a working set takes from the store, and what it writes there.
 * All that was wanted is asked for in one go; where a row is known already, what is known is newer. Each dirty row is written
 * once, table by table in key order, the clock row last. A read goes round: until it has run through, what it lacked is fed. */
#include "engine/ws_inside.h"
#include <stdlib.h>

/* ---- loading ---- */

/* What is loaded lies in the batch's memory; a kept row needs its texts for longer. */
static void row_fill(struct ws *ws, struct ws_row *row, const void *image)
{
    const struct db_table *table = row->table;
    memcpy(row->image, image, table->row_size);
    row->stored = row->present = true;
    for (size_t i = 0; ws->keep[table->number] && i < table->column_count; i++) {
        char *member = row->image + table->columns[i].offset;
        if (table->columns[i].type == DB_TEXT) {
            const char *text = text_at(table, row->image, i);
            text = text == NULL ? NULL : arena_text(ws->kept, text);
            memcpy(member, &text, sizeof text);
        } else if (table->columns[i].type == DB_BLOB) {
            struct bytes blob;
            memcpy(&blob, member, sizeof blob);
            if (blob.at != NULL)
                blob.at = memcpy(arena_alloc(ws->kept, blob.size + 1), blob.at, blob.size);
            memcpy(member, &blob, sizeof blob);
        }
    }
}

/* What ws_feed asks of the database in one go. */
struct feed {
    struct db_read *reads;
    size_t count, room;
};

static void feed_add(struct ws *ws, struct feed *feed, struct db_read read)
{
    feed->reads = arena_room(ws->batch, feed->reads, feed->count, &feed->room, 32, sizeof *feed->reads);
    feed->reads[feed->count++] = read;
}

static void ask_rows(struct ws *ws, struct feed *feed, const struct db_table *table)
{
    size_t count = 0;
    for (struct want *want = ws->row_wants[table->number]; want != NULL; want = want->next)
        count++;
    int64_t *keys = ARENA_ARRAY(ws->batch, int64_t, count * table->key_count);
    size_t n = 0;
    for (struct want *want = ws->row_wants[table->number]; want != NULL; want = want->next) {
        if (ws_row_find(ws, table, want->key) != NULL)
            continue;
        memcpy(keys + n * table->key_count, want->key, table->key_count * sizeof *keys);
        char *absent = arena_alloc(ws->batch, table->row_size);
        for (size_t i = 0; i < table->key_count; i++)
            memcpy(absent + table->columns[i].offset, &want->key[i], sizeof(int64_t));
        ws_row_make(ws, table, absent); /* known to be absent, unless the database has it */
        n++;
    }
    ws->row_wants[table->number] = NULL;
    if (n > 0)
        feed_add(ws, feed, (struct db_read){ .table = table, .keys = keys, .count = n });
}

static void take_row(struct ws *ws, const struct db_table *table, const void *image)
{
    row_fill(ws, ws_row_of_image(ws, table, image), image);
}

/* A loaded row joins its list; where it is known already, what is known is newer. */
static void list_take(struct ws *ws, struct ws_list *list, const void *image)
{
    const struct db_table *table = list->path->table;
    struct ws_row *row = ws_row_of_image(ws, table, image);
    if (row == NULL) {
        row = ws_row_make(ws, table, image);
        row_fill(ws, row, image);
    }
    ws_list_add(ws, list, row);
    list->last = row;
    list->got++;
}

/* The lists that are wanted and do not hold what is wanted of them, each once and with the largest limit. */
static size_t lists_to_ask(struct ws *ws, const struct db_path *path, struct ws_list **lists)
{
    size_t count = 0;
    for (const struct want *want = ws->list_wants[path->number]; want != NULL; want = want->next) {
        struct ws_list *list = ws_list_find(ws, path, want->prefix);
        if (list == NULL)
            list = ws_list_make(ws, path, want->prefix);
        if (list->loaded && (list->complete || (want->limit != 0 && want->limit <= list->limit)))
            continue;
        if (!list->asked)
            lists[count++] = list;
        if (!list->asked || (list->limit != 0 && (want->limit == 0 || want->limit > list->limit)))
            list->limit = want->limit;
        list->asked = true;
    }
    ws->list_wants[path->number] = NULL;
    return count;
}

/* One read for each limit: nearly always there is one. */
static void ask_lists(struct ws *ws, struct feed *feed, const struct db_path *path)
{
    size_t wanted = 0;
    for (const struct want *want = ws->list_wants[path->number]; want != NULL; want = want->next)
        wanted++;
    struct ws_list **lists = ARENA_ARRAY(ws->batch, struct ws_list *, wanted);
    size_t left = lists_to_ask(ws, path, lists);
    while (left > 0) {
        size_t limit = lists[0]->limit, count = 0, others = 0;
        struct db_value *prefixes = ARENA_ARRAY(ws->batch, struct db_value, left * path->prefix_count);
        for (size_t i = 0; i < left; i++) {
            struct ws_list *list = lists[i];
            if (list->limit == limit)
                memcpy(prefixes + count++ * path->prefix_count, list->prefix, path->prefix_count * sizeof *prefixes);
            else
                lists[others++] = list;
        }
        feed_add(ws, feed, (struct db_read){ .path = path, .prefixes = prefixes, .count = count, .limit = limit });
        left = others;
    }
}

static void take_lists(struct ws *ws, const struct db_read *read)
{
    const struct db_path *path = read->path;
    for (size_t i = 0; i < read->count; i++) {
        struct ws_list *list = ws_list_find(ws, path, read->prefixes + i * path->prefix_count);
        list->loaded = true;
        list->asked = false;
        list->got = 0;
    }
    for (size_t i = 0; i < read->rows.count; i++) {
        struct db_value prefix[8];
        ws_prefix_of(path, db_row(&read->rows, i), prefix);
        list_take(ws, ws_list_find(ws, path, prefix), db_row(&read->rows, i));
    }
    for (size_t i = 0; i < read->count; i++) {
        struct ws_list *list = ws_list_find(ws, path, read->prefixes + i * path->prefix_count);
        list->complete = read->limit == 0 || list->got < read->limit;
    }
}

/* Rows of a table before its lists: a row that was wanted by its key is known as absent until it is taken. */
enum db_result ws_feed(struct ws *ws, struct db *db, struct db_read *first)
{
    struct feed feed = { 0 };
    if (first != NULL)
        feed_add(ws, &feed, *first);
    for (size_t i = 0; i < db_table_count; i++) {
        if (ws->row_wants[i] != NULL)
            ask_rows(ws, &feed, db_tables[i]);
        for (size_t p = 0; p < db_tables[i]->path_count; p++)
            if (ws->list_wants[db_tables[i]->paths[p]->number] != NULL)
                ask_lists(ws, &feed, db_tables[i]->paths[p]);
    }
    ws->want_count = ws->wanted_before = 0;
    enum db_result result = db_read_all(db, ws->batch, feed.reads, feed.count);
    if (result != DB_OK)
        return result;
    if (first != NULL)
        *first = feed.reads[0];
    for (const struct db_read *read = feed.reads + (first != NULL); read < feed.reads + feed.count; read++) {
        for (size_t i = 0; read->table != NULL && i < read->rows.count; i++)
            take_row(ws, read->table, db_row(&read->rows, i));
        if (read->path != NULL)
            take_lists(ws, read);
    }
    return DB_OK;
}

/* ---- writing ---- */

/* In key order: neighbours fall on the same page. */
static int by_key(const void *a, const void *b)
{
    const void *left, *right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    const struct db_table *table = row_of(left)->table;
    for (size_t i = 0; i < table->key_count; i++) {
        int64_t l = int_at(table, left, i), r = int_at(table, right, i);
        if (l != r)
            return l < r ? -1 : 1;
    }
    return 0;
}

static enum db_result write_table(struct ws *ws, struct db *db, const struct db_table *table)
{
    size_t count = 0;
    for (struct ws_row *row = ws->dirty[table->number]; row != NULL; row = row->next_dirty)
        count++;
    enum { INSERTED, UPDATED, DELETED, KINDS };
    const void **kinds[KINDS];
    size_t n[KINDS] = { 0 };
    for (size_t kind = 0; kind < KINDS; kind++)
        kinds[kind] = ARENA_ARRAY(ws->batch, const void *, count);
    for (struct ws_row *row = ws->dirty[table->number]; row != NULL; row = row->next_dirty) {
        if (!row->stored && !row->present)
            continue;
        int kind = !row->stored ? INSERTED : row->present ? UPDATED : DELETED;
        kinds[kind][n[kind]++] = row->image;
        if (ws->keep[table->number] && has_text(table))
            ws->kept_spoiled = true;
    }
    enum db_result (*const writes[KINDS])(struct db *, const struct db_table *, const void *const *, size_t) = { db_insert, db_update, db_delete };
    enum db_result result = DB_OK;
    for (int kind = DELETED; kind >= INSERTED && result == DB_OK; kind--) {
        if (n[kind] == 0)
            continue;
        qsort(kinds[kind], n[kind], sizeof *kinds[kind], by_key);
        result = writes[kind](db, table, kinds[kind], n[kind]);
    }
    return result;
}

enum db_result ws_write(struct ws *ws, struct db *db)
{
    enum db_result result = DB_OK;
    for (size_t i = 0; i < db_table_count && result == DB_OK; i++)
        if (ws->dirty[i] != NULL)
            result = write_table(ws, db, db_tables[i]);
    const void *clock = &ws->clock;
    if (result != DB_OK)
        return result;
    return ws->clock_is_new ? db_insert(db, &unit_clock_table, &clock, 1) : db_update(db, &unit_clock_table, &clock, 1);
}

/* ---- reads ---- */

static bool read_attempt(struct ws *ws, void (*read)(struct ws *ws, void *context), void *context, struct arena_door *need_door)
{
    if (setjmp(need_door->where) != 0)
        return false;
    read(ws, context);
    return true;
}

static enum db_result read_through(struct ws *ws, struct db *db, void (*read)(struct ws *ws, void *context), void *context)
{
    struct arena_door need_door;
    ws_need_door(ws, &need_door);
    enum db_result result = db_begin_read(db);
    while (result == DB_OK && !read_attempt(ws, read, context, &need_door))
        result = ws_feed(ws, db, NULL);
    return result;
}

enum db_result ws_read(const struct reading *reading, int64_t unit, int64_t now_us, void (*read)(struct ws *ws, void *context), void *context)
{
    struct ws *ws = ws_new(&(struct ws_options){ .unit = unit, .vault = reading->vault, .batch_bytes = (size_t)64 << 20 });
    if (ws == NULL)
        return DB_BUSY;
    struct arena_door full, *outer = arena_set_door(reading->arena, &full);
    volatile enum db_result result = DB_BUSY;
    ws_set_door(ws, &full);
    ws->now_us = now_us;
    if (setjmp(full.where) == 0)
        result = read_through(ws, reading->db, read, context);
    else
        result = DB_BUSY;
    arena_set_door(reading->arena, outer);
    enum db_result ended = db_rollback(reading->db);
    ws_free(ws);
    return result == DB_OK ? ended : result;
}
