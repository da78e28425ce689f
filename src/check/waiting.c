/* src/check/waiting.c: nothing stands in a queue that does not wait, and at another rank than its order's. */
#include "check/check.h"
#include "check_sql.h"
#include "orders/orders.h"
#include "schema.h"
#include <string.h>

/* What somebody waits for must be found by a change of masters. */
static enum db_result check_listed(struct check *check, int64_t unit, const struct check_waiting_result *w, size_t count)
{
    struct db_rows listed = { 0 };
    int64_t *keys = ARENA_ARRAY(check->arena, int64_t, 3 * count);
    for (size_t i = 0; i < count; i++)
        memcpy(keys + 3 * i, (const int64_t[]){ unit, w[i].sku % WAITING_PARTS, w[i].sku }, 3 * sizeof *keys);
    enum db_result result = db_load(check->db, check->arena, &waiting_sku_table, keys, count, &listed);
    for (size_t i = 0; result == DB_OK && i < count; i++)
        if ((i == 0 || w[i].sku != w[i - 1].sku) && check_row(&listed, keys + 3 * i, 3) == NULL)
            check_found(check, "waiting_sku", "a SKU that somebody waits for is listed as such",
                        arena_printf(check->arena, "unit %ld sku %ld", (long)unit, (long)w[i].sku), 1, 0);
    return result;
}

/* The queue's rows with the demands and orders that they are of, at one moment. */
static enum db_result check_rows(struct check *check, int64_t unit, const struct check_waiting_result *w, size_t count)
{
    struct db_rows demands = { 0 }, orders = { 0 };
    int64_t *d = ARENA_ARRAY(check->arena, int64_t, 4 * count + 4), *o = ARENA_ARRAY(check->arena, int64_t, 2 * count + 2);
    for (size_t i = 0; i < count; i++) {
        d[4 * i] = o[2 * i] = unit;
        d[4 * i + 1] = o[2 * i + 1] = w[i].ord;
        d[4 * i + 2] = w[i].line;
        d[4 * i + 3] = w[i].part;
    }
    enum db_result result = count == 0 ? DB_OK : db_load(check->db, check->arena, &demand_table, d, count, &demands);
    if (result == DB_OK && count > 0)
        result = db_load(check->db, check->arena, &orders_table, o, count, &orders);
    if (result == DB_OK && count > 0)
        result = check_listed(check, unit, w, count);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        const struct demand_row *demand = check_row(&demands, d + 4 * i, 4);
        const struct orders_row *order = check_row(&orders, o + 2 * i, 2);
        bool right = demand != NULL && order != NULL && demand->backordered == w[i].units && w[i].units > 0 && demand->sku == w[i].sku &&
                     order->priority == w[i].priority && (order->promise_by == NULL_INT ? INT64_MAX : order->promise_by) == w[i].promise &&
                     order->channel == w[i].channel && (w[i].capped != 0) == (order->max_shipments != NULL_INT);
        if (!right)
            check_found(check, "waiting_demand", "what waits stands in its queue by rank, and nothing else",
                        arena_printf(check->arena, "unit %ld sku %ld order %ld line %ld part %ld", (long)unit, (long)w[i].sku, (long)w[i].ord,
                                     (long)w[i].line, (long)w[i].part),
                        0, 1);
    }
    return result;
}

/* A queue that is longer than a page is read whole, and looked at a piece at a time. */
static enum db_result read_page(struct check *check, int64_t unit, int64_t *after, bool *more)
{
    struct check_waiting_result *w;
    size_t count = 0;
    enum db_result result = db_begin_read(check->db);
    if (result == DB_OK)
        result = check_waiting(check->db, check->arena, unit, *after, CHECK_RANGE, &w, &count);
    *more = result == DB_OK && count == CHECK_RANGE;
    int64_t last = count == 0 ? 0 : w[count - 1].sku;
    if (*more && w[0].sku != last) {
        while (w[count - 1].sku == last)
            count--;
        last = w[count - 1].sku;
    } else if (*more) {
        struct check_waiting_of_sku_result *whole;
        result = check_waiting_of_sku(check->db, check->arena, unit, last, &whole, &count);
        _Static_assert(sizeof *whole == sizeof *w, "the two statements give the same columns");
        w = (struct check_waiting_result *)(void *)whole;
    }
    for (size_t from = 0; result == DB_OK && from < count; from += CHECK_RANGE) {
        struct arena_mark mark = arena_mark(check->arena);
        result = check_rows(check, unit, w + from, count - from < CHECK_RANGE ? count - from : CHECK_RANGE);
        arena_rewind(check->arena, mark);
    }
    *after = last;
    (void)db_rollback(check->db);
    arena_reset(check->arena);
    return result;
}

enum db_result check_waiting_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (bool more = true; more && result == DB_OK;)
        result = read_page(check, unit, &after, &more);
    return result;
}
