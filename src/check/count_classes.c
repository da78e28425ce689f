/* src/check/count_classes.c: what is counted often is what moves value: while no run goes on, the values of a node add up to its basis, each SKU
 * ranks behind what moved more, and is of the class in which its value begins; a run that goes on has its job. */
#include "check/check.h"
#include "check_sql.h"
#include "engine/jobs.h"
#include "inventory/count_classes.h"
#include "schema.h"
#include <stdlib.h>
#include <string.h>

struct ranked {
    int64_t sku, abc, value, above;
};
struct basis {
    struct check_count_bases_result row;
    bool used;
};
/* One unit; what is kept from page to page is malloc's. Classes change in runs only, so pages of one idle run are of one moment. */
struct judging {
    struct check *check;
    int64_t unit, run;
    struct basis *bases; /* by node */
    size_t base_count;
    int64_t node; /* at work */
    struct ranked *rows;
    size_t count, room;
    bool over; /* a run has begun meanwhile: nothing can be said */
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *l = a, *r = b;
    if (l->value != r->value)
        return l->value > r->value ? -1 : 1;
    return l->sku < r->sku ? -1 : l->sku > r->sku;
}

static void found_at(struct judging *j, const char *id, const char *what, int64_t sku, int64_t expected, int64_t found)
{
    const char *node = arena_printf(j->check->arena, "unit %ld node %ld", (long)j->unit, (long)j->node);
    check_found(j->check, id, what, sku == 0 ? node : arena_printf(j->check->arena, "%s sku %ld", node, (long)sku), expected, found);
}

static struct basis *basis_at(struct judging *j, int64_t node)
{
    for (size_t i = 0; i < j->base_count; i++)
        if (j->bases[i].row.node == node)
            return &j->bases[i];
    return NULL;
}

static void judge_node(struct judging *j)
{
    static const struct check_count_bases_result none;
    struct basis *kept = basis_at(j, j->node);
    const struct check_count_bases_result *basis = kept == NULL ? &none : &kept->row;
    int64_t sum = 0;
    if (j->count > 1)
        qsort(j->rows, j->count, sizeof *j->rows, by_rank);
    for (size_t i = 0; i < j->count; i++) {
        const struct ranked *row = &j->rows[i];
        const int64_t abc = count_abc(row->value, sum, basis->total, basis->share_a, basis->share_b);
        if (row->above != sum)
            found_at(j, "count_class_rank", "what moved more value ranks before", row->sku, sum, row->above);
        else if (row->abc != abc)
            found_at(j, "count_class", "a class is the one in which the value begins", row->sku, abc, row->abc);
        sum += row->value;
    }
    if (sum != basis->total || basis->ranked != basis->total)
        found_at(j, "count_basis", "a node's basis is the sum of its values", 0, sum, sum != basis->total ? basis->total : basis->ranked);
    if (kept != NULL)
        kept->used = true;
    j->count = 0;
}

static bool keep(struct judging *j, const struct check_count_classes_result *row)
{
    if (j->count > 0 && j->node != row->node)
        judge_node(j);
    if (j->count == j->room) {
        const size_t room = j->room == 0 ? 1024 : 2 * j->room;
        struct ranked *rows = realloc(j->rows, room * sizeof *rows);
        if (rows == NULL)
            return false;
        j->rows = rows;
        j->room = room;
    }
    j->rows[j->count++] = (struct ranked){ row->sku, row->abc, row->value, row->above };
    j->node = row->node;
    return true;
}

/* The run in whose classes the unit stands; 0: none was made. *idle: none goes on. */
static enum db_result look(struct check *check, int64_t unit, int64_t *run, bool *idle, int64_t *job)
{
    struct db_rows rows = { 0 };
    enum db_result result = db_load(check->db, check->arena, &count_classing_table, (const int64_t[]){ unit }, 1, &rows);
    const struct count_classing_row *row = rows.count == 0 ? NULL : db_row(&rows, 0);
    *run = row == NULL ? 0 : row->run;
    *job = row == NULL ? 0 : row->job;
    *idle = row == NULL || row->phase == COUNT_PHASE_IDLE;
    return result;
}

static enum db_result read_bases(struct judging *j)
{
    struct check *check = j->check;
    struct check_count_bases_result *rows;
    struct db_rows jobs = { 0 };
    int64_t job;
    bool idle;
    enum db_result result = db_begin_read(check->db);
    if (result == DB_OK)
        result = look(check, j->unit, &j->run, &idle, &job);
    if (result == DB_OK && job != 0)
        result = db_load(check->db, check->arena, &job_table, (const int64_t[]){ j->unit, job }, 1, &jobs);
    if (result == DB_OK) {
        const struct job_row *row = jobs.count == 0 ? NULL : db_row(&jobs, 0);
        const bool open = row != NULL && row->kind == JOB_CLASS && row->state == JOB_OPEN;
        if (open == idle)
            check_found(check, "count_run", "a run of classing goes on as long as its job",
                        arena_printf(check->arena, "unit %ld job %ld", (long)j->unit, (long)job), !idle, open);
        j->over = !idle;
        result = check_count_bases(check->db, check->arena, j->unit, &rows, &j->base_count);
    }
    j->bases = result == DB_OK ? calloc(j->base_count + 1, sizeof *j->bases) : NULL;
    for (size_t i = 0; j->bases != NULL && i < j->base_count; i++) {
        j->bases[i].row = rows[i];
        must_know(check, &check->nodes, j->unit, "node of classes, of", rows[i].node, rows[i].node);
    }
    (void)db_rollback(check->db);
    arena_reset(check->arena);
    return result == DB_OK && j->bases == NULL ? DB_BUSY : result;
}

static enum db_result read_page(struct judging *j, int64_t *node, int64_t *sku, bool *more)
{
    struct check *check = j->check;
    struct check_count_classes_result *rows;
    size_t count = 0;
    int64_t run, job;
    bool idle;
    enum db_result result = db_begin_read(check->db);
    if (result == DB_OK)
        result = look(check, j->unit, &run, &idle, &job);
    if (result == DB_OK)
        result = check_count_classes(check->db, check->arena, j->unit, *node, *sku, CHECK_RANGE, &rows, &count);
    j->over = result == DB_OK && (!idle || run != j->run);
    for (size_t i = 0; result == DB_OK && !j->over && i < count; i++) {
        must_know(check, &check->skus, j->unit, "SKU of a class at node", rows[i].node, rows[i].sku);
        if (!keep(j, &rows[i]))
            result = DB_BUSY;
        if (rows[i].value != count_value(rows[i].units, rows[i].unit_cost))
            found_at(j, "count_class_value", "a value is units at their cost", rows[i].sku, count_value(rows[i].units, rows[i].unit_cost),
                     rows[i].value);
        *node = rows[i].node, *sku = rows[i].sku;
    }
    *more = count == CHECK_RANGE;
    (void)db_rollback(check->db);
    arena_reset(check->arena);
    return result;
}

enum db_result check_count_classes_of(struct check *check, int64_t unit)
{
    struct judging j = { .check = check, .unit = unit };
    int64_t node = 0, sku = 0;
    enum db_result result = read_bases(&j);
    for (bool more = true; more && result == DB_OK && !j.over;)
        result = read_page(&j, &node, &sku, &more);
    if (result == DB_OK && !j.over) {
        if (j.count > 0)
            judge_node(&j);
        for (size_t i = 0; i < j.base_count; i++) /* nothing has moved there */
            if (!j.bases[i].used) {
                j.node = j.bases[i].row.node;
                judge_node(&j);
            }
        arena_reset(check->arena);
    }
    free(j.rows);
    free(j.bases);
    return result;
}
