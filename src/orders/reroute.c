/* src/orders/reroute.c: an order's soft claims are planned as if it came now, with what it holds as stock, and move where that is clearly better.
 * Only differences move: what stays where it is keeps its claim. Each move makes the order better in parcels, cost or lateness, and in nothing
 * before these worse, so a row of moves ends. */
#include "orders/reroute.h"
#include "engine/vault.h"
#include "orders/asked.h"
#include "orders/commands.h"
#include "orders/decisions.h"
#include "orders/order_io.h"
#include "orders/together.h"
#include <string.h>

const struct routing *order_routing_of(const struct order *order, const struct channel_row *channel, const struct person_io *ship_to)
{
    struct ws *ws = order->ws;
    const struct orders_row *row = order->row;
    struct route_facts facts = { .promise_by = row->promise_by };
    if (routing_open(ws, channel, &facts) == NULL)
        return NULL;
    const struct person_row *person = ws_get(ws, &person_table, WS_KEY(ws_unit(ws), row->person));
    struct people_io *people = ARENA_NEW(ws_arena(ws), struct people_io);
    struct faults faults = { .arena = ws_arena(ws) };
    struct bytes plain;
    const bool known = person != NULL && person->wrapped_key.at != NULL &&
                       vault_unseal(ws_vault(ws), ws_arena(ws), person->wrapped_key, person->sealed, &plain) &&
                       fields_read_text(ws_arena(ws), (const char *)plain.at, plain.size, &people_fields, FIELDS_KEPT, people, &faults);
    ship_to = ship_to == NULL && known ? people->ship_to : ship_to;
    if (ship_to != NULL) {
        facts.country = ship_to->country;
        facts.postal_code = ship_to->postal_code;
    }
    if (known && people->customer != NULL)
        facts.email = people->customer->email;
    if (row->tags != NULL)
        tags_read(ws_arena(ws), row->tags, &facts.tags);
    return routing_open(ws, channel, &facts);
}

void decision_add(const struct order *order, const struct outlet *outlet, const struct choice *choice, enum decision_kind kind)
{
    struct ws *ws = order->ws;
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(order->row->id) };
    struct decision_row row = { .unit = ws_unit(ws),
                                .ord = order->row->id,
                                .number = (int64_t)ws_count(ws, &decision_of_order, prefix) + 1,
                                .kind = kind,
                                .policy_version = ws_config_version(ws),
                                .at = ws_now_us(ws),
                                .data = decision_of_choice(ws, outlet, choice) };
    ws_insert(ws, &decision_table, &row);
}

/* ---- what may move ---- */

/* Soft units of a demand at a node of the outlet. */
static int64_t soft_at(const struct order *order, const struct outlet *outlet, size_t node, const struct demand_row *demand)
{
    struct holder holder = demand_holder(order, demand);
    const struct claim_row *claim = claim_find(order->ws, outlet->nodes[node]->id, demand->sku, &holder);
    return claim == NULL ? 0 : claim->soft;
}

/* Pieces at a node: as many as each part has there; -1: the parts differ. */
static int64_t pieces_at(const struct order *order, const struct outlet *outlet, size_t node, const struct moving *moving)
{
    int64_t pieces = -1;
    for (size_t i = 0; i < moving->parts; i++) {
        const struct demand_row *demand = order->demands[moving->demand + i];
        int64_t need = moving->together ? demand->need : 1, soft = soft_at(order, outlet, node, demand);
        if (soft % need != 0 || (pieces >= 0 && soft / need != pieces))
            return -1;
        pieces = soft / need;
    }
    return pieces;
}

/* Adds a wish for what moves together; nothing where some of it stands at no node of the channel, or as parts of no whole piece. */
static void add_wish(struct reroute *r, struct order *order, size_t demand, size_t parts, bool together)
{
    struct moving moving = { demand, parts, together };
    struct wish *wish = &r->wishes[r->count];
    int64_t all = 0, wanted = order->demands[demand]->reserved / (together ? order->demands[demand]->need : 1);
    for (size_t n = 0; n < r->outlet.node_count && all >= 0; n++) {
        int64_t pieces = pieces_at(order, &r->outlet, n, &moving);
        all = pieces < 0 ? -1 : all + pieces;
    }
    if (all <= 0 || all != wanted)
        return;
    wish->components = ARENA_ARRAY(ws_arena(order->ws), struct component, parts);
    wish->component_count = parts;
    wish->line = order->demands[demand]->line;
    wish->quantity = wish->granted = all;
    for (size_t i = 0; i < parts; i++)
        wish->components[i] = (struct component){ order->demands[demand + i]->sku, together ? order->demands[demand + i]->need : 1 };
    r->movings[r->count++] = moving;
}

static void wishes_of(struct reroute *r, struct order *order)
{
    r->wishes = ARENA_ARRAY(ws_arena(order->ws), struct wish, order->demand_count + 1);
    r->movings = ARENA_ARRAY(ws_arena(order->ws), struct moving, order->demand_count + 1);
    for (size_t first = 0, end; first < order->demand_count; first = end) {
        for (end = first + 1; end < order->demand_count && order->demands[end]->line == order->demands[first]->line;)
            end++;
        if (order->demands[first]->sku != 0 && line_stays_together(order, order->demands[first]->line, &r->outlet))
            add_wish(r, order, first, end - first, true);
        else
            for (size_t i = first; i < end; i++)
                if (order->demands[i]->sku != 0)
                    add_wish(r, order, i, 1, false);
    }
}

static struct holding holding_of(struct reroute *r, struct order *order)
{
    size_t room = r->count * r->outlet.node_count;
    for (size_t w = 0; w < r->count; w++)
        room += (r->movings[w].parts - 1) * r->outlet.node_count;
    struct freed *held = ARENA_ARRAY(ws_arena(order->ws), struct freed, room + 1);
    struct holding holding = { .order = order->row->id, .held = held };
    for (size_t w = 0; w < r->count; w++)
        for (size_t i = 0; i < r->movings[w].parts; i++)
            for (size_t n = 0; n < r->outlet.node_count; n++) {
                const struct demand_row *demand = order->demands[r->movings[w].demand + i];
                int64_t soft = soft_at(order, &r->outlet, n, demand);
                if (soft > 0)
                    held[holding.count++] = (struct freed){ r->outlet.nodes[n]->id, demand->sku, soft };
            }
    return holding;
}

/* ---- is it better? ---- */

/* Whether it holds units where a rule, or the carrier, is against it now: the policy or the address has changed since. */
static bool is_barred(const struct reroute *r)
{
    const struct route_problem *p = &r->choice.problem;
    for (size_t i = 0; i < p->item_count && r->outlet.routing != NULL; i++)
        for (size_t n = 0; n < p->node_count; n++)
            for (size_t k = 0; k < p->items[i].part_count && r->now[i * p->node_count + n] > 0; k++)
                if (p->stock[n * p->column_count + p->items[i].parts[k].column] == 0)
                    return true;
    return false;
}

static bool is_better(const struct order *order, const struct reroute *r, enum route_term *by)
{
    const struct route_terms *now = &r->terms, *then = &r->choice.plan.terms;
    const struct routing *routing = r->outlet.routing;
    int64_t saving = routing == NULL ? 1 : max_i64(1, routing_replan_saving(routing));
    const bool cost_first = r->choice.problem.cost_first, cheaper = now->cost - then->cost >= saving;
    if (order->row->max_shipments != NULL_INT && then->shipments > now->shipments)
        return false; /* it may be bound to as many as it has */
    *by = cost_first ? ROUTE_cost : ROUTE_shipments;
    if (cost_first ? cheaper : then->shipments < now->shipments)
        return true;
    if (cost_first ? then->cost > now->cost : then->shipments > now->shipments)
        return false;
    *by = cost_first ? ROUTE_shipments : ROUTE_cost;
    if (cost_first ? then->shipments < now->shipments : cheaper)
        return true;
    *by = ROUTE_late_us;
    return then->cost <= now->cost && then->shipments <= now->shipments && then->late_us < now->late_us;
}

bool order_reroute_plan(struct order *order, struct reroute *r)
{
    struct ws *ws = order->ws;
    const struct channel_row *channel = ws_get(ws, &channel_table, WS_KEY(ws_unit(ws), order->row->channel));
    *r = (struct reroute){ .by = ROUTE_TERM_COUNT };
    claims_want(ws, &order->row->id, 1);
    outlet_open(ws, channel, &r->outlet);
    outlet_without_refusing(ws, order->row->id, &r->outlet);
    r->outlet.routing = order_routing_of(order, channel, NULL);
    wishes_of(r, order);
    if (r->count == 0)
        return false;
    struct holding holding = holding_of(r, order);
    promise_choose_again(ws, &r->outlet, r->wishes, r->count, &holding, &r->choice);
    r->now = ARENA_ARRAY(ws_arena(ws), int64_t, r->choice.problem.item_count * r->outlet.node_count + 1);
    for (size_t w = 0; w < r->count; w++)
        for (size_t n = 0; n < r->outlet.node_count; n++)
            r->now[r->choice.first_item[w] * r->outlet.node_count + n] = pieces_at(order, &r->outlet, n, &r->movings[w]);
    r->terms = route_evaluate(ws_arena(ws), &r->choice.problem, r->now);
    r->better = r->choice.count > 0 && (is_barred(r) || is_better(order, r, &r->by));
    return true;
}

/* ---- moving ---- */

/* Pieces of a wish that a node gets more (or loses, below 0). */
static int64_t more_at(const struct reroute *r, size_t wish, size_t node)
{
    size_t at = r->choice.first_item[wish] * r->outlet.node_count + node;
    return r->choice.plan.pieces[at] - r->now[at];
}

static void move_wish(struct reroute *r, struct order *order, struct stock *stock, size_t w, bool take)
{
    const struct moving *moving = &r->movings[w];
    for (size_t n = 0; n < r->outlet.node_count; n++) {
        int64_t more = more_at(r, w, n);
        for (size_t i = 0; i < moving->parts && more != 0 && (more > 0) == take; i++) {
            const struct demand_row *demand = order->demands[moving->demand + i];
            struct holder holder = demand_holder(order, demand);
            int64_t units = (take ? more : -more) * r->wishes[w].components[i].quantity;
            if (take)
                outlet_take(stock, &r->outlet, n, demand->sku, &holder, units);
            else
                claim_give_back(stock, claim_find(order->ws, r->outlet.nodes[n]->id, demand->sku, &holder), units, 0);
        }
    }
}

void order_reroute(struct order *order, struct reroute *r, int64_t kind)
{
    struct ws *ws = order->ws;
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_ORDER, order->row->id });
    for (size_t w = 0; w < r->count; w++)
        move_wish(r, order, &stock, w, false);
    r->outlet.own = stock.freed; /* what it gave back it may take again, whoever waits there */
    r->outlet.own_count = stock.freed_count;
    for (size_t w = 0; w < r->count; w++)
        move_wish(r, order, &stock, w, true);
    stock_end(&stock);
    decision_add(order, &r->outlet, &r->choice, (enum decision_kind)kind);
    order_event(order, EVENT_ORDER_REROUTED, NULL_INT);
    backorders_fill(ws, stock.freed, stock.freed_count);
}

/* ---- at release, and for those who wait ---- */

void order_go(struct order *order, bool asked)
{
    struct ws *ws = order->ws;
    const struct channel_row *channel = ws_get(ws, &channel_table, WS_KEY(ws_unit(ws), order->row->channel));
    const struct route_facts nothing = { .promise_by = NULL_INT };
    if (order_release_gate(order) == FAULT_NONE && (!channel->manual_release || asked) && routing_open(ws, channel, &nothing) != NULL) {
        struct reroute *r = ARENA_NEW(ws_arena(ws), struct reroute);
        if (order_reroute_plan(order, r) && r->better)
            order_reroute(order, r, DECISION_RELEASE);
    }
    order_advance(order, asked);
}

void order_may_take_want(struct ws *ws, int64_t order)
{
    routing_want(ws);
    if (routing_known(ws))
        ws_want(ws, &person_table, WS_KEY(ws_unit(ws), order)); /* it has its order's number */
}

bool order_may_take_from(struct ws *ws, int64_t id, const struct channel_row *channel, const struct node_row *node, int64_t sku)
{
    struct order order = { .ws = ws };
    const struct route_facts nothing = { .promise_by = NULL_INT };
    if (routing_open(ws, channel, &nothing) == NULL)
        return true;
    order.row = ws_get(ws, &orders_table, WS_KEY(ws_unit(ws), id));
    const struct routing *routing = order_routing_of(&order, channel, NULL);
    struct ships ships;
    routing_ships(routing, node, &ships);
    return !ships.unserved && routing_forbids(routing, node, ws_get(ws, &sku_table, WS_KEY(ws_unit(ws), sku))) == 0;
}

/* ---- the command ---- */

static void replan_prefetch(struct ws *ws, const struct command *command)
{
    static const struct db_path *const also[] = { &decision_of_order };
    order_command_prefetch(ws, command);
    order_command_want(ws, command, also, COUNT(also));
    routing_want(ws);
}

static void replan_decide(struct ws *ws, struct command *command)
{
    struct order order;
    struct reroute *r = ARENA_NEW(ws_arena(ws), struct reroute);
    if (!order_of_command(ws, command, &order))
        return;
    if (!order_reroute_plan(&order, r)) {
        fault_add(&command->faults, FAULT_STATE_CONFLICT, NULL, "the order is %s, and no claim of it may move", stage_names[order.row->stage]);
        return;
    }
    if (r->better)
        order_reroute(&order, r, DECISION_REPLAN);
    order_answer_changed(&order, command);
}

ORDER_COMMAND(order_replan, "order.replan", NULL, replan_prefetch, replan_decide, "none: what is better now may be planned again");
