/* tests/fuzz/csv_fuzz.c: any bytes as CSV. However the source cuts them, the rows and errors are the same; lines only rise;
 * what was read can be written with quotes and read again. The first byte is the size of the pieces. */
#include "importer/csv.h"
#include <stdlib.h>
#include <string.h>

#define MUST(condition) ((condition) ? (void)0 : abort())

struct pieces {
    const uint8_t *at;
    size_t left, piece;
};

static ssize_t give(void *context, char *at, size_t room)
{
    struct pieces *pieces = context;
    size_t bytes = pieces->left < pieces->piece ? pieces->left : pieces->piece;
    bytes = bytes < room ? bytes : room;
    if (bytes > 0)
        memcpy(at, pieces->at, bytes);
    pieces->at += bytes;
    pieces->left -= bytes;
    return (ssize_t)bytes;
}

static uint64_t read_all(struct arena *arena, const uint8_t *data, size_t size, size_t piece, struct buffer *again, size_t *rows, size_t *bad)
{
    struct pieces pieces = { data, size, piece };
    struct csv *csv = csv_open(arena, give, &pieces);
    struct csv_row *row = ARENA_NEW(arena, struct csv_row);
    uint64_t digest = 0;
    size_t line = 0;
    *rows = *bad = 0;
    for (;;) {
        enum csv_result result = csv_next(csv, row);
        MUST(result != CSV_FAILED);
        if (result == CSV_END)
            return digest;
        MUST(row->line > 0 && row->line <= size + 1 && (result == CSV_BAD || row->line > line));
        digest = hash_u64(digest + row->line * 2 + (result == CSV_BAD));
        if (result == CSV_BAD) {
            MUST(row->column > 0 && row->column <= CSV_ROW_BYTES_MAX && row->error != NULL);
            digest = hash_bytes(row->error, strlen(row->error), digest + row->column);
            (*bad)++;
            continue;
        }
        line = row->line;
        (*rows)++;
        MUST(row->count > 0 && row->count <= CSV_FIELDS_MAX);
        for (size_t i = 0; i < row->count; i++) {
            const char *text = (const char *)row->fields[i].at;
            MUST(strlen(text) == row->fields[i].size && utf8_valid(text, row->fields[i].size));
            digest = hash_bytes(text, row->fields[i].size, digest);
            buffer_text(again, i == 0 ? "\"" : ",\"");
            for (const char *c = text; *c != '\0'; c++)
                buffer_add(again, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
            buffer_text(again, "\"");
        }
        buffer_text(again, "\r\n");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    static struct arena *arena; /* kept: a new one for each input is most of the time */
    if (arena == NULL)
        arena = arena_new((size_t)256 << 20);
    arena_reset(arena);
    struct buffer one = { .arena = arena }, two = { .arena = arena }, three = { .arena = arena };
    size_t rows, bad, again, wrong;
    uint64_t digest = read_all(arena, data + 1, size - 1, size, &one, &rows, &bad);
    MUST(read_all(arena, data + 1, size - 1, (size_t)(data[0] % 64) + 1, &two, &again, &wrong) == digest && again == rows && wrong == bad);
    read_all(arena, (const uint8_t *)(one.at == NULL ? "" : one.at), one.size, one.size + 1, &three, &again, &wrong);
    /* A row that grew past the bound by its quotes is the only one that may be lost. */
    MUST((again == rows && wrong == 0 && three.size == one.size && (one.size == 0 || memcmp(three.at, one.at, one.size) == 0)) ||
         size > CSV_ROW_BYTES_MAX / 3);
    return 0;
}
