/* bench/beside.c: what others wait for while something large runs: a recall, an import, a receipt that fills a long queue, a check of the whole
 * store. Others are captures and reads in an open loop at a fixed rate, each timed from when it should have been sent; "at rest" is what they
 * waited in the seconds before and in those behind, together. */
#include "bench.h"
#include "base/when.h"
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS 32 /* of each kind */
#define TIMES_MOST 2.0
#define CHECK_MOST_S 60.0
enum kind { CAPTURES, READS, KINDS };
static const char *const kinds[KINDS] = { "captures", "reads" };

struct others {
    struct world *world;
    const struct server *server;
    struct load loads[KINDS];
    struct load_result results[KINDS];
    pthread_t threads[KINDS];
    struct work reads;
    const char *ids[256]; /* of orders that are read */
    size_t id_count;
    double seconds; /* at rest */
    atomic_bool over;
};

struct waited {
    struct times took[KINDS];
    uint64_t faults;
};

/* ---- others ---- */

static size_t make_read(void *context, uint64_t number, char *out, size_t room)
{
    const struct others *others = context;
    char target[200];
    if (number % 2 == 0)
        snprintf(target, sizeof target, "/v1/orders/%s", others->ids[chance(others->id_count)]);
    else
        snprintf(target, sizeof target, "/v1/availability?channel=web&sku=S%06lu", (unsigned long)chance(others->world->sku_count));
    return request_text(out, room, "GET", target, others->world->key, "", "");
}

static bool was_read(void *context, uint64_t number, const char *answer)
{
    return strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

static void others_make(struct others *others, struct world *world, const struct server *server, double rate, double seconds)
{
    *others = (struct others){
        .world = world, .server = server, .seconds = seconds, .reads = { .context = others, .make = make_read, .answered = was_read }
    };
    struct load load = { .ports = { server->port },
                         .port_count = 1,
                         .key = world->key,
                         .connections = CLIENTS,
                         .sku_count = world->sku_count,
                         .rate = rate,
                         .seconds = 1,
                         .over = &others->over };
    struct load_result warm;
    load_run(&load, &warm); /* there is at least one order to read */
    const char *at = http_get(world->arena, server->port, world->key, "/v1/orders?stage=reserved&limit=100");
    while (others->id_count < COUNT(others->ids) && (at = strstr(at, "\"id\":\"ord_")) != NULL) {
        at += strlen("\"id\":\"");
        others->ids[others->id_count++] = arena_text_n(world->arena, at, strcspn(at, "\""));
    }
    if (others->id_count == 0)
        die("there is no order to read");
    others->loads[CAPTURES] = others->loads[READS] = load;
    others->loads[READS].work = &others->reads;
}

struct one {
    const struct load *load;
    struct load_result *result;
};

static void *one_kind(void *context)
{
    const struct one *one = context;
    load_take(one->load, one->result);
    return NULL;
}

/* Others ask for `seconds`, or until `large` has come back where there is one. */
static void others_ask(struct others *others, double seconds, void (*large)(void *), void *context, struct waited *waited)
{
    struct one ones[KINDS];
    atomic_store(&others->over, false);
    for (size_t kind = 0; kind < KINDS; kind++) {
        others->loads[kind].seconds = seconds;
        ones[kind] = (struct one){ &others->loads[kind], &others->results[kind] };
        if (pthread_create(&others->threads[kind], NULL, one_kind, &ones[kind]) != 0)
            die("no thread");
    }
    if (large != NULL) {
        large(context);
        atomic_store(&others->over, true);
    }
    for (size_t kind = 0; kind < KINDS; kind++) {
        pthread_join(others->threads[kind], NULL);
        struct times *took = &others->results[kind].took;
        for (size_t i = 0; i < took->count; i++)
            times_add(&waited->took[kind], took->us[i]);
        times_free(took);
        waited->faults += others->results[kind].faults;
    }
}

static double slowest_ms(struct times *times)
{
    (void)times_ms(times, 50); /* sorts */
    return times->count == 0 ? 0 : (double)times->us[times->count - 1] / 1e3;
}

static void judge(const char *what, struct waited *rest, struct waited *during)
{
    for (size_t kind = 0; kind < KINDS; kind++) {
        struct times *before = &rest->took[kind], *now = &during->took[kind];
        double was = times_ms(before, 99), is = times_ms(now, 99);
        printf("    %s: p50 %.2f, p99 %.2f ms of %zu; at rest p50 %.2f, p99 %.2f ms of %zu; slowest %.0f and %.0f\n", kinds[kind], times_ms(now, 50),
               is, now->count, times_ms(before, 50), was, before->count, slowest_ms(now), slowest_ms(before));
        printf("target: p99 of %s beside %s to that at rest: %.2f, at most %.2f: %s\n", kinds[kind], what, is / was, TIMES_MOST,
               is <= was * TIMES_MOST ? "good" : "MISSED");
    }
    if (during->faults + rest->faults > 0)
        printf("target: %lu others were refused: MISSED\n", (unsigned long)(during->faults + rest->faults));
    fflush(stdout);
}

/* `large`, others before, beside and after it. Its seconds. */
static double beside(struct others *others, const char *what, void (*large)(void *), void *context)
{
    struct waited rest = { 0 }, during = { 0 };
    others_ask(others, others->seconds / 2, NULL, NULL, &rest);
    struct profile from = profile_read(others->world, others->server);
    int64_t at = when_monotonic_us();
    others_ask(others, 1e6, large, context, &during);
    double seconds = (double)(when_monotonic_us() - at) / 1e6;
    struct profile to = profile_read(others->world, others->server);
    others_ask(others, others->seconds / 2, NULL, NULL, &rest);
    printf("%s: %.1f s\n", what, seconds);
    profile_print(&from, &to, seconds, to.commands - from.commands);
    judge(what, &rest, &during);
    for (size_t kind = 0; kind < KINDS; kind++) {
        times_free(&rest.took[kind]);
        times_free(&during.took[kind]);
    }
    return seconds;
}

/* ---- what is large ---- */

struct large {
    const struct world *world;
    const struct server *server;
    const struct sizes *sizes;
    char file[300];
};

static const char *ask(const struct large *large, const char *method, const char *target, const char *body)
{
    const char *answer = http_ask(large->world->arena, large->server->port, large->world->key, method, target, body);
    if (strncmp(answer, "HTTP/1.1 2", 10) != 0)
        die("%s %s: %.300s", method, target, answer);
    return answer;
}

static void wait_for_jobs(const struct large *large)
{
    for (bool idle = false; !idle;) {
        struct arena_mark mark = arena_mark(large->world->arena);
        usleep(100000);
        idle = strstr(ask(large, "GET", "/v1/jobs?limit=1", ""), "\"items\":[]") != NULL;
        arena_rewind(large->world->arena, mark);
    }
}

static void recall(void *context)
{
    ask(context, "POST", "/v1/recalls", "{\"sku\":\"CALLED\",\"nodes\":[\"N1\"],\"reason\":\"paint\"}");
    wait_for_jobs(context);
}

static void receipt(void *context)
{
    const struct large *large = context;
    ask(large, "POST", "/v1/inventory/adjustments",
        arena_printf(large->world->arena, "{\"node\":\"N1\",\"sku\":\"AWAITED\",\"delta\":%lu,\"reason\":\"receipt\"}",
                     (unsigned long)large->sizes->waiting));
    wait_for_jobs(large);
}

/* Runs millrace with these words; dies when it fails. */
static void run(const struct world *world, char *const words[])
{
    pid_t pid;
    int status;
    if (posix_spawn(&pid, world->binary, NULL, NULL, words, environ) != 0 || waitpid(pid, &status, 0) != pid)
        die("%s cannot be started", world->binary);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die("millrace %s failed", words[1]);
}

static char *word(const struct world *world, const char *text)
{
    return arena_text_n(world->arena, text, strlen(text));
}

static void import(void *context)
{
    const struct large *large = context;
    const struct world *world = large->world;
    run(world, (char *[]){ word(world, "millrace"), word(world, "import"), word(world, "skus"), word(world, "--file"), word(world, large->file),
                           word(world, "--url"), arena_printf(world->arena, "http://127.0.0.1:%u", large->server->port), word(world, "--key"),
                           word(world, world->key), NULL });
}

static void check(void *context)
{
    const struct world *world = ((struct large *)context)->world;
    run(world, (char *[]){ word(world, "millrace"), word(world, "check"), word(world, "--db"), word(world, world->url), NULL });
}

static void write_rows(struct large *large)
{
    snprintf(large->file, sizeof large->file, "%s/import.csv", large->world->dir);
    FILE *file = fopen(large->file, "w");
    if (file == NULL)
        die("%s: %m", large->file);
    fputs("code,name,weight_g\n", file);
    for (uint64_t i = 0; i < large->sizes->rows; i++)
        fprintf(file, "IN%08lu,Thing number %lu,%lu\n", (unsigned long)i, (unsigned long)i, (unsigned long)(i % 900 + 100));
    if (fclose(file) != 0)
        die("%s: %m", large->file);
}

/* ---- what it is about ---- */

static struct command *make_one_line(struct inside *inside, struct arena *arena, const char *sku, uint64_t number)
{
    return local_command(
        inside->local, arena, "POST", "/v1/orders",
        arena_printf(arena,
                     "{\"channel\":\"web\",\"channel_order_id\":\"%s-%lu\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                     "\"customer\":{\"name\":\"Ann\"},\"ship_to\":{\"name\":\"Ann\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s\","
                     "\"quantity\":1,\"unit_price\":{\"amount\":\"19.99\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\","
                     "\"status\":\"pending\"}}",
                     sku, (unsigned long)number, sku),
        NULL);
}

static struct command *make_called(struct inside *inside, struct arena *arena, uint64_t number)
{
    return make_one_line(inside, arena, "CALLED", number);
}

static struct command *make_awaited(struct inside *inside, struct arena *arena, uint64_t number)
{
    return make_one_line(inside, arena, "AWAITED", number);
}

static void inside_ask(struct inside *inside, const char *method, const char *target, const char *body)
{
    struct reply reply = local_call(inside->local, inside->arena, method, target, body);
    if (reply.status != 201)
        die("%s: %d %s", target, reply.status, reply.body);
}

static void prepare(const struct world *world, const struct sizes *sizes)
{
    struct inside inside;
    int64_t at = when_monotonic_us();
    inside_open(&inside, world->url, true);
    inside_ask(&inside, "PUT", "/v1/skus/CALLED", "{\"name\":\"Called back\"}");
    inside_ask(&inside, "PUT", "/v1/skus/AWAITED", "{\"name\":\"Waited for\"}");
    inside_ask(&inside, "POST", "/v1/inventory/adjustments",
               arena_printf(inside.arena, "{\"node\":\"N1\",\"sku\":\"CALLED\",\"delta\":%lu,\"reason\":\"receipt\"}", (unsigned long)sizes->claims));
    many(&inside, 0, sizes->claims, make_called);
    many(&inside, 0, sizes->waiting, make_awaited);
    inside_close(&inside);
    printf("prepared: %lu claims, %lu lines that wait, in %.1f s\n", (unsigned long)sizes->claims, (unsigned long)sizes->waiting,
           (double)(when_monotonic_us() - at) / 1e6);
    fflush(stdout);
}

/* The projections follow what was prepared before anybody is timed. */
static void wait_for_projections(const struct large *large)
{
    const char *answer = "";
    for (int tries = 0; strncmp(answer, "HTTP/1.1 200", 12) != 0; tries++) {
        if (tries == 300)
            die("the projections do not come along: %.200s", answer);
        answer = http_get(large->world->arena, large->server->port, large->world->key, "/v1/inventory/movements?sku=CALLED&limit=1");
    }
}

void jobs_run(struct world *world, const struct sizes *sizes, double rate, double seconds)
{
    struct others *others = calloc(1, sizeof *others);
    if (others == NULL)
        die("no memory");
    prepare(world, sizes);
    struct server server = serve(world);
    struct large large = { .world = world, .server = &server, .sizes = sizes };
    write_rows(&large);
    wait_for_projections(&large);
    others_make(others, world, &server, rate, seconds);
    printf("others: %.0f captures/s and %.0f reads/s\n", rate, rate);
    beside(others, arena_printf(world->arena, "a recall of %lu claims", (unsigned long)sizes->claims), recall, &large);
    beside(others, arena_printf(world->arena, "a receipt for %lu lines", (unsigned long)sizes->waiting), receipt, &large);
    beside(others, arena_printf(world->arena, "an import of %lu rows", (unsigned long)sizes->rows), import, &large);
    unlink(large.file);
    server_end(&server);
    free(others);
}

void check_run(struct world *world, double rate, double seconds)
{
    struct others *others = calloc(1, sizeof *others);
    if (others == NULL)
        die("no memory");
    struct server server = serve(world);
    struct large large = { .world = world, .server = &server };
    others_make(others, world, &server, rate, seconds);
    double took = beside(others, "a check", check, &large);
    printf("target: millrace check of %lu orders and more beside %.0f orders/s: %.1f s, under %.0f: %s\n", (unsigned long)world->history, rate, took,
           CHECK_MOST_S, took < CHECK_MOST_S ? "good" : "MISSED");
    server_end(&server);
    free(others);
}
