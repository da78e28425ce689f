/* src/base/text.h: bytes with a length, and text that grows. Text of ours is UTF-8 in NFC or as it came, ends in NUL
 * and holds no NUL inside (the edge refuses U+0000: PostgreSQL cannot store it). */
#ifndef MILLRACE_BASE_TEXT_H
#define MILLRACE_BASE_TEXT_H

#include "base/arena.h"
#include <stdbool.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* For qsort over numbers. */
int by_number(const void *a, const void *b);

static inline int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static inline int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct bytes {
    const uint8_t *at; /* NULL: no value */
    size_t size;
};

/* Grows in its arena; `at` always ends in NUL (not counted in size) once something was added. */
struct buffer {
    struct arena *arena;
    char *at;
    size_t size, room;
};
void buffer_add(struct buffer *buffer, const void *bytes, size_t size);
void buffer_text(struct buffer *buffer, const char *text);
/* Room for `size` bytes (and the NUL) behind the end: write there, then raise buffer->size by what was written and set
 * the NUL. Void after the next addition. */
char *buffer_reserve(struct buffer *buffer, size_t size);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool text_equal(const char *a, const char *b); /* NULL equals NULL only */

/* Bytes (1..4) of the well-formed UTF-8 character that the text begins with; 0 where there is none. */
size_t utf8_sequence(const char *text, size_t bytes);
/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong, at most U+10FFFF). */
bool utf8_valid(const char *text, size_t bytes);
/* How many of the bytes, at most `most`, are whole characters of a text in UTF-8: where it may be cut. */
size_t utf8_cut(const char *text, size_t bytes, size_t most);
/* True when valid UTF-8, in NFC, 1..max_bytes bytes, without control characters (Cc): what a code must be.
 * max_bytes is at most 255. */
bool text_is_code(const char *text, size_t bytes, size_t max_bytes);

/* Search folding: NFKD, case folded, marks stripped, split at what is no letter or digit. Tokens live in the arena,
 * at most `max` of them, each at most 64 bytes, longer ones cut, duplicates dropped (by
 * comparing with all before: keep max small). Returns how many. Bytes that are no UTF-8 part words. Letters of scripts without
 * spaces give one token for each character. */
size_t text_tokens(struct arena *arena, const char *text, const char **tokens, size_t max);

/* A mixing hash for tables in memory; not stable between releases, not for what outsiders choose. */
uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed);
static inline uint64_t hash_u64(uint64_t x) /* the finaliser of splitmix64 (Steele, Lea, Flood 2014) */
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

#endif
