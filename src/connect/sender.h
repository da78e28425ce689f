/* src/connect/sender.h: the thread that sends. It reads what webhooks there are and how far they are, sends what is due, and submits commands that
 * say what came of it; it writes nothing itself. For each unit it works under a lease, so of several servers one sends. */
#ifndef MILLRACE_CONNECT_SENDER_H
#define MILLRACE_CONNECT_SENDER_H

#include "connect/post.h"
#include "engine/engine.h"
#include "engine/vault.h"

#define SENDER_BODY_MAX ((size_t)256 << 10) /* of a message; a longer event is sent without its data, which says so */

struct sender;

struct sender_options {
    const struct db_options *store;
    struct engine *engine; /* must outlive the sender, with its threads */
    struct vault *vault;
    struct postbox_options post;
    bool is_alone;  /* no other process can hold a lease: one that a dead one left is taken at once */
    int64_t hasten; /* tests: all waits are divided by it; 0: 1 */
};

/* NULL with *error, a sentence in the arena. */
struct sender *sender_start(const struct sender_options *options, struct arena *arena, const char **error);
/* Sends nothing new, waits a little for what is under way, reports it and gives its leases back; the engine must still run. NULL is allowed. */
void sender_stop(struct sender *sender);
/* After sender_stop, when nobody wakes it any more. NULL is allowed. */
void sender_free(struct sender *sender);

/* There is something new: after every commit. From any thread; cheap. */
void sender_wake(struct sender *sender);

/* Its figures, in the text format of Prometheus; the context is the sender. From any thread. */
void sender_figures(void *context, struct buffer *out);

#endif
