/* tests/store/shop.h: a company to try things on: one unit, real routes and engine, a clock that the test turns.
 * Each test runs on SQLite and, where MILLRACE_TEST_POSTGRES names a server, on PostgreSQL. */
#ifndef MILLRACE_TESTS_STORE_SHOP_H
#define MILLRACE_TESTS_STORE_SHOP_H

#include "engine/engine.h"
#include "http/local.h"

struct shop {
    struct arena *arena; /* of answers; ends with the shop */
    struct vault *vault;
    struct engine *engine;
    struct local *local;
    int64_t now_us;
    char url[512], admin_url[512], schema[64];
    size_t batch_commands;
    bool broken;                   /* on purpose: it is not checked at its end */
    struct db_statement **selects; /* each table's, once it was asked for */
};

enum store { STORE_SQLITE, STORE_POSTGRES };
bool store_is_there(enum store store); /* says so aloud when it is not */

/* millrace check finds nothing, or the test fails; done at the end of each. */
void shop_check(struct shop *shop);
/* Runs the unit's jobs to their end; returns how many rounds of steps that took. */
size_t shop_jobs(struct shop *shop, int64_t unit);
/* Tells who waits of other dates until nothing is due; returns how many looks that took. */
size_t shop_promises(struct shop *shop, int64_t unit);

/* Migrated, with the company's row and clock. Fails the test when it cannot. */
struct shop *shop_open(enum store store);
void shop_close(struct shop *shop);
/* The process would end here: what the next one finds. Not for a company in memory, which would be gone. */
void shop_open_again(struct shop *shop);
/* SQLite: goes on in a file, for those who look at it from another connection or start again. */
void shop_in_file(struct shop *shop, const char *path);
/* Nobody is connected to it any more: from here it can only be copied and closed. Its projections go into the copies when their connection is
 * closed, too. SQLite: it must be in a file. */
void shop_rest(struct shop *shop);
/* A store with all that a resting shop's has, its projections too, and nobody's engine: what is done to it is seen in no other copy, and not
 * checked at its end. */
struct shop_copy {
    struct db *db, *read; /* read: NULL where the shop has no projections */
    char url[600], name[80];
};
void shop_copy(struct shop *shop, bool with_read, struct shop_copy *copy);
void shop_copy_close(struct shop *shop, struct shop_copy *copy);
/* Another one on the same store, as in a second server, which keeps rows of its own; not in memory. engine_close before shop_close. */
struct engine *shop_second_engine(struct shop *shop);

/* A unit DE (EUR), nodes LEJ and HAM, SKUs LAMP, BULB, SHADE, a bundle KIT (2 BULB + SHADE), channels web (backorder),
 * b2b (reject) and market (marketplace). */
void shop_furnish(struct shop *shop);

struct reply shop_call(struct shop *shop, const char *method, const char *target, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same, and the status must be this. */
struct reply shop_must(struct shop *shop, int status, const char *method, const char *target, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void receive(struct shop *shop, const char *node, const char *sku, int64_t quantity);
/* An order of one line; its JSON. */
struct reply order(struct shop *shop, const char *channel, const char *id, const char *sku, int64_t quantity);
/* The number after "name": in the text, -1 where there is none; from the first place after `after` (NULL: the start). */
int64_t number_in(const char *text, const char *after, const char *name);
void text_in(const char *text, const char *after, const char *name, char *out, size_t room);

/* The store gets a rule that an order called so on its channel breaks, as a fault of ours would break one that the schema has; and loses it. */
void order_forbid(struct shop *shop, const char *channel_order_id);
void order_allow(struct shop *shop);

/* A command that Millrace submits itself; input stays the caller's. */
enum command_state shop_command(struct shop *shop, const struct command_type *type, int64_t unit, const void *input);
/* What a sender would say of a webhook's attempts on the unit's events `from` .. `upto`, all with this outcome: under a lease that is taken for
 * it. Gives the command's state. */
enum command_state shop_report(struct shop *shop, int64_t unit, const char *webhook, int64_t from, int64_t upto, bool delivered);

/* Many calls of one kind as batches, each of which must be 201: one by one they would take the test's whole time. many_run carries out
 * what is left. */
struct many {
    struct shop *shop;
    struct command *commands[256];
    size_t count;
};
void many_add(struct many *many, const char *method, const char *target, const char *body);
void many_run(struct many *many);

/* Scenes, each played on both stores in a furnished shop of its own. */
struct shop_scene {
    const char *name;
    void (*play)(struct shop *shop);
};
/* clang-format off */
#define SCENE(NAME) { #NAME, NAME }
/* clang-format on */
int scenes_play(const char *group, const struct shop_scene *scenes, size_t count); /* what main returns */

/* Every table but `batch`, unit_clock.batch_id left out, as text in key order: two that are equal are the same company. */
char *shop_dump(struct shop *shop, struct arena *arena);
/* The first row in which two companies' dumps would differ, as both have it; NULL: they are the same. */
const char *shop_difference(struct shop *shop, struct shop *other, struct arena *arena);
/* A whole table in key order, as it stands in the store. */
struct db_rows shop_table(struct shop *shop, struct arena *arena, const struct db_table *table);

#endif
