/* src/inventory/snapshots.c: the keeper of a mirrored node says what is there; theirs is the truth. Each SKU and class that differs is adjusted
 * (reason snapshot), as a count does it: what pickers missed is settled, claims give way, the rest becomes a job. Then what they keep back of it is
 * moved between the buckets, as far as nobody claims it. An older snapshot than the last is refused: it would undo what is known since. An exception
 * for a position whose difference is above the tolerance, or broke claims, closes with the next snapshot that agrees. */
#include "inventory/stock.h"
#include "inventory/snapshots.h"
#include "base/id.h"
#include "engine/exceptions.h"
#include "inventory/adjust.h"
#include "inventory/count.h"
#include "inventory/inventory.h"
#include "inventory/past.h"
#include <assert.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
/* 12 rows an item, 13 a claim, and what is filled: within the 10,000 of a command. */
#define ITEMS_MAX 300
#define CLAIMS_MAX 300
#define PARTS_MAX 10000
#define EVENT_SEQ_MAX INT64_C(9007199254740991) /* what JSON is sure to keep */
#define CLOCKS_DIFFER_US (INT64_C(3600) * 1000000)

/* ---- what is asked and answered ---- */

struct item_io {
    struct field_presence presence;
    const char *sku, *class;
    int64_t quantity, quarantined;
    int64_t was_on_hand; /* at as_of; read before it is decided */
};
static const struct field item_rows[] = {
    { "sku", FIELD_CODE, AT(item_io, sku), .required = true },
    { "class", FIELD_CODE, AT(item_io, class), .hide_absent = true, .doc = "absent: own, new, saleable" },
    { "quantity", FIELD_INT, AT(item_io, quantity), .required = true, .min = 0, .max = QUANTITY_MAX, .doc = "on hand, with what is kept back" },
    { "quarantined", FIELD_INT, AT(item_io, quarantined), .min = 0, .max = QUANTITY_MAX, .hide_absent = true,
      .doc = "of those, what may not be sold; absent: they do not say" },
};
static const struct field_table item_fields = { "SnapshotItem", item_rows, COUNT(item_rows), sizeof(struct item_io) };
struct take_io {
    struct field_presence presence;
    int64_t taken_at, tolerance, as_of, part;
    const char *document;
    bool whole;
    struct field_list items;
};
static const struct field take_rows[] = {
    { "taken_at", FIELD_TIME, AT(take_io, taken_at), .required = true, .doc = "when it was so; parts of one have the same time" },
    { "document", FIELD_CODE, AT(take_io, document), .hide_absent = true, .doc = "natural key: the same at this node is taken once" },
    { "part", FIELD_INT, AT(take_io, part), .min = 1, .max = PARTS_MAX, .hide_absent = true,
      .doc = "of the snapshot that `document` names: more than 300 positions come so, in any order; each part is applied as it comes, and once" },
    { "as_of", FIELD_INT, AT(take_io, as_of), .min = 1, .max = EVENT_SEQ_MAX, .hide_absent = true,
      .doc = "the last event of ours that the keeper had seen: what moved since is not counted twice; absent: all" },
    { "whole", FIELD_BOOL, AT(take_io, whole), .doc = "true: of what is not named there is nothing; for nodes of at most 300 positions" },
    { "tolerance", FIELD_INT, AT(take_io, tolerance), .min = 0, .max = QUANTITY_MAX,
      .doc = "units by which a position may differ and nobody is told" },
    { "items", FIELD_LIST, AT(take_io, items), .required = true, .max = ITEMS_MAX, .of = &item_fields, .doc = "what is there; more comes in parts" },
};
static const struct field_table take_fields = { "SnapshotIn", take_rows, COUNT(take_rows), sizeof(struct take_io) };

/* Written by hand; for openapi. */
struct difference_io {
    struct field_presence presence;
    const char *sku, *class, *adjustment;
    int64_t expected, quantity, to_break, kept_back;
    struct field_list broken;
};
static const struct field difference_rows[] = {
    { "sku", FIELD_CODE, AT(difference_io, sku), .required = true, .read_only = true },
    { "class", FIELD_CODE, AT(difference_io, class), .read_only = true, .hide_absent = true },
    { "expected", FIELD_INT, AT(difference_io, expected), .required = true, .read_only = true, .doc = "what we had on hand" },
    { "quantity", FIELD_INT, AT(difference_io, quantity), .required = true, .read_only = true, .doc = "what is there" },
    { "adjustment", FIELD_TEXT, AT(difference_io, adjustment), .read_only = true, .nullable = true, .doc = "null: only the buckets differed" },
    { "kept_back", FIELD_INT, AT(difference_io, kept_back), .required = true, .read_only = true,
      .doc = "units moved into quarantine; below zero: out of it" },
    { "broken", FIELD_LIST, AT(difference_io, broken), .required = true, .read_only = true, .of = &broken_fields },
    { "to_break", FIELD_INT, AT(difference_io, to_break), .required = true, .read_only = true,
      .doc = "units that claims still have to give up, by a job" },
};
static const struct field_table difference_fields = { "SnapshotDifference", difference_rows, COUNT(difference_rows), sizeof(struct difference_io) };
struct answer_io {
    struct field_presence presence;
    const char *id, *node, *document;
    int64_t taken_at, positions, part, as_of;
    struct field_list differences;
};
static const struct field answer_rows[] = {
    { "id", FIELD_TEXT, AT(answer_io, id), .required = true, .read_only = true },
    { "node", FIELD_CODE, AT(answer_io, node), .required = true, .read_only = true },
    { "taken_at", FIELD_TIME, AT(answer_io, taken_at), .required = true, .read_only = true },
    { "document", FIELD_CODE, AT(answer_io, document), .read_only = true, .nullable = true },
    { "part", FIELD_INT, AT(answer_io, part), .read_only = true, .nullable = true },
    { "as_of", FIELD_INT, AT(answer_io, as_of), .read_only = true, .nullable = true },
    { "positions", FIELD_INT, AT(answer_io, positions), .required = true, .read_only = true, .doc = "that were compared" },
    { "differences", FIELD_LIST, AT(answer_io, differences), .required = true, .read_only = true, .of = &difference_fields,
      .doc = "positions that were not as it says" },
};
const struct field_table snapshot_fields = { "Snapshot", answer_rows, COUNT(answer_rows), sizeof(struct answer_io) };

/* ---- one attempt ---- */

struct compared {
    struct goods goods;
    int64_t quantity, quarantined;         /* NULL_INT: they do not say */
    int64_t was_on_hand;                   /* at as_of */
    int64_t expected, kept_back, not_kept; /* not_kept: what they keep back and somebody here has a claim to */
    struct adjusted done;
    bool differs;
};
struct snapshot {
    struct ws *ws;
    struct command *command;
    const struct take_io *in;
    const struct node_row *node;
    struct compared *items;
    size_t count;
    int64_t id;
    const struct snapshot_row *first; /* of a part: the snapshot, where another part came before */
};

static bool edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    const struct take_io *in = command->input;
    const struct item_io *items = in->items.items;
    memcpy(command->path, request->path, sizeof command->path);
    command->of_node = request->path[0];
    command->looks_back = field_came(&take_fields, in, "as_of");
    if (field_came(&take_fields, in, "part") && in->document == NULL)
        fault_add(faults, FAULT_REQUIRED, "/document", "parts of a snapshot have its document in common");
    if (in->whole && (command->looks_back || field_came(&take_fields, in, "part")))
        fault_add(faults, FAULT_INVALID, "/whole", "a part, or one as of an event, names what is gone with 0");
    for (size_t i = 0; i < in->items.count; i++) {
        if (field_came(&item_fields, &items[i], "quarantined") && items[i].quarantined > items[i].quantity)
            fault_add(faults, FAULT_OUT_OF_RANGE, arena_printf(command->arena, "/items/%zu/quarantined", i), "more than are on hand: %ld",
                      (long)items[i].quantity);
        for (size_t k = 0; k < i && items[i].sku != NULL; k++)
            if (text_equal(items[k].sku, items[i].sku) && text_equal(items[k].class, items[i].class)) {
                fault_add(faults, FAULT_INVALID, arena_printf(command->arena, "/items/%zu/sku", i), "item %zu names it too", k);
                break;
            }
    }
    return faults->count == 0;
}

static enum db_result look_back(const struct reading *reading, struct command *command)
{
    const struct take_io *in = command->input;
    struct take_io *copy = ARENA_NEW(command->arena, struct take_io);
    struct item_io *items = ARENA_ARRAY(command->arena, struct item_io, in->items.count + 1);
    enum db_result result = DB_OK;
    memcpy(items, in->items.items, in->items.count * sizeof *items);
    for (size_t i = 0; result == DB_OK && i < in->items.count; i++) {
        struct past past = { .node = command->path[0], .sku = items[i].sku, .class = items[i].class, .seq = in->as_of };
        const size_t before = command->faults.count;
        result = on_hand_at(reading, &past, &command->faults, "/as_of");
        items[i].was_on_hand = past.on_hand;
        if (command->faults.count > before)
            break; /* of the others it would be the same */
    }
    *copy = *in;
    copy->items.items = items;
    command->input = copy;
    return result;
}

static void want_items(struct snapshot *s)
{
    const struct item_io *items = s->in->items.items;
    const int64_t unit = ws_unit(s->ws);
    for (size_t i = 0; i < s->in->items.count; i++) {
        if (items[i].sku != NULL)
            ws_want_path(s->ws, &sku_by_code, WS_PREFIX(db_int(unit), db_text(items[i].sku)), 0);
        if (items[i].class != NULL)
            ws_want_path(s->ws, &goods_class_by_code, WS_PREFIX(db_int(unit), db_text(items[i].class)), 0);
    }
    ws_settle(s->ws);
}

static void find_items(struct snapshot *s)
{
    const struct item_io *items = s->in->items.items;
    want_items(s);
    s->items = ARENA_ARRAY(ws_arena(s->ws), struct compared, ITEMS_MAX + 1);
    for (size_t i = 0; i < s->in->items.count; i++) {
        const char *at = arena_printf(s->command->arena, "/items/%zu/sku", i);
        const struct sku_row *sku =
            items[i].sku == NULL ? NULL : ws_find(s->ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(s->ws)), db_text(items[i].sku)));
        if (sku == NULL && items[i].sku != NULL)
            fault_add(&s->command->faults, FAULT_SKU_UNKNOWN, at, "there is no SKU %s", items[i].sku);
        else if (sku != NULL && sku->bundle)
            fault_add(&s->command->faults, FAULT_HOLDS_NO_STOCK, at, "%s is a bundle", items[i].sku);
        const int64_t class = class_named(s->ws, &s->command->faults, items[i].class, arena_printf(s->command->arena, "/items/%zu/class", i));
        s->items[s->count++] =
            (struct compared){ .goods = { s->node, sku, class },
                               .quantity = items[i].quantity,
                               .was_on_hand = items[i].was_on_hand,
                               .quarantined = field_came(&item_fields, &items[i], "quarantined") ? items[i].quarantined : NULL_INT };
    }
}

static bool is_named(const struct snapshot *s, const struct position_row *position)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].goods.sku->id == position->sku && s->items[i].goods.class == position->class)
            return true;
    return false;
}

/* Of what stands there and is not named there is nothing. */
static void add_the_rest(struct snapshot *s)
{
    assert(s->node != NULL);
    const size_t named = s->count;
    size_t positions = 0;
    const struct position_row *position;
    struct ws_cursor cursor = ws_scan(s->ws, &position_of_node, WS_PREFIX(db_int(ws_unit(s->ws)), db_int(s->node->id)), ITEMS_MAX + 1);
    while ((position = ws_next(s->ws, &cursor)) != NULL && positions <= ITEMS_MAX && s->count <= ITEMS_MAX) {
        positions++;
        if (position_on_hand(position) == 0 || is_named(s, position))
            continue;
        if (s->count < ITEMS_MAX)
            s->items[s->count] =
                (struct compared){ .goods = { s->node, ws_get(s->ws, &sku_table, WS_KEY(ws_unit(s->ws), position->sku)), position->class },
                                   .quarantined = NULL_INT };
        s->count++;
    }
    if (positions <= ITEMS_MAX && s->count <= ITEMS_MAX)
        return;
    s->count = named;
    fault_add(&s->command->faults, FAULT_BATCH_TOO_LARGE, "/whole", "more than %d positions stand there: send parts, and name what is gone with 0",
              ITEMS_MAX);
}

static bool resolve(struct snapshot *s)
{
    s->node = ws_find(s->ws, &node_by_code, WS_PREFIX(db_int(ws_unit(s->ws)), db_text(s->command->path[0])));
    if (s->node != NULL && s->node->owner != ws_unit(s->ws))
        s->node = NULL;
    if (s->node == NULL && s->command->faults.count == 0) {
        fault_add(&s->command->faults, FAULT_NOT_FOUND, NULL, "there is no node %s", s->command->path[0]);
        return false;
    }
    find_items(s);
    if (s->in->taken_at > ws_now_us(s->ws) + CLOCKS_DIFFER_US)
        fault_add(&s->command->faults, FAULT_OUT_OF_RANGE, "/taken_at", "it lies in the future");
    if (s->command->faults.count == 0 && s->in->whole)
        add_the_rest(s);
    return s->command->faults.count == 0;
}

/* ---- ours is made equal ---- */

/* What they keep back and we do not, as far as nobody claims it; and the other way round. */
static void keep_back(struct snapshot *s, struct compared *c)
{
    const struct position_row *p = position_find(s->ws, s->node->id, c->goods.sku->id, c->goods.class);
    if (c->quarantined == NULL_INT || p == NULL || c->quarantined == p->quarantined)
        return;
    if (c->quarantined < p->quarantined && recall_at(s->ws, p->node, p->sku, p->class) != NULL)
        return; /* what was called back we keep back, whatever they say */
    const int64_t wanted = c->quarantined - p->quarantined, free = max_i64(0, p->available - stock_owed(s->ws, p));
    c->kept_back = wanted < 0 ? wanted : min_i64(wanted, free);
    c->not_kept = max_i64(0, wanted - c->kept_back);
    struct stock stock = stock_begin(s->ws, (struct cause){ CAUSE_SNAPSHOT, s->id });
    stock_move(&stock, &(struct move){ .sku = c->goods.sku->id,
                                       .class = c->goods.class,
                                       .quantity = wanted < 0 ? -wanted : c->kept_back,
                                       .from_node = s->node->id,
                                       .from = wanted < 0 ? BUCKET_QUARANTINED : BUCKET_AVAILABLE,
                                       .to_node = s->node->id,
                                       .to = wanted < 0 ? BUCKET_AVAILABLE : BUCKET_QUARANTINED,
                                       .unit_cost = NULL_INT,
                                       .document = s->in->document });
    stock_end(&stock);
    c->done.frees = c->done.frees || (wanted < 0 && c->goods.class == 0);
}

static void judge(struct snapshot *s, const struct compared *c)
{
    const char *cause =
        arena_printf(ws_arena(s->ws), "snapshot_difference/%ld/%ld/%ld", (long)s->node->id, (long)c->goods.sku->id, (long)c->goods.class);
    const struct exception_item_row *open = exception_find(s->ws, cause);
    const int64_t difference = c->quantity > c->expected ? c->quantity - c->expected : c->expected - c->quantity;
    const int64_t beyond = difference > s->in->tolerance ? difference : 0;
    const bool broke = c->done.given.first != NULL || c->done.given.left > 0;
    if (beyond > 0 || broke || c->not_kept > 0)
        exception_open(s->ws, &(struct exception){ .type = EXCEPTION_SNAPSHOT_DIFFERENCE,
                                                   .cause = cause,
                                                   .subject_kind = SUBJECT_POSITION,
                                                   .node = s->node->id,
                                                   .sku = c->goods.sku->id,
                                                   .quantity = max_i64(difference, c->not_kept),
                                                   .detail = broke             ? "what was promised is not there"
                                                             : c->not_kept > 0 ? "what they keep back is promised here"
                                                                               : "theirs and ours differ by more than the tolerance" });
    else if (open != NULL)
        (void)exception_close(s->ws, open);
}

static void want_positions(struct snapshot *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct compared *c = &s->items[i];
        ws_want_path(s->ws, &position_of_sku, WS_PREFIX(db_int(ws_unit(s->ws)), db_int(c->goods.sku->id)), 0);
        short_picks_want(s->ws, s->node->id, c->goods.sku->id);
        count_want(s->ws, WS_KEY(ws_unit(s->ws), c->goods.sku->id, s->node->id, c->goods.class));
        exception_want(
            s->ws, arena_printf(ws_arena(s->ws), "snapshot_difference/%ld/%ld/%ld", (long)s->node->id, (long)c->goods.sku->id, (long)c->goods.class));
    }
    ws_settle(s->ws);
}

/* By how much ours is wrong, where so many were there at as_of: what differed then differs now, less what counts told since have corrected of it.
 * Units that have left since are gone either way, so no more is taken than there is: *counted is what says so. */
static int64_t wrong_by(struct snapshot *s, const struct compared *c, int64_t on_hand, int64_t *counted)
{
    struct count count = { .position = { ws_unit(s->ws), c->goods.sku->id, s->node->id, c->goods.class },
                           .as_of = s->in->as_of,
                           .was_on_hand = c->was_on_hand,
                           .counted = c->quantity };
    *counted = c->quantity;
    if (!s->command->looks_back)
        return c->quantity - on_hand;
    const int64_t delta = count_corrects(s->ws, &count), possible = max_i64(-on_hand, min_i64(QUANTITY_MAX - on_hand, delta));
    *counted += possible - delta;
    return possible;
}

static void compare(struct snapshot *s)
{
    struct freed *freed = ARENA_ARRAY(ws_arena(s->ws), struct freed, s->count + 1);
    size_t freed_count = 0;
    int64_t claims = CLAIMS_MAX;
    want_positions(s);
    for (size_t i = 0; i < s->count; i++) {
        struct compared *c = &s->items[i];
        const struct position_row *p = position_find(s->ws, s->node->id, c->goods.sku->id, c->goods.class);
        const int64_t on_hand = position_on_hand(p) - stock_owed(s->ws, p);
        int64_t counted;
        const int64_t delta = wrong_by(s, c, on_hand, &counted);
        c->expected = c->quantity - delta;
        if (delta != 0) {
            adjust_by_snapshot(s->ws, &(struct found_there){ c->goods, counted, claims, s->in->as_of, c->was_on_hand }, &c->done);
            claims = max_i64(0, claims - c->done.given.count);
        }
        keep_back(s, c);
        c->differs = c->done.id != 0 || c->kept_back != 0 || c->not_kept != 0;
        judge(s, c);
        if (c->done.frees)
            freed[freed_count++] = (struct freed){ s->node->id, c->goods.sku->id, 1 };
    }
    for (size_t i = 0; i < freed_count; i++)
        freed[i].units = position_find(s->ws, freed[i].node, freed[i].sku, 0)->available;
    short_picks_open(s->ws, freed, freed_count);
    stock_followers.supply(s->ws, freed, freed_count);
}

/* ---- what is told ---- */

static void write_difference(struct snapshot *s, const struct compared *c, struct json_writer *json)
{
    json_object(json);
    json_key(json, "sku");
    json_text(json, c->goods.sku->code);
    if (c->goods.class != 0) {
        json_key(json, "class");
        json_text(json, class_code(s->ws, c->goods.class));
    }
    json_key(json, "expected");
    json_int(json, c->expected);
    json_key(json, "quantity");
    json_int(json, c->quantity);
    json_key(json, "adjustment");
    json_text(json, c->done.id == 0 ? NULL : id_text(ws_arena(s->ws), "adj", ws_unit(s->ws), c->done.id));
    json_key(json, "kept_back");
    json_int(json, c->kept_back);
    broken_write(s->ws, &c->goods, c->done.given.first, json);
    json_key(json, "to_break");
    json_int(json, c->done.given.left);
    json_object_end(json);
}

static int64_t part_of(const struct take_io *in)
{
    return field_came(&take_fields, in, "part") ? in->part : 0;
}

static void write_number(struct json_writer *json, int64_t number)
{
    if (number == 0)
        json_null(json);
    else
        json_int(json, number);
}

static const char *answer_text(struct snapshot *s)
{
    struct json_writer json;
    json_begin(&json, ws_arena(s->ws));
    json_object(&json);
    json_key(&json, "id");
    json_text(&json, id_text(ws_arena(s->ws), "snp", ws_unit(s->ws), s->id));
    json_key(&json, "node");
    json_text(&json, s->node->code);
    json_key(&json, "taken_at");
    json_time(&json, s->in->taken_at);
    json_key(&json, "document");
    json_text(&json, s->in->document);
    json_key(&json, "part");
    write_number(&json, part_of(s->in));
    json_key(&json, "as_of");
    write_number(&json, s->in->as_of);
    json_key(&json, "positions");
    json_int(&json, (int64_t)s->count);
    json_key(&json, "differences");
    json_array(&json);
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].differs)
            write_difference(s, &s->items[i], &json);
    json_array_end(&json);
    json_object_end(&json);
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

/* The first that came of a document tells whether it comes in parts. */
static bool comes_in_parts(struct snapshot *s, const struct snapshot_row *first)
{
    const struct event_row *event = ws_get(s->ws, &event_table, WS_KEY(first->unit, first->event_seq));
    return strstr(event->data, "\"part\":null") == NULL;
}

/* It is answered, or refused. */
static bool known_document(struct snapshot *s)
{
    assert(s->node != NULL); /* the form is good: it was named, and is there */
    const struct db_value prefix[] = { db_int(ws_unit(s->ws)), db_text(s->in->document), db_int(s->node->id) };
    const struct snapshot_row *row = s->in->document == NULL ? NULL : ws_find(s->ws, &snapshot_by_document, prefix);
    int64_t seq = row == NULL ? 0 : row->event_seq;
    if (row != NULL && comes_in_parts(s, row) != (part_of(s->in) != 0)) {
        fault_add(&s->command->faults, FAULT_STATE_CONFLICT, "/part", "%s has this document, and %s",
                  id_text(s->command->arena, "snp", row->unit, row->id),
                  part_of(s->in) != 0 ? "was all of it: it has no parts" : "comes in parts: say which one this is");
        return true;
    }
    if (row != NULL && part_of(s->in) != 0) {
        const struct snapshot_part_row *part = ws_get(s->ws, &snapshot_part_table, WS_KEY(row->unit, row->id, part_of(s->in)));
        seq = part == NULL ? 0 : part->event_seq;
        s->first = row;
    }
    if (seq == 0)
        return false;
    s->command->existing = true;
    s->command->event_seq = seq;
    s->command->answer.status = 200;
    again(s->ws, s->command, seq);
    return true;
}

static bool refused(struct snapshot *s)
{
    const struct snapshot_row *last = ws_find(s->ws, &snapshot_of_node, WS_PREFIX(db_int(ws_unit(s->ws)), db_int(s->node->id)));
    if (s->node->authority != AUTHORITY_MIRRORED)
        fault_add(&s->command->faults, FAULT_STATE_CONFLICT, NULL, "%s is governed: our count is the truth there; count it", s->node->code);
    else if (last != NULL && last->taken_at > s->in->taken_at)
        fault_add(&s->command->faults, FAULT_STATE_CONFLICT, "/taken_at", "a newer one was taken: %s",
                  id_text(s->command->arena, "snp", ws_unit(s->ws), last->id));
    else if (s->first != NULL && (s->first->taken_at != s->in->taken_at || s->first->as_of != s->in->as_of))
        fault_add(&s->command->faults, FAULT_STATE_CONFLICT, "/document",
                  "%s has this document, and another time or event: its parts have them in common",
                  id_text(s->command->arena, "snp", ws_unit(s->ws), s->first->id));
    return s->command->faults.count > 0;
}

/* The row of one that is new, and of a part. */
static void note(const struct snapshot *s)
{
    const struct snapshot_row row = { .unit = ws_unit(s->ws),
                                      .id = s->id,
                                      .node = s->node->id,
                                      .taken_at = s->in->taken_at,
                                      .document = s->in->document,
                                      .event_seq = s->command->event_seq,
                                      .as_of = s->in->as_of };
    if (s->first == NULL)
        ws_insert(s->ws, &snapshot_table, &row);
    if (part_of(s->in) != 0)
        ws_insert(s->ws, &snapshot_part_table,
                  &(struct snapshot_part_row){ .unit = row.unit, .snapshot = s->id, .part = part_of(s->in), .event_seq = row.event_seq });
}

static void decide(struct ws *ws, struct command *command)
{
    struct snapshot s = { .ws = ws, .command = command, .in = command->input };
    if (!resolve(&s) || known_document(&s) || refused(&s))
        return;
    s.id = s.first != NULL ? s.first->id : ws_next_id(ws);
    struct event_row event = event_of(EVENT_SNAPSHOT_TAKEN, SUBJECT_SNAPSHOT, s.id);
    event.node = s.node->id;
    event.document = s.in->document;
    command->event_seq = ws_event(ws, event);
    note(&s);
    compare(&s);
    struct event_row *told = ws_edit(ws, ws_get(ws, &event_table, WS_KEY(ws_unit(ws), command->event_seq)));
    told->data = answer_text(&s);
    answer(command, told->data, 201);
}

static void look_up(struct ws *ws, struct command *command)
{
    struct snapshot s = { .ws = ws, .command = command, .in = command->input };
    (void)resolve(&s);
}

const struct command_type snapshot_take = { .name = "snapshot.take",
                                            .input = &take_fields,
                                            .mode = FIELDS_POST,
                                            .queue = QUEUE_CHANNELS,
                                            .edge = edge,
                                            .look_up = look_up,
                                            .look_back = look_back,
                                            .decide = decide,
                                            .again = again,
                                            .inverse = "none: a fact; the next snapshot says otherwise" };
