/* src/routing/calendar.h: when a parcel leaves a node and when it arrives. Pure; days are of the node's time zone, since 1970-01-01. */
#ifndef MILLRACE_ROUTING_CALENDAR_H
#define MILLRACE_ROUTING_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock_change {
    int64_t from_s, offset_s; /* east, from this instant on; ascending */
};
struct calendar {
    int64_t cut_off_min[7]; /* from Monday: minutes of the day, -1: closed */
    const int64_t *closed;  /* days on which nothing leaves */
    size_t closed_count;
    int64_t handling_days; /* open days from the order to the parcel */
    const struct clock_change *changes;
    size_t change_count; /* 0: UTC */
};

/* The day that the node has at an instant. */
int64_t calendar_day(const struct calendar *calendar, int64_t at_us);
/* The day on which a parcel leaves that is ordered now: the first open day whose cut-off is still to come (full: today's is past), and so many
 * open days of handling. INT64_MIN: it is closed for two years. */
int64_t calendar_leaves(const struct calendar *calendar, int64_t now_us, bool full);
/* The instant at which the day ends on which it arrives: so many days from Monday to Friday after it left. */
int64_t calendar_arrives(const struct calendar *calendar, int64_t leaves_day, int64_t transit_days);

#endif
