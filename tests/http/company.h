/* tests/http/company.h: a company behind the real server, on SQLite or PostgreSQL, and calls that must be answered so. */
#ifndef MILLRACE_TESTS_HTTP_COMPANY_H
#define MILLRACE_TESTS_HTTP_COMPANY_H

#include "crash/client.h"
#include "crash/site.h"

struct company {
    struct site site;
    struct server server;
    struct client client;
};

/* cmocka's setup: one company a store for all scenes of a program, so each scene has codes of its own. It has a unit DE (EUR), nodes LEJ and HAM,
 * SKUs LAMP, BULB, SHADE, a bundle KIT (2 BULB, 1 SHADE), channels web (backorder) and market (marketplace). */
int on_sqlite(void **state);
int on_postgres(void **state); /* *state stays NULL where no server is named: the scene ends at once */
/* The group's teardown; fails where `millrace check` is not clean. */
int close_companies(void **state);

/* The body of an answer with this status; else the test fails and shows both. */
const char *must(struct company *company, int status, const char *method, const char *target, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* GET, with a target made by format; 200. */
const char *get(struct company *company, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The last answer holds this; else the test fails and shows it. */
void says(const struct company *company, const char *text);
void says_not(const struct company *company, const char *text);
/* How often it does. */
size_t times(const struct company *company, const char *text);
/* The text after "name":", from the last answer. */
void text_of(const struct company *company, const char *name, char *out, size_t room);

/* Goes through a list with pages of `limit`: how many items there are, and in how many pages (may be NULL). */
size_t items_of(struct company *company, const char *list, int limit, const char *item, size_t *pages);

void put_order(struct company *company, const char *channel, const char *id, const char *customer, const char *sku, int quantity);
void receive(struct company *company, const char *node, const char *sku, int quantity);

/* The first line of a scene: it ends at once where its store is not there. */
#define SCENE(company)                \
    struct company *company = *state; \
    if (company == NULL)              \
    return

#define ON_BOTH(scene)                                          \
    { #scene " on SQLite", scene, on_sqlite, NULL, NULL },      \
    {                                                           \
#scene " on PostgreSQL", scene, on_postgres, NULL, NULL \
    }

#endif
