/* src/importer/answers.c: JSON is pulled; a table for each thing says which members are kept and where, all others are skipped. */
#include "importer/answers.h"
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, NUMBER, LIST, OBJECT, AMOUNT /* {"amount":...} as its text */ };

struct shape;
struct member {
    const char *name;
    enum kind kind;
    size_t at;                 /* in the thing */
    size_t count_at;           /* LIST: where the number of items goes */
    const struct shape *shape; /* LIST, OBJECT */
};
struct shape {
    const struct member *members;
    size_t count, bytes;
};
#define SHAPE(MEMBERS, TYPE)                  \
    {                                         \
        MEMBERS, COUNT(MEMBERS), sizeof(TYPE) \
    }

#define AT(TYPE, MEMBER) offsetof(struct TYPE, MEMBER)
static const struct member line_members[] = {
    { "sku", TEXT, AT(line_seen, sku) },
    { "quantity", NUMBER, AT(line_seen, quantity) },
    { "reserved", NUMBER, AT(line_seen, reserved) },
    { "allocated", NUMBER, AT(line_seen, allocated) },
    { "shipped", NUMBER, AT(line_seen, shipped) },
    { "backordered", NUMBER, AT(line_seen, backordered) },
    { "cancelled", NUMBER, AT(line_seen, cancelled) },
};
static const struct shape line_shape = SHAPE(line_members, struct line_seen);
static const struct member order_members[] = {
    { "id", TEXT, AT(order_seen, id) },
    { "channel_order_id", TEXT, AT(order_seen, channel_order_id) },
    { "stage", TEXT, AT(order_seen, stage) },
    { "total", AMOUNT, AT(order_seen, total) },
    { "lines", LIST, AT(order_seen, lines), AT(order_seen, line_count), &line_shape },
};
static const struct shape order_shape = SHAPE(order_members, struct order_seen);
static const struct member position_members[] = {
    { "node", TEXT, AT(position_seen, node) },
    { "sku", TEXT, AT(position_seen, sku) },
    { "on_hand", NUMBER, AT(position_seen, on_hand) },
    { "available", NUMBER, AT(position_seen, available) },
    { "reserved", NUMBER, AT(position_seen, reserved) },
    { "allocated", NUMBER, AT(position_seen, allocated) },
    { "quarantined", NUMBER, AT(position_seen, quarantined) },
};
static const struct shape position_shape = SHAPE(position_members, struct position_seen);
static const struct member work_members[] = { { "id", TEXT, AT(work_seen, id) }, { "order", TEXT, AT(work_seen, order) } };
static const struct shape work_shape = SHAPE(work_members, struct work_seen);

struct error_seen {
    const char *pointer, *code, *detail;
};
struct problem {
    const char *code, *detail;
    struct error_seen *errors;
    size_t error_count;
};
static const struct member error_members[] = { { "pointer", TEXT, AT(error_seen, pointer) },
                                               { "code", TEXT, AT(error_seen, code) },
                                               { "detail", TEXT, AT(error_seen, detail) } };
static const struct shape error_shape = SHAPE(error_members, struct error_seen);
static const struct member problem_members[] = {
    { "code", TEXT, AT(problem, code) },
    { "detail", TEXT, AT(problem, detail) },
    { "errors", LIST, AT(problem, errors), AT(problem, error_count), &error_shape },
};
static const struct shape problem_shape = SHAPE(problem_members, struct problem);

struct entry {
    int64_t status;
    struct order_seen order;
    struct problem problem;
};
static const struct member entry_members[] = {
    { "status", NUMBER, AT(entry, status) },
    { "order", OBJECT, AT(entry, order), 0, &order_shape },
    { "problem", OBJECT, AT(entry, problem), 0, &problem_shape },
};
static const struct shape entry_shape = SHAPE(entry_members, struct entry);

struct list {
    const char *next;
    void *items;
    size_t count;
};

/* ---- reading ---- */

static bool read_thing(struct json_reader *json, const struct shape *shape, char *thing);

static bool read_list(struct json_reader *json, const struct shape *shape, void **items, size_t *count)
{
    size_t room = 0;
    for (enum json_token token; (token = json_next(json)) != JSON_ARRAY_END; (*count)++) {
        if (token != JSON_OBJECT)
            return false;
        *items = arena_room(json->arena, *items, *count, &room, 16, shape->bytes);
        if (!read_thing(json, shape, (char *)*items + *count * shape->bytes))
            return false;
    }
    return true;
}

static bool read_member(struct json_reader *json, const struct member *member, char *thing)
{
    enum json_token token = json_next(json);
    static const struct member amount[] = { { "amount", TEXT, 0 } };
    static const struct shape amount_shape = SHAPE(amount, const char *);
    char *at = thing + member->at;
    if (token == JSON_STRING && member->kind == TEXT)
        *(const char **)(void *)at = arena_text_n(json->arena, json->text, json->bytes);
    else if (token == JSON_NUMBER && member->kind == NUMBER)
        *(int64_t *)(void *)at = strtoll(arena_text_n(json->arena, json->text, json->bytes), NULL, 10);
    else if (token == JSON_ARRAY && member->kind == LIST)
        return read_list(json, member->shape, (void **)(void *)at, (size_t *)(void *)(thing + member->count_at));
    else if (token == JSON_OBJECT && (member->kind == OBJECT || member->kind == AMOUNT))
        return read_thing(json, member->kind == AMOUNT ? &amount_shape : member->shape, at);
    else
        return json_skip_rest(json, token);
    return true;
}

/* The object's first token was read. */
static bool read_thing(struct json_reader *json, const struct shape *shape, char *thing)
{
    enum json_token token;
    while ((token = json_next(json)) == JSON_KEY) {
        const struct member *member = NULL;
        for (size_t i = 0; i < shape->count && member == NULL; i++)
            if (strlen(shape->members[i].name) == json->bytes && memcmp(shape->members[i].name, json->text, json->bytes) == 0)
                member = &shape->members[i];
        if (!(member == NULL ? json_skip(json) : read_member(json, member, thing)))
            return false;
    }
    return token == JSON_OBJECT_END;
}

static bool read_text(struct arena *arena, const char *text, size_t bytes, const struct shape *shape, void *thing)
{
    struct json_reader json;
    json_open(&json, arena, text, bytes);
    return json_next(&json) == JSON_OBJECT && read_thing(&json, shape, thing);
}

static bool read_named_list(struct arena *arena, const char *text, size_t bytes, const char *name, const struct shape *shape, struct list *list)
{
    const struct member members[] = { { name, LIST, offsetof(struct list, items), offsetof(struct list, count), shape },
                                      { "next", TEXT, offsetof(struct list, next) } };
    const struct shape whole = SHAPE(members, struct list);
    *list = (struct list){ 0 };
    return read_text(arena, text, bytes, &whole, list);
}

/* ---- what is asked for ---- */

bool order_seen(struct arena *arena, const char *text, size_t bytes, struct order_seen *order)
{
    *order = (struct order_seen){ 0 };
    return read_text(arena, text, bytes, &order_shape, order) && order->id != NULL && order->stage != NULL;
}

#define LIST_OF(NAME, SHAPE_OF, TYPE)                                                                                     \
    bool NAME(struct arena *arena, const char *text, size_t bytes, struct TYPE **items, size_t *count, const char **next) \
    {                                                                                                                     \
        struct list list;                                                                                                 \
        bool good = read_named_list(arena, text, bytes, "items", &SHAPE_OF, &list);                                       \
        *items = list.items;                                                                                              \
        *count = list.count;                                                                                              \
        *next = list.next;                                                                                                \
        return good;                                                                                                      \
    }
LIST_OF(orders_seen, order_shape, order_seen)
LIST_OF(positions_seen, position_shape, position_seen)
LIST_OF(work_seen, work_shape, work_seen)

static const char *problem_text(struct arena *arena, const struct problem *problem)
{
    const char *code = problem->code == NULL ? "problem" : problem->code, *detail = problem->detail == NULL ? "" : problem->detail;
    if (problem->error_count == 0)
        return arena_printf(arena, "%s: %s", code, detail);
    const struct error_seen *first = &problem->errors[0];
    return arena_printf(arena, "%s: %s %s", first->code == NULL ? code : first->code, first->pointer == NULL ? "" : first->pointer,
                        first->detail == NULL ? detail : first->detail);
}

bool results_seen(struct arena *arena, const char *text, size_t bytes, struct result_seen **results, size_t *count)
{
    struct list list;
    if (!read_named_list(arena, text, bytes, "results", &entry_shape, &list))
        return false;
    const struct entry *entries = list.items;
    *count = list.count;
    *results = ARENA_ARRAY(arena, struct result_seen, list.count);
    for (size_t i = 0; i < list.count; i++) {
        const struct problem *problem = &entries[i].problem;
        (*results)[i] = (struct result_seen){ .status = entries[i].status, .order = entries[i].order, .line = -1 };
        if (entries[i].status < 400)
            continue;
        (*results)[i].problem = problem_text(arena, problem);
        const char *pointer = problem->error_count == 0 ? NULL : problem->errors[0].pointer;
        if (pointer != NULL && strncmp(pointer, "/lines/", 7) == 0)
            (*results)[i].line = strtoll(pointer + 7, NULL, 10);
    }
    return true;
}

const char *problem_seen(struct arena *arena, const char *text, size_t bytes)
{
    struct problem problem = { 0 };
    if (read_text(arena, text, bytes, &problem_shape, &problem) && problem.code != NULL)
        return problem_text(arena, &problem);
    return arena_printf(arena, "%.200s", text);
}
