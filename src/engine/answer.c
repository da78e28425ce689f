/* src/engine/answer.c: from faults to an answer: application/problem+json (RFC 9457). The type is a place in our own
 * documentation, so that it says something without a second host; the first fault sets code and status. */
#include "engine/api.h"
#include <stdio.h>
#include <string.h>

static bool of_body(const struct fault *fault)
{
    return fault->pointer != NULL;
}

static void fault_write(struct json_writer *json, const struct fault *fault)
{
    json_object(json);
    json_key(json, "pointer");
    json_text(json, fault->pointer);
    json_key(json, "code");
    json_text(json, fault_info(fault->code)->code);
    json_key(json, "detail");
    json_text(json, fault->detail != NULL ? fault->detail : fault_info(fault->code)->way_out);
    json_object_end(json);
}

static void problem_write(struct answer *answer, struct arena *arena, const struct fault *faults, size_t count)
{
    const struct fault_info *info = fault_info(faults[0].code);
    struct json_writer json;
    json_begin(&json, arena);
    json_object(&json);
    json_key(&json, "type");
    json_text(&json, arena_printf(arena, "/docs#%s", info->code));
    json_key(&json, "title");
    json_text(&json, info->title);
    json_key(&json, "status");
    json_int(&json, info->http);
    json_key(&json, "code");
    json_text(&json, info->code);
    json_key(&json, "detail");
    json_text(&json, faults[0].detail != NULL ? faults[0].detail : info->way_out);
    bool begun = false;
    for (size_t i = 0; i < count; i++) {
        if (!of_body(&faults[i]))
            continue;
        if (!begun) {
            json_key(&json, "errors");
            json_array(&json);
            begun = true;
        }
        fault_write(&json, &faults[i]);
    }
    if (begun)
        json_array_end(&json);
    json_object_end(&json);
    *answer = (struct answer){ .status = info->http,
                               .content_type = "application/problem+json",
                               .body = json.out.at,
                               .body_bytes = json.out.size,
                               .retry_after_s = info->http == 503 ? 1 : 0 };
}

/* What is said where no memory is left to say more: the code's row, and nothing of this case. */
static void answer_barely(struct answer *answer, enum fault_code code)
{
    static const char *const bodies[FAULT_CODE_COUNT] = {
#define BARE_BODY(name, code, http, again, title, way_out) \
    [FAULT_##name] = "{\"type\":\"/docs#" code "\",\"title\":\"" title "\",\"status\":" #http ",\"code\":\"" code "\",\"detail\":\"" title "\"}",
        FAULT_CODES(BARE_BODY)
#undef BARE_BODY
    };
    const int http = fault_info(code)->http;
    *answer = (struct answer){ .status = http,
                               .content_type = "application/problem+json",
                               .body = bodies[code],
                               .body_bytes = strlen(bodies[code]),
                               .retry_after_s = http == 503 ? 1 : 0 };
}

/* Whoever is short of memory answers that with this: it must not need any. */
static void answer_problem(struct answer *answer, struct arena *arena, const struct fault *faults, size_t count)
{
    struct arena_door full, *outer = arena_set_door(arena, &full);
    if (setjmp(full.where) == 0)
        problem_write(answer, arena, faults, count);
    else
        answer_barely(answer, faults[0].code);
    arena_set_door(arena, outer);
}

void answer_faults(struct answer *answer, struct arena *arena, const struct faults *faults)
{
    static const struct fault nothing_said = { .code = FAULT_INTERNAL };
    if (faults->count == 0)
        answer_problem(answer, arena, &nothing_said, 1);
    else
        answer_problem(answer, arena, faults->items, faults->count);
}

void answer_fault(struct answer *answer, struct arena *arena, enum fault_code code, const char *pointer, const char *detail)
{
    struct fault fault = { .code = code, .pointer = pointer, .detail = detail };
    answer_problem(answer, arena, &fault, 1);
}

bool if_match_holds(const char *if_match, int64_t version)
{
    char now[24];
    snprintf(now, sizeof now, "%ld", (long)version);
    return if_match == NULL || (version != 0 && (text_equal(if_match, "*") || text_equal(if_match, now)));
}

bool if_none_match_holds(const char *if_none_match, int64_t version)
{
    return if_none_match == NULL || version == 0 || !if_match_holds(if_none_match, version);
}

void answer_store(struct answer *answer, struct arena *arena, enum db_result result)
{
    answer_fault(answer, arena, result == DB_LOST ? FAULT_STORE_LOST : FAULT_BUSY, NULL, "the store did not answer in time");
    answer->retry_after_s = 1;
}
