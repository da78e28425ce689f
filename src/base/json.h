/* src/base/json.h: reads JSON (RFC 8259) from memory by pulling tokens, and writes it. Depth at most 32, keys unique
 * within an object (after unescaping), numbers kept as their text, strings valid UTF-8 without U+0000; all else is an
 * error with line and column: malformed_json, 400 (also an escaped U+0000). No tree is built. */
#ifndef MILLRACE_BASE_JSON_H
#define MILLRACE_BASE_JSON_H

#include "base/money.h"
#include "base/text.h"

enum json_token {
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_KEY,    /* text, bytes: the unescaped key */
    JSON_STRING, /* text, bytes: the unescaped string */
    JSON_NUMBER, /* text, bytes: as written */
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    JSON_END,  /* the whole text was one value and white space */
    JSON_ERROR /* error, line, column; every further call gives it again */
};

#define JSON_DEPTH_MAX 32

struct json_reader {
    struct arena *arena; /* unescaped strings and known keys live here */
    const char *at, *end, *start;
    const char *text; /* of the last token; not NUL-terminated when it points into the source */
    size_t bytes;
    const char *error;   /* what is wrong, a constant sentence part */
    size_t line, column; /* from 1, column in bytes; of the error */
    int depth;
    uint8_t state;
    uint8_t nesting[JSON_DEPTH_MAX];
    void *keys[JSON_DEPTH_MAX]; /* those seen in each open object */
};

/* `text` must outlive the reader. */
void json_open(struct json_reader *json, struct arena *arena, const char *text, size_t bytes);
enum json_token json_next(struct json_reader *json);
/* Skips the value that the next token begins (after JSON_KEY, or in an array). False on JSON_ERROR. At an array's end it
 * takes the end, and gives true. */
bool json_skip(struct json_reader *json);
/* The same where the value's first token was read already. */
bool json_skip_rest(struct json_reader *json, enum json_token first);

/* Writes into a buffer; commas are its business. The text is json.out.at of json.out.size bytes, and lives in the arena.
 * Text handed in is UTF-8, and comes out byte for byte but for '"', '\\' and control characters. */
struct json_writer {
    struct buffer out;
    bool comma;
};
void json_begin(struct json_writer *json, struct arena *arena);
void json_object(struct json_writer *json);
void json_object_end(struct json_writer *json);
void json_array(struct json_writer *json);
void json_array_end(struct json_writer *json);
void json_key(struct json_writer *json, const char *key);
void json_text(struct json_writer *json, const char *text); /* NULL writes null */
void json_text_n(struct json_writer *json, const char *text, size_t bytes);
void json_int(struct json_writer *json, int64_t value);
void json_bool(struct json_writer *json, bool value);
void json_null(struct json_writer *json);
void json_money(struct json_writer *json, struct money money);            /* {"amount":"19.99","currency":"EUR"}; null without a currency */
void json_time(struct json_writer *json, int64_t at_us);                  /* RFC 3339; WHEN_MIN .. WHEN_MAX */
void json_raw(struct json_writer *json, const char *value, size_t bytes); /* a value that is JSON already */

#endif
