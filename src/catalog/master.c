/* src/catalog/master.c: what all masters have in common: PUT replaces, PATCH merges, an equal one changes nothing; each
 * change has a version, an event and the whole resource as it was after it. */
#include "base/when.h"
#include "catalog/catalog.h"
#include <string.h>

static struct master master_of(struct ws *ws, struct command *command)
{
    const char *const *path = command->path;
    bool inner = path[1] != NULL;
    return (struct master){
        .ws = ws, .command = command, .faults = &command->faults, .code = inner ? path[1] : path[0], .outer = inner ? path[0] : NULL
    };
}

bool master_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    memcpy(command->path, request->path, sizeof command->path);
    if (request->path[1] != NULL)
        command->of_channel = request->path[0];
    return true;
}

static const char *json_of(struct arena *arena, const struct field_table *fields, const void *io, size_t *bytes)
{
    struct json_writer json;
    json_begin(&json, arena);
    fields_write(&json, fields, io);
    *bytes = json.out.size;
    return json.out.at;
}

static bool precondition_holds(struct master *master)
{
    if (if_match_holds(master->command->if_match, master->version) && if_none_match_holds(master->command->if_none_match, master->version))
        return true;
    fault_add(master->faults, FAULT_PRECONDITION_FAILED, NULL, "it is at version %ld", (long)master->version);
    return false;
}

static void answer_with(struct master *master, const char *body, size_t bytes, int status)
{
    master->command->answer = (struct answer){
        .status = status, .body = body, .body_bytes = bytes, .etag = arena_printf(master->command->arena, "%ld", (long)master->version)
    };
}

/* Tells the change in one working set: the company's, or a unit's with its copy. */
static int64_t tell(struct master *master, struct ws *ws, const struct master_kind *kind, const char *body)
{
    ws_config_changed(ws);
    struct event_row event = event_of(EVENT_MASTER_CHANGED, kind->subject, master->id);
    event.data = body;
    return ws_event(ws, event);
}

static void write_change(struct master *master, const struct master_kind *kind, const void *io)
{
    size_t bytes;
    master->version++;
    bool made = master->id == 0;
    if (made)
        master->id = ws_next_id(master->ws);
    kind->store(master, io);
    if (master->faults->count > 0)
        return;
    void *now = arena_alloc(master->command->arena, kind->fields->size);
    (void)kind->load(master, now);
    const char *body = json_of(master->command->arena, kind->fields, now, &bytes);
    struct master_change_row row = { .unit = ws_unit(master->ws),
                                     .kind = kind->subject,
                                     .subject = master->id,
                                     .version = master->version,
                                     .at = ws_now_us(master->ws),
                                     .actor = ws_actor(master->ws),
                                     .body = body };
    ws_insert(master->ws, &master_change_table, &row);
    master->command->event_seq = tell(master, master->ws, kind, body);
    for (size_t i = 0; !kind->of_channel && i < ws_unit_count(master->ws); i++) {
        struct ws *unit = ws_unit_at(master->ws, i);
        if (master->owner == 0 || ws_unit(unit) == master->owner)
            tell(master, unit, kind, body);
    }
    if (kind->follow != NULL)
        kind->follow(master, io);
    answer_with(master, body, bytes, made ? 201 : 200);
}

/* Equal is what reads equal: code and version are ours. */
static bool is_equal(struct master *master, const struct master_kind *kind, const void *before, const void *whole)
{
    size_t a, b;
    struct master_io *same = arena_alloc(master->command->arena, kind->fields->size);
    memcpy(same, whole, kind->fields->size);
    same->code = ((const struct master_io *)before)->code;
    same->version = ((const struct master_io *)before)->version;
    const char *left = json_of(master->command->arena, kind->fields, before, &a), *right = json_of(master->command->arena, kind->fields, same, &b);
    return a == b && memcmp(left, right, a) == 0;
}

/* `whole` is the resource as it shall be; `before` as it is, NULL: it is new. */
static void change(struct master *master, const struct master_kind *kind, const void *before, const void *whole)
{
    if (!precondition_holds(master))
        return;
    if (before != NULL && is_equal(master, kind, before, whole)) {
        size_t bytes;
        const char *body = json_of(master->command->arena, kind->fields, before, &bytes);
        master->command->existing = true;
        answer_with(master, body, bytes, 200);
        return;
    }
    kind->check(master, whole);
    if (master->faults->count == 0)
        write_change(master, kind, whole);
}

static void complete(struct master *master, const struct master_kind *kind, void *whole)
{
    if (kind->complete != NULL)
        kind->complete(master, whole);
}

void master_put(struct ws *ws, struct command *command, const struct master_kind *kind)
{
    struct master master = master_of(ws, command);
    void *before = arena_alloc(command->arena, kind->fields->size), *whole = arena_alloc(command->arena, kind->fields->size);
    bool there = kind->load(&master, before);
    if (command->faults.count > 0)
        return;
    memcpy(whole, command->input, kind->fields->size); /* the input stays as it came: an attempt may run again */
    complete(&master, kind, whole);
    change(&master, kind, there ? before : NULL, whole);
}

void master_put_again(struct ws *ws, struct command *command, int64_t seq)
{
    const struct event_row *event = ws_get(ws, &event_table, WS_KEY(ws_unit(ws), seq));
    command->answer.body = arena_text(command->arena, event->data);
    command->answer.body_bytes = strlen(command->answer.body);
}

void master_patch(struct ws *ws, struct command *command, const struct master_kind *kind)
{
    struct master master = master_of(ws, command);
    void *before = arena_alloc(command->arena, kind->fields->size), *whole = arena_alloc(command->arena, kind->fields->size);
    if (!kind->load(&master, before)) {
        if (command->faults.count == 0)
            fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no %s %s", subject_name(kind->subject), master.code);
        return;
    }
    memcpy(whole, before, kind->fields->size);
    for (size_t i = 0; i < kind->fields->count; i++)
        if (kind->fields->fields[i].required)
            ((struct master_io *)whole)->presence.came |= UINT64_C(1) << i; /* it stands in a row: it is there */
    fields_merge(kind->fields, whole, command->input);
    if (!fields_complete(kind->fields, whole, "", &command->faults))
        return;
    complete(&master, kind, whole);
    change(&master, kind, before, whole);
}

void master_look_up(struct ws *ws, struct command *command, const struct master_kind *kind)
{
    struct master master = master_of(ws, command);
    (void)kind->load(&master, arena_alloc(command->arena, kind->fields->size));
    kind->check(&master, command->input);
}

/* ---- reads ---- */

struct reading_of_one {
    const struct request *request;
    const struct master_kind *kind;
    int64_t id, version;
    bool found;
    const char *body;
    size_t bytes;
};

static void read_one(struct ws *ws, void *context)
{
    struct reading_of_one *one = context;
    struct faults faults = { .arena = ws_arena(ws) };
    const char *const *path = one->request->path;
    bool inner = path[1] != NULL;
    struct master master = { .ws = ws, .faults = &faults, .code = inner ? path[1] : path[0], .outer = inner ? path[0] : NULL };
    void *io = arena_alloc(ws_arena(ws), one->kind->fields->size);
    one->found = one->kind->load(&master, io);
    one->id = master.id;
    one->version = master.version;
    if (one->found)
        one->body = json_of(one->request->arena, one->kind->fields, io, &one->bytes);
}

struct channel_place {
    const char *code;
    int64_t unit, id;
};

static void read_channel(struct ws *ws, void *context)
{
    struct channel_place *place = context;
    const struct channel_row *channel = ws_find(ws, &channel_by_code, WS_PREFIX(db_int(0), db_text(place->code)));
    place->unit = channel == NULL ? 0 : channel->owner;
    place->id = channel == NULL ? 0 : channel->id;
}

enum db_result channel_place(struct reading *reading, const char *code, int64_t *unit, int64_t *id)
{
    struct channel_place place = { .code = code };
    enum db_result result = ws_read(reading, 0, when_now_us(), read_channel, &place);
    *unit = place.unit;
    *id = place.id;
    return result;
}

/* Masters of a channel live in its unit: the company's row of the channel says which. False: it is answered already. */
static bool find_one(struct reading *reading, const struct request *request, struct answer *answer, struct reading_of_one *one, int64_t *unit)
{
    enum db_result result = DB_OK;
    int64_t channel;
    *unit = 0;
    if (one->kind->of_channel)
        result = channel_place(reading, request->path[0], unit, &channel);
    if (result == DB_OK)
        result = ws_read(reading, *unit, when_now_us(), read_one, one);
    if (result != DB_OK)
        answer_store(answer, request->arena, result);
    else if (!one->found)
        answer_fault(answer, request->arena, FAULT_NOT_FOUND, NULL,
                     arena_printf(request->arena, "there is no %s %s", subject_name(one->kind->subject),
                                  request->path[1] != NULL ? request->path[1] : request->path[0]));
    return result == DB_OK && one->found;
}

void master_get(struct reading *reading, const struct request *request, struct answer *answer, const struct master_kind *kind)
{
    struct reading_of_one one = { .request = request, .kind = kind };
    int64_t unit;
    if (find_one(reading, request, answer, &one, &unit))
        *answer = (struct answer){
            .status = 200, .body = one.body, .body_bytes = one.bytes, .etag = arena_printf(request->arena, "%ld", (long)one.version)
        };
}

void master_history_of(struct reading *reading, const struct request *request, struct answer *answer, const struct master_kind *kind)
{
    struct reading_of_one one = { .request = request, .kind = kind };
    int64_t unit;
    if (find_one(reading, request, answer, &one, &unit))
        master_history(reading, request, answer, unit, kind->subject, one.id);
}
