/* src/check/transfers.c: what has left and what has come is what its state allows, and what is on the way is what positions wait for. */
#include "check/check.h"
#include "check_sql.h"
#include "engine/exceptions.h"
#include "inventory/transfers.h"
#include "schema.h"
#include <stdlib.h>

/* ---- rows ---- */

static bool line_is_sound(int64_t state, const struct check_transfer_lines_result *line)
{
    if (state == TRANSFER_REQUESTED || state == TRANSFER_CANCELLED)
        return line->quantity > 0 && line->shipped == 0 && line->received == 0;
    return line->shipped >= 0 && line->received >= 0 && line->shipped <= line->quantity && (state == TRANSFER_RECEIVED || line->received == 0);
}

static void check_moved(struct check *check, int64_t unit, const struct check_transfers_result *transfer,
                        const struct check_transfer_lines_result *lines, size_t count)
{
    const char *key = arena_printf(check->arena, "unit %ld transfer %ld", (long)unit, (long)transfer->id);
    if (count == 0)
        check_found(check, "transfer_lines", "a transfer has lines that its state allows", key, 1, 0);
    for (size_t i = 0; i < count; i++) {
        must_know(check, &check->skus, unit, "sku of transfer", transfer->id, lines[i].sku);
        if (lines[i].line != (int64_t)i + 1 || !line_is_sound(transfer->state, &lines[i]))
            check_found(check, "transfer_lines", "a transfer has lines that its state allows",
                        arena_printf(check->arena, "%s line %ld", key, (long)lines[i].line), lines[i].quantity, lines[i].shipped);
    }
}

/* One exception is open while units are missing and nobody has given them up. */
static void check_short(struct check *check, int64_t unit, int64_t transfer, int64_t missing, const struct check_short_transfers_result *open,
                        size_t count)
{
    int64_t told = 0;
    for (size_t i = 0; i < count; i++)
        told += open[i].subject == transfer ? open[i].quantity : 0;
    if (told != missing)
        check_found(check, "exception_cause", "an exception is open while its cause is there, and no longer",
                    arena_printf(check->arena, "unit %ld transfer %ld", (long)unit, (long)transfer), missing, told);
}

static int64_t missing_of(const struct check_transfers_result *transfer, const struct check_transfer_lines_result *lines, size_t count)
{
    int64_t missing = 0;
    for (size_t i = 0; i < count && transfer->state == TRANSFER_RECEIVED && transfer->settled == NULL; i++)
        missing += max_i64(0, lines[i].shipped - lines[i].received);
    return missing;
}

static enum db_result check_range(struct check *check, int64_t unit, int64_t *after, bool *more)
{
    struct check_transfers_result *transfers;
    struct check_transfer_lines_result *lines;
    struct check_short_transfers_result *shorts;
    size_t count = 0, line_count = 0, l = 0, short_count = 0;
    enum db_result result = db_begin_read(check->db);
    if (result == DB_OK)
        result = check_transfers(check->db, check->arena, unit, *after, CHECK_RANGE, &transfers, &count);
    *more = count == CHECK_RANGE;
    const int64_t upto = *more ? transfers[count - 1].id : INT64_MAX;
    if (result == DB_OK)
        result = check_transfer_lines(check->db, check->arena, unit, *after, upto, &lines, &line_count);
    if (result == DB_OK)
        result = check_short_transfers(check->db, check->arena, unit, EXCEPTION_TRANSFER_SHORT, &shorts, &short_count);
    (void)db_rollback(check->db);
    for (size_t i = 0; result == DB_OK && i <= count; i++) {
        for (; l < line_count && (i == count || lines[l].transfer < transfers[i].id); l++)
            check_found(check, "orphan", "every part has its whole",
                        arena_printf(check->arena, "unit %ld transfer %ld line %ld", (long)unit, (long)lines[l].transfer, (long)lines[l].line), 1, 0);
        if (i == count)
            break;
        const size_t first = l;
        while (l < line_count && lines[l].transfer == transfers[i].id)
            l++;
        must_know(check, &check->nodes, unit, "node of transfer", transfers[i].id, transfers[i].from_node);
        must_know(check, &check->nodes, unit, "node of transfer", transfers[i].id, transfers[i].to_node);
        check_moved(check, unit, &transfers[i], lines + first, l - first);
        check_short(check, unit, transfers[i].id, missing_of(&transfers[i], lines + first, l - first), shorts, short_count);
    }
    *after = upto;
    arena_reset(check->arena);
    return result;
}

/* ---- on the way ---- */

struct waited {
    int64_t sku, node, units; /* what shipped transfers and ASNs have on the way, less what the position waits for */
};

static int by_place(const void *a, const void *b)
{
    const struct waited *left = a, *right = b;
    if (left->sku != right->sku)
        return left->sku < right->sku ? -1 : 1;
    return left->node < right->node ? -1 : left->node > right->node;
}

/* In one read: what is under way is what is not received yet, a small part of all. */
static enum db_result check_coming_of(struct check *check, int64_t unit)
{
    struct check_under_way_result *under_way;
    struct check_coming_result *coming;
    struct check_sent_result *sent;
    size_t moved = 0, places = 0, sent_count = 0;
    enum db_result result = db_begin_read(check->db);
    if (result == DB_OK)
        result = check_under_way(check->db, check->arena, unit, TRANSFER_SHIPPED, &under_way, &moved);
    if (result == DB_OK)
        result = check_sent(check->db, check->arena, unit, &sent, &sent_count);
    if (result == DB_OK)
        result = check_coming(check->db, check->arena, unit, &coming, &places);
    (void)db_rollback(check->db);
    if (result != DB_OK)
        return result;
    struct waited *all = ARENA_ARRAY(check->arena, struct waited, moved + sent_count + places + 1);
    for (size_t i = 0; i < moved; i++)
        all[i] = (struct waited){ under_way[i].sku, under_way[i].to_node, under_way[i].shipped };
    for (size_t i = 0; i < sent_count; i++)
        all[moved + i] = (struct waited){ sent[i].sku, sent[i].node, sent[i].units };
    moved += sent_count;
    for (size_t i = 0; i < places; i++)
        all[moved + i] = (struct waited){ coming[i].sku, coming[i].node, -coming[i].coming };
    qsort(all, moved + places, sizeof *all, by_place);
    for (size_t i = 0, next; i < moved + places; i = next) {
        int64_t units = 0;
        for (next = i; next < moved + places && by_place(&all[next], &all[i]) == 0; next++)
            units += all[next].units;
        if (units != 0)
            check_found(check, "coming", "a position waits for what transfers and ASNs have on the way to it",
                        arena_printf(check->arena, "unit %ld node %ld sku %ld", (long)unit, (long)all[i].node, (long)all[i].sku), 0, -units);
    }
    arena_reset(check->arena);
    return DB_OK;
}

enum db_result check_transfers_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (bool more = true; more && result == DB_OK;)
        result = check_range(check, unit, &after, &more);
    return result == DB_OK ? check_coming_of(check, unit) : result;
}
