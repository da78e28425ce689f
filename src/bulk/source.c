/* src/bulk/source.c: zlib reads plain files as they are. */
#include "bulk/source.h"
#include "base/json.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

struct source {
    const char *path, *error;
    gzFile file;
    enum format format;
    struct csv *csv;
    struct csv_row row;
    const char **names;
    size_t name_count, line;
    char *text; /* of a JSON line */
};

/* At the end of what can be read: a gzip that ends too early. */
static bool is_cut_off(const struct source *source)
{
    int why;
    (void)gzerror(source->file, &why);
    return why != Z_OK && why != Z_STREAM_END;
}

static ssize_t read_file(void *context, char *at, size_t room)
{
    struct source *source = context;
    const int got = gzread(source->file, at, (unsigned)room);
    return got == 0 && is_cut_off(source) ? -1 : got;
}

static bool read_names(struct source *source, struct arena *arena)
{
    enum csv_result result = csv_next(source->csv, &source->row);
    if (result == CSV_BAD)
        source->error = arena_printf(arena, "%s:%zu:%zu: %s", source->path, source->row.line, source->row.column, source->row.error);
    else if (result == CSV_END)
        source->error = arena_printf(arena, "%s is empty: its first row names the columns", source->path);
    else if (result == CSV_FAILED)
        source->error = arena_printf(arena, "%s cannot be read to its end: it is cut off, or no gzip", source->path);
    if (result != CSV_ROW)
        return false;
    source->name_count = source->row.count;
    source->names = ARENA_ARRAY(arena, const char *, source->name_count + 1);
    for (size_t i = 0; i < source->name_count; i++)
        source->names[i] = arena_text_n(arena, (const char *)source->row.fields[i].at, source->row.fields[i].size);
    return true;
}

struct source *source_open(struct arena *arena, const char *path, enum format format, const char **error)
{
    struct source *source = ARENA_NEW(arena, struct source);
    source->path = path;
    source->format = format;
    errno = 0;
    source->file = strcmp(path, "-") == 0 ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb");
    if (source->file == NULL) {
        *error = arena_printf(arena, "%s: %s", path, errno == 0 ? "no memory" : strerror(errno));
        return NULL;
    }
    if (format == FORMAT_JSONL)
        source->text = arena_alloc(arena, JSON_LINE_BYTES_MAX + 1);
    else {
        source->csv = csv_open(arena, read_file, source);
        if (!read_names(source, arena)) {
            *error = source->error;
            source_close(source);
            return NULL;
        }
    }
    return source;
}

void source_close(struct source *source)
{
    if (source != NULL)
        gzclose(source->file);
}

const char *const *source_names(const struct source *source, size_t *count)
{
    *count = source->name_count;
    return source->names;
}

static enum source_result next_csv(struct source *source, struct arena *arena, struct row *row)
{
    const struct csv_row *csv = &source->row;
    enum csv_result result = csv_next(source->csv, &source->row);
    if (result == CSV_END || result == CSV_FAILED)
        return result == CSV_END ? SOURCE_END : SOURCE_FAILED;
    *row = (struct row){ .line = csv->line, .cells = ARENA_ARRAY(arena, const char *, source->name_count + 1) };
    if (result == CSV_BAD)
        row->error = arena_printf(arena, "column %zu: %s", csv->column, csv->error);
    else if (csv->count > source->name_count)
        row->error = arena_printf(arena, "%zu cells, the first row has %zu", csv->count, source->name_count);
    for (size_t i = 0; result == CSV_ROW && i < csv->count && i < source->name_count; i++)
        if (csv->fields[i].size > 0)
            row->cells[i] = arena_text_n(arena, (const char *)csv->fields[i].at, csv->fields[i].size);
    return row->error == NULL ? SOURCE_ROW : SOURCE_BAD;
}

/* Up to the line's end, which is not part of it. False: nothing is left. */
static bool read_line(struct source *source, size_t *bytes, bool *too_long)
{
    int c = gzgetc(source->file);
    if (c < 0)
        return false;
    source->line++;
    for (*bytes = 0, *too_long = false; c >= 0 && c != '\n'; c = gzgetc(source->file)) {
        if (*bytes == JSON_LINE_BYTES_MAX)
            *too_long = true;
        else
            source->text[(*bytes)++] = (char)c;
    }
    source->text[*bytes] = '\0';
    return c == '\n' || !is_cut_off(source); /* the line may be half of one */
}

static enum source_result next_line(struct source *source, struct arena *arena, struct row *row)
{
    size_t bytes, blank;
    bool too_long;
    do {
        if (!read_line(source, &bytes, &too_long))
            return is_cut_off(source) ? SOURCE_FAILED : SOURCE_END;
        blank = strspn(source->text, " \t\r");
    } while (blank == bytes && !too_long);
    *row = (struct row){ .line = source->line, .text = arena_text_n(arena, source->text, bytes), .bytes = bytes };
    if (too_long) {
        row->bytes = 0;
        row->error = "the line is longer than 8 MiB";
        return SOURCE_BAD;
    }
    struct json_reader json;
    json_open(&json, arena, row->text, row->bytes);
    if (json_next(&json) != JSON_OBJECT && json.error == NULL)
        row->error = "an object is due";
    else if (!json_skip_rest(&json, JSON_OBJECT) || json_next(&json) != JSON_END)
        row->error = arena_printf(arena, "column %zu: %s", json.column, json.error != NULL ? json.error : "more than one value");
    return row->error == NULL ? SOURCE_ROW : SOURCE_BAD;
}

enum source_result source_next(struct source *source, struct arena *arena, struct row *row)
{
    enum source_result result = source->format == FORMAT_CSV ? next_csv(source, arena, row) : next_line(source, arena, row);
    if (result == SOURCE_FAILED)
        source->error = arena_printf(arena, "%s cannot be read to its end: it is cut off, or no gzip", source->path);
    return result;
}

const char *source_error(const struct source *source)
{
    return source->error;
}
