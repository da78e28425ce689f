/* tools/sqlgen/check.c: the second judge, a PostgreSQL.
 * The migrations are carried out in schemas of their own inside one transaction that is rolled back, so any database
 * will do and nothing is left. Then every statement, and every one that the driver makes from descriptors, is prepared,
 * its result's types are compared and its plan, made as the driver has it made, is searched for what walks a table. */
#include "sqlgen.h"

#include "db/spell.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

struct check {
    struct model *model;
    PGconn *connection;
    int faults, done;
};

/* What is checked, and where a person would mend it. */
struct subject {
    const char *file, *name, *sql;
    int line;
    const Oid *types;
    size_t type_count;
    const struct db_column *columns; /* of the result; NULL: not compared */
    size_t column_count;
    bool may_scan;
    const struct db_path *path;   /* whose prefix the plan must match; NULL for none */
    const struct db_table *keyed; /* whose primary key the plan must use; NULL for none */
};

static void fault(struct check *check, const struct subject *subject, const char *what, const char *more)
{
    fprintf(stderr, "%s:%d: %s: %s%s\n", subject->file, subject->line, subject->name, what, more);
    check->faults++;
}

static void must(struct check *check, const char *file, const char *sql)
{
    PGresult *result = PQexec(check->connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        refuse(file, 1, "PostgreSQL refuses it: %s", PQerrorMessage(check->connection));
    PQclear(result);
}

static Oid oid_of(enum db_type type)
{
    static const Oid oids[] = { 20, 25, 17 };
    return oids[type];
}

static Oid array_oid_of(enum db_type type)
{
    static const Oid oids[] = { 1016, 1009, 1001 };
    return oids[type];
}

/* ---- one statement ---- */

static void compare_columns(struct check *check, const struct subject *subject)
{
    PGresult *described = PQdescribePrepared(check->connection, "judged");
    if ((size_t)PQnfields(described) != subject->column_count)
        fault(check, subject, "the stores give different numbers of columns", "");
    for (size_t i = 0; i < subject->column_count && (int)i < PQnfields(described); i++) {
        const struct db_column *column = &subject->columns[i];
        const char *more = arena_printf(check->model->arena, "%s (PostgreSQL's type %u)", column->name, PQftype(described, (int)i));
        if (strcmp(column->name, PQfname(described, (int)i)) != 0)
            fault(check, subject, "PostgreSQL names a column otherwise, name it with AS: ", more);
        if (PQftype(described, (int)i) != oid_of(column->type))
            fault(check, subject, "the stores give different types, CAST it AS INT, TEXT or BLOB: ", more);
    }
    PQclear(described);
}

/* A column of the prefix that the path's condition pins: PostgreSQL compares what came with the constant, once. */
static bool is_constant(const char *line, size_t column)
{
    static const char *const ways[] = { "(k.k", "(\"*VALUES*\".column", "($" }; /* arrays, several rows, one */
    char constant[80];
    bool found = false;
    for (size_t i = 0; i < COUNT(ways) && strstr(line, "One-Time Filter:") != NULL; i++) {
        snprintf(constant, sizeof(constant), "%s%zu = ", ways[i], column);
        found = found || strstr(line, constant) != NULL;
    }
    return found;
}

/* How many columns of the prefix a line of the plan matches, by an index's condition or because they are constant. */
static size_t prefix_matched(const PGresult *plan, const struct db_path *path)
{
    size_t matched = 0;
    for (size_t k = 0; k < path->prefix_count; k++) {
        const char *column = path->table->columns[path->columns[k]].name;
        char condition[80];
        snprintf(condition, sizeof(condition), "(%s = ", column);
        for (int i = 0; i < PQntuples(plan); i++) {
            const char *line = PQgetvalue(plan, i, 0);
            if ((strstr(line, "Index Cond:") != NULL && strstr(line, condition) != NULL) || is_constant(line, k + 1)) {
                matched++;
                break;
            }
        }
    }
    return matched;
}

/* On an empty table all indexes cost the same, and one that matches all but the last column may win: a note. */
static void judge_prefix(struct check *check, const struct subject *subject, const PGresult *plan)
{
    size_t matched = prefix_matched(plan, subject->path), most = subject->path->prefix_count;
    if (matched == most)
        return;
    if (matched + 1 < most)
        fault(check, subject, "PostgreSQL's plan does not match the prefix by an index", "");
    else
        fprintf(stderr, "%s:%d: note: %s: PostgreSQL matches %zu of %zu columns while the table is empty\n", subject->file, subject->line,
                subject->name, matched, most);
}

/* Some other index that has the key's columns among its own finds the row, too: it walks all of the unit. */
static void judge_key(struct check *check, const struct subject *subject, const PGresult *plan)
{
    char index[160];
    bool found = false;
    snprintf(index, sizeof(index), " using %s_pkey on ", subject->keyed->name);
    for (int i = 0; i < PQntuples(plan); i++)
        found = found || strstr(PQgetvalue(plan, i, 0), index) != NULL;
    if (!found)
        fault(check, subject, "PostgreSQL does not find a row by its primary key", "");
}

static void judge_plan(struct check *check, const struct subject *subject)
{
    struct buffer sql = { .arena = check->model->arena };
    buffer_text(&sql, "EXPLAIN (COSTS OFF) EXECUTE judged");
    for (size_t i = 0; i < subject->type_count; i++)
        buffer_text(&sql, i == 0 ? "(NULL" : ", NULL");
    buffer_text(&sql, subject->type_count > 0 ? ")" : "");
    PGresult *plan = PQexec(check->connection, sql.at);
    if (PQresultStatus(plan) != PGRES_TUPLES_OK)
        fault(check, subject, "cannot be explained: ", PQerrorMessage(check->connection));
    for (int i = 0; i < PQntuples(plan) && !subject->may_scan; i++)
        if (strstr(PQgetvalue(plan, i, 0), "Seq Scan") != NULL)
            fault(check, subject, "PostgreSQL walks a table, add an index or -- scan: why: ", PQgetvalue(plan, i, 0));
    if (subject->path != NULL)
        judge_prefix(check, subject, plan);
    if (subject->keyed != NULL)
        judge_key(check, subject, plan);
    PQclear(plan);
}

static void judge(struct check *check, const struct subject *subject)
{
    must(check, subject->file, "SAVEPOINT before");
    PGresult *prepared = PQprepare(check->connection, "judged", subject->sql, (int)subject->type_count, subject->types);
    if (PQresultStatus(prepared) == PGRES_COMMAND_OK) {
        if (subject->columns != NULL)
            compare_columns(check, subject);
        judge_plan(check, subject);
    } else {
        fault(check, subject, "PostgreSQL refuses it: ", PQerrorMessage(check->connection));
    }
    bool there = PQresultStatus(prepared) == PGRES_COMMAND_OK;
    PQclear(prepared);
    must(check, subject->file, "ROLLBACK TO SAVEPOINT before");
    if (there)
        must(check, subject->file, "DEALLOCATE judged");
    check->done++;
}

/* ---- all of them ---- */

static void judge_statement(struct check *check, const struct statement *statement)
{
    Oid types[COUNT(statement->parameters)];
    for (size_t i = 0; i < statement->parameter_count; i++)
        types[i] = oid_of(type_of(statement->parameters[i].type));
    judge(check, &(struct subject){ .file = statement->file,
                                    .name = statement->name,
                                    .sql = statement->text.postgres,
                                    .line = statement->line,
                                    .types = types,
                                    .type_count = statement->parameter_count,
                                    .columns = statement->kind == KIND_EXEC ? NULL : statement->columns,
                                    .column_count = statement->column_count,
                                    .may_scan = statement->scan != NULL });
}

/* What is spelled from a descriptor is judged for any number of rows, for one and for several. */
#define SHAPES 3 /* rows: 0, 1, 2 */

/* Parameters of a statement over `count` columns in this shape; returns how many. */
static size_t types_of(const struct db_table *table, const uint8_t *columns, size_t count, size_t rows, Oid types[])
{
    for (size_t i = 0; i < count * (rows > 0 ? rows : 1); i++) {
        enum db_type type = table->columns[columns != NULL ? columns[i % count] : i % count].type;
        types[i] = rows > 0 ? oid_of(type) : array_oid_of(type);
    }
    return count * (rows > 0 ? rows : 1);
}

static void judge_path(struct check *check, const struct path *path, size_t rows)
{
    const struct db_path *db = &path->db;
    Oid types[64 * SHAPES];
    size_t count = types_of(db->table, db->columns, db->prefix_count, rows, types);
    types[count] = oid_of(DB_INT);
    judge(check, &(struct subject){ .file = path->file,
                                    .name = db->name,
                                    .sql = spell_postgres_path(check->model->arena, db, rows),
                                    .line = path->line,
                                    .types = types,
                                    .type_count = count + 1,
                                    .columns = db->table->columns,
                                    .column_count = db->table->column_count,
                                    .path = db });
}

static void judge_table(struct check *check, const struct db_table *table, size_t rows)
{
    struct arena *arena = check->model->arena;
    Oid types[64 * SHAPES];
    struct subject subject = { .file = "schema.h", .line = 1, .name = table->name, .types = types };
    subject.type_count = types_of(table, NULL, table->column_count, rows, types);
    subject.sql = spell_postgres_insert(arena, table, rows);
    judge(check, &subject);
    if (table->key_count == 0)
        return;
    subject.keyed = table;
    subject.sql = spell_postgres_update(arena, table, rows);
    judge(check, &subject);
    subject.type_count = types_of(table, NULL, table->key_count, rows, types);
    subject.sql = spell_postgres_delete(arena, table, rows);
    judge(check, &subject);
    subject.columns = table->columns;
    subject.column_count = table->column_count;
    subject.sql = spell_postgres_load(arena, table, rows);
    judge(check, &subject);
    subject.sql = spell_postgres_lock(arena, table, rows);
    judge(check, &subject);
}

static void enter_store(struct check *check, size_t place)
{
    static const char *const schemas[] = { "millrace_check", "millrace_check_read" };
    const char *sql =
        arena_printf(check->model->arena, "CREATE SCHEMA IF NOT EXISTS %s; SET LOCAL search_path TO %s", schemas[place], schemas[place]);
    must(check, "sqlgen", sql);
}

static void judge_store(struct check *check, size_t place, const char *const *files, size_t count)
{
    struct model *model = check->model;
    enter_store(check, place);
    for (size_t i = 0; i < model->stores[place].migration_count; i++) {
        const struct migration *migration = &model->stores[place].migrations[i];
        if (migration->postgres.at != NULL)
            must(check, migration->file, migration->postgres.at);
    }
    must(check, "sqlgen", postgres_keys_last);
    for (size_t rows = 0; rows < SHAPES; rows++) {
        for (size_t i = 0; i < model->table_count; i++)
            if (model->tables[i].place == place)
                judge_table(check, &model->tables[i].db, rows);
        for (size_t i = 0; i < model->path_count; i++)
            if (model_table(model, model->paths[i].table)->place == place)
                judge_path(check, &model->paths[i], rows);
    }
    for (size_t i = 0; i < count; i++) {
        struct statements statements = statements_of(model, files[i]);
        for (size_t k = 0; k < statements.count; k++)
            if (statements.items[k].place == place)
                judge_statement(check, &statements.items[k]);
    }
}

int check_postgres(struct model *model, const char *url, const char *const *files, size_t count)
{
    struct check check = { .model = model, .connection = PQconnectdb(url) };
    if (PQstatus(check.connection) != CONNECTION_OK)
        refuse("sqlgen", 0, "%s", PQerrorMessage(check.connection));
    must(&check, "sqlgen", "BEGIN");
    must(&check, "sqlgen",
         "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off;"
         "SET LOCAL enable_mergejoin = off; SET LOCAL enable_bitmapscan = off");
    for (size_t place = 0; place < COUNT(model->stores); place++)
        judge_store(&check, place, files, count);
    must(&check, "sqlgen", "ROLLBACK");
    PQfinish(check.connection);
    printf("PostgreSQL: %d statements judged, %d faults\n", check.done, check.faults);
    return check.faults > 0 ? 1 : 0;
}
