/* src/insight/events.c: events in the order in which they were committed, a page at a time, and GET /v1/events.
 * Numbers of a unit have no gaps, so a page is a range of keys; with a type it is what that type has in a bounded range. */
#include "insight/insight.h"
#include "catalog/catalog.h"
#include "insight_sql.h"
#include <stdio.h>

enum { QUERY_UNIT, QUERY_AFTER, QUERY_LIMIT, QUERY_TYPE };

#define PIECE 100 /* events read at once: those of large orders are long */

bool event_source_find(struct event_source *source, const char *unit_code, enum db_result *result, const char **wrong)
{
    struct event_units_result *units;
    size_t count;
    *result = DB_OK;
    source->unit = 0;
    source->unit_code = "company";
    if (text_equal(unit_code, "company"))
        return true;
    *result = event_units(source->db, source->arena, 0, &units, &count);
    if (*result != DB_OK)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (unit_code == NULL ? count != 1 : !text_equal(units[i].code, unit_code))
            continue;
        source->unit = units[i].id;
        source->unit_code = units[i].code;
        return true;
    }
    *wrong = unit_code != NULL ? arena_printf(source->arena, "there is no unit %s", unit_code)
             : count == 0      ? "there is no unit yet; unit=company has the masters"
                               : arena_printf(source->arena, "there are %zu units: say unit=", count);
    return false;
}

enum db_result event_units_all(const struct event_source *source, int64_t **units, size_t *count)
{
    struct event_units_result *rows;
    size_t found;
    enum db_result result = event_units(source->db, source->arena, 0, &rows, &found);
    if (result != DB_OK)
        return result;
    *units = ARENA_ARRAY(source->arena, int64_t, found + 1); /* 0 comes first */
    for (size_t i = 0; i < found; i++)
        (*units)[i + 1] = rows[i].id;
    *count = found + 1;
    return DB_OK;
}

/* ---- a page ---- */

/* The numbers of the next events, and how far was looked. */
static enum db_result numbers_next(const struct event_source *source, int64_t after, int64_t head, size_t most, int64_t *numbers,
                                   struct event_page *page)
{
    size_t count = 0;
    int64_t end = source->upto == 0 ? head : min_i64(head, source->upto);
    if (source->type == 0) {
        for (int64_t seq = after + 1; seq <= end && count < most; seq++)
            numbers[count++] = seq;
        page->looked = count == 0 ? after : numbers[count - 1];
    } else {
        int64_t upto = min_i64(end, after + EVENTS_LOOKED_AT_MAX);
        struct events_of_type_result *rows;
        enum db_result result = events_of_type(source->db, source->arena, source->unit, after, upto, source->type, (int64_t)most, &rows, &count);
        if (result != DB_OK)
            return result;
        for (size_t i = 0; i < count; i++)
            numbers[i] = rows[i].seq;
        page->looked = count == most ? numbers[count - 1] : max_i64(upto, after);
    }
    page->count = count;
    page->more = page->looked < head;
    return DB_OK;
}

enum db_result event_page_read(const struct event_source *source, int64_t after, size_t most, struct event_page *page)
{
    struct event_head_result head;
    bool found;
    int64_t *numbers = ARENA_ARRAY(source->arena, int64_t, most + 1);
    *page = (struct event_page){ .looked = after };
    enum db_result result = event_head(source->db, source->arena, source->unit, &head, &found);
    if (result == DB_OK)
        result = numbers_next(source, after, head.event_seq, most, numbers, page);
    if (result != DB_OK || page->count == 0)
        return result;
    int64_t *keys = ARENA_ARRAY(source->arena, int64_t, 2 * page->count);
    for (size_t i = 0; i < page->count; i++) {
        keys[2 * i] = source->unit;
        keys[2 * i + 1] = numbers[i];
    }
    struct db_rows rows;
    result = db_load(source->db, source->arena, &event_table, keys, page->count, &rows);
    page->events = (const struct event_row *)(const void *)rows.at;
    page->count = rows.count;
    return result;
}

/* ---- GET /v1/events ---- */

/* Writes up to `limit` items; *next is where a next page goes on, 0: there is none yet. */
static enum db_result write_items(struct event_source *source, int64_t after, size_t limit, struct json_writer *json, int64_t *next)
{
    size_t shown = 0;
    source->upto = source->type == 0 ? 0 : after + EVENTS_LOOKED_AT_MAX;
    *next = 0;
    for (bool goes_on = true; goes_on;) {
        struct event_page page;
        struct event_names *names;
        enum db_result result = event_page_read(source, after, limit - shown < PIECE ? limit - shown : PIECE, &page);
        if (result == DB_OK)
            result = event_names_load(source, &page, &names);
        if (result != DB_OK)
            return result;
        for (size_t i = 0; i < page.count; i++)
            event_write(source, names, &page.events[i], json);
        shown += page.count;
        after = page.looked;
        *next = page.more ? after : 0;
        goes_on = page.more && shown < limit && json->out.size < LIST_BYTES_MAX && (source->upto == 0 || after < source->upto);
    }
    return DB_OK;
}

static void list_events(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct event_source source = { .db = reading->db, .arena = request->arena };
    const char *wrong = NULL;
    enum db_result result;
    if (!event_source_find(&source, request->query_text[QUERY_UNIT], &result, &wrong)) {
        if (wrong != NULL)
            answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, wrong);
        else
            answer_store(answer, request->arena, result);
        return;
    }
    source.type = request->query_text[QUERY_TYPE] == NULL ? 0 : request->query_number[QUERY_TYPE] + 1;
    struct json_writer json;
    int64_t next;
    list_begin(&json, request->arena);
    result = write_items(&source, request->query_number[QUERY_AFTER], (size_t)request->query_number[QUERY_LIMIT], &json, &next);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    list_end(&json, next == 0 ? NULL : arena_printf(request->arena, "%ld", (long)next), answer);
}

/* ---- what it looks like, for /openapi.json ---- */

struct subject_out {
    struct field_presence presence;
    const char *kind, *id;
};
struct event_out {
    struct field_presence presence;
    int64_t seq, at;
    const char *type, *unit;
    struct subject_out *subject;
    void *data;
};
#define AT(type, member) offsetof(struct type, member)
static const struct field subject_rows[] = {
    { "kind", FIELD_TEXT, AT(subject_out, kind), .read_only = true,
      .doc = "order, fulfilment, position, exception, or a master's name; more may come" },
    { "id", FIELD_TEXT, AT(subject_out, id), .read_only = true, .doc = "its id or code; of a position NODE/SKU" },
};
static const struct field_table subject_fields = { "EventSubject", subject_rows, COUNT(subject_rows), sizeof(struct subject_out) };
static const struct field_table data_fields = { "EventData", NULL, 0, sizeof(struct field_presence) };
static const struct field event_rows[] = {
    { "seq", FIELD_INT, AT(event_out, seq), .read_only = true, .doc = "1, 2, 3, ... without a gap in its unit" },
    { "type", FIELD_TEXT, AT(event_out, type), .read_only = true, .doc = "more may come" },
    { "at", FIELD_TIME, AT(event_out, at), .read_only = true },
    { "unit", FIELD_TEXT, AT(event_out, unit), .read_only = true, .doc = "the unit's code, or company" },
    { "subject", FIELD_OBJECT, AT(event_out, subject), .read_only = true, .of = &subject_fields },
    { "data", FIELD_OBJECT, AT(event_out, data), .read_only = true, .of = &data_fields, .doc = "what has changed; more may come" },
};
static const struct field_table event_fields = { "Event", event_rows, COUNT(event_rows), sizeof(struct event_out) };

/* In the order of enum event_type, from the first. */
static const char *const type_names[] = {
#define NAME(name, text, said) text,
    EVENT_TYPES(NAME)
#undef NAME
        NULL
};
_Static_assert(COUNT(type_names) == EVENT_TYPE_COUNT, "the number of a type is its place, and one");

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/events",
      .scopes = SCOPE_READ | SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN,
      .read = list_events,
      .answer_of = &event_fields,
      .list = true,
      .event_stream = true,
      .summary = "What has happened, in order; live with Accept: text/event-stream",
      .query = { [QUERY_UNIT] = { .name = "unit", .type = FIELD_CODE, .doc = "a unit's code, or company; may be left out where there is one unit" },
                 [QUERY_AFTER] = { .name = "after", .type = FIELD_INT, .min = 0, .max = INT64_C(1) << 53, .doc = "events after this number" },
                 [QUERY_LIMIT] = { .name = "limit",
                                   .type = FIELD_INT,
                                   .min = 1,
                                   .max = 1000,
                                   .preset = 100,
                                   .doc = "items at most; not of a stream" },
                 [QUERY_TYPE] = { .name = "type",
                                  .type = FIELD_ENUM,
                                  .names = type_names,
                                  .doc = "events of this type: at most 10,000 events are looked at" } } },
};
const struct route_table insight_routes = { "insight", routes, COUNT(routes) };
