/* src/catalog/kinds.h: the two commands and the reads that each kind of master has, and their routes: for api.c of a module with masters. */
#ifndef MILLRACE_CATALOG_KINDS_H
#define MILLRACE_CATALOG_KINDS_H

#include "catalog/catalog.h"

#define MASTER_WRITERS (SCOPE_ADMIN | SCOPE_INVENTORY)
#define MASTER_READERS (SCOPE_READ | SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN)

/* Each kind's two commands and its three reads. */
#define MASTER_KIND(NAME, TITLE, COMPANY, EDGE)                                                               \
    static void NAME##_put(struct ws *ws, struct command *command)                                            \
    {                                                                                                         \
        master_put(ws, command, &NAME##_master);                                                              \
    }                                                                                                         \
    static void NAME##_patch(struct ws *ws, struct command *command)                                          \
    {                                                                                                         \
        master_patch(ws, command, &NAME##_master);                                                            \
    }                                                                                                         \
    static void NAME##_look_up(struct ws *ws, struct command *command)                                        \
    {                                                                                                         \
        master_look_up(ws, command, &NAME##_master);                                                          \
    }                                                                                                         \
    static void NAME##_get(struct reading *reading, const struct request *request, struct answer *answer)     \
    {                                                                                                         \
        master_get(reading, request, answer, &NAME##_master);                                                 \
    }                                                                                                         \
    static void NAME##_list(struct reading *reading, const struct request *request, struct answer *answer)    \
    {                                                                                                         \
        master_list(reading, request, answer, &NAME##_master);                                                \
    }                                                                                                         \
    static void NAME##_history(struct reading *reading, const struct request *request, struct answer *answer) \
    {                                                                                                         \
        master_history_of(reading, request, answer, &NAME##_master);                                          \
    }                                                                                                         \
    CHANGE_FIELDS(NAME##_change, TITLE "Change", NAME##_fields);                                              \
    static const struct command_type NAME##_put_type = { .name = #NAME ".put",                                \
                                                         .input = &NAME##_fields,                             \
                                                         .mode = FIELDS_PUT,                                  \
                                                         .queue = QUEUE_PEOPLE,                               \
                                                         .company = COMPANY,                                  \
                                                         .edge = EDGE,                                        \
                                                         .look_up = NAME##_look_up,                           \
                                                         .decide = NAME##_put,                                \
                                                         .again = master_put_again,                           \
                                                         .inverse = #NAME ".put: the version before" };       \
    static const struct command_type NAME##_patch_type = { .name = #NAME ".patch",                            \
                                                           .input = &NAME##_fields,                           \
                                                           .mode = FIELDS_PATCH,                              \
                                                           .queue = QUEUE_PEOPLE,                             \
                                                           .company = COMPANY,                                \
                                                           .edge = EDGE,                                      \
                                                           .look_up = NAME##_look_up,                         \
                                                           .decide = NAME##_patch,                            \
                                                           .inverse = #NAME ".put: the version before" }

#define MASTERS_BY_UNIT                                                 \
    {                                                                   \
        .name = "unit", .type = FIELD_CODE, .doc = "those of this unit" \
    }
#define MASTER_ROUTES(NAME, LIST, PART, MEMBER, PLURAL, ONE, MANY, ...)                                                                              \
    { .method = METHOD_PUT,                                                                                                                          \
      .path = LIST PART,                                                                                                                             \
      .scopes = MASTER_WRITERS,                                                                                                                      \
      .command = &NAME##_put_type,                                                                                                                   \
      .answer_of = &NAME##_fields,                                                                                                                   \
      .summary = "Make or replace a " ONE },                                                                                                         \
        { .method = METHOD_PATCH,                                                                                                                    \
          .path = LIST PART,                                                                                                                         \
          .scopes = MASTER_WRITERS,                                                                                                                  \
          .command = &NAME##_patch_type,                                                                                                             \
          .answer_of = &NAME##_fields,                                                                                                               \
          .summary = "Change a " ONE },                                                                                                              \
        { .method = METHOD_POST,                                                                                                                     \
          .path = LIST,                                                                                                                              \
          .scopes = MASTER_WRITERS,                                                                                                                  \
          .batch_of = &NAME##_put_type,                                                                                                              \
          .batch_name = PLURAL,                                                                                                                      \
          .batch_part = MEMBER,                                                                                                                      \
          .result_name = #NAME,                                                                                                                      \
          .answer_of = &NAME##_fields,                                                                                                               \
          .summary = "Make or replace up to a thousand at once, each entry as its PUT takes it and with its " MEMBER ", each alone" },               \
        { .method = METHOD_GET, .path = LIST PART, .scopes = MASTER_READERS, .read = NAME##_get, .answer_of = &NAME##_fields, .summary = "A " ONE }, \
        { .method = METHOD_GET,                                                                                                                      \
          .path = LIST PART "/history",                                                                                                              \
          .scopes = MASTER_READERS,                                                                                                                  \
          .read = NAME##_history,                                                                                                                    \
          .answer_of = &NAME##_change,                                                                                                               \
          .list = true,                                                                                                                              \
          .summary = "Who changed what of a " ONE,                                                                                                   \
          .query = { LIST_QUERY } },                                                                                                                 \
    {                                                                                                                                                \
        .method = METHOD_GET, .path = LIST, .scopes = MASTER_READERS, .read = NAME##_list, .answer_of = &NAME##_fields, .list = true,                \
        .summary = MANY ", in the order in which they were made", .query = {                                                                         \
            LIST_QUERY,                                                                                                                              \
            __VA_ARGS__                                                                                                                              \
        }                                                                                                                                            \
    }

#endif
