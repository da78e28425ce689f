/* src/base/id.c: an id outside is its prefix, '_' and 13 digits of five bits each, the first of which uses three. */
#include "base/id.h"
#include <assert.h>
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
