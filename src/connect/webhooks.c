/* src/connect/webhooks.c: the webhook as a master: PUT, PATCH, and what a person does with one: a new secret, a test, once more from an event.
 * The company's row says what it is. Each change goes to its subscriptions in the same batch: the sender sees it by their fresh_at, and
 * reads them anew once it has reported what was under way. A secret is told once, in the answer to the command that made it. Kept is, sealed, the
 * seed that all of a webhook's secrets are derived from by their number: so no command needs chance, a preview and an answer given again say the
 * same. */
#include "base/id.h"
#include "connect/connect.h"
#include "connect/sign.h"
#include "connect/target.h"
#include "connect_sql.h"
#include "engine/exceptions.h"
#include "engine/vault.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
#define SECRETS_MAX 10                       /* that are kept of one webhook */
#define SECRET_KEPT_US INT64_C(259200000000) /* after its end, for an answer that is asked for again */
#define LIST_MAX 100

static const struct field webhook_rows[] = {
    { "code", FIELD_CODE, AT(webhook_io, code), .read_only = true, .doc = "of the path" },
    { "version", FIELD_INT, AT(webhook_io, version), .read_only = true, .doc = "rises with every change; the ETag" },
    { "url", FIELD_TEXT, AT(webhook_io, url), .required = true, .min = 1, .max = TARGET_URL_MAX,
      .doc = "https, on the public internet. Shown to all who may read events: no secrets in it" },
    { "description", FIELD_TEXT, AT(webhook_io, description), .max = 256 },
    { "events", FIELD_CODES, AT(webhook_io, events), .max = LIST_MAX,
      .doc = "types of events, as GET /v1/events has them, or all of a kind, as order.*; none: all" },
    { "units", FIELD_CODES, AT(webhook_io, units), .max = LIST_MAX, .doc = "units whose events it is sent, and company for the masters; none: all" },
    { "active", FIELD_BOOL, AT(webhook_io, active), .preset = 1, .doc = "false: nothing is sent; what happens meanwhile is sent afterwards" },
    { "disabled", FIELD_TEXT, AT(webhook_io, disabled), .read_only = true, .nullable = true,
      .doc = "why nothing is sent any more; PUT or PATCH with active true begins again where it stopped" },
    { "secret", FIELD_TEXT, AT(webhook_io, secret), .read_only = true, .hide_absent = true, .doc = "shown once, in the answer that made it" },
};
const struct field_table webhook_fields = { "Webhook", webhook_rows, COUNT(webhook_rows), sizeof(struct webhook_io) };

/* ---- lists of words, one a line ---- */

static const char *joined(struct arena *arena, const struct field_list *words)
{
    struct buffer out = { .arena = arena };
    buffer_text(&out, "");
    for (size_t i = 0; i < words->count; i++)
        buffer_printf(&out, "%s%s", i == 0 ? "" : "\n", ((const char *const *)words->items)[i]);
    return out.at == NULL ? "" : out.at;
}

static struct field_list parted(struct arena *arena, const char *text)
{
    const char **words = ARENA_ARRAY(arena, const char *, LIST_MAX);
    size_t count = 0;
    for (const char *end; *text != '\0' && count < LIST_MAX; text = *end == '\0' ? end : end + 1) {
        end = strchrnul(text, '\n');
        words[count++] = arena_text_n(arena, text, (size_t)(end - text));
    }
    return (struct field_list){ words, count };
}

static bool word_matches(const char *word, size_t bytes, const char *name)
{
    const bool all = bytes > 2 && memcmp(word + bytes - 2, ".*", 2) == 0;
    return strncmp(word, name, all ? bytes - 1 : bytes) == 0 && (all || name[bytes] == '\0');
}

static bool is_among(const char *words, const char *name)
{
    bool found = words[0] == '\0';
    for (const char *end; *words != '\0' && !found; words = *end == '\0' ? end : end + 1) {
        end = strchrnul(words, '\n');
        found = word_matches(words, (size_t)(end - words), name);
    }
    return found;
}

bool webhook_wants(const char *events, enum event_type type)
{
    return is_among(events, event_name(type));
}

bool webhook_follows(const char *units, const char *unit_code)
{
    bool found = units[0] == '\0';
    for (const char *end; *units != '\0' && !found; units = *end == '\0' ? end : end + 1) {
        end = strchrnul(units, '\n');
        found = strlen(unit_code) == (size_t)(end - units) && memcmp(units, unit_code, (size_t)(end - units)) == 0;
    }
    return found;
}

/* ---- the master ---- */

/* There are few: PostgreSQL would not take the index of codes for an empty table. */
const struct webhook_row *webhook_named(struct ws *ws, const char *code)
{
    const struct webhook_row *row;
    struct ws_cursor cursor = ws_scan(ws, &webhook_all, WS_PREFIX(db_int(0)), 0);
    while ((row = ws_next(ws, &cursor)) != NULL && strcmp(row->code, code) != 0)
        continue;
    return row;
}

static bool webhook_load(struct master *master, void *out)
{
    struct webhook_io *io = out;
    const struct webhook_row *row = webhook_named(master->ws, master->code);
    if (row == NULL)
        return false;
    *io = (struct webhook_io){ .code = row->code,
                               .version = row->version,
                               .url = row->url,
                               .description = row->description,
                               .events = parted(ws_arena(master->ws), row->events),
                               .units = parted(ws_arena(master->ws), row->units),
                               .active = row->active,
                               .disabled = row->disabled };
    master->id = row->id;
    master->version = row->version;
    return true;
}

static void webhook_want(struct master *master, int64_t id)
{
    ws_want_path(master->ws, &webhook_all, WS_PREFIX(db_int(0)), 0);
}

/* Whoever sends it anew wants it to go on. */
static void webhook_complete(struct master *master, void *in)
{
    struct webhook_io *io = in;
    io->disabled = NULL;
    if (io->description == NULL)
        io->description = "";
}

static void check_type(struct master *master, const char *word, size_t i)
{
    bool known = word == NULL;
    for (int type = EVENT_NONE + 1; type < EVENT_TYPE_COUNT && !known; type++)
        known = word_matches(word, strlen(word), event_name((enum event_type)type));
    if (!known)
        fault_add(master->faults, FAULT_INVALID, arena_printf(master->faults->arena, "/events/%zu", i), "there are no events %s", word);
}

static void check_unit(struct master *master, const char *code, size_t i)
{
    if (code == NULL || strcmp(code, "company") == 0)
        return;
    if (ws_find(master->ws, &business_unit_by_code, WS_PREFIX(db_int(0), db_text(code))) == NULL)
        fault_add(master->faults, FAULT_UNIT_UNKNOWN, arena_printf(master->faults->arena, "/units/%zu", i), "there is no unit %s", code);
}

static void webhook_check(struct master *master, const void *in)
{
    const struct webhook_io *io = in;
    for (size_t i = 0; i < io->events.count; i++)
        check_type(master, ((const char *const *)io->events.items)[i], i);
    for (size_t i = 0; i < io->units.count; i++)
        check_unit(master, ((const char *const *)io->units.items)[i], i);
}

/* ---- its subscriptions ---- */

const char *webhook_cause(struct ws *ws, int64_t webhook)
{
    return arena_printf(ws_arena(ws), "%s/%ld", exception_names[EXCEPTION_WEBHOOK_FAILING - 1], (long)webhook);
}

static const char *code_of_set(struct ws *company, struct ws *set)
{
    if (ws_unit(set) == 0)
        return "company";
    const struct business_unit_row *unit = ws_get(company, &business_unit_table, WS_KEY(0, ws_unit(set)));
    assert(unit != NULL); /* it has a clock */
    return unit->code;
}

/* The sender sees that it was changed, and what failed is given another chance, at once. */
static struct webhook_subscription_row *subscription_touch(struct ws *set, const struct webhook_subscription_row *there)
{
    struct webhook_subscription_row *row = ws_edit(set, there);
    row->fresh_at = max_i64(row->fresh_at + 1, ws_now_us(set));
    return row;
}

static void subscription_renew(struct ws *set, const struct webhook_subscription_row *there)
{
    struct webhook_subscription_row *row = subscription_touch(set, there);
    row->failing = 0;
    row->failing_since = NULL_INT;
    const struct exception_item_row *open = exception_find(set, webhook_cause(set, row->webhook));
    if (open != NULL)
        (void)exception_close(set, open);
}

/* The company's is always there: tests are sent by it. A unit's begins with what happens from now on. */
static void subscription_set(struct ws *company, struct ws *set, const struct webhook_row *webhook)
{
    const struct webhook_subscription_row *there = ws_get(set, &webhook_subscription_table, WS_KEY(ws_unit(set), webhook->id));
    if (there != NULL) {
        subscription_renew(set, there);
        return;
    }
    if (ws_unit(set) != 0 && !webhook_follows(webhook->units, code_of_set(company, set)))
        return;
    struct webhook_subscription_row row = {
        .unit = ws_unit(set), .webhook = webhook->id, .epoch = 1, .seq = ws_clock(set)->event_seq, .failing_since = NULL_INT, .success_at = NULL_INT
    };
    ws_insert(set, &webhook_subscription_table, &row);
}

static void subscriptions_set(struct ws *company, const struct webhook_row *webhook)
{
    subscription_set(company, company, webhook);
    for (size_t i = 0; i < ws_unit_count(company); i++)
        subscription_set(company, ws_unit_at(company, i), webhook);
}

static void secret_insert(struct ws *ws, int64_t webhook, int64_t number, int64_t made_by)
{
    struct webhook_secret_row row = { .unit = 0, .webhook = webhook, .number = number, .made_by = made_by, .ends_at = NULL_INT };
    ws_insert(ws, &webhook_secret_table, &row);
}

static const char *secret_of(struct ws *ws, struct arena *arena, const struct webhook_row *webhook, int64_t number)
{
    struct bytes seed;
    if (!vault_unseal(ws_vault(ws), ws_arena(ws), webhook->seed_key, webhook->seed, &seed))
        return ""; /* under another master key than this server has */
    return secret_text(arena, secret_derive(ws_arena(ws), seed, number));
}

static void webhook_store(struct master *master, const void *in)
{
    const struct webhook_io *io = in;
    struct arena *arena = ws_arena(master->ws);
    const struct webhook_row *there = webhook_named(master->ws, master->code);
    struct webhook_row row = { .unit = 0,
                               .id = master->id,
                               .code = master->code,
                               .url = io->url,
                               .description = io->description,
                               .events = joined(arena, &io->events),
                               .units = joined(arena, &io->units),
                               .active = io->active,
                               .disabled = NULL,
                               .seed_key = there != NULL ? there->seed_key : io->seed_key,
                               .seed = there != NULL ? there->seed : io->seed,
                               .version = master->version };
    if (there != NULL)
        *(struct webhook_row *)ws_edit(master->ws, there) = row;
    else {
        ws_insert(master->ws, &webhook_table, &row);
        secret_insert(master->ws, row.id, 1, 0);
    }
    subscriptions_set(master->ws, &row);
}

static enum db_result webhook_keys(struct reading *reading, int64_t unit, int64_t after, int64_t most, struct master_key *keys, size_t *count)
{
    struct webhooks_page_result *rows;
    enum db_result result = webhooks_page(reading->db, reading->arena, 0, after, most, &rows, count);
    for (size_t i = 0; result == DB_OK && i < *count; i++)
        keys[i] = (struct master_key){ rows[i].id, rows[i].code };
    return result;
}

const struct master_kind webhook_master = { .subject = SUBJECT_WEBHOOK,
                                            .fields = &webhook_fields,
                                            .load = webhook_load,
                                            .want = webhook_want,
                                            .complete = webhook_complete,
                                            .check = webhook_check,
                                            .store = webhook_store,
                                            .page = webhook_keys };

/* ---- PUT and PATCH ---- */

/* The form of the URL is a matter of what this server may do, so it is asked here and not when the command is decided. */
static bool master_with_url(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    struct webhook_io *io = (struct webhook_io *)(uintptr_t)command->input;
    const struct target_rules rules = { .plain = edge->private_targets, .private_addresses = edge->private_targets };
    const char *fault = io->url == NULL ? NULL : target_fault(io->url, rules);
    if (fault != NULL)
        fault_add(faults, FAULT_BAD_FORMAT, "/url", "%s", fault);
    return master_edge(edge, request, command, faults) && faults->count == 0;
}

static bool put_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    struct webhook_io *io = (struct webhook_io *)(uintptr_t)command->input;
    uint8_t seed[SECRET_BYTES];
    vault_random(edge->vault, seed, sizeof seed);
    vault_seal(edge->vault, edge->arena, (struct bytes){ seed, sizeof seed }, &io->seed_key, &io->seed);
    return master_with_url(edge, request, command, faults);
}

/* The object that was told, with the secret behind its last member. */
static void answer_with_secret(struct command *command, const char *told, size_t bytes, const char *secret)
{
    command->answer.body = arena_printf(command->arena, "%.*s,\"secret\":\"%s\"}", (int)bytes - 1, told, secret);
    command->answer.body_bytes = strlen(command->answer.body);
}

static void put_decide(struct ws *ws, struct command *command)
{
    master_put(ws, command, &webhook_master);
    if (command->answer.status == 201 && command->faults.count == 0)
        answer_with_secret(command, command->answer.body, command->answer.body_bytes,
                           secret_of(ws, command->arena, webhook_named(ws, command->path[0]), 1));
}

static void patch_decide(struct ws *ws, struct command *command)
{
    master_patch(ws, command, &webhook_master);
}

static void look_up(struct ws *ws, struct command *command)
{
    master_look_up(ws, command, &webhook_master);
}

#define MASTER_COMMAND(NAME, TEXT, MODE, EDGE, DECIDE) \
    const struct command_type NAME = {                 \
        .name = TEXT,                                  \
        .input = &webhook_fields,                      \
        .mode = MODE,                                  \
        .queue = QUEUE_PEOPLE,                         \
        .company = true,                               \
        .edge = EDGE,                                  \
        .look_up = look_up,                            \
        .decide = DECIDE,                              \
        .inverse = "webhook.put: the version before",  \
    }
MASTER_COMMAND(webhook_put, "webhook.put", FIELDS_PUT, put_edge, put_decide);
MASTER_COMMAND(webhook_patch, "webhook.patch", FIELDS_PATCH, master_with_url, patch_decide);

/* ---- what a person does with one ---- */

/* NULL with a fault. */
static const struct webhook_row *find_or_refuse(struct ws *ws, struct command *command)
{
    const struct webhook_row *row = webhook_named(ws, command->path[0]);
    if (row == NULL)
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no webhook %s", command->path[0]);
    return row;
}

static void answer_text(struct command *command, const char *text)
{
    command->answer.status = 200;
    command->answer.body = text;
    command->answer.body_bytes = strlen(text);
}

/* Told with what the answer says, so that it can be given again. */
static void tell(struct ws *ws, struct command *command, const struct webhook_row *webhook, struct json_writer *json)
{
    struct event_row event = event_of(EVENT_WEBHOOK_CHANGED, SUBJECT_WEBHOOK, webhook->id);
    json_object_end(json);
    event.data = json->out.at;
    command->event_seq = ws_event(ws, event);
    answer_text(command, arena_text(command->arena, json->out.at));
}

static void begin(struct ws *ws, struct json_writer *json, const struct webhook_row *webhook, const char *what)
{
    json_begin(json, ws_arena(ws));
    json_object(json);
    json_key(json, "webhook");
    json_text(json, webhook->code);
    json_key(json, "what");
    json_text(json, what);
}

static void again(struct ws *ws, struct command *command, int64_t seq)
{
    const struct event_row *event = ws_get(ws, &event_table, WS_KEY(0, seq));
    answer_text(command, arena_text(command->arena, event->data));
}

static bool path_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    memcpy(command->path, request->path, sizeof command->path);
    return true;
}

static void prefetch(struct ws *ws, const struct command *command)
{
    ws_want_path(ws, &webhook_all, WS_PREFIX(db_int(0)), 0);
}

/* ---- a new secret ---- */

struct rotate_io {
    struct field_presence presence;
    int64_t keep_s;
};
static const struct field rotate_rows[] = {
    { "keep_s", FIELD_INT, AT(rotate_io, keep_s), .max = 604800, .preset = 86400,
      .doc = "seconds for which the secret of before signs as well, so that the receiver can be changed meanwhile; 0: it ends at once" },
};
static const struct field_table rotate_fields = { "WebhookRotation", rotate_rows, COUNT(rotate_rows), sizeof(struct rotate_io) };

/* Those whose end is long past go. Returns the one that stays until now; *count: how many are left, it among them. */
static const struct webhook_secret_row *secrets_sweep(struct ws *ws, int64_t webhook, int64_t *count)
{
    const struct webhook_secret_row *row, *last = NULL;
    *count = 0;
    for (struct ws_cursor cursor = ws_scan(ws, &secret_of_webhook, WS_PREFIX(db_int(0), db_int(webhook)), 0); (row = ws_next(ws, &cursor)) != NULL;) {
        if (row->ends_at != NULL_INT && row->ends_at < ws_now_us(ws) - SECRET_KEPT_US)
            ws_delete(ws, row);
        else
            ++*count;
        last = row->ends_at == NULL_INT ? row : last;
    }
    return last;
}

static void rotate_decide(struct ws *ws, struct command *command)
{
    const struct rotate_io *in = command->input;
    const struct webhook_row *webhook = find_or_refuse(ws, command);
    int64_t count;
    if (webhook == NULL)
        return;
    const struct webhook_secret_row *last = secrets_sweep(ws, webhook->id, &count);
    assert(last != NULL); /* made with the webhook; each that ends is followed by one */
    if (count >= SECRETS_MAX) {
        fault_add(&command->faults, FAULT_STATE_CONFLICT, NULL, "%d secrets of the last days are kept already: rotate it again in three days",
                  SECRETS_MAX);
        return;
    }
    struct json_writer json;
    begin(ws, &json, webhook, "rotated");
    json_key(&json, "previous_ends_at");
    json_time(&json, ws_now_us(ws) + in->keep_s * 1000000);
    tell(ws, command, webhook, &json);
    ((struct webhook_secret_row *)ws_edit(ws, last))->ends_at = ws_now_us(ws) + in->keep_s * 1000000;
    secret_insert(ws, webhook->id, last->number + 1, command->event_seq);
    answer_with_secret(command, json.out.at, json.out.size, secret_of(ws, command->arena, webhook, last->number + 1));
}

static void rotate_again(struct ws *ws, struct command *command, int64_t seq)
{
    const struct event_row *event = ws_get(ws, &event_table, WS_KEY(0, seq));
    const struct webhook_row *webhook = ws_get(ws, &webhook_table, WS_KEY(0, event->subject));
    const struct webhook_secret_row *row;
    struct ws_cursor cursor = ws_scan(ws, &secret_of_webhook, WS_PREFIX(db_int(0), db_int(event->subject)), 0);
    while ((row = ws_next(ws, &cursor)) != NULL && row->made_by != seq)
        continue;
    answer_with_secret(command, event->data, strlen(event->data), row == NULL ? "" : secret_of(ws, command->arena, webhook, row->number));
    command->answer.status = 200;
}

/* ---- a test, and events once more ---- */

static void wait_insert(struct ws *set, const struct webhook_row *webhook, int64_t seq, enum waiting_kind kind, int64_t key)
{
    struct webhook_waiting_row row = { .unit = ws_unit(set), .webhook = webhook->id, .seq = seq, .kind = kind, .subject = key };
    const struct webhook_waiting_row *there = ws_get(set, &webhook_waiting_table, WS_KEY(row.unit, row.webhook, seq));
    if (there == NULL)
        ws_insert(set, &webhook_waiting_table, &row);
    else
        *(struct webhook_waiting_row *)ws_edit(set, there) = row;
}

static bool sends(struct command *command, const struct webhook_row *webhook)
{
    if (!webhook->active || webhook->disabled != NULL)
        fault_add(&command->faults, FAULT_STATE_CONFLICT, NULL, "nothing is sent: %s", webhook->active ? webhook->disabled : "it is not active");
    return command->faults.count == 0;
}

static bool has_room(struct ws *set, struct command *command, const struct webhook_row *webhook)
{
    if (ws_count(set, &waiting_of_webhook, WS_PREFIX(db_int(ws_unit(set)), db_int(webhook->id))) >= WEBHOOK_WAITING_MAX)
        fault_add(&command->faults, FAULT_STATE_CONFLICT, NULL, "%d events of it wait already", WEBHOOK_WAITING_MAX);
    return command->faults.count == 0;
}

static void test_decide(struct ws *ws, struct command *command)
{
    const struct webhook_row *webhook = find_or_refuse(ws, command);
    if (webhook == NULL || !sends(command, webhook) || !has_room(ws, command, webhook))
        return;
    const struct webhook_subscription_row *subscription = ws_get(ws, &webhook_subscription_table, WS_KEY(0, webhook->id));
    assert(subscription != NULL); /* the company's is always there */
    struct json_writer json;
    begin(ws, &json, webhook, "test");
    json_key(&json, "unit");
    json_text(&json, "company");
    json_key(&json, "event");
    json_int(&json, ws_clock(ws)->event_seq + 1); /* this one */
    tell(ws, command, webhook, &json);
    wait_insert(ws, webhook, command->event_seq, WAITING_TEST, event_order_key(0, SUBJECT_WEBHOOK, webhook->id, command->event_seq, 0)); /* alone */
    (void)subscription_touch(ws, subscription);
}

struct replay_io {
    struct field_presence presence;
    const char *unit;
    int64_t event, from;
};
static const struct field replay_rows[] = {
    { "unit", FIELD_CODE, AT(replay_io, unit), .doc = "whose event; may be left out where the company has one unit" },
    { "event", FIELD_INT, AT(replay_io, event), .min = 1, .max = INT64_C(1) << 53, .either = 1, .doc = "this event, whatever its type" },
    { "from", FIELD_INT, AT(replay_io, from), .min = 1, .max = INT64_C(1) << 53, .either = 1,
      .doc = "this event and all behind it that it wants; may be ahead of where it stands: then what lies between is not sent" },
};
static const struct field_table replay_fields = { "WebhookReplay", replay_rows, COUNT(replay_rows), sizeof(struct replay_io) };

/* The set of the unit that is meant; NULL with a fault. */
static struct ws *replay_set(struct ws *ws, struct command *command, const char *code)
{
    if (code != NULL && strcmp(code, "company") == 0)
        return ws;
    if (code == NULL && ws_unit_count(ws) == 1)
        return ws_unit_at(ws, 0);
    const struct business_unit_row *unit = code == NULL ? NULL : ws_find(ws, &business_unit_by_code, WS_PREFIX(db_int(0), db_text(code)));
    if (code == NULL)
        fault_add(&command->faults, FAULT_REQUIRED, "/unit", "there are %zu units: say which", ws_unit_count(ws));
    else if (unit == NULL)
        fault_add(&command->faults, FAULT_UNIT_UNKNOWN, "/unit", "there is no unit %s", code);
    return unit == NULL ? NULL : ws_of_unit(ws, unit->id);
}

static void replay_one(struct ws *set, const struct webhook_row *webhook, int64_t seq)
{
    const struct event_row *event = ws_get(set, &event_table, WS_KEY(ws_unit(set), seq));
    assert(event != NULL); /* they have no gaps */
    wait_insert(set, webhook, seq, WAITING_REPLAY,
                event_order_key(event->about, (enum subject_kind)event->subject_kind, event->subject, event->node, event->sku));
}

static void replay_decide(struct ws *ws, struct command *command)
{
    const struct replay_io *in = command->input;
    const struct webhook_row *webhook = find_or_refuse(ws, command);
    struct ws *set = webhook == NULL ? NULL : replay_set(ws, command, in->unit);
    if (set == NULL)
        return;
    const bool one = in->event != 0;
    const int64_t seq = one ? in->event : in->from, head = ws_clock(set)->event_seq;
    const struct webhook_subscription_row *subscription = ws_get(set, &webhook_subscription_table, WS_KEY(ws_unit(set), webhook->id));
    const char *code = code_of_set(ws, set);
    if (seq > head + !one)
        fault_add(&command->faults, FAULT_OUT_OF_RANGE, one ? "/event" : "/from", "the last event of %s is %ld", code, (long)head);
    else if (subscription == NULL)
        fault_add(&command->faults, FAULT_STATE_CONFLICT, NULL, "%s does not follow %s", webhook->code, code);
    if (command->faults.count > 0 || (one && !has_room(set, command, webhook)))
        return;
    if (one)
        replay_one(set, webhook, seq);
    struct webhook_subscription_row *row = subscription_touch(set, subscription);
    row->epoch += !one; /* a report of before names a cursor that is not meant any more */
    row->seq = one ? row->seq : seq - 1;
    struct json_writer json;
    begin(ws, &json, webhook, "replay");
    json_key(&json, "unit");
    json_text(&json, code);
    json_key(&json, one ? "event" : "from");
    json_int(&json, seq);
    tell(ws, command, webhook, &json);
}

#define WEBHOOK_COMMAND(NAME, TEXT, INPUT, EDGE, DECIDE, AGAIN, INVERSE) \
    const struct command_type NAME = {                                   \
        .name = TEXT,                                                    \
        .input = INPUT,                                                  \
        .mode = FIELDS_POST,                                             \
        .queue = QUEUE_PEOPLE,                                           \
        .company = true,                                                 \
        .edge = EDGE,                                                    \
        .prefetch = prefetch,                                            \
        .decide = DECIDE,                                                \
        .again = AGAIN,                                                  \
        .inverse = INVERSE,                                              \
    }
WEBHOOK_COMMAND(webhook_rotate, "webhook.rotate", &rotate_fields, path_edge, rotate_decide, rotate_again,
                "none: whoever may have seen a secret may have kept it");
WEBHOOK_COMMAND(webhook_test, "webhook.test", NULL, path_edge, test_decide, again, "none: what was sent was sent");
WEBHOOK_COMMAND(webhook_replay, "webhook.replay", &replay_fields, path_edge, replay_decide, again, "none: what was sent was sent");

/* ---- Millrace's own word ---- */

static void stop_decide(struct ws *ws, struct command *command)
{
    const struct webhook_stop *in = command->input;
    const struct webhook_row *webhook = ws_get(ws, &webhook_table, WS_KEY(0, in->webhook));
    command->answer.status = 200;
    command->existing = webhook == NULL || webhook->disabled != NULL || !webhook->active;
    if (command->existing)
        return;
    ((struct webhook_row *)ws_edit(ws, webhook))->disabled = arena_text(ws_arena(ws), in->why);
    struct json_writer json;
    begin(ws, &json, webhook, "disabled");
    json_key(&json, "why");
    json_text(&json, in->why);
    tell(ws, command, webhook, &json);
}

const struct command_type webhook_stop = { .name = "webhook.stop",
                                           .queue = QUEUE_BULK,
                                           .company = true,
                                           .passes_barrier = true,
                                           .decide = stop_decide,
                                           .inverse = "webhook.put: with active true" };

static void start_decide(struct ws *ws, struct command *command)
{
    const struct webhook_start *in = command->input;
    command->answer.status = 200;
    command->existing = ws_get(ws, &webhook_subscription_table, WS_KEY(ws_unit(ws), in->webhook)) != NULL;
    if (command->existing)
        return;
    struct webhook_subscription_row row = {
        .unit = ws_unit(ws), .webhook = in->webhook, .epoch = 1, .failing_since = NULL_INT, .success_at = NULL_INT
    };
    ws_insert(ws, &webhook_subscription_table, &row);
}

const struct command_type webhook_start = {
    .name = "webhook.start", .queue = QUEUE_BULK, .passes_barrier = true, .decide = start_decide, .inverse = "none: a matter of our own"
};
