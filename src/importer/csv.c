/* src/importer/csv.c: a row is read in place from a window of the source and unescaped into a buffer beside, so that what
 * was read wrongly can be read again from its second line on. The window holds the longest row; a row that does not end in
 * it is moved to the front and read again with more behind it, or is too long. */
#include "importer/csv.h"
#include <string.h>

#define WINDOW_BYTES (CSV_ROW_BYTES_MAX + 4) /* a look ahead: a character of four bytes, a line end of two */

struct csv {
    csv_source *source;
    void *context;
    size_t at, end, line; /* at: where the next row begins; line: of `at` */
    bool over, failed, begun, skipping;
    char window[WINDOW_BYTES], text[WINDOW_BYTES + CSV_FIELDS_MAX];
};

struct csv *csv_open(struct arena *arena, csv_source *source, void *context)
{
    struct csv *csv = ARENA_NEW(arena, struct csv);
    csv->source = source;
    csv->context = context;
    csv->line = 1;
    return csv;
}

/* Moves what is left to the front and reads until the window is full or the source ends. */
static void fill(struct csv *csv)
{
    memmove(csv->window, csv->window + csv->at, csv->end - csv->at);
    csv->end -= csv->at;
    csv->at = 0;
    while (!csv->over && csv->end < WINDOW_BYTES) {
        ssize_t got = csv->source(csv->context, csv->window + csv->end, WINDOW_BYTES - csv->end);
        csv->failed = got < 0;
        csv->over = got <= 0;
        csv->end += got > 0 ? (size_t)got : 0;
    }
    if (!csv->begun && csv->end >= 3 && memcmp(csv->window, "\xef\xbb\xbf", 3) == 0)
        csv->at = 3;
    csv->begun = true;
}

/* One attempt at a row. */
struct attempt {
    struct csv *csv;
    struct csv_row *row;
    size_t at, out, line, line_from; /* line_from: where the line begins that `at` stands in */
};

static enum csv_result bad(struct attempt *a, const char *error)
{
    a->row->error = error;
    a->row->line = a->line;
    a->row->column = a->at - a->line_from + 1;
    return CSV_BAD;
}

/* Takes the next character of a field; NULL, or what is wrong with it. */
static const char *take(struct attempt *a)
{
    struct csv *csv = a->csv;
    size_t bytes = csv->window[a->at] == '\0' ? 0 : utf8_sequence(csv->window + a->at, csv->end - a->at);
    if (bytes == 0)
        return csv->window[a->at] == '\0' ? "a NUL byte" : "bytes that are no UTF-8";
    memcpy(csv->text + a->out, csv->window + a->at, bytes);
    if (csv->window[a->at] == '\n') {
        a->line++;
        a->line_from = a->at + 1;
    }
    a->at += bytes;
    a->out += bytes;
    return NULL;
}

/* What stands at `at`: a line end's bytes (1 or 2), else 0. A window cut between CR and LF is no whole row yet. */
static size_t line_end(const struct attempt *a)
{
    const char *at = a->csv->window + a->at;
    size_t left = a->csv->end - a->at;
    return left >= 1 && at[0] == '\n' ? 1 : left >= 2 && at[0] == '\r' && at[1] == '\n' ? 2 : 0;
}

/* CSV_END stands for a window that ends inside the field. */
static enum csv_result read_quoted(struct attempt *a)
{
    const struct csv *csv = a->csv;
    struct attempt opening = *a;
    a->at++;
    for (;;) {
        if (a->at == csv->end)
            return csv->over ? bad(&opening, "a quote that is not closed") : CSV_END;
        if (csv->window[a->at] != '"') {
            if (csv->end - a->at < 4 && !csv->over)
                return CSV_END;
            const char *error = take(a);
            if (error != NULL)
                return bad(a, error);
            continue;
        }
        if (a->at + 1 == csv->end && !csv->over)
            return CSV_END;
        a->at++;
        if (a->at == csv->end || csv->window[a->at] != '"')
            return CSV_ROW;
        (void)take(a);
    }
}

static enum csv_result read_plain(struct attempt *a)
{
    const struct csv *csv = a->csv;
    for (;;) {
        if (csv->end - a->at < 4 && !csv->over)
            return CSV_END;
        if (a->at == csv->end || csv->window[a->at] == ',' || line_end(a) > 0)
            return CSV_ROW;
        if (csv->window[a->at] == '"')
            return bad(a, "a quote inside a field that does not begin with one");
        if (csv->window[a->at] == '\r')
            return bad(a, "a carriage return without a line feed");
        const char *error = take(a);
        if (error != NULL)
            return bad(a, error);
    }
}

/* CSV_END: the window ends before the row does. */
static enum csv_result read_row(struct attempt *a)
{
    struct csv *csv = a->csv;
    for (a->row->count = 0;;) {
        if (a->row->count == CSV_FIELDS_MAX)
            return bad(a, "more than 256 fields");
        size_t from = a->out;
        struct attempt opening = *a;
        enum csv_result result = a->at < csv->end && csv->window[a->at] == '"' ? read_quoted(a) : read_plain(a);
        if (result != CSV_ROW)
            return result;
        a->row->fields[a->row->count++] = (struct bytes){ (const uint8_t *)csv->text + from, a->out - from };
        csv->text[a->out++] = '\0';
        if (csv->end - a->at < 2 && !csv->over)
            return CSV_END;
        size_t end = line_end(a);
        if (end > 0 || a->at == csv->end) {
            a->at += end;
            a->line += end > 0;
            return CSV_ROW;
        }
        if (csv->window[a->at] != ',' && a->line != opening.line) /* the first of a later field took it for its end */
            return bad(&opening, "a quote that is not closed where its field ends");
        if (csv->window[a->at] != ',')
            return bad(a, "text after a closing quote");
        a->at++;
    }
}

/* Past the first line end behind the row's beginning; where it is not in the window, past what is, and on. */
static void skip_line(struct csv *csv)
{
    const char *from = csv->window + csv->at, *end = memchr(from, '\n', csv->end - csv->at);
    csv->skipping = end == NULL;
    csv->at = end == NULL ? csv->end : csv->at + (size_t)(end - from) + 1;
    csv->line += end != NULL;
}

enum csv_result csv_next(struct csv *csv, struct csv_row *row)
{
    while (!csv->failed) {
        if (csv->at == csv->end || !csv->begun) {
            if (csv->over)
                break;
            fill(csv);
            continue;
        }
        if (csv->skipping) {
            skip_line(csv);
            continue;
        }
        struct attempt a = { .csv = csv, .row = row, .at = csv->at, .line = csv->line, .line_from = csv->at };
        enum csv_result result = read_row(&a);
        if (result == CSV_END && (csv->at > 0 || csv->end < WINDOW_BYTES)) {
            fill(csv);
            continue;
        }
        if (result == CSV_END || (result == CSV_ROW && a.at - csv->at > CSV_ROW_BYTES_MAX)) {
            a.at = csv->at;
            a.line = csv->line;
            a.line_from = csv->at;
            result = bad(&a, "a row longer than 65536 bytes, or a quote that is not closed");
        }
        if (result == CSV_BAD) {
            skip_line(csv);
            return CSV_BAD;
        }
        row->line = csv->line;
        csv->at = a.at;
        csv->line = a.line;
        if (row->count > 1 || row->fields[0].size > 0)
            return CSV_ROW;
    }
    return csv->failed ? CSV_FAILED : CSV_END;
}
