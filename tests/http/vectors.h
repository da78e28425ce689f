/* tests/http/vectors.h: the files of ../shared/vectors, read with our own JSON reader. */
#ifndef MILLRACE_TESTS_HTTP_VECTORS_H
#define MILLRACE_TESTS_HTTP_VECTORS_H

#include "base/json.h"

#define VECTOR_BYTES_MAX ((size_t)1 << 20)

/* Where the files are: MILLRACE_SHARED/vectors, else ../shared/vectors. */
const char *vectors_folder(struct arena *arena);
/* A file's bytes, with a NUL behind them that is not counted; NULL with a loud word where it is not there. */
char *vectors_bytes(struct arena *arena, const char *name, size_t *bytes);
/* The same as a text of JSON for the calls below. Our reader refuses U+0000, which some vectors are about: a private character
 * (U+E000) stands for it. */
char *vectors_text(struct arena *arena, const char *name);

/* One element of a list: an object of texts and truths, or a text (the member ""). */
struct vector {
    struct {
        const char *name, *text;
        bool truth;
    } members[8];
    size_t count;
};
/* Goes to the list under `name` (NULL: the whole is the list). */
void list_open(struct json_reader *json, struct arena *arena, const char *text, const char *name);
bool list_next(struct json_reader *json, struct vector *vector);
const char *member(const struct vector *vector, const char *name); /* "" where there is none */
bool truth(const struct vector *vector, const char *name);

/* Some vectors write a byte as a character (latin-1), which the reader gives as UTF-8: these are the bytes. */
size_t bytes_of(const char *text, char *out);

#endif
