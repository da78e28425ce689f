/* src/base/id.h: ids are drawn under the unit's clock row: unit (15 bits) and counter (48 bits), in commit order. Inside
 * a unit's rows the counter alone stands; outside it is a typed prefix and 13 digits of Crockford base32. */
#ifndef MILLRACE_BASE_ID_H
#define MILLRACE_BASE_ID_H

#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_UNIT_MAX 32767
#define ID_COUNTER_MAX ((INT64_C(1) << 48) - 1)

/* Unit 1, counter 327, prefix "ord" give "ord_00080000000A7"; prefix at most 17 bytes, out needs 32. The 13 digits are
 * unit << 48 | counter, so ids of a unit sort as they were drawn. Crockford's alphabet (crockford.com/base32.html). */
void id_format(const char *prefix, int64_t unit, int64_t counter, char out[32]);
/* The same in the arena. */
const char *id_text(struct arena *arena, const char *prefix, int64_t unit, int64_t counter);
/* Strict: the prefix, upper case digits as we write them, no surplus. False for anything else. */
bool id_parse(const char *text, size_t bytes, const char *prefix, int64_t *unit, int64_t *counter);

/* Where a list goes on: its prefix and 1 to CURSOR_PLACES_MAX numbers from 0, "pos_1.1002.2003". `out` takes the largest. */
#define CURSOR_PLACES_MAX 4
#define CURSOR_BYTES_MAX 100
void cursor_format(const char *prefix, const int64_t *places, size_t count, char out[CURSOR_BYTES_MAX]);
/* Strict: just so many numbers of at most 18 digits, as we write them. False, with places untouched, for anything else. */
bool cursor_parse(const char *text, const char *prefix, int64_t *places, size_t count);

/* The id of an event of the stream, "UNIT:SEQ". Strict: at most 18 digits, as we write them. False, with *unit and *seq
 * untouched, for anything else; whether there is such a unit is not asked. */
bool event_id_parse(struct arena *arena, const char *text, const char **unit, int64_t *seq);

/* The check digit of a GTIN-8, -12, -13 or -14 (GS1 General Specifications, 7.9). */
bool gtin_valid(const char *text, size_t bytes);

#endif
