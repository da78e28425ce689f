/* src/connect/api.c: /v1/webhooks. Only admin may ask: a webhook sends all that happens to whom it names. */
#include "connect/connect.h"

static void get(struct reading *reading, const struct request *request, struct answer *answer)
{
    master_get(reading, request, answer, &webhook_master);
}

static void list(struct reading *reading, const struct request *request, struct answer *answer)
{
    master_list(reading, request, answer, &webhook_master);
}

static void history(struct reading *reading, const struct request *request, struct answer *answer)
{
    master_history_of(reading, request, answer, &webhook_master);
}

CHANGE_FIELDS(webhook_change, "WebhookChange", webhook_fields);

/* What the answers to commands look like, for /openapi.json; they are written in webhooks.c. */
struct told_io {
    struct field_presence presence;
    const char *webhook, *what, *unit, *secret;
    int64_t event, from, previous_ends_at;
};
#define AT(member) offsetof(struct told_io, member)
static const struct field rotated_rows[] = {
    { "webhook", FIELD_CODE, AT(webhook), .read_only = true },
    { "what", FIELD_TEXT, AT(what), .read_only = true, .doc = "rotated" },
    { "previous_ends_at", FIELD_TIME, AT(previous_ends_at), .read_only = true, .doc = "until then the secret of before signs as well" },
    { "secret", FIELD_TEXT, AT(secret), .read_only = true, .doc = "shown this once" },
};
static const struct field_table rotated_fields = { "WebhookRotated", rotated_rows, COUNT(rotated_rows), sizeof(struct told_io) };
static const struct field sent_rows[] = {
    { "webhook", FIELD_CODE, AT(webhook), .read_only = true },
    { "what", FIELD_TEXT, AT(what), .read_only = true, .doc = "test or replay" },
    { "unit", FIELD_CODE, AT(unit), .read_only = true, .doc = "whose event; deliveries?unit= shows what comes of it" },
    { "event", FIELD_INT, AT(event), .read_only = true, .hide_absent = true, .doc = "seq of the event that will be sent" },
    { "from", FIELD_INT, AT(from), .read_only = true, .hide_absent = true, .doc = "the first of those that will be" },
};
static const struct field_table sent_fields = { "WebhookSending", sent_rows, COUNT(sent_rows), sizeof(struct told_io) };

extern const struct field_table delivery_fields, subscription_fields;

#define COMMAND(PATH, COMMAND_TYPE, ANSWER, SUMMARY)                                                                                   \
    {                                                                                                                                  \
        .method = METHOD_POST, .path = PATH, .scopes = SCOPE_ADMIN, .command = &COMMAND_TYPE, .answer_of = &ANSWER, .summary = SUMMARY \
    }

static const struct route routes[] = {
    { .method = METHOD_PUT,
      .path = "/v1/webhooks/{code}",
      .scopes = SCOPE_ADMIN,
      .command = &webhook_put,
      .answer_of = &webhook_fields,
      .summary = "Makes a webhook, or replaces one" },
    { .method = METHOD_PATCH,
      .path = "/v1/webhooks/{code}",
      .scopes = SCOPE_ADMIN,
      .command = &webhook_patch,
      .answer_of = &webhook_fields,
      .summary = "Changes some fields of a webhook" },
    { .method = METHOD_GET,
      .path = "/v1/webhooks/{code}",
      .scopes = SCOPE_ADMIN,
      .read = get,
      .answer_of = &webhook_fields,
      .summary = "One webhook" },
    { .method = METHOD_GET,
      .path = "/v1/webhooks/{code}/history",
      .scopes = SCOPE_ADMIN,
      .read = history,
      .answer_of = &webhook_change,
      .list = true,
      .summary = "Who changed what of a webhook",
      .query = { LIST_QUERY } },
    { .method = METHOD_GET,
      .path = "/v1/webhooks",
      .scopes = SCOPE_ADMIN,
      .read = list,
      .answer_of = &webhook_fields,
      .list = true,
      .summary = "Webhooks, in the order in which they were made",
      .query = { LIST_QUERY } },
    { .method = METHOD_GET,
      .path = "/v1/webhooks/{code}/deliveries",
      .scopes = SCOPE_ADMIN,
      .read = webhook_deliveries,
      .answer_of = &delivery_fields,
      .list = true,
      .summary = "What a webhook was sent of a unit's events and what it answered, the newest first: the last 1,000 attempts",
      .query = { LIST_QUERY, { .name = "unit", .type = FIELD_CODE, .doc = "a unit's code, or company; may be left out where there is one unit" } } },
    { .method = METHOD_GET,
      .path = "/v1/webhooks/{code}/subscriptions",
      .scopes = SCOPE_ADMIN,
      .read = webhook_subscriptions,
      .answer_of = &subscription_fields,
      .list = true,
      .summary = "How far a webhook is with each unit's events" },
    COMMAND("/v1/webhooks/{code}/rotate", webhook_rotate, rotated_fields, "Gives a webhook a new secret"),
    COMMAND("/v1/webhooks/{code}/test", webhook_test, sent_fields, "Sends a webhook an event that says that this is a test"),
    COMMAND("/v1/webhooks/{code}/replay", webhook_replay, sent_fields, "Sends a webhook an event, or all from one on, once more"),
};
const struct route_table webhook_routes = { "connect", routes, COUNT(routes) };
