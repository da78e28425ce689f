/* src/cli/progress.c: a line on a terminal that says how far it is; nothing where nobody looks. */
#include "base/when.h"
#include "cli/cli.h"
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define BETWEEN_US 200000

void progress_begin(struct progress *progress, const char *what)
{
    *progress = (struct progress){ .what = what, .seen = isatty(STDERR_FILENO) == 1 };
}

void progress_tell(struct progress *progress, int64_t done, int64_t of)
{
    int64_t now_us = progress->seen ? when_monotonic_us() : 0;
    if (!progress->seen || now_us < progress->next_us)
        return;
    progress->next_us = now_us + BETWEEN_US;
    progress->told = true;
    fprintf(stderr, "\r%s: %" PRId64 " MB", progress->what, done / 1000000);
    if (of > 0)
        fprintf(stderr, " of %" PRId64 " (%d %%)", of / 1000000, (int)((double)done / (double)of * 100));
    fputs("\033[K", stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->told)
        fputs("\r\033[K", stderr);
    progress->told = false;
}
