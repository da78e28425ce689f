/* src/simulation/play.h: the script of the day, played into a running server over HTTP at a pace that eyes can follow.
 * Each step is told in a line. Ids begin with `day`, so a day may be played into a company that has had others. */
#ifndef MILLRACE_SIMULATION_PLAY_H
#define MILLRACE_SIMULATION_PLAY_H

#include "base/text.h"
#include <stdio.h>

struct play {
    int64_t orders; /* 1 .. PROMOTION_ORDERS_MAX */
    uint64_t seed;
    const char *url, *key; /* the key's scope: admin, or inventory and orders */
    const char *day;       /* plain ASCII; the same again changes nothing that stands */
    int64_t pace;          /* minutes of the day a second; 0: without pauses. No pause is longer than a second */
    FILE *out;
};

enum play_result { PLAY_DONE, PLAY_STOPPED /* SIGINT or SIGTERM */, PLAY_FAILED };
/* Blocks both signals in this thread while it runs; what was asked is answered first. *error, in the arena, says what
 * failed: the server, or an answer that the day does not know. */
enum play_result play_run(const struct play *play, struct arena *arena, const char **error);

#endif
