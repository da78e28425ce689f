/* src/engine/exceptions.h: work for a person, as rows that any module may open. What is kept here is what holds for all: one is open for each
 * cause, what comes again is counted, and it closes when its cause is gone. Which causes there are, and when one is gone, is the rule of the
 * module that opens it. Design: docs/design/engine.md. */
#ifndef MILLRACE_ENGINE_EXCEPTIONS_H
#define MILLRACE_ENGINE_EXCEPTIONS_H

#include "base/json.h"
#include "engine/event.h"
#include "engine/ws.h"

/* Who is to look at it first. */
#define EXCEPTION_TEAMS(X)                  \
    X(CUSTOMER_SERVICE, "customer_service") \
    X(PURCHASING, "purchasing")             \
    X(WAREHOUSE, "warehouse")               \
    X(OPERATIONS, "operations")             \
    X(CATALOGUE, "catalogue")               \
    X(QUALITY, "quality")                   \
    X(INTEGRATION, "integration")

/* The number is what the row keeps: new types at the end. */
#define EXCEPTION_TYPES(X) /* name, as the API says it, team */ \
    X(SHORTAGE, "shortage", PURCHASING)                         \
    X(OVERSELL, "oversell", CUSTOMER_SERVICE)                   \
    X(BROKEN_CLAIM, "broken_claim", CUSTOMER_SERVICE)           \
    X(UNMAPPED, "unmapped", CATALOGUE)                          \
    X(TRANSFER_SHORT, "transfer_short", WAREHOUSE)              \
    X(SHORT_PICK, "short_pick", WAREHOUSE)                      \
    X(SUPPLY_LATE, "supply_late", PURCHASING)                   \
    X(SUPPLY_SHORT, "supply_short", PURCHASING)                 \
    X(DECLINED, "declined", OPERATIONS)                         \
    X(NODE_FAILED, "node_failed", OPERATIONS)                   \
    X(WEBHOOK_FAILING, "webhook_failing", INTEGRATION)          \
    X(RECALL, "recall", QUALITY)                                \
    X(SNAPSHOT_DIFFERENCE, "snapshot_difference", WAREHOUSE)    \
    X(COUNT_DIFFERENCE, "count_difference", WAREHOUSE)          \
    X(LOST_PARCEL, "lost_parcel", CUSTOMER_SERVICE)             \
    X(CULPRIT_COMMAND, "culprit_command", INTEGRATION)

enum exception_team {
#define EXCEPTION_ENUM(name, text) TEAM_##name,
    EXCEPTION_TEAMS(EXCEPTION_ENUM)
#undef EXCEPTION_ENUM
        EXCEPTION_TEAM_COUNT
};
enum exception_type {
    EXCEPTION_NONE,
#define EXCEPTION_ENUM(name, text, team) EXCEPTION_##name,
    EXCEPTION_TYPES(EXCEPTION_ENUM)
#undef EXCEPTION_ENUM
        EXCEPTION_TYPE_COUNT
};
extern const char *const exception_names[EXCEPTION_TYPE_COUNT];          /* from the first type; NULL ends them */
extern const char *const exception_team_names[EXCEPTION_TEAM_COUNT + 1]; /* NULL ends them */
extern const enum exception_team exception_teams[EXCEPTION_TYPE_COUNT];  /* by type */

enum exception_state { EXCEPTION_OPEN = 1, EXCEPTION_CLOSED };

/* Units, or whole bundles, of a line of what it is about; written as "KEY":[{"line":1,"quantity":2}]. */
struct line_units {
    int64_t line, quantity;
};
void line_units_tell(struct json_writer *json, const char *key, const struct line_units *lines, size_t count);

struct exception {
    enum exception_type type;
    const char *cause;              /* the same cause is the same text, of one type only: "shortage/1234" */
    enum subject_kind subject_kind; /* what went wrong; none: the order below */
    int64_t subject;
    int64_t order;               /* whose timeline tells it, 0: none */
    int64_t node, sku, quantity; /* 0: not of one node, not of one SKU; units at risk */
    const char *detail;
    const struct line_units *lines; /* of its subject, for the event; NULL: it has none */
    size_t line_count;
};

/* The open exception of a cause, or NULL. */
const struct exception_item_row *exception_find(struct ws *ws, const char *cause);
void exception_want(struct ws *ws, const char *cause); /* a hint, before several are opened or looked for */

/* Opens it and tells so; is one of the cause open already, it counts one more and the units come to it, and nothing is told. */
void exception_open(struct ws *ws, const struct exception *exception);

/* Its cause is gone. The row is open. Returns the seq of the event that tells it. */
int64_t exception_close(struct ws *ws, const struct exception_item_row *open);

#endif
