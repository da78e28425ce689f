/* src/connect/sign.h: messages signed as Standard Webhooks 1.0 says (standardwebhooks.com): the receiver who has the secret knows that a message is
 * ours, whole and new. Signed is "ID.TIMESTAMP.BODY", HMAC-SHA-256 under the bytes that the secret stands for. Pure; nothing here does I/O. */
#ifndef MILLRACE_CONNECT_SIGN_H
#define MILLRACE_CONNECT_SIGN_H

#include "base/text.h"

#define SECRET_BYTES 32     /* of those that we make */
#define SECRET_BYTES_MIN 24 /* the standard's bounds */
#define SECRET_BYTES_MAX 64

/* The secret with this number of a webhook whose seed this is (SECRET_BYTES of chance): one tells nothing of the next. In the arena. */
struct bytes secret_derive(struct arena *arena, struct bytes seed, int64_t number);

/* "whsec_" and the bytes in base64, as a receiver is given it; in the arena. */
const char *secret_text(struct arena *arena, struct bytes secret);
/* The bytes that the text stands for, in the arena. False: not such a text, or not SECRET_BYTES_MIN .. SECRET_BYTES_MAX of them. */
bool secret_read(struct arena *arena, const char *text, struct bytes *secret);

struct signed_message {
    const char *id;      /* the same for each attempt: receivers know repeats by it; without a full stop */
    int64_t timestamp_s; /* of the attempt, seconds since 1970 */
    struct bytes body;
};
/* The header webhook-signature: "v1,BASE64" for each secret, spaces between them. In the arena. At least one secret is due. */
const char *message_sign(struct arena *arena, const struct signed_message *message, const struct bytes *secrets, size_t count);

#endif
