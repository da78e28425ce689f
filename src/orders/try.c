/* src/orders/try.c: POST /v1/routing/try: the choice of nodes for an order that is not there, or for what an order still holds, explained and not
 * made. It is the code that an order is routed with; what it looks at is as it stands now, and may be gone the next moment. */
#include "orders/try.h"
#include "base/id.h"
#include "inventory/availability.h"
#include "orders/commands.h"
#include "orders/decisions.h"
#include "orders/reroute.h"
#include <stdio.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)

/* ---- what is asked ---- */

struct to_io {
    struct field_presence presence;
    char country[3];
    const char *postal_code;
};
struct try_line_io {
    struct field_presence presence;
    const char *sku, *channel_sku;
    int64_t quantity;
};
struct try_io {
    struct field_presence presence;
    const char *order, *channel, *customer_email;
    struct to_io *ship_to;
    struct field_list lines, tags;
    int64_t promise_by;
};
static const struct field to_rows[] = {
    { "country", FIELD_COUNTRY, AT(to_io, country), .required = true },
    { "postal_code", FIELD_TEXT, AT(to_io, postal_code), .max = 32 },
};
static const struct field_table to_fields = { "TryShipTo", to_rows, COUNT(to_rows), sizeof(struct to_io) };
static const struct field try_line_rows[] = {
    { "sku", FIELD_CODE, AT(try_line_io, sku), .either = 1, .doc = "our code; or channel_sku" },
    { "channel_sku", FIELD_CODE, AT(try_line_io, channel_sku), .either = 1, .doc = "the listing as the channel knows it" },
    { "quantity", FIELD_INT, AT(try_line_io, quantity), .required = true, .min = 1, .max = 1000000 },
};
static const struct field_table try_line_fields = { "TryLine", try_line_rows, COUNT(try_line_rows), sizeof(struct try_line_io) };
static const struct field try_rows[] = {
    { "order", FIELD_TEXT, AT(try_io, order), .either = 1, .max = 32,
      .doc = "what this order holds and no node was told to ship; or a channel, with lines" },
    { "channel", FIELD_CODE, AT(try_io, channel), .either = 1, .doc = "as if an order came there" },
    { "ship_to", FIELD_OBJECT, AT(try_io, ship_to), .of = &to_fields },
    { "lines", FIELD_LIST, AT(try_io, lines), .max = ORDER_LINES_MAX, .of = &try_line_fields },
    { "promise_by", FIELD_TIME, AT(try_io, promise_by) },
    { "tags", FIELD_CODES, AT(try_io, tags), .max = 32 },
    { "customer_email", FIELD_TEXT, AT(try_io, customer_email), .max = 255 },
};
static const struct field_table try_fields = { "Try", try_rows, COUNT(try_rows), sizeof(struct try_io) };

static bool try_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    const struct try_io *in = command->input;
    int64_t id;
    if (in->channel != NULL && in->lines.count == 0)
        fault_add(faults, FAULT_REQUIRED, "/lines", "what would be ordered");
    if (in->order != NULL && !id_parse(in->order, strlen(in->order), "ord", &command->unit, &id))
        fault_add(faults, FAULT_INVALID, "/order", "there is no order %s", in->order);
    command->of_channel = in->channel;
    return faults->count == 0;
}

/* ---- what is told ---- */

struct terms_io {
    struct field_presence presence;
    int64_t shipments;
    struct money carriage, handling, split, lateness, cost;
    int64_t late_s, arrives_at;
};
struct give_io {
    struct field_presence presence;
    int64_t line;
    const char *sku;
    int64_t quantity;
};
struct parcel_io {
    struct field_presence presence;
    const char *node;
    struct field_list lines;
    int64_t zone, arrives_at;
};
struct candidate_io {
    struct field_presence presence;
    const char *node;
    bool chosen;
    int64_t ruled_out;
    const char *rule;
    int64_t lines;
    bool no_capacity_today;
    struct terms_io *terms;
};
struct tried_io {
    struct field_presence presence;
    const char *policy;
    bool proved;
    struct terms_io *terms;
    struct field_list plan, candidates, lacking;
    struct terms_io *now;
    bool would_move;
};
#define MONEY(member, text)                                                        \
    {                                                                              \
#member, FIELD_MONEY, AT(terms_io, member), .read_only = true, .doc = text \
    }
static const struct field terms_rows[] = {
    { "shipments", FIELD_INT, AT(terms_io, shipments), .read_only = true, .doc = "parcels" },
    MONEY(cost, "all of the following"),
    MONEY(carriage, "by zone and weight"),
    MONEY(handling, "of the parcels"),
    MONEY(split, "of each parcel after the first"),
    MONEY(lateness, "of each day after promise_by"),
    { "late_s", FIELD_INT, AT(terms_io, late_s), .read_only = true, .doc = "seconds from promise_by to the last parcel" },
    { "arrives_at", FIELD_TIME, AT(terms_io, arrives_at), .read_only = true, .hide_absent = true, .doc = "the last parcel, where calendars say it" },
};
static const struct field_table terms_fields = { "RoutingTerms", terms_rows, COUNT(terms_rows), sizeof(struct terms_io) };
static const struct field give_rows[] = {
    { "line", FIELD_INT, AT(give_io, line), .read_only = true, .doc = "from 1" },
    { "sku", FIELD_CODE, AT(give_io, sku), .read_only = true, .doc = "of a bundle its component" },
    { "quantity", FIELD_INT, AT(give_io, quantity), .read_only = true, .doc = "units" },
};
static const struct field_table give_fields = { "RoutingUnits", give_rows, COUNT(give_rows), sizeof(struct give_io) };
static const struct field parcel_rows[] = {
    { "node", FIELD_CODE, AT(parcel_io, node), .read_only = true },
    { "lines", FIELD_LIST, AT(parcel_io, lines), .read_only = true, .of = &give_fields },
    { "zone", FIELD_INT, AT(parcel_io, zone), .read_only = true, .hide_absent = true, .doc = "of its rates, from 1" },
    { "arrives_at", FIELD_TIME, AT(parcel_io, arrives_at), .read_only = true, .hide_absent = true },
};
static const struct field_table parcel_fields = { "RoutingParcel", parcel_rows, COUNT(parcel_rows), sizeof(struct parcel_io) };
static const struct field candidate_rows[] = {
    { "node", FIELD_CODE, AT(candidate_io, node), .read_only = true },
    { "chosen", FIELD_BOOL, AT(candidate_io, chosen), .read_only = true },
    { "ruled_out", FIELD_ENUM, AT(candidate_io, ruled_out), .read_only = true, .names = ruled_out_names, .hide_absent = true,
      .doc = "of a node that is not chosen, alone: as in an order's decisions" },
    { "rule", FIELD_TEXT, AT(candidate_io, rule), .read_only = true, .hide_absent = true, .doc = "the name of the rule that forbids it" },
    { "lines", FIELD_INT, AT(candidate_io, lines), .read_only = true, .hide_absent = true, .doc = "of so many it could ship all, each alone" },
    { "no_capacity_today", FIELD_BOOL, AT(candidate_io, no_capacity_today), .read_only = true },
    { "terms", FIELD_OBJECT, AT(candidate_io, terms), .read_only = true, .hide_absent = true, .of = &terms_fields, .doc = "if it shipped all alone" },
};
static const struct field_table candidate_fields = { "RoutingCandidate", candidate_rows, COUNT(candidate_rows), sizeof(struct candidate_io) };
static const struct field tried_rows[] = {
    { "policy", FIELD_CODE, AT(tried_io, policy), .read_only = true, .nullable = true, .doc = "that stands for the channel; null: none does" },
    { "proved", FIELD_BOOL, AT(tried_io, proved), .read_only = true, .doc = "no better choice exists" },
    { "terms", FIELD_OBJECT, AT(tried_io, terms), .read_only = true, .of = &terms_fields, .doc = "what the plan comes to" },
    { "plan", FIELD_LIST, AT(tried_io, plan), .read_only = true, .of = &parcel_fields, .doc = "a parcel for each node" },
    { "candidates", FIELD_LIST, AT(tried_io, candidates), .read_only = true, .of = &candidate_fields, .doc = "the channel's nodes by priority" },
    { "short", FIELD_LIST, AT(tried_io, lacking), .read_only = true, .of = &give_fields, .doc = "what cannot be promised; of a bundle whole ones" },
    { "now", FIELD_OBJECT, AT(tried_io, now), .read_only = true, .hide_absent = true, .of = &terms_fields,
      .doc = "of an order: what it holds comes to" },
    { "would_move", FIELD_BOOL, AT(tried_io, would_move), .read_only = true, .hide_absent = true, .doc = "of an order: the plan is so much better" },
};
const struct field_table tried_fields = { "Tried", tried_rows, COUNT(tried_rows), sizeof(struct tried_io) };

/* What is shown, and where it stands. */
struct tried {
    struct ws *ws;
    const struct outlet *outlet;
    const struct choice *choice;
    const struct wish *wishes;
    const int64_t *lines; /* of each wish its line */
    size_t count;
    const char *currency;
};

static struct money money_of(const struct tried *t, int64_t minor)
{
    struct money money = { .minor = minor };
    snprintf(money.currency, sizeof money.currency, "%.3s", t->currency);
    return money;
}

static struct terms_io *show_terms(const struct tried *t, const struct route_terms *terms)
{
    struct terms_io *io = ARENA_NEW(ws_arena(t->ws), struct terms_io);
    *io = (struct terms_io){ .shipments = terms->shipments,
                             .cost = money_of(t, terms->cost),
                             .carriage = money_of(t, terms->carriage),
                             .handling = money_of(t, terms->handling),
                             .split = money_of(t, terms->split),
                             .lateness = money_of(t, terms->lateness),
                             .late_s = terms->late_us / 1000000,
                             .arrives_at = terms->arrives_at };
    if (terms->arrives_at != 0)
        field_set(&terms_fields, io, "arrives_at");
    return io;
}

static const char *sku_code_of(struct ws *ws, int64_t id)
{
    const struct sku_row *row = ws_get(ws, &sku_table, WS_KEY(ws_unit(ws), id));
    return row->code;
}

/* What the plan has of a node. */
static void show_parcel(const struct tried *t, size_t n, struct parcel_io *io)
{
    size_t room = 0;
    for (size_t w = 0; w < t->count; w++)
        room += t->wishes[w].component_count;
    struct give_io *gives = ARENA_ARRAY(ws_arena(t->ws), struct give_io, room + 1);
    io->node = t->outlet->nodes[n]->code;
    for (size_t w = 0; w < t->count; w++) {
        const bool together = outlet_keeps_together(t->outlet, t->wishes[w].component_count);
        for (size_t c = 0; c < t->wishes[w].component_count; c++) {
            size_t item = t->choice->first_item[w] + (together ? 0 : c);
            int64_t units = t->choice->plan.pieces[item * t->outlet->node_count + n] * (together ? t->wishes[w].components[c].quantity : 1);
            if (units > 0)
                gives[io->lines.count++] =
                    (struct give_io){ .line = t->lines[w], .sku = sku_code_of(t->ws, t->wishes[w].components[c].sku), .quantity = units };
        }
    }
    io->lines.items = gives;
    if (t->choice->ships == NULL)
        return;
    io->zone = t->choice->ships[n].zone;
    io->arrives_at = t->choice->ships[n].node.arrives_at;
    if (io->zone != 0)
        field_set(&parcel_fields, io, "zone");
    if (io->arrives_at != 0)
        field_set(&parcel_fields, io, "arrives_at");
}

static void show_candidate(const struct tried *t, size_t n, bool chosen, struct candidate_io *io)
{
    *io = (struct candidate_io){ .node = t->outlet->nodes[n]->code,
                                 .chosen = chosen,
                                 .ruled_out = t->choice->others[n].ruled_out,
                                 .lines = (int64_t)t->choice->others[n].lines,
                                 .no_capacity_today = t->choice->ships != NULL && t->choice->ships[n].node.full };
    if (chosen || t->choice->count == 0)
        return;
    field_set(&candidate_fields, io, "ruled_out");
    field_set(&candidate_fields, io, "lines");
    if (t->choice->others[n].rule != 0) {
        io->rule = routing_rule_name(t->outlet->routing, t->choice->others[n].rule);
        field_set(&candidate_fields, io, "rule");
    }
    if (t->choice->others[n].ships) {
        io->terms = show_terms(t, &t->choice->others[n].terms);
        field_set(&candidate_fields, io, "terms");
    }
}

static void show(const struct tried *t, struct tried_io *io, struct command *command)
{
    const struct outlet *outlet = t->outlet;
    struct parcel_io *parcels = ARENA_ARRAY(ws_arena(t->ws), struct parcel_io, t->choice->count + 1);
    struct candidate_io *candidates = ARENA_ARRAY(ws_arena(t->ws), struct candidate_io, outlet->node_count + 1);
    struct give_io *lacking = ARENA_ARRAY(ws_arena(t->ws), struct give_io, t->count + 1);
    io->policy = outlet->routing == NULL ? NULL : routing_policy(outlet->routing)->code;
    io->proved = t->choice->plan.exact;
    io->terms = show_terms(t, &t->choice->plan.terms);
    for (size_t n = 0; n < outlet->node_count; n++) {
        bool chosen = io->plan.count < t->choice->count && t->choice->nodes[io->plan.count] == n;
        if (chosen)
            show_parcel(t, n, &parcels[io->plan.count++]);
        show_candidate(t, n, chosen, &candidates[io->candidates.count++]);
    }
    for (size_t w = 0; w < t->count; w++)
        if (t->wishes[w].granted < t->wishes[w].quantity)
            lacking[io->lacking.count++] =
                (struct give_io){ .line = t->lines[w], .sku = t->wishes[w].sku->code, .quantity = t->wishes[w].quantity - t->wishes[w].granted };
    io->plan.items = parcels;
    io->candidates.items = candidates;
    io->lacking.items = lacking;
    struct json_writer json;
    json_begin(&json, command->arena);
    fields_write(&json, &tried_fields, io);
    command->existing = true;
    command->answer = (struct answer){ .status = 200, .body = json.out.at, .body_bytes = json.out.size };
}

/* ---- an order that is not there ---- */

static void wish_of(struct ws *ws, const struct channel_row *channel, const struct try_line_io *line, size_t i, struct wish *wish,
                    struct faults *faults)
{
    const int64_t unit = ws_unit(ws);
    const char *at = arena_printf(faults->arena, "/lines/%zu/%s", i, line->sku != NULL ? "sku" : "channel_sku");
    *wish = (struct wish){ .quantity = line->quantity };
    if (line->sku != NULL)
        wish->sku = ws_find(ws, &sku_by_code, WS_PREFIX(db_int(unit), db_text(line->sku)));
    else
        wish->listing = ws_find(ws, &listing_by_code, WS_PREFIX(db_int(unit), db_int(channel->id), db_text(line->channel_sku)));
    if (wish->sku != NULL)
        wish->listing = only_listing(ws, channel, wish->sku->id);
    else if (wish->listing != NULL)
        wish->sku = ws_get(ws, &sku_table, WS_KEY(unit, wish->listing->sku));
    if (wish->sku == NULL)
        fault_add(faults, line->sku != NULL ? FAULT_SKU_UNKNOWN : FAULT_LISTING_UNKNOWN, at, "there is no %s",
                  line->sku != NULL ? line->sku : line->channel_sku);
    else
        wish->component_count = recipe_of(ws, wish->sku, &wish->components);
}

static void try_new(struct ws *ws, struct command *command, struct tried *t)
{
    const struct try_io *in = command->input;
    const struct channel_row *channel = ws_find(ws, &channel_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(in->channel)));
    if (channel == NULL || channel->owner != ws_unit(ws)) {
        fault_add(&command->faults, FAULT_CHANNEL_UNKNOWN, "/channel", "there is no channel %s", in->channel);
        return;
    }
    struct wish *wishes = ARENA_ARRAY(ws_arena(ws), struct wish, in->lines.count + 1);
    int64_t *lines = ARENA_ARRAY(ws_arena(ws), int64_t, in->lines.count + 1);
    size_t parts = 0;
    for (size_t i = 0; i < in->lines.count; i++) {
        wish_of(ws, channel, (const struct try_line_io *)in->lines.items + i, i, &wishes[i], &command->faults);
        lines[i] = (int64_t)i + 1;
        parts += wishes[i].component_count;
    }
    if (parts > COMPONENTS_MAX)
        fault_add(&command->faults, FAULT_ORDER_TOO_LARGE, "/lines", "more than %d components", COMPONENTS_MAX);
    if (command->faults.count > 0)
        return;
    struct route_facts facts = { .email = in->customer_email, .tags = in->tags, .promise_by = in->promise_by == 0 ? NULL_INT : in->promise_by };
    if (in->ship_to != NULL) {
        facts.country = in->ship_to->country;
        facts.postal_code = in->ship_to->postal_code;
    }
    struct outlet *outlet = ARENA_NEW(ws_arena(ws), struct outlet);
    struct choice *choice = ARENA_NEW(ws_arena(ws), struct choice);
    struct tried_io *io = ARENA_NEW(ws_arena(ws), struct tried_io);
    outlet_open(ws, channel, outlet);
    outlet->routing = routing_open(ws, channel, &facts);
    promise_grant(ws, outlet, wishes, in->lines.count, channel->kind == CHANNEL_MARKETPLACE);
    promise_choose(ws, outlet, wishes, in->lines.count, &(struct spread){ .more = INT64_MAX }, choice);
    t->outlet = outlet, t->choice = choice, t->wishes = wishes, t->lines = lines, t->count = in->lines.count;
    show(t, io, command);
}

/* ---- an order that is there ---- */

static void try_order(struct ws *ws, struct command *command, struct tried *t)
{
    const struct try_io *in = command->input;
    struct order order;
    int64_t unit, id;
    if (!id_parse(in->order, strlen(in->order), "ord", &unit, &id) || !order_open(ws, id, &order)) {
        fault_add(&command->faults, FAULT_INVALID, "/order", "there is no order %s", in->order);
        return;
    }
    struct reroute *r = ARENA_NEW(ws_arena(ws), struct reroute);
    struct tried_io *io = ARENA_NEW(ws_arena(ws), struct tried_io);
    if (!order_reroute_plan(&order, r)) {
        fault_add(&command->faults, FAULT_STATE_CONFLICT, NULL, "the order is %s, and no claim of it may move", stage_names[order.row->stage]);
        return;
    }
    int64_t *lines = ARENA_ARRAY(ws_arena(ws), int64_t, r->count + 1);
    for (size_t w = 0; w < r->count; w++)
        lines[w] = order.demands[r->movings[w].demand]->line;
    t->outlet = &r->outlet, t->choice = &r->choice, t->wishes = r->wishes, t->lines = lines, t->count = r->count;
    io->now = show_terms(t, &r->terms);
    io->would_move = r->better;
    field_set(&tried_fields, io, "now");
    field_set(&tried_fields, io, "would_move");
    show(t, io, command);
}

static void try_decide(struct ws *ws, struct command *command)
{
    const struct try_io *in = command->input;
    const struct business_unit_row *unit = ws_get(ws, &business_unit_table, WS_KEY(ws_unit(ws), ws_unit(ws)));
    struct tried t = { .ws = ws, .currency = unit == NULL ? "" : unit->currency };
    if (in->order != NULL)
        try_order(ws, command, &t);
    else
        try_new(ws, command, &t);
}

const struct command_type routing_try = {
    .name = "routing.try",
    .input = &try_fields,
    .mode = FIELDS_POST,
    .queue = QUEUE_PEOPLE,
    .edge = try_edge,
    .decide = try_decide,
    .inverse = "none: it changes nothing",
};
