/* tests/store/routing_test.c: from which node an order ships, by what the unit has said, and how claims move when something better appears.
 * It is Monday, 17:00 in Leipzig. */
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define EUR(AMOUNT) "{\"amount\":\"" AMOUNT "\",\"currency\":\"EUR\"}"

static void put(struct shop *shop, const char *target, const char *body)
{
    struct reply reply = shop_call(shop, "PUT", target, "%s", body);
    if (reply.status != 200 && reply.status != 201)
        fail_msg("PUT %s: %d %s", target, reply.status, reply.body);
}

/* An order of one LAMP to an address, which stays reserved; its JSON. */
static struct reply order_to(struct shop *shop, const char *id, const char *country, const char *postal_code, const char *lines, const char *more)
{
    return shop_must(shop, 201, "POST", "/v1/orders",
                     "{\"channel\":\"web\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":"
                     "{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"%s\",\"postal_code\":\"%s\"},\"lines\":[%s],\"payment\":{\"term\":"
                     "\"prepaid\",\"status\":\"pending\"}%s}",
                     id, country, postal_code, lines, more);
}
#define LINE(SKU, N) "{\"sku\":\"" SKU "\",\"quantity\":" N ",\"unit_price\":" EUR("10.00") "}"

static const char *id_of(struct shop *shop, struct reply reply)
{
    char *id = arena_alloc(shop->arena, 40);
    text_in(reply.body, NULL, "id", id, 40);
    return id;
}

static const char *decisions(struct shop *shop, const char *id)
{
    return shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s/decisions", id), NULL).body;
}

static void says(const char *body, const char *what)
{
    if (strstr(body, what) == NULL)
        fail_msg("%s is not in %s", what, body);
}

static struct reply pay(struct shop *shop, const char *id)
{
    return shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/payments", id),
                     "{\"kind\":\"captured\",\"amount\":" EUR("99.00") ",\"reference\":\"p\"}");
}

static int64_t reserved_at(struct shop *shop, const char *node, const char *sku)
{
    return number_in(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/inventory?sku=%s&node=%s", sku, node), NULL).body, NULL, "reserved");
}

/* Leipzig and Hamburg by distance: each is cheap near itself. Abroad only Leipzig's carrier goes. */
static void price_both(struct shop *shop)
{
    put(shop, "/v1/routing/rates/L",
        "{\"unit\":\"DE\",\"name\":\"From Leipzig\",\"zones\":["
        "{\"country\":\"DE\",\"steps\":[{\"up_to_g\":5000,\"price\":" EUR("6.90") "},{\"up_to_g\":30000,\"price\":" EUR(
            "9.90") "}]},"
                    "{\"country\":\"DE\",\"postal_prefix\":\"0\",\"transit_days\":1,\"steps\":[{\"up_to_g\":5000,\"price\":" EUR(
                        "4.90") "}]},"
                                "{\"country\":\"AT\",\"transit_days\":3,\"steps\":[{\"up_to_g\":30000,\"price\":" EUR("14.90") "}]}]}");
    put(shop, "/v1/routing/rates/H",
        "{\"unit\":\"DE\",\"name\":\"From Hamburg\",\"zones\":["
        "{\"country\":\"DE\",\"steps\":[{\"up_to_g\":5000,\"price\":" EUR(
            "6.50") "}]},"
                    "{\"country\":\"DE\",\"postal_prefix\":\"2\",\"transit_days\":1,\"steps\":[{\"up_to_g\":5000,\"price\":" EUR("3.90") "}]}]}");
    put(shop, "/v1/routing/nodes/LEJ",
        "{\"time_zone\":\"Europe/Berlin\",\"monday\":\"18:00\",\"tuesday\":\"18:00\",\"rates\":\"L\",\"transit_days\":2}");
    put(shop, "/v1/routing/nodes/HAM",
        "{\"time_zone\":\"Europe/Berlin\",\"monday\":\"14:00\",\"tuesday\":\"14:00\",\"rates\":\"H\",\"transit_days\":2}");
}

static void without_a_policy_nothing_is_weighed(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    receive(shop, "HAM", "LAMP", 9);
    price_both(shop);
    const char *id = id_of(shop, order_to(shop, "A", "DE", "20095", LINE("LAMP", "1"), ""));
    says(decisions(shop, id),
         "\"nodes\":[\"LEJ\"],\"alternatives\":[{\"node\":\"HAM\",\"ruled_out\":\"node_priority\",\"lines\":1}],\"proved\":true}");
}

static void the_nearer_node_is_cheaper(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 9);
    receive(shop, "HAM", "LAMP", 9);
    price_both(shop);
    put(shop, "/v1/routing/policies/standard", "{\"unit\":\"DE\"}");
    const char *north = id_of(shop, order_to(shop, "N", "DE", "20095", LINE("LAMP", "1"), ""));
    const char *east = id_of(shop, order_to(shop, "E", "DE", "04103", LINE("LAMP", "1"), ""));
    const char *abroad = id_of(shop, order_to(shop, "A", "AT", "1010", LINE("LAMP", "1"), ""));
    says(decisions(shop, north), "\"nodes\":[\"HAM\"],\"alternatives\":[{\"node\":\"LEJ\",\"ruled_out\":\"cost\"");
    says(decisions(shop, north), "\"cost\":" EUR("3.90"));
    says(decisions(shop, east), "\"nodes\":[\"LEJ\"],\"alternatives\":[{\"node\":\"HAM\",\"ruled_out\":\"cost\"");
    says(decisions(shop, abroad), "\"nodes\":[\"LEJ\"],\"alternatives\":[{\"node\":\"HAM\",\"ruled_out\":\"not_served\"");
    says(decisions(shop, abroad), "\"cost\":" EUR("14.90"));
}

/* Weights decide the step: 4 kg and 2 kg go in one parcel of 6.90 or 9.90. */
static void a_parcel_costs_by_its_weight(struct shop *shop)
{
    put(shop, "/v1/skus/LAMP", "{\"name\":\"Lamp\",\"weight_g\":4000}");
    receive(shop, "LEJ", "LAMP", 9);
    price_both(shop);
    put(shop, "/v1/routing/policies/standard", "{\"unit\":\"DE\"}");
    says(decisions(shop, id_of(shop, order_to(shop, "1", "DE", "50667", LINE("LAMP", "1"), ""))), "\"cost\":" EUR("6.90"));
    says(decisions(shop, id_of(shop, order_to(shop, "2", "DE", "50667", LINE("LAMP", "2"), ""))), "\"cost\":" EUR("9.90"));
}

static void rules_take_nodes_away(struct shop *shop)
{
    put(shop, "/v1/skus/BULB", "{\"name\":\"Bulb\",\"hazmat\":true}");
    put(shop, "/v1/skus/SHADE", "{\"name\":\"Shade\",\"goods\":\"oversize\"}");
    receive(shop, "LEJ", "LAMP", 9);
    receive(shop, "LEJ", "BULB", 9);
    receive(shop, "LEJ", "SHADE", 9);
    receive(shop, "HAM", "LAMP", 9);
    receive(shop, "HAM", "BULB", 1);
    receive(shop, "HAM", "SHADE", 9);
    put(shop, "/v1/routing/policies/standard",
        "{\"unit\":\"DE\",\"rules\":[{\"name\":\"dangerous goods from Hamburg\",\"hazmat\":true,\"effect\":\"only\",\"nodes\":[\"HAM\"]},"
        "{\"name\":\"no third party for what is large\",\"goods\":[\"oversize\"],\"effect\":\"never\",\"kinds\":[\"third_party\"]},"
        "{\"name\":\"gifts from Hamburg\",\"tags\":[\"gift\"],\"effect\":\"only\",\"nodes\":[\"HAM\"]},"
        "{\"name\":\"abroad\",\"countries\":[\"AT\",\"CH\"],\"effect\":\"only\",\"same_country\":true}]}");
    const char *bulb = id_of(shop, order_to(shop, "B", "DE", "1", LINE("BULB", "1"), ""));
    says(decisions(shop, bulb), "\"nodes\":[\"HAM\"],\"alternatives\":[{\"node\":\"LEJ\",\"ruled_out\":\"rule\"");
    const char *both = id_of(shop, order_to(shop, "S", "DE", "1", LINE("SHADE", "1") "," LINE("LAMP", "1"), ",\"tags\":[\"gift\"]"));
    says(decisions(shop, both), "\"nodes\":[\"HAM\"]"); /* the shade waits: nobody may send it */
    says(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", both), NULL).body, "\"backordered\":1");
    struct reply tried = shop_must(shop, 200, "POST", "/v1/routing/try",
                                   "{\"channel\":\"web\",\"ship_to\":{\"country\":\"AT\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2}]}");
    says(tried.body, "\"plan\":[]");
    says(tried.body, "\"short\":[{\"line\":1,\"sku\":\"LAMP\",\"quantity\":2}]");
    tried = shop_must(shop, 200, "POST", "/v1/routing/try", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"KIT\",\"quantity\":1}]}");
    says(tried.body, "\"short\":[{\"line\":1,\"sku\":\"KIT\",\"quantity\":1}]"); /* two bulbs from Hamburg are not there */
    const char *waits = id_of(shop, order_to(shop, "W", "DE", "1", LINE("BULB", "2"), ""));
    receive(shop, "LEJ", "BULB", 5); /* not for who may not have them from there */
    says(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", waits), NULL).body, "\"backordered\":2");
    receive(shop, "HAM", "BULB", 5);
    says(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", waits), NULL).body, "\"backordered\":0");
}

/* By the channel, and by the domain of the customer's address, when it comes, when it is tried, and when it is looked at again. */
static void a_rule_knows_the_customer(struct shop *shop)
{
    static const char from_hamburg[] =
        "{\"unit\":\"DE\",\"rules\":[{\"name\":\"big one\",\"customer_domains\":[\"bigco.example\"],%s\"effect\":\"only\","
        "\"nodes\":[\"HAM\"]}]}";
    static const char try[] =
        "{\"channel\":\"web\",\"ship_to\":{\"country\":\"DE\"},\"customer_email\":\"%s\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}]}";
    receive(shop, "LEJ", "LAMP", 9);
    put(shop, "/v1/routing/policies/standard", arena_printf(shop->arena, from_hamburg, ""));
    says(shop_must(shop, 200, "POST", "/v1/routing/try", try, "a@BigCo.example").body, "\"plan\":[]");
    says(shop_must(shop, 200, "POST", "/v1/routing/try", try, "a@notbigco.example").body, "\"node\":\"LEJ\",\"lines\"");
    says(shop_must(shop, 200, "POST", "/v1/routing/try", try, "bigco.example").body, "\"node\":\"LEJ\",\"lines\"");
    const char *of_bigco = id_of(
        shop,
        shop_must(
            shop, 201, "POST", "/v1/orders",
            "{\"channel\":\"web\",\"channel_order_id\":\"C\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"B\","
            "\"email\":\"b@bigco.example\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[%s],\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\"}}",
            LINE("LAMP", "1")));
    says(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", of_bigco), NULL).body, "\"backordered\":1");
    receive(shop, "HAM", "LAMP", 9);
    says(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", of_bigco), NULL).body, "\"backordered\":0");
    put(shop, "/v1/routing/policies/standard",
        arena_printf(shop->arena, from_hamburg, "\"channels\":[\"b2b\"],")); /* of another channel's orders only */
    says(shop_must(shop, 200, "POST", "/v1/routing/try", try, "a@bigco.example").body, "\"node\":\"LEJ\",\"lines\"");
    put(shop, "/v1/routing/policies/standard", arena_printf(shop->arena, from_hamburg, "\"channels\":[\"b2b\",\"web\"],"));
    says(shop_must(shop, 200, "POST", "/v1/routing/try", try, "a@bigco.example").body, "\"node\":\"HAM\",\"lines\"");
    says(shop_must(shop, 422, "PUT", "/v1/routing/policies/standard", from_hamburg, "\"channels\":[\"none\"],").body, "channel_unknown");
}

/* Leipzig's parcels leave until 18:00 today, Hamburg's tomorrow: a day late, which is dearer than what Hamburg saves. */
static void who_is_late_pays_for_it(struct shop *shop)
{
    static const char by[] = ",\"shipping\":{\"price\":" EUR("0.00") ",\"promise_by\":\"2025-11-26T23:00:00Z\"}";
    receive(shop, "LEJ", "LAMP", 9);
    receive(shop, "HAM", "LAMP", 9);
    price_both(shop);
    put(shop, "/v1/routing/policies/standard", "{\"unit\":\"DE\",\"late_per_day\":" EUR("2.00") "}");
    const char *id = id_of(shop, order_to(shop, "L", "DE", "50667", LINE("LAMP", "1"), by));
    says(decisions(shop, id), "\"nodes\":[\"LEJ\"],\"alternatives\":[{\"node\":\"HAM\",\"ruled_out\":\"cost\"");
    put(shop, "/v1/routing/policies/standard", "{\"unit\":\"DE\",\"late_per_day\":" EUR("0.10") "}");
    id = id_of(shop, order_to(shop, "H", "DE", "50667", LINE("LAMP", "1"), by));
    says(decisions(shop, id), "\"nodes\":[\"HAM\"]");
    const char *tried =
        shop_must(shop, 200, "POST", "/v1/routing/try",
                  "{\"channel\":\"web\",\"ship_to\":{\"country\":\"DE\",\"postal_code\":\"50667\"},\"promise_by\":\"2025-11-26T23:00:00Z\","
                  "\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}]}")
            .body;
    says(tried, "\"policy\":\"standard\",\"proved\":true,\"terms\":{\"shipments\":1,\"cost\":" EUR("6.60") ",\"carriage\":" EUR("6.50"));
    says(tried, "\"lateness\":" EUR("0.10") ",\"late_s\":86400,\"arrives_at\":\"2025-11-27T23:00:00Z\"}");
    says(tried,
         "\"plan\":[{\"node\":\"HAM\",\"lines\":[{\"line\":1,\"sku\":\"LAMP\",\"quantity\":1}],\"zone\":1,\"arrives_at\":\"2025-11-27T23:00:00Z\"}]");
    says(tried, "{\"node\":\"LEJ\",\"chosen\":false,\"ruled_out\":\"cost\",\"lines\":1,\"no_capacity_today\":false,\"terms\":{\"shipments\":1");
}

/* Each line says by when all of it arrives, as calendars said it when it was routed; what waits has no date. */
static void lines_have_a_promise(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 9);
    receive(shop, "HAM", "BULB", 1);
    price_both(shop);
    const char *none = id_of(shop, order_to(shop, "0", "DE", "04103", LINE("LAMP", "1"), ""));
    put(shop, "/v1/routing/policies/standard", "{\"unit\":\"DE\"}");
    const char *id = id_of(shop, order_to(shop, "1", "DE", "04103", LINE("LAMP", "1") "," LINE("BULB", "1") "," LINE("SHADE", "1"), ""));
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", id), NULL).body;
    says(body, "\"line\":1,\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":" EUR(
                   "10.00") ",\"reserved\":1,\"allocated\":0,\"shipped\":0,"
                            "\"backordered\":0,\"cancelled\":0,\"oversold\":0,\"promised_at\":\"2025-11-25T23:00:00Z\"}");
    says(body, "\"oversold\":0,\"promised_at\":\"2025-11-27T23:00:00Z\"},{\"line\":3"); /* Hamburg's cut-off is past: two days from tomorrow */
    says(body, "\"backordered\":1,\"cancelled\":0,\"oversold\":0,\"promised_at\":null}]");
    assert_null(strstr(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", none), NULL).body, "promised_at"));
    put(shop, "/v1/routing/nodes/LEJ", "{\"time_zone\":\"Europe/Berlin\",\"friday\":\"18:00\",\"rates\":\"L\"}");
    body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", id), NULL).body;
    says(body, "\"promised_at\":\"2025-11-25T23:00:00Z\""); /* what was promised stays so */
}

/* Hamburg is preferred and may be given two orders a day; the third goes to Leipzig, tomorrow's to Hamburg again. */
static void capacity_is_counted_by_day(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 9);
    receive(shop, "HAM", "LAMP", 9);
    shop_must(shop, 200, "PATCH", "/v1/nodes/LEJ", "{\"priority\":3}");
    shop_must(shop, 200, "PATCH", "/v1/nodes/HAM", "{\"capacity_per_day\":2}");
    put(shop, "/v1/routing/policies/standard", "{\"unit\":\"DE\"}");
    for (int i = 0; i < 3; i++) {
        const char *id = id_of(shop, order_to(shop, arena_printf(shop->arena, "C%d", i), "DE", "1", LINE("LAMP", "1"), ""));
        says(decisions(shop, id),
             i < 2 ? "\"nodes\":[\"HAM\"]" : "\"nodes\":[\"LEJ\"],\"alternatives\":[{\"node\":\"HAM\",\"ruled_out\":\"no_capacity_today\"");
        pay(shop, id);
    }
    shop->now_us += INT64_C(86400000000);
    says(decisions(shop, id_of(shop, order_to(shop, "T", "DE", "1", LINE("LAMP", "1"), ""))), "\"nodes\":[\"HAM\"]");
}

static void claims_move_when_something_better_appears(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    receive(shop, "HAM", "SHADE", 1);
    const char *id = id_of(shop, order_to(shop, "R", "DE", "1", LINE("LAMP", "1") "," LINE("SHADE", "1"), ""));
    char *replan = arena_printf(shop->arena, "/v1/orders/%s/replan", id);
    const char *as_it_is = shop_must(shop, 200, "POST", replan, "{}").body;
    assert_int_equal(number_in(as_it_is, NULL, "version"),
                     number_in(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", id), NULL).body, NULL, "version"));
    receive(shop, "HAM", "LAMP", 1);
    struct reply tried = shop_must(shop, 200, "POST", "/v1/routing/try", "{\"order\":\"%s\"}", id);
    says(tried.body, "\"now\":{\"shipments\":2");
    says(tried.body, "\"would_move\":true");
    assert_int_equal(reserved_at(shop, "LEJ", "LAMP"), 1);
    shop_must(shop, 200, "POST", replan, "{}");
    assert_int_equal(reserved_at(shop, "LEJ", "LAMP"), 0);
    assert_int_equal(reserved_at(shop, "HAM", "LAMP"), 1);
    says(decisions(shop, id), "{\"kind\":\"replan\",");
    says(shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=order.rerouted", NULL).body, "\"kind\":\"order\"");
    tried = shop_must(shop, 200, "POST", "/v1/routing/try", "{\"order\":\"%s\"}", id);
    says(tried.body, "\"would_move\":false");
    says(pay(shop, id).body, "\"node\":\"HAM\"");
    shop_must(shop, 409, "POST", replan, "{}");
}

/* A saving below the policy's moves nothing; what a move has freed goes to who waits there. */
static void moves_have_to_be_worth_it(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    price_both(shop);
    put(shop, "/v1/routing/policies/standard", "{\"unit\":\"DE\",\"replan_saving\":" EUR("3.01") "}");
    const char *north = id_of(shop, order_to(shop, "N", "DE", "20095", LINE("LAMP", "1"), ""));
    receive(shop, "HAM", "LAMP", 1);
    char *replan = arena_printf(shop->arena, "/v1/orders/%s/replan", north);
    shop_must(shop, 200, "POST", replan, "{}");
    assert_int_equal(reserved_at(shop, "LEJ", "LAMP"), 1);
    put(shop, "/v1/routing/policies/standard", "{\"unit\":\"DE\",\"replan_saving\":" EUR("3.00") "}");
    shop_must(shop, 200, "POST", replan, "{}");
    assert_int_equal(reserved_at(shop, "LEJ", "LAMP"), 0);
    assert_int_equal(reserved_at(shop, "HAM", "LAMP"), 1);
}

/* At release the order is routed once more. */
static void release_routes_again(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    price_both(shop);
    put(shop, "/v1/routing/policies/standard", "{\"unit\":\"DE\"}");
    const char *id = id_of(shop, order_to(shop, "N", "DE", "20095", LINE("LAMP", "1"), ""));
    receive(shop, "HAM", "LAMP", 1);
    shop->now_us += 60000000;
    says(pay(shop, id).body, "\"node\":\"HAM\"");
    says(decisions(shop, id), "{\"kind\":\"release\",");
    assert_int_equal(reserved_at(shop, "LEJ", "LAMP"), 0);
}

static void what_is_faulty_is_told(struct shop *shop)
{
    static const struct {
        const char *target, *body, *says;
    } cases[] = {
        { "/v1/routing/rates/X",
          "{\"unit\":\"NO\",\"name\":\"x\",\"zones\":[{\"country\":\"DE\",\"steps\":[{\"up_to_g\":1,\"price\":" EUR("1.00") "}]}]}",
          "there is no unit NO" },
        { "/v1/routing/rates/X",
          "{\"unit\":\"DE\",\"name\":\"x\",\"zones\":[{\"country\":\"DE\",\"steps\":[{\"up_to_g\":9,\"price\":" EUR(
              "1.00") "},{\"up_to_g\":9,\"price\":" EUR("1.00") "}]}]}",
          "do not ascend" },
        { "/v1/routing/rates/X",
          "{\"unit\":\"DE\",\"name\":\"x\",\"zones\":[{\"country\":\"DE\",\"steps\":[{\"up_to_g\":9,\"price\":{\"amount\":\"1.00\",\"currency\":\"USD\"}}]}]}",
          "currency_mismatch" },
        { "/v1/routing/nodes/NO", "{\"time_zone\":\"Europe/Berlin\"}", "there is no node NO" },
        { "/v1/routing/nodes/LEJ", "{\"time_zone\":\"Europe/Atlantis\"}", "/time_zone" },
        { "/v1/routing/nodes/LEJ", "{\"time_zone\":\"Europe/Berlin\",\"monday\":\"25:00\"}", "/monday" },
        { "/v1/routing/nodes/LEJ", "{\"time_zone\":\"Europe/Berlin\",\"closed\":[\"2026-02-30\"]}", "/closed/0" },
        { "/v1/routing/nodes/LEJ", "{\"time_zone\":\"Europe/Berlin\",\"rates\":\"NO\"}", "/rates" },
        { "/v1/routing/policies/p", "{\"unit\":\"DE\",\"channel\":\"NO\"}", "/channel" },
        { "/v1/routing/policies/p", "{\"unit\":\"DE\",\"rules\":[{\"name\":\"r\",\"effect\":\"only\"}]}", "/rules/0" },
        { "/v1/routing/policies/p", "{\"unit\":\"DE\",\"rules\":[{\"name\":\"r\",\"effect\":\"only\",\"nodes\":[\"NO\"]}]}", "there is no node NO" },
        { "/v1/routing/policies/p", "{\"unit\":\"DE\",\"rules\":[{\"name\":\"r\",\"effect\":\"never\",\"kinds\":[\"ship\"]}]}",
          "there is no kind of node ship" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        says(shop_must(shop, 422, "PUT", cases[i].target, "%s", cases[i].body).body, cases[i].says);
    says(shop_must(shop, 422, "POST", "/v1/routing/try", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"NO\",\"quantity\":1}]}").body, "/lines/0/sku");
    shop_must(shop, 422, "POST", "/v1/routing/try", "{\"channel\":\"web\"}");
    shop_must(shop, 422, "POST", "/v1/routing/try", "{\"order\":\"ord_x\"}");
}

static void masters_come_back_as_they_were(struct shop *shop)
{
    price_both(shop);
    put(shop, "/v1/routing/policies/all", "{\"unit\":\"DE\",\"channel\":\"web\",\"first\":\"lowest_cost\",\"split_penalty\":" EUR("1.50") "}");
    static const char *const targets[] = { "/v1/routing/rates/L", "/v1/routing/nodes/LEJ", "/v1/routing/policies/all" };
    for (size_t i = 0; i < 3; i++) {
        const char *body = shop_must(shop, 200, "GET", targets[i], NULL).body;
        says(shop_must(shop, 200, "PUT", targets[i], "%s", body).body, "\"version\":1,");
        says(shop_must(shop, 200, "GET", arena_printf(shop->arena, "%s/history", targets[i]), NULL).body, "\"version\":1,");
    }
    says(shop_must(shop, 200, "PATCH", "/v1/routing/nodes/LEJ", "{\"handling_days\":1}").body, "\"version\":2,");
    says(shop_must(shop, 200, "GET", "/v1/routing/rates?limit=1", NULL).body, "\"code\":\"L\"");
    says(shop_must(shop, 200, "GET", "/v1/routing/rates?limit=1", NULL).body, "\"next\":\"rates_");
    says(shop_must(shop, 200, "GET", "/v1/routing/policies?unit=DE", NULL).body, "\"first\":\"lowest_cost\"");
    says(shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=master.changed", NULL).body, "\"subject\":{\"kind\":\"policy\",\"id\":\"all\"}");
}

int main(void)
{
    static const struct shop_scene scenes[] = {
        SCENE(without_a_policy_nothing_is_weighed),
        SCENE(the_nearer_node_is_cheaper),
        SCENE(a_parcel_costs_by_its_weight),
        SCENE(rules_take_nodes_away),
        SCENE(a_rule_knows_the_customer),
        SCENE(who_is_late_pays_for_it),
        SCENE(lines_have_a_promise),
        SCENE(capacity_is_counted_by_day),
        SCENE(claims_move_when_something_better_appears),
        SCENE(moves_have_to_be_worth_it),
        SCENE(release_routes_again),
        SCENE(what_is_faulty_is_told),
        SCENE(masters_come_back_as_they_were),
    };
    return scenes_play("routing", scenes, sizeof scenes / sizeof *scenes);
}
