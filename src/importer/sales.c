/* src/importer/sales.c: rows become lines, lines invoices and products. A row is checked alone first; what it means shows only when
 * its invoice is whole: goods at a price are an order, goods at no price for nobody a stock fact, charges ride with an order. */
#include "importer/sales.h"
#include "base/money.h"
#include "base/when.h"
#include "importer/csv.h"
#include "importer/names.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define QUANTITY_OF_LINE_MAX 1000000
#define TEXT_BYTES_MAX 200

enum column { INVOICE, CODE, DESCRIPTION, QUANTITY, DATE, PRICE, CUSTOMER, COUNTRY, COLUMN_COUNT };
static const char *const headers[] = { "InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country" };

/* As the trade spells them. */
static const struct {
    const char *name, *code;
} countries[] = {
    { "Australia", "AU" },
    { "Austria", "AT" },
    { "Bahrain", "BH" },
    { "Belgium", "BE" },
    { "Brazil", "BR" },
    { "Canada", "CA" },
    { "Channel Islands", "JE" },
    { "Cyprus", "CY" },
    { "Czech Republic", "CZ" },
    { "Denmark", "DK" },
    { "EIRE", "IE" },
    { "Finland", "FI" },
    { "France", "FR" },
    { "Germany", "DE" },
    { "Greece", "GR" },
    { "Hong Kong", "HK" },
    { "Iceland", "IS" },
    { "Israel", "IL" },
    { "Italy", "IT" },
    { "Japan", "JP" },
    { "Lebanon", "LB" },
    { "Lithuania", "LT" },
    { "Malta", "MT" },
    { "Netherlands", "NL" },
    { "Norway", "NO" },
    { "Poland", "PL" },
    { "Portugal", "PT" },
    { "RSA", "ZA" },
    { "Saudi Arabia", "SA" },
    { "Singapore", "SG" },
    { "Spain", "ES" },
    { "Sweden", "SE" },
    { "Switzerland", "CH" },
    { "USA", "US" },
    { "United Arab Emirates", "AE" },
    { "United Kingdom", "GB" },
};

/* How often a product is called so. */
struct called {
    const char *name;
    uint32_t product, times;
};

struct reader {
    struct sales *sales;
    struct arena *arena;
    struct remarks *remarks;
    struct names products, invoices, names, texts;
    struct called *called;
    size_t called_count, called_room;
    size_t product_room, invoice_room, line_room;
    int exponent;
    struct place_in_file place;
    size_t columns[COLUMN_COUNT], column_count;
};

/* Makes room for one more; what was there is copied. */
static void *room_for_one(struct arena *arena, void *items, size_t count, size_t *room, size_t bytes)
{
    if (count < *room)
        return items;
    size_t more = *room == 0 ? 4096 : *room * 2;
    void *grown = arena_alloc_array(arena, more, bytes);
    if (count > 0)
        memcpy(grown, items, count * bytes);
    *room = more;
    return grown;
}

/* ---- one row ---- */

struct row {
    const char *invoice, *note, *customer, *country;
    char code[80];
    bool goods;
    int64_t quantity, price, at_us;
};

static bool read_quantity(const char *text, int64_t *quantity)
{
    char *end = NULL;
    errno = 0;
    *quantity = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && (isdigit((unsigned char)text[0]) || text[0] == '-') && *quantity != 0 &&
           llabs(*quantity) <= QUANTITY_OF_LINE_MAX;
}

/* "2010-12-01 08:26:00", seconds optional; taken as UTC: the file says no zone. */
static bool read_date(const char *text, int64_t *at_us)
{
    char full[32];
    size_t size = strlen(text);
    if ((size != 19 && size != 16) || (text[10] != ' ' && text[10] != 'T'))
        return false;
    snprintf(full, sizeof full, "%.10sT%s%sZ", text, text + 11, size == 16 ? ":00" : "");
    return when_parse(full, strlen(full), at_us);
}

/* What begins with five digits is goods; the rest is carriage, fees, discounts and vouchers. In capitals: one product is
 * spelt both ways. */
static bool read_code(struct reader *r, const char *text, struct row *row)
{
    size_t size = strlen(text);
    if (!text_is_code(text, size, 64))
        return false;
    for (size_t i = 0; i <= size; i++)
        row->code[i] = (char)toupper((unsigned char)text[i]);
    row->goods = size >= 5;
    for (size_t i = 0; i < 5 && row->goods; i++)
        row->goods = isdigit((unsigned char)text[i]) != 0;
    if (row->goods && strcmp(row->code, text) != 0)
        remark(r->remarks, REMARK_SPELLING, r->place, "stock code %s is taken as %s", text, row->code);
    return true;
}

static const char *country_of(struct reader *r, const char *name)
{
    for (size_t i = 0; i < COUNT(countries); i++)
        if (strcmp(countries[i].name, name) == 0)
            return countries[i].code;
    remark(r->remarks, REMARK_COUNTRY, r->place, "country \"%s\" is taken as GB, the shop's own", name);
    return "GB";
}

static bool read_row(struct reader *r, const struct csv_row *csv, struct row *row)
{
    const char *text[COLUMN_COUNT];
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        text[i] = (const char *)csv->fields[r->columns[i]].at;
    *row = (struct row){ .invoice = text[INVOICE], .note = text[DESCRIPTION], .customer = text[CUSTOMER], .country = text[COUNTRY] };
    bool negative = text[PRICE][0] == '-';
    const char *price = text[PRICE] + negative;
    struct {
        bool good;
        enum column column;
        const char *wants;
    } checks[] = {
        { text_is_code(text[INVOICE], strlen(text[INVOICE]), 48), INVOICE, "is no invoice number" },
        { read_code(r, text[CODE], row), CODE, "is no stock code" },
        { strlen(text[DESCRIPTION]) <= TEXT_BYTES_MAX, DESCRIPTION, "is longer than 200 bytes" },
        { read_quantity(text[QUANTITY], &row->quantity), QUANTITY, "is no whole number of at most a million, or 0" },
        { read_date(text[DATE], &row->at_us), DATE, "is no date and time as 2010-12-01 08:26:00" },
        { money_parse(price, strlen(price), r->exponent, &row->price), PRICE, "is no amount of the currency" },
        { strlen(text[CUSTOMER]) <= 64, CUSTOMER, "is longer than 64 bytes" },
    };
    bool good = true;
    for (size_t i = 0; i < COUNT(checks); i++) {
        if (!checks[i].good)
            remark(r->remarks, REMARK_VALUE, r->place, "%s \"%.80s\" %s", headers[checks[i].column], text[checks[i].column], checks[i].wants);
        good = good && checks[i].good;
    }
    row->price = negative ? -row->price : row->price;
    return good;
}

/* ---- what it belongs to ---- */

static uint32_t product_of(struct reader *r, const char *code)
{
    struct sales *s = r->sales;
    uint32_t *known = names_of(&r->products, code, s->product_count);
    if (*known == s->product_count) {
        s->products = room_for_one(r->arena, s->products, s->product_count, &r->product_room, sizeof *s->products);
        const char *kept = arena_text(r->arena, code);
        s->products[s->product_count++] = (struct product){ .code = kept, .name = kept, .place = r->place, .first_week = INT64_MAX };
    }
    return *known;
}

/* Only sales name a product: write-offs say "damaged" and "?" where its name should stand. */
static void call_product(struct reader *r, uint32_t product, const char *name)
{
    char key[TEXT_BYTES_MAX + 16];
    if (*name == '\0')
        return;
    snprintf(key, sizeof key, "%u\n%s", product, name);
    uint32_t *known = names_of(&r->names, key, (uint32_t)r->called_count);
    if (*known == r->called_count) {
        r->called = room_for_one(r->arena, r->called, r->called_count, &r->called_room, sizeof *r->called);
        r->called[r->called_count++] = (struct called){ arena_text(r->arena, name), product, 0 };
    }
    r->called[*known].times++;
}

static const char *kept_text(struct reader *r, const char *text)
{
    (void)names_of(&r->texts, text, 0);
    size_t at = hash_bytes(text, strlen(text), 1) & (r->texts.room - 1);
    while (strcmp(r->texts.slots[at].text, text) != 0)
        at = (at + 1) & (r->texts.room - 1);
    return r->texts.slots[at].text;
}

static uint32_t invoice_of(struct reader *r, const struct row *row)
{
    struct sales *s = r->sales;
    uint32_t *known = names_of(&r->invoices, row->invoice, s->invoice_count);
    if (*known == s->invoice_count) {
        s->invoices = room_for_one(r->arena, s->invoices, s->invoice_count, &r->invoice_room, sizeof *s->invoices);
        s->invoices[s->invoice_count++] = (struct invoice){ .number = arena_text(r->arena, row->invoice),
                                                            .customer = kept_text(r, row->customer),
                                                            .country = country_of(r, row->country),
                                                            .at_us = row->at_us,
                                                            .first = NOBODY,
                                                            .last = NOBODY };
    }
    return *known;
}

static void add_line(struct reader *r, const struct row *row)
{
    struct sales *s = r->sales;
    uint32_t index = invoice_of(r, row), product = row->goods ? product_of(r, row->code) : NOBODY;
    struct invoice *invoice = &s->invoices[index];
    if (strcmp(invoice->customer, row->customer) != 0) {
        remark(r->remarks, REMARK_VALUE, r->place, "CustomerID \"%s\" is another than that of invoice %s before", row->customer, invoice->number);
        return;
    }
    int looked_at = 0; /* an invoice of any length costs each row no more than that */
    for (uint32_t i = invoice->first; i != NOBODY && looked_at++ < 1000; i = s->lines[i].next)
        if (s->lines[i].product == product && s->lines[i].quantity == row->quantity && s->lines[i].price == row->price && product != NOBODY &&
            strcmp(s->lines[i].note, row->note) == 0) {
            remark(r->remarks, REMARK_TWICE, r->place, "the same as line %zu", s->lines[i].place.line);
            break;
        }
    s->lines = room_for_one(r->arena, s->lines, s->line_count, &r->line_room, sizeof *s->lines);
    s->lines[s->line_count] = (struct sale_line){ .place = r->place,
                                                  .product = product,
                                                  .invoice = index,
                                                  .next = NOBODY,
                                                  .before = NOBODY,
                                                  .quantity = row->quantity,
                                                  .price = row->price,
                                                  .note = kept_text(r, row->note) };
    if (invoice->last == NOBODY)
        invoice->first = s->line_count;
    else
        s->lines[invoice->last].next = s->line_count;
    invoice->last = s->line_count++;
    if (product != NOBODY && row->price > 0)
        call_product(r, product, row->note);
}

/* ---- a file ---- */

static ssize_t read_file(void *context, char *at, size_t room)
{
    return gzread(context, at, (unsigned)room);
}

static const char *find_columns(struct reader *r, const struct csv_row *row)
{
    r->column_count = row->count;
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        for (r->columns[c] = 0; r->columns[c] < row->count; r->columns[c]++)
            if (strcmp((const char *)row->fields[r->columns[c]].at, headers[c]) == 0)
                break;
        if (r->columns[c] == row->count)
            return arena_printf(r->arena, "%s: its first row names no column %s", r->place.file, headers[c]);
    }
    return NULL;
}

static const char *read_rows(struct reader *r, struct csv *csv)
{
    struct csv_row *row = ARENA_NEW(r->arena, struct csv_row);
    struct row one;
    for (bool header = true;;) {
        enum csv_result result = csv_next(csv, row);
        r->place.line = row->line;
        if (result == CSV_FAILED)
            return arena_printf(r->arena, "%s cannot be read to its end", r->place.file);
        if (result == CSV_END)
            return header ? arena_printf(r->arena, "%s is empty", r->place.file) : NULL;
        if (header && result == CSV_BAD)
            return arena_printf(r->arena, "%s:%zu:%zu: %s", r->place.file, row->line, row->column, row->error);
        if (header) {
            const char *wrong = find_columns(r, row);
            if (wrong != NULL)
                return wrong;
            header = false;
            continue;
        }
        r->sales->rows++;
        if (result == CSV_BAD)
            remark(r->remarks, REMARK_FORM, r->place, "column %zu: %s", row->column, row->error);
        else if (row->count != r->column_count)
            remark(r->remarks, REMARK_FORM, r->place, "%zu fields where the header has %zu", row->count, r->column_count);
        else if (read_row(r, row, &one))
            add_line(r, &one);
    }
}

static const char *read_one(struct reader *r, const char *file)
{
    gzFile handle = gzopen(file, "rb");
    if (handle == NULL)
        return arena_printf(r->arena, "%s: %s", file, errno == 0 ? "no memory" : strerror(errno));
    r->place = (struct place_in_file){ .file = file };
    struct arena_door door, *outer = arena_set_door(r->arena, &door); /* a file that does not fit leaves by the door: the handle is closed first */
    const char *error;
    if (setjmp(door.where) == 0)
        error = read_rows(r, csv_open(r->arena, read_file, handle));
    else
        error = "the files are larger than what is held at once; give them in parts";
    (void)arena_set_door(r->arena, outer);
    (void)gzclose(handle);
    return error;
}

/* ---- what the invoices are ---- */

static bool for_nobody_at_no_price(const struct sales *s, const struct invoice *invoice)
{
    for (uint32_t i = invoice->first; i != NOBODY; i = s->lines[i].next)
        if (s->lines[i].price != 0 || s->lines[i].product == NOBODY)
            return false;
    return invoice->customer[0] == '\0';
}

static void read_order(struct sales *s, struct invoice *invoice, struct remarks *remarks)
{
    for (uint32_t i = invoice->first; i != NOBODY; i = s->lines[i].next) {
        struct sale_line *line = &s->lines[i];
        if (line->product == NOBODY)
            invoice->charges += line->quantity * line->price;
        else if (line->quantity < 0 || line->price < 0)
            remark(remarks, REMARK_VALUE, line->place, "%s below 0 on invoice %s, which is no cancellation",
                   line->quantity < 0 ? "a quantity" : "a price", invoice->number);
        else {
            line->number = ++invoice->line_count;
            line->sold = true;
            line->left = line->quantity;
        }
    }
    if (invoice->line_count > 0 && invoice->charges >= 0)
        return;
    if (invoice->line_count > 0) {
        remark(remarks, REMARK_VALUE, s->lines[invoice->first].place, "the charges of invoice %s are below 0: left out", invoice->number);
        invoice->charges = 0;
        return;
    }
    invoice->kind = INVOICE_NOTHING;
    for (uint32_t i = invoice->first; i != NOBODY; i = s->lines[i].next)
        if (s->lines[i].product == NOBODY)
            remark(remarks, REMARK_NO_GOODS, s->lines[i].place, "invoice %s: charges, no goods", invoice->number);
}

static void read_invoice(struct sales *s, struct invoice *invoice, struct remarks *remarks)
{
    char first = invoice->number[0];
    invoice->kind = first == 'C'                         ? INVOICE_CANCELLATION
                    : first == 'A'                       ? INVOICE_NOTHING
                    : for_nobody_at_no_price(s, invoice) ? INVOICE_STOCK
                                                         : INVOICE_ORDER;
    for (uint32_t i = invoice->first; i != NOBODY && first == 'A'; i = s->lines[i].next)
        remark(remarks, REMARK_DEBT, s->lines[i].place, "invoice %s: an adjustment of debt", invoice->number);
    if (invoice->kind == INVOICE_ORDER)
        read_order(s, invoice, remarks);
}

static int by_time(const void *a, const void *b, void *context)
{
    const struct sales *s = context;
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int64_t left = s->invoices[x].at_us, right = s->invoices[y].at_us;
    return left != right ? (left > right) - (left < right) : (x > y) - (x < y);
}

static void first_weeks(struct sales *s)
{
    for (uint32_t t = 0; t < s->invoice_count; t++) {
        const struct invoice *invoice = &s->invoices[s->in_time[t]];
        int64_t week = week_of(invoice->at_us);
        for (uint32_t i = invoice->first; i != NOBODY; i = s->lines[i].next) {
            if (!s->lines[i].sold)
                continue;
            struct product *product = &s->products[s->lines[i].product];
            product->first_week = min_i64(product->first_week, week);
            product->first_units += product->first_week == week ? s->lines[i].quantity : 0;
        }
    }
}

static void name_products(struct reader *r)
{
    uint32_t *most = ARENA_ARRAY(r->arena, uint32_t, r->sales->product_count);
    for (size_t i = 0; i < r->called_count; i++) { /* of equals the first: it is the older one */
        if (r->called[i].times <= most[r->called[i].product])
            continue;
        most[r->called[i].product] = r->called[i].times;
        r->sales->products[r->called[i].product].name = r->called[i].name;
    }
}

bool sales_read(struct sales *sales, const char *const *files, size_t file_count, const char *currency, struct arena *arena, struct remarks *remarks,
                const char **error)
{
    struct reader r = { .sales = sales,
                        .arena = arena,
                        .remarks = remarks,
                        .products.arena = arena,
                        .invoices.arena = arena,
                        .names.arena = arena,
                        .texts.arena = arena,
                        .exponent = currency_exponent(currency) };
    *error = r.exponent < 0 ? "the currency is none of ISO 4217" : NULL;
    for (size_t i = 0; i < file_count && *error == NULL; i++)
        *error = read_one(&r, files[i]);
    if (*error != NULL)
        return false;
    sales->in_time = ARENA_ARRAY(arena, uint32_t, sales->invoice_count);
    for (uint32_t i = 0; i < sales->invoice_count; i++) {
        sales->in_time[i] = i;
        read_invoice(sales, &sales->invoices[i], remarks);
    }
    qsort_r(sales->in_time, sales->invoice_count, sizeof *sales->in_time, by_time, sales);
    first_weeks(sales);
    name_products(&r);
    return true;
}

int64_t day_of(int64_t at_us)
{
    const int64_t day_us = INT64_C(86400000000);
    return at_us / day_us - (at_us % day_us < 0);
}

int64_t week_of(int64_t at_us)
{
    int64_t days = day_of(at_us) - 4; /* 1970-01-05 was a Monday */
    return days / 7 - (days % 7 < 0);
}
