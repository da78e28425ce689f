/* src/engine/ws.c: the working set.
 * A row is known (stored in the database or not, present now or not) or unknown. Invariants: at most one ws_row for a
 * primary key; a list that is loaded holds every present row of its prefix up to its last loaded one; the undo log,
 * played backwards to a mark, restores rows, lists, ids and event numbers exactly. */
#include "engine/ws.h"
#include "engine/event.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct ws_row {
    const struct db_table *table;
    struct ws_row *next; /* in its hash chain */
    struct ws_row *next_dirty;
    uint32_t saved_at; /* the attempt whose undo log holds its image already */
    bool stored, present, dirty;
    char image[] __attribute__((aligned(16)));
};

struct ws_list {
    const struct db_path *path;
    struct ws_list *next;
    struct db_value *prefix;
    struct ws_row **rows;
    size_t count, room;
    size_t limit; /* rows asked of the database so far, 0: all */
    size_t got;   /* rows that the last load gave */
    bool loaded, complete;
    bool asked; /* by the ws_feed that is under way */
    struct ws_row *last; /* incomplete: the last row that the database gave; beyond it nothing is known */
};

struct ws_map {
    void **chains;
    size_t size, count; /* size is a power of two */
};

struct undo {
    struct ws_row *row;
    void *image; /* NULL: the row was made */
    bool present, dirty, relist;
};

struct want {
    struct want *next;
    int64_t *key;            /* of a row */
    struct db_value *prefix; /* of a list */
    size_t limit;
};

struct ws {
    int64_t unit, now_us;
    struct arena *kept, *batch;
    struct ws_map *rows, *lists; /* by table->number, path->number */
    bool *keep;                  /* by table->number */
    struct ws_row **dirty;       /* by table->number: heads */
    size_t dirty_count;
    struct want **row_wants, **list_wants;
    size_t want_count;
    struct undo *undo;
    size_t undo_count, undo_room;
    uint32_t attempt;
    struct arena_door *need_door;
    struct unit_clock_row clock;
    int64_t actor;
    bool clock_is_new; /* the unit is made by this batch */
    bool kept_spoiled; /* a kept row points into memory that ends with the batch */
    size_t kept_bytes;
    struct ws *const *peers; /* in a company batch: all sets, the company's first */
    const size_t *peer_count;
    struct vault *vault;
    struct ws *(*make_peer)(void *context, int64_t unit);
    void *peer_context;
};

static struct ws_row *row_of(const void *image)
{
    return (struct ws_row *)((char *)(uintptr_t)image - offsetof(struct ws_row, image));
}

/* ---- keys ---- */

static int64_t int_at(const struct db_table *table, const void *image, size_t column)
{
    int64_t value;
    memcpy(&value, (const char *)image + table->columns[column].offset, sizeof value);
    return value;
}

static const char *text_at(const struct db_table *table, const void *image, size_t column)
{
    const char *value;
    memcpy(&value, (const char *)image + table->columns[column].offset, sizeof value);
    return value;
}

static uint64_t key_hash(const struct db_table *table, const int64_t *key)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < table->key_count; i++)
        hash = hash_u64(hash + (uint64_t)key[i] + 0x9e3779b97f4a7c15u);
    return hash;
}

static uint64_t prefix_hash(const struct db_path *path, const struct db_value *prefix)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < path->prefix_count; i++)
        hash = prefix[i].type == DB_TEXT ? hash_bytes(prefix[i].text, strlen(prefix[i].text), hash)
                                         : hash_u64(hash + (uint64_t)prefix[i].number + 0x9e3779b97f4a7c15u);
    return hash;
}

static bool key_is(const struct db_table *table, const void *image, const int64_t *key)
{
    for (size_t i = 0; i < table->key_count; i++)
        if (int_at(table, image, i) != key[i])
            return false;
    return true;
}

static void prefix_of(const struct db_path *path, const void *image, struct db_value *prefix)
{
    for (size_t i = 0; i < path->prefix_count; i++) {
        size_t column = path->columns[i];
        if (path->table->columns[column].type == DB_TEXT)
            prefix[i] = db_text(text_at(path->table, image, column));
        else
            prefix[i] = db_int(int_at(path->table, image, column));
    }
}

static bool prefix_is(const struct db_path *path, const struct db_value *a, const struct db_value *b)
{
    for (size_t i = 0; i < path->prefix_count; i++)
        if (a[i].type == DB_TEXT ? !text_equal(a[i].text, b[i].text) : a[i].number != b[i].number)
            return false;
    return true;
}

/* A row belongs under no prefix whose last column says "none": an event about no order, an adjustment without document. */
static bool prefix_is_none(const struct db_path *path, const struct db_value *prefix)
{
    for (size_t i = 0; i < path->prefix_count; i++)
        if (prefix[i].type == DB_TEXT && prefix[i].text == NULL)
            return true;
    const struct db_value *last = &prefix[path->prefix_count - 1];
    return path->where != NULL && last->type == DB_INT && (last->number == 0 || last->number == NULL_INT);
}

static int path_compare(const struct db_path *path, const void *a, const void *b)
{
    for (size_t i = path->prefix_count; i < path->column_count; i++) {
        int64_t left = int_at(path->table, a, path->columns[i]), right = int_at(path->table, b, path->columns[i]);
        if (left != right)
            return (left < right) != path->descending ? -1 : 1;
    }
    return 0;
}

/* ---- maps ---- */

static void map_grow(struct ws_map *map, struct arena *arena, uint64_t (*hash_of)(const void *), size_t next_offset)
{
    size_t size = map->size == 0 ? 256 : map->size * 2;
    void **chains = ARENA_ARRAY(arena, void *, size);
    for (size_t i = 0; i < map->size; i++) {
        for (char *at = map->chains[i]; at != NULL;) {
            char *next;
            memcpy(&next, at + next_offset, sizeof next);
            void **chain = &chains[hash_of(at) & (size - 1)];
            memcpy(at + next_offset, chain, sizeof *chain);
            *chain = at;
            at = next;
        }
    }
    map->chains = chains;
    map->size = size;
}

static uint64_t row_hash(const void *at)
{
    const struct ws_row *row = at;
    int64_t key[16];
    for (size_t i = 0; i < row->table->key_count; i++)
        key[i] = int_at(row->table, row->image, i);
    return key_hash(row->table, key);
}

static uint64_t list_hash(const void *at)
{
    const struct ws_list *list = at;
    return prefix_hash(list->path, list->prefix);
}

static struct arena *arena_of(struct ws *ws, const struct db_table *table)
{
    return ws->keep[table->number] ? ws->kept : ws->batch;
}

static struct ws_row *row_find(struct ws *ws, const struct db_table *table, const int64_t *key)
{
    struct ws_map *map = &ws->rows[table->number];
    if (map->size == 0)
        return NULL;
    struct ws_row *row = map->chains[key_hash(table, key) & (map->size - 1)];
    while (row != NULL && !key_is(table, row->image, key))
        row = row->next;
    return row;
}

/* A row for this key that is not there yet: neither stored nor present. */
static struct ws_row *row_make(struct ws *ws, const struct db_table *table, const void *image)
{
    struct ws_map *map = &ws->rows[table->number];
    struct arena *arena = arena_of(ws, table);
    if (map->count >= map->size)
        map_grow(map, arena, row_hash, offsetof(struct ws_row, next));
    struct ws_row *row = arena_alloc(arena, sizeof *row + table->row_size);
    row->table = table;
    memcpy(row->image, image, table->row_size);
    void **chain = &map->chains[row_hash(row) & (map->size - 1)];
    row->next = *chain;
    *chain = row;
    map->count++;
    return row;
}

static void row_forget(struct ws *ws, struct ws_row *row)
{
    struct ws_map *map = &ws->rows[row->table->number];
    void **chain = &map->chains[row_hash(row) & (map->size - 1)];
    struct ws_row *at = *chain;
    if (at == row) {
        *chain = row->next;
    } else {
        while (at->next != row)
            at = at->next;
        at->next = row->next;
    }
    map->count--;
}

static struct ws_list *list_find(struct ws *ws, const struct db_path *path, const struct db_value *prefix)
{
    struct ws_map *map = &ws->lists[path->number];
    if (map->size == 0)
        return NULL;
    struct ws_list *list = map->chains[prefix_hash(path, prefix) & (map->size - 1)];
    while (list != NULL && !prefix_is(path, list->prefix, prefix))
        list = list->next;
    return list;
}

static struct db_value *prefix_copy(struct arena *arena, const struct db_path *path, const struct db_value *prefix)
{
    struct db_value *copy = ARENA_ARRAY(arena, struct db_value, path->prefix_count);
    memcpy(copy, prefix, path->prefix_count * sizeof *copy);
    for (size_t i = 0; i < path->prefix_count; i++)
        if (copy[i].type == DB_TEXT)
            copy[i].text = arena_text(arena, copy[i].text);
    return copy;
}

static struct ws_list *list_make(struct ws *ws, const struct db_path *path, const struct db_value *prefix)
{
    struct ws_map *map = &ws->lists[path->number];
    struct arena *arena = arena_of(ws, path->table);
    if (map->count >= map->size)
        map_grow(map, arena, list_hash, offsetof(struct ws_list, next));
    struct ws_list *list = ARENA_NEW(arena, struct ws_list);
    list->path = path;
    list->prefix = prefix_copy(arena, path, prefix);
    void **chain = &map->chains[list_hash(list) & (map->size - 1)];
    list->next = *chain;
    *chain = list;
    map->count++;
    return list;
}

/* The first index whose row is not before `image`. */
static size_t list_lower_bound(const struct ws_list *list, const void *image)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (path_compare(list->path, list->rows[middle]->image, image) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void list_add(struct ws *ws, struct ws_list *list, struct ws_row *row)
{
    size_t at = list_lower_bound(list, row->image);
    for (size_t i = at; i < list->count && path_compare(list->path, list->rows[i]->image, row->image) == 0; i++)
        if (list->rows[i] == row)
            return;
    list->rows = arena_room(arena_of(ws, list->path->table), list->rows, list->count, &list->room, 4, sizeof *list->rows);
    memmove(list->rows + at + 1, list->rows + at, (list->count - at) * sizeof(struct ws_row *));
    list->rows[at] = row;
    list->count++;
}

static void lists_add(struct ws *ws, struct ws_row *row)
{
    for (size_t i = 0; i < row->table->path_count; i++) {
        const struct db_path *path = row->table->paths[i];
        struct db_value prefix[8];
        prefix_of(path, row->image, prefix);
        if (prefix_is_none(path, prefix))
            continue;
        struct ws_list *list = list_find(ws, path, prefix);
        if (list == NULL)
            list = list_make(ws, path, prefix);
        list_add(ws, list, row);
    }
}

static void lists_remove(struct ws *ws, struct ws_row *row)
{
    for (size_t i = 0; i < row->table->path_count; i++) {
        const struct db_path *path = row->table->paths[i];
        struct db_value prefix[8];
        prefix_of(path, row->image, prefix);
        struct ws_list *list = prefix_is_none(path, prefix) ? NULL : list_find(ws, path, prefix);
        if (list == NULL)
            continue;
        for (size_t at = list_lower_bound(list, row->image); at < list->count; at++) {
            if (list->rows[at] != row)
                continue;
            memmove(list->rows + at, list->rows + at + 1, (list->count - at - 1) * sizeof(struct ws_row *));
            list->count--;
            break;
        }
    }
}

/* ---- undo ---- */

static void undo_push(struct ws *ws, struct undo undo)
{
    ws->undo = arena_room(ws->batch, ws->undo, ws->undo_count, &ws->undo_room, 1024, sizeof *ws->undo);
    ws->undo[ws->undo_count++] = undo;
}

static void *image_copy(struct ws *ws, const struct ws_row *row)
{
    void *copy = arena_alloc(ws->batch, row->table->row_size);
    memcpy(copy, row->image, row->table->row_size);
    return copy;
}

static void mark_dirty(struct ws *ws, struct ws_row *row)
{
    if (row->dirty)
        return;
    row->dirty = true;
    row->next_dirty = ws->dirty[row->table->number];
    ws->dirty[row->table->number] = row;
    ws->dirty_count++;
}

static void unmark_dirty(struct ws *ws, struct ws_row *row)
{
    struct ws_row **at = &ws->dirty[row->table->number];
    while (*at != row)
        at = &(*at)->next_dirty;
    *at = row->next_dirty;
    row->dirty = false;
    ws->dirty_count--;
}

void ws_undo(struct ws *ws, const struct ws_mark *mark)
{
    while (ws->undo_count > mark->undo) {
        struct undo *undo = &ws->undo[--ws->undo_count];
        struct ws_row *row = undo->row;
        if (row->dirty && !undo->dirty)
            unmark_dirty(ws, row);
        if (undo->image == NULL) {
            lists_remove(ws, row);
            row_forget(ws, row);
            continue;
        }
        if (undo->relist)
            lists_remove(ws, row);
        memcpy(row->image, undo->image, row->table->row_size);
        row->present = undo->present;
        if (undo->relist)
            lists_add(ws, row);
        row->saved_at = 0;
    }
    ws->clock.event_seq = mark->event_seq;
    ws->clock.next_id = mark->next_id;
    ws->clock.blocked = mark->blocked;
}

struct ws_mark ws_mark(struct ws *ws, const struct actor *actor)
{
    ws->attempt++;
    ws->actor = actor == NULL ? 0 : actor->key;
    return (struct ws_mark) { ws->undo_count, ws->clock.event_seq, ws->clock.next_id, ws->clock.blocked, ws->dirty_count };
}

/* ---- what decide uses ---- */

int64_t ws_unit(const struct ws *ws)
{
    return ws->unit;
}

int64_t ws_now_us(const struct ws *ws)
{
    return ws->now_us;
}

int64_t ws_actor(const struct ws *ws)
{
    return ws->actor;
}

int64_t ws_next_id(struct ws *ws)
{
    return ws->clock.next_id++;
}

int64_t ws_config_version(const struct ws *ws)
{
    return ws->clock.config_version;
}

void ws_config_changed(struct ws *ws)
{
    ws->clock.config_version++;
}

struct vault *ws_vault(struct ws *ws)
{
    return ws->vault;
}

struct arena *ws_arena(struct ws *ws)
{
    return ws->batch;
}

struct ws *ws_of_unit(struct ws *company, int64_t unit)
{
    for (size_t i = 0; i < ws_unit_count(company); i++)
        if (ws_unit_at(company, i)->unit == unit)
            return ws_unit_at(company, i);
    return NULL;
}

size_t ws_unit_count(const struct ws *company)
{
    return *company->peer_count - 1;
}

struct ws *ws_unit_at(struct ws *company, size_t i)
{
    return company->peers[i + 1];
}

struct ws *ws_new_unit(struct ws *company, int64_t unit)
{
    return company->make_peer(company->peer_context, unit);
}

void ws_clock_is_new(struct ws *ws)
{
    ws->clock_is_new = true;
}

void ws_set_peers(struct ws *ws, struct ws *const *peers, const size_t *count, struct ws *(*make)(void *, int64_t), void *context)
{
    ws->peers = peers;
    ws->peer_count = count;
    ws->make_peer = make;
    ws->peer_context = context;
}

static void row_want(struct ws *ws, const struct db_table *table, const int64_t *key)
{
    struct want *want = ARENA_NEW(ws->batch, struct want);
    want->key = ARENA_ARRAY(ws->batch, int64_t, table->key_count);
    memcpy(want->key, key, table->key_count * sizeof *key);
    want->next = ws->row_wants[table->number];
    ws->row_wants[table->number] = want;
    ws->want_count++;
}

void ws_want(struct ws *ws, const struct db_table *table, const int64_t *key)
{
    if (row_find(ws, table, key) == NULL)
        row_want(ws, table, key);
}

static void list_want(struct ws *ws, const struct db_path *path, const struct db_value *prefix, size_t limit)
{
    struct want *want = ARENA_NEW(ws->batch, struct want);
    want->prefix = prefix_copy(ws->batch, path, prefix);
    want->limit = limit;
    want->next = ws->list_wants[path->number];
    ws->list_wants[path->number] = want;
    ws->want_count++;
}

void ws_want_path(struct ws *ws, const struct db_path *path, const struct db_value *prefix, size_t limit)
{
    const struct ws_list *list = list_find(ws, path, prefix);
    if (list == NULL || !list->loaded)
        list_want(ws, path, prefix, limit);
}

bool ws_wants_something(const struct ws *ws)
{
    return ws->want_count > 0;
}

static void need(struct ws *ws)
{
    assert(ws->need_door != NULL);
    longjmp(ws->need_door->where, 1);
}

void ws_settle(struct ws *ws)
{
    if (ws->want_count > 0)
        need(ws);
}

struct arena_door *ws_need_door(struct ws *ws, struct arena_door *door)
{
    struct arena_door *before = ws->need_door;
    ws->need_door = door;
    return before;
}

const void *ws_get(struct ws *ws, const struct db_table *table, const int64_t *key)
{
    const struct ws_row *row = row_find(ws, table, key);
    if (row == NULL) {
        row_want(ws, table, key);
        need(ws);
    }
    return row->present ? row->image : NULL;
}

struct ws_cursor ws_scan(struct ws *ws, const struct db_path *path, const struct db_value *prefix, size_t limit)
{
    struct ws_list *list = list_find(ws, path, prefix);
    if (list == NULL || !list->loaded) {
        list_want(ws, path, prefix, limit);
        need(ws);
    }
    return (struct ws_cursor) { .list = list };
}

void ws_fresh(struct ws *ws, const struct db_path *path, const struct db_value *prefix)
{
    struct ws_list *list = list_find(ws, path, prefix);
    if (list == NULL)
        list = list_make(ws, path, prefix);
    list->loaded = list->complete = true;
}

const void *ws_get_listed(struct ws *ws, const struct db_table *table, const int64_t *key, const struct db_path *path, const struct db_value *prefix)
{
    const struct ws_list *list = list_find(ws, path, prefix);
    if (list == NULL || !list->loaded || !list->complete)
        return ws_get(ws, table, key);
    const struct ws_row *row = row_find(ws, table, key);
    return row != NULL && row->present ? row->image : NULL;
}

struct ws_cursor ws_known_rows(struct ws *ws, const struct db_path *path, const struct db_value *prefix)
{
    struct ws_list *list = list_find(ws, path, prefix);
    return (struct ws_cursor) { .list = list != NULL && list->loaded && list->complete ? list : NULL };
}

const void *ws_known_row(struct ws *ws, const struct db_table *table, const int64_t *key)
{
    const struct ws_row *row = row_find(ws, table, key);
    return row != NULL && row->present ? row->image : NULL;
}

const void *ws_known(struct ws *ws, const struct db_path *path, const struct db_value *prefix)
{
    struct ws_cursor cursor = ws_known_rows(ws, path, prefix);
    return ws_next(ws, &cursor);
}

static bool row_is_under(const struct ws_list *list, const struct ws_row *row)
{
    struct db_value prefix[8];
    prefix_of(list->path, row->image, prefix);
    return prefix_is(list->path, prefix, list->prefix);
}

const void *ws_next(struct ws *ws, struct ws_cursor *cursor)
{
    struct ws_list *list = cursor->list;
    if (list == NULL)
        return NULL;
    while (cursor->at < list->count) {
        struct ws_row *row = list->rows[cursor->at];
        if (!list->complete && path_compare(list->path, row->image, list->last->image) > 0)
            break; /* made in this batch, but rows that are not loaded may come before it */
        cursor->at++;
        if (row->present && row_is_under(list, row))
            return row->image;
    }
    if (!list->complete) {
        list_want(ws, list->path, list->prefix, list->limit * 8);
        need(ws);
    }
    return NULL;
}

const void *ws_find(struct ws *ws, const struct db_path *path, const struct db_value *prefix)
{
    struct ws_cursor cursor = ws_scan(ws, path, prefix, 0);
    return ws_next(ws, &cursor);
}

size_t ws_count(struct ws *ws, const struct db_path *path, const struct db_value *prefix)
{
    size_t count = 0;
    for (struct ws_cursor cursor = ws_scan(ws, path, prefix, 0); ws_next(ws, &cursor) != NULL;)
        count++;
    return count;
}

void *ws_edit(struct ws *ws, const void *image)
{
    struct ws_row *row = row_of(image);
    assert(row->present);
    if (row->saved_at != ws->attempt) {
        undo_push(ws, (struct undo) { .row = row, .image = image_copy(ws, row), .present = true, .dirty = row->dirty });
        row->saved_at = ws->attempt;
    }
    mark_dirty(ws, row);
    return row->image;
}

static bool has_text(const struct db_table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].type != DB_INT)
            return true;
    return false;
}

void *ws_insert(struct ws *ws, const struct db_table *table, const void *image)
{
    int64_t key[16];
    for (size_t i = 0; i < table->key_count; i++)
        key[i] = int_at(table, image, i);
    struct ws_row *row = row_find(ws, table, key);
    if (row == NULL) {
        row = row_make(ws, table, image);
        undo_push(ws, (struct undo) { .row = row });
    } else {
        assert(!row->present);
        undo_push(ws, (struct undo) { .row = row, .image = image_copy(ws, row), .present = false, .dirty = row->dirty, .relist = true });
        lists_remove(ws, row);
        memcpy(row->image, image, table->row_size);
    }
    row->present = true;
    row->saved_at = ws->attempt;
    lists_add(ws, row);
    mark_dirty(ws, row);
    return row->image;
}

void ws_delete(struct ws *ws, const void *image)
{
    struct ws_row *row = row_of(image);
    assert(row->present);
    undo_push(ws, (struct undo) { .row = row, .image = image_copy(ws, row), .present = true, .dirty = row->dirty });
    row->present = false;
    row->saved_at = 0; /* a later insert in this attempt saves it again */
    mark_dirty(ws, row);
}

int64_t ws_event(struct ws *ws, struct event_row event)
{
    event.unit = ws->unit;
    event.seq = ++ws->clock.event_seq;
    event.at = ws->now_us;
    event.actor = ws->actor;
    ws_insert(ws, &event_table, &event);
    return event.seq;
}

/* ---- what the engine uses ---- */

static void maps_reset(struct ws *ws, bool kept)
{
    for (size_t i = 0; i < db_table_count; i++) {
        if (ws->keep[i] != kept)
            continue;
        ws->rows[i] = (struct ws_map) { 0 };
        for (size_t p = 0; p < db_tables[i]->path_count; p++)
            ws->lists[db_tables[i]->paths[p]->number] = (struct ws_map) { 0 };
    }
    arena_reset(kept ? ws->kept : ws->batch);
}

/* Masters and positions: read by nearly every command, changed in place or seldom. A key is made before it acts, and never
 * changed. */
static const struct db_table *const kept_tables[] = {
    &position_table, &business_unit_table, &node_table,    &sku_table,   &bundle_component_table,
    &channel_table,  &channel_node_table,  &listing_table, &fence_table,
    &api_key_table,
};

struct ws *ws_new(const struct ws_options *options)
{
    struct ws *ws = calloc(1, sizeof *ws);
    if (ws == NULL)
        return NULL;
    ws->unit = options->unit;
    ws->vault = options->vault;
    ws->kept_bytes = options->kept_bytes == 0 ? (size_t)96 << 20 : options->kept_bytes;
    ws->kept = arena_new((size_t)1 << 30);
    ws->batch = arena_new(options->batch_bytes == 0 ? (size_t)512 << 20 : options->batch_bytes);
    ws->rows = calloc(db_table_count, sizeof *ws->rows);
    ws->keep = calloc(db_table_count, sizeof *ws->keep);
    ws->dirty = calloc(db_table_count, sizeof(struct ws_row *));
    ws->row_wants = calloc(db_table_count, sizeof(struct want *));
    ws->lists = calloc(db_path_count, sizeof *ws->lists);
    ws->list_wants = calloc(db_path_count, sizeof(struct want *));
    if (!ws->kept || !ws->batch || !ws->rows || !ws->keep || !ws->dirty || !ws->row_wants || !ws->lists || !ws->list_wants) {
        ws_free(ws);
        return NULL;
    }
    for (size_t i = 0; i < COUNT(kept_tables); i++)
        ws->keep[kept_tables[i]->number] = true;
    return ws;
}

void ws_free(struct ws *ws)
{
    if (ws == NULL)
        return;
    arena_free(ws->kept);
    arena_free(ws->batch);
    free(ws->rows);
    free(ws->keep);
    free(ws->dirty);
    free(ws->row_wants);
    free(ws->lists);
    free(ws->list_wants);
    free(ws);
}

/* Both arenas are the batch's business: whoever runs a batch sets the door for both. */
void ws_set_door(struct ws *ws, struct arena_door *door)
{
    arena_set_door(ws->kept, door);
    arena_set_door(ws->batch, door);
}

void ws_batch_expect(struct ws *ws, int64_t now_us)
{
    ws->now_us = now_us;
}

void ws_batch_begin(struct ws *ws, const struct unit_clock_row *clock, int64_t now_us, bool same)
{
    if (!same)
        maps_reset(ws, true);
    ws->clock = *clock;
    struct bytes head = clock->audit_head;
    ws->clock.audit_head.at = memcpy(arena_alloc(ws->batch, head.size + 1), head.at, head.size);

    ws->now_us = max_i64(now_us, clock->event_time);
    ws->clock.event_time = ws->now_us;
    ws->attempt = 0;
}

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
        if (row_find(ws, table, want->key) != NULL)
            continue;
        memcpy(keys + n * table->key_count, want->key, table->key_count * sizeof *keys);
        char *absent = arena_alloc(ws->batch, table->row_size);
        for (size_t i = 0; i < table->key_count; i++)
            memcpy(absent + table->columns[i].offset, &want->key[i], sizeof(int64_t));
        row_make(ws, table, absent); /* known to be absent, unless the database has it */
        n++;
    }
    ws->row_wants[table->number] = NULL;
    if (n > 0)
        feed_add(ws, feed, (struct db_read){ .table = table, .keys = keys, .count = n });
}

static void take_row(struct ws *ws, const struct db_table *table, const void *image)
{
    int64_t key[16];
    for (size_t k = 0; k < table->key_count; k++)
        key[k] = int_at(table, image, k);
    row_fill(ws, row_find(ws, table, key), image);
}

/* A loaded row joins its list; where it is known already, what is known is newer. */
static void list_take(struct ws *ws, struct ws_list *list, const void *image)
{
    const struct db_table *table = list->path->table;
    int64_t key[16];
    for (size_t k = 0; k < table->key_count; k++)
        key[k] = int_at(table, image, k);
    struct ws_row *row = row_find(ws, table, key);
    if (row == NULL) {
        row = row_make(ws, table, image);
        row_fill(ws, row, image);
    }
    list_add(ws, list, row);
    list->last = row;
    list->got++;
}

/* The lists that are wanted and do not hold what is wanted of them, each once and with the largest limit. */
static size_t lists_to_ask(struct ws *ws, const struct db_path *path, struct ws_list **lists)
{
    size_t count = 0;
    for (const struct want *want = ws->list_wants[path->number]; want != NULL; want = want->next) {
        struct ws_list *list = list_find(ws, path, want->prefix);
        if (list == NULL)
            list = list_make(ws, path, want->prefix);
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
        struct ws_list *list = list_find(ws, path, read->prefixes + i * path->prefix_count);
        list->loaded = true;
        list->asked = false;
        list->got = 0;
    }
    for (size_t i = 0; i < read->rows.count; i++) {
        struct db_value prefix[8];
        prefix_of(path, db_row(&read->rows, i), prefix);
        list_take(ws, list_find(ws, path, prefix), db_row(&read->rows, i));
    }
    for (size_t i = 0; i < read->count; i++) {
        struct ws_list *list = list_find(ws, path, read->prefixes + i * path->prefix_count);
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
    ws->want_count = 0;
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

size_t ws_dirty_rows(const struct ws *ws)
{
    return ws->dirty_count;
}

struct unit_clock_row *ws_clock(struct ws *ws)
{
    return &ws->clock;
}

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

static void settle_rows(struct ws *ws)
{
    for (size_t i = 0; i < db_table_count; i++) {
        for (struct ws_row *row = ws->dirty[i], *next; row != NULL; row = next) {
            next = row->next_dirty;
            row->stored = row->present;
            row->dirty = false;
            row->saved_at = 0;
        }
    }
}

void ws_batch_end(struct ws *ws, bool committed)
{
    if (committed)
        settle_rows(ws);
    if (!committed || ws->kept_spoiled || arena_used(ws->kept) > ws->kept_bytes)
        maps_reset(ws, true);
    maps_reset(ws, false);
    for (size_t i = 0; i < db_table_count; i++)
        ws->dirty[i] = NULL;
    memset(ws->row_wants, 0, db_table_count * sizeof(struct want *));
    memset(ws->list_wants, 0, db_path_count * sizeof(struct want *));
    ws->dirty_count = ws->want_count = ws->undo_count = ws->undo_room = 0;
    ws->undo = NULL;
    ws->kept_spoiled = false;
    ws->clock_is_new = false;
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
    struct ws *ws = ws_new(&(struct ws_options) { .unit = unit, .vault = reading->vault, .batch_bytes = (size_t)64 << 20 });
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
