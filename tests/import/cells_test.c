/* tests/import/cells_test.c: what a spreadsheet shows is what stood there: no cell runs, and every cell comes back as it was. */
#include "bulk/bulk.h"
#include "bulk/cells.h"
#include "../unit/base/fixture.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct thing {
    struct field_presence presence;
    const char *code, *note;
    int64_t size, version;
    bool large;
    struct money price;
    struct field_list tags, parts, remarks;
    void *place;
};
#define AT(member) offsetof(struct thing, member)
struct part {
    struct field_presence presence;
    const char *sku;
    int64_t quantity;
};
static const struct field part_rows[] = {
    { "sku", FIELD_CODE, offsetof(struct part, sku), .required = true },
    { "quantity", FIELD_INT, offsetof(struct part, quantity), .required = true },
};
static const struct field_table part_fields = { "Part", part_rows, COUNT(part_rows), sizeof(struct part) };
struct place {
    struct field_presence presence;
    const char *city, *name;
};
static const struct field place_rows[] = {
    { "city", FIELD_TEXT, offsetof(struct place, city) },
    { "name", FIELD_TEXT, offsetof(struct place, name) },
};
static const struct field_table place_fields = { "Place", place_rows, COUNT(place_rows), sizeof(struct place) };
static const struct field thing_rows[] = {
    { "code", FIELD_CODE, AT(code), .read_only = true },
    { "version", FIELD_INT, AT(version), .read_only = true },
    { "note", FIELD_TEXT, AT(note) },
    { "size", FIELD_INT, AT(size) },
    { "large", FIELD_BOOL, AT(large) },
    { "price", FIELD_MONEY, AT(price) },
    { "tags", FIELD_CODES, AT(tags) },
    { "place", FIELD_OBJECT, AT(place), .of = &place_fields },
    { "parts", FIELD_LIST, AT(parts), .required = true, .of = &part_fields },
    { "remarks", FIELD_LIST, AT(remarks), .of = &place_fields },
};
static const struct field_table thing_fields = { "Thing", thing_rows, COUNT(thing_rows), sizeof(struct thing) };

static void a_table_has_columns(void **state)
{
    static const struct {
        const char *name;
        const char *column; /* NULL: unknown; "": several */
    } cases[] = {
        { "code", "code" },
        { "price", "price" },
        { "price.currency", "price.currency" },
        { "place.city", "place.city" },
        { "city", "place.city" },
        { "sku", "parts.sku" },
        { "quantity", "parts.quantity" },
        { "parts.quantity", "parts.quantity" },
        { "remarks", "remarks" },
        { "place", NULL },
        { "parts", NULL },
        { "remarks.city", NULL },
        { "ity", NULL },
        { "", NULL },
        { "tags", "tags" },
        { "currency", "price.currency" },
    };
    struct columns columns = columns_of(*state, &thing_fields);
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t found = column_named(&columns, cases[i].name);
        const char *name = found == COLUMN_UNKNOWN ? NULL : found == COLUMN_AMBIGUOUS ? "" : columns.items[found].name;
        if (!text_equal(name, cases[i].column))
            fail_msg("%s is %s", cases[i].name, name == NULL ? "unknown" : name);
    }
}

/* Spelled cells: only those that are not empty. */
static const char *spell(struct arena *arena, const struct columns *columns, const struct cells *rows, size_t count)
{
    struct buffer out = { .arena = arena };
    buffer_text(&out, "");
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < columns->count; i++)
            if (rows[r].at[i] != NULL)
                buffer_printf(&out, "%zu %s=%s|", r + 1, columns->items[i].name, rows[r].at[i]);
    return out.at;
}

static void an_item_is_rows_and_comes_back(void **state)
{
    static const struct {
        const char *says, *item, *cells, *entry;
    } cases[] = {
        { "one part", "{\"code\":\"A\",\"version\":3,\"parts\":[{\"sku\":\"S\",\"quantity\":2}]}",
          "1 code=A|1 version=3|1 parts.sku=S|1 parts.quantity=2|", "{\"code\":\"A\",\"parts\":[{\"sku\":\"S\",\"quantity\":2}]}" },
        { "what stands beside the parts stands in each row, other lists once",
          "{\"code\":\"A\",\"parts\":[{\"sku\":\"S\",\"quantity\":2},{\"sku\":\"T\",\"quantity\":1}],\"remarks\":[{\"city\":\"B, C\"}]}",
          "1 code=A|1 parts.sku=S|1 parts.quantity=2|1 remarks=[{\"city\":\"B, C\"}]|2 code=A|2 parts.sku=T|2 parts.quantity=1|",
          "{\"code\":\"A\",\"parts\":[{\"sku\":\"S\",\"quantity\":2},{\"sku\":\"T\",\"quantity\":1}],\"remarks\":[{\"city\":\"B, C\"}]}" },
        { "no part, nulls, and members that no column has", "{\"code\":\"A\",\"note\":null,\"parts\":[],\"more\":{\"a\":[1]},\"large\":false}",
          "1 code=A|1 large=false|", "{\"code\":\"A\",\"large\":false,\"parts\":[]}" },
        { "money, codes, objects",
          "{\"code\":\"A\",\"price\":{\"amount\":\"-1.50\",\"currency\":\"EUR\"},\"tags\":[\"x\",\"y z\"],\"place\":{\"city\":\"Q\"},\"parts\":[]}",
          "1 code=A|1 price=-1.50|1 price.currency=EUR|1 tags=x;y z|1 place.city=Q|",
          "{\"code\":\"A\",\"price\":{\"amount\":\"-1.50\",\"currency\":\"EUR\"},\"tags\":[\"x\",\"y z\"],\"place\":{\"city\":\"Q\"},\"parts\":[]}" },
        { "a code with a semicolon in it", "{\"code\":\"A\",\"tags\":[\"x;y\"],\"parts\":[]}", "1 code=A|1 tags=[\"x;y\"]|",
          "{\"code\":\"A\",\"tags\":[\"x;y\"],\"parts\":[]}" },
        { "formulas", "{\"code\":\"=A\",\"note\":\"+49 30 1\",\"size\":-5,\"parts\":[{\"sku\":\"'=x\",\"quantity\":-1}]}",
          "1 code='=A|1 note='+49 30 1|1 size=-5|1 parts.sku=''=x|1 parts.quantity=-1|",
          "{\"code\":\"=A\",\"note\":\"+49 30 1\",\"size\":-5,\"parts\":[{\"sku\":\"'=x\",\"quantity\":-1}]}" },
    };
    struct columns columns = columns_of(*state, &thing_fields);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cells *rows;
        size_t count, bytes;
        assert_true(rows_of_item(*state, &columns, cases[i].item, strlen(cases[i].item), &rows, &count));
        const char *cells = spell(*state, &columns, rows, count);
        if (strcmp(cells, cases[i].cells) != 0)
            fail_msg("%s: %s", cases[i].says, cells);
        const char *entry = entry_of_rows(*state, &columns, "code", rows, count, &bytes);
        if (strcmp(entry, cases[i].entry) != 0 || strlen(entry) != bytes)
            fail_msg("%s: %s", cases[i].says, entry);
    }
}

/* A person's cells: what is no number goes as text, so that the server can say what is wrong with it. */
static void cells_that_a_person_typed(void **state)
{
    static const struct {
        const char *column, *cell, *entry;
    } cases[] = {
        { "size", "12", "{\"size\":12,\"parts\":[]}" },
        { "size", "1.5", "{\"size\":\"1.5\",\"parts\":[]}" },
        { "size", "1,000", "{\"size\":\"1,000\",\"parts\":[]}" },
        { "size", "-", "{\"size\":\"-\",\"parts\":[]}" },
        { "large", "TRUE", "{\"large\":true,\"parts\":[]}" },
        { "large", "yes", "{\"large\":\"yes\",\"parts\":[]}" },
        { "price", "3.20", "{\"price\":{\"amount\":\"3.20\"},\"parts\":[]}" },
        { "tags", " a ; b;;c", "{\"tags\":[\" a\",\"b\",\"c\"],\"parts\":[]}" },
        { "tags", "[\"a\"", "{\"tags\":\"[\\\"a\\\"\",\"parts\":[]}" },
        { "remarks", "{\"x\":1}, 2", "{\"parts\":[],\"remarks\":\"{\\\"x\\\":1}, 2\"}" },
        { "note", "'hello", "{\"note\":\"'hello\",\"parts\":[]}" },
        { "version", "7", "{\"parts\":[]}" },
    };
    struct columns columns = columns_of(*state, &thing_fields);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cells row = { arena_alloc(*state, columns.count * sizeof(char *)) };
        size_t bytes;
        row.at[column_named(&columns, cases[i].column)] = cases[i].cell;
        const char *entry = entry_of_rows(*state, &columns, "code", &row, 1, &bytes);
        if (strcmp(entry, cases[i].entry) != 0)
            fail_msg("%s %s: %s", cases[i].column, cases[i].cell, entry);
    }
}

/* ---- through a file ---- */

struct text {
    const char *at;
    size_t left;
};
static ssize_t give(void *context, char *at, size_t room)
{
    struct text *text = context;
    size_t bytes = text->left < room ? text->left : room;
    memcpy(at, text->at, bytes);
    text->at += bytes;
    text->left -= bytes;
    return (ssize_t)bytes;
}

/* The cell as a file has it, read back. */
static const char *through_csv(struct arena *arena, const char *cell, const char **line)
{
    char *written = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&written, &bytes);
    csv_write(out, (const char *[]){ "a", cell, NULL }, 3);
    assert_int_equal(fclose(out), 0);
    struct text text = { *line = arena_text_n(arena, written, bytes), bytes };
    free(written);
    struct csv *csv = csv_open(arena, give, &text);
    struct csv_row *row = arena_alloc(arena, sizeof *row);
    assert_int_equal(csv_next(csv, row), CSV_ROW);
    assert_int_equal(row->count, 3);
    const char *read = arena_text_n(arena, (const char *)row->fields[1].at, row->fields[1].size);
    assert_int_equal(csv_next(csv, row), CSV_END);
    return read;
}

static void check_cell(struct arena *arena, const char *text)
{
    const char *line, *cell = cell_safe(arena, text), *read = through_csv(arena, cell, &line);
    if (strcmp(read, cell) != 0 || strcmp(cell_plain(read), text) != 0)
        fail_msg("%s came back as %s", text, cell_plain(read));
    if (strpbrk(cell, ";\t,\"\r\n") != NULL && line[2] != '"')
        fail_msg("%s stands unquoted in %s", cell, line);
    if (strchr("=+@|%\t\r\n", cell[0]) != NULL && cell[0] != '\0')
        fail_msg("%s may run", cell);
}

static void no_cell_runs(void **state)
{
    static const struct {
        const char *text, *cell;
    } cases[] = {
        { "=1+1", "'=1+1" },
        { "-1+1", "'-1+1" },
        { "-12.50", "-12.50" },
        { "-12", "-12" },
        { "-1.", "'-1." },
        { "--1", "'--1" },
        { "-", "'-" },
        { "@x", "'@x" },
        { " =1", "' =1" },
        { "x;=1", "x;=1" },
        { "1E5", "1E5" },
        { "00123", "00123" },
        { "", "" },
        { "'", "''" },
        { "'=1+1", "''=1+1" },
        { "'a", "''a" },
        { "\xef\xbc\x9d"
          "1",
          "'\xef\xbc\x9d"
          "1" },
        { "\xc2\xa0=1", "'\xc2\xa0=1" },
        { "|x", "'|x" },
        { "a=1", "a=1" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *cell = cell_safe(*state, cases[i].text);
        if (strcmp(cell, cases[i].cell) != 0)
            fail_msg("%s: %s", cases[i].text, cell);
        check_cell(*state, cases[i].text);
    }
}

/* shared/vectors/csv: cells that have run in some program. */
static void known_attacks(void **state)
{
    static const char name[] = "csv/formula-cells.json";
    size_t bytes, cells = 0;
    char *text = vector_bytes(*state, name, &bytes);
    if (text == NULL)
        skip_for_want_of(name);
    char *nul = strstr(text, "\\u0000"); /* no text of ours holds it: the edge refuses it */
    if (nul != NULL)
        memcpy(nul, "=     ", 6);
    struct json_reader json;
    json_open(&json, *state, text, bytes);
    expect(&json, JSON_ARRAY);
    while (json_next(&json) == JSON_OBJECT) {
        while (json_next(&json) == JSON_KEY) {
            if (!is_text(&json, "cell")) {
                assert_true(json_skip(&json));
                continue;
            }
            expect(&json, JSON_STRING);
            check_cell(*state, arena_text_n(*state, json.text, json.bytes));
            cells++;
        }
    }
    assert_true(cells > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_has_columns),
        cmocka_unit_test(an_item_is_rows_and_comes_back),
        cmocka_unit_test(cells_that_a_person_typed),
        cmocka_unit_test(no_cell_runs),
        cmocka_unit_test(known_attacks),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
