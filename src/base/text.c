/* src/base/text.c: a buffer that grows, and what we ask of text: that it is UTF-8, that it can be a code, what is
 * searched by it. Unicode's tables are libutf8proc's. */
#include "base/text.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

int by_number(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

char *buffer_reserve(struct buffer *buffer, size_t size)
{
    size_t need = buffer->size + size + 1;
    assert(need > size);
    if (need > buffer->room) {
        size_t room = buffer->room * 2 > need ? buffer->room * 2 : need;
        if (room < 256)
            room = 256;
        if (buffer->at == NULL || !arena_extend(buffer->arena, buffer->at, buffer->room, room)) {
            char *at = arena_alloc(buffer->arena, room);
            if (buffer->at != NULL)
                memcpy(at, buffer->at, buffer->size);
            buffer->at = at;
        }
        buffer->room = room;
    }
    return buffer->at + buffer->size;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t size)
{
    char *end = buffer_reserve(buffer, size);
    if (size > 0)
        memcpy(end, bytes, size);
    end[size] = '\0';
    buffer->size += size;
}

void buffer_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    assert(format != NULL); /* for gcc 12 under UBSan, as in arena_vprintf */
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    assert(length >= 0);
    vsnprintf(buffer_reserve(buffer, (size_t)length), (size_t)length + 1, format, again);
    buffer->size += (size_t)length;
    va_end(again);
    va_end(args);
}

bool text_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Unicode 15, table 3-7: what may follow a lead byte. Every later byte is 80..BF. */
static size_t sequence_bytes(unsigned char lead, unsigned char *second_min, unsigned char *second_max)
{
    *second_min = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    *second_max = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

size_t utf8_sequence(const char *text, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned char second_min = 0, second_max = 0;
    size_t size = bytes == 0 ? 0 : sequence_bytes(at[0], &second_min, &second_max);
    if (size == 0 || size > bytes)
        return 0;
    if (size > 1 && (at[1] < second_min || at[1] > second_max))
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return size;
}

size_t utf8_cut(const char *text, size_t bytes, size_t most)
{
    if (bytes <= most)
        return bytes;
    while (most > 0 && ((unsigned char)text[most] & 0xC0) == 0x80)
        most--;
    return most;
}

bool utf8_valid(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes;) {
        uint64_t eight = 0;
        if (bytes - i >= sizeof eight && (memcpy(&eight, text + i, sizeof eight), (eight & 0x8080808080808080u) == 0)) {
            i += sizeof eight; /* most text is ASCII */
            continue;
        }
        size_t size = utf8_sequence(text + i, bytes - i);
        if (size == 0)
            return false;
        i += size;
    }
    return true;
}

#define CODE_BYTES_MAX 255

/* True when normalising changes nothing. The text is valid UTF-8 of at most CODE_BYTES_MAX bytes; a character of n bytes
 * decomposes into at most 4 code points, so the buffer holds what comes out, also as UTF-8. */
static bool is_nfc(const char *text, size_t bytes)
{
    utf8proc_int32_t points[CODE_BYTES_MAX * 4 + 1];
    utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    utf8proc_ssize_t count =
        utf8proc_decompose((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)bytes, points, (utf8proc_ssize_t)COUNT(points) - 1, options);
    if (count < 0 || count > (utf8proc_ssize_t)COUNT(points) - 1)
        return false;
    utf8proc_ssize_t size = utf8proc_reencode(points, count, options);
    return size == (utf8proc_ssize_t)bytes && memcmp(points, text, bytes) == 0;
}

bool text_is_code(const char *text, size_t bytes, size_t max_bytes)
{
    assert(max_bytes <= CODE_BYTES_MAX);
    if (bytes == 0 || bytes > max_bytes)
        return false;
    bool ascii = true;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x20 || byte == 0x7F)
            return false;
        if (byte == 0xC2 && i + 1 < bytes && (unsigned char)text[i + 1] < 0xA0)
            return false; /* U+0080 .. U+009F */
        ascii = ascii && byte < 0x80;
    }
    return ascii || (utf8_valid(text, bytes) && is_nfc(text, bytes));
}

/* Scripts that set no spaces: each of their letters is a token. */
static bool stands_alone(utf8proc_int32_t point)
{
    static const struct {
        utf8proc_int32_t first, last;
    } ranges[] = {
        { 0x0E00, 0x0EFF },   /* Thai, Lao */
        { 0x1000, 0x109F },   /* Myanmar */
        { 0x1780, 0x17FF },   /* Khmer */
        { 0x1950, 0x19DF },   /* Tai Le, New Tai Lue */
        { 0x2E80, 0x312F },   /* radicals, kana, Bopomofo */
        { 0x31A0, 0x31FF },   /* extensions of both */
        { 0x3400, 0x9FFF },   /* Han, Yi follows and has words */
        { 0xF900, 0xFAFF },   /* Han, compatibility */
        { 0x20000, 0x3FFFF }, /* Han, supplementary */
    };
    for (size_t i = 0; i < COUNT(ranges); i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

static bool is_letter_or_digit(utf8proc_int32_t point)
{
    utf8proc_category_t category = utf8proc_category(point);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO && category != UTF8PROC_CATEGORY_MN &&
           category != UTF8PROC_CATEGORY_MC && category != UTF8PROC_CATEGORY_ME;
}

#define TOKEN_BYTES_MAX 64

struct tokeniser {
    struct arena *arena;
    const char **tokens;
    size_t count, max;
    char word[TOKEN_BYTES_MAX];
    size_t bytes;
    bool full; /* the rest of the word is dropped */
};

static void end_token(struct tokeniser *t)
{
    bool known = t->bytes == 0 || t->count == t->max;
    for (size_t i = 0; i < t->count && !known; i++)
        known = strlen(t->tokens[i]) == t->bytes && memcmp(t->tokens[i], t->word, t->bytes) == 0;
    if (!known)
        t->tokens[t->count++] = arena_text_n(t->arena, t->word, t->bytes);
    t->bytes = 0;
    t->full = false;
}

static void take_point(struct tokeniser *t, utf8proc_int32_t point)
{
    bool alone = stands_alone(point);
    if (alone || !is_letter_or_digit(point))
        end_token(t);
    if (!is_letter_or_digit(point))
        return;
    utf8proc_uint8_t utf8[4];
    size_t size = (size_t)utf8proc_encode_char(point, utf8);
    t->full = t->full || t->bytes + size > TOKEN_BYTES_MAX;
    if (!t->full) {
        memcpy(t->word + t->bytes, utf8, size);
        t->bytes += size;
    }
    if (alone)
        end_token(t);
}

size_t text_tokens(struct arena *arena, const char *text, const char **tokens, size_t max)
{
    struct tokeniser t = { .arena = arena, .tokens = tokens, .max = max };
    utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK;
    size_t bytes = text == NULL ? 0 : strlen(text);
    for (size_t i = 0; i < bytes && t.count < max;) {
        size_t size = utf8_sequence(text + i, bytes - i);
        utf8proc_int32_t point = 0, folded[32];
        int boundary = UTF8PROC_BOUNDCLASS_START;
        utf8proc_ssize_t count = 0;
        if (size > 0 && utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)size, &point) > 0)
            count = utf8proc_decompose_char(point, folded, COUNT(folded), options, &boundary);
        if (size == 0)
            end_token(&t); /* what is no UTF-8 parts words */
        for (utf8proc_ssize_t k = 0; k < count && k < (utf8proc_ssize_t)COUNT(folded); k++)
            take_point(&t, folded[k]);
        i += size == 0 ? 1 : size;
    }
    end_token(&t);
    return t.count;
}

uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed)
{
    const unsigned char *at = bytes;
    uint64_t hash = hash_u64(seed ^ (uint64_t)size * 0x9e3779b97f4a7c15u);
    for (; size >= 8; at += 8, size -= 8) {
        uint64_t eight;
        memcpy(&eight, at, 8);
        hash = hash_u64(hash ^ eight) + 0x9e3779b97f4a7c15u;
    }
    uint64_t rest = 0;
    if (size > 0)
        memcpy(&rest, at, size);
    return hash_u64(hash ^ rest);
}
