/* tests/store/previews_test.c: what is only asked for leaves nothing behind: no row, no number, no key; and what is asked for
 * together is answered as if it were done in that order. That a preview says to the byte what is answered then, whatever stands
 * around it, is a property: tests/store/equivalence_test.c. */
#include "engine/vault.h"
#include "schema.h"
#include "store/shop.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ADJUST(NODE, DELTA, REASON) "{\"node\":\"" NODE "\",\"sku\":\"LAMP\",\"delta\":" DELTA ",\"reason\":\"" REASON "\"}"

static struct command *command_of(struct shop *shop, const char *target, const char *body, const char *key)
{
    struct command *command = local_command(shop->local, shop->arena, "POST", target, body, key);
    if (command->state == COMMAND_REFUSED)
        fail_msg("%s: %s", target, command->answer.body);
    return command;
}

static struct command *order_command(struct shop *shop, const char *channel, const char *id, int lines, int quantity, const char *more,
                                     const char *key)
{
    struct buffer body = { .arena = shop->arena };
    buffer_printf(
        &body,
        "{\"channel\":\"%s\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"
        "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}%s,\"lines\":[",
        channel, id, more);
    for (int i = 0; i < lines; i++)
        buffer_printf(&body, "%s{\"sku\":\"LAMP\",\"quantity\":%d,\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}", i == 0 ? "" : ",",
                      quantity);
    buffer_text(&body, "]}");
    return command_of(shop, "/v1/orders", body.at, key);
}

/* The commands as one preview, in their order; gives the first. */
static struct command *together(struct command **commands, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        commands[i]->dry_run = true;
        commands[i]->with = i + 1 < count ? commands[i + 1] : NULL;
    }
    return commands[0];
}

static void assert_answered(const struct command *command, int status, const char *text)
{
    const char *body = command->answer.body == NULL ? "" : command->answer.body;
    if (command->answer.status != status || strstr(body, text) == NULL)
        fail_msg("%d, not %d with %s: %s", command->answer.status, status, text, body);
}

/* All rows, also those that only say that there was a batch. */
static char *whole(struct shop *shop)
{
    struct db_rows clocks = shop_table(shop, shop->arena, &unit_clock_table), batches = shop_table(shop, shop->arena, &batch_table);
    struct buffer out = { .arena = shop->arena };
    buffer_printf(&out, "%s %zu batches", shop_dump(shop, shop->arena), batches.count);
    for (size_t i = 0; i < clocks.count; i++)
        buffer_printf(&out, " %ld", (long)((const struct unit_clock_row *)db_row(&clocks, i))->batch_id);
    return out.at;
}

static void nothing_is_written(struct shop *shop)
{
    shop_furnish(shop);
    receive(shop, "LEJ", "LAMP", 5);
    const char *before = whole(shop);
    struct reply made = shop_must(shop, 201, "POST", "/v1/inventory/adjustments",
                                  "{\"dry_run\":true,\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":1,\"reason\":\"found\"}");
    assert_int_equal(number_in(made.body, NULL, "available"), 6);
    struct command *one = order_command(shop, "web", "P-1", 1, 2, ",\"dry_run\":true", "key");
    engine_run(shop->engine, &one, 1);
    assert_answered(one, 201, "\"stage\":\"released\"");
    assert_string_equal(whole(shop), before);
}

/* One that is accepted draws ids and event numbers, and tells the chain of audits. */
static void what_is_asked_beside_it_leaves_nothing_in_a_batch(struct shop *shop)
{
    struct shop *other = shop_open(shop->schema[0] == '\0' ? STORE_SQLITE : STORE_POSTGRES);
    shop_furnish(shop);
    shop_furnish(other);
    struct command *asked[] = { order_command(shop, "web", "P-1", 1, 2, ",\"dry_run\":true", "a"),
                                command_of(shop, "/v1/inventory/adjustments", ADJUST("LEJ", "1", "found"), "b"),
                                command_of(shop, "/v1/inventory/adjustments",
                                           "{\"dry_run\":true,\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":1,\"reason\":\"found\"}", "c") };
    struct command *done = command_of(other, "/v1/inventory/adjustments", ADJUST("LEJ", "1", "found"), "b");
    engine_run(shop->engine, asked, 3);
    engine_run(other->engine, &done, 1);
    assert_answered(asked[2], 201, "\"available\":2");
    assert_string_equal(asked[1]->answer.body, done->answer.body);
    const char *difference = shop_difference(shop, other, shop->arena);
    if (difference != NULL)
        fail_msg("%s", difference);
    shop_close(other);
}

static void a_key_is_not_used_up(struct shop *shop)
{
    shop_furnish(shop);
    struct command *asked = order_command(shop, "web", "P-1", 1, 1, ",\"dry_run\":true", "key"),
                   *done = order_command(shop, "web", "P-1", 1, 1, "", "key"), *again = order_command(shop, "web", "P-1", 1, 1, "", "key"),
                   *late = order_command(shop, "web", "P-1", 1, 1, ",\"dry_run\":true", "key"),
                   *other = order_command(shop, "web", "P-1", 1, 1, ",\"dry_run\":true", NULL);
    engine_run(shop->engine, &asked, 1);
    engine_run(shop->engine, &done, 1);
    engine_run(shop->engine, &again, 1);
    engine_run(shop->engine, &late, 1);
    engine_run(shop->engine, &other, 1);
    assert_answered(done, 201, "\"P-1\"");
    assert_string_equal(asked->answer.body, done->answer.body);
    assert_answered(again, 201, done->answer.body);
    assert_answered(late, 422, "idempotency_mismatch"); /* the key stands for another body by now */
    assert_answered(other, 200, "\"P-1\"");             /* the order that is there */
}

static void each_comes_after_those_before_it(struct shop *shop)
{
    shop_furnish(shop);
    receive(shop, "LEJ", "LAMP", 3);
    const char *before = whole(shop);
    struct command *commands[] = { order_command(shop, "b2b", "1", 1, 2, "", "k"), order_command(shop, "b2b", "2", 1, 2, "", NULL),
                                   order_command(shop, "b2b", "3", 1, 1, "", NULL), order_command(shop, "b2b", "1", 1, 2, "", NULL) };
    struct command *first = together(commands, COUNT(commands));
    engine_run(shop->engine, &first, 1);
    assert_answered(commands[0], 201, "\"allocated\":2");
    assert_answered(commands[1], 409, "shortage");
    assert_answered(commands[2], 201, "\"allocated\":1");
    assert_answered(commands[3], 200, "\"channel_order_id\":\"1\""); /* made by the first, if it were */
    assert_string_equal(whole(shop), before);
}

/* Each unit decides its own; what names a channel that is not there is nobody's. */
static void a_preview_of_several_units(struct shop *shop)
{
    shop_furnish(shop);
    shop_must(shop, 201, "PUT", "/v1/units/AT", "{\"name\":\"A\",\"currency\":\"EUR\",\"country\":\"AT\",\"time_zone\":\"Europe/Vienna\"}");
    shop_must(shop, 201, "PUT", "/v1/nodes/VIE",
              "{\"unit\":\"AT\",\"name\":\"V\",\"kind\":\"warehouse\",\"country\":\"AT\",\"postal_code\":\"1010\"}");
    const char *before = whole(shop);
    static const char target[] = "/v1/inventory/adjustments";
    struct command *commands[] = {
        command_of(shop, target, ADJUST("VIE", "2", "found"), NULL),       command_of(shop, target, ADJUST("LEJ", "3", "found"), NULL),
        command_of(shop, target, ADJUST("NONE", "1", "found"), NULL),      command_of(shop, target, ADJUST("VIE", "-2", "correction"), NULL),
        command_of(shop, target, ADJUST("LEJ", "-4", "correction"), NULL), command_of(shop, target, ADJUST("LEJ", "-3", "correction"), NULL)
    };
    static const int due[] = { 201, 201, 422, 201, 409, 201 };
    struct command *first = together(commands, COUNT(commands));
    engine_run(shop->engine, &first, 1);
    for (size_t i = 0; i < COUNT(commands); i++)
        assert_answered(commands[i], due[i], due[i] == 422 ? "/node" : "");
    assert_string_equal(whole(shop), before);
}

/* More than others could wait for is refused by its place, and what came before it is answered. */
static void a_preview_is_bounded(struct shop *shop)
{
    enum { ORDERS = 120, LINES = 1000 };
    static struct command *commands[ORDERS];
    shop_furnish(shop);
    receive(shop, "LEJ", "LAMP", 1000000);
    const char *before = whole(shop);
    char id[16];
    for (int i = 0; i < ORDERS; i++) {
        snprintf(id, sizeof id, "%d", i);
        commands[i] = order_command(shop, "web", id, LINES, 1, "", NULL);
        commands[i]->wants_answer = false;
    }
    struct command *first = together(commands, ORDERS);
    engine_run(shop->engine, &first, 1);
    size_t told = 0;
    while (told < ORDERS && commands[told]->answer.status == 201)
        told++;
    assert_true(told > 5 && told < ORDERS);
    for (size_t i = told; i < ORDERS; i++)
        assert_answered(commands[i], 422, "batch_too_large");
    assert_string_equal(whole(shop), before);
}

/* ---- with threads ---- */

static atomic_int answered;

static void count_answer(struct command *command)
{
    atomic_fetch_add(&answered, 1);
}

static struct engine *engine_with_threads(struct shop *shop, size_t queue_bytes, size_t lanes)
{
    const char *error = "";
    struct engine_options options = {
        .url = shop->url, .db = { .url = shop->url, .no_sync = true }, .vault = shop->vault, .queue_bytes = queue_bytes, .lanes = lanes
    };
    struct engine *engine = engine_open(&options, shop->arena, &error);
    if (engine == NULL || engine_start(engine) != DB_OK)
        fail_msg("no engine: %s", error);
    return engine;
}

/* All are answered once, whether a lane passes some of them on, the queue is full, or the engine ends. */
static void each_is_answered_once(struct shop *shop)
{
    if (shop->schema[0] == '\0')
        return; /* in memory there is one connection */
    shop_furnish(shop);
    shop_must(shop, 201, "PUT", "/v1/units/AT", "{\"name\":\"A\",\"currency\":\"EUR\",\"country\":\"AT\",\"time_zone\":\"Europe/Vienna\"}");
    shop_must(shop, 201, "PUT", "/v1/nodes/VIE",
              "{\"unit\":\"AT\",\"name\":\"V\",\"kind\":\"warehouse\",\"country\":\"AT\",\"postal_code\":\"1010\"}");
    const char *before = whole(shop);
    for (size_t queue_bytes = 0; queue_bytes < 2; queue_bytes++) {
        struct engine *engine = engine_with_threads(shop, queue_bytes, 3);
        struct command *commands[60];
        atomic_store(&answered, 0);
        for (size_t i = 0; i < COUNT(commands); i++) {
            commands[i] = command_of(shop, "/v1/inventory/adjustments", i % 2 == 0 ? ADJUST("VIE", "1", "found") : ADJUST("LEJ", "1", "found"), NULL);
            commands[i]->done = count_answer;
            commands[i]->bytes = 100;
        }
        engine_submit(engine, together(commands, COUNT(commands)));
        engine_stop(engine);
        assert_int_equal(atomic_load(&answered), COUNT(commands));
        for (size_t i = 0; i < COUNT(commands); i++)
            assert_answered(commands[i], queue_bytes == 0 ? 201 : 503, queue_bytes == 0 ? "" : "the queue is full");
        assert_true(queue_bytes == 1 || number_in(commands[59]->answer.body, NULL, "available") == 30);
        engine_close(engine);
    }
    assert_string_equal(whole(shop), before);
}

/* ---- running ---- */

static void (*const scenes[])(struct shop *shop) = { nothing_is_written,         what_is_asked_beside_it_leaves_nothing_in_a_batch,
                                                     a_key_is_not_used_up,       each_comes_after_those_before_it,
                                                     a_preview_of_several_units, a_preview_is_bounded,
                                                     each_is_answered_once };

static void all_scenes(enum store store)
{
    for (size_t i = 0; i < COUNT(scenes); i++) {
        struct shop *shop = shop_open(store);
        scenes[i](shop);
        shop_close(shop);
    }
}

static void previews_on_sqlite(void **state)
{
    all_scenes(STORE_SQLITE);
}

static void previews_on_postgresql(void **state)
{
    if (!store_is_there(STORE_POSTGRES))
        skip();
    all_scenes(STORE_POSTGRES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(previews_on_sqlite),
        cmocka_unit_test(previews_on_postgresql),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
