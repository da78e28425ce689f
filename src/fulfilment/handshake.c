/* src/fulfilment/handshake.c: what passes between us and a node about work that it has not shipped: it is sent, taken on, declined, fails, and is
 * asked for again. Units that a node will not ship go back in the same command: they wait at the order's rank and are given to another node
 * where they stand; this one is passed over for the order until a person says otherwise (orders/asked.c). What a node was asked to give back is
 * cancelled when it agrees; when it does not, the work goes on where it stood. */
#include "fulfilment/reports.h"
#include "orders/asked.h"
#include "orders/commands.h"

#define AT(type, member) offsetof(struct type, member)

/* ---- units leave a node's work ---- */

/* All that letting go touches, in one go. */
static void want_gone(struct fulfilment *f)
{
    claims_want(f->ws, &f->order.row->id, 1);
    refusals_want(f->ws, f->row->ord);
    ws_want_path(f->ws, &asked_of_fulfilment, WS_PREFIX(db_int(f->row->unit), db_int(f->row->id)), 0);
    ws_want_path(f->ws, &exception_open_of_order, WS_PREFIX(db_int(ws_unit(f->ws)), db_int(f->row->ord)), 0);
    for (size_t i = 0; i < f->line_count; i++)
        if (f->picked[i].missing + f->picked[i].useless > 0) {
            demand_waits_want(&f->order, f->order.demands[demand_of(&f->order, f->lines[i])]);
            short_picks_want(f->ws, f->row->node, f->lines[i]->sku);
        }
    ws_settle(f->ws);
}

/* Units of the line's SKU that are missing in all lines; 0 where a line before has told them. */
static int64_t missing_of_sku(const struct fulfilment *f, size_t line)
{
    int64_t units = 0;
    for (size_t i = 0; i < f->line_count; i++) {
        if (f->lines[i]->sku != f->lines[line]->sku)
            continue;
        if (i < line && f->picked[i].missing > 0)
            return 0;
        units += f->picked[i].missing;
    }
    return units;
}

/* What the order holds at the node besides, and no node has been told yet: it would be sent there, and it goes to another one, too. */
static void give_back_soft(struct fulfilment *f, struct fallen *fallen, size_t *count)
{
    struct ws *ws = f->ws;
    struct order *order = &f->order;
    const struct claim_row *claim;
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_FULFILMENT, f->row->id });
    struct ws_cursor cursor = ws_scan(ws, &claim_of_holder, WS_PREFIX(db_int(ws_unit(ws)), db_int(order->row->id)), 0);
    while ((claim = ws_next(ws, &cursor)) != NULL) {
        const int64_t units = claim->kind == CLAIM_ORDER && claim->node == f->row->node ? claim->soft : 0;
        if (units == 0)
            continue;
        size_t d = 0;
        while (order->demands[d]->line != claim->line || order->demands[d]->part != claim->part)
            d++;
        fallen[(*count)++] = (struct fallen){ claim->line, claim->sku, units };
        claim_give_back(&stock, claim, units, 0);
        demand_falls_back(order, d, units, FROM_RESERVED);
    }
    stock_end(&stock);
}

/* Pieces of each line that were cancelled, as a whole bundle where a part of it was; NULL: none. */
static const int64_t *pieces_cancelled(const struct fulfilment *f)
{
    const struct order *order = &f->order;
    int64_t *pieces = ARENA_ARRAY(ws_arena(f->ws), int64_t, order->line_count), any = 0;
    for (size_t i = 0; i < f->line_count; i++) {
        const int64_t need = order->demands[demand_of(order, f->lines[i])]->need, units = f->picked[i].cancelled;
        int64_t *of_line = &pieces[f->lines[i]->line - 1];
        *of_line = max_i64(*of_line, (units + need - 1) / need);
        any += units;
    }
    return any > 0 ? pieces : NULL;
}

/* What became available goes to the queues, the order's own units too: order_falls_back fills those of its SKUs. */
static void settle(struct fulfilment *f, const struct fallen *fallen, size_t count, enum exception_type type, const char *why)
{
    const int64_t *pieces = pieces_cancelled(f);
    if (pieces != NULL)
        order_gave_up(&f->order, f->reason == NULL ? why : f->reason, pieces);
    if (count > 0)
        order_falls_back(&f->order, fallen, count, type, why);
    backorders_fill(f->ws, f->freed, f->freed_count);
}

void report_lets_go(struct fulfilment *f, struct command *command, enum fulfilment_event event, enum exception_type type, const char *why)
{
    struct ws *ws = f->ws;
    const bool refuses = event == DO_DECLINE || event == DO_FAIL;
    const size_t claims = ws_count(ws, &claim_of_holder, WS_PREFIX(db_int(ws_unit(ws)), db_int(f->order.row->id)));
    struct fallen *fallen = ARENA_ARRAY(ws_arena(ws), struct fallen, f->line_count + claims + 1);
    size_t count = 0;
    want_gone(f);
    command->event_seq = fulfilment_move(f, event, &command->faults);
    if (command->event_seq == 0)
        return;
    for (size_t i = 0; i < f->line_count; i++) {
        const int64_t falls = f->picked[i].missing + f->picked[i].useless - f->picked[i].cancelled;
        const int64_t missing = f->picked[i].missing == 0 ? 0 : missing_of_sku(f, i);
        if (falls > 0)
            fallen[count++] = (struct fallen){ f->lines[i]->line, f->lines[i]->sku, falls };
        if (missing > 0)
            short_pick_note(ws, &(struct short_pick){ f->row->node, f->lines[i]->sku, f->row->ord, missing });
    }
    if (refuses) {
        refusal_note(ws, f->row);
        give_back_soft(f, fallen, &count);
    }
    settle(f, fallen, count, type, why);
    report_answer(f, command);
}

/* ---- sent, accepted ---- */

static void send_decide(struct ws *ws, struct command *command)
{
    struct fulfilment fulfilment;
    if (report_open(ws, command, &fulfilment))
        report_move(&fulfilment, command, DO_SEND);
}

static void accept_decide(struct ws *ws, struct command *command)
{
    struct fulfilment fulfilment;
    if (report_open(ws, command, &fulfilment))
        report_move(&fulfilment, command, DO_ACCEPT);
}

/* ---- declined, failed ---- */

struct refuse_io {
    struct field_presence presence;
    const char *reason;
    struct field_list lost; /* of report_line_io */
};
static const struct field lost_line_rows[] = { REPORT_LINE_ROWS(1, "units that the node does not have or cannot give any more") };
static const struct field_table lost_line_fields = { "LostUnits", lost_line_rows, COUNT(lost_line_rows), sizeof(struct report_line_io) };
static const struct field decline_rows[] = {
    { "reason", FIELD_TEXT, AT(refuse_io, reason), .lines = true, .required = true, .min = 1, .max = 255, .doc = "why, for the timeline" },
};
static const struct field_table decline_fields = { "Decline", decline_rows, COUNT(decline_rows), sizeof(struct refuse_io) };
static const struct field fail_rows[] = {
    { "reason", FIELD_TEXT, AT(refuse_io, reason), .lines = true, .required = true, .min = 1, .max = 255, .doc = "why, for the timeline" },
    { "lost", FIELD_LIST, AT(refuse_io, lost), .max = COMPONENTS_MAX, .of = &lost_line_fields,
      .doc = "what is not there any more: it is quarantined until a count decides; all else is there, for others" },
};
static const struct field_table fail_fields = { "Failure", fail_rows, COUNT(fail_rows), sizeof(struct refuse_io) };

/* All that is due goes back; what the node has lost, to be counted. */
static struct picked *gone_of(const struct fulfilment *f, const struct refuse_io *in, struct faults *faults)
{
    const struct report_line_io *lost = in->lost.items;
    struct picked *gone = ARENA_ARRAY(ws_arena(f->ws), struct picked, f->line_count + 1);
    for (size_t i = 0; i < in->lost.count; i++) {
        const size_t at = report_line(f, "lost", &lost[i], i, faults);
        if (at == f->line_count)
            continue;
        gone[at].missing = min_i64(gone[at].missing + lost[i].quantity, QUANTITY_MAX);
        if (gone[at].missing > fulfilment_due(f->lines[at]))
            fault_add(faults, FAULT_OUT_OF_RANGE, report_pointer(faults, "lost", i, "quantity"), "%ld are due and %ld are lost",
                      (long)fulfilment_due(f->lines[at]), (long)gone[at].missing);
    }
    for (size_t i = 0; i < f->line_count; i++)
        gone[i].useless = max_i64(0, fulfilment_due(f->lines[i]) - gone[i].missing);
    return gone;
}

static void refuse(struct ws *ws, struct command *command, enum fulfilment_event event, enum exception_type type)
{
    struct fulfilment f;
    if (!report_open(ws, command, &f))
        return;
    const struct refuse_io *in = command->input;
    f.picked = gone_of(&f, in, &command->faults);
    f.reason = in->reason;
    if (command->faults.count == 0)
        report_lets_go(&f, command, event, type, in->reason);
}

static void decline_decide(struct ws *ws, struct command *command)
{
    refuse(ws, command, DO_DECLINE, EXCEPTION_DECLINED);
}

static void fail_decide(struct ws *ws, struct command *command)
{
    refuse(ws, command, DO_FAIL, EXCEPTION_NODE_FAILED);
}

/* ---- asked to give back ---- */

static bool is_asked(const struct fulfilment *f, struct faults *faults)
{
    if (f->row->state == FULFILMENT_CANCEL_REQUESTED)
        return true;
    fault_add(faults, FAULT_STATE_CONFLICT, NULL, "nobody has asked the node to give back this fulfilment order: it is %s",
              fulfilment_names[f->row->state]);
    return false;
}

/* The node agrees: what it was asked for goes back, and nothing waits for it any more. */
static void agree_decide(struct ws *ws, struct command *command)
{
    struct fulfilment f;
    int64_t stays = 0;
    if (!report_open(ws, command, &f) || !is_asked(&f, &command->faults))
        return;
    f.picked = ARENA_ARRAY(ws_arena(ws), struct picked, f.line_count + 1);
    for (size_t i = 0; i < f.line_count; i++) {
        f.picked[i].useless = asked_of(ws, f.row, f.lines[i]->line, f.lines[i]->part);
        stays += fulfilment_due(f.lines[i]) - f.picked[i].useless;
    }
    f.answer = "agreed";
    report_lets_go(&f, command, stays > 0 ? DO_AGREE : DO_AGREE_WHOLE, EXCEPTION_NONE, "the node agreed");
}

static const struct field_table reject_fields = { "CancelRejection", decline_rows, COUNT(decline_rows), sizeof(struct refuse_io) };

static void reject_decide(struct ws *ws, struct command *command)
{
    struct fulfilment f;
    if (!report_open(ws, command, &f) || !is_asked(&f, &command->faults))
        return;
    f.reason = ((const struct refuse_io *)command->input)->reason;
    f.answer = "refused";
    command->event_seq = fulfilment_move(&f, DO_GO_ON, &command->faults);
    if (command->event_seq == 0)
        return;
    struct json_writer json;
    order_event_begin(&f.order, &json);
    json_key(&json, "reason");
    json_text(&json, f.reason);
    (void)order_event_end(&f.order, &json, EVENT_ORDER_CANCEL_REFUSED, NULL_INT);
    report_answer(&f, command);
}

REPORT_COMMAND(fulfilment_send, "fulfilment.send", NULL, send_decide, "order.cancel: the node is asked to give it back");
REPORT_COMMAND(fulfilment_accept, "fulfilment.accept", NULL, accept_decide, "fulfilment.fail");
REPORT_COMMAND(fulfilment_decline, "fulfilment.decline", &decline_fields, decline_decide, "order.refusal.clear");
REPORT_COMMAND(fulfilment_fail, "fulfilment.fail", &fail_fields, fail_decide, "order.refusal.clear: units that were lost wait for a count");
REPORT_COMMAND(fulfilment_cancel, "fulfilment.cancel", NULL, agree_decide, "none: order again");
REPORT_COMMAND(fulfilment_reject_cancel, "fulfilment.reject_cancel", &reject_fields, reject_decide, "order.cancel: it is asked once more");
