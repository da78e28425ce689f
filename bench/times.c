/* bench/times.c: times that were measured, and their percentiles. */
#include "bench.h"
#include <stdlib.h>

void times_add(struct times *times, int64_t us)
{
    if (times->count == times->room) {
        times->room = times->room == 0 ? 65536 : times->room * 2;
        times->us = realloc(times->us, times->room * sizeof *times->us);
        if (times->us == NULL)
            die("no memory");
    }
    times->us[times->count++] = (uint32_t)us;
}

static int by_time(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

double times_ms(struct times *times, size_t percent)
{
    if (times->count == 0)
        return 0;
    qsort(times->us, times->count, sizeof *times->us, by_time);
    return (double)times->us[times->count * percent / 100] / 1e3;
}

void times_free(struct times *times)
{
    free(times->us);
    *times = (struct times){ 0 };
}
