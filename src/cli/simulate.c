/* src/cli/simulate.c: millrace simulate promotion: what one day would have been, with and without one set of books. */
#include "simulation/simulation.h"
#include "cli/cli.h"
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static bool read_number(const char *text, uint64_t *number)
{
    char *end = NULL;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0';
}

int run_simulate(const struct flags *flags)
{
    if (flags->count == 0 || strcmp(flags->words[0], "promotion") != 0)
        return fail_with("which day? There is: simulate promotion");
    struct flags rest = { .count = flags->count - 1, .words = flags->words + 1 };
    uint64_t orders, seed;
    if (!flags_known(&rest, (const char *const[]) { "orders", "seed", "db", NULL }))
        return 2;
    /* MILLRACE_DB is not asked: it names a company's books, and a simulation wants a database of its own. */
    const char *url = flag_again(&rest, "db", 0);
    if (!read_number(flag(&rest, "orders", "10000"), &orders) || orders == 0 || orders > PROMOTION_ORDERS_MAX)
        return fail_with("--orders is a number from 1 to %ld", (long)PROMOTION_ORDERS_MAX);
    if (!read_number(flag(&rest, "seed", "1"), &seed))
        return fail_with("--seed is a number");
    struct promotion promotion = { .orders = (int64_t)orders, .seed = seed, .url = url == NULL ? "sqlite::memory:" : url, .out = stdout };
    /* Thousands of batches take and give back the same memory: the process keeps it rather than fault it in anew. */
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 30);
    (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
    struct arena *arena = arena_new((size_t)16 << 30); /* a limit, not a reservation */
    const char *error = "no memory";
    enum promotion_result result = arena == NULL ? PROMOTION_FAILED : promotion_run(&promotion, arena, &error);
    int code = result == PROMOTION_DONE ? 0 : fail_with("%s", error);
    arena_free(arena);
    return result == PROMOTION_VIOLATED ? 1 : code;
}
