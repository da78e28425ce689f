/* tests/store/culprits_test.c: a command that would break a rule of the store is refused alone, and is work for people until it is done after all.
 * The rule is one that a test adds, as a fault of ours would be one that the schema has. */
#include "store/shop.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char folder[] = "/tmp/millrace-culprits.XXXXXX"; /* of a company in a file: one in memory would not outlive its connection */

static const char *culprits(struct shop *shop, const char *state)
{
    return shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/exceptions?type=culprit_command&state=%s", state), NULL).body;
}

static const char *order_text(struct shop *shop, const char *id)
{
    return arena_printf(shop->arena,
                        "{\"channel\":\"web\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":"
                        "{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":"
                        "{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}",
                        id);
}

static void one_of_a_batch_is_refused_and_told(struct shop *shop)
{
    struct command *commands[5];
    receive(shop, "LEJ", "LAMP", 9);
    order_forbid(shop, "BAD");
    for (size_t i = 0; i < COUNT(commands); i++)
        commands[i] = local_command(shop->local, shop->arena, "POST", "/v1/orders",
                                    order_text(shop, i == 2 ? "BAD" : arena_printf(shop->arena, "good-%zu", i)), NULL);
    engine_run(shop->engine, commands, COUNT(commands));
    for (size_t i = 0; i < COUNT(commands); i++)
        assert_int_equal(commands[i]->answer.status, i == 2 ? 500 : 201);
    const char *open = culprits(shop, "open");
    assert_non_null(strstr(open, "\"team\":\"integration\""));
    assert_non_null(strstr(open, "\"detail\":\"order.create: refused"));
    assert_int_equal(number_in(open, NULL, "repeats"), 1);
    shop_must(shop, 500, "POST", "/v1/orders", "%s", order_text(shop, "BAD"));
    assert_int_equal(number_in(culprits(shop, "open"), NULL, "repeats"), 2);
    order_allow(shop);
    shop_must(shop, 201, "POST", "/v1/orders", "%s", order_text(shop, "BAD"));
    assert_null(strstr(culprits(shop, "open"), "exc_"));
    assert_non_null(strstr(culprits(shop, "closed"), "exc_"));
}

/* What mends it is a release: the process that sees the command done has not seen it refused. */
static void the_next_process_closes_it(struct shop *shop)
{
    if (db_is_sqlite(engine_db(shop->engine)))
        shop_in_file(shop, arena_printf(shop->arena, "%s/shop.db", folder));
    order_forbid(shop, "BAD");
    shop_must(shop, 500, "POST", "/v1/orders", "%s", order_text(shop, "BAD"));
    shop_open_again(shop);
    order_allow(shop);
    shop_must(shop, 201, "POST", "/v1/orders", "%s", order_text(shop, "OTHER"));
    assert_non_null(strstr(culprits(shop, "open"), "exc_"));
    shop_must(shop, 201, "POST", "/v1/orders", "%s", order_text(shop, "BAD"));
    assert_null(strstr(culprits(shop, "open"), "exc_"));
}

static void a_preview_of_it_is_nobodys_work(struct shop *shop)
{
    const char *body = order_text(shop, "BAD");
    order_forbid(shop, "BAD");
    shop_must(shop, 201, "POST", "/v1/orders", "{\"dry_run\":true,%s", body + 1);
    assert_null(strstr(culprits(shop, "open"), "exc_"));
}

int main(void)
{
    const struct shop_scene scenes[] = { SCENE(one_of_a_batch_is_refused_and_told), SCENE(the_next_process_closes_it),
                                         SCENE(a_preview_of_it_is_nobodys_work) };
    if (mkdtemp(folder) == NULL)
        return 1;
    int failed = scenes_play("culprits", scenes, COUNT(scenes));
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? failed : 1;
}
