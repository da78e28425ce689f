/* src/connect/report.c: what became of what was sent, told to the unit in bulk. The sender knows more than the rows for a moment; what it has not
 * reported when it ends is sent again by the next one, and nothing else. The cursor moves in the command that keeps what still waits behind it, so
 * between the two no event is lost. An order's commit has no part in any of this. */
#include "base/text.h"
#include "connect/connect.h"
#include "engine/exceptions.h"
#include <assert.h>

const char *const sent_outcome_names[SENT_OUTCOME_COUNT + 1] = { "held", "delivered", "failed", "given_up", NULL };

int64_t event_order_key(int64_t about, enum subject_kind kind, int64_t subject, int64_t node, int64_t sku)
{
    if (about > 0)
        return about; /* an order's id, below 2^48: an equal one below costs order that nobody needs, and loses none */
    uint64_t key = hash_u64((uint64_t)kind << 56 ^ (uint64_t)subject);
    key = hash_u64(key ^ (uint64_t)node);
    return (int64_t)(hash_u64(key ^ (uint64_t)sku) >> 1);
}

/* ---- when it comes again ---- */

/* Twelve attempts in a little less than three days: an endpoint that was down for a weekend has all of it on Monday. */
int64_t webhook_wait_us(int64_t attempts, uint64_t seed)
{
    static const int64_t waits_s[] = { 5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 57600, 86400 };
    if (attempts < 1 || attempts > (int64_t)COUNT(waits_s))
        return 0;
    const int64_t wait_us = waits_s[attempts - 1] * 1000000;
    return wait_us + (int64_t)(hash_u64(seed + (uint64_t)attempts) % (uint64_t)(wait_us / 5));
}

/* ---- the report ---- */

struct reported {
    struct ws *ws;
    const struct webhook_report *report;
    struct webhook_subscription_row *row;
    bool succeeded, failed;
    const struct webhook_sent *last; /* that failed */
};

static const struct webhook_waiting_row *waiting_of(const struct reported *r, int64_t seq)
{
    return ws_get(r->ws, &webhook_waiting_table, WS_KEY(ws_unit(r->ws), r->report->webhook, seq));
}

/* Into the place of the attempt that was WEBHOOK_LOG before it. */
static void log_attempt(struct reported *r, const struct webhook_sent *sent, int64_t attempt)
{
    struct webhook_attempt_row row = { .unit = ws_unit(r->ws),
                                       .webhook = r->report->webhook,
                                       .number = ++r->row->sends,
                                       .seq = sent->seq,
                                       .attempt = attempt,
                                       .at = sent->at,
                                       .took_us = sent->took_us,
                                       .status = sent->status,
                                       .outcome = sent->outcome,
                                       .detail = sent->detail };
    row.slot = row.number % WEBHOOK_LOG;
    const struct webhook_attempt_row *there = ws_get(r->ws, &webhook_attempt_table, WS_KEY(row.unit, row.webhook, row.slot));
    if (there == NULL)
        ws_insert(r->ws, &webhook_attempt_table, &row);
    else
        *(struct webhook_attempt_row *)ws_edit(r->ws, there) = row;
}

/* It stays behind the cursor. */
static void keep_waiting(struct reported *r, const struct webhook_sent *sent, const struct webhook_waiting_row *there, bool tried)
{
    struct webhook_waiting_row row = {
        .unit = ws_unit(r->ws), .webhook = r->report->webhook, .seq = sent->seq, .kind = sent->kind, .subject = sent->key
    };
    if (there != NULL)
        row = *there;
    row.attempts += tried;
    row.tried_at = tried ? sent->at : row.tried_at;
    if (there == NULL)
        ws_insert(r->ws, &webhook_waiting_table, &row);
    else
        *(struct webhook_waiting_row *)ws_edit(r->ws, there) = row;
}

static void tell_given_up(struct reported *r, const struct webhook_sent *sent)
{
    struct event_row event = event_of(EVENT_WEBHOOK_CHANGED, SUBJECT_WEBHOOK, r->report->webhook);
    struct json_writer json;
    json_begin(&json, ws_arena(r->ws));
    json_object(&json);
    json_key(&json, "webhook");
    json_text(&json, r->report->code);
    json_key(&json, "what");
    json_text(&json, "given_up");
    json_key(&json, "event");
    json_int(&json, sent->seq);
    json_object_end(&json);
    event.data = json.out.at;
    (void)ws_event(r->ws, event);
}

static void take(struct reported *r, const struct webhook_sent *sent)
{
    const struct webhook_waiting_row *there = waiting_of(r, sent->seq);
    if (sent->outcome == SENT_HELD) {
        keep_waiting(r, sent, there, false);
        return;
    }
    log_attempt(r, sent, (there == NULL ? 0 : there->attempts) + 1);
    if (sent->outcome == SENT_FAILED)
        keep_waiting(r, sent, there, true);
    else if (there != NULL)
        ws_delete(r->ws, there);
    if (sent->outcome == SENT_GIVEN_UP && sent->kind != WAITING_TEST)
        tell_given_up(r, sent);
    if (sent->outcome == SENT_DELIVERED) {
        r->succeeded = true;
        r->row->failing = 0;
        r->row->failing_since = NULL_INT;
        r->row->success_at = sent->at;
        return;
    }
    r->failed = true;
    r->last = sent;
    r->row->failing_since = r->row->failing == 0 ? sent->at : r->row->failing_since;
    r->row->failing++;
}

/* One is open for a webhook while its attempts fail, from the third in a row on. */
static void settle_exception(struct reported *r)
{
    struct ws *ws = r->ws;
    const char *cause = webhook_cause(ws, r->report->webhook);
    const struct exception_item_row *open = exception_find(ws, cause);
    if (r->report->gone && r->failed) /* it says so with the attempt that found nobody */
        r->row->failing = max_i64(r->row->failing, WEBHOOK_FAILING);
    if (open != NULL && r->row->failing < WEBHOOK_FAILING)
        (void)exception_close(ws, open);
    if (r->row->failing < WEBHOOK_FAILING || (open != NULL && !r->failed))
        return;
    const char *why = r->last == NULL || r->last->detail == NULL ? "it is gone" : r->last->detail;
    const char *detail = arena_printf(ws_arena(ws), "%s: %s", r->report->code, why);
    exception_open(
        ws,
        &(struct exception){
            .type = EXCEPTION_WEBHOOK_FAILING, .cause = cause, .subject_kind = SUBJECT_WEBHOOK, .subject = r->report->webhook, .detail = detail });
}

static void report_decide(struct ws *ws, struct command *command)
{
    const struct webhook_report *report = command->input;
    assert(report->count <= WEBHOOK_REPORT_MAX);
    if (!lease_renew(ws, &report->claim, &command->faults))
        return;
    const struct webhook_subscription_row *there = ws_get(ws, &webhook_subscription_table, WS_KEY(ws_unit(ws), report->webhook));
    if (there == NULL || there->epoch != report->epoch) {
        fault_add(&command->faults, FAULT_STATE_CONFLICT, NULL, "the cursor was set anew since");
        return;
    }
    struct reported r = { .ws = ws, .report = report, .row = ws_edit(ws, there) };
    for (size_t i = 0; i < report->count; i++)
        take(&r, &report->sent[i]);
    r.row->seq = max_i64(r.row->seq, report->seq);
    settle_exception(&r);
    command->answer.status = 200;
}

static void report_want(struct ws *ws, const struct command *command)
{
    const struct webhook_report *report = command->input;
    const int64_t unit = ws_unit(ws);
    lease_want(ws, report->claim.role);
    exception_want(ws, webhook_cause(ws, report->webhook));
    ws_want(ws, &webhook_subscription_table, WS_KEY(unit, report->webhook));
    for (size_t i = 0; i < report->count; i++)
        ws_want(ws, &webhook_waiting_table, WS_KEY(unit, report->webhook, report->sent[i].seq));
    const struct webhook_subscription_row *known = ws_known_row(ws, &webhook_subscription_table, WS_KEY(unit, report->webhook));
    for (size_t i = 0; known != NULL && i < report->count; i++) /* the second round knows it */
        ws_want(ws, &webhook_attempt_table, WS_KEY(unit, report->webhook, (known->sends + 1 + (int64_t)i) % WEBHOOK_LOG));
}

#define REPORT(NAME, COMPANY)          \
    const struct command_type NAME = { \
        .name = "webhook.report",      \
        .queue = QUEUE_BULK,           \
        .company = COMPANY,            \
        .passes_barrier = true,        \
        .prefetch = report_want,       \
        .decide = report_decide,       \
        .inverse = "none: a fact",     \
    }
REPORT(webhook_report, false);
REPORT(company_webhook_report, true);
