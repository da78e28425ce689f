/* tests/unit/base/json_oracle_test.c: random texts, read by us and by jansson; both must take or refuse the same and see
 * the same values. The seed is printed; MILLRACE_SEED and MILLRACE_ROUNDS choose others. */
#include "fixture.h"
#include "jansson_oracle.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dice {
    uint64_t state;
};

static uint64_t roll(struct dice *dice, uint64_t sides)
{
    dice->state += 0x9e3779b97f4a7c15u;
    return hash_u64(dice->state) % sides;
}

static void write_random_text(struct dice *dice, struct buffer *out)
{
    static const char *const pieces[] = {
        "a",
        "sku",
        "LAMP",
        " ",
        "\\n",
        "\\\"",
        "\\\\",
        "\\/",
        "\\u00e9",
        "\\ud83d\\udca1",
        "\xC3\xA9",
        "\xE2\x82\xAC",
        "\xF0\x9F\x92\xA1",
        "0123456789abcdef",
        "\\t",
        "\x7F",
    };
    buffer_text(out, "\"");
    for (uint64_t n = roll(dice, 5); n > 0; n--)
        buffer_text(out, pieces[roll(dice, COUNT(pieces))]);
    buffer_text(out, "\"");
}

static void write_random_value(struct dice *dice, struct buffer *out, int depth)
{
    static const char *const atoms[] = { "0", "-1", "12345678901", "1.5", "-0.25", "1e3", "2E-2", "true", "false", "null" };
    uint64_t kind = roll(dice, depth > 4 ? 4 : 8);
    if (kind < 2) {
        buffer_text(out, atoms[roll(dice, COUNT(atoms))]);
    } else if (kind < 4) {
        write_random_text(dice, out);
    } else {
        bool object = kind < 6;
        buffer_text(out, object ? "{" : "[");
        for (uint64_t i = 0, n = roll(dice, 4); i < n; i++) {
            buffer_text(out, i == 0 ? " " : ", ");
            if (object) {
                write_random_text(dice, out);
                buffer_text(out, " : ");
            }
            write_random_value(dice, out, depth + 1);
        }
        buffer_text(out, object ? "}" : "]");
    }
}

/* Breaks a byte or two, most of the time so that it is no JSON any more. */
static void damage(struct dice *dice, struct buffer *text)
{
    static const char bytes[] = "{}[],:\"\\u0019.-+eE \n\x01\x80\xC3\xED\xA0tfn";
    for (uint64_t n = roll(dice, 3); n > 0; n--)
        text->at[roll(dice, text->size)] = bytes[roll(dice, sizeof bytes - 1)];
}

/* The same events, from our tokens; NULL where it is no JSON. */
static const char *our_events(struct arena *arena, const char *text, size_t bytes)
{
    struct json_reader json;
    struct buffer out = { .arena = arena };
    json_open(&json, arena, text, bytes);
    for (;;) {
        static const char signs[] = { [JSON_OBJECT] = '{', [JSON_OBJECT_END] = '}', [JSON_ARRAY] = '[', [JSON_ARRAY_END] = ']',
                                      [JSON_TRUE] = 't',   [JSON_FALSE] = 'f',      [JSON_NULL] = 'n' };
        enum json_token token = json_next(&json);
        if (token == JSON_END)
            return out.at;
        if (token == JSON_ERROR)
            return NULL;
        const char *value = arena_text_n(arena, json.text, json.bytes);
        if (token == JSON_NUMBER && strpbrk(value, ".eE") == NULL)
            buffer_printf(&out, "i%lld;", strtoll(value, NULL, 10));
        else if (token == JSON_NUMBER)
            buffer_printf(&out, "r%a;", strtod(value, NULL));
        else if (token == JSON_KEY || token == JSON_STRING)
            buffer_printf(&out, "%c%zu:%s", token == JSON_KEY ? 'k' : 's', json.bytes, value);
        else
            buffer_add(&out, &signs[token], 1);
    }
}

static void compare(struct arena *arena, char *(*oracle)(const char *, size_t, int *), const struct buffer *text, uint64_t round)
{
    int beyond_it = 0;
    char *theirs = oracle(text->at, text->size, &beyond_it);
    const char *ours = our_events(arena, text->at, text->size);
    if (!text_equal(ours, theirs) && !beyond_it)
        fail_msg("round %llu: %s\nours   %s\ntheirs %s", (unsigned long long)round, text->at, ours == NULL ? "refused" : ours,
                 theirs == NULL ? "refused" : theirs);
    free(theirs);
}

static void we_and_jansson_agree(void **state)
{
    const char *seed = getenv("MILLRACE_SEED"), *rounds = getenv("MILLRACE_ROUNDS");
    void *module = dlopen(getenv("MILLRACE_JANSSON_ORACLE"), RTLD_NOW | RTLD_LOCAL);
    if (module == NULL)
        fail_msg("MILLRACE_JANSSON_ORACLE names the module: %s", dlerror());
    char *(*oracle)(const char *, size_t, int *) = NULL;
    *(void **)&oracle = dlsym(module, "oracle_events"); /* as POSIX has it */
    assert_non_null(*(void **)&oracle);
    struct dice dice = { .state = seed == NULL ? 20261124 : strtoull(seed, NULL, 10) };
    print_message("seed %llu\n", (unsigned long long)dice.state);
    for (uint64_t round = 0, all = rounds == NULL ? 100000 : strtoull(rounds, NULL, 10); round < all; round++) {
        struct buffer text = { .arena = *state };
        write_random_value(&dice, &text, 0);
        if (round % 2 == 1)
            damage(&dice, &text);
        compare(*state, oracle, &text, round);
        arena_reset(*state);
    }
    dlclose(module);
}

int main(void)
{
    const struct CMUnitTest tests[] = { CASE(we_and_jansson_agree) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
