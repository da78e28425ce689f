/* src/bulk/cells.c: both directions walk the columns and the JSON side by side. */
#include "bulk/cells.h"
#include <string.h>
#include <strings.h>

/* ---- formulas ---- */

/* Bytes of blanks that programs trim before they look for a formula. */
static size_t blanks(const char *text)
{
    static const char *const each[] = { " ", "\xc2\xa0", "\xef\xbb\xbf" };
    size_t bytes = 0;
    for (size_t i = 0; i < COUNT(each);) {
        bool is = strncmp(text + bytes, each[i], strlen(each[i])) == 0;
        bytes += is ? strlen(each[i]) : 0;
        i = is ? 0 : i + 1;
    }
    return bytes;
}

static bool begins_formula(const char *text)
{
    static const char *const wide[] = { "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0" }; /* = + - @ in full width */
    text += blanks(text);
    for (size_t i = 0; i < COUNT(wide); i++)
        if (strncmp(text, wide[i], strlen(wide[i])) == 0)
            return true;
    return *text != '\0' && strchr("=+-@|%\t\r\n", *text) != NULL;
}

static bool is_number(const char *text)
{
    text += *text == '-';
    size_t whole = strspn(text, "0123456789"), part = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
    return whole > 0 && text[whole + (part > 0 ? part + 1 : 0)] == '\0';
}

const char *cell_safe(struct arena *arena, const char *text)
{
    return *text == '\'' || (begins_formula(text) && !is_number(text)) ? arena_printf(arena, "'%s", text) : text;
}

const char *cell_plain(const char *cell)
{
    return cell[0] == '\'' && (cell[1] == '\'' || begins_formula(cell + 1)) ? cell + 1 : cell;
}

/* ---- rows to an entry ---- */

struct entry {
    const struct columns *columns;
    const char *part;
    const struct cells *rows;
    size_t count;
    struct json_writer json;
};

static bool is_sent(const struct entry *e, const struct column *column)
{
    return !column->field->read_only || (e->part != NULL && strcmp(column->name, e->part) == 0);
}

static bool any_cell(const struct entry *e, size_t from, size_t upto, const struct cells *row)
{
    for (size_t i = from; i < upto; i++)
        if (row->at[i] != NULL && is_sent(e, &e->columns->items[i]))
            return true;
    return false;
}

static bool is_integer(const char *text)
{
    return is_number(text) && strchr(text, '.') == NULL;
}

/* What is put in as it stands must be JSON; else it goes as text, and is refused as such. */
static void write_json(struct entry *e, const char *cell)
{
    struct json_reader json;
    json_open(&json, e->json.out.arena, cell, strlen(cell));
    if (json_skip(&json) && json_next(&json) == JSON_END)
        json_raw(&e->json, cell, strlen(cell));
    else
        json_text(&e->json, cell);
}

/* Codes in one cell stand between semicolons, or as JSON. */
static void write_codes(struct entry *e, const char *cell)
{
    struct json_writer *json = &e->json;
    if (*cell == '[') {
        write_json(e, cell);
        return;
    }
    json_array(json);
    while (*cell != '\0') {
        size_t bytes = strcspn(cell, ";"), end = bytes;
        while (end > 0 && cell[end - 1] == ' ')
            end--;
        if (end > 0)
            json_text_n(json, cell, end);
        cell += bytes;
        cell += strspn(cell, "; ");
    }
    json_array_end(json);
}

static const char *currency_beside(const struct entry *e, size_t i, const struct cells *row)
{
    if (i + 1 < e->columns->count && e->columns->items[i + 1].kind == COLUMN_CURRENCY)
        return row->at[i + 1];
    size_t own = column_named(e->columns, "currency");
    return own < e->columns->count ? e->rows[0].at[own] : NULL;
}

static void write_money(struct entry *e, size_t i, const struct cells *row)
{
    const char *currency = currency_beside(e, i, row);
    json_object(&e->json);
    json_key(&e->json, "amount");
    json_text(&e->json, row->at[i]);
    if (currency != NULL) {
        json_key(&e->json, "currency");
        json_text(&e->json, currency);
    }
    json_object_end(&e->json);
}

static void write_cell(struct entry *e, size_t i, const struct cells *row)
{
    const char *cell = row->at[i];
    struct json_writer *json = &e->json;
    switch (e->columns->items[i].field->type) {
    case FIELD_INT:
        if (is_integer(cell))
            json_raw(json, cell, strlen(cell));
        else
            json_text(json, cell);
        break;
    case FIELD_BOOL: /* spreadsheets write it in capitals */
        if (strcasecmp(cell, "true") == 0 || strcasecmp(cell, "false") == 0)
            json_bool(json, strcasecmp(cell, "true") == 0);
        else
            json_text(json, cell);
        break;
    case FIELD_MONEY:
        write_money(e, i, row);
        break;
    case FIELD_CODES:
        write_codes(e, cell);
        break;
    case FIELD_LIST:
    case FIELD_OBJECT:
        write_json(e, cell);
        break;
    case FIELD_TEXT:
    case FIELD_CODE:
        json_text(json, cell_plain(cell));
        break;
    case FIELD_ENUM:
    case FIELD_TIME:
    case FIELD_CURRENCY:
    case FIELD_COUNTRY:
        json_text(json, cell);
        break;
    }
}

static void write_columns(struct entry *e, size_t from, size_t upto, const struct cells *row)
{
    for (size_t i = from; i < upto; i += e->columns->items[i].span + 1) {
        const struct column *column = &e->columns->items[i];
        const size_t end = i + column->span + 1;
        if (!is_sent(e, column))
            continue;
        if (column->kind == COLUMN_VALUE && row->at[i] != NULL) {
            json_key(&e->json, column->field->name);
            write_cell(e, i, row);
        } else if (column->kind == COLUMN_OBJECT && any_cell(e, i + 1, end, row)) {
            json_key(&e->json, column->field->name);
            json_object(&e->json);
            write_columns(e, i + 1, end, row);
            json_object_end(&e->json);
        } else if (column->kind == COLUMN_ROWS) {
            json_key(&e->json, column->field->name);
            json_array(&e->json);
            for (size_t r = 0; r < e->count; r++) {
                if (!any_cell(e, i + 1, end, &e->rows[r]))
                    continue;
                json_object(&e->json);
                write_columns(e, i + 1, end, &e->rows[r]);
                json_object_end(&e->json);
            }
            json_array_end(&e->json);
        }
    }
}

const char *entry_of_rows(struct arena *arena, const struct columns *columns, const char *part, const struct cells *rows, size_t count, size_t *bytes)
{
    struct entry e = { .columns = columns, .part = part, .rows = rows, .count = count };
    json_begin(&e.json, arena);
    json_object(&e.json);
    write_columns(&e, 0, columns->count, &rows[0]);
    json_object_end(&e.json);
    *bytes = e.json.out.size;
    return e.json.out.at;
}

/* ---- an item to rows ---- */

struct item {
    struct arena *arena;
    const struct columns *columns;
    struct json_reader json;
    struct cells *rows;
    size_t count, room;
};

static struct cells *row_add(struct item *item)
{
    item->rows = arena_room(item->arena, item->rows, item->count, &item->room, 4, sizeof *item->rows);
    item->rows[item->count].at = ARENA_ARRAY(item->arena, const char *, item->columns->count + 1);
    return &item->rows[item->count++];
}

/* The text of the value that `first` begins, as it stands. */
static const char *raw_value(struct item *item, enum json_token first)
{
    const char *from = item->json.at - 1; /* a bracket has been read */
    return json_skip_rest(&item->json, first) ? arena_text_n(item->arena, from, (size_t)(item->json.at - from)) : NULL;
}

/* Codes that hold no semicolon stand between semicolons. */
static const char *codes_cell(struct arena *arena, const char *json_text)
{
    struct json_reader json;
    struct buffer cell = { .arena = arena };
    json_open(&json, arena, json_text, strlen(json_text));
    buffer_text(&cell, "");
    (void)json_next(&json);
    while (json_next(&json) == JSON_STRING) {
        if (memchr(json.text, ';', json.bytes) != NULL || json.bytes == 0 || json.text[0] == '[')
            return json_text;
        buffer_text(&cell, cell.size > 0 ? ";" : "");
        buffer_add(&cell, json.text, json.bytes);
    }
    return cell.at;
}

/* Text that may be what anybody has typed. */
static bool is_free(const struct field *field)
{
    return field->type == FIELD_TEXT || field->type == FIELD_CODE || field->type == FIELD_CODES || field->type == FIELD_LIST ||
           field->type == FIELD_OBJECT;
}

static void read_money(struct item *item, size_t i, struct cells *row)
{
    while (json_next(&item->json) == JSON_KEY) {
        const bool amount = item->json.bytes == strlen("amount");
        if (json_next(&item->json) == JSON_ERROR)
            return;
        const char *text = arena_text_n(item->arena, item->json.text, item->json.bytes);
        if (amount)
            row->at[i] = text;
        else if (i + 1 < item->columns->count && item->columns->items[i + 1].kind == COLUMN_CURRENCY)
            row->at[i + 1] = text;
    }
}

static void read_value(struct item *item, size_t i, enum json_token token, struct cells *row)
{
    const struct field *field = item->columns->items[i].field;
    const char *text = NULL;
    if (token == JSON_OBJECT && field->type == FIELD_MONEY) {
        read_money(item, i, row);
        return;
    }
    if (token == JSON_OBJECT || token == JSON_ARRAY) {
        text = raw_value(item, token);
        if (text != NULL && field->type == FIELD_CODES)
            text = codes_cell(item->arena, text);
    } else if (token == JSON_STRING || token == JSON_NUMBER)
        text = arena_text_n(item->arena, item->json.text, item->json.bytes);
    else if (token == JSON_TRUE || token == JSON_FALSE)
        text = token == JSON_TRUE ? "true" : "false";
    if (text != NULL && *text != '\0')
        row->at[i] = is_free(field) ? cell_safe(item->arena, text) : text;
}

/* The column of this level that the key names; `upto`: none. */
static size_t find(const struct item *item, size_t from, size_t upto)
{
    for (size_t i = from; i < upto; i += item->columns->items[i].span + 1) {
        const struct column *column = &item->columns->items[i];
        if (column->kind != COLUMN_CURRENCY && strlen(column->field->name) == item->json.bytes &&
            memcmp(column->field->name, item->json.text, item->json.bytes) == 0)
            return i;
    }
    return upto;
}

static void read_object(struct item *item, size_t from, size_t upto, size_t row);

static void read_rows(struct item *item, size_t i)
{
    const size_t end = i + item->columns->items[i].span + 1;
    for (size_t r = 0; json_next(&item->json) == JSON_OBJECT; r++) {
        if (r == item->count)
            (void)row_add(item);
        read_object(item, i + 1, end, r);
    }
}

/* Behind its brace, up to its end. The readers know the text for JSON: it came from the server, and a break ends all loops. */
static void read_object(struct item *item, size_t from, size_t upto, size_t row)
{
    while (json_next(&item->json) == JSON_KEY) {
        const size_t i = find(item, from, upto);
        if (i == upto) {
            (void)json_skip(&item->json);
            continue;
        }
        const struct column *column = &item->columns->items[i];
        enum json_token token = json_next(&item->json);
        if (column->kind == COLUMN_OBJECT && token == JSON_OBJECT)
            read_object(item, i + 1, i + column->span + 1, row);
        else if (column->kind == COLUMN_ROWS && token == JSON_ARRAY)
            read_rows(item, i);
        else if (column->kind == COLUMN_VALUE)
            read_value(item, i, token, &item->rows[row]);
    }
}

bool rows_of_item(struct arena *arena, const struct columns *columns, const char *text, size_t bytes, struct cells **rows, size_t *count)
{
    struct item item = { .arena = arena, .columns = columns };
    json_open(&item.json, arena, text, bytes);
    (void)row_add(&item);
    bool good = json_next(&item.json) == JSON_OBJECT;
    if (good)
        read_object(&item, 0, columns->count, 0);
    good = good && json_next(&item.json) == JSON_END;
    for (size_t r = 1; r < item.count; r++) /* a row says whose it is */
        for (size_t i = 0; i < columns->count; i++)
            if ((i < columns->rows || i > columns->rows + columns->items[columns->rows].span) && columns->items[i].field->type != FIELD_LIST)
                item.rows[r].at[i] = item.rows[0].at[i];
    *rows = item.rows;
    *count = item.count;
    return good;
}
