/* src/importer/outcome.c: what stands when all is played, read from the API, and what it took.
 * The digest is BLAKE2b over one hash for each order of the channel (its channel's id, stage, total and each line's SKU and units) and
 * each position of the node, in the hashes' own order: no id of ours, no time and no order of reading is in it. So it is the
 * same for the same outcome, on either store. */
#include "base/when.h"
#include "importer/answers.h"
#include "importer/replay.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char *const stages[] = { "captured", "reserved", "released", "shipped", "delivered", "settled", "cancelled" };

struct outcome {
    struct replay *replay;
    uint8_t (*hashes)[32];
    size_t count, room;
    int64_t orders[COUNT(stages)], lines, available, reserved, allocated, quarantined, waiting, shipped, cancelled;
};

static void add_hash(struct outcome *o, const struct buffer *text)
{
    if (o->count == o->room) {
        o->room = o->room == 0 ? 4096 : o->room * 2;
        uint8_t(*grown)[32] = arena_alloc_array(o->replay->arena, o->room, sizeof *grown);
        if (o->count > 0)
            memcpy(grown, o->hashes, o->count * sizeof *grown);
        o->hashes = grown;
    }
    (void)crypto_generichash(o->hashes[o->count++], 32, (const unsigned char *)text->at, text->size, NULL, 0);
}

static void add_order(struct outcome *o, const struct order_seen *order)
{
    struct buffer text = { .arena = o->replay->scratch };
    buffer_printf(&text, "order %s %s %s\n", order->channel_order_id, order->stage, order->total);
    for (size_t i = 0; i < COUNT(stages); i++)
        o->orders[i] += strcmp(stages[i], order->stage) == 0;
    for (size_t i = 0; i < order->line_count; i++) {
        const struct line_seen *line = &order->lines[i];
        buffer_printf(&text, "%s %ld %ld %ld %ld %ld %ld\n", line->sku, (long)line->quantity, (long)line->reserved, (long)line->allocated,
                      (long)line->shipped, (long)line->backordered, (long)line->cancelled);
        o->waiting += line->backordered;
        o->shipped += line->shipped;
        o->cancelled += line->cancelled;
    }
    o->lines += (int64_t)order->line_count;
    add_hash(o, &text);
}

static void add_position(struct outcome *o, const struct position_seen *p)
{
    struct buffer text = { .arena = o->replay->scratch };
    buffer_printf(&text, "position %s %s %ld %ld %ld %ld\n", p->node, p->sku, (long)p->available, (long)p->reserved, (long)p->allocated,
                  (long)p->quarantined);
    o->available += p->available;
    o->reserved += p->reserved;
    o->allocated += p->allocated;
    o->quarantined += p->quarantined;
    if (p->on_hand > 0) /* a position that is empty and one that never was are the same */
        add_hash(o, &text);
}

/* One page of a list; *next becomes NULL behind the last. */
static bool read_page(struct outcome *o, const char *target, bool orders, char next[80])
{
    struct replay *replay = o->replay;
    struct call call = replay_call("GET", arena_printf(replay->scratch, "%s%s%s", target, *next == '\0' ? "" : "&cursor=", next), NULL);
    struct order_seen *seen = NULL;
    struct position_seen *positions = NULL;
    size_t count = 0;
    const char *following = NULL;
    if (!asker_run(replay->asker, replay->scratch, &call, 1))
        return replay_fail(replay, "%s", asker_error(replay->asker));
    if (call.status != 200 || !(orders ? orders_seen(replay->scratch, call.answer, call.answer_bytes, &seen, &count, &following)
                                       : positions_seen(replay->scratch, call.answer, call.answer_bytes, &positions, &count, &following)))
        return replay_fail(replay, "%s: %d %s", call.target, call.status, problem_seen(replay->scratch, call.answer, call.answer_bytes));
    for (size_t i = 0; i < count && orders; i++)
        add_order(o, &seen[i]);
    for (size_t i = 0; i < count && !orders; i++)
        add_position(o, &positions[i]);
    snprintf(next, 80, "%s", following == NULL ? "" : following);
    arena_reset(replay->scratch);
    return true;
}

static bool read_list(struct outcome *o, const char *target, bool orders)
{
    char next[80] = "";
    do {
        if (!read_page(o, target, orders, next))
            return false;
    } while (*next != '\0');
    return true;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

static void digest_of(struct outcome *o, char text[33])
{
    uint8_t digest[16];
    if (o->count > 0)
        qsort(o->hashes, o->count, sizeof *o->hashes, by_bytes);
    (void)crypto_generichash(digest, sizeof digest, o->count == 0 ? NULL : o->hashes[0], o->count * sizeof *o->hashes, NULL, 0);
    sodium_bin2hex(text, 33, digest, sizeof digest);
}

/* ---- for people ---- */

static const char *const activities[] = { "products", "orders", "cancellations", "write-offs and finds", "deliveries", "shipments" };

static double seconds(int64_t us)
{
    return (double)us / 1e6;
}

static double rate_of(const struct replay *replay)
{
    const struct tally *orders = &replay->made[ACTIVITY_ORDERS];
    int64_t us = max_i64(1, replay->spent_us[ACTIVITY_ORDERS]);
    return (double)(orders->fresh + orders->known) * 1e6 / (double)us;
}

static void tell_people(const struct outcome *o, int64_t us, const char *digest)
{
    const struct replay *r = o->replay;
    FILE *out = r->import->out;
    fprintf(out, "%zu rows: %u invoices, %u products\n", r->sales.rows, r->sales.invoice_count, r->sales.product_count);
    fprintf(out, "%-22s %10s %10s %8s %10s\n", "", "new", "known", "refused", "seconds");
    for (size_t i = 0; i < ACTIVITY_COUNT; i++)
        fprintf(out, "%-22s %10ld %10ld %8ld %10.1f\n", activities[i], (long)r->made[i].fresh, (long)r->made[i].known, (long)r->made[i].refused,
                seconds(r->spent_us[i]));
    fprintf(out, "in %.1f s; %.0f orders/s while orders were sent, %.0f over the whole run\n", seconds(us), rate_of(r),
            (double)(r->made[ACTIVITY_ORDERS].fresh + r->made[ACTIVITY_ORDERS].known) * 1e6 / (double)max_i64(1, us));
    fprintf(out, "stages:");
    for (size_t i = 0; i < COUNT(stages); i++)
        if (o->orders[i] > 0)
            fprintf(out, " %s %ld", stages[i], (long)o->orders[i]);
    fprintf(out, "\nunits of orders: shipped %ld, waiting %ld, cancelled %ld (%ld more came back after shipping)\n", (long)o->shipped,
            (long)o->waiting, (long)o->cancelled, (long)r->units_returned);
    fprintf(out, "units on hand: available %ld, reserved %ld, allocated %ld, quarantined %ld\n", (long)o->available, (long)o->reserved,
            (long)o->allocated, (long)o->quarantined);
    for (int taken = 1; taken >= 0; taken--)
        for (size_t i = 0; i < REMARK_COUNT; i++)
            if (r->remarks.counts[i] > 0 && remark_is_taken((enum remark)i) == (taken == 1))
                fprintf(out, "%s: %zu rows %s\n", taken == 1 ? "taken" : "left out", r->remarks.counts[i], remark_says((enum remark)i));
    fprintf(out, "digest %s\n", digest);
}

/* ---- for programs ---- */

static void tell_programs(const struct outcome *o, int64_t us, const char *digest)
{
    const struct replay *r = o->replay;
    FILE *out = r->import->out;
    static const char *const names[] = { "products", "orders", "cancellations", "stock_facts", "deliveries", "shipments" };
    fprintf(out, "{\"rows\":%zu,\"invoices\":%u", r->sales.rows, r->sales.invoice_count);
    for (size_t i = 0; i < ACTIVITY_COUNT; i++)
        fprintf(out, ",\"%s\":{\"new\":%ld,\"known\":%ld,\"refused\":%ld}", names[i], (long)r->made[i].fresh, (long)r->made[i].known,
                (long)r->made[i].refused);
    fprintf(out, ",\"seconds\":%.1f,\"orders_per_s\":%.1f,\"stages\":{", seconds(us), rate_of(r));
    for (size_t i = 0; i < COUNT(stages); i++)
        fprintf(out, "%s\"%s\":%ld", i == 0 ? "" : ",", stages[i], (long)o->orders[i]);
    fprintf(
        out,
        "},\"units\":{\"available\":%ld,\"reserved\":%ld,\"allocated\":%ld,\"quarantined\":%ld,\"shipped\":%ld,\"waiting\":%ld,\"cancelled\":%ld}",
        (long)o->available, (long)o->reserved, (long)o->allocated, (long)o->quarantined, (long)o->shipped, (long)o->waiting, (long)o->cancelled);
    fprintf(out, ",\"row_remarks\":{");
    for (size_t i = 0; i < REMARK_COUNT; i++)
        fprintf(out, "%s\"%s\":%zu", i == 0 ? "" : ",", remark_key((enum remark)i), r->remarks.counts[i]);
    fprintf(out, "},\"digest\":\"%s\"}\n", digest);
}

bool outcome_report(struct replay *replay)
{
    struct outcome o = { .replay = replay };
    int64_t us = when_monotonic_us() - replay->began_us;
    char digest[33];
    const char *orders = arena_printf(replay->arena, "/v1/orders?channel=%s&limit=100", replay_percent(replay->arena, replay->import->channel));
    const char *positions = arena_printf(replay->arena, "/v1/inventory?node=%s&limit=1000", replay_percent(replay->arena, replay->import->node));
    if (sodium_init() < 0)
        return replay_fail(replay, "libsodium does not start");
    if (!read_list(&o, orders, true) || !read_list(&o, positions, false))
        return false;
    digest_of(&o, digest);
    tell_people(&o, us, digest);
    tell_programs(&o, us, digest);
    return true;
}
