/* src/simulation/simulation.h: the promotion day of a consumer electronics brand, told twice.
 * A script of the day is made of the seed once. `apart` runs it over disconnected apps, each selling from its own copy of
 * stock; `millrace` runs it as commands through the real routes and engine. What is printed was measured: nothing here
 * reads a wall clock, so the same seed gives the same bytes. Units are units of stock: a bundle counts its components. */
#ifndef MILLRACE_SIMULATION_SIMULATION_H
#define MILLRACE_SIMULATION_SIMULATION_H

#include "base/text.h"
#include <stdio.h>

#define PROMOTION_ORDERS_MAX INT64_C(2000000)

struct promotion {
    int64_t orders; /* 1 .. PROMOTION_ORDERS_MAX */
    uint64_t seed;
    const char *url; /* of an empty database; it keeps what the day left in it */
    FILE *out;       /* a table for people; JSON as the last line */
};

/* What one run measured. */
struct outcome {
    int64_t oversold_units;   /* sold beyond stock, and sold units that a count found missing */
    int64_t cancelled_orders; /* because there was not enough */
    int64_t lost_sales_units; /* refused, or not tried since the channel showed too little */
    int64_t waiting_us;       /* units x microseconds that sold units were short */
    int64_t cycle_us;         /* from placed to shipped in full, over `shipped` orders */
    int64_t missing_units;    /* the part of oversold_units that a count found missing */
    int64_t shipped;
    int64_t unfinished; /* taken, and at the end neither shipped in full nor cancelled */
};

enum promotion_result {
    PROMOTION_DONE,
    PROMOTION_VIOLATED, /* the day was run and printed, and the checker found what must not be */
    PROMOTION_FAILED,   /* the store failed, or a command was answered as none may be */
};
/* The whole day, both ways, printed; then the checker over the database. *error, in the arena, says what went wrong. */
enum promotion_result promotion_run(const struct promotion *promotion, struct arena *arena, const char **error);

#endif
