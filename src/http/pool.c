/* src/http/pool.c: most requests are small and come again and again; their arenas keep one warm block each. An arena
 * that grew past KEPT_BYTES, or was made for a large body, is freed: memory follows the load down again. */
#include "http/pool.h"

#define ORDINARY_BODY_BYTES 65536u
#define REQUEST_BYTES (16u << 20)
#define KEPT_BYTES (256u << 10)

void pool_init(struct arena_pool *pool)
{
    pthread_mutex_init(&pool->lock, NULL);
    pool->count = 0;
}

void pool_end(struct arena_pool *pool)
{
    while (pool->count > 0)
        arena_free(pool->kept[--pool->count]);
    pthread_mutex_destroy(&pool->lock);
}

struct arena *pool_take(struct arena_pool *pool, size_t body_bytes)
{
    struct arena *arena = NULL;
    if (body_bytes > ORDINARY_BODY_BYTES)
        return arena_new(REQUEST_BYTES + 4 * body_bytes);
    pthread_mutex_lock(&pool->lock);
    if (pool->count > 0)
        arena = pool->kept[--pool->count];
    pthread_mutex_unlock(&pool->lock);
    return arena != NULL ? arena : arena_new(REQUEST_BYTES + 4 * ORDINARY_BODY_BYTES);
}

void pool_give_back(struct arena_pool *pool, struct arena *arena, size_t body_bytes)
{
    if (arena == NULL)
        return;
    if (body_bytes <= ORDINARY_BODY_BYTES && arena_used(arena) <= KEPT_BYTES) {
        arena_set_door(arena, NULL);
        arena_reset(arena);
        pthread_mutex_lock(&pool->lock);
        if (pool->count < POOL_KEPT) {
            pool->kept[pool->count++] = arena;
            arena = NULL;
        }
        pthread_mutex_unlock(&pool->lock);
    }
    arena_free(arena);
}
