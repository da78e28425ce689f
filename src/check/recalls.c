/* src/check/recalls.c: while a recall stands each of its places is barred by its job, and where the job has all nobody claims anything; somebody is
 * told of it until it has ended. */
#include "check/check.h"
#include "check_sql.h"
#include "engine/exceptions.h"
#include "engine/jobs.h"
#include "inventory/recalls.h"
#include "schema.h"
#include <string.h>

/* What a page of recalls is compared with. */
struct page {
    struct check_recalls_result *recalls;
    struct check_recall_places_result *places;
    struct check_open_recalls_result *told;
    size_t count, place_count, told_count;
    struct db_rows jobs, positions;
};

static enum db_result load_page(struct check *check, int64_t unit, int64_t after, int64_t *upto, struct page *page)
{
    enum db_result result = check_recalls(check->db, check->arena, unit, after, CHECK_RANGE, &page->recalls, &page->count);
    if (result != DB_OK)
        return result;
    *upto = page->count == CHECK_RANGE ? page->recalls[page->count - 1].id : INT64_MAX;
    result = check_recall_places(check->db, check->arena, unit, after, *upto, &page->places, &page->place_count);
    if (result == DB_OK)
        result = check_open_recalls(check->db, check->arena, unit, EXCEPTION_RECALL, &page->told, &page->told_count);
    if (result != DB_OK || page->place_count == 0)
        return result;
    int64_t *jobs = ARENA_ARRAY(check->arena, int64_t, 2 * page->place_count), *positions = ARENA_ARRAY(check->arena, int64_t, 4 * page->place_count);
    for (size_t i = 0; i < page->place_count; i++) {
        const struct check_recall_places_result *p = &page->places[i];
        memcpy(jobs + 2 * i, (const int64_t[]){ unit, p->job }, 2 * sizeof *jobs);
        memcpy(positions + 4 * i, (const int64_t[]){ unit, p->sku, p->node, p->class }, 4 * sizeof *positions);
    }
    result = db_load(check->db, check->arena, &job_table, jobs, page->place_count, &page->jobs);
    return result == DB_OK ? db_load(check->db, check->arena, &position_table, positions, page->place_count, &page->positions) : result;
}

/* Returns 1 where the place's job is open, else 0. */
static int64_t check_place(struct check *check, int64_t unit, const struct page *page, const struct check_recalls_result *recall,
                           const struct check_recall_places_result *place)
{
    const char *key =
        arena_printf(check->arena, "unit %ld recall %ld node %ld class %ld", (long)unit, (long)recall->id, (long)place->node, (long)place->class);
    const struct job_row *job = check_row(&page->jobs, (const int64_t[]){ unit, place->job }, 2);
    const struct position_row *position = check_row(&page->positions, (const int64_t[]){ unit, place->sku, place->node, place->class }, 4);
    const bool stands = recall->state != RECALL_ENDED;
    must_know(check, &check->nodes, unit, "node of recall", recall->id, place->node);
    if (place->class != 0)
        must_know(check, &check->classes, unit, "class of recall", recall->id, place->class);
    if ((place->stands != 0) != stands || place->sku != recall->sku)
        check_found(check, "recall_places", "a recall's places are as its state says", key, stands, place->stands);
    if (job == NULL || job->kind != JOB_RECALL || (job->state == JOB_DONE) != !stands)
        check_found(check, "recall_places", "a recall's places are as its state says", key, stands, job == NULL ? 0 : job->state);
    if (stands && (position == NULL || position->blocked != place->job))
        check_found(check, "recall_bar", "where a recall stands its job bars the position", key, place->job,
                    position == NULL ? 0 : position->blocked);
    if (stands && job != NULL && job->state == JOB_STANDS && position != NULL && position->reserved + position->allocated > 0)
        check_found(check, "recall_claims", "nobody claims what was called back", key, 0, position->reserved + position->allocated);
    if (stands && job != NULL && job->state == JOB_STANDS && position != NULL && position->available > 0)
        check_found(check, "recall_kept", "what comes while a recall stands is kept back", key, 0, position->available);
    return job != NULL && job->state == JOB_OPEN;
}

static void check_recall(struct check *check, int64_t unit, const struct page *page, const struct check_recalls_result *recall, size_t first,
                         size_t end)
{
    const char *key = arena_printf(check->arena, "unit %ld recall %ld", (long)unit, (long)recall->id);
    int64_t at_work = 0, told = 0;
    must_know(check, &check->skus, unit, "sku of recall", recall->id, recall->sku);
    for (size_t i = first; i < end; i++)
        at_work += check_place(check, unit, page, recall, &page->places[i]);
    for (size_t i = 0; i < page->told_count; i++)
        told += page->told[i].subject == recall->id;
    if ((int64_t)(end - first) != recall->places)
        check_found(check, "recall_places", "a recall's places are as its state says", key, recall->places, (int64_t)(end - first));
    if (at_work != recall->at_work || (at_work > 0) != (recall->state == RECALL_RUNNING))
        check_found(check, "recall_places", "a recall's places are as its state says", key, at_work, recall->at_work);
    if (told != (recall->state != RECALL_ENDED))
        check_found(check, "exception_cause", "an exception is open while its cause is there, and no longer", key, recall->state != RECALL_ENDED,
                    told);
}

enum db_result check_recalls_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    for (int64_t after = 0, upto = 0; result == DB_OK && upto < INT64_MAX; after = upto) {
        struct page page = { 0 };
        size_t at = 0;
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = load_page(check, unit, after, &upto, &page);
        (void)db_rollback(check->db);
        for (size_t i = 0; result == DB_OK && i <= page.count; i++) {
            for (; at < page.place_count && (i == page.count || page.places[at].recall < page.recalls[i].id); at++)
                check_found(check, "orphan", "no row hangs on one that is not there",
                            arena_printf(check->arena, "unit %ld place of recall %ld", (long)unit, (long)page.places[at].recall),
                            page.places[at].recall, 0);
            const size_t first = at;
            while (i < page.count && at < page.place_count && page.places[at].recall == page.recalls[i].id)
                at++;
            if (i < page.count)
                check_recall(check, unit, &page, &page.recalls[i], first, at);
        }
        arena_reset(check->arena);
    }
    return result;
}
