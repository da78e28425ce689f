/* src/base/when.h: instants as microseconds since 1970-01-01T00:00:00Z, UTC without leap seconds. */
#ifndef MILLRACE_BASE_WHEN_H
#define MILLRACE_BASE_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 3339 (a time zone is due; 'T' and 'Z' in either case; a leap second, 23:59:60 in UTC, is the second after 59; digits
 * past the sixth are dropped); years 1 to 9999 in UTC. False, with at_us untouched, for anything else. */
bool when_parse(const char *text, size_t bytes, int64_t *at_us);
#define WHEN_MIN INT64_C(-62135596800000000) /* 0001-01-01T00:00:00Z */
#define WHEN_MAX INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */
/* WHEN_MIN .. WHEN_MAX to "2026-11-24T08:00:00Z", with a fraction of 3 or 6 digits only where there is one. out needs 32 bytes. */
void when_format(int64_t at_us, char out[32]);

/* Days since 1970-01-01 of a date, 1 <= month <= 12; the year in which so many seconds since 1970 lie. */
int64_t when_days(int year, int month, int day);
int when_year(int64_t at_s);
/* "2026-11-24", the whole text, from and to days since 1970-01-01; years 1 to 9999. */
bool when_date_parse(const char *text, int64_t *days);
void when_date_format(int64_t days, char out[32]);

int64_t when_now_us(void);       /* the wall clock; only the outermost layer calls it: engine clock, cli, http */
int64_t when_monotonic_us(void); /* for durations */

#endif
