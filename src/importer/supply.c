/* src/importer/supply.c: deliveries. The files say what was sold, not what came in; so a rule buys, which knows no more than a
 * buyer would: on Mondays each product is brought to twice the mean of its last four weeks' sales, and to what waits. A week that
 * sells more than that runs short. The first delivery is what the first week sells, since nothing is known before. */
#include "importer/replay.h"
#include <string.h>

#define COVER_WEEKS 2 /* of mean sales that a delivery brings a product to */

void supply_sold(struct product *product, int64_t units)
{
    product->net -= units;
    product->sure -= units;
    product->week_units[0] += units;
}

/* Before it could ship: the sale is as if it had not been, for the buyer. */
void supply_cancelled(struct product *product, int64_t units)
{
    product->net += units;
    product->week_units[0] = max_i64(0, product->week_units[0] - units);
}

int64_t supply_written_off(struct product *product, int64_t units)
{
    int64_t found = max_i64(0, units - max_i64(0, product->sure));
    product->net += found - units; /* what is found goes into quarantine and leaves from there */
    product->sure += found - units;
    return found;
}

void supply_found(struct product *product, int64_t units)
{
    product->net += units;
    product->sure += units;
}

static int64_t mean_of_weeks(const struct product *product, int64_t week)
{
    int64_t sum = 0, weeks = min_i64(WEEKS_MEANT, week - product->first_week);
    for (int64_t i = 0; i < weeks; i++)
        sum += product->week_units[i];
    return (sum + weeks - 1) / weeks;
}

static int64_t units_due(const struct product *product, int64_t week)
{
    if (week <= product->first_week)
        return week == product->first_week ? product->first_units : 0;
    return max_i64(0, COVER_WEEKS * mean_of_weeks(product, week) - product->net);
}

bool supply_week(struct replay *replay, int64_t week)
{
    const struct sales *sales = &replay->sales;
    struct adjustment *due = ARENA_ARRAY(replay->scratch, struct adjustment, sales->product_count);
    const char *document = arena_printf(replay->scratch, "delivery-%ld", (long)(week * 7 + 4)); /* the Monday's day number */
    size_t count = 0;
    for (uint32_t i = 0; i < sales->product_count; i++) {
        struct product *product = &sales->products[i];
        int64_t units = units_due(product, week);
        if (units > 0)
            due[count++] =
                (struct adjustment){ .sku = product->code, .reason = "receipt", .bucket = "available", .document = document, .delta = units };
        supply_found(product, units);
        replay->units_delivered += units;
        memmove(product->week_units + 1, product->week_units, sizeof product->week_units - sizeof product->week_units[0]);
        product->week_units[0] = 0;
    }
    return replay_adjust(replay, ACTIVITY_DELIVERIES, due, count);
}
