/* tests/http/stock_reads_test.c: positions, movements and availability as a client reads them. */
#include "company.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void put_sku(struct company *company, const char *code)
{
    char target[80];
    snprintf(target, sizeof target, "/v1/skus/%s", code);
    must(company, 201, "PUT", target, "{\"name\":\"%s\"}", code);
}

static void movements_of_a_sku_tell_its_whole_way(void **state)
{
    SCENE(company);
    char order[40], target[100], adjustment[40], after[40];
    put_sku(company, "VASE");
    must(company, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"VASE\",\"delta\":10,\"reason\":\"receipt\"}");
    text_of(company, "id", adjustment, sizeof adjustment);
    get(company, "/v1/inventory/movements?sku=VASE"); /* what was answered is there */
    says(company,
         "\"sku\":\"VASE\",\"quantity\":10,\"from\":{\"place\":\"supplier\",\"bucket\":null},\"to\":{\"place\":\"LEJ\",\"bucket\":\"available\"},"
         "\"cause\":{\"kind\":\"adjustment\",\"id\":\"");
    says(company, adjustment);
    says(company, "\"actor\":\"test\",\"at\":\"20");
    must(company, 201, "PUT", "/v1/channels/web/fences/LEJ/VASE", "{\"quantity\":4}");
    must(
        company, 201, "POST", "/v1/orders",
        "{\"channel\":\"web\",\"channel_order_id\":\"V-1\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"Ann\"},"
        "\"ship_to\":{\"name\":\"Ann\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"VASE\",\"quantity\":2,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],"
        "\"payment\":{\"term\":\"none\",\"status\":\"pending\"}}");
    text_of(company, "id", order, sizeof order);
    must(company, 201, "POST", "/v1/inventory/adjustments",
         "{\"node\":\"HAM\",\"sku\":\"VASE\",\"delta\":3,\"reason\":\"found\",\"bucket\":\"quarantined\"}");
    must(company, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"VASE\",\"delta\":-1,\"reason\":\"damage\"}");
    get(company, "/v1/inventory/movements?sku=VASE");
    assert_int_equal(times(company, "\"id\":\"mov_"), 6);
    says(company, "\"cause\":{\"kind\":\"fence\",\"id\":\"web/LEJ/VASE\"}");
    snprintf(target, sizeof target, "\"cause\":{\"kind\":\"order\",\"id\":\"%s\"}", order);
    assert_int_equal(times(company, target), 2); /* reserved, then allocated */
    says(company, "\"to\":{\"place\":\"scrap\",\"bucket\":null}");
    get(company, "/v1/inventory/movements?sku=VASE&node=HAM");
    assert_int_equal(times(company, "\"id\":\"mov_"), 1);
    says(company, "\"from\":{\"place\":\"adjustment\",\"bucket\":null},\"to\":{\"place\":\"HAM\",\"bucket\":\"quarantined\"}");
    get(company, "/v1/inventory/movements?sku=VASE&limit=1");
    text_of(company, "id", after, sizeof after);
    get(company, "/v1/inventory/movements?sku=VASE&after=%s", after);
    assert_int_equal(times(company, "\"id\":\"mov_"), 5);
    says_not(company, after);
}

static void movements_are_paged_once_each(void **state)
{
    SCENE(company);
    size_t pages, all;
    for (int i = 0; i < 7; i++)
        receive(company, i % 2 == 0 ? "LEJ" : "HAM", "SHADE", 1 + i);
    all = items_of(company, "/v1/inventory/movements", 1000, "\"id\":\"mov_", &pages);
    assert_int_equal(items_of(company, "/v1/inventory/movements", 2, "\"id\":\"mov_", &pages), all);
    assert_int_equal(items_of(company, "/v1/inventory/movements?sku=SHADE", 3, "\"id\":\"mov_", &pages), 7);
    assert_int_equal(pages, 3);
    assert_int_equal(items_of(company, "/v1/inventory/movements?node=HAM&sku=SHADE", 2, "\"id\":\"mov_", &pages), 3);
    size_t of_node = items_of(company, "/v1/inventory/movements?node=HAM", 1000, "\"id\":\"mov_", &pages);
    assert_int_equal(items_of(company, "/v1/inventory/movements?node=HAM", 1, "\"id\":\"mov_", &pages), of_node);
    get(company, "/v1/inventory/movements?sku=NOPE");
    says(company, "\"items\":[],\"next\":null");
    must(company, 400, "GET", "/v1/inventory/movements?after=7", NULL);
    must(company, 400, "GET", "/v1/inventory/movements?cursor=pos_1.2.3", NULL);
    must(company, 400, "GET", "/v1/inventory/movements?limit=0", NULL);
}

static void positions_of_all_nodes_and_skus(void **state)
{
    SCENE(company);
    size_t pages;
    put_sku(company, "MUG");
    put_sku(company, "CUP");
    receive(company, "LEJ", "MUG", 1);
    receive(company, "HAM", "MUG", 2);
    receive(company, "HAM", "CUP", 3);
    size_t all = items_of(company, "/v1/inventory", 1000, "\"on_hand\"", &pages);
    assert_int_equal(items_of(company, "/v1/inventory", 1, "\"on_hand\"", &pages), all);
    assert_int_equal(pages, all);
    assert_int_equal(items_of(company, "/v1/inventory", 2, "\"on_hand\"", &pages), all);
    assert_int_equal(items_of(company, "/v1/inventory?sku=MUG", 1, "\"sku\":\"MUG\"", &pages), 2);
    size_t of_node = items_of(company, "/v1/inventory?node=HAM", 1000, "\"node\":\"HAM\"", &pages);
    assert_int_equal(items_of(company, "/v1/inventory?node=HAM", 1, "\"node\":\"HAM\"", &pages), of_node);
    get(company, "/v1/inventory?node=HAM&sku=CUP");
    says(
        company,
        "{\"items\":[{\"node\":\"HAM\",\"sku\":\"CUP\",\"on_hand\":3,\"available\":3,\"reserved\":0,\"allocated\":0,\"quarantined\":0,\"in_transit\":0}],\"next\":null}");
    must(company, 400, "GET", "/v1/inventory?cursor=pos_1.2", NULL);
}

static void availability_of_a_channel_or_of_a_sku(void **state)
{
    SCENE(company);
    size_t pages;
    put_sku(company, "RUG");
    receive(company, "LEJ", "RUG", 10);
    receive(company, "HAM", "RUG", 5);
    must(company, 201, "PUT", "/v1/channels/web/listings/RUG-A", "{\"sku\":\"RUG\",\"cap\":4}");
    must(company, 201, "PUT", "/v1/channels/web/listings/RUG-B", "{\"sku\":\"RUG\",\"share_ppm\":500000,\"buffer\":1}");
    must(company, 201, "PUT", "/v1/channels/web/listings/RUG-C", "{\"sku\":\"RUG\"}");
    get(company, "/v1/availability?sku=RUG");
    says(
        company,
        "{\"channel\":\"web\",\"sku\":\"RUG\",\"channel_sku\":\"RUG-A\",\"available\":4,\"terms\":{\"pool\":15,\"buffer\":0,\"quota_left\":null,\"cap\":4,\"share_ppm\":1000000}}");
    says(company,
         "\"channel_sku\":\"RUG-B\",\"available\":7,\"terms\":{\"pool\":15,\"buffer\":1,\"quota_left\":null,\"cap\":null,\"share_ppm\":500000}}");
    says(company, "{\"channel\":\"market\",\"sku\":\"RUG\",\"channel_sku\":null,\"available\":10,");
    assert_int_equal(items_of(company, "/v1/availability?sku=RUG", 1, "\"terms\"", &pages), 4);
    get(company, "/v1/availability?sku=RUG&channel=web&limit=2");
    assert_int_equal(times(company, "\"terms\""), 2);
    assert_int_equal(items_of(company, "/v1/availability?sku=RUG&channel=web", 2, "\"terms\"", &pages), 3);
    size_t whole = items_of(company, "/v1/availability?channel=web", 1000, "\"terms\"", &pages);
    for (int limit = 1; limit <= 3; limit++)
        assert_int_equal(items_of(company, "/v1/availability?channel=web", limit, "\"terms\"", &pages), whole);
    get(company, "/v1/availability?channel=web");
    says(company, "\"sku\":\"KIT\",\"channel_sku\":null");
    must(company, 400, "GET", "/v1/availability", NULL);
    must(company, 400, "GET", "/v1/availability?channel=none", NULL);
    must(company, 400, "GET", "/v1/availability?channel=web&cursor=atp_1.2", NULL);
}

/* A pool of several nodes times a share of a million passes 63 bits. */
static void the_largest_quantities_are_shown(void **state)
{
    SCENE(company);
    char node[16], target[40], nodes[400] = "";
    put_sku(company, "SAND");
    for (int i = 0; i < 12; i++) {
        snprintf(node, sizeof node, "N%d", i);
        snprintf(target, sizeof target, "/v1/nodes/%s", node);
        must(company, 201, "PUT", target, "{\"unit\":\"DE\",\"name\":\"N\",\"kind\":\"store\",\"country\":\"DE\",\"postal_code\":\"1\"}");
        must(company, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"%s\",\"sku\":\"SAND\",\"delta\":1000000000000,\"reason\":\"receipt\"}",
             node);
        snprintf(nodes + strlen(nodes), sizeof nodes - strlen(nodes), "%s\"%s\"", i == 0 ? "" : ",", node);
    }
    must(company, 201, "PUT", "/v1/channels/apart",
         "{\"unit\":\"DE\",\"name\":\"S\",\"kind\":\"store\",\"nodes\":[%s],\"shortage\":\"reject\",\"split\":false}", nodes);
    get(company, "/v1/availability?channel=apart&sku=SAND");
    says(company, "\"available\":1000000000000,");
    must(company, 201, "PUT", "/v1/channels/apart/listings/S", "{\"sku\":\"SAND\",\"share_ppm\":50000}");
    get(company, "/v1/availability?channel=apart&sku=SAND");
    says(company, "\"available\":600000000000,");
}

static void the_largest_stock_is_named(void **state)
{
    SCENE(company);
    static const char more[] = "{\"node\":\"LEJ\",\"sku\":\"MOST\",\"delta\":%ld,\"reason\":\"receipt\"}";
    must(company, 201, "PUT", "/v1/skus/MOST", "{\"name\":\"Most\"}");
    must(company, 201, "POST", "/v1/inventory/adjustments", more, 1000000000000L);
    must(company, 409, "POST", "/v1/inventory/adjustments", more, 7L);
    says(company, "stock_conflict");
    says(company, "7 more would be over 1000000000000, the largest stock");
    must(company, 422, "POST", "/v1/inventory/adjustments", more, 1000000000001L);
}

/* ---- counts of the past: the edge reads what was on hand at the counter's event ---- */

/* The number of the unit's last event. */
static long last_event(struct company *company)
{
    long seq = 0;
    do {
        get(company, "/v1/events?unit=DE&limit=500&after=%ld", seq);
        for (const char *at = company->client.body; (at = strstr(at, "\"seq\":")) != NULL; at++)
            seq = strtol(at + 6, NULL, 10);
    } while (strstr(company->client.body, "\"next\":null") == NULL);
    return seq;
}

static void a_count_says_as_of_which_event(void **state)
{
    SCENE(company);
    put_sku(company, "TUREEN");
    put_sku(company, "LADLE");
    receive(company, "LEJ", "TUREEN", 10);
    receive(company, "LEJ", "LADLE", 3);
    const long seen = last_event(company);
    receive(company, "LEJ", "TUREEN", 5);
    static const char count[] = "{\"node\":\"LEJ\",\"sku\":\"%s\",\"set\":%d,\"reason\":\"count\",\"as_of\":%ld%s}";
    must(company, 201, "POST", "/v1/inventory/adjustments", count, "TUREEN", 8, seen, ",\"dry_run\":true");
    says(company, "\"on_hand\":13");
    must(company, 201, "POST", "/v1/inventory/adjustments", count, "TUREEN", 8, seen, "");
    says(company, "\"on_hand\":13");
    must(company, 422, "POST", "/v1/inventory/adjustments", count, "NOPE", 8, seen + 100000, "");
    says(company, "sku_unknown");
    must(company, 422, "POST", "/v1/inventory/adjustments", count, "TUREEN", 8, seen + 100000, "");
    says(company, "\"pointer\":\"/as_of\",\"code\":\"out_of_range\"");
}

static void counts_of_the_past_in_a_batch(void **state)
{
    SCENE(company);
    char *body = malloc(1 << 20);
    assert_non_null(body);
    put_sku(company, "SPOON");
    receive(company, "LEJ", "SPOON", 10);
    const long seen = last_event(company);
    receive(company, "LEJ", "SPOON", 5);
    static const char *const dry[] = { "true", "false" };
    for (int preview = 0; preview < 2; preview++) {
        int at = sprintf(body,
                         "{\"dry_run\":%s,\"adjustments\":[{\"node\":\"LEJ\",\"sku\":\"SPOON\",\"set\":9,\"reason\":\"count\",\"as_of\":%ld},"
                         "{\"node\":\"LEJ\",\"sku\":\"SPOON\",\"set\":9,\"reason\":\"count\",\"as_of\":%ld},"
                         "{\"node\":\"LEJ\",\"sku\":\"SPOON\",\"delta\":1,\"reason\":\"receipt\"}",
                         dry[preview], seen, seen + 100000);
        for (int i = 0; i < 900; i++) /* too large to be read on the server's own thread */
            at += sprintf(body + at, ",{\"node\":\"LEJ\",\"sku\":\"SPOON\",\"set\":8,\"reason\":\"count\",\"as_of\":%ld}", seen);
        sprintf(body + at, "]}");
        assert_int_equal(client_call(&company->client, "POST", "/v1/inventory/adjustments/batch", NULL, body), 200);
        assert_int_equal(times(company, "\"status\":201"), 902);
        assert_int_equal(times(company, "\"problem\":"), 1);
        assert_int_equal(times(company, "\"on_hand\":14,"), 901); /* 9 + 5, then 1 more; 8 + 6 */
    }
    get(company, "/v1/inventory?sku=SPOON&node=LEJ");
    says(company, "\"on_hand\":14,");
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(the_largest_stock_is_named),      ON_BOTH(movements_of_a_sku_tell_its_whole_way), ON_BOTH(movements_are_paged_once_each),
        ON_BOTH(positions_of_all_nodes_and_skus), ON_BOTH(availability_of_a_channel_or_of_a_sku), ON_BOTH(the_largest_quantities_are_shown),
        ON_BOTH(a_count_says_as_of_which_event),  ON_BOTH(counts_of_the_past_in_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, close_companies);
}
