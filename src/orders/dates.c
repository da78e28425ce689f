/* src/orders/dates.c: the walk of dates.h, over the store as it is read. A queue is read in pages and only as far as it matters: to the line that is
 * asked for, to the first that ranks behind a new order, or to where nothing is left of what is expected. */
#include "orders/dates.h"
#include "base/when.h"
#include "inventory/availability.h"
#include "orders_sql.h"
#include <stdlib.h>
#include <string.h>

#define PLACES_MOST 200000 /* of queues, that one request looks at */
#define PAGE 2000
#define COMING_MOST 10000 /* lines of supply of one SKU */

int64_t coming_take(struct coming *coming, size_t count, const int64_t *nodes, size_t node_count, int64_t units)
{
    int64_t last = NULL_INT;
    bool late = false;
    for (size_t i = 0; i < count && units > 0; i++) {
        bool serves = false;
        for (size_t n = 0; n < node_count && coming[i].units > 0; n++)
            serves = serves || nodes[n] == coming[i].node;
        if (!serves)
            continue;
        const int64_t taken = min_i64(units, coming[i].units);
        coming[i].units -= taken;
        units -= taken;
        late = late || coming[i].late;
        last = coming[i].at;
    }
    return units > 0 || late ? NULL_INT : last;
}

/* ---- down a queue ---- */

/* The nodes of a channel that somebody in the queue is of. */
struct served {
    int64_t channel, *nodes;
    size_t count;
};

struct walk {
    struct reading *reading;
    int64_t unit, sku, now_us;
    struct coming *coming;
    size_t coming_count;
    struct served *served;
    size_t served_count, served_room;
    int64_t left;         /* places that may still be looked at */
    int64_t order;        /* whose lines are looked for; 0: none */
    int64_t priority;     /* of a new order: who ranks behind it is not looked at */
    bool ended;           /* all was looked at that matters */
    queue_visitor *visit; /* of a walk down the whole queue, as told: what is late is late in the books */
    void *context;
    bool stands;
};

/* Where a walk puts what it finds. */
struct part_date {
    int64_t line, part, sku, at;
};

/* What is expected; for an order's lines what is there comes first: for a new order it is in the pool, whoever waits. */
static enum db_result read_coming(struct walk *walk)
{
    struct reading *r = walk->reading;
    struct expected_by_date_result *rows;
    struct stock_to_wait_for_result *stock;
    size_t count = 0, there = 0;
    enum db_result result = expected_by_date(r->db, r->arena, walk->unit, walk->sku, COMING_MOST, &rows, &count);
    if (result == DB_OK && (walk->order != 0 || walk->visit != NULL))
        result = stock_to_wait_for(r->db, r->arena, walk->unit, walk->sku, &stock, &there);
    walk->coming = ARENA_ARRAY(r->arena, struct coming, there + count + 1);
    walk->coming_count = 0;
    for (size_t i = 0; result == DB_OK && i < there; i++)
        walk->coming[walk->coming_count++] = (struct coming){ 0, stock[i].node, stock[i].available, false };
    walk->stands = there > 0;
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        const bool late = walk->visit == NULL ? rows[i].at < walk->now_us : rows[i].due_at == NULL_INT || rows[i].at < rows[i].due_at;
        walk->coming[walk->coming_count++] = (struct coming){ rows[i].at, rows[i].node, rows[i].units, late };
    }
    return result;
}

static enum db_result served_by(struct walk *walk, int64_t channel, const struct served **out)
{
    struct nodes_of_channel_result *rows;
    for (size_t i = 0; i < walk->served_count; i++)
        if (walk->served[i].channel == channel) {
            *out = &walk->served[i];
            return DB_OK;
        }
    struct served served = { .channel = channel };
    enum db_result result = nodes_of_channel(walk->reading->db, walk->reading->arena, walk->unit, channel, &rows, &served.count);
    served.nodes = ARENA_ARRAY(walk->reading->arena, int64_t, served.count + 1);
    for (size_t i = 0; result == DB_OK && i < served.count; i++)
        served.nodes[i] = rows[i].node;
    walk->served = arena_room(walk->reading->arena, walk->served, walk->served_count, &walk->served_room, 8, sizeof *walk->served);
    walk->served[walk->served_count] = served;
    *out = &walk->served[walk->served_count++];
    return result;
}

static bool nothing_left(struct walk *walk)
{
    while (walk->coming_count > 0 && walk->coming->units == 0)
        walk->coming++, walk->coming_count--;
    return walk->coming_count == 0;
}

static bool goes_on(const struct walk *walk, const struct queue_page_result *row, int64_t at)
{
    const struct queue_place place = { row->priority, row->promise, row->ord, row->line, row->part, row->told };
    return walk->visit(walk->context, &place, at);
}

/* The walk: parts are those of the order, in the queue's order; found: how many of them it has met. */
static enum db_result go_down(struct walk *walk, struct part_date *parts, size_t count, size_t *found)
{
    struct queue_page_result *rows, last = { .priority = -1 }; /* before all: priorities are counted from 1 */
    enum db_result result = DB_OK;
    size_t n = PAGE;
    *found = 0;
    while (n == PAGE && walk->left > 0) {
        struct arena_mark mark = arena_mark(walk->reading->arena);
        result = queue_page(walk->reading->db, walk->reading->arena, walk->unit, walk->sku, last.priority, last.promise, last.ord, last.line,
                            last.part, PAGE, &rows, &n);
        const size_t channels = walk->served_count;
        for (size_t i = 0; result == DB_OK && i < n; i++) {
            const struct served *served;
            walk->ended = rows[i].priority > walk->priority || (nothing_left(walk) && walk->visit == NULL) || (walk->order != 0 && *found == count);
            if (walk->ended)
                return DB_OK;
            result = served_by(walk, rows[i].channel, &served);
            if (result != DB_OK)
                break;
            const int64_t at = coming_take(walk->coming, walk->coming_count, served->nodes, served->count, rows[i].units);
            if (walk->visit != NULL && !goes_on(walk, &rows[i], at))
                return DB_OK;
            if (*found < count && rows[i].ord == walk->order)
                parts[(*found)++].at = at;
        }
        walk->left -= (int64_t)n;
        last = n == 0 ? last : rows[n - 1];
        if (walk->served_count == channels) /* nothing else was put there */
            arena_rewind(walk->reading->arena, mark);
        if (result != DB_OK)
            return result;
    }
    walk->ended = n < PAGE;
    return result;
}

/* ---- an order's lines ---- */

static int by_sku(const void *a, const void *b)
{
    const struct part_date *left = a, *right = b;
    if (left->sku != right->sku)
        return left->sku < right->sku ? -1 : 1;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return left->part < right->part ? -1 : left->part > right->part;
}

static int by_line(const void *a, const void *b)
{
    const struct part_date *left = a, *right = b;
    return left->line < right->line ? -1 : left->line > right->line;
}

/* A line has come when all of it has. Why it waits for what is there nobody can tell. */
static struct line_date *lines_of(struct arena *arena, struct part_date *parts, size_t count, size_t *line_count)
{
    struct line_date *lines = ARENA_ARRAY(arena, struct line_date, count + 1);
    *line_count = 0;
    if (count > 1)
        qsort(parts, count, sizeof *parts, by_line);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || parts[i].line != parts[i - 1].line)
            lines[(*line_count)++] = (struct line_date){ parts[i].line, parts[i].at };
        struct line_date *line = &lines[*line_count - 1];
        line->at = line->at == NULL_INT || parts[i].at == NULL_INT ? NULL_INT : max_i64(line->at, parts[i].at);
    }
    for (size_t i = 0; i < *line_count; i++)
        lines[i].at = lines[i].at == 0 ? NULL_INT : lines[i].at;
    return lines;
}

enum db_result order_dates(struct reading *reading, int64_t unit, int64_t order, const struct line_date **dates, size_t *count)
{
    struct order_waits_result *waits;
    size_t part_count = 0;
    struct walk walk = { .reading = reading, .unit = unit, .now_us = when_now_us(), .left = PLACES_MOST, .order = order, .priority = INT64_MAX };
    enum db_result result = order_waits(reading->db, reading->arena, unit, order, &waits, &part_count);
    struct part_date *parts = ARENA_ARRAY(reading->arena, struct part_date, part_count + 1);
    for (size_t i = 0; result == DB_OK && i < part_count; i++)
        parts[i] = (struct part_date){ waits[i].line, waits[i].part, waits[i].sku, NULL_INT };
    part_count = result == DB_OK ? part_count : 0;
    if (part_count > 1)
        qsort(parts, part_count, sizeof *parts, by_sku);
    for (size_t i = 0, next = 0, found; i < part_count && result == DB_OK; i = next) {
        for (next = i; next < part_count && parts[next].sku == parts[i].sku; next++)
            continue;
        walk.sku = parts[i].sku;
        result = read_coming(&walk);
        if (result == DB_OK && walk.coming_count > 0)
            result = go_down(&walk, parts + i, next - i, &found);
    }
    *dates = lines_of(reading->arena, parts, part_count, count);
    return result;
}

enum db_result queue_dates(struct reading *reading, int64_t unit, int64_t sku, queue_visitor *visit, void *context, bool *stands)
{
    size_t found;
    struct walk walk = {
        .reading = reading, .unit = unit, .sku = sku, .left = QUEUE_PLACES, .priority = INT64_MAX, .visit = visit, .context = context
    };
    enum db_result result = read_coming(&walk);
    if (result == DB_OK)
        result = go_down(&walk, NULL, 0, &found);
    *stands = walk.stands;
    return result;
}

/* ---- what is free by which date ---- */

enum { QUERY_CHANNEL, QUERY_SKU };

#define DATES_MOST 1000 /* that are told */

/* Units of a component that nobody who ranks before a new order needs, at one of the channel's nodes. */
struct free_units {
    int64_t at;
    size_t node, component;
    int64_t units;
};

struct asked {
    struct reading *reading;
    const struct request *request;
    int64_t unit, channel, sku, now_us, priority;
    struct component *components;
    size_t count;
    int64_t nodes[CHANNEL_NODES_MAX];
    size_t node_count;
    struct free_units *free;
    size_t free_count, free_room;
    struct json_writer json;
};

static void read_recipe(struct ws *ws, void *context)
{
    struct asked *asked = context;
    struct outlet outlet;
    struct component *parts;
    const char *code = asked->request->query_text[QUERY_SKU];
    const struct sku_row *sku = ws_find(ws, &sku_by_code, WS_PREFIX(db_int(asked->unit), db_text(code)));
    const size_t count = sku == NULL ? 0 : recipe_of(ws, sku, &parts);
    outlet_open(ws, ws_get(ws, &channel_table, WS_KEY(asked->unit, asked->channel)), &outlet);
    asked->sku = sku == NULL ? 0 : sku->id;
    asked->priority = outlet.channel->priority;
    asked->node_count = outlet.node_count;
    for (size_t n = 0; n < outlet.node_count; n++)
        asked->nodes[n] = outlet.nodes[n]->id;
    asked->components = ARENA_ARRAY(asked->request->arena, struct component, count + 1);
    if (count > 0)
        memcpy(asked->components, parts, count * sizeof *parts);
    asked->count = count;
}

/* What has no date any more is not counted on; nor is anything where the queue is too long to be looked through. */
static void note_free(struct asked *asked, const struct walk *walk, size_t component)
{
    for (size_t i = 0; i < walk->coming_count && walk->ended; i++) {
        const struct coming *coming = &walk->coming[i];
        size_t node = 0;
        while (node < asked->node_count && asked->nodes[node] != coming->node)
            node++;
        if (node == asked->node_count || coming->units == 0 || coming->at < asked->now_us)
            continue;
        asked->free = arena_room(asked->request->arena, asked->free, asked->free_count, &asked->free_room, 64, sizeof *asked->free);
        asked->free[asked->free_count++] = (struct free_units){ coming->at, node, component, coming->units };
    }
}

static enum db_result read_free(struct asked *asked)
{
    struct walk walk = { .reading = asked->reading, .unit = asked->unit, .now_us = asked->now_us, .left = PLACES_MOST };
    enum db_result result = DB_OK;
    walk.priority = asked->priority;
    for (size_t c = 0; c < asked->count && result == DB_OK; c++) {
        size_t found;
        walk.sku = asked->components[c].sku;
        result = read_coming(&walk);
        if (result == DB_OK && walk.coming_count > 0)
            result = go_down(&walk, NULL, 0, &found);
        if (result == DB_OK)
            note_free(asked, &walk, c);
    }
    return result;
}

static int by_date(const void *a, const void *b)
{
    const struct free_units *left = a, *right = b;
    return left->at < right->at ? -1 : left->at > right->at;
}

static void write_dates(struct ws *ws, struct asked *asked, const struct outlet *outlet, struct atp_terms *terms, struct json_writer *json)
{
    int64_t *more = ARENA_ARRAY(ws_arena(ws), int64_t, asked->node_count * asked->count + 1), shown = atp_show(terms);
    size_t told = 0;
    for (size_t i = 0, next; i < asked->free_count && told < DATES_MOST; i = next) {
        for (next = i; next < asked->free_count && asked->free[next].at == asked->free[i].at; next++)
            more[asked->free[next].node * asked->count + asked->free[next].component] += asked->free[next].units;
        terms->pool = outlet_pool_with(ws, outlet, asked->components, asked->count, more);
        if (atp_show(terms) == shown)
            continue;
        shown = atp_show(terms);
        told++;
        json_object(json);
        json_key(json, "from");
        json_time(json, asked->free[i].at);
        json_key(json, "available");
        json_int(json, shown);
        json_object_end(json);
    }
}

static void write_answer(struct ws *ws, void *context)
{
    struct asked *asked = context;
    struct outlet outlet;
    struct json_writer json;
    outlet_open(ws, ws_get(ws, &channel_table, WS_KEY(asked->unit, asked->channel)), &outlet);
    struct atp_terms terms = availability_terms(ws, &outlet, only_listing(ws, outlet.channel, asked->sku), asked->components, asked->count);
    json_begin(&json, ws_arena(ws)); /* an attempt that lacks a row is thrown away with its arena */
    json_object(&json);
    json_key(&json, "channel");
    json_text(&json, outlet.channel->code);
    json_key(&json, "sku");
    json_text(&json, asked->request->query_text[QUERY_SKU]);
    json_key(&json, "available");
    json_int(&json, atp_show(&terms));
    json_key(&json, "dates");
    json_array(&json);
    write_dates(ws, asked, &outlet, &terms, &json);
    json_array_end(&json);
    json_object_end(&json);
    json_begin(&asked->json, asked->request->arena);
    json_raw(&asked->json, json.out.at, json.out.size);
}

void get_availability_dates(struct reading *reading, const struct request *request, struct answer *answer)
{
    const char *channel = request->query_text[QUERY_CHANNEL], *sku = request->query_text[QUERY_SKU];
    struct asked asked = { .reading = reading, .request = request, .now_us = when_now_us() };
    enum db_result result = channel_place(reading, channel, &asked.unit, &asked.channel);
    if (result == DB_OK && asked.channel != 0)
        result = ws_read(reading, asked.unit, asked.now_us, read_recipe, &asked);
    if (result == DB_OK && asked.sku == 0) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL,
                     arena_printf(request->arena, "there is no %s", asked.channel == 0 ? channel : sku));
        return;
    }
    if (result == DB_OK)
        result = read_free(&asked);
    if (asked.free_count > 1)
        qsort(asked.free, asked.free_count, sizeof *asked.free, by_date);
    if (result == DB_OK)
        result = ws_read(reading, asked.unit, asked.now_us, write_answer, &asked);
    if (result != DB_OK)
        answer_store(answer, request->arena, result);
    else
        *answer = (struct answer){ .status = 200, .body = asked.json.out.at, .body_bytes = asked.json.out.size };
}

/* ---- what it looks like, for /openapi.json ---- */

#define AT(type, member) offsetof(struct type, member)

struct from_io {
    struct field_presence presence;
    int64_t from, available;
};
static const struct field from_rows[] = {
    { "from", FIELD_TIME, AT(from_io, from), .read_only = true, .doc = "when more will have come" },
    { "available", FIELD_INT, AT(from_io, available), .read_only = true, .doc = "from then on, with all that was available before" },
};
static const struct field_table from_fields = { "AvailableFrom", from_rows, COUNT(from_rows), sizeof(struct from_io) };
struct dates_io {
    struct field_presence presence;
    const char *channel, *sku;
    int64_t available;
    struct field_list dates;
};
static const struct field dates_rows[] = {
    { "channel", FIELD_CODE, AT(dates_io, channel), .read_only = true },
    { "sku", FIELD_CODE, AT(dates_io, sku), .read_only = true },
    { "available", FIELD_INT, AT(dates_io, available), .read_only = true, .doc = "now, as /v1/availability says" },
    { "dates", FIELD_LIST, AT(dates_io, dates), .read_only = true, .of = &from_fields,
      .doc = "by date, as far as supply is known: at most 1,000. What those need who wait and rank before a new order is not in it" },
};
const struct field_table availability_dates_fields = { "AvailabilityDates", dates_rows, COUNT(dates_rows), sizeof(struct dates_io) };
