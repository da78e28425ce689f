/* src/orders/told.c: see told.h. A change of date that concerns 80,000 lines is one row for the command that changed it; what follows is read by the
 * scheduler and told in commands of bounded size, which wait behind everybody else's. While a SKU is not due, each place of its queue has as told
 * what queue_dates gives, and a line of such SKUs what follows from its parts (millrace check). Where units stand free while somebody waits, a place
 * may be told late: who takes such units asks nobody's queue. */
#include "orders/told.h"
#include "base/id.h"
#include "orders/commands.h"
#include "orders/dates.h"
#include "orders_sql.h"

int64_t line_date_of(const int64_t *parts, size_t count)
{
    int64_t at = 0;
    for (size_t i = 0; i < count; i++)
        at = at == NULL_INT || parts[i] == NULL_INT ? NULL_INT : max_i64(at, parts[i]);
    return at == 0 ? NULL_INT : at;
}

/* ---- one line ---- */

static void write_date(struct json_writer *json, const char *name, int64_t at)
{
    json_key(json, name);
    if (at == NULL_INT)
        json_null(json);
    else
        json_time(json, at);
}

static void tell(struct ws *ws, const struct order_line_row *line, int64_t now, int64_t supply)
{
    struct event_row event = event_of(EVENT_ORDER_PROMISE_CHANGED, SUBJECT_ORDER, line->ord);
    struct json_writer json;
    json_begin(&json, ws_arena(ws));
    json_object(&json);
    json_key(&json, "line");
    json_int(&json, line->line);
    write_date(&json, "was", line->told);
    write_date(&json, "now", now);
    json_key(&json, "cause");
    json_text(&json, supply > 0 ? "supply" : "queue");
    if (supply > 0) {
        json_key(&json, "supply");
        json_text(&json, id_text(ws_arena(ws), subject_prefix(SUBJECT_SUPPLY), line->unit, supply));
    }
    json_object_end(&json);
    event.about = line->ord;
    event.sku = line->sku;
    event.data = json.out.at;
    ws_event(ws, event);
}

/* Tells the line's date where it is another than was told. */
static void line_tells(struct ws *ws, const struct order_line_row *line, int64_t now, int64_t supply)
{
    if (line->told == now)
        return;
    tell(ws, line, now, supply);
    ((struct order_line_row *)ws_edit(ws, line))->told = now;
}

void order_line_retold(struct order *order, int64_t number)
{
    struct ws *ws = order->ws;
    int64_t *parts = ARENA_ARRAY(ws_arena(ws), int64_t, order->demand_count + 1);
    size_t count = 0;
    const struct order_line_row *line = order->lines[number - 1];
    for (size_t i = 0; i < order->demand_count; i++)
        if (order->demands[i]->line == number && order->demands[i]->backordered > 0 && order->demands[i]->sku != 0)
            demand_waits_want(order, order->demands[i]);
    ws_settle(ws);
    for (size_t i = 0; i < order->demand_count; i++) {
        const struct waiting_row k = waiting_of(order, order->demands[i]);
        const struct waiting_row *there = k.line != number || k.units == 0 || k.sku == 0
                                              ? NULL
                                              : ws_get(ws, &waiting_table, WS_KEY(k.unit, k.sku, k.priority, k.promise, k.ord, k.line, k.part));
        if (there != NULL)
            parts[count++] = there->told;
    }
    if (count > 0)
        line_tells(ws, line, line_date_of(parts, count), 0);
    else if (line->told != NULL_INT)
        ((struct order_line_row *)ws_edit(ws, line))->told = NULL_INT;
}

/* ---- the command ---- */

static const struct waiting_row *place_of(struct ws *ws, const struct tell_input *in, size_t i)
{
    const struct retold *p = &in->places[i];
    return ws_get(ws, &waiting_table, WS_KEY(ws_unit(ws), in->sku, p->priority, p->promise, p->ord, p->line, p->part));
}

static void tell_prefetch(struct ws *ws, const struct command *command)
{
    const struct tell_input *in = command->input;
    promises_change_want(ws, in->sku);
    for (size_t i = 0; i < in->count; i++) {
        const struct retold *p = &in->places[i];
        ws_want(ws, &waiting_table, WS_KEY(ws_unit(ws), in->sku, p->priority, p->promise, p->ord, p->line, p->part));
        ws_want(ws, &order_line_table, WS_KEY(ws_unit(ws), p->ord, p->line));
    }
}

/* The other components of bundles that wait: the line's places in their queues. */
static void want_parts(struct ws *ws, const struct tell_input *in)
{
    const struct demand_row *demand;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < in->count; i++) {
            const struct retold *p = &in->places[i];
            const struct order_line_row *line = ws_get(ws, &order_line_table, WS_KEY(ws_unit(ws), p->ord, p->line));
            if (line == NULL || !line->bundle)
                continue;
            const struct db_value prefix[] = { db_int(ws_unit(ws)), db_int(p->ord) };
            if (round == 0)
                ws_want_path(ws, &demand_of_order, prefix, 0);
            for (struct ws_cursor cursor = ws_scan(ws, &demand_of_order, prefix, 0); round == 1 && (demand = ws_next(ws, &cursor)) != NULL;)
                if (demand->line == p->line && demand->backordered > 0)
                    ws_want(ws, &waiting_table, WS_KEY(demand->unit, demand->sku, p->priority, p->promise, demand->ord, demand->line, demand->part));
        }
        ws_settle(ws);
    }
}

static int64_t date_of_line(struct ws *ws, const struct order_line_row *line, const struct waiting_row *place)
{
    if (!line->bundle)
        return line_date_of(&place->told, 1);
    const struct demand_row *demand;
    const struct db_value prefix[] = { db_int(line->unit), db_int(line->ord) };
    int64_t *parts = ARENA_ARRAY(ws_arena(ws), int64_t, ws_count(ws, &demand_of_order, prefix) + 1);
    size_t count = 0;
    for (struct ws_cursor cursor = ws_scan(ws, &demand_of_order, prefix, 0); (demand = ws_next(ws, &cursor)) != NULL;) {
        if (demand->line != line->line || demand->backordered == 0)
            continue;
        const struct waiting_row *each =
            ws_get(ws, &waiting_table, WS_KEY(demand->unit, demand->sku, place->priority, place->promise, demand->ord, demand->line, demand->part));
        parts[count++] = each == NULL ? NULL_INT : each->told;
    }
    return line_date_of(parts, count);
}

static void tell_decide(struct ws *ws, struct command *command)
{
    const struct tell_input *in = command->input;
    const struct waiting_sku_row *sku = ws_get(ws, &waiting_sku_table, WS_KEY(ws_unit(ws), in->sku % WAITING_PARTS, in->sku));
    command->answer.status = 200;
    command->existing = sku == NULL || sku->due == 0;
    if (command->existing)
        return;
    want_parts(ws, in);
    bool differed = false;
    for (size_t i = 0; i < in->count; i++) {
        const struct waiting_row *place = place_of(ws, in, i); /* NULL: it waits no more */
        if (place == NULL || place->told == in->places[i].at)
            continue;
        differed = true;
        ((struct waiting_row *)ws_edit(ws, place))->told = in->places[i].at;
        const struct order_line_row *line = ws_get(ws, &order_line_table, WS_KEY(place->unit, place->ord, place->line));
        line_tells(ws, line, date_of_line(ws, line, place), in->supply);
    }
    if (differed && sku->changes != in->changes) /* by an old look, and a newer one, of another server, may have told these before: it may not end */
        ((struct waiting_sku_row *)ws_edit(ws, sku))->changes++;
    if (!in->last)
        return;
    struct waiting_sku_row *looked = ws_edit(ws, sku);
    const bool same = looked->changes == in->changes;
    looked->due = same ? 0 : ws_clock(ws)->event_seq + 1; /* behind those who have not been looked at since */
    looked->supply = same ? 0 : looked->supply;
}

const struct command_type promise_tell = { .name = "promise.tell",
                                           .queue = QUEUE_BULK,
                                           .passes_barrier = true,
                                           .prefetch = tell_prefetch,
                                           .decide = tell_decide,
                                           .inverse = "none: it tells what follows from what others have changed" };

/* ---- who looks ---- */

struct look {
    struct retold *places;
    size_t count; /* of all SKUs */
};

static bool differs(void *context, const struct queue_place *place, int64_t at)
{
    struct look *look = context;
    if (place->told == at)
        return true;
    if (look->count == TELL_A_LOOK)
        return false;
    look->places[look->count++] = (struct retold){ place->priority, place->promise, place->ord, place->line, place->part, at };
    return true;
}

/* One SKU, as commands. Its queue is read at one moment, that of its row. */
static enum db_result look_at(struct reading *reading, struct look *look, int64_t unit, const struct promises_due_result *due,
                              struct tell_input *inputs, size_t *count)
{
    const size_t from = look->count;
    bool stands;
    enum db_result result = queue_dates(reading, unit, due->sku, differs, look, &stands);
    for (size_t at = from; result == DB_OK; at += TELL_AT_ONCE) {
        const size_t left = look->count - at;
        inputs[*count] = (struct tell_input){ .sku = due->sku,
                                              .supply = due->supply,
                                              .changes = due->changes,
                                              .last = left <= TELL_AT_ONCE && look->count < TELL_A_LOOK,
                                              .places = look->places + at,
                                              .count = left < TELL_AT_ONCE ? left : TELL_AT_ONCE };
        (*count)++;
        if (left <= TELL_AT_ONCE)
            break;
    }
    return result;
}

enum db_result promises_look(struct db *db, struct arena *arena, int64_t unit, const struct tell_input **out, size_t *count)
{
    struct reading reading = { .db = db, .arena = arena };
    struct promises_due_result *due;
    size_t due_count = 0;
    *count = 0;
    enum db_result result = db_begin_read(db);
    if (result == DB_OK)
        result = promises_due(db, arena, unit, TELL_SKUS_A_LOOK, &due, &due_count);
    if (result == DB_OK && due_count > 0) {
        struct look look = { .places = ARENA_ARRAY(arena, struct retold, TELL_A_LOOK + 1) };
        struct tell_input *inputs = ARENA_ARRAY(arena, struct tell_input, TELL_A_LOOK / TELL_AT_ONCE + TELL_SKUS_A_LOOK + 1);
        for (size_t i = 0; i < due_count && result == DB_OK && look.count < TELL_A_LOOK; i++)
            result = look_at(&reading, &look, unit, &due[i], inputs, count);
        *out = inputs;
    }
    (void)db_rollback(db);
    return result;
}

enum db_result promises_advance(struct engine *engine, struct arena *arena, int64_t unit, bool *open)
{
    const struct tell_input *inputs = NULL;
    size_t count;
    enum db_result result = promises_look(engine_db(engine), arena, unit, &inputs, &count);
    bool done = true; /* the last command of a look says that all of it is told: it may not come where one before it did not */
    for (size_t i = 0; i < count && result == DB_OK && done; i++) {
        struct command command = { .type = &promise_tell, .input = &inputs[i], .arena = arena, .unit = unit, .faults = { .arena = arena } };
        engine_run(engine, (struct command *[]){ &command }, 1);
        done = command.state == COMMAND_ACCEPTED;
    }
    *open = result == DB_OK && count > 0;
    return result;
}
