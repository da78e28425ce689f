/* tests/store/parcels_test.c: what leaves a node, and what becomes of it. A shipment may be part of what was packed; a parcel may be lost or come
 * damaged, and somebody decides whether another one is sent; and where nobody says that it was delivered, it counts as delivered after so many
 * days. Each scene runs on both stores and ends in a company in which `millrace check` finds nothing. */
#include "fulfilment/parcels.h"
#include "store/sale.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- what is done ---- */

static const char *does(struct shop *shop, const char *work, const char *verb, const char *body)
{
    return shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/%s", work, verb), "%s", body).body;
}

static struct reply tries(struct shop *shop, const char *work, const char *verb, const char *body)
{
    return shop_call(shop, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/%s", work, verb), "%s", body);
}

/* So many lamps and bulbs are packed at LEJ. */
static const char *packed(struct shop *shop, int lamps, int bulbs, const char **work)
{
    receive(shop, "LEJ", "LAMP", lamps);
    receive(shop, "LEJ", "BULB", bulbs);
    const char *id = order_lines(shop, "web", arena_printf(shop->arena, "%s,%s", line_of(shop, "LAMP", lamps), line_of(shop, "BULB", bulbs)));
    *work = work_of(shop, id, 0);
    reports(shop, *work, "pick");
    does(shop, *work, "pack", "{\"packages\":[{\"weight_g\":500},{\"weight_g\":700}]}");
    return id;
}

static const char *shipped(struct shop *shop, int lamps, const char **work)
{
    receive(shop, "LEJ", "LAMP", lamps);
    const char *id = buys(shop, "web", "LAMP", lamps);
    *work = work_of(shop, id, 0);
    reports(shop, *work, "pick pack ship");
    return id;
}

#define SHIP "\"carrier\":\"DHL\",\"tracking\":\"T\""
#define UNITS(LINE, QUANTITY) "{\"line\":" LINE ",\"quantity\":" QUANTITY "}"

/* Another day comes, and the scheduler looks. Returns whether anything was due. */
static bool days_pass(struct shop *shop, int days)
{
    struct command command = { .type = &fulfilment_assume, .arena = shop->arena, .unit = 1, .faults = { .arena = shop->arena } },
                   *commands[] = { &command };
    shop->now_us += days * INT64_C(86400000000);
    engine_run(shop->engine, commands, 1);
    assert_int_equal(command.state, COMMAND_ACCEPTED);
    return !command.existing;
}

static struct reply cancels(struct shop *shop, const char *id)
{
    return shop_call(shop, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"no\"}");
}

/* ---- what is seen ---- */

/* What all events about its parcels bear in all, in minor units. */
static int64_t sold(struct shop *shop)
{
    const char *body = shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=fulfilment.changed&limit=1000", NULL).body;
    int64_t sum = 0;
    for (const char *at = body; (at = strstr(at, "\"amount\":{\"amount\":\"")) != NULL; at++)
        sum +=
            (int64_t)(strtod(at + strlen("\"amount\":{\"amount\":\""), NULL) * 100 + (at[strlen("\"amount\":{\"amount\":\"")] == '-' ? -0.5 : 0.5));
    return sum;
}

static int64_t moved(struct shop *shop, const char *to)
{
    int64_t units = 0;
    const char *body = shop_must(shop, 200, "GET", "/v1/inventory/movements?sku=LAMP&limit=1000", NULL).body;
    for (const char *at = body; (at = strstr(at, "\"quantity\":")) != NULL; at++) {
        const char *next = strstr(at + 1, "\"quantity\":"), *from = strstr(at, "\"from\":{\"place\":\"customer\""),
                   *there = strstr(at, arena_printf(shop->arena, "\"to\":{\"place\":\"%s\"", to)),
                   *back = strstr(at, "\"to\":{\"place\":\"customer\""),
                   *of = strstr(at, arena_printf(shop->arena, "\"from\":{\"place\":\"%s\"", to));
        const int64_t quantity = strtoll(at + strlen("\"quantity\":"), NULL, 10);
        if (from != NULL && there != NULL && (next == NULL || (from < next && there < next)))
            units += quantity;
        if (of != NULL && back != NULL && (next == NULL || (of < next && back < next)))
            units -= quantity;
    }
    return units;
}

/* ---- part of a shipment ---- */

static void part_of_what_was_packed_leaves(struct shop *shop)
{
    const char *work, *id = packed(shop, 3, 2, &work);
    const char *answer = does(shop, work, "ship", "{" SHIP ",\"lines\":[" UNITS("1", "2") "]}");
    assert_non_null(strstr(answer, "\"state\":\"shipped\""));
    assert_non_null(strstr(answer, "\"lines\":[{\"line\":1,\"sku\":\"LAMP\",\"quantity\":2}],\"packages\":[{\"tracking\":\"T\""));
    assert_int_equal(works(shop, id), 2);
    const char *rest = work_of(shop, id, 1);
    assert_string_equal(state_of(shop, rest), "picking"); /* to be packed anew */
    assert_true(says(shop, id, arena_printf(shop->arena, "LEJ has still to ship fulfilment %s", rest)));
    assert_int_equal(figure(shop, id, "shipped"), 2);
    assert_int_equal(figure(shop, id, "allocated"), 1);
    assert_int_equal(sold(shop), 2000);
    reports(shop, work, "deliver");
    assert_true(says(shop, id, "\"stage\":\"released\""));
    reports(shop, rest, "pack ship deliver");
    assert_true(says(shop, id, "\"stage\":\"delivered\""));
    assert_int_equal(sold(shop), 5000);
    buckets(shop, "LEJ", "LAMP", 0, 0, 0);
}

static void a_package_stays_with_what_is_in_it(struct shop *shop)
{
    const char *work, *id = packed(shop, 3, 2, &work);
    const char *answer = does(shop, work, "ship", "{" SHIP ",\"lines\":[" UNITS("1", "3") "," UNITS("2", "1") "],\"packages\":[{\"number\":2}]}");
    assert_int_equal(count_of(answer, "\"weight_g\":700"), 1);
    assert_int_equal(count_of(answer, "\"weight_g\":500"), 0);
    const char *rest = work_of(shop, id, 1);
    answer = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/fulfilments/%s", rest), NULL).body;
    assert_non_null(strstr(answer, "\"state\":\"packed\",\"version\":1,\"lines\":[{\"line\":2,\"sku\":\"BULB\",\"quantity\":1}]"));
    assert_int_equal(count_of(answer, "\"weight_g\":500"), 1);
    reports(shop, rest, "ship");
    assert_true(says(shop, id, "\"stage\":\"shipped\""));
}

/* Who lists all of it ships all of it. */
static void all_of_it_is_named(struct shop *shop)
{
    const char *work, *id = packed(shop, 1, 2, &work);
    does(shop, work, "ship", "{" SHIP ",\"lines\":[" UNITS("2", "2") "," UNITS("1", "1") "],\"packages\":[{\"number\":1},{\"number\":2}]}");
    assert_int_equal(works(shop, id), 1);
    assert_true(says(shop, id, "\"stage\":\"shipped\""));
}

static void a_shipment_that_cannot_be(struct shop *shop)
{
    static const struct {
        const char *body, *says;
    } cases[] = {
        { "{" SHIP ",\"lines\":[" UNITS("1", "4") "]}",
          "\"pointer\":\"/lines/0/quantity\",\"code\":\"out_of_range\",\"detail\":\"3 are due and 4 would leave\"" },
        { "{" SHIP ",\"lines\":[" UNITS("3", "1") "]}", "\"pointer\":\"/lines/0/line\",\"code\":\"line_unknown\"" },
        { "{" SHIP ",\"lines\":[]}", "\"pointer\":\"/lines\",\"code\":\"out_of_range\"" },
        { "{" SHIP ",\"lines\":[" UNITS("1", "1") "],\"packages\":[{\"number\":3}]}", "there are 2 packages" },
        { "{" SHIP ",\"lines\":[" UNITS("1", "1") "],\"packages\":[{\"number\":1},{\"number\":1}]}", "stands in the list twice" },
        { "{" SHIP ",\"packages\":[{\"number\":1}]}", "\"pointer\":\"/packages\",\"code\":\"invalid\"" },
    };
    const char *work, *id = packed(shop, 3, 2, &work);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reply reply = tries(shop, work, "ship", cases[i].body);
        if (reply.status != 422 || strstr(reply.body, cases[i].says) == NULL)
            fail_msg("%s: %d %s", cases[i].body, reply.status, reply.body);
    }
    assert_int_equal(works(shop, id), 1);
    assert_string_equal(state_of(shop, work), "packed");
}

/* What is asked for and has not left is still asked for. */
static void part_leaves_while_it_is_asked_back(struct shop *shop)
{
    shop_must(shop, 200, "PATCH", "/v1/nodes/LEJ", "{\"kind\":\"third_party\"}");
    const char *work, *id = packed(shop, 3, 2, &work);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id),
              "{\"reason\":\"r\",\"lines\":[" UNITS("1", "2") "," UNITS("2", "2") "]}");
    does(shop, work, "ship", "{" SHIP ",\"lines\":[" UNITS("1", "2") "]}");
    assert_string_equal(state_of(shop, work), "shipped");
    const char *rest = work_of(shop, id, 1);
    const char *answer = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/fulfilments/%s", rest), NULL).body;
    assert_non_null(strstr(answer, "\"state\":\"cancel_requested\""));
    assert_non_null(strstr(answer, "\"sku\":\"LAMP\",\"quantity\":1,\"cancel_requested\":1"));
    assert_non_null(strstr(answer, "\"sku\":\"BULB\",\"quantity\":2,\"cancel_requested\":2"));
    reports(shop, rest, "cancel");
    assert_int_equal(figure(shop, id, "cancelled"), 1);
    assert_int_equal(figure(shop, id, "shipped"), 2);
    assert_true(says(shop, id, "\"stage\":\"shipped\""));
}

/* ---- lost, damaged ---- */

static void a_lost_parcel_waits_for_a_decision(struct shop *shop)
{
    const char *work, *id = shipped(shop, 3, &work);
    const char *answer = does(shop, work, "lost", "{\"reason\":\"the van burnt\",\"lines\":[" UNITS("1", "2") "]}");
    assert_non_null(strstr(answer, "\"state\":\"shipped\""));
    assert_int_equal(figure(shop, id, "lost"), 2);
    assert_int_equal(figure(shop, id, "shipped"), 3); /* until somebody decides */
    assert_int_equal(moved(shop, "adjustment"), 2);
    assert_true(says(shop, id, arena_printf(shop->arena, "of fulfilment %s of LEJ line 1: 2 was lost (the van burnt)", work)));
    const char *open = exceptions(shop, "lost_parcel", "open");
    assert_int_equal(number_in(open, NULL, "quantity"), 2);
    assert_int_equal(number_in(open, NULL, "repeats"), 1);
    does(shop, work, "lost", "{\"reason\":\"the rest, too\"}");
    assert_int_equal(figure(shop, id, "lost"), 3);
    open = exceptions(shop, "lost_parcel", "open");
    assert_int_equal(number_in(open, NULL, "quantity"), 3);
    assert_int_equal(number_in(open, NULL, "repeats"), 2);
    struct reply more = tries(shop, work, "lost", "{\"reason\":\"r\"}");
    assert_int_equal(more.status, 409);
    assert_non_null(strstr(more.body, "of this fulfilment order nothing is on their way or delivered"));
}

static void another_one_is_sent(struct shop *shop)
{
    const char *work, *id = shipped(shop, 2, &work);
    receive(shop, "HAM", "LAMP", 1);
    does(shop, work, "lost", "{\"reason\":\"r\"}");
    assert_int_equal(sold(shop), 2000);
    const char *answer = does(shop, work, "settle", "{\"then\":\"ship_again\"}");
    assert_non_null(strstr(answer, "\"state\":\"failed\""));
    assert_int_equal(figure(shop, id, "shipped"), 0);
    assert_int_equal(figure(shop, id, "backordered"), 1); /* one stands in Hamburg, for the other a replacement is still to come */
    assert_int_equal(figure(shop, id, "lost"), 2);
    assert_int_equal(open_exceptions(shop, "lost_parcel"), 0);
    assert_int_equal(count_of(exceptions(shop, "broken_claim", "open"), "\"detail\":\"lost_parcel\""), 1);
    assert_int_equal(sold(shop), 0); /* what did not arrive is not sold */
    receive(shop, "LEJ", "LAMP", 1);
    assert_int_equal(open_exceptions(shop, "broken_claim"), 0);
    reports(shop, work_of(shop, id, 1), "pick pack ship deliver");
    reports(shop, work_of(shop, id, 2), "pick pack ship deliver");
    assert_true(says(shop, id, "\"stage\":\"delivered\""));
    assert_int_equal(sold(shop), 2000); /* once */
    assert_int_equal(figure(shop, id, "lost"), 2);
    assert_int_equal(moved(shop, "adjustment"), 2); /* a replacement costs stock */
}

static void it_is_the_customers_money(struct shop *shop)
{
    const char *work, *id = shipped(shop, 3, &work);
    const char *answer = does(shop, work, "damaged", "{\"reason\":\"wet\",\"lines\":[" UNITS("1", "1") "],\"then\":\"refund\"}");
    assert_non_null(strstr(answer, "\"state\":\"shipped\""));
    assert_non_null(strstr(answer, "\"quantity\":2"));
    assert_int_equal(figure(shop, id, "cancelled"), 1);
    assert_int_equal(figure(shop, id, "shipped"), 2);
    assert_int_equal(moved(shop, "scrap"), 1);
    assert_int_equal(open_exceptions(shop, "lost_parcel"), 0);
    assert_int_equal(count_of(exceptions(shop, "lost_parcel", "closed"), "\"id\""), 0); /* nobody had to be told */
    assert_int_equal(sold(shop), 2000);
    reports(shop, work, "deliver");
    assert_true(says(shop, id, "\"stage\":\"delivered\""));
    does(shop, work, "lost", "{\"reason\":\"he never had it\",\"then\":\"refund\"}"); /* whatever the carrier said */
    assert_true(says(shop, id, "\"stage\":\"cancelled\""));
    assert_string_equal(state_of(shop, work), "failed");
    assert_int_equal(sold(shop), 0);
    assert_int_equal(figure(shop, id, "lost"), 3);
}

static void it_arrives_after_all(struct shop *shop)
{
    const char *work, *id = shipped(shop, 3, &work);
    does(shop, work, "lost", "{\"reason\":\"r\",\"lines\":[" UNITS("1", "2") "]}");
    does(shop, work, "damaged", "{\"reason\":\"r\",\"lines\":[" UNITS("1", "1") "]}");
    reports(shop, work, "deliver");
    does(shop, work, "settle", "{\"then\":\"arrived\",\"lines\":[" UNITS("1", "1") "]}");
    assert_int_equal(figure(shop, id, "lost"), 2);
    assert_int_equal(moved(shop, "adjustment"), 1);
    assert_int_equal(open_exceptions(shop, "lost_parcel"), 1);
    does(shop, work, "settle", "{\"then\":\"arrived\"}");
    assert_int_equal(open_exceptions(shop, "lost_parcel"), 0);
    assert_int_equal(moved(shop, "adjustment"), 0);
    assert_int_equal(moved(shop, "scrap"), 0);
    assert_null(strstr(order_text(shop, id), "\"lost\":"));
    assert_true(says(shop, id, "\"stage\":\"delivered\""));
    assert_int_equal(sold(shop), 3000);
    struct reply reply = tries(shop, work, "settle", "{\"then\":\"refund\"}");
    assert_int_equal(reply.status, 409);
    assert_non_null(strstr(reply.body, "of this fulfilment order nothing is lost or damaged and not decided"));
}

static void a_part_of_a_bundle_comes_broken(struct shop *shop)
{
    receive(shop, "LEJ", "BULB", 5);
    receive(shop, "LEJ", "SHADE", 2);
    const char *id = buys(shop, "web", "KIT", 2), *work = work_of(shop, id, 0);
    reports(shop, work, "pick pack ship");
    struct reply unclear = tries(shop, work, "damaged", "{\"reason\":\"r\",\"lines\":[" UNITS("1", "1") "]}");
    assert_int_equal(unclear.status, 422);
    does(shop, work, "damaged", "{\"reason\":\"r\",\"lines\":[{\"line\":1,\"sku\":\"BULB\",\"quantity\":1}],\"then\":\"ship_again\"}");
    assert_int_equal(figure(shop, id, "lost"), 1);
    assert_int_equal(figure(shop, id, "shipped"), 1);
    assert_int_equal(figure(shop, id, "allocated"), 1); /* the fifth bulb */
    reports(shop, work_of(shop, id, 1), "pick pack ship");
    assert_int_equal(figure(shop, id, "shipped"), 2);
    assert_int_equal(sold(shop), 2000);
}

/* ---- nobody says that it was delivered ---- */

/* Its bulbs left without their shade, and were lost: with the money back nobody waits for the shade, and the order can end. */
static void the_rest_of_a_refunded_bundle_is_given_up(struct shop *shop)
{
    receive(shop, "LEJ", "BULB", 2);
    receive(shop, "LEJ", "SHADE", 1);
    const char *id = buys(shop, "web", "KIT", 1), *work = work_of(shop, id, 0);
    does(shop, work, "pick", "{\"lines\":[{\"line\":1,\"sku\":\"SHADE\",\"quantity\":0}]}");
    reports(shop, work, "pack ship");
    assert_int_equal(cancels(shop, id).status, 409); /* half of it is on its way */
    does(shop, work, "lost", "{\"reason\":\"gone\",\"then\":\"refund\"}");
    assert_true(says(shop, id, "\"stage\":\"captured\""));
    assert_int_equal(cancels(shop, id).status, 200);
    assert_true(says(shop, id, "\"stage\":\"cancelled\""));
    assert_int_equal(open_exceptions(shop, "broken_claim"), 0);
    assert_int_equal(cancels(shop, id).status, 409);
}

/* Of two one was refunded: the other one, half on its way, stays whole. */
static void a_bundle_that_has_begun_to_leave_stays(struct shop *shop)
{
    receive(shop, "LEJ", "BULB", 4);
    receive(shop, "LEJ", "SHADE", 2);
    const char *id = buys(shop, "web", "KIT", 2), *work = work_of(shop, id, 0);
    does(shop, work, "pick", "{\"lines\":[{\"line\":1,\"sku\":\"SHADE\",\"quantity\":0}]}");
    reports(shop, work, "pack ship");
    does(shop, work, "lost", "{\"reason\":\"one of two\",\"lines\":[{\"line\":1,\"sku\":\"BULB\",\"quantity\":2}],\"then\":\"refund\"}");
    assert_int_equal(cancels(shop, id).status, 200); /* its shade */
    assert_int_equal(cancels(shop, id).status, 409);
    receive(shop, "LEJ", "SHADE", 1);
    reports(shop, work_of(shop, id, 1), "pick pack ship deliver");
    reports(shop, work, "deliver");
    assert_true(says(shop, id, "\"stage\":\"delivered\""));
    assert_int_equal(figure(shop, id, "cancelled"), 1);
}

static void it_counts_as_delivered_after_a_month(struct shop *shop)
{
    const char *work, *id = shipped(shop, 2, &work);
    assert_false(days_pass(shop, 29));
    assert_string_equal(state_of(shop, work), "shipped");
    assert_true(days_pass(shop, 1));
    assert_true(says(shop, id, "\"stage\":\"delivered\""));
    assert_true(says(shop, id, arena_printf(shop->arena, "fulfilment %s of LEJ counts as delivered: nobody said anything else in time", work)));
    assert_false(days_pass(shop, 1));
    const char *answer = reports(shop, work, "deliver"); /* late, and a fact */
    assert_non_null(strstr(answer, "\"state\":\"delivered\",\"version\":6"));
    assert_true(says(shop, id, arena_printf(shop->arena, "LEJ delivered fulfilment %s", work)));
    assert_int_equal(tries(shop, work, "deliver", "{}").status, 409);
}

static void a_channel_says_when(struct shop *shop)
{
    const char *work[3], *id[3];
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"deliver_after_days\":5}");
    id[0] = shipped(shop, 1, &work[0]);
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"deliver_after_days\":null}");
    id[1] = shipped(shop, 1, &work[1]);
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/channels/web", NULL).body, "\"deliver_after_days\":null"));
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"deliver_after_days\":1}");
    id[2] = shipped(shop, 1, &work[2]);
    assert_true(days_pass(shop, 1));
    assert_true(says(shop, id[2], "\"stage\":\"delivered\""));
    assert_true(days_pass(shop, 5));
    assert_true(says(shop, id[0], "\"stage\":\"delivered\"")); /* as it was when it left */
    assert_false(days_pass(shop, 3650));
    assert_true(says(shop, id[1], "\"stage\":\"shipped\"")); /* never */
    assert_int_equal(shop_call(shop, "PATCH", "/v1/channels/web", "{\"deliver_after_days\":0}").status, 422);
}

static void what_is_lost_is_not_delivered(struct shop *shop)
{
    const char *work, *id = shipped(shop, 2, &work);
    does(shop, work, "lost", "{\"reason\":\"r\",\"lines\":[" UNITS("1", "1") "]}");
    assert_true(days_pass(shop, 30)); /* looked at, and put off */
    assert_string_equal(state_of(shop, work), "shipped");
    does(shop, work, "settle", "{\"then\":\"refund\"}");
    assert_true(days_pass(shop, 1));
    assert_true(says(shop, id, "\"stage\":\"delivered\""));
    does(shop, work, "lost", "{\"reason\":\"nor did the other come\",\"then\":\"refund\"}"); /* it was only taken for granted */
    assert_string_equal(state_of(shop, work), "failed");
    assert_int_equal(tries(shop, work, "deliver", "{}").status, 409);
}

static void many_are_due_at_once(struct shop *shop)
{
    enum { PARCELS = 50 };
    const char *work[PARCELS];
    for (int i = 0; i < PARCELS; i++)
        (void)shipped(shop, 1, &work[i]);
    for (int i = 0; i < PARCELS; i += 2)
        reports(shop, work[i], "deliver"); /* these need no look */
    assert_true(days_pass(shop, 30));
    int left = 0;
    for (int i = 0; i < PARCELS; i++)
        left += strcmp(state_of(shop, work[i]), "shipped") == 0;
    assert_int_equal(left, 5); /* twenty at a time */
    assert_true(days_pass(shop, 0));
    assert_false(days_pass(shop, 0));
    assert_string_equal(state_of(shop, work[PARCELS - 1]), "delivered");
}

/* ---- given again ---- */

static const char *with_key(struct shop *shop, const char *path, const char *body, const char *key)
{
    struct command *command = local_command(shop->local, shop->arena, "POST", path, body, key);
    engine_run(shop->engine, &command, 1);
    if (command->answer.status != 200)
        fail_msg("%s: %d %s", path, command->answer.status, command->answer.body);
    return arena_text_n(shop->arena, command->answer.body, command->answer.body_bytes);
}

static void a_key_gives_the_same_answer_again(struct shop *shop)
{
    const char *work, *id = packed(shop, 3, 2, &work);
    const char *hold = arena_printf(shop->arena, "/v1/orders/%s/holds", id), *pay = arena_printf(shop->arena, "/v1/orders/%s/payments", id);
    const struct {
        const char *path, *body;
    } steps[] = {
        { hold, "{\"kind\":\"fraud\",\"reason\":\"look\"}" },
        { arena_printf(shop->arena, "/v1/fulfilments/%s/ship", work), "{" SHIP ",\"lines\":[" UNITS("1", "2") "]}" },
        { pay, "{\"kind\":\"captured\",\"amount\":{\"amount\":\"1.00\",\"currency\":\"EUR\"},\"reference\":\"a\"}" },
        { arena_printf(shop->arena, "/v1/fulfilments/%s/lost", work), "{\"reason\":\"r\",\"lines\":[" UNITS("1", "1") "]}" },
        { pay, "{\"kind\":\"captured\",\"amount\":{\"amount\":\"1.00\",\"currency\":\"EUR\"},\"reference\":\"b\"}" },
        { arena_printf(shop->arena, "/v1/fulfilments/%s/settle", work), "{\"then\":\"ship_again\"}" },
        { pay, "{\"kind\":\"captured\",\"amount\":{\"amount\":\"1.00\",\"currency\":\"EUR\"},\"reference\":\"c\"}" },
        { arena_printf(shop->arena, "/v1/fulfilments/%s/damaged", work), "{\"reason\":\"r\",\"then\":\"refund\"}" },
        { pay, "{\"kind\":\"captured\",\"amount\":{\"amount\":\"1.00\",\"currency\":\"EUR\"},\"reference\":\"d\"}" },
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

static const struct shop_scene scenes[] = {
    SCENE(part_of_what_was_packed_leaves),
    SCENE(a_package_stays_with_what_is_in_it),
    SCENE(all_of_it_is_named),
    SCENE(a_shipment_that_cannot_be),
    SCENE(part_leaves_while_it_is_asked_back),
    SCENE(a_lost_parcel_waits_for_a_decision),
    SCENE(another_one_is_sent),
    SCENE(it_is_the_customers_money),
    SCENE(it_arrives_after_all),
    SCENE(a_part_of_a_bundle_comes_broken),
    SCENE(the_rest_of_a_refunded_bundle_is_given_up),
    SCENE(a_bundle_that_has_begun_to_leave_stays),
    SCENE(it_counts_as_delivered_after_a_month),
    SCENE(a_channel_says_when),
    SCENE(what_is_lost_is_not_delivered),
    SCENE(many_are_due_at_once),
    SCENE(a_key_gives_the_same_answer_again),
};

int main(void)
{
    return scenes_play("parcels", scenes, COUNT(scenes));
}
