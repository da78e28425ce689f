/* tests/crash/counts_race_test.c: 50 clients at once: goods come in, orders take them, and counters tell of sheets that were opened before, all of
 * which miss the same units. However the news overtake each other, those units are taken out once, no order's claim is lost, and `millrace check`
 * finds nothing. */
#include "crash/race.h"
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNTERS 20
#define RECEIVERS 15
#define BUYERS 15
#define TIMES 20
#define STOCK 500
#define MISSING 7

static struct sheet {
    char id[40];
    long expected;
} sheets[COUNTERS];
static atomic_size_t ordered, amid; /* amid: sheets that were booked while orders came */

/* The counters come one after the other, while goods are bought: each has orders before and behind it. */
static void count(struct racer *racer)
{
    const struct sheet *sheet = &sheets[racer->number];
    const size_t all = (size_t)BUYERS * TIMES;
    char target[80], body[120];
    snprintf(target, sizeof target, "/v1/counts/%s/lines", sheet->id);
    while (atomic_load(&ordered) < 1 + (size_t)racer->number * (all / 2) / COUNTERS)
        sched_yield();
    for (int i = 0; i < 2; i++) {
        snprintf(body, sizeof body, "{\"counter\":\"%c\",\"lines\":[{\"sku\":\"LAMP\",\"counted\":%ld}]}", 'a' + i, sheet->expected - MISSING);
        if (racer_asks(racer, target, body, "") && strstr(racer->client.body, "\"state\":\"booked\"") != NULL) {
            atomic_fetch_add(&amid, atomic_load(&ordered) < all);
            return;
        }
    }
    racer_is_wrong(racer, "not booked");
}

static void receive_or_buy(struct racer *racer)
{
    char id[32], body[700];
    for (int i = 0; i < TIMES; i++) {
        if (racer->number < COUNTERS + RECEIVERS) {
            racer_asks(racer, "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":1,\"reason\":\"receipt\"}", "");
            continue;
        }
        snprintf(id, sizeof id, "O-%d-%d", racer->number, i);
        racer_asks(racer, "/v1/orders", order_body(body, sizeof body, "web", id, "prepaid", "LAMP", 1), "");
        atomic_fetch_add(&ordered, 1); /* also where it went wrong: nobody waits for ever */
    }
}

static void work(struct racer *racer)
{
    if (racer->number < COUNTERS)
        count(racer);
    else
        receive_or_buy(racer);
}

/* Each sheet sees another state: goods came between them. */
static void open_sheets(struct race *race)
{
    for (int i = 0; i < COUNTERS; i++) {
        race_receives(race, "LEJ", "LAMP", 1);
        race_must(race, "POST", "/v1/counts", "{\"node\":\"LEJ\",\"skus\":[\"LAMP\"],\"blind\":false}");
        text_after(race->client.body, "id", sheets[i].id, sizeof sheets[i].id);
        sheets[i].expected = (long)number_after(race->client.body, "expected");
    }
}

static void a_loss_is_booked_once(struct race *race)
{
    const long want = STOCK + COUNTERS + (long)RECEIVERS * TIMES - MISSING;
    atomic_store(&ordered, 0);
    atomic_store(&amid, 0);
    race_must(race, "PUT", "/v1/skus/LAMP", "{\"name\":\"Lamp\"}");
    race_must(race, "PUT", "/v1/channels/web",
              "{\"unit\":\"DE\",\"name\":\"Web\",\"kind\":\"store\",\"priority\":2,\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\"}");
    race_receives(race, "LEJ", "LAMP", STOCK);
    open_sheets(race);
    race_run(race, COUNTERS + RECEIVERS + BUYERS, work);
    if (race_stock(race, "LEJ", "LAMP", "on_hand") != want || race_stock(race, "LEJ", "LAMP", "reserved") != (int64_t)BUYERS * TIMES)
        fail_msg("want %ld on hand, %d reserved: %s", want, BUYERS * TIMES, race->client.body);
    if (strstr(race_shows(race, "/v1/counts?state=open"), "\"items\":[]") == NULL)
        fail_msg("a sheet is open: %s", race->client.body);
    assert_true(atomic_load(&amid) > 0);
}

int main(void)
{
    static const struct race_scene scenes[] = {
        { "a loss is booked once", a_loss_is_booked_once },
    };
    return races_run("counts_race", scenes, sizeof scenes / sizeof scenes[0]);
}
