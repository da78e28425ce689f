/* src/base/fields_write.c: structs laid over each other, and written as JSON, by their field tables. */
#include "base/fields.h"
#include "base/when.h"
#include <assert.h>

/* ---- merging (RFC 7396) ---- */

/* An object that a patch brought anew: its nulls ask for nothing, what did not come gets its preset. */
static void settle(const struct field_table *table, void *object)
{
    struct field_presence *presence = object;
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        bool came = (presence->came >> i & 1) != 0, null = (presence->is_null >> i & 1) != 0;
        if (!came || (null && !field->nullable))
            field_reset(table, i, object);
        else if (field->type == FIELD_OBJECT && !null)
            settle(field->of, *(void **)((char *)object + field->offset));
    }
}

/* Of fields that exclude each other the one that came last stands alone. */
static void reset_others(const struct field_table *table, size_t kept, void *whole)
{
    for (size_t i = 0; i < table->count; i++)
        if (i != kept && table->fields[i].either == table->fields[kept].either)
            field_reset(table, i, whole);
}

static void merge_field(const struct field_table *table, size_t index, void *whole, const void *patch)
{
    const struct field *field = &table->fields[index];
    const uint64_t bit = UINT64_C(1) << index;
    struct field_presence *presence = whole;
    char *to = (char *)whole + field->offset;
    const char *from = (const char *)patch + field->offset;
    if ((((const struct field_presence *)patch)->is_null & bit) != 0) {
        field_reset(table, index, whole);
        if (!field->nullable)
            return;
        memcpy(to, from, field_bytes(field->type));
        presence->is_null |= bit;
    } else if (field->type == FIELD_OBJECT && *(void **)to != NULL) {
        fields_merge(field->of, *(void **)to, *(void *const *)from);
        presence->is_null &= ~bit;
    } else {
        memcpy(to, from, field_bytes(field->type));
        presence->is_null &= ~bit;
        if (field->type == FIELD_OBJECT)
            settle(field->of, *(void **)to);
    }
    presence->came |= bit;
    if (field->either != 0)
        reset_others(table, index, whole);
}

void fields_merge(const struct field_table *table, void *whole, const void *patch)
{
    for (size_t i = 0; i < table->count; i++)
        if ((((const struct field_presence *)patch)->came >> i & 1) != 0)
            merge_field(table, i, whole, patch);
}

/* ---- writing: one function a type ---- */

typedef void write_value(struct json_writer *json, const struct field *field, const void *at);

static void write_bool(struct json_writer *json, const struct field *field, const void *at)
{
    json_bool(json, *(const bool *)at);
}

static void write_int(struct json_writer *json, const struct field *field, const void *at)
{
    int64_t value = *(const int64_t *)at;
    if (value == NULL_INT)
        json_null(json);
    else
        json_int(json, value);
}

static void write_text(struct json_writer *json, const struct field *field, const void *at)
{
    json_text(json, *(const char *const *)at);
}

static void write_enum(struct json_writer *json, const struct field *field, const void *at)
{
    int64_t value = *(const int64_t *)at;
    assert(value == NULL_INT || value >= 0);
    json_text(json, value == NULL_INT ? NULL : field->names[value]);
}

static void write_money(struct json_writer *json, const struct field *field, const void *at)
{
    json_money(json, *(const struct money *)at);
}

static void write_time(struct json_writer *json, const struct field *field, const void *at)
{
    int64_t value = *(const int64_t *)at;
    if (value == NULL_INT)
        json_null(json);
    else
        json_time(json, value);
}

/* A currency or a country: text within the struct, "" for none. */
static void write_short(struct json_writer *json, const struct field *field, const void *at)
{
    const char *text = at;
    json_text(json, text[0] == '\0' ? NULL : text);
}

static void write_nested(struct json_writer *json, const struct field *field, const void *at)
{
    const void *object = *(void *const *)at;
    if (object == NULL)
        json_null(json);
    else
        fields_write(json, field->of, object);
}

static void write_list(struct json_writer *json, const struct field *field, const void *at)
{
    const struct field_list *list = at;
    json_array(json);
    for (size_t i = 0; i < list->count; i++)
        fields_write(json, field->of, (const char *)list->items + i * field->of->size);
    json_array_end(json);
}

static void write_codes(struct json_writer *json, const struct field *field, const void *at)
{
    const struct field_list *list = at;
    json_array(json);
    for (size_t i = 0; i < list->count; i++)
        json_text(json, ((const char *const *)list->items)[i]);
    json_array_end(json);
}

static write_value *const writers[] = {
    [FIELD_BOOL] = write_bool,     [FIELD_INT] = write_int,       [FIELD_TEXT] = write_text, [FIELD_CODE] = write_text,
    [FIELD_ENUM] = write_enum,     [FIELD_MONEY] = write_money,   [FIELD_TIME] = write_time, [FIELD_CURRENCY] = write_short,
    [FIELD_COUNTRY] = write_short, [FIELD_OBJECT] = write_nested, [FIELD_LIST] = write_list, [FIELD_CODES] = write_codes,
};

void fields_write(struct json_writer *json, const struct field_table *table, const void *in)
{
    const struct field_presence *presence = in;
    json_object(json);
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        if (field->write_only || field->not_available || (field->hide_absent && (presence->came >> i & 1) == 0))
            continue;
        json_key(json, field->name);
        /* The other types have a value that is none, and who fills a struct need not look at the bits. */
        bool needs_bit = field->type == FIELD_BOOL || field->type == FIELD_LIST || field->type == FIELD_CODES;
        if (needs_bit && (presence->came & presence->is_null) >> i & 1)
            json_null(json);
        else
            writers[field->type](json, field, (const char *)in + field->offset);
    }
    json_object_end(json);
}
