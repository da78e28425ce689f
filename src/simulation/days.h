/* src/simulation/days.h: promotion days in full, one for each seed: everything that the trade knows happens in each of them, and the store
 * and the clock fail at every step of some. After each its stock is what people saw, every order has ended, and millrace check is clean.
 * A day is a pure function of its seed, its orders and the faults: nothing here but the CPU clock of the summary is the machine's. */
#ifndef MILLRACE_SIMULATION_DAYS_H
#define MILLRACE_SIMULATION_DAYS_H

#include "base/text.h"
#include "engine/event.h"
#include <signal.h>
#include <stdio.h>

#define DAYS_ORDERS_MAX INT64_C(100000)

/* What is counted besides events: each must happen in a thousand days of 200 orders. */
#define DAY_TALLIES(X)                                         \
    X(TAKEN, "orders taken")                                   \
    X(REFUSED, "orders refused, there was too little")         \
    X(UNSEEN, "orders not tried, the page showed too few")     \
    X(PAID, "payments")                                        \
    X(UNPAID, "payments that failed")                          \
    X(CANCELLED, "orders cancelled by customers")              \
    X(IMPATIENT, "orders cancelled, they waited in vain")      \
    X(EDITED_MORE, "edits: more of a line")                    \
    X(EDITED_LESS, "edits: less of a line")                    \
    X(EDITED_ADD, "edits: a line added")                       \
    X(EDITED_REMOVE, "edits: a line taken out")                \
    X(EDITED_ADDRESS, "edits: another address")                \
    X(EDIT_REFUSED, "edits refused")                           \
    X(SUBSTITUTED, "lines that something else stands in for")  \
    X(HELD, "holds put on and cleared")                        \
    X(REPLANNED, "orders planned anew")                        \
    X(SENT, "parcels sent to a node of others")                \
    X(ACCEPTED, "parcels accepted by a node")                  \
    X(DECLINED, "parcels declined by a node")                  \
    X(FAILED, "parcels failed by a node that is out")          \
    X(SHORT_PICK, "short picks")                               \
    X(SPLIT, "parcels that left in two parts")                 \
    X(LEFT, "parcels shipped")                                 \
    X(DELIVERED, "parcels delivered")                          \
    X(LOST, "parcels lost")                                    \
    X(DAMAGED, "parcels damaged")                              \
    X(AGAIN, "losses: sent again")                             \
    X(REFUNDED, "losses: refunded")                            \
    X(ARRIVED, "losses: had arrived after all")                \
    X(OUTAGE, "outages of a node")                             \
    X(OUTAGE_END, "refusals cleared after an outage")          \
    X(RETURN_EXPECTED, "returns announced")                    \
    X(RETURN_NEVER, "returns that never came")                 \
    X(RETURN_CAME, "returns received")                         \
    X(RETURN_MORE, "returns with goods that nobody expected")  \
    X(RESTOCKED, "returned units restocked")                   \
    X(REGRADED, "returned units restocked as grade B")         \
    X(SCRAPPED, "returned units scrapped")                     \
    X(TO_SUPPLIER, "returned units sent to the supplier")      \
    X(TO_CUSTOMER, "returned units sent back to the customer") \
    X(NOT_THERE, "returned units that nobody finds")           \
    X(ANNOUNCED, "supplies announced")                         \
    X(SUPPLY_IN_TIME, "supplies that came as announced")       \
    X(SUPPLY_LATE, "supplies that came late")                  \
    X(SUPPLY_MOVED, "supplies with a new date")                \
    X(SUPPLY_SHORT, "supplies that came short")                \
    X(SUPPLY_OVER, "supplies that came over")                  \
    X(SUPPLY_NEVER, "supplies that never came")                \
    X(TRANSFER_ASKED, "transfers asked for")                   \
    X(TRANSFER_CANCELLED, "transfers cancelled")               \
    X(TRANSFER_WHOLE, "transfers received whole")              \
    X(TRANSFER_SHORT, "transfers received short")              \
    X(TRANSFER_OVER, "transfers received over")                \
    X(TRANSFER_LATER, "transfers whose rest came later")       \
    X(TRANSFER_SETTLED, "transfers whose rest was given up")   \
    X(COUNT_RIGHT, "counts: as booked")                        \
    X(COUNT_WRONG, "counts: fewer or more than booked")        \
    X(COUNT_CANCELLED, "counts cancelled")                     \
    X(MISCOUNT, "counts that took what was promised")          \
    X(RECALLED, "recalls")                                     \
    X(RECALL_ENDED, "recalls ended, goods released")           \
    X(QUARANTINED, "units kept back")                          \
    X(UNQUARANTINED, "units kept back and released")           \
    X(INSPECTED, "units kept back and inspected")              \
    X(GRADED, "units kept back and graded as B")               \
    X(CHECKOUT, "checkouts that held goods")                   \
    X(CHECKOUT_LEFT, "checkouts left by their customer")       \
    X(UNDONE, "commands undone")                               \
    X(PREVIEWED, "previews, each as it then came")             \
    X(SENT_AGAIN, "commands sent again with their key")        \
    X(SAME_AGAIN, "answers that came again to the byte")       \
    X(LAST_BOUGHT, "orders that last purchases completed")

enum day_tally {
#define DAY_TALLY(name, says) TALLY_##name,
    DAY_TALLIES(DAY_TALLY)
#undef DAY_TALLY
        TALLY_COUNT
};

/* What the store, the process and the clock do. */
#define DAY_TROUBLES(X) /* name, says */                 \
    X(BUSY, "store busy")                                \
    X(FULL, "store full")                                \
    X(IO, "store: I/O fault")                            \
    X(LOST, "store lost in a transaction")               \
    X(LOST_AFTER, "store lost, and it had committed")    \
    X(KILLED, "process killed in a transaction")         \
    X(KILLED_AFTER, "process killed before it answered") \
    X(CLOCK_BACK, "clock jumps back")                    \
    X(CLOCK_STANDS, "clock stands still")                \
    X(CLOCK_AHEAD, "clock jumps ahead")

enum day_trouble {
#define DAY_TROUBLE(name, says) TROUBLE_##name,
    DAY_TROUBLES(DAY_TROUBLE)
#undef DAY_TROUBLE
        TROUBLE_COUNT
};

struct day_tallies {
    int64_t of[TALLY_COUNT], troubles[TROUBLE_COUNT], events[EVENT_TYPE_COUNT];
    int64_t commands, played_us; /* commands answered; from the first order to the last thing that happened */
    uint64_t digest;             /* of all events, in their order */
};

/* One day into a database that must be empty: `url` is PostgreSQL's, or of SQLite in a
 * file or in memory under a name. One in so many steps meets a fault; 0: none.
 * The tallies are added to. False with *error, in the arena: what was found. */
struct day_options {
    const char *url;
    int64_t orders, faults;
    uint64_t seed;
    const char *spoil; /* SQL of a test that asks whether the proof sees it, run before it; NULL: none */
};
bool day_play(const struct day_options *options, struct arena *arena, struct day_tallies *tallies, const char **error);

struct days {
    int64_t orders; /* 1 .. DAYS_ORDERS_MAX */
    int64_t faults;
    uint64_t from, count;
    const char *url; /* NULL: SQLite in memory; else one day only, which stays in it */
    FILE *out;
    const volatile sig_atomic_t *stop; /* looked at between two days; NULL: nobody stops them */
    struct day_tallies *tallies;       /* of all days that were sound; NULL: nobody asks */
};
enum days_result {
    DAYS_DONE,
    DAYS_STOPPED,
    DAYS_FOUND, /* a day that is not sound: told, with the line that plays it again */
    DAYS_FAILED /* before any day */
};
enum days_result days_run(const struct days *days, const char **error);
/* The summary, which days_run prints at its end. */
void days_print(FILE *out, const struct day_tallies *tallies, uint64_t days, int64_t cpu_us);

#endif
