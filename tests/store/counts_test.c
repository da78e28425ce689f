/* tests/store/counts_test.c: what counters tell, when they saw it and what moved meanwhile. Each scene runs on both stores and ends in a company in
 * which `millrace check` finds nothing. The oracle plays random streams: however late a count is told, stock must end as if it had been told when its
 * counter stood at the shelf. MILLRACE_COUNT_STREAMS sets how many; a failing seed is named. */
#include "schema.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The number of the unit's last event. */
static int64_t now(struct shop *shop)
{
    struct db_rows rows = shop_table(shop, shop->arena, &unit_clock_table);
    const struct unit_clock_row *clock = db_row(&rows, rows.count - 1);
    return clock->event_seq;
}

static int64_t on_hand(struct shop *shop, const char *node, const char *sku)
{
    const char *body = shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/inventory?sku=%s&node=%s", sku, node), NULL).body;
    return max_i64(0, number_in(body, NULL, "on_hand"));
}

static int64_t bucket(struct shop *shop, const char *name)
{
    return number_in(shop_must(shop, 200, "GET", "/v1/inventory?sku=LAMP&node=LEJ", NULL).body, NULL, name);
}

/* LAMPs counted at LEJ as of an event. */
static struct reply counted(struct shop *shop, int status, int64_t units, int64_t as_of)
{
    return shop_must(shop, status, "POST", "/v1/inventory/adjustments",
                     "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":%ld,\"reason\":\"count\",\"as_of\":%ld}", (long)units, (long)as_of);
}

static void says(struct reply reply, const char *text)
{
    if (strstr(reply.body, text) == NULL)
        fail_msg("want %s: %s", text, reply.body);
}

static void assert_on_hand(struct shop *shop, int64_t units)
{
    if (on_hand(shop, "LEJ", "LAMP") != units)
        fail_msg("want %ld on hand, have %ld", (long)units, (long)on_hand(shop, "LEJ", "LAMP"));
}

/* ---- scenes ---- */

static void what_moved_meanwhile_is_not_counted_twice(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    const int64_t seen = now(shop);
    receive(shop, "LEJ", "LAMP", 5);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-2,\"reason\":\"damage\"}");
    shop->now_us += 1000000;
    receive(shop, "HAM", "LAMP", 7);
    says(counted(shop, 201, 9, seen), "\"on_hand\":12"); /* one was missing then, and is now */
    assert_on_hand(shop, 12);
    assert_int_equal(on_hand(shop, "HAM", "LAMP"), 7);
}

static void nothing_was_there_yet(struct shop *shop)
{
    receive(shop, "LEJ", "BULB", 1);
    const int64_t seen = now(shop);
    receive(shop, "LEJ", "LAMP", 4);
    says(counted(shop, 201, 3, seen), "\"on_hand\":7");
}

static void a_class_is_counted_for_itself(struct shop *shop)
{
    static const char body[] = "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"class\":\"B\",\"%s\":%d,\"reason\":\"%s\"%s}";
    shop_must(shop, 201, "PUT", "/v1/classes/B", "{\"name\":\"B stock\"}");
    receive(shop, "LEJ", "LAMP", 10);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", body, "delta", 4, "receipt", "");
    const char *seen = arena_printf(shop->arena, ",\"as_of\":%ld", (long)now(shop));
    receive(shop, "LEJ", "LAMP", 1);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", body, "delta", 2, "receipt", "");
    says(shop_must(shop, 201, "POST", "/v1/inventory/adjustments", body, "set", 3, "count", seen), "\"class\":\"B\",\"on_hand\":5");
    says(shop_must(shop, 201, "POST", "/v1/inventory/adjustments", body, "set", 3, "count", seen), "\"class\":\"B\",\"on_hand\":5");
}

static void a_difference_may_be_told_instead(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    const int64_t seen = now(shop);
    receive(shop, "LEJ", "LAMP", 5);
    static const char body[] = "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":%d,\"reason\":\"count\",\"as_of\":%ld}";
    says(shop_must(shop, 201, "POST", "/v1/inventory/adjustments", body, -3, (long)seen), "\"on_hand\":12");
    says(shop_must(shop, 409, "POST", "/v1/inventory/adjustments", body, -11, (long)seen), "stock_conflict");
}

static void two_who_counted_the_same_correct_it_once(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    const int64_t seen = now(shop);
    receive(shop, "LEJ", "LAMP", 5);
    says(counted(shop, 201, 8, seen), "\"on_hand\":13");
    says(counted(shop, 201, 8, seen), "\"on_hand\":13");
    says(counted(shop, 201, 9, seen), "\"on_hand\":14"); /* the last word about that event */
}

static void who_counted_later_is_right_whoever_tells_it_first(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    const int64_t early = now(shop);
    receive(shop, "LEJ", "LAMP", 5);
    const int64_t late = now(shop);
    says(counted(shop, 201, 12, late), "\"on_hand\":12");
    struct reply reply = counted(shop, 201, 6, early);
    says(reply, "\"on_hand\":12");
    says(reply, "\"superseded\":true");
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":11,\"reason\":\"count\"}");
    says(counted(shop, 201, 20, late), "\"superseded\":true");
    assert_on_hand(shop, 11);
}

/* Found missing as of 100, told late; and another count of a state behind that, told later still. */
static void a_correction_that_was_told_late_counts_for_later_events(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    const int64_t early = now(shop);
    receive(shop, "LEJ", "LAMP", 5);
    const int64_t late = now(shop);
    receive(shop, "LEJ", "LAMP", 1);
    says(counted(shop, 201, 8, early), "\"on_hand\":14");
    says(counted(shop, 201, 13, late), "\"on_hand\":14"); /* 15 in the books then, of which 2 were known to be missing since */
}

static void what_cannot_be_a_count_of_the_past(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    static const struct {
        int status;
        const char *body, *code, *pointer;
    } cases[] = {
        { 422, "\"set\":1,\"reason\":\"count\",\"as_of\":999999", "out_of_range", "\"/as_of\"" },
        { 422, "\"set\":1,\"reason\":\"count\",\"as_of\":0", "out_of_range", "\"/as_of\"" },
        { 422, "\"set\":1,\"reason\":\"count\",\"as_of\":\"1\"", "wrong_type", "\"/as_of\"" },
        { 422, "\"delta\":1,\"reason\":\"receipt\",\"as_of\":1", "invalid", "\"/as_of\"" },
        { 422, "\"delta\":1,\"reason\":\"count\",\"from\":\"quarantined\",\"as_of\":1", "invalid", "\"/as_of\"" },
        { 422, "\"set\":1,\"reason\":\"count\",\"as_of\":999999,\"unit_cost\":{\"amount\":\"1.00\",\"currency\":\"USD\"}", "currency_mismatch",
          "\"/as_of\"" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reply reply =
            shop_must(shop, cases[i].status, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",%s}", cases[i].body);
        says(reply, cases[i].code);
        says(reply, cases[i].pointer);
    }
    says(shop_must(shop, 422, "POST", "/v1/inventory/adjustments", "{\"node\":\"NOPE\",\"sku\":\"LAMP\",\"set\":1,\"reason\":\"count\",\"as_of\":1}"),
         "node_unknown");
    assert_on_hand(shop, 10);
}

/* Five were counted and none had left the shelf yet; since then all five did. Three more than there are now cannot be taken. */
static void more_was_missing_than_is_left(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 5);
    const int64_t seen = now(shop);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-4,\"reason\":\"loss\"}");
    says(counted(shop, 409, 3, seen), "stock_conflict");
    assert_on_hand(shop, 1);
}

static void a_preview_looks_back_too(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    const int64_t seen = now(shop);
    receive(shop, "LEJ", "LAMP", 5);
    says(shop_must(shop, 201, "POST", "/v1/inventory/adjustments",
                   "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":9,\"reason\":\"count\",\"as_of\":%ld,\"dry_run\":true}", (long)seen),
         "\"on_hand\":14");
    assert_on_hand(shop, 15);
}

/* ---- short picks: a count decides about what was missed before it ---- */

static const char *picked_short(struct shop *shop, const char *number)
{
    struct reply made = shop_must(
        shop, 201, "POST", "/v1/orders",
        "{\"channel\":\"web\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"
        "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],"
        "\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}",
        number);
    char work[32];
    text_in(made.body, "\"fulfilments\":", "id", work, sizeof work);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/pick", work), "{\"lines\":[{\"line\":1,\"quantity\":0}]}");
    return arena_text(shop->arena, work);
}

static void a_count_of_before_the_pick_leaves_it_open(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 10);
    const int64_t before = now(shop);
    (void)picked_short(shop, "SP-1");
    const int64_t behind = now(shop);
    assert_int_equal(bucket(shop, "quarantined"), 2);
    says(counted(shop, 201, 10, before), "\"quarantined\":2");
    receive(shop, "LEJ", "LAMP", 1);
    says(counted(shop, 201, 10, behind), "\"quarantined\":0");
    assert_int_equal(bucket(shop, "available"), 9); /* two of the 11 went to the order that waited */
}

/* ---- a fact that takes more claims than one command may break ---- */

static void what_claims_still_owe_was_not_on_hand(struct shop *shop)
{
    struct many many = { .shop = shop };
    receive(shop, "LEJ", "LAMP", 700);
    for (int i = 0; i < 700; i++)
        many_add(&many, "POST", "/v1/reservations", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}],\"ttl_s\":86400}");
    many_run(&many);
    says(shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"set\":10,\"reason\":\"count\"}"),
         "\"to_break\":90");
    const int64_t owing = now(shop);
    says(counted(shop, 201, 12, owing), "\"on_hand\":102"); /* 10 were there: two more are, and 90 the job will take */
    shop_jobs(shop, 1);
    assert_on_hand(shop, 12);
    says(counted(shop, 201, 11, owing), "\"on_hand\":11");
}

/* ---- the oracle ---- */

#define STEPS 60

struct told {
    int64_t seq, delta, count; /* count: -1 for a movement */
};
struct model {
    struct told told[3 * STEPS];
    size_t count;
};
static const char *const nodes[] = { "LEJ", "HAM" }, *const skus[] = { "LAMP", "BULB" };

struct oracle {
    struct shop *shop;
    uint64_t random;
    struct model models[4];
    int64_t heads[STEPS + 2], before[4];
    char orders[STEPS][32], transfers[STEPS][32];
    size_t head_count, order_count, transfer_count, late, refused;
};

static uint64_t draw(struct oracle *o, uint64_t below)
{
    o->random ^= o->random << 13;
    o->random ^= o->random >> 7;
    o->random ^= o->random << 17;
    return o->random % below;
}

static void look(struct oracle *o, int64_t units[4])
{
    for (size_t i = 0; i < 4; i++)
        units[i] = on_hand(o->shop, nodes[i / 2], skus[i % 2]);
}

/* As if each count had been told at its event: what was told of one event later has the last word, movements of it come first. */
static int64_t as_if(const struct model *model)
{
    bool done[3 * STEPS] = { 0 };
    int64_t units = 0;
    for (size_t n = 0; n < model->count; n++) {
        size_t next = SIZE_MAX;
        for (size_t i = 0; i < model->count; i++)
            if (!done[i] && (next == SIZE_MAX || model->told[i].seq < model->told[next].seq))
                next = i;
        done[next] = true;
        units = model->told[next].count >= 0 ? model->told[next].count : units + model->told[next].delta;
    }
    return units;
}

static void add(struct model *model, int64_t seq, int64_t delta, int64_t count)
{
    model->told[model->count++] = (struct told){ seq, delta, count };
}

/* Anything that moves units; what it is refused does not matter. */
static void move(struct oracle *o)
{
    struct shop *shop = o->shop;
    const char *node = nodes[draw(o, 2)], *sku = skus[draw(o, 2)];
    char id[32] = "";
    const uint64_t kind = draw(o, 10), units = 1 + draw(o, 4);
    if (kind < 3)
        receive(shop, node, sku, (int64_t)units + 2);
    else if (kind < 6) {
        struct reply reply =
            shop_call(shop, "POST", "/v1/orders",
                      "{\"channel\":\"web\",\"channel_order_id\":\"O-%lu\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                      "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s\",\"quantity\":%lu,"
                      "\"unit_price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}",
                      (unsigned long)draw(o, 1000000000), sku, (unsigned long)units);
        if (reply.status == 201 && strstr(reply.body, "\"fulfilments\":[{") != NULL)
            text_in(reply.body, "\"fulfilments\":", "id", o->orders[o->order_count++], 32);
    } else if (kind < 8 && o->order_count > 0) {
        static const char *const reports[] = { "pick", "pack", "ship" };
        const char *work = o->orders[draw(o, o->order_count)];
        for (size_t i = 0; i < COUNT(reports); i++)
            (void)shop_call(shop, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/%s", work, reports[i]), "%s",
                            i == 0   ? draw(o, 4) == 0 ? "{\"lines\":[{\"line\":1,\"quantity\":0}]}" : "{}"
                            : i == 1 ? "{\"packages\":[{\"weight_g\":1}]}"
                                     : "{\"carrier\":\"DHL\",\"tracking\":\"1\"}");
    } else if (kind == 8 || o->transfer_count == 0) {
        struct reply reply = shop_call(shop, "POST", "/v1/transfers", "{\"from\":\"%s\",\"to\":\"%s\",\"lines\":[{\"sku\":\"%s\",\"quantity\":%lu}]}",
                                       node, node == nodes[0] ? nodes[1] : nodes[0], sku, (unsigned long)units);
        text_in(reply.body, NULL, "id", id, sizeof id);
        if (reply.status == 201)
            memcpy(o->transfers[o->transfer_count++], id, sizeof id);
    } else {
        const char *id_of = o->transfers[draw(o, o->transfer_count)];
        (void)shop_call(shop, "POST", arena_printf(shop->arena, "/v1/transfers/%s/ship", id_of), "{}");
        if (draw(o, 2) == 0)
            (void)shop_call(shop, "POST", arena_printf(shop->arena, "/v1/transfers/%s/receive", id_of),
                            "{\"lines\":[{\"sku\":\"%s\",\"quantity\":%lu}]}", sku, (unsigned long)units);
    }
}

/* A count, told now or late, or damage that is told. Who was wrong may be refused; then nothing was told. */
static void tell(struct oracle *o)
{
    const size_t p = draw(o, 4);
    const int64_t units = (int64_t)draw(o, 12), as_of = o->heads[draw(o, o->head_count)];
    const bool late = draw(o, 4) > 0;
    struct reply reply =
        shop_call(o->shop, "POST", "/v1/inventory/adjustments", "{\"node\":\"%s\",\"sku\":\"%s\",\"set\":%ld,\"reason\":\"count\"%s}", nodes[p / 2],
                  skus[p % 2], (long)units, late ? arena_printf(o->shop->arena, ",\"as_of\":%ld", (long)as_of) : "");
    if (reply.status != 201 && reply.status != 409)
        fail_msg("%d %s", reply.status, reply.body);
    o->late += late && reply.status == 201;
    o->refused += reply.status == 409;
    if (reply.status == 201)
        add(&o->models[p], late ? as_of : now(o->shop), 0, units);
}

static void play_stream(struct shop *shop, struct oracle *o, uint64_t seed)
{
    look(o, o->before);
    for (size_t i = 0; i < 4; i++)
        add(&o->models[i], 0, 0, o->before[i]); /* what there was before the stream */
    o->heads[o->head_count++] = now(shop);
    for (size_t step = 0; step < STEPS; step++) {
        int64_t units[4];
        const bool counts = draw(o, 3) == 0;
        shop->now_us += draw(o, 2) == 0 ? 0 : 1000; /* a clock that stands still makes one time of many batches */
        if (counts)
            tell(o);
        else
            move(o);
        look(o, units);
        for (size_t i = 0; i < 4; i++) {
            if (!counts && units[i] != o->before[i])
                add(&o->models[i], now(shop), units[i] - o->before[i], -1);
            if (units[i] != as_if(&o->models[i]))
                fail_msg("seed %lu, step %zu: %s at %s: %ld on hand, as if counted in time %ld", (unsigned long)seed, step, skus[i % 2], nodes[i / 2],
                         (long)units[i], (long)as_if(&o->models[i]));
            o->before[i] = units[i];
        }
        o->heads[o->head_count++] = now(shop);
    }
}

static void a_count_told_late_ends_as_if_it_had_been_told_in_time(struct shop *shop)
{
    const char *said = getenv("MILLRACE_COUNT_STREAMS");
    const size_t streams = said == NULL ? 6 : strtoul(said, NULL, 10);
    size_t late = 0, refused = 0;
    for (uint64_t seed = 1; seed <= streams; seed++) {
        struct oracle o = { .shop = shop, .random = seed * 0x9e3779b97f4a7c15u };
        play_stream(shop, &o, seed);
        late += o.late;
        refused += o.refused;
    }
    assert_true(late > 4 * refused && late > 5 * streams);
}

int main(void)
{
    static const struct shop_scene scenes[] = {
        SCENE(what_moved_meanwhile_is_not_counted_twice),
        SCENE(nothing_was_there_yet),
        SCENE(a_class_is_counted_for_itself),
        SCENE(a_difference_may_be_told_instead),
        SCENE(two_who_counted_the_same_correct_it_once),
        SCENE(who_counted_later_is_right_whoever_tells_it_first),
        SCENE(a_correction_that_was_told_late_counts_for_later_events),
        SCENE(what_cannot_be_a_count_of_the_past),
        SCENE(more_was_missing_than_is_left),
        SCENE(a_preview_looks_back_too),
        SCENE(a_count_of_before_the_pick_leaves_it_open),
        SCENE(what_claims_still_owe_was_not_on_hand),
        SCENE(a_count_told_late_ends_as_if_it_had_been_told_in_time),
    };
    return scenes_play("counts", scenes, COUNT(scenes));
}
