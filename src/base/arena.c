/* src/base/arena.c: a chain of blocks with one end that moves.
 * An allocation advances the end of the current block, or goes on to the next one; a rewind puts the end back and
 * leaves the blocks behind it in the chain, so that a command that is undone and run again costs no malloc. A block
 * knows how much was handed out before it, so that no counter has to be kept for arena_used(). Invariants: `held` is
 * the sum of all blocks and never above `limit`; blocks after `current` hold nothing. Under ASan everything that is
 * not handed out is poisoned, and a red zone stands between two allocations. */
#include "base/arena.h"
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define RED_ZONE 16u
#define POISON(at, bytes) ASAN_POISON_MEMORY_REGION((at), (bytes))
#define UNPOISON(at, bytes) ASAN_UNPOISON_MEMORY_REGION((at), (bytes))
#else
#define RED_ZONE 0u
#define POISON(at, bytes) ((void)(at), (void)(bytes))
#define UNPOISON(at, bytes) ((void)(at), (void)(bytes))
#endif

#define ALIGNMENT _Alignof(max_align_t)
/* tests/faulty builds a millrace whose every allocation asks the machine, to see that each of them may fail. */
#ifdef MILLRACE_ARENA_BARE
#define FIRST_BLOCK_BYTES 0u
#define GROWTH 0u
#define STAYS_WARM false
#else
#define FIRST_BLOCK_BYTES 4096u
#define GROWTH 2u
#define STAYS_WARM true
#endif

struct block {
    struct block *next;
    size_t room;   /* bytes of `at` */
    size_t used;   /* of them handed out */
    size_t before; /* handed out by the blocks before this one, when it became the current one */
    _Alignas(max_align_t) unsigned char at[];
};

struct arena {
    size_t limit, held;
    struct block *first, *current; /* both NULL until something is allocated */
    struct arena_door *door;
};

struct arena *arena_new(size_t limit_bytes)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena != NULL) {
        arena->limit = limit_bytes;
        arena->held = sizeof *arena;
    }
    return arena;
}

static void free_chain(struct block *block)
{
    while (block != NULL) {
        struct block *next = block->next;
        UNPOISON(block->at, block->room);
        free(block);
        block = next;
    }
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    free_chain(arena->first);
    free(arena);
}

void arena_reset(struct arena *arena)
{
    /* The largest stays: after some batches it holds a whole one, and the chain is one block long. */
    struct block *largest = STAYS_WARM ? arena->first : NULL;
    for (struct block *block = arena->first; block != NULL && largest != NULL; block = block->next)
        if (block->room > largest->room)
            largest = block;
    for (struct block **link = &arena->first; *link != NULL;)
        if (*link == largest)
            *link = largest->next;
        else
            link = &(*link)->next;
    free_chain(arena->first);
    arena->first = arena->current = largest;
    arena->held = sizeof *arena;
    if (largest == NULL)
        return;
    arena->held += sizeof *largest + largest->room;
    largest->next = NULL;
    largest->used = largest->before = 0;
    POISON(largest->at, largest->room);
}

struct arena_door *arena_set_door(struct arena *arena, struct arena_door *door)
{
    struct arena_door *before = arena->door;
    arena->door = door;
    return before;
}

void arena_leave_again(const struct arena_door *inner, struct arena_door *outer)
{
    outer->machine = inner->machine;
    longjmp(outer->where, 1);
}

static _Noreturn void leave_by_door(const struct arena *arena, size_t bytes, bool machine)
{
    if (arena->door != NULL) {
        arena->door->machine = machine;
        longjmp(arena->door->where, 1);
    }
    fprintf(stderr, "arena: %zu bytes asked, %zu of %zu held, and no door is set\n", bytes, arena->held, arena->limit);
    abort();
}

/* What an allocation takes from its block. Also for 0 bytes it is something: two allocations never share an address. */
static size_t footprint(const struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        leave_by_door(arena, bytes, false);
    size_t rounded = (bytes + RED_ZONE + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    return rounded == 0 ? ALIGNMENT : rounded;
}

/* Puts a block with room for `need` behind the current one. */
static struct block *add_block(struct arena *arena, size_t need)
{
    size_t left = arena->limit > arena->held ? arena->limit - arena->held : 0;
    if (left < sizeof(struct block) || left - sizeof(struct block) < need)
        leave_by_door(arena, need, false);
    /* Doubling keeps the number of blocks small; near the limit what is left is taken whole. */
    size_t room = arena->current == NULL ? FIRST_BLOCK_BYTES : arena->current->room * GROWTH;
    if (room < need)
        room = need;
    if (room > left - sizeof(struct block))
        room = left - sizeof(struct block);
    room &= ~(ALIGNMENT - 1);
    if (room < need)
        leave_by_door(arena, need, false);
    struct block *block = malloc(sizeof *block + room);
    if (block == NULL)
        leave_by_door(arena, need, true);
    *block = (struct block){ .room = room };
    arena->held += sizeof *block + room;
    struct block **link = arena->current == NULL ? &arena->first : &arena->current->next;
    block->next = *link;
    *link = block;
    POISON(block->at, block->room);
    return block;
}

static struct block *next_block(struct arena *arena, size_t need)
{
    const struct block *last = arena->current;
    struct block *block = last == NULL ? arena->first : last->next;
    if (block == NULL || block->room < need)
        block = add_block(arena, need);
    block->used = 0;
    block->before = last == NULL ? 0 : last->before + last->used;
    arena->current = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    size_t need = footprint(arena, bytes);
    struct block *block = arena->current;
    if (block == NULL || block->room - block->used < need)
        block = next_block(arena, need);
    void *at = block->at + block->used;
    block->used += need;
    UNPOISON(at, bytes);
    return memset(at, 0, bytes);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t bytes_each)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, bytes_each, &bytes))
        leave_by_door(arena, SIZE_MAX, false);
    return arena_alloc(arena, bytes);
}

bool arena_extend(struct arena *arena, void *last, size_t bytes, size_t more_bytes)
{
    struct block *block = arena->current;
    size_t had = footprint(arena, bytes), need = footprint(arena, more_bytes);
    assert(block != NULL && more_bytes >= bytes);
    if (block->used < had || (unsigned char *)last != block->at + (block->used - had) || need - had > block->room - block->used)
        return false;
    block->used += need - had;
    UNPOISON(last, more_bytes);
    memset((char *)last + bytes, 0, more_bytes - bytes);
    return true;
}

char *arena_text_n(struct arena *arena, const char *text, size_t bytes)
{
    if (text == NULL)
        return NULL;
    char *copy = arena_alloc(arena, bytes + 1);
    memcpy(copy, text, bytes);
    return copy;
}

void *arena_room(struct arena *arena, void *items, size_t count, size_t *room, size_t first, size_t bytes_each)
{
    if (count < *room)
        return items;
    size_t more = *room == 0 ? first : *room * 2;
    if (*room == 0 || !arena_extend(arena, items, *room * bytes_each, more * bytes_each)) {
        void *grown = arena_alloc_array(arena, more, bytes_each);
        if (count > 0)
            memcpy(grown, items, count * bytes_each);
        items = grown;
    }
    *room = more;
    return items;
}

char *arena_text(struct arena *arena, const char *text)
{
    return text == NULL ? NULL : arena_text_n(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    assert(format != NULL); /* said for gcc 12, which sees a null format once UBSan has added its own test */
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    assert(length >= 0); /* formats are ours, without %ls: they do not fail */
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

size_t arena_used(const struct arena *arena)
{
    return arena->current == NULL ? 0 : arena->current->before + arena->current->used;
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){ arena->current, arena->current == NULL ? 0 : arena->current->used };
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    for (struct block *block = mark.block == NULL ? arena->first : mark.block; block != NULL; block = block->next) {
        size_t kept = block == mark.block ? mark.used : 0;
        POISON(block->at + kept, block->room - kept);
        block->used = kept;
        if (block == arena->current)
            break;
    }
    arena->current = mark.block;
}
