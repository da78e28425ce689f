/* src/routing/calendar.c: working days of a node, and of carriers, who are taken to drive from Monday to Friday. */
#include "routing/calendar.h"

#define DAY_S INT64_C(86400)
#define SECOND_US INT64_C(1000000)
#define DAYS_MAX 731 /* so far ahead an open day is looked for */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t offset_at(const struct calendar *calendar, int64_t at_s)
{
    int64_t offset = calendar->change_count == 0 ? 0 : calendar->changes[0].offset_s;
    for (size_t i = 0; i < calendar->change_count && calendar->changes[i].from_s <= at_s; i++)
        offset = calendar->changes[i].offset_s;
    return offset;
}

/* From Monday; 1970-01-01 was a Thursday. */
static int64_t weekday(int64_t day)
{
    return ((day + 3) % 7 + 7) % 7;
}

static bool is_open(const struct calendar *calendar, int64_t day)
{
    for (size_t i = 0; i < calendar->closed_count; i++)
        if (calendar->closed[i] == day)
            return false;
    return calendar->cut_off_min[weekday(day)] >= 0;
}

int64_t calendar_day(const struct calendar *calendar, int64_t at_us)
{
    int64_t at_s = floor_div(at_us, SECOND_US);
    return floor_div(at_s + offset_at(calendar, at_s), DAY_S);
}

int64_t calendar_leaves(const struct calendar *calendar, int64_t now_us, bool full)
{
    int64_t now_s = floor_div(now_us, SECOND_US), local = now_s + offset_at(calendar, now_s);
    int64_t day = floor_div(local, DAY_S), minute = (local - day * DAY_S) / 60, handling = calendar->handling_days;
    if (full || !is_open(calendar, day) || minute >= calendar->cut_off_min[weekday(day)])
        day++;
    for (int64_t last = day + DAYS_MAX; day < last; day++)
        if (is_open(calendar, day) && handling-- == 0)
            return day;
    return INT64_MIN;
}

int64_t calendar_arrives(const struct calendar *calendar, int64_t leaves_day, int64_t transit_days)
{
    int64_t day = leaves_day;
    while (transit_days > 0)
        transit_days -= weekday(++day) < 5;
    int64_t local = (day + 1) * DAY_S, guess = local - offset_at(calendar, local);
    return (local - offset_at(calendar, guess)) * SECOND_US;
}
