/* bench/orders.c: orders through the server beside the floor.
 *   MILLRACE_BINARY=build/millrace bench/orders [--seconds S] [--skus N] [--at N] [--dir DIR]
 *   bench/orders --gates       what an order costs the store; exit 1 above the limits
 * SQLite, and PostgreSQL after it when MILLRACE_TEST_POSTGRES names a server. */
#include "bench.h"
#include "base/when.h"
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static const size_t steps[] = { 1, 16, 64, 256 };
static double seconds = 5;
static size_t only; /* --at: this step alone, 0: all */

struct server {
    pid_t pid;
    uint16_t port;
};

static struct server serve(struct world *world)
{
    struct server server = { 0 };
    int pipes[2];
    char line[256] = "";
    char *words[] = { (char *)(uintptr_t)world->binary, (char[]){ "serve" }, (char[]){ "--db" }, world->url, (char[]){ "--listen" }, (char[]){ "127.0.0.1:0" }, NULL };
    posix_spawn_file_actions_t actions;
    if (pipe(pipes) != 0)
        die("pipe: %m");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
    posix_spawn_file_actions_addclose(&actions, pipes[0]);
    if (posix_spawn(&server.pid, world->binary, &actions, NULL, words, environ) != 0)
        die("%s cannot be started", world->binary);
    close(pipes[1]);
    FILE *out = fdopen(pipes[0], "r");
    if (out == NULL || fgets(line, sizeof line, out) == NULL || strncmp(line, "ready ", 6) != 0)
        die("the server is not ready: %s", line);
    server.port = (uint16_t)strtoul(strrchr(line, ':') + 1, NULL, 10);
    fclose(out);
    return server;
}

static pid_t serving;
static void end_server(void) /* also when the bench dies: it ends what it started */
{
    if (serving > 0)
        kill(serving, SIGTERM);
}

static double server_cpu_s(pid_t pid)
{
    char name[64], line[1024] = "";
    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(name, "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL)
        die("the server is gone");
    fclose(file);
    unsigned long user = 0, system = 0;
    sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static long server_rss_mib(pid_t pid)
{
    char name[64], line[256];
    long kib = 0;
    snprintf(name, sizeof name, "/proc/%d/status", (int)pid);
    FILE *file = fopen(name, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (file != NULL)
        fclose(file);
    return kib / 1024;
}

static const char *const phases[] = { "take", "prefetch", "decide", "write", "commit", "answer" };
struct profile {
    double batches, commands, needs, spent[COUNT(phases)];
};

static double metric(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at == NULL ? 0 : strtod(at + strlen(name), NULL);
}

static struct profile profile_read(struct world *world, uint16_t port)
{
    struct profile profile;
    char name[96];
    const char *text = http_get(world->arena, port, world->key, "/metrics");
    profile.batches = metric(text, "\nmillrace_engine_batches_total ");
    profile.commands = metric(text, "\nmillrace_engine_commands_total ");
    profile.needs = metric(text, "\nmillrace_engine_needs_total ");
    for (size_t i = 0; i < COUNT(phases); i++) {
        snprintf(name, sizeof name, "\nmillrace_engine_phase_seconds_total{phase=\"%s\"} ", phases[i]);
        profile.spent[i] = metric(text, name);
    }
    return profile;
}

/* Of the wall time of one closed step: microseconds a batch; "rest" is what the writer does outside its phases and waits. */
static void profile_print(const struct profile *from, const struct profile *to, double wall)
{
    double batches = to->batches - from->batches, rest = wall;
    if (batches < 1)
        return;
    printf("    batch of %.1f, us a batch:", (to->commands - from->commands) / batches);
    for (size_t i = 0; i < COUNT(phases); i++) {
        double spent = to->spent[i] - from->spent[i];
        printf(" %s %.0f", phases[i], spent * 1e6 / batches);
        rest -= spent;
    }
    printf(" rest %.0f; needs %.2f an order\n", rest * 1e6 / batches, (to->needs - from->needs) / (to->commands - from->commands));
}

static void step(struct world *world, const struct server *server, size_t n, bool skewed, struct floor *bare)
{
    struct load load = { .port = server->port, .key = world->key, .connections = n, .sku_count = world->sku_count, .skewed = skewed, .seconds = seconds };
    struct load_result closed, open;
    bare->skewed = skewed;
    double before = floor_run(bare, n, seconds / 2);
    struct profile from = profile_read(world, server->port);
    double cpu = server_cpu_s(server->pid);
    load_run(&load, &closed);
    cpu = (server_cpu_s(server->pid) - cpu) / closed.seconds;
    struct profile to = profile_read(world, server->port);
    double after = floor_run(bare, n, seconds / 2), floor_rate = 2 / (1 / before + 1 / after);
    double rate = (double)closed.orders / closed.seconds;
    load.rate = rate * 0.7;
    load_run(&load, &open);
    printf("%4zu %-8s %7.0f %7.0f %5.1f %9.0f %5.2f %8.2f %8.2f %8.2f %8.2f %5ld %5.0f%% %5.0f%% %lu\n", n, skewed ? "skewed" : "uniform", before, after, bare->pages, rate,
           rate / floor_rate, (double)closed.p50_us / 1e3, (double)closed.p99_us / 1e3, (double)open.p50_us / 1e3, (double)open.p99_us / 1e3,
           server_rss_mib(server->pid), cpu * 100, closed.client_cpu * 100, (unsigned long)(closed.faults + open.faults));
    profile_print(&from, &to, closed.seconds);
    fflush(stdout);
}

static void measure(struct world *world)
{
    struct arena *arena = arena_new((size_t)1 << 30);
    struct shape *shape = ARENA_NEW(arena, struct shape);
    struct floor bare;
    shape->arena = arena;
    shape_take(shape);
    shape_print(shape);
    floor_open(&bare, shape, world);
    struct server server = serve(world);
    serving = server.pid;
    fflush(stdout);
    printf("   n demand   floor/s   after pages  orders/s ratio   p50 ms   p99 ms  open p50 open p99 RSS M   CPU client faults\n");
    for (size_t i = 0; i < COUNT(steps); i++) {
        if (only != 0 && steps[i] != only)
            continue;
        step(world, &server, steps[i], false, &bare);
        step(world, &server, steps[i], true, &bare);
    }
    kill(server.pid, SIGTERM);
    waitpid(server.pid, NULL, 0);
    serving = 0;
    floor_close(&bare);
    arena_free(arena);
}

static int store(const char *admin_url, const char *dir, uint64_t skus, bool gates)
{
    struct world world = { .arena = arena_new((size_t)1 << 30), .binary = getenv("MILLRACE_BINARY"), .admin_url = admin_url, .sku_count = skus };
    if (world.binary == NULL)
        die("MILLRACE_BINARY names no millrace");
    printf("== %s\n", admin_url == NULL ? "SQLite" : "PostgreSQL");
    snprintf(world.dir, sizeof world.dir, "%s/millrace-bench.XXXXXX", dir);
    world_make(&world, !gates);
    int code = 0;
    if (gates)
        code = gates_run(&world);
    else
        measure(&world);
    world_drop(&world, !gates);
    arena_free(world.arena);
    return code;
}

int main(int count, char **words)
{
    const char *dir = "/tmp", *postgres = getenv("MILLRACE_TEST_POSTGRES");
    uint64_t skus = 100000;
    bool gates = false;
    for (int i = 1; i < count; i++) {
        bool more = i + 1 < count;
        if (strcmp(words[i], "--gates") == 0)
            gates = true;
        else if (more && strcmp(words[i], "--seconds") == 0)
            seconds = strtod(words[++i], NULL);
        else if (more && strcmp(words[i], "--skus") == 0)
            skus = strtoul(words[++i], NULL, 10);
        else if (more && strcmp(words[i], "--at") == 0)
            only = strtoul(words[++i], NULL, 10);
        else if (more && strcmp(words[i], "--dir") == 0)
            dir = words[++i];
        else
            die("orders [--gates] [--seconds S] [--skus N] [--at N] [--dir DIR]");
    }
    if (seconds <= 0 || skus < HOT)
        die("--seconds wants more than 0, --skus at least %d", HOT);
    atexit(end_server);
    int code = store(NULL, dir, skus, gates);
    if (postgres != NULL && store(postgres, dir, skus, gates) != 0)
        code = 1;
    return code;
}
