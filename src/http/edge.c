/* src/http/edge.c: the door for everything that writes. Form is judged here, with all its faults at once; what a command
 * means, and what a key stands for, the engine decides. What is faulty in form goes on only where the engine can say what
 * else is wrong with it (command_type.look_up), never to be decided.
 * A batch is many commands that have nothing to do with each other: each entry is parsed alone, remembered alone under
 * (key, index), decided alone, and has an arena of its own, since two units may decide two entries at the same time. Only the
 * preview of a batch goes to the engine as one thing: nothing of an entry stays, so the next would not see what it does. */
#include "http/edge.h"
#include "http/router.h"
#include <assert.h>
#include <string.h>
#include <strings.h>

/* What vault_hash is asked for: two independent hashes each, 128 bits against chance. */
enum { HASH_KEY_HIGH = 1, HASH_KEY_LOW, HASH_BODY_HIGH, HASH_BODY_LOW };

#define KEY_BYTES_MAX 255

/* Commands that take no fields still take {}, and what every POST takes. */
static const struct field_table nothing = { .name = "Options", .size = sizeof(struct field_presence) };

struct options {
    struct field_presence presence;
    bool dry_run;
};
static const struct field option_rows[] = {
    { "dry_run", FIELD_BOOL, FIELD_AT(struct options, dry_run), .doc = "true: answers what would happen, and changes nothing" },
};
const struct field_table command_options = { "CommandOptions", option_rows, COUNT(option_rows), sizeof(struct options) };

const struct field_table *command_input(const struct command_type *type)
{
    return type->input != NULL ? type->input : &nothing;
}

/* Entries that take the place of a PUT have its body and nothing else; their batch has options. */
static bool takes_options(const struct request *request)
{
    return request->method == METHOD_POST && request->route->batch_part == NULL;
}

static const struct command_type *type_of(const struct route *route)
{
    return route->command != NULL ? route->command : route->batch_of;
}

static bool refused(struct exchange *exchange, enum fault_code code, const char *pointer, const char *detail)
{
    answer_fault(&exchange->answer, exchange->arena, code, pointer, detail);
    return false;
}

/* This media type, with charset utf-8 or none. */
static bool content_is(const char *type, const char *wanted)
{
    if (type == NULL || strncasecmp(type, wanted, strlen(wanted)) != 0)
        return false;
    const char *rest = type + strlen(wanted);
    rest += strspn(rest, " \t");
    if (*rest == '\0')
        return true;
    if (*rest != ';')
        return false;
    rest += 1 + strspn(rest + 1, " \t");
    return strcasecmp(rest, "charset=utf-8") == 0 || strcasecmp(rest, "charset=\"utf-8\"") == 0 || *rest == '\0';
}

static bool content_taken(struct exchange *exchange)
{
    const char *coding = message_header(exchange->message, HEADER_CONTENT_ENCODING);
    if (coding != NULL && strcasecmp(coding, "identity") != 0)
        return refused(exchange, FAULT_UNSUPPORTED_MEDIA_TYPE, NULL, "no Content-Encoding is taken");
    bool bodiless = exchange->route->command != NULL && exchange->route->command->input == NULL && exchange->request.body_bytes == 0;
    const char *type = message_header(exchange->message, HEADER_CONTENT_TYPE);
    bool patch = exchange->route->method == METHOD_PATCH; /* RFC 7396 has a type of its own */
    if (bodiless || content_is(type, "application/json") || (patch && content_is(type, "application/merge-patch+json")))
        return true;
    return refused(exchange, FAULT_UNSUPPORTED_MEDIA_TYPE, NULL,
                   patch ? "send Content-Type: application/merge-patch+json or application/json" : "send Content-Type: application/json");
}

static bool key_taken(struct exchange *exchange)
{
    const char *key = message_header(exchange->message, HEADER_IDEMPOTENCY_KEY);
    if (key == NULL)
        return true;
    size_t bytes = strlen(key);
    for (size_t i = 0; i < bytes; i++)
        if (key[i] < 0x20 || key[i] > 0x7e)
            bytes = 0;
    if (bytes == 0 || bytes > KEY_BYTES_MAX)
        return refused(exchange, FAULT_MALFORMED_REQUEST, NULL, "Idempotency-Key is 1 to 255 printable ASCII characters");
    exchange->request.idempotency_key = key;
    return true;
}

/* "*" or one quoted ETag, without its quotes. */
static bool etag_read(struct exchange *exchange, const char *text, const char **etag)
{
    size_t bytes = strlen(text);
    if (strcmp(text, "*") == 0)
        *etag = text;
    else if (bytes >= 2 && text[0] == '"' && strchr(text + 1, '"') == text + bytes - 1)
        *etag = arena_text_n(exchange->arena, text + 1, bytes - 2);
    else
        return false;
    return true;
}

/* If-Match compares strongly: a weak ETag is kept with its W/ and so equals none. If-None-Match compares weakly (RFC 9110, 13.1). */
static bool match_taken(struct exchange *exchange)
{
    const char *match = message_header(exchange->message, HEADER_IF_MATCH), *none = message_header(exchange->message, HEADER_IF_NONE_MATCH);
    if (match != NULL && strncmp(match, "W/\"", 3) == 0)
        exchange->request.if_match = match;
    else if (match != NULL && !etag_read(exchange, match, &exchange->request.if_match))
        return refused(exchange, FAULT_MALFORMED_REQUEST, NULL, "If-Match is \"*\" or one quoted ETag");
    if (none != NULL && !etag_read(exchange, strncmp(none, "W/", 2) == 0 ? none + 2 : none, &exchange->request.if_none_match))
        return refused(exchange, FAULT_MALFORMED_REQUEST, NULL, "If-None-Match is \"*\" or one quoted ETag");
    return true;
}

/* RFC 9218: what is sent with urgency 7 is background, as a file of a million rows is. What cannot be read says nothing, as the RFC has it. */
static bool is_background(const struct exchange *exchange)
{
    const char *at = message_header(exchange->message, HEADER_PRIORITY);
    while (at != NULL && *at != '\0') {
        at += strspn(at, " \t,");
        if (strncmp(at, "u=7", 3) == 0 && (at[3] == '\0' || strchr(" \t,;", at[3]) != NULL))
            return true;
        at += strcspn(at, ",");
    }
    return false;
}

void edge_key_hash(struct vault *vault, struct arena *arena, int64_t actor, const char *key, int64_t index, int64_t hash[2])
{
    struct buffer text = { .arena = arena };
    const int64_t who[2] = { actor, index };
    buffer_add(&text, who, sizeof who);
    buffer_text(&text, key);
    hash[0] = vault_hash(vault, HASH_KEY_HIGH, text.at, text.size);
    hash[1] = vault_hash(vault, HASH_KEY_LOW, text.at, text.size);
}

/* What was sent, and what an idempotency key stands for: the API key, the text, the place in the batch. */
static void hash_command(struct exchange *exchange, struct command *command, int64_t index, const char *body, size_t body_bytes)
{
    const struct request *request = &exchange->request;
    struct vault *vault = exchange->server->options.vault;
    struct buffer sent = { .arena = command->arena };
    buffer_printf(&sent, "%d %s\n", (int)request->method, request->target);
    buffer_add(&sent, body, body_bytes);
    command->body_hash[0] = vault_hash(vault, HASH_BODY_HIGH, sent.at, sent.size);
    command->body_hash[1] = vault_hash(vault, HASH_BODY_LOW, sent.at, sent.size);
    command->has_key = request->idempotency_key != NULL && request->method == METHOD_POST;
    if (command->has_key)
        edge_key_hash(vault, command->arena, request->actor.key, request->idempotency_key, index, command->key_hash);
}

static void command_done(struct command *command)
{
    struct exchange *exchange = command->owner;
    if (atomic_fetch_sub_explicit(&exchange->commands_left, 1, memory_order_acq_rel) == 1)
        server_done(exchange);
}

bool command_read(struct command *command, struct edge *edge, const struct request *request)
{
    const struct command_type *type = command->type;
    assert(type != NULL);
    const struct field_table *table = command_input(type);
    void *input = arena_alloc(command->arena, table->size);
    struct options options = { 0 };
    const struct fields_also also = { &command_options, &options };
    command->input = input;
    bool good = (type->input == NULL && request->body_bytes == 0) ||
                fields_read_text_also(command->arena, request->body == NULL ? "" : request->body, request->body_bytes, table, type->mode, input,
                                      takes_options(request) ? &also : NULL, &command->faults);
    bool json = good || command->faults.items[0].code != FAULT_MALFORMED_JSON;
    command->dry_run = route_is_asked_by_query(request->route) ? request->query_number[0] == 1 : options.dry_run;
    if (!good && (type->look_up == NULL || !json))
        return false;
    good = (type->edge == NULL || type->edge(edge, request, command, &command->faults)) && good;
    command->form = command->faults;
    return good || type->look_up != NULL;
}

/* The member of an entry that its PUT has in the path. False, with a fault where the entry is an object: there is no such code. */
static bool entry_part(struct command *command, const char *name, const char *body, size_t body_bytes)
{
    struct json_reader json;
    const char *pointer = arena_printf(command->arena, "/%s", name);
    json_open(&json, command->arena, body, body_bytes);
    if (json_next(&json) != JSON_OBJECT)
        return false; /* who reads the body says so */
    while (json_next(&json) == JSON_KEY) {
        if (json.bytes != strlen(name) || memcmp(json.text, name, json.bytes) != 0) {
            (void)json_skip(&json);
            continue;
        }
        if (json_next(&json) == JSON_STRING && text_is_code(json.text, json.bytes, FIELD_CODE_BYTES_MAX)) {
            size_t part = 0;
            while (command->path[part] != NULL)
                part++;
            command->path[part] = arena_text_n(command->arena, json.text, json.bytes);
            return true;
        }
        if (json.error == NULL)
            fault_add(&command->faults, FAULT_BAD_FORMAT, pointer, "a code is a string of 1 to %d bytes in normal form C without control characters",
                      FIELD_CODE_BYTES_MAX);
        return false;
    }
    if (json.error == NULL)
        fault_add(&command->faults, FAULT_REQUIRED, pointer, "it says which one the entry is about");
    return false;
}

/* One of the exchange's, as far as it can be said without its body. */
static struct command command_of(struct exchange *exchange, struct arena *arena, size_t body_bytes)
{
    const struct request *request = &exchange->request;
    return (struct command){ .type = type_of(exchange->route),
                             .arena = arena,
                             .actor = request->actor,
                             .background = is_background(exchange),
                             .if_match = request->if_match,
                             .if_none_match = request->if_none_match,
                             .wants_answer = true,
                             .bytes = body_bytes + sizeof(struct command),
                             .unit = -1,
                             .faults = { .arena = arena },
                             .done = command_done,
                             .owner = exchange };
}

/* Fills one command. False: its faults say what is wrong with its form, and nothing more can be said. */
static bool command_make(struct exchange *exchange, struct command *command, int64_t index, const char *body, size_t body_bytes)
{
    const struct command_type *type = type_of(exchange->route);
    const struct request *request = &exchange->request;
    struct arena *arena = command->arena;
    struct request of_entry = *request;
    *command = command_of(exchange, arena, body_bytes);
    memcpy(command->path, request->path, sizeof command->path);
    of_entry.arena = arena;
    of_entry.body = body;
    of_entry.body_bytes = body_bytes;
    if (request->route->batch_part != NULL && !entry_part(command, request->route->batch_part, body, body_bytes)) {
        (void)fields_read_text(arena, body, body_bytes, type->input, type->mode, arena_alloc(arena, type->input->size), &command->faults);
        return false;
    }
    memcpy(of_entry.path, command->path, sizeof command->path);
    const struct http_options *server = &exchange->server->options;
    struct edge edge = { .vault = server->vault, .arena = arena, .private_targets = server->private_targets };
    if (!command_read(command, &edge, &of_entry))
        return false;
    hash_command(exchange, command, index, body, body_bytes);
    return true;
}

/* One element of the batch's list, as it was sent. */
struct entry {
    const char *at;
    size_t bytes;
};

static bool malformed(struct exchange *exchange, const struct json_reader *json)
{
    return refused(exchange, FAULT_MALFORMED_JSON, "",
                   arena_printf(exchange->arena, "line %zu, column %zu: %s", json->line, json->column,
                                json->error != NULL ? json->error : "more than one value"));
}

/* JSON of another type than is due; but what is no JSON further on is said to be that. */
static bool wrong_type(struct exchange *exchange, const char *pointer, const char *due)
{
    struct json_reader json;
    json_open(&json, exchange->arena, exchange->request.body, exchange->request.body_bytes);
    if (!json_skip(&json) || json_next(&json) != JSON_END)
        return malformed(exchange, &json);
    return refused(exchange, FAULT_WRONG_TYPE, pointer, due);
}

/* The list's elements, raw. What is no JSON at all is refused as a whole, before any entry is looked at. */
static bool entries_list(struct exchange *exchange, struct json_reader *json, struct entry *entries, size_t *count)
{
    *count = 0;
    if (json_next(json) != JSON_ARRAY)
        return json->error != NULL || wrong_type(exchange, arena_printf(exchange->arena, "/%s", exchange->route->batch_name), "a list is due");
    for (;;) {
        const char *at = json->at;
        while (at < json->end && strchr(" \t\r\n,", *at) != NULL)
            at++;
        if (at < json->end && *at == ']')
            return json_next(json) == JSON_ARRAY_END || json->error != NULL;
        if (!json_skip(json))
            return true; /* malformed: the caller sees json->error */
        if (*count < BATCH_ENTRIES_MAX)
            entries[*count] = (struct entry){ at, (size_t)(json->at - at) };
        ++*count;
    }
}

static bool batch_read(struct exchange *exchange, struct entry *entries, size_t *count, bool *dry_run)
{
    struct json_reader json;
    const char *name = exchange->route->batch_name;
    struct faults faults = { .arena = exchange->arena };
    bool came = false;
    json_open(&json, exchange->arena, exchange->request.body, exchange->request.body_bytes);
    enum json_token token = json_next(&json);
    if (token != JSON_OBJECT && token != JSON_ERROR)
        return wrong_type(exchange, "", "an object is due");
    while (token != JSON_ERROR && (token = json_next(&json)) == JSON_KEY) {
        const char *key = arena_text_n(exchange->arena, json.text, json.bytes);
        if (strcmp(key, name) == 0) {
            came = true;
            if (!entries_list(exchange, &json, entries, count))
                return false;
        } else if (strcmp(key, "dry_run") == 0) {
            token = json_next(&json);
            *dry_run = token == JSON_TRUE;
            if (token != JSON_TRUE && token != JSON_FALSE && token != JSON_ERROR)
                return wrong_type(exchange, "/dry_run", "true or false is due");
        } else {
            fault_add(&faults, FAULT_UNKNOWN_FIELD, arena_printf(exchange->arena, "/%s", key), "a batch has %s and dry_run", name);
            json_skip(&json);
        }
    }
    if (token == JSON_OBJECT_END)
        token = json_next(&json);
    if (token != JSON_END || json.error != NULL)
        return malformed(exchange, &json);
    if (!came)
        fault_add(&faults, FAULT_REQUIRED, arena_printf(exchange->arena, "/%s", name), "a list of entries is due");
    if (*count > BATCH_ENTRIES_MAX)
        fault_add(&faults, FAULT_BATCH_TOO_LARGE, arena_printf(exchange->arena, "/%s", name), "%zu entries came", *count);
    if (faults.count > 0)
        answer_faults(&exchange->answer, exchange->arena, &faults);
    return faults.count == 0;
}

static bool batch_make(struct exchange *exchange)
{
    struct entry *entries = ARENA_ARRAY(exchange->arena, struct entry, BATCH_ENTRIES_MAX);
    size_t count = 0;
    if (!batch_read(exchange, entries, &count, &exchange->is_preview))
        return false;
    exchange->commands = ARENA_ARRAY(exchange->arena, struct command, count + 1);
    for (size_t i = 0; i < count; i++) {
        struct command *command = &exchange->commands[i];
        command->arena = pool_take(&exchange->server->pool, entries[i].bytes);
        if (command->arena == NULL)
            return refused(exchange, FAULT_BUSY, NULL, "no memory for the batch");
        exchange->command_count = i + 1;
        struct arena_door door;
        arena_set_door(command->arena, &door);
        if (setjmp(door.where) != 0) {
            arena_reset(command->arena);
            command->faults = (struct faults){ .arena = command->arena };
            answer_fault(&command->answer, command->arena, door.machine ? FAULT_BUSY : FAULT_BODY_TOO_LARGE, NULL,
                         "this entry needs too much memory");
            command->state = COMMAND_REFUSED;
        } else if (!command_make(exchange, command, (int64_t)i, entries[i].at, entries[i].bytes))
            command->state = COMMAND_REFUSED;
        command->dry_run = command->dry_run || exchange->is_preview;
        command->bytes = entries[i].bytes + sizeof *command; /* also where the arena was short: to give it back */
        arena_set_door(command->arena, NULL);
    }
    return true;
}

/* What the entries are to be made of. */
static bool made_of_parse(struct exchange *exchange)
{
    struct faults faults = { .arena = exchange->arena };
    struct options options = { 0 };
    const struct fields_also also = { &command_options, &options };
    const struct request *request = &exchange->request;
    const struct field_table *table = exchange->route->maker->input;
    void *in = arena_alloc(exchange->arena, table->size);
    if (!fields_read_text_also(exchange->arena, request->body == NULL ? "" : request->body, request->body_bytes, table, FIELDS_POST, in, &also,
                               &faults)) {
        answer_faults(&exchange->answer, exchange->arena, &faults);
        return false;
    }
    exchange->is_preview = options.dry_run;
    exchange->made_of = in;
    return true;
}

bool edge_parse(struct exchange *exchange)
{
    if (!content_taken(exchange) || !key_taken(exchange) || !match_taken(exchange))
        return false;
    if (exchange->route->maker != NULL)
        return made_of_parse(exchange);
    if (exchange->route->batch_of != NULL)
        return batch_make(exchange);
    struct command *command = ARENA_NEW(exchange->arena, struct command);
    command->arena = exchange->arena;
    if (!command_make(exchange, command, 0, exchange->request.body, exchange->request.body_bytes)) {
        answer_faults(&exchange->answer, exchange->arena, &command->faults);
        return false;
    }
    exchange->commands = command;
    exchange->command_count = 1;
    return true;
}

bool command_look_back(struct command *command, const struct reading *reading, enum db_result *result)
{
    struct arena_mark mark = arena_mark(reading->arena);
    assert(command->type != NULL);
    *result = command->type->look_back(reading, command);
    if (reading->arena != command->arena) /* else its input lies there */
        arena_rewind(reading->arena, mark);
    command->form = command->faults;
    return *result == DB_OK && (command->faults.count == 0 || command->type->look_up != NULL);
}

static bool waits_for_the_past(const struct command *command)
{
    return command->looks_back && command->state != COMMAND_REFUSED && command->form.count == 0;
}

bool edge_looks_back(const struct exchange *exchange)
{
    bool any = exchange->made_of != NULL;
    for (size_t i = 0; i < exchange->command_count && !any; i++)
        any = waits_for_the_past(&exchange->commands[i]);
    return any;
}

/* An entry of a batch, which has a door of its own. */
static void entry_look_back(struct command *command, const struct reading *reading, enum db_result *result)
{
    struct arena_door door;
    struct arena_door *before = arena_set_door(command->arena, &door);
    if (setjmp(door.where) != 0) {
        arena_reset(command->arena);
        command->faults = (struct faults){ .arena = command->arena };
        answer_fault(&command->answer, command->arena, door.machine ? FAULT_BUSY : FAULT_BODY_TOO_LARGE, NULL, "this entry needs too much memory");
        command->state = COMMAND_REFUSED;
    } else if (!command_look_back(command, reading, result) && *result == DB_OK)
        command->state = COMMAND_REFUSED;
    arena_set_door(command->arena, before);
}

/* False: exchange->answer says why there is no entry, or *result. */
static bool entries_make(struct exchange *exchange, const struct reading *reading, enum db_result *result)
{
    const void **inputs;
    size_t count;
    const struct batch_maker *maker = exchange->route->maker;
    *result = maker->make(reading, &exchange->request, exchange->made_of, &inputs, &count);
    if (*result != DB_OK)
        return false;
    if (count == 0)
        return refused(exchange, FAULT_NOT_FOUND, NULL, maker->none);
    exchange->commands = ARENA_ARRAY(exchange->arena, struct command, count);
    for (size_t i = 0; i < count; i++) {
        struct command *command = &exchange->commands[i];
        struct arena *arena = pool_take(&exchange->server->pool, 0);
        if (arena == NULL)
            return refused(exchange, FAULT_BUSY, NULL, "no memory for the batch");
        *command = command_of(exchange, arena, 0);
        exchange->command_count = i + 1;
        command->input = inputs[i];
        command->looks_back = true;
        command->dry_run = exchange->is_preview;
        hash_command(exchange, command, (int64_t)i, exchange->request.body, exchange->request.body_bytes);
    }
    return true;
}

bool edge_look_back(struct exchange *exchange, const struct reading *reading, enum db_result *result)
{
    *result = DB_OK;
    if (exchange->made_of != NULL && exchange->command_count == 0 && !entries_make(exchange, reading, result))
        return false;
    for (size_t i = 0; i < exchange->command_count && *result == DB_OK; i++) {
        struct command *command = &exchange->commands[i];
        if (!waits_for_the_past(command))
            continue;
        if (exchange->route->batch_of != NULL)
            entry_look_back(command, reading, result);
        else if (!command_look_back(command, reading, result)) {
            answer_faults(&exchange->answer, exchange->arena, &command->faults);
            return false;
        }
    }
    return *result == DB_OK;
}

/* The entries in their order as one preview; NULL: all were refused for their form. */
static struct command *preview_of(struct exchange *exchange)
{
    struct command *first = NULL, **last = &first;
    for (size_t i = 0; i < exchange->command_count; i++) {
        if (exchange->commands[i].state == COMMAND_REFUSED)
            continue;
        *last = &exchange->commands[i];
        last = &exchange->commands[i].with;
    }
    return first;
}

void edge_submit(struct exchange *exchange)
{
    struct engine *engine = exchange->server->options.engine;
    struct command *commands = exchange->commands, *preview = exchange->is_preview ? preview_of(exchange) : NULL;
    size_t count = exchange->command_count;
    /* One more than there are, so that the exchange is still ours when the last command has been submitted. */
    atomic_store_explicit(&exchange->commands_left, count + 1, memory_order_release);
    for (size_t i = 0; i < count; i++) {
        if (commands[i].state == COMMAND_REFUSED)
            command_done(&commands[i]);
        else if (!exchange->is_preview)
            engine_submit(engine, &commands[i]);
    }
    if (preview != NULL)
        engine_submit(engine, preview);
    if (atomic_fetch_sub_explicit(&exchange->commands_left, 1, memory_order_acq_rel) == 1)
        server_done(exchange);
}

/* The engine answers through command->answer, or refuses by faults. */
static void command_answered(struct command *command)
{
    if (command->answer.status == 0)
        answer_faults(&command->answer, command->arena, &command->faults);
}

void edge_answer(struct exchange *exchange)
{
    if (exchange->route->batch_of == NULL) {
        command_answered(&exchange->commands[0]);
        exchange->answer = exchange->commands[0].answer;
        return;
    }
    struct json_writer json;
    json_begin(&json, exchange->arena);
    json_object(&json);
    json_key(&json, "results");
    json_array(&json);
    for (size_t i = 0; i < exchange->command_count; i++) {
        struct command *command = &exchange->commands[i];
        command_answered(command);
        json_object(&json);
        json_key(&json, "status");
        json_int(&json, command->answer.status);
        if (command->answer.body != NULL) {
            json_key(&json, command->answer.status >= 400 ? "problem" : exchange->route->result_name);
            json_raw(&json, command->answer.body, command->answer.body_bytes);
        }
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    exchange->answer = (struct answer){ .status = 200, .body = json.out.at, .body_bytes = json.out.size };
}

void edge_release(struct exchange *exchange)
{
    if (exchange->route == NULL || exchange->route->batch_of == NULL)
        return;
    for (size_t i = 0; i < exchange->command_count; i++)
        pool_give_back(&exchange->server->pool, exchange->commands[i].arena, exchange->commands[i].bytes - sizeof(struct command));
    exchange->command_count = 0;
}
