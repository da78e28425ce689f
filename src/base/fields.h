/* src/base/fields.h: field tables: one row a field drives parsing, validation, serialising and /openapi.json, so that
 * they cannot disagree. They stretch to flat fields, lists of objects, exactly-one-of and presence, and no further. */
#ifndef MILLRACE_BASE_FIELDS_H
#define MILLRACE_BASE_FIELDS_H

#include "base/fault.h"
#include "base/json.h"

enum field_type {
    FIELD_BOOL,     /* bool */
    FIELD_INT,      /* int64_t, min .. max (both 0: int64 without bounds) */
    FIELD_TEXT,     /* const char *; min .. max bytes (max 0: 1024); one line without control characters, see `lines` */
    FIELD_CODE,     /* const char *; text_is_code, at most 64 bytes */
    FIELD_ENUM,     /* int64_t, index into names */
    FIELD_MONEY,    /* struct money; min .. max minor units (both 0: >= 0) */
    FIELD_TIME,     /* int64_t microseconds, RFC 3339 */
    FIELD_CURRENCY, /* char[4], ISO 4217 */
    FIELD_COUNTRY,  /* char[3], ISO 3166-1 alpha-2, one that is assigned (base/country.h) */
    FIELD_OBJECT,   /* void *: a struct of `of` in the arena, NULL where it did not come */
    FIELD_LIST,     /* struct field_list of structs of `of`; min .. max elements */
    FIELD_CODES,    /* struct field_list of const char *: a list of codes; min .. max elements */
};

#define FIELD_TEXT_BYTES_MAX 1024 /* where a text's row names no max */
#define FIELD_CODE_BYTES_MAX 64

struct field_list {
    void *items; /* contiguous: of->size each, or const char * each */
    size_t count;
};

struct field_table;

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    bool required;            /* 422 `required` where it does not come */
    bool nullable;            /* null is a value: the field counts as come but is_null; ints get NULL_INT, texts NULL */
    bool read_only;           /* 422 `read_only_field` in POST and PATCH, ignored in PUT; written */
    bool write_only;          /* never written */
    bool hide_absent;         /* written only where its presence bit is set (optional ?) */
    bool lines;               /* of a text: several lines, so that tab, LF and CR are taken */
    bool not_available;       /* 422 `not_available`; absent from openapi */
    uint8_t either;           /* fields of an object with the same number > 0: exactly one must come */
    int64_t min, max;         /* see the types; max 0 of a list: no bound but the arena's */
    int64_t preset;           /* of an int, enum or bool that does not come; where it is 0 and null is a value: null */
    const char *const *names; /* FIELD_ENUM: ends in NULL */
    const struct field_table *of;
    const char *doc;
};

/* A table's struct begins with the presence bits: bit i is field i, set where it came (and for what is filled before
 * writing). At most 64 fields a table. */
struct field_presence {
    uint64_t came, is_null;
};
struct field_table {
    const char *name; /* the schema's name in openapi: "Order" */
    const struct field *fields;
    size_t count, size;
};

#define NULL_INT INT64_MIN /* no value, in ints that may be null: here and in rows */

#define FIELD_AT(type, member) offsetof(type, member)

enum fields_mode {
    FIELDS_POST,  /* read_only is a fault */
    FIELDS_PUT,   /* read_only is ignored; what does not come gets its preset */
    FIELDS_KEPT,  /* a PUT that we wrote ourselves, perhaps an older release: texts and countries are taken as they stand */
    FIELDS_PATCH, /* RFC 7396: required is not asked, presets are not filled, null sets is_null (a fault where the field is required) */
};

/* Reads one JSON value into `out` (of table->size bytes, zeroed). Collects a fault with its pointer (prefixed by
 * `pointer`) for each thing wrong and reads on; malformed JSON leaves one MALFORMED_JSON for all of this call and ends.
 * True without faults; else `out` holds what could be read, to look for more faults: texts, codes and objects that could not are
 * NULL, numbers 0 or their preset, lists keep a zeroed element for each that is no object. Texts and nested structs live in the reader's arena.
 *   REQUIRED, EITHER_OR, UNKNOWN_FIELD, READ_ONLY_FIELD, NOT_AVAILABLE   of the fields of an object
 *   WRONG_TYPE     another kind of value; null where it is none; an int with a point, an exponent, or -0
 *   OUT_OF_RANGE   an int, an amount, a text's bytes or a list's count not within min .. max; no name of the enum
 *   BAD_FORMAT     what is no code, time, currency, country, amount of its currency; a control character in a text
 *   MALFORMED_JSON what json.h refuses: also equal keys and U+0000 in text; the pointer says where reading stood
 * Money and the elements of lists are values: whole also in a patch. */
bool fields_read(struct json_reader *json, const struct field_table *table, enum fields_mode mode, const char *pointer, void *out,
                 struct faults *faults);
/* The whole text is one such object. */
bool fields_read_text(struct arena *arena, const char *text, size_t bytes, const struct field_table *table, enum fields_mode mode, void *out,
                      struct faults *faults);
/* What a request may say of itself among its fields: none of these is required or has a preset, and none has a name that the other table has,
 * which would go before it. */
struct fields_also {
    const struct field_table *table;
    void *out; /* of table->size bytes, zeroed */
};
/* The same, and the object may have those fields as well (NULL: none); lists and objects in it may not. */
bool fields_read_text_also(struct arena *arena, const char *text, size_t bytes, const struct field_table *table, enum fields_mode mode, void *out,
                           const struct fields_also *also, struct faults *faults);

/* Lays what came in `patch` over `whole`: null resets to the preset or to nothing, objects are merged, lists and money
 * replaced; a field that came resets the others of its `either`. Nested objects of `whole` are changed where they stand; what is
 * new is shared with the patch. Then fields_complete(). */
void fields_merge(const struct field_table *table, void *whole, const void *patch);
/* After a merge: whether all that is required is there, and one of each `either`; else REQUIRED or EITHER_OR for each. A
 * patch may have brought a new nested object with half of its fields, which only the whole shows. */
bool fields_complete(const struct field_table *table, const void *whole, const char *pointer, struct faults *faults);

/* Makes a field what it is when it does not come: its preset, null or nothing. */
void field_reset(const struct field_table *table, size_t index, void *whole);
/* Marks an optional field of a struct that is to be written as there; a name that the table has not changes nothing. */
void field_set(const struct field_table *table, void *io, const char *name);
/* Bytes that a value of the type takes in its struct. */
size_t field_bytes(enum field_type type);

/* Writes the struct as an object, fields in table order. */
void fields_write(struct json_writer *json, const struct field_table *table, const void *in);

/* The JSON schema (OpenAPI 3.1) of the table. An answer leaves write_only out; a request read_only, and knows no other field;
 * a PUT takes read_only too, since what GET gave may be sent back; of a patch nothing must come, and null takes out what is not
 * required. Nested tables become
 * $ref "#/components/schemas/NAME". also: fields that the object may have as well (fields_read_text_also); NULL: none. */
enum fields_schema { FIELDS_ANSWER, FIELDS_REQUEST, FIELDS_REPLACE, FIELDS_MERGE };
void fields_schema(struct json_writer *json, const struct field_table *table, enum fields_schema use, const struct field_table *also);

static inline bool field_came(const struct field_table *table, const void *in, const char *name);

#include <string.h>
static inline bool field_came(const struct field_table *table, const void *in, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->fields[i].name, name) == 0)
            return (((const struct field_presence *)in)->came >> i & 1) != 0;
    return false;
}

#endif
