/* tests/unit/engine/black_box_test.c: who is refused, and who is not, after processes that died while they decided. */
#include "engine/black_box.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct scene {
    struct arena *arena;
    char path[256];
};

static const struct command lamp = { .body_hash = { 17, 4 } }, bulb = { .body_hash = { 17, 5 } }, inside = { .body_hash = { 0, 0 } };

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    scene->arena = arena_new((size_t)1 << 20);
    snprintf(scene->path, sizeof scene->path, "%s/box.XXXXXX", getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    int file = mkstemp(scene->path);
    *state = scene;
    return file < 0 ? -1 : close(file);
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    unlink(scene->path);
    arena_free(scene->arena);
    free(scene);
    return 0;
}

static struct black_box *opened(struct scene *scene)
{
    const char *error = "";
    struct black_box *box = black_box_open(scene->path, scene->arena, &error);
    if (box == NULL)
        fail_msg("%s", error);
    return box;
}

/* A process that dies in the midst of deciding; false when it was told not to decide at all. */
static bool die_in(struct scene *scene, const struct command *command)
{
    pid_t child = fork();
    if (child == 0) {
        struct black_box *box = opened(scene);
        if (!black_box_enter(box, command))
            _exit(0);
        abort();
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status);
}

static bool may_decide(struct scene *scene, const struct command *command)
{
    struct black_box *box = opened(scene);
    bool may = black_box_enter(box, command);
    black_box_leave(box);
    black_box_close(box);
    return may;
}

static void one_death_refuses_nobody(void **state)
{
    assert_true(die_in(*state, &lamp));
    assert_true(may_decide(*state, &lamp));
}

static void two_in_a_row_refuse_the_culprit_alone_and_for_good(void **state)
{
    assert_true(die_in(*state, &lamp));
    assert_true(die_in(*state, &lamp));
    assert_false(die_in(*state, &lamp));
    assert_true(may_decide(*state, &bulb));
    assert_false(may_decide(*state, &lamp));
}

static void what_came_between_clears(void **state)
{
    assert_true(die_in(*state, &lamp));
    assert_true(die_in(*state, &bulb));
    assert_true(die_in(*state, &lamp));
    assert_true(may_decide(*state, &lamp)); /* and ends well: the row of deaths is broken */
    assert_true(die_in(*state, &lamp));
    assert_true(may_decide(*state, &lamp));
    assert_true(may_decide(*state, &bulb));
}

static void the_same_body_under_another_key_is_another_command(void **state)
{
    const struct command again = { .body_hash = { 17, 4 }, .key_hash = { 1, 2 }, .has_key = true };
    assert_true(die_in(*state, &lamp));
    assert_true(die_in(*state, &again));
    assert_true(may_decide(*state, &lamp));
    assert_true(die_in(*state, &again));
    assert_true(die_in(*state, &again));
    assert_false(may_decide(*state, &again));
    assert_true(may_decide(*state, &lamp));
}

static void what_did_not_come_from_outside_is_never_refused(void **state)
{
    for (int i = 0; i < 3; i++)
        assert_true(die_in(*state, &inside));
}

static void many_culprits_push_the_oldest_out(void **state)
{
    for (int64_t i = 1; i <= 201; i++)
        for (int death = 0; death < 2; death++)
            assert_true(die_in(*state, &(struct command){ .body_hash = { 99, i } }));
    assert_true(may_decide(*state, &(struct command){ .body_hash = { 99, 1 } }));
    assert_false(may_decide(*state, &(struct command){ .body_hash = { 99, 2 } }));
    assert_false(may_decide(*state, &(struct command){ .body_hash = { 99, 201 } }));
}

static void bad_files_are_refused(void **state)
{
    struct scene *scene = *state;
    const char *error = NULL;
    struct black_box *box = opened(scene);
    assert_null(black_box_open(scene->path, scene->arena, &error)); /* one process at a time */
    assert_non_null(strstr(error, "another process"));
    black_box_close(box);
    int file = open(scene->path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(file, "notes of mine", 13), 13);
    close(file);
    assert_null(black_box_open(scene->path, scene->arena, &error));
    assert_non_null(strstr(error, "not a black box"));
    assert_null(black_box_open("/nowhere/box", scene->arena, &error));
    black_box_close(NULL);
    assert_true(black_box_enter(NULL, &lamp));
    black_box_leave(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_death_refuses_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_in_a_row_refuse_the_culprit_alone_and_for_good, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_came_between_clears, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_body_under_another_key_is_another_command, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_did_not_come_from_outside_is_never_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_culprits_push_the_oldest_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_files_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
