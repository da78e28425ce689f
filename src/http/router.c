/* src/http/router.c: a tree of path segments. Each node holds its literal children in order, found by halving, and at
 * most one child for a {part}; a path of five segments costs five look-ups whatever the number of routes. Literals go
 * before parts, without a way back: /v1/orders/batch is never the order with the id "batch". */
#include "http/router.h"
#include "base/when.h"
#include <stdlib.h>
#include <string.h>

#define METHODS 5
static const struct query preview_query[QUERY_MAX] = {
    { .name = "dry_run", .type = FIELD_BOOL, .doc = "true: answers what would happen, and changes nothing" },
};

#define TEXT_BYTES_MAX 1024 /* of a query text whose row sets no bound */

static const char *const method_names[METHODS] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

struct node {
    const char *segment; /* NULL: a {part} */
    size_t bytes;
    struct node **children; /* literals, in order of (length, bytes) */
    size_t child_count;
    struct node *part;
    const struct route *routes[METHODS];
    size_t numbers[METHODS];
    const char *allow;
};

struct router {
    struct node root;
    const struct route **routes;
    size_t route_count;
};

static int segment_compare(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    if (a_bytes != b_bytes)
        return a_bytes < b_bytes ? -1 : 1;
    return memcmp(a, b, a_bytes);
}

/* Where `segment` stands among the children, or would. */
static size_t child_place(const struct node *node, const char *segment, size_t bytes, bool *there)
{
    size_t low = 0, high = node->child_count;
    *there = false;
    while (low < high && !*there) {
        size_t middle = (low + high) / 2;
        int order = segment_compare(segment, bytes, node->children[middle]->segment, node->children[middle]->bytes);
        *there = order == 0;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return *there ? high : low;
}

static struct node *child_add(struct node *node, struct arena *arena, const char *segment, size_t bytes)
{
    bool there;
    size_t place = child_place(node, segment, bytes, &there);
    if (there)
        return node->children[place];
    struct node **children = ARENA_ARRAY(arena, struct node *, node->child_count + 1);
    struct node *child = ARENA_NEW(arena, struct node);
    child->segment = arena_text_n(arena, segment, bytes);
    child->bytes = bytes;
    if (node->child_count > 0) {
        memcpy(children, node->children, place * sizeof *children);
        memcpy(children + place + 1, node->children + place, (node->child_count - place) * sizeof *children);
    }
    children[place] = child;
    node->children = children;
    node->child_count++;
    return child;
}

static struct node *path_add(struct router *router, struct arena *arena, const char *path)
{
    struct node *node = &router->root;
    for (const char *at = path; node != NULL && *at == '/';) {
        const char *segment = ++at;
        at += strcspn(at, "/");
        size_t bytes = (size_t)(at - segment);
        if (segment[0] != '{')
            node = bytes == 0 ? NULL : child_add(node, arena, segment, bytes);
        else {
            if (node->part == NULL)
                node->part = ARENA_NEW(arena, struct node);
            node = node->part;
        }
    }
    return node;
}

static const char *allow_of(const struct node *node, struct arena *arena)
{
    struct buffer allow = { .arena = arena };
    for (size_t i = 0; i < METHODS; i++)
        if (node->routes[i] != NULL)
            buffer_printf(&allow, "%s%s", allow.size > 0 ? ", " : "", i == METHOD_GET ? "GET, HEAD" : method_names[i]);
    return allow.at;
}

struct router *router_new(const struct route_table *const *tables, struct arena *arena, const char **error)
{
    struct router *router = ARENA_NEW(arena, struct router);
    size_t count = 0;
    for (const struct route_table *const *table = tables; *table != NULL; table++)
        count += (*table)->count;
    router->routes = ARENA_ARRAY(arena, const struct route *, count + 1);
    for (; *tables != NULL; tables++)
        for (size_t i = 0; i < (*tables)->count; i++) {
            const struct route *route = &(*tables)->routes[i];
            struct node *node = path_add(router, arena, route->path);
            if (node == NULL || node == &router->root || node->routes[route->method] != NULL) {
                *error =
                    arena_printf(arena, "route %s %s of %s stands twice or is no path", method_names[route->method], route->path, (*tables)->module);
                return NULL;
            }
            node->routes[route->method] = route;
            node->numbers[route->method] = router->route_count;
            node->allow = allow_of(node, arena);
            router->routes[router->route_count++] = route;
        }
    return router;
}

size_t router_route_count(const struct router *router)
{
    return router->route_count;
}

const struct route *router_route(const struct router *router, size_t number)
{
    return router->routes[number];
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoded into the arena; `plus` is a blank in queries. NULL: malformed, or U+0000. */
static char *decoded(struct arena *arena, const char *at, size_t bytes, bool plus, size_t *out_bytes)
{
    char *out = arena_alloc(arena, bytes + 1);
    size_t n = 0;
    for (size_t i = 0; i < bytes; i++) {
        char c = at[i];
        if (c == '%') {
            int high = bytes - i > 2 ? hex_digit(at[i + 1]) : -1, low = bytes - i > 2 ? hex_digit(at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return NULL;
            c = (char)(high * 16 + low);
            i += 2;
            if (c == '\0')
                return NULL;
        } else if (c == '+' && plus)
            c = ' ';
        out[n++] = c;
    }
    out[n] = '\0';
    *out_bytes = n;
    return out;
}

static struct routed not_found(void)
{
    return (struct routed){ .fault = FAULT_NOT_FOUND, .detail = "nothing stands at this path" };
}

static struct routed malformed(const char *detail)
{
    return (struct routed){ .fault = FAULT_MALFORMED_REQUEST, .detail = detail };
}

/* The path of "/path", or of the absolute form "http://host/path" that a proxy may send (RFC 9112, 3.2.2). */
static const char *path_of(const char *target)
{
    const char *scheme = strncmp(target, "http://", 7) == 0 ? target + 7 : strncmp(target, "https://", 8) == 0 ? target + 8 : NULL;
    return scheme == NULL ? target : scheme + strcspn(scheme, "/");
}

static const struct node *step(const struct node *node, struct arena *arena, const char *at, size_t bytes, struct routed *out, size_t *parts)
{
    const char *segment = at;
    size_t segment_bytes = bytes;
    if (memchr(at, '%', bytes) != NULL) {
        segment = decoded(arena, at, bytes, false, &segment_bytes);
        if (segment == NULL || !utf8_valid(segment, segment_bytes)) {
            *out = malformed("the path holds broken percent encoding, or what is not UTF-8");
            return NULL;
        }
    }
    bool there;
    size_t place = child_place(node, segment, segment_bytes, &there);
    if (there)
        return node->children[place];
    if (node->part == NULL || *parts == PATH_PARTS_MAX) {
        *out = not_found();
        return NULL;
    }
    bool dots = (segment_bytes == 1 && segment[0] == '.') || (segment_bytes == 2 && memcmp(segment, "..", 2) == 0);
    if (dots || !text_is_code(segment, segment_bytes, 64)) {
        *out = malformed("a part of the path is no code: 1 to 64 bytes of NFC UTF-8 without control characters, and not . or ..");
        return NULL;
    }
    out->path[(*parts)++] = arena_text_n(arena, segment, segment_bytes);
    return node->part;
}

struct routed router_find(const struct router *router, struct arena *arena, const char *method, const char *target)
{
    struct routed out = { 0 };
    const struct node *node = &router->root;
    const char *at = path_of(target);
    size_t parts = 0;
    if (strchr(target, '#') != NULL)
        return malformed("a fragment is no part of a request");
    if (*at != '/')
        return not_found();
    while (*at == '/') {
        const char *segment = ++at;
        at += strcspn(at, "/?");
        node = step(node, arena, segment, (size_t)(at - segment), &out, &parts);
        if (node == NULL)
            return out;
    }
    out.query = *at == '?' ? at + 1 : NULL;
    if (node->allow == NULL)
        return not_found();
    const char *name = strcmp(method, "HEAD") == 0 ? "GET" : method;
    for (size_t i = 0; i < METHODS; i++)
        if (node->routes[i] != NULL && strcmp(method_names[i], name) == 0) {
            out.route = node->routes[i];
            out.number = node->numbers[i];
            return out;
        }
    out.fault = FAULT_METHOD_NOT_ALLOWED;
    out.allow = node->allow;
    out.detail = arena_printf(arena, "%s is not among %s", method, node->allow);
    return out;
}

/* Digits with an optional minus and without superfluous zeros. */
static bool number_of(const char *text, int64_t *out)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    size_t count = strspn(digits, "0123456789");
    if (count == 0 || count > 18 || digits[count] != '\0' || (digits[0] == '0' && (count > 1 || digits != text)))
        return false;
    *out = strtoll(text, NULL, 10);
    return true;
}

static bool enum_of(const char *const *names, const char *text, int64_t *out)
{
    for (int64_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], text) == 0) {
            *out = i;
            return true;
        }
    return false;
}

/* What is wrong with a value; NULL: nothing. */
static const char *value_fault(struct arena *arena, const struct query *row, const char *text, size_t bytes, int64_t *number)
{
    bool bounded = row->min != 0 || row->max != 0;
    switch (row->type) {
    case FIELD_INT:
        if (!number_of(text, number))
            return "is not a whole number";
        if (bounded && (*number < row->min || *number > row->max))
            return arena_printf(arena, "is not within %lld and %lld", (long long)row->min, (long long)row->max);
        return NULL;
    case FIELD_ENUM:
        return enum_of(row->names, text, number) ? NULL : "is none of its values";
    case FIELD_BOOL:
        *number = strcmp(text, "true") == 0;
        return *number == 1 || strcmp(text, "false") == 0 ? NULL : "is neither true nor false";
    case FIELD_TIME:
        return when_parse(text, bytes, number) ? NULL : "is no RFC 3339 time";
    case FIELD_CODE:
        return text_is_code(text, bytes, 64) ? NULL : "is no code: 1 to 64 bytes of NFC UTF-8 without control characters";
    case FIELD_TEXT:
        if (!utf8_valid(text, bytes))
            return "is not UTF-8";
        return bytes <= (row->max > 0 ? (size_t)row->max : TEXT_BYTES_MAX) ? NULL : "is too long";
    case FIELD_MONEY:
    case FIELD_CURRENCY:
    case FIELD_COUNTRY:
    case FIELD_OBJECT:
    case FIELD_LIST:
    case FIELD_CODES:
        break;
    }
    return "has a type that no query parameter may have";
}

bool route_is_asked_by_query(const struct route *route)
{
    return route->read == NULL && route->method != METHOD_POST;
}

const struct query *route_query(const struct route *route)
{
    return route_is_asked_by_query(route) ? preview_query : route->query;
}

static void pair_read(struct request *request, const struct query *rows, const char *at, size_t bytes, struct faults *faults)
{
    const char *equals = memchr(at, '=', bytes);
    size_t name_bytes = equals == NULL ? bytes : (size_t)(equals - at), value_bytes = 0, row = 0;
    char *name = decoded(request->arena, at, name_bytes, true, &name_bytes);
    char *value =
        equals == NULL ? arena_text(request->arena, "") : decoded(request->arena, equals + 1, bytes - (size_t)(equals + 1 - at), true, &value_bytes);
    if (name == NULL || value == NULL || !utf8_valid(name, name_bytes)) {
        fault_add(faults, FAULT_MALFORMED_QUERY, NULL, "broken percent encoding in the query");
        return;
    }
    while (row < QUERY_MAX && rows[row].name != NULL && strcmp(rows[row].name, name) != 0)
        row++;
    if (row == QUERY_MAX || rows[row].name == NULL) {
        fault_add(faults, FAULT_MALFORMED_QUERY, NULL, "unknown parameter \"%.*s\"", (int)utf8_cut(name, strlen(name), 64), name);
        return;
    }
    if (request->query_text[row] != NULL) {
        fault_add(faults, FAULT_MALFORMED_QUERY, NULL, "%s came twice", name);
        return;
    }
    const char *fault = value_fault(request->arena, &rows[row], value, value_bytes, &request->query_number[row]);
    if (fault != NULL)
        fault_add(faults, FAULT_MALFORMED_QUERY, NULL, "%s %s", name, fault);
    request->query_text[row] = value;
}

bool query_read(struct request *request, const struct route *route, const char *query, struct faults *faults)
{
    const struct query *rows = route_query(route);
    size_t before = faults->count;
    for (size_t i = 0; i < QUERY_MAX && rows[i].name != NULL; i++)
        request->query_number[i] = rows[i].preset;
    while (query != NULL && *query != '\0') {
        size_t bytes = strcspn(query, "&");
        if (bytes > 0)
            pair_read(request, rows, query, bytes, faults);
        query += bytes + (query[bytes] == '&');
    }
    for (size_t i = 0; i < QUERY_MAX && rows[i].name != NULL; i++)
        if (rows[i].required && request->query_text[i] == NULL)
            fault_add(faults, FAULT_MALFORMED_QUERY, NULL, "%s is required", rows[i].name);
    return faults->count == before;
}
