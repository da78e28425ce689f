/* src/cli/key.c: millrace key add: a key is printed once; the store keeps its hash. Servers that run find it by themselves.
 * millrace key save: a copy of the master key. */
#include "base/when.h"
#include "cli/cli.h"
#include "cli_sql.h"
#include "engine/api.h"
#include "engine/vault.h"
#include "http/auth.h"
#include "http/rates.h"
#include "schema.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* A whole number within the bounds, `preset` where it does not come. False, and said, where it is none. */
static bool count_of(const struct flags *flags, const char *name, int64_t least, int64_t most, int64_t preset, int64_t *out)
{
    const char *text = flag_again(flags, name, 0);
    char *end = NULL;
    *out = preset;
    if (text == NULL)
        return true;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *out >= least && *out <= most)
        return true;
    (void)fail_with("--%s wants a number from %ld to %ld, not %s", name, (long)least, (long)most, text);
    return false;
}

/* The company's clock row gives the id, as it does in a batch of the engine. */
static enum db_result write_key(const struct flags *flags, struct db *db, struct api_key_row *key)
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
    struct unit_clock_row clock = { taken.unit,         taken.event_seq,      taken.event_time, taken.next_id + 1,
                                    taken.batch_id + 1, taken.config_version, taken.audit_head, taken.blocked };
    key->id = taken.next_id;
    struct batch_row batch = { .batch_id = clock.batch_id, .at = key->made_at };
    const void *rows[] = { key, &batch, &clock };
    result = db_insert(db, &api_key_table, &rows[0], 1);
    if (result == DB_OK)
        result = db_insert(db, &batch_table, &rows[1], 1);
    if (result == DB_OK)
        result = db_update(db, &unit_clock_table, &rows[2], 1);
    return result == DB_OK ? db_commit(db) : result;
}

static int add(const struct flags *flags)
{
    char text[KEY_TEXT_BYTES];
    uint8_t hash[KEY_HASH_BYTES];
    if (!flags_known(flags, (const char *const[]){ "db", "name", "scope", "rate", "burst", NULL }))
        return 2;
    const char *name = flag_again(flags, "name", 0);
    int64_t scopes = scopes_of(flags);
    if (name == NULL || !text_is_code(name, strlen(name), 64))
        return fail_with("--name wants 1 to 64 bytes without control characters");
    if (scopes < 0)
        return fail_with("--scope wants admin, orders, inventory or read; it may come several times");
    struct api_key_row key = { .name = name, .scopes = scopes, .hash = { hash, KEY_HASH_BYTES }, .made_at = when_now_us() };
    if (!count_of(flags, "rate", 1, RATE_MAX, 0, &key.rate) || !count_of(flags, "burst", 0, BURST_MAX, key.rate, &key.burst))
        return 2;
    if (key.rate == 0 && key.burst != 0)
        return fail_with("--burst is how many requests more at once: it needs --rate");
    struct db *db = open_store(flags, false, false);
    if (db == NULL)
        return 2;
    key_make(text, hash);
    enum db_result result = write_key(flags, db, &key);
    int code = 0;
    if (result != DB_OK) {
        code = fail_with("the key could not be written (%s): %s", db_result_name(result), db_last_error(db));
        db_rollback(db);
    }
    db_close(db);
    if (code == 0 && (puts(text) < 0 || fflush(stdout) != 0))
        code = fail_with("the key was made, but nobody could read it: standard output is closed");
    return code;
}

/* The master key as a server finds it, in a file of its own: what a backup has not. */
static int save(const struct flags *flags)
{
    const char *error = "";
    if (!flags_known(flags, (const char *const[]){ "db", "file", NULL }))
        return 2;
    const char *path = flag_again(flags, "file", 0);
    if (path == NULL)
        return fail_with("--file FILE is missing: a new file for the copy of the master key");
    struct db *db = open_store(flags, false, false);
    struct vault *vault = db == NULL ? NULL : vault_open(flag(flags, "db", ""), db, false, flags->arena, &error);
    int code = db == NULL ? 2 : vault == NULL ? fail_with("%s", error) : !vault_save(vault, path) ? fail_with("%s: %s", path, strerror(errno)) : 0;
    vault_close(vault);
    db_close(db);
    return code;
}

int run_key(const struct flags *words)
{
    static const struct {
        const char *name;
        int (*run)(const struct flags *flags);
    } verbs[] = { { "add", add }, { "save", save } };
    const struct flags rest = { words->count - 1, words->words + 1, words->arena };
    for (size_t i = 0; words->count > 0 && i < COUNT(verbs); i++)
        if (strcmp(words->words[0], verbs[i].name) == 0)
            return verbs[i].run(&rest);
    return fail_with("millrace key add --db URL --name N --scope SCOPE, or key save --db URL --file FILE");
}
