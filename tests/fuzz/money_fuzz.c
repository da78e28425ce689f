/* tests/fuzz/money_fuzz.c: any text as an amount, any numbers through the sums. What is parsed comes back; parts add up to
 * the total, each within one of its exact share; tax and net add up to the gross. */
#include "base/money.h"
#include <stdlib.h>
#include <string.h>

#define MUST(condition) ((condition) ? (void)0 : abort())

static void parse(const char *text, size_t bytes)
{
    for (int exponent = 0; exponent <= 4; exponent++) {
        int64_t minor = 0, again = 0;
        char out[32];
        if (!money_parse(text, bytes, exponent, &minor))
            continue;
        money_format(minor, exponent, out);
        MUST(money_parse(out, strlen(out), exponent, &again) && again == minor);
        MUST(strlen(out) >= bytes && memcmp(out, text, bytes) == 0); /* only zeros behind the point were added */
    }
}

static void rates(int64_t minor, int64_t ppm)
{
    int64_t up = 0, even = 0, down = 0, tax = 0;
    if (money_rate(minor, ppm, ROUND_HALF_UP, &up)) {
        MUST(money_rate(minor, ppm, ROUND_HALF_EVEN, &even) && money_rate(minor, ppm, ROUND_DOWN, &down));
        __int128 off = (__int128)up * 1000000 - (__int128)minor * ppm;
        MUST(off >= -500000 && off <= 500000 && llabs(up - down) <= 1 && (even == up || even == down));
    }
    if (money_tax_inside(minor, ppm, &tax))
        MUST(minor >= 0 ? tax >= 0 && tax <= minor : tax <= 0 && tax >= minor);
}

static void allocate(int64_t total, int64_t *weights, size_t count)
{
    int64_t parts[64];
    __int128 sum = 0, weight = 0;
    if (!money_allocate(total, weights, parts, count))
        return;
    for (size_t i = 0; i < count; i++)
        weight += weights[i];
    for (size_t i = 0; i < count; i++) {
        __int128 exact = (__int128)total * weights[i] / weight, off = parts[i] - exact;
        MUST(off >= -1 && off <= 1);
        sum += parts[i];
    }
    MUST(sum == total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char code[4] = { 0 }, *text = malloc(size + 1);
    memcpy(text, data, size);
    parse(text, size);
    memcpy(code, data, size < 3 ? size : 3);
    int exponent = currency_exponent(code);
    MUST(exponent >= -1 && exponent <= 4);
    int64_t numbers[64] = { 0 };
    size_t count = size / 8 < 64 ? size / 8 : 64;
    if (count > 0)
        memcpy(numbers, data, count * 8);
    rates(numbers[0], numbers[1]);
    rates(numbers[0], numbers[1] % 2000000);
    for (size_t i = 1; i < count; i++)
        numbers[i] = numbers[i] & INT64_MAX >> (data[0] % 63);
    if (count > 1)
        allocate(numbers[0], numbers + 1, count - 1);
    free(text);
    return 0;
}
