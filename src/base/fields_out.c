/* src/base/fields_out.c: the same tables write answers and describe themselves as JSON schemas. */
#include "base/fields.h"
#include <string.h>

static void write_value(struct json_writer *json, const struct field *field, const char *at);

static void write_list(struct json_writer *json, const struct field *field, const char *at)
{
    struct field_list list;
    memcpy(&list, at, sizeof list);
    json_array(json);
    for (size_t i = 0; i < list.count; i++) {
        if (field->type == FIELD_CODES)
            json_text(json, ((const char *const *)list.items)[i]);
        else
            fields_write(json, field->of, (const char *)list.items + i * field->of->size);
    }
    json_array_end(json);
}

static void write_number(struct json_writer *json, const struct field *field, const char *at)
{
    int64_t value;
    memcpy(&value, at, sizeof value);
    if (value == NULL_INT)
        json_null(json);
    else if (field->type == FIELD_TIME)
        json_time(json, value);
    else if (field->type == FIELD_ENUM)
        json_text(json, field->names[value]);
    else
        json_int(json, value);
}

static void write_value(struct json_writer *json, const struct field *field, const char *at)
{
    const void *pointer = NULL;
    struct money money;
    switch (field->type) {
    case FIELD_BOOL:
        json_bool(json, *(const bool *)at);
        break;
    case FIELD_INT:
    case FIELD_ENUM:
    case FIELD_TIME:
        write_number(json, field, at);
        break;
    case FIELD_TEXT:
    case FIELD_CODE:
        memcpy(&pointer, at, sizeof pointer);
        json_text(json, pointer);
        break;
    case FIELD_CURRENCY:
    case FIELD_COUNTRY:
        json_text(json, at);
        break;
    case FIELD_MONEY:
        memcpy(&money, at, sizeof money);
        if (money.currency[0] == '\0')
            json_null(json);
        else
            json_money(json, money);
        break;
    case FIELD_OBJECT:
        memcpy(&pointer, at, sizeof pointer);
        if (pointer == NULL)
            json_null(json);
        else
            fields_write(json, field->of, pointer);
        break;
    case FIELD_LIST:
    case FIELD_CODES:
        write_list(json, field, at);
        break;
    }
}

void fields_write(struct json_writer *json, const struct field_table *table, const void *in)
{
    const struct field_presence *presence = in;
    json_object(json);
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        if (field->write_only || field->not_available || (field->hide_absent && (presence->came >> i & 1) == 0))
            continue;
        json_key(json, field->name);
        write_value(json, field, (const char *)in + field->offset);
    }
    json_object_end(json);
}

/* ---- schemas ---- */

static void pair(struct json_writer *json, const char *key, const char *value)
{
    json_key(json, key);
    json_text(json, value);
}

static void write_type(struct json_writer *json, const char *type, bool nullable)
{
    json_key(json, "type");
    if (!nullable) {
        json_text(json, type);
        return;
    }
    json_array(json);
    json_text(json, type);
    json_text(json, "null");
    json_array_end(json);
}

static void limits(struct json_writer *json, const char *least, const char *most, int64_t min, int64_t max)
{
    if (min == 0 && max == 0)
        return;
    json_key(json, least);
    json_int(json, min);
    if (max == 0)
        return;
    json_key(json, most);
    json_int(json, max);
}

static void write_reference(struct json_writer *json, const char *name)
{
    char text[96];
    size_t size = strlen(name);
    static const char prefix[] = "#/components/schemas/";
    memcpy(text, prefix, sizeof prefix);
    memcpy(text + sizeof prefix - 1, name, size < 64 ? size + 1 : 64);
    pair(json, "$ref", text);
}

static void write_text_schema(struct json_writer *json, const struct field *field)
{
    static const char *const patterns[] = { [FIELD_CURRENCY] = "^[A-Z]{3}$", [FIELD_COUNTRY] = "^[A-Z]{2}$" };
    write_type(json, "string", field->nullable);
    if (field->type == FIELD_CODE)
        limits(json, "minLength", "maxLength", 1, 64);
    else if (field->type == FIELD_TEXT)
        limits(json, "minLength", "maxLength", field->min, field->max == 0 ? 1024 : field->max);
    else if (field->type == FIELD_TIME)
        pair(json, "format", "date-time");
    else if (field->type != FIELD_ENUM)
        pair(json, "pattern", patterns[field->type]);
    if (field->type != FIELD_ENUM)
        return;
    json_key(json, "enum");
    json_array(json);
    for (size_t i = 0; field->names[i] != NULL; i++)
        json_text(json, field->names[i]);
    json_array_end(json);
}

static void write_list_schema(struct json_writer *json, const struct field *field)
{
    write_type(json, "array", field->nullable);
    limits(json, "minItems", "maxItems", field->min, field->max);
    json_key(json, "items");
    json_object(json);
    if (field->type == FIELD_CODES)
        write_type(json, "string", false);
    else
        write_reference(json, field->of->name);
    json_object_end(json);
}

static void write_field_schema(struct json_writer *json, const struct field *field, bool for_write)
{
    json_object(json);
    switch (field->type) {
    case FIELD_BOOL:
        write_type(json, "boolean", field->nullable);
        break;
    case FIELD_INT:
        write_type(json, "integer", field->nullable);
        limits(json, "minimum", "maximum", field->min, field->max);
        break;
    case FIELD_TEXT:
    case FIELD_CODE:
    case FIELD_ENUM:
    case FIELD_TIME:
    case FIELD_CURRENCY:
    case FIELD_COUNTRY:
        write_text_schema(json, field);
        break;
    case FIELD_MONEY:
        write_reference(json, "Money");
        break;
    case FIELD_OBJECT:
        write_reference(json, field->of->name);
        break;
    case FIELD_LIST:
    case FIELD_CODES:
        write_list_schema(json, field);
        break;
    }
    if (field->doc != NULL)
        pair(json, "description", field->doc);
    if (field->read_only && !for_write) {
        json_key(json, "readOnly");
        json_bool(json, true);
    }
    json_object_end(json);
}

void fields_schema(struct json_writer *json, const struct field_table *table, bool for_write)
{
    json_object(json);
    pair(json, "type", "object");
    json_key(json, "properties");
    json_object(json);
    bool required = false;
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        if (field->not_available || (for_write ? field->read_only : field->write_only))
            continue;
        required = required || field->required;
        json_key(json, field->name);
        write_field_schema(json, field, for_write);
    }
    json_object_end(json);
    if (required) {
        json_key(json, "required");
        json_array(json);
        for (size_t i = 0; i < table->count; i++)
            if (table->fields[i].required && !table->fields[i].not_available)
                json_text(json, table->fields[i].name);
        json_array_end(json);
    }
    if (for_write) {
        json_key(json, "additionalProperties");
        json_bool(json, false);
    }
    json_object_end(json);
}
