/* src/check/keys.c: no two orders are one, and each stands under its channel order id. The keys are read first and sorted
 * by order; what came since then is not counted against them. */
#include "check/check.h"
#include "check_sql.h"
#include "schema.h"

/* Keys come sorted by number: two orders with one number are compared by what they are. */
static enum db_result check_same_number(struct check *check, int64_t unit, int64_t one, int64_t other)
{
    struct db_rows rows;
    int64_t keys[] = { unit, one, unit, other };
    enum db_result result = db_load(check->db, check->arena, &orders_table, keys, 2, &rows);
    if (result != DB_OK || rows.count != 2)
        return result;
    const struct orders_row *a = db_row(&rows, 0), *b = db_row(&rows, 1);
    if (a->channel == b->channel && text_equal(a->channel_order_id, b->channel_order_id))
        check_found(check, "order_twice", "one order per channel order id",
                    arena_printf(check->arena, "unit %ld channel %ld id %s", (long)unit, (long)a->channel, a->channel_order_id), a->id, b->id);
    return result;
}

static enum db_result read_keys(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t from = INT64_MIN + 1; /* INT64_MIN is NULL_INT */
    for (size_t count = CHECK_RANGE; count == CHECK_RANGE && result == DB_OK;) {
        struct check_keys_result *keys;
        result = check_keys(check->db, check->arena, unit, from, CHECK_RANGE, &keys, &count);
        for (size_t i = 0; i < count && result == DB_OK; i++) {
            for (size_t k = i; k > 0 && keys[k - 1].number == keys[i].number && result == DB_OK; k--)
                result = check_same_number(check, unit, keys[k - 1].ord, keys[i].ord);
            if (!known_add(&check->keyed, keys[i].ord))
                return DB_BUSY;
        }
        if (count == CHECK_RANGE) /* the last number is read again: the page may have cut its keys apart */
            from = keys[count - 1].number > from ? keys[count - 1].number : from + 1;
        arena_reset(check->arena);
    }
    return result;
}

enum db_result check_keys_of(struct check *check, int64_t unit)
{
    struct check_clock_result clock;
    bool found;
    check->keyed.count = 0;
    enum db_result result = check_clock(check->db, check->arena, unit, &clock, &found);
    check->keyed.below = clock.next_id;
    if (result == DB_OK)
        result = read_keys(check, unit);
    known_sort(&check->keyed);
    return result;
}
