/* src/engine/jobs.c: a step is a command like any other: queued with bulk work, decided with others in a batch, and there
 * or not there after a crash. Who submits steps looks which jobs are open; two that do so harm nothing. */
#include "engine/jobs.h"
#include "engine_sql.h"

static const struct job_work *work_of(int64_t kind)
{
    static const struct job_work *const works[JOB_KIND_COUNT] = { [JOB_FILL] = &fill_job,         [JOB_COPY_MASTERS] = &copy_masters_job,
                                                                  [JOB_GIVE_WAY] = &give_way_job, [JOB_WAKE] = &wake_job,
                                                                  [JOB_MAP] = &map_job,           [JOB_RECALL] = &recall_job,
                                                                  [JOB_PROMISE] = &promise_job,   [JOB_CLASS] = &class_job };
    return works[kind];
}

struct job_row *job_open(struct ws *ws, enum job_kind kind, int64_t subject, int64_t node)
{
    struct job_row row = { .unit = ws_unit(ws),
                           .id = ws_next_id(ws),
                           .kind = kind,
                           .state = JOB_OPEN,
                           .subject = subject,
                           .node = node,
                           .started_at = ws_now_us(ws),
                           .ended_at = NULL_INT };
    return ws_insert(ws, &job_table, &row);
}

static const struct job_row *find(struct ws *ws, const struct job_input *input)
{
    if (input->id != 0)
        return ws_get(ws, &job_table, WS_KEY(ws_unit(ws), input->id));
    struct ws_cursor cursor = ws_scan(ws, &job_by_state, WS_PREFIX(db_int(ws_unit(ws)), db_int(JOB_OPEN)), 8);
    const struct job_row *job;
    while ((job = ws_next(ws, &cursor)) != NULL && job->state != JOB_OPEN)
        continue; /* ended in this batch */
    return job;
}

static void step_decide(struct ws *ws, struct command *command)
{
    const struct job_row *job = find(ws, command->input);
    command->answer.status = 200;
    command->existing = job == NULL || job->state != JOB_OPEN;
    if (command->existing)
        return;
    struct job_row *edited = ws_edit(ws, job);
    if (work_of(job->kind)->step(ws, edited))
        return;
    if (edited->state == JOB_OPEN)
        edited->state = JOB_DONE;
    edited->ended_at = ws_now_us(ws);
}

#define STEP(NAME, COMPANY)                                    \
    const struct command_type NAME = { .name = "job.step",     \
                                       .queue = QUEUE_BULK,    \
                                       .company = COMPANY,     \
                                       .passes_barrier = true, \
                                       .decide = step_decide,  \
                                       .inverse = "none: a part of what was asked for" }
STEP(job_step, false);
STEP(company_job_step, true);

enum db_result jobs_open_of(struct db *db, struct arena *arena, int64_t unit, int64_t after, int64_t *ids, size_t *count)
{
    struct job_page_result *rows;
    enum db_result result = job_page(db, arena, unit, after, JOBS_AT_ONCE, &rows, count);
    for (size_t i = 0; result == DB_OK && i < *count; i++)
        ids[i] = rows[i].id;
    return result;
}

enum db_result jobs_turn_of(struct db *db, struct arena *arena, int64_t unit, int64_t *after, int64_t *ids, size_t *count)
{
    enum db_result result = jobs_open_of(db, arena, unit, *after, ids, count);
    if (result == DB_OK && *count == 0 && *after != 0) /* the last turn ended with the last job */
        result = jobs_open_of(db, arena, unit, 0, ids, count);
    if (result == DB_OK)
        *after = *count == JOBS_AT_ONCE ? ids[*count - 1] : 0;
    return result;
}

enum db_result jobs_advance(struct engine *engine, struct arena *arena, int64_t unit, bool *open)
{
    int64_t ids[JOBS_AT_ONCE];
    size_t count = JOBS_AT_ONCE;
    enum db_result result = DB_OK;
    *open = false;
    for (int64_t after = 0; count == JOBS_AT_ONCE; after = ids[count - 1]) {
        struct command commands[JOBS_AT_ONCE], *each[JOBS_AT_ONCE];
        struct job_input inputs[JOBS_AT_ONCE];
        result = jobs_open_of(engine_db(engine), arena, unit, after, ids, &count);
        if (result != DB_OK || count == 0)
            break;
        *open = true;
        for (size_t i = 0; i < count; i++) {
            inputs[i] = (struct job_input){ ids[i] };
            commands[i] = (struct command){
                .type = unit == 0 ? &company_job_step : &job_step, .input = &inputs[i], .arena = arena, .unit = unit, .faults = { .arena = arena }
            };
            each[i] = &commands[i];
        }
        engine_run(engine, each, count);
    }
    return result;
}
