/* src/orders/decisions.c: GET /v1/orders/{id}/decisions: what was decided, what was seen, and what ruled the alternatives out. The row is
 * written with every order, so it is short: ids and letters, decoded here. */
#include "orders/decisions.h"
#include "base/id.h"
#include "base/when.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECISION_NODES_MAX 16

/* In the order of enum ruled_out. */
const char *const ruled_out_names[] = { "lacks_stock", "node_priority",     "less_stock", "more_shipments", "cost",
                                        "later",       "no_capacity_today", "rule",       "not_served",     NULL };
static const char letters[] = "splmctfrz";

/* The last of a wish to arrive; 0: some parcel has no date, or nothing is sent. */
static int64_t arrival_of(const struct outlet *outlet, const struct choice *choice, size_t wish)
{
    const struct wish *w = &choice->wishes[wish];
    const size_t items = outlet_keeps_together(outlet, w->component_count) ? 1 : w->component_count;
    int64_t arrives = 0;
    for (size_t i = 0; i < items; i++)
        for (size_t n = 0; n < outlet->node_count; n++) {
            if (choice->plan.pieces[(choice->first_item[wish] + i) * outlet->node_count + n] == 0)
                continue;
            if (choice->ships[n].node.arrives_at == 0)
                return 0;
            arrives = max_i64(arrives, choice->ships[n].node.arrives_at);
        }
    return arrives;
}

/* A line of an order that waits in part has no date yet. */
static void tell_promises(struct ws *ws, const struct outlet *outlet, const struct choice *choice, struct buffer *out)
{
    bool told = false;
    for (size_t i = 0; i < choice->wish_count && choice->ships != NULL; i++) {
        int64_t arrives = arrival_of(outlet, choice, i);
        if (arrives == 0)
            continue;
        if (!told)
            buffer_printf(out, "@%ld", (long)ws_clock(ws)->event_seq);
        told = true;
        buffer_printf(out, ",%ld:%ld", (long)choice->wishes[i].line, (long)(arrives / 1000000));
    }
}

const int64_t *promised_at(struct ws *ws, int64_t order, int64_t before_seq, size_t count)
{
    routing_want(ws);
    ws_settle(ws);
    if (!routing_known(ws))
        return NULL;
    int64_t *at = ARENA_ARRAY(ws_arena(ws), int64_t, count + 1), *by = ARENA_ARRAY(ws_arena(ws), int64_t, count + 1);
    const struct decision_row *row;
    struct ws_cursor cursor = ws_scan(ws, &decision_of_order, WS_PREFIX(db_int(ws_unit(ws)), db_int(order)), 0);
    while ((row = ws_next(ws, &cursor)) != NULL) {
        char *told = strchr(row->data, '@');
        if (told == NULL || strtoll(told + 1, &told, 10) >= before_seq)
            continue;
        while (*told == ',') {
            size_t line = (size_t)strtoll(told + 1, &told, 10);
            int64_t seconds = strtoll(told + 1, &told, 10);
            if (line < 1 || line > count)
                continue;
            bool adds = row->kind == DECISION_ROUTE || by[line - 1] == row->number; /* pieces that came to others; moves are of all that may move */
            at[line - 1] = max_i64(adds ? at[line - 1] : 0, seconds * 1000000);
            by[line - 1] = row->number;
        }
    }
    return at;
}

const char *decision_of_choice(struct ws *ws, const struct outlet *outlet, const struct choice *choice)
{
    struct buffer out = { .arena = ws_arena(ws) };
    for (size_t i = 0; i < choice->count; i++)
        buffer_printf(&out, "%s%ld", i == 0 ? "" : ",", (long)outlet->nodes[choice->nodes[i]]->id);
    for (size_t n = 0; n < outlet->node_count && n < DECISION_NODES_MAX; n++) {
        bool chosen = choice->count == 0;
        for (size_t i = 0; i < choice->count; i++)
            chosen = chosen || choice->nodes[i] == n;
        if (!chosen)
            buffer_printf(&out, ";%ld%c%zu", (long)outlet->nodes[n]->id, letters[choice->others[n].ruled_out], choice->others[n].lines);
    }
    if (choice->kept > 0)
        buffer_printf(&out, "!%ld", (long)choice->kept);
    if (!choice->plan.exact)
        buffer_printf(&out, "~");
    if (choice->ships != NULL)
        buffer_printf(&out, "$%ld", (long)choice->plan.terms.cost);
    tell_promises(ws, outlet, choice, &out);
    return out.at == NULL ? "" : out.at;
}

/* ---- as the API shows it ---- */

struct other_io {
    struct field_presence presence;
    const char *node;
    int64_t ruled_out, lines;
};
struct decision_io {
    struct field_presence presence;
    int64_t kind, at, policy_version, kept;
    struct field_list nodes, alternatives;
    bool proved;
    struct money cost;
};
#define AT(type, member) offsetof(struct type, member)
static const char *const kind_names[] = { "route", "replan", "release", NULL };
static const struct field other_rows[] = {
    { "node", FIELD_CODE, AT(other_io, node), .read_only = true },
    { "ruled_out", FIELD_ENUM, AT(other_io, ruled_out), .read_only = true, .names = ruled_out_names,
      .doc =
          "alone it: could not ship all that was promised; ranks behind in priority; has less stock left; a parcel more would be needed; costs more; arrives later; has no capacity left today; a rule forbids it; its rates do not go there" },
    { "lines", FIELD_INT, AT(other_io, lines), .read_only = true, .doc = "of so many it could have shipped what was promised, each alone" },
};
static const struct field_table other_fields = { "Alternative", other_rows, COUNT(other_rows), sizeof(struct other_io) };
static const struct field decision_rows[] = {
    { "kind", FIELD_ENUM, AT(decision_io, kind), .read_only = true, .names = kind_names,
      .doc = "route: from which nodes, when it came; replan, release: moved before it went" },
    { "at", FIELD_TIME, AT(decision_io, at), .read_only = true },
    { "policy_version", FIELD_INT, AT(decision_io, policy_version), .read_only = true, .doc = "of the unit's masters when it was made" },
    { "nodes", FIELD_CODES, AT(decision_io, nodes), .read_only = true, .doc = "that were chosen; none: nothing was promised" },
    { "kept_waiting", FIELD_INT, AT(decision_io, kept), .read_only = true, .hide_absent = true,
      .doc = "pieces that stock would give, and that wait: it may have no more shipments" },
    { "alternatives", FIELD_LIST, AT(decision_io, alternatives), .read_only = true, .of = &other_fields },
    { "proved", FIELD_BOOL, AT(decision_io, proved), .read_only = true,
      .doc = "no better choice exists; false: too many to look at, the best that was found" },
    { "cost", FIELD_MONEY, AT(decision_io, cost), .read_only = true, .hide_absent = true,
      .doc = "what the choice costs, where a routing policy stands" },
};
const struct field_table decision_fields = { "Decision", decision_rows, COUNT(decision_rows), sizeof(struct decision_io) };

static const char *node_code(struct ws *ws, int64_t id)
{
    const struct node_row *node = ws_get(ws, &node_table, WS_KEY(ws_unit(ws), id));
    return node == NULL ? "" : node->code;
}

static void decode(struct ws *ws, const char *data, struct decision_io *io)
{
    struct arena *arena = ws_arena(ws);
    const size_t room = strlen(data) / 2 + 1;
    const char **nodes = ARENA_ARRAY(arena, const char *, room);
    struct other_io *others = ARENA_ARRAY(arena, struct other_io, room);
    char *at = (char *)(uintptr_t)data;
    if (*at == '{') { /* of an earlier release: {"nodes":[1005,1006],... */
        at = strchr(at, '[');
        at += 1;
    }
    while (*at >= '0' && *at <= '9') {
        nodes[io->nodes.count++] = node_code(ws, strtoll(at, &at, 10));
        at += *at == ',';
    }
    while (*at == ';') {
        int64_t id = strtoll(at + 1, &at, 10);
        const char *letter = strchr(letters, *at);
        others[io->alternatives.count++] =
            (struct other_io){ .node = node_code(ws, id), .ruled_out = letter - letters, .lines = strtoll(at + 1, &at, 10) };
    }
    if (*at == '!') {
        io->kept = strtoll(at + 1, &at, 10);
        field_set(&decision_fields, io, "kept_waiting");
    }
    io->nodes.items = nodes;
    io->alternatives.items = others;
    io->proved = *at != '~';
    at += *at == '~';
    if (*at != '$')
        return;
    const struct business_unit_row *unit = ws_get(ws, &business_unit_table, WS_KEY(ws_unit(ws), ws_unit(ws)));
    io->cost.minor = strtoll(at + 1, &at, 10);
    snprintf(io->cost.currency, sizeof io->cost.currency, "%.3s", unit->currency);
    field_set(&decision_fields, io, "cost");
}

struct decisions {
    struct arena *arena;
    int64_t order;
    const char *body; /* NULL: there is no such order */
    size_t bytes;
};

static void read_decisions(struct ws *ws, void *context)
{
    struct decisions *d = context;
    struct json_writer json;
    struct answer answer = { 0 };
    if (ws_get(ws, &orders_table, WS_KEY(ws_unit(ws), d->order)) == NULL)
        return;
    list_begin(&json, ws_arena(ws));
    const struct decision_row *row;
    for (struct ws_cursor cursor = ws_scan(ws, &decision_of_order, WS_PREFIX(db_int(ws_unit(ws)), db_int(d->order)), 0);
         (row = ws_next(ws, &cursor)) != NULL;) {
        struct decision_io io = { .kind = row->kind - 1, .at = row->at, .policy_version = row->policy_version };
        decode(ws, row->data, &io);
        fields_write(&json, &decision_fields, &io);
    }
    list_end(&json, NULL, &answer);
    d->body = arena_text_n(d->arena, answer.body, answer.body_bytes);
    d->bytes = answer.body_bytes;
}

void get_decisions(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct decisions d = { .arena = request->arena };
    int64_t unit;
    enum db_result result = DB_OK;
    if (id_parse(request->path[0], strlen(request->path[0]), "ord", &unit, &d.order))
        result = ws_read(reading, unit, when_now_us(), read_decisions, &d);
    if (result != DB_OK)
        answer_store(answer, request->arena, result);
    else if (d.body == NULL)
        answer_fault(answer, request->arena, FAULT_NOT_FOUND, NULL, arena_printf(request->arena, "there is no order %s", request->path[0]));
    else
        *answer = (struct answer){ .status = 200, .body = d.body, .body_bytes = d.bytes };
}
