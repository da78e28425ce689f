/* src/inventory/adjust.h: POST /v1/inventory/adjustments. */
#ifndef MILLRACE_INVENTORY_ADJUST_H
#define MILLRACE_INVENTORY_ADJUST_H

#include "base/json.h"
#include "engine/command.h"
#include "inventory/inventory.h"

/* A fact (a count, damage, loss: what is there is there, and claims give way) or a choice (what is claimed stays). Refuses
 * NODE_UNKNOWN, SKU_UNKNOWN, HOLDS_NO_STOCK (a bundle), CURRENCY_MISMATCH, all at once; then STOCK_CONFLICT where there is not so
 * much to take. At the edge INVALID and OUT_OF_RANGE, for a move or a delta that says nothing. */
extern const struct field_table adjust_fields, adjusted_fields, broken_fields;
extern const struct command_type stock_adjust;

/* A mirrored node's keeper found so many there, other than we had: ours is made equal as by a count, with the reason `snapshot`. Who waits is
 * not filled: that is the caller's, of all positions at once. */
struct found_there {
    struct goods goods;
    int64_t on_hand, claims;    /* claims: that may be broken at once, the rest by a job */
    int64_t as_of, was_on_hand; /* as_of not 0: so many were there then, and was_on_hand is what our books had */
};
struct adjusted {
    int64_t id;
    struct given given;
    bool frees; /* more is available, or may be had by more */
};
void adjust_by_snapshot(struct ws *ws, const struct found_there *found, struct adjusted *out);
/* A line of a count sheet, booked as an adjustment of its own: a count with set and as_of. Who waits is not filled, as above. */
struct count_booking {
    const struct node_row *node;
    const struct sku_row *sku;
    int64_t as_of, was_on_hand, counted, claims;
};
struct count_booked {
    int64_t adjustment, delta;
    bool superseded;    /* a count of a later state stands */
    int64_t broke;      /* claims that gave way */
    struct freed freed; /* units 0: nothing became available */
};
/* False: refused by a fault in `faults` (STOCK_CONFLICT), and the command is to end. */
bool adjust_book_count(struct ws *ws, const struct count_booking *booking, struct count_booked *out, struct faults *faults);
/* "broken":[...] of claims on these goods, as broken_fields tells openapi. */
void broken_write(struct ws *ws, const struct goods *goods, const struct broken *first, struct json_writer *json);

#endif
