/* src/simulation/days.c: one day after the other, each in a database of its own; the first in which something is wrong ends it. */
#include "simulation/days.h"
#include "simulation/script.h"
#include <time.h>

enum { PROGRESS_SECONDS = 10 };

static const char *const tally_says[TALLY_COUNT] = {
#define DAY_TALLY_SAYS(name, says) says,
    DAY_TALLIES(DAY_TALLY_SAYS)
#undef DAY_TALLY_SAYS
};
static const char *const trouble_says[TROUBLE_COUNT] = {
#define DAY_TROUBLE_SAYS(name, says) says,
    DAY_TROUBLES(DAY_TROUBLE_SAYS)
#undef DAY_TROUBLE_SAYS
};

static int64_t clock_us(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return at.tv_sec * SECOND_US + at.tv_nsec / 1000;
}

void days_print(FILE *out, const struct day_tallies *tallies, uint64_t days, int64_t cpu_us)
{
    fprintf(out, "\nWhat happened in %lu days:\n", (unsigned long)days);
    for (int i = 0; i < TALLY_COUNT; i++)
        fprintf(out, "%12ld  %s\n", (long)tallies->of[i], tally_says[i]);
    fputs("\nWhat went wrong, and was no excuse:\n", out);
    for (int i = 0; i < TROUBLE_COUNT; i++)
        fprintf(out, "%12ld  %s\n", (long)tallies->troubles[i], trouble_says[i]);
    fputs("\nEvents:\n", out);
    for (enum event_type type = EVENT_NONE + 1; type < EVENT_TYPE_COUNT; type++)
        if (tallies->events[type] > 0)
            fprintf(out, "%12ld  %s\n", (long)tallies->events[type], event_name(type));
    fprintf(out, "\n%ld commands answered. %.3f s of CPU a day; days are played %.0f times faster than they last.\n", (long)tallies->commands,
            days == 0 ? 0.0 : (double)cpu_us / (double)days / (double)SECOND_US, cpu_us == 0 ? 0.0 : (double)tallies->played_us / (double)cpu_us);
}

static bool play_one(const struct days *days, const char *url, uint64_t seed, struct arena *arena, struct day_tallies *tallies)
{
    const char *error = "";
    const struct day_options options = { .url = url, .orders = days->orders, .faults = days->faults, .seed = seed };
    if (day_play(&options, arena, tallies, &error))
        return true;
    fprintf(days->out, "seed %lu: %s\nplay it again: millrace simulate days --from %lu --count 1 --orders %ld --faults %ld\n", (unsigned long)seed,
            error, (unsigned long)seed, (long)days->orders, (long)days->faults);
    return false;
}

static enum days_result play_all(const struct days *days, struct arena *arena)
{
    struct day_tallies tallies = { 0 };
    const int64_t began_us = clock_us(CLOCK_PROCESS_CPUTIME_ID);
    int64_t told_us = clock_us(CLOCK_MONOTONIC);
    uint64_t played = 0;
    bool good = true;
    while (good && played < days->count && (days->stop == NULL || !*days->stop)) {
        good = play_one(days, days->url != NULL ? days->url : "sqlite::memory:/day", days->from + played, arena, &tallies);
        arena_reset(arena);
        played += good;
        if (!good || clock_us(CLOCK_MONOTONIC) - told_us < PROGRESS_SECONDS * SECOND_US)
            continue;
        told_us = clock_us(CLOCK_MONOTONIC);
        fprintf(days->out, "%lu of %lu days, all sound; next is --from %lu\n", (unsigned long)played, (unsigned long)days->count,
                (unsigned long)(days->from + played));
        fflush(days->out);
    }
    if (days->tallies != NULL)
        *days->tallies = tallies;
    if (good)
        days_print(days->out, &tallies, played, clock_us(CLOCK_PROCESS_CPUTIME_ID) - began_us);
    if (good && played < days->count)
        fprintf(days->out, "stopped; go on with --from %lu --count %lu\n", (unsigned long)(days->from + played),
                (unsigned long)(days->count - played));
    else if (good)
        fprintf(days->out, "all sound: seeds %lu to %lu. Digest %016lx\n", (unsigned long)days->from, (unsigned long)(days->from + days->count - 1),
                (unsigned long)tallies.digest);
    return !good ? DAYS_FOUND : played < days->count ? DAYS_STOPPED : DAYS_DONE;
}

enum days_result days_run(const struct days *days, const char **error)
{
    struct arena *arena = arena_new((size_t)4 << 30); /* a limit, not a reservation */
    *error = "no memory";
    if (arena == NULL)
        return DAYS_FAILED;
    const enum days_result result = play_all(days, arena);
    arena_free(arena);
    return result;
}
