/* src/simulation/play.c: a client like anybody's: it knows of the company what answers tell it.
 * The rules of the day are those of the simulation: the marketplace sells what its page shows, web store and B2B portal let
 * orders wait for announced goods, pickers work off one parcel after the other, a count's losers are recalled. */
#include "simulation/play.h"
#include "base/when.h"
#include "importer/asker.h"
#include "simulation/agenda.h"
#include "simulation/wording.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PUBLISH_MINUTES = 2, OPENING_BATCH = 100, ID_BYTES = 48, PAUSE_MAX_US = 1000000 };

struct played {
    char id[ID_BYTES];                /* "": was not taken */
    bool ended, waits, left, patient; /* left: a parcel of it has; patient: it is noted when its patience ends */
};
struct parcel {
    char id[ID_BYTES];
    int64_t which;
    int node;
};
struct stage {
    const struct play *play;
    const struct script *script;
    struct arena *arena, *step; /* step ends with each due */
    struct asker *asker;
    struct agenda agenda;
    struct pickers pickers;
    struct page page;
    struct played *orders;
    struct parcel *parcels;
    size_t parcel_count, parcel_room;
    int64_t now, real_us; /* of the day; by when the next thing happens in the room */
    int64_t taken, unsold, cancelled, shipped;
    sigset_t signals;
    bool stopped;
    const char **error;
};

/* ---- asking ---- */

static struct call ask(struct stage *s, const char *method, const char *target, const char *body)
{
    struct call call = { .method = method, .target = target, .body = body, .body_bytes = body == NULL ? 0 : strlen(body) };
    if (!asker_run(s->asker, s->step, &call, 1)) {
        *s->error = arena_text(s->arena, asker_error(s->asker));
        return (struct call){ .answer = "" };
    }
    if ((call.status < 200 || call.status > 299) && call.status != 409)
        *s->error = arena_printf(s->arena, "%s %s was answered with %d %s", method, target, call.status, call.answer);
    return call;
}

/* 409 is a refusal that a day may bring; what else is not 2xx has set the error. */
static bool accepted(const struct call *call)
{
    return call->status >= 200 && call->status <= 299;
}

/* What follows `name` up to the next quote; false where there is none, or too much. */
static bool text_after(const char *body, const char *name, char out[ID_BYTES])
{
    const char *at = body == NULL ? NULL : strstr(body, name);
    size_t size = at == NULL ? ID_BYTES : strcspn(at + strlen(name), "\"");
    if (size >= ID_BYTES)
        return false;
    memcpy(out, at + strlen(name), size);
    out[size] = '\0';
    return true;
}

static bool number_after(const char *body, const char *name, int64_t *number)
{
    const char *at = strstr(body, name);
    if (at != NULL)
        *number = strtoll(at + strlen(name), NULL, 10);
    return at != NULL;
}

/* ---- telling ---- */

static void tell(struct stage *s, const char *who, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void tell(struct stage *s, const char *who, const char *format, ...)
{
    static const char *const days[] = { "Fri", "Sat", "Sun" }; /* what is late is done on the days after */
    int64_t minute = (s->now - DAY_START_US) / MINUTE_US;
    va_list args;
    va_start(args, format);
    fprintf(s->play->out, "%s %02d:%02d  %-13s  ", days[min_i64(minute / 1440, 2)], (int)(minute / 60 % 24), (int)(minute % 60), who);
    vfprintf(s->play->out, format, args);
    fputc('\n', s->play->out);
    fflush(s->play->out);
    va_end(args);
}

static const char *wish_text(struct stage *s, const struct script_order *order)
{
    struct buffer text = { .arena = s->step };
    char code[16];
    for (int l = 0; l < order->line_count; l++)
        buffer_printf(&text, "%s%ld %s", l == 0 ? "" : ", ", (long)order->lines[l].quantity, item_code(order->lines[l].item, code));
    return text.at;
}

/* ---- what came of it ---- */

static bool is_known(const struct stage *s, const char *id)
{
    for (size_t i = 0; i < s->parcel_count; i++)
        if (strcmp(s->parcels[i].id, id) == 0)
            return true;
    return false;
}

static void add_parcel(struct stage *s, const char *id, int64_t which, int node)
{
    s->parcels = arena_room(s->arena, s->parcels, s->parcel_count, &s->parcel_room, 256, sizeof *s->parcels);
    struct parcel *parcel = &s->parcels[s->parcel_count];
    *parcel = (struct parcel){ .which = which, .node = node };
    snprintf(parcel->id, sizeof parcel->id, "%s", id);
    agenda_put(&s->agenda, pickers_give(&s->pickers, s->script, node, s->now), DUE_SHIP, (int64_t)s->parcel_count++);
}

/* Parcels that the order's answer names and nobody has picked yet; says where they are packed. */
static const char *take_parcels(struct stage *s, int64_t which, const char *body)
{
    struct buffer where = { .arena = s->step };
    const char *at = strstr(body, "\"fulfilments\":[");
    while (at != NULL && (at = strstr(at, "\"id\":\"ful_")) != NULL) {
        char id[ID_BYTES], code[ID_BYTES], state[ID_BYTES];
        int node = 0;
        bool good = text_after(at, "\"id\":\"", id) && text_after(at, "\"node\":\"", code) && text_after(at, "\"state\":\"", state);
        at += strlen("\"id\":\"ful_");
        while (node < NODES && strcmp(depots[node].code, code) != 0)
            node++;
        if (!good || node == NODES || strcmp(state, "released") != 0 || is_known(s, id))
            continue;
        add_parcel(s, id, which, node);
        buffer_printf(&where, "%s%s", where.size == 0 ? "" : " and ", depots[node].name);
    }
    return where.size == 0 ? NULL : where.at;
}

/* How the order stands, in words. */
static const char *follow(struct stage *s, int64_t which, const char *body)
{
    struct played *order = &s->orders[which];
    char stage[ID_BYTES] = "";
    (void)text_after(body, "\"stage\":\"", stage);
    const char *where = take_parcels(s, which, body);
    order->ended = strcmp(stage, "cancelled") == 0 || strcmp(stage, "shipped") == 0 || strcmp(stage, "delivered") == 0;
    order->waits = strcmp(stage, "captured") == 0;
    if (order->waits && !order->patient)
        agenda_put(&s->agenda, max_i64(s->now, s->script->orders[which].at + PATIENCE_US), DUE_PATIENCE, which);
    order->patient = order->patient || order->waits;
    return where != NULL                    ? arena_printf(s->step, "released to %s", where)
           : order->waits                   ? "waits for supply"
           : strcmp(stage, "reserved") == 0 ? "reserved, to be paid"
                                            : arena_text(s->step, stage);
}

/* Supply came, or was given back: some that waited may go on. */
static void look_at_waiting(struct stage *s)
{
    for (int64_t which = 0; which < (int64_t)s->script->order_count && *s->error == NULL; which++) {
        if (!s->orders[which].waits)
            continue;
        struct call call = ask(s, "GET", arena_printf(s->step, "/v1/orders/%s", s->orders[which].id), NULL);
        const char *stands = accepted(&call) ? follow(s, which, call.answer) : "";
        if (accepted(&call) && !s->orders[which].waits)
            tell(s, "", "  order %ld waits no more: %s", (long)which + 1, stands);
    }
}

/* ---- what happens ---- */

static void place_order(struct stage *s, int64_t which)
{
    const struct script_order *order = &s->script->orders[which];
    const struct seller *seller = &sellers[order->channel];
    if (order->channel == SELLER_MARKET && !page_sells(&s->page, order)) {
        s->unsold++;
        tell(s, seller->name, "%s: its page shows too few, nobody orders", wish_text(s, order));
        return;
    }
    bool waits = waits_for_supply(s->script, order);
    struct call call = ask(s, "POST", "/v1/orders", order_body(s->step, order, s->play->day, waits));
    if (*s->error != NULL)
        return;
    if (accepted(&call) && text_after(call.answer, "\"id\":\"", s->orders[which].id)) {
        s->taken++;
        page_touch(&s->page, order);
        tell(s, seller->name, "order %ld, %s: %s", (long)which + 1, wish_text(s, order), follow(s, which, call.answer));
        return;
    }
    s->unsold++;
    tell(s, seller->name, "%s: refused, there are too few", wish_text(s, order));
}

static void pay(struct stage *s, int64_t which)
{
    const struct script_order *order = &s->script->orders[which];
    if (s->orders[which].id[0] == '\0' || s->orders[which].ended)
        return;
    struct call call = ask(s, "POST", arena_printf(s->step, "/v1/orders/%s/payments", s->orders[which].id), payment_body(s->step, order));
    if (accepted(&call))
        tell(s, sellers[order->channel].name, "order %ld, payment %s: %s", (long)which + 1, order->pay_fails ? "fails" : "comes",
             follow(s, which, call.answer));
}

static void cancel(struct stage *s, int64_t which, enum due_kind kind)
{
    const struct script_order *order = &s->script->orders[which];
    const struct played *played = &s->orders[which];
    const char *why = kind == DUE_RECALL     ? "recalled, a count took its units"
                      : kind == DUE_PATIENCE ? "waited a day in vain"
                      : order->pay_fails     ? "was never paid"
                                             : "given up by its customer";
    if (played->id[0] == '\0' || played->ended || (kind == DUE_PATIENCE && !played->waits))
        return;
    if (played->left && (kind == DUE_GIVE_UP || has_bundle(order))) /* as in the simulation */
        return;
    struct call call = ask(s, "POST", arena_printf(s->step, "/v1/orders/%s/cancel", played->id),
                           kind == DUE_GIVE_UP ? "{\"reason\":\"customer\"}" : "{\"reason\":\"shortage\"}");
    if (!accepted(&call))
        return;
    (void)follow(s, which, call.answer);
    s->cancelled++;
    page_touch(&s->page, order);
    tell(s, sellers[order->channel].name, "order %ld is cancelled: %s", (long)which + 1, why);
    look_at_waiting(s);
}

static void receive(struct stage *s, int64_t which)
{
    const struct stock_news *news = &s->script->receipts[which];
    char code[16];
    struct call call = ask(s, "POST", "/v1/inventory/adjustments", receipt_body(s->step, news, s->play->day, which));
    if (!accepted(&call))
        return;
    s->page.changed[news->sku] = true;
    tell(s, depots[news->node].name, "receives %ld %s, late", (long)news->quantity, item_code(news->sku, code));
    look_at_waiting(s);
}

/* Those that lost units a parcel was to hold are recalled; others wait again. */
static void count_stock(struct stage *s, int64_t which)
{
    const struct stock_news *news = &s->script->miscounts[which];
    char code[16], id[ID_BYTES];
    int64_t on_hand = 0, losers = 0;
    const char *target = arena_printf(s->step, "/v1/inventory?sku=%s&node=%s", item_code(news->sku, code), depots[news->node].code);
    struct call call = ask(s, "GET", target, NULL);
    if (!accepted(&call) || !number_after(call.answer, "\"on_hand\":", &on_hand) || on_hand == 0)
        return;
    call = ask(s, "POST", "/v1/inventory/adjustments", count_body(s->step, news, on_hand));
    if (!accepted(&call))
        return;
    s->page.changed[news->sku] = true;
    for (const char *at = call.answer; (at = strstr(at, "\"id\":\"ord_")) != NULL; at++) {
        bool good = text_after(at, "\"id\":\"", id);
        for (int64_t i = 0; good && i < (int64_t)s->script->order_count; i++) {
            if (strcmp(s->orders[i].id, id) != 0)
                continue;
            bool has_parcel = false;
            for (size_t p = 0; p < s->parcel_count; p++)
                has_parcel = has_parcel || s->parcels[p].which == i;
            s->orders[i].waits = true;
            if (has_parcel)
                agenda_put(&s->agenda, s->now, DUE_RECALL, i);
            losers++;
        }
    }
    tell(s, depots[news->node].name, "counts %ld %s, %ld fewer than booked; %ld orders lose theirs", (long)max_i64(0, on_hand - news->quantity), code,
         (long)min_i64(on_hand, news->quantity), (long)losers);
}

static void ship(struct stage *s, int64_t which)
{
    const struct parcel *parcel = &s->parcels[which];
    struct played *order = &s->orders[parcel->which];
    static const char *const bodies[] = { "{}", "{\"packages\":[{\"weight_g\":500}]}", NULL };
    static const char *const steps[] = { "pick", "pack", "ship" };
    if (order->ended)
        return;
    for (size_t i = 0; i < COUNT(steps) && *s->error == NULL; i++) {
        const char *body = i == 2 ? arena_printf(s->step, "{\"carrier\":\"DHL\",\"tracking\":\"%s\"}", parcel->id + 4) : bodies[i];
        struct call call = ask(s, "POST", arena_printf(s->step, "/v1/fulfilments/%s/%s", parcel->id, steps[i]), body);
        if (!accepted(&call))
            return; /* cancelled meanwhile */
    }
    const char *part = order->left ? "the rest of " : "";
    order->left = true;
    struct call call = ask(s, "GET", arena_printf(s->step, "/v1/orders/%s", order->id), NULL);
    if (!accepted(&call))
        return;
    (void)follow(s, parcel->which, call.answer);
    s->shipped += order->ended;
    tell(s, depots[parcel->node].name, "picks, packs and ships %sorder %ld", order->ended ? part : "a part of ", (long)parcel->which + 1);
}

static void publish(struct stage *s)
{
    for (int item = 0; item < ITEMS && *s->error == NULL; item++) {
        char code[16];
        if (!page_is_old(&s->page, item))
            continue;
        const char *target = arena_printf(s->step, "/v1/availability?channel=%s&sku=%s", sellers[SELLER_MARKET].code, item_code(item, code));
        struct call call = ask(s, "GET", target, NULL);
        if (accepted(&call) && !number_after(call.answer, "\"available\":", &s->page.shown[item]))
            *s->error = arena_printf(s->arena, "GET %s was answered with %s", target, call.answer);
    }
    memset(s->page.changed, 0, sizeof s->page.changed);
}

static void happen(struct stage *s, const struct due *due)
{
    switch (due->kind) {
    case DUE_ORDER:
        place_order(s, due->which);
        break;
    case DUE_PAYMENT:
        pay(s, due->which);
        break;
    case DUE_GIVE_UP:
    case DUE_PATIENCE:
    case DUE_RECALL:
        cancel(s, due->which, due->kind);
        break;
    case DUE_RECEIPT:
        receive(s, due->which);
        break;
    case DUE_MISCOUNT:
        count_stock(s, due->which);
        break;
    case DUE_SHIP:
        ship(s, due->which);
        break;
    case DUE_SYNC:
        publish(s);
        if (due->at < s->script->orders[s->script->order_count - 1].at) /* nobody looks after the last order */
            agenda_put(&s->agenda, due->at + PUBLISH_MINUTES * MINUTE_US, DUE_SYNC, 0);
        break;
    case DUE_DEED:
        break;
    }
}

/* ---- the day ---- */

static bool put(void *context, const char *target, const char *body)
{
    struct stage *s = context;
    struct call call = ask(s, "PUT", target, body);
    if (call.status == 409)
        *s->error = arena_printf(s->arena, "PUT %s was answered with %s", target, call.answer);
    return accepted(&call);
}

/* A delivery, not an opening: what is there of other days stays. */
static bool put_stock(struct stage *s)
{
    struct buffer body = { .arena = s->step };
    char code[16];
    for (int slot = 0; slot < NODES * SKUS && *s->error == NULL; slot++) {
        bool first = slot % OPENING_BATCH == 0, last = (slot + 1) % OPENING_BATCH == 0;
        struct stock_news news = { .node = slot / SKUS, .sku = slot % SKUS, .quantity = s->script->opening[slot / SKUS][slot % SKUS] };
        buffer_printf(&body, "%s{\"node\":\"%s\",\"sku\":\"%s\",\"delta\":%ld,\"reason\":\"receipt\",\"document\":\"%sdelivery\"}",
                      first ? "{\"adjustments\":[" : ",", depots[news.node].code, item_code(news.sku, code), (long)news.quantity, s->play->day);
        if (!last)
            continue;
        buffer_printf(&body, "]}");
        struct call call = ask(s, "POST", "/v1/inventory/adjustments/batch", body.at);
        if (!accepted(&call) || strstr(call.answer, "\"problem\"") != NULL)
            *s->error = *s->error != NULL ? *s->error : arena_printf(s->arena, "the day's goods were answered with %s", call.answer);
        body = (struct buffer){ .arena = s->step };
    }
    return *s->error == NULL;
}

/* Waits until the next thing is due in the room. The signals that end the day are only looked at here. */
static void keep_pace(struct stage *s, int64_t at)
{
    int64_t pause = s->play->pace == 0 ? 0 : min_i64(PAUSE_MAX_US, (at - s->now) / (60 * s->play->pace));
    s->real_us = max_i64(s->real_us + pause, when_monotonic_us() - PAUSE_MAX_US); /* a slow server is not hurried after */
    int64_t left = s->play->pace == 0 ? 0 : max_i64(0, s->real_us - when_monotonic_us());
    struct timespec until = { .tv_sec = left / SECOND_US, .tv_nsec = left % SECOND_US * 1000 };
    s->stopped = sigtimedwait(&s->signals, NULL, &until) > 0;
    s->now = max_i64(s->now, at);
}

static void run_day(struct stage *s)
{
    struct carrier carrier = { put, s };
    fprintf(s->play->out, "a promotion day of %ld orders: %d channels, %d places, %d articles and the kit %s of three of them\n",
            (long)s->play->orders, CHANNELS, NODES, SKUS, "PROMO-KIT");
    fflush(s->play->out);
    s->now = DAY_START_US;
    if (!masters_put(&carrier, s->step) || !put_stock(s))
        return;
    for (int sku = 0; sku < SKUS; sku++)
        s->page.changed[sku] = true;
    publish(s);
    agenda_begin(&s->agenda, s->arena, s->script);
    agenda_put(&s->agenda, DAY_START_US + PUBLISH_MINUTES * MINUTE_US, DUE_SYNC, 0);
    s->real_us = when_monotonic_us();
    while (*s->error == NULL && agenda_next(&s->agenda) != NULL) {
        arena_reset(s->step);
        keep_pace(s, agenda_next(&s->agenda)->at);
        if (s->stopped)
            return;
        struct due due = agenda_take(&s->agenda);
        happen(s, &due);
    }
}

enum play_result play_run(const struct play *play, struct arena *arena, const char **error)
{
    struct stage *s = ARENA_NEW(arena, struct stage);
    *s = (struct stage){ .play = play, .arena = arena, .error = error, .step = arena_new((size_t)256 << 20) };
    sigset_t before;
    sigemptyset(&s->signals);
    sigaddset(&s->signals, SIGINT);
    sigaddset(&s->signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &s->signals, &before);
    *error = "no memory";
    if (s->step != NULL)
        s->asker = asker_open(play->url, play->key, 1, arena, error);
    if (s->asker != NULL) {
        *error = NULL;
        s->script = script_make(arena, play->seed, play->orders);
        s->orders = ARENA_ARRAY(arena, struct played, s->script->order_count);
        run_day(s);
    }
    if (*error == NULL)
        fprintf(play->out, "%s: %ld orders taken, %ld not sold for want of stock, %ld cancelled, %ld shipped in full\n",
                s->stopped ? "stopped" : "the day is over", (long)s->taken, (long)s->unsold, (long)s->cancelled, (long)s->shipped);
    fflush(play->out);
    asker_close(s->asker);
    arena_free(s->step);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return *error != NULL ? PLAY_FAILED : s->stopped ? PLAY_STOPPED : PLAY_DONE;
}
