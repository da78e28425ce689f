/* tests/crash/race.c: see race.h. */
#include "crash/race.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- a run ---- */

static void *go(void *context)
{
    struct racer *racer = context;
    pthread_barrier_wait(&racer->race->gate);
    racer->race->work(racer);
    client_close(&racer->client);
    return NULL;
}

void race_run(struct race *race, int count, void (*work)(struct racer *))
{
    assert_in_range(count, 1, RACERS_MAX);
    race->runs++;
    race->work = work;
    pthread_barrier_init(&race->gate, NULL, (unsigned)count);
    for (int i = 0; i < count; i++) {
        struct racer *racer = &race->racers[i];
        racer->race = race;
        racer->number = i;
        racer->seed = race->runs * RACERS_MAX + (unsigned)i;
        racer->done = racer->late = racer->wrong = 0;
        client_open(&racer->client, race->servers[i % race->server_count].port, race->site.key);
    }
    for (int i = 0; i < count; i++)
        assert_int_equal(pthread_create(&race->racers[i].thread, NULL, go, &race->racers[i]), 0);
    for (int i = 0; i < count; i++)
        pthread_join(race->racers[i].thread, NULL);
    pthread_barrier_destroy(&race->gate);
    for (int i = 0; i < count; i++)
        if (race->racers[i].wrong > 0)
            fail_msg("%zu answers to client %d that nobody expects, such as %s", race->racers[i].wrong, i, race->racers[i].said);
}

void racer_is_wrong(struct racer *racer, const char *what)
{
    racer->wrong++;
    snprintf(racer->said, sizeof racer->said, "%s: %d %.250s", what, racer->client.status, racer->client.body);
}

bool racer_asks(struct racer *racer, const char *target, const char *body, const char *may_be)
{
    char code[40] = "";
    const int status = client_call(&racer->client, "POST", target, NULL, body);
    if (status == 409)
        text_after(racer->client.body, "code", code, sizeof code);
    if (status / 100 == 2)
        racer->done++;
    else if (code[0] != '\0' && strstr(may_be, code) != NULL)
        racer->late++;
    else
        racer_is_wrong(racer, target);
    return status / 100 == 2;
}

/* ---- who prepares, and looks ---- */

void race_must(struct race *race, const char *method, const char *target, const char *format, ...)
{
    char body[600];
    va_list args;
    va_start(args, format);
    vsnprintf(body, sizeof body, format, args);
    va_end(args);
    client_must(&race->client, method, target, body);
}

const char *race_shows(struct race *race, const char *format, ...)
{
    char target[160];
    va_list args;
    va_start(args, format);
    vsnprintf(target, sizeof target, format, args);
    va_end(args);
    if (client_call(&race->client, "GET", target, NULL, NULL) != 200)
        fail_msg("%s: %d %s", target, race->client.status, race->client.body);
    return race->client.body;
}

void race_receives(struct race *race, const char *node, const char *sku, size_t units)
{
    race_must(race, "POST", "/v1/inventory/adjustments", "{\"node\":\"%s\",\"sku\":\"%s\",\"delta\":%zu,\"reason\":\"receipt\"}", node, sku, units);
}

int64_t race_stock(struct race *race, const char *node, const char *sku, const char *figure)
{
    const char *shown = race_shows(race, "/v1/inventory?sku=%s&node=%s", sku, node);
    return strstr(shown, "\"items\":[]") != NULL ? 0 : number_after(shown, figure); /* it has never been there */
}

const char *order_body(char *out, size_t room, const char *channel, const char *id, const char *term, const char *sku, int quantity)
{
    snprintf(out, room,
             "{\"channel\":\"%s\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
             "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s\",\"quantity\":%d,"
             "\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"%s\",\"status\":\"pending\"}}",
             channel, id, sku, quantity, term);
    return out;
}

void race_order(struct race *race, const char *id, const char *term, const char *sku, int quantity, char order[40], char work[40])
{
    char body[700];
    client_must(&race->client, "POST", "/v1/orders", order_body(body, sizeof body, "web", id, term, sku, quantity));
    text_after(race->client.body, "id", order, 40);
    if (work == NULL)
        return;
    const char *at = strstr(race->client.body, "\"fulfilments\":");
    text_after(at == NULL ? "" : at, "id", work, 40);
    assert_true(work[0] == 'f');
}

/* ---- the scenes ---- */

static const struct where {
    const char *name;
    bool postgres;
    int servers;
} wheres[] = { { "SQLite", false, 1 }, { "PostgreSQL", true, 1 }, { "PostgreSQL, two servers", true, 2 } };
#define WHERES (sizeof wheres / sizeof wheres[0])

struct played {
    const struct where *where;
    const struct race_scene *scene;
    char name[120];
};

static void play(void **state)
{
    static struct race race;
    const struct played *played = *state;
    const char *postgres = played->where->postgres ? site_postgres() : NULL;
    if (played->where->postgres && postgres == NULL)
        skip();
    race.runs = 0;
    race.server_count = played->where->servers;
    site_make(&race.site, NULL, postgres);
    for (int i = 0; i < race.server_count; i++) {
        race.servers[i] = (struct server){ 0 };
        server_start(&race.servers[i], &race.site);
    }
    client_open(&race.client, race.servers[0].port, race.site.key);
    race_must(&race, "PUT", "/v1/units/DE", "{\"name\":\"Germany\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}");
    race_must(&race, "PUT", "/v1/nodes/LEJ",
              "{\"unit\":\"DE\",\"name\":\"Leipzig\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"04103\",\"priority\":1}");
    played->scene->play(&race);
    client_close(&race.client);
    for (int i = 0; i < race.server_count; i++)
        server_stop(&race.servers[i]);
    const int code = site_check(&race.site);
    site_delete(&race.site);
    assert_int_equal(code, 0);
}

int races_run(const char *group, const struct race_scene *scenes, size_t count)
{
    struct CMUnitTest *tests = calloc(count * WHERES, sizeof *tests);
    struct played *played = calloc(count * WHERES, sizeof *played);
    assert_true(tests != NULL && played != NULL);
    for (size_t i = 0; i < count * WHERES; i++) {
        played[i].where = &wheres[i % WHERES];
        played[i].scene = &scenes[i / WHERES];
        snprintf(played[i].name, sizeof played[i].name, "%s (%s)", played[i].scene->name, played[i].where->name);
        tests[i] = (struct CMUnitTest){ played[i].name, play, NULL, NULL, &played[i] };
    }
    const int failed = _cmocka_run_group_tests(group, tests, count * WHERES, NULL, NULL);
    free(played);
    free(tests);
    return failed;
}
