/* src/bulk/answers.c: problem+json (RFC 9457) with our errors. */
#include "bulk/answers.h"
#include <stdlib.h>
#include <string.h>

#define SHOWN_BYTES 200

static bool key_is(const struct json_reader *json, const char *name)
{
    return json->bytes == strlen(name) && memcmp(json->text, name, json->bytes) == 0;
}

static const char *string_of(struct json_reader *json)
{
    enum json_token token = json_next(json);
    return token == JSON_STRING || token == JSON_NUMBER ? arena_text_n(json->arena, json->text, json->bytes) : "";
}

/* The members of a complaint or a problem, behind the brace. */
static void read_problem(struct json_reader *json, struct result *result, struct complaint *own)
{
    size_t room = 0;
    while (json_next(json) == JSON_KEY) {
        if (key_is(json, "pointer"))
            own->pointer = string_of(json);
        else if (key_is(json, "code"))
            own->code = string_of(json);
        else if (key_is(json, "detail"))
            own->detail = string_of(json);
        else if (result != NULL && key_is(json, "errors") && json_next(json) == JSON_ARRAY) {
            while (json_next(json) == JSON_OBJECT) {
                result->complaints = arena_room(json->arena, result->complaints, result->count, &room, 4, sizeof *result->complaints);
                struct complaint *complaint = &result->complaints[result->count++];
                *complaint = (struct complaint){ .pointer = "" };
                read_problem(json, NULL, complaint);
            }
        } else
            (void)json_skip(json);
    }
}

static void read_whole_problem(struct json_reader *json, struct result *result)
{
    struct complaint *own = ARENA_NEW(json->arena, struct complaint);
    own->pointer = "";
    read_problem(json, result, own);
    if (result->count == 0)
        *result = (struct result){ .status = result->status, .complaints = own, .count = 1 };
}

bool results_read(struct arena *arena, const char *text, size_t bytes, struct result **results, size_t *count)
{
    struct json_reader json;
    size_t room = 0;
    *results = NULL;
    *count = 0;
    json_open(&json, arena, text, bytes);
    bool is_list = json_next(&json) == JSON_OBJECT;
    is_list = is_list && json_next(&json) == JSON_KEY && key_is(&json, "results");
    if (!is_list || json_next(&json) != JSON_ARRAY)
        return false;
    while (json_next(&json) == JSON_OBJECT) {
        *results = arena_room(arena, *results, *count, &room, 64, sizeof **results);
        struct result *result = &(*results)[(*count)++];
        *result = (struct result){ 0 };
        while (json_next(&json) == JSON_KEY) {
            if (key_is(&json, "status"))
                result->status = strtoll(string_of(&json), NULL, 10);
            else if (key_is(&json, "problem") && json_next(&json) == JSON_OBJECT)
                read_whole_problem(&json, result);
            else
                (void)json_skip(&json);
        }
    }
    const bool ends = json_next(&json) == JSON_OBJECT_END;
    return ends && json_next(&json) == JSON_END;
}

struct result problem_read(struct arena *arena, const char *text, size_t bytes)
{
    struct json_reader json;
    struct result result = { 0 };
    json_open(&json, arena, text, bytes);
    if (json_next(&json) == JSON_OBJECT)
        read_whole_problem(&json, &result);
    if (result.count > 0 && result.complaints[0].code != NULL)
        return result;
    struct complaint *shown = ARENA_NEW(arena, struct complaint);
    *shown = (struct complaint){ .pointer = "", .code = "answer", .detail = arena_text_n(arena, text, utf8_cut(text, bytes, SHOWN_BYTES)) };
    return (struct result){ .complaints = shown, .count = 1 };
}
