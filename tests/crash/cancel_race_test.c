/* tests/crash/cancel_race_test.c: 50 clients at once cancel, pick, pack, ship, send, accept, decline and answer for the same orders, of a node of
 * our own and of one that others run. Whoever comes late is told so (409); no unit is both cancelled and on its way: what ships were answered is what
 * the orders say has shipped, what was received is what is there and what has left, and `millrace check` finds nothing.
 * MILLRACE_RACE_ORDERS sets how many orders (120). */
#include "crash/race.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ORDERS_MAX 2000
#define UNITS 4 /* of each order */
#define ROUND 6 /* orders that all look at, at a time */

static const struct {
    const char *path, *verb, *body;
    bool of_order;
} deeds[] = {
    { "/v1/orders/", "cancel", "{\"reason\":\"changed mind\"}", true },
    { "/v1/orders/", "cancel", "{\"reason\":\"one less\",\"lines\":[{\"line\":1,\"quantity\":1}]}", true },
    { "/v1/orders/", "cancel", "{\"reason\":\"one less\",\"lines\":[{\"line\":1,\"quantity\":1}]}", true },
    { "/v1/fulfilments/", "send", "{}", false },
    { "/v1/fulfilments/", "accept", "{}", false },
    { "/v1/fulfilments/", "pick", "{}", false },
    { "/v1/fulfilments/", "pick", "{}", false },
    { "/v1/fulfilments/", "pick", "{\"lines\":[{\"line\":1,\"quantity\":2}]}", false },
    { "/v1/fulfilments/", "pack", "{\"packages\":[{\"weight_g\":500}]}", false },
    { "/v1/fulfilments/", "pack", "{\"packages\":[{\"weight_g\":500}]}", false },
    { "/v1/fulfilments/", "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}", false },
    { "/v1/fulfilments/", "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}", false },
    { "/v1/fulfilments/", "cancel", "{}", false },
    { "/v1/fulfilments/", "reject_cancel", "{\"reason\":\"on the belt\"}", false },
    { "/v1/fulfilments/", "decline", "{\"reason\":\"no cartons\"}", false },
};
#define DEEDS (sizeof deeds / sizeof deeds[0])

static char orders[ORDERS_MAX][40], works[ORDERS_MAX][40];
static size_t order_count;
static atomic_size_t turns, shipped; /* shipped: units of answered ships */

static size_t units_of_lines(const char *body)
{
    size_t units = 0;
    const char *end = strstr(body, "\"packages\"");
    for (const char *at = strstr(body, "\"lines\""); at != NULL && at < end; at = strstr(at + 1, "\"quantity\":"))
        units += at[1] == 'q' ? (size_t)strtoul(at + 11, NULL, 10) : 0;
    return units;
}

/* Each turn is one deed on one of a few orders, which move on as turns pass: so all meet at the same ones. */
static void meet(struct racer *racer)
{
    const size_t each = 4 * RACERS / ROUND, all = order_count * each;
    for (size_t turn; (turn = atomic_fetch_add(&turns, 1)) < all;) {
        const size_t order = (turn / each + (size_t)rand_r(&racer->seed) % ROUND) % order_count, deed = (size_t)rand_r(&racer->seed) % DEEDS;
        char target[120];
        snprintf(target, sizeof target, "%s%s/%s", deeds[deed].path, deeds[deed].of_order ? orders[order] : works[order], deeds[deed].verb);
        const int status = client_call(&racer->client, "POST", target, NULL, deeds[deed].body);
        racer->done += status == 200;
        racer->late += status == 409 || status == 422; /* fewer are due than were picked */
        if (status == 200 && strcmp(deeds[deed].verb, "ship") == 0)
            atomic_fetch_add(&shipped, units_of_lines(racer->client.body));
        if (status != 200 && status != 409 && (status != 422 || strcmp(deeds[deed].verb, "pick") != 0))
            racer_is_wrong(racer, target);
    }
}

static void furnish(struct race *race)
{
    race_must(race, "PUT", "/v1/nodes/FBA", "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"third_party\",\"country\":\"DE\",\"postal_code\":\"04103\"}");
    race_must(race, "PUT", "/v1/skus/OURS", "{\"name\":\"O\"}");
    race_must(race, "PUT", "/v1/skus/THEIRS", "{\"name\":\"T\"}");
    race_must(race, "PUT", "/v1/channels/web",
              "{\"unit\":\"DE\",\"name\":\"W\",\"kind\":\"store\",\"nodes\":[\"LEJ\",\"FBA\"],\"shortage\":\"backorder\"}");
    race_receives(race, "LEJ", "OURS", order_count * UNITS);
    race_receives(race, "FBA", "THEIRS", order_count * UNITS);
}

/* Each line adds up; gives what all say has shipped, and has been cancelled. */
static void sum_orders(struct race *race, size_t *sent, size_t *cancelled)
{
    static const char *const figures[] = { "reserved", "allocated", "shipped", "backordered", "cancelled" };
    for (size_t i = 0; i < order_count; i++) {
        int64_t sum = 0;
        const char *line = strstr(race_shows(race, "/v1/orders/%s", orders[i]), "\"lines\":");
        for (size_t k = 0; k < sizeof figures / sizeof figures[0]; k++)
            sum += number_after(line, figures[k]);
        if (sum != UNITS)
            fail_msg("the line of %s adds up to %ld", orders[i], (long)sum);
        *sent += (size_t)number_after(line, "shipped");
        *cancelled += (size_t)number_after(line, "cancelled");
    }
}

static void nothing_is_both_cancelled_and_on_its_way(struct race *race)
{
    size_t done = 0, late = 0, sent = 0, cancelled = 0;
    order_count = setting("MILLRACE_RACE_ORDERS", 120);
    assert_in_range(order_count, 1, ORDERS_MAX);
    atomic_store(&turns, 0);
    atomic_store(&shipped, 0);
    furnish(race);
    for (size_t i = 0; i < order_count; i++) {
        char id[32];
        snprintf(id, sizeof id, "R-%zu", i);
        race_order(race, id, "on_account", i % 2 == 0 ? "OURS" : "THEIRS", UNITS, orders[i], works[i]);
    }
    race_run(race, RACERS, meet);
    for (int i = 0; i < RACERS; i++) {
        done += race->racers[i].done;
        late += race->racers[i].late;
    }
    sum_orders(race, &sent, &cancelled);
    const size_t there = (size_t)(race_stock(race, "LEJ", "OURS", "on_hand") + race_stock(race, "FBA", "THEIRS", "on_hand"));
    print_message("%zu done, %zu too late, %zu units shipped, %zu cancelled\n", done, late, sent, cancelled);
    if (sent != atomic_load(&shipped) || there + sent != 2 * order_count * UNITS)
        fail_msg("%zu units were shipped, orders say %zu, and %zu are there", atomic_load(&shipped), sent, there);
    assert_true(done > order_count && late > order_count && sent > 0 && cancelled > 0); /* each side has won */
}

int main(void)
{
    static const struct race_scene scenes[] = {
        { "nothing is both cancelled and on its way", nothing_is_both_cancelled_and_on_its_way },
    };
    return races_run("cancel_race", scenes, sizeof scenes / sizeof scenes[0]);
}
