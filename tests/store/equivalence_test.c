/* tests/store/equivalence_test.c: however a queue is cut into batches, the outcome is the same; and a key gives the same
 * answer again, whatever happened meanwhile.
 * A seeded stream of commands (orders that fit and that do not, checkouts and the orders that use them, cancels, receipts,
 * documents, damages, counts, holds, payments, what nodes report, queues too long for one command and the steps of their jobs)
 * is run one by one in one company and cut at random in another, on a fixed clock: both must end byte-equal, and every command
 * must get the same status and body. Keys come again at once or much later: what was answered with 2xx or 409 must come back
 * to the byte, and with another body 422. MILLRACE_STREAMS sets how many; a failing seed is named. */
#include "engine/jobs.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define STREAM_COMMANDS 20
#define STREAMS_A_SHOP 10

struct sent {
    const char *method, *target, *body, *key;
    int status;
    const char *answer;
    struct sent *first; /* this one sends its key again */
    bool other_body;    /* ... with another body */
};

/* What a node has been told to ship, and how far it is. */
struct work {
    char id[32];
    size_t done;
};

struct stream_maker {
    struct shop *shop;
    struct arena *arena;
    uint64_t random;
    char orders[400][32]; /* ids outside */
    size_t order_count, number;
    char reservation[32]; /* the last, of channel web */
    struct sent *keyed[400];
    size_t keyed_count;
    struct work works[400];
    size_t work_count;
    size_t given_again; /* answers that were compared */
};

static uint64_t draw(struct stream_maker *maker, uint64_t below)
{
    maker->random += 0x9e3779b97f4a7c15u;
    return hash_u64(maker->random) % below;
}

/* One of so many, the youngest more often: orders live on, and old ones are met again too. */
static size_t draw_young(struct stream_maker *maker, size_t count)
{
    size_t young = draw(maker, 3) == 0 || count < 6 ? count : 6;
    return count - 1 - draw(maker, young);
}

static const char *order_body(struct stream_maker *maker)
{
    static const char *const channels[] = { "web", "b2b", "market", "hand" }, *const skus[] = { "LAMP", "BULB", "SHADE", "KIT", "NONE" };
    static const char *const payments[] = { "{\"term\":\"prepaid\",\"status\":\"pending\"}", "{\"term\":\"prepaid\",\"status\":\"captured\"}",
                                            "{\"term\":\"on_account\",\"status\":\"pending\"}",
                                            ("{\"term\":\"authorised\",\"status\":\"authorised\",\"method\":\"card\",\"reference\":\"R\",\"amount\":"
                                             "{\"amount\":\"40.00\",\"currency\":\"EUR\"}}") };
    struct buffer lines = { .arena = maker->arena };
    const bool long_one = draw(maker, 10) == 0; /* each line costs a fill as much as its whole order: a job comes of it */
    size_t count = long_one ? 30 : 1 + draw(maker, 3);
    for (size_t i = 0; i < count; i++)
        buffer_printf(&lines, "%s{\"sku\":\"%s\",\"quantity\":%d,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}", i == 0 ? "" : ",",
                      long_one ? "BULB" : skus[draw(maker, 40) == 0 ? 4 : draw(maker, 4)], long_one ? 1 : 1 + (int)draw(maker, 4));
    const bool uses = maker->reservation[0] != '\0' && draw(maker, 5) == 0;
    return arena_printf(maker->arena,
                        "{\"channel\":\"%s\",\"channel_order_id\":\"E-%zu\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":"
                        "{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[%s],\"payment\":%s%s%s}",
                        uses ? "web" : channels[draw(maker, COUNT(channels))], draw(maker, 12) == 0 ? maker->number : ++maker->number, lines.at, payments[draw(maker, COUNT(payments))],
                        draw(maker, 4) == 0 ? ",\"on_shortage\":\"partial\",\"tags\":[\"vip\"]" : "",
                        uses ? arena_printf(maker->arena, ",\"reservation\":\"%s\"", maker->reservation) : "");
}

static struct sent about_order(struct stream_maker *maker)
{
    static const char *const verbs[][2] = {
        { "cancel", "{\"reason\":\"changed mind\"}" },
        { "cancel", "{\"reason\":\"one less\",\"lines\":[{\"line\":1,\"quantity\":1}]}" },
        { "holds", "{\"kind\":\"fraud\",\"reason\":\"look\",\"source\":\"radar\"}" },
        { "holds", "{\"kind\":\"fraud\",\"reason\":\"look\",\"source\":\"radar\"}" },
        { "holds/fraud/clear", "{\"reason\":\"fine\"}" },
        { "release", "" },
        { "release", "" },
        { "payments", "{\"kind\":\"captured\",\"amount\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},\"reference\":\"r\"}" },
        { "payments", "{\"kind\":\"captured\",\"amount\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},\"reference\":\"s\"}" },
        { "payments", "{\"kind\":\"captured\",\"amount\":{\"amount\":\"90.00\",\"currency\":\"EUR\"},\"reference\":\"t\"}" },
        { "payments", "{\"kind\":\"voided\",\"amount\":{\"amount\":\"40.00\",\"currency\":\"EUR\"},\"reference\":\"r\"}" },
        { "payments", "{\"kind\":\"refunded\",\"amount\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},\"reference\":\"r\"}" },
    };
    size_t verb = draw(maker, COUNT(verbs));
    const char *id = maker->orders[draw_young(maker, maker->order_count)];
    return (struct sent){ .method = "POST", .target = arena_printf(maker->arena, "/v1/orders/%s/%s", id, verbs[verb][0]), .body = verbs[verb][1] };
}

/* A node reports: most often what comes next. */
static const char *const reports[][2] = {
    { "pick", "{}" }, { "pack", "{\"packages\":[{\"weight_g\":500}]}" }, { "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}" }, { "deliver", "" },
};

static struct sent about_work(struct stream_maker *maker)
{
    const struct work *work = &maker->works[draw_young(maker, maker->work_count)];
    size_t step = draw(maker, 6) == 0 || work->done == COUNT(reports) ? draw(maker, COUNT(reports)) : work->done;
    return (struct sent){ .method = "POST", .target = arena_printf(maker->arena, "/v1/fulfilments/%s/%s", work->id, reports[step][0]), .body = reports[step][1] };
}

static struct sent about_stock(struct stream_maker *maker)
{
    static const char *const skus[] = { "LAMP", "BULB", "SHADE" }, *const nodes[] = { "LEJ", "HAM" };
    const char *sku = skus[draw(maker, 3)], *node = nodes[draw(maker, 2)];
    uint64_t kind = draw(maker, 4);
    int units = draw(maker, 8) == 0 ? 50 : 1 + (int)draw(maker, 6);
    char what[80];
    if (kind == 0)
        snprintf(what, sizeof what, "\"delta\":-%d,\"reason\":\"damage\"", units);
    else if (kind == 1)
        snprintf(what, sizeof what, "\"set\":%d,\"reason\":\"count\"", units);
    else
        snprintf(what, sizeof what, "\"delta\":%d,\"reason\":\"receipt\"", units);
    if (kind == 3 && draw(maker, 2) == 0)
        snprintf(what, sizeof what, "\"delta\":%d,\"reason\":\"receipt\",\"document\":\"D-%d\"", units, (int)draw(maker, 3));
    return (struct sent){ .method = "POST", .target = "/v1/inventory/adjustments",
                          .body = arena_printf(maker->arena, "{\"node\":\"%s\",\"sku\":\"%s\",%s}", node, sku, what) };
}

static struct sent checkout(struct stream_maker *maker)
{
    static const char *const skus[] = { "LAMP", "BULB", "KIT" };
    return (struct sent){ .method = "POST", .target = "/v1/reservations",
                          .body = arena_printf(maker->arena, "{\"channel\":\"web\",\"lines\":[{\"sku\":\"%s\",\"quantity\":%d}],\"ttl_s\":600}",
                                               skus[draw(maker, 3)], 1 + (int)draw(maker, 4)) };
}

static bool is_remembered(int status)
{
    return (status >= 200 && status < 300) || status == 409;
}

/* A key that was sent before, the last one as often as all others: now and then with another body. */
static struct sent sent_again(struct stream_maker *maker)
{
    struct sent *first = maker->keyed[draw(maker, 2) == 0 ? maker->keyed_count - 1 : draw(maker, maker->keyed_count)], again = *first;
    again.first = first;
    again.other_body = draw(maker, 8) == 0 && is_remembered(first->status) && again.body[0] != '\0';
    if (again.other_body)
        again.body = arena_printf(maker->arena, "%s ", again.body); /* a byte more is another body */
    return again;
}

static struct sent next_command(struct stream_maker *maker)
{
    uint64_t kind = draw(maker, 20);
    struct sent sent;
    if (kind == 0)
        return (struct sent){ .method = "STEP", .target = "the oldest open job", .body = "" };
    if (kind < 5 && maker->keyed_count > 0)
        return sent_again(maker);
    if (kind < 11 || maker->order_count == 0)
        sent = (struct sent){ .method = "POST", .target = "/v1/orders", .body = order_body(maker) };
    else if (kind < 14)
        sent = about_order(maker);
    else if (kind < 16 && maker->work_count > 0)
        sent = about_work(maker);
    else if (kind < 17)
        sent = checkout(maker);
    else
        sent = about_stock(maker);
    if (draw(maker, 3) > 0)
        sent.key = arena_printf(maker->arena, "key-%lu", (unsigned long)draw(maker, UINT64_MAX));
    return sent;
}

static struct command *prepare(struct shop *shop, const struct sent *sent)
{
    static const struct job_input oldest = { 0 };
    if (strcmp(sent->method, "STEP") == 0) {
        struct command *step = ARENA_NEW(shop->arena, struct command);
        *step = (struct command){ .type = &job_step, .input = &oldest, .arena = shop->arena, .unit = 1, .faults = { .arena = shop->arena } };
        return step;
    }
    return local_command(shop->local, shop->arena, sent->method, sent->target, sent->body, sent->key);
}

/* What came back under a key that was sent before. */
static void judge_again(struct stream_maker *maker, const struct sent *again, uint64_t seed)
{
    struct sent *first = again->first;
    bool kept = is_remembered(first->status);
    size_t same = 0; /* bytes that are equal before they differ */
    while (first->answer[same] != '\0' && first->answer[same] == again->answer[same])
        same++;
    if (kept && again->other_body ? again->status != 422 || strstr(again->answer, "idempotency_mismatch") == NULL
                                  : kept && (again->status != first->status || strcmp(again->answer, first->answer) != 0))
        fail_msg("seed %lu, %s %s%s: first %d ..%.300s, again %d ..%.300s", (unsigned long)seed, again->target, again->body,
                 again->other_body ? " (another body)" : "", first->status, first->answer + same, again->status, again->answer + same);
    maker->given_again += kept;
    if (!kept) { /* it was done now */
        first->status = again->status;
        first->answer = again->answer;
    }
}

static void learn_works(struct stream_maker *maker, const char *body)
{
    for (const char *at = body; (at = strstr(at, "\"id\":\"ful_")) != NULL && maker->work_count < COUNT(maker->works); at++) {
        struct work *work = &maker->works[maker->work_count];
        text_in(at, NULL, "id", work->id, sizeof work->id);
        bool known = false;
        for (size_t i = 0; i < maker->work_count; i++)
            known = known || strcmp(maker->works[i].id, work->id) == 0;
        maker->work_count += !known;
    }
}

/* Ids that later commands may name. */
static void learn(struct stream_maker *maker, struct sent *sent)
{
    if (sent->status == 201 && strcmp(sent->target, "/v1/orders") == 0 && sent->first == NULL)
        text_in(sent->answer, NULL, "id", maker->orders[maker->order_count++], sizeof maker->orders[0]);
    if (sent->status == 201 && strcmp(sent->target, "/v1/reservations") == 0)
        text_in(sent->answer, NULL, "id", maker->reservation, sizeof maker->reservation);
    learn_works(maker, sent->answer);
    const char *work = strncmp(sent->target, "/v1/fulfilments/", 16) == 0 && sent->status == 200 && sent->first == NULL ? sent->target + 16 : "";
    for (size_t i = 0; i < maker->work_count; i++)
        maker->works[i].done += strncmp(work, maker->works[i].id, strlen(maker->works[i].id)) == 0;
    if (sent->key != NULL && sent->first == NULL && maker->keyed_count < COUNT(maker->keyed)) {
        maker->keyed[maker->keyed_count] = ARENA_NEW(maker->arena, struct sent);
        *maker->keyed[maker->keyed_count++] = *sent;
    }
}

static void run_one_by_one(struct stream_maker *maker, struct sent *stream, uint64_t seed)
{
    for (size_t i = 0; i < STREAM_COMMANDS; i++) {
        stream[i] = next_command(maker);
        struct command *command = prepare(maker->shop, &stream[i]);
        if (command->state != COMMAND_REFUSED)
            engine_run(maker->shop->engine, &command, 1);
        stream[i].status = command->answer.status;
        stream[i].answer = command->answer.body == NULL ? "" : command->answer.body;
        if (stream[i].first != NULL)
            judge_again(maker, &stream[i], seed);
        learn(maker, &stream[i]);
    }
}

static void run_cut(struct stream_maker *maker, struct shop *shop, struct sent *stream, uint64_t seed)
{
    struct command *commands[STREAM_COMMANDS], *run[STREAM_COMMANDS];
    for (size_t i = 0; i < STREAM_COMMANDS; i++)
        commands[i] = prepare(shop, &stream[i]);
    for (size_t at = 0; at < STREAM_COMMANDS;) {
        size_t size = 1 + draw(maker, STREAM_COMMANDS), count = 0;
        size = size > STREAM_COMMANDS - at ? STREAM_COMMANDS - at : size;
        for (size_t i = at; i < at + size; i++)
            if (commands[i]->state != COMMAND_REFUSED)
                run[count++] = commands[i];
        engine_run(shop->engine, run, count);
        at += size;
    }
    for (size_t i = 0; i < STREAM_COMMANDS; i++) {
        const char *body = commands[i]->answer.body == NULL ? "" : commands[i]->answer.body;
        if (commands[i]->answer.status != stream[i].status || strcmp(body, stream[i].answer) != 0)
            fail_msg("seed %lu, command %zu %s %s: alone %d %s, in a batch %d %s", (unsigned long)seed, i, stream[i].target, stream[i].body,
                     stream[i].status, stream[i].answer, commands[i]->answer.status, body);
    }
}

static void furnish(struct shop *shop)
{
    shop_furnish(shop);
    shop_must(shop, 201, "PUT", "/v1/channels/hand", "{\"unit\":\"DE\",\"name\":\"By hand\",\"kind\":\"store\",\"priority\":2,\"nodes\":[\"LEJ\",\"HAM\"],"
                                                     "\"shortage\":\"backorder\",\"release\":\"manual\"}");
    receive(shop, "LEJ", "BULB", 6);
}

static void streams(enum store store, uint64_t count)
{
    size_t jobs = 0, given_again = 0;
    struct arena *rows = arena_new((size_t)1 << 30);
    for (uint64_t seed = 1; seed <= count;) {
        struct shop *alone = shop_open(store), *cut = shop_open(store);
        furnish(alone);
        furnish(cut);
        struct stream_maker maker = { .shop = alone, .arena = alone->arena, .random = seed };
        for (size_t i = 0; i < STREAMS_A_SHOP && seed <= count; i++, seed++) {
            struct sent stream[STREAM_COMMANDS];
            alone->now_us = cut->now_us += 60000000;
            run_one_by_one(&maker, stream, seed);
            run_cut(&maker, cut, stream, seed);
            arena_reset(rows);
            const char *difference = shop_difference(alone, cut, rows);
            if (difference != NULL)
                fail_msg("seed %lu, alone and cut: %s", (unsigned long)seed, difference);
        }
        jobs += shop_table(alone, rows, &job_table).count;
        given_again += maker.given_again;
        shop_close(alone);
        shop_close(cut);
    }
    arena_free(rows);
    print_message("%lu streams, %zu jobs, %zu answers given again\n", (unsigned long)count, jobs, given_again);
}

static uint64_t stream_count(uint64_t preset)
{
    const char *text = getenv("MILLRACE_STREAMS");
    return text == NULL ? preset : strtoull(text, NULL, 10);
}

static void any_cut_gives_the_same_outcome_on_sqlite(void **state)
{
    streams(STORE_SQLITE, stream_count(10000));
}

static void any_cut_gives_the_same_outcome_on_postgresql(void **state)
{
    if (!store_is_there(STORE_POSTGRES))
        skip();
    streams(STORE_POSTGRES, stream_count(10000) / 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_cut_gives_the_same_outcome_on_sqlite),
        cmocka_unit_test(any_cut_gives_the_same_outcome_on_postgresql),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
