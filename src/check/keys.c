/* src/check/keys.c: no two orders are one, and each stands under its channel order id. The keys are read first and sorted
 * by order; what came since then is not counted against them. Then each range of orders is asked for the keys that the orders'
 * own ids give: who has one key and has the right one has no other, and two orders of one id have one number. */
#include "check/check.h"
#include "check_sql.h"
#include "orders/order_key.h"
#include "schema.h"
#include <stdlib.h>
#include <string.h>

static void found_wrong_key(struct check *check, int64_t unit, int64_t order, int64_t expected, int64_t found)
{
    check_found(check, "order_key", "each order stands under its channel order id, each key for its order",
                arena_printf(check->arena, "unit %ld order %ld", (long)unit, (long)order), expected, found);
}

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
    int64_t from = INT64_MIN + 1, last = 0; /* INT64_MIN is NULL_INT; last: the order of the last key at `from` */
    for (size_t count = CHECK_RANGE; count == CHECK_RANGE && result == DB_OK;) {
        struct check_keys_result *keys;
        result = check_keys(check->db, check->arena, unit, from, CHECK_RANGE, &keys, &count);
        for (size_t i = 0; i < count && result == DB_OK; i++) {
            for (size_t k = i; k > 0 && keys[k - 1].number == keys[i].number && result == DB_OK; k--)
                result = check_same_number(check, unit, keys[k - 1].ord, keys[i].ord);
            if ((keys[i].number > from || keys[i].ord > last) && !known_add(&check->keyed, keys[i].ord))
                return DB_BUSY;
        }
        if (count == CHECK_RANGE) { /* the last number is read again: the page may have cut its keys apart */
            last = keys[count - 1].number > from ? keys[count - 1].ord : 0;
            from = keys[count - 1].number > from ? keys[count - 1].number : from + 1;
        }
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
    check->keyed.table = &orders_table; /* an order that came since is in its table: it came with its key */
    check->keyed.unit = unit;
    if (result == DB_OK)
        result = read_keys(check, unit);
    int64_t twice = known_sort(&check->keyed);
    if (result == DB_OK && twice != 0)
        found_wrong_key(check, unit, twice, 1, 2);
    return result;
}

/* ---- the number of each order ---- */

/* The codes of the channels that the orders name, sorted by id; a channel that is not there is another rule's. */
static enum db_result read_channels(struct check *check, int64_t unit, const struct check_orders_result *orders, size_t count, struct db_rows *rows)
{
    int64_t *keys = ARENA_ARRAY(check->arena, int64_t, 2 * count + 2);
    struct known channels = { 0 };
    for (size_t i = 0; i < count; i++)
        if ((i == 0 || orders[i].channel != orders[i - 1].channel) && !known_add(&channels, orders[i].channel)) {
            free(channels.ids);
            return DB_BUSY;
        }
    known_sort(&channels);
    for (size_t i = 0; i < channels.count; i++)
        memcpy(keys + 2 * i, (const int64_t[]){ unit, channels.ids[i] }, 2 * sizeof *keys);
    enum db_result result = channels.count == 0 ? DB_OK : db_load(check->db, check->arena, &channel_table, keys, channels.count, rows);
    free(channels.ids);
    return result;
}

/* The order has no key under its number: perhaps another has, and is the same order. */
static enum db_result check_who_has(struct check *check, int64_t unit, int64_t number, int64_t order)
{
    struct check_keys_result *others;
    size_t count = 0;
    if (known_has(check, &check->keyed, order)) /* has it none at all, that has been said */
        found_wrong_key(check, unit, order, number, 0);
    enum db_result result = check_keys(check->db, check->arena, unit, number, 100, &others, &count);
    for (size_t i = 0; i < count && others[i].number == number && result == DB_OK; i++)
        result = check_same_number(check, unit, others[i].ord, order);
    return result;
}

enum db_result check_numbers(struct check *check, int64_t unit, const struct check_orders_result *orders, size_t count)
{
    struct db_rows channels = { 0 }, rows = { 0 };
    if (check->vault == NULL || count == 0)
        return DB_OK;
    enum db_result result = read_channels(check, unit, orders, count, &channels);
    int64_t *keys = ARENA_ARRAY(check->arena, int64_t, 3 * count);
    size_t asked = 0;
    for (size_t i = 0; i < count && result == DB_OK; i++) {
        const struct channel_row *channel = check_row(&channels, (const int64_t[]){ unit, orders[i].channel }, 2);
        if (channel == NULL)
            continue;
        int64_t number = order_key_of(check->vault, check->arena, channel->code, orders[i].channel_order_id);
        memcpy(keys + 3 * asked++, (const int64_t[]){ unit, number, orders[i].id }, 3 * sizeof *keys);
    }
    if (asked > 0 && result == DB_OK)
        result = db_load(check->db, check->arena, &order_key_table, keys, asked, &rows);
    for (size_t i = 0; i < asked && result == DB_OK && rows.count < asked; i++)
        if (check_row(&rows, keys + 3 * i, 3) == NULL)
            result = check_who_has(check, unit, keys[3 * i + 1], keys[3 * i + 2]);
    return result;
}
