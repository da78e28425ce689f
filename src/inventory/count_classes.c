/* src/inventory/count_classes.c: a run of classing. A job sums what left each node within the window, movement by movement (they are numbered in the
 * order of time, so a run begins where the window of the one before began), values and ranks it, and gives each SKU at a node its class; what has not
 * moved loses it. Each step does so much work, and takes what it does from the head of a list, so it goes on after a crash.
 * Invariants (millrace check), while no run goes on: a node's values add up to its basis; a class is what count_abc says; a run has its job. */
#include "inventory/count_classes.h"
#include "base/when.h"
#include "engine/jobs.h"
#include <assert.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
#define DAY_US INT64_C(86400000000)
#define WORK_A_STEP 2000 /* ids that are looked at; a row that is ranked or classed counts as four */
#define ROW_WORK 4
#define ROWS_MAX (WORK_A_STEP / ROW_WORK + 1)
#define CHANGES_AN_EVENT 100
#define NEVER INT64_MAX

enum phase { PHASE_IDLE = COUNT_PHASE_IDLE, PHASE_MOVED, PHASE_RANK, PHASE_CLASS, PHASE_SWEEP };

/* ---- the rule ---- */

/* total * ppm / 1000000, rounded up: as long as `above` is less, its millionths are less than the share. */
static int64_t part_of(int64_t total, int64_t ppm)
{
    return total / 1000000 * ppm + (total % 1000000 * ppm + 999999) / 1000000;
}

enum abc count_abc(int64_t value, int64_t above, int64_t total, int64_t share_a, int64_t share_b)
{
    if (value == 0)
        return ABC_C;
    return above < part_of(total, share_a) ? ABC_A : above < part_of(total, share_a + share_b) ? ABC_B : ABC_C;
}

int64_t count_value(int64_t units, int64_t unit_cost)
{
    int64_t value = 0;
    if (unit_cost == NULL_INT || (money_multiply(units, unit_cost, &value) && value <= COUNT_VALUE_MAX))
        return value;
    return COUNT_VALUE_MAX;
}

/* ---- settings and the run as the API shows them ---- */

static const char *const phase_names[] = { "idle", "running", NULL };

struct classing_io {
    struct field_presence presence;
    int64_t version, window_days, share_a_ppm, share_b_ppm, every_days;
    int64_t state, started_at, from, due_at, classed, changed, without_cost;
};
static const struct field classing_rows[] = {
    { "version", FIELD_INT, AT(classing_io, version), .read_only = true, .doc = "rises with every change; the ETag; 0: as preset" },
    { "window_days", FIELD_INT, AT(classing_io, window_days), .min = 1, .max = 730, .preset = 90, .doc = "what left within so many days is valued" },
    { "share_a_ppm", FIELD_INT, AT(classing_io, share_a_ppm), .min = 1, .max = 1000000, .preset = 800000,
      .doc = "parts per million of a node's value that the SKUs of class A make up" },
    { "share_b_ppm", FIELD_INT, AT(classing_io, share_b_ppm), .min = 0, .max = 1000000, .preset = 150000,
      .doc = "the same of class B; what is left is C" },
    { "every_days", FIELD_INT, AT(classing_io, every_days), .min = 0, .max = 365, .preset = 7,
      .doc = "days from run to run; the first begins when it is asked for, or when this is set; 0: only when it is asked for" },
    { "state", FIELD_ENUM, AT(classing_io, state), .read_only = true, .names = phase_names, .doc = "running: classes are being decided" },
    { "started_at", FIELD_TIME, AT(classing_io, started_at), .read_only = true, .hide_absent = true,
      .doc = "of the last run; absent: there was none" },
    { "from", FIELD_TIME, AT(classing_io, from), .read_only = true, .hide_absent = true, .doc = "what left from then until it started was valued" },
    { "due_at", FIELD_TIME, AT(classing_io, due_at), .read_only = true, .hide_absent = true, .doc = "when the next starts by itself" },
    { "classed", FIELD_INT, AT(classing_io, classed), .read_only = true, .doc = "of the last run: SKUs at nodes that moved" },
    { "changed", FIELD_INT, AT(classing_io, changed), .read_only = true, .doc = "of the last run: those whose class is another one now" },
    { "without_cost", FIELD_INT, AT(classing_io, without_cost), .read_only = true,
      .doc = "of the last run: those whose cost nobody has told; they are of class C" },
};
const struct field_table count_classing_fields = { "CountClassing", classing_rows, COUNT(classing_rows), sizeof(struct classing_io) };

struct count_classing_row count_classing_preset(int64_t unit)
{
    return (struct count_classing_row){ .unit = unit,
                                        .window_days = 90,
                                        .share_a_ppm = 800000,
                                        .share_b_ppm = 150000,
                                        .every_days = 7,
                                        .due_at = NEVER,
                                        .phase = PHASE_IDLE,
                                        .started_at = NULL_INT,
                                        .from_at = NULL_INT };
}

const char *count_classing_json(struct arena *arena, const struct count_classing_row *row, size_t *bytes)
{
    struct classing_io out = { .version = row->version,
                               .window_days = row->window_days,
                               .share_a_ppm = row->share_a_ppm,
                               .share_b_ppm = row->share_b_ppm,
                               .every_days = row->every_days,
                               .state = row->phase != PHASE_IDLE,
                               .started_at = row->started_at,
                               .from = row->from_at,
                               .due_at = row->due_at,
                               .classed = row->classed,
                               .changed = row->changed,
                               .without_cost = row->without_cost };
    struct json_writer json;
    if (row->started_at != NULL_INT) {
        field_set(&count_classing_fields, &out, "started_at");
        field_set(&count_classing_fields, &out, "from");
    }
    if (row->due_at != NEVER)
        field_set(&count_classing_fields, &out, "due_at");
    json_begin(&json, arena);
    fields_write(&json, &count_classing_fields, &out);
    *bytes = json.out.size;
    return json.out.at;
}

static int64_t tell(struct ws *ws, const struct count_classing_row *row)
{
    struct event_row event = event_of(EVENT_COUNT_CLASSES_CHANGED, SUBJECT_UNIT, row->unit);
    size_t bytes;
    event.data = count_classing_json(ws_arena(ws), row, &bytes);
    return ws_event(ws, event);
}

static struct count_classing_row *classing_of(struct ws *ws)
{
    const struct count_classing_row *row = ws_get(ws, &count_classing_table, WS_KEY(ws_unit(ws)));
    const struct count_classing_row preset = count_classing_preset(ws_unit(ws));
    return row == NULL ? ws_insert(ws, &count_classing_table, &preset) : ws_edit(ws, row);
}

static int64_t due_after(const struct count_classing_row *row, int64_t now_us)
{
    if (row->every_days == 0)
        return NEVER;
    return row->started_at == NULL_INT ? now_us : row->started_at + row->every_days * DAY_US;
}

/* ---- a step ---- */

/* One step: the settings and where the run stands, and what may still be done. */
struct run {
    struct ws *ws;
    struct count_classing_row *row;
    int64_t left;
    struct change {
        int64_t node, sku, from, to;
    } changes[ROWS_MAX];
    size_t change_count;
};

static size_t rows_left(const struct run *r)
{
    return (size_t)(r->left + ROW_WORK - 1) / ROW_WORK;
}

/* What leaves a node for a customer or another node. What is lost, scrapped or sent back to a supplier is no demand. */
static bool is_demand(const struct movement_row *m)
{
    return m->class == 0 && m->from_node >= PLACE_NODES && (m->to_node == PLACE_CUSTOMER || m->to_node == PLACE_TRANSIT);
}

static bool tells_cost(const struct movement_row *m)
{
    return m->class == 0 && m->from_node < PLACE_NODES && m->unit_cost != NULL_INT;
}

static void note_movement(struct run *r, const struct movement_row *m)
{
    if (r->row->first_id == 0 && m->at >= r->row->from_at)
        r->row->first_id = m->id;
    if (tells_cost(m)) {
        const struct goods_cost_row *cost = ws_get(r->ws, &goods_cost_table, WS_KEY(m->unit, m->sku));
        const struct goods_cost_row fresh = { .unit = m->unit, .sku = m->sku, .unit_cost = m->unit_cost };
        *(struct goods_cost_row *)(cost == NULL ? ws_insert(r->ws, &goods_cost_table, &fresh) : ws_edit(r->ws, cost)) = fresh;
    }
    if (!is_demand(m) || r->row->first_id == 0)
        return;
    const struct count_moved_row *moved = ws_get(r->ws, &count_moved_table, WS_KEY(m->unit, m->from_node, m->sku));
    const struct count_moved_row fresh = { .unit = m->unit, .node = m->from_node, .sku = m->sku, .units = m->quantity };
    if (moved == NULL)
        ws_insert(r->ws, &count_moved_table, &fresh);
    else
        ((struct count_moved_row *)ws_edit(r->ws, moved))->units += m->quantity;
}

/* The next numbers, some of which are movements'. */
static bool sum_movements(struct run *r)
{
    const int64_t unit = r->row->unit, end = min_i64(r->row->upto_id, r->row->at_id + r->left);
    const struct movement_row **found = ARENA_ARRAY(ws_arena(r->ws), const struct movement_row *, WORK_A_STEP + 1);
    size_t count = 0;
    for (int64_t id = r->row->at_id; id < end; id++)
        ws_want(r->ws, &movement_table, WS_KEY(unit, id));
    ws_settle(r->ws);
    for (int64_t id = r->row->at_id; id < end; id++) {
        const struct movement_row *m = ws_get(r->ws, &movement_table, WS_KEY(unit, id));
        if (m == NULL)
            continue;
        found[count++] = m;
        if (is_demand(m))
            ws_want(r->ws, &count_moved_table, WS_KEY(unit, m->from_node, m->sku));
        if (tells_cost(m))
            ws_want(r->ws, &goods_cost_table, WS_KEY(unit, m->sku));
    }
    ws_settle(r->ws);
    for (size_t i = 0; i < count; i++)
        note_movement(r, found[i]);
    r->left -= end - r->row->at_id;
    r->row->at_id = end;
    if (end == r->row->upto_id && r->row->first_id == 0)
        r->row->first_id = end; /* nothing moved in this window */
    return end == r->row->upto_id;
}

/* Made anew by the first of a run that comes to the node. */
static struct count_basis_row *basis_at(struct run *r, int64_t node)
{
    const struct count_basis_row *basis = ws_get(r->ws, &count_basis_table, WS_KEY(r->row->unit, node));
    const struct count_basis_row fresh = { .unit = r->row->unit,
                                           .node = node,
                                           .run = r->row->run,
                                           .share_a = r->row->share_a,
                                           .share_b = r->row->share_b,
                                           .from_at = r->row->from_at,
                                           .upto_at = r->row->started_at };
    struct count_basis_row *edited = basis == NULL ? ws_insert(r->ws, &count_basis_table, &fresh) : ws_edit(r->ws, basis);
    if (edited->run != fresh.run)
        *edited = fresh;
    return edited;
}

static bool rank(struct run *r)
{
    const struct count_moved_row *rows[ROWS_MAX], *moved;
    const size_t most = rows_left(r);
    size_t count = 0;
    struct ws_cursor cursor = ws_scan(r->ws, &moved_of_unit, WS_PREFIX(db_int(r->row->unit)), most);
    while (count < most && (moved = ws_next(r->ws, &cursor)) != NULL) {
        rows[count++] = moved;
        ws_want(r->ws, &goods_cost_table, WS_KEY(moved->unit, moved->sku));
        ws_want(r->ws, &count_basis_table, WS_KEY(moved->unit, moved->node));
    }
    ws_settle(r->ws);
    for (size_t i = 0; i < count; i++) {
        const struct goods_cost_row *cost = ws_get(r->ws, &goods_cost_table, WS_KEY(rows[i]->unit, rows[i]->sku));
        struct count_rank_row row = { .unit = rows[i]->unit,
                                      .node = rows[i]->node,
                                      .sku = rows[i]->sku,
                                      .units = rows[i]->units,
                                      .unit_cost = cost == NULL ? NULL_INT : cost->unit_cost };
        row.value = count_value(row.units, row.unit_cost);
        row.rank = COUNT_VALUE_MAX - row.value;
        basis_at(r, row.node)->total += row.value;
        ws_insert(r->ws, &count_rank_table, &row);
        ws_delete(r->ws, rows[i]);
    }
    r->left -= ROW_WORK * (int64_t)count;
    return count < most;
}

static void note_change(struct run *r, const struct count_class_row *class, int64_t from, int64_t to)
{
    if (from != to)
        r->changes[r->change_count++] = (struct change){ class->node, class->sku, from, to };
}

static void class_one(struct run *r, const struct count_rank_row *ranked)
{
    struct count_basis_row *basis = basis_at(r, ranked->node);
    const struct count_class_row *class = ws_get(r->ws, &count_class_table, WS_KEY(ranked->unit, ranked->node, ranked->sku));
    struct count_class_row fresh = { .unit = ranked->unit,
                                     .node = ranked->node,
                                     .sku = ranked->sku,
                                     .value = ranked->value,
                                     .units = ranked->units,
                                     .unit_cost = ranked->unit_cost,
                                     .above = basis->ranked,
                                     .odd = r->row->run % 2 };
    fresh.abc = count_abc(fresh.value, fresh.above, basis->total, basis->share_a, basis->share_b);
    note_change(r, &fresh, class == NULL ? ABC_C : class->abc, fresh.abc);
    if (class == NULL)
        ws_insert(r->ws, &count_class_table, &fresh);
    else
        *(struct count_class_row *)ws_edit(r->ws, class) = fresh;
    basis->ranked += fresh.value;
    r->row->classed++;
    r->row->without_cost += fresh.unit_cost == NULL_INT;
    ws_delete(r->ws, ranked);
}

static bool give_classes(struct run *r)
{
    const struct count_rank_row *rows[ROWS_MAX], *ranked;
    const size_t most = rows_left(r);
    size_t count = 0;
    struct ws_cursor cursor = ws_scan(r->ws, &rank_of_unit, WS_PREFIX(db_int(r->row->unit)), most);
    while (count < most && (ranked = ws_next(r->ws, &cursor)) != NULL) {
        rows[count++] = ranked;
        ws_want(r->ws, &count_class_table, WS_KEY(ranked->unit, ranked->node, ranked->sku));
        ws_want(r->ws, &count_basis_table, WS_KEY(ranked->unit, ranked->node));
    }
    ws_settle(r->ws);
    for (size_t i = 0; i < count; i++)
        class_one(r, rows[i]);
    r->left -= ROW_WORK * (int64_t)count;
    return count < most;
}

/* Nodes of which nothing has left: all of theirs is of class C again. */
static void end_old_bases(struct run *r)
{
    const struct count_basis_row *basis;
    struct ws_cursor cursor = ws_scan(r->ws, &basis_of_unit, WS_PREFIX(db_int(r->row->unit)), 0);
    while ((basis = ws_next(r->ws, &cursor)) != NULL)
        if (basis->run != r->row->run)
            (void)basis_at(r, basis->node);
}

static bool sweep(struct run *r)
{
    const struct count_class_row *rows[ROWS_MAX], *class;
    const size_t most = rows_left(r);
    size_t count = 0;
    const struct db_path *before = r->row->run % 2 == 1 ? &even_class : &odd_class;
    struct ws_cursor cursor = ws_scan(r->ws, before, WS_PREFIX(db_int(r->row->unit)), most);
    while (count < most && (class = ws_next(r->ws, &cursor)) != NULL)
        if (class->odd != (r->row->run % 2 == 1)) /* not one that got its class in this batch */
            rows[count++] = class;
    for (size_t i = 0; i < count; i++) {
        note_change(r, rows[i], rows[i]->abc, ABC_C);
        ws_delete(r->ws, rows[i]);
    }
    r->left -= ROW_WORK * (int64_t)count;
    if (count == most)
        return false;
    end_old_bases(r);
    return true;
}

static void write_change(struct run *r, struct json_writer *json, const struct change *change)
{
    const struct sku_row *sku = ws_get(r->ws, &sku_table, WS_KEY(r->row->unit, change->sku));
    json_object(json);
    json_key(json, "sku");
    json_text(json, sku->code);
    json_key(json, "from");
    json_text(json, abc_names[change->from - 1]);
    json_key(json, "to");
    json_text(json, abc_names[change->to - 1]);
    json_object_end(json);
}

/* Events of at most CHANGES_AN_EVENT changes of one node. */
static void tell_changes(struct run *r)
{
    for (size_t i = 0; i < r->change_count; i++)
        ws_want(r->ws, &sku_table, WS_KEY(r->row->unit, r->changes[i].sku));
    ws_settle(r->ws);
    for (size_t i = 0, end; i < r->change_count; i = end) {
        struct event_row event = event_of(EVENT_COUNT_CLASSES_CHANGED, SUBJECT_NODE, r->changes[i].node);
        struct json_writer json;
        json_begin(&json, ws_arena(r->ws));
        json_object(&json);
        json_key(&json, "changes");
        json_array(&json);
        for (end = i; end < r->change_count && end - i < CHANGES_AN_EVENT && r->changes[end].node == r->changes[i].node; end++)
            write_change(r, &json, &r->changes[end]);
        json_array_end(&json);
        json_object_end(&json);
        event.node = r->changes[i].node;
        event.data = json.out.at;
        (void)ws_event(r->ws, event);
    }
    r->row->changed += (int64_t)r->change_count;
}

static bool step(struct ws *ws, struct job_row *job)
{
    static bool (*const phases[])(
        struct run *) = { [PHASE_MOVED] = sum_movements, [PHASE_RANK] = rank, [PHASE_CLASS] = give_classes, [PHASE_SWEEP] = sweep };
    struct run r = { .ws = ws, .row = classing_of(ws), .left = WORK_A_STEP };
    assert(r.row->job == job->id);
    while (r.left > 0 && r.row->phase != PHASE_IDLE)
        if (phases[r.row->phase](&r))
            r.row->phase = r.row->phase == PHASE_SWEEP ? PHASE_IDLE : r.row->phase + 1;
    job->progress += WORK_A_STEP - r.left;
    tell_changes(&r);
    if (r.row->phase != PHASE_IDLE)
        return true;
    r.row->version++;
    (void)tell(ws, r.row);
    return false;
}

const struct job_work class_job = { step };

/* ---- a run begins ---- */

static int64_t begin(struct ws *ws, struct count_classing_row *row)
{
    const int64_t from_at = ws_now_us(ws) - row->window_days * DAY_US;
    row->at_id = row->from_at != NULL_INT && from_at >= row->from_at ? row->first_id : 0;
    row->upto_id = ws_clock(ws)->next_id;
    row->first_id = 0;
    row->from_at = from_at;
    row->started_at = ws_now_us(ws);
    row->due_at = due_after(row, row->started_at);
    row->share_a = row->share_a_ppm;
    row->share_b = row->share_b_ppm;
    row->phase = PHASE_MOVED;
    row->run++;
    row->version++;
    row->classed = row->changed = row->without_cost = 0;
    row->job = job_open(ws, JOB_CLASS, 0, 0)->id;
    return tell(ws, row);
}

struct start_io {
    struct field_presence presence;
    const char *unit;
};
static const struct field start_rows[] = {
    { "unit", FIELD_CODE, AT(start_io, unit), .required = true, .doc = "whose nodes are classed" },
};
static const struct field_table start_fields = { "CountClassesIn", start_rows, COUNT(start_rows), sizeof(struct start_io) };

static bool start_edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    command->of_unit = ((const struct start_io *)command->input)->unit;
    return true;
}

static void start_look_up(struct ws *ws, struct command *command)
{
    const struct start_io *in = command->input;
    if (ws_unit(ws) == 0 && in->unit != NULL)
        fault_add(&command->faults, FAULT_UNIT_UNKNOWN, "/unit", "there is no unit %s", in->unit);
}

static void answer(struct ws *ws, struct command *command, const struct count_classing_row *row, int status)
{
    command->answer.status = status;
    command->answer.body = count_classing_json(command->arena, row, &command->answer.body_bytes);
    command->answer.etag = arena_printf(command->arena, "%ld", (long)row->version);
}

static void start_decide(struct ws *ws, struct command *command)
{
    start_look_up(ws, command);
    if (command->faults.count > 0)
        return;
    struct count_classing_row *row = classing_of(ws);
    if (row->phase != PHASE_IDLE) {
        fault_add(&command->faults, FAULT_STATE_CONFLICT, "", "a run goes on: wait until it has ended");
        return;
    }
    command->event_seq = begin(ws, row);
    answer(ws, command, row, 201);
}

static void due_decide(struct ws *ws, struct command *command)
{
    const struct count_classing_row *row = ws_get(ws, &count_classing_table, WS_KEY(ws_unit(ws)));
    command->answer.status = 200;
    command->existing = row == NULL || row->phase != PHASE_IDLE || row->due_at > ws_now_us(ws);
    if (!command->existing)
        (void)begin(ws, ws_edit(ws, row));
}

/* ---- settings ---- */

static bool put_edge(struct edge *at, const struct request *request, struct command *command, struct faults *faults)
{
    const struct classing_io *in = command->input;
    memcpy(command->path, request->path, sizeof command->path);
    command->of_unit = request->path[0];
    if (faults->count == 0 && in->share_a_ppm + in->share_b_ppm > 1000000)
        fault_add(faults, FAULT_INVALID, "/share_b_ppm", "with share_a_ppm it is more than the whole of 1000000");
    return faults->count == 0;
}

static void put_decide(struct ws *ws, struct command *command)
{
    const struct classing_io *in = command->input;
    if (ws_unit(ws) == 0) {
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no unit %s", command->path[0]);
        return;
    }
    const struct count_classing_row *there = ws_get(ws, &count_classing_table, WS_KEY(ws_unit(ws)));
    const int64_t version = there == NULL ? 0 : there->version;
    if (!if_match_holds(command->if_match, version) || !if_none_match_holds(command->if_none_match, version)) {
        fault_add(&command->faults, FAULT_PRECONDITION_FAILED, NULL, "it is at version %ld", (long)version);
        return;
    }
    const bool same = there != NULL && there->window_days == in->window_days && there->share_a_ppm == in->share_a_ppm &&
                      there->share_b_ppm == in->share_b_ppm && there->every_days == in->every_days;
    command->existing = same;
    if (same) {
        answer(ws, command, there, 200);
        return;
    }
    struct count_classing_row *row = classing_of(ws);
    row->window_days = in->window_days;
    row->share_a_ppm = in->share_a_ppm;
    row->share_b_ppm = in->share_b_ppm;
    row->every_days = in->every_days;
    row->due_at = due_after(row, ws_now_us(ws));
    row->version++;
    command->event_seq = tell(ws, row);
    answer(ws, command, row, version == 0 ? 201 : 200);
}

/* ---- commands ---- */

const struct command_type count_classes_start = { .name = "count_classes.start",
                                                  .input = &start_fields,
                                                  .mode = FIELDS_POST,
                                                  .queue = QUEUE_PEOPLE,
                                                  .edge = start_edge,
                                                  .look_up = start_look_up,
                                                  .decide = start_decide,
                                                  .again = event_again,
                                                  .inverse = "none: classes follow from what moved; count_classing.put and another run make others" };
const struct command_type count_classes_due = {
    .name = "count_classes.due", .queue = QUEUE_BULK, .decide = due_decide, .inverse = "none: the clock's"
};
const struct command_type count_classing_put = { .name = "count_classing.put",
                                                 .input = &count_classing_fields,
                                                 .mode = FIELDS_PUT,
                                                 .queue = QUEUE_PEOPLE,
                                                 .edge = put_edge,
                                                 .decide = put_decide,
                                                 .inverse = "count_classing.put: what it was before" };
