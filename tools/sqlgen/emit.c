/* tools/sqlgen/emit.c: schema.h and schema.c: row structs, descriptors, and the migrations compiled in. */
#include "sqlgen.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void emit_text(struct buffer *out, const char *text)
{
    buffer_text(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            buffer_text(out, text[1] == '\0' ? "\\n" : "\\n\"\n    \"");
        else if (*text == '"' || *text == '\\')
            buffer_printf(out, "\\%c", *text);
        else
            buffer_add(out, text, 1);
    }
    buffer_text(out, "\"");
}

static void emit_text_or_null(struct buffer *out, const char *text)
{
    if (text != NULL)
        emit_text(out, text);
    else
        buffer_text(out, "NULL");
}

void emit_file(const char *file, const struct buffer *out)
{
    FILE *to = fopen(file, "wb");
    if (to == NULL)
        refuse(file, 0, "cannot be written: %m");
    size_t written = fwrite(out->at, 1, out->size, to);
    if (fclose(to) != 0 || written != out->size)
        refuse(file, 0, "cannot be written: %m");
}

static const char *member_type(enum db_type type)
{
    static const char *const types[] = { "int64_t ", "const char *", "struct bytes " };
    return types[type];
}

static const char *type_name(enum db_type type)
{
    static const char *const names[] = { "DB_INT", "DB_TEXT", "DB_BLOB" };
    return names[type];
}

/* The struct of a table or of a statement's result. */
static void emit_struct(struct buffer *out, const char *name, const struct db_column *columns, size_t count)
{
    buffer_printf(out, "struct %s {\n", name);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "    %s%s;%s\n", member_type(columns[i].type), columns[i].name, columns[i].nullable ? " /* may be NULL */" : "");
    buffer_text(out, "};\n");
}

static void emit_columns(struct buffer *out, const char *name, const char *type, const struct db_column *columns, size_t count)
{
    buffer_printf(out, "static const struct db_column %s_columns[] = {\n", name);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "    { \"%s\", %s, %s, offsetof(struct %s, %s) },\n", columns[i].name, type_name(columns[i].type),
                      columns[i].nullable ? "true" : "false", type, columns[i].name);
    buffer_text(out, "};\n");
}

void emit_result(struct buffer *header, struct buffer *source, const char *name, const struct db_column *columns, size_t count)
{
    struct arena *arena = header->arena;
    const char *type = arena_printf(arena, "%s_result", name);
    emit_struct(header, type, columns, count);
    emit_columns(source, name, type, columns, count);
}

static void emit_path(struct buffer *out, const struct path *path)
{
    const struct db_path *db = &path->db;
    buffer_printf(out, "static const uint8_t %s_path_columns[] = { ", db->name);
    for (size_t i = 0; i < db->column_count; i++)
        buffer_printf(out, "%s%u", i > 0 ? ", " : "", db->columns[i]);
    buffer_printf(out, " };\nconst struct db_path %s = { \"%s\", &%s_table, %s_path_columns, %zu, %zu, %s, ", db->name, db->name, path->table,
                  db->name, db->prefix_count, db->column_count, db->descending ? "true" : "false");
    emit_text_or_null(out, db->where);
    buffer_printf(out, ", 0x%x, %zu, ", db->prefix_above_0, db->number);
    emit_text_or_null(out, db->index);
    buffer_text(out, ", ");
    emit_text_or_null(out, db->likely);
    buffer_text(out, " };\n");
}

static void emit_table(struct buffer *out, const struct table *table)
{
    const char *name = table->db.name;
    emit_columns(out, name, arena_printf(out->arena, "%s_row", name), table->db.columns, table->db.column_count);
    for (size_t i = 0; i < table->path_count; i++)
        emit_path(out, table->paths[i]);
    if (table->path_count > 0) {
        buffer_printf(out, "static const struct db_path *const %s_paths[] = { ", name);
        for (size_t i = 0; i < table->path_count; i++)
            buffer_printf(out, "%s&%s", i > 0 ? ", " : "", table->paths[i]->db.name);
        buffer_text(out, " };\n");
    }
    buffer_printf(out, "const struct db_table %s_table = { \"%s\", %s_columns, %zu, %zu, sizeof(struct %s_row), ", name, name, name,
                  table->db.column_count, table->db.key_count, name);
    if (table->path_count > 0)
        buffer_printf(out, "%s_paths, %zu", name, table->path_count);
    else
        buffer_text(out, "NULL, 0");
    buffer_printf(out, ", %zu, UINT64_C(0x%" PRIx64 ") };\n\n", table->db.number, table->db.indexed);
}

static void emit_migrations(struct buffer *out, const char *name, const struct store *store)
{
    buffer_printf(out, "const struct db_migration db_%smigrations[] = {\n", name);
    for (size_t i = 0; i < store->migration_count; i++) {
        const struct migration *migration = &store->migrations[i];
        buffer_printf(out, "    { %" PRId64 ", \"%s\",\n    ", migration->number, migration->name);
        emit_text(out, migration->sqlite.at != NULL ? migration->sqlite.at : "");
        buffer_text(out, ",\n    ");
        emit_text(out, migration->postgres.at != NULL ? migration->postgres.at : "");
        buffer_printf(out, ",\n    (int64_t)UINT64_C(0x%" PRIx64 ") },\n", (uint64_t)migration->checksum);
    }
    buffer_printf(out, "    { 0 }\n};\nconst size_t db_%smigration_count = %zu;\n\n", name, store->migration_count);
}

static void emit_schema_header(struct model *model, const char *file)
{
    struct buffer out = { .arena = model->arena };
    buffer_text(&out, "/* schema.h: made by tools/sqlgen from migrations/. One struct a table, its members in the order of the DDL. */\n"
                      "#ifndef MILLRACE_SCHEMA_H\n#define MILLRACE_SCHEMA_H\n\n#include \"db/db.h\"\n\n");
    for (size_t i = 0; i < model->table_count; i++) {
        const struct table *table = &model->tables[i];
        emit_struct(&out, arena_printf(model->arena, "%s_row", table->db.name), table->db.columns, table->db.column_count);
        buffer_printf(&out, "extern const struct db_table %s_table;\n", table->db.name);
        for (size_t k = 0; k < table->path_count; k++)
            buffer_printf(&out, "extern const struct db_path %s; /* %s */\n", table->paths[k]->db.name, table->paths[k]->declared);
        buffer_text(&out, "\n");
    }
    buffer_text(&out, "#endif\n");
    emit_file(file, &out);
}

void emit_schema(struct model *model, const char *header, const char *source)
{
    struct buffer out = { .arena = model->arena };
    buffer_text(&out, "/* schema.c: made by tools/sqlgen from migrations/. */\n#include \"schema.h\"\n\n#include \"db/store.h\"\n\n");
    for (size_t i = 0; i < model->table_count; i++)
        emit_table(&out, &model->tables[i]);
    buffer_text(&out, "const struct db_table *const db_tables[] = {\n");
    for (size_t i = 0; i < model->table_count; i++)
        buffer_printf(&out, "    &%s_table,\n", model->tables[i].db.name);
    buffer_printf(&out, "    NULL,\n};\nconst size_t db_table_count = %zu, db_path_count = %zu;\n\n", model->table_count, model->path_count);
    emit_migrations(&out, "", &model->stores[0]);
    emit_migrations(&out, "read_", &model->stores[1]);
    emit_schema_header(model, header);
    emit_file(source, &out);
}
