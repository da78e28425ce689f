/* src/bulk/columns.c: the table is walked once, depth first; what is inside something stands right behind it. */
#include "bulk/columns.h"
#include <string.h>

#define COLUMNS_MAX 512

static const char *name_within(struct arena *arena, const char *outer, const char *name)
{
    return outer == NULL ? name : arena_printf(arena, "%s.%s", outer, name);
}

static struct column *add(struct columns *columns, enum column_kind kind, const char *name, const struct field *field)
{
    struct column *column = &columns->items[columns->count++];
    *column = (struct column){ .kind = kind, .name = name, .field = field };
    return column;
}

static void add_table(struct arena *arena, struct columns *columns, const struct field_table *table, const char *outer)
{
    for (size_t i = 0; i < table->count && columns->count + 2 < COLUMNS_MAX; i++) {
        const struct field *field = &table->fields[i];
        const bool rows = outer == NULL && field->type == FIELD_LIST && field->required && columns->rows == COLUMNS_MAX;
        if (field->not_available)
            continue;
        const size_t at = columns->count;
        const char *name = name_within(arena, outer, field->name);
        const bool inside = field->type == FIELD_OBJECT && field->of->count > 0;
        struct column *column = add(columns, rows ? COLUMN_ROWS : inside ? COLUMN_OBJECT : COLUMN_VALUE, name, field);
        if (rows)
            columns->rows = at;
        if (column->kind != COLUMN_VALUE) {
            add_table(arena, columns, field->of, name);
            column->span = columns->count - at - 1;
        } else if (field->type == FIELD_MONEY && !columns->one_currency)
            add(columns, COLUMN_CURRENCY, name_within(arena, name, "currency"), field);
    }
}

struct columns columns_of(struct arena *arena, const struct field_table *table)
{
    struct columns columns = { .items = ARENA_ARRAY(arena, struct column, COLUMNS_MAX), .rows = COLUMNS_MAX };
    for (size_t i = 0; i < table->count; i++)
        columns.one_currency = columns.one_currency || table->fields[i].type == FIELD_CURRENCY;
    add_table(arena, &columns, table, NULL);
    if (columns.rows == COLUMNS_MAX)
        columns.rows = columns.count;
    return columns;
}

bool column_ends(const struct column *column, const char *name)
{
    const size_t bytes = strlen(name), whole = strlen(column->name);
    return whole > bytes + 1 && column->name[whole - bytes - 1] == '.' && strcmp(column->name + whole - bytes, name) == 0;
}

size_t column_named(const struct columns *columns, const char *name)
{
    size_t found = COLUMN_UNKNOWN;
    for (size_t i = 0; i < columns->count; i++) {
        const struct column *column = &columns->items[i];
        if (!column_is_cell(column))
            continue;
        if (strcmp(column->name, name) == 0)
            return i;
        if (column_ends(column, name))
            found = found == COLUMN_UNKNOWN ? i : COLUMN_AMBIGUOUS;
    }
    return found;
}
