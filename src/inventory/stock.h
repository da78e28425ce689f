/* src/inventory/stock.h: what stock.c and claims.c share, and what only inventory asks of claims. */
#ifndef MILLRACE_INVENTORY_STOCK_H
#define MILLRACE_INVENTORY_STOCK_H

#include "inventory/inventory.h"

/* The position to change, made at first use; stock_end will tell it. Good for the batch. */
struct position_row *position_edit(struct stock *stock, int64_t node, int64_t sku, int64_t class);
int64_t *bucket_of(struct position_row *position, enum bucket bucket); /* NULL for BUCKET_NONE */

/* Who bars a position, and sets position.blocked so: a recall that stands there, or else the oldest job by which claims give way; nobody. */
void stock_bar(struct ws *ws, int64_t node, int64_t sku, int64_t class);
/* The recall that stands there, or NULL. */
const struct recall_place_row *recall_at(struct ws *ws, int64_t node, int64_t sku, int64_t class);
/* Whether units that are about to become available, from outside or out of quarantine, come to where a recall stands: then they are kept in
 * quarantine, and it knows how many, also of a class that was not there before. For stock_move. */
bool recall_keeps(struct stock *stock, const struct move *move);
/* STATE_CONFLICT where a recall stands: for a choice that would only put units back where they are. position may be NULL. */
bool recall_refuses(struct ws *ws, struct faults *faults, const struct position_row *position);

/* Claimants whom the position's own row names. */
#define SEATS 4
size_t seated_claimants(const struct position_row *position, int64_t holders[SEATS]);
bool claim_is_at(const struct claim_row *claim, const struct position_row *position); /* and no fence's */
struct ws_cursor claims_of(struct ws *ws, int64_t holder);

void claim_want(struct ws *ws, int64_t node, int64_t sku, const struct holder *holder); /* before several claim_find */
/* Twice, each with a ws_settle behind it: the fences of a SKU, then their claims at a node. */
void fence_claims_want(struct ws *ws, int64_t node, int64_t sku);
/* What fences hold of a SKU at a node; *claims lies in ws_arena. */
size_t fence_claims(struct ws *ws, int64_t node, int64_t sku, const struct claim_row ***claims);

#endif
