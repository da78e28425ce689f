/* src/inventory/adjust.c: stock is told to be otherwise: facts (count, damage, loss) are never refused down to zero on
 * hand, choices (corrections, moves between buckets) are where a claim would break. */
#include "inventory/adjust.h"
#include "base/id.h"
#include "engine/jobs.h"
#include "inventory/availability.h"
#include "inventory/count.h"
#include "inventory/past.h"
#include "inventory/reads.h"
#include "inventory/stock.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
/* Claims that a fact breaks in its own command, and in each step of the job that has the rest: 13 rows each, with its order, its queue and its
 * exception. Who comes in the midst of a step waits for its end. */
#define CLAIMS_AT_ONCE 600
#define CLAIMS_A_STEP 60
#define EVENT_SEQ_MAX INT64_C(9007199254740991) /* what JSON is sure to keep */

enum reason { REASON_OPENING, REASON_RECEIPT, REASON_FOUND, REASON_COUNT, REASON_DAMAGE, REASON_LOSS, REASON_CORRECTION, REASON_SNAPSHOT };
/* Who asks may say all but the last, which is what a mirrored node's snapshot makes. */
static const char *const reason_words[] = { "opening", "receipt", "found", "count", "damage", "loss", "correction", "snapshot" };
static const char *const reason_names[] = { "opening", "receipt", "found", "count", "damage", "loss", "correction", NULL };
static const struct {
    bool fact, sets_on_hand, counts; /* counts: it says what is there */
    enum place more, less;           /* where units come from, where they go */
} reasons[] = {
    [REASON_OPENING] = { false, true, false, PLACE_SUPPLIER, PLACE_SUPPLIER },
    [REASON_RECEIPT] = { false, false, false, PLACE_SUPPLIER, PLACE_SUPPLIER },
    [REASON_FOUND] = { false, false, false, PLACE_ADJUSTMENT, PLACE_ADJUSTMENT },
    [REASON_COUNT] = { true, true, true, PLACE_ADJUSTMENT, PLACE_ADJUSTMENT },
    [REASON_DAMAGE] = { true, false, false, PLACE_ADJUSTMENT, PLACE_SCRAP },
    [REASON_LOSS] = { true, false, false, PLACE_ADJUSTMENT, PLACE_SCRAP },
    [REASON_CORRECTION] = { false, false, false, PLACE_ADJUSTMENT, PLACE_ADJUSTMENT },
    [REASON_SNAPSHOT] = { true, true, true, PLACE_ADJUSTMENT, PLACE_ADJUSTMENT },
};

bool adjustment_opens(int64_t reason)
{
    return reason == REASON_OPENING;
}

static const char *const buckets[] = { "available", "quarantined", NULL };
static const enum bucket bucket_of_name[] = { BUCKET_AVAILABLE, BUCKET_QUARANTINED };

struct adjust_io {
    struct field_presence presence;
    const char *node, *sku, *class;
    int64_t delta, set, reason, bucket, from, as_of;
    struct money unit_cost;
    const char *document;
    int64_t was_on_hand; /* at the event as_of; read before it is decided */
};
static const struct field rows[] = {
    { "node", FIELD_CODE, AT(adjust_io, node), .required = true },
    { "sku", FIELD_CODE, AT(adjust_io, sku), .required = true },
    { "class", FIELD_CODE, AT(adjust_io, class), .hide_absent = true, .doc = "absent: own, new, saleable" },
    { "delta", FIELD_INT, AT(adjust_io, delta), .either = 1, .min = -QUANTITY_MAX, .max = QUANTITY_MAX, .doc = "units more or less" },
    { "set", FIELD_INT, AT(adjust_io, set), .either = 1, .min = 0, .max = QUANTITY_MAX, .doc = "on hand for count and opening, else the bucket" },
    { "reason", FIELD_ENUM, AT(adjust_io, reason), .required = true, .names = reason_names },
    { "bucket", FIELD_ENUM, AT(adjust_io, bucket), .names = buckets, .doc = "default available" },
    { "from", FIELD_ENUM, AT(adjust_io, from), .names = buckets, .hide_absent = true,
      .doc = "moves delta between the two instead of taking it from outside" },
    { "unit_cost", FIELD_MONEY, AT(adjust_io, unit_cost), .doc = "where goods come in" },
    { "document", FIELD_CODE, AT(adjust_io, document), .doc = "natural key: the same with node, SKU, class and reason is done once" },
    { "as_of", FIELD_INT, AT(adjust_io, as_of), .min = 1, .max = EVENT_SEQ_MAX,
      .doc = "of a count: the number of the last event that the counter saw; what moved since is not counted twice" },
};
const struct field_table adjust_fields = { "Adjustment", rows, COUNT(rows), sizeof(struct adjust_io) };

/* The answer, as openapi tells it; written by answer_text. */
struct broken_io {
    struct field_presence presence;
    const char *kind, *id, *sku, *order;
    int64_t line, quantity;
};
static const struct field broken_rows[] = {
    { "kind", FIELD_CODE, AT(broken_io, kind), .required = true, .read_only = true, .doc = "order, fence, reservation or transfer" },
    { "id", FIELD_TEXT, AT(broken_io, id), .required = true, .read_only = true, .doc = "of a fence: channel/node/SKU" },
    { "line", FIELD_INT, AT(broken_io, line), .read_only = true, .hide_absent = true, .doc = "of an order" },
    { "sku", FIELD_CODE, AT(broken_io, sku), .required = true, .read_only = true },
    { "quantity", FIELD_INT, AT(broken_io, quantity), .required = true, .read_only = true, .doc = "units that gave way" },
    { "order", FIELD_TEXT, AT(broken_io, order), .read_only = true, .hide_absent = true, .doc = "the id of an order once more" },
};
const struct field_table broken_fields = { "BrokenClaim", broken_rows, COUNT(broken_rows), sizeof(struct broken_io) };
struct adjusted_io {
    struct field_presence presence;
    const char *id;
    void *position;
    struct field_list broken;
    int64_t to_break;
    bool superseded;
};
static const struct field adjusted_rows[] = {
    { "id", FIELD_TEXT, AT(adjusted_io, id), .required = true, .read_only = true },
    { "position", FIELD_OBJECT, AT(adjusted_io, position), .required = true, .read_only = true, .of = &position_fields,
      .doc = "as it is behind this, with what went to those who waited" },
    { "broken", FIELD_LIST, AT(adjusted_io, broken), .required = true, .read_only = true, .of = &broken_fields,
      .doc = "claims that gave way, the lowest rank first" },
    { "to_break", FIELD_INT, AT(adjusted_io, to_break), .read_only = true, .hide_absent = true,
      .doc = "units that claims still have to give up, by a job" },
    { "superseded", FIELD_BOOL, AT(adjusted_io, superseded), .read_only = true, .hide_absent = true,
      .doc = "true: a count of a later state was told before, so this one changed nothing" },
};
const struct field_table adjusted_fields = { "AdjustmentDone", adjusted_rows, COUNT(adjusted_rows), sizeof(struct adjusted_io) };

static bool adjust_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    const struct adjust_io *in = command->input;
    const bool is_read = faults->count == 0; /* else what did not come, or is preset, may be what could not be read */
    const bool moves = field_came(&adjust_fields, in, "from"), counts = field_came(&adjust_fields, in, "delta");
    command->of_node = in->node;
    if (moves && ((counts && in->delta <= 0) || (is_read && (!counts || in->from == in->bucket))))
        fault_add(faults, FAULT_INVALID, "/from", "a move needs a delta above 0 and two different buckets");
    if (!moves && counts && in->delta == 0)
        fault_add(faults, FAULT_OUT_OF_RANGE, "/delta", "0 changes nothing");
    command->looks_back = field_came(&adjust_fields, in, "as_of");
    if (command->looks_back && is_read && (in->reason != REASON_COUNT || moves))
        fault_add(faults, FAULT_INVALID, "/as_of", "only a count says what was there at an event");
    return faults->count == 0;
}

static enum db_result adjust_look_back(const struct reading *reading, struct command *command)
{
    const struct adjust_io *in = command->input;
    struct adjust_io *with_past = ARENA_NEW(command->arena, struct adjust_io);
    struct past past = { .node = in->node, .sku = in->sku, .class = in->class, .seq = in->as_of };
    enum db_result result = on_hand_at(reading, &past, &command->faults, "/as_of");
    *with_past = *in;
    with_past->was_on_hand = past.on_hand;
    command->input = with_past;
    return result;
}

/* One attempt. */
struct adjust {
    struct ws *ws;
    struct command *command;
    const struct adjust_io *in;
    const struct node_row *node;
    const struct sku_row *sku;
    int64_t class;
    struct stock stock;
    struct given given; /* claims that gave way */
    int64_t id, delta;
    int64_t claims;  /* that it may break at once */
    int64_t on_hand; /* before it: what is owed is not there */
    bool past;       /* as of an event */
    struct count count;
    bool counted; /* it says what is there */
    bool frees;   /* more is available, or may be had by more */
};

static void write_position(struct adjust *a, struct json_writer *json)
{
    struct position_io position;
    position_show(a->ws, a->node, a->sku, a->class, &position);
    json_key(json, "position");
    fields_write(json, &position_fields, &position);
}

/* A fence is known outside by its path. */
static const char *fence_path(struct ws *ws, const struct goods *goods, const struct broken *b)
{
    const struct channel_row *channel = ws_get(ws, &channel_table, WS_KEY(ws_unit(ws), b->holder));
    return arena_printf(ws_arena(ws), "%s/%s/%s", channel->code, goods->node->code, goods->sku->code);
}

void broken_write(struct ws *ws, const struct goods *goods, const struct broken *first, struct json_writer *json)
{
    json_key(json, "broken");
    json_array(json);
    for (const struct broken *b = first; b != NULL; b = b->next) {
        char id[32];
        static const char *const prefixes[] = { NULL, "chn", "rsv", "trf", "ord" };
        id_format(prefixes[b->kind], ws_unit(ws), b->holder, id);
        json_object(json);
        json_key(json, "kind");
        json_text(json, claim_kind_names[b->kind]);
        json_key(json, "id");
        json_text(json, b->kind == CLAIM_FENCE ? fence_path(ws, goods, b) : id);
        if (b->kind == CLAIM_ORDER) {
            json_key(json, "line");
            json_int(json, b->line);
            json_key(json, "order");
            json_text(json, id);
        }
        json_key(json, "sku");
        json_text(json, goods->sku->code);
        json_key(json, "quantity");
        json_int(json, b->quantity);
        json_object_end(json);
    }
    json_array_end(json);
}

/* The whole answer; the event keeps it, so that the key or the document gives it again. */
static const char *answer_text(struct adjust *a)
{
    char id[32];
    struct json_writer json;
    id_format("adj", ws_unit(a->ws), a->id, id);
    json_begin(&json, ws_arena(a->ws));
    json_object(&json);
    json_key(&json, "id");
    json_text(&json, id);
    write_position(a, &json);
    broken_write(a->ws, &(struct goods){ a->node, a->sku, a->class }, a->given.first, &json);
    if (a->given.left > 0) {
        json_key(&json, "to_break");
        json_int(&json, a->given.left);
    }
    if (a->count.superseded) {
        json_key(&json, "superseded");
        json_bool(&json, true);
    }
    json_object_end(&json);
    return json.out.at;
}

static void answer(struct command *command, const char *text, int status)
{
    command->answer = (struct answer){ .status = status, .body = arena_text(command->arena, text), .body_bytes = strlen(text) };
}

void adjust_again(struct ws *ws, struct command *command, int64_t seq)
{
    const struct event_row *event = ws_get(ws, &event_table, WS_KEY(ws_unit(ws), seq));
    answer(command, event->data, command->answer.status);
}

static bool known_document(struct adjust *a)
{
    const struct db_value prefix[] = { db_int(ws_unit(a->ws)), db_text(a->in->document), db_int(a->node->id), db_int(a->sku->id),
                                       db_int(a->in->reason) };
    const struct adjustment_row *row = NULL;
    if (a->in->document == NULL)
        return false;
    struct ws_cursor cursor = ws_scan(a->ws, &adjustment_by_document, prefix, 0);
    while ((row = ws_next(a->ws, &cursor)) != NULL && row->class != a->class)
        continue;
    if (row == NULL)
        return false;
    a->command->existing = true;
    a->command->event_seq = row->event_seq;
    a->command->answer.status = 200;
    adjust_again(a->ws, a->command, row->event_seq);
    return true;
}

static bool resolve(struct adjust *a)
{
    const int64_t unit = ws_unit(a->ws);
    struct goods goods;
    (void)goods_find(a->ws, &a->command->faults, &(struct goods_named){ a->in->node, a->in->sku, a->in->class }, &goods);
    a->node = goods.node;
    a->sku = goods.sku;
    a->class = goods.class;
    const struct business_unit_row *books = a->in->unit_cost.currency[0] == '\0' ? NULL : ws_get(a->ws, &business_unit_table, WS_KEY(unit, unit));
    if (books != NULL && !text_equal(books->currency, a->in->unit_cost.currency))
        fault_add(&a->command->faults, FAULT_CURRENCY_MISMATCH, "/unit_cost/currency", "the books of %s are in %s", books->code, books->currency);
    return a->command->faults.count == 0;
}

static void refuse(struct adjust *a, const struct position_row *p, int64_t asked)
{
    fault_add(&a->command->faults, FAULT_STOCK_CONFLICT, "", "asked %ld, %s has %ld on hand, %ld available, %ld quarantined of %s", (long)asked,
              a->node->code, (long)position_on_hand(p), p == NULL ? 0L : (long)p->available, p == NULL ? 0L : (long)p->quarantined, a->sku->code);
}

static void move_units(struct adjust *a, int64_t units, int64_t from_node, enum bucket from, int64_t to_node, enum bucket to)
{
    stock_move(&a->stock, &(struct move){ .sku = a->sku->id,
                                          .class = a->class,
                                          .quantity = units,
                                          .from_node = from_node,
                                          .from = from,
                                          .to_node = to_node,
                                          .to = to,
                                          .unit_cost = a->in->unit_cost.currency[0] == '\0' ? NULL_INT : a->in->unit_cost.minor,
                                          .document = a->in->document });
}

/* A count decides what became of units that pickers did not find: what it misses are they, the others were only misplaced.
 * Returns what else it adds or takes. */
static int64_t count_decides(struct adjust *a)
{
    const int64_t unsure = a->count.superseded ? 0 : short_picked(a->ws, a->node->id, a->sku->id, a->count.as_of),
                  gone = min_i64(unsure, max_i64(0, -a->delta));
    a->frees = unsure > 0;
    move_units(a, gone, a->node->id, BUCKET_QUARANTINED, reasons[a->in->reason].less, BUCKET_NONE);
    move_units(a, unsure - gone, a->node->id, BUCKET_QUARANTINED, a->node->id, BUCKET_AVAILABLE);
    return a->delta + gone;
}

/* What was counted, there and then, and by how much stock is wrong. */
static void count_of(struct adjust *a)
{
    const bool past = a->past;
    const int64_t was = past ? a->in->was_on_hand : a->on_hand;
    a->count = (struct count){ .position = { ws_unit(a->ws), a->sku->id, a->node->id, a->class },
                               .as_of = past ? a->in->as_of : COUNTED_NOW,
                               .was_on_hand = was,
                               .counted = field_came(&adjust_fields, a->in, "set") ? a->in->set : was + a->in->delta,
                               .delta = a->delta };
    if (past && a->count.counted < 0)
        fault_add(&a->command->faults, FAULT_STOCK_CONFLICT, "", "%ld less were counted than were there at event %ld: %s had %ld on hand of %s",
                  (long)-a->in->delta, (long)a->in->as_of, a->node->code, (long)was, a->sku->code);
    else if (past)
        a->delta = count_corrects(a->ws, &a->count);
    a->count.counted = max_i64(0, a->count.counted); /* a job may owe more than is there */
}

static void apply(struct adjust *a)
{
    const struct position_row *p = position_find(a->ws, a->node->id, a->sku->id, a->class);
    enum bucket bucket = bucket_of_name[a->in->bucket], from = bucket_of_name[a->in->from];
    int64_t owed = stock_owed(a->ws, p), on_hand = position_on_hand(p) - owed;
    int64_t available = p == NULL ? 0 : max_i64(0, p->available - owed), quarantined = p == NULL ? 0 : p->quarantined;
    int64_t in_bucket = bucket == BUCKET_AVAILABLE ? available : quarantined;
    bool fact = reasons[a->in->reason].fact;
    a->delta = a->in->delta;
    if (field_came(&adjust_fields, a->in, "set"))
        a->delta = a->in->set - (reasons[a->in->reason].sets_on_hand ? on_hand : in_bucket);
    a->on_hand = on_hand;
    a->counted = reasons[a->in->reason].counts && !field_came(&adjust_fields, a->in, "from");
    if (a->counted)
        count_of(a);
    if (a->command->faults.count > 0)
        return;
    int64_t delta = a->delta;
    if (a->counted && a->class == 0 && -delta <= on_hand && on_hand + delta <= QUANTITY_MAX) /* else it is refused below */
        delta = count_decides(a);
    if (field_came(&adjust_fields, a->in, "from")) {
        if (a->delta > (from == BUCKET_AVAILABLE ? available : quarantined))
            refuse(a, p, a->delta);
        else if (bucket != BUCKET_AVAILABLE || from == bucket || !recall_refuses(a->ws, &a->command->faults, p))
            move_units(a, a->delta, a->node->id, from, a->node->id, bucket);
    } else if (delta >= 0) {
        if (on_hand + a->delta > QUANTITY_MAX)
            fault_add(&a->command->faults, FAULT_STOCK_CONFLICT, "",
                      "%ld more would be over %ld, the largest stock of a SKU at a node: %s has %ld on hand of %s", (long)a->delta,
                      (long)QUANTITY_MAX, a->node->code, (long)on_hand, a->sku->code);
        else
            move_units(a, delta, reasons[a->in->reason].more, BUCKET_NONE, a->node->id, bucket);
    } else if (fact && -a->delta <= on_hand) {
        a->given = stock_take_by_fact(&a->stock, &(struct fact){ .node = a->node->id,
                                                                 .sku = a->sku->id,
                                                                 .class = a->class,
                                                                 .quantity = -delta,
                                                                 .named = bucket,
                                                                 .to_node = reasons[a->in->reason].less,
                                                                 .claims = a->claims });
    } else if (!fact && -a->delta <= in_bucket) {
        move_units(a, -a->delta, a->node->id, bucket, reasons[a->in->reason].less, BUCKET_NONE);
    } else {
        refuse(a, p, a->delta);
    }
}

/* A fact goes on to take what it could not take at once. Parcels may have left meanwhile: then there is less to take. */
static bool give_way_step(struct ws *ws, struct job_row *job)
{
    int64_t unit, cause = 0;
    bool known = id_parse(job->data, strlen(job->data), "adj", &unit, &cause);
    const struct adjustment_row *adjustment = known ? ws_get(ws, &adjustment_table, WS_KEY(ws_unit(ws), cause)) : NULL;
    assert(adjustment != NULL); /* written by the command that opened the job */
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_ADJUSTMENT, cause });
    int64_t units = min_i64(job->head, position_on_hand(position_find(ws, job->node, job->subject, 0)));
    struct given given = stock_take_by_fact(&stock, &(struct fact){ .node = job->node,
                                                                    .sku = job->subject,
                                                                    .quantity = units,
                                                                    .named = bucket_of_name[adjustment->bucket],
                                                                    .to_node = reasons[adjustment->reason].less,
                                                                    .claims = CLAIMS_A_STEP });
    job->progress += units - given.left;
    job->head = given.left;
    stock_end(&stock);
    short_picks_settle(ws, job->node, job->subject, NOT_COUNTED);
    claims_tell_broken(ws, given.first, reason_words[adjustment->reason]);
    if (job->head == 0)
        give_way_ended(ws, job);
    return job->head > 0;
}

const struct job_work give_way_job = { give_way_step };

static void write_adjustment(struct adjust *a)
{
    const struct adjust_io *in = a->in;
    bool valued = in->unit_cost.currency[0] != '\0';
    int64_t amount = NULL_INT;
    if (valued && !money_multiply(in->unit_cost.minor, a->delta, &amount))
        amount = NULL_INT;
    struct event_row event = event_of(EVENT_STOCK_ADJUSTED, SUBJECT_ADJUSTMENT, a->id);
    event.node = a->node->id;
    event.sku = a->sku->id;
    event.quantity = a->delta;
    event.class = a->class;
    event.amount = amount;
    event.currency = valued ? in->unit_cost.currency : NULL;
    event.unit_cost = valued ? in->unit_cost.minor : NULL_INT;
    event.document = in->document;
    a->command->event_seq = ws_event(a->ws, event);
    struct adjustment_row row = { .unit = ws_unit(a->ws),
                                  .id = a->id,
                                  .node = a->node->id,
                                  .sku = a->sku->id,
                                  .class = a->class,
                                  .reason = in->reason,
                                  .bucket = in->bucket,
                                  .delta = a->delta,
                                  .document = in->document,
                                  .event_seq = a->command->event_seq };
    ws_insert(a->ws, &adjustment_table, &row);
}

/* When all is done: who waited may have got what came, and the position is told as the command leaves it. The event, which stands
 * before what followed of it, is written with the batch. */
static void tell_outcome(struct adjust *a)
{
    struct event_row *event = ws_edit(a->ws, ws_get(a->ws, &event_table, WS_KEY(ws_unit(a->ws), a->command->event_seq)));
    event->data = answer_text(a);
    answer(a->command, event->data, 201);
}

static int64_t available_of(const struct position_row *position)
{
    return position == NULL ? 0 : position->available;
}

static void adjust_look_up(struct ws *ws, struct command *command)
{
    struct adjust a = { .ws = ws, .command = command, .in = command->input };
    (void)resolve(&a);
}

/* All but to tell it, and to fill who waits. */
static void carry_out(struct adjust *a)
{
    struct ws *ws = a->ws;
    const int64_t available = available_of(position_find(ws, a->node->id, a->sku->id, a->class));
    a->id = ws_next_id(ws);
    a->stock = stock_begin(ws, (struct cause){ CAUSE_ADJUSTMENT, a->id });
    apply(a);
    if (a->command->faults.count > 0)
        return;
    if (a->given.left > 0)
        give_way_later(ws, a->node->id, a->sku->id, a->given.left, a->id);
    stock_end(&a->stock); /* tells what is owed, too */
    write_adjustment(a);
    if (a->counted)
        count_note(ws, &a->count, a->command->event_seq, a->id);
    a->frees = a->class == 0 && (a->frees || available_of(position_find(ws, a->node->id, a->sku->id, 0)) > available);
    if (a->class == 0)
        short_picks_settle(ws, a->node->id, a->sku->id, a->counted && !a->count.superseded ? a->count.as_of : NOT_COUNTED);
    claims_tell_broken(ws, a->given.first, reason_words[a->in->reason]);
    if (a->counted && a->class == 0 && a->delta == 0 && !a->count.superseded)
        (void)count_agrees(ws, a->node->id, a->sku->id);
}

static void adjust_decide(struct ws *ws, struct command *command)
{
    struct adjust a = { .ws = ws, .command = command, .in = command->input, .claims = CLAIMS_AT_ONCE, .past = command->looks_back };
    if (!resolve(&a))
        return;
    assert(a.node != NULL && a.sku != NULL); /* the form is good: both were named, and are there */
    if (known_document(&a))
        return;
    carry_out(&a);
    if (command->faults.count > 0)
        return;
    const struct freed freed = { a.node->id, a.sku->id, available_of(position_find(ws, a.node->id, a.sku->id, a.class)) };
    if (a.frees) { /* what is quarantined or of a class nobody may have */
        short_picks_open(ws, &freed, 1);
        stock_followers.supply(ws, &freed, 1);
    }
    tell_outcome(&a);
}

void adjust_by_snapshot(struct ws *ws, const struct found_there *found, struct adjusted *out)
{
    struct adjust_io in = { .set = found->on_hand, .reason = REASON_SNAPSHOT, .as_of = found->as_of, .was_on_hand = found->was_on_hand };
    struct command command = { .arena = ws_arena(ws), .faults = { .arena = ws_arena(ws) } };
    struct adjust a = { .ws = ws,
                        .command = &command,
                        .in = &in,
                        .node = found->goods.node,
                        .sku = found->goods.sku,
                        .class = found->goods.class,
                        .claims = found->claims,
                        .past = found->as_of != 0 };
    field_set(&adjust_fields, &in, "set");
    carry_out(&a);
    assert(command.faults.count == 0); /* down to 0, and no more than there may be */
    *out = (struct adjusted){ .id = a.id, .given = a.given, .frees = a.frees };
}

bool adjust_book_count(struct ws *ws, const struct count_booking *booking, struct count_booked *out, struct faults *faults)
{
    struct adjust_io in = { .reason = REASON_COUNT, .set = booking->counted, .as_of = booking->as_of, .was_on_hand = booking->was_on_hand };
    struct command command = { .arena = ws_arena(ws), .faults = { .arena = ws_arena(ws) } };
    struct adjust a = {
        .ws = ws, .command = &command, .in = &in, .node = booking->node, .sku = booking->sku, .claims = booking->claims, .past = true
    };
    field_set(&adjust_fields, &in, "set");
    carry_out(&a);
    for (size_t i = 0; i < command.faults.count; i++)
        fault_add(faults, command.faults.items[i].code, "", "%s", command.faults.items[i].detail);
    if (command.faults.count > 0)
        return false;
    tell_outcome(&a);
    const struct freed freed = { a.node->id, a.sku->id, a.frees ? available_of(position_find(ws, a.node->id, a.sku->id, 0)) : 0 };
    *out = (struct count_booked){ .adjustment = a.id, .delta = a.delta, .superseded = a.count.superseded, .broke = a.given.count, .freed = freed };
    return true;
}

static void adjust_prefetch(struct ws *ws, const struct command *command)
{
    const struct adjust_io *in = command->input;
    const int64_t unit = ws_unit(ws);
    goods_want(ws, &(struct goods_named){ in->node, in->sku, in->class });
    const struct node_row *node = ws_known(ws, &node_by_code, WS_PREFIX(db_int(unit), db_text(in->node)));
    const struct sku_row *sku = ws_known(ws, &sku_by_code, WS_PREFIX(db_int(unit), db_text(in->sku)));
    if (node == NULL || sku == NULL)
        return; /* the second round knows them */
    short_picks_want(ws, 0, sku->id);
    if (in->reason == REASON_COUNT)
        count_difference_want(ws, node->id, sku->id);
    if (command->looks_back && in->class == NULL)
        count_want(ws, WS_KEY(unit, sku->id, node->id, 0));
    if (in->document != NULL)
        ws_want_path(ws, &adjustment_by_document,
                     WS_PREFIX(db_int(unit), db_text(in->document), db_int(node->id), db_int(sku->id), db_int(in->reason)), 0);
}

const struct command_type stock_adjust = { .name = "stock.adjust",
                                           .input = &adjust_fields,
                                           .mode = FIELDS_POST,
                                           .queue = QUEUE_CHANNELS,
                                           .edge = adjust_edge,
                                           .prefetch = adjust_prefetch,
                                           .look_up = adjust_look_up,
                                           .look_back = adjust_look_back,
                                           .decide = adjust_decide,
                                           .again = adjust_again,
                                           .inverse = "stock.adjust: reason correction, the opposite delta" };
