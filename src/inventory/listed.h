/* src/inventory/listed.h: GET of one thing by its id, and of all in the order in which they were made, in pages: the same for all things that have
 * lines of their own (transfers, recalls, supplies, returns, fulfilment orders). A page ends early where the answer grows long; `next` goes on. */
#ifndef MILLRACE_INVENTORY_LISTED_H
#define MILLRACE_INVENTORY_LISTED_H

#include "base/json.h"
#include "engine/api.h"
#include "engine/ws.h"

/* What a page is asked for, in one unit. */
struct listed_page {
    const struct reading *reading;
    int64_t unit, state, node, sku; /* 0: of any */
    int64_t after, most;
    int64_t *ids; /* out: those behind `after`, at most `most`, in order */
    size_t count;
    int64_t looked_upto; /* out: the last that was looked at, where that may be more than is given; else 0 */
    bool more;           /* out: there may be more behind looked_upto */
};
struct listed {
    const char *prefix, *thing; /* of ids; as a fault calls it */
    const struct db_table *table;
    /* Writes the one with this id as an object; false: there is none. *version is its ETag. */
    bool (*write)(struct ws *ws, int64_t id, struct json_writer *json, int64_t *version);
    enum db_result (*find)(struct listed_page *page); /* NULL: of what is not listed as a whole */
    /* Asks for what writing so many will need, in one go; each alone would be one. NULL: their rows alone. */
    void (*want)(struct ws *ws, const int64_t *ids, size_t count);
    bool filtered; /* the query of listed_all has state, node, SKU, limit and cursor, in this order; else state, limit and cursor */
};
void listed_get(struct reading *reading, const struct request *request, struct answer *answer, const struct listed *listed);
void listed_all(struct reading *reading, const struct request *request, struct answer *answer, const struct listed *listed);
/* Writes those with these ids, a piece at a time, fewer where they have many lines, to where the answer grows long. *done: how many of them are in
 * it, or are not there. */
enum db_result listed_write(struct reading *reading, const struct listed *listed, int64_t unit, const int64_t *ids, size_t count,
                            struct json_writer *json, size_t *done);

#endif
