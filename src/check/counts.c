/* src/check/counts.c: what a counter said stands beside the adjustment that it became, of one event, and is of a time before it was told. A sheet's
 * figures are those of its lines, so is how right the books of a node were, and what people are told of was counted. */
#include "check/check.h"
#include "check_sql.h"
#include "engine/exceptions.h"
#include "inventory/count_sheets.h"
#include <stdlib.h>
#include <string.h>

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

static enum db_result check_facts(struct check *check, int64_t unit)
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

/* ---- sheets ---- */

#define SHEETS_AT_ONCE 50 /* each may have hundreds of lines */

/* What sheets have booked at a node, by class; malloc's. All four only grow. */
enum { SUM_LINES, SUM_RIGHT, SUM_UNITS, SUM_OFF, SUM_COUNT };
struct booked {
    int64_t node, abc;
    int64_t sums[SUM_COUNT], least[SUM_COUNT]; /* over lines; as they were kept before the lines were read */
};
struct sums {
    struct booked *rows;
    size_t count, room;
    bool full; /* no memory */
};

static struct booked *sums_of(struct sums *sums, int64_t node, int64_t abc)
{
    for (size_t i = 0; i < sums->count; i++)
        if (sums->rows[i].node == node && sums->rows[i].abc == abc)
            return &sums->rows[i];
    if (sums->count == sums->room) {
        const size_t room = sums->room == 0 ? 64 : 2 * sums->room;
        struct booked *rows = realloc(sums->rows, room * sizeof *rows);
        sums->full = sums->full || rows == NULL;
        if (rows == NULL)
            return NULL;
        sums->rows = rows;
        sums->room = room;
    }
    sums->rows[sums->count] = (struct booked){ .node = node, .abc = abc };
    return &sums->rows[sums->count++];
}

static void sum_line(struct sums *sums, int64_t node, const struct check_count_lines_result *line)
{
    struct booked *booked = sums_of(sums, node, line->abc);
    const int64_t added[SUM_COUNT] = { 1, line->within, line->expected, min_i64(line->expected, llabs(line->delta)) };
    for (size_t i = 0; booked != NULL && i < SUM_COUNT; i++)
        booked->sums[i] += added[i];
}

struct page {
    struct sums *sums;
    struct check_count_sheets_result *sheets;
    struct check_count_lines_result *lines;
    struct check_count_tries_result *tries;
    size_t sheet_count, line_count, try_count;
};

static void found_wrong(struct check *check, int64_t unit, int64_t sheet, const char *what, int64_t expected, int64_t found)
{
    check_found(check, "count_sheet", what, arena_printf(check->arena, "unit %ld count %ld", (long)unit, (long)sheet), expected, found);
}

/* Goes on in the lines to those behind the sheet. */
static size_t check_sheet(struct check *check, int64_t unit, const struct check_count_sheets_result *sheet, const struct page *page, size_t at)
{
    int64_t lines = 0, booked = 0, right = 0, units = 0, off = 0, left = 0;
    for (; at < page->line_count && page->lines[at].sheet <= sheet->id; at++) {
        const struct check_count_lines_result *line = &page->lines[at];
        if (line->sheet < sheet->id)
            continue; /* an orphan: told elsewhere */
        lines++;
        must_know(check, &check->skus, unit, "SKU of count", sheet->id, line->sku);
        left += line->state != LINE_BOOKED && line->state != LINE_CANCELLED;
        if (line->state != LINE_BOOKED)
            continue;
        booked++;
        right += line->within;
        units += line->expected;
        off += min_i64(line->expected, llabs(line->delta));
        sum_line(page->sums, sheet->node, line);
    }
    const struct {
        const char *what;
        int64_t expected, found;
    } sums[] = { { "a count has its lines", lines, sheet->lines },
                 { "a count's lines are booked", booked, sheet->lines_booked },
                 { "a count's lines are right", right, sheet->lines_right },
                 { "a count's units are those of its lines", units, sheet->units },
                 { "a count's wrong units are those of its lines", off, sheet->units_off },
                 { "a count is open as long as a line is", left > 0, sheet->state == SHEET_OPEN } };
    for (size_t i = 0; i < COUNT(sums); i++)
        if (sums[i].expected != sums[i].found)
            found_wrong(check, unit, sheet->id, sums[i].what, sums[i].expected, sums[i].found);
    must_know(check, &check->nodes, unit, "node of count", sheet->id, sheet->node);
    must_be_told(check, unit, "event of count", sheet->id, sheet->opened_seq);
    return at;
}

static bool has_sheet(const struct page *page, int64_t id)
{
    for (size_t i = 0; i < page->sheet_count; i++)
        if (page->sheets[i].id == id)
            return true;
    return false;
}

static void check_orphans(struct check *check, int64_t unit, const struct page *page)
{
    for (size_t i = 0; i < page->line_count; i++)
        if (!has_sheet(page, page->lines[i].sheet))
            check_found(check, "orphan", "a line of a count has its count",
                        arena_printf(check->arena, "unit %ld count %ld line %ld", (long)unit, (long)page->lines[i].sheet, (long)page->lines[i].line),
                        1, 0);
    for (size_t i = 0, l = 0; i < page->try_count; i++) {
        const struct check_count_tries_result *t = &page->tries[i];
        while (l < page->line_count && (page->lines[l].sheet < t->sheet || (page->lines[l].sheet == t->sheet && page->lines[l].line < t->line)))
            l++; /* both in the order of sheets and lines */
        if (l == page->line_count || page->lines[l].sheet != t->sheet || page->lines[l].line != t->line)
            check_found(check, "orphan", "what was counted has its line",
                        arena_printf(check->arena, "unit %ld count %ld line %ld", (long)unit, (long)t->sheet, (long)t->line), 1, 0);
    }
}

static enum db_result read_accuracy(struct check *check, int64_t unit, struct check_count_accuracies_result **rows, size_t *count, struct sums *sums)
{
    *count = 0;
    enum db_result result = check_count_accuracies(check->db, check->arena, unit, rows, count);
    for (size_t i = 0; result == DB_OK && i < *count; i++)
        (void)sums_of(sums, (*rows)[i].node, (*rows)[i].abc);
    return sums->full ? DB_BUSY : result;
}

static void figures_of(const struct check_count_accuracies_result *row, int64_t figures[SUM_COUNT])
{
    memcpy(figures, (const int64_t[]){ row->lines, row->lines_right, row->units, row->units_off }, SUM_COUNT * sizeof *figures);
}

/* How right the books were, before the lines are read. */
static enum db_result begin_accuracy(struct check *check, int64_t unit, struct sums *sums)
{
    struct check_count_accuracies_result *rows;
    size_t count;
    enum db_result result = read_accuracy(check, unit, &rows, &count, sums);
    for (size_t i = 0; result == DB_OK && i < count; i++)
        figures_of(&rows[i], sums_of(sums, rows[i].node, rows[i].abc)->least);
    arena_reset(check->arena);
    return result;
}

/* And behind them: lines are booked while this reads, so their sums stand between the two. */
static enum db_result end_accuracy(struct check *check, int64_t unit, struct sums *sums)
{
    struct check_count_accuracies_result *rows;
    size_t count;
    enum db_result result = read_accuracy(check, unit, &rows, &count, sums);
    for (size_t s = 0; result == DB_OK && s < sums->count; s++) {
        const struct booked *booked = &sums->rows[s];
        int64_t most[SUM_COUNT] = { 0 };
        for (size_t i = 0; i < count; i++)
            if (rows[i].node == booked->node && rows[i].abc == booked->abc)
                figures_of(&rows[i], most);
        for (size_t k = 0; k < SUM_COUNT; k++)
            if (booked->sums[k] < booked->least[k] || booked->sums[k] > most[k])
                check_found(check, "count_accuracy", "how right the books were is the sum of what sheets have booked",
                            arena_printf(check->arena, "unit %ld node %ld class %ld", (long)unit, (long)booked->node, (long)booked->abc),
                            booked->sums[k], most[k]);
    }
    arena_reset(check->arena);
    return result;
}

static enum db_result check_sheets(struct check *check, int64_t unit, struct sums *sums)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (bool more = true; more && result == DB_OK;) {
        struct page page = { .sums = sums };
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = check_count_sheets(check->db, check->arena, unit, after, SHEETS_AT_ONCE, &page.sheets, &page.sheet_count);
        more = page.sheet_count == SHEETS_AT_ONCE;
        const int64_t upto = more ? page.sheets[page.sheet_count - 1].id : INT64_MAX;
        if (result == DB_OK)
            result = check_count_lines(check->db, check->arena, unit, after, upto, &page.lines, &page.line_count);
        if (result == DB_OK)
            result = check_count_tries(check->db, check->arena, unit, after, upto, &page.tries, &page.try_count);
        for (size_t i = 0, at = 0; result == DB_OK && i < page.sheet_count; i++)
            at = check_sheet(check, unit, &page.sheets[i], &page, at);
        if (result == DB_OK)
            check_orphans(check, unit, &page);
        after = upto;
        (void)db_rollback(check->db);
        arena_reset(check->arena);
    }
    return result;
}

/* What people are told differs was counted there, and differed. */
static enum db_result check_told(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (size_t count = SHEETS_AT_ONCE; count == SHEETS_AT_ONCE && result == DB_OK;) {
        struct check_open_of_type_result *open;
        struct db_rows rows = { 0 };
        struct db_value prefixes[4 * SHEETS_AT_ONCE];
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = check_open_of_type(check->db, check->arena, unit, EXCEPTION_COUNT_DIFFERENCE, after, SHEETS_AT_ONCE, &open, &count);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            const struct db_value prefix[] = { db_int(unit), db_int(open[i].sku), db_int(open[i].node), db_int(0) };
            for (size_t k = 0; k < COUNT(prefix); k++)
                prefixes[4 * i + k] = prefix[k];
        }
        if (result == DB_OK && count > 0)
            result = db_load_path(check->db, check->arena, &count_of_position, prefixes, count, 0, &rows);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            bool differed = false;
            for (size_t r = 0; r < rows.count && !differed; r++) {
                const struct count_fact_row *fact = db_row(&rows, r);
                differed = fact->sku == open[i].sku && fact->node == open[i].node && fact->delta != 0;
            }
            if (!differed)
                check_found(check, "exception_cause", "an exception is open while its cause is there",
                            arena_printf(check->arena, "unit %ld exception %ld", (long)unit, (long)open[i].id), 0, 1);
            after = open[i].id;
        }
        (void)db_rollback(check->db);
        arena_reset(check->arena);
    }
    return result;
}

enum db_result check_counts_of(struct check *check, int64_t unit)
{
    struct sums sums = { 0 };
    enum db_result result = check_facts(check, unit);
    if (result == DB_OK)
        result = begin_accuracy(check, unit, &sums);
    if (result == DB_OK)
        result = check_sheets(check, unit, &sums);
    if (result == DB_OK)
        result = end_accuracy(check, unit, &sums);
    free(sums.rows);
    return result == DB_OK ? check_told(check, unit) : result;
}
