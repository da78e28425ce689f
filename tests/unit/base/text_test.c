/* tests/unit/base/text_test.c: what is UTF-8, what may be a code, what is searched by it. */
#include "fixture.h"
#include "base/fields.h"
#include <string.h>

static void buffers_grow(void **state)
{
    struct buffer buffer = { .arena = *state };
    for (int i = 0; i < 10000; i++) {
        buffer_printf(&buffer, "%d,", i % 10);
        if (i % 100 == 0)
            arena_alloc(*state, 1); /* so that it must move, too */
    }
    buffer_text(&buffer, "end");
    buffer_add(&buffer, NULL, 0);
    assert_int_equal(buffer.size, 20003);
    assert_int_equal(strlen(buffer.at), buffer.size);
    assert_string_equal(buffer.at + 19994, "7,8,9,end");
}

static void texts_are_equal(void **state)
{
    (void)state;
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal(NULL, ""));
    assert_false(text_equal("", NULL));
    assert_true(text_equal("LAMP", "LAMP"));
    assert_false(text_equal("LAMP", "lamp"));
}

static void codes(void **state)
{
    (void)state;
    static const struct {
        const char *says, *text;
        bool good;
    } cases[] = {
        { "plain", "LAMP-01", true },
        { "one byte", "x", true },
        { "64 bytes", "1234567890123456789012345678901234567890123456789012345678901234", true },
        { "65 bytes", "12345678901234567890123456789012345678901234567890123456789012345", false },
        { "empty", "", false },
        { "blanks are bytes like others", " A ", true },
        { "a slash", "A/../B", true },
        { "line feed", "A\nB", false },
        { "DEL", "A\x7F", false },
        { "U+0085, a control of two bytes", "A\xC2\x85", false },
        { "U+00A0, none", "A\xC2\xA0", true },
        { "e acute composed", "caf\xC3\xA9", true },
        { "e acute decomposed: the same look, another code", "cafe\xCC\x81", false },
        { "the angstrom sign is A with ring in NFC", "\xE2\x84\xAB", false },
        { "Hangul syllable", "\xEA\xB0\x80", true },
        { "Hangul jamo that compose", "\xE1\x84\x80\xE1\x85\xA1", false },
        { "marks out of order", "a\xCC\x81\xCC\xA3", false },
        { "Cyrillic", "\xD0\x90\xD0\x91", true },
        { "emoji", "\xF0\x9F\x92\xA1", true },
        { "cut off", "A\xC3", false },
        { "a surrogate", "\xED\xA0\x80", false },
        { "16 characters that decompose most", "\xF0\x9D\x85\xA0\xF0\x9D\x85\xA0\xF0\x9D\x85\xA0\xF0\x9D\x85\xA0\xF0\x9D\x85\xA0", false },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (text_is_code(cases[i].text, strlen(cases[i].text), 64) != cases[i].good)
            fail_msg("%s", cases[i].says);
    assert_false(text_is_code("A\0B", 3, 64));
}

static void search_tokens(void **state)
{
    static const struct {
        const char *says, *text, *tokens;
    } cases[] = {
        { "nothing", "", "" },
        { "only signs", " -- !? ", "" },
        { "words", "Desk Lamp, LED (warm-white)", "desk|lamp|led|warm|white" },
        { "twice the same", "Lamp LAMP lamp", "lamp" },
        { "accents and case", "Caf\xC3\xA9 CAFE\xCC\x81 M\xC3\xBCller", "cafe|muller" },
        { "sharp s",
          "Stra\xC3\x9F"
          "e STRASSE",
          "strasse" },
        { "full width and ligature", "\xEF\xBC\xAC\xEF\xBC\xA5\xEF\xBC\xA4 \xEF\xAC\x81lm", "led|film" },
        { "numbers", "W-1001 4.5", "w|1001|4|5" },
        { "Greek sigma", "\xCE\xA3\xCE\xA3 \xCF\x82", "\xCF\x83\xCF\x83|\xCF\x83" },
        { "Han stands alone",
          "\xE6\x9D\xB1\xE4\xBA\xAC"
          "LED",
          "\xE6\x9D\xB1|\xE4\xBA\xAC|led" },
        { "katakana, half width folded", "\xEF\xBE\x97\xEF\xBE\x9D", "\xE3\x83\xA9|\xE3\x83\xB3" },
        { "Thai without its marks", "\xE0\xB8\x97\xE0\xB8\xB5\xE0\xB9\x88", "\xE0\xB8\x97" },
        { "Cyrillic", "\xD0\x9B\xD0\xB0\xD0\xBC\xD0\xBF\xD0\xB0", "\xD0\xBB\xD0\xB0\xD0\xBC\xD0\xBF\xD0\xB0" },
        { "bytes that are no UTF-8 part words", "la\xFFmp", "la|mp" },
        { "a long word is cut", "aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaXX yes",
          "aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaa|yes" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *tokens[16];
        struct buffer all = { .arena = *state };
        size_t count = text_tokens(*state, cases[i].text, tokens, COUNT(tokens));
        for (size_t k = 0; k < count; k++)
            buffer_printf(&all, "%s%s", k == 0 ? "" : "|", tokens[k]);
        if (strcmp(all.at == NULL ? "" : all.at, cases[i].tokens) != 0)
            fail_msg("%s: %s", cases[i].says, all.at);
    }
    const char *few[2];
    assert_int_equal(text_tokens(*state, "one two three", few, 2), 2);
    assert_int_equal(text_tokens(*state, NULL, few, 2), 0);
}

static void hashes_differ(void **state)
{
    (void)state;
    char bytes[64] = { 0 };
    for (size_t size = 0; size < sizeof bytes; size++) {
        uint64_t hash = hash_bytes(bytes, size, 1);
        assert_true(hash == hash_bytes(bytes, size, 1));
        assert_true(hash != hash_bytes(bytes, size, 2));
        assert_true(hash != hash_bytes(bytes, size + 1 < sizeof bytes ? size + 1 : 0, 1));
        for (size_t bit = 0; bit < size * 8; bit++) {
            bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
            assert_true(hash != hash_bytes(bytes, size, 1));
            bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        }
    }
}

/* ---- vectors/utf8/utf8.json ---- */

struct utf8_case {
    struct field_presence presence;
    const char *hex, *why;
    bool valid;
};
static const struct field utf8_fields[] = {
    { "hex", FIELD_TEXT, FIELD_AT(struct utf8_case, hex), .required = true },
    { "valid", FIELD_BOOL, FIELD_AT(struct utf8_case, valid), .required = true },
    { "why", FIELD_TEXT, FIELD_AT(struct utf8_case, why) },
};
static const struct field_table utf8_table = { "Utf8", utf8_fields, COUNT(utf8_fields), sizeof(struct utf8_case) };

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void the_shared_utf8_vectors(void **state)
{
    size_t bytes = 0, count = 0;
    char *text = vector_bytes(*state, "utf8/utf8.json", &bytes);
    if (text == NULL)
        skip_for_want_of("utf8/utf8.json");
    struct json_reader json;
    struct faults faults = { .arena = *state };
    json_open(&json, *state, text, bytes);
    expect(&json, JSON_ARRAY);
    for (;;) {
        struct utf8_case one = { .hex = NULL };
        if (!fields_read(&json, &utf8_table, FIELDS_POST, "", &one, &faults))
            break; /* the array's end is no object */
        char raw[64];
        size_t size = strlen(one.hex) / 2;
        for (size_t i = 0; i < size; i++)
            raw[i] = (char)(hex_digit(one.hex[2 * i]) * 16 + hex_digit(one.hex[2 * i + 1]));
        if (utf8_valid(raw, size) != one.valid)
            fail_msg("%s: %s", one.hex, one.why);
        char padded[128]; /* the same behind and before ASCII, where the fast path ends */
        memset(padded, 'x', sizeof padded);
        memcpy(padded + 13, raw, size);
        if (utf8_valid(padded, 13 + size + 11) != one.valid)
            fail_msg("%s within ASCII: %s", one.hex, one.why);
        count++;
    }
    assert_int_equal(count, 45);
}

static void a_text_is_cut_between_characters(void **state)
{
    static const struct {
        const char *text;
        size_t most, cut;
    } cases[] = { { "", 4, 0 },
                  { "abc", 3, 3 },
                  { "abc", 2, 2 },
                  { "a\xC3\xA9", 3, 3 },
                  { "a\xC3\xA9", 2, 1 },
                  { "a\xC3\xA9z", 3, 3 },
                  { "\xF0\x9F\x98\x80z", 3, 0 },
                  { "\xF0\x9F\x98\x80z", 4, 4 } };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(utf8_cut(cases[i].text, strlen(cases[i].text), cases[i].most), cases[i].cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(buffers_grow),
        CASE(texts_are_equal),
        CASE(codes),
        CASE(search_tokens),
        CASE(hashes_differ),
        CASE(the_shared_utf8_vectors),
        CASE(a_text_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
