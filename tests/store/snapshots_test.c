/* tests/store/snapshots_test.c: the keeper of a mirrored node says what is there: theirs is the truth. */
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- words ---- */

static void mirrored(struct shop *shop)
{
    shop_must(shop, 200, "PATCH", "/v1/nodes/LEJ", "{\"authority\":\"mirrored\"}");
}

static struct reply say(struct shop *shop, int status, const char *time, const char *items)
{
    return shop_must(shop, status, "POST", "/v1/nodes/LEJ/snapshot", "{\"taken_at\":\"2025-11-24T%s:00Z\",%s}", time, items);
}

#define LAMPS(N) "{\"sku\":\"LAMP\",\"quantity\":" N "}"
#define ITEMS(LIST) "\"items\":[" LIST "]"

struct units {
    const char *sku;
    int64_t available, reserved, quarantined;
};

static void assert_at(struct shop *shop, struct units want)
{
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/inventory?node=LEJ&sku=%s", want.sku), NULL).body;
    if (number_in(body, NULL, "available") != want.available || number_in(body, NULL, "reserved") != want.reserved ||
        number_in(body, NULL, "quarantined") != want.quarantined)
        fail_msg("%s: want %ld available, %ld reserved, %ld quarantined: %s", want.sku, (long)want.available, (long)want.reserved,
                 (long)want.quarantined, body);
}

static void refused(struct reply reply, int status, const char *code, const char *pointer)
{
    if (reply.status != status || strstr(reply.body, code) == NULL || (pointer != NULL && strstr(reply.body, pointer) == NULL))
        fail_msg("want %d %s %s: %d %s", status, code, pointer == NULL ? "" : pointer, reply.status, reply.body);
}

static const char *told(struct shop *shop)
{
    return shop_must(shop, 200, "GET", "/v1/exceptions?state=open&type=snapshot_difference", NULL).body;
}

/* ---- scenes ---- */

static void theirs_is_the_truth(struct shop *shop)
{
    mirrored(shop);
    receive(shop, "LEJ", "LAMP", 10);
    receive(shop, "LEJ", "BULB", 3);
    const char *body = say(shop, 201, "08:00", ITEMS(LAMPS("7") ",{\"sku\":\"BULB\",\"quantity\":3},{\"sku\":\"SHADE\",\"quantity\":2}")).body;
    assert_int_equal(number_in(body, NULL, "positions"), 3);
    assert_non_null(strstr(body, "\"differences\":[{\"sku\":\"LAMP\",\"expected\":10,\"quantity\":7,\"adjustment\":\"adj_"));
    assert_non_null(strstr(body, "{\"sku\":\"SHADE\",\"expected\":0,\"quantity\":2,"));
    assert_null(strstr(body, "BULB"));
    assert_at(shop, (struct units){ "LAMP", 7, 0, 0 });
    assert_at(shop, (struct units){ "BULB", 3, 0, 0 });
    assert_at(shop, (struct units){ "SHADE", 2, 0, 0 });
    body = say(shop, 201, "09:00", ITEMS(LAMPS("7"))).body;
    assert_non_null(strstr(body, "\"differences\":[]"));
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=snapshot.taken", NULL).body, "\"kind\":\"snapshot\",\"id\":\"snp_"));
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/events?unit=DE&type=stock.adjusted", NULL).body, "\"sku\":\"LAMP\",\"quantity\":-3"));
}

static void what_is_more_fills_who_waits(struct shop *shop)
{
    mirrored(shop);
    assert_int_equal(number_in(order(shop, "web", "1", "LAMP", 2).body, NULL, "backordered"), 2);
    say(shop, 201, "08:00", ITEMS(LAMPS("3")));
    assert_at(shop, (struct units){ "LAMP", 1, 2, 0 });
}

/* What was promised is not there: claims give way, and somebody is told until theirs and ours agree. */
static void what_is_less_breaks_claims(struct shop *shop)
{
    char id[40];
    mirrored(shop);
    receive(shop, "LEJ", "LAMP", 4);
    text_in(order(shop, "web", "1", "LAMP", 4).body, NULL, "id", id, sizeof id);
    const char *body = say(shop, 201, "08:00", "\"tolerance\":5," ITEMS(LAMPS("1"))).body;
    assert_non_null(strstr(body, arena_printf(shop->arena, "\"broken\":[{\"kind\":\"order\",\"id\":\"%s\",\"line\":1,", id)));
    assert_at(shop, (struct units){ "LAMP", 0, 1, 0 });
    body = told(shop);
    assert_int_equal(number_in(body, NULL, "quantity"), 3);
    assert_non_null(strstr(body, "what was promised is not there"));
    say(shop, 201, "09:00", ITEMS(LAMPS("1")));
    assert_null(strstr(told(shop), "exc_"));
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/exceptions?state=open&type=broken_claim", NULL).body, "\"detail\":\"snapshot\""));
}

static void a_small_difference_is_nobodys_work(struct shop *shop)
{
    mirrored(shop);
    receive(shop, "LEJ", "LAMP", 10);
    say(shop, 201, "08:00", "\"tolerance\":2," ITEMS(LAMPS("8")));
    assert_null(strstr(told(shop), "exc_"));
    say(shop, 201, "09:00", "\"tolerance\":2," ITEMS(LAMPS("11")));
    assert_int_equal(number_in(told(shop), NULL, "quantity"), 3);
    say(shop, 201, "10:00", ITEMS(LAMPS("10"))); /* differs once more */
    assert_int_equal(number_in(told(shop), NULL, "repeats"), 2);
    say(shop, 201, "11:00", ITEMS(LAMPS("10")));
    assert_null(strstr(told(shop), "exc_"));
}

static void of_a_whole_snapshot_the_rest_is_gone(struct shop *shop)
{
    mirrored(shop);
    shop_must(shop, 201, "PUT", "/v1/classes/B", "{\"name\":\"B\"}");
    receive(shop, "LEJ", "LAMP", 2);
    receive(shop, "LEJ", "BULB", 5);
    receive(shop, "HAM", "BULB", 6);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments",
              "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"class\":\"B\",\"delta\":4,\"reason\":\"receipt\"}");
    const char *body = say(shop, 201, "08:00", "\"whole\":true," ITEMS(LAMPS("2"))).body;
    assert_int_equal(number_in(body, NULL, "positions"), 3);
    assert_non_null(strstr(body, "{\"sku\":\"BULB\",\"expected\":5,\"quantity\":0,"));
    assert_non_null(strstr(body, "{\"sku\":\"LAMP\",\"class\":\"B\",\"expected\":4,\"quantity\":0,"));
    assert_at(shop, (struct units){ "BULB", 0, 0, 0 });
    assert_non_null(strstr(shop_must(shop, 200, "GET", "/v1/inventory?node=HAM&sku=BULB", NULL).body, "\"available\":6"));
    for (int i = 0; i < 300; i++) {
        shop_must(shop, 201, "PUT", arena_printf(shop->arena, "/v1/skus/S%d", i), "{\"name\":\"S\"}");
        receive(shop, "LEJ", arena_printf(shop->arena, "S%d", i), 1);
    }
    refused(say(shop, 422, "09:00", "\"whole\":true," ITEMS(LAMPS("2"))), 422, "batch_too_large", "/whole");
}

static void what_they_keep_back_is_kept_back(struct shop *shop)
{
    mirrored(shop);
    receive(shop, "LEJ", "LAMP", 5);
    (void)order(shop, "web", "1", "LAMP", 2);
    const char *body = say(shop, 201, "08:00", ITEMS("{\"sku\":\"LAMP\",\"quantity\":5,\"quarantined\":2}")).body;
    assert_non_null(strstr(body, "\"adjustment\":null,\"kept_back\":2"));
    assert_at(shop, (struct units){ "LAMP", 1, 2, 2 });
    assert_null(strstr(told(shop), "exc_"));
    say(shop, 201, "09:00", ITEMS("{\"sku\":\"LAMP\",\"quantity\":5,\"quarantined\":4}")); /* more than is free: one is promised */
    assert_at(shop, (struct units){ "LAMP", 0, 2, 3 });
    assert_non_null(strstr(told(shop), "what they keep back is promised here"));
    assert_int_equal(number_in(order(shop, "web", "2", "LAMP", 1).body, NULL, "backordered"), 1);
    say(shop, 201, "10:00", ITEMS("{\"sku\":\"LAMP\",\"quantity\":6,\"quarantined\":1}"));
    assert_at(shop, (struct units){ "LAMP", 2, 3, 1 });
    assert_non_null(
        strstr(shop_must(shop, 200, "GET", "/v1/inventory/movements?sku=LAMP", NULL).body, "\"cause\":{\"kind\":\"snapshot\",\"id\":\"snp_"));
}

static void what_is_old_or_known_changes_nothing(struct shop *shop)
{
    refused(say(shop, 409, "08:00", ITEMS(LAMPS("1"))), 409, "state_conflict", NULL); /* it is governed */
    mirrored(shop);
    const char *first = say(shop, 201, "08:00", "\"document\":\"S-1\"," ITEMS(LAMPS("4"))).body;
    refused(say(shop, 409, "07:59", ITEMS(LAMPS("1"))), 409, "state_conflict", "/taken_at");
    assert_string_equal(say(shop, 200, "08:00", "\"document\":\"S-1\"," ITEMS(LAMPS("9"))).body, first);
    assert_non_null(strstr(say(shop, 409, "08:00", "\"document\":\"S-1\",\"part\":1," ITEMS(LAMPS("9"))).body, "it has no parts"));
    say(shop, 201, "08:00", ITEMS("{\"sku\":\"BULB\",\"quantity\":1}")); /* another part of it */
    assert_at(shop, (struct units){ "LAMP", 4, 0, 0 });
}

static void all_faults_are_told_at_once(struct shop *shop)
{
    mirrored(shop);
    struct reply reply = shop_call(shop, "POST", "/v1/nodes/LEJ/snapshot",
                                   "{\"taken_at\":\"2036-01-01T00:00:00Z\",\"items\":[%s,%s,{\"sku\":\"NONE\",\"quantity\":1},"
                                   "{\"sku\":\"KIT\",\"quantity\":1},{\"sku\":\"BULB\",\"class\":\"X\",\"quantity\":1,\"quarantined\":2}]}",
                                   LAMPS("1"), LAMPS("2"));
    static const char *const faults[][2] = {
        { "invalid", "/items/1/sku" },         { "sku_unknown", "/items/2/sku" },          { "holds_no_stock", "/items/3/sku" },
        { "class_unknown", "/items/4/class" }, { "out_of_range", "/items/4/quarantined" }, { "out_of_range", "/taken_at" }
    };
    for (size_t i = 0; i < COUNT(faults); i++)
        refused(reply, 422, faults[i][0], faults[i][1]);
    refused(shop_call(shop, "POST", "/v1/nodes/NO/snapshot", "{\"taken_at\":\"2025-11-24T08:00:00Z\",\"items\":[]}"), 404, "not_found", NULL);
}

static int64_t last_event(struct shop *shop)
{
    int64_t last = 0;
    for (const char *at = shop_must(shop, 200, "GET", "/v1/events?unit=DE&limit=200", NULL).body; (at = strstr(at, "\"seq\":")) != NULL; at++)
        last = number_in(at, NULL, "seq");
    return last;
}

/* More than one call takes: one snapshot, each part applied as it comes, in any order, and once. */
static void a_snapshot_comes_in_parts(struct shop *shop)
{
    mirrored(shop);
    receive(shop, "LEJ", "LAMP", 10);
    receive(shop, "LEJ", "BULB", 3);
    const char *first = say(shop, 201, "08:00", "\"document\":\"S1\",\"part\":2," ITEMS(LAMPS("7"))).body;
    const char *second = say(shop, 201, "08:00", "\"document\":\"S1\",\"part\":1," ITEMS("{\"sku\":\"BULB\",\"quantity\":4}")).body;
    char id[40], other[40];
    text_in(first, NULL, "id", id, sizeof id);
    text_in(second, NULL, "id", other, sizeof other);
    assert_string_equal(id, other);
    assert_int_equal(number_in(second, NULL, "part"), 1);
    assert_at(shop, (struct units){ "LAMP", 7, 0, 0 });
    assert_at(shop, (struct units){ "BULB", 4, 0, 0 });
    receive(shop, "LEJ", "LAMP", 1);
    assert_string_equal(say(shop, 200, "08:00", "\"document\":\"S1\",\"part\":2," ITEMS(LAMPS("7"))).body, first); /* told again: as it was */
    assert_at(shop, (struct units){ "LAMP", 8, 0, 0 });
    refused(say(shop, 409, "09:00", "\"document\":\"S1\",\"part\":3," ITEMS(LAMPS("7"))), 409, "state_conflict", "/document");
    refused(say(shop, 409, "08:00", "\"document\":\"S1\"," ITEMS(LAMPS("2"))), 409, "state_conflict", "/part");
    refused(say(shop, 422, "09:00", "\"part\":3," ITEMS(LAMPS("7"))), 422, "required", "/document");
    refused(say(shop, 422, "09:00", "\"document\":\"S2\",\"part\":1,\"whole\":true," ITEMS(LAMPS("7"))), 422, "invalid", "/whole");
}

/* What left or came since the keeper looked is not counted twice. */
static void a_snapshot_is_as_of_an_event(struct shop *shop)
{
    mirrored(shop);
    receive(shop, "LEJ", "LAMP", 10);
    const long seen = (long)last_event(shop);
    receive(shop, "LEJ", "LAMP", 5);
    const char *body = say(shop, 201, "08:00", arena_printf(shop->arena, "\"as_of\":%ld," ITEMS(LAMPS("8")), seen)).body;
    assert_non_null(strstr(body, "\"expected\":10,\"quantity\":8"));
    assert_int_equal(number_in(body, NULL, "as_of"), seen);
    assert_at(shop, (struct units){ "LAMP", 13, 0, 0 });
    body = say(shop, 201, "08:30", arena_printf(shop->arena, "\"as_of\":%ld," ITEMS(LAMPS("8")), seen)).body; /* it found the same */
    assert_non_null(strstr(body, "\"differences\":[]"));
    assert_at(shop, (struct units){ "LAMP", 13, 0, 0 });
    order(shop, "web", "1", "LAMP", 12);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-10,\"reason\":\"damage\"}");
    say(shop, 201, "09:00", arena_printf(shop->arena, "\"as_of\":%ld," ITEMS(LAMPS("0")), (long)seen)); /* 8 fewer, and 3 are there */
    assert_at(shop, (struct units){ "LAMP", 0, 0, 0 });
    refused(say(shop, 422, "10:00", "\"as_of\":999999," ITEMS(LAMPS("0"))), 422, "out_of_range", "/as_of");
    refused(say(shop, 422, "10:00", arena_printf(shop->arena, "\"as_of\":%ld,\"whole\":true," ITEMS(LAMPS("0")), seen)), 422, "invalid", "/whole");
}

static const struct shop_scene scenes[] = {
    SCENE(theirs_is_the_truth),
    SCENE(what_is_more_fills_who_waits),
    SCENE(what_is_less_breaks_claims),
    SCENE(a_small_difference_is_nobodys_work),
    SCENE(of_a_whole_snapshot_the_rest_is_gone),
    SCENE(what_they_keep_back_is_kept_back),
    SCENE(what_is_old_or_known_changes_nothing),
    SCENE(all_faults_are_told_at_once),
    SCENE(a_snapshot_comes_in_parts),
    SCENE(a_snapshot_is_as_of_an_event),
};

int main(void)
{
    return scenes_play("snapshots", scenes, COUNT(scenes));
}
