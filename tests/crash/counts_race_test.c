/* tests/crash/counts_race_test.c: 50 clients at once: goods come in, orders take them, and counters tell of sheets that were opened before, all of
 * which miss the same units. However the news overtake each other, those units are taken out once, no order's claim is lost, and `millrace check`
 * finds nothing. One server on SQLite, two on one PostgreSQL database. */
#include "crash/client.h"
#include "crash/site.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNTERS 20
#define RECEIVERS 15
#define BUYERS 15
#define CLIENTS (COUNTERS + RECEIVERS + BUYERS)
#define TIMES 20
#define STOCK 500
#define MISSING 7

struct person {
    pthread_t thread;
    struct client client;
    int number;
    char sheet[40];
    long expected; /* of the sheet */
    size_t wrong;
    char said[300];
};
static struct person people[CLIENTS];
static pthread_barrier_t gate;

static void call(struct person *person, int status, const char *target, const char *format, ...) __attribute__((format(printf, 4, 5)));
static void call(struct person *person, int status, const char *target, const char *format, ...)
{
    char body[700];
    va_list args;
    va_start(args, format);
    vsnprintf(body, sizeof body, format, args);
    va_end(args);
    if (client_call(&person->client, "POST", target, NULL, body) == status)
        return;
    person->wrong++;
    snprintf(person->said, sizeof person->said, "%s: %d %.220s", target, person->client.status, person->client.body);
}

static void count(struct person *person)
{
    char target[80];
    snprintf(target, sizeof target, "/v1/counts/%s/lines", person->sheet);
    for (int i = 0; i < 2; i++) {
        call(person, 200, target, "{\"counter\":\"%c\",\"lines\":[{\"sku\":\"LAMP\",\"counted\":%ld}]}", 'a' + i, person->expected - MISSING);
        if (strstr(person->client.body, "\"state\":\"booked\"") != NULL)
            return;
    }
    person->wrong++;
    snprintf(person->said, sizeof person->said, "not booked: %.250s", person->client.body);
}

static void *work(void *context)
{
    struct person *person = context;
    pthread_barrier_wait(&gate);
    for (int i = 0; person->number >= COUNTERS && i < TIMES; i++)
        if (person->number < COUNTERS + RECEIVERS)
            call(person, 201, "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":1,\"reason\":\"receipt\"}");
        else
            call(person, 201, "/v1/orders",
                 "{\"channel\":\"web\",\"channel_order_id\":\"O-%d-%d\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                 "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1,"
                 "\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\"}}",
                 person->number, i);
    if (person->number < COUNTERS)
        count(person);
    client_close(&person->client);
    return NULL;
}

static void furnish(struct client *client)
{
    static const char *const masters[][2] = {
        { "/v1/units/DE", "{\"name\":\"Germany\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}" },
        { "/v1/nodes/LEJ", "{\"unit\":\"DE\",\"name\":\"L\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"04103\",\"priority\":1}" },
        { "/v1/skus/LAMP", "{\"name\":\"Lamp\"}" },
        { "/v1/channels/web", "{\"unit\":\"DE\",\"name\":\"Web\",\"kind\":\"store\",\"priority\":2,\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\"}" },
    };
    for (size_t i = 0; i < sizeof masters / sizeof masters[0]; i++)
        client_must(client, "PUT", masters[i][0], masters[i][1]);
    client_must(client, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":500,\"reason\":\"receipt\"}");
}

/* Each sheet sees another state: goods came between them. */
static void open_sheets(struct client *client)
{
    for (int i = 0; i < COUNTERS; i++) {
        client_must(client, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":1,\"reason\":\"receipt\"}");
        client_must(client, "POST", "/v1/counts", "{\"node\":\"LEJ\",\"skus\":[\"LAMP\"],\"blind\":false}");
        text_after(client->body, "id", people[i].sheet, sizeof people[i].sheet);
        people[i].expected = (long)number_after(client->body, "expected");
    }
}

static void all_is_counted_once(struct client *client)
{
    const long want = STOCK + COUNTERS + (long)RECEIVERS * TIMES - MISSING;
    if (client_call(client, "GET", "/v1/inventory?sku=LAMP&node=LEJ", NULL, NULL) != 200 || number_after(client->body, "on_hand") != want ||
        number_after(client->body, "reserved") != (long)BUYERS * TIMES)
        fail_msg("want %ld on hand, %d reserved: %s", want, BUYERS * TIMES, client->body);
    if (client_call(client, "GET", "/v1/counts?state=open", NULL, NULL) != 200 || strstr(client->body, "\"items\":[]") == NULL)
        fail_msg("a sheet is open: %s", client->body);
}

static void race(const char *postgres, int server_count)
{
    struct site site;
    struct server servers[2] = { { 0 }, { 0 } };
    static struct client client;
    site_make(&site, NULL, postgres);
    for (int i = 0; i < server_count; i++)
        server_start(&servers[i], &site);
    client_open(&client, servers[0].port, site.key);
    furnish(&client);
    open_sheets(&client);
    pthread_barrier_init(&gate, NULL, CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
        people[i].number = i;
        people[i].wrong = 0;
        client_open(&people[i].client, servers[i % server_count].port, site.key);
    }
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&people[i].thread, NULL, work, &people[i]), 0);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(people[i].thread, NULL);
    pthread_barrier_destroy(&gate);
    for (int i = 0; i < CLIENTS; i++)
        if (people[i].wrong > 0)
            fail_msg("%zu answers to client %d that nobody expects, such as %s", people[i].wrong, i, people[i].said);
    all_is_counted_once(&client);
    client_close(&client);
    for (int i = 0; i < server_count; i++)
        server_stop(&servers[i]);
    int code = site_check(&site);
    site_delete(&site);
    assert_int_equal(code, 0);
}

static void a_loss_is_booked_once_on_sqlite(void **state)
{
    race(NULL, 1);
}

static void a_loss_is_booked_once_by_two_servers_on_postgresql(void **state)
{
    const char *postgres = site_postgres();
    if (postgres == NULL)
        skip();
    race(postgres, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loss_is_booked_once_on_sqlite),
        cmocka_unit_test(a_loss_is_booked_once_by_two_servers_on_postgresql),
    };
    return cmocka_run_group_tests_name("counts race", tests, NULL, NULL);
}
