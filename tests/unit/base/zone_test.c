/* tests/unit/base/zone_test.c: dates at places, against the C library's own reading of the same tzdata. */
#include "fixture.h"
#include "base/text.h"
#include "base/when.h"
#include "base/zone.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t day_of(struct zone *zone, const char *at)
{
    int64_t at_us = 0;
    assert_true(when_parse(at, strlen(at), &at_us));
    return zone_day(zone, at_us);
}

static void dates(void **state)
{
    static const struct {
        const char *says, *zone, *at, *date;
    } cases[] = {
        { "a summer's night in Berlin is the day before in UTC", "Europe/Berlin", "2026-07-01T22:00:00Z", "2026-07-02" },
        { "a minute before it", "Europe/Berlin", "2026-07-01T21:59:59.999999Z", "2026-07-01" },
        { "in winter the day begins an hour later", "Europe/Berlin", "2026-12-01T22:00:00Z", "2026-12-01" },
        { "behind all that the file lists", "Europe/Berlin", "2095-07-01T22:00:00Z", "2095-07-02" },
        { "and in its winter", "Europe/Berlin", "2095-12-01T22:30:00Z", "2095-12-01" },
        { "in the south summer goes over the new year", "Australia/Sydney", "2090-01-01T13:30:00Z", "2090-01-02" },
        { "half hours", "Asia/Kolkata", "2026-07-01T18:30:00Z", "2026-07-02" },
        { "a place without summer", "Asia/Tokyo", "2080-01-01T15:00:00Z", "2080-01-02" },
        { "west of Greenwich", "America/New_York", "2026-11-25T04:59:59Z", "2026-11-24" },
        { "UTC", "UTC", "1969-12-31T23:59:59Z", "1969-12-31" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char date[32];
        int64_t days;
        when_date_format(day_of(zone_load(*state, cases[i].zone), cases[i].at), date);
        if (strcmp(date, cases[i].date) != 0 || !when_date_parse(date, &days) || days != day_of(zone_load(*state, cases[i].zone), cases[i].at))
            fail_msg("%s: %s", cases[i].says, date);
    }
    assert_int_equal(day_of(NULL, "2026-11-24T23:59:59Z"), when_days(2026, 11, 24));
}

static void no_zones(void **state)
{
    static const char *const names[] = { "", "Nowhere/Land", "../../../etc/passwd", "/etc/passwd", "tzdata.zi", "zone.tab", "Europe" };
    for (size_t i = 0; i < COUNT(names); i++)
        if (zone_load(*state, names[i]) != NULL)
            fail_msg("%s is a zone", names[i]);
    assert_null(zone_load(*state, NULL));
}

/* The judge is the C library; instants of three hundred years, and around each change that it knows of. */
static void as_the_c_library(void **state)
{
    static const char *const names[] = { "Europe/Berlin",     "Europe/London",  "Europe/Dublin",     "Europe/Chisinau",     "America/New_York",
                                         "America/St_Johns",  "America/Havana", "America/Sao_Paulo", "America/Santiago",    "America/Nuuk",
                                         "Africa/Casablanca", "Africa/Cairo",   "Asia/Jerusalem",    "Asia/Tehran",         "Asia/Kathmandu",
                                         "Asia/Gaza",         "Pacific/Apia",   "Pacific/Chatham",   "Australia/Lord_Howe", "Antarctica/Troll" };
    uint64_t random = 7;
    if (access("/usr/share/zoneinfo/UTC", R_OK) != 0)
        skip_for_want_of("tzdata");
    for (size_t i = 0; i < COUNT(names); i++) {
        struct zone *zone = zone_load(*state, names[i]);
        if (zone == NULL)
            fail_msg("%s cannot be read", names[i]);
        setenv("TZ", names[i], 1);
        tzset();
        for (int k = 0; k < 20000; k++) {
            random += 0x9e3779b97f4a7c15u;
            time_t at_s = (time_t)(hash_u64(random) % UINT64_C(9467000000)) - 2208988800; /* 1900 to 2199 */
            struct tm there;
            localtime_r(&at_s, &there);
            if (there.tm_gmtoff != zone_offset_s(zone, (int64_t)at_s * 1000000))
                fail_msg("%s at %ld: %ld, the C library says %ld", names[i], (long)at_s, (long)zone_offset_s(zone, (int64_t)at_s * 1000000),
                         there.tm_gmtoff);
        }
    }
    unsetenv("TZ");
    tzset();
}

int main(void)
{
    const struct CMUnitTest tests[] = { CASE(dates), CASE(no_zones), CASE(as_the_c_library) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
