/* tests/unit/orders/payments_test.c: what the payment facts of an order come to: the word, and the gate of each term. */
#include "orders/payments.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void the_word_and_the_gates(void **state)
{
    static const struct {
        const char *says;
        struct payment_sums sums; /* authorised, captured, voided, refunded */
        const char *word;
        int64_t prepaid, authorised; /* the most that may be due for the term to be met */
    } cases[] = {
        { "nothing came", { 0, 0, 0, 0 }, "pending", 0, 0 },
        { "authorised", { 20, 0, 0, 0 }, "authorised", 0, 20 },
        { "authorised and voided", { 20, 0, 20, 0 }, "pending", 0, 0 },
        { "voided in part", { 20, 0, 5, 0 }, "authorised", 0, 15 },
        { "captured at once", { 0, 20, 0, 0 }, "captured", 20, 20 },
        { "captured and refunded", { 0, 5, 0, 5 }, "pending", 0, 0 },
        { "refunded in part", { 0, 20, 0, 5 }, "captured", 15, 15 },
        { "authorised, then captured", { 20, 20, 0, 0 }, "captured", 20, 20 },
        { "captured in part", { 20, 5, 0, 0 }, "captured", 5, 20 },
        { "captured in part, the rest voided", { 20, 5, 15, 0 }, "captured", 5, 5 },
        { "voided after it was captured", { 20, 20, 20, 0 }, "captured", 20, 20 },
        { "authorised, captured, refunded", { 20, 20, 0, 20 }, "pending", 0, 0 },
        { "captured in part, that part refunded", { 20, 5, 0, 5 }, "authorised", 0, 15 },
        { "voided, then authorised anew", { 40, 0, 20, 0 }, "authorised", 0, 20 },
        { "more voided than we were told of", { 5, 0, 20, 0 }, "pending", 0, 0 },
        { "more refunded than we were told of", { 20, 5, 0, 9 }, "authorised", 0, 15 },
        { "as much as fits", { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX }, "pending", 0, 0 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct payment_standing s = payment_standing(&cases[i].sums);
        const char *word = payment_words[payment_word(&s)];
        int64_t prepaid = cases[i].prepaid, authorised = cases[i].authorised;
        if (strcmp(word, cases[i].word) != 0 || s.paid != prepaid || s.paid + s.open != authorised)
            fail_msg("%s: %s, %ld paid, %ld open", cases[i].says, word, (long)s.paid, (long)s.open);
        if (!payment_meets(TERM_PREPAID, &s, prepaid) || payment_meets(TERM_PREPAID, &s, prepaid + 1) ||
            !payment_meets(TERM_AUTHORISED, &s, authorised) || payment_meets(TERM_AUTHORISED, &s, authorised + 1))
            fail_msg("%s: the gate does not go with the sums", cases[i].says);
        assert_true(payment_meets(TERM_ON_ACCOUNT, &s, 1) && payment_meets(TERM_COLLECTED, &s, 1) && payment_meets(TERM_NONE, &s, 1));
    }
}

static int64_t take(int64_t *from, int64_t most)
{
    int64_t taken = *from < most ? *from : most;
    *from -= taken;
    return taken;
}

/* All combinations of small sums, against two purses that the facts fill and empty. */
static void all_small_sums(void **state)
{
    const int64_t most = 5;
    for (int64_t n = 0; n < most * most * most * most; n++) {
        const struct payment_sums sums = { n % most, n / most % most, n / most / most % most, n / most / most / most };
        int64_t promised = sums.authorised, taken = sums.captured;
        (void)take(&promised, sums.voided);
        (void)take(&promised, sums.captured);
        (void)take(&taken, sums.refunded);
        struct payment_standing s = payment_standing(&sums);
        assert_int_equal(s.paid, taken);
        assert_int_equal(s.open, promised);
        assert_string_equal(payment_words[payment_word(&s)], taken > 0 ? "captured" : promised > 0 ? "authorised" : "pending");
        for (int64_t due = 0; due < 2 * most; due++) {
            assert_int_equal(payment_meets(TERM_PREPAID, &s, due), taken >= due);
            assert_int_equal(payment_meets(TERM_AUTHORISED, &s, due), taken + promised >= due);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_word_and_the_gates),
        cmocka_unit_test(all_small_sums),
    };
    return cmocka_run_group_tests_name("payments", tests, NULL, NULL);
}
