/* src/engine/command.h: the one way anything is changed: who, what, why, idempotency key.
 * The edge fills `input`; the engine calls decide over the working set: first the faults of look-up (422, all at once), then
 * the first refusal (409), then the changes. Pure: no I/O, no clock, no randomness but what the command and the batch hand in. */
#ifndef MILLRACE_ENGINE_COMMAND_H
#define MILLRACE_ENGINE_COMMAND_H

#include "engine/api.h"

struct ws; /* engine/ws.h: the working set of a batch */

enum queue_class { QUEUE_PEOPLE, QUEUE_CHANNELS, QUEUE_BULK };

struct command;

/* What the edge may use while it makes a command of a request: randomness and the vault, not the store. */
struct edge {
    struct vault *vault;
    struct arena *arena;
    bool private_targets; /* webhooks may go to this machine and its network, and without TLS */
};

struct command_type {
    const char *name;                /* "order.create" */
    const struct field_table *input; /* of the body; NULL: no body is taken */
    enum fields_mode mode;
    enum queue_class queue;
    bool company;        /* decided in unit 0 with the clock rows of all units */
    bool passes_barrier; /* may run while a job makes the unit ready (unit_clock.blocked) */
    /* Completes `input` from the path and seals persons. Faults of form; false with at least one. May be NULL. Where there is a
     * look_up it is asked also of an input with faults of form: texts and objects that could not be read are NULL. */
    bool (*edge)(struct edge *edge, const struct request *request, struct command *command, struct faults *faults);
    /* Names the rows that it will probably need: hints, loaded set-based for the whole batch. Called twice: what the first
     * round loaded tells the second what else is needed (ws_known). May be NULL. */
    void (*prefetch)(struct ws *ws, const struct command *command);
    /* The form is faulty and the command will be refused: adds the faults of what it names, as far as that could be read, so that
     * all are told at once. Changes nothing. NULL: faults of form are told alone. */
    void (*look_up)(struct ws *ws, struct command *command);
    /* Where the edge set command->looks_back, its form being good: completes `input` (by a copy) with what it must know of the past, on a reader's
     * connections, both caught up with the request's arrival. What is read must be such that nothing committed later changes it, since commands are
     * decided after it. Adds faults of look-up. reading->arena is forgotten behind it. NULL: no command of the type looks back. */
    enum db_result (*look_back)(const struct reading *reading, struct command *command);
    /* Decides; answers through command->answer (a status and a rendered body), or refuses by faults. */
    void (*decide)(struct ws *ws, struct command *command);
    /* Renders the 2xx that event `seq` stands for once more (an idempotency key was sent again). NULL: keys are not kept. */
    void (*again)(struct ws *ws, struct command *command, int64_t seq);
    const char *inverse; /* "NAME" of the command that takes it back, "NAME: what is to be sent", or "none: why" */
};

enum command_state { COMMAND_NEW, COMMAND_ACCEPTED, COMMAND_REFUSED };

struct command {
    const struct command_type *type;
    const void *input;
    struct arena *arena; /* the request's: input and answer live there */
    struct actor actor;
    const char *if_match, *if_none_match;
    const char *path[PATH_PARTS_MAX];

    bool looks_back;      /* set by the edge: it must know something of the past */
    bool dry_run;         /* a preview: decided and answered as ever, then undone; nothing is kept of it, its key neither */
    struct command *with; /* the next command of the same preview: it is decided on what those before it would have done */
    bool background;      /* it waits behind people and channels, whatever its type's queue */
    bool has_key;         /* an Idempotency-Key came */
    int64_t key_hash[2];  /* keyed hash of (API key, Idempotency-Key, index) */
    int64_t body_hash[2]; /* of method, path and raw bytes */
    bool wants_answer;    /* render the body; off in imports and simulations that look at the outcome only */
    size_t bytes;         /* for the queue's bound */
    struct faults form;   /* faults of form, found at the edge: refused whatever is looked up */
    int64_t unit;         /* -1: not known yet, the engine finds it by the first code below */
    const char *of_channel, *of_node, *of_unit;

    /* The outcome. */
    enum command_state state;
    struct answer answer;
    struct faults faults; /* refused: why */
    int64_t event_seq;    /* of the event as of which the answer is: its own, or where nothing changed the last about what it shows; 0: none */
    bool existing;        /* nothing was changed: a duplicate, a replay */
    bool is_culprit;      /* refused for what it does to the store or the process: engine/culprits.h */

    /* The caller's. `done` is called once, on the engine's thread, after the commit is durable (or after the refusal of
     * a batch that was). */
    void (*done)(struct command *command);
    void *owner;
    struct command *next;
};

/* A command's answer is a thing as it stands: the status is set, and where a body is wanted the ETag, and a writer is begun. False: none is. */
bool answer_begin(struct command *command, int status, int64_t version, struct json_writer *json);
void answer_end(struct command *command, const struct json_writer *json); /* takes what was written */

/* For the edge of a command on one thing: its path's first part is the id, with this prefix, and tells the unit. NOT_FOUND where it is none; `thing`
 * is what the fault calls it. */
bool command_names(struct command *command, const struct request *request, const char *prefix, const char *thing, struct faults *faults);
/* The id that command_names has taken. */
int64_t command_id(const struct command *command, const char *prefix);

#endif
