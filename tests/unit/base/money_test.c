/* tests/unit/base/money_test.c: amounts to the last cent, and what does not fit. */
#include "fixture.h"
#include "base/fields.h"
#include <string.h>

static void currencies(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        int exponent;
    } cases[] = {
        { "EUR", 2 }, { "JPY", 0 },   { "KWD", 3 },  { "CLF", 4 },  { "UYW", 4 },  { "AED", 2 },  { "ZWG", 2 },
        { "XCG", 2 }, { "BGN", 2 },   { "XAU", -1 }, { "XXX", -1 }, { "XTS", -1 }, { "ABC", -1 }, { "eur", -1 },
        { "EU", -1 }, { "EURO", -1 }, { "", -1 },    { "E R", -1 }, { "UR2", -1 }, { "R2 ", -1 }, { NULL, -1 },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(currency_exponent(cases[i].code), cases[i].exponent);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    int64_t out = 7;
    assert_false(money_add(INT64_MAX, 1, &out));
    assert_false(money_add(INT64_MIN, -1, &out));
    assert_false(money_multiply(INT64_MAX, 2, &out));
    assert_false(money_multiply(INT64_MIN, -1, &out));
    assert_false(money_rate(INT64_MAX, 1000001, ROUND_HALF_UP, &out));
    assert_false(money_rate(INT64_MIN, 1500000, ROUND_DOWN, &out));
    assert_false(money_rate(INT64_MIN, INT64_MIN, ROUND_DOWN, &out));
    assert_false(money_tax_inside(100, -1, &out));
    assert_int_equal(out, 7);
    assert_true(money_add(INT64_MAX, INT64_MIN, &out) && out == -1);
    assert_true(money_multiply(-3, 1999, &out) && out == -5997);
    assert_true(money_rate(INT64_MIN, 1000000, ROUND_HALF_EVEN, &out) && out == INT64_MIN);
    assert_true(money_tax_inside(INT64_MAX, 190000, &out) && out == INT64_C(1472639232775132272));
    assert_true(money_tax_inside(INT64_MIN, INT64_MAX, &out) && out == INT64_MIN + 1000000);
    assert_true(money_tax_inside(0, 0, &out) && out == 0);
}

static void a_refund_mirrors_its_charge(void **state)
{
    (void)state;
    for (int64_t minor = 0; minor < 3000; minor++)
        for (int rounding = ROUND_HALF_UP; rounding <= ROUND_DOWN; rounding++) {
            int64_t charge = 0, refund = 0;
            assert_true(money_rate(minor, 52500, (enum rounding)rounding, &charge) && money_rate(-minor, 52500, (enum rounding)rounding, &refund));
            assert_int_equal(charge, -refund);
        }
}

static void discounts_are_shared_out(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        int64_t total, weights[4], parts[4];
        size_t count;
    } cases[] = {
        { "thirds: the cent goes to the first", 100, { 1, 1, 1 }, { 34, 33, 33 }, 3 },
        { "two cents over", 101, { 1, 1, 1 }, { 34, 34, 33 }, 3 },
        { "largest remainder before order", 10, { 1, 2, 4 }, { 1, 3, 6 }, 3 },
        { "a free line takes nothing", 5, { 0, 1, 0, 1 }, { 0, 3, 0, 2 }, 4 },
        { "nothing to share", 0, { 3, 4 }, { 0, 0 }, 2 },
        { "a surcharge", -100, { 1, 1, 1 }, { -34, -33, -33 }, 3 },
        { "the smallest int64", INT64_MIN, { 1 }, { INT64_MIN }, 1 },
        { "large weights", INT64_MAX, { INT64_MAX - 1, 1 }, { INT64_MAX - 1, 1 }, 2 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t parts[4] = { 0 };
        assert_true(money_allocate(cases[i].total, cases[i].weights, parts, cases[i].count));
        if (memcmp(parts, cases[i].parts, sizeof parts) != 0)
            fail_msg("%s: %lld %lld %lld", cases[i].says, (long long)parts[0], (long long)parts[1], (long long)parts[2]);
    }
    int64_t parts[2] = { 8, 9 };
    assert_false(money_allocate(1, (int64_t[]){ 0, 0 }, parts, 2));
    assert_false(money_allocate(1, (int64_t[]){ 2, -1 }, parts, 2));
    assert_false(money_allocate(1, (int64_t[]){ INT64_MAX, 1 }, parts, 2));
    assert_false(money_allocate(1, NULL, NULL, 0));
    assert_true(parts[0] == 8 && parts[1] == 9);
}

static void amounts_come_back(void **state)
{
    (void)state;
    static const struct {
        int64_t minor;
        int exponent;
        const char *text;
    } cases[] = {
        { 1999, 2, "19.99" },
        { 5, 2, "0.05" },
        { 0, 2, "0.00" },
        { -5, 2, "-0.05" },
        { 100, 0, "100" },
        { 0, 0, "0" },
        { 1, 4, "0.0001" },
        { 1234, 3, "1.234" },
        { INT64_MAX, 2, "92233720368547758.07" },
        { INT64_MIN, 4, "-922337203685477.5808" },
        { INT64_MIN, 0, "-9223372036854775808" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[32];
        int64_t minor = 42;
        money_format(cases[i].minor, cases[i].exponent, text);
        assert_string_equal(text, cases[i].text);
        assert_true(money_parse(text, strlen(text), cases[i].exponent, &minor));
        assert_int_equal(minor, cases[i].minor);
    }
    static const char *const bad[] = { "00", "01",  "-01", "0.",   ".0",       "1.2.3", "1..2",
                                       "-",  "-.5", "1-",  "1.-5", "\xC2\xA0", "-0",    "12345678901234567890" };
    for (size_t i = 0; i < COUNT(bad); i++) {
        int64_t minor = 42;
        if (money_parse(bad[i], strlen(bad[i]), 2, &minor) || minor != 42)
            fail_msg("\"%s\" was taken", bad[i]);
    }
    struct arena *arena = arena_new(4096);
    assert_string_equal(money_text(arena, 1999, "EUR"), "19.99 EUR");
    assert_string_equal(money_text(arena, -100, "JPY"), "-100 JPY");
    arena_free(arena);
    int64_t minor;
    assert_false(money_parse("1\0", 2, 2, &minor));
    assert_false(money_parse("1.0", 3, 0, &minor));
}

/* ---- vectors/money/money.json ---- */

struct money_case {
    struct field_presence presence;
    int64_t minor, rate_ppm, half_up, half_even, down, gross, net, tax, ok;
    const char *text, *currency, *why;
};
#define AT(member) FIELD_AT(struct money_case, member)
static const struct field money_case_fields[] = {
    { "minor", FIELD_INT, AT(minor), .nullable = true },
    { "rate_ppm", FIELD_INT, AT(rate_ppm) },
    { "half_up", FIELD_INT, AT(half_up) },
    { "half_even", FIELD_INT, AT(half_even) },
    { "down", FIELD_INT, AT(down) },
    { "gross", FIELD_INT, AT(gross) },
    { "net", FIELD_INT, AT(net) },
    { "tax", FIELD_INT, AT(tax) },
    { "text", FIELD_TEXT, AT(text) },
    { "currency", FIELD_TEXT, AT(currency) },
    { "ok", FIELD_INT, AT(ok) },
    { "why", FIELD_TEXT, AT(why) },
};
static const struct field_table money_case_table = { "Case", money_case_fields, COUNT(money_case_fields), sizeof(struct money_case) };

static void try_tax(const struct money_case *one)
{
    int64_t up = -1, even = -1, down = -1;
    assert_true(money_rate(one->minor, one->rate_ppm, ROUND_HALF_UP, &up) && up == one->half_up);
    assert_true(money_rate(one->minor, one->rate_ppm, ROUND_HALF_EVEN, &even) && even == one->half_even);
    assert_true(money_rate(one->minor, one->rate_ppm, ROUND_DOWN, &down) && down == one->down);
}

static void try_inclusive(const struct money_case *one)
{
    int64_t tax = -1;
    assert_true(money_tax_inside(one->gross, one->rate_ppm, &tax));
    assert_int_equal(tax, one->tax);
    assert_int_equal(one->gross - tax, one->net);
}

static void try_parse(const struct money_case *one)
{
    int64_t minor = NULL_INT;
    int exponent = currency_exponent(one->currency);
    bool good = exponent >= 0 && money_parse(one->text, strlen(one->text), exponent, &minor);
    /* INT64_MIN is an amount, but reads as null in a row of vectors: there its text is what counts. */
    if (good != (one->ok != 0) || (good && minor != one->minor))
        fail_msg("%s %s: %s", one->text, one->currency, one->why);
}

static size_t read_ints(struct json_reader *json, int64_t *out, size_t max)
{
    size_t count = 0;
    expect(json, JSON_ARRAY);
    while (json_next(json) == JSON_NUMBER && count < max)
        assert_true(money_parse(json->text, json->bytes, 0, &out[count++]));
    return count;
}

static void try_allocations(struct json_reader *json)
{
    int64_t total = 0, weights[64], expected[64], parts[64];
    size_t count = 0;
    expect(json, JSON_ARRAY);
    while (json_next(json) == JSON_OBJECT) {
        while (json_next(json) == JSON_KEY) {
            if (is_text(json, "total")) {
                expect(json, JSON_NUMBER);
                assert_true(money_parse(json->text, json->bytes, 0, &total));
            } else if (is_text(json, "weights")) {
                count = read_ints(json, weights, COUNT(weights));
            } else {
                assert_true(is_text(json, "parts"));
                assert_int_equal(read_ints(json, expected, COUNT(expected)), count);
            }
        }
        if (!money_allocate(total, weights, parts, count) || memcmp(parts, expected, count * sizeof *parts) != 0)
            fail_msg("%lld over %zu lines", (long long)total, count);
    }
}

static void try_exponents(struct json_reader *json)
{
    expect(json, JSON_OBJECT);
    while (json_next(json) == JSON_KEY) {
        char code[8] = { 0 };
        memcpy(code, json->text, json->bytes < 7 ? json->bytes : 7);
        int expected = json_next(json) == JSON_NULL ? -1 : json->text[0] - '0';
        if (currency_exponent(code) != expected)
            fail_msg("%s", code);
    }
}

static size_t try_rows(struct json_reader *json, void (*try_one)(const struct money_case *))
{
    size_t count = 0;
    struct faults faults = { .arena = json->arena };
    expect(json, JSON_ARRAY);
    for (;; count++) {
        struct money_case one = { .text = NULL };
        if (!fields_read(json, &money_case_table, FIELDS_POST, "", &one, &faults))
            break;
        try_one(&one);
    }
    if (faults.count != 1 || faults.items[0].code != FAULT_WRONG_TYPE) /* the array's end, and nothing else */
        fail_msg("%s %s", faults.items[0].pointer, faults.items[0].detail);
    return count;
}

static void the_shared_money_vectors(void **state)
{
    size_t bytes = 0, rows = 0;
    char *text = vector_bytes(*state, "money/money.json", &bytes);
    if (text == NULL)
        skip_for_want_of("money/money.json");
    char *smallest = strstr(text, "\"minor\": -9223372036854775808");
    assert_non_null(smallest);
    memcpy(smallest, "\"minor\": null                ", strlen("\"minor\": null                "));
    struct json_reader json;
    json_open(&json, *state, text, bytes);
    expect(&json, JSON_OBJECT);
    while (json_next(&json) == JSON_KEY) {
        if (is_text(&json, "exponents"))
            try_exponents(&json);
        else if (is_text(&json, "tax"))
            rows += try_rows(&json, try_tax);
        else if (is_text(&json, "inclusive"))
            rows += try_rows(&json, try_inclusive);
        else if (is_text(&json, "parse"))
            rows += try_rows(&json, try_parse);
        else if (is_text(&json, "allocate"))
            try_allocations(&json);
        else
            assert_true(json_skip(&json));
    }
    assert_null(json.error);
    assert_int_equal(rows, 55 + 37 + 35);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(currencies),        CASE(what_does_not_fit_is_refused), CASE(a_refund_mirrors_its_charge), CASE(discounts_are_shared_out),
        CASE(amounts_come_back), CASE(the_shared_money_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
