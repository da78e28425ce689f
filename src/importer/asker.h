/* src/importer/asker.h: asks a running server over HTTP/1.1, several requests at once, each on a keep-alive connection.
 * What may come late comes again: a lost connection, a server that is not there yet or says 503 is asked again for up to
 * three minutes; so is what is too much for the key's rate (429). So a call must be safe to send twice: by its method, a natural key or an
 * idempotency key. */
#ifndef MILLRACE_IMPORTER_ASKER_H
#define MILLRACE_IMPORTER_ASKER_H

#include "base/text.h"

#define ASKER_CONNECTIONS_MAX 64

struct call {
    const char *method, *target;
    const char *body; /* JSON, NULL for none */
    size_t body_bytes;
    const char *idempotency_key; /* NULL: none is sent */

    int status;         /* of the answer */
    const char *answer; /* ends in NUL (not counted); in the arena that asker_run was given */
    size_t answer_bytes;
};

struct asker;

/* `url` is http://HOST[:PORT]; `key` goes into the Authorization header. NULL with *error when that is no such URL or the
 * host has no address; nothing is connected yet. asker_close frees it. */
struct asker *asker_open(const char *url, const char *key, size_t connections, struct arena *arena, const char **error);
void asker_close(struct asker *asker);
/* What is asked from now on, the server may take behind what people and channels ask (RFC 9218, urgency 7). */
void asker_in_background(struct asker *asker);

/* Makes all calls, in any order among each other; true when each was answered, with whatever status. False, and
 * asker_error says why, when one could not be: the others may or may not have been made. */
bool asker_run(struct asker *asker, struct arena *arena, struct call *calls, size_t count);
const char *asker_error(const struct asker *asker);

#endif
