/* tests/http/exceptions_test.c: whose work an exception is, and the money and promises at risk while it is open. */
#include "company.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void put_sku(struct company *company, const char *code)
{
    char target[80];
    snprintf(target, sizeof target, "/v1/skus/%s", code);
    must(company, 201, "PUT", target, "{\"name\":\"%s\"}", code);
}

/* 19.90 a piece, 5.00 off the whole line. */
static void order(struct company *company, const char *id, const char *sku, int quantity)
{
    must(
        company, 201, "POST", "/v1/orders",
        "{\"channel\":\"web\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"Ann\"},"
        "\"ship_to\":{\"name\":\"Ann\",\"country\":\"DE\"},\"prices_include_tax\":true,\"lines\":[{\"sku\":\"%s\",\"quantity\":%d,"
        "\"unit_price\":{\"amount\":\"19.90\",\"currency\":\"EUR\"},\"discount\":{\"amount\":\"5.00\",\"currency\":\"EUR\"}}],"
        "\"payment\":{\"term\":\"none\",\"status\":\"pending\"},\"on_shortage\":\"backorder\"}",
        id, sku, quantity);
}

static void what_an_order_waits_for_is_at_risk_until_it_comes(void **state)
{
    SCENE(company);
    put_sku(company, "CROWN");
    receive(company, "LEJ", "CROWN", 3);
    order(company, "R-1", "CROWN", 10); /* seven wait: 139.30 less 3.50 of the discount */
    get(company, "/v1/exceptions?state=open&team=purchasing");
    says(company, "\"type\":\"shortage\",\"team\":\"purchasing\",\"state\":\"open\"");
    says(company, "\"quantity\":7,\"money_at_risk\":{\"amount\":\"135.80\",\"currency\":\"EUR\"},\"promises_at_risk\":1");
    receive(company, "LEJ", "CROWN", 5);
    get(company, "/v1/exceptions?state=open&type=shortage");
    says(company, "\"money_at_risk\":{\"amount\":\"38.80\",\"currency\":\"EUR\"},\"promises_at_risk\":1"); /* two wait */
    receive(company, "LEJ", "CROWN", 2);
    get(company, "/v1/exceptions?type=shortage");
    says(company, "\"state\":\"closed\"");
    says(company, "\"money_at_risk\":null,\"promises_at_risk\":0");
    get(company, "/v1/exceptions?state=open&team=warehouse");
    says_not(company, "shortage");
}

static void missing_goods_are_worth_what_they_cost(void **state)
{
    SCENE(company);
    char id[40], target[80];
    put_sku(company, "ORB");
    must(company, 201, "POST", "/v1/inventory/adjustments",
         "{\"node\":\"LEJ\",\"sku\":\"ORB\",\"delta\":10,\"reason\":\"receipt\",\"unit_cost\":{\"amount\":\"4.00\",\"currency\":\"EUR\"}}");
    must(company, 201, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"ORB\",\"quantity\":6}]}");
    text_of(company, "id", id, sizeof id);
    snprintf(target, sizeof target, "/v1/transfers/%s/ship", id);
    must(company, 200, "POST", target, "{}");
    order(company, "R-2", "ORB", 5); /* four are there, one waits */
    snprintf(target, sizeof target, "/v1/transfers/%s/receive", id);
    must(company, 200, "POST", target, "{\"lines\":[{\"sku\":\"ORB\",\"quantity\":0}]}");
    get(company, "/v1/ledger/stock"); /* what waits for the ledger: what is asked next is as young */
    get(company, "/v1/exceptions?state=open&type=transfer_short");
    says(company, "\"team\":\"warehouse\"");
    says(company, "\"money_at_risk\":{\"amount\":\"24.00\",\"currency\":\"EUR\"},\"promises_at_risk\":1");
}

static void a_line_that_nobody_knows_is_at_risk(void **state)
{
    SCENE(company);
    must(
        company, 201, "POST", "/v1/orders",
        "{\"channel\":\"market\",\"channel_order_id\":\"R-3\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"Ann\"},"
        "\"ship_to\":{\"name\":\"Ann\",\"country\":\"DE\"},\"lines\":[{\"channel_sku\":\"NOBODY-1\",\"quantity\":2,"
        "\"unit_price\":{\"amount\":\"7.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"none\",\"status\":\"pending\"}}");
    get(company, "/v1/exceptions?state=open&team=catalogue");
    says(company, "\"type\":\"unmapped\"");
    says(company, "\"money_at_risk\":{\"amount\":\"14.00\",\"currency\":\"EUR\"},\"promises_at_risk\":1");
}

/* What many orders need is read in one go, in pieces: else a long page is read anew for each of them, and does not fit a request's memory. */
static void a_long_page_says_of_each_what_is_at_risk(void **state)
{
    enum { ORDERS = 600 };
    SCENE(company);
    put_sku(company, "HALO");
    for (int i = 0; i < ORDERS; i++) {
        char id[20];
        snprintf(id, sizeof id, "L-%d", i);
        order(company, id, "HALO", 1);
    }
    get(company, "/v1/exceptions?state=open&type=shortage&limit=1000");
    says(company, "\"next\":null");
    assert_int_equal(times(company, "\"money_at_risk\":{\"amount\":\"14.90\",\"currency\":\"EUR\"},\"promises_at_risk\":1"), ORDERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(what_an_order_waits_for_is_at_risk_until_it_comes),
        ON_BOTH(missing_goods_are_worth_what_they_cost),
        ON_BOTH(a_line_that_nobody_knows_is_at_risk),
        ON_BOTH(a_long_page_says_of_each_what_is_at_risk),
    };
    return cmocka_run_group_tests(tests, NULL, close_companies);
}
