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
    int64_t beyond_own_units;    /* sold beyond stock by channels that can be asked for each order, and may not let it wait */
    int64_t beyond_market_units; /* by the marketplace, which sells what its page shows and is always right */
    int64_t missing_units;       /* sold, then found missing by a count */
    int64_t cancelled_orders;    /* because there was not enough */
    int64_t refused_units;       /* or not tried, since the channel showed too little */
    int64_t cancelled_units;     /* taken, then cancelled because there was not enough */
    int64_t given_up_units;      /* taken, then given up by customers or not paid */
    int64_t shipped_units;       /* wanted = refused + cancelled + given up + shipped, where nothing is unfinished */
    int64_t waiting_us;          /* units x microseconds that sold units were short */
    int64_t cycle_us;            /* from placed to shipped in full, over `shipped` orders */
    int64_t shipped;
    int64_t unfinished; /* taken, and at the end neither shipped in full nor cancelled */
};
/* Sold beyond stock, whoever's mistake it was; and what customers wanted, would have paid, and did not get. */
int64_t oversold_units(const struct outcome *outcome);
int64_t lost_units(const struct outcome *outcome);

enum promotion_result {
    PROMOTION_DONE,
    PROMOTION_VIOLATED, /* the day was run and printed, and the checker found what must not be */
    PROMOTION_FAILED,   /* the store failed, or a command was answered as none may be */
};
/* The whole day, both ways, printed; then the checker over the database. *error, in the arena, says what went wrong. */
enum promotion_result promotion_run(const struct promotion *promotion, struct arena *arena, const char **error);

#endif
