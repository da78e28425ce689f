/* tests/crash/own_postgres.c: scripts/postgres-private does the work. */
#include "crash/own_postgres.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void script(const char *verb, const char *base, const char *folder, char *said, size_t room)
{
    char line[700];
    const char *script = getenv("MILLRACE_POSTGRES_SCRIPT");
    assert_non_null(script);
    snprintf(line, sizeof line, "%s%s%s timeout 60 '%s' %s %s 2>&1", base == NULL ? "" : "TMPDIR='", base == NULL ? "" : base,
             base == NULL ? "" : "'", script, verb, folder);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    size_t bytes = fread(said, 1, room - 1, pipe);
    said[bytes] = '\0';
    if (pclose(pipe) != 0)
        fail_msg("%s: %s", line, said);
}

void own_postgres_start(struct own_postgres *postgres, const char *base)
{
    char said[2000];
    script("start", base, "", said, sizeof said);
    const char *url = strstr(said, "postgres:///"), *host = strstr(said, "host=");
    assert_non_null(url);
    assert_non_null(host);
    snprintf(postgres->url, sizeof postgres->url, "%.*s", (int)strcspn(url, "\n"), url);
    snprintf(postgres->folder, sizeof postgres->folder, "%.*s", (int)strcspn(host + 5, "&\n"), host + 5);
}

void own_postgres_kill(struct own_postgres *postgres)
{
    char said[2000];
    script("kill", NULL, postgres->folder, said, sizeof said);
}

void own_postgres_again(struct own_postgres *postgres)
{
    char said[2000];
    script("again", NULL, postgres->folder, said, sizeof said);
}

void own_postgres_stop(struct own_postgres *postgres)
{
    char said[2000];
    if (postgres->folder[0] != '\0')
        script("stop", NULL, postgres->folder, said, sizeof said);
    postgres->folder[0] = '\0';
}
