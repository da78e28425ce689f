/* tests/unit/base/json_test.c: what is JSON here, where it breaks, and how it is written. */
#include "fixture.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>

/* Reads all tokens; true when the text is one value. */
static bool is_json(struct arena *arena, const char *text, size_t bytes, struct json_reader *json)
{
    json_open(json, arena, text, bytes);
    for (;;) {
        enum json_token token = json_next(json);
        if (token == JSON_END || token == JSON_ERROR) {
            assert_int_equal(json_next(json), token); /* and again */
            return token == JSON_END;
        }
    }
}

static void tokens_of_an_order(void **state)
{
    static const char text[] = " { \"sku\" : \"LAMP\" , \"n\":[1,-2.5e+3,true,false,null,[],{}],\"caf\\u00e9\\n\":\"\\ud83d\\udca1\\/\" } \r\n\t";
    static const struct {
        enum json_token token;
        const char *text;
    } tokens[] = {
        { JSON_OBJECT, NULL },
        { JSON_KEY, "sku" },
        { JSON_STRING, "LAMP" },
        { JSON_KEY, "n" },
        { JSON_ARRAY, NULL },
        { JSON_NUMBER, "1" },
        { JSON_NUMBER, "-2.5e+3" },
        { JSON_TRUE, NULL },
        { JSON_FALSE, NULL },
        { JSON_NULL, NULL },
        { JSON_ARRAY, NULL },
        { JSON_ARRAY_END, NULL },
        { JSON_OBJECT, NULL },
        { JSON_OBJECT_END, NULL },
        { JSON_ARRAY_END, NULL },
        { JSON_KEY, "caf\xC3\xA9\n" },
        { JSON_STRING, "\xF0\x9F\x92\xA1/" },
        { JSON_OBJECT_END, NULL },
        { JSON_END, NULL },
        { JSON_END, NULL },
    };
    struct json_reader json;
    json_open(&json, *state, text, strlen(text));
    for (size_t i = 0; i < COUNT(tokens); i++) {
        expect(&json, tokens[i].token);
        if (tokens[i].text != NULL)
            assert_true(is_text(&json, tokens[i].text));
    }
}

static void where_it_breaks(void **state)
{
    static const struct {
        const char *says, *text;
        size_t line, column;
    } cases[] = {
        { "nothing", "", 1, 1 },
        { "only blanks", " \n ", 2, 2 },
        { "a byte order mark", "\xEF\xBB\xBF{}", 1, 1 },
        { "cut within an object", "{\"a\":1", 1, 7 },
        { "cut after a key", "{\"a\"", 1, 5 },
        { "cut within a string", "[\"abc", 1, 6 },
        { "a comma too many", "[1,]", 1, 4 },
        { "a comma too many in an object", "{\"a\":1,}", 1, 8 },
        { "a key without quotes", "{a:1}", 1, 2 },
        { "no colon", "{\"a\" 1}", 1, 6 },
        { "two values", "1 2", 1, 3 },
        { "a wrong bracket", "[1}", 1, 3 },
        { "single quotes", "['a']", 1, 2 },
        { "a surplus zero", "[01]", 1, 2 },
        { "a plus", "[+1]", 1, 2 },
        { "no digit after the point", "[1.]", 1, 4 },
        { "no digit in the exponent", "[1e+]", 1, 5 },
        { "minus alone", "-", 1, 2 },
        { "no such word", "[nul]", 1, 2 },
        { "NaN", "NaN", 1, 1 },
        { "a tab in a string", "[\"a\tb\"]", 1, 4 },
        { "an unknown escape", "[\"\\x41\"]", 1, 3 },
        { "short hex", "[\"\\u00g0\"]", 1, 3 },
        { "U+0000", "[\"A\\u0000B\"]", 1, 4 },
        { "U+0000 in a key", "{\"\\u0000\":1}", 1, 3 },
        { "a high surrogate alone", "[\"\\ud800\"]", 1, 3 },
        { "a low surrogate alone", "[\"\\udc00\"]", 1, 3 },
        { "two high ones", "[\"\\ud800\\ud800\"]", 1, 3 },
        { "not UTF-8", "[\"12345678\xFF\"]", 1, 11 },
        { "an overlong slash", "[\"\xC0\xAF\"]", 1, 3 },
        { "a key twice, at the second", "{\"sku\":\"A\",\n \"sku\":\"B\"}", 2, 2 },
        { "a key twice, once escaped", "{\"sku\":\"A\",\"\\u0073ku\":\"B\"}", 1, 12 },
        { "the empty key twice", "{\"\":1,\"\":2}", 1, 7 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct json_reader json;
        if (is_json(*state, cases[i].text, strlen(cases[i].text), &json))
            fail_msg("%s: taken", cases[i].says);
        if (json.line != cases[i].line || json.column != cases[i].column)
            fail_msg("%s: line %zu, column %zu: %s", cases[i].says, json.line, json.column, json.error);
    }
    struct json_reader json;
    assert_false(is_json(*state, "[\"a\0\"]", 6, &json));
    assert_false(is_json(*state, "{}\0", 3, &json));
}

static void thirty_two_deep_and_no_deeper(void **state)
{
    struct json_reader json;
    assert_true(is_json(*state, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 64, &json));
    assert_false(is_json(*state, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 66, &json));
    assert_int_equal(json.column, 33);
}

/* Keys are compared within one object only, and there whatever their number. */
static void keys_are_unique_in_their_object(void **state)
{
    struct json_reader json;
    static const char apart[] = "[{\"a\":{\"a\":{\"a\":1},\"b\":{\"a\":1}},\"b\":{\"b\":1}},{\"a\":1,\"b\":2}]";
    assert_true(is_json(*state, apart, strlen(apart), &json));
    for (int twice = 0; twice <= 1; twice++)
        for (int keys = 1; keys < 400; keys += keys < 40 ? 1 : 37) {
            struct buffer text = { .arena = *state };
            buffer_text(&text, "[{\"x\":1},{");
            for (int i = 0; i < keys; i++)
                buffer_printf(&text, "\"key%d\":%d,", i, i);
            buffer_printf(&text, "\"%s%d\":0},{\"key0\":1}]", twice ? "key" : "other", keys / 2);
            assert_int_equal(is_json(*state, text.at, text.size, &json), !twice);
        }
}

static void a_hundred_thousand_keys_take_no_hundred_thousand_times_as_long(void **state)
{
    struct buffer text = { .arena = *state };
    buffer_text(&text, "{");
    for (int i = 0; i < 100000; i++)
        buffer_printf(&text, "\"%06d\":0,", i);
    size_t all = text.size;
    struct json_reader json;
    buffer_text(&text, "\"x\":0}");
    assert_true(is_json(*state, text.at, text.size, &json)); /* comparing each with each would take a minute */
    text.size = all;
    buffer_text(&text, "\"000000\":0}");
    assert_false(is_json(*state, text.at, text.size, &json));
    assert_int_equal(json.column, all + 1);
}

static void values_are_skipped(void **state)
{
    struct json_reader json;
    static const char text[] = "{\"a\":{\"b\":[1,{}]},\"c\":[[],2],\"d\":3,\"e\":\"x\"}";
    json_open(&json, *state, text, strlen(text));
    expect(&json, JSON_OBJECT);
    for (int i = 0; i < 4; i++) {
        expect(&json, JSON_KEY);
        assert_true(json_skip(&json));
    }
    expect(&json, JSON_OBJECT_END);
    expect(&json, JSON_END);
    json_open(&json, *state, "[[1,2", 5);
    expect(&json, JSON_ARRAY);
    assert_false(json_skip(&json));
}

static void answers_are_written(void **state)
{
    struct json_writer json;
    json_begin(&json, *state);
    json_object(&json);
    json_key(&json, "a\"b");
    json_array(&json);
    json_array_end(&json);
    json_key(&json, "n");
    json_array(&json);
    json_int(&json, INT64_MIN);
    json_int(&json, 0);
    json_bool(&json, true);
    json_bool(&json, false);
    json_null(&json);
    json_text(&json, NULL);
    json_object(&json);
    json_object_end(&json);
    json_raw(&json, "{\"r\":1}", 7);
    json_array_end(&json);
    json_key(&json, "t");
    json_text(&json, "\"\\/\b\f\n\r\t\x01\x1F\x7F \xC3\xA9\xF0\x9F\x92\xA1\xE2\x80\xA8");
    json_key(&json, "m");
    json_money(&json, (struct money){ 1999, "EUR" });
    json_key(&json, "none");
    json_money(&json, (struct money){ 0, "" });
    json_key(&json, "at");
    json_time(&json, 0);
    json_object_end(&json);
    assert_string_equal(json.out.at, "{\"a\\\"b\":[],\"n\":[-9223372036854775808,0,true,false,null,null,{},{\"r\":1}],"
                                     "\"t\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F \xC3\xA9\xF0\x9F\x92\xA1\xE2\x80\xA8\","
                                     "\"m\":{\"amount\":\"19.99\",\"currency\":\"EUR\"},\"none\":null,\"at\":\"1970-01-01T00:00:00Z\"}");
    assert_int_equal(json.out.size, strlen(json.out.at));
}

/* Writes the tokens of `from` again. */
static void copy_tokens(struct json_reader *from, struct json_writer *to)
{
    for (;;) {
        switch (json_next(from)) {
        case JSON_OBJECT:
            json_object(to);
            break;
        case JSON_OBJECT_END:
            json_object_end(to);
            break;
        case JSON_ARRAY:
            json_array(to);
            break;
        case JSON_ARRAY_END:
            json_array_end(to);
            break;
        case JSON_KEY:
            json_key(to, arena_text_n(from->arena, from->text, from->bytes));
            break;
        case JSON_STRING:
            json_text_n(to, from->text, from->bytes);
            break;
        case JSON_NUMBER:
            json_raw(to, from->text, from->bytes);
            break;
        case JSON_TRUE:
            json_bool(to, true);
            break;
        case JSON_FALSE:
            json_bool(to, false);
            break;
        case JSON_NULL:
            json_null(to);
            break;
        case JSON_END:
        case JSON_ERROR:
            return;
        }
    }
}

/* What was written is read as the same, and written as the same bytes. */
static void assert_comes_back(struct arena *arena, const char *text, size_t bytes)
{
    struct json_reader reader;
    struct json_writer once, twice;
    json_open(&reader, arena, text, bytes);
    json_begin(&once, arena);
    copy_tokens(&reader, &once);
    assert_null(reader.error);
    json_open(&reader, arena, once.out.at, once.out.size);
    json_begin(&twice, arena);
    copy_tokens(&reader, &twice);
    assert_null(reader.error);
    assert_string_equal(once.out.at, twice.out.at);
}

/* JSONTestSuite accepts these; RFC 8259 leaves them to the reader, and json.h refuses them. */
static bool is_refused_by_design(const char *name)
{
    static const char *const names[] = {
        "y_object_duplicated_key.json",
        "y_object_duplicated_key_and_value.json",
        "y_object_escaped_null_in_key.json",
        "y_string_null_escape.json",
    };
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static size_t try_folder(struct arena *arena, const char *folder)
{
    size_t count = 0;
    DIR *dir = opendir(vector_path(arena, folder));
    if (dir == NULL)
        skip_for_want_of(folder);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (strstr(entry->d_name, ".json") == NULL)
            continue;
        struct arena_mark mark = arena_mark(arena);
        size_t bytes = 0;
        char *text = vector_bytes(arena, arena_printf(arena, "%s/%s", folder, entry->d_name), &bytes);
        struct json_reader json;
        bool taken = is_json(arena, text, bytes, &json);
        char kind = 'i';
        if (strstr(folder, "parsing") != NULL)
            kind = entry->d_name[0];
        if (is_refused_by_design(entry->d_name))
            kind = 'n';
        if ((kind == 'y' && !taken) || (kind == 'n' && taken))
            fail_msg("%s: %s", entry->d_name, taken ? "taken" : json.error);
        if (taken)
            assert_comes_back(arena, text, bytes);
        arena_rewind(arena, mark);
        count++;
    }
    closedir(dir);
    return count;
}

static void the_json_test_suite(void **state)
{
    assert_int_equal(try_folder(*state, "json/test_parsing"), 318);
    assert_int_equal(try_folder(*state, "json/test_transform"), 22);
}

static void naughty_strings_come_back_byte_for_byte(void **state)
{
    size_t bytes = 0, count = 0;
    char *text = vector_bytes(*state, "strings/blns.json", &bytes);
    if (text == NULL)
        skip_for_want_of("strings/blns.json");
    struct json_reader json, again;
    json_open(&json, *state, text, bytes);
    expect(&json, JSON_ARRAY);
    for (; json_next(&json) == JSON_STRING; count++) {
        struct json_writer writer;
        json_begin(&writer, *state);
        json_text_n(&writer, json.text, json.bytes);
        json_open(&again, *state, writer.out.at, writer.out.size);
        expect(&again, JSON_STRING);
        assert_int_equal(again.bytes, json.bytes);
        assert_memory_equal(again.text, json.text, json.bytes);
        expect(&again, JSON_END);
    }
    assert_null(json.error);
    assert_int_equal(count, 515);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(tokens_of_an_order),
        CASE(where_it_breaks),
        CASE(thirty_two_deep_and_no_deeper),
        CASE(keys_are_unique_in_their_object),
        CASE(a_hundred_thousand_keys_take_no_hundred_thousand_times_as_long),
        CASE(values_are_skipped),
        CASE(answers_are_written),
        CASE(the_json_test_suite),
        CASE(naughty_strings_come_back_byte_for_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
