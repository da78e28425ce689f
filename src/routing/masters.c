/* src/routing/masters.c: rate tables, how nodes ship, policies: checked, kept as they came, copied to their unit. */
#include "routing/masters.h"
#include "base/country.h"
#include "base/when.h"
#include "base/zone.h"
#include "engine/command.h"
#include "routing/api.h"
#include "routing_sql.h"
#include <stdio.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
#define PRICE_MAX INT64_C(1000000000000)
#define MASTER_FIELDS(type)                                                                                    \
    { "code", FIELD_CODE, AT(type, code), .read_only = true, .doc = "of the path" },                           \
    {                                                                                                          \
        "version", FIELD_INT, AT(type, version), .read_only = true, .doc = "rises with every change; the ETag" \
    }

/* ---- fields ---- */

static const struct field step_rows[] = {
    { "up_to_g", FIELD_INT, AT(step_io, up_to_g), .required = true, .min = 1, .max = 1000000000, .doc = "grams; ascending" },
    { "price", FIELD_MONEY, AT(step_io, price), .required = true, .max = PRICE_MAX, .doc = "of one parcel, in the unit's currency" },
};
static const struct field_table step_fields = { "RateStep", step_rows, COUNT(step_rows), sizeof(struct step_io) };
static const struct field zone_rows[] = {
    { "country", FIELD_COUNTRY, AT(zone_io, country), .required = true },
    { "postal_prefix", FIELD_TEXT, AT(zone_io, postal_prefix), .max = 16, .hide_absent = true,
      .doc = "absent: the whole country; the longest that fits counts" },
    { "transit_days", FIELD_INT, AT(zone_io, transit_days), .min = 0, .max = 365, .nullable = true, .preset = NULL_INT, .doc = "null: the node's" },
    { "steps", FIELD_LIST, AT(zone_io, steps), .required = true, .min = 1, .max = 50, .of = &step_fields,
      .doc = "by weight; what is heavier than the last is several parcels" },
};
static const struct field_table zone_fields = { "RateZone", zone_rows, COUNT(zone_rows), sizeof(struct zone_io) };
static const struct field rates_rows[] = {
    MASTER_FIELDS(rates_io),
    { "unit", FIELD_CODE, AT(rates_io, unit), .required = true, .doc = "never changes" },
    { "name", FIELD_TEXT, AT(rates_io, name), .required = true, .min = 1, .max = 255 },
    { "zones", FIELD_LIST, AT(rates_io, zones), .required = true, .min = 1, .max = 1000, .of = &zone_fields,
      .doc = "where none fits the node does not ship" },
};
const struct field_table rates_fields = { "Rates", rates_rows, COUNT(rates_rows), sizeof(struct rates_io) };

#define DAY(number, name)                                                                                                    \
    {                                                                                                                        \
        name, FIELD_TEXT, AT(ships_io, cut_off[number]), .min = 5, .max = 5, .nullable = true,                               \
                                                         .doc = "until when parcels leave that day: \"14:00\"; null: closed" \
    }
static const struct field ships_rows[] = {
    MASTER_FIELDS(ships_io),
    { "time_zone", FIELD_TEXT, AT(ships_io, time_zone), .required = true, .min = 1, .max = 64, .doc = "IANA name: of all times and dates here" },
    DAY(0, "monday"),
    DAY(1, "tuesday"),
    DAY(2, "wednesday"),
    DAY(3, "thursday"),
    DAY(4, "friday"),
    DAY(5, "saturday"),
    DAY(6, "sunday"),
    { "closed", FIELD_CODES, AT(ships_io, closed), .max = 400, .doc = "dates on which nothing leaves: \"2026-12-25\"" },
    { "handling_days", FIELD_INT, AT(ships_io, handling_days), .min = 0, .max = 100, .doc = "open days from the order to the parcel" },
    { "transit_days", FIELD_INT, AT(ships_io, transit_days), .min = 0, .max = 365, .nullable = true, .preset = NULL_INT,
      .doc = "working days under way where the zone says none; null: nobody knows" },
    { "rates", FIELD_CODE, AT(ships_io, rates), .nullable = true, .doc = "what parcels cost; null: nothing" },
    { "parcel", FIELD_MONEY, AT(ships_io, parcel), .max = PRICE_MAX, .hide_absent = true, .doc = "handling of one parcel" },
};
const struct field_table ships_fields = { "Ships", ships_rows, COUNT(ships_rows), sizeof(struct ships_io) };

static const char *const effect_names[] = { "only", "never", NULL };
static const char *const first_names[] = { "fewest_parcels", "lowest_cost", NULL };
static const struct field rule_rows[] = {
    { "name", FIELD_TEXT, AT(rule_io, name), .required = true, .min = 1, .max = 100 },
    { "countries", FIELD_CODES, AT(rule_io, countries), .max = 250, .hide_absent = true, .doc = "orders to one of these" },
    { "postal_prefixes", FIELD_CODES, AT(rule_io, postal_prefixes), .max = 200, .hide_absent = true, .doc = "to a postal code that begins so" },
    { "tags", FIELD_CODES, AT(rule_io, tags), .max = 50, .hide_absent = true, .doc = "with one of these tags" },
    { "channels", FIELD_CODES, AT(rule_io, channels), .max = 50, .hide_absent = true, .doc = "that came by one of these channels" },
    { "customer_domains", FIELD_CODES, AT(rule_io, customer_domains), .max = 200, .hide_absent = true,
      .doc = "of a customer whose e-mail address ends in @ and one of these; a customer who is known otherwise is known by a tag" },
    { "goods", FIELD_CODES, AT(rule_io, goods), .max = 50, .hide_absent = true, .doc = "SKUs of one of these kinds of goods" },
    { "hazmat", FIELD_BOOL, AT(rule_io, hazmat), .hide_absent = true, .doc = "true: SKUs that are dangerous goods" },
    { "effect", FIELD_ENUM, AT(rule_io, effect), .required = true, .names = effect_names, .doc = "only from, or never from, the nodes named here" },
    { "nodes", FIELD_CODES, AT(rule_io, nodes), .max = CHANNEL_NODES_MAX, .hide_absent = true },
    { "kinds", FIELD_CODES, AT(rule_io, kinds), .max = 5, .hide_absent = true, .doc = "nodes of these kinds" },
    { "same_country", FIELD_BOOL, AT(rule_io, same_country), .hide_absent = true, .doc = "true: nodes in the country that the order goes to" },
};
static const struct field_table rule_fields = { "RoutingRule", rule_rows, COUNT(rule_rows), sizeof(struct rule_io) };
static const struct field policy_rows[] = {
    MASTER_FIELDS(policy_io),
    { "unit", FIELD_CODE, AT(policy_io, unit), .required = true, .doc = "never changes" },
    { "channel", FIELD_CODE, AT(policy_io, channel), .nullable = true,
      .doc = "its orders; null: those of all channels without a policy of their own" },
    { "first", FIELD_ENUM, AT(policy_io, first), .names = first_names, .doc = "what is weighed first" },
    { "split_penalty", FIELD_MONEY, AT(policy_io, split_penalty), .max = PRICE_MAX, .hide_absent = true, .doc = "of each parcel after the first" },
    { "late_per_day", FIELD_MONEY, AT(policy_io, late_per_day), .max = PRICE_MAX, .hide_absent = true, .doc = "of each day after promise_by" },
    { "replan_saving", FIELD_MONEY, AT(policy_io, replan_saving), .max = PRICE_MAX, .hide_absent = true,
      .doc = "claims move to other nodes only where that saves so much, or a parcel, or is in time again" },
    { "rules", FIELD_LIST, AT(policy_io, rules), .max = 200, .of = &rule_fields, .doc = "each takes nodes away" },
};
const struct field_table policy_fields = { "RoutingPolicy", policy_rows, COUNT(policy_rows), sizeof(struct policy_io) };

/* ---- rows ---- */

void routing_master_read(struct ws *ws, const struct routing_master_row *row, const struct field_table *fields, void *io)
{
    struct faults faults = { .arena = ws_arena(ws) };
    (void)fields_read_text(ws_arena(ws), row->body, strlen(row->body), fields, FIELDS_KEPT, io, &faults);
    ((struct master_io *)io)->code = row->code;
    ((struct master_io *)io)->version = row->version;
}

static const struct routing_master_row *row_find(struct ws *ws, enum routing_kind kind, const char *code)
{
    return ws_find(ws, &routing_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_int(kind), db_text(code)));
}

static bool load(struct master *master, void *io, enum routing_kind kind, const struct field_table *fields)
{
    const struct routing_master_row *row = row_find(master->ws, kind, master->code);
    if (row == NULL)
        return false;
    routing_master_read(master->ws, row, fields, io);
    master->id = row->id;
    master->version = row->version;
    master->owner = row->owner;
    return true;
}

static void want(struct master *master, enum routing_kind kind)
{
    ws_want_path(master->ws, &routing_by_code, WS_PREFIX(db_int(ws_unit(master->ws)), db_int(kind), db_text(master->code)), 0);
}

struct kept {
    enum routing_kind kind;
    const struct field_table *fields;
    int64_t about;
    const char *zone;
};

/* The company's row and the unit's copy. */
static void store(struct master *master, const void *in, struct kept kept)
{
    struct json_writer json;
    struct master_io *io = arena_alloc(ws_arena(master->ws), kept.fields->size);
    memcpy(io, in, kept.fields->size);
    io->code = master->code;
    io->version = master->version;
    json_begin(&json, ws_arena(master->ws));
    fields_write(&json, kept.fields, io);
    struct ws *const sets[] = { master->ws, ws_of_unit(master->ws, master->owner) };
    for (size_t i = 0; i < COUNT(sets); i++) {
        struct routing_master_row row = { .unit = ws_unit(sets[i]),
                                          .id = master->id,
                                          .owner = master->owner,
                                          .kind = kept.kind,
                                          .code = master->code,
                                          .about = kept.about,
                                          .body = json.out.at,
                                          .zone = kept.zone,
                                          .version = master->version };
        const struct routing_master_row *there = ws_get(sets[i], &routing_master_table, WS_KEY(row.unit, row.id));
        if (there != NULL)
            *(struct routing_master_row *)ws_edit(sets[i], there) = row;
        else
            ws_insert(sets[i], &routing_master_table, &row);
    }
}

static const char *at(struct master *master, const char *format, size_t i)
{
    char pointer[80];
    snprintf(pointer, sizeof pointer, "/%s/%zu", format, i);
    return arena_text(master->faults->arena, pointer);
}

static const struct business_unit_row *check_unit(struct master *master, const char *code)
{
    if (code == NULL)
        return NULL;
    const struct business_unit_row *unit = ws_find(master->ws, &business_unit_by_code, WS_PREFIX(db_int(0), db_text(code)));
    if (unit == NULL)
        fault_add(master->faults, FAULT_UNIT_UNKNOWN, "/unit", "there is no unit %s", code);
    else if (master->id != 0 && master->owner != unit->id)
        fault_add(master->faults, FAULT_WRONG_UNIT, "/unit", "it stays in its unit");
    else
        master->owner = unit->id;
    return unit;
}

static void check_money(struct master *master, const struct business_unit_row *unit, struct money money, const char *pointer)
{
    if (unit != NULL && money.currency[0] != '\0' && strcmp(money.currency, unit->currency) != 0)
        fault_add(master->faults, FAULT_CURRENCY_MISMATCH, pointer, "%s in a unit whose books are in %s", money.currency, unit->currency);
}

/* ---- rate tables ---- */

static bool rates_load(struct master *master, void *io)
{
    return load(master, io, ROUTING_RATES, &rates_fields);
}
static void rates_want(struct master *master, int64_t id)
{
    want(master, ROUTING_RATES);
}

static void rates_check(struct master *master, const void *in)
{
    const struct rates_io *io = in;
    const struct zone_io *zones = io->zones.items;
    const struct business_unit_row *unit = check_unit(master, io->unit);
    for (size_t z = 0; z < io->zones.count; z++) {
        const struct step_io *steps = zones[z].steps.items;
        for (size_t s = 0; s < zones[z].steps.count; s++) {
            check_money(master, unit, steps[s].price, at(master, "zones", z));
            if (s > 0 && steps[s].up_to_g <= steps[s - 1].up_to_g)
                fault_add(master->faults, FAULT_INVALID, at(master, "zones", z), "its steps do not ascend");
        }
        for (size_t k = 0; k < z; k++)
            if (strcmp(zones[k].country, zones[z].country) == 0 && text_equal(zones[k].postal_prefix, zones[z].postal_prefix))
                fault_add(master->faults, FAULT_INVALID, at(master, "zones", z), "zone %zu is of the same country and postal code", k);
    }
}

static const char *steps_text(struct ws *ws, const struct zone_io *zone)
{
    struct buffer out = { .arena = ws_arena(ws) };
    const struct step_io *steps = zone->steps.items;
    for (size_t i = 0; i < zone->steps.count; i++)
        buffer_printf(&out, "%ld:%ld;", (long)steps[i].up_to_g, (long)steps[i].price.minor);
    return out.at;
}

static bool is_same_zone(const struct rate_zone_row *a, const struct rate_zone_row *b)
{
    return a->transit_days == b->transit_days && text_equal(a->country, b->country) && text_equal(a->postal_prefix, b->postal_prefix) &&
           text_equal(a->steps, b->steps);
}

/* Zones that are as they were keep their rows. */
static void rates_store(struct master *master, const void *in)
{
    const struct rates_io *io = in;
    const struct zone_io *zones = io->zones.items;
    struct ws *unit = ws_of_unit(master->ws, master->owner);
    store(master, in, (struct kept){ ROUTING_RATES, &rates_fields });
    const struct db_value prefix[] = { db_int(ws_unit(unit)), db_int(master->id) };
    const size_t before = ws_count(unit, &zone_of_rates, prefix);
    for (size_t i = 0; i < io->zones.count || i < before; i++) {
        const struct rate_zone_row *there = i < before ? ws_get(unit, &rate_zone_table, WS_KEY(ws_unit(unit), master->id, (int64_t)i + 1)) : NULL;
        struct rate_zone_row row = { .unit = ws_unit(unit), .rates = master->id, .part = (int64_t)i + 1 };
        if (i < io->zones.count) {
            row.country = zones[i].country;
            row.postal_prefix = zones[i].postal_prefix == NULL ? "" : zones[i].postal_prefix;
            row.transit_days = zones[i].transit_days;
            row.steps = steps_text(unit, &zones[i]);
            if (there != NULL && is_same_zone(there, &row))
                continue;
        }
        if (there != NULL)
            ws_delete(unit, there);
        if (i < io->zones.count)
            ws_insert(unit, &rate_zone_table, &row);
    }
}

/* ---- how a node ships ---- */

static bool ships_load(struct master *master, void *io)
{
    return load(master, io, ROUTING_SHIPPING, &ships_fields);
}
static void ships_want(struct master *master, int64_t id)
{
    want(master, ROUTING_SHIPPING);
}

int64_t cut_off_minutes(const char *text)
{
    for (size_t i = 0; i < 5; i++)
        if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9')
            return -1;
    const int64_t hour = (text[0] - '0') * INT64_C(10) + text[1] - '0', minute = (text[3] - '0') * INT64_C(10) + text[4] - '0';
    return text[5] == '\0' && hour * 60 + minute <= INT64_C(24) * 60 && minute < 60 ? hour * 60 + minute : -1;
}

static void ships_check(struct master *master, const void *in)
{
    const struct ships_io *io = in;
    const char *const *closed = io->closed.items;
    const struct node_row *node = ws_find(master->ws, &node_by_code, WS_PREFIX(db_int(0), db_text(master->code)));
    const struct business_unit_row *unit = node == NULL ? NULL : ws_get(master->ws, &business_unit_table, WS_KEY(0, node->owner));
    int64_t day;
    if (node == NULL)
        fault_add(master->faults, FAULT_NODE_UNKNOWN, NULL, "there is no node %s", master->code);
    else
        master->owner = node->owner;
    for (size_t i = 0; i < WEEK_DAYS; i++)
        if (io->cut_off[i] != NULL && cut_off_minutes(io->cut_off[i]) < 0)
            fault_add(master->faults, FAULT_BAD_FORMAT, arena_printf(master->faults->arena, "/%s", ships_rows[3 + i].name), "%s is no time of day",
                      io->cut_off[i]);
    for (size_t i = 0; i < io->closed.count; i++)
        if (closed[i] != NULL && !when_date_parse(closed[i], &day))
            fault_add(master->faults, FAULT_BAD_FORMAT, at(master, "closed", i), "%s is no date", closed[i]);
    const struct routing_master_row *rates = io->rates == NULL ? NULL : row_find(master->ws, ROUTING_RATES, io->rates);
    if (io->rates != NULL && rates == NULL)
        fault_add(master->faults, FAULT_INVALID, "/rates", "there are no rates %s", io->rates);
    else if (rates != NULL && node != NULL && rates->owner != node->owner)
        fault_add(master->faults, FAULT_WRONG_UNIT, "/rates", "%s are rates of another unit", io->rates);
    check_money(master, unit, io->parcel, "/parcel/currency");
}

/* A patch that names no time zone keeps what the row says of it. */
static void ships_store(struct master *master, const void *in)
{
    const struct ships_io *asked = master->command->input;
    const struct routing_master_row *there = row_find(master->ws, ROUTING_SHIPPING, master->code);
    const struct node_row *node = ws_find(master->ws, &node_by_code, WS_PREFIX(db_int(0), db_text(master->code)));
    const char *zone = asked->changes != NULL || there == NULL ? asked->changes : there->zone;
    store(master, in, (struct kept){ ROUTING_SHIPPING, &ships_fields, node->id, zone });
}

/* How its clocks change until 2050, "seconds:offset;...", found by days and then by halves: the file is read here, never in decide. */
static const char *zone_changes(struct arena *arena, const struct zone *zone)
{
    struct buffer out = { .arena = arena };
    const int64_t first = when_days(2025, 1, 1) * 86400, last = when_days(2050, 1, 1) * 86400;
    int64_t offset = zone_offset_s(zone, first * 1000000);
    buffer_printf(&out, "%ld:%ld;", (long)first, (long)offset);
    for (int64_t day = first; day < last; day += 86400) {
        int64_t low = day, high = day + 86400;
        if (zone_offset_s(zone, high * 1000000) == offset)
            continue;
        while (high - low > 1) {
            int64_t middle = low + (high - low) / 2;
            if (zone_offset_s(zone, middle * 1000000) == offset)
                low = middle;
            else
                high = middle;
        }
        offset = zone_offset_s(zone, high * 1000000);
        buffer_printf(&out, "%ld:%ld;", (long)high, (long)offset);
    }
    return out.at;
}

bool ships_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    struct ships_io *io = (struct ships_io *)(uintptr_t)command->input;
    if (io->time_zone != NULL) {
        const struct zone *zone = zone_load(command->arena, io->time_zone);
        if (zone == NULL && zone_is_installed(command->arena, io->time_zone))
            fault_add(faults, FAULT_BUSY, "/time_zone", "the file of %s cannot be read here", io->time_zone);
        else if (zone == NULL)
            fault_add(faults, FAULT_BAD_FORMAT, "/time_zone", "%s is no IANA time zone that is installed", io->time_zone);
        else
            io->changes = zone_changes(command->arena, zone);
    }
    return master_edge(edge, request, command, faults) && faults->count == 0;
}

/* ---- policies ---- */

static bool policy_load(struct master *master, void *io)
{
    return load(master, io, ROUTING_POLICY, &policy_fields);
}
static void policy_want(struct master *master, int64_t id)
{
    want(master, ROUTING_POLICY);
}

static const struct channel_row *channel_find(struct ws *ws, const char *code)
{
    return code == NULL ? NULL : ws_find(ws, &channel_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(code)));
}

static void check_rule(struct master *master, const struct rule_io *rule, size_t i)
{
    const char *where = at(master, "rules", i);
    const char *const *nodes = rule->nodes.items, *const *kinds = rule->kinds.items, *const *countries = rule->countries.items;
    if (rule->nodes.count == 0 && rule->kinds.count == 0 && !rule->same_country)
        fault_add(master->faults, FAULT_INVALID, where, "it names no nodes, no kinds, not same_country");
    for (size_t k = 0; k < rule->nodes.count; k++) {
        const struct node_row *node = nodes[k] == NULL ? NULL : ws_find(master->ws, &node_by_code, WS_PREFIX(db_int(0), db_text(nodes[k])));
        if (nodes[k] != NULL && node == NULL)
            fault_add(master->faults, FAULT_NODE_UNKNOWN, where, "there is no node %s", nodes[k]);
        else if (node != NULL && master->owner != 0 && node->owner != master->owner)
            fault_add(master->faults, FAULT_WRONG_UNIT, where, "%s is a node of another unit", nodes[k]);
    }
    for (size_t k = 0; k < rule->channels.count; k++) {
        const char *code = ((const char *const *)rule->channels.items)[k];
        const struct channel_row *channel = channel_find(master->ws, code);
        if (code != NULL && channel == NULL)
            fault_add(master->faults, FAULT_CHANNEL_UNKNOWN, where, "there is no channel %s", code);
        else if (channel != NULL && master->owner != 0 && channel->owner != master->owner)
            fault_add(master->faults, FAULT_WRONG_UNIT, where, "%s is a channel of another unit", code);
    }
    for (size_t k = 0; k < rule->kinds.count; k++) {
        size_t n = 0;
        while (node_kind_names[n] != NULL && !text_equal(node_kind_names[n], kinds[k]))
            n++;
        if (kinds[k] != NULL && node_kind_names[n] == NULL)
            fault_add(master->faults, FAULT_INVALID, where, "there is no kind of node %s", kinds[k]);
    }
    for (size_t k = 0; k < rule->countries.count; k++)
        if (countries[k] != NULL && !country_is_assigned(countries[k], strlen(countries[k])))
            fault_add(master->faults, FAULT_BAD_FORMAT, where, "%s is no country", countries[k]);
}

static void policy_check(struct master *master, const void *in)
{
    const struct policy_io *io = in;
    const struct business_unit_row *unit = check_unit(master, io->unit);
    const struct channel_row *channel = channel_find(master->ws, io->channel);
    if (io->channel != NULL && channel == NULL)
        fault_add(master->faults, FAULT_CHANNEL_UNKNOWN, "/channel", "there is no channel %s", io->channel);
    else if (channel != NULL && unit != NULL && channel->owner != unit->id)
        fault_add(master->faults, FAULT_WRONG_UNIT, "/channel", "%s is a channel of another unit", io->channel);
    check_money(master, unit, io->split_penalty, "/split_penalty/currency");
    check_money(master, unit, io->late_per_day, "/late_per_day/currency");
    check_money(master, unit, io->replan_saving, "/replan_saving/currency");
    for (size_t i = 0; i < io->rules.count; i++)
        check_rule(master, (const struct rule_io *)io->rules.items + i, i);
}

static void policy_store(struct master *master, const void *in)
{
    const struct channel_row *channel = channel_find(master->ws, ((const struct policy_io *)in)->channel);
    store(master, in, (struct kept){ ROUTING_POLICY, &policy_fields, channel == NULL ? 0 : channel->id });
}

/* ---- lists ---- */

#define PAGE(NAME, KIND)                                                                                                                   \
    static enum db_result NAME(struct reading *reading, int64_t unit, int64_t after, int64_t most, struct master_key *keys, size_t *count) \
    {                                                                                                                                      \
        struct routing_page_result *rows;                                                                                                  \
        enum db_result result = routing_page(reading->db, reading->arena, unit, KIND, after, most, &rows, count);                          \
        for (size_t i = 0; result == DB_OK && i < *count; i++)                                                                             \
            keys[i] = (struct master_key){ rows[i].id, rows[i].code };                                                                     \
        return result;                                                                                                                     \
    }
PAGE(rates_page, ROUTING_RATES)
PAGE(ships_page, ROUTING_SHIPPING)
PAGE(policy_page, ROUTING_POLICY)

#define KIND(NAME, SUBJECT)                                              \
    const struct master_kind NAME##_master = { .subject = SUBJECT,       \
                                               .fields = &NAME##_fields, \
                                               .load = NAME##_load,      \
                                               .want = NAME##_want,      \
                                               .check = NAME##_check,    \
                                               .store = NAME##_store,    \
                                               .page = NAME##_page }
KIND(rates, SUBJECT_RATES);
KIND(ships, SUBJECT_SHIPPING);
KIND(policy, SUBJECT_POLICY);
