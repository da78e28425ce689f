/* src/cli/init.c: millrace init and millrace key add: what stands in a database before the first server. */
#include "base/when.h"
#include "cli/cli.h"
#include "cli_sql.h"
#include "engine/api.h"
#include "engine/vault.h"
#include "http/auth.h"
#include "schema.h"
#include <stdio.h>
#include <string.h>

static int make_company(const struct flags *flags, struct db *db)
{
    static const uint8_t head[32];
    struct unit_clock_row clock = { .next_id = 1000, .config_version = 1, .audit_head = { head, sizeof head } };
    struct company_row company = { .name = flag(flags, "company", "Company"), .made_at = when_now_us() };
    const void *rows[] = { &clock, &company };
    if (db_begin(db) == DB_OK && db_insert(db, &unit_clock_table, &rows[0], 1) == DB_OK && db_insert(db, &company_table, &rows[1], 1) == DB_OK &&
        db_commit(db) == DB_OK)
        return 0;
    int code = fail_with("the company could not be written: %s", db_last_error(db));
    db_rollback(db);
    return code;
}

static int migrate(const struct flags *flags, struct db *db, bool projection)
{
    const char *error = "";
    enum db_result result = DB_OK;
    if (!db_is_empty(db, &result) && !projection)
        return fail_with(result == DB_OK ? "the database is not empty: init makes a company in an empty one" : "%s", db_last_error(db));
    return db_migrate(db, projection, flags->arena, &error) == MIGRATE_DONE ? 0 : fail_with("%s", error);
}

int run_init(const struct flags *flags)
{
    const char *error = "";
    if (!flags_known(flags, (const char *const[]){ "db", "company", NULL }))
        return 2;
    struct db *db = open_store(flags, true, false), *projection = NULL;
    int code = db == NULL ? 2 : migrate(flags, db, false);
    struct vault *vault = code == 0 ? vault_open(flag(flags, "db", ""), db, true, flags->arena, &error) : NULL;
    if (code == 0 && vault == NULL)
        code = fail_with("%s", error);
    if (code == 0)
        projection = open_store(flags, true, true);
    if (code == 0)
        code = projection == NULL ? 2 : migrate(flags, projection, true);
    if (code == 0)
        code = make_company(flags, db);
    if (code == 0 && !db_is_sqlite(db) && flag(flags, "master-key-file", NULL) == NULL)
        fputs("millrace: the master key stands in the table millrace_secret of the database that it protects; "
              "set MILLRACE_MASTER_KEY_FILE before init to keep it apart\n", stderr);
    vault_close(vault);
    db_close(projection);
    db_close(db);
    return code;
}

/* ---- key add ---- */

static int64_t scopes_of(const struct flags *flags)
{
    static const struct {
        const char *name;
        enum scope scope;
    } scopes[] = { { "admin", SCOPE_ADMIN }, { "orders", SCOPE_ORDERS }, { "inventory", SCOPE_INVENTORY }, { "read", SCOPE_READ } };
    int64_t sum = 0;
    const char *word;
    for (size_t n = 0; (word = flag_again(flags, "scope", n)) != NULL; n++) {
        size_t i = 0;
        while (i < COUNT(scopes) && strcmp(scopes[i].name, word) != 0)
            i++;
        if (i == COUNT(scopes))
            return -1;
        sum |= scopes[i].scope;
    }
    return sum == 0 ? -1 : sum;
}

/* The company's clock row gives the id, as it does in a batch of the engine. */
static enum db_result write_key(const struct flags *flags, struct db *db, int64_t scopes, const uint8_t hash[KEY_HASH_BYTES])
{
    struct company_clock_result taken;
    bool found = false;
    enum db_result result = db_begin(db);
    if (result == DB_OK)
        result = company_clock(db, flags->arena, 0, &taken, &found);
    if (result == DB_OK && !found)
        result = DB_BUG;
    if (result != DB_OK)
        return result;
    struct unit_clock_row clock = { taken.unit, taken.event_seq, taken.event_time, taken.next_id + 1, taken.batch_id + 1, taken.config_version,
                                    taken.audit_head };
    struct api_key_row key = { .id = taken.next_id, .name = flag(flags, "name", ""), .scopes = scopes, .hash = { hash, KEY_HASH_BYTES },
                               .made_at = when_now_us() };
    struct batch_row batch = { .batch_id = clock.batch_id, .at = key.made_at };
    const void *rows[] = { &key, &batch, &clock };
    result = db_insert(db, &api_key_table, &rows[0], 1);
    if (result == DB_OK)
        result = db_insert(db, &batch_table, &rows[1], 1);
    if (result == DB_OK)
        result = db_update(db, &unit_clock_table, &rows[2], 1);
    return result == DB_OK ? db_commit(db) : result;
}

int run_key(const struct flags *flags)
{
    char text[KEY_TEXT_BYTES];
    uint8_t hash[KEY_HASH_BYTES];
    int64_t scopes = scopes_of(flags);
    if (flags->count == 0 || strcmp(flags->words[0], "add") != 0)
        return fail_with("key add is the only one: millrace key add --db URL --name N --scope SCOPE");
    if (!flags_known(flags, (const char *const[]){ "db", "name", "scope", NULL }))
        return 2;
    const char *name = flag_again(flags, "name", 0);
    if (name == NULL || !text_is_code(name, strlen(name), 64))
        return fail_with("--name wants 1 to 64 bytes without control characters");
    if (scopes < 0)
        return fail_with("--scope wants admin, orders, inventory or read; it may come several times");
    struct db *db = open_store(flags, false, false);
    if (db == NULL)
        return 2;
    key_make(text, hash);
    enum db_result result = write_key(flags, db, scopes, hash);
    int code = 0;
    if (result != DB_OK) {
        code = fail_with("the key could not be written (%s): %s", db_result_name(result), db_last_error(db));
        db_rollback(db);
    }
    db_close(db);
    if (code == 0)
        puts(text);
    return code;
}
