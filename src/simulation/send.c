/* src/simulation/send.c: how the people of the day ask. Each command has a key; what is not answered, or answered with 5xx, is sent again
 * with it until it is. So whatever the store, the process or the clock do meanwhile, all is done once: the proof at the day's end counts.
 * Faults are ordered where tests order them (db_fail_at): a step of some batch fails, on its way in, in a read, in a write or at the commit. */
#include "base/fault.h"
#include "base/id.h"
#include "engine/jobs.h"
#include "fulfilment/parcels.h"
#include "inventory/reservations.h"
#include "inventory/supply.h"
#include "simulation/day.h"
#include <string.h>

/* So many in a row at most, so that each command is answered in the end. STEPS_MAX: about as many as a large batch asks of its store. */
enum { TRIES_WITH_TROUBLE = 3, TRIES_MAX = 8, STEPS_MAX = 40, STEPS_BEFORE_COMMIT = 4, PREVIEW_PERCENT = 8, JOB_ROUNDS_MAX = 100000 };

static const struct trouble {
    enum db_result result;
    bool after_commit;
    int64_t steps; /* the first of so many */
} troubles[TROUBLE_CLOCK_BACK] = {
    [TROUBLE_BUSY] = { DB_BUSY, false, STEPS_MAX },       [TROUBLE_FULL] = { DB_FULL, false, STEPS_MAX },
    [TROUBLE_IO] = { DB_IO, false, STEPS_BEFORE_COMMIT }, /* at the commit the process ends by design, and this one with it */
    [TROUBLE_LOST] = { DB_LOST, false, STEPS_MAX },       [TROUBLE_LOST_AFTER] = { DB_LOST, true, 1 },
    [TROUBLE_KILLED] = { DB_FULL, false, STEPS_MAX },     [TROUBLE_KILLED_AFTER] = { DB_OK, false, 1 },
};

static void open_again(struct day *day)
{
    const char *error = "";
    if (!company_open_again(day->company, day->arena, &error))
        day_fail(day, "the company does not open again: %s", error);
}

struct db *day_db(struct day *day)
{
    struct db *db = engine_db(day->company->engine);
    if (day_is_well(day) && (db == NULL || db_is_lost(db))) {
        open_again(day);
        db = engine_db(day->company->engine);
    }
    return db;
}

struct db_rows day_rows(struct day *day, const struct db_path *path, int64_t key)
{
    struct db_rows rows = { 0 };
    const struct db_value prefix[] = { db_int(day->company->unit), db_int(key) };
    struct db *db = day_db(day);
    if (day_is_well(day) && db_load_path(db, day->step, path, prefix, 1, 0, &rows) != DB_OK)
        day_fail(day, "%s", db_last_error(db));
    return rows;
}

/* ---- trouble ---- */

static enum day_trouble trouble_begin(struct day *day, int tries)
{
    if (day->options->faults == 0 || tries >= TRIES_WITH_TROUBLE || draw_below(&day->luck, day->options->faults) > 0)
        return TROUBLE_COUNT;
    const enum day_trouble which = (enum day_trouble)draw_below(&day->luck, TROUBLE_COUNT);
    struct company *company = day->company;
    if (which >= TROUBLE_CLOCK_BACK) {
        company->wrong_us = which == TROUBLE_CLOCK_BACK    ? -draw_from(&day->luck, 1, 90) * MINUTE_US
                            : which == TROUBLE_CLOCK_AHEAD ? draw_from(&day->luck, 1, 90) * MINUTE_US
                                                           : company->told_us - company->now_us;
        day->tallies->troubles[which]++;
        return which;
    }
    const struct trouble *trouble = &troubles[which];
    const int64_t at = 1 + draw_below(&day->luck, trouble->steps);
    struct db *db = day_db(day);
    if (day_is_well(day) && trouble->result != DB_OK)
        db_fail_at(db, at, trouble->result, trouble->after_commit);
    return which;
}

/* True: the process has ended, and nobody got an answer. */
static bool trouble_end(struct day *day, enum day_trouble which)
{
    day->company->wrong_us = 0;
    if (which >= TROUBLE_CLOCK_BACK || !day_is_well(day))
        return false;
    struct db *db = engine_db(day->company->engine);
    const bool waits = db != NULL && db_fail_at(db, 0, DB_OK, false);
    if (waits)
        return false;
    day->tallies->troubles[which]++;
    if (which != TROUBLE_KILLED && which != TROUBLE_KILLED_AFTER)
        return false;
    open_again(day);
    return true;
}

/* ---- a wave ---- */

/* A fault of the store on its way in is answered like one behind it. */
static struct command *command_of(struct day *day, const struct asked *request, const char *body, bool keyed)
{
    const char *key = keyed ? arena_printf(day->step, "day-%ld", (long)request->number) : NULL;
    struct command *command = local_command(day->company->local, day->step, request->method, request->target, body, key);
    if (command == NULL)
        day_fail(day, "%s %s is no command", request->method, request->target);
    return command;
}

/* The first of a wave may be asked as a preview: what then comes must be the same. NULL: it is not asked. */
static const struct command *preview(struct day *day, const struct asked *request)
{
    const char *body = request->body;
    if (body == NULL || *body != '{' || !percent(&day->chance, PREVIEW_PERCENT))
        return NULL;
    body = arena_printf(day->step, "{\"dry_run\":true%s%s", body[1] == '}' ? "" : ",", body + 1);
    struct command *command = command_of(day, request, body, false);
    if (command != NULL && command->state != COMMAND_REFUSED)
        engine_run(day->company->engine, &command, 1);
    tally(day, TALLY_PREVIEWED);
    return command;
}

static bool same(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

static void compare_preview(struct day *day, const struct asked *request, const struct command *seen)
{
    if (seen == NULL || (request->status == seen->answer.status && same(request->answer, seen->answer.body)))
        return;
    day_fail(day, "%s %s was previewed as %d %s, and came as %d %s", request->target, request->body, seen->answer.status, seen->answer.body,
             request->status, request->answer);
}

static void take_answer(struct day *day, struct asked *request, const struct command *command, bool killed)
{
    const int status = command->answer.status;
    if (status == 0 || status >= 500)
        return;
    if (killed) { /* what was found invalid, no key remembers */
        request->lost_status = status / 100 == 2 || status == 409 ? status : 0;
        request->lost_answer = command->answer.body;
        return;
    }
    request->status = status;
    request->answer = command->answer.body == NULL ? "" : command->answer.body;
    request->event = command->event_seq;
    day->tallies->commands++;
    if (request->lost_status == 0)
        return;
    tally(day, TALLY_SAME_AGAIN);
    if (status != request->lost_status || !same(request->answer, request->lost_answer))
        day_fail(day, "%s %s was answered %d %s, and with its key again %d %s", request->target, request->body, request->lost_status,
                 request->lost_answer, status, request->answer);
}

/* What is not answered yet, as one batch. */
static enum day_trouble send_once(struct day *day, struct asked *wave, size_t count, int tries)
{
    struct command **all = ARENA_ARRAY(day->step, struct command *, count), **run = ARENA_ARRAY(day->step, struct command *, count);
    size_t running = 0;
    const enum day_trouble trouble = trouble_begin(day, tries);
    for (size_t i = 0; i < count && day_is_well(day); i++) {
        if (wave[i].status != 0)
            continue;
        all[i] = command_of(day, &wave[i], wave[i].body, true);
        if (all[i] != NULL && all[i]->state != COMMAND_REFUSED)
            run[running++] = all[i];
        day->tallies->of[TALLY_SENT_AGAIN] += tries > 0;
    }
    if (day_is_well(day) && running > 0)
        engine_run(day->company->engine, run, running);
    const bool killed = trouble_end(day, trouble);
    for (size_t i = 0; i < count && day_is_well(day); i++)
        if (all[i] != NULL && wave[i].status == 0)
            take_answer(day, &wave[i], all[i], killed);
    return trouble;
}

void wave_send(struct day *day, struct asked *wave, size_t count)
{
    bool open = true;
    const struct command *seen = preview(day, &wave[0]); /* NULL: nobody has asked */
    for (int tries = 0; open && day_is_well(day); tries++) {
        (void)day_db(day); /* a client's reads want a connection; the engine opens its own */
        if (tries == TRIES_MAX)
            day_fail(day, "%s %s is not answered", wave[0].target, wave[0].body);
        if (send_once(day, wave, count, tries) != TROUBLE_COUNT)
            seen = NULL; /* it came at another time than it would have */
        open = false;
        for (size_t i = 0; i < count; i++)
            open = open || wave[i].status == 0;
    }
    if (day_is_well(day))
        compare_preview(day, &wave[0], seen);
}

/* ---- reads, jobs, dates ---- */

const char *day_read(struct day *day, const char *target)
{
    for (int tries = 0; tries < TRIES_MAX && day_is_well(day); tries++) {
        (void)day_db(day);
        const enum day_trouble trouble = trouble_begin(day, tries);
        struct reply reply = { 0 };
        if (day_is_well(day))
            reply = local_call(day->company->local, day->step, "GET", target, NULL);
        (void)trouble_end(day, trouble);
        if (reply.status == 200)
            return reply.body;
        if (reply.status < 500)
            day_fail(day, "GET %s: %d %s", target, reply.status, reply.body);
    }
    day_fail(day, "GET %s is not answered", target);
    return NULL;
}

void day_jobs(struct day *day)
{
    bool open = true;
    for (int round = 0, failed = 0; open && day_is_well(day); round++) {
        (void)day_db(day);
        const enum day_trouble trouble = trouble_begin(day, round % JOB_ROUNDS_MAX == 0 ? 0 : TRIES_WITH_TROUBLE);
        if (!day_is_well(day))
            return;
        const enum db_result result = jobs_advance(day->company->engine, day->step, day->company->unit, &open);
        if (result != DB_OK && trouble == TROUBLE_COUNT)
            failed++;
        open = open || result != DB_OK;
        (void)trouble_end(day, trouble);
        if (failed == TRIES_MAX || round == JOB_ROUNDS_MAX)
            day_fail(day, "a job does not come to its end (%s)", db_result_name(result));
    }
}

static void run_by_itself(struct day *day, const struct command_type *type)
{
    for (int tries = 0; tries < TRIES_MAX && day_is_well(day); tries++) {
        (void)day_db(day);
        struct command *command = ARENA_NEW(day->step, struct command);
        *command = (struct command){ .type = type, .arena = day->step, .unit = day->company->unit };
        command->faults.arena = day->step;
        const enum day_trouble trouble = trouble_begin(day, tries);
        if (day_is_well(day))
            engine_run(day->company->engine, &command, 1);
        if (trouble_end(day, trouble) || command->state != COMMAND_ACCEPTED)
            continue; /* it looks at what is there: twice is once */
        if (command->existing)
            return; /* nothing was due */
    }
}

void day_dates(struct day *day)
{
    run_by_itself(day, &reservation_expire);
    run_by_itself(day, &supply_overdue);
    run_by_itself(day, &fulfilment_assume);
}
