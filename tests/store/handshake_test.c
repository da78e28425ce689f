/* tests/store/handshake_test.c: what passes between us and a node about work that it has not shipped. A node that others run is sent its work, and
 * says what it does: from then on a cancel needs its word. A node that declines an order, or fails with it, gives its units back: another one ships
 * them at once, or they wait at the order's rank, and the node is not given the order again until a person says so. Each scene runs on both stores
 * and ends in a company in which `millrace check` finds nothing. */
#include "fulfilment/fulfilment.h"
#include "store/sale.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- what is done ---- */

/* FBA is run by others and asked first, then HAM; both serve web and the marketplace. */
static void others_run_fba(struct shop *shop)
{
    shop_must(shop, 201, "PUT", "/v1/nodes/FBA",
              "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"third_party\",\"country\":\"DE\",\"postal_code\":\"1\",\"priority\":1}");
    shop_must(shop, 200, "PATCH", "/v1/nodes/HAM", "{\"priority\":2}");
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"nodes\":[\"FBA\",\"HAM\"]}");
    shop_must(shop, 200, "PATCH", "/v1/channels/market", "{\"nodes\":[\"FBA\"]}");
}

static const char *cancels(struct shop *shop, const char *id, const char *lines)
{
    return shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"the customer called\"%s}", lines).body;
}

#define LINES(LINE, QUANTITY) ",\"lines\":[{\"line\":" LINE ",\"quantity\":" QUANTITY "}]"

/* ---- every pair of state and event ---- */

static const char *const verbs[] = { "send",    "accept", "decline", "pick",          "miss", "pack",  "ship",
                                     "deliver", "fail",   "cancel",  "reject_cancel", "lost", "settle" };

/* How it comes to be in a state, and to which each report leads from there; all others are refused. `order` is a cancel of the whole order. */
static const struct from {
    const char *state, *by, *goes;
} froms[] = {
    { "released", "", "send>sent accept>accepted decline>declined pick>picking miss>cancelled fail>failed order>cancelled" },
    { "sent", "send", "accept>accepted decline>declined pick>picking miss>cancelled fail>failed order>cancel_requested" },
    { "accepted", "send accept", "pick>picking miss>cancelled fail>failed order>cancel_requested" },
    { "picking", "send pick", "pack>packed fail>failed order>cancel_requested" },
    { "packed", "pick pack", "ship>shipped fail>failed order>cancel_requested" },
    { "shipped", "pick pack ship", "deliver>delivered lost>shipped" },
    { "shipped", "pick pack ship lost", "deliver>delivered settle>failed" },
    { "delivered", "pick pack ship deliver", "lost>delivered" },
    { "delivered", "pick pack ship deliver lost", "settle>failed" },
    { "failed", "pick pack ship lost settle", "" },
    { "declined", "decline", "order>declined" }, /* what waits of it is cancelled */
    { "failed", "fail", "order>failed" },
    { "cancelled", "order", "" },
    { "cancel_requested", "send order",
      "accept>cancel_requested decline>declined pick>cancel_requested miss>cancelled fail>failed "
      "cancel>cancelled reject_cancel>sent order>cancel_requested" },
    { "cancel_requested", "send accept order",
      "pick>cancel_requested miss>cancelled fail>failed cancel>cancelled reject_cancel>accepted "
      "order>cancel_requested" },
    { "cancel_requested", "send pick order", "pack>cancel_requested fail>failed cancel>cancelled reject_cancel>picking order>cancel_requested" },
    { "cancel_requested", "pick pack order", "ship>shipped fail>failed cancel>cancelled reject_cancel>packed order>cancel_requested" },
};

static void do_all(struct shop *shop, const char *id, const char *work, const char *words)
{
    const char *whole = strstr(words, "order");
    reports(shop, work, whole == NULL ? words : arena_text_n(shop->arena, words, (size_t)(whole - words)));
    if (whole != NULL)
        cancels(shop, id, "");
}

static void try(struct shop *shop, const struct from *from, const char *verb)
{
    receive(shop, "FBA", "LAMP", 1);
    const char *id = buys(shop, "market", "LAMP", 1), *work = work_of(shop, id, 0);
    do_all(shop, id, work, from->by);
    assert_string_equal(state_of(shop, work), from->state);
    const char *word = arena_printf(shop->arena, "%s>", verb), *goes = strstr(arena_printf(shop->arena, " %s", from->goes), word);
    while (goes != NULL && goes[-1] != ' ') /* reject_cancel ends as cancel does */
        goes = strstr(goes + 1, word);
    const char *to = goes == NULL ? from->state : arena_text_n(shop->arena, goes + strlen(word), strcspn(goes + strlen(word), " "));
    const char *path = arena_printf(shop->arena, "/v1/orders/%s/cancel", id);
    struct reply reply = strcmp(verb, "order") == 0 ? shop_call(shop, "POST", path, "{\"reason\":\"r\"}") : report(shop, work, verb, NULL);
    if (reply.status != (goes == NULL ? 409 : 200) || strcmp(state_of(shop, work), to) != 0)
        fail_msg("%s (by \"%s\") and %s: %d, then %s, not %s: %s", from->state, from->by, verb, reply.status, state_of(shop, work), to, reply.body);
    (void)shop_call(shop, "POST", path, "{\"reason\":\"end of the case\"}"); /* it must not take the next one's lamp */
    (void)shop_call(shop, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/cancel", work), "{}");
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"FBA\",\"sku\":\"LAMP\",\"set\":0,\"reason\":\"count\"}");
}

static void each_state_and_each_report(struct shop *shop)
{
    others_run_fba(shop);
    for (size_t i = 0; i < COUNT(froms); i++) {
        for (size_t v = 0; v < COUNT(verbs); v++)
            try(shop, &froms[i], verbs[v]);
        try(shop, &froms[i], "order");
    }
}

/* ---- sent ---- */

static void work_of_our_own_is_not_sent(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    const char *id = buys(shop, "b2b", "LAMP", 1), *work = work_of(shop, id, 0);
    struct reply reply = report(shop, work, "send", NULL);
    assert_int_equal(reply.status, 409);
    assert_non_null(strstr(reply.body, "LEJ is a node of our own: its work is not sent, it is picked"));
    reports(shop, work, "accept"); /* a store may say that it does it */
    cancels(shop, id, "");         /* and is ours: it is told, not asked */
    assert_string_equal(state_of(shop, work), "cancelled");
    buckets(shop, "LEJ", "LAMP", 1, 0, 0);
}

static void what_was_not_sent_is_cancelled_at_once(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 3);
    const char *id = buys(shop, "web", "LAMP", 3);
    cancels(shop, id, LINES("1", "1"));
    assert_int_equal(figure(shop, id, "cancelled"), 1);
    cancels(shop, id, "");
    assert_int_equal(figure(shop, id, "cancelled"), 3);
    buckets(shop, "FBA", "LAMP", 3, 0, 0);
}

/* ---- asked to give back ---- */

static void a_cancel_waits_for_the_nodes_word(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 3);
    const char *id = buys(shop, "web", "LAMP", 3), *work = work_of(shop, id, 0), *behind = buys(shop, "web", "LAMP", 2);
    reports(shop, work, "send");
    const char *answer = cancels(shop, id, LINES("1", "2"));
    assert_non_null(strstr(answer, "\"state\":\"cancel_requested\",\"lines\":[{\"line\":1,\"sku\":\"LAMP\",\"quantity\":3,\"cancel_requested\":2}]"));
    assert_int_equal(number_in(answer, "\"lines\"", "cancelled"), 0);
    assert_true(says(shop, id, "asked to be cancelled: line 1: 2 (the customer called)"));
    assert_true(says(shop, id, arena_printf(shop->arena, "FBA is asked to give back fulfilment %s (the customer called)", work)));
    buckets(shop, "FBA", "LAMP", 0, 3, 0);
    const char *asked = shop_must(shop, 200, "GET", "/v1/fulfilments?node=FBA&state=cancel_requested", NULL).body;
    assert_int_equal(count_of(asked, work), 1);
    answer = reports(shop, work, "cancel");
    assert_non_null(strstr(answer, "\"state\":\"sent\""));
    assert_int_equal(number_in(answer, "\"lines\"", "quantity"), 1);
    assert_int_equal(figure(shop, id, "cancelled"), 2);
    assert_int_equal(figure(shop, id, "allocated"), 1);
    assert_int_equal(figure(shop, behind, "allocated"), 2); /* who waited has them at once */
    assert_true(says(shop, id, arena_printf(shop->arena, "FBA gave back what was asked of fulfilment %s", work)));
    assert_true(says(shop, id, "line 1: 2 cancelled (the node agreed)"));
    reports(shop, work, "accept pick pack ship deliver");
    assert_true(says(shop, id, "\"stage\":\"delivered\""));
}

static void a_node_keeps_what_it_was_asked_for(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 2);
    const char *id = buys(shop, "web", "LAMP", 2), *work = work_of(shop, id, 0);
    reports(shop, work, "send accept pick");
    cancels(shop, id, "");
    const char *answer = reports(shop, work, "reject_cancel");
    assert_non_null(strstr(answer, "\"state\":\"picking\",\"version\":6,\"lines\":[{\"line\":1,\"sku\":\"LAMP\",\"quantity\":2}]"));
    assert_true(says(shop, id, arena_printf(shop->arena, "FBA does not give back fulfilment %s (it is on the belt)", work)));
    assert_true(says(shop, id, "not cancelled (it is on the belt)"));
    assert_int_equal(figure(shop, id, "cancelled"), 0);
    cancels(shop, id, LINES("1", "1")); /* and is asked once more */
    reports(shop, work, "cancel pack ship");
    assert_int_equal(figure(shop, id, "cancelled"), 1);
    assert_int_equal(figure(shop, id, "shipped"), 1);
}

/* Facts are not refused: the work goes on, the asking stands, and what has left has left. */
static void a_node_works_on_while_it_is_asked(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 4);
    const char *id = buys(shop, "web", "LAMP", 2), *work = work_of(shop, id, 0);
    reports(shop, work, "send");
    cancels(shop, id, LINES("1", "1"));
    const char *answer = reports(shop, work, "accept pick pack");
    assert_non_null(strstr(answer, "\"state\":\"cancel_requested\""));
    assert_non_null(strstr(answer, "\"cancel_requested\":1"));
    answer = reports(shop, work, "ship");
    assert_non_null(strstr(answer, "\"state\":\"shipped\""));
    assert_null(strstr(answer, "cancel_requested"));
    assert_int_equal(figure(shop, id, "shipped"), 2);
    assert_int_equal(figure(shop, id, "cancelled"), 0);
    assert_int_equal(report(shop, work, "cancel", NULL).status, 409);
    assert_int_equal(shop_call(shop, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"r\"}").status, 409);
}

/* What is asked for and is not there anyway need not come from elsewhere. */
static void a_short_pick_of_what_is_asked_for(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 3);
    receive(shop, "HAM", "LAMP", 5);
    const char *id = buys(shop, "web", "LAMP", 3), *work = work_of(shop, id, 0);
    reports(shop, work, "send");
    cancels(shop, id, LINES("1", "2"));
    const char *answer =
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/pick", work), "{\"lines\":[{\"line\":1,\"quantity\":2}]}").body;
    assert_non_null(strstr(answer, "\"state\":\"cancel_requested\",\"version\":4"));
    assert_non_null(strstr(answer, "\"quantity\":2,\"cancel_requested\":1"));
    assert_int_equal(figure(shop, id, "cancelled"), 1);
    buckets(shop, "HAM", "LAMP", 5, 0, 0);
    answer = reports(shop, work, "cancel");
    assert_non_null(strstr(answer, "\"state\":\"picking\""));
    assert_int_equal(figure(shop, id, "cancelled"), 2);
    assert_int_equal(figure(shop, id, "allocated"), 1);
    buckets(shop, "FBA", "LAMP", 1, 1, 1);
}

static void all_that_is_asked_for_is_not_there(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 3);
    const char *id = buys(shop, "web", "LAMP", 3), *work = work_of(shop, id, 0);
    reports(shop, work, "send");
    cancels(shop, id, LINES("1", "1"));
    const char *answer =
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/pick", work), "{\"lines\":[{\"line\":1,\"quantity\":1}]}").body;
    assert_non_null(strstr(answer, "\"state\":\"picking\"")); /* nothing is left to answer */
    assert_int_equal(figure(shop, id, "cancelled"), 1);
    assert_int_equal(figure(shop, id, "backordered"), 1);
    assert_int_equal(figure(shop, id, "allocated"), 1);
}

/* A count takes what the node has: what is asked for falls with it. */
static void a_count_takes_what_is_asked_for(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 3);
    const char *id = buys(shop, "web", "LAMP", 3), *work = work_of(shop, id, 0);
    reports(shop, work, "send");
    cancels(shop, id, LINES("1", "2"));
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"FBA\",\"sku\":\"LAMP\",\"set\":1,\"reason\":\"count\"}");
    assert_true(says(shop, id, "\"quantity\":1,\"cancel_requested\":1"));
    assert_string_equal(state_of(shop, work), "cancel_requested");
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"FBA\",\"sku\":\"LAMP\",\"set\":0,\"reason\":\"count\"}");
    assert_string_equal(state_of(shop, work), "cancelled");
    assert_int_equal(figure(shop, id, "backordered"), 3);
}

/* Part of an order is with us, part with others: what may go goes, the rest is asked for. */
static void a_cancel_that_is_half_asked(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 2);
    receive(shop, "HAM", "BULB", 2);
    const char *id = order_lines(shop, "web", arena_printf(shop->arena, "%s,%s", line_of(shop, "LAMP", 2), line_of(shop, "BULB", 2)));
    const char *work = strstr(work_of(shop, id, 0), "ful_");
    work = strstr(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/fulfilments/%s", work), NULL).body, "\"node\":\"FBA\"") != NULL
               ? work
               : work_of(shop, id, 1);
    reports(shop, work, "send");
    const char *answer = cancels(shop, id, "");
    assert_int_equal(number_in(answer, "\"BULB\"", "cancelled"), 2);
    assert_int_equal(number_in(answer, "\"LAMP\"", "cancelled"), 0);
    assert_non_null(strstr(answer, "\"what\":\"line 2: 2 cancelled (the customer called)\""));
    assert_non_null(strstr(answer, "\"what\":\"asked to be cancelled: line 1: 2 (the customer called)\""));
    const int64_t version = number_in(answer, NULL, "version");
    answer = cancels(shop, id, ""); /* all that is left is asked for already: nothing is done */
    assert_int_equal(number_in(answer, NULL, "version"), version);
    assert_int_equal(shop_call(shop, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"r\"" LINES("1", "1") "}").status,
                     409);
    reports(shop, work, "cancel");
    assert_true(says(shop, id, "\"stage\":\"cancelled\""));
    assert_true(says(shop, id, "order cancelled (the node agreed)"));
    buckets(shop, "FBA", "LAMP", 2, 0, 0);
}

static void a_node_that_declines_what_it_is_asked_for(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 3);
    receive(shop, "HAM", "LAMP", 3);
    const char *id = buys(shop, "web", "LAMP", 3), *work = work_of(shop, id, 0);
    reports(shop, work, "send");
    cancels(shop, id, LINES("1", "2"));
    reports(shop, work, "decline");
    assert_int_equal(figure(shop, id, "cancelled"), 2);
    assert_int_equal(figure(shop, id, "allocated"), 1); /* the one that is wanted, from elsewhere */
    buckets(shop, "FBA", "LAMP", 3, 0, 0);
    buckets(shop, "HAM", "LAMP", 2, 1, 0);
}

/* An edit is all or nothing, and done when it is answered: what needs a word is not its to take. More of it goes elsewhere, where the node refuses.
 */
static void an_order_is_edited_that_others_have(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 9);
    receive(shop, "HAM", "LAMP", 9);
    const char *id = buys(shop, "web", "LAMP", 2), *path = arena_printf(shop->arena, "/v1/orders/%s/edit", id);
    reports(shop, work_of(shop, id, 0), "send");
    struct reply reply = shop_call(shop, "POST", path, "{\"set\":[{\"line\":1,\"quantity\":1}]}");
    assert_int_equal(reply.status, 409);
    assert_non_null(strstr(reply.body, "need a node's word: at least as many stay"));
    reports(shop, work_of(shop, id, 0), "decline");
    shop_must(shop, 200, "POST", path, "{\"set\":[{\"line\":1,\"quantity\":5}]}");
    buckets(shop, "FBA", "LAMP", 9, 0, 0);
    buckets(shop, "HAM", "LAMP", 4, 5, 0);
}

/* ---- declined ---- */

static void another_node_ships_what_one_declines(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 5);
    receive(shop, "HAM", "LAMP", 2);
    const char *id = buys(shop, "web", "LAMP", 2), *work = work_of(shop, id, 0);
    reports(shop, work, "send");
    const char *answer = reports(shop, work, "decline");
    assert_non_null(strstr(answer, "\"state\":\"declined\",\"version\":3,\"lines\":[]"));
    assert_true(says(shop, id, arena_printf(shop->arena, "FBA declined fulfilment %s (no cartons)", work)));
    assert_true(says(shop, id, "released to HAM"));
    assert_int_equal(works(shop, id), 2);
    buckets(shop, "FBA", "LAMP", 5, 0, 0); /* they are fine, for others */
    buckets(shop, "HAM", "LAMP", 0, 2, 0);
    assert_int_equal(open_exceptions(shop, "declined"), 0);
    reports(shop, work_of(shop, id, 1), "pick pack ship deliver");
    assert_true(says(shop, id, "\"stage\":\"delivered\""));
}

static void it_waits_where_no_other_has_it(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 5);
    const char *id = buys(shop, "web", "LAMP", 2);
    reports(shop, work_of(shop, id, 0), "decline");
    assert_int_equal(figure(shop, id, "backordered"), 2);
    assert_true(says(shop, id, "\"stage\":\"captured\""));
    const char *open = exceptions(shop, "declined", "open");
    assert_non_null(strstr(open, "\"sku\":\"LAMP\",\"quantity\":2,"));
    assert_int_equal(number_in(open, NULL, "repeats"), 1);
    assert_true(says(shop, id, "declined by a node: line 1 lacks 2 (no cartons)"));
    const char *other = buys(shop, "web", "LAMP", 5); /* is given what the first may not have */
    assert_int_equal(figure(shop, other, "allocated"), 5);
    receive(shop, "FBA", "LAMP", 9); /* new goods do not change its mind */
    assert_int_equal(figure(shop, id, "backordered"), 2);
    receive(shop, "HAM", "LAMP", 1);
    assert_int_equal(figure(shop, id, "backordered"), 1);
    receive(shop, "HAM", "LAMP", 1);
    assert_int_equal(figure(shop, id, "allocated"), 2);
    assert_int_equal(open_exceptions(shop, "declined"), 0);
}

static void a_person_lets_it_have_the_order_again(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 5);
    const char *id = buys(shop, "web", "LAMP", 2);
    reports(shop, work_of(shop, id, 0), "send decline");
    const char *path = arena_printf(shop->arena, "/v1/orders/%s/refusals/FBA/clear", id);
    const char *answer = shop_must(shop, 200, "POST", path, "{\"reason\":\"cartons came\"}").body;
    assert_int_equal(number_in(answer, "\"lines\"", "allocated"), 2);
    assert_non_null(strstr(answer, "\"what\":\"may go to FBA again (cartons came)\""));
    assert_int_equal(open_exceptions(shop, "declined"), 0);
    assert_int_equal(works(shop, id), 2);
    assert_int_equal(shop_call(shop, "POST", path, "{\"reason\":\"r\"}").status, 404); /* it does not refuse any more */
    path = arena_printf(shop->arena, "/v1/orders/%s/refusals/NONE/clear", id);
    assert_int_equal(shop_call(shop, "POST", path, "{\"reason\":\"r\"}").status, 404);
    reports(shop, work_of(shop, id, 1), "decline"); /* and may decline again */
    assert_int_equal(figure(shop, id, "backordered"), 2);
    cancels(shop, id, "");
    assert_int_equal(open_exceptions(shop, "declined"), 0);
}

static void two_nodes_decline(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 2);
    receive(shop, "HAM", "LAMP", 2);
    const char *id = buys(shop, "web", "LAMP", 2);
    reports(shop, work_of(shop, id, 0), "decline");
    reports(shop, work_of(shop, id, 1), "accept fail");
    assert_int_equal(figure(shop, id, "backordered"), 2);
    assert_int_equal(open_exceptions(shop, "declined"), 0); /* the second is what it waits for */
    assert_int_equal(open_exceptions(shop, "node_failed"), 1);
    buckets(shop, "FBA", "LAMP", 2, 0, 0);
    buckets(shop, "HAM", "LAMP", 2, 0, 0);
    receive(shop, "FBA", "LAMP", 1);
    receive(shop, "HAM", "LAMP", 1);
    assert_int_equal(figure(shop, id, "backordered"), 2);
}

static void a_marketplace_has_sold_what_its_node_declines(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 2);
    const char *id = buys(shop, "market", "LAMP", 2);
    reports(shop, work_of(shop, id, 0), "decline");
    assert_int_equal(figure(shop, id, "oversold"), 2);
    assert_int_equal(open_exceptions(shop, "declined"), 1);
    assert_int_equal(open_exceptions(shop, "oversell"), 0); /* one cause, one exception */
    shop_must(shop, 200, "PATCH", "/v1/channels/market", "{\"nodes\":[\"FBA\",\"HAM\"]}");
    receive(shop, "HAM", "LAMP", 2);
    assert_int_equal(figure(shop, id, "oversold"), 0);
    assert_int_equal(open_exceptions(shop, "declined"), 0);
}

/* What the order holds there, and no node has been told yet, goes too. */
static void a_channel_that_releases_by_hand(struct shop *shop)
{
    others_run_fba(shop);
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"release\":\"manual\"}");
    receive(shop, "FBA", "LAMP", 2);
    const char *id = order_lines(shop, "web", arena_printf(shop->arena, "%s,%s", line_of(shop, "LAMP", 2), line_of(shop, "BULB", 1)));
    receive(shop, "FBA", "BULB", 1);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/release", id), "{}");
    const char *work = work_of(shop, id, 0);
    reports(shop, work, "send");
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"FBA\",\"sku\":\"BULB\",\"delta\":-1,\"reason\":\"damage\"}");
    receive(shop, "FBA", "BULB", 1);
    assert_int_equal(stock(shop, "FBA", "BULB", "reserved"), 1);
    reports(shop, work, "decline");
    assert_int_equal(stock(shop, "FBA", "BULB", "reserved"), 0);
    buckets(shop, "FBA", "BULB", 1, 0, 0);
    assert_int_equal(open_exceptions(shop, "declined"), 2); /* one for each SKU */
}

/* ---- failed ---- */

static void a_node_fails_and_its_units_are_there(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 2);
    const char *id = buys(shop, "web", "LAMP", 2), *work = work_of(shop, id, 0);
    reports(shop, work, "send accept pick pack fail");
    assert_true(says(shop, id, arena_printf(shop->arena, "FBA failed with fulfilment %s (the belt stands)", work)));
    buckets(shop, "FBA", "LAMP", 2, 0, 0);
    assert_int_equal(open_exceptions(shop, "node_failed"), 1);
    receive(shop, "HAM", "LAMP", 2);
    assert_int_equal(open_exceptions(shop, "node_failed"), 0);
    assert_int_equal(open_exceptions(shop, "short_pick"), 0);
    assert_true(says(shop, id, "\"packages\":[]")); /* what was packed there is not on its way */
}

static void a_node_fails_and_has_lost_some(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 3);
    const char *id = buys(shop, "web", "LAMP", 3), *work = work_of(shop, id, 0);
    const char *path = arena_printf(shop->arena, "/v1/fulfilments/%s/fail", work);
    reports(shop, work, "send");
    struct reply refused = shop_call(shop, "POST", path, "{\"reason\":\"fire\",\"lost\":[{\"line\":1,\"quantity\":4},{\"line\":2,\"quantity\":1}]}");
    assert_int_equal(refused.status, 422);
    assert_non_null(strstr(refused.body, "\"pointer\":\"/lost/0/quantity\",\"code\":\"out_of_range\",\"detail\":\"3 are due and 4 are lost\""));
    assert_non_null(strstr(refused.body, "\"pointer\":\"/lost/1/line\",\"code\":\"line_unknown\""));
    shop_must(shop, 200, "POST", path, "{\"reason\":\"fire\",\"lost\":[{\"line\":1,\"quantity\":2}]}");
    buckets(shop, "FBA", "LAMP", 1, 0, 2);
    assert_int_equal(open_exceptions(shop, "short_pick"), 1); /* a count says what became of the two */
    assert_int_equal(figure(shop, id, "backordered"), 3);
    assert_true(says(shop, id, arena_printf(shop->arena, "FBA failed with fulfilment %s: line 1 lacks 2 (fire)", work)));
}

/* ---- bundles ---- */

static void a_bundle_that_stays_together_is_declined_whole(struct shop *shop)
{
    others_run_fba(shop);
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"split\":false}");
    receive(shop, "FBA", "BULB", 4);
    receive(shop, "FBA", "SHADE", 2);
    receive(shop, "HAM", "BULB", 4);
    receive(shop, "HAM", "SHADE", 1);
    const char *id = buys(shop, "web", "KIT", 2);
    reports(shop, work_of(shop, id, 0), "send");
    cancels(shop, id, LINES("1", "1"));
    assert_int_equal(count_of(order_text(shop, id), "\"cancel_requested\":2"), 1); /* two bulbs and a shade */
    reports(shop, work_of(shop, id, 0), "reject_cancel decline");
    assert_int_equal(figure(shop, id, "allocated"), 0);
    assert_int_equal(figure(shop, id, "reserved"), 1); /* the whole one that is elsewhere; it is not sent before the rest is there */
    assert_int_equal(figure(shop, id, "backordered"), 1);
    buckets(shop, "FBA", "BULB", 4, 0, 0);
    receive(shop, "HAM", "SHADE", 1);
    assert_int_equal(figure(shop, id, "allocated"), 2);
    assert_int_equal(open_exceptions(shop, "declined"), 0);
}

/* ---- refused, given again ---- */

static void what_is_refused_leaves_no_trace(struct shop *shop)
{
    static const struct {
        const char *verb, *body;
        int status;
        const char *says;
    } cases[] = {
        { "decline", "{}", 422, "\"pointer\":\"/reason\",\"code\":\"required\"" },
        { "decline", "{\"reason\":\"\"}", 422, "\"pointer\":\"/reason\"" },
        { "decline", "{\"reason\":\"r\",\"lost\":[]}", 422, "\"pointer\":\"/lost\",\"code\":\"unknown_field\"" },
        { "fail", "{\"reason\":\"r\",\"lost\":[{\"line\":1,\"quantity\":0}]}", 422, "\"pointer\":\"/lost/0/quantity\"" },
        { "fail", "{\"reason\":\"r\",\"lost\":[{\"line\":1,\"sku\":\"BULB\",\"quantity\":1}]}", 422, "\"pointer\":\"/lost/0/sku\"" },
        { "cancel", "{}", 409, "nobody has asked the node to give back this fulfilment order: it is released" },
        { "reject_cancel", "{\"reason\":\"r\"}", 409, "nobody has asked" },
        { "reject_cancel", "{}", 422, "\"pointer\":\"/reason\"" },
    };
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 2);
    const char *id = buys(shop, "web", "LAMP", 2), *work = work_of(shop, id, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reply reply = shop_call(shop, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/%s", work, cases[i].verb), "%s", cases[i].body);
        if (reply.status != cases[i].status || strstr(reply.body, cases[i].says) == NULL)
            fail_msg("%s %s: %d %s", cases[i].verb, cases[i].body, reply.status, reply.body);
    }
    assert_string_equal(state_of(shop, work), "released");
    buckets(shop, "FBA", "LAMP", 0, 2, 0);
}

static const char *with_key(struct shop *shop, const char *path, const char *body, const char *key)
{
    struct command *command = local_command(shop->local, shop->arena, "POST", path, body, key);
    engine_run(shop->engine, &command, 1);
    assert_int_equal(command->answer.status, 200);
    return arena_text_n(shop->arena, command->answer.body, command->answer.body_bytes);
}

static void a_key_gives_the_same_answer_again(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "LAMP", 3);
    receive(shop, "HAM", "LAMP", 1);
    const char *id = buys(shop, "web", "LAMP", 3), *work = work_of(shop, id, 0);
    const struct {
        const char *path, *body;
    } steps[] = {
        { arena_printf(shop->arena, "/v1/fulfilments/%s/send", work), "" },
        { arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"r\"" LINES("1", "1") "}" },
        { arena_printf(shop->arena, "/v1/fulfilments/%s/reject_cancel", work), "{\"reason\":\"r\"}" },
        { arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"r\"" LINES("1", "2") "}" },
        { arena_printf(shop->arena, "/v1/fulfilments/%s/accept", work), "" },
        { arena_printf(shop->arena, "/v1/orders/%s/holds", id), "{\"kind\":\"fraud\",\"reason\":\"look\"}" },
        { arena_printf(shop->arena, "/v1/fulfilments/%s/cancel", work), "" },
        { arena_printf(shop->arena, "/v1/fulfilments/%s/fail", work), "{\"reason\":\"r\"}" },
        { arena_printf(shop->arena, "/v1/orders/%s/refusals/FBA/clear", id), "{\"reason\":\"r\"}" },
        { arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"r\"}" },
    };
    const char *first[COUNT(steps)];
    for (size_t i = 0; i < COUNT(steps); i++)
        first[i] = with_key(shop, steps[i].path, steps[i].body, arena_printf(shop->arena, "k-%zu", i));
    for (size_t i = 0; i < COUNT(steps); i++) {
        const char *again = with_key(shop, steps[i].path, steps[i].body, arena_printf(shop->arena, "k-%zu", i));
        if (strcmp(again, first[i]) != 0)
            fail_msg("%s: first\n%s\nagain\n%s", steps[i].path, first[i], again);
    }
}

/* A bundle of which FBA has one part, and the other waits since it was lost: no whole piece goes with the cancel, the part does. */
static void a_part_that_waits_goes_while_another_is_asked_for(struct shop *shop)
{
    others_run_fba(shop);
    receive(shop, "FBA", "SHADE", 1);
    receive(shop, "HAM", "BULB", 2);
    const char *id = buys(shop, "web", "KIT", 1);
    const char *first = work_of(shop, id, 0), *at = arena_printf(shop->arena, "/v1/fulfilments/%s", first);
    const bool is_fba = strstr(shop_must(shop, 200, "GET", at, NULL).body, "\"node\":\"FBA\"") != NULL;
    (void)reports(shop, is_fba ? first : work_of(shop, id, 1), "send");
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"HAM\",\"sku\":\"BULB\",\"delta\":-2,\"reason\":\"loss\"}");
    const char *open = "/v1/exceptions?state=open";
    assert_non_null(strstr(shop_must(shop, 200, "GET", open, NULL).body, "broken_claim"));
    cancels(shop, id, "");
    assert_null(strstr(shop_must(shop, 200, "GET", open, NULL).body, "broken_claim"));
}

static const struct shop_scene scenes[] = {
    SCENE(each_state_and_each_report),
    SCENE(work_of_our_own_is_not_sent),
    SCENE(what_was_not_sent_is_cancelled_at_once),
    SCENE(a_cancel_waits_for_the_nodes_word),
    SCENE(a_node_keeps_what_it_was_asked_for),
    SCENE(a_node_works_on_while_it_is_asked),
    SCENE(a_short_pick_of_what_is_asked_for),
    SCENE(all_that_is_asked_for_is_not_there),
    SCENE(a_count_takes_what_is_asked_for),
    SCENE(a_cancel_that_is_half_asked),
    SCENE(a_node_that_declines_what_it_is_asked_for),
    SCENE(an_order_is_edited_that_others_have),
    SCENE(another_node_ships_what_one_declines),
    SCENE(it_waits_where_no_other_has_it),
    SCENE(a_person_lets_it_have_the_order_again),
    SCENE(two_nodes_decline),
    SCENE(a_marketplace_has_sold_what_its_node_declines),
    SCENE(a_channel_that_releases_by_hand),
    SCENE(a_node_fails_and_its_units_are_there),
    SCENE(a_node_fails_and_has_lost_some),
    SCENE(a_bundle_that_stays_together_is_declined_whole),
    SCENE(a_part_that_waits_goes_while_another_is_asked_for),
    SCENE(what_is_refused_leaves_no_trace),
    SCENE(a_key_gives_the_same_answer_again),
};

int main(void)
{
    return scenes_play("handshake", scenes, COUNT(scenes));
}
