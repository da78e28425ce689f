/* tests/http/server_keys_test.c: keys of the store, as the server comes to know them. */
#include "http/auth.h"
#include "http/rates.h"
#include "schema.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void insert(struct db *db, int64_t id, const char *name, int64_t scopes, const uint8_t hash[KEY_HASH_BYTES])
{
    struct api_key_row row = { .id = id, .name = name, .scopes = scopes, .hash = { hash, KEY_HASH_BYTES }, .made_at = 1, .rate = id };
    const void *rows[] = { &row };
    assert_int_equal(db_begin(db), DB_OK);
    assert_int_equal(db_insert(db, &api_key_table, rows, 1), DB_OK);
    assert_int_equal(db_commit(db), DB_OK);
}

static void a_key_is_known_once_it_was_looked_for(void **state)
{
    struct arena *arena = arena_new(16 << 20);
    struct db_options options = { .url = "sqlite::memory:", .create = true };
    const char *error = NULL;
    struct db *db = NULL;
    char first[KEY_TEXT_BYTES], second[KEY_TEXT_BYTES];
    uint8_t first_hash[KEY_HASH_BYTES], second_hash[KEY_HASH_BYTES];
    struct actor actor;
    assert_int_equal(db_open(&db, &options, arena, &error), DB_OK);
    assert_int_equal(db_migrate(db, false, arena, &error), MIGRATE_DONE);
    key_make(first, first_hash);
    key_make(second, second_hash);
    assert_string_not_equal(first, second);
    assert_int_equal(strlen(first), KEY_TEXT_BYTES - 2);
    insert(db, 7, "shop", SCOPE_ORDERS, first_hash);

    struct key_table *table = key_table_new();
    struct auth_source source = key_table_source(table);
    const char *header = arena_printf(arena, "bearer %s", first);
    assert_int_equal(auth_find(&source, arena, header, &actor), AUTH_UNKNOWN);
    source.reload(source.context, db);
    assert_int_equal(auth_find(&source, arena, header, &actor), AUTH_OK);
    assert_int_equal(actor.key, 7);
    assert_string_equal(actor.name, "shop");
    assert_int_equal(actor.scopes, SCOPE_ORDERS);
    assert_int_equal(actor.rate, 7);

    insert(db, 8, "warehouse", SCOPE_INVENTORY, second_hash);
    header = arena_printf(arena, "Bearer %s", second);
    assert_int_equal(auth_find(&source, arena, header, &actor), AUTH_UNKNOWN);
    usleep(60000); /* a moment later the store is asked again */
    source.reload(source.context, db);
    assert_int_equal(auth_find(&source, arena, header, &actor), AUTH_OK);
    assert_string_equal(actor.name, "warehouse");

    assert_int_equal(auth_find(&source, arena, NULL, &actor), AUTH_NONE);
    assert_int_equal(auth_find(&source, arena, "Basic eDp5", &actor), AUTH_MALFORMED);
    assert_int_equal(auth_find(&source, arena, "Bearer wrong", &actor), AUTH_MALFORMED);
    assert_int_equal(auth_find(&source, arena, "Bearer mr_", &actor), AUTH_UNKNOWN);
    key_table_free(table);
    db_close(db);
    arena_free(arena);
    (void)state;
}

static void scopes_say_who_may(void **state)
{
    static const struct {
        const char *says;
        unsigned has, route;
        bool may;
    } cases[] = {
        { "admin may everything", SCOPE_ADMIN, SCOPE_ORDERS, true },
        { "any scope may read", SCOPE_INVENTORY, SCOPE_READ, true },
        { "read may not write", SCOPE_READ, SCOPE_ORDERS, false },
        { "orders are not stock", SCOPE_ORDERS, SCOPE_INVENTORY, false },
        { "one of two is enough", SCOPE_INVENTORY, SCOPE_ORDERS | SCOPE_INVENTORY, true },
        { "a key without scopes may nothing", 0, SCOPE_READ, false },
    };
    struct arena *arena = arena_new(1 << 20);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct actor actor = { .scopes = cases[i].has };
        struct route route = { .scopes = cases[i].route };
        const char *needed = NULL;
        if (auth_may(&actor, &route, arena, &needed) != cases[i].may)
            fail_msg("%s", cases[i].says);
    }
    arena_free(arena);
    (void)state;
}

/* Evenly it may ask for ever; ahead of that by its burst, and no further. */
static void a_rate_is_kept(void **state)
{
    static const struct {
        const char *says;
        int64_t key, rate, burst, at_us;
        int waits_s;
    } cases[] = {
        { "the first", 7, 2, 1, 0, 0 },
        { "one more at once", 7, 2, 1, 0, 0 },
        { "the third is too early by half a second", 7, 2, 1, 0, 1 },
        { "what was refused does not count", 7, 2, 1, 499999, 1 },
        { "half a second later", 7, 2, 1, 500000, 0 },
        { "another key", 8, 2, 0, 500000, 0 },
        { "which has no burst", 8, 2, 0, 500000, 1 },
        { "a pause gives no more than the burst", 7, 2, 1, 9000000, 0 },
        { "nor for the second", 7, 2, 1, 9000000, 0 },
        { "but for the third", 7, 2, 1, 9000000, 1 },
        { "often", 9, RATE_MAX, 0, 9000000, 0 },
        { "not more often", 9, RATE_MAX, 0, 9000009, 1 },
        { "often again", 9, RATE_MAX, 0, 9000010, 0 },
    };
    struct rates *rates = rates_new();
    for (size_t i = 0; i < COUNT(cases); i++) {
        int waits_s = rates_take(rates, cases[i].key, cases[i].rate, cases[i].burst, cases[i].at_us);
        if (waits_s != cases[i].waits_s)
            fail_msg("%s: waits %d s", cases[i].says, waits_s);
    }
    for (int64_t key = 1; key <= 1000; key++) /* the table grows, and forgets nobody */
        assert_int_equal(rates_take(rates, 100 + key, 1, 0, 9000010), 0);
    for (int64_t key = 1; key <= 1000; key++)
        assert_int_equal(rates_take(rates, 100 + key, 1, 0, 9000011), 1);
    rates_free(rates);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_key_is_known_once_it_was_looked_for), cmocka_unit_test(scopes_say_who_may),
                                        cmocka_unit_test(a_rate_is_kept) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
