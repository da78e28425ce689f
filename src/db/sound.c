/* src/db/sound.c: whether the tables and indexes that the migrations make are there, by name. */
#include "db/store.h"
#include <string.h>

struct name {
    const char *name;
};
static const struct db_column name_columns[] = { { "name", DB_TEXT, false, offsetof(struct name, name) } };
static const struct db_statement all_names = {
    .name = "schema_names",
    .sqlite = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'index') ORDER BY name",
    .postgres = "SELECT CAST(c.relname AS text) AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
                "WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'i') ORDER BY 1",
    .columns = name_columns,
    .column_count = 1,
    .row_size = sizeof(struct name),
};

/* The name behind the word at `text`, NULL where another word stands there. */
static const char *named(const char *text, const char *word, struct arena *arena)
{
    size_t length = strlen(word);
    if (strncmp(text, word, length) != 0)
        return NULL;
    text += length;
    return arena_text_n(arena, text, strcspn(text, " (\n"));
}

static bool is_there(const struct db_rows *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(((const struct name *)db_row(names, i))->name, name) == 0)
            return true;
    return false;
}

enum db_result db_schema_missing(struct db *db, struct arena *arena, const char **missing)
{
    static const char *const makes[] = { "CREATE TABLE ", "CREATE INDEX ", "CREATE UNIQUE INDEX " };
    struct db_rows names;
    enum db_result result = db_query(db, arena, &all_names, NULL, &names);
    *missing = NULL;
    for (size_t m = 0; result == DB_OK && m < db_migration_count && *missing == NULL; m++)
        for (const char *line = db_is_sqlite(db) ? db_migrations[m].sqlite : db_migrations[m].postgres; line != NULL && *missing == NULL;) {
            for (size_t i = 0; i < COUNT(makes); i++) {
                const char *name = named(line, makes[i], arena);
                if (name != NULL && !is_there(&names, name))
                    *missing = name;
            }
            line = strchr(line, '\n');
            line = line == NULL ? NULL : line + 1;
        }
    return result;
}
