/* src/orders/told.h: who waits is told when his date changes (event order.promise_changed). The dates themselves are stored nowhere (dates.h): what
 * is kept is what was told last, at each place of a queue and at its line. Whatever may change dates marks the SKU (promises_change); a reader goes
 * down its queue, beside the writer, and commands tell what differs, TELL_AT_ONCE places each. Design: docs/design/supply.md. */
#ifndef MILLRACE_ORDERS_TOLD_H
#define MILLRACE_ORDERS_TOLD_H

#include "engine/engine.h"
#include "orders/orders.h"

#define TELL_AT_ONCE 200  /* places that one command tells */
#define TELL_A_LOOK 20000 /* that one look gathers; the next goes on */
#define TELL_SKUS_A_LOOK 16

/* A place of a queue and its date as it follows now. */
struct retold {
    int64_t priority, promise, ord, line, part, at;
};
struct tell_input {
    int64_t sku, supply; /* the supply behind it, 0: none */
    int64_t changes;     /* of waiting_sku, as the reader saw it */
    bool last;           /* nothing else differed then */
    const struct retold *places;
    size_t count;
};
/* Nothing is done, and that is no fault, where the SKU is not due any more: somebody else has told it. */
extern const struct command_type promise_tell;

/* What is to be told in a unit, as commands to be given one after the other; *count 0: nothing is due. They live in the arena. */
enum db_result promises_look(struct db *db, struct arena *arena, int64_t unit, const struct tell_input **out, size_t *count);
/* For an engine without threads: one look, and what follows from it. *open: whether anything was due. */
enum db_result promises_advance(struct engine *engine, struct arena *arena, int64_t unit, bool *open);

/* A part of the line has stopped waiting: its date is that of the others, which is told; nothing where none waits. */
void order_line_retold(struct order *order, int64_t number);

/* A line's date of those of its parts: NULL_INT where one of them has none, or all that it waits for stands there. Pure. */
int64_t line_date_of(const int64_t *parts, size_t count);

#endif
