/* src/http/dispatch.c: what becomes of a request: route, key, scope, then the engine, a reader, or an answer at once.
 * Everything up to there is arena memory behind one door: a request that needs more than its arena is answered 413, or
 * 503 where it sent no body or where it is the machine that has no more. */
#include "http/edge.h"
#include "base/when.h"
#include "http/own.h"
#include "http/rates.h"
#include "http/readers.h"
#include <strings.h>
#include <string.h>

#define LARGE_BODY_BYTES 65536u /* parsing more would let the other connections wait: a reader does it */

enum next_step { STEP_ANSWER, STEP_SUBMIT, STEP_READER };

static enum next_step refused(struct exchange *exchange, enum fault_code code, const char *detail)
{
    answer_fault(&exchange->answer, exchange->arena, code, NULL, detail);
    return STEP_ANSWER;
}

static enum next_step to_reader(struct exchange *exchange, enum exchange_work work)
{
    exchange->work = work;
    return STEP_READER;
}

static const char *why_not(enum auth_result result)
{
    return result == AUTH_NONE        ? "no key came"
           : result == AUTH_MALFORMED ? "what came has not the form of a key: Authorization: Bearer mr_..., as millrace key add printed it"
                                      : "the key is not known";
}

/* A batch counts once: its size is bounded, and its entries wait in the queue of their unit. */
static bool within_rate(struct exchange *exchange, enum next_step *step)
{
    const struct actor *actor = &exchange->request.actor;
    int wait_s = actor->rate == 0 ? 0 : rates_take(exchange->server->rates, actor->key, actor->rate, actor->burst, when_monotonic_us());
    if (wait_s == 0)
        return true;
    *step = refused(exchange, FAULT_RATE_LIMITED,
                    arena_printf(exchange->arena, "the key %s may ask %ld times a second, and %ld times more at once", actor->name, (long)actor->rate,
                                 (long)actor->burst));
    exchange->answer.retry_after_s = wait_s;
    return false;
}

/* AUTH_UNKNOWN comes back once more after the keys were read anew. */
static bool admit(struct exchange *exchange, enum next_step *step)
{
    const struct http_options *options = &exchange->server->options;
    const char *needed = NULL;
    if (exchange->route->scopes == SCOPE_NONE)
        return true;
    enum auth_result result =
        auth_find(&options->auth, exchange->arena, message_header(exchange->message, HEADER_AUTHORIZATION), &exchange->request.actor);
    if (result == AUTH_UNKNOWN && options->auth.reload != NULL && !exchange->keys_reloaded) {
        exchange->keys_reloaded = true;
        *step = to_reader(exchange, WORK_KEYS);
        return false;
    }
    if (result == AUTH_UNKNOWN && exchange->keys_unread) /* 401 would be a lie that makes a client give up */
        *step = refused(exchange, FAULT_STORE_LOST, "the keys cannot be read");
    else if (result != AUTH_OK)
        *step = refused(exchange, FAULT_UNAUTHENTICATED, why_not(result));
    else if (!auth_may(&exchange->request.actor, exchange->route, exchange->arena, &needed))
        *step = refused(exchange, FAULT_FORBIDDEN, arena_printf(exchange->arena, "the key needs the scope %s", needed));
    else
        return within_rate(exchange, step);
    return false;
}

static bool wants_stream(const struct exchange *exchange)
{
    const char *accept = message_header(exchange->message, HEADER_ACCEPT);
    return exchange->route->event_stream && exchange->server->options.streams.fill != NULL && accept != NULL && !exchange->is_head &&
           strcasestr(accept, "text/event-stream") != NULL;
}

/* A stream goes on: what bounds a page does not bound it. */
static bool is_bounded(const struct exchange *exchange)
{
    for (size_t i = 0; i < QUERY_MAX && exchange->route->query[i].name != NULL; i++)
        if (strcmp(exchange->route->query[i].name, "limit") == 0 && exchange->request.query_text[i] != NULL)
            return true;
    return false;
}

/* Most lists read the store itself and wait for nobody. */
static bool wants_projection(const struct exchange *exchange)
{
    bool wants = exchange->route->projected;
    for (size_t i = 0; i < QUERY_MAX; i++)
        wants = wants || (exchange->route->query[i].projected && exchange->request.query_text[i] != NULL);
    return wants && exchange->server->options.projected.mark != NULL;
}

static enum next_step run_read(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    if (own_answers(exchange))
        return STEP_ANSWER;
    if (wants_stream(exchange) && is_bounded(exchange))
        return refused(exchange, FAULT_MALFORMED_QUERY, "limit is of pages, a stream has none: leave it out");
    if (wants_stream(exchange)) {
        exchange->is_stream = true;
        exchange->stream = (struct stream){
            .request = &exchange->request, .last_event_id = message_header(exchange->message, HEADER_LAST_EVENT_ID), .unit = -1, .seq = -1
        };
        exchange->stream_mark = arena_mark(exchange->arena);
        return to_reader(exchange, WORK_STREAM);
    }
    exchange->is_projected = wants_projection(exchange);
    if (exchange->is_projected)
        exchange->mark = server->options.projected.mark(server->options.projected.context);
    return to_reader(exchange, WORK_READ);
}

static enum next_step run_commands(struct exchange *exchange)
{
    const struct route *route = exchange->route;
    const struct projection_hook *hook = &exchange->server->options.projected;
    if ((route->command != NULL ? route->command : route->batch_of)->look_back != NULL && hook->mark != NULL)
        exchange->mark = hook->mark(hook->context);
    if (exchange->request.body_bytes > LARGE_BODY_BYTES)
        return to_reader(exchange, WORK_EDGE);
    if (!edge_parse(exchange))
        return STEP_ANSWER;
    return edge_looks_back(exchange) ? to_reader(exchange, WORK_PAST) : STEP_SUBMIT;
}

/* From the message to the step that is due. */
static enum next_step prepare(struct exchange *exchange)
{
    const struct message *message = exchange->message;
    struct request *request = &exchange->request;
    const char *method = message->head + message->method;
    *request = (struct request){ .arena = exchange->arena,
                                 .target = message->head + message->target,
                                 .body = message->body_bytes > 0 ? message->body : "",
                                 .body_bytes = message->body_bytes };
    exchange->is_head = strcmp(method, "HEAD") == 0;
    struct routed routed = router_find(exchange->server->router, exchange->arena, method, request->target);
    exchange->allow = routed.allow;
    if (routed.route == NULL)
        return refused(exchange, routed.fault, routed.detail);
    exchange->route = request->route = routed.route;
    exchange->route_number = routed.number;
    request->method = routed.route->method;
    memcpy(request->path, routed.path, sizeof request->path);
    enum next_step step;
    if (!admit(exchange, &step))
        return step;
    struct faults faults = { .arena = exchange->arena };
    if (!query_read(request, routed.route, routed.query, &faults)) {
        answer_faults(&exchange->answer, exchange->arena, &faults);
        return STEP_ANSWER;
    }
    if (routed.route->read != NULL)
        return run_read(exchange);
    return run_commands(exchange);
}

/* The arena was short: what it holds is forgotten, the answer is made in what is free again. */
static void answer_full(struct exchange *exchange, bool machine)
{
    edge_release(exchange);
    arena_reset(exchange->arena);
    bool by_body = exchange->message->body_bytes > 0 && !machine;
    answer_fault(&exchange->answer, exchange->arena, by_body ? FAULT_BODY_TOO_LARGE : FAULT_BUSY, NULL, "the request needs too much memory");
}

/* The commands are decided; what became of each, or would, is too much to tell. */
static void answer_lost(struct exchange *exchange)
{
    edge_release(exchange);
    arena_reset(exchange->arena);
    answer_fault(&exchange->answer, exchange->arena, FAULT_BUSY, NULL,
                 exchange->is_preview ? "no memory is left to tell what would happen; nothing was changed"
                                      : "it was carried out, but no memory is left to tell how: send it again with its Idempotency-Key");
}

bool dispatch(struct exchange *exchange)
{
    struct arena_door door;
    volatile enum next_step step = STEP_ANSWER;
    arena_set_door(exchange->arena, &door);
    if (setjmp(door.where) == 0)
        step = prepare(exchange);
    else
        answer_full(exchange, door.machine);
    arena_set_door(exchange->arena, NULL);
    if (step == STEP_ANSWER)
        return true;
    atomic_fetch_add(&exchange->server->abroad, 1);
    if (step == STEP_READER)
        readers_take(exchange->server->readers, exchange);
    else {
        exchange->work = WORK_COMMANDS;
        edge_submit(exchange);
    }
    return false;
}

/* A reader, or the engine, is done with it; the door is for the composing of a batch's results. */
bool dispatch_returned(struct exchange *exchange)
{
    enum exchange_work work = exchange->work;
    exchange->work = WORK_NONE;
    if (work == WORK_KEYS) {
        arena_reset(exchange->arena);
        return dispatch(exchange);
    }
    if (work == WORK_COMMANDS) {
        struct arena_door door;
        arena_set_door(exchange->arena, &door);
        if (setjmp(door.where) == 0)
            edge_answer(exchange);
        else
            answer_lost(exchange);
        arena_set_door(exchange->arena, NULL);
    }
    return true;
}

void dispatch_refused(struct exchange *exchange, enum fault_code code, const char *detail)
{
    exchange->route_number = router_route_count(exchange->server->router);
    answer_fault(&exchange->answer, exchange->arena, code, NULL, detail);
}

void exchange_release(struct exchange *exchange)
{
    edge_release(exchange);
    pool_give_back(&exchange->server->pool, exchange->arena, exchange->message->body_bytes);
    *exchange = (struct exchange){ .connection = exchange->connection, .server = exchange->server, .message = exchange->message };
}
