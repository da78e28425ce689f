/* src/engine/idempotency.c: no response is stored: a 2xx is rendered once more from its event, a 409 keeps its code,
 * pointer and detail. */
#include "engine/idempotency.h"
#include "base/when.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int64_t day_of(const struct ws *ws)
{
    return ws_now_us(ws) / DAY_US;
}

/* A PUT or PATCH is the same when it comes again: nothing is kept of it. */
static bool is_kept(const struct command *command)
{
    return command->has_key && command->type->again != NULL;
}

void idempotency_want(struct ws *ws, const struct command *command)
{
    for (int64_t back = 0; is_kept(command) && back < IDEMPOTENCY_DAYS; back++)
        ws_want(ws, &idempotency_table, WS_KEY(ws_unit(ws), day_of(ws) - back, command->key_hash[0], command->key_hash[1]));
}

static const struct idempotency_row *find(struct ws *ws, const struct command *command)
{
    idempotency_want(ws, command);
    ws_settle(ws);
    for (int64_t back = 0; back < IDEMPOTENCY_DAYS; back++) {
        const struct idempotency_row *row =
            ws_get(ws, &idempotency_table, WS_KEY(ws_unit(ws), day_of(ws) - back, command->key_hash[0], command->key_hash[1]));
        if (row != NULL)
            return row;
    }
    return NULL;
}

/* "code<TAB>pointer<TAB>detail" of the refusal. */
static void refuse_again(struct command *command, const char *problem)
{
    char *text = arena_text(command->arena, problem), *pointer = strchr(text, '\t');
    *pointer++ = '\0';
    char *detail = strchr(pointer, '\t');
    *detail++ = '\0';
    fault_add(&command->faults, (enum fault_code)strtol(text, NULL, 10), *pointer == '-' ? NULL : pointer, "%s", detail);
}

bool idempotency_answers(struct ws *ws, struct command *command)
{
    const struct idempotency_row *row = is_kept(command) ? find(ws, command) : NULL;
    if (row == NULL)
        return false;
    command->existing = true;
    if (row->body_high != command->body_hash[0] || row->body_low != command->body_hash[1]) {
        fault_add(&command->faults, FAULT_IDEMPOTENCY_MISMATCH, NULL, "this Idempotency-Key was sent with another method, path or body");
    } else if (row->problem != NULL) {
        refuse_again(command, row->problem);
    } else {
        command->answer.status = (int)row->status;
        command->type->again(ws, command, row->event_seq);
    }
    return true;
}

void idempotency_keep(struct ws *ws, const struct command *command)
{
    int status = command->answer.status;
    bool refused = command->state == COMMAND_REFUSED;
    bool given_again = command->existing && (refused || command->event_seq == 0); /* by a row that is there, or by 422 */
    if (!is_kept(command) || given_again || (refused && status != 409))
        return;
    assert(refused || command->event_seq > 0); /* else there is nothing to render it from */
    struct idempotency_row row = { .unit = ws_unit(ws),
                                   .day = day_of(ws),
                                   .key_high = command->key_hash[0],
                                   .key_low = command->key_hash[1],
                                   .body_high = command->body_hash[0],
                                   .body_low = command->body_hash[1],
                                   .status = status,
                                   .event_seq = command->event_seq };
    if (refused) {
        const struct fault *fault = &command->faults.items[0];
        row.problem = arena_printf(ws_arena(ws), "%d\t%s\t%.*s", (int)fault->code, fault->pointer == NULL ? "-" : fault->pointer,
                                   (int)utf8_cut(fault->detail, strlen(fault->detail), 400), fault->detail);
    }
    if (ws_get(ws, &idempotency_table, WS_KEY(row.unit, row.day, row.key_high, row.key_low)) == NULL)
        ws_insert(ws, &idempotency_table, &row);
}

struct looked_for {
    struct idempotency_entry *entries;
    size_t count;
};

static void find_entries(struct ws *ws, void *context)
{
    const struct looked_for *of = context;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < of->count; i++)
            for (int64_t back = 0; back < IDEMPOTENCY_DAYS; back++) {
                struct idempotency_entry *entry = &of->entries[i];
                const int64_t key[] = { ws_unit(ws), day_of(ws) - back, entry->key_hash[0], entry->key_hash[1] };
                const struct idempotency_row *row = NULL;
                if (round == 0)
                    ws_want(ws, &idempotency_table, key);
                else
                    row = ws_get(ws, &idempotency_table, key);
                if (row != NULL && row->problem == NULL && row->event_seq > 0) {
                    entry->unit = row->unit;
                    entry->event_seq = row->event_seq;
                    entry->status = row->status;
                }
            }
        ws_settle(ws);
    }
}

enum db_result idempotency_events(const struct reading *reading, int64_t unit, struct idempotency_entry *entries, size_t count)
{
    struct looked_for of = { entries, count };
    return ws_read(reading, unit, when_now_us(), find_entries, &of);
}
