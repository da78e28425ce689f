/* src/simulation/day.h: one promotion day in full, for the files that play it: day.c what is due, send.c how it is asked, sales.c orders
 * and their parcels, stock.c all else that moves goods, proof.c what must hold at the end. Inside this folder only. */
#ifndef MILLRACE_SIMULATION_DAY_H
#define MILLRACE_SIMULATION_DAY_H

#include "simulation/agenda.h"
#include "simulation/chance.h"
#include "simulation/days.h"
#include "simulation/runs.h"
#include "simulation/wording.h"

enum { BETWEEN = NODES, PLACES = NODES + 1, DEED_LINES = 4 };

struct day;
struct deed;
struct asked;

/* What people do, step by step: `go` is called when it is due, `hear` with each answer to what it has asked. Both are told of trouble by
 * day->error only. */
struct deed_kind {
    const char *name;
    void (*go)(struct day *day, struct deed *deed);
    void (*hear)(struct day *day, struct deed *deed, const struct asked *request);
};
struct deed {
    const struct deed_kind *kind;
    int64_t which, id, at; /* order, receipt or count of the script; what the store calls it; when it is due */
    int step, fate, node, to, line_count;
    int64_t index;
    struct deed_line {
        int64_t line, part, sku, units, came;
    } lines[DEED_LINES];
};

struct asked {
    int64_t deed, number; /* index; the key is made of the number */
    int step;             /* the deed's own word for what it asked */
    const char *method, *target, *body;
    int status; /* 0: not answered yet */
    const char *answer;
    int64_t event; /* of ours, that tells it; 0: the answer came again */
    /* An answer that nobody got, since the process ended: it must come again. */
    int lost_status;
    const char *lost_answer;
};
static inline bool is_done(const struct asked *request)
{
    return request->status / 100 == 2;
}

/* As its customer and the people who work on it see it. */
struct sale {
    int64_t id;                                            /* 0: was not taken */
    int64_t ordered, cancelled, waiting, working, shipped; /* units of its demands, as the store has them */
    int64_t wanted;                                        /* what it should be, by what was ordered and edited */
    int64_t left;                                          /* units that left in parcels, and were neither sent again nor refunded */
    int64_t newest_parcel;
    int64_t asked_round; /* that last looked at it */
    bool disturbed;      /* cancelled, lost or short: no longer what was wanted */
    bool patient;        /* it is noted when its patience ends */
    bool delivered;
};

struct day {
    const struct day_options *options;
    const struct script *script;
    struct company *company;
    struct arena *arena, *step; /* step ends with each due */
    struct chance chance, luck; /* of people; of store, process and clock, so that these change nothing of what people want */
    struct agenda agenda;
    struct pickers pickers;
    struct page page;
    struct sale *sales;
    int64_t *sale_of_id; /* its index + 1, by the store's id */
    size_t sale_of_id_room;
    struct deed **deeds;
    size_t deed_count, deed_room;
    struct asked *wave;
    size_t wave_count, wave_room;
    int64_t asks, rounds;
    int64_t *touched; /* sales that this round's events were about */
    size_t touched_count, touched_room;
    int64_t there[PLACES][SKUS]; /* what is there, by what people saw come and go; the last place is between nodes */
    int64_t gone[NODES][SKUS];   /* of it: not there, and no count has said so */
    int64_t out_until[NODES];
    bool counting[NODES][SKUS];
    struct day_tallies *tallies;
    const char **error;
};
static inline void tally(struct day *day, enum day_tally what)
{
    day->tallies->of[what]++;
}
static inline bool day_is_well(const struct day *day)
{
    return *day->error == NULL;
}
void day_fail(struct day *day, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- deeds ---- */

/* A new one, due at its time. */
struct deed *deed_new(struct day *day, const struct deed_kind *kind, int64_t at);
void deed_later(struct day *day, struct deed *deed, int64_t at);
/* Asks for something, in this round. */
void ask(struct day *day, const struct deed *deed, int step, const char *target, const char *body);
void ask_by(struct day *day, const struct deed *deed, int step, const char *method, const char *target, const char *body);
/* Refused as it may be (409): false. What is neither that nor 2xx fails the day. */
bool heard(struct day *day, const struct asked *request);
/* The id in the answer. */
int64_t id_in(struct day *day, const struct asked *request, const char *prefix);
const char *target_of(struct day *day, const char *path, const char *prefix, int64_t id, const char *verb);

/* ---- sending (send.c) ---- */

/* Sends what was asked, as one batch, until all of it is answered. */
void wave_send(struct day *day, struct asked *wave, size_t count);
/* A read, asked again while the store does not answer; NULL where the day has failed. */
const char *day_read(struct day *day, const char *target);
/* What a server's scheduler does: jobs, and what is due by date. */
void day_jobs(struct day *day);
void day_dates(struct day *day);
struct db *day_db(struct day *day); /* for rows that a client of the day looks at */
struct db_rows day_rows(struct day *day, const struct db_path *path, int64_t key);

/* ---- sales.c, stock.c ---- */

extern const struct deed_kind order_deed, payment_deed, give_up_deed, impatience_deed, edit_deed, hold_deed, replan_deed, parcel_deed, return_deed;
extern const struct deed_kind supply_deed, transfer_deed, count_deed, miscount_deed, outage_deed, recall_deed, quarantine_deed, undo_deed;
/* All that is to happen, as drawn. */
void sales_plan(struct day *day);
void stock_plan(struct day *day);
/* Of an order, as its rows are now: new parcels go to the pickers. */
void sale_follow(struct day *day, int64_t which);
int node_of(const struct day *day, int64_t id);      /* BETWEEN for all others */
int sku_of(const struct day *day, int64_t id);       /* -1: none of the day's */
int64_t on_hand(struct day *day, int node, int sku); /* of class 0, as booked */
void count_soon(struct day *day, int node, int sku);
void refusals_clear(struct day *day, struct deed *deed, int64_t which); /* of an order: its nodes may be asked again */

/* ---- proof.c ---- */

/* Ends every order: cancels what waits, and buys what is missing of those that are half on their way. */
void day_close(struct day *day);
void day_prove(struct day *day);

/* Plays what is due until nothing is. */
void day_go_on(struct day *day);

#endif
