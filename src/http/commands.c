/* src/http/commands.c: the list is walked off the router, and what takes a command back is the command's own word
 * (command_type.inverse), so neither can be old. */
#include "http/commands.h"
#include "engine/command.h"
#include <string.h>

static const char *const method_names[] = { "GET", "POST", "PUT", "PATCH", "DELETE", NULL };

struct command_io {
    struct field_presence presence;
    const char *name, *path, *batch, *inverse, *note;
    int64_t method;
    bool dry_run; /* of every command: previews are the engine's, not a command's */
};
static const struct field rows[] = {
    { "name", FIELD_CODE, FIELD_AT(struct command_io, name), .required = true, .read_only = true, .doc = "what it is called, here and in inverse" },
    { "method", FIELD_ENUM, FIELD_AT(struct command_io, method), .required = true, .read_only = true, .names = method_names },
    { "path", FIELD_TEXT, FIELD_AT(struct command_io, path), .required = true, .read_only = true, .doc = "of its route" },
    { "batch", FIELD_CODE, FIELD_AT(struct command_io, batch), .nullable = true, .read_only = true,
      .doc = "many at once: the member of the body that lists them; null: the body is one" },
    { "dry_run", FIELD_BOOL, FIELD_AT(struct command_io, dry_run), .required = true, .read_only = true,
      .doc = "it can be asked what would happen: a POST by dry_run: true in its body, all others by ?dry_run=true" },
    { "inverse", FIELD_CODE, FIELD_AT(struct command_io, inverse), .nullable = true, .read_only = true,
      .doc = "name of the command that takes it back; null: none does" },
    { "note", FIELD_TEXT, FIELD_AT(struct command_io, note), .nullable = true, .read_only = true,
      .doc = "what to send to take it back; or why nothing does" },
};
const struct field_table command_fields = { "Command", rows, COUNT(rows), sizeof(struct command_io) };

/* "NAME", "NAME: note" or "none: why". */
static void read_inverse(struct command_io *io, const char *inverse, struct arena *arena)
{
    const char *colon = strchr(inverse, ':');
    const size_t bytes = colon == NULL ? strlen(inverse) : (size_t)(colon - inverse);
    io->inverse = arena_text_n(arena, inverse, bytes);
    if (strcmp(io->inverse, "none") == 0)
        io->inverse = NULL;
    if (colon != NULL)
        io->note = colon + 1 + strspn(colon + 1, " ");
}

static void write_command(struct json_writer *json, const struct route *route)
{
    const struct command_type *type = route->command != NULL ? route->command : route->batch_of;
    struct command_io io = { .name = type->name, .method = (int64_t)route->method, .path = route->path, .batch = route->batch_name, .dry_run = true };
    read_inverse(&io, type->inverse, json->out.arena);
    fields_write(json, &command_fields, &io);
}

void commands_write(const struct router *router, struct arena *arena, struct answer *answer)
{
    struct json_writer json;
    json_begin(&json, arena);
    json_object(&json);
    json_key(&json, "items");
    json_array(&json);
    for (size_t i = 0; i < router_route_count(router); i++)
        if (router_route(router, i)->read == NULL)
            write_command(&json, router_route(router, i));
    json_array_end(&json);
    json_key(&json, "next");
    json_null(&json);
    json_object_end(&json);
    *answer = (struct answer){ .status = 200, .body = json.out.at, .body_bytes = json.out.size };
}
