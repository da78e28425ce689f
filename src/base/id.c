/* src/base/id.c: an id outside is its prefix, '_' and 13 digits of five bits each, the first of which uses three. */
#include "base/id.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

#define ID_DIGITS 13

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford: no I, L, O, U */

void id_format(const char *prefix, int64_t unit, int64_t counter, char out[32])
{
    size_t length = strlen(prefix);
    assert(length + 1 + ID_DIGITS < 32 && unit >= 0 && unit <= ID_UNIT_MAX && counter >= 0 && counter <= ID_COUNTER_MAX);
    memcpy(out, prefix, length);
    out[length] = '_';
    uint64_t value = (uint64_t)unit << 48 | (uint64_t)counter;
    for (size_t i = ID_DIGITS; i > 0; i--) {
        out[length + i] = alphabet[value & 31];
        value >>= 5;
    }
    out[length + 1 + ID_DIGITS] = '\0';
}

const char *id_text(struct arena *arena, const char *prefix, int64_t unit, int64_t counter)
{
    char text[32];
    id_format(prefix, unit, counter, text);
    return arena_text(arena, text);
}

bool id_parse(const char *text, size_t bytes, const char *prefix, int64_t *unit, int64_t *counter)
{
    size_t length = strlen(prefix);
    if (bytes != length + 1 + ID_DIGITS || memcmp(text, prefix, length) != 0 || text[length] != '_')
        return false;
    uint64_t value = 0;
    const char *digits = text + length + 1;
    for (size_t i = 0; i < ID_DIGITS; i++) {
        const char *digit = memchr(alphabet, digits[i], sizeof alphabet - 1);
        if (digit == NULL || (i == 0 && digit - alphabet > 7))
            return false;
        value = value << 5 | (uint64_t)(digit - alphabet);
    }
    *unit = (int64_t)(value >> 48);
    *counter = (int64_t)(value & (uint64_t)ID_COUNTER_MAX);
    return true;
}

bool gtin_valid(const char *text, size_t bytes)
{
    if (bytes != 8 && bytes != 12 && bytes != 13 && bytes != 14)
        return false;
    int sum = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        sum += (text[i] - '0') * ((bytes - 1 - i) % 2 == 1 ? 3 : 1); /* weights count from the check digit */
    }
    return sum % 10 == 0;
}

void cursor_format(const char *prefix, const int64_t *places, size_t count, char out[CURSOR_BYTES_MAX])
{
    size_t used = (size_t)snprintf(out, CURSOR_BYTES_MAX, "%s_", prefix);
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(out + used, CURSOR_BYTES_MAX - used, "%s%ld", i == 0 ? "" : ".", (long)places[i]);
}

bool cursor_parse(const char *text, const char *prefix, int64_t *places, size_t count)
{
    int64_t read[CURSOR_PLACES_MAX];
    size_t bytes = strlen(prefix);
    if (strncmp(text, prefix, bytes) != 0 || text[bytes] != '_')
        return false;
    text += bytes + 1;
    for (size_t i = 0; i < count; i++) {
        size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > 18 || (digits > 1 && text[0] == '0') || text[digits] != (i + 1 < count ? '.' : '\0'))
            return false;
        read[i] = 0;
        for (size_t k = 0; k < digits; k++)
            read[i] = read[i] * 10 + (text[k] - '0');
        text += digits + 1;
    }
    memcpy(places, read, count * sizeof *places);
    return true;
}

bool event_id_parse(struct arena *arena, const char *text, const char **unit, int64_t *seq)
{
    const char *colon = strrchr(text, ':'); /* a unit's code may hold colons, a number does not */
    size_t digits = colon == NULL ? 0 : strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 18 || colon[1 + digits] != '\0' || (digits > 1 && colon[1] == '0'))
        return false;
    *unit = arena_text_n(arena, text, (size_t)(colon - text));
    *seq = 0;
    for (size_t i = 0; i < digits; i++)
        *seq = *seq * 10 + (colon[1 + i] - '0');
    return true;
}
