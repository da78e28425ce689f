/* src/http/own.c: what the server says of itself, and of its commands. /healthz: this process lives. /readyz: its store answers, too; a load
 * balancer asks that one. */
#include "http/own.h"
#include "http/commands.h"
#include "http/connection.h"
#include "http/readers.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define DOCS_TYPE "text/html; charset=utf-8"

static void say(struct answer *answer, const char *type, const char *body, size_t bytes)
{
    *answer = (struct answer){ .status = 200, .content_type = type, .body = body, .body_bytes = bytes };
}

static void metrics_read(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    struct metrics_now now = { .connections = server->connection_count,
                               .reads_queued = readers_queued(server->readers),
                               .engine = server->options.engine };
    struct buffer out = { .arena = exchange->arena };
    for (const struct connection *connection = server->connections; connection != NULL; connection = connection->next)
        now.streams += connection->state == STREAMING;
    metrics_write(server->metrics, &now, &out);
    if (server->options.figures.write != NULL)
        server->options.figures.write(server->options.figures.context, &out);
    say(&exchange->answer, METRICS_TYPE, out.at, out.size);
}

static void health_read(struct exchange *exchange)
{
    say(&exchange->answer, "application/json", "{\"status\":\"ok\"}", 15);
}

static void openapi_read(struct exchange *exchange)
{
    say(&exchange->answer, "application/json", exchange->server->openapi, exchange->server->openapi_bytes);
}

static void docs_read(struct exchange *exchange)
{
    say(&exchange->answer, DOCS_TYPE, exchange->server->docs, exchange->server->docs_bytes);
}

static void commands_read(struct exchange *exchange)
{
    commands_write(exchange->server->router, exchange->arena, &exchange->answer);
}

/* On a reader's thread: an answer of the store is what is asked for. */
static void ready_read(struct reading *reading, const struct request *request, struct answer *answer)
{
    int64_t version = 0;
    if (reading->db != NULL && db_schema_version(reading->db, &version) != DB_OK)
        answer_fault(answer, request->arena, FAULT_STORE_LOST, NULL, NULL);
    else
        say(answer, "application/json", "{\"status\":\"ready\"}", 18);
}

/* Never called: own_answers goes before. */
static void on_the_http_thread(struct reading *reading, const struct request *request, struct answer *answer)
{
    answer_fault(answer, request->arena, FAULT_INTERNAL, NULL, NULL);
}

struct status_io {
    struct field_presence presence;
    const char *status;
};
static const struct field status_rows[] = {
    { "status", FIELD_TEXT, FIELD_AT(struct status_io, status), .required = true, .read_only = true, .doc = "ok, or ready" },
};
static const struct field_table status_fields = { "Status", status_rows, COUNT(status_rows), sizeof(struct status_io) };

static const struct route routes[] = {
    { .method = METHOD_GET, .path = "/healthz", .read = on_the_http_thread, .answer_of = &status_fields, .summary = "Says that this process lives" },
    { .method = METHOD_GET, .path = "/readyz", .read = ready_read, .answer_of = &status_fields, .summary = "Says that the store answers" },
    { .method = METHOD_GET,
      .path = "/metrics",
      .read = on_the_http_thread,
      .content = METRICS_TYPE,
      .summary = "Figures in the text format of Prometheus" },
    { .method = METHOD_GET, .path = "/openapi.json", .read = on_the_http_thread, .content = "application/json", .summary = "This description" },
    { .method = METHOD_GET, .path = "/docs", .read = on_the_http_thread, .content = DOCS_TYPE, .summary = "This description, for people" },
    { .method = METHOD_GET,
      .path = "/v1/commands",
      .scopes = SCOPE_READ | SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN,
      .read = on_the_http_thread,
      .answer_of = &command_fields,
      .list = true,
      .summary = "All that changes anything: how it is sent, whether it can be previewed, and what takes it back" },
};

const struct route_table own_routes = { .module = "http", .routes = routes, .count = COUNT(routes) };

bool own_answers(struct exchange *exchange)
{
    static void (*const answers[])(struct exchange * exchange) = { health_read, NULL, metrics_read, openapi_read, docs_read, commands_read };
    _Static_assert(COUNT(answers) == COUNT(routes), "one for each route, NULL: a reader answers");
    if (exchange->route < routes || exchange->route >= routes + COUNT(routes) || answers[exchange->route - routes] == NULL)
        return false;
    answers[exchange->route - routes](exchange);
    return true;
}
