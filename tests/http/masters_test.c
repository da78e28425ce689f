/* tests/http/masters_test.c: masters as a client sees them: what is the same, what is refused, who changed what. */
#include "company.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SCENE(company)                  \
    struct company *company = *state;   \
    if (company == NULL)                \
    return

static int send_if_match(struct company *company, const char *etag, const char *method, const char *target, const char *body)
{
    char line[100];
    snprintf(line, sizeof line, "If-Match: %s\r\n", etag);
    company->client.headers = line;
    int status = client_call(&company->client, method, target, NULL, body);
    company->client.headers = NULL;
    return status;
}

static void an_etag_is_compared_to_the_letter(void **state)
{
    SCENE(company);
    static const struct {
        const char *says, *etag;
        int status;
    } cases[] = {
        { "more behind it", "\"1abc\"", 412 }, { "a zero before it", "\"01\"", 412 }, { "a blank", "\" 1\"", 412 }, { "another", "\"2\"", 412 },
        { "a weak one", "W/\"1\"", 412 },      { "nothing", "\"\"", 412 },            { "any", "*", 200 },          { "its own", "\"1\"", 200 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int status = send_if_match(company, cases[i].etag, "PUT", "/v1/skus/LAMP", "{\"name\":\"Lamp\"}");
        if (status != cases[i].status)
            fail_msg("%s: %d %s", cases[i].says, status, company->client.body);
    }
    assert_int_equal(send_if_match(company, "*", "PUT", "/v1/skus/NEW", "{\"name\":\"New\"}"), 412);
    put_order(company, "web", "W-1", "Ann", "LAMP", 1);
    char id[40], target[80];
    text_of(company, "id", id, sizeof id);
    snprintf(target, sizeof target, "/v1/orders/%s/cancel", id);
    assert_int_equal(send_if_match(company, "\"2x\"", "POST", target, "{\"reason\":\"no\"}"), 412);
}

static void the_same_again_changes_nothing(void **state)
{
    SCENE(company);
    static const char body[] = "{\"unit\":\"DE\",\"name\":\"Shop\",\"kind\":\"store\",\"priority\":1,\"nodes\":[\"LEJ\",\"HAM\"],\"shortage\":\"backorder\"%s}";
    must(company, 200, "PUT", "/v1/channels/web", body, "");
    says(company, "\"version\":1");
    must(company, 200, "PUT", "/v1/channels/web", body, ",\"group\":\"web\"");
    says(company, "\"version\":1");
    must(company, 200, "PUT", "/v1/channels/web", body, ",\"group\":\"own\"");
    says(company, "\"version\":2");
    must(company, 200, "PATCH", "/v1/channels/web", "{\"group\":null}");
    says(company, "\"group\":\"web\"");
    says(company, "\"version\":3");
    receive(company, "LEJ", "LAMP", 5);
    must(company, 201, "PUT", "/v1/channels/web/fences/LEJ/LAMP", "{\"quantity\":3}");
    must(company, 200, "PUT", "/v1/channels/web/fences/LEJ/LAMP", "{\"quantity\":3}");
    says(company, "\"version\":1");
    must(company, 200, "PATCH", "/v1/channels/web/fences/LEJ/LAMP", "{}");
    says(company, "\"version\":1");
    must(company, 200, "PATCH", "/v1/channels/web/fences/LEJ/LAMP", "{\"quantity\":1}");
    says(company, "\"version\":2,\"quantity\":1,\"held\":1");
    must(company, 404, "PATCH", "/v1/channels/web/fences/HAM/LAMP", "{\"quantity\":1}");
}

static void a_patch_leaves_a_whole_resource(void **state)
{
    SCENE(company);
    must(company, 422, "PATCH", "/v1/skus/LAMP", "{\"name\":null}");
    says(company, "\"pointer\":\"/name\"");
    must(company, 200, "PATCH", "/v1/skus/LAMP", "{\"weight_g\":300}");
    says(company, "\"name\":\"Lamp\",\"weight_g\":300");
    must(company, 200, "PATCH", "/v1/skus/LAMP", "{\"weight_g\":null}");
    says_not(company, "weight_g");
    must(company, 422, "PATCH", "/v1/nodes/LEJ", "{\"unit\":null,\"postal_code\":null}");
    assert_int_equal(times(company, "\"pointer\""), 2);
}

static void a_time_zone_must_exist(void **state)
{
    SCENE(company);
    static const char body[] = "{\"name\":\"Shop\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"%s\"}";
    static const char *const wrong[] = { "Europe/Berlim", "Mars/Olympus", "europe/berlin", "posix/Europe/Berlin", "../etc/passwd", "Europe", "zone.tab", "localtime", "UTC/" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        must(company, 422, "PUT", "/v1/units/DE", body, wrong[i]);
        says(company, "\"pointer\":\"/time_zone\"");
    }
    must(company, 200, "PUT", "/v1/units/DE", body, "America/Argentina/Buenos_Aires");
    must(company, 200, "PATCH", "/v1/units/DE", "{\"time_zone\":\"Asia/Kolkata\"}");
    must(company, 422, "PATCH", "/v1/units/DE", "{\"time_zone\":\"Asia/Nowhere\"}");
}

static void a_listing_may_stand_for_another_sku(void **state)
{
    SCENE(company);
    receive(company, "LEJ", "BULB", 7);
    must(company, 201, "PUT", "/v1/channels/web/listings/A-1", "{\"sku\":\"LAMP\"}");
    must(company, 200, "PUT", "/v1/channels/web/listings/A-1", "{\"sku\":\"BULB\"}");
    says(company, "\"version\":2,\"sku\":\"BULB\"");
    get(company, "/v1/availability?channel=web&sku=BULB");
    says(company, "\"channel_sku\":\"A-1\",\"available\":7");
    get(company, "/v1/availability?channel=web&sku=LAMP");
    says(company, "\"channel_sku\":null");
    must(company, 200, "PATCH", "/v1/channels/web/listings/A-1", "{\"sku\":\"LAMP\",\"cap\":2}");
    get(company, "/v1/availability?channel=web&sku=BULB");
    says(company, "\"channel_sku\":null,\"available\":7");
}

static void put_bundle(struct company *company, int status, const char *code, const char *first, int quantity, const char *second)
{
    char target[80], more[80] = "";
    snprintf(target, sizeof target, "/v1/bundles/%s", code);
    if (second != NULL)
        snprintf(more, sizeof more, ",{\"sku\":\"%s\",\"quantity\":1}", second);
    must(company, status, "PUT", target, "{\"name\":\"%s\",\"components\":[{\"sku\":\"%s\",\"quantity\":%d}%s]}", code, first, quantity, more);
}

static void a_changed_bundle_is_checked_in_those_that_contain_it(void **state)
{
    SCENE(company);
    char code[16], inner[16];
    put_bundle(company, 201, "B1", "LAMP", 1, NULL);
    for (int i = 2; i <= 8; i++) {
        snprintf(code, sizeof code, "B%d", i);
        snprintf(inner, sizeof inner, "B%d", i - 1);
        put_bundle(company, 201, code, inner, 1, NULL);
    }
    put_bundle(company, 422, "B9", "B8", 1, NULL); /* nine levels */
    says(company, "8 levels");
    put_bundle(company, 422, "B1", "KIT", 1, NULL); /* B8 would have nine */
    says(company, "B8 contains it");
    put_bundle(company, 422, "B1", "B8", 1, NULL);
    says(company, "bundle_cycle");
    put_bundle(company, 422, "B3", "LAMP", 1, "B5");
    says(company, "\"pointer\":\"/components/1/sku\",\"code\":\"bundle_cycle\"");
    put_bundle(company, 200, "B8", "B7", 1000000, NULL);
    put_bundle(company, 422, "B1", "LAMP", 10000, NULL); /* 10^10 of it in B8 */
    says(company, "B8 contains it");
    put_bundle(company, 200, "B1", "LAMP", 1000, NULL);
    put_bundle(company, 200, "B1", "LAMP", 1000, NULL);
}

/* Each level holds the one below twice over: 2^8 ways to the lamp, one look at each. */
static void shared_nesting_is_multiplied_out_once(void **state)
{
    SCENE(company);
    char code[16], left[16], right[16];
    put_bundle(company, 201, "L0", "LAMP", 1, NULL);
    put_bundle(company, 201, "R0", "LAMP", 1, NULL);
    for (int i = 1; i < 7; i++)
        for (int side = 0; side < 2; side++) {
            snprintf(code, sizeof code, "%c%d", side == 0 ? 'L' : 'R', i);
            snprintf(left, sizeof left, "L%d", i - 1);
            snprintf(right, sizeof right, "R%d", i - 1);
            put_bundle(company, 201, code, left, 1, right);
        }
    put_bundle(company, 201, "TOP", "L6", 1, "R6");
    receive(company, "LEJ", "LAMP", 300);
    get(company, "/v1/availability?channel=web&sku=TOP"); /* 2^7 lamps */
    says(company, "\"available\":2");
    put_order(company, "web", "TOP-1", "Ann", "TOP", 1);
    says(company, "\"components\":[{\"sku\":\"LAMP\",\"quantity\":128}]");
}

static void a_cost_is_in_the_currency_of_the_books(void **state)
{
    SCENE(company);
    static const char body[] = "{\"node\":\"LEJ\",\"sku\":\"%s\",\"delta\":5,\"reason\":\"receipt\",\"unit_cost\":{\"amount\":\"2.50\",\"currency\":\"%s\"}}";
    must(company, 422, "POST", "/v1/inventory/adjustments", body, "LAMP", "USD");
    says(company, "\"code\":\"currency_mismatch\"");
    says(company, "\"pointer\":\"/unit_cost/currency\"");
    must(company, 422, "POST", "/v1/inventory/adjustments", body, "NOPE", "USD");
    assert_int_equal(times(company, "\"pointer\""), 2);
    must(company, 201, "POST", "/v1/inventory/adjustments", body, "LAMP", "EUR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(an_etag_is_compared_to_the_letter),
        ON_BOTH(the_same_again_changes_nothing),
        ON_BOTH(a_patch_leaves_a_whole_resource),
        ON_BOTH(a_time_zone_must_exist),
        ON_BOTH(a_listing_may_stand_for_another_sku),
        ON_BOTH(a_changed_bundle_is_checked_in_those_that_contain_it),
        ON_BOTH(shared_nesting_is_multiplied_out_once),
        ON_BOTH(a_cost_is_in_the_currency_of_the_books),
    };
    return cmocka_run_group_tests(tests, NULL, close_companies);
}
