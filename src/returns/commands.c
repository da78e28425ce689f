/* src/returns/commands.c: POST /v1/returns and what becomes of one. */
#include "base/id.h"
#include "inventory/inspections.h"
#include "orders/orders.h"
#include "returns/returns.h"
#include <assert.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
#define LINES_MAX 200 /* of a return: 10 rows each */

/* ---- what is asked ---- */

struct line_io {
    struct field_presence presence;
    const char *sku, *class;
    int64_t line, quantity, disposition;
};
static const struct field announced_rows[] = {
    { "line", FIELD_INT, AT(line_io, line), .required = true, .min = 1, .max = ORDER_LINES_MAX, .doc = "of the order" },
    { "sku", FIELD_CODE, AT(line_io, sku), .doc = "where the line is a bundle: which component" },
    { "quantity", FIELD_INT, AT(line_io, quantity), .required = true, .min = 1, .max = 1000000 },
};
static const struct field_table announced_fields = { "ReturnLineIn", announced_rows, COUNT(announced_rows), sizeof(struct line_io) };
static const struct field came_rows[] = {
    { "line", FIELD_INT, AT(line_io, line), .either = 1, .min = 1, .max = 1000000, .doc = "of the return" },
    { "sku", FIELD_CODE, AT(line_io, sku), .either = 1, .doc = "what nobody expected" },
    { "quantity", FIELD_INT, AT(line_io, quantity), .required = true, .min = 0, .max = QUANTITY_MAX, .doc = "units that came, short or over" },
};
static const struct field_table came_fields = { "ReturnArrival", came_rows, COUNT(came_rows), sizeof(struct line_io) };
static const struct field inspected_rows[] = {
    { "line", FIELD_INT, AT(line_io, line), .required = true, .min = 1, .max = 1000000, .doc = "of the return" },
    { "disposition", FIELD_ENUM, AT(line_io, disposition), .required = true, .names = disposition_names,
      .doc = "refurbish: they stay in quarantine until they are inspected again" },
    { "quantity", FIELD_INT, AT(line_io, quantity), .required = true, .min = 1, .max = QUANTITY_MAX },
    { "class", FIELD_CODE, AT(line_io, class), .hide_absent = true, .doc = "of restock_as: the class that they are from now on" },
};
static const struct field_table inspected_fields = { "ReturnInspectionLine", inspected_rows, COUNT(inspected_rows), sizeof(struct line_io) };

struct asked {
    struct field_presence presence;
    const char *order, *node, *reason, *document;
    struct field_list lines;
};
#define DOCUMENT                                                                                                                             \
    {                                                                                                                                        \
        "document", FIELD_CODE, AT(asked, document), .hide_absent = true, .doc = "a paper of theirs; natural key: the same one is told once" \
    }
static const struct field announce_rows[] = {
    { "order", FIELD_TEXT, AT(asked, order), .required = true, .max = 40, .doc = "the id of the order" },
    { "node", FIELD_CODE, AT(asked, node), .required = true, .doc = "where it comes to, of the order's unit" },
    { "reason", FIELD_TEXT, AT(asked, reason), .min = 1, .max = 256, .hide_absent = true, .doc = "why they come back" },
    { "lines", FIELD_LIST, AT(asked, lines), .required = true, .min = 1, .max = LINES_MAX, .of = &announced_fields },
    DOCUMENT,
};
static const struct field receive_rows[] = {
    { "lines", FIELD_LIST, AT(asked, lines), .required = true, .min = 1, .max = LINES_MAX, .of = &came_fields,
      .doc = "what came: what is left out did not come as yet" },
    DOCUMENT,
};
static const struct field inspect_rows[] = {
    { "lines", FIELD_LIST, AT(asked, lines), .required = true, .min = 1, .max = LINES_MAX, .of = &inspected_fields },
    DOCUMENT,
};
static const struct field_table announce_fields = { "ReturnIn", announce_rows, COUNT(announce_rows), sizeof(struct asked) },
                                receive_fields = { "ReturnReceipt", receive_rows, COUNT(receive_rows), sizeof(struct asked) },
                                inspect_fields = { "ReturnInspection", inspect_rows, COUNT(inspect_rows), sizeof(struct asked) };

static const char *pointer_of(struct command *command, size_t line, const char *member)
{
    return arena_printf(command->arena, "/lines/%zu/%s", line, member);
}

static void answer(struct goods_return *back, struct command *command, int status)
{
    struct json_writer json;
    if (!answer_begin(command, status, back->row->version, &json))
        return;
    return_write(back, &json);
    answer_end(command, &json);
}

/* ---- papers: what is told by one is told once ---- */

enum paper { PAPER_ANNOUNCED = 1, PAPER_RECEIVED, PAPER_INSPECTED };

/* Told by it before: it is answered as it was then. */
static bool known_paper(struct ws *ws, struct command *command, int64_t id, enum paper kind)
{
    const char *document = ((const struct asked *)command->input)->document;
    const struct return_document_row *row;
    if (document == NULL)
        return false;
    struct ws_cursor cursor = ws_scan(ws, &document_of_return, WS_PREFIX(db_int(ws_unit(ws)), db_int(id)), 0);
    while ((row = ws_next(ws, &cursor)) != NULL && ((enum paper)row->kind != kind || strcmp(row->document, document) != 0))
        continue;
    if (row == NULL)
        return false;
    command->existing = true;
    command->event_seq = row->event_seq;
    command->answer.status = 200;
    event_again(ws, command, row->event_seq);
    return true;
}

static void note_paper(struct ws *ws, const struct command *command, int64_t id, enum paper kind)
{
    const char *document = ((const struct asked *)command->input)->document;
    const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(id) };
    if (document == NULL || command->event_seq == 0)
        return;
    ws_insert(ws, &return_document_table,
              &(struct return_document_row){ .unit = ws_unit(ws),
                                             .goods_return = id,
                                             .number = (int64_t)ws_count(ws, &document_of_return, prefix) + 1,
                                             .kind = kind,
                                             .document = document,
                                             .event_seq = command->event_seq });
}

/* ---- announce ---- */

/* A line that may come back: of an order's line and SKU. */
struct announced {
    int64_t line, sku, shipped, quantity;
};
struct announcement {
    struct ws *ws;
    struct command *command;
    const struct asked *in;
    const struct node_row *node;
    struct order order;
    struct announced *lines;
    size_t count;
};

static bool announce_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    const struct asked *in = command->input;
    int64_t unit, id;
    if (in->order != NULL && !id_parse(in->order, strlen(in->order), "ord", &unit, &id))
        fault_add(faults, FAULT_INVALID, "/order", "%s is no id of an order", in->order);
    else if (in->order != NULL)
        command->unit = unit;
    return faults->count == 0;
}

/* The units of a SKU that the line has shipped; -1: it needs no such SKU, -2: it needs several, and none was named. */
static int64_t shipped_of(const struct order *order, int64_t line, const struct sku_row *named, int64_t *sku)
{
    int64_t shipped = -1;
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct demand_row *demand = order->demands[i];
        if (demand->line != line || demand->sku == 0 || (named != NULL && demand->sku != named->id))
            continue;
        if (named == NULL && shipped >= 0)
            return -2;
        *sku = demand->sku;
        shipped = max_i64(0, shipped) + demand->shipped;
    }
    return shipped;
}

static void find_line(struct announcement *a, size_t i)
{
    const struct line_io *in = &((const struct line_io *)a->in->lines.items)[i];
    const struct sku_row *named = goods_sku(a->ws, &a->command->faults, in->sku, pointer_of(a->command, i, "sku"));
    struct announced *line = &a->lines[a->count];
    if ((in->sku != NULL && named == NULL) || in->line == 0)
        return;
    *line = (struct announced){ .line = in->line, .quantity = in->quantity };
    line->shipped = shipped_of(&a->order, in->line, named, &line->sku);
    if (line->shipped == -2)
        fault_add(&a->command->faults, FAULT_REQUIRED, pointer_of(a->command, i, "sku"), "line %ld is a bundle: say which component", (long)in->line);
    else if (line->shipped < 0)
        fault_add(&a->command->faults, FAULT_LINE_UNKNOWN, pointer_of(a->command, i, "line"), "the order has no line %ld with that SKU",
                  (long)in->line);
    for (size_t k = 0; k < a->count && line->shipped >= 0; k++)
        if (a->lines[k].line == line->line && a->lines[k].sku == line->sku)
            fault_add(&a->command->faults, FAULT_INVALID, pointer_of(a->command, i, "line"), "line %zu names it too: add their quantities", k);
    a->count++;
}

static bool resolve(struct announcement *a)
{
    struct ws *ws = a->ws;
    const int64_t unit = ws_unit(ws);
    int64_t of, id = 0;
    a->node = a->in->node == NULL ? NULL : ws_find(ws, &node_by_code, WS_PREFIX(db_int(unit), db_text(a->in->node)));
    if (a->in->node != NULL && (a->node == NULL || a->node->owner != unit))
        fault_add(&a->command->faults, FAULT_NODE_UNKNOWN, "/node", "there is no node %s in this unit", a->in->node);
    const bool named = a->in->order != NULL && id_parse(a->in->order, strlen(a->in->order), "ord", &of, &id);
    if (named && !order_open(ws, id, &a->order)) {
        fault_add(&a->command->faults, FAULT_INVALID, "/order", "there is no order %s", a->in->order);
        return false;
    }
    a->lines = ARENA_ARRAY(ws_arena(ws), struct announced, a->in->lines.count + 1);
    for (size_t i = 0; named && i < a->in->lines.count; i++)
        find_line(a, i);
    return a->command->faults.count == 0;
}

/* What other returns of the order have brought back of it, or still expect. */
static int64_t back_already(struct announcement *a, const struct announced *line)
{
    const struct goods_return_row *other;
    int64_t units = 0;
    for (struct ws_cursor cursor = ws_scan(a->ws, &return_of_order, WS_PREFIX(db_int(ws_unit(a->ws)), db_int(a->order.row->id)), 0);
         (other = ws_next(a->ws, &cursor)) != NULL;) {
        const struct return_line_row *of;
        for (struct ws_cursor lines = ws_scan(a->ws, &line_of_return, WS_PREFIX(db_int(other->unit), db_int(other->id)), 0);
             (of = ws_next(a->ws, &lines)) != NULL;)
            if (of->ord_line == line->line && of->sku == line->sku)
                units += max_i64(of->expected, of->received);
    }
    return units;
}

/* The order has a return that this paper announced. */
static bool is_announced(struct announcement *a)
{
    const struct goods_return_row *other;
    if (a->in->document == NULL)
        return false;
    for (struct ws_cursor cursor = ws_scan(a->ws, &return_of_order, WS_PREFIX(db_int(ws_unit(a->ws)), db_int(a->order.row->id)), 0);
         (other = ws_next(a->ws, &cursor)) != NULL;)
        if (known_paper(a->ws, a->command, other->id, PAPER_ANNOUNCED))
            return true;
    return false;
}

static void announce_decide(struct ws *ws, struct command *command)
{
    struct announcement a = { .ws = ws, .command = command, .in = command->input };
    if (!resolve(&a))
        return;
    assert(a.node != NULL && a.order.row != NULL);
    if (is_announced(&a))
        return;
    for (size_t i = 0; i < a.count && command->faults.count == 0; i++) {
        const int64_t may = a.lines[i].shipped - back_already(&a, &a.lines[i]);
        if (a.lines[i].quantity > may)
            fault_add(&command->faults, FAULT_STATE_CONFLICT, pointer_of(command, i, "quantity"), "%ld were shipped and have not come back, not %ld",
                      (long)max_i64(0, may), (long)a.lines[i].quantity);
    }
    if (command->faults.count > 0)
        return;
    struct goods_return_row row = { .unit = ws_unit(ws),
                                    .id = ws_next_id(ws),
                                    .ord = a.order.row->id,
                                    .node = a.node->id,
                                    .state = RETURN_EXPECTED,
                                    .version = 1,
                                    .reason = a.in->reason,
                                    .announced_at = ws_now_us(ws) };
    ws_insert(ws, &goods_return_table, &row);
    ws_fresh(ws, &line_of_return, WS_PREFIX(db_int(row.unit), db_int(row.id)));
    ws_fresh(ws, &receipt_of_return, WS_PREFIX(db_int(row.unit), db_int(row.id)));
    ws_fresh(ws, &document_of_return, WS_PREFIX(db_int(row.unit), db_int(row.id)));
    ws_fresh(ws, &outcome_of_return, WS_PREFIX(db_int(row.unit), db_int(row.id)));
    for (size_t i = 0; i < a.count; i++) {
        struct return_line_row line = { .unit = row.unit,
                                        .goods_return = row.id,
                                        .line = (int64_t)i + 1,
                                        .ord_line = a.lines[i].line,
                                        .sku = a.lines[i].sku,
                                        .asked = a.lines[i].quantity,
                                        .expected = a.lines[i].quantity };
        ws_insert(ws, &return_line_table, &line);
    }
    struct goods_return back;
    (void)return_open(ws, row.id, &back); /* it was just made */
    command->event_seq = return_tell(&back);
    note_paper(ws, command, row.id, PAPER_ANNOUNCED);
    answer(&back, command, 201);
}

static void announce_look_up(struct ws *ws, struct command *command)
{
    struct announcement a = { .ws = ws, .command = command, .in = command->input };
    (void)resolve(&a);
}

/* ---- what becomes of it ---- */

static bool edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    return command_names(command, request, "rtn", "return", faults);
}

/* A class where they are restocked as one, and only there. */
static bool inspect_edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    const struct asked *in = command->input;
    const struct line_io *lines = in->lines.items;
    const bool is_read = faults->count == 0;
    for (size_t i = 0; is_read && i < in->lines.count; i++)
        if ((lines[i].disposition == RESTOCK_AS) != (lines[i].class != NULL))
            fault_add(faults, FAULT_INVALID, pointer_of(command, i, "class"), "restock_as says a class, and nothing else does");
    return edge(at, request, command, faults) && faults->count == 0;
}

static void prefetch(struct ws *ws, const struct command *command)
{
    const int64_t unit = ws_unit(ws), id = command_id(command, "rtn");
    ws_want(ws, &goods_return_table, WS_KEY(unit, id));
    ws_want_path(ws, &line_of_return, WS_PREFIX(db_int(unit), db_int(id)), 0);
}

static bool open_for(struct ws *ws, struct command *command, struct goods_return *back)
{
    if (!return_open(ws, command_id(command, "rtn"), back))
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no return %s", command->path[0]);
    else if (!if_match_holds(command->if_match, back->row->version) || !if_none_match_holds(command->if_none_match, back->row->version))
        fault_add(&command->faults, FAULT_PRECONDITION_FAILED, NULL, "it is at version %ld", (long)back->row->version);
    return command->faults.count == 0;
}

static bool has_line(const struct goods_return *back, int64_t line)
{
    return line >= 1 && line <= (int64_t)back->line_count;
}

static bool find_parts(struct goods_return *back, struct command *command, bool inspects)
{
    const struct asked *in = command->input;
    const struct line_io *lines = in->lines.items;
    struct return_part *parts = ARENA_ARRAY(ws_arena(back->ws), struct return_part, in->lines.count + 1);
    for (size_t i = 0; i < in->lines.count; i++) {
        const bool by_line = field_came(inspects ? &inspected_fields : &came_fields, &lines[i], "line");
        const struct sku_row *sku = inspects ? NULL : goods_sku(back->ws, &command->faults, lines[i].sku, pointer_of(command, i, "sku"));
        parts[i] = (struct return_part){ .line = by_line ? lines[i].line : 0,
                                         .sku = sku == NULL ? 0 : sku->id,
                                         .quantity = lines[i].quantity,
                                         .disposition = lines[i].disposition,
                                         .class = class_named(back->ws, &command->faults, lines[i].class, pointer_of(command, i, "class")),
                                         .pointer = pointer_of(command, i, "quantity") };
        if (by_line && !has_line(back, lines[i].line))
            fault_add(&command->faults, FAULT_LINE_UNKNOWN, pointer_of(command, i, "line"), "the return has no line %ld", (long)lines[i].line);
        if (sku != NULL)
            ws_want_path(back->ws, &position_of_sku, WS_PREFIX(db_int(ws_unit(back->ws)), db_int(sku->id)), 0);
    }
    ws_settle(back->ws);
    back->parts = parts;
    back->part_count = in->lines.count;
    back->document = in->document;
    return command->faults.count == 0;
}

static void move(struct goods_return *back, struct command *command, enum return_event event)
{
    command->event_seq = return_move(back, event, &command->faults);
    if (command->event_seq != 0)
        answer(back, command, 200);
}

static void receive_decide(struct ws *ws, struct command *command)
{
    struct goods_return back;
    if (!open_for(ws, command, &back) || !find_parts(&back, command, false) || known_paper(ws, command, back.row->id, PAPER_RECEIVED))
        return;
    move(&back, command, RETURN_RECEIVE);
    note_paper(ws, command, back.row->id, PAPER_RECEIVED);
}

static void inspect_decide(struct ws *ws, struct command *command)
{
    struct goods_return back;
    if (!open_for(ws, command, &back) || !find_parts(&back, command, true) || known_paper(ws, command, back.row->id, PAPER_INSPECTED))
        return;
    move(&back, command, RETURN_INSPECT);
    note_paper(ws, command, back.row->id, PAPER_INSPECTED);
}

static void cancel_decide(struct ws *ws, struct command *command)
{
    struct goods_return back;
    if (open_for(ws, command, &back))
        move(&back, command, RETURN_CANCEL);
}

#define RETURN_COMMAND(NAME, TEXT, INPUT, EDGE, PREFETCH, LOOK_UP, DECIDE, INVERSE) \
    const struct command_type NAME = {                                              \
        .name = TEXT,                                                               \
        .input = INPUT,                                                             \
        .mode = FIELDS_POST,                                                        \
        .queue = QUEUE_PEOPLE,                                                      \
        .edge = EDGE,                                                               \
        .prefetch = PREFETCH,                                                       \
        .look_up = LOOK_UP,                                                         \
        .decide = DECIDE,                                                           \
        .again = event_again,                                                       \
        .inverse = INVERSE,                                                         \
    }
RETURN_COMMAND(return_announce, "return.announce", &announce_fields, announce_edge, NULL, announce_look_up, announce_decide, "return.cancel");
RETURN_COMMAND(return_receive, "return.receive", &receive_fields, edge, prefetch, NULL, receive_decide, "none: a fact");
RETURN_COMMAND(return_inspect, "return.inspect", &inspect_fields, inspect_edge, prefetch, NULL, inspect_decide,
               "none: what left the node is gone; stock.quarantine what was restocked");
RETURN_COMMAND(return_cancel, "return.cancel", NULL, edge, prefetch, NULL, cancel_decide, "return.announce: the same once more");
