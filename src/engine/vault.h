/* src/engine/vault.h: people stand apart and sealed. Each person has a key of its own, wrapped by the master key;
 * destroying the wrapped key erases the person. libsodium secretbox (XSalsa20-Poly1305). */
#ifndef MILLRACE_ENGINE_VAULT_H
#define MILLRACE_ENGINE_VAULT_H

#include "base/text.h"

struct db;
struct vault;

/* Takes the master key: MILLRACE_MASTER_KEY_FILE, else PATH.key beside a SQLite file (0600), else the table
 * millrace_secret on PostgreSQL (made by init, with a warning); for :memory: a fixed key of its own. NULL with *error. */
struct vault *vault_open(const char *url, struct db *db, bool create, struct arena *arena, const char **error);
void vault_close(struct vault *vault);

/* Tells one master key from another, and nothing about it: 16 digits, in the arena. */
const char *vault_mark(const struct vault *vault, struct arena *arena);
/* Keeps a copy of the master key in a new file (0600), synced with its folder. False: errno says why; a file that is there stays. */
bool vault_save(const struct vault *vault, const char *path);

/* A vault whose randomness is a seeded stream: simulations replay byte for byte. */
struct vault *vault_seeded(uint64_t seed);

void vault_random(struct vault *vault, void *out, size_t bytes);

/* Seals `plain` under a new key: *wrapped_key (72 bytes) and *sealed (plain + 16), in the arena. Thread-safe. */
void vault_seal(struct vault *vault, struct arena *arena, struct bytes plain, struct bytes *wrapped_key, struct bytes *sealed);
/* Seals other bytes under the key that a person has: pure, of the key and the bytes alone. False when the key was destroyed. */
bool vault_seal_again(struct vault *vault, struct arena *arena, struct bytes wrapped_key, struct bytes plain, struct bytes *sealed);
/* False when the key was destroyed or the bytes are not what was sealed. */
bool vault_unseal(struct vault *vault, struct arena *arena, struct bytes wrapped_key, struct bytes sealed, struct bytes *plain);

/* Keyed 64-bit hashes (SipHash-2-4): of API keys' idempotency keys, channel order ids; the key is derived from the master. */
int64_t vault_hash(const struct vault *vault, int kind, const void *bytes, size_t size);

#endif
