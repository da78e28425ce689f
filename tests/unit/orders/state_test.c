/* tests/unit/orders/state_test.c: the state in an event is found wherever it stands, and nothing else is taken for it: texts of people
 * stand in the same object, and later releases may add members. */
#include "orders/state.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *numbers_text(struct arena *arena, const struct numbers *numbers)
{
    struct buffer out = { .arena = arena };
    for (size_t i = 0; i < numbers->count; i++)
        buffer_printf(&out, "%s%ld", i == 0 ? "" : " ", (long)numbers->at[i]);
    return numbers->at == NULL ? "-" : out.at == NULL ? "" : out.at;
}

static void an_order(void **state)
{
    static const struct {
        const char *says, *data, *is; /* stage, version, payment status; demands; given up; fulfilments. NULL: it bears none */
    } cases[] = {
        { "captured", "{\"stage\":\"captured\",\"version\":1,\"demands\":[[0,2,0,0,0,0]]}", "0 1 0; 0 2 0 0 0 0; -; -" },
        { "with the nodes",
          "{\"reason\":\"late\",\"stage\":\"released\",\"version\":7,\"demands\":[[0,0,0,2,0,0],[1,0,0,0,0,0]],\"payment_status\":2,"
          "\"given_up\":[9,1,1,3,9,2,1,1],\"fulfilments\":[[9,1],[10,5]]}",
          "2 7 2; 0 0 0 2 0 0 1 0 0 0 0 0; 9 1 1 3 9 2 1 1; 9 1 10 5" },
        { "a text that looks like one",
          "{\"reason\":\"\\\"demands\\\":[[7]],\\\"version\\\":8\",\"stage\":\"captured\",\"version\":1,\"demands\":[[0,1,0,0,0,0]]}",
          "0 1 0; 0 1 0 0 0 0; -; -" },
        { "a member within another",
          "{\"payment\":{\"stage\":\"shipped\",\"version\":5,\"demands\":[4]},\"stage\":\"captured\",\"version\":1,\"demands\":[[0,1,0,0,0,0]]}",
          "0 1 0; 0 1 0 0 0 0; -; -" },
        { "in another order, with spaces",
          "{ \"demands\" : [ [ 0, 1, 0, 0, 0, 0 ] ], \"later\": {\"a\":[1]}, \"version\": 3, \"stage\": \"reserved\" }", "1 3 0; 0 1 0 0 0 0; -; -" },
        { "a stage of another release", "{\"stage\":\"parked\",\"version\":2,\"demands\":[[0,1,0,0,0,0]]}", "-1 2 0; 0 1 0 0 0 0; -; -" },
        { "a stage that begins as one", "{\"stage\":\"ship\",\"version\":2,\"demands\":[[0,1,0,0,0,0]]}", "-1 2 0; 0 1 0 0 0 0; -; -" },
        { "released to nobody", "{\"stage\":\"released\",\"version\":2,\"demands\":[[0,1,0,0,0,0]],\"fulfilments\":[]}", "2 2 0; 0 1 0 0 0 0; -; " },
        { "no demands", "{\"stage\":\"captured\",\"version\":1}", NULL },
        { "demands in a text only", "{\"reason\":\"\\\"demands\\\":[\"}", NULL },
        { "no list of numbers", "{\"stage\":\"captured\",\"version\":1,\"demands\":[[\"0\"]]}", NULL },
        { "cut off", "{\"stage\":\"captured\",\"version\":1,\"demands\":[[0,1", NULL },
        { "nothing", NULL, NULL },
    };
    struct arena *arena = arena_new((size_t)1 << 20);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct order_state s;
        struct event_row event = { .subject_kind = SUBJECT_ORDER, .data = cases[i].data };
        const char *is = NULL;
        if (order_state_read(arena, &event, &s))
            is = arena_printf(arena, "%ld %ld %ld; %s; %s; %s", (long)s.stage, (long)s.version, (long)s.payment_status,
                              numbers_text(arena, &s.demands), numbers_text(arena, &s.given_up), numbers_text(arena, &s.fulfilments));
        if (!text_equal(is, cases[i].is))
            fail_msg("%s: %s", cases[i].says, is == NULL ? "none" : is);
        event.subject_kind = SUBJECT_EXCEPTION;
        assert_false(order_state_read(arena, &event, &s));
    }
    arena_free(arena);
}

static void a_fulfilment_order(void **state)
{
    static const struct {
        const char *says, *data, *is; /* state, version; due; asked. NULL: it says none */
    } cases[] = {
        { "picked", "{\"state\":\"picking\",\"version\":3,\"due\":[2,0,5]}", "5 3; 2 0 5; -" },
        { "asked back", "{\"state\":\"cancel_requested\",\"version\":4,\"due\":[2,1],\"asked\":[1,0]}", "9 4; 2 1; 1 0" },
        { "shipped, by a carrier of that name", "{\"carrier\":\"\\\"state\\\":\\\"packed\\\"\",\"state\":\"shipped\",\"version\":5,\"due\":[1]}",
          "7 5; 1; -" },
        { "no state of the machine", FULFILMENT_WORD("reduced"), "-1 none; -; -" },
        { "a word only", FULFILMENT_WORD("released"), "1 none; -; -" },
        { "no state", "{\"version\":3,\"due\":[2]}", NULL },
        { "nothing", NULL, NULL },
    };
    struct arena *arena = arena_new((size_t)1 << 20);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fulfilment_report s;
        struct event_row event = { .subject_kind = SUBJECT_FULFILMENT, .data = cases[i].data };
        const char *is = NULL;
        if (fulfilment_report_read(arena, &event, &s))
            is = arena_printf(arena, "%ld %s; %s; %s", (long)s.state, s.version == NULL_INT ? "none" : arena_printf(arena, "%ld", (long)s.version),
                              numbers_text(arena, &s.due), numbers_text(arena, &s.asked));
        if (!text_equal(is, cases[i].is))
            fail_msg("%s: %s", cases[i].says, is == NULL ? "none" : is);
        event.subject_kind = SUBJECT_ORDER;
        assert_false(fulfilment_report_read(arena, &event, &s));
    }
    arena_free(arena);
}

static void what_is_told_outside(void **state)
{
    static const struct {
        const char *key;
        enum state_member is;
    } cases[] = { { "stage", STATE_SHOWN },
                  { "version", STATE_SHOWN },
                  { "fulfilments", STATE_SHOWN },
                  { "demands", STATE_INNER },
                  { "payment_status", STATE_INNER },
                  { "given_up", STATE_INNER },
                  { "asked", STATE_INNER },
                  { "lost", STATE_INNER },
                  { "reason", STATE_NONE },
                  { "stag", STATE_NONE },
                  { "", STATE_NONE } };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (order_state_member(cases[i].key, strlen(cases[i].key)) != cases[i].is)
            fail_msg("%s is %d", cases[i].key, (int)order_state_member(cases[i].key, strlen(cases[i].key)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order),
        cmocka_unit_test(a_fulfilment_order),
        cmocka_unit_test(what_is_told_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
