/* src/db/spell.c: statements from descriptors.
 * SQLite gets point statements, and inserts of several rows: starting and ending a statement is a third of an insert's
 * cost. PostgreSQL gets arrays: there the cost is the message and the executor's start. But a function that gives rows
 * fills memory which the server takes from the system and returns with each statement: a few rows are cheaper as values. */
#include "db/spell.h"

/* "a, b, c": columns from .. to - 1, each with `before` in front. */
static void add_columns(struct buffer *out, const struct db_table *table, size_t from, size_t to, const char *before)
{
    for (size_t i = from; i < to; i++)
        buffer_printf(out, "%s%s%s", i > from ? ", " : "", before, table->columns[i].name);
}

/* "t.a = ?1 AND t.b = ?2" over the key. */
static void add_sqlite_key(struct buffer *out, const struct db_table *table)
{
    buffer_text(out, " WHERE ");
    for (size_t i = 0; i < table->key_count; i++)
        buffer_printf(out, "%s%s = ?%zu", i > 0 ? " AND " : "", table->columns[i].name, i + 1);
}

static const char *postgres_array(enum db_type type)
{
    switch (type) {
    case DB_INT:
        return "bigint[]";
    case DB_TEXT:
        return "text[]";
    case DB_BLOB:
        return "bytea[]";
    }
    return NULL;
}

/* "($1, $2), ($3, $4)"; with `place`, each row's own behind it: "($1, 1), ($2, 2)". */
static void add_values(struct buffer *out, size_t columns, size_t rows, bool place)
{
    for (size_t i = 0; i < rows * columns; i++) {
        buffer_printf(out, "%s$%zu", i % columns > 0 ? ", " : i > 0 ? ", (" : "(", i + 1);
        if ((i + 1) % columns == 0 && place)
            buffer_printf(out, ", %zu", i / columns + 1);
        buffer_text(out, (i + 1) % columns == 0 ? ")" : "");
    }
}

/* "unnest($1::bigint[], $2::text[]) AS k(a, b)" over columns 0 .. count - 1, or "(VALUES ($1, $2)) AS k(a, b)". */
static void add_rows(struct buffer *out, const struct db_table *table, size_t count, size_t rows)
{
    buffer_text(out, rows > 0 ? "(VALUES " : "unnest(");
    add_values(out, count, rows, false);
    for (size_t i = 0; i < count && rows == 0; i++)
        buffer_printf(out, "%s$%zu::%s", i > 0 ? ", " : "", i + 1, postgres_array(table->columns[i].type));
    buffer_text(out, ") AS k(");
    add_columns(out, table, 0, count, "");
    buffer_text(out, ")");
}

static void add_postgres_key(struct buffer *out, const struct db_table *table)
{
    buffer_text(out, " WHERE ");
    for (size_t i = 0; i < table->key_count; i++)
        buffer_printf(out, "%st.%s = k.%s", i > 0 ? " AND " : "", table->columns[i].name, table->columns[i].name);
}

const char *spell_sqlite_load(struct arena *arena, const struct db_table *table)
{
    struct buffer out = { .arena = arena };
    buffer_text(&out, "SELECT ");
    add_columns(&out, table, 0, table->column_count, "");
    buffer_printf(&out, " FROM %s", table->name);
    add_sqlite_key(&out, table);
    return out.at;
}

const char *spell_sqlite_insert(struct arena *arena, const struct db_table *table, size_t rows)
{
    struct buffer out = { .arena = arena };
    buffer_printf(&out, "INSERT OR FAIL INTO %s (", table->name);
    add_columns(&out, table, 0, table->column_count, "");
    buffer_text(&out, ") VALUES ");
    for (size_t i = 0; i < rows * table->column_count; i++) {
        bool first = i % table->column_count == 0, last = (i + 1) % table->column_count == 0;
        buffer_printf(&out, "%s?%zu%s", !first ? ", " : i > 0 ? ", (" : "(", i + 1, last ? ")" : "");
    }
    return out.at;
}

const char *spell_sqlite_delete(struct arena *arena, const struct db_table *table)
{
    struct buffer out = { .arena = arena };
    buffer_printf(&out, "DELETE FROM %s", table->name);
    add_sqlite_key(&out, table);
    return out.at;
}

const char *spell_sqlite_update(struct arena *arena, const struct db_table *table, uint64_t set)
{
    struct buffer out = { .arena = arena };
    bool first = true;
    buffer_printf(&out, "UPDATE %s SET ", table->name);
    for (size_t i = table->key_count; i < table->column_count; i++) {
        if ((set >> i & 1) == 0)
            continue;
        buffer_printf(&out, "%s%s = ?%zu", first ? "" : ", ", table->columns[i].name, i + 1);
        first = false;
    }
    if (first)
        buffer_printf(&out, "%s = %s", table->columns[0].name, table->columns[0].name);
    add_sqlite_key(&out, table);
    return out.at;
}

const char *spell_sqlite_indexed(struct arena *arena, const struct db_table *table)
{
    struct buffer out = { .arena = arena };
    bool first = true;
    buffer_text(&out, "SELECT ");
    for (size_t i = table->key_count; i < table->column_count; i++) {
        if ((table->indexed >> i & 1) == 0)
            continue;
        buffer_printf(&out, "%s%s", first ? "" : ", ", table->columns[i].name);
        first = false;
    }
    buffer_printf(&out, " FROM %s", table->name);
    add_sqlite_key(&out, table);
    return out.at;
}

static void add_path_order(struct buffer *out, const struct db_path *path, const char *before)
{
    for (size_t i = path->prefix_count; i < path->column_count; i++)
        buffer_printf(out, "%s%s%s%s", i > path->prefix_count ? ", " : "", before, path->table->columns[path->columns[i]].name,
                      path->descending ? " DESC" : "");
}

const char *spell_sqlite_path(struct arena *arena, const struct db_path *path)
{
    struct buffer out = { .arena = arena };
    buffer_text(&out, "SELECT ");
    add_columns(&out, path->table, 0, path->table->column_count, "");
    buffer_printf(&out, " FROM %s", path->table->name);
    if (path->index != NULL)
        buffer_printf(&out, " INDEXED BY %s", path->index);
    buffer_text(&out, " WHERE ");
    for (size_t i = 0; i < path->prefix_count; i++)
        buffer_printf(&out, "%s%s = ?%zu", i > 0 ? " AND " : "", path->table->columns[path->columns[i]].name, i + 1);
    if (path->likely != NULL)
        buffer_printf(&out, " AND %s", path->likely);
    if (path->column_count > path->prefix_count) {
        buffer_text(&out, " ORDER BY ");
        add_path_order(&out, path, "");
    }
    buffer_printf(&out, " LIMIT ?%zu", path->prefix_count + 1);
    return out.at;
}

const char *spell_postgres_load(struct arena *arena, const struct db_table *table, size_t rows)
{
    struct buffer out = { .arena = arena };
    buffer_text(&out, "SELECT ");
    add_columns(&out, table, 0, table->column_count, "t.");
    buffer_text(&out, " FROM ");
    add_rows(&out, table, table->key_count, rows);
    buffer_printf(&out, " CROSS JOIN %s AS t", table->name);
    add_postgres_key(&out, table);
    buffer_text(&out, " ORDER BY ");
    add_columns(&out, table, 0, table->key_count, "t.");
    return out.at;
}

const char *spell_postgres_lock(struct arena *arena, const struct db_table *table, size_t rows)
{
    return arena_printf(arena, "%s FOR UPDATE OF t", spell_postgres_load(arena, table, rows));
}

const char *spell_postgres_insert(struct arena *arena, const struct db_table *table, size_t rows)
{
    struct buffer out = { .arena = arena };
    buffer_printf(&out, "INSERT INTO %s (", table->name);
    add_columns(&out, table, 0, table->column_count, "");
    if (rows > 0) {
        buffer_text(&out, ") VALUES ");
        add_values(&out, table->column_count, rows, false);
        return out.at;
    }
    buffer_text(&out, ") SELECT ");
    add_columns(&out, table, 0, table->column_count, "k.");
    buffer_text(&out, " FROM ");
    add_rows(&out, table, table->column_count, rows);
    return out.at;
}

/* Divides by zero when a row was not there: the server itself must fail, for the COMMIT may be on its way already. */
static void add_all_changed(struct buffer *out, size_t rows)
{
    buffer_text(out, " RETURNING 1) SELECT 1 / CAST((SELECT count(*) FROM changed) = ");
    if (rows > 0)
        buffer_printf(out, "%zu", rows);
    else
        buffer_text(out, "cardinality($1)");
    buffer_text(out, " AS int) AS all_there");
}

const char *spell_postgres_update(struct arena *arena, const struct db_table *table, size_t rows)
{
    struct buffer out = { .arena = arena };
    size_t from = table->key_count < table->column_count ? table->key_count : 0; /* nothing but a key: set it to itself */
    buffer_printf(&out, "WITH changed AS (UPDATE %s AS t SET ", table->name);
    for (size_t i = from; i < table->column_count; i++)
        buffer_printf(&out, "%s%s = k.%s", i > from ? ", " : "", table->columns[i].name, table->columns[i].name);
    buffer_text(&out, " FROM ");
    add_rows(&out, table, table->column_count, rows);
    add_postgres_key(&out, table);
    add_all_changed(&out, rows);
    return out.at;
}

const char *spell_postgres_delete(struct arena *arena, const struct db_table *table, size_t rows)
{
    struct buffer out = { .arena = arena };
    buffer_printf(&out, "WITH changed AS (DELETE FROM %s AS t USING ", table->name);
    add_rows(&out, table, table->key_count, rows);
    add_postgres_key(&out, table);
    add_all_changed(&out, rows);
    return out.at;
}

/* LATERAL with a limit stays a loop over the prefixes, each an index scan in the path's order. */
const char *spell_postgres_path(struct arena *arena, const struct db_path *path, size_t rows)
{
    struct buffer out = { .arena = arena };
    const struct db_table *table = path->table;
    buffer_text(&out, "SELECT ");
    add_columns(&out, table, 0, table->column_count, "t.");
    buffer_text(&out, rows > 0 ? " FROM (VALUES " : " FROM unnest(");
    add_values(&out, path->prefix_count, rows, true);
    for (size_t i = 0; i < path->prefix_count && rows == 0; i++)
        buffer_printf(&out, "%s$%zu::%s", i > 0 ? ", " : "", i + 1, postgres_array(table->columns[path->columns[i]].type));
    buffer_text(&out, rows > 0 ? ") AS k(" : ") WITH ORDINALITY AS k(");
    for (size_t i = 0; i < path->prefix_count; i++)
        buffer_printf(&out, "k%zu, ", i + 1);
    buffer_text(&out, "place) CROSS JOIN LATERAL (SELECT ");
    add_columns(&out, table, 0, table->column_count, "");
    buffer_printf(&out, " FROM %s WHERE ", table->name);
    for (size_t i = 0; i < path->prefix_count; i++)
        buffer_printf(&out, "%s%s.%s = k.k%zu", i > 0 ? " AND " : "", table->name, table->columns[path->columns[i]].name, i + 1);
    if (path->where != NULL)
        buffer_printf(&out, " AND (%s)", path->where);
    if (path->column_count > path->prefix_count) {
        buffer_text(&out, " ORDER BY ");
        add_path_order(&out, path, "");
    }
    buffer_printf(&out, " LIMIT $%zu) AS t ORDER BY k.place", (rows > 0 ? rows : 1) * path->prefix_count + 1);
    if (path->column_count > path->prefix_count) {
        buffer_text(&out, ", ");
        add_path_order(&out, path, "t.");
    }
    return out.at;
}

const char *const postgres_keys_last =
    "DO $$ DECLARE k record; filled boolean; BEGIN"
    " FOR k IN SELECT c.conrelid::regclass AS name, c.conname, pg_get_constraintdef(c.oid) AS definition"
    "   FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid"
    "  WHERE c.contype = 'p' AND t.relnamespace = current_schema()::regnamespace"
    "    AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indexrelid > c.conindid) LOOP"
    "  EXECUTE format('SELECT EXISTS (SELECT FROM %s)', k.name) INTO filled;"
    "  IF NOT filled THEN"
    "   EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s', k.name, k.conname, k.conname, k.definition);"
    "  END IF;"
    " END LOOP; END $$";
