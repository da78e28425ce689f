/* src/finance/api.c: GET /v1/ledger/...: sums of days, postings, and what goods are worth. All come from the projections' store, which has
 * caught up with the request's arrival; a ledger that is being made anew is not shown before it is whole. */
#include "base/id.h"
#include "base/when.h"
#include "catalog/catalog.h"
#include "finance/finance.h"
#include "finance_sql.h"
#include "inventory/inventory.h"
#include <limits.h>
#include <string.h>

#define LOOKED_AT_MAX 10000
#define PIECE 500
#define WORTH_CLASSES_MAX 1000 /* of a SKU */
#define ROWS_OF_A_DAY 2000     /* accounts by currencies; behind a page that ends within a day those of it that were shown are read again */

struct list {
    struct reading *reading;
    const struct request *request;
    struct answer *answer;
    struct arena *arena;
    int64_t unit, limit;
    const char *unit_currency;
    struct json_writer json;
    const char *next; /* NULL: this was the last page */
};

static bool refuse(struct list *list, const char *why)
{
    answer_fault(list->answer, list->arena, FAULT_MALFORMED_QUERY, NULL, why);
    return false;
}

static bool store_says(struct list *list, enum db_result result)
{
    if (result != DB_OK)
        answer_store(list->answer, list->arena, result);
    return result == DB_OK;
}

/* The unit that is named, or the only one. */
static bool find_unit(struct list *list, const char *code)
{
    struct finance_units_result *units;
    size_t count = 0;
    if (!store_says(list, finance_units(list->reading->db, list->arena, 0, &units, &count)))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (code == NULL ? count != 1 : !text_equal(units[i].code, code))
            continue;
        list->unit = units[i].id;
        list->unit_currency = units[i].currency;
        return true;
    }
    return refuse(list, code != NULL ? arena_printf(list->arena, "there is no unit %s", code)
                        : count == 0 ? "there is no unit yet"
                                     : arena_printf(list->arena, "there are %zu units: say unit=", count));
}

/* Books that are behind their own clock are being made. */
static bool are_whole(struct list *list)
{
    struct db_rows cursors = { 0 };
    if (!store_says(list, db_load(list->reading->projection, list->arena, &ledger_cursor_table, &list->unit, 1, &cursors)))
        return false;
    const struct ledger_cursor_row *at = cursors.count == 1 ? db_row(&cursors, 0) : NULL;
    if (at != NULL && at->rules == LEDGER_RULES && at->seq >= at->head_seq && at->movement_id >= at->head_id - 1)
        return true;
    answer_fault(list->answer, list->arena, FAULT_BUSY, NULL, "the ledger is being made and has not caught up yet");
    return false;
}

/* Query rows of all three begin alike. */
enum { QUERY_UNIT, QUERY_LIMIT, QUERY_CURSOR, QUERY_OWN };

/* False: it is answered. Where nothing follows (a client within the process) there are no books, and the list is empty. */
static bool open_list(struct list *list, struct reading *reading, const struct request *request, struct answer *answer)
{
    *list = (struct list){
        .reading = reading, .request = request, .answer = answer, .arena = request->arena, .limit = request->query_number[QUERY_LIMIT]
    };
    if (!find_unit(list, request->query_text[QUERY_UNIT]))
        return false;
    list_begin(&list->json, list->arena);
    if (reading->projection != NULL)
        return are_whole(list);
    list_end(&list->json, NULL, answer);
    return false;
}

static void close_list(struct list *list, enum db_result result)
{
    if (store_says(list, result))
        list_end(&list->json, list->next, list->answer);
}

/* All places are 0 without a cursor. */
static bool read_cursor(struct list *list, const char *prefix, int64_t *places, size_t count)
{
    const char *text = list->request->query_text[QUERY_CURSOR];
    return text == NULL || cursor_parse(text, prefix, places, count) || refuse(list, "cursor is not one that this list has given");
}

static void say_next(struct list *list, const char *prefix, const int64_t *places, size_t count)
{
    char next[CURSOR_BYTES_MAX];
    cursor_format(prefix, places, count, next);
    list->next = arena_text(list->arena, next);
}

static bool is_full(const struct list *list)
{
    return list->limit == 0 || list->json.out.size >= LIST_BYTES_MAX;
}

static struct money money_of(int64_t minor, int64_t currency)
{
    struct money money = { .minor = minor };
    currency_letters(currency, money.currency);
    return money;
}

static const char *date_text(struct list *list, int64_t day)
{
    char date[32];
    when_date_format(day, date);
    return arena_text(list->arena, date);
}

/* ---- sums of days ---- */

enum { QUERY_FROM = QUERY_OWN, QUERY_TO };

struct day_item {
    struct field_presence presence;
    const char *day;
    int64_t account;
    struct money debit, credit, balance;
};
#define AT(type, member) offsetof(struct type, member)
#define MONEY_MIN (-INT64_MAX)
static const struct field day_rows[] = {
    { "day", FIELD_TEXT, AT(day_item, day), .read_only = true, .doc = "in the unit's time zone, as it is now: 2026-11-24" },
    { "account", FIELD_ENUM, AT(day_item, account), .read_only = true, .names = account_names, .doc = "docs/ledger.md; more may come" },
    { "debit", FIELD_MONEY, AT(day_item, debit), .read_only = true },
    { "credit", FIELD_MONEY, AT(day_item, credit), .read_only = true },
    { "balance", FIELD_MONEY, AT(day_item, balance), .read_only = true, .min = MONEY_MIN, .max = INT64_MAX, .doc = "debit less credit of this day" },
};
static const struct field_table day_fields = { "LedgerDay", day_rows, COUNT(day_rows), sizeof(struct day_item) };

static void write_day(struct list *list, const struct ledger_days_page_result *row)
{
    struct day_item item = { .day = date_text(list, row->day), .account = row->account - 1 };
    item.debit = money_of(row->debit, row->currency);
    item.credit = money_of(row->credit, row->currency);
    item.balance = money_of(row->debit - row->credit, row->currency);
    fields_write(&list->json, &day_fields, &item);
    list->limit--;
}

/* Days since 1970 are kept in cursors from 0. */
#define DAYS_BEFORE 1000000

static bool is_shown(const struct ledger_days_page_result *row, const int64_t at[3])
{
    const int64_t key[] = { row->day + DAYS_BEFORE, row->account, row->currency };
    size_t i = 0;
    while (i < 2 && key[i] == at[i])
        i++;
    return key[i] <= at[i];
}

static void list_trial(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct list list;
    int64_t from = INT32_MIN, to = INT32_MAX, at[3] = { 0 };
    struct ledger_days_page_result *rows;
    size_t count;
    if ((request->query_text[QUERY_FROM] != NULL && !when_date_parse(request->query_text[QUERY_FROM], &from)) ||
        (request->query_text[QUERY_TO] != NULL && !when_date_parse(request->query_text[QUERY_TO], &to))) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "from and to are days, as 2026-11-24");
        return;
    }
    if (!open_list(&list, reading, request, answer) || !read_cursor(&list, "day", at, COUNT(at)))
        return;
    int64_t begin = at[0] == 0 ? from : max_i64(from, at[0] - DAYS_BEFORE);
    enum db_result result = ledger_days_page(reading->projection, list.arena, list.unit, begin, to, list.limit + 1 + ROWS_OF_A_DAY, &rows, &count);
    for (size_t i = 0; result == DB_OK && i < count && list.next == NULL; i++) {
        if (is_shown(&rows[i], at))
            continue;
        if (is_full(&list)) {
            say_next(&list, "day", at, COUNT(at));
            break;
        }
        write_day(&list, &rows[i]);
        at[0] = rows[i].day + DAYS_BEFORE, at[1] = rows[i].account, at[2] = rows[i].currency;
    }
    close_list(&list, result);
}

/* ---- postings ---- */

enum { QUERY_ACCOUNT = QUERY_OWN, QUERY_SUBJECT };

struct posting_item {
    struct field_presence presence;
    const char *day;
    int64_t account;
    struct money debit, credit;
    const char *movement;
    int64_t event;
    const char *type, *subject, *sku;
    int64_t quantity, note;
};
static const struct field posting_rows[] = {
    { "day", FIELD_TEXT, AT(posting_item, day), .read_only = true, .doc = "in the unit's time zone, as it is now" },
    { "account", FIELD_ENUM, AT(posting_item, account), .read_only = true, .names = account_names, .doc = "docs/ledger.md; more may come" },
    { "debit", FIELD_MONEY, AT(posting_item, debit), .read_only = true, .hide_absent = true, .doc = "this or credit" },
    { "credit", FIELD_MONEY, AT(posting_item, credit), .read_only = true, .hide_absent = true },
    { "movement", FIELD_TEXT, AT(posting_item, movement), .read_only = true, .nullable = true, .doc = "what was booked: a movement, or an event" },
    { "event", FIELD_INT, AT(posting_item, event), .read_only = true, .nullable = true, .doc = "its number in the unit" },
    { "type", FIELD_TEXT, AT(posting_item, type), .read_only = true, .doc = "the event's type, or the kind of the movement's cause" },
    { "subject", FIELD_TEXT, AT(posting_item, subject), .read_only = true, .nullable = true,
      .doc = "the id of that cause, or of what the event is about" },
    { "sku", FIELD_CODE, AT(posting_item, sku), .read_only = true, .nullable = true, .doc = "of a movement" },
    { "quantity", FIELD_INT, AT(posting_item, quantity), .read_only = true, .nullable = true, .doc = "units, where units moved" },
    { "note", FIELD_ENUM, AT(posting_item, note), .read_only = true, .names = note_names, .doc = "docs/ledger.md; more may come" },
};
static const struct field_table posting_fields = { "LedgerPosting", posting_rows, COUNT(posting_rows), sizeof(struct posting_item) };

/* Where the list stands: of these subjects (0: of all) the one at work, then source, id and line. */
struct places {
    int64_t subject, source, id, line;
};
struct postings {
    struct list list;
    int64_t account; /* 0: any */
    int64_t *subjects;
    size_t subject_count;
    struct places at;
    int64_t looked;
};

/* Rows of one source, with what they were made of, to be told. */
static enum db_result sources_load(struct postings *p, int64_t source, const struct ledger_postings_page_result *const *rows, size_t count,
                                   struct db_rows *found, struct db_rows *skus)
{
    struct list *list = &p->list;
    const struct db_table *table = source == SOURCE_MOVEMENT ? &movement_table : &event_table;
    int64_t *keys = ARENA_ARRAY(list->arena, int64_t, 2 * count + 2);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || rows[i]->id != rows[i - 1]->id)
            keys[2 * n] = list->unit, keys[2 * n++ + 1] = rows[i]->id;
    enum db_result result = n == 0 ? DB_OK : db_load(list->reading->db, list->arena, table, keys, n, found);
    n = 0;
    for (size_t i = 0; result == DB_OK && source == SOURCE_MOVEMENT && i < found->count; i++)
        keys[2 * n] = list->unit, keys[2 * n++ + 1] = ((const struct movement_row *)db_row(found, i))->sku;
    return result == DB_OK && n > 0 ? db_load(list->reading->db, list->arena, &sku_table, keys, n, skus) : result;
}

/* Keys are (unit, id), rows in their order; NULL: none. */
static const void *row_of(const struct db_rows *rows, int64_t id)
{
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const int64_t *row = db_row(rows, middle);
        if (row[1] == id)
            return row;
        if (row[1] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void write_posting(struct list *list, int64_t source, const struct ledger_postings_page_result *row, const struct db_rows *found,
                          const struct db_rows *skus)
{
    struct posting_item item = {
        .day = date_text(list, row->day), .account = row->account - 1, .event = NULL_INT, .quantity = NULL_INT, .note = row->note, .type = ""
    };
    *(row->amount >= 0 ? &item.debit : &item.credit) = money_of(row->amount >= 0 ? row->amount : -row->amount, row->currency);
    field_set(&posting_fields, &item, row->amount >= 0 ? "debit" : "credit");
    const void *from = row_of(found, row->id);
    const char *prefix = NULL;
    if (source == SOURCE_MOVEMENT && from != NULL) {
        const struct movement_row *m = from;
        const struct sku_row *sku = row_of(skus, m->sku);
        item.movement = id_text(list->arena, "mov", list->unit, row->id);
        item.type = cause_names[m->cause_kind];
        item.sku = sku == NULL ? NULL : sku->code;
        item.quantity = m->quantity;
        prefix = cause_prefix(m->cause_kind);
    } else if (from != NULL) {
        const struct event_row *event = from;
        item.event = row->id;
        item.type = event_name((enum event_type)event->type);
        item.quantity = event->quantity;
        prefix = subject_prefix((enum subject_kind)event->subject_kind);
    }
    item.subject = prefix == NULL ? NULL : id_text(list->arena, prefix, list->unit, row->subject);
    fields_write(&list->json, &posting_fields, &item);
}

/* The next rows of one subject and source; the same columns from either index. */
static enum db_result rows_next(struct postings *p, int64_t subject, int64_t source, struct ledger_postings_page_result **rows, size_t *count)
{
    struct db *read = p->list.reading->projection;
    struct ledger_postings_of_subject_result *of_subject;
    if (subject == 0)
        return ledger_postings_page(read, p->list.arena, p->list.unit, source, p->at.id, PIECE + ENTRY_MAX + 1, rows, count);
    enum db_result result =
        ledger_postings_of_subject(read, p->list.arena, p->list.unit, subject, source, p->at.id, PIECE + ENTRY_MAX + 1, &of_subject, count);
    _Static_assert(sizeof **rows == sizeof *of_subject, "both statements ask for the same columns");
    *rows = ARENA_ARRAY(p->list.arena, struct ledger_postings_page_result, *count + 1);
    if (result == DB_OK && *count > 0)
        memcpy(*rows, of_subject, *count * sizeof **rows);
    return result;
}

static enum db_result write_source(struct postings *p, int64_t subject, int64_t source, bool *more)
{
    struct list *list = &p->list;
    enum db_result result = DB_OK;
    *more = true;
    while (result == DB_OK && *more && !is_full(list) && p->looked < LOOKED_AT_MAX) {
        struct ledger_postings_page_result *rows;
        struct db_rows found = { 0 }, skus = { 0 };
        size_t count = 0, shown = 0, i = 0;
        result = rows_next(p, subject, source, &rows, &count);
        const struct ledger_postings_page_result **each = ARENA_ARRAY(list->arena, const struct ledger_postings_page_result *, count + 1);
        for (; result == DB_OK && i < count && i < PIECE && list->limit > 0; i++) {
            if (rows[i].id == p->at.id && rows[i].line <= p->at.line)
                continue;
            p->at.id = rows[i].id;
            p->at.line = rows[i].line;
            if (p->account != 0 && rows[i].account != p->account)
                continue;
            each[shown++] = &rows[i];
            list->limit--;
        }
        *more = i < count;
        p->looked += (int64_t)i;
        if (result == DB_OK)
            result = sources_load(p, source, each, shown, &found, &skus);
        for (size_t k = 0; result == DB_OK && k < shown; k++)
            write_posting(list, source, each[k], &found, &skus);
    }
    return result;
}

/* "ord_..." and the like: any id of ours in this unit. An order stands for what ships of it too. */
static bool find_subjects(struct postings *p, const char *text)
{
    struct list *list = &p->list;
    struct finance_fulfilments_result *fulfilments = NULL;
    size_t count = 0, letters = text == NULL ? 0 : strcspn(text, "_");
    int64_t unit, id;
    p->subjects = ARENA_ARRAY(list->arena, int64_t, 1);
    p->subject_count = 1;
    if (text == NULL)
        return true;
    if (!id_parse(text, strlen(text), arena_text_n(list->arena, text, min_i64((int64_t)letters, 17) > 0 ? letters : 0), &unit, &id))
        return refuse(list, "subject is the id of an order, a fulfilment order, a transfer or what else causes movements");
    if (unit != list->unit)
        return refuse(list, "subject is of another unit");
    if (letters == 3 && strncmp(text, "ord", 3) == 0 &&
        !store_says(list, finance_fulfilments(list->reading->db, list->arena, unit, id, &fulfilments, &count)))
        return false;
    p->subjects = ARENA_ARRAY(list->arena, int64_t, count + 1);
    p->subjects[0] = id; /* its fulfilments are younger: the ids are in order */
    for (size_t i = 0; i < count; i++)
        p->subjects[p->subject_count++] = fulfilments[i].id;
    return true;
}

static void list_postings(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct postings p = { 0 };
    if (!open_list(&p.list, reading, request, answer) || !read_cursor(&p.list, "led", &p.at.subject, 4) ||
        !find_subjects(&p, request->query_text[QUERY_SUBJECT]))
        return;
    p.account = request->query_text[QUERY_ACCOUNT] == NULL ? 0 : request->query_number[QUERY_ACCOUNT] + 1;
    enum db_result result = DB_OK;
    bool more = false;
    for (size_t s = 0; s < p.subject_count && result == DB_OK && !more; s++) {
        if (p.subjects[s] < p.at.subject)
            continue;
        for (int64_t source = SOURCE_MOVEMENT; source <= SOURCE_EVENT && result == DB_OK && !more; source++) {
            bool is_resumed = p.subjects[s] == p.at.subject && source == p.at.source;
            if (p.subjects[s] == p.at.subject && source < p.at.source)
                continue;
            if (!is_resumed)
                p.at = (struct places){ p.subjects[s], source, 0, 0 };
            result = write_source(&p, p.subjects[s], source, &more);
        }
    }
    if (more)
        say_next(&p.list, "led", &p.at.subject, 4);
    close_list(&p.list, result);
}

/* ---- what goods are worth ---- */

enum { QUERY_SKU = QUERY_OWN, QUERY_NODE };

struct stock_item {
    struct field_presence presence;
    const char *sku, *class;
    int64_t units;
    struct money value;
    int64_t transit_units;
    struct money transit_value;
};
static const struct field stock_rows[] = {
    { "sku", FIELD_CODE, AT(stock_item, sku), .read_only = true },
    { "class", FIELD_CODE, AT(stock_item, class), .read_only = true, .hide_absent = true, .doc = "absent: own, new, saleable" },
    { "quantity", FIELD_INT, AT(stock_item, units), .read_only = true, .doc = "on hand at all nodes of the unit, or at the node" },
    { "value", FIELD_MONEY, AT(stock_item, value), .read_only = true, .doc = "of these; at a node the part that the average gives it" },
    { "in_transit", FIELD_INT, AT(stock_item, transit_units), .read_only = true, .doc = "between the unit's nodes; with node 0" },
    { "in_transit_value", FIELD_MONEY, AT(stock_item, transit_value), .read_only = true },
};
static const struct field_table stock_fields = { "LedgerStock", stock_rows, COUNT(stock_rows), sizeof(struct stock_item) };

struct goods_list {
    struct list list;
    int64_t from, upto, node; /* SKUs; node 0: all */
    int64_t at[2];            /* the SKU and class that were shown last */
};

struct codes {
    struct db_rows skus, classes;
};

static enum db_result codes_load(struct list *list, const struct ledger_stock_page_result *rows, size_t count, struct codes *codes)
{
    int64_t *skus = ARENA_ARRAY(list->arena, int64_t, 2 * count + 2), *classes = ARENA_ARRAY(list->arena, int64_t, 2 * count + 2);
    for (size_t i = 0; i < count; i++) {
        skus[2 * i] = classes[2 * i] = list->unit;
        skus[2 * i + 1] = rows[i].sku;
        classes[2 * i + 1] = rows[i].class;
    }
    enum db_result result = count == 0 ? DB_OK : db_load(list->reading->db, list->arena, &sku_table, skus, count, &codes->skus);
    return result == DB_OK && count > 0 ? db_load(list->reading->db, list->arena, &goods_class_table, classes, count, &codes->classes) : result;
}

static void write_stock(struct list *list, const struct ledger_stock_page_result *row, const struct codes *codes)
{
    const struct sku_row *sku = row_of(&codes->skus, row->sku);
    const struct goods_class_row *class = row->class == 0 ? NULL : row_of(&codes->classes, row->class);
    struct stock_item item = { .sku = sku == NULL ? "" : sku->code, .units = row->units, .transit_units = row->transit_units };
    const int64_t currency = currency_number(list->unit_currency);
    if (class != NULL) {
        item.class = class->code;
        field_set(&stock_fields, &item, "class");
    }
    item.value = money_of(row->value, currency);
    item.transit_value = money_of(row->transit_value, currency);
    fields_write(&list->json, &stock_fields, &item);
    list->limit--;
}

/* Goods at one node: their part of what all of them are worth. */
static enum db_result at_node(struct goods_list *g, int64_t most, struct ledger_stock_page_result **rows, size_t *count)
{
    struct list *list = &g->list;
    struct finance_positions_result *p;
    struct db_rows found = { 0 };
    enum db_result result =
        finance_positions(list->reading->db, list->arena, list->unit, g->node, max_i64(g->from, g->at[0]), g->upto, most, &p, count);
    int64_t *keys = ARENA_ARRAY(list->arena, int64_t, 3 * *count + 3);
    for (size_t i = 0; result == DB_OK && i < *count; i++)
        memcpy(keys + 3 * i, (const int64_t[]){ list->unit, p[i].sku, p[i].class }, 3 * sizeof *keys);
    if (result == DB_OK && *count > 0)
        result = db_load(list->reading->projection, list->arena, &ledger_stock_table, keys, *count, &found);
    *rows = ARENA_ARRAY(list->arena, struct ledger_stock_page_result, *count + 1);
    for (size_t i = 0, f = 0; result == DB_OK && i < *count; i++) {
        __extension__ typedef __int128 wide;
        struct ledger_stock_page_result *row = &(*rows)[i];
        const struct ledger_stock_row *stock = f < found.count ? db_row(&found, f) : NULL;
        *row = (struct ledger_stock_page_result){ .sku = p[i].sku, .class = p[i].class };
        row->units = p[i].available + p[i].reserved + p[i].allocated + p[i].quarantined;
        if (stock == NULL || stock->sku != row->sku || stock->class != row->class)
            continue;
        f++;
        if (stock->units > 0) /* the position may be a moment younger */
            row->value = row->units >= stock->units ? stock->value
                                                    : (int64_t)(((wide)stock->value * row->units * 2 + stock->units) / ((wide)stock->units * 2));
    }
    return result;
}

static enum db_result write_goods(struct goods_list *g)
{
    struct list *list = &g->list;
    struct ledger_stock_page_result *rows;
    struct codes codes = { 0 };
    size_t count = 0;
    const int64_t most = list->limit + 1 + ROWS_OF_A_DAY;
    enum db_result result = g->node != 0 ? at_node(g, most, &rows, &count)
                                         : ledger_stock_page(list->reading->projection, list->arena, list->unit, max_i64(g->from, g->at[0]), g->upto,
                                                             most, &rows, &count);
    if (result == DB_OK)
        result = codes_load(list, rows, count, &codes);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        if (rows[i].sku == g->at[0] && rows[i].class < g->at[1])
            continue;
        if (is_full(list)) {
            say_next(list, "sku", g->at, COUNT(g->at));
            break;
        }
        write_stock(list, &rows[i], &codes);
        g->at[0] = rows[i].sku, g->at[1] = rows[i].class + 1;
    }
    return result;
}

enum db_result ledger_worth(const struct reading *reading, struct arena *arena, int64_t unit, int64_t sku, int64_t units, int64_t *worth)
{
    __extension__ typedef __int128 wide;
    struct ledger_stock_page_result *rows;
    size_t count = 0;
    int64_t on_hand = 0, value = 0, last_cost = NULL_INT;
    enum db_result result = ledger_stock_page(reading->projection, arena, unit, sku, sku, WORTH_CLASSES_MAX, &rows, &count);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        on_hand += rows[i].units;
        value += rows[i].value;
        last_cost = last_cost == NULL_INT ? rows[i].last_cost : last_cost;
    }
    const wide exact = on_hand > 0 && value != 0 ? ((wide)value * units * 2 + on_hand) / ((wide)on_hand * 2) : (wide)last_cost * units;
    const bool known = (on_hand > 0 && value != 0) || last_cost != NULL_INT;
    *worth = known && exact > INT64_MIN && exact <= INT64_MAX ? (int64_t)exact : NULL_INT;
    return result;
}

static void list_stock(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct goods_list g = { .upto = INT64_MAX };
    struct finance_sku_result sku = { 0 };
    struct finance_node_result node = { 0 };
    bool sku_found = true, node_found = true;
    enum db_result result = DB_OK;
    if (!open_list(&g.list, reading, request, answer) || !read_cursor(&g.list, "sku", g.at, COUNT(g.at)))
        return;
    if (request->query_text[QUERY_SKU] != NULL)
        result = finance_sku(reading->db, g.list.arena, 0, request->query_text[QUERY_SKU], &sku, &sku_found);
    if (result == DB_OK && request->query_text[QUERY_NODE] != NULL)
        result = finance_node(reading->db, g.list.arena, 0, request->query_text[QUERY_NODE], &node, &node_found);
    if (sku.id != 0)
        g.from = g.upto = sku.id;
    g.node = node.id;
    bool is_other = node.id != 0 && node.owner != g.list.unit;
    if (result == DB_OK && sku_found && node_found && !is_other)
        result = write_goods(&g);
    close_list(&g.list, result);
}

#define UNIT_AND_PAGE                                                                                                     \
    [QUERY_UNIT] = { .name = "unit", .type = FIELD_CODE, .doc = "may be left out where there is one unit" },              \
    [QUERY_LIMIT] = { .name = "limit", .type = FIELD_INT, .min = 1, .max = 1000, .preset = 100, .doc = "items at most" }, \
    [QUERY_CURSOR] = { .name = "cursor", .type = FIELD_TEXT, .max = CURSOR_BYTES_MAX, .doc = "next of the page before" }
#define READERS (SCOPE_READ | SCOPE_ADMIN) /* costs are nobody's who only sends orders or counts */
static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/ledger/trial",
      .scopes = READERS,
      .read = list_trial,
      .projected = true,
      .answer_of = &day_fields,
      .list = true,
      .summary = "What was booked on each day, by account and currency",
      .query = { UNIT_AND_PAGE, [QUERY_FROM] = { .name = "from", .type = FIELD_TEXT, .max = 10, .doc = "the first day, as 2026-11-24" },
                 [QUERY_TO] = { .name = "to", .type = FIELD_TEXT, .max = 10, .doc = "the last day" } } },
    { .method = METHOD_GET,
      .path = "/v1/ledger/postings",
      .scopes = READERS,
      .read = list_postings,
      .projected = true,
      .answer_of = &posting_fields,
      .list = true,
      .summary = "What was booked and why: by movements, then by events, each in the order in which they came",
      .query = { UNIT_AND_PAGE,
                 [QUERY_ACCOUNT] = { .name = "account", .type = FIELD_ENUM, .names = account_names, .doc = "at most 10,000 postings are looked at" },
                 [QUERY_SUBJECT] = { .name = "subject",
                                     .type = FIELD_TEXT,
                                     .max = 64,
                                     .doc = "the id of an order with all that ships of it, or of whatever else caused a movement" } } },
    { .method = METHOD_GET,
      .path = "/v1/ledger/stock",
      .scopes = READERS,
      .read = list_stock,
      .projected = true,
      .answer_of = &stock_fields,
      .list = true,
      .summary = "What goods on hand and in transit are worth",
      .query = { UNIT_AND_PAGE, [QUERY_SKU] = { .name = "sku", .type = FIELD_CODE, .doc = "this SKU only" },
                 [QUERY_NODE] = { .name = "node", .type = FIELD_CODE, .doc = "goods at this node only" } } },
};
const struct route_table finance_routes = { "finance", routes, COUNT(routes) };
