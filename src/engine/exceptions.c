/* src/engine/exceptions.c: work for a person: opened once for each cause, counted when it comes again, closed when it is gone.
 * Invariant, here and as the index exception_open in 0001_engine.sql: no two open rows have one cause. */
#include "engine/exceptions.h"

const char *const exception_names[EXCEPTION_TYPE_COUNT] = {
#define ROW(name, text, team) text,
    EXCEPTION_TYPES(ROW)
#undef ROW
        NULL
};
const char *const exception_team_names[EXCEPTION_TEAM_COUNT + 1] = {
#define ROW(name, text) text,
    EXCEPTION_TEAMS(ROW)
#undef ROW
        NULL
};
const enum exception_team exception_teams[EXCEPTION_TYPE_COUNT] = {
#define ROW(name, text, team) [EXCEPTION_##name] = TEAM_##team,
    EXCEPTION_TYPES(ROW)
#undef ROW
};

void line_units_tell(struct json_writer *json, const char *key, const struct line_units *lines, size_t count)
{
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < count; i++) {
        json_object(json);
        json_key(json, "line");
        json_int(json, lines[i].line);
        json_key(json, "quantity");
        json_int(json, lines[i].quantity);
        json_object_end(json);
    }
    json_array_end(json);
}

/* `opened` NULL: it is closed. */
static int64_t tell(struct ws *ws, enum event_type type, const struct exception_item_row *row, const struct exception *opened)
{
    struct json_writer json;
    json_begin(&json, ws_arena(ws));
    json_object(&json);
    json_key(&json, "type");
    json_text(&json, exception_names[row->type - 1]);
    if (opened != NULL) {
        json_key(&json, "detail");
        json_text(&json, opened->detail);
    }
    if (opened != NULL && opened->lines != NULL)
        line_units_tell(&json, "lines", opened->lines, opened->line_count);
    json_object_end(&json);
    struct event_row event = event_of(type, SUBJECT_EXCEPTION, row->id);
    event.about = row->about;
    event.node = row->node;
    event.sku = row->sku;
    event.quantity = row->quantity;
    event.data = json.out.at;
    return ws_event(ws, event);
}

void exception_want(struct ws *ws, const char *cause)
{
    ws_want_path(ws, &exception_open_by_cause, WS_PREFIX(db_int(ws_unit(ws)), db_text(cause)), 0);
}

const struct exception_item_row *exception_find(struct ws *ws, const char *cause)
{
    struct ws_cursor cursor = ws_scan(ws, &exception_open_by_cause, WS_PREFIX(db_int(ws_unit(ws)), db_text(cause)), 0);
    const struct exception_item_row *row = ws_next(ws, &cursor);
    while (row != NULL && row->state != EXCEPTION_OPEN) /* closed in this batch: it still stands in the list */
        row = ws_next(ws, &cursor);
    return row;
}

void exception_open(struct ws *ws, const struct exception *e)
{
    const struct exception_item_row *open = exception_find(ws, e->cause);
    if (open != NULL) {
        struct exception_item_row *again = ws_edit(ws, open);
        again->repeats++;
        again->quantity += e->quantity;
        return;
    }
    struct exception_item_row row = { .unit = ws_unit(ws),
                                      .id = ws_next_id(ws),
                                      .type = e->type,
                                      .state = EXCEPTION_OPEN,
                                      .cause = e->cause,
                                      .subject_kind = e->subject_kind == SUBJECT_NONE ? SUBJECT_ORDER : e->subject_kind,
                                      .subject = e->subject_kind == SUBJECT_NONE ? e->order : e->subject,
                                      .about = e->order,
                                      .node = e->node,
                                      .sku = e->sku,
                                      .quantity = e->quantity,
                                      .repeats = 1,
                                      .opened_at = ws_now_us(ws),
                                      .closed_at = NULL_INT,
                                      .detail = e->detail };
    ws_insert(ws, &exception_item_table, &row);
    (void)tell(ws, EVENT_EXCEPTION_OPENED, &row, e);
}

int64_t exception_close(struct ws *ws, const struct exception_item_row *open)
{
    struct exception_item_row *closed = ws_edit(ws, open);
    closed->state = EXCEPTION_CLOSED;
    closed->closed_at = ws_now_us(ws);
    return tell(ws, EVENT_EXCEPTION_CLOSED, closed, NULL);
}
