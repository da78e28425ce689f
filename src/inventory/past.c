/* src/inventory/past.c: what was on hand when a certain event had happened, read from what is never changed again.
 * Each change of a position is told by an event with its buckets (stock_end), so the last one up to the event asked for says all. Events have no
 * index by position, which every order would pay for; but the movements of a SKU are at hand in the projection, and all that a batch writes bears
 * the same time: the last movement of the position that is not later than the event leads to the batch, and there the position's own event is
 * found. Batches may bear the same time, where a clock stood still: then they are looked through as if they were one.
 * Work is bounded by what is looked at, not by how old the event is. */
#include "inventory/past.h"
#include "inventory/inventory.h"
#include "inventory_sql.h"
#include <string.h>

#define PIECE 200
#define EVENTS_A_PIECE 2000
#define LOOKED_AT_MAX 10000

struct look {
    const struct reading *reading;
    struct arena *arena;
    const struct past *past;
    int64_t unit, node, sku, class;
    int64_t at;     /* when the event happened */
    int64_t before; /* movements from here on were looked at */
    int64_t looked;
    bool too_long, found, over;
    int64_t on_hand;
};

static enum db_result resolve(struct look *look)
{
    const struct past *past = look->past;
    struct master_node_result node = { 0 };
    struct master_sku_result sku = { 0 };
    struct past_class_result class = { 0 };
    bool node_known = past->unit != 0, sku_known = false, class_known = past->class == NULL;
    enum db_result result = DB_OK;
    if (node_known)
        node.owner = past->unit, node.id = past->node_id;
    else
        result = master_node(look->reading->db, look->arena, 0, past->node, &node, &node_known);
    if (result == DB_OK && node_known)
        result = master_sku(look->reading->db, look->arena, 0, past->sku, &sku, &sku_known);
    if (result == DB_OK && sku_known && past->class != NULL)
        result = past_class(look->reading->db, look->arena, 0, past->class, &class, &class_known);
    look->over = !node_known || !sku_known || !class_known;
    if (result == DB_OK && !look->over)
        look->unit = node.owner, look->node = node.id, look->sku = sku.id, look->class = class.id;
    return result;
}

static enum db_result event_time(const struct look *look, int64_t seq, int64_t *at, bool *there)
{
    struct past_event_result event = { 0 };
    enum db_result result = past_event(look->reading->db, look->arena, look->unit, seq, &event, there);
    *at = event.at;
    return result;
}

/* The last event up to the one asked for that is not later than `at`: time never falls from event to event. */
static enum db_result last_event_of(const struct look *look, int64_t at, int64_t *seq)
{
    int64_t low = 0, high = look->past->seq; /* low is early enough, or none */
    enum db_result result = DB_OK;
    if (at == look->at)
        low = high;
    while (result == DB_OK && low < high) {
        int64_t middle = low + (high - low + 1) / 2, then;
        bool there = false;
        result = event_time(look, middle, &then, &there);
        if (there && then <= at)
            low = middle;
        else
            high = middle - 1;
    }
    *seq = low;
    return result;
}

/* The position's own event of this time, the last up to `seq`. What facts have taken and claims have not given up yet (quantity) is not on hand. */
static enum db_result find_told(struct look *look, int64_t at, int64_t seq)
{
    enum db_result result = DB_OK;
    bool same_time = true;
    while (result == DB_OK && !look->found && same_time && seq > 0 && !look->too_long) {
        struct past_told_result told;
        int64_t then = 0, below = seq > EVENTS_A_PIECE ? seq - EVENTS_A_PIECE : 0;
        result = past_told(look->reading->db, look->arena, look->unit, below, seq, EVENT_POSITION_CHANGED, look->node, look->sku, look->class, &told,
                           &look->found);
        if (result != DB_OK || look->found) {
            if (look->found)
                look->on_hand =
                    max_i64(0, told.available + told.reserved + told.allocated + told.quarantined - (told.quantity == NULL_INT ? 0 : told.quantity));
            break;
        }
        result = event_time(look, below, &then, &same_time);
        same_time = same_time && then >= at;
        seq = below;
        look->looked += EVENTS_A_PIECE;
        look->too_long = same_time && look->looked >= LOOKED_AT_MAX;
    }
    return result;
}

/* The next ids of movements of the SKU at the node, the last first. */
static enum db_result look_back(struct look *look, int64_t *ids, size_t *found)
{
    struct past_movements_of_sku_result *of_sku;
    struct past_movements_result *all;
    size_t count = 0;
    const bool projected = look->reading->projection != NULL;
    enum db_result result =
        projected ? past_movements_of_sku(look->reading->projection, look->arena, look->unit, look->sku, look->before, PIECE, &of_sku, &count)
                  : past_movements(look->reading->db, look->arena, look->unit, look->before, PIECE, &all, &count);
    *found = 0;
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        look->before = projected ? of_sku[i].id : all[i].id;
        if (projected ? of_sku[i].node == look->node || of_sku[i].other_node == look->node
                      : all[i].sku == look->sku && (all[i].from_node == look->node || all[i].to_node == look->node))
            ids[(*found)++] = look->before;
    }
    look->looked += (int64_t)count;
    look->over = result == DB_OK && count < PIECE;
    return result;
}

static enum db_result load_movements(const struct look *look, const int64_t *ids, size_t count, struct db_rows *rows)
{
    int64_t *keys = ARENA_ARRAY(look->arena, int64_t, 2 * count + 1);
    for (size_t i = 0; i < count; i++) { /* keyed loads want their keys in order */
        keys[2 * i] = look->unit;
        keys[2 * i + 1] = ids[count - 1 - i];
    }
    *rows = (struct db_rows){ 0 };
    return count == 0 ? DB_OK : db_load(look->reading->db, look->arena, &movement_table, keys, count, rows);
}

static enum db_result search(struct look *look)
{
    enum db_result result = DB_OK;
    int64_t tried = INT64_MAX; /* the time that was looked at before */
    look->before = INT64_MAX;
    while (result == DB_OK && !look->found && !look->over && !look->too_long) {
        int64_t ids[PIECE];
        size_t count;
        struct db_rows rows;
        struct arena_mark mark = arena_mark(look->arena);
        result = look_back(look, ids, &count);
        if (result == DB_OK)
            result = load_movements(look, ids, count, &rows);
        for (size_t i = result == DB_OK ? rows.count : 0; i > 0 && result == DB_OK && !look->found && !look->too_long; i--) {
            const struct movement_row *m = db_row(&rows, i - 1);
            int64_t seq = 0;
            if (m->class != look->class || m->at > look->at || m->at >= tried)
                continue;
            tried = m->at;
            result = last_event_of(look, m->at, &seq);
            if (result == DB_OK)
                result = find_told(look, m->at, seq);
        }
        look->too_long = look->too_long || (!look->found && !look->over && look->looked >= LOOKED_AT_MAX);
        arena_rewind(look->arena, mark);
    }
    return result;
}

enum db_result on_hand_at(const struct reading *reading, struct past *past, struct faults *faults, const char *pointer)
{
    struct look look = { .reading = reading, .arena = reading->arena, .past = past };
    bool there = false;
    enum db_result result = resolve(&look);
    if (result == DB_OK && !look.over) {
        result = event_time(&look, past->seq, &look.at, &there);
        if (result == DB_OK && !there)
            fault_add(faults, FAULT_OUT_OF_RANGE, pointer, "there is no event %ld yet", (long)past->seq);
        else if (result == DB_OK)
            result = search(&look);
    }
    if (look.too_long && !look.found)
        fault_add(faults, FAULT_TOO_LONG_AGO, pointer, "more than %d movements of %s, or events, are between event %ld and what is known of it",
                  LOOKED_AT_MAX, past->sku, (long)past->seq);
    past->on_hand = look.on_hand;
    return result;
}
