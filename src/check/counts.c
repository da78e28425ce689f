/* src/check/counts.c: what a counter said stands beside the adjustment that it became, of one event, and is of a time before it was told. */
#include "check/check.h"
#include "check_sql.h"
#include "inventory/inventory.h"

static void check_fact(struct check *check, int64_t unit, const struct check_count_facts_result *fact, const struct adjustment_row *adjustment)
{
    const char *key =
        arena_printf(check->arena, "unit %ld sku %ld node %ld event %ld", (long)unit, (long)fact->sku, (long)fact->node, (long)fact->seq);
    static const char what[] = "a count stands beside its adjustment, told by one event";
    must_be_told(check, unit, "event of count of SKU", fact->sku, fact->seq);
    if (adjustment == NULL || adjustment->node != fact->node || adjustment->sku != fact->sku)
        check_found(check, "count_adjustment", what, key, 1, 0);
    else if (adjustment->event_seq != fact->seq || adjustment->delta != fact->delta)
        check_found(check, "count_adjustment", what, key, adjustment->delta, fact->delta);
    if (fact->as_of < 1 || fact->as_of > fact->seq)
        check_found(check, "count_as_of", "a count is of a time before it is told", key, fact->seq, fact->as_of);
}

static enum db_result check_page(struct check *check, int64_t unit, const struct check_count_facts_result *facts, size_t count)
{
    int64_t *keys = ARENA_ARRAY(check->arena, int64_t, 2 * count + 2);
    struct db_rows adjustments = { 0 };
    for (size_t i = 0; i < count; i++) {
        keys[2 * i] = unit;
        keys[2 * i + 1] = facts[i].adjustment;
    }
    enum db_result result = count == 0 ? DB_OK : db_load(check->db, check->arena, &adjustment_table, keys, count, &adjustments);
    for (size_t i = 0; result == DB_OK && i < count; i++)
        check_fact(check, unit, &facts[i], check_row(&adjustments, (const int64_t[]){ unit, facts[i].adjustment }, 2));
    return result;
}

enum db_result check_counts_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    size_t limit = CHECK_RANGE;
    for (bool more = true; more && result == DB_OK;) {
        struct check_count_facts_result *facts;
        size_t count = 0;
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = check_count_facts(check->db, check->arena, unit, after, (int64_t)limit, &facts, &count);
        more = count == limit;
        if (more) /* whole SKUs: the last may go on */
            for (int64_t last = facts[limit - 1].sku; count > 0 && facts[count - 1].sku == last;)
                count--;
        limit = more && count == 0 ? 2 * limit : CHECK_RANGE; /* one SKU alone may fill a page */
        if (result == DB_OK && count > 0) {
            after = facts[count - 1].sku;
            result = check_page(check, unit, facts, count);
        }
        (void)db_rollback(check->db);
        arena_reset(check->arena);
    }
    return result;
}
