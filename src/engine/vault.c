/* src/engine/vault.c: the master key wraps each person's key; a keyed hash hides what clients chose.
 * A person's key seals once, so the nonce under it may be zero; the master key wraps many, so each wrapping has a random
 * nonce before it: 24 + 16 + 32 = 72 bytes. */
#include "engine/vault.h"
#include "engine_sql.h"
#include "schema.h"
#include <assert.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRAPPED_BYTES (crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + crypto_secretbox_KEYBYTES)
#define SQLITE_SCHEME "sqlite:"

struct vault {
    uint8_t master[crypto_secretbox_KEYBYTES], hashing[crypto_shorthash_KEYBYTES];
    bool seeded; /* a simulation's: randomness is a stream of the seed */
    uint64_t drawn;
    pthread_mutex_t lock;
};

static struct vault *vault_new(const uint8_t master[crypto_secretbox_KEYBYTES])
{
    struct vault *vault = calloc(1, sizeof *vault);
    if (vault == NULL || sodium_init() < 0) {
        free(vault);
        return NULL;
    }
    memcpy(vault->master, master, sizeof vault->master);
    crypto_generichash(vault->hashing, sizeof vault->hashing, (const uint8_t *)"millrace hash", 13, master, crypto_secretbox_KEYBYTES);
    pthread_mutex_init(&vault->lock, NULL);
    return vault;
}

struct vault *vault_seeded(uint64_t seed)
{
    uint8_t master[crypto_secretbox_KEYBYTES] = { 0 };
    memcpy(master, &seed, sizeof seed);
    struct vault *vault = vault_new(master);
    if (vault != NULL)
        vault->seeded = true;
    return vault;
}

void vault_close(struct vault *vault)
{
    if (vault == NULL)
        return;
    sodium_memzero(vault->master, sizeof vault->master);
    sodium_memzero(vault->hashing, sizeof vault->hashing);
    pthread_mutex_destroy(&vault->lock);
    free(vault);
}

void vault_random(struct vault *vault, void *out, size_t bytes)
{
    if (!vault->seeded) {
        randombytes_buf(out, bytes);
        return;
    }
    uint8_t seed[randombytes_SEEDBYTES];
    pthread_mutex_lock(&vault->lock);
    uint64_t drawn = vault->drawn++;
    pthread_mutex_unlock(&vault->lock);
    crypto_generichash(seed, sizeof seed, (const uint8_t *)&drawn, sizeof drawn, vault->master, sizeof vault->master);
    randombytes_buf_deterministic(out, bytes, seed);
}

void vault_seal(struct vault *vault, struct arena *arena, struct bytes plain, struct bytes *wrapped_key, struct bytes *sealed)
{
    static const uint8_t once[crypto_secretbox_NONCEBYTES];
    uint8_t random[crypto_secretbox_NONCEBYTES + crypto_secretbox_KEYBYTES];
    const uint8_t *key = random + crypto_secretbox_NONCEBYTES;
    uint8_t *wrapped = arena_alloc(arena, WRAPPED_BYTES), *box = arena_alloc(arena, plain.size + crypto_secretbox_MACBYTES);
    vault_random(vault, random, sizeof random);
    memcpy(wrapped, random, crypto_secretbox_NONCEBYTES);
    crypto_secretbox_easy(wrapped + crypto_secretbox_NONCEBYTES, key, crypto_secretbox_KEYBYTES, wrapped, vault->master);
    crypto_secretbox_easy(box, plain.at, plain.size, once, key);
    sodium_memzero(random, sizeof random);
    *wrapped_key = (struct bytes){ wrapped, WRAPPED_BYTES };
    *sealed = (struct bytes){ box, plain.size + crypto_secretbox_MACBYTES };
}

static bool unwrap(const struct vault *vault, struct bytes wrapped_key, uint8_t key[crypto_secretbox_KEYBYTES])
{
    return wrapped_key.at != NULL && wrapped_key.size == WRAPPED_BYTES &&
           crypto_secretbox_open_easy(key, wrapped_key.at + crypto_secretbox_NONCEBYTES, WRAPPED_BYTES - crypto_secretbox_NONCEBYTES, wrapped_key.at,
                                      vault->master) == 0;
}

/* A key's first box has the nonce 0. Those after it bring theirs, a keyed hash of what they hold: equal only where all is equal. */
bool vault_seal_again(struct vault *vault, struct arena *arena, struct bytes wrapped_key, struct bytes plain, struct bytes *sealed)
{
    uint8_t key[crypto_secretbox_KEYBYTES];
    if (!unwrap(vault, wrapped_key, key))
        return false;
    const size_t bytes = crypto_secretbox_NONCEBYTES + plain.size + crypto_secretbox_MACBYTES;
    uint8_t *out = arena_alloc(arena, bytes);
    crypto_generichash(out, crypto_secretbox_NONCEBYTES, plain.at, plain.size, key, sizeof key);
    crypto_secretbox_easy(out + crypto_secretbox_NONCEBYTES, plain.at, plain.size, out, key);
    sodium_memzero(key, sizeof key);
    *sealed = (struct bytes){ out, bytes };
    return true;
}

bool vault_unseal(struct vault *vault, struct arena *arena, struct bytes wrapped_key, struct bytes sealed, struct bytes *plain)
{
    static const uint8_t once[crypto_secretbox_NONCEBYTES];
    uint8_t key[crypto_secretbox_KEYBYTES];
    if (sealed.size < crypto_secretbox_MACBYTES || !unwrap(vault, wrapped_key, key))
        return false;
    uint8_t *out = arena_alloc(arena, sealed.size + 1);
    *plain = (struct bytes){ out, sealed.size - crypto_secretbox_MACBYTES };
    bool opened = crypto_secretbox_open_easy(out, sealed.at, sealed.size, once, key) == 0;
    if (!opened && plain->size >= crypto_secretbox_NONCEBYTES) {
        plain->size -= crypto_secretbox_NONCEBYTES;
        opened =
            crypto_secretbox_open_easy(out, sealed.at + crypto_secretbox_NONCEBYTES, sealed.size - crypto_secretbox_NONCEBYTES, sealed.at, key) == 0;
    }
    sodium_memzero(key, sizeof key);
    return opened;
}

int64_t vault_hash(const struct vault *vault, int kind, const void *bytes, size_t size)
{
    uint8_t key[crypto_shorthash_KEYBYTES];
    int64_t hash;
    memcpy(key, vault->hashing, sizeof key);
    key[0] ^= (uint8_t)kind;
    static_assert(crypto_shorthash_BYTES == sizeof hash, "SipHash-2-4 gives 64 bits");
    crypto_shorthash((uint8_t *)&hash, bytes, size, key);
    return hash;
}

/* ---- where the master key is kept ---- */

/* Else a power cut might take the file's name, and with it what was sealed meanwhile. */
static bool folder_sync(const char *path)
{
    char *copy = strdup(path);
    int folder = copy == NULL ? -1 : open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0)
        close(folder);
    free(copy);
    return synced;
}

static bool new_file(const char *path, const uint8_t master[crypto_secretbox_KEYBYTES])
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return false;
    bool whole = write(file, master, crypto_secretbox_KEYBYTES) == crypto_secretbox_KEYBYTES && fsync(file) == 0;
    return close(file) == 0 && whole && folder_sync(path);
}

static bool file_key(const char *path, bool create, uint8_t master[crypto_secretbox_KEYBYTES])
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        uint8_t more; /* a longer file is not a key of ours: half of it would open nothing that was sealed */
        bool whole = read(file, master, crypto_secretbox_KEYBYTES) == crypto_secretbox_KEYBYTES && read(file, &more, 1) == 0;
        close(file);
        return whole;
    }
    if (!create)
        return false;
    randombytes_buf(master, crypto_secretbox_KEYBYTES);
    return new_file(path, master);
}

bool vault_save(const struct vault *vault, const char *path)
{
    return new_file(path, vault->master);
}

const char *vault_mark(const struct vault *vault, struct arena *arena)
{
    enum { MARK_BYTES = 8 };
    uint8_t hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof hash, (const uint8_t *)"millrace mark", 13, vault->master, sizeof vault->master);
    char *text = arena_alloc(arena, 2 * MARK_BYTES + 1);
    return sodium_bin2hex(text, 2 * MARK_BYTES + 1, hash, MARK_BYTES);
}

/* On PostgreSQL without a file the key stands in the database that it protects: better than none, and said aloud by init. */
static bool table_key(struct db *db, struct arena *arena, bool create, uint8_t master[crypto_secretbox_KEYBYTES])
{
    struct secret_load_result row;
    bool found = false;
    if (db == NULL || secret_load(db, arena, 0, &row, &found) != DB_OK || (!found && !create))
        return false;
    if (found && row.secret.size == crypto_secretbox_KEYBYTES) {
        memcpy(master, row.secret.at, crypto_secretbox_KEYBYTES);
        return true;
    }
    randombytes_buf(master, crypto_secretbox_KEYBYTES);
    struct millrace_secret_row fresh = { .secret = { master, crypto_secretbox_KEYBYTES } };
    const void *rows = &fresh;
    if (!found && db_begin(db) == DB_OK && db_insert(db, &millrace_secret_table, &rows, 1) == DB_OK && db_commit(db) == DB_OK)
        return true;
    db_rollback(db);
    return false;
}

struct vault *vault_open(const char *url, struct db *db, bool create, struct arena *arena, const char **error)
{
    uint8_t master[crypto_secretbox_KEYBYTES] = { 0 };
    const char *path = getenv("MILLRACE_MASTER_KEY_FILE");
    if (sodium_init() < 0) {
        *error = "libsodium does not start";
        return NULL;
    }
    bool sqlite = strncmp(url, SQLITE_SCHEME, sizeof SQLITE_SCHEME - 1) == 0;
    if (path == NULL && sqlite && strcmp(url, "sqlite::memory:") != 0)
        path = arena_printf(arena, "%s.key", url + sizeof SQLITE_SCHEME - 1);
    bool found = path != NULL ? file_key(path, create, master) : sqlite || table_key(db, arena, create, master);
    *error = path != NULL ? arena_printf(arena, "no master key of 32 bytes in %s: set MILLRACE_MASTER_KEY_FILE to the one that init made", path)
                          : "no master key in the table millrace_secret: set MILLRACE_MASTER_KEY_FILE";
    struct vault *vault = found ? vault_new(master) : NULL;
    sodium_memzero(master, sizeof master);
    return vault;
}
