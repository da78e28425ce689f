/* src/check/check.c: the rules in order, and events without a gap. */
#include "check/check.h"
#include "check_sql.h"
#include <stdlib.h>

void check_found(struct check *check, const char *id, const char *what, const char *keys, int64_t expected, int64_t found)
{
    struct violation violation = { id, what, keys, arena_printf(check->arena, "%ld", (long)expected), arena_printf(check->arena, "%ld", (long)found) };
    check->violations++;
    check->tell(check->context, &violation);
}

enum db_result check_events_of(struct check *check, int64_t unit)
{
    struct check_clock_result clock;
    bool found;
    enum db_result result = check_clock(check->db, check->arena, unit, &clock, &found);
    int64_t seq = 0, at = INT64_MIN;
    for (size_t count = CHECK_RANGE; count == CHECK_RANGE && result == DB_OK;) {
        struct check_events_result *events;
        result = check_events(check->db, check->arena, unit, seq, CHECK_RANGE, &events, &count);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            const char *key = arena_printf(check->arena, "unit %ld seq %ld", (long)unit, (long)events[i].seq);
            if (events[i].seq != seq + 1)
                check_found(check, "event_gap", "events are numbered without a gap", key, seq + 1, events[i].seq);
            if (events[i].at < at)
                check_found(check, "event_time", "time never falls from event to event", key, at, events[i].at);
            seq = events[i].seq;
            at = events[i].at;
        }
        arena_reset(check->arena);
    }
    if (result == DB_OK && seq < clock.event_seq)
        check_found(check, "event_gap", "events are numbered without a gap", arena_printf(check->arena, "unit %ld", (long)unit), clock.event_seq, seq);
    return result;
}

enum db_result check_all(struct check *check)
{
    struct check_units_result *units;
    size_t count = 0;
    enum db_result result = check_units(check->db, check->arena, &units, &count);
    int64_t *ids = calloc(count + 1, sizeof *ids);
    if (ids == NULL)
        return DB_BUSY;
    for (size_t i = 0; result == DB_OK && i < count; i++)
        ids[i] = units[i].unit;
    arena_reset(check->arena);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        result = check_events_of(check, ids[i]);
        if (result == DB_OK && ids[i] != 0)
            result = check_stock(check, ids[i]);
        if (result == DB_OK && ids[i] != 0)
            result = check_orders_of(check, ids[i]);
    }
    free(ids);
    return result;
}
