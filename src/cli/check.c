/* src/cli/check.c: millrace check: one JSON line for each violation. */
#include "check/check.h"
#include "base/json.h"
#include "cli/cli.h"
#include "engine/vault.h"
#include <stdio.h>

static void print_violation(void *context, const struct violation *v)
{
    struct arena *arena = context;
    struct arena_mark mark = arena_mark(arena);
    struct json_writer json;
    const char *const pairs[][2] = { { "id", v->id }, { "what", v->what }, { "keys", v->keys }, { "expected", v->expected }, { "found", v->found } };
    json_begin(&json, arena);
    json_object(&json);
    for (size_t i = 0; i < COUNT(pairs); i++) {
        json_key(&json, pairs[i][0]);
        json_text(&json, pairs[i][1]);
    }
    json_object_end(&json);
    puts(json.out.at);
    arena_rewind(arena, mark);
}

/* The projections' store, where the ledger stands; NULL: nobody has served this company yet, or with another release. Then the books are
 * made in memory only, which proves that they can be made. */
static struct db *open_ledger(const char *url, struct arena *arena)
{
    const char *error;
    struct db *read = NULL;
    int64_t version = 0;
    struct db_options options = { .url = url, .read_only = true, .projection = true };
    if (db_open(&read, &options, arena, &error) == DB_OK && db_schema_version(read, &version) == DB_OK && version == db_schema_latest(true))
        return read;
    db_close(read);
    return NULL;
}

/* Without the master key (a simulation's database has none) all is proved but the numbers of orders, and that is said. */
static enum db_result prove(struct check *check, const char *url, struct arena *arena)
{
    const char *error = "";
    struct vault *vault = vault_open(url, check->db, false, arena, &error);
    if (vault == NULL)
        fprintf(stderr, "not proved: that each order stands under the number of its channel order id (%s)\n", error);
    check->vault = vault;
    check->read = open_ledger(url, arena);
    enum db_result result = check_all(check);
    db_close(check->read);
    vault_close(vault);
    return result;
}

int check_books(struct db *db, const char *url, struct arena *arena)
{
    struct check check = { .db = db, .arena = arena_new((size_t)1 << 30), .tell = print_violation, .context = arena };
    enum db_result result = check.arena == NULL ? DB_BUSY : prove(&check, url, arena);
    arena_free(check.arena);
    return result != DB_OK ? fail_with("the check did not run to its end (%s): %s", db_result_name(result), db_last_error(db)) : check.violations > 0;
}

int run_check(const struct flags *flags)
{
    if (!flags_known(flags, (const char *const[]){ "db", NULL }))
        return 2;
    struct db *db = open_store(flags, false, false);
    int64_t version = 0;
    if (db == NULL)
        return 2;
    int code = db_schema_version(db, &version) != DB_OK ? fail_with("the check did not run to its end: %s", db_last_error(db))
               : version == 0                           ? fail_with("the database is empty")
                                                        : check_books(db, flag(flags, "db", ""), flags->arena);
    db_close(db);
    return code;
}
