/* src/base/zone.h: the date that an instant has at a place: IANA time zones, read from the machine's tzdata. */
#ifndef MILLRACE_BASE_ZONE_H
#define MILLRACE_BASE_ZONE_H

#include "base/arena.h"

struct zone;

/* The zone of an IANA name, in the arena. NULL: this machine's tzdata has none of this name, or no file that can be read. The file's text
 * (RFC 9636, version 2 and later) is judged: what is no zone, or does not fit its own figures, is NULL too. */
struct zone *zone_load(struct arena *arena, const char *name);

/* Seconds east of UTC at an instant; of NULL, which stands for UTC, 0. Past the file's last change by its rule for the years to come. */
int64_t zone_offset_s(const struct zone *zone, int64_t at_us);
/* Days since 1970-01-01 of the date that the place has at an instant. */
int64_t zone_day(const struct zone *zone, int64_t at_us);

#endif
