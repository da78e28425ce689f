/* src/cli/serve.c: millrace serve: the engine behind HTTP, until a signal says stop. */
#include "cli/cli.h"
#include "cli/scheduler.h"
#include "connect/sender.h"
#include "db/wal.h"
#include "engine/engine.h"
#include "engine/vault.h"
#include "http/http.h"
#include "http/router.h"
#include "insight/insight.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* tests/crash builds a millrace that loses at a power cut, to see that its test sees it. */
#ifndef MILLRACE_SYNC_NORMAL
#define MILLRACE_SYNC_NORMAL false
#endif

/* It also builds one whose webhooks wait only a part of the time: their test would take hours. */
#ifndef MILLRACE_WEBHOOKS_HASTEN
#define MILLRACE_WEBHOOKS_HASTEN 1
#endif

#define WRITER_CACHE_KIB (48 * 1024)
#define POSTGRES_LANES 4            /* units that are written at the same time */
#define READER_CACHE_KIB (8 * 1024) /* of each of the others: the machine's page cache lies below them all */

struct server {
    struct db *lock; /* SQLite: holds the file against a second server */
    struct vault *vault;
    struct engine *engine;
    struct key_table *keys;
    struct projection *projection;
    struct scheduler *scheduler;
    _Atomic(struct sender *) sender;    /* so does it at this, and both are made later */
    _Atomic(struct http_server *) http; /* the writer's thread looks at it after each batch */
    struct db_options store;
    struct db_wal *wal;
};

/* There is something new: the projections and those who listen are told. */
static void committed(void *context)
{
    struct server *server = context;
    projection_wake(server->projection);
    struct http_server *http = server->http;
    if (http != NULL)
        http_wake_streams(http);
    struct sender *sender = server->sender;
    if (sender != NULL)
        sender_wake(sender);
}

static void figures(void *context, struct buffer *out)
{
    struct sender *sender = ((struct server *)context)->sender;
    if (sender != NULL)
        sender_figures(sender, out);
}

/* False: it is none of the words. */
static bool webhooks_may(const struct flags *flags, bool *private, bool *off)
{
    const char *word = flag(flags, "webhooks", "public");
    *private = strcmp(word, "private") == 0;
    *off = strcmp(word, "off") == 0;
    return *private || *off || strcmp(word, "public") == 0;
}

static bool start_sender(struct server *server, bool private, struct arena *arena, const char **error)
{
    struct sender_options options = { .store = &server->store,
                                      .engine = server->engine,
                                      .vault = server->vault,
                                      .post = { .rules = { .plain = private, .private_addresses = private } },
                                      .is_alone = db_is_sqlite(server->lock),
                                      .hasten = MILLRACE_WEBHOOKS_HASTEN };
    if (MILLRACE_WEBHOOKS_HASTEN > 1)
        options.post.answer_ms = 500;
    server->sender = sender_start(&options, arena, error);
    return server->sender != NULL;
}

/* The server's stream is the module's: insight knows nothing of HTTP. */
static bool fill_stream(void *context, struct reading *reading, struct stream *stream, struct buffer *out, size_t bytes_max, bool *more,
                        enum db_result *result)
{
    struct event_stream events = { stream->request, stream->last_event_id, stream->unit, stream->seq };
    bool goes_on = events_fill(reading, &events, out, bytes_max, more, result);
    stream->unit = events.unit;
    stream->seq = events.seq;
    return goes_on;
}

static bool split_listen(const struct flags *flags, const char **host, uint16_t *port)
{
    const char *listen = flag(flags, "listen", "127.0.0.1:8080"), *colon = strrchr(listen, ':');
    char *end = NULL;
    long number = colon == NULL ? -1 : strtol(colon + 1, &end, 10);
    if (number < 0 || number > 65535 || end == colon + 1 || *end != '\0')
        return false;
    *host = arena_text_n(flags->arena, listen, (size_t)(colon - listen));
    *port = (uint16_t)number;
    return true;
}

static bool schema_is_ours(struct db *db, const char **error)
{
    int64_t version = 0;
    enum db_result result = db_schema_version(db, &version);
    *error = result != DB_OK                     ? db_last_error(db)
             : version == 0                      ? "the database is empty: run millrace init first"
             : version > db_schema_latest(false) ? "the database is of a newer release: run that"
             : version < db_schema_latest(false) ? "the database is of an older release: run millrace migrate first"
                                                 : NULL;
    return *error == NULL;
}

static int start(const struct flags *flags, struct server *server)
{
    const char *url = flag(flags, "db", NULL), *error = "", *host;
    uint16_t port;
    bool private, off;
    if (!split_listen(flags, &host, &port))
        return fail_with("--listen wants HOST:PORT");
    if (!webhooks_may(flags, &private, &off))
        return fail_with("--webhooks wants public, private or off");
    server->lock = open_store(flags, false, false);
    if (server->lock == NULL)
        return 2;
    if (db_lock_file(server->lock) != DB_OK)
        return fail_with("another server has this file: %s", db_last_error(server->lock));
    if (!schema_is_ours(server->lock, &error))
        return fail_with("%s", error);
    server->vault = vault_open(url, server->lock, false, flags->arena, &error);
    if (server->vault == NULL)
        return fail_with("%s", error);
    server->wal = db_is_sqlite(server->lock) && !MILLRACE_SYNC_NORMAL ? db_wal_new() : NULL;
    server->store = (struct db_options){ .url = url, .sync_normal = MILLRACE_SYNC_NORMAL, .wal = server->wal, .cache_kib = READER_CACHE_KIB };
    struct engine_options engine = { .url = url, .db = server->store, .vault = server->vault, .committed = committed, .committed_context = server };
    engine.db.cache_kib = WRITER_CACHE_KIB;
    engine.lanes = db_is_sqlite(server->lock) ? 1 : POSTGRES_LANES;
    engine.black_box = flag(flags, "black-box", db_is_sqlite(server->lock) ? arena_printf(flags->arena, "%s.box", url + strlen("sqlite:")) : NULL);
    server->projection = projection_start(&server->store, server->vault, flags->arena, &error);
    if (server->projection == NULL)
        return fail_with("%s", error);
    server->engine = engine_open(&engine, flags->arena, &error);
    if (server->engine == NULL || engine_start(server->engine) != DB_OK)
        return fail_with("%s", error);
    server->keys = key_table_new();
    struct http_options http = { .host = host,
                                 .port = port,
                                 .engine = server->engine,
                                 .vault = server->vault,
                                 .auth = key_table_source(server->keys),
                                 .store = &server->store,
                                 .routes = http_routes,
                                 .projection = true,
                                 .projected = { server->projection, projection_mark, projection_caught_up },
                                 .streams = { server, fill_stream },
                                 .figures = { server, figures },
                                 .private_targets = private,
                                 .version = MILLRACE_VERSION };
    server->http = http_start(&http, flags->arena, &error);
    if (server->http == NULL)
        return fail_with("%s", error);
    server->scheduler = scheduler_start(&server->store, server->engine, committed, server, flags->arena, &error);
    if (server->scheduler == NULL)
        return fail_with("%s", error);
    if (!off && !start_sender(server, private, flags->arena, &error))
        return fail_with("%s", error);
    printf("ready http://%s:%d\n", host, (int)http_port(server->http));
    fflush(stdout);
    return 0;
}

static void stop(struct server *server)
{
    scheduler_stop(server->scheduler);
    struct http_server *http = server->http;
    struct sender *sender = server->sender;
    if (http != NULL)
        http_stop(http);
    server->http = NULL; /* batches that still come wake nobody */
    sender_stop(sender);
    if (server->engine != NULL) {
        engine_stop(server->engine);
        engine_close(server->engine);
    }
    sender_free(sender); /* until here batches woke it */
    projection_stop(server->projection);
    key_table_free(server->keys);
    vault_close(server->vault);
    db_close(server->lock);
    db_wal_free(server->wal);
}

int run_serve(const struct flags *flags)
{
    struct server server = { 0 };
    sigset_t signals;
    int signal_number;
    if (!flags_known(flags, (const char *const[]){ "db", "listen", "black-box", "webhooks", NULL }))
        return 2;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* all threads inherit it: only sigwait below takes them */
    signal(SIGPIPE, SIG_IGN);
    int code = start(flags, &server);
    if (code == 0)
        sigwait(&signals, &signal_number);
    stop(&server);
    return code;
}
