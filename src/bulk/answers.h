/* src/bulk/answers.h: what the server says of a batch. */
#ifndef MILLRACE_BULK_ANSWERS_H
#define MILLRACE_BULK_ANSWERS_H

#include "base/json.h"

/* What is wrong with an entry: where in it (a JSON pointer, "" where it says none), and what. */
struct complaint {
    const char *pointer, *code, *detail;
};
struct result {
    int64_t status;
    struct complaint *complaints; /* none where it was done */
    size_t count;
};

/* {"results":[...]}. False: it is no such answer. All in the arena. */
bool results_read(struct arena *arena, const char *text, size_t bytes, struct result **results, size_t *count);
/* A problem, as the whole answer is one; one complaint with the text's beginning where it is none. */
struct result problem_read(struct arena *arena, const char *text, size_t bytes);

#endif
