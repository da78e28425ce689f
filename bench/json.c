/* bench/json.c: how long an order of 1 KB takes to tokenise, to read by a field table, and to write. Prints the best of 20
 * rounds, since whatever else the machine does only adds.
 *   cc -O2 -std=gnu11 -D_GNU_SOURCE -Isrc bench/json.c src/base/[a-z]*.c -lutf8proc -lsodium -o /tmp/json && /tmp/json */
#include "base/fields.h"
#include "base/when.h"
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 20
#define ORDERS 20000

static const char order[] = "{\"channel\":\"web\",\"channel_order_id\":\"W-1001\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                            "\"customer\":{\"name\":\"Ann-Marie "
                            "M\xC3\xBCller\",\"email\":\"ann.mueller@example.com\",\"phone\":\"+49 731 5550123\"},\"ship_to\":{\"name\":\"Ann-Marie "
                            "M\xC3\xBCller\",\"street\":\"M\xC3\xBCnsterplatz "
                            "21, 3. "
                            "Stock\",\"postal_code\":\"89073\",\"city\":\"Ulm\",\"country\":\"DE\"},\"prices_include_tax\":true,\"lines\":[{\"sku\":"
                            "\"LAMP-LED-WARM\",\"quantity\":2,"
                            "\"unit_price\":{\"amount\":\"19.99\",\"currency\":\"EUR\"},\"discount\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}},{"
                            "\"sku\":\"DESK-160-OAK\",\"quantity\":1,"
                            "\"unit_price\":{\"amount\":\"349.00\",\"currency\":\"EUR\"},\"tax\":{\"amount\":\"55.72\",\"currency\":\"EUR\"}},{"
                            "\"sku\":\"CABLE-3M\",\"quantity\":10,\"unit_price\":"
                            "{\"amount\":\"2.49\",\"currency\":\"EUR\"}}],\"shipping\":{\"service\":\"standard\",\"price\":{\"amount\":\"4.90\","
                            "\"currency\":\"EUR\"}},\"payment\":{\"term\":"
                            "\"prepaid\",\"status\":\"captured\",\"method\":\"card\",\"reference\":\"ch_3Pq7sT2eZvKYlo2C1x\"},\"on_shortage\":"
                            "\"backorder\",\"tags\":[\"gift\",\"black-friday\"]}";

struct thing { /* one struct for all objects of the order */
    struct field_presence presence;
    const char *texts[8];
    int64_t ints[3];
    bool flag;
    struct money money[3];
    char currency[4], country[3];
    void *objects[4];
    struct field_list lines, tags;
};
#define AT(member) FIELD_AT(struct thing, member)
static const char *const shortages[] = { "reject", "backorder", "partial", NULL };
static const struct field customer_fields[] = {
    { "name", FIELD_TEXT, AT(texts[0]), .required = true },
    { "email", FIELD_TEXT, AT(texts[1]) },
    { "phone", FIELD_TEXT, AT(texts[2]) },
};
static const struct field address_fields[] = {
    { "name", FIELD_TEXT, AT(texts[0]), .required = true },
    { "street", FIELD_TEXT, AT(texts[1]) },
    { "postal_code", FIELD_TEXT, AT(texts[2]) },
    { "city", FIELD_TEXT, AT(texts[3]) },
    { "country", FIELD_COUNTRY, AT(country), .required = true },
};
static const struct field line_fields[] = {
    { "sku", FIELD_CODE, AT(texts[0]), .either = 1 },
    { "channel_sku", FIELD_CODE, AT(texts[1]), .either = 1, .hide_absent = true },
    { "quantity", FIELD_INT, AT(ints[0]), .required = true, .min = 1, .max = 1000000 },
    { "unit_price", FIELD_MONEY, AT(money[0]), .required = true },
    { "discount", FIELD_MONEY, AT(money[1]), .hide_absent = true },
    { "tax", FIELD_MONEY, AT(money[2]), .hide_absent = true },
};
static const struct field shipping_fields[] = { { "service", FIELD_TEXT, AT(texts[0]) }, { "price", FIELD_MONEY, AT(money[0]) } };
static const struct field payment_fields[] = {
    { "term", FIELD_TEXT, AT(texts[0]) },
    { "status", FIELD_TEXT, AT(texts[1]) },
    { "method", FIELD_TEXT, AT(texts[2]) },
    { "reference", FIELD_TEXT, AT(texts[3]) },
};
#define TABLE(name, rows) static const struct field_table name = { #name, rows, COUNT(rows), sizeof(struct thing) }
TABLE(customer, customer_fields);
TABLE(address, address_fields);
TABLE(line, line_fields);
TABLE(shipping, shipping_fields);
TABLE(payment, payment_fields);
static const struct field order_fields[] = {
    { "channel", FIELD_CODE, AT(texts[0]), .required = true },
    { "channel_order_id", FIELD_CODE, AT(texts[1]), .required = true },
    { "placed_at", FIELD_TIME, AT(ints[0]), .required = true },
    { "currency", FIELD_CURRENCY, AT(currency), .required = true },
    { "customer", FIELD_OBJECT, AT(objects[0]), .of = &customer },
    { "ship_to", FIELD_OBJECT, AT(objects[1]), .of = &address },
    { "prices_include_tax", FIELD_BOOL, AT(flag) },
    { "lines", FIELD_LIST, AT(lines), .of = &line, .min = 1 },
    { "shipping", FIELD_OBJECT, AT(objects[2]), .of = &shipping },
    { "payment", FIELD_OBJECT, AT(objects[3]), .of = &payment },
    { "on_shortage", FIELD_ENUM, AT(ints[1]), .names = shortages },
    { "tags", FIELD_CODES, AT(tags) },
};
TABLE(whole_order, order_fields);

static void tokenise(struct arena *arena)
{
    struct json_reader json;
    json_open(&json, arena, order, sizeof order - 1);
    enum json_token token;
    do
        token = json_next(&json);
    while (token != JSON_END && token != JSON_ERROR);
    if (token == JSON_ERROR)
        abort();
}

static void read_fields(struct arena *arena)
{
    struct thing thing = { .flag = false };
    struct faults faults = { .arena = arena };
    if (!fields_read_text(arena, order, sizeof order - 1, &whole_order, FIELDS_POST, &thing, &faults))
        abort();
}

static struct thing read_once;

static void write_fields(struct arena *arena)
{
    struct json_writer json;
    json_begin(&json, arena);
    fields_write(&json, &whole_order, &read_once);
}

static void measure(const char *what, void (*work)(struct arena *), struct arena *arena)
{
    int64_t best_us = INT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start_us = when_monotonic_us();
        for (int i = 0; i < ORDERS; i++) {
            arena_reset(arena);
            work(arena);
        }
        best_us = min_i64(best_us, when_monotonic_us() - start_us);
    }
    printf("%-10s %.2f us an order of %zu bytes\n", what, (double)best_us / ORDERS, sizeof order - 1);
}

int main(void)
{
    struct arena *arena = arena_new(1u << 20), *kept = arena_new(1u << 20);
    struct faults faults = { .arena = kept };
    if (!fields_read_text(kept, order, sizeof order - 1, &whole_order, FIELDS_POST, &read_once, &faults))
        abort();
    measure("tokenise", tokenise, arena);
    measure("fields", read_fields, arena);
    measure("write", write_fields, arena);
    arena_free(arena);
    arena_free(kept);
    return 0;
}
