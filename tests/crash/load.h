/* tests/crash/load.h: what LOAD_THREADS clients send at once, each command under a key of its own: orders that fit, that wait and
 * that are refused, cancels, receipts; and, after a crash, whether what was answered still holds. */
#ifndef MILLRACE_TESTS_CRASH_LOAD_H
#define MILLRACE_TESTS_CRASH_LOAD_H

#include "crash/client.h"
#include "crash/site.h"
#include <pthread.h>
#include <stdatomic.h>

#define LOAD_THREADS 8
#define LOAD_MOST 4000 /* commands a thread and round */

struct load_sent {
    enum { LOAD_ORDER, LOAD_CANCEL, LOAD_RECEIPT } kind;
    int status;     /* 0: not acknowledged: no answer, or 503 or 507 */
    uint64_t body;  /* hash of the answer */
    char order[32]; /* LOAD_ORDER: the id it got; LOAD_CANCEL: which */
};

/* A thread's commands of one round: number i has the key UNIT.ROUND-THREAD-i, which is the channel's id of an order, too. */
struct load_sender {
    struct load *load;
    pthread_t thread;
    struct client client;
    int number;
    size_t count, lost, wrong;
    size_t orders, receipts; /* of this run through them, that are there */
    uint64_t order_sum;
    char said[400];
    struct load_sent sent[LOAD_MOST];
};

struct load {
    const char *unit; /* what it sells and where: names end in this, so that two loads can share a company; NULL: "" */
    int round;
    bool power_goes;   /* any 5xx is what nobody hears any more, 500 too */
    bool count_losses; /* what is lost is counted, and is no failure: for a store that is known to lose */
    atomic_bool stop;
    atomic_bool dark;                             /* the power goes: what is told from now on nobody hears */
    atomic_size_t acknowledged, open, full, busy; /* of the round: `open` were not acknowledged, of those 507, and 503 */
    size_t all_acknowledged, all_open, all_full, all_busy, lost;
    size_t orders, receipts;
    uint64_t order_sum;
    struct load_sender senders[LOAD_THREADS];
};

void load_sell(struct load *load, const struct site *site, uint16_t port); /* units, nodes, SKUs, channels, stock: once, first */
/* A new round: sends to the servers in turn until load_stop, or until a server does not answer. */
void load_start(struct load *load, const struct site *site, const struct server *servers, int server_count);
void load_stop(struct load *load); /* asks for the end */
bool load_wait(struct load *load); /* until all have ended; false, and said, when there was an answer that nobody expects */
/* All of the round again, with its keys: the same answer where there was one, and done where there was none. False, and said,
 * when something acknowledged is not there as it was. */
bool load_again(struct load *load, const struct site *site, const struct server *servers, int server_count);
/* Pages through all orders of the company: each that was acknowledged, or done again, is there once and no other; the stock is what
 * was received. After a crash it is true once all was sent again; after refusals at once, for those changed nothing.
 * `loads` are all that sold in it. False, and said, when not. */
bool load_look(struct load *const *loads, int count, const struct site *site, uint16_t port);

#endif
