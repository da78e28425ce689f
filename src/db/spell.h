/* src/db/spell.h: the text of the statements that are made from descriptors, in either spelling. Pure. The drivers
 * prepare exactly this text and tools/sqlgen plans exactly this text, so that what was checked is what runs. */
#ifndef MILLRACE_DB_SPELL_H
#define MILLRACE_DB_SPELL_H

#include "db/db.h"

/* SQLite: one row by primary key. The key is ?1 .. ?key_count; a whole row binds ?1 .. ?column_count. */
const char *spell_sqlite_load(struct arena *arena, const struct db_table *table);
const char *spell_sqlite_delete(struct arena *arena, const struct db_table *table);
/* `rows` rows, column by column, row by row. OR FAIL: an error leaves the rows before it, and the caller rolls all back;
 * so SQLite keeps no journal of the statement. */
const char *spell_sqlite_insert(struct arena *arena, const struct db_table *table, size_t rows);
/* Sets the columns whose bit is in `set` (never those of the key); with none set it is a test that the row is there. */
const char *spell_sqlite_update(struct arena *arena, const struct db_table *table, uint64_t set);
/* The indexed columns of a row, by its key: what an update must compare. */
const char *spell_sqlite_indexed(struct arena *arena, const struct db_table *table);
/* One prefix; the limit is the parameter behind it, -1 for none. */
const char *spell_sqlite_path(struct arena *arena, const struct db_path *path);

/* PostgreSQL: `rows` rows, each value a parameter, row by row; 0: any number of them, one array a column, in column order.
 * Key columns only for load and delete. */
const char *spell_postgres_load(struct arena *arena, const struct db_table *table, size_t rows);
const char *spell_postgres_lock(struct arena *arena, const struct db_table *table,
                                size_t rows); /* the same, and nobody else may have them meanwhile */
const char *spell_postgres_insert(struct arena *arena, const struct db_table *table, size_t rows);
const char *spell_postgres_update(struct arena *arena, const struct db_table *table, size_t rows);
const char *spell_postgres_delete(struct arena *arena, const struct db_table *table, size_t rows);
/* Prefixes in the same way; the limit behind them, NULL for none. */
const char *spell_postgres_path(struct arena *arena, const struct db_path *path, size_t rows);
/* Behind each migration: of indexes that cost the same, as all do while a table is empty, PostgreSQL takes the youngest, and a
 * prepared statement keeps that plan until the table is analysed. So the primary key of an empty table is made anew, as the
 * youngest: else a row is looked for among all of its unit. */
extern const char *const postgres_keys_last;

#endif
