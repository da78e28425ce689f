/* src/orders/substitute.c: pieces of a line that have not left are replaced by another SKU: that which somebody names, or the first of those that
 * the line's SKU names that is there whole. It is an edit: fewer of the line, and a line that takes their place, at their price with their
 * shares of discount and tax, or at a stated one. What is not there is no substitute, so all of it is promised or nothing happens. */
#include "inventory/availability.h"
#include "orders/asked.h"
#include "orders/cancel.h"
#include "orders/commands.h"
#include "orders/edit.h"
#include "orders/named.h"
#include <assert.h>
#include <stdio.h>

#define AT(type, member) offsetof(struct type, member)

struct substitute_io {
    struct field_presence presence;
    int64_t line;
    const char *sku;
    int64_t quantity; /* 0: all that can be */
    struct money unit_price, discount, tax;
    const char *reason;
};
static const struct field substitute_rows[] = {
    { "line", FIELD_INT, AT(substitute_io, line), .required = true, .min = 1, .max = ORDER_LINES_MAX, .doc = "whose pieces are replaced" },
    { "sku", FIELD_CODE, AT(substitute_io, sku), .doc = "by which; without: the first of the SKU's substitutes that is there" },
    { "quantity", FIELD_INT, AT(substitute_io, quantity), .min = 1, .max = 1000000, .doc = "pieces; without: all that have not left" },
    { "unit_price", FIELD_MONEY, AT(substitute_io, unit_price), .max = INT64_C(1000000000000), .doc = "without: the line's" },
    { "discount", FIELD_MONEY, AT(substitute_io, discount), .max = INT64_C(1000000000000000),
      .doc = "for all of them; without it, and without a price: the share that the replaced pieces had" },
    { "tax", FIELD_MONEY, AT(substitute_io, tax), .max = INT64_C(1000000000000000), .doc = "as discount" },
    { "reason", FIELD_TEXT, AT(substitute_io, reason), .lines = true, .min = 1, .max = 255, .doc = "why, for the timeline" },
};
static const struct field_table substitute_fields = { "Substitution", substitute_rows, COUNT(substitute_rows), sizeof(struct substitute_io) };

struct substitution {
    struct ws *ws;
    struct command *command;
    const struct substitute_io *in;
    struct order order;
    const struct channel_row *channel;
    const struct order_line_row *line;
    int64_t pieces;
};

static void fault(struct substitution *s, enum fault_code code, const char *pointer, const char *detail)
{
    fault_add(&s->command->faults, code, pointer, "%s", detail);
}

static const struct sku_row *sku_named(const struct substitution *s)
{
    return ws_find(s->ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(s->ws)), db_text(s->in->sku)));
}

static void check_money(struct substitution *s, const struct money *money, const char *field)
{
    if (money->currency[0] != '\0' && !text_equal(money->currency, s->order.row->currency))
        fault(s, FAULT_CURRENCY_MISMATCH, arena_printf(s->command->arena, "/%s/currency", field),
              arena_printf(s->command->arena, "the order is in %s", s->order.row->currency));
}

/* Of the line's SKU. */
static size_t substitutes_of(const struct substitution *s, const char ***codes)
{
    const struct sku_row *sku = s->line->sku == 0 ? NULL : ws_get(s->ws, &sku_table, WS_KEY(ws_unit(s->ws), s->line->sku));
    return sku == NULL ? 0 : sku_substitutes(ws_arena(s->ws), sku, codes);
}

/* What it names, all faults at once. */
static void read_names(struct substitution *s)
{
    struct arena *arena = s->command->arena;
    const struct substitute_io *in = s->in;
    s->line = in->line >= 1 && in->line <= (int64_t)s->order.line_count ? s->order.lines[in->line - 1] : NULL;
    if (in->line >= 1 && s->line == NULL)
        fault(s, FAULT_LINE_UNKNOWN, "/line", arena_printf(arena, "the order has %zu lines", s->order.line_count));
    const struct sku_row *sku = in->sku == NULL ? NULL : sku_named(s);
    if (in->sku != NULL && sku == NULL)
        fault(s, FAULT_SKU_UNKNOWN, "/sku", arena_printf(arena, "there is no SKU %s", in->sku));
    if (s->line != NULL && sku != NULL && sku->id == s->line->sku)
        fault(s, FAULT_INVALID, "/sku", arena_printf(arena, "line %ld is of %s already", (long)in->line, in->sku));
    const char **codes;
    if (s->line != NULL && in->sku == NULL && substitutes_of(s, &codes) == 0)
        fault(s, FAULT_REQUIRED, "/sku", arena_printf(arena, "what line %ld is of names no substitutes: say which SKU", (long)in->line));
    if (s->order.line_count >= ORDER_LINES_MAX)
        fault(s, FAULT_ORDER_TOO_LARGE, "", arena_printf(arena, "the order has %d lines already", ORDER_LINES_MAX));
    check_money(s, &in->unit_price, "unit_price");
    check_money(s, &in->discount, "discount");
    check_money(s, &in->tax, "tax");
}

static void substitute_look_up(struct ws *ws, struct command *command)
{
    struct substitution s = { .ws = ws, .command = command, .in = command->input };
    if (order_open(ws, command_id(command, "ord"), &s.order))
        read_names(&s);
}

static bool refuse_late(struct substitution *s)
{
    assert(s->line != NULL); /* it was named, and is there: else it was refused */
    const int64_t left = order_cancellable(&s->order)[s->line->line - 1];
    s->pieces = s->in->quantity == 0 ? left : s->in->quantity;
    if (left > 0 && s->pieces <= left)
        return false;
    fault(s, FAULT_TOO_LATE, s->in->quantity == 0 ? "/line" : "/quantity",
          arena_printf(s->command->arena, "of line %ld, %ld can still be replaced", (long)s->line->line, (long)left));
    return true;
}

/* Whether the pieces are there whole. */
static bool is_there(struct substitution *s, const struct outlet *outlet, const struct sku_row *sku)
{
    struct wish wish = { .sku = sku, .listing = only_listing(s->ws, s->channel, sku->id), .quantity = s->pieces };
    wish.component_count = recipe_of(s->ws, sku, &wish.components);
    promise_grant(s->ws, outlet, &wish, 1, s->channel->kind == CHANNEL_MARKETPLACE);
    return wish.granted == s->pieces;
}

/* The SKU that is named, or the first of the line's substitutes that is there; NULL: refused. */
static const char *choose_sku(struct substitution *s)
{
    struct outlet outlet;
    struct buffer tried = { .arena = s->command->arena };
    const char **codes;
    if (s->in->sku != NULL)
        return s->in->sku;
    outlet_open(s->ws, s->channel, &outlet);
    outlet_without_refusing(s->ws, s->order.row->id, &outlet);
    const size_t count = substitutes_of(s, &codes);
    for (size_t i = 0; i < count; i++)
        ws_want_path(s->ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(s->ws)), db_text(codes[i])), 0);
    ws_settle(s->ws);
    for (size_t i = 0; i < count; i++) {
        const struct sku_row *sku = ws_find(s->ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(s->ws)), db_text(codes[i])));
        if (sku->id != s->line->sku && is_there(s, &outlet, sku))
            return sku->code;
        buffer_printf(&tried, "%s%s", i == 0 ? "" : ", ", codes[i]);
    }
    fault(s, FAULT_SHORTAGE, "/line", arena_printf(s->command->arena, "%ld pieces are there of none of %s", (long)s->pieces, tried.at));
    return NULL;
}

/* The line that comes: at the price of the pieces that it replaces, and their shares, where nothing else is said. */
static struct line_io line_of(const struct substitution *s, const char *sku)
{
    const int64_t wanted = s->line->quantity - line_figures(s->line, s->order.demands, s->order.demand_count).cancelled;
    struct line_money before, after;
    struct line_io line = { .sku = sku, .quantity = s->pieces, .unit_price = s->in->unit_price, .discount = s->in->discount, .tax = s->in->tax };
    (void)line_money(s->line, wanted, &before); /* the line fits, and so does less of it */
    (void)line_money(s->line, wanted - s->pieces, &after);
    const bool same_price = line.unit_price.currency[0] == '\0';
    struct money here = { 0 };
    snprintf(here.currency, sizeof here.currency, "%.3s", s->order.row->currency);
    if (same_price)
        line.unit_price = here, line.unit_price.minor = s->line->unit_price;
    if (same_price && line.discount.currency[0] == '\0' && s->line->discount != NULL_INT)
        line.discount = here, line.discount.minor = before.discount - after.discount;
    if (same_price && line.tax.currency[0] == '\0' && s->line->tax != NULL_INT)
        line.tax = here, line.tax.minor = before.tax - after.tax;
    return line;
}

static void substitute_decide(struct ws *ws, struct command *command)
{
    struct substitution s = { .ws = ws, .command = command, .in = command->input };
    if (!order_of_command(ws, command, &s.order))
        return;
    read_names(&s);
    if (command->faults.count > 0 || refuse_late(&s))
        return;
    s.channel = ws_get(ws, &channel_table, WS_KEY(ws_unit(ws), s.order.row->channel));
    const char *sku = choose_sku(&s);
    if (sku == NULL)
        return;
    const int64_t wanted = s.line->quantity - line_figures(s.line, s.order.demands, s.order.demand_count).cancelled;
    struct set_io set = { .line = s.line->line, .quantity = wanted - s.pieces };
    struct line_io line = line_of(&s, sku);
    const struct edit_io edit = { .set = { &set, 1 }, .add = { &line, 1 }, .reason = s.in->reason, .replaces = s.line->line };
    edit_carry_out(ws, command, &s.order, &edit);
}

const struct command_type order_substitute = {
    .name = "order.substitute",
    .input = &substitute_fields,
    .mode = FIELDS_POST,
    .queue = QUEUE_PEOPLE,
    .edge = order_command_edge,
    .prefetch = order_command_prefetch,
    .look_up = substitute_look_up,
    .decide = substitute_decide,
    .again = order_again,
    .inverse = "order.substitute: the line that came, by what it replaced",
};
