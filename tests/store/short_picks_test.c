/* tests/store/short_picks_test.c: a picker finds fewer units than are due. What is missing leaves the order at once and stands in quarantine
 * until a count decides; another node ships it, or it waits; what was found goes on; the node is not asked again, and nobody is promised
 * what nobody has found. Each scene runs on both stores and ends in a company in which `millrace check` finds nothing. */
#include "store/sale.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- what is done ---- */

static const char *picks(struct shop *shop, const char *work, const char *lines)
{
    struct reply reply = report(shop, work, "pick", arena_printf(shop->arena, "{\"lines\":[%s]}", lines));
    if (reply.status != 200)
        fail_msg("pick: %d %s", reply.status, reply.body);
    return reply.body;
}

static void ships(struct shop *shop, const char *work)
{
    assert_int_equal(report(shop, work, "pack", "{\"packages\":[{\"weight_g\":500}]}").status, 200);
    assert_int_equal(report(shop, work, "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}").status, 200);
}

static const char *adjust(struct shop *shop, const char *node, const char *sku, const char *what)
{
    return shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"%s\",\"sku\":\"%s\",%s}", node, sku, what).body;
}

/* ---- what is seen ---- */

#define FOUND(LINE, QUANTITY) "{\"line\":" LINE ",\"quantity\":" QUANTITY "}"
#define FOUND_OF(LINE, SKU, QUANTITY) "{\"line\":" LINE ",\"sku\":\"" SKU "\",\"quantity\":" QUANTITY "}"

/* ---- scenes ---- */

static void what_was_found_goes_on_and_the_rest_waits(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    const char *id = buys(shop, "web", "LAMP", 3), *work = work_of(shop, id, 0);
    const char *answer = picks(shop, work, FOUND("1", "2"));
    assert_non_null(strstr(answer, "\"state\":\"picking\""));
    assert_int_equal(number_in(answer, "\"lines\"", "quantity"), 2);
    buckets(shop, "LEJ", "LAMP", 2, 2, 1); /* two more by the books, and the picker found none of them */
    assert_int_equal(figure(shop, id, "allocated"), 2);
    assert_int_equal(figure(shop, id, "backordered"), 1);
    assert_true(says(shop, id, arena_printf(shop->arena, "LEJ picked short fulfilment %s: line 1 lacks 1", work)));
    const char *open = exceptions(shop, "short_pick", "open");
    assert_int_equal(count_of(open, "\"type\":\"short_pick\""), 1);
    assert_non_null(strstr(open, "\"node\":\"LEJ\",\"sku\":\"LAMP\",\"quantity\":1,"));
    assert_int_equal(number_in(open, NULL, "repeats"), 1);
    assert_int_equal(count_of(exceptions(shop, "broken_claim", "open"), "\"detail\":\"short_pick\""), 1);
    ships(shop, work);
    assert_int_equal(figure(shop, id, "shipped"), 2);
    buckets(shop, "LEJ", "LAMP", 2, 0, 1);
}

static void another_node_ships_what_is_missing(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    receive(shop, "HAM", "LAMP", 1);
    const char *id = buys(shop, "web", "LAMP", 3);
    picks(shop, work_of(shop, id, 0), FOUND("1", "2"));
    assert_int_equal(works(shop, id), 2);
    assert_int_equal(figure(shop, id, "allocated"), 3);
    assert_int_equal(figure(shop, id, "backordered"), 0);
    buckets(shop, "HAM", "LAMP", 0, 1, 0);
    assert_true(says(shop, id, "released to HAM"));
    assert_int_equal(count_of(exceptions(shop, "broken_claim", "open"), "\"id\""), 0); /* nobody waits */
    assert_int_equal(count_of(exceptions(shop, "short_pick", "open"), "\"id\""), 1);
    picks(shop, work_of(shop, id, 1), FOUND("1", "0")); /* there neither */
    assert_int_equal(figure(shop, id, "backordered"), 1);
    assert_int_equal(count_of(exceptions(shop, "short_pick", "open"), "\"id\""), 2);
    buckets(shop, "LEJ", "LAMP", 2, 2, 1);
    buckets(shop, "HAM", "LAMP", 0, 0, 1);
}

static void nothing_was_found(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 3);
    receive(shop, "LEJ", "BULB", 1);
    const char *id = order_lines(shop, "web", arena_printf(shop->arena, "%s,%s", line_of(shop, "LAMP", 3), line_of(shop, "BULB", 1)));
    const char *work = work_of(shop, id, 0), *answer = picks(shop, work, FOUND("1", "0") "," FOUND("2", "0"));
    assert_non_null(strstr(answer, "\"state\":\"cancelled\""));
    assert_true(says(shop, id, arena_printf(shop->arena, "LEJ could not pick fulfilment %s: line 1 lacks 3, line 2 lacks 1", work)));
    assert_true(says(shop, id, "\"stage\":\"captured\""));
    buckets(shop, "LEJ", "LAMP", 0, 0, 3);
    assert_int_equal(report(shop, work, "pack", "{\"packages\":[{\"weight_g\":500}]}").status, 409);
    assert_int_equal(report(shop, work, "pick", "{}").status, 409);
    assert_int_equal(count_of(exceptions(shop, "short_pick", "open"), "\"id\""), 2); /* one for each SKU */
}

/* A line that another line's shortage leaves alone. */
static void a_line_that_is_not_named_was_picked(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 3);
    receive(shop, "LEJ", "BULB", 4);
    const char *id = order_lines(shop, "web", arena_printf(shop->arena, "%s,%s", line_of(shop, "LAMP", 3), line_of(shop, "BULB", 4)));
    const char *answer = picks(shop, work_of(shop, id, 0), FOUND("1", "1") "," FOUND("1", "1")); /* from two places */
    assert_int_equal(number_in(answer, "\"lines\"", "quantity"), 2);
    assert_int_equal(number_in(answer, "BULB", "quantity"), 4);
    buckets(shop, "LEJ", "LAMP", 0, 2, 1);
    buckets(shop, "LEJ", "BULB", 0, 4, 0);
}

static void a_count_finds_what_was_missed(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 3);
    const char *id = buys(shop, "web", "LAMP", 3);
    picks(shop, work_of(shop, id, 0), FOUND("1", "1"));
    buckets(shop, "LEJ", "LAMP", 0, 1, 2);
    adjust(shop, "LEJ", "LAMP", "\"set\":3,\"reason\":\"count\"");
    buckets(shop, "LEJ", "LAMP", 0, 3, 0); /* and the order has them, in a parcel of their own */
    assert_int_equal(figure(shop, id, "allocated"), 3);
    assert_int_equal(works(shop, id), 2);
    const char *closed = exceptions(shop, "short_pick", "closed");
    assert_int_equal(count_of(closed, "\"id\""), 1);
    assert_int_equal(count_of(exceptions(shop, "short_pick", "open"), "\"id\""), 0);
    assert_int_equal(count_of(exceptions(shop, "broken_claim", "open"), "\"id\""), 0);
    picks(shop, work_of(shop, id, 1), FOUND("1", "1")); /* it is opened anew */
    const char *anew = exceptions(shop, "short_pick", "open");
    assert_int_equal(number_in(anew, NULL, "quantity"), 1);
    assert_int_equal(number_in(anew, NULL, "repeats"), 1);
}

/* What a count misses is what the picker missed: nobody else loses a claim. */
static void a_count_misses_it_too(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 6);
    const char *id = buys(shop, "web", "LAMP", 3), *other = buys(shop, "web", "LAMP", 2);
    picks(shop, work_of(shop, id, 0), FOUND("1", "1"));
    buckets(shop, "LEJ", "LAMP", 1, 3, 2);
    const char *answer = adjust(shop, "LEJ", "LAMP", "\"set\":5,\"reason\":\"count\""); /* one of the two lay elsewhere */
    assert_non_null(strstr(answer, "\"broken\":[]"));
    assert_int_equal(figure(shop, other, "allocated"), 2);
    assert_int_equal(figure(shop, id, "allocated"), 3); /* that one, and the one that was free: a count has seen them */
    assert_int_equal(figure(shop, id, "backordered"), 0);
    buckets(shop, "LEJ", "LAMP", 0, 5, 0);
    assert_int_equal(count_of(exceptions(shop, "short_pick", "open"), "\"id\""), 0);
}

static void a_count_misses_more(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 6);
    adjust(shop, "LEJ", "LAMP", "\"delta\":1,\"from\":\"available\",\"bucket\":\"quarantined\",\"reason\":\"correction\""); /* a return, say */
    const char *id = buys(shop, "web", "LAMP", 3);
    picks(shop, work_of(shop, id, 0), FOUND("1", "1"));
    buckets(shop, "LEJ", "LAMP", 2, 1, 3);
    adjust(shop, "LEJ", "LAMP", "\"set\":3,\"reason\":\"count\"");
    buckets(shop, "LEJ", "LAMP", 0, 1, 1);             /* the two are gone, and one of those that were free */
    assert_int_equal(figure(shop, id, "reserved"), 1); /* the other is the order's, which goes when it is whole */
    assert_int_equal(figure(shop, id, "backordered"), 1);
    const char *refused =
        shop_call(shop, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-4,\"reason\":\"count\"}").body;
    assert_non_null(strstr(refused, "stock_conflict"));
    buckets(shop, "LEJ", "LAMP", 0, 1, 1);
}

static void the_same_place_twice_is_one_exception(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 9);
    const char *first = buys(shop, "web", "LAMP", 3), *second = buys(shop, "b2b", "LAMP", 2);
    picks(shop, work_of(shop, first, 0), FOUND("1", "1"));
    picks(shop, work_of(shop, second, 0), FOUND("1", "0"));
    const char *open = exceptions(shop, "short_pick", "open");
    assert_int_equal(count_of(open, "\"id\""), 1);
    assert_int_equal(number_in(open, NULL, "quantity"), 4);
    assert_int_equal(number_in(open, NULL, "repeats"), 2);
    assert_int_equal(figure(shop, second, "backordered"), 2); /* it was taken: what is missing waits, whatever the channel says of new orders */
    buckets(shop, "LEJ", "LAMP", 4, 1, 4);
    adjust(shop, "LEJ", "LAMP", "\"set\":9,\"reason\":\"count\"");
    assert_int_equal(count_of(exceptions(shop, "short_pick", "open"), "\"id\""), 0);
    buckets(shop, "LEJ", "LAMP", 4, 5, 0);
}

/* A person looked, and says what became of them. */
static void what_leaves_quarantine_needs_no_count(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 4);
    const char *id = buys(shop, "web", "LAMP", 4);
    picks(shop, work_of(shop, id, 0), FOUND("1", "1"));
    adjust(shop, "LEJ", "LAMP", "\"delta\":-1,\"bucket\":\"quarantined\",\"reason\":\"loss\"");
    assert_int_equal(count_of(exceptions(shop, "short_pick", "open"), "\"id\""), 1); /* two are still missing */
    adjust(shop, "LEJ", "LAMP", "\"delta\":2,\"from\":\"quarantined\",\"reason\":\"correction\"");
    assert_int_equal(count_of(exceptions(shop, "short_pick", "open"), "\"id\""), 0);
    assert_int_equal(figure(shop, id, "reserved"), 2);
    assert_int_equal(figure(shop, id, "backordered"), 1);
}

/* Goods that come are there, whatever became of those that were missed. */
static void a_receipt_fills_it_before_anybody_counts(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 3);
    const char *id = buys(shop, "web", "LAMP", 2);
    picks(shop, work_of(shop, id, 0), FOUND("1", "0"));
    buckets(shop, "LEJ", "LAMP", 1, 0, 2);
    receive(shop, "LEJ", "LAMP", 1);
    buckets(shop, "LEJ", "LAMP", 0, 2, 2);
    assert_int_equal(count_of(exceptions(shop, "short_pick", "open"), "\"id\""), 1); /* the two are still to be counted */
    picks(shop, work_of(shop, id, 1), FOUND("1", "1"));
    const char *left = exceptions(shop, "short_pick", "open");
    assert_int_equal(number_in(left, NULL, "quantity"), 3);
    assert_int_equal(number_in(left, NULL, "repeats"), 2);
    assert_int_equal(figure(shop, id, "backordered"), 1);
}

static void goods_from_another_node_fill_it_too(struct shop *shop)
{
    char transfer[32];
    receive(shop, "LEJ", "LAMP", 3);
    receive(shop, "HAM", "LAMP", 2);
    const char *id = buys(shop, "market", "LAMP", 2); /* which is served from LEJ only */
    picks(shop, work_of(shop, id, 0), FOUND("1", "0"));
    assert_int_equal(figure(shop, id, "backordered"), 2);
    text_in(shop_must(shop, 201, "POST", "/v1/transfers", "{\"from\":\"HAM\",\"to\":\"LEJ\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2}]}").body,
            NULL, "id", transfer, sizeof transfer);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/transfers/%s/ship", transfer), "{}");
    assert_int_equal(figure(shop, id, "backordered"), 2);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/transfers/%s/receive", transfer), "{\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2}]}");
    assert_int_equal(figure(shop, id, "allocated"), 2);
    buckets(shop, "LEJ", "LAMP", 1, 2, 2);
}

/* Who cannot be served from there keeps nobody off. */
static void who_stands_behind_it_gets_what_is_freed(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 3);
    const char *missed = buys(shop, "web", "LAMP", 2), *gives_back = buys(shop, "web", "LAMP", 1), *behind = buys(shop, "web", "LAMP", 1);
    picks(shop, work_of(shop, missed, 0), FOUND("1", "1"));
    assert_int_equal(figure(shop, missed, "backordered"), 1);
    assert_int_equal(figure(shop, behind, "backordered"), 1);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", gives_back), "{\"reason\":\"changed mind\"}");
    assert_int_equal(figure(shop, missed, "backordered"), 1);
    assert_int_equal(figure(shop, behind, "allocated"), 1);
    receive(shop, "HAM", "LAMP", 1);
    assert_int_equal(figure(shop, missed, "backordered"), 0);
}

static void a_part_of_a_bundle_is_missing(struct shop *shop)
{
    receive(shop, "LEJ", "BULB", 4);
    receive(shop, "LEJ", "SHADE", 2);
    const char *id = buys(shop, "web", "KIT", 2);
    struct reply refused = report(shop, work_of(shop, id, 0), "pick", "{\"lines\":[{\"line\":1,\"quantity\":3}]}");
    assert_int_equal(refused.status, 422);
    assert_non_null(strstr(refused.body, "\"pointer\":\"/lines/0/sku\",\"code\":\"required\""));
    const char *answer = picks(shop, work_of(shop, id, 0), FOUND_OF("1", "BULB", "3"));
    assert_int_equal(number_in(answer, "\"BULB\"", "quantity"), 3);
    assert_int_equal(number_in(answer, "\"SHADE\"", "quantity"), 2); /* they may come apart: the other bulb comes in a parcel of its own */
    buckets(shop, "LEJ", "BULB", 0, 3, 1);
    assert_int_equal(figure(shop, id, "backordered"), 1);
    receive(shop, "HAM", "BULB", 1);
    assert_int_equal(figure(shop, id, "allocated"), 2);
}

static void a_bundle_that_must_stay_together_goes_back_whole(struct shop *shop)
{
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"split\":false}");
    receive(shop, "LEJ", "BULB", 4);
    receive(shop, "LEJ", "SHADE", 2);
    receive(shop, "HAM", "BULB", 2);
    const char *id = buys(shop, "web", "KIT", 2);
    const char *answer = picks(shop, work_of(shop, id, 0), FOUND_OF("1", "BULB", "3"));
    assert_int_equal(number_in(answer, "\"BULB\"", "quantity"), 2);
    assert_int_equal(number_in(answer, "\"SHADE\"", "quantity"), 1);
    buckets(shop, "LEJ", "BULB", 1, 2, 1);
    buckets(shop, "LEJ", "SHADE", 1, 1, 0);
    assert_int_equal(figure(shop, id, "allocated"), 1);
    assert_int_equal(figure(shop, id, "backordered"), 1);
    receive(shop, "HAM", "SHADE", 1); /* the second is whole there */
    assert_int_equal(figure(shop, id, "allocated"), 2);
    buckets(shop, "HAM", "BULB", 0, 2, 0);
    ships(shop, work_of(shop, id, 0));
}

/* Nothing of the first is whole, so nothing is sent; and nobody is sent back to the same shelf. */
static void a_bundle_without_its_part_is_not_sent(struct shop *shop)
{
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"split\":false}");
    receive(shop, "LEJ", "BULB", 9);
    receive(shop, "LEJ", "SHADE", 1);
    const char *id = buys(shop, "web", "KIT", 1);
    const char *answer = picks(shop, work_of(shop, id, 0), FOUND_OF("1", "BULB", "1"));
    assert_non_null(strstr(answer, "\"state\":\"cancelled\""));
    buckets(shop, "LEJ", "SHADE", 1, 0, 0);
    buckets(shop, "LEJ", "BULB", 8, 0, 1);
    assert_int_equal(figure(shop, id, "backordered"), 1);
    adjust(shop, "LEJ", "BULB", "\"set\":9,\"reason\":\"count\"");
    assert_int_equal(figure(shop, id, "allocated"), 1);
}

static void a_marketplace_has_sold_it(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    const char *id = buys(shop, "market", "LAMP", 2);
    picks(shop, work_of(shop, id, 0), FOUND("1", "1"));
    assert_int_equal(figure(shop, id, "oversold"), 1);
    assert_int_equal(count_of(exceptions(shop, "oversell", "open"), "\"detail\":\"count_error\""), 1);
    receive(shop, "LEJ", "LAMP", 1);
    assert_int_equal(figure(shop, id, "oversold"), 0);
    assert_int_equal(count_of(exceptions(shop, "oversell", "open"), "\"id\""), 0);
}

/* Their count is the truth there, and comes as ours does. */
static void others_run_the_node(struct shop *shop)
{
    shop_must(shop, 201, "PUT", "/v1/nodes/FBA",
              "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"third_party\",\"authority\":\"mirrored\",\"country\":\"DE\",\"postal_code\":\"1\"}");
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"nodes\":[\"FBA\",\"HAM\"]}");
    receive(shop, "FBA", "LAMP", 3);
    receive(shop, "HAM", "LAMP", 1);
    const char *id = buys(shop, "web", "LAMP", 2);
    picks(shop, work_of(shop, id, 0), FOUND("1", "0"));
    buckets(shop, "FBA", "LAMP", 1, 0, 2);
    assert_int_equal(stock(shop, "HAM", "LAMP", "reserved"), 1);
    assert_int_equal(figure(shop, id, "backordered"), 1);
    adjust(shop, "FBA", "LAMP", "\"set\":1,\"reason\":\"count\"");
    assert_int_equal(figure(shop, id, "allocated"), 2);
    assert_int_equal(count_of(exceptions(shop, "short_pick", "open"), "\"id\""), 0);
}

static void what_is_refused_leaves_no_trace(struct shop *shop)
{
    static const struct {
        const char *body;
        int status;
        const char *says;
    } cases[] = {
        { "{\"lines\":[{\"line\":1,\"quantity\":4}]}", 422, "\"pointer\":\"/lines/0/quantity\",\"code\":\"out_of_range\"" },
        { "{\"lines\":[{\"line\":1,\"quantity\":2},{\"line\":1,\"quantity\":2}]}", 422, "3 are due and 4 were picked" },
        { "{\"lines\":[{\"line\":2,\"quantity\":0}]}", 422, "\"pointer\":\"/lines/0/line\",\"code\":\"line_unknown\"" },
        { "{\"lines\":[{\"line\":1,\"sku\":\"BULB\",\"quantity\":0}]}", 422, "\"pointer\":\"/lines/0/sku\",\"code\":\"line_unknown\"" },
        { "{\"lines\":[{\"line\":1,\"quantity\":-1}]}", 422, "\"pointer\":\"/lines/0/quantity\"" },
        { "{\"lines\":[{\"line\":1}]}", 422, "\"pointer\":\"/lines/0/quantity\",\"code\":\"required\"" },
        { "{\"lines\":[{\"line\":1,\"quantity\":0},{\"line\":7,\"quantity\":0}]}", 422, "line 7 is not in this fulfilment order" },
    };
    receive(shop, "LEJ", "LAMP", 3);
    const char *id = buys(shop, "web", "LAMP", 3), *work = work_of(shop, id, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reply reply = report(shop, work, "pick", cases[i].body);
        if (reply.status != cases[i].status || strstr(reply.body, cases[i].says) == NULL)
            fail_msg("%s: %d %s", cases[i].body, reply.status, reply.body);
    }
    buckets(shop, "LEJ", "LAMP", 0, 3, 0);
    assert_non_null(strstr(order_text(shop, id), "\"state\":\"released\""));
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"x\",\"lines\":[{\"line\":1,\"quantity\":1}]}");
    assert_int_equal(report(shop, work, "pick", "{\"lines\":[" FOUND("1", "3") "]}").status, 422); /* two are due now */
    picks(shop, work, FOUND("1", "1"));
    struct reply twice = report(shop, work, "pick", "{\"lines\":[" FOUND("1", "0") "]}");
    assert_int_equal(twice.status, 409);
    assert_non_null(strstr(twice.body, "a fulfilment order in state picking cannot be picked"));
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"x\"}");
    twice = report(shop, work, "pick", "{\"lines\":[" FOUND("1", "0") "]}");
    assert_int_equal(twice.status, 409);
    assert_non_null(strstr(twice.body, "a fulfilment order in state cancelled cannot be picked"));
    buckets(shop, "LEJ", "LAMP", 2, 0, 1);
    assert_int_equal(count_of(exceptions(shop, "broken_claim", "open"), "\"id\""), 0); /* nobody wants it any more; a count is still due */
    assert_int_equal(count_of(exceptions(shop, "short_pick", "open"), "\"id\""), 1);
}

/* More orders than a place remembers: those who wait longest are sent there once more, and no unit is forgotten. */
static void hundreds_of_picks_and_nobody_counts(struct shop *shop)
{
    enum { ORDERS = 201 };
    receive(shop, "LEJ", "LAMP", ORDERS + 2);
    const char *first = NULL;
    for (int i = 0; i < ORDERS; i++) {
        const char *id = buys(shop, "web", "LAMP", 1);
        first = first == NULL ? id : first;
        picks(shop, work_of(shop, id, 0), FOUND("1", "0"));
    }
    buckets(shop, "LEJ", "LAMP", 0, 2, ORDERS);
    assert_int_equal(figure(shop, first, "allocated"), 1);
    const char *open = exceptions(shop, "short_pick", "open");
    assert_int_equal(number_in(open, NULL, "quantity"), ORDERS);
    assert_int_equal(number_in(open, NULL, "repeats"), ORDERS);
    adjust(shop, "LEJ", "LAMP", "\"set\":7,\"reason\":\"count\"");
    (void)shop_jobs(shop, 1);
    buckets(shop, "LEJ", "LAMP", 0, 7, 0);
    assert_int_equal(count_of(exceptions(shop, "short_pick", "open"), "\"id\""), 0);
}

static void a_key_gives_the_same_answer_again(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 3);
    const char *id = buys(shop, "web", "LAMP", 3);
    const char *target = arena_printf(shop->arena, "/v1/fulfilments/%s/pick", work_of(shop, id, 0));
    const char *first = "";
    for (int time = 0; time < 2; time++) {
        struct command *command = local_command(shop->local, shop->arena, "POST", target, "{\"lines\":[" FOUND("1", "2") "]}", "once");
        engine_run(shop->engine, &command, 1);
        assert_int_equal(command->answer.status, 200);
        const char *body = arena_text_n(shop->arena, command->answer.body, command->answer.body_bytes);
        if (time == 1)
            assert_string_equal(body, first);
        first = body;
        if (time == 0) {
            adjust(shop, "LEJ", "LAMP", "\"set\":2,\"reason\":\"count\"");
            ships(shop, work_of(shop, id, 0));
        }
    }
    buckets(shop, "LEJ", "LAMP", 0, 0, 0);
}

static const struct shop_scene scenes[] = {
    SCENE(what_was_found_goes_on_and_the_rest_waits),
    SCENE(another_node_ships_what_is_missing),
    SCENE(nothing_was_found),
    SCENE(a_line_that_is_not_named_was_picked),
    SCENE(a_count_finds_what_was_missed),
    SCENE(a_count_misses_it_too),
    SCENE(a_count_misses_more),
    SCENE(the_same_place_twice_is_one_exception),
    SCENE(what_leaves_quarantine_needs_no_count),
    SCENE(a_receipt_fills_it_before_anybody_counts),
    SCENE(goods_from_another_node_fill_it_too),
    SCENE(who_stands_behind_it_gets_what_is_freed),
    SCENE(a_part_of_a_bundle_is_missing),
    SCENE(a_bundle_that_must_stay_together_goes_back_whole),
    SCENE(a_bundle_without_its_part_is_not_sent),
    SCENE(a_marketplace_has_sold_it),
    SCENE(others_run_the_node),
    SCENE(what_is_refused_leaves_no_trace),
    SCENE(hundreds_of_picks_and_nobody_counts),
    SCENE(a_key_gives_the_same_answer_again),
};

int main(void)
{
    return scenes_play("short_picks", scenes, COUNT(scenes));
}
