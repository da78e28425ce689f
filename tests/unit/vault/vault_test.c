/* tests/unit/vault/vault_test.c: a person's record opens with its key and with nothing else, and not after it was erased. */
#include "engine/vault.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct scene {
    struct arena *arena;
    char folder[256];
    const char *url, *key_path;
};

static const struct bytes record = { (const uint8_t *)"Ada, 1 Mill Lane", 16 };

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    scene->arena = arena_new((size_t)1 << 22);
    snprintf(scene->folder, sizeof scene->folder, "%s/vault.XXXXXX", getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    if (mkdtemp(scene->folder) == NULL)
        return -1;
    scene->url = arena_printf(scene->arena, "sqlite:%s/shop.db", scene->folder);
    scene->key_path = arena_printf(scene->arena, "%s/shop.db.key", scene->folder);
    unsetenv("MILLRACE_MASTER_KEY_FILE");
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    unlink(scene->key_path);
    unlink(arena_printf(scene->arena, "%s/elsewhere", scene->folder));
    rmdir(scene->folder);
    arena_free(scene->arena);
    free(scene);
    return 0;
}

static struct vault *opened(struct scene *scene, bool create)
{
    const char *error = NULL;
    return vault_open(scene->url, NULL, create, scene->arena, &error);
}

static bool opens(struct vault *vault, struct scene *scene, struct bytes key, struct bytes sealed)
{
    struct bytes plain;
    return vault_unseal(vault, scene->arena, key, sealed, &plain) && plain.size == record.size && memcmp(plain.at, record.at, record.size) == 0;
}

static void a_person_is_read_back(void **state)
{
    struct vault *vault = vault_seeded(7);
    struct bytes key, sealed, nobody = { NULL, 0 }, plain;
    vault_seal(vault, ((struct scene *)*state)->arena, record, &key, &sealed);
    assert_int_equal(key.size, 72);
    assert_int_equal(sealed.size, record.size + 16);
    assert_true(opens(vault, *state, key, sealed));
    assert_null(memmem(sealed.at, sealed.size, "Ada", 3));
    vault_seal(vault, ((struct scene *)*state)->arena, nobody, &key, &sealed);
    assert_true(vault_unseal(vault, ((struct scene *)*state)->arena, key, sealed, &plain));
    assert_int_equal(plain.size, 0);
    vault_close(vault);
}

static void an_erased_person_stays_erased(void **state)
{
    struct vault *vault = vault_seeded(7);
    struct bytes key, sealed, other_key, other;
    vault_seal(vault, ((struct scene *)*state)->arena, record, &key, &sealed);
    vault_seal(vault, ((struct scene *)*state)->arena, record, &other_key, &other);
    assert_false(opens(vault, *state, (struct bytes){ NULL, 0 }, sealed));
    assert_false(opens(vault, *state, (struct bytes){ key.at, 0 }, sealed));
    assert_false(opens(vault, *state, other_key, sealed));
    vault_close(vault);
}

static void a_changed_bit_is_seen(void **state)
{
    struct scene *scene = *state;
    struct vault *vault = vault_seeded(7);
    struct bytes key, sealed;
    vault_seal(vault, scene->arena, record, &key, &sealed);
    for (size_t bit = 0; bit < 8 * (key.size + sealed.size); bit++) {
        uint8_t *both = arena_alloc(scene->arena, key.size + sealed.size);
        memcpy(both, key.at, key.size);
        memcpy(both + key.size, sealed.at, sealed.size);
        both[bit / 8] = (uint8_t)(both[bit / 8] ^ (1U << (bit % 8)));
        if (opens(vault, scene, (struct bytes){ both, key.size }, (struct bytes){ both + key.size, sealed.size }))
            fail_msg("bit %zu was changed and nobody saw", bit);
    }
    for (size_t size = 0; size < sealed.size; size++)
        assert_false(opens(vault, scene, key, (struct bytes){ sealed.at, size }));
    vault_close(vault);
}

static void two_people_with_one_name_look_different(void **state)
{
    struct scene *scene = *state;
    struct vault *vault = opened(scene, true), *foreign = vault_seeded(8);
    struct bytes key, sealed, other_key, other;
    assert_non_null(vault);
    vault_seal(vault, scene->arena, record, &key, &sealed);
    vault_seal(vault, scene->arena, record, &other_key, &other);
    assert_memory_not_equal(sealed.at, other.at, sealed.size);
    assert_memory_not_equal(key.at, other_key.at, key.size);
    assert_false(opens(foreign, scene, key, sealed)); /* the master key of another company */
    vault_close(vault);
    vault_close(foreign);
}

static void a_simulation_replays(void **state)
{
    uint8_t first[3][40], again[3][40];
    for (int run = 0; run < 2; run++) {
        struct vault *vault = vault_seeded(42);
        for (int i = 0; i < 3; i++)
            vault_random(vault, run == 0 ? first[i] : again[i], 40);
        vault_close(vault);
    }
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first[0], first[1], 40);
    struct vault *other = vault_seeded(43);
    vault_random(other, again[0], 40);
    assert_memory_not_equal(first[0], again[0], 40);
    vault_close(other);
    (void)state;
}

static void hashes_depend_on_kind_and_company(void **state)
{
    struct vault *ours = vault_seeded(1), *again = vault_seeded(1), *theirs = vault_seeded(2);
    assert_int_equal(vault_hash(ours, 1, "W-1001", 6), vault_hash(again, 1, "W-1001", 6));
    assert_int_not_equal(vault_hash(ours, 1, "W-1001", 6), vault_hash(ours, 2, "W-1001", 6));
    assert_int_not_equal(vault_hash(ours, 1, "W-1001", 6), vault_hash(ours, 1, "W-1002", 6));
    assert_int_not_equal(vault_hash(ours, 1, "W-1001", 6), vault_hash(theirs, 1, "W-1001", 6));
    vault_close(ours);
    vault_close(again);
    vault_close(theirs);
    (void)state;
}

/* ---- where the master key lies ---- */

static void init_makes_a_key_that_only_its_owner_reads(void **state)
{
    struct scene *scene = *state;
    struct bytes key, sealed;
    struct stat file;
    assert_null(opened(scene, false)); /* serve never makes one: what was sealed would be lost behind a new key */
    struct vault *vault = opened(scene, true);
    assert_non_null(vault);
    vault_seal(vault, scene->arena, record, &key, &sealed);
    vault_close(vault);
    assert_int_equal(stat(scene->key_path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_int_equal(file.st_size, 32);
    vault = opened(scene, false);
    assert_non_null(vault);
    assert_true(opens(vault, scene, key, sealed));
    vault_close(vault);
    vault = opened(scene, true); /* init again keeps the key that is there */
    assert_true(opens(vault, scene, key, sealed));
    vault_close(vault);
}

static void a_key_file_that_is_named_goes_first(void **state)
{
    struct scene *scene = *state;
    const char *elsewhere = arena_printf(scene->arena, "%s/elsewhere", scene->folder);
    setenv("MILLRACE_MASTER_KEY_FILE", elsewhere, 1);
    struct vault *vault = opened(scene, true);
    assert_non_null(vault);
    vault_close(vault);
    assert_int_equal(access(elsewhere, R_OK), 0);
    assert_int_not_equal(access(scene->key_path, R_OK), 0);
    unsetenv("MILLRACE_MASTER_KEY_FILE");
}

static void a_copy_of_the_key_opens_what_the_key_does(void **state)
{
    struct scene *scene = *state;
    const char *copy = arena_printf(scene->arena, "%s/copy", scene->folder);
    struct vault *vault = opened(scene, true), *other = vault_seeded(8);
    struct bytes key, sealed;
    struct stat file;
    vault_seal(vault, scene->arena, record, &key, &sealed);
    assert_true(vault_save(vault, copy));
    assert_false(vault_save(other, copy)); /* a key is never written over */
    assert_int_equal(stat(copy, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    setenv("MILLRACE_MASTER_KEY_FILE", copy, 1);
    struct vault *again = opened(scene, false);
    unsetenv("MILLRACE_MASTER_KEY_FILE");
    assert_true(opens(again, scene, key, sealed));
    assert_int_equal(strlen(vault_mark(vault, scene->arena)), 16);
    assert_string_equal(vault_mark(vault, scene->arena), vault_mark(again, scene->arena));
    assert_string_not_equal(vault_mark(vault, scene->arena), vault_mark(other, scene->arena));
    vault_close(vault);
    vault_close(again);
    vault_close(other);
}

static void a_damaged_key_file_is_refused_and_named(void **state)
{
    static const size_t sizes[] = { 0, 31, 33 };
    struct scene *scene = *state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        const char *error = NULL;
        uint8_t bytes[33] = { 1 };
        int file = open(scene->key_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_int_equal(write(file, bytes, sizes[i]), sizes[i]);
        close(file);
        if (vault_open(scene->url, NULL, true, scene->arena, &error) != NULL)
            fail_msg("a key of %zu bytes was taken", sizes[i]);
        assert_non_null(strstr(error, scene->key_path));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_person_is_read_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_erased_person_stays_erased, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changed_bit_is_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_people_with_one_name_look_different, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_simulation_replays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hashes_depend_on_kind_and_company, set_up, tear_down),
        cmocka_unit_test_setup_teardown(init_makes_a_key_that_only_its_owner_reads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_file_that_is_named_goes_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy_of_the_key_opens_what_the_key_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_key_file_is_refused_and_named, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
