/* src/inventory/inspections.c: what people decide of units that are there. Quarantine keeps them back, release gives them free, a regrade puts
 * them into another class, an inspection says of units in quarantine what became of each. All four are one row, one cause of
 * movements, one event that bears the whole answer; of an inspection each line is an event besides, for who keeps books.
 * Units that change their class leave the one position to `adjustment` and come to the other from there: a movement is of one class. */
#include "inventory/inspections.h"
#include "base/id.h"
#include "inventory/reads.h"
#include "inventory/inventory.h"
#include "inventory/stock.h"
#include <assert.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
#define LINES_MAX 100

/* ---- what is asked and answered ---- */

static const char *const kind_names[] = { "quarantine", "release", "regrade", "inspection", NULL };
static const char *const reason_names[] = { "damaged", "quality", "expired", "customs", "investigation", "other", NULL };
static const char *const bucket_choices[] = { "available", "quarantined", NULL };
static const enum bucket bucket_of_choice[] = { BUCKET_AVAILABLE, BUCKET_QUARANTINED };

const char *const disposition_names[] = { "restock", "restock_as", "refurbish", "return_to_supplier", "scrap", "missing", "back_to_customer", NULL };
static const char *const inspected_names[] = {
    "restock", "restock_as", "refurbish", "return_to_supplier", "scrap", "missing", NULL
}; /* of no customer's */
/* Where units go that stay in their class; refurbish: they stay where they are, since there is work on them still. */
static const struct {
    enum place place; /* 0: at the node */
    enum bucket bucket;
} goes_to[] = {
    [RESTOCK] = { 0, BUCKET_AVAILABLE },
    [RESTOCK_AS] = { 0, BUCKET_AVAILABLE },
    [REFURBISH] = { 0, BUCKET_QUARANTINED },
    [RETURN_TO_SUPPLIER] = { PLACE_SUPPLIER, BUCKET_NONE },
    [SCRAP] = { PLACE_SCRAP, BUCKET_NONE },
    [MISSING] = { PLACE_ADJUSTMENT, BUCKET_NONE },
    [BACK_TO_CUSTOMER] = { PLACE_CUSTOMER, BUCKET_NONE },
};

struct line_io {
    struct field_presence presence;
    int64_t disposition, quantity;
    const char *class;
};
static const struct field line_rows[] = {
    { "disposition", FIELD_ENUM, AT(line_io, disposition), .required = true, .names = inspected_names,
      .doc = "refurbish: they stay in quarantine until they are inspected again" },
    { "quantity", FIELD_INT, AT(line_io, quantity), .required = true, .min = 1, .max = QUANTITY_MAX },
    { "class", FIELD_CODE, AT(line_io, class), .hide_absent = true, .doc = "of restock_as: the class that they are from now on" },
};
static const struct field_table line_fields = { "InspectionLine", line_rows, COUNT(line_rows), sizeof(struct line_io) };

/* What any of the four calls may say; each has a table of its own over it. */
struct asked {
    struct field_presence presence;
    const char *node, *sku, *class, *to_class, *note, *document;
    int64_t quantity, reason, bucket;
    struct field_list lines;
};
#define NAMED                                                                                                           \
    { "node", FIELD_CODE, AT(asked, node), .required = true }, { "sku", FIELD_CODE, AT(asked, sku), .required = true }, \
    {                                                                                                                   \
        "class", FIELD_CODE, AT(asked, class), .hide_absent = true, .doc = "absent: own, new, saleable"                 \
    }
#define UNITS                                                                                       \
    {                                                                                               \
        "quantity", FIELD_INT, AT(asked, quantity), .required = true, .min = 1, .max = QUANTITY_MAX \
    }
#define PAPERS                                                                                                                                 \
    { "note", FIELD_TEXT, AT(asked, note), .max = 256, .hide_absent = true, .doc = "what else is to be known" },                               \
    {                                                                                                                                          \
        "document", FIELD_CODE, AT(asked, document), .hide_absent = true, .doc = "natural key: the same with node, SKU and class is done once" \
    }
static const struct field quarantine_rows[] = {
    NAMED, UNITS, { "reason", FIELD_ENUM, AT(asked, reason), .required = true, .names = reason_names, .doc = "why they may not be sold" }, PAPERS
};
static const struct field release_rows[] = { NAMED, UNITS, PAPERS };
static const struct field regrade_rows[] = {
    NAMED,  { "to_class", FIELD_CODE, AT(asked, to_class), .hide_absent = true, .doc = "absent: own, new, saleable" },
    UNITS,  { "bucket", FIELD_ENUM, AT(asked, bucket), .names = bucket_choices, .doc = "where they are, and stay; default available" },
    PAPERS,
};
static const struct field inspect_rows[] = {
    NAMED,
    { "lines", FIELD_LIST, AT(asked, lines), .required = true, .min = 1, .max = LINES_MAX, .of = &line_fields,
      .doc = "what became of units that are in quarantine" },
    PAPERS,
};
static const struct field_table quarantine_fields = { "Quarantine", quarantine_rows, COUNT(quarantine_rows), sizeof(struct asked) },
                                release_fields = { "Release", release_rows, COUNT(release_rows), sizeof(struct asked) },
                                regrade_fields = { "Regrade", regrade_rows, COUNT(regrade_rows), sizeof(struct asked) },
                                inspect_fields = { "InspectionIn", inspect_rows, COUNT(inspect_rows), sizeof(struct asked) };

struct answer_io {
    struct field_presence presence;
    const char *id, *node, *sku, *class, *to_class, *note, *document;
    int64_t kind, quantity, reason, bucket;
    struct field_list lines, positions;
};
static const struct field answer_rows[] = {
    { "id", FIELD_TEXT, AT(answer_io, id), .required = true, .read_only = true },
    { "kind", FIELD_ENUM, AT(answer_io, kind), .required = true, .read_only = true, .names = kind_names },
    { "node", FIELD_CODE, AT(answer_io, node), .required = true, .read_only = true },
    { "sku", FIELD_CODE, AT(answer_io, sku), .required = true, .read_only = true },
    { "class", FIELD_CODE, AT(answer_io, class), .read_only = true, .hide_absent = true, .doc = "absent: own, new, saleable" },
    { "to_class", FIELD_CODE, AT(answer_io, to_class), .read_only = true, .hide_absent = true, .doc = "of a regrade" },
    { "quantity", FIELD_INT, AT(answer_io, quantity), .required = true, .read_only = true, .doc = "units, of all lines" },
    { "reason", FIELD_ENUM, AT(answer_io, reason), .read_only = true, .hide_absent = true, .names = reason_names },
    { "bucket", FIELD_ENUM, AT(answer_io, bucket), .read_only = true, .hide_absent = true, .names = bucket_choices },
    { "lines", FIELD_LIST, AT(answer_io, lines), .read_only = true, .hide_absent = true, .of = &line_fields },
    { "note", FIELD_TEXT, AT(answer_io, note), .read_only = true, .hide_absent = true },
    { "document", FIELD_CODE, AT(answer_io, document), .read_only = true, .hide_absent = true },
    { "positions", FIELD_LIST, AT(answer_io, positions), .required = true, .read_only = true, .of = &position_fields,
      .doc = "those that changed, as they are behind this, with what went to those who waited" },
};
const struct field_table inspection_fields = { "Inspection", answer_rows, COUNT(answer_rows), sizeof(struct answer_io) };

/* ---- the edge ---- */

static bool edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    command->of_node = ((const struct asked *)command->input)->node;
    return true;
}

static bool regrade_edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    const struct asked *in = command->input;
    if (faults->count == 0 && text_equal(in->class, in->to_class)) /* else what is not there may be what could not be read */
        fault_add(faults, FAULT_INVALID, "/to_class", "they are of that class already");
    return edge(at, request, command, faults) && faults->count == 0;
}

static bool inspect_edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    const struct asked *in = command->input;
    const struct line_io *lines = in->lines.items;
    const bool is_read = faults->count == 0;
    for (size_t i = 0; is_read && i < in->lines.count; i++) {
        const char *pointer = arena_printf(command->arena, "/lines/%zu/class", i);
        if (lines[i].disposition != RESTOCK_AS && lines[i].class != NULL)
            fault_add(faults, FAULT_INVALID, pointer, "only units that are restocked as another class say which: restock_as");
        else if (lines[i].disposition == RESTOCK_AS && text_equal(in->class, lines[i].class))
            fault_add(faults, FAULT_INVALID, pointer, "they are of that class already: restock");
    }
    return edge(at, request, command, faults) && faults->count == 0;
}

/* ---- one attempt ---- */

/* Units that go one way. */
struct part {
    int64_t quantity, to_class;
    enum bucket from, to;
    int64_t to_node; /* a place outside, or the node */
};
struct inspection {
    struct ws *ws;
    struct command *command;
    const struct asked *in;
    const struct field_table *fields;
    enum inspection_kind kind;
    struct goods goods;
    struct part *parts;
    size_t part_count;
    int64_t id, quantity, to_class;
};

static void add_part(struct inspection *n, struct part part)
{
    n->parts[n->part_count++] = part;
    n->quantity += part.quantity; /* of 100 lines of at most 10^12: it fits */
}

static void plan_lines(struct inspection *n)
{
    const struct line_io *lines = n->in->lines.items;
    for (size_t i = 0; i < n->in->lines.count; i++) {
        const char *pointer = arena_printf(n->command->arena, "/lines/%zu/class", i);
        const enum disposition to = (enum disposition)lines[i].disposition;
        const bool as = to == RESTOCK_AS;
        add_part(n, (struct part){ .quantity = lines[i].quantity,
                                   .to_class = as ? class_named(n->ws, &n->command->faults, lines[i].class, pointer) : n->goods.class,
                                   .from = BUCKET_QUARANTINED,
                                   .to = goes_to[to].bucket,
                                   .to_node = goes_to[to].place != 0 || n->goods.node == NULL ? goes_to[to].place : n->goods.node->id });
    }
}

/* What it names, and what goes where. Faults of all of it at once; false with at least one. */
static bool plan(struct inspection *n)
{
    const bool is_there = goods_find(n->ws, &n->command->faults, &(struct goods_named){ n->in->node, n->in->sku, n->in->class }, &n->goods);
    const int64_t node = n->goods.node == NULL ? 0 : n->goods.node->id;
    const enum bucket bucket = bucket_of_choice[n->kind == INSPECTION_REGRADE ? n->in->bucket : n->kind == INSPECTION_RELEASE];
    n->parts = ARENA_ARRAY(ws_arena(n->ws), struct part, n->in->lines.count + 1);
    n->to_class = n->goods.class;
    if (n->kind == INSPECTION_REGRADE)
        n->to_class = class_named(n->ws, &n->command->faults, n->in->to_class, "/to_class");
    if (n->kind == INSPECTION_INSPECT)
        plan_lines(n);
    else
        add_part(n, (struct part){ .quantity = n->in->quantity,
                                   .to_class = n->to_class,
                                   .from = bucket,
                                   .to = n->kind == INSPECTION_QUARANTINE ? BUCKET_QUARANTINED
                                         : n->kind == INSPECTION_RELEASE  ? BUCKET_AVAILABLE
                                                                          : bucket,
                                   .to_node = node });
    return is_there && n->command->faults.count == 0;
}

/* What the bucket has beyond what facts have counted away already. */
static bool refuses(struct inspection *n)
{
    const struct position_row *p = position_find(n->ws, n->goods.node->id, n->goods.sku->id, n->goods.class);
    const bool of_available = n->parts[0].from == BUCKET_AVAILABLE;
    if (n->kind == INSPECTION_RELEASE && recall_refuses(n->ws, &n->command->faults, p))
        return true;
    const int64_t has = p == NULL ? 0 : of_available ? max_i64(0, p->available - stock_owed(n->ws, p)) : p->quarantined;
    if (n->quantity > has)
        fault_add(&n->command->faults, FAULT_STOCK_CONFLICT, "", "asked %ld, %s has %ld %s of %s", (long)n->quantity, n->goods.node->code, (long)has,
                  bucket_choices[!of_available], n->goods.sku->code);
    for (size_t i = 0; i < n->part_count && n->command->faults.count == 0; i++) {
        const int64_t there = position_on_hand(position_find(n->ws, n->goods.node->id, n->goods.sku->id, n->parts[i].to_class));
        if (n->parts[i].to_class != n->goods.class && there + n->quantity > QUANTITY_MAX)
            fault_add(&n->command->faults, FAULT_STOCK_CONFLICT, "", "%ld more would be over %ld, the largest stock of a SKU at a node",
                      (long)n->quantity, (long)QUANTITY_MAX);
    }
    return n->command->faults.count > 0;
}

/* Through `adjustment` where they change their class: a movement is of one. */
static void move_goods(struct stock *stock, struct move move, int64_t to_class)
{
    const int64_t to_node = move.to_node;
    const enum bucket to = move.to;
    if (to_class != move.class) {
        move.to_node = PLACE_ADJUSTMENT;
        move.to = BUCKET_NONE;
    }
    stock_move(stock, &move);
    if (to_class == move.class)
        return;
    move.class = to_class;
    move.from_node = PLACE_ADJUSTMENT;
    move.from = BUCKET_NONE;
    move.to_node = to_node;
    move.to = to;
    stock_move(stock, &move);
}

void disposition_move(struct stock *stock, const struct disposal *d)
{
    move_goods(stock,
               (struct move){ .sku = d->sku,
                              .class = d->class,
                              .quantity = d->quantity,
                              .from_node = d->node,
                              .from = BUCKET_QUARANTINED,
                              .to_node = goes_to[d->disposition].place == 0 ? d->node : (int64_t)goes_to[d->disposition].place,
                              .to = goes_to[d->disposition].bucket,
                              .unit_cost = NULL_INT,
                              .document = d->document },
               d->disposition == RESTOCK_AS ? d->to_class : d->class);
}

static void move_part(struct inspection *n, struct stock *stock, const struct part *part)
{
    move_goods(stock,
               (struct move){ .sku = n->goods.sku->id,
                              .class = n->goods.class,
                              .quantity = part->quantity,
                              .from_node = n->goods.node->id,
                              .from = part->from,
                              .to_node = part->to_node,
                              .to = part->to,
                              .unit_cost = NULL_INT,
                              .document = n->in->document },
               part->to_class);
}

/* ---- what is told ---- */

static void show_positions(struct inspection *n, struct answer_io *out)
{
    struct position_io *positions = ARENA_ARRAY(ws_arena(n->ws), struct position_io, n->part_count + 1);
    int64_t *classes = ARENA_ARRAY(ws_arena(n->ws), int64_t, n->part_count + 1);
    size_t count = 1;
    classes[0] = n->goods.class;
    for (size_t i = 0; i < n->part_count; i++) {
        size_t at = 0;
        while (at < count && classes[at] != n->parts[i].to_class)
            at++;
        if (at == count)
            classes[count++] = n->parts[i].to_class;
    }
    for (size_t i = 0; i < count; i++)
        position_show(n->ws, n->goods.node, n->goods.sku, classes[i], &positions[i]);
    out->positions = (struct field_list){ positions, count };
}

static const char *answer_text(struct inspection *n)
{
    struct json_writer json;
    struct answer_io out = { .id = id_text(ws_arena(n->ws), "ins", ws_unit(n->ws), n->id),
                             .kind = n->kind - 1,
                             .node = n->goods.node->code,
                             .sku = n->goods.sku->code,
                             .class = n->in->class,
                             .to_class = n->in->to_class,
                             .note = n->in->note,
                             .document = n->in->document,
                             .quantity = n->quantity,
                             .reason = n->in->reason,
                             .bucket = n->in->bucket,
                             .lines = n->in->lines };
    static const char *const as_asked[] = { "class", "to_class", "note", "document", "reason", "lines" };
    for (size_t i = 0; i < COUNT(as_asked); i++)
        if (field_came(n->fields, n->in, as_asked[i]))
            field_set(&inspection_fields, &out, as_asked[i]);
    if (n->kind == INSPECTION_REGRADE)
        field_set(&inspection_fields, &out, "bucket");
    show_positions(n, &out);
    json_begin(&json, ws_arena(n->ws));
    fields_write(&json, &inspection_fields, &out);
    return json.out.at;
}

static void answer(struct command *command, const char *text, int status)
{
    command->answer = (struct answer){ .status = status, .body = arena_text(command->arena, text), .body_bytes = strlen(text) };
}

static void again(struct ws *ws, struct command *command, int64_t seq)
{
    const struct event_row *event = ws_get(ws, &event_table, WS_KEY(ws_unit(ws), seq));
    answer(command, event->data, command->answer.status);
}

static struct event_row event_for(struct inspection *n, enum event_type type, int64_t quantity)
{
    struct event_row event = event_of(type, SUBJECT_INSPECTION, n->id);
    event.node = n->goods.node->id;
    event.sku = n->goods.sku->id;
    event.class = n->goods.class;
    event.quantity = quantity;
    event.document = n->in->document;
    return event;
}

static void tell_lines(struct inspection *n)
{
    const struct line_io *lines = n->in->lines.items;
    for (size_t i = 0; i < n->in->lines.count; i++) {
        struct event_row event = event_for(n, EVENT_STOCK_DISPOSED, lines[i].quantity);
        struct json_writer json;
        json_begin(&json, ws_arena(n->ws));
        json_object(&json);
        json_key(&json, "disposition");
        json_text(&json, disposition_names[lines[i].disposition]);
        json_key(&json, "to_class");
        json_text(&json, lines[i].class);
        json_object_end(&json);
        event.data = json.out.at;
        ws_event(n->ws, event);
    }
}

static void write_inspection(struct inspection *n)
{
    static const enum event_type types[] = { [INSPECTION_QUARANTINE] = EVENT_STOCK_QUARANTINED,
                                             [INSPECTION_RELEASE] = EVENT_STOCK_RELEASED,
                                             [INSPECTION_REGRADE] = EVENT_STOCK_REGRADED,
                                             [INSPECTION_INSPECT] = EVENT_STOCK_INSPECTED };
    n->command->event_seq = ws_event(n->ws, event_for(n, types[n->kind], n->quantity));
    struct inspection_row row = { .unit = ws_unit(n->ws),
                                  .id = n->id,
                                  .kind = n->kind,
                                  .node = n->goods.node->id,
                                  .sku = n->goods.sku->id,
                                  .class = n->goods.class,
                                  .quantity = n->quantity,
                                  .document = n->in->document,
                                  .event_seq = n->command->event_seq };
    ws_insert(n->ws, &inspection_table, &row);
    tell_lines(n);
}

/* When all is done: the event, which stands before what followed of it, is written with the batch. */
static void tell_outcome(struct inspection *n)
{
    struct event_row *event = ws_edit(n->ws, ws_get(n->ws, &event_table, WS_KEY(ws_unit(n->ws), n->command->event_seq)));
    event->data = answer_text(n);
    answer(n->command, event->data, 201);
}

static bool known_document(struct inspection *n)
{
    if (n->in->document == NULL)
        return false;
    const struct db_value prefix[] = { db_int(ws_unit(n->ws)), db_text(n->in->document), db_int(n->goods.node->id), db_int(n->goods.sku->id),
                                       db_int(n->kind) };
    const struct inspection_row *row;
    struct ws_cursor cursor = ws_scan(n->ws, &inspection_by_document, prefix, 0);
    while ((row = ws_next(n->ws, &cursor)) != NULL && row->class != n->goods.class)
        continue;
    if (row == NULL)
        return false;
    n->command->existing = true;
    n->command->event_seq = row->event_seq;
    n->command->answer.status = 200;
    again(n->ws, n->command, row->event_seq);
    return true;
}

/* ---- deciding ---- */

/* Units that came to where channels sell from go to who waits; what left quarantine waits for no count. */
static void follow(struct inspection *n)
{
    struct freed freed = { n->goods.node->id, n->goods.sku->id, 0 };
    bool frees = false, settles = false;
    for (size_t i = 0; i < n->part_count; i++) {
        const struct part *part = &n->parts[i];
        frees = frees || (part->to_class == 0 && part->to == BUCKET_AVAILABLE && (part->from != part->to || n->goods.class != 0));
        settles = settles || (n->goods.class == 0 && part->from == BUCKET_QUARANTINED);
    }
    if (settles)
        short_picks_settle(n->ws, freed.node, freed.sku, NOT_COUNTED);
    if (!frees)
        return;
    freed.units = position_find(n->ws, freed.node, freed.sku, 0)->available;
    short_picks_open(n->ws, &freed, 1);
    stock_followers.supply(n->ws, &freed, 1);
}

static struct inspection begin(struct ws *ws, struct command *command, enum inspection_kind kind)
{
    return (struct inspection){ .ws = ws, .command = command, .in = command->input, .fields = command->type->input, .kind = kind };
}

static void decide(struct ws *ws, struct command *command, enum inspection_kind kind)
{
    struct inspection n = begin(ws, command, kind);
    if (!plan(&n))
        return;
    assert(n.goods.node != NULL && n.goods.sku != NULL); /* the form is good: both were named, and are there */
    if (known_document(&n) || refuses(&n))
        return;
    n.id = ws_next_id(ws);
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_INSPECTION, n.id });
    for (size_t i = 0; i < n.part_count; i++)
        move_part(&n, &stock, &n.parts[i]);
    stock_end(&stock);
    write_inspection(&n);
    follow(&n);
    tell_outcome(&n);
}

static void prefetch(struct ws *ws, const struct command *command)
{
    const struct asked *in = command->input;
    const int64_t unit = ws_unit(ws);
    goods_want(ws, &(struct goods_named){ in->node, in->sku, in->class });
    if (in->to_class != NULL)
        ws_want_path(ws, &goods_class_by_code, WS_PREFIX(db_int(unit), db_text(in->to_class)), 0);
    const struct line_io *lines = in->lines.items;
    for (size_t i = 0; i < in->lines.count; i++)
        if (lines[i].class != NULL)
            ws_want_path(ws, &goods_class_by_code, WS_PREFIX(db_int(unit), db_text(lines[i].class)), 0);
    const struct sku_row *sku = ws_known(ws, &sku_by_code, WS_PREFIX(db_int(unit), db_text(in->sku)));
    if (sku != NULL)
        short_picks_want(ws, 0, sku->id);
}

#define INSPECTION(NAME, KIND, TEXT, EDGE, INVERSE)                       \
    static void NAME##_decide(struct ws *ws, struct command *command)     \
    {                                                                     \
        decide(ws, command, KIND);                                        \
    }                                                                     \
    static void NAME##_look_up(struct ws *ws, struct command *command)    \
    {                                                                     \
        struct inspection n = begin(ws, command, KIND);                   \
        (void)plan(&n);                                                   \
    }                                                                     \
    const struct command_type stock_##NAME = { .name = TEXT,              \
                                               .input = &NAME##_fields,   \
                                               .mode = FIELDS_POST,       \
                                               .queue = QUEUE_PEOPLE,     \
                                               .edge = EDGE,              \
                                               .prefetch = prefetch,      \
                                               .look_up = NAME##_look_up, \
                                               .decide = NAME##_decide,   \
                                               .again = again,            \
                                               .inverse = INVERSE }
INSPECTION(quarantine, INSPECTION_QUARANTINE, "stock.quarantine", edge, "stock.release");
INSPECTION(release, INSPECTION_RELEASE, "stock.release", edge, "stock.quarantine");
INSPECTION(regrade, INSPECTION_REGRADE, "stock.regrade", regrade_edge, "stock.regrade: the classes the other way round");
INSPECTION(inspect, INSPECTION_INSPECT, "stock.inspect", inspect_edge, "none: what left the node is gone; stock.quarantine what was restocked");
