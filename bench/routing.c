/* bench/routing.c: how long a choice of nodes takes: 200 nodes, 20 lines, carriage by weight. Prints percentiles for questions of three kinds. */
#include "base/text.h"
#include "routing/route.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NODES 200
#define LINES 20
#define ROUNDS 2000
#define P99_MOST_US 2000

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}
static int64_t up_to(uint64_t *seed, int64_t most)
{
    return (int64_t)(next(seed) >> 11) % (most + 1);
}

/* Of this thread: what else runs on the machine does not count. */
static int64_t cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct question {
    struct route_node nodes[NODES];
    struct route_step steps[NODES][3];
    int64_t stock[NODES * LINES];
    struct route_part parts[LINES][2];
    struct route_item items[LINES];
};

/* stocked_ppm: how many of the lines a node has at all. */
static struct route_problem question_make(struct question *q, uint64_t seed, int64_t stocked_ppm, bool cost_first, bool together)
{
    for (size_t i = 0; i < LINES; i++) {
        q->parts[i][0] = (struct route_part){ i, 1 };
        q->parts[i][1] = (struct route_part){ (i + 1) % LINES, 1 };
        q->items[i] = (struct route_item){ q->parts[i], together && i % 4 == 0 ? 2 : 1, 1 + up_to(&seed, 3), up_to(&seed, 3000) };
    }
    for (size_t n = 0; n < NODES; n++) {
        q->nodes[n] = (struct route_node){ .priority = 1 + up_to(&seed, 5), .handling = up_to(&seed, 5) * 50, .steps = q->steps[n], .step_count = 3 };
        for (size_t i = 0; i < 3; i++)
            q->steps[n][i] = (struct route_step){ 1000 + 9000 * (int64_t)i, 300 + 200 * (int64_t)i + up_to(&seed, 90) };
        for (size_t c = 0; c < LINES; c++)
            q->stock[n * LINES + c] = up_to(&seed, 999999) < stocked_ppm ? 1 + up_to(&seed, 9) : 0;
    }
    return (struct route_problem){ .nodes = q->nodes,
                                   .node_count = NODES,
                                   .column_count = LINES,
                                   .stock = q->stock,
                                   .items = q->items,
                                   .item_count = LINES,
                                   .cost_first = cost_first,
                                   .split_penalty = 200 };
}

int main(void)
{
    static const struct {
        const char *says;
        int64_t stocked_ppm;
        bool cost_first, together;
    } kinds[] = { { "nearly everything everywhere", 950000, false, false },
                  { "half of it everywhere", 500000, false, false },
                  { "half, some bundles stay together", 500000, false, true },
                  { "a fifth", 200000, false, false },
                  { "a tenth, some bundles stay together", 100000, false, true },
                  { "three in a hundred", 30000, false, false },
                  { "half, cost before parcels", 500000, true, false } };
    static struct question q;
    static int64_t took[ROUNDS];
    int64_t slowest = 0; /* of the kinds, at p99 */
    struct arena *arena = arena_new((size_t)64 << 20);
    puts("200 nodes, 20 lines                     p50 us   p99 us   max us   proved   parcels   no plan");
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        int64_t proved = 0, parcels = 0, none = 0;
        for (size_t i = 0; i < ROUNDS; i++) {
            struct route_problem p = question_make(&q, (i + 1) * 0x9e3779b97f4a7c15u, kinds[k].stocked_ppm, kinds[k].cost_first, kinds[k].together);
            struct route_plan plan;
            int64_t from = cpu_us();
            none += !route_choose(arena, &p, &plan);
            took[i] = cpu_us() - from;
            proved += plan.exact;
            parcels += (int64_t)plan.count;
            arena_reset(arena);
        }
        qsort(took, ROUNDS, sizeof *took, by_number);
        slowest = took[ROUNDS * 99 / 100] > slowest ? took[ROUNDS * 99 / 100] : slowest;
        printf("%-38s %8ld %8ld %8ld   %5.1f %%   %7.2f   %7ld\n", kinds[k].says, (long)took[ROUNDS / 2], (long)took[ROUNDS * 99 / 100],
               (long)took[ROUNDS - 1], 100.0 * (double)proved / ROUNDS, (double)parcels / ROUNDS, (long)none);
    }
    printf("target: slowest p99 %ld us, under %d: %s\n", (long)slowest, P99_MOST_US, slowest < P99_MOST_US ? "good" : "MISSED");
    arena_free(arena);
    return 0;
}
