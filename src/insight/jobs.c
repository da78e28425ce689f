/* src/insight/jobs.c: GET /v1/jobs: what the server still does by itself, the oldest first; done ones are not shown. Whoever needs all of a
 * command's consequences, not only its answer, waits until what it started is gone from here. */
#include "base/id.h"
#include "engine/jobs.h"
#include "insight/insight.h"
#include "insight_sql.h"
#include "orders/orders.h"
#include <string.h>

enum { QUERY_LIMIT, QUERY_CURSOR };

/* In the order of enum job_kind, from the first. */
static const char *const kind_names[] = { "fill", "copy_masters", "give_way", "wake", "map", "recall", "promise", "class", NULL };
_Static_assert(COUNT(kind_names) == JOB_KIND_COUNT, "a new kind has a name here");

struct item {
    struct field_presence presence;
    const char *id;
    int64_t kind, progress, started_at;
};
#define AT(type, member) offsetof(struct type, member)
static const struct field item_rows[] = {
    { "id", FIELD_TEXT, AT(item, id), .read_only = true },
    { "kind", FIELD_ENUM, AT(item, kind), .read_only = true, .names = kind_names,
      .doc =
          "fill: a queue of what waits for stock; give_way: claims on stock that was counted away; wake: queues that may go on after a channel changed; map: lines that wait for a listing or SKU that was made; recall: goods that are called back; promise: queues whose dates may have changed with a channel's nodes; class: what is counted often; more may come" },
    { "progress", FIELD_INT, AT(item, progress), .read_only = true, .doc = "what is done of it, counted in what it works on" },
    { "started_at", FIELD_TIME, AT(item, started_at), .read_only = true },
};
static const struct field_table item_fields = { "Job", item_rows, COUNT(item_rows), sizeof(struct item) };

struct jobs {
    struct reading *reading;
    struct arena *arena;
    int64_t unit, after, limit; /* where it stands; what still fits */
    bool more;
    struct json_writer json;
};

static enum db_result write_jobs(struct jobs *j, const int64_t *ids, size_t count)
{
    struct db_rows rows = { 0 };
    int64_t *keys = ARENA_ARRAY(j->arena, int64_t, 2 * count + 2);
    for (size_t i = 0; i < count; i++) {
        keys[2 * i] = j->unit;
        keys[2 * i + 1] = ids[i];
    }
    enum db_result result = count == 0 ? DB_OK : db_load(j->reading->db, j->arena, &job_table, keys, count, &rows);
    for (size_t i = 0; result == DB_OK && i < rows.count; i++) {
        const struct job_row *row = db_row(&rows, i);
        if (row->state != JOB_OPEN)
            continue; /* ended between the two looks */
        struct item item = {
            .id = id_text(j->arena, "job", j->unit, row->id), .kind = row->kind - 1, .progress = row->progress, .started_at = row->started_at
        };
        fields_write(&j->json, &item_fields, &item);
    }
    return result;
}

static enum db_result list_unit(struct jobs *j)
{
    enum db_result result = DB_OK;
    while (result == DB_OK && !j->more) {
        int64_t ids[JOBS_AT_ONCE];
        size_t found = 0, count;
        result = jobs_open_of(j->reading->db, j->arena, j->unit, j->after, ids, &found);
        count = (size_t)min_i64((int64_t)found, j->limit);
        if (result != DB_OK || found == 0)
            break;
        j->more = count < found;
        result = write_jobs(j, ids, count);
        j->after = count == 0 ? j->after : ids[count - 1];
        j->limit -= (int64_t)count;
    }
    return result;
}

static void list_jobs(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct jobs j = { .reading = reading, .arena = request->arena, .limit = request->query_number[QUERY_LIMIT] };
    const char *cursor = request->query_text[QUERY_CURSOR];
    if (cursor != NULL && !id_parse(cursor, strlen(cursor), "job", &j.unit, &j.after)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that this list has given");
        return;
    }
    struct event_units_result *units;
    size_t count = 0;
    list_begin(&j.json, request->arena);
    enum db_result result = event_units(reading->db, request->arena, 0, &units, &count);
    if (result == DB_OK)
        result = list_unit(&j); /* of the company, or where the page before ended */
    for (size_t u = 0; result == DB_OK && u < count && !j.more; u++) {
        if (units[u].id <= j.unit)
            continue;
        j.unit = units[u].id;
        j.after = 0;
        result = list_unit(&j);
    }
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    char next[32];
    id_format("job", j.unit, j.after, next);
    list_end(&j.json, j.more ? next : NULL, answer);
}

#define READERS (SCOPE_READ | SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN)
static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/jobs",
      .scopes = READERS,
      .read = list_jobs,
      .answer_of = &item_fields,
      .list = true,
      .summary = "What the server still does by itself, the oldest first",
      .query = { LIST_QUERY } },
};
const struct route_table job_routes = { "jobs", routes, COUNT(routes) };
