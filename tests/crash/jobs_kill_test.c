/* tests/crash/jobs_kill_test.c: the server is killed while a job works. A queue of one SKU is filled by a receipt, then a count finds
 * nothing, which breaks all claims again; after each kill the checker finds nothing, the server goes on by itself, and in the end every
 * row is as it is in a company whose server never died. And orders of others are taken while a queue is filled.
 * MILLRACE_QUEUE sets how many lines wait (3000), MILLRACE_KILLS how often each job is hit (4); MILLRACE_SEED names the moments. */
#include "crash/client.h"
#include "crash/site.h"
#include "db/db.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define PIECE 100     /* orders a call */
#define SOON_US 60000 /* a kill comes after less than that */
#define JOB_WAIT_MS 600000
#define SLOWEST_MS 1000 /* an order beside a job; its 99th percentile */

static struct client client;
static struct server server;

/* ---- the company ---- */

static const char *order_of(const char *sku, const char *prefix, size_t number)
{
    static char body[600];
    snprintf(
        body, sizeof body,
        "{\"channel\":\"web\",\"channel_order_id\":\"%s%zu\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"
        "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s\",\"quantity\":1,\"unit_price\":{\"amount\":\"1.00\","
        "\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}",
        prefix, number, sku);
    return body;
}

/* One connection and whole batches: two companies get the same orders in the same order, and so the same ids. */
static void queue_up(size_t lines)
{
    static char body[PIECE * 600];
    for (size_t first = 0; first < lines; first += PIECE) {
        size_t at = (size_t)snprintf(body, sizeof body, "{\"orders\":[");
        for (size_t i = first; i < first + PIECE && i < lines; i++)
            at += (size_t)snprintf(body + at, sizeof body - at, "%s%s", i == first ? "" : ",", order_of("LAMP", "Q-", i));
        snprintf(body + at, sizeof body - at, "]}");
        client_must(&client, "POST", "/v1/orders/batch", body);
        if (strstr(client.body, "\"problem\"") != NULL)
            fail_msg("%.300s", strstr(client.body, "\"problem\""));
    }
}

static void open_company(struct site *site, const char *url, size_t lines)
{
    static const char *const masters[][2] = {
        { "/v1/units/DE", "{\"name\":\"Germany\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}" },
        { "/v1/nodes/LEJ", "{\"unit\":\"DE\",\"name\":\"Leipzig\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"04103\"}" },
        { "/v1/skus/LAMP", "{\"name\":\"Lamp\"}" },
        { "/v1/skus/BULB", "{\"name\":\"Bulb\"}" },
        { "/v1/channels/web", "{\"unit\":\"DE\",\"name\":\"Web\",\"kind\":\"store\",\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\"}" },
    };
    server = (struct server){ 0 };
    site_make(site, NULL, url);
    server_start(&server, site);
    client_open(&client, server.port, site->key);
    for (size_t i = 0; i < sizeof masters / sizeof *masters; i++)
        client_must(&client, "PUT", masters[i][0], masters[i][1]);
    queue_up(lines);
}

static void adjust(const char *sku, const char *how, size_t units, const char *reason)
{
    char body[200];
    snprintf(body, sizeof body, "{\"node\":\"LEJ\",\"sku\":\"%s\",\"%s\":%zu,\"reason\":\"%s\"}", sku, how, units, reason);
    client_must(&client, "POST", "/v1/inventory/adjustments", body);
}

static bool job_is_open(void)
{
    if (client_call(&client, "GET", "/v1/jobs", NULL, NULL) != 200)
        fail_msg("GET /v1/jobs: %d %s", client.status, client.body);
    return strstr(client.body, "\"id\":\"job_") != NULL;
}

static void wait_for_jobs(void)
{
    for (int64_t until = now_ms() + JOB_WAIT_MS; job_is_open(); usleep(5000))
        if (now_ms() > until)
            fail_msg("a job does not end: %s", client.body);
}

/* ---- what stands in the end ---- */

struct looked {
    const char *name, *columns; /* numbers; the first are the key. No times, and nothing that is sealed or drawn by chance. */
    size_t keys;
};
static const struct looked tables[] = {
    { "orders", "unit, id, channel, stage, version", 2 },
    { "demand", "unit, ord, line, part, sku, ordered, cancelled, backordered, reserved, allocated, shipped", 4 },
    { "waiting", "unit, sku, ord, line, part", 5 },
    { "position", "unit, sku, node, class, available, reserved, allocated, quarantined, fenced, blocked", 4 },
    { "claim", "unit, node, sku, kind, holder, line, part, soft, hard", 7 },
    { "movement", "unit, id, sku, quantity, from_node, from_bucket, to_node, to_bucket, cause_kind, cause", 2 },
    { "adjustment", "unit, id, node, sku, reason, delta, event_seq", 2 },
    { "fulfilment", "unit, id, ord, node, state, version", 2 },
    { "fulfilment_line", "unit, fulfilment, line, part, quantity, cancelled", 4 },
    { "exception_item", "unit, id, type, state, quantity", 2 },
    { "job", "unit, id, kind, state, progress, subject, node, head", 2 },
    { "event", "unit, seq, type, subject_kind, subject, about, node, sku, available, reserved, allocated, quarantined, quantity", 2 },
    { "unit_clock", "unit, event_seq, next_id, config_version, blocked", 1 },
};

static size_t column_count(const struct looked *table)
{
    size_t count = 1;
    for (const char *at = table->columns; (at = strchr(at, ',')) != NULL; at++)
        count++;
    return count;
}

/* Statement and columns stay in the arena: a store knows a statement that it has prepared by its address. */
static struct db_rows rows_of(struct db *db, struct arena *arena, const struct looked *table)
{
    size_t count = column_count(table);
    struct db_column *columns = ARENA_ARRAY(arena, struct db_column, count);
    struct db_statement *statement = ARENA_NEW(arena, struct db_statement);
    struct buffer sql = { .arena = arena };
    for (size_t c = 0; c < count; c++)
        columns[c] = (struct db_column){ .name = "n", .type = DB_INT, .nullable = true, .offset = c * sizeof(int64_t) };
    buffer_printf(&sql, "SELECT %s FROM %s ORDER BY 1", table->columns, table->name);
    for (size_t k = 1; k < table->keys; k++)
        buffer_printf(&sql, ", %zu", k + 1);
    *statement = (struct db_statement){
        .name = table->name, .sqlite = sql.at, .postgres = sql.at, .columns = columns, .column_count = count, .row_size = count * sizeof(int64_t)
    };
    struct db_rows rows;
    if (db_query(db, arena, statement, NULL, &rows) != DB_OK)
        fail_msg("%s: %s", sql.at, db_last_error(db));
    return rows;
}

static struct db *open_store(const struct site *site, struct arena *arena)
{
    struct db *db = NULL;
    const char *error = "";
    if (db_open(&db, &(struct db_options){ .url = site->url }, arena, &error) != DB_OK)
        fail_msg("%s", error);
    if (!db_is_sqlite(db) && db_script(db, "SET statement_timeout = 0") != DB_OK) /* whole tables are read */
        fail_msg("%s", db_last_error(db));
    return db;
}

static void same_rows(const struct site *killed, const struct site *whole)
{
    struct arena *arena = arena_new((size_t)1 << 30);
    struct db *stores[] = { open_store(killed, arena), open_store(whole, arena) };
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        struct db_rows a = rows_of(stores[0], arena, &tables[t]), b = rows_of(stores[1], arena, &tables[t]);
        if (a.count != b.count)
            fail_msg("%s: %zu rows after kills, %zu without", tables[t].name, a.count, b.count);
        for (size_t i = 0; i < a.count; i++)
            if (memcmp(db_row(&a, i), db_row(&b, i), column_count(&tables[t]) * sizeof(int64_t)) != 0)
                fail_msg("%s: row %zu is not the same", tables[t].name, i + 1);
    }
    db_close(stores[0]);
    db_close(stores[1]);
    arena_free(arena);
}

/* Looked at while no server runs: whether the kill found the job at work. */
static bool is_half_done(const struct site *site)
{
    static const struct looked open_jobs = { "job WHERE state = 1", "id", 1 };
    struct arena *arena = arena_new((size_t)1 << 24);
    struct db *db = open_store(site, arena);
    bool half = rows_of(db, arena, &open_jobs).count > 0;
    db_close(db);
    arena_free(arena);
    return half;
}

/* ---- the scenes ---- */

static size_t kill_while_it_works(const struct site *site, size_t kills, unsigned *seed)
{
    size_t hits = 0;
    for (size_t k = 0; k < kills; k++) {
        usleep((useconds_t)(rand_r(seed) % SOON_US));
        server_kill(&server);
        client_close(&client);
        hits += is_half_done(site);
        if (site_check(site) != 0)
            fail_msg("kill %zu: the checker finds something", k);
        server_start(&server, site);
        client_open(&client, server.port, site->key);
    }
    return hits;
}

/* Received, and counted away: two jobs. How many kills found one at work. */
static size_t live_through(const struct site *site, size_t lines, size_t kills, unsigned *seed)
{
    adjust("LAMP", "delta", lines - lines / 10, "receipt"); /* the last of the queue go on waiting */
    size_t hits = kill_while_it_works(site, kills, seed);
    wait_for_jobs();
    adjust("LAMP", "set", 5, "count");
    hits += kill_while_it_works(site, kills, seed);
    wait_for_jobs();
    return hits;
}

static void close_company(struct site *site)
{
    client_close(&client);
    server_stop(&server);
    assert_int_equal(site_check(site), 0);
}

static void kill_and_compare(const char *url)
{
    struct site killed, whole;
    size_t lines = setting("MILLRACE_QUEUE", 3000), kills = setting("MILLRACE_KILLS", 4);
    unsigned seed = (unsigned)setting("MILLRACE_SEED", (size_t)time(NULL));
    print_message("MILLRACE_SEED=%u\n", seed);
    open_company(&whole, url, lines);
    live_through(&whole, lines, 0, &seed);
    close_company(&whole);
    open_company(&killed, url, lines);
    size_t hits = live_through(&killed, lines, kills, &seed);
    close_company(&killed);
    same_rows(&killed, &whole);
    site_delete(&killed);
    site_delete(&whole);
    print_message("%zu of %zu kills found a job at work\n", hits, 2 * kills);
    assert_true(hits > 0 || kills == 0);
}

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Orders of another SKU, one after the other, until the queue is filled. */
static void take_orders_beside(const char *url)
{
    enum { BESIDE_MAX = 200000, LOOK_EVERY = 20 };
    static int64_t took[BESIDE_MAX];
    struct site site;
    size_t lines = setting("MILLRACE_QUEUE", 3000), count = 0;
    open_company(&site, url, lines);
    adjust("BULB", "delta", BESIDE_MAX, "receipt");
    int64_t from = now_ms();
    adjust("LAMP", "delta", lines, "receipt");
    int64_t answered = now_ms() - from;
    do {
        for (int i = 0; i < LOOK_EVERY && count < BESIDE_MAX; i++, count++) {
            int64_t begun = now_us();
            client_must(&client, "POST", "/v1/orders", order_of("BULB", "B-", count));
            took[count] = now_us() - begun;
        }
    } while (job_is_open());
    int64_t filled = now_ms() - from;
    qsort(took, count, sizeof *took, by_size);
    int64_t p99 = took[count - 1 - count / 100];
    print_message("%zu lines filled in %ld ms, the receipt answered in %ld ms; %zu orders beside: p50 %ld us, p99 %ld us, slowest %ld us\n", lines,
                  (long)filled, (long)answered, count, (long)took[count / 2], (long)p99, (long)took[count - 1]);
    client_must(&client, "GET", "/v1/inventory?sku=LAMP&node=LEJ", NULL);
    assert_int_equal(number_after(client.body, "allocated"), lines);
    close_company(&site);
    site_delete(&site);
    assert_true(p99 <= INT64_C(1000) * SLOWEST_MS);
}

static void on_postgres(void (*scene)(const char *url))
{
    if (site_postgres() == NULL)
        skip();
    scene(site_postgres());
}

static void a_job_goes_on_after_kills_on_sqlite(void **state)
{
    kill_and_compare(NULL);
}

static void a_job_goes_on_after_kills_on_postgresql(void **state)
{
    on_postgres(kill_and_compare);
}

static void orders_are_taken_beside_a_job_on_sqlite(void **state)
{
    take_orders_beside(NULL);
}

static void orders_are_taken_beside_a_job_on_postgresql(void **state)
{
    on_postgres(take_orders_beside);
}

static int kill_the_server(void **state)
{
    server_kill(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_job_goes_on_after_kills_on_sqlite, kill_the_server),
        cmocka_unit_test_teardown(a_job_goes_on_after_kills_on_postgresql, kill_the_server),
        cmocka_unit_test_teardown(orders_are_taken_beside_a_job_on_sqlite, kill_the_server),
        cmocka_unit_test_teardown(orders_are_taken_beside_a_job_on_postgresql, kill_the_server),
    };
    return cmocka_run_group_tests_name("jobs_kill", tests, NULL, NULL);
}
