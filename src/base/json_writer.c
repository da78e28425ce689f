/* src/base/json_writer.c: JSON written straight into a buffer. Only what must be escaped is: '"', '\' and control
 * characters; all other text stays byte for byte, so that what came in goes out again. The text handed in is UTF-8, since
 * the reader lets nothing else in. */
#include "base/json.h"
#include "base/when.h"
#include <assert.h>
#include <string.h>

void json_begin(struct json_writer *json, struct arena *arena)
{
    *json = (struct json_writer){ .out = { .arena = arena } };
}

/* Room for a comma and `bytes`, with the comma written where one is due. Every value and key begins here. */
static char *begin_value(struct json_writer *json, size_t bytes)
{
    char *at = buffer_reserve(&json->out, bytes + 1);
    if (json->comma)
        *at++ = ',';
    json->comma = true;
    return at;
}

static void end_at(struct json_writer *json, char *end)
{
    *end = '\0';
    json->out.size = (size_t)(end - json->out.at);
}

static void open_nested(struct json_writer *json, char bracket)
{
    char *at = begin_value(json, 1);
    *at++ = bracket;
    end_at(json, at);
    json->comma = false;
}

static void close_nested(struct json_writer *json, char bracket)
{
    json->comma = false;
    char *at = begin_value(json, 1);
    *at++ = bracket;
    end_at(json, at);
}

void json_object(struct json_writer *json)
{
    open_nested(json, '{');
}

void json_object_end(struct json_writer *json)
{
    close_nested(json, '}');
}

void json_array(struct json_writer *json)
{
    open_nested(json, '[');
}

void json_array_end(struct json_writer *json)
{
    close_nested(json, ']');
}

/* What follows the backslash; 'u' stands for \u00XX, 0 for no escape. */
static const char escapes[256] = {
    [0 ... 7] = 'u', [0x0B] = 'u', [0x0E ... 0x1F] = 'u', ['"'] = '"',  ['\\'] = '\\',
    ['\b'] = 'b',    ['\f'] = 'f', ['\n'] = 'n',          ['\r'] = 'r', ['\t'] = 't',
};

#define LONGEST_ESCAPE 6

/* Writes `text` in quotes at `at`, which has room for LONGEST_ESCAPE times its bytes and two. */
static char *write_quoted(char *at, const char *text, size_t bytes)
{
    static const char hex[] = "0123456789abcdef";
    *at++ = '"';
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)text[i];
        char escape = escapes[byte];
        if (escape == 0) {
            *at++ = (char)byte;
            continue;
        }
        *at++ = '\\';
        *at++ = escape;
        if (escape == 'u') {
            memcpy(at, "00", 2);
            at[2] = hex[byte >> 4];
            at[3] = hex[byte & 15];
            at += 4;
        }
    }
    *at++ = '"';
    return at;
}

/* Bytes that write_quoted needs: counted for long texts, lest they take six times their room. */
static size_t quoted_room(const char *text, size_t bytes)
{
    if (bytes <= 256)
        return bytes * LONGEST_ESCAPE + 2;
    size_t room = bytes + 2;
    for (size_t i = 0; i < bytes; i++)
        room += escapes[(unsigned char)text[i]] == 0 ? 0 : LONGEST_ESCAPE - 1;
    return room;
}

void json_key(struct json_writer *json, const char *key)
{
    size_t bytes = strlen(key);
    char *at = write_quoted(begin_value(json, quoted_room(key, bytes) + 1), key, bytes);
    *at++ = ':';
    end_at(json, at);
    json->comma = false;
}

void json_text_n(struct json_writer *json, const char *text, size_t bytes)
{
    end_at(json, write_quoted(begin_value(json, quoted_room(text, bytes)), text, bytes));
}

void json_raw(struct json_writer *json, const char *value, size_t bytes)
{
    char *at = begin_value(json, bytes);
    memcpy(at, value, bytes);
    end_at(json, at + bytes);
}

void json_text(struct json_writer *json, const char *text)
{
    if (text == NULL)
        json_null(json);
    else
        json_text_n(json, text, strlen(text));
}

void json_int(struct json_writer *json, int64_t value)
{
    char digits[32];
    money_format(value, 0, digits); /* an amount without minor units is a whole number */
    json_raw(json, digits, strlen(digits));
}

void json_bool(struct json_writer *json, bool value)
{
    json_raw(json, value ? "true" : "false", value ? 4 : 5);
}

void json_null(struct json_writer *json)
{
    json_raw(json, "null", 4);
}

void json_money(struct json_writer *json, struct money money)
{
    if (money.currency[0] == '\0') {
        json_null(json);
        return;
    }
    char amount[32];
    int exponent = currency_exponent(money.currency);
    assert(exponent >= 0); /* only what the edge let in is stored, and the table forgets no code */
    money_format(money.minor, exponent, amount);
    json_object(json);
    json_key(json, "amount");
    json_text(json, amount);
    json_key(json, "currency");
    json_text(json, money.currency);
    json_object_end(json);
}

void json_time(struct json_writer *json, int64_t at_us)
{
    char text[32];
    when_format(at_us, text);
    json_text(json, text);
}
