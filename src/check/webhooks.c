/* src/check/webhooks.c: a webhook's cursor is not ahead of what has happened, what waits behind it can be sent, and a person is told while it fails.
 */
#include "check/check.h"
#include "check_sql.h"
#include "connect/connect.h"
#include "engine/exceptions.h"
#include "schema.h"

static const char *key_of(struct check *check, int64_t unit, int64_t webhook)
{
    return arena_printf(check->arena, "unit %ld webhook %ld", (long)unit, (long)webhook);
}

static bool is_subscribed(struct check *check, int64_t unit, int64_t webhook)
{
    struct db_rows rows = { 0 };
    return db_load(check->db, check->arena, &webhook_subscription_table, (const int64_t[]){ unit, webhook }, 1, &rows) != DB_OK || rows.count == 1;
}

/* ---- the company's rows ---- */

static enum db_result check_secrets(struct check *check, const struct webhook_row *webhook)
{
    struct db_rows rows = { 0 };
    int64_t endless = 0;
    enum db_result result =
        db_load_path(check->db, check->arena, &secret_of_webhook, (const struct db_value[]){ db_int(0), db_int(webhook->id) }, 1, 0, &rows);
    for (size_t i = 0; i < rows.count; i++)
        endless += ((const struct webhook_secret_row *)db_row(&rows, i))->ends_at == NULL_INT;
    if (result == DB_OK && endless != 1)
        check_found(check, "webhook_secret", "a webhook has one secret that does not end", key_of(check, 0, webhook->id), 1, endless);
    if (result == DB_OK && !is_subscribed(check, 0, webhook->id))
        check_found(check, "webhook_cursor", "a webhook is subscribed, up to an event that is there", key_of(check, 0, webhook->id), 1, 0);
    return result;
}

static enum db_result check_masters(struct check *check)
{
    struct db_rows rows = { 0 };
    enum db_result result = db_load_path(check->db, check->arena, &webhook_all, (const struct db_value[]){ db_int(0) }, 1, 0, &rows);
    for (size_t i = 0; i < rows.count && result == DB_OK; i++)
        result = check_secrets(check, db_row(&rows, i));
    return result;
}

/* ---- subscriptions ---- */

static enum db_result check_subscription(struct check *check, const struct webhook_subscription_row *row, int64_t head,
                                         const struct check_failing_webhooks_result *open, size_t open_count)
{
    struct db_rows master = { 0 };
    const char *key = key_of(check, row->unit, row->webhook);
    int64_t told = 0;
    enum db_result result = db_load(check->db, check->arena, &webhook_table, (const int64_t[]){ 0, row->webhook }, 1, &master);
    if (result == DB_OK && master.count == 0)
        check_found(check, "reference_unit", "no reference leaves its unit", key, row->webhook, 0);
    if (row->seq < 0 || row->seq > head)
        check_found(check, "webhook_cursor", "a webhook is subscribed, up to an event that is there", key, head, row->seq);
    for (size_t i = 0; i < open_count; i++)
        told += open[i].subject == row->webhook;
    if (told != (row->failing >= WEBHOOK_FAILING))
        check_found(check, "exception_cause", "an exception is open while its cause is there, and no longer", key, row->failing >= WEBHOOK_FAILING,
                    told);
    return result;
}

static enum db_result check_subscriptions(struct check *check, int64_t unit, int64_t head)
{
    struct check_failing_webhooks_result *open;
    struct db_rows rows = { 0 };
    size_t open_count = 0;
    enum db_result result = check_failing_webhooks(check->db, check->arena, unit, EXCEPTION_WEBHOOK_FAILING, &open, &open_count);
    if (result == DB_OK)
        result = db_load_path(check->db, check->arena, &subscription_of_unit, (const struct db_value[]){ db_int(unit) }, 1, 0, &rows);
    for (size_t i = 0; i < rows.count && result == DB_OK; i++)
        result = check_subscription(check, db_row(&rows, i), head, open, open_count);
    for (size_t i = 0; i < open_count && result == DB_OK; i++)
        if (!is_subscribed(check, unit, open[i].subject))
            check_found(check, "exception_cause", "an exception is open while its cause is there, and no longer",
                        key_of(check, unit, open[i].subject), 0, 1);
    return result;
}

/* ---- what waits, and what was tried ---- */

static enum db_result waiting_look(struct check *check, int64_t unit, int64_t head, int64_t webhook)
{
    struct db_rows rows = { 0 };
    const struct db_value prefix[] = { db_int(unit), db_int(webhook) };
    enum db_result result = db_load_path(check->db, check->arena, &waiting_of_webhook, prefix, 1, 0, &rows);
    const bool subscribed = is_subscribed(check, unit, webhook);
    for (size_t i = 0; i < rows.count && result == DB_OK; i++) {
        const struct webhook_waiting_row *row = db_row(&rows, i);
        if (!subscribed || row->seq < 1 || row->seq > head)
            check_found(check, "webhook_waiting", "what waits for a webhook is an event that is there, of one that is subscribed",
                        arena_printf(check->arena, "%s seq %ld", key_of(check, unit, webhook), (long)row->seq), head, row->seq);
    }
    return result;
}

static enum db_result attempts_look(struct check *check, int64_t unit, int64_t webhook)
{
    struct db_rows rows = { 0 }, subscription = { 0 };
    const struct db_value prefix[] = { db_int(unit), db_int(webhook) };
    enum db_result result = db_load_path(check->db, check->arena, &attempt_of_webhook, prefix, 1, 0, &rows);
    if (result == DB_OK)
        result = db_load(check->db, check->arena, &webhook_subscription_table, (const int64_t[]){ unit, webhook }, 1, &subscription);
    const int64_t sends = subscription.count == 0 ? 0 : ((const struct webhook_subscription_row *)db_row(&subscription, 0))->sends;
    for (size_t i = 0; i < rows.count && result == DB_OK; i++) {
        const struct webhook_attempt_row *row = db_row(&rows, i);
        if (row->slot != row->number % WEBHOOK_LOG || row->number > sends || row->number <= sends - WEBHOOK_LOG)
            check_found(check, "webhook_attempt", "the last attempts of a webhook are kept, each in its place",
                        arena_printf(check->arena, "%s slot %ld", key_of(check, unit, webhook), (long)row->slot), sends, row->number);
    }
    return result;
}

/* In one read: the rows are few, and they change together. */
static enum db_result check_unit(struct check *check, int64_t unit)
{
    struct check_clock_result clock;
    struct check_next_waiting_result waiting;
    struct check_next_attempted_result attempted;
    bool found = false;
    enum db_result result = check_clock(check->db, check->arena, unit, &clock, &found);
    if (result != DB_OK || !found)
        return result;
    if (unit == 0)
        result = check_masters(check);
    if (result == DB_OK)
        result = check_subscriptions(check, unit, clock.event_seq);
    for (int64_t after = 0; result == DB_OK && found; after = waiting.webhook) {
        result = check_next_waiting(check->db, check->arena, unit, after, &waiting, &found);
        if (result == DB_OK && found)
            result = waiting_look(check, unit, clock.event_seq, waiting.webhook);
    }
    found = true;
    for (int64_t after = 0; result == DB_OK && found; after = attempted.webhook) {
        result = check_next_attempted(check->db, check->arena, unit, after, &attempted, &found);
        if (result == DB_OK && found)
            result = attempts_look(check, unit, attempted.webhook);
    }
    return result;
}

enum db_result check_webhooks_of(struct check *check, int64_t unit)
{
    enum db_result result = db_begin_read(check->db);
    if (result == DB_OK)
        result = check_unit(check, unit);
    (void)db_rollback(check->db);
    arena_reset(check->arena);
    return result;
}
