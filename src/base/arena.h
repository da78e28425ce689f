/* src/base/arena.h: memory that lives as long as one request or one batch, and is given back at once.
 * Nothing is freed singly, so nobody looks for an owner. An arena has a limit; past it, or when the machine has no
 * memory left, an allocation does not return: it jumps to the arena's door, which the request's or batch's owner has
 * set and which answers 413 or 503 for the whole. That is safe because everything between the door and the
 * allocation is arena memory; whoever holds a foreign handle closes it at the door. */
#ifndef MILLRACE_BASE_ARENA_H
#define MILLRACE_BASE_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* Where an arena jumps when it is full. Set it with `if (setjmp(door.where) == 0) {...} else {full}`. A door ends with the
 * function that set it: put the one before back on every way out. */
struct arena_door {
    jmp_buf where;
    volatile bool machine; /* after a jump: the machine has no memory left, the arena's own limit was not reached */
};

/* A new, empty arena that will hold at most `limit_bytes` (its own bookkeeping included). NULL when the machine has
 * no memory left. The caller owns it: arena_free. */
struct arena *arena_new(size_t limit_bytes);
void arena_free(struct arena *arena); /* NULL is allowed */

/* Forgets everything in it; keeps its largest block so that the next batch starts warm. Marks taken before are void. */
void arena_reset(struct arena *arena);

/* Sets the door and returns the one before (NULL: none); without a door a full arena aborts the process. */
struct arena_door *arena_set_door(struct arena *arena, struct arena_door *door);

/* From behind one door through the one outside it, after what stood between was let go of. */
_Noreturn void arena_leave_again(const struct arena_door *inner, struct arena_door *outer);

/* `bytes` zeroed bytes, aligned for any type; never NULL (see the door). */
void *arena_alloc(struct arena *arena, size_t bytes);
void *arena_alloc_array(struct arena *arena, size_t count, size_t bytes_each); /* count * bytes_each is checked */

/* Makes the arena's last allocation longer in place: `last` of `bytes` becomes `more_bytes`, the new ones zeroed. False,
 * with nothing changed, where it is not the last one or its block has no room: then allocate anew and copy. */
bool arena_extend(struct arena *arena, void *last, size_t bytes, size_t more_bytes);

/* For an array that grows by one: `items` itself while `count` is below *room; else, zeroed behind them, twice the room
 * (`first` at the first time), in place or as a copy. */
void *arena_room(struct arena *arena, void *items, size_t count, size_t *room, size_t first, size_t bytes_each);

/* A copy that ends in NUL. `text` NULL gives NULL. */
char *arena_text(struct arena *arena, const char *text);
char *arena_text_n(struct arena *arena, const char *text, size_t bytes);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Bytes handed out since the last reset, and not rewound; rounded up to what each allocation takes. */
size_t arena_used(const struct arena *arena);

/* Everything allocated after the mark is forgotten by the rewind; marks nest, the outer one last. */
struct arena_mark {
    void *block;
    size_t used;
};
struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc_array((arena), (count), sizeof(type)))

#endif
