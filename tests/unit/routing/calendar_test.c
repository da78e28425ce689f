/* When a parcel leaves a node and when it arrives: cut-offs, closed days, weekends, clocks that change. */
#include "routing/calendar.h"
#include "base/text.h"
#include "base/when.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* Berlin: summer time until 2026-10-25T01:00Z, from 2027-03-28T01:00Z again. */
static const struct clock_change berlin[] = { { 1774746000, 7200 }, { 1792890000, 3600 }, { 1806195600, 7200 } };

static void parcels_leave_and_arrive(void **state)
{
    static const struct {
        const char *says, *now;
        bool full;
        int64_t handling, transit;
        const char *leaves, *arrives; /* the end of that day in Berlin */
    } cases[] = {
        { "before the cut-off: today", "2026-11-24T12:59:59Z", false, 0, 1, "2026-11-24", "2026-11-25T23:00:00Z" },
        { "at the cut-off it is past", "2026-11-24T13:00:00Z", false, 0, 1, "2026-11-25", "2026-11-26T23:00:00Z" },
        { "Friday afternoon: Saturday", "2026-11-27T13:30:00Z", false, 0, 1, "2026-11-28", "2026-11-30T23:00:00Z" },
        { "Friday's parcel is under way over the weekend", "2026-11-27T08:00:00Z", false, 0, 1, "2026-11-27", "2026-11-30T23:00:00Z" },
        { "Saturday is open until noon", "2026-11-28T10:00:00Z", false, 0, 2, "2026-11-28", "2026-12-01T23:00:00Z" },
        { "Saturday is over: Monday", "2026-11-28T11:00:00Z", false, 0, 0, "2026-11-30", "2026-11-30T23:00:00Z" },
        { "a day of handling", "2026-11-24T08:00:00Z", false, 1, 1, "2026-11-25", "2026-11-26T23:00:00Z" },
        { "handling counts open days: over Sunday", "2026-11-27T08:00:00Z", false, 2, 0, "2026-11-30", "2026-11-30T23:00:00Z" },
        { "no capacity left: tomorrow", "2026-11-24T08:00:00Z", true, 0, 1, "2026-11-25", "2026-11-26T23:00:00Z" },
        { "Christmas is closed", "2026-12-24T14:00:00Z", false, 0, 1, "2026-12-28", "2026-12-29T23:00:00Z" },
        { "the night before in UTC is the next day there", "2026-11-24T23:30:00Z", false, 0, 0, "2026-11-25", "2026-11-25T23:00:00Z" },
        { "summer: the cut-off is an hour earlier in UTC", "2026-10-23T12:00:00Z", false, 0, 1, "2026-10-24", "2026-10-26T23:00:00Z" },
        { "a minute before it", "2026-10-23T11:59:00Z", false, 0, 0, "2026-10-23", "2026-10-23T22:00:00Z" },
        { "in the second hour of the long night it is Sunday", "2026-10-25T01:30:00Z", false, 0, 0, "2026-10-26", "2026-10-26T23:00:00Z" },
        { "the short night ends a day of summer time", "2027-03-26T08:00:00Z", false, 0, 1, "2027-03-26", "2027-03-29T22:00:00Z" },
    };
    int64_t closed[2];
    assert_true(when_date_parse("2026-12-25", &closed[0]) && when_date_parse("2026-12-26", &closed[1]));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct calendar calendar = { .cut_off_min = { 840, 840, 840, 840, 840, 720, -1 },
                                     .closed = closed,
                                     .closed_count = 2,
                                     .handling_days = cases[i].handling,
                                     .changes = berlin,
                                     .change_count = COUNT(berlin) };
        int64_t now;
        char day[32], at[32];
        assert_true(when_parse(cases[i].now, strlen(cases[i].now), &now));
        int64_t leaves = calendar_leaves(&calendar, now, cases[i].full);
        when_date_format(leaves, day);
        when_format(calendar_arrives(&calendar, leaves, cases[i].transit), at);
        if (strcmp(day, cases[i].leaves) != 0 || strcmp(at, cases[i].arrives) != 0)
            fail_msg("%s: leaves %s, arrives %s", cases[i].says, day, at);
    }
    (void)state;
}

static void a_node_that_is_never_open_has_no_day(void **state)
{
    const struct calendar calendar = { .cut_off_min = { -1, -1, -1, -1, -1, -1, -1 } };
    assert_true(calendar_leaves(&calendar, 0, false) == INT64_MIN);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(parcels_leave_and_arrive), cmocka_unit_test(a_node_that_is_never_open_has_no_day) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
