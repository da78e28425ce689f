/* src/check/short_picks.c: units that a node did not find stand in its quarantine, and while they do, and no longer, somebody is told to
 * count them. */
#include "check/check.h"
#include "check_sql.h"
#include "engine/exceptions.h"
#include "schema.h"
#include <string.h>

#define TOLD_AT_ONCE 500 /* exceptions; each may be one of hundreds about its SKU */

/* The rows of one position, in the order of keys. */
struct missed {
    int64_t sku, node, units;
};

static const char *key_of(struct check *check, int64_t unit, int64_t sku, int64_t node)
{
    return arena_printf(check->arena, "unit %ld sku %ld node %ld", (long)unit, (long)sku, (long)node);
}

static void found_untold(struct check *check, int64_t unit, int64_t sku, int64_t node, int64_t expected, int64_t found)
{
    check_found(check, "short_pick_count", "somebody is told to count while a pick was short there, and no longer", key_of(check, unit, sku, node),
                expected, found);
}

static bool is_told(const struct db_rows *told, const char *cause)
{
    bool is = false;
    for (size_t i = 0; i < told->count && !is; i++)
        is = strcmp(((const struct exception_item_row *)db_row(told, i))->cause, cause) == 0;
    return is;
}

static enum db_result check_positions_missed(struct check *check, int64_t unit, const struct missed *missed, size_t count)
{
    int64_t *keys = ARENA_ARRAY(check->arena, int64_t, 4 * count + 4);
    struct db_value *causes = ARENA_ARRAY(check->arena, struct db_value, 2 * count + 2);
    struct db_rows positions = { 0 }, told = { 0 };
    for (size_t i = 0; i < count; i++) {
        memcpy(keys + 4 * i, (const int64_t[]){ unit, missed[i].sku, missed[i].node, 0 }, 4 * sizeof *keys);
        causes[2 * i] = db_int(unit);
        causes[2 * i + 1] = db_text(arena_printf(check->arena, "short_pick/%ld/%ld", (long)missed[i].node, (long)missed[i].sku));
    }
    enum db_result result = count == 0 ? DB_OK : db_load(check->db, check->arena, &position_table, keys, count, &positions);
    if (result == DB_OK && count > 0)
        result = db_load_path(check->db, check->arena, &exception_open_by_cause, causes, count, 0, &told);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        const struct position_row *position = check_row(&positions, keys + 4 * i, 4);
        const int64_t quarantined = position == NULL ? 0 : position->quarantined;
        if (missed[i].units > quarantined)
            check_found(check, "short_pick_units", "units that were not found stand in quarantine",
                        key_of(check, unit, missed[i].sku, missed[i].node), quarantined, missed[i].units);
        if (!is_told(&told, causes[2 * i + 1].text))
            found_untold(check, unit, missed[i].sku, missed[i].node, 1, 0);
    }
    return result;
}

/* Rows of whole SKUs: those of the last, which a full page may have cut apart, are left to the next. */
static enum db_result read_rows(struct check *check, int64_t unit, int64_t after, struct check_short_picks_result **rows, size_t *count, bool *more)
{
    enum db_result result = DB_OK;
    *count = 0;
    for (size_t limit = CHECK_RANGE; *count == 0 && result == DB_OK; limit *= 2) { /* one SKU alone may fill a page */
        result = check_short_picks(check->db, check->arena, unit, after, (int64_t)limit, rows, count);
        *more = result == DB_OK && *count == limit;
        if (!*more)
            break;
        for (int64_t last = (*rows)[limit - 1].sku; *count > 0 && (*rows)[*count - 1].sku == last;)
            (*count)--;
    }
    return result;
}

static enum db_result check_rows(struct check *check, int64_t unit, const struct check_short_picks_result *rows, size_t count)
{
    struct missed *missed = ARENA_ARRAY(check->arena, struct missed, count + 1);
    size_t positions = 0;
    for (size_t i = 0; i < count; i++) {
        must_know(check, &check->nodes, unit, "node of short pick of SKU", rows[i].sku, rows[i].node);
        must_know(check, &check->skus, unit, "SKU of short pick", rows[i].sku, rows[i].sku);
        if (rows[i].ord != 0)
            must_know(check, &check->keyed, unit, "order of short pick of SKU", rows[i].sku, rows[i].ord);
        if (positions == 0 || missed[positions - 1].sku != rows[i].sku || missed[positions - 1].node != rows[i].node)
            missed[positions++] = (struct missed){ rows[i].sku, rows[i].node, 0 };
        missed[positions - 1].units += rows[i].quantity;
    }
    return check_positions_missed(check, unit, missed, positions);
}

static enum db_result check_missed(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (bool more = true; more && result == DB_OK;) {
        struct check_short_picks_result *rows;
        size_t count = 0;
        more = false;
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = read_rows(check, unit, after, &rows, &count, &more);
        if (result == DB_OK && count > 0) {
            after = rows[count - 1].sku;
            result = check_rows(check, unit, rows, count);
        }
        (void)db_rollback(check->db);
        arena_reset(check->arena);
    }
    return result;
}

/* From what people are told to what is missing. */
static enum db_result check_told(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (size_t count = TOLD_AT_ONCE; count == TOLD_AT_ONCE && result == DB_OK;) {
        struct check_open_of_type_result *open;
        struct db_rows rows = { 0 };
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = check_open_of_type(check->db, check->arena, unit, EXCEPTION_SHORT_PICK, after, TOLD_AT_ONCE, &open, &count);
        struct db_value *skus = ARENA_ARRAY(check->arena, struct db_value, (size_t)2 * TOLD_AT_ONCE);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            skus[2 * i] = db_int(unit);
            skus[2 * i + 1] = db_int(open[i].sku);
        }
        if (result == DB_OK && count > 0)
            result = db_load_path(check->db, check->arena, &short_pick_of_sku, skus, count, 0, &rows);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            bool missed = false;
            for (size_t r = 0; r < rows.count && !missed; r++) {
                const struct short_pick_row *row = db_row(&rows, r);
                missed = row->sku == open[i].sku && row->node == open[i].node;
            }
            if (!missed)
                found_untold(check, unit, open[i].sku, open[i].node, 0, 1);
            after = open[i].id;
        }
        (void)db_rollback(check->db);
        arena_reset(check->arena);
    }
    return result;
}

enum db_result check_short_picks_of(struct check *check, int64_t unit)
{
    enum db_result result = check_missed(check, unit);
    return result == DB_OK ? check_told(check, unit) : result;
}
