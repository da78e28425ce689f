/* src/simulation/script.h: what happens on the day, whoever runs it. A script is a pure function of seed and orders. */
#ifndef MILLRACE_SIMULATION_SCRIPT_H
#define MILLRACE_SIMULATION_SCRIPT_H

#include "base/text.h"

enum { SKUS = 200, BUNDLE = SKUS, ITEMS = SKUS + 1, PARTS = 3, NODES = 4, CHANNELS = 4, LINES_MAX = 3 };
enum { SELLER_WEB, SELLER_MARKET, SELLER_B2B, SELLER_SOCIAL };

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US (60 * MINUTE_US)
#define DAY_START_US INT64_C(1795737600000000) /* 2026-11-27T00:00:00Z, a Friday */
#define PATIENCE_US (24 * HOUR_US)             /* an order that is still short then is cancelled */

struct depot {
    const char *code, *kind, *name, *country, *postal_code;
    int supply_percent, pick_percent; /* its part of opening stock, and of all picking */
};
struct seller {
    const char *code, *kind, *name;
    int rank; /* 1 is served first */
    bool ships[NODES];
    const char *shortage, *term, *status;
    bool pays_later;     /* a payment fact comes after the order */
    bool customers_wait; /* for goods that are announced */
};
struct part {
    int sku;
    int64_t need;
};
extern const struct depot depots[NODES]; /* in the order in which they are asked to ship */
extern const struct seller sellers[CHANNELS];
extern const struct part bundle_parts[PARTS];

struct wish {
    int item; /* a SKU, or BUNDLE */
    int64_t quantity;
};
struct script_order {
    int64_t at, number;
    int channel, line_count;
    struct wish lines[LINES_MAX];
    int64_t pay_at; /* 0: no payment fact comes */
    bool pay_fails;
    int64_t give_up_at; /* the customer cancels, or the payment was not mended; 0: never */
};
struct stock_news { /* a receipt, or units that a count finds missing */
    int64_t at;
    int node, sku;
    int64_t quantity;
};
struct script {
    struct script_order *orders; /* by time */
    size_t order_count;
    int64_t opening[NODES][SKUS];
    struct stock_news *receipts, *miscounts;
    size_t receipt_count, miscount_count;
    int64_t last_receipt[SKUS]; /* 0: none is announced */
    int receipt_node[SKUS];     /* all of a SKU's receipts come to one place */
    int64_t pick_us[NODES];     /* one parcel */
};

struct script *script_make(struct arena *arena, uint64_t seed, int64_t orders);

/* Components of an item: fills `parts`, returns how many. */
int item_parts(int item, struct part parts[PARTS]);
/* Units of stock that the order asks for. */
int64_t wanted_units(const struct script_order *order);
/* Minor units; the same for all channels. */
int64_t item_price(int item);
const char *item_code(int item, char out[16]);

#endif
