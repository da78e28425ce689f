/* src/base/zone.c: tzdata's compiled zones: a list of instants from which on an offset holds, and a rule, in POSIX's words, for what comes
 * after the last of them. The file is read whole; its figures are judged before they are believed. */
#include "base/zone.h"
#include "base/text.h"
#include "base/when.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ZONES "/usr/share/zoneinfo/"
#define FILE_BYTES_MAX 65536
#define HEADER_BYTES 44
#define DAY_S 86400

/* When in a year the clocks change: the n-th (5: the last) weekday of a month, or a day of the year, and how many seconds into it. */
struct change {
    char kind; /* M, J: day 1 to 365 without the leap day, 0: day 0 to 365 */
    int month, week, day;
    int64_t time_s;
};
struct rule {
    bool is_there, has_summer;
    int64_t standard_s, summer_s; /* east */
    struct change begins, ends;
};
struct zone {
    size_t count;
    int64_t *from_s;   /* ascending */
    int64_t *offset_s; /* from then on */
    int64_t before_s;  /* the offset before the first */
    struct rule rule;
};

/* ---- the rule ---- */

static bool read_number(const char **at, int64_t most, int64_t *out)
{
    const char *first = *at;
    *out = 0;
    for (; **at >= '0' && **at <= '9' && *out <= most; (*at)++)
        *out = *out * 10 + (**at - '0');
    return *at > first && *out <= most;
}

/* "3", "-1:30", "+167:00:00" to seconds. */
static bool read_time(const char **at, int64_t *out)
{
    int64_t part[3] = { 0 }, sign = **at == '-' ? -1 : 1;
    *at += **at == '-' || **at == '+';
    for (size_t i = 0; i < COUNT(part); i++) {
        if (i > 0 && **at != ':')
            break;
        *at += i > 0;
        if (!read_number(at, i == 0 ? 167 : 59, &part[i]))
            return false;
    }
    *out = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
    return true;
}

/* "CET" or "<+0330>" */
static bool skip_name(const char **at)
{
    const char *first = *at;
    if (**at == '<') {
        *at += strcspn(*at, ">");
        *at += **at == '>';
        return *at > first + 2;
    }
    while ((**at >= 'A' && **at <= 'Z') || (**at >= 'a' && **at <= 'z'))
        (*at)++;
    return *at > first;
}

static bool read_change(const char **at, struct change *change)
{
    int64_t month = 0, week = 0, day;
    if (*(*at)++ != ',')
        return false;
    change->kind = '0';
    if (**at == 'M' || **at == 'J')
        change->kind = *(*at)++;
    if (change->kind == 'M') {
        if (!read_number(at, 12, &month) || month < 1 || *(*at)++ != '.' || !read_number(at, 5, &week) || week < 1 || *(*at)++ != '.')
            return false;
    }
    if (!read_number(at, change->kind == 'M' ? 6 : 365, &day))
        return false;
    change->month = (int)month, change->week = (int)week, change->day = (int)day;
    change->time_s = 2 * INT64_C(3600);
    if (**at != '/')
        return true;
    (*at)++;
    return read_time(at, &change->time_s);
}

static bool read_rule(const char *text, struct rule *rule)
{
    int64_t west;
    if (*text == '\0')
        return true; /* the last offset holds for ever */
    if (!skip_name(&text) || !read_time(&text, &west))
        return false;
    *rule = (struct rule){ .is_there = true, .standard_s = -west };
    if (*text == '\0')
        return true;
    rule->has_summer = true;
    rule->summer_s = rule->standard_s + 3600;
    if (!skip_name(&text))
        return false;
    if (*text != ',') {
        if (!read_time(&text, &west))
            return false;
        rule->summer_s = -west;
    }
    return read_change(&text, &rule->begins) && read_change(&text, &rule->ends) && *text == '\0';
}

/* The wall clock's seconds since 1970 at which it is. */
static int64_t change_in(const struct change *change, int year)
{
    int64_t first = when_days(year, 1, 1), day;
    bool is_leap = when_days(year + 1, 1, 1) - first == 366;
    if (change->kind == 'M') {
        int64_t month = when_days(year, change->month, 1);
        int64_t next = change->month == 12 ? when_days(year + 1, 1, 1) : when_days(year, change->month + 1, 1);
        int64_t weekday = ((month + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
        day = month + (change->day - weekday + 7) % 7 + INT64_C(7) * (change->week - 1);
        day -= day >= next ? 7 : 0;
    } else if (change->kind == 'J') {
        day = first + change->day - 1 + (is_leap && change->day > 59 ? 1 : 0);
    } else {
        day = first + change->day;
    }
    return day * DAY_S + change->time_s;
}

static int64_t offset_by_rule(const struct rule *rule, int64_t at_s)
{
    if (!rule->has_summer)
        return rule->standard_s;
    int year = when_year(at_s + rule->standard_s);
    int64_t begins = change_in(&rule->begins, year) - rule->standard_s, ends = change_in(&rule->ends, year) - rule->summer_s;
    bool summer = begins < ends ? at_s >= begins && at_s < ends : at_s >= begins || at_s < ends;
    return summer ? rule->summer_s : rule->standard_s;
}

/* ---- the file ---- */

static int64_t read_big(const unsigned char *at, size_t bytes)
{
    uint64_t value = at[0] >= 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

struct figures {
    int64_t ut, standard, leap, time, type, letters;
};

static bool read_header(const unsigned char *at, const unsigned char *end, struct figures *out)
{
    int64_t *const each[] = { &out->ut, &out->standard, &out->leap, &out->time, &out->type, &out->letters };
    if (end - at < HEADER_BYTES || memcmp(at, "TZif", 4) != 0 || at[4] < '2')
        return false;
    for (size_t i = 0; i < COUNT(each); i++) {
        *each[i] = read_big(at + 20 + 4 * i, 4);
        if (*each[i] < 0 || *each[i] > FILE_BYTES_MAX)
            return false;
    }
    return out->type > 0;
}

static int64_t block_bytes(const struct figures *f, int64_t time_bytes)
{
    return f->time * (time_bytes + 1) + f->type * 6 + f->letters + f->leap * (time_bytes + 4) + f->standard + f->ut;
}

static bool read_changes(struct arena *arena, const unsigned char *at, const struct figures *f, struct zone *zone)
{
    const unsigned char *kinds = at + 8 * f->time, *types = kinds + f->time;
    zone->count = (size_t)f->time;
    zone->from_s = ARENA_ARRAY(arena, int64_t, zone->count + 1);
    zone->offset_s = ARENA_ARRAY(arena, int64_t, zone->count + 1);
    zone->before_s = read_big(types, 4);
    for (size_t i = 0; i < zone->count; i++) {
        if (kinds[i] >= f->type)
            return false;
        zone->from_s[i] = read_big(at + 8 * i, 8);
        zone->offset_s[i] = read_big(types + (size_t)6 * kinds[i], 4);
        if (i > 0 && zone->from_s[i] <= zone->from_s[i - 1])
            return false;
    }
    return true;
}

/* The first block repeats the second in 32 bits, for programs of old. Behind the second stands the rule, a line of its own. */
static bool read_zone(struct arena *arena, const unsigned char *at, size_t bytes, struct zone *zone)
{
    const unsigned char *end = at + bytes;
    struct figures f;
    if (!read_header(at, end, &f) || end - at < HEADER_BYTES + block_bytes(&f, 4))
        return false;
    at += HEADER_BYTES + block_bytes(&f, 4);
    if (!read_header(at, end, &f) || end - at < HEADER_BYTES + block_bytes(&f, 8))
        return false;
    at += HEADER_BYTES;
    if (!read_changes(arena, at, &f, zone))
        return false;
    at += block_bytes(&f, 8);
    const unsigned char *line_end = at == end || *at != '\n' ? NULL : memchr(at + 1, '\n', (size_t)(end - at - 1));
    return line_end != NULL && read_rule(arena_text_n(arena, (const char *)at + 1, (size_t)(line_end - at - 1)), &zone->rule);
}

struct zone *zone_load(struct arena *arena, const char *name)
{
    if (name == NULL || name[0] == '/' || strstr(name, "..") != NULL)
        return NULL;
    int file = open(arena_printf(arena, ZONES "%s", name), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return NULL;
    unsigned char *bytes = ARENA_ARRAY(arena, unsigned char, FILE_BYTES_MAX);
    size_t size = 0;
    for (ssize_t got; size < FILE_BYTES_MAX && (got = read(file, bytes + size, FILE_BYTES_MAX - size)) > 0;)
        size += (size_t)got;
    close(file);
    struct zone *zone = ARENA_NEW(arena, struct zone);
    return size < FILE_BYTES_MAX && read_zone(arena, bytes, size, zone) ? zone : NULL;
}

/* ---- what is asked ---- */

int64_t zone_offset_s(const struct zone *zone, int64_t at_us)
{
    if (zone == NULL)
        return 0;
    const int64_t at_s = at_us / 1000000 - (at_us % 1000000 < 0 ? 1 : 0);
    size_t low = 0, high = zone->count; /* the changes below low have been */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (zone->from_s[middle] <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->count && zone->rule.is_there)
        return offset_by_rule(&zone->rule, at_s);
    return low == 0 ? zone->before_s : zone->offset_s[low - 1];
}

int64_t zone_day(const struct zone *zone, int64_t at_us)
{
    const int64_t day_us = DAY_S * INT64_C(1000000), local_us = at_us + zone_offset_s(zone, at_us) * 1000000;
    return local_us / day_us - (local_us % day_us < 0 ? 1 : 0);
}
