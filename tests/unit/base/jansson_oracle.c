/* tests/unit/base/jansson_oracle.c: what jansson reads in a text, told as a line of events. A module of its own that is
 * opened at run time: jansson's json_object() and ours have one name, and linked into one program either would call the
 * other's. */
#include "jansson_oracle.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void tell(FILE *out, const json_t *value)
{
    const char *key;
    size_t index;
    json_t *member;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        fputc('{', out);
        json_object_foreach((json_t *)value, key, member)
        {
            fprintf(out, "k%zu:%s", strlen(key), key);
            tell(out, member);
        }
        fputc('}', out);
        break;
    case JSON_ARRAY:
        fputc('[', out);
        json_array_foreach((json_t *)value, index, member) tell(out, member);
        fputc(']', out);
        break;
    case JSON_STRING:
        fprintf(out, "s%zu:%s", json_string_length(value), json_string_value(value));
        break;
    case JSON_INTEGER:
        fprintf(out, "i%lld;", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        fprintf(out, "r%a;", json_real_value(value));
        break;
    case JSON_TRUE:
        fputc('t', out);
        break;
    case JSON_FALSE:
        fputc('f', out);
        break;
    case JSON_NULL:
        fputc('n', out);
        break;
    }
}

char *oracle_events(const char *text, size_t bytes, int *beyond_it)
{
    json_error_t error = { .line = 0 };
    json_t *value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    *beyond_it = value == NULL && json_error_code(&error) == json_error_numeric_overflow;
    if (value == NULL)
        return NULL;
    char *events = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&events, &size);
    tell(out, value);
    fclose(out);
    json_decref(value);
    return events;
}
