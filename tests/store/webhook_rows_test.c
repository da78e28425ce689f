/* tests/store/webhook_rows_test.c: webhooks as rows and commands: what is kept of them, what a sender may report, and who may. What is sent is
 * tests/connect. */
#include "connect/connect.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DAY INT64_C(86400000000)

static struct reply put(struct shop *shop, int status, const char *code, const char *more)
{
    return shop_must(shop, status, "PUT", arena_printf(shop->arena, "/v1/webhooks/%s", code), "{\"url\":\"https://erp.example/in\"%s}", more);
}

static int64_t figure(struct shop *shop, const char *code, const char *unit, const char *name)
{
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/webhooks/%s/subscriptions", code), NULL).body;
    return number_in(body, arena_printf(shop->arena, "\"unit\":\"%s\"", unit), name);
}

static size_t open_exceptions(struct shop *shop)
{
    const char *body = shop_must(shop, 200, "GET", "/v1/exceptions?type=webhook_failing&state=open", NULL).body;
    size_t count = 0;
    while ((body = strstr(body, "\"webhook_failing\"")) != NULL)
        count++, body++;
    return count;
}

/* ---- what is kept ---- */

static void a_webhook_begins_with_what_happens_next(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    const char *made = put(shop, 201, "erp", ",\"events\":[\"stock.*\"],\"units\":[\"DE\"]").body;
    assert_non_null(strstr(made, "\"secret\":\"whsec_"));
    assert_int_equal(figure(shop, "erp", "DE", "behind"), 1); /* its own making is told in each unit */
    receive(shop, "LEJ", "LAMP", 5);
    assert_int_equal(figure(shop, "erp", "DE", "behind"), 3);
    const char *is = shop_must(shop, 200, "GET", "/v1/webhooks/erp", NULL).body;
    assert_null(strstr(is, "secret"));
    assert_null(strstr(put(shop, 200, "erp", ",\"events\":[\"stock.*\"],\"units\":[\"DE\"]").body, "secret"));
}

static void what_is_wrong_is_told_together(struct shop *shop)
{
    const char *body = shop_must(shop, 422, "PUT", "/v1/webhooks/erp",
                                 "{\"url\":\"http://10.0.0.1/\",\"events\":[\"order.eaten\",\"order.*\"],\"units\":[\"FR\",\"DE\"]}")
                           .body;
    assert_non_null(strstr(body, "\"pointer\":\"/url\""));
    assert_non_null(strstr(body, "\"pointer\":\"/events/0\""));
    assert_non_null(strstr(body, "\"pointer\":\"/units/0\""));
    assert_null(strstr(body, "/events/1"));
    assert_null(strstr(body, "/units/1"));
    shop_must(shop, 404, "PATCH", "/v1/webhooks/erp", "{\"active\":false}");
    shop_must(shop, 404, "POST", "/v1/webhooks/erp/rotate", "{}");
}

static void a_new_unit_is_followed_from_its_first_event(struct shop *shop)
{
    put(shop, 201, "all", "");
    put(shop, 201, "one", ",\"units\":[\"DE\"]");
    shop_must(shop, 201, "PUT", "/v1/units/AT", "{\"name\":\"A\",\"currency\":\"EUR\",\"country\":\"AT\",\"time_zone\":\"Europe/Vienna\"}");
    struct db_rows rows = shop_table(shop, shop->arena, &webhook_table);
    const int64_t all = ((const struct webhook_row *)db_row(&rows, 0))->id;
    assert_int_equal(shop_command(shop, &webhook_start, 2, &(struct webhook_start){ all }), COMMAND_ACCEPTED); /* the sender asks for it */
    assert_int_equal(shop_command(shop, &webhook_start, 2, &(struct webhook_start){ all }), COMMAND_ACCEPTED);
    assert_int_equal(figure(shop, "all", "AT", "seq"), 0);
    assert_int_equal(figure(shop, "one", "AT", "seq"), -1);
}

static void a_rotation_keeps_the_old_secret_for_a_time(struct shop *shop)
{
    char secrets[3][80];
    text_in(put(shop, 201, "erp", "").body, NULL, "secret", secrets[0], sizeof secrets[0]);
    const char *preview = shop_must(shop, 200, "POST", "/v1/webhooks/erp/rotate", "{\"keep_s\":60,\"dry_run\":true}").body;
    text_in(preview, NULL, "secret", secrets[1], sizeof secrets[1]);
    const char *done = shop_must(shop, 200, "POST", "/v1/webhooks/erp/rotate", "{\"keep_s\":60}").body;
    assert_string_equal(preview, done);
    assert_string_not_equal(secrets[0], secrets[1]);
    for (int i = 0; i < 8; i++)
        shop_must(shop, 200, "POST", "/v1/webhooks/erp/rotate", "{}");
    shop_must(shop, 409, "POST", "/v1/webhooks/erp/rotate", "{}");
    shop->now_us += 5 * DAY;
    text_in(shop_must(shop, 200, "POST", "/v1/webhooks/erp/rotate", "{}").body, NULL, "secret", secrets[2], sizeof secrets[2]);
    assert_string_not_equal(secrets[1], secrets[2]);
    assert_int_equal(shop_table(shop, shop->arena, &webhook_secret_table).count, 2); /* those of five days ago are gone */
}

/* ---- what a sender reports ---- */

static void a_report_moves_the_cursor_and_keeps_what_waits(struct shop *shop)
{
    put(shop, 201, "erp", "");
    for (int i = 0; i < 5; i++)
        receive(shop, "LEJ", "LAMP", 1);
    const int64_t from = figure(shop, "erp", "DE", "seq") + 1;
    assert_int_equal(shop_report(shop, 1, "erp", from, from + 1, true), COMMAND_ACCEPTED);
    assert_int_equal(shop_report(shop, 1, "erp", from + 2, from + 3, false), COMMAND_ACCEPTED);
    assert_int_equal(figure(shop, "erp", "DE", "seq"), from + 3);
    assert_int_equal(figure(shop, "erp", "DE", "waiting"), 2);
    assert_int_equal(figure(shop, "erp", "DE", "failing"), 2);
    assert_int_equal(open_exceptions(shop), 0);
    assert_int_equal(shop_report(shop, 1, "erp", from + 2, from + 2, false), COMMAND_ACCEPTED);
    assert_int_equal(open_exceptions(shop), 1); /* the third in a row */
    assert_int_equal(shop_report(shop, 1, "erp", from + 2, from + 2, false), COMMAND_ACCEPTED);
    const char *repeated = shop_must(shop, 200, "GET", "/v1/exceptions?type=webhook_failing&state=open", NULL).body;
    assert_int_equal(number_in(repeated, NULL, "repeats"), 2);
    assert_non_null(strstr(repeated, "erp: answered 503"));
    assert_int_equal(shop_report(shop, 1, "erp", from + 2, from + 3, true), COMMAND_ACCEPTED);
    assert_int_equal(figure(shop, "erp", "DE", "waiting"), 0);
    assert_int_equal(figure(shop, "erp", "DE", "failing"), 0);
    assert_int_equal(open_exceptions(shop), 0); /* its cause is gone */
    const char *log = shop_must(shop, 200, "GET", "/v1/webhooks/erp/deliveries?limit=3", NULL).body;
    assert_int_equal(number_in(log, NULL, "number"), 8);
    assert_int_equal(number_in(log, "\"number\":7", "attempt"), 4);
    assert_int_equal(number_in(log, "\"number\":6", "status"), 503);
}

static void a_change_gives_it_another_chance(struct shop *shop)
{
    put(shop, 201, "erp", "");
    receive(shop, "LEJ", "LAMP", 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(shop_report(shop, 1, "erp", 1, 1, false), COMMAND_ACCEPTED);
    assert_int_equal(open_exceptions(shop), 1);
    shop_must(shop, 200, "PATCH", "/v1/webhooks/erp", "{\"active\":false}");
    assert_int_equal(open_exceptions(shop), 0);
    assert_int_equal(figure(shop, "erp", "DE", "waiting"), 1); /* nothing is forgotten */
    shop_must(shop, 409, "POST", "/v1/webhooks/erp/test", "{}");
}

static struct webhook_report report_of(struct shop *shop, int64_t holder, int64_t term, int64_t epoch)
{
    struct db_rows rows = shop_table(shop, shop->arena, &webhook_table);
    return (struct webhook_report){ .claim = { .role = LEASE_WEBHOOKS, .holder = holder, .term = term },
                                    .webhook = ((const struct webhook_row *)db_row(&rows, 0))->id,
                                    .epoch = epoch,
                                    .code = "erp",
                                    .seq = 1 };
}

static enum command_state take(struct shop *shop, int64_t holder)
{
    return shop_command(shop, &lease_take, 1, &(struct lease_claim){ .role = LEASE_WEBHOOKS, .holder = holder });
}

static void only_the_last_attempts_are_kept(struct shop *shop)
{
    put(shop, 201, "erp", "");
    assert_int_equal(take(shop, 5), COMMAND_ACCEPTED);
    struct webhook_report report = report_of(shop, 5, 1, 1);
    struct webhook_sent sent[WEBHOOK_REPORT_MAX];
    for (size_t i = 0; i < COUNT(sent); i++)
        sent[i] = (struct webhook_sent){ .seq = 1, .outcome = SENT_DELIVERED, .at = shop->now_us, .status = 204 };
    report.sent = sent;
    report.count = COUNT(sent);
    for (int i = 0; i < 5; i++)
        assert_int_equal(shop_command(shop, &webhook_report, 1, &report), COMMAND_ACCEPTED);
    assert_int_equal(shop_table(shop, shop->arena, &webhook_attempt_table).count, WEBHOOK_LOG);
    size_t seen = 0;
    char cursor[40] = "";
    do {
        const char *target = arena_printf(shop->arena, "/v1/webhooks/erp/deliveries?limit=300%s%s", seen == 0 ? "" : "&cursor=", cursor);
        const char *body = shop_must(shop, 200, "GET", target, NULL).body;
        for (const char *at = body; (at = strstr(at, "\"number\":")) != NULL; at++)
            assert_int_equal(strtol(at + 9, NULL, 10), 5L * WEBHOOK_REPORT_MAX - (long)seen++);
        text_in(body, NULL, "next", cursor, sizeof cursor);
    } while (cursor[0] != '\0');
    assert_int_equal(seen, WEBHOOK_LOG);
}

static void of_two_servers_one_reports(struct shop *shop)
{
    put(shop, 201, "erp", "");
    receive(shop, "LEJ", "LAMP", 1);
    assert_int_equal(take(shop, 5), COMMAND_ACCEPTED);
    assert_int_equal(take(shop, 6), COMMAND_REFUSED);
    assert_int_equal(take(shop, 5), COMMAND_ACCEPTED);
    struct webhook_report first = report_of(shop, 5, 1, 1), second = report_of(shop, 6, 2, 1);
    assert_int_equal(shop_command(shop, &webhook_report, 1, &first), COMMAND_ACCEPTED);
    assert_int_equal(shop_command(shop, &webhook_report, 1, &second), COMMAND_REFUSED);
    shop->now_us += LEASE_US + 1; /* the first has said nothing for so long */
    assert_int_equal(take(shop, 6), COMMAND_ACCEPTED);
    assert_int_equal(shop_command(shop, &webhook_report, 1, &first), COMMAND_REFUSED); /* it comes late */
    assert_int_equal(shop_command(shop, &webhook_report, 1, &second), COMMAND_ACCEPTED);
    assert_int_equal(shop_command(shop, &lease_end, 1, &second.claim), COMMAND_ACCEPTED);
    assert_int_equal(take(shop, 5), COMMAND_ACCEPTED); /* at once, and its old term is over all the same */
    assert_int_equal(shop_command(shop, &webhook_report, 1, &first), COMMAND_REFUSED);
    first.claim.term = 3;
    assert_int_equal(shop_command(shop, &webhook_report, 1, &first), COMMAND_ACCEPTED);
}

static void a_cursor_that_was_set_is_not_moved_by_a_report_of_before(struct shop *shop)
{
    put(shop, 201, "erp", "");
    receive(shop, "LEJ", "LAMP", 1);
    assert_int_equal(take(shop, 5), COMMAND_ACCEPTED);
    struct webhook_report report = report_of(shop, 5, 1, 1);
    report.seq = figure(shop, "erp", "DE", "seq") + 1;
    shop_must(shop, 200, "POST", "/v1/webhooks/erp/replay", "{\"from\":1}");
    assert_int_equal(shop_command(shop, &webhook_report, 1, &report), COMMAND_REFUSED);
    assert_int_equal(figure(shop, "erp", "DE", "seq"), 0);
    shop_must(shop, 200, "POST", "/v1/webhooks/erp/replay", "{\"event\":2}"); /* adds to what waits, and sets no cursor */
    report.epoch = 2;
    assert_int_equal(shop_command(shop, &webhook_report, 1, &report), COMMAND_ACCEPTED);
    assert_int_equal(figure(shop, "erp", "DE", "waiting"), 1);
    shop_must(shop, 422, "POST", "/v1/webhooks/erp/replay", "{\"event\":1000}");
    shop_must(shop, 422, "POST", "/v1/webhooks/erp/replay", "{\"event\":1,\"from\":1}");
    shop_must(shop, 422, "POST", "/v1/webhooks/erp/replay", "{\"unit\":\"FR\",\"from\":1}");
    const char *body = shop_must(shop, 200, "POST", "/v1/webhooks/erp/replay", "{\"unit\":\"company\",\"from\":1}").body;
    assert_non_null(strstr(body, "\"unit\":\"company\""));
}

static void one_that_is_disabled_says_why_and_begins_again(struct shop *shop)
{
    put(shop, 201, "erp", "");
    const int64_t id = report_of(shop, 5, 1, 1).webhook;
    struct webhook_stop stop = { id, "it answered 410 Gone" };
    assert_int_equal(shop_command(shop, &webhook_stop, 0, &stop), COMMAND_ACCEPTED);
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/webhooks/erp", NULL).body, "\"disabled\":\"it answered 410 Gone\""));
    shop_must(shop, 409, "POST", "/v1/webhooks/erp/test", "{}");
    const char *events = shop_must(shop, 200, "GET", "/v1/events?unit=company&type=webhook.changed", NULL).body;
    assert_non_null(strstr(events, "\"what\":\"disabled\""));
    assert_non_null(strstr(events, "\"id\":\"erp\""));
    assert_non_null(strstr(put(shop, 200, "erp", "").body, "\"disabled\":null")); /* the same once more: it shall go on */
    shop_must(shop, 200, "POST", "/v1/webhooks/erp/test", "{}");
}

static void one_that_is_gone_is_work_for_a_person_at_once(struct shop *shop)
{
    put(shop, 201, "erp", "");
    receive(shop, "LEJ", "LAMP", 1);
    assert_int_equal(take(shop, 5), COMMAND_ACCEPTED);
    struct webhook_report report = report_of(shop, 5, 1, 1);
    const struct webhook_sent sent = { .seq = 1, .outcome = SENT_FAILED, .at = shop->now_us, .status = 410, .detail = "answered 410" };
    report.sent = &sent;
    report.count = 1;
    report.gone = true;
    assert_int_equal(shop_command(shop, &webhook_report, 1, &report), COMMAND_ACCEPTED);
    assert_int_equal(open_exceptions(shop), 1);
}

static void what_is_given_up_is_told(struct shop *shop)
{
    put(shop, 201, "erp", "");
    receive(shop, "LEJ", "LAMP", 1);
    assert_int_equal(take(shop, 5), COMMAND_ACCEPTED);
    struct webhook_report report = report_of(shop, 5, 1, 1);
    const struct webhook_sent sent = { .seq = 2, .outcome = SENT_GIVEN_UP, .at = shop->now_us, .status = 500, .detail = "answered 500" };
    report.sent = &sent;
    report.count = 1;
    assert_int_equal(shop_command(shop, &webhook_report, 1, &report), COMMAND_ACCEPTED);
    const char *events = shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=webhook.changed", NULL).body;
    assert_non_null(strstr(events, "\"what\":\"given_up\",\"event\":2"));
    assert_int_equal(figure(shop, "erp", "DE", "waiting"), 0);
}

int main(void)
{
    static const struct shop_scene scenes[] = {
        SCENE(a_webhook_begins_with_what_happens_next),
        SCENE(what_is_wrong_is_told_together),
        SCENE(a_new_unit_is_followed_from_its_first_event),
        SCENE(a_rotation_keeps_the_old_secret_for_a_time),
        SCENE(a_report_moves_the_cursor_and_keeps_what_waits),
        SCENE(a_change_gives_it_another_chance),
        SCENE(only_the_last_attempts_are_kept),
        SCENE(of_two_servers_one_reports),
        SCENE(a_cursor_that_was_set_is_not_moved_by_a_report_of_before),
        SCENE(one_that_is_disabled_says_why_and_begins_again),
        SCENE(one_that_is_gone_is_work_for_a_person_at_once),
        SCENE(what_is_given_up_is_told),
    };
    return scenes_play("webhooks", scenes, COUNT(scenes));
}
