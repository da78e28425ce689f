/* src/inventory/supply_commands.c: POST /v1/supplies and what becomes of one. What a supplier announces, changes or delivers is a fact: it is
 * refused only where it names what is not there. */
#include "base/id.h"
#include "inventory/supply.h"
#include <assert.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)

struct announced_line {
    struct field_presence presence;
    const char *sku;
    int64_t quantity, expected_at;
    struct money unit_cost;
    int64_t purchase_line;
};
static const struct field announced_line_rows[] = {
    { "sku", FIELD_CODE, AT(announced_line, sku), .required = true, .doc = "one that holds stock; several lines may name it, each with its date" },
    { "quantity", FIELD_INT, AT(announced_line, quantity), .required = true, .min = 1, .max = QUANTITY_MAX },
    { "expected_at", FIELD_TIME, AT(announced_line, expected_at), .required = true, .doc = "when they will be at the node" },
    { "unit_cost", FIELD_MONEY, AT(announced_line, unit_cost), .doc = "as agreed, in the currency of the unit's books" },
    { "purchase_line", FIELD_INT, AT(announced_line, purchase_line), .min = 1, .max = ORDER_LINES_MAX,
      .doc = "of the purchase order; without: its first line of the SKU with units to come" },
};
static const struct field_table announced_line_fields = { "SupplyLine", announced_line_rows, COUNT(announced_line_rows),
                                                          sizeof(struct announced_line) };
struct announce_io {
    struct field_presence presence;
    const char *node;
    int64_t kind;
    const char *reference, *supplier, *purchase;
    struct field_list lines;
};
static const struct field announce_rows[] = {
    { "node", FIELD_CODE, AT(announce_io, node), .required = true, .doc = "where it will come" },
    { "kind", FIELD_ENUM, AT(announce_io, kind), .required = true, .names = supply_kinds,
      .doc = "purchase: ordered; asn: it has left the supplier; production: our own" },
    { "reference", FIELD_CODE, AT(announce_io, reference), .doc = "natural key, with kind and supplier: announced again it is the same" },
    { "supplier", FIELD_CODE, AT(announce_io, supplier), .doc = "whom it comes from" },
    { "purchase", FIELD_CODE, AT(announce_io, purchase), .doc = "of an asn: the id of the purchase order whose units it makes exact" },
    { "lines", FIELD_LIST, AT(announce_io, lines), .required = true, .min = 1, .max = ORDER_LINES_MAX, .of = &announced_line_fields },
};
static const struct field_table announce_fields = { "SupplyIn", announce_rows, COUNT(announce_rows), sizeof(struct announce_io) };

struct changed_line {
    struct field_presence presence;
    int64_t line, quantity, expected_at;
};
static const struct field changed_line_rows[] = {
    { "line", FIELD_INT, AT(changed_line, line), .required = true, .min = 1, .max = QUANTITY_MAX, .doc = "each once" },
    { "quantity", FIELD_INT, AT(changed_line, quantity), .min = 0, .max = QUANTITY_MAX, .doc = "units in all, those that came too; 0: cancelled" },
    { "expected_at", FIELD_TIME, AT(changed_line, expected_at), .doc = "sooner or later than it was" },
};
static const struct field_table changed_line_fields = { "SupplyLineChange", changed_line_rows, COUNT(changed_line_rows),
                                                        sizeof(struct changed_line) };
struct supply_change_io {
    struct field_presence presence;
    struct field_list lines;
};
static const struct field change_rows[] = {
    { "lines", FIELD_LIST, AT(supply_change_io, lines), .required = true, .min = 1, .max = ORDER_LINES_MAX, .of = &changed_line_fields },
};
static const struct field_table change_fields = { "SupplyChange", change_rows, COUNT(change_rows), sizeof(struct supply_change_io) };

static const char *const arrival_buckets[] = { "available", "quarantined", NULL };
static const enum bucket bucket_of_name[] = { BUCKET_AVAILABLE, BUCKET_QUARANTINED };

struct came_line {
    struct field_presence presence;
    const char *sku, *class;
    int64_t quantity, bucket;
    struct money unit_cost;
};
static const struct field came_line_rows[] = {
    { "sku", FIELD_CODE, AT(came_line, sku), .required = true, .doc = "also one that was not announced" },
    { "quantity", FIELD_INT, AT(came_line, quantity), .required = true, .min = 0, .max = QUANTITY_MAX, .doc = "units that came, short or over" },
    { "unit_cost", FIELD_MONEY, AT(came_line, unit_cost), .doc = "without: as agreed" },
    { "class", FIELD_CODE, AT(came_line, class), .doc = "the class that they came in; without: own, new, saleable, as was expected" },
    { "bucket", FIELD_ENUM, AT(came_line, bucket), .names = arrival_buckets, .doc = "quarantined: they are to be inspected first" },
};
static const struct field_table came_line_fields = { "SupplyArrival", came_line_rows, COUNT(came_line_rows), sizeof(struct came_line) };
struct receive_io {
    struct field_presence presence;
    struct field_list lines;
    const char *document;
    bool last;
};
static const struct field receive_rows[] = {
    { "lines", FIELD_LIST, AT(receive_io, lines), .required = true, .max = ORDER_LINES_MAX, .of = &came_line_fields },
    { "document", FIELD_CODE, AT(receive_io, document), .doc = "the delivery note; natural key: the same one is received once" },
    { "last", FIELD_BOOL, AT(receive_io, last),
      .doc = "no other delivery of it will come: what is still to come is missing. Without: true for an asn, which is one delivery" },
};
static const struct field_table receive_fields = { "SupplyReceipt", receive_rows, COUNT(receive_rows), sizeof(struct receive_io) };

struct close_io {
    struct field_presence presence;
    const char *reason;
};
static const struct field close_rows[] = {
    { "reason", FIELD_TEXT, AT(close_io, reason), .required = true, .min = 1, .max = 256, .doc = "why what has not come is given up" },
};
static const struct field_table close_fields = { "SupplyClosing", close_rows, COUNT(close_rows), sizeof(struct close_io) };

/* ---- what is named ---- */

static const char *pointer_of(struct command *command, size_t line, const char *member)
{
    return arena_printf(command->arena, "/lines/%zu/%s", line, member);
}

/* A line's SKU and cost, whichever body it stands in. */
struct named {
    const char *sku;
    const struct money *unit_cost;
};

static void want_skus(struct ws *ws, const struct named *named, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (named[i].sku != NULL)
            ws_want_path(ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(named[i].sku)), 0);
}

/* The SKUs of the lines, with a fault for each that is none; NULL where it could not be read. Costs are in the currency of the books. */
static const struct sku_row **find_lines(struct ws *ws, struct command *command, const struct named *named, size_t count)
{
    const struct business_unit_row *books = ws_get(ws, &business_unit_table, WS_KEY(ws_unit(ws), ws_unit(ws)));
    const struct sku_row **skus = ARENA_ARRAY(ws_arena(ws), const struct sku_row *, count + 1);
    want_skus(ws, named, count);
    ws_settle(ws);
    for (size_t i = 0; i < count; i++) {
        skus[i] = goods_sku(ws, &command->faults, named[i].sku, pointer_of(command, i, "sku"));
        if (named[i].unit_cost->currency[0] != '\0' && books != NULL && !text_equal(books->currency, named[i].unit_cost->currency))
            fault_add(&command->faults, FAULT_CURRENCY_MISMATCH, pointer_of(command, i, "unit_cost/currency"), "the books of %s are in %s",
                      books->code, books->currency);
    }
    return skus;
}

static void answer(struct supply *supply, struct command *command, int status)
{
    struct json_writer json;
    if (!answer_begin(command, status, supply->row->version, &json))
        return;
    supply_write(supply, &json);
    answer_end(command, &json);
}

static int64_t minor_of(const struct money *money)
{
    return money->currency[0] == '\0' ? NULL_INT : money->minor;
}

/* ---- announce ---- */

static struct named *announced_names(struct ws *ws, const struct field_list *list)
{
    const struct announced_line *lines = list->items;
    struct named *named = ARENA_ARRAY(ws_arena(ws), struct named, list->count + 1);
    for (size_t i = 0; i < list->count; i++)
        named[i] = (struct named){ lines[i].sku, &lines[i].unit_cost };
    return named;
}

static bool announce_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    const struct announce_io *in = command->input;
    const bool is_read = faults->count == 0; /* else the kind may be what could not be read */
    const struct announced_line *lines = in->lines.items;
    command->of_node = in->node;
    if (is_read && in->purchase != NULL && in->kind != SUPPLY_ASN - 1)
        fault_add(faults, FAULT_INVALID, "/purchase", "an asn makes a purchase order exact, nothing else does");
    for (size_t i = 0; i < in->lines.count && is_read; i++)
        if (in->purchase == NULL && field_came(&announced_line_fields, &lines[i], "purchase_line"))
            fault_add(faults, FAULT_INVALID, pointer_of(command, i, "purchase_line"), "name the purchase order too");
    return faults->count == 0;
}

/* NULL: none is named, or there is none of this id, with a fault. */
static const struct supply_row *find_purchase(struct ws *ws, struct command *command)
{
    const struct announce_io *in = command->input;
    int64_t unit, id;
    if (in->purchase == NULL)
        return NULL;
    const struct supply_row *row =
        id_parse(in->purchase, strlen(in->purchase), "sup", &unit, &id) && unit == ws_unit(ws) ? ws_get(ws, &supply_table, WS_KEY(unit, id)) : NULL;
    if (row == NULL || row->kind != SUPPLY_PURCHASE)
        fault_add(&command->faults, FAULT_INVALID, "/purchase", "there is no purchase order %s in this unit", in->purchase);
    return row == NULL || row->kind != SUPPLY_PURCHASE ? NULL : row;
}

struct announced {
    const struct node_row *node;
    const struct supply_row *purchase;
    const struct sku_row **skus;
};

static struct announced find_announced(struct ws *ws, struct command *command)
{
    const struct announce_io *in = command->input;
    struct announced found = { 0 };
    found.node = in->node == NULL ? NULL : ws_find(ws, &node_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(in->node)));
    if (in->node != NULL && (found.node == NULL || found.node->owner != ws_unit(ws)))
        fault_add(&command->faults, FAULT_NODE_UNKNOWN, "/node", "there is no node %s in this unit", in->node);
    found.purchase = find_purchase(ws, command);
    found.skus = find_lines(ws, command, announced_names(ws, &in->lines), in->lines.count);
    return found;
}

static void announce_look_up(struct ws *ws, struct command *command)
{
    (void)find_announced(ws, command);
}

static void announce_prefetch(struct ws *ws, const struct command *command)
{
    const struct announce_io *in = command->input;
    const int64_t unit = ws_unit(ws);
    ws_want_path(ws, &node_by_code, WS_PREFIX(db_int(unit), db_text(in->node)), 0);
    ws_want(ws, &business_unit_table, WS_KEY(unit, unit));
    want_skus(ws, announced_names(ws, &in->lines), in->lines.count);
    if (in->reference != NULL)
        ws_want_path(ws, &supply_by_reference, WS_PREFIX(db_int(unit), db_text(in->reference), db_int(in->kind + 1)), 0);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Announced before: it is answered as it stands. */
static bool known_reference(struct ws *ws, struct command *command)
{
    const struct announce_io *in = command->input;
    const struct supply_row *row;
    if (in->reference == NULL)
        return false;
    struct ws_cursor cursor = ws_scan(ws, &supply_by_reference, WS_PREFIX(db_int(ws_unit(ws)), db_text(in->reference), db_int(in->kind + 1)), 0);
    while ((row = ws_next(ws, &cursor)) != NULL && !same_text(row->supplier, in->supplier))
        continue;
    if (row == NULL)
        return false;
    struct supply supply;
    (void)supply_open(ws, row->id, &supply);
    command->existing = true;
    command->event_seq = row->event_seq;
    answer(&supply, command, 200);
    return true;
}

/* The line of the purchase order that a line of an ASN makes exact: the one it names, else the first of its SKU with units to come, else
 * the first of its SKU, else none: suppliers also send what was not ordered. */
static int64_t purchase_line_of(const struct supply *purchase, const struct announced_line *in, int64_t sku, const int64_t *taken)
{
    int64_t first = 0;
    if (in->purchase_line != 0)
        return in->purchase_line;
    for (size_t i = 0; i < purchase->line_count; i++) {
        if (purchase->lines[i]->sku != sku)
            continue;
        if (supply_rest(purchase->lines[i]) > taken[i])
            return (int64_t)i + 1;
        first = first == 0 ? (int64_t)i + 1 : first;
    }
    return first;
}

/* Into out; false: a line names one that the purchase order has not, or of another SKU. */
static bool find_purchase_lines(struct ws *ws, struct command *command, const struct announced *found, int64_t *out)
{
    const struct announce_io *in = command->input;
    const struct announced_line *lines = in->lines.items;
    struct supply purchase;
    if (found->purchase == NULL)
        return true;
    (void)supply_open(ws, found->purchase->id, &purchase);
    int64_t *taken = ARENA_ARRAY(ws_arena(ws), int64_t, purchase.line_count + 1);
    for (size_t i = 0; i < in->lines.count; i++) {
        const int64_t line = purchase_line_of(&purchase, &lines[i], found->skus[i]->id, taken);
        if (line > (int64_t)purchase.line_count || (line > 0 && purchase.lines[line - 1]->sku != found->skus[i]->id))
            fault_add(&command->faults, FAULT_INVALID, pointer_of(command, i, "purchase_line"), "%s has no line %ld of %s", in->purchase, (long)line,
                      lines[i].sku);
        else if (line > 0)
            taken[line - 1] += lines[i].quantity;
        out[i] = line;
    }
    return command->faults.count == 0;
}

static void announce_decide(struct ws *ws, struct command *command)
{
    const struct announce_io *in = command->input;
    const struct announced_line *lines = in->lines.items;
    struct announced found = find_announced(ws, command);
    int64_t *of = ARENA_ARRAY(ws_arena(ws), int64_t, in->lines.count + 1);
    if (command->faults.count > 0)
        return;
    assert(found.node != NULL);
    if (known_reference(ws, command) || !find_purchase_lines(ws, command, &found, of))
        return;
    struct supply_row row = { .unit = ws_unit(ws),
                              .id = ws_next_id(ws),
                              .kind = in->kind + 1,
                              .node = found.node->id,
                              .state = SUPPLY_OPEN,
                              .purchase = found.purchase == NULL ? 0 : found.purchase->id,
                              .reference = in->reference,
                              .supplier = in->supplier,
                              .announced_at = ws_now_us(ws),
                              .ended_at = NULL_INT,
                              .closed_at = NULL_INT,
                              .due_at = NULL_INT };
    ws_insert(ws, &supply_table, &row);
    ws_fresh(ws, &line_of_supply, WS_PREFIX(db_int(row.unit), db_int(row.id)));
    struct supply supply;
    (void)supply_open(ws, row.id, &supply); /* it was just made */
    for (size_t i = 0; i < in->lines.count; i++)
        ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(row.unit), db_int(found.skus[i]->id)), 0);
    ws_settle(ws);
    for (size_t i = 0; i < in->lines.count; i++)
        supply_line_add(&supply, (struct supply_line_row){ .sku = found.skus[i]->id,
                                                           .quantity = lines[i].quantity,
                                                           .expected_at = lines[i].expected_at,
                                                           .unit_cost = minor_of(&lines[i].unit_cost),
                                                           .purchase_line = of[i] });
    command->event_seq = supply_end(&supply);
    answer(&supply, command, 201);
}

/* ---- what becomes of it ---- */

static bool edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    return command_names(command, request, "sup", "supply", faults);
}

static void prefetch(struct ws *ws, const struct command *command)
{
    const int64_t unit = ws_unit(ws), id = command_id(command, "sup");
    ws_want(ws, &supply_table, WS_KEY(unit, id));
    ws_want_path(ws, &line_of_supply, WS_PREFIX(db_int(unit), db_int(id)), 0);
}

static bool open_for(struct ws *ws, struct command *command, struct supply *supply)
{
    if (!supply_open(ws, command_id(command, "sup"), supply))
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no supply %s", command->path[0]);
    else if (!if_match_holds(command->if_match, supply->row->version) || !if_none_match_holds(command->if_none_match, supply->row->version))
        fault_add(&command->faults, FAULT_PRECONDITION_FAILED, NULL, "it is at version %ld", (long)supply->row->version);
    return command->faults.count == 0;
}

static void end(struct supply *supply, struct command *command)
{
    command->event_seq = supply_end(supply);
    answer(supply, command, 200);
}

static void refuse_changes(const struct supply *supply, struct command *command)
{
    const struct supply_change_io *in = command->input;
    const struct changed_line *lines = in->lines.items;
    bool *named = ARENA_ARRAY(command->arena, bool, supply->line_count + 1);
    for (size_t i = 0; i < in->lines.count; i++) {
        if (lines[i].line > (int64_t)supply->line_count)
            fault_add(&command->faults, FAULT_INVALID, pointer_of(command, i, "line"), "it has %zu lines", supply->line_count);
        else if (named[lines[i].line - 1])
            fault_add(&command->faults, FAULT_INVALID, pointer_of(command, i, "line"), "line %ld is named twice", (long)lines[i].line);
        else
            named[lines[i].line - 1] = true;
        if (!field_came(&changed_line_fields, &lines[i], "quantity") && !field_came(&changed_line_fields, &lines[i], "expected_at"))
            fault_add(&command->faults, FAULT_REQUIRED, pointer_of(command, i, "quantity"), "say a quantity, a date, or both");
    }
}

/* Whoever dates anew what was missing expects it again. */
static void change_decide(struct ws *ws, struct command *command)
{
    const struct supply_change_io *in = command->input;
    const struct changed_line *lines = in->lines.items;
    struct supply supply;
    if (!open_for(ws, command, &supply))
        return;
    refuse_changes(&supply, command);
    if (command->faults.count > 0 || !supply_may(&supply, SUPPLY_CHANGE, &command->faults))
        return;
    for (size_t i = 0; i < in->lines.count; i++) {
        const size_t at = (size_t)lines[i].line - 1;
        if (field_came(&changed_line_fields, &lines[i], "expected_at"))
            supply_date(&supply, at, lines[i].expected_at);
        if (field_came(&changed_line_fields, &lines[i], "quantity"))
            supply_line_edit(&supply, at)->quantity = lines[i].quantity;
    }
    ((struct supply_row *)ws_edit(ws, supply.row))->ended_at = NULL_INT;
    end(&supply, command);
}

static struct named *came_names(struct ws *ws, const struct field_list *list)
{
    const struct came_line *lines = list->items;
    struct named *named = ARENA_ARRAY(ws_arena(ws), struct named, list->count + 1);
    for (size_t i = 0; i < list->count; i++)
        named[i] = (struct named){ lines[i].sku, &lines[i].unit_cost };
    return named;
}

static const int64_t *find_classes(struct ws *ws, struct command *command, const struct field_list *list)
{
    const struct came_line *lines = list->items;
    int64_t *classes = ARENA_ARRAY(ws_arena(ws), int64_t, list->count + 1);
    for (size_t i = 0; i < list->count; i++)
        if (lines[i].class != NULL)
            ws_want_path(ws, &goods_class_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(lines[i].class)), 0);
    ws_settle(ws);
    for (size_t i = 0; i < list->count; i++)
        classes[i] = class_named(ws, &command->faults, lines[i].class, pointer_of(command, i, "class"));
    return classes;
}

static void receive_look_up(struct ws *ws, struct command *command)
{
    const struct receive_io *in = command->input;
    (void)find_lines(ws, command, came_names(ws, &in->lines), in->lines.count);
    (void)find_classes(ws, command, &in->lines);
}

/* Told before: it is answered as it was then. */
static bool known_delivery(struct supply *supply, struct command *command, const char *document)
{
    const struct supply_receipt_row *row;
    const struct db_value prefix[] = { db_int(supply->row->unit), db_int(supply->row->id) };
    if (document == NULL)
        return false;
    struct ws_cursor cursor = ws_scan(supply->ws, &receipt_of_supply, prefix, 0);
    while ((row = ws_next(supply->ws, &cursor)) != NULL && strcmp(row->document, document) != 0)
        continue;
    if (row == NULL)
        return false;
    command->existing = true;
    command->event_seq = row->event_seq;
    command->answer.status = 200;
    event_again(supply->ws, command, row->event_seq);
    return true;
}

static void note_delivery(struct supply *supply, const char *document, int64_t seq)
{
    const struct db_value prefix[] = { db_int(supply->row->unit), db_int(supply->row->id) };
    if (document == NULL)
        return;
    ws_insert(supply->ws, &supply_receipt_table,
              &(struct supply_receipt_row){ .unit = supply->row->unit,
                                            .supply = supply->row->id,
                                            .number = (int64_t)ws_count(supply->ws, &receipt_of_supply, prefix) + 1,
                                            .document = document,
                                            .event_seq = seq });
}

/* A SKU that is named twice came on two pallets, each at its cost; together they must have room. */
static bool there_is_room(struct supply *supply, struct command *command, const struct supply_arrival *arrivals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t units = position_on_hand(position_find(supply->ws, supply->row->node, arrivals[i].sku, arrivals[i].class));
        for (size_t k = 0; k <= i && units <= QUANTITY_MAX; k++)
            units += arrivals[k].sku == arrivals[i].sku && arrivals[k].class == arrivals[i].class ? arrivals[k].quantity : 0;
        if (units > QUANTITY_MAX) {
            fault_add(&command->faults, FAULT_STOCK_CONFLICT, pointer_of(command, i, "quantity"),
                      "%ld more would be over %ld, the largest stock of a SKU at a node", (long)arrivals[i].quantity, (long)QUANTITY_MAX);
            return false;
        }
    }
    return true;
}

/* What nobody announced gets lines of its own, and each command looks at all: one that brings too many is a supply of its own. */
static void refuse_too_many(const struct supply *supply, struct command *command, const struct supply_arrival *arrivals, size_t count)
{
    size_t lines = supply->line_count;
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        for (size_t k = 0; k < supply->line_count && !known; k++)
            known = supply->lines[k]->sku == arrivals[i].sku;
        for (size_t k = 0; k < i && !known; k++)
            known = arrivals[k].sku == arrivals[i].sku;
        lines += !known;
    }
    if (lines > SUPPLY_LINES_MAX)
        fault_add(&command->faults, FAULT_BATCH_TOO_LARGE, "/lines",
                  "it would have %zu lines, %d are the most: announce what nobody had as a supply of its own", lines, SUPPLY_LINES_MAX);
}

static void receive_decide(struct ws *ws, struct command *command)
{
    const struct receive_io *in = command->input;
    const struct came_line *lines = in->lines.items;
    const size_t count = in->lines.count;
    struct supply supply;
    if (!open_for(ws, command, &supply))
        return;
    const struct sku_row **skus = find_lines(ws, command, came_names(ws, &in->lines), count);
    const int64_t *classes = find_classes(ws, command, &in->lines);
    if (command->faults.count > 0 || known_delivery(&supply, command, in->document) || !supply_may(&supply, SUPPLY_RECEIVE, &command->faults))
        return;
    struct supply_arrival *arrivals = ARENA_ARRAY(ws_arena(ws), struct supply_arrival, count + 1);
    for (size_t i = 0; i < count; i++) {
        assert(skus[i] != NULL); /* the form is good: each was named, and is there */
        arrivals[i] =
            (struct supply_arrival){ skus[i]->id, classes[i], bucket_of_name[lines[i].bucket], lines[i].quantity, minor_of(&lines[i].unit_cost) };
        ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(ws_unit(ws)), db_int(skus[i]->id)), 0);
        short_picks_want(ws, 0, skus[i]->id);
    }
    ws_settle(ws);
    refuse_too_many(&supply, command, arrivals, count);
    if (command->faults.count > 0 || !there_is_room(&supply, command, arrivals, count))
        return;
    const bool last = field_came(&receive_fields, in, "last") ? in->last : supply.row->kind == SUPPLY_ASN;
    if (last && supply.row->ended_at == NULL_INT)
        ((struct supply_row *)ws_edit(ws, supply.row))->ended_at = ws_now_us(ws);
    supply_take_in(&supply, arrivals, count, in->document);
    end(&supply, command);
    note_delivery(&supply, in->document, command->event_seq);
}

static void close_decide(struct ws *ws, struct command *command)
{
    struct supply supply;
    if (!open_for(ws, command, &supply) || !supply_may(&supply, SUPPLY_CLOSE, &command->faults))
        return;
    supply_give_up(&supply, ((const struct close_io *)command->input)->reason);
    end(&supply, command);
}

#define SUPPLY_COMMAND(NAME, TEXT, INPUT, EDGE, PREFETCH, LOOK_UP, DECIDE, INVERSE) \
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
SUPPLY_COMMAND(supply_announce, "supply.announce", &announce_fields, announce_edge, announce_prefetch, announce_look_up, announce_decide,
               "supply.close");
SUPPLY_COMMAND(supply_change, "supply.change", &change_fields, edge, prefetch, NULL, change_decide,
               "supply.change: the quantities and dates that it had");
SUPPLY_COMMAND(supply_receive, "supply.receive", &receive_fields, edge, prefetch, receive_look_up, receive_decide, "none: a fact");
SUPPLY_COMMAND(supply_close, "supply.close", &close_fields, edge, prefetch, NULL, close_decide, "supply.receive: what comes after all");
