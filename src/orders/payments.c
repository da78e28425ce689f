/* src/orders/payments.c: payments are facts with amounts: they are added up by kind, and all else follows from the sums.
 * Captured money was authorised before, or taken at once; so a capture uses up what is open, a void takes what is left of
 * it, and a refund gives back what was taken and opens nothing. */
#include "orders/payments.h"
#include "orders/reroute.h"
#include "orders/commands.h"
#include "orders/order_io.h"

#define AT(type, member) offsetof(struct type, member)

/* ---- what the facts come to ---- */

struct payment_sums payment_sums_of(const struct orders_row *row)
{
    return (struct payment_sums){ .authorised = row->authorised, .captured = row->captured, .voided = row->voided, .refunded = row->refunded };
}

struct payment_standing payment_standing(const struct payment_sums *sums)
{
    int64_t not_voided = max_i64(0, sums->authorised - sums->voided);
    return (struct payment_standing){ .paid = max_i64(0, sums->captured - sums->refunded), .open = max_i64(0, not_voided - sums->captured) };
}

static bool money_was_taken(const struct payment_standing *s)
{
    return s->paid > 0;
}
static bool money_is_promised(const struct payment_standing *s)
{
    return s->open > 0;
}
static bool else_nothing(const struct payment_standing *s)
{
    return s->paid == 0 && s->open == 0;
}

/* The first rule that holds gives the word. */
static const struct {
    enum payment_word word;
    bool (*holds)(const struct payment_standing *standing);
    const char *says;
} word_rules[] = {
    { PAYMENT_IS_CAPTURED, money_was_taken, "more is captured than refunded, be it in part" },
    { PAYMENT_IS_AUTHORISED, money_is_promised, "more is authorised than voided and captured" },
    { PAYMENT_PENDING, else_nothing, "nothing stands: nothing came, it failed, or all was voided or refunded" },
};

enum payment_word payment_word(const struct payment_standing *standing)
{
    size_t i = 0;
    while (!word_rules[i].holds(standing))
        i++; /* nothing stands below zero: the last one holds where no other does */
    return word_rules[i].word;
}

void payment_words_print(FILE *out)
{
    fputs("| word | when |\n| --- | --- |\n", out);
    for (size_t i = 0; i < COUNT(word_rules); i++)
        fprintf(out, "| %s | %s |\n", payment_words[word_rules[i].word], word_rules[i].says);
}

bool payment_meets(enum payment_term term, const struct payment_standing *standing, int64_t due)
{
    switch (term) {
    case TERM_PREPAID:
        return standing->paid >= due;
    case TERM_AUTHORISED:
        return standing->paid + standing->open >= due; /* fits: it is no more than captured or authorised, whichever is more */
    case TERM_ON_ACCOUNT:
    case TERM_COLLECTED:
    case TERM_NONE:
        break;
    }
    return true;
}

void payment_tell(struct json_writer *json, enum payment_kind kind, const char *reference, const char *method)
{
    json_key(json, "kind");
    json_text(json, payment_names[kind]);
    if (reference != NULL) {
        json_key(json, "reference");
        json_text(json, reference);
    }
    if (method != NULL) {
        json_key(json, "method");
        json_text(json, method);
    }
}

/* ---- a fact comes ---- */

struct pay_in {
    struct field_presence presence;
    int64_t kind;
    struct money amount;
    const char *reference;
};
static const struct field pay_rows[] = {
    { "kind", FIELD_ENUM, AT(pay_in, kind), .required = true, .names = payment_names, .doc = "what has happened" },
    { "amount", FIELD_MONEY, AT(pay_in, amount), .required = true, .max = INT64_C(1000000000000000), .doc = "in the order's currency" },
    { "reference", FIELD_TEXT, AT(pay_in, reference), .required = true, .min = 1, .max = 128,
      .doc = "the payment provider's for this fact: the same kind and reference again changes nothing" },
};
static const struct field_table pay_fields = { "PaymentFact", pay_rows, COUNT(pay_rows), sizeof(struct pay_in) };

static void pay_prefetch(struct ws *ws, const struct command *command)
{
    order_command_prefetch(ws, command);
    order_command_want(ws, command, (const struct db_path *const[]){ &payment_of_order }, 1);
}

/* While no amount was told, the word that came with the order stands: a free order may be captured. */
static void word_follow(struct orders_row *row)
{
    const struct payment_sums sums = payment_sums_of(row);
    const struct payment_standing standing = payment_standing(&sums);
    if (sums.authorised > 0 || sums.captured > 0)
        row->payment_status = payment_word(&standing);
}

/* What was told already with this kind and reference: a provider's reference stands for one fact of a kind. NULL_INT: nothing
 * was. The order itself may have come with a payment: then it is in the sums, and in no row. */
static int64_t known_amount(struct ws *ws, const struct orders_row *order, const struct pay_in *in)
{
    const int64_t sums[] = { order->authorised, order->captured, 0, 0, 0 };
    int64_t came_with = sums[in->kind];
    const struct payment_row *row;
    struct ws_cursor cursor = ws_scan(ws, &payment_of_order, WS_PREFIX(db_int(order->unit), db_int(order->id)), 0);
    while ((row = ws_next(ws, &cursor)) != NULL) {
        if (row->kind != in->kind)
            continue;
        if (text_equal(row->reference, in->reference))
            return row->amount;
        came_with -= row->amount;
    }
    return came_with > 0 && order->payment_reference != NULL && text_equal(order->payment_reference, in->reference) ? came_with : NULL_INT;
}

/* False: refused. `fresh` is the order's row with the fact in its sums. */
static bool pay_sums(const struct pay_in *in, struct orders_row *fresh, struct faults *faults)
{
    int64_t *const sums[] = { &fresh->authorised, &fresh->captured, NULL, &fresh->voided, &fresh->refunded };
    if (sums[in->kind] == NULL || money_add(*sums[in->kind], in->amount.minor, sums[in->kind]))
        return true;
    fault_add(faults, FAULT_OUT_OF_RANGE, "/amount/amount", "the sum of the order's payments does not fit");
    return false;
}

/* A fact tells what has happened: it is recorded whatever the order's stage, once. */
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
    int64_t known = known_amount(ws, order.row, in);
    if (known != NULL_INT && known != in->amount.minor)
        fault_add(&command->faults, FAULT_PAYMENT_CONFLICT, "/amount", "%s with reference %s is known with %s", payment_names[in->kind],
                  in->reference, money_text(command->faults.arena, known, order.row->currency));
    struct orders_row fresh = *order.row;
    if (command->faults.count > 0 || (known == NULL_INT && !pay_sums(in, &fresh, &command->faults)))
        return;
    if (known != NULL_INT) { /* the same fact came again */
        order_answer_changed(&order, command);
        return;
    }
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(order.row->id) };
    struct payment_row row = { .unit = ws_unit(ws),
                               .ord = order.row->id,
                               .number = (int64_t)ws_count(ws, &payment_of_order, prefix) + 1,
                               .kind = in->kind,
                               .amount = in->amount.minor,
                               .reference = in->reference,
                               .at = ws_now_us(ws) };
    ws_insert(ws, &payment_table, &row);
    word_follow(&fresh);
    *order_edit(&order) = fresh;
    struct json_writer json;
    order_event_begin(&order, &json);
    payment_tell(&json, (enum payment_kind)in->kind, in->reference, order.row->method);
    (void)order_event_end(&order, &json, EVENT_ORDER_PAYMENT, in->amount.minor);
    order_go(&order, false);
    order_answer_changed(&order, command);
}

ORDER_COMMAND(order_pay, "order.pay", &pay_fields, pay_prefetch, pay_decide, "order.pay: the opposite fact (authorised: voided, captured: refunded)");
