/* bench/orders.c: orders through the server beside the floor.
 *   MILLRACE_BINARY=build/millrace bench/orders [--seconds S] [--skus N] [--history N] [--at N] [--dir DIR]
 *   bench/orders --keep DIR    SQLite only: the world in DIR, made there or grown to --skus and --history where it is smaller; it stays
 *   bench/orders --unfollowed  the projections begin after the history: for files of many millions of orders
 *   bench/orders --reads       reads on their own connection while orders come
 *   bench/orders --servers     PostgreSQL: two servers on the unit beside one
 *   bench/orders --beside DIR  with --keep: that world and this one in turn, as an older file beside a younger
 *   bench/orders --against BINARY  with --beside: that world is served by another build, whose own bench/orders made it (scripts/bench-against)
 *   bench/orders --size        time to ready, memory at rest and under load
 *   bench/orders --commands    every command beside the capture, --requests of each (2000); --named PREFIX: those that begin so
 *   bench/orders --jobs        others at --rate beside a recall of --claims (100000), a receipt for --waiting (80000), --rows (1000000) imported
 *   bench/orders --check       others at --rate beside millrace check of the world: with --history, or --keep
 *   bench/orders --gates       what an order costs the store; exit 1 above the limits
 * SQLite, and PostgreSQL after it when MILLRACE_TEST_POSTGRES names a server (--only sqlite, --only postgres). */
#include "bench.h"
#include "base/when.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 4 /* of what is measured in turn */

enum mode { MODE_STEPS, MODE_READS, MODE_SERVERS, MODE_BESIDE, MODE_SIZE, MODE_COMMANDS, MODE_JOBS, MODE_CHECK, MODE_GATES };

static const size_t steps[] = { 1, 16, 64, 256 };
static const double least[2][COUNT(steps)] = { { 0.5, 0.5, 0.65, 0.7 }, { 0.5, 0.6, 0.5, 0.4 } }; /* of the floor: SQLite, PostgreSQL */

struct wish {
    double seconds, rate; /* rate: of captures and of reads that others send a second */
    uint64_t skus, history;
    struct sizes sizes;
    size_t at, requests; /* at: this step alone, 0: all */
    const char *dir, *keep, *beside, *only, *named, *against;
    bool unfollowed;
    enum mode mode;
};

static struct load load_of(const struct world *world, const struct server *server, size_t n, enum demand demand, double seconds)
{
    return (struct load){ .ports = { server->port },
                          .port_count = 1,
                          .key = world->key,
                          .connections = n,
                          .sku_count = world->sku_count,
                          .demand = demand,
                          .seconds = seconds };
}

static double rate_of(const struct load *load)
{
    struct load_result result;
    load_run(load, &result);
    if (result.faults > 0)
        printf("%lu faults\n", (unsigned long)result.faults);
    return (double)result.orders / result.seconds;
}

static void judge(const char *what, size_t n, double value, double limit, bool at_least)
{
    printf("target: %s at %zu: %.2f, %s %.2f: %s\n", what, n, value, at_least ? "at least" : "at most", limit,
           (at_least ? value >= limit : value <= limit) ? "good" : "MISSED");
}

/* ---- beside the floor ---- */

struct outcome {
    double rate, ratio, tail; /* tail: p99 in p50s of the open loop */
};

static struct outcome step(struct world *world, const struct server *server, size_t n, enum demand demand, double seconds, struct floor *bare)
{
    struct load load = load_of(world, server, n, demand, seconds);
    struct load_result closed, open;
    bare->demand = demand;
    double before = floor_run(bare, n, seconds / 2);
    struct profile from = profile_read(world, server);
    load_run(&load, &closed);
    struct profile to = profile_read(world, server);
    double after = floor_run(bare, n, seconds / 2), floor_rate = 2 / (1 / before + 1 / after);
    double rate = (double)closed.orders / closed.seconds, cpu = 0;
    for (size_t i = 0; i < STAGES; i++)
        cpu += (to.cpu[i] - from.cpu[i]) / closed.seconds;
    load.rate = rate * 0.7;
    load_run(&load, &open);
    struct times disk = disk_run(world->dir, load.rate, bare->pages, bare->postgres ? 0 : seconds);
    printf("%4zu %-8s %7.0f %7.0f %5.1f %9.0f %5.2f %8.2f %8.2f %8.2f %8.2f %8.2f %8.2f %5ld %5.0f%% %5.0f%% %lu\n", n, demand_names[demand], before,
           after, bare->pages, rate, rate / floor_rate, closed.p50_ms, closed.p99_ms, open.p50_ms, open.p99_ms, times_ms(&disk, 50),
           times_ms(&disk, 99), server_rss_mib(server, "VmRSS:"), cpu * 100, closed.client_cpu * 100, (unsigned long)(closed.faults + open.faults));
    times_free(&disk);
    profile_print(&from, &to, closed.seconds, (double)closed.orders);
    fflush(stdout);
    return (struct outcome){ rate, rate / floor_rate, open.p50_ms > 0 ? open.p99_ms / open.p50_ms : 0 };
}

static void judge_step(size_t i, bool postgres, const struct outcome outcomes[])
{
    static const char *const tails[] = { "p99 in p50s, uniform", "p99 in p50s, skewed", "p99 in p50s, hot" };
    for (size_t demand = DEMAND_UNIFORM; demand <= DEMAND_SKEWED; demand++)
        judge(demand == DEMAND_UNIFORM ? "of the floor, uniform" : "of the floor, skewed", steps[i], outcomes[demand].ratio, least[postgres][i],
              true);
    judge("ten hot SKUs to uniform", steps[i], outcomes[DEMAND_HOT].rate / outcomes[DEMAND_UNIFORM].rate, 1, true);
    for (size_t demand = DEMAND_UNIFORM; steps[i] >= 64 && demand <= DEMAND_HOT; demand++)
        judge(tails[demand], steps[i], outcomes[demand].tail, 4, false);
    if (steps[i] == 16 || steps[i] == 256)
        judge("times 19 orders/s, uniform", steps[i], outcomes[DEMAND_UNIFORM].rate / 19, steps[i] == 16 ? 200 : 400, true);
}

static void measure(struct world *world, const struct wish *wish)
{
    struct arena *arena = arena_new((size_t)1 << 30);
    struct shape *shape = ARENA_NEW(arena, struct shape);
    struct floor bare;
    struct outcome outcomes[COUNT(steps)][DEMAND_HOT + 1];
    shape->arena = arena;
    shape_take(shape, world_is_crowded(world));
    shape_print(shape);
    floor_open(&bare, shape, world);
    struct server server = serve(world);
    printf("ready in %.3f s, RSS %ld MiB\n", (double)server.ready_us / 1e6, server_rss_mib(&server, "VmRSS:"));
    printf("   n demand   floor/s   after pages  orders/s ratio   p50 ms   p99 ms open p50 open p99 disk p50 disk p99 RSS M   CPU client faults\n");
    for (size_t i = 0; i < COUNT(steps); i++)
        for (size_t demand = DEMAND_UNIFORM; (wish->at == 0 || steps[i] == wish->at) && demand <= DEMAND_HOT; demand++)
            outcomes[i][demand] = step(world, &server, steps[i], (enum demand)demand, wish->seconds, &bare);
    for (size_t i = 0; i < COUNT(steps); i++)
        if (wish->at == 0 || steps[i] == wish->at)
            judge_step(i, world->admin_url != NULL, outcomes[i]);
    server_end(&server);
    floor_close(&bare);
    arena_free(arena);
}

/* ---- one thing beside another, in turn ---- */

/* Rates of both loads in turn, ROUNDS of each; the ratio of the second to the first. */
static void in_turn(const char *what, const struct load *first, const struct load *second, double limit)
{
    double rates[2] = { 0, 0 };
    printf("%s at %zu:", what, first->connections);
    for (size_t round = 0; round < ROUNDS; round++) {
        double one = rate_of(first), other = rate_of(second);
        printf(" %.0f/%.0f", one, other);
        fflush(stdout);
        rates[0] += one;
        rates[1] += other;
    }
    printf(" orders/s\n");
    judge(what, first->connections, rates[1] / rates[0], limit, true);
    fflush(stdout);
}

static void two_servers(struct world *world, const struct wish *wish)
{
    struct server first = serve(world), second = serve(world);
    for (size_t i = 0; i < COUNT(steps); i++) {
        if (wish->at != 0 && steps[i] != wish->at)
            continue;
        struct load one = load_of(world, &first, steps[i], DEMAND_UNIFORM, wish->seconds), both = one;
        both.ports[1] = second.port;
        both.port_count = steps[i] > 1 ? 2 : 1;
        in_turn("two servers to one", &one, &both, 0.8);
    }
    server_end(&first);
    server_end(&second);
}

static void beside(struct world *world, const struct wish *wish)
{
    struct world other = { .arena = world->arena, .binary = wish->against[0] != '\0' ? wish->against : world->binary, .kept = true };
    snprintf(other.dir, sizeof other.dir, "%s", wish->beside);
    world_make(&other, false);
    struct server young = serve(&other), old = serve(world);
    for (size_t i = 0; i < COUNT(steps); i++) {
        if (wish->at != 0 && steps[i] != wish->at)
            continue;
        struct load first = load_of(&other, &young, steps[i], DEMAND_UNIFORM, wish->seconds),
                    second = load_of(world, &old, steps[i], DEMAND_UNIFORM, wish->seconds);
        const char *what = wish->against[0] != '\0'
                               ? arena_printf(world->arena, "this build to %s", wish->against)
                               : arena_printf(world->arena, "%lu orders to %lu", (unsigned long)world->history, (unsigned long)other.history);
        in_turn(what, &first, &second, 0.9);
    }
    server_end(&young);
    server_end(&old);
}

static void sizes(struct world *world, const struct wish *wish)
{
    double ready = 0;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct server server = serve(world);
        ready += (double)server.ready_us / 1e6 / ROUNDS;
        server_end(&server);
    }
    struct server server = serve(world);
    struct load load = load_of(world, &server, 64, DEMAND_UNIFORM, wish->seconds);
    printf("ready in %.3f s (mean of %d), RSS %ld MiB\n", ready, ROUNDS, server_rss_mib(&server, "VmRSS:"));
    printf("target: ready in %.3f s, under 0.2: %s\n", ready, ready < 0.2 ? "good" : "MISSED");
    for (size_t i = 0; i < ROUNDS; i++) {
        double rate = rate_of(&load);
        printf("after %.0f s at %.0f orders/s: RSS %ld MiB\n", wish->seconds * (double)(i + 1), rate, server_rss_mib(&server, "VmRSS:"));
        fflush(stdout);
    }
    reads_run(world, &server, wish->seconds);
    long peak = server_rss_mib(&server, "VmHWM:");
    printf("target: largest RSS %ld MiB, under 256: %s\n", peak, peak < 256 ? "good" : "MISSED");
    server_end(&server);
}

static void reads(struct world *world, const struct wish *wish)
{
    struct server server = serve(world);
    struct load warm = load_of(world, &server, 64, DEMAND_UNIFORM, 1);
    rate_of(&warm); /* there is at least one order to read */
    reads_run(world, &server, wish->seconds);
    server_end(&server);
}

static void commands(struct world *world, const struct wish *wish)
{
    struct server server = serve(world);
    commands_run(world, &server, wish->requests, wish->named);
    server_end(&server);
}

static void jobs(struct world *world, const struct wish *wish)
{
    jobs_run(world, &wish->sizes, wish->rate, wish->seconds);
}

static void check(struct world *world, const struct wish *wish)
{
    check_run(world, wish->rate, wish->seconds);
}

static int store(const char *admin_url, const struct wish *wish)
{
    bool with_floor = wish->mode == MODE_STEPS;
    struct world world = { .arena = arena_new((size_t)1 << 30),
                           .binary = getenv("MILLRACE_BINARY"),
                           .admin_url = admin_url,
                           .sku_count = wish->skus,
                           .history = wish->history,
                           .kept = wish->keep != NULL,
                           .unfollowed = wish->unfollowed };
    int code = 0;
    if (world.binary == NULL)
        die("MILLRACE_BINARY names no millrace");
    if (world.sku_count == 0 && wish->mode == MODE_GATES && admin_url != NULL)
        world.sku_count = SKUS / 10; /* records and bytes are 4 % fewer than over all of them, and CI waits a tenth of the time */
    if (world.sku_count == 0 && (wish->mode == MODE_COMMANDS || wish->mode == MODE_JOBS))
        world.sku_count = SKUS / 5;
    printf("== %s\n", admin_url == NULL ? "SQLite" : "PostgreSQL");
    if (wish->keep != NULL)
        snprintf(world.dir, sizeof world.dir, "%s", wish->keep);
    else
        snprintf(world.dir, sizeof world.dir, "%s/millrace-bench.XXXXXX", wish->dir);
    world_make(&world, with_floor);
    fflush(stdout);
    static void (*const modes[])(struct world *, const struct wish *) = { measure, reads, two_servers, beside, sizes, commands, jobs, check };
    if (wish->mode == MODE_GATES)
        code = gates_run(&world);
    else
        modes[wish->mode](&world, wish);
    world_drop(&world, with_floor);
    arena_free(world.arena);
    return code;
}

static bool read_count(struct wish *wish, const char *word, const char *value)
{
    const struct {
        const char *word;
        uint64_t *count;
    } counts[] = { { "--skus", &wish->skus },         { "--history", &wish->history },     { "--at", &wish->at },
                   { "--requests", &wish->requests }, { "--claims", &wish->sizes.claims }, { "--waiting", &wish->sizes.waiting },
                   { "--rows", &wish->sizes.rows } };
    for (size_t i = 0; i < COUNT(counts); i++) {
        if (strcmp(word, counts[i].word) != 0)
            continue;
        *counts[i].count = strtoul(value, NULL, 10);
        return true;
    }
    return false;
}

static bool read_measure(struct wish *wish, const char *word, const char *value)
{
    double *number = strcmp(word, "--seconds") == 0 ? &wish->seconds : strcmp(word, "--rate") == 0 ? &wish->rate : NULL;
    if (number != NULL)
        *number = strtod(value, NULL);
    return number != NULL;
}

static bool read_text(struct wish *wish, const char *word, const char *value)
{
    const struct {
        const char *word, **text;
    } texts[] = { { "--dir", &wish->dir },   { "--keep", &wish->keep },   { "--beside", &wish->beside },
                  { "--only", &wish->only }, { "--named", &wish->named }, { "--against", &wish->against } };
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (strcmp(word, texts[i].word) != 0)
            continue;
        *texts[i].text = value;
        return true;
    }
    return false;
}

static struct wish wish_read(int count, char **words)
{
    struct wish wish = {
        .seconds = 5, .dir = "/tmp", .only = "", .named = "", .against = "", .requests = 2000, .rate = 200, .sizes = { 100000, 80000, 1000000 }
    };
    static const char *const modes[] = { "", "--reads", "--servers", "--beside", "--size", "--commands", "--jobs", "--check", "--gates" };
    for (int i = 1; i < count; i++) {
        const char *word = words[i], *value = i + 1 < count ? words[i + 1] : "";
        bool is_mode = false;
        for (size_t m = MODE_READS; m < COUNT(modes); m++)
            if (strcmp(word, modes[m]) == 0) {
                wish.mode = (enum mode)m;
                is_mode = true;
            }
        if (read_count(&wish, word, value) || read_measure(&wish, word, value) || read_text(&wish, word, value))
            i++;
        else if (strcmp(word, "--unfollowed") == 0)
            wish.unfollowed = true;
        else if (!is_mode)
            die("bench/orders.c says how it is called");
    }
    if (wish.seconds <= 0 || wish.rate <= 0 || (wish.skus > 0 && wish.skus < HOT) || wish.requests == 0 ||
        (wish.mode == MODE_BESIDE && wish.keep == NULL))
        die("--seconds, --rate and --requests want more than 0, --skus at least %d, --beside also --keep", HOT);
    return wish;
}

int main(int count, char **words)
{
    const char *postgres = getenv("MILLRACE_TEST_POSTGRES");
    struct wish wish = wish_read(count, words);
    int code = 0;
    if (strcmp(wish.only, "postgres") != 0 && wish.mode != MODE_SERVERS)
        code = store(NULL, &wish);
    if (postgres != NULL && strcmp(wish.only, "sqlite") != 0 && wish.keep == NULL && store(postgres, &wish) != 0)
        code = 1;
    return code;
}
