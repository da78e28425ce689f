/* src/importer/answers.h: what the server says, as far as the importer needs it. Text lives in the reader's arena. */
#ifndef MILLRACE_IMPORTER_ANSWERS_H
#define MILLRACE_IMPORTER_ANSWERS_H

#include "base/json.h"

struct line_seen {
    const char *sku;
    int64_t quantity, reserved, allocated, shipped, backordered, cancelled;
};

struct order_seen {
    const char *id, *channel_order_id, *stage, *total;
    struct line_seen *lines;
    size_t line_count;
};

struct position_seen {
    const char *node, *sku;
    int64_t on_hand, available, reserved, allocated, quarantined;
};

/* One entry of a batch's results: the order, or the adjustment (of which only the status matters), or what is wrong. */
struct result_seen {
    int64_t status;
    struct order_seen order;
    const char *problem; /* "code: detail", NULL for none */
    int64_t line;        /* of the problem: index into lines that its first pointer names, -1: none */
};

struct work_seen {
    const char *id, *order;
};

/* False when the text is not what such an answer is. */
bool order_seen(struct arena *arena, const char *text, size_t bytes, struct order_seen *order);
bool results_seen(struct arena *arena, const char *text, size_t bytes, struct result_seen **results, size_t *count);
bool orders_seen(struct arena *arena, const char *text, size_t bytes, struct order_seen **orders, size_t *count, const char **next);
bool positions_seen(struct arena *arena, const char *text, size_t bytes, struct position_seen **positions, size_t *count, const char **next);
bool work_seen(struct arena *arena, const char *text, size_t bytes, struct work_seen **work, size_t *count, const char **next);
/* "code: detail" of an answer that is a problem; for any other text what it begins with. */
const char *problem_seen(struct arena *arena, const char *text, size_t bytes);

#endif
