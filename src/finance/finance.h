/* src/finance/finance.h: a shadow ledger: what the books will be made of, booked in trial accounts in double entry by a follower of events
 * and movements, in the projections' store, so that it can be dropped and is rebuilt from event 1. It proves that no event lacks what
 * the books need. Amounts are minor units, debit above 0 and credit below, each in its own currency. Design: docs/design/finance.md. */
#ifndef MILLRACE_FINANCE_FINANCE_H
#define MILLRACE_FINANCE_FINANCE_H

#include "base/zone.h"
#include "engine/api.h"
#include "engine/event.h"
#include "schema.h"
#include <stdio.h>

#define ACCOUNTS(X) /* name, as the API says it, what stands in it */                                                   \
    X(STOCK, "stock", "goods on hand, at what they cost")                                                               \
    X(TRANSIT, "stock_in_transit", "goods between two nodes, at what they cost")                                        \
    X(COST_OF_GOODS, "cost_of_goods", "what shipped goods cost, less what customers sent back")                         \
    X(REVENUE, "revenue", "what shipped goods were sold for, without tax")                                              \
    X(TAX, "tax", "tax on what shipped")                                                                                \
    X(SHIPPING, "shipping_revenue", "what customers pay for shipping, once an order")                                   \
    X(RECEIVABLE, "receivable", "what customers owe; below zero, what they have paid ahead")                            \
    X(CLEARING, "clearing", "money that payment providers have taken for us, less what they gave back")                 \
    X(RECEIVED, "received_not_invoiced", "what suppliers will invoice: goods that came from them, less what went back") \
    X(OPENING, "opening", "goods that were ours before we kept count")                                                  \
    X(ADJUSTMENT, "adjustment", "goods that counts and corrections took or found")                                      \
    X(SCRAP, "scrap", "goods that were damaged or lost")

enum account {
    ACCOUNT_NONE,
#define ACCOUNT_ENUM(name, text, says) ACCOUNT_##name,
    ACCOUNTS(ACCOUNT_ENUM)
#undef ACCOUNT_ENUM
        ACCOUNT_COUNT
};
extern const char *const account_names[]; /* from ACCOUNT_NONE + 1; ends in NULL */

/* How goods that came were valued where nobody said what they cost, and what nobody has decided how to book. */
#define LEDGER_NOTES(X) /* name, as the API says it, what it means */                                 \
    X(NONE, "none", "as it was told")                                                                 \
    X(AVERAGE, "at_average", "what they cost was not told: valued at the average of those on hand")   \
    X(LAST_COST, "at_last_cost", "nor were any on hand: valued at what the last cost that were told") \
    X(NO_COST, "no_cost", "nothing was ever told: valued at nothing")                                 \
    X(TOO_LARGE, "too_large", "the amount does not fit: valued at nothing")                           \
    X(UNDECIDED, "undecided", "the ledger has no rule for such a movement, or the event lacks what its rule needs")

enum ledger_note {
#define NOTE_ENUM(name, text, says) NOTE_##name,
    LEDGER_NOTES(NOTE_ENUM)
#undef NOTE_ENUM
        NOTE_COUNT
};
extern const char *const note_names[]; /* ends in NULL */

/* ---- rules: pure ---- */

/* Which rules a unit's books were made by. To be raised by whoever changes what is booked for what has happened already: then all books are
 * made anew. A rule for what never happened before changes nothing. */
#define LEDGER_RULES 2

/* What of a movement the books look at. Movements within nodes book nothing, and are not looked at. */
struct moved {
    int64_t id, sku, class, quantity, from_node, to_node, cause_kind, cause, at;
    int64_t unit_cost; /* minor units of the unit's currency; NULL_INT: not told */
    bool opens;        /* its cause is an adjustment for opening stock */
};
/* What of an event that bears an amount. */
struct told {
    int64_t seq, type, at, subject, amount;
    const char *currency, *data;
};

/* What one of them books: the amounts of its postings add up to 0. */
#define ENTRY_MAX 4
struct entry {
    int64_t id, at, subject; /* id: of the movement, or the event's number; subject: the movement's cause, or what the event is about */
    int64_t currency;        /* currency_number */
    enum ledger_note note;
    size_t count;
    struct posting {
        enum account account;
        int64_t amount;
    } postings[ENTRY_MAX];
};

/* What units that are graded otherwise take with them from one class to the other; kept from a movement to the next, also from page to page. */
struct carried {
    int64_t movement, amount;
};

/* Books a movement. `stock` is what the unit has of its SKU and class, by the movements before it, and is changed. Each unit of goods is
 * worth the average of those it stands among, on hand or in transit; whoever leaves takes their part, rounded half up, and the last one
 * all that is left. What comes in is worth what was told, else the average, else what the last cost that were told, else nothing. */
void book_movement(const struct moved *moved, int64_t currency, struct ledger_stock_row *stock, struct carried *carried, struct entry *entry);
/* Books an event; most book nothing: count is 0. `arena` for what is read of its text. */
void book_event(struct arena *arena, const struct told *told, struct entry *entry);

/* What so many units of a SKU are worth, of whatever class: at the average of those on hand, else at what the last cost that were told; NULL_INT:
 * no cost was ever told, or it is more than an amount may be. Reads the projections' store, which may be a moment behind. */
enum db_result ledger_worth(const struct reading *reading, struct arena *arena, int64_t unit, int64_t sku, int64_t units, int64_t *worth);

/* "EUR" as a number of three letters, since keys hold numbers; 0 for NULL. */
int64_t currency_number(const char *currency);
void currency_letters(int64_t number, char out[4]);

/* The tables in markdown: docs/ledger.md is made of them. */
void ledger_print(FILE *out);
/* Whether a movement of this cause between these places (node ids; any node: PLACE_NODES) has a rule. */
bool ledger_knows(int64_t cause_kind, int64_t from_node, int64_t to_node);
/* Whether any movement of this cause is expected, or it is said why none is. */
bool ledger_knows_cause(int64_t cause_kind);

/* ---- sources ---- */

/* The next value-bearing movements of a unit with ids above `after` and below `below`, at most `most`. */
enum db_result moved_read(struct db *store, struct arena *arena, int64_t unit, int64_t after, int64_t below, int64_t most, struct moved **out,
                          size_t *count);
/* Its events above `after` up to `upto` that bear an amount; all of them. */
enum db_result told_read(struct db *store, struct arena *arena, int64_t unit, int64_t after, int64_t upto, struct told **out, size_t *count);
/* What the books of a unit are kept in. */
struct books {
    int64_t currency;
    const char *time_zone;
    const struct zone *zone; /* NULL: UTC, where tzdata does not know it */
};
enum db_result books_read(struct db *store, struct arena *arena, int64_t unit, struct books *books);

/* Debits and credits of each day, account and currency. */
struct day_sums {
    struct ledger_day_row *rows;
    size_t count, room;
};
/* The arena must outlive the sums. Sums that do not fit stay at their largest. */
void day_sums_add(struct arena *arena, struct day_sums *sums, int64_t unit, int64_t day, const struct entry *entry);
struct ledger_day_row *day_sums_row(struct arena *arena, struct day_sums *sums, int64_t unit, int64_t day, int64_t account, int64_t currency);

/* ---- following ---- */

/* Entries are told apart by where they come from: first key of ledger_posting behind the unit. */
enum ledger_source { SOURCE_MOVEMENT = 1, SOURCE_EVENT };

struct ledger_follower {
    struct db *store, *read;
    struct arena *arena;
    int64_t page;        /* movements of one transaction; 0: 2,000 */
    int64_t forget_rows; /* of one transaction, where a unit is booked anew; 0: 10,000 */
};
/* Books a unit up to its clock's event and below its next id, at most `pages` transactions; *behind: there is more to do. What was booked stays
 * booked when it fails. Books of another past, other rules or another time zone are forgotten first, and made anew. */
enum db_result ledger_follow(const struct ledger_follower *follower, int64_t unit, int64_t event_seq, int64_t next_id, int pages, bool *behind);

extern const struct route_table finance_routes;

#endif
