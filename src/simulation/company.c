/* src/simulation/company.c: an empty database becomes the company that the day is run in, through the routes that anybody
 * would use. Randomness is a seeded stream and the clock is the run's, so that a day can be replayed. */
#include "base/id.h"
#include "engine/vault.h"
#include "finance/finance.h"
#include "schema.h"
#include "simulation/runs.h"
#include "simulation/wording.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { OPENING_BATCH = 100 };

static int64_t company_now(void *context)
{
    struct company *company = context;
    company->told_us = company->now_us + company->wrong_us;
    return company->told_us;
}

static bool make_schema(struct company *company, struct arena *arena, const char **error)
{
    static const uint8_t head[32];
    struct db *db = engine_db(company->engine);
    struct unit_clock_row clock = { .next_id = 1000, .config_version = 1, .audit_head = { head, sizeof head } };
    struct company_row row = { .name = "Promotion", .made_at = company->now_us };
    const void *rows[] = { &clock, &row };
    enum db_result result = DB_OK;
    if (!db_is_empty(db, &result)) {
        *error = result == DB_OK ? "the database is not empty: a simulation wants one of its own" : arena_text(arena, db_last_error(db));
        return false;
    }
    if (db_migrate(db, false, arena, error) != MIGRATE_DONE)
        return false;
    if (db_begin(db) == DB_OK && db_insert(db, &unit_clock_table, &rows[0], 1) == DB_OK && db_insert(db, &company_table, &rows[1], 1) == DB_OK &&
        db_commit(db) == DB_OK)
        return true;
    *error = arena_printf(arena, "the company could not be written: %s", db_last_error(db));
    (void)db_rollback(db);
    return false;
}

/* Who carries the masters: the first answer that is not 201 is told. */
struct porter {
    struct company *company;
    struct arena *arena;
    const char **error;
};

static bool put(void *context, const char *target, const char *body)
{
    const struct porter *porter = context;
    struct reply reply = local_call(porter->company->local, porter->arena, "PUT", target, body);
    if (reply.status == 201)
        return true;
    *porter->error = arena_printf(porter->arena, "PUT %s: %d %s", target, reply.status, reply.body);
    return false;
}

static bool put_masters(struct company *company, struct arena *arena, const char **error)
{
    struct porter porter = { company, arena, error };
    return masters_put(&(struct carrier){ put, &porter }, arena);
}

/* The events of the adjustments say by which ids the store knows our nodes and SKUs. */
static bool learn_ids(struct company *company, struct arena *arena, struct command **commands, const int *slots, size_t count, const char **error)
{
    for (size_t i = 0; i < count; i++) {
        struct db_rows rows = { 0 };
        const char *body = commands[i]->answer.body == NULL ? "" : commands[i]->answer.body;
        int64_t adjustment; /* its id outside says which unit is ours */
        bool good = commands[i]->state == COMMAND_ACCEPTED && strncmp(body, "{\"id\":\"", 7) == 0 &&
                    id_parse(body + 7, strcspn(body + 7, "\""), "adj", &company->unit, &adjustment);
        const int64_t key[] = { company->unit, commands[i]->event_seq };
        if (!good || db_load(engine_db(company->engine), arena, &event_table, key, 1, &rows) != DB_OK || rows.count != 1) {
            *error = arena_printf(arena, "opening stock was answered with %d %s", commands[i]->answer.status, body);
            return false;
        }
        const struct event_row *event = db_row(&rows, 0);
        company->node_ids[slots[i] / SKUS] = event->node;
        company->sku_ids[slots[i] % SKUS] = event->sku;
    }
    return true;
}

static bool put_opening(struct company *company, const struct script *script, struct arena *arena, const char **error)
{
    struct command *commands[OPENING_BATCH];
    int slots[OPENING_BATCH];
    size_t count = 0;
    for (int slot = 0; slot < NODES * SKUS; slot++) {
        const char *body = opening_body(arena, slot / SKUS, slot % SKUS, script->opening[slot / SKUS][slot % SKUS]);
        slots[count] = slot;
        commands[count++] = local_command(company->local, arena, "POST", "/v1/inventory/adjustments", body, NULL);
        if (count < OPENING_BATCH && slot + 1 < NODES * SKUS)
            continue;
        engine_run(company->engine, commands, count);
        if (!learn_ids(company, arena, commands, slots, count, error))
            return false;
        count = 0;
    }
    company->seq = engine_event_seq(company->engine, company->unit);
    return true;
}

/* The projections' store, of which the day has the ledger only. */
static bool open_books(struct company *company, const char *url, struct arena *arena, const char **error)
{
    const struct db_options options = { .url = url, .create = true, .projection = true, .no_sync = true };
    company->follower = arena_new((size_t)1 << 30);
    *error = "no memory";
    return company->follower != NULL && db_open(&company->read, &options, arena, error) == DB_OK &&
           db_migrate(company->read, true, arena, error) == MIGRATE_DONE;
}

bool company_book(struct company *company, struct arena *arena, const char **error)
{
    struct db_rows clocks = { 0 };
    const struct ledger_follower ledger = { .store = engine_db(company->engine), .read = company->read, .arena = company->follower };
    bool behind = true;
    arena_reset(company->follower);
    enum db_result result = db_load(ledger.store, company->follower, &unit_clock_table, &company->unit, 1, &clocks);
    const struct unit_clock_row *clock = result == DB_OK && clocks.count == 1 ? db_row(&clocks, 0) : NULL;
    if (clock != NULL)
        result = ledger_follow(&ledger, company->unit, clock->event_seq, clock->next_id, INT_MAX, &behind);
    if (result != DB_OK || behind)
        *error = arena_printf(arena, "the ledger does not follow (%s): %s", db_result_name(result), db_last_error(company->read));
    return result == DB_OK && !behind;
}

static bool open_engine(struct company *company, bool lasts, struct arena *arena, const char **error)
{
    const struct engine_options options = { .url = company->url,
                                            .db = { .url = company->url, .create = true, .no_sync = true, .no_rollback = !lasts },
                                            .vault = company->vault,
                                            .clock = { company_now, company },
                                            .batch_us = -1 };
    company->engine = engine_open(&options, arena, error);
    return company->engine != NULL;
}

static bool open_keeper(struct company *company, bool lasts, struct arena *arena, const char **error)
{
    const struct db_options options = { .url = company->url, .no_sync = true };
    return !lasts || db_open(&company->keeper, &options, arena, error) == DB_OK;
}

struct company *company_open(const struct script *script, const char *url, uint64_t seed, bool lasts, struct arena *arena, const char **error)
{
    struct company *company = ARENA_NEW(arena, struct company);
    *company = (struct company){ .now_us = DAY_START_US - HOUR_US, .vault = vault_seeded(seed), .url = url };
    if (open_engine(company, lasts, arena, error) && open_keeper(company, lasts, arena, error) && make_schema(company, arena, error))
        company->local = local_open(company->engine, company->vault, arena, error);
    if (company->local != NULL && open_books(company, url, arena, error) && put_masters(company, arena, error) &&
        put_opening(company, script, arena, error))
        return company;
    company_close(company);
    return NULL;
}

bool company_open_again(struct company *company, struct arena *arena, const char **error)
{
    local_close(company->local);
    engine_close(company->engine);
    company->local = NULL;
    if (open_engine(company, true, arena, error))
        company->local = local_open(company->engine, company->vault, arena, error);
    return company->local != NULL;
}

void company_close(struct company *company)
{
    if (company == NULL)
        return;
    local_close(company->local);
    if (company->engine != NULL)
        engine_close(company->engine);
    db_close(company->keeper);
    db_close(company->read);
    arena_free(company->follower);
    vault_close(company->vault);
}
