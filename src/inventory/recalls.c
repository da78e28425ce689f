/* src/inventory/recalls.c: goods are called back. One command bars all places (position.blocked names the place's job), so nothing more is promised
 * from any of them; the jobs then take what is there, claims and all, into quarantine, 60 claims a step, in the order in which claims give way to
 * facts. A job that has all stays as the bar of its place (JOB_STANDS) until the recall is ended. What comes to a place meanwhile, from outside or
 * out of quarantine, stays in quarantine with the rest, whoever moves it (stock_move asks). Invariants (millrace check): while a recall stands each
 * of its places is barred by its job; it runs while jobs are open, and holds when none is; its exception is open until it has ended; nothing is
 * available or claimed at a place whose job has all. */
#include "inventory/recalls.h"
#include "base/id.h"
#include "engine/exceptions.h"
#include "engine/jobs.h"
#include "inventory/stock.h"
#include <assert.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
#define CLAIMS_A_STEP 60 /* 13 rows each: see adjust.c */
#define NODES_MAX 1000
#define PLACES_MAX ((size_t)2000) /* with those of classes: a job, a position and a row each */

const char *const recall_states[] = { "running", "holding", "ended", NULL };

/* ---- what is asked ---- */

struct start_io {
    struct field_presence presence;
    const char *sku, *class, *unit, *reason;
    struct field_list nodes;
};
static const struct field start_rows[] = {
    { "sku", FIELD_CODE, AT(start_io, sku), .required = true },
    { "class", FIELD_CODE, AT(start_io, class), .hide_absent = true, .doc = "only goods of this class; absent: of every class" },
    { "nodes", FIELD_CODES, AT(start_io, nodes), .either = 1, .min = 1, .max = NODES_MAX, .doc = "nodes of one unit" },
    { "unit", FIELD_CODE, AT(start_io, unit), .either = 1, .doc = "all nodes that this unit has now" },
    { "reason", FIELD_TEXT, AT(start_io, reason), .required = true, .min = 1, .max = 256, .doc = "what is wrong with them" },
};
static const struct field_table start_fields = { "RecallIn", start_rows, COUNT(start_rows), sizeof(struct start_io) };

struct end_io {
    struct field_presence presence;
    bool release;
    const char *reason;
};
static const struct field end_rows[] = {
    { "release", FIELD_BOOL, AT(end_io, release), .required = true,
      .doc = "true: what it took may be sold again; false: it stays in quarantine, to be inspected" },
    { "reason", FIELD_TEXT, AT(end_io, reason), .required = true, .min = 1, .max = 256, .doc = "why it is over" },
};
static const struct field_table end_fields = { "RecallEnd", end_rows, COUNT(end_rows), sizeof(struct end_io) };

/* ---- rows ---- */

static struct ws_cursor places_of(struct ws *ws, int64_t recall)
{
    return ws_scan(ws, &place_of_recall, WS_PREFIX(db_int(ws_unit(ws)), db_int(recall)), 0);
}

/* Of all its places, in one go. */
static void want_places(struct ws *ws, const struct recall_row *recall)
{
    const struct recall_place_row *place;
    ws_want(ws, &sku_table, WS_KEY(recall->unit, recall->sku));
    ws_want_path(ws, &place_of_recall, WS_PREFIX(db_int(recall->unit), db_int(recall->id)), 0);
    ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(recall->unit), db_int(recall->sku)), 0);
    ws_settle(ws);
    for (struct ws_cursor cursor = places_of(ws, recall->id); (place = ws_next(ws, &cursor)) != NULL;) {
        ws_want(ws, &node_table, WS_KEY(recall->unit, place->node));
        ws_want(ws, &job_table, WS_KEY(recall->unit, place->job));
        if (place->class != 0)
            ws_want(ws, &goods_class_table, WS_KEY(recall->unit, place->class));
    }
    ws_settle(ws);
}

const struct recall_place_row *recall_at(struct ws *ws, int64_t node, int64_t sku, int64_t class)
{
    const struct recall_place_row *place;
    struct ws_cursor cursor = ws_scan(ws, &recall_place_of_sku, WS_PREFIX(db_int(ws_unit(ws)), db_int(sku)), 0);
    while ((place = ws_next(ws, &cursor)) != NULL)
        if (place->stands && place->node == node && place->class == class)
            return place;
    return NULL;
}

/* Units there that somebody may still claim, or claims. */
static int64_t to_take(struct ws *ws, const struct recall_place_row *place)
{
    const struct position_row *p = position_find(ws, place->node, place->sku, place->class);
    return p == NULL ? 0 : p->available + p->reserved + p->allocated;
}

static const char *cause_of(struct ws *ws, int64_t recall)
{
    return arena_printf(ws_arena(ws), "recall/%ld", (long)recall);
}

/* ---- as the API shows it ---- */

struct place_io {
    struct field_presence presence;
    const char *node, *class;
    int64_t taken, to_take, broken, came;
};
static const struct field place_rows[] = {
    { "node", FIELD_CODE, AT(place_io, node), .required = true, .read_only = true },
    { "class", FIELD_CODE, AT(place_io, class), .read_only = true, .hide_absent = true, .doc = "absent: own, new, saleable" },
    { "taken", FIELD_INT, AT(place_io, taken), .required = true, .read_only = true, .doc = "units that it put into quarantine" },
    { "to_take", FIELD_INT, AT(place_io, to_take), .required = true, .read_only = true, .doc = "units that it has still to take" },
    { "broken", FIELD_INT, AT(place_io, broken), .required = true, .read_only = true, .doc = "claims that lost units by it" },
    { "came", FIELD_INT, AT(place_io, came), .required = true, .read_only = true, .doc = "units that came while it stood, and were kept back" },
};
static const struct field_table place_fields = { "RecallPlace", place_rows, COUNT(place_rows), sizeof(struct place_io) };
struct recall_io {
    struct field_presence presence;
    const char *id, *sku, *class, *reason, *ended_why;
    int64_t state, version, started_at, ended_at, taken, to_take, broken, came;
    bool released;
    struct field_list places;
};
static const struct field recall_rows[] = {
    { "id", FIELD_TEXT, AT(recall_io, id), .required = true, .read_only = true },
    { "state", FIELD_ENUM, AT(recall_io, state), .required = true, .read_only = true, .names = recall_states,
      .doc = "running: units are still being taken; holding: all are kept back" },
    { "version", FIELD_INT, AT(recall_io, version), .required = true, .read_only = true, .doc = "the ETag" },
    { "sku", FIELD_CODE, AT(recall_io, sku), .required = true, .read_only = true },
    { "class", FIELD_CODE, AT(recall_io, class), .read_only = true, .hide_absent = true, .doc = "absent: of every class" },
    { "reason", FIELD_TEXT, AT(recall_io, reason), .required = true, .read_only = true },
    { "started_at", FIELD_TIME, AT(recall_io, started_at), .required = true, .read_only = true },
    { "ended_at", FIELD_TIME, AT(recall_io, ended_at), .read_only = true, .hide_absent = true },
    { "ended_why", FIELD_TEXT, AT(recall_io, ended_why), .read_only = true, .hide_absent = true },
    { "released", FIELD_BOOL, AT(recall_io, released), .read_only = true, .hide_absent = true,
      .doc = "once it has ended: whether its units may be sold again" },
    { "taken", FIELD_INT, AT(recall_io, taken), .required = true, .read_only = true, .doc = "of all places" },
    { "to_take", FIELD_INT, AT(recall_io, to_take), .required = true, .read_only = true },
    { "broken", FIELD_INT, AT(recall_io, broken), .required = true, .read_only = true },
    { "came", FIELD_INT, AT(recall_io, came), .required = true, .read_only = true },
    { "places", FIELD_LIST, AT(recall_io, places), .required = true, .read_only = true, .of = &place_fields },
};
const struct field_table recall_fields = { "Recall", recall_rows, COUNT(recall_rows), sizeof(struct recall_io) };

static void show_places(struct ws *ws, const struct recall_row *row, struct recall_io *out)
{
    const struct recall_place_row *place;
    struct place_io *places = ARENA_ARRAY(ws_arena(ws), struct place_io, (size_t)row->places + 1);
    size_t count = 0;
    for (struct ws_cursor cursor = places_of(ws, row->id); (place = ws_next(ws, &cursor)) != NULL; count++) {
        const struct job_row *job = ws_get(ws, &job_table, WS_KEY(row->unit, place->job));
        places[count] = (struct place_io){ .node = ((const struct node_row *)ws_get(ws, &node_table, WS_KEY(row->unit, place->node)))->code,
                                           .class = class_code(ws, place->class),
                                           .taken = place->taken,
                                           .to_take = job->state == JOB_OPEN ? to_take(ws, place) : 0,
                                           .broken = place->broken,
                                           .came = place->came };
        if (place->class != 0)
            field_set(&place_fields, &places[count], "class");
        out->taken += places[count].taken;
        out->to_take += places[count].to_take;
        out->broken += places[count].broken;
        out->came += places[count].came;
    }
    out->places = (struct field_list){ places, count };
}

void recall_write(struct ws *ws, int64_t recall, struct json_writer *json)
{
    const struct recall_row *row = ws_get(ws, &recall_table, WS_KEY(ws_unit(ws), recall));
    want_places(ws, row);
    struct recall_io out = { .id = id_text(ws_arena(ws), "rec", row->unit, row->id),
                             .state = row->state - 1,
                             .version = row->version,
                             .sku = ((const struct sku_row *)ws_get(ws, &sku_table, WS_KEY(row->unit, row->sku)))->code,
                             .class = row->class == NULL_INT ? NULL : class_code(ws, row->class),
                             .reason = row->reason,
                             .started_at = row->started_at,
                             .ended_at = row->ended_at,
                             .ended_why = row->ended_why,
                             .released = row->released };
    static const char *const of_end[] = { "ended_at", "ended_why", "released" };
    if (row->class != NULL_INT)
        field_set(&recall_fields, &out, "class");
    for (size_t i = 0; i < COUNT(of_end) && row->state == RECALL_ENDED; i++)
        field_set(&recall_fields, &out, of_end[i]);
    show_places(ws, row, &out);
    fields_write(json, &recall_fields, &out);
}

/* Tells the recall as it stands; who asks again for what made it so gets that text. */
static int64_t tell(struct ws *ws, const struct recall_row *recall)
{
    struct event_row event = event_of(EVENT_RECALL_CHANGED, SUBJECT_RECALL, recall->id);
    struct json_writer json;
    json_begin(&json, ws_arena(ws));
    recall_write(ws, recall->id, &json);
    event.sku = recall->sku;
    event.class = recall->class;
    event.data = json.out.at;
    return ws_event(ws, event);
}

static void answer(struct ws *ws, struct command *command, const struct recall_row *recall, int status)
{
    const struct event_row *event = ws_get(ws, &event_table, WS_KEY(ws_unit(ws), command->event_seq));
    command->answer = (struct answer){ .status = status,
                                       .body = arena_text(command->arena, event->data),
                                       .body_bytes = strlen(event->data),
                                       .etag = arena_printf(command->arena, "%ld", (long)recall->version) };
}

/* ---- start ---- */

/* One attempt. */
struct start {
    struct ws *ws;
    struct command *command;
    const struct start_io *in;
    const struct sku_row *sku;
    int64_t class; /* NULL_INT: every */
    int64_t *nodes;
    size_t node_count;
};

static bool start_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    const struct start_io *in = command->input;
    const char *const *nodes = in->nodes.items;
    command->of_node = in->nodes.count > 0 ? nodes[0] : NULL;
    command->of_unit = in->unit;
    for (size_t i = 1; i < in->nodes.count; i++)
        for (size_t k = 0; k < i; k++)
            if (text_equal(nodes[i], nodes[k]) && nodes[i] != NULL) {
                fault_add(faults, FAULT_INVALID, arena_printf(command->arena, "/nodes/%zu", i), "it is named twice");
                break;
            }
    return faults->count == 0;
}

static void find_nodes(struct start *s)
{
    const char *const *codes = s->in->nodes.items;
    const int64_t unit = ws_unit(s->ws);
    for (size_t i = 0; i < s->in->nodes.count; i++)
        if (codes[i] != NULL)
            ws_want_path(s->ws, &node_by_code, WS_PREFIX(db_int(unit), db_text(codes[i])), 0);
    ws_settle(s->ws);
    s->nodes = ARENA_ARRAY(ws_arena(s->ws), int64_t, NODES_MAX + 1);
    for (size_t i = 0; i < s->in->nodes.count; i++) {
        const struct node_row *node = codes[i] == NULL ? NULL : ws_find(s->ws, &node_by_code, WS_PREFIX(db_int(unit), db_text(codes[i])));
        if (node != NULL && node->owner == unit)
            s->nodes[s->node_count++] = node->id;
        else if (codes[i] != NULL)
            fault_add(&s->command->faults, FAULT_NODE_UNKNOWN, arena_printf(s->command->arena, "/nodes/%zu", i), "there is no node %s in this unit",
                      codes[i]);
    }
}

static void all_nodes(struct start *s)
{
    const struct node_row *node;
    struct ws_cursor cursor = ws_scan(s->ws, &node_all, WS_PREFIX(db_int(ws_unit(s->ws))), 0);
    s->nodes = ARENA_ARRAY(ws_arena(s->ws), int64_t, NODES_MAX + 1);
    while (s->node_count <= NODES_MAX && (node = ws_next(s->ws, &cursor)) != NULL)
        if (node->owner == ws_unit(s->ws))
            s->nodes[s->node_count++] = node->id;
    if (s->node_count > NODES_MAX)
        fault_add(&s->command->faults, FAULT_BATCH_TOO_LARGE, "/unit", "it has more than %d nodes: name them in parts", NODES_MAX);
}

static bool resolve(struct start *s)
{
    struct goods goods;
    (void)goods_find(s->ws, &s->command->faults, &(struct goods_named){ NULL, s->in->sku, s->in->class }, &goods);
    s->sku = goods.sku;
    s->class = s->in->class == NULL ? NULL_INT : goods.class;
    if (s->in->unit != NULL && ws_unit(s->ws) == 0)
        fault_add(&s->command->faults, FAULT_UNIT_UNKNOWN, "/unit", "there is no unit %s", s->in->unit);
    else if (s->in->unit != NULL)
        all_nodes(s);
    else
        find_nodes(s);
    return s->command->faults.count == 0;
}

static bool is_named(const struct start *s, int64_t node)
{
    for (size_t i = 0; i < s->node_count; i++)
        if (s->nodes[i] == node)
            return true;
    return false;
}

/* Where it takes place: of every class those that were ever there, and 0 in any case, since goods may come. */
static size_t plan(struct start *s, struct recall_place_row *places)
{
    const struct position_row *position;
    size_t count = 0;
    struct ws_cursor cursor = ws_scan(s->ws, &position_of_sku, WS_PREFIX(db_int(ws_unit(s->ws)), db_int(s->sku->id)), 0);
    for (size_t i = 0; i < s->node_count; i++)
        places[count++] = (struct recall_place_row){ .node = s->nodes[i], .class = s->class == NULL_INT ? 0 : s->class };
    while (s->class == NULL_INT && count < PLACES_MAX && (position = ws_next(s->ws, &cursor)) != NULL)
        if (position->class != 0 && is_named(s, position->node))
            places[count++] = (struct recall_place_row){ .node = position->node, .class = position->class };
    if (count == PLACES_MAX)
        fault_add(&s->command->faults, FAULT_BATCH_TOO_LARGE, "", "it would be at more than %zu places: name fewer nodes", PLACES_MAX - 1);
    return count;
}

static void refuse_second(struct start *s, const struct recall_place_row *places, size_t count)
{
    for (size_t i = 0; i < count && s->command->faults.count == 0; i++) {
        const struct recall_place_row *other = recall_at(s->ws, places[i].node, s->sku->id, places[i].class);
        if (other != NULL)
            fault_add(&s->command->faults, FAULT_STATE_CONFLICT, NULL, "recall %s stands at one of the places: end it first",
                      id_text(s->command->arena, "rec", ws_unit(s->ws), other->recall));
    }
}

/* Where nothing stands there is nothing to take: the bar is all. Returns the units that are to be taken. */
static int64_t bar(struct start *s, struct stock *stock, const struct recall_row *recall, const struct recall_place_row *at)
{
    struct recall_place_row place = *at;
    struct job_row *job = job_open(s->ws, JOB_RECALL, recall->sku, place.node);
    job->head = place.class;
    job->data = id_text(ws_arena(s->ws), "rec", recall->unit, recall->id);
    place.unit = recall->unit;
    place.recall = recall->id;
    place.sku = recall->sku;
    place.job = job->id;
    const int64_t units = to_take(s->ws, &place);
    if (units == 0)
        job->state = JOB_STANDS;
    place.stands = true;
    ws_insert(s->ws, &recall_place_table, &place);
    position_edit(stock, place.node, place.sku, place.class)->blocked = job->id; /* and is told: no channel may have it */
    return units;
}

static void start_decide(struct ws *ws, struct command *command)
{
    struct start s = { .ws = ws, .command = command, .in = command->input };
    if (!resolve(&s))
        return;
    assert(s.sku != NULL);
    struct recall_place_row *places = ARENA_ARRAY(ws_arena(ws), struct recall_place_row, PLACES_MAX);
    const size_t count = plan(&s, places);
    refuse_second(&s, places, count);
    if (command->faults.count > 0)
        return;
    struct recall_row row = { .unit = ws_unit(ws),
                              .id = ws_next_id(ws),
                              .sku = s.sku->id,
                              .class = s.class,
                              .reason = s.in->reason,
                              .state = RECALL_HOLDING,
                              .places = (int64_t)count,
                              .version = 1,
                              .started_at = ws_now_us(ws),
                              .ended_at = NULL_INT };
    struct recall_row *recall = ws_insert(ws, &recall_table, &row);
    ws_fresh(ws, &place_of_recall, WS_PREFIX(db_int(row.unit), db_int(row.id)));
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_RECALL, row.id });
    int64_t units = 0;
    for (size_t i = 0; i < count; i++) {
        const int64_t there = bar(&s, &stock, &row, &places[i]);
        units += there;
        recall->at_work += there > 0;
    }
    recall->state = recall->at_work > 0 ? RECALL_RUNNING : RECALL_HOLDING;
    stock_end(&stock);
    command->event_seq = tell(ws, recall);
    exception_open(ws, &(struct exception){ .type = EXCEPTION_RECALL,
                                            .cause = cause_of(ws, row.id),
                                            .subject_kind = SUBJECT_RECALL,
                                            .subject = row.id,
                                            .sku = row.sku,
                                            .quantity = units,
                                            .detail = row.reason });
    answer(ws, command, recall, 201);
}

static void start_look_up(struct ws *ws, struct command *command)
{
    struct start s = { .ws = ws, .command = command, .in = command->input };
    (void)resolve(&s);
}

/* ---- what comes meanwhile ---- */

/* A class that the place did not have when the goods were called back: a recall of every class is one of it, too. */
static const struct recall_place_row *place_of_new_class(struct stock *stock, int64_t node, int64_t sku, int64_t class)
{
    struct ws *ws = stock->ws;
    const struct recall_place_row *beside = recall_at(ws, node, sku, 0);
    const struct recall_row *recall = beside == NULL ? NULL : ws_get(ws, &recall_table, WS_KEY(ws_unit(ws), beside->recall));
    if (recall == NULL || recall->class != NULL_INT)
        return NULL;
    struct job_row *job = job_open(ws, JOB_RECALL, sku, node);
    job->head = class;
    job->data = id_text(ws_arena(ws), "rec", recall->unit, recall->id);
    job->state = JOB_STANDS; /* nothing is there yet */
    struct recall_place_row place = {
        .unit = recall->unit, .recall = recall->id, .node = node, .class = class, .sku = sku, .job = job->id, .stands = true
    };
    ((struct recall_row *)ws_edit(ws, recall))->places++;
    position_edit(stock, node, sku, class)->blocked = job->id;
    return ws_insert(ws, &recall_place_table, &place);
}

static const struct recall_place_row *barring(struct stock *stock, int64_t node, int64_t sku, int64_t class)
{
    const struct position_row *position = position_find(stock->ws, node, sku, class), *own = position;
    if (class != 0 && (position == NULL || position->blocked == 0))
        own = position_find(stock->ws, node, sku, 0);
    if (own == NULL || own->blocked == 0)
        return NULL;
    const struct recall_place_row *place = recall_at(stock->ws, node, sku, class);
    return place == NULL && class != 0 ? place_of_new_class(stock, node, sku, class) : place;
}

bool recall_keeps(struct stock *stock, const struct move *move)
{
    const bool comes_in = move->from == BUCKET_NONE || move->from == BUCKET_QUARANTINED;
    const struct recall_place_row *place = move->to == BUCKET_AVAILABLE && comes_in ? barring(stock, move->to_node, move->sku, move->class) : NULL;
    if (place == NULL)
        return false;
    ((struct recall_place_row *)ws_edit(stock->ws, place))->came += move->quantity;
    return true;
}

bool recall_refuses(struct ws *ws, struct faults *faults, const struct position_row *position)
{
    const struct recall_place_row *place =
        position == NULL || position->blocked == 0 ? NULL : recall_at(ws, position->node, position->sku, position->class);
    if (place != NULL)
        fault_add(faults, FAULT_STATE_CONFLICT, "", "recall %s stands there: end it first", id_text(ws_arena(ws), "rec", place->unit, place->recall));
    return place != NULL;
}

/* ---- a step ---- */

static bool step(struct ws *ws, struct job_row *job)
{
    int64_t unit, id = 0;
    bool known = id_parse(job->data, strlen(job->data), "rec", &unit, &id);
    const struct recall_place_row *place = known ? ws_get(ws, &recall_place_table, WS_KEY(ws_unit(ws), id, job->node, job->head)) : NULL;
    assert(place != NULL); /* written by the command that opened the job */
    const int64_t units = to_take(ws, place);
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_RECALL, id });
    struct given given = stock_take_by_fact(&stock, &(struct fact){ .node = job->node,
                                                                    .sku = job->subject,
                                                                    .class = job->head,
                                                                    .quantity = units,
                                                                    .named = BUCKET_AVAILABLE,
                                                                    .to_node = job->node,
                                                                    .to = BUCKET_QUARANTINED,
                                                                    .claims = CLAIMS_A_STEP });
    stock_end(&stock);
    struct recall_place_row *edited = ws_edit(ws, place);
    edited->taken += units - given.left;
    edited->broken += given.count;
    job->progress += units - given.left;
    claims_tell_broken(ws, given.first, "recall");
    if (to_take(ws, edited) > 0) /* a bundle that must stay together may have given back the rest of itself */
        return true;
    struct recall_row *recall = ws_edit(ws, ws_get(ws, &recall_table, WS_KEY(ws_unit(ws), id)));
    job->state = JOB_STANDS;
    recall->at_work--;
    if (recall->at_work > 0)
        return false;
    recall->state = RECALL_HOLDING;
    recall->version++;
    (void)tell(ws, recall);
    return false;
}

const struct job_work recall_job = { step };

/* ---- end ---- */

static bool end_edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    return command_names(command, request, "rec", "recall", faults);
}

static void end_prefetch(struct ws *ws, const struct command *command)
{
    const int64_t id = command_id(command, "rec");
    ws_want(ws, &recall_table, WS_KEY(ws_unit(ws), id));
    ws_want_path(ws, &place_of_recall, WS_PREFIX(db_int(ws_unit(ws)), db_int(id)), 0);
}

/* Units that it took or kept back and that stand there still, but for those that pickers did not find. */
static int64_t may_go(struct ws *ws, const struct recall_place_row *place)
{
    const struct position_row *p = position_find(ws, place->node, place->sku, place->class);
    const int64_t missed = place->class == 0 ? short_picked(ws, place->node, place->sku, INT64_MAX) : 0;
    return min_i64(place->taken + place->came, max_i64(0, p->quarantined - missed));
}

/* Lifts the bar of every place; returns the places where units may be had again. */
static size_t lift(struct ws *ws, const struct recall_row *recall, bool release, struct freed *freed)
{
    const struct recall_place_row *place;
    size_t count = 0;
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_RECALL, recall->id });
    for (struct ws_cursor cursor = places_of(ws, recall->id); (place = ws_next(ws, &cursor)) != NULL;) {
        struct job_row *job = ws_edit(ws, ws_get(ws, &job_table, WS_KEY(recall->unit, place->job)));
        ((struct recall_place_row *)ws_edit(ws, place))->stands = false;
        job->state = JOB_DONE;
        job->ended_at = ws_now_us(ws);
        stock_move(&stock, &(struct move){ .sku = place->sku,
                                           .class = place->class,
                                           .quantity = release ? may_go(ws, place) : 0,
                                           .from_node = place->node,
                                           .from = BUCKET_QUARANTINED,
                                           .to_node = place->node,
                                           .to = BUCKET_AVAILABLE,
                                           .unit_cost = NULL_INT });
        (void)position_edit(&stock, place->node, place->sku, place->class); /* told in any case */
        stock_bar(ws, place->node, place->sku, place->class);
        const int64_t available = position_find(ws, place->node, place->sku, place->class)->available;
        if (place->class == 0 && available > 0)
            freed[count++] = (struct freed){ place->node, place->sku, available };
    }
    stock_end(&stock);
    return count;
}

static void end_decide(struct ws *ws, struct command *command)
{
    const struct end_io *in = command->input;
    const struct recall_row *recall = ws_get(ws, &recall_table, WS_KEY(ws_unit(ws), command_id(command, "rec")));
    if (recall == NULL)
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no recall %s", command->path[0]);
    else if (!if_match_holds(command->if_match, recall->version) || !if_none_match_holds(command->if_none_match, recall->version))
        fault_add(&command->faults, FAULT_PRECONDITION_FAILED, NULL, "it is at version %ld", (long)recall->version);
    else if (recall->state == RECALL_ENDED)
        fault_add(&command->faults, FAULT_STATE_CONFLICT, NULL, "it has ended");
    if (command->faults.count > 0)
        return;
    assert(recall != NULL);
    want_places(ws, recall);
    short_picks_want(ws, 0, recall->sku);
    ws_settle(ws);
    struct freed *freed = ARENA_ARRAY(ws_arena(ws), struct freed, (size_t)recall->places + 1);
    const size_t count = lift(ws, recall, in->release, freed);
    struct recall_row *edited = ws_edit(ws, recall);
    edited->state = RECALL_ENDED;
    edited->at_work = 0;
    edited->version++;
    edited->released = in->release;
    edited->ended_why = in->reason;
    edited->ended_at = ws_now_us(ws);
    command->event_seq = tell(ws, edited);
    const struct exception_item_row *open = exception_find(ws, cause_of(ws, recall->id));
    assert(open != NULL); /* until here */
    (void)exception_close(ws, open);
    short_picks_open(ws, freed, count);
    stock_followers.supply(ws, freed, count);
    answer(ws, command, edited, 200);
}

const struct command_type recall_start = { .name = "recall.start",
                                           .input = &start_fields,
                                           .mode = FIELDS_POST,
                                           .queue = QUEUE_PEOPLE,
                                           .edge = start_edge,
                                           .look_up = start_look_up,
                                           .decide = start_decide,
                                           .again = event_again,
                                           .inverse = "recall.end: release; claims that gave way have fallen back, and are filled by rank" };
const struct command_type recall_end = { .name = "recall.end",
                                         .input = &end_fields,
                                         .mode = FIELDS_POST,
                                         .queue = QUEUE_PEOPLE,
                                         .edge = end_edge,
                                         .prefetch = end_prefetch,
                                         .decide = end_decide,
                                         .again = event_again,
                                         .inverse = "recall.start: the same once more" };
