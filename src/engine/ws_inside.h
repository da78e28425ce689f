/* src/engine/ws_inside.h: what ws.c (the identity map and its undo) and ws_store.c (what comes from the store and goes there) share.
 * Nobody else includes it. */
#ifndef MILLRACE_ENGINE_WS_INSIDE_H
#define MILLRACE_ENGINE_WS_INSIDE_H

#include "engine/ws.h"
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
    bool asked;          /* by the ws_feed that is under way */
    struct ws_row *last; /* incomplete: the last row that the database gave; beyond it nothing is known */
};

#define WS_PIECE 256 /* chains */
struct ws_map {
    void ***pieces;
    size_t pieces_room, room, size, count; /* room: a power of two; size: chains in use, at least half of room */
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
    struct arena *kept, *batch, *scratch;
    struct ws_map *rows, *lists; /* by table->number, path->number */
    bool *keep;                  /* by table->number */
    struct ws_row **dirty;       /* by table->number: heads */
    size_t dirty_count;
    struct want **row_wants, **list_wants;
    size_t want_count, wanted_before; /* before: when the attempt began, by others */
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

static inline struct ws_row *row_of(const void *image)
{
    return (struct ws_row *)((char *)(uintptr_t)image - offsetof(struct ws_row, image));
}

static inline int64_t int_at(const struct db_table *table, const void *image, size_t column)
{
    int64_t value;
    memcpy(&value, (const char *)image + table->columns[column].offset, sizeof value);
    return value;
}

static inline const char *text_at(const struct db_table *table, const void *image, size_t column)
{
    const char *value;
    memcpy(&value, (const char *)image + table->columns[column].offset, sizeof value);
    return value;
}

static inline bool has_text(const struct db_table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].type != DB_INT)
            return true;
    return false;
}

/* The row of a key, NULL where nothing is known of it; a new one, known to be absent. The list of a prefix, in the same way. */
struct ws_row *ws_row_find(struct ws *ws, const struct db_table *table, const int64_t *key);
struct ws_row *ws_row_of_image(struct ws *ws, const struct db_table *table, const void *image); /* by the key that stands in it */
struct ws_row *ws_row_make(struct ws *ws, const struct db_table *table, const void *image);
struct ws_list *ws_list_find(struct ws *ws, const struct db_path *path, const struct db_value *prefix);
struct ws_list *ws_list_make(struct ws *ws, const struct db_path *path, const struct db_value *prefix);
void ws_list_add(struct ws *ws, struct ws_list *list, struct ws_row *row);
void ws_prefix_of(const struct db_path *path, const void *image, struct db_value *prefix);

#endif
