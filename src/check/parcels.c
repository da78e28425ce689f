/* src/check/parcels.c: what was lost or damaged had left with its fulfilment order, and somebody is told while nobody has decided; what counts as
 * delivered without a word is delivered, and what will be looked at is there. */
#include "check/check.h"
#include "check_sql.h"
#include "engine/exceptions.h"
#include "orders/orders.h"
#include "schema.h"
#include <string.h>

static const char *parcel_key(struct check *check, int64_t unit, int64_t fulfilment)
{
    return arena_printf(check->arena, "unit %ld fulfilment %ld", (long)unit, (long)fulfilment);
}

static bool has_left(int64_t state)
{
    return state == FULFILMENT_SHIPPED || state == FULFILMENT_DELIVERED || state == FULFILMENT_FAILED;
}

/* Rows of whole fulfilment orders, together with the exceptions about them. */
struct losses {
    const struct check_losses_result *rows;
    size_t count;
    struct db_rows fulfilments, lines, told;
};

static enum db_result read_named(struct check *check, int64_t unit, struct losses *l)
{
    int64_t *orders = ARENA_ARRAY(check->arena, int64_t, 2 * l->count + 2), *lines = ARENA_ARRAY(check->arena, int64_t, 4 * l->count + 4);
    struct db_value *causes = ARENA_ARRAY(check->arena, struct db_value, 2 * l->count + 2);
    for (size_t i = 0; i < l->count; i++) {
        const struct check_losses_result *row = &l->rows[i];
        memcpy(orders + 2 * i, (const int64_t[]){ unit, row->fulfilment }, 2 * sizeof *orders);
        memcpy(lines + 4 * i, (const int64_t[]){ unit, row->fulfilment, row->line, row->part }, 4 * sizeof *lines);
        causes[2 * i] = db_int(unit);
        causes[2 * i + 1] = db_text(arena_printf(check->arena, "lost_parcel/%ld", (long)row->fulfilment));
    }
    enum db_result result = db_load(check->db, check->arena, &fulfilment_table, orders, l->count, &l->fulfilments);
    if (result == DB_OK)
        result = db_load(check->db, check->arena, &fulfilment_line_table, lines, l->count, &l->lines);
    return result == DB_OK ? db_load_path(check->db, check->arena, &exception_open_by_cause, causes, l->count, 0, &l->told) : result;
}

static bool is_told(const struct losses *l, const char *cause)
{
    bool is = false;
    for (size_t i = 0; i < l->told.count && !is; i++)
        is = strcmp(((const struct exception_item_row *)db_row(&l->told, i))->cause, cause) == 0;
    return is;
}

/* Units of one line of a fulfilment order, of either kind: they are among those that left, and what was decided is among those it gave up. */
static void check_line(struct check *check, int64_t unit, const struct losses *l, size_t first, size_t end)
{
    const struct check_losses_result *row = &l->rows[first];
    const struct fulfilment_row *fulfilment = check_row(&l->fulfilments, (const int64_t[]){ unit, row->fulfilment }, 2);
    const struct fulfilment_line_row *line = check_row(&l->lines, (const int64_t[]){ unit, row->fulfilment, row->line, row->part }, 4);
    const bool there = fulfilment != NULL && line != NULL && fulfilment->ord == row->ord && has_left(fulfilment->state);
    int64_t decided = 0, open = 0;
    for (size_t i = first; i < end; i++) {
        decided += l->rows[i].again + l->rows[i].refunded;
        open += l->rows[i].quantity - l->rows[i].again - l->rows[i].refunded;
    }
    const int64_t most = there ? line->quantity - line->cancelled : 0;
    if (!there || open > most || decided > line->cancelled)
        check_found(check, "parcel_loss", "what was lost or damaged had left with its fulfilment order",
                    arena_printf(check->arena, "%s line %ld", parcel_key(check, unit, row->fulfilment), (long)row->line), most, open);
}

static void check_loss_rows(struct check *check, int64_t unit, const struct losses *l)
{
    for (size_t first = 0, end; first < l->count; first = end) {
        const int64_t fulfilment = l->rows[first].fulfilment;
        int64_t open = 0;
        for (end = first; end < l->count && l->rows[end].fulfilment == fulfilment; end++)
            open += l->rows[end].quantity - l->rows[end].again - l->rows[end].refunded;
        must_know(check, &check->keyed, unit, "order of a loss of fulfilment", fulfilment, l->rows[first].ord);
        for (size_t line = first, next; line < end; line = next) {
            for (next = line; next < end && l->rows[next].line == l->rows[line].line && l->rows[next].part == l->rows[line].part;)
                next++;
            check_line(check, unit, l, line, next);
        }
        const bool told = is_told(l, arena_printf(check->arena, "lost_parcel/%ld", (long)fulfilment));
        if (told != (open > 0))
            check_found(check, "exception_cause", "an exception stands while its cause does", parcel_key(check, unit, fulfilment), open > 0, told);
    }
}

/* By whole orders: those of the last, which a full page may have cut apart, are left to the next. An order has fewer than a page. */
static enum db_result check_losses_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (bool more = true; more && result == DB_OK;) {
        struct check_losses_result *rows = NULL;
        struct losses losses = { .count = 0 };
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = check_losses(check->db, check->arena, unit, after, CHECK_RANGE, &rows, &losses.count);
        more = result == DB_OK && losses.count == CHECK_RANGE;
        for (const int64_t last = more ? rows[losses.count - 1].ord : 0; more && losses.count > 0 && rows[losses.count - 1].ord == last;)
            losses.count--;
        losses.rows = rows;
        if (result == DB_OK && losses.count > 0) {
            after = rows[losses.count - 1].ord;
            result = read_named(check, unit, &losses);
        }
        (void)db_rollback(check->db);
        if (result == DB_OK)
            check_loss_rows(check, unit, &losses);
        arena_reset(check->arena);
    }
    return result;
}

/* An exception about a parcel of which nothing is known. */
static enum db_result check_told(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (size_t count = CHECK_RANGE; count == CHECK_RANGE && result == DB_OK;) {
        struct check_open_of_type_result *open = NULL;
        struct db_rows rows = { 0 };
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = check_open_of_type(check->db, check->arena, unit, EXCEPTION_LOST_PARCEL, after, CHECK_RANGE, &open, &count);
        struct db_value *orders = ARENA_ARRAY(check->arena, struct db_value, 2 * count + 2);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            orders[2 * i] = db_int(unit);
            orders[2 * i + 1] = db_int(open[i].about);
            after = open[i].id;
        }
        if (result == DB_OK && count > 0)
            result = db_load_path(check->db, check->arena, &loss_of_order, orders, count, 0, &rows);
        (void)db_rollback(check->db);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            bool lost = false;
            for (size_t k = 0; k < rows.count && !lost; k++)
                lost = ((const struct parcel_loss_row *)db_row(&rows, k))->fulfilment == open[i].subject;
            if (!lost)
                check_found(check, "exception_cause", "an exception stands while its cause does", parcel_key(check, unit, open[i].subject), 0, 1);
        }
        arena_reset(check->arena);
    }
    return result;
}

/* Fulfilment orders that rows name by id, by pages of the rows; delivered: each must be. */
static enum db_result check_there(struct check *check, int64_t unit, const int64_t *ids, size_t count, bool delivered)
{
    struct db_rows rows = { 0 };
    int64_t *keys = ARENA_ARRAY(check->arena, int64_t, 2 * count + 2);
    for (size_t i = 0; i < count; i++)
        memcpy(keys + 2 * i, (const int64_t[]){ unit, ids[i] }, 2 * sizeof *keys);
    enum db_result result = count == 0 ? DB_OK : db_load(check->db, check->arena, &fulfilment_table, keys, count, &rows);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        const struct fulfilment_row *row = check_row(&rows, keys + 2 * i, 2);
        if (row == NULL || (delivered && row->state != FULFILMENT_DELIVERED))
            check_found(check, delivered ? "assumed_delivery" : "parcel_due",
                        delivered ? "what counts as delivered without a word is delivered" : "a parcel that is due is there",
                        parcel_key(check, unit, ids[i]), 1, 0);
    }
    return result;
}

static enum db_result check_assumed_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (size_t count = CHECK_RANGE; count == CHECK_RANGE && result == DB_OK;) {
        struct check_assumed_result *rows = NULL;
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = check_assumed(check->db, check->arena, unit, after, CHECK_RANGE, &rows, &count);
        int64_t *ids = ARENA_ARRAY(check->arena, int64_t, count + 1);
        for (size_t i = 0; result == DB_OK && i < count; i++)
            after = ids[i] = rows[i].fulfilment;
        if (result == DB_OK)
            result = check_there(check, unit, ids, count, true);
        (void)db_rollback(check->db);
        arena_reset(check->arena);
    }
    return result;
}

static enum db_result check_due_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t at = 0, after = 0; /* INT64_MIN is no value */
    for (size_t count = CHECK_RANGE; count == CHECK_RANGE && result == DB_OK;) {
        struct check_due_result *rows = NULL;
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = check_due(check->db, check->arena, unit, at, after, CHECK_RANGE, &rows, &count);
        int64_t *ids = ARENA_ARRAY(check->arena, int64_t, count + 1);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            at = rows[i].at;
            after = ids[i] = rows[i].fulfilment;
        }
        if (result == DB_OK)
            result = check_there(check, unit, ids, count, false);
        (void)db_rollback(check->db);
        arena_reset(check->arena);
    }
    return result;
}

enum db_result check_parcels_of(struct check *check, int64_t unit)
{
    enum db_result result = check_losses_of(check, unit);
    if (result == DB_OK)
        result = check_told(check, unit);
    if (result == DB_OK)
        result = check_assumed_of(check, unit);
    return result == DB_OK ? check_due_of(check, unit) : result;
}
