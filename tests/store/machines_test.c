/* tests/store/machines_test.c: each state of each machine meets each event of it. The pairs are those of the tables that run, as docs/machines.md
 * prints them: what is listed leads where it says, all else is refused (409 state_conflict) and leaves no trace. A machine, a state or an event
 * that nobody has said here how to bring about fails, and so does a row that was never seen to work. Usage: machines_test docs/machines.md */
#include "fulfilment/fulfilment.h"
#include "fulfilment/parcels.h"
#include "inventory/count_sheets.h"
#include "inventory/supply.h"
#include "inventory/transfers.h"
#include "returns/returns.h"
#include "store/sale.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What moves, of goods of its own: no case takes another's. */
struct subject {
    const char *sku, *id, *order;
};

/* A state, and the verbs that lead to it from the beginning, with blanks between. */
struct way {
    const char *state, *by;
};
/* An event as the table calls it, and what is done that it happens. `told`: nobody asks the subject, so nothing is refused: it only stays as it is.
 */
struct event {
    const char *name, *verb;
    bool told;
};
/* Where a table says less than all: the pair leads to `to`; NULL: its guard refuses it; "": nobody can do that, and why. */
struct odd {
    const char *by, *event, *to, *why;
};

struct machine {
    const char *title; /* of its table: the header's first cells */
    void (*print)(FILE *out);
    const char *const *states;
    const char *unseen; /* a state that is gone before anybody sees it; its rows are not counted */
    void (*begin)(struct shop *shop, struct subject *subject);
    struct reply (*does)(struct shop *shop, const struct subject *subject, const char *verb);
    const char *path;  /* to read it, with its id behind */
    const char *after; /* its state is the first behind this */
    const struct way *ways;
    const struct event *events;
    const struct odd *odds;
};

/* ---- the tables, as they are printed ---- */

struct row {
    const char *from, *event, *guard, *to; /* to NULL: the table does not say */
    bool seen;
};
struct table {
    struct row rows[80];
    size_t count;
};

static size_t cells_of(struct arena *arena, const char *line, const char *cells[6])
{
    size_t count = 0;
    for (const char *at = line + 1, *end; count < 6 && (end = strstr(at, " |")) != NULL; at = end + 2)
        cells[count++] = end == at ? "" : arena_text_n(arena, at + 1, (size_t)(end - at - 1));
    return count;
}

static bool is_head(const char *line, const char *title)
{
    return strncmp(line, title, strlen(title)) == 0;
}

static size_t column(const char *const cells[6], size_t count, const char *name)
{
    size_t i = 0;
    while (i < count && strcmp(cells[i], name) != 0 && (strcmp(name, "from") != 0 || strstr(cells[i], " from") == NULL) &&
           (strcmp(name, "from") != 0 || strcmp(cells[i], "in") != 0))
        i++;
    return i;
}

static void read_table(struct arena *arena, const struct machine *machine, struct table *table)
{
    char *text = NULL, *saved = NULL;
    size_t bytes = 0, from = 6, event = 6, guard = 6, to = 6;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    machine->print(out);
    fclose(out);
    bool inside = false;
    for (char *line = strtok_r(text, "\n", &saved); line != NULL; line = strtok_r(NULL, "\n", &saved)) {
        const char *cells[6] = { "", "", "", "", "", "" };
        const size_t count = cells_of(arena, line, cells);
        if (strstr(line, "event |") != NULL) {
            inside = is_head(line, machine->title);
            from = column(cells, count, "from"), event = column(cells, count, "event");
            guard = column(cells, count, "guard"), to = column(cells, count, "to");
        } else if (inside && line[0] == '|' && strncmp(line, "| ---", 5) != 0) {
            assert_true(from < count && event < count && table->count < COUNT(table->rows));
            table->rows[table->count++] =
                (struct row){ cells[from], cells[event], guard < count ? cells[guard] : "", to < count ? cells[to] : NULL, false };
        }
    }
    free(text);
    assert_true(table->count > 0);
}

static struct row *find_row(struct table *table, const char *from, const char *event)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->rows[i].from, from) == 0 && strcmp(table->rows[i].event, event) == 0)
            return &table->rows[i];
    return NULL;
}

/* ---- a case ---- */

struct play {
    struct shop *shop;
    const struct machine *machine;
    struct table table;
    int64_t told; /* the last event */
};

static const char *shows(const struct play *play, const struct subject *subject)
{
    return shop_must(play->shop, 200, "GET", arena_printf(play->shop->arena, "%s/%s", play->machine->path, subject->id), NULL).body;
}

static const char *state_now(const struct play *play, const struct subject *subject)
{
    char state[32];
    text_in(shows(play, subject), play->machine->after, "state", state, sizeof state);
    return arena_text(play->shop->arena, state);
}

static int64_t last_event(struct play *play)
{
    const char *at =
        shop_must(play->shop, 200, "GET", arena_printf(play->shop->arena, "/v1/events?unit=DE&after=%ld&limit=1000", (long)play->told), NULL).body;
    while ((at = strstr(at, "{\"seq\":")) != NULL)
        play->told = number_in(at++, NULL, "seq");
    return play->told;
}

static struct subject brought(const struct play *play, const struct way *way)
{
    static int number;
    struct subject subject = { .sku = arena_printf(play->shop->arena, "C%d", ++number) };
    char verb[32];
    shop_must(play->shop, 201, "PUT", arena_printf(play->shop->arena, "/v1/skus/%s", subject.sku), "{\"name\":\"Goods\"}");
    play->machine->begin(play->shop, &subject);
    for (const char *at = way->by; *at != '\0'; at += strspn(at, " ")) {
        snprintf(verb, sizeof verb, "%.*s", (int)strcspn(at, " "), at);
        struct reply reply = play->machine->does(play->shop, &subject, verb);
        if (reply.status / 100 != 2)
            fail_msg("%s of \"%s\": %d %s", verb, way->by, reply.status, reply.body);
        at += strcspn(at, " ");
    }
    if (strcmp(state_now(play, &subject), way->state) != 0)
        fail_msg("\"%s\" leads to %s, not to %s", way->by, state_now(play, &subject), way->state);
    return subject;
}

static const struct odd *odd_of(const struct machine *machine, const struct way *way, const char *event)
{
    for (const struct odd *odd = machine->odds; odd != NULL && odd->by != NULL; odd++)
        if (strcmp(odd->by, way->by) == 0 && strcmp(odd->event, event) == 0)
            return odd;
    return NULL;
}

/* The state before it was asked for: that before the last verb. NULL: there is none. */
static const char *since(const struct machine *machine, const struct way *way)
{
    const char *last = strrchr(way->by, ' ');
    for (const struct way *other = machine->ways; last != NULL && other->state != NULL; other++)
        if (strlen(other->by) == (size_t)(last - way->by) && strncmp(other->by, way->by, (size_t)(last - way->by)) == 0)
            return other->state;
    return NULL;
}

/* Where the pair leads by the table; NULL: it is refused. */
static const char *leads_to(struct play *play, const struct way *way, const struct row *row)
{
    if (row == NULL)
        return NULL;
    if (strcmp(row->guard, "as_it_stood") == 0 && find_row(&play->table, since(play->machine, way), row->event) == NULL)
        return NULL;
    return row->to != NULL && strcmp(row->to, "*as before*") == 0 ? since(play->machine, way) : row->to;
}

static void try_pair(struct play *play, const struct way *way, const struct event *event)
{
    const struct odd *odd = odd_of(play->machine, way, event->name);
    struct row *row = find_row(&play->table, way->state, event->name);
    const char *to = odd != NULL ? odd->to : leads_to(play, way, row);
    if (odd != NULL && odd->to != NULL && odd->to[0] == '\0')
        return;
    if (odd == NULL && row != NULL && row->to == NULL)
        fail_msg("%s (by \"%s\") and %s: say in its odds where that leads", way->state, way->by, event->name);
    const struct subject subject = brought(play, way);
    const char *before = shows(play, &subject);
    const int64_t told = last_event(play);
    const struct reply reply = play->machine->does(play->shop, &subject, event->verb);
    const char *after = state_now(play, &subject), *why = odd == NULL || odd->why == NULL ? "by the table" : odd->why;
    if (to != NULL && (reply.status / 100 != 2 || strcmp(after, to) != 0))
        fail_msg("%s (by \"%s\") and %s: %d, then %s, not %s (%s): %s", way->state, way->by, event->name, reply.status, after, to, why, reply.body);
    if (to == NULL && strcmp(shows(play, &subject), before) != 0)
        fail_msg("%s (by \"%s\") and %s (%s): it was %s, and is %s", way->state, way->by, event->name, why, before, shows(play, &subject));
    if (to == NULL && !event->told &&
        (reply.status != 409 || strstr(reply.body, "_conflict\"") == NULL || last_event(play) != told ||
         (row == NULL && odd == NULL && strstr(reply.body, "\"code\":\"state_conflict\"") == NULL)))
        fail_msg("%s (by \"%s\") and %s: it was not refused, or told: %d %s", way->state, way->by, event->name, reply.status, reply.body);
    if (row != NULL && to != NULL)
        row->seen = true;
}

/* ---- a machine ---- */

static bool has_way(const struct machine *machine, const char *state)
{
    const struct way *way = machine->ways;
    while (way->state != NULL && strcmp(way->state, state) != 0)
        way++;
    return way->state != NULL;
}

static bool has_event(const struct machine *machine, const char *name)
{
    const struct event *event = machine->events;
    while (event->name != NULL && strcmp(event->name, name) != 0)
        event++;
    return event->name != NULL;
}

static void play_machine(struct shop *shop, const struct machine *machine)
{
    struct play *play = ARENA_NEW(shop->arena, struct play);
    *play = (struct play){ .shop = shop, .machine = machine };
    read_table(shop->arena, machine, &play->table);
    for (size_t i = 0; machine->states[i] != NULL; i++)
        if (!has_way(machine, machine->states[i]) && (machine->unseen == NULL || strcmp(machine->unseen, machine->states[i]) != 0))
            fail_msg("nobody says how %s comes about", machine->states[i]);
    for (size_t i = 0; i < play->table.count; i++)
        if (!has_event(machine, play->table.rows[i].event) && strcmp(play->table.rows[i].from, machine->unseen == NULL ? "" : machine->unseen) != 0)
            fail_msg("nobody says how %s comes about", play->table.rows[i].event);
    for (const struct way *way = machine->ways; way->state != NULL; way++)
        for (const struct event *event = machine->events; event->name != NULL; event++)
            try_pair(play, way, event);
    for (size_t i = 0; i < play->table.count; i++)
        if (!play->table.rows[i].seen && (machine->unseen == NULL || strcmp(machine->unseen, play->table.rows[i].from) != 0))
            fail_msg("%s and %s: it was never seen to work", play->table.rows[i].from, play->table.rows[i].event);
}

static const char *new_id(struct shop *shop, struct reply reply)
{
    char id[40];
    text_in(reply.body, NULL, "id", id, sizeof id);
    return arena_text(shop->arena, id);
}

/* A verb that is a POST to the subject. */
struct call {
    const char *verb, *path, *body; /* %s in the body: the SKU */
};
static struct reply calls(struct shop *shop, const struct subject *subject, const char *path, const struct call *list, size_t count, const char *verb)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].verb, verb) == 0) {
            const char *sku = strstr(list[i].body, "SKU"), *body = list[i].body;
            if (sku != NULL)
                body = arena_printf(shop->arena, "%.*s%s%s", (int)(sku - body), body, subject->sku, sku + 3);
            return shop_call(shop, "POST", arena_printf(shop->arena, "%s/%s/%s", path, subject->id, list[i].path), "%s", body);
        }
    fail_msg("nobody says what %s is", verb);
    return (struct reply){ 0 };
}

/* ---- a fulfilment order ---- */

/* Two units at FBA, which others run. */
static void work_begins(struct shop *shop, struct subject *subject)
{
    receive(shop, "FBA", subject->sku, 2);
    subject->order = buys(shop, "market", subject->sku, 2);
    subject->id = work_of(shop, subject->order, 0);
}

static struct reply cancel_order(struct shop *shop, const struct subject *subject, const char *lines)
{
    return shop_call(shop, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", subject->order), "{\"reason\":\"the customer called\"%s}",
                     lines);
}

static struct reply fact(struct shop *shop, const struct subject *subject, const char *what)
{
    return shop_call(shop, "POST", "/v1/inventory/adjustments", "{\"node\":\"FBA\",\"sku\":\"%s\",%s}", subject->sku, what);
}

/* 31 days on, nobody has said anything of it: the scheduler looks until nothing is due. */
static struct reply days_pass(struct shop *shop)
{
    bool due = true;
    shop->now_us += 31 * INT64_C(86400000000);
    while (due) {
        struct command command = { .type = &fulfilment_assume, .arena = shop->arena, .unit = 1, .faults = { .arena = shop->arena } },
                       *commands[] = { &command };
        engine_run(shop->engine, commands, 1);
        assert_int_equal(command.state, COMMAND_ACCEPTED);
        due = !command.existing;
    }
    return (struct reply){ .status = 200, .body = "" };
}

static struct reply work_does(struct shop *shop, const struct subject *subject, const char *verb)
{
    if (strcmp(verb, "ask") == 0)
        return cancel_order(shop, subject, "");
    if (strcmp(verb, "ask_part") == 0)
        return cancel_order(shop, subject, ",\"lines\":[{\"line\":1,\"quantity\":1}]");
    if (strcmp(verb, "take_one") == 0)
        return fact(shop, subject, "\"delta\":-1,\"reason\":\"loss\"");
    if (strcmp(verb, "take_all") == 0)
        return fact(shop, subject, "\"set\":0,\"reason\":\"count\"");
    if (strcmp(verb, "days") == 0)
        return days_pass(shop);
    if (strcmp(verb, "lose_one") == 0)
        return report(shop, subject->id, "lost", "{\"reason\":\"the van burnt\",\"lines\":[{\"line\":1,\"quantity\":1}]}");
    return report(shop, subject->id, verb, NULL);
}

static const struct way work_ways[] = {
    { "released", "" },
    { "sent", "send" },
    { "accepted", "send accept" },
    { "picking", "send pick" },
    { "packed", "pick pack" },
    { "shipped", "pick pack ship" },
    { "shipped", "pick pack ship lose_one" },
    { "shipped", "pick pack ship lost" },
    { "delivered", "pick pack ship deliver" },
    { "delivered", "pick pack ship days" },
    { "delivered", "pick pack ship deliver lose_one" },
    { "delivered", "pick pack ship deliver lost" },
    { "failed", "fail" },
    { "failed", "pick pack ship lost settle" },
    { "declined", "decline" },
    { "cancelled", "ask" },
    { "cancel_requested", "send ask" },
    { "cancel_requested", "send accept ask" },
    { "cancel_requested", "send pick ask" },
    { "cancel_requested", "pick pack ask" },
    { "cancel_requested", "send ask_part" },
    { "cancel_requested", "send accept ask_part" },
    { "cancel_requested", "send pick ask_part" },
    { "cancel_requested", "pick pack ask_part" },
    { NULL, NULL },
};
static const struct event work_events[] = {
    { "send", "send", false },           { "accept", "accept", false },  { "decline", "decline", false }, { "pick", "pick", false },
    { "miss", "miss", false },           { "pack", "pack", false },      { "ship", "ship", false },       { "deliver", "deliver", false },
    { "assume", "days", true },          { "lose", "lost", false },      { "settle", "settle", false },   { "write_off", "settle", false },
    { "fail", "fail", false },           { "ask", "ask", true },         { "agree", "cancel", false },    { "agree_whole", "cancel", false },
    { "go_on", "reject_cancel", false }, { "reduce", "take_one", true }, { "cancel", "take_all", true },  { NULL, NULL, false },
};
#define ALL_LOST "all of it is lost: a settlement leaves nothing"
#define ONE_LOST "one is lost: a settlement leaves one"
#define NONE_LOST "nothing of it is lost"
#define UNDECIDED "somebody has said something of it: a loss is to be decided first"
#define ASKED_WHOLE "all is asked for: a yes leaves nothing"
#define ASKED_PART "one is asked for: a yes leaves one"
static const struct odd work_odds[] = {
    { "", "ask", "cancelled", "what was not sent is told, not asked" },
    { "pick pack ship", "settle", NULL, NONE_LOST },
    { "pick pack ship", "write_off", NULL, NONE_LOST },
    { "pick pack ship lose_one", "write_off", "", ONE_LOST },
    { "pick pack ship lose_one", "assume", NULL, UNDECIDED },
    { "pick pack ship lost", "assume", NULL, UNDECIDED },
    { "pick pack ship lost", "settle", "", ALL_LOST },
    { "pick pack ship lost", "lose", NULL, ALL_LOST },
    { "pick pack ship deliver", "settle", NULL, NONE_LOST },
    { "pick pack ship deliver", "write_off", NULL, NONE_LOST },
    { "pick pack ship deliver", "deliver", NULL, "it was not assumed" },
    { "pick pack ship days", "settle", NULL, NONE_LOST },
    { "pick pack ship days", "write_off", NULL, NONE_LOST },
    { "pick pack ship deliver lose_one", "deliver", NULL, "it was not assumed" },
    { "pick pack ship deliver lose_one", "write_off", "", ONE_LOST },
    { "pick pack ship deliver lost", "deliver", NULL, "it was not assumed" },
    { "pick pack ship deliver lost", "settle", "", ALL_LOST },
    { "pick pack ship deliver lost", "lose", NULL, ALL_LOST },
    { "send ask", "agree", "", ASKED_WHOLE },
    { "send accept ask", "agree", "", ASKED_WHOLE },
    { "send pick ask", "agree", "", ASKED_WHOLE },
    { "pick pack ask", "agree", "", ASKED_WHOLE },
    { "send ask_part", "agree_whole", "", ASKED_PART },
    { "send accept ask_part", "agree_whole", "", ASKED_PART },
    { "send pick ask_part", "agree_whole", "", ASKED_PART },
    { "pick pack ask_part", "agree_whole", "", ASKED_PART },
    { NULL, NULL, NULL, NULL },
};

static void fulfilment_orders(struct shop *shop)
{
    static const struct machine machine = { .title = "| from | event | guard | to |",
                                            .print = fulfilment_machine_print,
                                            .states = fulfilment_names,
                                            .unseen = "open", /* release follows in the same command */
                                            .begin = work_begins,
                                            .does = work_does,
                                            .path = "/v1/fulfilments",
                                            .ways = work_ways,
                                            .events = work_events,
                                            .odds = work_odds };
    shop_must(shop, 201, "PUT", "/v1/nodes/FBA",
              "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"third_party\",\"country\":\"DE\",\"postal_code\":\"1\",\"priority\":1}");
    shop_must(shop, 200, "PATCH", "/v1/channels/market", "{\"nodes\":[\"FBA\"],\"deliver_after_days\":30}");
    play_machine(shop, &machine);
}

/* ---- a transfer ---- */

static void transfer_begins(struct shop *shop, struct subject *subject)
{
    receive(shop, "LEJ", subject->sku, 2);
    subject->id = new_id(shop, shop_must(shop, 201, "POST", "/v1/transfers",
                                         "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"%s\",\"quantity\":2}]}", subject->sku));
}

static struct reply transfer_does(struct shop *shop, const struct subject *subject, const char *verb)
{
    static const struct call list[] = {
        { "ship", "ship", "{}" },
        { "cancel", "cancel", "{}" },
        { "receive", "receive", "{\"lines\":[{\"sku\":\"SKU\",\"quantity\":1}]}" },
        { "receive_all", "receive", "{\"lines\":[{\"sku\":\"SKU\",\"quantity\":2}]}" },
        { "settle", "settle", "{\"reason\":\"gone\"}" },
    };
    return calls(shop, subject, "/v1/transfers", list, COUNT(list), verb);
}

static void transfers(struct shop *shop)
{
    static const struct way ways[] = {
        { "requested", "" },
        { "shipped", "ship" },
        { "received", "ship receive" },
        { "received", "ship receive_all" },
        { "received", "ship receive settle" },
        { "cancelled", "cancel" },
        { NULL, NULL },
    };
    static const struct event events[] = {
        { "ship", "ship", false },     { "cancel", "cancel", false }, { "receive", "receive", false },
        { "settle", "settle", false }, { NULL, NULL, false },
    };
    static const struct odd odds[] = {
        { "ship receive_all", "settle", NULL, "nothing is missing" },
        { "ship receive settle", "settle", NULL, "it was given up before" },
        { NULL, NULL, NULL, NULL },
    };
    static const struct machine machine = { .title = "| from | event | guard | to |",
                                            .print = transfer_machine_print,
                                            .states = transfer_states,
                                            .begin = transfer_begins,
                                            .does = transfer_does,
                                            .path = "/v1/transfers",
                                            .ways = ways,
                                            .events = events,
                                            .odds = odds };
    play_machine(shop, &machine);
}

/* ---- a return ---- */

static void return_begins(struct shop *shop, struct subject *subject)
{
    receive(shop, "LEJ", subject->sku, 2);
    subject->order = buys(shop, "web", subject->sku, 2);
    reports(shop, work_of(shop, subject->order, 0), "pick pack ship");
    subject->id = new_id(shop, shop_must(shop, 201, "POST", "/v1/returns",
                                         "{\"order\":\"%s\",\"node\":\"LEJ\",\"lines\":[{\"line\":1,\"quantity\":2}]}", subject->order));
}

static struct reply return_does(struct shop *shop, const struct subject *subject, const char *verb)
{
    static const struct call list[] = {
        { "receive", "receive", "{\"lines\":[{\"line\":1,\"quantity\":1}]}" },
        { "receive_all", "receive", "{\"lines\":[{\"line\":1,\"quantity\":2}]}" },
        { "inspect", "inspect", "{\"lines\":[{\"line\":1,\"quantity\":1,\"disposition\":\"scrap\"}]}" },
        { "cancel", "cancel", "{}" },
    };
    return calls(shop, subject, "/v1/returns", list, COUNT(list), verb);
}

/* To which state it goes follows from its lines: two units are expected. */
static void returns(struct shop *shop)
{
    static const struct way ways[] = {
        { "expected", "" },
        { "received", "receive" },
        { "received", "receive inspect" },
        { "received", "receive_all" },
        { "inspected", "receive_all inspect inspect" },
        { "cancelled", "cancel" },
        { NULL, NULL },
    };
    static const struct event events[] = {
        { "receive", "receive", false }, { "inspect", "inspect", false }, { "cancel", "cancel", false }, { NULL, NULL, false }
    };
    static const struct odd odds[] = {
        { "", "receive", "received", NULL },
        { "", "cancel", "cancelled", NULL },
        { "receive", "receive", "received", NULL },
        { "receive", "inspect", "received", "one is expected still" },
        { "receive", "cancel", "received", "one waits still" },
        { "receive inspect", "receive", "received", NULL },
        { "receive inspect", "inspect", NULL, "nothing waits" },
        { "receive inspect", "cancel", "inspected", "nothing waits, and nothing more is expected then" },
        { "receive_all", "receive", "received", "one too many" },
        { "receive_all", "inspect", "received", "one waits still" },
        { "receive_all", "cancel", NULL, "all of it has come" },
        { "receive_all inspect inspect", "receive", "received", "one too many" },
        { NULL, NULL, NULL, NULL },
    };
    static const struct machine machine = { .title = "| in | event | guard | effect |",
                                            .print = return_machine_print,
                                            .states = return_states,
                                            .begin = return_begins,
                                            .does = return_does,
                                            .path = "/v1/returns",
                                            .ways = ways,
                                            .events = events,
                                            .odds = odds };
    play_machine(shop, &machine);
}

/* ---- a supply ---- */

static void supply_begins(struct shop *shop, struct subject *subject)
{
    subject->id = new_id(shop, shop_must(shop, 201, "POST", "/v1/supplies",
                                         "{\"node\":\"LEJ\",\"kind\":\"asn\",\"lines\":[{\"sku\":\"%s\",\"quantity\":2,"
                                         "\"expected_at\":\"2036-12-01T08:00:00Z\"}]}",
                                         subject->sku));
}

static struct reply supply_does(struct shop *shop, const struct subject *subject, const char *verb)
{
    static const struct call list[] = {
        { "change", "change", "{\"lines\":[{\"line\":1,\"quantity\":3}]}" },
        { "receive", "receive", "{\"lines\":[{\"sku\":\"SKU\",\"quantity\":1}],\"last\":false}" },
        { "receive_all", "receive", "{\"lines\":[{\"sku\":\"SKU\",\"quantity\":2}]}" },
        { "end", "receive", "{\"lines\":[],\"last\":true}" },
        { "close", "close", "{\"reason\":\"why not\"}" },
    };
    return calls(shop, subject, "/v1/supplies", list, COUNT(list), verb);
}

/* To which state it goes follows from its lines: two units are expected, a change makes it three. */
static void supplies(struct shop *shop)
{
    static const struct way ways[] = {
        { "open", "" }, { "open", "receive" }, { "short", "receive end" }, { "complete", "receive_all" }, { "closed", "close" }, { NULL, NULL },
    };
    static const struct event events[] = {
        { "change", "change", false }, { "receive", "receive", false }, { "close", "close", false }, { NULL, NULL, false }
    };
    static const struct odd odds[] = {
        { "", "change", "open", NULL },
        { "", "receive", "open", NULL },
        { "", "close", "closed", NULL },
        { "receive", "change", "open", NULL },
        { "receive", "receive", "complete", NULL },
        { "receive", "close", "closed", NULL },
        { "receive end", "change", "open", NULL },
        { "receive end", "receive", "complete", NULL },
        { "receive end", "close", "closed", NULL },
        { "receive_all", "change", "open", NULL },
        { "receive_all", "receive", "complete", "one too many" },
        { "close", "receive", "closed", "it came after all" },
        { NULL, NULL, NULL, NULL },
    };
    static const struct machine machine = { .title = "| event | from | effect |",
                                            .print = supply_machine_print,
                                            .states = supply_states,
                                            .begin = supply_begins,
                                            .does = supply_does,
                                            .path = "/v1/supplies",
                                            .ways = ways,
                                            .events = events,
                                            .odds = odds };
    play_machine(shop, &machine);
}

/* ---- a count sheet and its line ---- */

static void sheet_begins(struct shop *shop, struct subject *subject)
{
    receive(shop, "LEJ", subject->sku, 10);
    subject->id = new_id(shop, shop_must(shop, 201, "POST", "/v1/counts", "{\"node\":\"LEJ\",\"skus\":[\"%s\"]}", subject->sku));
}

/* Ten are there. The first count finds seven, where it differs, and another one something else; a counter counts once. */
static struct reply sheet_does(struct shop *shop, const struct subject *subject, const char *verb)
{
    static int counter;
    char state[32];
    const char *target = arena_printf(shop->arena, "/v1/counts/%s", subject->id);
    text_in(shop_must(shop, 200, "GET", target, NULL).body, "\"lines\"", "state", state, sizeof state);
    if (strcmp(verb, "cancel") == 0)
        return shop_call(shop, "POST", arena_printf(shop->arena, "%s/cancel", target), "{\"reason\":\"no time\"}");
    const int other = strcmp(state, "recount") == 0 ? 5 : strcmp(state, "third") == 0 ? 3 : 7;
    const int counted = strcmp(verb, "within") == 0 ? 10 : strcmp(verb, "agrees") == 0 ? 7 : other;
    return shop_call(shop, "POST", arena_printf(shop->arena, "%s/lines", target), "{\"counter\":\"c%d\",\"lines\":[{\"sku\":\"%s\",\"counted\":%d}]}",
                     ++counter, subject->sku, counted);
}

static void lines_of_counts(struct shop *shop)
{
    static const struct way ways[] = {
        { "open", "" },         { "recount", "differs" },       { "third", "differs differs" },
        { "booked", "within" }, { "booked", "differs agrees" }, { "cancelled", "cancel" },
        { NULL, NULL },
    };
    static const struct event events[] = {
        { "within tolerance", "within", false },
        { "as a count before", "agrees", false },
        { "differs", "differs", false },
        { "cancel", "cancel", false },
        { NULL, NULL, false },
    };
    static const struct odd odds[] = { { "", "as a count before", "", "there is none before the first" }, { NULL, NULL, NULL, NULL } };
    static const struct machine machine = { .title = "| line from | event | to |",
                                            .print = count_machines_print,
                                            .states = count_line_states,
                                            .begin = sheet_begins,
                                            .does = sheet_does,
                                            .path = "/v1/counts",
                                            .after = "\"lines\"",
                                            .ways = ways,
                                            .events = events,
                                            .odds = odds };
    play_machine(shop, &machine);
}

static void count_sheets(struct shop *shop)
{
    static const char *const states[] = { "open", "closed", "cancelled", NULL };
    static const struct way ways[] = { { "open", "" }, { "closed", "within" }, { "cancelled", "cancel" }, { NULL, NULL } };
    static const struct event events[] = { { "the last line is booked", "within", false }, { "cancel", "cancel", false }, { NULL, NULL, false } };
    static const struct machine machine = { .title = "| sheet from | event | to |",
                                            .print = count_machines_print,
                                            .states = states,
                                            .begin = sheet_begins,
                                            .does = sheet_does,
                                            .path = "/v1/counts",
                                            .ways = ways,
                                            .events = events };
    play_machine(shop, &machine);
}

/* ---- all machines ---- */

static const struct shop_scene scenes[] = {
    SCENE(fulfilment_orders), SCENE(transfers), SCENE(returns), SCENE(supplies), SCENE(lines_of_counts), SCENE(count_sheets),
};

/* Each table of the page that has events is a machine's. */
static size_t machines_of(const char *page)
{
    char line[1000];
    size_t count = 0;
    FILE *file = fopen(page, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        count += line[0] == '|' && strstr(line, "| event |") != NULL;
    if (file != NULL)
        fclose(file);
    return count;
}

int main(int count, char **words)
{
    if (count != 2 || machines_of(words[1]) != COUNT(scenes)) {
        fprintf(stderr, "machines_test: %s has %zu machines, and %zu are played\n", count == 2 ? words[1] : "no page",
                count == 2 ? machines_of(words[1]) : 0, COUNT(scenes));
        return 1;
    }
    return scenes_play("machines", scenes, COUNT(scenes));
}
