/* tests/crash/race.h: many clients at once at one company. A scene is played on SQLite, on PostgreSQL, and on PostgreSQL by two servers, each time
 * in a company of its own (unit DE, node LEJ), in which `millrace check` must find nothing at its end. What differs from race to race is what
 * there is to sell, what each client does, and what must be true then: that is all that the programs of the races say. */
#ifndef MILLRACE_TESTS_CRASH_RACE_H
#define MILLRACE_TESTS_CRASH_RACE_H

#include "crash/client.h"
#include "crash/site.h"
#include <pthread.h>
#include <stdatomic.h>

#define RACERS_MAX 64
#define RACERS 50 /* where a scene has no reason to take another number */

struct race;
struct racer {
    struct race *race;
    pthread_t thread;
    struct client client; /* of a server: they go to the servers in turn */
    int number;           /* from 0 */
    unsigned seed;        /* for rand_r; another one in each run */
    size_t done, late;    /* answers of this run: it was done; it was refused as a scene expects */
    size_t wrong;
    char said[400]; /* by the last answer that nobody expects */
};

struct race {
    struct site site;
    struct server servers[2];
    int server_count;
    struct client client; /* of the first server, for who prepares and looks */
    unsigned runs;
    void (*work)(struct racer *);
    pthread_barrier_t gate;
    struct racer racers[RACERS_MAX];
};

/* Lets `count` clients go at the same moment and waits for all. The test fails where any of them got an answer that nobody expects. */
void race_run(struct race *race, int count, void (*work)(struct racer *));

/* POSTs a body. True: it was done (2xx). False: 409 with one of the codes in `may_be`, or it is wrong. */
bool racer_asks(struct racer *racer, const char *target, const char *body, const char *may_be);
void racer_is_wrong(struct racer *racer, const char *what); /* the last answer is one that nobody expects */

/* ---- who prepares, and looks ---- */

/* Must be done (2xx), else the test fails. */
void race_must(struct race *race, const char *method, const char *target, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* What is there; in the client's body until its next call. */
const char *race_shows(struct race *race, const char *format, ...) __attribute__((format(printf, 2, 3)));
void race_receives(struct race *race, const char *node, const char *sku, size_t units);
int64_t race_stock(struct race *race, const char *node, const char *sku, const char *figure);

/* The body of an order of one line at 10.00, paid by `term`, whose id of the channel is `id`. */
const char *order_body(char *out, size_t room, const char *channel, const char *id, const char *term, const char *sku, int quantity);
/* Takes an order on account of channel web; both are 40 bytes, `work` (the fulfilment order) may be NULL. */
void race_order(struct race *race, const char *id, const char *term, const char *sku, int quantity, char order[40], char work[40]);

struct race_scene {
    const char *name;
    void (*play)(struct race *race);
};
int races_run(const char *group, const struct race_scene *scenes, size_t count); /* what main returns */

#endif
