/* tests/import/csv_test.c: what is a row, what is not and where, and that cells survive whatever they look like. */
#include "importer/csv.h"
#include "base/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct source {
    const char *at;
    size_t left, piece;
};

static ssize_t give(void *context, char *at, size_t room)
{
    struct source *source = context;
    size_t bytes = source->left < source->piece ? source->left : source->piece;
    bytes = bytes < room ? bytes : room;
    memcpy(at, source->at, bytes);
    source->at += bytes;
    source->left -= bytes;
    return (ssize_t)bytes;
}

/* What was read, spelled: fields in [], rows by their line, errors as line:column. */
static const char *spell(struct arena *arena, const char *text, size_t bytes, size_t piece)
{
    struct source source = { text, bytes, piece };
    struct csv *csv = csv_open(arena, give, &source);
    struct csv_row *row = ARENA_NEW(arena, struct csv_row);
    struct buffer out = { .arena = arena };
    buffer_text(&out, "");
    for (enum csv_result result; (result = csv_next(csv, row)) != CSV_END;) {
        if (result == CSV_FAILED)
            return "failed";
        if (result == CSV_BAD)
            buffer_printf(&out, "%zu:%zu %s;", row->line, row->column, row->error);
        else
            buffer_printf(&out, "%zu", row->line);
        for (size_t i = 0; result == CSV_ROW && i < row->count; i++)
            buffer_printf(&out, "[%s]", (const char *)row->fields[i].at);
    }
    return out.at == NULL ? "" : out.at;
}

static void rows_and_what_is_none(void **state)
{
    static const struct {
        const char *says, *text, *reads;
    } cases[] = {
        { "nothing", "", "" },
        { "a byte order mark alone", "\xef\xbb\xbf", "" },
        { "one row without an end", "a,b", "1[a][b]" },
        { "LF and CRLF", "a\r\nb\n", "1[a]2[b]" },
        { "empty lines are no rows", "a\n\n\r\nb\n", "1[a]4[b]" },
        { "empty fields", ",\n", "1[][]" },
        { "a mark in front", "\xef\xbb\xbf\"a\",b\n", "1[a][b]" },
        { "quotes, commas and lines in quotes", "\"a,\"\"b\"\"\",\"1\r\n2\",x\nc\n", "1[a,\"b\"][1\r\n2][x]3[c]" },
        { "an empty quoted field", "\"\",\"\"\n", "1[][]" },
        { "a quote inside", "a,b\nc,d\"e\nf\n", "1[a][b]2:4 a quote inside a field that does not begin with one;3[f]" },
        { "text behind a quote", "\"a\"b,c\nd\n", "1:4 text after a closing quote;2[d]" },
        { "an open quote hides nothing", "a,\"b\nc,d\ne\n", "1:3 a quote that is not closed;2[c][d]3[e]" },
        { "an open quote that another closes", "\"a\nb,\"c\"\nd\n", "1:1 a quote that is not closed where its field ends;2[b][c]3[d]" },
        { "CR alone", "a\rb\nc\n", "1:2 a carriage return without a line feed;2[c]" },
        { "no UTF-8", "a,\xff\nb\n", "1:3 bytes that are no UTF-8;2[b]" },
        { "cut UTF-8 at the end", "a\nb\xc3", "1[a]2:2 bytes that are no UTF-8;" },
        { "UTF-8", "\xc3\xa9,\xe2\x82\xac\n", "1[\xc3\xa9][\xe2\x82\xac]" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t piece = 1; piece < 40; piece += 3) {
            struct arena *arena = arena_new((size_t)16 << 20);
            const char *got = spell(arena, cases[i].text, strlen(cases[i].text), piece);
            if (strcmp(got, cases[i].reads) != 0)
                fail_msg("%s, by %zu: %s", cases[i].says, piece, got);
            arena_free(arena);
        }
    struct arena *arena = arena_new((size_t)16 << 20);
    assert_string_equal(spell(arena, "a\0b\nc\n", 6, 6), "1:2 a NUL byte;2[c]");
    arena_free(arena);
    (void)state;
}

/* A row at the bound is read, one byte more is not, and what stands behind is, wherever the window is cut. */
static void long_rows(void **state)
{
    for (size_t more = 0; more < 4; more++) {
        struct arena *arena = arena_new((size_t)64 << 20);
        struct buffer text = { .arena = arena };
        buffer_text(&text, "first\n");
        size_t size = CSV_ROW_BYTES_MAX - 2 + more;
        memset(buffer_reserve(&text, size), 'x', size);
        text.size += size;
        buffer_text(&text, "\nlast\n");
        const char *got = spell(arena, text.at, text.size, 1000);
        bool taken = strstr(got, "2[x") != NULL;
        if (taken != (more <= 1) || strncmp(got, "1[first]", 8) != 0 || strstr(got, "3[last]") == NULL ||
            (!taken && strstr(got, "2:1 a row longer") == NULL))
            fail_msg("%zu bytes: %.60s", size + 1, got);
        arena_free(arena);
    }
    struct arena *arena = arena_new((size_t)16 << 20);
    struct buffer text = { .arena = arena };
    for (int i = 0; i < CSV_FIELDS_MAX; i++)
        buffer_text(&text, ",");
    buffer_text(&text, "\nb\n");
    assert_string_equal(spell(arena, text.at, text.size, 10), "1:257 more than 256 fields;2[b]");
    arena_free(arena);
    (void)state;
}

static char *read_whole(struct arena *arena, const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return NULL;
    struct buffer text = { .arena = arena };
    char some[4096];
    for (size_t got; (got = fread(some, 1, sizeof some, file)) > 0;)
        buffer_add(&text, some, got);
    fclose(file);
    *bytes = text.size;
    return text.at;
}

/* Reading is no place to guess: a cell comes out as it went in, formula, date or number. U+0000 is for the rows above. */
static void cells_come_as_they_are(void **state)
{
    struct arena *arena = arena_new((size_t)16 << 20);
    const char *shared = getenv("MILLRACE_SHARED");
    size_t bytes = 0, cells = 0;
    char *text = read_whole(
        arena, arena_printf(arena, "%s/vectors/csv/formula-cells.json", shared == NULL ? getenv("MILLRACE_SHARED_BESIDE") : shared), &bytes);
    if (text == NULL) {
        print_message("SKIPPED: shared/vectors/csv is not there; MILLRACE_SHARED names where shared/ is\n");
        arena_free(arena);
        skip();
    }
    for (char *zero = text; (zero = strstr(zero, "\\u0000")) != NULL;)
        memset(zero, ' ', 6);
    struct json_reader json;
    json_open(&json, arena, text, bytes);
    for (enum json_token token; (token = json_next(&json)) != JSON_END && token != JSON_ERROR;) {
        if (token != JSON_KEY || json.bytes != 4 || memcmp(json.text, "cell", 4) != 0)
            continue;
        if (json_next(&json) != JSON_STRING)
            break;
        struct buffer row = { .arena = arena }, want = { .arena = arena };
        const char *cell = arena_text_n(arena, json.text, json.bytes);
        buffer_text(&row, "\"");
        for (const char *c = cell; *c != '\0'; c++)
            buffer_add(&row, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
        buffer_text(&row, "\",next\r\n");
        buffer_printf(&want, "1[%s][next]", cell);
        assert_string_equal(spell(arena, row.at, row.size, 3), want.at);
        cells++;
    }
    assert_true(cells >= 30);
    arena_free(arena);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_and_what_is_none), cmocka_unit_test(long_rows),
                                        cmocka_unit_test(cells_come_as_they_are) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
