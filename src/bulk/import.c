/* src/bulk/import.c: rounds of batches. A round is what can be in flight together: no two entries of one thing, unless they stand in one batch,
 * whose entries the server takes in their order. Rows that follow each other with the same key are one entry. Memory is that of two rounds: the
 * row that was read too far lives in the one before. */
#include "base/when.h"
#include "bulk/answers.h"
#include "bulk/bulk.h"
#include "bulk/cells.h"
#include "importer/asker.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH_ENTRIES 100 /* the server reads a request in one go, and others wait for that; a preview of many is undone as one */
#define BATCH_BYTES ((size_t)1 << 20)
#define ENTRY_ROWS_MAX 10000
#define TOLD_MAX 10
#define ROUND_BYTES ((size_t)4 << 30)  /* a limit, not a reservation */
#define PATIENCE_US INT64_C(180000000) /* for a unit that is busy with something else */
#define PAUSE_NS 200000000

struct entry {
    const struct row *rows;
    size_t count;
    const char *json;
    size_t bytes;
    uint64_t thing;
    bool later; /* the server was busy: it is sent again */
};

/* Which things were named: a table that doubles. */
struct things {
    uint64_t *at;
    size_t count, room;
};

struct importing {
    const struct bulk_import *what;
    struct arena *arena, *rounds[2], *round; /* of the whole import; of this round and the one before; this one */
    size_t round_number;
    struct asker *asker;
    struct source *source;
    const char *path;
    struct columns columns;
    size_t *column_of; /* of each cell of the file; COLUMN_UNKNOWN: it is passed over */
    size_t error_cell; /* "error", which an error file has; COLUMN_UNKNOWN: there is none */
    struct row ahead;
    bool has_ahead;
    struct things seen; /* of things that are several rows: each must stand together */
    struct things of_round;
    struct entry *entries;
    size_t entry_count, entry_room;
    struct bulk_counts *counts;
    int64_t told;
    const char *error;
};

/* ---- things ---- */

/* False: it was there. */
static bool things_add(struct things *things, uint64_t thing)
{
    if (2 * things->count >= things->room) {
        struct things more = { .room = things->room == 0 ? 4096 : 2 * things->room };
        more.at = calloc(more.room, sizeof *more.at);
        if (more.at == NULL)
            abort(); /* the importer is a process of its own, and has nothing to give back */
        for (size_t i = 0; i < things->room; i++)
            if (things->at[i] != 0)
                (void)things_add(&more, things->at[i]);
        free(things->at);
        *things = more;
    }
    thing += thing == 0;
    for (size_t i = thing % things->room;; i = (i + 1) % things->room) {
        if (things->at[i] == thing)
            return false;
        if (things->at[i] != 0)
            continue;
        things->at[i] = thing;
        things->count++;
        return true;
    }
}

static void things_forget(struct things *things)
{
    if (things->at != NULL)
        memset(things->at, 0, things->room * sizeof *things->at);
    things->count = 0;
}

static const char *value_of_line(struct importing *im, const struct row *row, const char *name)
{
    struct json_reader json;
    json_open(&json, im->round, row->text, row->bytes);
    (void)json_next(&json);
    while (json_next(&json) == JSON_KEY) {
        if (json.bytes != strlen(name) || memcmp(json.text, name, json.bytes) != 0)
            (void)json_skip(&json);
        else if (json_next(&json) == JSON_STRING)
            return arena_text_n(im->round, json.text, json.bytes);
        else
            return NULL;
    }
    return NULL;
}

static const char *value_of(struct importing *im, const struct row *row, const char *name)
{
    size_t count;
    if (row->cells == NULL)
        return value_of_line(im, row, name);
    const size_t column = column_named(&im->columns, name);
    (void)source_names(im->source, &count);
    for (size_t i = 0; i < count; i++)
        if (im->column_of[i] == column)
            return row->cells[i];
    return NULL;
}

/* What the row is about; 0: it does not say. */
static uint64_t thing_of(struct importing *im, const struct row *row)
{
    uint64_t thing = 0;
    for (const char *const *name = im->what->key; *name != NULL; name++) {
        const char *value = value_of(im, row, *name);
        if (value != NULL)
            thing = hash_bytes(value, strlen(value), thing + 1);
    }
    return thing;
}

/* ---- what is left out ---- */

static void tell(struct importing *im, size_t line, const char *what)
{
    im->told++;
    if (im->told <= TOLD_MAX)
        fprintf(im->what->told, "%s:%zu: %s\n", im->path, line, what);
    else if (im->told == TOLD_MAX + 1)
        fprintf(im->what->told, "further rows are not told here%s\n", im->what->errors == NULL ? "; --errors FILE keeps them" : "");
}

static void keep_csv(struct importing *im, const struct row *row, const char *error)
{
    size_t count, cells = 0;
    (void)source_names(im->source, &count);
    const char **line = ARENA_ARRAY(im->round, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        if (i != im->error_cell)
            line[cells++] = row->cells[i];
    line[cells++] = error == NULL ? NULL : cell_safe(im->round, error);
    csv_write(im->what->errors, line, cells);
}

/* The line with a member "error" in the place of the one that it may have brought; what is no object is kept as text. */
static void keep_line(struct importing *im, const struct row *row, const char *error)
{
    struct json_writer out;
    struct json_reader json;
    json_begin(&out, im->round);
    json_object(&out);
    if (row->error != NULL) {
        json_key(&out, "line");
        json_text(&out, utf8_valid(row->text, row->bytes) ? row->text : NULL);
    } else {
        json_open(&json, im->round, row->text, row->bytes);
        (void)json_next(&json);
        while (json_next(&json) == JSON_KEY) {
            const char *key = arena_text_n(im->round, json.text, json.bytes), *at = json.at + strspn(json.at, " \t\r\n:");
            if (!json_skip(&json))
                break;
            if (strcmp(key, "error") == 0)
                continue;
            json_key(&out, key);
            json_raw(&out, at, (size_t)(json.at - at));
        }
    }
    json_key(&out, "error");
    json_text(&out, error);
    json_object_end(&out);
    fprintf(im->what->errors, "%s\n", out.out.at);
}

static void leave_out(struct importing *im, const struct row *row, const char *error)
{
    im->counts->failed++;
    if (error != NULL)
        tell(im, row->line, error);
    if (im->what->errors == NULL)
        return;
    if (row->cells != NULL)
        keep_csv(im, row, error);
    else
        keep_line(im, row, error);
}

/* "/lines/2/quantity" of an entry that is rows is "lines.quantity" of its third row. */
static const char *place_of(struct importing *im, const char *pointer, size_t *row)
{
    struct buffer name = { .arena = im->round };
    buffer_text(&name, "");
    *row = 0;
    for (const char *at = pointer; *at == '/';) {
        const char *part = ++at;
        at += strcspn(at, "/");
        if (strspn(part, "0123456789") == (size_t)(at - part) && at > part)
            *row = (size_t)strtoull(part, NULL, 10);
        else {
            buffer_text(&name, name.size > 0 ? "." : "");
            buffer_add(&name, part, (size_t)(at - part));
        }
    }
    return name.at;
}

static void refuse_entry(struct importing *im, const struct entry *entry, const struct result *result)
{
    struct buffer *each = ARENA_ARRAY(im->round, struct buffer, entry->count);
    for (size_t i = 0; i < result->count; i++) {
        const struct complaint *complaint = &result->complaints[i];
        size_t row = 0;
        const char *place = entry->rows[0].cells != NULL ? place_of(im, complaint->pointer, &row) : complaint->pointer;
        struct buffer *said = &each[row < entry->count ? row : 0];
        said->arena = im->round;
        buffer_printf(said, "%s%s%s%s", said->size > 0 ? "; " : "", place, *place != '\0' ? ": " : "",
                      complaint->detail != NULL ? complaint->detail
                      : complaint->code != NULL ? complaint->code
                                                : "refused");
    }
    for (size_t i = 0; i < entry->count; i++)
        leave_out(im, &entry->rows[i], each[i].at);
}

/* ---- rows to entries ---- */

static bool next_row(struct importing *im, struct row *row)
{
    if (im->has_ahead) {
        *row = im->ahead;
        im->has_ahead = false;
        return true;
    }
    for (;;) {
        enum source_result result = source_next(im->source, im->round, row);
        if (result == SOURCE_FAILED)
            im->error = source_error(im->source);
        if (result == SOURCE_END || result == SOURCE_FAILED)
            return false;
        im->counts->rows++;
        if (result == SOURCE_ROW)
            return true;
        leave_out(im, row, row->error);
    }
}

/* A row that says nothing of its key belongs to the one before. */
static bool belongs(struct importing *im, const struct row *row, uint64_t thing)
{
    uint64_t own = thing_of(im, row);
    return own == 0 || own == thing;
}

/* All rows of the thing that `first` begins; *left: those that are too many, and were left out. */
static struct row *rows_of_thing(struct importing *im, const struct row *first, uint64_t thing, size_t *count, size_t *left)
{
    size_t room = 0;
    struct row *rows = NULL, row = *first;
    *count = *left = 0;
    do {
        if (*count < ENTRY_ROWS_MAX) {
            rows = arena_room(im->round, rows, *count, &room, 1, sizeof *rows);
            rows[(*count)++] = row;
        } else
            leave_out(im, &row, (*left)++ == 0 ? "it has too many rows" : NULL);
        if (row.cells == NULL || im->columns.rows == im->columns.count)
            return rows;
        if (!next_row(im, &row))
            return rows;
    } while (belongs(im, &row, thing));
    im->ahead = row;
    im->has_ahead = true;
    return rows;
}

static void entry_of_cells(struct importing *im, struct entry *entry)
{
    size_t count;
    struct cells *rows = ARENA_ARRAY(im->round, struct cells, entry->count);
    (void)source_names(im->source, &count);
    for (size_t r = 0; r < entry->count; r++) {
        rows[r].at = ARENA_ARRAY(im->round, const char *, im->columns.count + 1);
        for (size_t i = 0; i < count; i++)
            if (im->column_of[i] < im->columns.count)
                rows[r].at[im->column_of[i]] = entry->rows[r].cells[i];
    }
    entry->json = entry_of_rows(im->round, &im->columns, im->what->part, rows, entry->count, &entry->bytes);
}

/* Without the member "error" that an error file has. */
static void entry_of_line(struct importing *im, struct entry *entry)
{
    struct json_reader json;
    struct json_writer out;
    entry->json = entry->rows[0].text;
    entry->bytes = entry->rows[0].bytes;
    if (strstr(entry->json, "\"error\"") == NULL)
        return;
    json_begin(&out, im->round);
    json_object(&out);
    json_open(&json, im->round, entry->json, entry->bytes);
    (void)json_next(&json);
    while (json_next(&json) == JSON_KEY) {
        const char *key = arena_text_n(im->round, json.text, json.bytes), *at = json.at + strspn(json.at, " \t\r\n:");
        (void)json_skip(&json);
        if (strcmp(key, "error") == 0)
            continue;
        json_key(&out, key);
        json_raw(&out, at, (size_t)(json.at - at));
    }
    json_object_end(&out);
    entry->json = out.out.at;
    entry->bytes = out.out.size;
}

/* The next entry; false: there is none in this file. What can be told without the server is left out here. */
static bool next_entry(struct importing *im, struct entry *entry)
{
    struct row row;
    while (next_row(im, &row)) {
        size_t left;
        *entry = (struct entry){ .thing = thing_of(im, &row) };
        entry->rows = rows_of_thing(im, &row, entry->thing, &entry->count, &left);
        const bool is_rows = row.cells != NULL && im->columns.rows < im->columns.count;
        const char *wrong = left > 0 ? "it has too many rows" : NULL;
        if (is_rows && entry->thing != 0 && !things_add(&im->seen, entry->thing))
            wrong = "its rows do not stand together: further up there are others with the same key";
        for (size_t i = 0; wrong != NULL && i < entry->count; i++)
            leave_out(im, &entry->rows[i], i == 0 ? wrong : NULL);
        if (wrong != NULL)
            continue;
        if (row.cells != NULL)
            entry_of_cells(im, entry);
        else
            entry_of_line(im, entry);
        return true;
    }
    return false;
}

/* ---- a round ---- */

static struct call batch_call(struct importing *im, struct entry *const *entries, size_t count)
{
    struct buffer body = { .arena = im->round };
    unsigned char hash[16];
    char *key = arena_alloc(im->round, 2 * sizeof hash + 1);
    crypto_generichash_state state;
    buffer_printf(&body, "{\"%s\":[", im->what->list);
    for (size_t i = 0; i < count; i++) {
        buffer_text(&body, i == 0 ? "" : ",");
        buffer_add(&body, entries[i]->json, entries[i]->bytes);
    }
    buffer_text(&body, im->what->dry_run ? "],\"dry_run\":true}" : "]}");
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, (const unsigned char *)im->what->target, strlen(im->what->target));
    crypto_generichash_update(&state, (const unsigned char *)body.at, body.size);
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(key, 2 * sizeof hash + 1, hash, sizeof hash);
    return (struct call){ .method = "POST",
                          .target = im->what->target,
                          .body = body.at,
                          .body_bytes = body.size,
                          .idempotency_key = im->what->dry_run || im->what->part != NULL ? NULL : key };
}

/* A batch that was refused for what stands in it. */
static bool spoils(int status)
{
    return status == 400 || status == 413 || status == 422;
}

static bool fail_by(struct importing *im, const struct call *call)
{
    struct result problem = problem_read(im->round, call->answer, call->answer_bytes);
    im->error = arena_printf(im->arena, "%s: %d %s: %s", call->target, call->status, problem.complaints[0].code, problem.complaints[0].detail);
    return false;
}

static bool take_answer(struct importing *im, const struct call *call, struct entry *const *entries, size_t count)
{
    struct result *results;
    size_t found = 0;
    if (call->status != 200 || !results_read(im->round, call->answer, call->answer_bytes, &results, &found) || found != count)
        return fail_by(im, call);
    for (size_t i = 0; i < count; i++) {
        const int64_t status = results[i].status;
        entries[i]->later = status == 503;
        im->counts->made += status == 201;
        im->counts->kept += status == 200;
        if (status >= 300 && !entries[i]->later)
            refuse_entry(im, entries[i], &results[i]);
    }
    return true;
}

/* One entry can spoil a batch, as one that is nested too deep does: each is sent by itself, and that one is left out. */
static bool send_each(struct importing *im, struct entry *const *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct call call = batch_call(im, entries + i, 1);
        if (!asker_run(im->asker, im->round, &call, 1)) {
            im->error = arena_text(im->arena, asker_error(im->asker));
            return false;
        }
        if (spoils(call.status)) {
            struct result problem = problem_read(im->round, call.answer, call.answer_bytes);
            refuse_entry(im, entries[i], &problem);
        } else if (!take_answer(im, &call, entries + i, 1))
            return false;
    }
    return true;
}

/* Cuts what is to be sent into batches and sends them together, or one after the other. */
static bool send_entries(struct importing *im, struct entry **entries, size_t count)
{
    struct call *calls = ARENA_ARRAY(im->round, struct call, count);
    size_t *from = ARENA_ARRAY(im->round, size_t, count + 1), batches = 0;
    for (size_t i = 0, bytes = 0; i < count; i++) {
        if (i == 0 || i - from[batches - 1] == BATCH_ENTRIES || bytes + entries[i]->bytes > BATCH_BYTES) {
            from[batches++] = i;
            bytes = 0;
        }
        bytes += entries[i]->bytes;
    }
    from[batches] = count;
    for (size_t b = 0; b < batches; b++)
        calls[b] = batch_call(im, entries + from[b], from[b + 1] - from[b]);
    const size_t step = im->what->in_order ? 1 : batches;
    for (size_t b = 0; b < batches; b += step) {
        if (!asker_run(im->asker, im->round, calls + b, step)) {
            im->error = arena_text(im->arena, asker_error(im->asker));
            return false;
        }
        for (size_t k = b; k < b + step; k++)
            if (spoils(calls[k].status) ? !send_each(im, entries + from[k], from[k + 1] - from[k])
                                        : !take_answer(im, &calls[k], entries + from[k], from[k + 1] - from[k]))
                return false;
    }
    return true;
}

static void pause_a_while(void)
{
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    (void)nanosleep(&pause, NULL);
}

/* Entries for which the server had no time are sent again, until all are answered. */
static bool send_round(struct importing *im)
{
    struct entry **due = ARENA_ARRAY(im->round, struct entry *, im->entry_count + 1);
    size_t count = 0;
    const int64_t began_us = when_monotonic_us();
    for (size_t i = 0; i < im->entry_count; i++)
        due[count++] = &im->entries[i];
    im->counts->entries += (int64_t)count;
    while (count > 0) {
        if (!send_entries(im, due, count))
            return false;
        size_t left = 0;
        for (size_t i = 0; i < count; i++)
            if (due[i]->later)
                due[left++] = due[i];
        if (left > 0 && when_monotonic_us() - began_us > PATIENCE_US) {
            im->error = arena_printf(im->arena, "%s: the server is busy (503)", im->what->target);
            return false;
        }
        if (left > 0)
            pause_a_while();
        count = left;
    }
    return true;
}

static void begin_round(struct importing *im)
{
    im->round = im->rounds[++im->round_number % 2];
    arena_reset(im->round);
    im->entries = NULL;
    im->entry_count = im->entry_room = 0;
    things_forget(&im->of_round);
}

/* Entries of a round stand in one block, and their rows in the round's memory. */
static void add_entry(struct importing *im, const struct entry *entry)
{
    im->entries = arena_room(im->round, im->entries, im->entry_count, &im->entry_room, BATCH_ENTRIES, sizeof *im->entries);
    im->entries[im->entry_count++] = *entry;
}

static bool play_file(struct importing *im)
{
    struct entry entry;
    const size_t most = BATCH_ENTRIES * (im->what->in_order ? 1 : im->what->server.connections);
    size_t bytes = 0;
    begin_round(im);
    while (im->error == NULL && next_entry(im, &entry)) {
        const bool again = !im->what->in_order && entry.thing != 0 && !things_add(&im->of_round, entry.thing);
        if (again || im->entry_count == most || bytes > BATCH_BYTES * im->what->server.connections) {
            if (!send_round(im))
                return false;
            if (im->what->server.progress != NULL)
                im->what->server.progress(im->what->server.context, im->counts->rows);
            begin_round(im); /* the entry lives in the round before, which stays until the next begins */
            bytes = 0;
            (void)things_add(&im->of_round, entry.thing);
        }
        add_entry(im, &entry);
        bytes += entry.bytes;
    }
    return im->error == NULL && send_round(im);
}

/* ---- a file ---- */

/* Those that are sent, and end in this name (NULL: all). */
static const char *columns_known(struct importing *im, const char *name)
{
    struct buffer names = { .arena = im->arena };
    for (size_t i = 0; i < im->columns.count; i++)
        if ((name == NULL || column_ends(&im->columns.items[i], name)) && column_is_cell(&im->columns.items[i]) &&
            (!im->columns.items[i].field->read_only || (im->what->part != NULL && strcmp(im->columns.items[i].name, im->what->part) == 0)))
            buffer_printf(&names, "%s%s", names.size > 0 ? ", " : "", im->columns.items[i].name);
    return names.at;
}

static bool map_columns(struct importing *im)
{
    size_t count;
    const char *const *names = source_names(im->source, &count);
    im->column_of = ARENA_ARRAY(im->arena, size_t, count + 1);
    im->error_cell = COLUMN_UNKNOWN;
    for (size_t i = 0; i < count && im->error == NULL; i++) {
        im->column_of[i] = column_named(&im->columns, names[i]);
        if (strcmp(names[i], "error") == 0)
            im->error_cell = i;
        else if (im->column_of[i] == COLUMN_UNKNOWN)
            im->error = arena_printf(im->arena, "%s: the column \"%s\" is none of: %s", im->path, names[i], columns_known(im, NULL));
        else if (im->column_of[i] == COLUMN_AMBIGUOUS)
            im->error = arena_printf(im->arena, "%s: the column \"%s\" may be any of: %s", im->path, names[i], columns_known(im, names[i]));
        for (size_t k = 0; k < i && im->error == NULL; k++)
            if (im->column_of[k] == im->column_of[i] && i != im->error_cell)
                im->error = arena_printf(im->arena, "%s: the columns \"%s\" and \"%s\" are the same", im->path, names[k], names[i]);
    }
    if (im->error == NULL && im->what->errors != NULL) {
        const char **line = ARENA_ARRAY(im->arena, const char *, count + 1);
        size_t cells = 0;
        for (size_t i = 0; i < count; i++)
            if (i != im->error_cell)
                line[cells++] = names[i];
        line[cells++] = "error";
        csv_write(im->what->errors, line, cells);
    }
    return im->error == NULL;
}

static bool play(struct importing *im, const char *path)
{
    im->path = path;
    im->has_ahead = false;
    im->source = source_open(im->arena, path, im->what->format, &im->error);
    bool good = im->source != NULL && (im->what->format == FORMAT_JSONL || map_columns(im)) && play_file(im);
    source_close(im->source);
    return good;
}

enum bulk_result bulk_import(const struct bulk_import *import, struct arena *arena, struct bulk_counts *counts, const char **error)
{
    struct importing im = { .what = import, .arena = arena, .counts = counts };
    *counts = (struct bulk_counts){ 0 };
    im.rounds[0] = arena_new(ROUND_BYTES);
    im.rounds[1] = arena_new(ROUND_BYTES);
    im.asker = asker_open(import->server.url, import->server.key, import->server.connections, arena, error);
    im.columns = columns_of(arena, import->input);
    if (im.asker != NULL)
        *error = "no memory";
    bool good = im.rounds[0] != NULL && im.rounds[1] != NULL && im.asker != NULL;
    if (good)
        asker_in_background(im.asker);
    for (size_t i = 0; good && i < import->file_count; i++)
        good = play(&im, import->files[i]);
    asker_close(im.asker);
    arena_free(im.rounds[0]);
    arena_free(im.rounds[1]);
    free(im.seen.at);
    free(im.of_round.at);
    if (im.error != NULL)
        *error = im.error;
    return !good ? BULK_FAILED : counts->failed > 0 ? BULK_ROWS_LEFT : BULK_DONE;
}
