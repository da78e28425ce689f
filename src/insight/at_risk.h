/* src/insight/at_risk.h: what an open exception puts at risk. It is not kept: it is what stands now, so that it falls while people work. */
#ifndef MILLRACE_INSIGHT_AT_RISK_H
#define MILLRACE_INSIGHT_AT_RISK_H

#include "engine/api.h"
#include "engine/ws.h"

#define AT_RISK_WAITING_MAX 1000 /* lines that wait for a SKU: more are not counted */

struct goods_at_risk {
    int64_t sku, units;
};
struct at_risk {
    bool has_money;
    int64_t minor; /* of an order what the customer is to pay for the pieces; of goods what they cost, as far as the ledger knows */
    char currency[4];
    int64_t promises; /* of an order its lines with such pieces; of goods the lines that wait for their SKUs */
    /* Goods whose cost and queue are still to be asked for. */
    struct goods_at_risk *goods;
    size_t goods_count;
};

/* Asks for what at_risk_of will need: of many in one go, each alone would be one. */
void at_risk_want(struct ws *ws, const struct exception_item_row *row);
/* Within a read of the row's unit: what rows of the order, supply, transfer or position say. Of a closed exception nothing is at risk.
 * What outlives the read is in the arena. */
struct at_risk at_risk_of(struct ws *ws, struct arena *arena, const struct exception_item_row *row);

/* Adds what the goods cost and who waits for them. For reads: it asks the stores itself. Errors of the stores. */
enum db_result at_risk_price(const struct reading *reading, struct arena *arena, int64_t unit, struct at_risk *risk);

#endif
