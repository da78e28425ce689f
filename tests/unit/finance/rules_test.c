/* tests/unit/finance/rules_test.c: what is booked, and that everything which happens has a rule. */
#include "finance/finance.h"
#include "inventory/inventory.h"
#include "base/money.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define NODE INT64_C(1005)

static void goods_and_what_they_are_worth(void **state)
{
    static const struct {
        const char *says;
        struct ledger_stock_row before;
        int64_t from, to, quantity, unit_cost;
        int64_t amount, units, value;
        enum ledger_note note;
    } cases[] = {
        { "a receipt at its cost", { 0 }, PLACE_SUPPLIER, NODE, 10, 250, 2500, 10, 2500, NOTE_NONE },
        { "one that costs nothing, as was told", { .units = 1, .value = 5 }, PLACE_SUPPLIER, NODE, 1, 0, 0, 2, 5, NOTE_NONE },
        { "its cost was not told: the average", { .units = 4, .value = 10 }, PLACE_SUPPLIER, NODE, 2, NULL_INT, 5, 6, 15, NOTE_AVERAGE },
        { "the average, half a cent rounded up", { .units = 2, .value = 5 }, PLACE_SUPPLIER, NODE, 1, NULL_INT, 3, 3, 8, NOTE_AVERAGE },
        { "none on hand: the last cost", { .last_cost = 7 }, PLACE_SUPPLIER, NODE, 3, NULL_INT, 21, 3, 21, NOTE_LAST_COST },
        { "never was any told", { .last_cost = NULL_INT }, PLACE_SUPPLIER, NODE, 3, NULL_INT, 0, 3, 0, NOTE_NO_COST },
        { "found at the average", { .units = 3, .value = 9 }, PLACE_ADJUSTMENT, NODE, 1, NULL_INT, 3, 4, 12, NOTE_AVERAGE },
        { "one of three leaves", { .units = 3, .value = 10 }, NODE, PLACE_CUSTOMER, 1, NULL_INT, 3, 2, 7, NOTE_NONE },
        { "half a cent rounded up", { .units = 2, .value = 7 }, NODE, PLACE_CUSTOMER, 1, NULL_INT, 4, 1, 3, NOTE_NONE },
        { "the last ones take what is left", { .units = 2, .value = 7 }, NODE, PLACE_CUSTOMER, 2, NULL_INT, 7, 0, 0, NOTE_NONE },
        { "what they cost is not asked when they leave", { .units = 2, .value = 8 }, NODE, PLACE_SCRAP, 1, 99, 4, 1, 4, NOTE_NONE },
        { "goods worth nothing", { .units = 2 }, NODE, PLACE_ADJUSTMENT, 1, NULL_INT, 0, 1, 0, NOTE_NONE },
        { "an amount that does not fit", { 0 }, PLACE_SUPPLIER, NODE, 10, INT64_MAX / 2, 0, 10, 0, NOTE_TOO_LARGE },
        { "a sum that does not fit", { .units = 1, .value = INT64_MAX - 1 }, PLACE_SUPPLIER, NODE, 1, 2, 0, 2, INT64_MAX - 1, NOTE_TOO_LARGE },
        { "large goods",
          { .units = 3000000, .value = INT64_C(9000000000000000) },
          NODE,
          PLACE_CUSTOMER,
          1000000,
          NULL_INT,
          INT64_C(3000000000000000),
          2000000,
          INT64_C(6000000000000000),
          NOTE_NONE },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ledger_stock_row stock = cases[i].before;
        struct entry entry;
        struct moved moved = { .id = 1,
                               .quantity = cases[i].quantity,
                               .from_node = cases[i].from,
                               .to_node = cases[i].to,
                               .cause_kind = cases[i].to == PLACE_CUSTOMER ? CAUSE_FULFILMENT : CAUSE_ADJUSTMENT,
                               .unit_cost = cases[i].unit_cost };
        book_movement(&moved, 1, &stock, &(struct carried){ 0 }, &entry);
        if (entry.count != 2 || entry.postings[0].amount != cases[i].amount || entry.postings[1].amount != -cases[i].amount ||
            stock.units != cases[i].units || stock.value != cases[i].value || entry.note != cases[i].note)
            fail_msg("%s: %ld, %ld units worth %ld, note %s", cases[i].says, (long)entry.postings[0].amount, (long)stock.units, (long)stock.value,
                     note_names[entry.note]);
    }
    (void)state;
}

/* What goods cost goes with them into transit and out of it, to the last cent. */
static void goods_in_transit_keep_what_they_cost(void **state)
{
    struct ledger_stock_row stock = { .units = 3, .value = 10, .last_cost = NULL_INT };
    struct entry entry;
    struct moved moved = { .quantity = 2, .from_node = NODE, .to_node = PLACE_TRANSIT, .cause_kind = CAUSE_TRANSFER, .unit_cost = NULL_INT };
    book_movement(&moved, 1, &stock, &(struct carried){ 0 }, &entry);
    assert_int_equal(entry.postings[0].account, ACCOUNT_TRANSIT);
    assert_int_equal(stock.transit_value, 7);
    assert_int_equal(stock.value, 3);
    moved = (struct moved){ .quantity = 1, .from_node = PLACE_TRANSIT, .to_node = NODE + 1, .cause_kind = CAUSE_TRANSFER, .unit_cost = NULL_INT };
    book_movement(&moved, 1, &stock, &(struct carried){ 0 }, &entry);
    assert_int_equal(stock.transit_value, 3);
    assert_int_equal(stock.value, 7);
    moved.to_node = PLACE_ADJUSTMENT;
    book_movement(&moved, 1, &stock, &(struct carried){ 0 }, &entry);
    assert_int_equal(entry.postings[0].amount, 3);
    assert_int_equal(stock.transit_units, 0);
    assert_int_equal(stock.transit_value, 0);
    (void)state;
}

/* They are worth in their new class what they were in the old one, whatever the others there cost. */
static void goods_graded_otherwise_keep_what_they_cost(void **state)
{
    struct ledger_stock_row own = { .units = 3, .value = 10 }, second = { .class = 1, .units = 5, .value = 5 };
    struct carried carried = { 0 };
    struct entry entry;
    struct moved moved = {
        .id = 7, .quantity = 1, .from_node = NODE, .to_node = PLACE_ADJUSTMENT, .cause_kind = CAUSE_INSPECTION, .unit_cost = NULL_INT
    };
    book_movement(&moved, 1, &own, &carried, &entry);
    moved = (struct moved){
        .id = 8, .class = 1, .quantity = 1, .from_node = PLACE_ADJUSTMENT, .to_node = NODE, .cause_kind = CAUSE_INSPECTION, .unit_cost = NULL_INT
    };
    book_movement(&moved, 1, &second, &carried, &entry);
    assert_int_equal(own.value, 7);
    assert_int_equal(second.value, 8);
    assert_int_equal(entry.note, NOTE_NONE);
    (void)state;
}

static void opening_stock_is_no_receipt(void **state)
{
    struct ledger_stock_row stock = { .last_cost = NULL_INT };
    struct entry entry;
    struct moved moved = {
        .quantity = 2, .from_node = PLACE_SUPPLIER, .to_node = NODE, .cause_kind = CAUSE_ADJUSTMENT, .unit_cost = 5, .opens = true
    };
    book_movement(&moved, 1, &stock, &(struct carried){ 0 }, &entry);
    assert_int_equal(entry.postings[0].account, ACCOUNT_STOCK);
    assert_int_equal(entry.postings[1].account, ACCOUNT_OPENING);
    moved = (struct moved){
        .quantity = 1, .from_node = NODE, .to_node = PLACE_SUPPLIER, .cause_kind = CAUSE_ADJUSTMENT, .unit_cost = NULL_INT, .opens = true
    };
    book_movement(&moved, 1, &stock, &(struct carried){ 0 }, &entry);
    assert_int_equal(entry.postings[0].account, ACCOUNT_OPENING);
    assert_int_equal(entry.postings[0].amount, 5);
    (void)state;
}

static void events(void **state)
{
    static const struct {
        const char *says;
        enum event_type type;
        int64_t amount;
        const char *currency, *data;
        int64_t receivable, revenue, tax, shipping, clearing;
        enum ledger_note note;
    } cases[] = {
        { "an order that nobody has paid", EVENT_ORDER_CREATED, 500, "EUR", "{\"stage\":\"captured\",\"version\":1,\"demands\":[[0,0,1,0,0,0]]}", 0 },
        { "an order that came paid", EVENT_ORDER_CREATED, 500, "EUR",
          "{\"payment\":{\"kind\":\"captured\",\"reference\":\"p\",\"amount\":{\"amount\":\"4.00\",\"currency\":\"EUR\"}},\"stage\":\"captured\"}",
          -400, 0, 0, 0, 400 },
        { "an order that came authorised", EVENT_ORDER_CREATED, 500, "EUR",
          "{\"payment\":{\"kind\":\"authorised\",\"amount\":{\"amount\":\"4.00\",\"currency\":\"EUR\"}}}", 0 },
        { "money is taken", EVENT_ORDER_PAYMENT, 100, "USD", "{\"kind\":\"captured\",\"reference\":\"x\",\"stage\":\"captured\"}", -100, 0, 0, 0,
          100 },
        { "money goes back", EVENT_ORDER_PAYMENT, 100, "USD", "{\"kind\":\"refunded\",\"reference\":\"x\"}", 100, 0, 0, 0, -100 },
        { "money is promised", EVENT_ORDER_PAYMENT, 100, "USD", "{\"kind\":\"authorised\"}", 0 },
        { "a promise is given back", EVENT_ORDER_PAYMENT, 100, "USD", "{\"kind\":\"voided\"}", 0 },
        { "it failed", EVENT_ORDER_PAYMENT, 100, "USD", "{\"kind\":\"failed\"}", 0 },
        { "goods without tax", EVENT_FULFILMENT_CHANGED, 1000, "EUR", "{\"state\":\"shipped\"}", 1000, -1000 },
        { "tax on the price, and shipping", EVENT_FULFILMENT_CHANGED, 1000, "EUR",
          "{\"state\":\"shipped\",\"due\":[1],\"tax\":{\"amount\":\"1.90\",\"currency\":\"EUR\"},\"shipping\":{\"amount\":\"4.90\",\"currency\":\"EUR\"}}",
          1680, -1000, -190, -490 },
        { "tax within the price", EVENT_FULFILMENT_CHANGED, 1190, "EUR",
          "{\"tax\":{\"amount\":\"1.90\",\"currency\":\"EUR\"},\"tax_included\":true,\"carrier\":\"DHL\"}", 1190, -1000, -190 },
        { "yen have no minor unit", EVENT_FULFILMENT_CHANGED, 1000, "JPY", "{\"tax\":{\"amount\":\"100\",\"currency\":\"JPY\"}}", 1100, -1000, -100 },
        { "an order tells once more what it was sold for", EVENT_ORDER_SHIPPED, 1000, "EUR", "{}", 0 },
        { "nobody knows what kind of payment", EVENT_ORDER_PAYMENT, 100, "EUR", "{}", .note = NOTE_UNDECIDED },
        { "nor in what currency", EVENT_ORDER_PAYMENT, 100, NULL, "{\"kind\":\"captured\"}", .note = NOTE_UNDECIDED },
        { "a text that says nothing", EVENT_FULFILMENT_CHANGED, 100, "EUR", NULL, .note = NOTE_UNDECIDED },
        { "a tax that is no amount", EVENT_FULFILMENT_CHANGED, 100, "EUR", "{\"tax\":5}", 100, -100, .note = NOTE_UNDECIDED },
        { "a type of a later release", (enum event_type)EVENT_TYPE_COUNT, 100, "EUR", "{}", .note = NOTE_UNDECIDED },
    };
    struct arena *arena = arena_new((size_t)1 << 20);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct told told = {
            .seq = 5, .type = cases[i].type, .subject = 9, .amount = cases[i].amount, .currency = cases[i].currency, .data = cases[i].data
        };
        struct entry entry;
        int64_t balance[ACCOUNT_COUNT] = { 0 }, sum = 0;
        book_event(arena, &told, &entry);
        for (size_t p = 0; p < entry.count; p++)
            balance[entry.postings[p].account] += entry.postings[p].amount, sum += entry.postings[p].amount;
        if (balance[ACCOUNT_RECEIVABLE] != cases[i].receivable || balance[ACCOUNT_REVENUE] != cases[i].revenue ||
            balance[ACCOUNT_TAX] != cases[i].tax || balance[ACCOUNT_SHIPPING] != cases[i].shipping ||
            balance[ACCOUNT_CLEARING] != cases[i].clearing || entry.note != cases[i].note || sum != 0)
            fail_msg("%s: receivable %ld, revenue %ld, tax %ld, shipping %ld, clearing %ld, note %s", cases[i].says,
                     (long)balance[ACCOUNT_RECEIVABLE], (long)balance[ACCOUNT_REVENUE], (long)balance[ACCOUNT_TAX], (long)balance[ACCOUNT_SHIPPING],
                     (long)balance[ACCOUNT_CLEARING], note_names[entry.note]);
    }
    arena_free(arena);
    (void)state;
}

/* A cause or a place that comes needs its rows in src/finance/rules.c; an event type without one does not build. */
static void everything_has_a_rule(void **state)
{
    for (int64_t cause = 1; cause_names[cause] != NULL; cause++)
        if (!ledger_knows_cause(cause))
            fail_msg("movement_rules of src/finance/rules.c say nothing of the cause %s", cause_names[cause]);
    for (int64_t place = 1; place_name(place) != NULL; place++) {
        bool known = false;
        for (int64_t cause = 1; cause_names[cause] != NULL; cause++)
            known = known || ledger_knows(cause, place, NODE) || ledger_knows(cause, NODE, place);
        if (!known)
            fail_msg("movement_rules of src/finance/rules.c say nothing of the place %s", place_name(place));
    }
    assert_false(ledger_knows(CAUSE_FENCE, PLACE_SUPPLIER, NODE));
    assert_false(ledger_knows(CAUSE_ORDER, NODE, PLACE_CUSTOMER));
    (void)state;
}

/* What no rule knows is booked by its places, so that the books still balance, and is marked. */
static void what_nobody_decided_is_marked(void **state)
{
    struct ledger_stock_row stock = { .units = 2, .value = 8, .last_cost = NULL_INT };
    struct entry entry;
    struct moved moved = { .quantity = 1, .from_node = NODE, .to_node = PLACE_CUSTOMER, .cause_kind = CAUSE_FENCE, .unit_cost = NULL_INT };
    book_movement(&moved, 1, &stock, &(struct carried){ 0 }, &entry);
    assert_int_equal(entry.note, NOTE_UNDECIDED);
    assert_int_equal(entry.postings[0].amount, 4);
    assert_int_equal(stock.value, 4);
    (void)state;
}

static void currencies(void **state)
{
    char letters[4];
    currency_letters(currency_number("EUR"), letters);
    assert_string_equal(letters, "EUR");
    assert_int_equal(currency_number(NULL), 0);
    assert_int_equal(currency_number("EURO"), 0);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goods_and_what_they_are_worth),
        cmocka_unit_test(goods_in_transit_keep_what_they_cost),
        cmocka_unit_test(opening_stock_is_no_receipt),
        cmocka_unit_test(goods_graded_otherwise_keep_what_they_cost),
        cmocka_unit_test(events),
        cmocka_unit_test(everything_has_a_rule),
        cmocka_unit_test(what_nobody_decided_is_marked),
        cmocka_unit_test(currencies),
    };
    return cmocka_run_group_tests_name("ledger rules", tests, NULL, NULL);
}
