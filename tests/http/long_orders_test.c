/* tests/http/long_orders_test.c: orders of very many lines, as large as the contract lets them be, as a client reads them. */
#include "company.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BUNDLES 750 /* of two components: 1,500 */
#define LONG_TEXT ((size_t)128 << 10)

static void fill_list(char *out, size_t *at, const char *item, int times)
{
    for (int i = 0; i < times; i++)
        *at += (size_t)snprintf(out + *at, LONG_TEXT - *at, "%s%s", i == 0 ? "" : ",", item);
}

static void put_long_order(struct company *company, const char *id, const char *sku, int lines, char *ours, size_t room)
{
    char *body = malloc(LONG_TEXT), line[100];
    assert_non_null(body);
    size_t at = (size_t)snprintf(body, LONG_TEXT,
                                 "{\"channel\":\"web\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                                 "\"customer\":{\"name\":\"Wholesale\"},\"ship_to\":{\"name\":\"Wholesale\",\"country\":\"DE\"},"
                                 "\"payment\":{\"term\":\"none\",\"status\":\"pending\"},\"lines\":[",
                                 id);
    snprintf(line, sizeof line, "{\"sku\":\"%s\",\"quantity\":1,\"unit_price\":{\"amount\":\"1\",\"currency\":\"EUR\"}}", sku);
    fill_list(body, &at, line, lines);
    at += (size_t)snprintf(body + at, LONG_TEXT - at, "]}");
    assert_int_equal(client_send(&company->client, "POST", "/v1/orders", "application/json", body, at), 201);
    text_of(company, "id", ours, room);
    free(body);
}

/* Answers are longer than this client keeps: that they come is the case. */
static void must_come(struct company *company, const char *format, const char *id)
{
    char target[200];
    snprintf(target, sizeof target, format, id);
    if (client_call(&company->client, "GET", target, NULL, NULL) != 200)
        fail_msg("%s: %d %.300s", target, company->client.status, company->client.body);
}

static void orders_of_very_many_lines_are_read(void **state)
{
    SCENE(company);
    char number[40], id[40], first[40];
    const int orders = (int)setting("MILLRACE_LONG_ORDERS", 80); /* more than a list reads at once */
    must(company, 201, "PUT", "/v1/skus/SPOON", "{\"name\":\"Spoon\"}");
    must(company, 201, "PUT", "/v1/skus/FORK", "{\"name\":\"Fork\"}");
    must(company, 201, "PUT", "/v1/bundles/TRAY",
         "{\"name\":\"Tray\",\"components\":[{\"sku\":\"SPOON\",\"quantity\":1},{\"sku\":\"FORK\",\"quantity\":1}]}");
    receive(company, "LEJ", "SPOON", orders * BUNDLES);
    receive(company, "LEJ", "FORK", orders * BUNDLES);
    for (int i = 0; i < orders; i++) {
        snprintf(number, sizeof number, "MANY-%d", i);
        put_long_order(company, number, "TRAY", BUNDLES, id, sizeof id);
        if (i == 0)
            memcpy(first, id, sizeof first);
    }
    must_come(company, "/v1/orders/%s", id);
    must_come(company, "/v1/orders?limit=1000&cursor=%s", first);
    must_come(company, "/v1/fulfilments?limit=1000&state=released&node=%s", "LEJ");
}

/* Each receipt that fills a line leaves an event that says how all lines stand. */
static void an_order_that_is_filled_line_by_line_is_read(void **state)
{
    SCENE(company);
    const int receipts = 6 * (int)setting("MILLRACE_LONG_ORDERS", 80);
    char id[40], *body = malloc(LONG_TEXT);
    assert_non_null(body);
    must(company, 201, "PUT", "/v1/skus/NAIL", "{\"name\":\"Nail\"}");
    put_long_order(company, "NAILS-1", "NAIL", 1000, id, sizeof id);
    size_t at = (size_t)snprintf(body, LONG_TEXT, "{\"adjustments\":[");
    fill_list(body, &at, "{\"node\":\"LEJ\",\"sku\":\"NAIL\",\"delta\":1,\"reason\":\"receipt\"}", receipts);
    at += (size_t)snprintf(body + at, LONG_TEXT - at, "]}");
    assert_int_equal(client_send(&company->client, "POST", "/v1/inventory/adjustments/batch", "application/json", body, at), 200);
    assert_int_equal(times(company, "\"status\":201"), receipts);
    free(body);
    must_come(company, "/v1/orders/%s", id);
    must_come(company, "/v1/orders?limit=1&stage=captured&channel=web&q=%s", id);
    must(company, 200, "GET", "/v1/orders?q=nobody", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(orders_of_very_many_lines_are_read),
        ON_BOTH(an_order_that_is_filled_line_by_line_is_read),
    };
    return cmocka_run_group_tests_name("long orders", tests, NULL, close_companies);
}
