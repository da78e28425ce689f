/* src/engine/command.c: commands on one thing that their path names by its id. */
#include "engine/command.h"
#include "base/id.h"
#include <string.h>

bool command_names(struct command *command, const struct request *request, const char *prefix, const char *thing, struct faults *faults)
{
    int64_t id;
    memcpy(command->path, request->path, sizeof command->path);
    if (id_parse(request->path[0], strlen(request->path[0]), prefix, &command->unit, &id) && command->unit > 0)
        return true;
    fault_add(faults, FAULT_NOT_FOUND, NULL, "there is no %s %s", thing, request->path[0]);
    return false;
}

int64_t command_id(const struct command *command, const char *prefix)
{
    int64_t unit, id = 0;
    (void)id_parse(command->path[0], strlen(command->path[0]), prefix, &unit, &id); /* the edge has parsed it */
    return id;
}

bool answer_begin(struct command *command, int status, int64_t version, struct json_writer *json)
{
    command->answer.status = status;
    if (!command->wants_answer)
        return false;
    command->answer.etag = arena_printf(command->arena, "%ld", (long)version);
    json_begin(json, command->arena);
    return true;
}

void answer_end(struct command *command, const struct json_writer *json)
{
    command->answer.body = json->out.at;
    command->answer.body_bytes = json->out.size;
}
