/* src/base/money.c: whole minor units; every product and quotient goes through 128 bits and is narrowed once, at the end.
 * Rounding is named by the caller, never implied. Amounts are mirrored around zero: what holds for a charge holds for
 * its refund, so that the two always cancel. */
#include "base/money.h"
#include <assert.h>
#include <string.h>

/* ISO 4217 list one, by first letter: code and digits after the point. Not in it: metals, baskets and test codes (XAU,
 * XDR, XXX ...), which have no minor unit. Withdrawn codes stay (ANG, BGN, HRK, SLL, ZWL; 2023 and later): orders of that time
 * are still read and refunded. A row is never taken out, or stored amounts could no longer be written. */
static const char *const currencies[26] = {
    ['A' - 'A'] = "AED2 AFN2 ALL2 AMD2 ANG2 AOA2 ARS2 AUD2 AWG2 AZN2",
    ['B' - 'A'] = "BAM2 BBD2 BDT2 BGN2 BHD3 BIF0 BMD2 BND2 BOB2 BOV2 BRL2 BSD2 BTN2 BWP2 BYN2 BZD2",
    ['C' - 'A'] = "CAD2 CDF2 CHE2 CHF2 CHW2 CLF4 CLP0 CNY2 COP2 COU2 CRC2 CUP2 CVE2 CZK2",
    ['D' - 'A'] = "DJF0 DKK2 DOP2 DZD2",
    ['E' - 'A'] = "EGP2 ERN2 ETB2 EUR2",
    ['F' - 'A'] = "FJD2 FKP2",
    ['G' - 'A'] = "GBP2 GEL2 GHS2 GIP2 GMD2 GNF0 GTQ2 GYD2",
    ['H' - 'A'] = "HKD2 HNL2 HRK2 HTG2 HUF2",
    ['I' - 'A'] = "IDR2 ILS2 INR2 IQD3 IRR2 ISK0",
    ['J' - 'A'] = "JMD2 JOD3 JPY0",
    ['K' - 'A'] = "KES2 KGS2 KHR2 KMF0 KPW2 KRW0 KWD3 KYD2 KZT2",
    ['L' - 'A'] = "LAK2 LBP2 LKR2 LRD2 LSL2 LYD3",
    ['M' - 'A'] = "MAD2 MDL2 MGA2 MKD2 MMK2 MNT2 MOP2 MRU2 MUR2 MVR2 MWK2 MXN2 MXV2 MYR2 MZN2",
    ['N' - 'A'] = "NAD2 NGN2 NIO2 NOK2 NPR2 NZD2",
    ['O' - 'A'] = "OMR3",
    ['P' - 'A'] = "PAB2 PEN2 PGK2 PHP2 PKR2 PLN2 PYG0",
    ['Q' - 'A'] = "QAR2",
    ['R' - 'A'] = "RON2 RSD2 RUB2 RWF0",
    ['S' - 'A'] = "SAR2 SBD2 SCR2 SDG2 SEK2 SGD2 SHP2 SLE2 SLL2 SOS2 SRD2 SSP2 STN2 SVC2 SYP2 SZL2",
    ['T' - 'A'] = "THB2 TJS2 TMT2 TND3 TOP2 TRY2 TTD2 TWD2 TZS2",
    ['U' - 'A'] = "UAH2 UGX0 USD2 USN2 UYI0 UYU2 UYW4 UZS2",
    ['V' - 'A'] = "VED2 VES2 VND0 VUV0",
    ['W' - 'A'] = "WST2",
    ['X' - 'A'] = "XAF0 XCD2 XCG2 XOF0 XPF0",
    ['Y' - 'A'] = "YER2",
    ['Z' - 'A'] = "ZAR2 ZMW2 ZWG2 ZWL2",
};

int currency_exponent(const char *currency)
{
    if (currency == NULL || currency[0] < 'A' || currency[0] > 'Z' || strlen(currency) != 3)
        return -1;
    const char *row = currencies[currency[0] - 'A'];
    for (const char *at = row; at != NULL && *at != '\0'; at += at[4] == '\0' ? 4 : 5)
        if (memcmp(at, currency, 3) == 0)
            return at[3] - '0';
    return -1;
}

bool money_add(int64_t a, int64_t b, int64_t *out)
{
    int64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

bool money_multiply(int64_t a, int64_t b, int64_t *out)
{
    int64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *out = product;
    return true;
}

/* numerator / denominator (> 0), rounded; false where it does not fit. */
static bool divide(__int128 numerator, __int128 denominator, enum rounding rounding, int64_t *out)
{
    __int128 quotient = numerator / denominator;
    __int128 twice = (numerator % denominator) * 2;
    int away = numerator < 0 ? -1 : 1;
    if (twice < 0)
        twice = -twice;
    switch (rounding) {
    case ROUND_HALF_UP:
        quotient += twice >= denominator ? away : 0;
        break;
    case ROUND_HALF_EVEN:
        quotient += twice > denominator || (twice == denominator && quotient % 2 != 0) ? away : 0;
        break;
    case ROUND_DOWN:
        break;
    }
    if (quotient < INT64_MIN || quotient > INT64_MAX)
        return false;
    *out = (int64_t)quotient;
    return true;
}

#define MILLION 1000000

bool money_rate(int64_t minor, int64_t rate_ppm, enum rounding rounding, int64_t *out)
{
    return divide((__int128)minor * rate_ppm, MILLION, rounding, out);
}

bool money_tax_inside(int64_t gross, int64_t rate_ppm, int64_t *tax)
{
    int64_t net = 0;
    if (rate_ppm < 0 || !divide((__int128)gross * MILLION, (__int128)MILLION + rate_ppm, ROUND_HALF_UP, &net))
        return false;
    *tax = gross - net; /* net lies between 0 and gross: fits */
    return true;
}

/* How many of the remainders are above the bound. */
static size_t count_above(const int64_t *remainders, size_t count, int64_t bound)
{
    size_t above = 0;
    for (size_t i = 0; i < count; i++)
        above += remainders[i] > bound ? 1 : 0;
    return above;
}

/* The smallest bound that at most `units` of the remainders (all below `sum`) exceed. By halving, since an order of a
 * thousand lines needs no memory and no sorting for that. */
static int64_t remainder_bound(const int64_t *remainders, size_t count, int64_t sum, size_t units)
{
    int64_t low = 0, high = sum;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (count_above(remainders, count, middle) <= units)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool money_allocate(int64_t total, const int64_t *weights, int64_t *parts, size_t count)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        if (weights[i] < 0 || __builtin_add_overflow(sum, weights[i], &sum))
            return false;
    if (sum == 0)
        return false;
    /* The size of the total is split and its sign given to the parts; as unsigned, for INT64_MIN has no opposite. */
    uint64_t size = total < 0 ? 0 - (uint64_t)total : (uint64_t)total, left = size;
    for (size_t i = 0; i < count; i++) {
        unsigned __int128 share = (unsigned __int128)size * (uint64_t)weights[i];
        left -= (uint64_t)(share / (uint64_t)sum);
        parts[i] = (int64_t)(share % (uint64_t)sum); /* until the second pass */
    }
    assert(left < count);
    int64_t bound = remainder_bound(parts, count, sum, (size_t)left);
    uint64_t ties = left - count_above(parts, count, bound);
    for (size_t i = 0; i < count; i++) {
        uint64_t part = (uint64_t)((unsigned __int128)size * (uint64_t)weights[i] / (uint64_t)sum);
        if (parts[i] > bound) {
            part++;
        } else if (parts[i] == bound && ties > 0) {
            part++;
            ties--;
        }
        parts[i] = (int64_t)(total < 0 ? 0 - part : part);
    }
    return true;
}

bool money_parse(const char *text, size_t bytes, int exponent, int64_t *minor)
{
    const char *at = text, *end = text + bytes;
    bool negative = at < end && *at == '-';
    at += negative ? 1 : 0;
    const char *first = at;
    uint64_t value = 0;
    int fraction = -1; /* digits after the point; -1 before it */
    for (; at < end; at++) {
        if (*at == '.' && fraction < 0 && at > first) {
            fraction = 0;
            continue;
        }
        if (*at < '0' || *at > '9' || (at == first + 1 && *first == '0' && fraction < 0) || fraction == exponent)
            return false;
        if (__builtin_mul_overflow(value, 10u, &value) || __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return false;
        fraction += fraction >= 0 ? 1 : 0;
    }
    if (at == first || fraction == 0)
        return false;
    for (int i = fraction < 0 ? 0 : fraction; i < exponent; i++)
        if (__builtin_mul_overflow(value, 10u, &value))
            return false;
    if (value > (uint64_t)INT64_MAX + (negative ? 1 : 0) || (negative && value == 0))
        return false; /* minus zero: it would come back as another text */
    *minor = (int64_t)(negative ? 0 - value : value);
    return true;
}

void money_format(int64_t minor, int exponent, char out[32])
{
    assert(exponent >= 0 && exponent <= 4);
    uint64_t value = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
    char backwards[32];
    int count = 0;
    for (int digit = 0; value > 0 || digit <= exponent; digit++) { /* at least one before the point */
        if (digit == exponent && exponent > 0)
            backwards[count++] = '.';
        backwards[count++] = (char)('0' + value % 10);
        value /= 10;
    }
    if (minor < 0)
        backwards[count++] = '-';
    for (int i = 0; i < count; i++)
        out[i] = backwards[count - 1 - i];
    out[count] = '\0';
}

const char *money_text(struct arena *arena, int64_t minor, const char *currency)
{
    char amount[32];
    money_format(minor, currency_exponent(currency), amount);
    return arena_printf(arena, "%s %s", amount, currency);
}
