/* src/http/local.c: a request is routed, read and checked as the server does it, and run at once. */
#include "http/local.h"
#include "engine/vault.h"
#include "http/edge.h"
#include "http/router.h"
#include <stdlib.h>
#include <string.h>

struct local {
    struct engine *engine;
    struct vault *vault;
    struct router *router;
    struct db *projection;
    struct actor actor;
};

struct local *local_open(struct engine *engine, struct vault *vault, struct arena *arena, const char **error)
{
    struct local *local = calloc(1, sizeof *local);
    *error = "no memory";
    if (local == NULL)
        return NULL;
    *local = (struct local){ .engine = engine, .vault = vault, .router = router_new(http_routes, arena, error) };
    local->actor = (struct actor){ .key = 0, .name = "millrace", .scopes = SCOPE_ADMIN };
    if (local->router != NULL)
        return local;
    free(local);
    return NULL;
}

void local_close(struct local *local)
{
    free(local);
}

void local_projection(struct local *local, struct db *read)
{
    local->projection = read;
}

static struct request *request_of(struct local *local, struct arena *arena, const char *method, const char *target, const char *body,
                                  struct routed *routed)
{
    struct request *request = ARENA_NEW(arena, struct request);
    *routed = router_find(local->router, arena, method, target);
    *request = (struct request){
        .arena = arena, .target = target, .body = body, .body_bytes = body == NULL ? 0 : strlen(body), .actor = local->actor, .route = routed->route
    };
    if (routed->route != NULL)
        request->method = routed->route->method;
    memcpy(request->path, routed->path, sizeof request->path);
    return request;
}

static void hash_request(struct local *local, struct command *command, const char *method, const char *target, const char *body, const char *key)
{
    const char *what = arena_printf(command->arena, "%s %s\n%s", method, target, body == NULL ? "" : body);
    for (int i = 0; i < 2; i++) {
        command->body_hash[i] = vault_hash(local->vault, 3 + i, what, strlen(what));
        command->key_hash[i] = key == NULL ? 0 : vault_hash(local->vault, 1 + i, key, strlen(key));
    }
    command->has_key = key != NULL;
}

struct command *local_command(struct local *local, struct arena *arena, const char *method, const char *target, const char *body,
                              const char *idempotency_key)
{
    struct routed routed;
    struct request *request = request_of(local, arena, method, target, body, &routed);
    if (routed.route == NULL || routed.route->command == NULL)
        return NULL;
    const struct command_type *type = routed.route->command;
    struct command *command = ARENA_NEW(arena, struct command);
    *command = (struct command){ .type = type, .arena = arena, .actor = local->actor, .unit = -1, .wants_answer = true };
    command->faults.arena = arena;
    memcpy(command->path, request->path, sizeof command->path);
    struct edge edge = { .vault = local->vault, .arena = arena };
    bool good = query_read(request, routed.route, routed.query, &command->faults) && command_read(command, &edge, request);
    hash_request(local, command, method, target, body, idempotency_key);
    enum db_result result = DB_OK;
    if (good && command->looks_back && command->form.count == 0)
        good = command_look_back(
            command, &(struct reading){ .db = engine_db(local->engine), .arena = arena, .vault = local->vault, .router = local->router }, &result);
    if (!good) {
        command->state = COMMAND_REFUSED;
        if (result != DB_OK)
            answer_store(&command->answer, arena, result);
        else
            answer_faults(&command->answer, arena, &command->faults);
    }
    return command;
}

static struct reply reply_of(const struct answer *answer)
{
    return (struct reply){ answer->status, answer->body == NULL ? "" : answer->body };
}

static struct reply local_read(struct local *local, struct arena *arena, const char *target, const struct routed *routed, struct request *request)
{
    struct answer answer = { 0 };
    struct faults faults = { .arena = arena };
    struct reading reading = { .db = engine_db(local->engine), .projection = local->projection, .arena = arena, .vault = local->vault };
    if (!query_read(request, routed->route, routed->query, &faults))
        answer_faults(&answer, arena, &faults);
    else
        routed->route->read(&reading, request, &answer);
    return reply_of(&answer);
}

struct reply local_call(struct local *local, struct arena *arena, const char *method, const char *target, const char *body)
{
    struct routed routed;
    struct request *request = request_of(local, arena, method, target, body, &routed);
    if (routed.route == NULL)
        return (struct reply){ fault_info(routed.fault)->http, "" };
    if (routed.route->read != NULL)
        return local_read(local, arena, target, &routed, request);
    struct command *command = local_command(local, arena, method, target, body, NULL);
    if (command == NULL)
        return (struct reply){ 501, "" };
    if (command->state != COMMAND_REFUSED)
        engine_run(local->engine, &command, 1);
    return reply_of(&command->answer);
}
