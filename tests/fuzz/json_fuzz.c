/* tests/fuzz/json_fuzz.c: any bytes through the JSON reader. What is taken is UTF-8, within the depth, and comes back the
 * same when it is written; json_skip takes exactly what reading takes; an error stays and has a place in the text. */
#include "base/json.h"
#include <stdlib.h>
#include <string.h>

#define MUST(condition) ((condition) ? (void)0 : abort())

static void copy(struct json_reader *from, struct json_writer *to)
{
    for (enum json_token token = json_next(from); token != JSON_END && token != JSON_ERROR; token = json_next(from)) {
        MUST(from->depth >= 0 && from->depth <= JSON_DEPTH_MAX);
        if (token == JSON_KEY || token == JSON_STRING)
            MUST(utf8_valid(from->text, from->bytes) && memchr(from->text, 0, from->bytes) == NULL);
        if (token == JSON_OBJECT)
            json_object(to);
        else if (token == JSON_OBJECT_END)
            json_object_end(to);
        else if (token == JSON_ARRAY)
            json_array(to);
        else if (token == JSON_ARRAY_END)
            json_array_end(to);
        else if (token == JSON_KEY)
            json_key(to, arena_text_n(from->arena, from->text, from->bytes));
        else if (token == JSON_STRING)
            json_text_n(to, from->text, from->bytes);
        else if (token == JSON_NUMBER)
            json_raw(to, from->text, from->bytes);
        else if (token == JSON_NULL)
            json_null(to);
        else
            json_bool(to, token == JSON_TRUE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(64u << 20);
    struct json_reader json;
    struct json_writer once, twice;
    char *text = malloc(size + 1); /* of its exact size, so that ASan sees a step too far */
    memcpy(text, data, size);
    json_open(&json, arena, text, size);
    json_begin(&once, arena);
    copy(&json, &once);
    bool taken = json.error == NULL;
    if (!taken)
        MUST(json_next(&json) == JSON_ERROR && json.line >= 1 && json.column >= 1 && json.column <= size + 1);
    json_open(&json, arena, text, size);
    MUST((json_skip(&json) && json_next(&json) == JSON_END) == taken);
    if (taken) {
        json_open(&json, arena, once.out.at, once.out.size);
        json_begin(&twice, arena);
        copy(&json, &twice);
        MUST(json.error == NULL && strcmp(once.out.at, twice.out.at) == 0);
    }
    free(text);
    arena_free(arena);
    return 0;
}
