/* tests/http/masters_test.c: masters as a client sees them: what is the same, what is refused, who changed what. */
#include "base/text.h"
#include "company.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static int send_with(struct company *company, const char *headers, const char *method, const char *target, const char *body)
{
    company->client.headers = headers;
    int status = client_call(&company->client, method, target, NULL, body);
    company->client.headers = NULL;
    return status;
}

/* `If-None-Match: *` says: make it, do not replace it. */
static void what_is_there_is_not_made_again(void **state)
{
    SCENE(company);
    static const struct {
        const char *says, *header, *target;
        int status;
    } cases[] = {
        { "it is not there", "If-None-Match: *\r\n", "/v1/skus/ONCE", 201 },
        { "now it is", "If-None-Match: *\r\n", "/v1/skus/ONCE", 412 },
        { "its own", "If-None-Match: \"1\"\r\n", "/v1/skus/ONCE", 412 },
        { "its own, weak", "If-None-Match: W/\"1\"\r\n", "/v1/skus/ONCE", 412 },
        { "another", "If-None-Match: \"7\"\r\n", "/v1/skus/ONCE", 200 },
        { "no ETag", "If-None-Match: 1\r\n", "/v1/skus/ONCE", 400 },
        { "a fence", "If-None-Match: *\r\n", "/v1/channels/web/fences/LEJ/ONCE", 201 },
        { "the fence again", "If-None-Match: *\r\n", "/v1/channels/web/fences/LEJ/ONCE", 412 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *body = strstr(cases[i].target, "fences") != NULL ? "{\"quantity\":0}" : "{\"name\":\"Once\"}";
        if (send_with(company, cases[i].header, "PUT", cases[i].target, body) != cases[i].status)
            fail_msg("%s: %d %.300s", cases[i].says, company->client.status, company->client.body);
    }
}

/* A table of masters is sent as a batch: each entry as its PUT takes it, by itself, in its order. */
static void many_masters_at_once(void **state)
{
    SCENE(company);
    static const char mixed[] =
        "{\"skus\":[{\"code\":\"M1\",\"name\":\"One\"},{\"code\":\"M1\",\"name\":\"Two\",\"version\":9},{\"name\":\"\",\"x\":1},{\"code\":\"\",\"name\":\"n\"},"
        "{\"code\":\"M2\",\"name\":\"n\",\"dry_run\":true},7,{\"code\":\"M3\",\"name\":\"Three\"}]}";
    assert_int_equal(client_call(&company->client, "POST", "/v1/skus", "many", mixed), 200); /* entries are not as they are described */
    says(
        company,
        "{\"status\":201,\"sku\":{\"code\":\"M1\",\"version\":1,\"name\":\"One\"}},{\"status\":200,\"sku\":{\"code\":\"M1\",\"version\":2,\"name\":\"Two\"}},");
    says(company, "[{\"pointer\":\"/code\",\"code\":\"required\"");
    says(company, "{\"pointer\":\"/name\",\"code\":\"out_of_range\"");
    says(company, "{\"pointer\":\"/x\",\"code\":\"unknown_field\"");
    says(company, "[{\"pointer\":\"/code\",\"code\":\"bad_format\"");
    says(company, "[{\"pointer\":\"/dry_run\",\"code\":\"unknown_field\"");
    says(company, "\"code\":\"wrong_type\"");
    says(company, "{\"status\":201,\"sku\":{\"code\":\"M3\",\"version\":1,\"name\":\"Three\"}}]}");
    assert_int_equal(client_call(&company->client, "POST", "/v1/skus", "many", mixed), 200); /* once more: the same versions */
    says(company, "{\"status\":201,\"sku\":{\"code\":\"M1\",\"version\":1,\"name\":\"One\"}},{\"status\":200,");
    assert_int_equal(client_call(&company->client, "POST", "/v1/skus", "many", "{\"skus\":[{\"code\":\"M1\",\"name\":\"Other\"}]}"), 200);
    says(company, "\"code\":\"idempotency_mismatch\"");
    must(company, 404, "GET", "/v1/skus/M2", NULL);
    must(company, 200, "POST", "/v1/bundles",
         "{\"dry_run\":true,\"bundles\":[{\"code\":\"B1\",\"name\":\"b\",\"components\":[{\"sku\":\"M1\",\"quantity\":1}]},"
         "{\"code\":\"B2\",\"name\":\"b\",\"components\":[{\"sku\":\"B1\",\"quantity\":1}]}]}");
    says(company, "\"status\":201,\"bundle\":{\"code\":\"B2\"");
    must(company, 404, "GET", "/v1/bundles/B1", NULL);
    must(company, 200, "POST", "/v1/channels/web/listings",
         "{\"listings\":[{\"channel_sku\":\"m/1\",\"sku\":\"M1\"},{\"channel_sku\":\"m2\",\"sku\":\"NO\"}]}");
    says(company, "{\"status\":201,\"listing\":{\"channel_sku\":\"m/1\"");
    says(company, "\"code\":\"sku_unknown\"");
    must(company, 200, "GET", "/v1/channels/web/listings/m%2F1", NULL);
    must(company, 200, "POST", "/v1/channels/none/listings", "{\"listings\":[{\"channel_sku\":\"m\",\"sku\":\"M1\"}]}");
    says(company, "\"code\":\"not_found\"");
}

/* RFC 9218: what can wait says so; what it says besides, or wrongly, changes nothing. */
static void what_can_wait_is_taken_all_the_same(void **state)
{
    SCENE(company);
    static const char *const headers[] = { "Priority: u=7\r\n", "Priority: i, u=7;x=1\r\n", "Priority: u=9\r\n", "Priority: ,,=\r\n",
                                           "Priority:\r\n" };
    for (size_t i = 0; i < COUNT(headers); i++)
        assert_int_equal(send_with(company, headers[i], "PUT", "/v1/skus/LATER", "{\"name\":\"Later\"}"), i == 0 ? 201 : 200);
}

static void a_patch_comes_as_its_own_type(void **state)
{
    SCENE(company);
    static const char body[] = "{\"weight_g\":900}", type[] = "application/merge-patch+json";
    must(company, 201, "PUT", "/v1/skus/MERGED", "{\"name\":\"Merged\"}");
    assert_int_equal(client_send(&company->client, "PATCH", "/v1/skus/MERGED", type, body, strlen(body)), 200);
    says(company, "\"weight_g\":900");
    assert_int_equal(client_send(&company->client, "PUT", "/v1/skus/MERGED", type, body, strlen(body)), 415);
    assert_int_equal(client_send(&company->client, "PATCH", "/v1/skus/MERGED", "text/plain", body, strlen(body)), 415);
    says(company, "merge-patch");
}

static void a_key_that_is_none_is_told_so(void **state)
{
    SCENE(company);
    const char *key = company->client.api_key;
    company->client.api_key = "wrong";
    int status = client_call(&company->client, "GET", "/v1/skus", NULL, NULL);
    company->client.api_key = key;
    assert_int_equal(status, 401);
    says(company, "has not the form of a key");
}

/* What stands on one line has no control characters; a street may have several lines. */
static void a_line_of_text_is_one_line(void **state)
{
    SCENE(company);
    static const struct {
        const char *says, *phone, *street, *country, *pointer, *detail;
    } cases[] = {
        { "all is well", "+49 30 1", "Street 1\\nback yard", "DE", NULL, NULL },
        { "a bell in the telephone", "+49\\u000730", "Street 1", "DE", "/ship_to/phone", "byte 4 is the control character U+0007" },
        { "a line feed in it", "+49\\n30", "Street 1", "DE", "/ship_to/phone", "U+000A" },
        { "a delete in it", "+49\\u007f30", "Street 1", "DE", "/ship_to/phone", "U+007F" },
        { "a bell in the street", "+49", "Street\\u0007", "DE", "/ship_to/street", "U+0007" },
        { "no country", "+49", "Street 1", "ZZ", "/ship_to/country", "ZZ is no country" },
        { "reserved, not assigned", "+49", "Street 1", "UK", "/ship_to/country", "UK is no country" },
        { "Kosovo", "+383", "Street 1", "XK", NULL, NULL },
    };
    must(company, 201, "PUT", "/v1/skus/LINES", "{\"name\":\"Lines\"}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        must(
            company, cases[i].pointer == NULL ? 201 : 422, "POST", "/v1/orders",
            "{\"channel\":\"web\",\"channel_order_id\":\"LINE-%zu\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"Ann\"},"
            "\"ship_to\":{\"name\":\"Ann\",\"street\":\"%s\",\"phone\":\"%s\",\"country\":\"%s\"},\"lines\":[{\"sku\":\"LINES\",\"quantity\":1,\"unit_price\":"
            "{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\"}}",
            i, cases[i].street, cases[i].phone, cases[i].country);
        const char *body = company->client.body;
        if (cases[i].pointer != NULL && (strstr(body, cases[i].pointer) == NULL || strstr(body, cases[i].detail) == NULL))
            fail_msg("%s is not told: %.600s", cases[i].says, body);
    }
}

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
        { "more behind it", "\"1abc\"", 412 },
        { "a zero before it", "\"01\"", 412 },
        { "a blank", "\" 1\"", 412 },
        { "another", "\"2\"", 412 },
        { "a weak one", "W/\"1\"", 412 },
        { "nothing", "\"\"", 412 },
        { "any", "*", 200 },
        { "its own", "\"1\"", 200 },
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
    static const char body[] =
        "{\"unit\":\"DE\",\"name\":\"Shop\",\"kind\":\"store\",\"priority\":1,\"nodes\":[\"LEJ\",\"HAM\"],\"shortage\":\"backorder\"%s}";
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
    static const char *const wrong[] = { "Europe/Berlim", "Mars/Olympus", "europe/berlin", "posix/Europe/Berlin", "../etc/passwd", "Europe",
                                         "zone.tab",      "localtime",    "UTC/" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        must(company, 422, "PUT", "/v1/units/DE", body, wrong[i]);
        says(company, "\"pointer\":\"/time_zone\"");
    }
    must(company, 200, "PUT", "/v1/units/DE", body, "America/Argentina/Buenos_Aires");
    must(company, 200, "PATCH", "/v1/units/DE", "{\"time_zone\":\"Asia/Kolkata\"}");
    must(company, 422, "PATCH", "/v1/units/DE", "{\"time_zone\":\"Asia/Nowhere\"}");
}

/* Words that stand for something else wherever a unit or a node is named: events of the company, places outside. */
static void a_word_that_is_taken_is_no_code(void **state)
{
    SCENE(company);
    static const char *const nodes[] = { "supplier", "customer", "adjustment", "scrap" };
    must(company, 422, "PUT", "/v1/units/company", "{\"name\":\"Shop\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"UTC\"}");
    says(company, "\"code\":\"invalid\"");
    must(company, 404, "GET", "/v1/units/company", NULL);
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        char target[40];
        snprintf(target, sizeof target, "/v1/nodes/%s", nodes[i]);
        must(company, 422, "PUT", target, "{\"unit\":\"DE\",\"name\":\"N\",\"kind\":\"store\",\"country\":\"DE\",\"postal_code\":\"1\"}");
        says(company, "\"code\":\"invalid\"");
    }
}

static void a_listing_may_stand_for_another_sku(void **state)
{
    SCENE(company);
    must(company, 201, "PUT", "/v1/skus/SOFA", "{\"name\":\"Sofa\"}");
    receive(company, "LEJ", "SOFA", 7);
    must(company, 201, "PUT", "/v1/channels/web/listings/A-1", "{\"sku\":\"LAMP\"}");
    must(company, 200, "PUT", "/v1/channels/web/listings/A-1", "{\"sku\":\"SOFA\"}");
    says(company, "\"version\":2,\"sku\":\"SOFA\"");
    get(company, "/v1/availability?channel=web&sku=SOFA");
    says(company, "\"channel_sku\":\"A-1\",\"available\":7");
    get(company, "/v1/availability?channel=web&sku=LAMP");
    says(company, "\"channel_sku\":null");
    must(company, 200, "PATCH", "/v1/channels/web/listings/A-1", "{\"sku\":\"LAMP\",\"cap\":2}");
    get(company, "/v1/availability?channel=web&sku=SOFA");
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

/* Thirty bundles of two hundred parts make one too large to multiply out for an order: the part that would is refused. */
static void no_part_makes_its_container_too_much_work(void **state)
{
    enum { SKUS = 1400, INNER = 40, PARTS = 200 };
    SCENE(company);
    char target[64], *list = calloc(PARTS + 1, 64), *body = calloc(PARTS + 2, 64);
    size_t grown = 0, bytes = 0;
    for (int i = 0; i < SKUS; i++) {
        snprintf(target, sizeof target, "/v1/skus/S%d", i);
        must(company, 201, "PUT", target, "{\"name\":\"x\"}");
    }
    for (int i = 0; i < INNER; i++) {
        snprintf(target, sizeof target, "I%d", i);
        put_bundle(company, 201, target, "S0", 1, NULL);
        bytes += (size_t)sprintf(list + bytes, "%s{\"sku\":\"I%d\",\"quantity\":1}", i == 0 ? "" : ",", i);
    }
    must(company, 201, "PUT", "/v1/bundles/ALL", "{\"name\":\"x\",\"components\":[%s]}", list);
    for (int i = 0; i < INNER; i++) {
        bytes = 0;
        for (int k = 0; k < PARTS; k++)
            bytes += (size_t)sprintf(list + bytes, "%s{\"sku\":\"S%d\",\"quantity\":1}", k == 0 ? "" : ",", (i * PARTS + k) % SKUS);
        snprintf(target, sizeof target, "/v1/bundles/I%d", i);
        snprintf(body, (PARTS + (size_t)2) * 64, "{\"name\":\"x\",\"components\":[%s]}", list);
        grown += client_call(&company->client, "PUT", target, NULL, body) == 200;
    }
    free(list);
    free(body);
    assert_in_range(grown, 10, INNER - 1);
    put_order(company, "web", "ALL-1", "Ann", "ALL", 1);
    says(company, "\"components\":[{\"sku\":");
}

static void a_cost_is_in_the_currency_of_the_books(void **state)
{
    SCENE(company);
    static const char body[] =
        "{\"node\":\"LEJ\",\"sku\":\"%s\",\"delta\":5,\"reason\":\"receipt\",\"unit_cost\":{\"amount\":\"2.50\",\"currency\":\"%s\"}}";
    must(company, 422, "POST", "/v1/inventory/adjustments", body, "LAMP", "USD");
    says(company, "\"code\":\"currency_mismatch\"");
    says(company, "\"pointer\":\"/unit_cost/currency\"");
    must(company, 422, "POST", "/v1/inventory/adjustments", body, "NOPE", "USD");
    assert_int_equal(times(company, "\"pointer\""), 2);
    must(company, 201, "POST", "/v1/inventory/adjustments", body, "LAMP", "EUR");
}

/* Goes through a list with pages of `limit`; the codes in the order of the list, each behind a blank. */
static void codes_of(struct company *company, const char *list, int limit, const char *name, char *out, size_t room)
{
    char cursor[120] = "", quoted[40];
    snprintf(quoted, sizeof quoted, "{\"%s\":\"", name);
    out[0] = '\0';
    for (int pages = 0; pages < 100; pages++) {
        get(company, "%s%climit=%d%s%s", list, strchr(list, '?') == NULL ? '?' : '&', limit, cursor[0] == '\0' ? "" : "&cursor=", cursor);
        if (times(company, quoted) > (size_t)limit)
            fail_msg("more than %d in %s", limit, company->client.body);
        for (const char *at = company->client.body; (at = strstr(at, quoted)) != NULL; at += strlen(quoted)) {
            size_t used = strlen(out);
            snprintf(out + used, room - used, " %.*s", (int)strcspn(at + strlen(quoted), "\""), at + strlen(quoted));
        }
        if (strstr(company->client.body, "\"next\":null") != NULL)
            return;
        text_of(company, "next", cursor, sizeof cursor);
    }
    fail_msg("%s has no end", list);
}

static void lists_go_through_all_masters_once(void **state)
{
    SCENE(company);
    char whole[2000], paged[2000];
    static const char *const lists[] = { "/v1/units",         "/v1/nodes",           "/v1/skus", "/v1/bundles", "/v1/channels",
                                         "/v1/nodes?unit=DE", "/v1/channels?unit=DE" };
    static const char *const begin[] = { " DE", " LEJ HAM", " LAMP BULB SHADE", " KIT", " web market", " LEJ HAM", " web market" };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        codes_of(company, lists[i], 1000, "code", whole, sizeof whole);
        assert_int_equal(strncmp(whole, begin[i], strlen(begin[i])), 0);
        codes_of(company, lists[i], 1, "code", paged, sizeof paged);
        assert_string_equal(paged, whole);
        codes_of(company, lists[i], 2, "code", paged, sizeof paged);
        assert_string_equal(paged, whole);
    }
    must(company, 201, "PUT", "/v1/units/FR", "{\"name\":\"F\",\"currency\":\"EUR\",\"country\":\"FR\",\"time_zone\":\"Europe/Paris\"}");
    must(company, 201, "PUT", "/v1/nodes/PAR", "{\"unit\":\"FR\",\"name\":\"P\",\"kind\":\"store\",\"country\":\"FR\",\"postal_code\":\"75001\"}");
    codes_of(company, "/v1/nodes?unit=FR", 10, "code", whole, sizeof whole);
    assert_string_equal(whole, " PAR");
    codes_of(company, "/v1/nodes?unit=DE", 10, "code", whole, sizeof whole);
    assert_string_equal(whole, " LEJ HAM");
    must(company, 400, "GET", "/v1/nodes?unit=XX", NULL);
    must(company, 400, "GET", "/v1/nodes?cursor=sku_0000000000001", NULL);
    must(company, 400, "GET", "/v1/units?unit=DE", NULL);
    get(company, "/v1/bundles?limit=1");
    says(company, "\"components\":[{\"sku\":\"BULB\",\"quantity\":2},{\"sku\":\"SHADE\",\"quantity\":1}]");
    get(company, "/v1/channels?limit=1");
    says(company, "\"nodes\":[\"LEJ\",\"HAM\"]");
}

static void a_page_stands_while_rows_are_added(void **state)
{
    SCENE(company);
    char next[100], whole[2000];
    must(company, 201, "PUT", "/v1/channels/market/listings/M-2", "{\"sku\":\"LAMP\"}");
    must(company, 201, "PUT", "/v1/channels/market/listings/M-1", "{\"sku\":\"BULB\"}");
    must(company, 201, "PUT", "/v1/channels/market/listings/M-3", "{\"sku\":\"KIT\",\"buffer\":1}");
    get(company, "/v1/channels/market/listings?limit=2");
    says(company, "\"channel_sku\":\"M-1\"");
    says(company, "\"channel_sku\":\"M-2\"");
    text_of(company, "next", next, sizeof next);
    must(company, 201, "PUT", "/v1/channels/market/listings/M-11", "{\"sku\":\"BULB\"}");
    get(company, "/v1/channels/market/listings?limit=2&cursor=%s", next);
    assert_int_equal(times(company, "\"channel_sku\""), 1);
    says(company, "\"channel_sku\":\"M-3\",\"version\":1,\"sku\":\"KIT\",\"buffer\":1");
    codes_of(company, "/v1/channels/market/listings", 1, "channel_sku", whole, sizeof whole);
    assert_string_equal(whole, " M-1 M-11 M-2 M-3");
    get(company, "/v1/channels/web/listings?cursor=%s", next); /* of another channel's list: nothing */
    says(company, "\"items\":[],\"next\":null");
    must(company, 404, "GET", "/v1/channels/none/listings", NULL);
}

static void fences_of_a_channel(void **state)
{
    SCENE(company);
    char nodes[200];
    receive(company, "HAM", "SHADE", 4);
    receive(company, "HAM", "BULB", 4);
    receive(company, "LEJ", "SHADE", 4);
    must(company, 201, "PUT", "/v1/channels/market/fences/HAM/SHADE", "{\"quantity\":2}");
    must(company, 201, "PUT", "/v1/channels/market/fences/HAM/BULB", "{\"quantity\":3}");
    must(company, 201, "PUT", "/v1/channels/market/fences/LEJ/SHADE", "{\"quantity\":4}");
    get(company, "/v1/channels/market/fences");
    says(company, "{\"node\":\"HAM\",\"sku\":\"BULB\",\"version\":1,\"quantity\":3,\"held\":3}");
    codes_of(company, "/v1/channels/market/fences", 1, "node", nodes, sizeof nodes);
    assert_string_equal(nodes, " LEJ HAM HAM");
    must(company, 200, "PUT", "/v1/channels/market/fences/HAM/BULB", "{\"quantity\":0}");
    get(company, "/v1/channels/market/fences/HAM/BULB/history");
    says(company, "\"version\":1,\"at\":\"20");
    says(company, "\"actor\":\"test\",\"changed\":[\"quantity\",\"held\"],\"resource\":{\"version\":2,\"quantity\":0,\"held\":0}");
    must(company, 404, "GET", "/v1/channels/market/fences/LEJ/LAMP/history", NULL);
    must(company, 404, "GET", "/v1/channels/none/fences", NULL);
    must(company, 400, "GET", "/v1/channels/market/fences?cursor=fence_1", NULL);
    get(company, "/v1/channels/market/fences");
}

static void who_changed_what(void **state)
{
    SCENE(company);
    char next[100];
    must(company, 201, "PUT", "/v1/skus/PAN", "{\"name\":\"Pan\"}");
    must(company, 200, "PATCH", "/v1/skus/PAN", "{\"name\":\"Frying pan\",\"weight_g\":900}");
    must(company, 200, "PATCH", "/v1/skus/PAN", "{\"name\":\"Frying pan\"}"); /* nothing new */
    must(company, 200, "PUT", "/v1/skus/PAN", "{\"name\":\"Frying pan\"}");
    get(company, "/v1/skus/PAN/history");
    assert_int_equal(times(company, "\"actor\":\"test\""), 3);
    says(company, "\"changed\":[\"name\",\"weight_g\"],\"resource\":{\"code\":\"PAN\",\"version\":2,\"name\":\"Frying pan\",\"weight_g\":900}");
    says(company, "\"changed\":[\"weight_g\"],\"resource\":{\"code\":\"PAN\",\"version\":3,\"name\":\"Frying pan\"}");
    get(company, "/v1/skus/PAN/history?limit=2");
    assert_int_equal(times(company, "\"resource\""), 2);
    text_of(company, "next", next, sizeof next);
    get(company, "/v1/skus/PAN/history?limit=2&cursor=%s", next);
    assert_int_equal(times(company, "\"resource\""), 1);
    says(company, "\"changed\":[\"weight_g\"]");
    says(company, "\"next\":null");
    must(company, 404, "GET", "/v1/bundles/PAN/history", NULL);
    must(company, 404, "GET", "/v1/skus/NONE/history", NULL);
    get(company, "/v1/channels/market/listings/M-1/history");
    says(company, "\"resource\":{\"channel_sku\":\"M-1\"");
    get(company, "/v1/units/FR/history");
    says(company, "\"Europe/Paris\"");
}

static void an_unknown_parameter_is_quoted_in_whole_letters(void **state)
{
    SCENE(company);
    char letters[6 * 40 + 1] = "", target[300];
    for (size_t i = 0; i < 40; i++)
        memcpy(letters + 6 * i, "%C3%A9", 7);
    snprintf(target, sizeof target, "/v1/skus?x%s=1", letters);
    const char *body = must(company, 400, "GET", target, NULL);
    says(company, "unknown parameter");
    assert_true(utf8_valid(body, strlen(body)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(what_is_there_is_not_made_again),
        ON_BOTH(many_masters_at_once),
        ON_BOTH(what_can_wait_is_taken_all_the_same),
        ON_BOTH(a_patch_comes_as_its_own_type),
        ON_BOTH(a_key_that_is_none_is_told_so),
        ON_BOTH(a_line_of_text_is_one_line),
        ON_BOTH(lists_go_through_all_masters_once),
        ON_BOTH(a_page_stands_while_rows_are_added),
        ON_BOTH(fences_of_a_channel),
        ON_BOTH(who_changed_what),
        ON_BOTH(an_etag_is_compared_to_the_letter),
        ON_BOTH(the_same_again_changes_nothing),
        ON_BOTH(a_patch_leaves_a_whole_resource),
        ON_BOTH(a_time_zone_must_exist),
        ON_BOTH(a_word_that_is_taken_is_no_code),
        ON_BOTH(a_listing_may_stand_for_another_sku),
        ON_BOTH(a_changed_bundle_is_checked_in_those_that_contain_it),
        ON_BOTH(shared_nesting_is_multiplied_out_once),
        ON_BOTH(a_cost_is_in_the_currency_of_the_books),
        ON_BOTH(an_unknown_parameter_is_quoted_in_whole_letters),
        ON_BOTH(no_part_makes_its_container_too_much_work), /* the last: it leaves many SKUs */
    };
    return cmocka_run_group_tests(tests, NULL, close_companies);
}
