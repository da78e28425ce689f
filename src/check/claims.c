/* src/check/claims.c: a position names who claims it, in its row or among `claimant`, each once, and nobody else; a claim is
 * named by its position. Both ways, so that what reserved and allocated are compared with is all claims. */
#include "check/claims.h"
#include "inventory/inventory.h"
#include "schema.h"
#include <stdlib.h>
#include <string.h>

static void found_name(struct check *check, int64_t unit, int64_t node, int64_t sku, int64_t holder, int64_t expected, int64_t found)
{
    check_found(check, "claimants", "a position names each who claims it, once",
                arena_printf(check->arena, "unit %ld node %ld sku %ld holder %ld", (long)unit, (long)node, (long)sku, (long)holder), expected, found);
}

/* ---- from positions to claims ---- */

/* A position names a holder. */
struct name {
    int64_t holder;
    size_t position;
    bool claims;
};

static int by_holder(const void *a, const void *b)
{
    const struct name *left = a, *right = b;
    if (left->holder != right->holder)
        return left->holder < right->holder ? -1 : 1;
    return left->position < right->position ? -1 : left->position > right->position;
}

static bool is_of(const struct check_positions_result *p, int64_t sku, int64_t node, int64_t class)
{
    return p->sku == sku && p->node == node && p->class == class;
}

static size_t seek(const struct check_positions_result *positions, size_t count, size_t from, int64_t sku, int64_t node, int64_t class)
{
    while (from < count && (positions[from].sku != sku     ? positions[from].sku < sku
                            : positions[from].node != node ? positions[from].node < node
                                                           : positions[from].class < class))
        from++;
    return from;
}

static enum db_result read_names(struct check *check, int64_t unit, const struct check_positions_result *positions, size_t count, int64_t after,
                                 int64_t upto, struct name **names, size_t *name_count)
{
    struct check_claimants_result *rows;
    size_t row_count = 0, n = 0;
    enum db_result result = check_claimants(check->db, check->arena, unit, after, upto, &rows, &row_count);
    *names = ARENA_ARRAY(check->arena, struct name, 4 * count + row_count + 1);
    for (size_t i = 0; i < count && result == DB_OK; i++) {
        const int64_t seats[] = { positions[i].claimant1, positions[i].claimant2, positions[i].claimant3, positions[i].claimant4 };
        for (size_t k = 0; k < COUNT(seats); k++)
            if (seats[k] != 0)
                (*names)[n++] = (struct name){ .holder = seats[k], .position = i };
    }
    for (size_t i = 0, at = 0; i < row_count && result == DB_OK; i++) {
        at = seek(positions, count, at, rows[i].sku, rows[i].node, rows[i].class);
        if (at < count && is_of(&positions[at], rows[i].sku, rows[i].node, rows[i].class))
            (*names)[n++] = (struct name){ .holder = rows[i].holder, .position = at };
        else
            found_name(check, unit, rows[i].node, rows[i].sku, rows[i].holder, 0, 1);
    }
    if (n > 1)
        qsort(*names, n, sizeof **names, by_holder);
    *name_count = n;
    return result;
}

static enum db_result load_claims(struct check *check, int64_t unit, const struct name *names, size_t count, struct db_rows *claims)
{
    struct db_value *prefixes = ARENA_ARRAY(check->arena, struct db_value, 2 * count + 2);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && names[i].holder == names[i - 1].holder)
            continue;
        prefixes[2 * n] = db_int(unit);
        prefixes[2 * n++ + 1] = db_int(names[i].holder);
    }
    *claims = (struct db_rows){ 0 };
    return n == 0 ? DB_OK : db_load_path(check->db, check->arena, &claim_of_holder, prefixes, n, 0, claims);
}

static struct name *first_of(struct name *names, size_t count, int64_t holder)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (names[middle].holder < holder)
            low = middle + 1;
        else
            high = middle;
    }
    return names + low;
}

static enum db_result add_fences(struct check *check, int64_t unit, const struct check_positions_result *positions, size_t count, int64_t after,
                                 int64_t upto, struct claim_sums *sums)
{
    struct check_fences_of_skus_result *fences;
    size_t fence_count = 0;
    enum db_result result = check_fences_of_skus(check->db, check->arena, unit, after, upto, &fences, &fence_count);
    if (result != DB_OK || fence_count == 0)
        return result;
    int64_t *keys = ARENA_ARRAY(check->arena, int64_t, 8 * fence_count);
    for (size_t i = 0; i < fence_count; i++)
        memcpy(keys + 8 * i, (const int64_t[]){ unit, fences[i].channel, CLAIM_FENCE, 0, 0, fences[i].node, fences[i].sku, 0 }, 8 * sizeof *keys);
    struct db_rows claims;
    result = db_load(check->db, check->arena, &claim_table, keys, fence_count, &claims);
    for (size_t i = 0; result == DB_OK && i < claims.count; i++) {
        const struct claim_row *claim = db_row(&claims, i);
        size_t at = seek(positions, count, 0, claim->sku, claim->node, claim->class);
        if (at < count && is_of(&positions[at], claim->sku, claim->node, claim->class)) {
            sums[at].soft += claim->soft;
            sums[at].hard += claim->hard;
            sums[at].fenced += claim->soft;
        }
    }
    return result;
}

/* The claims of some names, each to its position. */
static enum db_result add_claims(struct check *check, int64_t unit, const struct check_positions_result *positions, struct name *names, size_t n,
                                 struct claim_sums *sums)
{
    struct db_rows claims = { 0 };
    enum db_result result = load_claims(check, unit, names, n, &claims);
    for (size_t i = 0; result == DB_OK && i < claims.count; i++) {
        const struct claim_row *claim = db_row(&claims, i);
        for (struct name *name = first_of(names, n, claim->holder); name < names + n && name->holder == claim->holder; name++) {
            if (claim->kind == CLAIM_FENCE || !is_of(&positions[name->position], claim->sku, claim->node, claim->class))
                continue;
            sums[name->position].soft += claim->soft;
            sums[name->position].hard += claim->hard;
            name->claims = true;
            break;
        }
    }
    for (size_t i = 0; result == DB_OK && i < n; i++) /* named twice: the second has no claim left */
        if (!names[i].claims)
            found_name(check, unit, positions[names[i].position].node, positions[names[i].position].sku, names[i].holder, 0, 1);
    return result;
}

enum db_result claims_of_positions(struct check *check, int64_t unit, const struct check_positions_result *positions, size_t count, int64_t after,
                                   int64_t upto, struct claim_sums **sums)
{
    struct name *names;
    size_t n = 0;
    *sums = ARENA_ARRAY(check->arena, struct claim_sums, count + 1);
    memset(*sums, 0, (count + 1) * sizeof **sums);
    enum db_result result = read_names(check, unit, positions, count, after, upto, &names, &n);
    for (size_t from = 0, end; result == DB_OK && from < n; from = end) { /* a hot SKU has a claim in every order: a piece at a time */
        struct arena_mark mark = arena_mark(check->arena);
        end = from + CHECK_RANGE < n ? from + CHECK_RANGE : n;
        while (end < n && names[end].holder == names[end - 1].holder)
            end++;
        result = add_claims(check, unit, positions, names + from, end - from, *sums);
        arena_rewind(check->arena, mark);
    }
    return result != DB_OK ? result : add_fences(check, unit, positions, count, after, upto, *sums);
}

/* ---- from claims to positions ---- */

static bool names_in_row(const struct position_row *p, int64_t holder)
{
    return p->claimant1 == holder || p->claimant2 == holder || p->claimant3 == holder || p->claimant4 == holder;
}

static enum db_result check_named(struct check *check, int64_t unit, const struct check_claims_result *claims, size_t count)
{
    int64_t *places = ARENA_ARRAY(check->arena, int64_t, 4 * count + 4), *ranks = ARENA_ARRAY(check->arena, int64_t, 8 * count + 8);
    struct db_rows positions = { 0 }, rows = { 0 };
    for (size_t i = 0; i < count; i++) {
        const struct check_claims_result *c = &claims[i];
        memcpy(places + 4 * i, (const int64_t[]){ unit, c->sku, c->node, c->class }, 4 * sizeof *places);
        memcpy(ranks + 8 * i, (const int64_t[]){ unit, c->sku, c->node, c->class, c->kind, c->priority, c->promise, c->holder }, 8 * sizeof *ranks);
    }
    enum db_result result = count == 0 ? DB_OK : db_load(check->db, check->arena, &position_table, places, count, &positions);
    if (result == DB_OK && count > 0)
        result = db_load(check->db, check->arena, &claimant_table, ranks, count, &rows);
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        const struct position_row *position = check_row(&positions, places + 4 * i, 4);
        if (claims[i].kind != CLAIM_FENCE && (position == NULL || !names_in_row(position, claims[i].holder)) &&
            check_row(&rows, ranks + 8 * i, 8) == NULL)
            found_name(check, unit, claims[i].node, claims[i].sku, claims[i].holder, 1, 0);
    }
    return result;
}

/* Claims of whole holders: those of the last, which a full page may have cut apart, are left to the next. */
static enum db_result read_holders(struct check *check, int64_t unit, int64_t after, struct check_claims_result **claims, size_t *count, bool *more)
{
    enum db_result result = DB_OK;
    *count = 0;
    for (size_t limit = CHECK_RANGE; *count == 0 && result == DB_OK; limit *= 2) { /* one holder alone may fill a page */
        result = check_claims(check->db, check->arena, unit, after, (int64_t)limit, claims, count);
        *more = *count == limit;
        if (!*more)
            break;
        for (int64_t last = (*claims)[limit - 1].holder; *count > 0 && (*claims)[*count - 1].holder == last;)
            (*count)--;
    }
    return result;
}

enum db_result check_claims_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0;
    for (bool more = true; more && result == DB_OK;) {
        struct check_claims_result *claims;
        size_t count = 0;
        more = false;
        result = db_begin_read(check->db);
        if (result == DB_OK)
            result = read_holders(check, unit, after, &claims, &count, &more);
        if (result == DB_OK && count > 0) {
            after = claims[count - 1].holder;
            result = check_named(check, unit, claims, count);
        }
        (void)db_rollback(check->db);
        arena_reset(check->arena);
    }
    return result;
}
