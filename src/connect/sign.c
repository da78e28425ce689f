/* src/connect/sign.c: see sign.h. While a secret is replaced a message bears a signature for the old one and for the new: whichever of them the
 * receiver knows, one fits. */
#include "connect/sign.h"
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "whsec_"
#define BASE64_SIZE(bytes) (((bytes) + 2) / 3 * 4 + 1)

struct bytes secret_derive(struct arena *arena, struct bytes seed, int64_t number)
{
    uint8_t *secret = arena_alloc(arena, SECRET_BYTES);
    const char *what = arena_printf(arena, "millrace webhook secret %lld", (long long)number);
    assert(seed.size == SECRET_BYTES);
    crypto_generichash(secret, SECRET_BYTES, (const uint8_t *)what, strlen(what), seed.at, seed.size);
    return (struct bytes){ secret, SECRET_BYTES };
}

const char *secret_text(struct arena *arena, struct bytes secret)
{
    const size_t room = sizeof PREFIX - 1 + BASE64_SIZE(secret.size);
    char *text = arena_alloc(arena, room);
    memcpy(text, PREFIX, sizeof PREFIX - 1);
    sodium_bin2base64(text + sizeof PREFIX - 1, room - (sizeof PREFIX - 1), secret.at, secret.size, sodium_base64_VARIANT_ORIGINAL);
    return text;
}

bool secret_read(struct arena *arena, const char *text, struct bytes *secret)
{
    size_t size = 0;
    uint8_t *bytes = arena_alloc(arena, SECRET_BYTES_MAX);
    if (strncmp(text, PREFIX, sizeof PREFIX - 1) != 0)
        return false;
    text += sizeof PREFIX - 1;
    if (sodium_base642bin(bytes, SECRET_BYTES_MAX, text, strlen(text), NULL, &size, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        size < SECRET_BYTES_MIN)
        return false;
    *secret = (struct bytes){ bytes, size };
    return true;
}

static void hmac(struct bytes secret, const char *head, struct bytes body, uint8_t out[crypto_auth_hmacsha256_BYTES])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, secret.at, secret.size);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)head, strlen(head));
    crypto_auth_hmacsha256_update(&state, body.at, body.size);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

const char *message_sign(struct arena *arena, const struct signed_message *message, const struct bytes *secrets, size_t count)
{
    struct buffer out = { .arena = arena };
    const char *head = arena_printf(arena, "%s.%lld.", message->id, (long long)message->timestamp_s);
    assert(count > 0); /* what nobody could verify is not sent */
    for (size_t i = 0; i < count; i++) {
        uint8_t mac[crypto_auth_hmacsha256_BYTES];
        char text[BASE64_SIZE(sizeof mac)];
        hmac(secrets[i], head, message->body, mac);
        sodium_bin2base64(text, sizeof text, mac, sizeof mac, sodium_base64_VARIANT_ORIGINAL);
        buffer_printf(&out, "%sv1,%s", i == 0 ? "" : " ", text);
    }
    return out.at;
}
