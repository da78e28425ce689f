/* tests/fuzz/fields_fuzz.c: any body against a table with a field of every type, by every method. A refusal tells at least
 * one fault and at most FAULTS_MAX; what is taken is written, taken again, and written the same; a patch merges and the
 * whole can be written. A full arena leaves by its door. */
#include "base/fields.h"
#include <stdlib.h>
#include <string.h>

#define MUST(condition) ((condition) ? (void)0 : abort())

struct inner {
    struct field_presence presence;
    const char *a, *b;
    int64_t n, hidden;
};
#define AT(member) FIELD_AT(struct inner, member)
static const struct field inner_fields[] = {
    { "a", FIELD_CODE, AT(a), .either = 1, .hide_absent = true },
    { "b", FIELD_TEXT, AT(b), .either = 1, .hide_absent = true, .max = 40 },
    { "n", FIELD_INT, AT(n), .required = true, .min = 1, .max = 1000000 },
    { "ro", FIELD_INT, AT(hidden), .read_only = true, .hide_absent = true },
};
#undef AT
static const struct field_table inner_table = { "Inner", inner_fields, COUNT(inner_fields), sizeof(struct inner) };

struct outer {
    struct field_presence presence;
    const char *code, *text;
    int64_t at, number, name, none;
    bool flag, may;
    struct money money;
    char currency[4], country[3];
    struct inner *one;
    struct field_list many, codes;
};
static const char *const names[] = { "x", "yy", NULL };
#define AT(member) FIELD_AT(struct outer, member)
static const struct field outer_fields[] = {
    { "code", FIELD_CODE, AT(code) },
    { "text", FIELD_TEXT, AT(text), .nullable = true, .hide_absent = true },
    { "at", FIELD_TIME, AT(at), .nullable = true },
    { "number", FIELD_INT, AT(number), .nullable = true },
    { "name", FIELD_ENUM, AT(name), .names = names, .preset = 1 },
    { "none", FIELD_INT, AT(none), .not_available = true },
    { "flag", FIELD_BOOL, AT(flag), .preset = true },
    { "may", FIELD_BOOL, AT(may), .nullable = true },
    { "money", FIELD_MONEY, AT(money), .min = -1000, .max = INT64_MAX, .hide_absent = true },
    { "currency", FIELD_CURRENCY, AT(currency), .hide_absent = true },
    { "country", FIELD_COUNTRY, AT(country), .hide_absent = true },
    { "one", FIELD_OBJECT, AT(one), .of = &inner_table, .hide_absent = true },
    { "many", FIELD_LIST, AT(many), .of = &inner_table, .max = 5 },
    { "codes", FIELD_CODES, AT(codes), .max = 5 },
};
static const struct field_table outer_table = { "Outer", outer_fields, COUNT(outer_fields), sizeof(struct outer) };

static bool read(struct arena *arena, const char *text, size_t bytes, enum fields_mode mode, struct outer *out)
{
    struct faults faults = { .arena = arena };
    *out = (struct outer){ .code = NULL };
    bool good = fields_read_text(arena, text, bytes, &outer_table, mode, out, &faults);
    MUST(good == (faults.count == 0) && faults.count <= FAULTS_MAX);
    for (size_t i = 0; i < faults.count; i++)
        MUST(utf8_valid(faults.items[i].pointer, strlen(faults.items[i].pointer)) &&
             utf8_valid(faults.items[i].detail, strlen(faults.items[i].detail)));
    return good;
}

static struct buffer write(struct arena *arena, const struct outer *in)
{
    struct json_writer json;
    json_begin(&json, arena);
    fields_write(&json, &outer_table, in);
    return json.out;
}

static void try_whole(struct arena *arena, const char *text, size_t bytes)
{
    struct outer first, second;
    struct faults faults = { .arena = arena };
    if (!read(arena, text, bytes, FIELDS_PUT, &first))
        return;
    MUST(fields_complete(&outer_table, &first, "", &faults));
    struct buffer once = write(arena, &first);
    const char *code = strstr(once.at, "\"code\":null"); /* a code that did not come is written as null, which is no code */
    if (code != NULL)
        return;
    MUST(read(arena, once.at, once.size, FIELDS_PUT, &second));
    MUST(strcmp(write(arena, &second).at, once.at) == 0);
}

static void try_patch(struct arena *arena, const char *text, size_t bytes)
{
    static const char base[] = "{\"code\":\"C\",\"number\":7,\"one\":{\"a\":\"A\",\"n\":1},\"many\":[{\"b\":\"B\",\"n\":2}],\"codes\":[\"c\"]}";
    struct outer whole, patch;
    struct faults faults = { .arena = arena };
    MUST(read(arena, base, sizeof base - 1, FIELDS_PUT, &whole));
    if (!read(arena, text, bytes, FIELDS_PATCH, &patch))
        return;
    fields_merge(&outer_table, &whole, &patch);
    MUST(fields_complete(&outer_table, &whole, "/p", &faults) == (faults.count == 0));
    write(arena, &whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    struct arena *arena = arena_new(size % 5 == 0 ? 3000 + size * 8 : 64u << 20);
    struct arena_door door;
    arena_set_door(arena, &door);
    if (setjmp(door.where) == 0) {
        struct outer out;
        read(arena, text, size, FIELDS_POST, &out);
        try_whole(arena, text, size);
        try_patch(arena, text, size);
    }
    arena_free(arena);
    free(text);
    return 0;
}
