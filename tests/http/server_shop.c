/* tests/http/server_shop.c: the engine here is a thread that takes what waits, lets each command decide without a working
 * set, and answers: what src/http sees of the real one. */
#include "server_shop.h"
#include "engine/command.h"
#include "http/own.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- the engine ---- */

struct engine {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct command *first, **last;
    bool hold, stopping;
    atomic_uint commit_us;
    pthread_t thread;
};

/* A preview is many commands behind their first. */
static void decide_with(struct command *command)
{
    shop_counts()->before = 0;
    for (struct command *next; command != NULL; command = next) {
        next = command->with;
        command->type->decide(NULL, command);
        shop_counts()->before++;
        command->done(command);
    }
}

static void *engine_main(void *context)
{
    struct engine *engine = context;
    pthread_mutex_lock(&engine->lock);
    for (;;) {
        while ((engine->first == NULL || engine->hold) && !engine->stopping)
            pthread_cond_wait(&engine->some, &engine->lock);
        struct command *list = engine->first;
        if (list == NULL)
            break;
        engine->first = NULL;
        engine->last = &engine->first;
        pthread_mutex_unlock(&engine->lock);
        usleep(atomic_load(&engine->commit_us));
        while (list != NULL) {
            struct command *next = list->next;
            decide_with(list);
            list = next;
        }
        pthread_mutex_lock(&engine->lock);
    }
    pthread_mutex_unlock(&engine->lock);
    return NULL;
}

void engine_submit(struct engine *engine, struct command *command)
{
    command->next = NULL;
    pthread_mutex_lock(&engine->lock);
    bool waits = engine->first == NULL;
    *engine->last = command;
    engine->last = &command->next;
    pthread_mutex_unlock(&engine->lock);
    if (waits)
        pthread_cond_signal(&engine->some);
}

void engine_stats(struct engine *engine, struct engine_stats *stats)
{
    *stats = (struct engine_stats){ .batches = 1, .commands = atomic_load(&shop_counts()->decided) };
}

int64_t vault_hash(const struct vault *vault, int kind, const void *bytes, size_t size)
{
    return (int64_t)hash_bytes(bytes, size, (uint64_t)kind);
}

void shop_hold(struct shop *shop, bool hold)
{
    pthread_mutex_lock(&shop->engine->lock);
    shop->engine->hold = hold;
    pthread_cond_signal(&shop->engine->some);
    pthread_mutex_unlock(&shop->engine->lock);
}

void shop_commit_takes(struct shop *shop, unsigned us)
{
    atomic_store(&shop->engine->commit_us, us);
}

/* ---- routes ---- */

struct shop_counts *shop_counts(void)
{
    static struct shop_counts counts;
    return &counts;
}

struct thing {
    struct field_presence presence;
    const char *sku, *note;
    int64_t quantity;
};
static const struct field thing_fields[] = {
    { "sku", FIELD_CODE, FIELD_AT(struct thing, sku), .required = true, .doc = "our code" },
    { "quantity", FIELD_INT, FIELD_AT(struct thing, quantity), .min = 1, .max = 1000000, .preset = 1, .doc = "whole units" },
    { "note", FIELD_TEXT, FIELD_AT(struct thing, note), .doc = "what people say" },
};
static const struct field_table thing_table = { "Thing", thing_fields, COUNT(thing_fields), sizeof(struct thing) };

/* A sku "SHORT" is refused; all else is echoed. */
static void thing_decide(struct ws *ws, struct command *command)
{
    const struct thing *thing = command->input;
    struct json_writer json;
    atomic_fetch_add(&shop_counts()->decided, 1);
    if (strcmp(thing->sku, "SHORT") == 0) {
        fault_add(&command->faults, FAULT_SHORTAGE, "/sku", "nothing is left of %s", thing->sku);
        command->state = COMMAND_REFUSED;
        return;
    }
    json_begin(&json, command->arena);
    json_object(&json);
    json_key(&json, "sku");
    json_text(&json, thing->sku);
    json_key(&json, "quantity");
    json_int(&json, thing->quantity);
    json_key(&json, "dry_run");
    json_bool(&json, command->dry_run);
    json_key(&json, "before");
    json_int(&json, shop_counts()->before);
    json_key(&json, "has_key");
    json_bool(&json, command->has_key);
    json_key(&json, "if_match");
    json_text(&json, command->if_match);
    json_object_end(&json);
    command->state = COMMAND_ACCEPTED;
    command->answer = (struct answer){ .status = 201, .body = json.out.at, .body_bytes = json.out.size, .etag = "v1", .location = "/v1/things/x" };
}
static const struct command_type thing_create = {
    .name = "thing.create", .input = &thing_table, .mode = FIELDS_POST, .decide = thing_decide, .inverse = "none: it is a test"
};

static void gone_decide(struct ws *ws, struct command *command)
{
    atomic_fetch_add(&shop_counts()->decided, 1);
    command->state = COMMAND_ACCEPTED;
    command->answer = (struct answer){ .status = 204 };
}
static const struct command_type thing_delete = { .name = "thing.delete", .decide = gone_decide, .inverse = "none: it is a test" };

static void thing_read(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct json_writer json;
    json_begin(&json, reading->arena);
    json_object(&json);
    json_key(&json, "code");
    json_text(&json, request->path[0]);
    json_key(&json, "actor");
    json_text(&json, request->actor.name);
    json_object_end(&json);
    *answer = (struct answer){ .status = 200, .body = json.out.at, .body_bytes = json.out.size, .etag = "v7" };
}

static void list_read(struct reading *reading, const struct request *request, struct answer *answer)
{
    char *body = arena_printf(reading->arena, "{\"items\":[],\"next\":null,\"limit\":%lld,\"q\":%s}", (long long)request->query_number[0],
                              request->query_text[1] != NULL ? "true" : "false");
    *answer = (struct answer){ .status = 200, .body = body, .body_bytes = strlen(body) };
}

static void hungry_read(struct reading *reading, const struct request *request, struct answer *answer)
{
    for (;;)
        arena_alloc(reading->arena, 1 << 20);
}

static void large_read(struct reading *reading, const struct request *request, struct answer *answer)
{
    size_t bytes = 6 << 20;
    char *body = arena_alloc(reading->arena, bytes);
    memset(body, 'x', bytes);
    body[0] = body[bytes - 1] = '"';
    *answer = (struct answer){ .status = 200, .body = body, .body_bytes = bytes };
}

static void smuggled_read(struct reading *reading, const struct request *request, struct answer *answer)
{
    atomic_fetch_add(&shop_counts()->smuggled, 1);
    *answer = (struct answer){ .status = 200, .body = "{}", .body_bytes = 2 };
}

static const char *const kinds[] = { "lamp", "chair", NULL };
static const struct route routes[] = {
    { METHOD_GET, "/v1/things", SCOPE_READ, .read = list_read, .answer_of = &thing_table, .list = true, .summary = "Lists things",
      .query = { { "limit", FIELD_INT, 1, 1000, 100, .doc = "at most" },
                 { "q", FIELD_TEXT, .doc = "words" },
                 { "kind", FIELD_ENUM, .names = kinds } } },
    { METHOD_POST, "/v1/things", SCOPE_ORDERS, .command = &thing_create, .answer_of = &thing_table, .summary = "Makes a thing" },
    { METHOD_POST, "/v1/things/batch", SCOPE_ORDERS, .batch_of = &thing_create, .batch_name = "things", .result_name = "thing",
      .answer_of = &thing_table, .summary = "Makes things" },
    { METHOD_GET, "/v1/things/{code}", SCOPE_READ, .read = thing_read, .answer_of = &thing_table, .summary = "Shows a thing" },
    { METHOD_DELETE, "/v1/things/{code}", SCOPE_ORDERS, .command = &thing_delete, .summary = "Deletes a thing" },
    { METHOD_POST, "/v1/orders", SCOPE_NONE, .command = &thing_create, .summary = "For raw requests" },
    { METHOD_GET, "/v1/orders/{id}", SCOPE_NONE, .read = thing_read, .summary = "For raw requests" },
    { METHOD_GET, "/v1/skus/{code}", SCOPE_NONE, .read = thing_read, .summary = "For raw requests" },
    { METHOD_GET, "/v1/large", SCOPE_NONE, .read = large_read, .summary = "6 MiB" },
    { METHOD_GET, "/v1/hungry", SCOPE_NONE, .read = hungry_read, .summary = "More memory than there is" },
    { METHOD_GET, "/v1/events", SCOPE_READ, .read = list_read, .event_stream = true, .summary = "Events",
      .query = { { "limit", FIELD_INT, 1, 1000, 100 }, { "after", FIELD_INT } } },
    { METHOD_GET, "/smuggled", SCOPE_NONE, .read = smuggled_read, .summary = "Must never be seen" },
};
static const struct route_table shop_routes = { "shop", routes, COUNT(routes) };
static const struct route_table *const tables[] = { &own_routes, &shop_routes, NULL };

/* ---- keys, events ---- */

static bool key_find(void *context, const uint8_t hash[KEY_HASH_BYTES], struct actor *out)
{
    static const struct {
        const char *text, *name;
        unsigned scopes;
        bool late;
        int64_t rate;
    } keys[] = { { ADMIN_KEY, "admin", SCOPE_ADMIN, false, 0 },
                 { READ_KEY, "reader", SCOPE_READ, false, 0 },
                 { LATE_KEY, "late", SCOPE_ORDERS, true, 0 },
                 { SLOW_KEY, "slow", SCOPE_READ, false, 1 } };
    for (size_t i = 0; i < COUNT(keys); i++) {
        uint8_t known[KEY_HASH_BYTES];
        key_hash(keys[i].text, strlen(keys[i].text), known);
        if (memcmp(known, hash, sizeof known) == 0 && (!keys[i].late || atomic_load(&shop_counts()->reloads) > 0)) {
            *out =
                (struct actor){ .key = (int64_t)i + 1, .name = keys[i].name, .scopes = keys[i].scopes, .rate = keys[i].rate, .burst = keys[i].rate };
            return true;
        }
    }
    return false;
}

static bool keys_reload(void *context, struct db *db)
{
    atomic_fetch_add(&shop_counts()->reloads, 1);
    return true;
}

static bool events_fill(void *context, struct reading *reading, struct stream *stream, struct buffer *out, size_t bytes_max, bool *more,
                        enum db_result *result)
{
    *result = DB_OK;
    if (stream->seq < 0) {
        const char *number = stream->last_event_id == NULL ? ":0" : strchr(stream->last_event_id, ':');
        if (number == NULL)
            return false;
        stream->seq = atoll(number + 1);
    }
    while (stream->seq < atomic_load(&shop_counts()->last_event) && out->size < bytes_max) {
        stream->seq++;
        buffer_printf(out, "id: U:%lld\ndata: {\"seq\":%lld}\n\n", (long long)stream->seq, (long long)stream->seq);
    }
    *more = stream->seq < atomic_load(&shop_counts()->last_event);
    return true;
}

struct shop *shop_open(const struct http_options *options)
{
    struct shop *shop = calloc(1, sizeof *shop);
    struct http_options all = *options;
    const char *error = NULL;
    *shop_counts() = (struct shop_counts){ 0 };
    shop->arena = arena_new(64 << 20);
    shop->engine = calloc(1, sizeof *shop->engine);
    pthread_mutex_init(&shop->engine->lock, NULL);
    pthread_cond_init(&shop->engine->some, NULL);
    shop->engine->last = &shop->engine->first;
    pthread_create(&shop->engine->thread, NULL, engine_main, shop->engine);
    all.engine = shop->engine;
    all.routes = tables;
    all.auth = (struct auth_source){ .find = key_find, .reload = keys_reload };
    all.streams = (struct stream_source){ .fill = events_fill };
    shop->server = http_start(&all, shop->arena, &error);
    if (shop->server == NULL) {
        fprintf(stderr, "%s\n", error);
        abort();
    }
    return shop;
}

void shop_close(struct shop *shop)
{
    shop_hold(shop, false);
    http_stop(shop->server); /* NULL where the test stopped it */
    pthread_mutex_lock(&shop->engine->lock);
    shop->engine->stopping = true;
    pthread_cond_signal(&shop->engine->some);
    pthread_mutex_unlock(&shop->engine->lock);
    pthread_join(shop->engine->thread, NULL);
    pthread_mutex_destroy(&shop->engine->lock);
    pthread_cond_destroy(&shop->engine->some);
    free(shop->engine);
    arena_free(shop->arena);
    free(shop);
}

/* ---- the client ---- */

struct client *client_open(const struct shop *shop)
{
    struct client *client = calloc(1, sizeof *client);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(http_port(shop->server)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail_msg("cannot connect to port %u", http_port(shop->server));
    return client;
}

void client_close(struct client *client)
{
    close(client->fd);
    free(client->in);
    free(client->reply.head);
    free(client->reply.body);
    free(client);
}

void client_send(struct client *client, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(client->fd, bytes, count, MSG_NOSIGNAL);
        if (sent < 0)
            return; /* the server has said all it wants to */
        bytes += sent;
        count -= (size_t)sent;
    }
}

void client_text(struct client *client, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int bytes = vasprintf(&text, format, args);
    va_end(args);
    client_send(client, text, (size_t)bytes);
    free(text);
}

void client_finish(struct client *client)
{
    shutdown(client->fd, SHUT_WR);
}

/* Receives more. False: the end, or nothing in time. */
static bool receive(struct client *client, int within_ms, bool *ended)
{
    struct pollfd poll_fd = { .fd = client->fd, .events = POLLIN };
    *ended = false;
    if (poll(&poll_fd, 1, within_ms) <= 0)
        return false;
    client->in = realloc(client->in, client->bytes + 65537);
    ssize_t got = recv(client->fd, client->in + client->bytes, 65536, 0);
    *ended = got <= 0;
    if (got > 0)
        client->bytes += (size_t)got;
    client->in[client->bytes] = '\0';
    return got > 0;
}

static bool receive_up_to(struct client *client, size_t bytes)
{
    bool ended;
    while (client->bytes - client->at < bytes)
        if (!receive(client, 10000, &ended)) {
            if (!ended)
                fail_msg("no answer in 10 s; so far: %.300s", client->in == NULL ? "" : client->in + client->at);
            return false;
        }
    return true;
}

const struct reply *client_answer(struct client *client, bool to_head)
{
    struct reply *reply = &client->reply;
    const char *end = NULL, *length;
    size_t head = 0;
    while (end == NULL) {
        if (!receive_up_to(client, head + 1))
            return NULL;
        head = client->bytes - client->at;
        end = strstr(client->in + client->at, "\r\n\r\n");
    }
    head = (size_t)(end + 4 - (client->in + client->at));
    free(reply->head);
    free(reply->body);
    reply->head = strndup(client->in + client->at, head);
    reply->body = NULL;
    if (sscanf(reply->head, "HTTP/1.1 %d ", &reply->status) != 1)
        fail_msg("no status line: %.100s", reply->head);
    length = strstr(reply->head, "\r\nContent-Length: ");
    reply->body_bytes = length == NULL || to_head ? 0 : strtoul(length + 18, NULL, 10);
    client->at += head;
    if (!receive_up_to(client, reply->body_bytes))
        fail_msg("the body ends early");
    reply->body = strndup(client->in + client->at, reply->body_bytes);
    client->at += reply->body_bytes;
    return reply;
}

bool client_is_closed(struct client *client, int within_ms)
{
    bool ended;
    if (client->bytes > client->at)
        return false;
    return !receive(client, within_ms, &ended) && ended;
}

bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

struct reply call(const struct shop *shop, const char *method, const char *target, const char *key, const char *headers, const char *body)
{
    struct client *client = client_open(shop);
    client_text(client, "%s %s HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n", method, target);
    if (key != NULL)
        client_text(client, "Authorization: Bearer %s\r\n", key);
    if (body != NULL)
        client_text(client, "Content-Length: %zu\r\n%s", strlen(body), headers == NULL ? "Content-Type: application/json\r\n" : "");
    client_text(client, "%s\r\n", headers == NULL ? "" : headers);
    if (body != NULL)
        client_send(client, body, strlen(body));
    const struct reply *answer = client_answer(client, strcmp(method, "HEAD") == 0);
    if (answer == NULL)
        fail_msg("%s %s: no answer", method, target);
    struct reply reply = *answer;
    /* Kept until the next call, so that no caller has to free it. */
    client->reply.head = client->reply.body = NULL;
    client_close(client);
    static char *kept[2];
    free(kept[0]);
    free(kept[1]);
    kept[0] = reply.head;
    kept[1] = reply.body;
    return reply;
}
