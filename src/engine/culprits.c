/* src/engine/culprits.c: the exception is written by a command of its own, for of the culprit's batch nothing stays. */
#include "engine/culprits.h"
#include "engine/exceptions.h"
#include "engine_sql.h"
#include <stdio.h>
#include <string.h>

void culprit_cause(const struct command *command, char cause[CULPRIT_CAUSE_BYTES])
{
    const char *type = exception_names[EXCEPTION_CULPRIT_COMMAND - 1];
    if (command->body_hash[0] == 0 && command->body_hash[1] == 0)
        snprintf(cause, CULPRIT_CAUSE_BYTES, "%s/%s", type, command->type->name);
    else
        snprintf(cause, CULPRIT_CAUSE_BYTES, "%s/%016lx%016lx", type, (unsigned long)command->body_hash[0], (unsigned long)command->body_hash[1]);
}

struct culprit *culprit_find(struct culprits *culprits, int64_t unit, const char *cause)
{
    for (size_t i = 0; i < culprits->count; i++)
        if (culprits->items[i].unit == unit && strcmp(culprits->items[i].cause, cause) == 0)
            return &culprits->items[i];
    return NULL;
}

void culprit_add(struct culprits *culprits, int64_t unit, const char *cause)
{
    if (culprits->count == CULPRITS_MAX || culprit_find(culprits, unit, cause) != NULL)
        return;
    struct culprit *culprit = &culprits->items[culprits->count++];
    culprit->unit = unit;
    snprintf(culprit->cause, sizeof culprit->cause, "%s", cause);
}

void culprit_remove(struct culprits *culprits, struct culprit *culprit)
{
    *culprit = culprits->items[--culprits->count];
}

enum db_result culprits_load(struct culprits *culprits, struct db *db, struct arena *arena, int64_t unit)
{
    struct culprits_open_result *rows;
    size_t count = 0;
    enum db_result result = culprits_open(db, arena, unit, EXCEPTION_CULPRIT_COMMAND, CULPRITS_MAX, &rows, &count);
    for (size_t i = 0; result == DB_OK && i < count; i++)
        culprit_add(culprits, unit, rows[i].cause);
    return result;
}

static void report_prefetch(struct ws *ws, const struct command *command)
{
    exception_want(ws, ((const struct culprit_report *)command->input)->cause);
}

static void report_decide(struct ws *ws, struct command *command)
{
    const struct culprit_report *said = command->input;
    const struct exception_item_row *open = exception_find(ws, said->cause);
    if (!said->is_done)
        exception_open(ws, &(struct exception){ .type = EXCEPTION_CULPRIT_COMMAND,
                                                .cause = said->cause,
                                                .subject_kind = SUBJECT_UNIT,
                                                .subject = ws_unit(ws),
                                                .detail = said->detail });
    else if (open != NULL)
        (void)exception_close(ws, open);
    command->answer.status = 200;
}

const struct command_type culprit_report = { .name = "culprit.report",
                                             .queue = QUEUE_BULK,
                                             .passes_barrier = true,
                                             .prefetch = report_prefetch,
                                             .decide = report_decide,
                                             .inverse = "none: it tells what happened" };
