/* src/finance/sources.c: what the ledger reads of the main store, and the sums that it keeps of it; the follower and millrace check do both
 * alike. */
#include "finance/finance.h"
#include "finance_sql.h"
#include "inventory/inventory.h"
#include <string.h>

/* Why goods were adjusted stands in the adjustment. */
static enum db_result reasons_read(struct db *store, struct arena *arena, int64_t unit, struct moved *moved, size_t count)
{
    int64_t *keys = ARENA_ARRAY(arena, int64_t, 2 * count + 1);
    struct db_rows rows = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (moved[i].cause_kind == CAUSE_ADJUSTMENT)
            keys[2 * n] = unit, keys[2 * n++ + 1] = moved[i].cause;
    enum db_result result = n == 0 ? DB_OK : db_load(store, arena, &adjustment_table, keys, n, &rows);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        size_t low = 0, high = moved[i].cause_kind == CAUSE_ADJUSTMENT ? rows.count : 0;
        while (low < high) { /* rows come in the order of their ids; a job's movements name one from before */
            size_t middle = (low + high) / 2;
            const struct adjustment_row *row = db_row(&rows, middle);
            if (row->id == moved[i].cause)
                moved[i].opens = adjustment_opens(row->reason);
            low = row->id < moved[i].cause ? middle + 1 : low;
            high = row->id < moved[i].cause ? high : middle;
        }
    }
    return result;
}

enum db_result moved_read(struct db *store, struct arena *arena, int64_t unit, int64_t after, int64_t below, int64_t most, struct moved **out,
                          size_t *count)
{
    struct finance_movements_result *rows;
    enum db_result result = finance_movements(store, arena, unit, after, below, PLACE_NODES, most, &rows, count);
    if (result != DB_OK)
        return result;
    *out = ARENA_ARRAY(arena, struct moved, *count + 1);
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = (struct moved){ .id = rows[i].id,
                                    .sku = rows[i].sku,
                                    .class = rows[i].class,
                                    .quantity = rows[i].quantity,
                                    .from_node = rows[i].from_node,
                                    .to_node = rows[i].to_node,
                                    .cause_kind = rows[i].cause_kind,
                                    .cause = rows[i].cause,
                                    .at = rows[i].at,
                                    .unit_cost = rows[i].unit_cost };
    return reasons_read(store, arena, unit, *out, *count);
}

enum db_result told_read(struct db *store, struct arena *arena, int64_t unit, int64_t after, int64_t upto, struct told **out, size_t *count)
{
    struct finance_events_result *rows;
    enum db_result result = finance_events(store, arena, unit, after, upto, &rows, count);
    if (result != DB_OK)
        return result;
    *out = ARENA_ARRAY(arena, struct told, *count + 1);
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = (struct told){ rows[i].seq, rows[i].type, rows[i].at, rows[i].subject, rows[i].amount, rows[i].currency, rows[i].data };
    return DB_OK;
}

enum db_result books_read(struct db *store, struct arena *arena, int64_t unit, struct books *books)
{
    struct db_rows rows = { 0 };
    enum db_result result = db_load(store, arena, &business_unit_table, (const int64_t[]){ unit, unit }, 1, &rows);
    const struct business_unit_row *row = result == DB_OK && rows.count == 1 ? db_row(&rows, 0) : NULL;
    *books = (struct books){ .time_zone = "" };
    if (row != NULL)
        *books = (struct books){ .currency = currency_number(row->currency), .time_zone = row->time_zone, .zone = zone_load(arena, row->time_zone) };
    return result;
}

/* ---- sums of days ---- */

struct ledger_day_row *day_sums_row(struct arena *arena, struct day_sums *sums, int64_t unit, int64_t day, int64_t account, int64_t currency)
{
    for (size_t i = sums->count; i > 0; i--) { /* from the end: time goes on, so it is most often the day that came last */
        struct ledger_day_row *row = &sums->rows[i - 1];
        if (row->day == day && row->account == account && row->currency == currency)
            return row;
    }
    sums->rows = arena_room(arena, sums->rows, sums->count, &sums->room, 64, sizeof *sums->rows);
    sums->rows[sums->count] = (struct ledger_day_row){ .unit = unit, .day = day, .account = account, .currency = currency };
    return &sums->rows[sums->count++];
}

void day_sums_add(struct arena *arena, struct day_sums *sums, int64_t unit, int64_t day, const struct entry *entry)
{
    for (size_t i = 0; i < entry->count; i++) {
        const struct posting *posting = &entry->postings[i];
        struct ledger_day_row *row = day_sums_row(arena, sums, unit, day, posting->account, entry->currency);
        int64_t *side = posting->amount >= 0 ? &row->debit : &row->credit;
        if (!money_add(*side, posting->amount >= 0 ? posting->amount : -posting->amount, side))
            *side = INT64_MAX;
    }
}
