/* src/orders/commands.c: small commands about one order: holds, release, a node's refusal. */
#include "orders/commands.h"
#include "orders/asked.h"
#include "base/id.h"
#include "orders/order_io.h"
#include "orders/payments.h"
#include "orders/reroute.h"
#include <string.h>

#define AT(type, member) offsetof(struct type, member)

bool order_command_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    return command_names(command, request, "ord", "order", faults);
}

void order_command_want(struct ws *ws, const struct command *command, const struct db_path *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ws_want_path(ws, paths[i], WS_PREFIX(db_int(ws_unit(ws)), db_int(command_id(command, "ord"))), 0);
}

void order_command_prefetch(struct ws *ws, const struct command *command)
{
    static const struct db_path *const decided_on[] = { &line_of_order, &demand_of_order, &fulfilment_of_order, &claim_of_holder };
    static const struct db_path *const shown[] = { &hold_of_order, &event_of_order };
    ws_want(ws, &orders_table, WS_KEY(ws_unit(ws), command_id(command, "ord")));
    order_command_want(ws, command, decided_on, COUNT(decided_on));
    order_command_want(ws, command, shown, command->wants_answer ? COUNT(shown) : 0);
}

bool order_of_command(struct ws *ws, struct command *command, struct order *order)
{
    if (!order_open(ws, command_id(command, "ord"), order)) {
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no order %s", command->path[0]);
        return false;
    }
    if (if_match_holds(command->if_match, order->row->version) && if_none_match_holds(command->if_none_match, order->row->version))
        return true;
    fault_add(&command->faults, FAULT_PRECONDITION_FAILED, NULL, "it is at version %ld", (long)order->row->version);
    return false;
}

void order_answer_changed(struct order *order, struct command *command)
{
    command->existing = order->last_seq == 0; /* nothing changed: the answer is the order as it stands */
    command->event_seq = command->existing ? order_told(order) : order->last_seq;
    order_answer(order, command, 200);
}

/* ---- holds ---- */

struct hold_in {
    struct field_presence presence;
    const char *kind, *reason, *source;
};
static const struct field hold_in_rows[] = {
    { "kind", FIELD_CODE, AT(hold_in, kind), .required = true, .doc = "fraud, address, payment, ...: any code" },
    { "reason", FIELD_TEXT, AT(hold_in, reason), .lines = true, .required = true, .min = 1, .max = 255, .doc = "for the person who clears it" },
    { "source", FIELD_TEXT, AT(hold_in, source), .min = 1, .max = 64, .doc = "default: the key's name" },
};
static const struct field_table hold_in_fields = { "HoldIn", hold_in_rows, COUNT(hold_in_rows), sizeof(struct hold_in) };
static const struct field clear_rows[] = {
    { "reason", FIELD_TEXT, AT(hold_in, reason), .lines = true, .required = true, .min = 1, .max = 255, .doc = "why it may go on" },
    { "source", FIELD_TEXT, AT(hold_in, source), .min = 1, .max = 64, .doc = "without: all of the kind" },
};
static const struct field_table clear_fields = { "HoldClear", clear_rows, COUNT(clear_rows), sizeof(struct hold_in) };

static void hold_decide(struct ws *ws, struct command *command)
{
    const struct hold_in *in = command->input;
    struct order order;
    if (!order_of_command(ws, command, &order))
        return;
    if (order.row->stage >= STAGE_SHIPPED) {
        fault_add(&command->faults, FAULT_TOO_LATE, NULL, "the order is %s", stage_names[order.row->stage]);
        return;
    }
    hold_add(&order, in->kind, in->source == NULL ? command->actor.name : in->source, in->reason);
    order_answer_changed(&order, command);
}

static void clear_decide(struct ws *ws, struct command *command)
{
    const struct hold_in *in = command->input;
    struct order order;
    if (!order_of_command(ws, command, &order))
        return;
    if (hold_clear(&order, command->path[1], in->source, in->reason) == 0) {
        fault_add(&command->faults, FAULT_NO_SUCH_HOLD, NULL, "the order has no hold %s%s%s", command->path[1], in->source == NULL ? "" : " of ",
                  in->source == NULL ? "" : in->source);
        return;
    }
    order_go(&order, false);
    order_answer_changed(&order, command);
}

/* ---- release ---- */

/* What stands in the way, with its figures: whoever asks wants to know what to do. */
static void refuse_release(const struct order *order, enum fault_code gate, struct faults *faults)
{
    const struct orders_row *row = order->row;
    const struct payment_sums sums = payment_sums_of(row);
    const struct payment_standing standing = payment_standing(&sums);
    const bool prepaid = row->term == TERM_PREPAID;
    if (gate == FAULT_HOLD_LEFT)
        fault_add(faults, gate, NULL, "holds that stand: %ld", (long)row->holds);
    else if (gate == FAULT_PAYMENT_OPEN)
        fault_add(faults, gate, NULL, "%s are due, %s are %s", money_text(faults->arena, order_due(order), row->currency),
                  money_text(faults->arena, prepaid ? standing.paid : standing.paid + standing.open, row->currency),
                  prepaid ? "paid" : "authorised or paid");
    else if (gate == FAULT_SHORTAGE)
        fault_add(faults, gate, NULL, "some units wait for supply, and the order goes as a whole");
    else
        fault_add(faults, gate, NULL, "the order is %s, and none of its units is reserved", stage_names[row->stage]);
}

static void release_decide(struct ws *ws, struct command *command)
{
    struct order order;
    if (!order_of_command(ws, command, &order))
        return;
    enum fault_code gate = order_release_gate(&order);
    if (gate != FAULT_NONE) {
        refuse_release(&order, gate, &command->faults);
        return;
    }
    order_go(&order, true);
    order_answer_changed(&order, command);
}

/* ---- a node's refusal ---- */

static const struct field refusal_rows[] = {
    { "reason", FIELD_TEXT, AT(hold_in, reason), .lines = true, .required = true, .min = 1, .max = 255, .doc = "why the node may be asked again" },
};
static const struct field_table refusal_fields = { "RefusalClear", refusal_rows, COUNT(refusal_rows), sizeof(struct hold_in) };

static void tell_cleared(struct order *order, const char *node, const char *reason)
{
    struct json_writer json;
    order_event_begin(order, &json);
    json_key(&json, "node");
    json_text(&json, node);
    json_key(&json, "reason");
    json_text(&json, reason);
    (void)order_event_end(order, &json, EVENT_ORDER_REFUSAL_CLEARED, NULL_INT);
}

static void refusal_clear_prefetch(struct ws *ws, const struct command *command)
{
    order_command_prefetch(ws, command);
    order_command_want(ws, command, (const struct db_path *const[]){ &refusal_of_order, &event_of_order, &exception_open_of_order }, 3);
}

/* The node is asked at once, where something waits and stands there: the answer shows the order after that. */
static void refusal_clear_decide(struct ws *ws, struct command *command)
{
    struct order order;
    const char *code = command->path[1];
    if (!order_of_command(ws, command, &order))
        return;
    const struct node_row *node = ws_find(ws, &node_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(code)));
    if (node == NULL || !refusal_clear(ws, order.row->id, node->id)) {
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "no node %s refuses the order", code);
        return;
    }
    tell_cleared(&order, code, ((const struct hold_in *)command->input)->reason);
    int64_t *skus = ARENA_ARRAY(ws_arena(ws), int64_t, order.demand_count);
    size_t count = 0;
    for (size_t i = 0; i < order.demand_count; i++)
        if (order.demands[i]->backordered > 0 && order.demands[i]->sku != 0)
            skus[count++] = order.demands[i]->sku;
    backorders_fill_skus(ws, skus, count);
    (void)order_open(ws, order.row->id, &order);
    command->event_seq = order_told(&order);
    order_answer(&order, command, 200);
}

ORDER_COMMAND(order_refusal_clear, "order.refusal.clear", &refusal_fields, refusal_clear_prefetch, refusal_clear_decide,
              "none: the node may decline again");
ORDER_COMMAND(order_hold, "order.hold", &hold_in_fields, order_command_prefetch, hold_decide, "order.hold.clear");
ORDER_COMMAND(order_hold_clear, "order.hold.clear", &clear_fields, order_command_prefetch, clear_decide, "order.hold");
ORDER_COMMAND(order_release, "order.release", NULL, order_command_prefetch, release_decide, "none: what a node has is cancelled by order.cancel");
