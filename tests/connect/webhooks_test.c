/* tests/connect/webhooks_test.c: receivers of webhooks, good and bad ones, on the real server and both stores. The binary waits a fiftieth of
 * the time between attempts. */
#include "connect/receiver.h"
#include "connect/sign.h"
#include "http/company.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define PATIENCE_MS 30000 /* a lease is held for 15 s */
#define STOCK "[\"stock.adjusted\",\"position.changed\"]"

static struct receiver *receiver;

/* Waits for what is true sooner or later. */
#define EVENTUALLY(condition, ...)                                                      \
    do {                                                                                \
        for (int64_t until = now_ms() + PATIENCE_MS; !(condition) && now_ms() < until;) \
            usleep(10000);                                                              \
        if (!(condition))                                                               \
            fail_msg(__VA_ARGS__);                                                      \
    } while (0)

/* Its secret. */
static const char *webhook(struct company *company, const char *code, const char *path, const char *more)
{
    static char secret[128];
    char target[100];
    snprintf(target, sizeof target, "/v1/webhooks/%s", code);
    must(company, 201, "PUT", target, "{\"url\":\"http://127.0.0.1:%d%s\"%s}", receiver_port(receiver), path, more);
    text_of(company, "secret", secret, sizeof secret);
    assert_memory_equal(secret, "whsec_", 6);
    return secret;
}

static void rest(struct company *company, const char *code)
{
    char target[100];
    snprintf(target, sizeof target, "/v1/webhooks/%s", code);
    must(company, 200, "PATCH", target, "{\"active\":false}");
}

/* The text of the event with this number, as the list has it. */
static void event_text(struct company *company, int64_t seq, char *out, size_t room)
{
    const char *body = get(company, "/v1/events?unit=DE&after=%ld&limit=1", (long)seq - 1);
    const char *from = strchr(body, '[') + 1, *to = strstr(from, "],\"next\"");
    snprintf(out, room, "%.*s", (int)(to - from), from);
}

static int64_t head(struct company *company)
{
    int64_t seq = 0;
    for (bool more = true; more;) {
        const char *body = get(company, "/v1/events?unit=DE&after=%ld&limit=1000", (long)seq);
        for (const char *at = body; (at = strstr(at, "{\"seq\":")) != NULL;)
            seq = strtol(at += 7, NULL, 10);
        more = strstr(body, "\"next\":null") == NULL;
    }
    return seq;
}

static bool is_signed(const struct received *received, const char *secret)
{
    struct arena *arena = arena_new((size_t)4 << 20);
    struct bytes key;
    assert_true(secret_read(arena, secret, &key));
    struct signed_message message = { .id = received->id,
                                      .timestamp_s = strtoll(received->timestamp, NULL, 10),
                                      .body = { (const uint8_t *)received->body, received->body_bytes } };
    bool good = strstr(received->signature, message_sign(arena, &message, &key, 1)) != NULL;
    arena_free(arena);
    return good;
}

static bool came(const char *path, size_t count)
{
    return receiver_count_of(receiver, path, true) >= count;
}

static int64_t figure(struct company *company, const char *code, const char *unit, const char *name)
{
    char place[100];
    const char *body = get(company, "/v1/webhooks/%s/subscriptions", code);
    snprintf(place, sizeof place, "\"unit\":\"%s\"", unit);
    const char *at = strstr(body, place);
    return at == NULL ? -1 : number_after(at, name);
}

/* ---- good ---- */

static void what_happens_is_sent_signed_and_as_the_list_has_it(void **state)
{
    SCENE(company);
    const char *secret = webhook(company, "good", "/ok", ",\"events\":" STOCK ",\"units\":[\"DE\"]");
    const size_t before = receiver_count(receiver);
    const int64_t from = head(company);
    for (int i = 1; i <= 20; i++)
        receive(company, i % 2 == 0 ? "LEJ" : "HAM", "LAMP", i);
    const int64_t upto = head(company);
    EVENTUALLY(receiver_count(receiver) >= before + (size_t)(upto - from), "%zu of %ld came", receiver_count(receiver) - before, (long)(upto - from));
    for (size_t i = before; i < receiver_count(receiver); i++) {
        struct received received = receiver_at(receiver, i);
        char text[4000];
        event_text(company, number_after(received.body, "seq"), text, sizeof text);
        assert_string_equal(received.body, text);
        if (!is_signed(&received, secret))
            fail_msg("not signed with %s: %s %s %s", secret, received.id, received.signature, received.body);
    }
    EVENTUALLY(figure(company, "good", "DE", "seq") == upto && figure(company, "good", "DE", "waiting") == 0, "it is not noted: %s",
               company->client.body);
    get(company, "/v1/webhooks/good/deliveries?limit=3");
    says(company, "\"outcome\":\"delivered\"");
    says(company, "\"status\":200");
    assert_int_equal(items_of(company, "/v1/webhooks/good/deliveries", 7, "\"number\":", NULL), upto - from);
    rest(company, "good");
}

static void two_secrets_sign_while_one_is_replaced(void **state)
{
    SCENE(company);
    char old[128], new[128];
    snprintf(old, sizeof old, "%s", webhook(company, "turn", "/ok?turn", ",\"events\":[\"stock.adjusted\"]"));
    must(company, 200, "POST", "/v1/webhooks/turn/rotate", "{\"keep_s\":600}");
    text_of(company, "secret", new, sizeof new);
    assert_string_not_equal(old, new);
    get(company, "/v1/webhooks/turn");
    says_not(company, "whsec_");
    get(company, "/v1/events?unit=company&limit=1000");
    says_not(company, "whsec_");
    sleep(2); /* the sender looks once a second where nothing happens */
    const size_t before = receiver_count(receiver);
    receive(company, "LEJ", "BULB", 1);
    EVENTUALLY(receiver_count(receiver) > before, "nothing came");
    struct received received = receiver_at(receiver, before);
    assert_true(is_signed(&received, old) && is_signed(&received, new));
    must(company, 200, "POST", "/v1/webhooks/turn/rotate", "{\"keep_s\":0}");
    sleep(2);
    receive(company, "LEJ", "BULB", 1);
    EVENTUALLY(receiver_count(receiver) > before + 1, "nothing came");
    received = receiver_at(receiver, before + 1);
    assert_true(is_signed(&received, old) && !is_signed(&received, new)); /* the second ended at once, the first not yet */
    rest(company, "turn");
}

static void a_test_and_events_once_more(void **state)
{
    SCENE(company);
    webhook(company, "more", "/ok?more", ",\"events\":[\"order.delivered\"]");
    size_t before = receiver_count(receiver);
    must(company, 200, "POST", "/v1/webhooks/more/test", "{}");
    EVENTUALLY(receiver_count(receiver) > before, "no test came");
    struct received received = receiver_at(receiver, before);
    assert_non_null(strstr(received.body, "\"what\":\"test\""));
    before = receiver_count(receiver);
    must(company, 200, "POST", "/v1/webhooks/more/replay", "{\"event\":2}");
    EVENTUALLY(receiver_count(receiver) > before, "no event came");
    assert_int_equal(number_after(receiver_at(receiver, before).body, "seq"), 2);
    must(company, 422, "POST", "/v1/webhooks/more/replay", "{\"event\":100000000}");
    must(company, 422, "POST", "/v1/webhooks/more/replay", "{}");
    must(company, 200, "PATCH", "/v1/webhooks/more", "{\"events\":[\"stock.*\"]}");
    before = receiver_count(receiver);
    must(company, 200, "POST", "/v1/webhooks/more/replay", "{\"from\":1}");
    get(company, "/v1/events?unit=DE&type=stock.adjusted&limit=1000");
    const size_t wanted = times(company, "\"type\":\"stock.adjusted\"");
    EVENTUALLY(receiver_count(receiver) >= before + wanted, "%zu of %zu came once more", receiver_count(receiver) - before, wanted);
    rest(company, "more");
    must(company, 409, "POST", "/v1/webhooks/more/test", "{}");
}

/* ---- bad ---- */

static void bad_receivers_do_not_delay_a_good_one(void **state)
{
    static const char *const bad[] = { "/hang", "/close", "/slow", "/headers", "/redirect", "/garbage" };
    SCENE(company);
    char code[20];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(code, sizeof code, "bad%zu", i);
        webhook(company, code, bad[i], ",\"events\":" STOCK);
    }
    webhook(company, "beside", "/ok?beside", ",\"events\":" STOCK);
    const size_t before = receiver_count_of(receiver, "/ok", true);
    const int64_t began = now_ms();
    for (int i = 0; i < 10; i++)
        receive(company, "LEJ", "SHADE", 1);
    EVENTUALLY(came("/ok", before + 20), "%zu of 20 came", receiver_count_of(receiver, "/ok", true) - before);
    assert_true(now_ms() - began < 5000);
    EVENTUALLY(receiver_count_of(receiver, "/redirect", false) > 3, "no further attempts");
    assert_int_equal(receiver_count_of(receiver, "/redirected", false), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(code, sizeof code, "bad%zu", i);
        EVENTUALLY(figure(company, code, "DE", "failing") >= 3, "%s is well", bad[i]);
        get(company, "/v1/webhooks/%s/deliveries", code);
        says(company, "\"outcome\":\"failed\"");
        says_not(company, "\"outcome\":\"delivered\"");
    }
    get(company, "/v1/exceptions?type=webhook_failing&state=open");
    assert_int_equal(times(company, "\"type\":\"webhook_failing\""), sizeof bad / sizeof *bad);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(code, sizeof code, "bad%zu", i);
        rest(company, code);
    }
    rest(company, "beside");
    get(company, "/v1/exceptions?type=webhook_failing&state=open");
    says(company, "\"items\":[]"); /* they are gone */
}

static void an_endless_answer_is_taken_for_its_status(void **state)
{
    SCENE(company);
    webhook(company, "flood", "/flood", ",\"events\":[\"stock.adjusted\"]");
    const size_t before = receiver_count_of(receiver, "/flood", true);
    for (int i = 0; i < 3; i++)
        receive(company, "LEJ", "SHADE", 1);
    EVENTUALLY(figure(company, "flood", "DE", "attempts") >= 3, "no attempts");
    assert_int_equal(receiver_count_of(receiver, "/flood", true) - before, 3); /* none of them twice */
    rest(company, "flood");
}

static void one_that_is_down_gets_all_of_it_later(void **state)
{
    SCENE(company);
    receiver_down(receiver, true);
    webhook(company, "down", "/down", ",\"events\":[\"stock.adjusted\"]");
    const size_t before = receiver_count_of(receiver, "/down", true);
    for (int i = 0; i < 30; i++)
        receive(company, "HAM", "SHADE", 1);
    EVENTUALLY(figure(company, "down", "DE", "failing") >= 3, "it is well");
    get(company, "/v1/exceptions?type=webhook_failing&state=open");
    says(company, "down: answered 503");
    receiver_down(receiver, false);
    EVENTUALLY(came("/down", before + 30), "%zu of 30 came", receiver_count_of(receiver, "/down", true) - before);
    EVENTUALLY(figure(company, "down", "DE", "waiting") == 0 && figure(company, "down", "DE", "failing") == 0, "it waits: %s", company->client.body);
    get(company, "/v1/exceptions?type=webhook_failing&state=open");
    says(company, "\"items\":[]");
    assert_int_equal(receiver_count_of(receiver, "/down", true), before + 30); /* none of them twice */
    rest(company, "down");
}

static void what_one_order_has_keeps_its_order_and_others_go_on(void **state)
{
    SCENE(company);
    char poisoned[40], other[40];
    const size_t before = receiver_count(receiver); /* the other store's company has an order of this id, too */
    receive(company, "LEJ", "BULB", 50);
    webhook(company, "poison", "/poison", ",\"events\":[\"order.*\"]");
    put_order(company, "web", "P-1", "Ada", "BULB", 1);
    text_of(company, "id", poisoned, sizeof poisoned);
    receiver_poison(receiver, poisoned);
    put_order(company, "web", "P-2", "Ben", "BULB", 1);
    text_of(company, "id", other, sizeof other);
    char target[100];
    snprintf(target, sizeof target, "/v1/orders/%s/holds", poisoned);
    must(company, 200, "POST", target, "{\"kind\":\"fraud\",\"reason\":\"odd\"}");
    snprintf(target, sizeof target, "/v1/orders/%s/holds", other);
    must(company, 200, "POST", target, "{\"kind\":\"fraud\",\"reason\":\"odd\"}");
    EVENTUALLY(figure(company, "poison", "DE", "attempts") > 3, "no attempts");
    receiver_poison(receiver, "");
    EVENTUALLY(figure(company, "poison", "DE", "waiting") == 0 && figure(company, "poison", "DE", "behind") == 0, "it waits: %s",
               company->client.body);
    int64_t last = 0;
    size_t good = 0;
    for (size_t i = before; i < receiver_count(receiver); i++) {
        struct received received = receiver_at(receiver, i);
        if (strcmp(received.path, "/poison") != 0 || received.status != 200 || strstr(received.body, poisoned) == NULL)
            continue;
        assert_true(number_after(received.body, "seq") > last);
        last = number_after(received.body, "seq");
        good++;
    }
    assert_true(good >= 2);
    rest(company, "poison");
}

static void one_that_says_gone_is_sent_nothing_more(void **state)
{
    SCENE(company);
    webhook(company, "gone", "/gone", ",\"events\":[\"stock.adjusted\"]");
    receive(company, "LEJ", "SHADE", 1);
    EVENTUALLY(strstr(get(company, "/v1/webhooks/gone"), "\"disabled\":\"it answered 410 Gone\"") != NULL, "%s", company->client.body);
    get(company, "/v1/exceptions?type=webhook_failing&state=open");
    says(company, "gone: answered 410");
    const size_t before = receiver_count_of(receiver, "/gone", false);
    receive(company, "LEJ", "SHADE", 1);
    usleep(300000);
    assert_int_equal(receiver_count_of(receiver, "/gone", false), before);
    must(company, 200, "PUT", "/v1/webhooks/gone", "{\"url\":\"http://127.0.0.1:%d/ok\",\"events\":[\"stock.adjusted\"]}", receiver_port(receiver));
    says(company, "\"disabled\":null");
    EVENTUALLY(figure(company, "gone", "DE", "waiting") == 0, "it waits");
    get(company, "/v1/exceptions?type=webhook_failing&state=open");
    says(company, "\"items\":[]");
    rest(company, "gone");
}

/* ---- the process ends ---- */

static void a_kill_loses_no_event_and_no_order(void **state)
{
    SCENE(company);
    unsigned seed = 7;
    webhook(company, "kill", "/ok?kill", ",\"events\":[\"order.*\",\"stock.adjusted\"],\"units\":[\"DE\"]");
    const size_t before = receiver_count(receiver);
    const int64_t from = head(company);
    receive(company, "LEJ", "BULB", 100);
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < 10; i++) {
            char id[20], order[40], target[100];
            snprintf(id, sizeof id, "K-%d-%d", k, i);
            put_order(company, "web", id, "Ada", "BULB", 1);
            text_of(company, "id", order, sizeof order);
            snprintf(target, sizeof target, "/v1/orders/%s/holds", order);
            must(company, 200, "POST", target, "{\"kind\":\"fraud\",\"reason\":\"odd\"}");
        }
        usleep((useconds_t)(rand_r(&seed) % 400000));
        server_kill(&company->server);
        client_close(&company->client);
        server_start(&company->server, &company->site);
        client_open(&company->client, company->server.port, company->site.key);
    }
    const int64_t upto = head(company);
    EVENTUALLY(figure(company, "kill", "DE", "seq") == upto && figure(company, "kill", "DE", "waiting") == 0, "it is at %ld of %ld: %s",
               (long)figure(company, "kill", "DE", "seq"), (long)upto, company->client.body);
    int64_t seqs[4000];
    char orders[4000][40];
    size_t first = 0;
    for (size_t i = before; i < receiver_count(receiver) && first < 4000; i++) {
        struct received received = receiver_at(receiver, i);
        int64_t seq = number_after(received.body, "seq");
        bool again = false;
        for (size_t k = 0; k < first; k++)
            again = again || seqs[k] == seq;
        if (again)
            continue;
        const char *id = strstr(received.body, "\"id\":\"ord_");
        snprintf(orders[first], sizeof orders[first], "%.30s", id == NULL ? "" : id);
        for (size_t k = 0; k < first && id != NULL; k++)
            if (strcmp(orders[k], orders[first]) == 0 && seqs[k] > seq)
                fail_msg("event %ld of %s came after %ld", (long)seq, orders[first], (long)seqs[k]);
        seqs[first++] = seq;
    }
    size_t wanted = 0;
    for (int64_t seq = from + 1; seq <= upto; seq++) {
        char text[4000];
        event_text(company, seq, text, sizeof text);
        if (strstr(text, "\"type\":\"order.") == NULL && strstr(text, "\"type\":\"stock.adjusted") == NULL)
            continue;
        wanted++;
        bool is_there = false;
        for (size_t k = 0; k < first; k++)
            is_there = is_there || seqs[k] == seq;
        if (!is_there)
            fail_msg("event %ld did not come: %s", (long)seq, text);
    }
    assert_true(wanted >= 60);
    rest(company, "kill");
}

/* Which of several servers sends is theirs to settle: what one leaves another takes up, a lease later. */
static void another_server_takes_over(void **state)
{
    SCENE(company);
    struct server second = { 0 };
    server_start(&second, &company->site);
    webhook(company, "two", "/ok?two", ",\"events\":[\"stock.adjusted\"],\"units\":[\"DE\"]");
    size_t before = receiver_count(receiver);
    for (int i = 0; i < 10; i++)
        receive(company, "LEJ", "SHADE", 1);
    EVENTUALLY(receiver_count(receiver) >= before + 10, "%zu of 10 came", receiver_count(receiver) - before);
    usleep(500000);
    assert_int_equal(receiver_count(receiver), before + 10); /* none by both */
    server_kill(&company->server);
    client_close(&company->client);
    company->server = second;
    client_open(&company->client, second.port, company->site.key);
    before = receiver_count(receiver);
    receive(company, "LEJ", "SHADE", 1);
    EVENTUALLY(receiver_count(receiver) > before, "nobody took over");
    rest(company, "two");
}

static void it_is_asked_in_one_spelling_only(void **state)
{
    SCENE(company);
    must(company, 422, "PUT", "/v1/webhooks/odd", "{\"url\":\"http://127.1/\"}");
    says(company, "\"pointer\":\"/url\"");
    must(company, 422, "PUT", "/v1/webhooks/odd", "{\"url\":\"ftp://127.0.0.1/\",\"events\":[\"order.eaten\"],\"units\":[\"FR\"]}");
    says(company, "/url");
    says(company, "/events/0");
    says(company, "/units/0");
    must(company, 404, "GET", "/v1/webhooks/odd", "%s", "");
    must(company, 404, "POST", "/v1/webhooks/odd/test", "{}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(what_happens_is_sent_signed_and_as_the_list_has_it),
        ON_BOTH(two_secrets_sign_while_one_is_replaced),
        ON_BOTH(a_test_and_events_once_more),
        ON_BOTH(bad_receivers_do_not_delay_a_good_one),
        ON_BOTH(an_endless_answer_is_taken_for_its_status),
        ON_BOTH(one_that_is_down_gets_all_of_it_later),
        ON_BOTH(what_one_order_has_keeps_its_order_and_others_go_on),
        ON_BOTH(one_that_says_gone_is_sent_nothing_more),
        ON_BOTH(it_is_asked_in_one_spelling_only),
        ON_BOTH(a_kill_loses_no_event_and_no_order),
        { "another_server_takes_over on PostgreSQL", another_server_takes_over, on_postgres, NULL, NULL },
    };
    setenv("MILLRACE_BINARY", getenv("MILLRACE_HASTY_BINARY"), 1);
    setenv("MILLRACE_WEBHOOKS", "private", 1);
    receiver = receiver_start();
    int failed = cmocka_run_group_tests_name("webhooks", tests, NULL, close_companies);
    receiver_stop(receiver);
    return failed;
}
