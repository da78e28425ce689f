/* src/engine/jobs.h: work larger than one command may do is a row, advanced by commands of bounded size. Where it stands
 * is in rows too (its own, and those that it works on), so it goes on after a crash where its last step was committed.
 * What others may not touch meanwhile says so in one column: position.blocked, unit_clock.blocked. */
#ifndef MILLRACE_ENGINE_JOBS_H
#define MILLRACE_ENGINE_JOBS_H

#include "engine/engine.h"
#include "engine/ws.h"

enum job_kind { JOB_NONE, JOB_FILL, JOB_COPY_MASTERS, JOB_GIVE_WAY, JOB_WAKE, JOB_MAP, JOB_RECALL, JOB_PROMISE, JOB_CLASS, JOB_KIND_COUNT };
enum job_state { JOB_OPEN = 1, JOB_DONE, JOB_STANDS /* has no more to do, and what it bars stays barred until somebody lifts it */ };

/* Advances the job by one step of at most a few thousand rows: true while there is more to do. The last may leave it as JOB_STANDS. */
typedef bool job_step_of(struct ws *ws, struct job_row *job);
extern const struct job_work {
    job_step_of *step;
} fill_job /* orders */, copy_masters_job /* catalog */, give_way_job, recall_job, class_job /* inventory */, wake_job, map_job,
    promise_job /* orders */;

/* Opens a job; the row is valid for the batch. subject: what it is about. */
struct job_row *job_open(struct ws *ws, enum job_kind kind, int64_t subject, int64_t node);

/* One step of one job. input: a struct job_input; of jobs of the company (unit 0) the second. Nothing is done, and that is
 * no fault, when the job has ended. */
struct job_input {
    int64_t id; /* 0: the oldest that is open */
};
extern const struct command_type job_step, company_job_step;

/* What is open in a unit, from `after` on; *count at most JOBS_AT_ONCE. */
#define JOBS_AT_ONCE 64
enum db_result jobs_open_of(struct db *db, struct arena *arena, int64_t unit, int64_t after, int64_t *ids, size_t *count);

/* The turn of a unit's open jobs: those behind *after, JOBS_AT_ONCE at most, and *after moves behind them; behind the last it is 0,
 * and the oldest come again. So all have a step in turn, however many are open, also where the oldest do not get on. */
enum db_result jobs_turn_of(struct db *db, struct arena *arena, int64_t unit, int64_t *after, int64_t *ids, size_t *count);

/* For an engine without threads: one step of each job that is open in the unit. *open: whether there was one. */
enum db_result jobs_advance(struct engine *engine, struct arena *arena, int64_t unit, bool *open);

#endif
