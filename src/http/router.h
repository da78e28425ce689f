/* src/http/router.h: which route a method and a path mean, and what stands in its {parts} and its query. */
#ifndef MILLRACE_HTTP_ROUTER_H
#define MILLRACE_HTTP_ROUTER_H

#include "engine/api.h"

/* All tables of the modules and of the server; ends in NULL. A module adds its line in routes.c. */
extern const struct route_table *const http_routes[];

struct router;

/* Builds the tree of all paths. NULL with *error where two routes are the same, or a path is not what a path is. */
struct router *router_new(const struct route_table *const *tables, struct arena *arena, const char **error);

/* Routes in the order of their tables, numbered from 0. */
size_t router_route_count(const struct router *router);
const struct route *router_route(const struct router *router, size_t number);

struct routed {
    const struct route *route; /* NULL: see fault */
    size_t number;
    enum fault_code fault; /* NOT_FOUND, METHOD_NOT_ALLOWED, MALFORMED_REQUEST */
    const char *detail, *allow;
    const char *path[PATH_PARTS_MAX]; /* the {parts}, decoded */
    const char *query;                /* what follows '?', NULL: nothing */
};

/* `method` and `target` as they came; a HEAD finds the GET. Decoded parts live in the arena. */
struct routed router_find(const struct router *router, struct arena *arena, const char *method, const char *target);

/* What a route's query may say; ends in a row without a name, or at QUERY_MAX. Of a PUT, a PATCH and a DELETE, whose bodies are the thing itself or
 * none: dry_run, as row 0. */
const struct query *route_query(const struct route *route);
/* Whether a preview is asked for by the query, not by a member of the body. */
bool route_is_asked_by_query(const struct route *route);

/* Reads the query by the route's rows into request->query_text and query_number: unknown, doubled, malformed and missing
 * parameters are faults. False with at least one. */
bool query_read(struct request *request, const struct route *route, const char *query, struct faults *faults);

#endif
