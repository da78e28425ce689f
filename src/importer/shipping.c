/* src/importer/shipping.c: at the end of a day, what is released of orders that are old enough is picked, packed and shipped, however
 * long it has waited for stock. Orders of the last days stay released: a second run finds nothing to ship. */
#include "importer/answers.h"
#include "importer/replay.h"

/* What is done to work in a state, and in which state that leaves it: the machine's own order. A run that was cut off may have
 * left work in any of them. */
static const struct {
    const char *state, *verb, *body;
} steps[] = {
    { "released", "pick", "{}" },
    { "picking", "pack", "{\"packages\":[{\"weight_g\":1000}]}" },
    { "packed", "ship", "{\"carrier\":\"carrier\",\"tracking\":\"none\"}" },
};

struct due {
    const char **ids;
    size_t count, room;
};

static void add_if_due(struct replay *replay, const struct work_seen *work, int64_t day, struct due *due)
{
    const uint32_t *invoice = work->order == NULL ? NULL : names_find(&replay->orders, work->order);
    if (invoice == NULL || day_of(replay->sales.invoices[*invoice].at_us) > day - replay->import->ship_after_days)
        return;
    due->ids = arena_room(replay->scratch, due->ids, due->count, &due->room, 256, sizeof *due->ids);
    due->ids[due->count++] = work->id;
}

/* Adds what stands in a state, is ours, and is due. */
static bool find_due(struct replay *replay, const char *state, int64_t day, struct due *due)
{
    const char *next = "";
    while (next != NULL) {
        struct call call =
            replay_call("GET",
                        arena_printf(replay->scratch, "/v1/fulfilments?node=%s&state=%s&limit=1000%s%s",
                                     replay_percent(replay->scratch, replay->import->node), state, *next == '\0' ? "" : "&cursor=", next),
                        NULL);
        struct work_seen *work;
        size_t count;
        if (!replay_ask(replay, ACTIVITY_SHIPPING, &call, 1))
            return false;
        if (call.status != 200 || !work_seen(replay->scratch, call.answer, call.answer_bytes, &work, &count, &next))
            return replay_fail(replay, "%s: %d %s", call.target, call.status, problem_seen(replay->scratch, call.answer, call.answer_bytes));
        for (size_t i = 0; i < count; i++)
            add_if_due(replay, &work[i], day, due);
    }
    return true;
}

static bool step(struct replay *replay, size_t s, const struct due *due)
{
    struct call *calls = ARENA_ARRAY(replay->scratch, struct call, due->count);
    for (size_t i = 0; i < due->count; i++) {
        calls[i] = replay_call("POST", arena_printf(replay->scratch, "/v1/fulfilments/%s/%s", due->ids[i], steps[s].verb), steps[s].body);
        calls[i].idempotency_key = arena_printf(replay->scratch, "import:%s:%s", due->ids[i], steps[s].verb);
    }
    if (!replay_ask(replay, ACTIVITY_SHIPPING, calls, due->count))
        return false;
    for (size_t i = 0; i < due->count; i++) {
        struct tally *tally = &replay->made[ACTIVITY_SHIPPING];
        if (calls[i].status != 200)
            tally->refused++;
        else if (s + 1 == COUNT(steps))
            tally->fresh++;
    }
    return true;
}

bool ship_day(struct replay *replay, int64_t day)
{
    for (size_t s = 0; s < COUNT(steps) && replay->import->ship_after_days != IMPORT_SHIP_NEVER; s++) {
        struct due due = { 0 }; /* with what the step before has brought into this state */
        if (!find_due(replay, steps[s].state, day, &due) || !step(replay, s, &due))
            return false;
    }
    return true;
}
