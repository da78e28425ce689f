/* src/finance/follow.c: the ledger follows. A page of movements and a range of events is one transaction in the projections' store, which takes
 * the unit's cursor first, so that two servers take turns, and moves it last. Movements are booked in the order of their ids and events in
 * that of their numbers, so the same postings come whatever the pages were. Books that were made of another past (a store restored
 * from a copy), by other rules or in another time zone go in pieces, and the cursor with the last of them. */
#include "finance/finance.h"
#include "finance_sql.h"
#include "inventory/inventory.h"
#include <stdlib.h>
#include <string.h>

#define PAGE 2000          /* movements of one transaction */
#define EVENTS_A_PAGE 2000 /* those of large orders are long: 30 KB each */
#define FORGET_ROWS 10000
#define FORGETTING (-1) /* a cursor's seq while its books are forgotten in pieces */

struct page {
    const struct ledger_follower *follower;
    int64_t unit;
    struct books books;
    struct ledger_cursor_row from, to;
    bool is_new; /* the unit has no cursor yet */
    struct day_sums sums;
    struct ledger_posting_row *postings;
    size_t posting_count, posting_room;
};

static enum db_result write_rows(const struct page *page, enum db_result (*write)(struct db *, const struct db_table *, const void *const *, size_t),
                                 const struct db_table *table, const void *rows, size_t count)
{
    const void **each = ARENA_ARRAY(page->follower->arena, const void *, count + 1);
    for (size_t i = 0; i < count; i++)
        each[i] = (const char *)rows + i * table->row_size;
    return count == 0 ? DB_OK : write(page->follower->read, table, each, count);
}

static void add_entry(struct page *page, enum ledger_source source, const struct entry *entry)
{
    struct arena *arena = page->follower->arena;
    int64_t day = zone_day(page->books.zone, entry->at);
    for (size_t i = 0; i < entry->count; i++) {
        page->postings = arena_room(arena, page->postings, page->posting_count, &page->posting_room, 1024, sizeof *page->postings);
        page->postings[page->posting_count++] = (struct ledger_posting_row){ .unit = page->unit,
                                                                             .source = source,
                                                                             .id = entry->id,
                                                                             .line = (int64_t)i + 1,
                                                                             .account = entry->postings[i].account,
                                                                             .amount = entry->postings[i].amount,
                                                                             .currency = entry->currency,
                                                                             .day = day,
                                                                             .subject = entry->subject,
                                                                             .note = entry->note };
    }
    day_sums_add(arena, &page->sums, page->unit, day, entry);
}

/* ---- movements, and what goods are worth ---- */

struct stocks {
    struct ledger_stock_row *rows; /* by (sku, class), as keys */
    size_t count;
    struct db_rows there; /* those of them that the store has, in the same order */
};

static int by_key(const void *a, const void *b)
{
    const int64_t *left = a, *right = b; /* unit, sku, class */
    size_t i = left[1] != right[1] ? 1 : 2;
    return left[i] < right[i] ? -1 : left[i] > right[i];
}

static struct ledger_stock_row *stock_of(const struct stocks *stocks, const struct moved *moved)
{
    const int64_t key[] = { 0, moved->sku, moved->class };
    return bsearch(key, stocks->rows, stocks->count, sizeof *stocks->rows, by_key);
}

static enum db_result stocks_load(struct page *page, const struct moved *moved, size_t count, struct stocks *stocks)
{
    const struct ledger_follower *f = page->follower;
    stocks->rows = ARENA_ARRAY(f->arena, struct ledger_stock_row, count + 1);
    for (size_t i = 0; i < count; i++)
        stocks->rows[i] = (struct ledger_stock_row){ .unit = page->unit, .sku = moved[i].sku, .class = moved[i].class, .last_cost = NULL_INT };
    qsort(stocks->rows, count, sizeof *stocks->rows, by_key);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || by_key(&stocks->rows[i], &stocks->rows[stocks->count - 1]) != 0)
            stocks->rows[stocks->count++] = stocks->rows[i];
    int64_t *keys = ARENA_ARRAY(f->arena, int64_t, 3 * stocks->count + 1);
    for (size_t i = 0; i < stocks->count; i++)
        memcpy(keys + 3 * i, &stocks->rows[i], 3 * sizeof *keys);
    enum db_result result = stocks->count == 0 ? DB_OK : db_load(f->read, f->arena, &ledger_stock_table, keys, stocks->count, &stocks->there);
    for (size_t i = 0; result == DB_OK && i < stocks->there.count; i++) {
        const struct ledger_stock_row *there = db_row(&stocks->there, i);
        *(struct ledger_stock_row *)bsearch(there, stocks->rows, stocks->count, sizeof *stocks->rows, by_key) = *there;
    }
    return result;
}

static enum db_result stocks_write(struct page *page, const struct stocks *stocks)
{
    struct arena *arena = page->follower->arena;
    struct ledger_stock_row *fresh = ARENA_ARRAY(arena, struct ledger_stock_row, stocks->count + 1);
    struct ledger_stock_row *changed = ARENA_ARRAY(arena, struct ledger_stock_row, stocks->count + 1);
    size_t fresh_count = 0, changed_count = 0;
    for (size_t i = 0; i < stocks->count; i++) {
        bool is_there = changed_count < stocks->there.count && by_key(db_row(&stocks->there, changed_count), &stocks->rows[i]) == 0;
        *(is_there ? &changed[changed_count++] : &fresh[fresh_count++]) = stocks->rows[i];
    }
    enum db_result result = write_rows(page, db_insert, &ledger_stock_table, fresh, fresh_count);
    return result == DB_OK ? write_rows(page, db_update, &ledger_stock_table, changed, changed_count) : result;
}

static enum db_result book_movements(struct page *page)
{
    const struct ledger_follower *f = page->follower;
    const int64_t most = f->page == 0 ? PAGE : f->page, below = page->from.head_id;
    struct moved *moved;
    struct stocks stocks = { 0 };
    size_t count = 0;
    enum db_result result = moved_read(f->store, f->arena, page->unit, page->from.movement_id, below, most, &moved, &count);
    if (result != DB_OK)
        return result;
    page->to.movement_id = (int64_t)count == most ? moved[count - 1].id : max_i64(page->from.movement_id, below - 1);
    result = stocks_load(page, moved, count, &stocks);
    struct carried carried = { page->from.carried_movement, page->from.carried };
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        struct entry entry;
        book_movement(&moved[i], page->books.currency, stock_of(&stocks, &moved[i]), &carried, &entry);
        add_entry(page, SOURCE_MOVEMENT, &entry);
    }
    page->to.carried_movement = carried.movement;
    page->to.carried = carried.amount;
    return result == DB_OK ? stocks_write(page, &stocks) : result;
}

/* ---- events ---- */

static enum db_result book_events(struct page *page)
{
    const struct ledger_follower *f = page->follower;
    struct told *told;
    size_t count = 0;
    page->to.seq = max_i64(page->from.seq, min_i64(page->from.head_seq, page->from.seq + EVENTS_A_PAGE));
    enum db_result result = told_read(f->store, f->arena, page->unit, page->from.seq, page->to.seq, &told, &count);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        struct arena_mark mark = arena_mark(f->arena);
        struct entry entry;
        book_event(f->arena, &told[i], &entry);
        arena_rewind(f->arena, mark);
        add_entry(page, SOURCE_EVENT, &entry);
    }
    return result;
}

/* ---- days ---- */

static int by_day(const void *a, const void *b)
{
    const int64_t *left = a, *right = b; /* unit, day, account, currency */
    size_t i = 1;
    while (i < 3 && left[i] == right[i])
        i++;
    return left[i] < right[i] ? -1 : left[i] > right[i];
}

static enum db_result days_write(struct page *page)
{
    const struct ledger_follower *f = page->follower;
    struct day_sums *sums = &page->sums;
    struct db_rows there = { 0 };
    int64_t *keys = ARENA_ARRAY(f->arena, int64_t, 4 * sums->count + 1);
    struct ledger_day_row *fresh = ARENA_ARRAY(f->arena, struct ledger_day_row, sums->count + 1);
    size_t fresh_count = 0, changed_count = 0;
    if (sums->count > 1)
        qsort(sums->rows, sums->count, sizeof *sums->rows, by_day);
    for (size_t i = 0; i < sums->count; i++)
        memcpy(keys + 4 * i, &sums->rows[i], 4 * sizeof *keys);
    enum db_result result = sums->count == 0 ? DB_OK : db_load(f->read, f->arena, &ledger_day_table, keys, sums->count, &there);
    for (size_t i = 0; result == DB_OK && i < sums->count; i++) {
        struct ledger_day_row *row = changed_count < there.count ? db_row(&there, changed_count) : NULL;
        if (row == NULL || by_day(row, &sums->rows[i]) != 0) {
            fresh[fresh_count++] = sums->rows[i];
            continue;
        }
        if (!money_add(row->debit, sums->rows[i].debit, &row->debit))
            row->debit = INT64_MAX;
        if (!money_add(row->credit, sums->rows[i].credit, &row->credit))
            row->credit = INT64_MAX;
        changed_count++;
    }
    if (result == DB_OK)
        result = write_rows(page, db_insert, &ledger_day_table, fresh, fresh_count);
    return result == DB_OK ? write_rows(page, db_update, &ledger_day_table, there.at, changed_count) : result;
}

/* ---- books that are to be made anew ---- */

static enum db_result postings_forget(const struct ledger_follower *f, int64_t unit, int64_t most, bool *gone)
{
    int64_t rows;
    *gone = true;
    for (int64_t source = SOURCE_MOVEMENT; source <= SOURCE_EVENT && *gone; source++) {
        struct ledger_forget_upto_result upto;
        bool more;
        enum db_result result = ledger_forget_upto(f->read, f->arena, unit, source, most - 1, &upto, &more);
        if (result == DB_OK)
            result = ledger_forget_postings(f->read, unit, source, more ? upto.id : INT64_MAX, &rows);
        if (result != DB_OK)
            return result;
        *gone = !more;
    }
    return DB_OK;
}

static enum db_result sums_forget(const struct ledger_follower *f, int64_t unit, int64_t most, bool *gone)
{
    struct ledger_forget_stock_upto_result stock = { 0 };
    struct ledger_forget_days_upto_result day = { 0 };
    bool more_stock = false, more_days = false;
    int64_t rows;
    enum db_result result = ledger_forget_stock_upto(f->read, f->arena, unit, most - 1, &stock, &more_stock);
    if (result == DB_OK)
        result = ledger_forget_stock(f->read, unit, more_stock ? stock.sku : INT64_MAX, &rows);
    if (result == DB_OK)
        result = ledger_forget_days_upto(f->read, f->arena, unit, most - 1, &day, &more_days);
    if (result == DB_OK)
        result = ledger_forget_days(f->read, unit, more_days ? day.day : INT64_MAX, &rows);
    *gone = !more_stock && !more_days;
    return result;
}

/* Within a transaction that holds the cursor: a piece of postings, and with the last of them sums, and with the last of those the cursor. */
static enum db_result piece_forget(const struct ledger_follower *f, int64_t unit)
{
    const int64_t most = f->forget_rows == 0 ? FORGET_ROWS : f->forget_rows;
    bool gone = false;
    int64_t rows;
    enum db_result result = ledger_mark(f->read, unit, FORGETTING, &rows);
    if (result == DB_OK)
        result = postings_forget(f, unit, most, &gone);
    if (result == DB_OK && gone)
        result = sums_forget(f, unit, most, &gone);
    return result == DB_OK && gone ? ledger_forget_cursor(f->read, unit, &rows) : result;
}

/* ---- a page ---- */

static enum db_result cursor_take(struct page *page)
{
    const struct ledger_follower *f = page->follower;
    struct ledger_take_result taken;
    bool found;
    enum db_result result = ledger_take(f->read, f->arena, page->unit, &taken, &found);
    page->is_new = result == DB_OK && !found;
    page->from.unit = page->unit;
    page->from.time_zone = page->books.time_zone;
    page->from.rules = LEDGER_RULES;
    if (result != DB_OK || !found)
        return result;
    page->from.seq = taken.seq;
    page->from.movement_id = taken.movement_id;
    page->from.event_at = taken.event_at;
    page->from.rules = taken.rules;
    page->from.time_zone = taken.time_zone;
    page->from.carried_movement = taken.carried_movement;
    page->from.carried = taken.carried;
    return DB_OK;
}

static enum db_result event_time(const struct ledger_follower *f, int64_t unit, int64_t seq, int64_t *at)
{
    struct finance_event_at_result event = { 0 };
    bool found = false;
    enum db_result result = seq <= 0 ? DB_OK : finance_event_at(f->store, f->arena, unit, seq, &event, &found);
    *at = found ? event.at : 0;
    return result;
}

/* Whether the books are those of what stands now, by these rules. That they are further than the clock which was looked at says nothing:
 * another server may have followed meanwhile. */
static enum db_result is_ours(const struct page *page, bool *ours)
{
    const struct ledger_cursor_row *at = &page->from;
    int64_t happened;
    enum db_result result = event_time(page->follower, page->unit, at->seq, &happened);
    *ours = at->seq >= 0 && at->event_at == happened && at->rules == LEDGER_RULES && text_equal(at->time_zone, page->books.time_zone);
    return result;
}

static enum db_result page_write(struct page *page)
{
    const struct ledger_follower *f = page->follower;
    enum db_result result = book_movements(page);
    if (result == DB_OK)
        result = book_events(page);
    if (result == DB_OK)
        result = event_time(f, page->unit, page->to.seq, &page->to.event_at);
    if (result == DB_OK)
        result = write_rows(page, db_insert, &ledger_posting_table, page->postings, page->posting_count);
    if (result == DB_OK)
        result = days_write(page);
    return result == DB_OK ? write_rows(page, page->is_new ? db_insert : db_update, &ledger_cursor_table, &page->to, 1) : result;
}

/* *behind: there is more to do. A unit that is where it was is not written. */
static enum db_result page_run(struct page *page, bool *behind)
{
    const struct ledger_follower *f = page->follower;
    bool ours = false;
    enum db_result result = books_read(f->store, f->arena, page->unit, &page->books);
    if (result == DB_OK)
        result = db_begin(f->read);
    if (result == DB_OK)
        result = cursor_take(page);
    if (result == DB_OK)
        result = is_ours(page, &ours);
    page->to = page->from;
    if (result == DB_OK)
        result = ours ? page_write(page) : piece_forget(f, page->unit);
    if (result == DB_OK)
        result = db_commit(f->read);
    if (result != DB_OK)
        db_rollback(f->read);
    *behind = !ours || page->to.seq < page->to.head_seq || page->to.movement_id < page->to.head_id - 1;
    return result == DB_CONSTRAINT ? DB_BUSY : result; /* another server has made the unit's cursor meanwhile */
}

enum db_result ledger_follow(const struct ledger_follower *follower, int64_t unit, int64_t event_seq, int64_t next_id, int pages, bool *behind)
{
    struct db_rows cursors = { 0 };
    struct ledger_cursor_row at = { 0 };
    enum db_result result = db_load(follower->read, follower->arena, &ledger_cursor_table, &unit, 1, &cursors);
    if (result == DB_OK && cursors.count == 1)
        memcpy(&at, db_row(&cursors, 0), sizeof at);
    int64_t happened = 0;
    if (result == DB_OK)
        result = event_time(follower, unit, at.seq, &happened);
    *behind = cursors.count == 0 || at.seq != event_seq || at.movement_id != next_id - 1 || at.head_seq != event_seq || at.head_id != next_id ||
              at.rules != LEDGER_RULES || at.event_at != happened;
    for (int i = 0; result == DB_OK && *behind && i < pages; i++) {
        struct page page = { .follower = follower, .unit = unit, .from = { .head_seq = event_seq, .head_id = next_id } };
        struct arena_mark mark = arena_mark(follower->arena);
        result = page_run(&page, behind);
        arena_rewind(follower->arena, mark);
    }
    return result;
}
