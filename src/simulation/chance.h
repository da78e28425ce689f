/* src/simulation/chance.h: seeded draws. A stream of its own for whoever must not change what others draw. */
#ifndef MILLRACE_SIMULATION_CHANCE_H
#define MILLRACE_SIMULATION_CHANCE_H

#include "base/text.h"

struct chance {
    uint64_t state;
};

static inline uint64_t draw(struct chance *chance)
{
    chance->state += 0x9e3779b97f4a7c15u;
    return hash_u64(chance->state);
}

static inline int64_t draw_below(struct chance *chance, int64_t below) /* the bias of % is far below what is measured */
{
    return (int64_t)(draw(chance) % (uint64_t)below);
}

static inline int64_t draw_from(struct chance *chance, int64_t low, int64_t high)
{
    return low + draw_below(chance, high - low + 1);
}

static inline bool percent(struct chance *chance, int64_t of_100)
{
    return draw_below(chance, 100) < of_100;
}

#endif
