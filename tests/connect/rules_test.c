/* tests/connect/rules_test.c: signatures, URLs and addresses, waits, and the order in which a subscription sends: rules without a store or a
 * socket. MILLRACE_SHARED names the folder of vectors that others made. */
#include "base/json.h"
#include "connect/flow.h"
#include "connect/sign.h"
#include "connect/target.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct arena *arena;

static char *shared_file(const char *name, size_t *bytes)
{
    const char *shared = getenv("MILLRACE_SHARED");
    char path[512];
    snprintf(path, sizeof path, "%s/%s", shared == NULL ? "" : shared, name);
    FILE *file = shared == NULL ? NULL : fopen(path, "rb");
    if (file == NULL) {
        print_message("SKIPPED: MILLRACE_SHARED has no %s\n", name);
        return NULL;
    }
    char *text = arena_alloc(arena, (size_t)1 << 20);
    *bytes = fread(text, 1, ((size_t)1 << 20) - 1, file);
    fclose(file);
    return text;
}

/* The members of the object that was begun, texts and numbers by name; lists of lists of two texts become members too. */
struct members {
    const char *names[64], *values[64];
    size_t count;
};
static void members_read(struct json_reader *json, struct members *out)
{
    out->count = 0;
    while (json_next(json) == JSON_KEY) {
        const char *name = arena_text_n(arena, json->text, json->bytes);
        enum json_token token = json_next(json);
        if (token == JSON_ARRAY) {
            while (json_next(json) == JSON_ARRAY) {
                json_next(json);
                out->names[out->count] = arena_text_n(arena, json->text, json->bytes);
                json_next(json);
                out->values[out->count++] = arena_text_n(arena, json->text, json->bytes);
                json_next(json);
            }
            continue;
        }
        out->names[out->count] = name;
        out->values[out->count++] = token == JSON_TRUE ? "true" : token == JSON_FALSE ? "false" : arena_text_n(arena, json->text, json->bytes);
    }
}
static const char *member(const struct members *members, const char *name)
{
    for (size_t i = 0; i < members->count; i++)
        if (strcmp(members->names[i], name) == 0)
            return members->values[i];
    return "";
}

/* Stands before the list with this name of the text's object. */
static void list_find(struct json_reader *json, const char *text, size_t bytes, const char *name)
{
    json_open(json, arena, text, bytes);
    assert_int_equal(json_next(json), JSON_OBJECT);
    while (json_next(json) == JSON_KEY) {
        bool found = json->bytes == strlen(name) && memcmp(json->text, name, json->bytes) == 0;
        if (found) {
            assert_int_equal(json_next(json), JSON_ARRAY);
            return;
        }
        json_skip(json);
    }
    fail_msg("no list %s", name);
}

/* ---- signatures ---- */

static const char *signed_by(const char *secret, const char *id, const char *timestamp, struct bytes body)
{
    struct bytes key;
    if (!secret_read(arena, secret, &key))
        fail_msg("%s is no secret", secret);
    struct signed_message message = { .id = id, .timestamp_s = strtoll(timestamp, NULL, 10), .body = body };
    return message_sign(arena, &message, &key, 1);
}

static void official_clients_sign_the_same(void **state)
{
    size_t bytes, seen = 0;
    const char *text = shared_file("interfaces/signatures/vectors.json", &bytes);
    struct json_reader json;
    struct members vector;
    if (text == NULL)
        return;
    list_find(&json, text, bytes, "vectors");
    while (json_next(&json) == JSON_OBJECT) {
        uint8_t body[4096];
        size_t size;
        members_read(&json, &vector);
        if (strcmp(member(&vector, "scheme"), "standard-webhooks-v1") != 0)
            continue;
        const char *payload = member(&vector, "payload_b64");
        assert_int_equal(sodium_base642bin(body, sizeof body, payload, strlen(payload), NULL, &size, NULL, sodium_base64_VARIANT_ORIGINAL), 0);
        assert_string_equal(
            signed_by(member(&vector, "secret"), member(&vector, "msg_id"), member(&vector, "timestamp"), (struct bytes){ body, size }),
            member(&vector, "signature"));
        seen++;
    }
    assert_true(seen > 0);
    (void)state;
}

/* What a good receiver accepts is what we sign; of what it refuses, nothing. */
static void what_receivers_must_accept_is_what_we_sign(void **state)
{
    size_t bytes, seen = 0;
    const char *text = shared_file("vectors/webhook/signatures.json", &bytes);
    struct json_reader json;
    struct members vector;
    if (text == NULL)
        return;
    list_find(&json, text, bytes, "cases");
    while (json_next(&json) == JSON_OBJECT) {
        uint8_t body[4096];
        size_t size;
        members_read(&json, &vector);
        if (strcmp(member(&vector, "scheme"), "standard") != 0 || strcmp(member(&vector, "accept"), "true") != 0)
            continue;
        const char *hex = member(&vector, "body_hex");
        assert_int_equal(sodium_hex2bin(body, sizeof body, hex, strlen(hex), NULL, &size, NULL), 0);
        const char *ours = signed_by("whsec_AAFtaWxscmFjZS10ZXN0LWtleS0zMi1ieXRlcy1sb25nIQ==", member(&vector, "webhook-id"),
                                     member(&vector, "webhook-timestamp"), (struct bytes){ body, size });
        if (strstr(member(&vector, "webhook-signature"), ours) == NULL)
            fail_msg("%s: %s is not in %s", member(&vector, "name"), ours, member(&vector, "webhook-signature"));
        seen++;
    }
    assert_true(seen >= 4);
    (void)state;
}

static void secrets_are_read_as_they_are_written(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        { "whsec_AAFtaWxscmFjZS10ZXN0LWtleS0zMi1ieXRlcy1sb25nIQ==", true },
        { "AAFtaWxscmFjZS10ZXN0LWtleS0zMi1ieXRlcy1sb25nIQ==", false },
        { "whsec_", false },
        { "whsec_YWJj", false },                             /* three bytes */
        { "whsec_AAFtaWxscmFjZS10ZXN0LWtleS0zMi1!", false }, /* no base64 */
    };
    struct bytes secret, seed = { (const uint8_t *)"0123456789012345678901234567890", 32 };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (secret_read(arena, cases[i].text, &secret) != cases[i].good)
            fail_msg("%s", cases[i].text);
    const char *first = secret_text(arena, secret_derive(arena, seed, 1)), *second = secret_text(arena, secret_derive(arena, seed, 2));
    assert_true(secret_read(arena, first, &secret));
    assert_string_equal(secret_text(arena, secret), first);
    assert_string_not_equal(first, second);
    (void)state;
}

static void each_secret_signs(void **state)
{
    struct bytes keys[2];
    struct signed_message message = { .id = "evt_1", .timestamp_s = 1764000000, .body = { (const uint8_t *)"{}", 2 } };
    assert_true(secret_read(arena, "whsec_AAFtaWxscmFjZS10ZXN0LWtleS0zMi1ieXRlcy1sb25nIQ==", &keys[0]));
    keys[1] = secret_derive(arena, (struct bytes){ (const uint8_t *)"01234567890123456789012345678901", SECRET_BYTES }, 2);
    const char *both = message_sign(arena, &message, keys, 2), *one = message_sign(arena, &message, keys, 1);
    assert_memory_equal(both, one, strlen(one));
    assert_memory_equal(both + strlen(one), " v1,", 4);
    assert_string_equal(both + strlen(one) + 1, message_sign(arena, &message, keys + 1, 1));
    (void)state;
}

/* ---- targets ---- */

/* These are refused by what their names stand for, which is asked when we connect: webhooks_test and post_test. */
static bool is_for_later(const char *why)
{
    static const char *const later[] = { "name that answers", "name with one public", "302 to", "307 to" };
    for (size_t i = 0; i < COUNT(later); i++)
        if (strncmp(why, later[i], strlen(later[i])) == 0)
            return true;
    return false;
}

static void targets_that_must_be_refused_are(void **state)
{
    size_t bytes, seen = 0;
    const char *text = shared_file("vectors/ssrf/targets.json", &bytes);
    const struct target_rules plain = { .plain = true }, usual = { 0 };
    struct json_reader json;
    struct members target;
    if (text == NULL)
        return;
    /* json.h refuses U+0000 in a text, and so does the edge: that one target cannot even be asked for. */
    char *nul = strstr(text, "\\u0000");
    if (nul != NULL)
        memcpy(nul, "\\u0001", 6);
    list_find(&json, text, bytes, "refuse");
    while (json_next(&json) == JSON_OBJECT) {
        members_read(&json, &target);
        const char *url = member(&target, "url");
        seen++;
        if (target_fault(url, usual) == NULL || (target_fault(url, plain) == NULL && !is_for_later(member(&target, "why"))))
            fail_msg("%s (%s) is taken", url, member(&target, "why"));
    }
    assert_true(seen > 70);
    list_find(&json, text, bytes, "allow");
    for (enum json_token token; (token = json_next(&json)) != JSON_ARRAY_END;) {
        const char *url = NULL;
        if (token == JSON_OBJECT) {
            members_read(&json, &target);
            url = member(&target, "url");
        } else
            url = arena_text_n(arena, json.text, json.bytes);
        if (target_fault(url, usual) != NULL)
            fail_msg("%s is refused: %s", url, target_fault(url, usual));
    }
    (void)state;
}

static void a_url_is_read_in_one_way(void **state)
{
    static const struct {
        const char *url;
        bool usual, private; /* may be kept */
    } cases[] = {
        { "https://shop.example/hook", true, true },
        { "HTTPS://shop.example/hook?a=1&b=%20", true, true },
        { "https://8.8.8.8/", true, true },
        { "https://[2606:4700::1111]:8443/", true, true },
        { "http://shop.example/", false, true },
        { "http://erp.internal:8080/in", false, true },
        { "http://erp/in", false, true },
        { "http://10.1.2.3:9000/", false, true },
        { "http://[::1]:9000/", false, true },
        { "http://127.1:9000/", false, false }, /* odd spellings are odd everywhere */
        { "http://0x7f000001:9000/", false, false },
        { "http://127.0.0.01/", false, false },
        { "https://1.2.3.4.5/", false, false },
        { "https://shop.example:22/", false, false },
        { "https://shop.example:99999/", false, false },
        { "https://shop.example:/", false, false },
        { "https://shop.example:08443/", false, false },
        { "https://shop..example/", false, false },
        { "https://-shop.example/", false, false },
        { "https://a@shop.example/", false, false },
        { "https://shop.example/a#b", false, false },
        { "https://shop.example/a b", false, false },
        { "https://shop.example/%0a", false, false },
        { "https://shop.example/%7f", false, false },
        { "https://shop.example/%4", false, false },
        { "https://[::1/", false, false },
        { "https://[::1]x/", false, false },
        { "https://", false, false },
        { "shop.example", false, false },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *usual = target_fault(cases[i].url, (struct target_rules){ 0 });
        const char *private = target_fault(cases[i].url, (struct target_rules){ true, true });
        if ((usual == NULL) != cases[i].usual || (private == NULL) != cases[i].private)
            fail_msg("%s: %s; private: %s", cases[i].url, usual == NULL ? "taken" : usual, private == NULL ? "taken" : private);
    }
    (void)state;
}

static void addresses_of_the_public_internet(void **state)
{
    static const struct {
        const char *address;
        bool is_public;
    } cases[] = {
        { "8.8.8.8", true },
        { "1.0.0.1", true },
        { "9.255.255.255", true },
        { "11.0.0.0", true },
        { "100.63.255.255", true },
        { "100.128.0.0", true },
        { "172.15.255.255", true },
        { "172.32.0.0", true },
        { "198.17.255.255", true },
        { "198.20.0.0", true },
        { "223.255.255.255", true },
        { "0.0.0.0", false },
        { "10.0.0.0", false },
        { "10.255.255.255", false },
        { "100.64.0.0", false },
        { "100.127.255.255", false },
        { "127.0.0.1", false },
        { "127.255.255.255", false },
        { "169.254.169.254", false },
        { "172.16.0.0", false },
        { "172.31.255.255", false },
        { "192.0.0.8", false },
        { "192.168.255.255", false },
        { "198.18.0.0", false },
        { "198.19.255.255", false },
        { "203.0.113.7", false },
        { "224.0.0.1", false },
        { "255.255.255.255", false },
        { "2606:4700::1111", true },
        { "2a00:1450::1", true },
        { "2001:4860::8888", true },
        { "::", false },
        { "::1", false },
        { "::ffff:8.8.8.8", false },
        { "64:ff9b::808:808", false },
        { "2002:808:808::1", false },
        { "2001::1", false },
        { "2001:db8::1", false },
        { "fc00::1", false },
        { "fd00:ec2::254", false },
        { "fe80::1", false },
        { "fec0::1", false },
        { "ff02::1", false },
        { "3fff::1", false },
        { "4000::1", false },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t bytes[16];
        bool four = inet_pton(AF_INET, cases[i].address, bytes) == 1;
        assert_true(four || inet_pton(AF_INET6, cases[i].address, bytes) == 1);
        if ((four ? ipv4_is_public(bytes) : ipv6_is_public(bytes)) != cases[i].is_public)
            fail_msg("%s is %s", cases[i].address, cases[i].is_public ? "public" : "none of the public internet");
    }
    (void)state;
}

/* ---- waits ---- */

static void it_comes_again_later_each_time_for_three_days(void **state)
{
    int64_t all = 0, last = 0;
    for (int64_t attempts = 1; attempts <= 12; attempts++) {
        int64_t low = INT64_MAX, high = 0;
        for (uint64_t seed = 0; seed < 1000; seed++) {
            int64_t wait = webhook_wait_us(attempts, hash_u64(seed));
            assert_int_equal(wait, webhook_wait_us(attempts, hash_u64(seed))); /* a day plays again */
            low = min_i64(low, wait);
            high = max_i64(high, wait);
        }
        assert_true(low > last && high < low + low / 4 && high > low + low / 10);
        last = low;
        all += low;
    }
    assert_int_equal(webhook_wait_us(13, 1), 0);
    assert_int_equal(webhook_wait_us(0, 1), 0);
    assert_true(all > INT64_C(60) * 3600000000 && all < INT64_C(90) * 3600000000);
    (void)state;
}

/* ---- a subscription ---- */

static struct flow *flow_at(int64_t seq)
{
    struct flow *flow = calloc(1, sizeof *flow);
    struct webhook_subscription_row row = { .unit = 1, .webhook = 7, .epoch = 1, .seq = seq };
    assert_true(flow_load(flow, &row, NULL, 0));
    return flow;
}
static void flow_end(struct flow *flow)
{
    flow_free(flow);
    free(flow);
}

/* What may go now, as text: "1 2". */
static const char *goes(struct flow *flow, int64_t now_us)
{
    int64_t seqs[64];
    struct buffer out = { .arena = arena };
    buffer_text(&out, "");
    size_t count = flow_take(flow, now_us, COUNT(seqs), seqs);
    for (size_t i = 0; i < count; i++)
        buffer_printf(&out, "%s%ld", i == 0 ? "" : " ", (long)seqs[i]);
    return out.at == NULL ? "" : out.at;
}
static void answers(struct flow *flow, int64_t seq, int64_t status, int64_t now_us)
{
    struct flow_answer answer = { .seq = seq, .at = now_us, .status = status, .delivered = status == 200, .gone = status == 410 };
    flow_answered(flow, &answer, now_us);
}
static void asks_for_a_pause(struct flow *flow, int64_t seq, int64_t retry_after_s, int64_t now_us)
{
    flow_answered(flow, &(struct flow_answer){ .seq = seq, .at = now_us, .status = 429, .retry_after_s = retry_after_s }, now_us);
}
static void reads(struct flow *flow, int64_t from, const char *keys)
{
    for (; *keys != '\0'; keys++, from++)
        assert_true(flow_read(flow, from, *keys, *keys != '-')); /* -: not wanted */
}

/* What waits and what was never tried, of all keys; no longer than a day, whatever it says. */
static void who_asks_for_a_pause_has_it(void **state)
{
    struct flow *flow = flow_at(0);
    reads(flow, 1, "abc");
    assert_string_equal(goes(flow, 0), "1 2 3");
    asks_for_a_pause(flow, 1, 600, 10);
    answers(flow, 2, 200, 20);         /* was under way */
    asks_for_a_pause(flow, 3, 60, 30); /* the longer one holds */
    reads(flow, 4, "d");
    assert_string_equal(goes(flow, INT64_C(599000000)), "");
    assert_string_equal(goes(flow, INT64_C(601000000)), "1 3 4");
    asks_for_a_pause(flow, 4, INT64_MAX, INT64_C(602000000));
    reads(flow, 5, "e");
    assert_string_equal(goes(flow, INT64_C(86400000000)), "");
    assert_string_equal(goes(flow, INT64_C(602000001) + INT64_C(86400000000)), "4 5");
    flow_end(flow);
    (void)state;
}

static void one_of_a_key_goes_at_a_time(void **state)
{
    struct flow *flow = flow_at(0);
    reads(flow, 1, "aab-ca");
    assert_string_equal(goes(flow, 0), "1 3 5");
    assert_string_equal(goes(flow, 0), "");
    answers(flow, 3, 200, 10);
    assert_int_equal(flow_cursor(flow), 0); /* the first is not answered */
    answers(flow, 1, 200, 20);
    assert_string_equal(goes(flow, 20), "2");
    assert_int_equal(flow_cursor(flow), 1);
    answers(flow, 2, 200, 30);
    answers(flow, 5, 200, 30);
    assert_int_equal(flow_cursor(flow), 5);
    assert_string_equal(goes(flow, 30), "6");
    answers(flow, 6, 200, 40);
    assert_int_equal(flow_cursor(flow), 6);
    assert_int_equal(flow->sent_count, 5);
    flow_reported(flow, 6, 5);
    assert_int_equal(flow->seq, 6);
    flow_end(flow);
    (void)state;
}

static void one_that_fails_keeps_its_key_and_no_other(void **state)
{
    struct flow *flow = flow_at(0);
    reads(flow, 1, "abab");
    assert_string_equal(goes(flow, 0), "1 2");
    answers(flow, 1, 500, 10);
    answers(flow, 2, 200, 10);
    assert_string_equal(goes(flow, 10), "4"); /* 3 is held */
    assert_int_equal(flow->sent_count, 3);
    assert_int_equal(flow->sent[2].outcome, SENT_HELD);
    answers(flow, 4, 200, 20);
    assert_int_equal(flow_cursor(flow), 4); /* what waits stands in rows */
    assert_string_equal(goes(flow, 1000000), "");
    assert_string_equal(goes(flow, 7000000), "1"); /* five seconds, and a little */
    answers(flow, 1, 200, 7000000);
    assert_string_equal(goes(flow, 7000000), "3");
    flow_end(flow);
    (void)state;
}

static void one_that_always_fails_is_asked_seldom(void **state)
{
    struct flow *flow = flow_at(0);
    reads(flow, 1, "abcdefgh");
    assert_string_equal(goes(flow, 0), "1 2 3 4");
    for (int64_t seq = 1; seq <= 4; seq++)
        answers(flow, seq, 503, 0);
    assert_string_equal(goes(flow, 0), ""); /* two seconds' pause after the fourth */
    assert_string_equal(goes(flow, 2000000), "5");
    assert_string_equal(goes(flow, 2000000), "");
    answers(flow, 5, 200, 2100000);
    assert_string_equal(goes(flow, 2100000), "6 7 8"); /* it is well */
    flow_end(flow);
    (void)state;
}

/* Each day one that is well comes as well. Returns how often the first was tried in vain. */
static int64_t days_until_given_up(struct flow *flow)
{
    int64_t failed = 0;
    for (int64_t day = 1; day < 40; day++) {
        const int64_t now_us = day * INT64_C(100000000000);
        assert_true(flow_read(flow, day + 1, 'b', true));
        const char *which = goes(flow, now_us);
        failed += strncmp(which, "1 ", 2) == 0;
        answers(flow, 1, 500, now_us);
        if (flow->sent[0].seq == 1 && flow->sent[0].outcome == SENT_GIVEN_UP)
            return failed;
        answers(flow, day + 1, 200, now_us);
        flow_reported(flow, flow_cursor(flow), flow->sent_count);
    }
    return -1;
}

static void the_last_attempt_ends_an_event_where_others_get_through(void **state)
{
    struct flow *flow = flow_at(0);
    reads(flow, 1, "a");
    assert_int_equal(days_until_given_up(flow), 13);
    flow_end(flow);
    (void)state;
}

static void nothing_gets_through_for_three_days(void **state)
{
    struct flow *flow = flow_at(0);
    reads(flow, 1, "a");
    for (int64_t day = 0; day < 20; day++) {
        const int64_t now_us = day * INT64_C(110000000000);
        assert_string_equal(goes(flow, now_us), "1");
        answers(flow, 1, 500, now_us);
        assert_int_equal(flow->sent[0].outcome, SENT_FAILED); /* it is not given up: a person will want it sent */
        assert_int_equal(flow_is_dead(flow, now_us), day >= 3);
        flow_reported(flow, flow_cursor(flow), flow->sent_count);
    }
    flow_end(flow);
    (void)state;
}

static void a_room_that_is_full_takes_no_more(void **state)
{
    struct flow *flow = flow_at(0);
    assert_int_equal(flow_room(flow), FLOW_FRESH_MAX);
    for (int64_t seq = 1; flow_room(flow) > 0; seq++)
        assert_true(flow_read(flow, seq, seq, true));
    assert_int_equal(flow->count, FLOW_FRESH_MAX);
    flow_end(flow);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(official_clients_sign_the_same),
        cmocka_unit_test(what_receivers_must_accept_is_what_we_sign),
        cmocka_unit_test(secrets_are_read_as_they_are_written),
        cmocka_unit_test(each_secret_signs),
        cmocka_unit_test(targets_that_must_be_refused_are),
        cmocka_unit_test(a_url_is_read_in_one_way),
        cmocka_unit_test(addresses_of_the_public_internet),
        cmocka_unit_test(it_comes_again_later_each_time_for_three_days),
        cmocka_unit_test(who_asks_for_a_pause_has_it),
        cmocka_unit_test(one_of_a_key_goes_at_a_time),
        cmocka_unit_test(one_that_fails_keeps_its_key_and_no_other),
        cmocka_unit_test(one_that_always_fails_is_asked_seldom),
        cmocka_unit_test(the_last_attempt_ends_an_event_where_others_get_through),
        cmocka_unit_test(nothing_gets_through_for_three_days),
        cmocka_unit_test(a_room_that_is_full_takes_no_more),
    };
    arena = arena_new((size_t)256 << 20);
    int failed = sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("rules of webhooks", tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
