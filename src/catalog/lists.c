/* src/catalog/lists.c: lists of masters, in the order in which they were made, and the history of one: who changed what.
 * A list reads its keys by one statement a page, then the rows of a piece of it together, and ends early where the answer
 * grows long: `next` goes on. */
#include "base/id.h"
#include "base/when.h"
#include "catalog/catalog.h"
#include "catalog_sql.h"
#include <string.h>

enum { QUERY_LIMIT, QUERY_CURSOR, QUERY_UNIT }; /* as in api.c */

#define PIECE 100
#define LOOKED_AT_MAX 2000 /* SKUs of one page, bundles among them */

/* ---- keys ---- */

struct list {
    struct reading *reading;
    const struct master_kind *kind;
    const char *outer; /* of listings: their channel */
    int64_t unit, channel, after;
    struct master_key *keys;
    size_t count;
    bool more; /* there are some behind them */
    struct json_writer *json;
};

static void keys_begin(struct list *list, int64_t most)
{
    list->keys = ARENA_ARRAY(list->reading->arena, struct master_key, (size_t)most + 1);
    list->count = 0;
}

/* SKUs without the bundles among them. */
static enum db_result skus_next(struct list *list, int64_t most)
{
    enum db_result result = DB_OK;
    size_t looked = 0, n = PIECE + 1;
    list->more = true;
    while (result == DB_OK && list->more && (int64_t)list->count < most && looked < LOOKED_AT_MAX) {
        struct skus_page_result *rows;
        result = skus_page(list->reading->db, list->reading->arena, list->unit, list->after, PIECE + 1, &rows, &n);
        size_t i = 0;
        for (; result == DB_OK && i < n && i < PIECE && (int64_t)list->count < most; i++) {
            list->after = rows[i].id;
            if (!rows[i].bundle)
                list->keys[list->count++] = (struct master_key){ rows[i].id, rows[i].code };
        }
        looked += i;
        list->more = i < n;
    }
    return result;
}

static enum db_result listings_next(struct list *list, int64_t most)
{
    struct listing_code_of_result at = { .channel_sku = "" };
    struct listings_page_result *rows;
    bool found = true;
    size_t n = 0;
    enum db_result result = DB_OK;
    list->more = false;
    if (list->after != 0)
        result = listing_code_of(list->reading->db, list->reading->arena, list->unit, list->after, &at, &found);
    if (result != DB_OK || !found || (list->after != 0 && at.channel != list->channel))
        return result; /* a cursor of another list: it has no next */
    result = listings_page(list->reading->db, list->reading->arena, list->unit, list->channel, at.channel_sku, most + 1, &rows, &n);
    for (size_t i = 0; result == DB_OK && i < n && (int64_t)i < most; i++) {
        list->keys[list->count++] = (struct master_key){ rows[i].id, rows[i].channel_sku };
        list->after = rows[i].id;
    }
    list->more = (int64_t)n > most;
    return result;
}

static enum db_result others_next(struct list *list, int64_t most)
{
    enum db_result result = list->kind->page(list->reading, list->unit, list->after, most + 1, list->keys, &list->count);
    list->more = result == DB_OK && (int64_t)list->count > most;
    list->count -= list->more;
    if (result == DB_OK && list->count > 0)
        list->after = list->keys[list->count - 1].id;
    return result;
}

/* The next keys behind list->after, at most `most`, and moves it behind them. */
static enum db_result keys_next(struct list *list, int64_t most)
{
    struct db *db = list->reading->db;
    struct arena *arena = list->reading->arena;
    enum db_result result = DB_OK;
    size_t n = 0;
    keys_begin(list, most);
#define TAKE(NAME)                                                                       \
    do {                                                                                 \
        struct NAME##_result *rows;                                                      \
        result = NAME(db, arena, list->unit, list->after, most + 1, &rows, &n);          \
        for (size_t i = 0; result == DB_OK && i < n && (int64_t)i < most; i++) {         \
            list->keys[list->count++] = (struct master_key){ rows[i].id, rows[i].code }; \
            list->after = rows[i].id;                                                    \
        }                                                                                \
        list->more = (int64_t)n > most;                                                  \
    } while (0)
    if (list->kind->page != NULL)
        result = others_next(list, most);
    else if (list->kind->subject == SUBJECT_UNIT)
        TAKE(units_page);
    else if (list->kind->subject == SUBJECT_NODE)
        TAKE(nodes_page);
    else if (list->kind->subject == SUBJECT_CHANNEL)
        TAKE(channels_page);
    else if (list->kind->subject == SUBJECT_CLASS)
        TAKE(classes_page);
    else if (list->kind->subject == SUBJECT_BUNDLE)
        TAKE(bundles_page);
    else if (list->kind->subject == SUBJECT_SKU)
        result = skus_next(list, most);
    else
        result = listings_next(list, most);
#undef TAKE
    return result;
}

/* ---- items ---- */

/* What load will ask for is asked for together, in two rounds: rows that the first brings tell the second more. */
static void write_piece(struct ws *ws, void *context)
{
    struct list *list = context;
    struct faults faults = { .arena = ws_arena(ws) };
    struct json_writer attempt;
    json_begin(&attempt, ws_arena(ws)); /* an attempt that lacks a row is thrown away with its arena */
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < list->count; i++)
            list->kind->want(
                &(struct master){ .ws = ws, .faults = &faults, .code = list->keys[i].code, .outer = list->outer, .owner = list->channel },
                list->keys[i].id);
        ws_settle(ws);
    }
    for (size_t i = 0; i < list->count; i++) {
        struct master master = { .ws = ws, .faults = &faults, .code = list->keys[i].code, .outer = list->outer };
        void *io = arena_alloc(ws_arena(ws), list->kind->fields->size);
        if (list->kind->load(&master, io))
            fields_write(&attempt, list->kind->fields, io);
    }
    if (attempt.out.size > 0)
        json_raw(list->json, attempt.out.at, attempt.out.size);
}

static enum db_result write_items(struct list *list, int64_t limit)
{
    enum db_result result = DB_OK;
    list->more = true;
    while (result == DB_OK && list->more && limit > 0 && list->json->out.size < LIST_BYTES_MAX) {
        int64_t asked = min_i64(limit, PIECE);
        result = keys_next(list, asked);
        limit -= (int64_t)list->count;
        if (result == DB_OK && list->count > 0)
            result = ws_read(list->reading, list->unit, when_now_us(), write_piece, list);
        if ((int64_t)list->count < asked)
            break; /* the end, or many bundles: the next page looks on */
    }
    return result;
}

/* The cursor of a list of this kind; false: it is none, and the answer says so. */
static bool cursor_read(const struct request *request, const struct master_kind *kind, int64_t *unit, int64_t *after, struct answer *answer)
{
    const char *cursor = request->query_text[QUERY_CURSOR];
    if (cursor == NULL || id_parse(cursor, strlen(cursor), subject_name(kind->subject), unit, after))
        return true;
    answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that this list has given");
    return false;
}

/* Where the list looks: the company, the copies of a unit's, or the unit of a channel. */
static enum db_result place_find(struct list *list, const struct request *request, const char **unknown)
{
    const char *unit = request->query_text[QUERY_UNIT];
    struct unit_by_code_id_result row;
    bool found;
    *unknown = NULL;
    if (list->kind->of_channel) {
        enum db_result result = channel_place(list->reading, request->path[0], &list->unit, &list->channel);
        *unknown = result == DB_OK && list->channel == 0 ? "channel" : NULL;
        return result;
    }
    if (unit == NULL)
        return DB_OK;
    enum db_result result = unit_by_code_id(list->reading->db, list->reading->arena, 0, unit, &row, &found);
    *unknown = result == DB_OK && !found ? "unit" : NULL;
    list->unit = result == DB_OK && found ? row.id : 0;
    return result;
}

void list_end(struct json_writer *json, const char *next, struct answer *answer)
{
    json_array_end(json);
    json_key(json, "next");
    json_text(json, next);
    json_object_end(json);
    *answer = (struct answer){ .status = 200, .body = json->out.at, .body_bytes = json->out.size };
}

size_t list_smaller_piece(size_t piece)
{
    return piece < 4 ? 1 : piece / 4;
}

void list_begin(struct json_writer *json, struct arena *arena)
{
    json_begin(json, arena);
    json_object(json);
    json_key(json, "items");
    json_array(json);
}

void master_list(struct reading *reading, const struct request *request, struct answer *answer, const struct master_kind *kind)
{
    struct json_writer json;
    struct list list = { .reading = reading, .kind = kind, .outer = request->path[0], .json = &json };
    const char *unknown;
    int64_t unit = 0;
    if (!cursor_read(request, kind, &unit, &list.after, answer))
        return;
    enum db_result result = place_find(&list, request, &unknown);
    if (result == DB_OK && unknown != NULL) {
        bool channel = kind->of_channel;
        answer_fault(answer, request->arena, channel ? FAULT_NOT_FOUND : FAULT_MALFORMED_QUERY, NULL,
                     arena_printf(request->arena, "there is no %s %s", unknown, channel ? request->path[0] : request->query_text[QUERY_UNIT]));
        return;
    }
    list_begin(&json, request->arena);
    if (result == DB_OK)
        result = write_items(&list, request->query_number[QUERY_LIMIT]);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    char next[32];
    id_format(subject_name(kind->subject), list.unit, list.after, next);
    list_end(&json, list.more ? next : NULL, answer);
}

/* ---- history ---- */

struct member {
    const char *name, *value;
    size_t bytes;
};

/* The members of an object, each value as it stands; at most 64. */
static size_t members_of(struct arena *arena, const char *text, struct member *out)
{
    struct json_reader reader;
    size_t count = 0;
    json_open(&reader, arena, text, strlen(text));
    if (json_next(&reader) != JSON_OBJECT)
        return 0;
    while (count < 64 && json_next(&reader) == JSON_KEY) {
        const char *name = arena_text_n(arena, reader.text, reader.bytes), *from = reader.at;
        if (!json_skip(&reader))
            break;
        out[count++] = (struct member){ name, from, (size_t)(reader.at - from) };
    }
    return count;
}

static bool is_among(const struct member *member, const struct member *others, size_t count, bool with_value)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(others[i].name, member->name) == 0)
            return !with_value || (others[i].bytes == member->bytes && memcmp(others[i].value, member->value, member->bytes) == 0);
    return false;
}

/* Names of what is otherwise than before; of the first version all that was said. */
static void write_changed(struct arena *arena, struct json_writer *json, const char *before, const char *after)
{
    struct member *old = ARENA_ARRAY(arena, struct member, 64), *now = ARENA_ARRAY(arena, struct member, 64);
    size_t old_count = before == NULL ? 0 : members_of(arena, before, old), now_count = members_of(arena, after, now);
    json_key(json, "changed");
    json_array(json);
    for (size_t i = 0; i < now_count; i++)
        if (!is_among(&now[i], old, old_count, true) && strcmp(now[i].name, "version") != 0)
            json_text(json, now[i].name);
    for (size_t i = 0; i < old_count; i++)
        if (!is_among(&old[i], now, now_count, false))
            json_text(json, old[i].name);
    json_array_end(json);
}

static enum db_result actors_load(struct reading *reading, const struct history_page_result *rows, size_t count, struct db_rows *keys)
{
    int64_t *ids = ARENA_ARRAY(reading->arena, int64_t, 2 * count + 2);
    size_t distinct = 0;
    *keys = (struct db_rows){ 0 };
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < distinct && ids[2 * k + 1] != rows[i].actor)
            k++;
        if (k == distinct && rows[i].actor != 0)
            ids[2 * distinct++ + 1] = rows[i].actor;
    }
    return distinct == 0 ? DB_OK : db_load(reading->db, reading->arena, &api_key_table, ids, distinct, keys);
}

static const char *actor_name(const struct db_rows *keys, int64_t actor)
{
    for (size_t i = 0; i < keys->count; i++)
        if (((const struct api_key_row *)db_row(keys, i))->id == actor)
            return ((const struct api_key_row *)db_row(keys, i))->name;
    return "millrace";
}

static void write_change(struct arena *arena, struct json_writer *json, const struct history_page_result *row, const char *before, const char *actor)
{
    json_object(json);
    json_key(json, "version");
    json_int(json, row->version);
    json_key(json, "at");
    json_time(json, row->at);
    json_key(json, "actor");
    json_text(json, actor);
    write_changed(arena, json, before, row->body);
    json_key(json, "resource");
    json_raw(json, row->body, strlen(row->body));
    json_object_end(json);
}

void master_history(struct reading *reading, const struct request *request, struct answer *answer, int64_t unit, enum subject_kind kind,
                    int64_t subject)
{
    const char *cursor = request->query_text[QUERY_CURSOR];
    int64_t limit = request->query_number[QUERY_LIMIT], after = 0, none;
    struct history_page_result *rows;
    struct db_rows keys;
    struct json_writer json;
    size_t count = 0, i;
    if (cursor != NULL && !id_parse(cursor, strlen(cursor), "change", &none, &after)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that this list has given");
        return;
    }
    /* From the version before the page: what has changed shows beside it. */
    enum db_result result = history_page(reading->db, request->arena, unit, kind, subject, max_i64(after - 1, 0), limit + 2, &rows, &count);
    if (result == DB_OK)
        result = actors_load(reading, rows, count, &keys);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    list_begin(&json, request->arena);
    int64_t last = after;
    for (i = 0; i < count && limit > 0 && json.out.size < LIST_BYTES_MAX; i++) {
        if (rows[i].version <= after)
            continue;
        write_change(request->arena, &json, &rows[i], i == 0 ? NULL : rows[i - 1].body, actor_name(&keys, rows[i].actor));
        last = rows[i].version;
        limit--;
    }
    char next[32];
    id_format("change", 0, last, next);
    list_end(&json, i < count ? next : NULL, answer);
}
