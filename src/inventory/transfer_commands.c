/* src/inventory/transfer_commands.c: POST /v1/transfers and what becomes of one. */
#include "base/id.h"
#include "inventory/transfers.h"
#include <assert.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)

struct transfer_line_io {
    struct field_presence presence;
    const char *sku;
    int64_t quantity;
};
struct request_io {
    struct field_presence presence;
    const char *from, *to;
    struct field_list lines;
};
static const struct field line_rows[] = {
    { "sku", FIELD_CODE, AT(transfer_line_io, sku), .required = true, .doc = "one that holds stock, each once" },
    { "quantity", FIELD_INT, AT(transfer_line_io, quantity), .required = true, .min = 1, .max = 1000000 },
};
static const struct field_table line_fields = { "TransferLine", line_rows, COUNT(line_rows), sizeof(struct transfer_line_io) };
static const struct field request_rows[] = {
    { "from", FIELD_CODE, AT(request_io, from), .required = true, .doc = "the node that ships" },
    { "to", FIELD_CODE, AT(request_io, to), .required = true, .doc = "the node that receives, of the same unit" },
    { "lines", FIELD_LIST, AT(request_io, lines), .required = true, .min = 1, .max = ORDER_LINES_MAX, .of = &line_fields },
};
static const struct field_table request_fields = { "TransferIn", request_rows, COUNT(request_rows), sizeof(struct request_io) };

static const struct field came_rows[] = {
    { "sku", FIELD_CODE, AT(transfer_line_io, sku), .required = true, .doc = "also one that was not asked for" },
    { "quantity", FIELD_INT, AT(transfer_line_io, quantity), .required = true, .min = 0, .max = QUANTITY_MAX,
      .doc = "units that came, short or over" },
};
static const struct field_table came_fields = { "TransferArrival", came_rows, COUNT(came_rows), sizeof(struct transfer_line_io) };
struct receive_io {
    struct field_presence presence;
    struct field_list lines;
};
static const struct field receive_rows[] = {
    { "lines", FIELD_LIST, AT(receive_io, lines), .required = true, .max = ORDER_LINES_MAX, .of = &came_fields,
      .doc = "what came: of a SKU that is left out, nothing" },
};
static const struct field_table receive_fields = { "TransferReceipt", receive_rows, COUNT(receive_rows), sizeof(struct receive_io) };

struct settle_io {
    struct field_presence presence;
    const char *reason;
};
static const struct field settle_rows[] = {
    { "reason", FIELD_TEXT, AT(settle_io, reason), .required = true, .min = 1, .max = 256, .doc = "why what is missing is given up" },
};
static const struct field_table settle_fields = { "TransferSettlement", settle_rows, COUNT(settle_rows), sizeof(struct settle_io) };

/* ---- what is named ---- */

static const char *pointer_of(struct command *command, size_t line, const char *member)
{
    return arena_printf(command->arena, "/lines/%zu/%s", line, member);
}

/* The unit is that of the node that ships: a node of another is none to it. NULL with a fault, or where it could not be read. */
static const struct node_row *find_node(struct ws *ws, struct command *command, const char *code, const char *pointer)
{
    const struct node_row *node = code == NULL ? NULL : ws_find(ws, &node_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(code)));
    if (node != NULL && node->owner == ws_unit(ws))
        return node;
    if (code != NULL)
        fault_add(&command->faults, FAULT_NODE_UNKNOWN, pointer, "there is no node %s in this unit", code);
    return NULL;
}

/* NULL with a fault. */
static const struct sku_row *find_sku(struct ws *ws, struct command *command, const char *code, size_t line)
{
    const struct sku_row *sku = ws_find(ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(code)));
    if (sku == NULL)
        fault_add(&command->faults, FAULT_SKU_UNKNOWN, pointer_of(command, line, "sku"), "there is no SKU %s", code);
    else if (sku->bundle)
        fault_add(&command->faults, FAULT_HOLDS_NO_STOCK, pointer_of(command, line, "sku"), "%s is a bundle: name its components", code);
    return sku == NULL || sku->bundle ? NULL : sku;
}

static void want_skus(struct ws *ws, const struct field_list *list)
{
    const struct transfer_line_io *lines = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (lines[i].sku != NULL)
            ws_want_path(ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(lines[i].sku)), 0);
}

/* The SKUs of the lines, with a fault for each that is none or was named before; NULL where it could not be read. */
static const struct sku_row **find_lines(struct ws *ws, struct command *command, const struct field_list *list)
{
    const struct transfer_line_io *lines = list->items;
    const struct sku_row **skus = ARENA_ARRAY(ws_arena(ws), const struct sku_row *, list->count + 1);
    want_skus(ws, list);
    ws_settle(ws);
    for (size_t i = 0; i < list->count; i++)
        skus[i] = lines[i].sku == NULL ? NULL : find_sku(ws, command, lines[i].sku, i);
    return skus;
}

static void want_positions(struct ws *ws, const struct sku_row **skus, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert(skus[i] != NULL); /* the form is good: each was named, and is there */
        ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(ws_unit(ws)), db_int(skus[i]->id)), 0);
    }
    ws_settle(ws);
}

/* ---- request ---- */

static bool create_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    const struct request_io *in = command->input;
    const struct transfer_line_io *lines = in->lines.items;
    command->of_node = in->from;
    if (in->from != NULL && in->to != NULL && strcmp(in->from, in->to) == 0)
        fault_add(faults, FAULT_INVALID, "/to", "goods go to another node than they come from");
    for (size_t i = 1; i < in->lines.count; i++)
        for (size_t k = 0; k < i && lines[i].sku != NULL; k++)
            if (lines[k].sku != NULL && strcmp(lines[k].sku, lines[i].sku) == 0) {
                fault_add(faults, FAULT_INVALID, pointer_of(command, i, "sku"), "line %zu names it too: add their quantities", k);
                break;
            }
    return faults->count == 0;
}

static void create_look_up(struct ws *ws, struct command *command)
{
    const struct request_io *in = command->input;
    (void)find_node(ws, command, in->from, "/from");
    (void)find_node(ws, command, in->to, "/to");
    (void)find_lines(ws, command, &in->lines);
}

static void create_prefetch(struct ws *ws, const struct command *command)
{
    const struct request_io *in = command->input;
    const struct transfer_line_io *lines = in->lines.items;
    const int64_t unit = ws_unit(ws);
    ws_want_path(ws, &node_by_code, WS_PREFIX(db_int(unit), db_text(in->from)), 0);
    ws_want_path(ws, &node_by_code, WS_PREFIX(db_int(unit), db_text(in->to)), 0);
    want_skus(ws, &in->lines);
    for (size_t i = 0; i < in->lines.count; i++) {
        const struct sku_row *sku = ws_known(ws, &sku_by_code, WS_PREFIX(db_int(unit), db_text(lines[i].sku)));
        if (sku != NULL) /* the second round knows it */
            ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(unit), db_int(sku->id)), 0);
    }
}

/* A choice: only what nobody claims, and where a job fills a queue that is its. */
static void refuse_shortage(struct ws *ws, struct command *command, const struct node_row *from, const struct sku_row **skus)
{
    const struct request_io *in = command->input;
    const struct transfer_line_io *lines = in->lines.items;
    for (size_t i = 0; i < in->lines.count && command->faults.count == 0; i++) {
        const struct position_row *position = position_find(ws, from->id, skus[i]->id, 0);
        int64_t free = position == NULL || position->blocked != 0 ? 0 : position->available;
        if (free < lines[i].quantity)
            fault_add(&command->faults, FAULT_SHORTAGE, pointer_of(command, i, "quantity"), "asked %ld, %s has %ld of %s available",
                      (long)lines[i].quantity, from->code, (long)free, lines[i].sku);
    }
}

static void answer(struct transfer *transfer, struct command *command, int status)
{
    struct json_writer json;
    if (!answer_begin(command, status, transfer->row->version, &json))
        return;
    transfer_write(transfer, &json);
    answer_end(command, &json);
}

static void create_decide(struct ws *ws, struct command *command)
{
    const struct request_io *in = command->input;
    const struct transfer_line_io *lines = in->lines.items;
    const struct node_row *from = find_node(ws, command, in->from, "/from"), *to = find_node(ws, command, in->to, "/to");
    const struct sku_row **skus = find_lines(ws, command, &in->lines);
    if (command->faults.count > 0)
        return;
    assert(from != NULL && to != NULL);
    want_positions(ws, skus, in->lines.count);
    refuse_shortage(ws, command, from, skus);
    if (command->faults.count > 0)
        return;
    struct transfer_row row = { .unit = ws_unit(ws),
                                .id = ws_next_id(ws),
                                .from_node = from->id,
                                .to_node = to->id,
                                .state = TRANSFER_REQUESTED,
                                .version = 1,
                                .requested_at = ws_now_us(ws),
                                .shipped_at = NULL_INT,
                                .received_at = NULL_INT };
    ws_insert(ws, &transfer_table, &row);
    ws_fresh(ws, &line_of_transfer, WS_PREFIX(db_int(row.unit), db_int(row.id)));
    for (size_t i = 0; i < in->lines.count; i++) {
        struct transfer_line_row line = {
            .unit = row.unit, .transfer = row.id, .line = (int64_t)i + 1, .sku = skus[i]->id, .quantity = lines[i].quantity
        };
        ws_insert(ws, &transfer_line_table, &line);
    }
    struct transfer transfer;
    (void)transfer_open(ws, row.id, &transfer); /* it was just made */
    transfer_claim(&transfer);
    command->event_seq = transfer_tell(&transfer);
    answer(&transfer, command, 201);
}

/* ---- what becomes of it ---- */

static bool edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    return command_names(command, request, "trf", "transfer", faults);
}

static void prefetch(struct ws *ws, const struct command *command)
{
    const int64_t unit = ws_unit(ws), id = command_id(command, "trf");
    ws_want(ws, &transfer_table, WS_KEY(unit, id));
    ws_want_path(ws, &line_of_transfer, WS_PREFIX(db_int(unit), db_int(id)), 0);
    ws_want_path(ws, &claim_of_holder, WS_PREFIX(db_int(unit), db_int(id)), 0);
}

static bool open_for(struct ws *ws, struct command *command, struct transfer *transfer)
{
    if (!transfer_open(ws, command_id(command, "trf"), transfer))
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no transfer %s", command->path[0]);
    else if (!if_match_holds(command->if_match, transfer->row->version) || !if_none_match_holds(command->if_none_match, transfer->row->version))
        fault_add(&command->faults, FAULT_PRECONDITION_FAILED, NULL, "it is at version %ld", (long)transfer->row->version);
    return command->faults.count == 0;
}

static void move(struct transfer *transfer, struct command *command, enum transfer_event event)
{
    command->event_seq = transfer_move(transfer, event, &command->faults);
    if (command->event_seq != 0)
        answer(transfer, command, 200);
}

static void ship_decide(struct ws *ws, struct command *command)
{
    struct transfer transfer;
    if (open_for(ws, command, &transfer))
        move(&transfer, command, TRANSFER_SHIP);
}

static void cancel_decide(struct ws *ws, struct command *command)
{
    struct transfer transfer;
    if (open_for(ws, command, &transfer))
        move(&transfer, command, TRANSFER_CANCEL);
}

static void settle_decide(struct ws *ws, struct command *command)
{
    struct transfer transfer;
    if (!open_for(ws, command, &transfer))
        return;
    transfer.settled = ((const struct settle_io *)command->input)->reason;
    move(&transfer, command, TRANSFER_SETTLE);
}

/* A SKU that is named twice came on two pallets. */
static void note_arrivals(struct transfer *transfer, struct command *command, const struct sku_row **skus)
{
    const struct receive_io *in = command->input;
    const struct transfer_line_io *lines = in->lines.items;
    struct arrival *arrivals = ARENA_ARRAY(ws_arena(transfer->ws), struct arrival, in->lines.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < in->lines.count; i++) {
        size_t at = 0;
        while (at < count && arrivals[at].sku != skus[i]->id)
            at++;
        if (at == count)
            arrivals[count++] = (struct arrival){ .sku = skus[i]->id, .pointer = pointer_of(command, i, "quantity") };
        arrivals[at].quantity = min_i64(arrivals[at].quantity + lines[i].quantity, QUANTITY_MAX);
    }
    transfer->arrivals = arrivals;
    transfer->arrival_count = count;
}

static void receive_look_up(struct ws *ws, struct command *command)
{
    (void)find_lines(ws, command, &((const struct receive_io *)command->input)->lines);
}

static void receive_decide(struct ws *ws, struct command *command)
{
    const struct receive_io *in = command->input;
    struct transfer transfer;
    if (!open_for(ws, command, &transfer))
        return;
    const struct sku_row **skus = find_lines(ws, command, &in->lines);
    if (command->faults.count > 0)
        return;
    want_positions(ws, skus, in->lines.count);
    note_arrivals(&transfer, command, skus);
    move(&transfer, command, TRANSFER_RECEIVE);
}

#define TRANSFER_COMMAND(NAME, TEXT, INPUT, LOOK_UP, DECIDE, INVERSE) \
    const struct command_type NAME = {                                \
        .name = TEXT,                                                 \
        .input = INPUT,                                               \
        .mode = FIELDS_POST,                                          \
        .queue = QUEUE_PEOPLE,                                        \
        .edge = edge,                                                 \
        .prefetch = prefetch,                                         \
        .look_up = LOOK_UP,                                           \
        .decide = DECIDE,                                             \
        .again = event_again,                                         \
        .inverse = INVERSE,                                           \
    }
const struct command_type transfer_create = { .name = "transfer.create",
                                              .input = &request_fields,
                                              .mode = FIELDS_POST,
                                              .queue = QUEUE_PEOPLE,
                                              .edge = create_edge,
                                              .prefetch = create_prefetch,
                                              .look_up = create_look_up,
                                              .decide = create_decide,
                                              .again = event_again,
                                              .inverse = "transfer.cancel" };
TRANSFER_COMMAND(transfer_ship, "transfer.ship", NULL, NULL, ship_decide, "none: what has left comes back by another transfer");
TRANSFER_COMMAND(transfer_receive, "transfer.receive", &receive_fields, receive_look_up, receive_decide, "none: a fact");
TRANSFER_COMMAND(transfer_settle, "transfer.settle", &settle_fields, NULL, settle_decide, "transfer.receive: what is found after all");
TRANSFER_COMMAND(transfer_cancel, "transfer.cancel", NULL, NULL, cancel_decide, "transfer.create: the same once more");
