/* tests/store/queues_test.c: nobody waits for units that stand where the channel may have them.
 * Scenes first: what a channel may have grows without a unit coming. Then a property: seeded streams of orders and of all
 * that moves stock or changes who may have it; after each command and the jobs that it started, no line that waits could be
 * filled by what its channel may have (read from the tables, summed here by hand), no line got units that one before it in rank
 * could have had, none is sent where a picker has looked for it in vain, and where bundles must not come apart none got a part of one.
 * MILLRACE_QUEUE_STREAMS sets how many streams; a failing seed is named. */
#include "engine/jobs.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct reply order_on(struct shop *shop, const char *term, const char *channel, const char *id, const char *sku, int quantity)
{
    return shop_call(
        shop, "POST", "/v1/orders",
        "{\"channel\":\"%s\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"
        "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s\",\"quantity\":%d,\"unit_price\":{\"amount\":\"1.00\","
        "\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"%s\",\"status\":\"pending\"}}",
        channel, id, sku, quantity, term);
}

static struct reply order_of(struct shop *shop, const char *channel, const char *id, const char *sku, int quantity)
{
    return order_on(shop, "prepaid", channel, id, sku, quantity);
}

/* The order's line 1, as it stands now. */
static int64_t figure(struct shop *shop, const char *id, const char *name)
{
    return number_in(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", id), NULL).body, "\"lines\"", name);
}

static const char *id_of(struct shop *shop, struct reply made)
{
    char id[32];
    assert_int_equal(made.status, 201);
    text_in(made.body, NULL, "id", id, sizeof id);
    return arena_text(shop->arena, id);
}

/* ---- scenes ---- */

static void a_channel_gains_a_node(struct shop *shop)
{
    shop_must(shop, 201, "PUT", "/v1/nodes/N3", "{\"unit\":\"DE\",\"name\":\"N3\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"1\"}");
    shop_must(shop, 201, "PUT", "/v1/channels/soc",
              "{\"unit\":\"DE\",\"name\":\"S\",\"kind\":\"social\",\"priority\":4,\"nodes\":[\"N3\"],\"shortage\":\"backorder\"}");
    receive(shop, "N3", "LAMP", 3);
    const char *waits = id_of(shop, order_of(shop, "web", "1", "LAMP", 2));
    assert_int_equal(figure(shop, waits, "backordered"), 2);
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"nodes\":[\"LEJ\",\"HAM\",\"N3\"]}");
    assert_int_equal(figure(shop, waits, "reserved"), 2);
    const char *late = id_of(shop, order_of(shop, "soc", "2", "LAMP", 2));
    assert_int_equal(figure(shop, late, "reserved"), 1);
}

static void a_fence_opens_to_another_group(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 3);
    shop_must(shop, 201, "PUT", "/v1/channels/b2b/fences/LEJ/LAMP", "{\"quantity\":3}");
    const char *waits = id_of(shop, order_of(shop, "web", "1", "LAMP", 2));
    assert_int_equal(figure(shop, waits, "backordered"), 2);
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"group\":\"b2b\"}"); /* shares its fences now */
    assert_int_equal(figure(shop, waits, "reserved"), 2);
    const char *second = id_of(shop, order_of(shop, "market", "2", "LAMP", 1));
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"group\":\"web\"}");
    shop_must(shop, 200, "PATCH", "/v1/channels/b2b", "{\"priority\":9}"); /* ranks below market */
    assert_int_equal(figure(shop, second, "reserved"), 1);
}

static void less_is_held_back(struct shop *shop)
{
    shop_must(shop, 201, "PUT", "/v1/channels/web/listings/L", "{\"sku\":\"LAMP\",\"buffer\":2}");
    receive(shop, "LEJ", "LAMP", 2);
    const char *waits = id_of(shop, order_of(shop, "web", "1", "LAMP", 1));
    assert_int_equal(figure(shop, waits, "backordered"), 1);
    shop_must(shop, 200, "PATCH", "/v1/channels/web/listings/L", "{\"cap\":1}");
    assert_int_equal(figure(shop, waits, "backordered"), 1); /* what is shown keeps nothing from it */
    shop_must(shop, 200, "PATCH", "/v1/channels/web/listings/L", "{\"buffer\":1}");
    assert_int_equal(figure(shop, waits, "reserved"), 1);
}

/* Who waits on purpose is not woken by units that nobody may have. */
static void what_is_quarantined_wakes_nobody(struct shop *shop)
{
    static const char *const moves[] = { "\"delta\":2,\"bucket\":\"quarantined\",\"reason\":\"receipt\"",
                                         "\"set\":3,\"bucket\":\"quarantined\",\"reason\":\"correction\"",
                                         "\"delta\":1,\"from\":\"available\",\"bucket\":\"quarantined\",\"reason\":\"correction\"" };
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"buffer\":5}");
    receive(shop, "LEJ", "LAMP", 2);
    const char *waits = id_of(shop, order_of(shop, "web", "1", "LAMP", 1));
    for (size_t i = 0; i < COUNT(moves); i++) {
        shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",%s}", moves[i]);
        assert_int_equal(figure(shop, waits, "backordered"), 1);
    }
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments",
              "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":1,\"from\":\"quarantined\",\"bucket\":\"available\",\"reason\":\"correction\"}");
    assert_int_equal(figure(shop, waits, "reserved"), 1); /* a release from quarantine is supply */
}

static void what_breaks_in_one_place_is_taken_from_another(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    receive(shop, "HAM", "LAMP", 2);
    const char *id = id_of(shop, order_of(shop, "web", "1", "LAMP", 2));
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-2,\"reason\":\"damage\"}");
    assert_int_equal(figure(shop, id, "reserved"), 2);
    assert_int_equal(figure(shop, id, "backordered"), 0);
}

/* More SKUs wait than one command looks at: the unit waits for the job, and nobody overtakes meanwhile. */
static void thousands_of_queues_are_woken_by_a_job(struct shop *shop)
{
    enum { SKUS = 700 };
    shop_must(shop, 201, "PUT", "/v1/nodes/N3", "{\"unit\":\"DE\",\"name\":\"N3\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"1\"}");
    shop_must(shop, 201, "PUT", "/v1/channels/soc",
              "{\"unit\":\"DE\",\"name\":\"S\",\"kind\":\"social\",\"priority\":4,\"nodes\":[\"N3\"],\"shortage\":\"backorder\"}");
    for (int i = 0; i < SKUS; i++) {
        const char *sku = arena_printf(shop->arena, "S%d", i);
        shop_must(shop, 201, "PUT", arena_printf(shop->arena, "/v1/skus/%s", sku), "{\"name\":\"S\"}");
        receive(shop, "N3", sku, 1);
        assert_int_equal(order_of(shop, "web", sku, sku, 1).status, 201);
    }
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"nodes\":[\"LEJ\",\"N3\"]}");
    assert_int_equal(order_of(shop, "soc", "late", "S1", 1).status, 503);
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"nodes\":[\"HAM\",\"N3\"]}"); /* begins again */
    assert_true(shop_jobs(shop, 1) >= 1);
    assert_null(strstr(shop_must(shop, 200, "GET", "/v1/orders?stage=captured", NULL).body, "ord_"));
    assert_int_equal(figure(shop, id_of(shop, order_of(shop, "soc", "late", "S1", 1)), "backordered"), 1);
}

static void a_decision_says_what_ruled_the_others_out(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 2);
    receive(shop, "HAM", "LAMP", 9);
    const char *first = id_of(shop, order_of(shop, "web", "1", "LAMP", 1)), *second = id_of(shop, order_of(shop, "web", "2", "LAMP", 3));
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s/decisions", first), NULL).body;
    assert_non_null(strstr(body, "\"nodes\":[\"LEJ\"],\"alternatives\":[{\"node\":\"HAM\",\"ruled_out\":\"node_priority\",\"lines\":1}]"));
    body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s/decisions", second), NULL).body;
    assert_non_null(strstr(body, "\"nodes\":[\"HAM\"],\"alternatives\":[{\"node\":\"LEJ\",\"ruled_out\":\"lacks_stock\",\"lines\":0}]"));
    shop_must(shop, 404, "GET", "/v1/orders/ord_00000000000ZZ/decisions", NULL);
}

/* ---- lines that name nothing that is known ---- */

static const char *market_order(struct shop *shop, const char *id, const char *lines, const char *key)
{
    const char *body = arena_printf(
        shop->arena,
        "{\"channel\":\"market\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":"
        "{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[%s],\"payment\":{\"term\":\"none\",\"status\":\"pending\"}}",
        id, lines);
    struct command *command = local_command(shop->local, shop->arena, "POST", "/v1/orders", body, key);
    engine_run(shop->engine, &command, 1);
    assert_int_equal(command->answer.status, 201);
    return arena_text(shop->arena, command->answer.body);
}

#define LINE(named, word, quantity) "{\"" named "\":\"" word "\",\"quantity\":" quantity ",\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}"

static const char *order_now(struct shop *shop, const char *body)
{
    char id[32];
    text_in(body, NULL, "id", id, sizeof id);
    return shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", id), NULL).body;
}

static const char *open_exceptions(struct shop *shop)
{
    return shop_must(shop, 200, "GET", "/v1/exceptions?state=open", NULL).body;
}

static void a_listing_gives_a_line_its_sku(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 3);
    const char *made = market_order(shop, "1", LINE("channel_sku", "L-1", "2") "," LINE("sku", "LAMP", "1"), "key-1"), *now = order_now(shop, made);
    assert_non_null(strstr(now, "\"kind\":\"unmapped\""));
    shop_must(shop, 201, "PUT", "/v1/channels/web/listings/L-1", "{\"sku\":\"LAMP\"}"); /* another channel's word */
    assert_non_null(strstr(open_exceptions(shop), "unmapped"));
    shop_must(shop, 201, "PUT", "/v1/channels/market/listings/L-1", "{\"sku\":\"LAMP\"}");
    now = order_now(shop, made);
    assert_non_null(strstr(now, "\"stage\":\"released\""));
    assert_non_null(strstr(now, "\"holds\":[]"));
    assert_non_null(strstr(now, "a line that named nothing stands for a SKU now"));
    assert_non_null(strstr(now, "\"what\":\"reserved 3\""));
    assert_non_null(strstr(now, "hold unmapped cleared: every line stands for a SKU"));
    assert_int_equal(number_in(now, "\"lines\"", "allocated"), 2);
    assert_null(strstr(open_exceptions(shop), "exc_"));
    assert_string_equal(market_order(shop, "1", LINE("channel_sku", "L-1", "2") "," LINE("sku", "LAMP", "1"), "key-1"), made); /* as it was then */
}

/* A line that named our SKU by the listing's word came after the listing: it is mapped when the listing is moved, not when it is
 * changed otherwise; one that has a SKU keeps it. */
static void a_listing_that_is_moved_gives_a_line_its_sku(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    receive(shop, "LEJ", "BULB", 3);
    shop_must(shop, 201, "PUT", "/v1/channels/market/listings/L-1", "{\"sku\":\"LAMP\"}");
    const char *kept = market_order(shop, "1", LINE("channel_sku", "L-1", "1"), NULL),
               *made = market_order(shop, "2", LINE("sku", "L-1", "2"), "key-2");
    assert_non_null(strstr(order_now(shop, made), "\"kind\":\"unmapped\""));
    shop_must(shop, 200, "PATCH", "/v1/channels/market/listings/L-1", "{\"cap\":5}");
    assert_non_null(strstr(open_exceptions(shop), "unmapped"));
    shop_must(shop, 200, "PATCH", "/v1/channels/market/listings/L-1", "{\"sku\":\"BULB\"}");
    const char *now = order_now(shop, made);
    assert_non_null(strstr(now, "\"stage\":\"released\""));
    assert_non_null(strstr(now, "\"holds\":[]"));
    assert_int_equal(number_in(now, "\"lines\"", "allocated"), 2);
    assert_int_equal(number_in(shop_must(shop, 200, "GET", "/v1/inventory?sku=BULB&node=LEJ", NULL).body, NULL, "available"), 1);
    assert_null(strstr(open_exceptions(shop), "exc_"));
    assert_non_null(strstr(order_now(shop, kept), "\"sku\":\"LAMP\""));
    assert_string_equal(market_order(shop, "2", LINE("sku", "L-1", "2"), "key-2"), made); /* as it was then */
}

static void a_bundle_that_is_made_gives_a_line_its_components(struct shop *shop)
{
    receive(shop, "LEJ", "BULB", 2);
    const char *made = market_order(shop, "1", LINE("sku", "SET", "2"), "key-1");
    shop_must(shop, 201, "PUT", "/v1/bundles/SET",
              "{\"name\":\"Set\",\"components\":[{\"sku\":\"BULB\",\"quantity\":1},{\"sku\":\"SHADE\",\"quantity\":1}]}");
    const char *now = order_now(shop, made);
    assert_int_equal(number_in(now, "\"lines\"", "backordered"), 2);
    assert_int_equal(number_in(now, "\"lines\"", "oversold"), 2);
    assert_non_null(strstr(now, "\"holds\":[]"));
    assert_non_null(strstr(open_exceptions(shop), "\"type\":\"oversell\""));
    assert_null(strstr(open_exceptions(shop), "\"type\":\"unmapped\""));
    assert_string_equal(market_order(shop, "1", LINE("sku", "SET", "2"), "key-1"), made);
    receive(shop, "LEJ", "SHADE", 2);
    assert_non_null(strstr(order_now(shop, made), "\"stage\":\"released\""));
    assert_null(strstr(open_exceptions(shop), "exc_"));
}

static void what_waits_for_its_sku_waits_by_rank(struct shop *shop)
{
    const char *first = market_order(shop, "1", LINE("channel_sku", "L-1", "2"), NULL),
               *second = market_order(shop, "2", LINE("sku", "LAMP", "2"), NULL);
    receive(shop, "LEJ", "LAMP", 1); /* goes to the second: nobody knows what the first one wants */
    shop_must(shop, 201, "PUT", "/v1/channels/market/listings/L-1", "{\"sku\":\"LAMP\"}");
    receive(shop, "LEJ", "LAMP", 2);
    assert_int_equal(number_in(order_now(shop, first), "\"lines\"", "allocated"), 2); /* it is the older one */
    assert_int_equal(number_in(order_now(shop, second), "\"lines\"", "backordered"), 1);
}

static void the_last_unmapped_line_is_cancelled(struct shop *shop)
{
    char id[32];
    receive(shop, "LEJ", "LAMP", 1);
    const char *made = market_order(shop, "1", LINE("sku", "LAMP", "1") "," LINE("sku", "NO-1", "1") "," LINE("sku", "NO-2", "2"), NULL);
    text_in(made, NULL, "id", id, sizeof id);
    const char *target = arena_printf(shop->arena, "/v1/orders/%s/cancel", id);
    shop_must(shop, 200, "POST", target, "{\"reason\":\"no\",\"lines\":[{\"line\":2,\"quantity\":1},{\"line\":3,\"quantity\":1}]}");
    assert_non_null(strstr(open_exceptions(shop), "unmapped"));
    shop_must(shop, 200, "POST", target, "{\"reason\":\"no\",\"lines\":[{\"line\":3,\"quantity\":1}]}");
    assert_null(strstr(open_exceptions(shop), "exc_"));
    assert_non_null(strstr(order_now(shop, made), "\"holds\":[]"));
    assert_non_null(strstr(order_now(shop, made), "\"stage\":\"released\""));
    shop_must(shop, 201, "PUT", "/v1/skus/NO-2", "{\"name\":\"N\"}"); /* too late for it */
    made = market_order(shop, "2", LINE("sku", "NO-3", "1"), NULL);
    text_in(made, NULL, "id", id, sizeof id);
    const char *now = shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"no\"}").body;
    assert_non_null(strstr(now, "\"stage\":\"cancelled\""));
    assert_non_null(strstr(now, "\"holds\":[]"));
    assert_null(strstr(open_exceptions(shop), "exc_"));
}

static void hundreds_of_lines_are_mapped_by_a_job(struct shop *shop)
{
    enum { ORDERS = 250 };
    for (int i = 0; i < ORDERS; i++)
        market_order(shop, arena_printf(shop->arena, "%d", i), LINE("sku", "NEW", "1"), NULL);
    shop_must(shop, 201, "PUT", "/v1/skus/NEW", "{\"name\":\"New\"}");
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/jobs", NULL).body, "\"kind\":\"map\""));
    shop_jobs(shop, 1);
    receive(shop, "LEJ", "NEW", ORDERS);
    shop_jobs(shop, 1);
    assert_null(strstr(shop_must(shop, 200, "GET", "/v1/orders?stage=captured", NULL).body, "ord_"));
    assert_null(strstr(open_exceptions(shop), "exc_"));
}

/* ---- bundles that must not come apart ---- */

static void add_whole(struct shop *shop)
{
    shop_must(
        shop, 201, "PUT", "/v1/channels/whole",
        "{\"unit\":\"DE\",\"name\":\"W\",\"kind\":\"store\",\"priority\":1,\"nodes\":[\"LEJ\",\"HAM\"],\"shortage\":\"backorder\",\"split\":false}");
}

static int64_t stock_at(struct shop *shop, const char *node, const char *sku, const char *bucket)
{
    return number_in(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/inventory?sku=%s&node=%s", sku, node), NULL).body, NULL, bucket);
}

/* The nodes that were told to ship the order once it was paid, "LEJ" or "LEJ and HAM". */
static const char *ships_from(struct shop *shop, const char *id)
{
    char told[64];
    const char *mark = "released to ";
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/payments", id),
              "{\"kind\":\"captured\",\"amount\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},\"reference\":\"r\"}");
    const char *at = strstr(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", id), NULL).body, mark);
    assert_non_null(at);
    snprintf(told, sizeof told, "%.*s", (int)strcspn(at + strlen(mark), "\""), at + strlen(mark));
    return arena_text(shop->arena, told);
}

static void a_whole_bundle_waits_for_one_node(struct shop *shop)
{
    add_whole(shop);
    const char *kits = id_of(shop, order_of(shop, "whole", "1", "KIT", 2)), *shade = id_of(shop, order_of(shop, "whole", "2", "SHADE", 1));
    receive(shop, "LEJ", "BULB", 3);
    assert_int_equal(stock_at(shop, "LEJ", "BULB", "available"), 3); /* no piece is whole: nothing is kept for it */
    receive(shop, "HAM", "SHADE", 2);
    assert_int_equal(figure(shop, shade, "reserved"), 1); /* who stands behind gets what the bundle cannot use */
    assert_int_equal(figure(shop, kits, "backordered"), 2);
    receive(shop, "HAM", "BULB", 2);
    assert_int_equal(figure(shop, kits, "reserved"), 1);
    receive(shop, "LEJ", "SHADE", 5);
    assert_int_equal(figure(shop, kits, "reserved"), 2);
    assert_int_equal(stock_at(shop, "LEJ", "BULB", "reserved"), 2);
    assert_int_equal(stock_at(shop, "LEJ", "SHADE", "reserved"), 1);
    assert_int_equal(stock_at(shop, "HAM", "BULB", "reserved"), 2);
    assert_string_equal(ships_from(shop, kits), "LEJ and HAM"); /* each piece from one of them */
}

static void a_checkout_holds_whole_bundles(struct shop *shop)
{
    char id[32];
    add_whole(shop);
    receive(shop, "LEJ", "BULB", 2);
    receive(shop, "HAM", "BULB", 2);
    receive(shop, "HAM", "SHADE", 1);
    struct reply made =
        shop_must(shop, 201, "POST", "/v1/reservations", "{\"channel\":\"whole\",\"lines\":[{\"sku\":\"KIT\",\"quantity\":1}],\"ttl_s\":60}");
    text_in(made.body, NULL, "id", id, sizeof id);
    assert_int_equal(stock_at(shop, "LEJ", "BULB", "reserved"), 0);
    assert_int_equal(stock_at(shop, "HAM", "BULB", "reserved"), 2);
    assert_int_equal(stock_at(shop, "HAM", "SHADE", "reserved"), 1);
    const char *kit =
        id_of(shop, shop_call(shop, "POST", "/v1/orders",
                              "{\"channel\":\"whole\",\"channel_order_id\":\"1\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                              "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"reservation\":\"%s\","
                              "\"lines\":[{\"sku\":\"KIT\",\"quantity\":1,\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}],"
                              "\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\"}}",
                              id));
    assert_string_equal(ships_from(shop, kit), "HAM");
}

/* One part of a reserved bundle breaks: the piece comes whole from another node, and who waits for the rest of it gets that. */
static void a_bundle_that_lost_a_part_moves_to_another_node(struct shop *shop)
{
    add_whole(shop);
    receive(shop, "LEJ", "BULB", 2);
    receive(shop, "LEJ", "SHADE", 1);
    const char *kit = id_of(shop, order_of(shop, "whole", "1", "KIT", 1)), *bulbs = id_of(shop, order_of(shop, "web", "2", "BULB", 2));
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"SHADE\",\"delta\":-1,\"reason\":\"damage\"}");
    receive(shop, "HAM", "BULB", 1); /* for the other order: the bundle waits for a shade */
    assert_int_equal(figure(shop, bulbs, "reserved"), 1);
    receive(shop, "HAM", "SHADE", 1);
    assert_int_equal(figure(shop, kit, "backordered"), 1); /* its bulbs are in Leipzig */
    receive(shop, "HAM", "BULB", 3);
    assert_int_equal(figure(shop, bulbs, "reserved"), 2);
    receive(shop, "HAM", "SHADE", 1); /* two bulbs and two shades in Hamburg */
    assert_int_equal(figure(shop, kit, "reserved"), 1);
    assert_int_equal(stock_at(shop, "LEJ", "BULB", "reserved"), 0);
    assert_string_equal(ships_from(shop, kit), "HAM");
}

/* Half of it is a node's work already: the other half comes from there. */
static void a_bundle_that_a_node_has_begun_is_completed_there(struct shop *shop)
{
    add_whole(shop);
    receive(shop, "LEJ", "BULB", 2);
    receive(shop, "LEJ", "SHADE", 1);
    const char *kit = id_of(shop, order_of(shop, "whole", "1", "KIT", 1));
    assert_string_equal(ships_from(shop, kit), "LEJ");
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"SHADE\",\"delta\":-1,\"reason\":\"damage\"}");
    receive(shop, "HAM", "SHADE", 1);
    receive(shop, "HAM", "BULB", 2);
    assert_int_equal(figure(shop, kit, "backordered"), 1);
    receive(shop, "LEJ", "SHADE", 1);
    assert_int_equal(figure(shop, kit, "allocated"), 1);
    assert_int_equal(stock_at(shop, "HAM", "SHADE", "available"), 1);
}

/* A channel lets bundles come apart no longer: what an order holds already in two nodes stands, what is filled from then on is whole. */
static void bundles_are_kept_together_from_now_on(struct shop *shop)
{
    receive(shop, "LEJ", "BULB", 2);
    const char *kits = id_of(shop, order_of(shop, "web", "1", "KIT", 2));
    receive(shop, "HAM", "SHADE", 1);
    receive(shop, "LEJ", "BULB", 1); /* taken at once, for the second */
    assert_int_equal(stock_at(shop, "LEJ", "BULB", "available"), 0);
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"split\":false}");
    receive(shop, "HAM", "BULB", 4);
    assert_int_equal(figure(shop, kits, "reserved"), 1);
    receive(shop, "HAM", "SHADE", 1);
    assert_int_equal(figure(shop, kits, "reserved"), 2);
    assert_string_equal(ships_from(shop, kits), "HAM");
    assert_int_equal(stock_at(shop, "LEJ", "BULB", "available"), 3);
}

/* The shades that come are no part that the older order waits for, yet they make its bundle whole: it is before the younger one. */
static void who_is_before_a_bundle_waits_in_no_queue_of_what_came(struct shop *shop)
{
    const char *older = id_of(shop, order_of(shop, "web", "1", "KIT", 1));
    receive(shop, "HAM", "SHADE", 1); /* taken: bundles may come apart */
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"split\":false}");
    shop_must(shop, 201, "PUT", "/v1/channels/soc",
              "{\"unit\":\"DE\",\"name\":\"S\",\"kind\":\"social\",\"priority\":4,\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\",\"split\":false}");
    const char *younger = id_of(shop, order_of(shop, "soc", "2", "KIT", 1));
    receive(shop, "LEJ", "BULB", 4);
    receive(shop, "LEJ", "SHADE", 2);
    assert_int_equal(figure(shop, older, "reserved"), 1);
    assert_int_equal(figure(shop, younger, "reserved"), 1);
    assert_int_equal(stock_at(shop, "HAM", "SHADE", "available"), 1);
}

/* More bundles move than one command may: what they give back on the way is there for others in the end, and no piece comes apart. */
static void hundreds_of_bundles_move_by_a_job(struct shop *shop)
{
    enum { KITS = 250, HERE = 200 };
    const char *last = NULL;
    for (int i = 0; i < KITS; i++)
        last = id_of(shop, order_of(shop, "web", arena_printf(shop->arena, "%d", i), "KIT", 1));
    receive(shop, "HAM", "SHADE", KITS); /* taken: bundles may come apart */
    shop_jobs(shop, 1);
    shop_must(shop, 200, "PATCH", "/v1/channels/web", "{\"split\":false}");
    receive(shop, "LEJ", "SHADE", HERE);
    receive(shop, "LEJ", "BULB", (int64_t)2 * KITS);
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/jobs", NULL).body, "\"kind\":\"fill\""));
    shop_jobs(shop, 1);
    assert_int_equal(stock_at(shop, "LEJ", "SHADE", "reserved"), HERE);
    assert_int_equal(stock_at(shop, "LEJ", "BULB", "reserved"), 2 * HERE);
    assert_int_equal(stock_at(shop, "HAM", "SHADE", "reserved"), KITS - HERE);
    assert_int_equal(figure(shop, last, "backordered"), 1);
    receive(shop, "HAM", "BULB", (int64_t)2 * (KITS - HERE)); /* where their shades still are */
    shop_jobs(shop, 1);
    assert_int_equal(figure(shop, last, "reserved"), 1);
    assert_string_equal(ships_from(shop, last), "HAM");
}

/* ---- what a channel may have, by hand ---- */

struct tables {
    struct db_rows channels, serves, positions, claims, demands, waiting, nodes, orders, missed;
};

static struct tables read_tables(struct shop *shop, struct arena *arena)
{
    return (struct tables){ shop_table(shop, arena, &channel_table),   shop_table(shop, arena, &channel_node_table),
                            shop_table(shop, arena, &position_table),  shop_table(shop, arena, &claim_table),
                            shop_table(shop, arena, &demand_table),    shop_table(shop, arena, &waiting_table),
                            shop_table(shop, arena, &node_table),      shop_table(shop, arena, &orders_table),
                            shop_table(shop, arena, &short_pick_table) };
}

#define EACH(TYPE, ROW, ROWS)                                    \
    for (size_t ROW##_i = 0; ROW##_i < (ROWS)->count; ROW##_i++) \
        for (const struct TYPE *ROW = db_row(ROWS, ROW##_i); ROW != NULL && ROW->unit == 1; ROW = NULL)

static const struct channel_row *channel_of(const struct tables *t, int64_t id)
{
    EACH(channel_row, row, &t->channels)
    if (row->id == id)
        return row;
    return NULL;
}

/* The best of a group, by priority and then id, as one number. */
static int64_t rank_of(const struct tables *t, const char *group)
{
    int64_t best = INT64_MAX;
    EACH(channel_row, row, &t->channels)
    if (strcmp(row->channel_group, group) == 0 && row->priority * 100000 + row->id < best)
        best = row->priority * 100000 + row->id;
    return best;
}

static bool serves(const struct tables *t, int64_t channel, int64_t node)
{
    EACH(channel_node_row, row, &t->serves)
    if (row->channel == channel && row->node == node)
        return true;
    return false;
}

/* Whether the node has looked for units of the SKU for this order in vain, and nobody has counted since. */
static bool was_missed(const struct tables *t, int64_t ord, int64_t sku, int64_t node)
{
    EACH(short_pick_row, row, &t->missed)
    if (row->ord == ord && row->sku == sku && row->node == node)
        return true;
    return false;
}

/* For an order of the channel. */
static int64_t stock_in(const struct tables *t, const struct channel_row *channel, int64_t ord, int64_t sku, int64_t node)
{
    int64_t units = 0;
    if (was_missed(t, ord, sku, node))
        return 0;
    EACH(position_row, row, &t->positions)
    if (row->sku == sku && row->class == 0 && row->node == node)
        units += row->available;
    EACH(claim_row, row, &t->claims)
    {
        if (row->kind != 1 || row->sku != sku || row->node != node)
            continue;
        const struct channel_row *holder = channel_of(t, row->holder);
        if (strcmp(holder->channel_group, channel->channel_group) == 0 || rank_of(t, holder->channel_group) > rank_of(t, channel->channel_group))
            units += row->soft;
    }
    return units;
}

static int64_t stock_for(const struct tables *t, const struct channel_row *channel, int64_t ord, int64_t sku)
{
    int64_t units = 0;
    EACH(node_row, node, &t->nodes)
    units += serves(t, channel->id, node->id) ? stock_in(t, channel, ord, sku, node->id) : 0;
    return units;
}

/* What an order's line holds of a part at a node, and how much of that the node has been told to ship. */
struct holds {
    int64_t units, hard;
};
static struct holds holds_of(const struct tables *t, const struct demand_row *d, int64_t node)
{
    struct holds sum = { 0 };
    EACH(claim_row, row, &t->claims)
    {
        bool its = row->kind == 4 && row->holder == d->ord && row->line == d->line && row->part == d->part && row->node == node;
        sum.units += its ? row->soft + row->hard : 0;
        sum.hard += its ? row->hard : 0;
    }
    return sum;
}

/* Whole pieces of a line at a node; `begun`: those that must become whole there too. */
static int64_t whole_at(const struct tables *t, int64_t ord, int64_t line, int64_t node, int64_t *begun)
{
    int64_t whole = INT64_MAX, most = 0;
    EACH(demand_row, d, &t->demands)
    {
        if (d->ord != ord || d->line != line)
            continue;
        struct holds holds = holds_of(t, d, node);
        whole = holds.units / d->need < whole ? holds.units / d->need : whole;
        most = (holds.hard + d->need - 1) / d->need > most ? (holds.hard + d->need - 1) / d->need : most;
    }
    *begun = whole > most ? whole : most;
    return whole;
}

/* Pieces that no node has begun; -1 where the line holds units of no whole piece: then it is looked at when what it lacks comes. */
static int64_t not_begun(const struct tables *t, const struct waiting_row *w)
{
    int64_t pieces = INT64_MAX, begun;
    EACH(demand_row, d, &t->demands)
    if (d->ord == w->ord && d->line == w->line && (d->ordered - d->cancelled) / d->need < pieces)
        pieces = (d->ordered - d->cancelled) / d->need;
    EACH(node_row, node, &t->nodes)
    {
        (void)whole_at(t, w->ord, w->line, node->id, &begun);
        EACH(demand_row, d, &t->demands)
        if (d->ord == w->ord && d->line == w->line && holds_of(t, d, node->id).units > begun * d->need)
            return -1;
        pieces -= begun;
    }
    return pieces > 0 ? pieces : 0;
}

/* One piece more, from one node. */
static bool could_be_filled_whole(const struct tables *t, const struct waiting_row *w)
{
    const struct channel_row *channel = channel_of(t, w->channel);
    const int64_t fresh = not_begun(t, w);
    EACH(node_row, node, &t->nodes)
    {
        int64_t begun, whole = whole_at(t, w->ord, w->line, node->id, &begun);
        bool stands = serves(t, channel->id, node->id) && (begun > whole || fresh > 0) && fresh >= 0;
        EACH(demand_row, d, &t->demands)
        if (d->ord == w->ord && d->line == w->line)
            stands = stands && holds_of(t, d, node->id).units + stock_in(t, channel, w->ord, d->sku, node->id) >= (whole + 1) * d->need;
        if (stands)
            return true;
    }
    return false;
}

static size_t parts_of(const struct tables *t, int64_t ord, int64_t line)
{
    size_t parts = 0;
    EACH(demand_row, d, &t->demands)
    parts += d->ord == ord && d->line == line;
    return parts;
}

/* One piece more of the line, with all that it is made of. */
static bool could_be_filled(const struct tables *t, const struct waiting_row *w)
{
    const struct channel_row *channel = channel_of(t, w->channel);
    int64_t pieces = INT64_MAX;
    bool stands = true;
    if (!channel->split && parts_of(t, w->ord, w->line) > 1)
        return could_be_filled_whole(t, w);
    EACH(demand_row, d, &t->demands)
    if (d->ord == w->ord && d->line == w->line && (d->ordered - d->backordered) / d->need < pieces)
        pieces = (d->ordered - d->backordered) / d->need;
    EACH(demand_row, d, &t->demands)
    if (d->ord == w->ord && d->line == w->line && stock_for(t, channel, w->ord, d->sku) < (pieces + 1) * d->need - (d->ordered - d->backordered))
        stands = false;
    return stands;
}

static int rank_compare(const struct waiting_row *a, const struct waiting_row *b)
{
    const int64_t left[] = { a->priority, a->promise, a->ord, a->line, a->part }, right[] = { b->priority, b->promise, b->ord, b->line, b->part };
    for (size_t i = 0; i < COUNT(left); i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

/* Units that a line holds at a place. */
static int64_t held(const struct tables *t, const struct claim_row *like)
{
    EACH(claim_row, row, &t->claims)
    if (row->kind == 4 && row->holder == like->holder && row->line == like->line && row->part == like->part && row->node == like->node &&
        row->sku == like->sku)
        return row->soft + row->hard;
    return 0;
}

static bool had_a_fence(const struct tables *t, const struct claim_row *at)
{
    EACH(position_row, row, &t->positions)
    if (row->sku == at->sku && row->node == at->node)
        return row->fenced > 0;
    return false;
}

/* Whether the line of this claim got units that somebody before it, of one component, waits for and could have had there. */
static bool overtakes(const struct tables *before, const struct tables *now, const struct claim_row *claim)
{
    if (claim->kind != 4 || held(before, claim) >= claim->soft + claim->hard || had_a_fence(before, claim))
        return false;
    struct waiting_row mine = {
        .priority = claim->priority, .promise = claim->promise, .ord = claim->holder, .line = claim->line, .part = claim->part
    };
    EACH(waiting_row, w, &now->waiting)
    {
        size_t parts = parts_of(now, w->ord, w->line), waited = 0;
        EACH(waiting_row, old, &before->waiting)
        waited += old->sku == w->sku && rank_compare(old, w) == 0;
        if (w->sku == claim->sku && parts == 1 && waited == 1 && rank_compare(w, &mine) < 0 && serves(now, w->channel, claim->node) &&
            !was_missed(now, w->ord, w->sku, claim->node))
            return true;
    }
    return false;
}

/* Whether the line of this claim got units that belong to no whole piece at their node, although its channel keeps bundles together. */
static bool comes_apart(const struct tables *before, const struct tables *now, const struct claim_row *claim)
{
    if (claim->kind != 4 || held(before, claim) >= claim->soft + claim->hard || parts_of(now, claim->holder, claim->line) == 1)
        return false;
    EACH(orders_row, row, &now->orders)
    if (row->id == claim->holder && channel_of(now, row->channel)->split)
        return false;
    EACH(demand_row, d, &now->demands)
    {
        int64_t begun, whole = whole_at(now, claim->holder, claim->line, claim->node, &begun);
        if (d->ord == claim->holder && d->line == claim->line && d->part == claim->part)
            return claim->soft + claim->hard > whole * d->need;
    }
    return true;
}

static void verify(struct shop *shop, const struct tables *before, const struct tables *now, const char *what, uint64_t seed)
{
    EACH(waiting_row, w, &now->waiting)
    if (could_be_filled(now, w))
        fail_msg("seed %lu: after %s, order %ld line %ld waits for SKU %ld that its channel may have", (unsigned long)seed, what, (long)w->ord,
                 (long)w->line, (long)w->sku);
    EACH(claim_row, claim, &now->claims)
    if (overtakes(before, now, claim))
        fail_msg("seed %lu: after %s, order %ld line %ld overtook", (unsigned long)seed, what, (long)claim->holder, (long)claim->line);
    EACH(claim_row, claim, &now->claims)
    if (claim->kind == 4 && held(before, claim) < claim->soft + claim->hard && was_missed(before, claim->holder, claim->sku, claim->node) &&
        was_missed(now, claim->holder, claim->sku, claim->node))
        fail_msg("seed %lu: after %s, order %ld line %ld is sent where nothing was found for it", (unsigned long)seed, what, (long)claim->holder,
                 (long)claim->line);
    EACH(claim_row, claim, &now->claims)
    if (comes_apart(before, now, claim))
        fail_msg("seed %lu: after %s, order %ld line %ld got a part of a bundle", (unsigned long)seed, what, (long)claim->holder, (long)claim->line);
}

/* ---- streams ---- */

#define COMMANDS 60
static const char *const codes[] = { "web", "b2b", "market", "soc" }, *const nodes[] = { "LEJ", "HAM", "N3" },
                         *const skus[] = { "LAMP", "BULB", "SHADE", "KIT" };

struct stream {
    struct shop *shop;
    uint64_t random;
    size_t number;
    char orders[COMMANDS][32], reservation[32];
    size_t order_count;
};

static int draw(struct stream *s, uint64_t below)
{
    s->random += 0x9e3779b97f4a7c15u;
    return (int)(hash_u64(s->random) % below);
}

static const char *do_order(struct stream *s)
{
    const char *channel = codes[draw(s, 4)], *sku = skus[draw(s, 4)];
    struct reply reply = order_on(s->shop, draw(s, 2) == 0 ? "prepaid" : "on_account", channel, arena_printf(s->shop->arena, "Q-%zu", ++s->number),
                                  sku, 1 + draw(s, 4));
    if (reply.status == 201)
        text_in(reply.body, NULL, "id", s->orders[s->order_count++], sizeof s->orders[0]);
    return arena_printf(s->shop->arena, "an order of %s on %s", sku, channel);
}

static const char *do_stock(struct stream *s)
{
    static const char *const what[] = { "\"delta\":%d,\"reason\":\"receipt\"",
                                        "\"delta\":%d,\"reason\":\"receipt\",\"bucket\":\"quarantined\"",
                                        "\"set\":%d,\"reason\":\"count\"",
                                        "\"delta\":-%d,\"reason\":\"damage\"",
                                        "\"delta\":%d,\"from\":\"quarantined\",\"bucket\":\"available\",\"reason\":\"correction\"",
                                        "\"delta\":%d,\"from\":\"available\",\"bucket\":\"quarantined\",\"reason\":\"correction\"" };
    const char *how = what[draw(s, COUNT(what))], *sku = skus[draw(s, 3)], *node = nodes[draw(s, 3)];
    int units = 1 + draw(s, 4);
    struct buffer out = { .arena = s->shop->arena };
    buffer_printf(&out, "%.*s%d%s", (int)(strstr(how, "%d") - how), how, units, strstr(how, "%d") + 2);
    shop_call(s->shop, "POST", "/v1/inventory/adjustments", "{\"node\":\"%s\",\"sku\":\"%s\",%s}", node, sku, out.at);
    return arena_printf(s->shop->arena, "%s of %s at %s", out.at, sku, node);
}

static const char *do_channel(struct stream *s)
{
    const char *channel = codes[draw(s, 4)], *body = "";
    int from = draw(s, 3), more = draw(s, 2);
    if (draw(s, 4) == 0)
        body = draw(s, 2) ? "{\"split\":false}" : "{\"split\":true}";
    else if (draw(s, 2) == 0)
        body = arena_printf(s->shop->arena, "{\"nodes\":[\"%s\"%s%s%s]}", nodes[from], more ? ",\"" : "", more ? nodes[(from + 1) % 3] : "",
                            more ? "\"" : "");
    else if (draw(s, 2) == 0)
        body = arena_printf(s->shop->arena, "{\"group\":\"%s\"}", codes[draw(s, 4)]);
    else
        body = arena_printf(s->shop->arena, "{\"priority\":%d}", 1 + draw(s, 5));
    shop_must(s->shop, 200, "PATCH", arena_printf(s->shop->arena, "/v1/channels/%s", channel), "%s", body);
    return arena_printf(s->shop->arena, "PATCH %s %s", channel, body);
}

static const char *do_fence(struct stream *s)
{
    const char *target = arena_printf(s->shop->arena, "/v1/channels/%s/fences/%s/%s", codes[draw(s, 4)], nodes[draw(s, 3)], skus[draw(s, 3)]);
    shop_call(s->shop, "PUT", target, "{\"quantity\":%d}", draw(s, 4));
    return arena_printf(s->shop->arena, "PUT %s", target);
}

static const char *do_master(struct stream *s)
{
    if (draw(s, 2) == 0)
        shop_call(s->shop, "PUT", "/v1/bundles/KIT",
                  "{\"name\":\"Kit\",\"components\":[{\"sku\":\"BULB\",\"quantity\":%d},{\"sku\":\"SHADE\",\"quantity\":1}]}", 1 + draw(s, 3));
    else
        shop_call(s->shop, "PUT", "/v1/channels/web/listings/L", "{\"sku\":\"%s\",\"cap\":%d,\"share_ppm\":%d}", skus[draw(s, 4)], draw(s, 3),
                  draw(s, 3) * 500000);
    return "a bundle or a listing";
}

static const char *do_checkout(struct stream *s)
{
    extern const struct command_type reservation_expire;
    struct command expire = { .type = &reservation_expire, .arena = s->shop->arena, .unit = 1, .faults = { .arena = s->shop->arena } },
                   *each = &expire;
    int kind = draw(s, 4);
    if (kind == 0) {
        s->shop->now_us += INT64_C(61000000);
        engine_run(s->shop->engine, &each, 1);
        return "checkouts expire";
    }
    if (kind == 1 && s->reservation[0] != '\0') {
        shop_call(s->shop, "DELETE", arena_printf(s->shop->arena, "/v1/reservations/%s", s->reservation), NULL);
        return "a checkout is given back";
    }
    struct reply made =
        shop_call(s->shop, "POST", "/v1/reservations", "{\"channel\":\"%s\",\"lines\":[{\"sku\":\"%s\",\"quantity\":%d}],\"ttl_s\":60}",
                  codes[draw(s, 4)], skus[draw(s, 4)], 1 + draw(s, 2));
    if (made.status == 201)
        text_in(made.body, NULL, "id", s->reservation, sizeof s->reservation);
    return "a checkout";
}

static const char *do_cancel(struct stream *s)
{
    if (s->order_count == 0)
        return do_stock(s);
    const char *id = s->orders[draw(s, s->order_count)];
    if (draw(s, 2) == 0)
        shop_call(s->shop, "POST", arena_printf(s->shop->arena, "/v1/orders/%s/cancel", id),
                  "{\"reason\":\"no\",\"lines\":[{\"line\":1,\"quantity\":1}]}");
    else
        shop_call(s->shop, "POST", arena_printf(s->shop->arena, "/v1/orders/%s/payments", id),
                  "{\"kind\":\"captured\",\"amount\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},\"reference\":\"r\"}");
    return "a cancel or a payment";
}

/* A picker finds at most a few of what an order's last parcel is to hold. */
static const char *do_pick(struct stream *s)
{
    if (s->order_count == 0)
        return do_stock(s);
    const char *id = s->orders[draw(s, s->order_count)],
               *at = shop_must(s->shop, 200, "GET", arena_printf(s->shop->arena, "/v1/orders/%s", id), NULL).body;
    char work[32] = "";
    for (at = strstr(at, "\"id\":\"ful_"); at != NULL; at = strstr(at + 1, "\"id\":\"ful_"))
        text_in(at, NULL, "id", work, sizeof work);
    if (work[0] == '\0')
        return do_order(s);
    shop_call(s->shop, "POST", arena_printf(s->shop->arena, "/v1/fulfilments/%s/pick", work),
              "{\"lines\":[{\"line\":1,\"sku\":\"%s\",\"quantity\":%d}]}", skus[draw(s, 3)], draw(s, 3));
    return arena_printf(s->shop->arena, "a pick for %s", id);
}

static const char *do_one(struct stream *s)
{
    static const char *(*const deeds[])(struct stream * s) = { do_order,   do_order, do_order,  do_stock,    do_stock,  do_stock, do_channel,
                                                               do_channel, do_fence, do_master, do_checkout, do_cancel, do_pick,  do_pick };
    return deeds[draw(s, COUNT(deeds))](s);
}

static void stream(enum store store, uint64_t seed)
{
    struct shop *shop = shop_open(store);
    struct stream s = { .shop = shop, .random = seed };
    struct arena *arenas[] = { arena_new((size_t)64 << 20), arena_new((size_t)64 << 20) };
    shop_furnish(shop);
    shop_must(shop, 201, "PUT", "/v1/nodes/N3", "{\"unit\":\"DE\",\"name\":\"N3\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"1\"}");
    shop_must(
        shop, 201, "PUT", "/v1/channels/soc",
        "{\"unit\":\"DE\",\"name\":\"S\",\"kind\":\"social\",\"priority\":4,\"nodes\":[\"N3\",\"LEJ\"],\"shortage\":\"partial\",\"split\":false}");
    shop_must(shop, 200, "PATCH", "/v1/channels/market", "{\"nodes\":[\"LEJ\",\"HAM\"],\"split\":false}");
    struct tables before = read_tables(shop, arenas[0]);
    for (int i = 0; i < COMMANDS; i++) {
        const char *what = do_one(&s);
        shop_jobs(shop, 1);
        if (i % 7 == 6 || i == COMMANDS - 1) { /* what was told then is what follows, by whatever way the queues came there */
            shop_promises(shop, 1);
            shop_check(shop);
        }
        struct arena *arena = arenas[(i + 1) % 2];
        arena_reset(arena);
        struct tables now = read_tables(shop, arena);
        verify(shop, &before, &now, what, seed);
        before = now;
    }
    arena_free(arenas[0]);
    arena_free(arenas[1]);
    shop_close(shop);
}

static void (*const scenes[])(struct shop *shop) = {
    a_channel_gains_a_node,
    a_fence_opens_to_another_group,
    less_is_held_back,
    what_is_quarantined_wakes_nobody,
    what_breaks_in_one_place_is_taken_from_another,
    thousands_of_queues_are_woken_by_a_job,
    a_decision_says_what_ruled_the_others_out,
    a_listing_gives_a_line_its_sku,
    a_listing_that_is_moved_gives_a_line_its_sku,
    a_bundle_that_is_made_gives_a_line_its_components,
    what_waits_for_its_sku_waits_by_rank,
    the_last_unmapped_line_is_cancelled,
    hundreds_of_lines_are_mapped_by_a_job,
    a_whole_bundle_waits_for_one_node,
    a_checkout_holds_whole_bundles,
    a_bundle_that_lost_a_part_moves_to_another_node,
    a_bundle_that_a_node_has_begun_is_completed_there,
    bundles_are_kept_together_from_now_on,
    who_is_before_a_bundle_waits_in_no_queue_of_what_came,
    hundreds_of_bundles_move_by_a_job,
};

static void queues_on(enum store store, uint64_t streams)
{
    const char *asked = getenv("MILLRACE_QUEUE_STREAMS");
    if (!store_is_there(store)) {
        skip();
        return;
    }
    for (size_t i = 0; i < COUNT(scenes); i++) {
        struct shop *shop = shop_open(store);
        shop_furnish(shop);
        scenes[i](shop);
        shop_close(shop);
    }
    streams = asked != NULL ? strtoull(asked, NULL, 10) : streams;
    for (uint64_t seed = 1; seed <= streams; seed++)
        stream(store, seed);
}

static void queues_on_sqlite(void **state)
{
    queues_on(STORE_SQLITE, 40);
}

static void queues_on_postgresql(void **state)
{
    queues_on(STORE_POSTGRES, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queues_on_sqlite),
        cmocka_unit_test(queues_on_postgresql),
    };
    return cmocka_run_group_tests_name("queues", tests, NULL, NULL);
}
