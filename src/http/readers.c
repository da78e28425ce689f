/* src/http/readers.c: a queue and a few threads, each with its own connections to the stores. A connection is opened
 * when it is first needed and again when it is lost; meanwhile reads are answered 503, and the read that met the loss
 * is run once more, for a read may be repeated. */
#include "http/readers.h"
#include "base/thread.h"
#include "base/when.h"
#include "db/wal.h"
#include "http/edge.h"
#include <stdatomic.h>
#include <stdlib.h>

#define CATCH_UP_US 2000000
#define AHEAD_US 100000 /* after a read: a snapshot keeps the WAL from beginning anew, so none is taken that nobody may need */

struct reader {
    struct readers *readers;
    pthread_t thread;
    struct arena *arena; /* of the connections' errors */
    struct reading reading;
    struct db *spare; /* another connection to the store; NULL: there is none */
    int64_t news;     /* of readers->news those that it has seen */
    bool ahead;       /* it may have a snapshot */
};

struct readers {
    struct http_server *server;
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct exchange *first, **last;
    size_t queued;
    atomic_int_fast64_t news;           /* of the WAL */
    atomic_int_fast64_t ahead_until_us; /* monotonic: since the last read */
    bool stopping;
    int count;
    struct reader reader[];
};

static void reader_close(struct reader *reader)
{
    db_close(reader->reading.db);
    db_close(reader->reading.projection);
    db_close(reader->spare);
    reader->reading.db = reader->reading.projection = reader->spare = NULL;
}

/* A connection that was lost, or is not there, is opened. */
static bool make_sure(struct reader *reader, struct db **db, const struct db_options *options)
{
    const char *error = NULL;
    if (*db != NULL && !db_is_lost(*db))
        return true;
    db_close(*db);
    arena_reset(reader->arena);
    if (db_open(db, options, reader->arena, &error) != DB_OK)
        *db = NULL;
    return *db != NULL;
}

/* Makes sure of the connections. True where no store is asked for. */
static bool reader_open(struct reader *reader)
{
    const struct http_options *options = &reader->readers->server->options;
    struct reading *reading = &reader->reading;
    if (options->store == NULL)
        return true;
    struct db_options read = *options->store, projection = *options->store;
    read.read_only = projection.read_only = projection.projection = true;
    if (!make_sure(reader, &reading->db, &read) || (options->projection && !make_sure(reader, &reading->projection, &projection)))
        return false;
    if (read.wal != NULL)
        (void)make_sure(reader, &reader->spare, &read); /* without it reads wait */
    return true;
}

/* Nobody is told what a power cut could take back. */
static bool is_durable(const struct reader *reader)
{
    return reader->reading.db == NULL || db_settle(reader->reading.db) == DB_OK;
}

static void read_once(struct reader *reader, struct exchange *exchange)
{
    const struct projection_hook *hook = &exchange->server->options.projected;
    struct reading *reading = &reader->reading;
    reading->arena = exchange->arena;
    exchange->answer = (struct answer){ 0 };
    if (!reader_open(reader))
        answer_fault(&exchange->answer, exchange->arena, FAULT_STORE_LOST, NULL, NULL);
    else if (exchange->is_projected && !hook->caught_up(hook->context, exchange->mark, when_monotonic_us() + CATCH_UP_US))
        answer_fault(&exchange->answer, exchange->arena, FAULT_BUSY, NULL, "the projections have not caught up yet");
    else {
        exchange->route->read(reading, &exchange->request, &exchange->answer);
        if (!is_durable(reader))
            answer_fault(&exchange->answer, exchange->arena, FAULT_STORE_LOST, NULL, NULL);
    }
    if (exchange->answer.status == 0)
        answer_fault(&exchange->answer, exchange->arena, FAULT_INTERNAL, NULL, NULL);
}

/* The connection that need not wait, or waits less. */
static void choose(struct reader *reader)
{
    struct db *other = reader->spare;
    if (db_ahead(other) <= db_ahead(reader->reading.db))
        return;
    reader->spare = reader->reading.db;
    reader->reading.db = other;
}

/* Before each request, since a reader that always has one never waits for some: what is of no use any more would hold the WAL. */
static void let_go_of_old(struct reader *reader)
{
    if (reader->reading.db == NULL || reader->spare == NULL)
        return;
    choose(reader);
    if (db_ahead(reader->reading.db) == DB_AHEAD_NOT)
        db_let_go(reader->reading.db);
    if (db_ahead(reader->spare) == DB_AHEAD_NOT)
        db_let_go(reader->spare);
}

static bool is_lost(const struct reader *reader)
{
    const struct reading *reading = &reader->reading;
    return (reading->db != NULL && db_is_lost(reading->db)) || (reading->projection != NULL && db_is_lost(reading->projection));
}

static void run_read(struct reader *reader, struct exchange *exchange)
{
    struct arena_mark mark = arena_mark(exchange->arena);
    read_once(reader, exchange);
    if (is_lost(reader) && exchange->answer.status >= 500) {
        arena_rewind(exchange->arena, mark);
        read_once(reader, exchange);
    }
}

/* What commands must know of the past. False: exchange->answer says why they are not submitted. */
static bool look_back_once(struct reader *reader, struct exchange *exchange)
{
    const struct projection_hook *hook = &exchange->server->options.projected;
    struct reading *reading = &reader->reading;
    enum db_result result = DB_OK;
    reading->arena = exchange->arena;
    exchange->answer = (struct answer){ 0 };
    if (!reader_open(reader))
        answer_fault(&exchange->answer, exchange->arena, FAULT_STORE_LOST, NULL, NULL);
    else if (hook->mark != NULL && !hook->caught_up(hook->context, exchange->mark, when_monotonic_us() + CATCH_UP_US))
        answer_fault(&exchange->answer, exchange->arena, FAULT_BUSY, NULL, "the projections have not caught up yet");
    else if (!edge_look_back(exchange, reading, &result) && result != DB_OK)
        answer_store(&exchange->answer, exchange->arena, result);
    return exchange->answer.status == 0;
}

static bool run_look_back(struct reader *reader, struct exchange *exchange)
{
    if (look_back_once(reader, exchange))
        return true;
    return is_lost(reader) && exchange->answer.status >= 500 && look_back_once(reader, exchange);
}

static void run_stream(struct reader *reader, struct exchange *exchange)
{
    const struct stream_source *source = &exchange->server->options.streams;
    arena_rewind(exchange->arena, exchange->stream_mark);
    exchange->page = (struct buffer){ .arena = exchange->arena };
    exchange->more = false;
    enum db_result result;
    reader->reading.arena = exchange->arena;
    exchange->ended = !reader_open(reader);
    if (exchange->ended)
        answer_fault(&exchange->answer, exchange->arena, FAULT_STORE_LOST, NULL, NULL);
    else if (!source->fill(source->context, &reader->reading, &exchange->stream, &exchange->page, STREAM_PAGE_BYTES, &exchange->more, &result)) {
        exchange->ended = true;
        if (result == DB_OK)
            answer_fault(&exchange->answer, exchange->arena, FAULT_MALFORMED_QUERY, NULL, "there is no such place to go on from");
        else
            answer_store(&exchange->answer, exchange->arena, result);
    } else if (!is_durable(reader)) {
        exchange->ended = true;
        answer_fault(&exchange->answer, exchange->arena, FAULT_STORE_LOST, NULL, NULL);
    }
}

static void run_keys(struct reader *reader, struct exchange *exchange)
{
    const struct auth_source *auth = &exchange->server->options.auth;
    if (reader->reading.db != NULL)
        db_let_go(reader->reading.db); /* keys come from other processes, too */
    exchange->keys_unread = !auth->reload(auth->context, reader_open(reader) ? reader->reading.db : NULL);
    if (exchange->keys_unread && reader->reading.db != NULL && db_is_lost(reader->reading.db)) /* found lost only now: as run_read does */
        exchange->keys_unread = !auth->reload(auth->context, reader_open(reader) ? reader->reading.db : NULL);
}

/* Memory ran out: what was begun on the connections is begun on new ones. */
static void run_full(struct reader *reader, struct exchange *exchange, bool machine)
{
    bool too_large = exchange->work == WORK_EDGE && !machine;
    reader_close(reader);
    edge_release(exchange);
    exchange->ended = true;
    arena_reset(exchange->arena);
    answer_fault(&exchange->answer, exchange->arena, too_large ? FAULT_BODY_TOO_LARGE : FAULT_BUSY, NULL, "the request needs too much memory");
}

/* Does the exchange's work. False: it went on to the engine and must not be touched any more. */
static bool reader_run(struct reader *reader, struct exchange *exchange)
{
    bool submit = false;
    switch (exchange->work) {
    case WORK_READ:
        run_read(reader, exchange);
        break;
    case WORK_STREAM:
        run_stream(reader, exchange);
        break;
    case WORK_KEYS:
        run_keys(reader, exchange);
        break;
    case WORK_EDGE:
        submit = edge_parse(exchange) && (!edge_looks_back(exchange) || run_look_back(reader, exchange));
        break;
    case WORK_PAST:
        submit = run_look_back(reader, exchange);
        break;
    case WORK_NONE:
    case WORK_COMMANDS:
        break;
    }
    return !submit;
}

static void reader_serve(struct reader *reader, struct exchange *exchange)
{
    struct arena_door door;
    volatile bool ours = true;
    arena_set_door(exchange->arena, &door);
    if (setjmp(door.where) == 0)
        ours = reader_run(reader, exchange);
    else
        run_full(reader, exchange, door.machine);
    arena_set_door(exchange->arena, NULL);
    if (ours)
        server_done(exchange);
    else {
        exchange->work = WORK_COMMANDS;
        edge_submit(exchange);
    }
}

/* ---- looking ahead: under load there is nearly always a batch that is visible and not durable yet, and a read that has seen it waits for
 * the disk. Two connections in turn hold snapshots between two batches: one of what is durable, which is all that was answered, and one of
 * the batch behind it, which is the first once that is durable. ---- */

static void has_news(void *context)
{
    struct readers *readers = context;
    atomic_fetch_add(&readers->news, 1);
    /* On the writer's thread, or the one that answers for it: they do not wait for readers. */
    if (when_monotonic_us() < atomic_load(&readers->ahead_until_us) && pthread_mutex_trylock(&readers->lock) == 0) {
        pthread_cond_broadcast(&readers->some);
        pthread_mutex_unlock(&readers->lock);
    }
}

static void look_ahead(struct reader *reader, bool reads)
{
    struct db *db = reader->reading.db, *spare = reader->spare;
    reader->ahead = false;
    if (db == NULL || spare == NULL)
        return;
    if (!reads) {
        db_let_go(db);
        db_let_go(spare);
        return;
    }
    const bool first = db_look_ahead(db, spare), second = db_look_ahead(spare, db);
    reader->ahead = first || second;
}

/* Waits for a request, and looks ahead meanwhile. The lock is held. */
static void wait_for_some(struct reader *reader)
{
    struct readers *readers = reader->readers;
    const int64_t until_us = readers->ahead_until_us;
    const struct timespec until = { .tv_sec = (time_t)(until_us / 1000000), .tv_nsec = (long)(until_us % 1000000) * 1000 };
    const bool reads = when_monotonic_us() < until_us, news = reader->news != readers->news;
    if (!reader->ahead && !(reads && news)) {
        pthread_cond_wait(&readers->some, &readers->lock);
    } else if (reads && !news) {
        (void)pthread_cond_timedwait(&readers->some, &readers->lock, &until);
    } else {
        reader->news = readers->news;
        pthread_mutex_unlock(&readers->lock);
        look_ahead(reader, reads);
        pthread_mutex_lock(&readers->lock);
    }
}

static void *reader_main(void *context)
{
    struct reader *reader = context;
    struct readers *readers = reader->readers;
    thread_begin("reader", 0, THREAD_ANSWERS_US);
    pthread_mutex_lock(&readers->lock);
    for (;;) {
        while (readers->first == NULL && !readers->stopping)
            wait_for_some(reader);
        struct exchange *exchange = readers->first;
        if (exchange == NULL)
            break;
        readers->first = exchange->next;
        if (readers->first == NULL)
            readers->last = &readers->first;
        readers->queued--;
        pthread_mutex_unlock(&readers->lock);
        const bool reads = exchange->work == WORK_READ || exchange->work == WORK_STREAM;
        let_go_of_old(reader);
        reader_serve(reader, exchange);
        if (reads)
            atomic_store(&readers->ahead_until_us, when_monotonic_us() + AHEAD_US);
        pthread_mutex_lock(&readers->lock);
        reader->news = -1; /* it looks ahead at once */
    }
    pthread_mutex_unlock(&readers->lock);
    reader_close(reader);
    return NULL;
}

struct readers *readers_start(struct http_server *server, int threads)
{
    struct readers *readers = calloc(1, sizeof *readers + (size_t)threads * sizeof readers->reader[0]);
    if (readers == NULL)
        return NULL;
    readers->server = server;
    readers->last = &readers->first;
    pthread_mutex_init(&readers->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&readers->some, &monotonic);
    pthread_condattr_destroy(&monotonic);
    for (; readers->count < threads; readers->count++) {
        struct reader *reader = &readers->reader[readers->count];
        reader->readers = readers;
        reader->arena = arena_new(1 << 20);
        reader->reading = (struct reading){ .vault = server->options.vault, .context = server->options.context, .router = server->router };
        if (reader->arena == NULL || pthread_create(&reader->thread, NULL, reader_main, reader) != 0) {
            arena_free(reader->arena);
            readers_stop(readers);
            return NULL;
        }
    }
    if (server->options.store != NULL)
        db_wal_watch(server->options.store->wal, has_news, readers);
    return readers;
}

void readers_stop(struct readers *readers)
{
    if (readers == NULL)
        return;
    if (readers->server->options.store != NULL)
        db_wal_watch(readers->server->options.store->wal, NULL, NULL);
    pthread_mutex_lock(&readers->lock);
    readers->stopping = true;
    pthread_cond_broadcast(&readers->some);
    pthread_mutex_unlock(&readers->lock);
    for (int i = 0; i < readers->count; i++) {
        pthread_join(readers->reader[i].thread, NULL);
        arena_free(readers->reader[i].arena);
    }
    pthread_mutex_destroy(&readers->lock);
    pthread_cond_destroy(&readers->some);
    free(readers);
}

void readers_take(struct readers *readers, struct exchange *exchange)
{
    exchange->next = NULL;
    pthread_mutex_lock(&readers->lock);
    *readers->last = exchange;
    readers->last = &exchange->next;
    readers->queued++;
    pthread_cond_signal(&readers->some);
    pthread_mutex_unlock(&readers->lock);
}

size_t readers_queued(struct readers *readers)
{
    pthread_mutex_lock(&readers->lock);
    size_t queued = readers->queued;
    pthread_mutex_unlock(&readers->lock);
    return queued;
}
