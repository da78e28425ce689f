/* tests/crash/races_test.c: two things that may not both happen are done at the same moment, by 50 clients. Units go to another node while the
 * books are corrected; an order is taken back while it is shipped; goods are called back while they are picked; one order is sent many times.
 * Of each pair exactly one comes about: the sums say so, and `millrace check` finds nothing. Each race is run until each side has won. */
#include "crash/race.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define TRIALS 6       /* of each race, */
#define TRIALS_MAX 100 /* and more until each side has won */
#define EACH 10        /* units, or orders, of a trial */
#define WAIT_MS 10000  /* for a recall's job, */
#define LOOK_MS 1000   /* which the scheduler sees after at most as long */

/* What a trial is about, and what came of all trials. */
static char sku[16], ids[EACH][40], works[EACH][40];
static int id_count;
static atomic_size_t wins[4];

static bool goes_on(int trial, int trials, int sides)
{
    bool all_won = true;
    for (int side = 0; side < sides; side++)
        all_won = all_won && atomic_load(&wins[side]) > 0;
    return trial < trials || (trial < TRIALS_MAX && !all_won);
}

/* For as long as some calls take: who comes first is not always the same. */
static void dawdle(struct racer *racer, int most)
{
    for (int i = rand_r(&racer->seed) % (most + 1); i > 0; i--)
        if (client_call(&racer->client, "GET", "/v1/nodes/LEJ", NULL, NULL) != 200)
            racer_is_wrong(racer, "a look");
}

static void begin(struct race *race)
{
    for (size_t i = 0; i < sizeof wins / sizeof wins[0]; i++)
        atomic_store(&wins[i], 0);
    race_must(race, "PUT", "/v1/nodes/HAM",
              "{\"unit\":\"DE\",\"name\":\"Hamburg\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"20095\",\"priority\":2}");
    race_must(race, "PUT", "/v1/channels/web",
              "{\"unit\":\"DE\",\"name\":\"Web\",\"kind\":\"store\",\"priority\":1,\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\"}");
}

/* A SKU of its own for each trial, with so many units. */
static void stocks(struct race *race, int trial, size_t units)
{
    char target[40];
    snprintf(sku, sizeof sku, "SKU%d", trial);
    snprintf(target, sizeof target, "/v1/skus/%s", sku);
    race_must(race, "PUT", target, "{\"name\":\"Goods\"}");
    race_receives(race, "LEJ", sku, units);
}

static void must_be(const char *what, int64_t is, int64_t want)
{
    if (is != want)
        fail_msg("%s: %s is %ld, not %ld", sku, what, (long)is, (long)want);
}

static size_t line_sum(struct race *race, const char *figure)
{
    size_t sum = 0;
    for (int i = 0; i < EACH; i++)
        sum += (size_t)number_after(strstr(race_shows(race, "/v1/orders/%s", ids[i]), "\"lines\":"), figure);
    return sum;
}

/* With up to `most_ms` between two reports. */
static void pick_pack_and_ship(struct racer *racer, const char *work, const char *may_be, int most_ms)
{
    static const char *const steps[][2] = { { "pick", "{}" },
                                            { "pack", "{\"packages\":[{\"weight_g\":500}]}" },
                                            { "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}" } };
    for (int i = 0; i < 3; i++) {
        char target[80];
        snprintf(target, sizeof target, "/v1/fulfilments/%s/%s", work, steps[i][0]);
        racer_asks(racer, target, steps[i][1], may_be);
        usleep((unsigned)(rand_r(&racer->seed) % (most_ms + 1)) * 1000);
    }
}

/* ---- transfer against adjustment ---- */

enum { TRANSFERRED, CORRECTED, SHIPPED, LOST };

static pthread_mutex_t taking = PTHREAD_MUTEX_INITIALIZER;

static void adjust(struct racer *racer, const char *reason, int side)
{
    char body[160];
    snprintf(body, sizeof body, "{\"node\":\"LEJ\",\"sku\":\"%s\",\"delta\":-1,\"reason\":\"%s\"}", sku, reason);
    if (racer_asks(racer, "/v1/inventory/adjustments", body, "stock_conflict"))
        atomic_fetch_add(&wins[side], 1);
}

static void transfer_or_correct(struct racer *racer)
{
    char body[160];
    if (racer->number % 2 == 0) {
        adjust(racer, "correction", CORRECTED);
        return;
    }
    snprintf(body, sizeof body, "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"%s\",\"quantity\":1}]}", sku);
    if (!racer_asks(racer, "/v1/transfers", body, "shortage"))
        return;
    atomic_fetch_add(&wins[TRANSFERRED], 1);
    pthread_mutex_lock(&taking);
    if (id_count < EACH)
        text_after(racer->client.body, "id", ids[id_count], sizeof ids[0]);
    id_count++;
    pthread_mutex_unlock(&taking);
}

static void ship_or_lose(struct racer *racer)
{
    char target[80];
    if (racer->number % 2 == 0) {
        dawdle(racer, 1);
        adjust(racer, "loss", LOST);
        return;
    }
    snprintf(target, sizeof target, "/v1/transfers/%s/ship", ids[racer->number / 2 % id_count]);
    dawdle(racer, 1);
    if (racer_asks(racer, target, "{}", "state_conflict stock_conflict"))
        atomic_fetch_add(&wins[SHIPPED], 1);
}

/* Of ten units each goes to a transfer or to a correction, which are choices: nobody gets what another has. Then each that is promised to a transfer
 * is shipped, or is found to be lost, which is a fact: a transfer without units does not leave. */
static void transfers_against_adjustments(struct race *race)
{
    begin(race);
    for (int trial = 0; goes_on(trial, TRIALS, 4); trial++) {
        const size_t before[] = { wins[TRANSFERRED], wins[CORRECTED], wins[SHIPPED], wins[LOST] };
        stocks(race, trial, EACH);
        id_count = 0;
        race_run(race, RACERS, transfer_or_correct);
        must_be("what was transferred or corrected", (int64_t)(wins[TRANSFERRED] + wins[CORRECTED] - before[0] - before[1]), EACH);
        must_be("what transfers claim", race_stock(race, "LEJ", sku, "reserved"), id_count);
        must_be("on hand", race_stock(race, "LEJ", sku, "on_hand"), id_count);
        if (id_count == 0)
            continue;
        race_run(race, RACERS, ship_or_lose);
        must_be("what was shipped or lost", (int64_t)(wins[SHIPPED] + wins[LOST] - before[2] - before[3]), id_count);
        must_be("on hand", race_stock(race, "LEJ", sku, "on_hand"), 0);
        must_be("in transit", race_stock(race, "HAM", sku, "in_transit"), (int64_t)(wins[SHIPPED] - before[2]));
    }
    print_message("%zu transferred, %zu corrected; %zu shipped, %zu lost\n", wins[TRANSFERRED], wins[CORRECTED], wins[SHIPPED], wins[LOST]);
    assert_true(wins[TRANSFERRED] > 0 && wins[CORRECTED] > 0 && wins[SHIPPED] > 0 && wins[LOST] > 0);
}

/* ---- undo against ship ---- */

#define UNITS 2 /* of each order */

static int64_t created[EACH]; /* the events that tell of the orders */

static void orders(struct race *race, int trial)
{
    for (int i = 0; i < EACH; i++) {
        char id[32];
        snprintf(id, sizeof id, "O-%d-%d", trial, i);
        race_order(race, id, "on_account", sku, UNITS, ids[i], works[i]);
    }
}

static void find_created(struct race *race)
{
    static int64_t after;
    if (race->runs == 0)
        after = 0;
    const char *at = race_shows(race, "/v1/events?unit=DE&type=order.created&after=%ld&limit=1000", (long)after);
    for (int i = 0; i < EACH; i++) {
        at = strstr(at, "{\"seq\":");
        assert_non_null(at);
        created[i] = number_after(at++, "seq");
    }
    after = created[EACH - 1];
}

static void undo_or_ship(struct racer *racer)
{
    const int which = racer->number % EACH;
    char target[80];
    if (racer->number / EACH % 2 == 0) {
        pick_pack_and_ship(racer, works[which], "state_conflict", 0);
        return;
    }
    dawdle(racer, 6);
    snprintf(target, sizeof target, "/v1/commands/DE:%ld/undo", (long)created[which]);
    racer_asks(racer, target, "{\"reason\":\"a mistake\"}", "too_late no_inverse");
}

static void undo_against_ship(struct race *race)
{
    begin(race);
    for (int trial = 0; goes_on(trial, TRIALS, 2); trial++) {
        stocks(race, trial, (size_t)EACH * UNITS);
        orders(race, trial);
        find_created(race);
        race_run(race, RACERS, undo_or_ship);
        const size_t shipped = line_sum(race, "shipped"), undone = line_sum(race, "cancelled");
        must_be("what has left or was taken back", (int64_t)(shipped + undone), (int64_t)EACH * UNITS);
        must_be("available", race_stock(race, "LEJ", sku, "available"), (int64_t)undone);
        must_be("on hand", race_stock(race, "LEJ", sku, "on_hand"), (int64_t)undone);
        wins[0] += shipped;
        wins[1] += undone;
    }
    print_message("%zu units shipped, %zu taken back\n", wins[0], wins[1]);
    assert_true(wins[0] > 0 && wins[1] > 0);
}

/* ---- recall against pick ---- */

static void recall_or_pick(struct racer *racer)
{
    char body[100];
    if (racer->number >= 3) { /* some are on their way before it, some begin behind it, and some are amid their work */
        usleep((unsigned)(rand_r(&racer->seed) % LOOK_MS) * 1000);
        pick_pack_and_ship(racer, works[racer->number % EACH], "state_conflict", LOOK_MS / 4);
        return;
    }
    dawdle(racer, 6);
    snprintf(body, sizeof body, "{\"sku\":\"%s\",\"nodes\":[\"LEJ\"],\"reason\":\"catches fire\"}", sku);
    if (!racer_asks(racer, "/v1/recalls", body, "state_conflict"))
        return;
    pthread_mutex_lock(&taking);
    text_after(racer->client.body, "id", ids[0], sizeof ids[0]);
    id_count++;
    pthread_mutex_unlock(&taking);
}

/* The scheduler's threads carry it out. */
static void recall_has_taken_all(struct race *race, const char *recall)
{
    const int64_t until = now_ms() + WAIT_MS;
    while (strstr(race_shows(race, "/v1/recalls/%s", recall), "\"state\":\"holding\"") == NULL)
        if (now_ms() > until)
            fail_msg("%s", race->client.body);
}

static void recall_against_pick(struct race *race)
{
    begin(race);
    for (int trial = 0; goes_on(trial, TRIALS / 2, 2); trial++) {
        char first[40];
        stocks(race, trial, (size_t)EACH * UNITS);
        orders(race, trial);
        snprintf(first, sizeof first, "%s", ids[0]);
        id_count = 0;
        race_run(race, RACERS, recall_or_pick);
        must_be("recalls", id_count, 1);
        recall_has_taken_all(race, ids[0]);
        snprintf(ids[0], sizeof ids[0], "%s", first);
        const size_t shipped = line_sum(race, "shipped"), waits = line_sum(race, "backordered");
        must_be("what has left or waits", (int64_t)(shipped + waits), (int64_t)EACH * UNITS);
        must_be("allocated", race_stock(race, "LEJ", sku, "allocated"), 0);
        must_be("called back", race_stock(race, "LEJ", sku, "quarantined"), (int64_t)waits);
        must_be("on hand", race_stock(race, "LEJ", sku, "on_hand"), (int64_t)waits);
        wins[0] += shipped;
        wins[1] += waits;
    }
    print_message("%zu units shipped, %zu called back\n", wins[0], wins[1]);
    assert_true(wins[0] > 0 && wins[1] > 0);
}

/* ---- one order, sent by many ---- */

static char sent_id[32];

/* A shop sends it again and again, some with a key and some without, and after the customer took one more: what came first is the order. */
static void send_it(struct racer *racer)
{
    char body[700], key[60];
    snprintf(key, sizeof key, "%s-%d", sent_id, racer->number / 10);
    order_body(body, sizeof body, "web", sent_id, "prepaid", sku, 1 + racer->number / 10 % 2);
    const int status = client_call(&racer->client, "POST", "/v1/orders", racer->number % 3 == 0 ? NULL : key, body);
    if (status != 200 && status != 201)
        racer_is_wrong(racer, sent_id);
    text_after(racer->client.body, "id", racer->said, sizeof racer->said);
    racer->late = (size_t)number_after(strstr(racer->client.body, "\"lines\":"), "quantity");
}

static void one_order_is_sent_by_many(struct race *race)
{
    begin(race);
    for (int trial = 0; goes_on(trial, TRIALS, 2); trial++) {
        const struct racer *one = &race->racers[0];
        stocks(race, trial, RACERS);
        snprintf(sent_id, sizeof sent_id, "S-%d", trial);
        race_run(race, RACERS, send_it);
        for (int i = 0; i < RACERS; i++) {
            const struct racer *other = &race->racers[i];
            if (strcmp(one->said, other->said) != 0 || one->late != other->late)
                fail_msg("%s: %s of %zu to one, %s of %zu to another", sent_id, one->said, one->late, other->said, other->late);
        }
        must_be("reserved", race_stock(race, "LEJ", sku, "reserved"), (int64_t)one->late);
        wins[one->late - 1]++;
    }
    print_message("the first of two came first %zu times, the second %zu times\n", wins[0], wins[1]);
    assert_true(wins[0] > 0 && wins[1] > 0);
}

int main(void)
{
    static const struct race_scene scenes[] = {
        { "transfers against adjustments", transfers_against_adjustments },
        { "undo against ship", undo_against_ship },
        { "recall against pick", recall_against_pick },
        { "one order is sent by many", one_order_is_sent_by_many },
    };
    return races_run("races", scenes, sizeof scenes / sizeof scenes[0]);
}
