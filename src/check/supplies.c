/* src/check/supplies.c: the figures of supply add up: a state is what the facts say, what is still to come stands in `expected` and nothing else
 * does, a purchase order knows what its ASNs have, and somebody is told of what is late or missing, and no longer. */
#include "check/check.h"
#include "check_sql.h"
#include "engine/exceptions.h"
#include "inventory/supply.h"
#include "schema.h"

/* What was read of a range of supplies, each list in the order of supplies. */
struct range {
    int64_t unit;
    struct check_supplies_result *supplies;
    struct check_supply_lines_result *lines;
    struct check_exact_lines_result *exact;
    struct check_expected_result *expected;
    struct check_deliveries_result *deliveries;
    struct check_short_transfers_result *late, *missing; /* open exceptions */
    struct check_dues_result *dues;
    size_t count, line_count, exact_count, expected_count, delivery_count, late_count, missing_count, due_count;
    size_t l, x, e, d; /* lines, exact, expected, deliveries: where the lists stand */
};

static const char *key_of(struct check *check, const struct range *r, int64_t supply, int64_t line)
{
    return line == 0 ? arena_printf(check->arena, "unit %ld supply %ld", (long)r->unit, (long)supply)
                     : arena_printf(check->arena, "unit %ld supply %ld line %ld", (long)r->unit, (long)supply, (long)line);
}

static int64_t rest_of(const struct check_supply_lines_result *line)
{
    return supply_rest(&(struct supply_line_row){
        .quantity = line->quantity, .announced = line->announced, .received = line->received, .given_up = line->given_up });
}

static void check_line(struct check *check, struct range *r, const struct check_supplies_result *supply, const struct check_supply_lines_result *line,
                       int64_t number)
{
    const char *key = key_of(check, r, supply->id, line->line);
    int64_t exact = 0;
    must_know(check, &check->skus, r->unit, "sku of supply", supply->id, line->sku);
    if (line->line != number || (line->given_up > 0 && supply->state != SUPPLY_CLOSED) || (line->purchase_line > 0 && supply->purchase == 0))
        check_found(check, "supply_lines", "a supply has lines that its state allows", key, number, line->line);
    for (; r->x < r->exact_count && r->exact[r->x].purchase < supply->id; r->x++)
        continue;
    for (size_t i = r->x; i < r->exact_count && r->exact[i].purchase == supply->id; i++) {
        const struct check_exact_lines_result *x = &r->exact[i];
        if (x->purchase_line == line->line)
            exact += max_i64(0, x->quantity - x->announced - x->received - x->given_up);
    }
    if (exact != line->announced)
        check_found(check, "supply_announced", "a purchase order's line knows what its ASNs have to come", key, exact, line->announced);
    const int64_t units = supply->state == SUPPLY_OPEN ? rest_of(line) : 0;
    const struct check_expected_result *e = r->e < r->expected_count ? &r->expected[r->e] : NULL;
    const bool there = e != NULL && e->supply == supply->id && e->line == line->line;
    const bool right =
        there && e->sku == line->sku && e->at == line->expected_at && e->node == supply->node && (e->sent != 0) == (supply->kind == SUPPLY_ASN);
    if ((there ? e->units : 0) != units || (there && !right))
        check_found(check, "supply_expected", "what is still to come is expected at its date, and nothing else", key, units, there ? e->units : 0);
    r->e += there;
}

/* Open exceptions tell of as many units. */
static void check_told(struct check *check, const struct range *r, int64_t supply, int64_t units, const struct check_short_transfers_result *open,
                       size_t count)
{
    int64_t told = 0;
    for (size_t i = 0; i < count; i++)
        told += open[i].subject == supply ? open[i].quantity : 0;
    if (told != units)
        check_found(check, "exception_cause", "an exception is open while its cause is there, and no longer", key_of(check, r, supply, 0), units,
                    told);
}

/* Dates up to the one that is looked at next have passed. */
static void check_dates(struct check *check, const struct range *r, const struct check_supplies_result *supply,
                        const struct check_supply_lines_result *lines, size_t count)
{
    int64_t late = 0, missing = 0, next = NULL_INT, due = NULL_INT;
    for (size_t i = 0; i < count; i++) {
        const bool open = supply->state == SUPPLY_OPEN && rest_of(&lines[i]) > 0;
        missing += supply->state == SUPPLY_SHORT ? rest_of(&lines[i]) : 0;
        if (open && (supply->due_at == NULL_INT || lines[i].expected_at < supply->due_at))
            late += rest_of(&lines[i]);
        else if (open && (next == NULL_INT || lines[i].expected_at < next))
            next = lines[i].expected_at;
    }
    for (size_t i = 0; i < r->due_count; i++)
        due = r->dues[i].supply == supply->id ? r->dues[i].at : due;
    if (next != supply->due_at || due != supply->due_at)
        check_found(check, "supply_due", "a supply is looked at when its next date has passed", key_of(check, r, supply->id, 0), next, due);
    check_told(check, r, supply->id, late, r->late, r->late_count);
    check_told(check, r, supply->id, missing, r->missing, r->missing_count);
}

static void check_supply(struct check *check, struct range *r, const struct check_supplies_result *supply)
{
    const size_t first = r->l;
    struct supply_facts facts = { .closed = supply->closed_at != NULL_INT, .ended = supply->ended_at != NULL_INT };
    must_know(check, &check->nodes, r->unit, "node of supply", supply->id, supply->node);
    must_be_told(check, r->unit, "supply", supply->id, supply->event_seq);
    for (; r->l < r->line_count && r->lines[r->l].supply == supply->id; r->l++) {
        check_line(check, r, supply, &r->lines[r->l], (int64_t)(r->l - first) + 1);
        facts.rest += rest_of(&r->lines[r->l]);
        facts.announced += r->lines[r->l].announced;
    }
    if (r->l == first || (supply->purchase > 0 && supply->kind != SUPPLY_ASN) || (supply->reason != NULL) != facts.closed)
        check_found(check, "supply_lines", "a supply has lines that its state allows", key_of(check, r, supply->id, 0), 1, (int64_t)(r->l - first));
    if (supply->state != (int64_t)supply_state_of(&facts))
        check_found(check, "supply_state", "a supply's state is what its figures say", key_of(check, r, supply->id, 0),
                    (int64_t)supply_state_of(&facts), supply->state);
    check_dates(check, r, supply, r->lines + first, r->l - first);
    for (; r->d < r->delivery_count && r->deliveries[r->d].supply == supply->id; r->d++)
        must_be_told(check, r->unit, "supply_receipt", supply->id, r->deliveries[r->d].event_seq);
}

static void orphan(struct check *check, const struct range *r, int64_t supply, int64_t line)
{
    check_found(check, "orphan", "every part has its whole", key_of(check, r, supply, line), 1, 0);
}

/* Parts of supplies before `upto` that no supply had. */
static void check_orphans(struct check *check, struct range *r, int64_t upto)
{
    for (; r->l < r->line_count && r->lines[r->l].supply < upto; r->l++)
        orphan(check, r, r->lines[r->l].supply, r->lines[r->l].line);
    for (; r->e < r->expected_count && r->expected[r->e].supply < upto; r->e++)
        check_found(check, "supply_expected", "what is still to come is expected at its date, and nothing else",
                    key_of(check, r, r->expected[r->e].supply, r->expected[r->e].line), 0, r->expected[r->e].units);
    for (; r->d < r->delivery_count && r->deliveries[r->d].supply < upto; r->d++)
        orphan(check, r, r->deliveries[r->d].supply, 0);
}

static enum db_result read_range(struct check *check, struct range *r, int64_t after, int64_t *upto, bool *more)
{
    struct db *db = check->db;
    struct arena *arena = check->arena;
    enum db_result result = db_begin_read(db);
    if (result == DB_OK)
        result = check_supplies(db, arena, r->unit, after, CHECK_RANGE, &r->supplies, &r->count);
    *more = result == DB_OK && r->count == CHECK_RANGE;
    *upto = *more ? r->supplies[r->count - 1].id : INT64_MAX;
    if (result == DB_OK)
        result = check_supply_lines(db, arena, r->unit, after, *upto, &r->lines, &r->line_count);
    if (result == DB_OK)
        result = check_exact_lines(db, arena, r->unit, after, *upto, &r->exact, &r->exact_count);
    if (result == DB_OK)
        result = check_expected(db, arena, r->unit, after, *upto, &r->expected, &r->expected_count);
    if (result == DB_OK)
        result = check_deliveries(db, arena, r->unit, after, *upto, &r->deliveries, &r->delivery_count);
    if (result == DB_OK)
        result = check_dues(db, arena, r->unit, &r->dues, &r->due_count);
    if (result == DB_OK)
        result = check_short_transfers(db, arena, r->unit, EXCEPTION_SUPPLY_LATE, &r->late, &r->late_count);
    if (result == DB_OK)
        result = check_short_transfers(db, arena, r->unit, EXCEPTION_SUPPLY_SHORT, &r->missing, &r->missing_count);
    (void)db_rollback(db);
    return result;
}

enum db_result check_supplies_of(struct check *check, int64_t unit)
{
    enum db_result result = DB_OK;
    int64_t after = 0, upto = 0;
    for (bool more = true; more && result == DB_OK; after = upto) {
        struct range r = { .unit = unit };
        result = read_range(check, &r, after, &upto, &more);
        for (size_t i = 0; result == DB_OK && i < r.count; i++) {
            check_orphans(check, &r, r.supplies[i].id);
            check_supply(check, &r, &r.supplies[i]);
        }
        if (result == DB_OK)
            check_orphans(check, &r, INT64_MAX);
        arena_reset(check->arena);
    }
    return result;
}
