/* tests/store/db/db_silent_test.c: a PostgreSQL that accepts connections and says nothing, or nothing after its start-up, is told
 * as lost in bounded time. The server is played by a thread: none is asked for. */
#include "base/when.h"
#include "db/db.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#define LIMIT_US INT64_C(9000000) /* 5 s of connecting or 6 s of an answer, and a slow machine */

struct fake {
    char folder[64], url[128];
    int listener;
    pthread_t thread;
    bool greets;
    atomic_int accepted;
};

/* AuthenticationOk and ReadyForQuery: all that libpq needs to call itself connected. */
static const char greeting[] = { 'R', 0, 0, 0, 8, 0, 0, 0, 0, 'Z', 0, 0, 0, 5, 'I' };

static void *accept_main(void *context)
{
    struct fake *fake = context;
    int client;
    char startup[4096];
    while ((client = accept(fake->listener, NULL, NULL)) >= 0) {
        atomic_fetch_add(&fake->accepted, 1);
        if (fake->greets && recv(client, startup, sizeof startup, 0) > 0)
            (void)send(client, greeting, sizeof greeting, MSG_NOSIGNAL);
        while (recv(client, startup, sizeof startup, 0) > 0)
            continue; /* read, and never answered */
        close(client);
    }
    return NULL;
}

static void fake_start(struct fake *fake, bool greets)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    *fake = (struct fake){ .folder = "/tmp/millrace-silent.XXXXXX", .greets = greets };
    assert_non_null(mkdtemp(fake->folder));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.5432", fake->folder);
    snprintf(fake->url, sizeof fake->url, "postgres:///x?host=%s&user=x&port=5432", fake->folder);
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fake->listener, (const struct sockaddr *)(const void *)&address, sizeof address), 0);
    assert_int_equal(listen(fake->listener, 4), 0);
    assert_int_equal(pthread_create(&fake->thread, NULL, accept_main, fake), 0);
}

static void fake_stop(struct fake *fake)
{
    char path[128];
    shutdown(fake->listener, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    snprintf(path, sizeof path, "%s/.s.PGSQL.5432", fake->folder);
    unlink(path);
    rmdir(fake->folder);
}

static void opening_ends(bool greets, const char *says)
{
    struct fake fake;
    struct db *db;
    const char *error = "";
    struct arena *arena = arena_new((size_t)1 << 20);
    fake_start(&fake, greets);
    int64_t began_us = when_monotonic_us();
    enum db_result result = db_open(&db, &(struct db_options){ .url = fake.url }, arena, &error);
    int64_t took_us = when_monotonic_us() - began_us;
    fake_stop(&fake);
    if (result != DB_LOST || db != NULL || strstr(error, says) == NULL)
        fail_msg("%s: %s", db_result_name(result), error);
    assert_int_equal(atomic_load(&fake.accepted), 1);
    assert_in_range(took_us, 1000000, LIMIT_US);
    arena_free(arena);
}

static void a_server_that_only_accepts_is_lost(void **state)
{
    (void)state;
    opening_ends(false, "PostgreSQL cannot be reached");
}

static void a_server_that_greets_and_falls_silent_is_lost(void **state)
{
    (void)state;
    opening_ends(true, "no answer in 6 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_only_accepts_is_lost),
        cmocka_unit_test(a_server_that_greets_and_falls_silent_is_lost),
    };
    return cmocka_run_group_tests_name("silent", tests, NULL, NULL);
}
