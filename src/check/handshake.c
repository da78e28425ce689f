/* src/check/handshake.c: what a node is asked to give back is due there, and it is asked for nothing else; a node refuses an order whose
 * work it declined or failed with. */
#include "check/check.h"
#include "check_sql.h"
#include "orders/orders.h"
#include "schema.h"
#include <string.h>

static void found_asked(struct check *check, int64_t unit, int64_t fulfilment, int64_t line, int64_t expected, int64_t found)
{
    check_found(check, "cancel_asked", "what a node is asked to give back is due there, and it is asked while its state says so",
                arena_printf(check->arena, "unit %ld fulfilment %ld line %ld", (long)unit, (long)fulfilment, (long)line), expected, found);
}

static bool may_be_asked(int64_t state)
{
    return state == FULFILMENT_SENT || state == FULFILMENT_ACCEPTED || state == FULFILMENT_PICKING || state == FULFILMENT_PACKED;
}

/* Rows of whole fulfilment orders, which have fewer than a page: those of the last, which a full page may have cut apart, are left to the next. */
static enum db_result check_asked_rows(struct check *check, int64_t unit, const struct check_asked_result *rows, size_t count)
{
    int64_t *orders = ARENA_ARRAY(check->arena, int64_t, 2 * count + 2), *lines = ARENA_ARRAY(check->arena, int64_t, 4 * count + 4);
    struct db_rows fulfilments = { 0 }, due = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(lines + 4 * i, (const int64_t[]){ unit, rows[i].fulfilment, rows[i].line, rows[i].part }, 4 * sizeof *lines);
        if (n == 0 || orders[2 * n - 1] != rows[i].fulfilment)
            memcpy(orders + 2 * n++, (const int64_t[]){ unit, rows[i].fulfilment }, 2 * sizeof *orders);
    }
    enum db_result result = db_load(check->db, check->arena, &fulfilment_table, orders, n, &fulfilments);
    if (result == DB_OK)
        result = db_load(check->db, check->arena, &fulfilment_line_table, lines, count, &due);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        const struct fulfilment_row *row = check_row(&fulfilments, (const int64_t[]){ unit, rows[i].fulfilment }, 2);
        const struct fulfilment_line_row *line = check_row(&due, lines + 4 * i, 4);
        const bool same = i == 0 || rows[i - 1].fulfilment != rows[i].fulfilment || rows[i - 1].was == rows[i].was;
        const bool asked = row != NULL && row->state == FULFILMENT_CANCEL_REQUESTED && may_be_asked(rows[i].was) && same;
        const int64_t most = asked && line != NULL ? line->quantity - line->cancelled : 0;
        if (rows[i].quantity > most)
            found_asked(check, unit, rows[i].fulfilment, rows[i].line, most, rows[i].quantity);
    }
    return result;
}

static enum db_result check_asked_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (bool more = true; more && result == DB_OK;) {
        struct check_asked_result *rows = NULL;
        size_t count = 0;
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = check_asked(check->db, check->arena, unit, after, CHECK_RANGE, &rows, &count);
        more = result == DB_OK && count == CHECK_RANGE;
        for (const int64_t last = more ? rows[count - 1].fulfilment : 0; more && count > 0 && rows[count - 1].fulfilment == last;)
            count--;
        if (result == DB_OK && count > 0) {
            after = rows[count - 1].fulfilment;
            result = check_asked_rows(check, unit, rows, count);
        }
        (void)db_rollback(check->db);
        arena_reset(check->arena);
    }
    return result;
}

/* From what says that its node is asked to what it is asked for. */
static enum db_result check_requested_at(struct check *check, int64_t unit, int64_t node)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (size_t count = CHECK_RANGE; count == CHECK_RANGE && result == DB_OK;) {
        struct check_requested_result *rows;
        struct db_rows asked = { 0 };
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = check_requested(check->db, check->arena, unit, node, after, CHECK_RANGE, &rows, &count);
        struct db_value *prefixes = ARENA_ARRAY(check->arena, struct db_value, 2 * count + 2);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            prefixes[2 * i] = db_int(unit);
            prefixes[2 * i + 1] = db_int(rows[i].id);
            after = rows[i].id;
        }
        if (result == DB_OK && count > 0)
            result = db_load_path(check->db, check->arena, &asked_of_fulfilment, prefixes, count, 1, &asked);
        (void)db_rollback(check->db);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            bool is = false;
            for (size_t k = 0; k < asked.count && !is; k++)
                is = ((const struct cancel_asked_row *)db_row(&asked, k))->fulfilment == rows[i].id;
            if (!is)
                found_asked(check, unit, rows[i].id, 0, 1, 0);
        }
        arena_reset(check->arena);
    }
    return result;
}

static enum db_result check_refused_rows(struct check *check, int64_t unit, const struct check_refusals_result *rows, size_t count)
{
    struct db_rows fulfilments = { 0 };
    int64_t *keys = ARENA_ARRAY(check->arena, int64_t, 2 * count + 2);
    for (size_t i = 0; i < count; i++) {
        memcpy(keys + 2 * i, (const int64_t[]){ unit, rows[i].fulfilment }, 2 * sizeof *keys);
        must_know(check, &check->keyed, unit, "order that a node refuses", rows[i].ord, rows[i].ord);
        must_know(check, &check->nodes, unit, "node that refuses order", rows[i].ord, rows[i].node);
    }
    enum db_result result = db_load(check->db, check->arena, &fulfilment_table, keys, count, &fulfilments);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        bool refused = false;
        for (size_t k = 0; k < fulfilments.count && !refused; k++) { /* few, and in the order of their ids, not of the orders' */
            const struct fulfilment_row *row = db_row(&fulfilments, k);
            refused = row->id == rows[i].fulfilment && row->ord == rows[i].ord && row->node == rows[i].node &&
                      (row->state == FULFILMENT_DECLINED || row->state == FULFILMENT_FAILED);
        }
        if (!refused)
            check_found(check, "node_refusal", "a node refuses an order whose work it declined or failed with",
                        arena_printf(check->arena, "unit %ld order %ld node %ld", (long)unit, (long)rows[i].ord, (long)rows[i].node), 1, 0);
    }
    return result;
}

#define REFUSALS_AT_ONCE 500 /* an order has fewer, one of each node of its channel */

static enum db_result check_refusals_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (bool more = true; more && result == DB_OK;) {
        struct check_refusals_result *rows = NULL;
        size_t count = 0;
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = check_refusals(check->db, check->arena, unit, after, REFUSALS_AT_ONCE, &rows, &count);
        more = result == DB_OK && count == REFUSALS_AT_ONCE;
        for (const int64_t last = more ? rows[count - 1].ord : 0; more && count > 0 && rows[count - 1].ord == last;)
            count--;
        if (result == DB_OK && count > 0) {
            after = rows[count - 1].ord;
            result = check_refused_rows(check, unit, rows, count);
        }
        (void)db_rollback(check->db);
        arena_reset(check->arena);
    }
    return result;
}

enum db_result check_handshake_of(struct check *check, int64_t unit)
{
    enum db_result result = check_asked_of(check, unit);
    for (size_t i = 0; i < check->nodes.count && result == DB_OK; i++)
        result = check_requested_at(check, unit, check->nodes.ids[i]);
    return result == DB_OK ? check_refusals_of(check, unit) : result;
}
