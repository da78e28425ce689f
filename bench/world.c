/* bench/world.c: a company with 100,000 SKUs in 4 nodes and what it has sold already, made once and copied. */
#include "bench.h"
#include "base/when.h"
#include "engine/vault.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("orders: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

const char *const demand_names[] = { "uniform", "skewed", "hot" };

uint64_t chance(uint64_t below)
{
    static _Thread_local uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % below;
}

void draw_skus(uint64_t sku_count, enum demand demand, uint64_t skus[LINES])
{
    for (size_t i = 0; i < LINES;) {
        bool hot = demand == DEMAND_HOT || (demand == DEMAND_SKEWED && chance(10) != 0);
        skus[i] = chance(hot ? HOT : sku_count);
        bool again = false;
        for (size_t j = 0; j < i; j++)
            again = again || skus[j] == skus[i];
        i += !again;
    }
}

int order_body(char *out, size_t room, uint64_t number, const uint64_t skus[LINES])
{
    char lines[LINES * 200] = "";
    size_t used = 0;
    for (size_t i = 0; i < LINES; i++)
        used += (size_t)snprintf(lines + used, sizeof lines - used,
                                 "%s{\"sku\":\"S%06lu\",\"quantity\":1,\"unit_price\":{\"amount\":\"19.99\",\"currency\":\"EUR\"},"
                                 "\"tax\":{\"amount\":\"3.19\",\"currency\":\"EUR\"}}",
                                 i == 0 ? "" : ",", (unsigned long)skus[i]);
    return snprintf(
        out, room,
        "{\"channel\":\"web\",\"channel_order_id\":\"W-%012lu\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
        "\"prices_include_tax\":true,\"customer\":{\"name\":\"Friederike Musterfrau\",\"email\":\"friederike.musterfrau@example.com\","
        "\"phone\":\"+49 341 5550100\"},\"ship_to\":{\"name\":\"Friederike Musterfrau\",\"street\":\"Karl-Liebknecht-Strasse 143, Hinterhaus\","
        "\"postal_code\":\"04277\",\"city\":\"Leipzig\",\"country\":\"DE\",\"email\":\"friederike.musterfrau@example.com\","
        "\"phone\":\"+49 341 5550100\"},\"shipping\":{\"service\":\"standard\",\"price\":{\"amount\":\"4.90\",\"currency\":\"EUR\"}},"
        "\"lines\":[%s],\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\",\"method\":\"bank_transfer\"}}",
        (unsigned long)number, lines);
}

/* The store's own key: what is sealed and hashed here the server must know again. */
static struct vault *vault_of(const char *url, struct arena *arena)
{
    struct db *db = NULL;
    const char *error = "";
    struct vault *vault = NULL;
    if (strcmp(url, "sqlite::memory:") == 0)
        return vault_seeded(7);
    if (db_open(&db, &(struct db_options){ .url = url }, arena, &error) == DB_OK)
        vault = vault_open(url, db, false, arena, &error);
    if (vault == NULL)
        die("%s: %s", url, error);
    db_close(db);
    return vault;
}

void inside_open(struct inside *inside, const char *url, bool no_sync)
{
    const char *error = "";
    inside->arena = arena_new((size_t)1 << 30);
    inside->vault = vault_of(url, inside->arena);
    struct engine_options options = { .url = url,
                                      .db = { .url = url, .create = true, .no_sync = no_sync, .cache_kib = no_sync ? 2 << 20 : 0 },
                                      .vault = inside->vault,
                                      .batch_us = -1,
                                      .batch_rows = (size_t)1 << 20 };
    inside->engine = engine_open(&options, inside->arena, &error);
    inside->local = inside->engine == NULL ? NULL : local_open(inside->engine, inside->vault, inside->arena, &error);
    if (inside->local == NULL)
        die("%s: %s", url, error);
}

void inside_close(struct inside *inside)
{
    local_close(inside->local);
    engine_close(inside->engine);
    vault_close(inside->vault);
    arena_free(inside->arena);
}

static void put(struct inside *inside, const char *target, const char *body)
{
    struct reply reply = local_call(inside->local, inside->arena, "PUT", target, body);
    if (reply.status != 201)
        die("PUT %s: %d %s", target, reply.status, reply.body);
}

void many(struct inside *inside, uint64_t first, uint64_t count, struct command *(*make)(struct inside *, struct arena *, uint64_t))
{
    struct arena *arena = arena_new((size_t)256 << 20);
    static struct command *commands[2000];
    int64_t wal_bytes;
    for (uint64_t at = first; at < count;) {
        size_t n = 0;
        for (; n < COUNT(commands) && at < count; n++, at++)
            commands[n] = make(inside, arena, at);
        engine_run(inside->engine, commands, n);
        for (size_t i = 0; i < n; i++)
            if (commands[i]->state != COMMAND_ACCEPTED)
                die("setup refused: %s", commands[i]->faults.count > 0 ? commands[i]->faults.items[0].detail : "?");
        arena_reset(arena);
        (void)db_checkpoint(engine_db(inside->engine), at % 10000 == 0 ? CHECKPOINT_WAITS_US : 0, &wal_bytes);
    }
    arena_free(arena);
}

static struct command *make_sku(struct inside *inside, struct arena *arena, uint64_t i)
{
    return local_command(inside->local, arena, "PUT", arena_printf(arena, "/v1/skus/S%06lu", (unsigned long)i), "{\"name\":\"Thing\"}", NULL);
}

static struct command *make_stock(struct inside *inside, struct arena *arena, uint64_t i)
{
    return local_command(inside->local, arena, "POST", "/v1/inventory/adjustments",
                         arena_printf(arena, "{\"node\":\"N%lu\",\"sku\":\"S%06lu\",\"delta\":1000000,\"reason\":\"receipt\"}",
                                      (unsigned long)(i % NODES + 1), (unsigned long)(i / NODES)),
                         NULL);
}

static void put_places(struct inside *inside)
{
    put(inside, "/v1/units/DE", "{\"name\":\"Germany\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}");
    for (int i = 1; i <= NODES; i++)
        put(inside, arena_printf(inside->arena, "/v1/nodes/N%d", i),
            arena_printf(
                inside->arena,
                "{\"unit\":\"DE\",\"name\":\"Node %d\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"0410%d\",\"priority\":%d}", i, i,
                i));
    put(inside, "/v1/channels/web",
        "{\"unit\":\"DE\",\"name\":\"Web\",\"kind\":\"store\",\"priority\":2,\"nodes\":[\"N1\",\"N2\",\"N3\",\"N4\"],\"shortage\":\"backorder\"}");
}

void furnish(struct inside *inside, uint64_t from, uint64_t sku_count)
{
    if (from == 0)
        put_places(inside);
    many(inside, from, sku_count, make_sku);
    many(inside, from * NODES, sku_count * NODES, make_stock);
}

/* The last word of what a program said. */
static void said(const char *command, char *out, size_t room)
{
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        die("%s: %m", command);
    while (fgets(out, (int)room, pipe) != NULL)
        out[strcspn(out, "\n")] = '\0';
    if (pclose(pipe) != 0)
        die("%s failed", command);
}

static void admin(struct world *world, const char *sql)
{
    struct db *db;
    const char *error = "";
    struct db_options options = { .url = world->admin_url };
    if (db_open(&db, &options, world->arena, &error) != DB_OK || db_script(db, "SET statement_timeout = 0") != DB_OK || db_script(db, sql) != DB_OK)
        die("%s: %s", sql, error[0] != '\0' ? error : db_last_error(db));
    db_close(db);
}

static void name_database(const struct world *world, const char *suffix, char *out, size_t room)
{
    const char *query = strchr(world->admin_url, '?'), *name = strstr(world->admin_url, "/postgres?");
    name = name != NULL ? name : strstr(world->admin_url + strlen("postgres://"), "/postgres");
    if (name == NULL)
        die("MILLRACE_TEST_POSTGRES must name the database postgres");
    snprintf(out, room, "%.*s/%s%s%s", (int)(name - world->admin_url), world->admin_url, world->name, suffix, query == NULL ? "" : query);
}

/* Not of empty tables: their statistics would say that they stay so. */
static void analyze(const struct world *world)
{
    struct db *db = NULL;
    const char *error = "";
    const char *sql = world->history > 0 ? "ANALYZE" : "ANALYZE sku, position, movement, adjustment, event, node";
    if (db_open(&db, &(struct db_options){ .url = world->url }, world->arena, &error) != DB_OK)
        die("%s: %s", world->url, error);
    if (db_script(db, "SET statement_timeout = 0") != DB_OK || db_script(db, sql) != DB_OK)
        die("%s: %s", sql, db_last_error(db));
    db_close(db);
}

/* What is known of a kept world stands beside it; zeros: there is none yet. */
static void note_read(struct world *world, uint64_t *sku_count, uint64_t *history)
{
    char name[300];
    snprintf(name, sizeof name, "%s/world", world->dir);
    FILE *file = world->kept ? fopen(name, "r") : NULL;
    *sku_count = *history = 0;
    if (file == NULL)
        return;
    if (fscanf(file, "%255s %lu %lu", world->key, sku_count, history) != 3)
        die("%s is not what it should be", name);
    fclose(file);
    printf("kept world: %lu SKUs, %lu orders and those of earlier runs\n", (unsigned long)*sku_count, (unsigned long)*history);
}

static void note_write(const struct world *world)
{
    char name[300];
    snprintf(name, sizeof name, "%s/world", world->dir);
    FILE *file = fopen(name, "w");
    if (file == NULL || fprintf(file, "%s %lu %lu\n", world->key, (unsigned long)world->sku_count, (unsigned long)world->history) < 0 ||
        fclose(file) != 0)
        die("%s: %m", name);
}

static void open_books(struct world *world)
{
    char word[256] = "";
    said(arena_printf(world->arena, "'%s' init --db '%s' --company Bench 2>&1", world->binary, world->url), word, sizeof word);
    said(arena_printf(world->arena, "'%s' key add --db '%s' --name bench --scope admin", world->binary, world->url), world->key, sizeof world->key);
}

/* A kept world that is smaller than what is asked for grows; one that is larger stays as it is. */
static void fill(struct world *world)
{
    struct inside inside;
    uint64_t skus, orders;
    int64_t at = when_monotonic_us();
    note_read(world, &skus, &orders);
    if (skus == 0)
        open_books(world);
    if (skus == 0 && world->sku_count == 0)
        world->sku_count = SKUS;
    bool grows = world->sku_count > skus || world->history > orders;
    world->sku_count = world->sku_count > skus ? world->sku_count : skus;
    world->history = world->history > orders ? world->history : orders;
    if (!grows)
        return;
    inside_open(&inside, world->url, true);
    if (world->sku_count > skus) {
        furnish(&inside, skus, world->sku_count);
        printf("setup: %lu SKUs, %lu positions, %.1f s\n", (unsigned long)world->sku_count, (unsigned long)world->sku_count * NODES,
               (double)(when_monotonic_us() - at) / 1e6);
    }
    if (world->history > orders)
        history_fill(&inside, world, orders);
    inside_close(&inside);
    if (world->admin_url != NULL)
        analyze(world);
    if (world->kept)
        note_write(world);
}

static void copy_for_floor(struct world *world)
{
    char word[256] = "";
    if (world->admin_url != NULL)
        admin(world, arena_printf(world->arena, "CREATE DATABASE %s_floor TEMPLATE %s", world->name, world->name));
    else
        said(arena_printf(world->arena, "cp %s/server.db %s/floor.db && sync", world->dir, world->dir), word, sizeof word);
}

void world_make(struct world *world, bool with_floor)
{
    if (!world->kept && mkdtemp(world->dir) == NULL)
        die("%s: %m", world->dir);
    if (world->kept && mkdir(world->dir, 0755) != 0 && errno != EEXIST)
        die("%s: %m", world->dir);
    snprintf(world->name, sizeof world->name, "bench_%d", (int)getpid());
    snprintf(world->url, sizeof world->url, "sqlite:%s/server.db", world->dir);
    snprintf(world->floor_url, sizeof world->floor_url, "sqlite:%s/floor.db", world->dir);
    if (world->admin_url != NULL) {
        name_database(world, "", world->url, sizeof world->url);
        name_database(world, "_floor", world->floor_url, sizeof world->floor_url);
        admin(world, arena_printf(world->arena, "CREATE DATABASE %s", world->name));
    }
    fill(world);
    if (with_floor)
        copy_for_floor(world);
}

void world_drop(struct world *world, bool with_floor)
{
    char word[256];
    if (world->admin_url != NULL) {
        admin(world, arena_printf(world->arena, "DROP DATABASE %s WITH (FORCE)", world->name));
        if (with_floor)
            admin(world, arena_printf(world->arena, "DROP DATABASE %s_floor WITH (FORCE)", world->name));
    }
    said(arena_printf(world->arena, world->kept ? "rm -f %s/floor.db*" : "rm -r %s", world->dir), word, sizeof word);
}
