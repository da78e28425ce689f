/* tests/store/faults_test.c: whatever the store does in the middle of a batch, everybody is answered and the answer is true:
 * what was accepted is there once, what was refused is not there, and sending it again with its key finds it or does it. */
#include "base/when.h"
#include "check/check.h"
#include "crash/proxy.h"
#include "db/store.h" /* whether an ordered failure still waits */
#include "engine/vault.h"
#include "store/shop.h"
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* unit_of in src/engine/engine.c takes a store that fails for a channel or node that is not there: 422. 0 with its fix. */
#ifndef BUG_UNIT_OF
#define BUG_UNIT_OF 0
#endif
/* write_order in src/orders/capture.c writes exceptions after order.created: a replay ends before them. 0 with its fix. */
#ifndef BUG_TIMELINE
#define BUG_TIMELINE 0
#endif
static int64_t bug_timeline;
#define COMMANDS 6
#define STATEMENTS_MOST 400
#define ROUNDS_A_SHOP 12

static const struct trouble {
    const char *says;
    enum db_result result;
    bool after_commit;
} troubles[] = {
    { "a constraint", DB_CONSTRAINT, false }, { "a full disk", DB_FULL, false },
    { "failing I/O", DB_IO, false }, /* not at the commit: there the process ends, by design */
    { "a lost connection", DB_LOST, false },  { "a connection lost after the commit", DB_LOST, true },
};

struct scene {
    enum store store;
    const struct trouble *trouble;
};

/* What a batch looks like: ids are filled in for each round. */
struct post {
    const char *target, *body, *key;
    struct command *command;
};

/* ---- a company in a file: one in memory would not outlive its connection ---- */

static char folder[64];

static void in_a_file(struct shop *shop)
{
    static int number;
    shop_in_file(shop, arena_printf(shop->arena, "%s/%d.db", folder, ++number));
}

static struct shop *open_shop(enum store store)
{
    struct shop *shop = shop_open(store);
    shop_furnish(shop);
    receive(shop, "LEJ", "LAMP", 3);
    receive(shop, "LEJ", "BULB", 5);
    receive(shop, "HAM", "SHADE", 9);
    if (store == STORE_SQLITE)
        in_a_file(shop);
    return shop;
}

/* ---- a round ---- */

static const char *order_text(struct shop *shop, const char *channel, const char *id, const char *sku, int quantity)
{
    return arena_printf(shop->arena,
                        "{\"channel\":\"%s\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":"
                        "{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s\",\"quantity\":%d,\"unit_price\":"
                        "{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}",
                        channel, id, sku, quantity);
}

static struct command *ready(struct shop *shop, struct post *post)
{
    post->command = local_command(shop->local, shop->arena, "POST", post->target, post->body, post->key);
    assert_non_null(post->command);
    if (post->command->state == COMMAND_REFUSED)
        fail_msg("the edge refused %s: %s", post->body, post->command->answer.body);
    return post->command;
}

static int64_t stock_of(struct shop *shop, const char *sku)
{
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/inventory?sku=%s&node=LEJ", sku), NULL).body;
    return number_in(body, NULL, "available") + number_in(body, NULL, "reserved") + number_in(body, NULL, "allocated");
}

static size_t orders_called(struct shop *shop, const char *channel, const char *id)
{
    char what[80];
    size_t times = 0;
    snprintf(what, sizeof what, "\"channel_order_id\":\"%s\"", id);
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders?channel=%s&limit=200", channel), NULL).body;
    for (const char *at = body; (at = strstr(at, what)) != NULL; at += strlen(what))
        times++;
    return times;
}

static void told(void *context, const struct violation *violation)
{
    print_message("%s: %s (%s): expected %s, found %s\n", (const char *)context, violation->id, violation->keys, violation->expected,
                  violation->found);
}

static void assert_clean(struct shop *shop, const char *when)
{
    char text[160];
    snprintf(text, sizeof text, "%s", when);
    struct check check = { .db = engine_db(shop->engine), .vault = shop->vault, .arena = arena_new((size_t)1 << 28), .tell = told, .context = text };
    if (check_all(&check) != DB_OK || check.violations > 0)
        fail_msg("%s: %ld violations", when, (long)check.violations);
    arena_free(check.arena);
}

struct round {
    struct post posts[COMMANDS];
    const char *ids[COMMANDS]; /* of the orders, as the channel calls them; NULL for others */
    const char *channels[COMMANDS];
    int64_t bulbs; /* at LEJ before it */
};

static void round_make(struct shop *shop, struct round *round, const char *name)
{
    static const struct {
        const char *channel, *sku;
        int quantity;
    } wants[] = { { "web", "LAMP", 1 }, { "b2b", "BULB", 1 }, { "market", "KIT", 1 }, { "web", "LAMP", 4 } };
    char victim[32];
    text_in(order(shop, "web", arena_printf(shop->arena, "%s-v", name), "SHADE", 1).body, NULL, "id", victim, sizeof victim);
    receive(shop, "LEJ", "BULB", 3);
    receive(shop, "HAM", "SHADE", 2);
    *round = (struct round){ .bulbs = stock_of(shop, "BULB") };
    for (size_t i = 0; i < COMMANDS; i++) {
        struct post *post = &round->posts[i];
        post->key = arena_printf(shop->arena, "%s-%zu", name, i);
        if (i < COUNT(wants)) {
            round->ids[i] = post->key;
            round->channels[i] = wants[i].channel;
            post->target = "/v1/orders";
            post->body = order_text(shop, wants[i].channel, post->key, wants[i].sku, wants[i].quantity);
        } else if (i == 4) {
            post->target = arena_printf(shop->arena, "/v1/orders/%s/cancel", victim);
            post->body = "{\"reason\":\"changed mind\"}";
        } else {
            post->target = "/v1/inventory/adjustments";
            post->body = "{\"node\":\"LEJ\",\"sku\":\"BULB\",\"delta\":7,\"reason\":\"receipt\"}";
        }
    }
}

static bool accepted(const struct post *post)
{
    return post->command->answer.status / 100 == 2;
}

static bool is_there(struct shop *shop, const struct round *round, size_t i, const char *when)
{
    if (round->ids[i] != NULL) {
        size_t orders = orders_called(shop, round->channels[i], round->ids[i]);
        if (orders > 1)
            fail_msg("%s: order %s is there %zu times", when, round->ids[i], orders);
        return orders == 1;
    }
    if (i == 4) {
        char path[80];
        snprintf(path, sizeof path, "%.*s", (int)(strrchr(round->posts[4].target, '/') - round->posts[4].target), round->posts[4].target);
        return strstr(shop_must(shop, 200, "GET", path, NULL).body, "\"stage\":\"cancelled\"") != NULL;
    }
    int64_t more = stock_of(shop, "BULB") - round->bulbs;
    if (more != 0 && more != 7)
        fail_msg("%s: the receipt of 7 brought %ld", when, (long)more);
    return more == 7;
}

static void answers_are_true(struct shop *shop, const struct round *round, const char *when)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (is_there(shop, round, i, when) != accepted(&round->posts[i]))
            fail_msg("%s: command %zu (%s) is answered %d, and it is %sthere: %s", when, i, round->posts[i].target,
                     round->posts[i].command->answer.status, accepted(&round->posts[i]) ? "not " : "", round->posts[i].command->answer.body);
}

/* With its key: the same answer where there was one, and it is done where it was not. */
static void sent_again(struct shop *shop, struct round *round, const char *when)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        struct command *before = round->posts[i].command;
        bool was = accepted(&round->posts[i]);
        struct command *again = ready(shop, &round->posts[i]);
        engine_run(shop->engine, &again, 1);
        if (again->answer.status / 100 != 2 || (was && again->answer.status != before->answer.status))
            fail_msg("%s: command %zu was answered %d, sent again %d: %s", when, i, before->answer.status, again->answer.status, again->answer.body);
        const char *first = before->answer.body, *second = again->answer.body;
        while (was && *first != '\0' && *first == *second)
            first++, second++;
        if (was && *first != *second && BUG_TIMELINE && strstr(first, "exception opened") != NULL && strcmp(second, "]}") == 0)
            bug_timeline++;
        else if (was && *first != *second)
            fail_msg("%s: command %zu was answered ..%.200s, sent again ..%.200s", when, i, first, second);
    }
    answers_are_true(shop, round, when);
}

/* Whoever is refused is told that it was us, so that a client sends it again. */
static void refused_by_us(const struct round *round, const char *when)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        const struct command *command = round->posts[i].command;
        if (command->state == COMMAND_NEW || command->answer.status == 0)
            fail_msg("%s: command %zu is not answered", when, i);
        if (!accepted(&round->posts[i]) && command->answer.status == 422 && BUG_UNIT_OF)
            print_message("KNOWN BUG, %s: command %zu is refused as if it were wrong: 422\n", when, i);
        else if (!accepted(&round->posts[i]) && command->answer.status < 500)
            fail_msg("%s: command %zu (%s) is refused as if it were wrong: %d %s", when, i, round->posts[i].target, command->answer.status,
                     command->answer.body);
    }
}

static sigjmp_buf at_abort;

static void aborted(int signal_number)
{
    siglongjmp(at_abort, signal_number);
}

enum outcome { UNTOUCHED, FAILED, ENDED };

static enum outcome fails_at(struct shop *shop, const struct trouble *trouble, int64_t n)
{
    char when[120];
    struct round round;
    struct command *commands[COMMANDS];
    round_make(shop, &round, arena_printf(shop->arena, "%d%d-%ld", (int)trouble->result, (int)trouble->after_commit, (long)n));
    snprintf(when, sizeof when, "%s at statement %ld", trouble->says, (long)n);
    for (size_t i = 0; i < COMMANDS; i++)
        commands[i] = ready(shop, &round.posts[i]);
    if (sigsetjmp(at_abort, 1) != 0) { /* a commit that may have failed: nobody was answered, and nothing is there */
        shop_open_again(shop);
        for (size_t i = 0; i < COMMANDS; i++)
            round.posts[i].command->answer = (struct answer){ 0 }; /* what was decided was never sent */
        for (size_t i = 0; i < COMMANDS; i++)
            if (is_there(shop, &round, i, when))
                fail_msg("%s: the process ended, and command %zu is there", when, i);
        sent_again(shop, &round, when);
        assert_clean(shop, when);
        return ENDED;
    }
    db_fail_at(engine_db(shop->engine), n, trouble->result, trouble->after_commit);
    engine_run(shop->engine, commands, COMMANDS);
    if (engine_db(shop->engine) == NULL)
        fail_msg("%s: the engine has no store any more", when);
    bool untouched = engine_db(shop->engine)->fail.countdown > 0;
    db_fail_at(engine_db(shop->engine), 0, DB_OK, false);
    refused_by_us(&round, when);
    if (engine_db(shop->engine)->lost)
        shop_open_again(shop); /* for the reads below: the engine itself opens it with its next batch */
    answers_are_true(shop, &round, when);
    sent_again(shop, &round, when);
    assert_clean(shop, when);
    return untouched ? UNTOUCHED : FAILED;
}

static void play(void **state)
{
    const struct scene *scene = *state;
    if (!store_is_there(scene->store))
        skip();
    struct shop *shop = open_shop(scene->store);
    enum outcome outcome = FAILED;
    int64_t n = 0;
    signal(SIGABRT, aborted);
    while (outcome == FAILED && n < STATEMENTS_MOST) {
        if (n % ROUNDS_A_SHOP == ROUNDS_A_SHOP - 1) {
            shop_close(shop);
            shop = open_shop(scene->store);
        }
        outcome = fails_at(shop, scene->trouble, ++n);
    }
    signal(SIGABRT, SIG_DFL);
    print_message("%s: %ld places\n", scene->trouble->says, (long)n - (outcome == UNTOUCHED));
    if (bug_timeline > 0)
        print_message("KNOWN BUG: %ld replays lack the exceptions that the answer told\n", (long)bug_timeline);
    if (outcome == FAILED || n < 2)
        fail_msg("%s: it never came to an end, or never began", scene->trouble->says);
    if (outcome == ENDED)
        assert_int_equal(scene->trouble->result, DB_IO);
    shop_close(shop);
}

/* ---- a store that is there and says nothing ---- */

#define QUEUED 6
#define TOLD_US INT64_C(20000000) /* one wait for an answer and one for a connection, not one for each that waits */

/* Each names a node that nobody has asked for yet, so that each has a look of its own to wait for. */
static void receive_everywhere(struct shop *shop, struct command **commands)
{
    for (int i = 0; i < QUEUED; i++) {
        const char *node = i == 0 ? "LEJ" : arena_printf(shop->arena, "N%d", i);
        const char *body = arena_printf(shop->arena, "{\"node\":\"%s\",\"sku\":\"LAMP\",\"delta\":1,\"reason\":\"receipt\"}", node);
        commands[i] = local_command(shop->local, shop->arena, "POST", "/v1/inventory/adjustments", body, NULL);
    }
    engine_run(shop->engine, commands, QUEUED);
}

static void a_silent_store_holds_a_queue_once(void **state)
{
    struct command *commands[QUEUED];
    struct proxy proxy;
    char by_proxy[sizeof(((struct shop *)NULL)->url)];
    if (!store_is_there(STORE_POSTGRES))
        skip();
    struct shop *shop = open_shop(STORE_POSTGRES);
    proxy_start(&proxy, shop->url);
    proxy_url(&proxy, shop->url, by_proxy, sizeof by_proxy);
    memcpy(shop->url, by_proxy, sizeof by_proxy);
    shop_open_again(shop);
    proxy_mute(&proxy, PROXY_SILENT);
    int64_t began_us = when_monotonic_us();
    receive_everywhere(shop, commands);
    int64_t took_us = when_monotonic_us() - began_us;
    for (size_t i = 0; i < QUEUED; i++)
        if (commands[i]->answer.status != 503 || strstr(commands[i]->answer.body, "\"store_lost\"") == NULL)
            fail_msg("command %zu: %d %s", i, commands[i]->answer.status, commands[i]->answer.body);
    assert_in_range(took_us, 0, TOLD_US);
    proxy_mute(&proxy, PROXY_SPEAKS);
    receive_everywhere(shop, commands);
    for (size_t i = 0; i < QUEUED; i++)
        assert_int_equal(commands[i]->answer.status, i == 0 ? 201 : 422);
    assert_int_equal(stock_of(shop, "LAMP"), 4);
    shop_close(shop);
    proxy_stop(&proxy);
}

static int make_folder(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/millrace-faults.XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int delete_folder(void **state)
{
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? 0 : -1;
}

int main(void)
{
    static struct scene scenes[2 * COUNT(troubles)];
    static char names[2 * COUNT(troubles)][80];
    struct CMUnitTest tests[2 * COUNT(troubles) + 1];
    for (size_t i = 0; i < COUNT(scenes); i++) {
        const struct trouble *trouble = &troubles[i % COUNT(troubles)];
        scenes[i].store = i < COUNT(troubles) ? STORE_SQLITE : STORE_POSTGRES;
        scenes[i].trouble = trouble;
        snprintf(names[i], sizeof names[i], "%s, on %s", trouble->says, i < COUNT(troubles) ? "SQLite" : "PostgreSQL");
        tests[i] = (struct CMUnitTest){ names[i], play, NULL, NULL, &scenes[i] };
    }
    tests[COUNT(scenes)] = (struct CMUnitTest)cmocka_unit_test(a_silent_store_holds_a_queue_once);
    return cmocka_run_group_tests_name("faults", tests, make_folder, delete_folder);
}
