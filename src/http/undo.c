/* src/http/undo.c: what takes a command back is found on a reader's thread; from there on it is that command, with the undo's key and preview. */
#include "http/undo.h"
#include "base/id.h"
#include "engine/idempotency.h"
#include "http/edge.h"
#include "http/router.h"
#include "insight/insight.h"
#include "insight/undo.h"
#include <assert.h>
#include <string.h>

struct undo_event {
    int64_t unit, seq;
};
struct undo_io {
    struct field_presence presence;
    const char *reason;
    const struct undo_event *event; /* NULL: the path names it */
};
static const struct field undo_rows[] = {
    { "reason", FIELD_TEXT, FIELD_AT(struct undo_io, reason), .max = 255, .lines = true,
      .doc = "why; it stands where the command that takes back has a reason" },
};
static const struct field_table undo_fields = { "Undo", undo_rows, COUNT(undo_rows), sizeof(struct undo_io) };

struct undo_key_io {
    struct field_presence presence;
    const char *idempotency_key, *reason;
};
static const struct field key_rows[] = {
    { "idempotency_key", FIELD_TEXT, FIELD_AT(struct undo_key_io, idempotency_key), .required = true, .min = 1, .max = 255,
      .doc = "that this API key sent in the last 48 hours" },
    { "reason", FIELD_TEXT, FIELD_AT(struct undo_key_io, reason), .max = 255, .lines = true, .doc = "why" },
};
static const struct field_table undo_key_fields = { "UndoOfKey", key_rows, COUNT(key_rows), sizeof(struct undo_key_io) };

static bool undo_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    const char *unit;
    int64_t seq;
    memcpy(command->path, request->path, sizeof command->path);
    command->looks_back = true;
    if (event_id_parse(command->arena, request->path[0], &unit, &seq))
        return faults->count == 0;
    fault_add(faults, FAULT_NOT_FOUND, NULL, "%s is no event: UNIT:NUMBER", request->path[0]);
    return false;
}

/* Which event the path names. False: told, or *result says what the store said. */
static bool event_of_path(const struct reading *reading, struct command *command, struct undo_event *event, enum db_result *result)
{
    const char *unit, *wrong = "";
    struct event_source source = { .db = reading->db, .arena = reading->arena };
    bool is_id = event_id_parse(command->arena, command->path[0], &unit, &event->seq);
    assert(is_id); /* the edge has looked */
    bool found = event_source_find(&source, unit, result, &wrong);
    event->unit = source.unit;
    if (!found && *result == DB_OK)
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "%s", wrong);
    return found;
}

/* The command becomes another one: type, path and input are those of the request that takes it back. */
static void become(const struct reading *reading, struct command *command, const struct undo *undo)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
    const struct routed routed = router_find(reading->router, command->arena, methods[undo->method], undo->target);
    assert(routed.route != NULL && routed.route->command != NULL); /* undo.c names routes that are there */
    struct request request = { .arena = command->arena,
                               .method = undo->method,
                               .target = undo->target,
                               .body = undo->body,
                               .body_bytes = undo->body == NULL ? 0 : strlen(undo->body),
                               .actor = command->actor,
                               .route = routed.route };
    struct edge edge = { .vault = reading->vault, .arena = command->arena };
    const bool dry_run = command->dry_run;
    if ((routed.route->scopes & command->actor.scopes) == 0) {
        fault_add(&command->faults, FAULT_FORBIDDEN, NULL, "it is taken back by %s, which this key may not", routed.route->command->name);
        return;
    }
    memcpy(request.path, routed.path, sizeof request.path);
    memcpy(command->path, routed.path, sizeof command->path);
    command->type = routed.route->command;
    command->if_match = arena_text(command->arena, undo->if_match);
    command->looks_back = false;
    (void)command_read(command, &edge, &request);
    command->dry_run = dry_run;
}

static enum db_result undo_look_back(const struct reading *reading, struct command *command)
{
    const struct undo_io *in = command->input;
    struct undo_event event = { 0 };
    struct undo undo;
    bool found = false;
    enum db_result result = DB_OK;
    if (in->event != NULL)
        event = *in->event;
    else if (!event_of_path(reading, command, &event, &result))
        return result;
    result = undo_of(reading, event.unit, event.seq, in->reason, &found, &undo);
    if (result != DB_OK)
        return result;
    if (!found)
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no event %ld", (long)event.seq);
    else if (undo.why != NULL)
        fault_add(&command->faults, FAULT_NO_INVERSE, NULL, "%s", undo.why);
    else
        become(reading, command, &undo);
    return DB_OK;
}

static const struct command_type undo_type;

static void undo_decide(struct ws *ws, struct command *command)
{
    assert(command->type != &undo_type); /* it has become another command before anybody decides */
}

static const struct command_type undo_type = { .name = "command.undo",
                                               .input = &undo_fields,
                                               .mode = FIELDS_POST,
                                               .queue = QUEUE_PEOPLE,
                                               .edge = undo_edge,
                                               .look_back = undo_look_back,
                                               .decide = undo_decide,
                                               .inverse = "none: send the command again" };

/* Masters alone answer 200 to what they did. */
static bool is_own(const struct event_source *source, const struct idempotency_entry *entry, enum db_result *result)
{
    struct event_page page = { 0 };
    struct event_source of_unit = *source;
    of_unit.unit = entry->unit;
    if (entry->event_seq == 0 || entry->status == 201)
        return entry->event_seq > 0;
    *result = event_page_read(&of_unit, entry->event_seq - 1, 1, &page);
    return *result == DB_OK && page.count == 1 && page.events[0].type == EVENT_MASTER_CHANGED;
}

/* What came with the key and made something or changed a master. An answer of 200 for what was there already names an event of another command,
 * which is none of these. */
static enum db_result find_entries(const struct reading *reading, const struct request *request, const struct undo_key_io *in,
                                   struct idempotency_entry *entries)
{
    const struct event_source source = { .db = reading->db, .arena = reading->arena };
    int64_t *units;
    size_t count = 0;
    for (size_t i = 0; i < BATCH_ENTRIES_MAX; i++)
        edge_key_hash(reading->vault, reading->arena, request->actor.key, in->idempotency_key, (int64_t)i, entries[i].key_hash);
    enum db_result result = event_units_all(&source, &units, &count);
    for (size_t u = 0; result == DB_OK && u < count; u++)
        result = idempotency_events(reading, units[u], entries, BATCH_ENTRIES_MAX);
    for (size_t i = 0; result == DB_OK && i < BATCH_ENTRIES_MAX; i++)
        if (!is_own(&source, &entries[i], &result))
            entries[i].event_seq = 0;
    return result;
}

/* The last entry first: what came later may rest on what came before. */
static enum db_result make_entries(const struct reading *reading, const struct request *request, const void *input, const void ***inputs,
                                   size_t *count)
{
    const struct undo_key_io *in = input;
    struct idempotency_entry *entries = ARENA_ARRAY(reading->arena, struct idempotency_entry, BATCH_ENTRIES_MAX);
    enum db_result result = find_entries(reading, request, in, entries);
    *inputs = ARENA_ARRAY(reading->arena, const void *, BATCH_ENTRIES_MAX);
    *count = 0;
    for (size_t i = BATCH_ENTRIES_MAX; i-- > 0 && result == DB_OK;) {
        if (entries[i].event_seq == 0)
            continue;
        struct undo_io *entry = ARENA_NEW(reading->arena, struct undo_io);
        struct undo_event *event = ARENA_NEW(reading->arena, struct undo_event);
        *event = (struct undo_event){ entries[i].unit, entries[i].event_seq };
        *entry = (struct undo_io){ .reason = in->reason, .event = event };
        (*inputs)[(*count)++] = entry;
    }
    return result;
}

static const struct batch_maker undo_of_key = { .input = &undo_key_fields,
                                                .make = make_entries,
                                                .none = "nothing that could be taken back came with this key in the last 48 hours" };

static const struct route routes[] = {
    { .method = METHOD_POST,
      .path = "/v1/commands/{id}/undo",
      .scopes = SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN,
      .command = &undo_type,
      .content = "application/json",
      .summary = "Take back what the event UNIT:NUMBER tells; answers as the command does that takes it back" },
    { .method = METHOD_POST,
      .path = "/v1/commands/undo",
      .scopes = SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN,
      .batch_of = &undo_type,
      .maker = &undo_of_key,
      .result_name = "done",
      .summary = "Take back all that came with an Idempotency-Key, the last entry first, each alone" },
};
const struct route_table undo_routes = { "undo", routes, COUNT(routes) };
