/* src/http/auth.h: who asks. A key is "mr_" and 43 characters of base64url, 32 random bytes; we keep its BLAKE2b hash
 * only, so a stolen table opens nothing. */
#ifndef MILLRACE_HTTP_AUTH_H
#define MILLRACE_HTTP_AUTH_H

#include "engine/api.h"

#define KEY_HASH_BYTES 32
#define KEY_TEXT_BYTES 48 /* with its NUL */

/* Where keys are known. */
struct auth_source {
    void *context;
    /* Looks in memory only; called on the HTTP thread. out->name lives until the next call. */
    bool (*find)(void *context, const uint8_t hash[KEY_HASH_BYTES], struct actor *out);
    /* Reads the store anew on a reader's thread after a miss; reads at most 20 times a second. `db` NULL: it cannot be opened.
     * False: the store does not answer, so that nothing can be said of the key. NULL: what is known is all. */
    bool (*reload)(void *context, struct db *db);
};

/* A new key and its hash, of the system's randomness. */
void key_make(char text[KEY_TEXT_BYTES], uint8_t hash[KEY_HASH_BYTES]);
void key_hash(const char *text, size_t bytes, uint8_t hash[KEY_HASH_BYTES]);

enum auth_result {
    AUTH_OK,
    AUTH_NONE /* no key came */,
    AUTH_MALFORMED /* not in the form of one */,
    AUTH_UNKNOWN /* may be known after a reload */
};

/* Reads "Bearer KEY" (NULL: the header did not come) and finds its actor; the name is copied into the arena. */
enum auth_result auth_find(const struct auth_source *source, struct arena *arena, const char *authorization, struct actor *out);

/* Whether the actor may use the route; else *needed names the scopes of which one is due. */
bool auth_may(const struct actor *actor, const struct route *route, struct arena *arena, const char **needed);

/* The rows of table api_key, kept in memory, for one server; http_options.store must be set. */
struct key_table *key_table_new(void); /* NULL: no memory */
void key_table_free(struct key_table *table);
struct auth_source key_table_source(struct key_table *table);

#endif
