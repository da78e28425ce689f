/* src/importer/replay.c: the files are played, day by day, as they happened. Orders that follow each other travel as one batch, which the
 * server takes in order; whatever else comes between ends the batch. Several requests are in flight only where their order cannot
 * matter: products, deliveries, the steps of shipping. So both stores end in the same state.
 *
 * A second run changes nothing: products and masters are made where they are missing; orders are known by their number, receipts and
 * write-offs by their document; a cancellation asks for what is still missing from the sum of all cancellations so far; shipping
 * leaves nothing behind that it would ship again. */
#include "importer/replay.h"
#include "base/json.h"
#include "base/when.h"
#include "importer/answers.h"
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

bool replay_fail(struct replay *replay, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    replay->error = arena_vprintf(replay->arena, format, args);
    va_end(args);
    return false;
}

const char *replay_percent(struct arena *arena, const char *text)
{
    static const char digits[] = "0123456789ABCDEF", plain[] = "-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char *out = arena_alloc(arena, strlen(text) * 3 + 1), *at = out;
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (strchr(plain, *c) != NULL) {
            *at++ = (char)*c;
            continue;
        }
        *at++ = '%';
        *at++ = digits[*c >> 4];
        *at++ = digits[*c & 15];
    }
    return out;
}

struct call replay_call(const char *method, const char *target, const char *body)
{
    return (struct call){ .method = method, .target = target, .body = body, .body_bytes = body == NULL ? 0 : strlen(body) };
}

bool replay_ask(struct replay *replay, enum activity activity, struct call *calls, size_t count)
{
    int64_t from = when_monotonic_us();
    bool good = asker_run(replay->asker, replay->scratch, calls, count);
    replay->spent_us[activity] += when_monotonic_us() - from;
    if (!good)
        return replay_fail(replay, "%s", asker_error(replay->asker));
    for (size_t i = 0; i < count; i++)
        if (calls[i].status == 401 || calls[i].status == 403 || calls[i].status >= 500)
            return replay_fail(replay, "%s %s: %d %s", calls[i].method, calls[i].target, calls[i].status,
                               problem_seen(replay->scratch, calls[i].answer, calls[i].answer_bytes));
    return true;
}

#define SETTLE_US 1000 /* between two looks, at first: twice as long each time, up to */
#define SETTLE_MOST_US 64000

bool replay_settle(struct replay *replay, enum activity activity)
{
    for (useconds_t wait = SETTLE_US;; wait = wait < SETTLE_MOST_US ? wait * 2 : wait) {
        struct call call = replay_call("GET", "/v1/jobs?limit=1", NULL);
        struct work_seen *jobs;
        size_t count = 0;
        const char *next;
        if (!replay_ask(replay, activity, &call, 1))
            return false;
        if (call.status != 200 || !work_seen(replay->scratch, call.answer, call.answer_bytes, &jobs, &count, &next))
            return replay_fail(replay, "%s: %d %s", call.target, call.status, problem_seen(replay->scratch, call.answer, call.answer_bytes));
        if (count == 0)
            return true;
        (void)usleep(wait);
        replay->spent_us[activity] += wait;
    }
}

static bool failed(struct replay *replay, const struct call *call)
{
    return replay_fail(replay, "%s %s: %d %s", call->method, call->target, call->status,
                       problem_seen(replay->scratch, call->answer, call->answer_bytes));
}

/* ---- what must be there first ---- */

/* Makes what GET does not find; what is there stays as it is. */
static bool make_missing(struct replay *replay, struct call *puts, size_t count)
{
    struct call *gets = ARENA_ARRAY(replay->scratch, struct call, count);
    size_t missing = 0;
    struct tally *tally = &replay->made[ACTIVITY_PRODUCTS];
    for (size_t i = 0; i < count; i++)
        gets[i] = replay_call("GET", puts[i].target, NULL);
    if (!replay_ask(replay, ACTIVITY_PRODUCTS, gets, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (gets[i].status == 404)
            puts[missing++] = puts[i];
        else if (gets[i].status != 200)
            return failed(replay, &gets[i]);
    }
    tally->known += (int64_t)(count - missing);
    tally->fresh += (int64_t)missing;
    if (!replay_ask(replay, ACTIVITY_PRODUCTS, puts, missing))
        return false;
    for (size_t i = 0; i < missing; i++)
        if (puts[i].status >= 300)
            return failed(replay, &puts[i]);
    return true;
}

static bool make_place(struct replay *replay, const char *kind, const char *code, const char *body)
{
    struct call put = replay_call("PUT", arena_printf(replay->scratch, "/v1/%s/%s", kind, replay_percent(replay->scratch, code)), body);
    bool good = make_missing(replay, &put, 1);
    arena_reset(replay->scratch);
    return good;
}

static bool make_places(struct replay *replay)
{
    const struct import *import = replay->import;
    const char *unit = arena_printf(replay->arena, "{\"name\":\"%s\",\"currency\":\"%s\",\"country\":\"GB\",\"time_zone\":\"Europe/London\"}",
                                    import->unit, import->currency);
    const char *node =
        arena_printf(replay->arena, "{\"unit\":\"%s\",\"name\":\"%s\",\"kind\":\"warehouse\",\"country\":\"GB\",\"postal_code\":\"-\"}", import->unit,
                     import->node);
    const char *channel =
        arena_printf(replay->arena, "{\"unit\":\"%s\",\"name\":\"%s\",\"kind\":\"b2b\",\"nodes\":[\"%s\"],\"shortage\":\"backorder\"}", import->unit,
                     import->channel, import->node);
    bool good = make_place(replay, "units", import->unit, unit) && make_place(replay, "nodes", import->node, node) &&
                make_place(replay, "channels", import->channel, channel);
    replay->made[ACTIVITY_PRODUCTS] = (struct tally){ 0 }; /* these are none */
    return good;
}

static bool make_products(struct replay *replay)
{
    const struct sales *sales = &replay->sales;
    for (uint32_t from = 0; from < sales->product_count; from += 500) {
        struct call puts[500];
        size_t count = 0;
        for (uint32_t i = from; i < sales->product_count && count < COUNT(puts); i++) {
            struct json_writer json;
            json_begin(&json, replay->scratch);
            json_object(&json);
            json_key(&json, "name");
            json_text(&json, sales->products[i].name);
            json_object_end(&json);
            puts[count++] = replay_call("PUT", arena_printf(replay->scratch, "/v1/skus/%s", replay_percent(replay->scratch, sales->products[i].code)),
                                        json.out.at);
        }
        if (!make_missing(replay, puts, count))
            return false;
        arena_reset(replay->scratch);
    }
    return true;
}

/* ---- adjustments ---- */

static const char *adjustments_body(struct replay *replay, const struct adjustment *adjustments, size_t count)
{
    struct json_writer json;
    json_begin(&json, replay->scratch);
    json_object(&json);
    json_key(&json, "adjustments");
    json_array(&json);
    for (size_t i = 0; i < count; i++) {
        const char *const texts[][2] = { { "node", replay->import->node },
                                         { "sku", adjustments[i].sku },
                                         { "reason", adjustments[i].reason },
                                         { "bucket", adjustments[i].bucket },
                                         { "document", adjustments[i].document } };
        json_object(&json);
        for (size_t t = 0; t < COUNT(texts); t++) {
            json_key(&json, texts[t][0]);
            json_text(&json, texts[t][1]);
        }
        json_key(&json, "delta");
        json_int(&json, adjustments[i].delta);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    return json.out.at;
}

static bool read_adjustments(struct replay *replay, enum activity activity, const struct call *call, const struct adjustment *adjustments,
                             size_t count)
{
    struct result_seen *results;
    size_t result_count = 0;
    struct tally *tally = &replay->made[activity];
    if (call->status != 200 || !results_seen(replay->scratch, call->answer, call->answer_bytes, &results, &result_count) || result_count != count)
        return failed(replay, call);
    for (size_t i = 0; i < count; i++) {
        *(results[i].status == 201 ? &tally->fresh : results[i].status == 200 ? &tally->known : &tally->refused) += 1;
        if (results[i].problem != NULL && adjustments[i].line == NULL)
            return replay_fail(replay, "%s of %ld %s: %s", adjustments[i].reason, (long)adjustments[i].delta, adjustments[i].sku, results[i].problem);
        if (results[i].problem != NULL)
            remark(&replay->remarks, REMARK_REFUSED, adjustments[i].line->place, "%s of %ld %s: %s", adjustments[i].reason,
                   (long)adjustments[i].delta, adjustments[i].sku, results[i].problem);
    }
    return true;
}

/* Deliveries are of different products, so that their batches may be in flight together; all else is one batch after the other. */
bool replay_adjust(struct replay *replay, enum activity activity, const struct adjustment *adjustments, size_t count)
{
    const size_t batches = (count + BATCH_ADJUSTMENTS_MAX - 1) / BATCH_ADJUSTMENTS_MAX;
    struct call *calls = ARENA_ARRAY(replay->scratch, struct call, batches);
    size_t *sizes = ARENA_ARRAY(replay->scratch, size_t, batches), together = activity == ACTIVITY_DELIVERIES ? batches : 1;
    for (size_t b = 0; b < batches; b++) {
        sizes[b] = b + 1 < batches ? BATCH_ADJUSTMENTS_MAX : count - b * BATCH_ADJUSTMENTS_MAX;
        calls[b] =
            replay_call("POST", "/v1/inventory/adjustments/batch", adjustments_body(replay, adjustments + b * BATCH_ADJUSTMENTS_MAX, sizes[b]));
    }
    for (size_t b = 0; b < batches; b += together)
        if (!replay_ask(replay, activity, calls + b, together))
            return false;
    for (size_t b = 0; b < batches; b++)
        if (!read_adjustments(replay, activity, &calls[b], adjustments + b * BATCH_ADJUSTMENTS_MAX, sizes[b]))
            return false;
    return count == 0 || replay_settle(replay, activity);
}

/* ---- orders ---- */

static void write_amount(struct replay *replay, struct json_writer *json, const char *key, int64_t minor)
{
    struct money money = { .minor = minor };
    memcpy(money.currency, replay->import->currency, 3);
    json_key(json, key);
    json_money(json, money);
}

static void write_person(struct json_writer *json, const char *key, const char *name, const char *country)
{
    json_key(json, key);
    json_object(json);
    json_key(json, "name");
    json_text(json, name);
    if (country != NULL) {
        json_key(json, "country");
        json_text(json, country);
    }
    json_object_end(json);
}

static void write_order(struct replay *replay, struct json_writer *json, const struct invoice *invoice)
{
    const struct sales *sales = &replay->sales;
    const char *customer =
        invoice->customer[0] == '\0' ? "Customer without a number" : arena_printf(replay->scratch, "Customer %s", invoice->customer);
    const char *const texts[][2] = { { "channel", replay->import->channel },
                                     { "channel_order_id", invoice->number },
                                     { "currency", replay->import->currency } };
    json_object(json);
    for (size_t i = 0; i < COUNT(texts); i++) {
        json_key(json, texts[i][0]);
        json_text(json, texts[i][1]);
    }
    json_key(json, "placed_at");
    json_time(json, invoice->at_us);
    write_person(json, "customer", customer, NULL);
    write_person(json, "ship_to", customer, invoice->country);
    json_key(json, "lines");
    json_array(json);
    for (uint32_t i = invoice->first; i != NOBODY; i = sales->lines[i].next) {
        if (sales->lines[i].number == 0)
            continue;
        json_object(json);
        json_key(json, "sku");
        json_text(json, sales->products[sales->lines[i].product].code);
        json_key(json, "quantity");
        json_int(json, sales->lines[i].quantity);
        write_amount(replay, json, "unit_price", sales->lines[i].price);
        json_object_end(json);
    }
    json_array_end(json);
    if (invoice->charges > 0) {
        json_key(json, "shipping");
        json_object(json);
        write_amount(replay, json, "price", invoice->charges);
        json_object_end(json);
    }
    static const char payment[] = "{\"term\":\"on_account\",\"status\":\"pending\"}";
    json_key(json, "payment");
    json_raw(json, payment, sizeof payment - 1);
    json_object_end(json);
}

/* Where the fault's line stands in the file; the invoice's first line where it names none. */
static struct place_in_file place_of(const struct sales *sales, const struct invoice *invoice, int64_t number)
{
    for (uint32_t i = invoice->first; i != NOBODY && number >= 0; i = sales->lines[i].next)
        if ((int64_t)sales->lines[i].number == number + 1)
            return sales->lines[i].place;
    return sales->lines[invoice->first].place;
}

static bool read_orders(struct replay *replay, const struct call *call)
{
    struct result_seen *results;
    size_t count = 0;
    struct tally *tally = &replay->made[ACTIVITY_ORDERS];
    if (call->status != 200 || !results_seen(replay->scratch, call->answer, call->answer_bytes, &results, &count) || count != replay->batch_count)
        return failed(replay, call);
    for (size_t i = 0; i < count; i++) {
        struct invoice *invoice = &replay->sales.invoices[replay->batch[i]];
        if (results[i].problem != NULL || results[i].order.id == NULL) {
            tally->refused++;
            remark(&replay->remarks, REMARK_REFUSED, place_of(&replay->sales, invoice, results[i].line), "order %s: %ld %s", invoice->number,
                   (long)results[i].status, results[i].problem == NULL ? "" : results[i].problem);
            continue;
        }
        *(results[i].status == 201 ? &tally->fresh : &tally->known) += 1;
        invoice->id = arena_text(replay->arena, results[i].order.id);
        (void)names_of(&replay->orders, invoice->id, replay->batch[i]);
    }
    return true;
}

static bool send_orders(struct replay *replay)
{
    struct json_writer json;
    if (replay->batch_count == 0)
        return true;
    json_begin(&json, replay->scratch);
    json_object(&json);
    json_key(&json, "orders");
    json_array(&json);
    for (size_t i = 0; i < replay->batch_count; i++)
        write_order(replay, &json, &replay->sales.invoices[replay->batch[i]]);
    json_array_end(&json);
    json_object_end(&json);
    struct call call = replay_call("POST", "/v1/orders/batch", json.out.at);
    bool good = replay_ask(replay, ACTIVITY_ORDERS, &call, 1) && read_orders(replay, &call);
    replay->batch_count = replay->batch_lines = 0;
    arena_reset(replay->scratch);
    return good;
}

static bool add_order(struct replay *replay, uint32_t index)
{
    const struct invoice *invoice = &replay->sales.invoices[index];
    if ((replay->batch_count == BATCH_ORDERS_MAX || replay->batch_lines + invoice->line_count > BATCH_LINES_MAX) && !send_orders(replay))
        return false;
    for (uint32_t i = invoice->first; i != NOBODY; i = replay->sales.lines[i].next)
        if (replay->sales.lines[i].number > 0)
            supply_sold(&replay->sales.products[replay->sales.lines[i].product], replay->sales.lines[i].quantity);
    replay->batch[replay->batch_count++] = index;
    replay->batch_lines += invoice->line_count;
    return true;
}

/* ---- cancellations ---- */

/* All that one cancellation invoice asks of one order. */
struct wish {
    uint32_t order; /* invoice */
    struct order_seen seen;
};

/* The orders that a cancellation names, each once; those that the server refused are left out and remarked. */
static size_t orders_wanted(struct replay *replay, const struct invoice *cancellation, struct wish *wishes)
{
    const struct sales *s = &replay->sales;
    size_t count = 0;
    for (uint32_t i = cancellation->first; i != NOBODY; i = s->lines[i].next)
        for (const struct undo *undo = s->lines[i].undoes; undo != NULL; undo = undo->next) {
            uint32_t order = s->lines[undo->sold].invoice;
            size_t at = 0;
            while (at < count && wishes[at].order != order)
                at++;
            if (s->invoices[order].id == NULL)
                remark(&replay->remarks, REMARK_REFUSED, s->lines[i].place, "order %s, which it cancels, was refused", s->invoices[order].number);
            else if (at == count)
                wishes[count++] = (struct wish){ .order = order };
        }
    return count;
}

static bool look_at_orders(struct replay *replay, struct wish *wishes, size_t count)
{
    struct call *calls = ARENA_ARRAY(replay->scratch, struct call, count);
    for (size_t i = 0; i < count; i++)
        calls[i] = replay_call("GET", arena_printf(replay->scratch, "/v1/orders/%s", replay->sales.invoices[wishes[i].order].id), NULL);
    if (!replay_ask(replay, ACTIVITY_CANCELLATIONS, calls, count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (calls[i].status != 200 || !order_seen(replay->scratch, calls[i].answer, calls[i].answer_bytes, &wishes[i].seen) ||
            wishes[i].seen.line_count != replay->sales.invoices[wishes[i].order].line_count)
            return failed(replay, &calls[i]);
    return true;
}

/* What of a sold line can still be cancelled and is not yet, of all that the file has asked for so far. */
static int64_t units_to_cancel(struct sale_line *sold, const struct line_seen *seen)
{
    int64_t wanted = sold->asked - sold->returned - seen->cancelled, can = seen->quantity - seen->cancelled - seen->shipped;
    return max_i64(0, min_i64(wanted, can));
}

/* Cancels in one order what a cancellation invoice asks for: one request, all its lines. */
static bool cancel_in_order(struct replay *replay, const struct invoice *cancellation, const struct wish *wish)
{
    struct sales *s = &replay->sales;
    struct json_writer json;
    int64_t units = 0;
    json_begin(&json, replay->scratch);
    json_object(&json);
    json_key(&json, "reason");
    json_text(&json, arena_printf(replay->scratch, "cancellation %s", cancellation->number));
    json_key(&json, "lines");
    json_array(&json);
    for (uint32_t i = s->invoices[wish->order].first; i != NOBODY; i = s->lines[i].next) {
        struct sale_line *sold = &s->lines[i];
        if (sold->number == 0 || sold->asked == 0)
            continue;
        assert((size_t)sold->number <= wish->seen.line_count); /* the order has the invoice's lines: look_at_orders */
        const struct line_seen *seen = &wish->seen.lines[sold->number - 1];
        int64_t some = units_to_cancel(sold, seen);
        sold->cancelled = min_i64(seen->cancelled + some, sold->asked - sold->returned);
        units += some;
        if (some == 0)
            continue;
        json_object(&json);
        json_key(&json, "line");
        json_int(&json, sold->number);
        json_key(&json, "quantity");
        json_int(&json, some);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    replay->made[ACTIVITY_CANCELLATIONS].known += units == 0;
    if (units == 0)
        return true;
    struct call call = replay_call("POST", arena_printf(replay->scratch, "/v1/orders/%s/cancel", s->invoices[wish->order].id), json.out.at);
    call.idempotency_key = arena_printf(replay->scratch, "import:%s:%s", cancellation->number, s->invoices[wish->order].id);
    if (!replay_ask(replay, ACTIVITY_CANCELLATIONS, &call, 1))
        return false;
    if (call.status != 200)
        return failed(replay, &call);
    replay->made[ACTIVITY_CANCELLATIONS].fresh++;
    replay->units_cancelled += units;
    return replay_settle(replay, ACTIVITY_CANCELLATIONS);
}

/* What was asked for and is not cancelled has shipped, and comes back: into quarantine, until someone has looked at it. */
static size_t add_returns(struct replay *replay, const struct invoice *cancellation, struct adjustment *returns)
{
    struct sales *s = &replay->sales;
    size_t count = 0;
    int number = 0;
    for (uint32_t i = cancellation->first; i != NOBODY; i = s->lines[i].next) {
        number++;
        int64_t units = 0;
        for (const struct undo *undo = s->lines[i].undoes; undo != NULL; undo = undo->next) {
            struct sale_line *sold = &s->lines[undo->sold];
            int64_t back =
                s->invoices[sold->invoice].id == NULL ? 0 : min_i64(undo->units, max_i64(0, sold->asked - sold->returned - sold->cancelled));
            sold->returned += back;
            units += back;
        }
        if (units == 0)
            continue;
        replay->units_returned += units;
        remark(&replay->remarks, REMARK_RETURNED, s->lines[i].place, "%ld of %ld %s", (long)units, (long)-s->lines[i].quantity,
               s->products[s->lines[i].product].code);
        returns[count++] = (struct adjustment){ .sku = s->products[s->lines[i].product].code,
                                                .reason = "found",
                                                .bucket = "quarantined",
                                                .delta = units,
                                                .document = arena_printf(replay->scratch, "%s/%d", cancellation->number, number),
                                                .line = &s->lines[i] };
    }
    return count;
}

static bool cancel(struct replay *replay, const struct invoice *cancellation)
{
    struct sales *s = &replay->sales;
    size_t lines = 0, undoes = 0;
    for (uint32_t i = cancellation->first; i != NOBODY; i = s->lines[i].next, lines++)
        for (const struct undo *undo = s->lines[i].undoes; undo != NULL; undo = undo->next, undoes++) {
            struct sale_line *sold = &s->lines[undo->sold];
            sold->asked += undo->units;
            if (day_of(cancellation->at_us) - day_of(s->invoices[sold->invoice].at_us) <= max_i64(0, replay->import->ship_after_days))
                supply_cancelled(&s->products[sold->product], undo->units);
        }
    struct wish *wishes = ARENA_ARRAY(replay->scratch, struct wish, undoes);
    struct adjustment *returns = ARENA_ARRAY(replay->scratch, struct adjustment, lines);
    size_t count = orders_wanted(replay, cancellation, wishes);
    if (!look_at_orders(replay, wishes, count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!cancel_in_order(replay, cancellation, &wishes[i]))
            return false;
    return replay_adjust(replay, ACTIVITY_CANCELLATIONS, returns, add_returns(replay, cancellation, returns));
}

/* ---- write-offs and finds ---- */

static bool is_damage(const char *note)
{
    static const char *const words[] = { "damag", "wet", "crush", "broken", "rust", "mould", "thrown", "faulty", "smashed", "crack" };
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcasestr(note, words[i]) != NULL)
            return true;
    return false;
}

static bool book_stock(struct replay *replay, const struct invoice *invoice)
{
    struct sales *s = &replay->sales;
    size_t count = 0, number = 0, lines = 0;
    for (uint32_t i = invoice->first; i != NOBODY; i = s->lines[i].next)
        lines++;
    struct adjustment *booked = ARENA_ARRAY(replay->scratch, struct adjustment, 2 * lines);
    for (uint32_t i = invoice->first; i != NOBODY; i = s->lines[i].next) {
        struct sale_line *line = &s->lines[i];
        struct product *product = &s->products[line->product];
        struct adjustment one = { .sku = product->code,
                                  .reason = "found",
                                  .bucket = "available",
                                  .line = line,
                                  .delta = line->quantity,
                                  .document = arena_printf(replay->scratch, "%s/%zu", invoice->number, ++number) };
        if (line->quantity > 0) {
            supply_found(product, line->quantity);
            booked[count++] = one;
            continue;
        }
        int64_t found = supply_written_off(product, -line->quantity);
        if (found > 0) {
            remark(&replay->remarks, REMARK_FOUND_FIRST, line->place, "%ld of %ld %s", (long)found, (long)-line->quantity, product->code);
            one.delta = found;
            one.bucket = "quarantined"; /* nobody shall be promised what is gone already */
            booked[count++] = one;
        }
        one.delta = line->quantity; /* takes what was found first, then what is available, then what is promised */
        one.bucket = found > 0 ? "quarantined" : "available";
        one.reason = is_damage(line->note) ? "damage" : "loss";
        booked[count++] = one;
    }
    return replay_adjust(replay, ACTIVITY_STOCK, booked, count);
}

/* ---- the days ---- */

static void show_progress(struct replay *replay, uint32_t played, bool last)
{
    int64_t now = when_monotonic_us();
    char bar[41], at[32];
    if (!replay->import->progress || (!last && now - replay->shown_us < 100000))
        return;
    uint32_t all = replay->sales.invoice_count == 0 ? 1 : replay->sales.invoice_count;
    size_t full = (size_t)played * (sizeof bar - 1) / all;
    memset(bar, '.', sizeof bar - 1);
    memset(bar, '#', full);
    bar[sizeof bar - 1] = '\0';
    when_format(replay->day * INT64_C(86400000000), at);
    fprintf(stderr, "\r[%s] %3u %%  %.10s  %u of %u invoices%s", bar, (unsigned)((uint64_t)played * 100 / all), at, played,
            replay->sales.invoice_count, last ? "\n" : "\033[K");
    replay->shown_us = now;
}

/* Ends the days up to this one, and begins its week. */
static bool go_to_day(struct replay *replay, int64_t day, int64_t week)
{
    if (day == replay->day)
        return true;
    if (!send_orders(replay) || (replay->day != INT64_MIN && !ship_day(replay, replay->day)))
        return false;
    arena_reset(replay->scratch);
    for (int64_t w = replay->week == INT64_MIN ? week : replay->week + 1; w <= week; w++) {
        if (!supply_week(replay, w))
            return false;
        arena_reset(replay->scratch);
    }
    replay->day = day;
    replay->week = week;
    return true;
}

static bool play(struct replay *replay)
{
    const struct sales *s = &replay->sales;
    for (uint32_t t = 0; t < s->invoice_count; t++) {
        const struct invoice *invoice = &s->invoices[s->in_time[t]];
        bool good = go_to_day(replay, day_of(invoice->at_us), week_of(invoice->at_us));
        if (good && invoice->kind == INVOICE_ORDER)
            good = add_order(replay, s->in_time[t]);
        if (good && (invoice->kind == INVOICE_CANCELLATION || invoice->kind == INVOICE_STOCK)) {
            good = send_orders(replay) && (invoice->kind == INVOICE_STOCK ? book_stock(replay, invoice) : cancel(replay, invoice));
            arena_reset(replay->scratch);
        }
        if (!good)
            return false;
        show_progress(replay, t, false);
    }
    if (!send_orders(replay) || (replay->day != INT64_MIN && !ship_day(replay, replay->day)))
        return false;
    arena_reset(replay->scratch);
    show_progress(replay, s->invoice_count, true);
    return true;
}

static bool run(struct replay *replay)
{
    const struct import *import = replay->import;
    if (!sales_read(&replay->sales, import->files, import->file_count, import->currency, replay->arena, &replay->remarks, &replay->error))
        return false;
    cancellations_match(&replay->sales, replay->arena, &replay->remarks);
    replay->began_us = when_monotonic_us();
    return make_places(replay) && make_products(replay) && play(replay) && outcome_report(replay);
}

enum import_result import_run(const struct import *import, struct arena *arena, const char **error)
{
    struct replay replay = {
        .import = import, .arena = arena, .remarks.rows = import->rows, .orders.arena = arena, .week = INT64_MIN, .day = INT64_MIN
    };
    struct arena *scratch = arena_new((size_t)2 << 30);
    struct arena_door door;
    bool good = false;
    replay.scratch = scratch;
    *error = "no memory";
    if (scratch != NULL)
        replay.asker = asker_open(import->url, import->key, import->connections, arena, error);
    struct asker *asker = replay.asker;
    if (asker != NULL && setjmp(door.where) == 0) {
        (void)arena_set_door(arena, &door);
        (void)arena_set_door(scratch, &door);
        good = run(&replay);
        *error = replay.error;
    } else if (asker != NULL) {
        *error = "the files are larger than what is held at once; give them in parts";
    }
    (void)arena_set_door(arena, NULL);
    asker_close(asker);
    arena_free(scratch);
    if (!good)
        return IMPORT_FAILED;
    return remarks_left_out(&replay.remarks) > 0 ? IMPORT_ROWS_LEFT : IMPORT_DONE;
}
