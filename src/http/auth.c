/* src/http/auth.c: from the Authorization header to an actor, and what an actor may do. */
#include "http/auth.h"
#include <sodium.h>
#include <string.h>
#include <strings.h>

#define PREFIX "mr_"
#define SECRET_BYTES 32

void key_hash(const char *text, size_t bytes, uint8_t hash[KEY_HASH_BYTES])
{
    crypto_generichash(hash, KEY_HASH_BYTES, (const unsigned char *)text, bytes, NULL, 0);
}

void key_make(char text[KEY_TEXT_BYTES], uint8_t hash[KEY_HASH_BYTES])
{
    unsigned char secret[SECRET_BYTES];
    randombytes_buf(secret, sizeof secret);
    memcpy(text, PREFIX, sizeof PREFIX);
    sodium_bin2base64(text + strlen(PREFIX), KEY_TEXT_BYTES - strlen(PREFIX), secret, sizeof secret, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(secret, sizeof secret);
    key_hash(text, strlen(text), hash);
}

enum auth_result auth_find(const struct auth_source *source, struct arena *arena, const char *authorization, struct actor *out)
{
    if (authorization == NULL)
        return AUTH_NONE;
    if (strncasecmp(authorization, "Bearer ", 7) != 0)
        return AUTH_MALFORMED;
    const char *key = authorization + 7 + strspn(authorization + 7, " ");
    size_t bytes = strlen(key);
    if (bytes >= KEY_TEXT_BYTES || strncmp(key, PREFIX, strlen(PREFIX)) != 0)
        return AUTH_MALFORMED;
    /* The table is asked by the hash of what came: how long that takes tells nothing of the keys that are known. */
    uint8_t hash[KEY_HASH_BYTES];
    key_hash(key, bytes, hash);
    if (!source->find(source->context, hash, out))
        return AUTH_UNKNOWN;
    out->name = arena_text(arena, out->name);
    return AUTH_OK;
}

bool auth_may(const struct actor *actor, const struct route *route, struct arena *arena, const char **needed)
{
    static const struct {
        unsigned scope;
        const char *name;
    } scopes[] = { { SCOPE_READ, "read" }, { SCOPE_ORDERS, "orders" }, { SCOPE_INVENTORY, "inventory" }, { SCOPE_ADMIN, "admin" } };
    if ((actor->scopes & (route->scopes | SCOPE_ADMIN)) != 0 || (actor->scopes != 0 && (route->scopes & SCOPE_READ) != 0))
        return true;
    struct buffer names = { .arena = arena };
    for (size_t i = 0; i < COUNT(scopes); i++)
        if (((route->scopes | SCOPE_ADMIN) & scopes[i].scope) != 0)
            buffer_printf(&names, "%s%s", names.size > 0 ? " or " : "", scopes[i].name);
    *needed = names.at;
    return false;
}
