/* src/orders/edit.c: an order is changed after it came: fewer or more pieces of its lines, other lines, another address; all or nothing.
 * What a line is set to is what the customer wants of it now: ordered less cancelled, what has left included. Less is a cancel of the rest, so
 * `quantity` stays and `cancelled` rises; more is promised like a new order of just those pieces, and `quantity` rises. What the order itself
 * gives back it may use again. Refusals come first; the engine undoes all of a refused command. */
#include "base/id.h"
#include "engine/vault.h"
#include "inventory/availability.h"
#include "orders/asked.h"
#include "orders/cancel.h"
#include "orders/commands.h"
#include "orders/decisions.h"
#include "orders/edit.h"
#include "orders/reroute.h"
#include "orders/mapping.h"
#include "orders/named.h"
#include "orders/oversell.h"
#include "orders/shipments.h"
#include <assert.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
#define LINE_QUANTITY_MAX 1000000

static const struct field set_rows[] = {
    { "line", FIELD_INT, AT(set_io, line), .required = true, .min = 1, .max = ORDER_LINES_MAX, .doc = "as the order numbers it" },
    { "quantity", FIELD_INT, AT(set_io, quantity), .required = true, .max = LINE_QUANTITY_MAX,
      .doc = "what is wanted of it now, what has left included: ordered less cancelled; 0: no more of it" },
};
static const struct field_table set_fields = { "EditLine", set_rows, COUNT(set_rows), sizeof(struct set_io) };
static const struct field edit_rows[] = {
    { "set", FIELD_LIST, AT(edit_io, set), .max = ORDER_LINES_MAX, .of = &set_fields, .doc = "each line once" },
    { "add", FIELD_LIST, AT(edit_io, add), .max = 100000, .of = &order_line_fields, .doc = "new lines, numbered on from the last" },
    { "ship_to", FIELD_OBJECT, AT(edit_io, ship_to), .of = &order_address_fields, .doc = "the whole address, until a parcel is packed" },
    { "max_shipments", FIELD_INT, AT(edit_io, max_shipments), .min = 1, .max = CHANNEL_NODES_MAX, .nullable = true,
      .doc = "into so many parcels it may come apart; null: into as many as it takes" },
    { "reason", FIELD_TEXT, AT(edit_io, reason), .lines = true, .min = 1, .max = 255, .doc = "why, for the timeline" },
};
static const struct field_table edit_fields = { "OrderEdit", edit_rows, COUNT(edit_rows), sizeof(struct edit_io) };

/* What one attempt works on. */
struct edit {
    struct ws *ws;
    struct command *command;
    const struct edit_io *in;
    struct order order;
    struct named named; /* the lines that come */
    struct outlet outlet;
    size_t first;               /* lines that the order has already */
    int64_t *less, *more;       /* pieces of each of its lines */
    struct order_line_row *row; /* of all lines as they will be, those that come behind the others */
    struct wish *wishes;        /* a line that has more, each line that comes */
    const char **pointers;      /* of each wish, for a refusal */
    size_t wish_count;
    struct choice choice; /* of nodes for them */
    int64_t total;
    struct bytes sealed;  /* the people with the new address; at NULL: it is what it was */
    bool changes, bounds; /* bounds: another bound of shipments */
};

/* ---- at the edge ---- */

static bool edit_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    const struct edit_io *in = command->input;
    const size_t before = faults->count;
    if (!command_names(command, request, "ord", "order", faults))
        return false;
    if (before == 0 && !field_came(&edit_fields, in, "set") && !field_came(&edit_fields, in, "add") && in->ship_to == NULL &&
        !field_came(&edit_fields, in, "max_shipments"))
        fault_add(faults, FAULT_REQUIRED, "", "send what is to be changed: set, add, ship_to or max_shipments");
    return faults->count == before;
}

static void edit_prefetch(struct ws *ws, const struct command *command)
{
    static const struct db_path *const paths[] = { &exception_open_of_order, &decision_of_order };
    order_command_prefetch(ws, command);
    order_command_want(ws, command, paths, COUNT(paths));
}

/* ---- faults of what it names, all of them ---- */

static void fault_of_set(struct edit *e, enum fault_code code, size_t i, const char *field, const char *detail)
{
    fault_add(&e->command->faults, code, arena_printf(e->command->arena, "/set/%zu/%s", i, field), "%s", detail);
}

static int64_t wanted_of(const struct edit *e, int64_t line)
{
    const struct order_line_row *row = e->order.lines[line - 1];
    return row->quantity - line_figures(row, e->order.demands, e->order.demand_count).cancelled;
}

/* What becomes of each line that is named. */
static void read_set(struct edit *e)
{
    const struct set_io *set = e->in->set.items;
    struct arena *arena = e->command->arena;
    bool *named = ARENA_ARRAY(ws_arena(e->ws), bool, e->first + 1);
    for (size_t i = 0; i < e->in->set.count; i++) {
        const int64_t line = set[i].line;
        if (line < 1 || set[i].quantity < 0)
            continue; /* its form is faulty, and that is told */
        if (line > (int64_t)e->first) {
            fault_of_set(e, FAULT_LINE_UNKNOWN, i, "line", arena_printf(arena, "the order has %zu lines", e->first));
            continue;
        }
        if (named[line - 1])
            fault_of_set(e, FAULT_INVALID, i, "line", arena_printf(arena, "line %ld is set twice", (long)line));
        named[line - 1] = true;
        const int64_t wanted = wanted_of(e, line);
        e->less[line - 1] = max_i64(0, wanted - set[i].quantity);
        e->more[line - 1] = max_i64(0, set[i].quantity - wanted);
        if (e->more[line - 1] > 0 && e->order.lines[line - 1]->sku == 0)
            fault_of_set(e, FAULT_SKU_UNKNOWN, i, "line", arena_printf(arena, "line %ld names no SKU that is known", (long)line));
        if (e->order.lines[line - 1]->quantity + e->more[line - 1] > LINE_QUANTITY_MAX)
            fault_of_set(e, FAULT_OUT_OF_RANGE, i, "quantity",
                         arena_printf(arena, "with what is cancelled the line would have more than %d", LINE_QUANTITY_MAX));
    }
}

static void check_currency(struct edit *e, size_t i, const char *field, const struct money *money)
{
    if (money->currency[0] == '\0' || text_equal(money->currency, e->order.row->currency))
        return;
    named_fault(&e->named, FAULT_CURRENCY_MISMATCH, i, arena_printf(e->command->arena, "%s/currency", field),
                arena_printf(e->command->arena, "%s in an order in %s", money->currency, e->order.row->currency));
}

static void check_money(struct edit *e, size_t i)
{
    const struct line_io *line = &e->named.lines[i];
    int64_t amount = 0;
    check_currency(e, i, "unit_price", &line->unit_price);
    check_currency(e, i, "discount", &line->discount);
    check_currency(e, i, "tax", &line->tax);
    if (line->quantity > 0 && line->unit_price.currency[0] != '\0' && money_multiply(line->quantity, line->unit_price.minor, &amount) &&
        line->discount.minor > amount)
        named_fault(&e->named, FAULT_OUT_OF_RANGE, i, "discount", "the discount is more than the line");
}

static struct order_line_row line_row(const struct edit *e, size_t i)
{
    const struct line_io *in = &e->named.lines[i];
    return (struct order_line_row){ .unit = e->order.row->unit,
                                    .ord = e->order.row->id,
                                    .line = (int64_t)(e->first + i) + 1,
                                    .said = in->channel_sku,
                                    .said_by_listing = in->channel_sku != NULL,
                                    .quantity = in->quantity,
                                    .unit_price = in->unit_price.minor,
                                    .discount = in->discount.currency[0] == '\0' ? NULL_INT : in->discount.minor,
                                    .tax = in->tax.currency[0] == '\0' ? NULL_INT : in->tax.minor,
                                    .priced = NULL_INT,
                                    .replaces = e->in->replaces == 0 ? NULL_INT : e->in->replaces,
                                    .told = NULL_INT };
}

/* All lines as they will be, and what they cost. */
static void read_lines(struct edit *e)
{
    const size_t count = e->first + e->in->add.count;
    const struct order_line_row **lines = ARENA_ARRAY(ws_arena(e->ws), const struct order_line_row *, count + 1);
    e->row = ARENA_ARRAY(ws_arena(e->ws), struct order_line_row, count + 1);
    for (size_t i = 0; i < count; i++) {
        struct order_line_row *row = &e->row[i];
        lines[i] = row;
        *row = i < e->first ? *e->order.lines[i] : line_row(e, i - e->first);
        if (i >= e->first || e->more[i] == 0)
            continue;
        row->priced = row->priced == NULL_INT ? row->quantity : row->priced;
        row->quantity += e->more[i];
    }
    if (e->command->faults.count == 0 && !order_total(e->order.row, lines, count, &e->total))
        fault_add(&e->command->faults, FAULT_OUT_OF_RANGE, "", "the total does not fit");
}

static bool edit_open(struct edit *e)
{
    const int64_t unit = ws_unit(e->ws);
    e->first = e->order.line_count;
    e->less = ARENA_ARRAY(ws_arena(e->ws), int64_t, e->first + 1);
    e->more = ARENA_ARRAY(ws_arena(e->ws), int64_t, e->first + 1);
    e->named = (struct named){ .ws = e->ws,
                               .channel = ws_get(e->ws, &channel_table, WS_KEY(unit, e->order.row->channel)),
                               .lines = e->in->add.items,
                               .count = e->in->add.count,
                               .list = "add",
                               .faults = &e->command->faults };
    if (e->first + e->named.count <= ORDER_LINES_MAX)
        return true;
    fault_add(&e->command->faults, FAULT_ORDER_TOO_LARGE, "/add", "with them the order has %zu lines, at most %d", e->first + e->named.count,
              ORDER_LINES_MAX);
    return false;
}

/* Its form is faulty; what else is wrong is told with that. */
static void edit_look_up(struct ws *ws, struct command *command)
{
    struct edit e = { .ws = ws, .command = command, .in = command->input };
    if (!order_open(ws, command_id(command, "ord"), &e.order) || !edit_open(&e))
        return;
    read_set(&e);
    named_look_up(&e.named, ORDER_LINES_MAX);
    for (size_t i = 0; i < e.named.count; i++)
        check_money(&e, i);
}

/* ---- what is promised ---- */

/* More of a line: by its own recipe, which is frozen, and by the terms of the listing that it was sold as, while that stands for the SKU. */
static void wish_more(struct edit *e, int64_t at, struct wish *wish)
{
    struct ws *ws = e->ws;
    const struct order_line_row *line = e->order.lines[at - 1];
    const struct db_value said[] = { db_int(ws_unit(ws)), db_int(e->named.channel->id), db_text(line->said) };
    size_t i = 0, count = 0;
    while (e->order.demands[i]->line != at)
        i++;
    while (i + count < e->order.demand_count && e->order.demands[i + count]->line == at)
        count++;
    *wish = (struct wish){ .line = at, .sku = ws_get(ws, &sku_table, WS_KEY(ws_unit(ws), line->sku)), .quantity = e->more[at - 1] };
    wish->listing = line->said_by_listing ? ws_find(ws, &listing_by_code, said) : NULL;
    if (wish->listing == NULL || wish->listing->sku != line->sku)
        wish->listing = only_listing(ws, e->named.channel, line->sku);
    wish->components = ARENA_ARRAY(ws_arena(ws), struct component, count);
    wish->component_count = count;
    for (size_t k = 0; k < count; k++)
        wish->components[k] = (struct component){ e->order.demands[i + k]->sku, e->order.demands[i + k]->need };
}

/* The rows of all lines that get more, in one go. */
static void want_more(const struct edit *e)
{
    const int64_t unit = ws_unit(e->ws);
    for (size_t i = 0; i < e->first; i++) {
        const struct order_line_row *line = e->order.lines[i];
        if (e->more[i] == 0)
            continue;
        ws_want(e->ws, &sku_table, WS_KEY(unit, line->sku));
        if (line->said_by_listing)
            ws_want_path(e->ws, &listing_by_code, WS_PREFIX(db_int(unit), db_int(e->named.channel->id), db_text(line->said)), 0);
        if (e->named.channel->listings > 0)
            ws_want_path(e->ws, &listing_of_sku, WS_PREFIX(db_int(unit), db_int(e->named.channel->id), db_int(line->sku)), 0);
    }
    ws_settle(e->ws);
}

/* Each wish, and that the order does not grow too large. */
static void make_wishes(struct edit *e)
{
    const struct set_io *set = e->in->set.items;
    size_t demands = e->order.demand_count;
    e->wishes = ARENA_ARRAY(ws_arena(e->ws), struct wish, e->in->set.count + e->named.count + 1);
    e->pointers = ARENA_ARRAY(ws_arena(e->ws), const char *, e->in->set.count + e->named.count + 1);
    want_more(e);
    named_want(&e->named);
    for (size_t i = 0; i < e->in->set.count; i++) {
        if (e->command->faults.count > 0 || e->more[set[i].line - 1] == 0)
            continue;
        wish_more(e, set[i].line, &e->wishes[e->wish_count]);
        e->pointers[e->wish_count++] = arena_printf(e->command->arena, "/set/%zu/quantity", i);
    }
    for (size_t i = 0; i < e->named.count; i++) {
        struct wish *wish = &e->wishes[e->wish_count];
        *wish = (struct wish){ .line = (int64_t)(e->first + i) + 1 };
        named_find(&e->named, i, wish);
        check_money(e, i);
        if (wish->sku == NULL) {
            named_unknown(&e->named, i);
            continue;
        }
        if (demands <= COMPONENTS_MAX)
            wish->component_count = recipe_of(e->ws, wish->sku, &wish->components);
        demands += wish->component_count;
        e->pointers[e->wish_count++] = e->in->replaces != 0 ? "/sku" : arena_printf(e->command->arena, "/add/%zu/quantity", i);
    }
    if (demands > COMPONENTS_MAX)
        fault_add(&e->command->faults, FAULT_ORDER_TOO_LARGE, e->in->replaces != 0 ? "/sku" : "/add", "the order would have more than %d components",
                  COMPONENTS_MAX);
}

/* ---- refusals ---- */

/* Somebody else may have the address already, or a parcel bears it. */
static const bool address_is_fixed[] = {
    [FULFILMENT_SENT] = true,    [FULFILMENT_ACCEPTED] = true,  [FULFILMENT_CANCEL_REQUESTED] = true, [FULFILMENT_PACKED] = true,
    [FULFILMENT_SHIPPED] = true, [FULFILMENT_DELIVERED] = true, [FULFILMENT_FAILED] = false,
};

static bool refuse_address(struct edit *e)
{
    struct ws *ws = e->ws;
    const struct fulfilment_row *row;
    struct ws_cursor cursor = ws_scan(ws, &fulfilment_of_order, WS_PREFIX(db_int(ws_unit(ws)), db_int(e->order.row->id)), 0);
    while ((row = ws_next(ws, &cursor)) != NULL) {
        if (!address_is_fixed[row->state])
            continue;
        fault_add(&e->command->faults, FAULT_TOO_LATE, "/ship_to", "fulfilment %s is %s", id_text(e->command->arena, "ful", row->unit, row->id),
                  fulfilment_names[row->state]);
        return true;
    }
    return false;
}

static bool refuse_less(struct edit *e)
{
    const struct set_io *set = e->in->set.items;
    const int64_t *cancellable = order_cancellable(&e->order);
    for (size_t i = 0; i < e->in->set.count; i++) {
        const int64_t at = set[i].line - 1;
        if (e->less[at] <= cancellable[at])
            continue;
        fault_of_set(e, FAULT_TOO_LATE, i, "quantity",
                     arena_printf(e->command->arena, "of line %ld, %ld have left, are part of what has, or need a node's word: at least as many stay",
                                  (long)set[i].line, (long)(wanted_of(e, set[i].line) - cancellable[at])));
        return true;
    }
    return false;
}

/* The people with the new address, under the key that they have. False: refused. */
static bool seal_people(struct edit *e)
{
    struct ws *ws = e->ws;
    struct arena *arena = ws_arena(ws);
    const struct person_row *person = ws_get(ws, &person_table, WS_KEY(ws_unit(ws), e->order.row->person));
    struct people_io *people = ARENA_NEW(arena, struct people_io);
    struct faults faults = { .arena = arena };
    struct json_writer before, after;
    struct bytes plain;
    if (e->in->ship_to == NULL)
        return true;
    if (person == NULL || !vault_unseal(ws_vault(ws), arena, person->wrapped_key, person->sealed, &plain) ||
        !fields_read_text(arena, (const char *)plain.at, plain.size, &people_fields, FIELDS_KEPT, people, &faults)) {
        fault_add(&e->command->faults, FAULT_STATE_CONFLICT, "/ship_to", "the order's people were erased");
        return false;
    }
    json_begin(&before, arena);
    fields_write(&before, &people_fields, people);
    people->ship_to = e->in->ship_to;
    json_begin(&after, arena);
    fields_write(&after, &people_fields, people);
    if (text_equal(before.out.at, after.out.at))
        return true;
    const struct bytes now = { (const uint8_t *)after.out.at, after.out.size };
    bool sealed = vault_seal_again(ws_vault(ws), arena, person->wrapped_key, now, &e->sealed);
    assert(sealed); /* the key has just opened what it sealed */
    return !refuse_address(e);
}

/* It may have no fewer shipments than it has already. */
static bool refuse_bound(struct edit *e)
{
    const int64_t most = e->in->max_shipments, has = order_shipments(&e->order);
    e->bounds = field_came(&edit_fields, e->in, "max_shipments") && most != e->order.row->max_shipments;
    if (!e->bounds || most == NULL_INT || has <= most)
        return false;
    fault_add(&e->command->faults, FAULT_TOO_LATE, "/max_shipments", "it has %ld shipments already", (long)has);
    return true;
}

/* 409, the first reason. */
static bool refused(struct edit *e)
{
    e->changes = e->wish_count > 0;
    for (size_t i = 0; i < e->first; i++)
        e->changes = e->changes || e->less[i] > 0;
    if (refuse_less(e) || !seal_people(e) || refuse_bound(e))
        return true;
    e->changes = e->changes || e->sealed.at != NULL || e->bounds;
    if (!e->changes || e->order.row->stage < STAGE_SHIPPED)
        return false;
    fault_add(&e->command->faults, FAULT_TOO_LATE, NULL, "the order is %s", stage_names[e->order.row->stage]);
    return true;
}

static bool refuse_shortage(struct edit *e)
{
    const bool whole = e->order.row->shortage == SHORTAGE_REJECT || e->in->replaces != 0;
    for (size_t i = 0; whole && i < e->wish_count; i++) {
        const struct wish *wish = &e->wishes[i];
        if (wish->granted == wish->quantity)
            continue;
        fault_add(&e->command->faults, FAULT_SHORTAGE, e->pointers[i], "asked %ld more of %s, %ld can be promised%s", (long)wish->quantity,
                  wish->sku->code, (long)wish->granted, wish->kept > 0 ? " in as many shipments as it may have" : "");
        return true;
    }
    return false;
}

/* ---- writing: from here nothing may fail ---- */

static void write_demands(struct edit *e, const struct wish *wish)
{
    const int64_t short_of = wish->quantity - wish->granted;
    for (size_t p = 0; p < wish->component_count; p++) {
        const struct component *component = &wish->components[p];
        struct demand_row demand = { .unit = e->order.row->unit,
                                     .ord = e->order.row->id,
                                     .line = wish->line,
                                     .part = (int64_t)p + 1,
                                     .sku = component->sku,
                                     .need = component->quantity,
                                     .ordered = wish->quantity * component->quantity,
                                     .backordered = short_of * component->quantity,
                                     .reserved = wish->granted * component->quantity };
        demand.oversold = e->outlet.channel->kind == CHANNEL_MARKETPLACE ? demand.backordered : 0;
        ws_insert(e->ws, &demand_table, &demand);
    }
}

static void raise_demands(struct edit *e, const struct wish *wish)
{
    const int64_t short_of = wish->quantity - wish->granted;
    for (size_t i = 0; i < e->order.demand_count; i++) {
        if (e->order.demands[i]->line != wish->line)
            continue;
        struct demand_row *demand = demand_edit(&e->order, i);
        demand->ordered += wish->quantity * demand->need;
        demand->backordered += short_of * demand->need;
        demand->reserved += wish->granted * demand->need;
        demand->oversold += e->outlet.channel->kind == CHANNEL_MARKETPLACE ? short_of * demand->need : 0;
    }
}

static void write_lines(struct edit *e)
{
    for (size_t i = 0; i < e->wish_count; i++) {
        const struct wish *wish = &e->wishes[i];
        struct order_line_row *row = &e->row[wish->line - 1];
        if (wish->line <= (int64_t)e->first) {
            *(struct order_line_row *)ws_edit(e->ws, e->order.lines[wish->line - 1]) = *row;
            raise_demands(e, wish);
            continue;
        }
        row->sku = wish->sku->id;
        row->bundle = wish->sku->bundle;
        ws_insert(e->ws, &order_line_table, row);
        write_demands(e, wish);
    }
    const int64_t last = e->order.last_seq;
    (void)order_open(e->ws, e->order.row->id, &e->order); /* with its new lines */
    e->order.last_seq = last;
    order_edit(&e->order)->total = e->total;
}

/* Puts what was not granted into its queues, in one go. */
static void write_waiting(struct edit *e)
{
    int64_t *skus = ARENA_ARRAY(ws_arena(e->ws), int64_t, e->order.demand_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < e->wish_count; i++)
        for (size_t c = 0; e->wishes[i].granted < e->wishes[i].quantity && c < e->wishes[i].component_count; c++)
            skus[count++] = e->wishes[i].components[c].sku;
    if (count > 0)
        waiting_skus_note(e->ws, skus, count);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < e->wish_count; i++)
            for (size_t d = 0; e->wishes[i].granted < e->wishes[i].quantity && d < e->order.demand_count; d++) {
                if (e->order.demands[d]->line != e->wishes[i].line)
                    continue;
                if (round == 0)
                    demand_waits_want(&e->order, e->order.demands[d]);
                else
                    demand_waits(&e->order, e->order.demands[d]);
            }
        ws_settle(e->ws);
    }
}

static void write_decision(struct edit *e)
{
    const struct db_value prefix[] = { db_int(ws_unit(e->ws)), db_int(e->order.row->id) };
    struct decision_row row = { .unit = e->order.row->unit,
                                .ord = e->order.row->id,
                                .number = (int64_t)ws_count(e->ws, &decision_of_order, prefix) + 1,
                                .kind = 1,
                                .policy_version = ws_config_version(e->ws),
                                .at = ws_now_us(e->ws),
                                .data = decision_of_choice(e->ws, &e->outlet, &e->choice) };
    ws_insert(e->ws, &decision_table, &row);
}

/* What was said and what came of it: the lines that are set, to how many; those that came; whether the address is another. */
static int64_t tell_edited(struct edit *e)
{
    const struct set_io *set = e->in->set.items;
    struct arena *arena = ws_arena(e->ws);
    struct line_units *lines = ARENA_ARRAY(arena, struct line_units, e->in->set.count + e->named.count + 1);
    size_t count = 0;
    struct json_writer json;
    order_event_begin(&e->order, &json);
    if (e->in->reason != NULL) {
        json_key(&json, "reason");
        json_text(&json, e->in->reason);
    }
    for (size_t i = 0; i < e->in->set.count; i++)
        if (e->less[set[i].line - 1] + e->more[set[i].line - 1] > 0)
            lines[count++] = (struct line_units){ set[i].line, set[i].quantity };
    if (count > 0)
        line_units_tell(&json, "set", lines, count);
    for (size_t i = 0; i < e->named.count; i++)
        lines[i] = (struct line_units){ (int64_t)(e->first + i) + 1, e->named.lines[i].quantity };
    if (e->named.count > 0)
        line_units_tell(&json, "added", lines, e->named.count);
    if (e->in->replaces != 0) {
        json_key(&json, "replaces");
        json_int(&json, e->in->replaces);
    }
    if (e->sealed.at != NULL) {
        json_key(&json, "ship_to");
        json_bool(&json, true);
    }
    if (e->bounds) { /* to how many: the state says it */
        json_key(&json, "bound");
        json_bool(&json, true);
    }
    return order_event_end(&e->order, &json, EVENT_ORDER_EDITED, e->total);
}

static void write_people(struct edit *e, int64_t seq)
{
    if (e->sealed.at == NULL)
        return;
    struct person_row *person = ws_edit(e->ws, ws_get(e->ws, &person_table, WS_KEY(ws_unit(e->ws), e->order.row->person)));
    struct person_before_row before = { .unit = person->unit, .id = person->id, .seq = seq, .sealed = person->sealed };
    ws_insert(e->ws, &person_before_table, &before);
    person->sealed = e->sealed;
}

static void promise(struct edit *e, struct stock *stock)
{
    write_lines(e);
    for (size_t i = 0; i < e->wish_count; i++)
        if (e->wishes[i].granted > 0)
            promise_take(stock, &e->outlet, &e->choice, &e->wishes[i], demand_holder(&e->order, &(struct demand_row){ .line = e->wishes[i].line }));
    write_waiting(e);
    if (e->wish_count > 0)
        write_decision(e);
}

/* Who fills looks at the queue's rows. */
static void write_bound(struct edit *e, int64_t *skus, size_t *count)
{
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < e->order.demand_count; i++) {
            const struct demand_row *demand = e->order.demands[i];
            if (demand->backordered == 0 || demand->sku == 0)
                continue;
            if (round == 0) {
                demand_waits_want(&e->order, demand);
                continue;
            }
            demand_waits(&e->order, demand);
            skus[(*count)++] = demand->sku;
        }
        ws_settle(e->ws);
    }
}

static void edit_write(struct edit *e, struct stock *stock)
{
    int64_t *skus = ARENA_ARRAY(ws_arena(e->ws), int64_t, e->order.demand_count + COMPONENTS_MAX + 1);
    size_t waiting = 0;
    promise(e, stock);
    if (e->bounds)
        write_bound(e, skus, &waiting);
    write_people(e, tell_edited(e));
    exceptions_settle(&e->order);
    mapping_settle(&e->order);
    if (shortage_tell(&e->order, &e->outlet, e->wishes, e->wish_count)) {
        (void)order_restage(&e->order);
        order_event(&e->order, EVENT_ORDER_BACKORDERED, NULL_INT); /* the order's last event stands for the answer, timeline and all */
    }
    order_go(&e->order, false);
    stock_end(stock);
    order_answer_changed(&e->order, e->command);
    backorders_fill(e->ws, stock->freed, stock->freed_count);
    if (waiting > 0) /* it may have units now that the bound kept from it */
        backorders_fill_skus(e->ws, skus, waiting);
}

static bool read_edit(struct edit *e)
{
    if (!edit_open(e))
        return false;
    read_set(e);
    if (field_came(&edit_fields, e->in, "max_shipments") && e->in->max_shipments != NULL_INT && e->named.channel->kind == CHANNEL_MARKETPLACE)
        fault_add(&e->command->faults, FAULT_INVALID, "/max_shipments", "what a marketplace has sold ships from wherever it stands");
    make_wishes(e);
    read_lines(e);
    return e->command->faults.count == 0;
}

void edit_carry_out(struct ws *ws, struct command *command, const struct order *order, const struct edit_io *in)
{
    struct edit e = { .ws = ws, .command = command, .in = in, .order = *order };
    if (!read_edit(&e) || refused(&e))
        return;
    if (!e.changes) {
        order_answer_changed(&e.order, command);
        return;
    }
    outlet_open(ws, e.named.channel, &e.outlet);
    outlet_without_refusing(ws, e.order.row->id, &e.outlet);
    e.outlet.routing = order_routing_of(&e.order, e.named.channel, e.in->ship_to);
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_ORDER, e.order.row->id });
    order_give_back(&e.order, e.less, &stock);
    e.outlet.own = stock.freed;
    e.outlet.own_count = stock.freed_count;
    promise_grant(ws, &e.outlet, e.wishes, e.wish_count, e.named.channel->kind == CHANNEL_MARKETPLACE);
    if (e.bounds)
        order_edit(&e.order)->max_shipments = in->max_shipments;
    const struct spread spread = order_spread(&e.order, &e.outlet);
    promise_choose(ws, &e.outlet, e.wishes, e.wish_count, &spread, &e.choice);
    if (!refuse_shortage(&e))
        edit_write(&e, &stock);
}

static void edit_decide(struct ws *ws, struct command *command)
{
    struct order order;
    if (order_of_command(ws, command, &order))
        edit_carry_out(ws, command, &order, command->input);
}

const struct command_type order_edit_lines = {
    .name = "order.edit",
    .input = &edit_fields,
    .mode = FIELDS_POST,
    .queue = QUEUE_PEOPLE,
    .edge = edit_edge,
    .prefetch = edit_prefetch,
    .look_up = edit_look_up,
    .decide = edit_decide,
    .again = order_again,
    .inverse = "order.edit: each line set to what was wanted before, lines that came to 0, the address as it was",
};
