/* tests/crash/edit_races_test.c: many clients change one order at the same moment: while it is paid for, and while a node picks, packs and ships it.
 * Whatever comes first: nothing is released that was not paid for then, nothing leaves that is not wanted, all units are somewhere, and each
 * command is answered 200 or refused by name. MILLRACE_RACE_TRIALS sets how many orders of each kind (8). */
#include "crash/race.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PAYERS 25 /* of 1.00 each: two lamps of 10.00 are paid for, a third is not */
#define PAID_FOR 2
#define LINES 8 /* of what is shipped, each edited by a few: a line that all edit is never left alone long enough to leave */
#define UNITS 100000
#define TRIALS_MAX 100 /* until each side has won */

static char order[40];
static int orders_taken;
static bool added[RACERS];
static atomic_size_t unpaid, paid, in_time, too_late; /* edits that came before the payment, and behind it; before the goods left, and behind */

#define ADDS(UNITS) "{\"add\":[{\"sku\":\"LAMP\",\"quantity\":" UNITS ",\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}]}"

static bool edit(struct racer *r, const char *body, const char *may_be)
{
    char target[80];
    snprintf(target, sizeof target, "/v1/orders/%s/edit", order);
    return racer_asks(r, target, body, may_be);
}

static bool set_line(struct racer *r, int lines, int most, const char *may_be)
{
    char body[80];
    snprintf(body, sizeof body, "{\"set\":[{\"line\":%d,\"quantity\":%d}]}", 1 + rand_r(&r->seed) % lines, 1 + rand_r(&r->seed) % most);
    return edit(r, body, may_be);
}

static void pay_or_edit(struct racer *r)
{
    char target[80], body[160];
    snprintf(target, sizeof target, "/v1/orders/%s/payments", order);
    snprintf(body, sizeof body, "{\"kind\":\"captured\",\"amount\":{\"amount\":\"1.00\",\"currency\":\"EUR\"},\"reference\":\"r-%d\"}", r->number);
    if (r->number < PAYERS)
        racer_asks(r, target, body, "");
    else if (set_line(r, 1, 6, ""))
        atomic_fetch_add(strstr(r->client.body, "\"stage\":\"released\"") == NULL ? &unpaid : &paid, 1);
}

/* One of its fulfilment orders that is still to leave: edits end some and begin others. "": there is none. */
static void find_work(struct racer *r, char work[40])
{
    char target[80];
    const char *found[20];
    unsigned count = 0;
    work[0] = '\0';
    snprintf(target, sizeof target, "/v1/orders/%s", order);
    if (client_call(&r->client, "GET", target, NULL, NULL) != 200)
        racer_is_wrong(r, target);
    for (const char *at = strstr(r->client.body, "\"fulfilments\":"); at != NULL && (at = strstr(at, "{\"id\":\"ful_")) != NULL && count < 20; at++) {
        char state[20];
        text_after(at, "state", state, sizeof state);
        if (strcmp(state, "cancelled") != 0 && strcmp(state, "shipped") != 0)
            found[count++] = at;
    }
    if (count > 0)
        text_after(found[(unsigned)rand_r(&r->seed) % count], "id", work, 40);
}

static void ship(struct racer *r)
{
    static const char *const steps[][2] = { { "pick", "{}" },
                                            { "pack", "{\"packages\":[{\"weight_g\":500}]}" },
                                            { "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}" } };
    char work[40], target[80];
    find_work(r, work);
    for (int step = 0; work[0] != '\0' && step < 3; step++) {
        snprintf(target, sizeof target, "/v1/fulfilments/%s/%s", work, steps[step][0]);
        racer_asks(r, target, steps[step][1], "state_conflict");
    }
}

static void ship_or_edit(struct racer *r)
{
    added[r->number] = r->number % 5 == 1 && edit(r, ADDS("1"), "too_late");
    for (int turn = 0; turn < 4; turn++)
        if (r->number % 5 != 2)
            ship(r);
        else
            for (int times = 0; times < 3; times++) /* a parcel is on its way after as many reports */
                atomic_fetch_add(set_line(r, LINES, 8, "too_late") ? &in_time : &too_late, 1);
}

static void take(struct race *race, const char *term, int quantity)
{
    char id[32];
    snprintf(id, sizeof id, "R-%d", ++orders_taken);
    race_order(race, id, term, "LAMP", quantity, order, NULL);
}

/* Of the line, from 1. */
static int64_t figure(const char *body, int line, const char *name)
{
    char after[48];
    snprintf(after, sizeof after, "{\"line\":%d,\"sku\"", line);
    const char *at = strstr(body, after);
    return at == NULL ? -1 : number_after(at, name);
}

static void edit_against_pay(struct race *race)
{
    take(race, "prepaid", 3);
    race_run(race, RACERS, pay_or_edit);
    const char *now = race_shows(race, "/v1/orders/%s", order);
    int64_t wanted = figure(now, 1, "quantity") - figure(now, 1, "cancelled"), allocated = figure(now, 1, "allocated");
    if (allocated > PAID_FOR || (wanted <= PAID_FOR && allocated != wanted) || figure(now, 1, "reserved") + allocated != wanted)
        fail_msg("of %ld pieces %ld are with the node, and %d are paid for: %s", (long)wanted, (long)allocated, PAID_FOR, now);
    assert_int_equal(figure(now, 1, "backordered"), 0);
}

static void edit_against_pick(struct race *race)
{
    int64_t lines = 0, want = LINES;
    take(race, "on_account", 5);
    char target[80];
    snprintf(target, sizeof target, "/v1/orders/%s/edit", order);
    for (int line = 2; line <= LINES; line++)
        race_must(race, "POST", target, "%s", ADDS("5"));
    race_run(race, RACERS, ship_or_edit);
    for (int i = 1; i < RACERS; i += 5)
        want += added[i];
    const char *now = race_shows(race, "/v1/orders/%s", order);
    for (int line = 1; figure(now, line, "quantity") > 0; line++, lines++) {
        int64_t wanted = figure(now, line, "quantity") - figure(now, line, "cancelled"), shipped = figure(now, line, "shipped");
        if (shipped > wanted || shipped + figure(now, line, "allocated") != wanted)
            fail_msg("of line %d %ld are wanted, %ld have left: %s", line, (long)wanted, (long)shipped, now);
    }
    assert_int_equal(lines, want); /* each that was told so has come, once */
}

static void an_order_is_changed_by_many(struct race *race)
{
    const size_t trials = setting("MILLRACE_RACE_TRIALS", 8);
    orders_taken = 0;
    atomic_store(&unpaid, 0);
    atomic_store(&paid, 0);
    atomic_store(&in_time, 0);
    atomic_store(&too_late, 0);
    race_must(race, "PUT", "/v1/skus/LAMP", "{\"name\":\"Lamp\"}");
    race_must(race, "PUT", "/v1/channels/web",
              "{\"unit\":\"DE\",\"name\":\"Web\",\"kind\":\"store\",\"priority\":1,\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\"}");
    race_receives(race, "LEJ", "LAMP", UNITS);
    for (size_t trial = 0; trial < trials || (trial < TRIALS_MAX && (unpaid == 0 || paid == 0 || in_time == 0 || too_late == 0)); trial++) {
        edit_against_pay(race);
        edit_against_pick(race);
    }
    print_message("edits: %zu before it was paid for, %zu behind; %zu in time, %zu too late\n", unpaid, paid, in_time, too_late);
    assert_true(unpaid > 0 && paid > 0 && in_time > 0 && too_late > 0);
}

int main(void)
{
    static const struct race_scene scenes[] = {
        { "an order is changed by many", an_order_is_changed_by_many },
    };
    return races_run("edit_races", scenes, sizeof scenes / sizeof scenes[0]);
}
