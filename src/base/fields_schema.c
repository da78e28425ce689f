/* src/base/fields_schema.c: a field table as a JSON schema (draft 2020-12, as OpenAPI 3.1 takes it), so that
 * /openapi.json cannot promise what the reader refuses. Lengths are bytes with us and characters there: a maximum stays
 * true, since no character is shorter than a byte; of a minimum only "not empty" is told. */
#include "base/fields.h"

static void add_text(struct json_writer *json, const char *key, const char *value)
{
    json_key(json, key);
    json_text(json, value);
}

static void add_int(struct json_writer *json, const char *key, int64_t value)
{
    json_key(json, key);
    json_int(json, value);
}

/* "type":"string", or ["string","null"]. */
static void add_type(struct json_writer *json, const struct field *field, const char *type)
{
    json_key(json, "type");
    if (!field->nullable) {
        json_text(json, type);
        return;
    }
    json_array(json);
    json_text(json, type);
    json_text(json, "null");
    json_array_end(json);
}

typedef void describe(struct json_writer *json, const struct field *field);

static void describe_bool(struct json_writer *json, const struct field *field)
{
    add_type(json, field, "boolean");
    if (!field->required && !field->nullable && !field->read_only) {
        json_key(json, "default");
        json_bool(json, field->preset != 0);
    }
}

static void describe_int(struct json_writer *json, const struct field *field)
{
    add_type(json, field, "integer");
    add_text(json, "format", "int64");
    if (field->min != 0 || field->max != 0) {
        add_int(json, "minimum", field->min);
        add_int(json, "maximum", field->max);
    }
    if (field->preset != 0 && field->preset != NULL_INT)
        add_int(json, "default", field->preset);
}

static void describe_text(struct json_writer *json, const struct field *field)
{
    add_type(json, field, "string");
    if (field->min > 0)
        add_int(json, "minLength", 1);
    add_int(json, "maxLength", field->max == 0 ? FIELD_TEXT_BYTES_MAX : field->max);
}

static void describe_code(struct json_writer *json, const struct field *field)
{
    add_type(json, field, "string");
    add_int(json, "minLength", 1);
    add_int(json, "maxLength", FIELD_CODE_BYTES_MAX);
}

static void describe_enum(struct json_writer *json, const struct field *field)
{
    add_type(json, field, "string");
    json_key(json, "enum");
    json_array(json);
    for (size_t i = 0; field->names[i] != NULL; i++)
        json_text(json, field->names[i]);
    if (field->nullable)
        json_null(json);
    json_array_end(json);
    if (!field->required && !field->nullable && !field->read_only && !field->hide_absent)
        add_text(json, "default", field->names[field->preset]);
}

static void describe_time(struct json_writer *json, const struct field *field)
{
    add_type(json, field, "string");
    add_text(json, "format", "date-time");
}

static void describe_currency(struct json_writer *json, const struct field *field)
{
    add_type(json, field, "string");
    add_text(json, "pattern", "^[A-Z]{3}$");
}

static void describe_country(struct json_writer *json, const struct field *field)
{
    add_type(json, field, "string");
    add_text(json, "pattern", "^[A-Z]{2}$");
}

static void describe_money(struct json_writer *json, const struct field *field)
{
    static const struct field part = { .name = "" };
    add_type(json, field, "object");
    json_key(json, "properties");
    json_object(json);
    json_key(json, "amount");
    json_object(json);
    add_type(json, &part, "string");
    add_text(json, "pattern", "^-?(0|[1-9][0-9]*)([.][0-9]{1,4})?$");
    json_object_end(json);
    json_key(json, "currency");
    json_object(json);
    describe_currency(json, &part);
    json_object_end(json);
    json_object_end(json);
    json_key(json, "required");
    json_raw(json, "[\"amount\",\"currency\"]", strlen("[\"amount\",\"currency\"]"));
}

static void add_reference(struct json_writer *json, const struct field_table *table)
{
    struct buffer reference = { .arena = json->out.arena };
    buffer_printf(&reference, "#/components/schemas/%s", table->name);
    add_text(json, "$ref", reference.at);
}

static void describe_object(struct json_writer *json, const struct field *field)
{
    if (!field->nullable) {
        add_reference(json, field->of);
        return;
    }
    json_key(json, "anyOf");
    json_array(json);
    json_object(json);
    add_reference(json, field->of);
    json_object_end(json);
    json_raw(json, "{\"type\":\"null\"}", strlen("{\"type\":\"null\"}"));
    json_array_end(json);
}

static void describe_list(struct json_writer *json, const struct field *field)
{
    static const struct field code = { .name = "" };
    add_type(json, field, "array");
    json_key(json, "items");
    json_object(json);
    if (field->type == FIELD_CODES)
        describe_code(json, &code);
    else
        add_reference(json, field->of);
    json_object_end(json);
    if (field->min > 0)
        add_int(json, "minItems", field->min);
    if (field->max > 0)
        add_int(json, "maxItems", field->max);
}

static describe *const describers[] = {
    [FIELD_BOOL] = describe_bool,       [FIELD_INT] = describe_int,       [FIELD_TEXT] = describe_text, [FIELD_CODE] = describe_code,
    [FIELD_ENUM] = describe_enum,       [FIELD_MONEY] = describe_money,   [FIELD_TIME] = describe_time, [FIELD_CURRENCY] = describe_currency,
    [FIELD_COUNTRY] = describe_country, [FIELD_OBJECT] = describe_object, [FIELD_LIST] = describe_list, [FIELD_CODES] = describe_list,
};

static bool is_shown(const struct field *field, enum fields_schema use)
{
    return !field->not_available && !(use == FIELDS_ANSWER ? field->write_only : use != FIELDS_REPLACE && field->read_only);
}

/* Answers too promise only what requests must bring, as requests refer to nested tables in the form of the answer. */
static bool is_required(const struct field *field, enum fields_schema use)
{
    return is_shown(field, use) && field->required && (use == FIELDS_ANSWER || !field->read_only);
}

static void add_required(struct json_writer *json, const struct field_table *table, enum fields_schema use)
{
    bool some = false;
    for (size_t i = 0; i < table->count; i++)
        some = some || is_required(&table->fields[i], use);
    if (!some)
        return; /* an empty list is allowed, but some tools refuse it */
    json_key(json, "required");
    json_array(json);
    for (size_t i = 0; i < table->count; i++)
        if (is_required(&table->fields[i], use))
            json_text(json, table->fields[i].name);
    json_array_end(json);
}

/* {"oneOf":[{"required":["sku"]},{"required":["channel_sku"]}]} for the fields with this number. */
static void add_either(struct json_writer *json, const struct field_table *table, uint8_t number)
{
    json_object(json);
    json_key(json, "oneOf");
    json_array(json);
    for (size_t i = 0; i < table->count; i++) {
        if (table->fields[i].either != number)
            continue;
        json_object(json);
        json_key(json, "required");
        json_array(json);
        json_text(json, table->fields[i].name);
        json_array_end(json);
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
}

static void add_eithers(struct json_writer *json, const struct field_table *table)
{
    uint64_t done[4] = { 0 }; /* a bit for each number */
    bool some = false;
    for (size_t i = 0; i < table->count; i++) {
        uint8_t number = table->fields[i].either;
        if (number == 0 || (done[number / 64] >> number % 64 & 1) != 0)
            continue;
        if (!some) {
            json_key(json, "allOf");
            json_array(json);
        }
        some = true;
        done[number / 64] |= UINT64_C(1) << number % 64;
        add_either(json, table, number);
    }
    if (some)
        json_array_end(json);
}

/* In a patch null takes a field out that need not be there, and what does not come stays: there is no default. */
static struct field as_merged(const struct field *field)
{
    struct field merged = *field;
    merged.nullable = field->nullable || !field->required;
    merged.preset = 0;
    return merged;
}

static void add_properties(struct json_writer *json, const struct field_table *table, enum fields_schema use)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        if (!is_shown(field, use))
            continue;
        json_key(json, field->name);
        json_object(json);
        const struct field shown = use == FIELDS_MERGE ? as_merged(field) : *field;
        describers[field->type](json, &shown);
        if (field->doc != NULL)
            add_text(json, "description", field->doc);
        if (field->read_only) {
            json_key(json, "readOnly");
            json_bool(json, true);
        }
        json_object_end(json);
    }
}

void fields_schema(struct json_writer *json, const struct field_table *table, enum fields_schema use, const struct field_table *also)
{
    json_object(json);
    add_text(json, "type", "object");
    json_key(json, "properties");
    json_object(json);
    add_properties(json, table, use);
    if (also != NULL)
        add_properties(json, also, use);
    json_object_end(json);
    if (use != FIELDS_MERGE)
        add_required(json, table, use);
    if (use != FIELDS_ANSWER) {
        if (use != FIELDS_MERGE)
            add_eithers(json, table);
        json_key(json, "additionalProperties");
        json_bool(json, false);
    }
    json_object_end(json);
}
