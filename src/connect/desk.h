/* src/connect/desk.h: what the sender reads: which webhooks there are, which units, how far each subscription is, and the text of events. */
#ifndef MILLRACE_CONNECT_DESK_H
#define MILLRACE_CONNECT_DESK_H

#include "connect/connect.h"
#include "engine/vault.h"

#define DESK_SECRETS 16 /* of one webhook that sign now; more are not looked at */

struct endpoint {
    int64_t id;
    const char *code, *url, *units;
    bool wants[EVENT_TYPE_COUNT];
    struct bytes secrets[DESK_SECRETS];
    size_t secret_count;
};

/* As of one moment; in one arena, and all of it durable. */
struct desk {
    struct endpoint *endpoints; /* those to which something is sent */
    size_t endpoint_count;
    struct desk_unit {
        int64_t id, head;
        const char *code;
        struct lease_row lease; /* term 0: nobody has one */
        const struct webhook_subscription_row *subscriptions;
        size_t subscription_count;
    } * units; /* unit 0 is the company */
    size_t unit_count;
};
/* Secrets that end before now_us do not sign. Where there is no endpoint, units are not read. */
enum db_result desk_read(struct db *db, struct vault *vault, struct arena *arena, int64_t now_us, struct desk *desk);
/* NULL: there is none. */
const struct webhook_subscription_row *desk_subscription(const struct desk_unit *unit, int64_t webhook);

/* The subscription and what waits behind it, as of one moment. *found false: there is none. */
enum db_result desk_waiting(struct db *db, struct arena *arena, int64_t unit, int64_t webhook, struct webhook_subscription_row *row, bool *found,
                            const struct webhook_waiting_row **waiting, size_t *count);

/* The next events up to `upto`, at most `most`, and whether the webhook wants each: not what tells of its own state, which would be sent for
 * ever to one that fails now and then. */
struct desk_event {
    int64_t seq, key;
    bool wanted;
};
enum db_result desk_events(struct db *db, struct arena *arena, int64_t unit, int64_t after, int64_t upto, size_t most,
                           const struct endpoint *endpoint, struct desk_event **events, size_t *count);

/* The bodies of these events (ascending), each as GET /v1/events gives it; one that would be longer than bytes_max says too_large instead of its
 * data. */
enum db_result desk_bodies(struct db *db, struct arena *arena, int64_t unit, const char *unit_code, const int64_t *seqs, size_t count,
                           size_t bytes_max, struct bytes *bodies);

#endif
