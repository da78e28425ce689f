/* src/simulation/day.c: what is due is asked, in rounds: the deeds of five minutes as one batch, then what their answers lead to, until
 * nobody wants anything. Behind each round jobs are run, and the orders that its events were about are looked at. */
#include "simulation/day.h"
#include "base/id.h"
#include "engine/vault.h"
#include "orders/orders.h"
#include "schema.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_SECONDS = 300, WAVE_MAX = 128, PUBLISH_MINUTES = 15, LAST_DAYS = 8, DELIVER_AFTER_DAYS = 3, ROUNDS_MAX = 60 };

void day_fail(struct day *day, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (day_is_well(day)) {
        const int64_t minute = (day->company->now_us - DAY_START_US) / MINUTE_US;
        *day->error = arena_printf(day->arena, "day %ld, %02ld:%02ld: %s", (long)(1 + minute / 1440), (long)(minute / 60 % 24), (long)(minute % 60),
                                   arena_vprintf(day->arena, format, args));
    }
    va_end(args);
}

/* ---- deeds and what they ask ---- */

struct deed *deed_new(struct day *day, const struct deed_kind *kind, int64_t at)
{
    struct deed *deed = ARENA_NEW(day->arena, struct deed);
    *deed = (struct deed){ .kind = kind, .index = (int64_t)day->deed_count };
    day->deeds = arena_room(day->arena, day->deeds, day->deed_count, &day->deed_room, 1024, sizeof(*day->deeds));
    day->deeds[day->deed_count++] = deed;
    agenda_put(&day->agenda, at, DUE_DEED, deed->index);
    return deed;
}

void deed_later(struct day *day, struct deed *deed, int64_t at)
{
    agenda_put(&day->agenda, at, DUE_DEED, deed->index);
}

void ask_by(struct day *day, const struct deed *deed, int step, const char *method, const char *target, const char *body)
{
    day->wave = arena_room(day->arena, day->wave, day->wave_count, &day->wave_room, WAVE_MAX, sizeof(*day->wave));
    day->wave[day->wave_count++] =
        (struct asked){ .deed = deed->index, .number = ++day->asks, .step = step, .method = method, .target = target, .body = body };
}

void ask(struct day *day, const struct deed *deed, int step, const char *target, const char *body)
{
    ask_by(day, deed, step, "POST", target, body);
}

bool heard(struct day *day, const struct asked *request)
{
    if (!is_done(request) && request->status != 409)
        day_fail(day, "%s %s was answered with %d %s", request->target, request->body == NULL ? "" : request->body, request->status, request->answer);
    return is_done(request);
}

int64_t id_in(struct day *day, const struct asked *request, const char *prefix)
{
    static const char name[] = "\"id\":\"";
    const char *at = strstr(request->answer, name);
    int64_t unit, id = 0;
    if (at == NULL || !id_parse(at + sizeof name - 1, strcspn(at + sizeof name - 1, "\""), prefix, &unit, &id))
        day_fail(day, "%s was answered without an id: %s", request->target, request->answer);
    return id;
}

const char *target_of(struct day *day, const char *path, const char *prefix, int64_t id, const char *verb)
{
    return arena_printf(day->step, "%s/%s%s%s", path, id_text(day->step, prefix, day->company->unit, id), verb == NULL ? "" : "/",
                        verb == NULL ? "" : verb);
}

/* ---- what people see ---- */

int node_of(const struct day *day, int64_t id)
{
    int node = 0;
    while (node < NODES && day->company->node_ids[node] != id)
        node++;
    return node;
}

int sku_of(const struct day *day, int64_t id)
{
    for (int sku = 0; sku < SKUS; sku++)
        if (day->company->sku_ids[sku] == id)
            return sku;
    return -1;
}

int64_t on_hand(struct day *day, int node, int sku)
{
    struct db_rows rows = day_rows(day, &position_of_sku, day->company->sku_ids[sku]);
    for (size_t i = 0; i < rows.count; i++) {
        const struct position_row *row = db_row(&rows, i);
        if (row->node == day->company->node_ids[node] && row->class == 0)
            return row->available + row->reserved + row->allocated + row->quarantined;
    }
    return 0;
}

/* ---- what came of a round ---- */

static void touch(struct day *day, int64_t order)
{
    const int64_t which = order > 0 && (size_t)order < day->sale_of_id_room ? day->sale_of_id[order] - 1 : -1;
    if (which < 0 || day->sales[which].asked_round == day->rounds)
        return;
    day->sales[which].asked_round = day->rounds;
    day->touched = arena_room(day->arena, day->touched, day->touched_count, &day->touched_room, 256, sizeof(*day->touched));
    day->touched[day->touched_count++] = which;
}

static void follow_event(struct day *day, const struct event_row *event)
{
    const int64_t told[] = { event->seq, event->type, event->at, event->subject, event->about, event->node, event->sku, event->quantity };
    struct day_tallies *tallies = day->tallies;
    for (size_t i = 0; i < COUNT(told); i++)
        tallies->digest = hash_u64(tallies->digest ^ (uint64_t)told[i]);
    tallies->events[event->type]++;
    touch(day, event->about);
    if (event->type != EVENT_POSITION_CHANGED)
        return;
    const int sku = sku_of(day, event->sku);
    if (sku >= 0)
        day->page.changed[sku] = true;
}

static void follow(struct day *day)
{
    struct company *company = day->company;
    struct db *db = day_db(day);
    struct db_rows clocks = { 0 }, events = { 0 };
    if (!day_is_well(day) || db_load(db, day->step, &unit_clock_table, &company->unit, 1, &clocks) != DB_OK || clocks.count != 1) {
        day_fail(day, "the unit has no clock");
        return;
    }
    const int64_t newest = ((const struct unit_clock_row *)db_row(&clocks, 0))->event_seq, first = company->seq + 1;
    const size_t count = (size_t)(newest - company->seq);
    int64_t *keys = ARENA_ARRAY(day->step, int64_t, 2 * count);
    for (size_t i = 0; i < count; i++) {
        keys[2 * i] = company->unit;
        keys[2 * i + 1] = first + (int64_t)i;
    }
    if (count > 0 && (db_load(db, day->step, &event_table, keys, count, &events) != DB_OK || events.count != count))
        day_fail(day, "events are missing behind %ld", (long)company->seq);
    company->seq = newest;
    for (size_t i = 0; i < events.count; i++)
        follow_event(day, db_row(&events, i));
    for (size_t i = 0; i < day->touched_count && day_is_well(day); i++)
        sale_follow(day, day->touched[i]);
    day->touched_count = 0;
}

/* ---- the day ---- */

static void play_rounds(struct day *day)
{
    for (int round = 0; day->wave_count > 0 && day_is_well(day); round++) {
        struct asked *wave = day->wave;
        const size_t count = day->wave_count;
        day->wave = NULL; /* what the answers lead to is asked behind them */
        day->wave_count = day->wave_room = 0;
        wave_send(day, wave, count);
        for (size_t i = 0; i < count && day_is_well(day); i++) {
            struct deed *deed = day->deeds[wave[i].deed];
            deed->kind->hear(day, deed, &wave[i]);
        }
        day_jobs(day);
        day->rounds++;
        follow(day);
        if (round == ROUNDS_MAX)
            day_fail(day, "one thing leads to another without an end");
    }
}

void day_go_on(struct day *day)
{
    for (const struct due *next; day_is_well(day) && (next = agenda_next(&day->agenda)) != NULL;) {
        const int64_t until = next->at + WINDOW_SECONDS * SECOND_US;
        for (int taken = 0; taken < WAVE_MAX && day_is_well(day) && (next = agenda_next(&day->agenda)) != NULL && next->at < until; taken++) {
            const struct due due = agenda_take(&day->agenda);
            struct deed *deed = day->deeds[due.which];
            day->company->now_us = max_i64(day->company->now_us, due.at);
            deed->at = day->company->now_us;
            deed->kind->go(day, deed);
        }
        play_rounds(day);
        arena_reset(day->step);
    }
}

/* ---- the marketplace's page; what is due by date; the books ---- */

static void page_go(struct day *day, struct deed *deed)
{
    for (int item = 0; item < ITEMS && day_is_well(day); item++) {
        char code[16];
        if (!page_is_old(&day->page, item))
            continue;
        const char *target = arena_printf(day->step, "/v1/availability?channel=%s&sku=%s", sellers[SELLER_MARKET].code, item_code(item, code));
        const char *body = day_read(day, target), *at = body == NULL ? NULL : strstr(body, "\"available\":");
        if (at == NULL)
            day_fail(day, "GET %s tells no units", target);
        else
            day->page.shown[item] = strtoll(at + strlen("\"available\":"), NULL, 10);
    }
    memset(day->page.changed, 0, sizeof day->page.changed);
    if (deed->at < day->script->orders[day->script->order_count - 1].at) /* nobody looks after the last order */
        deed_later(day, deed, deed->at + PUBLISH_MINUTES * MINUTE_US);
}

static void tick_go(struct day *day, struct deed *deed)
{
    day_dates(day);
    day_jobs(day);
    day->rounds++;
    follow(day);
    if (day_is_well(day) && deed->step++ % 6 == 0)
        (void)company_book(day->company, day->arena, day->error);
    const int64_t next = deed->at + (deed->at < DAY_START_US + 36 * HOUR_US ? 2 * HOUR_US : 8 * HOUR_US);
    if (next < DAY_START_US + LAST_DAYS * (24 * HOUR_US))
        deed_later(day, deed, next);
}

static void nobody_hears(struct day *day, struct deed *deed, const struct asked *request)
{
    (void)deed;
    (void)heard(day, request);
}

static const struct deed_kind page_deed = { "page", page_go, nobody_hears };
static const struct deed_kind tick_deed = { "date", tick_go, nobody_hears };

/* What the classic day has no use for. */
static void furnish(struct day *day)
{
    struct local *local = day->company->local;
    struct reply reply = local_call(local, day->step, "PUT", "/v1/classes/B", "{\"name\":\"Opened, as new\"}");
    for (int channel = 0; channel < CHANNELS && reply.status / 100 == 2; channel++)
        reply = local_call(local, day->step, "PATCH", arena_printf(day->step, "/v1/channels/%s", sellers[channel].code),
                           arena_printf(day->step, "{\"deliver_after_days\":%d}", DELIVER_AFTER_DAYS));
    for (int node = 0; node < NODES; node++)
        for (int sku = 0; sku < SKUS; sku++)
            day->there[node][sku] = day->script->opening[node][sku];
    memset(day->page.changed, 1, sizeof day->page.changed);
    if (reply.status / 100 != 2)
        day_fail(day, "the company is not furnished: %d %s", reply.status, reply.body);
}

static void play(struct day *day)
{
    furnish(day);
    sales_plan(day);
    stock_plan(day);
    deed_new(day, &page_deed, DAY_START_US);
    deed_new(day, &tick_deed, DAY_START_US);
    day_go_on(day);
    if (day_is_well(day))
        day_close(day);
    if (day_is_well(day) && day->options->spoil != NULL && db_script(day_db(day), day->options->spoil) != DB_OK)
        day_fail(day, "it cannot be spoiled: %s", db_last_error(day_db(day)));
    if (day_is_well(day))
        day_prove(day);
    day->tallies->played_us += day->company->now_us - DAY_START_US;
}

bool day_play(const struct day_options *options, struct arena *arena, struct day_tallies *tallies, const char **error)
{
    struct day *day = ARENA_NEW(arena, struct day);
    *error = NULL;
    *day = (struct day){ .options = options, .arena = arena, .tallies = tallies, .error = error };
    day->chance = (struct chance){ hash_u64(options->seed ^ 0x64617973u) };
    day->luck = (struct chance){ hash_u64(options->seed ^ 0x6c75636bu) };
    day->script = script_make(arena, options->seed, options->orders);
    day->sales = ARENA_ARRAY(arena, struct sale, day->script->order_count);
    day->agenda = (struct agenda){ .arena = arena };
    day->step = arena_new((size_t)1 << 30);
    const char *why = "no memory";
    if (day->step != NULL)
        day->company = company_open(day->script, options->url, options->seed, true, arena, &why);
    if (day->company == NULL)
        *error = why;
    else
        play(day);
    company_close(day->company);
    arena_free(day->step);
    return *error == NULL;
}
