/* tests/http/orders_reads_test.c: orders as a client reads them: lists, words, what is echoed, events and exceptions. */
#include "company.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ID "\"channel_order_id\":\""

static void an_order_is_found_by_all_its_words(void **state)
{
    SCENE(company);
    static const struct {
        const char *q;
        size_t found;
    } cases[] = {
        { "m%C3%BCller", 6 },
        { "MULLER", 6 },
        { "anna", 4 },
        { "anna+m%C3%BCller", 3 },
        { "m%C3%BCller+anna", 3 },
        { "anna+m%C3%BCller+k%C3%B6ln", 3 },
        { "anna+m%C3%BCller+paris", 0 },
        { "Q-3", 1 },
        { "Q-3+m%C3%BCller", 1 },
        { "q+anna", 4 },
        { "!!!", 0 },
        { "", 0 },
        { "schmidt+q-7", 1 },
        { "schmidt+q-6", 0 },
        { "nobody", 0 },
        { "m%C3%BCll*", 6 },
        { "SCH*", 2 },
        { "a*+mu*", 3 },
        { "an*+b*+c*", 0 },
        { "schm*+q-7", 1 },
        { "nob*", 0 },
        { "*", 0 },
    };
    static const char *const names[] = { "Anna Müller", "Bernd Müller", "Anna Schmidt", "Anna Müller",
                                         "Carl Müller", "Dora Müller",  "Anna Müller",  "Eva Schmidt" };
    char id[40], list[200];
    for (int i = 0; i < 8; i++) {
        snprintf(id, sizeof id, "Q-%d", i);
        put_order(company, "web", id, names[i], "BULB", 1);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int limit = 1; limit <= 1000; limit *= 10) {
            snprintf(list, sizeof list, "/v1/orders?q=%s", cases[i].q);
            size_t found = items_of(company, list, limit, ID, NULL);
            if (found != cases[i].found)
                fail_msg("%s, pages of %d: %zu", cases[i].q, limit, found);
        }
    }
    assert_int_equal(items_of(company, "/v1/orders?q=anna+m%C3%BCller&channel=market", 2, ID, NULL), 0);
    assert_int_equal(items_of(company, "/v1/orders?q=anna+m%C3%BCller&stage=captured", 2, ID, NULL), 3);
    get(company, "/v1/orders?q=anna+m%%C3%%BCller&limit=1");
    text_of(company, "id", id, sizeof id);
    snprintf(list, sizeof list, "/v1/orders?q=%s", id);
    assert_int_equal(items_of(company, list, 2, ID, NULL), 1);
    says(company, id);
    snprintf(list, sizeof list, "/v1/orders?q=%s&stage=shipped", id);
    assert_int_equal(items_of(company, list, 2, ID, NULL), 0);
    assert_int_equal(items_of(company, "/v1/orders?q=ord_0000000000000", 2, ID, NULL), 0);
    must(company, 400, "GET", "/v1/orders?q=a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+q", NULL);
}

/* By who receives it now, and not by who would have; words that stand elsewhere in it too stay. */
static void an_edited_order_is_found_by_its_new_address(void **state)
{
    SCENE(company);
    char id[40], target[80];
    put_order(company, "web", "ED-1", "Zyla Quentin", "BULB", 1);
    text_of(company, "id", id, sizeof id);
    assert_int_equal(items_of(company, "/v1/orders?q=zyla+quentin", 10, ID, NULL), 1);
    snprintf(target, sizeof target, "/v1/orders/%s/edit", id);
    must(company, 200, "POST", target, "{\"ship_to\":{\"name\":\"Xaver Odd\",\"city\":\"Ypern\",\"country\":\"BE\"}}");
    assert_int_equal(items_of(company, "/v1/orders?q=xaver+ypern+zyla", 10, ID, NULL), 1); /* the customer is who it was */
    must(company, 200, "POST", target, "{\"ship_to\":{\"name\":\"Zyla Odd\",\"city\":\"Gent\",\"country\":\"BE\"}}");
    assert_int_equal(items_of(company, "/v1/orders?q=gent+odd+zyla", 10, ID, NULL), 1);
    assert_int_equal(items_of(company, "/v1/orders?q=xaver", 10, ID, NULL), 0);
    assert_int_equal(items_of(company, "/v1/orders?q=ypern", 10, ID, NULL), 0);
    assert_int_equal(items_of(company, "/v1/orders?q=ED-1", 10, ID, NULL), 1);
}

/* Also where the rows of a page are fewer than were looked at. */
/* What stands for very many words would have to lay together as many lists. */
static void a_beginning_that_says_too_little_is_refused(void **state)
{
    SCENE(company);
    char id[40], name[40];
    for (int i = 0; i < 51; i++) {
        snprintf(id, sizeof id, "ZZ-%d", i);
        snprintf(name, sizeof name, "zyz%c%c", 'a' + i / 10, 'a' + i % 10);
        put_order(company, "web", id, name, "BULB", 1);
    }
    must(company, 400, "GET", "/v1/orders?q=zy*", NULL);
    says(company, "more than 50 words begin with zy: write more of it");
    assert_int_equal(items_of(company, "/v1/orders?q=zyza*", 3, ID, NULL), 10);
    put_order(company, "web", "ZZ-51", "zyzfb", "BULB", 1);
    assert_int_equal(items_of(company, "/v1/orders?q=zyzf*", 3, ID, NULL), 2);
}

static void each_order_is_listed_once(void **state)
{
    SCENE(company);
    static const char *const lists[] = { "/v1/orders",
                                         "/v1/orders?channel=web",
                                         "/v1/orders?channel=market",
                                         "/v1/orders?stage=captured",
                                         "/v1/orders?stage=captured&channel=market",
                                         "/v1/orders?hold=fraud",
                                         "/v1/orders?hold=fraud&channel=market" };
    char id[40], target[100];
    for (int i = 0; i < 9; i++) {
        snprintf(id, sizeof id, "L-%d", i);
        put_order(company, i % 3 == 0 ? "market" : "web", id, "Zoe Lister", "SHADE", 1);
        text_of(company, "id", id, sizeof id);
        snprintf(target, sizeof target, "/v1/orders/%s/holds", id);
        if (i % 2 == 0)
            must(company, 200, "POST", target, "{\"kind\":\"fraud\",\"reason\":\"looks odd\"}");
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        size_t whole = items_of(company, lists[i], 1000, ID, NULL);
        for (int limit = 1; limit <= 4; limit++)
            if (items_of(company, lists[i], limit, ID, NULL) != whole)
                fail_msg("%s by %d is not %zu", lists[i], limit, whole);
    }
    assert_int_equal(items_of(company, "/v1/orders?hold=fraud&channel=market", 1, ID, NULL), 2);
    assert_int_equal(items_of(company, "/v1/orders?q=zoe", 2, ID, NULL), 9);
    must(company, 400, "GET", "/v1/orders?cursor=ord_1", NULL);
    must(company, 400, "GET", "/v1/orders?channel=none", NULL);
    must(company, 400, "GET", "/v1/orders?stage=sleeping", NULL);
}

static void an_order_comes_back_as_it_was_sent(void **state)
{
    SCENE(company);
    char id[40], target[80];
    must(
        company, 201, "POST", "/v1/orders",
        "{\"channel\":\"web\",\"channel_order_id\":\"E-1\",\"placed_at\":\"2026-11-24T08:00:00.25Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"Ann\",\"email\":\"a@b.example\"},"
        "\"ship_to\":{\"name\":\"Ann\",\"street\":\"Am Dom 1\",\"country\":\"DE\"},\"bill_to\":{\"name\":\"Bob\",\"country\":\"FR\"},\"prices_include_tax\":true,"
        "\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"},\"discount\":{\"amount\":\"1.00\",\"currency\":\"EUR\"},"
        "\"tax\":{\"amount\":\"3.03\",\"currency\":\"EUR\"}}],\"shipping\":{\"service\":\"std\",\"price\":{\"amount\":\"4.90\",\"currency\":\"EUR\"},"
        "\"promise_by\":\"2026-11-27T12:00:00Z\"},\"payment\":{\"term\":\"authorised\",\"status\":\"authorised\",\"method\":\"card\","
        "\"amount\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},\"reference\":\"pi_77\"},\"on_shortage\":\"partial\",\"tags\":[\"gift\",\"vip\"]}");
    text_of(company, "id", id, sizeof id);
    snprintf(target, sizeof target, "/v1/orders/%s", id);
    static const char *const parts[] = {
        "\"placed_at\":\"2026-11-24T08:00:00.250Z\"",
        "\"email\":\"a@b.example\"",
        "\"street\":\"Am Dom 1\"",
        "\"bill_to\":{\"name\":\"Bob\",\"country\":\"FR\"}",
        "\"prices_include_tax\":true",
        "\"discount\":{\"amount\":\"1.00\",\"currency\":\"EUR\"},\"tax\":{\"amount\":\"3.03\",\"currency\":\"EUR\"}",
        "\"shipping\":{\"service\":\"std\",\"price\":{\"amount\":\"4.90\",\"currency\":\"EUR\"},\"promise_by\":\"2026-11-27T12:00:00Z\"}",
        "\"payment\":{\"term\":\"authorised\",\"status\":\"authorised\",\"method\":\"card\",\"amount\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},\"reference\":\"pi_77\"}",
        "\"on_shortage\":\"partial\"",
        "\"tags\":[\"gift\",\"vip\"]",
        "\"total\":{\"amount\":\"23.90\",\"currency\":\"EUR\"}",
        "\"fulfilments\":[]",
    };
    for (int round = 0; round < 2; round++, get(company, "%s", target))
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
            says(company, parts[i]);
    says(company, "\"backordered\":2,\"cancelled\":0,\"oversold\":0,\"promised_at\":null");
    receive(company, "LEJ", "LAMP", 2);
    get(company, "%s", target);
    says(company, "\"backordered\":0,\"cancelled\":0,\"oversold\":0,\"promised_at\":\"2026-11-27T12:00:00Z\"");
    put_order(company, "web", "E-2", "Ann", "LAMP", 1);
    says(company, "\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\"}");
    says(company, "\"on_shortage\":\"backorder\"");
}

/* Nothing is a price too, and no shipping is none. */
static void shipping_that_costs_nothing_comes_back(void **state)
{
    SCENE(company);
    static const struct {
        const char *id, *sent, *told;
    } cases[] = {
        { "S-1", "\"shipping\":{\"price\":{\"amount\":\"0.00\",\"currency\":\"EUR\"}},",
          "\"shipping\":{\"price\":{\"amount\":\"0.00\",\"currency\":\"EUR\"}}" },
        { "S-2", "", "\"prices_include_tax\":false,\"lines\":[" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        must(
            company, 201, "POST", "/v1/orders",
            "{\"channel\":\"web\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"Ann\"},"
            "\"ship_to\":{\"name\":\"Ann\",\"country\":\"DE\"},%s\"payment\":{\"term\":\"none\",\"status\":\"pending\"},"
            "\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}]}",
            cases[i].id, cases[i].sent);
        says(company, cases[i].told);
        assert_int_equal(times(company, "\"shipping\""), cases[i].sent[0] != '\0');
    }
}

static void exceptions_say_what_is_to_be_done(void **state)
{
    SCENE(company);
    char exception[40], order[40], target[400];
    must(company, 201, "PUT", "/v1/skus/BED", "{\"name\":\"Bed\"}");
    put_order(company, "market", "X-1", "Ann", "BED", 2); /* sold already: two too many */
    text_of(company, "id", order, sizeof order);
    get(company, "/v1/exceptions?type=oversell&state=open&limit=1000");
    snprintf(
        target, sizeof target,
        "\"order\":\"%s\",\"transfer\":null,\"supply\":null,\"node\":null,\"sku\":null,\"quantity\":2,\"money_at_risk\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},"
        "\"promises_at_risk\":1,\"repeats\":1,\"opened_at\":\"20",
        order);
    says(company, target);
    says(company, "\"type\":\"oversell\",\"team\":\"customer_service\",\"state\":\"open\"");
    says_not(company, "\"shortage\"");
    receive(company, "LEJ", "BED", 2); /* the cause is gone */
    get(company, "/v1/exceptions?type=oversell&state=open&limit=1000");
    says_not(company, order);
    get(company, "/v1/exceptions?type=oversell&state=closed&limit=1000");
    says(company, order);
    says(company, "\"closed_at\":\"20");
    must(company, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"BED\",\"set\":1,\"reason\":\"count\"}");
    says(company, "\"broken\":[{\"kind\":\"order\"");
    get(company, "/v1/exceptions?type=oversell&state=open"); /* what it sold is sold: this time it was our books */
    says(company, "\"sku\":\"BED\",\"quantity\":1,");
    says(company, "\"detail\":\"count_error\"");
    text_of(company, "id", exception, sizeof exception);
    get(company, "/v1/exceptions/%s", exception);
    says(company, "\"type\":\"oversell\"");
    must(company, 404, "GET", "/v1/exceptions/exc_00000000000ZZ", NULL);
    must(company, 404, "GET", "/v1/exceptions/7", NULL);
    must(company, 400, "GET", "/v1/exceptions?type=flood", NULL);
    must(company, 400, "GET", "/v1/exceptions?cursor=7", NULL);
    static const char *const lists[] = { "/v1/exceptions", "/v1/exceptions?state=open", "/v1/exceptions?state=closed", "/v1/exceptions?type=shortage",
                                         "/v1/exceptions?type=shortage&state=open" };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        size_t whole = items_of(company, lists[i], 1000, "\"opened_at\"", NULL);
        assert_true(whole > 0);
        for (int limit = 1; limit <= 3; limit++)
            assert_int_equal(items_of(company, lists[i], limit, "\"opened_at\"", NULL), whole);
    }
}

static void events_of_an_order_say_what_others_may_know(void **state)
{
    SCENE(company);
    char order[40], fulfilment[40], part[200];
    must(company, 201, "PUT", "/v1/skus/DESK", "{\"name\":\"Desk\"}");
    receive(company, "LEJ", "DESK", 2);
    must(
        company, 201, "POST", "/v1/orders",
        "{\"channel\":\"web\",\"channel_order_id\":\"EV-1\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"Ann\"},"
        "\"ship_to\":{\"name\":\"Ann\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"DESK\",\"quantity\":1,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],"
        "\"payment\":{\"term\":\"none\",\"status\":\"pending\"}}");
    text_of(company, "id", order, sizeof order);
    snprintf(fulfilment, sizeof fulfilment, "%.*s", (int)strcspn(strstr(company->client.body, "ful_"), "\""), strstr(company->client.body, "ful_"));
    get(company, "/v1/events?unit=DE&type=order.released&limit=1000");
    snprintf(part, sizeof part, "\"stage\":\"released\",\"version\":3,\"fulfilments\":[{\"id\":\"%s\",\"state\":\"released\"}]", fulfilment);
    says(company, part);
    says_not(company, "demands");
    get(company, "/v1/events?unit=DE&type=order.created&limit=1000");
    says_not(company, "demands");
    says_not(company, "[[");
    says_not(company, "given_up");
}

static void stream_is_refused(struct company *company, const char *headers, const char *target)
{
    company->client.headers = headers;
    int status = client_call(&company->client, "GET", target, NULL, NULL);
    company->client.headers = NULL;
    assert_int_equal(status, 400);
    says(company, "malformed_query");
}

static void a_stream_has_no_limit(void **state)
{
    SCENE(company);
    stream_is_refused(company, "Accept: text/event-stream\r\n", "/v1/events?unit=DE&limit=3");
}

/* Who asked for the events of one unit must not be given another's. */
static void a_stream_goes_on_in_the_unit_that_is_asked_for(void **state)
{
    SCENE(company);
    stream_is_refused(company, "Accept: text/event-stream\r\nLast-Event-ID: company:1\r\n", "/v1/events?unit=DE");
}

/* What the next release brings is refused by its name, never done for real. */
static void what_is_not_there_yet_is_refused(void **state)
{
    SCENE(company);
    static const char order[] =
        "{\"channel\":\"%s\",\"channel_order_id\":\"DRY-1\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"Dry\"},"
        "\"ship_to\":{\"name\":\"Dry\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s\",\"quantity\":1,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],"
        "\"payment\":{\"term\":\"none\",\"status\":\"pending\"}%s}%s";
    get(company, "/openapi.json");
    says(company, "/v1/orders/{id}/edit");
    must(company, 422, "POST", "/v1/orders", order, "none", "NOPE", "", ""); /* every fault at once */
    says(company, "\"pointer\":\"/channel\",\"code\":\"channel_unknown\"");
    says(company, "\"pointer\":\"/lines/0/sku\",\"code\":\"sku_unknown\"");
}

/* ---- what the server tells of itself ---- */

static const struct company *asked;
static atomic_bool enough;

static void *ask_metrics(void *context)
{
    static struct client client;
    int64_t asks = 0;
    client_open(&client, asked->server.port, asked->site.key);
    for (bool ends = false; !ends; asks++) {
        ends = atomic_load(&enough);
        if (client_call(&client, "GET", "/metrics", NULL, NULL) != 200)
            break;
    }
    client_close(&client);
    *(int64_t *)context = asks;
    return NULL;
}

struct asker {
    const struct company *company;
    int number;
    char missed[400]; /* "": nothing */
};

/* Takes an order, reads it, changes it, reads it: with others beside it, so that a batch is on its way at any time. */
static void *take_and_read(void *context)
{
    enum { ORDERS = 40 };
    struct asker *asker = context;
    struct client *client = malloc(sizeof *client);
    char body[600], target[60], holds[80], id[40];
    if (client == NULL)
        return NULL;
    client_open(client, asker->company->server.port, asker->company->site.key);
    for (int i = 0; i < ORDERS && asker->missed[0] == '\0'; i++) {
        snprintf(body, sizeof body,
                 "{\"channel\":\"web\",\"channel_order_id\":\"TR-%d-%d\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":"
                 "{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"BULB\",\"quantity\":1,\"unit_price\":"
                 "{\"amount\":\"1\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\"}}",
                 asker->number, i);
        int taken = client_call(client, "POST", "/v1/orders", NULL, body);
        text_after(client->body, "id", id, sizeof id);
        snprintf(target, sizeof target, "/v1/orders/%s", id);
        int read = client_call(client, "GET", target, NULL, NULL);
        snprintf(holds, sizeof holds, "%s/holds", target);
        int held = client_call(client, "POST", holds, NULL, "{\"kind\":\"manual\",\"reason\":\"look\"}");
        int again = client_call(client, "GET", target, NULL, NULL);
        if (taken != 201 || read != 200 || held >= 300 || again != 200 || strstr(client->body, "\"reason\":\"look\"") == NULL)
            snprintf(asker->missed, sizeof asker->missed, "order %d: %d %d %d %d %.300s", i, taken, read, held, again, client->body);
    }
    client_close(client);
    free(client);
    return NULL;
}

/* Who was answered finds what he was told of, however many others are at it. */
static void what_was_answered_is_read(void **state)
{
    SCENE(company);
    enum { ASKERS = 6 };
    pthread_t threads[ASKERS];
    struct asker askers[ASKERS];
    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){ .company = company, .number = i };
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_read, &askers[i]), 0);
    }
    for (int i = 0; i < ASKERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < ASKERS; i++)
        assert_string_equal(askers[i].missed, "");
}

/* Counts are told while the writers count: what is answered is counted. Under TSan nobody reads what another thread writes. */
static void counts_are_told_while_orders_come(void **state)
{
    SCENE(company);
    pthread_t thread;
    int64_t asks = 0;
    asked = company;
    atomic_store(&enough, false);
    assert_int_equal(pthread_create(&thread, NULL, ask_metrics, &asks), 0);
    for (int i = 0; i < 40; i++)
        receive(company, "HAM", "BULB", 1);
    must(company, 201, "PUT", "/v1/units/MX", "{\"name\":\"M\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}");
    atomic_store(&enough, true);
    pthread_join(thread, NULL);
    assert_true(asks > 1);
    get(company, "/metrics");
    const char *commands = strstr(company->client.body, "\nmillrace_engine_commands_total ");
    assert_non_null(commands);
    assert_true(strtoll(commands + strlen("\nmillrace_engine_commands_total "), NULL, 10) >= 41);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_stream_has_no_limit),
        ON_BOTH(a_stream_goes_on_in_the_unit_that_is_asked_for),
        ON_BOTH(what_is_not_there_yet_is_refused),
        ON_BOTH(an_edited_order_is_found_by_its_new_address),
        ON_BOTH(an_order_is_found_by_all_its_words),
        ON_BOTH(a_beginning_that_says_too_little_is_refused),
        ON_BOTH(each_order_is_listed_once),
        ON_BOTH(an_order_comes_back_as_it_was_sent),
        ON_BOTH(shipping_that_costs_nothing_comes_back),
        ON_BOTH(exceptions_say_what_is_to_be_done),
        ON_BOTH(events_of_an_order_say_what_others_may_know),
        ON_BOTH(what_was_answered_is_read),
        ON_BOTH(counts_are_told_while_orders_come), /* the last: it makes a second unit */
    };
    return cmocka_run_group_tests(tests, NULL, close_companies);
}
