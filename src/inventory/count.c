/* src/inventory/count.c: a count tells what was there when its counter saw the last event. Two may have counted the same, and the news of the one
 * who counted first may come last. So a count as of an event looks at those of the position that were told behind it:
 * - one that saw a later state is right about now: this one comes too late and changes nothing;
 * - those that saw an earlier one, or the same, have corrected what was wrong then already, and the event did not know it yet: that is taken off.
 * Units that moved since do not matter: what was wrong then is wrong now by as much. A count without an event is one of all there is. */
#include "inventory/count.h"
#include "engine/exceptions.h"

#define AT_ONCE 8

static const struct db_value *prefix_of(struct ws *ws, const int64_t position[4])
{
    struct db_value *prefix = ARENA_ARRAY(ws_arena(ws), struct db_value, 4);
    for (size_t i = 0; i < 4; i++)
        prefix[i] = db_int(position[i]);
    return prefix;
}

void count_want(struct ws *ws, const int64_t position[4])
{
    ws_want_path(ws, &count_of_position, prefix_of(ws, position), AT_ONCE);
}

int64_t count_corrects(struct ws *ws, struct count *count)
{
    int64_t knows = count->was_on_hand;
    const struct count_fact_row *told = NULL;
    struct ws_cursor cursor = { 0 };
    if (count->as_of != COUNTED_NOW)
        cursor = ws_scan(ws, &count_of_position, prefix_of(ws, count->position), AT_ONCE);
    while (count->as_of != COUNTED_NOW && !count->superseded && (told = ws_next(ws, &cursor)) != NULL && told->seq > count->as_of) {
        count->superseded = told->as_of > count->as_of;
        knows += told->delta;
    }
    count->delta = count->superseded ? 0 : count->counted - knows;
    return count->delta;
}

void count_note(struct ws *ws, const struct count *count, int64_t seq, int64_t adjustment)
{
    struct count_fact_row row = { .unit = count->position[0],
                                  .sku = count->position[1],
                                  .node = count->position[2],
                                  .class = count->position[3],
                                  .seq = seq,
                                  .as_of = count->as_of == COUNTED_NOW ? seq : count->as_of,
                                  .counted = count->counted,
                                  .delta = count->delta,
                                  .adjustment = adjustment,
                                  .at = ws_now_us(ws) };
    ws_insert(ws, &count_fact_table, &row);
}

/* ---- differences ---- */

static const char *cause_of(struct ws *ws, int64_t node, int64_t sku)
{
    return arena_printf(ws_arena(ws), "%s/%ld/%ld", exception_names[EXCEPTION_COUNT_DIFFERENCE - 1], (long)node, (long)sku);
}

void count_difference_want(struct ws *ws, int64_t node, int64_t sku)
{
    exception_want(ws, cause_of(ws, node, sku));
}

void count_differs(struct ws *ws, int64_t node, int64_t sku, int64_t units)
{
    exception_open(ws, &(struct exception){ .type = EXCEPTION_COUNT_DIFFERENCE,
                                            .cause = cause_of(ws, node, sku),
                                            .subject_kind = SUBJECT_POSITION,
                                            .node = node,
                                            .sku = sku,
                                            .quantity = units,
                                            .detail = "a count was booked that differs by more than the node tolerates: find out why" });
}

bool count_agrees(struct ws *ws, int64_t node, int64_t sku)
{
    const struct exception_item_row *open = exception_find(ws, cause_of(ws, node, sku));
    if (open != NULL)
        (void)exception_close(ws, open);
    return open != NULL;
}
