/* src/simulation/runs.h: the two ways in which the day is run. */
#ifndef MILLRACE_SIMULATION_RUNS_H
#define MILLRACE_SIMULATION_RUNS_H

#include "engine/engine.h"
#include "http/local.h"
#include "simulation/script.h"
#include "simulation/simulation.h"

/* Disconnected apps. Cannot fail. */
struct outcome apart_run(const struct script *script, struct arena *arena);

/* A company that the day is run in: an empty database, furnished with the script's places, channels and opening stock. */
struct company {
    struct vault *vault;
    struct engine *engine;
    struct local *local;
    int64_t now_us;            /* what the engine's clock says, where it is right */
    int64_t wrong_us, told_us; /* by how much it is wrong; what it last said */
    const char *url;
    int64_t unit, node_ids[NODES], sku_ids[SKUS];
    int64_t seq;       /* of the newest event that was looked at */
    struct db *read;   /* the projections' store */
    struct db *keeper; /* of the store, while the engine has no connection: one in memory goes with its last; NULL: it needs none */
    struct arena *follower;
};
/* `lasts`: the store may fail, and the company is opened again. Without, an error of the store ends it. */
struct company *company_open(const struct script *script, const char *url, uint64_t seed, bool lasts, struct arena *arena, const char **error);
/* As if the process had ended: what the engine knew is gone, the store is as it was left. False with *error. */
bool company_open_again(struct company *company, struct arena *arena, const char **error);
void company_close(struct company *company); /* NULL is allowed */
/* The ledger follows what has happened so far. False with *error. */
bool company_book(struct company *company, struct arena *arena, const char **error);

/* One company, one engine. */
bool together_run(const struct script *script, struct company *company, struct arena *arena, struct outcome *out, const char **error);

#endif
