/* src/check/promises.c: what those who wait were told of when they will have their units is what follows from what is expected, where nobody is still
 * to look: the same walk down each queue as orders/told.c goes. */
#include "check/check.h"
#include "check_sql.h"
#include "catalog/catalog.h"
#include "engine/jobs.h"
#include "inventory/inventory.h"
#include "orders/dates.h"
#include "orders/told.h"
#include <string.h>

/* One SKU's queue, at one moment. */
struct queue_look {
    struct check *check;
    int64_t unit, sku;
    struct queue_place *places; /* a piece of it, whose lines are looked at next */
    size_t count;
    enum db_result result;
};

static const char *key_of(const struct queue_look *look, const struct queue_place *place)
{
    return arena_printf(look->check->arena, "unit %ld sku %ld order %ld line %ld part %ld", (long)look->unit, (long)look->sku, (long)place->ord,
                        (long)place->line, (long)place->part);
}

/* A bundle's date follows from all its parts that wait, if nobody is to look at one of their queues. It is looked at from the queue of the first
 * of them only: *known is false from the others'. */
static enum db_result date_of_bundle(const struct queue_look *look, const struct queue_place *place, int64_t *at, bool *known)
{
    struct check *check = look->check;
    struct check_line_parts_result *parts;
    struct db_rows waiting = { 0 }, skus = { 0 };
    size_t count = 0;
    enum db_result result = check_line_parts(check->db, check->arena, look->unit, place->ord, place->line, 1, &parts, &count);
    *known = result == DB_OK && count == 1 && parts[0].part == place->part;
    if (!*known)
        return result;
    result = check_line_parts(check->db, check->arena, look->unit, place->ord, place->line, COMPONENTS_MAX, &parts, &count);
    int64_t *dates = ARENA_ARRAY(check->arena, int64_t, count + 1), *sku_keys = ARENA_ARRAY(check->arena, int64_t, 3 * count + 3),
            *keys = ARENA_ARRAY(check->arena, int64_t, 7 * count + 7);
    for (size_t i = 0; i < count && result == DB_OK; i++) {
        memcpy(sku_keys + 3 * i, (const int64_t[]){ look->unit, parts[i].sku % WAITING_PARTS, parts[i].sku }, 3 * sizeof *sku_keys);
        memcpy(keys + 7 * i, (const int64_t[]){ look->unit, parts[i].sku, place->priority, place->promise, place->ord, place->line, parts[i].part },
               7 * sizeof *keys);
    }
    if (result == DB_OK)
        result = db_load(check->db, check->arena, &waiting_sku_table, sku_keys, count, &skus);
    if (result == DB_OK)
        result = db_load(check->db, check->arena, &waiting_table, keys, count, &waiting);
    for (size_t i = 0; i < count && result == DB_OK; i++) {
        const struct waiting_sku_row *sku = check_row(&skus, sku_keys + 3 * i, 3);
        const struct waiting_row *row = check_row(&waiting, keys + 7 * i, 7);
        *known = *known && sku != NULL && row != NULL && sku->due == 0;
        dates[i] = *known ? row->told : NULL_INT;
    }
    *at = line_date_of(dates, count);
    return result;
}

static enum db_result check_lines_of(struct queue_look *look)
{
    struct db_rows lines = { 0 };
    struct check *check = look->check;
    int64_t *keys = ARENA_ARRAY(check->arena, int64_t, 3 * look->count + 3);
    for (size_t i = 0; i < look->count; i++)
        memcpy(keys + 3 * i, (const int64_t[]){ look->unit, look->places[i].ord, look->places[i].line }, 3 * sizeof *keys);
    enum db_result result = look->count == 0 ? DB_OK : db_load(check->db, check->arena, &order_line_table, keys, look->count, &lines);
    for (size_t i = 0; i < look->count && result == DB_OK; i++) {
        const struct queue_place *place = &look->places[i];
        const struct order_line_row *line = check_row(&lines, keys + 3 * i, 3);
        int64_t at = line_date_of(&place->told, 1);
        bool known = line != NULL; /* without its line: another rule's */
        if (known && line->bundle)
            result = date_of_bundle(look, place, &at, &known);
        if (result == DB_OK && known && line->told != at)
            check_found(check, "promise_told", "what was told of a line that waits is what its parts were promised", key_of(look, place), at,
                        line->told);
    }
    look->count = 0;
    return result;
}

static bool look_at(void *context, const struct queue_place *place, int64_t at)
{
    struct queue_look *look = context;
    if (place->told != at)
        check_found(look->check, "promise_told", "what was told of a place in a queue is what follows from what is expected", key_of(look, place), at,
                    place->told);
    look->places[look->count++] = *place;
    if (look->count == CHECK_RANGE) {
        struct arena_mark mark = arena_mark(look->check->arena);
        look->result = check_lines_of(look);
        arena_rewind(look->check->arena, mark);
    }
    return look->result == DB_OK;
}

/* Its row is read once more in the snapshot that its queue is read in. */
static enum db_result check_queue(struct check *check, int64_t unit, int64_t part, int64_t sku)
{
    struct db_rows rows = { 0 };
    struct check_standing_result *stock;
    struct check_promise_jobs_result *jobs;
    size_t stands = 0, job_count = 0;
    bool stood;
    const int64_t key[] = { unit, part, sku };
    struct reading reading = { .db = check->db, .arena = check->arena };
    struct queue_look look = { .check = check, .unit = unit, .sku = sku };
    enum db_result result = db_begin_read(check->db);
    look.places = ARENA_ARRAY(check->arena, struct queue_place, CHECK_RANGE);
    if (result == DB_OK)
        result = db_load(check->db, check->arena, &waiting_sku_table, key, 1, &rows);
    if (result == DB_OK)
        result = check_promise_jobs(check->db, check->arena, unit, JOB_OPEN, JOB_PROMISE, &jobs, &job_count);
    if (result == DB_OK)
        result = check_standing(check->db, check->arena, unit, sku, &stock, &stands);
    /* Free units that nobody in the queue may take go to newcomers, who do not ask the queue: see told.c. */
    if (result == DB_OK && stands == 0 && job_count == 0 && rows.count == 1 && ((const struct waiting_sku_row *)db_row(&rows, 0))->due == 0)
        result = queue_dates(&reading, unit, sku, look_at, &look, &stood);
    if (result == DB_OK)
        result = look.result;
    if (result == DB_OK)
        result = check_lines_of(&look);
    (void)db_rollback(check->db);
    return result;
}

#define SKUS_AT_ONCE 1000

enum db_result check_promises_of(struct check *check, int64_t unit)
{
    struct check_waiting_skus_result *rows;
    int64_t skus[SKUS_AT_ONCE];
    enum db_result result = DB_OK;
    for (int64_t part = 0; part < WAITING_PARTS && result == DB_OK; part++) {
        int64_t after = 0;
        for (size_t count = SKUS_AT_ONCE; count == SKUS_AT_ONCE && result == DB_OK;) {
            result = check_waiting_skus(check->db, check->arena, unit, part, after, SKUS_AT_ONCE, &rows, &count);
            for (size_t i = 0; i < count && result == DB_OK; i++)
                skus[i] = rows[i].sku;
            for (size_t i = 0; i < count && result == DB_OK; i++) {
                arena_reset(check->arena);
                result = check_queue(check, unit, part, skus[i]);
                after = skus[i];
            }
        }
        arena_reset(check->arena);
    }
    return result;
}
