/* bench/server.c: the program under test as the system sees it: started, watched, ended. */
#include "bench.h"
#include "base/when.h"
#include <dirent.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t serving[SERVERS_MAX];

static void end_all(void) /* also when the bench dies: it ends what it started */
{
    for (size_t i = 0; i < COUNT(serving); i++)
        if (serving[i] > 0)
            kill(serving[i], SIGTERM);
}

static void remember(pid_t pid)
{
    static bool told;
    if (!told)
        atexit(end_all);
    told = true;
    for (size_t i = 0; i < COUNT(serving); i++)
        if (serving[i] == 0) {
            serving[i] = pid;
            return;
        }
    die("more servers than there is room for");
}

struct server serve(const struct world *world)
{
    struct server server = { 0 };
    int pipes[2];
    char line[256] = "";
    char *words[] = { (char *)(uintptr_t)world->binary,
                      (char[]){ "serve" },
                      (char[]){ "--db" },
                      (char *)(uintptr_t)world->url,
                      (char[]){ "--listen" },
                      (char[]){ "127.0.0.1:0" },
                      NULL };
    posix_spawn_file_actions_t actions;
    if (pipe(pipes) != 0)
        die("pipe: %m");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
    posix_spawn_file_actions_addclose(&actions, pipes[0]);
    int64_t at = when_monotonic_us();
    if (posix_spawn(&server.pid, world->binary, &actions, NULL, words, environ) != 0)
        die("%s cannot be started", world->binary);
    remember(server.pid);
    close(pipes[1]);
    FILE *out = fdopen(pipes[0], "r");
    if (out == NULL || fgets(line, sizeof line, out) == NULL || strncmp(line, "ready ", 6) != 0)
        die("the server is not ready: %s", line);
    server.ready_us = when_monotonic_us() - at;
    server.port = (uint16_t)strtoul(strrchr(line, ':') + 1, NULL, 10);
    fclose(out);
    posix_spawn_file_actions_destroy(&actions);
    return server;
}

void server_end(struct server *server)
{
    kill(server->pid, SIGTERM);
    waitpid(server->pid, NULL, 0);
    for (size_t i = 0; i < COUNT(serving); i++)
        if (serving[i] == server->pid)
            serving[i] = 0;
    server->pid = 0;
}

long server_rss_mib(const struct server *server, const char *what)
{
    char name[64], line[256];
    long kib = 0;
    snprintf(name, sizeof name, "/proc/%d/status", (int)server->pid);
    FILE *file = fopen(name, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, what, strlen(what)) == 0)
            kib = strtol(line + strlen(what), NULL, 10);
    if (file != NULL)
        fclose(file);
    return kib / 1024;
}

/* ---- where the time goes ---- */

static const char *const phases[PHASES] = { "take", "prefetch", "decide", "write", "commit" };
static const char *const stages[STAGES] = { "http", "writer", "finisher", "checkpoint", "reader", "projection", "scheduler" }; /* threads by name */

static double metric(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at == NULL ? 0 : strtod(at + strlen(name), NULL);
}

/* Adds the seconds of CPU that one thread has taken to those of its stage. */
static void thread_cpu(pid_t pid, const char *thread, double cpu[STAGES])
{
    char name[300], line[1024] = "";
    snprintf(name, sizeof name, "/proc/%d/task/%s/stat", (int)pid, thread);
    FILE *file = fopen(name, "r");
    if (file == NULL)
        return;
    bool got = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    const char *from = strchr(line, '('), *to = strrchr(line, ')');
    unsigned long user = 0, system = 0;
    if (!got || from == NULL || to == NULL || sscanf(to + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        return;
    for (size_t i = 0; i < STAGES; i++)
        if (strncmp(from + 1, stages[i], strlen(stages[i])) == 0)
            cpu[i] += (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

struct profile profile_read(const struct world *world, const struct server *server)
{
    struct profile profile = { 0 };
    char name[96];
    struct arena_mark mark = arena_mark(world->arena);
    const char *text = http_get(world->arena, server->port, world->key, "/metrics");
    profile.batches = metric(text, "\nmillrace_engine_batches_total ");
    profile.commands = metric(text, "\nmillrace_engine_commands_total ");
    profile.needs = metric(text, "\nmillrace_engine_needs_total ");
    for (size_t i = 0; i < PHASES; i++) {
        snprintf(name, sizeof name, "\nmillrace_engine_phase_seconds_total{phase=\"%s\"} ", phases[i]);
        profile.spent[i] = metric(text, name);
    }
    arena_rewind(world->arena, mark);
    snprintf(name, sizeof name, "/proc/%d/task", (int)server->pid);
    DIR *threads = opendir(name);
    if (threads == NULL)
        die("the server is gone");
    for (struct dirent *entry; (entry = readdir(threads)) != NULL;)
        if (entry->d_name[0] != '.')
            thread_cpu(server->pid, entry->d_name, profile.cpu);
    closedir(threads);
    return profile;
}

void profile_print(const struct profile *from, const struct profile *to, double wall, double orders)
{
    double batches = to->batches - from->batches, rest = wall;
    if (batches < 1)
        return;
    printf("    batch of %.1f, us a batch:", (to->commands - from->commands) / batches);
    for (size_t i = 0; i < PHASES; i++) {
        double spent = to->spent[i] - from->spent[i];
        printf(" %s %.0f", phases[i], spent * 1e6 / batches);
        rest -= spent;
    }
    printf(" rest %.0f; needs %.2f a command\n    CPU us a command:", rest * 1e6 / batches,
           (to->needs - from->needs) / (to->commands - from->commands));
    for (size_t i = 0; i < STAGES; i++)
        printf(" %s %.0f", stages[i], (to->cpu[i] - from->cpu[i]) * 1e6 / orders);
    printf("\n");
}
