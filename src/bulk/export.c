/* src/bulk/export.c: pages of a list, each a request of its own, so that no read of the server lasts longer than a page. */
#include "bulk/bulk.h"
#include "bulk/answers.h"
#include "bulk/cells.h"
#include "importer/asker.h"
#include <string.h>

#define PAGE 1000

struct exporting {
    const struct bulk_export *what;
    struct columns columns;
    struct arena *page;
    const char *next; /* cursor of the page that comes; NULL: none */
    int64_t items;
};

static bool key_is(const struct json_reader *json, const char *name)
{
    return json->bytes == strlen(name) && memcmp(json->text, name, json->bytes) == 0;
}

static void write_rows(const struct exporting *e, const struct cells *rows, size_t count)
{
    const char **line = ARENA_ARRAY(e->page, const char *, e->columns.count + 1);
    for (size_t r = 0; r < count; r++) {
        size_t cells = 0;
        for (size_t i = 0; i < e->columns.count; i++)
            if (column_is_cell(&e->columns.items[i]))
                line[cells++] = rows[r].at[i];
        csv_write(e->what->out, line, cells);
    }
}

static void write_names(const struct exporting *e)
{
    const char **line = ARENA_ARRAY(e->page, const char *, e->columns.count + 1);
    size_t cells = 0;
    for (size_t i = 0; i < e->columns.count; i++)
        if (column_is_cell(&e->columns.items[i]))
            line[cells++] = e->columns.items[i].name;
    csv_write(e->what->out, line, cells);
}

static bool write_item(struct exporting *e, const char *text, size_t bytes)
{
    struct cells *rows;
    size_t count;
    e->items++;
    if (e->what->format == FORMAT_JSONL)
        return fwrite(text, 1, bytes, e->what->out) == bytes && fputc('\n', e->what->out) != EOF;
    if (!rows_of_item(e->page, &e->columns, text, bytes, &rows, &count))
        return false;
    write_rows(e, rows, count);
    return true;
}

static bool write_items(struct exporting *e, struct json_reader *json)
{
    if (json_next(json) != JSON_ARRAY)
        return false;
    for (;;) {
        const char *at = json->at + strspn(json->at, " \t\r\n,");
        if (*at == ']')
            return json_next(json) == JSON_ARRAY_END;
        if (!json_skip(json) || !write_item(e, at, (size_t)(json->at - at)))
            return false;
    }
}

/* {"items":[...],"next":...}; false: it is no page, or could not be written. */
static bool write_page(struct exporting *e, const struct call *call, struct arena *arena)
{
    struct json_reader json;
    e->next = NULL;
    json_open(&json, e->page, call->answer, call->answer_bytes);
    if (json_next(&json) != JSON_OBJECT)
        return false;
    while (json_next(&json) == JSON_KEY) {
        if (key_is(&json, "items")) {
            if (!write_items(e, &json))
                return false;
        } else if (key_is(&json, "next")) {
            enum json_token token = json_next(&json);
            if (token == JSON_STRING || token == JSON_NUMBER)
                e->next = arena_text_n(arena, json.text, json.bytes);
        } else
            (void)json_skip(&json);
    }
    return json_next(&json) == JSON_END && ferror(e->what->out) == 0;
}

static bool ask_page(struct exporting *e, struct asker *asker, struct arena *arena, const char **error)
{
    const struct bulk_export *what = e->what;
    struct call call = { .method = "GET" };
    struct buffer target = { .arena = e->page };
    buffer_printf(&target, "%s?%s", what->target, what->query);
    if (what->cursor != NULL)
        buffer_printf(&target, "%slimit=%d", *what->query != '\0' ? "&" : "", PAGE);
    if (e->next != NULL)
        buffer_printf(&target, "&%s=%s", what->cursor, e->next);
    call.target = target.at;
    if (!asker_run(asker, e->page, &call, 1)) {
        *error = arena_text(arena, asker_error(asker));
        return false;
    }
    if (call.status != 200) {
        struct result problem = problem_read(e->page, call.answer, call.answer_bytes);
        *error = arena_printf(arena, "%s: %d %s: %s", what->target, call.status, problem.complaints[0].code, problem.complaints[0].detail);
        return false;
    }
    if (what->format == FORMAT_CSV && e->items == 0 && e->next == NULL)
        write_names(e);
    *error = "the answer is no list, or could not be written: is there room?";
    return write_page(e, &call, arena);
}

enum bulk_result bulk_export(const struct bulk_export *export, struct arena *arena, int64_t *items, const char **error)
{
    struct exporting e = { .what = export, .page = arena_new((size_t)1 << 30) };
    struct asker *asker = e.page == NULL ? NULL : asker_open(export->server.url, export->server.key, 1, arena, error);
    bool good = asker != NULL;
    if (export->item != NULL)
        e.columns = columns_of(arena, export->item);
    do {
        good = good && ask_page(&e, asker, arena, error);
        if (e.page != NULL)
            arena_reset(e.page);
        if (good && export->server.progress != NULL)
            export->server.progress(export->server.context, e.items);
    } while (good && e.next != NULL);
    asker_close(asker);
    arena_free(e.page);
    *items = e.items;
    return good ? BULK_DONE : BULK_FAILED;
}
