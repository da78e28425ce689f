/* bench/bench.h: orders measured beside the floor: what a bare loop needs to write the same rows to the same store. */
#ifndef MILLRACE_BENCH_BENCH_H
#define MILLRACE_BENCH_BENCH_H

#include "db/db.h"
#include "engine/engine.h"
#include "http/local.h"
#include <stdatomic.h>
#include <sys/types.h>

#define LINES 3
#define NODES 4
#define SKUS 100000 /* where nothing else is asked for */
#define HOT 10      /* SKUs that nine of ten lines want when demand is skewed, and all when it is hot */
enum demand { DEMAND_UNIFORM, DEMAND_SKEWED, DEMAND_HOT };
extern const char *const demand_names[];

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
uint64_t chance(uint64_t below);
/* LINES different SKUs, by number. */
void draw_skus(uint64_t sku_count, enum demand demand, uint64_t skus[LINES]);

/* ---- world.c: a company with SKUs and stock ---- */
struct world {
    struct arena *arena;
    const char *binary, *admin_url; /* admin_url NULL: SQLite */
    char dir[256], url[600], floor_url[600], name[64];
    uint64_t sku_count, history; /* orders that it holds before anything is measured */
    bool kept;                   /* SQLite: dir is used if it holds a world, grows to what is asked for, and stays */
    bool unfollowed;             /* the projections begin after the history */
    char key[256];               /* the API key */
};
/* Made by the binary (init, key add) and through the engine's local client; then copied for the floor. */
void world_make(struct world *world, bool with_floor);
void world_drop(struct world *world, bool with_floor);
/* An engine of our own on `url`, and its client. */
struct inside {
    struct arena *arena;
    struct vault *vault;
    struct engine *engine;
    struct local *local;
};
void inside_open(struct inside *inside, const char *url, bool no_sync);
void inside_close(struct inside *inside);
void furnish(struct inside *inside, uint64_t from, uint64_t sku_count); /* from > 0: only the SKUs that it lacks */
/* Commands first .. count - 1 in large batches; dies when one is refused. */
void many(struct inside *inside, uint64_t first, uint64_t count, struct command *(*make)(struct inside *, struct arena *, uint64_t));
/* ---- history.c ---- */
/* Orders from + 1 .. world->history through the engine's own write path, and the projections behind them; says how long it took. */
void history_fill(struct inside *inside, const struct world *world, uint64_t from);

/* One order's body, about 1 KB; `number` makes its id. */
int order_body(char *out, size_t room, uint64_t number, const uint64_t skus[LINES]);

/* ---- shape.c: the rows of one order ---- */
struct change {
    const struct db_table *table;
    const char *row, *was; /* was: an update, else an insert */
    bool per_batch;        /* the clock's row and the batch's */
};
struct shape {
    struct arena *arena;
    struct change changes[256];
    size_t count;
    int64_t first_id, ids, first_seq, seqs, skus[LINES];
};
bool world_is_crowded(const struct world *world); /* most positions with claims have more than stand in their row */
void shape_take(struct shape *shape, bool crowded);
void shape_print(const struct shape *shape);
/* Where the floor's rows go: keys go on from what stands in the store. */
struct floor_place {
    int64_t next_id, event_seq, batch_id, orders;
    const int64_t *sku_ids;
    int64_t skus[LINES]; /* of the order in hand */
};
/* Column `c` of a change for the order in hand. */
struct db_value shape_value(const struct shape *shape, const struct floor_place *place, const struct change *change, size_t c, char text[64]);
int64_t shape_delta(const struct change *change, size_t c); /* of an update's number */
struct db_rows whole_table(struct db *db, struct arena *arena, const struct db_table *table, const char *where);

/* ---- times.c ---- */
struct times {
    uint32_t *us;
    size_t count, room;
};
void times_add(struct times *times, int64_t us);
double times_ms(struct times *times, size_t percent); /* sorts them; below 100 */
void times_free(struct times *times);

/* ---- floor.c, floor_postgres.c ---- */
struct floor {
    const struct shape *shape;
    struct floor_place place;
    uint64_t sku_count;
    bool postgres;
    enum demand demand;
    double pages; /* SQLite: WAL pages an order of the last run */
    void *store;
};
void floor_open(struct floor *bare, const struct shape *shape, const struct world *world);
void floor_close(struct floor *bare);
double floor_run(struct floor *bare, size_t batch, double seconds); /* orders a second */
void floor_next_order(struct floor *bare);
void *floor_postgres_open(const struct shape *shape, const char *url);
void floor_postgres_batch(struct floor *bare, size_t batch);
void floor_postgres_close(void *store);

/* ---- load.c: the client ---- */
#define SERVERS_MAX 2
/* What a client sends instead of orders. A member that is NULL: as with orders. */
struct work {
    void *context;
    size_t (*make)(void *context, uint64_t number, char *out, size_t room); /* request `number`, from 0, whole; its bytes, 0: no more */
    bool (*answered)(void *context, uint64_t number, const char *answer);   /* head and body; true: done as asked */
};
struct load {
    uint16_t ports[SERVERS_MAX]; /* the connections are dealt out in turn */
    size_t port_count;
    const char *key;
    size_t connections;
    uint64_t sku_count;
    enum demand demand;
    double seconds, rate;    /* rate 0: closed loop, one request in flight a connection */
    const struct work *work; /* NULL: orders */
    const atomic_bool *over; /* ends it before the seconds are over; NULL: nothing does */
};
struct load_result {
    uint64_t orders, faults;
    double seconds;
    double p50_ms, p99_ms;
    double client_cpu;
    struct times took;
};
void load_run(const struct load *load, struct load_result *result);
void load_take(const struct load *load, struct load_result *result); /* the same; `took` stays, p50 and p99 are not told */
/* A request in HTTP/1.1; its bytes. `headers`: more of them, each with its line's end. Dies where there is no room. */
size_t request_text(char *out, size_t room, const char *method, const char *target, const char *key, const char *headers, const char *body);
bool answer_is_whole(const char *in, size_t got);
/* ---- disk.c ---- */
/* The open loop without a server: at `rate`, `pages` of 4 KiB an order are written to a file in dir, all that are due at once, and synced. */
struct times disk_run(const char *dir, double rate, double pages, double seconds);
/* A request on a connection of its own; the answer, head and body, in the arena. */
const char *http_ask(struct arena *arena, uint16_t port, const char *key, const char *method, const char *target, const char *body);
const char *http_get(struct arena *arena, uint16_t port, const char *key, const char *target);
int dial(uint16_t port);

/* ---- server.c: the program under test ---- */
struct server {
    pid_t pid;
    uint16_t port;
    int64_t ready_us; /* from its start to its word that it is ready */
};
struct server serve(const struct world *world);
void server_end(struct server *server);                             /* all that still run are ended when the bench dies, too */
long server_rss_mib(const struct server *server, const char *what); /* "VmRSS:", "VmHWM:" */
/* Where its time goes: of its threads by name the CPU, of the writer the wall time by phase. */
#define PHASES 5
#define STAGES 7
#define STAGE_WRITER 1
struct profile {
    double batches, commands, needs, spent[PHASES], cpu[STAGES];
};
struct profile profile_read(const struct world *world, const struct server *server);
void profile_print(const struct profile *from, const struct profile *to, double wall, double orders);

/* ---- reads.c: reads on a connection of their own while writes run ---- */
void reads_run(const struct world *world, const struct server *server, double seconds);

/* ---- commands.c ---- */
#define COMMAND_CLIENTS 64
/* A line for each command whose name begins with `only`, of so many requests, beside the capture. */
void commands_run(struct world *world, const struct server *server, size_t requests, const char *only);

/* ---- beside.c: what others wait for while something large runs; `rate` of captures and of reads a second ---- */
struct sizes {
    uint64_t claims, waiting, rows; /* of a recall, for a receipt, of an import */
};
void jobs_run(struct world *world, const struct sizes *sizes, double rate, double seconds);
void check_run(struct world *world, double rate, double seconds);

/* ---- gates.c ---- */
int gates_run(struct world *world);

#endif
