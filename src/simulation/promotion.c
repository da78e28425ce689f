/* src/simulation/promotion.c: the day is made once and run twice, printed side by side, and the books are proved. */
#include "check/check.h"
#include "simulation/runs.h"
#include <stddef.h>
#include <string.h>

enum figure_unit { FIGURE_COUNT, FIGURE_DAYS, FIGURE_HOURS };

int64_t oversold_units(const struct outcome *outcome)
{
    return outcome->beyond_own_units + outcome->beyond_market_units + outcome->missing_units;
}

int64_t lost_units(const struct outcome *outcome)
{
    return outcome->refused_units + outcome->cancelled_units;
}

static int64_t mean_cycle_us(const struct outcome *outcome)
{
    return outcome->shipped == 0 ? 0 : outcome->cycle_us / outcome->shipped;
}

/* One row a figure, for the table and for JSON: a sum, or the member that stands there. */
struct figure {
    const char *name; /* NULL: not in JSON */
    const char *said;
    enum figure_unit unit;
    int64_t (*sum)(const struct outcome *outcome);
    size_t at;
};
#define AT(member) .at = offsetof(struct outcome, member)
static const struct figure figures[] = {
    { "oversold_units", "units oversold: sold, and not there", .sum = oversold_units },
    { NULL, "  by web store, B2B portal and social shop", AT(beyond_own_units) },
    { NULL, "  by the marketplace, from a page that was old", AT(beyond_market_units) },
    { NULL, "  found missing by a count after they were sold", AT(missing_units) },
    { "cancelled_orders", "orders cancelled by shortage", AT(cancelled_orders) },
    { "lost_sales_units", "units lost: wanted, and not to be had", .sum = lost_units },
    { NULL, "  refused, or shown as gone", AT(refused_units) },
    { NULL, "  sold, and cancelled by shortage", AT(cancelled_units) },
    { NULL, "units given up by customers, or never paid", AT(given_up_units) },
    { NULL, "units shipped", AT(shipped_units) },
    { "backorder_days", "unit-days that sold units were short", FIGURE_DAYS, AT(waiting_us) },
    { "cycle_time_h", "mean hours from placed to shipped", FIGURE_HOURS, .sum = mean_cycle_us },
    { NULL, "orders shipped in full", AT(shipped) },
    { NULL, "orders taken, neither shipped nor cancelled", AT(unfinished) },
};

static const char *figure_text(struct arena *arena, const struct outcome *out, const struct figure *figure)
{
    int64_t value;
    memcpy(&value, (const char *)out + figure->at, sizeof value);
    if (figure->sum != NULL)
        value = figure->sum(out);
    switch (figure->unit) {
    case FIGURE_COUNT:
        return arena_printf(arena, "%ld", (long)value);
    case FIGURE_DAYS:
        return arena_printf(arena, "%.2f", (double)value / (24.0 * (double)HOUR_US));
    case FIGURE_HOURS:
        return arena_printf(arena, "%.2f", (double)value / (double)HOUR_US);
    }
    return "";
}

static void print_json(const struct promotion *promotion, struct arena *arena, const char *name, const struct outcome *out)
{
    fprintf(promotion->out, ",\"%s\":", name);
    for (size_t i = 0; i < COUNT(figures); i++)
        if (figures[i].name != NULL)
            fprintf(promotion->out, "%s\"%s\":%s", i == 0 ? "{" : ",", figures[i].name, figure_text(arena, out, &figures[i]));
    fputc('}', promotion->out);
}

static int64_t all_wanted(const struct script *script)
{
    int64_t units = 0;
    for (size_t i = 0; i < script->order_count; i++)
        units += wanted_units(&script->orders[i]);
    return units;
}

static void print_both(const struct promotion *promotion, const struct script *script, struct arena *arena, const struct outcome *apart,
                       const struct outcome *together)
{
    fprintf(promotion->out, "Promotion day: %ld orders of %ld units wanted, seed %lu. Units are units of stock; a bundle counts its components.\n\n",
            (long)promotion->orders, (long)all_wanted(script), (unsigned long)promotion->seed);
    fprintf(promotion->out, "%-48s %14s %14s\n", "", "apart", "millrace");
    for (size_t i = 0; i < COUNT(figures); i++)
        fprintf(promotion->out, "%-48s %14s %14s\n", figures[i].said, figure_text(arena, apart, &figures[i]),
                figure_text(arena, together, &figures[i]));
    fputs("\napart: four apps, stock copied every 15 minutes; what cannot be shipped is cancelled, nothing waits for supply.\n"
          "millrace: one engine. Web store, B2B portal and social shop ask it with each order and sell nothing that is not there; web store and\n"
          "portal let an order wait where receipts of all its goods are announced, at places that serve them: it is not oversold. The\n"
          "marketplace sells from its page, which is told every 2 minutes: its orders are always taken, and what is short is noted as oversold.\n"
          "What is still short after 24 hours is cancelled, and so is at once what a count takes out of a released parcel.\n"
          "Wanted = lost + given up + shipped, on both sides. A bundle that cannot be built is oversold with all its components.\n\n",
          promotion->out);
    fprintf(promotion->out, "{\"seed\":%lu,\"orders\":%ld", (unsigned long)promotion->seed, (long)promotion->orders);
    print_json(promotion, arena, "apart", apart);
    print_json(promotion, arena, "millrace", together);
    fputs("}\n", promotion->out);
}

/* The first violation is told; their number stands in check.violations. */
struct found {
    struct arena *arena;
    const char *first;
};

static void keep_first(void *context, const struct violation *v)
{
    struct found *found = context;
    if (found->first == NULL)
        found->first = arena_printf(found->arena, "%s: %s (%s): expected %s, found %s", v->id, v->what, v->keys, v->expected, v->found);
}

static enum promotion_result prove(struct company *company, struct arena *arena, const char **error)
{
    struct found found = { .arena = arena };
    struct check check = { .db = engine_db(company->engine),
                           .read = company->read,
                           .vault = company->vault,
                           .arena = arena_new((size_t)1 << 30),
                           .tell = keep_first,
                           .context = &found };
    enum db_result result = check.arena == NULL ? DB_BUSY : check_all(&check);
    arena_free(check.arena);
    if (result != DB_OK)
        *error = arena_printf(arena, "the check did not run to its end (%s): %s", db_result_name(result), db_last_error(check.db));
    else if (check.violations > 0)
        *error = arena_printf(arena, "%ld violations; the first is %s", (long)check.violations, found.first);
    return result != DB_OK ? PROMOTION_FAILED : check.violations > 0 ? PROMOTION_VIOLATED : PROMOTION_DONE;
}

enum promotion_result promotion_run(const struct promotion *promotion, struct arena *arena, const char **error)
{
    const struct script *script = script_make(arena, promotion->seed, promotion->orders);
    struct outcome apart = apart_run(script, arena), together = { 0 };
    struct company *company = company_open(script, promotion->url, promotion->seed, false, arena, error);
    if (company == NULL)
        return PROMOTION_FAILED;
    enum promotion_result result = PROMOTION_FAILED;
    if (together_run(script, company, arena, &together, error)) {
        result = prove(company, arena, error);
        print_both(promotion, script, arena, &apart, &together);
    }
    company_close(company);
    return result;
}
