/* src/inventory/supply.c: what is expected, what has come of it and what has not. A line's units have come, stand in an ASN, are still to come
 * (open, or missing once the last delivery was told), or were given up. Commands change a line's figures; then supply_end, the only place that
 * does, makes everything else of them: the state, the rows of `expected`, what is in transit, the purchase order of an ASN, work for people.
 * Invariants (millrace check): an open supply has a row of `expected` for each line with units to come, and no other has; a purchase order's line
 * knows as announced what its ASNs have to come; in transit is what transfers and ASNs have under way; an exception is open while a date has passed
 * or units are missing. */
#include "inventory/supply.h"
#include "base/id.h"
#include "engine/exceptions.h"
#include "inventory/stock.h"
#include <assert.h>
#include <string.h>

const char *const supply_kinds[] = { "purchase", "asn", "production", NULL };
const char *const supply_states[] = { "open", "short", "complete", "closed", NULL };

/* ---- the machine ---- */

enum supply_state supply_state_of(const struct supply_facts *facts)
{
    if (facts->closed)
        return SUPPLY_CLOSED;
    if (facts->rest == 0 && facts->announced == 0)
        return SUPPLY_COMPLETE;
    return facts->ended && facts->rest > 0 ? SUPPLY_SHORT : SUPPLY_OPEN;
}

/* To which state it goes is what the facts say then. */
static const struct {
    enum supply_event event;
    enum supply_state from;
    const char *effect;
} machine[] = {
    { SUPPLY_CHANGE, SUPPLY_OPEN, "another date, more or fewer units" },    { SUPPLY_CHANGE, SUPPLY_SHORT, "what is missing is expected again" },
    { SUPPLY_CHANGE, SUPPLY_COMPLETE, "more of it is expected, perhaps" },  { SUPPLY_RECEIVE, SUPPLY_OPEN, "what came becomes available" },
    { SUPPLY_RECEIVE, SUPPLY_SHORT, "what was missing becomes available" }, { SUPPLY_RECEIVE, SUPPLY_COMPLETE, "what is over becomes available" },
    { SUPPLY_RECEIVE, SUPPLY_CLOSED, "what was given up came after all" },  { SUPPLY_CLOSE, SUPPLY_OPEN, "what is still to come is given up" },
    { SUPPLY_CLOSE, SUPPLY_SHORT, "what is missing is given up" },
};
static const char *const event_names[SUPPLY_EVENT_COUNT] = { "change", "receive", "close" };

bool supply_may(const struct supply *supply, enum supply_event event, struct faults *faults)
{
    for (size_t i = 0; i < COUNT(machine); i++)
        if (machine[i].event == event && machine[i].from == (enum supply_state)supply->row->state)
            return true;
    fault_add(faults, FAULT_STATE_CONFLICT, NULL, "it is %s: %s is not possible", supply_states[supply->row->state - 1], event_names[event]);
    return false;
}

void supply_machine_print(FILE *out)
{
    fputs("| event | from | effect |\n| --- | --- | --- |\n", out);
    for (size_t i = 0; i < COUNT(machine); i++)
        fprintf(out, "| %s | %s | %s |\n", event_names[machine[i].event], supply_states[machine[i].from - 1], machine[i].effect);
}

/* ---- rows ---- */

static void add_line(struct supply *supply, const struct supply_line_row *line, int64_t rest, int64_t received)
{
    struct arena *arena = ws_arena(supply->ws);
    const size_t i = supply->line_count;
    supply->lines = arena_room(arena, supply->lines, i, &supply->room, 8, sizeof *supply->lines);
    supply->rest = arena_room(arena, supply->rest, i, &supply->rest_room, 8, sizeof *supply->rest);
    supply->received = arena_room(arena, supply->received, i, &supply->received_room, 8, sizeof *supply->received);
    supply->lines[i] = line;
    supply->rest[i] = rest;
    supply->received[i] = received;
    supply->line_count++;
}

static const char *cause_of(const struct supply *supply, enum exception_type type)
{
    return arena_printf(ws_arena(supply->ws), "%s/%ld", exception_names[type - 1], (long)supply->row->id);
}

static void want_line(struct ws *ws, const struct supply_line_row *line)
{
    ws_want(ws, &sku_table, WS_KEY(line->unit, line->sku));
    ws_want(ws, &expected_table, WS_KEY(line->unit, line->sku, line->expected_at, line->supply, line->line));
    ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(line->unit), db_int(line->sku)), 0);
    promises_change_want(ws, line->sku);
}

bool supply_open(struct ws *ws, int64_t id, struct supply *supply)
{
    const int64_t unit = ws_unit(ws);
    const struct db_value prefix[] = { db_int(unit), db_int(id) };
    *supply = (struct supply){ .ws = ws, .row = ws_get(ws, &supply_table, WS_KEY(unit, id)) };
    if (supply->row == NULL)
        return false;
    const struct supply_line_row *line;
    supply->stock = stock_begin(ws, (struct cause){ CAUSE_SUPPLY, id });
    ws_want(ws, &node_table, WS_KEY(unit, supply->row->node));
    ws_want(ws, &business_unit_table, WS_KEY(unit, unit));
    ws_want_path(ws, &line_of_supply, prefix, 0);
    exception_want(ws, cause_of(supply, EXCEPTION_SUPPLY_LATE));
    exception_want(ws, cause_of(supply, EXCEPTION_SUPPLY_SHORT));
    if (supply->row->due_at != NULL_INT)
        ws_want(ws, &supply_due_table, WS_KEY(unit, supply->row->due_at, id));
    ws_settle(ws);
    for (struct ws_cursor cursor = ws_scan(ws, &line_of_supply, prefix, 0); (line = ws_next(ws, &cursor)) != NULL;) {
        add_line(supply, line, supply_rest(line), line->received);
        want_line(ws, line);
    }
    supply->known_lines = supply->line_count;
    ws_settle(ws);
    return true;
}

struct supply_line_row *supply_line_edit(struct supply *supply, size_t i)
{
    return ws_edit(supply->ws, supply->lines[i]);
}

struct supply_line_row *supply_line_add(struct supply *supply, struct supply_line_row row)
{
    row.unit = ws_unit(supply->ws);
    row.supply = supply->row->id;
    row.line = (int64_t)supply->line_count + 1;
    struct supply_line_row *line = ws_insert(supply->ws, &supply_line_table, &row);
    add_line(supply, line, 0, 0);
    return line;
}

/* ---- who is promised from it ---- */

void promises_change_want(struct ws *ws, int64_t sku)
{
    ws_want(ws, &waiting_sku_table, WS_KEY(ws_unit(ws), sku % WAITING_PARTS, sku));
}

void promises_change(struct ws *ws, int64_t sku, int64_t supply)
{
    const struct waiting_sku_row *there = ws_get(ws, &waiting_sku_table, WS_KEY(ws_unit(ws), sku % WAITING_PARTS, sku));
    if (there == NULL)
        return;
    struct waiting_sku_row *row = ws_edit(ws, there);
    row->changes++;
    row->due = row->due > 0 ? row->due : ws_clock(ws)->event_seq + 1; /* who has been due for longest comes first */
    row->supply = supply > 0 ? supply : row->supply;
}

/* ---- what is still to come ---- */

/* Units of a line that those who wait are promised from. What an ASN announces has left its supplier: it is in transit. */
static void expect(struct supply *supply, size_t i, int64_t units)
{
    struct ws *ws = supply->ws;
    const struct supply_line_row *line = supply->lines[i];
    const int64_t key[] = { line->unit, line->sku, line->expected_at, line->supply, line->line };
    const struct expected_row *there = i < supply->known_lines ? ws_get(ws, &expected_table, key) : NULL;
    const int64_t before = there == NULL ? 0 : there->units;
    const bool sent = supply->row->kind == SUPPLY_ASN;
    if (units == before)
        return;
    promises_change(ws, line->sku, line->supply);
    if (units == 0)
        ws_delete(ws, there);
    else if (there != NULL)
        ((struct expected_row *)ws_edit(ws, there))->units = units;
    else
        ws_insert(ws, &expected_table,
                  &(struct expected_row){ .unit = line->unit,
                                          .sku = line->sku,
                                          .at = line->expected_at,
                                          .supply = line->supply,
                                          .line = line->line,
                                          .node = supply->row->node,
                                          .units = units,
                                          .sent = sent });
    if (sent)
        position_edit(&supply->stock, supply->row->node, line->sku, 0)->coming += units - before;
}

void supply_date(struct supply *supply, size_t i, int64_t expected_at)
{
    if (supply->lines[i]->expected_at == expected_at)
        return;
    expect(supply, i, 0);
    supply_line_edit(supply, i)->expected_at = expected_at;
}

/* ---- what comes ---- */

/* Of the SKU's lines with units to come, or given up, the one of the earliest date; SIZE_MAX: none. */
static size_t next_line(const struct supply *supply, int64_t sku)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < supply->line_count; i++) {
        const struct supply_line_row *line = supply->lines[i];
        if (line->sku == sku && supply_rest(line) + line->given_up > 0 && (best == SIZE_MAX || line->expected_at < supply->lines[best]->expected_at))
            best = i;
    }
    return best;
}

/* Where units go that were not expected: the SKU's last line, or one of their own. */
static size_t line_of_over(struct supply *supply, int64_t sku)
{
    for (size_t i = supply->line_count; i > 0; i--)
        if (supply->lines[i - 1]->sku == sku)
            return i - 1;
    supply_line_add(supply, (struct supply_line_row){ .sku = sku, .expected_at = ws_now_us(supply->ws), .unit_cost = NULL_INT });
    return supply->line_count - 1;
}

/* For the books: what came, at its cost. */
static void tell_received(struct supply *supply, const struct move *came)
{
    const struct business_unit_row *books = ws_get(supply->ws, &business_unit_table, WS_KEY(ws_unit(supply->ws), ws_unit(supply->ws)));
    struct event_row event = event_of(EVENT_SUPPLY_RECEIVED, SUBJECT_SUPPLY, supply->row->id);
    int64_t amount = NULL_INT;
    if (came->unit_cost != NULL_INT && !money_multiply(came->unit_cost, came->quantity, &amount))
        amount = NULL_INT;
    event.node = came->to_node;
    event.sku = came->sku;
    event.quantity = came->quantity;
    event.class = came->class;
    event.amount = amount;
    event.currency = came->unit_cost == NULL_INT ? NULL : books->currency;
    event.unit_cost = came->unit_cost;
    event.document = came->document;
    ws_event(supply->ws, event);
}

static void take_in(struct supply *supply, const struct supply_arrival *arrival, size_t i, int64_t units, const char *document)
{
    struct supply_line_row *line = supply_line_edit(supply, i);
    const struct move came = { .sku = line->sku,
                               .class = arrival->class,
                               .quantity = units,
                               .from_node = PLACE_SUPPLIER,
                               .to_node = supply->row->node,
                               .to = arrival->bucket,
                               .unit_cost = arrival->unit_cost == NULL_INT ? line->unit_cost : arrival->unit_cost,
                               .document = document };
    line->given_up -= min_i64(line->given_up, max_i64(0, units - supply_rest(line))); /* it came after all */
    line->received += units;
    stock_move(&supply->stock, &came);
    tell_received(supply, &came);
}

void supply_take_in(struct supply *supply, const struct supply_arrival *arrivals, size_t count, const char *document)
{
    document = document == NULL ? supply->row->reference : document;
    for (size_t a = 0; a < count; a++) {
        int64_t left = arrivals[a].quantity;
        for (size_t i; left > 0 && (i = next_line(supply, arrivals[a].sku)) != SIZE_MAX;) {
            const int64_t units = min_i64(left, supply_rest(supply->lines[i]) + supply->lines[i]->given_up);
            take_in(supply, &arrivals[a], i, units, document);
            left -= units;
        }
        if (left > 0)
            take_in(supply, &arrivals[a], line_of_over(supply, arrivals[a].sku), left, document);
        if (arrivals[a].quantity == 0 || arrivals[a].class != 0 || arrivals[a].bucket != BUCKET_AVAILABLE)
            continue; /* nobody who waits may have them */
        supply->stock.freed = arena_room(ws_arena(supply->ws), supply->stock.freed, supply->stock.freed_count, &supply->stock.freed_room, 8,
                                         sizeof *supply->stock.freed);
        supply->stock.freed[supply->stock.freed_count++] = (struct freed){ supply->row->node, arrivals[a].sku, arrivals[a].quantity };
    }
}

void supply_give_up(struct supply *supply, const char *reason)
{
    struct supply_row *row = ws_edit(supply->ws, supply->row);
    row->closed_at = ws_now_us(supply->ws);
    row->reason = reason;
}

/* ---- after each change ---- */

static struct supply_facts facts_of(const struct supply *supply)
{
    struct supply_facts facts = { .closed = supply->row->closed_at != NULL_INT, .ended = supply->row->ended_at != NULL_INT };
    for (size_t i = 0; i < supply->line_count; i++) {
        facts.rest += supply_rest(supply->lines[i]);
        facts.announced += supply->lines[i]->announced;
    }
    return facts;
}

/* What an ASN announces, and what came of it, the purchase order's line knows. */
static void tell_purchase(struct supply *supply)
{
    struct supply purchase = { 0 };
    for (size_t i = 0; i < supply->line_count && supply->row->purchase != 0; i++) {
        const struct supply_line_row *line = supply->lines[i];
        const int64_t rest = supply_rest(line) - supply->rest[i], received = line->received - supply->received[i];
        if (line->purchase_line == 0 || (rest == 0 && received == 0))
            continue;
        if (purchase.ws == NULL)
            (void)supply_open(supply->ws, supply->row->purchase, &purchase);
        struct supply_line_row *ordered = supply_line_edit(&purchase, (size_t)line->purchase_line - 1);
        ordered->announced += rest;
        ordered->received += received;
    }
    if (purchase.ws != NULL)
        (void)supply_end(&purchase);
}

/* Work for people while there are such units: one exception a supply and type. */
static void judge(struct supply *supply, enum exception_type type, const struct line_units *lines, size_t count)
{
    const char *cause = cause_of(supply, type);
    const struct exception_item_row *open = exception_find(supply->ws, cause);
    struct exception exception = { .type = type,
                                   .cause = cause,
                                   .subject_kind = SUBJECT_SUPPLY,
                                   .subject = supply->row->id,
                                   .node = supply->row->node,
                                   .lines = lines,
                                   .line_count = count };
    for (size_t i = 0; i < count; i++)
        exception.quantity += lines[i].quantity;
    if (count == 1)
        exception.sku = supply->lines[lines[0].line - 1]->sku;
    if (open == NULL && count > 0)
        exception_open(supply->ws, &exception);
    else if (open != NULL && count == 0)
        (void)exception_close(supply->ws, open);
    else if (open != NULL && open->quantity != exception.quantity)
        ((struct exception_item_row *)ws_edit(supply->ws, open))->quantity = exception.quantity;
}

static void set_due(struct supply *supply, int64_t due_at)
{
    struct ws *ws = supply->ws;
    const struct supply_row *row = supply->row;
    if (row->due_at == due_at)
        return;
    if (row->due_at != NULL_INT)
        ws_delete(ws, ws_get(ws, &supply_due_table, WS_KEY(row->unit, row->due_at, row->id)));
    if (due_at != NULL_INT)
        ws_insert(ws, &supply_due_table, &(struct supply_due_row){ .unit = row->unit, .at = due_at, .supply = row->id });
    ((struct supply_row *)ws_edit(ws, row))->due_at = due_at;
}

/* What is late now, what is missing, and when to look again. */
static void judge_all(struct supply *supply)
{
    const enum supply_state state = (enum supply_state)supply->row->state;
    const int64_t looked_at = supply->row->due_at; /* what was late then is known */
    struct line_units *late = ARENA_ARRAY(ws_arena(supply->ws), struct line_units, supply->line_count + 1),
                      *missing = ARENA_ARRAY(ws_arena(supply->ws), struct line_units, supply->line_count + 1);
    size_t late_count = 0, missing_count = 0;
    int64_t due_at = NULL_INT;
    for (size_t i = 0; i < supply->line_count; i++) {
        const struct supply_line_row *line = supply->lines[i];
        const struct line_units units = { line->line, supply_rest(line) };
        if (units.quantity == 0)
            continue;
        if (looked_at != NULL_INT && line->expected_at >= looked_at && line->expected_at < ws_now_us(supply->ws))
            promises_change(supply->ws, line->sku, line->supply);
        if (state == SUPPLY_SHORT)
            missing[missing_count++] = units;
        else if (state == SUPPLY_OPEN && line->expected_at < ws_now_us(supply->ws))
            late[late_count++] = units;
        else if (state == SUPPLY_OPEN && (due_at == NULL_INT || line->expected_at < due_at))
            due_at = line->expected_at;
    }
    set_due(supply, due_at);
    judge(supply, EXCEPTION_SUPPLY_LATE, late, late_count);
    judge(supply, EXCEPTION_SUPPLY_SHORT, missing, missing_count);
}

static int64_t tell(struct supply *supply)
{
    struct event_row event = event_of(EVENT_SUPPLY_CHANGED, SUBJECT_SUPPLY, supply->row->id);
    struct json_writer json;
    json_begin(&json, ws_arena(supply->ws));
    supply_write(supply, &json);
    event.node = supply->row->node;
    event.data = json.out.at;
    return ws_event(supply->ws, event);
}

int64_t supply_end(struct supply *supply)
{
    struct ws *ws = supply->ws;
    struct supply_row *row = ws_edit(ws, supply->row);
    for (size_t i = 0; i < supply->line_count && row->closed_at != NULL_INT; i++)
        if (supply_rest(supply->lines[i]) > 0) {
            struct supply_line_row *line = supply_line_edit(supply, i);
            line->given_up += supply_rest(line);
        }
    const struct supply_facts facts = facts_of(supply);
    row->state = supply_state_of(&facts);
    row->version++;
    for (size_t i = supply->known_lines; i < supply->line_count; i++)
        promises_change_want(ws, supply->lines[i]->sku);
    ws_settle(ws);
    for (size_t i = 0; i < supply->line_count; i++)
        expect(supply, i, row->state == SUPPLY_OPEN ? supply_rest(supply->lines[i]) : 0);
    stock_end(&supply->stock);
    tell_purchase(supply);
    row->event_seq = tell(supply);
    judge_all(supply);
    short_picks_open(ws, supply->stock.freed, supply->stock.freed_count);
    stock_followers.supply(ws, supply->stock.freed, supply->stock.freed_count);
    return row->event_seq;
}

/* ---- a date passes ---- */

#define OVERDUE_AT_ONCE 50
#define OVERDUE_LINES 2000 /* whose SKUs somebody may wait for; those of one supply in any case */

static void overdue_decide(struct ws *ws, struct command *command)
{
    const struct supply_due_row *due;
    int64_t ids[OVERDUE_AT_ONCE];
    size_t count = 0;
    struct ws_cursor cursor = ws_scan(ws, &supply_due_first, WS_PREFIX(db_int(ws_unit(ws))), OVERDUE_AT_ONCE);
    while (count < OVERDUE_AT_ONCE && (due = ws_next(ws, &cursor)) != NULL && due->at < ws_now_us(ws))
        ids[count++] = due->supply;
    for (size_t i = 0, lines = 0; i < count && lines < OVERDUE_LINES; i++) {
        struct supply supply;
        (void)supply_open(ws, ids[i], &supply);
        judge_all(&supply);
        lines += supply.line_count;
    }
    command->existing = count == 0;
    command->answer.status = 200;
}

const struct command_type supply_overdue = {
    .name = "supply.overdue", .queue = QUEUE_BULK, .decide = overdue_decide, .inverse = "none: time has passed"
};

/* ---- as the API shows it ---- */

#define AT(type, member) offsetof(struct type, member)

struct line_io {
    struct field_presence presence;
    int64_t line;
    const char *sku;
    int64_t quantity, expected_at, received, announced, open, missing, given_up, over;
    struct money unit_cost;
    int64_t purchase_line;
};
static const struct field line_rows[] = {
    { "line", FIELD_INT, AT(line_io, line), .required = true, .read_only = true },
    { "sku", FIELD_CODE, AT(line_io, sku), .required = true, .read_only = true },
    { "quantity", FIELD_INT, AT(line_io, quantity), .required = true, .read_only = true,
      .doc = "units announced, as told last; 0: they came unannounced" },
    { "expected_at", FIELD_TIME, AT(line_io, expected_at), .required = true, .read_only = true },
    { "received", FIELD_INT, AT(line_io, received), .required = true, .read_only = true, .doc = "units that came" },
    { "announced", FIELD_INT, AT(line_io, announced), .required = true, .read_only = true,
      .doc = "units to come that stand in ASNs of this purchase order" },
    { "open", FIELD_INT, AT(line_io, open), .required = true, .read_only = true, .doc = "units still to come" },
    { "missing", FIELD_INT, AT(line_io, missing), .required = true, .read_only = true, .doc = "units that did not come with the last delivery" },
    { "given_up", FIELD_INT, AT(line_io, given_up), .required = true, .read_only = true },
    { "over", FIELD_INT, AT(line_io, over), .required = true, .read_only = true,
      .doc = "quantity + over = received + announced + open + missing + given_up" },
    { "unit_cost", FIELD_MONEY, AT(line_io, unit_cost), .read_only = true, .hide_absent = true, .doc = "as agreed" },
    { "purchase_line", FIELD_INT, AT(line_io, purchase_line), .read_only = true, .hide_absent = true,
      .doc = "of the purchase order that it makes exact" },
};
static const struct field_table line_fields = { "SupplyUnits", line_rows, COUNT(line_rows), sizeof(struct line_io) };

struct supply_io {
    struct field_presence presence;
    const char *id;
    int64_t kind, state, version;
    const char *node, *reference, *supplier, *purchase;
    struct field_list lines;
    int64_t announced_at, ended_at, closed_at;
    const char *reason;
};
static const struct field rows[] = {
    { "id", FIELD_TEXT, AT(supply_io, id), .required = true, .read_only = true },
    { "kind", FIELD_ENUM, AT(supply_io, kind), .required = true, .read_only = true, .names = supply_kinds },
    { "state", FIELD_ENUM, AT(supply_io, state), .required = true, .read_only = true, .names = supply_states,
      .doc = "open: units are to come; short: the last delivery came, and units are missing; closed: what had not come was given up" },
    { "version", FIELD_INT, AT(supply_io, version), .required = true, .read_only = true, .doc = "its ETag" },
    { "node", FIELD_CODE, AT(supply_io, node), .required = true, .read_only = true, .doc = "where it will come" },
    { "reference", FIELD_CODE, AT(supply_io, reference), .required = true, .read_only = true, .nullable = true },
    { "supplier", FIELD_CODE, AT(supply_io, supplier), .required = true, .read_only = true, .nullable = true },
    { "purchase", FIELD_TEXT, AT(supply_io, purchase), .required = true, .read_only = true, .nullable = true,
      .doc = "the purchase order that an ASN makes exact" },
    { "lines", FIELD_LIST, AT(supply_io, lines), .required = true, .read_only = true, .of = &line_fields },
    { "announced_at", FIELD_TIME, AT(supply_io, announced_at), .required = true, .read_only = true },
    { "ended_at", FIELD_TIME, AT(supply_io, ended_at), .read_only = true, .hide_absent = true, .doc = "when its last delivery was told" },
    { "closed_at", FIELD_TIME, AT(supply_io, closed_at), .read_only = true, .hide_absent = true },
    { "reason", FIELD_TEXT, AT(supply_io, reason), .read_only = true, .hide_absent = true, .doc = "why what had not come was given up" },
};
const struct field_table supply_fields = { "Supply", rows, COUNT(rows), sizeof(struct supply_io) };

static struct line_io show_line(const struct supply *supply, const struct supply_line_row *line, const char *currency)
{
    const struct sku_row *sku = ws_get(supply->ws, &sku_table, WS_KEY(line->unit, line->sku));
    const int64_t rest = supply_rest(line);
    struct line_io io = { .line = line->line,
                          .sku = sku->code,
                          .quantity = line->quantity,
                          .expected_at = line->expected_at,
                          .received = line->received,
                          .announced = line->announced,
                          .open = supply->row->state == SUPPLY_SHORT ? 0 : rest,
                          .missing = supply->row->state == SUPPLY_SHORT ? rest : 0,
                          .given_up = line->given_up,
                          .over = max_i64(0, line->received + line->announced + line->given_up - line->quantity),
                          .purchase_line = line->purchase_line };
    if (line->unit_cost != NULL_INT) {
        io.unit_cost.minor = line->unit_cost;
        memcpy(io.unit_cost.currency, currency, sizeof io.unit_cost.currency);
        field_set(&line_fields, &io, "unit_cost");
    }
    if (line->purchase_line != 0)
        field_set(&line_fields, &io, "purchase_line");
    return io;
}

void supply_write(const struct supply *supply, struct json_writer *json)
{
    const struct supply_row *row = supply->row;
    struct arena *arena = ws_arena(supply->ws);
    struct line_io *lines = ARENA_ARRAY(arena, struct line_io, supply->line_count + 1);
    const struct node_row *node = ws_get(supply->ws, &node_table, WS_KEY(row->unit, row->node));
    const struct business_unit_row *books = ws_get(supply->ws, &business_unit_table, WS_KEY(row->unit, row->unit));
    for (size_t i = 0; i < supply->line_count; i++)
        lines[i] = show_line(supply, supply->lines[i], books->currency);
    struct supply_io out = { .id = id_text(arena, "sup", row->unit, row->id),
                             .kind = row->kind - 1,
                             .state = row->state - 1,
                             .version = row->version,
                             .node = node->code,
                             .reference = row->reference,
                             .supplier = row->supplier,
                             .purchase = row->purchase == 0 ? NULL : id_text(arena, "sup", row->unit, row->purchase),
                             .lines = { lines, supply->line_count },
                             .announced_at = row->announced_at,
                             .ended_at = row->ended_at,
                             .closed_at = row->closed_at,
                             .reason = row->reason };
    if (row->ended_at != NULL_INT)
        field_set(&supply_fields, &out, "ended_at");
    if (row->closed_at != NULL_INT) {
        field_set(&supply_fields, &out, "closed_at");
        field_set(&supply_fields, &out, "reason");
    }
    fields_write(json, &supply_fields, &out);
}
