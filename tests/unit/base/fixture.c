/* tests/unit/base/fixture.c: see the header. */
#include "fixture.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES (256u << 20)

int make_arena(void **state)
{
    *state = arena_new(ARENA_BYTES);
    return *state == NULL;
}

int drop_arena(void **state)
{
    arena_free(*state);
    return 0;
}

const char *vector_path(struct arena *arena, const char *name)
{
    const char *shared = getenv("MILLRACE_SHARED");
    if (shared == NULL)
        shared = getenv("MILLRACE_SHARED_BESIDE");
    return arena_printf(arena, "%s/vectors/%s", shared == NULL ? "../shared" : shared, name);
}

char *vector_bytes(struct arena *arena, const char *name, size_t *bytes)
{
    FILE *file = fopen(vector_path(arena, name), "rb");
    if (file == NULL)
        return NULL;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = arena_alloc(arena, (size_t)size + 1);
    *bytes = fread(text, 1, (size_t)size, file);
    fclose(file);
    return *bytes == (size_t)size ? text : NULL;
}

void skip_for_want_of(const char *name)
{
    fprintf(stderr, "SKIPPED: vectors/%s is not there; set MILLRACE_SHARED\n", name);
    skip();
}

void expect(struct json_reader *json, enum json_token token)
{
    enum json_token found = json_next(json);
    if (found != token)
        fail_msg("token %d where %d is due; line %zu, column %zu: %s", (int)found, (int)token, json->line, json->column,
                 json->error == NULL ? "no error" : json->error);
}

bool is_text(const struct json_reader *json, const char *text)
{
    return json->bytes == strlen(text) && memcmp(json->text, text, json->bytes) == 0;
}
