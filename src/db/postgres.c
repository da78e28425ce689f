/* src/db/postgres.c: the driver for PostgreSQL.
 * The connection stays in pipeline mode. What is sent is noted in a queue, its results come in the same order. Writes
 * inside a transaction are only sent; whoever needs an answer (reads, a commit) takes all results up to its own, and
 * so meets the error of an earlier write. Reads that are asked for together are sent together and wait once. After an error the server skips
 * everything up to the next sync, which the rollback sends. Parameters and results are binary; sets of rows go as one array a column, a few rows as
 * values. */
#include "db/spell.h"
#include "db/store.h"

#include <endian.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 6000 /* the server ends a statement after 5 s; a server that says nothing by then is gone */
#define WAIT_EVER (-1)
#define SET_ROWS 1024 /* rows a statement */
#define FEW 8         /* so many rows are given as values, in a statement for their number; more as arrays */
#define OID_BYTEA 17
#define OID_INT8 20
#define OID_TEXT 25

struct pg_statement {
    char name[24];
    const char *sql;
    const Oid *types;
    size_t parameter_count;
    bool sent; /* prepared, or on its way to be */
};

/* What a result that is still to come answers. */
struct pg_pending {
    enum { PENDING_PREPARE, PENDING_RUN, PENDING_SYNC } kind;
    struct pg_statement *statement; /* of PENDING_PREPARE */
    struct db_read *read;           /* whose rows a PENDING_RUN brings; NULL: none that anybody wants */
    const char *what;               /* for the error */
};

/* By the number of rows; [0]: arrays. */
struct pg_table {
    struct pg_statement *load[FEW + 1], *lock[FEW + 1], *insert[FEW + 1], *update[FEW + 1], *remove[FEW + 1];
};
struct pg_path {
    struct pg_statement *load[FEW + 1];
};

struct postgres {
    struct db db;
    PGconn *connection;
    struct pg_pending *queue;
    size_t queue_count, queue_room, queue_taken; /* taken: by the take_all that is under way */
    PGresult *held;                              /* the result that is being read when an arena may be full */
    struct arena *rows;                          /* where the reads of the queue want theirs */
    struct pg_table *tables;
    struct pg_path *paths;
    struct db_slots statements;
    int64_t prepared_count;
    char *scratch; /* parameters of one statement */
    size_t scratch_size, scratch_room;
    char wal_from[32];
};

static struct postgres *of(struct db *db)
{
    return (struct postgres *)(void *)db;
}

static struct db *postgres_make(void)
{
    struct postgres *pg = calloc(1, sizeof(*pg));
    return pg == NULL ? NULL : &pg->db;
}

static enum db_result no_memory(struct postgres *pg)
{
    return db_say(&pg->db, DB_BUSY, NO_MEMORY);
}

/* ---- errors ---- */

static enum db_result result_of_state(const char *state)
{
    static const struct {
        const char *begins;
        enum db_result result;
    } states[] = {
        { "23", DB_CONSTRAINT }, /* not null, foreign key, unique, check */
        { "55P03", DB_BUSY },    /* lock_timeout */
        { "57014", DB_BUSY },    /* statement_timeout */
        { "40", DB_BUSY },       /* serialisation, deadlock: there should be none; the batch is run again */
        { "53300", DB_BUSY },    /* too many connections */
        { "53200", DB_BUSY },    /* the server has no memory left */
        { "53", DB_FULL },       /* disk */
        { "58", DB_IO },         { "XX001", DB_CORRUPT }, { "XX002", DB_CORRUPT }, { "08", DB_LOST }, { "57P", DB_LOST }, /* shut down, terminated */
        { "25P", DB_LOST },                                                                                               /* idle too long */
        { "25006", DB_LOST },                                                                                             /* has become a standby */
    };
    for (size_t i = 0; state != NULL && i < COUNT(states); i++)
        if (strncmp(state, states[i].begins, strlen(states[i].begins)) == 0)
            return states[i].result;
    return DB_BUG;
}

static enum db_result lost(struct postgres *pg, const char *why)
{
    pg->queue_count = pg->queue_taken = 0;
    return db_say(&pg->db, DB_LOST, "the connection to PostgreSQL is lost: %s", why);
}

static enum db_result failed(struct postgres *pg, const PGresult *result, const char *what)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    enum db_result is = PQstatus(pg->connection) == CONNECTION_BAD ? DB_LOST : result_of_state(state);
    if (state == NULL) /* libpq's own words, as when memory was short: what the server said is not known, also not to a COMMIT */
        return lost(pg, result == NULL ? PQerrorMessage(pg->connection) : PQresultErrorMessage(result));
    if (strcmp(state, "22012") == 0)
        return db_say(&pg->db, DB_BUG, "%s: a row that was to be changed is not there (or a division by zero)", what); /* spell.c */
    return db_say(&pg->db, is, "%s: %s", what, PQresultErrorMessage(result));
}

/* ---- waiting, never without an end ---- */

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until PQgetResult would not block. */
static enum db_result wait_for_result(struct postgres *pg, int64_t limit_ms)
{
    int64_t until = monotonic_ms() + limit_ms;
    for (;;) {
        int flushed = PQflush(pg->connection);
        if (flushed < 0)
            return lost(pg, PQerrorMessage(pg->connection));
        if (!PQisBusy(pg->connection))
            return DB_OK;
        if (strstr(PQerrorMessage(pg->connection), "out of memory") != NULL)
            return lost(pg, NO_MEMORY); /* it had none for the result of a sync, and waits for ever for what has come already */
        struct pollfd poller = { .fd = PQsocket(pg->connection), .events = (short)(POLLIN | (flushed > 0 ? POLLOUT : 0)) };
        int64_t left = limit_ms < 0 ? -1 : max_i64(until - monotonic_ms(), 0);
        int ready = poll(&poller, 1, (int)left);
        if (ready < 0 && errno != EINTR)
            return lost(pg, "poll failed");
        if (ready == 0)
            return lost(pg, "no answer in 6 s");
        if ((poller.revents & ~POLLOUT) != 0 && PQconsumeInput(pg->connection) == 0)
            return lost(pg, PQerrorMessage(pg->connection));
    }
}

/* ---- the queue of results to come ---- */

static bool queue_add(struct postgres *pg, struct pg_pending pending)
{
    if (pg->queue_count == pg->queue_room) {
        size_t room = pg->queue_room == 0 ? 64 : pg->queue_room * 2;
        struct pg_pending *queue = realloc(pg->queue, room * sizeof(*queue));
        if (queue == NULL)
            return false;
        pg->queue = queue;
        pg->queue_room = room;
    }
    pg->queue[pg->queue_count++] = pending;
    return true;
}

/* Notes what was sent; a note that finds no memory leaves results that nobody could assign. */
static enum db_result noted(struct postgres *pg, int sent, struct pg_pending pending)
{
    if (sent == 0)
        return lost(pg, PQerrorMessage(pg->connection));
    return queue_add(pg, pending) ? DB_OK : lost(pg, NO_MEMORY);
}

static enum db_result send_sync(struct postgres *pg)
{
    return noted(pg, PQpipelineSync(pg->connection), (struct pg_pending){ .kind = PENDING_SYNC });
}

static enum db_result judge(struct postgres *pg, const struct pg_pending *pending, const PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_PIPELINE_SYNC:
        return DB_OK;
    default:
        if (pending->kind == PENDING_PREPARE)
            pending->statement->sent = false;
        if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
            return DB_BUG; /* something before it failed, and that is what is told */
        return failed(pg, result, pending->what);
    }
}

static enum db_result take_rows(struct postgres *pg, PGresult *result, struct db_read *read, const char *what);

/* Takes the results of all that was sent, and fills the reads among it. *last is the last but a sync, the caller's to clear; NULL where it failed.
 * Gives the first error; that is the cause of all others. */
static enum db_result take_all(struct postgres *pg, PGresult **last)
{
    enum db_result first = DB_OK;
    if (last != NULL)
        *last = NULL;
    for (pg->queue_taken = 0; pg->queue_taken < pg->queue_count;) {
        const struct pg_pending pending = pg->queue[pg->queue_taken++];
        enum db_result waited = wait_for_result(pg, WAIT_MS);
        PGresult *result = waited == DB_OK ? PQgetResult(pg->connection) : NULL;
        if (result == NULL)
            return waited != DB_OK ? waited : lost(pg, "a result is missing");
        char said[sizeof(pg->db.error)];
        memcpy(said, pg->db.error, sizeof(said));
        enum db_result is = judge(pg, &pending, result);
        if (pending.kind != PENDING_SYNC && wait_for_result(pg, WAIT_MS) == DB_OK)
            PQclear(PQgetResult(pg->connection)); /* NULL: the end of this command's results */
        if (pending.read != NULL && is == DB_OK && first == DB_OK) {
            is = take_rows(pg, result, pending.read, pending.what);
            result = NULL;
        }
        if (first != DB_OK)
            memcpy(pg->db.error, said, sizeof(said));
        else
            first = is;
        if (last != NULL && pending.kind == PENDING_RUN && is == DB_OK) {
            PQclear(*last);
            *last = result;
        } else {
            PQclear(result);
        }
        if (pg->db.lost)
            break;
    }
    pg->queue_count = pg->queue_taken = 0;
    if (last != NULL && first != DB_OK) {
        PQclear(*last);
        *last = NULL;
    }
    return pg->db.lost ? DB_LOST : first;
}

/* Asks for the answers to all that was sent, and takes them. Outside a transaction the sync ends what was sent. */
static enum db_result settle(struct postgres *pg, PGresult **last)
{
    if (pg->db.state == DB_IDLE) {
        enum db_result result = send_sync(pg);
        if (result != DB_OK)
            return result;
    } else if (PQsendFlushRequest(pg->connection) == 0) {
        return lost(pg, PQerrorMessage(pg->connection));
    }
    return take_all(pg, last);
}

/* ---- parameters: laid one behind the other in the scratch memory ---- */

struct parameters {
    size_t count, room;
    struct parameter {
        size_t at; /* in the scratch memory */
        int size;  /* -1: NULL */
    } items[200];  /* 64 columns at most, or those of a few rows, and a limit */
};

/* How many rows a statement is made for: 0 for as many as come. */
static size_t few(size_t rows, size_t columns)
{
    return rows <= FEW && rows * columns < COUNT(((struct parameters *)NULL)->items) ? rows : 0;
}

static char *scratch_add(struct postgres *pg, size_t bytes)
{
    if (pg->scratch_size + bytes > pg->scratch_room) {
        size_t room = (pg->scratch_size + bytes) * 2 + 4096;
        char *scratch = realloc(pg->scratch, room);
        if (scratch == NULL)
            return NULL;
        pg->scratch = scratch;
        pg->scratch_room = room;
    }
    char *at = pg->scratch + pg->scratch_size;
    pg->scratch_size += bytes;
    return at;
}

static void put_u32(char *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof(value));
}

static void put_u64(char *at, uint64_t value)
{
    value = htobe64(value);
    memcpy(at, &value, sizeof(value));
}

static Oid oid_of(enum db_type type)
{
    switch (type) {
    case DB_INT:
        return OID_INT8;
    case DB_TEXT:
        return OID_TEXT;
    case DB_BLOB:
        return OID_BYTEA;
    }
    return 0;
}

static Oid array_oid_of(enum db_type type)
{
    switch (type) {
    case DB_INT:
        return 1016;
    case DB_TEXT:
        return 1009;
    case DB_BLOB:
        return 1001;
    }
    return 0;
}

/* A value as it stands in a struct. */
static struct db_value value_of(const struct db_column *column, const void *row)
{
    const char *member = (const char *)row + column->offset;
    struct db_value value = { .type = column->type };
    switch (column->type) {
    case DB_INT:
        memcpy(&value.number, member, sizeof(value.number));
        break;
    case DB_TEXT:
        memcpy(&value.text, member, sizeof(value.text));
        break;
    case DB_BLOB:
        memcpy(&value.blob, member, sizeof(value.blob));
        break;
    }
    return value;
}

static bool is_null(const struct db_value *value)
{
    switch (value->type) {
    case DB_INT:
        return value->number == NULL_INT;
    case DB_TEXT:
        return value->text == NULL;
    case DB_BLOB:
        return value->blob.at == NULL;
    }
    return true;
}

static size_t value_bytes(const struct db_value *value)
{
    switch (value->type) {
    case DB_INT:
        return sizeof(int64_t);
    case DB_TEXT:
        return strlen(value->text);
    case DB_BLOB:
        return value->blob.size;
    }
    return 0;
}

static void put_value(char *at, const struct db_value *value, size_t bytes)
{
    if (value->type == DB_INT)
        put_u64(at, (uint64_t)value->number);
    else if (bytes > 0)
        memcpy(at, value->type == DB_TEXT ? (const void *)value->text : value->blob.at, bytes);
}

static bool add_value(struct postgres *pg, struct parameters *parameters, const struct db_value *value)
{
    struct parameter *parameter = &parameters->items[parameters->count++];
    *parameter = (struct parameter){ .at = pg->scratch_size, .size = -1 };
    if (is_null(value))
        return true;
    size_t bytes = value_bytes(value);
    char *at = scratch_add(pg, bytes);
    if (at == NULL)
        return false;
    put_value(at, value, bytes);
    parameter->size = (int)bytes;
    return true;
}

/* An array of one dimension in PostgreSQL's binary form (array_send): dimensions, any NULL, element type, length,
 * first index, then each element's size and bytes. */
#define ARRAY_HEAD 20

static void put_array_head(char *at, bool nulls, enum db_type type, size_t count)
{
    put_u32(at, 1);
    put_u32(at + 4, nulls);
    put_u32(at + 8, oid_of(type));
    put_u32(at + 12, (uint32_t)count);
    put_u32(at + 16, 1);
}

static bool add_element(struct postgres *pg, const struct db_value *value, bool *nulls)
{
    bool null = is_null(value);
    size_t bytes = null ? 0 : value_bytes(value);
    char *at = scratch_add(pg, 4 + bytes);
    if (at == NULL)
        return false;
    put_u32(at, null ? UINT32_MAX : (uint32_t)bytes);
    if (!null)
        put_value(at + 4, value, bytes);
    *nulls |= null;
    return true;
}

/* One column of many rows. */
static bool add_column_array(struct postgres *pg, struct parameters *parameters, const struct db_column *column, const void *const *rows,
                             size_t count)
{
    struct parameter *parameter = &parameters->items[parameters->count++];
    parameter->at = pg->scratch_size;
    bool ok = scratch_add(pg, ARRAY_HEAD) != NULL, nulls = false;
    for (size_t i = 0; i < count && ok; i++) {
        struct db_value value = value_of(column, rows[i]);
        ok = add_element(pg, &value, &nulls);
    }
    if (ok)
        put_array_head(pg->scratch + parameter->at, nulls, column->type, count);
    parameter->size = (int)(pg->scratch_size - parameter->at);
    return ok;
}

/* Every `stride`-th of `values`. */
static bool add_value_array(struct postgres *pg, struct parameters *parameters, enum db_type type, const struct db_value *values, size_t stride,
                            size_t count)
{
    struct parameter *parameter = &parameters->items[parameters->count++];
    parameter->at = pg->scratch_size;
    bool ok = scratch_add(pg, ARRAY_HEAD) != NULL, nulls = false;
    for (size_t i = 0; i < count && ok; i++)
        ok = add_element(pg, &values[i * stride], &nulls);
    if (ok)
        put_array_head(pg->scratch + parameter->at, nulls, type, count);
    parameter->size = (int)(pg->scratch_size - parameter->at);
    return ok;
}

static bool add_key_array(struct postgres *pg, struct parameters *parameters, const int64_t *keys, size_t stride, size_t count)
{
    struct parameter *parameter = &parameters->items[parameters->count++];
    parameter->at = pg->scratch_size;
    char *at = scratch_add(pg, ARRAY_HEAD + count * 12);
    if (at == NULL)
        return false;
    put_array_head(at, false, DB_INT, count);
    at += ARRAY_HEAD;
    for (size_t i = 0; i < count; i++, at += 12) {
        put_u32(at, 8);
        put_u64(at + 4, (uint64_t)keys[i * stride]);
    }
    parameter->size = (int)(ARRAY_HEAD + count * 12);
    return true;
}

/* ---- statements ---- */

/* A new statement of the connection; NULL: no memory. `types` lives as long as the connection. */
static struct pg_statement *statement_new(struct postgres *pg, const char *sql, const Oid *types, size_t count)
{
    struct pg_statement *statement = ARENA_NEW(pg->db.texts, struct pg_statement);
    snprintf(statement->name, sizeof(statement->name), "m%lld", (long long)++pg->prepared_count);
    statement->sql = sql;
    statement->types = types;
    statement->parameter_count = count;
    return statement;
}

/* The types of `rows` rows of columns, or of one array a column; `more` others have room behind them. */
static Oid *types_of(struct postgres *pg, const struct db_table *table, const uint8_t *columns, size_t count, size_t rows, size_t more)
{
    Oid *types = ARENA_ARRAY(pg->db.texts, Oid, count * (rows > 0 ? rows : 1) + more);
    for (size_t i = 0; i < count * (rows > 0 ? rows : 1); i++) {
        enum db_type type = table->columns[columns != NULL ? columns[i % count] : i % count].type;
        types[i] = rows > 0 ? oid_of(type) : array_oid_of(type);
    }
    return types;
}

/* For a statement over the first `count` columns of a table, of `rows` rows; 0: as arrays. */
static struct pg_statement *statement_of_table(struct postgres *pg, struct pg_statement **slots, const struct db_table *table, size_t count,
                                               size_t rows, const char *(*spell)(struct arena *arena, const struct db_table *table, size_t rows))
{
    if (slots[rows] == NULL)
        slots[rows] = statement_new(pg, spell(pg->db.texts, table, rows), types_of(pg, table, NULL, count, rows, 0), count * (rows > 0 ? rows : 1));
    return slots[rows];
}

static enum db_result send_run(struct postgres *pg, struct pg_statement *statement, const struct parameters *parameters, struct db_read *read,
                               const char *what)
{
    const char *values[COUNT(parameters->items)];
    int sizes[COUNT(parameters->items)], formats[COUNT(parameters->items)];
    for (size_t i = 0; i < parameters->count; i++) {
        values[i] = parameters->items[i].size < 0 ? NULL : pg->scratch + parameters->items[i].at;
        sizes[i] = parameters->items[i].size;
        formats[i] = 1;
    }
    enum db_result result = DB_OK;
    if (!statement->sent) {
        int sent = PQsendPrepare(pg->connection, statement->name, statement->sql, (int)statement->parameter_count, statement->types);
        result = noted(pg, sent, (struct pg_pending){ .kind = PENDING_PREPARE, .statement = statement, .what = what });
        statement->sent = result == DB_OK;
    }
    if (result == DB_OK) {
        int sent = PQsendQueryPrepared(pg->connection, statement->name, (int)parameters->count, values, sizes, formats, 1);
        result = noted(pg, sent, (struct pg_pending){ .kind = PENDING_RUN, .read = read, .what = what });
    }
    pg->scratch_size = 0;
    return result;
}

static enum db_result send_plain(struct postgres *pg, const char *sql)
{
    return noted(pg, PQsendQueryParams(pg->connection, sql, 0, NULL, NULL, NULL, NULL, 0), (struct pg_pending){ .kind = PENDING_RUN, .what = sql });
}

/* ---- results ---- */

static void read_value(const PGresult *result, int row, int at, const struct db_column *column, struct arena *arena, char *out)
{
    char *member = out + column->offset;
    bool null = PQgetisnull(result, row, at) != 0;
    const char *value = PQgetvalue(result, row, at);
    size_t bytes = (size_t)PQgetlength(result, row, at);
    if (column->type == DB_INT) {
        uint64_t number = (uint64_t)NULL_INT;
        if (!null) {
            memcpy(&number, value, sizeof(number));
            number = be64toh(number);
        }
        memcpy(member, &number, sizeof(number));
    } else if (column->type == DB_TEXT) {
        const char *text = null ? NULL : arena_text_n(arena, value, bytes);
        memcpy(member, &text, sizeof(text));
    } else {
        struct bytes blob = { NULL, 0 };
        if (!null) {
            uint8_t *copy = arena_alloc(arena, bytes + 1); /* an empty blob is not NULL */
            memcpy(copy, value, bytes);
            blob = (struct bytes){ copy, bytes };
        }
        memcpy(member, &blob, sizeof(blob));
    }
}

/* Into the arena; pg->held is the result meanwhile, so that a full arena loses nothing. */
static enum db_result take_rows(struct postgres *pg, PGresult *result, struct db_read *read, const char *what)
{
    const struct db_table *table = read->path != NULL ? read->path->table : read->table;
    const struct db_column *columns = read->statement != NULL ? read->statement->columns : table->columns;
    size_t column_count = read->statement != NULL ? read->statement->column_count : table->column_count;
    struct db_rows *rows = &read->rows;
    pg->held = result;
    enum db_result is = DB_OK;
    if ((size_t)PQnfields(result) != column_count)
        is = db_say(&pg->db, DB_BUG, "%s: %d columns, not %zu", what, PQnfields(result), column_count);
    for (size_t i = 0; i < column_count && is == DB_OK; i++)
        if (PQftype(result, (int)i) != oid_of(columns[i].type))
            is = db_say(&pg->db, DB_BUG, "%s: column %s has PostgreSQL's type %u: CAST it AS INT, TEXT or BLOB", what, columns[i].name,
                        PQftype(result, (int)i));
    if (is == DB_OK) {
        size_t count = (size_t)PQntuples(result);
        rows->at = count > 0 ? arena_alloc_array(pg->rows, count, rows->stride) : NULL;
        for (rows->count = 0; rows->count < count; rows->count++)
            for (size_t i = 0; i < column_count; i++)
                read_value(result, (int)rows->count, (int)i, &columns[i], pg->rows, db_row(rows, rows->count));
    }
    PQclear(result);
    pg->held = NULL;
    return is;
}

/* A full arena has jumped out of take_all: its reads are gone, but the results of what was sent are still to come. */
static void postgres_abandon(struct db *db)
{
    struct postgres *pg = of(db);
    PQclear(pg->held);
    pg->held = NULL;
    pg->queue_count -= pg->queue_taken;
    if (pg->queue_taken > 0)
        memmove(pg->queue, pg->queue + pg->queue_taken, pg->queue_count * sizeof(*pg->queue));
    pg->queue_taken = 0;
    for (size_t i = 0; i < pg->queue_count; i++)
        pg->queue[i].read = NULL;
}

/* ---- several statements in one text: only outside pipeline mode ---- */

struct pg_text {
    const char *sql, *what; /* what: for the error */
    int64_t limit_ms;       /* for the answer to each statement */
};

static enum db_result run_text(struct postgres *pg, const struct pg_text *text)
{
    PGresult *got;
    enum db_result result, told = DB_OK;
    if (PQsendQuery(pg->connection, text->sql) == 0)
        return lost(pg, PQerrorMessage(pg->connection));
    while ((result = pg->db.lost ? DB_LOST : wait_for_result(pg, text->limit_ms)) == DB_OK && (got = PQgetResult(pg->connection)) != NULL) {
        ExecStatusType status = PQresultStatus(got);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
            told = failed(pg, got, text->what);
        PQclear(got);
    }
    return result == DB_OK ? told : result;
}

/* ---- opening ---- */

static enum db_result set_up(struct postgres *pg, const struct db_options *options)
{
    char sql[1024];
    snprintf(sql, sizeof(sql),
             "SET statement_timeout = '5s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '10s';"
             /* A plan is made once, when a table may still be empty, and serves for years: it must be the one by index. */
             "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
             "SET enable_bitmapscan = off;"
             "SET jit = off; SET client_min_messages = warning; SET synchronous_commit = %s;"
             "SET default_transaction_read_only = %s;%s",
             options->no_sync ? "off" : "on", options->read_only ? "on" : "off", options->projection ? "SET search_path TO \"read\"" : "");
    return run_text(pg, &(struct pg_text){ .sql = sql, .what = "settings", .limit_ms = WAIT_MS });
}

static void say_nothing(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

/* connect_timeout bounds the whole of connecting to one host, start-up and password too, and then libpq goes on to the next host of
 * the URL: a wait of our own (PQconnectPoll) would have to know which host it waits for. */
static enum db_result postgres_open(struct db *db, const struct db_options *options)
{
    struct postgres *pg = of(db);
    const char *const names[] = { "connect_timeout", "tcp_user_timeout", "keepalives_idle", "application_name", "client_encoding", "dbname", NULL };
    const char *const values[] = { "5", "5000", "5", "millrace", "UTF8", options->url, NULL };
    pg->tables = calloc(db_table_count + 1, sizeof(*pg->tables));
    pg->paths = calloc(db_path_count + 1, sizeof(*pg->paths));
    pg->connection = PQconnectdbParams(names, values, 1);
    if (pg->tables == NULL || pg->paths == NULL || pg->connection == NULL)
        return no_memory(pg);
    if (PQstatus(pg->connection) != CONNECTION_OK)
        return db_say(db, DB_LOST, "PostgreSQL cannot be reached: %s See that it runs and that the URL names its host, database and user",
                      PQerrorMessage(pg->connection));
    PQsetNoticeReceiver(pg->connection, say_nothing, NULL);
    if (PQsetnonblocking(pg->connection, 1) != 0) /* first: from here on nobody waits but wait_for_result */
        return lost(pg, PQerrorMessage(pg->connection));
    enum db_result result = set_up(pg, options);
    if (result == DB_OK && PQenterPipelineMode(pg->connection) == 0)
        result = lost(pg, PQerrorMessage(pg->connection));
    return result;
}

static void postgres_close(struct db *db)
{
    struct postgres *pg = of(db);
    PQclear(pg->held);
    PQfinish(pg->connection);
    free(pg->queue);
    free(pg->tables);
    free(pg->paths);
    free(pg->statements.slots);
    free(pg->scratch);
}

/* ---- transactions ---- */

static enum db_result postgres_begin(struct db *db, enum db_state state)
{
    return send_plain(of(db),
                      state == DB_WRITING ? "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

static enum db_result postgres_commit(struct db *db)
{
    struct postgres *pg = of(db);
    PGresult *last = NULL;
    enum db_result result = send_plain(pg, "COMMIT");
    if (result == DB_OK)
        result = send_sync(pg);
    if (result == DB_OK)
        result = take_all(pg, &last);
    if (result == DB_OK && strcmp(PQcmdStatus(last), "COMMIT") != 0) /* the server rolls back what had failed, and calls it done */
        result = db_say(db, DB_BUG, "COMMIT was answered by %s", PQcmdStatus(last));
    PQclear(last);
    return result;
}

static enum db_result postgres_rollback(struct db *db)
{
    struct postgres *pg = of(db);
    char said[sizeof(db->error)];
    memcpy(said, db->error, sizeof(said));
    postgres_abandon(db);
    enum db_result result = send_sync(pg); /* ends the skipping after an error */
    if (result == DB_OK)
        result = send_plain(pg, "ROLLBACK");
    if (result == DB_OK)
        result = send_sync(pg);
    if (result == DB_OK)
        take_all(pg, NULL); /* what failed is told already */
    if (db->lost)
        return DB_LOST;
    if (PQtransactionStatus(pg->connection) != PQTRANS_IDLE)
        return lost(pg, "a transaction could not be ended");
    memcpy(db->error, said, sizeof(said));
    return DB_OK;
}

/* ---- rows ---- */

static bool add_all(struct postgres *pg, struct parameters *parameters, const struct db_value *values, size_t count)
{
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++)
        ok = add_value(pg, parameters, &values[i]);
    return ok;
}

static bool add_keys(struct postgres *pg, struct parameters *parameters, const int64_t *keys, size_t count)
{
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++) {
        struct db_value key = db_int(keys[i]);
        ok = add_value(pg, parameters, &key);
    }
    return ok;
}

static enum db_result send_load(struct postgres *pg, struct db_read *read)
{
    const struct db_table *table = read->table;
    struct pg_table *own = &pg->tables[table->number];
    size_t columns = table->key_count, rows = few(read->count, columns);
    struct pg_statement *statement =
        statement_of_table(pg, read->lock ? own->lock : own->load, table, columns, rows, read->lock ? spell_postgres_lock : spell_postgres_load);
    struct parameters parameters = { 0 };
    bool ok = rows == 0 || add_keys(pg, &parameters, read->keys, rows * columns);
    for (size_t i = 0; i < columns && rows == 0 && ok; i++)
        ok = add_key_array(pg, &parameters, read->keys + i, columns, read->count);
    return ok ? send_run(pg, statement, &parameters, read, table->name) : no_memory(pg);
}

static struct pg_statement *statement_of_path(struct postgres *pg, const struct db_path *path, size_t rows)
{
    struct pg_statement **slot = &pg->paths[path->number].load[rows];
    size_t count = path->prefix_count * (rows > 0 ? rows : 1);
    if (*slot == NULL) {
        Oid *types = types_of(pg, path->table, path->columns, path->prefix_count, rows, 1);
        types[count] = OID_INT8;
        *slot = statement_new(pg, spell_postgres_path(pg->db.texts, path, rows), types, count + 1);
    }
    return *slot;
}

static enum db_result send_load_path(struct postgres *pg, struct db_read *read)
{
    const struct db_path *path = read->path;
    size_t columns = path->prefix_count, rows = few(read->count, columns);
    struct pg_statement *statement = statement_of_path(pg, path, rows);
    struct parameters parameters = { 0 };
    struct db_value most = db_int(read->limit == 0 ? NULL_INT : (int64_t)read->limit);
    bool ok = rows == 0 || add_all(pg, &parameters, read->prefixes, rows * columns);
    for (size_t i = 0; i < columns && rows == 0 && ok; i++)
        ok = add_value_array(pg, &parameters, path->table->columns[path->columns[i]].type, read->prefixes + i, columns, read->count);
    return ok && add_value(pg, &parameters, &most) ? send_run(pg, statement, &parameters, read, path->name) : no_memory(pg);
}

static bool add_rows(struct postgres *pg, struct parameters *parameters, const struct db_table *table, size_t columns, const void *const *rows,
                     size_t count)
{
    bool ok = true;
    for (size_t i = 0; i < count * columns && ok; i++) {
        struct db_value value = value_of(&table->columns[i % columns], rows[i / columns]);
        ok = add_value(pg, parameters, &value);
    }
    return ok;
}

/* What a table's rows are written with. */
struct pg_write {
    struct pg_statement **slots;
    const char *(*spell)(struct arena *arena, const struct db_table *table, size_t rows);
    size_t columns; /* the first so many of each row */
};

/* Sends sets of at most SET_ROWS rows. */
static enum db_result send_rows(struct postgres *pg, const struct pg_write *write, const struct db_table *table, const void *const *rows,
                                size_t count)
{
    enum db_result result = DB_OK;
    while (count > 0 && result == DB_OK) {
        size_t now = count < SET_ROWS ? count : SET_ROWS, values = few(now, write->columns);
        struct parameters parameters = { 0 };
        struct pg_statement *statement = statement_of_table(pg, write->slots, table, write->columns, values, write->spell);
        bool ok = values == 0 || add_rows(pg, &parameters, table, write->columns, rows, now);
        for (size_t i = 0; i < write->columns && values == 0 && ok; i++)
            ok = add_column_array(pg, &parameters, &table->columns[i], rows, now);
        result = ok ? send_run(pg, statement, &parameters, NULL, table->name) : no_memory(pg);
        rows += now;
        count -= now;
    }
    return result;
}

static enum db_result postgres_insert(struct db *db, const struct db_table *table, const void *const *rows, size_t count)
{
    struct postgres *pg = of(db);
    const struct pg_write write = { pg->tables[table->number].insert, spell_postgres_insert, table->column_count };
    return send_rows(pg, &write, table, rows, count);
}

static enum db_result postgres_update(struct db *db, const struct db_table *table, const void *const *rows, size_t count)
{
    struct postgres *pg = of(db);
    const struct pg_write write = { pg->tables[table->number].update, spell_postgres_update, table->column_count };
    return send_rows(pg, &write, table, rows, count);
}

static enum db_result postgres_remove(struct db *db, const struct db_table *table, const void *const *rows, size_t count)
{
    struct postgres *pg = of(db);
    const struct pg_write write = { pg->tables[table->number].remove, spell_postgres_delete, table->key_count };
    return send_rows(pg, &write, table, rows, count);
}

/* ---- statements of .sql files ---- */

static struct pg_statement *statement_of(struct postgres *pg, const struct db_statement *statement)
{
    void **slot = db_slot(&pg->statements, statement);
    if (slot != NULL && *slot == NULL) {
        Oid *types = ARENA_ARRAY(pg->db.texts, Oid, statement->parameter_count + 1);
        for (size_t i = 0; i < statement->parameter_count; i++)
            types[i] = oid_of(statement->parameters[i]);
        *slot = statement_new(pg, statement->postgres, types, statement->parameter_count);
    }
    return slot == NULL ? NULL : *slot;
}

static enum db_result send_query(struct postgres *pg, struct db_read *read)
{
    struct pg_statement *prepared = statement_of(pg, read->statement);
    struct parameters parameters = { 0 };
    if (prepared == NULL || !add_all(pg, &parameters, read->prefixes, read->statement->parameter_count))
        return no_memory(pg);
    return send_run(pg, prepared, &parameters, read, read->statement->name);
}

static enum db_result postgres_read(struct db *db, struct arena *arena, struct db_read *reads, size_t count)
{
    struct postgres *pg = of(db);
    enum db_result result = DB_OK;
    pg->rows = arena;
    for (struct db_read *read = reads; read < reads + count && result == DB_OK; read++) {
        if (read->statement != NULL)
            result = send_query(pg, read);
        else if (read->count > 0)
            result = read->path != NULL ? send_load_path(pg, read) : send_load(pg, read);
    }
    if (result != DB_OK)
        postgres_abandon(db); /* what was sent already has nowhere to go */
    return result == DB_OK ? settle(pg, NULL) : result;
}

static enum db_result postgres_execute(struct db *db, const struct db_statement *statement, const struct db_value *values, int64_t *changed)
{
    struct postgres *pg = of(db);
    struct pg_statement *prepared = statement_of(pg, statement);
    struct parameters parameters = { 0 };
    if (prepared == NULL || !add_all(pg, &parameters, values, statement->parameter_count))
        return no_memory(pg);
    enum db_result result = send_run(pg, prepared, &parameters, NULL, statement->name);
    if (result != DB_OK || (changed == NULL && db->state != DB_IDLE))
        return result;
    PGresult *got = NULL;
    result = settle(pg, &got);
    if (result == DB_OK && changed != NULL)
        *changed = strtoll(PQcmdTuples(got), NULL, 10);
    PQclear(got);
    return result;
}

/* Takes as long as it takes: an index over a large table. */
static enum db_result postgres_script(struct db *db, const char *sql)
{
    struct postgres *pg = of(db);
    enum db_result result = send_sync(pg);
    if (result == DB_OK)
        result = take_all(pg, NULL);
    if (result != DB_OK)
        return result;
    if (PQexitPipelineMode(pg->connection) == 0)
        return lost(pg, PQerrorMessage(pg->connection));
    result = run_text(pg, &(struct pg_text){ .sql = sql, .what = "script", .limit_ms = WAIT_EVER });
    if (!db->lost && PQenterPipelineMode(pg->connection) == 0)
        return lost(pg, PQerrorMessage(pg->connection));
    return result;
}

/* ---- the WAL ---- */

/* NOLINTNEXTLINE(readability-non-const-parameter): the signature of all drivers */
static enum db_result postgres_checkpoint(struct db *db, int64_t finish_us, int64_t *wal_bytes)
{
    (void)db, (void)finish_us, (void)wal_bytes; /* the server's own business */
    return DB_OK;
}

struct wal_place {
    const char *lsn;
};
struct wal_sum {
    int64_t records, bytes;
};

static enum db_result wal_between(struct db *db, struct arena *arena, const char *from, const char **to, struct db_wal_use *use)
{
    static const struct db_column place_columns[] = { { "lsn", DB_TEXT, false, offsetof(struct wal_place, lsn) } };
    static const struct db_statement place = { .name = "wal_place",
                                               .postgres = "SELECT CAST(pg_current_wal_flush_lsn() AS text) AS lsn",
                                               .columns = place_columns,
                                               .column_count = 1,
                                               .row_size = sizeof(struct wal_place) };
    static const enum db_type sum_parameters[] = { DB_TEXT, DB_TEXT };
    static const struct db_column sum_columns[] = { { "records", DB_INT, false, offsetof(struct wal_sum, records) },
                                                    { "bytes", DB_INT, false, offsetof(struct wal_sum, bytes) } };
    /* record_size is without full-page images. XLOG and Standby are the server's housekeeping. */
    static const struct db_statement sum = {
        .name = "wal_sum",
        .postgres = "SELECT CAST(coalesce(sum(w.count), 0) AS bigint) AS records, CAST(coalesce(sum(w.record_size), 0) AS bigint) AS bytes "
                    "FROM pg_get_wal_stats(CAST($1 AS pg_lsn), CAST($2 AS pg_lsn)) AS w "
                    "WHERE w.\"resource_manager/record_type\" NOT IN ('XLOG', 'Standby')",
        .parameters = sum_parameters,
        .parameter_count = 2,
        .columns = sum_columns,
        .column_count = 2,
        .row_size = sizeof(struct wal_sum)
    };
    struct db_rows rows;
    enum db_result result = db_query(db, arena, &place, NULL, &rows);
    if (result != DB_OK)
        return result;
    *to = ((const struct wal_place *)db_row(&rows, 0))->lsn;
    if (from[0] == '\0' || strcmp(from, *to) == 0)
        return DB_OK;
    const struct db_value values[] = { db_text(from), db_text(*to) };
    result = db_query(db, arena, &sum, values, &rows);
    if (result != DB_OK)
        return result;
    const struct wal_sum *got = db_row(&rows, 0);
    *use = (struct db_wal_use){ .records = got->records, .bytes = got->bytes };
    return DB_OK;
}

static enum db_result postgres_wal_use(struct db *db, struct db_wal_use *use)
{
    struct postgres *pg = of(db);
    const char *to = NULL;
    enum db_result result = DB_OK;
    if (pg->wal_from[0] == '\0')
        result = db_script(db, "CREATE EXTENSION IF NOT EXISTS pg_walinspect SCHEMA pg_catalog");
    struct arena *arena = arena_new((size_t)1 << 20);
    if (arena == NULL)
        return no_memory(pg);
    if (result == DB_OK)
        result = wal_between(db, arena, pg->wal_from, &to, use);
    if (result == DB_OK)
        snprintf(pg->wal_from, sizeof(pg->wal_from), "%s", to);
    arena_free(arena);
    return result;
}

static enum db_result postgres_lock_file(struct db *db)
{
    (void)db;
    return DB_OK;
}

const struct db_driver postgres_driver = {
    .make = postgres_make,
    .open = postgres_open,
    .close = postgres_close,
    .begin = postgres_begin,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .read = postgres_read,
    .insert = postgres_insert,
    .update = postgres_update,
    .remove = postgres_remove,
    .execute = postgres_execute,
    .script = postgres_script,
    .abandon = postgres_abandon,
    .checkpoint = postgres_checkpoint,
    .wal_use = postgres_wal_use,
    .lock_file = postgres_lock_file,
    .copy_out = postgres_copy_out,
};
