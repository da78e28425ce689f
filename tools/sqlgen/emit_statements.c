/* tools/sqlgen/emit_statements.c: MODULE_sql.h and MODULE_sql.c: a typed function for each statement. */
#include "sqlgen.h"

#include <string.h>

static const char *parameter_type(const struct spelling *type)
{
    if (strcmp(type->neutral, "BOOL") == 0)
        return "bool ";
    switch (type_of(type)) {
    case DB_INT:
        return "int64_t ";
    case DB_TEXT:
        return "const char *";
    case DB_BLOB:
        return "struct bytes ";
    }
    return "";
}

static void emit_signature(struct buffer *out, const struct statement *statement)
{
    buffer_printf(out, "enum db_result %s(struct db *db, ", statement->name);
    if (statement->kind != KIND_EXEC)
        buffer_text(out, "struct arena *arena, ");
    for (size_t i = 0; i < statement->parameter_count; i++)
        buffer_printf(out, "%s%s, ", parameter_type(statement->parameters[i].type), statement->parameters[i].name);
    if (statement->kind == KIND_ONE)
        buffer_printf(out, "struct %s_result *out, bool *found)", statement->name);
    else if (statement->kind == KIND_MANY)
        buffer_printf(out, "struct %s_result **rows, size_t *count)", statement->name);
    else
        buffer_text(out, "int64_t *changed)");
}

static void emit_doc(struct buffer *out, const struct statement *statement)
{
    buffer_text(out, "/* ");
    for (const char *at = statement->doc != NULL ? statement->doc : statement->name; *at != '\0'; at++) {
        if (*at == '\n')
            buffer_text(out, "\n * ");
        else
            buffer_add(out, at, 1);
    }
    if (statement->kind == KIND_ONE)
        buffer_text(out, "\n * Without a row *found is false and *out zero.");
    else if (statement->kind == KIND_EXEC)
        buffer_text(out, "\n * `changed`, how many rows, may be NULL: then PostgreSQL is not waited for.");
    buffer_text(out, " */\n");
}

static void emit_values(struct buffer *out, const struct statement *statement)
{
    if (statement->parameter_count == 0)
        return;
    buffer_text(out, "    const struct db_value values[] = {\n");
    for (size_t i = 0; i < statement->parameter_count; i++) {
        static const char *const members[] = { "DB_INT, .number", "DB_TEXT, .text", "DB_BLOB, .blob" };
        const struct parameter *parameter = &statement->parameters[i];
        buffer_printf(out, "        { .type = %s = %s },\n", members[type_of(parameter->type)], parameter->name);
    }
    buffer_text(out, "    };\n");
}

static void emit_descriptor(struct buffer *out, const struct statement *statement)
{
    const char *name = statement->name;
    if (statement->parameter_count > 0) {
        static const char *const types[] = { "DB_INT", "DB_TEXT", "DB_BLOB" };
        buffer_printf(out, "static const enum db_type %s_parameters[] = { ", name);
        for (size_t i = 0; i < statement->parameter_count; i++)
            buffer_printf(out, "%s%s", i > 0 ? ", " : "", types[type_of(statement->parameters[i].type)]);
        buffer_text(out, " };\n");
    }
    buffer_printf(out, "static const struct db_statement %s_statement = {\n    .name = \"%s\",\n    .sqlite = ", name, name);
    emit_text(out, statement->text.sqlite);
    buffer_text(out, ",\n    .postgres = ");
    emit_text(out, statement->text.postgres);
    buffer_text(out, ",\n");
    if (statement->parameter_count > 0)
        buffer_printf(out, "    .parameters = %s_parameters,\n    .parameter_count = %zu,\n", name, statement->parameter_count);
    if (statement->column_count > 0)
        buffer_printf(out, "    .columns = %s_columns,\n    .column_count = %zu,\n    .row_size = sizeof(struct %s_result),\n", name,
                      statement->column_count, name);
    buffer_text(out, "};\n");
}

static void emit_body(struct buffer *out, const struct statement *statement)
{
    const char *name = statement->name, *values = statement->parameter_count > 0 ? "values" : "NULL";
    buffer_text(out, "\n{\n");
    emit_values(out, statement);
    if (statement->kind == KIND_EXEC) {
        buffer_printf(out, "    return db_execute(db, &%s_statement, %s, changed);\n}\n\n", name, values);
        return;
    }
    buffer_printf(out, "    struct db_rows got;\n    enum db_result result = db_query(db, arena, &%s_statement, %s, &got);\n", name, values);
    if (statement->kind == KIND_MANY) {
        buffer_printf(out, "    *rows = (struct %s_result *)(void *)got.at;\n    *count = got.count;\n", name);
    } else {
        buffer_printf(out,
                      "    *found = result == DB_OK && got.count > 0;\n"
                      "    *out = *found ? *(struct %s_result *)db_row(&got, 0) : (struct %s_result){ 0 };\n",
                      name, name);
    }
    buffer_text(out, "    return result;\n}\n\n");
}

void emit_statements(struct model *model, const struct statements *statements, const char *name, const char *header, const char *source)
{
    struct buffer h = { .arena = model->arena }, c = { .arena = model->arena };
    buffer_printf(
        &h, "/* %s_sql.h: made by tools/sqlgen from %s.sql. */\n#ifndef MILLRACE_%s_SQL_H\n#define MILLRACE_%s_SQL_H\n\n#include \"db/db.h\"\n\n",
        name, name, name, name);
    buffer_printf(&c, "/* %s_sql.c: made by tools/sqlgen from %s.sql. */\n#include \"%s_sql.h\"\n\n", name, name, name);
    for (size_t i = 0; i < statements->count; i++) {
        const struct statement *statement = &statements->items[i];
        if (statement->column_count > 0)
            emit_result(&h, &c, statement->name, statement->columns, statement->column_count);
        emit_doc(&h, statement);
        emit_signature(&h, statement);
        buffer_text(&h, ";\n\n");
        emit_descriptor(&c, statement);
        emit_signature(&c, statement);
        emit_body(&c, statement);
    }
    buffer_text(&h, "#endif\n");
    emit_file(header, &h);
    emit_file(source, &c);
}
