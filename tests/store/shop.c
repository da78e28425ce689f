/* tests/store/shop.c: see shop.h. */
#include "store/shop.h"
#include "connect/connect.h"
#include "check/check.h"
#include "engine/jobs.h"
#include "engine/vault.h"
#include "orders/told.h"
#include "schema.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static int64_t shop_now(void *context)
{
    return ((struct shop *)context)->now_us;
}

bool store_is_there(enum store store)
{
    if (store == STORE_SQLITE || getenv("MILLRACE_TEST_POSTGRES") != NULL)
        return true;
    print_message("SKIPPED on PostgreSQL: MILLRACE_TEST_POSTGRES names no server\n");
    return false;
}

static void must(enum db_result result, const char *what)
{
    if (result != DB_OK)
        fail_msg("%s: %s", what, db_result_name(result));
}

static void company_make(struct shop *shop, struct db *db)
{
    static const uint8_t head[32];
    struct unit_clock_row clock = { .next_id = 1000, .config_version = 1, .audit_head = { head, sizeof head } };
    struct company_row company = { .name = "Shop", .made_at = shop->now_us };
    const void *rows[] = { &clock, &company };
    must(db_begin(db), "begin");
    must(db_insert(db, &unit_clock_table, &rows[0], 1), "clock");
    must(db_insert(db, &company_table, &rows[1], 1), "company");
    must(db_commit(db), "commit");
}

/* Each shop on PostgreSQL is a database of its own: they do not see each other and go with the test. */
static void postgres_database(struct shop *shop, const char *sql)
{
    const char *error;
    struct db *db;
    struct db_options options = { .url = shop->admin_url };
    must(db_open(&db, &options, shop->arena, &error), "admin");
    must(db_script(db, sql), sql);
    db_close(db);
}

static void postgres_url(const struct shop *shop, const char *database, char *out, size_t room)
{
    const char *query = strchr(shop->admin_url, '?'), *name = strstr(shop->admin_url, "/postgres");
    snprintf(out, room, "%.*s/%s%s", (int)(name - shop->admin_url), shop->admin_url, database, query == NULL ? "" : query);
}

static void name_store(struct shop *shop, enum store store)
{
    snprintf(shop->url, sizeof shop->url, "sqlite::memory:");
    if (store == STORE_SQLITE)
        return;
    snprintf(shop->admin_url, sizeof shop->admin_url, "%s", getenv("MILLRACE_TEST_POSTGRES"));
    snprintf(shop->schema, sizeof shop->schema, "shop_%d_%p", (int)getpid(), (void *)shop);
    postgres_database(shop, arena_printf(shop->arena, "CREATE DATABASE \"%s\"", shop->schema));
    postgres_url(shop, shop->schema, shop->url, sizeof shop->url);
}

static struct engine *engine_of(struct shop *shop, const char **error)
{
    struct engine_options options = { .url = shop->url,
                                      .db = { .url = shop->url, .create = true, .no_sync = true },
                                      .vault = shop->vault,
                                      .clock = { shop_now, shop },
                                      .batch_us = -1 };
    return engine_open(&options, shop->arena, error);
}

struct engine *shop_second_engine(struct shop *shop)
{
    const char *error = "";
    struct engine *engine = engine_of(shop, &error);
    if (engine == NULL)
        fail_msg("no second engine: %s", error);
    return engine;
}

struct shop *shop_open(enum store store)
{
    struct shop *shop = calloc(1, sizeof *shop);
    const char *error = "";
    shop->arena = arena_new((size_t)1 << 30);
    shop->now_us = INT64_C(1764000000000000);
    shop->vault = vault_seeded(7);
    name_store(shop, store);
    shop->engine = engine_of(shop, &error);
    if (shop->engine == NULL || db_migrate(engine_db(shop->engine), false, shop->arena, &error) != MIGRATE_DONE)
        fail_msg("no shop: %s", error);
    company_make(shop, engine_db(shop->engine));
    shop->local = local_open(shop->engine, shop->vault, shop->arena, &error);
    if (shop->local == NULL)
        fail_msg("no routes: %s", error);
    return shop;
}

static void fail_violated(void *context, const struct violation *v)
{
    fail_msg("check: %s (%s): expected %s, found %s", v->id, v->keys, v->expected, v->found);
}

void shop_check(struct shop *shop)
{
    struct check check = { .db = engine_db(shop->engine), .vault = shop->vault, .arena = arena_new((size_t)1 << 28), .tell = fail_violated };
    must(check_all(&check), "check");
    arena_free(check.arena);
}

size_t shop_jobs(struct shop *shop, int64_t unit)
{
    size_t rounds = 0;
    bool open = true;
    for (; open && rounds < 10000; rounds++)
        must(jobs_advance(shop->engine, shop->arena, unit, &open), "jobs");
    return rounds - 1;
}

size_t shop_promises(struct shop *shop, int64_t unit)
{
    size_t rounds = 0;
    bool open = true;
    for (; open && rounds < 10000; rounds++)
        must(promises_advance(shop->engine, shop->arena, unit, &open), "promises");
    return rounds - 1;
}

void shop_open_again(struct shop *shop)
{
    const char *error = "";
    struct engine_options options = { .url = shop->url, .db = { .url = shop->url, .no_sync = true }, .vault = shop->vault, .batch_us = -1 };
    local_close(shop->local);
    engine_close(shop->engine);
    shop->engine = engine_open(&options, shop->arena, &error);
    shop->local = shop->engine == NULL ? NULL : local_open(shop->engine, shop->vault, shop->arena, &error);
    if (shop->local == NULL)
        fail_msg("%s: %s", shop->url, error);
}

void shop_in_file(struct shop *shop, const char *path)
{
    must(db_script(engine_db(shop->engine), arena_printf(shop->arena, "VACUUM INTO '%s'", path)), path);
    snprintf(shop->url, sizeof shop->url, "sqlite:%s", path);
    shop_open_again(shop);
}

void shop_rest(struct shop *shop)
{
    if (!shop->broken)
        shop_check(shop);
    shop->broken = true; /* it was looked at, and has no engine for another look */
    local_close(shop->local);
    engine_close(shop->engine);
    shop->local = NULL;
    shop->engine = NULL;
}

static void copy_file(const char *from, const char *to)
{
    static char bytes[1 << 16];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    if (in == NULL || out == NULL)
        fail_msg("%s cannot become %s", from, to);
    for (size_t size; (size = fread(bytes, 1, sizeof bytes, in)) > 0;)
        if (fwrite(bytes, 1, size, out) != size)
            fail_msg("%s cannot be written", to);
    if (ferror(in) || fclose(in) != 0 || fclose(out) != 0)
        fail_msg("%s is no copy of %s", to, from);
}

static struct db *copy_open(struct shop *shop, const char *url, bool read)
{
    const char *error = "";
    struct db *db = NULL;
    if (db_open(&db, &(struct db_options){ .url = url, .projection = read, .no_sync = true }, shop->arena, &error) != DB_OK)
        fail_msg("%s: %s", url, error);
    return db;
}

void shop_copy(struct shop *shop, bool with_read, struct shop_copy *copy)
{
    if (shop->schema[0] != '\0') {
        snprintf(copy->name, sizeof copy->name, "%s_copy", shop->schema);
        postgres_database(shop, arena_printf(shop->arena, "CREATE DATABASE \"%s\" TEMPLATE \"%s\"", copy->name, shop->schema));
        postgres_url(shop, copy->name, copy->url, sizeof copy->url);
    } else {
        const char *path = shop->url + strlen("sqlite:");
        snprintf(copy->url, sizeof copy->url, "%s.copy", shop->url);
        copy_file(path, arena_printf(shop->arena, "%s.copy", path));
        if (with_read)
            copy_file(arena_printf(shop->arena, "%s.read", path), arena_printf(shop->arena, "%s.copy.read", path));
    }
    copy->db = copy_open(shop, copy->url, false);
    copy->read = with_read ? copy_open(shop, copy->url, true) : NULL;
}

void shop_copy_close(struct shop *shop, struct shop_copy *copy)
{
    db_close(copy->read);
    db_close(copy->db);
    if (shop->schema[0] != '\0') {
        postgres_database(shop, arena_printf(shop->arena, "DROP DATABASE \"%s\" WITH (FORCE)", copy->name));
        return;
    }
    unlink(copy->url + strlen("sqlite:"));
    if (copy->read != NULL)
        unlink(arena_printf(shop->arena, "%s.read", copy->url + strlen("sqlite:")));
}

void shop_close(struct shop *shop)
{
    if (!shop->broken)
        shop_check(shop);
    local_close(shop->local);
    engine_close(shop->engine);
    if (shop->schema[0] != '\0')
        postgres_database(shop, arena_printf(shop->arena, "DROP DATABASE \"%s\" WITH (FORCE)", shop->schema));
    vault_close(shop->vault);
    arena_free(shop->arena);
    free(shop);
}

static struct reply call_v(struct shop *shop, const char *method, const char *target, const char *format, va_list args)
{
    const char *body = format == NULL ? NULL : arena_vprintf(shop->arena, format, args);
    return local_call(shop->local, shop->arena, method, arena_text(shop->arena, target), body);
}

struct reply shop_call(struct shop *shop, const char *method, const char *target, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct reply reply = call_v(shop, method, target, format, args);
    va_end(args);
    return reply;
}

struct reply shop_must(struct shop *shop, int status, const char *method, const char *target, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct reply reply = call_v(shop, method, target, format, args);
    va_end(args);
    if (reply.status != status)
        fail_msg("%s %s: %d instead of %d: %s", method, target, reply.status, status, reply.body);
    return reply;
}

void shop_furnish(struct shop *shop)
{
    static const struct {
        const char *target, *body;
    } masters[] = {
        { "/v1/units/DE", "{\"name\":\"Germany\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}" },
        { "/v1/nodes/LEJ",
          "{\"unit\":\"DE\",\"name\":\"Leipzig\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"04103\",\"priority\":1}" },
        { "/v1/nodes/HAM",
          "{\"unit\":\"DE\",\"name\":\"Hamburg\",\"kind\":\"third_party\",\"country\":\"DE\",\"postal_code\":\"20095\",\"priority\":2}" },
        { "/v1/skus/LAMP", "{\"name\":\"Lamp\"}" },
        { "/v1/skus/BULB", "{\"name\":\"Bulb\"}" },
        { "/v1/skus/SHADE", "{\"name\":\"Shade\"}" },
        { "/v1/bundles/KIT", "{\"name\":\"Kit\",\"components\":[{\"sku\":\"BULB\",\"quantity\":2},{\"sku\":\"SHADE\",\"quantity\":1}]}" },
        { "/v1/channels/web",
          "{\"unit\":\"DE\",\"name\":\"Web\",\"kind\":\"store\",\"priority\":2,\"nodes\":[\"LEJ\",\"HAM\"],\"shortage\":\"backorder\"}" },
        { "/v1/channels/b2b",
          "{\"unit\":\"DE\",\"name\":\"B2B\",\"kind\":\"b2b\",\"priority\":1,\"nodes\":[\"LEJ\",\"HAM\"],\"shortage\":\"reject\"}" },
        { "/v1/channels/market",
          "{\"unit\":\"DE\",\"name\":\"Market\",\"kind\":\"marketplace\",\"priority\":3,\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\"}" },
    };
    for (size_t i = 0; i < COUNT(masters); i++)
        shop_must(shop, 201, "PUT", masters[i].target, "%s", masters[i].body);
}

void receive(struct shop *shop, const char *node, const char *sku, int64_t quantity)
{
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"%s\",\"sku\":\"%s\",\"delta\":%ld,\"reason\":\"receipt\"}", node, sku,
              (long)quantity);
}

struct reply order(struct shop *shop, const char *channel, const char *id, const char *sku, int64_t quantity)
{
    return shop_call(shop, "POST", "/v1/orders",
                     "{\"channel\":\"%s\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                     "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},"
                     "\"lines\":[{\"sku\":\"%s\",\"quantity\":%ld,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],"
                     "\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\"}}",
                     channel, id, sku, (long)quantity);
}

int64_t number_in(const char *text, const char *after, const char *name)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *from = after == NULL ? text : strstr(text, after);
    const char *at = from == NULL ? NULL : strstr(from, quoted);
    return at == NULL ? -1 : strtoll(at + strlen(quoted), NULL, 10);
}

void text_in(const char *text, const char *after, const char *name, char *out, size_t room)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
    const char *from = after == NULL ? text : strstr(text, after);
    const char *at = from == NULL ? NULL : strstr(from, quoted);
    out[0] = '\0';
    if (at != NULL)
        snprintf(out, room, "%.*s", (int)strcspn(at + strlen(quoted), "\""), at + strlen(quoted));
}

/* Compared between companies; what follows the events, and what only says where a batch ended, may lag or differ. */
static bool is_compared(const struct db_table *table, const struct db_column *column)
{
    return table != &unit_clock_table || strcmp(column->name, "batch_id") != 0;
}

static bool is_dumped(const struct db_table *table)
{
    static const char *const left_out[] = { "batch",      "cursor_of_unit", "movement_by_sku", "order_token",     "ledger_cursor",
                                            "ledger_day", "ledger_posting", "ledger_stock",    "schema_migration" };
    for (size_t i = 0; i < COUNT(left_out); i++)
        if (strcmp(table->name, left_out[i]) == 0)
            return false;
    return true;
}

static void dump_row(struct buffer *out, const struct db_table *table, const char *row)
{
    buffer_text(out, table->name);
    for (size_t c = 0; c < table->column_count; c++) {
        const struct db_column *column = &table->columns[c];
        const char *at = row + column->offset;
        if (!is_compared(table, column))
            continue;
        if (column->type == DB_INT) {
            buffer_printf(out, " %ld", (long)*(const int64_t *)(const void *)at);
        } else if (column->type == DB_TEXT) {
            const char *text = *(const char *const *)(const void *)at;
            buffer_printf(out, " '%s'", text == NULL ? "-" : text);
        } else {
            const struct bytes *blob = (const struct bytes *)(const void *)at;
            buffer_printf(out, " %016lx", (unsigned long)hash_bytes(blob->at, blob->size, 1));
        }
    }
    buffer_text(out, "\n");
}

static const struct db_statement *select_of(struct shop *shop, size_t t)
{
    if (shop->selects == NULL)
        shop->selects = arena_alloc(shop->arena, db_table_count * sizeof *shop->selects);
    if (shop->selects[t] == NULL) {
        const struct db_table *table = db_tables[t];
        struct buffer sql = { .arena = shop->arena };
        for (size_t c = 0; c < table->column_count; c++)
            buffer_printf(&sql, "%s%s", c == 0 ? "SELECT " : ", ", table->columns[c].name);
        buffer_printf(&sql, " FROM %s ORDER BY 1", table->name);
        for (size_t c = 1; c < table->key_count; c++)
            buffer_printf(&sql, ", %zu", c + 1);
        shop->selects[t] = ARENA_NEW(shop->arena, struct db_statement);
        *shop->selects[t] = (struct db_statement){ .name = table->name,
                                                   .sqlite = sql.at,
                                                   .postgres = sql.at,
                                                   .columns = table->columns,
                                                   .column_count = table->column_count,
                                                   .row_size = table->row_size };
    }
    return shop->selects[t];
}

struct db_rows shop_table(struct shop *shop, struct arena *arena, const struct db_table *table)
{
    struct db_rows rows;
    size_t t = 0;
    while (db_tables[t] != table)
        t++;
    must(db_query(engine_db(shop->engine), arena, select_of(shop, t), NULL, &rows), table->name);
    return rows;
}

char *shop_dump(struct shop *shop, struct arena *arena)
{
    struct buffer out = { .arena = arena };
    for (size_t t = 0; t < db_table_count; t++) {
        if (!is_dumped(db_tables[t]))
            continue;
        struct db_rows rows = shop_table(shop, arena, db_tables[t]);
        for (size_t i = 0; i < rows.count; i++)
            dump_row(&out, db_tables[t], db_row(&rows, i));
    }
    return out.at;
}

static bool same_value(enum db_type type, const void *a, const void *b)
{
    if (type == DB_INT)
        return *(const int64_t *)a == *(const int64_t *)b;
    if (type == DB_TEXT)
        return text_equal(*(const char *const *)a, *(const char *const *)b);
    const struct bytes *x = a, *y = b;
    return x->size == y->size && (x->size == 0 || memcmp(x->at, y->at, x->size) == 0);
}

static bool same_row(const struct db_table *table, const char *a, const char *b)
{
    for (size_t c = 0; c < table->column_count; c++) {
        const struct db_column *column = &table->columns[c];
        if (is_compared(table, column) && !same_value(column->type, a + column->offset, b + column->offset))
            return false;
    }
    return true;
}

static const char *row_text(struct arena *arena, const struct db_table *table, const struct db_rows *rows, size_t i)
{
    struct buffer out = { .arena = arena };
    if (i >= rows->count)
        return "no row\n";
    dump_row(&out, table, db_row(rows, i));
    return out.at;
}

const char *shop_difference(struct shop *shop, struct shop *other, struct arena *arena)
{
    for (size_t t = 0; t < db_table_count; t++) {
        const struct db_table *table = db_tables[t];
        if (!is_dumped(table))
            continue;
        struct db_rows a = shop_table(shop, arena, table), b = shop_table(other, arena, table);
        for (size_t i = 0; i < a.count || i < b.count; i++)
            if (i >= a.count || i >= b.count || !same_row(table, db_row(&a, i), db_row(&b, i)))
                return arena_printf(arena, "%s: %s and %s", table->name, row_text(arena, table, &a, i), row_text(arena, table, &b, i));
    }
    return NULL;
}

void many_run(struct many *many)
{
    engine_run(many->shop->engine, many->commands, many->count);
    for (size_t i = 0; i < many->count; i++)
        if (many->commands[i]->answer.status != 201)
            fail_msg("%d: %s", many->commands[i]->answer.status, many->commands[i]->answer.body);
    many->count = 0;
}

void order_forbid(struct shop *shop, const char *channel_order_id)
{
    struct db *db = engine_db(shop->engine);
    const char *sql = db_is_sqlite(db) ? arena_printf(shop->arena,
                                                      "CREATE TRIGGER forbidden BEFORE INSERT ON orders WHEN NEW.channel_order_id = '%s' "
                                                      "BEGIN SELECT RAISE(ABORT, 'no'); END;",
                                                      channel_order_id)
                                       : arena_printf(shop->arena, "ALTER TABLE orders ADD CONSTRAINT forbidden CHECK (channel_order_id <> '%s');",
                                                      channel_order_id);
    must(db_script(db, sql), sql);
}

void order_allow(struct shop *shop)
{
    struct db *db = engine_db(shop->engine);
    const char *sql = db_is_sqlite(db) ? "DROP TRIGGER forbidden;" : "ALTER TABLE orders DROP CONSTRAINT forbidden;";
    must(db_script(db, sql), sql);
}

enum command_state shop_command(struct shop *shop, const struct command_type *type, int64_t unit, const void *input)
{
    struct command *command = ARENA_NEW(shop->arena, struct command);
    *command = (struct command){ .type = type, .arena = shop->arena, .input = input, .unit = unit };
    command->faults.arena = shop->arena;
    engine_run(shop->engine, &command, 1);
    return command->state;
}

static struct webhook_row webhook_of(struct shop *shop, const char *code)
{
    struct db_rows rows = shop_table(shop, shop->arena, &webhook_table);
    for (size_t i = 0; i < rows.count; i++)
        if (strcmp(((const struct webhook_row *)db_row(&rows, i))->code, code) == 0)
            return *(const struct webhook_row *)db_row(&rows, i);
    fail_msg("there is no webhook %s", code);
    return (struct webhook_row){ 0 };
}

static const struct webhook_subscription_row *subscription_of(struct shop *shop, int64_t unit, int64_t webhook)
{
    struct db_rows rows = { 0 };
    assert_int_equal(db_load(engine_db(shop->engine), shop->arena, &webhook_subscription_table, WS_KEY(unit, webhook), 1, &rows), DB_OK);
    assert_int_equal(rows.count, 1);
    return db_row(&rows, 0);
}

enum command_state shop_report(struct shop *shop, int64_t unit, const char *webhook, int64_t from, int64_t upto, bool delivered)
{
    static const struct lease_claim claim = { .role = LEASE_WEBHOOKS, .holder = 7, .is_alone = true };
    struct webhook_sent sent[WEBHOOK_REPORT_MAX];
    struct db_rows lease = { 0 };
    const int64_t id = webhook_of(shop, webhook).id;
    assert_int_equal(shop_command(shop, unit == 0 ? &company_lease_take : &lease_take, unit, &claim), COMMAND_ACCEPTED);
    assert_int_equal(db_load(engine_db(shop->engine), shop->arena, &lease_table, WS_KEY(unit, LEASE_WEBHOOKS), 1, &lease), DB_OK);
    struct webhook_report report = { .claim = claim, .webhook = id, .code = webhook, .seq = upto, .sent = sent, .count = (size_t)(upto - from + 1) };
    report.claim.term = ((const struct lease_row *)db_row(&lease, 0))->term;
    report.epoch = subscription_of(shop, unit, id)->epoch;
    for (size_t i = 0; i < report.count; i++)
        // cppcheck-suppress unreadVariable ; the report points to it
        sent[i] = (struct webhook_sent){ .seq = from + (int64_t)i,
                                         .key = from + (int64_t)i,
                                         .outcome = delivered ? SENT_DELIVERED : SENT_FAILED,
                                         .at = shop->now_us,
                                         .took_us = 1500,
                                         .status = delivered ? 200 : 503,
                                         .detail = delivered ? NULL : "answered 503" };
    return shop_command(shop, unit == 0 ? &company_webhook_report : &webhook_report, unit, &report);
}

void many_add(struct many *many, const char *method, const char *target, const char *body)
{
    struct command *command = local_command(many->shop->local, many->shop->arena, method, target, body, NULL);
    if (command->state == COMMAND_REFUSED)
        fail_msg("%s", command->answer.body);
    many->commands[many->count++] = command;
    if (many->count == COUNT(many->commands))
        many_run(many);
}

/* ---- scenes ---- */

struct played {
    enum store store;
    const struct shop_scene *scene;
};

static void play(void **state)
{
    const struct played *played = *state;
    if (!store_is_there(played->store))
        skip();
    struct shop *shop = shop_open(played->store);
    shop_furnish(shop);
    played->scene->play(shop);
    shop_close(shop);
}

int scenes_play(const char *group, const struct shop_scene *scenes, size_t count)
{
    struct CMUnitTest *tests = calloc(2 * count, sizeof *tests);
    struct played *played = calloc(2 * count, sizeof *played);
    assert_true(tests != NULL && played != NULL);
    for (size_t i = 0; i < count; i++) {
        played[i] = (struct played){ STORE_SQLITE, &scenes[i] };
        played[count + i] = (struct played){ STORE_POSTGRES, &scenes[i] };
        tests[i] = (struct CMUnitTest){ scenes[i].name, play, NULL, NULL, &played[i] };
        tests[count + i] = (struct CMUnitTest){ scenes[i].name, play, NULL, NULL, &played[count + i] };
    }
    int failed = _cmocka_run_group_tests(group, tests, 2 * count, NULL, NULL);
    free(played);
    free(tests);
    return failed;
}
