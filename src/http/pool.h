/* src/http/pool.h: arenas of requests, used again while they are small. Any thread takes, any thread gives back. */
#ifndef MILLRACE_HTTP_POOL_H
#define MILLRACE_HTTP_POOL_H

#include "base/arena.h"
#include <pthread.h>

#define POOL_KEPT 512

struct arena_pool {
    pthread_mutex_t lock;
    struct arena *kept[POOL_KEPT];
    size_t count;
};

void pool_init(struct arena_pool *pool);
void pool_end(struct arena_pool *pool);

/* An arena for a request with a body of that size: 16 MiB and four times the body. NULL: no memory. */
struct arena *pool_take(struct arena_pool *pool, size_t body_bytes);
void pool_give_back(struct arena_pool *pool, struct arena *arena, size_t body_bytes);

#endif
