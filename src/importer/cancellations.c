/* src/importer/cancellations.c: which sale a cancelled line undoes. The file does not say: it is looked for among what the
 * same customer has bought of the same product before and has not cancelled yet: the latest sale at that price that is large
 * enough, else the latest that is large enough, else the latest ones together. */
#include "importer/names.h"
#include "importer/sales.h"
#include <string.h>

static const char *key_of(const struct sales *s, const struct sale_line *line, char key[160])
{
    snprintf(key, 160, "%s\n%s", s->invoices[line->invoice].customer, s->products[line->product].code);
    return key;
}

static void undo(struct sales *s, struct arena *arena, struct sale_line *cancelled, uint32_t sold, int64_t units)
{
    struct undo *undo = ARENA_NEW(arena, struct undo), **end = &cancelled->undoes;
    while (*end != NULL)
        end = &(*end)->next;
    *undo = (struct undo){ sold, units, NULL };
    *end = undo;
    s->lines[sold].left -= units;
}

/* The latest sale that is large enough by itself, NOBODY where none is. */
static uint32_t whole_sale(const struct sales *s, uint32_t latest, int64_t units, const int64_t *price)
{
    for (uint32_t i = latest; i != NOBODY; i = s->lines[i].before)
        if (s->lines[i].left >= units && (price == NULL || s->lines[i].price == *price))
            return i;
    return NOBODY;
}

static void match(struct sales *s, struct arena *arena, struct remarks *remarks, struct sale_line *line, uint32_t latest)
{
    int64_t units = -line->quantity;
    uint32_t sale = whole_sale(s, latest, units, &line->price);
    if (sale == NOBODY)
        sale = whole_sale(s, latest, units, NULL);
    if (sale != NOBODY) {
        undo(s, arena, line, sale, units);
        return;
    }
    for (uint32_t i = latest; i != NOBODY && units > 0; i = s->lines[i].before) {
        int64_t some = min_i64(units, s->lines[i].left);
        if (some > 0)
            undo(s, arena, line, i, some);
        units -= some;
    }
    const char *customer = s->invoices[line->invoice].customer, *code = s->products[line->product].code;
    if (line->undoes == NULL)
        remark(remarks, REMARK_NO_SALE, line->place, "customer %s bought no %s before, or has cancelled it all", customer, code);
    else if (units > 0)
        remark(remarks, REMARK_MORE_THAN_SOLD, line->place, "%ld of %ld %s were not sold to customer %s before", (long)units, (long)-line->quantity,
               code, customer);
}

static void cancel_line(struct sales *s, struct arena *arena, struct remarks *remarks, const struct names *bought, struct sale_line *line)
{
    const struct invoice *invoice = &s->invoices[line->invoice];
    char key[160];
    if (line->product == NOBODY)
        remark(remarks, REMARK_CREDIT, line->place, "invoice %s: %s", invoice->number, line->note);
    else if (line->quantity > 0)
        remark(remarks, REMARK_VALUE, line->place, "a quantity above 0 on cancellation %s", invoice->number);
    else if (invoice->customer[0] == '\0')
        remark(remarks, REMARK_NO_CUSTOMER, line->place, "invoice %s: %ld of %s", invoice->number, (long)-line->quantity,
               s->products[line->product].code);
    else {
        const uint32_t *latest = names_find(bought, key_of(s, line, key));
        match(s, arena, remarks, line, latest == NULL ? NOBODY : *latest);
    }
}

void cancellations_match(struct sales *s, struct arena *arena, struct remarks *remarks)
{
    struct names bought = { .arena = arena };
    char key[160];
    for (uint32_t t = 0; t < s->invoice_count; t++) {
        const struct invoice *invoice = &s->invoices[s->in_time[t]];
        for (uint32_t i = invoice->first; i != NOBODY; i = s->lines[i].next) {
            struct sale_line *line = &s->lines[i];
            if (invoice->kind == INVOICE_CANCELLATION)
                cancel_line(s, arena, remarks, &bought, line);
            if (invoice->kind != INVOICE_ORDER || !line->sold || invoice->customer[0] == '\0')
                continue;
            uint32_t *latest = names_of(&bought, key_of(s, line, key), NOBODY);
            line->before = *latest;
            *latest = i;
        }
    }
}
