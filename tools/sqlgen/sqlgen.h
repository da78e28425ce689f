/* tools/sqlgen/sqlgen.h: what the parts of the build tool share. The tool reads migrations and statements, asks SQLite
 * what they mean, and writes C. It runs once and ends: memory is one arena, an error is a sentence and exit(1). */
#ifndef MILLRACE_SQLGEN_H
#define MILLRACE_SQLGEN_H

#include "db/db.h"

#include <sqlite3.h>

/* ---- words of SQL (lex.c) ---- */

enum token_kind { TOKEN_WORD, TOKEN_NUMBER, TOKEN_STRING, TOKEN_PARAMETER /* $1 */, TOKEN_SYMBOL, TOKEN_COMMENT, TOKEN_END };
struct token {
    enum token_kind kind;
    const char *text; /* as written; a comment without its dashes and outer spaces */
    bool space;       /* stands apart from the token before */
    int line;
};
struct tokens {
    struct token *items;
    size_t count;
};
/* All tokens of a file, the last is TOKEN_END. */
struct tokens lex(struct arena *arena, const char *file, const char *text);
bool token_is(const struct token *token, const char *word); /* words in either case */

/* ---- errors (main.c) ---- */

void refuse(const char *file, int line, const char *format, ...) __attribute__((noreturn, format(printf, 3, 4)));
char *file_text(struct arena *arena, const char *file);
bool is_name(const char *text); /* a name in C, in SQL and in PostgreSQL: lower case, no reserved word */

/* ---- spelling (spelling.c) ---- */

struct spelling {
    const char *neutral, *sqlite, *postgres;
};
const struct spelling *type_spelling(const char *word); /* of ID INT TEXT BLOB BOOL; else NULL */
enum db_type type_of(const struct spelling *spelling);
/* A statement of a migration, of tokens without comments and semicolon. */
struct spelling spell_migration(struct arena *arena, const char *file, const struct token *tokens, size_t count, bool rowid);
/* A statement of a .sql file: CAST(x AS INT) and $1. */
struct spelling spell_statement(struct arena *arena, const struct token *tokens, size_t count);

/* ---- the schema (model.c) ---- */

struct migration {
    int64_t number, checksum;
    const char *file, *name;
    struct buffer sqlite, postgres;
};
struct path {
    struct db_path db;
    const char *file, *table, *declared;
    int line;
};
struct table {
    struct db_table db;
    size_t place; /* 0 main, 1 projection */
    struct path **paths;
    size_t path_count;
};
struct store {
    struct migration *migrations;
    size_t migration_count;
    sqlite3 *handle; /* in memory, migrated, empty, never analysed */
};
struct model {
    struct arena *arena;
    struct store stores[2]; /* main, projection */
    struct table *tables;
    size_t table_count;
    struct path *paths;
    size_t path_count;
};
void model_add_migration(struct model *model, size_t place, const char *file);
void model_finish(struct model *model); /* tables, paths, their plans */
struct table *model_table(struct model *model, const char *name);

/* What is wrong with the plan of a statement, NULL for nothing. */
const char *plan_fault(struct arena *arena, sqlite3 *handle, const char *sql, bool sort_is_fault);

/* ---- statements (statement.c) ---- */

struct parameter {
    const char *name;
    const struct spelling *type;
};
enum kind { KIND_ONE, KIND_MANY, KIND_EXEC };
struct statement {
    const char *file, *name, *doc, *scan, *all_units;
    int line;
    enum kind kind;
    struct parameter parameters[16];
    size_t parameter_count;
    struct db_column *columns;
    size_t column_count;
    size_t place;
    struct spelling text;
    const char *returns; /* as declared */
};
struct statements {
    struct statement *items;
    size_t count, room;
};
struct statements statements_of(struct model *model, const char *file);

/* ---- output (emit.c, emit_statements.c), and the second judge (check.c) ---- */

void emit_schema(struct model *model, const char *header, const char *source);
void emit_statements(struct model *model, const struct statements *statements, const char *name, const char *header, const char *source);
void emit_text(struct buffer *out, const char *text); /* as a C string */
/* The struct of a statement's result, and its columns. */
void emit_result(struct buffer *header, struct buffer *source, const char *name, const struct db_column *columns, size_t count);
void emit_file(const char *file, const struct buffer *out);
int check_postgres(struct model *model, const char *url, const char *const *files, size_t count);

#endif
