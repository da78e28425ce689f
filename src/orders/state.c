/* src/orders/state.c: the state in an event, written and read. It is as short as it can be, for every order writes some: figures
 * without names, and nothing where nothing is to be said. One table a kind names the members; a member that no row names (what the
 * command said, see order_event_begin) is skipped. */
#include "orders/state.h"
#include "orders/asked.h"
#include "orders/losses.h"
#include "orders/mapping.h"
#include "orders/payments.h"
#include <stdlib.h>
#include <string.h>

/* ---- members ---- */

enum member_type { MEMBER_NUMBER, MEMBER_NUMBERS, MEMBER_WORD };

struct member {
    const char *name;
    enum member_type type;
    size_t offset;
    const char *const *names; /* of a word, which is its place among them; NULL ends them */
    bool inner;               /* not told outside */
};

#define AT(type, member) offsetof(struct type, member)
static const struct member order_members[] = {
    { "stage", MEMBER_WORD, AT(order_state, stage), .names = stage_names },
    { "version", MEMBER_NUMBER, AT(order_state, version) },
    { "demands", MEMBER_NUMBERS, AT(order_state, demands), .inner = true },
    { "payment_status", MEMBER_NUMBER, AT(order_state, payment_status), .inner = true },
    { "max_shipments", MEMBER_NUMBER, AT(order_state, max_shipments) },
    { "given_up", MEMBER_NUMBERS, AT(order_state, given_up), .inner = true },
    { "fulfilments", MEMBER_NUMBERS, AT(order_state, fulfilments) },
    { "asked", MEMBER_NUMBERS, AT(order_state, asked), .inner = true },
    { "lost", MEMBER_NUMBERS, AT(order_state, lost), .inner = true },
};
static const struct member report_members[] = {
    { "state", MEMBER_WORD, AT(fulfilment_report, state), .names = fulfilment_names },
    { "version", MEMBER_NUMBER, AT(fulfilment_report, version) },
    { "due", MEMBER_NUMBERS, AT(fulfilment_report, due) },
    { "asked", MEMBER_NUMBERS, AT(fulfilment_report, asked) },
};

static const struct member *member_of(const struct member *members, size_t count, const char *key, size_t bytes)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(members[i].name, key, bytes) == 0 && members[i].name[bytes] == '\0')
            return &members[i];
    return NULL;
}

/* Behind a number stands what ends it: a comma or a bracket. */
static int64_t number_of(const struct json_reader *json)
{
    return strtoll(json->text, NULL, 10);
}

#define FEW_NUMBERS 24 /* of an order of four lines */
bool numbers_read(struct json_reader *json, struct numbers *out)
{
    const int outside = json->depth;
    enum json_token token = json_next(json);
    size_t room = FEW_NUMBERS;
    if (token != JSON_ARRAY)
        return false;
    *out = (struct numbers){ .at = ARENA_ARRAY(json->arena, int64_t, room) };
    while (json->depth > outside) {
        token = json_next(json);
        if (token == JSON_NUMBER) {
            out->at = arena_room(json->arena, out->at, out->count, &room, FEW_NUMBERS, sizeof *out->at);
            out->at[out->count++] = number_of(json);
        } else if (token != JSON_ARRAY && token != JSON_ARRAY_END) {
            return false;
        }
    }
    return true;
}

static int64_t place_of(const char *const *names, const char *word, size_t bytes)
{
    int64_t i = 0;
    while (names[i] != NULL && (strncmp(names[i], word, bytes) != 0 || names[i][bytes] != '\0'))
        i++;
    return names[i] == NULL ? -1 : i;
}

static bool member_read(const struct member *member, struct json_reader *json, void *state)
{
    void *at = (char *)state + member->offset;
    if (member->type == MEMBER_NUMBERS)
        return numbers_read(json, at);
    enum json_token token = json_next(json);
    if (token != (member->type == MEMBER_WORD ? JSON_STRING : JSON_NUMBER))
        return false;
    *(int64_t *)at = member->type == MEMBER_WORD ? place_of(member->names, json->text, json->bytes) : number_of(json);
    return true;
}

static bool members_read(struct arena *arena, const char *text, const struct member *members, size_t count, void *state)
{
    struct json_reader json;
    enum json_token token;
    json_open(&json, arena, text, strlen(text));
    if (json_next(&json) != JSON_OBJECT)
        return false;
    while ((token = json_next(&json)) == JSON_KEY) {
        const struct member *member = member_of(members, count, json.text, json.bytes);
        if (member == NULL ? !json_skip(&json) : !member_read(member, &json, state))
            return false;
    }
    return token == JSON_OBJECT_END;
}

/* ---- of an order ---- */

static const size_t demand_figures[] = {
    AT(demand_row, cancelled), AT(demand_row, backordered), AT(demand_row, reserved),
    AT(demand_row, allocated), AT(demand_row, shipped),     AT(demand_row, oversold),
};

enum state_member order_state_member(const char *key, size_t bytes)
{
    const struct member *member = member_of(order_members, COUNT(order_members), key, bytes);
    return member == NULL ? STATE_NONE : member->inner ? STATE_INNER : STATE_SHOWN;
}

bool order_state_read(struct arena *arena, const struct event_row *event, struct order_state *state)
{
    *state = (struct order_state){ .payment_status = PAYMENT_PENDING, .max_shipments = NULL_INT };
    return event->subject_kind == SUBJECT_ORDER && event->data != NULL &&
           members_read(arena, event->data, order_members, COUNT(order_members), state) && state->demands.at != NULL;
}

/* Lines that came since go, and those that have more pieces now had fewer then. */
static void lines_then(struct arena *arena, struct order *order)
{
    const struct order_line_row **lines = ARENA_ARRAY(arena, const struct order_line_row *, order->line_count);
    size_t count = 0;
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct demand_row *demand = order->demands[i];
        const struct order_line_row *line = order->lines[demand->line - 1];
        const int64_t pieces = demand->ordered / demand->need;
        if (count == (size_t)demand->line) /* its other parts say the same */
            continue;
        if (pieces != line->quantity) {
            struct order_line_row *then = ARENA_NEW(arena, struct order_line_row);
            *then = *line;
            then->priced = line->priced == NULL_INT ? line->quantity : line->priced;
            then->quantity = pieces;
            line = then;
        }
        lines[count++] = line;
    }
    order->lines = lines;
    order->line_count = count;
}

struct demand_row *demands_then(struct arena *arena, struct order *order, const struct event_row *event, const struct order_state *state)
{
    mapping_as_of(arena, order, event->seq);
    struct demand_row *then = ARENA_ARRAY(arena, struct demand_row, order->demand_count);
    const struct demand_row **demands = ARENA_ARRAY(arena, const struct demand_row *, order->demand_count);
    size_t told = 0, count = 0;
    for (; count < order->demand_count && told + COUNT(demand_figures) <= state->demands.count; count++) {
        then[count] = *order->demands[count];
        for (size_t k = 0; k < COUNT(demand_figures); k++)
            *(int64_t *)(void *)((char *)&then[count] + demand_figures[k]) = state->demands.at[told++];
        then[count].ordered = then[count].cancelled + then[count].backordered + then[count].reserved + then[count].allocated + then[count].shipped;
        demands[count] = &then[count];
    }
    order->demands = demands;
    order->demand_count = count;
    lines_then(arena, order);
    return then;
}

static void write_demands(const struct order *order, struct json_writer *json)
{
    json_key(json, "demands");
    json_array(json);
    for (size_t i = 0; i < order->demand_count; i++) {
        json_array(json);
        for (size_t k = 0; k < COUNT(demand_figures); k++)
            json_int(json, *(const int64_t *)(const void *)((const char *)order->demands[i] + demand_figures[k]));
        json_array_end(json);
    }
    json_array_end(json);
}

static struct ws_cursor fulfilments_of(const struct order *order)
{
    return ws_scan(order->ws, &fulfilment_of_order, WS_PREFIX(db_int(ws_unit(order->ws)), db_int(order->row->id)), 0);
}

static struct ws_cursor lines_of(struct ws *ws, const struct fulfilment_row *row)
{
    return ws_scan(ws, &line_of_fulfilment, WS_PREFIX(db_int(ws_unit(ws)), db_int(row->id)), 0);
}

static int64_t given_up(struct ws *ws, const struct fulfilment_row *row, const struct fulfilment_line_row *line)
{
    return line->cancelled;
}
static int64_t asked_back(struct ws *ws, const struct fulfilment_row *row, const struct fulfilment_line_row *line)
{
    return asked_of(ws, row, line->line, line->part);
}

/* What fulfilments have given up so far, by a cancel or because a fact took it; what they are asked for. Most lines have none:
 * then nothing is written. */
static void write_units(struct order *order, const char *name,
                        int64_t (*units_of)(struct ws *ws, const struct fulfilment_row *row, const struct fulfilment_line_row *line),
                        struct json_writer *json)
{
    const struct fulfilment_row *fulfilment;
    const struct fulfilment_line_row *line;
    bool any = false;
    for (struct ws_cursor all = fulfilments_of(order); (fulfilment = ws_next(order->ws, &all)) != NULL;) {
        for (struct ws_cursor lines = lines_of(order->ws, fulfilment); (line = ws_next(order->ws, &lines)) != NULL;) {
            const int64_t units = units_of(order->ws, fulfilment, line);
            if (units == 0)
                continue;
            if (!any)
                json_key(json, name), json_array(json);
            any = true;
            const int64_t figures[] = { fulfilment->id, line->line, line->part, units };
            for (size_t k = 0; k < COUNT(figures); k++)
                json_int(json, figures[k]);
        }
    }
    if (any)
        json_array_end(json);
}

static bool anything_left(struct order *order)
{
    const struct fulfilment_row *row;
    for (struct ws_cursor all = fulfilments_of(order); (row = ws_next(order->ws, &all)) != NULL;)
        if (row->state == FULFILMENT_SHIPPED || row->state == FULFILMENT_DELIVERED || row->state == FULFILMENT_FAILED)
            return true;
    return false;
}

int64_t *order_losses(struct order *order)
{
    return anything_left(order) ? losses_of(order) : NULL;
}

static void write_losses(struct order *order, struct json_writer *json)
{
    const int64_t *lost = order_losses(order);
    if (lost == NULL)
        return;
    json_key(json, "lost");
    json_array(json);
    for (size_t i = 0; i < order->demand_count; i++)
        json_int(json, lost[i]);
    json_array_end(json);
}

/* Under `partial`, and after a fact took what a node was to ship, there are some although the stage does not say so. */
static void write_fulfilments(struct order *order, struct json_writer *json)
{
    struct ws_cursor cursor = fulfilments_of(order);
    const struct fulfilment_row *fulfilment = ws_next(order->ws, &cursor);
    if (fulfilment == NULL && order->row->stage < STAGE_RELEASED)
        return;
    write_units(order, "given_up", given_up, json);
    write_units(order, "asked", asked_back, json);
    write_losses(order, json);
    json_key(json, "fulfilments");
    json_array(json);
    for (; fulfilment != NULL; fulfilment = ws_next(order->ws, &cursor)) {
        json_array(json);
        json_int(json, fulfilment->id);
        json_int(json, fulfilment->state);
        json_array_end(json);
    }
    json_array_end(json);
}

void order_state_write(struct order *order, struct json_writer *json)
{
    json_key(json, "stage");
    json_text(json, stage_names[order->row->stage]);
    json_key(json, "version");
    json_int(json, order->row->version);
    write_demands(order, json);
    if (order->row->max_shipments != NULL_INT) { /* few have a bound */
        json_key(json, "max_shipments");
        json_int(json, order->row->max_shipments);
    }
    if (order->row->payment_status != PAYMENT_PENDING) { /* the word; most events are about orders that nobody has paid yet */
        json_key(json, "payment_status");
        json_int(json, order->row->payment_status);
    }
    write_fulfilments(order, json);
}

/* ---- of a fulfilment order ---- */

void fulfilment_report_write(struct ws *ws, const struct fulfilment_row *row, struct json_writer *json)
{
    const struct fulfilment_line_row *line;
    json_key(json, "state");
    json_text(json, fulfilment_names[row->state]);
    json_key(json, "version");
    json_int(json, row->version);
    json_key(json, "due");
    json_array(json);
    for (struct ws_cursor lines = lines_of(ws, row); (line = ws_next(ws, &lines)) != NULL;)
        json_int(json, line->quantity - line->cancelled);
    json_array_end(json);
    if (row->state != FULFILMENT_CANCEL_REQUESTED)
        return;
    json_key(json, "asked");
    json_array(json);
    for (struct ws_cursor lines = lines_of(ws, row); (line = ws_next(ws, &lines)) != NULL;)
        json_int(json, asked_back(ws, row, line));
    json_array_end(json);
}

bool fulfilment_report_read(struct arena *arena, const struct event_row *event, struct fulfilment_report *state)
{
    *state = (struct fulfilment_report){ .state = NULL_INT, .version = NULL_INT };
    return event->subject_kind == SUBJECT_FULFILMENT && event->data != NULL &&
           members_read(arena, event->data, report_members, COUNT(report_members), state) && state->state != NULL_INT;
}
