/* tools/sqlgen/model.c: what the migrations amount to.
 * They are carried out in an SQLite in memory and the schema is read back from its catalogue, so that a later ALTER or
 * DROP needs no second understanding here. Paths are then resolved against it and their statements planned. */
#include "sqlgen.h"

#include "db/spell.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PATHS_MAX 1024
#define TABLES_MAX 512
#define MIGRATIONS_MAX 1024

/* ---- migrations ---- */

static int64_t number_of(const char *file)
{
    const char *name = strrchr(file, '/') != NULL ? strrchr(file, '/') + 1 : file;
    char *end;
    long number = strtol(name, &end, 10);
    if (end != name + 4 || *end != '_' || number <= 0)
        refuse(file, 1, "a migration's file is named NNNN_what.sql");
    return number;
}

static void declare_path(struct model *model, const char *file, const struct token *comment)
{
    if (model->paths == NULL)
        model->paths = ARENA_ARRAY(model->arena, struct path, PATHS_MAX);
    if (model->path_count == PATHS_MAX)
        refuse(file, comment->line, "more than %d paths: raise PATHS_MAX in model.c", PATHS_MAX);
    model->paths[model->path_count++] = (struct path){ .file = file, .line = comment->line, .declared = comment->text };
}

/* FNV-1a over the tokens, so that comments, paths and layout may change. */
static uint64_t add_checksum(uint64_t sum, const char *text)
{
    for (; *text != '\0'; text++)
        sum = (sum ^ (uint8_t)*text) * 0x100000001b3u;
    return (sum ^ ' ') * 0x100000001b3u;
}

static void carry_out(struct model *model, size_t place, struct migration *migration, const struct token *tokens, size_t count, bool rowid)
{
    struct spelling spelling = spell_migration(model->arena, migration->file, tokens, count, rowid);
    sqlite3 *handle = model->stores[place].handle;
    if (sqlite3_exec(handle, spelling.sqlite, NULL, NULL, NULL) != SQLITE_OK)
        refuse(migration->file, tokens[0].line, "SQLite refuses it: %s\n    %s", sqlite3_errmsg(handle), spelling.sqlite);
    buffer_printf(&migration->sqlite, "%s;\n", spelling.sqlite);
    buffer_printf(&migration->postgres, "%s;\n", spelling.postgres);
}

static struct migration *next_migration(struct model *model, size_t place, const char *file)
{
    struct store *store = &model->stores[place];
    if (store->migrations == NULL)
        store->migrations = ARENA_ARRAY(model->arena, struct migration, MIGRATIONS_MAX);
    struct migration *migration = &store->migrations[store->migration_count++];
    *migration = (struct migration){ .number = number_of(file), .file = file, .sqlite.arena = model->arena, .postgres.arena = model->arena };
    const char *name = strrchr(file, '/') != NULL ? strrchr(file, '/') + 1 : file;
    migration->name = arena_text_n(model->arena, name, strlen(name) - strlen(".sql"));
    if (store->migration_count > 1 && migration[-1].number >= migration->number)
        refuse(file, 1, "its number is not above that of %s: give the next free one", migration[-1].name);
    return migration;
}

void model_add_migration(struct model *model, size_t place, const char *file)
{
    struct migration *migration = next_migration(model, place, file);
    struct tokens tokens = lex(model->arena, file, file_text(model->arena, file));
    struct token *statement = ARENA_ARRAY(model->arena, struct token, tokens.count + 1);
    size_t count = 0;
    bool rowid = false;
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < tokens.count; i++) {
        const struct token *token = &tokens.items[i];
        if (token->kind == TOKEN_COMMENT) {
            if (strncmp(token->text, "path ", 5) == 0)
                declare_path(model, file, token);
            rowid |= strcmp(token->text, "rowid") == 0;
            continue;
        }
        sum = add_checksum(sum, token->text);
        if (!token_is(token, ";")) {
            statement[count++] = *token;
            continue;
        }
        carry_out(model, place, migration, statement, count, rowid);
        count = 0;
        rowid = false;
    }
    if (count > 0)
        refuse(file, statement[0].line, "the statement does not end: close it with a semicolon");
    memcpy(&migration->checksum, &sum, sizeof(sum));
}

/* ---- tables ---- */

static sqlite3_stmt *ask(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) != SQLITE_OK)
        refuse("sqlgen", 0, "%s: %s", sql, sqlite3_errmsg(handle));
    return statement;
}

static const char *text_at(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

static size_t column_named(const struct db_table *table, const char *name)
{
    size_t i = 0;
    while (i < table->column_count && strcmp(table->columns[i].name, name) != 0)
        i++;
    return i;
}

static void read_columns(struct model *model, struct table *table, sqlite3 *handle)
{
    sqlite3_stmt *info = ask(handle, arena_printf(model->arena, "PRAGMA table_info(%s)", table->db.name));
    struct db_column *columns = ARENA_ARRAY(model->arena, struct db_column, 64);
    size_t count = 0, keys = 0, key_columns = 0;
    bool numbers = true;
    while (sqlite3_step(info) == SQLITE_ROW) {
        if (count == 64)
            refuse(table->db.name, 0, "more than 64 columns: move some into a table of their own");
        const char *type = text_at(info, 2);
        struct db_column *column = &columns[count];
        column->name = arena_text(model->arena, text_at(info, 1));
        column->type = strcmp(type, "TEXT") == 0 ? DB_TEXT : strcmp(type, "BLOB") == 0 ? DB_BLOB : DB_INT;
        column->nullable = sqlite3_column_int(info, 3) == 0;
        int key = sqlite3_column_int(info, 5);
        key_columns += key > 0;
        if (key > 0 && (size_t)key == count + 1)
            keys++;
        numbers &= key == 0 || column->type == DB_INT;
        count++;
    }
    sqlite3_finalize(info);
    if (key_columns == 0)
        refuse(table->db.name, 0, "the table has no PRIMARY KEY: give it one");
    if (keys != key_columns)
        refuse(table->db.name, 0, "the columns of the PRIMARY KEY must be the table's first, in its order");
    table->db.columns = columns;
    table->db.column_count = count;
    table->db.key_count = numbers ? keys : 0;
}

/* Marks the columns that an index names, in its list or in its condition. */
static void read_indexes(struct model *model, struct table *table, sqlite3 *handle)
{
    sqlite3_stmt *list = ask(handle, "SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1 AND sql IS NOT NULL");
    sqlite3_bind_text(list, 1, table->db.name, -1, SQLITE_STATIC);
    while (sqlite3_step(list) == SQLITE_ROW) {
        struct tokens tokens = lex(model->arena, table->db.name, text_at(list, 0));
        for (size_t i = 0; i < tokens.count; i++) {
            size_t column = column_named(&table->db, tokens.items[i].text);
            if (tokens.items[i].kind == TOKEN_WORD && column < table->db.column_count && column >= table->db.key_count)
                table->db.indexed |= UINT64_C(1) << column;
        }
    }
    sqlite3_finalize(list);
}

static void read_tables(struct model *model, size_t place)
{
    sqlite3 *handle = model->stores[place].handle;
    sqlite3_stmt *list = ask(handle, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid");
    while (sqlite3_step(list) == SQLITE_ROW) {
        const char *name = arena_text(model->arena, text_at(list, 0));
        if (model_table(model, name) != NULL)
            refuse(name, 0, "the table stands in both stores: name one of them otherwise");
        if (model->table_count == TABLES_MAX)
            refuse(name, 0, "more than %d tables: raise TABLES_MAX in model.c", TABLES_MAX);
        struct table *table = &model->tables[model->table_count];
        *table = (struct table){ .db.name = name, .db.number = model->table_count, .place = place };
        table->paths = ARENA_ARRAY(model->arena, struct path *, PATHS_MAX);
        model->table_count++;
        read_columns(model, table, handle);
        read_indexes(model, table, handle);
    }
    sqlite3_finalize(list);
}

struct table *model_table(struct model *model, const char *name)
{
    for (size_t i = 0; i < model->table_count; i++)
        if (strcmp(model->tables[i].db.name, name) == 0)
            return &model->tables[i];
    return NULL;
}

/* ---- paths ---- */

const char *plan_fault(struct arena *arena, sqlite3 *handle, const char *sql, bool sort_is_fault)
{
    sqlite3_stmt *plan = ask(handle, arena_printf(arena, "EXPLAIN QUERY PLAN %s", sql));
    const char *fault = NULL;
    while (fault == NULL && sqlite3_step(plan) == SQLITE_ROW) {
        const char *step = text_at(plan, 3);
        bool scan = strncmp(step, "SCAN ", 5) == 0 && strstr(step, "CONSTANT ROW") == NULL && strncmp(step, "SCAN (", 6) != 0;
        bool sort = sort_is_fault && strstr(step, "TEMP B-TREE") != NULL;
        if (scan || sort || strstr(step, "AUTOMATIC") != NULL)
            fault = arena_text(arena, step);
    }
    sqlite3_finalize(plan);
    return fault;
}

/* How many columns the search of a plan of one step matches: "SEARCH t USING INDEX i (a=? AND b=?)". A search by fewer
 * than the path's prefix walks and drops rows. */
static size_t columns_matched(struct model *model, sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *plan = ask(handle, arena_printf(model->arena, "EXPLAIN QUERY PLAN %s", sql));
    size_t matched = 0;
    if (sqlite3_step(plan) == SQLITE_ROW)
        for (const char *at = text_at(plan, 3); (at = strstr(at, "=?")) != NULL; at++)
            matched++;
    sqlite3_finalize(plan);
    return matched;
}

/* "(a, b)": their columns go to `columns`; gives the token behind. */
static size_t path_columns(const struct path *path, const struct db_table *table, const struct tokens *tokens, size_t at, uint8_t *columns,
                           size_t *count)
{
    if (!token_is(&tokens->items[at], "("))
        refuse(path->file, path->line, "write -- path NAME ON TABLE (columns) [THEN (columns)] [DESC] [WHERE condition]");
    do {
        at++;
        size_t column = column_named(table, tokens->items[at].text);
        if (column == table->column_count)
            refuse(path->file, path->line, "table %s has no column \"%s\"", table->name, tokens->items[at].text);
        columns[(*count)++] = (uint8_t)column;
        at++;
    } while (token_is(&tokens->items[at], ","));
    if (!token_is(&tokens->items[at], ")"))
        refuse(path->file, path->line, "\"%s\" stands where ) or a comma is due", tokens->items[at].text);
    return at + 1;
}

static bool holds(const struct db_path *path, size_t column)
{
    for (size_t i = 0; i < path->column_count; i++)
        if (path->columns[i] == column)
            return true;
    return false;
}

/* True where the columns of some unique index are all among those of the path. */
static bool is_unique(struct model *model, const struct path *path, const struct table *table)
{
    sqlite3_stmt *list =
        ask(model->stores[table->place].handle,
            "SELECT l.name, l.partial, (SELECT group_concat(x.cid) FROM pragma_index_info(l.name) AS x) FROM pragma_index_list(?1) AS l "
            "WHERE l.\"unique\" = 1");
    sqlite3_bind_text(list, 1, table->db.name, -1, SQLITE_STATIC);
    bool found = false;
    while (!found && sqlite3_step(list) == SQLITE_ROW) {
        found = sqlite3_column_int(list, 1) == 0 || path->db.where != NULL; /* a condition that is not the index's makes a scan, refused below */
        for (const char *at = text_at(list, 2); found && at != NULL; at = strchr(at, ',') != NULL ? strchr(at, ',') + 1 : NULL)
            found = holds(&path->db, strtoul(at, NULL, 10));
    }
    sqlite3_finalize(list);
    return found;
}

/* An order in which rows could change places is none: what of the primary key is not there yet is put behind. */
static void make_total(struct model *model, struct path *path, const struct table *table, uint8_t *columns)
{
    if (is_unique(model, path, table))
        return;
    for (size_t i = 0; i < table->db.key_count; i++)
        if (!holds(&path->db, i))
            columns[path->db.column_count++] = (uint8_t)i;
}

/* "a > 0 AND b = 1" with each term in likelihood(): see db.h. */
static const char *likely_terms(struct arena *arena, const struct token *tokens, size_t count)
{
    struct buffer out = { .arena = arena };
    int depth = 0;
    for (size_t i = 0, from = 0; i <= count; i++) {
        depth += i < count && token_is(&tokens[i], "(");
        depth -= i < count && token_is(&tokens[i], ")");
        if (i < count && (depth > 0 || !token_is(&tokens[i], "AND")))
            continue;
        buffer_printf(&out, "%slikelihood(%s, 0.9999)", from > 0 ? " AND " : "", spell_statement(arena, tokens + from, i - from).sqlite);
        from = i + 1;
    }
    return out.at;
}

/* Which columns of the prefix the condition wants above 0. */
static uint32_t prefix_above_0(const struct db_path *path, const struct token *tokens, size_t count)
{
    uint32_t found = 0;
    for (size_t i = 0; i < path->prefix_count; i++)
        for (size_t at = 0; at + 2 < count; at++)
            if (token_is(&tokens[at], path->table->columns[path->columns[i]].name) && token_is(&tokens[at + 1], ">") &&
                token_is(&tokens[at + 2], "0"))
                found |= UINT32_C(1) << i;
    return found;
}

static void resolve_path(struct model *model, struct path *path, size_t number)
{
    struct tokens tokens = lex(model->arena, path->file, path->declared);
    if (tokens.count < 7 || !token_is(&tokens.items[2], "ON"))
        refuse(path->file, path->line, "write -- path NAME ON TABLE (columns) [THEN (columns)] [DESC] [WHERE condition]");
    struct table *table = model_table(model, tokens.items[3].text);
    if (table == NULL)
        refuse(path->file, path->line, "there is no table \"%s\"", tokens.items[3].text);
    if (!is_name(tokens.items[1].text))
        refuse(path->file, path->line, "\"%s\" is no name for a path", tokens.items[1].text);
    uint8_t *columns = ARENA_ARRAY(model->arena, uint8_t, 128);
    path->db = (struct db_path){ .name = tokens.items[1].text, .table = &table->db, .columns = columns, .number = number };
    path->table = table->db.name;
    size_t at = path_columns(path, &table->db, &tokens, 4, columns, &path->db.prefix_count);
    path->db.column_count = path->db.prefix_count;
    if (token_is(&tokens.items[at], "THEN"))
        at = path_columns(path, &table->db, &tokens, at + 1, columns, &path->db.column_count);
    path->db.descending = token_is(&tokens.items[at], "DESC");
    at += path->db.descending;
    if (token_is(&tokens.items[at], "WHERE")) {
        path->db.where = spell_statement(model->arena, &tokens.items[at + 1], tokens.count - at - 1).postgres;
        path->db.likely = likely_terms(model->arena, &tokens.items[at + 1], tokens.count - at - 1);
        path->db.prefix_above_0 = prefix_above_0(&path->db, &tokens.items[at + 1], tokens.count - at - 1);
    } else if (tokens.items[at].kind != TOKEN_END)
        refuse(path->file, path->line, "\"%s\" stands behind the path's columns; write DESC or WHERE", tokens.items[at].text);
    make_total(model, path, table, columns);
    table->paths[table->path_count++] = path;
}

/* What is wrong with the plan of a path by one index, NULL for nothing. */
static const char *path_fault(struct model *model, sqlite3 *handle, const struct db_path *path)
{
    const char *sql = spell_sqlite_path(model->arena, path);
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) != SQLITE_OK)
        return arena_text(model->arena, sqlite3_errmsg(handle));
    sqlite3_finalize(statement);
    const char *fault = plan_fault(model->arena, handle, sql, true);
    if (fault == NULL && columns_matched(model, handle, sql) != path->prefix_count)
        fault = "a search by less than the prefix";
    return fault;
}

/* Tries the primary key, then each index by its name, and keeps the first that serves. */
static const char *choose_index(struct model *model, sqlite3 *handle, struct db_path *path)
{
    const char *fault = path_fault(model, handle, path);
    if (fault == NULL)
        return NULL;
    sqlite3_stmt *list = ask(handle, "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1 AND sql IS NOT NULL ORDER BY rowid");
    sqlite3_bind_text(list, 1, path->table->name, -1, SQLITE_STATIC);
    bool found = false;
    while (!found && sqlite3_step(list) == SQLITE_ROW) {
        path->index = arena_text(model->arena, text_at(list, 0));
        found = path_fault(model, handle, path) == NULL;
    }
    sqlite3_finalize(list);
    return found ? NULL : fault;
}

static void check_path(struct model *model, struct path *path)
{
    const struct table *table = model_table(model, path->table);
    for (size_t i = path->db.prefix_count; i < path->db.column_count; i++)
        if (table->db.columns[path->db.columns[i]].nullable)
            refuse(path->file, path->line, "path %s: %s may be NULL, and the stores sort NULL to different ends; order by a column that is not",
                   path->db.name, table->db.columns[path->db.columns[i]].name);
    const char *fault = choose_index(model, model->stores[table->place].handle, &path->db);
    if (fault != NULL)
        refuse(path->file, path->line, "path %s is served by no index (the plan has %s): add one with its columns in their order, and its condition",
               path->db.name, fault);
}

void model_finish(struct model *model)
{
    model->tables = ARENA_ARRAY(model->arena, struct table, TABLES_MAX);
    read_tables(model, 0);
    read_tables(model, 1);
    for (size_t i = 0; i < model->path_count; i++) {
        resolve_path(model, &model->paths[i], i);
        for (size_t k = 0; k < i; k++)
            if (strcmp(model->paths[k].db.name, model->paths[i].db.name) == 0)
                refuse(model->paths[i].file, model->paths[i].line, "there is a path %s already", model->paths[i].db.name);
        check_path(model, &model->paths[i]);
    }
}
