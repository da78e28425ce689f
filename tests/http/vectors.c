/* tests/http/vectors.c: see vectors.h. */
#include "vectors.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FOR_NUL "\\ue000"

const char *vectors_folder(struct arena *arena)
{
    const char *shared = getenv("MILLRACE_SHARED");
    return arena_printf(arena, "%s/vectors", shared != NULL ? shared : "../shared");
}

char *vectors_bytes(struct arena *arena, const char *name, size_t *bytes)
{
    const char *path = arena_printf(arena, "%s/%s", vectors_folder(arena), name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "SKIPPED: %s is not there (set MILLRACE_SHARED)\n", path);
        return NULL;
    }
    char *text = arena_alloc(arena, VECTOR_BYTES_MAX);
    *bytes = fread(text, 1, VECTOR_BYTES_MAX - 1, file);
    assert_int_equal(fclose(file), 0);
    assert_true(*bytes < VECTOR_BYTES_MAX - 1);
    text[*bytes] = '\0';
    return text;
}

char *vectors_text(struct arena *arena, const char *name)
{
    size_t bytes;
    char *text = vectors_bytes(arena, name, &bytes);
    if (text == NULL)
        return NULL;
    for (char *at = text; (at = strstr(at, "\\u0000")) != NULL;)
        memcpy(at, FOR_NUL, strlen(FOR_NUL));
    return text;
}

const char *member(const struct vector *vector, const char *name)
{
    for (size_t i = 0; i < vector->count; i++)
        if (strcmp(vector->members[i].name, name) == 0)
            return vector->members[i].text;
    return "";
}

bool truth(const struct vector *vector, const char *name)
{
    for (size_t i = 0; i < vector->count; i++)
        if (strcmp(vector->members[i].name, name) == 0)
            return vector->members[i].truth;
    return false;
}

static void member_add(struct vector *vector, struct json_reader *json, const char *name, enum json_token token)
{
    assert_true(vector->count < COUNT(vector->members));
    vector->members[vector->count].name = name;
    vector->members[vector->count].text = token == JSON_STRING ? arena_text_n(json->arena, json->text, json->bytes) : "";
    vector->members[vector->count++].truth = token == JSON_TRUE;
}

void list_open(struct json_reader *json, struct arena *arena, const char *text, const char *name)
{
    json_open(json, arena, text, strlen(text));
    enum json_token token = json_next(json);
    for (bool here = name == NULL; !here;) {
        token = json_next(json);
        assert_int_equal(token, JSON_KEY);
        here = strncmp(json->text, name, json->bytes) == 0 && name[json->bytes] == '\0';
        if (here)
            token = json_next(json);
        else
            json_skip(json);
    }
    assert_int_equal(token, JSON_ARRAY);
}

bool list_next(struct json_reader *json, struct vector *vector)
{
    enum json_token token = json_next(json);
    *vector = (struct vector){ 0 };
    if (token == JSON_STRING)
        member_add(vector, json, "", token);
    else if (token == JSON_OBJECT)
        while ((token = json_next(json)) == JSON_KEY) {
            const char *name = arena_text_n(json->arena, json->text, json->bytes);
            member_add(vector, json, name, json_next(json));
        }
    if (token == JSON_ERROR)
        fail_msg("line %zu: %s", json->line, json->error);
    return token != JSON_ARRAY_END;
}

size_t bytes_of(const char *text, char *out)
{
    size_t count = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        unsigned c = *at;
        if (c >= 0xe0) {
            c = 0; /* the character that stands for NUL */
            at += 2;
        } else if (c >= 0xc0)
            c = (c & 0x1f) << 6 | (*++at & 0x3f);
        out[count++] = (char)c;
    }
    return count;
}
