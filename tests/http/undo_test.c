/* tests/http/undo_test.c: what was done is taken back by the number of its event, or by the key that it came with; where the world has moved
 * on, it is said what is in the way. */
#include "company.h"
#include "base/text.h"
#include "insight/undo.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ORDER(ID, SKU, QUANTITY)                                                                                                 \
    "{\"channel\":\"web\",\"channel_order_id\":\"" ID                                                                            \
    "\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"Ann\"},"                            \
    "\"ship_to\":{\"name\":\"Ann\",\"city\":\"Bonn\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"" SKU "\",\"quantity\":" QUANTITY \
    ",\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\"}}"

/* The last event of a type in a unit. */
static long last_event(struct company *company, const char *unit, const char *type)
{
    long last = 0;
    get(company, "/v1/events?unit=%s&type=%s&limit=1000", unit, type);
    for (const char *at = company->client.body; (at = strstr(at, "{\"seq\":")) != NULL; at++)
        last = strtol(at + strlen("{\"seq\":"), NULL, 10);
    assert_true(last > 0);
    return last;
}

static const char *undo(struct company *company, int status, const char *unit, const char *type)
{
    char target[100];
    snprintf(target, sizeof target, "/v1/commands/%s:%ld/undo", unit, last_event(company, unit, type));
    return must(company, status, "POST", target, "{\"reason\":\"a mistake\"}");
}

static void sku(struct company *company, const char *code, int quantity)
{
    char target[60];
    snprintf(target, sizeof target, "/v1/skus/%s", code);
    must(company, 201, "PUT", target, "{\"name\":\"%s\"}", code);
    if (quantity > 0)
        receive(company, "LEJ", code, quantity);
}

static void order_id(struct company *company, char id[40])
{
    text_of(company, "id", id, 40);
}

static void an_order_goes_whole_or_not_at_all(void **state)
{
    SCENE(company);
    char id[40], target[100], fulfilment[40];
    sku(company, "U1", 5);
    must(company, 201, "POST", "/v1/orders", ORDER("U-1", "U1", "2"));
    undo(company, 200, "DE", "order.created");
    says(company, "\"stage\":\"cancelled\"");
    says(company, "a mistake");
    undo(company, 409, "DE", "order.cancelled");
    says(company, "\"code\":\"no_inverse\"");
    undo(company, 409, "DE", "order.created");
    says(company, "the order is cancelled already");
    must(company, 201, "POST", "/v1/orders", ORDER("U-2", "U1", "2"));
    order_id(company, id);
    snprintf(target, sizeof target, "/v1/orders/%s/payments", id);
    must(company, 200, "POST", target, "{\"kind\":\"captured\",\"amount\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},\"reference\":\"p\"}");
    undo(company, 409, "DE", "order.payment");
    says(company, "a refund or a void");
    text_of(company, "detail", fulfilment, sizeof fulfilment);
    get(company, "/v1/orders/%s", id);
    const char *works = strstr(company->client.body, "\"fulfilments\":[{\"id\":\"");
    snprintf(fulfilment, sizeof fulfilment, "%.17s", works + strlen("\"fulfilments\":[{\"id\":\""));
    static const struct {
        const char *step, *body;
    } steps[] = { { "pick", "{}" }, { "pack", "{\"packages\":[{\"weight_g\":1}]}" }, { "ship", "{\"carrier\":\"C\",\"tracking\":\"T\"}" } };
    for (size_t i = 0; i < COUNT(steps); i++) {
        snprintf(target, sizeof target, "/v1/fulfilments/%s/%s", fulfilment, steps[i].step);
        must(company, 200, "POST", target, "%s", steps[i].body);
    }
    undo(company, 409, "DE", "order.created");
    says(company, "\"code\":\"too_late\"");
    undo(company, 409, "DE", "order.shipped");
    says(company, "the goods have left");
}

static void holds_and_edits(void **state)
{
    SCENE(company);
    char id[40], target[100];
    sku(company, "U2", 9);
    must(company, 201, "POST", "/v1/orders", ORDER("U-3", "U2", "2"));
    order_id(company, id);
    snprintf(target, sizeof target, "/v1/orders/%s/holds", id);
    must(company, 200, "POST", target, "{\"kind\":\"fraud/odd\",\"reason\":\"odd\"}");
    undo(company, 200, "DE", "order.held");
    says(company, "\"holds\":[]");
    undo(company, 200, "DE", "order.hold_cleared");
    says(company, "\"kind\":\"fraud/odd\"");
    snprintf(target, sizeof target, "/v1/orders/%s/edit", id);
    must(company, 200, "POST", target,
         "{\"set\":[{\"line\":1,\"quantity\":1}],\"add\":[{\"sku\":\"U2\",\"quantity\":3,\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}],"
         "\"ship_to\":{\"name\":\"Bob\",\"city\":\"Ulm\",\"country\":\"DE\"}}");
    says(company, "\"city\":\"Ulm\"");
    undo(company, 200, "DE", "order.edited");
    says(company, "\"ship_to\":{\"name\":\"Ann\",\"city\":\"Bonn\",\"country\":\"DE\"}");
    get(company, "/v1/inventory?sku=U2");
    says(company, "\"available\":7,\"reserved\":2");
    undo(company, 200, "DE", "order.edited"); /* the undo was an edit */
    says(company, "\"city\":\"Ulm\"");
}

static void stock_goes_back_the_way_it_came(void **state)
{
    SCENE(company);
    static const struct {
        const char *target, *body, *type;
        int status;
        const char *after;
    } cases[] = {
        { "/v1/inventory/adjustments", "\"delta\":4,\"reason\":\"found\"", "stock.adjusted", 201, "\"on_hand\":10,\"available\":10," },
        { "/v1/inventory/adjustments", "\"delta\":-4,\"reason\":\"loss\"", "stock.adjusted", 201, "\"on_hand\":10,\"available\":10," },
        { "/v1/inventory/adjustments", "\"set\":3,\"reason\":\"count\"", "stock.adjusted", 201, "\"on_hand\":10,\"available\":10," },
        { "/v1/inventory/adjustments", "\"delta\":4,\"reason\":\"correction\",\"from\":\"available\",\"bucket\":\"quarantined\"", "stock.adjusted",
          201, "\"on_hand\":10,\"available\":10," },
        { "/v1/inventory/adjustments",
          "\"delta\":2,\"reason\":\"receipt\",\"bucket\":\"quarantined\",\"unit_cost\":{\"amount\":\"3.00\",\"currency\":\"EUR\"}", "stock.adjusted",
          201, "\"on_hand\":10,\"available\":10," },
        { "/v1/inventory/quarantine", "\"quantity\":3,\"reason\":\"quality\"", "stock.quarantined", 201, "\"on_hand\":10,\"available\":10," },
    };
    sku(company, "U3", 10);
    for (size_t i = 0; i < COUNT(cases); i++) {
        must(company, cases[i].status, "POST", cases[i].target, "{\"node\":\"LEJ\",\"sku\":\"U3\",%s}", cases[i].body);
        undo(company, 201, "DE", cases[i].type);
        get(company, "/v1/inventory?sku=U3");
        says(company, cases[i].after);
    }
    undo(company, 201, "DE", "stock.released"); /* which took the quarantine back */
    get(company, "/v1/inventory?sku=U3");
    says(company, "\"quarantined\":3");
    undo(company, 201, "DE", "stock.adjusted"); /* twice is once: it takes back the correction */
    must(company, 201, "PUT", "/v1/classes/UB", "{\"name\":\"B\"}");
    must(company, 201, "POST", "/v1/inventory/regrade", "{\"node\":\"LEJ\",\"sku\":\"U3\",\"to_class\":\"UB\",\"quantity\":2}");
    undo(company, 201, "DE", "stock.regraded");
    get(company, "/v1/inventory?sku=U3");
    says_not(company, "\"class\":\"UB\",\"on_hand\":2");
    must(company, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"HAM\",\"sku\":\"U3\",\"delta\":4,\"reason\":\"found\"}");
    must(company, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"HAM\",\"sku\":\"U3\",\"delta\":-3,\"reason\":\"loss\"}");
    char target[100];
    snprintf(target, sizeof target, "/v1/commands/DE:%ld/undo", last_event(company, "DE", "stock.adjusted"));
    must(company, 201, "POST", target, "{}");
    must(company, 200, "POST", target, "{}"); /* the document is known: it was taken back */
    get(company, "/v1/inventory?sku=U3&node=HAM");
    says(company, "\"on_hand\":4");
}

static void what_was_sold_is_not_taken_back(void **state)
{
    SCENE(company);
    char target[100];
    sku(company, "U4", 3);
    snprintf(target, sizeof target, "/v1/commands/DE:%ld/undo", last_event(company, "DE", "stock.adjusted"));
    must(company, 201, "POST", "/v1/orders", ORDER("U-4", "U4", "2"));
    must(company, 409, "POST", target, "{}");
    says(company, "\"code\":\"stock_conflict\"");
    must(company, 409, "POST", target, "{\"dry_run\":true}");
}

static void checkouts_transfers_and_supply(void **state)
{
    SCENE(company);
    char id[40], target[100];
    sku(company, "U5", 6);
    must(company, 201, "POST", "/v1/reservations", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"U5\",\"quantity\":2}],\"ttl_s\":900}");
    undo(company, 204, "DE", "reservation.made");
    undo(company, 409, "DE", "reservation.ended");
    must(company, 201, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"U5\",\"quantity\":2}]}");
    undo(company, 200, "DE", "transfer.changed");
    says(company, "\"state\":\"cancelled\"");
    undo(company, 409, "DE", "transfer.changed");
    must(company, 201, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"U5\",\"quantity\":2}]}");
    order_id(company, id);
    snprintf(target, sizeof target, "/v1/transfers/%s/ship", id);
    must(company, 200, "POST", target, "{}");
    undo(company, 409, "DE", "transfer.changed");
    says(company, "a transfer of their own");
    must(company, 201, "POST", "/v1/supplies",
         "{\"node\":\"LEJ\",\"kind\":\"purchase\",\"lines\":[{\"sku\":\"U5\",\"quantity\":2,\"expected_at\":\"2036-01-01T00:00:00Z\"}]}");
    undo(company, 200, "DE", "supply.changed");
    says(company, "\"state\":\"closed\"");
    undo(company, 409, "DE", "position.changed");
    says(company, "it follows from what another event tells");
}

static void a_recall_is_ended_and_its_goods_are_free(void **state)
{
    SCENE(company);
    sku(company, "U-RECALL", 3);
    must(company, 201, "POST", "/v1/recalls", "{\"sku\":\"U-RECALL\",\"nodes\":[\"LEJ\"],\"reason\":\"it burns\"}");
    undo(company, 200, "DE", "recall.changed");
    says(company, "\"state\":\"ended\"");
    get(company, "/v1/inventory?sku=U-RECALL&node=LEJ");
    says(company, "\"available\":3");
    undo(company, 409, "DE", "recall.changed");
    says(company, "call it back again");
}

static void masters_become_what_they_were(void **state)
{
    SCENE(company);
    char target[100];
    must(company, 201, "PUT", "/v1/skus/U6%20x", "{\"name\":\"First\",\"weight_g\":5}");
    undo(company, 409, "company", "master.changed");
    says(company, "masters are not taken away");
    must(company, 200, "PUT", "/v1/skus/U6%20x", "{\"name\":\"Second\"}");
    undo(company, 200, "DE", "master.changed"); /* the unit's copy of the event will do */
    says(company, "\"version\":3,\"name\":\"First\",\"weight_g\":5");
    must(company, 201, "PUT", "/v1/channels/web/listings/u6", "{\"sku\":\"LAMP\",\"buffer\":1}");
    must(company, 200, "PUT", "/v1/channels/web/listings/u6", "{\"sku\":\"LAMP\",\"buffer\":2}");
    undo(company, 200, "DE", "master.changed");
    says(company, "\"version\":3,\"sku\":\"LAMP\",\"buffer\":1");
    sku(company, "U7", 9);
    must(company, 201, "PUT", "/v1/channels/web/fences/LEJ/U7", "{\"quantity\":4}");
    must(company, 200, "PUT", "/v1/channels/web/fences/LEJ/U7", "{\"quantity\":6}");
    snprintf(target, sizeof target, "/v1/commands/DE:%ld/undo", last_event(company, "DE", "master.changed"));
    must(company, 200, "POST", target, "{}");
    says(company, "\"quantity\":4,\"held\":4");
    must(company, 412, "POST", target, "{}"); /* it is at another version now */
}

/* A sheet that was wrong: all that came with its key, the last first; what cannot go says why, the others go. */
static void a_batch_is_taken_back_by_its_key(void **state)
{
    SCENE(company);
    sku(company, "U8", 0);
    assert_int_equal(
        client_call(
            &company->client, "POST", "/v1/inventory/adjustments/batch", "sheet",
            "{\"adjustments\":[{\"node\":\"LEJ\",\"sku\":\"U8\",\"delta\":7,\"reason\":\"found\"},"
            "{\"node\":\"LEJ\",\"sku\":\"NONE\",\"delta\":7,\"reason\":\"found\"},{\"node\":\"HAM\",\"sku\":\"U8\",\"delta\":5,\"reason\":\"found\"}]}"),
        200);
    must(company, 200, "POST", "/v1/commands/undo", "{\"idempotency_key\":\"sheet\",\"dry_run\":true}");
    assert_int_equal(times(company, "\"status\":201"), 2);
    must(company, 201, "POST", "/v1/orders", ORDER("U-8", "U8", "6")); /* from LEJ */
    must(company, 200, "POST", "/v1/commands/undo", "{\"idempotency_key\":\"sheet\"}");
    says(company, "{\"results\":[{\"status\":201,\"done\":{");
    says(company, "{\"status\":409,\"problem\":{\"type\":\"/docs#stock_conflict\"");
    get(company, "/v1/inventory?sku=U8&node=HAM");
    says(company, "\"on_hand\":0");
    must(company, 404, "POST", "/v1/commands/undo", "{\"idempotency_key\":\"no such\"}");
    must(company, 422, "POST", "/v1/commands/undo", "{}");
    assert_int_equal(
        client_call(&company->client, "POST", "/v1/skus", "skus", "{\"skus\":[{\"code\":\"U9\",\"name\":\"a\"},{\"code\":\"U8\",\"name\":\"b\"}]}"),
        200);
    must(company, 200, "POST", "/v1/commands/undo", "{\"idempotency_key\":\"skus\"}");
    says(company, "{\"results\":[{\"status\":200,\"done\":{\"code\":\"U8\",\"version\":3,\"name\":\"U8\"}},{\"status\":409,");
}

/* An order that was there already is not the batch's to take back. */
static void what_was_there_stays(void **state)
{
    SCENE(company);
    sku(company, "U10", 9);
    must(company, 201, "POST", "/v1/orders", ORDER("U-10", "U10", "1"));
    assert_int_equal(client_call(&company->client, "POST", "/v1/orders/batch", "known",
                                 "{\"orders\":[" ORDER("U-10", "U10", "1") "," ORDER("U-11", "U10", "1") "]}"),
                     200);
    must(company, 200, "POST", "/v1/commands/undo", "{\"idempotency_key\":\"known\"}");
    assert_int_equal(times(company, "\"status\":"), 1 + 1); /* the result's, and the payment's */
    get(company, "/v1/orders?q=U-10");
    says(company, "\"stage\":\"reserved\"");
}

/* A key may take back what it might have done. */
static void scopes_are_those_of_what_takes_back(void **state)
{
    SCENE(company);
    char key[200], said[200];
    assert_int_equal(site_run(&company->site, said, sizeof said, "key add --db '%s' --name seller --scope orders", company->site.url), 0);
    snprintf(key, sizeof key, "%.*s", (int)strcspn(said, "\n"), said);
    sku(company, "U12", 4);
    const long adjusted = last_event(company, "DE", "stock.adjusted");
    must(company, 201, "POST", "/v1/orders", ORDER("U-12", "U12", "1"));
    const long created = last_event(company, "DE", "order.created");
    const char *all = company->client.api_key;
    company->client.api_key = key;
    char target[100];
    snprintf(target, sizeof target, "/v1/commands/DE:%ld/undo", adjusted);
    must(company, 403, "POST", target, "{}");
    says(company, "stock.adjust");
    snprintf(target, sizeof target, "/v1/commands/DE:%ld/undo", created);
    must(company, 200, "POST", target, "{}");
    company->client.api_key = all;
}

static void what_is_no_event_is_told_so(void **state)
{
    SCENE(company);
    static const struct {
        const char *target, *body;
        int status;
    } cases[] = {
        { "/v1/commands/DE/undo", "{}", 404 },
        { "/v1/commands/DE:0/undo", "{}", 404 },
        { "/v1/commands/DE:999999/undo", "{}", 404 },
        { "/v1/commands/XX:1/undo", "{}", 404 },
        { "/v1/commands/DE:-1/undo", "{}", 404 },
        { "/v1/commands/DE:1/undo", "{\"why\":1}", 422 },
        { "/v1/commands/DE:1/undo", "{\"reason\":1}", 422 },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        must(company, cases[i].status, "POST", cases[i].target, "%s", cases[i].body);
}

/* A new type of event does not pass until somebody has said what takes it back, or why nothing does. */
static void each_type_of_event_is_decided(void **state)
{
    (void)state;
    for (int type = EVENT_NONE + 1; type < EVENT_TYPE_COUNT; type++)
        if (!undo_is_decided((enum event_type)type))
            fail_msg("what takes back %s? A row in src/insight/undo.c", event_name((enum event_type)type));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_of_event_is_decided),
        ON_BOTH(an_order_goes_whole_or_not_at_all),
        ON_BOTH(holds_and_edits),
        ON_BOTH(stock_goes_back_the_way_it_came),
        ON_BOTH(what_was_sold_is_not_taken_back),
        ON_BOTH(checkouts_transfers_and_supply),
        ON_BOTH(a_recall_is_ended_and_its_goods_are_free),
        ON_BOTH(masters_become_what_they_were),
        ON_BOTH(a_batch_is_taken_back_by_its_key),
        ON_BOTH(what_was_there_stays),
        ON_BOTH(scopes_are_those_of_what_takes_back),
        ON_BOTH(what_is_no_event_is_told_so),
    };
    return cmocka_run_group_tests(tests, NULL, close_companies);
}
