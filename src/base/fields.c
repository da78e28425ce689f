/* src/base/fields.c: one table reads, merges and writes. Reading goes on after a fault, so that all that is wrong is told
 * at once; a hostile body gets FAULTS_MAX of them. The next field of the table is tried first: senders keep an order. */
#include "base/fields.h"
#include "base/when.h"
#include <assert.h>
#include <string.h>

#define FAULTS_MAX 100
#define TEXT_MAX 1024
#define CODE_MAX 64

struct reading_fields {
    struct json_reader *json;
    enum fields_mode mode;
    struct faults *faults;
};

/* Where in the body: built from the innermost outward only when something is wrong. */
struct spot {
    const struct spot *outer;
    const char *name; /* NULL: an index */
    size_t index;
};

static void spot_write(struct buffer *out, const struct spot *spot)
{
    if (spot->outer == NULL) {
        buffer_text(out, spot->name);
        return;
    }
    spot_write(out, spot->outer);
    buffer_text(out, "/");
    if (spot->name == NULL) {
        buffer_printf(out, "%zu", spot->index);
        return;
    }
    for (const char *at = spot->name; *at != '\0'; at++) {
        if (*at == '~' || *at == '/')
            buffer_text(out, *at == '~' ? "~0" : "~1");
        else
            buffer_add(out, at, 1);
    }
}

static void fault_at(struct reading_fields *r, const struct spot *spot, enum fault_code code, const char *format, ...) __attribute__((format(printf, 4, 5)));
static void fault_at(struct reading_fields *r, const struct spot *spot, enum fault_code code, const char *format, ...)
{
    if (r->faults->count >= FAULTS_MAX)
        return;
    struct buffer pointer = { .arena = r->faults->arena };
    spot_write(&pointer, spot);
    va_list args;
    va_start(args, format);
    const char *detail = arena_vprintf(r->faults->arena, format, args);
    va_end(args);
    fault_add(r->faults, code, pointer.at == NULL ? "" : pointer.at, "%s", detail);
}

static bool malformed(struct reading_fields *r)
{
    if (r->faults->count == 0 || r->faults->items[0].code != FAULT_MALFORMED_JSON) {
        r->faults->count = 0; /* what was said of the part that could be read is void */
        fault_add(r->faults, FAULT_MALFORMED_JSON, "", "line %zu, column %zu: %s", r->json->line, r->json->column, r->json->error);
    }
    return false;
}

static const char *type_name(enum field_type type)
{
    static const char *const names[] = {
        [FIELD_BOOL] = "true or false",    [FIELD_INT] = "a whole number",
        [FIELD_TEXT] = "a string",         [FIELD_CODE] = "a code: a string of 1 to 64 bytes",
        [FIELD_ENUM] = "one of the names", [FIELD_MONEY] = "{\"amount\":\"19.99\",\"currency\":\"EUR\"}",
        [FIELD_TIME] = "an RFC 3339 time", [FIELD_CURRENCY] = "an ISO 4217 code",
        [FIELD_COUNTRY] = "two letters",   [FIELD_OBJECT] = "an object",
        [FIELD_LIST] = "a list",           [FIELD_CODES] = "a list of strings",
    };
    return names[type];
}

/* Skips a value whose first token was read already. */
static bool skip_rest(struct json_reader *json, enum json_token token)
{
    for (int depth = token == JSON_OBJECT || token == JSON_ARRAY; depth > 0;) {
        token = json_next(json);
        depth += (token == JSON_OBJECT || token == JSON_ARRAY) - (token == JSON_OBJECT_END || token == JSON_ARRAY_END);
        if (token == JSON_ERROR)
            return false;
    }
    return token != JSON_ERROR;
}

static bool wrong_type(struct reading_fields *r, enum json_token token, const struct field *field, const struct spot *spot)
{
    fault_at(r, spot, FAULT_WRONG_TYPE, "wants %s", type_name(field->type));
    return skip_rest(r->json, token);
}

/* A plain integer; digits that do not fit say so through *fits. */
static bool parse_int(const char *text, size_t bytes, int64_t *out, bool *fits)
{
    size_t at = bytes > 0 && text[0] == '-';
    bool negative = at == 1;
    int64_t value = 0;
    *fits = true;
    if (at == bytes || (negative && bytes == 2 && text[1] == '0'))
        return false;
    for (; at < bytes; at++) {
        if (text[at] < '0' || text[at] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, negative ? '0' - text[at] : text[at] - '0', &value))
            *fits = false;
    }
    *out = value;
    return true;
}

static bool read_int(struct reading_fields *r, enum json_token token, const struct field *field, const struct spot *spot, void *out)
{
    int64_t value = 0;
    bool fits, bounded = field->min != 0 || field->max != 0;
    if (token != JSON_NUMBER)
        return wrong_type(r, token, field, spot);
    if (!parse_int(r->json->text, r->json->bytes, &value, &fits)) {
        fault_at(r, spot, FAULT_WRONG_TYPE, "%.*s: wants a whole number, without fraction or exponent", (int)min_i64((int64_t)r->json->bytes, 40), r->json->text);
        return true;
    }
    if (!fits || value == NULL_INT || (bounded && (value < field->min || value > field->max)))
        fault_at(r, spot, FAULT_OUT_OF_RANGE, "%.*s: wants %lld to %lld", (int)min_i64((int64_t)r->json->bytes, 40), r->json->text,
                 bounded ? (long long)field->min : -(long long)INT64_MAX, bounded ? (long long)field->max : (long long)INT64_MAX);
    memcpy(out, &value, sizeof value);
    return true;
}

static bool read_text(struct reading_fields *r, enum json_token token, const struct field *field, const struct spot *spot, void *out)
{
    if (token != JSON_STRING)
        return wrong_type(r, token, field, spot);
    size_t most = field->max == 0 ? TEXT_MAX : (size_t)field->max, bytes = r->json->bytes;
    if (field->type == FIELD_CODE && !text_is_code(r->json->text, bytes, CODE_MAX))
        fault_at(r, spot, FAULT_BAD_FORMAT, "wants 1 to %d bytes of NFC UTF-8 without control characters", CODE_MAX);
    else if (field->type == FIELD_TEXT && (bytes > most || bytes < (size_t)field->min))
        fault_at(r, spot, FAULT_OUT_OF_RANGE, "%zu bytes: wants %lld to %zu", bytes, (long long)field->min, most);
    const char *text = arena_text_n(r->json->arena, r->json->text, bytes);
    memcpy(out, &text, sizeof text);
    return true;
}

static bool read_enum(struct reading_fields *r, enum json_token token, const struct field *field, const struct spot *spot, void *out)
{
    if (token != JSON_STRING)
        return wrong_type(r, token, field, spot);
    struct buffer names = { .arena = r->faults->arena };
    for (int64_t i = 0; field->names[i] != NULL; i++) {
        if (strlen(field->names[i]) == r->json->bytes && memcmp(field->names[i], r->json->text, r->json->bytes) == 0) {
            memcpy(out, &i, sizeof i);
            return true;
        }
    }
    for (size_t i = 0; field->names[i] != NULL; i++)
        buffer_printf(&names, "%s%s", i == 0 ? "" : ", ", field->names[i]);
    fault_at(r, spot, FAULT_OUT_OF_RANGE, "wants one of %s", names.at);
    return true;
}

static bool read_short(struct reading_fields *r, enum json_token token, const struct field *field, const struct spot *spot, void *out)
{
    size_t bytes = field->type == FIELD_CURRENCY ? 3 : 2;
    if (token != JSON_STRING)
        return wrong_type(r, token, field, spot);
    char text[4] = "";
    bool good = r->json->bytes == bytes;
    for (size_t i = 0; good && i < bytes; i++)
        good = (text[i] = r->json->text[i]) >= 'A' && text[i] <= 'Z';
    if (!good || (field->type == FIELD_CURRENCY && currency_exponent(text) < 0))
        fault_at(r, spot, FAULT_BAD_FORMAT, "wants %s", field->type == FIELD_CURRENCY ? "an ISO 4217 code such as EUR" : "an ISO 3166-1 code such as DE");
    else
        memcpy(out, text, bytes + 1);
    return true;
}

static bool read_time(struct reading_fields *r, enum json_token token, const struct field *field, const struct spot *spot, void *out)
{
    int64_t at = 0;
    if (token != JSON_STRING)
        return wrong_type(r, token, field, spot);
    if (!when_parse(r->json->text, r->json->bytes, &at))
        fault_at(r, spot, FAULT_BAD_FORMAT, "wants a time as 2026-11-24T08:00:00Z");
    memcpy(out, &at, sizeof at);
    return true;
}

static bool read_bool(struct reading_fields *r, enum json_token token, const struct field *field, const struct spot *spot, void *out)
{
    bool value = token == JSON_TRUE;
    if (token != JSON_TRUE && token != JSON_FALSE)
        return wrong_type(r, token, field, spot);
    memcpy(out, &value, sizeof value);
    return true;
}

/* ---- money: an object of two strings ---- */

struct money_text {
    struct field_presence presence;
    const char *amount;
    char currency[4];
};
static const struct field money_rows[] = {
    { "amount", FIELD_TEXT, offsetof(struct money_text, amount), .required = true, .min = 1, .max = 24 },
    { "currency", FIELD_CURRENCY, offsetof(struct money_text, currency), .required = true },
};
static const struct field_table money_table = { "Money", money_rows, COUNT(money_rows), sizeof(struct money_text) };

static bool read_object_at(struct reading_fields *r, enum json_token token, const struct field_table *table, const struct spot *spot, void *out);

static bool read_money(struct reading_fields *r, enum json_token token, const struct field *field, const struct spot *spot, void *out)
{
    struct money_text text = { 0 };
    size_t before = r->faults->count;
    if (token != JSON_OBJECT)
        return wrong_type(r, token, field, spot);
    enum fields_mode mode = r->mode;
    r->mode = FIELDS_POST;
    bool read = read_object_at(r, token, &money_table, spot, &text);
    r->mode = mode;
    if (!read || r->faults->count > before)
        return read;
    struct money money = { 0 };
    memcpy(money.currency, text.currency, sizeof money.currency);
    int exponent = currency_exponent(money.currency);
    int64_t most = field->min == 0 && field->max == 0 ? INT64_MAX : field->max;
    struct spot amount = { spot, "amount", 0 };
    if (!money_parse(text.amount, strlen(text.amount), exponent, &money.minor))
        fault_at(r, &amount, FAULT_BAD_FORMAT, "wants digits with at most %d after the point, such as %s", exponent, exponent == 0 ? "20" : "19.99");
    else if (money.minor < field->min || money.minor > most)
        fault_at(r, &amount, FAULT_OUT_OF_RANGE, "wants %lld to %lld minor units", (long long)field->min, (long long)most);
    memcpy(out, &money, sizeof money);
    return true;
}

/* ---- objects and lists ---- */

static bool read_object(struct reading_fields *r, enum json_token token, const struct field *field, const struct spot *spot, void *out)
{
    if (token != JSON_OBJECT)
        return wrong_type(r, token, field, spot);
    void *inner = arena_alloc(r->json->arena, field->of->size);
    memcpy(out, &inner, sizeof inner);
    return read_object_at(r, token, field->of, spot, inner);
}

static bool read_list(struct reading_fields *r, enum json_token token, const struct field *field, const struct spot *spot, void *out)
{
    static const struct field code = { "", FIELD_CODE, 0 };
    bool codes = field->type == FIELD_CODES;
    size_t size = codes ? sizeof(const char *) : field->of->size, room = 0;
    struct field_list list = { 0 };
    if (token != JSON_ARRAY)
        return wrong_type(r, token, field, spot);
    enum fields_mode mode = r->mode;
    if (mode == FIELDS_PATCH)
        r->mode = FIELDS_PUT; /* a list is replaced as a whole: its entries are whole too */
    for (token = json_next(r->json); token != JSON_ARRAY_END; token = json_next(r->json)) {
        if (token == JSON_ERROR)
            return malformed(r);
        if (list.count == room) {
            room = room == 0 ? 4 : room * 2;
            void *grown = arena_alloc_array(r->json->arena, room, size);
            if (list.count > 0)
                memcpy(grown, list.items, list.count * size);
            list.items = grown;
        }
        struct spot at = { spot, NULL, list.count };
        char *item = (char *)list.items + list.count++ * size;
        if (!codes && token != JSON_OBJECT) {
            fault_at(r, &at, FAULT_WRONG_TYPE, "wants an object");
            if (!skip_rest(r->json, token))
                return malformed(r);
        } else if (!(codes ? read_text(r, token, &code, &at, item) : read_object_at(r, token, field->of, &at, item))) {
            return malformed(r);
        }
    }
    r->mode = mode;
    if ((int64_t)list.count < field->min || (field->max > 0 && (int64_t)list.count > field->max))
        fault_at(r, spot, FAULT_OUT_OF_RANGE, "%zu entries: wants %lld to %lld", list.count, (long long)field->min, (long long)field->max);
    memcpy(out, &list, sizeof list);
    return true;
}

typedef bool read_value(struct reading_fields *r, enum json_token token, const struct field *field, const struct spot *spot, void *out);
static read_value *const readers[] = {
    [FIELD_BOOL] = read_bool,      [FIELD_INT] = read_int,       [FIELD_TEXT] = read_text,   [FIELD_CODE] = read_text,
    [FIELD_ENUM] = read_enum,      [FIELD_MONEY] = read_money,   [FIELD_TIME] = read_time,   [FIELD_CURRENCY] = read_short,
    [FIELD_COUNTRY] = read_short,  [FIELD_OBJECT] = read_object, [FIELD_LIST] = read_list,   [FIELD_CODES] = read_list,
};

static size_t value_size(const struct field *field)
{
    switch (field->type) {
    case FIELD_BOOL:
        return sizeof(bool);
    case FIELD_INT:
    case FIELD_ENUM:
    case FIELD_TIME:
        return sizeof(int64_t);
    case FIELD_TEXT:
    case FIELD_CODE:
    case FIELD_OBJECT:
        return sizeof(void *);
    case FIELD_MONEY:
        return sizeof(struct money);
    case FIELD_CURRENCY:
        return 4;
    case FIELD_COUNTRY:
        return 3;
    case FIELD_LIST:
    case FIELD_CODES:
        return sizeof(struct field_list);
    }
    return 0;
}

/* What a field has that did not come, or came as null. */
static void preset(const struct field *field, void *out)
{
    memset(out, 0, value_size(field));
    if (field->type == FIELD_BOOL)
        *(bool *)out = field->preset != 0;
    else if (field->type == FIELD_INT || field->type == FIELD_ENUM)
        memcpy(out, &field->preset, sizeof field->preset);
}

static size_t find_field(const struct field_table *table, size_t next, const char *name, size_t bytes)
{
    for (size_t n = 0; n < table->count; n++) {
        size_t i = next + n < table->count ? next + n : next + n - table->count;
        if (strncmp(table->fields[i].name, name, bytes) == 0 && table->fields[i].name[bytes] == '\0')
            return i;
    }
    return table->count;
}

static bool read_null(struct reading_fields *r, const struct field *field, size_t i, const struct spot *spot, char *out)
{
    struct field_presence *presence = (struct field_presence *)(void *)out;
    if (!field->nullable && (r->mode != FIELDS_PATCH || field->required)) {
        fault_at(r, spot, FAULT_WRONG_TYPE, "wants %s, not null", type_name(field->type));
        return true;
    }
    presence->is_null |= UINT64_C(1) << i;
    preset(field, out + field->offset);
    int64_t none = NULL_INT;
    if (field->nullable && value_size(field) == sizeof none && (field->type == FIELD_INT || field->type == FIELD_TIME || field->type == FIELD_ENUM))
        memcpy(out + field->offset, &none, sizeof none);
    return true;
}

static bool read_field(struct reading_fields *r, const struct field_table *table, size_t i, const struct spot *spot, char *out)
{
    const struct field *field = &table->fields[i];
    enum json_token token = json_next(r->json);
    if (token == JSON_ERROR)
        return false;
    if (field->not_available) {
        fault_at(r, spot, FAULT_NOT_AVAILABLE, "%s is not part of this release", field->name);
        return skip_rest(r->json, token);
    }
    if (field->read_only && r->mode != FIELDS_PUT)
        fault_at(r, spot, FAULT_READ_ONLY_FIELD, "%s is written by us", field->name);
    if (field->read_only)
        return skip_rest(r->json, token);
    ((struct field_presence *)(void *)out)->came |= UINT64_C(1) << i;
    if (token == JSON_NULL)
        return read_null(r, field, i, spot, out);
    return readers[field->type](r, token, field, spot, out + field->offset);
}

/* Exactly one of the fields with the same number must have come. */
static void check_either(struct reading_fields *r, const struct field_table *table, uint64_t came, const struct spot *spot)
{
    for (uint8_t group = 1;; group++) {
        struct buffer names = { .arena = r->faults->arena };
        int count = 0, members = 0;
        for (size_t i = 0; i < table->count; i++) {
            if (table->fields[i].either != group)
                continue;
            buffer_printf(&names, "%s%s", members++ == 0 ? "" : ", ", table->fields[i].name);
            count += (came >> i & 1) != 0;
        }
        if (members == 0)
            return;
        if (count > 1 || (count == 0 && r->mode != FIELDS_PATCH))
            fault_at(r, spot, FAULT_EITHER_OR, "%s: exactly one of them", names.at);
    }
}

static void finish_object(struct reading_fields *r, const struct field_table *table, const struct spot *spot, char *out)
{
    uint64_t came = ((struct field_presence *)(void *)out)->came;
    bool either = false;
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        either = either || field->either > 0;
        if ((came >> i & 1) != 0 || r->mode == FIELDS_PATCH)
            continue;
        struct spot at = { spot, field->name, 0 };
        if (field->required)
            fault_at(r, &at, FAULT_REQUIRED, "%s is missing: %s", field->name, type_name(field->type));
        preset(field, out + field->offset);
    }
    if (either)
        check_either(r, table, came, spot);
}

static bool read_object_at(struct reading_fields *r, enum json_token token, const struct field_table *table, const struct spot *spot, void *out)
{
    assert(token == JSON_OBJECT);
    size_t next = 0;
    for (token = json_next(r->json); token != JSON_OBJECT_END; token = json_next(r->json)) {
        if (token != JSON_KEY)
            return malformed(r);
        size_t i = find_field(table, next, r->json->text, r->json->bytes);
        if (i < table->count) {
            struct spot at = { spot, table->fields[i].name, 0 };
            next = i + 1 < table->count ? i + 1 : 0;
            if (!read_field(r, table, i, &at, out))
                return malformed(r);
            continue;
        }
        struct spot at = { spot, arena_text_n(r->faults->arena, r->json->text, (size_t)min_i64((int64_t)r->json->bytes, 100)), 0 };
        fault_at(r, &at, FAULT_UNKNOWN_FIELD, "%s has no such field", table->name);
        if (!skip_rest(r->json, json_next(r->json)))
            return malformed(r);
    }
    finish_object(r, table, spot, out);
    return true;
}

bool fields_read(struct json_reader *json, const struct field_table *table, enum fields_mode mode, const char *pointer, void *out, struct faults *faults)
{
    struct reading_fields r = { json, mode, faults };
    struct spot spot = { NULL, pointer, 0 };
    size_t before = faults->count;
    enum json_token token = json_next(json);
    if (token == JSON_ERROR)
        return malformed(&r);
    if (token != JSON_OBJECT) {
        fault_at(&r, &spot, FAULT_WRONG_TYPE, "wants an object");
        if (!skip_rest(json, token))
            return malformed(&r);
        return false;
    }
    return read_object_at(&r, token, table, &spot, out) && faults->count == before;
}

bool fields_read_text(struct arena *arena, const char *text, size_t bytes, const struct field_table *table, enum fields_mode mode, void *out,
                      struct faults *faults)
{
    struct json_reader json;
    json_open(&json, arena, text, bytes);
    bool good = fields_read(&json, table, mode, "", out, faults);
    struct reading_fields r = { &json, mode, faults };
    return json_next(&json) == JSON_ERROR ? malformed(&r) : good;
}

void fields_merge(const struct field_table *table, void *whole, const void *patch)
{
    const struct field_presence *came = patch;
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        if ((came->came >> i & 1) == 0)
            continue;
        bool gone = (came->is_null >> i & 1) != 0 && !field->nullable;
        memcpy((char *)whole + field->offset, (const char *)patch + field->offset, value_size(field));
        ((struct field_presence *)whole)->came &= ~(UINT64_C(1) << i);
        ((struct field_presence *)whole)->came |= (uint64_t)!gone << i;
    }
}
