/* tests/unit/cli/cli_test.c: the subcommands as a shell sees them: exit codes, what is printed, what is refused. */
#include "db/db.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct scene {
    struct arena *arena;
    char folder[256], name[64];
    const char *url;
    char said[8192];  /* both outputs of the last command */
    pid_t servers[2]; /* that still run: a case that fails leaves none behind */
};

static void on_server(struct scene *scene, const char *verb)
{
    struct db *db = NULL;
    const char *error = "";
    if (db_open(&db, &(struct db_options){ .url = getenv("MILLRACE_TEST_POSTGRES") }, scene->arena, &error) != DB_OK)
        fail_msg("%s", error);
    assert_int_equal(db_script(db, arena_printf(scene->arena, verb, scene->name)), DB_OK);
    db_close(db);
}

static int set_up(void **state, bool postgres)
{
    struct scene *scene = calloc(1, sizeof *scene);
    scene->arena = arena_new((size_t)1 << 26);
    snprintf(scene->folder, sizeof scene->folder, "%s/cli.XXXXXX", getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    if (mkdtemp(scene->folder) == NULL || getenv("MILLRACE") == NULL)
        return -1;
    scene->url = arena_printf(scene->arena, "sqlite:%s/shop.db", scene->folder);
    if (postgres) {
        const char *server = getenv("MILLRACE_TEST_POSTGRES"), *query = strchr(server, '?'), *name = strstr(server, "/postgres");
        snprintf(scene->name, sizeof scene->name, "cli_%d_%s", (int)getpid(), strrchr(scene->folder, '.') + 1);
        on_server(scene, "CREATE DATABASE \"%s\"");
        while (name != NULL && strstr(name + 1, "/postgres") != NULL) /* the last one: the database, not the scheme */
            name = strstr(name + 1, "/postgres");
        if (name == NULL)
            return -1;
        scene->url = arena_printf(scene->arena, "%.*s/%s%s", (int)(name - server), server, scene->name, query == NULL ? "" : query);
    }
    *state = scene;
    return 0;
}

static int on_sqlite(void **state)
{
    return set_up(state, false);
}

static int on_postgres(void **state)
{
    return set_up(state, true);
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    for (size_t i = 0; i < COUNT(scene->servers); i++)
        if (scene->servers[i] != 0 && kill(scene->servers[i], SIGKILL) == 0)
            waitpid(scene->servers[i], NULL, 0);
    if (scene->name[0] != '\0')
        on_server(scene, "DROP DATABASE \"%s\" WITH (FORCE)");
    if (system(arena_printf(scene->arena, "rm -rf '%s'", scene->folder)) != 0)
        return -1;
    arena_free(scene->arena);
    free(scene);
    return 0;
}

/* Runs `before` millrace `words` in the scene's folder; gives the exit code. */
static int run_with(struct scene *scene, const char *before, const char *words)
{
    FILE *pipe = popen(arena_printf(scene->arena, "cd '%s' && %s '%s' %s 2>&1", scene->folder, before, getenv("MILLRACE"), words), "r");
    assert_non_null(pipe);
    scene->said[fread(scene->said, 1, sizeof scene->said - 1, pipe)] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int run(struct scene *scene, const char *words)
{
    return run_with(scene, arena_printf(scene->arena, "MILLRACE_DB='%s'", scene->url), words);
}

static void says(const struct scene *scene, const char *what)
{
    if (strstr(scene->said, what) == NULL)
        fail_msg("it said \"%s\", not \"%s\"", scene->said, what);
}

/* Changes the store behind its back. */
static void script(struct scene *scene, const char *text)
{
    struct db *db = NULL;
    const char *error = "";
    if (db_open(&db, &(struct db_options){ .url = scene->url }, scene->arena, &error) != DB_OK)
        fail_msg("%s", error);
    assert_int_equal(db_script(db, text), DB_OK);
    db_close(db);
}

/* ---- init, key ---- */

static void init_makes_a_company_once(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(run(scene, "key add --name shop --scope orders"), 2);
    assert_int_equal(run(scene, "init --company 'Mill & Sons'"), 0);
    assert_int_equal(run(scene, "check"), 0);
    assert_string_equal(scene->said, "");
    assert_int_equal(run(scene, "init"), 2);
    says(scene, "not empty");
    assert_int_equal(run(scene, "migrate"), 0); /* nothing to do */
}

static void an_init_that_died_is_taken_up_again(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(run(scene, "init 2>/dev/null"), 0);
    script(scene, "DELETE FROM company; DELETE FROM unit_clock");
    assert_int_equal(run(scene, "init --company 'Mill & Sons' 2>/dev/null"), 0);
    assert_int_equal(run(scene, "check"), 0);
    assert_string_equal(scene->said, "");
    assert_int_equal(run(scene, "init"), 2);
    says(scene, "not empty");
}

static void init_leaves_a_foreign_database_alone(void **state)
{
    struct scene *scene = *state;
    if (scene->name[0] == '\0')
        assert_int_equal(system(arena_printf(scene->arena, "touch '%s/shop.db'", scene->folder)), 0);
    script(scene, "CREATE TABLE somebodys (id INTEGER PRIMARY KEY)");
    assert_int_equal(run(scene, "init"), 2);
    says(scene, "not empty");
    assert_int_equal(run(scene, "serve --listen 127.0.0.1:0"), 2);
    says(scene, "init first");
    assert_int_equal(run(scene, "migrate"), 2);
    says(scene, "init first");
    assert_int_equal(run(scene, "check"), 2);
}

static void a_key_is_alone_on_its_line(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(run(scene, "init 2>/dev/null"), 0);
    assert_int_equal(run(scene, "key add --name shop --scope orders --scope=read"), 0);
    assert_int_equal(strncmp(scene->said, "mr_", 3), 0);
    assert_int_equal(strcspn(scene->said, "\n") + 1, strlen(scene->said));
    assert_int_equal(run(scene, "key add --name shop --scope everything"), 2);
    says(scene, "admin, orders, inventory or read");
    assert_int_equal(run(scene, "key add --scope orders"), 2);
    says(scene, "--name");
    assert_int_equal(run(scene, "key add --name shop --scope orders --rate 50 --burst 100"), 0);
    assert_int_equal(run(scene, "key add --name shop --scope orders --rate 0"), 2);
    says(scene, "--rate wants a number from 1 to 100000, not 0");
    assert_int_equal(run(scene, "key add --name shop --scope orders --rate 5x"), 2);
    assert_int_equal(run(scene, "key add --name shop --scope orders --burst 5"), 2);
    says(scene, "it needs --rate");
    assert_int_equal(run(scene, "key drop"), 2);
}

/* ---- serve ---- */

/* Starts a server on a free port; it must say that it is ready. */
static pid_t serve(struct scene *scene, int *port)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        execl(getenv("MILLRACE"), "millrace", "serve", "--db", scene->url, "--listen", "127.0.0.1:0", (char *)NULL);
        _exit(127);
    }
    scene->servers[scene->servers[0] != 0] = child;
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    if (fgets(scene->said, sizeof scene->said, out) == NULL || sscanf(scene->said, "ready http://127.0.0.1:%d", port) != 1)
        fail_msg("the server is not ready");
    fclose(out);
    return child;
}

/* Asks once; gives the HTTP status. */
static int ask(struct scene *scene, int port, const char *path, const char *key)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int socket_fd = socket(AF_INET, SOCK_STREAM, 0), status = 0;
    const char *text = arena_printf(scene->arena, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n", path, key);
    assert_int_equal(connect(socket_fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(write(socket_fd, text, strlen(text)), strlen(text));
    FILE *in = fdopen(socket_fd, "r");
    if (fgets(scene->said, sizeof scene->said, in) != NULL)
        sscanf(scene->said, "HTTP/1.1 %d", &status);
    fclose(in);
    return status;
}

static int ended(struct scene *scene, pid_t child, int signal_number)
{
    int status = 0;
    scene->servers[scene->servers[1] == child] = 0;
    kill(child, signal_number);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void a_server_answers_until_it_is_told_to_stop(void **state)
{
    static const int signals[] = { SIGTERM, SIGINT };
    struct scene *scene = *state;
    assert_int_equal(run(scene, "init"), 0);
    for (size_t i = 0; i < COUNT(signals); i++) {
        int port = 0;
        pid_t server = serve(scene, &port);
        assert_int_equal(ask(scene, port, "/healthz", "none"), 200);
        assert_int_equal(ask(scene, port, "/v1/skus/LAMP", "none"), 401);
        assert_int_equal(run(scene, "key add --name clerk --scope read"), 0); /* made while it runs, known with its first request */
        scene->said[strcspn(scene->said, "\n")] = '\0';
        assert_int_equal(ask(scene, port, "/v1/skus/LAMP", arena_text(scene->arena, scene->said)), 404);
        assert_int_equal(run(scene, "check"), 0);
        assert_int_equal(ended(scene, server, signals[i]), 0);
    }
}

static void a_second_server(void **state)
{
    struct scene *scene = *state;
    int port = 0, second_port = 0;
    assert_int_equal(run(scene, "init"), 0);
    pid_t server = serve(scene, &port);
    if (scene->name[0] == '\0') {
        assert_int_equal(run(scene, "serve --listen 127.0.0.1:0"), 2);
        says(scene, "another server has this file");
    } else {
        pid_t second = serve(scene, &second_port);
        assert_int_equal(ask(scene, second_port, "/healthz", "none"), 200);
        assert_int_equal(ended(scene, second, SIGTERM), 0);
    }
    assert_int_equal(run(scene, arena_printf(scene->arena, "serve --listen 127.0.0.1:%d", port)), 2); /* the port is taken */
    assert_int_equal(ask(scene, port, "/healthz", "none"), 200);
    assert_int_equal(ended(scene, server, SIGKILL), 128);
    server = serve(scene, &port); /* a killed one leaves no lock */
    assert_int_equal(ended(scene, server, SIGTERM), 0);
}

static void a_database_of_a_newer_release_is_refused(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(run(scene, "init"), 0);
    script(scene, "UPDATE schema_migration SET number = 9999 WHERE number = 1");
    assert_int_equal(run(scene, "serve --listen 127.0.0.1:0"), 2);
    says(scene, "newer release");
    assert_int_equal(run(scene, "migrate"), 2);
    says(scene, "newer");
}

static void a_server_without_its_master_key_does_not_start(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(run(scene, "init"), 0);
    if (scene->name[0] == '\0')
        assert_int_equal(unlink(arena_printf(scene->arena, "%s/shop.db.key", scene->folder)), 0);
    else
        script(scene, "DELETE FROM millrace_secret");
    assert_int_equal(run(scene, "serve --listen 127.0.0.1:0"), 2);
    says(scene, "MILLRACE_MASTER_KEY_FILE");
}

/* ---- check ---- */

static void check_names_what_is_wrong(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(run(scene, "init"), 0);
    script(scene, "UPDATE unit_clock SET event_seq = 3 WHERE unit = 0");
    assert_int_equal(run(scene, "check"), 1);
    says(scene, "{\"id\":\"event_gap\",\"what\":\"events are numbered without a gap\",\"keys\":\"unit 0\",\"expected\":\"3\",\"found\":\"0\"}\n");
}

/* ---- flags, variables, the file ---- */

static void flags_go_before_variables_and_these_before_the_file(void **state)
{
    struct scene *scene = *state;
    const char *file =
        arena_printf(scene->arena, "printf '# ours\\n\\n db = sqlite:of-file.db\\r\\nlisten=127.0.0.1:0\\n' > '%s/millrace.conf'", scene->folder);
    assert_int_equal(system(file), 0);
    assert_int_equal(run_with(scene, "", "init"), 0);
    assert_int_equal(run_with(scene, "MILLRACE_DB=sqlite:of-variable.db", "init"), 0);
    assert_int_equal(run_with(scene, "MILLRACE_DB=sqlite:of-variable.db", "init --db sqlite:of-flag.db"), 0);
    assert_int_equal(run_with(scene, "mv millrace.conf other.conf && MILLRACE_CONFIG=other.conf", "init"), 2); /* is there: of-file.db */
    says(scene, "not empty");
    static const char *const made[] = { "of-file.db", "of-variable.db", "of-flag.db" };
    for (size_t i = 0; i < COUNT(made); i++)
        assert_int_equal(access(arena_printf(scene->arena, "%s/%s", scene->folder, made[i]), R_OK), 0);
    assert_int_equal(run_with(scene, "MILLRACE_CONFIG=nowhere.conf", "check"), 2);
    says(scene, "nowhere.conf");
    assert_int_equal(run_with(scene, "printf 'db=sqlite:a.db\\nlsiten=1\\n' > bad.conf && MILLRACE_CONFIG=bad.conf", "init"), 2);
    says(scene, "bad.conf, row 2");
    assert_int_equal(run_with(scene, "", "init --db"), 2);
    says(scene, "--db wants a value");
    assert_int_equal(run_with(scene, "", "init --database sqlite:b.db"), 2);
    says(scene, "--database");
    assert_int_equal(run_with(scene, "", "init here"), 2);
    says(scene, "there is no here");
    assert_int_equal(run_with(scene, "", "frobnicate"), 2);
    assert_int_equal(run_with(scene, "", "init --help"), 0);
}

#define SCENE(test, store)                                     \
    {                                                          \
#test " on " #store, test, on_##store, tear_down, NULL \
    }
#define SCENES(store)                                                                                                                               \
    SCENE(init_makes_a_company_once, store), SCENE(an_init_that_died_is_taken_up_again, store), SCENE(init_leaves_a_foreign_database_alone, store), \
        SCENE(a_key_is_alone_on_its_line, store), SCENE(a_server_answers_until_it_is_told_to_stop, store), SCENE(a_second_server, store),           \
        SCENE(a_database_of_a_newer_release_is_refused, store), SCENE(a_server_without_its_master_key_does_not_start, store),                       \
        SCENE(check_names_what_is_wrong, store)

int main(void)
{
    const struct CMUnitTest sqlite[] = { SCENES(sqlite), SCENE(flags_go_before_variables_and_these_before_the_file, sqlite) };
    const struct CMUnitTest postgres[] = { SCENES(postgres) };
    unsetenv("MILLRACE_DB");
    unsetenv("MILLRACE_CONFIG");
    unsetenv("MILLRACE_MASTER_KEY_FILE");
    int failed = cmocka_run_group_tests(sqlite, NULL, NULL);
    if (getenv("MILLRACE_TEST_POSTGRES") == NULL)
        print_message("SKIPPED on PostgreSQL: MILLRACE_TEST_POSTGRES names no server\n");
    else
        failed += cmocka_run_group_tests(postgres, NULL, NULL);
    return failed;
}
