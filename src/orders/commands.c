/* src/orders/commands.c: small commands about one order: holds, payments, release. */
#include "orders/commands.h"
#include "base/id.h"
#include "orders/order_io.h"
#include <string.h>

#define AT(type, member) offsetof(struct type, member)

bool order_command_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    int64_t id;
    memcpy(command->path, request->path, sizeof command->path);
    if (id_parse(request->path[0], strlen(request->path[0]), "ord", &command->unit, &id) && command->unit > 0)
        return true;
    fault_add(faults, FAULT_NOT_FOUND, NULL, "there is no order %s", request->path[0]);
    return false;
}

static int64_t order_id(const struct command *command)
{
    int64_t unit, id = 0;
    (void)id_parse(command->path[0], strlen(command->path[0]), "ord", &unit, &id); /* the edge has parsed it */
    return id;
}

static void want_paths(struct ws *ws, const struct command *command, const struct db_path *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ws_want_path(ws, paths[i], WS_PREFIX(db_int(ws_unit(ws)), db_int(order_id(command))), 0);
}

void order_command_prefetch(struct ws *ws, const struct command *command)
{
    static const struct db_path *const decided_on[] = { &line_of_order, &demand_of_order, &fulfilment_of_order, &claim_of_holder };
    static const struct db_path *const shown[] = { &hold_of_order, &event_of_order };
    ws_want(ws, &orders_table, WS_KEY(ws_unit(ws), order_id(command)));
    want_paths(ws, command, decided_on, COUNT(decided_on));
    want_paths(ws, command, shown, command->wants_answer ? COUNT(shown) : 0);
}

static void pay_prefetch(struct ws *ws, const struct command *command)
{
    order_command_prefetch(ws, command);
    want_paths(ws, command, (const struct db_path *const[]) { &payment_of_order }, 1);
}

bool order_of_command(struct ws *ws, struct command *command, struct order *order)
{
    if (!order_open(ws, order_id(command), order)) {
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no order %s", command->path[0]);
        return false;
    }
    if (if_match_holds(command->if_match, order->row->version))
        return true;
    fault_add(&command->faults, FAULT_PRECONDITION_FAILED, NULL, "it is at version %ld", (long)order->row->version);
    return false;
}

static void answer_order(struct order *order, struct command *command)
{
    command->event_seq = order->last_seq;
    command->existing = order->last_seq == 0; /* nothing changed: the answer is the order as it stands */
    order_answer(order, command, 200);
}

/* ---- holds ---- */

struct hold_in {
    struct field_presence presence;
    const char *kind, *reason, *source;
};
static const struct field hold_in_rows[] = {
    { "kind", FIELD_CODE, AT(hold_in, kind), .required = true, .doc = "fraud, address, payment, ...: any code" },
    { "reason", FIELD_TEXT, AT(hold_in, reason), .required = true, .min = 1, .max = 255, .doc = "for the person who clears it" },
    { "source", FIELD_TEXT, AT(hold_in, source), .min = 1, .max = 64, .doc = "default: the key's name" },
};
static const struct field_table hold_in_fields = { "HoldIn", hold_in_rows, COUNT(hold_in_rows), sizeof(struct hold_in) };
static const struct field clear_rows[] = {
    { "reason", FIELD_TEXT, AT(hold_in, reason), .required = true, .min = 1, .max = 255, .doc = "why it may go on" },
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
    answer_order(&order, command);
}

static void clear_decide(struct ws *ws, struct command *command)
{
    const struct hold_in *in = command->input;
    struct order order;
    if (!order_of_command(ws, command, &order))
        return;
    if (hold_clear(&order, command->path[1], in->source) == 0) {
        fault_add(&command->faults, FAULT_NO_SUCH_HOLD, NULL, "the order has no hold %s%s%s", command->path[1], in->source == NULL ? "" : " of ",
                  in->source == NULL ? "" : in->source);
        return;
    }
    order_advance(&order, false);
    answer_order(&order, command);
}

/* ---- payments ---- */

struct pay_in {
    struct field_presence presence;
    int64_t kind;
    struct money amount;
    const char *reference;
};
static const struct field pay_rows[] = {
    { "kind", FIELD_ENUM, AT(pay_in, kind), .required = true, .names = payment_names, .doc = "what has happened" },
    { "amount", FIELD_MONEY, AT(pay_in, amount), .required = true, .max = INT64_C(1000000000000000), .doc = "in the order's currency" },
    { "reference", FIELD_TEXT, AT(pay_in, reference), .required = true, .min = 1, .max = 128, .doc = "of the payment provider" },
};
static const struct field_table pay_fields = { "PaymentFact", pay_rows, COUNT(pay_rows), sizeof(struct pay_in) };

/* A fact tells what has happened: it is recorded whatever the order's stage. */
static void pay_decide(struct ws *ws, struct command *command)
{
    const struct pay_in *in = command->input;
    struct order order;
    if (!order_of_command(ws, command, &order))
        return;
    if (!text_equal(in->amount.currency, order.row->currency)) {
        fault_add(&command->faults, FAULT_CURRENCY_MISMATCH, "/amount/currency", "the order is in %s", order.row->currency);
        return;
    }
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(order.row->id) };
    struct payment_row row = { .unit = ws_unit(ws), .ord = order.row->id, .number = (int64_t)ws_count(ws, &payment_of_order, prefix) + 1, .kind = in->kind,
                               .amount = in->amount.minor, .reference = in->reference, .at = ws_now_us(ws) };
    ws_insert(ws, &payment_table, &row);
    struct orders_row *edited = order_edit(&order);
    int64_t *const sums[] = { &edited->authorised, &edited->captured, NULL, &edited->voided, &edited->refunded };
    if (sums[in->kind] != NULL && !money_add(*sums[in->kind], in->amount.minor, sums[in->kind])) {
        fault_add(&command->faults, FAULT_OUT_OF_RANGE, "/amount/amount", "the sum of the order's payments does not fit");
        return;
    }
    if (in->kind <= PAYMENT_CAPTURED)
        edited->payment_status = max_i64(edited->payment_status, in->kind + 1);
    order_event(&order, EVENT_ORDER_PAYMENT, in->amount.minor);
    order_advance(&order, false);
    answer_order(&order, command);
}

/* ---- release ---- */

static void release_decide(struct ws *ws, struct command *command)
{
    struct order order;
    if (!order_of_command(ws, command, &order))
        return;
    enum fault_code gate = order_release_gate(&order);
    if (gate != FAULT_NONE) {
        fault_add(&command->faults, gate, NULL, "the order is %s", stage_names[order.row->stage]);
        return;
    }
    order_advance(&order, true);
    answer_order(&order, command);
}

#define ORDER_COMMAND(NAME, TEXT, INPUT, PREFETCH, DECIDE, INVERSE)                                                                  \
    const struct command_type NAME = {                                                                                              \
        .name = TEXT, .input = INPUT, .mode = FIELDS_POST, .queue = QUEUE_PEOPLE, .edge = order_command_edge,                       \
        .prefetch = PREFETCH, .decide = DECIDE, .again = order_again, .inverse = INVERSE,                                           \
    }
ORDER_COMMAND(order_hold, "order.hold", &hold_in_fields, order_command_prefetch, hold_decide, "order.hold.clear");
ORDER_COMMAND(order_hold_clear, "order.hold.clear", &clear_fields, order_command_prefetch, clear_decide, "order.hold");
ORDER_COMMAND(order_pay, "order.pay", &pay_fields, pay_prefetch, pay_decide, "order.pay with the opposite fact");
ORDER_COMMAND(order_release, "order.release", NULL, order_command_prefetch, release_decide, "none: what a node has is cancelled by order.cancel");
