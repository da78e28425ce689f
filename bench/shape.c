/* bench/shape.c: one order through the engine in memory; what it wrote is the template of the floor's rows. Where the store's positions
 * have more claims than there is room for in their rows (inventory.md), claimants stand in rows of their own: then others order the same SKUs first.
 */
#include "bench.h"
#include "inventory/stock.h"
#include "schema.h"
#include <stdio.h>
#include <string.h>

struct db_rows whole_table(struct db *db, struct arena *arena, const struct db_table *table, const char *where)
{
    struct buffer sql = { .arena = arena };
    struct db_statement *statement = ARENA_NEW(arena, struct db_statement);
    struct db_rows rows;
    for (size_t c = 0; c < table->column_count; c++)
        buffer_printf(&sql, "%s%s", c == 0 ? "SELECT " : ", ", table->columns[c].name);
    buffer_printf(&sql, " FROM %s %s ORDER BY 1", table->name, where);
    for (size_t c = 1; c < table->key_count; c++)
        buffer_printf(&sql, ", %zu", c + 1);
    *statement = (struct db_statement){ .name = arena_printf(arena, "bench_%s", table->name),
                                        .sqlite = sql.at,
                                        .postgres = sql.at,
                                        .columns = table->columns,
                                        .column_count = table->column_count,
                                        .row_size = table->row_size };
    if (db_query(db, arena, statement, NULL, &rows) != DB_OK)
        die("%s: %s", table->name, db_last_error(db));
    return rows;
}

static int64_t number_at(const struct db_table *table, const char *row, size_t c)
{
    int64_t number;
    memcpy(&number, row + table->columns[c].offset, sizeof number);
    return number;
}

static struct db_value value_at(const struct db_table *table, const char *row, size_t c)
{
    struct db_value value = { .type = table->columns[c].type };
    const char *at = row + table->columns[c].offset;
    if (value.type == DB_INT)
        memcpy(&value.number, at, sizeof value.number);
    else if (value.type == DB_TEXT)
        memcpy(&value.text, at, sizeof value.text);
    else
        memcpy(&value.blob, at, sizeof value.blob);
    return value;
}

static bool same_key(const struct db_table *table, const char *a, const char *b)
{
    for (size_t c = 0; c < table->key_count; c++)
        if (number_at(table, a, c) != number_at(table, b, c))
            return false;
    return true;
}

static bool same_numbers(const struct db_table *table, const char *a, const char *b)
{
    for (size_t c = 0; c < table->column_count; c++)
        if (table->columns[c].type == DB_INT && number_at(table, a, c) != number_at(table, b, c))
            return false;
    return true;
}

static void compare(struct shape *shape, const struct db_table *table, const struct db_rows *before, const struct db_rows *after)
{
    for (size_t i = 0; i < after->count; i++) {
        struct change change = { .table = table, .row = db_row(after, i), .per_batch = table == &unit_clock_table || table == &batch_table };
        for (size_t j = 0; j < before->count && change.was == NULL; j++)
            if (same_key(table, db_row(before, j), change.row))
                change.was = db_row(before, j);
        if (change.was != NULL && same_numbers(table, change.was, change.row))
            continue;
        if (shape->count == COUNT(shape->changes))
            die("an order writes more rows than there is room for");
        shape->changes[shape->count++] = change;
    }
}

static bool is_main(const struct db_table *table)
{
    static const char *const others[] = { "cursor_of_unit", "movement_by_sku", "order_token",  "ledger_cursor",
                                          "ledger_day",     "ledger_posting",  "ledger_stock", "schema_migration" };
    for (size_t i = 0; i < COUNT(others); i++)
        if (strcmp(table->name, others[i]) == 0)
            return false;
    return table->key_count > 0;
}

struct seats {
    int64_t taken, full; /* positions on which somebody has a claim; all four seats */
};

bool world_is_crowded(const struct world *world)
{
    static const struct db_column columns[] = { { .name = "taken", .type = DB_INT, .offset = offsetof(struct seats, taken) },
                                                { .name = "full", .type = DB_INT, .offset = offsetof(struct seats, full) } };
    static const char sql[] = "SELECT count(*), count(CASE WHEN claimant4 <> 0 THEN 1 END) FROM position WHERE unit > 0 AND claimant1 <> 0";
    static const struct db_statement statement = {
        .name = "bench_seats", .sqlite = sql, .postgres = sql, .columns = columns, .column_count = COUNT(columns), .row_size = sizeof(struct seats)
    };
    struct db *db;
    struct db_rows rows;
    const char *error = "";
    if (db_open(&db, &(struct db_options){ .url = world->floor_url }, world->arena, &error) != DB_OK)
        die("%s: %s", world->floor_url, error);
    if (db_query(db, world->arena, &statement, NULL, &rows) != DB_OK || rows.count != 1)
        die("%s: %s", world->floor_url, db_last_error(db));
    const struct seats *seats = db_row(&rows, 0);
    bool crowded = seats->full > seats->taken / 2;
    db_close(db);
    return crowded;
}

static void order_place(struct inside *inside, uint64_t number, bool say)
{
    char body[4096];
    order_body(body, sizeof body, number, (const uint64_t[LINES]){ 0, 1, 2 });
    struct reply reply = local_call(inside->local, inside->arena, "POST", "/v1/orders", body);
    if (reply.status != 201)
        die("the order: %d %s", reply.status, reply.body);
    if (say)
        printf("an order: %zu bytes in, %zu bytes out\n", strlen(body), strlen(reply.body));
}

void shape_take(struct shape *shape, bool crowded)
{
    struct inside inside;
    struct db_rows before[64] = { 0 };
    const char *error = "";
    inside_open(&inside, "sqlite::memory:", true);
    struct db *db = engine_db(inside.engine);
    if (db_migrate(db, false, inside.arena, &error) != MIGRATE_DONE || db_table_count > COUNT(before))
        die("no schema: %s", error);
    static const uint8_t head[32];
    struct unit_clock_row clock = { .next_id = 1001 /* 1000 is the API key's in the store: nodes get the same ids */,
                                    .config_version = 1,
                                    .audit_head = { head, sizeof head } };
    struct company_row company = { .name = "Shape" };
    const void *rows[] = { &clock, &company };
    if (db_begin(db) != DB_OK || db_insert(db, &unit_clock_table, &rows[0], 1) != DB_OK || db_insert(db, &company_table, &rows[1], 1) != DB_OK ||
        db_commit(db) != DB_OK)
        die("no company: %s", db_last_error(db));
    furnish(&inside, 0, LINES);
    for (uint64_t i = 0; crowded && i < SEATS; i++)
        order_place(&inside, 2 + i, false);
    /* Far from the ids of masters and from amounts: a number in the range is one of the order's. */
    if (db_script(db, "UPDATE unit_clock SET next_id = 5000000, event_seq = 7000000 WHERE unit > 0") != DB_OK)
        die("no clock: %s", db_last_error(db));
    for (size_t t = 0; t < db_table_count; t++)
        if (is_main(db_tables[t]))
            before[t] = whole_table(db, shape->arena, db_tables[t], "");
    order_place(&inside, 1, true);
    for (size_t t = 0; t < db_table_count; t++)
        if (is_main(db_tables[t])) {
            struct db_rows after = whole_table(db, shape->arena, db_tables[t], "");
            compare(shape, db_tables[t], &before[t], &after);
        }
    struct db_rows skus = whole_table(db, shape->arena, &sku_table, "WHERE unit > 0");
    for (size_t i = 0; i < LINES; i++)
        shape->skus[i] = ((const struct sku_row *)db_row(&skus, i))->id;
    for (size_t i = 0; i < shape->count; i++)
        if (shape->changes[i].table == &unit_clock_table) {
            const struct unit_clock_row *was = (const void *)shape->changes[i].was, *now = (const void *)shape->changes[i].row;
            shape->first_id = was->next_id;
            shape->ids = now->next_id - was->next_id;
            shape->first_seq = was->event_seq + 1;
            shape->seqs = now->event_seq - was->event_seq;
        }
    inside_close(&inside);
}

void shape_print(const struct shape *shape)
{
    size_t rows = 0;
    printf("rows:");
    for (size_t i = 0; i < shape->count;) {
        const struct change *first = &shape->changes[i];
        size_t n = 0, updates = 0;
        for (; i < shape->count && shape->changes[i].table == first->table; i++, n++)
            updates += shape->changes[i].was != NULL;
        printf(" %s %zu%s%s", first->table->name, n, updates == n ? "u" : updates > 0 ? "*" : "", first->per_batch ? "/batch" : "");
        rows += first->per_batch ? 0 : n;
    }
    printf("; %zu an order, %ld ids, %ld events\n", rows, (long)shape->ids, (long)shape->seqs);
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

struct db_value shape_value(const struct shape *shape, const struct floor_place *place, const struct change *change, size_t c, char text[64])
{
    const char *name = change->table->columns[c].name;
    struct db_value value = value_at(change->table, change->row, c);
    if (value.type == DB_TEXT && strcmp(name, "channel_order_id") == 0) {
        snprintf(text, 64, "F-%012ld", (long)place->orders);
        value.text = text;
    } else if (value.type == DB_INT && strcmp(name, "batch_id") == 0)
        value.number = place->batch_id;
    else if (value.type == DB_INT && strcmp(name, "hash") == 0)
        value.number = (int64_t)(chance(UINT64_C(1) << 53) << 10) ^ (int64_t)chance(1024);
    else if (value.type == DB_INT && ends_in(name, "seq"))
        value.number += value.number >= shape->first_seq ? place->event_seq + 1 - shape->first_seq : 0;
    else if (value.type == DB_INT && value.number >= shape->first_id && value.number < shape->first_id + shape->ids)
        value.number += place->next_id - shape->first_id;
    else if (value.type == DB_INT && (strcmp(name, "sku") == 0 || strcmp(name, "subject") == 0))
        for (size_t i = 0; i < LINES; i++)
            if (value.number == shape->skus[i]) {
                value.number = place->skus[i];
                break;
            }
    return value;
}

int64_t shape_delta(const struct change *change, size_t c)
{
    return number_at(change->table, change->row, c) - number_at(change->table, change->was, c);
}
