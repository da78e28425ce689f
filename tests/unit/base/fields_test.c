/* tests/unit/base/fields_test.c: requests that are taken, and all that is wrong with those that are not. */
#include "fixture.h"
#include "base/fields.h"
#include <stdio.h>
#include <string.h>

/* An order, small, with a field of every type. */
struct address {
    struct field_presence presence;
    const char *name, *city;
    char country[3];
};
static const struct field address_fields[] = {
    { "name", FIELD_TEXT, FIELD_AT(struct address, name), .required = true, .min = 1, .max = 20, .lines = true },
    { "city", FIELD_TEXT, FIELD_AT(struct address, city) },
    { "country", FIELD_COUNTRY, FIELD_AT(struct address, country), .required = true },
};
static const struct field_table address_table = { "Address", address_fields, COUNT(address_fields), sizeof(struct address) };

struct line {
    struct field_presence presence;
    const char *sku, *channel_sku;
    int64_t quantity, backordered;
    struct money price;
};
static const struct field line_fields[] = {
    { "sku", FIELD_CODE, FIELD_AT(struct line, sku), .either = 1, .hide_absent = true },
    { "channel_sku", FIELD_CODE, FIELD_AT(struct line, channel_sku), .either = 1, .hide_absent = true },
    { "quantity", FIELD_INT, FIELD_AT(struct line, quantity), .required = true, .min = 1, .max = 1000000 },
    { "price", FIELD_MONEY, FIELD_AT(struct line, price), .hide_absent = true, .max = 100000 },
    { "backordered", FIELD_INT, FIELD_AT(struct line, backordered), .read_only = true },
};
static const struct field_table line_table = { "Line", line_fields, COUNT(line_fields), sizeof(struct line) };

struct order {
    struct field_presence presence;
    const char *channel, *secret, *subscription;
    int64_t placed_at, priority, cap, shortage, any, number;
    bool split, gift;
    char currency[4];
    struct address *ship_to, *bill_to;
    struct field_list lines, tags;
};
static const char *const shortages[] = { "reject", "backorder", "partial", NULL };
static const struct field order_fields[] = {
    { "channel", FIELD_CODE, FIELD_AT(struct order, channel), .required = true, .doc = "where it came from" },
    { "placed_at", FIELD_TIME, FIELD_AT(struct order, placed_at), .nullable = true },
    { "currency", FIELD_CURRENCY, FIELD_AT(struct order, currency), .hide_absent = true },
    { "priority", FIELD_INT, FIELD_AT(struct order, priority), .min = 1, .max = 9, .preset = 5 },
    { "cap", FIELD_INT, FIELD_AT(struct order, cap), .nullable = true, .min = 0, .max = 100 },
    { "any", FIELD_INT, FIELD_AT(struct order, any) },
    { "on_shortage", FIELD_ENUM, FIELD_AT(struct order, shortage), .names = shortages, .preset = 1 },
    { "split", FIELD_BOOL, FIELD_AT(struct order, split), .preset = true },
    { "gift", FIELD_BOOL, FIELD_AT(struct order, gift), .nullable = true },
    { "ship_to", FIELD_OBJECT, FIELD_AT(struct order, ship_to), .of = &address_table, .nullable = true },
    { "bill_to", FIELD_OBJECT, FIELD_AT(struct order, bill_to), .of = &address_table, .hide_absent = true },
    { "lines", FIELD_LIST, FIELD_AT(struct order, lines), .of = &line_table, .required = true, .min = 1, .max = 4 },
    { "tags", FIELD_CODES, FIELD_AT(struct order, tags), .max = 3 },
    { "secret", FIELD_TEXT, FIELD_AT(struct order, secret), .write_only = true, .max = 8 },
    { "a/b~c", FIELD_INT, FIELD_AT(struct order, number), .read_only = true, .hide_absent = true },
    { "subscription", FIELD_TEXT, FIELD_AT(struct order, subscription), .not_available = true },
};
static const struct field_table order_table = { "Order", order_fields, COUNT(order_fields), sizeof(struct order) };

static bool read(struct arena *arena, enum fields_mode mode, const char *text, struct order *out, struct faults *faults)
{
    *out = (struct order){ .channel = NULL };
    *faults = (struct faults){ .arena = arena };
    return fields_read_text(arena, text, strlen(text), &order_table, mode, out, faults);
}

/* "code pointer" of each fault, with " | " between. */
static const char *told(const struct faults *faults)
{
    struct buffer all = { .arena = faults->arena };
    buffer_text(&all, "");
    for (size_t i = 0; i < faults->count; i++) {
        assert_true(strlen(faults->items[i].detail) < 600);
        buffer_printf(&all, "%s%s %s", i == 0 ? "" : " | ", fault_info(faults->items[i].code)->code, faults->items[i].pointer);
    }
    return all.at;
}

#define LINES "\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}]"

static void a_whole_order_is_taken(void **state)
{
    struct order order;
    struct faults faults;
    if (!read(
            *state, FIELDS_POST,
            "{\"currency\":\"EUR\",\"channel\":\"web\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"priority\":9,\"cap\":7,\"any\":-9223372036854775807,"
            "\"on_shortage\":\"partial\",\"split\":false,\"gift\":true,\"ship_to\":{\"country\":\"DE\",\"name\":\"Caf\\u00e9\",\"city\":\"\"},"
            "\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2,\"price\":{\"amount\":\"19.99\",\"currency\":\"EUR\"}},"
            "{\"quantity\":1000000,\"channel_sku\":\"B00\",\"price\":{\"currency\":\"JPY\",\"amount\":\"5\"}}],\"tags\":[\"a\",\"b\"],\"secret\":"
            "\"12345678\"}",
            &order, &faults))
        fail_msg("%s: %s", told(&faults), faults.items[0].detail);
    assert_string_equal(order.channel, "web");
    assert_int_equal(order.placed_at, INT64_C(1795507200000000));
    assert_true(order.priority == 9 && order.cap == 7 && order.any == -INT64_MAX && order.shortage == 2 && !order.split && order.gift);
    assert_string_equal(order.currency, "EUR");
    assert_string_equal(order.ship_to->name, "Caf\xC3\xA9");
    assert_string_equal(order.ship_to->country, "DE");
    assert_null(order.bill_to);
    const struct line *lines = order.lines.items;
    assert_int_equal(order.lines.count, 2);
    assert_string_equal(lines[0].sku, "LAMP");
    assert_true(lines[0].price.minor == 1999 && strcmp(lines[0].price.currency, "EUR") == 0);
    assert_true(lines[1].price.minor == 5 && lines[1].quantity == 1000000 && lines[1].sku == NULL);
    assert_int_equal(order.tags.count, 2);
    assert_string_equal(((const char **)order.tags.items)[1], "b");
    assert_true(field_came(&order_table, &order, "tags") && !field_came(&order_table, &order, "bill_to"));
}

/* What could be read stays, to look for more that is wrong; what we wrote ourselves is taken as an older release wrote it. */
static void faulty_and_old_bodies_are_read(void **state)
{
    struct order order;
    struct faults faults;
    assert_false(read(*state, FIELDS_POST,
                      "{\"channel\":\"web\",\"currency\":\"eur\",\"ship_to\":{\"name\":\"Ann\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":0},7]}",
                      &order, &faults));
    const struct line *lines = order.lines.items;
    assert_string_equal(order.channel, "web");
    assert_string_equal(order.ship_to->name, "Ann");
    assert_true(order.currency[0] == '\0' && order.lines.count == 2 && lines[0].quantity == 0 && lines[1].sku == NULL);
    assert_string_equal(lines[0].sku, "LAMP");
    static const char old[] = "{\"channel\":\"web\",\"a/b~c\":1,\"ship_to\":{\"name\":\"a\\u0007\",\"country\":\"ZZ\"}," LINES "}";
    assert_false(read(*state, FIELDS_PUT, old, &order, &faults));
    assert_true(read(*state, FIELDS_KEPT, old, &order, &faults));
    assert_string_equal(order.ship_to->country, "ZZ");
}

static void what_does_not_come_has_its_preset(void **state)
{
    struct order order;
    struct faults faults;
    assert_true(read(*state, FIELDS_PUT, "{\"channel\":\"web\"," LINES "}", &order, &faults));
    assert_true(order.priority == 5 && order.shortage == 1 && order.split && order.cap == NULL_INT && order.placed_at == NULL_INT && order.any == 0);
    assert_true(
        read(*state, FIELDS_PUT, "{\"channel\":\"web\",\"cap\":null,\"ship_to\":null,\"gift\":null,\"placed_at\":null," LINES "}", &order, &faults));
    assert_true(order.cap == NULL_INT && order.ship_to == NULL && order.placed_at == NULL_INT);
    assert_true(field_came(&order_table, &order, "cap"));
}

static void all_that_is_wrong_is_told(void **state)
{
    static const struct {
        const char *says, *text, *faults;
    } cases[] = {
        { "nothing in it", "{}", "required /channel | required /lines" },
        { "not an object", "[]", "wrong_type " },
        { "no value", "", "malformed_json " },
        { "something behind", "{\"channel\":\"web\"," LINES "} x", "malformed_json " },
        { "malformed: only that is told", "{\"x\":1,\"channel\":7,\"lines\":[{\"quantity\":01}]}", "malformed_json /lines/0/quantity" },
        { "a key twice", "{\"channel\":\"a\",\"channel\":\"b\"}", "malformed_json " },
        { "U+0000", "{\"channel\":\"a\\u0000b\"}", "malformed_json /channel" },
        { "unknown fields, skipped whole", "{\"channel\":\"web\",\"x\":{\"lines\":[]},\"Channel\":[1,[2]]," LINES "}",
          "unknown_field /x | unknown_field /Channel" },
        { "a pointer is escaped", "{\"channel\":\"web\",\"a/b~c\":1,\"~1\":2," LINES "}", "read_only_field /a~1b~0c | unknown_field /~01" },
        { "not yet", "{\"channel\":\"web\",\"subscription\":null," LINES "}", "not_available /subscription" },
        { "code", "{\"channel\":\" \\n\"," LINES "}", "bad_format /channel" },
        { "null where none is", "{\"channel\":null,\"split\":null,\"currency\":null," LINES "}",
          "wrong_type /channel | wrong_type /split | wrong_type /currency" },
        { "other types",
          "{\"channel\":1,\"placed_at\":2,\"currency\":true,\"priority\":\"1\",\"on_shortage\":3,\"split\":\"true\",\"ship_to\":[],\"lines\":{},"
          "\"tags\":\"a\"}",
          "wrong_type /channel | wrong_type /placed_at | wrong_type /currency | wrong_type /priority | wrong_type /on_shortage | wrong_type /split | "
          "wrong_type /ship_to | wrong_type /lines | wrong_type /tags" },
        { "forms", "{\"channel\":\"web\",\"placed_at\":\"yesterday\",\"currency\":\"eur\",\"ship_to\":{\"name\":\"A\",\"country\":\"de\"}," LINES "}",
          "bad_format /placed_at | bad_format /currency | bad_format /ship_to/country" },
        { "names of an enum", "{\"channel\":\"web\",\"on_shortage\":\"rejec\"," LINES "}", "out_of_range /on_shortage" },
        { "ranges",
          "{\"channel\":\"web\",\"priority\":10,\"cap\":-1,\"secret\":\"123456789\",\"ship_to\":{\"name\":\"\",\"country\":\"DE\"}," LINES "}",
          "out_of_range /priority | out_of_range /cap | out_of_range /secret | out_of_range /ship_to/name" },
        { "no lines", "{\"channel\":\"web\",\"lines\":[]}", "out_of_range /lines" },
        { "too many tags", "{\"channel\":\"web\",\"tags\":[\"a\",\"b\",\"c\",\"d\"]," LINES "}", "out_of_range /tags" },
        { "control characters, and countries that are none",
          "{\"channel\":\"web\",\"secret\":\"a\\tb\",\"ship_to\":{\"name\":\"a\\u0007\",\"country\":\"ZZ\"},\"bill_to\":{\"name\":\"a\\r\\n\\tb\",\"country\":\"UK\"}," LINES
          "}",
          "bad_format /secret | bad_format /ship_to/name | bad_format /ship_to/country | bad_format /bill_to/country" },
        { "a tag that is none", "{\"channel\":\"web\",\"tags\":[\"a\",7,\"\"]," LINES "}", "wrong_type /tags/1 | bad_format /tags/2" },
        { "both of two, none of two", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"A\",\"channel_sku\":\"B\",\"quantity\":1},{\"quantity\":1}]}",
          "either_or /lines/0 | either_or /lines/1" },
        { "one, but a bad one", "{\"channel\":\"web\",\"lines\":[{\"sku\":7,\"quantity\":1}]}", "wrong_type /lines/0/sku" },
        { "a line that is none", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"A\",\"quantity\":1},\"LAMP\",null]}",
          "wrong_type /lines/1 | wrong_type /lines/2" },
        { "money",
          "{\"channel\":\"web\",\"lines\":[{\"sku\":\"A\",\"quantity\":1,\"price\":19.99},{\"sku\":\"A\",\"quantity\":1,\"price\":{\"amount\":19.99}}"
          "]}",
          "wrong_type /lines/0/price | wrong_type /lines/1/price/amount | required /lines/1/price/currency" },
        { "more money",
          "{\"channel\":\"web\",\"lines\":[{\"sku\":\"A\",\"quantity\":1,\"price\":{\"amount\":\"1.999\",\"currency\":\"EUR\"}},"
          "{\"sku\":\"A\",\"quantity\":1,\"price\":{\"amount\":\"-1.00\",\"currency\":\"EUR\"}},"
          "{\"sku\":\"A\",\"quantity\":1,\"price\":{\"amount\":\"1\",\"currency\":\"XXX\",\"minor\":1}},"
          "{\"sku\":\"A\",\"quantity\":1,\"price\":{\"amount\":\"1000.01\",\"currency\":\"EUR\"}}]}",
          "bad_format /lines/0/price/amount | out_of_range /lines/1/price/amount | bad_format /lines/2/price/currency | unknown_field "
          "/lines/2/price/minor | "
          "out_of_range /lines/3/price/amount" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct order order;
        struct faults faults;
        if (read(*state, FIELDS_POST, cases[i].text, &order, &faults))
            fail_msg("%s: taken", cases[i].says);
        if (strcmp(told(&faults), cases[i].faults) != 0)
            fail_msg("%s: %s: %s", cases[i].says, told(&faults), faults.items[0].detail);
    }
}

static void whole_numbers_in_plain_digits(void **state)
{
    static const struct {
        const char *literal;
        enum fault_code fault;
    } cases[] = {
        { "0", FAULT_NONE },
        { "-7", FAULT_NONE },
        { "9223372036854775807", FAULT_NONE },
        { "-9223372036854775807", FAULT_NONE },
        { "-9223372036854775808", FAULT_OUT_OF_RANGE }, /* stands for null in rows */
        { "9223372036854775808", FAULT_OUT_OF_RANGE },
        { "100000000000000000000000000000000", FAULT_OUT_OF_RANGE },
        { "-0", FAULT_WRONG_TYPE },
        { "1.0", FAULT_WRONG_TYPE },
        { "1e3", FAULT_WRONG_TYPE },
        { "1E400", FAULT_WRONG_TYPE },
        { "99999999999999999999.5", FAULT_WRONG_TYPE },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct order order;
        struct faults faults;
        read(*state, FIELDS_POST, arena_printf(*state, "{\"channel\":\"web\",\"any\":%s," LINES "}", cases[i].literal), &order, &faults);
        if ((faults.count == 0 ? FAULT_NONE : faults.items[0].code) != cases[i].fault)
            fail_msg("%s: %s", cases[i].literal, told(&faults));
    }
}

static void a_hostile_body_gets_a_short_answer(void **state)
{
    struct order order;
    struct faults faults;
    struct buffer text = { .arena = *state };
    buffer_text(&text, "{");
    for (int i = 0; i < 5000; i++)
        buffer_printf(&text, "\"x%d\xC3\xA9%01000d\":0,", i, 0);
    buffer_text(&text, "\"channel\":\"web\"," LINES "}");
    assert_false(read(*state, FIELDS_POST, text.at, &order, &faults));
    assert_int_equal(faults.count, FAULTS_MAX);
    for (size_t i = 0; i < faults.count; i++)
        assert_true(strlen(faults.items[i].pointer) < 100 && utf8_valid(faults.items[i].detail, strlen(faults.items[i].detail)));
    /* The list is full: what comes next is refused all the same. */
    assert_false(fields_read_text(*state, "{}", 2, &order_table, FIELDS_POST, &order, &faults));
    assert_int_equal(faults.count, FAULTS_MAX);
    text.size -= 1;
    assert_false(fields_read_text(*state, text.at, text.size, &order_table, FIELDS_POST, &order, &(struct faults){ .arena = *state }));
}

/* What a request says of itself stands among its fields, and of the whole only. */
static void what_a_request_says_of_itself(void **state)
{
    struct said {
        struct field_presence presence;
        bool dry_run;
    };
    static const struct field said_fields[] = { { "dry_run", FIELD_BOOL, FIELD_AT(struct said, dry_run) } };
    static const struct field_table said_table = { "Said", said_fields, COUNT(said_fields), sizeof(struct said) };
    static const struct {
        const char *text, *faults;
        bool dry_run;
    } cases[] = {
        { "{\"channel\":\"web\"," LINES "}", "", false },
        { "{\"dry_run\":true,\"channel\":\"web\"," LINES "}", "", true },
        { "{\"channel\":\"web\"," LINES ",\"dry_run\":true}", "", true },
        { "{\"channel\":\"web\",\"dry_run\":false," LINES "}", "", false },
        { "{\"channel\":\"web\",\"dry_run\":null," LINES "}", "wrong_type /dry_run", false },
        { "{\"channel\":\"web\",\"dry_run\":\"true\",\"dry\":1," LINES "}", "wrong_type /dry_run | unknown_field /dry", false },
        { "{\"channel\":\"web\",\"lines\":[{\"sku\":\"A\",\"quantity\":1,\"dry_run\":true}]}", "unknown_field /lines/0/dry_run", false },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct order order = { .channel = NULL };
        struct said said = { .dry_run = false };
        struct faults faults = { .arena = *state };
        const struct fields_also also = { &said_table, &said };
        bool good = fields_read_text_also(*state, cases[i].text, strlen(cases[i].text), &order_table, FIELDS_POST, &order, &also, &faults);
        if (good != (cases[i].faults[0] == '\0') || strcmp(told(&faults), cases[i].faults) != 0 || said.dry_run != cases[i].dry_run ||
            !text_equal(order.channel, "web") || order.lines.count != 1)
            fail_msg("%s: %s", cases[i].text, told(&faults));
    }
    struct json_writer json;
    json_begin(&json, *state);
    fields_schema(&json, &line_table, FIELDS_REQUEST, &said_table);
    assert_non_null(
        strstr(json.out.at, "\"required\":[\"amount\",\"currency\"]},\"dry_run\":{\"type\":\"boolean\",\"default\":false}},\"required\""));
}

static void read_only_fields_by_method(void **state)
{
    struct order order;
    struct faults faults;
    static const char text[] = "{\"channel\":\"web\",\"a/b~c\":{\"x\":[]}," LINES "}";
    assert_false(read(*state, FIELDS_POST, text, &order, &faults));
    assert_false(read(*state, FIELDS_PATCH, text, &order, &faults));
    assert_true(read(*state, FIELDS_PUT, text, &order, &faults));
    assert_false(field_came(&order_table, &order, "a/b~c"));
}

static void patches(void **state)
{
    static const char whole[] = "{\"channel\":\"web\",\"priority\":3,\"cap\":7,\"split\":false,\"currency\":\"EUR\",\"ship_to\":{\"name\":\"Ann\","
                                "\"city\":\"Ulm\",\"country\":\"DE\"},"
                                "\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2}],\"tags\":[\"a\"]}";
    static const struct {
        const char *says, *patch, *result; /* the result, or the faults */
    } cases[] = {
        { "nothing", "{}", "\"web\",null,\"EUR\",3,7,0,backorder,false,Ann Ulm DE,-,1,1" },
        { "a value", "{\"priority\":4}", "\"web\",null,\"EUR\",4,7,0,backorder,false,Ann Ulm DE,-,1,1" },
        { "null: the preset again", "{\"priority\":null,\"split\":null,\"tags\":null}",
          "\"web\",null,\"EUR\",5,7,0,backorder,true,Ann Ulm DE,-,1,0" },
        { "null: a value", "{\"cap\":null,\"ship_to\":null,\"currency\":null}", "\"web\",null,-,3,null,0,backorder,false,-,-,1,1" },
        { "an object is merged", "{\"ship_to\":{\"city\":null,\"country\":\"AT\"}}", "\"web\",null,\"EUR\",3,7,0,backorder,false,Ann - AT,-,1,1" },
        { "an object comes anew", "{\"bill_to\":{\"name\":\"Bob\",\"country\":\"FR\",\"city\":null}}",
          "\"web\",null,\"EUR\",3,7,0,backorder,false,Ann Ulm DE,Bob - FR,1,1" },
        { "half an object comes anew", "{\"bill_to\":{\"name\":\"Bob\"}}", "required /bill_to/country" },
        { "a list is replaced", "{\"lines\":[{\"sku\":\"A\",\"quantity\":1},{\"sku\":\"B\",\"quantity\":1}],\"tags\":[]}",
          "\"web\",null,\"EUR\",3,7,0,backorder,false,Ann Ulm DE,-,2,0" },
        { "its elements are whole", "{\"lines\":[{\"sku\":\"A\"}]}", "required /lines/0/quantity" },
        { "what is required stays", "{\"channel\":null}", "required /channel" },
        { "unknown", "{\"chanel\":\"x\"}", "unknown_field /chanel" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct order order, patch;
        struct faults faults;
        assert_true(read(*state, FIELDS_PUT, whole, &order, &faults));
        bool good = read(*state, FIELDS_PATCH, cases[i].patch, &patch, &faults);
        if (good) {
            fields_merge(&order_table, &order, &patch);
            good = fields_complete(&order_table, &order, "", &faults);
        }
        struct buffer out = { .arena = *state };
        if (!good) {
            buffer_text(&out, told(&faults));
        } else {
            buffer_printf(&out, "\"%s\",%s,%s,%d,%s,%d,%s,%s", order.channel, order.placed_at == NULL_INT ? "null" : "?",
                          order.currency[0] == '\0' ? "-" : "\"EUR\"", (int)order.priority, order.cap == NULL_INT ? "null" : "7", (int)order.any,
                          shortages[order.shortage], order.split ? "true" : "false");
            for (int k = 0; k < 2; k++) {
                const struct address *address = k == 0 ? order.ship_to : order.bill_to;
                if (address == NULL)
                    buffer_text(&out, ",-");
                else
                    buffer_printf(&out, ",%s %s %s", address->name, address->city == NULL ? "-" : address->city, address->country);
            }
            buffer_printf(&out, ",%zu,%zu", order.lines.count, order.tags.count);
        }
        if (strcmp(out.at, cases[i].result) != 0)
            fail_msg("%s: %s", cases[i].says, out.at);
    }
}

static void a_patch_to_one_of_two_takes_the_other_away(void **state)
{
    struct line line = { .sku = NULL }, patch = { .sku = NULL };
    struct faults faults = { .arena = *state };
    assert_true(fields_read_text(*state, "{\"sku\":\"A\",\"quantity\":1}", 24, &line_table, FIELDS_PUT, &line, &faults));
    assert_true(fields_read_text(*state, "{\"channel_sku\":\"B\"}", 19, &line_table, FIELDS_PATCH, &patch, &faults));
    fields_merge(&line_table, &line, &patch);
    assert_null(line.sku);
    assert_string_equal(line.channel_sku, "B");
    assert_true(fields_complete(&line_table, &line, "", &faults));
    line.presence.came = 0;
    assert_false(fields_complete(&line_table, &line, "/lines/3", &faults));
    assert_string_equal(told(&faults), "either_or /lines/3 | required /lines/3/quantity");
}

static const char *written(struct arena *arena, const struct order *order)
{
    struct json_writer json;
    json_begin(&json, arena);
    fields_write(&json, &order_table, order);
    return json.out.at;
}

static void orders_are_written_in_the_tables_order(void **state)
{
    struct order order;
    struct faults faults;
    assert_true(read(*state, FIELDS_POST,
                     "{\"tags\":[\"x\"],\"channel\":\"web\",\"gift\":null,\"secret\":\"hush\",\"ship_to\":{\"name\":\"Ann\",\"country\":\"DE\"},"
                     "\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2,\"price\":{\"amount\":\"5\",\"currency\":\"EUR\"}}]}",
                     &order, &faults));
    assert_string_equal(
        written(*state, &order),
        "{\"channel\":\"web\",\"placed_at\":null,\"priority\":5,\"cap\":null,\"any\":0,\"on_shortage\":\"backorder\",\"split\":true,\"gift\":null,"
        "\"ship_to\":{\"name\":\"Ann\",\"city\":null,\"country\":\"DE\"},"
        "\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2,\"price\":{\"amount\":\"5.00\",\"currency\":\"EUR\"},\"backordered\":0}],\"tags\":[\"x\"]}");
}

/* What GET gives, PUT takes, and GET gives it again. */
static void what_was_written_can_be_put_back(void **state)
{
    struct order order, again;
    struct faults faults;
    assert_true(read(*state, FIELDS_POST,
                     "{\"channel\":\"web\",\"placed_at\":\"1969-07-20T20:17:40.5Z\",\"cap\":0,\"ship_to\":{\"name\":\"\\\"\\\\\\n\",\"city\":\"x\","
                     "\"country\":\"DE\"}," LINES "}",
                     &order, &faults));
    const char *text = written(*state, &order);
    assert_true(read(*state, FIELDS_PUT, text, &again, &faults));
    assert_string_equal(written(*state, &again), text);
}

static void the_schema_says_what_the_reader_takes(void **state)
{
    struct json_writer json;
    json_begin(&json, *state);
    fields_schema(&json, &line_table, FIELDS_REQUEST, NULL);
    assert_string_equal(
        json.out.at,
        "{\"type\":\"object\",\"properties\":{\"sku\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64},"
        "\"channel_sku\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64},"
        "\"quantity\":{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":1,\"maximum\":1000000},"
        "\"price\":{\"type\":\"object\",\"properties\":{\"amount\":{\"type\":\"string\",\"pattern\":\"^-?(0|[1-9][0-9]*)([.][0-9]{1,4})?$\"},"
        "\"currency\":{\"type\":\"string\",\"pattern\":\"^[A-Z]{3}$\"}},\"required\":[\"amount\",\"currency\"]}},"
        "\"required\":[\"quantity\"],\"allOf\":[{\"oneOf\":[{\"required\":[\"sku\"]},{\"required\":[\"channel_sku\"]}]}],"
        "\"additionalProperties\":false}");
    json_begin(&json, *state);
    fields_schema(&json, &order_table, FIELDS_ANSWER, NULL);
    static const char *const parts[] = {
        "\"channel\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64,\"description\":\"where it came from\"}",
        "\"placed_at\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}",
        "\"on_shortage\":{\"type\":\"string\",\"enum\":[\"reject\",\"backorder\",\"partial\"],\"default\":\"backorder\"}",
        "\"split\":{\"type\":\"boolean\",\"default\":true}",
        "\"ship_to\":{\"anyOf\":[{\"$ref\":\"#/components/schemas/Address\"},{\"type\":\"null\"}]}",
        "\"bill_to\":{\"$ref\":\"#/components/schemas/Address\"}",
        "\"lines\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Line\"},\"minItems\":1,\"maxItems\":4}",
        "\"a/b~c\":{\"type\":\"integer\",\"format\":\"int64\",\"readOnly\":true}",
    };
    for (size_t i = 0; i < COUNT(parts); i++)
        if (strstr(json.out.at, parts[i]) == NULL)
            fail_msg("%s is not in %s", parts[i], json.out.at);
    assert_null(strstr(json.out.at, "secret"));
    assert_null(strstr(json.out.at, "subscription"));
    struct json_reader reader;
    json_open(&reader, *state, json.out.at, json.out.size);
    assert_true(json_skip(&reader));
    expect(&reader, JSON_END);
}

static void each_code_has_its_row(void **state)
{
    (void)state;
    assert_string_equal(fault_info(FAULT_NONE)->code, "none");
    assert_int_equal(fault_info(FAULT_NONE)->http, 200);
    for (int a = FAULT_NONE + 1; a < FAULT_CODE_COUNT; a++) {
        const struct fault_info *info = fault_info((enum fault_code)a);
        assert_true(info->http >= 400 && info->http < 600 && info->title[0] != '\0' && info->way_out[0] != '\0');
        for (int b = FAULT_NONE; b < a; b++)
            assert_string_not_equal(info->code, fault_info((enum fault_code)b)->code);
    }
}

/* ---- vectors/json/api-values.json ---- */

struct literal {
    struct field_presence presence;
    const char *literal, *why, *json;
    bool accept;
};
static const struct field literal_fields[] = {
    { "literal", FIELD_TEXT, FIELD_AT(struct literal, literal) },
    { "accept", FIELD_BOOL, FIELD_AT(struct literal, accept) },
    { "why", FIELD_TEXT, FIELD_AT(struct literal, why) },
    { "json", FIELD_TEXT, FIELD_AT(struct literal, json), .max = 1 << 20 },
};
static const struct field_table literal_table = { "Literal", literal_fields, COUNT(literal_fields), sizeof(struct literal) };

/* Is accepted, or refused at the place. */
static void try_quantity(struct arena *arena, const struct literal *one)
{
    struct line line = { .sku = NULL };
    struct faults faults = { .arena = arena };
    const char *text = arena_printf(arena, "{\"sku\":\"A\",\"quantity\":%s}", one->literal);
    bool taken = fields_read_text(arena, text, strlen(text), &line_table, FIELDS_POST, &line, &faults);
    if (taken != one->accept)
        fail_msg("%s: %s", one->literal, one->why);
    if (!taken && faults.items[0].code != FAULT_MALFORMED_JSON)
        assert_string_equal(faults.items[0].pointer, "/quantity");
}

struct sku {
    struct field_presence presence;
    const char *sku;
};
static const struct field sku_fields[] = { { "sku", FIELD_CODE, FIELD_AT(struct sku, sku) } };
static const struct field_table sku_table = { "Sku", sku_fields, COUNT(sku_fields), sizeof(struct sku) };

/* Is refused, or comes back exactly. */
static void try_object(struct arena *arena, const struct literal *one)
{
    struct sku sku = { .sku = NULL }, again = { .sku = NULL };
    struct faults faults = { .arena = arena };
    if (!fields_read_text(arena, one->json, strlen(one->json), &sku_table, FIELDS_POST, &sku, &faults)) {
        assert_true(faults.count > 0);
        return;
    }
    struct json_writer json;
    json_begin(&json, arena);
    fields_write(&json, &sku_table, &sku);
    assert_true(fields_read_text(arena, json.out.at, json.out.size, &sku_table, FIELDS_POST, &again, &faults));
    assert_string_equal(sku.sku, again.sku);
    if (strchr(one->json, '\\') == NULL)
        assert_string_equal(json.out.at, one->json);
}

static void the_shared_api_values(void **state)
{
    size_t bytes = 0, count = 0;
    char *text = vector_bytes(*state, "json/api-values.json", &bytes);
    if (text == NULL)
        skip_for_want_of("json/api-values.json");
    struct json_reader json;
    struct faults faults = { .arena = *state };
    json_open(&json, *state, text, bytes);
    expect(&json, JSON_OBJECT);
    while (json_next(&json) == JSON_KEY) {
        bool quantity = is_text(&json, "quantity");
        if (!quantity && !is_text(&json, "objects")) {
            assert_true(json_skip(&json));
            continue;
        }
        expect(&json, JSON_ARRAY);
        for (;; count++) {
            struct literal one = { .why = NULL };
            if (!fields_read(&json, &literal_table, FIELDS_POST, "", &one, &faults))
                break;
            (quantity ? try_quantity : try_object)(*state, &one);
        }
    }
    assert_null(json.error);
    assert_int_equal(count, 30 + 19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_whole_order_is_taken),
        CASE(faulty_and_old_bodies_are_read),
        CASE(what_does_not_come_has_its_preset),
        CASE(all_that_is_wrong_is_told),
        CASE(whole_numbers_in_plain_digits),
        CASE(a_hostile_body_gets_a_short_answer),
        CASE(what_a_request_says_of_itself),
        CASE(read_only_fields_by_method),
        CASE(patches),
        CASE(a_patch_to_one_of_two_takes_the_other_away),
        CASE(orders_are_written_in_the_tables_order),
        CASE(what_was_written_can_be_put_back),
        CASE(the_schema_says_what_the_reader_takes),
        CASE(each_code_has_its_row),
        CASE(the_shared_api_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
