/* src/base/json.c: JSON read by pulling tokens.
 * The reader is a state (what may come next) and a stack of what is open. Text without escapes is handed out where it
 * stands, so that an order is read without a copy; line and column are counted only for an error. Refused beyond RFC
 * 8259, since stores and other readers disagree about them: a byte order mark, equal keys, lone surrogates, U+0000
 * (escaped too: the whole text is malformed, 400, since a key or a string that is cut there would mean another thing),
 * more than JSON_DEPTH_MAX levels. */
#include "base/json.h"
#include <assert.h>
#include <sodium.h>
#include <string.h>
#include <sys/random.h>

enum state {
    WANTS_VALUE,         /* at the start, after a key, after ',' in an array */
    WANTS_FIRST_ELEMENT, /* after '[': a value or ']' */
    WANTS_FIRST_KEY,     /* after '{': a key or '}' */
    WANTS_MORE,          /* after a value: ',' or what closes; at depth 0 the end */
    HAS_ENDED,
    HAS_FAILED
};

/* ---- keys seen in one open object ----
 * A small object's keys are compared one by one, most of them not even that: `seen` has a bit for length and ends. Past
 * FEW_KEYS they go into a table hashed by SipHash under a random key, so that nobody can choose 100,000 that collide.
 * One struct serves all objects of its depth, one after the other. */
#define FEW_KEYS 16

struct key {
    const char *text;
    size_t bytes;
};
struct keys {
    uint64_t seen;
    struct key *list;
    size_t count, room;
    uint32_t *table; /* index into list, plus one; 0 is free */
    size_t slots, table_room;
    unsigned char secret[crypto_shorthash_KEYBYTES];
    bool has_secret;
};

static bool same_key(const struct key *a, const struct key *b)
{
    return a->bytes == b->bytes && memcmp(a->text, b->text, a->bytes) == 0;
}

/* The slot where the key stands or should. */
static uint32_t *find_slot(struct keys *keys, const struct key *key)
{
    union {
        unsigned char out[crypto_shorthash_BYTES];
        uint64_t number;
    } hash;
    crypto_shorthash(hash.out, (const unsigned char *)key->text, key->bytes, keys->secret);
    for (size_t slot = hash.number & (keys->slots - 1);; slot = (slot + 1) & (keys->slots - 1))
        if (keys->table[slot] == 0 || same_key(&keys->list[keys->table[slot] - 1], key))
            return &keys->table[slot];
}

/* Gives the table `slots` (a power of two) and enters all keys again. */
static void fill_table(struct keys *keys, struct arena *arena, size_t slots)
{
    if (!keys->has_secret) {
        while (getrandom(keys->secret, sizeof keys->secret, 0) != (ssize_t)sizeof keys->secret)
            continue; /* interrupted by a signal */
        keys->has_secret = true;
    }
    keys->slots = slots;
    if (slots > keys->table_room) {
        keys->table = ARENA_ARRAY(arena, uint32_t, slots);
        keys->table_room = slots;
    } else {
        memset(keys->table, 0, slots * sizeof *keys->table);
    }
    for (size_t i = 0; i < keys->count; i++)
        *find_slot(keys, &keys->list[i]) = (uint32_t)(i + 1);
}

static void grow_list(struct keys *keys, struct arena *arena)
{
    size_t room = keys->room == 0 ? FEW_KEYS : keys->room * 2;
    struct key *list = ARENA_ARRAY(arena, struct key, room);
    if (keys->count > 0)
        memcpy(list, keys->list, keys->count * sizeof *list);
    keys->list = list;
    keys->room = room;
}

/* Remembers the key; false where the object has it already. */
static bool add_key(struct keys *keys, struct arena *arena, struct key key)
{
    size_t first = key.bytes == 0 ? 0 : (unsigned char)key.text[0], last = key.bytes == 0 ? 0 : (unsigned char)key.text[key.bytes - 1];
    uint64_t bit = UINT64_C(1) << ((key.bytes * 7 + first + last * 5) & 63);
    uint32_t *slot = NULL;
    if (keys->count >= FEW_KEYS) {
        if (keys->slots < keys->count * 2)
            fill_table(keys, arena, keys->slots == 0 ? (size_t)FEW_KEYS * 4 : keys->slots * 2);
        slot = find_slot(keys, &key);
        if (*slot != 0)
            return false;
    } else if ((keys->seen & bit) != 0) {
        for (size_t i = 0; i < keys->count; i++)
            if (same_key(&keys->list[i], &key))
                return false;
    }
    keys->seen |= bit;
    if (keys->count == keys->room)
        grow_list(keys, arena);
    keys->list[keys->count++] = key;
    if (slot != NULL)
        *slot = (uint32_t)keys->count;
    return true;
}

static void forget_keys(struct json_reader *json)
{
    struct keys *keys = json->keys[json->depth - 1];
    if (keys == NULL)
        json->keys[json->depth - 1] = keys = ARENA_NEW(json->arena, struct keys);
    keys->count = keys->slots = 0;
    keys->seen = 0;
}

/* ---- errors ---- */

static enum json_token fail(struct json_reader *json, const char *at, const char *error)
{
    json->state = HAS_FAILED;
    json->error = error;
    json->line = 1;
    const char *line_start = json->start;
    for (const char *c = json->start; c < at; c++)
        if (*c == '\n') {
            json->line++;
            line_start = c + 1;
        }
    json->column = (size_t)(at - line_start) + 1;
    return JSON_ERROR;
}

/* ---- strings ---- */

/* Bytes up to the first that is a quote, a backslash, a control character or not ASCII. Eight at a time: a byte b below
 * 0x80 is below n iff b - n borrows, and equals c iff (b ^ c) - 1 does (Mycroft's test; exact for the first hit). */
static const char *plain_text_end(const char *at, const char *end)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    while (end - at >= 8) {
        uint64_t eight;
        memcpy(&eight, at, 8);
        uint64_t quote = eight ^ (ones * '"'), backslash = eight ^ (ones * '\\');
        uint64_t hits = ((quote - ones) | (backslash - ones) | (eight - ones * 0x20) | eight) & highs;
        if (hits != 0)
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return at + (__builtin_ctzll(hits) >> 3);
#else
            break;
#endif
        at += 8;
    }
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* Four hex digits, -1 for anything else. */
static int32_t read_hex4(const char *at, const char *end)
{
    int32_t value = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static char *write_utf8(char *out, uint32_t point)
{
    if (point < 0x80) {
        *out++ = (char)point;
    } else if (point < 0x800) {
        *out++ = (char)(0xC0 | point >> 6);
        *out++ = (char)(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        *out++ = (char)(0xE0 | point >> 12);
        *out++ = (char)(0x80 | (point >> 6 & 0x3F));
        *out++ = (char)(0x80 | (point & 0x3F));
    } else {
        *out++ = (char)(0xF0 | point >> 18);
        *out++ = (char)(0x80 | (point >> 12 & 0x3F));
        *out++ = (char)(0x80 | (point >> 6 & 0x3F));
        *out++ = (char)(0x80 | (point & 0x3F));
    }
    return out;
}

/* What stands for the letter after a backslash; 'u' apart. */
static const char escapes[256] = {
    ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
};

/* Reads the escape at *at (a backslash) into *out and moves both on; NULL, or what is wrong. */
static const char *read_escape(const char **at, const char *end, char **out)
{
    const char *c = *at + 1;
    if (c == end)
        return "the text ends within a string";
    if (*c != 'u') {
        if (escapes[(unsigned char)*c] == 0)
            return "there is no such escape";
        *(*out)++ = escapes[(unsigned char)*c];
        *at = c + 1;
        return NULL;
    }
    int32_t unit = read_hex4(c + 1, end);
    if (unit < 0)
        return "\\u is followed by four hex digits";
    if (unit == 0)
        return "U+0000 is not allowed in text";
    c += 5;
    uint32_t point = (uint32_t)unit;
    if (unit >= 0xD800 && unit <= 0xDFFF) {
        int32_t low = unit <= 0xDBFF && end - c >= 6 && c[0] == '\\' && c[1] == 'u' ? read_hex4(c + 2, end) : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return "a surrogate stands alone";
        point = 0x10000 + ((point & 0x3FF) << 10) + ((uint32_t)low & 0x3FF);
        c += 6;
    }
    *out = write_utf8(*out, point);
    *at = c;
    return NULL;
}

/* Moves over characters that need no unescaping; NULL, or what is wrong at *at. */
static const char *skip_characters(const char **at, const char *end)
{
    for (;;) {
        *at = plain_text_end(*at, end);
        if (*at == end)
            return "the text ends within a string";
        unsigned char c = (unsigned char)**at;
        if (c == '"' || c == '\\')
            return NULL;
        if (c < 0x20)
            return "a control character in a string is written as an escape";
        size_t size = utf8_sequence(*at, (size_t)(end - *at));
        if (size == 0)
            return "the bytes are not UTF-8";
        *at += size;
    }
}

/* Unescapes from `at`, the first backslash, up to the quote. What comes out is never longer than what went in. */
static const char *read_escaped(struct json_reader *json, const char *from, const char **at)
{
    const char *end = json->end, *closing = *at;
    while (closing < end && *closing != '"')
        closing += *closing == '\\' && end - closing > 1 ? 2 : 1;
    char *out = arena_alloc(json->arena, (size_t)(closing - from) + 1);
    json->text = out;
    for (;;) {
        memcpy(out, from, (size_t)(*at - from));
        out += *at - from;
        if (**at == '"')
            break;
        const char *error = read_escape(at, end, &out);
        from = *at;
        if (error == NULL)
            error = skip_characters(at, end);
        if (error != NULL)
            return error;
    }
    json->bytes = (size_t)(out - json->text);
    return NULL;
}

/* Reads the string that begins at json->at, a quote; false after fail(). */
static bool read_string(struct json_reader *json)
{
    const char *from = json->at + 1, *at = from;
    const char *error = skip_characters(&at, json->end);
    if (error == NULL && *at == '\\') {
        error = read_escaped(json, from, &at);
    } else {
        json->text = from;
        json->bytes = (size_t)(at - from);
    }
    if (error != NULL) {
        fail(json, at, error);
        return false;
    }
    json->at = at + 1;
    return true;
}

/* ---- values ---- */

static void skip_space(struct json_reader *json)
{
    const char *at = json->at, *end = json->end;
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    json->at = at;
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

static enum json_token read_number(struct json_reader *json)
{
    const char *end = json->end, *at = json->at + (*json->at == '-' ? 1 : 0);
    const char *digits = at;
    at = skip_digits(at, end);
    if (at == digits)
        return fail(json, at, "a digit is due");
    if (*digits == '0' && at - digits > 1)
        return fail(json, digits, "a number does not begin with a surplus 0");
    if (at < end && *at == '.') {
        digits = at + 1;
        at = skip_digits(digits, end);
        if (at == digits)
            return fail(json, at, "a digit is due after the point");
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        digits = at + 1;
        digits += digits < end && (*digits == '+' || *digits == '-') ? 1 : 0;
        at = skip_digits(digits, end);
        if (at == digits)
            return fail(json, at, "a digit is due in the exponent");
    }
    json->text = json->at;
    json->bytes = (size_t)(at - json->at);
    json->at = at;
    json->state = WANTS_MORE;
    return JSON_NUMBER;
}

static enum json_token read_word(struct json_reader *json, const char *word, enum json_token token)
{
    size_t bytes = strlen(word);
    if ((size_t)(json->end - json->at) < bytes || memcmp(json->at, word, bytes) != 0)
        return fail(json, json->at, "a value is due");
    json->at += bytes;
    json->state = WANTS_MORE;
    return token;
}

static enum json_token open_nested(struct json_reader *json, enum json_token token)
{
    if (json->depth == JSON_DEPTH_MAX)
        return fail(json, json->at, "nested more than 32 deep");
    json->nesting[json->depth++] = (uint8_t)token;
    json->at++;
    json->state = token == JSON_OBJECT ? WANTS_FIRST_KEY : WANTS_FIRST_ELEMENT;
    if (token == JSON_OBJECT)
        forget_keys(json);
    return token;
}

static enum json_token close_nested(struct json_reader *json)
{
    json->depth--;
    json->at++;
    json->state = WANTS_MORE;
    return json->nesting[json->depth] == JSON_OBJECT ? JSON_OBJECT_END : JSON_ARRAY_END;
}

static enum json_token read_value(struct json_reader *json)
{
    if (json->at == json->end)
        return fail(json, json->at, "the text ends where a value is due");
    switch (*json->at) {
    case '"':
        json->state = WANTS_MORE;
        return read_string(json) ? JSON_STRING : JSON_ERROR;
    case '{':
        return open_nested(json, JSON_OBJECT);
    case '[':
        return open_nested(json, JSON_ARRAY);
    case 't':
        return read_word(json, "true", JSON_TRUE);
    case 'f':
        return read_word(json, "false", JSON_FALSE);
    case 'n':
        return read_word(json, "null", JSON_NULL);
    case '-':
    case '0' ... '9':
        return read_number(json);
    default:
        return fail(json, json->at, "a value is due");
    }
}

/* A key with its colon. */
static enum json_token read_key(struct json_reader *json)
{
    const char *at = json->at;
    if (at == json->end || *at != '"')
        return fail(json, at, at == json->end ? "the text ends within an object" : "a key in quotes is due");
    if (!read_string(json))
        return JSON_ERROR;
    if (!add_key(json->keys[json->depth - 1], json->arena, (struct key){ json->text, json->bytes }))
        return fail(json, at, "the object has this key already");
    skip_space(json);
    if (json->at == json->end || *json->at != ':')
        return fail(json, json->at, "':' is due after a key");
    json->at++;
    json->state = WANTS_VALUE;
    return JSON_KEY;
}

/* After a value. */
static enum json_token read_more(struct json_reader *json)
{
    if (json->depth == 0) {
        if (json->at < json->end)
            return fail(json, json->at, "something stands after the value");
        json->state = HAS_ENDED;
        return JSON_END;
    }
    bool in_object = json->nesting[json->depth - 1] == JSON_OBJECT;
    if (json->at == json->end)
        return fail(json, json->at, in_object ? "the text ends within an object" : "the text ends within an array");
    if (*json->at == (in_object ? '}' : ']'))
        return close_nested(json);
    if (*json->at != ',')
        return fail(json, json->at, in_object ? "',' or '}' is due" : "',' or ']' is due");
    json->at++;
    skip_space(json);
    return in_object ? read_key(json) : read_value(json);
}

void json_open(struct json_reader *json, struct arena *arena, const char *text, size_t bytes)
{
    *json = (struct json_reader){ .arena = arena, .at = text, .start = text, .end = text + bytes, .state = WANTS_VALUE };
}

enum json_token json_next(struct json_reader *json)
{
    skip_space(json);
    bool some = json->at < json->end;
    switch ((enum state)json->state) {
    case WANTS_VALUE:
        return read_value(json);
    case WANTS_FIRST_ELEMENT:
        return some && *json->at == ']' ? close_nested(json) : read_value(json);
    case WANTS_FIRST_KEY:
        return some && *json->at == '}' ? close_nested(json) : read_key(json);
    case WANTS_MORE:
        return read_more(json);
    case HAS_ENDED:
        return JSON_END;
    case HAS_FAILED:
        return JSON_ERROR;
    }
    return JSON_ERROR;
}

bool json_skip_rest(struct json_reader *json, enum json_token first)
{
    if (first != JSON_OBJECT && first != JSON_ARRAY)
        return first != JSON_ERROR;
    int depth = json->depth - 1;
    while (json->depth > depth)
        if (json_next(json) == JSON_ERROR)
            return false;
    return true;
}

bool json_skip(struct json_reader *json)
{
    return json_skip_rest(json, json_next(json));
}
