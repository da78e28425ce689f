/* tests/unit/base/when_test.c: instants and their texts. */
#include "fixture.h"
#include "base/fields.h"
#include "base/when.h"
#include <string.h>
#include <time.h>

static void texts_to_instants(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t at_us;
    } good[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "1969-12-31T23:59:59.999999Z", -1 },
        { "2026-11-24T08:00:00Z", INT64_C(1795507200000000) },
        { "2026-11-24t08:00:00.5z", INT64_C(1795507200500000) },
        { "2026-11-24T13:45:00+05:45", INT64_C(1795507200000000) },
        { "2026-11-24T03:00:00-05:00", INT64_C(1795507200000000) },
        { "2026-11-24T08:00:00.1234569999999999Z", INT64_C(1795507200123456) },
        { "2000-02-29T00:00:00Z", INT64_C(951782400000000) },
        { "0001-01-01T00:00:00Z", WHEN_MIN },
        { "9999-12-31T23:59:59.999999Z", WHEN_MAX },
        { "2016-12-31T23:59:60Z", INT64_C(1483228800000000) }, /* the second after 59 */
        { "2016-12-31T18:59:60.25-05:00", INT64_C(1483228800250000) },
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        int64_t at_us = 0;
        if (!when_parse(good[i].text, strlen(good[i].text), &at_us) || at_us != good[i].at_us)
            fail_msg("%s gave %lld", good[i].text, (long long)at_us);
    }
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11-24 08:00:00Z",
        "2026-11-24T08:00:60Z",
        "2026-11-24T23:59:60+01:00",
        "2026-11-24T23:59:61Z",
        "2026-11-24T08:60:00Z",
        "2026-11-24T08:00:00+01:60",
        "2026-11-24T08:00:00+1:00",
        "2026-11-24T08:00:00+01:00Z",
        "2026-11-24T08:00:00.Z",
        "2026-11-24T08:00:00.5",
        "2026/11/24T08:00:00Z",
        "2026-11-24T-8:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z",
        "+2026-11-24T08:00:00Z",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        int64_t at_us = 42;
        if (when_parse(bad[i], strlen(bad[i]), &at_us) || at_us != 42)
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

static void instants_to_texts(void **state)
{
    (void)state;
    static const struct {
        int64_t at_us;
        const char *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00Z" },
        { -1, "1969-12-31T23:59:59.999999Z" },
        { 500000, "1970-01-01T00:00:00.500Z" },
        { 1000, "1970-01-01T00:00:00.001Z" },
        { 1, "1970-01-01T00:00:00.000001Z" },
        { WHEN_MIN, "0001-01-01T00:00:00Z" },
        { WHEN_MAX, "9999-12-31T23:59:59.999999Z" },
        { INT64_C(1795507200000000), "2026-11-24T08:00:00Z" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[32];
        when_format(cases[i].at_us, text);
        assert_string_equal(text, cases[i].text);
    }
}

/* Each day of ten thousand years is the day that the C library says, and comes back. */
static void every_day_of_the_calendar(void **state)
{
    (void)state;
    for (int64_t at_us = WHEN_MIN; at_us < WHEN_MAX; at_us += INT64_C(86400000000)) {
        char text[32], oracle[32];
        struct tm tm;
        time_t seconds = (time_t)(at_us / 1000000);
        int64_t back = 0;
        when_format(at_us, text);
        gmtime_r(&seconds, &tm);
        strftime(oracle, sizeof oracle, "-%m-%dT%H:%M:%SZ", &tm);
        assert_string_equal(text + 4, oracle);
        assert_true(when_parse(text, strlen(text), &back) && back == at_us);
    }
}

static void clocks_go_forward(void **state)
{
    (void)state;
    int64_t before = when_monotonic_us();
    assert_true(when_monotonic_us() >= before);
    assert_true(when_now_us() > INT64_C(1700000000000000));
}

/* ---- vectors/time/time.json, the RFC 3339 part ---- */

struct text_case {
    struct field_presence presence;
    const char *text, *why;
    int64_t ok;
};
static const struct field text_fields[] = {
    { "text", FIELD_TEXT, FIELD_AT(struct text_case, text), .required = true },
    { "ok", FIELD_INT, FIELD_AT(struct text_case, ok), .required = true },
    { "why", FIELD_TEXT, FIELD_AT(struct text_case, why) },
};
static const struct field_table text_table = { "Text", text_fields, COUNT(text_fields), sizeof(struct text_case) };

/* The vectors let a reader choose at 23:59:60; when.h folds it into the next second. */
static bool is_ours_to_choose(const char *text)
{
    return strcmp(text, "2026-12-31T23:59:60Z") == 0;
}

static void the_shared_time_vectors(void **state)
{
    size_t bytes = 0, count = 0;
    char *text = vector_bytes(*state, "time/time.json", &bytes);
    if (text == NULL)
        skip_for_want_of("time/time.json");
    struct json_reader json;
    struct faults faults = { .arena = *state };
    json_open(&json, *state, text, bytes);
    expect(&json, JSON_OBJECT);
    for (expect(&json, JSON_KEY); !is_text(&json, "rfc3339"); expect(&json, JSON_KEY))
        assert_true(json_skip(&json));
    expect(&json, JSON_ARRAY);
    for (;;) {
        struct text_case one = { .text = NULL };
        int64_t at_us = 0;
        if (!fields_read(&json, &text_table, FIELDS_POST, "", &one, &faults))
            break;
        if (when_parse(one.text, strlen(one.text), &at_us) != (one.ok != 0 || is_ours_to_choose(one.text)))
            fail_msg("%s: %s", one.text, one.why);
        count++;
    }
    assert_int_equal(count, 26);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(texts_to_instants), CASE(instants_to_texts), CASE(every_day_of_the_calendar), CASE(clocks_go_forward), CASE(the_shared_time_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
