/* src/simulation/promotion.c: the day is made once and run twice, printed side by side, and the books are proved. */
#include "check/check.h"
#include "simulation/runs.h"

enum figure_unit { FIGURE_COUNT, FIGURE_DAYS, FIGURE_HOURS };

/* One row a figure: for the table and for JSON. */
struct figure {
    const char *name, *said;
    enum figure_unit unit;
};
static const struct figure figures[] = {
    { "oversold_units", "units sold beyond stock", FIGURE_COUNT },
    { "cancelled_orders", "orders cancelled by shortage", FIGURE_COUNT },
    { "lost_sales_units", "units not sold: refused, or shown as gone", FIGURE_COUNT },
    { "backorder_days", "unit-days that sold units were short", FIGURE_DAYS },
    { "cycle_time_h", "mean hours from placed to shipped", FIGURE_HOURS },
};

static const char *figure_text(struct arena *arena, const struct outcome *out, size_t i)
{
    const int64_t counts[] = { out->oversold_units, out->cancelled_orders, out->lost_sales_units };
    int64_t mean_us = out->shipped == 0 ? 0 : out->cycle_us / out->shipped;
    switch (figures[i].unit) {
    case FIGURE_COUNT:
        return arena_printf(arena, "%ld", (long)counts[i]);
    case FIGURE_DAYS:
        return arena_printf(arena, "%.2f", (double)out->waiting_us / (24.0 * (double)HOUR_US));
    case FIGURE_HOURS:
        return arena_printf(arena, "%.2f", (double)mean_us / (double)HOUR_US);
    }
    return "";
}

static void print_json(const struct promotion *promotion, struct arena *arena, const char *name, const struct outcome *out)
{
    fprintf(promotion->out, ",\"%s\":{", name);
    for (size_t i = 0; i < COUNT(figures); i++)
        fprintf(promotion->out, "%s\"%s\":%s", i == 0 ? "" : ",", figures[i].name, figure_text(arena, out, i));
    fputc('}', promotion->out);
}

static void print_both(const struct promotion *promotion, struct arena *arena, const struct outcome *apart, const struct outcome *together)
{
    fprintf(promotion->out, "Promotion day: %ld orders wanted, seed %lu. Units are units of stock; a bundle counts its components.\n\n",
            (long)promotion->orders, (unsigned long)promotion->seed);
    fprintf(promotion->out, "%-48s %14s %14s\n", "", "apart", "millrace");
    for (size_t i = 0; i < COUNT(figures); i++)
        fprintf(promotion->out, "%-48s %14s %14s\n", figures[i].said, figure_text(arena, apart, i), figure_text(arena, together, i));
    fprintf(promotion->out, "%-48s %14ld %14ld\n", "of those beyond stock: found missing by a count", (long)apart->missing_units,
            (long)together->missing_units);
    fprintf(promotion->out, "%-48s %14ld %14ld\n", "orders taken, neither shipped nor cancelled", (long)apart->unfinished,
            (long)together->unfinished);
    fprintf(promotion->out, "%-48s %14ld %14ld\n\n", "orders shipped in full", (long)apart->shipped, (long)together->shipped);
    fputs("apart: four apps, stock copied every 15 minutes; what cannot be shipped is cancelled, nothing waits for supply.\n"
          "millrace: one engine; the marketplace is told every 2 minutes; the web store lets orders wait for announced receipts;\n"
          "what is still short after 24 hours is cancelled, and so is at once what a count takes out of a released parcel.\n\n",
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
    struct check check = { .db = engine_db(company->engine), .arena = arena_new((size_t)1 << 30), .tell = keep_first, .context = &found };
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
    struct company *company = company_open(script, promotion->url, promotion->seed, arena, error);
    if (company == NULL)
        return PROMOTION_FAILED;
    enum promotion_result result = PROMOTION_FAILED;
    if (together_run(script, company, arena, &together, error)) {
        result = prove(company, arena, error);
        print_both(promotion, arena, &apart, &together);
    }
    company_close(company);
    return result;
}
