/* src/connect/reads.c: what a webhook was sent and how far it is. The attempts of a subscription are a ring: the newest is numbered `sends`, and
 * the place of each is known by its number, so a page is a few rows by key. */
#include "base/id.h"
#include "base/when.h"
#include "connect/connect.h"
#include "connect_sql.h"
#include <stdlib.h>
#include <string.h>

enum { QUERY_LIMIT, QUERY_CURSOR, QUERY_UNIT }; /* as in api.c */

#define CURSOR "dlv"

/* ---- which webhook, which units ---- */

struct place {
    int64_t webhook, unit;
    const char *unit_code, *units; /* in the request's arena: what a read loads ends with it */
};

struct wanted {
    struct arena *arena;
    const char *code, *unit_code;
    struct place place;
    bool unit_known;
    size_t units;
};

static void find_place(struct ws *ws, void *context)
{
    struct wanted *wanted = context;
    const struct webhook_row *row = webhook_named(ws, wanted->code);
    wanted->place = (struct place){ .webhook = row == NULL ? 0 : row->id };
    wanted->unit_known = wanted->unit_code != NULL && strcmp(wanted->unit_code, "company") == 0;
    wanted->units = 0;
    const struct business_unit_row *unit;
    for (struct ws_cursor cursor = ws_scan(ws, &business_unit_all, WS_PREFIX(db_int(0)), 0); (unit = ws_next(ws, &cursor)) != NULL; wanted->units++)
        if (wanted->unit_code == NULL || strcmp(unit->code, wanted->unit_code) == 0) {
            wanted->place.unit = unit->id;
            wanted->unit_known = true;
        }
}

/* False: it is answered already. */
static bool place_find(struct reading *reading, const struct request *request, struct answer *answer, struct place *place)
{
    struct wanted wanted = { .code = request->path[0], .unit_code = request->query_text[QUERY_UNIT] };
    enum db_result result = ws_read(reading, 0, when_now_us(), find_place, &wanted);
    *place = wanted.place;
    if (result != DB_OK)
        answer_store(answer, request->arena, result);
    else if (place->webhook == 0)
        answer_fault(answer, request->arena, FAULT_NOT_FOUND, NULL, arena_printf(request->arena, "there is no webhook %s", request->path[0]));
    else if (wanted.unit_code == NULL && wanted.units != 1)
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL,
                     arena_printf(request->arena, "there are %zu units: say unit=", wanted.units));
    else if (!wanted.unit_known)
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, arena_printf(request->arena, "there is no unit %s", wanted.unit_code));
    else
        return true;
    return false;
}

static enum db_result subscription_load(struct reading *reading, int64_t unit, int64_t webhook, struct webhook_subscription_row *out, bool *found)
{
    struct db_rows rows = { 0 };
    enum db_result result = db_load(reading->db, reading->arena, &webhook_subscription_table, WS_KEY(unit, webhook), 1, &rows);
    *found = result == DB_OK && rows.count == 1;
    if (*found)
        *out = *(const struct webhook_subscription_row *)db_row(&rows, 0);
    return result;
}

/* ---- GET /v1/webhooks/{code}/deliveries ---- */

struct delivery_io {
    struct field_presence presence;
    int64_t number, event;
    const char *message;
    int64_t attempt, at, took_ms, status, outcome;
    const char *detail;
};
#define AT(type, member) offsetof(struct type, member)
static const struct field delivery_rows[] = {
    { "number", FIELD_INT, AT(delivery_io, number), .read_only = true, .doc = "1, 2, 3, ... of the webhook in this unit" },
    { "event", FIELD_INT, AT(delivery_io, event), .read_only = true, .doc = "seq of the event that was sent" },
    { "message", FIELD_TEXT, AT(delivery_io, message), .read_only = true, .doc = "the header webhook-id: the same for each attempt" },
    { "attempt", FIELD_INT, AT(delivery_io, attempt), .read_only = true, .doc = "of this event, from 1" },
    { "at", FIELD_TIME, AT(delivery_io, at), .read_only = true },
    { "took_ms", FIELD_INT, AT(delivery_io, took_ms), .read_only = true },
    { "status", FIELD_INT, AT(delivery_io, status), .read_only = true, .nullable = true, .doc = "of HTTP; null: no answer came" },
    { "outcome", FIELD_ENUM, AT(delivery_io, outcome), .read_only = true, .names = sent_outcome_names,
      .doc = "delivered: answered 2xx; failed: it comes again; given_up: it does not" },
    { "detail", FIELD_TEXT, AT(delivery_io, detail), .read_only = true, .nullable = true, .doc = "why not" },
};
const struct field_table delivery_fields = { "WebhookDelivery", delivery_rows, COUNT(delivery_rows), sizeof(struct delivery_io) };

static int by_newest(const void *a, const void *b)
{
    const struct webhook_attempt_row *left = a, *right = b;
    return left->number < right->number ? 1 : left->number > right->number ? -1 : 0;
}

static void write_attempt(struct reading *reading, struct json_writer *json, const struct webhook_attempt_row *row)
{
    struct delivery_io io = { .number = row->number,
                              .event = row->seq,
                              .message = id_text(reading->arena, "evt", row->unit, row->seq),
                              .attempt = row->attempt,
                              .at = row->at,
                              .took_ms = row->took_us / 1000,
                              .status = row->status == 0 ? NULL_INT : row->status,
                              .outcome = row->outcome,
                              .detail = row->detail };
    fields_write(json, &delivery_fields, &io);
}

/* The attempts numbered below `below`, the newest first. Returns the last that was looked at. */
static enum db_result write_attempts(struct reading *reading, const struct place *place, int64_t below, int64_t limit, struct json_writer *json,
                                     int64_t *last)
{
    struct db_rows rows = { 0 };
    const size_t most = (size_t)min_i64(limit, max_i64(0, below - 1));
    int64_t *keys = ARENA_ARRAY(reading->arena, int64_t, 3 * most + 1);
    for (size_t i = 0; i < most; i++) {
        keys[3 * i] = place->unit;
        keys[3 * i + 1] = place->webhook;
        keys[3 * i + 2] = (below - 1 - (int64_t)i) % WEBHOOK_LOG;
    }
    *last = below - (int64_t)most;
    enum db_result result = most == 0 ? DB_OK : db_load(reading->db, reading->arena, &webhook_attempt_table, keys, most, &rows);
    if (result != DB_OK || rows.count == 0)
        return result;
    struct webhook_attempt_row *attempts = ARENA_ARRAY(reading->arena, struct webhook_attempt_row, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        attempts[i] = *(const struct webhook_attempt_row *)db_row(&rows, i);
    qsort(attempts, rows.count, sizeof *attempts, by_newest);
    for (size_t i = 0; i < rows.count; i++)
        if (attempts[i].number < below && attempts[i].number >= *last) /* its place may be a newer one's already */
            write_attempt(reading, json, &attempts[i]);
    return DB_OK;
}

void webhook_deliveries(struct reading *reading, const struct request *request, struct answer *answer)
{
    const char *cursor = request->query_text[QUERY_CURSOR];
    struct place place;
    struct webhook_subscription_row subscription = { 0 };
    struct json_writer json;
    int64_t below = 0, last = 0;
    bool found;
    if (cursor != NULL && (!cursor_parse(cursor, CURSOR, &below, 1) || below == 0)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that this list has given");
        return;
    }
    if (!place_find(reading, request, answer, &place))
        return;
    enum db_result result = subscription_load(reading, place.unit, place.webhook, &subscription, &found);
    below = cursor == NULL ? subscription.sends + 1 : min_i64(below, subscription.sends + 1);
    list_begin(&json, request->arena);
    if (result == DB_OK)
        result = write_attempts(reading, &place, below, request->query_number[QUERY_LIMIT], &json, &last);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    char next[CURSOR_BYTES_MAX];
    cursor_format(CURSOR, &last, 1, next);
    list_end(&json, last > max_i64(1, subscription.sends - WEBHOOK_LOG + 1) ? next : NULL, answer);
}

/* ---- GET /v1/webhooks/{code}/subscriptions ---- */

struct subscription_io {
    struct field_presence presence;
    const char *unit;
    int64_t seq, behind, waiting, sends, failing, failing_since, success_at;
};
static const struct field subscription_rows[] = {
    { "unit", FIELD_CODE, AT(subscription_io, unit), .read_only = true, .doc = "or company" },
    { "seq", FIELD_INT, AT(subscription_io, seq), .read_only = true, .doc = "all events up to here were answered, but for those that wait" },
    { "behind", FIELD_INT, AT(subscription_io, behind), .read_only = true, .doc = "events that it has not looked at" },
    { "waiting", FIELD_INT, AT(subscription_io, waiting), .read_only = true,
      .doc = "events that failed, or stand behind one of their subject that did" },
    { "attempts", FIELD_INT, AT(subscription_io, sends), .read_only = true, .doc = "so far" },
    { "failing", FIELD_INT, AT(subscription_io, failing), .read_only = true, .doc = "attempts in a row that failed" },
    { "failing_since", FIELD_TIME, AT(subscription_io, failing_since), .read_only = true, .nullable = true },
    { "success_at", FIELD_TIME, AT(subscription_io, success_at), .read_only = true, .nullable = true, .doc = "when one was answered 2xx last" },
};
const struct field_table subscription_fields = { "WebhookSubscription", subscription_rows, COUNT(subscription_rows), sizeof(struct subscription_io) };

static enum db_result write_subscription(struct reading *reading, const struct place *place, int64_t head, struct json_writer *json)
{
    struct webhook_subscription_row row = { 0 };
    struct connect_waiting_result *waiting;
    bool found;
    size_t count = 0;
    enum db_result result = subscription_load(reading, place->unit, place->webhook, &row, &found);
    if (result == DB_OK && found)
        result = connect_waiting(reading->db, reading->arena, place->unit, place->webhook, INT64_C(2) * WEBHOOK_WAITING_MAX, &waiting, &count);
    if (result != DB_OK || !found)
        return result;
    const bool wanted = webhook_follows(place->units, place->unit_code);
    struct subscription_io io = { .unit = place->unit_code,
                                  .seq = row.seq,
                                  .behind = wanted ? max_i64(0, head - row.seq) : 0,
                                  .waiting = (int64_t)count,
                                  .sends = row.sends,
                                  .failing = row.failing,
                                  .failing_since = row.failing_since,
                                  .success_at = row.success_at };
    fields_write(json, &subscription_fields, &io);
    return DB_OK;
}

static void find_webhook(struct ws *ws, void *context)
{
    struct wanted *wanted = context;
    const struct webhook_row *row = webhook_named(ws, wanted->code);
    wanted->place = (struct place){ .webhook = row == NULL ? 0 : row->id };
    wanted->place.units = row == NULL ? "" : arena_text(wanted->arena, row->units);
}

static const char *unit_code_of(const struct connect_units_result *units, size_t count, int64_t unit)
{
    for (size_t i = 0; i < count; i++)
        if (units[i].id == unit)
            return units[i].code;
    return "company";
}

/* A company has few units: the list is one page. */
void webhook_subscriptions(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct wanted wanted = { .arena = request->arena, .code = request->path[0] };
    struct connect_units_result *units;
    struct connect_clocks_result *clocks;
    struct json_writer json;
    size_t unit_count = 0, clock_count = 0;
    enum db_result result = ws_read(reading, 0, when_now_us(), find_webhook, &wanted);
    if (result == DB_OK && wanted.place.webhook == 0) {
        answer_fault(answer, request->arena, FAULT_NOT_FOUND, NULL, arena_printf(request->arena, "there is no webhook %s", request->path[0]));
        return;
    }
    list_begin(&json, request->arena);
    if (result == DB_OK)
        result = connect_units(reading->db, reading->arena, 0, &units, &unit_count);
    if (result == DB_OK)
        result = connect_clocks(reading->db, reading->arena, &clocks, &clock_count);
    for (size_t i = 0; result == DB_OK && i < clock_count; i++) {
        wanted.place.unit = clocks[i].unit;
        wanted.place.unit_code = clocks[i].unit == 0 ? "company" : unit_code_of(units, unit_count, clocks[i].unit);
        result = write_subscription(reading, &wanted.place, clocks[i].event_seq, &json);
    }
    if (result != DB_OK)
        answer_store(answer, request->arena, result);
    else
        list_end(&json, NULL, answer);
}
