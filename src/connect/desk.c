/* src/connect/desk.c: see desk.h. What was read is settled before it is told (db_settle): a power cut may take back what is only visible, and what
 * was sent cannot be taken back. */
#include "connect/desk.h"
#include "connect/sign.h"
#include "connect_sql.h"
#include "insight/insight.h"
#include <string.h>

/* ---- endpoints ---- */

static enum db_result secrets_read(struct db *db, struct vault *vault, struct arena *arena, int64_t now_us, const struct webhook_row *webhook,
                                   struct endpoint *endpoint)
{
    struct db_rows rows;
    struct bytes seed;
    enum db_result result = db_load_path(db, arena, &secret_of_webhook, WS_PREFIX(db_int(0), db_int(webhook->id)), 1, 0, &rows);
    if (result != DB_OK || !vault_unseal(vault, arena, webhook->seed_key, webhook->seed, &seed))
        return result; /* another master key: it has no secrets, and nothing is sent */
    for (size_t i = 0; i < rows.count && endpoint->secret_count < DESK_SECRETS; i++) {
        const struct webhook_secret_row *row = db_row(&rows, i);
        if (row->ends_at == NULL_INT || row->ends_at > now_us)
            endpoint->secrets[endpoint->secret_count++] = secret_derive(arena, seed, row->number);
    }
    return DB_OK;
}

static enum db_result endpoints_read(struct db *db, struct vault *vault, struct arena *arena, int64_t now_us, struct desk *desk)
{
    struct db_rows rows;
    enum db_result result = db_load_path(db, arena, &webhook_all, WS_PREFIX(db_int(0)), 1, 0, &rows);
    if (result != DB_OK)
        return result;
    desk->endpoints = ARENA_ARRAY(arena, struct endpoint, rows.count + 1);
    for (size_t i = 0; result == DB_OK && i < rows.count; i++) {
        const struct webhook_row *row = db_row(&rows, i);
        if (!row->active || row->disabled != NULL)
            continue;
        struct endpoint *endpoint = &desk->endpoints[desk->endpoint_count++];
        *endpoint = (struct endpoint){ .id = row->id, .code = row->code, .url = row->url, .units = row->units };
        for (int type = EVENT_NONE + 1; type < EVENT_TYPE_COUNT; type++)
            endpoint->wants[type] = webhook_wants(row->events, (enum event_type)type);
        result = secrets_read(db, vault, arena, now_us, row, endpoint);
    }
    return result;
}

/* ---- units ---- */

static enum db_result unit_read(struct db *db, struct arena *arena, struct desk_unit *unit)
{
    struct db_rows subscriptions, lease;
    enum db_result result = db_load_path(db, arena, &subscription_of_unit, WS_PREFIX(db_int(unit->id)), 1, 0, &subscriptions);
    if (result == DB_OK)
        result = db_load(db, arena, &lease_table, WS_KEY(unit->id, LEASE_WEBHOOKS), 1, &lease);
    if (result != DB_OK)
        return result;
    unit->subscriptions = (const struct webhook_subscription_row *)(const void *)subscriptions.at;
    unit->subscription_count = subscriptions.count;
    if (lease.count == 1)
        unit->lease = *(const struct lease_row *)db_row(&lease, 0);
    return DB_OK;
}

static enum db_result units_read(struct db *db, struct arena *arena, struct desk *desk)
{
    struct connect_clocks_result *clocks;
    struct connect_units_result *codes;
    size_t code_count = 0;
    enum db_result result = connect_clocks(db, arena, &clocks, &desk->unit_count);
    if (result == DB_OK)
        result = connect_units(db, arena, 0, &codes, &code_count);
    if (result != DB_OK)
        return result;
    desk->units = ARENA_ARRAY(arena, struct desk_unit, desk->unit_count + 1);
    for (size_t i = 0; result == DB_OK && i < desk->unit_count; i++) {
        struct desk_unit *unit = &desk->units[i];
        *unit = (struct desk_unit){ .id = clocks[i].unit, .head = clocks[i].event_seq, .code = "company" };
        for (size_t k = 0; k < code_count; k++)
            if (codes[k].id == unit->id)
                unit->code = codes[k].code;
        result = unit_read(db, arena, unit);
    }
    return result;
}

enum db_result desk_read(struct db *db, struct vault *vault, struct arena *arena, int64_t now_us, struct desk *desk)
{
    *desk = (struct desk){ 0 };
    enum db_result result = db_begin_read(db);
    if (result == DB_OK)
        result = endpoints_read(db, vault, arena, now_us, desk);
    if (result == DB_OK && desk->endpoint_count > 0)
        result = units_read(db, arena, desk);
    (void)db_rollback(db);
    return result == DB_OK && desk->endpoint_count > 0 ? db_settle(db) : result;
}

const struct webhook_subscription_row *desk_subscription(const struct desk_unit *unit, int64_t webhook)
{
    for (size_t i = 0; i < unit->subscription_count; i++)
        if (unit->subscriptions[i].webhook == webhook)
            return &unit->subscriptions[i];
    return NULL;
}

enum db_result desk_waiting(struct db *db, struct arena *arena, int64_t unit, int64_t webhook, struct webhook_subscription_row *row, bool *found,
                            const struct webhook_waiting_row **waiting, size_t *count)
{
    struct db_rows subscription = { 0 }, rows = { 0 };
    enum db_result result = db_begin_read(db);
    if (result == DB_OK)
        result = db_load(db, arena, &webhook_subscription_table, WS_KEY(unit, webhook), 1, &subscription);
    if (result == DB_OK)
        result = db_load_path(db, arena, &waiting_of_webhook, WS_PREFIX(db_int(unit), db_int(webhook)), 1, 0, &rows);
    (void)db_rollback(db);
    *found = result == DB_OK && subscription.count == 1;
    if (*found)
        *row = *(const struct webhook_subscription_row *)db_row(&subscription, 0);
    *waiting = (const struct webhook_waiting_row *)(const void *)rows.at;
    *count = rows.count;
    return result == DB_OK ? db_settle(db) : result;
}

/* ---- events ---- */

/* Of an exception: whether it is about this webhook. */
static enum db_result own_exceptions(struct db *db, struct arena *arena, int64_t unit, const struct connect_events_result *rows, size_t count,
                                     const struct endpoint *endpoint, struct desk_event *events)
{
    int64_t *keys = ARENA_ARRAY(arena, int64_t, 2 * count + 1);
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        if (events[i].wanted && rows[i].subject_kind == SUBJECT_EXCEPTION) {
            keys[2 * found] = unit;
            keys[2 * found++ + 1] = rows[i].subject;
        }
    struct db_rows exceptions = { 0 };
    enum db_result result = found == 0 ? DB_OK : db_load(db, arena, &exception_item_table, keys, found, &exceptions);
    for (size_t x = 0; result == DB_OK && x < exceptions.count; x++) {
        const struct exception_item_row *row = db_row(&exceptions, x);
        for (size_t i = 0; i < count && row->subject_kind == SUBJECT_WEBHOOK && row->subject == endpoint->id; i++)
            events[i].wanted = events[i].wanted && !(rows[i].subject_kind == SUBJECT_EXCEPTION && rows[i].subject == row->id);
    }
    return result;
}

enum db_result desk_events(struct db *db, struct arena *arena, int64_t unit, int64_t after, int64_t upto, size_t most,
                           const struct endpoint *endpoint, struct desk_event **events, size_t *count)
{
    struct connect_events_result *rows;
    enum db_result result = connect_events(db, arena, unit, after, upto, (int64_t)most, &rows, count);
    if (result != DB_OK)
        return result;
    *events = ARENA_ARRAY(arena, struct desk_event, *count + 1);
    for (size_t i = 0; i < *count; i++) {
        const bool known = rows[i].type > EVENT_NONE && rows[i].type < EVENT_TYPE_COUNT; /* else of a newer release */
        const bool own = rows[i].type == EVENT_WEBHOOK_CHANGED && rows[i].subject == endpoint->id;
        (*events)[i] = (struct desk_event){
            .seq = rows[i].seq,
            .key = event_order_key(rows[i].about, (enum subject_kind)rows[i].subject_kind, rows[i].subject, rows[i].node, rows[i].sku),
            .wanted = known && !own && endpoint->wants[rows[i].type],
        };
    }
    return own_exceptions(db, arena, unit, rows, *count, endpoint, *events);
}

static struct bytes body_of(const struct event_source *source, const struct event_names *names, const struct event_row *event, size_t bytes_max)
{
    struct json_writer json;
    json_begin(&json, source->arena);
    event_write(source, names, event, &json);
    if (json.out.size > bytes_max) {
        struct event_row shorter = *event;
        shorter.data = "{\"too_large\":true}";
        json_begin(&json, source->arena);
        event_write(source, names, &shorter, &json);
    }
    return (struct bytes){ (const uint8_t *)json.out.at, json.out.size };
}

enum db_result desk_bodies(struct db *db, struct arena *arena, int64_t unit, const char *unit_code, const int64_t *seqs, size_t count,
                           size_t bytes_max, struct bytes *bodies)
{
    const struct event_source source = { .db = db, .arena = arena, .unit = unit, .unit_code = unit_code };
    int64_t *keys = ARENA_ARRAY(arena, int64_t, 2 * count + 1);
    struct event_names *names;
    struct db_rows rows;
    for (size_t i = 0; i < count; i++) {
        keys[2 * i] = unit;
        keys[2 * i + 1] = seqs[i];
        bodies[i] = (struct bytes){ 0 };
    }
    enum db_result result = db_load(db, arena, &event_table, keys, count, &rows);
    if (result != DB_OK)
        return result;
    const struct event_page page = { .events = (const struct event_row *)(const void *)rows.at, .count = rows.count };
    result = event_names_load(&source, &page, &names);
    for (size_t i = 0, k = 0; result == DB_OK && i < page.count; i++) {
        while (seqs[k] != page.events[i].seq)
            k++;
        bodies[k] = body_of(&source, names, &page.events[i], bytes_max);
    }
    return result;
}
