/* src/engine/ws.h: the working set of a unit: an identity map of rows by primary key and by path, with an undo log.
 * decide() sees only this. A row that is not known yet ends the attempt: the command is undone, the row loaded, and
 * decide runs again from its beginning (a jump to the engine's door), so its code reads as if all rows were there.
 * Rows of masters and positions are kept from batch to batch while nobody else wrote to the unit. */
#ifndef MILLRACE_ENGINE_WS_H
#define MILLRACE_ENGINE_WS_H

#include "db/db.h"
#include "engine/command.h"
#include "schema.h"

struct ws;

/* ---- what decide uses ---- */

int64_t ws_unit(const struct ws *ws);
int64_t ws_now_us(const struct ws *ws); /* the batch's time: never falls from batch to batch */
int64_t ws_actor(const struct ws *ws);  /* the API key that the command came with, 0: Millrace */
int64_t ws_next_id(struct ws *ws);      /* drawn from the unit's clock row; goes back with an undone attempt */
int64_t ws_config_version(const struct ws *ws);
void ws_config_changed(struct ws *ws); /* masters changed: other servers' caches end */
struct vault *ws_vault(struct ws *ws); /* to open sealed persons for an answer */
struct arena *ws_arena(struct ws *ws); /* ends with the batch */
/* Empty: what the call before left in it is forgotten. For one of many things that are looked through, an order's events. */
struct arena *ws_scratch(struct ws *ws);

/* The row, or NULL where there is none. Never write through it: ws_edit. */
const void *ws_get(struct ws *ws, const struct db_table *table, const int64_t *key);

/* The same, where a list of a path is known to hold the row if there is one: nothing is asked of the database then. */
const void *ws_get_listed(struct ws *ws, const struct db_table *table, const int64_t *key, const struct db_path *path, const struct db_value *prefix);

/* The rows of a path under a prefix, in the path's order, those written in this batch among them. Loads the first
 * `limit` (0: all) and more when the cursor gets there. Valid until the next ws_insert into the same table. */
struct ws_list;
struct ws_cursor {
    struct ws_list *list;
    size_t at;
};
struct ws_cursor ws_scan(struct ws *ws, const struct db_path *path, const struct db_value *prefix, size_t limit);
const void *ws_next(struct ws *ws, struct ws_cursor *cursor);
const void *ws_find(struct ws *ws, const struct db_path *path, const struct db_value *prefix); /* the first, or NULL */
size_t ws_count(struct ws *ws, const struct db_path *path, const struct db_value *prefix);     /* loads all */

/* The parent under this prefix was just made: its list is known, nothing is asked of the database. */
void ws_fresh(struct ws *ws, const struct db_path *path, const struct db_value *prefix);

/* Changes. The pointer stays good for the batch. Columns of a path are never edited, but for those of its WHERE. */
void *ws_edit(struct ws *ws, const void *image);
void *ws_insert(struct ws *ws, const struct db_table *table, const void *image); /* its key must be free */
void ws_delete(struct ws *ws, const void *image);

/* Hints in prefetch; in decide they gather several needs before one ws_settle, which jumps when one is unknown. */
void ws_want(struct ws *ws, const struct db_table *table, const int64_t *key);
void ws_want_path(struct ws *ws, const struct db_path *path, const struct db_value *prefix, size_t limit);
void ws_settle(struct ws *ws);
/* For a second round of hints: the row, or the first row of a path, where it is known already, else NULL. Never jumps. */
const void *ws_known_row(struct ws *ws, const struct db_table *table, const int64_t *key);
const void *ws_known(struct ws *ws, const struct db_path *path, const struct db_value *prefix);
struct ws_cursor ws_known_rows(struct ws *ws, const struct db_path *path, const struct db_value *prefix); /* none where not known */

/* In a company command: the working set of a unit, whose clock row is held too; NULL: there is no such unit. */
struct ws *ws_of_unit(struct ws *company, int64_t unit);
size_t ws_unit_count(const struct ws *company); /* units, without the company */
struct ws *ws_unit_at(struct ws *company, size_t i);
/* A unit that this command makes: its clock row is written with the batch. NULL: too many units. */
struct ws *ws_new_unit(struct ws *company, int64_t unit);

#define WS_KEY(...) ((const int64_t[]){ __VA_ARGS__ })
#define WS_PREFIX(...) ((const struct db_value[]){ __VA_ARGS__ })

/* Events are numbered here: unit, seq, at and actor are filled in. Returns the seq. */
int64_t ws_event(struct ws *ws, struct event_row event);

/* ---- reads: the same rules over a snapshot ---- */

/* Runs `read` over a working set of its own on this connection until it has all rows it asks for. Nothing may be
 * changed in it. Where its memory, or that of the request which it answers into, runs out: DB_BUSY. */
enum db_result ws_read(const struct reading *reading, int64_t unit, int64_t now_us, void (*read)(struct ws *ws, void *context), void *context);

/* ---- what the engine uses ---- */

struct ws_options {
    int64_t unit;
    struct vault *vault;
    size_t kept_bytes;  /* of rows kept between batches; 0: 96 MiB */
    size_t batch_bytes; /* 0: 512 MiB */
};
struct ws *ws_new(const struct ws_options *options); /* NULL: no memory */
void ws_free(struct ws *ws);
void ws_set_door(struct ws *ws, struct arena_door *door); /* where full memory jumps */

/* What a company command sees as units. */
void ws_set_peers(struct ws *ws, struct ws *const *peers, const size_t *count, struct ws *(*make)(void *, int64_t), void *context);

void ws_clock_is_new(struct ws *ws); /* the clock row is inserted, not updated */

/* Before a batch begins its rows may be wanted already: on the guess that nobody wrote since the last one, and that it is now. */
void ws_batch_expect(struct ws *ws, int64_t now_us);
/* Begins a batch on the clock row that was taken; `same`: nobody wrote since our last batch, so the kept rows stand. If
 * not they are forgotten, and what is wanted of them must be wanted again. */
void ws_batch_begin(struct ws *ws, const struct unit_clock_row *clock, int64_t now_us, bool same);
/* Loads all that was wanted, all in one go; `first` (NULL: none) is read before it in the same. */
enum db_result ws_feed(struct ws *ws, struct db *db, struct db_read *first);
bool ws_wants_something(const struct ws *ws);

/* One attempt of one command. */
struct ws_mark {
    size_t undo;
    int64_t event_seq, next_id, blocked, config_version;
};
struct ws_mark ws_mark(struct ws *ws, const struct actor *actor);
void ws_undo(struct ws *ws, const struct ws_mark *mark);
struct arena_door *ws_need_door(struct ws *ws, struct arena_door *door); /* where an unknown row jumps; returns the one before */

size_t ws_dirty_rows(const struct ws *ws);
struct unit_clock_row *ws_clock(struct ws *ws);
/* Writes every dirty row once, as an absolute value, table by table in key order; then the clock row. */
enum db_result ws_write(struct ws *ws, struct db *db);
/* Ends the batch. Not committed: everything known is forgotten. */
void ws_batch_end(struct ws *ws, bool committed);

#endif
