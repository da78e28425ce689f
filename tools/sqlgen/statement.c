/* tools/sqlgen/statement.c: reads the statements of a .sql file, has SQLite prepare and plan each, and refuses what
 * would come with the millionth order: full scans, reads without an order, joins that leave the unit out. */
#include "sqlgen.h"

#include <stdlib.h>
#include <string.h>

/* ---- the header: `--` lines in front of the SQL ---- */

static struct statement *add_statement(struct model *model, struct statements *statements)
{
    if (statements->count == statements->room) {
        size_t room = statements->room == 0 ? 64 : statements->room * 2;
        struct statement *items = ARENA_ARRAY(model->arena, struct statement, room);
        if (statements->count > 0)
            memcpy(items, statements->items, statements->count * sizeof(*items));
        statements->items = items;
        statements->room = room;
    }
    return &statements->items[statements->count++];
}

/* "position_load :many" */
static void read_name(struct model *model, struct statement *statement, const char *text)
{
    size_t bytes = strcspn(text, " :");
    statement->name = arena_text_n(model->arena, text, bytes);
    text += bytes;
    text += strspn(text, " ");
    if (!is_name(statement->name))
        refuse(statement->file, statement->line, "\"%s\" is no name for a function", statement->name);
    if (strcmp(text, ":one") == 0)
        statement->kind = KIND_ONE;
    else if (strcmp(text, ":many") == 0)
        statement->kind = KIND_MANY;
    else if (strcmp(text, ":exec") == 0)
        statement->kind = KIND_EXEC;
    else
        refuse(statement->file, statement->line, "%s: \"%s\" is no cardinality; write :one, :many or :exec", statement->name, text);
}

/* "$1 unit ID; $2 after ID" */
static void read_parameters(struct model *model, struct statement *statement, const struct token *comment)
{
    static const char *const ours[] = { "db", "arena", "out", "rows", "count", "found", "changed", "values", "result" };
    struct tokens tokens = lex(model->arena, statement->file, comment->text);
    for (size_t at = 0; tokens.items[at].kind != TOKEN_END;) {
        const struct token *token = &tokens.items[at];
        size_t number = statement->parameter_count + 1;
        if (token->kind != TOKEN_PARAMETER || strtoul(token->text + 1, NULL, 10) != number || tokens.count < at + 3 ||
            number > COUNT(statement->parameters))
            refuse(statement->file, comment->line, "%s: write the parameters as -- $1 name TYPE; $2 name TYPE, from 1, at most %zu", statement->name,
                   COUNT(statement->parameters));
        struct parameter *parameter = &statement->parameters[statement->parameter_count++];
        *parameter = (struct parameter){ .name = token[1].text, .type = type_spelling(token[2].text) };
        if (parameter->type == NULL)
            refuse(statement->file, comment->line, "%s: parameter %s: unknown type \"%s\"; write ID, INT, TEXT, BLOB or BOOL", statement->name,
                   token[1].text, token[2].text);
        bool taken = !is_name(parameter->name);
        for (size_t i = 0; i < COUNT(ours); i++)
            taken |= strcmp(ours[i], parameter->name) == 0;
        if (taken)
            refuse(statement->file, comment->line, "%s: a parameter cannot be named %s", statement->name, parameter->name);
        at += 3;
        at += token_is(&tokens.items[at], ";");
    }
}

static bool tagged(const struct token *comment, const char *tag, const char **reason)
{
    if (strncmp(comment->text, tag, strlen(tag)) != 0)
        return false;
    *reason = comment->text + strlen(tag);
    return true;
}

static void read_header_line(struct model *model, struct statement *statement, const struct token *comment)
{
    if (comment->text[0] == '$')
        read_parameters(model, statement, comment);
    else if (!tagged(comment, "scan: ", &statement->scan) && !tagged(comment, "all units: ", &statement->all_units) &&
             !tagged(comment, "returns ", &statement->returns))
        statement->doc = statement->doc == NULL ? comment->text : arena_printf(model->arena, "%s\n%s", statement->doc, comment->text);
}

/* ---- what SQLite says of it ---- */

/* The type of a column that is an expression: from "-- returns name TYPE, name TYPE NULL". */
static const struct spelling *declared_type(struct model *model, const struct statement *statement, const char *name)
{
    if (statement->returns == NULL)
        return NULL;
    struct tokens tokens = lex(model->arena, statement->file, statement->returns);
    for (size_t i = 0; i + 1 < tokens.count; i++) {
        if (!token_is(&tokens.items[i], name) || (i > 0 && !token_is(&tokens.items[i - 1], ",")))
            continue;
        const struct spelling *type = type_spelling(tokens.items[i + 1].text);
        if (type == NULL)
            refuse(statement->file, statement->line, "%s: returns %s: unknown type \"%s\"; write ID, INT, TEXT, BLOB or BOOL", statement->name, name,
                   tokens.items[i + 1].text);
        return type;
    }
    return NULL;
}

static const struct spelling *column_type(struct model *model, const struct statement *statement, sqlite3_stmt *prepared, int at)
{
    const char *name = sqlite3_column_name(prepared, at), *type = sqlite3_column_decltype(prepared, at);
    const struct spelling *declared = declared_type(model, statement, name);
    if (declared != NULL)
        return declared;
    if (type == NULL)
        refuse(statement->file, statement->line, "%s: column %d (%s) is an expression: name it with AS and add -- returns NAME TYPE", statement->name,
               at + 1, name);
    return type_spelling(strcmp(type, "INTEGER") == 0 ? "INT" : type);
}

static void read_columns(struct model *model, struct statement *statement, sqlite3_stmt *prepared)
{
    int count = sqlite3_column_count(prepared);
    if ((count == 0) != (statement->kind == KIND_EXEC))
        refuse(statement->file, statement->line, "%s: %s", statement->name,
               count == 0 ? "gives no rows: it is :exec" : "gives rows: it is :one or :many");
    statement->columns = ARENA_ARRAY(model->arena, struct db_column, (size_t)count + 1);
    for (int i = 0; i < count; i++) {
        const char *name = arena_text(model->arena, sqlite3_column_name(prepared, i));
        const struct spelling *type = column_type(model, statement, prepared, i);
        if (!is_name(name))
            refuse(statement->file, statement->line, "%s: column %d is called \"%s\": name it with AS", statement->name, i + 1, name);
        for (int k = 0; k < i; k++)
            if (strcmp(statement->columns[k].name, name) == 0)
                refuse(statement->file, statement->line, "%s: two columns are called %s: name one with AS", statement->name, name);
        statement->columns[i] = (struct db_column){ .name = name, .type = type_of(type), .nullable = true };
    }
    statement->column_count = (size_t)count;
}

/* Prepared against the main store, or else against the projections': a statement reads one of them. */
static void prepare(struct model *model, struct statement *statement)
{
    sqlite3_stmt *prepared;
    const char *error = NULL;
    for (statement->place = 0; statement->place < COUNT(model->stores); statement->place++) {
        sqlite3 *handle = model->stores[statement->place].handle;
        if (sqlite3_prepare_v2(handle, statement->text.sqlite, -1, &prepared, NULL) == SQLITE_OK)
            break;
        bool elsewhere = strncmp(sqlite3_errmsg(handle), "no such table", 13) == 0;
        if (error == NULL || !elsewhere)
            error = arena_text(model->arena, sqlite3_errmsg(handle));
    }
    if (statement->place == COUNT(model->stores))
        refuse(statement->file, statement->line, "%s: %s", statement->name, error);
    read_columns(model, statement, prepared);
    sqlite3_finalize(prepared);
}

/* ---- our own rules ---- */

static void check_parameters(const struct statement *statement, const struct token *tokens, size_t count)
{
    bool used[COUNT(statement->parameters)] = { false };
    for (size_t i = 0; i < count; i++) {
        if (tokens[i].kind != TOKEN_PARAMETER)
            continue;
        size_t number = strtoul(tokens[i].text + 1, NULL, 10);
        if (number < 1 || number > statement->parameter_count)
            refuse(statement->file, tokens[i].line, "%s: %s is not declared: add it to the -- $1 name TYPE line", statement->name, tokens[i].text);
        used[number - 1] = true;
    }
    for (size_t i = 0; i < statement->parameter_count; i++)
        if (!used[i])
            refuse(statement->file, statement->line, "%s: $%zu (%s) is declared and not used", statement->name, i + 1, statement->parameters[i].name);
}

static void check_order(const struct statement *statement, const struct token *tokens, size_t count)
{
    if (statement->kind != KIND_MANY || !(token_is(&tokens[0], "SELECT") || token_is(&tokens[0], "WITH")))
        return;
    int depth = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        depth += token_is(&tokens[i], "(");
        depth -= token_is(&tokens[i], ")");
        if (depth == 0 && token_is(&tokens[i], "ORDER") && token_is(&tokens[i + 1], "BY"))
            return;
    }
    refuse(statement->file, statement->line, "%s: a read of many rows needs an ORDER BY that leaves no two rows equal", statement->name);
}

static void check_plan(struct model *model, const struct statement *statement)
{
    if (statement->scan != NULL)
        return;
    const char *fault = plan_fault(model->arena, model->stores[statement->place].handle, statement->text.sqlite, false);
    if (fault != NULL)
        refuse(statement->file, statement->line,
               "%s: the plan has \"%s\": add an index, repeat its condition, or hold the order of a join with CROSS JOIN; "
               "a table that stays small may say -- scan: why",
               statement->name, fault);
}

/* ---- the tables of a statement, and what it says of their columns ---- */

struct mention {
    const struct table *table;
    const char *alias;
    int line;
};
struct mentions {
    struct mention items[16];
    size_t count;
};

static bool ends_alias(const struct token *token)
{
    static const char *const words[] = { "INDEXED", "WHERE", "ON",    "SET",    "CROSS",  "JOIN",  "LEFT",  "INNER",
                                         "ORDER",   "GROUP", "LIMIT", "VALUES", "SELECT", "UNION", "USING", "RETURNING" };
    for (size_t i = 0; i < COUNT(words); i++)
        if (token_is(token, words[i]))
            return true;
    return token->kind != TOKEN_WORD;
}

/* A comma parts tables only between FROM and what ends it; elsewhere it parts columns, which may be called like a table. */
static bool among_tables(const struct token *token, bool so_far)
{
    if (token_is(token, "FROM") || token_is(token, "JOIN"))
        return true;
    return so_far && !token_is(token, "(") &&
           (token->kind != TOKEN_WORD || !ends_alias(token) || token_is(token, "CROSS") || token_is(token, "INDEXED"));
}

static struct mentions mentions_of(struct model *model, const struct statement *statement, const struct token *tokens, size_t count)
{
    struct mentions mentions = { 0 };
    bool among = false;
    for (size_t i = 1; i < count; i++) {
        const struct token *before = &tokens[i - 1];
        among = among_tables(before, among);
        bool names = token_is(before, "FROM") || token_is(before, "JOIN") || token_is(before, "UPDATE") || (among && token_is(before, ","));
        const struct table *table = names ? model_table(model, tokens[i].text) : NULL;
        if (table == NULL)
            continue;
        if (mentions.count == COUNT(mentions.items))
            refuse(statement->file, tokens[i].line, "%s: more than %zu tables", statement->name, COUNT(mentions.items));
        size_t at = i + 1 < count && token_is(&tokens[i + 1], "AS") ? i + 2 : i + 1;
        const char *alias = at < count && !ends_alias(&tokens[at]) ? tokens[at].text : tokens[i].text;
        mentions.items[mentions.count++] = (struct mention){ table, alias, tokens[i].line };
    }
    return mentions;
}

/* True where a mention before `own` is called so: in a join in the order of the text its columns are known. */
static bool is_known(const struct mentions *mentions, size_t own, const struct token *side)
{
    for (size_t i = 0; i < own; i++)
        if (token_is(side, mentions->items[i].alias))
            return true;
    return side->kind == TOKEN_PARAMETER || side->kind == TOKEN_NUMBER || side->kind == TOKEN_STRING;
}

/* The columns of a mention that the text sets equal to something that is known: "alias.column = $1", or without the
 * alias in a statement of one table. */
static uint64_t equal_columns(const struct mentions *mentions, size_t own, const struct token *tokens, size_t count)
{
    static const struct token nothing = { .kind = TOKEN_END, .text = "" };
    const struct mention *mention = &mentions->items[own];
    uint64_t equal = 0;
    for (size_t i = 0; i < count; i++) {
        size_t column = 0;
        while (column < mention->table->db.column_count && !token_is(&tokens[i], mention->table->db.columns[column].name))
            column++;
        bool dotted = i >= 1 && token_is(&tokens[i - 1], ".");
        bool named = dotted && i >= 2 && token_is(&tokens[i - 2], mention->alias);
        if (column == mention->table->db.column_count || !(named || (!dotted && mentions->count == 1)))
            continue;
        size_t first = named ? i - 2 : i;
        const struct token *after = i + 2 < count && token_is(&tokens[i + 1], "=") ? &tokens[i + 2] : &nothing;
        const struct token *before = first >= 2 && token_is(&tokens[first - 1], "=") ? &tokens[first - 2] : &nothing;
        if (before->kind == TOKEN_WORD && first >= 4 && token_is(&tokens[first - 3], "."))
            before = &tokens[first - 4];
        if (is_known(mentions, own, after) || is_known(mentions, own, before))
            equal |= UINT64_C(1) << column;
    }
    return equal;
}

/* How many leading columns of an index are among `equal`. */
static size_t leading_columns(sqlite3 *handle, const char *index, uint64_t equal)
{
    sqlite3_stmt *info;
    size_t leading = 0;
    if (sqlite3_prepare_v2(handle, "SELECT cid FROM pragma_index_info(?1) ORDER BY seqno", -1, &info, NULL) != SQLITE_OK)
        return 0;
    sqlite3_bind_text(info, 1, index, -1, SQLITE_STATIC);
    while (sqlite3_step(info) == SQLITE_ROW && (equal >> sqlite3_column_int(info, 0) & 1) != 0)
        leading++;
    sqlite3_finalize(info);
    return leading;
}

/* The index that could match the most columns; those with a condition only where the statement repeats it. */
static const char *best_index(struct model *model, const struct statement *statement, const char *table, uint64_t equal, size_t *matches)
{
    sqlite3 *handle = model->stores[statement->place].handle;
    const char *best = NULL;
    sqlite3_stmt *list;
    *matches = 0;
    if (sqlite3_prepare_v2(handle, "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1", -1, &list, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_text(list, 1, table, -1, SQLITE_STATIC);
    while (sqlite3_step(list) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(list, 0), *sql = (const char *)sqlite3_column_text(list, 1);
        const char *where = sql != NULL ? strstr(sql, " WHERE ") : NULL;
        size_t leading = leading_columns(handle, name, equal);
        if (leading > *matches && (where == NULL || strstr(statement->text.sqlite, where + strlen(" WHERE ")) != NULL)) {
            *matches = leading;
            best = arena_text(model->arena, name);
        }
    }
    sqlite3_finalize(list);
    return best;
}

/* How many columns the plan matches for a mention; SIZE_MAX where the plan does not search it. */
static size_t planned_columns(struct model *model, const struct statement *statement, const char *alias)
{
    sqlite3_stmt *plan;
    size_t matched = SIZE_MAX, bytes = strlen(alias);
    const char *sql = arena_printf(model->arena, "EXPLAIN QUERY PLAN %s", statement->text.sqlite);
    if (sqlite3_prepare_v2(model->stores[statement->place].handle, sql, -1, &plan, NULL) != SQLITE_OK)
        return matched;
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(plan, 3);
        if (strncmp(step, "SEARCH ", 7) != 0 || strncmp(step + 7, alias, bytes) != 0 || step[7 + bytes] != ' ')
            continue;
        size_t here = 0;
        for (const char *at = step; (at = strstr(at, "=?")) != NULL; at++)
            here++;
        matched = here < matched ? here : matched;
    }
    sqlite3_finalize(plan);
    return matched;
}

/* Without statistics SQLite takes "unit = ?" for ten rows, and walks the unit rather than use an index that matches more. */
static void check_indexes(struct model *model, const struct statement *statement, const struct mentions *mentions, const struct token *tokens,
                          size_t count)
{
    for (size_t i = 0; i < mentions->count && statement->scan == NULL; i++) {
        const struct mention *mention = &mentions->items[i];
        size_t could, matched = planned_columns(model, statement, mention->alias);
        const char *index = best_index(model, statement, mention->table->db.name, equal_columns(mentions, i, tokens, count), &could);
        if (index != NULL && matched < could && strncmp(index, "sqlite_", 7) != 0)
            refuse(statement->file, mention->line,
                   "%s: the plan searches %s by %zu columns, the index %s matches %zu: write INDEXED BY %s behind %s, and put "
                   "the condition of a partial index into likelihood(.., 0.9999)",
                   statement->name, mention->alias, matched, index, could, index, mention->alias);
    }
}

/* True where "alias.unit =" or "= alias.unit" stands, or a bare "unit =" in a statement of one table. */
static bool has_unit(const struct token *tokens, size_t count, const char *alias, bool alone)
{
    for (size_t i = 0; i < count; i++) {
        if (!token_is(&tokens[i], "unit"))
            continue;
        bool named = i >= 2 && token_is(&tokens[i - 1], ".") && token_is(&tokens[i - 2], alias);
        bool bare = alone && (i == 0 || !token_is(&tokens[i - 1], "."));
        size_t before = named ? i - 3 : i - 1; /* wraps where nothing stands before: then not < count */
        bool compared = (i + 1 < count && token_is(&tokens[i + 1], "=")) || (before < count && token_is(&tokens[before], "="));
        if ((named || bare) && compared)
            return true;
    }
    return false;
}

/* Each table that has a unit is tied to one: a unit decides on its own rows only, and may live in a cluster of its own. */
static void check_units(const struct statement *statement, const struct mentions *mentions, const struct token *tokens, size_t count)
{
    for (size_t i = 0; i < mentions->count && statement->all_units == NULL; i++) {
        const struct mention *mention = &mentions->items[i];
        bool has = strcmp(mention->table->db.columns[0].name, "unit") == 0;
        if (has && !has_unit(tokens, count, mention->alias, mentions->count == 1))
            refuse(statement->file, mention->line, "%s: no condition on %s.unit: every join carries the unit first; or say -- all units: why",
                   statement->name, mention->alias);
    }
}

static void finish(struct model *model, struct statement *statement, const struct token *tokens, size_t count)
{
    if (count == 0)
        refuse(statement->file, statement->line, "%s: no SQL stands under the name", statement->name);
    statement->text = spell_statement(model->arena, tokens, count);
    check_parameters(statement, tokens, count);
    check_order(statement, tokens, count);
    prepare(model, statement);
    check_plan(model, statement);
    struct mentions mentions = mentions_of(model, statement, tokens, count);
    check_units(statement, &mentions, tokens, count);
    check_indexes(model, statement, &mentions, tokens, count);
}

struct statements statements_of(struct model *model, const char *file)
{
    struct statements statements = { 0 };
    struct statement *statement = NULL; /* the one that is being read */
    struct tokens tokens = lex(model->arena, file, file_text(model->arena, file));
    struct token *body = ARENA_ARRAY(model->arena, struct token, tokens.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < tokens.count; i++) {
        const struct token *token = &tokens.items[i];
        if (token->kind == TOKEN_COMMENT && strncmp(token->text, "name: ", 6) == 0) {
            if (statement != NULL)
                refuse(file, token->line, "%s does not end: close it with a semicolon", statement->name);
            statement = add_statement(model, &statements);
            *statement = (struct statement){ .file = file, .line = token->line };
            read_name(model, statement, token->text + 6);
            for (size_t k = 0; k + 1 < statements.count; k++)
                if (strcmp(statements.items[k].name, statement->name) == 0)
                    refuse(file, token->line, "there is a statement %s already", statement->name);
        } else if (token->kind == TOKEN_COMMENT) {
            if (statement != NULL && count == 0)
                read_header_line(model, statement, token);
        } else if (statement == NULL) {
            refuse(file, token->line, "a statement begins with -- name: NAME :one, :many or :exec");
        } else if (token_is(token, ";")) {
            finish(model, statement, body, count);
            statement = NULL;
            count = 0;
        } else {
            body[count++] = *token;
        }
    }
    if (statement != NULL)
        refuse(file, statement->line, "%s does not end: close it with a semicolon", statement->name);
    return statements;
}
