/* tests/store/db/sqlgen_test.c: what the build tool refuses, and that it says why. The tool stands in SQLGEN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHOP                                                                                               \
    "CREATE TABLE thing (unit ID, id ID, code TEXT, note TEXT NULL, stage INT, PRIMARY KEY (unit, id));\n" \
    "CREATE INDEX thing_stage ON thing (unit, stage, id) WHERE stage < 3;\n"                               \
    "CREATE TABLE part (unit ID, thing ID, number INT, PRIMARY KEY (unit, thing, number));\n"

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Runs the tool on one migration and one file of statements; gives its exit code and what it said. */
static int run_sqlgen(const char *ddl, const char *statements, char *said, size_t room)
{
    char folder[] = "/tmp/millrace-sqlgen.XXXXXX", command[1024];
    assert_non_null(mkdtemp(folder));
    write_file(folder, "0001_shop.sql", ddl);
    write_file(folder, "shop.sql", statements);
    snprintf(command, sizeof(command),
             "'%s' schema --header %s/s.h --source %s/s.c --main %s/0001_shop.sql 2>&1 && "
             "'%s' statements --header %s/q.h --source %s/q.c --main %s/0001_shop.sql --files %s/shop.sql 2>&1; code=$?; rm -rf %s; exit $code",
             getenv("SQLGEN"), folder, folder, folder, getenv("SQLGEN"), folder, folder, folder, folder, folder);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    said[fread(said, 1, room - 1, out)] = '\0';
    return WEXITSTATUS(pclose(out));
}

static const struct {
    const char *says, *ddl, *sql; /* behind SHOP; and the statement */
    const char *because;          /* part of the message; NULL: it is taken */
} cases[] = {
    { "an empty file", "", "", NULL },
    { "a point read", "", "-- name: f :one\n-- $1 unit ID; $2 id ID\nSELECT code FROM thing WHERE unit = $1 AND id = $2;", NULL },
    { "a full scan", "", "-- name: f :many\n-- all units: test\nSELECT code FROM thing ORDER BY unit, id;", "the plan has \"SCAN thing" },
    { "a full scan with a reason", "", "-- name: f :many\n-- all units: test\n-- scan: test\nSELECT code FROM thing ORDER BY unit, id;", NULL },
    { "a partial index whose condition is not repeated", "",
      "-- name: f :many\n-- $1 stage INT\n-- all units: test\nSELECT id FROM thing WHERE stage = $1 ORDER BY unit, id;", "SCAN" },
    { "a partial index left aside", "",
      "-- name: f :many\n-- $1 unit ID; $2 stage INT\nSELECT code FROM thing WHERE unit = $1 AND stage = $2 AND stage < 3 ORDER BY id;",
      "write INDEXED BY thing_stage" },
    { "a partial index named", "",
      "-- name: f :many\n-- $1 unit ID; $2 stage INT\n"
      "SELECT code FROM thing INDEXED BY thing_stage WHERE unit = $1 AND stage = $2 AND likelihood(stage < 3, 0.9999) ORDER BY id;",
      NULL },
    { "a column called like a table", "ALTER TABLE part ADD COLUMN part INT NULL;",
      "-- name: f :many\n-- $1 unit ID\nSELECT thing, part FROM part WHERE unit = $1 ORDER BY thing, part;", NULL },
    { "no order", "", "-- name: f :many\n-- $1 unit ID\nSELECT code FROM thing WHERE unit = $1;", "needs an ORDER BY" },
    { "an order inside only", "", "-- name: f :many\n-- $1 unit ID\nSELECT code FROM (SELECT code FROM thing WHERE unit = $1 ORDER BY id LIMIT 3);",
      "needs an ORDER BY" },
    { "an unknown column", "", "-- name: f :one\n-- $1 unit ID\nSELECT colour FROM thing WHERE unit = $1;", "no such column: colour" },
    { "an unknown table", "", "-- name: f :one\nSELECT a FROM nobody;", "no such table: nobody" },
    { "an unknown type of a parameter", "", "-- name: f :one\n-- $1 unit BIGINT\nSELECT code FROM thing WHERE unit = $1;",
      "unknown type \"BIGINT\"" },
    { "a parameter that is not declared", "", "-- name: f :one\n-- $1 unit ID\nSELECT code FROM thing WHERE unit = $1 AND id = $2;",
      "$2 is not declared" },
    { "a parameter that is not used", "", "-- name: f :one\n-- $1 unit ID; $2 id ID\nSELECT code FROM thing WHERE unit = $1;",
      "$2 (id) is declared" },
    { "an expression without a type", "", "-- name: f :one\n-- $1 unit ID\nSELECT id + 1 AS next FROM thing WHERE unit = $1;", "is an expression" },
    { "an expression with a type", "", "-- name: f :one\n-- $1 unit ID\n-- returns next INT\nSELECT id + 1 AS next FROM thing WHERE unit = $1;",
      NULL },
    { "rows of an :exec", "", "-- name: f :exec\n-- $1 unit ID\nSELECT code FROM thing WHERE unit = $1;", "it is :one or :many" },
    { "no rows of a :one", "", "-- name: f :one\n-- $1 unit ID\nDELETE FROM thing WHERE unit = $1;", "it is :exec" },
    { "a join without the unit", "",
      "-- name: f :many\n-- $1 unit ID\n-- scan: test\nSELECT p.number FROM thing AS t CROSS JOIN part AS p WHERE t.unit = $1 AND t.id = p.thing "
      "ORDER BY p.number;",
      "no condition on p.unit" },
    { "a table without the unit", "", "-- name: f :exec\n-- $1 id ID\n-- scan: test\nDELETE FROM thing WHERE id = $1;",
      "no condition on thing.unit" },
    { "two columns of a name", "", "-- name: f :one\n-- $1 unit ID\nSELECT code, note AS code FROM thing WHERE unit = $1;",
      "two columns are called code" },
    { "a name twice", "", "-- name: f :exec\n-- $1 unit ID\nDELETE FROM part WHERE unit = $1;\n-- name: f :exec\nDELETE FROM part;", "f already" },
    { "no cardinality", "", "-- name: f :all\nDELETE FROM thing;", "no cardinality" },
    { "no name", "", "DELETE FROM thing;", "begins with -- name:" },
    { "no end", "", "-- name: f :exec\nDELETE FROM thing", "semicolon" },
    { "an unknown type", "CREATE TABLE odd (unit ID, id SERIAL, PRIMARY KEY (unit, id));", "", "column id: unknown type \"SERIAL\"" },
    { "a reserved word", "CREATE TABLE odd (unit ID, user ID, PRIMARY KEY (unit, user));", "", "\"user\" is no name" },
    { "a key that does not come first", "CREATE TABLE odd (note TEXT, unit ID, PRIMARY KEY (unit));", "", "must be the table's first" },
    { "no key", "CREATE TABLE odd (note TEXT);", "", "PRIMARY KEY" },
    { "an ALTER that takes away", "ALTER TABLE thing DROP COLUMN note;", "", "only ADD COLUMN" },
    { "a path without an index", "-- path p ON thing (unit, note) THEN (id)\n", "", "served by no index" },
    { "a path that would sort", "-- path p ON part (unit) THEN (number)\n", "", "served by no index" },
    { "a path without the index's condition", "-- path p ON thing (unit, stage) THEN (id)\n", "", "served by no index" },
    { "a path with it", "-- path p ON thing (unit, stage) THEN (id) WHERE stage < 3\n", "", NULL },
    { "a path over an unknown column", "-- path p ON thing (unit, colour)\n", "", "no column \"colour\"" },
    { "a path over an unknown table", "-- path p ON nobody (unit)\n", "", "no table \"nobody\"" },
    { "a path ordered by what may be NULL", "CREATE INDEX n ON thing (unit, note, id);\n-- path p ON thing (unit) THEN (note, id)\n", "",
      "may be NULL" },
};

static void each_case_is_refused_or_taken(void **state)
{
    (void)state;
    char ddl[2048], said[4096];
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(ddl, sizeof(ddl), SHOP "%s", cases[i].ddl);
        int code = run_sqlgen(ddl, cases[i].sql, said, sizeof(said));
        bool right = cases[i].because == NULL ? code == 0 : code == 1 && strstr(said, cases[i].because) != NULL;
        if (!right)
            fail_msg("%s: code %d, said: %s", cases[i].says, code, said);
        if (code == 1 && strstr(said, ".sql:") == NULL && strncmp(said, "odd: ", 5) != 0)
            fail_msg("%s: names no file and line: %s", cases[i].says, said);
    }
}

int main(void)
{
    if (getenv("SQLGEN") == NULL) {
        print_error("SKIPPED: SQLGEN names no program\n");
        return 77;
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_case_is_refused_or_taken) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
