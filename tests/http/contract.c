/* tests/http/contract.c: a checker of as much JSON schema as src/http/openapi.c writes. A keyword that it does not know is a breach,
 * not a blank cheque. Objects of an answer whose members are named are closed: what no schema names is a member that nobody was told of. */
#include "contract.h"
#include "base/json.h"
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct value {
    enum json_token kind; /* JSON_OBJECT, JSON_ARRAY, or of a value */
    const char *key;      /* in an object */
    const char *text;     /* of a string or a number */
    struct value *first, *next;
};

struct contract {
    struct arena *arena; /* of the description */
    struct value *root;
    struct arena *call; /* of the call at work */
    bool closed;        /* an answer: members that no schema names are a breach */
    char breach[1200];
};

/* ---- JSON as a tree ---- */

static struct value *read_value(struct json_reader *json, enum json_token token);

static bool read_children(struct json_reader *json, struct value *parent)
{
    struct value **last = &parent->first;
    for (;;) {
        const char *key = NULL;
        enum json_token token = json_next(json);
        if (token == JSON_OBJECT_END || token == JSON_ARRAY_END)
            return true;
        if (token == JSON_KEY) {
            key = arena_text_n(json->arena, json->text, json->bytes);
            token = json_next(json);
        }
        *last = read_value(json, token);
        if (*last == NULL)
            return false;
        (*last)->key = key;
        last = &(*last)->next;
    }
}

static struct value *read_value(struct json_reader *json, enum json_token token)
{
    if (token == JSON_ERROR || token == JSON_END)
        return NULL;
    struct value *value = ARENA_NEW(json->arena, struct value);
    value->kind = token;
    if (token == JSON_STRING || token == JSON_NUMBER)
        value->text = arena_text_n(json->arena, json->text, json->bytes);
    if ((token == JSON_OBJECT || token == JSON_ARRAY) && !read_children(json, value))
        return NULL;
    return value;
}

static struct value *tree_of(struct arena *arena, const char *text)
{
    struct json_reader json;
    json_open(&json, arena, text, strlen(text));
    struct value *value = read_value(&json, json_next(&json));
    return value != NULL && json_next(&json) == JSON_END ? value : NULL;
}

static const struct value *member(const struct value *object, const char *name)
{
    for (const struct value *each = object == NULL ? NULL : object->first; each != NULL; each = each->next)
        if (each->key != NULL && strcmp(each->key, name) == 0)
            return each;
    return NULL;
}

static long number_of(const struct value *schema, const char *name, long preset)
{
    const struct value *number = member(schema, name);
    return number == NULL ? preset : strtol(number->text, NULL, 10);
}

/* ---- schemas ---- */

/* Where we stand, for the message. */
struct step {
    const struct step *up;
    const char *name;
};

static void add_place(char *out, size_t room, const struct step *step)
{
    if (step == NULL)
        return;
    add_place(out, room, step->up);
    snprintf(out + strlen(out), room - strlen(out), "/%s", step->name);
}

__attribute__((format(printf, 3, 4))) static bool breach(struct contract *c, const struct step *step, const char *format, ...)
{
    char place[400] = "", what[700];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args); /* NOLINT(clang-analyzer-valist.Uninitialized): begun a line above */
    va_end(args);
    add_place(place, sizeof place, step);
    snprintf(c->breach, sizeof c->breach, "%s: %s", place, what);
    return false;
}

/* "#/a/b" from the root; pointers of ours need no escapes. */
static const struct value *resolve(const struct contract *c, const struct value *schema)
{
    const struct value *reference = member(schema, "$ref");
    if (reference == NULL)
        return schema;
    const struct value *at = c->root;
    for (const char *part = reference->text + 1; at != NULL && *part == '/';) {
        size_t bytes = strcspn(++part, "/");
        at = member(at, arena_text_n(c->call, part, bytes));
        part += bytes;
    }
    return at == NULL ? NULL : resolve(c, at);
}

static bool conforms(struct contract *c, const struct value *schema, const struct value *value, const struct step *step);

static bool is_of_type(const struct value *value, const char *type)
{
    static const struct {
        const char *type;
        enum json_token kind;
    } kinds[] = { { "string", JSON_STRING }, { "integer", JSON_NUMBER }, { "boolean", JSON_TRUE }, { "boolean", JSON_FALSE },
                  { "object", JSON_OBJECT }, { "array", JSON_ARRAY },    { "null", JSON_NULL } };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].type, type) == 0 && kinds[i].kind == value->kind)
            return value->kind != JSON_NUMBER || strpbrk(value->text, ".eE") == NULL;
    return false;
}

static bool type_fits(struct contract *c, const struct value *schema, const struct value *value, const struct step *step)
{
    const struct value *type = member(schema, "type");
    bool fits = type == NULL || (type->kind == JSON_STRING && is_of_type(value, type->text));
    for (const struct value *each = type != NULL && type->kind == JSON_ARRAY ? type->first : NULL; each != NULL; each = each->next)
        fits = fits || is_of_type(value, each->text);
    return fits || breach(c, step, "another type than %s", type->kind == JSON_STRING ? type->text : "those of the list");
}

static bool text_fits(struct contract *c, const struct value *schema, const struct value *value, const struct step *step)
{
    long characters = 0;
    for (const char *at = value->text; *at != '\0'; at++)
        characters += ((unsigned char)*at & 0xC0) != 0x80;
    if (characters < number_of(schema, "minLength", 0) || characters > number_of(schema, "maxLength", characters))
        return breach(c, step, "%ld characters: %s", characters, value->text);
    static const char time[] = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$";
    const struct value *own = member(schema, "pattern"), *format = member(schema, "format");
    const char *pattern = format != NULL && strcmp(format->text, "date-time") == 0 ? time : own == NULL ? NULL : own->text;
    regex_t regex;
    if (pattern == NULL)
        return true;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return breach(c, step, "the pattern %s is none", pattern);
    bool fits = regexec(&regex, value->text, 0, NULL, 0) == 0;
    regfree(&regex);
    return fits || breach(c, step, "%s is not like %s", value->text, pattern);
}

static bool number_fits(struct contract *c, const struct value *schema, const struct value *value, const struct step *step)
{
    long number = strtol(value->text, NULL, 10);
    return (number >= number_of(schema, "minimum", number) && number <= number_of(schema, "maximum", number)) ||
           breach(c, step, "%ld is out of range", number);
}

static bool object_fits(struct contract *c, const struct value *schema, const struct value *value, const struct step *step)
{
    const struct value *required = member(schema, "required"), *properties = member(schema, "properties"),
                       *more = member(schema, "additionalProperties");
    for (const struct value *name = required == NULL ? NULL : required->first; name != NULL; name = name->next)
        if (member(value, name->text) == NULL)
            return breach(c, step, "\"%s\" is not there", name->text);
    for (const struct value *each = value->first; each != NULL; each = each->next) {
        const struct step at = { step, each->key };
        const struct value *property = member(properties, each->key);
        if (property != NULL && !conforms(c, property, each, &at))
            return false;
        if (property == NULL && ((more != NULL && more->kind == JSON_FALSE) || (c->closed && properties != NULL && properties->first != NULL)))
            return breach(c, &at, "no schema names it");
    }
    return true;
}

static bool list_fits(struct contract *c, const struct value *schema, const struct value *value, const struct step *step)
{
    long count = 0;
    for (const struct value *each = value->first; each != NULL; each = each->next, count++) {
        char index[24];
        snprintf(index, sizeof index, "%ld", count);
        if (member(schema, "items") != NULL && !conforms(c, member(schema, "items"), each, &(struct step){ step, index }))
            return false;
    }
    return (count >= number_of(schema, "minItems", 0) && count <= number_of(schema, "maxItems", count)) || breach(c, step, "%ld elements", count);
}

static bool enum_fits(struct contract *c, const struct value *schema, const struct value *value, const struct step *step)
{
    const struct value *names = member(schema, "enum");
    for (const struct value *name = names == NULL ? NULL : names->first; name != NULL; name = name->next)
        if (name->kind == value->kind && (name->kind == JSON_NULL || text_equal(name->text, value->text)))
            return true;
    return names == NULL || breach(c, step, "%s is no name of the enum", value->text == NULL ? "it" : value->text);
}

/* allOf: all, anyOf: at least one, oneOf: exactly one of the list. */
static bool combination_fits(struct contract *c, const struct value *schema, const char *name, const struct value *value, const struct step *step)
{
    const struct value *list = member(schema, name);
    size_t count = 0, fit = 0;
    for (const struct value *each = list == NULL ? NULL : list->first; each != NULL; each = each->next, count++)
        fit += conforms(c, each, value, step);
    bool good = list == NULL || (strcmp(name, "allOf") == 0 ? fit == count : strcmp(name, "anyOf") == 0 ? fit > 0 : fit == 1);
    return good || breach(c, step, "%s: %zu of %zu", name, fit, count);
}

static bool keywords_are_known(struct contract *c, const struct value *schema, const struct step *step)
{
    static const char *const known[] = { "type",     "format",  "minimum",    "maximum",  "default",     "minLength", "maxLength",
                                         "enum",     "pattern", "properties", "required", "$ref",        "items",     "minItems",
                                         "maxItems", "anyOf",   "allOf",      "oneOf",    "description", "readOnly",  "additionalProperties" };
    for (const struct value *each = schema->first; each != NULL; each = each->next) {
        size_t i = 0;
        while (i < sizeof known / sizeof known[0] && strcmp(known[i], each->key) != 0)
            i++;
        if (i == sizeof known / sizeof known[0])
            return breach(c, step, "this checker does not know \"%s\"", each->key);
    }
    return true;
}

static bool conforms(struct contract *c, const struct value *reference, const struct value *value, const struct step *step)
{
    const struct value *schema = resolve(c, reference);
    if (schema == NULL)
        return breach(c, step, "its schema is not there");
    bool fits = keywords_are_known(c, schema, step) && type_fits(c, schema, value, step) && enum_fits(c, schema, value, step) &&
                combination_fits(c, schema, "allOf", value, step) && combination_fits(c, schema, "anyOf", value, step) &&
                combination_fits(c, schema, "oneOf", value, step);
    if (!fits || value->kind == JSON_NULL)
        return fits;
    return value->kind == JSON_STRING   ? text_fits(c, schema, value, step)
           : value->kind == JSON_NUMBER ? number_fits(c, schema, value, step)
           : value->kind == JSON_OBJECT ? object_fits(c, schema, value, step)
           : value->kind == JSON_ARRAY  ? list_fits(c, schema, value, step)
                                        : true;
}

/* ---- a call ---- */

static bool path_fits(const char *path, const char *target)
{
    while (*path != '\0' && *target != '\0' && *target != '?') {
        if (*path == '{') {
            path += strcspn(path, "}") + 1;
            target += strcspn(target, "/?");
        } else if (*path++ != *target++) {
            return false;
        }
    }
    return *path == '\0' && (*target == '\0' || *target == '?');
}

/* A path without parts goes before one with them. */
static const struct value *path_of(const struct contract *c, const char *target)
{
    const struct value *found = NULL, *paths = member(c->root, "paths");
    for (const struct value *path = paths == NULL ? NULL : paths->first; path != NULL; path = path->next)
        if (path_fits(path->key, target) && (found == NULL || strchr(path->key, '{') == NULL))
            found = path;
    return found;
}

static const struct value *response_of(const struct contract *c, const struct value *operation, int status)
{
    char exact[16], family[16];
    snprintf(exact, sizeof exact, "%d", status);
    snprintf(family, sizeof family, "%dXX", status / 100);
    const struct value *responses = member(operation, "responses"), *response = member(responses, exact);
    response = response != NULL ? response : member(responses, family);
    return response == NULL ? NULL : resolve(c, response);
}

/* A body against the first content that is JSON; `where` is where the content stands. */
static bool body_fits(struct contract *c, const struct value *where, const char *body, const char *name)
{
    const struct step step = { NULL, name };
    const struct value *content = member(where, "content");
    bool is_json = false;
    for (const struct value *each = content == NULL ? NULL : content->first; each != NULL; each = each->next) {
        if (strstr(each->key, "json") == NULL)
            continue;
        const struct value *value = tree_of(c->call, body);
        is_json = true;
        if (value == NULL)
            return breach(c, &step, "this is no JSON: %.80s", body);
        if (!conforms(c, member(each, "schema"), value, &step))
            return false;
    }
    bool empty = body == NULL || body[0] == '\0';
    if (content == NULL && !empty && strcmp(body, "{}") != 0)
        return breach(c, &step, "no content is described, %.80s came", body);
    return content == NULL || is_json || !empty || breach(c, &step, "nothing came");
}

const char *contract_breach(struct contract *c, const struct contract_call *call)
{
    char method[8] = "";
    arena_reset(c->call);
    for (size_t i = 0; i < sizeof method - 1 && call->method[i] != '\0'; i++)
        method[i] = (char)(call->method[i] | 0x20);
    const struct value *path = path_of(c, call->target), *operation = member(path, method);
    if (operation == NULL)
        return snprintf(c->breach, sizeof c->breach, "no such path or method is described"), c->breach;
    const struct value *response = response_of(c, operation, call->status), *request = member(operation, "requestBody");
    if (response == NULL)
        return snprintf(c->breach, sizeof c->breach, "the status %d is not described", call->status), c->breach;
    c->closed = false;
    if (call->status < 300 && call->sent != NULL && !body_fits(c, request, call->sent, "request"))
        return c->breach;
    c->closed = true;
    return body_fits(c, response, call->got == NULL ? "" : call->got, "answer") ? NULL : c->breach;
}

void contract_free(struct contract *contract)
{
    if (contract == NULL)
        return;
    arena_free(contract->arena);
    arena_free(contract->call);
    free(contract);
}

struct contract *contract_of(const char *openapi)
{
    struct contract *contract = calloc(1, sizeof *contract);
    contract->arena = arena_new((size_t)64 << 20);
    contract->call = arena_new((size_t)64 << 20);
    contract->root = tree_of(contract->arena, openapi);
    if (contract->root != NULL)
        return contract;
    contract_free(contract);
    return NULL;
}
