/* src/http/keys.c: the rows of api_key in memory, sorted by hash. A set of keys never changes: a reader's thread makes a
 * new one and leaves it in `fresh`, the HTTP thread takes it from there before it looks, so neither waits for the other.
 * A key that was made is known with its first request, one that was taken away is gone after STALE_US. */
#include "http/auth.h"
#include "base/when.h"
#include "http_sql.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define STALE_US 10000000
#define RELOAD_US 50000 /* not more often: strangers can make misses as fast as they like */

struct key {
    uint8_t hash[KEY_HASH_BYTES];
    struct actor actor;
};

struct key_set {
    struct arena *arena; /* holds the set, too */
    struct key *keys;
    size_t count;
};

struct key_table {
    struct key_set *current; /* the HTTP thread's */
    _Atomic(struct key_set *) fresh;
    _Atomic int64_t read_us; /* when the store last answered */
    pthread_mutex_t reloading;
};

static int key_compare(const void *a, const void *b)
{
    return memcmp(a, b, KEY_HASH_BYTES); /* the hash stands first */
}

static void set_free(struct key_set *set)
{
    if (set != NULL)
        arena_free(set->arena);
}

/* NULL: the store does not answer, or memory is short; the old set stays in use. */
static struct key_set *set_load(struct db *db)
{
    struct arena *arena = arena_new(64u << 20);
    struct arena_door door;
    struct keys_load_result *rows = NULL;
    size_t count = 0;
    if (arena == NULL)
        return NULL;
    arena_set_door(arena, &door);
    if (setjmp(door.where) != 0 || keys_load(db, arena, &rows, &count) != DB_OK) {
        arena_free(arena);
        return NULL;
    }
    struct key_set *set = ARENA_NEW(arena, struct key_set);
    *set = (struct key_set){ .arena = arena, .keys = ARENA_ARRAY(arena, struct key, count + 1) };
    for (size_t i = 0; i < count; i++) {
        if (rows[i].hash.size != KEY_HASH_BYTES)
            continue;
        struct key *key = &set->keys[set->count++];
        memcpy(key->hash, rows[i].hash.at, KEY_HASH_BYTES);
        key->actor = (struct actor){
            .key = rows[i].id, .name = rows[i].name, .scopes = (unsigned)rows[i].scopes, .rate = rows[i].rate, .burst = rows[i].burst
        };
    }
    qsort(set->keys, set->count, sizeof set->keys[0], key_compare);
    return set;
}

static bool table_reload(void *context, struct db *db)
{
    struct key_table *table = context;
    bool known = true;
    pthread_mutex_lock(&table->reloading);
    if (when_monotonic_us() - atomic_load(&table->read_us) >= RELOAD_US) {
        struct key_set *set = db == NULL ? NULL : set_load(db);
        known = set != NULL;
        if (known) {
            set_free(atomic_exchange(&table->fresh, set));
            atomic_store(&table->read_us, when_monotonic_us());
        }
    }
    pthread_mutex_unlock(&table->reloading);
    return known;
}

static bool table_find(void *context, const uint8_t hash[KEY_HASH_BYTES], struct actor *out)
{
    struct key_table *table = context;
    struct key_set *fresh = atomic_exchange(&table->fresh, NULL);
    if (fresh != NULL) {
        set_free(table->current);
        table->current = fresh;
    }
    if (table->current == NULL || when_monotonic_us() - atomic_load(&table->read_us) > STALE_US)
        return false; /* a miss: the caller reloads and asks again */
    const struct key *key = bsearch(hash, table->current->keys, table->current->count, sizeof *key, key_compare);
    if (key != NULL)
        *out = key->actor;
    return key != NULL;
}

struct key_table *key_table_new(void)
{
    struct key_table *table = calloc(1, sizeof *table);
    if (table != NULL) {
        atomic_store(&table->read_us, -STALE_US);
        pthread_mutex_init(&table->reloading, NULL);
    }
    return table;
}

void key_table_free(struct key_table *table)
{
    if (table == NULL)
        return;
    set_free(table->current);
    set_free(atomic_load(&table->fresh));
    pthread_mutex_destroy(&table->reloading);
    free(table);
}

struct auth_source key_table_source(struct key_table *table)
{
    return (struct auth_source){ .context = table, .find = table_find, .reload = table_reload };
}
