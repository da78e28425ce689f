/* src/engine/api.h: what a module says of its HTTP face: rows of routes, a request, an answer. Plain types, so that a
 * module's api.c knows nothing of sockets and src/http nothing of commerce.
 *
 * A route is a read or a command. A read runs on a reader thread with a connection of its own. A command is parsed and
 * checked for form at the edge, queued in its unit, decided and committed by the engine, and answered after the commit. */
#ifndef MILLRACE_ENGINE_API_H
#define MILLRACE_ENGINE_API_H

#include "base/fields.h"
#include "db/db.h"

enum scope { SCOPE_NONE, SCOPE_READ = 1, SCOPE_ORDERS = 2, SCOPE_INVENTORY = 4, SCOPE_ADMIN = 8 };

/* Who asks: the key that came with the request. Reads need any scope; admin may do everything. */
struct actor {
    int64_t key;      /* id of the API key; 0: Millrace itself */
    const char *name; /* the key's name */
    unsigned scopes;
    int64_t rate, burst; /* how often it may ask: requests a second, 0: as often as it likes, and how many more at once */
};

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE };

/* One query parameter of a read: text as it came, decoded; checked by the read itself through request_query. */
struct query {
    const char *name;
    enum field_type type; /* TEXT, CODE, INT (min .. max), ENUM (names) */
    int64_t min, max, preset;
    const char *const *names;
    bool required;
    bool projected; /* a read that it came with waits for the projection, at most 2 s, then 503 */
    const char *doc;
};

#define PATH_PARTS_MAX 4
#define QUERY_MAX 10

struct request {
    struct arena *arena;
    enum method method;
    const char *target;                /* path and query as they came */
    const char *path[PATH_PARTS_MAX];  /* the {parts} of the route, decoded, checked as codes */
    const char *query_text[QUERY_MAX]; /* by the route's query rows; NULL: did not come */
    int64_t query_number[QUERY_MAX];   /* of INT and ENUM rows: the value or the preset */
    const char *body;
    size_t body_bytes;
    const char *idempotency_key; /* NULL: none */
    const char *if_match;        /* NULL: none; else the ETag's text without quotes, or "*" */
    const char *if_none_match;   /* the same */
    struct actor actor;
    const struct route *route;
};

struct answer {
    int status;
    const char *content_type; /* NULL: application/json */
    const char *body;         /* in the request's arena; NULL: none */
    size_t body_bytes;
    const char *etag; /* without quotes; NULL: none */
    const char *location;
    int retry_after_s; /* 0: none */
};

/* Makes a problem+json answer of the faults (the first sets code and status; all stand under errors where the code is
 * of a body), or of one code. Never by the arena's door: where it is full they say the code, and nothing of this case. */
void answer_faults(struct answer *answer, struct arena *arena, const struct faults *faults);
void answer_fault(struct answer *answer, struct arena *arena, enum fault_code code, const char *pointer, const char *detail);
/* A read that the store did not carry out: 503, to be asked again. result: what it said, not DB_OK. */
void answer_store(struct answer *answer, struct arena *arena, enum db_result result);

/* Whether If-Match lets a change of what is at `version` through (0: it is not there yet): none came, "*" and it is there, or its
 * ETag to the letter. */
bool if_match_holds(const char *if_match, int64_t version);
/* Whether If-None-Match does: none came, "*" and it is not there yet, or another ETag than its own. */
bool if_none_match_holds(const char *if_none_match, int64_t version);

struct router;

/* What a read runs with. */
struct reading {
    struct db *db;         /* the main store */
    struct db *projection; /* caught up with the request's arrival when a query row asks for it */
    struct arena *arena;
    struct vault *vault;         /* opens sealed persons (engine/vault.h) */
    const void *context;         /* what the server hands to its own routes: metrics, openapi */
    const struct router *router; /* what else can be asked (http/router.h) */
};

struct command_type; /* engine/command.h */

/* Entries that are found by what the body says: on a reader's thread, *inputs of the commands in reading->arena. No entry: NOT_FOUND, with the
 * detail `none`. */
struct batch_maker {
    const struct field_table *input;
    enum db_result (*make)(const struct reading *reading, const struct request *request, const void *input, const void ***inputs, size_t *count);
    const char *none;
};

struct route {
    enum method method;
    const char *path; /* "/v1/orders/{id}/cancel" */
    unsigned scopes;  /* any of these; 0: no key is asked */
    void (*read)(struct reading *reading, const struct request *request, struct answer *answer);
    const struct command_type *command;   /* exactly one of read and command */
    const struct command_type *batch_of;  /* command is NULL: the body is {batch_name: [...]}, each entry such a command, each alone */
    const char *batch_name, *result_name; /* "orders", "order" */
    const struct batch_maker *maker;      /* the body does not list the entries of batch_of: they are made of what it says */
    const char *batch_part;               /* the member of an entry that stands for the last part of the path that the type has; NULL: it has none */
    const struct field_table *answer_of;  /* for openapi */
    const char *content;                  /* answer_of is NULL: what it answers with, for openapi */
    bool projected;                       /* a read that waits for the projection, as with a query row that says so */
    bool list;                            /* answers {"items":[answer_of],"next"} */
    bool event_stream;                    /* GET with Accept: text/event-stream is live */
    struct query query[QUERY_MAX];
    const char *summary;
};

struct route_table {
    const char *module;
    const struct route *routes;
    size_t count;
};

#endif
