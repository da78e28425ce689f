/* src/orders/words.h: the orders that have all words of a search (q=), from the projections' index of words. */
#ifndef MILLRACE_ORDERS_WORDS_H
#define MILLRACE_ORDERS_WORDS_H

#include "base/arena.h"
#include "engine/command.h"

#define WORDS_MAX 16 /* of one search */
#define FORMS_MAX 50 /* of one word that ends in * */

/* An order must have all of them; one that ends in * stands for every word that begins so. */
struct words {
    struct word {
        const char *text; /* folded, as text_tokens does */
        bool begins;
    } each[WORDS_MAX];
    size_t count;
    size_t reads_left; /* how often the store may still be asked for one page */
};
/* False: there are more than WORDS_MAX. The words live in the arena. */
bool words_of(struct arena *arena, const char *q, struct words *words);

/* Orders that may meet a filter, in order of their ids. */
struct candidates {
    int64_t *ids;
    size_t count;
    int64_t upto;           /* none but these is there up to here */
    bool ended;             /* none is there behind them */
    bool tired;             /* the search has a bound: it goes on behind `upto` with the next page */
    const char *too_common; /* more than FORMS_MAX words begin so: nothing was searched. Else NULL */
};
/* Adds those of the unit behind `after`, until there are most + 1, or words->reads_left is used up; words->count > 0. Room for as many
 * is the caller's. */
enum db_result orders_with_words(struct reading *reading, struct words *words, int64_t unit, int64_t after, int64_t most, struct candidates *out);

#endif
