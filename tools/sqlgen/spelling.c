/* tools/sqlgen/spelling.c: one text, two spellings.
 * DDL: a column is NOT NULL unless it says NULL; tables are STRICT and WITHOUT ROWID in SQLite unless tagged `-- rowid`;
 * text sorts by its bytes in both. All else goes through as it stands. */
#include "sqlgen.h"

#include <string.h>

static const struct spelling types[] = {
    { "ID", "INTEGER", "bigint" }, { "INT", "INTEGER", "bigint" }, { "BOOL", "INTEGER", "bigint" },
    { "TEXT", "TEXT", "text" },    { "BLOB", "BLOB", "bytea" },
};

const struct spelling *type_spelling(const char *word)
{
    for (size_t i = 0; i < COUNT(types); i++)
        if (strcmp(word, types[i].neutral) == 0)
            return &types[i];
    return NULL;
}

enum db_type type_of(const struct spelling *spelling)
{
    if (strcmp(spelling->neutral, "TEXT") == 0)
        return DB_TEXT;
    return strcmp(spelling->neutral, "BLOB") == 0 ? DB_BLOB : DB_INT;
}

struct speller {
    const char *file;
    struct buffer sqlite, postgres;
    const struct token *tokens;
    size_t at, count;
};

static void put(struct speller *speller, const char *sqlite, const char *postgres, bool space)
{
    bool first = speller->sqlite.size == 0;
    buffer_printf(&speller->sqlite, "%s%s", space && !first ? " " : "", sqlite);
    buffer_printf(&speller->postgres, "%s%s", space && !first ? " " : "", postgres);
}

static const struct token *token_at(const struct speller *speller, size_t at)
{
    static const struct token end = { .kind = TOKEN_END, .text = "" };
    return at < speller->count ? &speller->tokens[at] : &end;
}

/* One token as it stands, but for parameters and the type of a CAST. */
static void copy(struct speller *speller)
{
    const struct token *token = token_at(speller, speller->at);
    bool casts = speller->at > 0 && token_is(token_at(speller, speller->at - 1), "AS") && token_is(token_at(speller, speller->at + 1), ")");
    const struct spelling *type = casts ? type_spelling(token->text) : NULL;
    speller->at++;
    if (type != NULL) {
        put(speller, type->sqlite, type->postgres, true);
    } else if (token->kind == TOKEN_PARAMETER) {
        char *numbered = arena_text(speller->sqlite.arena, token->text);
        numbered[0] = '?'; /* SQLite numbers $2 by its place in the text: $2, $1 would be bound the wrong way round */
        put(speller, numbered, token->text, token->space);
    } else {
        put(speller, token->text, token->text, token->space);
    }
}

/* Hints that only SQLite has: INDEXED BY name, unlikely(x), likely(x), likelihood(x, 0.9). True when one was taken. */
static bool copy_hint(struct speller *speller)
{
    const struct token *token = token_at(speller, speller->at);
    bool called = token_is(token_at(speller, speller->at + 1), "(");
    if (token_is(token, "INDEXED") && token_is(token_at(speller, speller->at + 1), "BY")) {
        buffer_printf(&speller->sqlite, " INDEXED BY %s", token_at(speller, speller->at + 2)->text);
        speller->at += 3;
        return true;
    }
    if (called && (token_is(token, "unlikely") || token_is(token, "likely"))) {
        put(speller, token->text, "", true);
        speller->at++;
        return true;
    }
    if (!called || !token_is(token, "likelihood"))
        return false;
    put(speller, "likelihood", "", true);
    speller->at++;
    int depth = 0;
    do {
        token = token_at(speller, speller->at);
        if (depth == 1 && token_is(token, ",")) {
            buffer_printf(&speller->sqlite, ", %s", token_at(speller, speller->at + 1)->text);
            speller->at += 2;
            continue;
        }
        depth += token_is(token, "(");
        depth -= token_is(token, ")");
        copy(speller);
    } while (depth > 0 && speller->at < speller->count);
    return true;
}

static void copy_rest(struct speller *speller)
{
    while (speller->at < speller->count)
        if (!copy_hint(speller))
            copy(speller);
}

/* name TYPE [NULL] ... up to the comma or the closing parenthesis of the table. */
static void column(struct speller *speller)
{
    const struct token *name = token_at(speller, speller->at), *word = token_at(speller, speller->at + 1);
    if (name->kind != TOKEN_WORD || !is_name(name->text))
        refuse(speller->file, name->line, "\"%s\" is no name for a column: lower case, and no reserved word of C, SQLite or PostgreSQL", name->text);
    const struct spelling *type = type_spelling(word->text);
    if (type == NULL)
        refuse(speller->file, word->line, "column %s: unknown type \"%s\"; write ID, INT, TEXT, BLOB or BOOL", name->text, word->text);
    copy(speller);
    speller->at++;
    put(speller, type->sqlite, type_of(type) == DB_TEXT ? "text COLLATE \"C\"" : type->postgres, true);
    if (token_is(token_at(speller, speller->at), "NULL"))
        speller->at++;
    else
        put(speller, "NOT NULL", "NOT NULL", true);
}

static bool is_constraint(const struct token *token)
{
    return token_is(token, "PRIMARY") || token_is(token, "CHECK") || token_is(token, "UNIQUE") || token_is(token, "FOREIGN") ||
           token_is(token, "CONSTRAINT");
}

static void create_table(struct speller *speller, bool rowid)
{
    const struct token *name = token_at(speller, 2);
    if (name->kind != TOKEN_WORD || !is_name(name->text))
        refuse(speller->file, name->line, "\"%s\" is no name for a table: lower case, and no reserved word of C, SQLite or PostgreSQL", name->text);
    if (!token_is(token_at(speller, 3), "("))
        refuse(speller->file, name->line, "CREATE TABLE %s: write its columns in parentheses", name->text);
    while (speller->at < 4)
        copy(speller);
    int depth = 1;
    bool item = true;
    while (speller->at < speller->count) {
        const struct token *token = token_at(speller, speller->at);
        if (item && !is_constraint(token))
            column(speller);
        token = token_at(speller, speller->at);
        if (token->kind == TOKEN_END)
            break;
        depth += token_is(token, "(");
        depth -= token_is(token, ")");
        item = depth == 1 && token_is(token, ",");
        copy(speller);
    }
    buffer_text(&speller->sqlite, rowid ? " STRICT" : " STRICT, WITHOUT ROWID");
}

static void alter_table(struct speller *speller)
{
    const struct token *first = token_at(speller, 0);
    if (!token_is(token_at(speller, 3), "ADD") || !token_is(token_at(speller, 4), "COLUMN"))
        refuse(speller->file, first->line, "ALTER TABLE %s: only ADD COLUMN expands a schema at once; else write a new table and a job that fills it",
               token_at(speller, 2)->text);
    while (speller->at < 5)
        copy(speller);
    column(speller);
    copy_rest(speller);
}

struct spelling spell_migration(struct arena *arena, const char *file, const struct token *tokens, size_t count, bool rowid)
{
    struct speller speller = { .file = file, .sqlite.arena = arena, .postgres.arena = arena, .tokens = tokens, .count = count };
    const struct token *first = token_at(&speller, 0), *second = token_at(&speller, 1);
    bool create = token_is(first, "CREATE"), drop = token_is(first, "DROP");
    if (create && token_is(second, "TABLE"))
        create_table(&speller, rowid);
    else if (token_is(first, "ALTER"))
        alter_table(&speller);
    else if ((create && (token_is(second, "INDEX") || token_is(second, "UNIQUE"))) ||
             (drop && (token_is(second, "INDEX") || token_is(second, "TABLE"))) || token_is(first, "INSERT") || token_is(first, "UPDATE") ||
             token_is(first, "DELETE"))
        copy_rest(&speller);
    else
        refuse(file, first->line, "%s %s: a migration holds CREATE TABLE, CREATE INDEX, ALTER TABLE, DROP, INSERT, UPDATE and DELETE", first->text,
               second->text);
    return (struct spelling){ .sqlite = speller.sqlite.at, .postgres = speller.postgres.at };
}

struct spelling spell_statement(struct arena *arena, const struct token *tokens, size_t count)
{
    struct speller speller = { .sqlite.arena = arena, .postgres.arena = arena, .tokens = tokens, .count = count };
    copy_rest(&speller);
    return (struct spelling){ .sqlite = speller.sqlite.at, .postgres = speller.postgres.at };
}
