/* src/check/routing.c: what a unit routes by: its nodes and channels are there, rate tables have the zones that they say, and a day has
 * as many fulfilment orders counted as its node was given on it. */
#include "check/check.h"
#include "check_sql.h"
#include "routing/masters.h"

static int64_t zones_said(struct check *check, const char *body)
{
    struct rates_io *io = ARENA_NEW(check->arena, struct rates_io);
    struct faults faults = { .arena = check->arena };
    (void)fields_read_text(check->arena, body, strlen(body), &rates_fields, FIELDS_KEPT, io, &faults);
    return (int64_t)io->zones.count;
}

static enum db_result check_zones(struct check *check, int64_t unit, int64_t rates, int64_t said)
{
    struct check_rate_zones_result *zones;
    size_t count;
    enum db_result result = check_rate_zones(check->db, check->arena, unit, rates - 1, rates, &zones, &count);
    if (result == DB_OK && (int64_t)count != said)
        check_found(check, "rate_zones", "a rate table has the zones that it says",
                    arena_printf(check->arena, "unit %ld rates %ld", (long)unit, (long)rates), said, (int64_t)count);
    return result;
}

/* Days stand in both in their order, and each has been given something. */
static void compare_days(struct check *check, int64_t unit, int64_t node, const struct check_node_days_result *days, size_t count,
                         const struct check_given_result *given, size_t given_count)
{
    for (size_t d = 0, g = 0; d < count || g < given_count;) {
        const bool counted = d < count && (g == given_count || days[d].day <= given[g].given_day);
        const bool routed = g < given_count && (d == count || given[g].given_day <= days[d].day);
        const int64_t is = counted ? days[d].given : 0, should = routed ? given[g].given : 0;
        if (is != should)
            check_found(
                check, "node_day", "what was counted of a node's day is what it was given",
                arena_printf(check->arena, "unit %ld node %ld day %ld", (long)unit, (long)node, (long)(counted ? days[d].day : given[g].given_day)),
                should, is);
        d += counted;
        g += routed;
    }
}

static enum db_result check_days_of(struct check *check, int64_t unit, int64_t after, int64_t node)
{
    struct check_node_days_result *days;
    struct check_given_result *given;
    size_t count = 0, given_count = 0;
    enum db_result result = db_begin_read(check->db);
    if (result == DB_OK)
        result = check_node_days(check->db, check->arena, unit, after, node, &days, &count);
    if (result == DB_OK)
        result = check_given(check->db, check->arena, unit, node, &given, &given_count);
    (void)db_rollback(check->db);
    size_t own = 0; /* those of nodes that nobody knows come first */
    for (; result == DB_OK && own < count && days[own].node != node; own++)
        must_know(check, &check->nodes, unit, "node of node_day", days[own].day, days[own].node);
    if (result == DB_OK)
        compare_days(check, unit, node, days + own, count - own, given, given_count);
    return result;
}

static enum db_result check_days(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    for (size_t i = 0; result == DB_OK && i < check->nodes.count; i++) {
        result = check_days_of(check, unit, i == 0 ? 0 : check->nodes.ids[i - 1], check->nodes.ids[i]);
        arena_reset(check->arena);
    }
    return result;
}

enum db_result check_routing_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (size_t count = 100; count == 100 && result == DB_OK;) {
        struct check_routing_masters_result *rows;
        result = check_routing_masters(check->db, check->arena, unit, after, 100, &rows, &count);
        for (size_t i = 0; result == DB_OK && i < count; i++) {
            after = rows[i].id;
            if (rows[i].kind == ROUTING_SHIPPING)
                must_know(check, &check->nodes, unit, "node of routing_master", rows[i].id, rows[i].about);
            else if (rows[i].kind == ROUTING_POLICY && rows[i].about != 0)
                must_know(check, &check->channels, unit, "channel of routing_master", rows[i].id, rows[i].about);
            else if (rows[i].kind == ROUTING_RATES && unit != 0)
                result = check_zones(check, unit, rows[i].id, zones_said(check, rows[i].body));
        }
        arena_reset(check->arena);
    }
    return result == DB_OK && unit != 0 ? check_days(check, unit) : result;
}
