/* tests/store/equivalence_test.c: however a queue is cut into batches, the outcome is the same; and a key gives the same
 * answer again, whatever happened meanwhile; and a preview says to the byte what is answered then, and leaves no trace.
 * A seeded stream of commands (orders that fit and that do not, checkouts, the orders that use them and those given back, cancels, edits,
 * adjustments of every reason, bucket and class, quarantine, inspections, recalls, snapshots and returns, counts of the past, count sheets, webhooks,
 * documents, holds, payments, what nodes report and are asked, short picks, refusals, lost and late parcels too, queues too long for one command and
 * the steps of their jobs, masters that are made and changed in the midst of it, also under If-Match) is run one by one in one company and cut at
 * random in another, on PostgreSQL by two servers in turn, on a fixed clock: both must end byte-equal, and every command must get the same status,
 * body and ETag. Keys come again at once or much later: what was answered with 2xx or 409 must come back to the byte, and with another body 422. In
 * the company whose queue is cut half of all commands are asked as a preview first, alone or with those behind them as one. MILLRACE_STREAMS sets how
 * many; a failing seed is named. */
#include "connect/connect.h"
#include "engine/jobs.h"
#include "engine/vault.h"
#include "fulfilment/parcels.h"
#include "orders/told.h"
#include "store/shop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define STREAM_COMMANDS 20
#define STREAMS_A_SHOP 10
#define PREVIEW_MAX 6 /* commands that are asked as one */

struct sent {
    const char *method, *target, *body, *key;
    const char *if_match, *if_none_match;
    int status;
    const char *answer, *etag;
    struct sent *first;                  /* this one sends its key again */
    bool other_body;                     /* ... with another body */
    int64_t unit;                        /* of a job's step; 2 may not be there */
    const struct webhook_report *report; /* what a sender tells DE of its attempts */
    const struct tell_input *tell;       /* what somebody who looked at the queues of DE has to tell */
};

/* What a node has been told to ship, and how far it is. */
struct work {
    char id[32];
    size_t done;
};

/* The newest version of a master that was answered. */
struct known_master {
    const char *target;
    int64_t version;
};

struct stream_maker {
    struct shop *shop;
    struct arena *arena;
    uint64_t random;
    char orders[400][32]; /* ids outside */
    size_t order_count, number;
    char reservation[32]; /* the last, of channel web */
    char transfers[60][32], supplies[60][32], recalls[20][32], returns[60][32];
    size_t transfer_count, supply_count, recall_count, return_count;
    char counts[60][32];
    size_t count_count;
    struct sent *keyed[400];
    size_t keyed_count;
    struct work works[400];
    size_t work_count;
    struct known_master masters[64];
    size_t master_count;
    int64_t past;                            /* the last event before the stream */
    size_t given_again;                      /* answers that were compared */
    uint64_t master_in;                      /* one in so many commands changes a master */
    const struct master_change *last_change; /* NULL: what was sent last was about something else */
    size_t changed;                          /* masters */
    size_t promises;                         /* places that somebody looked at and told */
    uint64_t tossed;                         /* what is drawn for previews: they are asked without changing the streams */
    size_t previewed;
    struct command *cut[STREAM_COMMANDS]; /* of the stream that was cut last */
};

static uint64_t draw(struct stream_maker *maker, uint64_t below)
{
    maker->random += 0x9e3779b97f4a7c15u;
    return hash_u64(maker->random) % below;
}

static uint64_t toss(struct stream_maker *maker, uint64_t below)
{
    maker->tossed += 0x9e3779b97f4a7c15u;
    return hash_u64(maker->tossed) % below;
}

/* One of so many, the youngest more often: orders live on, and old ones are met again too. */
static size_t draw_young(struct stream_maker *maker, size_t count)
{
    size_t young = draw(maker, 3) == 0 || count < 6 ? count : 6;
    return count - 1 - draw(maker, young);
}

/* The text with each $ and the letter behind it made one of what the letter stands for, and each $ and digit a number up to it. */
static const char *drawn(struct stream_maker *maker, const char *text)
{
    static const struct {
        char letter;
        const char *words[6];
        size_t count;
    } choices[] = {
        { 'C', { "web", "b2b", "market", "hand" }, 4 },
        { 'N', { "LEJ", "HAM" }, 2 },
        { 'S', { "LAMP", "BULB", "SHADE" }, 3 },
        { 'U', { "NEW1", "NEW2", "NEW3", "NONE" }, 4 }, /* not there at first; the last never */
        { 'G', { "LAMP", "BULB", "SHADE", "KIT", "SET", "NEW1" }, 6 },
        { 'L', { "L1", "L2", "L3" }, 3 },
        { 'M', { ",\"on_shortage\":\"partial\",\"tags\":[\"vip\"]", ",\"on_shortage\":\"partial\",\"max_shipments\":2", ",\"max_shipments\":1" }, 3 },
        { 'P', { "reject", "backorder", "partial" }, 3 },
        { 'R', { "auto", "manual" }, 2 },
        { 'B', { "true", "false" }, 2 },
        { 'K', { "B", "C", "NONE" }, 3 }, /* classes; the last is never there */
        { 'W', { "restock", "refurbish", "return_to_supplier", "scrap", "missing" }, 5 },
        { 'D', { "opening", "receipt", "found", "count", "loss", "correction" }, 6 },
    };
    struct buffer out = { .arena = maker->arena };
    buffer_text(&out, "");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at != '$') {
            buffer_printf(&out, "%c", *at);
            continue;
        }
        at++;
        if (*at >= '0' && *at <= '9')
            buffer_printf(&out, "%d", (int)draw(maker, (uint64_t)(*at - '0') + 1));
        for (size_t i = 0; i < COUNT(choices); i++)
            if (choices[i].letter == *at)
                buffer_text(&out, choices[i].words[draw(maker, choices[i].count)]);
    }
    return out.at;
}

static const char *line_named(struct stream_maker *maker)
{
    static const char *const skus[] = { "LAMP", "BULB", "SHADE", "KIT" };
    if (draw(maker, 24) == 0)
        return drawn(maker, "\"sku\":\"$U\"");
    if (draw(maker, 12) == 0)
        return drawn(maker, "\"channel_sku\":\"$L\"");
    return arena_printf(maker->arena, "\"sku\":\"%s\"", draw(maker, 24) == 0 ? "SET" : skus[draw(maker, 4)]);
}

static const char *order_body(struct stream_maker *maker)
{
    static const char *const channels[] = { "web", "b2b", "market", "hand" };
    static const char *const payments[] = { "{\"term\":\"prepaid\",\"status\":\"pending\"}", "{\"term\":\"prepaid\",\"status\":\"captured\"}",
                                            "{\"term\":\"on_account\",\"status\":\"pending\"}",
                                            ("{\"term\":\"authorised\",\"status\":\"authorised\",\"method\":\"card\",\"reference\":\"R\",\"amount\":"
                                             "{\"amount\":\"40.00\",\"currency\":\"EUR\"}}") };
    struct buffer lines = { .arena = maker->arena };
    const bool long_one = draw(maker, 10) == 0; /* each line costs a fill as much as its whole order: a job comes of it */
    size_t count = long_one ? 30 : 1 + draw(maker, 3);
    for (size_t i = 0; i < count; i++)
        buffer_printf(&lines, "%s{%s,\"quantity\":%d,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}", i == 0 ? "" : ",",
                      long_one ? "\"sku\":\"BULB\"" : line_named(maker), long_one ? 1 : 1 + (int)draw(maker, 4));
    const bool uses = maker->reservation[0] != '\0' && draw(maker, 5) == 0;
    return arena_printf(maker->arena,
                        "{\"channel\":\"%s\",\"channel_order_id\":\"E-%zu\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":"
                        "{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[%s],\"payment\":%s%s%s}",
                        uses                   ? "web"
                        : draw(maker, 20) == 0 ? "wien"
                                               : channels[draw(maker, COUNT(channels))],
                        draw(maker, 12) == 0 ? maker->number : ++maker->number, lines.at, payments[draw(maker, COUNT(payments))],
                        draw(maker, 4) == 0 ? drawn(maker, "$M") : "",
                        uses ? arena_printf(maker->arena, ",\"reservation\":\"%s\"", maker->reservation) : "");
}

static struct sent about_order(struct stream_maker *maker)
{
    static const char *const verbs[][2] = {
        { "cancel", "{\"reason\":\"changed mind\"}" },
        { "cancel", "{\"reason\":\"one less\",\"lines\":[{\"line\":1,\"quantity\":1}]}" },
        { "edit", "{\"set\":[{\"line\":1,\"quantity\":$4}]}" },
        { "edit", "{\"set\":[{\"line\":1,\"quantity\":$4},{\"line\":2,\"quantity\":$4}]}" },
        { "edit", "{\"add\":[{\"sku\":\"$G\",\"quantity\":2,\"unit_price\":{\"amount\":\"4.00\",\"currency\":\"EUR\"}}]}" },
        { "edit",
          "{\"set\":[{\"line\":1,\"quantity\":$2}],\"add\":[{\"channel_sku\":\"$L\",\"quantity\":1,\"unit_price\":{\"amount\":\"4.00\",\"currency\":"
          "\"EUR\"},\"discount\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}],\"reason\":\"called\"}" },
        { "substitute", "{\"line\":1,\"sku\":\"$G\"}" },
        { "edit", "{\"max_shipments\":$2,\"set\":[{\"line\":1,\"quantity\":$5}]}" },
        { "edit", "{\"max_shipments\":null}" },
        { "substitute", "{\"line\":2,\"quantity\":1}" },
        { "edit", "{\"ship_to\":{\"name\":\"A$2\",\"country\":\"AT\"}}" },
        { "holds", "{\"kind\":\"fraud\",\"reason\":\"look\",\"source\":\"radar\"}" },
        { "holds", "{\"kind\":\"fraud\",\"reason\":\"look\",\"source\":\"radar\"}" },
        { "holds/fraud/clear", "{\"reason\":\"fine\"}" },
        { "release", "" },
        { "replan", "" },
        { "replan", "" },
        { "release", "" },
        { "refusals/HAM/clear", "{\"reason\":\"now\"}" },
        { "refusals/LEJ/clear", "{\"reason\":\"now\"}" },
        { "payments", "{\"kind\":\"captured\",\"amount\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},\"reference\":\"r\"}" },
        { "payments", "{\"kind\":\"captured\",\"amount\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},\"reference\":\"s\"}" },
        { "payments", "{\"kind\":\"captured\",\"amount\":{\"amount\":\"90.00\",\"currency\":\"EUR\"},\"reference\":\"t\"}" },
        { "payments", "{\"kind\":\"voided\",\"amount\":{\"amount\":\"40.00\",\"currency\":\"EUR\"},\"reference\":\"r\"}" },
        { "payments", "{\"kind\":\"refunded\",\"amount\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},\"reference\":\"r\"}" },
    };
    size_t verb = draw(maker, COUNT(verbs));
    const char *id = maker->orders[draw_young(maker, maker->order_count)];
    return (struct sent){ .method = "POST",
                          .target = arena_printf(maker->arena, "/v1/orders/%s/%s", id, verbs[verb][0]),
                          .body = drawn(maker, verbs[verb][1]) };
}

/* A node reports: most often what comes next. */
static const char *const reports[][2] = {
    { "pick", "{}" },
    { "pack", "{\"packages\":[{\"weight_g\":500}]}" },
    { "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}" },
    { "deliver", "" },
};

/* What passes between us and a node about its work besides: HAM is run by others. */
static const char *const words[][2] = {
    { "send", "" },
    { "send", "" },
    { "accept", "" },
    { "decline", "{\"reason\":\"no\"}" },
    { "fail", "{\"reason\":\"no\"}" },
    { "fail", "{\"reason\":\"no\",\"lost\":[{\"line\":1,\"quantity\":1}]}" },
    { "cancel", "" },
    { "cancel", "" },
    { "reject_cancel", "{\"reason\":\"no\"}" },
    { "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\",\"lines\":[{\"line\":1,\"quantity\":1}]}" },
    { "lost", "{\"reason\":\"gone\"}" },
    { "lost", "{\"reason\":\"gone\",\"lines\":[{\"line\":1,\"quantity\":1}]}" },
    { "damaged", "{\"reason\":\"wet\",\"then\":\"ship_again\"}" },
    { "settle", "{\"then\":\"refund\"}" },
    { "settle", "{\"then\":\"ship_again\"}" },
    { "settle", "{\"then\":\"arrived\"}" },
};

/* Fewer than are due, or more, or of what is not there. */
static const char *const picks[] = {
    "{\"lines\":[{\"line\":1,\"quantity\":$2}]}",
    "{\"lines\":[{\"line\":1,\"quantity\":0}]}",
    "{\"lines\":[{\"line\":1,\"sku\":\"$S\",\"quantity\":$2}]}",
    "{\"lines\":[{\"line\":1,\"sku\":\"BULB\",\"quantity\":$3},{\"line\":2,\"sku\":\"$S\",\"quantity\":$1}]}",
};

static struct sent about_work(struct stream_maker *maker)
{
    const struct work *work = &maker->works[draw_young(maker, maker->work_count)];
    if (draw(maker, 3) == 0) {
        const size_t word = draw(maker, COUNT(words));
        return (struct sent){ .method = "POST",
                              .target = arena_printf(maker->arena, "/v1/fulfilments/%s/%s", work->id, words[word][0]),
                              .body = words[word][1] };
    }
    size_t step = draw(maker, 6) == 0 || work->done >= COUNT(reports) ? draw(maker, COUNT(reports)) : work->done;
    const char *body = step == 0 && draw(maker, 2) == 0 ? drawn(maker, picks[draw(maker, COUNT(picks))]) : reports[step][1];
    return (struct sent){ .method = "POST", .target = arena_printf(maker->arena, "/v1/fulfilments/%s/%s", work->id, reports[step][0]), .body = body };
}

/* A sheet is opened, or something becomes of one: drawn apart, so that the rest of the streams is as it was. */
static struct sent counting(struct stream_maker *maker)
{
    static const char *const skus[] = { "LAMP", "BULB", "SHADE" };
    if (maker->count_count == 0 || toss(maker, 3) == 0)
        return (struct sent){ .method = "POST",
                              .target = "/v1/counts",
                              .body = arena_printf(maker->arena, "{\"node\":\"%s\",\"skus\":[%s]}", toss(maker, 2) == 0 ? "LEJ" : "HAM",
                                                   toss(maker, 9) == 0   ? "\"KIT\""
                                                   : toss(maker, 2) == 0 ? "\"LAMP\",\"BULB\",\"SHADE\""
                                                                         : "\"BULB\"") };
    const char *id = maker->counts[maker->count_count - 1 - toss(maker, maker->count_count < 3 ? maker->count_count : 3)];
    const uint64_t kind = toss(maker, 8);
    const char *verb = kind == 0 ? "cancel" : kind == 1 ? "acknowledge" : "lines";
    const char *as_of =
        toss(maker, 3) > 0 ? "" : arena_printf(maker->arena, ",\"as_of\":%lu", (unsigned long)(1 + toss(maker, (uint64_t)maker->past)));
    return (struct sent){ .method = "POST",
                          .target = arena_printf(maker->arena, "/v1/counts/%s/%s", id, verb),
                          .body = kind < 2 ? "{\"reason\":\"so\"}"
                                           : arena_printf(maker->arena, "{\"counter\":\"%c\",\"lines\":[{\"sku\":\"%s\",\"counted\":%lu%s}]}",
                                                          (int)('a' + toss(maker, 3)), skus[toss(maker, 3)], (unsigned long)toss(maker, 5), as_of) };
}

/* What is counted often follows from what moved; its job takes its turn among the commands. */
static struct sent classing(struct stream_maker *maker)
{
    if (toss(maker, 2) == 0)
        return (struct sent){ .method = "POST", .target = "/v1/counts/classes", .body = "{\"unit\":\"DE\"}" };
    return (struct sent){ .method = "PUT",
                          .target = "/v1/units/DE/counting",
                          .body = arena_printf(maker->arena, "{\"window_days\":%lu,\"share_a_ppm\":%lu00000,\"every_days\":0}",
                                               (unsigned long)(1 + toss(maker, 3)), (unsigned long)(1 + toss(maker, 7))) };
}

static struct sent about_stock(struct stream_maker *maker)
{
    static const char *const told[] = {
        "\"delta\":$6,\"reason\":\"receipt\"",
        "\"delta\":$6,\"reason\":\"receipt\"",
        "\"delta\":$6,\"reason\":\"receipt\"",
        "\"delta\":50,\"reason\":\"receipt\"",
        "\"delta\":$3,\"reason\":\"found\",\"unit_cost\":{\"amount\":\"3.5$9\",\"currency\":\"EUR\"}",
        "\"set\":$6,\"reason\":\"count\"",
        "\"set\":$6,\"reason\":\"count\"",
        "\"set\":$9,\"reason\":\"opening\"",
        "\"delta\":-$6,\"reason\":\"damage\"",
        "\"delta\":-$6,\"reason\":\"damage\"",
        "\"delta\":-$3,\"reason\":\"loss\",\"bucket\":\"quarantined\"",
        "\"delta\":-50,\"reason\":\"loss\"",
        "\"delta\":-$3,\"reason\":\"correction\"",
        "\"delta\":$3,\"reason\":\"correction\",\"bucket\":\"quarantined\",\"from\":\"available\"",
        "\"delta\":$3,\"reason\":\"correction\",\"from\":\"quarantined\"",
        "\"set\":$3,\"reason\":\"receipt\",\"bucket\":\"quarantined\"",
        "\"delta\":$4,\"reason\":\"$D\",\"document\":\"D-$2\"",
        "\"delta\":$4,\"reason\":\"$D\",\"document\":\"D-$2\"",
        "\"delta\":-$2,\"reason\":\"$D\",\"document\":\"D-$2\"",
    };
    const char *what = told[draw(maker, COUNT(told))];
    if (strstr(what, "\"count\"") != NULL && toss(maker, 2) == 0)
        return toss(maker, 4) == 0 ? classing(maker) : counting(maker);
    if (strstr(what, "\"count\"") != NULL && toss(maker, 2) == 0) /* of the past, which is the same however a queue is cut */
        what = arena_printf(maker->arena, "%s,\"as_of\":%lu", what, (unsigned long)(1 + toss(maker, (uint64_t)maker->past)));
    return (struct sent){ .method = "POST",
                          .target = "/v1/inventory/adjustments",
                          .body = drawn(maker, arena_printf(maker->arena, "{\"node\":\"$N\",\"sku\":\"$S\",%s}", what)) };
}

static struct sent checkout(struct stream_maker *maker)
{
    if (maker->reservation[0] != '\0' && draw(maker, 3) == 0)
        return (struct sent){ .method = "DELETE", .target = arena_printf(maker->arena, "/v1/reservations/%s", maker->reservation), .body = "" };
    static const char *const lines[] = { "$G", "LAMP", "BULB", "KIT", "BULB\",\"quantity\":$2},{\"sku\":\"KIT" };
    const char *body = arena_printf(maker->arena, "{\"channel\":\"web\",\"lines\":[{\"sku\":\"%s\",\"quantity\":$4}],\"ttl_s\":600}",
                                    lines[draw(maker, COUNT(lines))]);
    return (struct sent){ .method = "POST", .target = "/v1/reservations", .body = drawn(maker, body) };
}

/* Most are soon ended: with nothing to sell the other commands would be refused. */
static struct sent recall(struct stream_maker *maker)
{
    static const char *const where[] = { "\"nodes\":[\"$N\"]", "\"nodes\":[\"LEJ\",\"HAM\"]", "\"unit\":\"DE\"",
                                         "\"nodes\":[\"$N\"],\"class\":\"$K\"" };
    if (maker->recall_count == 0 || (maker->recall_count < COUNT(maker->recalls) && draw(maker, 4) == 0))
        return (struct sent){ .method = "POST",
                              .target = "/v1/recalls",
                              .body = drawn(
                                  maker, arena_printf(maker->arena, "{\"sku\":\"$S\",\"reason\":\"paint\",%s}", where[draw(maker, COUNT(where))])) };
    return (struct sent){ .method = "POST",
                          .target = arena_printf(maker->arena, "/v1/recalls/%s/end", maker->recalls[draw_young(maker, maker->recall_count)]),
                          .body = drawn(maker, "{\"release\":$B,\"reason\":\"over\"}") };
}

/* Of an order that has shipped, most often. */
static struct sent back(struct stream_maker *maker)
{
    static const char *const calls[][2] = {
        { "receive", "{\"lines\":[{\"line\":1,\"quantity\":$3}]}" },
        { "receive", "{\"document\":\"RMA-$2\",\"lines\":[{\"line\":1,\"quantity\":$3}]}" },
        { "receive", "{\"lines\":[{\"line\":1,\"quantity\":1},{\"sku\":\"$G\",\"quantity\":$2}]}" },
        { "inspect", "{\"lines\":[{\"line\":1,\"quantity\":1,\"disposition\":\"$W\"}]}" },
        { "inspect",
          "{\"lines\":[{\"line\":$2,\"quantity\":$2,\"disposition\":\"back_to_customer\"},{\"line\":1,\"quantity\":1,\"disposition\":\"restock\"}]}" },
        { "inspect", "{\"lines\":[{\"line\":1,\"quantity\":1,\"disposition\":\"restock_as\",\"class\":\"$K\"}]}" },
        { "cancel", "" },
    };
    const size_t i = draw(maker, COUNT(calls));
    if (maker->return_count == 0 || (maker->return_count < COUNT(maker->returns) && draw(maker, 3) == 0))
        return (struct sent){ .method = "POST",
                              .target = "/v1/returns",
                              .body = drawn(maker,
                                            arena_printf(maker->arena, "{\"order\":\"%s\",\"node\":\"$N\",\"lines\":[{\"line\":1,\"quantity\":$2}]}",
                                                         maker->orders[draw_young(maker, maker->order_count)])) };
    return (struct sent){ .method = "POST",
                          .target =
                              arena_printf(maker->arena, "/v1/returns/%s/%s", maker->returns[draw_young(maker, maker->return_count)], calls[i][0]),
                          .body = drawn(maker, calls[i][1]) };
}

/* Of a node that is mirrored at times; an older one than the last is refused. */
static struct sent snapshot(struct stream_maker *maker)
{
    static const char *const items[] = { "{\"sku\":\"$S\",\"quantity\":$9}", "{\"sku\":\"LAMP\",\"quantity\":$6},{\"sku\":\"BULB\",\"quantity\":$9}",
                                         "{\"sku\":\"$S\",\"quantity\":$9,\"quarantined\":$3}", "{\"sku\":\"$S\",\"class\":\"$K\",\"quantity\":$2}" };
    const char *body = arena_printf(maker->arena, "{\"taken_at\":\"2025-11-2$3T08:00:00Z\",%s\"tolerance\":$2,\"whole\":$B,\"items\":[%s]}",
                                    draw(maker, 3) == 0 ? "\"document\":\"S-$2\"," : "", items[draw(maker, COUNT(items))]);
    if (toss(maker, 3) == 0) /* in parts, and some as of an event */
        body = arena_printf(
            maker->arena, "{\"taken_at\":\"2025-11-2$3T08:00:00Z\",\"document\":\"P-$2\",\"part\":$3%s,\"items\":[%s]}",
            toss(maker, 2) == 0 ? "" : arena_printf(maker->arena, ",\"as_of\":%lu", (unsigned long)(1 + toss(maker, (uint64_t)maker->past))),
            items[draw(maker, COUNT(items))]);
    return (struct sent){ .method = "POST", .target = drawn(maker, "/v1/nodes/$N/snapshot"), .body = drawn(maker, body) };
}

/* What people decide of units that are there. */
static struct sent judgement(struct stream_maker *maker)
{
    static const char *const calls[][2] = {
        { "/v1/inventory/quarantine", "\"quantity\":$4,\"reason\":\"damaged\"" },
        { "/v1/inventory/quarantine", "\"quantity\":$4,\"reason\":\"quality\",\"document\":\"Q-$2\"" },
        { "/v1/inventory/release", "\"quantity\":$4" },
        { "/v1/inventory/release", "\"quantity\":$2,\"class\":\"$K\"" },
        { "/v1/inventory/regrade", "\"quantity\":$3,\"to_class\":\"$K\"" },
        { "/v1/inventory/regrade", "\"quantity\":$3,\"class\":\"$K\",\"bucket\":\"quarantined\"" },
        { "/v1/inventory/regrade", "\"quantity\":$3,\"class\":\"$K\"" },
        { "/v1/inspections", "\"lines\":[{\"disposition\":\"$W\",\"quantity\":$2}]" },
        { "/v1/inspections",
          "\"lines\":[{\"disposition\":\"restock_as\",\"class\":\"$K\",\"quantity\":$2},{\"disposition\":\"$W\",\"quantity\":1}]" },
        { "/v1/inspections", "\"class\":\"$K\",\"document\":\"Q-$2\",\"lines\":[{\"disposition\":\"restock_as\",\"quantity\":1}]" },
        { "/v1/inventory/adjustments", "\"delta\":$6,\"reason\":\"receipt\",\"class\":\"$K\"" },
        { "/v1/inventory/adjustments", "\"set\":$6,\"reason\":\"count\",\"class\":\"$K\"" },
        { "/v1/inventory/adjustments", "\"delta\":-$3,\"reason\":\"loss\",\"class\":\"$K\",\"document\":\"D-$2\"" },
    };
    const size_t i = draw(maker, COUNT(calls));
    return (struct sent){ .method = "POST",
                          .target = calls[i][0],
                          .body = drawn(maker, arena_printf(maker->arena, "{\"node\":\"$N\",\"sku\":\"$S\",%s}", calls[i][1])) };
}

static struct sent transfer(struct stream_maker *maker)
{
    static const char *const lines[] = { "{\"sku\":\"$S\",\"quantity\":$2}", "{\"sku\":\"BULB\",\"quantity\":1},{\"sku\":\"LAMP\",\"quantity\":1}",
                                         "{\"sku\":\"$G\",\"quantity\":1}" },
                             *const events[] = { "ship", "ship", "receive", "receive", "cancel", "settle" };
    const char *what = lines[draw(maker, COUNT(lines))], *event = events[draw(maker, COUNT(events))];
    if (maker->transfer_count == 0 || draw(maker, 3) == 0)
        return (struct sent){ .method = "POST",
                              .target = "/v1/transfers",
                              .body = drawn(maker, arena_printf(maker->arena, "{\"from\":\"$N\",\"to\":\"$N\",\"lines\":[%s]}", what)) };
    const char *body = strcmp(event, "receive") == 0  ? drawn(maker, arena_printf(maker->arena, "{\"lines\":[%s]}", what))
                       : strcmp(event, "settle") == 0 ? "{\"reason\":\"gone\"}"
                                                      : "";
    return (struct sent){ .method = "POST",
                          .target =
                              arena_printf(maker->arena, "/v1/transfers/%s/%s", maker->transfers[draw_young(maker, maker->transfer_count)], event),
                          .body = body };
}

/* Announced, changed, received in parts, short or over, given up; dates that have passed are late at once. */
static struct sent supply(struct stream_maker *maker)
{
    static const char
        *const came[] = { "{\"sku\":\"$S\",\"quantity\":$6}",
                          "{\"sku\":\"$S\",\"quantity\":$3,\"class\":\"$K\"},{\"sku\":\"LAMP\",\"quantity\":1,\"bucket\":\"quarantined\"}",
                          "{\"sku\":\"LAMP\",\"quantity\":$3},{\"sku\":\"BULB\",\"quantity\":$3}" },
               *const told[] = { "\"lines\":[{\"line\":1,\"quantity\":$9}]",
                                 "\"lines\":[{\"line\":1,\"expected_at\":\"202$9-12-0$2T08:00:00Z\"},{\"line\":2,\"quantity\":$3}]" },
               *const events[] = { "change", "receive", "receive", "receive", "close" };
    const char *event = events[draw(maker, COUNT(events))], *lines = came[draw(maker, COUNT(came))];
    if (maker->supply_count == 0 || draw(maker, 3) == 0) {
        const char *of = maker->supply_count == 0 || draw(maker, 2) == 0 ? "\"kind\":\"purchase\",\"reference\":\"PO-$9\""
                                                                         : arena_printf(maker->arena, "\"kind\":\"asn\",\"purchase\":\"%s\"",
                                                                                        maker->supplies[draw_young(maker, maker->supply_count)]);
        return (struct sent){ .method = "POST",
                              .target = "/v1/supplies",
                              .body = drawn(maker, arena_printf(maker->arena,
                                                                "{\"node\":\"$N\",%s,\"lines\":[{\"sku\":\"$S\",\"quantity\":$9,\"expected_at\":"
                                                                "\"202$9-12-01T08:00:00Z\"},{\"sku\":\"LAMP\",\"quantity\":$3,\"expected_at\":"
                                                                "\"2026-12-0$2T08:00:00Z\"}]}",
                                                                of)) };
    }
    const char *body = strcmp(event, "receive") == 0
                           ? arena_printf(maker->arena, "{\"lines\":[%s]%s}", lines, draw(maker, 2) == 0 ? ",\"document\":\"DN-$4\"" : "")
                       : strcmp(event, "close") == 0 ? "{\"reason\":\"gone\"}"
                                                     : arena_printf(maker->arena, "{%s}", told[draw(maker, COUNT(told))]);
    return (struct sent){ .method = "POST",
                          .target = arena_printf(maker->arena, "/v1/supplies/%s/%s", maker->supplies[draw_young(maker, maker->supply_count)], event),
                          .body = drawn(maker, body) };
}

/* ---- webhooks ---- */

/* Of the subscription as it is now, and now and then of one that was before, or under a lease that another holds. */
static struct sent report(struct stream_maker *maker)
{
    struct webhook_report *report = ARENA_NEW(maker->arena, struct webhook_report);
    struct webhook_sent *sent = ARENA_ARRAY(maker->arena, struct webhook_sent, 4);
    struct db_rows rows = shop_table(maker->shop, maker->arena, &webhook_subscription_table);
    const struct webhook_subscription_row *row = db_row(&rows, rows.count - 1); /* DE's */
    *report = (struct webhook_report){ .claim = { .role = LEASE_WEBHOOKS, .holder = 7, .term = 1 + (draw(maker, 12) == 0) },
                                       .webhook = row->webhook,
                                       .epoch = row->epoch - (draw(maker, 12) == 0),
                                       .code = "erp",
                                       .seq = row->seq + (int64_t)draw(maker, 2),
                                       .sent = sent,
                                       .count = draw(maker, 4),
                                       .gone = draw(maker, 20) == 0 };
    for (size_t i = 0; i < report->count; i++)
        sent[i] = (struct webhook_sent){ .seq = 1 + (int64_t)draw(maker, 12),
                                         .kind = WAITING_EVENT,
                                         .key = (int64_t)draw(maker, 5),
                                         .outcome = (enum sent_outcome)draw(maker, SENT_OUTCOME_COUNT),
                                         .at = maker->shop->now_us,
                                         .status = 503,
                                         .detail = "answered 503" };
    return (struct sent){ .method = "SENT", .target = "a report", .body = "", .report = report };
}

static struct sent about_webhook(struct stream_maker *maker)
{
    static const char *const posts[][2] = { { "rotate", "{\"keep_s\":$9}" },
                                            { "rotate", "{}" },
                                            { "test", "{}" },
                                            { "replay", "{\"unit\":\"DE\",\"event\":$9}" },
                                            { "replay", "{\"unit\":\"DE\",\"from\":$9}" },
                                            { "replay", "{\"event\":1$9}" } };
    const size_t which = draw(maker, 2 * COUNT(posts));
    if (which >= COUNT(posts))
        return report(maker);
    return (struct sent){ .method = "POST",
                          .target = arena_printf(maker->arena, "/v1/webhooks/erp/%s", posts[which][0]),
                          .body = drawn(maker, posts[which][1]) };
}

/* ---- masters ---- */

#define CHANNEL_OF(UNIT, KIND, NODES) \
    "{\"unit\":\"" UNIT "\",\"name\":\"Channel $9\",\"kind\":\"" KIND "\",\"priority\":$4,\"nodes\":[" NODES "],\"shortage\":\"$P\",\"buffer\":$2}"
#define NODE_OF(UNIT) \
    "{\"unit\":\"" UNIT "\",\"name\":\"Node $9\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"0410$9\",\"priority\":$3}"
#define STEP(GRAMS, PRICE) "{\"up_to_g\":" GRAMS ",\"price\":{\"amount\":\"" PRICE ".00\",\"currency\":\"EUR\"}}"
#define PART_OF(SKU, QUANTITY) "{\"sku\":\"" SKU "\",\"quantity\":" QUANTITY "}"

/* Some name what is not there yet, or what may not be (priority 0, no units of a component, a bundle in itself). */
static const struct master_change {
    const char *method, *target, *body;
} master_changes[] = {
    { "PATCH", "/v1/channels/$C", "{\"priority\":$4}" },
    { "PATCH", "/v1/channels/$C", "{\"buffer\":$3}" },
    { "PATCH", "/v1/channels/$C", "{\"nodes\":[\"$N\"]}" },
    { "PATCH", "/v1/channels/$C", "{\"nodes\":[\"$N\",\"N3\"]}" },
    { "PATCH", "/v1/channels/$C", "{\"nodes\":[\"LEJ\",\"HAM\"]}" },
    { "PATCH", "/v1/channels/$C", "{\"group\":\"$C\"}" },
    { "PATCH", "/v1/channels/$C", "{\"split\":$B,\"shortage\":\"$P\"}" },
    { "PATCH", "/v1/channels/$C", "{\"release\":\"$R\"}" },
    { "PATCH", "/v1/channels/$C", "{\"max_shipments\":null}" },
    { "PATCH", "/v1/channels/$C", "{\"max_shipments\":1}" },
    { "PUT", "/v1/channels/b2b", CHANNEL_OF("DE", "b2b", "\"$N\"") },
    { "PUT", "/v1/channels/market", CHANNEL_OF("DE", "marketplace", "\"LEJ\",\"HAM\"") },
    { "PUT", "/v1/channels/$C", CHANNEL_OF("DE", "store", "\"$N\",\"N3\"") },
    { "PUT", "/v1/channels/wien", CHANNEL_OF("AT", "store", "\"VIE\"") },
    { "PUT", "/v1/nodes/$N", NODE_OF("DE") },
    { "PUT", "/v1/nodes/N3", NODE_OF("DE") },
    { "PUT", "/v1/nodes/VIE", NODE_OF("AT") },
    { "PATCH", "/v1/nodes/$N", "{\"priority\":$3}" },
    { "PATCH", "/v1/nodes/$N", "{\"authority\":\"mirrored\"}" },
    { "PUT", "/v1/units/AT", "{\"name\":\"Austria $9\",\"currency\":\"EUR\",\"country\":\"AT\",\"time_zone\":\"Europe/Vienna\"}" },
    { "PATCH", "/v1/units/DE", "{\"name\":\"Germany $9\"}" },
    { "PUT", "/v1/classes/C", "{\"name\":\"Class $9\"}" },
    { "PUT", "/v1/classes/B", "{\"name\":\"Class $9\",\"saleable\":$B}" },
    { "PUT", "/v1/skus/NEW$3", "{\"name\":\"New $3\"}" },
    { "PUT", "/v1/skus/$S", "{\"name\":\"Old $3\",\"weight_g\":$9}" },
    { "PATCH", "/v1/skus/$S", "{\"name\":\"Old $3\"}" },
    { "PATCH", "/v1/skus/$S", "{\"substitutes\":[\"$G\",\"$S\"]}" },
    { "PUT", "/v1/bundles/KIT", "{\"name\":\"Kit $2\",\"components\":[" PART_OF("BULB", "$2") "," PART_OF("SHADE", "1") "]}" },
    { "PATCH", "/v1/bundles/KIT", "{\"components\":[" PART_OF("BULB", "1") "," PART_OF("$G", "1") "]}" },
    { "PUT", "/v1/bundles/SET", "{\"name\":\"Set\",\"components\":[" PART_OF("KIT", "1") "," PART_OF("$S", "$2") "]}" },
    { "PUT", "/v1/channels/$C/listings/$L", "{\"sku\":\"$G\",\"buffer\":$3}" },
    { "PUT", "/v1/channels/market/listings/$L", "{\"sku\":\"$G\"}" },
    { "PATCH", "/v1/channels/$C/listings/$L", "{\"sku\":\"$G\"}" },
    { "PATCH", "/v1/channels/$C/listings/$L", "{\"buffer\":$2,\"cap\":$9}" },
    { "PUT", "/v1/routing/rates/A",
      "{\"unit\":\"DE\",\"name\":\"A\",\"zones\":[{\"country\":\"DE\",\"steps\":[" STEP("$2", "1") "," STEP("9", "$9") "]}]}" },
    { "PUT", "/v1/routing/rates/B", "{\"unit\":\"DE\",\"name\":\"B\",\"zones\":[{\"country\":\"DE\",\"steps\":[" STEP("99", "$9") "]}]}" },
    { "PUT", "/v1/routing/nodes/$N",
      "{\"time_zone\":\"Europe/Berlin\",\"monday\":\"1$1:00\",\"tuesday\":\"12:00\",\"rates\":\"A\",\"transit_days\":$3}" },
    { "PUT", "/v1/routing/nodes/$N", "{\"time_zone\":\"UTC\",\"handling_days\":$2,\"rates\":\"B\"}" },
    { "PATCH", "/v1/nodes/$N", "{\"capacity_per_day\":$4}" },
    { "PUT", "/v1/routing/policies/p", "{\"unit\":\"DE\",\"channel\":\"$C\"}" },
    { "PUT", "/v1/routing/policies/p", "{\"unit\":\"DE\",\"first\":\"lowest_cost\"}" },
    { "PUT", "/v1/routing/policies/p", "{\"unit\":\"DE\",\"rules\":[{\"name\":\"r\",\"hazmat\":true,\"effect\":\"only\",\"nodes\":[\"$N\"]}]}" },
    { "PUT", "/v1/skus/$S", "{\"name\":\"Old $3\",\"hazmat\":true,\"weight_g\":$9}" },
    { "PUT", "/v1/channels/$C/fences/$N/$S", "{\"quantity\":$4}" },
    { "PUT", "/v1/channels/$C/fences/$N/$S", "{\"quantity\":$2}" },
    { "PATCH", "/v1/channels/$C/fences/$N/$S", "{\"quantity\":$1}" },
    { "PUT", "/v1/webhooks/erp", "{\"url\":\"https://erp.example/$3\",\"events\":[\"order.*\"],\"units\":[\"DE\"]}" },
    { "PATCH", "/v1/webhooks/erp", "{\"active\":$B}" },
    { "PATCH", "/v1/webhooks/erp", "{\"units\":[\"AT\"]}" },
};

static struct known_master *master_known(struct stream_maker *maker, const char *target)
{
    for (size_t i = 0; i < maker->master_count; i++)
        if (strcmp(maker->masters[i].target, target) == 0)
            return &maker->masters[i];
    return NULL;
}

/* They come in runs, as when somebody sets up a channel, and often change the same again: so several are one batch of the company. */
static struct sent about_master(struct stream_maker *maker)
{
    const struct master_change *change = maker->last_change;
    if (change == NULL || draw(maker, 2) == 0)
        change = &master_changes[draw(maker, COUNT(master_changes))];
    maker->last_change = change;
    struct sent sent = { .method = change->method, .target = drawn(maker, change->target), .body = drawn(maker, change->body) };
    const struct known_master *known = master_known(maker, sent.target);
    const uint64_t condition = draw(maker, 12);
    if (condition < 3 && known != NULL) /* one of three is of a version before */
        sent.if_match = arena_printf(maker->arena, "%ld", (long)known->version - (condition == 0));
    else if (condition == 3)
        sent.if_match = "*";
    else if (condition == 4)
        sent.if_none_match = "*";
    return sent;
}

/* What was read is sent back in If-Match later. */
static void learn_version(struct stream_maker *maker, const struct sent *sent)
{
    struct known_master *known = master_known(maker, sent->target);
    if (sent->etag == NULL || sent->method[1] == 'O' || sent->status >= 300)
        return;
    if (known == NULL && maker->master_count < COUNT(maker->masters))
        known = &maker->masters[maker->master_count++];
    if (known != NULL)
        *known = (struct known_master){ sent->target, strtoll(sent->etag, NULL, 10) };
    maker->changed++;
}

/* ---- again, and the next ---- */

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

/* What a look at the queues, as they stand after the commands so far, finds to be told, now and then only a part of it. False: nothing. */
static bool promises_tell(struct stream_maker *maker, struct sent *sent)
{
    const struct tell_input *inputs;
    size_t count;
    if (promises_look(engine_db(maker->shop->engine), maker->arena, 1, &inputs, &count) != DB_OK || count == 0)
        return false;
    struct tell_input *input = ARENA_NEW(maker->arena, struct tell_input);
    *input = inputs[toss(maker, count)];
    if (input->count > 1 && toss(maker, 4) == 0) {
        input->count--;
        input->last = false;
    }
    maker->promises += input->count;
    *sent = (struct sent){ .method = "TELL", .target = "who waits", .body = "", .tell = input };
    return true;
}

static struct sent next_command(struct stream_maker *maker)
{
    uint64_t kind = draw(maker, 20);
    struct sent sent;
    if (draw(maker, maker->last_change != NULL ? 2 : maker->master_in) == 0)
        return about_master(maker);
    maker->last_change = NULL;
    if (toss(maker, 12) == 0 && promises_tell(maker, &sent))
        return sent;
    if (kind == 0)
        return draw(maker, 3) == 0
                   ? (struct sent){ .method = "LATE", .target = "parcels", .body = "", .unit = 1 }
                   : (struct sent){ .method = "STEP", .target = "the oldest open job", .body = "", .unit = draw(maker, 8) == 0 ? 2 : 1 };
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
    else if (draw(maker, 5) == 0)
        sent = about_webhook(maker);
    else if (draw(maker, 4) == 0)
        sent = transfer(maker);
    else if (draw(maker, 4) == 0)
        sent = draw(maker, 3) == 0                             ? recall(maker)
               : draw(maker, 3) == 0                           ? snapshot(maker)
               : draw(maker, 3) == 0 && maker->order_count > 0 ? back(maker)
                                                               : judgement(maker);
    else if (draw(maker, 4) == 0)
        sent = supply(maker);
    else
        sent = about_stock(maker);
    if (draw(maker, 3) > 0 && strcmp(sent.method, "POST") == 0) /* keys of a PUT are not kept */
        sent.key = arena_printf(maker->arena, "key-%lu", (unsigned long)draw(maker, UINT64_MAX));
    return sent;
}

static struct command *prepare(struct shop *shop, struct local *local, const struct sent *sent)
{
    if (strcmp(sent->method, "LATE") == 0) {
        struct command *late = ARENA_NEW(shop->arena, struct command);
        *late = (struct command){ .type = &fulfilment_assume, .arena = shop->arena, .unit = 1, .faults = { .arena = shop->arena } };
        return late;
    }
    static const struct job_input oldest = { 0 };
    if (strcmp(sent->method, "STEP") == 0) {
        struct command *step = ARENA_NEW(shop->arena, struct command);
        *step = (struct command){ .type = &job_step, .input = &oldest, .arena = shop->arena, .unit = sent->unit, .faults = { .arena = shop->arena } };
        return step;
    }
    if (sent->tell != NULL) {
        struct command *tell = ARENA_NEW(shop->arena, struct command);
        *tell = (struct command){ .type = &promise_tell, .input = sent->tell, .arena = shop->arena, .unit = 1, .faults = { .arena = shop->arena } };
        return tell;
    }
    if (sent->report != NULL) {
        struct command *told = ARENA_NEW(shop->arena, struct command);
        *told =
            (struct command){ .type = &webhook_report, .input = sent->report, .arena = shop->arena, .unit = 1, .faults = { .arena = shop->arena } };
        return told;
    }
    struct command *command = local_command(local, shop->arena, sent->method, sent->target, sent->body, sent->key);
    command->if_match = sent->if_match;
    command->if_none_match = sent->if_none_match;
    return command;
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
    learn_version(maker, sent);
    if (sent->status == 201 && strcmp(sent->target, "/v1/orders") == 0 && sent->first == NULL)
        text_in(sent->answer, NULL, "id", maker->orders[maker->order_count++], sizeof maker->orders[0]);
    if (sent->status == 201 && strcmp(sent->target, "/v1/reservations") == 0)
        text_in(sent->answer, NULL, "id", maker->reservation, sizeof maker->reservation);
    if (sent->status == 201 && strcmp(sent->target, "/v1/transfers") == 0 && sent->first == NULL && maker->transfer_count < COUNT(maker->transfers))
        text_in(sent->answer, NULL, "id", maker->transfers[maker->transfer_count++], sizeof maker->transfers[0]);
    if (sent->status == 201 && strcmp(sent->target, "/v1/counts") == 0 && sent->first == NULL && maker->count_count < COUNT(maker->counts))
        text_in(sent->answer, NULL, "id", maker->counts[maker->count_count++], sizeof maker->counts[0]);
    if (sent->status == 201 && strcmp(sent->target, "/v1/supplies") == 0 && sent->first == NULL && maker->supply_count < COUNT(maker->supplies))
        text_in(sent->answer, NULL, "id", maker->supplies[maker->supply_count++], sizeof maker->supplies[0]);
    if (sent->status == 201 && strcmp(sent->target, "/v1/returns") == 0 && sent->first == NULL && maker->return_count < COUNT(maker->returns))
        text_in(sent->answer, NULL, "id", maker->returns[maker->return_count++], sizeof maker->returns[0]);
    if (sent->status == 201 && strcmp(sent->target, "/v1/recalls") == 0 && sent->first == NULL && maker->recall_count < COUNT(maker->recalls))
        text_in(sent->answer, NULL, "id", maker->recalls[maker->recall_count++], sizeof maker->recalls[0]);
    learn_works(maker, sent->answer);
    const char *work = strncmp(sent->target, "/v1/fulfilments/", 16) == 0 && sent->status == 200 && sent->first == NULL ? sent->target + 16 : "";
    const char *verb = strrchr(work, '/');
    bool moves = false;
    for (size_t i = 0; verb != NULL && i < COUNT(reports); i++)
        moves = moves || strcmp(verb + 1, reports[i][0]) == 0;
    for (size_t i = 0; i < maker->work_count; i++)
        maker->works[i].done += moves && strncmp(work, maker->works[i].id, strlen(maker->works[i].id)) == 0;
    if (sent->key != NULL && sent->first == NULL && maker->keyed_count < COUNT(maker->keyed)) {
        maker->keyed[maker->keyed_count] = ARENA_NEW(maker->arena, struct sent);
        *maker->keyed[maker->keyed_count++] = *sent;
    }
}

static void run_one_by_one(struct stream_maker *maker, struct sent *stream, uint64_t seed)
{
    for (size_t i = 0; i < STREAM_COMMANDS; i++) {
        stream[i] = next_command(maker);
        struct command *command = prepare(maker->shop, maker->shop->local, &stream[i]);
        if (command->state != COMMAND_REFUSED)
            engine_run(maker->shop->engine, &command, 1);
        stream[i].status = command->answer.status;
        stream[i].answer = command->answer.body == NULL ? "" : command->answer.body;
        stream[i].etag = command->answer.etag;
        if (stream[i].first != NULL)
            judge_again(maker, &stream[i], seed);
        learn(maker, &stream[i]);
    }
}

/* A company whose queue is cut, and in which previews are asked between its commands. */
struct cut {
    struct shop *shop;
    struct engine *second; /* of another server on the same store, which runs every other batch or so; NULL: there is none */
    struct vault *apart;   /* the same key, and randomness of its own: the persons of a preview must not take what others draw */
    struct local *previews;
};

static void judge(const struct sent *sent, const struct command *command, const char *how, uint64_t seed)
{
    const struct answer *answer = &command->answer;
    const char *body = answer->body == NULL ? "" : answer->body, *first = sent->answer;
    if (answer->status == sent->status && strcmp(body, first) == 0 && text_equal(answer->etag, sent->etag))
        return;
    while (*first != '\0' && *first == *body)
        first++, body++;
    fail_msg("seed %lu, %s %s: alone %d ..%.300s, %s %d ..%.300s, of %.300s", (unsigned long)seed, sent->method, sent->target, sent->status, first,
             how, answer->status, body, sent->body);
}

/* The commands from `at` on, `count` of them at most, as one preview that stands before them. Masters go alone, as they do in a queue. NULL: their
 * form ends them at the edge. */
static struct command *preview_of(const struct cut *cut, const struct sent *stream, size_t at, size_t count, struct command **previews)
{
    struct command *first = NULL, **last = &first;
    for (size_t i = at; i < at + count && i < STREAM_COMMANDS; i++) {
        struct command *command = prepare(cut->shop, cut->previews, &stream[i]);
        if (i > at && command->type->company)
            break;
        if (command->state == COMMAND_REFUSED)
            continue;
        command->dry_run = true;
        previews[i] = *last = command;
        last = &command->with;
        if (command->type->company)
            break;
    }
    return first;
}

/* What is about to run, in order. */
struct piece {
    struct command *commands[2 * STREAM_COMMANDS];
    size_t count;
};

static void piece_run(struct piece *piece, struct engine *engine)
{
    engine_run(engine, piece->commands, piece->count);
    piece->count = 0;
}

/* Adds the command, and one time in three a preview that begins with it; that one now and then is a batch of its own. */
static void piece_add(struct stream_maker *maker, const struct cut *cut, struct piece *piece, const struct sent *stream, size_t at,
                      struct command **previews, struct engine *engine)
{
    struct command *command = prepare(cut->shop, cut->shop->local, &stream[at]), *preview = NULL;
    maker->cut[at] = command;
    if (previews[at] == NULL && toss(maker, 3) == 0)
        preview = preview_of(cut, stream, at, toss(maker, 2) == 0 ? 1 : PREVIEW_MAX, previews);
    const bool alone = preview != NULL && toss(maker, 4) == 0;
    if (alone)
        piece_run(piece, engine);
    if (preview != NULL)
        piece->commands[piece->count++] = preview;
    if (alone)
        piece_run(piece, cut->shop->engine);
    if (command->state != COMMAND_REFUSED)
        piece->commands[piece->count++] = command;
}

static void run_cut(struct stream_maker *maker, const struct cut *cut, struct sent *stream, uint64_t seed)
{
    struct command *previews[STREAM_COMMANDS] = { 0 };
    struct piece piece = { .count = 0 };
    for (size_t at = 0, size; at < STREAM_COMMANDS; at += size) {
        size = 1 + draw(maker, STREAM_COMMANDS);
        size = size > STREAM_COMMANDS - at ? STREAM_COMMANDS - at : size;
        struct engine *engine = cut->second != NULL && draw(maker, 2) == 0 ? cut->second : cut->shop->engine;
        for (size_t i = at; i < at + size; i++)
            piece_add(maker, cut, &piece, stream, i, previews, engine);
        piece_run(&piece, engine);
    }
    for (size_t i = 0; i < STREAM_COMMANDS; i++) {
        judge(&stream[i], maker->cut[i], "in a batch", seed);
        if (previews[i] != NULL)
            judge(&stream[i], previews[i], "as a preview", seed);
        maker->previewed += previews[i] != NULL;
    }
}

static void furnish(struct shop *shop)
{
    shop_furnish(shop);
    shop_must(shop, 201, "PUT", "/v1/channels/hand",
              "{\"unit\":\"DE\",\"name\":\"By hand\",\"kind\":\"store\",\"priority\":2,\"nodes\":[\"LEJ\",\"HAM\"],"
              "\"shortage\":\"backorder\",\"release\":\"manual\"}");
    receive(shop, "LEJ", "BULB", 6);
    shop_must(shop, 200, "PATCH", "/v1/nodes/HAM", "{\"kind\":\"third_party\"}");
    shop_must(shop, 201, "PUT", "/v1/webhooks/erp", "{\"url\":\"https://erp.example/\"}");
    assert_int_equal(shop_command(shop, &lease_take, 1, &(struct lease_claim){ .role = LEASE_WEBHOOKS, .holder = 7 }), COMMAND_ACCEPTED);
    static const char *const channels[] = { "web", "b2b", "market", "hand" };
    for (size_t i = 0; i < COUNT(channels); i++)
        shop_must(shop, 200, "PATCH", arena_printf(shop->arena, "/v1/channels/%s", channels[i]), "{\"deliver_after_days\":1}");
}

static void cut_open(struct cut *cut)
{
    const char *error = "";
    furnish(cut->shop);
    cut->apart = vault_seeded(7);
    cut->previews = local_open(cut->shop->engine, cut->apart, cut->shop->arena, &error);
    if (cut->previews == NULL)
        fail_msg("%s", error);
}

static void cut_close(struct cut *cut)
{
    local_close(cut->previews);
    engine_close(cut->second);
    shop_close(cut->shop);
    vault_close(cut->apart);
}

struct totals {
    uint64_t streams;
    size_t jobs, given_again, changed, previewed, promises;
};

/* The streams of one pair of shops: from this seed on, which begins them. In every eighth pair a third of all is about masters. */
static void streams_of_shops(enum store store, uint64_t first, uint64_t count, struct totals *totals)
{
    struct arena *rows = arena_new((size_t)1 << 30);
    struct shop *alone = shop_open(store), *other = shop_open(store);
    struct cut cut = { .shop = other };
    furnish(alone);
    cut_open(&cut);
    if (store == STORE_POSTGRES) {
        cut.second = shop_second_engine(other);
        engine_close(shop_second_engine(alone)); /* it has drawn from the vault as the other has: the same keys for the same persons */
    }
    struct stream_maker maker = { .shop = alone, .arena = alone->arena, .random = first, .tossed = ~first };
    maker.master_in = first / STREAMS_A_SHOP % 8 == 7 ? 3 : 22;
    for (uint64_t seed = first; seed < first + count; seed++) {
        struct sent stream[STREAM_COMMANDS];
        /* A day passes once, and parcels are late; keys are known for two. */
        alone->now_us = other->now_us += seed == first + STREAMS_A_SHOP / 2 ? INT64_C(90000000000) : 60000000;
        const struct db_rows clocks = shop_table(alone, rows, &unit_clock_table);
        maker.past = ((const struct unit_clock_row *)db_row(&clocks, clocks.count - 1))->event_seq;
        run_one_by_one(&maker, stream, seed);
        run_cut(&maker, &cut, stream, seed);
        arena_reset(rows);
        const char *difference = shop_difference(alone, other, rows);
        if (difference != NULL)
            fail_msg("seed %lu, alone and cut: %s", (unsigned long)seed, difference);
    }
    totals->streams += count;
    totals->jobs += shop_table(alone, rows, &job_table).count;
    totals->given_again += maker.given_again;
    totals->changed += maker.changed;
    totals->previewed += maker.previewed;
    totals->promises += maker.promises;
    cut_close(&cut);
    shop_close(alone);
    arena_free(rows);
}

/* Seeds that have found something: the streams of their shops come first. */
static const uint64_t regressions[] = {
    7294, /* of a bundle one part waited and went with a cancel, another one was asked for: the exception stood */
    5599, /* an order behind the channel that it names was taken into the company's batch with it, and its channel was unknown */
};

static void streams(enum store store, uint64_t count)
{
    struct totals totals = { 0 };
    for (size_t i = 0; i < COUNT(regressions); i++)
        streams_of_shops(store, regressions[i] - (regressions[i] - 1) % STREAMS_A_SHOP, STREAMS_A_SHOP, &totals);
    for (uint64_t seed = 1; seed <= count; seed += STREAMS_A_SHOP)
        streams_of_shops(store, seed, (uint64_t)min_i64(STREAMS_A_SHOP, (int64_t)(count - seed + 1)), &totals);
    print_message("%lu streams, %zu jobs, %zu answers given again, %zu changes of masters, %zu previews, %zu promises\n",
                  (unsigned long)totals.streams, totals.jobs, totals.given_again, totals.changed, totals.previewed, totals.promises);
}

/* In one queue, as of a client that does not wait for answers: a unit, what stands in it, and what is sold there. */
static void what_is_made_is_known_behind_it(enum store store)
{
    static const struct sent queue[] = {
        { .method = "PUT",
          .target = "/v1/units/AT",
          .body = "{\"name\":\"Austria\",\"currency\":\"EUR\",\"country\":\"AT\",\"time_zone\":\"Europe/Vienna\"}" },
        { .method = "PUT",
          .target = "/v1/nodes/VIE",
          .body = "{\"unit\":\"AT\",\"name\":\"Vienna\",\"kind\":\"warehouse\",\"country\":\"AT\",\"postal_code\":\"1010\"}" },
        { .method = "POST", .target = "/v1/inventory/adjustments", .body = "{\"node\":\"VIE\",\"sku\":\"LAMP\",\"delta\":1,\"reason\":\"receipt\"}" },
        { .method = "PUT",
          .target = "/v1/channels/wien",
          .body = "{\"unit\":\"AT\",\"name\":\"Vienna\",\"kind\":\"store\",\"nodes\":[\"VIE\"],\"shortage\":\"reject\"}" },
        { .method = "PUT", .target = "/v1/channels/wien/listings/L", .body = "{\"sku\":\"LAMP\"}" },
        { .method = "POST",
          .target = "/v1/reservations",
          .body = "{\"channel\":\"wien\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}],\"ttl_s\":60}" },
    };
    struct command *commands[COUNT(queue)];
    struct shop *shop = shop_open(store);
    shop_furnish(shop);
    for (size_t i = 0; i < COUNT(queue); i++)
        commands[i] = prepare(shop, shop->local, &queue[i]);
    engine_run(shop->engine, commands, COUNT(queue));
    for (size_t i = 0; i < COUNT(queue); i++)
        if (commands[i]->answer.status != 201)
            fail_msg("%s: %d %s", queue[i].target, commands[i]->answer.status, commands[i]->answer.body);
    shop_close(shop);
}

static void what_is_made_is_known_behind_it_on_sqlite(void **state)
{
    what_is_made_is_known_behind_it(STORE_SQLITE);
}

static void what_is_made_is_known_behind_it_on_postgresql(void **state)
{
    if (!store_is_there(STORE_POSTGRES))
        skip();
    what_is_made_is_known_behind_it(STORE_POSTGRES);
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
        cmocka_unit_test(what_is_made_is_known_behind_it_on_sqlite),
        cmocka_unit_test(what_is_made_is_known_behind_it_on_postgresql),
        cmocka_unit_test(any_cut_gives_the_same_outcome_on_sqlite),
        cmocka_unit_test(any_cut_gives_the_same_outcome_on_postgresql),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
