/* src/http/openapi.c: one walk over the routes for the paths, one over the tables that they reach for the schemas. A
 * table that is answered is described as it is written; where it is also sent, NAMERequest leaves out what only we
 * write; where it is merged, NAMEPatch requires nothing. tests/http/contract.c holds real answers against it. */
#include "http/openapi.h"
#include "engine/command.h"
#include "http/edge.h"
#include "http/router.h"
#include <string.h>

#define TABLES_MAX 256

struct described {
    const struct field_table *table;
    bool answered, merged;
    bool posted;             /* it is the body of a POST, or an entry of one: it may say dry_run */
    enum fields_schema sent; /* FIELDS_ANSWER: it is the body of no POST or PUT, at most inside one */
};

struct description {
    const struct router *router;
    struct arena *arena;
    struct json_writer json;
    struct described tables[TABLES_MAX];
    size_t table_count;
};

static const char *const method_names[] = { "get", "post", "put", "patch", "delete" };

static void pair(struct json_writer *json, const char *key, const char *text)
{
    json_key(json, key);
    json_text(json, text);
}

static void raw(struct json_writer *json, const char *key, const char *value)
{
    json_key(json, key);
    json_raw(json, value, strlen(value));
}

/* ---- which tables there are ---- */

static struct described *described_of(struct description *all, const struct field_table *table)
{
    for (size_t i = 0; i < all->table_count; i++)
        if (all->tables[i].table == table)
            return &all->tables[i];
    if (all->table_count == TABLES_MAX)
        return NULL;
    all->tables[all->table_count] = (struct described){ .table = table };
    return &all->tables[all->table_count++];
}

static void reach(struct description *all, const struct field_table *table, bool answered)
{
    size_t known = all->table_count;
    struct described *described = described_of(all, table);
    if (described == NULL || (all->table_count == known && (described->answered || !answered)))
        return;
    described->answered |= answered;
    for (size_t i = 0; i < table->count; i++)
        if (table->fields[i].of != NULL && !table->fields[i].not_available)
            reach(all, table->fields[i].of, answered);
}

static const struct field_table *input_of(const struct route *route)
{
    const struct command_type *type = route->command != NULL ? route->command : route->batch_of;
    if (route->maker != NULL)
        return route->maker->input;
    return type == NULL ? NULL : route->method == METHOD_POST ? command_input(type) : type->input;
}

static void reach_all(struct description *all)
{
    for (size_t i = 0; i < router_route_count(all->router); i++) {
        const struct route *route = router_route(all->router, i);
        if (route->answer_of != NULL)
            reach(all, route->answer_of, true);
        if (input_of(route) == NULL)
            continue;
        reach(all, input_of(route), false);
        struct described *described = described_of(all, input_of(route));
        if (described != NULL && route->method == METHOD_PATCH)
            described->merged = true;
        else if (described != NULL) {
            const bool replaces = route->method == METHOD_PUT || route->batch_part != NULL;
            described->posted = described->posted || !replaces;
            described->sent = replaces ? FIELDS_REPLACE : FIELDS_REQUEST;
        }
    }
}

static void schema_ref(struct description *all, const struct field_table *table, enum fields_schema use)
{
    bool apart = use == FIELDS_REQUEST && described_of(all, table) != NULL && described_of(all, table)->answered;
    json_object(&all->json);
    pair(&all->json, "$ref",
         arena_printf(all->arena, "#/components/schemas/%s%s", table->name,
                      use == FIELDS_MERGE ? "Patch"
                      : apart             ? "Request"
                                          : ""));
    json_object_end(&all->json);
}

/* ---- one operation ---- */

static void query_schema(struct json_writer *json, const struct query *query)
{
    json_object(json);
    switch (query->type) {
    case FIELD_INT:
        pair(json, "type", "integer");
        if (query->min != 0 || query->max != 0) {
            json_key(json, "minimum");
            json_int(json, query->min);
            json_key(json, "maximum");
            json_int(json, query->max);
        }
        if (query->preset != 0) {
            json_key(json, "default");
            json_int(json, query->preset);
        }
        break;
    case FIELD_BOOL:
        pair(json, "type", "boolean");
        break;
    case FIELD_TIME:
        pair(json, "type", "string");
        pair(json, "format", "date-time");
        break;
    case FIELD_ENUM:
        pair(json, "type", "string");
        json_key(json, "enum");
        json_array(json);
        for (const char *const *name = query->names; *name != NULL; name++)
            json_text(json, *name);
        json_array_end(json);
        break;
    case FIELD_CODE:
    case FIELD_TEXT:
    case FIELD_MONEY:
    case FIELD_CURRENCY:
    case FIELD_COUNTRY:
    case FIELD_OBJECT:
    case FIELD_LIST:
    case FIELD_CODES:
        pair(json, "type", "string");
        break;
    }
    json_object_end(json);
}

static void path_parameters(struct description *all, const char *path)
{
    struct json_writer *json = &all->json;
    for (const char *at = strchr(path, '{'); at != NULL; at = strchr(at, '{')) {
        size_t bytes = strcspn(++at, "}");
        json_object(json);
        pair(json, "name", arena_text_n(all->arena, at, bytes));
        pair(json, "in", "path");
        raw(json, "required", "true");
        raw(json, "schema", "{\"type\":\"string\",\"minLength\":1,\"maxLength\":64}");
        json_object_end(json);
    }
}

static void parameter_ref(struct json_writer *json, const char *ref)
{
    json_object(json);
    pair(json, "$ref", ref);
    json_object_end(json);
}

static void parameters_write(struct description *all, const struct route *route)
{
    struct json_writer *json = &all->json;
    json_key(json, "parameters");
    json_array(json);
    path_parameters(all, route->path);
    const struct query *rows = route_query(route);
    for (size_t i = 0; i < QUERY_MAX && rows[i].name != NULL; i++) {
        const struct query *query = &rows[i];
        json_object(json);
        pair(json, "name", query->name);
        pair(json, "in", "query");
        json_key(json, "required");
        json_bool(json, query->required);
        if (query->doc != NULL)
            pair(json, "description", query->doc);
        json_key(json, "schema");
        query_schema(json, query);
        json_object_end(json);
    }
    if (route->read == NULL)
        parameter_ref(json, "#/components/parameters/Priority");
    if (route->read == NULL && route->method == METHOD_POST)
        parameter_ref(json, "#/components/parameters/IdempotencyKey");
    if (route->read == NULL && route->method != METHOD_POST)
        parameter_ref(json, "#/components/parameters/IfMatch");
    if (route->read == NULL && route->method == METHOD_PUT)
        parameter_ref(json, "#/components/parameters/IfNoneMatch");
    json_array_end(json);
}

static void list_schema(struct description *all, const char *name, const struct field_table *of, bool request)
{
    struct json_writer *json = &all->json;
    json_object(json);
    pair(json, "type", "object");
    json_key(json, "required");
    json_array(json);
    json_text(json, name);
    json_array_end(json);
    json_key(json, "properties");
    json_object(json);
    json_key(json, name);
    json_object(json);
    pair(json, "type", "array");
    if (request)
        raw(json, "maxItems", "1000");
    json_key(json, "items");
    schema_ref(all, of, request ? FIELDS_REQUEST : FIELDS_ANSWER);
    json_object_end(json);
    if (request)
        raw(json, "dry_run",
            "{\"type\":\"boolean\",\"default\":false,\"description\":\"true: answers what would happen, each entry after those before it, and changes nothing\"}");
    if (!request)
        raw(json, "next", "{\"type\":[\"string\",\"null\"]}");
    json_object_end(json);
    json_object_end(json);
}

static void body_content(struct description *all, const struct route *route, const char *type)
{
    struct json_writer *json = &all->json;
    json_key(json, type);
    json_object(json);
    json_key(json, "schema");
    if (route->batch_of != NULL && route->maker == NULL)
        list_schema(all, route->batch_name, input_of(route), true);
    else
        schema_ref(all, input_of(route), route->method == METHOD_PATCH ? FIELDS_MERGE : FIELDS_REQUEST);
    json_object_end(json);
}

static void body_write(struct description *all, const struct route *route)
{
    struct json_writer *json = &all->json;
    if (input_of(route) == NULL)
        return;
    json_key(json, "requestBody");
    json_object(json);
    raw(json, "required", input_of(route)->count > 0 ? "true" : "false");
    json_key(json, "content");
    json_object(json);
    if (route->method == METHOD_PATCH)
        body_content(all, route, "application/merge-patch+json");
    body_content(all, route, "application/json");
    json_object_end(json);
    json_object_end(json);
}

static void results_schema(struct description *all, const struct route *route)
{
    struct json_writer *json = &all->json;
    json_object(json);
    pair(json, "type", "object");
    json_key(json, "properties");
    json_object(json);
    json_key(json, "results");
    json_object(json);
    pair(json, "type", "array");
    json_key(json, "items");
    json_object(json);
    pair(json, "type", "object");
    raw(json, "required", "[\"status\"]");
    json_key(json, "properties");
    json_object(json);
    raw(json, "status", "{\"type\":\"integer\"}");
    raw(json, "problem", "{\"$ref\":\"#/components/schemas/Problem\"}");
    if (route->answer_of != NULL) {
        json_key(json, route->result_name);
        schema_ref(all, route->answer_of, FIELDS_ANSWER);
    } else
        raw(json, route->result_name, "{\"type\":\"object\"}"); /* as another command answers */
    for (int i = 0; i < 5; i++)
        json_object_end(json);
}

static void success_write(struct description *all, const struct route *route, const char *status, const char *description)
{
    struct json_writer *json = &all->json;
    json_key(json, status);
    json_object(json);
    pair(json, "description", description);
    if (route->answer_of != NULL || route->batch_of != NULL) {
        json_key(json, "content");
        json_object(json);
        json_key(json, "application/json");
        json_object(json);
        json_key(json, "schema");
        if (route->batch_of != NULL)
            results_schema(all, route);
        else if (route->list)
            list_schema(all, "items", route->answer_of, false);
        else
            schema_ref(all, route->answer_of, FIELDS_ANSWER);
        json_object_end(json);
        if (route->event_stream)
            raw(json, "text/event-stream", "{\"schema\":{\"type\":\"string\"}}");
        json_object_end(json);
    } else if (route->content != NULL) {
        bool is_json = strncmp(route->content, "application/json", strlen("application/json")) == 0;
        json_key(json, "content");
        json_object(json);
        raw(json, route->content, is_json ? "{\"schema\":{\"type\":\"object\"}}" : "{\"schema\":{\"type\":\"string\"}}");
        json_object_end(json);
    }
    json_object_end(json);
}

static void responses_write(struct description *all, const struct route *route)
{
    struct json_writer *json = &all->json;
    json_key(json, "responses");
    json_object(json);
    if (route->method != METHOD_DELETE)
        success_write(all, route, "200", route->batch_of != NULL ? "One result for each entry, in order" : "Done, or as it stands");
    if (route->command != NULL && (route->method == METHOD_POST || route->method == METHOD_PUT))
        success_write(all, route, "201", "Made");
    if (route->method == METHOD_DELETE || (route->command != NULL && route->content != NULL)) /* or as another command answers */
        raw(json, "204", "{\"description\":\"Gone\"}");
    raw(json, "4XX", "{\"$ref\":\"#/components/responses/Problem\"}");
    raw(json, "5XX", "{\"$ref\":\"#/components/responses/Problem\"}");
    json_object_end(json);
}

/* "/v1/orders/{id}/cancel" gives "orders"; what is not under /v1 is the server's. */
static const char *tag_of(struct arena *arena, const struct route *route)
{
    if (strncmp(route->path, "/v1/", 4) != 0)
        return "server";
    return arena_text_n(arena, route->path + 4, strcspn(route->path + 4, "/"));
}

static const char *operation_id(struct arena *arena, const struct route *route)
{
    char *id = arena_printf(arena, "%s%s", method_names[route->method], strncmp(route->path, "/v1/", 4) == 0 ? route->path + 3 : route->path);
    size_t bytes = 0;
    for (const char *at = id; *at != '\0'; at++)
        if (strchr("{}", *at) == NULL)
            id[bytes++] = (char)(strchr("/.-", *at) != NULL ? '_' : *at);
    id[bytes] = '\0';
    return id;
}

static void operation_write(struct description *all, const struct route *route)
{
    struct json_writer *json = &all->json;
    json_key(json, method_names[route->method]);
    json_object(json);
    pair(json, "operationId", operation_id(all->arena, route));
    pair(json, "summary", route->summary != NULL ? route->summary : route->path);
    json_key(json, "tags");
    json_array(json);
    json_text(json, tag_of(all->arena, route));
    json_array_end(json);
    if (route->scopes == SCOPE_NONE)
        raw(json, "security", "[]");
    parameters_write(all, route);
    body_write(all, route);
    responses_write(all, route);
    json_object_end(json);
}

/* ---- the whole ---- */

/* Whether an earlier route said the same: the first one speaks for all. */
static bool path_was(const struct router *router, size_t number)
{
    for (size_t i = 0; i < number; i++)
        if (strcmp(router_route(router, i)->path, router_route(router, number)->path) == 0)
            return true;
    return false;
}

static bool tag_was(struct description *all, size_t number)
{
    for (size_t i = 0; i < number; i++)
        if (strcmp(tag_of(all->arena, router_route(all->router, i)), tag_of(all->arena, router_route(all->router, number))) == 0)
            return true;
    return false;
}

static void paths_write(struct description *all)
{
    struct json_writer *json = &all->json;
    size_t count = router_route_count(all->router);
    json_key(json, "tags");
    json_array(json);
    for (size_t i = 0; i < count; i++) {
        if (tag_was(all, i))
            continue;
        json_object(json);
        const char *tag = tag_of(all->arena, router_route(all->router, i));
        pair(json, "name", tag);
        pair(json, "description", strcmp(tag, "server") == 0 ? "The server itself" : arena_printf(all->arena, "What stands under /v1/%s", tag));
        json_object_end(json);
    }
    json_array_end(json);
    json_key(json, "paths");
    json_object(json);
    for (size_t i = 0; i < count; i++) {
        if (path_was(all->router, i))
            continue;
        json_key(json, router_route(all->router, i)->path);
        json_object(json);
        for (size_t j = i; j < count; j++)
            if (strcmp(router_route(all->router, j)->path, router_route(all->router, i)->path) == 0)
                operation_write(all, router_route(all->router, j));
        json_object_end(json);
    }
    json_object_end(json);
}

static void components_write(struct description *all)
{
    struct json_writer *json = &all->json;
    json_key(json, "components");
    json_object(json);
    raw(json, "securitySchemes", "{\"key\":{\"type\":\"http\",\"scheme\":\"bearer\"}}");
    raw(json, "parameters",
        "{\"IdempotencyKey\":{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"required\":false,\"description\":\"The same key and body get the same "
        "answer again, for 48 hours; of a dry_run none is remembered\",\"schema\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255}},"
        "\"Priority\":{\"name\":\"Priority\",\"in\":\"header\",\"required\":false,\"description\":\"u=7 (RFC 9218): it can wait behind what people "
        "and channels send\",\"schema\":{\"type\":\"string\"}},"
        "\"IfMatch\":{\"name\":\"If-Match\",\"in\":\"header\",\"required\":false,\"description\":\"The ETag that was read; 412 where it is another "
        "by now\",\"schema\":{\"type\":\"string\"}},"
        "\"IfNoneMatch\":{\"name\":\"If-None-Match\",\"in\":\"header\",\"required\":false,\"description\":\"*: make it only; 412 where it is there\","
        "\"schema\":{\"type\":\"string\"}}}");
    raw(json, "responses",
        "{\"Problem\":{\"description\":\"Why not, and what to do\",\"content\":{\"application/problem+json\":{\"schema\":{\"$ref\":"
        "\"#/components/schemas/Problem\"}}}}}");
    json_key(json, "schemas");
    json_object(json);
    raw(json, "Problem",
        "{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\",\"code\",\"detail\"],\"properties\":{\"type\":{\"type\":\"string\","
        "\"format\":\"uri-reference\"},\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},\"code\":{\"type\":\"string\"},\"detail\":{"
        "\"type\":\"string\"},\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"pointer\",\"code\",\"detail\"],"
        "\"properties\":{\"pointer\":{\"type\":\"string\"},\"code\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"}}}}}}");
    for (size_t i = 0; i < all->table_count; i++) {
        const struct described *described = &all->tables[i];
        const struct field_table *also = described->posted ? &command_options : NULL;
        json_key(json, described->table->name);
        fields_schema(json, described->table, described->answered ? FIELDS_ANSWER : FIELDS_REQUEST, described->answered ? NULL : also);
        if (described->answered && described->sent != FIELDS_ANSWER) {
            json_key(json, arena_printf(all->arena, "%sRequest", described->table->name));
            fields_schema(json, described->table, described->sent, also);
        }
        if (described->merged) {
            json_key(json, arena_printf(all->arena, "%sPatch", described->table->name));
            fields_schema(json, described->table, FIELDS_MERGE, NULL);
        }
    }
    json_object_end(json);
    json_object_end(json);
}

const char *openapi_make(const struct router *router, const char *version, struct arena *arena, size_t *bytes)
{
    struct description *all = ARENA_NEW(arena, struct description);
    struct json_writer *json = &all->json;
    all->router = router;
    all->arena = arena;
    json_begin(json, arena);
    reach_all(all);
    json_object(json);
    pair(json, "openapi", "3.1.0");
    json_key(json, "info");
    json_object(json);
    pair(json, "title", "Millrace");
    pair(json, "version", version);
    pair(json, "description", "An ecommerce ERP: stock, promises, orders and what becomes of them.");
    raw(json, "license", "{\"name\":\"Apache 2.0\",\"identifier\":\"Apache-2.0\"}");
    json_object_end(json);
    raw(json, "servers", "[{\"url\":\"/\"}]");
    raw(json, "security", "[{\"key\":[]}]");
    paths_write(all);
    components_write(all);
    json_object_end(json);
    *bytes = json->out.size;
    return json->out.at;
}
