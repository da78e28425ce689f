/* tests/store/count_sheets_test.c: the cycle-count programme: sheets, second and third counts, what people are told, how right the books were, what
 * is due. Each scene runs on both stores and ends in a company in which `millrace check` finds nothing. */
#include "base/when.h"
#include "inventory/count_sheets.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DAY_US INT64_C(86400000000)

static void says(const char *body, const char *text)
{
    if (strstr(body, text) == NULL)
        fail_msg("want %s: %s", text, body);
}

static void says_not(const char *body, const char *text)
{
    if (strstr(body, text) != NULL)
        fail_msg("not %s: %s", text, body);
}

static const char *get(struct shop *shop, const char *target)
{
    return shop_must(shop, 200, "GET", target, NULL).body;
}

static void counts_so(struct shop *shop, const char *rule)
{
    (void)shop_call(shop, "PUT", "/v1/nodes/LEJ/counting", "%s", rule);
}

static const char *opened(struct shop *shop, const char *body)
{
    char *id = arena_alloc(shop->arena, 40);
    text_in(shop_must(shop, 201, "POST", "/v1/counts", "%s", body).body, NULL, "id", id, 40);
    return id;
}

static const char *tell(struct shop *shop, int status, const char *id, const char *verb, const char *body)
{
    return shop_must(shop, status, "POST", arena_printf(shop->arena, "/v1/counts/%s/%s", id, verb), "%s", body).body;
}

/* By a counter who names himself, since all scenes have one key. */
static const char *lamps(struct shop *shop, int status, const char *id, const char *counter, int units)
{
    return tell(shop, status, id, "lines",
                arena_printf(shop->arena, "{\"counter\":\"%s\",\"lines\":[{\"sku\":\"LAMP\",\"counted\":%d}]}", counter, units));
}

static int64_t on_hand(struct shop *shop)
{
    return number_in(get(shop, "/v1/inventory?sku=LAMP&node=LEJ"), NULL, "on_hand");
}

static bool is_told(struct shop *shop)
{
    return strstr(get(shop, "/v1/exceptions?state=open&type=count_difference"), "\"type\":\"count_difference\"") != NULL;
}

#define LAMPS_AT_LEJ "{\"node\":\"LEJ\",\"skus\":[\"LAMP\"]}"

static void what_is_as_expected_is_booked_at_once(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    receive(shop, "LEJ", "BULB", 4);
    const char *id = opened(shop, "{\"node\":\"LEJ\",\"skus\":[\"LAMP\",\"BULB\"]}");
    says_not(get(shop, arena_printf(shop->arena, "/v1/counts/%s", id)), "expected"); /* blind */
    receive(shop, "LEJ", "LAMP", 5);                                                 /* while they count */
    says(lamps(shop, 200, id, "ann", 10), "\"state\":\"open\"");
    const char *body = tell(shop, 200, id, "lines", "{\"lines\":[{\"sku\":\"BULB\",\"counted\":4}]}");
    says(body, "\"state\":\"closed\"");
    says(body, "\"lines_total\":2,\"lines_booked\":2,\"lines_right\":2,\"units\":14,\"units_right\":14");
    says(body, "\"expected\":4,\"counted\":4,\"difference\":0");
    assert_int_equal(on_hand(shop), 15);
    assert_false(is_told(shop));
}

static void a_difference_wants_a_second_pair_of_eyes(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    const char *id = opened(shop, LAMPS_AT_LEJ);
    says(lamps(shop, 200, id, "ann", 7), "\"state\":\"recount\"");
    assert_int_equal(on_hand(shop), 10);
    says(lamps(shop, 409, id, "ann", 7), "state_conflict");
    says(lamps(shop, 200, id, "bob", 7), "\"state\":\"booked\"");
    assert_int_equal(on_hand(shop), 7);
    assert_true(is_told(shop));
    says(get(shop, "/v1/counts/accuracy?node=LEJ"), "\"class\":\"C\",\"lines\":1,\"lines_right\":0,\"units\":10,\"units_right\":7");
    says(lamps(shop, 409, id, "eve", 7), "state_conflict"); /* it is booked */
}

static void the_second_count_may_find_the_books_right(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    const char *id = opened(shop, LAMPS_AT_LEJ);
    lamps(shop, 200, id, "ann", 7);
    says(lamps(shop, 200, id, "bob", 10), "\"difference\":0");
    assert_int_equal(on_hand(shop), 10);
    assert_false(is_told(shop));
}

static void where_two_differ_a_third_decides(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    const char *id = opened(shop, LAMPS_AT_LEJ);
    lamps(shop, 200, id, "ann", 7);
    says(lamps(shop, 200, id, "bob", 6), "\"state\":\"third\"");
    says(lamps(shop, 409, id, "ann", 8), "state_conflict");
    says(lamps(shop, 200, id, "eve", 8), "\"state\":\"booked\"");
    assert_int_equal(on_hand(shop), 8);
    assert_true(is_told(shop));
}

/* Two saw different numbers and the same loss: five came between their looks. */
static void differences_are_compared_and_not_numbers(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    const char *id = opened(shop, LAMPS_AT_LEJ);
    lamps(shop, 200, id, "ann", 8);
    receive(shop, "LEJ", "LAMP", 5);
    const char *other = opened(shop, "{\"node\":\"LEJ\",\"skus\":[\"BULB\"],\"blind\":false}");
    const int64_t seen = number_in(get(shop, arena_printf(shop->arena, "/v1/counts/%s", other)), NULL, "as_of");
    receive(shop, "LEJ", "LAMP", 1);
    says(tell(shop, 200, id, "lines",
              arena_printf(shop->arena, "{\"counter\":\"bob\",\"lines\":[{\"sku\":\"LAMP\",\"counted\":13,\"as_of\":%ld}]}", (long)seen)),
         "\"state\":\"booked\"");
    assert_int_equal(on_hand(shop), 14);
    tell(shop, 200, other, "cancel", "{\"reason\":\"nobody has time\"}");
}

static void small_differences_are_tolerated_and_booked(struct shop *shop)
{
    counts_so(shop, "{\"tolerance_units\":1,\"tolerance_ppm\":200000,\"blind\":false}");
    receive(shop, "LEJ", "LAMP", 10);
    const char *id = opened(shop, LAMPS_AT_LEJ);
    says(get(shop, arena_printf(shop->arena, "/v1/counts/%s", id)), "\"expected\":10");
    says(lamps(shop, 200, id, "ann", 8), "\"lines_right\":1");
    assert_int_equal(on_hand(shop), 8);
    assert_false(is_told(shop));
    says(lamps(shop, 200, opened(shop, LAMPS_AT_LEJ), "ann", 6), "\"state\":\"recount\""); /* two of eight is more than a fifth */
}

static void a_person_takes_note_of_a_difference(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    const char *id = opened(shop, LAMPS_AT_LEJ);
    says(tell(shop, 409, id, "acknowledge", "{\"reason\":\"stolen\"}"), "state_conflict");
    lamps(shop, 200, id, "ann", 7);
    lamps(shop, 200, id, "bob", 7);
    assert_true(is_told(shop));
    tell(shop, 200, id, "acknowledge", "{\"reason\":\"stolen\"}");
    assert_false(is_told(shop));
}

static void a_later_count_that_agrees_closes_it(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    for (int way = 0; way < 2; way++) {
        const char *id = opened(shop, LAMPS_AT_LEJ);
        const int units = (int)on_hand(shop) - 2;
        lamps(shop, 200, id, "ann", units);
        lamps(shop, 200, id, "bob", units);
        assert_true(is_told(shop));
        if (way == 0)
            lamps(shop, 200, opened(shop, LAMPS_AT_LEJ), "ann", units);
        else
            shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":%d,\"reason\":\"count\"}", units);
        assert_false(is_told(shop));
    }
}

static void a_sheet_is_given_up(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    receive(shop, "LEJ", "BULB", 4);
    const char *id = opened(shop, "{\"node\":\"LEJ\",\"skus\":[\"LAMP\",\"BULB\",\"SHADE\"]}");
    lamps(shop, 200, id, "ann", 7);
    tell(shop, 200, id, "lines", "{\"lines\":[{\"sku\":\"BULB\",\"counted\":4}]}");
    const char *body = tell(shop, 200, id, "cancel", "{\"reason\":\"the truck came\"}");
    says(body, "\"state\":\"cancelled\"");
    says(body, "\"reason\":\"the truck came\"");
    says(tell(shop, 409, id, "cancel", "{\"reason\":\"again\"}"), "state_conflict");
    says(lamps(shop, 409, id, "bob", 7), "state_conflict");
    says(tell(shop, 409, id, "lines", "{\"lines\":[{\"sku\":\"BULB\",\"counted\":4}]}"), "state_conflict");
    assert_int_equal(on_hand(shop), 10);
    says(get(shop, "/v1/counts?state=cancelled"), id);
    says_not(get(shop, "/v1/counts?state=open"), id);
}

static void what_is_due(struct shop *shop)
{
    shop->now_us = when_now_us() - 25 * DAY_US; /* readers go by the clock on the wall */
    counts_so(shop, "{\"days_a\":1,\"days_b\":10,\"days_c\":20}");
    receive(shop, "LEJ", "LAMP", 10);
    receive(shop, "LEJ", "BULB", 4);
    says(get(shop, "/v1/counts/due?node=LEJ"), "\"sku\":\"LAMP\"");
    const char *next = get(shop, "/v1/counts/due?node=LEJ&limit=1");
    says(next, "\"next\":\"sku_");
    const char *id = opened(shop, "{\"node\":\"LEJ\"}");
    const char *body = get(shop, arena_printf(shop->arena, "/v1/counts/%s", id));
    says(body, "\"sku\":\"LAMP\"");
    says(body, "\"sku\":\"BULB\"");
    static const char both[] = "{\"lines\":[{\"sku\":\"LAMP\",\"counted\":10},{\"sku\":\"BULB\",\"counted\":4}]}";
    tell(shop, 200, id, "lines", both);
    says(get(shop, "/v1/counts/due?node=LEJ"), "\"class\":\"C\",\"last_counted_at\""); /* 25 days ago */
    shop->now_us += 25 * DAY_US;
    tell(shop, 200, opened(shop, "{\"node\":\"LEJ\",\"class\":\"C\",\"limit\":2}"), "lines", both);
    says(get(shop, "/v1/counts/due?node=LEJ"), "\"items\":[]");
    says(shop_must(shop, 409, "POST", "/v1/counts", "{\"node\":\"LEJ\"}").body, "nothing is due");
    says(shop_must(shop, 409, "POST", "/v1/counts", "{\"node\":\"LEJ\",\"class\":\"A\"}").body, "nothing is due");
}

static void what_cannot_be_counted(struct shop *shop)
{
    static const struct {
        int status;
        const char *body, *code, *pointer;
    } cases[] = {
        { 422, "{\"node\":\"NOPE\",\"skus\":[\"LAMP\"]}", "node_unknown", "/node" },
        { 422, "{\"node\":\"LEJ\",\"skus\":[\"NOPE\"]}", "sku_unknown", "/skus/0" },
        { 422, "{\"node\":\"LEJ\",\"skus\":[\"LAMP\",\"KIT\"]}", "holds_no_stock", "/skus/1" },
        { 422, "{\"node\":\"LEJ\",\"skus\":[\"LAMP\",\"LAMP\"]}", "invalid", "/skus/1" },
        { 422, "{\"node\":\"LEJ\",\"skus\":[\"LAMP\"],\"class\":\"A\"}", "invalid", "/class" },
        { 422, "{\"node\":\"LEJ\",\"class\":\"D\"}", "out_of_range", "/class" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *body = shop_must(shop, cases[i].status, "POST", "/v1/counts", "%s", cases[i].body).body;
        says(body, cases[i].code);
        says(body, cases[i].pointer);
    }
    receive(shop, "LEJ", "LAMP", 10);
    const char *id = opened(shop, LAMPS_AT_LEJ);
    says(tell(shop, 422, id, "lines", "{\"lines\":[{\"sku\":\"BULB\",\"counted\":4}]}"), "sku_unknown");
    says(tell(shop, 422, id, "lines", "{\"lines\":[{\"sku\":\"LAMP\",\"counted\":4},{\"sku\":\"LAMP\",\"counted\":4}]}"), "/lines/1/sku");
    says(tell(shop, 422, id, "lines", "{\"lines\":[{\"sku\":\"LAMP\",\"counted\":4,\"as_of\":99999}]}"), "/lines/0/as_of");
    says(tell(shop, 404, "cnt_0000000000001", "cancel", "{\"reason\":\"x\"}"), "not_found");
}

/* Every pair of state and event: the table says where it leads, and what it does not list leads nowhere. */
static void each_step_of_a_line(struct shop *shop)
{
    static const enum count_line_state leads[][LINE_EVENT_COUNT] = {
        [LINE_OPEN] = { LINE_BOOKED, 0, LINE_RECOUNT, LINE_CANCELLED },
        [LINE_RECOUNT] = { LINE_BOOKED, LINE_BOOKED, LINE_THIRD, LINE_CANCELLED },
        [LINE_THIRD] = { LINE_BOOKED, LINE_BOOKED, LINE_BOOKED, LINE_CANCELLED },
        [LINE_BOOKED] = { 0 },
        [LINE_CANCELLED] = { 0 },
    };
    for (int from = LINE_OPEN; from <= LINE_CANCELLED; from++)
        for (int event = 0; event < LINE_EVENT_COUNT; event++)
            assert_int_equal(count_line_next((enum count_line_state)from, (enum count_line_event)event), leads[from][event]);
    (void)shop;
}

static void how_a_node_counts(struct shop *shop)
{
    says(get(shop, "/v1/nodes/LEJ/counting"), "\"version\":0,\"days_a\":30");
    says(shop_must(shop, 201, "PUT", "/v1/nodes/LEJ/counting", "{\"days_a\":7}").body, "\"version\":1,\"days_a\":7,\"days_b\":90");
    says(shop_must(shop, 200, "PUT", "/v1/nodes/LEJ/counting", "{\"days_a\":7}").body, "\"version\":1");
    says(shop_must(shop, 200, "PUT", "/v1/nodes/LEJ/counting", "{\"days_a\":8}").body, "\"version\":2");
    says(get(shop, "/v1/nodes/LEJ/counting"), "\"version\":2,\"days_a\":8");
    shop_must(shop, 404, "PUT", "/v1/nodes/NOPE/counting", "{}");
    shop_must(shop, 422, "PUT", "/v1/nodes/LEJ/counting", "{\"days_a\":0}");
}

/* Many lines miss what orders claim: they give way, no more of them at once than one command may break. */
static void a_sheet_takes_from_claims(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 3);
    receive(shop, "LEJ", "BULB", 3);
    assert_int_equal(order(shop, "web", "1", "LAMP", 3).status, 201);
    assert_int_equal(order(shop, "web", "2", "BULB", 2).status, 201);
    const char *id = opened(shop, "{\"node\":\"LEJ\",\"skus\":[\"LAMP\",\"BULB\"]}");
    static const char *const counters[] = { "ann", "bob" };
    for (size_t i = 0; i < COUNT(counters); i++)
        tell(shop, 200, id, "lines",
             arena_printf(shop->arena, "{\"counter\":\"%s\",\"lines\":[{\"sku\":\"LAMP\",\"counted\":1},{\"sku\":\"BULB\",\"counted\":9}]}",
                          counters[i]));
    says(get(shop, "/v1/inventory?sku=LAMP&node=LEJ"), "\"on_hand\":1,\"available\":0,\"reserved\":1");
    says(get(shop, "/v1/inventory?sku=BULB&node=LEJ"), "\"on_hand\":9,\"available\":7,\"reserved\":2");
}

int main(void)
{
    static const struct shop_scene scenes[] = {
        SCENE(what_is_as_expected_is_booked_at_once),
        SCENE(a_difference_wants_a_second_pair_of_eyes),
        SCENE(the_second_count_may_find_the_books_right),
        SCENE(where_two_differ_a_third_decides),
        SCENE(differences_are_compared_and_not_numbers),
        SCENE(small_differences_are_tolerated_and_booked),
        SCENE(a_person_takes_note_of_a_difference),
        SCENE(a_later_count_that_agrees_closes_it),
        SCENE(a_sheet_is_given_up),
        SCENE(what_is_due),
        SCENE(what_cannot_be_counted),
        SCENE(each_step_of_a_line),
        SCENE(how_a_node_counts),
        SCENE(a_sheet_takes_from_claims),
    };
    return scenes_play("count sheets", scenes, COUNT(scenes));
}
