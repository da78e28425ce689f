/* tests/store/ledger_test.c: what goods cost and what they were sold for, as the books will have it: scenes, and random days against a
 * bookkeeper who looks at tables instead of events. Both stores have the same postings, and a ledger that is made anew has them again. */
#include "check/check.h"
#include "finance/finance.h"
#include "insight/insight.h"
#include "inventory/inventory.h"
#include "orders/orders.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- a shop with a ledger ---- */

struct ledger {
    struct shop *shop;
    struct db *read;
    struct follower follower;
};

static void must(enum db_result result)
{
    if (result != DB_OK)
        fail_msg("%s", db_result_name(result));
}

static struct ledger open_ledger(struct shop *shop)
{
    struct ledger ledger = { .shop = shop };
    const char *error = "";
    if (db_open(&ledger.read, &(struct db_options){ .url = shop->url, .projection = true, .create = true }, shop->arena, &error) != DB_OK ||
        db_migrate(ledger.read, true, shop->arena, &error) != MIGRATE_DONE)
        fail_msg("%s", error);
    ledger.follower =
        (struct follower){ .store = engine_db(shop->engine), .read = ledger.read, .vault = shop->vault, .arena = arena_new((size_t)64 << 20) };
    local_projection(shop->local, ledger.read);
    return ledger;
}

static void fail_violated(void *context, const struct violation *v)
{
    (void)context;
    fail_msg("%s: %s (%s): expected %s, found %s", v->id, v->what, v->keys, v->expected, v->found);
}

/* As with `millrace check`: the ledger is made once more, and compared. */
static void ledger_check(struct ledger *ledger)
{
    struct check check = { .db = engine_db(ledger->shop->engine),
                           .read = ledger->read,
                           .vault = ledger->shop->vault,
                           .arena = arena_new((size_t)1 << 28),
                           .tell = fail_violated };
    assert_int_equal(check_all(&check), DB_OK);
    arena_free(check.arena);
}

static void follow(struct ledger *ledger)
{
    must(projection_round(&ledger->follower));
    assert_false(ledger->follower.ledger_behind);
}

static void close_ledger(struct ledger *ledger)
{
    follow(ledger);
    ledger_check(ledger);
    local_projection(ledger->shop->local, NULL);
    db_close(ledger->read);
    arena_free(ledger->follower.arena);
}

/* A table of the projections' store, whole. */
static struct db_rows whole_table(struct db *read, struct arena *arena, const struct db_table *table)
{
    struct buffer sql = { .arena = arena };
    struct db_statement *statement = ARENA_NEW(arena, struct db_statement);
    struct db_rows rows;
    for (size_t c = 0; c < table->column_count; c++)
        buffer_printf(&sql, "%s%s", c == 0 ? "SELECT " : ", ", table->columns[c].name);
    buffer_printf(&sql, " FROM %s ORDER BY 1, 2, 3, 4", table->name);
    *statement = (struct db_statement){ .name = table->name,
                                        .sqlite = sql.at,
                                        .postgres = sql.at,
                                        .columns = table->columns,
                                        .column_count = table->column_count,
                                        .row_size = table->row_size };
    must(db_query(read, arena, statement, NULL, &rows));
    return rows;
}

static int64_t balance_in(struct ledger *ledger, enum account account, const char *currency)
{
    int64_t sum = 0;
    follow(ledger);
    struct db_rows rows = whole_table(ledger->read, ledger->shop->arena, &ledger_day_table);
    for (size_t i = 0; i < rows.count; i++) {
        const struct ledger_day_row *row = db_row(&rows, i);
        if (row->account == (int64_t)account && row->currency == currency_number(currency))
            sum += row->debit - row->credit;
    }
    return sum;
}

struct balances {
    int64_t stock, transit, cost, revenue, tax, shipping, receivable, clearing, received, opening, adjustment, scrap;
};
static void assert_balances(struct ledger *ledger, const char *currency, struct balances expected)
{
    int64_t each[ACCOUNT_COUNT - 1];
    _Static_assert(sizeof expected == sizeof(int64_t) * (ACCOUNT_COUNT - 1), "one for each account, in their order");
    memcpy(each, &expected, sizeof each);
    for (int account = 1; account < ACCOUNT_COUNT; account++) {
        int64_t found = balance_in(ledger, (enum account)account, currency);
        if (found != each[account - 1])
            fail_msg("%s is %ld %s instead of %ld", account_names[account - 1], (long)found, currency, (long)each[account - 1]);
    }
}

/* ---- the trade ---- */

static void goods_come(struct shop *shop, const char *node, const char *sku, int64_t units, const char *unit_cost)
{
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments",
              "{\"node\":\"%s\",\"sku\":\"%s\",\"delta\":%ld,\"reason\":\"receipt\",\"unit_cost\":{\"amount\":\"%s\",\"currency\":\"EUR\"}}", node,
              sku, (long)units, unit_cost);
}

static void adjust(struct shop *shop, const char *node, const char *sku, int64_t delta, const char *reason)
{
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"%s\",\"sku\":\"%s\",\"delta\":%ld,\"reason\":\"%s\"}", node, sku,
              (long)delta, reason);
}

#define EUR(amount) "{\"amount\":\"" amount "\",\"currency\":\"EUR\"}"
#define LINE(sku, quantity, price) "{\"sku\":\"" sku "\",\"quantity\":" quantity ",\"unit_price\":" price "}"

/* On account, so that it goes out at once; `more`: members of the order, each with a comma before it. */
static const char *sell(struct shop *shop, const char *currency, const char *lines, const char *more)
{
    static int number;
    return shop_must(shop, 201, "POST", "/v1/orders",
                     "{\"channel\":\"web\",\"channel_order_id\":\"W-%d\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"%s\","
                     "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[%s],"
                     "\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}%s}",
                     ++number, currency, lines, more)
        .body;
}

static void send_work(struct shop *shop, const char *work)
{
    static const char *const reports[][2] = { { "pick", "{}" },
                                              { "pack", "{\"packages\":[{\"weight_g\":1}]}" },
                                              { "ship", "{\"carrier\":\"D\",\"tracking\":\"T\"}" } };
    for (size_t i = 0; i < COUNT(reports); i++)
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/%s", work, reports[i][0]), "%s", reports[i][1]);
}

/* All that nodes were told of an order leaves; returns how many parcels that were. */
static int ship(struct shop *shop, const char *order)
{
    int count = 0;
    for (const char *at = order; (at = strstr(at, "\"id\":\"ful_")) != NULL; at++, count++) {
        char work[32];
        text_in(at, NULL, "id", work, sizeof work);
        send_work(shop, work);
    }
    return count;
}

static const char *id_of(struct shop *shop, const char *body)
{
    char id[32];
    text_in(body, NULL, "id", id, sizeof id);
    return arena_text(shop->arena, id);
}

static void pay(struct shop *shop, const char *order, const char *kind, const char *amount)
{
    static int number;
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/payments", order),
              "{\"kind\":\"%s\",\"amount\":{\"amount\":\"%s\",\"currency\":\"EUR\"},\"reference\":\"p-%d\"}", kind, amount, ++number);
}

/* ---- scenes ---- */

static void goods_are_worth_their_average(struct shop *shop)
{
    struct ledger ledger = open_ledger(shop);
    goods_come(shop, "LEJ", "LAMP", 10, "2.00");
    goods_come(shop, "HAM", "LAMP", 10, "4.00");
    assert_balances(&ledger, "EUR", (struct balances){ .stock = 6000, .received = -6000 });
    assert_int_equal(ship(shop, sell(shop, "EUR", LINE("LAMP", "5", EUR("10.00")), "")), 1);
    assert_balances(&ledger, "EUR", (struct balances){ .stock = 4500, .received = -6000, .cost = 1500, .revenue = -5000, .receivable = 5000 });
    adjust(shop, "LEJ", "LAMP", -2, "damage");
    adjust(shop, "LEJ", "LAMP", -1, "correction");
    adjust(shop, "HAM", "LAMP", 3, "found");
    assert_balances(
        &ledger, "EUR",
        (struct balances){ .stock = 4500, .received = -6000, .cost = 1500, .revenue = -5000, .receivable = 5000, .scrap = 600, .adjustment = -600 });
    adjust(shop, "HAM", "LAMP", -13, "loss");
    adjust(shop, "LEJ", "LAMP", -2, "loss");
    assert_balances(&ledger, "EUR",
                    (struct balances){ .received = -6000, .cost = 1500, .revenue = -5000, .receivable = 5000, .scrap = 5100, .adjustment = -600 });
    close_ledger(&ledger);
}

static void the_last_unit_takes_what_is_left(struct shop *shop)
{
    struct ledger ledger = open_ledger(shop);
    goods_come(shop, "LEJ", "LAMP", 2, "0.02");
    goods_come(shop, "LEJ", "LAMP", 1, "0.01");
    for (int i = 0; i < 3; i++)
        ship(shop, sell(shop, "EUR", LINE("LAMP", "1", EUR("1.00")), ""));
    assert_balances(&ledger, "EUR", (struct balances){ .received = -5, .cost = 5, .revenue = -300, .receivable = 300 });
    close_ledger(&ledger);
}

/* Three lamps of two nodes: a discount and a tax that three do not divide, and shipping once. */
static void parcels_add_up_to_the_order(struct shop *shop)
{
    struct ledger ledger = open_ledger(shop);
    goods_come(shop, "LEJ", "LAMP", 2, "1.00");
    goods_come(shop, "HAM", "LAMP", 1, "1.00");
    const char *sold =
        sell(shop, "EUR", "{\"sku\":\"LAMP\",\"quantity\":3,\"unit_price\":" EUR("10.00") ",\"discount\":" EUR("1.00") ",\"tax\":" EUR("5.51") "}",
             ",\"shipping\":{\"service\":\"S\",\"price\":" EUR("4.90") "}");
    assert_int_equal(ship(shop, sold), 2);
    assert_balances(
        &ledger, "EUR",
        (struct balances){ .received = -300, .cost = 300, .revenue = -2900, .tax = -551, .shipping = -490, .receivable = 2900 + 551 + 490 });
    close_ledger(&ledger);
}

static void tax_that_prices_include_is_no_revenue(struct shop *shop)
{
    struct ledger ledger = open_ledger(shop);
    goods_come(shop, "LEJ", "LAMP", 1, "1.00");
    ship(shop, sell(shop, "EUR", "{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":" EUR("11.90") ",\"tax\":" EUR("1.90") "}",
                    ",\"prices_include_tax\":true"));
    assert_balances(&ledger, "EUR", (struct balances){ .received = -100, .cost = 100, .revenue = -1000, .tax = -190, .receivable = 1190 });
    close_ledger(&ledger);
}

/* What did not leave is not sold: a part is cancelled, and what is owed falls as the order says. */
static void what_is_cancelled_is_not_sold(struct shop *shop)
{
    struct ledger ledger = open_ledger(shop);
    goods_come(shop, "LEJ", "LAMP", 2, "1.00");
    const char *sold =
        sell(shop, "EUR", "{\"sku\":\"LAMP\",\"quantity\":2,\"unit_price\":" EUR("10.00") ",\"discount\":" EUR("0.01") ",\"tax\":" EUR("0.01") "}",
             ",\"shipping\":{\"service\":\"S\",\"price\":" EUR("1.00") "}");
    const char *id = id_of(shop, sold);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"x\",\"lines\":[{\"line\":1,\"quantity\":1}]}");
    ship(shop, sold);
    assert_balances(&ledger, "EUR",
                    (struct balances){ .stock = 100, .received = -200, .cost = 100, .revenue = -999, .shipping = -100, .receivable = 1099 });
    close_ledger(&ledger);
}

static void an_order_abroad_is_booked_in_its_money(struct shop *shop)
{
    struct ledger ledger = open_ledger(shop);
    goods_come(shop, "LEJ", "LAMP", 1, "1.00");
    ship(shop, sell(shop, "JPY", "{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"1500\",\"currency\":\"JPY\"}}", ""));
    assert_balances(&ledger, "EUR", (struct balances){ .received = -100, .cost = 100 });
    assert_balances(&ledger, "JPY", (struct balances){ .revenue = -1500, .receivable = 1500 });
    close_ledger(&ledger);
}

static void money_comes_and_goes_back(struct shop *shop)
{
    struct ledger ledger = open_ledger(shop);
    goods_come(shop, "LEJ", "LAMP", 2, "1.00");
    const char *id = id_of(shop, order(shop, "web", "P-1", "LAMP", 1).body);
    pay(shop, id, "authorised", "10.00");
    assert_balances(&ledger, "EUR", (struct balances){ .stock = 200, .received = -200 });
    pay(shop, id, "captured", "10.00"); /* it may go now */
    assert_balances(&ledger, "EUR", (struct balances){ .stock = 200, .received = -200, .clearing = 1000, .receivable = -1000 });
    ship(shop, shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", id), NULL).body);
    assert_balances(&ledger, "EUR", (struct balances){ .stock = 100, .received = -200, .cost = 100, .clearing = 1000, .revenue = -1000 });
    pay(shop, id, "refunded", "2.50");
    pay(shop, id, "failed", "7.00");
    assert_balances(&ledger, "EUR",
                    (struct balances){ .stock = 100, .received = -200, .cost = 100, .clearing = 750, .revenue = -1000, .receivable = 250 });
    shop_must(
        shop, 201, "POST", "/v1/orders",
        "{\"channel\":\"web\",\"channel_order_id\":\"P-2\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"
        "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[%s],\"payment\":{\"term\":\"prepaid\",\"status\":\"captured\",\"amount\":%s,"
        "\"reference\":\"r\"}}",
        LINE("LAMP", "1", EUR("10.00")), EUR("4.00"));
    assert_balances(&ledger, "EUR",
                    (struct balances){ .stock = 100, .received = -200, .cost = 100, .clearing = 1150, .revenue = -1000, .receivable = -150 });
    close_ledger(&ledger);
}

static void goods_on_the_way_are_still_ours(struct shop *shop)
{
    struct ledger ledger = open_ledger(shop);
    goods_come(shop, "LEJ", "LAMP", 3, "0.33");
    goods_come(shop, "LEJ", "LAMP", 1, "0.01");
    const char *id = id_of(
        shop, shop_must(shop, 201, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":3}]}").body);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/transfers/%s/ship", id), NULL);
    assert_balances(&ledger, "EUR", (struct balances){ .stock = 25, .transit = 75, .received = -100 });
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/transfers/%s/receive", id), "{\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2}]}");
    assert_balances(&ledger, "EUR", (struct balances){ .stock = 75, .adjustment = 25, .received = -100 });
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/transfers/%s/receive", id), "{\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}]}");
    assert_balances(&ledger, "EUR", (struct balances){ .stock = 100, .received = -100 });
    close_ledger(&ledger);
}

static void goods_of_another_class_are_worth_what_they_were(struct shop *shop)
{
    struct ledger ledger = open_ledger(shop);
    shop_must(shop, 201, "PUT", "/v1/classes/B", "{\"name\":\"Second choice\"}");
    goods_come(shop, "LEJ", "LAMP", 4, "2.50");
    shop_must(shop, 201, "POST", "/v1/inventory/regrade", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"to_class\":\"B\",\"quantity\":1}");
    assert_balances(&ledger, "EUR", (struct balances){ .stock = 1000, .received = -1000 });
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/ledger/stock", NULL).body, "\"class\":\"B\",\"quantity\":1,\"value\":" EUR("2.50")));
    shop_must(shop, 201, "POST", "/v1/inventory/quarantine", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"quantity\":3,\"reason\":\"quality\"}");
    shop_must(
        shop, 201, "POST", "/v1/inspections",
        "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"lines\":[{\"disposition\":\"scrap\",\"quantity\":1},{\"disposition\":\"return_to_supplier\",\"quantity\":1},"
        "{\"disposition\":\"restock_as\",\"class\":\"B\",\"quantity\":1}]}");
    assert_balances(&ledger, "EUR", (struct balances){ .stock = 500, .received = -750, .scrap = 250 });
    close_ledger(&ledger);
}

/* A purchase order says what its goods cost; a delivery may say otherwise. */
static void a_delivery_costs_what_was_agreed(struct shop *shop)
{
    struct ledger ledger = open_ledger(shop);
    const char *id = id_of(
        shop,
        shop_must(shop, 201, "POST", "/v1/supplies",
                  "{\"kind\":\"purchase\",\"node\":\"LEJ\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":5,\"expected_at\":\"2026-12-01T08:00:00Z\","
                  "\"unit_cost\":%s}]}",
                  EUR("3.00"))
            .body);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/supplies/%s/receive", id), "{\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2}]}");
    assert_balances(&ledger, "EUR", (struct balances){ .stock = 600, .received = -600 });
    close_ledger(&ledger);
}

static void what_was_never_valued_is_told(struct shop *shop)
{
    struct ledger ledger = open_ledger(shop);
    receive(shop, "LEJ", "LAMP", 5);
    goods_come(shop, "LEJ", "BULB", 1, "3.00");
    adjust(shop, "LEJ", "BULB", -1, "loss");
    receive(shop, "LEJ", "BULB", 2);
    receive(shop, "LEJ", "BULB", 2);
    assert_balances(&ledger, "EUR", (struct balances){ .stock = 1200, .received = -1500, .scrap = 300 });
    const char *body = shop_must(shop, 200, "GET", "/v1/ledger/postings?account=stock", NULL).body;
    const char *first = strstr(body, "\"note\":\"no_cost\""), *second = strstr(body, "\"note\":\"at_last_cost\""),
               *third = strstr(body, "\"note\":\"at_average\"");
    assert_true(first != NULL && second > first && third > second);
    close_ledger(&ledger);
}

/* Midnight in Berlin is an hour before that of UTC. */
static void days_are_those_of_the_unit(struct shop *shop)
{
    struct ledger ledger = open_ledger(shop);
    shop->now_us = INT64_C(1795561199999999); /* 2026-11-24T22:59:59.999999Z */
    goods_come(shop, "LEJ", "LAMP", 1, "1.00");
    shop->now_us++;
    goods_come(shop, "LEJ", "LAMP", 1, "2.00");
    follow(&ledger);
    const char *body = shop_must(shop, 200, "GET", "/v1/ledger/trial", NULL).body;
    assert_non_null(strstr(
        body, "{\"day\":\"2026-11-24\",\"account\":\"stock\",\"debit\":" EUR("1.00") ",\"credit\":" EUR("0.00") ",\"balance\":" EUR("1.00") "}"));
    assert_non_null(strstr(body, "{\"day\":\"2026-11-25\",\"account\":\"received_not_invoiced\",\"debit\":" EUR("0.00") ",\"credit\":" EUR(
                                     "2.00") ",\"balance\":" EUR("-2.00") "}"));
    assert_null(strstr(shop_must(shop, 200, "GET", "/v1/ledger/trial?from=2026-11-25", NULL).body, "2026-11-24"));
    assert_null(strstr(shop_must(shop, 200, "GET", "/v1/ledger/trial?to=2026-11-24", NULL).body, "2026-11-25"));
    /* The unit moves: its days are others, and the books are made anew with the next thing that happens. */
    shop_must(shop, 200, "PATCH", "/v1/units/DE", "{\"time_zone\":\"UTC\"}");
    follow(&ledger);
    ledger_check(&ledger);
    receive(shop, "LEJ", "BULB", 1);
    follow(&ledger);
    body = shop_must(shop, 200, "GET", "/v1/ledger/trial", NULL).body;
    assert_non_null(strstr(body, "{\"day\":\"2026-11-24\",\"account\":\"stock\",\"debit\":" EUR("3.00")));
    close_ledger(&ledger);
}

/* A list in pages of one is the list. */
static void assert_pages(struct shop *shop, const char *target)
{
    const char *whole = shop_must(shop, 200, "GET", target, NULL).body, *at = strstr(whole, "[{") + 1;
    char cursor[128] = "";
    size_t items = 0;
    for (bool more = true; more; items++) {
        const char *page = shop_must(shop, 200, "GET",
                                     arena_printf(shop->arena, "%s%climit=1%s%s", target, strchr(target, '?') == NULL ? '?' : '&',
                                                  cursor[0] == '\0' ? "" : "&cursor=", cursor),
                                     NULL)
                               .body;
        text_in(page, "\"items\"", "next", cursor, sizeof cursor);
        more = cursor[0] != '\0';
        if (strstr(page, "\"items\":[]") != NULL)
            continue; /* what was looked at is of other accounts */
        const char *item = strstr(page, "[{") + 1, *end = strstr(page, "}],\"next\"");
        if (end == NULL || strncmp(at, item, (size_t)(end + 1 - item)) != 0)
            fail_msg("%s, item %zu: %.200s instead of %.200s", target, items, item, at);
        at += end + 1 - item + 1;
    }
    assert_true(items > 1 && strncmp(at - 1, "],\"next\":null", 13) == 0);
}

static void books_are_read_in_pages(struct shop *shop)
{
    struct ledger ledger = open_ledger(shop);
    goods_come(shop, "LEJ", "LAMP", 3, "1.00");
    goods_come(shop, "HAM", "LAMP", 1, "1.00");
    goods_come(shop, "LEJ", "BULB", 4, "2.00");
    const char *sold = sell(shop, "EUR", LINE("LAMP", "2", EUR("10.00")) "," LINE("BULB", "1", EUR("5.00")), "");
    ship(shop, sold);
    pay(shop, id_of(shop, sold), "captured", "25.00");
    ship(shop, sell(shop, "JPY", "{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"1500\",\"currency\":\"JPY\"}}", ""));
    follow(&ledger);
    const char *of_order = arena_printf(shop->arena, "/v1/ledger/postings?subject=%s", id_of(shop, sold));
    assert_pages(shop, "/v1/ledger/trial");
    assert_pages(shop, "/v1/ledger/postings");
    assert_pages(shop, "/v1/ledger/postings?account=receivable");
    assert_pages(shop, of_order);
    assert_pages(shop, "/v1/ledger/stock");
    assert_pages(shop, "/v1/ledger/stock?node=LEJ");
    const char *body = shop_must(shop, 200, "GET", of_order, NULL).body;
    const char *const parts[] = { "\"account\":\"clearing\",\"debit\":" EUR("25.00"),
                                  "\"account\":\"cost_of_goods\",\"debit\":" EUR("2.00"),
                                  "\"account\":\"revenue\",\"credit\":" EUR("25.00"),
                                  "\"type\":\"order.payment\"",
                                  "\"type\":\"fulfilment\"",
                                  "\"sku\":\"BULB\",\"quantity\":1" };
    for (size_t i = 0; i < COUNT(parts); i++)
        if (strstr(body, parts[i]) == NULL)
            fail_msg("%s is not in %s", parts[i], body);
    assert_null(strstr(body, "JPY"));
    assert_non_null(
        strstr(shop_must(shop, 200, "GET", "/v1/ledger/stock?sku=LAMP", NULL).body, "\"sku\":\"LAMP\",\"quantity\":1,\"value\":" EUR("1.00")));
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/ledger/stock?sku=NONE", NULL).body, "\"items\":[]"));
    static const char *const bad[] = {
        "/v1/ledger/trial?from=today",         "/v1/ledger/trial?to=2026-13-01",       "/v1/ledger/trial?unit=XX",
        "/v1/ledger/trial?cursor=x",           "/v1/ledger/postings?subject=x",        "/v1/ledger/postings?subject=ord_1_1",
        "/v1/ledger/postings?account=nothing", "/v1/ledger/postings?cursor=led_1.2.3", "/v1/ledger/stock?cursor=sku_1"
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        if (shop_call(shop, "GET", bad[i], NULL).status != 400)
            fail_msg("%s is answered", bad[i]);
    assert_int_equal(shop_call(shop, "GET", "/v1/ledger/stock?node=NONE", NULL).status, 200);
    /* What is being made is not shown half. */
    must(db_script(ledger.read, "UPDATE ledger_cursor SET seq = -1 WHERE unit = 1"));
    assert_int_equal(shop_call(shop, "GET", "/v1/ledger/trial", NULL).status, 503);
    close_ledger(&ledger);
}

/* ---- made anew ---- */

static const char *ledger_dump(struct ledger *ledger, struct arena *arena)
{
    static const struct db_table *const tables[] = { &ledger_posting_table, &ledger_day_table, &ledger_stock_table };
    struct buffer out = { .arena = arena };
    for (size_t t = 0; t < COUNT(tables); t++) {
        struct db_rows rows = whole_table(ledger->read, arena, tables[t]);
        for (size_t i = 0; i < rows.count; i++)
            for (size_t c = 0; c < tables[t]->column_count; c++)
                buffer_printf(&out, "%ld%c", (long)((const int64_t *)db_row(&rows, i))[c], c + 1 == tables[t]->column_count ? '\n' : ' ');
    }
    return out.at;
}

static void assert_same(struct ledger *ledger, const char *before, const char *says)
{
    const char *after = ledger_dump(ledger, ledger->shop->arena);
    size_t same = 0;
    while (before[same] != '\0' && before[same] == after[same])
        same++;
    if (strcmp(before, after) != 0)
        fail_msg("%s: ..%.80s instead of ..%.80s", says, after + same, before + same);
}

static void unit_follow_by(struct ledger *ledger, int64_t page, int pages, int64_t forget_rows)
{
    struct db_rows clocks = shop_table(ledger->shop, ledger->shop->arena, &unit_clock_table);
    const struct unit_clock_row *clock = db_row(&clocks, clocks.count - 1);
    struct ledger_follower follower = {
        .store = engine_db(ledger->shop->engine), .read = ledger->read, .arena = ledger->follower.arena, .page = page, .forget_rows = forget_rows
    };
    for (bool behind = true; behind;)
        must(ledger_follow(&follower, clock->unit, clock->event_seq, clock->next_id, pages, &behind));
}

static void a_ledger_is_made_anew(struct shop *shop)
{
    static const struct {
        const char *says, *sql;
        int64_t page, forget_rows;
        int pages;
    } cases[] = {
        { "it was dropped", "DELETE FROM ledger_cursor; DELETE FROM ledger_posting; DELETE FROM ledger_day; DELETE FROM ledger_stock", 0, 0, 1 },
        { "by one movement at a time", "DELETE FROM ledger_cursor; DELETE FROM ledger_posting; DELETE FROM ledger_day; DELETE FROM ledger_stock", 1,
          0, 3 },
        { "a server died while it was forgotten", "UPDATE ledger_cursor SET seq = -1 WHERE unit = 1", 2, 3, 1 },
        { "by other rules", "UPDATE ledger_cursor SET rules = 0 WHERE unit = 1; UPDATE ledger_posting SET amount = 1", 0, 5, 1 },
        { "of a store that was restored from a copy", "UPDATE ledger_cursor SET seq = seq + 100 WHERE unit = 1; UPDATE ledger_posting SET amount = 1",
          3, 1, 2 },
        { "of another past", "UPDATE ledger_cursor SET event_at = event_at + 1 WHERE unit = 1; UPDATE ledger_stock SET value = 1", 3, 1, 2 },
    };
    struct ledger ledger = open_ledger(shop);
    goods_come(shop, "LEJ", "LAMP", 3, "1.00");
    goods_come(shop, "HAM", "LAMP", 4, "1.13");
    ship(shop, sell(shop, "EUR", LINE("LAMP", "5", EUR("10.00")), ""));
    receive(shop, "LEJ", "BULB", 9);
    follow(&ledger);
    const char *before = ledger_dump(&ledger, shop->arena);
    for (size_t i = 0; i < COUNT(cases); i++) {
        must(db_script(ledger.read, cases[i].sql));
        unit_follow_by(&ledger, cases[i].page, cases[i].pages, cases[i].forget_rows);
        assert_same(&ledger, before, cases[i].says);
        ledger_check(&ledger);
    }
    /* Another server has followed what came behind the clock that this one has read: nothing is forgotten, nothing booked twice. */
    struct db_rows clocks = shop_table(shop, shop->arena, &unit_clock_table);
    const struct unit_clock_row *clock = db_row(&clocks, clocks.count - 1);
    const struct ledger_follower slower = { .store = engine_db(shop->engine), .read = ledger.read, .arena = ledger.follower.arena };
    bool behind;
    must(db_script(ledger.read, "UPDATE ledger_stock SET units = units + 1"));
    must(ledger_follow(&slower, clock->unit, clock->event_seq - 2, clock->next_id - 3, 9, &behind));
    must(ledger_follow(&slower, clock->unit, clock->event_seq, clock->next_id, 9, &behind));
    must(db_script(ledger.read, "UPDATE ledger_stock SET units = units - 1"));
    assert_same(&ledger, before, "another server was further");
    /* A store that fails at any statement leaves a page or nothing. */
    for (int64_t at = 1; at < 60; at++) {
        must(db_script(ledger.read, "UPDATE ledger_cursor SET rules = 0 WHERE unit = 1"));
        db_fail_at(ledger.read, at, DB_BUSY, false);
        (void)projection_round(&ledger.follower);
        db_fail_at(ledger.read, 0, DB_OK, false);
        follow(&ledger);
        assert_same(&ledger, before, "the store failed");
    }
    /* So does a machine without memory in the midst of a page. */
    struct arena *enough = ledger.follower.arena;
    int failed = 0;
    for (size_t bytes = (size_t)64 << 10; bytes < (size_t)8 << 20; bytes += (size_t)24 << 10) {
        must(db_script(ledger.read, "UPDATE ledger_cursor SET rules = 0 WHERE unit = 1"));
        ledger.follower.arena = arena_new(bytes);
        failed += projection_round(&ledger.follower) != DB_OK;
        arena_free(ledger.follower.arena);
        ledger.follower.arena = enough;
        follow(&ledger);
        assert_same(&ledger, before, "there was no memory");
    }
    assert_true(failed > 0);
    close_ledger(&ledger);
}

/* ---- random days, and a bookkeeper who looks at tables ---- */

#define DAYS 12 /* where MILLRACE_LEDGER_DAYS says no other number */
#define DAY_COMMANDS 120

struct day {
    struct ledger ledger;
    uint64_t random;
    const char *orders[DAY_COMMANDS], *transfers[DAY_COMMANDS];
    size_t order_count, transfer_count;
};

static uint64_t draw(struct day *day, uint64_t below)
{
    day->random += 0x9e3779b97f4a7c15u;
    return hash_u64(day->random) % below;
}

static const char *one_of(struct day *day, const char *const *words, size_t count)
{
    return words[draw(day, count)];
}
#define ONE_OF(day, ...) one_of(day, (const char *const[]){ __VA_ARGS__ }, COUNT(((const char *const[]){ __VA_ARGS__ })))
#define CENTS(n) (long)(n) / 100, (long)(n) % 100

static void any_stock(struct day *day)
{
    struct shop *shop = day->ledger.shop;
    uint64_t kind = draw(day, 8);
    const char *sku = ONE_OF(day, "LAMP", "BULB", "SHADE"), *node = ONE_OF(day, "LEJ", "HAM");
    if (kind < 3)
        (void)shop_call(
            shop, "POST", "/v1/inventory/adjustments",
            "{\"node\":\"%s\",\"sku\":\"%s\",\"delta\":%ld,\"reason\":\"receipt\",\"unit_cost\":{\"amount\":\"%ld.%02ld\",\"currency\":\"EUR\"}}",
            node, sku, (long)draw(day, 12) + 1, CENTS(draw(day, 700)));
    else if (kind < 6)
        (void)shop_call(shop, "POST", "/v1/inventory/adjustments", "{\"node\":\"%s\",\"sku\":\"%s\",\"delta\":%ld,\"reason\":\"%s\"}", node, sku,
                        (long)draw(day, 9) - 3, ONE_OF(day, "receipt", "found", "damage", "loss", "correction", "count"));
    else if (kind == 6)
        (void)shop_call(shop, "POST", "/v1/inventory/adjustments", "{\"node\":\"%s\",\"sku\":\"%s\",\"set\":%ld,\"reason\":\"%s\"}", node, sku,
                        (long)draw(day, 9), ONE_OF(day, "count", "opening"));
    else
        (void)shop_call(shop, "POST", "/v1/inventory/regrade", "{\"node\":\"%s\",\"sku\":\"%s\",\"%s\":\"B\",\"quantity\":%ld}", node, sku,
                        ONE_OF(day, "class", "to_class"), (long)draw(day, 3) + 1);
}

static void any_order(struct day *day)
{
    struct shop *shop = day->ledger.shop;
    static int number;
    const char *currency = ONE_OF(day, "EUR", "EUR", "USD");
    struct buffer lines = { .arena = shop->arena };
    for (uint64_t l = draw(day, 3) + 1; l > 0; l--) {
        const uint64_t quantity = draw(day, 4) + 1, price = draw(day, 900) + 100;
        buffer_printf(&lines, "%s{\"sku\":\"%s\",\"quantity\":%ld,\"unit_price\":{\"amount\":\"%ld.%02ld\",\"currency\":\"%s\"}",
                      lines.size == 0 ? "" : ",", ONE_OF(day, "LAMP", "BULB", "SHADE", "KIT"), (long)quantity, CENTS(price), currency);
        if (draw(day, 2) == 0)
            buffer_printf(&lines, ",\"discount\":{\"amount\":\"%ld.%02ld\",\"currency\":\"%s\"}", CENTS(draw(day, price)), currency);
        if (draw(day, 2) == 0)
            buffer_printf(&lines, ",\"tax\":{\"amount\":\"%ld.%02ld\",\"currency\":\"%s\"}", CENTS(draw(day, price / 4)), currency);
        buffer_printf(&lines, "}");
    }
    const char *body =
        shop_call(
            shop, "POST", "/v1/orders",
            "{\"channel\":\"%s\",\"channel_order_id\":\"R-%d\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"%s\",\"prices_include_tax\":%s,\"customer\":{\"name\":\"A\"},"
            "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[%s],\"on_shortage\":\"partial\",\"shipping\":{\"service\":\"S\",\"price\":{\"amount\":\"%ld.%02ld\",\"currency\":\"%s\"}},"
            "\"payment\":%s}",
            ONE_OF(day, "web", "market"), ++number, currency, ONE_OF(day, "true", "false"), lines.at, CENTS(draw(day, 500)), currency,
            ONE_OF(day, "{\"term\":\"on_account\",\"status\":\"pending\"}", "{\"term\":\"prepaid\",\"status\":\"captured\",\"reference\":\"r\"}",
                   "{\"term\":\"authorised\",\"status\":\"authorised\",\"reference\":\"r\"}"))
            .body;
    if (strstr(body, "\"id\":\"ord_") != NULL)
        day->orders[day->order_count++] = id_of(shop, body);
}

static void any_deed(struct day *day, const char *order)
{
    struct shop *shop = day->ledger.shop;
    static int number;
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", order), NULL).body;
    uint64_t kind = draw(day, 8);
    if (kind < 2) {
        char currency[8];
        text_in(body, NULL, "currency", currency, sizeof currency);
        (void)shop_call(shop, "POST", arena_printf(shop->arena, "/v1/orders/%s/payments", order),
                        "{\"kind\":\"%s\",\"amount\":{\"amount\":\"%ld.%02ld\",\"currency\":\"%s\"},\"reference\":\"q-%d\"}",
                        ONE_OF(day, "authorised", "captured", "captured", "refunded", "voided", "failed"), CENTS(draw(day, 2000)), currency,
                        ++number);
        return;
    }
    if (kind == 2) {
        (void)shop_call(shop, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", order),
                        "{\"reason\":\"x\",\"lines\":[{\"line\":1,\"quantity\":1}]}");
        return;
    }
    if (kind == 3) {
        (void)shop_call(shop, "POST", arena_printf(shop->arena, "/v1/orders/%s/edit", order), "{\"set\":[{\"line\":1,\"quantity\":%ld}]}",
                        (long)draw(day, 5) + 1);
        return;
    }
    for (const char *at = body; (at = strstr(at, "\"id\":\"ful_")) != NULL; at++) { /* what can be, is reported; the rest is refused */
        char work[32];
        text_in(at, NULL, "id", work, sizeof work);
        (void)shop_call(shop, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/pick", work),
                        draw(day, 4) == 0 ? "{\"lines\":[{\"line\":1,\"sku\":\"LAMP\",\"quantity\":0}]}" : "{}");
        if (draw(day, 3) == 0)
            continue;
        (void)shop_call(shop, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/pack", work), "{\"packages\":[{\"weight_g\":1}]}");
        (void)shop_call(shop, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/ship", work), "{\"carrier\":\"D\",\"tracking\":\"T\"}");
    }
}

static void any_transfer(struct day *day)
{
    struct shop *shop = day->ledger.shop;
    const char *sku = ONE_OF(day, "LAMP", "BULB");
    const bool back = draw(day, 2) == 0;
    const char *id = day->transfer_count == 0 ? "" : day->transfers[draw(day, day->transfer_count)];
    if (draw(day, 2) == 0 && day->transfer_count > 0) {
        (void)shop_call(shop, "POST", arena_printf(shop->arena, "/v1/transfers/%s/receive", id), "{\"lines\":[{\"sku\":\"%s\",\"quantity\":%ld}]}",
                        sku, (long)draw(day, 4));
        return;
    }
    const char *body = shop_call(shop, "POST", "/v1/transfers", "{\"from\":\"%s\",\"to\":\"%s\",\"lines\":[{\"sku\":\"%s\",\"quantity\":%ld}]}",
                                 back ? "HAM" : "LEJ", back ? "LEJ" : "HAM", sku, (long)draw(day, 4) + 1)
                           .body;
    if (strstr(body, "\"id\":\"trf_") == NULL)
        return;
    id = day->transfers[day->transfer_count++] = id_of(shop, body);
    (void)shop_call(shop, "POST", arena_printf(shop->arena, "/v1/transfers/%s/ship", id), NULL);
}

/* By account and currency: EUR and USD. */
struct bookkeeper {
    int64_t of[2][ACCOUNT_COUNT];
};

/* Goods, of the movements as they stand: what each SKU and class has on hand and on the way, and what it is worth. */
struct pile {
    int64_t sku, class, units[2], worth[2], last_cost;
};

static int64_t leave(struct pile *pile, int side, int64_t quantity)
{
    __extension__ typedef __int128 wide;
    const int64_t twice = (int64_t)((wide)2 * pile->worth[side] * quantity / max_i64(1, pile->units[side]));
    const int64_t part = pile->units[side] == quantity ? pile->worth[side] : (twice + 1) / 2;
    pile->units[side] -= quantity;
    pile->worth[side] -= part;
    return part;
}

static void keep_goods(struct shop *shop, struct bookkeeper *keeper)
{
    struct db_rows rows = shop_table(shop, shop->arena, &movement_table), adjustments = shop_table(shop, shop->arena, &adjustment_table);
    struct pile piles[16] = { 0 };
    size_t count = 0;
    int64_t graded = 0;
    for (size_t i = 0; i < rows.count; i++) {
        const struct movement_row *m = db_row(&rows, i);
        bool opens = false;
        for (size_t a = 0; a < adjustments.count && m->cause_kind == CAUSE_ADJUSTMENT; a++) {
            const struct adjustment_row *adjustment = db_row(&adjustments, a);
            opens = opens || (adjustment->id == m->cause && adjustment->reason == 0);
        }
        const bool leaves = m->from_node >= PLACE_NODES || m->from_node == PLACE_TRANSIT,
                   comes = m->to_node >= PLACE_NODES || m->to_node == PLACE_TRANSIT;
        size_t p = 0;
        if (m->from_node >= PLACE_NODES && m->to_node >= PLACE_NODES)
            continue;
        while (p < count && (piles[p].sku != m->sku || piles[p].class != m->class))
            p++;
        if (p == count)
            piles[count++] = (struct pile){ .sku = m->sku, .class = m->class, .last_cost = 0 };
        struct pile *pile = &piles[p];
        int64_t amount;
        if (leaves)
            amount = leave(pile, m->from_node == PLACE_TRANSIT, m->quantity);
        else if (m->unit_cost != NULL_INT)
            amount = m->unit_cost * m->quantity;
        else if (m->cause_kind == CAUSE_INSPECTION)
            amount = graded; /* it left just before */
        else if (pile->units[0] > 0 && pile->worth[0] > 0)
            amount = (2 * pile->worth[0] * m->quantity / pile->units[0] + 1) / 2;
        else
            amount = pile->last_cost * m->quantity;
        graded = amount;
        pile->last_cost = m->from_node == PLACE_SUPPLIER && m->unit_cost != NULL_INT ? m->unit_cost : pile->last_cost;
        if (comes) {
            pile->units[m->to_node == PLACE_TRANSIT] += m->quantity;
            pile->worth[m->to_node == PLACE_TRANSIT] += amount;
        }
        const int accounts[PLACE_NODES] = {
            0, opens ? ACCOUNT_OPENING : ACCOUNT_RECEIVED, ACCOUNT_COST_OF_GOODS, ACCOUNT_ADJUSTMENT, ACCOUNT_SCRAP, ACCOUNT_TRANSIT
        };
        keeper->of[0][m->to_node >= PLACE_NODES ? ACCOUNT_STOCK : accounts[m->to_node]] += amount;
        keeper->of[0][m->from_node >= PLACE_NODES ? ACCOUNT_STOCK : accounts[m->from_node]] -= amount;
    }
}

/* Money, of the orders as they stand: what has shipped of each line, and what was paid. */
static void keep_money(struct shop *shop, struct bookkeeper *keeper)
{
    struct db_rows orders = shop_table(shop, shop->arena, &orders_table), lines = shop_table(shop, shop->arena, &order_line_table),
                   demands = shop_table(shop, shop->arena, &demand_table);
    for (size_t o = 0; o < orders.count; o++) {
        const struct orders_row *sold = db_row(&orders, o);
        int64_t *of = keeper->of[sold->currency[0] == 'U'], goods = 0, tax = 0, shipped = 0;
        for (size_t l = 0; l < lines.count; l++) {
            const struct order_line_row *line = db_row(&lines, l);
            int64_t pieces = INT64_MAX;
            for (size_t d = 0; d < demands.count; d++) {
                const struct demand_row *demand = db_row(&demands, d);
                if (demand->ord != sold->id || line->ord != sold->id || demand->line != line->line)
                    continue;
                pieces = min_i64(pieces, demand->shipped / demand->need);
                shipped += demand->shipped;
            }
            if (line->ord != sold->id)
                continue;
            struct line_money money;
            assert_true(line_money(line, pieces, &money));
            goods += money.goods - money.discount;
            tax += money.tax;
        }
        const int64_t shipping = shipped > 0 ? sold->shipping : 0, net = goods - (sold->prices_include_tax ? tax : 0);
        of[ACCOUNT_REVENUE] -= net;
        of[ACCOUNT_TAX] -= tax;
        of[ACCOUNT_SHIPPING] -= shipping;
        of[ACCOUNT_CLEARING] += sold->captured - sold->refunded;
        of[ACCOUNT_RECEIVABLE] += net + tax + shipping - (sold->captured - sold->refunded);
    }
}

static const char *run_day(enum store store, uint64_t seed, struct arena *arena)
{
    struct shop *shop = shop_open(store);
    shop_furnish(shop);
    shop_must(shop, 201, "PUT", "/v1/classes/B", "{\"name\":\"B\"}");
    struct day day = { .ledger = open_ledger(shop), .random = seed };
    for (int i = 0; i < DAY_COMMANDS; i++) {
        uint64_t kind = draw(&day, 10);
        shop->now_us += (int64_t)draw(&day, 3600) * 1000000;
        if (kind < 3)
            any_stock(&day);
        else if (kind < 5 || day.order_count == 0)
            any_order(&day);
        else if (kind < 9)
            any_deed(&day, day.orders[draw(&day, day.order_count)]);
        else
            any_transfer(&day);
        if (draw(&day, 8) == 0)
            unit_follow_by(&day.ledger, (int64_t)draw(&day, 3) + 1, (int)draw(&day, 3) + 1, 0);
    }
    (void)shop_jobs(shop, 1);
    follow(&day.ledger);
    struct bookkeeper keeper = { 0 };
    keep_goods(shop, &keeper);
    keep_money(shop, &keeper);
    for (int currency = 0; currency < 2; currency++)
        for (int account = 1; account < ACCOUNT_COUNT; account++) {
            int64_t found = balance_in(&day.ledger, (enum account)account, currency == 0 ? "EUR" : "USD");
            if (found != keeper.of[currency][account])
                fail_msg("seed %lu: %s is %ld %s, the bookkeeper has %ld", (unsigned long)seed, account_names[account - 1], (long)found,
                         currency == 0 ? "EUR" : "USD", (long)keeper.of[currency][account]);
        }
    const char *dump = arena_text(arena, ledger_dump(&day.ledger, shop->arena));
    must(db_script(day.ledger.read, "UPDATE ledger_cursor SET rules = 0 WHERE unit = 1")); /* made anew in one go */
    follow(&day.ledger);
    assert_same(&day.ledger, dump, "it was made anew");
    close_ledger(&day.ledger);
    shop_close(shop);
    return dump;
}

static void random_days_are_booked_alike(void **state)
{
    const char *asked = getenv("MILLRACE_LEDGER_DAYS");
    const uint64_t days = asked == NULL ? DAYS : strtoull(asked, NULL, 10);
    struct arena *arena = arena_new((size_t)1 << 28);
    for (uint64_t seed = 1; seed <= days; seed++) {
        const char *dump = run_day(STORE_SQLITE, seed, arena);
        if (store_is_there(STORE_POSTGRES) && strcmp(dump, run_day(STORE_POSTGRES, seed, arena)) != 0)
            fail_msg("seed %lu: the stores have other postings", (unsigned long)seed);
        arena_reset(arena);
    }
    arena_free(arena);
    (void)state;
}

static const struct shop_scene scenes[] = {
    SCENE(goods_are_worth_their_average),    SCENE(the_last_unit_takes_what_is_left),
    SCENE(parcels_add_up_to_the_order),      SCENE(tax_that_prices_include_is_no_revenue),
    SCENE(what_is_cancelled_is_not_sold),    SCENE(an_order_abroad_is_booked_in_its_money),
    SCENE(money_comes_and_goes_back),        SCENE(goods_on_the_way_are_still_ours),
    SCENE(what_was_never_valued_is_told),    SCENE(goods_of_another_class_are_worth_what_they_were),
    SCENE(a_delivery_costs_what_was_agreed), SCENE(days_are_those_of_the_unit),
    SCENE(books_are_read_in_pages),          SCENE(a_ledger_is_made_anew),
};

int main(void)
{
    const struct CMUnitTest days[] = { cmocka_unit_test(random_days_are_booked_alike) };
    const int failed = scenes_play("ledger", scenes, COUNT(scenes));
    return failed + cmocka_run_group_tests_name("ledger, random days", days, NULL, NULL);
}
