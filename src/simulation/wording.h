/* src/simulation/wording.h: the script as requests, the same whether they go to an engine inside the process or over HTTP. */
#ifndef MILLRACE_SIMULATION_WORDING_H
#define MILLRACE_SIMULATION_WORDING_H

#include "simulation/script.h"

/* Whoever carries a request: 2xx is true; else false, and the asker knows why. */
struct carrier {
    bool (*put)(void *context, const char *target, const char *body);
    void *context;
};
/* Unit, nodes, SKUs, the bundle, channels. False: the carrier's first false ended it. */
bool masters_put(const struct carrier *carrier, struct arena *arena);

/* Bodies. `day` stands before all ids of the day, so that several days fit into one company; "" for none. */
const char *order_body(struct arena *arena, const struct script_order *order, const char *day, bool waits);
const char *payment_body(struct arena *arena, const struct script_order *order);
int64_t item_cost_minor(int sku); /* what an article cost when the day began, in cents */
const char *opening_body(struct arena *arena, int node, int sku, int64_t units);
const char *receipt_body(struct arena *arena, const struct stock_news *news, const char *day, int64_t number);
const char *count_body(struct arena *arena, const struct stock_news *news, int64_t on_hand);

/* Receipts of all its goods are still to come, at places that serve the channel: web store and B2B portal let it wait. */
bool waits_for_supply(const struct script *script, const struct script_order *order);
bool has_bundle(const struct script_order *order);

/* The marketplace's page: what it was last told, less what it sold since. */
struct page {
    int64_t shown[ITEMS];
    bool changed[SKUS]; /* since it was told */
};
/* A customer who sees too few does not order: false. Else it is sold, and the page shows less. */
bool page_sells(struct page *page, const struct script_order *order);
/* Components of the order's items are no longer what the page was told. */
void page_touch(struct page *page, const struct script_order *order);
bool page_is_old(const struct page *page, int item);

#endif
