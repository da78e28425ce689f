/* src/connect/sender.c: a round looks at the store, takes what was answered, sends what is due and reports what came of it; then it waits for
 * sockets, for a commit, or for time to pass. Only this thread touches what stands in struct sender but for `woken`, the figures, and
 * the state of an order, which the engine's thread sets when a command is answered.
 * What a crash loses is what was not reported yet, at most half a second and what is under way: it is sent again. */
#include "connect/sender.h"
#include "base/id.h"
#include "base/thread.h"
#include "base/when.h"
#include "connect/desk.h"
#include "connect/flow.h"
#include "connect/sign.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_BACK 8
#define LOOK_US 20000          /* after a commit: what comes in between is one look */
#define IDLE_US 1000000        /* what other servers committed is seen without being told */
#define EMPTY_US 250000        /* while there is no webhook */
#define REPORT_US 500000       /* between two reports of a subscription */
#define CURSOR_US 10000000     /* where nothing was sent: a cursor alone is no hurry */
#define FLYING_MAX 256         /* under way, of all webhooks */
#define READ_AT_ONCE 500       /* events of one subscription in a round */
#define DRAIN_US 2000000       /* for what is under way when the server ends */
#define ASK_US 1000000         /* between two askings for a lease */
#define LEASE_EARLY_US 3000000 /* nothing is begun that would be reported after the lease */

/* A command under way; one at a time. */
struct order {
    struct sender *sender;
    struct command command;
    struct arena *arena;
    atomic_int state;
};
enum { ORDER_IDLE, ORDER_UNDER_WAY, ORDER_ANSWERED };

struct line { /* a subscription */
    struct flow flow;
    struct order report;
    int64_t reported_seq, report_us; /* of the one under way; when the last began */
    size_t reported_count;
    const struct endpoint *endpoint; /* of this look */
    bool is_loaded, is_seen, is_followed;
    bool is_stale; /* somebody changed it: it is read anew once all that is under way has ended and is reported */
    struct line *next;
};

struct place {                                 /* a unit */
    int64_t id, head, term, asked_us, held_us; /* monotonic: when the lease was asked for last; until when it is ours */
    const char *code;
    struct order lease, start;
    struct webhook_start to_start;
    struct line *lines;
    bool is_seen;
    struct place *next;
};

struct sender {
    struct sender_options options;
    struct db_options store;
    struct db *db;
    struct postbox *postbox;
    pthread_t thread;
    atomic_bool stopping, woken;
    struct arena *arena, *desk_arena, *spare_arena; /* of a round; of the last look, and of the one before */
    struct desk desk;
    struct place *places;
    struct order stop;
    struct webhook_stop to_stop;
    struct lease_claim claim;
    int64_t looked_us;
    bool more; /* there was more to read than a round reads */
    atomic_llong delivered, failed, given_up, reports, flying, waiting, behind, endpoints;
};

/* ---- orders ---- */

static void answered(struct command *command)
{
    struct order *order = command->owner;
    struct sender *sender = order->sender;
    atomic_store(&order->state, ORDER_ANSWERED);
    postbox_wake(sender->postbox);
}

static bool order_open(struct order *order, struct sender *sender)
{
    order->sender = sender;
    order->arena = arena_new((size_t)4 << 20);
    return order->arena != NULL;
}

/* What it says must stand in order->arena, which was reset before. */
static void submit(struct order *order, const struct command_type *type, int64_t unit, const void *input)
{
    order->command = (struct command){
        .type = type, .arena = order->arena, .input = input, .unit = unit, .faults = { .arena = order->arena }, .done = answered, .owner = order
    };
    atomic_store(&order->state, ORDER_UNDER_WAY);
    engine_submit(order->sender->options.engine, &order->command);
}

/* True once for each answer. */
static bool order_take(struct order *order)
{
    int was = ORDER_ANSWERED;
    return atomic_compare_exchange_strong(&order->state, &was, ORDER_IDLE);
}

static bool order_is_idle(struct order *order)
{
    return atomic_load(&order->state) == ORDER_IDLE;
}

static bool was_accepted(const struct order *order)
{
    return order->command.state == COMMAND_ACCEPTED;
}

/* Another holds the lease, or the rows are others: what is known is of no use. Busy stores and full queues are asked again. */
static bool was_conflict(const struct order *order)
{
    return !was_accepted(order) && order->command.answer.status == 409;
}

/* ---- lines ---- */

static void details_free(struct line *line, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((char *)(uintptr_t)line->flow.sent[i].detail);
}

static void line_unload(struct sender *sender, struct line *line)
{
    postbox_forget(sender->postbox, line);
    details_free(line, line->flow.sent_count);
    line->flow.sent_count = line->flow.count = line->flow.flying = 0;
    line->is_loaded = line->is_stale = false;
}

static struct line *line_find(const struct place *place, int64_t webhook)
{
    struct line *line = place->lines;
    while (line != NULL && line->flow.webhook != webhook)
        line = line->next;
    return line;
}

static struct line *line_make(struct sender *sender, struct place *place, int64_t webhook)
{
    struct line *line = calloc(1, sizeof *line);
    if (line == NULL || !order_open(&line->report, sender)) {
        free(line);
        return NULL;
    }
    line->flow.unit = place->id;
    line->flow.webhook = webhook;
    line->flow.hasten = sender->options.hasten;
    line->next = place->lines;
    place->lines = line;
    return line;
}

static void line_free(struct sender *sender, struct line *line)
{
    line_unload(sender, line);
    flow_free(&line->flow);
    arena_free(line->report.arena);
    free(line);
}

/* Those that this look did not meet; one whose report is under way stays until it is answered. */
static void lines_sweep(struct sender *sender, struct place *place)
{
    for (struct line **at = &place->lines; *at != NULL;) {
        struct line *line = *at;
        if (line->is_seen || !order_is_idle(&line->report)) {
            if (!line->is_seen && line->is_loaded)
                line_unload(sender, line);
            at = &line->next;
            continue;
        }
        *at = line->next;
        line_free(sender, line);
    }
}

/* ---- places ---- */

static struct place *place_of(struct sender *sender, int64_t unit)
{
    struct place *place = sender->places;
    while (place != NULL && place->id != unit)
        place = place->next;
    if (place != NULL)
        return place;
    place = calloc(1, sizeof *place);
    if (place == NULL || !order_open(&place->lease, sender) || !order_open(&place->start, sender)) {
        if (place != NULL)
            arena_free(place->lease.arena);
        free(place);
        return NULL;
    }
    place->id = unit;
    place->next = sender->places;
    sender->places = place;
    return place;
}

static bool holds(const struct place *place)
{
    return place->term != 0 && when_monotonic_us() < place->held_us - LEASE_EARLY_US;
}

/* The row says whether it is ours, and by which term; until when, we know from when we asked. */
static void place_look(struct sender *sender, struct place *place, const struct desk_unit *unit)
{
    const int64_t term = unit->lease.holder == sender->claim.holder && unit->lease.until > 0 ? unit->lease.term : 0;
    place->head = unit->head;
    place->code = unit->code;
    place->is_seen = true;
    if (term == place->term)
        return;
    for (struct line *line = place->lines; line != NULL; line = line->next)
        line_unload(sender, line);
    place->term = term;
}

static void place_subscriptions(struct sender *sender, struct place *place, const struct desk_unit *unit)
{
    for (struct line *line = place->lines; line != NULL; line = line->next)
        line->is_seen = false;
    for (size_t e = 0; e < sender->desk.endpoint_count; e++) {
        const struct endpoint *endpoint = &sender->desk.endpoints[e];
        const struct webhook_subscription_row *row = desk_subscription(unit, endpoint->id);
        const bool follows = webhook_follows(endpoint->units, unit->code);
        if (row == NULL && follows && order_is_idle(&place->start)) { /* the unit is newer than the webhook */
            arena_reset(place->start.arena);
            place->to_start = (struct webhook_start){ endpoint->id };
            submit(&place->start, &webhook_start, place->id, &place->to_start);
        }
        if (row == NULL || (!follows && place->id != 0))
            continue;
        struct line *line = line_find(place, endpoint->id);
        if (line == NULL && (line = line_make(sender, place, endpoint->id)) == NULL)
            continue;
        line->is_seen = true;
        line->is_followed = follows;
        line->endpoint = endpoint;
        if (line->is_loaded && line->flow.epoch != row->epoch)
            line_unload(sender, line);
        line->is_stale = line->is_loaded && line->flow.fresh_at != row->fresh_at;
    }
    lines_sweep(sender, place);
}

/* ---- a look at the store ---- */

static void swap_desks(struct sender *sender, const struct desk *desk)
{
    struct arena *old = sender->desk_arena;
    sender->desk = *desk;
    sender->desk_arena = sender->spare_arena;
    sender->spare_arena = old;
}

static enum db_result look(struct sender *sender)
{
    struct desk desk;
    arena_reset(sender->spare_arena);
    enum db_result result = desk_read(sender->db, sender->options.vault, sender->spare_arena, when_now_us(), &desk);
    if (result != DB_OK)
        return result;
    swap_desks(sender, &desk);
    atomic_store(&sender->endpoints, (long long)desk.endpoint_count);
    for (struct place *place = sender->places; place != NULL; place = place->next)
        place->is_seen = false;
    for (size_t i = 0; i < desk.unit_count; i++) {
        struct place *place = place_of(sender, desk.units[i].id);
        if (place == NULL)
            continue;
        place_look(sender, place, &desk.units[i]);
        place_subscriptions(sender, place, &desk.units[i]);
    }
    for (struct place *place = sender->places; place != NULL; place = place->next) {
        for (struct line *line = place->lines; !place->is_seen && line != NULL; line = line->next)
            line->is_seen = false;
        if (!place->is_seen)
            lines_sweep(sender, place);
    }
    return DB_OK;
}

/* ---- leases ---- */

static void lease_tend(struct sender *sender, struct place *place, int64_t now_us)
{
    const bool due = place->lines != NULL && now_us - place->asked_us > ASK_US && (place->term == 0 || now_us > place->held_us - LEASE_US * 2 / 3);
    if (order_take(&place->lease) && was_accepted(&place->lease)) {
        place->held_us = place->asked_us + LEASE_US;
        sender->looked_us = 0; /* the row says the term */
    }
    (void)order_take(&place->start);
    if (!due || !order_is_idle(&place->lease) || atomic_load(&sender->stopping))
        return;
    place->asked_us = now_us;
    arena_reset(place->lease.arena);
    submit(&place->lease, place->id == 0 ? &company_lease_take : &lease_take, place->id, &sender->claim);
}

/* ---- reading and sending ---- */

static enum db_result line_load(struct sender *sender, struct line *line)
{
    struct webhook_subscription_row row;
    const struct webhook_waiting_row *waiting;
    size_t count = 0;
    bool found = false;
    enum db_result result = desk_waiting(sender->db, sender->arena, line->flow.unit, line->flow.webhook, &row, &found, &waiting, &count);
    if (result == DB_OK && found)
        line->is_loaded = flow_load(&line->flow, &row, waiting, count);
    return result;
}

static enum db_result line_read(struct sender *sender, const struct place *place, struct line *line)
{
    struct desk_event *events;
    size_t room = flow_room(&line->flow), count = 0;
    if (!line->is_followed || room == 0 || line->flow.read >= place->head)
        return DB_OK;
    enum db_result result =
        desk_events(sender->db, sender->arena, place->id, line->flow.read, place->head, READ_AT_ONCE, line->endpoint, &events, &count);
    for (size_t i = 0; result == DB_OK && i < count && room > 0; i++) {
        if (!flow_read(&line->flow, events[i].seq, events[i].key, events[i].wanted))
            break;
        room -= events[i].wanted;
    }
    sender->more = sender->more || line->flow.read < place->head;
    return result;
}

static bool letter_send(struct sender *sender, const struct place *place, struct line *line, int64_t seq, struct bytes body)
{
    struct signed_message message = { .id = id_text(sender->arena, "evt", place->id, seq), .timestamp_s = when_now_us() / 1000000, .body = body };
    struct letter letter = { .url = line->endpoint->url,
                             .id = message.id,
                             .timestamp_s = message.timestamp_s,
                             .signature = message_sign(sender->arena, &message, line->endpoint->secrets, line->endpoint->secret_count),
                             .body = body,
                             .owner = line,
                             .seq = seq };
    return postbox_send(sender->postbox, &letter);
}

static enum db_result line_send(struct sender *sender, const struct place *place, struct line *line)
{
    int64_t seqs[FLOW_AT_ONCE];
    struct bytes bodies[FLOW_AT_ONCE];
    const size_t flying = postbox_flying(sender->postbox), left = flying < FLYING_MAX ? FLYING_MAX - flying : 0;
    if (line->endpoint->secret_count == 0)
        return DB_OK; /* no key opens its secrets: nobody could verify what we say */
    const size_t count = flow_take(&line->flow, when_now_us(), left < FLOW_AT_ONCE ? left : FLOW_AT_ONCE, seqs);
    if (count == 0)
        return DB_OK;
    enum db_result result = desk_bodies(sender->db, sender->arena, place->id, place->code, seqs, count, SENDER_BODY_MAX, bodies);
    for (size_t i = 0; i < count; i++)
        if (result != DB_OK || bodies[i].at == NULL || !letter_send(sender, place, line, seqs[i], bodies[i]))
            flow_put_back(&line->flow, seqs[i]);
    return result;
}

static void take_results(struct sender *sender)
{
    struct post_result result;
    while (postbox_next(sender->postbox, &result)) {
        struct line *line = result.owner;
        const bool delivered = result.status >= 200 && result.status < 300;
        struct flow_answer answer = { .seq = result.seq,
                                      .at = when_now_us(),
                                      .took_us = result.took_us,
                                      .status = result.status,
                                      .retry_after_s = result.retry_after_s,
                                      .delivered = delivered,
                                      .gone = result.status == 410,
                                      .detail = delivered ? NULL : strdup(result.detail) };
        flow_answered(&line->flow, &answer, answer.at);
        atomic_fetch_add(delivered ? &sender->delivered : &sender->failed, 1);
    }
}

/* ---- reports ---- */

/* What is under way may be reported again by the next process; what is in this report not. */
static void report_take(struct sender *sender, struct line *line)
{
    if (!order_take(&line->report))
        return;
    if (was_conflict(&line->report)) {
        line_unload(sender, line);
        sender->looked_us = 0;
        return;
    }
    if (!was_accepted(&line->report) || !line->is_loaded)
        return;
    details_free(line, line->reported_count);
    flow_reported(&line->flow, line->reported_seq, line->reported_count);
}

static const char *why_to_stop(const struct line *line)
{
    if (line->flow.is_gone)
        return "it answered 410 Gone";
    return flow_is_dead(&line->flow, when_now_us()) ? "nothing that was sent was answered 2xx for three days" : NULL;
}

static void line_stop(struct sender *sender, struct line *line)
{
    const char *why = line->is_loaded && line->flow.sent_count == 0 ? why_to_stop(line) : NULL;
    (void)order_take(&sender->stop);
    if (why == NULL || !order_is_idle(&sender->stop))
        return;
    arena_reset(sender->stop.arena);
    sender->to_stop = (struct webhook_stop){ line->flow.webhook, why };
    submit(&sender->stop, &webhook_stop, 0, &sender->to_stop);
}

static bool report_is_due(const struct sender *sender, const struct line *line, int64_t now_us)
{
    const int64_t hasten = sender->options.hasten > 0 ? sender->options.hasten : 1, waited_us = now_us - line->report_us;
    if (line->flow.sent_count > 0)
        return waited_us > REPORT_US / hasten || line->flow.sent_count > WEBHOOK_REPORT_MAX / 2 || line->is_stale || atomic_load(&sender->stopping);
    return flow_cursor(&line->flow) > line->flow.seq && (waited_us > CURSOR_US / hasten || atomic_load(&sender->stopping));
}

static void report_send(struct sender *sender, const struct place *place, struct line *line, int64_t now_us)
{
    if (!line->is_loaded || place->term == 0 || !order_is_idle(&line->report) || !report_is_due(sender, line, now_us))
        return;
    struct arena *arena = line->report.arena;
    arena_reset(arena);
    struct webhook_report *report = ARENA_NEW(arena, struct webhook_report);
    struct webhook_sent *sent = ARENA_ARRAY(arena, struct webhook_sent, line->flow.sent_count + 1);
    for (size_t i = 0; i < line->flow.sent_count; i++) {
        sent[i] = line->flow.sent[i];
        sent[i].detail = arena_text(arena, sent[i].detail);
        if (sent[i].outcome == SENT_GIVEN_UP)
            atomic_fetch_add(&sender->given_up, 1);
    }
    *report = (struct webhook_report){ .claim = sender->claim,
                                       .webhook = line->flow.webhook,
                                       .epoch = line->flow.epoch,
                                       .code = arena_text(arena, line->endpoint->code),
                                       .seq = flow_cursor(&line->flow),
                                       .sent = sent,
                                       .count = line->flow.sent_count,
                                       .gone = line->flow.is_gone };
    report->claim.term = place->term;
    line->reported_seq = report->seq;
    line->reported_count = report->count;
    line->report_us = now_us;
    atomic_fetch_add(&sender->reports, 1);
    submit(&line->report, place->id == 0 ? &company_webhook_report : &webhook_report, place->id, report);
}

/* ---- a round ---- */

static enum db_result line_serve(struct sender *sender, const struct place *place, struct line *line)
{
    enum db_result result = DB_OK;
    if (!line->is_seen || !holds(place) || atomic_load(&sender->stopping))
        return DB_OK;
    if (line->is_stale && (line->flow.flying > 0 || line->flow.sent_count > 0))
        return DB_OK;
    if (line->is_stale && order_is_idle(&line->report))
        line_unload(sender, line);
    if (!line->is_loaded && order_is_idle(&line->report))
        result = line_load(sender, line);
    if (result == DB_OK && line->is_loaded)
        result = line_read(sender, place, line);
    if (result == DB_OK && line->is_loaded)
        result = line_send(sender, place, line);
    return result;
}

static enum db_result serve(struct sender *sender)
{
    const int64_t now_us = when_monotonic_us();
    long long waiting = 0, behind = 0;
    enum db_result result = DB_OK;
    sender->more = false;
    for (struct place *place = sender->places; place != NULL; place = place->next) {
        lease_tend(sender, place, now_us);
        for (struct line *line = place->lines; line != NULL; line = line->next) {
            report_take(sender, line);
            if (result == DB_OK)
                result = line_serve(sender, place, line);
            if (line->is_seen)
                report_send(sender, place, line, now_us);
            line_stop(sender, line);
            waiting += (long long)line->flow.count;
            if (line->is_loaded && line->is_followed)
                behind = max_i64(behind, place->head - line->flow.seq);
        }
    }
    atomic_store(&sender->waiting, waiting);
    atomic_store(&sender->behind, behind);
    atomic_store(&sender->flying, (long long)postbox_flying(sender->postbox));
    return result;
}

static bool look_is_due(struct sender *sender, int64_t now_us)
{
    const int64_t waited_us = now_us - sender->looked_us;
    const int64_t idle_us = sender->desk.endpoint_count == 0 ? EMPTY_US : IDLE_US;
    if (waited_us < (sender->desk.endpoint_count == 0 ? EMPTY_US : LOOK_US))
        return false;
    return atomic_exchange(&sender->woken, false) || waited_us >= idle_us;
}

static enum db_result round_run(struct sender *sender)
{
    const int64_t now_us = when_monotonic_us();
    const char *error;
    enum db_result result = DB_OK;
    take_results(sender);
    if (sender->db == NULL)
        result = db_open(&sender->db, &sender->store, sender->arena, &error);
    if (result == DB_OK && look_is_due(sender, now_us)) {
        sender->looked_us = now_us;
        result = look(sender);
    }
    return result == DB_OK ? serve(sender) : result;
}

/* A store that does not answer is asked again with a connection of its own, a little later. */
static bool round_safely(struct sender *sender)
{
    struct arena_door full;
    volatile enum db_result result = DB_BUSY;
    struct arena *const arenas[] = { sender->arena, sender->desk_arena, sender->spare_arena };
    arena_reset(sender->arena);
    for (size_t i = 0; i < COUNT(arenas); i++)
        arena_set_door(arenas[i], &full);
    if (setjmp(full.where) == 0)
        result = round_run(sender);
    if (result == DB_OK)
        return true;
    db_close(sender->db);
    sender->db = NULL;
    return false;
}

static void wait_for_news(struct sender *sender, bool is_well)
{
    bool busy = sender->more;
    for (const struct place *place = sender->places; place != NULL; place = place->next)
        for (const struct line *line = place->lines; line != NULL; line = line->next)
            busy = busy || line->flow.sent_count > 0;
    const int idle_ms = sender->desk.endpoint_count == 0 ? (int)(EMPTY_US / 1000) : sender->options.hasten > 1 ? 5 : 100;
    const bool at_once = is_well && sender->more && postbox_flying(sender->postbox) == 0;
    postbox_wait(sender->postbox, !is_well ? 500 : at_once ? 1 : busy ? 20 : idle_ms);
}

/* ---- the end ---- */

static bool is_settled(struct sender *sender)
{
    bool settled = order_is_idle(&sender->stop) && postbox_flying(sender->postbox) == 0;
    for (struct place *place = sender->places; place != NULL; place = place->next) {
        settled = settled && order_is_idle(&place->lease) && order_is_idle(&place->start);
        for (struct line *line = place->lines; line != NULL; line = line->next)
            settled = settled && order_is_idle(&line->report) && line->flow.sent_count == 0;
    }
    return settled;
}

static void orders_wait(struct sender *sender)
{
    for (bool idle = false; !idle;) {
        (void)order_take(&sender->stop);
        idle = order_is_idle(&sender->stop);
        for (struct place *place = sender->places; place != NULL; place = place->next) {
            (void)order_take(&place->lease);
            (void)order_take(&place->start);
            idle = idle && order_is_idle(&place->lease) && order_is_idle(&place->start);
            for (struct line *line = place->lines; line != NULL; line = line->next) {
                (void)order_take(&line->report);
                idle = idle && order_is_idle(&line->report);
            }
        }
        if (!idle)
            postbox_wait(sender->postbox, 20);
    }
}

static void leases_end(struct sender *sender)
{
    for (struct place *place = sender->places; place != NULL; place = place->next) {
        if (place->term == 0)
            continue;
        arena_reset(place->lease.arena);
        struct lease_claim *claim = ARENA_NEW(place->lease.arena, struct lease_claim);
        *claim = sender->claim;
        claim->term = place->term;
        submit(&place->lease, place->id == 0 ? &company_lease_end : &lease_end, place->id, claim);
    }
    orders_wait(sender);
}

static void *work(void *context)
{
    struct sender *sender = context;
    thread_begin("webhooks", STEPS_BACK, 0);
    while (!atomic_load(&sender->stopping)) {
        const bool is_well = round_safely(sender);
        wait_for_news(sender, is_well);
    }
    for (int64_t until_us = when_monotonic_us() + DRAIN_US; when_monotonic_us() < until_us && round_safely(sender) && !is_settled(sender);)
        postbox_wait(sender->postbox, 20);
    orders_wait(sender);
    leases_end(sender);
    return NULL;
}

/* ---- the face ---- */

void sender_free(struct sender *sender)
{
    if (sender == NULL)
        return;
    for (struct place *place = sender->places, *next; place != NULL; place = next) {
        next = place->next;
        for (struct line *line = place->lines, *after; line != NULL; line = after) {
            after = line->next;
            line_free(sender, line);
        }
        arena_free(place->lease.arena);
        arena_free(place->start.arena);
        free(place);
    }
    postbox_free(sender->postbox);
    db_close(sender->db);
    arena_free(sender->stop.arena);
    arena_free(sender->arena);
    arena_free(sender->desk_arena);
    arena_free(sender->spare_arena);
    free(sender);
}

struct sender *sender_start(const struct sender_options *options, struct arena *arena, const char **error)
{
    struct sender *sender = calloc(1, sizeof *sender);
    *error = "no memory for the sender of webhooks";
    if (sender == NULL)
        return NULL;
    sender->options = *options;
    sender->store = *options->store;
    sender->claim = (struct lease_claim){ .role = LEASE_WEBHOOKS, .is_alone = options->is_alone };
    vault_random(options->vault, &sender->claim.holder, sizeof sender->claim.holder);
    sender->claim.holder = (int64_t)((uint64_t)sender->claim.holder >> 1) | 1;
    sender->postbox = postbox_new(&options->post);
    sender->arena = arena_new((size_t)64 << 20);
    sender->desk_arena = arena_new((size_t)64 << 20);
    sender->spare_arena = arena_new((size_t)64 << 20);
    if (sender->postbox == NULL || sender->arena == NULL || sender->desk_arena == NULL || sender->spare_arena == NULL ||
        !order_open(&sender->stop, sender) || db_open(&sender->db, &sender->store, arena, error) != DB_OK ||
        pthread_create(&sender->thread, NULL, work, sender) != 0) {
        sender_free(sender);
        return NULL;
    }
    return sender;
}

void sender_stop(struct sender *sender)
{
    if (sender == NULL)
        return;
    atomic_store(&sender->stopping, true);
    postbox_wake(sender->postbox);
    pthread_join(sender->thread, NULL);
}

void sender_wake(struct sender *sender)
{
    if (!atomic_exchange(&sender->woken, true))
        postbox_wake(sender->postbox);
}

void sender_figures(void *context, struct buffer *out)
{
    struct sender *sender = context;
    const struct {
        const char *name, *type, *help;
        long long value;
    } figures[] = {
        { "millrace_webhooks", "gauge", "Webhooks to which something is sent.", atomic_load(&sender->endpoints) },
        { "millrace_webhook_delivered_total", "counter", "Attempts that were answered 2xx.", atomic_load(&sender->delivered) },
        { "millrace_webhook_failed_total", "counter", "Attempts that were not.", atomic_load(&sender->failed) },
        { "millrace_webhook_given_up_total", "counter", "Events that were not delivered in the last attempt either.",
          atomic_load(&sender->given_up) },
        { "millrace_webhook_reports_total", "counter", "Commands that note what was sent.", atomic_load(&sender->reports) },
        { "millrace_webhook_flying", "gauge", "Requests under way.", atomic_load(&sender->flying) },
        { "millrace_webhook_waiting", "gauge", "Events in memory that are still to be sent.", atomic_load(&sender->waiting) },
        { "millrace_webhook_behind", "gauge", "Events between the newest and the cursor of the webhook that is farthest behind.",
          atomic_load(&sender->behind) },
    };
    for (size_t i = 0; i < COUNT(figures); i++)
        buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", figures[i].name, figures[i].help, figures[i].name, figures[i].type,
                      figures[i].name, figures[i].value);
}
