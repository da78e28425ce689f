/* src/check/ledger.c: the books can be made of what has happened. They are made once more, in memory, of all movements and events, by the rules
 * that the ledger books by: each must have one and bear what it needs. The goods that the books have then are those that positions have.
 * Where the ledger stands in the projections' store, it must stand there to the last posting. It goes on meanwhile: what is compared is what it
 * had when its cursor, days and stock were read, all in one short read; positions are read a range with its clock, as stock.c does. */
#include "check/check.h"
#include "check_sql.h"
#include "base/when.h"
#include "finance/finance.h"
#include "inventory/transfers.h"
#include <stdlib.h>
#include <string.h>

struct counted_goods {
    bool used, has_position, has_moved, stands; /* stands: the ledger has a row of it */
    int64_t next_id;                            /* the clock's when its position was read: movements below it are in the position */
    int64_t units, under_way;                   /* of positions, and of transfers; less what movements brought: 0 when all are counted */
    struct ledger_stock_row stock;
};
struct rebuilt {
    struct check *check;
    struct arena *arena; /* to the end of the unit */
    int64_t unit;
    struct books books;
    struct carried carried;
    struct ledger_cursor_row at; /* what the ledger has followed */
    bool stands;                 /* there is a ledger to compare with */
    int64_t under_way_next_id;   /* the clock's when transfers were read */
    struct day_sums sums;
    struct counted_goods *goods; /* open addressing */
    size_t goods_size, goods_count;
    const struct check_ledger_days_result *days;
    const struct check_ledger_stock_result *stock;
    size_t day_count, stock_count;
};

/* ---- goods ---- */

static struct counted_goods *slot(struct counted_goods *goods, size_t size, int64_t sku, int64_t class)
{
    size_t at = hash_u64(hash_u64((uint64_t)sku + 1) + (uint64_t) class) & (size - 1);
    while (goods[at].used && (goods[at].stock.sku != sku || goods[at].stock.class != class))
        at = (at + 1) & (size - 1);
    return &goods[at];
}

/* NULL: no memory. */
static struct counted_goods *goods_of(struct rebuilt *r, int64_t sku, int64_t class)
{
    if (2 * r->goods_count >= r->goods_size) {
        size_t size = r->goods_size == 0 ? 4096 : 2 * r->goods_size;
        struct counted_goods *larger = calloc(size, sizeof *larger);
        if (larger == NULL)
            return NULL;
        for (size_t i = 0; i < r->goods_size; i++)
            if (r->goods[i].used)
                *slot(larger, size, r->goods[i].stock.sku, r->goods[i].stock.class) = r->goods[i];
        free(r->goods);
        r->goods = larger;
        r->goods_size = size;
    }
    struct counted_goods *goods = slot(r->goods, r->goods_size, sku, class);
    if (!goods->used) {
        *goods = (struct counted_goods){ .used = true, .stock = { .unit = r->unit, .sku = sku, .class = class, .last_cost = NULL_INT } };
        r->goods_count++;
    }
    return goods;
}

static const char *goods_key(struct rebuilt *r, int64_t sku, int64_t class)
{
    return arena_printf(r->check->arena, "unit %ld sku %ld class %ld", (long)r->unit, (long)sku, (long)class);
}

static enum db_result add_positions(struct rebuilt *r, const struct check_ledger_positions_result *p, size_t count, int64_t next_id)
{
    for (size_t i = 0; i < count; i++) {
        struct counted_goods *goods = goods_of(r, p[i].sku, p[i].class);
        if (goods == NULL)
            return DB_BUSY;
        goods->has_position = true;
        goods->next_id = next_id;
        goods->units += p[i].available + p[i].reserved + p[i].allocated + p[i].quarantined;
    }
    return DB_OK;
}

/* A SKU's positions stand together; one of which a range may have cut some off is left to the next. */
static enum db_result positions_read(struct rebuilt *r)
{
    struct check *check = r->check;
    enum db_result result = DB_OK;
    int64_t after = 0, most = CHECK_RANGE;
    for (bool more = true; more && result == DB_OK;) {
        struct check_ledger_positions_result *p;
        struct check_clock_result clock = { 0 };
        size_t count = 0, whole;
        bool found;
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = check_ledger_positions(check->db, check->arena, r->unit, after, most, &p, &count);
        if (result == DB_OK)
            result = check_clock(check->db, check->arena, r->unit, &clock, &found);
        (void)db_rollback(check->db);
        more = (int64_t)count == most;
        whole = count;
        while (more && whole > 0 && p[whole - 1].sku == p[count - 1].sku)
            whole--;
        if (result == DB_OK)
            result = add_positions(r, p, whole, clock.next_id);
        after = whole == 0 ? after : p[whole - 1].sku;
        most = more && whole == 0 ? 2 * most : CHECK_RANGE;
        arena_reset(check->arena);
    }
    return result;
}

/* Units that transfers have on the way, all of one moment. */
static enum db_result under_way_read(struct rebuilt *r)
{
    struct check *check = r->check;
    struct check_under_way_result *lines;
    struct check_clock_result clock = { 0 };
    size_t count = 0;
    bool found;
    enum db_result result = db_begin_read(check->db);
    if (result == DB_OK)
        result = check_under_way(check->db, check->arena, r->unit, TRANSFER_SHIPPED, &lines, &count);
    if (result == DB_OK)
        result = check_clock(check->db, check->arena, r->unit, &clock, &found);
    (void)db_rollback(check->db);
    r->under_way_next_id = clock.next_id;
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        struct counted_goods *goods = goods_of(r, lines[i].sku, 0);
        if (goods == NULL)
            return DB_BUSY;
        goods->under_way += lines[i].shipped;
    }
    arena_reset(check->arena);
    return result;
}

/* ---- entries, and what stands of them ---- */

struct standing {
    const struct check_ledger_postings_result *rows;
    size_t count, next;
    bool told; /* that they differ */
};

static enum db_result standing_read(struct rebuilt *r, enum ledger_source source, int64_t after, int64_t upto, struct standing *standing)
{
    struct check_ledger_postings_result *rows = NULL;
    *standing = (struct standing){ 0 };
    enum db_result result =
        r->stands ? check_ledger_postings(r->check->read, r->check->arena, r->unit, source, after, upto, &rows, &standing->count) : DB_OK;
    standing->rows = rows;
    return result;
}

/* One of a range is enough. */
static void differs(struct rebuilt *r, struct standing *standing, enum ledger_source source, int64_t id, int64_t expected, int64_t found)
{
    if (!standing->told)
        check_found(r->check, "ledger_postings", "made once more, the books are those that stand",
                    arena_printf(r->check->arena, "unit %ld %s %ld", (long)r->unit, source == SOURCE_MOVEMENT ? "movement" : "event", (long)id),
                    expected, found);
    standing->told = true;
}

static void compare(struct rebuilt *r, struct standing *standing, enum ledger_source source, const struct entry *entry, int64_t day)
{
    for (size_t i = 0; i < entry->count && !standing->told; i++) {
        const struct check_ledger_postings_result *row = standing->next < standing->count ? &standing->rows[standing->next] : NULL;
        const struct posting *posting = &entry->postings[i];
        if (row == NULL || row->id > entry->id)
            differs(r, standing, source, entry->id, posting->amount, 0);
        else if (row->id < entry->id)
            differs(r, standing, source, row->id, 0, row->amount);
        else if (row->line != (int64_t)i + 1 || row->account != (int64_t)posting->account || row->amount != posting->amount ||
                 row->currency != entry->currency || row->day != day || row->subject != entry->subject || row->note != (int64_t)entry->note)
            differs(r, standing, source, entry->id, posting->amount, row->amount);
        standing->next++;
    }
}

static void look(struct rebuilt *r, enum ledger_source source, const struct entry *entry)
{
    int64_t sum = 0;
    const char *key = NULL;
    for (size_t i = 0; i < entry->count; i++)
        sum += entry->postings[i].amount;
    if (sum != 0 || entry->note == NOTE_UNDECIDED)
        key = arena_printf(r->check->arena, "unit %ld %s %ld", (long)r->unit, source == SOURCE_MOVEMENT ? "movement" : "event", (long)entry->id);
    if (sum != 0)
        check_found(r->check, "ledger_balance", "debits and credits are equal", key, 0, sum);
    if (entry->note == NOTE_UNDECIDED)
        check_found(r->check, "ledger_decided", "what bears value has a rule in the ledger, and all that the rule needs", key, 1, 0);
}

/* ---- movements ---- */

static enum db_result movement_count(struct rebuilt *r, const struct moved *m, struct standing *standing, bool is_followed)
{
    struct counted_goods *goods = goods_of(r, m->sku, m->class);
    struct entry entry;
    if (goods == NULL)
        return DB_BUSY;
    const struct ledger_stock_row before = goods->stock;
    book_movement(m, r->books.currency, &goods->stock, &r->carried, &entry);
    goods->has_moved = true;
    look(r, SOURCE_MOVEMENT, &entry);
    if (m->id < goods->next_id)
        goods->units -= goods->stock.units - before.units;
    if (m->id < r->under_way_next_id)
        goods->under_way -= goods->stock.transit_units - before.transit_units;
    if (is_followed) {
        int64_t day = zone_day(r->books.zone, entry.at);
        day_sums_add(r->arena, &r->sums, r->unit, day, &entry);
        compare(r, standing, SOURCE_MOVEMENT, &entry, day);
    }
    return DB_OK;
}

static enum db_result movements_rebuild(struct rebuilt *r, int64_t after, int64_t below, bool is_followed)
{
    struct check *check = r->check;
    enum db_result result = DB_OK;
    for (size_t count = CHECK_RANGE; count == CHECK_RANGE && result == DB_OK;) {
        struct moved *m;
        struct standing standing = { 0 };
        result = moved_read(check->db, check->arena, r->unit, after, below, CHECK_RANGE, &m, &count);
        int64_t upto = result == DB_OK && count == CHECK_RANGE ? m[count - 1].id : below - 1;
        if (result == DB_OK && is_followed)
            result = standing_read(r, SOURCE_MOVEMENT, after, upto, &standing);
        for (size_t i = 0; result == DB_OK && i < count; i++)
            result = movement_count(r, &m[i], &standing, is_followed && r->stands);
        if (result == DB_OK && standing.next < standing.count)
            differs(r, &standing, SOURCE_MOVEMENT, standing.rows[standing.next].id, 0, standing.rows[standing.next].amount);
        after = upto;
        arena_reset(check->arena);
    }
    return result;
}

/* ---- events ---- */

static enum db_result events_rebuild(struct rebuilt *r, int64_t after, int64_t upto, bool is_followed)
{
    struct check *check = r->check;
    enum db_result result = DB_OK;
    while (after < upto && result == DB_OK) {
        struct told *told;
        struct standing standing = { 0 };
        size_t count = 0;
        int64_t last = min_i64(after + CHECK_RANGE, upto);
        result = told_read(check->db, check->arena, r->unit, after, last, &told, &count);
        if (result == DB_OK && is_followed)
            result = standing_read(r, SOURCE_EVENT, after, last, &standing);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            struct entry entry;
            book_event(check->arena, &told[i], &entry);
            look(r, SOURCE_EVENT, &entry);
            if (!is_followed || !r->stands)
                continue;
            int64_t day = zone_day(r->books.zone, entry.at);
            day_sums_add(r->arena, &r->sums, r->unit, day, &entry);
            compare(r, &standing, SOURCE_EVENT, &entry, day);
        }
        if (result == DB_OK && standing.next < standing.count)
            differs(r, &standing, SOURCE_EVENT, standing.rows[standing.next].id, 0, standing.rows[standing.next].amount);
        after = last;
        arena_reset(check->arena);
    }
    return result;
}

/* ---- what stands ---- */

/* Books by other rules, or that are being forgotten, are made anew by whoever follows next: there is nothing to compare. */
static enum db_result ledger_read(struct rebuilt *r)
{
    struct db *read = r->check->read;
    struct db_rows cursors = { 0 };
    struct check_ledger_days_result *days = NULL;
    struct check_ledger_stock_result *stock = NULL;
    enum db_result result = read == NULL ? DB_OK : db_begin_read(read);
    if (read == NULL || result != DB_OK)
        return result;
    result = db_load(read, r->arena, &ledger_cursor_table, &r->unit, 1, &cursors);
    if (result == DB_OK && cursors.count == 1)
        memcpy(&r->at, db_row(&cursors, 0), sizeof r->at);
    r->stands = cursors.count == 1 && r->at.seq >= 0 && r->at.rules == LEDGER_RULES;
    if (result == DB_OK && r->stands)
        result = check_ledger_days(read, r->arena, r->unit, &days, &r->day_count);
    if (result == DB_OK && r->stands)
        result = check_ledger_stock(read, r->arena, r->unit, &stock, &r->stock_count);
    (void)db_rollback(read);
    r->days = days;
    r->stock = stock;
    if (!r->stands)
        r->at = (struct ledger_cursor_row){ .unit = r->unit };
    else if (!text_equal(r->at.time_zone, r->books.time_zone))
        r->books.zone = zone_load(r->arena, r->at.time_zone); /* it was moved, and nothing has happened since */
    return result;
}

static const char *day_key(struct rebuilt *r, int64_t day, const char *account, int64_t currency)
{
    char date[32], letters[4];
    when_date_format(day, date);
    currency_letters(currency, letters);
    return arena_printf(r->check->arena, "unit %ld day %s%s%s %s", (long)r->unit, date, account[0] == '\0' ? "" : " account ", account, letters);
}

static void days_compare(struct rebuilt *r)
{
    const struct check_ledger_days_result *days = r->days;
    for (size_t i = 0; i < r->day_count; i++) {
        struct ledger_day_row *sum = day_sums_row(r->arena, &r->sums, r->unit, days[i].day, days[i].account, days[i].currency);
        bool is_account = days[i].account > 0 && days[i].account < ACCOUNT_COUNT;
        if (sum->debit != days[i].debit || sum->credit != days[i].credit)
            check_found(r->check, "ledger_days", "a day's sums are those of what was booked on it",
                        day_key(r, days[i].day, is_account ? account_names[days[i].account - 1] : "", days[i].currency), sum->debit - sum->credit,
                        days[i].debit - days[i].credit);
        sum->debit = sum->credit = 0;
    }
    for (size_t i = 0; i < r->sums.count; i++)
        if (r->sums.rows[i].debit != 0 || r->sums.rows[i].credit != 0)
            check_found(r->check, "ledger_days", "a day's sums are those of what was booked on it",
                        day_key(r, r->sums.rows[i].day, account_names[r->sums.rows[i].account - 1], r->sums.rows[i].currency),
                        r->sums.rows[i].debit - r->sums.rows[i].credit, 0);
}

/* Each day and currency by itself, as it stands. */
static void days_balance(struct rebuilt *r)
{
    const struct check_ledger_days_result *days = r->days;
    for (size_t first = 0, end; first < r->day_count; first = end) {
        for (end = first; end < r->day_count && days[end].day == days[first].day; end++)
            continue;
        for (size_t i = first; i < end; i++) {
            int64_t debit = 0, credit = 0;
            bool seen = false;
            for (size_t k = first; k < end; k++) {
                seen = seen || (k < i && days[k].currency == days[i].currency);
                debit += days[k].currency == days[i].currency ? days[k].debit : 0;
                credit += days[k].currency == days[i].currency ? days[k].credit : 0;
            }
            if (!seen && debit != credit)
                check_found(r->check, "ledger_balance", "debits and credits are equal", day_key(r, days[first].day, "", days[i].currency), debit,
                            credit);
        }
    }
}

static void worth_nothing(struct rebuilt *r, const struct ledger_stock_row *s)
{
    if ((s->units == 0 && s->value != 0) || (s->transit_units == 0 && s->transit_value != 0))
        check_found(r->check, "ledger_nothing", "where no goods are, nothing is worth anything", goods_key(r, s->sku, s->class), 0,
                    s->value + s->transit_value);
}

/* When what the ledger has followed is counted. */
static enum db_result stock_compare(struct rebuilt *r)
{
    for (size_t i = 0; i < r->stock_count && r->stock != NULL; i++) {
        const struct check_ledger_stock_result *s = &r->stock[i];
        struct counted_goods *goods = goods_of(r, s->sku, s->class);
        if (goods == NULL)
            return DB_BUSY;
        const struct ledger_stock_row *made = &goods->stock;
        goods->stands = true;
        worth_nothing(r, &(struct ledger_stock_row){ .sku = s->sku,
                                                     .class = s->class,
                                                     .units = s->units,
                                                     .value = s->value,
                                                     .transit_units = s->transit_units,
                                                     .transit_value = s->transit_value });
        if (made->units != s->units || made->value != s->value || made->transit_units != s->transit_units ||
            made->transit_value != s->transit_value || made->last_cost != s->last_cost)
            check_found(r->check, "ledger_stock", "goods are worth what their movements brought", goods_key(r, s->sku, s->class),
                        made->value + made->transit_value, s->value + s->transit_value);
    }
    for (size_t i = 0; i < r->goods_size && r->stands; i++)
        if (r->goods[i].has_moved && !r->goods[i].stands)
            check_found(r->check, "ledger_stock", "goods are worth what their movements brought",
                        goods_key(r, r->goods[i].stock.sku, r->goods[i].stock.class), r->goods[i].stock.units, 0);
    return DB_OK;
}

/* When all movements are counted. */
static void units_compare(struct rebuilt *r)
{
    for (size_t i = 0; i < r->goods_size; i++) {
        const struct counted_goods *goods = &r->goods[i];
        if (!goods->used)
            continue;
        worth_nothing(r, &goods->stock);
        if ((goods->has_position && goods->units != 0) || (r->stands && goods->under_way != 0))
            check_found(r->check, "ledger_units", "the ledger has the goods that positions have, on hand and in transit",
                        goods_key(r, goods->stock.sku, goods->stock.class), 0, goods->units != 0 ? goods->units : goods->under_way);
    }
}

static enum db_result rebuild(struct rebuilt *r)
{
    enum db_result result = books_read(r->check->db, r->arena, r->unit, &r->books);
    if (result == DB_OK)
        result = ledger_read(r);
    if (result == DB_OK && r->stands)
        result = positions_read(r);
    if (result == DB_OK && r->stands)
        result = under_way_read(r);
    if (result == DB_OK)
        result = movements_rebuild(r, 0, r->at.movement_id + 1, true);
    if (result == DB_OK)
        result = stock_compare(r);
    if (result == DB_OK)
        result = movements_rebuild(r, r->at.movement_id, INT64_MAX, false);
    if (result == DB_OK)
        result = events_rebuild(r, 0, r->at.seq, true);
    if (result == DB_OK)
        result = events_rebuild(r, r->at.seq, r->check->told, false);
    if (result != DB_OK)
        return result;
    units_compare(r);
    if (r->stands) {
        days_balance(r);
        days_compare(r);
    }
    return DB_OK;
}

enum db_result check_ledger_of(struct check *check, int64_t unit)
{
    struct rebuilt r = { .check = check, .arena = arena_new((size_t)1 << 30), .unit = unit };
    enum db_result result = r.arena == NULL ? DB_BUSY : rebuild(&r);
    free(r.goods);
    arena_free(r.arena);
    arena_reset(check->arena);
    return result;
}
