/* tests/faulty/contract_test.c: the good request of every route, and some bad ones, against /openapi.json of the server that answers. */
#include "http/contract.h"
#include "routes.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct shop shop;
static struct contract *contract;

static void call(const char *method, const char *target, const char *body, int status)
{
    if (client_call(&shop.client, method, target, NULL, body) != status)
        fail_msg("%s %s %s: %d, not %d: %.600s", method, target, body == NULL ? "" : body, shop.client.status, status, shop.client.body);
    const char *breach = contract_breach(contract, &(struct contract_call){ method, target, body, status, shop.client.body });
    if (breach != NULL)
        fail_msg("%s %s %s: %d is not as /openapi.json says: %s: %.900s", method, target, body == NULL ? "" : body, status, breach, shop.client.body);
}

static void every_route_answers_as_it_is_described(void **state)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
    for (size_t i = 0; i < good_request_count; i++) {
        const struct good_request *request = &good_requests[i];
        char target[300], body[4000];
        shop_prepare(&shop, request);
        shop_write(&shop, request->target, target, sizeof target);
        shop_write(&shop, request->body == NULL ? "" : request->body, body, sizeof body);
        call(methods[request->method], target, request->body == NULL ? NULL : body, request->status);
    }
}

/* What a schema must allow, since the server rightly takes it, and what it answers where something is wrong. */
static void what_is_taken_and_refused_is_described(void **state)
{
    static const struct {
        const char *method, *target, *body;
        int status;
    } calls[] = {
        { "PUT", "/v1/skus/G", "{\"name\":\"a\",\"gtin\":\"4006381333931\",\"weight_g\":1}", 201 },
        { "PATCH", "/v1/skus/G", "{\"name\":\"b\"}", 200 },
        { "PATCH", "/v1/skus/G", "{\"gtin\":null}", 200 },
        { "PUT", "/v1/skus/G", "{\"code\":\"G\",\"version\":1,\"name\":\"what GET gave\"}", 200 },
        { "PATCH", "/v1/skus/G", "{\"name\":null}", 422 },
        { "PATCH", "/v1/channels/web/listings/L", "{\"cap\":null,\"buffer\":null}", 200 },
        { "GET", "/v1/channels/web/listings/L", NULL, 200 },
        { "PATCH", "/v1/nodes/HAM", "{\"capacity_per_day\":7}", 200 },
        { "PATCH", "/v1/nodes/HAM", "{\"capacity_per_day\":null}", 200 },
        { "POST", "/v1/inventory/adjustments",
          "{\"node\":\"LEJ\",\"sku\":\"BULB\",\"delta\":9,\"reason\":\"receipt\",\"unit_cost\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}", 201 },
        { "PUT", "/v1/channels/web/fences/LEJ/BULB", "{\"quantity\":9}", 201 },
        { "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"BULB\",\"delta\":-5,\"reason\":\"damage\"}", 201 },
        { "POST", "/v1/inventory/adjustments/batch", "{\"adjustments\":[{\"node\":\"NO\",\"sku\":\"BULB\",\"delta\":0,\"reason\":\"loss\"}]}", 200 },
        { "GET", "/v1/availability?channel=web", NULL, 200 },
        { "GET", "/v1/inventory", NULL, 200 },
        { "GET", "/v1/inventory/movements", NULL, 200 },
        { "GET", "/v1/orders?limit=1000", NULL, 200 },
        { "GET", "/v1/events?unit=DE&limit=1000", NULL, 200 },
        { "GET", "/v1/events?unit=company&limit=1000", NULL, 200 },
        { "GET", "/v1/orders?stage=none", NULL, 400 },
        { "GET", "/v1/orders/ord_0", NULL, 404 },
        { "POST", "/v1/orders", "{}", 422 },
        { "POST", "/v1/orders", "{", 400 },
    };
    for (size_t i = 0; i < COUNT(calls); i++)
        call(calls[i].method, calls[i].target, calls[i].body, calls[i].status);
}

static int open_shop(void **state)
{
    site_make(&shop.site, NULL, NULL);
    server_start(&shop.server, &shop.site);
    client_open(&shop.client, shop.server.port, shop.site.key);
    shop_furnish(&shop);
    if (client_call(&shop.client, "GET", "/openapi.json", NULL, NULL) == 200)
        contract = contract_of(shop.client.body);
    return contract == NULL;
}

static int close_shop(void **state)
{
    client_close(&shop.client);
    server_stop(&shop.server);
    contract_free(contract);
    int violated = site_check(&shop.site);
    site_delete(&shop.site);
    return violated;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_answers_as_it_is_described),
        cmocka_unit_test(what_is_taken_and_refused_is_described),
    };
    setenv("MILLRACE_WEBHOOKS", "off", 1); /* their hosts are not there */
    return cmocka_run_group_tests_name("contract", tests, open_shop, close_shop);
}
