/* tests/store/supply_test.c: units are expected, and come on their day, late, short, over, or not at all. It is the 24th of November 2025. */
#include "inventory/supply.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DAY_US INT64_C(86400000000)

/* ---- supplies, as the API shows them ---- */

/* quantity of a SKU that is due on a day of December */
#define DUE(SKU, N, DAY) "{\"sku\":\"" SKU "\",\"quantity\":" N ",\"expected_at\":\"2025-12-" DAY "T08:00:00Z\"}"
#define CAME(SKU, N) "{\"sku\":\"" SKU "\",\"quantity\":" N "}"

static const char *id_of(struct shop *shop, struct reply reply)
{
    char *id = arena_alloc(shop->arena, 40);
    text_in(reply.body, NULL, "id", id, 40);
    return id;
}

static const char *announced(struct shop *shop, const char *kind, const char *also, const char *lines)
{
    return id_of(shop, shop_must(shop, 201, "POST", "/v1/supplies", "{\"node\":\"LEJ\",\"kind\":\"%s\"%s,\"lines\":[%s]}", kind, also, lines));
}

static struct reply tell(struct shop *shop, int status, const char *id, const char *what, const char *body)
{
    return shop_must(shop, status, "POST", arena_printf(shop->arena, "/v1/supplies/%s/%s", id, what), "%s", body);
}

static struct reply receive_lines(struct shop *shop, const char *id, const char *lines, const char *also)
{
    return tell(shop, 200, id, "receive", arena_printf(shop->arena, "{\"lines\":[%s]%s}", lines, also));
}

static struct reply shown(struct shop *shop, const char *id)
{
    return shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/supplies/%s", id), NULL);
}

static void assert_state(struct reply reply, const char *state)
{
    char want[40];
    snprintf(want, sizeof want, "\"state\":\"%s\"", state);
    if (strstr(reply.body, want) == NULL)
        fail_msg("want %s: %s", state, reply.body);
}

struct line_is {
    int64_t line, received, announced, open, missing, given_up, over;
};
static void assert_line(struct reply reply, struct line_is want)
{
    char at[24];
    snprintf(at, sizeof at, "{\"line\":%ld,", (long)want.line);
    const struct {
        const char *name;
        int64_t units;
    } figures[] = { { "received", want.received }, { "announced", want.announced }, { "open", want.open },
                    { "missing", want.missing },   { "given_up", want.given_up },   { "over", want.over } };
    for (size_t i = 0; i < COUNT(figures); i++)
        if (strstr(reply.body, at) == NULL || number_in(reply.body, at, figures[i].name) != figures[i].units)
            fail_msg("line %ld: want %ld %s: %s", (long)want.line, (long)figures[i].units, figures[i].name, reply.body);
}

static void assert_stock(struct shop *shop, const char *node, const char *sku, int64_t available, int64_t reserved, int64_t in_transit)
{
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/inventory?node=%s&sku=%s", node, sku), NULL).body;
    const bool none = strstr(body, "\"items\":[]") != NULL;
    if (none ? available + reserved + in_transit != 0
             : number_in(body, NULL, "available") != available || number_in(body, NULL, "reserved") != reserved ||
                   number_in(body, NULL, "in_transit") != in_transit)
        fail_msg("%s at %s: want %ld available, %ld reserved, %ld in transit: %s", sku, node, (long)available, (long)reserved, (long)in_transit,
                 body);
}

static void refused(struct reply reply, int status, const char *code, const char *pointer)
{
    if (reply.status != status || strstr(reply.body, code) == NULL || (pointer != NULL && strstr(reply.body, pointer) == NULL))
        fail_msg("want %d %s %s: %d %s", status, code, pointer == NULL ? "" : pointer, reply.status, reply.body);
}

/* Units of an open exception of the type; 0: none is open. */
static int64_t open_units(struct shop *shop, const char *type)
{
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/exceptions?state=open&type=%s", type), NULL).body;
    return strstr(body, "\"items\":[]") != NULL ? 0 : number_in(body, NULL, "quantity");
}

/* Days go by, and the scheduler looks. */
static void wait_days(struct shop *shop, int64_t days)
{
    shop->now_us += days * DAY_US;
    struct command overdue = { .type = &supply_overdue, .arena = shop->arena, .unit = 1, .faults = { .arena = shop->arena } }, *command = &overdue;
    engine_run(shop->engine, &command, 1);
    assert_int_equal(overdue.state, COMMAND_ACCEPTED);
}

/* ---- scenes ---- */

static void a_purchase_order_comes_in_parts(struct shop *shop)
{
    struct reply reply = shop_must(shop, 201, "POST", "/v1/supplies",
                                   "{\"node\":\"LEJ\",\"kind\":\"purchase\",\"reference\":\"PO-1\",\"supplier\":\"ACME\",\"lines\":["
                                   "{\"sku\":\"LAMP\",\"quantity\":10,\"expected_at\":\"2025-12-15T08:00:00Z\",\"unit_cost\":{\"amount\":\"3.50\","
                                   "\"currency\":\"EUR\"}}," DUE("LAMP", "4", "01") "]}");
    const char *id = id_of(shop, reply);
    assert_state(reply, "open");
    assert_stock(shop, "LEJ", "LAMP", 0, 0, 0); /* ordered is not sent */
    reply = receive_lines(shop, id, CAME("LAMP", "6"), "");
    assert_line(reply, (struct line_is){ .line = 2, .received = 4 }); /* the earliest date first */
    assert_line(reply, (struct line_is){ .line = 1, .received = 2, .open = 8 });
    assert_state(reply, "open");
    reply = receive_lines(shop, id, "{\"sku\":\"LAMP\",\"quantity\":8,\"unit_cost\":{\"amount\":\"3.60\",\"currency\":\"EUR\"}}",
                          ",\"document\":\"DN-7\"");
    assert_state(reply, "complete");
    assert_stock(shop, "LEJ", "LAMP", 14, 0, 0);
    const char *moved = shop_must(shop, 200, "GET", "/v1/inventory/movements?sku=LAMP", NULL).body;
    assert_non_null(strstr(moved, "\"from\":{\"place\":\"supplier\",\"bucket\":null}"));
    assert_non_null(strstr(moved, arena_printf(shop->arena, "\"cause\":{\"kind\":\"supply\",\"id\":\"%s\"}", id)));
    const char *told = shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=supply.received", NULL).body;
    assert_non_null(strstr(told, "PO-1")); /* the document, where no delivery note is named */
    assert_non_null(strstr(told, "DN-7"));
    assert_non_null(strstr(told, "28.80")); /* 8 x 3.60 */
    assert_non_null(strstr(told, "7.00"));  /* 2 x 3.50 as agreed */
}

static void an_asn_makes_a_purchase_order_exact(struct shop *shop)
{
    const char *purchase = announced(shop, "purchase", "", DUE("LAMP", "10", "10"));
    const char *asn =
        announced(shop, "asn", arena_printf(shop->arena, ",\"purchase\":\"%s\"", purchase), DUE("LAMP", "6", "12") "," DUE("BULB", "1", "12"));
    assert_line(shown(shop, purchase), (struct line_is){ .line = 1, .announced = 6, .open = 4 });
    assert_non_null(strstr(shown(shop, asn).body, "\"purchase_line\":1"));
    assert_stock(shop, "LEJ", "LAMP", 0, 0, 6); /* it has left the supplier */
    assert_stock(shop, "LEJ", "BULB", 0, 0, 1); /* nobody ordered it */
    struct reply reply = receive_lines(shop, asn, CAME("LAMP", "5") "," CAME("BULB", "1"), "");
    assert_state(reply, "short"); /* an ASN is one delivery */
    assert_line(reply, (struct line_is){ .line = 1, .received = 5, .missing = 1 });
    assert_line(shown(shop, purchase), (struct line_is){ .line = 1, .received = 5, .announced = 1, .open = 4 });
    assert_stock(shop, "LEJ", "LAMP", 5, 0, 0);
    assert_int_equal(open_units(shop, "supply_short"), 1);
    assert_state(tell(shop, 200, asn, "close", "{\"reason\":\"they packed five\"}"), "closed");
    assert_int_equal(open_units(shop, "supply_short"), 0);
    assert_line(shown(shop, purchase), (struct line_is){ .line = 1, .received = 5, .open = 5 }); /* the supplier still owes it */
    reply = receive_lines(shop, asn, CAME("LAMP", "1"), "");                                     /* it was on the truck after all */
    assert_line(reply, (struct line_is){ .line = 1, .received = 6 });
    assert_line(shown(shop, purchase), (struct line_is){ .line = 1, .received = 6, .open = 4 });
    assert_state(reply, "closed");
}

static void what_was_announced_changes(struct shop *shop)
{
    const char *asn = announced(shop, "asn", "", DUE("LAMP", "5", "05") "," DUE("BULB", "3", "05"));
    struct reply reply =
        tell(shop, 200, asn, "change", "{\"lines\":[{\"line\":1,\"quantity\":7},{\"line\":2,\"expected_at\":\"2025-12-20T08:00:00Z\"}]}");
    assert_line(reply, (struct line_is){ .line = 1, .open = 7 });
    assert_non_null(strstr(reply.body, "2025-12-20T08:00:00Z"));
    assert_stock(shop, "LEJ", "LAMP", 0, 0, 7);
    assert_stock(shop, "LEJ", "BULB", 0, 0, 3);
    tell(shop, 200, asn, "change", "{\"lines\":[{\"line\":1,\"quantity\":2},{\"line\":2,\"quantity\":0}]}"); /* fewer; cancelled */
    assert_stock(shop, "LEJ", "LAMP", 0, 0, 2);
    assert_stock(shop, "LEJ", "BULB", 0, 0, 0);
    assert_state(tell(shop, 200, asn, "change", "{\"lines\":[{\"line\":1,\"quantity\":0}]}"), "complete");
    assert_state(tell(shop, 200, asn, "change", "{\"lines\":[{\"line\":1,\"quantity\":1,\"expected_at\":\"2025-12-09T08:00:00Z\"}]}"), "open");
    const char *told = shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=supply.changed", NULL).body;
    assert_non_null(strstr(told, "\"version\":5"));
}

static void what_is_late_is_work_until_it_comes_or_is_dated_anew(struct shop *shop)
{
    const char *id = announced(shop, "purchase", "", DUE("LAMP", "5", "01") "," DUE("LAMP", "2", "03"));
    wait_days(shop, 5);
    assert_int_equal(open_units(shop, "supply_late"), 0);
    wait_days(shop, 3); /* the 2nd of December */
    assert_int_equal(open_units(shop, "supply_late"), 5);
    const char *open = shop_must(shop, 200, "GET", "/v1/exceptions?state=open&type=supply_late", NULL).body;
    assert_non_null(strstr(open, arena_printf(shop->arena, "\"supply\":\"%s\"", id)));
    assert_non_null(strstr(open, "\"sku\":\"LAMP\""));
    wait_days(shop, 2);
    assert_int_equal(open_units(shop, "supply_late"), 7);
    receive_lines(shop, id, CAME("LAMP", "4"), "");
    assert_int_equal(open_units(shop, "supply_late"), 3);
    tell(shop, 200, id, "change",
         "{\"lines\":[{\"line\":1,\"expected_at\":\"2025-12-08T08:00:00Z\"},{\"line\":2,\"expected_at\":\"2025-12-08T08:00:00Z\"}]}");
    assert_int_equal(open_units(shop, "supply_late"), 0);
    wait_days(shop, 10);
    assert_int_equal(open_units(shop, "supply_late"), 3);
    receive_lines(shop, id, CAME("LAMP", "2"), ",\"last\":true");
    assert_int_equal(open_units(shop, "supply_late"), 0); /* nothing of it will come: it is missing now */
    assert_int_equal(open_units(shop, "supply_short"), 1);
    assert_state(receive_lines(shop, id, CAME("LAMP", "1"), ""), "complete");
    assert_int_equal(open_units(shop, "supply_short"), 0);
    const char *past = announced(shop, "production", "", DUE("BULB", "2", "02"));
    assert_int_equal(open_units(shop, "supply_late"), 2);
    tell(shop, 200, past, "close", "{\"reason\":\"never made\"}");
    assert_int_equal(open_units(shop, "supply_late"), 0);
}

static void more_comes_than_was_announced(struct shop *shop)
{
    const char *id = announced(shop, "purchase", "", DUE("LAMP", "2", "01"));
    struct reply reply = receive_lines(shop, id, CAME("LAMP", "1") "," CAME("LAMP", "2") "," CAME("SHADE", "3"), "");
    assert_line(reply, (struct line_is){ .line = 1, .received = 3, .over = 1 });
    assert_line(reply, (struct line_is){ .line = 2, .received = 3, .over = 3 });
    assert_stock(shop, "LEJ", "LAMP", 3, 0, 0);
    assert_stock(shop, "LEJ", "SHADE", 3, 0, 0);
    refused(shop_call(shop, "POST", arena_printf(shop->arena, "/v1/supplies/%s/receive", id), "{\"lines\":[%s]}", CAME("LAMP", "999999999999")), 409,
            "stock_conflict", "/lines/0/quantity");
}

static void what_is_told_twice_happens_once(struct shop *shop)
{
#define PO "{\"node\":\"LEJ\",\"kind\":\"%s\",\"reference\":\"PO-9\"%s,\"lines\":[" DUE("LAMP", "5", "01") "]}"
    const char *id = id_of(shop, shop_must(shop, 201, "POST", "/v1/supplies", PO, "purchase", ""));
    assert_string_equal(id_of(shop, shop_must(shop, 200, "POST", "/v1/supplies", PO, "purchase", "")), id);
    assert_string_not_equal(id_of(shop, shop_must(shop, 201, "POST", "/v1/supplies", PO, "asn", "")), id);
    assert_string_not_equal(id_of(shop, shop_must(shop, 201, "POST", "/v1/supplies", PO, "purchase", ",\"supplier\":\"ACME\"")), id);
    const char *first = receive_lines(shop, id, CAME("LAMP", "2"), ",\"document\":\"DN-1\"").body;
    receive_lines(shop, id, CAME("LAMP", "1"), ",\"document\":\"DN-2\"");
    assert_string_equal(receive_lines(shop, id, CAME("LAMP", "2"), ",\"document\":\"DN-1\"").body, first);
    assert_stock(shop, "LEJ", "LAMP", 3, 0, 5);
}

/* Brings a supply into a state, by what may happen to one. */
static const char *supply_in(struct shop *shop, enum supply_state state)
{
    const char *id = announced(shop, "purchase", "", DUE("LAMP", "2", "01"));
    if (state == SUPPLY_SHORT)
        receive_lines(shop, id, CAME("LAMP", "1"), ",\"last\":true");
    if (state == SUPPLY_COMPLETE)
        receive_lines(shop, id, CAME("LAMP", "2"), "");
    if (state == SUPPLY_CLOSED)
        tell(shop, 200, id, "close", "{\"reason\":\"no more\"}");
    assert_state(shown(shop, id), supply_states[state - 1]);
    return id;
}

static void each_state_takes_what_it_may(struct shop *shop)
{
    static const struct {
        const char *what, *body, *becomes[4]; /* from open, short, complete, closed; NULL: refused */
    } events[] = {
        { "change", "{\"lines\":[{\"line\":1,\"quantity\":3}]}", { "open", "open", "open", NULL } },
        { "receive", "{\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}]}", { "open", "complete", "complete", "closed" } },
        { "receive", "{\"lines\":[],\"last\":true}", { "short", "short", "complete", "closed" } },
        { "close", "{\"reason\":\"why not\"}", { "closed", "closed", NULL, NULL } },
    };
    for (size_t e = 0; e < COUNT(events); e++)
        for (int64_t state = SUPPLY_OPEN; state <= SUPPLY_CLOSED; state++) {
            const char *becomes = events[e].becomes[state - 1], *id = supply_in(shop, (enum supply_state)state);
            if (becomes != NULL)
                assert_state(tell(shop, 200, id, events[e].what, events[e].body), becomes);
            else
                refused(tell(shop, 409, id, events[e].what, events[e].body), 409, "state_conflict", supply_states[state - 1]);
        }
}

static void what_comes_goes_to_those_who_wait(struct shop *shop)
{
    assert_int_equal(number_in(order(shop, "web", "1", "LAMP", 3).body, NULL, "backordered"), 3);
    const char *id = announced(shop, "asn", "", DUE("LAMP", "4", "01"));
    assert_stock(shop, "LEJ", "LAMP", 0, 0, 4);
    receive_lines(shop, id, CAME("LAMP", "4"), "");
    assert_stock(shop, "LEJ", "LAMP", 1, 3, 0);
}

static void all_faults_are_told_at_once(struct shop *shop)
{
    struct reply reply = shop_call(shop, "POST", "/v1/supplies",
                                   "{\"node\":\"NOWHERE\",\"kind\":\"asn\",\"purchase\":\"sup_1\",\"lines\":[%s,%s,{\"sku\":\"LAMP\",\"quantity\":0,"
                                   "\"expected_at\":\"soon\",\"unit_cost\":{\"amount\":\"1.00\",\"currency\":\"USD\"}}]}",
                                   DUE("KIT", "1", "01"), DUE("NONE", "1", "01"));
    refused(reply, 422, "node_unknown", "/node");
    refused(reply, 422, "invalid", "/purchase");
    refused(reply, 422, "holds_no_stock", "/lines/0/sku");
    refused(reply, 422, "sku_unknown", "/lines/1/sku");
    refused(reply, 422, "out_of_range", "/lines/2/quantity");
    refused(reply, 422, "bad_format", "/lines/2/expected_at");
    refused(shop_call(shop, "POST", "/v1/supplies",
                      "{\"node\":\"LEJ\",\"kind\":\"asn\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1,\"expected_at\":\"2025-12-01T08:00:00Z\","
                      "\"unit_cost\":{\"amount\":\"1.00\",\"currency\":\"USD\"}}]}"),
            422, "currency_mismatch", "/lines/0/unit_cost/currency");
    const char *purchase = announced(shop, "purchase", "", DUE("LAMP", "2", "01"));
    refused(shop_call(shop, "POST", "/v1/supplies", "{\"node\":\"LEJ\",\"kind\":\"production\",\"purchase\":\"%s\",\"lines\":[%s]}", purchase,
                      DUE("LAMP", "1", "01")),
            422, "invalid", "/purchase");
    refused(shop_call(shop, "POST", "/v1/supplies",
                      "{\"node\":\"LEJ\",\"kind\":\"asn\",\"purchase\":\"%s\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1,\"expected_at\":"
                      "\"2025-12-01T08:00:00Z\",\"purchase_line\":2}]}",
                      purchase),
            422, "invalid", "/lines/0/purchase_line");
    refused(tell(shop, 422, purchase, "change", "{\"lines\":[{\"line\":1},{\"line\":7,\"quantity\":1}]}"), 422, "required", "/lines/0/quantity");
    refused(tell(shop, 422, purchase, "change", "{\"lines\":[{\"line\":1,\"quantity\":1},{\"line\":1,\"quantity\":1}]}"), 422, "invalid",
            "/lines/1/line");
    refused(tell(shop, 422, purchase, "receive", "{\"lines\":[" CAME("NONE", "1") "]}"), 422, "sku_unknown", "/lines/0/sku");
    refused(shop_call(shop, "POST", "/v1/supplies/nonsense/close", "{\"reason\":\"x\"}"), 404, "not_found", NULL);
    refused(shop_call(shop, "GET", "/v1/supplies/sup_1", NULL), 404, "not_found", NULL);
}

/* As large as one may be: announced, shipped, come, and more that nobody had announced. */
static void a_supply_of_a_thousand_lines(struct shop *shop)
{
    enum { LINES = 1000 };
    struct buffer due = { .arena = shop->arena }, all = { .arena = shop->arena }, others[2] = { { .arena = shop->arena }, { .arena = shop->arena } };
    struct many many = { .shop = shop };
    for (int i = 0; i < 3 * LINES; i++) {
        many_add(&many, "PUT", arena_printf(shop->arena, "/v1/skus/T%d", i), "{\"name\":\"T\"}");
        const char *line = arena_printf(shop->arena, "%s{\"sku\":\"T%d\",\"quantity\":2", i % LINES == 0 ? "" : ",", i);
        if (i < LINES)
            buffer_printf(&due, "%s,\"expected_at\":\"2025-12-01T08:00:00Z\"}", line);
        buffer_printf(i < LINES ? &all : &others[i / LINES - 1], "%s}", line);
    }
    many_run(&many);
    const char *purchase = announced(shop, "purchase", "", due.at);
    const char *asn = announced(shop, "asn", arena_printf(shop->arena, ",\"purchase\":\"%s\"", purchase), due.at);
    assert_line(shown(shop, purchase), (struct line_is){ .line = LINES, .announced = 2 });
    assert_state(receive_lines(shop, asn, all.at, ""), "complete");
    assert_state(shown(shop, purchase), "complete");
    assert_stock(shop, "LEJ", "T999", 2, 0, 0);
    receive_lines(shop, asn, others[0].at, "");
    refused(tell(shop, 422, asn, "receive", arena_printf(shop->arena, "{\"lines\":[%s]}", others[1].at)), 422, "batch_too_large", "/lines");
    assert_stock(shop, "LEJ", "T1999", 2, 0, 0);
    assert_stock(shop, "LEJ", "T2000", 0, 0, 0);
}

/* A marketplace sold what should be here. */
static void what_is_late_is_why_it_was_oversold(struct shop *shop)
{
    announced(shop, "asn", "", DUE("LAMP", "3", "01"));
    order(shop, "market", "1", "LAMP", 2);
    wait_days(shop, 9);
    order(shop, "market", "2", "LAMP", 2);
    order(shop, "market", "3", "LAMP", 4); /* more than is late */
    const char *body = shop_must(shop, 200, "GET", "/v1/exceptions?state=open&type=oversell", NULL).body;
    static const char *const causes[] = { "stale_channel", "late_receipt", "stale_channel" };
    for (size_t i = 0; i < COUNT(causes); i++) {
        char detail[32];
        text_in(body, "\"type\":\"oversell\"", "detail", detail, sizeof detail);
        assert_string_equal(detail, causes[i]);
        body = strstr(body, causes[i]) + 1;
    }
}

static bool lists(struct shop *shop, const char *query, const char *id)
{
    return strstr(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/supplies?%s", query), NULL).body, id) != NULL;
}

static void supplies_are_listed(struct shop *shop)
{
    const char *ids[3] = { announced(shop, "purchase", "", DUE("LAMP", "1", "03") "," DUE("LAMP", "1", "01")),
                           announced(shop, "asn", "", DUE("BULB", "1", "01")), announced(shop, "purchase", "", DUE("LAMP", "1", "02")) };
    receive_lines(shop, ids[2], CAME("LAMP", "1"), "");
    assert_true(lists(shop, "sku=LAMP", ids[0]) && !lists(shop, "sku=LAMP", ids[1]) && !lists(shop, "sku=LAMP", ids[2]));
    assert_true(lists(shop, "state=complete", ids[2]) && !lists(shop, "state=complete", ids[0]) && !lists(shop, "state=complete&sku=LAMP", ids[2]));
    assert_true(lists(shop, "node=LEJ", ids[0]) && lists(shop, "node=LEJ", ids[2]) && !lists(shop, "node=HAM", ids[0]));
    assert_true(lists(shop, "node=LEJ&state=open", ids[1]) && !lists(shop, "node=LEJ&state=open", ids[2]));
    assert_true(!lists(shop, "node=HAM&sku=LAMP", ids[0]) && !lists(shop, "sku=NONE", ids[0]));
    char next[64];
    const char *body = shop_must(shop, 200, "GET", "/v1/supplies?limit=2", NULL).body;
    assert_null(strstr(body, ids[2]));
    text_in(body, "\"items\"", "next", next, sizeof next);
    assert_true(lists(shop, arena_printf(shop->arena, "limit=2&cursor=%s", next), ids[2]));
    refused(shop_call(shop, "GET", "/v1/supplies?cursor=x", NULL), 400, "malformed_query", NULL);
}

/* What came in another class, or is looked at first, is what was expected, and nobody who waits gets it. */
static void goods_come_in_a_class_or_to_be_inspected(struct shop *shop)
{
    shop_must(shop, 201, "PUT", "/v1/classes/B", "{\"name\":\"B stock\"}");
    order(shop, "web", "1", "LAMP", 4);
    const char *id = announced(shop, "asn", "", "{\"sku\":\"LAMP\",\"quantity\":9,\"expected_at\":\"2027-01-01T00:00:00Z\"}");
    refused(tell(shop, 422, id, "receive", "{\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1,\"class\":\"NOPE\"}]}"), 422, "class_unknown",
            "/lines/0/class");
    struct reply reply =
        tell(shop, 200, id, "receive",
             "{\"last\":false,\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2,\"class\":\"B\"},{\"sku\":\"LAMP\",\"quantity\":3,\"bucket\":"
             "\"quarantined\"},{\"sku\":\"LAMP\",\"quantity\":1}]}");
    assert_int_equal(number_in(reply.body, "\"lines\"", "received"), 6);
    const char *body = shop_must(shop, 200, "GET", "/v1/inventory?node=LEJ&sku=LAMP", NULL).body;
    assert_int_equal(number_in(body, "\"class\":\"B\"", "available"), 2);
    assert_int_equal(number_in(body, NULL, "quarantined"), 3);
    assert_stock(shop, "LEJ", "LAMP", 0, 1, 3);
    shop_must(shop, 201, "POST", "/v1/inspections", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"lines\":[{\"disposition\":\"restock\",\"quantity\":3}]}");
    assert_stock(shop, "LEJ", "LAMP", 0, 4, 3);
}

static const struct shop_scene scenes[] = {
    SCENE(goods_come_in_a_class_or_to_be_inspected),
    SCENE(a_purchase_order_comes_in_parts),
    SCENE(an_asn_makes_a_purchase_order_exact),
    SCENE(what_was_announced_changes),
    SCENE(what_is_late_is_work_until_it_comes_or_is_dated_anew),
    SCENE(more_comes_than_was_announced),
    SCENE(what_is_told_twice_happens_once),
    SCENE(each_state_takes_what_it_may),
    SCENE(what_comes_goes_to_those_who_wait),
    SCENE(all_faults_are_told_at_once),
    SCENE(what_is_late_is_why_it_was_oversold),
    SCENE(supplies_are_listed),
    SCENE(a_supply_of_a_thousand_lines),
};

int main(void)
{
    return scenes_play("supply", scenes, COUNT(scenes));
}
