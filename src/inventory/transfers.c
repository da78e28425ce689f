/* src/inventory/transfers.c: how a transfer moves: one table, and one function that sets its state.
 * Until it ships its units are soft claims of kind CLAIM_TRANSFER; a fact may take them, and what is left ships. Goods in transit stand at the
 * place PLACE_TRANSIT, and as `coming` in the position that waits for them. Invariants (millrace check): coming is the sum of what
 * shipped transfers have on the way there; only a requested transfer has claims; an exception is open while units are missing. */
#include "inventory/transfers.h"
#include "base/id.h"
#include "engine/exceptions.h"
#include "inventory/stock.h"
#include <assert.h>

const char *const transfer_states[] = { "requested", "shipped", "received", "cancelled", NULL };

/* ---- rows ---- */

static struct holder holder_of(const struct transfer_line_row *line)
{
    return (struct holder){ .kind = CLAIM_TRANSFER, .id = line->transfer, .line = line->line, .part = 1 };
}

static void add_line(struct transfer *transfer, const struct transfer_line_row *line)
{
    transfer->lines = arena_room(ws_arena(transfer->ws), transfer->lines, transfer->line_count, &transfer->room, 8, sizeof *transfer->lines);
    transfer->lines[transfer->line_count++] = line;
}

bool transfer_open(struct ws *ws, int64_t id, struct transfer *transfer)
{
    const int64_t unit = ws_unit(ws);
    *transfer = (struct transfer){ .ws = ws, .row = ws_get(ws, &transfer_table, WS_KEY(unit, id)) };
    if (transfer->row == NULL)
        return false;
    const struct transfer_line_row *line;
    ws_want(ws, &node_table, WS_KEY(unit, transfer->row->from_node));
    ws_want(ws, &node_table, WS_KEY(unit, transfer->row->to_node));
    ws_want_path(ws, &claim_of_holder, WS_PREFIX(db_int(unit), db_int(id)), 0);
    ws_want_path(ws, &line_of_transfer, WS_PREFIX(db_int(unit), db_int(id)), 0);
    ws_settle(ws);
    for (struct ws_cursor cursor = ws_scan(ws, &line_of_transfer, WS_PREFIX(db_int(unit), db_int(id)), 0); (line = ws_next(ws, &cursor)) != NULL;) {
        add_line(transfer, line);
        ws_want(ws, &sku_table, WS_KEY(unit, line->sku));
        ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(unit), db_int(line->sku)), 0);
    }
    ws_settle(ws);
    return true;
}

static int64_t claimed_of(const struct transfer *transfer, const struct transfer_line_row *line)
{
    const struct claim_row *claim;
    for (struct ws_cursor cursor = claims_of(transfer->ws, line->transfer); (claim = ws_next(transfer->ws, &cursor)) != NULL;)
        if (claim->kind == CLAIM_TRANSFER && claim->line == line->line)
            return claim->soft;
    return 0;
}

static int64_t missing_of(const struct transfer *transfer)
{
    int64_t missing = 0;
    for (size_t i = 0; i < transfer->line_count; i++)
        missing += transfer_missing(transfer->lines[i]);
    return missing;
}

void transfer_lost_claim(struct ws *ws, int64_t id)
{
    ((struct transfer_row *)ws_edit(ws, ws_get(ws, &transfer_table, WS_KEY(ws_unit(ws), id))))->version++;
}

/* Work for people while units are missing: they are found after all, or given up. */
static void judge_missing(struct transfer *transfer)
{
    struct ws *ws = transfer->ws;
    const char *cause = arena_printf(ws_arena(ws), "transfer_short/%ld", (long)transfer->row->id);
    const struct exception_item_row *open = exception_find(ws, cause);
    struct line_units *lines = ARENA_ARRAY(ws_arena(ws), struct line_units, transfer->line_count + 1);
    struct exception exception = { .type = EXCEPTION_TRANSFER_SHORT,
                                   .cause = cause,
                                   .subject_kind = SUBJECT_TRANSFER,
                                   .subject = transfer->row->id,
                                   .node = transfer->row->to_node,
                                   .quantity = transfer->row->settled == NULL ? missing_of(transfer) : 0,
                                   .lines = lines };
    for (size_t i = 0; i < transfer->line_count; i++) {
        const struct transfer_line_row *line = transfer->lines[i];
        if (transfer_missing(line) == 0)
            continue;
        lines[exception.line_count++] = (struct line_units){ line->line, transfer_missing(line) };
        exception.sku = exception.line_count == 1 ? line->sku : 0;
    }
    if (open == NULL && exception.quantity > 0)
        exception_open(ws, &exception);
    else if (open != NULL && exception.quantity == 0)
        (void)exception_close(ws, open);
    else if (open != NULL)
        ((struct exception_item_row *)ws_edit(ws, open))->quantity = exception.quantity;
}

/* ---- guards ---- */

static bool guard_claims_something(const struct transfer *transfer, struct faults *faults)
{
    for (size_t i = 0; i < transfer->line_count; i++)
        if (claimed_of(transfer, transfer->lines[i]) > 0)
            return true;
    fault_add(faults, FAULT_STOCK_CONFLICT, NULL, "facts have taken all its units: cancel it");
    return false;
}

static bool guard_has_room(const struct transfer *transfer, struct faults *faults)
{
    const size_t before = faults->count;
    for (size_t i = 0; i < transfer->arrival_count && faults->count == before; i++) {
        const struct arrival *arrival = &transfer->arrivals[i];
        int64_t on_hand = position_on_hand(position_find(transfer->ws, transfer->row->to_node, arrival->sku, 0));
        if (on_hand + arrival->quantity > QUANTITY_MAX)
            fault_add(faults, FAULT_STOCK_CONFLICT, arrival->pointer, "%ld more would be over %ld, the largest stock of a SKU at a node: it has %ld",
                      (long)arrival->quantity, (long)QUANTITY_MAX, (long)on_hand);
    }
    return faults->count == before;
}

static bool guard_misses_something(const struct transfer *transfer, struct faults *faults)
{
    if (missing_of(transfer) > 0 && transfer->row->settled == NULL)
        return true;
    fault_add(faults, FAULT_STATE_CONFLICT, NULL, transfer->row->settled == NULL ? "nothing of it is missing" : "that was said before");
    return false;
}

/* ---- effects ---- */

static struct stock begin(const struct transfer *transfer)
{
    return stock_begin(transfer->ws, (struct cause){ CAUSE_TRANSFER, transfer->row->id });
}

void transfer_claim(struct transfer *transfer)
{
    struct stock stock = begin(transfer);
    for (size_t i = 0; i < transfer->line_count; i++) {
        struct holder holder = holder_of(transfer->lines[i]);
        claim_take(&stock, transfer->row->from_node, transfer->lines[i]->sku, &holder, transfer->lines[i]->quantity);
    }
    stock_end(&stock);
}

static void effect_send(struct transfer *transfer)
{
    struct stock stock = begin(transfer);
    for (size_t i = 0; i < transfer->line_count; i++) {
        struct holder holder = holder_of(transfer->lines[i]);
        const struct claim_row *claim = claim_find(transfer->ws, transfer->row->from_node, transfer->lines[i]->sku, &holder);
        int64_t units = claim == NULL ? 0 : claim->soft;
        if (units == 0)
            continue;
        claim_send(&stock, claim, units);
        ((struct transfer_line_row *)ws_edit(transfer->ws, transfer->lines[i]))->shipped = units;
        position_edit(&stock, transfer->row->to_node, transfer->lines[i]->sku, 0)->coming += units;
    }
    stock_end(&stock);
    ((struct transfer_row *)ws_edit(transfer->ws, transfer->row))->shipped_at = ws_now_us(transfer->ws);
}

static struct transfer_line_row *line_of_sku(struct transfer *transfer, int64_t sku)
{
    for (size_t i = 0; i < transfer->line_count; i++)
        if (transfer->lines[i]->sku == sku)
            return ws_edit(transfer->ws, transfer->lines[i]);
    struct transfer_line_row row = {
        .unit = ws_unit(transfer->ws), .transfer = transfer->row->id, .line = (int64_t)transfer->line_count + 1, .sku = sku
    };
    struct transfer_line_row *line = ws_insert(transfer->ws, &transfer_line_table, &row);
    add_line(transfer, line);
    return line;
}

static void move_out(struct stock *stock, const struct transfer *transfer, int64_t sku, int64_t units, enum place from, bool arrives)
{
    stock_move(stock, &(struct move){ .sku = sku,
                                      .quantity = units,
                                      .from_node = from,
                                      .to_node = arrives ? transfer->row->to_node : PLACE_ADJUSTMENT,
                                      .to = arrives ? BUCKET_AVAILABLE : BUCKET_NONE,
                                      .unit_cost = NULL_INT });
}

/* What came first is what was on the way; what is more, and what comes later, was booked away or never known. What did not come is
 * booked away at once: it is nowhere that we know of. */
static void effect_take_in(struct transfer *transfer)
{
    struct stock stock = begin(transfer);
    const bool is_first = transfer->row->state == TRANSFER_SHIPPED;
    struct freed *freed = ARENA_ARRAY(ws_arena(transfer->ws), struct freed, transfer->arrival_count + 1);
    for (size_t i = 0; i < transfer->arrival_count; i++) {
        const struct arrival *arrival = &transfer->arrivals[i];
        struct transfer_line_row *line = line_of_sku(transfer, arrival->sku);
        int64_t expected = is_first ? min_i64(line->shipped, arrival->quantity) : 0;
        move_out(&stock, transfer, arrival->sku, expected, PLACE_TRANSIT, true);
        move_out(&stock, transfer, arrival->sku, arrival->quantity - expected, PLACE_ADJUSTMENT, true);
        line->received += arrival->quantity;
        freed[i] = (struct freed){ transfer->row->to_node, arrival->sku, arrival->quantity };
    }
    for (size_t i = 0; is_first && i < transfer->line_count; i++) {
        const struct transfer_line_row *line = transfer->lines[i];
        if (line->shipped == 0)
            continue;
        position_edit(&stock, transfer->row->to_node, line->sku, 0)->coming -= line->shipped;
        move_out(&stock, transfer, line->sku, transfer_missing(line), PLACE_TRANSIT, false);
    }
    stock_end(&stock);
    if (is_first)
        ((struct transfer_row *)ws_edit(transfer->ws, transfer->row))->received_at = ws_now_us(transfer->ws);
    short_picks_open(transfer->ws, freed, transfer->arrival_count);
    stock_followers.supply(transfer->ws, freed, transfer->arrival_count);
}

static void effect_give_back(struct transfer *transfer)
{
    struct stock stock = begin(transfer);
    const struct claim_row *claim;
    for (struct ws_cursor cursor = claims_of(transfer->ws, transfer->row->id); (claim = ws_next(transfer->ws, &cursor)) != NULL;)
        if (claim->kind == CLAIM_TRANSFER) /* a fence's holder may have the same number: channels are numbered by the company */
            claim_give_back(&stock, claim, claim->soft, 0);
    stock_end(&stock);
    stock_followers.supply(transfer->ws, stock.freed, stock.freed_count);
}

static void effect_settle(struct transfer *transfer)
{
    ((struct transfer_row *)ws_edit(transfer->ws, transfer->row))->settled = transfer->settled;
}

/* ---- the machine ---- */

static const struct {
    enum transfer_state from;
    enum transfer_event event;
    const char *guard_name;
    bool (*guard)(const struct transfer *transfer, struct faults *faults); /* NULL: none; refuses by a fault, changes nothing */
    enum transfer_state to;
    const char *effect_name;
    void (*effect)(struct transfer *transfer); /* may not fail */
} machine[] = {
    { TRANSFER_REQUESTED, TRANSFER_SHIP, "it still claims units", guard_claims_something, TRANSFER_SHIPPED, "what it claims leaves", effect_send },
    { TRANSFER_REQUESTED, TRANSFER_CANCEL, NULL, NULL, TRANSFER_CANCELLED, "its units become available", effect_give_back },
    { TRANSFER_SHIPPED, TRANSFER_RECEIVE, "there is room", guard_has_room, TRANSFER_RECEIVED, "what came becomes available", effect_take_in },
    { TRANSFER_RECEIVED, TRANSFER_RECEIVE, "there is room", guard_has_room, TRANSFER_RECEIVED, "what came later becomes available", effect_take_in },
    { TRANSFER_RECEIVED, TRANSFER_SETTLE, "units are missing", guard_misses_something, TRANSFER_RECEIVED, "they are given up", effect_settle },
};
static const char *const event_names[TRANSFER_EVENT_COUNT] = { "ship", "receive", "settle", "cancel" };

void transfer_machine_print(FILE *out)
{
    fputs("| from | event | guard | to | effect |\n| --- | --- | --- | --- | --- |\n", out);
    for (size_t i = 0; i < COUNT(machine); i++)
        fprintf(out, "| %s | %s | %s | %s | %s |\n", transfer_states[machine[i].from - 1], event_names[machine[i].event],
                machine[i].guard_name == NULL ? "" : machine[i].guard_name, transfer_states[machine[i].to - 1], machine[i].effect_name);
}

int64_t transfer_tell(struct transfer *transfer)
{
    struct event_row event = event_of(EVENT_TRANSFER_CHANGED, SUBJECT_TRANSFER, transfer->row->id);
    struct json_writer json;
    json_begin(&json, ws_arena(transfer->ws));
    transfer_write(transfer, &json);
    event.data = json.out.at;
    return ws_event(transfer->ws, event);
}

int64_t transfer_move(struct transfer *transfer, enum transfer_event event, struct faults *faults)
{
    const enum transfer_state from = (enum transfer_state)transfer->row->state;
    size_t i = 0;
    while (i < COUNT(machine) && (machine[i].from != from || machine[i].event != event))
        i++;
    if (i == COUNT(machine)) {
        fault_add(faults, FAULT_STATE_CONFLICT, NULL, "it is %s: %s is not possible", transfer_states[from - 1], event_names[event]);
        return 0;
    }
    if (machine[i].guard != NULL && !machine[i].guard(transfer, faults))
        return 0;
    machine[i].effect(transfer);
    struct transfer_row *row = ws_edit(transfer->ws, transfer->row);
    row->state = machine[i].to;
    row->version++;
    int64_t seq = transfer_tell(transfer);
    if (row->state == TRANSFER_RECEIVED)
        judge_missing(transfer);
    return seq;
}

/* ---- as the API shows it ---- */

#define AT(type, member) offsetof(struct type, member)

struct line_io {
    struct field_presence presence;
    const char *sku;
    int64_t quantity, claimed, shipped, received, missing;
};
static const struct field line_rows[] = {
    { "sku", FIELD_CODE, AT(line_io, sku), .required = true, .read_only = true },
    { "quantity", FIELD_INT, AT(line_io, quantity), .required = true, .read_only = true, .doc = "units asked for; 0: it came unasked" },
    { "claimed", FIELD_INT, AT(line_io, claimed), .required = true, .read_only = true,
      .doc = "units kept for it until it ships: a fact may take some" },
    { "shipped", FIELD_INT, AT(line_io, shipped), .required = true, .read_only = true, .doc = "units that left" },
    { "received", FIELD_INT, AT(line_io, received), .required = true, .read_only = true, .doc = "units that came, perhaps more" },
    { "missing", FIELD_INT, AT(line_io, missing), .required = true, .read_only = true,
      .doc = "once it is received: units that left and did not come" },
};
static const struct field_table line_fields = { "TransferUnits", line_rows, COUNT(line_rows), sizeof(struct line_io) };

struct transfer_io {
    struct field_presence presence;
    const char *id, *from, *to, *settled;
    int64_t state, version, requested_at, shipped_at, received_at;
    struct field_list lines;
};
static const struct field rows[] = {
    { "id", FIELD_TEXT, AT(transfer_io, id), .required = true, .read_only = true },
    { "state", FIELD_ENUM, AT(transfer_io, state), .required = true, .read_only = true, .names = transfer_states },
    { "version", FIELD_INT, AT(transfer_io, version), .required = true, .read_only = true, .doc = "its ETag" },
    { "from", FIELD_CODE, AT(transfer_io, from), .required = true, .read_only = true, .doc = "the node that ships" },
    { "to", FIELD_CODE, AT(transfer_io, to), .required = true, .read_only = true, .doc = "the node that receives" },
    { "lines", FIELD_LIST, AT(transfer_io, lines), .required = true, .read_only = true, .of = &line_fields },
    { "requested_at", FIELD_TIME, AT(transfer_io, requested_at), .required = true, .read_only = true },
    { "shipped_at", FIELD_TIME, AT(transfer_io, shipped_at), .read_only = true, .hide_absent = true },
    { "received_at", FIELD_TIME, AT(transfer_io, received_at), .read_only = true, .hide_absent = true, .doc = "first" },
    { "settled", FIELD_TEXT, AT(transfer_io, settled), .read_only = true, .hide_absent = true, .doc = "why what is missing was given up" },
};
const struct field_table transfer_fields = { "Transfer", rows, COUNT(rows), sizeof(struct transfer_io) };

static const char *node_code(const struct transfer *transfer, int64_t node)
{
    return ((const struct node_row *)ws_get(transfer->ws, &node_table, WS_KEY(ws_unit(transfer->ws), node)))->code;
}

void transfer_write(const struct transfer *transfer, struct json_writer *json)
{
    const struct transfer_row *row = transfer->row;
    struct line_io *lines = ARENA_ARRAY(ws_arena(transfer->ws), struct line_io, transfer->line_count + 1);
    for (size_t i = 0; i < transfer->line_count; i++) {
        const struct transfer_line_row *line = transfer->lines[i];
        const struct sku_row *sku = ws_get(transfer->ws, &sku_table, WS_KEY(row->unit, line->sku));
        lines[i] = (struct line_io){ .sku = sku->code,
                                     .quantity = line->quantity,
                                     .claimed = row->state == TRANSFER_REQUESTED ? claimed_of(transfer, line) : 0,
                                     .shipped = line->shipped,
                                     .received = line->received,
                                     .missing = row->state == TRANSFER_RECEIVED ? transfer_missing(line) : 0 };
    }
    struct transfer_io out = { .id = id_text(ws_arena(transfer->ws), "trf", row->unit, row->id),
                               .from = node_code(transfer, row->from_node),
                               .to = node_code(transfer, row->to_node),
                               .settled = row->settled,
                               .state = row->state - 1,
                               .version = row->version,
                               .requested_at = row->requested_at,
                               .shipped_at = row->shipped_at,
                               .received_at = row->received_at,
                               .lines = { lines, transfer->line_count } };
    if (row->shipped_at != NULL_INT)
        field_set(&transfer_fields, &out, "shipped_at");
    if (row->received_at != NULL_INT)
        field_set(&transfer_fields, &out, "received_at");
    if (row->settled != NULL)
        field_set(&transfer_fields, &out, "settled");
    fields_write(json, &transfer_fields, &out);
}
