/* src/inventory/listed.h: GET of one thing by its id, and of all in the order in which they were made, in pages: the same for all things that have
 * lines of their own (transfers, recalls). A page ends early where the answer grows long; `next` goes on. */
#ifndef MILLRACE_INVENTORY_LISTED_H
#define MILLRACE_INVENTORY_LISTED_H

#include "base/json.h"
#include "engine/api.h"
#include "engine/ws.h"

struct listed {
    const char *prefix, *thing; /* of ids; as a fault calls it */
    const struct db_table *table;
    /* Writes the one with this id as an object; false: there is none. *version is its ETag. */
    bool (*write)(struct ws *ws, int64_t id, struct json_writer *json, int64_t *version);
    /* The ids of a unit behind `after`, at most `most`, in order. state 0: of any. */
    enum db_result (*find)(const struct reading *reading, int64_t unit, int64_t state, int64_t after, int64_t most, int64_t *ids, size_t *count);
};
void listed_get(struct reading *reading, const struct request *request, struct answer *answer, const struct listed *listed);
/* The query has state, limit and cursor, in this order. */
void listed_all(struct reading *reading, const struct request *request, struct answer *answer, const struct listed *listed);

#endif
