/* src/engine/ws.c: the working set.
 * A row is known (stored in the database or not, present now or not) or unknown. Invariants: at most one ws_row for a
 * primary key; a list that is loaded holds every present row of its prefix up to its last loaded one; the undo log,
 * played backwards to a mark, restores rows, lists, ids and event numbers exactly. */
#include "engine/ws_inside.h"
#include "engine/event.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- keys ---- */

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

void ws_prefix_of(const struct db_path *path, const void *image, struct db_value *prefix)
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

/* A row belongs under no prefix that says "none", an event about no order or an adjustment without document: nobody looks for it
 * there. 0 is none only where the path's condition says so; elsewhere it is a value as others are, and the first of an enum. */
static bool prefix_is_none(const struct db_path *path, const struct db_value *prefix)
{
    for (size_t i = 0; i < path->prefix_count; i++) {
        const bool above_0 = (path->prefix_above_0 >> i & 1) != 0;
        if (prefix[i].type == DB_TEXT ? prefix[i].text == NULL : prefix[i].number == NULL_INT || (above_0 && prefix[i].number <= 0))
            return true;
    }
    return false;
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

/* Linear hashing (W. Litwin, VLDB 1980), its chains in pieces: a map grows by one chain with each row, so that no command pays for
 * all at once, which is tens of milliseconds from 100,000 rows on. What belongs to a chain that is not in use yet is in its fellow
 * in the lower half. */
static void **chain_of(const struct ws_map *map, uint64_t hash)
{
    size_t at = hash & (map->room - 1);
    at = at < map->size ? at : at - map->room / 2;
    return &map->pieces[at / WS_PIECE][at % WS_PIECE];
}

static void map_grow(struct ws_map *map, struct arena *arena, uint64_t (*hash_of)(const void *), size_t next_offset)
{
    if (map->size % WS_PIECE == 0) {
        const size_t count = map->size / WS_PIECE;
        map->pieces = arena_room(arena, map->pieces, count, &map->pieces_room, 4, sizeof *map->pieces);
        map->pieces[count] = ARENA_ARRAY(arena, void *, WS_PIECE);
    }
    if (map->size == 0) {
        map->room = map->size = WS_PIECE;
        return;
    }
    if (map->size == map->room)
        map->room *= 2;
    void **split = chain_of(map, map->size), *at = *split;
    *split = NULL;
    map->size++;
    for (void *next; at != NULL; at = next) {
        memcpy(&next, (char *)at + next_offset, sizeof next);
        void **chain = chain_of(map, hash_of(at));
        memcpy((char *)at + next_offset, chain, sizeof *chain);
        *chain = at;
    }
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

struct ws_row *ws_row_find(struct ws *ws, const struct db_table *table, const int64_t *key)
{
    struct ws_map *map = &ws->rows[table->number];
    if (map->size == 0)
        return NULL;
    struct ws_row *row = *chain_of(map, key_hash(table, key));
    while (row != NULL && !key_is(table, row->image, key))
        row = row->next;
    return row;
}

struct ws_row *ws_row_of_image(struct ws *ws, const struct db_table *table, const void *image)
{
    int64_t key[16];
    for (size_t i = 0; i < table->key_count; i++)
        key[i] = int_at(table, image, i);
    return ws_row_find(ws, table, key);
}

/* A row for this key that is not there yet: neither stored nor present. */
struct ws_row *ws_row_make(struct ws *ws, const struct db_table *table, const void *image)
{
    struct ws_map *map = &ws->rows[table->number];
    struct arena *arena = arena_of(ws, table);
    if (map->count >= map->size)
        map_grow(map, arena, row_hash, offsetof(struct ws_row, next));
    struct ws_row *row = arena_alloc(arena, sizeof *row + table->row_size);
    row->table = table;
    memcpy(row->image, image, table->row_size);
    void **chain = chain_of(map, row_hash(row));
    row->next = *chain;
    *chain = row;
    map->count++;
    return row;
}

static void row_forget(struct ws *ws, struct ws_row *row)
{
    struct ws_map *map = &ws->rows[row->table->number];
    void **chain = chain_of(map, row_hash(row));
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

struct ws_list *ws_list_find(struct ws *ws, const struct db_path *path, const struct db_value *prefix)
{
    struct ws_map *map = &ws->lists[path->number];
    if (map->size == 0)
        return NULL;
    struct ws_list *list = *chain_of(map, prefix_hash(path, prefix));
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

struct ws_list *ws_list_make(struct ws *ws, const struct db_path *path, const struct db_value *prefix)
{
    struct ws_map *map = &ws->lists[path->number];
    struct arena *arena = arena_of(ws, path->table);
    if (map->count >= map->size)
        map_grow(map, arena, list_hash, offsetof(struct ws_list, next));
    struct ws_list *list = ARENA_NEW(arena, struct ws_list);
    list->path = path;
    list->prefix = prefix_copy(arena, path, prefix);
    void **chain = chain_of(map, list_hash(list));
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

void ws_list_add(struct ws *ws, struct ws_list *list, struct ws_row *row)
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
        ws_prefix_of(path, row->image, prefix);
        if (prefix_is_none(path, prefix))
            continue;
        struct ws_list *list = ws_list_find(ws, path, prefix);
        if (list == NULL)
            list = ws_list_make(ws, path, prefix);
        ws_list_add(ws, list, row);
    }
}

static void lists_remove(struct ws *ws, struct ws_row *row)
{
    for (size_t i = 0; i < row->table->path_count; i++) {
        const struct db_path *path = row->table->paths[i];
        struct db_value prefix[8];
        ws_prefix_of(path, row->image, prefix);
        struct ws_list *list = prefix_is_none(path, prefix) ? NULL : ws_list_find(ws, path, prefix);
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
    ws->clock.config_version = mark->config_version;
}

struct ws_mark ws_mark(struct ws *ws, const struct actor *actor)
{
    ws->attempt++;
    ws->wanted_before = ws->want_count;
    ws->actor = actor == NULL ? 0 : actor->key;
    return (struct ws_mark){ ws->undo_count, ws->clock.event_seq, ws->clock.next_id, ws->clock.blocked, ws->clock.config_version };
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

struct arena *ws_scratch(struct ws *ws)
{
    arena_reset(ws->scratch);
    return ws->scratch;
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
    struct ws *made = company->make_peer(company->peer_context, unit);
    made->actor = company->actor;
    return made;
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
    if (ws_row_find(ws, table, key) == NULL)
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
    const struct ws_list *list = ws_list_find(ws, path, prefix);
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
    if (ws->want_count > ws->wanted_before)
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
    const struct ws_row *row = ws_row_find(ws, table, key);
    if (row == NULL) {
        row_want(ws, table, key);
        need(ws);
    }
    return row->present ? row->image : NULL;
}

struct ws_cursor ws_scan(struct ws *ws, const struct db_path *path, const struct db_value *prefix, size_t limit)
{
    struct ws_list *list = ws_list_find(ws, path, prefix);
    if (list == NULL || !list->loaded) {
        list_want(ws, path, prefix, limit);
        need(ws);
    }
    return (struct ws_cursor){ .list = list };
}

void ws_fresh(struct ws *ws, const struct db_path *path, const struct db_value *prefix)
{
    struct ws_list *list = ws_list_find(ws, path, prefix);
    if (list == NULL)
        list = ws_list_make(ws, path, prefix);
    list->loaded = list->complete = true;
}

const void *ws_get_listed(struct ws *ws, const struct db_table *table, const int64_t *key, const struct db_path *path, const struct db_value *prefix)
{
    const struct ws_list *list = ws_list_find(ws, path, prefix);
    if (list == NULL || !list->loaded || !list->complete)
        return ws_get(ws, table, key);
    const struct ws_row *row = ws_row_find(ws, table, key);
    return row != NULL && row->present ? row->image : NULL;
}

struct ws_cursor ws_known_rows(struct ws *ws, const struct db_path *path, const struct db_value *prefix)
{
    struct ws_list *list = ws_list_find(ws, path, prefix);
    return (struct ws_cursor){ .list = list != NULL && list->loaded && list->complete ? list : NULL };
}

const void *ws_known_row(struct ws *ws, const struct db_table *table, const int64_t *key)
{
    const struct ws_row *row = ws_row_find(ws, table, key);
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
    ws_prefix_of(list->path, row->image, prefix);
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
        undo_push(ws, (struct undo){ .row = row, .image = image_copy(ws, row), .present = true, .dirty = row->dirty });
        row->saved_at = ws->attempt;
    }
    mark_dirty(ws, row);
    return row->image;
}

void *ws_insert(struct ws *ws, const struct db_table *table, const void *image)
{
    struct ws_row *row = ws_row_of_image(ws, table, image);
    if (row == NULL) {
        row = ws_row_make(ws, table, image);
        undo_push(ws, (struct undo){ .row = row });
    } else {
        assert(!row->present);
        undo_push(ws, (struct undo){ .row = row, .image = image_copy(ws, row), .present = false, .dirty = row->dirty, .relist = true });
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
    undo_push(ws, (struct undo){ .row = row, .image = image_copy(ws, row), .present = true, .dirty = row->dirty });
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
        ws->rows[i] = (struct ws_map){ 0 };
        for (size_t p = 0; p < db_tables[i]->path_count; p++)
            ws->lists[db_tables[i]->paths[p]->number] = (struct ws_map){ 0 };
    }
    arena_reset(kept ? ws->kept : ws->batch);
}

/* Masters and positions: read by nearly every command, changed in place or seldom. A key is made before it acts, and never
 * changed. */
static const struct db_table *const kept_tables[] = {
    &position_table, &business_unit_table, &node_table,    &sku_table,         &bundle_component_table, &channel_table,   &channel_node_table,
    &listing_table,  &fence_table,         &api_key_table, &goods_class_table, &routing_master_table,   &rate_zone_table,
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
    ws->scratch = arena_new((size_t)64 << 20);
    ws->rows = calloc(db_table_count, sizeof *ws->rows);
    ws->keep = calloc(db_table_count, sizeof *ws->keep);
    ws->dirty = calloc(db_table_count, sizeof(struct ws_row *));
    ws->row_wants = calloc(db_table_count, sizeof(struct want *));
    ws->lists = calloc(db_path_count, sizeof *ws->lists);
    ws->list_wants = calloc(db_path_count, sizeof(struct want *));
    if (!ws->kept || !ws->batch || !ws->scratch || !ws->rows || !ws->keep || !ws->dirty || !ws->row_wants || !ws->lists || !ws->list_wants) {
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
    arena_free(ws->scratch);
    free(ws->rows);
    free(ws->keep);
    free(ws->dirty);
    free(ws->row_wants);
    free(ws->lists);
    free(ws->list_wants);
    free(ws);
}

/* The arenas are the batch's business: whoever runs a batch sets the door for all. */
void ws_set_door(struct ws *ws, struct arena_door *door)
{
    arena_set_door(ws->kept, door);
    arena_set_door(ws->batch, door);
    arena_set_door(ws->scratch, door);
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

size_t ws_dirty_rows(const struct ws *ws)
{
    return ws->dirty_count;
}

struct unit_clock_row *ws_clock(struct ws *ws)
{
    return &ws->clock;
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
    ws->dirty_count = ws->want_count = ws->wanted_before = ws->undo_count = ws->undo_room = 0;
    ws->undo = NULL;
    ws->kept_spoiled = false;
    ws->clock_is_new = false;
}
