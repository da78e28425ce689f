/* src/http/edge.h: from a request to commands, and from their outcomes to its answer. */
#ifndef MILLRACE_HTTP_EDGE_H
#define MILLRACE_HTTP_EDGE_H

#include "engine/command.h"
#include "http/server.h"

#define BATCH_ENTRIES_MAX 1000

/* Checks the form of a command's or a batch's request and makes its commands. False: exchange->answer says why not. Its
 * arena must have a door. Runs on any thread. */
bool edge_parse(struct exchange *exchange);

/* Reads request->body into command->input, sets command->dry_run by it or by the query that was read, and asks the type's edge. Faults of form stand
 * in command->form where the engine is still to look up what the command names. False: they stand in command->faults, and it ends here. */
bool command_read(struct command *command, struct edge *edge, const struct request *request);

/* Whether any of the commands must know something of the past before it is submitted. */
bool edge_looks_back(const struct exchange *exchange);
/* Reads it, on a reader's thread. False: the store does not answer, which *result says, or exchange->answer says why it ends here. */
bool edge_look_back(struct exchange *exchange, const struct reading *reading, enum db_result *result);
/* The same for one command, which is looked up like others where that found a fault. False: it ends here. */
bool command_look_back(struct command *command, const struct reading *reading, enum db_result *result);

/* What an Idempotency-Key of an API key stands for, at its place in a batch (0: a command of its own). */
void edge_key_hash(struct vault *vault, struct arena *arena, int64_t actor, const char *key, int64_t index, int64_t hash[2]);

/* What the body of a type's command may say: its table, or one without fields where it takes none. */
const struct field_table *command_input(const struct command_type *type);
/* What the body of every POST may say besides: dry_run. */
extern const struct field_table command_options;

/* Hands the commands to the engine; server_done follows when all are answered. Touch the exchange no more. */
void edge_submit(struct exchange *exchange);

/* All commands were answered: makes the exchange's answer. Its arena must have a door. */
void edge_answer(struct exchange *exchange);

/* Gives back the arenas of a batch's entries. */
void edge_release(struct exchange *exchange);

#endif
