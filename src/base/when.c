/* src/base/when.c: RFC 3339 texts and microseconds. The calendar is the proleptic Gregorian one; days are counted as in
 * Howard Hinnant, "chrono-compatible low-level date algorithms": a year begins in March, so that the leap day comes last. */
#include "base/when.h"
#include <assert.h>
#include <string.h>
#include <time.h>

#define SECOND_US INT64_C(1000000)
#define DAY_S 86400

struct civil {
    int year, month, day;
};

static int64_t days_from_civil(struct civil date)
{
    int64_t year = date.year - (date.month <= 2 ? 1 : 0);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static struct civil civil_from_days(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153; /* months since March */
    int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    return (struct civil){ .year = (int)(year_of_era + era * 400 + (month <= 2 ? 1 : 0)),
                           .month = (int)month,
                           .day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1) };
}

static int days_of_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

/* `count` digits at `at`, -1 where one is none. */
static int read_digits(const char *at, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -1;
        value = value * 10 + (at[i] - '0');
    }
    return value;
}

/* "2026-11-24" to days since 1970. */
static bool read_date(const char *at, int64_t *days)
{
    struct civil date = { read_digits(at, 4), read_digits(at + 5, 2), read_digits(at + 8, 2) };
    if (at[4] != '-' || at[7] != '-' || date.year < 1 || date.month < 1 || date.month > 12)
        return false;
    if (date.day < 1 || date.day > days_of_month(date.year, date.month))
        return false;
    *days = days_from_civil(date);
    return true;
}

int64_t when_days(int year, int month, int day)
{
    return days_from_civil((struct civil){ year, month, day });
}

int when_year(int64_t at_s)
{
    return civil_from_days(at_s / DAY_S - (at_s % DAY_S < 0 ? 1 : 0)).year;
}

bool when_date_parse(const char *text, int64_t *days)
{
    return strlen(text) == sizeof "2026-11-24" - 1 && read_date(text, days);
}

void when_date_format(int64_t days, char out[32])
{
    when_format(days * DAY_S * SECOND_US, out);
    out[sizeof "2026-11-24" - 1] = '\0';
}

/* "Z", "+05:45" up to the end, to seconds east of Greenwich. */
static bool read_offset(const char *at, const char *end, int *offset_s)
{
    *offset_s = 0;
    if (end - at == 1)
        return *at == 'Z' || *at == 'z';
    if (end - at != 6 || (*at != '+' && *at != '-') || at[3] != ':')
        return false;
    int hours = read_digits(at + 1, 2), minutes = read_digits(at + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *offset_s = (hours * 60 + minutes) * 60 * (*at == '-' ? -1 : 1);
    return true;
}

/* ".123456789" to 123456; moves `at` behind it. No point is no fraction. */
static bool read_fraction(const char **at, const char *end, int *fraction_us)
{
    *fraction_us = 0;
    if (*at == end || **at != '.')
        return true;
    int worth_us = 100000;
    const char *digit = *at + 1;
    for (; digit < end && *digit >= '0' && *digit <= '9'; digit++) {
        *fraction_us += (*digit - '0') * worth_us;
        worth_us /= 10;
    }
    bool some = digit > *at + 1;
    *at = digit;
    return some;
}

bool when_parse(const char *text, size_t bytes, int64_t *at_us)
{
    static const size_t shortest = sizeof "2026-11-24T09:00:00Z" - 1;
    int64_t days = 0;
    if (bytes < shortest || !read_date(text, &days) || (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':')
        return false;
    int hour = read_digits(text + 11, 2), minute = read_digits(text + 14, 2), second = read_digits(text + 17, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    const char *at = text + 19, *end = text + bytes;
    int fraction_us = 0, offset_s = 0;
    if (!read_fraction(&at, end, &fraction_us) || !read_offset(at, end, &offset_s))
        return false;
    int64_t utc_s = days * DAY_S + hour * INT64_C(3600) + minute * INT64_C(60) + second - offset_s;
    if (second == 60 && utc_s % DAY_S != 0)
        return false; /* leap seconds end a day in UTC, wherever the clock on the wall stands */
    int64_t result = utc_s * SECOND_US + fraction_us;
    if (result < WHEN_MIN || result > WHEN_MAX)
        return false;
    *at_us = result;
    return true;
}

/* `count` digits of `value` at `at`; gives the place behind them. */
static char *write_digits(char *at, int value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + count;
}

void when_format(int64_t at_us, char out[32])
{
    assert(at_us >= WHEN_MIN && at_us <= WHEN_MAX);
    int64_t seconds = at_us / SECOND_US - (at_us % SECOND_US < 0 ? 1 : 0);
    int fraction_us = (int)(at_us - seconds * SECOND_US);
    int64_t days = seconds / DAY_S - (seconds % DAY_S < 0 ? 1 : 0);
    int of_day = (int)(seconds - days * DAY_S);
    struct civil date = civil_from_days(days);
    memcpy(out, "0000-00-00T00:00:00", 19);
    write_digits(out, date.year, 4);
    write_digits(out + 5, date.month, 2);
    write_digits(out + 8, date.day, 2);
    write_digits(out + 11, of_day / 3600, 2);
    write_digits(out + 14, of_day / 60 % 60, 2);
    write_digits(out + 17, of_day % 60, 2);
    char *at = out + 19;
    if (fraction_us != 0) {
        bool milli = fraction_us % 1000 == 0;
        *at = '.';
        at = write_digits(at + 1, milli ? fraction_us / 1000 : fraction_us, milli ? 3 : 6);
    }
    memcpy(at, "Z", 2);
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    int rc = clock_gettime(clock, &now);
    assert(rc == 0); /* both clocks exist on every Linux */
    (void)rc;
    return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

int64_t when_now_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t when_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
