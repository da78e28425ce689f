/* src/routing/routing.c: from what a unit has said to the figures that route.c weighs. A rule takes nodes away, for the whole order or for its
 * SKUs of a kind; what is left is priced by the zone of its rate table and dated by its calendar. */
#include "routing/routing.h"
#include "base/when.h"
#include "routing/calendar.h"
#include "routing/masters.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct routing {
    struct ws *ws;
    const struct routing_master_row *row;
    struct policy_io policy;
    const char *channel;
    struct route_facts routed;
};

/* ---- the policy ---- */

void routing_want(struct ws *ws)
{
    ws_want_path(ws, &routing_of_kind, WS_PREFIX(db_int(ws_unit(ws)), db_int(ROUTING_POLICY)), 0);
}

bool routing_known(struct ws *ws)
{
    return ws_known(ws, &routing_of_kind, WS_PREFIX(db_int(ws_unit(ws)), db_int(ROUTING_POLICY))) != NULL;
}

struct routing *routing_open(struct ws *ws, const struct channel_row *channel, const struct route_facts *routed)
{
    const struct routing_master_row *row, *best = NULL;
    struct ws_cursor cursor = ws_scan(ws, &routing_of_kind, WS_PREFIX(db_int(ws_unit(ws)), db_int(ROUTING_POLICY)), 0);
    while ((row = ws_next(ws, &cursor)) != NULL) {
        if (row->about == channel->id && (best == NULL || best->about == 0))
            best = row;
        if (row->about == 0 && best == NULL)
            best = row;
    }
    if (best == NULL)
        return NULL;
    struct routing *routing = ARENA_NEW(ws_arena(ws), struct routing);
    *routing = (struct routing){ .ws = ws, .row = best, .channel = channel->code, .routed = *routed };
    routing_master_read(ws, best, &policy_fields, &routing->policy);
    return routing;
}

const struct routing_master_row *routing_policy(const struct routing *routing)
{
    return routing->row;
}
int64_t routing_replan_saving(const struct routing *routing)
{
    return routing->policy.replan_saving.minor;
}
bool routing_cost_first(const struct routing *routing)
{
    return routing->policy.first == FIRST_COST;
}
int64_t routing_split_penalty(const struct routing *routing)
{
    return routing->policy.split_penalty.minor;
}
int64_t routing_late_per_day(const struct routing *routing)
{
    return routing->policy.late_per_day.minor;
}

/* ---- rules ---- */

static bool is_among(const struct field_list *list, const char *word)
{
    for (size_t i = 0; i < list->count && word != NULL; i++)
        if (strcmp(((const char *const *)list->items)[i], word) == 0)
            return true;
    return false;
}

static bool begins_with_one(const struct field_list *list, const char *text)
{
    for (size_t i = 0; i < list->count && text != NULL; i++) {
        const char *prefix = ((const char *const *)list->items)[i];
        if (strncmp(prefix, text, strlen(prefix)) == 0)
            return true;
    }
    return false;
}

static bool has_tag_of(const struct field_list *list, const struct field_list *tags)
{
    for (size_t i = 0; i < tags->count; i++)
        if (is_among(list, ((const char *const *)tags->items)[i]))
            return true;
    return false;
}

/* Domains are told apart without regard to case; what stands before the last @ is nobody's business here. */
static bool has_domain_of(const struct field_list *list, const char *email)
{
    const char *at = email == NULL ? NULL : strrchr(email, '@');
    for (size_t i = 0; i < list->count && at != NULL; i++)
        if (strcasecmp(((const char *const *)list->items)[i], at + 1) == 0)
            return true;
    return false;
}

/* Each condition that is given holds. */
static bool applies(const struct routing *routing, const struct rule_io *rule, const struct sku_row *sku)
{
    const struct route_facts *r = &routing->routed;
    return (rule->countries.count == 0 || is_among(&rule->countries, r->country)) &&
           (rule->postal_prefixes.count == 0 || begins_with_one(&rule->postal_prefixes, r->postal_code)) &&
           (rule->tags.count == 0 || has_tag_of(&rule->tags, &r->tags)) &&
           (rule->channels.count == 0 || is_among(&rule->channels, routing->channel)) &&
           (rule->customer_domains.count == 0 || has_domain_of(&rule->customer_domains, r->email)) &&
           (rule->goods.count == 0 || (sku != NULL && is_among(&rule->goods, sku->goods))) && (!rule->hazmat || (sku != NULL && sku->hazmat != 0));
}

static bool names(const struct routing *routing, const struct rule_io *rule, const struct node_row *node)
{
    return is_among(&rule->nodes, node->code) || is_among(&rule->kinds, node_kind_names[node->kind]) ||
           (rule->same_country && text_equal(routing->routed.country, node->country));
}

size_t routing_forbids(const struct routing *routing, const struct node_row *node, const struct sku_row *sku)
{
    const struct rule_io *rules = routing->policy.rules.items;
    for (size_t i = 0; i < routing->policy.rules.count; i++)
        if (applies(routing, &rules[i], sku) && names(routing, &rules[i], node) == (rules[i].effect == RULE_NEVER))
            return i + 1;
    return 0;
}

const char *routing_rule_name(const struct routing *routing, size_t rule)
{
    return rule == 0 || rule > routing->policy.rules.count ? NULL : ((const struct rule_io *)routing->policy.rules.items)[rule - 1].name;
}

/* ---- prices ---- */

/* Pairs of numbers, "a:b;a:b;". */
static size_t pairs_of(struct ws *ws, const char *text, int64_t (**out)[2])
{
    size_t count = 0;
    for (const char *at = text; *at != '\0'; at++)
        count += *at == ';';
    int64_t(*pairs)[2] = arena_alloc_array(ws_arena(ws), count + 1, sizeof *pairs);
    char *at = (char *)(uintptr_t)text;
    for (size_t i = 0; i < count; i++) {
        pairs[i][0] = strtoll(at, &at, 10);
        pairs[i][1] = strtoll(at + 1, &at, 10);
        at++;
    }
    *out = pairs;
    return count;
}

/* The zone with the longest beginning of the postal code; NULL: the table does not go there. */
static const struct rate_zone_row *zone_of(const struct routing *routing, int64_t rates)
{
    const struct route_facts *r = &routing->routed;
    const struct rate_zone_row *row, *best = NULL;
    const struct db_value prefix[] = { db_int(ws_unit(routing->ws)), db_int(rates), db_text(r->country == NULL ? "" : r->country) };
    for (struct ws_cursor cursor = ws_scan(routing->ws, &zone_of_country, prefix, 0); (row = ws_next(routing->ws, &cursor)) != NULL;) {
        size_t bytes = strlen(row->postal_prefix);
        if ((bytes == 0 || (r->postal_code != NULL && strncmp(row->postal_prefix, r->postal_code, bytes) == 0)) &&
            (best == NULL || bytes > strlen(best->postal_prefix)))
            best = row;
    }
    return best;
}

/* ---- dates ---- */

static struct calendar calendar_of(const struct routing *routing, const struct routing_master_row *row, const struct ships_io *io)
{
    struct calendar c = { .handling_days = io->handling_days };
    int64_t(*pairs)[2];
    int64_t *closed = ARENA_ARRAY(ws_arena(routing->ws), int64_t, io->closed.count + 1);
    for (size_t i = 0; i < WEEK_DAYS; i++)
        c.cut_off_min[i] = io->cut_off[i] == NULL ? -1 : cut_off_minutes(io->cut_off[i]);
    for (size_t i = 0; i < io->closed.count; i++)
        c.closed_count += when_date_parse(((const char *const *)io->closed.items)[i], &closed[c.closed_count]);
    c.closed = closed;
    c.change_count = row->zone == NULL ? 0 : pairs_of(routing->ws, row->zone, &pairs);
    c.changes = c.change_count == 0 ? NULL : (const struct clock_change *)pairs;
    return c;
}

/* ---- capacity ---- */

static const struct routing_master_row *ships_of(struct ws *ws, const struct node_row *node)
{
    return ws_find(ws, &routing_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_int(ROUTING_SHIPPING), db_text(node->code)));
}

/* By its calendar's time zone; without one by UTC. */
static int64_t day_of(struct ws *ws, const struct routing_master_row *row)
{
    struct calendar c = { 0 };
    int64_t(*pairs)[2];
    if (row != NULL && row->zone != NULL) {
        c.change_count = pairs_of(ws, row->zone, &pairs);
        c.changes = (const struct clock_change *)pairs;
    }
    return calendar_day(&c, ws_now_us(ws));
}

int64_t routing_given(struct ws *ws, const struct node_row *node)
{
    if (node->capacity_per_day == NULL_INT)
        return NULL_INT;
    struct node_day_row fresh = { .unit = ws_unit(ws), .node = node->id, .day = day_of(ws, ships_of(ws, node)), .given = 1 };
    const struct node_day_row *row = ws_get(ws, &node_day_table, WS_KEY(fresh.unit, fresh.node, fresh.day));
    if (row == NULL)
        ws_insert(ws, &node_day_table, &fresh);
    else
        ((struct node_day_row *)ws_edit(ws, row))->given++;
    return fresh.day;
}

/* ---- a node ---- */

static void price_and_days(const struct routing *routing, const struct ships_io *io, struct ships *out, int64_t *transit_days)
{
    struct ws *ws = routing->ws;
    *transit_days = io->transit_days;
    out->node.handling = io->parcel.minor;
    const struct routing_master_row *rates =
        io->rates == NULL ? NULL : ws_find(ws, &routing_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_int(ROUTING_RATES), db_text(io->rates)));
    if (rates == NULL)
        return;
    const struct rate_zone_row *zone = zone_of(routing, rates->id);
    out->unserved = zone == NULL;
    if (zone == NULL)
        return;
    int64_t(*pairs)[2];
    out->node.step_count = pairs_of(ws, zone->steps, &pairs);
    out->node.steps = (const struct route_step *)pairs;
    out->zone = zone->part;
    if (zone->transit_days != NULL_INT)
        *transit_days = zone->transit_days;
}

void routing_ships(const struct routing *routing, const struct node_row *node, struct ships *out)
{
    struct ws *ws = routing->ws;
    const struct routing_master_row *row = ships_of(ws, node);
    const int64_t promise_by = routing->routed.promise_by;
    *out = (struct ships){ .node.priority = node->priority, .leaves_day = INT64_MIN };
    if (node->capacity_per_day != NULL_INT) {
        const struct node_day_row *given = ws_get(ws, &node_day_table, WS_KEY(ws_unit(ws), node->id, day_of(ws, row)));
        out->given_today = given == NULL ? 0 : given->given;
        out->node.full = out->given_today >= node->capacity_per_day;
    }
    if (row == NULL)
        return;
    struct ships_io *io = ARENA_NEW(ws_arena(ws), struct ships_io);
    int64_t transit_days;
    routing_master_read(ws, row, &ships_fields, io);
    price_and_days(routing, io, out, &transit_days);
    struct calendar calendar = calendar_of(routing, row, io);
    out->leaves_day = calendar_leaves(&calendar, ws_now_us(ws), out->node.full);
    if (transit_days == NULL_INT || out->leaves_day == INT64_MIN)
        return;
    out->node.arrives_at = calendar_arrives(&calendar, out->leaves_day, transit_days);
    if (promise_by != NULL_INT)
        out->node.late_us = max_i64(0, out->node.arrives_at - promise_by);
}
