/* tests/connect/post_test.c: what is connected to decides, whatever a name said: names that a test's own resolver maps to addresses of this machine,
 * before a receiver that counts. */
#include "base/when.h"
#include "connect/post.h"
#include "connect/receiver.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct receiver *receiver;

static struct post_result ask(struct target_rules rules, const char *addresses, const char *url)
{
    char map[200], target[200];
    const char *resolve[] = { map, NULL };
    snprintf(map, sizeof map, "good.test:%d:%s", receiver_port(receiver), addresses);
    snprintf(target, sizeof target, url, receiver_port(receiver));
    struct postbox_options options = { .rules = rules, .connect_ms = 300, .answer_ms = 1000, .resolve = addresses == NULL ? NULL : resolve };
    struct postbox *postbox = postbox_new(&options);
    struct letter letter = {
        .url = target, .id = "evt_1", .signature = "v1,x", .timestamp_s = 1764000000, .body = { (const uint8_t *)"{}", 2 }, .owner = &letter, .seq = 7
    };
    struct post_result result = { .status = -1 };
    assert_non_null(postbox);
    assert_true(postbox_send(postbox, &letter));
    assert_int_equal(postbox_flying(postbox), 1);
    for (int64_t until_us = when_monotonic_us() + 10000000; !postbox_next(postbox, &result) && when_monotonic_us() < until_us;)
        postbox_wait(postbox, 20);
    assert_true(result.owner == &letter && result.seq == 7);
    assert_int_equal(postbox_flying(postbox), 0);
    postbox_free(postbox);
    return result;
}

static const struct target_rules intranet = { true, true }, by_name = { true, false };

static void a_name_that_stands_for_this_machine_is_not_connected_to(void **state)
{
    static const char *const inside[] = { "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "0.0.0.0" };
    const size_t before = receiver_count(receiver);
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        struct post_result result = ask(by_name, inside[i], "http://good.test:%d/ok");
        if (result.status != 0 || strstr(result.detail, "not sent") == NULL)
            fail_msg("%s: %ld %s", inside[i], (long)result.status, result.detail);
    }
    assert_int_equal(receiver_count(receiver), before);
    (void)state;
}

static void a_private_address_beside_a_public_one_spoils_both(void **state)
{
    const size_t before = receiver_count(receiver);
    struct post_result result = ask(by_name, "127.0.0.1,192.88.98.1", "http://good.test:%d/ok");
    assert_int_equal(result.status, 0);
    assert_non_null(strstr(result.detail, "127.0.0.1 is not an address of the public internet"));
    assert_int_equal(receiver_count(receiver), before);
    (void)state;
}

static void where_it_is_allowed_the_letter_comes_whole(void **state)
{
    const size_t before = receiver_count(receiver);
    struct post_result result = ask(intranet, "127.0.0.1", "http://good.test:%d/ok");
    assert_int_equal(result.status, 200);
    assert_string_equal(result.detail, "");
    assert_int_equal(receiver_count(receiver), before + 1);
    struct received received = receiver_at(receiver, before);
    assert_string_equal(received.id, "evt_1");
    assert_string_equal(received.timestamp, "1764000000");
    assert_string_equal(received.signature, "v1,x");
    assert_string_equal(received.body, "{}");
    (void)state;
}

static void other_protocols_are_not_spoken(void **state)
{
    static const char *const urls[] = { "ftp://good.test:%d/", "gopher://good.test:%d/x", "dict://good.test:%d/x", "file:///etc/hostname?%d" };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        assert_int_equal(ask(intranet, "127.0.0.1", urls[i]).status, 0);
    assert_int_equal(ask((struct target_rules){ false, true }, "127.0.0.1", "http://good.test:%d/ok").status, 0); /* https only */
    (void)state;
}

static void how_each_bad_end_is_told(void **state)
{
    static const struct {
        const char *url, *detail;
        int64_t status;
    } ends[] = {
        { "http://good.test:%d/redirect", "answered 307: redirects are not followed", 307 },
        { "http://good.test:%d/gone", "answered 410", 410 },
        { "http://good.test:%d/busy", "answered 429", 429 },
        { "http://good.test:%d/close", "no answer", 0 },
        { "http://good.test:%d/hang", "no answer: Timeout", 0 },
        { "http://good.test:%d/slow", "no answer: Timeout", 0 },
        { "http://good.test:%d/garbage", "no answer", 0 },
        { "http://good.test:%d/headers", "its headers were longer than", 0 },
        { "http://good.test:%d/flood", "", 200 },
        { "https://good.test:%d/ok", "no answer", 0 }, /* no TLS there */
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct post_result result = ask(intranet, "127.0.0.1", ends[i].url);
        if (result.status != ends[i].status || strncmp(result.detail, ends[i].detail, strlen(ends[i].detail)) != 0)
            fail_msg("%s: %ld \"%s\", not %ld \"%s\"", ends[i].url, (long)result.status, result.detail, (long)ends[i].status, ends[i].detail);
        assert_int_equal(result.retry_after_s, ends[i].status == 429 ? 120 : 0);
    }
    (void)state;
}

static void a_box_is_emptied_without_a_result(void **state)
{
    struct postbox_options options = { .rules = intranet };
    struct postbox *postbox = postbox_new(&options);
    struct post_result result;
    char url[100];
    int owners[2];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/hang", receiver_port(receiver));
    for (int i = 0; i < 6; i++)
        assert_true(postbox_send(
            postbox, &(struct letter){ .url = url, .id = "e", .signature = "s", .body = { (const uint8_t *)"", 0 }, .owner = &owners[i % 2] }));
    assert_false(postbox_next(postbox, &result));
    postbox_forget(postbox, &owners[0]);
    assert_int_equal(postbox_flying(postbox), 3);
    postbox_free(postbox); /* what is left goes with it */
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_stands_for_this_machine_is_not_connected_to),
        cmocka_unit_test(a_private_address_beside_a_public_one_spoils_both),
        cmocka_unit_test(where_it_is_allowed_the_letter_comes_whole),
        cmocka_unit_test(other_protocols_are_not_spoken),
        cmocka_unit_test(how_each_bad_end_is_told),
        cmocka_unit_test(a_box_is_emptied_without_a_result),
    };
    receiver = receiver_start();
    int failed = cmocka_run_group_tests_name("post", tests, NULL, NULL);
    receiver_stop(receiver);
    return failed;
}
