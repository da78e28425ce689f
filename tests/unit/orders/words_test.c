/* tests/unit/orders/words_test.c: the words of a search. */
#include "orders/words.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* "a b*": as they came, folded; "-": too many. */
static const char *said(struct arena *arena, const char *q)
{
    struct words words;
    struct buffer out = { .arena = arena };
    if (!words_of(arena, q, &words))
        return "-";
    buffer_printf(&out, "%s", "");
    for (size_t i = 0; i < words.count; i++)
        buffer_printf(&out, "%s%s%s", i == 0 ? "" : " ", words.each[i].text, words.each[i].begins ? "*" : "");
    return out.at;
}

static void words_come_folded_and_once(void **state)
{
    static const struct {
        const char *q, *words;
    } cases[] = {
        { "", "" },
        { " -.* ", "" },
        { "Anna", "anna" },
        { "anna ANNA", "anna" },
        { "M\xc3\xbcll*", "mull*" },
        { "anna anna*", "anna anna*" },
        { "b-a-b*", "b a b*" },
        { "b-a-b *", "b a" },
        { "*a", "a" },
        { "a**", "a*" },
        { "\xe6\x9d\xb1\xe4\xba\xac*", "\xe6\x9d\xb1 \xe4\xba\xac*" },
        { "a b c d e f g h i j k l m n o p", "a b c d e f g h i j k l m n o p" },
        { "a b c d e f g h i j k l m n o p q", "-" },
        { "a b c d e f g h i j k l m n o p p*", "-" },
        { "\xff*", "" },
    };
    struct arena *arena = arena_new(1 << 20);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(said(arena, cases[i].q), cases[i].words);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(words_come_folded_and_once) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
