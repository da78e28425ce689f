/* src/engine/event.c: names of events and of what they are about, from the tables in event.h. */
#include "engine/event.h"
#include <string.h>

static const struct {
    const char *name, *said;
} types[] = { [EVENT_NONE] = { "none", "" },
#define ROW(name, text, said) [EVENT_##name] = { text, said },
              EVENT_TYPES(ROW)
#undef ROW
};

static const struct {
    const char *name, *prefix;
} kinds[] = { [SUBJECT_NONE] = { "none", NULL },
#define ROW(name, text, prefix) [SUBJECT_##name] = { text, prefix },
              SUBJECT_KINDS(ROW)
#undef ROW
};

const char *event_name(enum event_type type)
{
    return types[type].name;
}

const char *event_said(enum event_type type)
{
    return types[type].said;
}

enum event_type event_from_name(const char *name)
{
    for (int i = EVENT_NONE + 1; i < EVENT_TYPE_COUNT; i++)
        if (strcmp(types[i].name, name) == 0)
            return (enum event_type)i;
    return EVENT_NONE;
}

const char *subject_name(enum subject_kind kind)
{
    return kinds[kind].name;
}

const char *subject_prefix(enum subject_kind kind)
{
    return kinds[kind].prefix;
}

struct event_row event_of(enum event_type type, enum subject_kind kind, int64_t subject)
{
    return (struct event_row){ .type = type,
                               .subject_kind = kind,
                               .subject = subject,
                               .available = NULL_INT,
                               .reserved = NULL_INT,
                               .allocated = NULL_INT,
                               .quarantined = NULL_INT,
                               .quantity = NULL_INT,
                               .class = NULL_INT,
                               .amount = NULL_INT,
                               .unit_cost = NULL_INT };
}

void event_again(struct ws *ws, struct command *command, int64_t seq)
{
    const struct event_row *event = ws_get(ws, &event_table, WS_KEY(ws_unit(ws), seq));
    command->answer.body = arena_text(command->arena, event->data);
    command->answer.body_bytes = strlen(event->data);
}
