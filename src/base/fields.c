/* src/base/fields.c: requests read by their field tables.
 * One pass over the tokens: the key finds its row, the row's type reads the value to its place in the struct. What is
 * wrong is noted with its place and reading goes on, so that a client mends everything at once; only malformed JSON ends
 * it, and then that is the one fault, since nothing behind it means anything. Places are a chain on the C stack and
 * become text only for a fault. Clients send fields in the order of our documentation more often than not: the row
 * after the last one is tried first. */
#include "base/fields.h"
#include "base/country.h"
#include "base/when.h"
#include <assert.h>

/* Where we read: a step down from `up`, by name or by index. */
struct place {
    const struct place *up;
    const char *name; /* NULL: index; at the root the pointer that all others begin with */
    size_t bytes, index;
};

struct reading {
    struct json_reader *json;
    struct faults *faults;
    size_t faults_before; /* those of others */
    enum fields_mode mode;
    const struct fields_also *also; /* of the whole; NULL: nothing */
};

enum outcome {
    TAKEN,
    FAULTY, /* noted; the value is read over */
    BROKEN, /* the JSON is malformed: noted, nothing more can be read */
};

/* ---- faults ---- */

#define EXCERPT_BYTES 64

/* What of a client's text is quoted: whole characters, and not megabytes. */
static size_t excerpt(const char *text, size_t bytes)
{
    return utf8_cut(text, bytes, EXCERPT_BYTES);
}

/* Adds a step to a JSON pointer (RFC 6901, 3: '~' is ~0, '/' is ~1). */
static void add_step(struct buffer *out, const struct place *place)
{
    if (place->name == NULL) {
        buffer_printf(out, "/%zu", place->index);
        return;
    }
    size_t bytes = excerpt(place->name, place->bytes);
    buffer_text(out, "/");
    for (size_t i = 0; i < bytes; i++) {
        if (place->name[i] == '~')
            buffer_text(out, "~0");
        else if (place->name[i] == '/')
            buffer_text(out, "~1");
        else
            buffer_add(out, &place->name[i], 1);
    }
    if (bytes < place->bytes)
        buffer_text(out, "\xE2\x80\xA6"); /* an ellipsis: nobody can mistake it for the whole name */
}

static void add_pointer(struct buffer *out, const struct place *place)
{
    if (place->up == NULL) {
        buffer_add(out, place->name, place->bytes);
        return;
    }
    add_pointer(out, place->up);
    add_step(out, place);
}

__attribute__((format(printf, 4, 5))) static enum outcome refuse(struct reading *r, const struct place *here, enum fault_code code,
                                                                 const char *format, ...)
{
    if (r->faults->count >= FAULTS_MAX)
        return FAULTY;
    struct buffer pointer = { .arena = r->faults->arena };
    add_pointer(&pointer, here);
    va_list args;
    va_start(args, format);
    fault_add(r->faults, code, pointer.at, "%s", arena_vprintf(r->faults->arena, format, args));
    va_end(args);
    return FAULTY;
}

static enum outcome malformed(struct reading *r, const struct place *here)
{
    r->faults->count = r->faults_before;
    refuse(r, here, FAULT_MALFORMED_JSON, "line %zu, column %zu: %s", r->json->line, r->json->column, r->json->error);
    return BROKEN;
}

/* Reads over the value that `token` begins; it is FAULTY as it was noted before. */
static enum outcome pass_over(struct reading *r, const struct place *here, enum json_token token)
{
    return json_skip_rest(r->json, token) ? FAULTY : malformed(r, here);
}

/* ---- values: one function a type; the token is of the kind that its row of `types` names ---- */

typedef enum outcome read_value(struct reading *r, const struct field *field, const struct place *here, enum json_token token, void *at);
static read_value read_field_value;
static enum outcome read_object(struct reading *r, const struct field_table *table, const struct place *here, void *out);

static enum outcome read_bool(struct reading *r, const struct field *field, const struct place *here, enum json_token token, void *at)
{
    *(bool *)at = token == JSON_TRUE;
    return TAKEN;
}

/* Plain digits: 1.0 and 1e3 are whole numbers to some clients and floats to others, and -0 comes back as 0. */
static enum outcome read_int(struct reading *r, const struct field *field, const struct place *here, enum json_token token, void *at)
{
    const char *text = r->json->text;
    size_t bytes = r->json->bytes;
    bool negative = text[0] == '-', fits = true;
    int64_t value = 0;
    for (size_t i = negative ? 1 : 0; i < bytes; i++) {
        if (text[i] < '0' || text[i] > '9')
            return refuse(r, here, FAULT_WRONG_TYPE, "a whole number in plain digits is due, not %.*s", (int)excerpt(text, bytes), text);
        int digit = negative ? '0' - text[i] : text[i] - '0';
        fits = fits && !__builtin_mul_overflow(value, 10, &value) && !__builtin_add_overflow(value, digit, &value);
    }
    if (negative && value == 0 && fits)
        return refuse(r, here, FAULT_WRONG_TYPE, "a whole number in plain digits is due, not -0");
    bool bounded = field->min != 0 || field->max != 0;
    int64_t min = bounded ? field->min : NULL_INT + 1, max = bounded ? field->max : INT64_MAX;
    if (!fits || value < min || value > max)
        return refuse(r, here, FAULT_OUT_OF_RANGE, "%.*s is not within %lld .. %lld", (int)excerpt(text, bytes), text, (long long)min,
                      (long long)max);
    *(int64_t *)at = value;
    return TAKEN;
}

static enum outcome read_text(struct reading *r, const struct field *field, const struct place *here, enum json_token token, void *at)
{
    size_t bytes = r->json->bytes, min = (size_t)field->min, max = field->max == 0 ? FIELD_TEXT_BYTES_MAX : (size_t)field->max;
    if (bytes < min || bytes > max)
        return refuse(r, here, FAULT_OUT_OF_RANGE, "%zu bytes of text, not within %zu .. %zu", bytes, min, max);
    for (size_t i = 0; i < bytes && r->mode != FIELDS_KEPT; i++) {
        unsigned char c = (unsigned char)r->json->text[i];
        if ((c < 0x20 && !(field->lines && (c == '\t' || c == '\n' || c == '\r'))) || c == 0x7f)
            return refuse(r, here, FAULT_BAD_FORMAT, "byte %zu is the control character U+%04X: send text %s", i + 1, c,
                          field->lines ? "without it" : "of one line");
    }
    *(const char **)at = arena_text_n(r->json->arena, r->json->text, bytes);
    return TAKEN;
}

static enum outcome read_code(struct reading *r, const struct field *field, const struct place *here, enum json_token token, void *at)
{
    if (!text_is_code(r->json->text, r->json->bytes, FIELD_CODE_BYTES_MAX))
        return refuse(r, here, FAULT_BAD_FORMAT, "a code is 1 to %d bytes in normal form C without control characters", FIELD_CODE_BYTES_MAX);
    *(const char **)at = arena_text_n(r->json->arena, r->json->text, r->json->bytes);
    return TAKEN;
}

static bool is_name(const char *name, const char *text, size_t bytes)
{
    return strncmp(name, text, bytes) == 0 && name[bytes] == '\0';
}

static enum outcome read_enum(struct reading *r, const struct field *field, const struct place *here, enum json_token token, void *at)
{
    for (int64_t i = 0; field->names[i] != NULL; i++)
        if (is_name(field->names[i], r->json->text, r->json->bytes)) {
            *(int64_t *)at = i;
            return TAKEN;
        }
    struct buffer names = { .arena = r->faults->arena };
    for (size_t i = 0; field->names[i] != NULL; i++)
        buffer_printf(&names, "%s%s", i == 0 ? "" : ", ", field->names[i]);
    return refuse(r, here, FAULT_OUT_OF_RANGE, "one of %s is due", names.at);
}

static enum outcome read_time(struct reading *r, const struct field *field, const struct place *here, enum json_token token, void *at)
{
    if (!when_parse(r->json->text, r->json->bytes, at))
        return refuse(r, here, FAULT_BAD_FORMAT, "a time is written as 2026-11-24T08:00:00Z");
    return TAKEN;
}

static enum outcome read_currency(struct reading *r, const struct field *field, const struct place *here, enum json_token token, void *at)
{
    char code[4] = { 0 };
    if (r->json->bytes == 3)
        memcpy(code, r->json->text, 3);
    if (currency_exponent(code) < 0)
        return refuse(r, here, FAULT_BAD_FORMAT, "a currency code of ISO 4217 is due");
    memcpy(at, code, sizeof code);
    return TAKEN;
}

static enum outcome read_country(struct reading *r, const struct field *field, const struct place *here, enum json_token token, void *at)
{
    const char *text = r->json->text;
    if (r->json->bytes != 2 || (r->mode != FIELDS_KEPT && !country_is_assigned(text, r->json->bytes)))
        return refuse(r, here, FAULT_BAD_FORMAT, "%.*s is no country of ISO 3166-1: two capital letters as DE", (int)excerpt(text, r->json->bytes),
                      text);
    memcpy(at, (char[3]){ text[0], text[1] }, 3);
    return TAKEN;
}

/* Money as it stands on the wire, itself a table of fields. */
struct wire_money {
    struct field_presence presence;
    const char *amount;
    char currency[4];
};
static const struct field money_fields[] = {
    { "amount", FIELD_TEXT, FIELD_AT(struct wire_money, amount), .required = true, .max = 32 },
    { "currency", FIELD_CURRENCY, FIELD_AT(struct wire_money, currency), .required = true },
};
static const struct field_table money_table = { "Money", money_fields, COUNT(money_fields), sizeof(struct wire_money) };

static enum outcome read_money(struct reading *r, const struct field *field, const struct place *here, enum json_token token, void *at)
{
    struct wire_money wire = { .amount = NULL };
    struct money *money = at;
    enum fields_mode mode = r->mode;
    r->mode = FIELDS_PUT; /* a value, not merged by halves: half of an amount of money is none */
    enum outcome outcome = read_object(r, &money_table, here, &wire);
    r->mode = mode;
    if (outcome != TAKEN)
        return outcome;
    struct place amount = { .up = here, .name = "amount", .bytes = strlen("amount") };
    int exponent = currency_exponent(wire.currency);
    assert(wire.amount != NULL); /* it is required */
    if (!money_parse(wire.amount, strlen(wire.amount), exponent, &money->minor))
        return refuse(r, &amount, FAULT_BAD_FORMAT, "an amount of %s is written as %s", wire.currency,
                      (const char *[]){ "1999", "199.9", "19.99", "1.999", "0.1999" }[exponent]);
    memcpy(money->currency, wire.currency, sizeof wire.currency);
    bool bounded = field->min != 0 || field->max != 0;
    int64_t min = field->min, max = bounded ? field->max : INT64_MAX;
    if (money->minor >= min && money->minor <= max)
        return TAKEN;
    char least[32], most[32];
    money_format(min, exponent, least);
    money_format(max, exponent, most);
    return refuse(r, &amount, FAULT_OUT_OF_RANGE, "%s is not within %s .. %s", wire.amount, least, most);
}

static enum outcome read_nested(struct reading *r, const struct field *field, const struct place *here, enum json_token token, void *at)
{
    void *object = arena_alloc(r->json->arena, field->of->size);
    *(void **)at = object;
    return read_object(r, field->of, here, object);
}

static enum outcome read_element(struct reading *r, const struct field *field, const struct place *here, enum json_token token, void *at)
{
    static const struct field code = { .name = "", .type = FIELD_CODE };
    if (field->type == FIELD_CODES)
        return read_field_value(r, &code, here, token, at);
    if (token == JSON_OBJECT)
        return read_object(r, field->of, here, at);
    refuse(r, here, FAULT_WRONG_TYPE, "an object is due");
    return pass_over(r, here, token);
}

/* A place for one more element, zeroed. */
static void *list_place(struct arena *arena, struct field_list *list, size_t *room, size_t size)
{
    list->items = arena_room(arena, list->items, list->count, room, 4, size);
    return (char *)list->items + list->count++ * size;
}

static enum outcome read_list(struct reading *r, const struct field *field, const struct place *here, enum json_token token, void *at)
{
    struct field_list *list = at;
    size_t size = field->type == FIELD_CODES ? sizeof(const char *) : field->of->size, room = 0, count = 0;
    size_t max = field->max == 0 ? SIZE_MAX : (size_t)field->max;
    enum fields_mode mode = r->mode;
    if (mode == FIELDS_PATCH)
        r->mode = FIELDS_PUT; /* RFC 7396: an array replaces the array, its elements are whole */
    enum outcome all = TAKEN;
    for (;;) {
        struct place place = { .up = here, .index = count };
        enum json_token element = json_next(r->json);
        if (element == JSON_ARRAY_END)
            break;
        if (element == JSON_ERROR)
            return malformed(r, &place);
        /* More than may come are read over, so that they cost no memory. */
        enum outcome outcome =
            ++count > max ? pass_over(r, &place, element) : read_element(r, field, &place, element, list_place(r->json->arena, list, &room, size));
        if (outcome == BROKEN)
            return BROKEN;
        if (outcome == FAULTY)
            all = FAULTY;
    }
    r->mode = mode;
    if (count < (size_t)field->min)
        return refuse(r, here, FAULT_OUT_OF_RANGE, "%zu elements, at least %lld are due", count, (long long)field->min);
    if (count > max)
        return refuse(r, here, FAULT_OUT_OF_RANGE, "%zu elements, at most %zu may come", count, max);
    return all;
}

/* The kinds of token that a type is written with, and its reader. */
static const struct {
    enum json_token token;
    const char *due;
    read_value *read;
} types[] = {
    [FIELD_BOOL] = { JSON_TRUE, "true or false is due", read_bool },
    [FIELD_INT] = { JSON_NUMBER, "a whole number is due", read_int },
    [FIELD_TEXT] = { JSON_STRING, "a string is due", read_text },
    [FIELD_CODE] = { JSON_STRING, "a string is due", read_code },
    [FIELD_ENUM] = { JSON_STRING, "a string is due", read_enum },
    [FIELD_MONEY] = { JSON_OBJECT, "an object {\"amount\",\"currency\"} is due", read_money },
    [FIELD_TIME] = { JSON_STRING, "a string is due", read_time },
    [FIELD_CURRENCY] = { JSON_STRING, "a string is due", read_currency },
    [FIELD_COUNTRY] = { JSON_STRING, "a string is due", read_country },
    [FIELD_OBJECT] = { JSON_OBJECT, "an object is due", read_nested },
    [FIELD_LIST] = { JSON_ARRAY, "an array is due", read_list },
    [FIELD_CODES] = { JSON_ARRAY, "an array of strings is due", read_list },
};

static enum outcome read_field_value(struct reading *r, const struct field *field, const struct place *here, enum json_token token, void *at)
{
    if (token == types[field->type].token || (field->type == FIELD_BOOL && token == JSON_FALSE))
        return types[field->type].read(r, field, here, token, at);
    if (token == JSON_ERROR)
        return malformed(r, here);
    refuse(r, here, FAULT_WRONG_TYPE, "%s", types[field->type].due);
    return pass_over(r, here, token);
}

/* ---- objects ---- */

void field_set(const struct field_table *table, void *io, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->fields[i].name, name) == 0)
            ((struct field_presence *)io)->came |= UINT64_C(1) << i;
}

void field_reset(const struct field_table *table, size_t index, void *whole)
{
    const struct field *field = &table->fields[index];
    struct field_presence *presence = whole;
    void *at = (char *)whole + field->offset;
    uint64_t bit = UINT64_C(1) << index;
    bool null = field->nullable && field->preset == 0;
    presence->came &= ~bit;
    presence->is_null &= ~bit;
    if (field->type == FIELD_BOOL)
        *(bool *)at = field->preset != 0;
    else if (field->type == FIELD_INT || field->type == FIELD_ENUM || field->type == FIELD_TIME)
        *(int64_t *)at = null ? NULL_INT : field->preset;
    else
        memset(at, 0, field_bytes(field->type));
}

size_t field_bytes(enum field_type type)
{
    static const size_t bytes[] = {
        [FIELD_BOOL] = sizeof(bool),
        [FIELD_INT] = sizeof(int64_t),
        [FIELD_TEXT] = sizeof(char *),
        [FIELD_CODE] = sizeof(char *),
        [FIELD_ENUM] = sizeof(int64_t),
        [FIELD_MONEY] = sizeof(struct money),
        [FIELD_TIME] = sizeof(int64_t),
        [FIELD_CURRENCY] = 4,
        [FIELD_COUNTRY] = 3,
        [FIELD_OBJECT] = sizeof(void *),
        [FIELD_LIST] = sizeof(struct field_list),
        [FIELD_CODES] = sizeof(struct field_list),
    };
    return bytes[type];
}

/* A null: a value of its own, or in a patch the wish that the field should go. */
static enum outcome read_null(struct reading *r, const struct field_table *table, size_t index, const struct place *here, void *out)
{
    const struct field *field = &table->fields[index];
    struct field_presence *presence = out;
    if (!field->nullable && r->mode != FIELDS_PATCH)
        return refuse(r, here, FAULT_WRONG_TYPE, "null is no value here; %s", types[field->type].due);
    if (!field->nullable && field->required)
        return refuse(r, here, FAULT_REQUIRED, "the field cannot be taken out");
    field_reset(table, index, out);
    if (field->nullable && (field->type == FIELD_INT || field->type == FIELD_ENUM || field->type == FIELD_TIME))
        *(int64_t *)((char *)out + field->offset) = NULL_INT;
    presence->came |= UINT64_C(1) << index;
    presence->is_null |= UINT64_C(1) << index;
    return TAKEN;
}

/* The row of the name that was just read; table->count where there is none. */
static size_t find_field(const struct field_table *table, const struct json_reader *json, size_t expected)
{
    if (expected < table->count && is_name(table->fields[expected].name, json->text, json->bytes))
        return expected;
    for (size_t i = 0; i < table->count; i++)
        if (is_name(table->fields[i].name, json->text, json->bytes))
            return i;
    return table->count;
}

/* Reads the value behind a key to its field. */
static enum outcome read_member(struct reading *r, const struct field_table *table, size_t index, const struct place *here, void *out)
{
    enum json_token token = json_next(r->json);
    if (token == JSON_ERROR)
        return malformed(r, here);
    if (index == table->count) {
        refuse(r, here, FAULT_UNKNOWN_FIELD, "there is no field \"%.*s\"", (int)excerpt(here->name, here->bytes), here->name);
        return pass_over(r, here, token);
    }
    const struct field *field = &table->fields[index];
    if (field->not_available) {
        refuse(r, here, FAULT_NOT_AVAILABLE, "this release does not know \"%s\"", field->name);
        return pass_over(r, here, token);
    }
    if (field->read_only) {
        if (r->mode != FIELDS_PUT && r->mode != FIELDS_KEPT) {
            refuse(r, here, FAULT_READ_ONLY_FIELD, "\"%s\" is written by us only", field->name);
            return pass_over(r, here, token);
        }
        return pass_over(r, here, token) == BROKEN ? BROKEN : TAKEN;
    }
    if (token == JSON_NULL)
        return read_null(r, table, index, here, out);
    enum outcome outcome = read_field_value(r, field, here, token, (char *)out + field->offset);
    if (outcome == TAKEN)
        ((struct field_presence *)out)->came |= UINT64_C(1) << index;
    return outcome;
}

/* Of the fields with the number of `first`, exactly one is due; said once, at the first of them. */
static enum outcome check_either(struct reading *r, const struct field_table *table, size_t first, const struct place *here, uint64_t seen)
{
    size_t came = 0;
    struct buffer names = { .arena = r->faults->arena };
    for (size_t i = 0; i < table->count; i++)
        if (table->fields[i].either == table->fields[first].either) {
            if (i < first)
                return TAKEN;
            came += seen >> i & 1;
        }
    if (came == 1 || (came == 0 && r->mode == FIELDS_PATCH))
        return TAKEN;
    for (size_t i = first; i < table->count; i++)
        if (table->fields[i].either == table->fields[first].either)
            buffer_printf(&names, "%s%s", i == first ? "" : ", ", table->fields[i].name);
    return refuse(r, here, FAULT_EITHER_OR, "exactly one of %s is due, %zu came", names.at, came);
}

/* What is wrong with the object as a whole; `seen` has a bit for each field whose key came, well or badly. */
static enum outcome check_object(struct reading *r, const struct field_table *table, const struct place *here, uint64_t seen)
{
    enum outcome outcome = TAKEN;
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        struct place place = { .up = here, .name = field->name, .bytes = strlen(field->name) };
        bool missing = field->required && !field->read_only && !field->not_available && (seen >> i & 1) == 0;
        if (missing && r->mode != FIELDS_PATCH)
            outcome = refuse(r, &place, FAULT_REQUIRED, "\"%s\" is missing", field->name);
        if (field->either != 0 && check_either(r, table, i, here, seen) != TAKEN)
            outcome = FAULTY;
    }
    return outcome;
}

/* Reads the value behind a key that is no field of the table: it may be one of those that the whole has besides. */
static enum outcome read_other(struct reading *r, const struct field_table *table, const struct place *here, void *out)
{
    const bool of_whole = r->also != NULL && here->up->up == NULL;
    const size_t index = of_whole ? find_field(r->also->table, r->json, 0) : 0;
    if (of_whole && index < r->also->table->count)
        return read_member(r, r->also->table, index, here, r->also->out);
    return read_member(r, table, table->count, here, out);
}

/* Reads the object whose '{' was read. */
static enum outcome read_object(struct reading *r, const struct field_table *table, const struct place *here, void *out)
{
    enum outcome all = TAKEN;
    uint64_t seen = 0;
    size_t expected = 0;
    assert(table->count <= 64);
    for (;;) {
        enum json_token token = json_next(r->json);
        if (token == JSON_OBJECT_END)
            break;
        if (token == JSON_ERROR)
            return malformed(r, here);
        struct place place = { .up = here, .name = r->json->text, .bytes = r->json->bytes };
        size_t index = find_field(table, r->json, expected);
        enum outcome outcome = index < table->count ? read_member(r, table, index, &place, out) : read_other(r, table, &place, out);
        if (outcome == BROKEN)
            return BROKEN;
        if (outcome == FAULTY)
            all = FAULTY;
        if (index < table->count) {
            seen |= UINT64_C(1) << index;
            expected = index + 1;
        }
    }
    if (check_object(r, table, here, seen) != TAKEN)
        all = FAULTY;
    for (size_t i = 0; i < table->count && r->mode != FIELDS_PATCH; i++) {
        bool has_parts = types[table->fields[i].type].token == JSON_OBJECT || types[table->fields[i].type].token == JSON_ARRAY;
        if ((((struct field_presence *)out)->came >> i & 1) == 0 && !(has_parts && seen >> i & 1)) /* a faulty one keeps its good parts */
            field_reset(table, i, out);
    }
    return all;
}

static bool read_whole(struct reading *r, const struct field_table *table, const struct place *root, void *out)
{
    enum json_token token = json_next(r->json);
    if (token == JSON_OBJECT)
        return read_object(r, table, root, out) == TAKEN;
    if (token == JSON_ERROR) {
        malformed(r, root);
    } else {
        refuse(r, root, FAULT_WRONG_TYPE, "an object is due");
        pass_over(r, root, token);
    }
    return false;
}

bool fields_read(struct json_reader *json, const struct field_table *table, enum fields_mode mode, const char *pointer, void *out,
                 struct faults *faults)
{
    struct reading r = { .json = json, .faults = faults, .faults_before = faults->count, .mode = mode };
    struct place root = { .name = pointer, .bytes = strlen(pointer) };
    return read_whole(&r, table, &root, out);
}

bool fields_read_text(struct arena *arena, const char *text, size_t bytes, const struct field_table *table, enum fields_mode mode, void *out,
                      struct faults *faults)
{
    return fields_read_text_also(arena, text, bytes, table, mode, out, NULL, faults);
}

bool fields_read_text_also(struct arena *arena, const char *text, size_t bytes, const struct field_table *table, enum fields_mode mode, void *out,
                           const struct fields_also *also, struct faults *faults)
{
    struct json_reader json;
    struct reading r = { .json = &json, .faults = faults, .faults_before = faults->count, .mode = mode, .also = also };
    struct place root = { .name = "" };
    json_open(&json, arena, text, bytes);
    bool good = read_whole(&r, table, &root, out);
    if (json.error == NULL && json_next(&json) == JSON_ERROR)
        malformed(&r, &root);
    return good && json.error == NULL;
}

static enum outcome check_whole(struct reading *r, const struct field_table *table, const struct place *here, const void *whole)
{
    const struct field_presence *presence = whole;
    enum outcome all = check_object(r, table, here, presence->came);
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        if (field->type != FIELD_OBJECT || (presence->came >> i & 1) == 0)
            continue;
        const void *nested = *(void *const *)((const char *)whole + field->offset);
        struct place place = { .up = here, .name = field->name, .bytes = strlen(field->name) };
        if (nested != NULL && check_whole(r, field->of, &place, nested) != TAKEN)
            all = FAULTY;
    }
    return all;
}

bool fields_complete(const struct field_table *table, const void *whole, const char *pointer, struct faults *faults)
{
    struct reading r = { .faults = faults, .faults_before = faults->count, .mode = FIELDS_PUT };
    struct place root = { .name = pointer, .bytes = strlen(pointer) };
    return check_whole(&r, table, &root, whole) == TAKEN;
}
