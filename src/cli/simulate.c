/* src/cli/simulate.c: millrace simulate promotion: what one day would have been, with and without one set
 * of books; or the same day, played into a running server. millrace simulate days: day after day with all that can happen. */
#include "simulation/simulation.h"
#include "base/when.h"
#include "cli/cli.h"
#include "simulation/days.h"
#include "simulation/play.h"
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_number(const char *text, uint64_t *number)
{
    char *end = NULL;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0';
}

static int usage(void)
{
    fputs("usage: millrace simulate promotion [--orders N] [--seed S] [--db URL]\n"
          "       millrace simulate promotion --against http://HOST:PORT --key KEY [--orders N] [--seed S] [--pace N]\n"
          "       millrace simulate days [--from S] [--count N] [--orders N] [--faults N] [--db URL]\n\n"
          "The promotion day of a consumer electronics brand: own store, marketplace, B2B portal and social shop sell the same stock of two\n"
          "warehouses and two 3PLs; a bundle shares its parts with other articles and has a run on it at noon; payments fail, customers give\n"
          "up, goods come late, and a count finds less than was booked.\n\n"
          "Alone, the day is run twice, once as apps that copy stock every 15 minutes and once through the engine on a clock of its own, and\n"
          "both are measured. The last line is JSON; the same seed gives the same bytes; then the books are checked.\n"
          "With --against, the same script is played into a running server, and every step is told. Ctrl-C ends it.\n\n"
          "  --orders N      orders that customers want (10000; with --against 400)\n"
          "  --seed S        another number is another day (1)\n"
          "  --db URL        an empty database that keeps what the day left (none: in memory)\n"
          "  --against URL   the server\n"
          "  --key KEY       with scope admin, or inventory and orders; better in the variable MILLRACE_KEY, which ps does not show\n"
          "  --pace N        minutes of the day in a second (10; 0: as fast as the server answers)\n\n"
          "Days are played one after the other, each with all that the trade knows (transfers, late supply, short picks, lost parcels, returns,\n"
          "a node that is out, a recall, edits, counts, previews, undo) while store, process and clock fail. After each, stock must be what people\n"
          "saw come and go, every order must have ended, and the books are checked. The first that is not sound is told with the line that plays\n"
          "it again, exit code 1. Ctrl-C ends it behind a day, and says where to go on.\n\n"
          "  --from S        the first day's seed (1)\n"
          "  --count N       days (100)\n"
          "  --orders N      orders a day (200)\n"
          "  --faults N      one step in N meets a fault (20; 0: none)\n"
          "  --db URL        of one day only: an empty database that keeps it\n\n"
          "Exit code 0: done; 1: done, and the check found what must not be; 2: not done, and why stands on standard error.\n",
          stdout);
    return 0;
}

/* Twice on one company is twice a day of its own: ids begin with the second in which it began. */
static int play_against(const struct flags *flags, uint64_t orders, uint64_t seed)
{
    uint64_t pace;
    const char *error = "no memory", *key = flag(flags, "key", NULL);
    if (flag_again(flags, "db", 0) != NULL)
        return fail_with("--db and --against exclude each other: a server has its database");
    if (key == NULL)
        return fail_with("--key KEY (or the variable MILLRACE_KEY) is missing: millrace key add prints one");
    if (!read_number(flag(flags, "pace", "10"), &pace) || pace > 1440)
        return fail_with("--pace is a number of minutes from 0 to 1440");
    struct arena *arena = arena_new((size_t)4 << 30); /* a limit, not a reservation */
    char day[32];
    snprintf(day, sizeof day, "%lx-", (unsigned long)(when_now_us() / 1000000));
    struct play play = {
        .orders = (int64_t)orders, .seed = seed, .url = flag_again(flags, "against", 0), .key = key, .day = day, .pace = (int64_t)pace, .out = stdout
    };
    enum play_result result = arena == NULL ? PLAY_FAILED : play_run(&play, arena, &error);
    int code = result == PLAY_FAILED ? fail_with("%s", error) : 0;
    arena_free(arena);
    return code;
}

static int run_twice(const struct flags *flags, uint64_t orders, uint64_t seed)
{
    /* MILLRACE_DB is not asked: it names a company's books, and a simulation wants a database of its own. */
    const char *url = flag_again(flags, "db", 0), *error = "no memory";
    struct promotion promotion = { .orders = (int64_t)orders, .seed = seed, .url = url == NULL ? "sqlite::memory:" : url, .out = stdout };
    /* Thousands of batches take and give back the same memory: the process keeps it rather than fault it in anew. */
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 30);
    (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
    struct arena *arena = arena_new((size_t)16 << 30); /* a limit, not a reservation */
    enum promotion_result result = arena == NULL ? PROMOTION_FAILED : promotion_run(&promotion, arena, &error);
    int code = result == PROMOTION_DONE ? 0 : fail_with("%s", error);
    arena_free(arena);
    return result == PROMOTION_VIOLATED ? 1 : code;
}

static volatile sig_atomic_t stop_days;

static void on_signal(int number)
{
    (void)number;
    stop_days = 1;
}

static int run_days(const struct flags *flags)
{
    uint64_t orders, from, count, faults;
    const char *error = "", *url = flag_again(flags, "db", 0);
    if (!flags_known(flags, (const char *const[]){ "from", "count", "orders", "faults", "db", NULL }))
        return 2;
    if (!read_number(flag(flags, "from", "1"), &from) || !read_number(flag(flags, "count", url == NULL ? "100" : "1"), &count) || count == 0)
        return fail_with("--from and --count are numbers, and --count is not 0");
    if (!read_number(flag(flags, "orders", "200"), &orders) || orders == 0 || orders > DAYS_ORDERS_MAX)
        return fail_with("--orders is a number from 1 to %ld", (long)DAYS_ORDERS_MAX);
    if (!read_number(flag(flags, "faults", "20"), &faults) || faults > INT32_MAX)
        return fail_with("--faults is a number: one step in so many meets a fault, 0 for none");
    if (url != NULL && count > 1)
        return fail_with("--db keeps one day: leave --count away");
    if (url != NULL && strcmp(url, "sqlite::memory:") == 0)
        return fail_with("--db wants a file or PostgreSQL: the day opens it again and again");
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 30); /* as below */
    (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
    const struct days days = {
        .orders = (int64_t)orders, .faults = (int64_t)faults, .from = from, .count = count, .url = url, .out = stdout, .stop = &stop_days
    };
    const enum days_result result = days_run(&days, &error);
    return result == DAYS_FAILED ? fail_with("%s", error) : result == DAYS_FOUND;
}

int run_simulate(const struct flags *flags)
{
    uint64_t orders, seed;
    for (int i = 0; i < flags->count; i++)
        if (strcmp(flags->words[i], "--help") == 0 || strcmp(flags->words[i], "-h") == 0)
            return usage();
    struct flags rest = { .count = flags->count - 1, .words = flags->words + 1, .arena = flags->arena };
    if (flags->count > 0 && strcmp(flags->words[0], "days") == 0)
        return run_days(&rest);
    if (flags->count == 0 || strcmp(flags->words[0], "promotion") != 0)
        return fail_with("which day? There is: simulate promotion, and simulate days");
    if (!flags_known(&rest, (const char *const[]){ "orders", "seed", "db", "against", "key", "pace", NULL }))
        return 2;
    bool against = flag_again(&rest, "against", 0) != NULL;
    if (!read_number(flag(&rest, "orders", against ? "400" : "10000"), &orders) || orders == 0 || orders > PROMOTION_ORDERS_MAX)
        return fail_with("--orders is a number from 1 to %ld", (long)PROMOTION_ORDERS_MAX);
    if (!read_number(flag(&rest, "seed", "1"), &seed))
        return fail_with("--seed is a number");
    if (!against && (flag_again(&rest, "pace", 0) != NULL || flag_again(&rest, "key", 0) != NULL))
        return fail_with("--pace and --key are for a day that is played --against a server");
    return against ? play_against(&rest, orders, seed) : run_twice(&rest, orders, seed);
}
