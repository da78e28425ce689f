/* tests/store/exception_types_test.c: each type of exception is raised, counted when its cause comes again, and closes itself when the cause is gone.
 * A type without a row here fails. */
#include "connect/connect.h"
#include "engine/exceptions.h"
#include "engine/jobs.h"
#include "inventory/supply.h"
#include "store/sale.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What a case is about: goods of its own, and what was made with them. */
struct wares {
    const char *sku, *id, *work;
};

/* The three turns of a cause: it comes, comes again (NULL: while it is there it cannot), and goes. */
struct type {
    const char *type, *team, *key, *subject; /* key: what the cause begins with */
    int64_t units, units_again, repeats;     /* after it came, after it came again, and how often it is said to have come then */
    const char *money;                       /* at risk after it came; "null": nobody knows here what goods cost */
    int64_t promises;
    void (*comes)(struct shop *shop, struct wares *goods);
    void (*again)(struct shop *shop, struct wares *goods);
    void (*goes)(struct shop *shop, struct wares *goods);
};

static const char *post(struct shop *shop, const char *target, const char *body)
{
    struct reply reply = shop_call(shop, "POST", target, "%s", body);
    char id[40];
    if (reply.status / 100 != 2)
        fail_msg("%s: %d %s", target, reply.status, reply.body);
    text_in(reply.body, NULL, "id", id, sizeof id);
    return arena_text(shop->arena, id);
}
#define TEXT(...) arena_printf(shop->arena, __VA_ARGS__)

static void adjust(struct shop *shop, const struct wares *goods, const char *what)
{
    post(shop, "/v1/inventory/adjustments", TEXT("{\"node\":\"LEJ\",\"sku\":\"%s\",%s}", goods->sku, what));
}

static void quantity_becomes(struct shop *shop, const struct wares *goods, int quantity)
{
    post(shop, TEXT("/v1/orders/%s/edit", goods->id), TEXT("{\"set\":[{\"line\":1,\"quantity\":%d}]}", quantity));
}

static void receive_five(struct shop *shop, struct wares *goods)
{
    receive(shop, "LEJ", goods->sku, 5);
}

/* ---- orders ---- */

static void ordered_short(struct shop *shop, struct wares *goods)
{
    receive(shop, "LEJ", goods->sku, 1);
    goods->id = buys(shop, "web", goods->sku, 3);
}

static void sold_short(struct shop *shop, struct wares *goods)
{
    goods->id = buys(shop, "market", goods->sku, 2);
}

static void four_are_wanted(struct shop *shop, struct wares *goods)
{
    quantity_becomes(shop, goods, 4);
}

static void one_is_lost(struct shop *shop, struct wares *goods)
{
    adjust(shop, goods, "\"delta\":-1,\"reason\":\"loss\"");
}

static void promised_is_lost(struct shop *shop, struct wares *goods)
{
    receive(shop, "LEJ", goods->sku, 3);
    goods->id = buys(shop, "web", goods->sku, 3);
    one_is_lost(shop, goods);
}

static void unknown_is_sold(struct shop *shop, struct wares *goods)
{
    goods->id = order_lines(shop, "market",
                            TEXT("{\"channel_sku\":\"M-%s\",\"quantity\":2,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}", goods->sku));
}

static void it_is_listed(struct shop *shop, struct wares *goods)
{
    receive_five(shop, goods);
    shop_must(shop, 201, "PUT", TEXT("/v1/channels/market/listings/M-%s", goods->sku), "{\"sku\":\"%s\"}", goods->sku);
}

/* ---- nodes ---- */

/* One is at each of two nodes. */
static void two_nodes_sell(struct shop *shop, struct wares *goods)
{
    receive(shop, "LEJ", goods->sku, 1);
    receive(shop, "HAM", goods->sku, 1);
    goods->id = buys(shop, "web", goods->sku, 2);
}

static void one_declines(struct shop *shop, struct wares *goods)
{
    two_nodes_sell(shop, goods);
    reports(shop, work_of(shop, goods->id, 0), "decline");
}

static void both_decline(struct shop *shop, struct wares *goods)
{
    reports(shop, work_of(shop, goods->id, 1), "decline");
}

static void one_fails(struct shop *shop, struct wares *goods)
{
    two_nodes_sell(shop, goods);
    reports(shop, work_of(shop, goods->id, 0), "fail");
}

static void both_fail(struct shop *shop, struct wares *goods)
{
    reports(shop, work_of(shop, goods->id, 1), "fail");
}

static void nobody_wants_it(struct shop *shop, struct wares *goods)
{
    post(shop, TEXT("/v1/orders/%s/cancel", goods->id), "{\"reason\":\"too long\"}");
}

static void not_found(struct shop *shop, struct wares *goods)
{
    receive(shop, "LEJ", goods->sku, 3);
    goods->id = buys(shop, "web", goods->sku, 2);
    reports(shop, work_of(shop, goods->id, 0), "miss");
}

static void another_is_not_found(struct shop *shop, struct wares *goods)
{
    nobody_wants_it(shop, goods);
    reports(shop, work_of(shop, buys(shop, "web", goods->sku, 1), 0), "miss");
}

static void it_is_counted(struct shop *shop, struct wares *goods)
{
    adjust(shop, goods, "\"set\":0,\"reason\":\"count\"");
}

static void lost_on_its_way(struct shop *shop, struct wares *goods)
{
    receive(shop, "LEJ", goods->sku, 2);
    goods->work = work_of(shop, buys(shop, "web", goods->sku, 2), 0);
    reports(shop, goods->work, "pick pack ship");
    report(shop, goods->work, "lost", "{\"reason\":\"the van burnt\",\"lines\":[{\"line\":1,\"quantity\":1}]}");
}

static void the_rest_is_lost(struct shop *shop, struct wares *goods)
{
    reports(shop, goods->work, "lost");
}

static void it_is_decided(struct shop *shop, struct wares *goods)
{
    reports(shop, goods->work, "settle");
}

/* ---- transfers, supplies ---- */

static void arrives(struct shop *shop, struct wares *goods, const char *kind, int units, const char *also)
{
    post(shop, TEXT("/v1/%s/%s/receive", kind, goods->id), TEXT("{\"lines\":[{\"sku\":\"%s\",\"quantity\":%d}]%s}", goods->sku, units, also));
}

static void transfer_comes_short(struct shop *shop, struct wares *goods)
{
    receive(shop, "LEJ", goods->sku, 3);
    goods->id = post(shop, "/v1/transfers", TEXT("{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"%s\",\"quantity\":3}]}", goods->sku));
    post(shop, TEXT("/v1/transfers/%s/ship", goods->id), "{}");
    arrives(shop, goods, "transfers", 1, "");
}

static void one_comes_by_transfer(struct shop *shop, struct wares *goods)
{
    arrives(shop, goods, "transfers", 1, "");
}

static void transfer_is_settled(struct shop *shop, struct wares *goods)
{
    post(shop, TEXT("/v1/transfers/%s/settle", goods->id), "{\"reason\":\"gone\"}");
}

static void announced(struct shop *shop, struct wares *goods, const char *day)
{
    goods->id = post(shop, "/v1/supplies",
                     TEXT("{\"node\":\"LEJ\",\"kind\":\"purchase\",\"lines\":[{\"sku\":\"%s\",\"quantity\":3,"
                          "\"expected_at\":\"%sT08:00:00Z\"}]}",
                          goods->sku, day));
}

static void two_days_pass(struct shop *shop)
{
    struct command command = { .type = &supply_overdue, .arena = shop->arena, .unit = 1, .faults = { .arena = shop->arena } },
                   *commands[] = { &command };
    shop->now_us += 2 * INT64_C(86400000000);
    engine_run(shop->engine, commands, 1);
    assert_int_equal(command.state, COMMAND_ACCEPTED);
}

/* Two lines wait for it. */
static void supply_does_not_come(struct shop *shop, struct wares *goods)
{
    buys(shop, "web", goods->sku, 1);
    buys(shop, "web", goods->sku, 1);
    announced(shop, goods, "2025-11-25");
    two_days_pass(shop);
}

static void one_comes(struct shop *shop, struct wares *goods)
{
    arrives(shop, goods, "supplies", 1, ",\"last\":false");
}

static void two_come(struct shop *shop, struct wares *goods)
{
    arrives(shop, goods, "supplies", 2, "");
}

static void supply_comes_short(struct shop *shop, struct wares *goods)
{
    announced(shop, goods, "2036-11-25");
    arrives(shop, goods, "supplies", 1, ",\"last\":true");
}

static void supply_is_closed(struct shop *shop, struct wares *goods)
{
    post(shop, TEXT("/v1/supplies/%s/close", goods->id), "{\"reason\":\"the machine broke\"}");
}

/* ---- counts, snapshots, recalls ---- */

/* Two people find so many. */
static void counted(struct shop *shop, struct wares *goods, int units)
{
    goods->id = post(shop, "/v1/counts", TEXT("{\"node\":\"LEJ\",\"skus\":[\"%s\"]}", goods->sku));
    for (int i = 0; i < 2; i++) {
        struct reply reply = shop_must(shop, 200, "POST", TEXT("/v1/counts/%s/lines", goods->id),
                                       "{\"counter\":\"%c\",\"lines\":[{\"sku\":\"%s\",\"counted\":%d}]}", 'a' + i, goods->sku, units);
        if (strstr(reply.body, "\"state\":\"closed\"") != NULL)
            return;
    }
}

static void a_count_differs(struct shop *shop, struct wares *goods)
{
    receive(shop, "LEJ", goods->sku, 10);
    counted(shop, goods, 7);
}

static void another_differs(struct shop *shop, struct wares *goods)
{
    counted(shop, goods, 5);
}

static void a_count_agrees(struct shop *shop, struct wares *goods)
{
    counted(shop, goods, 5);
}

static void snapshot(struct shop *shop, const struct wares *goods, const char *time, int units)
{
    shop_must(shop, 201, "POST", "/v1/nodes/MIR/snapshot", "{\"taken_at\":\"2025-11-24T%s:00Z\",\"items\":[{\"sku\":\"%s\",\"quantity\":%d}]}", time,
              goods->sku, units);
}

static void theirs_differs(struct shop *shop, struct wares *goods)
{
    shop_must(shop, 201, "PUT", "/v1/nodes/MIR",
              "{\"unit\":\"DE\",\"name\":\"M\",\"kind\":\"third_party\",\"country\":\"DE\",\"postal_code\":\"1\",\"authority\":\"mirrored\"}");
    receive(shop, "MIR", goods->sku, 10);
    snapshot(shop, goods, "08:00", 7);
}

static void theirs_differs_again(struct shop *shop, struct wares *goods)
{
    snapshot(shop, goods, "09:00", 6);
}

static void theirs_agrees(struct shop *shop, struct wares *goods)
{
    snapshot(shop, goods, "10:00", 6);
}

static void called_back(struct shop *shop, struct wares *goods)
{
    receive(shop, "LEJ", goods->sku, 4);
    goods->id = post(shop, "/v1/recalls", TEXT("{\"sku\":\"%s\",\"nodes\":[\"LEJ\"],\"reason\":\"catches fire\"}", goods->sku));
    shop_jobs(shop, 1);
}

static void it_was_the_cable(struct shop *shop, struct wares *goods)
{
    post(shop, TEXT("/v1/recalls/%s/end", goods->id), "{\"release\":true,\"reason\":\"it was the cable\"}");
}

/* ---- outside ---- */

static int64_t webhook_stands_at(struct shop *shop)
{
    return number_in(shop_must(shop, 200, "GET", "/v1/webhooks/erp/subscriptions", NULL).body, "\"unit\":\"DE\"", "seq");
}

static void webhook_fails(struct shop *shop, struct wares *goods)
{
    shop_must(shop, 201, "PUT", "/v1/webhooks/erp", "{\"url\":\"https://erp.example/in\"}");
    for (int i = 0; i < 4; i++)
        receive(shop, "LEJ", goods->sku, 1);
    const int64_t from = webhook_stands_at(shop) + 1;
    assert_int_equal(shop_report(shop, 1, "erp", from, from + 2, false), COMMAND_ACCEPTED);
}

static void webhook_fails_again(struct shop *shop, struct wares *goods)
{
    const int64_t next = webhook_stands_at(shop) + 1;
    assert_int_equal(shop_report(shop, 1, "erp", next, next, false), COMMAND_ACCEPTED);
}

static void webhook_is_heard(struct shop *shop, struct wares *goods)
{
    const int64_t upto = webhook_stands_at(shop);
    assert_int_equal(shop_report(shop, 1, "erp", upto - 3, upto, true), COMMAND_ACCEPTED);
}

static void a_rule_forbids_it(struct shop *shop, struct wares *goods)
{
    order_forbid(shop, "BAD");
    assert_int_equal(order(shop, "web", "BAD", goods->sku, 1).status, 500);
}

static void it_is_sent_again(struct shop *shop, struct wares *goods)
{
    assert_int_equal(order(shop, "web", "BAD", goods->sku, 1).status, 500);
}

static void the_rule_is_mended(struct shop *shop, struct wares *goods)
{
    order_allow(shop);
    assert_int_equal(order(shop, "web", "BAD", goods->sku, 1).status, 201);
}

/* ---- the types ---- */

static const struct type types[] = {
    { "shortage", "purchasing", "shortage/", "order", 2, 3, 2, "20.00", 1, ordered_short, four_are_wanted, receive_five },
    { "oversell", "customer_service", "oversell/", "order", 2, 4, 2, "20.00", 1, sold_short, four_are_wanted, receive_five },
    { "broken_claim", "customer_service", "broken/", "order", 1, 2, 2, "10.00", 1, promised_is_lost, one_is_lost, receive_five },
    { "unmapped", "catalogue", "unmapped/", "order", 0, 0, 1, "20.00", 1, unknown_is_sold, NULL, it_is_listed },
    { "transfer_short", "warehouse", "transfer_short/", "transfer", 2, 1, 1, "null", 0, transfer_comes_short, one_comes_by_transfer,
      transfer_is_settled },
    { "short_pick", "warehouse", "short_pick/", "position", 2, 3, 2, "null", 1, not_found, another_is_not_found, it_is_counted },
    { "supply_late", "purchasing", "supply_late/", "supply", 3, 2, 1, "null", 2, supply_does_not_come, one_comes, two_come },
    { "supply_short", "purchasing", "supply_short/", "supply", 2, 1, 1, "null", 0, supply_comes_short, one_comes, supply_is_closed },
    { "declined", "operations", "declined/", "order", 1, 2, 2, "10.00", 1, one_declines, both_decline, nobody_wants_it },
    { "node_failed", "operations", "node_failed/", "order", 1, 2, 2, "10.00", 1, one_fails, both_fail, nobody_wants_it },
    { "webhook_failing", "integration", "webhook_failing/", "webhook", 0, 0, 2, "null", 0, webhook_fails, webhook_fails_again, webhook_is_heard },
    { "recall", "quality", "recall/", "recall", 4, 4, 1, "null", 0, called_back, NULL, it_was_the_cable },
    { "snapshot_difference", "warehouse", "snapshot_difference/", "position", 3, 4, 2, "null", 0, theirs_differs, theirs_differs_again,
      theirs_agrees },
    { "count_difference", "warehouse", "count_difference/", "position", 3, 5, 2, "null", 0, a_count_differs, another_differs, a_count_agrees },
    { "lost_parcel", "customer_service", "lost_parcel/", "fulfilment", 1, 2, 2, "10.00", 1, lost_on_its_way, the_rest_is_lost, it_is_decided },
    { "culprit_command", "integration", "culprit_command/", "unit", 0, 0, 2, "null", 0, a_rule_forbids_it, it_is_sent_again, the_rule_is_mended },
};

static int64_t last_id(struct shop *shop)
{
    const struct db_rows rows = shop_table(shop, shop->arena, &exception_item_table);
    return rows.count == 0 ? 0 : ((const struct exception_item_row *)db_row(&rows, rows.count - 1))->id;
}

/* The only one of the type that was opened behind `after`, as a row. */
static struct exception_item_row the_one(struct shop *shop, const struct type *type, int64_t after)
{
    const struct db_rows rows = shop_table(shop, shop->arena, &exception_item_table);
    const struct exception_item_row *found = NULL;
    for (size_t i = 0; i < rows.count; i++) {
        const struct exception_item_row *row = db_row(&rows, i);
        if (row->id <= after || strcmp(exception_names[row->type - 1], type->type) != 0)
            continue;
        if (found != NULL)
            fail_msg("%s: there are two, of %s and of %s", type->type, found->cause, row->cause);
        found = row;
    }
    if (found == NULL)
        fail_msg("%s: nobody was told", type->type);
    assert_non_null(found);
    return *found;
}

static void is_said(const struct type *type, const char *body, const char *what)
{
    if (strstr(body, what) == NULL)
        fail_msg("%s: no %s in %s", type->type, what, body);
}

static const char *shown(struct shop *shop, const struct exception_item_row *row)
{
    const char *body = shop_must(shop, 200, "GET", TEXT("/v1/exceptions?type=%s&limit=1000", exception_names[row->type - 1]), NULL).body,
               *last = body;
    for (const char *at = body; (at = strstr(at, "{\"id\":\"exc_")) != NULL; at++)
        last = at;
    return last; /* in the order in which they came */
}

static void look(struct shop *shop, const struct type *type, const struct exception_item_row *row, int64_t units, int64_t repeats)
{
    const char *body = shown(shop, row);
    if (strncmp(row->cause, type->key, strlen(type->key)) != 0)
        fail_msg("%s: its cause is %s", type->type, row->cause);
    assert_string_equal(subject_name((enum subject_kind)row->subject_kind), type->subject);
    is_said(type, body, TEXT("\"type\":\"%s\",\"team\":\"%s\",\"state\":\"open\"", type->type, type->team));
    is_said(type, body, TEXT("\"repeats\":%ld", (long)repeats));
    is_said(type, body, TEXT("\"quantity\":%ld", (long)units));
}

static void told(struct shop *shop, const struct type *type, const struct exception_item_row *row, const char *event, int times)
{
    const char *body = shop_must(shop, 200, "GET", TEXT("/v1/events?unit=DE&type=%s&limit=1000", event), NULL).body;
    char id[32];
    text_in(shown(shop, row), NULL, "id", id, sizeof id);
    if (count_of(body, id) != times)
        fail_msg("%s: %s is told %d times: %s", type->type, event, count_of(body, id), body);
}

static void play(struct shop *shop, const struct type *type)
{
    struct wares goods = { .sku = TEXT("X-%s", type->type) };
    const int64_t before = last_id(shop);
    shop_must(shop, 201, "PUT", TEXT("/v1/skus/%s", goods.sku), "{\"name\":\"Goods\"}");
    type->comes(shop, &goods);
    struct exception_item_row row = the_one(shop, type, before);
    look(shop, type, &row, type->units, 1);
    is_said(type, shown(shop, &row),
            strcmp(type->money, "null") == 0 ? "\"money_at_risk\":null" : TEXT("\"money_at_risk\":{\"amount\":\"%s\"", type->money));
    is_said(type, shown(shop, &row), TEXT("\"promises_at_risk\":%ld", (long)type->promises));
    if (type->again != NULL) {
        type->again(shop, &goods);
        row = the_one(shop, type, before);
        look(shop, type, &row, type->units_again, type->repeats);
    }
    told(shop, type, &row, "exception.opened", 1);
    told(shop, type, &row, "exception.closed", 0);
    type->goes(shop, &goods);
    row = the_one(shop, type, before);
    if (row.state != EXCEPTION_CLOSED || row.closed_at == NULL_INT)
        fail_msg("%s: it is open, and its cause is gone", type->type);
    is_said(type, shown(shop, &row), "\"state\":\"closed\"");
    told(shop, type, &row, "exception.closed", 1);
}

static void each_type_is_raised_counted_and_closed(struct shop *shop)
{
    for (size_t t = 0; exception_names[t] != NULL; t++) {
        size_t i = 0;
        while (i < COUNT(types) && strcmp(types[i].type, exception_names[t]) != 0)
            i++;
        if (i == COUNT(types))
            fail_msg("nobody says here how %s comes about", exception_names[t]);
        play(shop, &types[i]);
    }
}

int main(void)
{
    static const struct shop_scene scenes[] = { SCENE(each_type_is_raised_counted_and_closed) };
    return scenes_play("exception types", scenes, COUNT(scenes));
}
