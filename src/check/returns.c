/* src/check/returns.c: of a return's lines received is the sum of receipts, inspected the sum of outcomes, and its state is as they
 * say; what a paper tells of it is told once. */
#include "check/check.h"
#include "check_sql.h"
#include "returns/returns.h"
#include "schema.h"
#include <string.h>

struct rows {
    struct check_returns_result *returns;
    struct check_return_lines_result *lines;
    struct check_return_receipts_result *receipts;
    struct check_return_outcomes_result *outcomes;
    struct check_return_documents_result *documents;
    size_t count, line_count, receipt_count, outcome_count, document_count;
};

static enum db_result load(struct check *check, int64_t unit, int64_t after, int64_t *upto, struct rows *rows)
{
    enum db_result result = check_returns(check->db, check->arena, unit, after, CHECK_RANGE, &rows->returns, &rows->count);
    if (result != DB_OK)
        return result;
    *upto = rows->count == CHECK_RANGE ? rows->returns[rows->count - 1].id : INT64_MAX;
    result = check_return_lines(check->db, check->arena, unit, after, *upto, &rows->lines, &rows->line_count);
    if (result == DB_OK)
        result = check_return_receipts(check->db, check->arena, unit, after, *upto, &rows->receipts, &rows->receipt_count);
    if (result == DB_OK)
        result = check_return_documents(check->db, check->arena, unit, after, *upto, &rows->documents, &rows->document_count);
    return result == DB_OK ? check_return_outcomes(check->db, check->arena, unit, after, *upto, &rows->outcomes, &rows->outcome_count) : result;
}

static void check_line(struct check *check, int64_t unit, const struct rows *rows, const struct check_return_lines_result *line)
{
    int64_t came = 0, waits = 0, ended = 0;
    for (size_t i = 0; i < rows->receipt_count; i++)
        if (rows->receipts[i].goods_return == line->goods_return && rows->receipts[i].line == line->line) {
            came += rows->receipts[i].quantity;
            waits += rows->receipts[i].waiting;
        }
    for (size_t i = 0; i < rows->outcome_count; i++)
        if (rows->outcomes[i].goods_return == line->goods_return && rows->outcomes[i].line == line->line)
            ended += rows->outcomes[i].quantity;
    const char *key = arena_printf(check->arena, "unit %ld return %ld line %ld", (long)unit, (long)line->goods_return, (long)line->line);
    must_know(check, &check->skus, unit, "sku of return", line->goods_return, line->sku);
    if (came != line->received)
        check_found(check, "return_received", "received is the sum of receipts", key, came, line->received);
    if (ended != line->inspected || waits != line->received - line->inspected)
        check_found(check, "return_inspected", "inspected is the sum of outcomes, and the rest waits", key, ended, line->inspected);
}

static int64_t state_of(const struct rows *rows, int64_t id)
{
    bool came = false, waits = false, expects = false;
    for (size_t i = 0; i < rows->line_count; i++) {
        const struct check_return_lines_result *line = &rows->lines[i];
        if (line->goods_return != id)
            continue;
        came = came || line->received > 0;
        waits = waits || line->received > line->inspected;
        expects = expects || line->expected > line->received;
    }
    return !came ? (expects ? RETURN_EXPECTED : RETURN_CANCELLED) : waits || expects ? RETURN_RECEIVED : RETURN_INSPECTED;
}

static bool is_there(const struct rows *rows, int64_t id)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->returns[i].id == id)
            return true;
    return false;
}

/* Each paper has told something of a return, and once. */
static void check_papers(struct check *check, int64_t unit, const struct rows *rows)
{
    for (size_t i = 0; i < rows->document_count; i++) {
        const struct check_return_documents_result *d = &rows->documents[i];
        const char *key = arena_printf(check->arena, "unit %ld document of return %ld", (long)unit, (long)d->goods_return);
        must_be_told(check, unit, "document of return", d->goods_return, d->event_seq);
        if (!is_there(rows, d->goods_return))
            check_found(check, "orphan", "no row hangs on one that is not there", key, d->goods_return, 0);
        for (size_t k = i; k > 0 && rows->documents[k - 1].goods_return == d->goods_return; k--)
            if (rows->documents[k - 1].kind == d->kind && strcmp(rows->documents[k - 1].document, d->document) == 0)
                check_found(check, "return_document", "what a paper tells of a return is told once", key, rows->documents[k - 1].event_seq,
                            d->event_seq);
    }
}

static void check_page(struct check *check, int64_t unit, const struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct check_returns_result *back = &rows->returns[i];
        const int64_t state = state_of(rows, back->id);
        must_know(check, &check->nodes, unit, "node of return", back->id, back->node);
        must_know(check, &check->keyed, unit, "order of return", back->id, back->ord);
        if (state != back->state)
            check_found(check, "return_state", "a return's state is as its lines say",
                        arena_printf(check->arena, "unit %ld return %ld", (long)unit, (long)back->id), state, back->state);
    }
    for (size_t i = 0; i < rows->line_count; i++) {
        if (!is_there(rows, rows->lines[i].goods_return))
            check_found(check, "orphan", "no row hangs on one that is not there",
                        arena_printf(check->arena, "unit %ld line of return %ld", (long)unit, (long)rows->lines[i].goods_return),
                        rows->lines[i].goods_return, 0);
        check_line(check, unit, rows, &rows->lines[i]);
    }
}

enum db_result check_returns_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    for (int64_t after = 0, upto = 0; result == DB_OK && upto < INT64_MAX; after = upto) {
        struct rows rows = { 0 };
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = load(check, unit, after, &upto, &rows);
        (void)db_rollback(check->db);
        if (result == DB_OK) {
            check_page(check, unit, &rows);
            check_papers(check, unit, &rows);
        }
        arena_reset(check->arena);
    }
    return result;
}
